"""How far verdicts can be trusted: gates, `asv continuous` and a t-test on the same pairs of commits of two projects.

    git clone https://github.com/bmc/munkres; git clone https://github.com/gatagat/lap
    python tests/bench/gate/trust.py munkres lap --to trust

The first project is pure Python, the second C++. Each gets a plugin file that makes it a solver with a counter, and
commits that differ from that in a comment, in 2 % of work, and in a quarter of the time of a call. Meanwhile two
processes keep the cores busy now and then, as on a shared machine. The table is written to the folder as Markdown; a
run that is stopped continues. It takes about an hour and a half.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing import Process
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "helpers"))

from commits import commit, git
from scipy.stats import ttest_ind

#: Gates of identical code, and of each planted change.
SAME, PLANTED = 20, 10

TITLES = {"same": "identical code", "work": "2 % more work", "time": "25 % more time"}

#: Level of significance of the t-test, and the samples on each side.
LEVEL, SAMPLES = 0.05, 30

SPIN = """

import time as _time


def _slowly(function):
    def call(*arguments, **options):
        start = _time.perf_counter()
        result = function(*arguments, **options)
        end = _time.perf_counter() * 1.25 - start * 0.25
        while _time.perf_counter() < end:
            pass
        return result

    return call

"""

CONFIGURATION = """
[build-system]
requires = [{requires}]
build-backend = "setuptools.build_meta"

[tool.lapmark.gate]
plugins = ["lapmark_gate.py"]
problems = ["uniform:dtype=float64"]
sizes = [{n}]
"""

MUNKRES = """
import munkres
import numpy as np
from lapmark import Capabilities, Matching, register


class Counted(munkres.Munkres):
    calls = 0

    def _Munkres__find_a_zero(self, *place):
        self.calls += 1
        return super()._Munkres__find_a_zero(*place)


@register("munkres", Capabilities(exact=True, counters={"searches"}))
def solve(problem):
    solver = Counted()
    pairs = solver.compute(problem.cost.dense().tolist())
    return Matching.of(problem, np.array([column for _, column in sorted(pairs)]), counters={"searches": solver.calls})
"""

MUNKRES_WORK = """

def _repeat(find):
    def again(self, *place):
        self.found = getattr(self, "found", 0) + 1
        if self.found % 30 == 0:
            self._Munkres__find_a_zero(*place)
        return find(self, *place)

    return again


Munkres._Munkres__find_a_zero = _repeat(Munkres._Munkres__find_a_zero)
"""

LAP = """
import lap
import numpy as np
from lap import _lapjv
from lapmark import Capabilities, Matching, register


@register("lap-here", Capabilities(exact=True, counters={"scans"}))
def solve(problem):
    before = _lapjv.scans()
    columns = lap.lapjv(np.ascontiguousarray(problem.cost.dense()), return_cost=False)[0]
    return Matching.of(problem, columns, counters={"scans": _lapjv.scans() - before})
