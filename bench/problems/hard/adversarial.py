"""Small assignment problems on which well-known solvers answer wrongly, crash or do not return.

Each `input` is one way to break a solver. All are valid problems whose answer can be proven; for those without a
matching, the answer is a proof of infeasibility. Invalid costs, such as NaN, are rejected before any solver runs.
`adversarial-transport` has such inputs for transport.
"""

from typing import TYPE_CHECKING, Literal

import numpy as np

from lapmark.bench.problems import family
from lapmark.solvers import Assignment, DenseCost, PointCost, SparseCost
from lapmark.solvers.costs import Cost

from .adversarial_input import Input, Rng, forbidden_row, hall_violation, settings


def _uniform(rng: Rng, n: int, scale: float = 1, offset: float = 0) -> DenseCost:
    return DenseCost(scale * rng.random((n, n)) + offset)


def _twins(rng: Rng, n: int) -> DenseCost:
    columns = np.repeat(rng.random((n, 1 + n // 2)), 2, axis=1)[:, :n]
    return DenseCost(columns + 1e-14 * rng.integers(0, 3, (n, n)))


def _rank_one(rng: Rng, n: int) -> DenseCost:
    return DenseCost(np.outer(rng.random(n), rng.random(n)))


def _big_m(rng: Rng, n: int) -> DenseCost:
    return DenseCost(np.where(rng.random((n, n)) < 0.6, 1e12, rng.random((n, n))))


def _one_place(rng: Rng, n: int) -> PointCost:
    places = np.full((n, 2), 0.3, dtype=np.float32)
    return PointCost(places, places)


def _listed(rng: Rng, n: int, matched: int) -> SparseCost:
    """Whole costs from 0 to 9 for a quarter of the pairs, with a matching of the first rows among them."""
    import scipy.sparse

    allowed = rng.random((n, n)) < 0.25
    allowed[np.arange(n), rng.permutation(n)] = True
    allowed[matched:, n // 4 :] = False
    pairs = np.nonzero(allowed)
    return SparseCost(scipy.sparse.csr_array((rng.integers(0, 10, len(pairs[0])).astype(float), pairs), shape=(n, n)))


#: All inputs by name. The failures were seen with SciPy 1.17.1, lap 0.5.13, lapjv 1.3.29, lapx 0.11.1, POT 0.9.7
#: and py-lap-solver 0.1.4.
INPUTS: dict[str, Input[Cost]] = {
    "sentinel": Input(
        build=lambda rng, n: DenseCost(rng.integers(10**6, 10**9, (n, n))),
        n=3,
        why="costs above 1e6, which lap treats as infinite",
    ),
    "big-m": Input(build=_big_m, n=2, why="1e12 in place of inf for unwanted pairs"),
    "near-overflow": Input(
        build=lambda rng, n: _uniform(rng, n, scale=5e299, offset=5e299),
        n=8,
        why="costs up to 1e300, beyond the range of float32",
    ),
    "to-2-53": Input(
        build=lambda rng, n: DenseCost(rng.integers(0, 2**53, (n, n))),
        n=16,
        why="whole costs up to 2⁵³, of which float32 keeps half of the digits",
    ),
    "wide": Input(
        build=lambda rng, n: DenseCost(10 ** (24 * rng.random((n, n)) - 12)),
        n=32,
        why="costs from 1e-12 to 1e12: prices as large as the large costs cannot resolve the small ones",
    ),
    "offset": Input(
        build=lambda rng, n: _uniform(rng, n, offset=1e6),
        n=32,
        why="costs in [0, 1) + 1e6, which tie when rounded to float32",
    ),
    "tiny-scale": Input(
        build=lambda rng, n: _uniform(rng, n, scale=1e-15), n=16, why="costs below 1e-15, an absolute tolerance"
    ),
    "tiniest-scale": Input(
        build=lambda rng, n: _uniform(rng, n, scale=1e-60), n=16, why="costs below 1e-60, which are 0 in float32"
    ),
    "twins": Input(
        build=_twins, n=6, why="twin columns 1e-14 apart: lapjv in float64 and SciPy’s csgraph loop forever"
    ),
    "rank-one": Input(
        build=_rank_one,
        n=150,
        why="products u_i v_j: lapjv in float64 and csgraph take over 30 s at n = 150",
    ),
    "equal": Input(
        build=lambda rng, n: DenseCost(np.zeros((n, n))),
        n=8,
        why="all zeros: the answer of LAP1015 is not a permutation",
        random=False,
    ),
    "one-place": Input(build=_one_place, n=64, why="all points at one place, in float32", random=False),
    "one-by-one": Input(build=_uniform, n=1, why="a single pair: LAP1015 leaves it unmatched", any_size=False),
    "explicit-zeros": Input(
        build=lambda rng, n: _listed(rng, n, n), n=24, why="explicit zeros in a sparse matrix: csgraph drops them"
    ),
    "hall-violation": Input(
        build=hall_violation,
        n=12,
        why="rows that share too few allowed columns: lap, lapjv and lapx use a forbidden pair",
        feasible=False,
    ),
    "forbidden-row": Input(build=forbidden_row, n=12, why="a row of inf", feasible=False),
    "all-forbidden": Input(
        build=lambda rng, n: DenseCost(np.full((n, n), np.inf)),
        n=8,
        why="inf everywhere: lapjv writes out of bounds",
        random=False,
        feasible=False,
    ),
    "sparse-violation": Input(
        build=lambda rng, n: _listed(rng, n, n // 2),
        n=24,
        why="rows that share too few allowed columns, sparse: lapmod may crash the process",
        feasible=False,
    ),
}

if TYPE_CHECKING:
    Name = str
else:
    Name = Literal[tuple(INPUTS)]  # so that names are checked before a run


@family("adversarial", **settings(INPUTS, "sentinel"))
def build(n: int, seed: int = 0, input: Name = "sentinel") -> Assignment:
    """`input`: which of `INPUTS`."""
    return Assignment(INPUTS[input].instance(n, seed))
