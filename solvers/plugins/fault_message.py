"""Messages for plugins that fail while they are loaded: the file, the line and the cure."""

import os
import traceback
from collections.abc import Sequence
from pathlib import Path

from .source_files import shown

_PACKAGE = Path(__file__).resolve().parents[2]


def fault(what: str, error: BaseException, files: Sequence[Path], doing: str) -> str:
    """Return what went wrong while a plugin was loaded: the file and the line among its files, and the cure."""
    own = {str(file.resolve()) for file in files}
    frames = traceback.extract_tb(error.__traceback__)
    places = [(frame.filename, frame.lineno) for frame in frames if os.path.realpath(frame.filename) in own]
    if isinstance(error, SyntaxError) and error.filename and os.path.realpath(error.filename) in own:
        places.append((error.filename, error.lineno))
    where = ""
    if places:
        file, line = places[-1]
        is_named = what.startswith("plugin ") and os.path.realpath(file) == str(files[0].resolve())
        where = ("" if is_named else f", {shown(file)}") + (f", line {line}" if line else "")
    is_ours = bool(frames) and Path(frames[-1].filename).resolve().is_relative_to(_PACKAGE)
    return f"{what}{where}: {_reason(error, doing, is_ours)}"


def _reason(error: BaseException, doing: str, is_ours: bool) -> str:
    try:
        text = " ".join(str(error).split())[:500]
    except Exception:  # the exception is the file's own class
        text = "its message cannot be read"
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
    return text if is_ours and isinstance(error, (ValueError, TypeError)) else f"{type(error).__name__}: {text}"
