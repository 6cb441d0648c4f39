"""Statuses of a measured cell: the one table of what each means, how bad it is and how it is shown."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Status:
    """A status of a cell."""

    name: str
    meaning: str  # for help texts and reports
    rank: int  # the higher, the worse: a summary of several cells shows the worst
    colour: str  # in a chart, with the label
    label: str
    style: str = "bold red"  # on a terminal (Rich)
    is_failure: bool = True  # the solver was tried and gave no certified answer
    limit: str = ""  # the limit that was reached; larger cases are then skipped, since they would only reach it again


_OK = "certified: a valid answer, optimal where the solver claims it, or a proof that no answer exists"
_UNPROVEN = "valid and claimed optimal, but neither proven (by its own duals or ours) nor refuted"
_SKIPPED = "not run: the solver is missing, or does not take such a problem"

#: By name, in the order of tables. Only `ok` is ranked.
STATUSES = {
    status.name: status
    for status in (
        Status("ok", _OK, 1, "#8FCFB4", "ok", "green", is_failure=False),
        Status("unproven", _UNPROVEN, 2, "#56B4E9", "?", "yellow"),
        Status("wrong", "the certificate refutes the answer", 7, "#D55E00", "wrong"),
        Status("timeout", "stopped at the time limit", 3, "#E69F00", "time", limit="time"),
        Status(
            "memory", "stopped at the memory limit, or refused memory below it", 4, "#CC79A7", "mem", limit="memory"
        ),
        Status("crash", "the process died of a signal", 6, "#7A1F4B", "crash"),
        Status("error", "the solver raised an exception", 5, "#4B4E9E", "error"),
        Status("skipped", _SKIPPED, 0, "#C3C8CE", "skip", "dim", is_failure=False),
    )
}

#: Names of the statuses of failed cells, and of cells that reached a limit.
FAILURES = frozenset(status.name for status in STATUSES.values() if status.is_failure)
LIMIT_REACHED = frozenset(status.name for status in STATUSES.values() if status.limit)
