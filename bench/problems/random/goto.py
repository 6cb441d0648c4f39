"""GOTO, Goldberg's grid on a torus: a minimum-cost flow that is hard for its size, as a transportation problem.

GOTO's network has n nodes and m arcs with capacities. The nodes lie on a long, narrow torus that is cut once around,
with arcs to the next nodes in both directions: those along the torus have small capacities and costs of all sizes,
those around it are cheap. All supply enters at the first node and leaves at the last. A return path through all nodes
carries everything at a moderate cost, so that there is always an answer.

The transportation problem has a row for each arc, whose mass is the capacity, and a column for each node. What the flow
sends through the arc goes to its head, at the arc's cost; the rest stays at its tail, at no cost. The demand of a node
is the capacity of the arcs out of it, less its supply. The optima are the same. H. M. Wagner, On a class of capacitated
transportation problems, Management Science 5 (1959) 304–318.

Networks are those of the generator `goto` of the DIMACS challenge, arc by arc.
"""

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lapmark.bench.problems import family
from lapmark.solvers import SparseCost, Transport

#: The modulus of the random numbers, and their multiplier (R. Sedgewick, Algorithms, 1983).
MODULUS, MULTIPLIER = 100_000_000, 13_415_821

#: Upper limit of the costs of arcs around the torus.
CHEAP = 8


class Arc(NamedTuple):
    """An arc between nodes that are counted from 0."""

    tail: int
    head: int
    capacity: int
    cost: int


@dataclass
class Generator:
    """GOTO's source of random whole numbers."""

    state: int

    def draw(self, low: int, high: int) -> int:
        """Return a number from `low` to `high` − 1, or `low` if they are equal."""
        self.state = (self.state * MULTIPLIER + 1) % MODULUS
        return low + self.state * (high - low) // MODULUS


@dataclass(frozen=True)
class Torus:
    """Sides of the torus, and the numbers of arcs of each node along and around it, that fit n nodes and m arcs.

    Nodes that do not fit the grid make a chain from the first to the last node. Arcs beyond those of the torus, the
    chain and the return path connect random nodes.
    """

    n: int
    m: int
    length: int
    width: int
    along: int = 1
    around: int = 1

    @classmethod
    def fitting(cls, n: int, m: int) -> "Torus":
        """Return the torus of n nodes and m arcs."""
        width = n // _largest(lambda k: k**3 <= n, 1) ** 2
        length = n // width
        degree = _largest(lambda k: cls(n, m, length, width, k * k, k).random_arcs >= 0, 1)
        around = _largest(lambda k: cls(n, m, length, width, degree**2, k).random_arcs >= 0, degree)
        around = min(around, width - 1)
        along = _largest(lambda k: cls(n, m, length, width, k, around).random_arcs >= 0, degree**2)
        return cls(n, m, length, width, min(along, length - 1), around)

    @property
    def nodes(self) -> int:
        """Number of nodes of the grid."""
        return self.length * self.width

    @property
    def random_arcs(self) -> int:
        """Number of arcs that connect random nodes, negative where the degrees are too large."""
        chain = self.n - self.nodes + 1 if self.n > self.nodes else 0
        torus = self.nodes * (self.along + self.around) + self.width * self.along * (self.along + 1) // 2
        return self.m - chain - torus + 2 * self.along - (self.nodes - 1)

    def node(self, x: int, y: int) -> int:
        """Return the node at x along and y around the torus."""
        return y * self.length + x


@family(
    "goto",
    source="A. V. Goldberg, M. Kharitonov, On implementing scaling push-relabel algorithms for the minimum-cost flow "
    "problem, DIMACS Series 12 (1993) 157–198; A. V. Goldberg's generator GOTO, 1991",
    sizes=(64, 256, 1024),
)
def build(n: int, seed: int = 0, degree: float = 8, capacity: int = 1000, cost: int = 10_000) -> Transport:
    """Build the transportation problem of the flow.

    Parameters
    ----------
    n : int
        Number of nodes, the columns; at least 15.
    degree : float
        Number of arcs, the rows, for each node, from 6 to n to the power of 2/3; above that, the largest is taken.
    capacity, cost : int
        Largest capacity and largest cost of an arc, at least 8.
    """
    import scipy.sparse

    if n < 15:
        raise ValueError(f"n = {n}; GOTO has at least 15 nodes")
    if not degree >= 6:
        raise ValueError(f"degree = {degree}; GOTO has at least 6 arcs for each node")
    if capacity < 8 or cost < 8:
        raise ValueError(f"capacity = {capacity} and cost = {cost}; both are at least 8")
    arcs, supply = network(n, min(round(degree * n), int(n ** (5 / 3))), seed, capacity, cost)
    tail, head, most, costs = np.array(arcs).T
    demand = np.bincount(tail, most, n)
    sink = Torus.fitting(n, len(arcs)).nodes - 1
    demand[0] -= supply
    demand[sink] += supply
    rows = np.tile(np.arange(len(arcs)), 2)
    entries = np.r_[np.zeros(len(arcs), np.int32), costs.astype(np.int32)]
    pairs = scipy.sparse.coo_array((entries, (rows, np.r_[tail, head])), shape=(len(arcs), n))
    return Transport(SparseCost(pairs.tocsr()), most, demand, blur=0)


