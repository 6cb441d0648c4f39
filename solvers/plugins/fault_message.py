"""Messages for plugins that fail, most of them while they are loaded: the file, the line and the cure."""

import os
import re
import traceback
from collections.abc import Sequence
from pathlib import Path

from .source_files import shown

_PACKAGE = Path(__file__).resolve().parents[2]
_SOLVERS = Path(__file__).resolve().parents[1]

#: What to write in place of a wrong call, by the function called; docs/plugins.md has the details.
_CALLS = {
    "Capabilities.__init__": "Capabilities(exact=True or False, …); docs/plugins.md lists its fields",
    "register": '@register("NAME", Capabilities(exact=True or False, …)); docs/plugins.md lists the fields',
    "family": '@lapmark.family("NAME", source=…, sizes=…, variants=…); docs/plugins.md has an example',
}


def fault(what: str, error: BaseException, files: Sequence[Path], doing: str) -> str:
    """Return what went wrong while a plugin was loaded: the file and the line among its files, and the cure."""
    own = _names(files)
    frames = traceback.extract_tb(error.__traceback__)
    places = _places(frames, own)
    if isinstance(error, SyntaxError) and error.filename and os.path.realpath(error.filename) in own:
        places.append((error.filename, error.lineno))
    where = ""
    if places:
        file, line = places[-1]
        is_named = what.startswith("plugin ") and os.path.realpath(file) == str(files[0].resolve())
        where = ("" if is_named else f", {shown(file)}") + (f", line {line}" if line else "")
    is_ours = bool(frames) and Path(frames[-1].filename).resolve().is_relative_to(_PACKAGE)
    return f"{what}{where}: {_reason(error, doing, is_ours)}"


def place_of(error: BaseException, files: Sequence[Path]) -> str:
    """Return the innermost of these files and its line, `steps.py:5`, where an error passed; empty if it did not."""
    places = _places(traceback.extract_tb(error.__traceback__), _names(files))
    return f"{Path(places[-1][0]).name}:{places[-1][1]}" if places else ""


def is_raised_by_solvers(error: BaseException) -> bool:
    """Return whether an error comes from `lapmark.solvers`, such as that of a cost which is NaN."""
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and Path(frames[-1].filename).resolve().is_relative_to(_SOLVERS)


def text_of(error: BaseException) -> str:
    """Return the message of an error in one line, up to 500 characters."""
    try:
        return " ".join(str(error).split())[:500]
    except Exception:  # the exception is the file's own class
        return "its message cannot be read"


def _names(files: Sequence[Path]) -> set[str]:
    return {str(file.resolve()) for file in files}


def _places(frames: Sequence[traceback.FrameSummary], own: set[str]) -> list[tuple[str, int | None]]:
    return [(frame.filename, frame.lineno) for frame in frames if os.path.realpath(frame.filename) in own]


def _reason(error: BaseException, doing: str, is_ours: bool) -> str:
    text = text_of(error)
    if isinstance(error, SystemExit):
        status = "" if error.code is None else repr(error.code)
        return (
            f"it calls sys.exit({status}) while it is {doing}; put what only a script runs under "
            'if __name__ == "__main__":'
        )
    if isinstance(error, SyntaxError):
        line = (error.text or "").strip()
        return f"{type(error).__name__}: {error.msg}" + (f" in {line!r}" if line else "")
    if isinstance(error, ModuleNotFoundError) and error.name:
        root = error.name.partition(".")[0]
        if root != error.name:
            return f"{root} has no module {error.name!r}"
        return f"no module is called {root!r}; install the package that has it, or put {root}.py beside the plugin"
    if isinstance(error, ImportError) and "relative import" in text:
        return f"{text}; a plugin is no part of a package: write “import NAME” for the file NAME.py beside it"
    call = re.match(r"([\w.]+)\(\) (got an unexpected keyword|missing|takes)", text)
    if isinstance(error, TypeError) and call and call[1] in _CALLS:
        return f"{text}; write {_CALLS[call[1]]}"
    return text if is_ours and isinstance(error, (ValueError, TypeError)) else f"{type(error).__name__}: {text}"
