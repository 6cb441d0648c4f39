"""Solvers with real faults, for the harness to survive and to record with the right status.

Each answers small problems rightly, so that its warm-up passes and the fault comes in a timed call.
"""

from __future__ import annotations

import atexit
import ctypes
import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np

from lapmark import Assignment, Capabilities, Infeasible, Matching, Unsupported, register, solve

#: An argument that marks the processes started here, for a test to look for.
SLEEP = "86397"


def solver(name: str) -> Callable[[Callable[[Assignment], object]], object]:
    def add(fault: Callable[[Assignment], object]) -> object:
        @register(name, Capabilities(exact=True))
        def function(problem: Assignment) -> object:
            return answer(problem) if problem.shape[0] <= 16 else fault(problem)

        return function

    return add


def answer(problem: Assignment) -> Matching:
    """Return the optimum, without duals to prove it."""
    return replace(solve(problem, "jv"), u=None, v=None)


@solver("well-behaved")
def well_behaved(problem: Assignment) -> object:
    return answer(problem)


@solver("segfault")
def segfault(problem: Assignment) -> object:
    return ctypes.string_at(0)


@register("segfault-at-once", Capabilities(exact=True))
def segfault_at_once(problem: Assignment) -> object:
    return ctypes.string_at(0)


@solver("abort")
def abort(problem: Assignment) -> object:
    print("assertion failed: prices are finite", file=sys.stderr, flush=True)
    return ctypes.CDLL(None).abort()


@solver("hang-with-the-lock")
def hang_with_the_lock(problem: Assignment) -> object:
    return ctypes.PyDLL(None).pause()  # PyDLL keeps the interpreter's lock


@solver("hang-ignoring-signals")
def hang_ignoring_signals(problem: Assignment) -> object:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    while True:
        time.sleep(1)


@register("hang-later", Capabilities(exact=True))
def hang_later(problem: Assignment) -> object:
    if problem.shape[0] > 16:
        hang_later.calls = getattr(hang_later, "calls", 0) + 1
        if hang_later.calls == 6:
            time.sleep(600)
    return answer(problem)


@solver("greedy")
def greedy(problem: Assignment) -> object:
    hoard = []
    while True:
        hoard.append(np.ones(1 << 20))
        time.sleep(0.001)


@solver("greedy-at-once")
def greedy_at_once(problem: Assignment) -> object:
    return np.ones(1 << 30)


@solver("greedy-child")
def greedy_child(problem: Assignment) -> object:
    code = "import time, numpy as np\nhoard = []\nwhile True: hoard.append(np.ones(1 << 20)); time.sleep(0.02)"
    return subprocess.run([sys.executable, "-c", code], check=False)


@solver("greedy-grandchild")
def greedy_grandchild(problem: Assignment) -> object:
    """Allocate in a process of another session, without parent or environment."""
    code = "import time\nhoard = []\nwhile len(hoard) < 500: hoard.append(b'x' * (1 << 23)); time.sleep(0.02)"
    if not os.fork():
        if not os.fork():
            os.setsid()
            os.execve(sys.executable, [sys.executable, "-c", code], {})
        os._exit(0)
    os.wait()
    return time.sleep(600)


@solver("shares")
def shares(problem: Assignment) -> object:
    """Fork eight children that read the worker's memory and allocate none themselves."""
    held = np.ones(10 << 20)
    children = []
    for _ in range(8):
        if child := os.fork():
            children.append(child)
        else:
            time.sleep(2 * held[0])
            os._exit(0)
    for child in children:
        os.waitpid(child, 0)
    return answer(problem)


@solver("bombs")
def bombs(problem: Assignment) -> object:
    """Start 32 processes, each in its own session, most without a parent, all with an empty environment."""
    worker = os.getpid()
    for _ in range(5):
        if not os.fork():
            os.setsid()
    if os.getpid() != worker:
        os.execve("/bin/sleep", ["sleep", SLEEP], {})
    time.sleep(0.3)  # until all of them sleep: what they do after its clock has stopped would be held against it
    return answer(problem)


@solver("runs-away")
def runs_away(problem: Assignment) -> object:
    for _ in range(300):
        if not os.fork():
            os.execve("/bin/sleep", ["sleep", SLEEP], {})
    return time.sleep(600)


@solver("corrupts-its-heap")
def corrupts_its_heap(problem: Assignment) -> object:
    """Write beyond a block, over the allocator's own data, as a wrong index in C does."""
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    block = libc.malloc(ctypes.c_size_t(24))
    ctypes.memset(block + 24, 0x41, 1 << 12)
    for size in range(1000, 100_000, 1000):
        libc.free(ctypes.c_void_p(libc.malloc(ctypes.c_size_t(size))))
    return answer(problem)


