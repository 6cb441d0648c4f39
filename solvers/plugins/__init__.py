"""Plugins: files of `--plugin` and entry points of packages, which register solvers and families of problems.

A plugin may import the files beside it. An installed module of the same name comes first, so that a `numpy.py` there
changes nothing. `loading` runs them, `registration` says who registers a name, `source_files` has the files of a plugin
and their digest, and `fault_message` the messages for plugins that fail.
"""

from .fault_message import is_raised_by_solvers, place_of, text_of
from .loading import forget, load, load_entry_points, loaded
from .registration import UNKNOWN, Origin, PluginError, PluginWarning, enter, origin
from .source_files import files_of, shown, source_digest, sources, texts, version

__all__ = [
    "UNKNOWN",
    "Origin",
    "PluginError",
    "PluginWarning",
    "enter",
    "files_of",
    "forget",
    "is_raised_by_solvers",
    "load",
    "load_entry_points",
    "loaded",
    "origin",
    "place_of",
    "shown",
    "source_digest",
    "sources",
    "text_of",
    "texts",
    "version",
]
