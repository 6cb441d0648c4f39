"""References from a project in a folder of a repository to files outside of that folder.

They are searched for in the text of its files, and in its links. A reference that a build does not use costs only a
measurement that was not needed; one that is overlooked would hide a change.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from .git_command import git, git_lines

#: Text in a file that may name a parent folder, as an extended regular expression.
_PARENT = r"""(^|[^.])\.\.([/"']|$)|parents\[[1-9]|parent\.parent|pardir|dirname\(.*dirname"""

_FORM = ("--null", "--no-line-number", "--no-column", "--extended-regexp")

#: Documents, which may refer to a parent folder and are not read by a build.
_DOCUMENTS = (":(exclude,glob)**/*.md", ":(exclude,glob)**/*.rst", ":(exclude,glob)**/*.ipynb")


def has_any(root: Path, commit: str, folder: Path) -> bool:
    """Return whether a file in a folder of a commit may refer to one outside of the folder.

    `root` is the repository, and `folder` is given from there.
    """
    lines, links = _lines(root, commit, folder), _links(root, commit, folder)
    return any(_is_outside(path, line) for path, line in lines) or any(
        target.startswith("/") or target.split("/").count("..") > path.count("/") for path, target in links
    )


def _is_outside(path: str, line: str) -> bool:
    """Return whether a line of a file names a folder above the project's; the path is from the project's folder."""
    if path == "pyproject.toml" and re.match(r"\s*(fallback_)?root\s*=", line):  # of setuptools_scm: where .git is
        return False
    ups = max((found[0].count("..") for found in re.finditer(r"(?<!\.)\.\.(?!\.)(/\.\.)*", line)), default=0)
    # Python also goes up by other means than a path; this matters in a script of the build, in the project's folder.
    is_script = path.endswith(".py") and "/" not in path
    return ups > path.count("/") or (is_script and not ups)


def _lines(root: Path, commit: str, folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the path, from the folder, and the text of each line that may name a parent folder."""
    where = (commit, "--", folder.as_posix(), *_DOCUMENTS)
    try:
        output = git(root, "grep", "-I", *_FORM, "-e", _PARENT, *where)
    except ValueError:  # no such line
        return
    for found in output.splitlines():
        path, _, line = found.partition("\0")
        yield _within(path.removeprefix(f"{commit}:"), folder), line


def _links(root: Path, commit: str, folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the path, from the folder, and the target of each symbolic link."""
    for line in git_lines(root, "ls-tree", "-rz", "--full-tree", commit, folder.as_posix()):
        facts, _, path = line.partition("\t")
        mode, _, name = facts.split()
        if mode == "120000":
            yield _within(path, folder), git(root, "cat-file", "blob", name)


def _within(path: str, folder: Path) -> str:
    return Path(path).relative_to(folder).as_posix()
