// Filters, sorting and the charts of a history, which are drawn when a cell is opened.
//
// A fragment such as #cell-3 opens a cell; #state=worse&sort=name keeps the filters, so that a link shows what its
// sender saw.

const data = JSON.parse(document.getElementById("data").textContent);
const form = document.getElementById("filters");
const list = document.getElementById("list");
const cells = [...list.children];
const fields = [...form.elements].filter((each) => each.name);

function filter() {
  const text = form.elements.text.value.trim().toLowerCase();
  const chosen = fields.filter((each) => each.value && !["text", "sort"].includes(each.name));
  for (const cell of cells) {
    const name = cell.querySelector(".name").textContent.toLowerCase();
    cell.hidden = !name.includes(text) || chosen.some(({ name, value }) => cell.dataset[name] !== value);
  }
  const shown = cells.filter((cell) => !cell.hidden).length;
  form.querySelector("output").textContent = `${shown} of ${cells.length}`;
  form.classList.toggle("active", fields.some((each) => each.value));
}

function sort() {
  const by = form.elements.sort.value;
  const name = (cell) => cell.querySelector(".name").textContent;
  const orders = {
    "": (a, b) => cells.indexOf(a) - cells.indexOf(b),
    name: (a, b) => name(a).localeCompare(name(b), "en", { numeric: true }),
    changed: (a, b) => b.dataset.changed - a.dataset.changed,
    time: (a, b) => b.dataset.time - a.dataset.time,
  };
  list.append(...[...cells].sort(orders[by] ?? orders[""]));
}

function remember() {
  const state = new URLSearchParams();
  for (const { name, value } of fields) if (value) state.set(name, value);
  history.replaceState(null, "", [...state].length ? `#${state}` : location.pathname + location.search);
}

function restore() {
  const fragment = location.hash.slice(1);
  if (fragment.includes("=")) {
    const state = new URLSearchParams(fragment);
    for (const each of fields) each.value = state.get(each.name) ?? "";
    for (const each of fields) if (each.selectedIndex === -1) each.value = "";
  }
  filter();
  sort();
  const target = fragment.includes("=") ? null : document.getElementById(fragment);
  if (target?.matches("details.cell")) {
    target.hidden = false;
    target.open = true;
    target.scrollIntoView({ behavior: "instant" });
  }
}

// The value at each place, from the places where it changes.
function filled(steps, count) {
  const values = [];
  steps.forEach(([start, value], k) => {
    const end = steps[k + 1]?.[0] ?? count;
    for (let place = start; place < end; place += 1) values.push(value);
  });
  return values;
}

function valuesOf(quantity, count) {
  return quantity.values ?? filled(quantity.steps, count);
}

function element(name, attributes = {}, text = "") {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  return made;
}

// Ticks at round numbers within a range, of bytes at round numbers of KiB, MiB and so on.
function ticks(low, high, unit) {
  const one = unit === "B" ? 1024 ** Math.max(Math.floor(Math.log(Math.max(high, 1)) / Math.log(1024)), 0) : 1;
  const rough = (high - low) / one / 3 || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = one * [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= rough);
  const found = [];
  for (let k = Math.ceil(low / step); k * step <= high; k += 1) found.push(k * step);
  return found;
}

const LEFT = 74, RIGHT = 12, ABOVE = 16, BELOW = 18;

