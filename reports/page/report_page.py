"""The page: one HTML file that holds all it shows and asks the network for nothing.

Names come from data, so the template escapes everything, and the page's own policy runs this module's script alone.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import io
import urllib.parse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import pandas as pd
from markupsafe import Markup
from PIL import Image

from lapmark.bench.results.record import METRICS, Metric
from lapmark.bench.results.statuses import STATUSES
from lapmark.bench.system.conditions import LOADED
from lapmark.bench.util.units import show_duration, show_size
from lapmark.reports import format, tables
from lapmark.reports.charts import Chart
from lapmark.reports.pictures.albums import Album
from lapmark.reports.style import CSS_DPI, DPI
from lapmark.reports.verdicts import verdict

TEMPLATES = Path(__file__).parents[1] / "templates"

#: A picture is in the page as it is up to so many bytes, and otherwise with so many pixels to a side.
PICTURE_BYTES, PICTURE_SIDE = 800_000, 1400

#: The ratio of its sides from which a picture has the width of the page.
WIDE = 1.6

#: What the page can be filtered by, with the column of the cells that holds it.
FILTERS = {"solver": "base", "problem": "problem", "n": "n", "threads": "threads", "status": "status"}

#: The condition that tells the share of a cell's cores that went to other work.
LOAD = "condition_others"


@dataclass(frozen=True)
class Drawing:
    """A chart that was drawn."""

    chart: Chart
    png: bytes
    svg: bytes


@dataclass(frozen=True)
class Picture:
    """What an `img` shows, and its size in CSS pixels, so that nothing moves when it appears.

    An animation has a `still` beside it, for readers who want nothing to move; `file` is a link to the picture at its
    full size. One that is `reduced` has much to show.
    """

    source: str
    width: int
    height: int
    still: str = ""
    file: str = ""
    reduced: bool = False

    @property
    def wide(self) -> bool:
        """Whether it gets the width of the page: of panels side by side, too, half of it would hold small print."""
        return self.reduced or self.width > WIDE * self.height


def render(cells: pd.DataFrame, drawings: Sequence[Drawing], albums: Sequence[Album], directory: Path) -> str:
    """The page as HTML.

    Parameters
    ----------
    cells : DataFrame
        As `tables.frame` makes it.
    drawings : sequence of Drawing
    albums : sequence of Album
    directory : Path
        Where the page will be.
    """
    shown = cells[cells["current"]]
    shown = shown.assign(work=[_work(row) for _, row in shown.iterrows()])
    columns = [column for column in COLUMNS if _says_something(shown, column.name)]
    return fill(
        "index.html",
        headline=_headline(shown),
        facts=_facts(shown),
        warnings=_warnings(cells),
        # The largest first: it is what the run was for.
        cases=[_case(str(label), rows) for label, rows in sorted(shown.groupby("label"), key=_smallness)],
        charts=[(drawing.chart, _chart(drawing), _numbers(drawing.chart, cells)) for drawing in drawings],
        albums=[(album, shown_pictures(album, directory)) for album in albums],
        failures=_failures(shown),
        statuses=STATUSES.values(),
        rows=[_row(row, columns) for _, row in shown.iterrows()],
        columns=columns,
        choices={name: values for name, column in FILTERS.items() if (values := _choices(name, shown[column]))},
        csv=data_url("text/csv", tables.csv(cells).encode()),
    )


def fill(name: str, script: str = "page.js", look: str = "page.css", **contents: object) -> str:
    """A template filled in, with a script and looks from beside it, and a policy that lets nothing else in."""
    code, style = ((TEMPLATES / name).read_text(encoding="utf-8") for name in (script, look))
    return template(name).render(
        script=Markup(code),
        look=Markup(style),
        policy=f"default-src 'none'; img-src data:; style-src {_hash(style)}; script-src {_hash(code)}",
        **contents,
    )


@functools.cache
def template(name: str) -> jinja2.Template:
    """A template, which escapes whatever it is given."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)


