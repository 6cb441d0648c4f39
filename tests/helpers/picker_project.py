"""A project that brings a solver by an entry point, built with the Meson that is installed here."""

PYPROJECT = """
[build-system]
requires = ["meson-python"]
build-backend = "mesonpy"

[project]
name = "picker"
version = "1"

[project.entry-points."lapmark.solvers"]
picker = "picker"
"""

MESON = """
project('picker', version: '1')
import('python').find_installation().install_sources('picker.py', pure: true)
"""


def files(solver: str, settings: str = "") -> dict[str, str]:
    """Return the files of the project: its module picker.py, and more at the end of its pyproject.toml."""
    return {"pyproject.toml": PYPROJECT + settings, "meson.build": MESON, "picker.py": solver}
