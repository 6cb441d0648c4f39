"""The catalogue for people: a table of everything, and a page with one solver, family, environment or suite in full."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text

from lapmark.bench.environments import inventory
from lapmark.bench.util.text_table import Column, FactPage, TextTable
from lapmark.solvers import plugins
from lapmark.solvers.native._kernels import INSTRUCTION_SETS

from .catalogue import Facts

#: Legend of the table of solvers.
_LEGEND = (
    "“lapmark solvers NAME” shows a solver in full. inf: forbidden pairs. limit: largest cost of a pair. "
    "partial: sums of masses may differ. time: keeps a time limit. @: its environment."
)

#: What a solver may take: the word of the table, and that of the page.
_TAKES = {
    "rectangular": ("n≠m", "n ≠ m"),
    "forbidden": ("inf", "forbidden pairs"),
    "limit": ("limit", "a limit on the cost of a pair"),
    "partial": ("partial", "transport of unequal sums"),
    "time_limit": ("time", "a time limit"),
    "threads": ("threads", "threads"),
}


def solver_table(solvers: Sequence[Facts]) -> TextTable:
    """Return the table of solvers."""
    columns = (
        Column("solver"),
        Column("costs", prose=True, rank=3),
        Column("takes", prose=True, rank=2),
        Column("duals", rank=4),
        Column("here", prose=True),
        Column("method", prose=True, rank=1),
    )
    rows = []
    for facts in solvers:
        takes = [word for field, (word, _) in _TAKES.items() if facts[field] and field != "threads"]
        takes += ["transport"] * (facts["problem"] != "assignment")
        rows.append(
            (
                facts["name"],
                ", ".join(facts["costs"]),
                ", ".join(takes),
                "yes" if facts["duals"] else "no",
                Text(_here(facts), "yellow" if facts["missing"] else "green"),
                facts["method"] if facts["exact"] else f"{facts['method']}, approximate",
            )
        )
    return TextTable(columns, rows, note=f"{_LEGEND} Lapmark’s kernels here: {INSTRUCTION_SETS[-1]}.")


def _here(facts: Facts) -> str:
    """Return why a solver is missing, or the versions of its own packages, and its environment after an @."""
    if facts["missing"]:
        return f"missing: {facts['missing']}"
    packages = [name for name in facts["versions"] if name not in inventory.own_versions()] or ["lapmark"]
    shown = ", ".join(f"{name} {facts['versions'][name]}" for name in packages)
    return f"{shown} @{facts['environment']}" if facts["environment"] else shown


def solver_page(facts: Facts) -> FactPage:
    """Return a solver in full."""
    takes = ["costs as " + ", ".join(facts["costs"]), *(words for field, (_, words) in _TAKES.items() if facts[field])]
    of_transport = "grid-histograms" if facts["costs"] == ["grid"] else "masses"
    family = of_transport if facts["problem"] == "transport" else "uniform"
    example = f"lapmark run{_plugin(facts)} -s {facts['name']} -p {family} -n 200"
    return FactPage(
        {
            "solver": facts["name"],
            "here": _here(facts),
            "plugin": facts["plugin"] or "",
            "method": facts["method"],
            "source": facts["source"],
            "solves": "assignment and transport" if facts["problem"] == "both" else facts["problem"],
            "answers": "claims the optimum" if facts["exact"] else "approximate",
            "takes": "; ".join(takes),
            "duals": "yes" if facts["duals"] else "no",
            "exact types": ", ".join(facts["dtypes"]),
            "counters": ", ".join(facts["counters"]) or "none",
            "run at": ", ".join(f"{option}={value:g}" for option, values in facts["curve"].items() for value in values),
            "options": _settings(facts["settings"]),
            "about": _paragraphs(facts["about"]),
            "example": "" if facts["missing"] else example,
        }
    )


def problem_table(families: Sequence[Facts]) -> TextTable:
    """Return the table of families of problems."""
    columns = (
        Column("problem"),
        Column("kind", rank=2),
        Column("sizes", prose=True),
        Column("settings", rank=3),
        Column("source", prose=True, rank=1),
        Column("default cases", rank=4),
    )
    rows = [
        (
            facts["name"],
            facts["problem"],
            ", ".join(map(str, facts["sizes"])),
            "\n".join(f"{setting['name']}={_value(setting['default'])}" for setting in facts["settings"]),
            facts["source"],
            "\n".join(facts["cases"]),
        )
        for facts in families
    ]
    return TextTable(columns, rows, note="“lapmark problems NAME” shows a family in full.")


def problem_page(facts: Facts) -> FactPage:
    """Return a family of problems in full."""
    return FactPage(
        {
            "problem": facts["name"],
            "plugin": facts["plugin"] or "",
            "kind": facts["problem"],
            "sizes": ", ".join(map(str, facts["sizes"])),
            "settings": _settings(facts["settings"]) or "none",
            "default cases": "\n".join(facts["cases"]),
            "easier": facts["easier"] or "",
            "source": facts["source"],
            "about": _paragraphs(facts["about"]),
            "example": f"lapmark run{_plugin(facts)} -p {facts['cases'][0]} -n {facts['sizes'][0]}",
        }
    )


def environment_page(facts: Facts) -> FactPage:
    """Return the details of an environment."""
    return FactPage(
        {
            "environment": facts["name"],
            "asked for": " ".join(facts["requirements"]),
            "packages": ", ".join(f"{package} {version}" for package, version in facts["packages"].items()),
            "solvers": ", ".join(facts["solvers"]) or f"no additional ones; any as NAME@{facts['name']}",
            "python": facts["python"],
            "fault": facts["fault"] or "",
        }
    )


def suite_table(suites: Sequence[Facts]) -> TextTable:
    """Return the table of named configurations."""
    columns = Column("suite"), Column("cells", right=True), Column("what it is for", prose=True)
    rows = [(facts["name"], f"{facts['cells']:,}", facts["description"]) for facts in suites]
    note = "“lapmark run --config NAME” runs one; “lapmark suites NAME” shows it in full."
    return TextTable(columns, rows, note=note)


def suite_page(facts: Facts) -> FactPage:
    """Return a named configuration in full."""
    return FactPage(
        {
            "suite": facts["name"],
            "for": facts["description"],
            "cells": f"{facts['cells']:,}",
            "solvers": ", ".join(facts["solvers"]) or "all",
            "problems": "\n".join(facts["problems"]),
            "n": ", ".join(map(str, facts["n"])) or "each problem's own",
            "file": facts["file"],
            "example": f"lapmark run --config {facts['name']}",
        }
    )


def _plugin(facts: Facts) -> str:
    """Return the option that loads the plugin of a solver or a family, empty for others."""
    return f" --plugin {shlex.quote(plugins.shown(facts['plugin']))}" if facts["plugin"] else ""


def _settings(settings: Sequence[Mapping[str, Any]]) -> str:
    """Return settings with their defaults, what each may be and what it is, one per line."""
    lines = []
    for setting in settings:
        line = f"{setting['name']}={_value(setting['default'])}"
        line += f" ({' or '.join(setting['allowed'])})" if setting["allowed"] else ""
        lines.append(f"{line}: {setting['about']}" if setting["about"] else line)
    return "\n".join(lines)


def _value(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _paragraphs(text: str) -> str:
    """Join the lines of each paragraph of a docstring, also of its indented ones."""
    lines: list[str] = []
    for line in text.split("\n"):
        before = lines[-1] if lines else ""
        goes_on = before.strip() and line.strip() and _indent(before) == _indent(line)
        if goes_on and not re.match(r"\s*(---|- )", line) and not before.startswith("---"):
            lines[-1] += " " + line.strip()
        else:
            lines.append(line)
    return "\n".join(lines)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
