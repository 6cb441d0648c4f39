"""Many threads at once: the answers of one thread, one set of solvers, and no GIL where Python can do without it."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
import pytest
import scipy.sparse

from lapmark import (
    Assignment,
    Capabilities,
    DenseCost,
    GridCost,
    Matching,
    PointCost,
    SparseCost,
    Transport,
    certify,
    emd,
    linear_sum_assignment,
    loss,
    register,
    solve,
    solve_batch,
)
from lapmark.solvers import plugins, registry
from lapmark.solvers.problem import Problem

THREADS, ROUNDS = 8, 6

rng = np.random.default_rng(0)
MATRIX, FLOATS = rng.random((150, 150)), rng.random((60, 90), dtype=np.float32)
X, Y = rng.random((80, 2)), rng.random((80, 2))
HISTOGRAMS = rng.dirichlet(np.ones(64), size=2)


def new_problems() -> dict[str, Problem]:
    """Problems that threads share: what one keeps of itself is found by whichever thread first asks for it."""
    return {
        "matrix": Assignment(DenseCost(MATRIX)),
        "rectangular float32 matrix": Assignment(DenseCost(FLOATS)),
        "points": Assignment(PointCost(X, Y)),
        "pairs": Assignment(SparseCost(scipy.sparse.csr_array(np.where(MATRIX < 0.2, MATRIX + 1, 0)))),
        "transport": Transport(DenseCost(MATRIX[:64, :64]), *HISTOGRAMS),
        "transport of points": Transport(PointCost(X[:64], Y[:64]), *HISTOGRAMS),
        "transport on a grid": Transport(GridCost((8, 8)), *HISTOGRAMS),
        "entropic transport": Transport(PointCost(X[:64], Y[:64]), *HISTOGRAMS, blur=0.1),
    }


def proven(problem: Problem) -> float:
    answer = solve(problem)
    assert certify(problem, answer).valid
    return answer.cost


def of_functions(blurred: Transport) -> list[float]:
    """Results of the functions that take arrays or histograms."""
    rows, cols = linear_sum_assignment(MATRIX[:20, :20])
    batch = solve_batch(MATRIX[:120].reshape(-1, 5, 6), threads=2)
    distances = emd(DenseCost(MATRIX[:64, :64]), HISTOGRAMS[:, None], HISTOGRAMS, threads=2)
    return [MATRIX[rows, cols].sum(), *batch.cost, *distances.ravel(), loss(blurred).value]


def results(problems: dict[str, Problem], seed: int) -> dict[str, Any]:
    """Solve everything in a random order; return costs by name."""
    works: dict[str, Callable[[], Any]] = {name: partial(proven, problem) for name, problem in problems.items()}
    works["functions"] = partial(of_functions, problems["entropic transport"])
    return {name: works[name]() for name in np.random.default_rng(seed).permutation(list(works))}


def at_once(work: Callable[[int], Any]) -> list[Any]:
    """Run work(0), …, work(THREADS − 1) on threads that start at the same moment."""
    gate = threading.Barrier(THREADS)

    def run(k: int) -> Any:
        gate.wait()
        return work(k)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS)))


def test_threads_solve_everything_at_once_as_one_thread_does() -> None:
    expected = results(new_problems(), 0)
    for _ in range(ROUNDS):
        assert at_once(partial(results, new_problems())) == [expected] * THREADS


FIRST_USE = f"""
import threading
import lapmark
gate, found = threading.Barrier({THREADS}), []
def use(k):
    gate.wait()
    if k % 2:
        lapmark.solve(lapmark.Assignment(lapmark.DenseCost([[k + 1.0]])))
    found.append(lapmark.names())
threads = [threading.Thread(target=use, args=(k,)) for k in range({THREADS})]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
assert len(found) == {THREADS} and all(names == lapmark.names() for names in found), found
"""


@pytest.mark.parametrize("_", range(3))
def test_first_use_by_threads_at_once_finds_every_solver(_: int) -> None:
    done = subprocess.run([sys.executable, "-W", "error", "-c", FIRST_USE], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_loading_once_makes_other_threads_wait_until_it_is_done() -> None:
    calls, done = [], threading.Event()

    def load() -> None:
        calls.append(1)
        threading.Event().wait(0.05)
        done.set()

    once = registry._once(load)

    def use(_: int) -> bool:
        once()
        return done.is_set()

    assert all(at_once(use))
    assert calls == [1]


def test_loading_once_can_ask_for_itself_as_a_plugin_does() -> None:
    calls = []

    def load() -> None:
        calls.append(1)
        if len(calls) == 1:
            once()

    once = registry._once(load)
    once()
    once()
    assert len(calls) == 2


def test_name_that_threads_register_at_once_is_one_thread_s(monkeypatch: pytest.MonkeyPatch) -> None:
    registry.solvers()
    monkeypatch.setattr(registry, "_solvers", dict(registry._solvers))

    def claim(k: int) -> bool:
        def solver(problem: Assignment) -> Matching:
            raise NotImplementedError

        solver.__module__ = f"module{k}"
        try:
            register("claimed", Capabilities(exact=False))(solver)
        except plugins.PluginError:
            return False
        return True

    for _ in range(50):
        registry._solvers.pop("claimed", None)
        assert sum(at_once(claim)) == 1


def test_plugin_s_registrations_are_its_own_though_another_thread_registers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    registry.solvers()
    monkeypatch.setattr(registry, "_solvers", dict(registry._solvers))
    made = plugins.registration.new_load(plugin="plugin.py")

    def elsewhere() -> None:
        def solver(problem: Assignment) -> Matching:
            raise NotImplementedError

        solver.__module__ = "elsewhere"
        register("elsewhere", Capabilities(exact=False))(solver)

    with plugins.registration.under_way(made):
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
    assert registry.get("elsewhere").origin.plugin is None
    assert not made.entries


@pytest.mark.skipif(getattr(sys, "_is_gil_enabled", lambda: True)(), reason="this Python runs with the GIL")
def test_import_leaves_the_gil_off() -> None:
    code = (
        "import sys, lapmark; lapmark.names(); import importlib, pkgutil, lapmark.solvers.native as native;"
        "[importlib.import_module(f'{native.__name__}.{each.name}') for each in pkgutil.iter_modules(native.__path__)];"
        "sys.exit(sys._is_gil_enabled())"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)
