"""The order of the packages: what may import what, that nothing is imported in a circle, and how large folders are."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("solvers", "bench", "reports")

#: Parts of a package, from the ground up: each imports from parts before its own line only.
LAYERS: Mapping[str, Sequence[Sequence[str]]] = {
    "bench": (
        ("util",),
        ("system", "data", "embeddings", "mixtures"),
        ("worker", "environments", "results", "problems"),
        ("run", "contract", "advice", "applications"),
        ("compare", "asv_benchmarks"),
        ("history",),
        ("gate",),
        ("cli",),
    ),
    "solvers": (
        ("brief", "errors", "native", "plugins", "progress"),
        ("deadline", "validation"),
        ("costs",),
        ("problem",),
        ("result",),
        ("certificate", "registry"),
        ("sinkhorn", "assignment", "auto"),
        ("transport", "solve"),
        ("certify", "emd", "grid_layout", "linear_sum_assignment", "loss", "min_weight_full_bipartite_matching"),
        ("batch",),
    ),
    "reports": (
        ("csv_text", "format"),
        ("tables",),
        ("scaling", "style", "verdicts", "pictures"),
        ("profiles", "standings"),
        ("charts", "export"),
        ("page", "figures"),
        ("history", "map", "published", "report", "summary"),
        ("live_report", "site"),
    ),
}

#: Modules and folders that a folder may hold. `solvers` has a file for each public function, `native` a pair of files
#: for each binding, and `bench/cli` a file for each verb.
MOST_ENTRIES = 26


def modules() -> dict[str, Path]:
    """Every module of the three packages by its dotted name, a package by the name of its folder."""
    files = [file for package in PACKAGES for file in (ROOT / package).rglob("*.py")]
    return {".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): file for file in files}


MODULES = modules()


def imported(module: str) -> set[str]:
    """The modules of ours that a module imports anywhere, within functions too."""
    file = MODULES[module]
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(filter(None, (package if node.level else "", node.module)))
            names |= {base} | {f"{base}.{alias.name}" for alias in node.names}
    names = {name.removeprefix("lapmark.") for name in names}
    # From a package that re-exports, what is imported is one of its modules or the package itself.
    return {
        name
        for name in names & MODULES.keys()
        if not any(other.startswith(f"{name}.") for other in names & MODULES.keys())
    } - {module}


IMPORTS = {module: imported(module) for module in MODULES}


def part(module: str) -> str:
    """The file or folder right below the package that a module belongs to."""
    return module.split(".")[1]


def includes(folder: Path) -> dict[str, set[str]]:
    """The headers that each C file of a folder includes, by name."""
    files = [file for file in folder.rglob("*") if file.suffix in {".c", ".h"}]
    known = {file.name for file in files}
    found = {file.name: set(re.findall(r'#include ".*?([^"/]+)"', file.read_text(encoding="utf-8"))) for file in files}
    return {name: others & known for name, others in found.items()}


def circle(graph: Mapping[str, set[str]]) -> Sequence[str]:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1]
    return ()


def test_modules_are_not_imported_in_a_circle() -> None:
    assert not circle(IMPORTS)


def test_headers_are_not_included_in_a_circle() -> None:
    assert not circle(includes(ROOT / "solvers" / "native"))


#: What differs between systems and compilers, and the files that may use it.
SYSTEM = r"\bpthread|<(?:sched|time|unistd|windows|malloc)\.h>|\baligned_alloc|\bclock_gettime"
COMPILER = r"__builtin_|__attribute__|__int128|__asm__|\btypeof\b"


def test_native_code_calls_system_and_compiler_in_one_place() -> None:
    native = [path for top in ("solvers/native", "tests/native") for path in (ROOT / top).rglob("*.[ch]")]
    found = {
        (path.name, path.parent.name)
        for path in native
        for pattern in (SYSTEM, COMPILER)
        if re.search(pattern, path.read_text(encoding="utf-8"))
    }
    assert {name for name, folder in found if folder != "simd"} == {"portability.c", "portability.h"}


def test_packages_import_in_one_direction() -> None:
    allowed = {"solvers": {"solvers"}, "bench": {"solvers", "bench"}, "reports": {"solvers", "bench", "reports"}}
    wrong = [
        f"{module} imports {other}"
        for module, others in IMPORTS.items()
        for other in others
        if other.split(".")[0] not in allowed[module.split(".")[0]] and not module.startswith("bench.cli.")
    ]
    assert not wrong


@pytest.mark.parametrize("package", LAYERS)
def test_parts_of_a_package_import_from_lower_layers_only(package: str) -> None:
    height = {name: k for k, layer in enumerate(LAYERS[package]) for name in layer}
    own = [module for module in MODULES if module.startswith(f"{package}.")]
    assert {part(module) for module in own} == height.keys()
    wrong = [
        f"{module} imports {other}"
        for module in own
        for other in IMPORTS[module]
        if other.startswith(f"{package}.") and part(other) != part(module)
        if height[part(other)] >= height[part(module)]
    ]
    assert not wrong


def folders() -> Iterator[Path]:
    for package in PACKAGES:
        yield from (path for path in [ROOT / package, *(ROOT / package).rglob("*")] if path.is_dir())


def test_folders_are_small_and_say_what_is_in_them() -> None:
    for folder in folders():
        entries = {entry.name.partition(".")[0] for entry in folder.iterdir()} - {"__pycache__", "__init__"}
        if (folder / "__init__.py").exists():
            assert len(entries) <= MOST_ENTRIES, folder
            assert ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))), folder