def shown_pictures(album: Album, directory: Path) -> list[tuple[str, Picture]]:
    """Captions and pictures of an album for a page in `directory`, an `img` each."""
    return [
        (caption, replace(_picture(path), file=urllib.parse.quote(path.relative_to(directory).as_posix())))
        for caption, path in album.captioned
    ]


def _headline(shown: pd.DataFrame) -> str:
    solvers = shown.loc[shown["group"] != "harness", "series"].nunique()
    ok = int((shown["status"] == "ok").sum())
    words_of = [_count(solvers, "solver"), _count(shown["case"].nunique(), "case"), _count(len(shown), "cell")]
    return f"{', '.join(words_of)}: {ok} with a certified answer."


def _facts(shown: pd.DataFrame) -> list[tuple[str, str]]:
    finished = sorted(filter(None, shown["finished"]))
    versions = sorted({part for text in shown["versions"] for part in text.split("; ") if part})
    facts = [
        ("Measured", " to ".join(dict.fromkeys(_minute(text) for text in (finished[:1] + finished[-1:])))),
        ("Machine", " / ".join(sorted(set(shown["machine"])))),
        ("Other work", _load(shown)),
        ("Versions", ", ".join(versions)),
        ("Environments", ", ".join(sorted(filter(None, set(shown["environment"]))))),
        ("Commit", ", ".join(sorted(set(shown["commit"])))),
        ("Threads", ", ".join(str(count) for count in sorted(set(shown["threads"])))),
    ]
    return [(name, text) for name, text in facts if text]


def _warnings(cells: pd.DataFrame) -> list[str]:
    """What keeps the cells from being comparable."""
    shown = cells[cells["current"]]
    found = []
    if (count := shown["machine"].nunique()) > 1:
        found.append(f"The cells come from {count} machines: times of different machines do not compare.")
    if (count := shown["commit"].nunique()) > 1:
        found.append(f"The cells come from {count} commits of Lapmark.")
    busy = shown[shown[LOAD] > LOADED] if LOAD in shown else shown[:0]
    if len(busy):
        found.append(
            f"{len(busy):,} of {len(shown):,} cells were measured under load, where other work took up to "
            f"{busy[LOAD].max():.0%} of their cores: their times may be too long. Which they are, “Load” among all "
            "results tells; “lapmark run --retry loaded” measures them again."
        )
    if older := len(cells) - len(shown):
        stale = _count(older, "older cell")
        found.append(f"{stale} measured since, or in another environment: only in results.csv, with current = False.")
    return found


def _smallness(group: tuple[object, pd.DataFrame]) -> int:
    return -int(group[1]["n"].max())


def _case(label: str, rows: pd.DataFrame) -> dict[str, object]:
    """The verdict and the table of medians of one label."""
    medians = tables.ranking(rows)
    fastest = medians[medians.index.isin(tables.compared(rows).query("exact")["series"])].min()
    by = dict(list(rows.groupby(["series", "n"])))
    table = []
    for series, line in medians.iterrows():
        mine = rows[rows["series"] == series].iloc[0]
        if mine["group"] == "harness":
            continue
        texts = [_median(by.get((series, n)), seconds, fastest[n]) for n, seconds in line.items()]
        known = {"name": series, "ours": mine["group"] == "ours", "exact": mine["exact"], "cells": texts}
        table.append({**known, "keys": {"solver": mine["base"]}})
    table.sort(key=lambda line: not line["exact"])  # within each kind, fastest first as before
    sizes = [f"{n:,}" for n in medians.columns]
    keys = {"problem": rows["problem"].iloc[0]}
    return {"label": label, "keys": keys, "verdict": verdict(rows), "sizes": sizes, "table": table}


