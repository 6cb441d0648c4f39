"""Virtual environments for packages that exclude each other, or a package of the harness: make, list, inspect, remove.

An environment extends the harness's own: it looks for a package in itself first, then in the harness's folders. So it
has Lapmark without installing it again, and every other package in the harness's version unless it was made with
another one. A worker is started with the environment's Python and is otherwise like any other.

The environment's own Python lists the solvers that can run in it (`inventory`). The list is kept beside it until a file
that decides it changes.
"""

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
from lapmark.bench.util.atomic_write import write_atomically
from lapmark.bench.util.plain_text import plain
from lapmark.solvers import registry
from lapmark.solvers.plugins import sources

from .inventory import Inventory

#: Environment variable that names the folder of the environments.
VARIABLE = "LAPMARK_ENVIRONMENTS"

#: Last lines of pip's output that an error repeats: they say what went wrong.
LAST_LINES = 12

#: Seconds for a Python to list its solvers.
PATIENCE = 120.0

#: Seconds for pip to clean up after an interrupt.
EXIT_TIME = 5.0

_FACTS = "environment.json"


class Unusable(ValueError):
    """Nothing can run in an existing environment; the message says why, and what to do."""


@dataclass(frozen=True)
class Environment:
    """A complete environment."""

    name: str
    requirements: tuple[str, ...]  # as given to pip
    harness: str  # prefix of the Python whose packages it extends
    prefix: str  # folder of the virtual environment

    @property
    def python(self) -> Path:
        return Path(self.prefix, "bin", "python")

    @property
    def packages(self) -> dict[str, str]:
        """Versions of its own packages, without those that it shares with the harness."""
        found = importlib.metadata.distributions(path=[str(_packages(Path(self.prefix)))])
        return {distribution.name: distribution.version for distribution in found}


def folder() -> Path:
    """Return the folder of this harness's environments.

    It is in the harness's virtual environment, since they are useless without it; in the user's data folder if the
    harness runs outside one.
    """
    if named := os.environ.get(VARIABLE):
        return Path(named).absolute()
    if sys.prefix != sys.base_prefix:
        return Path(sys.prefix, "share", "lapmark", "environments")
    return platformdirs.user_data_path("lapmark", appauthor=False) / "environments"


def known() -> dict[str, Environment]:
    """Return every environment by name."""
    return {path.parent.name: _read(path) for path in sorted(folder().glob(f"*/{_FACTS}"))}


def get(name: str) -> Environment:
    """Return the environment of a name; a ValueError with the nearest name if there is none."""
    environments = known()
    if name in environments:
        return environments[name]
    if environments:
        raise registry.unknown("environment", name, environments)
    raise ValueError(f"no environment is called {name!r}: none exists yet (lapmark env add {name} PACKAGE)")


