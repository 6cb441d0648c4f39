"use strict";
// Zoom, moving about, and the name of what is pointed at; without it the page shows the picture as a whole.

const picture = document.getElementById("picture");
const canvas = document.getElementById("map");
const told = document.getElementById("told");
const data = JSON.parse(document.getElementById("data").textContent);
const search = document.getElementById("search");
const [rows, columns] = data.shape;
const [width, height] = data.size;
const thingAt = new Int32Array(rows * columns).fill(-1);
data.nodes.forEach((node, thing) => { thingAt[node] = thing; });

// The part of a picture that a cell takes, by the same rule as it was drawn.
const [cellWidth, cellHeight] = [0, 1].map((axis) => Math.max(...data.polygon.map((corner) => corner[axis])));
const corner = (row, column) => [
  Math.round(data.gap + (column + data.moved * (row % 2)) * data.pitch), Math.round(data.gap + row * data.step)];

const context = canvas.getContext("2d", { alpha: false });

// Where the picture's corner is in the window, and how many of the window's pixels one of its own takes.
const view = { x: 0, y: 0, scale: 1 };
let whole = true;
let pointed = -1;
let label = -1;
let found = null; // by a search: which things are shown, and which of them is next
let waiting = false;

const fitting = () => Math.min(canvas.clientWidth / width, canvas.clientHeight / height);
const within = (value, low, high) => Math.min(Math.max(value, low), high);

// A side shorter than the window stays in its middle, a longer one covers it.
function settle() {
  for (const [axis, room, size] of [["x", canvas.clientWidth, width], ["y", canvas.clientHeight, height]]) {
    const spare = room - size * view.scale;
    view[axis] = spare > 0 ? spare / 2 : within(view[axis], spare, 0);
  }
  if (!waiting) requestAnimationFrame(draw);
  waiting = true;
}

function fit() {
  view.scale = fitting();
  whole = true;
  settle();
}

// By a factor, while the point (x, y) of the window stays where it is; until a cell fills most of the window.
function zoom(factor, x = canvas.clientWidth / 2, y = canvas.clientHeight / 2) {
  const least = fitting();
  const most = Math.max(least, (0.8 * Math.min(canvas.clientWidth, canvas.clientHeight)) / cellWidth);
  const scale = within(view.scale * factor, least, most);
  view.x = x - ((x - view.x) * scale) / view.scale;
  view.y = y - ((y - view.y) * scale) / view.scale;
  view.scale = scale;
  whole = scale === least;
  settle();
}

function move(x, y) {
  view.x += x;
  view.y += y;
  settle();
}

function draw() {
  waiting = false;
  const ratio = devicePixelRatio;
  const [across, down] = [Math.round(canvas.clientWidth * ratio), Math.round(canvas.clientHeight * ratio)];
  if (canvas.width !== across || canvas.height !== down) [canvas.width, canvas.height] = [across, down];
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.fillStyle = data.background;
  context.fillRect(0, 0, across, down);
  const scale = view.scale * ratio;
  context.setTransform(scale, 0, 0, scale, view.x * ratio, view.y * ratio);
  context.imageSmoothingEnabled = scale < 1;
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, 0, 0);
  if (label >= 0 || found) {
    context.fillStyle = "rgb(0 0 0 / 82%)";
    context.beginPath();
    data.nodes.forEach((node, thing) => { if (!isShown(thing)) outline(node); });
    context.fill();
  }
  if (pointed >= 0) {
    context.strokeStyle = "#fff";
    context.lineWidth = 2 / view.scale;
    context.beginPath();
    outline(pointed);
    context.stroke();
  }
}

const isShown = (thing) => (label < 0 || data.labels[thing] === label) && (!found || found.is[thing]);

// Add the outline of a node's cell to the path.
function outline(node) {
  const [left, top] = corner(Math.floor(node / columns), node % columns);
  data.polygon.forEach(([x, y], k) => (k ? context.lineTo(left + x, top + y) : context.moveTo(left + x, top + y)));
  context.closePath();
}

// The node whose cell is nearest to a point of the picture, -1 outside.
function nodeAt(x, y) {
  if (x < 0 || y < 0 || x >= width || y >= height) return -1;
  let [best, least] = [-1, Infinity];
  const near = Math.floor((y - data.gap) / data.step);
  for (let row = Math.max(near - 1, 0); row <= Math.min(near + 1, rows - 1); row++) {
    const across = Math.floor((x - data.gap) / data.pitch - data.moved * (row % 2));
    const column = within(across, 0, columns - 1);
    const [left, top] = corner(row, column);
    const far = Math.hypot(x - left - cellWidth / 2, y - top - cellHeight / 2);
    if (far < least) [best, least] = [row * columns + column, far];
  }
  return best;
}

// Say what is at a point of the window.
function point(x, y) {
  const node = nodeAt((x - view.x) / view.scale, (y - view.y) / view.scale);
  const thing = node < 0 ? -1 : thingAt[node];
  pointed = thing < 0 ? -1 : node;
  tell(thing);
  settle();
}

// Name a thing, with a link to its original.
function tell(thing) {
  if (thing < 0) {
    told.textContent = "";
    return;
  }
  const node = data.nodes[thing];
  const place = `row ${Math.floor(node / columns)}, column ${node % columns}`;
  told.textContent = [data.names[thing], data.classes[data.labels[thing]], place].filter(Boolean).join(" · ");
  if (!data.links) return;
  const link = document.createElement("a");
  [link.href, link.textContent, link.target, link.rel] = [data.links[thing], "original", "_blank", "noopener"];
  told.append(link);
}

