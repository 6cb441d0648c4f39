"""Texts from elsewhere, made safe to print and to store."""


def plain(text: str) -> str:
    """Return a text without terminal control characters and characters that UTF-8 cannot encode."""
    return "".join(
        letter if letter.isprintable() or letter in "\n\t" else "\N{REPLACEMENT CHARACTER}" for letter in text
    )
