"""The standard output: stand-ins for characters that it cannot encode (µ becomes u), closed pipes and full disks."""

import codecs
import contextlib
import io
import os
import select
import sys
import unicodedata

#: ASCII for the characters that the harness writes. Accents and superscripts need no entry: they are decomposed.
STAND_INS = {
    **{"µ": "u", "μ": "u", "×": "x", "·": "|", "•": "*", "…": "...", "°": " deg", "§": "section "},
    **{"─": "-", "━": "="},
    **{"–": "-", "—": "-", "−": "-", "‐": "-", "‑": "-", "⁻": "-", "“": '"', "”": '"', "„": '"', "‘": "'", "’": "'"},
    **{"≤": "<=", "≥": ">=", "≠": "!=", "≈": "~", "±": "+-", "→": "->", "←": "<-"},
    **{"½": "1/2", "√": "sqrt ", "∞": "inf"},
    **{"ε": "eps", "ρ": "rho", "π": "pi", "λ": "lambda", "σ": "sigma", "δ": "delta", "Σ": "sum ", "⟨": "<", "⟩": ">"},
    **dict.fromkeys(map(chr, range(0x2800, 0x2900)), "*"),  # Braille patterns, for Rich's spinner
}

#: The stand-in for all other characters.
UNKNOWN = "?"

#: Exit status of a command whose reader has gone, as of one that SIGPIPE ends, and of one whose output is not written.
CLOSED, UNWRITTEN = 141, 2

_HANDLER = "lapmark-stand-in"
_ASCII = "ascii_with_stand_ins"


def use_stand_ins() -> None:
    """Make the standard output and error use stand-ins instead of failing with a UnicodeEncodeError.

    Rich and Typer both write to these two streams.
    """
    codecs.register_error(_HANDLER, _replace)
    codecs.register(_find_codec)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # None without a console, or anything in an embedding program
            is_ascii = codecs.lookup(stream.encoding).name == "ascii"
            stream.reconfigure(encoding=_ASCII if is_ascii else None, errors=_HANDLER)


def flush() -> None:
    """Write what is left of the output; raise a SystemExit if that fails, where Python would show a traceback."""
    status = 0
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except OSError as error:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
            status = not_written(error)
    if status:
        raise SystemExit(status)


def not_written(error: OSError) -> int:
    """Say why the output cannot be written, unless nobody reads it; return the exit status."""
    if isinstance(error, BrokenPipeError):
        return CLOSED
    with contextlib.suppress(OSError):
        print(f"lapmark: the output cannot be written: {error.strerror}", file=sys.stderr)
    return UNWRITTEN


def is_closed(error: BaseException) -> bool:
    """Return whether an error says that nobody reads the standard output or error any longer."""
    if not isinstance(error, BrokenPipeError):
        return False
    if sys.platform == "win32":  # which has no poll, and no verb with other pipes
        return True
    poll = select.poll()
    for stream in (1, 2):
        poll.register(stream, select.POLLOUT)
    # Linux reports an error, macOS that the other end has hung up.
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))


def stand_in(character: str) -> str:
    """Return a readable ASCII text for a character."""
    plain = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return STAND_INS.get(character) or plain or UNKNOWN


def _replace(error: UnicodeError) -> tuple[str, int]:
    """Handle an encoding error for `codecs.register_error`."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(stand_in, error.object[error.start : error.end])), error.end


def _find_codec(name: str) -> codecs.CodecInfo | None:
    """Return ASCII under another name: Typer writes UTF-8 to a stream that claims to be ASCII."""
    if name != _ASCII:
        return None
    known = codecs.lookup("ascii")
    return codecs.CodecInfo(*known, known.incrementalencoder, known.incrementaldecoder, name=_ASCII)