// A frame with axes; returns the drawing and the functions that place a commit and a value in it.
function frame(width, height, low, high, unit, isWhole) {
  const svg = element("svg", { class: "chart", viewBox: `0 0 ${width} ${height}`, height });
  const last = Math.max(data.commits.length - 1, 1);
  const x = (place) => LEFT + ((width - LEFT - RIGHT) * place) / last;
  const y = (value) => height - BELOW - ((height - ABOVE - BELOW) * (value - low)) / (high - low || 1);
  for (const value of ticks(low, high, unit).filter((each) => !isWhole || Number.isInteger(each))) {
    svg.append(element("line", { class: "rule", x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value) }));
    svg.append(element("text", { x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, show(value, unit)));
  }
  const fits = Math.max(Math.floor((width - LEFT - RIGHT) / 110), 1);
  const count = Math.min(fits, last);
  for (let k = 0; k <= count; k += 1) {
    const place = Math.round((k * last) / count);
    if (!data.commits[place] || (k < count && data.commits[place][1] === data.commits[last]?.[1])) continue;
    const anchor = k === 0 ? "start" : k === count ? "end" : "middle";
    svg.append(element("text", { x: x(place), y: height - 3, "text-anchor": anchor }, data.commits[place][1]));
  }
  return { svg, x, y };
}

function marks({ svg, x }, changes, height) {
  let free = -Infinity;
  for (const [place, , verdict] of changes) {
    svg.append(element("line", { class: `mark ${verdict}`, x1: x(place), x2: x(place), y1: ABOVE - 4, y2: height - BELOW }));
    const at = Math.min(Math.max(x(place), LEFT + 26), x(Math.max(data.commits.length - 1, 1)) - 26);
    if (at - free < 58) continue; // no room: the reading has it
    svg.append(element("text", { class: verdict, x: at, y: 9, "text-anchor": "middle" }, data.commits[place][0].slice(0, 7)));
    free = at;
  }
}

// Moves a line along with the pointer, and reads the commit that is nearest.
function follow({ svg, x }, at, height, read) {
  const cursor = element("line", { class: "cursor", y1: ABOVE - 4, y2: height - BELOW });
  svg.append(cursor);
  const move = (event) => {
    const box = svg.getBoundingClientRect();
    const where = ((event.clientX - box.left) * svg.viewBox.baseVal.width) / box.width;
    const k = at.reduce((best, place, each) => (Math.abs(x(place) - where) < Math.abs(x(at[best]) - where) ? each : best), 0);
    for (const side of ["x1", "x2"]) cursor.setAttribute(side, x(at[k]));
    cursor.style.visibility = "visible";
    read(k);
  };
  svg.addEventListener("pointermove", move);
  svg.addEventListener("pointerdown", move);
}

function drawTimes(series, at, width, read) {
  const height = 200;
  const timed = at.map((place, k) => k).filter((k) => series.median[k] !== null);
  const lows = timed.map((k) => series.median[k] * (1 - series.below[k] / 1000));
  const highs = timed.map((k) => series.median[k] * (1 + series.above[k] / 1000));
  // Lone extremes are cut off at the edge, and so are bands far beyond the medians: they would flatten all others.
  const medians = timed.map((k) => series.median[k]).sort((a, b) => a - b);
  const rank = (share) => medians[Math.round(share * (medians.length - 1))];
  const levels = series.levels.map(([, level]) => level);
  const [bottom, top] = [Math.min(rank(0.02), ...levels), Math.max(rank(0.98), ...levels)];
  const range = Math.max(top - bottom, top * 0.02);
  const low = Math.max(Math.min(...lows, medians[0]), bottom - range / 2);
  const high = Math.min(Math.max(...highs, medians[medians.length - 1]), top + range / 2);
  const margin = (high - low) * 0.06 || Math.abs(high) * 0.05 || 1;
  const chart = frame(width, height, low - margin, high + margin, series.unit, false);
  const { svg, x, y } = chart;
  const inside = (value) => y(Math.min(Math.max(value, low - margin), high + margin));
  const upper = timed.map((k, j) => `${x(at[k])},${inside(highs[j])}`);
  const lower = timed.map((k, j) => `${x(at[k])},${inside(lows[j])}`).reverse();
  svg.append(element("polygon", { class: "band", points: [...upper, ...lower].join(" ") }));
  svg.append(element("polyline", { class: "line", points: timed.map((k) => `${x(at[k])},${inside(series.median[k])}`).join(" ") }));
  if (timed.length <= 100) {
    for (const k of timed) svg.append(element("circle", { class: "dot", cx: x(at[k]), cy: inside(series.median[k]), r: 2.2 }));
  }
  series.levels.forEach(([start, level], k) => {
    const end = series.levels[k + 1]?.[0] ?? timed[timed.length - 1] + 1;
    const last = at[timed.filter((each) => each < end).pop()];
    svg.append(element("line", { class: "level", x1: x(at[start]), x2: x(last), y1: y(level), y2: y(level) }));
  });
  const own = ["status", series.unit === "s" ? "time" : series.unit === "B" ? "memory" : "value"];
  marks(chart, series.changes.filter(([, what]) => own.includes(what)), height);
  follow(chart, at, height, read);
  return svg;
}

