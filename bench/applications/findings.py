"""Gain of an answer over a simpler method, in a sentence with measured numbers; also where there is none."""

import math
import pydoc
from collections import Counter
from collections.abc import Callable, Mapping

import numpy as np

from lapmark.bench.data import documentation_vectors
from lapmark.bench.problems import Case
from lapmark.bench.problems.applied import gmm_flow, images_emd, label_transfer, lle_grid, tsne_grid, words
from lapmark.bench.problems.applied.square_grid import Sample, nodes, side
from lapmark.solvers import Matching, Plan, PointCost, Transport, carry
from lapmark.solvers.problem import Problem
from lapmark.solvers.result import Result

#: Draws of labelled images and queries over which nearest neighbours are counted.
DRAWS = 5

#: Topics of Python's manual whose nearest is compared with the related topics that the manual names.
TOPICS = 24

#: Most pairs of masses that the simple plan is computed for.
MOST_PAIRS = 300_000


def finding(case: Case, problem: Problem, result: Result) -> str:
    """Return what an answer gains over a simpler method, "" where none is compared with it."""
    find = _FINDINGS.get(case.problem)
    return find(case, problem, result) if find else ""


def node_of_point(case: Case, result: Result) -> np.ndarray:
    """Return the node of each point in an answer to `tsne-grid` or `lle-grid`, (n,) int."""
    assert isinstance(result, Matching)
    return np.argsort(result.row_to_col) if case.settings["rows"] == "nodes" else result.row_to_col


def sample_of_grid(case: Case) -> Sample:
    """Return the points of a case of `tsne-grid` or `lle-grid`."""
    family = {"tsne-grid": tsne_grid, "lle-grid": lle_grid}[case.problem]
    return family.sample(case.n, case.seed, case.settings["source"])


def _grid(case: Case, problem: Problem, result: Result) -> str:
    """Compare with sorting: points by height into rows, and each row from left to right."""
    points, k = sample_of_grid(case).points, side(case.n)
    rows = np.argsort(points[:, 1], kind="stable").reshape(k, k)
    order = np.take_along_axis(rows, np.argsort(points[rows, 0], axis=1, kind="stable"), axis=1).ravel()
    target = nodes(k)
    moved = float(((points - target[node_of_point(case, result)]) ** 2).sum())
    sorted_ = float(((points[order] - target) ** 2).sum())
    return (
        f"Sorting the images into rows by height, and each row from left to right, is the usual shortcut: "
        f"its sum of squared distances is {_more(sorted_, moved)} the optimum."
    )


def _images(case: Case, problem: Problem, result: Result) -> str:
    source, p = case.settings["source"], case.settings["p"]
    images = images_emd.SOURCES[source]()
    right = Counter[str]()
    for seed in range(case.seed, case.seed + DRAWS):
        queries, found = images_emd.neighbours(images, seed, p)
        for name, order in found.items():
            right[name] += int((images.label[order[:, 0]] == images.label[queries]).sum())
    total, size = DRAWS * images_emd.QUERIES, "×".join(map(str, images.pixels.shape[1:]))
    emd, plain = right["EMD"], right["L2"]
    verdict = "more than" if emd > plain else "as many as" if emd == plain else "fewer than"
    help_ = "helps" if emd > plain else "does not help"
    return (
        f"On images of {size} pixels the earth mover’s distance {help_}: of {total} digits, the nearest of "
        f"{images_emd.LABELLED} labelled ones is the right digit for {emd}, {verdict} the {plain} by the Euclidean "
        "distance of their pixels."
    )


