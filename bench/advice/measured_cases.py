"""Cases that the shipped measurements are made of: families of every kind, and sizes from 5 to 10 000."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from lapmark.bench.problems import Case
from lapmark.bench.util import spec
from lapmark.solvers import registry
from lapmark.solvers.problem import Assignment, Problem

from . import candidates, features, nearest_size
from .candidates import BATCH, DROP_IN, NOT_CHOSEN

SIZES = (5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000)

#: Most pairs of a problem: a matrix of them in float64 takes 800 MB.
MOST_PAIRS = 10**8

#: Most instances of a size, and the pairs that all of them have together: they fit into the cache.
MOST_INSTANCES, PAIRS_OF_INSTANCES = 40, 80_000

#: Instances of a size whose problems have at most so many pairs, where fewer fit into the cache; and of transport.
FEW_INSTANCES, FEW_PAIRS = 3, 300_000

DENSE = (
    "uniform:dtype=float64",
    "uniform",
    "integers:high=99",
    "integers:high=1000000",
    "binary:zeros=0.02",
    "product",
    "low-rank:dtype=float64,rank=1",
    "low-rank:dtype=float64,rank=3",
    "separable:dtype=float64",
    "difference:values=random",
    "duplicates:dtype=float64,of=points",
    "duplicates:dtype=float64,of=blocks",
    "wide-range:dtype=float64",
    "forbidden:dtype=float64",
    "geometric:cost=dense,dtype=float64",
    "geometric:cost=dense,p=2",
    "rectangular:dtype=float64,longer=columns,ratio=2",
    "rectangular:dtype=float64,longer=rows,ratio=2",
    "rectangular:dtype=float64,longer=columns,ratio=10",
    "rectangular:dtype=int32,longer=columns,ratio=2",
    "tracking",
    "grid:cost=dense,dtype=float64,layout=clusters",
    "tsne-grid:cost=dense,dtype=float64,rows=points,source=mnist-reference",
    "sparse:cost=dense,dtype=float64,share=0.05",
)

POINTS = (
    "geometric:cost=points,p=2",
    "geometric:cost=points,p=1",
    "geometric:cost=points,d=3,p=2",
    "grid:layout=uniform",
    "grid:layout=clusters",
    "grid:layout=lattice",
    "tsne-grid:cost=points,rows=points,source=mnist-reference",
    "tsne-grid:cost=points,rows=nodes,source=mnist-reference",
)

SPARSE = (
    *("sparse:share=0.002", "sparse:share=0.01", "sparse:share=0.05", "sparse:share=0.2"),
    *("netgen-assignment:degree=7.5", "netgen-assignment:degree=22.5", "layered"),
)

TRANSPORT = (
    "masses:layout=uniform",
    "masses:layout=uniform,p=1",
    "masses:layout=mixtures",
    "masses:layout=lattice,mass=whole",
    "masses:layout=random",
    "images-emd",
    "images-emd:p=2",
    "words",
    "gmm-flow",
    "netgen-transport",
    "dotmark:image=white-noise",
    "dotmark:image=grf-moderate",
    "grid-histograms",
)

BLUR = (
    "masses:blur=0.05,layout=uniform",
    "masses:blur=0.2,layout=uniform",
    "masses:blur=0.05,layout=mixtures",
    "masses:blur=0.05,layout=random",
    "masses:blur=0.05,layout=uniform,reach=0.2",
    "label-transfer:reach=0.0",
    "label-transfer:reach=0.2",
    "label-transfer:blur=0.2,reach=0.0",
    "gmm-flow:blur=0.1",
)

LABELS = (*DENSE, *POINTS, *SPARSE, *TRANSPORT, *BLUR)


def chosen(names: Sequence[str]) -> list[str]:
    """Return the measured labels of some families, and labels that are named in full; all labels if none is named."""
    if not names:
        return list(LABELS)
    of_family = {name: [label for label in LABELS if spec.parse(label)[0] == name] for name in names}
    return [label for name in names for label in of_family[name] or [name]]


#: Candidates for each kind of problem, where they take it. Those of another kind's methods are far behind.
NAMES: Mapping[str, Sequence[str]] = {
    "assignment": (
        *(
            "linear_sum_assignment",
            "solve_batch",
            "auto",
            "cascade",
            "jv-avx2",
            "auction",
            "scipy",
            "lap",
            "lapcpp",
            "laprust",
        ),
        *("fastlap", "lapjv", "lap1015", "ortools", "pot-emd"),
    ),
    "sparse assignment": (
        *("auto", "cascade", "jv-avx2", "auction", "csgraph", "lapmod", "scipy", "lap", "lapcpp", "laprust", "ortools"),
    ),
    "transport": ("auto", "transport", "grid-flow", "pot-emd", "pot-emd-lazy", "ortools-flow", "highs"),
    "blurred transport": ("auto", "sinkhorn", "sinkhorn-multilevel", "pot-sinkhorn", "pot-sinkhorn-log"),
}

#: Sizes beyond which a candidate is not tried: it is far behind there, and would take most of the time.
LARGEST = {"ortools": 500, "ortools-flow": 500, "highs": 100, "pot-emd": 2000, "fastlap": 2000, BATCH: 200}


def names(problem: Problem) -> list[str]:
    """Return the candidates for a problem whose solvers are registered, take it, and can run here."""
    kind = features.kind(problem)
    method, _, cost = kind.partition(", ")
    known = registry.solvers()
    chosen = NAMES[f"{cost} {method}" if f"{cost} {method}" in NAMES else method]
    here = [name for name in chosen if name in (DROP_IN, *NOT_CHOSEN) or spec.parse(name)[0] in known]
    n = min(problem.shape)
    return [name for name in here if n <= LARGEST.get(name, n) and _can_run(name, problem)]


def _can_run(name: str, problem: Problem) -> bool:
    solver = candidates.available(name)
    return (
        not solver.missing and solver.environment is None and not candidates.refuses(name, problem, solver.capabilities)
    )


def sized(label: str, n: int) -> Case | None:
    """Return the case of a label at the size nearest to n that it takes, None if that is far from n."""
    name, settings = spec.parse(label)
    return nearest_size.nearest(Case(name, n, 0, settings))


def instances(case: Case, first: Problem) -> list[Problem]:
    """Return `first`, which is the case built, and further instances if it is small.

    A family with a single instance has no others.
    """
    pairs, least = math.prod(first.shape), FEW_INSTANCES
    if pairs > FEW_PAIRS:
        return [first]
    most = MOST_INSTANCES if isinstance(first, Assignment) else FEW_INSTANCES
    found = [first]
    for seed in range(1, max(min(PAIRS_OF_INSTANCES // pairs, most), least)):
        try:
            found.append(replace(case, seed=seed).build())
        except ValueError:
            break
    return found
