"""Texts from elsewhere, made safe to show and to store."""

from __future__ import annotations


def plain(text: str) -> str:
    """A text from elsewhere without what steers a terminal or cannot be written in UTF-8."""
    return "".join(
        letter if letter.isprintable() or letter in "\n\t" else "\N{REPLACEMENT CHARACTER}" for letter in text
    )
