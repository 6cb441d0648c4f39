"""Assignment problems of OR-Library: fixed instances with published optima, to test correctness rather than speed.

Eight are dense, with n from 100 to 800, and four sparse, with n from 800 to 5 000 and about 100 000 allowed pairs. The
files are not included; `lapmark.bench.data.datasets` says where they are searched.
"""

from typing import Literal

from lapmark.bench.data import datasets
from lapmark.bench.problems import check_only_instance, family
from lapmark.solvers import Assignment

Cost = Literal["dense", "sparse"]

#: The published cost of an optimal matching, by the kind of cost and n: the file `assignopt.txt` of OR-Library.
OPTIMA = {
    "dense": {100: 305, 200: 475, 300: 626, 400: 804, 500: 991, 600: 1176, 700: 1362, 800: 1552},
    "sparse": {800: 2239, 1500: 5839, 3000: 18696, 5000: 48533},
}

#: Beginnings of the names of files.
FILES = {"dense": "assign", "sparse": "assignp"}


def sizes(cost: Cost = "dense") -> tuple[int, ...]:
    """Return the sizes of the files."""
    return tuple(OPTIMA[cost])


def optimum(n: int, seed: int, cost: Cost) -> int | None:
    """Return the published optimum, None for a size without a file."""
    return OPTIMA[cost].get(n)


@family(
    "orlib",
    source="J. E. Beasley, Linear programming on Cray supercomputers, Journal of the Operational Research Society 41 "
    "(1990) 133–139; OR-Library, the same journal, 1069–1072",
    sizes=tuple(OPTIMA["dense"]),
    sizes_of=sizes,
    variants=({}, {"cost": "sparse"}),
    optimum=optimum,
)
def build(n: int, seed: int = 0, cost: Cost = "dense") -> Assignment:
    """Build the problem, with int32 costs from 1 to 100.

    Parameters
    ----------
    cost : {"dense", "sparse"}
        The files `assign100` to `assign800`, or `assignp800` to `assignp5000`, where pairs that are not listed are
        forbidden.
    """
    check_only_instance(seed)
    if n not in OPTIMA[cost]:
        raise ValueError(f"n = {n}; OR-Library has n = {', '.join(map(str, OPTIMA[cost]))} with {cost} costs")
    return Assignment(datasets.orlib(f"{FILES[cost]}{n}"))
