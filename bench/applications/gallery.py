"""What the gallery draws: each application, a family that can draw its answers or a study.

The pictures and their page are made by `lapmark.reports.page.gallery_page`.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from lapmark.bench.problems import Case, families
from lapmark.bench.problems.application import Application, Settings
from lapmark.bench.util import spec
from lapmark.solvers import registry

from .studies import studies


def applications() -> dict[str, Application]:
    """The families that have pictures, and the studies, by name."""
    return dict(sorted({**{name: family for name, family in families().items() if family.draw}, **studies()}.items()))


def get(name: str) -> Application:
    """The application of that name; a ValueError with the nearest names where there is none."""
    known = applications()
    if name in known:
        return known[name]
    if name in families():
        raise ValueError(f"{name} has no pictures; those that have: {', '.join(known)}")
    raise registry.unknown("application", name, known)


def cases(specs: Sequence[str] = (), n: int | None = None) -> list[Case]:
    """The cases to draw.

    Parameters
    ----------
    specs : sequence of str
        Names of applications; none for all. One without settings stands for its exhibits. Settings are laid over the
        first variant at the smallest size; `n` and `seed` may stand among them.
    n : int, optional
        Size, a setting of each that does not say its own.

    Raises
    ------
    ValueError
        For a name or a setting that does not exist, and for a family without pictures.
    """
    return [case for text in specs or applications() for case in _cases(text, n)]


def command(case: Case) -> str:
    """What to type to have the case drawn."""
    given = {**case.params, **({"seed": case.seed} if case.seed else {})}
    return f"lapmark gallery {shlex.quote(spec.show(case.problem, given))} -n {case.n}"


def _cases(text: str, n: int | None) -> list[Case]:
    name, given = spec.parse(text)
    application = get(name)
    told = given if n is None else {"n": n, **given}
    return [_case(text, application, settings) for settings in ([told] if told else application.shown)]


def _case(text: str, application: Application, settings: Settings) -> Case:
    params = {**application.variants[0], **settings}
    n, seed = params.pop("n", application.sizes[0]), params.pop("seed", 0)
    if not isinstance(seed, int) or not isinstance(n, int):
        raise ValueError(f"{text}: n and seed are whole numbers")
    spec.check(text, application.function, application.positional, params)
    return Case(application.name, n, seed, params)
