"""What a shell offers for the word being typed: names, after a colon their settings, and the values that these list.

A callback takes the word so far and returns what it may become, each with a help text, which zsh and fish show. What
knows the names is imported when it is asked for, so that verbs and options are completed without loading a solver.

Bash alone breaks words at `:` and `=`, and replaces what follows the last break only: `join_words` mends the first, and
`_offer` keeps to the second.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lapmark.bench.problems import Family

#: A word and its help.
Offer = tuple[str, str]

#: In bash, what stands before the last break of the word being typed.
BEFORE = "LAPMARK_COMPLETION_BEFORE"

_BREAKS = frozenset(":=")


def solvers(incomplete: str) -> list[Offer]:
    """`jv-avx2`, `cascade:levels=false`."""
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
    """`uniform`, `tsne-grid:rows=points`."""
    from lapmark.bench.problems import families

    return _offer_applications(incomplete, families())


def applications(incomplete: str) -> list[Offer]:
    """What the gallery can draw."""
    from lapmark.bench.applications import gallery

    return _offer_applications(incomplete, gallery.applications())


def solver_names(incomplete: str) -> list[Offer]:
    """Solvers, where they take no settings."""
    return [] if ":" in incomplete else solvers(incomplete)


def suites(incomplete: str) -> list[Offer]:
    """Runs that have a name; where none fits, the shell offers files."""
    from lapmark.bench.run import configurations

    return _offer(incomplete, dict.fromkeys(configurations.names(), ""))


def embeddings(incomplete: str) -> list[Offer]:
    """Ways from vectors to points of the plane."""
    from lapmark.bench.applications.grid_map import pipeline

    return _offer(incomplete, pipeline.methods())


def statuses(incomplete: str) -> list[Offer]:
    """What can become of a cell, as `--retry` takes it."""
    from lapmark.bench.results.statuses import STATUSES

    return _offer(incomplete, {name: status.meaning for name, status in STATUSES.items()} | {"failed": "every failure"})


def environments(incomplete: str) -> list[Offer]:
    """Those that `lapmark env add` has made."""
    from lapmark.bench.environments import virtual_environments

    return _offer(
        incomplete, {name: ", ".join(there.requirements) for name, there in virtual_environments.known().items()}
    )


def join_words(environ: MutableMapping[str, str]) -> None:
    """Put together the words that bash has broken, where it is bash that asks.

    Typer's script passes bash's words in COMP_WORDS, a line each, and the index of the one being typed in COMP_CWORD:
    `lapmark run -s jv:av` comes as `lapmark`, `run`, `-s`, `jv`, `:`, `av`. It leaves as `lapmark`, `run`, `-s`, `av`,
    with `jv:` in a variable of its own.
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


def _offer_applications(incomplete: str, known: Mapping[str, Family]) -> list[Offer]:
    def settings(name: str) -> Mapping[str, Sequence[str]]:
        one = known[name]
        return {"n": [str(size) for size in one.sizes], **_settings(one.build, 2), "seed": ()}

    return _offer(incomplete, {name: one.source for name, one in known.items()}, settings)


def _settings(function: Callable[..., Any], positional: int) -> dict[str, list[str]]:
    """The settings of a function, each with the values that its annotation lists."""
    from lapmark.bench.util import spec

    return {
        parameter.name: spec.choices(function, parameter.name)
        for parameter in spec.parameters_of(function, positional)
        if parameter.kind is not parameter.VAR_KEYWORD
    }


def _offer(
    incomplete: str,
    names: Mapping[str, str],
    settings: Callable[[str], Mapping[str, Sequence[str]]] = lambda name: {},
) -> list[Offer]:
    """What a word may become: a name, or, after its colon, one more setting that it does not have yet."""
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
        # Bash puts a blank after the only offer there is, where the value has to come.
        offers.append((offers[0][0] + "…", ""))
    return offers
