"""Facts about a solver, a family, an environment and a named configuration: values for JSON and tables.

docs/run.md describes the fields.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable
from typing import Any

from lapmark.bench.environments import available_solvers, virtual_environments
from lapmark.bench.environments.available_solvers import AvailableSolver
from lapmark.bench.environments.virtual_environments import Environment
from lapmark.bench.problems import Family
from lapmark.bench.run import configuration, configurations
from lapmark.bench.run.cells import plan
from lapmark.bench.util import spec
from lapmark.solvers import plugins, registry

Facts = dict[str, Any]


def solver_facts(solver: AvailableSolver) -> Facts:
    """Return the facts about a solver."""
    able, function = solver.capabilities, solver.solver.function
    names = ("exact", "rectangular", "forbidden", "limit", "partial", "duals", "threads", "time_limit")
    return {
        "name": solver.name,
        "missing": solver.missing,
        "versions": dict(solver.versions),
        "environment": solver.environment.name if solver.environment else None,
        "plugin": solver.plugin,
        "problem": able.problem,
        "costs": sorted(able.costs),
        "dtypes": sorted(able.dtypes),
        **{name: getattr(able, name) for name in names},
        "method": able.family,
        "source": able.source,
        "counters": sorted(able.counters),
        "curve": {option: list(values) for option, values in able.curve.items()},
        "settings": _settings(function, 1),
        "about": _summary(function.__doc__),
    }


def family_facts(family: Family) -> Facts:
    """Return the facts about a family of problems."""
    module = sys.modules.get(family.build.__module__)
    about = [_summary(text) for text in (module.__doc__ if module else None, family.build.__doc__)]
    return {
        "name": family.name,
        "plugin": family.origin.plugin,
        "problem": family.kind.__name__.lower(),
        "sizes": list(family.sizes),
        "cases": [spec.show(family.name, variant) for variant in family.variants],
        "settings": _settings(family.build, 2),
        "source": family.source,
        "easier": family.easier,
        "about": "\n\n".join(text for text in about if text not in ("", "Build the problem.")),
    }


def environment_facts(environment: Environment) -> Facts:
    """Return the facts about an environment; `fault` says why it cannot be used."""
    fault = None
    added = []
    try:
        found = virtual_environments.inventory(environment, plugins.loaded())
        able = [name for name, item in found.items.items() if item.missing is None]
        added = [name for name in able if available_solvers.get(name).environment == environment]
        fault = "\n".join(found.warnings) or None
    except virtual_environments.Unusable as error:
        fault = str(error)
    return {
        "name": environment.name,
        "requirements": list(environment.requirements),
        "packages": environment.packages,
        "solvers": added,
        "python": str(environment.python),
        "fault": fault,
    }


def suite_facts(name: str) -> Facts:
    """Return the facts about a named configuration; a ValueError with the nearest name if there is none."""
    if name not in configurations.names():
        raise registry.unknown("suite", name, configurations.names())
    given = configuration.load(name)
    cells = plan(given.solvers, given.sized(given.problems), threads=given.threads or (1,))
    return {
        "name": name,
        "description": given.description,
        "cells": len(cells),
        "solvers": list(given.solvers),
        "problems": list(given.problems),
        "n": list(given.n),
        "file": str(configurations.FOLDER / f"{name}.toml"),
    }


def _summary(docstring: str | None) -> str:
    """Return the paragraphs of a docstring before its first section, such as “Parameters”."""
    return re.split(r"^[^\n]+\n-{3,} *$", inspect.cleandoc(docstring or ""), maxsplit=1, flags=re.MULTILINE)[0].strip()


def _descriptions(docstring: str | None) -> dict[str, str]:
    """Return the descriptions in the section “Parameters” of a docstring by name."""
    found: dict[str, str] = {}
    names: list[str] = []
    in_section = False
    lines = inspect.cleandoc(docstring or "").split("\n")
    for line, after in zip(lines, [*lines[1:], ""], strict=True):
        if after.startswith("---"):
            in_section, names = line == "Parameters", []
        elif in_section and line and not line[0].isspace() and not line.startswith("---"):
            names = [name.strip() for name in line.partition(" : ")[0].split(",")]
        elif in_section and line.strip():
            found.update({name: f"{found.get(name, '')} {line.strip()}".strip() for name in names})
    return found


def _settings(function: Callable[..., Any], positional: int) -> list[Facts]:
    """Return the settings of a function: name, default, what each may be, and what its docstring says about it."""
    about = _descriptions(function.__doc__)
    return [
        {
            "name": parameter.name,
            "default": None if parameter.default is parameter.empty else parameter.default,
            "allowed": spec.allowed(function, parameter.name),
            "about": about.get(parameter.name, ""),
        }
        for parameter in spec.parameters_of(function, positional)
        if parameter.kind is not parameter.VAR_KEYWORD
    ]