@solver("stops-itself")
def stops_itself(problem: Assignment) -> object:
    return os.kill(os.getpid(), signal.SIGSTOP)


@solver("kills-its-group")
def kills_its_group(problem: Assignment) -> object:
    return os.killpg(0, signal.SIGKILL)


@solver("closes-its-descriptors")
def closes_its_descriptors(problem: Assignment) -> object:
    os.closerange(0, 1 << 10)
    return answer(problem)


def reports() -> list[int]:
    """Return the descriptors through which the worker may report: pipes other than its output."""
    numbers = [int(name) for name in os.listdir("/proc/self/fd")]
    pipes = [number for number in numbers if number > 2 and os.path.exists(f"/proc/self/fd/{number}")]
    return [number for number in pipes if os.readlink(f"/proc/self/fd/{number}").startswith("pipe:")]


@solver("scribbles")
def scribbles(problem: Assignment) -> object:
    for number in reports():
        os.write(number, b"\xff\x00 prices: 1 2 3\n")
    return answer(problem)


@solver("scribbles-without-end")
def scribbles_without_end(problem: Assignment) -> object:
    while True:
        for number in reports():
            os.write(number, b"[" * (1 << 16))


@solver("forges")
def forges(problem: Assignment) -> object:
    for number in reports():
        os.write(number, b'{"event": "sample", "seconds": "soon", "counted": true, "peak": []}\n')
    return answer(problem)


@solver("forges-the-end")
def forges_the_end(problem: Assignment) -> object:
    for number in reports():
        os.write(number, b'{"event": "done", "matrix": "as good as any"}\n')
    return answer(problem)


@solver("spoils-its-answer")
def spoils_its_answer(problem: Assignment) -> object:
    """Overwrite the answer's file after the worker has written it."""
    kept = [os.dup(int(name)) for name in os.listdir("/proc/self/fd") if os.path.isfile(f"/proc/self/fd/{name}")]
    deleted = [number for number in kept if os.readlink(f"/proc/self/fd/{number}").endswith("(deleted)")]
    atexit.register(lambda: [os.pwrite(number, b"spoilt" * 1000, 0) for number in deleted])
    return answer(problem)


@solver("not-a-permutation")
def not_a_permutation(problem: Assignment) -> object:
    return Matching.of(problem, np.zeros(problem.shape[0], dtype=np.intp))


@solver("lies-about-its-cost")
def lies_about_its_cost(problem: Assignment) -> object:
    honest = answer(problem)
    return replace(honest, cost=honest.cost / 2)


@solver("lies-about-the-optimum")
def lies_about_the_optimum(problem: Assignment) -> object:
    return Matching.of(problem, np.arange(problem.shape[0]))


@solver("fickle")
def fickle(problem: Assignment) -> object:
    fickle.calls = getattr(fickle, "calls", 0) + 1  # type: ignore[attr-defined]
    return answer(problem) if fickle.calls % 3 else lies(problem)  # type: ignore[attr-defined]


def lies(problem: Assignment) -> Matching:
    return Matching.of(problem, np.arange(problem.shape[0])[::-1])


@solver("answers-nothing")
def answers_nothing(problem: Assignment) -> object:
    return None


@solver("answers-text")
def answers_text(problem: Assignment) -> object:
    return Matching(np.array(["a", "b"]), 1.0)


@solver("raises")
def raises(problem: Assignment) -> object:
    raise ArithmeticError("prices diverged")


@solver("refuses")
def refuses(problem: Assignment) -> object:
    raise Unsupported("takes up to 16 rows")


@solver("exits")
def exits(problem: Assignment) -> object:
    sys.exit("enough")


@solver("leaves")
def leaves(problem: Assignment) -> object:
    os._exit(0)


@solver("floods")
def floods(problem: Assignment) -> object:
    for _ in range(64):
        os.write(1, b"x" * (1 << 16))
        os.write(2, b'{"event": "done"}\n' * 100)
    return answer(problem)


@solver("floods-for-long")
def floods_for_long(problem: Assignment) -> object:
    for _ in range(300):
        os.write(1, b"x" * (1 << 20))
    return answer(problem)


@solver("leaves-a-flood")
def leaves_a_flood(problem: Assignment) -> object:
    """Die while a child prints forever."""
    if not os.fork():
        while True:
            os.write(1, b"x" * (1 << 16))
    return abort(problem)


