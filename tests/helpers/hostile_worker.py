"""Preloaded into a Dask worker, has it attack its clients in the way that $ATTACK names.

Clients name the functions that they call, so that a worker may put others in their place.
Whatever unpickles one of these pickles adds a line to $LOADED: its process, and the attack.
"""

from __future__ import annotations

import copyreg
import json
import os
import pickle
import time

import dask.sizeof
import distributed
import distributed.worker
from distributed.protocol.serialize import Serialized, to_serialize

from lapmark.bench.run.cluster import worker_side

CODE = "import os; open({path!r}, 'a').write(f'{{os.getpid()}} {attack}\\n')"

# A worker may import this file twice.
honest_round = worker_side.__dict__.setdefault("honest_round", worker_side.run_round)


class Bomb:
    """Runs code where it is unpickled."""

    def __init__(self, attack: str) -> None:
        self.code = CODE.format(path=os.environ["LOADED"], attack=attack)

    def __reduce__(self) -> object:
        return exec, (self.code,)


class Kind(type):
    """The type of a type that runs code where it is unpickled."""


copyreg.pickle(Kind, lambda _: Bomb("type").__reduce__())


class TypedText(str, metaclass=Kind):
    pass


class SmallText(str):
    """Claims to be small."""


dask.sizeof.sizeof.register(SmallText, lambda _: 50)


def forged(text: str, **changes: object) -> str:
    """The text of an answer with other values in its record."""
    values = json.loads(text)
    return json.dumps({**values, "record": {**values["record"], **changes}})


def pickled(attack: str) -> Serialized:
    """What Dask sends of an object that it pickles."""
    return Serialized({"serializer": "pickle", "writeable": ()}, [pickle.dumps(Bomb(attack))])


def dask_result() -> object:
    header = {"serializer": "dask", "type-serialized": pickle.dumps(Bomb("dask")), "sub-header": {}}
    return Serialized(header, [b""])


def raising(**report: object) -> object:
    """Raise an error, and replace parts of the report that Dask makes of it."""
    make_report = distributed.worker.error_message
    distributed.worker.error_message = lambda *arguments: {**make_report(*arguments), **report}
    raise ValueError("boo")


def pickled_exception() -> object:
    parts = ("exception", "traceback")
    return raising(**{part: to_serialize(pickle.dumps(Bomb(part))) for part in parts})


def warning() -> object:
    worker = distributed.get_worker()
    worker.log_event("warn", {"message": pickle.dumps(Bomb("warning"))})
    worker.log_event("print", {"args": ("printed by a worker",)})
    return TypedText("17")


ATTACKS = {
    "result": lambda: pickled("result"),
    "dask": dask_result,
    "exception": pickled_exception,
    "report": lambda: raising(exception=pickled("report")),
    "warning": warning,
    "garbage": lambda: '{"record": ',
    "number": lambda: 17,
    "large": lambda: "x" * (1 << 30),
    "larger": lambda: SmallText("x" * (1 << 26)),
}

FORGERIES = {
    "cell": {"solver": "scipy"},
    "cost": {"cost": float("nan")},
    "status": {"status": "excellent"},
    "samples": {"samples": [], "rounds": []},
    "machine": {"machine": {}},
}

attack = os.environ["ATTACK"]  # or none, which is honest


def hostile_round(*arguments: object) -> object:
    if attack in ATTACKS:
        return ATTACKS[attack]()
    answer = honest_round(*arguments)
    if attack == "bound":
        return json.dumps({**json.loads(answer), "bound": 1e9})
    return forged(answer, **FORGERIES[attack])


def silence(*_: object) -> object:
    time.sleep(600)
    return ""


match attack:
    case "none":
        pass
    case "description":
        worker_side.describe = lambda *_: pickled("description")
    case "silent description":
        worker_side.describe = silence
    case "silence":
        worker_side.run_round = silence
    case _:
        worker_side.run_round = hostile_round
