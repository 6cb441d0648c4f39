"""Environments for packages that cannot live with the harness's own, or with each other: made, listed, asked, removed.

An environment is laid over the harness's own: a virtual environment that looks for a package in itself first and in the
harness's folders after. Lapmark is there without being installed again, as is every other package in the version that
the harness has, unless the environment was made for another one. A worker is started with the environment's Python and
is otherwise like any other.

What can run in an environment is asked of its own Python (`bench.environments.inventory`) and kept beside it until something that
decides it has changed. Who runs where is settled in `lapmark.bench.environments.available_solvers`.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.metadata
import importlib.util
import json
import os
import platform
import re
import shutil
import site
import subprocess
import sys
import venv
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import platformdirs

from lapmark.bench.system import file_lock
from lapmark.bench.system.process_tree import ProcessTree
from lapmark.bench.util import cache
from lapmark.bench.util.plain_text import plain
from lapmark.solvers import registry

from .inventory import Inventory

#: Names the folder to use in place of the one that goes with the harness.
VARIABLE = "LAPMARK_ENVIRONMENTS"

#: Lines of pip's output that an error repeats: the last ones say what went wrong.
LAST_WORDS = 12

#: Seconds that a Python may take to say what it has.
PATIENCE = 120.0

#: Seconds that pip gets to clean up after itself once it is interrupted.
FAREWELL = 5.0

_FACTS = "environment.json"


class Unusable(ValueError):
    """An environment is there, but nothing can run in it; the message says why, and what to do."""


@dataclass(frozen=True)
class Environment:
    """An environment that is complete.

    Attributes
    ----------
    name : str
    requirements : tuple of str
        What pip was asked for.
    harness : str
        Prefix of the Python over whose packages it is laid.
    prefix : str
        Folder of the virtual environment.
    """

    name: str
    requirements: tuple[str, ...]
    harness: str
    prefix: str

    @property
    def python(self) -> Path:
        return Path(self.prefix, "bin", "python")

    @property
    def packages(self) -> dict[str, str]:
        """Versions of its own packages, not of those that it shares with the harness."""
        found = importlib.metadata.distributions(path=[str(_packages(Path(self.prefix)))])
        return {distribution.name: distribution.version for distribution in found}


def folder() -> Path:
    """Where the environments of this harness are.

    In the harness's virtual environment, with which they are of no more use; in the user's data folder where it has
    none.
    """
    if named := os.environ.get(VARIABLE):
        return Path(named).absolute()
    if sys.prefix != sys.base_prefix:
        return Path(sys.prefix, "share", "lapmark", "environments")
    return platformdirs.user_data_path("lapmark", appauthor=False) / "environments"


def known() -> dict[str, Environment]:
    """Every environment by name."""
    return {path.parent.name: _read(path) for path in sorted(folder().glob(f"*/{_FACTS}"))}


def get(name: str) -> Environment:
    """The environment of that name; a ValueError with the nearest names where there is none."""
    there = known()
    if name in there:
        return there[name]
    if there:
        raise registry.unknown("environment", name, there)
    raise ValueError(f"no environment is called {name!r}: there is none yet (lapmark env add {name} PACKAGE)")


def add(
    name: str, requirements: Sequence[str], again: bool = False, progress: Callable[[str], None] = lambda line: None
) -> Environment:
    """Make an environment with pip. It is there once it is complete and has been asked what can run in it.

    Parameters
    ----------
    name : str
        Lower case letters, digits, dots, dashes and underscores.
    requirements : sequence of str
        As pip takes them, a folder with a package included. None for those that the environment had before.
    again : bool
        Whether it may take the place of one of this name, which stays until then.
    progress : callable
        Is told each line of pip's.

    Raises
    ------
    ValueError
        For a bad name, one that is taken, or packages that cannot be installed, with pip's last words.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]*", name):
        raise ValueError(f"environment {name!r}: use lower case letters, digits, dots, dashes and underscores")
    with _alone(name):
        before = known().get(name)
        if before and not again:
            raise ValueError(
                f"environment {name} is there already, with {' '.join(before.requirements)}; "
                f"--again makes it anew, “lapmark env remove {name}” removes it"
            )
        requirements = requirements or (before.requirements if before else ())
        if not requirements:
            raise ValueError(f"environment {name}: say what to install in it, such as “lapmark env add lapx lapx”")
        home = folder() / name
        _clear(home, keep=before)
        environment = Environment(name, tuple(map(_anywhere, requirements)), sys.prefix, str(_unused(home)))
        try:
            _make(environment)
            _install(environment, progress)
            inventory(environment)
            _write(home / _FACTS, json.dumps(asdict(environment), indent=1))
        except BaseException:
            _clear(home, keep=before)
            raise
        _clear(home, keep=environment)
    return environment


def remove(name: str) -> None:
    """Remove an environment with all that is in it; a ValueError where there is none of that name."""
    get(name)
    with _alone(name):
        (folder() / name / _FACTS).unlink(missing_ok=True)  # from here on there is none, whatever happens
        _clear(folder() / name, keep=None)


