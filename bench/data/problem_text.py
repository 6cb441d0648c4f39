"""Text formats of problems: assignment of the OR-Library, assignment and minimum-cost flow of DIMACS.

OR-Library: n, then the n·n costs row by row, in lines of any length, or a row, a column and a cost for each allowed
pair, both counted from 1. DIMACS: `p asn NODES ARCS`, `n NODE` for each node
on the left side, and `a NODE NODE COST`; or `p min NODES ARCS`, `n NODE SUPPLY` and `a FROM TO LOW CAPACITY COST`, of
which only assignment and transport problems are read: every arc leads from a supply to a demand and carries all.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Sequence

import numpy as np

from lapmark.solvers import Assignment, DenseCost, SparseCost, Transport
from lapmark.solvers.costs import Cost
from lapmark.solvers.problem import Problem

#: Lines of DIMACS files: numbers after the letter, and the same in words, by kind of problem.
FIELDS = {
    "asn": {"n": "n NODE", "a": "a NODE NODE COST"},
    "min": {"n": "n NODE SUPPLY", "a": "a FROM TO LOW CAPACITY COST"},
}


def is_dimacs(text: str) -> bool:
    """Return whether a text begins like a DIMACS file: with a comment `c …` or a problem `p …`."""
    words = text[:200].split(maxsplit=1)
    return bool(words) and words[0] in ("c", "p")


def is_orlib(text: str) -> bool:
    """Return whether a text begins like one of the OR-Library: with a whole number alone on a line, before others."""
    first, _, rest = text.lstrip().partition("\n")
    if not first.strip().isdigit():
        return False
    # A table of one column may begin with any number.
    return " " in rest.strip() or "\t" in rest.strip() or len(rest.split()) == int(first) ** 2


def may_be_problem(start: str) -> bool:
    """Return whether a text called a table may be one of these formats, by its first characters."""
    return is_dimacs(start) or start.lstrip().partition("\n")[0].strip().isdigit()


def has_problem_line(text: str) -> bool:
    """Return whether a text has a line `p asn` or `p min`, which no table has."""
    return re.search(r"^p (asn|min)\b", text, re.M) is not None


def is_whole_orlib(text: str) -> bool:
    """Return whether a text has n, and then n·n numbers in lines of several, divided by nothing but blanks."""
    first, _, rest = text.lstrip().partition("\n")
    words = rest.split()
    is_divided = any(len(line.split()) > 1 for line in rest.splitlines())
    return first.strip().isdigit() and is_divided and len(words) == int(first) ** 2 and all(map(_is_number, words))


def orlib(text: str) -> Cost:
    """Return the costs of a text of the OR-Library, whole ones as integers; a ValueError if it is damaged.

    They are a matrix if there are n·n, and sparse if there are triples of a row, a column and a cost.
    """
    import scipy.sparse

    numbers = numbers_of(text)
    n = int(numbers[0]) if len(numbers) else 0
    if n >= 1 and n == numbers[0]:
        if len(numbers) == 1 + n * n:
            return DenseCost(_whole(numbers[1:].reshape(n, n)))
        if len(numbers) % 3 == 1 and _are_pairs(places := numbers[1:].reshape(-1, 3)[:, :2], n):
            rows, cols = places.T.astype(np.intp) - 1
            return SparseCost(scipy.sparse.coo_array((_whole(numbers[3::3]), (rows, cols)), shape=(n, n)).tocsr())
    first = text.split(maxsplit=1)[0] if len(numbers) else "nothing"
    raise ValueError(
        f"it has {len(numbers):,} numbers, the first {first}; expected n and then n·n costs, or the row, the column "
        "and the cost of each pair, as in the OR-Library"
    )


def _are_pairs(places: np.ndarray, n: int) -> bool:
    """Return whether numbers (pairs, 2) are rows and columns from 1 to n, with no pair twice and no row left out."""
    if not ((places >= 1) & (places <= n) & (places == np.rint(places))).all():
        return False
    return len(places) >= n and len(np.unique(places[:, 0])) == n and len(np.unique(places @ [n, 1])) == len(places)


def dimacs(text: str) -> Problem:
    """Return the problem of a DIMACS text; a ValueError names the line at fault."""
    kind, nodes, arcs, lines = "", 0, 0, {"n": [], "a": []}  # type: tuple[str, int, int, dict[str, list[tuple[int, str]]]]
    for number, line in enumerate(text.splitlines(), 1):
        letter, _, rest = line.strip().partition(" ")
        if letter in ("", "c"):
            continue
        if letter == "p":
            kind, nodes, arcs = _problem_line(number, rest, kind)
        elif letter in lines and kind:
            lines[letter].append((number, rest))
        else:
            expected = "c, n or a" if kind else "c or p"
            raise ValueError(f"line {number} begins with {letter[:20]!r}; expected {expected}")
    if not kind:
        raise ValueError("it has no line p asn NODES ARCS, nor p min NODES ARCS")
    node_lines, arc_lines = (_table(lines[letter], FIELDS[kind][letter]) for letter in ("n", "a"))
    if len(arc_lines) != arcs:
        raise ValueError(f"its line p declares {arcs:,} arcs, but it has {len(arc_lines):,}")
    if nodes > 2 * arcs:
        raise ValueError(f"its line p declares {nodes:,} nodes, but its {arcs:,} arcs reach fewer")
    for table, columns in ((node_lines, 1), (arc_lines, 2)):
        wrong = ((table[:, :columns] < 1) | (table[:, :columns] > nodes)).any(axis=1)
        if wrong.any():
            raise ValueError(f"node {table[wrong][0, :columns].max():g} is not one of the {nodes:,} nodes")
    return (_assignment if kind == "asn" else _flow)(nodes, node_lines, arc_lines)


def _problem_line(number: int, rest: str, known: str) -> tuple[str, int, int]:
    words = rest.split()
    if known:
        raise ValueError(f"line {number} is a second line p")
    if len(words) != 3 or words[0] not in FIELDS or not all(map(str.isdigit, words[1:])):
        raise ValueError(f"line {number} is 'p {rest[:40]}'; expected p asn NODES ARCS or p min NODES ARCS")
    return words[0], int(words[1]), int(words[2])


def _table(lines: Sequence[tuple[int, str]], form: str) -> np.ndarray:
    """Return the numbers of lines, one row each."""
    columns = len(form.split()) - 1
    for number, line in lines:
        if len(line.split()) != columns:
            raise ValueError(f"line {number} is '{form[0]} {line[:40]}'; expected {form}")
    try:
        return numbers_of("\n".join(line for _, line in lines)).reshape(-1, columns)
    except ValueError:
        wrong = [(number, line) for number, line in lines if not all(map(_is_number, line.split()))]
        if not wrong:
            raise
        number, line = wrong[0]
        raise ValueError(f"line {number} is '{form[0]} {line[:40]}'; expected numbers: {form}") from None


def _assignment(nodes: int, node_lines: np.ndarray, arcs: np.ndarray) -> Assignment:
    left = np.unique(node_lines[:, 0]).astype(np.intp)
    right = np.setdiff1d(np.arange(1, nodes + 1), left)
    return Assignment(_cost(nodes, left, right, *arcs.T))


def _flow(nodes: int, node_lines: np.ndarray, arcs: np.ndarray) -> Problem:
    supply = dict(node_lines.tolist())
    left = np.array([int(node) for node, amount in supply.items() if amount > 0], dtype=np.intp)
    right = np.array([int(node) for node, amount in supply.items() if amount < 0], dtype=np.intp)
    a, b = (np.array([abs(supply[node]) for node in side]) for side in (left, right))
    start, end, low, capacity, cost = arcs.T
    amount_of = np.zeros(nodes + 1)
    amount_of[left], amount_of[right] = a, -b
    through = ~((amount_of[start.astype(np.intp)] > 0) & (amount_of[end.astype(np.intp)] < 0))
    if through.any():
        first = arcs[through][0]
        raise ValueError(
            f"arc {first[0]:g} {first[1]:g} does not lead from a supply to a demand; only assignment and transport are "
            "solved here, not flows through further nodes"
        )
    most = np.minimum(amount_of[start.astype(np.intp)], -amount_of[end.astype(np.intp)])
    bounded = (low > 0) | (capacity < most)
    if bounded.any():
        first = arcs[bounded][0]
        raise ValueError(
            f"arc {first[0]:g} {first[1]:g} has bounds {first[2]:g} to {first[3]:g}; bounds are not solved here"
        )
    costs = _cost(nodes, left, right, start, end, cost)
    if (a == 1).all() and (b == 1).all() and len(a) == len(b):
        return Assignment(costs)
    return Transport(costs, a, b)


def _cost(
    nodes: int, left: np.ndarray, right: np.ndarray, start: np.ndarray, end: np.ndarray, cost: np.ndarray
) -> Cost:
    """Return the costs between two sides, a matrix if every pair has an arc; of parallel arcs the cheapest counts."""
    import scipy.sparse

    if not len(left) or not len(right):
        raise ValueError("it has no nodes on one side; a line n NODE names each on the left, n NODE SUPPLY each supply")
    place = np.full(nodes + 1, -1)
    place[left], place[right] = np.arange(len(left)), np.arange(len(right))
    start, end = start.astype(np.intp), end.astype(np.intp)
    is_left = np.zeros(nodes + 1, dtype=bool)
    is_left[left] = True
    if (wrong := ~is_left[start] | is_left[end]).any():
        raise ValueError(f"arc {start[wrong][0]} {end[wrong][0]} does not lead from the left side to the right")
    order = np.lexsort((cost, place[end], place[start]))
    rows, cols, costs = place[start][order], place[end][order], _whole(cost)[order]
    is_first = np.r_[True, (np.diff(rows) != 0) | (np.diff(cols) != 0)][: len(rows)]
    rows, cols, costs = rows[is_first], cols[is_first], costs[is_first]
    if len(costs) == len(left) * len(right):
        return DenseCost(costs.reshape(len(left), len(right)))
    return SparseCost(scipy.sparse.coo_array((costs, (rows, cols)), shape=(len(left), len(right))).tocsr())


def numbers_of(text: str) -> np.ndarray:
    """Return the numbers of a text as float64; a ValueError names the first other word."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)
        try:
            numbers = np.fromstring(text, dtype=float, sep=" ") if text.strip() else np.empty(0)
        except (DeprecationWarning, ValueError):
            word = next((word for word in text.split() if not _is_number(word)), "")
            raise ValueError(f"{word[:40]!r} is not a number") from None
    if np.isinf(numbers).any():
        for word in text.split():
            if word[-1].isdigit() and math.isinf(float(word)):
                raise ValueError(f"{word[:40]} is too large for a number of 64 bits; write inf for a forbidden pair")
    return numbers


def _whole(numbers: np.ndarray) -> np.ndarray:
    """Return whole numbers as integers, of 32 bits if they fit."""
    if not (np.abs(numbers) <= 2**53).all() or (numbers != np.rint(numbers)).any():
        return numbers
    return numbers.astype(np.int32 if np.abs(numbers).max(initial=0) < 2**31 else np.int64)


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
