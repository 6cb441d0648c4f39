"""`lapmark choose`: advice on which solver to use."""

from __future__ import annotations

import json
import math
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from . import options
from .base import RESULTS, app, plain_console, user_errors

if TYPE_CHECKING:
    from lapmark.bench.advice.advisor import Advice, Requirements
    from lapmark.bench.advice.features import Target
    from lapmark.bench.advice.performance_model import PerformanceModel
    from lapmark.bench.util import spec
    from lapmark.solvers.problem import Problem


@app.command(
    examples={
        "lapmark choose -p uniform -n 3000": "for a problem of a family",
        "lapmark choose costs.npy": "for your own matrix; also .csv, .npz, .mat, .parquet and others",
        "lapmark choose -p tracking -n 200 --gap 0.05": "with an answer up to 5 % above the optimum",
        "lapmark choose -p tracking -n 200 --budget 2s --memory 1GiB": "within limits of time and memory",
        "lapmark choose -p tracking -n 200 --from results": "from your own measurements",
        "lapmark choose recordings/tracker": "one solver for all problems of a folder, such as a recording",
        "lapmark choose --evaluate": "how good the advice is, beside the best single solver",
        "lapmark choose --plugin mine.py -p mine -n 500": "for a problem of your own family",
    },
)
def choose(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE",
            help="Cost matrix, points, or a folder of such files: .npy, .npz, .csv, .parquet, .mat and others.",
        ),
    ] = None,
    problem: Annotated[
        str | None, options.problem("Problem in place of a file: `name` or `name:setting=value,…`.")
    ] = None,
    size: Annotated[int | None, options.size("Size of the problem.")] = None,
    plugin: Annotated[list[Path] | None, options.plugin()] = None,
    gap: Annotated[
        float,
        typer.Option(metavar="SHARE", min=0, help="Largest relative excess over the optimal cost, such as 0.01."),
    ] = 0.0,
    budget: Annotated[float | None, options.duration("Limit on the solving time; default: none.")] = None,
    memory: Annotated[int | None, options.memory("Limit on the memory, on top of the problem; default: none.")] = None,
    threads: Annotated[int, options.threads("Largest number of threads, -1 for all cores.")] = 1,
    source: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="DIR",
            help="Folder of measurements; default: results if it has similar problems, else the measurements that ship "
            "with Lapmark.",
        ),
    ] = None,
    header: Annotated[bool | None, options.HEADER] = None,
    evaluate: Annotated[
        bool, typer.Option("--evaluate", help="Show how good the advice is on families that it has not seen.")
    ] = False,
    form: Annotated[
        Literal["text", "json"], typer.Option("--format", help="Output format: text for people, JSON for programs.")
    ] = "text",
) -> None:
    """Recommend a solver, and predict its time and memory.

    Nothing is solved: predictions come from measurements of the same family of problems, or of similar ones.
    """
    from lapmark.bench.advice import candidates
    from lapmark.bench.advice.advisor import Requirements

    from .advice_text import as_json, show

    if evaluate:
        with user_errors():
            if file is not None or problem is not None:
                raise ValueError("--evaluate is about all measured problems; leave out the file and -p")
            _evaluate(source, form)
        return
    requirements = Requirements(gap, math.inf if budget is None else budget, math.inf if memory is None else memory)
    with user_errors():
        options.load_plugins(plugin)
        if (folder := _folder(file, problem, size, header)) is not None:
            _choose_for_folder(folder, source, requirements, threads, form)
            return
        target, instance, note = _target(file, problem, size, header)
        advice, place = _advice(source, target, instance, requirements, threads)
        lines = candidates.lines(advice.chosen.solver, instance)
    if form == "json":
        typer.echo(
            json.dumps({"file": note or None, **as_json(target, advice, lines, place)}, indent=2, allow_nan=False)
        )
    else:
        show(advice, lines, place, f"{file}: {note}" if note and file else note)


