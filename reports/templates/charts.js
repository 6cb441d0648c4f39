"use strict";
// Interactive charts: the panels of the page's data, drawn by Chart.js when they come into view.
//
// `showCharts` draws them for a choice of the reader's: { solver, problem, n, text, hidden, linear }.

const plots = JSON.parse(document.getElementById("plots")?.textContent ?? "{}");

// Matplotlib's marks as Chart.js's, and how far each is turned.
const MARKS = {
  o: ["circle", 0], s: ["rect", 0], "^": ["triangle", 0], v: ["triangle", 180], "<": ["triangle", 270], ">": ["triangle", 90],
  D: ["rectRot", 0], P: ["cross", 0], X: ["crossRot", 0], h: ["rectRounded", 0], p: ["star", 0], "|": ["line", 90],
};
const ROW = 19, FRAME = 58, HEIGHT = 300; // pixels
const NARROW = 480; // below it, names are in the legend only
const COARSE = matchMedia("(pointer: coarse)").matches;

let choice = { hidden: new Set() };
const drawn = new Map(); // the canvas of a panel, and its chart

function colours() {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(["ink", "soft", "rule", "paper", "raised"].map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

const shortened = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);
const rowProblem = (row) => row.split(/[:,]/, 1)[0];

function isChosen(panel, curve) {
  if (choice.solver && curve.base && curve.base !== choice.solver) return false;
  if (choice.hidden.has(curve.base || curve.name)) return false;
  return !choice.text || `${panel.title} ${curve.name}`.toLowerCase().includes(choice.text) || panel.rows.length > 0;
}

// The panel as chosen: its curves with the points that are left, and the rows that have any.
function chosen(panel) {
  const isOther = (row) => choice.problem && !panel.problem && rowProblem(row) !== choice.problem;
  const isLeft = ({ n, y }) => (!choice.n || !n || String(n) === choice.n) && !(panel.rows.length && isOther(panel.rows[Math.round(y)]));
  const curves = panel.curves.filter((curve) => isChosen(panel, curve))
    .map((curve) => ({ ...curve, points: curve.points.filter(isLeft) }))
    .filter(({ points }) => points.length);
  if (!panel.rows.length) return { ...panel, curves };
  const left = [...new Set(curves.flatMap(({ points }) => points.map(({ y }) => Math.round(y))))].sort((a, b) => a - b);
  const placed = (point) => ({ ...point, y: left.indexOf(Math.round(point.y)) + point.y - Math.round(point.y) });
  return { ...panel, rows: left.map((row) => panel.rows[row]), curves: curves.map((curve) => ({ ...curve, points: curve.points.map(placed) })) };
}

// Profiles are of all problems: with one chosen, they would show something else than they say.
const isShown = (panel) => !choice.problem || (panel.problem ? panel.problem === choice.problem : panel.rows.some((row) => rowProblem(row) === choice.problem));

const isEmpty = (panel, left) => !isShown(panel) || !left.curves.length;

function write(value, axis) {
  if (axis.floor !== null && value <= 2 * axis.floor) return axis.floor_text;
  if (axis.ceiling !== null && value >= axis.ceiling) return axis.ceiling_text;
  return show(value, axis.unit);
}

function scale(panel, axis, values, look) {
  const isLog = axis.is_log && !choice.linear;
  const ends = { min: axis.low ?? undefined, max: axis.high ?? undefined };
  if (axis.is_log && choice.linear && !(axis.low < 0)) ends.min = 0;
  const common = {
    type: isLog ? "logarithmic" : "linear",
    ...ends,
    title: { display: Boolean(axis.title), text: axis.title, color: look.soft },
    grid: { color: look.rule },
    border: { color: look.rule },
    ticks: { color: look.soft, includeBounds: false, maxRotation: 0, autoSkipPadding: 12, callback: (value) => write(value, axis) },
  };
  if (axis.unit === "count" && isLog) {
    const sizes = [...new Set(values)].sort((a, b) => a - b);
    const span = sizes.at(-1) / sizes[0] || 1;
    return { ...common, min: sizes[0] / Math.max(span, 1.5) ** 0.05, max: sizes.at(-1) * Math.max(span, 1.5) ** 0.05,
      afterBuildTicks: (built) => { built.ticks = sizes.map((value) => ({ value })); } };
  }
  if (isLog && axis.base !== 10) {
    return { ...common, afterBuildTicks: (built) => { built.ticks = powers(axis.base, built.min, built.max); } };
  }
  if (isLog) {
    return { ...common, afterBuildTicks: (built) => {
      const isWide = built.max > 50 * built.min;
      const leading = (value) => Math.round(10 * value / 10 ** Math.floor(Math.log10(value) + 1e-9)) / 10;
      const kept = built.ticks.filter(({ value }) => (isWide ? [1] : [1, 2, 5]).includes(leading(value)));
      const every = Math.ceil(built.ticks.length / 4);
      built.ticks = kept.length > 1 ? kept : built.ticks.filter((_, place) => place % every === 0);
      if (axis.floor !== null) built.ticks = [{ value: axis.floor }, ...built.ticks.filter(({ value }) => value > 3 * axis.floor)];
    } };
  }
  return common;
}

// Ticks at the powers of a base within a range; of bytes at powers of 4, which are round in KiB and MiB.
function powers(base, low, high) {
  const found = [];
  for (let k = Math.ceil(Math.log(low) / Math.log(base)); base ** k <= high; k += 1) found.push({ value: base ** k });
  return found;
}

function rowScale(panel, look, width) {
  return {
    type: "linear", reverse: true, min: -0.6, max: panel.rows.length - 0.4,
    grid: { color: look.rule }, border: { display: false },
    afterBuildTicks: (built) => { built.ticks = panel.rows.map((_, value) => ({ value })); },
    ticks: { color: look.ink, autoSkip: false, callback: (value) => shortened(panel.rows[value] ?? "", Math.max(14, Math.floor(width / 16))) },
  };
}

function dataset(curve, look) {
  const [pointStyle, pointRotation] = MARKS[curve.marker] ?? MARKS.o;
  const isCross = ["cross", "crossRot", "star", "line"].includes(pointStyle);
  return {
    label: curve.name, curve, data: curve.points, parsing: false, normalized: true,
    showLine: curve.shape !== "points" && curve.points.length > 1, stepped: curve.shape === "steps" ? "before" : false,
    borderColor: curve.colour, backgroundColor: curve.colour, borderWidth: curve.width,
    borderDash: curve.dashes.map((each) => each * curve.width),
    pointStyle, pointRotation, pointBorderColor: isCross ? curve.colour : look.paper, pointBorderWidth: isCross ? 1.6 : 0.6,
    pointRadius: curve.shape === "steps" ? 0 : 4.5, pointHoverRadius: 7, pointHitRadius: COARSE ? 18 : 8, clip: 6,
  };
}

// What Chart.js has no chart for: ranges, lines for comparison, and a name at the end of each curve.
const extras = {
  id: "extras",
  beforeDatasetsDraw(chart) {
    const { ctx, chartArea: area, scales: { x, y } } = chart;
    const { panel, look } = chart.options;
    ctx.save();
    ctx.beginPath();
    ctx.rect(area.left, area.top - 1, area.width + 1, area.height + 2);
    ctx.clip();
    if (panel.guide.length) {
      ctx.strokeStyle = look.soft; ctx.globalAlpha = 0.2; ctx.lineWidth = 6;
      ctx.beginPath();
      for (const [at, value] of panel.guide) ctx.lineTo(x.getPixelForValue(at), y.getPixelForValue(value));
      ctx.stroke();
      ctx.globalAlpha = 1;
    }
    if (panel.level !== null) {
      ctx.strokeStyle = look.soft; ctx.lineWidth = 1;
      ctx.beginPath();
      if (panel.rows.length) { const at = x.getPixelForValue(panel.level); ctx.moveTo(at, area.top); ctx.lineTo(at, area.bottom); }
      else { const at = y.getPixelForValue(panel.level); ctx.moveTo(area.left, at); ctx.lineTo(area.right, at); }
      ctx.stroke();
    }
    chart.data.datasets.forEach(({ curve }) => {
      ctx.strokeStyle = curve.colour; ctx.globalAlpha = 0.45; ctx.lineWidth = 2;
      for (const point of curve.points) {
        if (point.low === undefined) continue;
        ctx.beginPath();
        if (panel.rows.length) { const at = y.getPixelForValue(point.y); ctx.moveTo(x.getPixelForValue(point.low), at); ctx.lineTo(x.getPixelForValue(point.high), at); }
        else { const at = x.getPixelForValue(point.x); ctx.moveTo(at, y.getPixelForValue(point.low)); ctx.lineTo(at, y.getPixelForValue(point.high)); }
        ctx.stroke();
      }
    });
    ctx.restore();
  },
  afterDraw(chart) {
    const { panel, look, labels } = chart.options;
    if (!labels) return;
    const { ctx, chartArea: area, scales: { y } } = chart;
    ctx.save();
    ctx.font = labels.font;
    ctx.textBaseline = "middle";
    const ends = labels.curves.map((curve) => ({ curve, at: Math.min(Math.max(y.getPixelForValue(curve.heading ?? curve.points.at(-1).y), area.top), area.bottom) }));
    ends.sort((a, b) => a.at - b.at);
    apart(ends, Math.min(13, (area.height + FRAME) / Math.max(ends.length, 1)), 6, chart.height - 6);
    for (const { curve, at, place } of ends) {
      const end = y.getPixelForValue(curve.points.at(-1).y);
      ctx.strokeStyle = curve.colour; ctx.globalAlpha = 0.5; ctx.lineWidth = 0.7;
      ctx.beginPath(); ctx.moveTo(area.right, Math.min(Math.max(end, area.top), area.bottom)); ctx.lineTo(area.right + 13, place); ctx.stroke();
      ctx.globalAlpha = 1; ctx.fillStyle = curve.colour;
      const [pointStyle, rotation] = MARKS[curve.marker] ?? MARKS.o;
      Chart.helpers.drawPoint(ctx, { pointStyle, rotation, radius: 3.5, borderWidth: 1 }, area.right + 18, place);
      ctx.fillStyle = look.ink;
      ctx.fillText(shortened(curve.label, labels.most), area.right + 27, place);
    }
    ctx.restore();
  },
};

// Give each end a place at least `step` from the next, within bounds, near where it would be.
function apart(ends, step, low, high) {
  let last = -Infinity;
  for (const each of ends) last = each.place = Math.max(each.at, last + step, low);
  last = Infinity;
  for (const each of [...ends].reverse()) last = each.place = Math.min(each.place, last - step, high);
}

function tooltip(panel) {
  return {
    displayColors: false,
    callbacks: {
      title: ([item]) => item?.dataset.curve.name ?? "",
      label: ({ raw, dataset: { curve } }) => {
        const lines = [];
        if (panel.rows.length) lines.push(panel.rows[Math.round(raw.y)], `${panel.x.title}: ${write(raw.x, panel.x)}`);
        else if (curve.shape === "steps") lines.push(`${write(raw.y, panel.y)} within ${write(raw.x, panel.x)}`);
        else lines.push(`${panel.x.title}: ${write(raw.x, panel.x)}`, `${panel.y.title}: ${write(raw.y, panel.y)}`);
        const of = panel.rows.length ? panel.x : panel.y;
        if (raw.low !== undefined) lines.push(`from ${write(raw.low, of)} to ${write(raw.high, of)}`);
        if (raw.n && !panel.rows.length && panel.x.unit !== "count") lines.push(`n = ${show(raw.n, "count")}`);
        if (raw.note) lines.push(raw.note);
        return lines;
      },
    },
  };
}

function configuration(panel, width) {
  const look = colours();
  const values = panel.curves.flatMap((curve) => curve.points);
  const font = '12px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif';
  const hasLabels = !panel.rows.length && width >= NARROW && panel.curves.length;
  const most = Math.floor(width / 20);
  const wide = hasLabels ? Math.max(...panel.curves.map((curve) => shortened(curve.label, most).length)) * 6.6 + 34 : 8;
  return {
    type: "scatter",
    data: { datasets: panel.curves.map((curve) => dataset(curve, look)) },
    plugins: [extras],
    options: {
      panel, look, labels: hasLabels ? { font, most, curves: panel.curves } : null,
      animation: false, maintainAspectRatio: false, responsive: true,
      layout: { padding: { right: wide, top: 6 } },
      interaction: { mode: "nearest", intersect: false, axis: "xy" },
      plugins: { legend: { display: false }, tooltip: tooltip(panel) },
      scales: {
        x: { ...scale(panel, panel.x, values.map((point) => point.x), look), position: panel.rows.length > 8 ? "top" : "bottom" },
        y: panel.rows.length ? rowScale(panel, look, width) : scale(panel, panel.y, values.map((point) => point.y), look),
      },
    },
  };
}

function draw(canvas) {
  const panel = chosen(canvas.panel);
  drawn.get(canvas)?.destroy();
  drawn.delete(canvas);
  const box = canvas.parentElement;
  box.parentElement.hidden = isEmpty(canvas.panel, panel);
  if (box.parentElement.hidden) return;
  const lines = panel.curves.length * 13 + FRAME;
  box.style.height = `${panel.rows.length ? panel.rows.length * ROW + FRAME : Math.max(HEIGHT, box.clientWidth >= NARROW ? lines : 0)}px`;
  drawn.set(canvas, new Chart(canvas, configuration(panel, box.clientWidth)));
}

const seen = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) if (isIntersecting && !drawn.has(target)) draw(target);
}, { rootMargin: "600px" });

