"""Runs that have a name, one TOML file each; `lapmark.bench.run.configuration` reads them."""

from pathlib import Path

FOLDER = Path(__file__).parent


def names() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.toml"))
