"""Texts from elsewhere in Markdown: shown as they are, without markup, links, mentions or HTML."""

import re

from .plain_text import plain

#: Splits what GitHub and GitLab turn into a mention, a reference or a link even where Markdown escapes it.
_SEPARATOR = "\N{ZERO WIDTH SPACE}"


def as_code(text: str) -> str:
    """Return a text as inline code, on one line; also right in the cell of a table."""
    line = " ".join(plain(text).split()).replace("|", "\\|") or " "
    # Code ends at as many backticks as it starts with.
    fence = "`" * (1 + max(map(len, re.findall("`+", line)), default=0))
    space = " " if "`" in (line[0], line[-1]) else ""
    return f"{fence}{space}{line}{space}{fence}"


def as_text(text: str) -> str:
    """Return a text on one line, in which Markdown sees no markup other than inline code."""
    line = " ".join(plain(text).split())
    line = re.sub(r"`{2,}", lambda ticks: "\\`" * len(ticks[0]), line)
    line = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    parts = re.split(r"(`[^`]*`)", line)  # odd parts are code, where a backslash would be shown
    parts[::2] = [re.sub(r"([\\*_{}\[\]|~]|^[-+#](?=[ #]))", r"\\\1", part) for part in parts[::2]]
    return unlinked("".join(parts))


def unlinked(text: str) -> str:
    """Return a text without mentions, references and links, which hosts make of plain text."""
    text = re.sub(r"([@#!])(?=[\w(\[])", rf"\1{_SEPARATOR}", text)
    return re.sub(r"(:)(?=//)|\b(www)(?=\.)", rf"\1\2{_SEPARATOR}", text)