"""


@dataclass(frozen=True)
class Project:
    """A project: its plugin, the size of the problem, requirements of its build, and files of each commit.

    `call` is the statement that solves a matrix `C`, after `imports`.
    """

    name: str
    plugin: str
    n: int
    requires: str
    imports: str
    call: str
    changes: Callable[[Path], Mapping[str, Mapping[str, str]]]


def munkres_changes(folder: Path) -> Mapping[str, Mapping[str, str]]:
    """Return the files that each commit changes."""
    text = (folder / "munkres.py").read_text()
    slow = SPIN + "Munkres.compute = _slowly(Munkres.compute)\n"
    files = {"same": "\n# Nothing else.\n", "work": MUNKRES_WORK, "time": slow}
    # Its own script finds the version by sys.argv, which a builder does not set.
    setup = "from setuptools import setup\nsetup(name='munkres', version='1', py_modules=['munkres'])\n"
    return {"base": {"setup.py": setup}, **{name: {"munkres.py": text + more} for name, more in files.items()}}


def lap_changes(folder: Path) -> Mapping[str, Mapping[str, str]]:
    """Return the files that each commit changes."""
    cpp, pyx, init = (
        (folder / name).read_text() for name in ("_lapjv_cpp/lapjv.cpp", "_lapjv_cpp/_lapjv.pyx", "lap/__init__.py")
    )
    row = "        rr_cnt++;\n"
    counted = cpp.replace(row, f"{row}        lap_scans++;\n").replace(
        '#include "lapjv.h"', '#include "lapjv.h"\n\nlong long lap_scans = 0;', 1
    )
    condition = "rr_cnt % 50 == 0"
    loop = (
        f"for (uint_t j = 0; {condition} && j < n; j++) {{\n            unused = unused + cost[current][j];\n        }}"
    )
    again = f"        volatile cost_t unused = 0;\n        {loop}\n        lap_scans += {condition};\n"
    work = counted.replace("        lap_scans++;\n", f"        lap_scans++;\n{again}")
    assert cpp != counted != work
    reader = pyx.replace(
        'cdef extern from "lapjv.h" nogil:\n', 'cdef extern from "lapjv.h" nogil:\n    long long lap_scans\n'
    )
    base = {
        "_lapjv_cpp/lapjv.cpp": counted,
        "_lapjv_cpp/lapjv.h": (folder / "_lapjv_cpp/lapjv.h").read_text() + "\nextern long long lap_scans;\n",
        "_lapjv_cpp/_lapjv.pyx": reader + "\n\ndef scans():\n    return lap_scans\n",
    }
    return {
        "base": base,
        "same": {"_lapjv_cpp/lapjv.cpp": counted + "/* Nothing else. */\n"},
        "work": {"_lapjv_cpp/lapjv.cpp": work},
        "time": {"lap/__init__.py": init + SPIN + "lapjv = _slowly(lapjv)\n"},
    }


PROJECTS = {
    "munkres": Project(
        "munkres",
        MUNKRES,
        16,
        '"setuptools"',
        "import munkres",
        "munkres.Munkres().compute(C.tolist())",
        munkres_changes,
    ),
    "lap": Project("lap", LAP, 400, '"setuptools", "cython", "numpy"', "import lap", "lap.lapjv(C)", lap_changes),
}


def prepare(project: Project, clone: Path, folder: Path) -> None:
    """Write the commits of a project to a new repository, each tagged by its name."""
    if folder.exists():
        return
    part = folder.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    shutil.copytree(clone, part, ignore=shutil.ignore_patterns(".git", "build", "test"))
    changes = dict(project.changes(part))
    configuration = CONFIGURATION.format(requires=project.requires, n=project.n)
    setup = f"{project.imports}\nimport numpy as np\nC = np.random.default_rng(0).random(({project.n}, {project.n}))\n"
    benchmark = f"{setup}\n\ndef time_solve():\n    {project.call}\n"
    build = "python -m pip wheel --no-deps -w {build_cache_dir} {build_dir}"
    kept = {"build_command": [build], "build_cache_size": len(TITLES) + 1, "benchmark_dir": "benchmarks"}
    asv = {"version": 1, "project": project.name, "repo": ".", "branches": ["main"], "environment_type": "virtualenv"}
    files = {
        "pyproject.toml": configuration,
        "lapmark_gate.py": project.plugin,
        "benchmarks/__init__.py": "",
        "benchmarks/solve.py": benchmark,
        "asv.conf.json": json.dumps({**asv, **kept, "matrix": {"req": {"numpy": []}}}),
        ".gitignore": "results\n.asv\n",
    }
    commit(part, {**files, **changes.pop("base")}, tag="base")
    for name, changed in changes.items():
        git(part, "checkout", "--quiet", "-b", f"change-{name}", "base")
        commit(part, changed, tag=name)
    part.rename(folder)


def gate(folder: Path, change: str, number: int) -> bool:
    """Return whether a gate says that a change is worse."""
    rounds = ("--rounds", "1") if change == "work" else ("--total", "80s")
    to = ("--to", f"../gates/{folder.name}-{change}-{number}", "--fresh")
    done = run(folder, "lapmark", "gate", "base", change, *rounds, *to)
    assert f"{done.returncode} {done.stdout[:5]}" in ("0 Nothi", "1 Worse"), done.stdout + done.stderr
    return done.returncode == 1


def asv(folder: Path, change: str, number: int) -> bool:
    """Return whether asv says that a change is worse, in its interleaved mode."""
    done = run(folder, "asv", "continuous", "--interleave-rounds", "--factor", "1.1", "base", change)
    text = done.stdout + done.stderr
    assert "BENCHMARKS NOT SIGNIFICANTLY CHANGED" in text or "PERFORMANCE" in text or "SOME BENCHMARKS" in text, text
    return "PERFORMANCE DECREASED" in text


def t_test(folder: Path, change: str, number: int) -> bool:
    """Return whether a t-test finds one commit slower than the other, each sampled by one process."""
    sides = []
    for name in ("base", change):
        site = folder.parent / f"{folder.name}-{name}-site"
        if not site.exists():
            tree = folder.parent / f"{folder.name}-{name}-tree"
            git(folder, "worktree", "add", "--force", "--detach", str(tree), name)
            run(tree, sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(site), ".")
        project = PROJECTS[folder.name]
        code = (
            f"{project.imports}\nimport time, numpy as np\nC = np.random.default_rng(0).random(({project.n},) * 2)\n"
            f"{project.call}\nfor _ in range({SAMPLES}):\n    t = time.perf_counter()\n    {project.call}\n"
            "    print(time.perf_counter() - t)\n"
        )
        environment = {**os.environ, "PYTHONPATH": str(site)}
        done = subprocess.run(
            [sys.executable, "-P", "-c", code], env=environment, capture_output=True, text=True, check=True
        )
        sides.append([float(line) for line in done.stdout.split()])
    found = ttest_ind(*sides, equal_var=False)
    return bool(found.pvalue < LEVEL and found.statistic < 0)


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder, with the programs of this interpreter's environment."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "COLUMNS": "100", "LAPMARK_LOCK": str(folder.parent / "lock")}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def disturb(seed: int) -> None:
    """Use a core now and then, for a tenth of a second to two."""
    turns = random.Random(seed)
    while True:
        end = time.monotonic() + turns.uniform(0.1, 2)
        while time.monotonic() < end:
            pass
        time.sleep(turns.uniform(0.1, 4))


METHODS = {"lapmark gate": gate, "asv continuous": asv, "t-test": t_test}


def main() -> None:
    """Measure what is missing, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clones", nargs="+", type=Path, help="clones of " + " and ".join(PROJECTS))
    parser.add_argument("--to", type=Path, required=True, help="folder of the results")
    parser.add_argument("--disturb", type=int, default=2, help="processes that use a core now and then; default: 2")
    parser.add_argument("--changes", nargs="+", choices=TITLES, default=list(TITLES), help="default: all")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS), help="default: all")
    options = parser.parse_args()
    options.to.mkdir(parents=True, exist_ok=True)
    disturbers = [Process(target=disturb, args=(seed,), daemon=True) for seed in range(options.disturb)]
    for process in disturbers:
        process.start()
    for number in range(SAME):  # in turns, so that a stopped run has something of each
        for clone in options.clones:
            folder = (options.to / clone.name).absolute()
            prepare(PROJECTS[clone.name], clone, folder)
            store = folder.with_suffix(".json")
            verdicts = known(store)
            for change in options.changes:
                for method in options.methods if change == "same" or number < PLANTED else ():
                    key = f"{clone.name}/{change}/{method}/{number}"
                    if key not in verdicts:
                        started = time.monotonic()
                        verdicts[key] = METHODS[method](folder, change, number)
                        store.write_text(json.dumps(verdicts, indent=1))
                        print(
                            f"{key}: {'worse' if verdicts[key] else '-'}, {time.monotonic() - started:.0f} s",
                            flush=True,
                        )
    found = {key: value for store in options.to.glob("*.json") for key, value in known(store).items()}
    (options.to / "table.md").write_text(table(found))


def known(store: Path) -> dict[str, bool]:
    """Return the verdicts that a file has."""
    return json.loads(store.read_text()) if store.exists() else {}


def table(verdicts: Mapping[str, bool]) -> str:
    """Return the shares of verdicts `worse` as Markdown."""
    lines = [f"| project | commits | {' | '.join(METHODS)} |", f"|---|---|{'---:|' * len(METHODS)}"]
    for project in dict.fromkeys(key.split("/")[0] for key in verdicts):
        for change, title in TITLES.items():
            shares = []
            for method in METHODS:
                found = [value for key, value in verdicts.items() if key.startswith(f"{project}/{change}/{method}/")]
                shares.append(f"{sum(found)} of {len(found)}")
            lines.append(f"| {project} | {title} | {' | '.join(shares)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
