"""Texts from elsewhere in Markdown."""

from __future__ import annotations

import pytest

from lapmark.bench.util.markdown_text import as_code, as_text


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("jv", "`jv`"),
        ("a | b", "`a \\| b`"),
        ("a`b", "``a`b``"),
        ("``a``", "``` ``a`` ```"),
        ("two\nlines", "`two lines`"),
        ("\x1b[31mred", "`\N{REPLACEMENT CHARACTER}[31mred`"),
        ("", "` `"),
    ],
)
def test_as_code_encloses_any_text(text: str, code: str) -> None:
    assert as_code(text) == code


@pytest.mark.parametrize(
    "unsafe", ["<img src=x>", "@team", "#12", "https://a.b", "www.a.b", "[a](b)", "```", "**", "|"]
)
def test_as_text_leaves_no_markup(unsafe: str) -> None:
    shown = as_text(f"before {unsafe} after\n# not a heading")
    assert unsafe not in shown.replace("\\*\\*", "").replace("\\|", "")
    assert "\n" not in shown


def test_as_text_keeps_code_and_plain_words() -> None:
    sentence = "Measure more rounds (`--rounds 20`), 12 % slower: jv-avx2 on uniform n=100."
    assert as_text(sentence) == sentence
