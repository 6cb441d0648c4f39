"""Pages that MkDocs does not find in this folder: documents at the root, a part of README.md, the help of the command.

Each is written once, where it belongs, and becomes a page when the site is built. Links are written as they work in the
repository, and are turned here to where they lead within the site.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parent.parent
DOCUMENTS = ("METHODOLOGY.md", "BIAS.md", "CONTRIBUTING.md", "SECURITY.md")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are written elsewhere."""
    pages = {name: (ROOT / name).read_text(encoding="utf-8") for name in DOCUMENTS}
    pages["library.md"] = section((ROOT / "README.md").read_text(encoding="utf-8"), "As a library")
    pages["command.md"] = command_help()
    for name, text in pages.items():
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn links from the root into this folder, and those from this folder to a document at the root."""
    return re.sub(r"\]\((?:docs/|\.\./(?=[A-Z]+\.md))", "](", markdown)


def section(text: str, heading: str) -> str:
    """A section of second level as a page of its own."""
    found = re.search(rf"^## {re.escape(heading)}$.*?(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, heading
    return re.sub(r"^##", "#", found[0], flags=re.MULTILINE)


def command_help() -> str:
    """The help of every verb, as Typer writes it down."""
    command = [
        sys.executable,
        "-m",
        "typer",
        "lapmark.bench.cli",
        "utils",
        "docs",
        "--name",
        "lapmark",
        "--title",
        "The command",
    ]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