def _words(case: Case, problem: Problem, result: Result) -> str:
    settings = case.settings
    if (settings["vectors"], settings["texts"]) != (words.BUILT_IN, words.BUILT_IN):
        return ""
    library, vectors = documentation_vectors.python_topics(), documentation_vectors.from_python()
    related = related_topics(library)
    asked = sorted(related)[:: max(1, len(related) // TOPICS)][:TOPICS]
    counts = {name: Counter(words.known_words(text, vectors)) for name, text in library.items()}
    moved = counted = 0
    for name in asked:
        others = {other: text for other, text in library.items() if other != name}
        moved += words.nearest(library[name], others, vectors, 1)[0][0] in related[name]
        counted += max(others, key=lambda other: _cosine(counts[name], counts[other])) in related[name]
    verdict = "helps" if moved > counted else "does not help"
    return (
        f"On these texts the word mover’s distance {verdict}: of {len(asked)} topics, the nearest is one that Python’s "
        f"manual calls related for {moved}; by the words that they share, it is for {counted}."
    )


def related_topics(library: Mapping[str, str]) -> dict[str, set[str]]:
    """Return, for each topic of Python's manual that has some, the topics that `help` names as related."""
    known: Mapping[str, object] = pydoc.Helper.topics

    def entry(name: str) -> tuple[str, str] | None:
        value = known.get(name)
        for _ in known:  # some names stand for others
            if not isinstance(value, str):
                break
            value = known.get(value)
        return value if isinstance(value, tuple) else None

    related: dict[str, set[str]] = {}
    for found in filter(None, map(entry, known)):
        for other in filter(None, map(entry, found[1].split())):
            if found[0] != other[0] and {found[0], other[0]} <= library.keys():
                related.setdefault(found[0], set()).add(other[0])
                related.setdefault(other[0], set()).add(found[0])
    return related


def _labels(case: Case, problem: Problem, result: Result) -> str:
    assert isinstance(problem, Transport)
    assert isinstance(result, Plan)
    settings = case.settings
    sample = label_transfer.clouds(case.n, case.seed, settings["source"], settings["target"])
    received = carry(problem, result, np.ones((len(sample.y), 1)))[:, 0]
    bare = int((received < 0.5).sum())
    if not settings["reach"]:
        return f"All mass has to move: {bare} of {case.n:,} points get less than half of a label."
    return (
        f"{bare} of {case.n:,} points are so far from all labels that they get less than half of one. "
        "The label of the nearest point would have coloured them, too."
    )


def _flow(case: Case, problem: Problem, result: Result) -> str:
    chosen = gmm_flow.mixtures(case.n, case.seed, case.settings["d"])
    way = chosen.flow()
    steps, first, last = len(way.losses), way.losses[0], chosen.last_loss(way)
    return f"In {steps} steps the squared distance to the target falls from {first:.3g} to {last:.2g}."


def _masses(case: Case, problem: Problem, result: Result) -> str:
    """Compare with a greedy plan: the nearest pair first, until no mass is left."""
    assert isinstance(problem, Transport)
    if not isinstance(problem.cost, PointCost) or math.prod(problem.shape) > MOST_PAIRS:
        return ""
    cost = problem.cost.dense()
    a, b = np.array(problem.a, np.float64), np.array(problem.b, np.float64)
    greedy = 0.0
    for pair in np.argsort(cost, axis=None, kind="stable").tolist():
        i, j = divmod(pair, len(b))
        mass = min(a[i], b[j])
        a[i] -= mass
        b[j] -= mass
        greedy += mass * cost[i, j]
    more = _more(greedy, result.cost)
    return f"Moving between the nearest pairs first, until no mass is left, costs {more} the optimum."


def _cosine(one: Counter[str], other: Counter[str]) -> float:
    """Return the cosine of the angle between counts of words."""
    size = math.sqrt(sum(k * k for k in one.values()) * sum(k * k for k in other.values()))
    return sum(k * other[word] for word, k in one.items()) / size if size else 0.0


def _more(value: float, least: float) -> str:
    """Return how much larger a value is than the least possible one."""
    if least <= 0:
        return "as large as" if value <= 0 else "more than"
    share = value / least - 1
    return f"{100 * share:.0f} % more than" if share < 2 else f"{value / least:.1f} times"


_FINDINGS: dict[str, Callable[[Case, Problem, Result], str]] = {
    "gmm-flow": _flow,
    "images-emd": _images,
    "label-transfer": _labels,
    "lle-grid": _grid,
    "masses": _masses,
    "tsne-grid": _grid,
    "words": _words,
}
