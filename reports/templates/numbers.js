"use strict";
// Numbers as text, in the units of charts and of records.

const TIMES = [[1e-3, 1e6, "µs"], [1, 1e3, "ms"], [120, 1, "s"], [Infinity, 1 / 60, "min"]];

function show(value, unit) {
  if (value === null || value === undefined) return "none";
  if (unit === "s") {
    const [, factor, name] = TIMES.find(([limit]) => value < limit);
    return `${digits(value * factor, 3)} ${name}`;
  }
  if (unit === "B") {
    let [count, name] = [value, "B"];
    for (const next of ["KiB", "MiB", "GiB"]) if (Math.abs(count) >= 1000) [count, name] = [count / 1024, next];
    return `${digits(count, 3)} ${name}`;
  }
  if (unit === "×") return `${value >= 9.95 ? Math.round(value).toLocaleString("en") : digits(value, 2)}×`;
  if (unit === "share") return `${Math.round(100 * value)} %`;
  if (unit === "error") return `${digits(100 * value, 2)} %`;
  const text = Number.isInteger(value) ? value.toLocaleString("en") : digits(value, 4);
  return unit && !["count", "exponent"].includes(unit) ? `${text} ${unit}` : text;
}

function digits(value, count) {
  return Number(value.toPrecision(count)).toString();
}
