"""Dask client that never unpickles: it accepts text from workers and the scheduler, and nothing else.

Dask's own client loads pickles in several places: results, exceptions with their tracebacks, types of results,
warnings, and any object of a message. Loading a pickle runs code, so that a hostile worker could run any code here.
The client itself sends code, as it must: a worker trusts its clients.

The first connection disables unpickling by `distributed` in the whole process, also for other Dask clients.
"""

import logging
import pickle
import pickletools
import ssl
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import distributed
import distributed.protocol.pickle
from distributed.comm.core import FatalCommClosedError
from distributed.core import clean_exception
from distributed.protocol.serialize import dask_loads, pickle_loads

from lapmark.bench.util.plain_text import plain
from lapmark.bench.util.units import show_size

#: Seconds for a scheduler to accept a connection.
PATIENCE = 10

#: Seconds for the scheduler, or a worker with a small question, to answer.
ANSWER = 120

#: Most bytes of the result of a call; a record takes a few thousand.
MOST_BYTES = 1 << 20

#: Most bytes of an exception to search for text.
_MOST_OF_EXCEPTION = 10_000

#: Forms of a result that Dask reads without unpickling: MessagePack, and the text of an error in writing the result.
_FORMS = ["msgpack", "error"]

#: Types that Dask names by a pickle beside plain bytes, by that pickle. They are looked up, not loaded.
_KINDS = {
    pickle.dumps(kind, protocol): kind
    for kind in (bytes, bytearray, memoryview)
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1)
}

#: Dask settings that `tls://` needs, with the environment variable for each.
_TLS = {
    "ca_file": "DASK_DISTRIBUTED__COMM__TLS__CA_FILE",
    "cert": "DASK_DISTRIBUTED__COMM__TLS__CLIENT__CERT",
    "key": "DASK_DISTRIBUTED__COMM__TLS__CLIENT__KEY",
}


class RefusedPickle(TypeError):
    """A pickle was received and not loaded. Dask expects a TypeError for a traceback that cannot be loaded."""


class NoAnswer(ValueError):
    """A worker sent no usable text; the message begins with a verb whose subject is the worker."""


class _Client(distributed.Client):
    """Dask's client without its subscriptions; `fault` says why it receives no more reports, "" while it does."""

    fault = ""

    async def _handle_report(self) -> None:
        """Follow the scheduler's reports. Dask silently stops at the first unreadable message; keep the reason."""
        try:
            await super()._handle_report()
            if self.status == "running":
                self.fault = "it ended its reports"
        except Exception as error:
            self.fault = f"it, or a worker, sent a report that cannot be read: {_text_of(error)}"

    def subscribe_topic(self, topic: str, handler: Callable[..., Any]) -> None:
        """Subscribe to nothing: Dask's client would print texts of workers, and unpickle their warnings."""


def connect(address: str) -> _Client:
    """Connect to a scheduler.

    Raise an OSError or a ValueError where no scheduler answers, the certificates for `tls://` are missing, or this
    version of Dask unpickles elsewhere.
    """
    _end_unpickling()
    if address.startswith("tls://"):
        _check_certificates()
    try:
        return _Client(address, timeout=PATIENCE, deserializers=_FORMS)
    except (RuntimeError, TypeError, ImportError) as error:  # contradictory settings, or versions
        raise ValueError(str(error)) from None
    except OSError as error:
        if fault := _fault_of_encryption(address, error):
            raise ValueError(fault) from None
        raise


def workers(client: _Client) -> set[str]:
    """Return the addresses of the workers; raise a ConnectionError where the scheduler does not answer."""
    if client.fault:
        raise ConnectionError(client.fault)
    try:  # not `client.scheduler_info`, which repeats its last answer when the scheduler is gone
        info = client.sync(client.scheduler.identity, n_workers=-1, callback_timeout=ANSWER)
        return {plain(str(address)) for address in dict(info["workers"])}
    except TimeoutError:
        raise ConnectionError(f"no answer in {ANSWER} seconds") from None
    except Exception as error:
        raise ConnectionError(_text_of(error)) from None


def ask(
    client: _Client, worker: str, function: Callable[..., str], *arguments: object, patience: float | None = None
) -> str:
    """Call a function at a worker, beside its running task, and return its text.

    Raise a NoAnswer if it fails, or takes longer than `patience` seconds, by default ANSWER.
    """
    patience = ANSWER if patience is None else patience
    try:
        answers = client.run(function, *arguments, workers=[worker], on_error="return", callback_timeout=patience)
    except TimeoutError:
        raise NoAnswer(f"did not answer within {patience:g} seconds") from None
    except Exception as error:
        raise NoAnswer(f"failed: {_text_of(error)}") from None
    answer = answers.get(worker)
    if isinstance(answer, Exception):
        raise NoAnswer(f"failed: {_text_of(answer)}")
    return _checked(answer)


def text(client: _Client, future: distributed.Future) -> str:
    """Return the text that a finished call returned.

    Raise a NoAnswer if it raised, or returned anything else or too much. A result whose stated size is too large is not
    fetched.
    """
    if future.status == "error":
        raise NoAnswer(f"failed: {_text_of(future.exception(timeout=ANSWER))}")
    try:
        known = client.nbytes([future.key], summary=False, callback_timeout=ANSWER)
        size = int(known.get(future.key, 0))
        answer = future.result(timeout=ANSWER) if size <= MOST_BYTES else None
    except TimeoutError:
        raise NoAnswer(f"did not hand over its result within {ANSWER} seconds") from None
    except Exception as error:
        raise NoAnswer(f"sent a result that cannot be read: {_text_of(error)}") from None
    if size > MOST_BYTES:
        raise NoAnswer(f"has a result of {show_size(size)}, over the limit of {show_size(MOST_BYTES)}")
    return _checked(answer)