def _median(cell: pd.DataFrame | None, seconds: float, fastest: float) -> dict[str, object]:
    if cell is None:
        return {"text": "", "note": "", "kind": "none"}
    if np.isnan(seconds):
        return {"text": cell["status"].iloc[0], "note": "", "kind": "bad"}
    exact = bool(cell["exact"].iloc[0])
    note = format.ratio(seconds / fastest) if exact else f"gap {format.gap(cell['gap'].median())}"
    return {"text": show_duration(seconds), "note": note, "kind": "best" if exact and seconds <= fastest else "ok"}


def _failures(shown: pd.DataFrame) -> list[dict[str, str]]:
    """Cells without a certified answer: a line per solver, status and reason, reasons that differ in numbers as one."""
    failed = shown[shown["status"] != "ok"]
    alike = failed["message"].str.replace(r"\d+", "#", regex=True)
    lines = []
    for (status, series, _), cells in failed.groupby(["status", "series", alike], observed=True):
        where = (
            f"{label} at n = {', '.join(f'{n:,}' for n in sorted(set(part['n'])))}"
            for label, part in cells.groupby("label")
        )
        reason = cells["message"].iloc[-1]
        keys = {"solver": cells["base"].iloc[0], "status": status}
        lines.append({"solver": series, "status": status, "where": "; ".join(where), "reason": reason, "keys": keys})
    return lines


def _numbers(chart: Chart, cells: pd.DataFrame) -> dict[str, object] | None:
    """The table under a chart: headings, and for each line its texts and what it is filtered by."""
    if chart.numbers is None:
        return None
    table = chart.numbers(cells)
    keys_of = {
        "Solver": ("solver", dict(zip([*cells["series"], *cells["solver"]], [*cells["base"]] * 2, strict=True))),
        "Case": ("problem", dict(zip(cells["label"], cells["problem"], strict=True))),
    }
    lines = []
    for names, texts in zip(table.index, table.itertuples(index=False), strict=True):
        told = zip(table.index.names, names, strict=True)
        known = ((*keys_of[level], name) for level, name in told if level in keys_of)
        keys = {key: values.get(name, name) for key, values, name in known}
        lines.append({"names": names, "texts": list(texts), "keys": keys})
    return {"names": table.index.names, "columns": list(table.columns), "lines": lines}


def _choices(name: str, values: pd.Series) -> list[str]:
    """What a filter offers: numbers by size, words by the alphabet. Most runs have one number of threads: no choice."""
    choices = [str(value) for value in sorted(set(values))]
    return [] if name == "threads" and len(choices) < 2 else choices


def _load(shown: pd.DataFrame) -> str:
    """What other work took of the cells' cores, from the least to the most."""
    known = shown[LOAD].dropna() if LOAD in shown else shown[:0]
    return f"{known.min():.0%} to {known.max():.0%} of the cores" if len(known) else ""


def _row(row: pd.Series, columns: Sequence[Column]) -> dict[str, object]:
    """One line of the large table: what it is filtered by, and a text and a value to sort by for each column."""
    cells = []
    for column in columns:
        value = row[column.name]
        known = pd.notna(value)
        cells.append({"text": column.write(row) if known else "", "value": value if known and column.number else None})
    return {"cells": cells, "keys": {name: str(row[column]) for name, column in FILTERS.items()}}


def _says_something(shown: pd.DataFrame, name: str) -> bool:
    values = shown.get(name, pd.Series(dtype=float))
    return bool((values.notna() & (values != "")).any())


def _range(row: pd.Series) -> str:
    return f"{show_duration(row['seconds_min'])} – {show_duration(row['seconds_max'])}"


def _error(metric: Metric, row: pd.Series) -> str:
    proven = metric.name == "gap" and row["status"] == "ok" and row["exact"]
    return metric.perfect if proven or row[metric.name] <= metric.negligible else format.gap(row[metric.name])


def _work(row: pd.Series) -> str:
    counters = {name.removeprefix("counter_"): row[name] for name in row.index if name.startswith("counter_")}
    return ", ".join(f"{name} {count:,}" for name, count in counters.items() if pd.notna(count))


