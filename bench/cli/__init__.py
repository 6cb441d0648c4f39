"""The command `lapmark`: what it takes and what it says, a file for each verb. The work is done elsewhere, and imported
when asked for.
"""

from __future__ import annotations

import os

# Each adds its verb to the application, in the order in which the help lists them.
# isort: off
from . import run, listing, env, check, report, export, compare, gate, choose, map, gallery  # noqa: F401

# isort: on
from . import completion
from .base import app

__all__ = ["app", "main"]


def main() -> None:
    completion.join_words(os.environ)
    app()
