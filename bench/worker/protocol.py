"""What the harness and a worker say to each other: the job, the problem, orders, events and answers.

The job goes in as an argument. Once the solver is imported and warmed up, the problem comes through a socket, as an
open file, and with it one order after the other (`Order`), so that it is the harness that has every call begin, and
nothing can be solved before. Events come back through a pipe of their own, one JSON object a line, so that whatever a
solver prints cannot be taken for one; an answer's arrays come back in another file. The files have no names, so that
nothing is left on the disk however either side dies. Nothing is pickled: a worker's word is data, never code, and is
checked before memory is taken for it.
"""

from __future__ import annotations

import dataclasses
import hashlib
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
from lapmark.solvers.problem import Assignment, Cost, DenseCost, Infeasible, PointCost, Problem, SparseCost, Transport
from lapmark.solvers.registry import Capabilities
from lapmark.solvers.result import Matching, Plan, Result

#: Stands in a job for the harness's own conversion of points to a matrix, which is timed like a solver.
BUILD_MATRIX = "build-matrix"

#: What a solver may come to: that there is no answer is one.
Answer = Result | Infeasible

#: Bytes that the answer to any problem may take, and for each row or column and each pair.
ANSWER, OF_LINE, OF_PAIR = 1 << 16, 64, 24

_SCALARS = {"cost", "marginal_error"}
_PROOF = ("rows", "columns")
_PLAN = ("indptr", "indices", "data", "shape")

#: What the parts of an answer in a file may be called.
_PARTS = {"kind", "message", *_PROOF, *_PLAN} | {
    field.name for kind in (Matching, Plan) for field in dataclasses.fields(kind)
}


@dataclass(frozen=True, kw_only=True)
class Job:
    """A cell for a worker: the solver's spec, its threads, the limit of memory to set up, and how to count.

    `practice` is the file descriptor of a problem to warm up on, `orders` that of a socket from which the real one and
    what to do come, `events` and `answer` are those to write to.
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
    """What the harness has a worker do, one after the other: each is answered by an event."""

    LOAD = b"L"  # read the problem as it is now: "loaded"
    AGAIN = b"A"  # call the solver on the problem before once more, to no account: "warm"
    GO = b"G"  # call the solver and write its answer down: "answered", then "written"
    STOP = b"S"  # "done"


class BadAnswer(ValueError):
    """What a solver returned cannot even be written down as an answer."""


def given(problem: Problem, capabilities: Capabilities) -> str:
    """The kind of cost that a solver is handed: the problem's own where it takes that, the matrix otherwise."""
    return problem.cost.kind if problem.cost.kind in capabilities.costs else "dense"


def digest(problem: Problem) -> str:
    """A fingerprint of everything a problem holds: two problems with the same one are the same problem."""
    state = hashlib.blake2b(digest_size=16)
    state.update(type(problem).__name__.encode())
    _digest_cost(problem.cost, state)
    if isinstance(problem, Assignment):
        if settings := _settings(problem):
            state.update(repr(settings).encode())
    else:
        for masses in (problem.a, problem.b):
            state.update(np.ascontiguousarray(masses).data)
        state.update(repr((problem.blur, problem.reach)).encode())
        if problem.partial:
            state.update(b"partial")
    return state.hexdigest()


def _settings(problem: Assignment) -> dict[str, Any]:
    """What an assignment problem holds beside its cost, where that is not the default."""
    settings: dict[str, Any] = {} if problem.limit is None else {"limit": problem.limit}
    return settings | {"maximize": True} if problem.maximize else settings


def digest_matrix(cost: Cost) -> str:
    """A fingerprint of the dense matrix of any cost, without building all of it."""
    state = hashlib.blake2b(digest_size=16)
    state.update(repr((cost.shape, cost.dtype.str)).encode())
    for _, block in cost.blocks():
        state.update(np.ascontiguousarray(block).data)
    return state.hexdigest()


def _digest_cost(cost: Cost, state: hashlib.blake2b) -> None:
    if isinstance(cost, PointCost):
        state.update(repr((cost.shape, cost.p, cost.scale)).encode())
        arrays = [cost.x, cost.y]
    elif isinstance(cost, SparseCost):
        state.update(repr(cost.shape).encode())
        arrays = [cost.csr.indptr, cost.csr.indices, cost.csr.data]
    else:
        state.update(digest_matrix(cost).encode())
        arrays = []
    for array in arrays:
        state.update(array.dtype.str.encode())
        state.update(np.ascontiguousarray(array).data)


def small(problem: Problem, size: int = 16) -> Problem:
    """The first rows and columns of a problem: of the same kind, type and proportions, and quick to solve.

    The pairs on its diagonal are allowed even if they are not in the problem, so that an assignment can be solved: a
    package that crashes where there is no matching should not crash here.
    """
    n, m = problem.shape
    shrink = min(1.0, size / max(1, min(n, m)))
    rows, cols = slice(0, round(n * shrink)), slice(0, round(m * shrink))
    cost = problem.cost
    part: Cost
    if isinstance(cost, PointCost):
        part = PointCost(cost.x[rows], cost.y[cols], cost.p, cost.scale)
    elif isinstance(cost, SparseCost):
        import scipy.sparse

        matrix = _with_diagonal(SparseCost(cost.csr[rows, cols]).dense())
        pairs = np.nonzero(np.isfinite(matrix))
        stored = matrix[pairs].astype(cost.csr.dtype)
        part = SparseCost(scipy.sparse.coo_array((stored, pairs), shape=matrix.shape))
    else:
        part = DenseCost(_with_diagonal(cost.dense()[rows, cols].copy(order="K")))
    if isinstance(problem, Assignment):
        return dataclasses.replace(problem, cost=part)
    return dataclasses.replace(problem, cost=part, a=None, b=None)