def _evaluate(source: Path | None, form: str) -> None:
    """Show how good the advice is on the measurements of a folder, or on those that ship with Lapmark."""
    from lapmark.bench.advice import evaluation, measurements, shipped_measurements
    from lapmark.bench.results.store import Store
    from lapmark.bench.util.status_line import doing

    from .evaluation_text import show_evaluation

    if source is None:
        cells = shipped_measurements.load()
    else:
        with Store.open(source, create=False) as store:
            cells = measurements.table(store.records())
    with doing("each family is left out in turn"):
        found = evaluation.evaluate(cells)
    if form == "json":
        typer.echo(found.to_json(orient="records", indent=2))
    else:
        show_evaluation(evaluation.summary(found), evaluation.evaluate_auto(cells))


def _folder(file: Path | None, problem: str | None, size: int | None, header: bool | None) -> Path | None:
    """Return the folder to choose a solver for, None for a single problem."""
    from lapmark.bench.problems import file_problems

    if file is None or problem is not None:
        found = file_problems.find(problem) if problem is not None and file is None else None
        file = found[0] if found else None
    if file is None or not file.is_dir():
        return None
    if size is not None or header is not None:
        option = "--header" if size is None else f"-n {size}"
        raise ValueError(f"{option}: {file} is a folder of problems; leave it out")
    return file


def _choose_for_folder(folder: Path, source: Path | None, requirements: Requirements, threads: int, form: str) -> None:
    """Show the solver that takes the least time for all problems of a folder together."""
    from rich.markup import escape

    from lapmark.bench.advice import candidates, workload
    from lapmark.bench.advice.advisor import NoAdvice
    from lapmark.bench.util.text_table import Column, TextTable
    from lapmark.bench.util.units import show_count_of, show_duration

    console, models = plain_console(), _models(source)
    names = set().union(*(model.solvers() for model, _ in models))
    with plain_console(stderr=True).status("files") as status:
        items = workload.read(folder, names, lambda done, count: status.update(f"{done} of {count} files"))
        for model, place in models:
            try:
                ranked, origin = workload.rank(model, items, requirements, threads), place
                break
            except NoAdvice as none:
                message = str(none)
        else:
            cure = f"To measure it: lapmark run {shlex.quote(str(folder))} --to {source or RESULTS}"
            raise ValueError(f"{message}. {cure}")
    calls = sum(item.calls for item in items)
    if form == "json":
        found = {"folder": str(folder), "problems": len(items), "calls": calls, "from": origin}
        typer.echo(json.dumps({**found, "solvers": [vars(each) for each in ranked]}, indent=2, allow_nan=False))
        return
    first, every = ranked[0], [each for each in ranked if each.problems == len(items)]
    shown = "" if calls == len(items) else f", which stand for {calls:,.0f} calls"
    console.print(f"[bold]{escape(first.solver)}[/] — {show_duration(first.seconds)} for all of {escape(str(folder))}")
    console.print(f"{show_count_of(len(items), 'problem')}{shown}\n")
    rows = []
    for each in every:
        share = f"{each.first} of {len(items)}" if each.first else ""
        rows.append((each.solver, show_duration(each.seconds), f"{each.seconds / first.seconds:.2g}", share))
    numbers = (Column(heading, right=True) for heading in ("total time", "ratio", "first on"))
    if first.solver in (candidates.BATCH, candidates.DROP_IN):
        call = "solve_batch(list_of_costs)" if first.solver == candidates.BATCH else "linear_sum_assignment(costs)"
        console.print(f"  from lapmark import {first.solver}\n  answer = {call}\n")
    console.print(TextTable([Column("solver"), *numbers], rows))
    if some := [f"{each.solver} ({each.problems})" for each in ranked if each not in every]:
        console.print(f"\nNot for all problems: {escape(', '.join(some))}", soft_wrap=True)
    console.print(f"\nSource: {escape(origin)}.", soft_wrap=True)


