"""The command `lapmark`: what it takes and what it says. The work is done elsewhere, and imported when asked for."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from . import suites, units

#: What a shell expects after Ctrl-C.
INTERRUPTED = 130

RESULTS = Path("results")

#: Seconds and bytes that a call may take where neither the command nor a configuration says.
TIMEOUT, MEMORY = 60.0, 8 << 30

app = typer.Typer(
    help="Compare, prove and choose solvers of the linear assignment problem and of optimal transport.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _reads(parse: Callable[[str], Any]) -> Callable[[str | float], Any]:
    """A parser for an option, whose ValueError becomes a usage error."""

    def read(text: str | float) -> Any:
        if not isinstance(text, str):
            return text
        try:
            return parse(text)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None

    return read


def _time(help: str) -> Any:
    return typer.Option(parser=_reads(units.duration), metavar="TIME", help=help)


def _memory(help: str) -> Any:
    return typer.Option(parser=_reads(units.size), metavar="SIZE", help=help)


@app.command(
    epilog="""**Examples**

`lapmark run` — the demo: scikit-learn's digits laid on a grid, with every solver

`lapmark run -s jv-avx2 -s lapjv -p uniform -n 1000 -n 4000` — two solvers, one family, two sizes

`lapmark run -s sinkhorn:blur=0.02 -p tsne-grid:rows=points` — settings after a colon, separated by commas

`lapmark run --plugin mine.py -s mine -s jv` — a solver of your own against one of ours

`lapmark run --config families -n 500` — a run that is written down, at one size only"""
)
def run(
    config: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE",
            help="Take the solvers, problems, sizes and limits that are not given here from a TOML file, or from one "
            f"of ours: {', '.join(suites.names())}.",
        ),
    ] = None,
    solver: Annotated[
        list[str] | None, typer.Option("--solver", "-s", help="Solver, `name` or `name:option=value,…`; default: all.")
    ] = None,
    problem: Annotated[
        list[str] | None,
        typer.Option("--problem", "-p", help="Problem, `name` or `name:setting=value,…`; default: the demo's."),
    ] = None,
    size: Annotated[
        list[int] | None, typer.Option("-n", min=1, help="Size, in place of each problem's own; may be repeated.")
    ] = None,
    timeout: Annotated[float | None, _time(f"Limit of one call, such as 500ms or 10m; default: {TIMEOUT:g}s.")] = None,
    memory: Annotated[
        int | None, _memory(f"Limit of one call, on top of the problem; default: {MEMORY >> 30}GiB.")
    ] = None,
    budget: Annotated[float, _time("Repeat each call for so long, or once.")] = "250ms",  # type: ignore[assignment]
    threads: Annotated[int, typer.Option(min=1, help="Threads, and cores, that a solver may use.")] = 1,
    plugin: Annotated[
        list[Path] | None, typer.Option(help="Python file that registers solvers; may be repeated.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Folder with data files, such as MNIST's; default: $LAPMARK_DATA.")
    ] = None,
    to: Annotated[Path, typer.Option(help="Folder of the results; results found there are gone on from.")] = RESULTS,
    again: Annotated[
        list[str] | None,
        typer.Option(metavar="STATUS", help="Run finished cells of this status again, such as timeout."),
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Run every cell again.")] = False,
) -> None:
    """Run solvers on problems, and prove every answer.

    Each solver runs on each problem in a process of its own, which is stopped at the limits. Every finished cell is
    kept at once: after Ctrl-C, or worse, the same command goes on from there.
    """
    from rich.console import Console

    from . import config as configs
    from . import plugins
    from .cell import Limits
    from .plan import plan
    from .progress import Board, summary
    from .record import STATUSES
    from .store import Store
    from .sweep import Finished, Sweep

    console = Console(highlight=False)
    if data is not None:
        os.environ["LAPMARK_DATA"] = str(data.resolve())
    files = tuple(str(path.resolve()) for path in plugin or ())
    with _user_errors():
        if unknown := set(again or ()) - set(STATUSES):
            raise ValueError(f"--again {unknown.pop()}: no such status; choose from {', '.join(STATUSES)}")
        for file in files:
            plugins.load(file)
        given = configs.load(config) if config else configs.Config()
        cells = plan(solver or given.solvers, given.sized(problem or given.problems), size or ())
        store = Store.open(to)
    sweep = Sweep(
        store=store,
        limits=Limits(
            timeout=timeout or given.timeout or TIMEOUT, memory=memory or given.memory or MEMORY, threads=threads
        ),
        budget=budget,
        plugins=files,
        again=STATUSES if fresh else again or (),
    )
    done = []
    with store, Board(console, len(cells)) as board:
        try:
            for event in sweep.run(cells):
                board.show(event)
                if isinstance(event, Finished):
                    done.append(event)
        except KeyboardInterrupt:
            kept = f"Stopped after {len(done)} of {len(cells)} cells, which are kept in {to}."
            console.print(kept, "The same command goes on from there.", markup=False, soft_wrap=True)
            raise typer.Exit(INTERRUPTED) from None
    resumed = sum(event.resumed for event in done)
    console.print(summary(event.record for event in done))
    earlier = f", {resumed} from an earlier run" if resumed else ""
    console.print(f"{len(done)} cells in {store.path}{earlier}", markup=False, soft_wrap=True)
    console.print(f"Figures and tables: lapmark report {to}", markup=False, soft_wrap=True)


@app.command()
def solvers(
    name: Annotated[
        str | None, typer.Argument(help="Show this one at length: its source, options and counters.")
    ] = None,
) -> None:
    """List the solvers: what each can do, and what is missing here and why."""
    from rich.console import Console

    from .catalogue import solver_page, solver_table

    with _user_errors():
        Console(highlight=False).print(solver_page(name) if name else solver_table())


@app.command()
def problems() -> None:
    """List the families of problems: their sizes, their settings and where they come from."""
    from rich.console import Console

    from .catalogue import problem_table

    Console().print(problem_table())


@app.command()
def report(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the results.")] = RESULTS,
    show: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
) -> None:
    """Draw the figures and write the tables of a run, and one page, index.html, that shows them all."""
    import webbrowser

    from .store import Store

    with _user_errors():
        Store.open(directory, create=False).close()

    import reports  # after the check: drawing takes seconds to load

    page = reports.write(directory)
    typer.echo(page)
    if show:
        webbrowser.open(page.resolve().as_uri())


@app.command(
    epilog="""**Examples**

