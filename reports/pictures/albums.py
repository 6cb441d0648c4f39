"""Albums: the pictures of a case, solved, certified and drawn in a process of its own, or of a study.

Records hold no answers, so a case is solved again, by its fastest solver. The pictures are kept in a folder per case,
and later reports use them.
"""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from lapmark.bench.applications import gallery
from lapmark.bench.problems import Case
from lapmark.bench.util.plain_text import plain
from lapmark.bench.util.status_line import doing
from lapmark.reports import tables

from . import page_copy
from .table import PICTURES

#: Written last: a folder with this file, and without notes in it, is complete.
ABOUT = "about.json"

#: Endings of the files that pages show.
SHOWN = {".png", ".gif"}

#: Largest n that is drawn: larger pictures show no more, and solving may take hours.
MOST_ROWS = 10_000


@dataclass(frozen=True)
class Album:
    """The pictures of one case.

    Attributes
    ----------
    text : str
        Certified facts on the answer.
    notes : tuple of str
        Reasons for missing pictures, and other warnings.
    seconds : float
        Time to build, solve and draw.
    """

    case: str
    text: str
    notes: tuple[str, ...]
    pictures: tuple[Path, ...]
    seconds: float

    @property
    def captioned(self) -> list[tuple[str, Path]]:
        """The pictures, each after its caption."""
        captions = PICTURES[Case.read(self.case).problem].captions
        return [(captions.get(path.stem, path.stem.replace("-", " ").capitalize()), path) for path in self.pictures]


def albums(cells: pd.DataFrame, folder: Path, draw: bool = False) -> list[Album]:
    """Return an album for each family with pictures and a certified answer.

    Albums come from `folder`. Those that are not there, or have notes, are drawn into it if `draw`; otherwise an album
    that is not there is left out.
    """
    wanted = list(_largest(cells))
    if not draw:
        return [kept for case, _ in wanted if (kept := _kept(_place(case, folder)))]
    made: list[Album] = []
    for case, solver in wanted:
        with doing(f"pictures {len(made) + 1} of {len(wanted)}: {case}"):
            made.append(album(case, solver, folder))
    return made


def undrawn(cells: pd.DataFrame, folder: Path) -> list[Case]:
    """Return the cases of `albums` without an album in `folder`."""
    return [case for case, _ in _largest(cells) if _kept(_place(case, folder)) is None]


def album(case: Case, solver: str, folder: Path, redraw: bool = False) -> Album:
    """Return the album of a case: from `folder`, or drawn now if there is none, it has notes, or `redraw`.

    It is drawn in a process of its own. What goes wrong there becomes a note.
    """
    place = _place(case, folder)
    kept = None if redraw else _kept(place)
    if kept and not kept.notes:
        return kept
    # Named before it is made: Ctrl-C between the two would leave a folder that nobody knows of.
    drawing = folder / f".drawing-{os.getpid()}"
    try:
        drawing.mkdir(parents=True)
        draw_apart(case, solver, drawing)
        shutil.rmtree(place, ignore_errors=True)
        drawing.rename(place)
    finally:
        shutil.rmtree(drawing, ignore_errors=True)
    return _read(place)


def draw_apart(case: Case, solver: str, folder: Path) -> None:
    """Draw a case into an existing folder, in a process of its own, and show what it is doing."""
    program = [sys.executable, "-P", "-m", "lapmark.reports.pictures.draw_album", str(case), solver, str(folder)]
    with (
        tempfile.TemporaryFile() as errors,
        # In a session of its own Ctrl-C reaches this process only, which then ends that one.
        subprocess.Popen(
            program,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            encoding="utf-8",
            env={**os.environ, "PYTHONIOENCODING": "utf-8"},
            start_new_session=True,
        ) as process,
        doing("loading") as say,
    ):
        assert process.stdout is not None
        try:
            for line in process.stdout:
                say(line.strip())
            status = process.wait()
        except BaseException:
            process.kill()
            raise
        if status or not (folder / ABOUT).exists():
            errors.seek(0)
            last = plain(errors.read().decode(errors="replace")).strip().rpartition("\n")[2]
            write_about(folder, case, notes=[f"no pictures: the process that draws them {_ended(status, last)}"])


def write_about(
    folder: Path,
    case: Case,
    text: str = "",
    notes: Sequence[str] = (),
    pictures: Sequence[str] = (),
    seconds: float = 0,
) -> None:
    """Write the facts of an album into its folder, which completes it."""
    about = {"case": str(case), "text": text, "notes": notes, "pictures": pictures, "seconds": round(seconds, 6)}
    (folder / ABOUT).write_text(json.dumps(about), encoding="utf-8")


def found(folder: Path) -> list[Album]:
    """Return the albums in a folder that have pictures, sorted by application and size."""
    complete = [_read(about.parent) for about in folder.glob(f"*/{ABOUT}")]
    known = [each for each in complete if each.pictures and Case.read(each.case).problem in gallery.applications()]
    return sorted(known, key=lambda each: (Case.read(each.case).problem, Case.read(each.case).n, each.case))


def _largest(cells: pd.DataFrame) -> Iterator[tuple[Case, str]]:
    """Yield the largest case of each family with pictures, and the spec of its fastest solver, exact ones first."""
    solved = tables.compared(cells)
    solved = solved[solved["n"] <= MOST_ROWS]
    for name in solved["problem"].unique():
        if name in gallery.FAMILIES:
            rows = solved[solved["problem"] == name]
            case = rows.loc[rows["n"].idxmax(), "case"]
            ranked = rows[rows["case"] == case].sort_values(["exact", "seconds"], ascending=[False, True])
            yield Case.read(case), ranked.iloc[0]["solver"]


def _place(case: Case, folder: Path) -> Path:
    """Return the folder of the album of a case."""
    return folder / f"{case.problem}-n{case.n}-{hashlib.sha256(str(case).encode()).hexdigest()[:8]}"


def _ended(status: int, last: str) -> str:
    """Return how a process ended, with the last line of its errors."""
    how = f"ended by {signal.Signals(-status).name}" if status < 0 else f"ended with exit status {status}"
    return f"{how}: {last}" if last else how


def _kept(place: Path) -> Album | None:
    """Return the album in a folder; None if it is not complete."""
    album = _read(place) if (place / ABOUT).exists() else None
    return album if album and all(page_copy.of(path).exists() for path in album.pictures) else None


def _read(place: Path) -> Album:
    about = json.loads((place / ABOUT).read_text(encoding="utf-8"))
    pictures = tuple(place / name for name in about["pictures"])
    return Album(about["case"], about["text"], tuple(about["notes"]), pictures, about.get("seconds", 0.0))
