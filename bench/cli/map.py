"""`lapmark map`: a user's data laid on a grid."""

from __future__ import annotations

import math
import os
import re
import textwrap
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from lapmark.bench.applications.grid_map.file_endings import PICTURES, TABLES
from lapmark.bench.util import units
from lapmark.bench.util.plain_text import plain
from lapmark.bench.util.units import show_count_of

from . import completion, options
from .base import app, user_errors

if TYPE_CHECKING:
    from lapmark.bench.applications.grid_map.collection import Collection
    from lapmark.bench.applications.grid_map.pipeline import Layout

#: Headings in the help.
NODES, LOOK, COLUMNS = "Nodes", "Look", "Columns of a table"


#: Most unreadable images that are named.
NAMED = 10


@app.command(
    "map",
    examples={
        "lapmark map photos -o photos.html --open": "lay a folder of images, as a page to zoom into",
        "lapmark map embedding.npy --grid 40x60": "lay points of the plane on 40 rows and 60 columns",
        "lapmark map features.csv --method umap -o map.svg": "lay a table of numbers, with labels and images",
        "lapmark map photos --shape circle --fit crop --gap 4": "fill a circle with square photographs",
        "lapmark map t10k-images-idx3-ubyte.gz --save-assignment cells.csv": "save the place of each image",
    },
)
def draw_map(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="INPUT",
            help="Folder of images; images, features or points as .npy, .npz, .csv, .tsv or .parquet; or an IDX file.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="FILE", help="File to write: .png, .svg, or .html to zoom into."),
    ] = Path("map.png"),
    grid: Annotated[
        str | None,
        typer.Option(
            metavar="ROWSxCOLUMNS",
            help="Shape of the grid, with at least as many cells as items; default: nearly square.",
            rich_help_panel=NODES,
        ),
    ] = None,
    shape: Annotated[
        str | None,
        typer.Option(
            metavar="SHAPE",
            help="Outline to fill: circle, hexagon, or an image file, whose dark or opaque part is filled.",
            rich_help_panel=NODES,
        ),
    ] = None,
    nodes: Annotated[
        Literal["square", "hexagonal"], typer.Option(help="Lattice of the nodes.", rich_help_panel=NODES)
    ] = "square",
    pitch: Annotated[
        float | None,
        typer.Option(
            metavar="LENGTH",
            help="Distance between nodes in pixels of the image of --shape, or as a share of the width of a circle or "
            "a hexagon; default: the largest with a node for each item.",
            rich_help_panel=NODES,
        ),
    ] = None,
    spare: Annotated[
        float | None,
        typer.Option(
            parser=options.reader(units.share),
            metavar="SHARE",
            help="Least share of nodes that stay empty, such as 10%.",
            rich_help_panel=NODES,
        ),
    ] = None,
    method: Annotated[
        str | None,
        typer.Option(
            metavar="METHOD",
            help="Method to embed vectors in the plane; default: tsne, or none for 2-D points.",
            autocompletion=completion.embeddings,
        ),
    ] = None,
    sprite: Annotated[
        int | None,
        typer.Option(
            metavar="PIXELS",
            min=1,
            help="Side of a cell; default: chosen by the images and the grid.",
            rich_help_panel=LOOK,
        ),
    ] = None,
    fit: Annotated[
        Literal["contain", "crop", "cover"],
        typer.Option(
            help="Show whole images; or their middle squares; or fill cells, also hexagonal ones.", rich_help_panel=LOOK
        ),
    ] = "contain",
    gap: Annotated[
        int, typer.Option(metavar="PIXELS", min=0, max=1000, help="Distance between cells.", rich_help_panel=LOOK)
    ] = 0,
    background: Annotated[
        str | None,
        typer.Option(
            metavar="COLOUR",
            help="Colour between cells and in empty ones, a name or #rrggbb; default: a dark grey.",
            rich_help_panel=LOOK,
        ),
    ] = None,
    caption: Annotated[
        Literal["none", "name", "label"], typer.Option(help="Text below each image.", rich_help_panel=LOOK)
    ] = "none",
    table: Annotated[
        Path | None,
        typer.Option(
            "--save-assignment",
            metavar="FILE",
            help="Also write the name, row, column, x, y and label of each item: .csv, .json, .npy or .parquet.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Seed of the embedding.")] = 777,
    threads: Annotated[
        int | None,
        options.threads("Number of threads; default: -1, all cores. With 1 the result is reproducible to the bit."),
    ] = None,
    header: Annotated[bool | None, options.HEADER] = None,
    features: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMNS",
            help="Columns of a table to embed, such as age,income or 'pixel*'; default: numbers, without identifiers.",
            rich_help_panel=COLUMNS,
        ),
    ] = None,
    label: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN", help="Column of labels; default: label, class, target or y.", rich_help_panel=COLUMNS
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="Column of names; default: name or id.", rich_help_panel=COLUMNS),
    ] = None,
    scale: Annotated[
        Literal["standard", "minmax", "none"] | None,
        typer.Option(
            help="What is done to each feature before it is embedded: mean 0 and standard deviation 1; 0 to 1; or "
            "nothing. Default: standard for columns with names of their own, none for a numbered series or an array.",
            rich_help_panel=COLUMNS,
        ),
    ] = None,
    show: Annotated[bool, typer.Option("--open", help="Open the map in the browser.")] = False,
) -> None:
    """Lay your own images or vectors on a grid.

    They are embedded in the plane, and each gets its own cell at the least total distance, which is proven. Embeddings
    are cached, so that drawing again is fast.
    """
    import webbrowser

    # Before OpenMP is loaded: its threads would spin while they wait, which slows down other work several times.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")

    from lapmark.bench.applications.grid_map import collection as collections
    from lapmark.bench.applications.grid_map import columns, lattice, picture_size, pipeline
    from lapmark.bench.applications.grid_map.columns import Choice, split_names
    from lapmark.bench.applications.grid_map.lattice import Wanted
    from lapmark.bench.util.status_line import doing

    with user_errors():
        _check_suffix("--output", output, PICTURES)
        if table is not None:
            _check_suffix("--save-assignment", table, TABLES)
        if method is not None:
            pipeline.check_method(method)
        wanted = Wanted(None if grid is None else _shape(grid), shape, pitch, spare or 0, nodes)
        lattice.check(wanted)
        if wanted.grid is not None:
            picture_size.check_size(math.prod(wanted.grid), (sprite or 1) + gap, output.suffix.lower())
        choice = Choice(split_names(features) if features is not None else None, label, name)
        collection = collections.read(source, sprite, threads, header, choice, crop=fit != "contain")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            place = lattice.lattice(len(collection), wanted)
            side = sprite or picture_size.cell_side(collection.images, place.shape)
            picture_size.check_size(math.prod(place.shape), side + gap, output.suffix.lower())
            layout = pipeline.lay(collection, place, method, seed, threads, scale)
        with doing("drawing"):
            from lapmark.reports.map.assignment_table import write_assignment  # loads matplotlib, which takes a second
            from lapmark.reports.map.drawing import write_map
            from lapmark.reports.map.painting import BACKGROUND, Look

            look = Look(fit, gap, background or BACKGROUND, caption)
            look.check(layout, side)
            if table is not None:
                write_assignment(layout, table)
            write_map(layout, output, os.fsencode(source.resolve().name).decode(errors="replace"), side, look)
    # Warnings about the data, such as a disconnected graph; warnings of libraries about themselves are left out.
    notes = [f"warning: {warning.message}" for warning in caught if warning.category is UserWarning]
    lines = [_read(collection), *_scale(layout)]
    for text in notes:
        lines += textwrap.wrap(text, columns.WIDTH, break_long_words=False, break_on_hyphens=False)
    typer.echo(plain("\n".join([*lines, layout.times, *map(str, filter(None, [output, table]))])))
    if show:
        webbrowser.open(output.resolve().as_uri())