`lapmark gallery` — every application, on built-in data

`lapmark gallery images-emd:source=mnist -n 784 --data FOLDER` — one of them, otherwise

`lapmark gallery words:texts=FOLDER,vectors=glove.6B.100d.txt` — on data of your own"""
)
def gallery(
    name: Annotated[
        list[str] | None,
        typer.Argument(help="Application, `name` or `name:setting=value,…`; default: all.", show_default=False),
    ] = None,
    size: Annotated[int | None, typer.Option("-n", min=1, help="Size, in place of the smallest of a run.")] = None,
    data: Annotated[
        Path | None, typer.Option(help="Folder with data files, such as MNIST's; default: $LAPMARK_DATA.")
    ] = None,
    to: Annotated[Path, typer.Option(help="Folder of the pictures.")] = RESULTS / "gallery",
    show: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
) -> None:
    """Draw every application: solve it, prove the answer, and show it on one page, index.html."""
    import webbrowser

    from rich.console import Console
    from rich.markup import escape

    from . import gallery as applications

    if data is not None:
        os.environ["LAPMARK_DATA"] = str(data.resolve())
    with _user_errors():
        cases = applications.cases(name or (), size)

    import reports  # after the check: drawing takes seconds to load
    from reports import pictures

    console = Console(highlight=False)
    albums: list[pictures.Album] = []
    stopped = False
    with _user_errors():
        try:
            with console.status("") as status:
                for case in cases:
                    status.update(f"{len(albums) + 1} of {len(cases)}: {escape(str(case))}")
                    albums.append(pictures.album(case, "auto", to, anew=True))
                    known = [albums[-1].text, *albums[-1].notes]
                    if not albums[-1].pictures and not albums[-1].notes:
                        known.append("has no pictures")
                    for text in filter(None, known):
                        console.print(f"{case}: {text}", markup=False, soft_wrap=True)
        except KeyboardInterrupt:
            stopped = True
        page = reports.write_gallery(to)
    if stopped:
        kept = f"Stopped after {len(albums)} of {len(cases)} applications, which are kept in {to}."
        console.print(kept, markup=False, soft_wrap=True)
        raise typer.Exit(INTERRUPTED)
    console.print(page, markup=False, soft_wrap=True)
    if show:
        webbrowser.open(page.resolve().as_uri())
    if not all(album.pictures for album in albums):
        raise typer.Exit(1)


def main() -> None:
    app()


@contextlib.contextmanager
def _user_errors() -> Iterator[None]:
    """Say in a line, with exit status 2, what the user can mend."""
    try:
        yield
    except (ValueError, OSError) as error:
        raise typer.BadParameter(str(error)) from None


if __name__ == "__main__":
    main()
