from __future__ import annotations

import pytest

from lapmark.bench.util import units


@pytest.mark.parametrize(
    ("text", "seconds"), [("500ms", 0.5), ("3s", 3), ("10m", 600), ("1.5 h", 5400), (".5S", 0.5), ("20us", 2e-5)]
)
def test_duration_of_a_valid_text_returns_seconds(text: str, seconds: float) -> None:
    assert units.duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("text", "count"), [("8GiB", 8 << 30), ("500MB", 500_000_000), ("1.5kib", 1536), ("7 B", 7), ("2kB", 2000)]
)
def test_size_of_a_valid_text_returns_bytes(text: str, count: int) -> None:
    assert units.size(text) == count


@pytest.mark.parametrize("text", ["", "5", "s", "-3s", "0s", "3 parsecs", "1e3s", "3s 4s", "nan s"])
def test_duration_of_an_invalid_text_raises_with_examples(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a duration above 0; write for example 500ms, 3s or 10m"):
        units.duration(text)


@pytest.mark.parametrize("text", ["", "8", "GiB", "8Gb/s", "0MB", "8 gigs"])
def test_size_of_an_invalid_text_raises_with_examples(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a size above 0; write for example 500MB or 8GiB"):
        units.size(text)


@pytest.mark.parametrize(("text", "share"), [("5%", 0.05), ("0.05", 0.05), (" 99.5 %", 0.995)])
def test_share_of_a_valid_text_returns_the_fraction(text: str, share: float) -> None:
    assert units.share(text) == pytest.approx(share)


@pytest.mark.parametrize("text", ["", "%", "0%", "100%", "5 percent", "-5%", "1.5"])
def test_share_of_an_invalid_text_raises_with_examples(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a share between 0 and 100 %; write for example 5% or 0\.05"):
        units.share(text)


@pytest.mark.parametrize(
    ("seconds", "text"), [(2.5e-5, "25 µs"), (0.0123456, "12.3 ms"), (1.0, "1 s"), (119, "119 s"), (600, "10 min")]
)
def test_show_duration_picks_the_unit(seconds: float, text: str) -> None:
    assert units.show_duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (4096, "4 KiB"), (1000 << 10, "0.977 MiB"), (3 << 29, "1.5 GiB"), (1 << 41, "2.05e+03 GiB")],
)
def test_show_size_picks_the_unit(count: int, text: str) -> None:
    assert units.show_size(count) == text


def test_show_count_of_has_a_plural_where_it_is_due() -> None:
    assert [units.show_count_of(count, "cell") for count in (0, 1, 2, 1204)] == [
        "0 cells",
        "1 cell",
        "2 cells",
        "1,204 cells",
    ]
