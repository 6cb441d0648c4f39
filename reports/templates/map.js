"use strict";
// Zoom, moving about, and the name of what is pointed at; without it the page shows the picture as a whole.

const picture = document.getElementById("picture");
const canvas = document.getElementById("map");
const told = document.getElementById("told");
const data = JSON.parse(document.getElementById("data").textContent);
const [rows, columns] = data.shape;
const width = columns * data.side;
const height = rows * data.side;
const thingAt = new Int32Array(rows * columns).fill(-1);
data.nodes.forEach((node, thing) => { thingAt[node] = thing; });

const context = canvas.getContext("2d", { alpha: false });

// Where the picture's corner is in the window, and how many of the window's pixels one of its own takes.
const view = { x: 0, y: 0, scale: 1 };
let whole = true;
let pointed = -1;
let label = -1;
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
  const most = Math.max(least, (0.8 * Math.min(canvas.clientWidth, canvas.clientHeight)) / data.side);
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
  context.clearRect(0, 0, across, down);
  const scale = view.scale * ratio;
  context.setTransform(scale, 0, 0, scale, view.x * ratio, view.y * ratio);
  context.imageSmoothingEnabled = scale < 1;
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, 0, 0);
  if (label >= 0) {
    context.fillStyle = "rgb(0 0 0 / 82%)";
    data.nodes.forEach((node, thing) => { if (data.labels[thing] !== label) context.fillRect(...cell(node)); });
  }
  if (pointed >= 0) {
    context.strokeStyle = "#fff";
    context.lineWidth = 2 / view.scale;
    context.strokeRect(...cell(pointed));
  }
}

const cell = (node) => [(node % columns) * data.side, Math.floor(node / columns) * data.side, data.side, data.side];

// Say what is at a point of the window.
function point(x, y) {
  const column = Math.floor((x - view.x) / view.scale / data.side);
  const row = Math.floor((y - view.y) / view.scale / data.side);
  const inside = row >= 0 && row < rows && column >= 0 && column < columns;
  const thing = inside ? thingAt[row * columns + column] : -1;
  pointed = thing < 0 ? -1 : row * columns + column;
  const known = [data.names[thing], data.classes[data.labels[thing]], `row ${row}, column ${column}`];
  told.textContent = thing < 0 ? "" : known.filter(Boolean).join(" · ");
  settle();
}

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
  if (!moved) point(event.offsetX, event.offsetY);
});
for (const end of ["pointerup", "pointercancel"]) {
  canvas.addEventListener(end, (event) => pointers.delete(event.pointerId));
}
canvas.addEventListener("pointerleave", (event) => {
  if (event.pointerType === "mouse") point(-1e9, -1e9); // a finger leaves whenever it is lifted
});
canvas.addEventListener("dblclick", (event) => zoom(2, event.offsetX, event.offsetY));

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
  if (event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
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

picture.decode().then(() => {
  for (const each of [canvas, document.getElementById("tools")]) each.hidden = false;
  picture.hidden = true;
  told.textContent = "";
  new ResizeObserver(() => (whole ? fit() : zoom(1))).observe(canvas);
});
