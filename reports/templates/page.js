"use strict";
// Sorting and filtering of the table of all results; the page is complete without it.
const table = document.getElementById("cells");
const form = document.getElementById("filters");
const body = table.tBodies[0];
const rows = [...body.rows];

function filter() {
  const wanted = Object.fromEntries(new FormData(form));
  const text = wanted.text.trim().toLowerCase();
  delete wanted.text;
  let shown = 0;
  for (const row of rows) {
    const fits = Object.entries(wanted).every(([name, value]) => !value || row.dataset[name] === value);
    row.hidden = !(fits && row.textContent.toLowerCase().includes(text));
    shown += !row.hidden;
  }
  form.querySelector("output").textContent = `${shown} of ${rows.length} rows`;
}

// What is not known comes last in either direction.
function sort(heading) {
  const ascending = heading.getAttribute("aria-sort") !== "ascending";
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
  body.append(...rows);
}

form.addEventListener("input", filter);
form.addEventListener("submit", (event) => event.preventDefault());
table.tHead.addEventListener("click", (event) => {
  const heading = event.target.closest("th");
  if (heading) sort(heading);
});
filter();
