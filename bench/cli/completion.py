"""Shell completion of names, after a colon of their settings, and of the values of these.

A callback takes the incomplete word and returns the candidates, each with a help text for zsh and fish. Modules with
the names are imported on use, so that verbs and options are completed without loading a solver.

Only bash breaks words at `:` and `=`, and replaces only the part after the last break: `join_words` rejoins them, and
`_offer` returns only the last part.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lapmark.bench.applications.gallery import Application
    from lapmark.bench.problems import Family

#: A candidate and its help.
Offer = tuple[str, str]

#: Environment variable with the part of the incomplete word before the last break, for bash.
BEFORE = "LAPMARK_COMPLETION_BEFORE"

_BREAKS = frozenset(":=")


def solvers(incomplete: str) -> list[Offer]:
    """Complete a solver: `jv-avx2`, `cascade:levels=false`."""
    from lapmark.solvers import registry

    known = registry.solvers()

    def settings(name: str) -> Mapping[str, Sequence[str]]:
        curve = known[name].capabilities.curve
        return {
            setting: [f"{value:g}" for value in curve.get(setting, ())] or choices
            for setting, choices in _settings(known[name].function, 1).items()
        }

    return _offer(incomplete, {name: solver.capabilities.family for name, solver in known.items()}, settings)


def problems(incomplete: str) -> list[Offer]:
    """Complete a problem: `uniform`, `tsne-grid:rows=points`, or a file; if none matches, the shell offers files."""
    from lapmark.bench.problems import families

    offers = _offer_applications(incomplete, families())
    return [*offers, *_files(incomplete)] if offers and not os.environ.get(BEFORE) and ":" not in incomplete else offers


def applications(incomplete: str) -> list[Offer]:
    """Complete an application of the gallery."""
    from lapmark.bench.applications import gallery

    return _offer_applications(incomplete, gallery.applications())


def solver_names(incomplete: str) -> list[Offer]:
    """Complete a solver without settings."""
    return [] if ":" in incomplete else solvers(incomplete)


def problem_names(incomplete: str) -> list[Offer]:
    """Complete a problem without settings."""
    return [] if ":" in incomplete else problems(incomplete)


def suites(incomplete: str) -> list[Offer]:
    """Complete a named configuration; if none matches, the shell offers files."""
    from lapmark.bench.run import configurations

    return _offer(incomplete, dict.fromkeys(configurations.names(), ""))


def embeddings(incomplete: str) -> list[Offer]:
    """Complete a method of embedding."""
    from lapmark.bench.applications.grid_map import pipeline

    return _offer(incomplete, pipeline.methods())


def statuses(incomplete: str) -> list[Offer]:
    """Complete a value of `--retry`."""
    from lapmark.bench.results.statuses import STATUSES

    return _offer(incomplete, {name: status.meaning for name, status in STATUSES.items()} | {"failed": "every failure"})


def environments(incomplete: str) -> list[Offer]:
    """Complete an environment made by `lapmark env add`."""
    from lapmark.bench.environments import virtual_environments

    return _offer(
        incomplete, {name: ", ".join(known.requirements) for name, known in virtual_environments.known().items()}
    )


def join_words(environ: MutableMapping[str, str]) -> None:
    """Rejoin the words that bash has broken; does nothing for other shells.

    Typer's script passes the words of bash in COMP_WORDS, one per line, and the index of the incomplete one in
    COMP_CWORD: `lapmark run -s jv:av` arrives as `lapmark`, `run`, `-s`, `jv`, `:`, `av`. It becomes `lapmark`, `run`,
    `-s`, `av`, with `jv:` in the variable `BEFORE`.
    """
    if environ.get("_LAPMARK_COMPLETE") != "complete_bash":
        return
    pieces = environ["COMP_WORDS"].split("\n")[: int(environ["COMP_CWORD"]) + 1]
    words: list[str] = []
    for before, piece in zip(["", *pieces], pieces, strict=False):
        if words and (_breaks(piece) or (piece and _breaks(before))):
            words[-1] += piece
        else:
            words.append(piece)
    *words, word = words
    typed = "" if _breaks(pieces[-1]) else pieces[-1]
    if word.startswith("--") and "=" in word:
        option, _, word = word.partition("=")
        words.append(option)
    environ["COMP_WORDS"] = "\n".join([*words, typed])
    environ["COMP_CWORD"] = str(len(words))
    environ[BEFORE] = word.removesuffix(typed)


def _breaks(piece: str) -> bool:
    return bool(piece) and set(piece) <= _BREAKS


def _offer_applications(incomplete: str, known: Mapping[str, Family] | Mapping[str, Application]) -> list[Offer]:
    def settings(name: str) -> Mapping[str, Sequence[str]]:
        one = known[name]
        return {"n": [str(size) for size in one.sizes], **_settings(one.build, 2), "seed": ()}

    return _offer(incomplete, {name: one.source for name, one in known.items()}, settings)


def _settings(function: Callable[..., Any], positional: int) -> dict[str, list[str]]:
    """Return the settings of a function, each with the values that its annotation lists."""
    from lapmark.bench.util import spec

    return {
        parameter.name: spec.choices(function, parameter.name)
        for parameter in spec.parameters_of(function, positional)
        if parameter.kind is not parameter.VAR_KEYWORD
    }


def _files(incomplete: str) -> list[Offer]:
    """Return the cost files of the current folder, and its folders."""
    from lapmark.bench.data.cost_file import SUFFIXES

    found = [(path.name, path.is_dir()) for path in os.scandir() if path.name.startswith(incomplete)]
    return [
        (name, "folder" if is_folder else "file")
        for name, is_folder in sorted(found)
        if not name.startswith(".") and (is_folder or name.lower().endswith(SUFFIXES))
    ]


def _offer(
    incomplete: str,
    names: Mapping[str, str],
    settings: Callable[[str], Mapping[str, Sequence[str]]] = lambda name: {},
) -> list[Offer]:
    """Return the candidates for a word: names, or after a colon the settings that it does not have yet."""
    before = os.environ.get(BEFORE, "")
    word = before + incomplete
    name, colon, rest = word.partition(":")
    if not colon:
        offers = list(names.items())
    elif name in names:
        *given, last = rest.split(",")
        taken = {setting.partition("=")[0] for setting in given}
        done = word.removesuffix(last)
        offers = [
            (f"{done}{setting}={value}", "")
            for setting, values in settings(name).items()
            if setting not in taken
            for value in values or ("",)
        ]
    else:
        offers = []
    offers = [(text.removeprefix(before), help) for text, help in offers if text.startswith(word)]
    if BEFORE in os.environ and len(offers) == 1 and offers[0][0].endswith("="):
        # Bash adds a blank after a single candidate, where the value must follow.
        offers.append((offers[0][0] + "…", ""))
    return offers
