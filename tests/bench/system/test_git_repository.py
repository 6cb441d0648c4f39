"""The repository of the current folder, and checkouts of its commits, from every usual kind of clone."""

from __future__ import annotations

from pathlib import Path

import pytest
from commits import commit, git

from lapmark.bench.system.git_repository import Repository

PYPROJECT = '[project]\nname = "h3p"\nversion = "1.0"\n'

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"

LFS = {".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n", "big.bin": POINTER}


@pytest.fixture(autouse=True)
def without_lfs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings of git as on a machine without git-lfs, and submodules from folders allowed."""
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A repository of two tagged commits."""
    folder = tmp_path / "a repository"
    commit(folder, {"pyproject.toml": PYPROJECT, "value": "1"}, "v1")
    commit(folder, {"value": "2"}, "v2")
    return Repository(folder)


def state(folder: Path) -> tuple[str, ...]:
    """What must not change in a user's repository."""
    questions = (("for-each-ref",), ("status", "--porcelain"), ("rev-parse", "HEAD"), ("ls-files", "--stage"))
    return tuple(git(folder, *question) for question in questions)


def check_checkout(source: Path, to: Path) -> None:
    """Check that a checkout of v1, and that of the commit before HEAD, is complete, clean and described by its tag."""
    before = state(source)
    repository = Repository(source)
    repository.check_out(repository.commit("v1"), to)
    assert (to / "value").read_text() == "1"
    assert git(to, "describe", "--tags", "--dirty") == "v1"
    assert git(to, "status", "--porcelain") == ""
    assert state(source) == before


def test_checkout_is_a_clean_repository_with_tags(repository: Repository, tmp_path: Path) -> None:
    (repository.root / "value").write_text("3")
    (repository.root / "untracked").touch()
    check_checkout(repository.root, tmp_path / "checkout")
    # What a build commits, tags or resets there stays there.
    before = state(repository.root)
    commit(tmp_path / "checkout", {"value": "4"}, "v4")
    assert state(repository.root) == before


def test_checkout_from_a_worktree_is_complete(repository: Repository, tmp_path: Path) -> None:
    git(repository.root, "worktree", "add", "--quiet", str(tmp_path / "other"), "v1")
    commit(tmp_path / "other", {"value": "worktree"})
    tree = Repository(tmp_path / "other")
    tree.check_out(tree.commit("HEAD"), tmp_path / "checkout")
    assert (tmp_path / "checkout" / "value").read_text() == "worktree"
    check_checkout(tree.root, tmp_path / "second")


def test_checkout_from_a_detached_head_is_complete(repository: Repository, tmp_path: Path) -> None:
    git(repository.root, "checkout", "--quiet", "--detach", "v1")
    git(repository.root, "branch", "--quiet", "-D", "main")
    check_checkout(repository.root, tmp_path / "checkout")


def test_checkout_from_a_shallow_clone_has_the_commit_and_its_tags(repository: Repository, tmp_path: Path) -> None:
    commit(repository.root, {"value": "3"})
    source = repository.root.as_uri()
    git(tmp_path, "clone", "--quiet", "--depth", "3", source, "whole")
    git(tmp_path, "clone", "--quiet", "--depth", "2", source, "cut")
    git(tmp_path / "cut", "fetch", "--quiet", "--depth", "2", "origin", "tag", "v1")
    check_checkout(tmp_path / "whole", tmp_path / "first")
    check_checkout(tmp_path / "cut", tmp_path / "second")


def test_checkout_from_a_partial_clone_fetches_what_it_lacks(repository: Repository, tmp_path: Path) -> None:
    git(repository.root, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "--quiet", "--filter=blob:none", repository.root.as_uri(), "partial")
    check_checkout(tmp_path / "partial", tmp_path / "checkout")


def test_checkout_from_a_sparse_clone_is_complete(repository: Repository, tmp_path: Path) -> None:
    commit(repository.root, {"sub/file": "", "other/file": ""})
    git(repository.root, "sparse-checkout", "set", "sub")
    assert not (repository.root / "other").exists()
    repository.check_out(repository.commit("HEAD"), tmp_path / "checkout")
    assert (tmp_path / "checkout" / "other" / "file").exists()


