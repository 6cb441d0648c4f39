"""The nearest size that a family takes: those of grids and images are squares."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lapmark.bench.problems import Case, FamilyFault

#: Share of a size by which the nearest one may differ from it.
FARTHEST = 0.3


#: Rows above which an instance is not built to see whether there is one: a smaller one tells what sizes there are.
LARGEST_BUILT = 1000


def nearest(case: Case) -> Case | None:
    """Return the case at the nearest size that its family takes, None if that is far."""
    if case.n > LARGEST_BUILT:
        small = nearest(replace(case, n=LARGEST_BUILT))
        if small is None or small.n == LARGEST_BUILT:
            return small and case
        return replace(case, n=round(case.n**0.5) ** 2)
    for n in _sizes(case.n):
        found = replace(case, n=n)
        try:
            found.build()
        except FamilyFault:
            raise
        except ValueError:
            continue
        return found
    return None


def _sizes(n: int) -> Iterator[int]:
    """Yield n, its neighbours, and the squares near it, the nearest first; then those of even numbers."""
    root = round(n**0.5)
    squares = sorted({(root - 1) ** 2, root**2, (root + 1) ** 2}, key=lambda square: abs(square - n))
    even = (2 * round(n**0.5 / 2)) ** 2
    for size in dict.fromkeys((n, n + 1, n - 1, *squares, even)):
        if size > 0 and abs(size - n) <= max(FARTHEST * n, 1):
            yield size
