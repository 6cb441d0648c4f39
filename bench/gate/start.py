"""A start for a project: settings of its gate, and a workflow for CI, after a look at what the project has."""

from __future__ import annotations

import re
import shutil
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lapmark.bench.system.git_command import git_lines
from lapmark.bench.system.git_repository import Repository
from lapmark.bench.util.atomic_write import write_atomically

from . import templates

#: Names of cost files, and the most bytes of one that a start names: larger ones take more than milliseconds.
DATA, MOST_DATA = ("*.npy", "*.npz", "*.parquet"), 8 << 20

#: Most data files that a start names.
MOST_FILES = 3


@dataclass(frozen=True)
class Found:
    """What a project has: its folder and name, entry points, plugin files, scripts, packages, and small data files."""

    folder: Path
    name: str
    solvers: tuple[str, ...]
    plugins: tuple[str, ...]
    scripts: tuple[str, ...]
    packages: tuple[str, ...]
    data: tuple[str, ...]


def write_start(folder: Path) -> Iterator[str]:
    """Write a start for the project of a folder; yield a line on each file, and what to do next.

    Nothing that exists is overwritten: the settings are added to the end of pyproject.toml.

    Raises
    ------
    ValueError
        The folder is in no git repository, or the project has settings of a gate already.
    """
    repository = Repository.here()
    file = repository.project_root / "pyproject.toml"
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    content = _content(file, text)
    if "gate" in content.get("tool", {}).get("lapmark", {}):
        raise ValueError(f"{file} has a table [tool.lapmark.gate] already: edit that one")
    found = _look(repository, content)
    write_atomically(file, (text.rstrip() + "\n\n" * bool(text.strip()) + settings_text(found)).encode())
    yield f"{_shown(file)}: added [tool.lapmark.gate]"
    for source, target in _workflows(repository):
        if target.exists():
            yield f"{_shown(target)}: exists, and is left as it is"
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        yield f"{_shown(target)}: written"
    if not found.solvers and not found.plugins:
        yield (
            "The project registers no solver yet, so that only a command is measured. A solver is registered by an "
            "entry point of the group lapmark.solvers, or in a file under plugins = […]."
        )
    yield "Next: commit this, change something, and run “lapmark gate HEAD~1”."


def settings_text(found: Found) -> str:
    """Return the settings for a project as TOML, with what is left at its default in comments."""
    lines = ["[tool.lapmark.gate]"]
    if found.solvers:
        lines.append(f"# Solvers: all that the project registers, {', '.join(found.solvers)}.")
    if found.plugins:
        files = ", ".join(f'"{name}"' for name in found.plugins)
        lines.append(f"plugins = [{files}]  # files that register solvers, problems or benchmarks")
    if found.solvers or found.plugins:
        problems = ", ".join(f'"{name}"' for name in ("uniform", *found.data))
        comment = "# " * (not found.data)
        lines.append(f"{comment}problems = [{problems}]  # families (lapmark problems) and files of costs")
    lines += [
        "# sizes = [100]     # default: chosen so that a call takes milliseconds",
        'total = "5m"        # time of measuring, without the builds',
        'threshold = "5%"    # smallest relative change of a time that counts',
    ]
    if not found.solvers and not found.plugins:
        lines += ["", "[[tool.lapmark.gate.command]]", *_command(found)]
    return "\n".join(lines) + "\n"


def _command(found: Found) -> Iterator[str]:
    """Yield the lines of a command that any project has: a script's help, or the import of the package."""
    if found.scripts:
        yield f'name = "{found.scripts[0]}"'
        yield f'run = "{found.scripts[0]} --help"  # put in a job that matters, with a small input'
    else:
        package = found.packages[0] if found.packages else found.name.replace("-", "_")
        yield 'name = "import"'
        yield f"run = \"python -c 'import {package}'\"  # put in a job that matters, with a small input"


def _content(file: Path, text: str) -> Mapping[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{file}: {error}") from None


def _look(repository: Repository, content: Mapping[str, Any]) -> Found:
    folder = repository.project_root
    project = content.get("project") or content.get("tool", {}).get("poetry") or {}
    entries = project.get("entry-points", project.get("plugins", {})).get("lapmark.solvers", {})
    listed = [folder / name for name in git_lines(folder, "ls-files", "-z", "--", *DATA)]
    small = [path for path in listed if path.is_file() and path.stat().st_size <= MOST_DATA]
    packages = [path.parent.name for place in (folder / "src", folder) for path in sorted(place.glob("*/__init__.py"))]
    return Found(
        folder=folder,
        name=project.get("name", folder.name),
        solvers=tuple(entries),
        plugins=() if entries else tuple(_plugins(folder)),
        scripts=tuple(project.get("scripts", {})),
        packages=tuple(name for name in packages if name not in ("tests", "docs", "benchmarks")),
        data=tuple(path.relative_to(folder).as_posix() for path in small[:MOST_FILES]),
    )


def _plugins(folder: Path) -> Iterator[str]:
    """Yield the Python files outside of packages that register something at Lapmark."""
    for name in git_lines(folder, "ls-files", "-z", "--", "*.py"):
        path = folder / name
        if (path.parent / "__init__.py").exists() or not path.is_file():
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        if "lapmark" in text and re.search(r"^@(lapmark\.)?(register|family|benchmark)\b", text, re.MULTILINE):
            yield name


def _workflows(repository: Repository) -> Iterator[tuple[Path, Path]]:
    """Yield the templates to copy for the service that the project uses, and where to."""
    if (repository.root / ".gitlab-ci.yml").exists():
        yield templates.GITLAB, repository.root / ".gitlab" / "lapmark-gate.yml"
        return
    for template in (templates.WORKFLOW, templates.COMMENT):
        yield template, repository.root / ".github" / "workflows" / template.name


def _shown(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
