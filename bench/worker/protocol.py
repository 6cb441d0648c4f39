"""Wire protocol between the harness and a worker: job, problem, orders, events and answers.

The job is a command-line argument. Once the solver is imported and warmed up, the problem arrives through a socket, as
an open file, followed by one order after the other (`Order`): the harness starts every call, so that nothing can be
solved before. Events go back through a pipe of their own, one JSON object per line, so that nothing that a solver
prints can pass for an event. An answer's arrays go back in another file. The files have no names, so that nothing
stays on the disk however either side dies. Nothing is pickled: what a worker sends is data, never code, and is checked
before memory is allocated for it.
"""

from __future__ import annotations

import dataclasses
import functools
import io
import json
import math
import os
import zipfile
from dataclasses import dataclass
from enum import Enum
from typing import IO, Any

import numpy as np

from lapmark.bench.util.plain_text import plain
from lapmark.solvers.costs import Cost, DenseCost, GridCost, PointCost, SparseCost
from lapmark.solvers.errors import Infeasible
from lapmark.solvers.problem import Assignment, Problem, Transport
from lapmark.solvers.registry import Capabilities
from lapmark.solvers.result import Matching, Plan, Result

#: In place of a solver in a job: the harness's own conversion of points to a matrix, which is timed like a solver.
BUILD_MATRIX = "build-matrix"

#: Results of a solver; that no answer exists is one.
Answer = Result | Infeasible

#: Largest size of an answer in bytes: a constant, per row or column, and per pair.
ANSWER_SIZE, LINE_SIZE, PAIR_SIZE = 1 << 16, 64, 24

_SCALARS = {"cost", "marginal_error"}
_PROOF = ("rows", "columns")
_PLAN = ("indptr", "indices", "data", "shape")

#: Names of the parts of an answer in a file.
_PARTS = {"kind", "message", *_PROOF, *_PLAN} | {
    field.name for kind in (Matching, Plan) for field in dataclasses.fields(kind)
}


@dataclass(frozen=True, kw_only=True)
class Job:
    """The job of a worker: the solver's spec, its threads, the memory limit in bytes, and how to count instructions.

    `practice`, `orders`, `events` and `answer` are file descriptors: of a problem to warm up on, of the socket that
    delivers the real problem and the orders, and of the files for events and answers.
    """

    solver: str
    threads: int
    memory: int
    plugins: tuple[str, ...] = ()
    counting: str = ""
    practice: int
    orders: int
    events: int
    answer: int

    def dump(self) -> str:
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def load(cls, text: str) -> Job:
        values = json.loads(text)
        return cls(**{**values, "plugins": tuple(values["plugins"])})


class Order(bytes, Enum):
    """An order to a worker. The worker answers each with an event, named below."""

    LOAD = b"L"  # read the current problem: "loaded"
    AGAIN = b"A"  # repeat the call on the previous problem, unmeasured: "warm"
    GO = b"G"  # call the solver, then write its answer: "answered", then "written"
    STOP = b"S"  # end: "done"


class BadAnswer(ValueError):
    """A solver returned something that is no answer; the message says what is wrong."""


def given(problem: Problem, capabilities: Capabilities) -> str:
    """Return the kind of cost that a solver gets: the problem's own if the solver takes it, else the matrix."""
    return problem.cost.kind if problem.cost.kind in capabilities.costs else "dense"


def assignment_settings(problem: Assignment) -> dict[str, Any]:
    """Return the settings of an assignment problem that differ from their defaults."""
    settings: dict[str, Any] = {} if problem.limit is None else {"limit": problem.limit}
    return settings | {"maximize": True} if problem.maximize else settings


def write_problem(problem: Problem, file: IO[bytes]) -> list[tuple[int, np.ndarray]]:
    """Write a problem: a line of JSON, then the arrays. Return each array with the offset of its data in the file."""
    cost = problem.cost
    facts: dict[str, Any] = {"kind": cost.kind}
    if isinstance(cost, PointCost):
        facts |= {"p": cost.p, "scale": cost.scale}
        arrays = [cost.x, cost.y]
    elif isinstance(cost, GridCost):
        facts |= {"grid": cost.grid, "spacing": cost.spacing}
        arrays = [*cost.cells]
    elif isinstance(cost, SparseCost):
        facts |= {"shape": cost.shape}
        arrays = [cost.csr.data, cost.csr.indices, cost.csr.indptr]
    else:
        arrays = [cost.dense()]
    if isinstance(problem, Assignment):
        facts |= {"assignment": assignment_settings(problem)}
    else:
        facts |= {"transport": {"blur": problem.blur, "reach": problem.reach, "partial": bool(problem.partial)}}
        arrays += problem.masses
    file.write(json.dumps(facts).encode() + b"\n")
    places = []
    for array in arrays:
        np.save(file, array, allow_pickle=False)
        places.append((file.tell() - array.nbytes, array))
    file.flush()
    return places


