"""NETGEN's transportation and assignment problems: a sparse random graph with a hidden feasible answer.

Instances are those of NETGEN's C version for the DIMACS challenge, arc by arc. Its first ten standard problems are
`netgen-transport` with seed 0, n = 100 and the degrees 13, 15, 20, 22 and 29, and n = 150 and the degrees 21, 30,
34.366, 40.5 and 42. The next five are `netgen-assignment` with seed 0, n = 200 and the degrees 7.5, 11.25, 15, 18.75
and 22.5. A few arcs more than asked for come from the hidden answer, as in the original.

Minimum-cost flow, NETGEN's third kind of problem, is none of transport: its arcs have capacities, and lead through
further nodes. The package pynetgen 1.0.0 generates that kind alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from lapmark.bench.problems import family
from lapmark.solvers import Assignment, SparseCost, Transport

SOURCE = (
    "D. Klingman, A. Napier, J. Stutz, NETGEN: a program for generating large scale capacitated assignment, "
    "transportation, and minimum cost flow network problems, Management Science 20 (1974) 814–821"
)

#: Seed of the standard problems, which is seed 0 here.
FIRST_SEED = 13_502_460

#: Largest cost of an arc, the smallest being 1, and units of supply for each source.
LARGEST_COST, SUPPLY = 100, 1000

#: The modulus of the random numbers, and their multiplier: those of D. H. Lehmer's generator.
MODULUS, MULTIPLIER = 2**31 - 1, 7**5


@dataclass
class Generator:
    """NETGEN's source of random whole numbers."""

    state: int

    def draw(self, low: int, high: int) -> int:
        """Return a number from `low` to `high`, or `high` where that is not above `low`."""
        self.state = self.state * MULTIPLIER % MODULUS
        return low + self.state % (high - low + 1) if high > low else high

    def cost(self) -> int:
        """Return the cost of an arc. The percentage that would limit its capacity is drawn first, and not used."""
        self.draw(1, 100)
        return self.draw(1, LARGEST_COST)


@dataclass
class Network:
    """Arcs from n sources to n sinks, as they are added, towards a requested number."""

    n: int
    requested: int
    random: Generator
    rows: list[int] = field(default_factory=list)
    cols: list[int] = field(default_factory=list)
    costs: list[int] = field(default_factory=list)

    def add(self, row: int, col: int, cost: int) -> None:
        """Add an arc."""
        self.rows.append(row)
        self.cols.append(col)
        self.costs.append(cost)

    def add_random(self, row: int, sinks: list[int], choices: int) -> None:
        """Add random arcs from a source to some of `sinks`, drawn among the first `choices`, which shrink each time."""
        for _ in range(self._degree(self.n - row, choices)):
            place = self.random.draw(1, choices)
            if 1 <= place <= len(sinks):
                choices -= 1
                self.add(row, sinks.pop(place - 1), self.random.cost())
            else:
                self.random.draw(1, 100)  # what the original draws before it notices that no sink is left

    def _degree(self, sources: int, choices: int) -> int:
        """Return the number of random arcs of the next source, of which there are `sources` left."""
        arcs = self.requested - len(self.costs)
        if 2 * (sources - 1) >= arcs:
            return 0
        if (arcs + self.n - choices - 1) // sources >= self.n - 1:
            return self.n
        most = 2 * (arcs // sources - 1)
        while True:
            degree = self.random.draw(1, most)
            if sources == 1:
                degree = arcs
            if (sources - 1) * (self.n - 1) >= arcs - degree:
                return degree

    def cost(self) -> SparseCost:
        """Return the costs of the arcs, int32."""
        import scipy.sparse

        costs = np.array(self.costs, np.int32)
        return SparseCost(scipy.sparse.coo_array((costs, (self.rows, self.cols)), shape=(self.n, self.n)).tocsr())


@family(
    "netgen-transport",
    source=SOURCE,
    sizes=(100, 400, 1600),
    variants=({}, {"degree": 29}),
)
def build_transport(n: int, seed: int = 0, degree: float = 13) -> Transport:
    """Build the transportation problem of n sources and n sinks, with whole masses of sum 1000 n.

    Parameters
    ----------
    degree : float
        Number of arcs for each source, on average; n at most.
    """
    network = Network(n, _arcs(n, degree), _generator(seed))
    supply = _shares(network.random, SUPPLY * n, n)
    demand = [0] * n
    for row in range(n):
        sinks = list(range(n))
        chosen = [sinks.pop(network.random.draw(1, len(sinks)) - 1) for _ in range(min(2, n))]
        if row == n - 1:
            chosen += [col for col in sinks if demand[col] == 0]
        _distribute(network.random, supply[row], chosen, demand)
        for col in chosen:
            network.random.draw(1, 100)  # the percentage that would give this arc the largest cost
            network.add(row, col, network.random.cost())
        network.add_random(row, [col for col in range(n) if col not in chosen], max(n - 1 - len(chosen), 0))
    return Transport(network.cost(), np.array(supply), np.array(demand), blur=0)


@family(
    "netgen-assignment",
    source=SOURCE,
    sizes=(200, 800, 3200),
    variants=({}, {"degree": 22.5}),
)
def build_assignment(n: int, seed: int = 0, degree: float = 7.5) -> Assignment:
    """Build the assignment problem.

    Parameters
    ----------
    degree : float
        Number of arcs for each row, on average; n at most.
    """
    network = Network(n, _arcs(n, degree), _generator(seed))
    left = list(range(n))
    for row in range(n):
        col = left.pop(network.random.draw(1, len(left)) - 1)
        network.add(row, col, network.random.draw(1, LARGEST_COST))
        network.add_random(row, [other for other in range(n) if other != col], n - 1)
    return Assignment(network.cost())


def _arcs(n: int, degree: float) -> int:
    if not degree >= 2:
        raise ValueError(f"degree = {degree}; give a number of arcs for each row, at least 2")
    return min(round(degree * n), n * n)


def _generator(seed: int) -> Generator:
    return Generator((FIRST_SEED + seed - 1) % (MODULUS - 1) + 1)


def _shares(random: Generator, total: int, n: int) -> list[int]:
    """Return n random masses of this sum: of each equal share, a random part goes to another place."""
    masses, share = [0] * n, total // n
    for place in range(n):
        part = random.draw(1, share)
        masses[random.draw(1, n) - 1] += share - part
        masses[place] += part
    masses[random.draw(1, n) - 1] += total - share * n
    return masses


def _distribute(random: Generator, supply: int, chosen: Sequence[int], demand: list[int]) -> None:
    """Add the supply of a source to the demands of the chosen sinks, as `_shares` does."""
    share = supply // len(chosen)
    for col in chosen:
        part = random.draw(1, share)
        demand[chosen[random.draw(1, len(chosen)) - 1]] += share - part
        demand[col] += part
        random.draw(1, 0)  # a place in the chain of nodes between source and sink, of which there are none here
    demand[chosen[0]] += supply - share * len(chosen)
