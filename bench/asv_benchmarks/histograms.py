"""Earth mover's distance of many pairs of images over the same bins, compared with POT.

POT's `emd2` is called pair by pair, without its checks and on the bins with mass, where it is fastest; selecting these
is not part of its time, but of ours. All answers of Lapmark are certified, plans and duals.

    python -m lapmark.bench.asv_benchmarks.histograms               prints a table
    python -m lapmark.bench.asv_benchmarks.histograms FILE.json     writes its rows
"""

import functools
import importlib.metadata
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from lapmark.bench.data import datasets
from lapmark.solvers import DenseCost, PointCost, Transport, certify, emd, emd_plans, registry

from .side_by_side import Table, shortest_times, write_rows

#: Number of images of each kind; consecutive ones are the pairs.
IMAGES = {"digits": 300, "mnist": 60}

ROUNDS = 15


def histograms(source: str, count: int) -> np.ndarray:
    """Return images as masses (count, bins) of sum 1."""
    images = datasets.digits() if source == "digits" else datasets.mnist(download=False)
    masses = images.pixels[:count].reshape(count, -1).astype(np.float64)
    return masses / masses.sum(axis=1, keepdims=True)


def bins(count: int) -> np.ndarray:
    """Return the centres of the pixels of a square image, (count, 2)."""
    return np.column_stack(np.divmod(np.arange(float(count)), int(np.sqrt(count))))


class Emd:
    """Pairs of consecutive images, with squared and plain distances."""

    params = (list(IMAGES), [2, 1])
    param_names = ("images", "p")

    def setup(self, source: str, p: int) -> None:
        try:
            masses = histograms(source, IMAGES[source])
        except datasets.MissingData as missing:
            raise NotImplementedError(str(missing)) from None  # asv then skips the benchmark
        self.a, self.b = masses[:-1], masses[1:]
        self.cost = PointCost(bins(masses.shape[1]), bins(masses.shape[1]), p=p)

    def time_pairs(self, source: str, p: int) -> None:
        emd(self.cost, self.a, self.b, threads=1)

    def track_certified(self, source: str, p: int) -> int:
        return certified(self.cost, self.a, self.b)


def certified(cost: PointCost, a: np.ndarray, b: np.ndarray) -> int:
    """Return the number of pairs that are proven optimal."""
    plans, costs = emd_plans(cost, a, b), emd(cost, a, b)
    dense = DenseCost(cost.dense())
    proofs = (certify(Transport(dense, x, y, blur=0), plan) for x, y, plan in zip(a, b, plans, strict=True))
    return sum(
        proof.optimal and bool(np.isclose(proof.cost, stated, rtol=1e-12, atol=0))
        for proof, stated in zip(proofs, costs, strict=True)
    )


def pot(cost: PointCost, a: np.ndarray, b: np.ndarray) -> Callable[[], object]:
    """Return a call of POT on the bins with mass, one pair at a time."""
    from ot import emd2

    matrix = cost.dense()
    held = [(np.flatnonzero(x), np.flatnonzero(y)) for x, y in zip(a, b, strict=True)]
    pairs = [(x[i], y[j], matrix[np.ix_(i, j)]) for x, y, (i, j) in zip(a, b, held, strict=True)]
    return lambda: [emd2(*pair, check_marginals=False, center_dual=False) for pair in pairs]


def rows() -> Iterator[dict[str, Any]]:
    """Yield the seconds of a pair by us and by POT, and the numbers of pairs and of those that are proven optimal."""
    for source in IMAGES:
        for p in (2, 1):
            problem = Emd()
            try:
                problem.setup(source, p)
            except NotImplementedError as missing:
                print(f"{source} is left out: {missing}")
                continue
            given = problem.cost, problem.a, problem.b
            calls: dict[str, Callable[[], object]] = {"lapmark": functools.partial(emd, *given, threads=1)}
            if registry.get("pot-emd").missing is None:
                calls["pot"] = pot(*given)
            seconds = shortest_times(calls, ROUNDS)
            ours, theirs = (seconds.get(name, np.nan) / len(problem.a) for name in ("lapmark", "pot"))
            label = f"{source}, {'squared distance' if p == 2 else 'distance'}"
            counts = {"proven": certified(*given), "pairs": len(problem.a)}
            yield {"images": label, "lapmark": ours, "pot": theirs, **counts}


def main(arguments: list[str]) -> None:
    """Print the table, or write its rows to a file."""
    if arguments:
        write_rows(rows(), {"POT": importlib.metadata.version("POT")}, Path(arguments[0]))
        return
    table = Table({"µs per pair": "<28", "lapmark": "10.1f", "POT": "10.1f", "lead": "8.1f", "proven": ">10"})
    table.print_heading()
    for images, ours, theirs, proven, pairs in map(dict.values, rows()):
        table.print_row(images, 1e6 * ours, 1e6 * theirs, theirs / ours, f"{proven}/{pairs}")


if __name__ == "__main__":
    main(sys.argv[1:])