def test_repository_in_a_git_hook_is_that_of_the_folder(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(tmp_path / "other", {"file": ""})
    before = state(tmp_path / "other")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other" / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "other" / ".git" / "index"))
    monkeypatch.chdir(repository.root)
    assert Repository.here().root == repository.root
    Repository.here().check_out(repository.commit("v1"), tmp_path / "checkout")
    monkeypatch.delenv("GIT_DIR")
    monkeypatch.delenv("GIT_INDEX_FILE")
    assert git(tmp_path / "checkout", "describe", "--tags", "--dirty") == "v1"
    assert state(tmp_path / "other") == before


def test_unknown_revision_names_the_cure(repository: Repository, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^v9: no such commit in .*a repository$"):
        repository.commit("v9")
    git(tmp_path, "clone", "--quiet", repository.root.as_uri(), "clone")
    with pytest.raises(ValueError, match=r"no such commit in .*clone; `git fetch --tags origin` gets"):
        Repository(tmp_path / "clone").commit("origin/topic")
    git(tmp_path, "clone", "--quiet", "--depth", "1", repository.root.as_uri(), "shallow")
    with pytest.raises(ValueError, match=r"the clone is shallow: .*`fetch-depth: 0`"):
        Repository(tmp_path / "shallow").commit("HEAD~1")


def test_here_takes_the_nearest_project_upwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {
        "pyproject.toml": PYPROJECT,
        "libs/py/setup.py": "",
        "libs/py/tests/pyproject.toml": "[tool.ruff]\nline-length = 100\n",
        "libs/c/main.c": "",
    }
    commit(tmp_path / "mono", files)
    found = {}
    for folder in (".", "libs/py", "libs/py/tests", "libs/c"):
        monkeypatch.chdir(tmp_path / "mono" / folder)
        assert Repository.here().root == tmp_path / "mono"
        found[folder] = Repository.here().project_folder.as_posix()
    assert found == {".": ".", "libs/py": "libs/py", "libs/py/tests": "libs/py", "libs/c": "."}


def test_project_that_a_commit_does_not_have_names_the_cure(tmp_path: Path) -> None:
    first = commit(tmp_path / "late", {"value": "1"})
    second = commit(tmp_path / "late", {"pyproject.toml": PYPROJECT})
    with pytest.raises(ValueError, match=f"no pyproject.toml or setup.py; {second[:7]}.* added it: compare with that"):
        Repository(tmp_path / "late").project(first)
    nested = commit(tmp_path / "mono", {"libs/py/setup.py": ""})
    with pytest.raises(ValueError, match=r"run this in the project's folder \(libs/py\)"):
        Repository(tmp_path / "mono").project(nested)
    broken = commit(tmp_path / "broken", {"pyproject.toml": "[project\n"})
    with pytest.raises(ValueError, match=r"pyproject.toml at .* cannot be read: Expected"):
        Repository(tmp_path / "broken").project(broken)


MONOREPO = {"py/pyproject.toml": PYPROJECT, "py/h3p/__init__.py": "", "VERSION": "1", "docs/index.md": ""}


@pytest.mark.parametrize(
    ("more", "changed", "is_equal"),
    [
        ({}, {"docs/index.md": "more"}, True),
        ({}, {"py/h3p/__init__.py": "x = 1"}, False),
        ({"py/README.md": "see ../docs", "py/h3p/deep.py": "from .. import x; open('../a')"}, {"VERSION": "2"}, True),
        ({"py/h3p/a.c": '#include "../h3p.h"'}, {"VERSION": "2"}, True),
        ({"py/pyproject.toml": f'{PYPROJECT}[tool.setuptools_scm]\nroot = ".."\n'}, {"VERSION": "2"}, True),
        ({"py/setup.py": "open('../VERSION')"}, {"VERSION": "2"}, False),
        ({"py/setup.py": "Path(__file__).parents[1] / 'VERSION'"}, {"VERSION": "2"}, False),
        ({"py/h3p/a.c": '#include "../../shared/a.h"'}, {"shared/a.h": "int a;"}, False),
    ],
)
def test_sources_of_a_project_in_a_folder_are_what_it_reads(
    tmp_path: Path, more: dict[str, str], changed: dict[str, str], is_equal: bool
) -> None:
    commits = [commit(tmp_path / "mono", {**MONOREPO, **more}), commit(tmp_path / "mono", changed)]
    repository = Repository(tmp_path / "mono", Path("py"))
    assert (repository.sources(commits[0]) == repository.sources(commits[1])) == is_equal


def test_sources_of_a_project_with_a_link_to_another_folder_are_the_whole_repository(tmp_path: Path) -> None:
    folder = tmp_path / "mono"
    commit(folder, MONOREPO)
    (folder / "py" / "VERSION").symlink_to("../VERSION")
    commits = [commit(folder, {}), commit(folder, {"VERSION": "2"})]
    repository = Repository(folder, Path("py"))
    assert repository.sources(commits[0]) != repository.sources(commits[1])


@pytest.fixture
def with_submodule(tmp_path: Path) -> Repository:
    """A repository whose two commits have two commits of a submodule, which has a submodule itself."""
    commit(tmp_path / "inner", {"value": "inner"})
    commit(tmp_path / "extern", {"value": "1"})
    git(tmp_path / "extern", "submodule", "--quiet", "add", str(tmp_path / "inner"), "inner")
    commit(tmp_path / "extern", {})
    commit(tmp_path / "main", {"pyproject.toml": PYPROJECT})
    git(tmp_path / "main", "submodule", "--quiet", "add", "../extern", "lib/extern")
    git(tmp_path / "main", "submodule", "--quiet", "update", "--init", "--recursive")
    commit(tmp_path / "main", {}, "v1")
    commit(tmp_path / "main/lib/extern", {"value": "2"})
    commit(tmp_path / "main", {}, "v2")
    return Repository(tmp_path / "main")


def check_submodule(repository: Repository, to: Path) -> None:
    """Check that the checkouts of v1 and v2 have their commits of the submodule."""
    for value in "1", "2":
        repository.check_out(repository.commit(f"v{value}"), to / value)
        assert (to / value / "lib/extern/value").read_text() == value
        assert (to / value / "lib/extern/inner/value").read_text() == "inner"
        assert git(to / value, "status", "--porcelain") == ""


def test_checkout_takes_submodules_from_the_clone(with_submodule: Repository, tmp_path: Path) -> None:
    for name in "extern", "inner":
        (tmp_path / name).rename(tmp_path / f"{name} is gone")
    check_submodule(with_submodule, tmp_path / "checkouts")
    first, second = map(with_submodule.commit, ("v1", "v2"))
    assert with_submodule.sources(first) != with_submodule.sources(second)
    # A worktree has no clone of its own of the submodule.
    git(with_submodule.root, "worktree", "add", "--quiet", str(tmp_path / "tree"), "v1")
    check_submodule(Repository(tmp_path / "tree"), tmp_path / "from a worktree")


def test_checkout_fetches_a_submodule_that_the_clone_lacks(
    with_submodule: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(with_submodule.root / "lib/extern", "push", "--quiet", "origin", "HEAD:refs/heads/more")
    git(tmp_path, "clone", "--quiet", str(with_submodule.root), "clone")
    clone = Repository(tmp_path / "clone")
    with pytest.raises(
        ValueError,
        match=r"submodule lib/extern of .* cannot be fetched: [^\n]*\n[^\n]*extern[^\n]*\n.*submodules: recursive",
    ):
        clone.check_out(clone.commit("v1"), tmp_path / "refused")  # git allows no submodules from folders
    monkeypatch.setenv("GIT_ALLOW_PROTOCOL", "file")
    check_submodule(clone, tmp_path / "checkouts")
    assert not list((clone.root / "lib/extern").iterdir())


@pytest.mark.parametrize("file", [".git/config", ".gitmodules"])
def test_checkout_leaves_out_a_submodule_that_is_not_updated(
    with_submodule: Repository, tmp_path: Path, file: str
) -> None:
    git(tmp_path, "clone", "--quiet", str(with_submodule.root), "clone")
    git(tmp_path / "clone", "config", "--file", file, "submodule.lib/extern.update", "none")
    made = commit(tmp_path / "clone", {"value": ""})
    Repository(tmp_path / "clone").check_out(made, tmp_path / "checkout")
    assert not list((tmp_path / "checkout/lib/extern").iterdir())


def test_checkout_with_a_git_lfs_pointer_names_the_file_and_the_cure(tmp_path: Path) -> None:
    pointed = commit(tmp_path / "large", {**MONOREPO, **{f"py/{name}": text for name, text in LFS.items()}})
    with pytest.raises(ValueError, match=r"^py/big.bin at \w+ is a Git LFS pointer.*`git lfs pull` .*`lfs: true`\)$"):
        Repository(tmp_path / "large", Path("py")).check_out(pointed, tmp_path / "checkout")


def test_checkout_with_a_git_lfs_pointer_elsewhere_is_complete(tmp_path: Path) -> None:
    assets = {"assets/.gitattributes": LFS[".gitattributes"], "assets/big.bin": POINTER, "py/pointer.txt": POINTER}
    pointed = commit(tmp_path / "large", {**MONOREPO, **assets})
    Repository(tmp_path / "large", Path("py")).check_out(pointed, tmp_path / "checkout")
    assert (tmp_path / "checkout" / "py" / "pointer.txt").exists()


def test_checkout_with_git_lfs_has_the_content(tmp_path: Path) -> None:
    """A command of two lines stands for git-lfs: it has the content, or fails as git-lfs does without it."""
    folder = tmp_path / "large"
    pointed = commit(folder, {**MONOREPO, **LFS})
    git(folder, "config", "filter.lfs.required", "true")
    git(folder, "config", "filter.lfs.smudge", "cat > /dev/null; echo content")
    Repository(folder).check_out(pointed, tmp_path / "checkout")
    assert (tmp_path / "checkout" / "big.bin").read_text() == "content\n"
    git(folder, "config", "filter.lfs.smudge", "false")
    with pytest.raises(ValueError, match=r"big.bin at .* is a Git LFS pointer"):
        Repository(folder).check_out(pointed, tmp_path / "again")
