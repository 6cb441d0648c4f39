"use strict";
// Filters, sorting and links into the page, which is complete without scripts.
//
// The state is kept in the fragment of the address, so that a link shows what its sender saw:
// #at=scaling&solver=jv&n=500&sort=-seconds, where "at" is an anchor in the page and "-" sorts in descending order.
// A fragment without "=" is an anchor.

const form = document.getElementById("filters");
const table = document.getElementById("cells");

if (form) {
  const rows = [...table.tBodies[0].rows];
  const filtered = [...document.querySelectorAll("main [data-solver], main [data-problem]")];
  const filters = [...form.elements].filter((each) => each.name);
  let place = "";

  // An element is hidden by what it tells of itself: a line of a chart's table may be of no case, and stays then.
  function filter() {
    const wanted = filters.filter((each) => each.value && each.name !== "text");
    const text = form.elements.text.value.trim().toLowerCase();
    for (const each of filtered) {
      each.hidden = wanted.some(({ name, value }) => name in each.dataset && each.dataset[name] !== value);
    }
    for (const row of rows) row.hidden ||= !row.textContent.toLowerCase().includes(text);
    const shown = rows.filter((row) => !row.hidden).length;
    form.querySelector("output").textContent = `${shown} of ${rows.length} rows`;
    form.classList.toggle("active", filters.some((each) => each.value));
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
    const sorted = table.querySelector("[aria-sort]");
    if (sorted) state.set("sort", (sorted.getAttribute("aria-sort") === "descending" ? "-" : "") + sorted.dataset.column);
    const plain = place && [...state].length === 1;
    history.replaceState(null, "", `#${plain ? place : state}`);
  }

  function restore() {
    const fragment = location.hash.slice(1);
    const state = new URLSearchParams(fragment.includes("=") ? fragment : { at: fragment });
    if (fragment.includes("=")) {
      for (const each of filters) each.value = state.get(each.name) ?? "";
      // A value that this page does not have leaves a list without a choice, which would show all and say nothing.
      for (const each of filters) if (each.selectedIndex === -1) each.value = "";
      const [, sign, column] = (state.get("sort") ?? "").match(/^(-?)(.*)$/);
      const heading = [...table.tHead.rows[0].cells].find((each) => each.dataset.column === column);
      if (heading) sort(heading, !sign);
      filter();
    }
    place = state.get("at") ?? (fragment ? "results" : "");
    const target = document.getElementById(place);
    if (target?.closest("details")) target.closest("details").open = true;
    target?.scrollIntoView({ behavior: "instant" });
    if (fragment && !fragment.includes("=")) remember();
  }

  form.addEventListener("input", () => { filter(); remember(); });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(() => { filter(); remember(); }));
  table.tHead.addEventListener("click", (event) => {
    const heading = event.target.closest("th");
    if (!heading) return;
    sort(heading, heading.getAttribute("aria-sort") !== "ascending");
    remember();
  });
  addEventListener("hashchange", restore);
  filter();
  restore();
}
