"""Facts about this machine, and the commit or digest of the source that runs on it."""

import contextlib
import functools
import hashlib
import os
import platform
import subprocess
from collections.abc import Iterable
from pathlib import Path

import psutil

from lapmark.solvers.native._kernels import INSTRUCTION_SETS

from . import measuring_support

_ROOT = Path(__file__).resolve().parents[2]

#: Paths that affect measurements; the documentation and the reports do not.
SOURCES = ("src", "solvers", "bench", "pyproject.toml", "meson.build")


@functools.cache
def machine() -> dict[str, object]:
    """Return facts about this machine; equal facts mean that measurements can be compared.

    `lacks` names what the system does not offer to measure with; without it, nothing is missing.
    """
    facts: dict[str, object] = {
        "cpu": _processor(),
        "cores": os.cpu_count() or 1,
        "memory": psutil.virtual_memory().total,
        "system": f"{platform.system()} {platform.release()}",
        "architecture": platform.machine(),
        "instruction_set": INSTRUCTION_SETS[-1],
        "python": platform.python_version(),
    }
    if missing := measuring_support.missing():
        facts["lacks"] = ", ".join(missing)
    return facts


@functools.cache
def commit() -> str | None:
    """Return the commit of the source, with `+` and a digest of uncommitted changes; None without a checkout.

    New files count as changes, unless git ignores them.
    """
    head = _git("rev-parse", "HEAD")
    if head is None:
        return None
    changes = _git("diff", "--no-ext-diff", "--no-textconv", "--no-color", "--binary", "HEAD", "--", *SOURCES)
    new = _git("ls-files", "--others", "--exclude-standard", "-z", "--full-name", "--", *SOURCES)
    if changes is None or new is None:  # rather measure again than reuse results that may be of other code
        return f"{head.decode()}+{_digest_of_sources()}"
    files = [_ROOT / os.fsdecode(name) for name in new.split(b"\0") if name]
    return head.decode() + (f"+{_digest(changes, files)}" if changes or files else "")


@functools.cache
def source() -> str:
    """Return the commit, or without a checkout a digest of the installed files."""
    return commit() or _digest_of_sources()


def _digest_of_sources() -> str:
    """Return a digest of the files of the packages, including compiled ones."""
    folders = [_ROOT / name for name in SOURCES if (_ROOT / name).is_dir()]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return _digest(b"", [path for path in files if "__pycache__" not in path.parts])


def _digest(start: bytes, files: Iterable[Path]) -> str:
    state = hashlib.sha256(start)
    for path in sorted(files):
        with contextlib.suppress(OSError):  # skip deleted files and folders
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            state.update(f"\0{path.relative_to(_ROOT)}\0{content}".encode())
    return state.hexdigest()[:8]


def _git(*arguments: str) -> bytes | None:
    if not (_ROOT / ".git").exists():  # an installed package may be inside another project's checkout
        return None
    try:
        done = subprocess.run(["git", "-C", _ROOT, *arguments], capture_output=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _processor() -> str:
    """Return the model name of the processor."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    except OSError:
        pass
    # Slow, because it may run programs; only where the kernel does not tell.
    import cpuinfo

    return str(cpuinfo.get_cpu_info().get("brand_raw") or platform.processor() or platform.machine())