def inventory(environment: Environment, plugins: Sequence[str] = ()) -> Inventory:
    """What can run in an environment, with the plugin files loaded; an Unusable where that cannot be had."""
    return _inventory(environment, tuple(plugins))


@functools.cache
def _inventory(environment: Environment, plugins: tuple[str, ...]) -> Inventory:
    if environment.harness != sys.prefix:
        raise Unusable(
            f"environment {environment.name} belongs to the Python of {environment.harness}; {_cure(environment)}"
        )
    # What a solver's condition looks at, and no file tells: the machine, and what can be run on it.
    surroundings = (platform.node(), platform.machine(), os.environ.get("PATH"), os.environ.get("CXX"))
    contents = [(plugin, Path(plugin).read_bytes()) for plugin in plugins]
    kept = Path(environment.prefix, "inventories", cache.key(*surroundings, *contents) + ".json")
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        if not (found := Inventory.read(kept.read_text())).stale:
            return found
    text = _ask(environment, plugins)
    with contextlib.suppress(OSError):  # a folder that cannot be written to costs the time of asking again
        _write(kept, text)
    return Inventory.read(text)


def _ask(environment: Environment, plugins: Sequence[str]) -> str:
    command = [str(environment.python), "-P", "-m", "lapmark.bench.environments.inventory", *plugins]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=PATIENCE, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unusable(f"environment {environment.name} cannot be asked: {error}; {_cure(environment)}") from None
    answer = done.stdout.splitlines()
    if done.returncode or not answer:
        words = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        raise Unusable(f"environment {environment.name} cannot be asked: {words[-1]}; {_cure(environment)}")
    return answer[-1]


def _cure(environment: Environment) -> str:
    return f"“lapmark env add {environment.name} --again” makes it anew"


def _make(environment: Environment) -> None:
    """The virtual environment, laid over the harness's folders."""
    # The harness's own pip serves the environment too; only where there is none does it need one.
    venv.create(environment.prefix, with_pip=importlib.util.find_spec("pip") is None, symlinks=True)
    shared = [*site.getsitepackages(), *([site.getusersitepackages()] if site.ENABLE_USER_SITE else [])]
    lines = [f"import site; site.addsitedir({path!r})\n" for path in shared]
    (_packages(Path(environment.prefix)) / "lapmark.pth").write_text("".join(lines))


def _install(environment: Environment, progress: Callable[[str], None]) -> None:
    options = ("--disable-pip-version-check", "--no-input", "--progress-bar=off")
    command = [str(environment.python), "-m", "pip", "install", *options, *environment.requirements]
    words: deque[str] = deque(maxlen=LAST_WORDS)
    with ProcessTree(command, {}) as pip:
        try:
            for line in pip.output:
                words.append(plain(line.decode(errors="replace").strip()))
                progress(words[-1])
        except BaseException:
            # It is in a session of its own, where Ctrl-C does not reach it, and tidies up after itself if it may.
            pip.interrupt()
            pip.wait(FAREWELL)
            raise
        status = pip.wait()
    if status:
        asked = " ".join(environment.requirements)
        raise ValueError(
            "\n".join([f"environment {environment.name} was not made: pip could not install {asked}", *words])
        )


@contextlib.contextmanager
def _alone(name: str) -> Iterator[None]:
    """Keep other commands off an environment."""
    folder().mkdir(parents=True, exist_ok=True)
    try:
        with file_lock.hold(folder() / f".{name}.lock", wait=False):
            yield
    except file_lock.Busy:
        raise ValueError(f"environment {name}: another command is at work on it") from None


def _unused(home: Path) -> Path:
    """A folder for one more of the same name: the scripts in a virtual environment hold its path, so none is moved."""
    return next(path for number in range(1, 1 << 30) if not (path := home / str(number)).exists())


def _anywhere(requirement: str) -> str:
    """A requirement that means the same in every working directory: pip takes what has a slash in it for a path."""
    path = Path(requirement)
    return str(path.resolve()) if path.exists() and (os.sep in requirement or requirement == ".") else requirement


def _clear(home: Path, keep: Environment | None) -> None:
    """Remove what lies in an environment's folder, but for one that is to stay."""
    if keep is not None:
        for path in home.iterdir():
            if path.is_dir() and path != Path(keep.prefix):
                shutil.rmtree(path)
    elif home.exists():
        shutil.rmtree(home)
    _inventory.cache_clear()


def _packages(prefix: Path) -> Path:
    return prefix / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"


def _read(path: Path) -> Environment:
    try:
        values = json.loads(path.read_text())
        return Environment(**{**values, "requirements": tuple(values["requirements"])})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} cannot be read: {error}; remove the folder {path.parent}") from None


def _write(path: Path, text: str) -> None:
    """Write a file that is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    partial.write_text(text)
    os.replace(partial, path)
