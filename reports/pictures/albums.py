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
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from lapmark.bench.applications import gallery
from lapmark.bench.problems import Case
from lapmark.bench.util.plain_text import plain
from lapmark.bench.util.status_line import doing
from lapmark.reports import tables

from . import page_copy

#: Written last: a folder with this file, and without notes in it, is complete.
ABOUT = "about.json"

#: The file of an album that is made to be shared, if it has pictures.
CARD = "card.png"

#: Endings of the files that pages show.
SHOWN = {".png", ".gif"}

#: Largest n that is drawn: larger pictures show no more, and solving may take hours.
MOST_ROWS = 10_000


class Picture(NamedTuple):
    """A file with its caption, without a full stop, and the text for readers who do not see it."""

    path: Path
    caption: str
    alt: str


@dataclass(frozen=True)
class Album:
    """The pictures of one case.

    Attributes
    ----------
    title, what : str
        The application and the size, and what was solved, in a sentence without its full stop or "".
    text : str
        Certified facts on the answer.
    finding : str
        What it gains over a simpler method (`lapmark.bench.applications.findings`).
    notes : tuple of str
        Reasons for missing pictures, and other warnings.
    pictures : tuple of Picture
        The main one first.
    seconds : float
        Time to build, solve and draw.
    """

    case: str
    title: str = ""
    what: str = ""
    text: str = ""
    finding: str = ""
    notes: tuple[str, ...] = ()
    pictures: tuple[Picture, ...] = ()
    seconds: float = 0.0

    @property
    def folder(self) -> Path:
        """Where its files are; only an album with pictures has one."""
        return self.pictures[0].path.parent


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
    made = _kept(place)
    assert made is not None
    return made


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
            note = f"no pictures: the process that draws them {_ended(status, last)}"
            write_about(Album(str(case), notes=(note,)), folder)


def write_about(album: Album, folder: Path) -> None:
    """Write the facts of an album into its folder, which completes it."""
    pictures = [{**each._asdict(), "path": each.path.name} for each in album.pictures]
    about = {**asdict(replace(album, pictures=())), "pictures": pictures, "seconds": round(album.seconds, 6)}
    (folder / ABOUT).write_text(json.dumps(about), encoding="utf-8")


def found(folder: Path) -> list[Album]:
    """Return the albums in a folder that have pictures, by the order of the gallery, and the largest first."""
    complete = filter(None, (_kept(about.parent) for about in folder.glob(f"*/{ABOUT}")))
    place = {name: k for k, name in enumerate(gallery.ORDER)}

    def order(album: Album) -> tuple[int, int, str]:
        case = Case.read(album.case)
        return place.get(case.problem, len(place)), -case.n, album.case

    known = gallery.applications()
    return sorted((each for each in complete if each.pictures and Case.read(each.case).problem in known), key=order)


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
    """Return the album in a folder; None if it is not complete, or of an older version."""
    try:
        about = json.loads((place / ABOUT).read_text(encoding="utf-8"))
        pictures = tuple(Picture(place / each["path"], each["caption"], each["alt"]) for each in about["pictures"])
        album = Album(**{**about, "notes": tuple(about["notes"]), "pictures": pictures})
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return album if all(page_copy.of(path).exists() for path, *_ in pictures) else None
