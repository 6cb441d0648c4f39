"""Optima in exact arithmetic: costs and masses become whole numbers of one unit, so that nothing is ever rounded."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from lapmark import Assignment, PointCost
from lapmark.solvers.problem import Problem

#: Costs by row and column as exact numbers, None where a pair is forbidden.
Costs = list[list[Fraction | None]]


def exact_costs(problem: Problem) -> Costs:
    """Return the costs that a problem stands for: less the limit, and the negative of what is maximised."""
    cost = problem.cost
    if isinstance(cost, PointCost):
        assert cost.p == 2
        x, y = ([[Fraction(c) for c in point] for point in points.tolist()] for points in (cost.x, cost.y))
        scale = Fraction(cost.scale)
        costs: Costs = [[scale * sum((a - b) ** 2 for a, b in zip(p, q, strict=True)) for q in y] for p in x]
    else:
        rows = cost.dense().tolist()
        costs = [[None if value == np.inf else Fraction(value) for value in row] for row in rows]
    if not isinstance(problem, Assignment):
        return costs
    sign, limit = (-1 if problem.maximize else 1), Fraction(problem.limit or 0)
    return [[None if value is None else sign * (value - limit) for value in row] for row in costs]


def least_assignment(costs: Costs, limited: bool) -> Fraction | None:
    """Return the least cost of matching all of the shorter side, or of any matching where limited; None where none is.

    The Hungarian method: rows enter one by one, each by a shortest augmenting path.
    """
    n, m = len(costs), len(costs[0])
    if limited:
        # A row or a column that stays out is matched to a stand-in at no cost.
        costs = [row + [Fraction(0)] * n for row in costs] + [[Fraction(0)] * (n + m) for _ in range(m)]
        n, m = n + m, n + m
    if n > m:
        costs, n, m = [list(column) for column in zip(*costs, strict=True)], m, n
    u, v, owner = [Fraction(0)] * n, [Fraction(0)] * m, [-1] * m
    for start in range(n):
        distance: list[Fraction | None] = [None] * m
        parent, done, row, shortest, end = [-1] * m, [False] * m, start, Fraction(0), -1
        while True:
            for j in range(m):
                value = costs[row][j]
                if value is None or done[j]:
                    continue
                length, known = shortest + value - u[row] - v[j], distance[j]
                if known is None or length < known:
                    distance[j], parent[j] = length, row
            open_columns = [(d, j) for j, d in enumerate(distance) if d is not None and not done[j]]
            if not open_columns:
                return None
            shortest, end = min(open_columns)
            done[end] = True
            if owner[end] < 0:
                break
            row = owner[end]
        u[start] += shortest
        for j in range(m):
            d = distance[j]
            if done[j] and j != end and d is not None:
                u[owner[j]] += shortest - d
                v[j] -= shortest - d
        while True:
            row = parent[end]
            previous = next((j for j in range(m) if owner[j] == row), -1)
            owner[end] = row
            if row == start:
                break
            end = previous
    return sum((costs[owner[j]][j] or Fraction(0) for j in range(m) if owner[j] >= 0), Fraction(0))


def least_plan(costs: Costs, a: list[Fraction], b: list[Fraction]) -> Fraction | None:
    """Return the least cost of moving all of the smaller sum; None where the allowed pairs cannot.

    Successive shortest paths in the residual graph, by Bellman and Ford.
    """
    n, m = len(a), len(b)
    left, room, moved = list(a), list(b), {}
    due = min(sum(a), sum(b))
    total = Fraction(0)
    while due > 0:
        # Nodes 0 … n − 1 are rows, the others columns; a path starts at a row that has something left.
        distance: list[Fraction | None] = [Fraction(0) if left[i] > 0 else None for i in range(n)] + [None] * m
        before = [-1] * (n + m)
        for _ in range(n + m):
            changed = False
            for i in range(n):
                for j in range(m):
                    value, from_row, from_column = costs[i][j], distance[i], distance[n + j]
                    if value is not None and from_row is not None:
                        known = distance[n + j]
                        if known is None or from_row + value < known:
                            distance[n + j], before[n + j], changed = from_row + value, i, True
                    if (i, j) in moved and from_column is not None and value is not None:
                        known = distance[i]
                        if known is None or from_column - value < known:
                            distance[i], before[i], changed = from_column - value, n + j, True
            if not changed:
                break
        ends = [(d, j) for j in range(m) if room[j] > 0 and (d := distance[n + j]) is not None]
        if not ends:
            return None
        length, j = min(ends)
        path, node = [], n + j
        while before[node] >= 0:
            path.append((before[node], node))
            node = before[node]
        amount = min(left[node], room[j], due, *(moved[t, s - n] for s, t in path if s >= n))
        for s, t in path:
            pair, change = ((s, t - n), amount) if s < n else ((t, s - n), -amount)
            moved[pair] = moved.get(pair, Fraction(0)) + change
            if moved[pair] == 0:
                del moved[pair]
        left[node] -= amount
        room[j] -= amount
        due -= amount
        total += amount * length
    return total


def scope_of(costs: Costs, paid: Fraction, limited: bool) -> Fraction:
    """Return by how much a matching is dearer than what minima of columns and then rows prove.

    Of the shorter side alone where there is a choice of what to match.
    """
    n, m = len(costs), len(costs[0])
    if n > m:
        costs, n, m = [list(column) for column in zip(*costs, strict=True)], m, n
    v = [Fraction(0)] * m
    if n == m and not limited:
        v = [min(row[j] for row in costs if row[j] is not None) for j in range(m)]
    least = [[value - v[j] for j, value in enumerate(row) if value is not None] for row in costs]
    return paid - sum(v) - sum(min([*row, *([Fraction(0)] if limited else [])]) for row in least)