def network(n: int, m: int, seed: int, capacity: int, cost: int) -> tuple[list[Arc], int]:
    """Return the m arcs of GOTO's network, and the supply that its first node sends to the last of the grid."""
    torus, random = Torus.fitting(n, m), Generator(seed % MODULUS)
    shrink = capacity ** (1 / (max(torus.along, torus.around) + 2))

    def far_capacity(steps: int) -> int:
        """Return a random capacity, the smaller the more steps the arc goes."""
        return math.ceil(random.draw(1, capacity) / shrink ** (steps - 1))

    small = math.ceil(math.sqrt(capacity))
    arcs, cut = _torus_arcs(torus, random, far_capacity, capacity, cost)
    arcs += _chain(torus, small, cost // 2)
    for _ in range(torus.random_arcs):
        tail, head = _random_ends(torus, random)
        price = random.draw(0, CHEAP)  # before the capacity, as C compilers order the original's arguments
        arcs.append(Arc(tail, head, far_capacity(torus.along), price))
    supply = small + cut
    return arcs + _return_path(torus, supply, cost // torus.width), supply


def _torus_arcs(
    torus: Torus, random: Generator, far_capacity: Callable[[int], int], capacity: int, cost: int
) -> tuple[list[Arc], int]:
    """Return the arcs along and around the torus, and the capacity of those that it was cut through.

    An arc that leads across the cut is replaced by one to the last node and one from the first.
    """
    arcs, cut, last = [], 0, torus.nodes - 1
    for y, x in itertools.product(range(torus.width), range(torus.length)):
        here = torus.node(x, y)
        for steps in range(1, torus.along + 1):
            beyond = (x + steps) % torus.length
            head = torus.node(beyond, y)
            most, price = far_capacity(steps), random.draw(0, cost)
            if beyond > x:
                arcs.append(Arc(here, head, most, price))
            else:
                arcs += [Arc(here, last, most, price)] * (here != last) + [Arc(0, head, most, price)] * (head != 0)
            cut += most * ((beyond <= x and here != last) + (head == last))
        for steps in range(1, torus.around + 1):
            head = torus.node(x, (y + steps) % torus.width)
            arcs.append(Arc(here, head, random.draw(1, capacity), random.draw(0, CHEAP)))
    return arcs, cut


def _chain(torus: Torus, capacity: int, cost: int) -> list[Arc]:
    """Return arcs from the first node through those beyond the grid to its last node, none where there are none."""
    if torus.n == torus.nodes:
        return []
    ends = [(0, torus.nodes), (torus.n - 1, torus.nodes - 1), *itertools.pairwise(range(torus.nodes, torus.n))]
    return [Arc(tail, head, capacity, cost) for tail, head in ends]


def _random_ends(torus: Torus, random: Generator) -> tuple[int, int]:
    """Return the ends of a random arc: from beyond the grid to a node of it, or between two where it has all nodes."""
    if torus.n > torus.nodes:
        head, tail = random.draw(2, torus.nodes - 1) - 1, random.draw(torus.nodes + 1, torus.n) - 1
        random.draw(0, 1)  # the original's choice of a direction, which is always this one
        return tail, head
    tail = head = random.draw(1, torus.nodes - 1) - 1
    while head == tail:
        head = random.draw(1, torus.nodes - 1) - 1
    return tail, head


def _return_path(torus: Torus, capacity: int, cost: int) -> list[Arc]:
    """Return a path through all nodes of the grid that carries the whole supply."""
    nodes = [torus.node(x, y) for x in range(torus.length) for y in range(torus.width)]
    return [Arc(tail, head, capacity, cost) for tail, head in itertools.pairwise(nodes)]


def _largest(fits: Callable[[int], bool], start: int) -> int:
    """Return the largest whole number from `start` on up to which all others fit."""
    while fits(start + 1):
        start += 1
    return start