def read_problem(file: IO[bytes]) -> Problem:
    """Read the problem that `write_problem` wrote, each array in its original memory layout."""
    file.seek(0)
    facts = json.loads(file.readline())
    array = functools.partial(np.load, file, allow_pickle=False)
    cost: Cost
    if facts["kind"] == "points":
        cost = PointCost(array(), array(), facts["p"], facts["scale"])
    elif facts["kind"] == "grid":
        cost = GridCost(facts["grid"], facts["spacing"], array(), array())
    elif facts["kind"] == "sparse":
        import scipy.sparse

        cost = SparseCost(scipy.sparse.csr_array((array(), array(), array()), shape=tuple(facts["shape"])))
    else:
        cost = DenseCost(array())
    if "transport" in facts:
        return Transport(cost, array(), array(), **facts["transport"])
    return Assignment(cost, **facts["assignment"])


def most_bytes(shape: tuple[int, int]) -> int:
    """Return the largest size of an answer to a problem of a shape, in bytes."""
    n, m = shape
    return ANSWER_SIZE + LINE_SIZE * (n + m) + PAIR_SIZE * n * m


def write_answer(result: Answer, file: IO[bytes], most: int) -> None:
    """Write an answer's numbers; raise a BadAnswer if a value is no number, or they take more than `most` bytes."""
    if isinstance(result, Infeasible):
        sets = {name: _numbers(name, getattr(result, name)) for name in _PROOF if getattr(result, name) is not None}
        _save(file, most, kind=np.array("Infeasible"), message=np.array(str(result)), **sets)
        return
    if not isinstance(result, Matching | Plan):
        raise BadAnswer(f"answered with a {type(result).__name__}, not a Matching or a Plan")
    arrays: dict[str, np.ndarray] = {}
    for field in dataclasses.fields(result):
        value = getattr(result, field.name)
        if field.name == "counters" or (value is None and field.default is None):
            continue
        if field.name == "mass":
            csr = value.tocsr()
            arrays |= {name: _numbers(name, getattr(csr, name)) for name in _PLAN[:-1]} | {"shape": np.array(csr.shape)}
            continue
        arrays[field.name] = array = _numbers(field.name, value)
        if field.name in _SCALARS and array.ndim:
            raise BadAnswer(f"{field.name} is an array of shape {array.shape}, not a number")
    _save(file, most, kind=np.array(type(result).__name__), **arrays)


def _save(file: IO[bytes], most: int, **arrays: np.ndarray) -> None:
    if (size := sum(array.nbytes for array in arrays.values())) > most:
        raise BadAnswer(f"answered with {size} bytes; an answer to this problem takes at most {most}")
    np.savez(file, **arrays)  # type: ignore[arg-type]


def _numbers(name: str, value: object) -> np.ndarray:
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise BadAnswer(f"{name} is not an array: {error}") from None
    if array.dtype.kind not in "biuf":
        raise BadAnswer(f"{name} holds {array.dtype}, not numbers")
    return array.astype(np.float64) if array.dtype.itemsize > 8 else array  # of long doubles


def read_answer(file: IO[bytes], most: int) -> Answer:
    """Read the answer that `write_answer` wrote, of at most `most` bytes.

    Raise a ValueError if the file holds anything else, before memory is allocated for the sizes that it claims.
    """
    if (size := file.seek(0, os.SEEK_END)) > most:
        raise ValueError(f"{size} bytes; an answer to this problem takes at most {most}")
    file.seek(0)
    # Copied into this process first: a worker that still runs could change the file.
    with zipfile.ZipFile(io.BytesIO(file.read(size))) as archive:
        members = {member.filename.removesuffix(".npy"): member for member in archive.infolist()}
        if len(members) < len(archive.infolist()) or not members.keys() <= _PARTS:
            raise ValueError(f"holds {', '.join(sorted(plain(name)[:20] for name in members))}")
        if sum(member.compress_size for member in members.values()) > size:
            raise ValueError(f"its parts overlap in {size} bytes")
        values: dict[str, Any] = {name: _read_array(archive, member) for name, member in members.items()}
    kind = str(values.pop("kind"))
    if kind == "Infeasible":
        return Infeasible(plain(str(values["message"]))[:1000], *(values.get(name) for name in _PROOF))
    values |= {name: values[name].item() for name in _SCALARS & values.keys()}
    if kind == "Matching":
        return Matching(**values)
    if "shape" in values:
        import scipy.sparse

        parts = (values.pop("data"), values.pop("indices"), values.pop("indptr"))
        n, m = (int(size) for size in values.pop("shape"))
        values["mass"] = mass = scipy.sparse.csr_array(parts, shape=(n, m))
        mass.check_format(full_check=True)
    return Plan(**values)


def _read_array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> np.ndarray:
    """Read an array whose data are complete: NumPy would first allocate the size that the header claims."""
    if member.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{member.filename} is compressed")
    with archive.open(member) as file:
        version = np.lib.format.read_magic(file)
        read_header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
        shape, fortran, dtype = read_header[version](file)
        data = file.read()
    is_known = dtype.kind in "biuU" or dtype in (np.float16, np.float32, np.float64)
    if not is_known or math.prod(shape) * dtype.itemsize != len(data):
        raise ValueError(f"{member.filename} claims shape {shape} of {dtype}, but holds {len(data)} bytes")
    return np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")


def read_counters(counters: object) -> dict[str, int]:
    """Return a solver's counters as plain integers, none at all where one is not an integer."""
    try:
        read = {plain(str(name)): int(value) for name, value in dict(counters).items()}  # type: ignore[call-overload]
    except (TypeError, ValueError, OverflowError):
        return {}
    return read if all(abs(value) < 2**63 for value in read.values()) else {}
