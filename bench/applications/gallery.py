"""The applications of the gallery, and the cases that it draws of each by default.

The pictures and their page are made by `lapmark.reports`.
"""

import inspect
import math
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lapmark.bench.data import datasets
from lapmark.bench.problems import Case, families
from lapmark.bench.problems.applied.square_grid import DIGITS
from lapmark.bench.problems.family import Settings
from lapmark.bench.util import spec
from lapmark.solvers import registry

from .lle.study import study

#: Cases that the gallery draws, by the data set that they need, the preferred one first: settings, n among them, which
#: replace those of the first variant. Without any: the first variant at the smallest size.
Exhibits = Mapping[str, tuple[Settings, ...]]


@dataclass(frozen=True, kw_only=True)
class Application:
    """Something that the gallery draws: the answer to a problem of a family, or a study of data.

    Attributes
    ----------
    build : callable
        `build(n, seed, **settings)`: the problem, or the study.
    source : str
        The publication that it comes from.
    sizes : tuple of int
        Default values of n, in ascending order.
    variants : tuple of mappings
        Default sets of settings.
    """

    name: str
    build: Callable[..., Any]
    source: str
    sizes: tuple[int, ...]
    variants: tuple[Settings, ...] = ({},)
    exhibits: Exhibits = field(default_factory=dict)

    @property
    def about(self) -> str:
        """The first paragraph of the docstring of its module."""
        return (inspect.getdoc(inspect.getmodule(self.build)) or "").split("\n\n")[0]

    @property
    def shown(self) -> tuple[Settings, ...]:
        """The exhibits of the first data set that is on this machine."""
        return next((cases for data, cases in self.exhibits.items() if datasets.has(data)), ({},))


#: The families whose answers the gallery draws, with their exhibits.
FAMILIES: dict[str, Exhibits] = {
    "gmm-flow": {},
    "images-emd": {"mnist": ({"n": 784, "source": "mnist"},)},
    "label-transfer": {},
    "lle-grid": {
        "mnist": ({"n": 2500, "source": "mnist"},),
        "digits": ({"n": math.isqrt(DIGITS) ** 2, "source": "digits"},),
    },
    "masses": {},
    "tsne-grid": {
        "mnist": tuple({"n": n, "source": "mnist-reference"} for n in (2500, 10_000)),
        "digits": ({"n": math.isqrt(DIGITS) ** 2, "source": "digits"},),
    },
    "words": {},
}

#: The applications in the order in which the gallery shows them; others follow.
ORDER = "tsne-grid", "lle-grid", "images-emd", "words", "label-transfer", "gmm-flow", "masses", "lle"

#: Studies of data, in which there is no problem to solve.
STUDIES: dict[str, Application] = {
    "lle": Application(
        name="lle",
        build=study,
        source="S. Roweis, L. Saul, Science 290 (2000) 2323–2326; beside scikit-learn’s LocallyLinearEmbedding",
        sizes=(1500,),
        exhibits={"mnist": ({"n": 5000, "source": "mnist"},)},
    )
}


def applications() -> dict[str, Application]:
    """Return all applications by name."""
    found = dict(STUDIES)
    for name, exhibits in FAMILIES.items():
        one = families()[name]
        known: dict[str, Any] = {key: getattr(one, key) for key in ("name", "build", "source", "sizes", "variants")}
        found[name] = Application(**known, exhibits=exhibits)
    return dict(sorted(found.items()))


def get(name: str) -> Application:
    """Return the application of a name; a ValueError suggests similar names if there is none."""
    known = applications()
    if name in known:
        return known[name]
    if name in families():
        raise ValueError(f"{name} has no pictures; those that have: {', '.join(known)}")
    raise registry.unknown("application", name, known)


def cases(specs: Sequence[str] = (), n: int | None = None) -> list[Case]:
    """Return the cases to draw.

    Parameters
    ----------
    specs : sequence of str
        Names of applications; none for all. A name without settings stands for its exhibits. Settings, `n` and `seed`
        among them, replace those of the first variant at the smallest size.
    n : int, optional
        Size of the cases whose spec gives none.

    Raises
    ------
    ValueError
        A name or a setting does not exist, or a family has no pictures.
    """
    return [case for text in specs or applications() for case in _cases(text, n)]


def command(case: Case) -> str:
    """Return the command that draws a case."""
    given = {**case.params, **({"seed": case.seed} if case.seed else {})}
    return f"lapmark gallery {shlex.quote(spec.show(case.problem, given))} -n {case.n}"


def _cases(text: str, n: int | None) -> list[Case]:
    name, given = spec.parse(text)
    application = get(name)
    chosen = given if n is None else {"n": n, **given}
    return [_case(text, application, settings) for settings in ([chosen] if chosen else application.shown)]


def _case(text: str, application: Application, settings: Settings) -> Case:
    params = {**application.variants[0], **settings}
    n, seed = params.pop("n", application.sizes[0]), params.pop("seed", 0)
    if not isinstance(seed, int) or not isinstance(n, int):
        raise ValueError(f"{text}: n and seed are whole numbers")
    spec.check(text, application.build, 2, params)
    return Case(application.name, n, seed, params)
