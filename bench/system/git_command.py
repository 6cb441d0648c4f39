"""Runs of git in a folder, for its own repository even where a git hook runs this process."""

import os
import subprocess
from pathlib import Path

#: Variables with which git names another repository than the folder's; it sets them for hooks.
REPOSITORY_VARIABLES = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_QUARANTINE_PATH",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
)

#: Settings that keep hooks, services and special indexes of the user's repository out of a command on it, and colours
#: and signatures out of its output.
_PLAIN = {
    "color.ui": "false",
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    "core.sparseCheckout": "false",
    "core.splitIndex": "false",
    "log.showSignature": "false",
    "submodule.recurse": "false",
}


def git(folder: Path, *arguments: str, **variables: str) -> str:
    """Run git and return its output without surrounding space; raise a ValueError with its error message."""
    settings = [part for name, value in _PLAIN.items() for part in ("-c", f"{name}={value}")]
    environment = {name: value for name, value in os.environ.items() if name not in REPOSITORY_VARIABLES}
    environment |= {"GIT_TERMINAL_PROMPT": "0", **variables}
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *settings, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=environment,
        )
    except OSError as error:
        raise ValueError(f"git cannot be run: {error}") from None
    # Decoded like paths, so that they work even in a locale that cannot encode them.
    if done.returncode:
        raise ValueError(os.fsdecode(done.stderr).strip() or f"git {arguments[0]} failed")
    return os.fsdecode(done.stdout).strip()


def git_lines(folder: Path, *arguments: str, **variables: str) -> list[str]:
    """Run git and return its output, whose entries end with a zero byte (`-z`), as a list."""
    return list(filter(None, git(folder, *arguments, **variables).split("\0")))