function openOriginal(node) {
  if (data.links && node >= 0 && thingAt[node] >= 0) window.open(data.links[thingAt[node]], "_blank", "noopener");
}

// Show a node in the middle, near enough to see it.
function go(node) {
  const [left, top] = corner(Math.floor(node / columns), node % columns);
  const near = Math.min(canvas.clientWidth, canvas.clientHeight) / (6 * cellWidth);
  zoom(Math.max(near, view.scale) / view.scale);
  view.x = canvas.clientWidth / 2 - (left + cellWidth / 2) * view.scale;
  view.y = canvas.clientHeight / 2 - (top + cellHeight / 2) * view.scale;
  pointed = node;
  tell(thingAt[node]);
  settle();
}

search.addEventListener("input", () => {
  const text = search.value.trim().toLowerCase();
  const has = (thing) => `${data.names[thing]}\n${data.classes[data.labels[thing]] ?? ""}`.toLowerCase().includes(text);
  const is = text ? data.names.map((_, thing) => has(thing)) : [];
  found = text ? { is, all: is.flatMap((yes, thing) => (yes ? [thing] : [])), next: 0 } : null;
  pointed = -1;
  told.textContent = found ? `${found.all.length} of ${data.names.length} found` : "";
  settle();
});

search.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !found || !found.all.length) return;
  go(data.nodes[found.all[found.next]]);
  found.next = (found.next + 1) % found.all.length;
});

// One pointer moves the picture, two also zoom it; one that has not moved has pointed at something.
const pointers = new Map();
let moved = false;

canvas.addEventListener("pointerdown", (event) => {
  canvas.setPointerCapture(event.pointerId);
  pointers.set(event.pointerId, event);
  moved = pointers.size > 1;
});

canvas.addEventListener("pointermove", (event) => {
  const before = pointers.get(event.pointerId);
  if (!before) {
    point(event.offsetX, event.offsetY);
    return;
  }
  const other = [...pointers.values()].find((each) => each.pointerId !== event.pointerId);
  const [x, y] = [event.offsetX - before.offsetX, event.offsetY - before.offsetY];
  if (Math.hypot(x, y) < 3 && !moved) return; // a hand is never quite still
  moved = true;
  pointers.set(event.pointerId, event);
  if (!other) {
    move(x, y);
    return;
  }
  const apart = (one) => Math.hypot(one.offsetX - other.offsetX, one.offsetY - other.offsetY);
  move(x / 2, y / 2);
  zoom(apart(event) / Math.max(apart(before), 1), (event.offsetX + other.offsetX) / 2, (event.offsetY + other.offsetY) / 2);
});

canvas.addEventListener("pointerup", (event) => {
  if (moved) return;
  point(event.offsetX, event.offsetY);
  if (event.pointerType === "mouse" && event.button === 0) openOriginal(pointed);
});
for (const end of ["pointerup", "pointercancel"]) {
  canvas.addEventListener(end, (event) => pointers.delete(event.pointerId));
}
canvas.addEventListener("pointerleave", (event) => {
  if (event.pointerType === "mouse") point(-1e9, -1e9); // a finger leaves whenever it is lifted
});
canvas.addEventListener("dblclick", (event) => { if (!data.links) zoom(2, event.offsetX, event.offsetY); });

canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  // A wheel tells lines or pixels; a pinch on a touchpad comes as a wheel with Ctrl, in finer steps.
  const step = event.deltaY * (event.deltaMode === 1 ? 30 : 1) * (event.ctrlKey ? 0.01 : 0.002);
  zoom(Math.exp(-within(step, -1, 1)), event.offsetX, event.offsetY);
}, { passive: false });

const keys = {
  "+": () => zoom(1.5), "=": () => zoom(1.5), "-": () => zoom(1 / 1.5), 0: fit,
  ArrowLeft: () => move(80, 0), ArrowRight: () => move(-80, 0), ArrowUp: () => move(0, 80), ArrowDown: () => move(0, -80),
};
addEventListener("keydown", (event) => {
  if (event.target === search || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Enter" && event.target === canvas) openOriginal(pointed);
  if (!keys[event.key]) return;
  event.preventDefault();
  keys[event.key]();
  if (document.activeElement === canvas) point(canvas.clientWidth / 2, canvas.clientHeight / 2);
});

for (const button of document.querySelectorAll("[data-zoom]")) {
  button.addEventListener("click", () => (button.dataset.zoom === "0" ? fit() : zoom(Number(button.dataset.zoom))));
}

const legend = [...document.querySelectorAll("[data-class]")];
for (const button of legend) {
  button.addEventListener("click", () => {
    label = label === Number(button.dataset.class) ? -1 : Number(button.dataset.class);
    for (const each of legend) each.setAttribute("aria-pressed", Number(each.dataset.class) === label);
    settle();
  });
}

document.querySelector("main").style.background = data.background;
picture.decode().then(() => {
  for (const each of [canvas, search, document.getElementById("tools")]) each.hidden = false;
  picture.hidden = true;
  told.textContent = "";
  new ResizeObserver(() => (whole ? fit() : zoom(1))).observe(canvas);
});