@solver("modifies-its-input")
def modifies_its_input(problem: Assignment) -> object:
    matching = answer(problem)
    problem.cost.dense()[0] += 1
    return matching


@solver("forks")
def forks(problem: Assignment) -> object:
    """Leave two children: one that continues as if it were the worker, one in its own session."""
    if not hasattr(forks, "left"):
        forks.left = True
        os.fork()
        subprocess.Popen(["sleep", SLEEP], start_new_session=True)
    return answer(problem)


@solver("saves-at-exit")
def saves_at_exit(problem: Assignment) -> object:
    """Write a file slowly at exit, as packages do with their caches."""
    atexit.register(_save)
    return answer(problem)


def _save() -> None:
    atexit.unregister(_save)
    with Path(os.environ["LAPMARK_TEST_FOLDER"], "saved").open("w") as file:
        time.sleep(0.3)
        file.write("whole")


@solver("lingers")
def lingers(problem: Assignment) -> object:
    atexit.register(time.sleep, 3600)
    return answer(problem)


_compiled_for: set[tuple[int, ...]] = set()


@register("compiles", Capabilities(exact=True, compiles=True))
def compiles(problem: Assignment) -> object:
    """Fail unless it was warmed up on the shape that is timed."""
    matrix = problem.cost.dense()
    if not matrix.any():
        _compiled_for.add(matrix.shape)
    elif matrix.shape not in _compiled_for:
        raise ArithmeticError("would compile inside the clock")
    return answer(problem)


# These take forbidden pairs, and claim that no matching exists, or should.


def forbidding(name: str) -> Callable[[Callable[[Assignment], object]], object]:
    def add(function: Callable[[Assignment], object]) -> object:
        return register(name, Capabilities(exact=True, rectangular=True, forbidden=True))(function)  # type: ignore[arg-type]

    return add


@forbidding("gives-up-with-proof")
def gives_up_with_proof(problem: Assignment) -> object:
    return solve(problem, "jv")


@forbidding("gives-up-without-proof")
def gives_up_without_proof(problem: Assignment) -> object:
    raise Infeasible("no matching")


@forbidding("gives-up-with-a-wrong-proof")
def gives_up_with_a_wrong_proof(problem: Assignment) -> object:
    raise Infeasible.hall(np.arange(2), np.arange(1))


@forbidding("matches-forbidden-pairs")
def matches_forbidden_pairs(problem: Assignment) -> object:
    return Matching(np.arange(problem.shape[0]), np.inf)


@forbidding("leaves-rows-out")
def leaves_rows_out(problem: Assignment) -> object:
    return Matching(np.full(problem.shape[0], -1), 0.0)


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise ValueError("there are no words for it")


@solver("raises-the-unspeakable")
def raises_the_unspeakable(problem: Assignment) -> object:
    raise Unspeakable


@solver("raises-at-length")
def raises_at_length(problem: Assignment) -> object:
    """Raise a text with terminal control sequences and half a character."""
    raise ArithmeticError("\x1b[2J\x1b]0;title\x07" + "\udc80" + "prices diverged " * 1_000_000)


@solver("answers-with-objects")
def answers_with_objects(problem: Assignment) -> object:
    return replace(answer(problem), row_to_col=np.array([{"column": 0}] * problem.shape[0]))


@solver("answers-with-a-broadcast")
def answers_with_a_broadcast(problem: Assignment) -> object:
    """Answer with one number broadcast to a terabyte."""
    return replace(answer(problem), u=np.broadcast_to(0.0, 1 << 37))


@solver("hangs-while-it-writes")
def hangs_while_it_writes(problem: Assignment) -> object:
    class Slow:
        def __array__(self, *_: object, **__: object) -> np.ndarray:
            return time.sleep(600)  # type: ignore[return-value]

    return replace(answer(problem), row_to_col=Slow())


@solver("counts-without-end")
def counts_without_end(problem: Assignment) -> object:
    counters = {"\x1b[31mscans": 1, "infinite": np.inf, "long": 10**400, "many": 3, "none": None}
    return replace(answer(problem), counters=counters | {f"counter{k}": k for k in range(100_000)})


@solver("counts-in-a-list")
def counts_in_a_list(problem: Assignment) -> object:
    return replace(answer(problem), counters=[1, 2, 3])


@register("works-on-all-its-cores", Capabilities(exact=True, threads=True))
def works_on_all_its_cores(problem: Assignment, threads: int = 1) -> object:
    """Solve honestly on all cores, for some milliseconds."""
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(hashlib.sha256, threads * [bytes(8 << 20)]))
    return answer(problem)
