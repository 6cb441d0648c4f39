"""Checkouts of commits in new folders: each a repository of its own, with tags, submodules and Git LFS files.

Tools that take a version from git (`git describe`, setuptools_scm, hatch-vcs) see the commit as after `git checkout`.
The objects stay in the user's repository, which the checkout refers to. Nothing in it changes, except that git fetches
objects that a partial clone left out.
"""

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .git_command import git, git_lines

#: How a Git LFS pointer starts: the text that git stores in place of a large file.
LFS_POINTER = b"version https://git-lfs.github.com/spec/"

#: Settings of the user's repository that say how to fetch a submodule.
_FETCHING = ("core.sshcommand", "credential.", "http.", "submodule.", "url.")


def check_out(root: Path, commit: str, folder: Path, project_folder: Path = Path()) -> None:
    """Write the files of a commit of a repository to a new folder, submodules included.

    Raise a ValueError where a submodule cannot be fetched, and where a file in the project's folder is a Git LFS
    pointer, whose content is not there.
    """
    _check_out(_Source.of(root), commit, folder, project_folder)


@dataclass(frozen=True)
class _Source:
    """A repository to take commits from: its git folder, that of all its worktrees, and its working tree, if any."""

    git_folder: Path
    common_folder: Path
    tree: Path | None

    @classmethod
    def of(cls, tree: Path) -> "_Source":
        """Return the repository of a working tree."""
        git_folder, common = git(
            tree, "rev-parse", "--path-format=absolute", "--git-dir", "--git-common-dir"
        ).splitlines()
        return cls(Path(git_folder), Path(common), tree)

    def git(self, *arguments: str) -> str:
        return git(self.common_folder, *arguments, GIT_DIR=str(self.git_folder))

    def path(self, name: str) -> Path:
        """Return the place of a file or folder of the git folder."""
        return Path(self.git("rev-parse", "--path-format=absolute", "--git-path", name))

    def has(self, commit: str) -> bool:
        try:
            self.git("cat-file", "-e", f"{commit}^{{commit}}")
        except ValueError:
            return False
        return True

    def submodules(self, name: str, path: str) -> "Iterator[_Source]":
        """Yield the clones of a submodule that this repository has."""
        if self.tree and (self.tree / path / ".git").exists():
            yield _Source.of(self.tree / path)
        for parent in dict.fromkeys((self.git_folder, self.common_folder)):
            if (clone := parent / "modules" / name).is_dir():
                yield _Source(clone, clone, None)


def _check_out(source: _Source, commit: str, folder: Path, lfs_folder: Path | None) -> None:
    """Check out a commit; no file in `lfs_folder`, given within the commit, may be a Git LFS pointer."""
    _make_repository(source, commit, folder)
    # By the user's git folder: its settings, attributes and Git LFS files count.
    places = {"GIT_DIR": str(source.git_folder), "GIT_WORK_TREE": str(folder)}
    try:
        git(folder, "read-tree", "--reset", "-u", commit, GIT_INDEX_FILE=str(folder / ".git" / "index"), **places)
    except ValueError as error:
        if found := re.search(r"(?:fatal|error): (.*): smudge filter lfs failed", str(error)):
            raise _lfs_error(found[1], commit, str(error)) from None
        raise
    _check_out_submodules(source, commit, folder, lfs_folder)
    if lfs_folder is not None:
        _check_lfs(commit, folder, lfs_folder)


def _make_repository(source: _Source, commit: str, folder: Path) -> None:
    """Make a repository in a new folder with the objects and tags of another, and the commit as its HEAD."""
    folder.mkdir(parents=True, exist_ok=True)
    form = source.git("rev-parse", "--show-object-format")
    git(folder, "init", "--quiet", "--template=", f"--object-format={form}", GIT_DEFAULT_REF_FORMAT="files")
    own = folder / ".git"
    (own / "objects" / "info").mkdir(exist_ok=True)
    (own / "objects" / "info" / "alternates").write_bytes(os.fsencode(source.path("objects")) + b"\n")
    if (shallow := source.path("shallow")).exists():
        shutil.copyfile(shallow, own / "shallow")
    tags = source.git("for-each-ref", "--format=%(objectname) %(refname)", "refs/tags")
    (own / "packed-refs").write_bytes(os.fsencode(tags + "\n" if tags else ""))
    (own / "HEAD").write_text(f"{commit}\n")