def _scale(layout: Layout) -> list[str]:
    """Return lines that say how the features of a table were scaled; none if they are points of the plane."""
    from lapmark.bench.applications.grid_map import columns, scaling

    collection = layout.collection
    if layout.is_plane or (not collection.feature_names and layout.scale == "none"):
        return []
    return columns.paragraph("scale", scaling.describe(layout.scale, collection.have_units))


def _shape(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"\s*(\d+)\s*[x×X]\s*(\d+)\s*", text)
    if not found or 0 in (shape := (int(found[1]), int(found[2]))):
        raise ValueError(f"--grid {text}: give ROWSxCOLUMNS, such as 40x60")
    return shape


def _check_suffix(option: str, path: Path, known: tuple[str, ...]) -> None:
    if path.suffix.lower() not in known:
        raise ValueError(f"{option} {path}: the name must end in {', '.join(known)}")
    if path.is_dir():
        raise ValueError(f"{option} {path} is a folder; name a file")


def _read(collection: Collection) -> str:
    """Return what was read, ignored and skipped, as text."""
    from lapmark.bench.applications.grid_map import columns

    kind = "image" if collection.images else "point" if collection.are_points else "vector"
    labels = f", {show_count_of(len(collection.classes), 'label')}" if collection.labels is not None else ""
    lines = [f"{show_count_of(len(collection), kind)}{labels}", *filter(None, [collection.layout])]
    lines += columns.describe(collection.columns)
    if collection.ignored:
        lines.append(f"ignored {collection.ignored}")
    if count := len(collection.skipped):
        lines.append(f"skipped {count:,} that cannot be read:")
        lines += [f"  {name}: {reason}" for name, reason in collection.skipped[:NAMED]]
    if count > NAMED:
        lines.append(f"  and {count - NAMED:,} more")
    return "\n".join(lines)
