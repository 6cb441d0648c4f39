"""Clouds, masses and full plans for tests of entropic transport."""

from __future__ import annotations

import numpy as np


def clouds(n=60, m=70, d=2, seed=0):
    rng = np.random.default_rng(seed)
    return rng.random((n, d)), rng.normal(0.6, 0.2, (m, d))


def masses(size, seed):
    weights = np.random.default_rng(seed).exponential(size=size)
    return weights / weights.sum()


def plan_of(problem, plan):
    with np.errstate(over="ignore"):  # where there is no mass
        e = np.exp((plan.f[:, None] + plan.g - problem.cost.dense()) / problem.epsilon)
    return np.where((problem.a > 0)[:, None] & (problem.b > 0), problem.a[:, None] * problem.b * e, 0.0)
