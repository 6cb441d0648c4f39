from __future__ import annotations

from pathlib import Path

import pytest

from lapmark.bench.util.atomic_write import write_atomically


def test_write_atomically_makes_the_folder_and_replaces_an_earlier_file(tmp_path: Path) -> None:
    path = tmp_path / "below" / "table.csv"
    assert write_atomically(path, b"one") == path
    write_atomically(path, b"two")
    assert path.read_bytes() == b"two"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_write_atomically_interrupted_keeps_the_earlier_file_and_leaves_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    path = write_atomically(tmp_path / "table.csv", b"one")

    def interrupt(self: Path, target: Path) -> None:
        raise error

    monkeypatch.setattr(Path, "replace", interrupt)
    with pytest.raises(error):
        write_atomically(path, b"two")
    assert path.read_bytes() == b"one"
    assert list(tmp_path.iterdir()) == [path]
