"""Stand-ins for characters that a terminal, file or pipe cannot encode: µ becomes u, × becomes x."""

from __future__ import annotations

import codecs
import io
import sys
import unicodedata

#: Characters that the harness writes, in ASCII. Accents and superscripts need no entry: they lose what is not ASCII.
STAND_INS = {
    **{"µ": "u", "μ": "u", "×": "x", "·": "|", "•": "*", "…": "...", "°": " deg", "§": "section "},
    **{"–": "-", "—": "-", "−": "-", "‐": "-", "‑": "-", "⁻": "-", "“": '"', "”": '"', "„": '"', "‘": "'", "’": "'"},
    **{"≤": "<=", "≥": ">=", "≠": "!=", "≈": "~", "±": "+-", "→": "->", "←": "<-"},
    **{"½": "1/2", "√": "sqrt ", "∞": "inf"},
    **{"ε": "eps", "ρ": "rho", "π": "pi", "λ": "lambda", "σ": "sigma", "δ": "delta", "Σ": "sum ", "⟨": "<", "⟩": ">"},
    **dict.fromkeys(map(chr, range(0x2800, 0x2900)), "*"),  # Braille patterns, of which Rich's spinner is made
}

#: What stands for a character without another stand-in.
UNKNOWN = "?"

_HANDLER = "lapmark-stand-in"
_ASCII = "ascii_with_stand_ins"


def use_stand_ins() -> None:
    """Have the standard output and error show what they can, and never fail with a UnicodeEncodeError.

    Rich and Typer both write to these two streams.
    """
    codecs.register_error(_HANDLER, _replace)
    codecs.register(_find_codec)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # None without a console, anything where a program embeds this one
            is_ascii = codecs.lookup(stream.encoding).name == "ascii"
            stream.reconfigure(encoding=_ASCII if is_ascii else None, errors=_HANDLER)


def stand_in(character: str) -> str:
    """Return a readable ASCII text for a character."""
    plain = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return STAND_INS.get(character) or plain or UNKNOWN


def _replace(error: UnicodeError) -> tuple[str, int]:
    """Handle an encoding error, as `codecs.register_error` wants it."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(stand_in, error.object[error.start : error.end])), error.end


def _find_codec(name: str) -> codecs.CodecInfo | None:
    """Return ASCII under another name.

    Typer takes a stream in ASCII for misconfigured and writes UTF-8 to it, which such a terminal does not show.
    """
    if name != _ASCII:
        return None
    known = codecs.lookup("ascii")
    return codecs.CodecInfo(
        name=_ASCII,
        encode=known.encode,
        decode=known.decode,
        incrementalencoder=known.incrementalencoder,
        incrementaldecoder=known.incrementaldecoder,
        streamreader=known.streamreader,
        streamwriter=known.streamwriter,
    )