function drawSteps(quantity, series, at, width, read) {
  const height = 110;
  const values = valuesOf(quantity, at.length);
  const known = values.filter((value) => value !== null);
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const margin = (high - low) * 0.12 || 1;
  const chart = frame(width, height, low - margin, high + margin, quantity.unit, known.every(Number.isInteger));
  const { svg, x, y } = chart;
  let path = "";
  values.forEach((value, k) => {
    if (value === null) return;
    const isFirst = k === 0 || values[k - 1] === null;
    path += isFirst ? `M${x(at[k])},${y(value)}` : `H${x(at[k])}V${y(value)}`;
  });
  svg.append(element("path", { class: "line", d: path }));
  marks(chart, series.changes.filter(([, what]) => what === quantity.name), height);
  follow(chart, at, height, read);
  return svg;
}

// What is known of the measurement at a place, with its commit.
function reading(series, at, k, output) {
  const [hash, date, subject] = data.commits[at[k]];
  const parts = [];
  const status = filled(series.status, at.length)[k];
  if (series.median[k] !== null) {
    const [low, high] = [series.median[k] * (1 - series.below[k] / 1000), series.median[k] * (1 + series.above[k] / 1000)];
    const samples = filled(series.samples, at.length)[k];
    parts.push(`${show(series.median[k], series.unit)} (${show(low, series.unit)} – ${show(high, series.unit)}, ${samples} samples)`);
  }
  if (status !== "ok") parts.push(status);
  for (const quantity of series.quantities) {
    const value = valuesOf(quantity, at.length)[k];
    if (value !== null) parts.push(`${quantity.name} ${show(value, quantity.unit)}`);
  }
  const name = document.createElement(data.url ? "a" : "code");
  name.textContent = hash;
  if (data.url) name.href = data.url + hash;
  output.replaceChildren(name, ` ${date} ${subject}: ${parts.join(", ")}`);
}

function draw(cell) {
  const series = data.series[cell.id.slice(5)];
  const at = data.places[series.at];
  const charts = cell.querySelector(".charts");
  const width = Math.max(charts.clientWidth, 280);
  const output = document.createElement("output");
  output.className = "reading";
  const read = (k) => reading(series, at, k, output);
  const parts = [];
  if (series.median.some((value) => value !== null)) parts.push(drawTimes(series, at, width, read));
  for (const quantity of series.quantities) {
    if (new Set(valuesOf(quantity, at.length)).size === 1) continue; // the latest value is above
    const title = document.createElement("h4");
    title.textContent = quantity.name;
    parts.push(title, drawSteps(quantity, series, at, width, read));
  }
  charts.replaceChildren(...parts, output);
  read(at.length - 1);
}

// Charts have the width of the page: a new width draws the open ones again.
let drawnWidth = innerWidth;
addEventListener("resize", () => {
  if (innerWidth === drawnWidth) return;
  drawnWidth = innerWidth;
  for (const cell of cells) if (cell.open) draw(cell);
});
for (const cell of cells) cell.addEventListener("toggle", () => cell.open && draw(cell));

form.addEventListener("input", () => { filter(); sort(); remember(); });
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", () => setTimeout(() => { filter(); sort(); remember(); }));
addEventListener("hashchange", restore);
restore();