@dataclass(frozen=True)
class Column:
    """A column of the large table: its heading, the column of the cells it is sorted by, and how it is written."""

    title: str
    name: str
    write: Callable[[pd.Series], str]
    number: bool = True

    @property
    def key(self) -> str:
        """What a link calls it."""
        return {"series": "solver", "label": "problem"}.get(self.name, self.name)


#: The columns of the large table; those of which no cell has anything to say are left out.
COLUMNS = (
    Column("Solver", "series", lambda row: row["series"], number=False),
    Column("Case", "label", lambda row: row["label"], number=False),
    Column("n", "n", lambda row: f"{row['n']:,}"),
    Column("m", "m", lambda row: f"{row['m']:,}"),
    Column("Status", "status", lambda row: row["status"], number=False),
    Column("Time", "seconds", lambda row: show_duration(row["seconds"])),
    Column("Fastest – slowest", "seconds_min", _range),
    Column("Samples", "samples", lambda row: str(row["samples"])),
    Column("Rounds", "rounds", lambda row: str(row["rounds"])),
    Column("Against the fastest", "relative", lambda row: format.ratio(row["relative"])),
    Column("Against the easier case", "slowdown", lambda row: format.ratio(row["slowdown"])),
    Column("Gain by AVX2", "speedup", lambda row: format.ratio(row["speedup"])),
    *(Column(metric.title.capitalize(), metric.name, functools.partial(_error, metric)) for metric in METRICS),
    Column("Cost", "cost", lambda row: f"{row['cost']:.9g}"),
    Column("Peak memory", "peak_memory", lambda row: show_size(row["peak_memory"])),
    Column("Instructions", "instructions", lambda row: f"{row['instructions']:,}"),
    Column("Load", LOAD, lambda row: f"{row[LOAD]:.0%}"),
    Column("Work", "work", lambda row: row["work"], number=False),
    Column("Environment", "environment", lambda row: row["environment"], number=False),
    Column("Message", "message", lambda row: row["message"], number=False),
)


def _chart(drawing: Drawing) -> Picture:
    """The figure as SVG, which is sharp and turns dark, or as PNG where that is smaller by far."""
    with Image.open(io.BytesIO(drawing.png)) as image:
        width, height = (round(side * CSS_DPI / DPI) for side in image.size)
    small = len(drawing.svg) <= 4 * len(drawing.png)
    source = data_url("image/svg+xml", drawing.svg) if small else data_url("image/png", drawing.png)
    return Picture(source, width, height)


def _picture(path: Path) -> Picture:
    """A picture, pixel by pixel where that is not too much, and no larger than a screen shows where it is."""
    with Image.open(path) as image:
        if path.suffix == ".gif":
            size = image.size
            image.seek(getattr(image, "n_frames", 1) - 1)
            still = data_url("image/webp", _webp(image, lossless=True))
            return Picture(data_url("image/gif", path.read_bytes()), *size, still)
        content = _webp(image, lossless=True)
        if len(content) > PICTURE_BYTES:
            reduced = image.convert("RGB")
            reduced.thumbnail((PICTURE_SIDE, PICTURE_SIDE), Image.Resampling.LANCZOS)
            return Picture(data_url("image/webp", _webp(reduced, quality=85)), *reduced.size, reduced=True)
        return Picture(data_url("image/webp", content), *image.size)


def _webp(image: Image.Image, **settings: Any) -> bytes:
    with io.BytesIO() as file:
        image.convert("RGB").save(file, "WEBP", **settings)
        return file.getvalue()


def data_url(kind: str, content: bytes) -> str:
    """Content of a media type, as the source of an image within the page itself."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _hash(source: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}'"


def _minute(text: str) -> str:
    """A time of the store to the minute, as it is where it cannot be read."""
    try:
        return datetime.fromisoformat(text).strftime("%Y-%m-%d %H:%M %Z").strip()
    except ValueError:
        return text


def _count(count: int, thing: str) -> str:
    return f"{count:,} {thing}{'' if count == 1 else 's'}"
