"""Many transport problems in one call: the answers of one by one, in any shapes that broadcast, and errors with a place."""

from __future__ import annotations

import numpy as np
import pytest

from solvers import DenseCost, PointCost, Transport, emd, solve


def histograms(rng, *shape, empty=0.5):
    masses = rng.random(shape) * (rng.random(shape) > empty)
    masses[..., 0] += 0.01
    return masses / masses.sum(axis=-1, keepdims=True)


def grid(side):
    return np.stack(np.divmod(np.arange(side * side), side), axis=1).astype(float)


@pytest.mark.parametrize("p", [1, 2])
def test_pairs_one_against_many_and_all_pairs(p):
    rng = np.random.default_rng(0)
    cost = PointCost(grid(4), grid(4), p=p)
    a, b = histograms(rng, 3, 16), histograms(rng, 5, 16)
    expected = np.array([[solve(Transport(cost, x, y, blur=0)).cost for y in b] for x in a])
    np.testing.assert_allclose(emd(cost, a[:, None], b), expected, rtol=1e-12)
    np.testing.assert_allclose(emd(cost, a, b[:3]), np.diag(expected), rtol=1e-12)
    np.testing.assert_allclose(emd(cost, a[0], b), expected[0], rtol=1e-12)
    alone = emd(cost, a[1], b[2])
    assert alone.shape == ()
    assert alone.dtype == np.float64
    assert float(alone) == pytest.approx(expected[1, 2], rel=1e-12)
    assert emd(cost, a[:0], b[0]).shape == (0,)


def test_faults_are_named():
    cost = DenseCost(np.ones((3, 2)))
    a, b = np.full((4, 3), 1 / 3), np.full((4, 2), 1 / 2)
    for change, message in (
        ((a[:, :2], b), r"a has shape \(4, 2\); the cost asks for \(…, 3\)"),
        ((np.where(np.arange(3) == 1, -1, a), b), r"a\[0, 1\] is -1.0; masses must be finite and at least 0"),
        ((a, np.where(np.arange(4)[:, None] == 2, 0, b)), r"b\[2\] has no mass"),
        ((a, b * [[1], [1], [1], [2]]), "masses do not match"),
    ):
        with pytest.raises(ValueError, match=message):
            emd(cost, *change)
    with pytest.raises(TypeError, match="wrap a matrix"):
        emd(np.ones((3, 2)), a, b)
    with pytest.raises(ValueError, match="threads = 0"):
        emd(cost, a, b, threads=0)
