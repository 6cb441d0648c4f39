"""Assignment problems of OR-Library: fixed instances with published optima, to test correctness rather than speed.

The files are not included; `lapmark.bench.data.datasets` says where they are searched.
"""

from lapmark.bench.data import datasets
from lapmark.bench.problems import check_only_instance, family
from lapmark.solvers import Assignment, DenseCost

#: The published cost of an optimal matching, by n.
OPTIMA = {100: 305, 500: 991, 600: 1176, 700: 1362}


@family(
    "orlib",
    source="J. E. Beasley, OR-Library: distributing test problems by electronic mail, "
    "Journal of the Operational Research Society 41 (1990) 1069–1072",
    sizes=tuple(OPTIMA),
)
def build(n: int, seed: int = 0) -> Assignment:
    """Build the problem, an int32 matrix with costs from 1 to 100."""
    check_only_instance(seed)
    if n not in OPTIMA:
        raise ValueError(f"n = {n}; OR-Library has n = {', '.join(map(str, OPTIMA))}")
    return Assignment(DenseCost(datasets.orlib(n)))
