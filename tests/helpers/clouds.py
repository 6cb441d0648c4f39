"""Points of every kind that has ever troubled a solver, for tests of those on points."""

from __future__ import annotations

import numpy as np

#: Clouds in [0, 1]^d and worse, each from (generator, count, dimensions).
CLOUDS = {
    "even": lambda rng, n, d: rng.random((n, d)),
    "lattice": lambda rng, n, d: rng.integers(0, 6, (n, d)) / 5,
    "line": lambda rng, n, d: np.outer(rng.random(n), np.arange(1, d + 1)),
    "nearly a line": lambda rng, n, d: np.outer(rng.random(n), np.arange(1, d + 1)) + 1e-6 * rng.random((n, d)),
    "axis": lambda rng, n, d: np.column_stack([rng.random(n), np.zeros((n, d - 1))]),
    "one place": lambda rng, n, d: np.full((n, d), 0.3),
    "few places": lambda rng, n, d: rng.random((5, d))[rng.integers(0, 5, n)],
    "nearly in few places": lambda rng, n, d: rng.random((5, d))[rng.integers(0, 5, n)] + 1e-7 * rng.random((n, d)),
    "clusters and outliers": lambda rng, n, d: np.where(rng.random((n, 1)) < 0.05, 1e3, 1e-3) * rng.random((n, d)),
    "far away": lambda rng, n, d: 1e9 + rng.random((n, d)),
    "tiny": lambda rng, n, d: 1e-160 * rng.random((n, d)),
}