def _target(
    file: Path | None, problem: str | None, size: int | None, header: bool | None
) -> tuple[Target, Problem, str]:
    """Return the target, an instance of the problem, and a note on what was read or taken where that is a guess."""
    from lapmark.bench.advice import features, nearest_size
    from lapmark.bench.problems import FamilyFault, file_problems
    from lapmark.bench.run.cells import expand_case

    if (file is None) == (problem is None):
        raise ValueError("give either a cost file, or a problem with -p NAME -n N")
    text = problem if file is None else str(file)
    assert text is not None
    if found := file_problems.find(text) or (file and (file, {})):
        return _target_of_file(*found, size, header)
    if header is not None:
        raise ValueError(f"-p {problem}: --header and --no-header are only for a file")
    cases = expand_case(text, [size] if size else [])
    if len(cases) > 1:
        raise ValueError(f"-p {problem} has {len(cases)} cases; choose one: {'; '.join(map(str, cases[:8]))}")
    try:
        case = nearest_size.nearest(cases[0])
        note = "" if case in (None, cases[0]) else f"{text} has no size {cases[0].n}: this is for n = {case.n}"
        return *features.describe(case or cases[0]), note
    except FamilyFault as fault:
        raise ValueError(f"{cases[0]} cannot be built: {fault}") from None


def _target_of_file(
    path: Path, settings: dict[str, spec.Value], size: int | None, header: bool | None
) -> tuple[Target, Problem, str]:
    from lapmark.bench.advice import features
    from lapmark.bench.problems import Case, file_problems

    if size is not None:
        raise ValueError(f"-n {size}: {path} has its own size; leave it out")
    settings = {**settings, **({} if header is None else {"header": header})}
    case = Case.of_file(path, {name: value for name, value in settings.items() if name not in ("n", "seed")})
    instance = case.build()
    return features.Target.of(instance, case.label), instance, file_problems.facts(path, case.params).layout


def _models(source: Path | None) -> list[tuple[PerformanceModel, str]]:
    """Return the models to ask in turn, and in words where their measurements are from.

    These are the given folder alone, or the results here, if there are any, and then what ships with Lapmark.
    """
    from lapmark.bench.advice import calibration, measurements, shipped_measurements
    from lapmark.bench.advice.performance_model import PerformanceModel
    from lapmark.bench.results.store import NAME, Store

    models = []
    folder = source or RESULTS
    if source is not None or (folder / NAME).exists():
        with Store.open(folder, create=False) as store:
            models.append((PerformanceModel.of(measurements.table(store.records())), f"measurements in {folder}"))
    if source is None:
        shipped, here = shipped_measurements.load(), calibration.load()
        if here is None:
            machine = f"from another machine ({shipped_measurements.origin(shipped)})"
            words = f"measurements that ship with Lapmark, {machine}; not calibrated for this one (lapmark calibrate)"
        else:
            shipped = here.apply(shipped)
            words = f"measurements that ship with Lapmark, calibrated for this machine on {here.finished[:10]}"
        models.append((PerformanceModel.of(shipped), words))
    return models


def _advice(
    source: Path | None, target: Target, instance: Problem, requirements: Requirements, threads: int
) -> tuple[Advice, str]:
    """Return the advice, and the source of its measurements in words."""
    from lapmark.bench.advice import advisor

    models = _models(source)
    for last, (model, place) in enumerate(models, 1 - len(models)):
        try:
            mine = requirements.for_problem(model.solvers(), instance)
            return advisor.choose(model, target, mine, threads), place
        except advisor.NoAdvice as none:
            if last == 0:
                raise ValueError(f"{none}. {_how_to_measure(target, source or RESULTS)}") from None
    raise AssertionError("the last model gives advice or raises")


def _how_to_measure(target: Target, folder: Path) -> str:
    from lapmark.bench.advice import nearest_size
    from lapmark.bench.problems import Case, file_problems
    from lapmark.bench.util import spec

    if not target.label:
        return "To measure a similar problem: lapmark run -p NAME -n N (lapmark problems lists the names)"
    if file_problems.is_file_name(target.label.partition(":")[0]):
        return f"To measure it: lapmark run {shlex.quote(target.label)} --to {folder}"
    name, settings = spec.parse(target.label)
    wanted = (nearest_size.nearest(Case(name, n, 0, settings)) for n in (max(1, target.n // 4), target.n))
    sizes = " ".join(f"-n {n}" for n in sorted({case.n for case in wanted if case}))
    return f"To measure it: lapmark run -p {target.label} {sizes} --to {folder}"