def blank(problem: Problem) -> Problem:
    """A problem of the same shapes and types with nothing to solve in it: costs of 0 and even masses."""
    cost = problem.cost
    part: Cost
    if isinstance(cost, PointCost):
        part = PointCost(np.zeros_like(cost.x), np.zeros_like(cost.y), cost.p, cost.scale)
    elif isinstance(cost, SparseCost):
        csr = cost.csr.copy()
        csr.data[:] = 0
        part = SparseCost(csr)
    else:
        part = DenseCost(np.zeros(cost.shape, cost.dtype))
    if isinstance(problem, Assignment):
        return dataclasses.replace(problem, cost=part)
    return dataclasses.replace(problem, cost=part, a=None, b=None)


def _with_diagonal(matrix: np.ndarray) -> np.ndarray:
    along = np.arange(min(matrix.shape))
    diagonal = matrix[along, along]
    matrix[along, along] = np.where(np.isinf(diagonal), 0, diagonal)
    return matrix


def write_problem(problem: Problem, file: IO[bytes]) -> list[tuple[int, np.ndarray]]:
    """Write a problem: a line of numbers, then the arrays; where in the file the data of each begin."""
    cost = problem.cost
    facts: dict[str, Any] = {"kind": cost.kind}
    if isinstance(cost, PointCost):
        facts |= {"p": cost.p, "scale": cost.scale}
        arrays = [cost.x, cost.y]
    elif isinstance(cost, SparseCost):
        facts |= {"shape": cost.shape}
        arrays = [cost.csr.data, cost.csr.indices, cost.csr.indptr]
    else:
        arrays = [cost.dense()]
    if isinstance(problem, Assignment):
        facts |= {"assignment": _settings(problem)}
    else:
        assert problem.a is not None
        assert problem.b is not None
        facts |= {"transport": {"blur": problem.blur, "reach": problem.reach, "partial": bool(problem.partial)}}
        arrays += [problem.a, problem.b]
    file.write(json.dumps(facts).encode() + b"\n")
    places = []
    for array in arrays:
        np.save(file, array, allow_pickle=False)
        places.append((file.tell() - array.nbytes, array))
    file.flush()
    return places


def read_problem(file: IO[bytes]) -> Problem:
    """The problem that `write_problem` wrote, its arrays in the memory layout that they had."""
    file.seek(0)
    facts = json.loads(file.readline())

    def array() -> np.ndarray:
        return np.load(file, allow_pickle=False)

    cost: Cost
    if facts["kind"] == "points":
        cost = PointCost(array(), array(), facts["p"], facts["scale"])
    elif facts["kind"] == "sparse":
        import scipy.sparse

        cost = SparseCost(scipy.sparse.csr_array((array(), array(), array()), shape=tuple(facts["shape"])))
    else:
        cost = DenseCost(array())
    if "transport" in facts:
        return Transport(cost, array(), array(), **facts["transport"])
    return Assignment(cost, **facts["assignment"])


def most_bytes(shape: tuple[int, int]) -> int:
    """What any answer to a problem of that shape takes at most."""
    n, m = shape
    return ANSWER + OF_LINE * (n + m) + OF_PAIR * n * m


def write_answer(result: Answer, file: IO[bytes], most: int) -> None:
    """Write an answer's numbers; a BadAnswer that says why where they are none, or take more than `most` bytes."""
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
        raise BadAnswer(f"answered with {size} bytes, more than the {most} that any answer to this problem takes")
    np.savez(file, **arrays)  # type: ignore[arg-type]


def _numbers(name: str, value: object) -> np.ndarray:
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise BadAnswer(f"{name} is no array: {error}") from None
    if array.dtype.kind not in "biuf":
        raise BadAnswer(f"{name} holds {array.dtype}, not numbers")
    return array.astype(np.float64) if array.dtype.itemsize > 8 else array  # of long doubles


def read_answer(file: IO[bytes], most: int) -> Answer:
    """The answer that `write_answer` wrote, of up to so many bytes.

    Raises
    ------
    ValueError
        Where it is anything else; before memory is taken for what it claims to be.
    """
    if (size := file.seek(0, os.SEEK_END)) > most:
        raise ValueError(f"{size} bytes, more than the {most} that any answer to this problem takes")
    file.seek(0)
    # From here on in memory of this process: a worker that still runs could change the file.
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
    """An array whose data are all there: numpy would make room first for whatever the header claims."""
    if member.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{member.filename} is compressed")
    with archive.open(member) as file:
        version = np.lib.format.read_magic(file)
        read_header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
        shape, fortran, dtype = read_header[version](file)
        data = file.read()
    is_known = dtype.kind in "biuU" or dtype in (np.float16, np.float32, np.float64)
    if not is_known or math.prod(shape) * dtype.itemsize != len(data):
        raise ValueError(f"{member.filename} claims to be {shape} of {dtype}, in {len(data)} bytes")
    return np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")


def read_counters(counters: object) -> dict[str, int]:
    """A solver's counters as plain integers, empty where they are nothing of the kind."""
    try:
        read = {plain(str(name)): int(value) for name, value in dict(counters).items()}  # type: ignore[call-overload]
    except (TypeError, ValueError, OverflowError):
        return {}
    return read if all(abs(value) < 2**63 for value in read.values()) else {}