def _check_out_submodules(source: _Source, commit: str, folder: Path, lfs_folder: Path | None) -> None:
    """Check out the submodules of a checkout: from the user's clone if it has their commits, else by fetching them."""
    names = dict(_submodule_names(folder))
    for path, wanted in _submodule_commits(folder):
        name = names.get(path)
        if name is None or _is_left_out(source, folder, name):  # git leaves its folder empty, too
            continue
        clone = next((clone for clone in source.submodules(name, path) if clone.has(wanted)), None)
        its_lfs_folder = Path() if lfs_folder is not None and Path(path).is_relative_to(lfs_folder) else None
        if clone is not None:
            _check_out(clone, wanted, folder / path, its_lfs_folder)
            continue
        _fetch_submodule(source, commit, folder, path, name)
        if its_lfs_folder is not None:
            _check_lfs(wanted, folder / path, its_lfs_folder)


def _submodule_commits(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the path and the commit of each submodule in a checkout."""
    for line in git_lines(folder, "ls-files", "-z", "--stage"):
        facts, _, path = line.partition("\t")
        mode, commit, _ = facts.split()
        if mode == "160000":
            yield path, commit


def _submodule_names(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the path and the name of each submodule that a checkout's `.gitmodules` lists."""
    if (folder / ".gitmodules").is_file():
        for line in git_lines(folder, "config", "-z", "--file", ".gitmodules", "--list"):
            key, _, value = line.partition("\n")
            if key.startswith("submodule.") and key.endswith(".path"):
                yield value, key.removeprefix("submodule.").removesuffix(".path")


def _is_left_out(source: _Source, folder: Path, name: str) -> bool:
    """Return whether git is to leave out a submodule: `update = none` in the user's settings or in `.gitmodules`."""
    key = f"submodule.{name}.update"
    local = source.git("config", "--default", "", "--get", key)
    return (local or git(folder, "config", "--file", ".gitmodules", "--default", "", "--get", key)) == "none"


def _fetch_submodule(source: _Source, commit: str, folder: Path, path: str, name: str) -> None:
    """Fetch a submodule and check it out; raise a ValueError where that is impossible."""
    # A relative URL of a submodule starts from the repository's own.
    origin = source.git("config", "--default", str(source.tree or source.git_folder), "--get", "remote.origin.url")
    git(folder, "config", "remote.origin.url", origin)
    update = ("submodule", "--quiet", "update", "--init", "--recursive", "--", path)
    try:
        git(folder, *update, **_fetch_settings(source))
    except ValueError as error:
        reason = str(error).partition("\nFailed to clone")[0]  # git tries again, and says all twice
        raise ValueError(
            f"submodule {path} of {commit[:12]} is not in your clone and cannot be fetched: {reason}\n"
            "Run `git submodule update --init --recursive` (in actions/checkout: `submodules: recursive` and "
            f"`fetch-depth: 0`). If the build does not need it: `git config submodule.{name}.update none`."
        ) from None


def _fetch_settings(source: _Source) -> dict[str, str]:
    """Return variables that give a git command the user's settings for fetching."""
    entries = source.git("config", "--local", "--null", "--list").split("\0")
    chosen = [entry.partition("\n") for entry in entries if entry.startswith(_FETCHING)]
    start = int(os.environ.get("GIT_CONFIG_COUNT") or 0)
    variables = {"GIT_CONFIG_COUNT": str(start + len(chosen))}
    for number, (name, _, value) in enumerate(chosen, start):
        variables |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    return variables


def _check_lfs(commit: str, folder: Path, lfs_folder: Path) -> None:
    """Raise a ValueError if a file of a checkout is a Git LFS pointer."""
    for name in git_lines(folder, "ls-files", "-z", "--", f":(attr:filter=lfs){lfs_folder.as_posix()}"):
        file = folder / name
        if file.is_file() and not file.is_symlink():
            with file.open("rb") as stream:
                if stream.read(len(LFS_POINTER)) == LFS_POINTER:
                    raise _lfs_error(name, commit, "")


def _lfs_error(name: str, commit: str, reason: str) -> ValueError:
    return ValueError(
        f"{name} at {commit[:12]} is a Git LFS pointer, and its content is not there. Install git-lfs, and run "
        f"`git lfs install` and `git lfs pull` (in actions/checkout: `lfs: true`){reason and f': {reason}'}"
    )
