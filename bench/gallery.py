"""What the gallery draws: each application, a family that can draw its answers, at its smallest size.

The pictures and their page are made by `reports.gallery`.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from solvers import registry

from . import spec
from .problems import Case, Family, families


def applications() -> dict[str, Family]:
    """The families that have pictures, by name."""
    return {name: family for name, family in families().items() if family.draw}


def cases(specs: Sequence[str] = (), n: int | None = None) -> list[Case]:
    """The cases to draw.

    Parameters
    ----------
    specs : sequence of str
        Names of applications, with settings if need be, which are laid over the first variant of a run; `n` and `seed`
        may stand among them. None for every application.
    n : int, optional
        Size, in place of the smallest of a run.

    Raises
    ------
    ValueError
        For a name or a setting that does not exist, and for a family without pictures.
    """
    return [_case(text, n) for text in specs or applications()]


def command(case: Case) -> str:
    """What to type to have the case drawn."""
    given = {**case.params, **({"seed": case.seed} if case.seed else {})}
    return f"lapmark gallery {shlex.quote(spec.show(case.problem, given))} -n {case.n}"


def _case(text: str, n: int | None) -> Case:
    name, given = spec.parse(text)
    if name not in applications():
        if name in families():
            raise ValueError(f"{name} has no pictures; those that have: {', '.join(applications())}")
        raise registry.unknown("application", name, applications())
    family = applications()[name]
    size, seed = given.pop("n", family.sizes[0] if n is None else n), given.pop("seed", 0)
    if not isinstance(seed, int) or not isinstance(size, int):
        raise ValueError(f"{text}: n and seed are whole numbers")
    spec.check(text, family.build, 2, given)
    return Case(name, size, seed, {**family.variants[0], **given})