def is_killed(future: distributed.Future) -> bool:
    """Return whether the scheduler gave up a call because its worker died."""
    if future.status != "error":
        return False
    return _strings(future.exception(timeout=ANSWER))[:2] == ["distributed.scheduler", "KilledWorker"]


def _checked(answer: object) -> str:
    if not isinstance(answer, str):
        raise NoAnswer(f"sent a result of type {type(answer).__name__}, not a text")
    if len(answer) > MOST_BYTES:
        raise NoAnswer(f"sent a text of {len(answer):,} characters, over the limit of {MOST_BYTES:,}")
    return answer


def _end_unpickling() -> None:
    """Have every unpickling of `distributed` in this process raise a RefusedPickle.

    Dask has no setting for this: `deserializers` applies to results only; exceptions, types and objects in messages
    are unpickled regardless. All go through `distributed.protocol.pickle.loads`. Other modules import that function by
    name, so that replacing it would miss them; instead the name `pickle` in its module is replaced. It stays replaced:
    another thread may still read a message after a client was closed.
    """
    module: Any = distributed.protocol.pickle
    module.pickle = types.SimpleNamespace(**{**vars(pickle), "loads": _refuse})
    # They log every refused pickle with a traceback; the errors of this module say what matters.
    for name in ("distributed.protocol.pickle", "distributed.protocol.core", "distributed.client"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    _check_refusal()


def _refuse(data: bytes, **_: object) -> Any:
    if kind := _KINDS.get(bytes(data)):
        return kind
    raise RefusedPickle(f"a pickle, which is not loaded here ({_summary(data)})")


def _check_refusal() -> None:
    """Check that an untested version of Dask unpickles nowhere else."""
    sample = pickle.dumps(ValueError("a sample"))
    header = {"type-serialized": sample, "sub-header": {}, "writeable": ()}
    loaders: list[Callable[[], object]] = [
        lambda: distributed.protocol.pickle.loads(sample),
        lambda: distributed.client.loads(sample),
        lambda: pickle_loads(header, [sample]),
        lambda: dask_loads(header, [sample]),
    ]
    refusals = 0
    for load in loaders:
        try:
            load()
        except RefusedPickle:
            refusals += 1
    _, error, _ = clean_exception(sample, sample)
    if refusals < len(loaders) or isinstance(error, ValueError):
        raise ValueError(f"Dask {distributed.__version__} unpickles what workers send; use another version")


def _check_certificates() -> None:
    """Raise a ValueError that names the setting where a certificate for `tls://` is missing."""
    known = distributed.Security().get_tls_config_for_role("client")
    missing = [variable for name, variable in _TLS.items() if not known[name] and name != "key"]
    if missing:
        raise ValueError(f"tls:// needs the cluster's certificates: set {' and '.join(missing)} to their files")
    for name, variable in _TLS.items():
        if known[name] and "\n" not in known[name] and not Path(known[name]).is_file():
            raise ValueError(f"{known[name]} does not exist, which {variable} names as the {_word(name)}")


def _fault_of_encryption(address: str, error: OSError) -> str:
    """Return the fault of the certificates at either end, "" if the error has another cause."""
    if not address.startswith("tls://"):
        closed = "ConnectionResetError" in str(error) or "Stream is closed" in str(error)
        return "it closes the connection; one that has certificates is at tls://, not tcp://" if closed else ""
    if isinstance(error, FatalCommClosedError | ssl.SSLError) or "SSL" in str(error):
        detail = f" ({plain(str(error)).splitlines()[0]})" if str(error) else ""
        return (
            f"it has no certificate, or one that does not fit{detail}: the scheduler's and the one here "
            f"({_TLS['cert']}) must both be signed by the authority that {_TLS['ca_file']} names"
        )
    return ""


def _word(setting: str) -> str:
    return {"ca_file": "certificate of the authority", "cert": "certificate", "key": "key"}[setting]


def _text_of(error: object) -> str:
    """Return the message of an exception; for one that came as a pickle, the text in it."""
    if isinstance(error, Exception) and error.args and isinstance(error.args[0], bytes | bytearray):
        return f"an exception with the text: {_summary(bytes(error.args[0]))}"
    return plain(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)[:2000]


def _summary(data: bytes) -> str:
    """Return the names and texts in a pickle, without loading it."""
    module, *rest = _strings(Exception(data)) or ["no text"]
    head = f"{module}.{rest[0]}" if rest else module
    return plain(": ".join([head, *rest[1:4]]))[:500]


def _strings(error: object) -> list[str]:
    """Return the strings of an exception that came as a pickle, up to its traceback; none for any other."""
    data = error.args[0] if isinstance(error, Exception) and error.args else None
    if not isinstance(data, bytes | bytearray):
        return []
    found: list[str] = []
    try:  # a shortened pickle ends within an instruction, which is an error
        for _, argument, _ in pickletools.genops(bytes(data[:_MOST_OF_EXCEPTION])):
            if argument == "unpickle_traceback":
                break
            if isinstance(argument, str):
                found.append(argument)
    except Exception:
        pass
    return found[2:] if found[:1] == ["tblib.pickling_support"] else found  # which wraps what else it cannot restore
