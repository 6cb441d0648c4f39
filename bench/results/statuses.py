"""Statuses of a measured cell: the one table of what each means, how bad it is and how it is shown."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Status:
    """A status.

    Attributes
    ----------
    name : str
    meaning : str
        For help texts and reports.
    rank : int
        The higher, the worse: a summary of several cells shows the worst.
    colour, short : str
        Colour and label in a chart.
    style : str
        Style on a terminal (Rich).
    is_failure : bool
        Whether the solver was tried and gave no certified answer.
    limit : str
        Name of the limit that the call reached, "" for none. After it, the run does not try the solver on larger
        cases of the same kind: each would only reach the limit again.
    """

    name: str
    meaning: str
    rank: int
    colour: str
    short: str
    style: str = "bold red"
    is_failure: bool = True
    limit: str = ""


#: By name, in the order of tables. Only `ok` is ranked.
STATUSES = {
    status.name: status
    for status in (
        Status(
            name="ok",
            meaning="certified: a valid answer, optimal where the solver claims it, or a proof that no answer exists",
            rank=1,
            colour="#8FCFB4",
            short="ok",
            style="green",
            is_failure=False,
        ),
        Status(
            name="unproven",
            meaning="valid and claimed optimal, but neither proven (by its own duals or ours) nor refuted",
            rank=2,
            colour="#56B4E9",
            short="?",
            style="yellow",
        ),
        Status(name="wrong", meaning="the certificate refutes the answer", rank=7, colour="#D55E00", short="wrong"),
        Status(
            name="timeout",
            meaning="stopped at the time limit",
            rank=3,
            colour="#E69F00",
            short="time",
            limit="time",
        ),
        Status(
            name="memory",
            meaning="stopped at the memory limit, or refused memory below it",
            rank=4,
            colour="#CC79A7",
            short="mem",
            limit="memory",
        ),
        Status(name="crash", meaning="the process died of a signal", rank=6, colour="#7A1F4B", short="crash"),
        Status(name="error", meaning="the solver raised an exception", rank=5, colour="#4B4E9E", short="error"),
        Status(
            name="skipped",
            meaning="not run: the solver is missing, or does not take such a problem",
            rank=0,
            colour="#C3C8CE",
            short="skip",
            style="dim",
            is_failure=False,
        ),
    )
}

#: Names of the statuses of cells that failed, and of those that reached a limit.
FAILURES = frozenset(status.name for status in STATUSES.values() if status.is_failure)
LIMIT_REACHED = frozenset(status.name for status in STATUSES.values() if status.limit)
