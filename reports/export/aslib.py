"""Measurements as scenarios of ASlib, the library of algorithm selection: a folder for each group of problems.

The format is that of https://github.com/coseal/aslib-spec. Folds of the cross-validation are families of problems, so
that a selector is tested on families that it has not seen.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from lapmark.bench.advice import features
from lapmark.bench.advice.evaluation import matrices
from lapmark.bench.advice.measurements import FEATURE_PREFIX
from lapmark.bench.advice.run_matrix import CUTOFF, RunMatrix

#: Features that are known without a look at a cost, and those of the sample.
SHAPE = ("n", "m", "proportion", "single", "dimensions", "unbalanced")
SAMPLE = tuple(name for name in features.NAMES if name not in SHAPE)

README = """\
Assignment and optimal transport problems, measured by Lapmark: {group}.

Each instance is a family of problems with its settings, and a size n. Performance is the run time of one call in
seconds, on one core; every answer was certified by linear programming duality, and a run whose answer was not counts as
"other". A run longer than {cutoff:g} s, or that reached the limit of the campaign, is a "timeout"; "not_applicable" is
one that a solver does not take, or that was left out since the solver is far behind at such sizes.

The features of the step "shape" are known without a look at the costs; those of the step "sample" are computed from 32
rows and 128 columns, in {seconds:g} s for any size. Folds are families: the instances of one are in the same fold.
"""


def scenarios(cells: pd.DataFrame) -> dict[str, bytes]:
    """Return the files of a scenario per group of problems, by their paths; `cells` has `measurements.COLUMNS`."""
    return {
        f"{_name(group)}/{file}": text.encode()
        for group, matrix in matrices(cells).items()
        for file, text in _files(group, matrix).items()
    }


def _files(group: str, matrix: RunMatrix) -> dict[str, str]:
    name, ids = _name(group), [f"{label} n={n}" for label, n in matrix.cases.index]
    known = matrix.cases.rename(columns=lambda column: column.removeprefix(FEATURE_PREFIX))
    known = known.assign(n=matrix.cases.index.get_level_values("n"))
    folds = {family: number for number, family in enumerate(sorted(known["family"].unique()), 1)}
    first = {"instance_id": "STRING", "repetition": "NUMERIC"}
    runs = [
        (instance, 1, solver, *_run(seconds))
        for instance, row in zip(ids, matrix.seconds.itertuples(index=False), strict=True)
        for solver, seconds in zip(matrix.seconds, row, strict=True)
    ]
    status = "{ok,timeout,memout,not_applicable,crash,other}"
    done = "{ok,timeout,memout,presolved,crash,other,unknown}"
    values = zip(ids, known[[*SHAPE, *SAMPLE]].itertuples(index=False), strict=True)
    return {
        "readme.txt": README.format(group=group, cutoff=CUTOFF, seconds=features.SECONDS),
        "description.txt": _yaml(_description(name, matrix)),
        "algorithm_runs.arff": _arff(
            f"ALGORITHM_RUNS_{name}", {**first, "algorithm": "STRING", "runtime": "NUMERIC", "runstatus": status}, runs
        ),
        "feature_values.arff": _arff(
            f"FEATURE_VALUES_{name}",
            {**first, **dict.fromkeys((*SHAPE, *SAMPLE), "NUMERIC")},
            ((instance, 1, *row) for instance, row in values),
        ),
        "feature_costs.arff": _arff(
            f"FEATURE_COSTS_{name}",
            {**first, "shape": "NUMERIC", "sample": "NUMERIC"},
            ((instance, 1, 0.0, features.SECONDS) for instance in ids),
        ),
        "feature_runstatus.arff": _arff(
            f"FEATURE_RUNSTATUS_{name}",
            {**first, "shape": done, "sample": done},
            ((instance, 1, "ok", "ok") for instance in ids),
        ),
        "cv.arff": _arff(
            f"CV_{name}",
            {**first, "fold": "NUMERIC"},
            ((instance, 1, folds[family]) for instance, family in zip(ids, known["family"], strict=True)),
        ),
    }


def _name(group: str) -> str:
    return f"LAPMARK-{group.upper().replace(' ', '-')}"


def _run(seconds: float) -> tuple[float, str]:
    """Return run time and status of a run."""
    if math.isnan(seconds):
        return math.nan, "not_applicable"
    return (seconds, "ok") if seconds <= CUTOFF else (CUTOFF, "timeout")


def _description(name: str, matrix: RunMatrix) -> dict[str, object]:
    return {
        "scenario_id": name,
        "performance_measures": ["runtime"],
        "maximize": [False],
        "performance_type": ["runtime"],
        "algorithm_cutoff_time": CUTOFF,
        "algorithm_cutoff_memory": "?",
        "features_cutoff_time": "?",
        "features_cutoff_memory": "?",
        "algorithms_deterministic": list(matrix.seconds),
        "algorithms_stochastic": [],
        "number_of_feature_steps": 2,
        "feature_steps": {
            "shape": {"provides": list(SHAPE)},
            "sample": {"requires": ["shape"], "provides": list(SAMPLE)},
        },
        "default_steps": ["shape", "sample"],
        "features_deterministic": [*SHAPE, *SAMPLE],
        "features_stochastic": [],
    }


def _yaml(values: Mapping[str, object]) -> str:
    """Return values as YAML, of which JSON is a part."""
    return "".join(f"{name}: {json.dumps(value)}\n" for name, value in values.items())


def _arff(relation: str, attributes: Mapping[str, str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table in the format of Weka."""
    lines = [f"@RELATION {relation}", "", *(f"@ATTRIBUTE {name} {kind}" for name, kind in attributes.items())]
    quoted = [kind == "STRING" for kind in attributes.values()]
    lines += ["", "@DATA", *(",".join(map(_value, row, quoted)) for row in rows)]
    return "\n".join(lines) + "\n"


def _value(value: object, is_quoted: bool) -> str:
    if is_quoted:
        return f"'{value}'"
    if isinstance(value, float | np.floating):
        return "?" if math.isnan(value) else repr(float(value))
    return str(value)
