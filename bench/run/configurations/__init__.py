"""Named configurations of runs, one TOML file each; `lapmark.bench.run.configuration` reads them."""

from pathlib import Path

FOLDER = Path(__file__).parent


def names() -> list[str]:
    """Return the names of the configurations."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))