function build(figure) {
  const holder = figure.querySelector(".panels");
  for (const panel of plots[figure.dataset.chart] ?? []) {
    const box = document.createElement("div");
    box.className = panel.rows.length ? "panel rows" : "panel";
    if (panel.title) {
      const title = document.createElement("h4");
      title.textContent = panel.title;
      box.append(title);
    }
    const frame = document.createElement("div");
    frame.className = "canvas";
    frame.style.height = `${panel.rows.length ? panel.rows.length * ROW + FRAME : HEIGHT}px`;
    const canvas = document.createElement("canvas");
    canvas.panel = panel;
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `${panel.title || figure.querySelector("h3")?.textContent || ""}: ${panel.curves.map(({ name }) => name).join(", ")}`);
    frame.append(canvas);
    box.append(frame);
    holder.append(box);
    seen.observe(canvas);
  }
  fillLegend(figure.querySelector(".legend"), plots[figure.dataset.chart] ?? []);
}

// A button per solver: a click hides it everywhere or shows it again, a double click shows it alone.
function fillLegend(list, panels) {
  const curves = new Map(panels.flatMap((panel) => panel.curves).map((curve) => [curve.base || curve.name, curve]));
  for (const [name, curve] of curves) {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.key = name;
    button.title = "Click: hide or show. Double click: show alone.";
    button.append(swatch(curve), name);
    button.addEventListener("click", (event) => {
      const kind = event.detail > 1 && curve.base ? "isolate" : "toggle";
      button.dispatchEvent(new CustomEvent("choose", { bubbles: true, detail: { kind, name, isSolver: Boolean(curve.base) } }));
    });
    list.append(document.createElement("li"));
    list.lastElementChild.append(button);
  }
}

