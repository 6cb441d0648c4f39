"use strict";
// Filters, sorting and links into a page, which is complete without scripts.
//
// The state is kept in the fragment of the address, so that a link shows what its sender saw:
// #at=scaling&solver=jv&n=500&hide=scipy,lap&sort=-seconds, where "at" is an anchor in the page and "-" sorts in
// descending order. A fragment without "=" is an anchor.

const form = document.getElementById("filters");
const table = document.getElementById("cells");
const rows = table ? [...table.tBodies[0].rows] : [];
const filtered = [...document.querySelectorAll("main [data-solver], main [data-problem]")];
const filters = form ? [...form.elements].filter((each) => each.name) : [];
const hidden = new Set(); // solvers
let place = "";

const field = (name) => filters.find((each) => each.name === name);
const wish = (name) => field(name)?.value.trim() ?? "";

// An element is hidden by what it tells of itself: a line of a chart's table may be of no case, and stays then.
function filter() {
  const wanted = filters.filter((each) => each.value && each.name !== "text");
  const text = wish("text").toLowerCase();
  for (const each of filtered) {
    each.hidden = hidden.has(each.dataset.solver) || wanted.some(({ name, value }) => name in each.dataset && each.dataset[name] !== value);
  }
  for (const row of rows) row.hidden ||= !row.textContent.toLowerCase().includes(text);
  if (form) {
    const shown = rows.filter((row) => !row.hidden).length;
    form.querySelector("output").textContent = `${shown} of ${rows.length} rows`;
    form.classList.toggle("active", hidden.size > 0 || filters.some((each) => each.value));
  }
  if (typeof showCharts === "function") {
    showCharts({ solver: wish("solver"), problem: wish("problem"), n: wish("n"), text, hidden, linear: wish("scale") === "linear" });
  }
}

// What is not known comes last in either direction.
function sort(heading, ascending) {
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", ascending ? "ascending" : "descending");
  const number = heading.classList.contains("number");
  const value = (row) => {
    const cell = row.cells[heading.cellIndex];
    return number ? cell.dataset.value : cell.textContent.trim();
  };
  const sign = ascending ? 1 : -1;
  rows.sort((one, other) => {
    const [a, b] = [value(one), value(other)];
    if (a === "" || b === "") return (a === "") - (b === "");
    return sign * (number ? a - b : a.localeCompare(b, "en", { numeric: true }));
  });
  table.tBodies[0].append(...rows);
}

function remember() {
  const state = new URLSearchParams();
  if (place) state.set("at", place);
  for (const { name, value } of filters) if (value) state.set(name, value);
  if (hidden.size) state.set("hide", [...hidden].join(","));
  const sorted = table?.querySelector("[aria-sort]");
  if (sorted) state.set("sort", (sorted.getAttribute("aria-sort") === "descending" ? "-" : "") + sorted.dataset.column);
  const plain = place && [...state].length === 1;
  history.replaceState(null, "", [...state].length ? `#${plain ? place : state}` : location.pathname + location.search);
}

function restore() {
  const fragment = location.hash.slice(1);
  const state = new URLSearchParams(fragment.includes("=") ? fragment : { at: fragment });
  if (fragment.includes("=")) {
    for (const each of filters) each.value = state.get(each.name) ?? "";
    // A value that this page does not have leaves a list without a choice, which would show all and say nothing.
    for (const each of filters) if (each.selectedIndex === -1) each.value = "";
    hidden.clear();
    for (const name of (state.get("hide") ?? "").split(",")) if (name) hidden.add(name);
    const [, sign, column] = (state.get("sort") ?? "").match(/^(-?)(.*)$/);
    const heading = table && [...table.tHead.rows[0].cells].find((each) => each.dataset.column === column);
    if (heading) sort(heading, !sign);
    filter();
  }
  place = state.get("at") ?? (fragment && table ? "results" : "");
  const target = document.getElementById(place);
  if (target?.closest("details")) target.closest("details").open = true;
  target?.scrollIntoView({ behavior: "instant" });
  if (fragment && !fragment.includes("=")) remember();
}

form?.addEventListener("input", () => { filter(); remember(); });
form?.addEventListener("submit", (event) => event.preventDefault());
form?.addEventListener("reset", () => setTimeout(() => { hidden.clear(); filter(); remember(); }));
table?.tHead.addEventListener("click", (event) => {
  const heading = event.target.closest("th");
  if (!heading) return;
  sort(heading, heading.getAttribute("aria-sort") !== "ascending");
  remember();
});

// A legend hides a solver, or shows it alone.
document.addEventListener("choose", ({ detail: { kind, name, isSolver } }) => {
  const solver = field("solver");
  if (kind === "isolate" && isSolver && solver) {
    hidden.clear(); // the first click of the two has hidden it
    solver.value = solver.value === name ? "" : name;
  } else if (kind === "isolate") {
    const others = [...new Set([...document.querySelectorAll(".legend [data-key]")].map((each) => each.dataset.key))].filter((each) => each !== name);
    const isAlone = others.every((each) => hidden.has(each));
    hidden.clear();
    if (!isAlone) for (const each of others) hidden.add(each);
  } else if (!hidden.delete(name)) hidden.add(name);
  filter();
  remember();
});

addEventListener("hashchange", restore);
filter();
restore();

// A page that `lapmark serve` sends reloads itself when there is a newer report; the address keeps its state.
const version = document.documentElement.dataset.version;
if (version) {
  setInterval(async () => {
    const newest = await fetch("/version.json").then((answer) => answer.json()).catch(() => null);
    if (newest && String(newest.version) !== version) location.reload();
  }, 3000);
}
