"""Sinkhorn's algorithm as the textbook has it, on the whole matrix and with the digits of long double: a referee."""

from __future__ import annotations

import numpy as np

Long = np.longdouble


def soft_minimum(cost, potential, masses, epsilon):
    """−ε log Σ_j masses_j exp((potential_j − cost_ij) / ε) of each row."""
    exponent = (potential - cost) / epsilon
    highest = exponent.max(axis=1, keepdims=True)
    return -epsilon * (highest[:, 0] + np.log(np.exp(exponent - highest) @ masses))


def converged(problem, passes=5000):
    """Potentials of the rows and columns with mass, in long double, of a problem that converges in so many passes."""
    rows, cols = problem.a > 0, problem.b > 0
    cost = problem.cost.dense().astype(Long)[np.ix_(rows, cols)]
    a, b = problem.a[rows].astype(Long), problem.b[cols].astype(Long)
    epsilon, rho = Long(problem.epsilon), Long(problem.rho)
    damping = 1 / (1 + epsilon / rho)
    f, g = np.zeros(len(a), Long), np.zeros(len(b), Long)
    for _ in range(passes):
        moved = -f
        f = damping * soft_minimum(cost, g, b, epsilon)
        g = damping * soft_minimum(cost.T, f, a, epsilon)
        if problem.reach is not None:  # the shift of T. Séjourné et al., AISTATS 2022
            shift = rho / 2 * np.log((a @ np.exp(-f / rho)) / (b @ np.exp(-g / rho)))
            f, g = f + shift, g - shift
        moved += f
        if problem.reach is None:  # a constant in f and less of it in g change nothing
            moved -= moved.mean()
        if np.abs(moved).max() <= 1e-17 * (np.abs(f).max() + epsilon):
            break
    return f, g


def plan_of(problem, f, g):
    """The plan of potentials of all rows and columns; nothing moves where there is no mass."""
    rows, cols = problem.a > 0, problem.b > 0
    exponent = (f[:, None] + g - problem.cost.dense()) / problem.epsilon
    exponent = np.where(rows[:, None] & cols, exponent, -np.inf)
    return problem.a[:, None] * problem.b * np.exp(exponent)


def optimal_plan(problem):
    """The plan in full, in float64."""
    f, g = np.zeros(len(problem.a)), np.zeros(len(problem.b))
    f[problem.a > 0], g[problem.b > 0] = converged(problem)
    return plan_of(problem, f, g)


def value(problem):
    """⟨π, C⟩ + ε KL(π | a ⊗ b) and the penalties of the optimal plan, by the dual, in long double."""
    rows, cols = problem.a > 0, problem.b > 0
    cost = problem.cost.dense().astype(Long)[np.ix_(rows, cols)]
    a, b = problem.a[rows].astype(Long), problem.b[cols].astype(Long)
    (f, g), epsilon, rho = converged(problem), Long(problem.epsilon), Long(problem.rho)
    gains = (f, g) if problem.reach is None else (-rho * np.expm1(-f / rho), -rho * np.expm1(-g / rho))
    return a @ gains[0] + b @ gains[1] - epsilon * (a @ np.expm1((f[:, None] + g - cost) / epsilon) @ b)