function swatch(curve) {
  const canvas = document.createElement("canvas");
  const [mark, turned] = MARKS[curve.marker] ?? MARKS.o;
  [canvas.width, canvas.height] = [36, 28];
  const ctx = canvas.getContext("2d");
  ctx.scale(2, 2);
  ctx.strokeStyle = ctx.fillStyle = curve.colour;
  ctx.lineWidth = 1.5;
  Chart.helpers.drawPoint(ctx, { pointStyle: mark, rotation: turned, radius: 4.5, borderWidth: 1.5 }, 9, 7);
  canvas.setAttribute("aria-hidden", "true");
  return canvas;
}

function showCharts(next) {
  choice = next;
  for (const figure of figures) {
    for (const canvas of figure.querySelectorAll(".canvas canvas")) {
      if (drawn.has(canvas)) draw(canvas);
      else canvas.closest(".panel").hidden = isEmpty(canvas.panel, chosen(canvas.panel));
    }
    for (const button of figure.querySelectorAll(".legend button")) {
      const name = button.dataset.key;
      button.setAttribute("aria-pressed", String(!choice.hidden.has(name) && (!choice.solver || choice.solver === name)));
    }
  }
}

const figures = [...document.querySelectorAll("figure[data-chart]")];
for (const figure of figures) build(figure);
document.documentElement.classList.add("has-charts");
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => showCharts(choice));
let width = innerWidth;
addEventListener("resize", () => {
  if (innerWidth !== width) showCharts(choice); // labels and heights depend on the width
  width = innerWidth;
});
addEventListener("beforeprint", () => {
  for (const canvas of document.querySelectorAll(".canvas canvas")) if (!drawn.has(canvas)) draw(canvas);
  for (const chart of drawn.values()) chart.resize();
});
