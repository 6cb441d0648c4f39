"""Where imported numbers come from: the commit and the machine, where a file does not tell."""

from __future__ import annotations

import platform
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from lapmark.bench.history.measurement import Commit
from lapmark.bench.history.project_commit import known_commit
from lapmark.bench.system.machine import machine


@dataclass(frozen=True)
class Origin:
    """The commit for files that name none: `is_given` says that the user named it.

    `commit` is called only where it is needed, since it fails for changed files.
    """

    commit: Callable[[], Commit]
    is_given: bool = False

    def named(self, hash: str, time: str, branch: str = "", is_dirty: bool = False) -> Commit:
        """Return the commit that a file names; raise a ValueError where it cannot be recorded."""
        if self.is_given:
            given = self.commit()
            if given.hash != hash and not is_dirty:
                raise ValueError(f"it is of commit {hash[:10]}, not {given.hash[:10]}: leave --commit out")
            return given
        if is_dirty:
            raise ValueError(
                f"it was measured with uncommitted changes on commit {hash[:10]}: measure the commit itself, "
                "or name the commit that the numbers belong to with --commit"
            )
        return known_commit(hash, time, branch)


def facts_of(host: str = "", cpu: str = "", cores: object = None, architecture: str = "") -> dict[str, object]:
    """Return the facts of a machine that a file tells; of this machine where it is the same host, or tells nothing."""
    own = machine()
    if not cpu and host in ("", platform.node()):
        return {name: own[name] for name in ("cpu", "cores", "architecture", "system")}
    facts = {"cpu": cpu, "cores": cores, "architecture": architecture.lower(), "host": "" if cpu else host}
    return {name: value for name, value in facts.items() if value}


def moment_of(text: str) -> str:
    """Return a time of another tool in ISO 8601 with its zone, that of this machine where it has none; "" if unread."""
    try:
        return datetime.fromisoformat(text).astimezone().isoformat(timespec="seconds")
    except ValueError:
        return ""


def moment_of_milliseconds(value: float) -> str:
    """Return the time so many milliseconds after 1970 in ISO 8601."""
    return datetime.fromtimestamp(value / 1000, UTC).isoformat(timespec="seconds")