def add(
    name: str, requirements: Sequence[str], again: bool = False, progress: Callable[[str], None] = lambda line: None
) -> Environment:
    """Make an environment with pip. It is listed once it is complete and its solvers are known.

    The requirements are those of pip, for which a folder with a package is one. With `again` an environment of this
    name is replaced, and stays until the new one is complete; no requirements stand for those of the old one.
    `progress` is called with each line of pip's output. Raise a ValueError if the name is invalid or taken, or a
    package cannot be installed; then with pip's last lines.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]*", name):
        raise ValueError(f"environment {name!r}: use lower case letters, digits, dots, dashes and underscores")
    with _lock(name):
        before = known().get(name)
        if before and not again:
            raise ValueError(
                f"environment {name} exists already, with {' '.join(before.requirements)}; "
                f"--again replaces it, “lapmark env remove {name}” removes it"
            )
        requirements = requirements or (before.requirements if before else ())
        if not requirements:
            raise ValueError(f"environment {name}: name a package to install, such as “lapmark env add lapx lapx”")
        home = folder() / name
        _clear(home, keep=before)
        environment = Environment(name, tuple(map(_absolute, requirements)), sys.prefix, str(_unused(home)))
        try:
            _make(environment)
            _install(environment, progress)
            inventory(environment)
            write_atomically(home / _FACTS, json.dumps(asdict(environment), indent=1).encode())
        except BaseException:
            _clear(home, keep=before)
            raise
        _clear(home, keep=environment)
    return environment


def remove(name: str) -> None:
    """Remove an environment and its packages; a ValueError if there is none of that name."""
    get(name)
    with _lock(name):
        (folder() / name / _FACTS).unlink(missing_ok=True)  # from here on it is not listed, even if the rest fails
        _clear(folder() / name, keep=None)


def inventory(environment: Environment, plugins: Sequence[str] = ()) -> Inventory:
    """Return the solvers of an environment, with the plugin files loaded; raises Unusable if nothing can run in it."""
    return _inventory(environment, tuple(plugins))


@functools.cache
def _inventory(environment: Environment, plugins: tuple[str, ...]) -> Inventory:
    if environment.harness != sys.prefix:
        raise Unusable(
            f"environment {environment.name} belongs to the Python of {environment.harness}; {_advice(environment)}"
        )
    # What a solver's condition may depend on beside files: the machine and its programs.
    conditions = (platform.node(), platform.machine(), os.environ.get("PATH"), os.environ.get("CXX"))
    contents = [(str(file), file.read_bytes()) for plugin in plugins for file in sources(plugin)]
    kept = Path(environment.prefix, "inventories", cache.key(*conditions, *contents) + ".json")
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        if not (found := Inventory.read(kept.read_text(encoding="utf-8"))).stale:
            return found
    text = _list_solvers(environment, plugins)
    with contextlib.suppress(OSError):  # a read-only folder costs the time of asking again
        write_atomically(kept, text.encode())
    return Inventory.read(text)


def _list_solvers(environment: Environment, plugins: Sequence[str]) -> str:
    command = [str(environment.python), "-P", "-m", "lapmark.bench.environments.inventory", *plugins]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=PATIENCE, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _cannot_list(environment, error) from None
    answer = done.stdout.splitlines()
    if done.returncode or not answer:
        words = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        raise _cannot_list(environment, words[-1])
    return answer[-1]


def _cannot_list(environment: Environment, reason: object) -> Unusable:
    return Unusable(f"environment {environment.name} cannot list its solvers: {reason}; {_advice(environment)}")


def _advice(environment: Environment) -> str:
    return f"“lapmark env add {environment.name} --again” replaces it"


def _make(environment: Environment) -> None:
    """Make the virtual environment, on top of the harness's folders."""
    # The environment uses the harness's pip; it needs its own only if the harness has none.
    venv.create(environment.prefix, with_pip=importlib.util.find_spec("pip") is None, symlinks=True)
    shared = [*site.getsitepackages(), *([site.getusersitepackages()] if site.ENABLE_USER_SITE else [])]
    lines = [f"import site; site.addsitedir({path!r})\n" for path in shared]
    (_packages(Path(environment.prefix)) / "lapmark.pth").write_text("".join(lines))


def _install(environment: Environment, progress: Callable[[str], None]) -> None:
    options = ("--disable-pip-version-check", "--no-input", "--progress-bar=off")
    command = [str(environment.python), "-m", "pip", "install", *options, *environment.requirements]
    words: deque[str] = deque(maxlen=LAST_LINES)
    with ProcessTree(command, {}) as pip:
        try:
            for line in pip.output:
                words.append(plain(line.decode(errors="replace").strip()))
                progress(words[-1])
        except BaseException:
            # Ctrl-C does not reach pip, which runs in another session and removes its files after an interrupt.
            pip.interrupt()
            pip.wait(EXIT_TIME)
            raise
        status = pip.wait()
    if status:
        asked = " ".join(environment.requirements)
        raise ValueError(
            "\n".join([f"environment {environment.name} was not made: pip could not install {asked}", *words])
        )


@contextlib.contextmanager
def _lock(name: str) -> Iterator[None]:
    """Lock an environment against other commands."""
    folder().mkdir(parents=True, exist_ok=True)
    try:
        with file_lock.hold(folder() / f".{name}.lock", wait=False):
            yield
    except file_lock.Busy:
        raise ValueError(f"environment {name}: another command is changing it") from None


def _unused(home: Path) -> Path:
    """Return a new folder: the scripts in a virtual environment contain its path, so it cannot be moved later."""
    return next(path for number in range(1, 1 << 30) if not (path := home / str(number)).exists())


def _absolute(requirement: str) -> str:
    """Return a requirement with an absolute path: pip takes one with a slash for a path."""
    path = Path(requirement)
    return str(path.resolve()) if path.exists() and (os.sep in requirement or requirement == ".") else requirement


def _clear(home: Path, keep: Environment | None) -> None:
    """Remove everything in an environment's folder but the environment to keep."""
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
        values = json.loads(path.read_text(encoding="utf-8"))
        return Environment(**{**values, "requirements": tuple(values["requirements"])})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} cannot be read: {error}; remove the folder {path.parent}") from None
