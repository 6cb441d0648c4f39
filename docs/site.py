"""Pages that MkDocs does not find in this folder: documents at the root, the notebooks, the command, the benchmark.

Links are written as they work in the repository. They are turned here to where they lead within the site.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

import lapmark

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
DOCUMENTS = ("BIAS.md", "CONTRIBUTING.md", "SECURITY.md")

#: The kept results of cells, which make the benchmark's own pages, their folder, and the documents that lead there.
RUNS = ("families", "grid", "transport", "standard")
BENCHMARK = "benchmark"
RESULTS = ("benchmarks.md", "families.md")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are written elsewhere."""
    pages = {name: (ROOT / name).read_text(encoding="utf-8") for name in DOCUMENTS}
    pages["command.md"] = command_help()
    pages["examples/README.md"] = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    pages |= {f"examples/{path.stem}.md": notebook_page(path) for path in sorted(EXAMPLES.glob("*.ipynb"))}
    for name, text in pages.items():
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn links between the root and this folder to where they lead in the site; add the reference."""
    markdown = re.sub(r"\]\((?:docs/|\.\./(?=[A-Z]+\.md|examples/))", "](", markdown)
    if page.file.src_path.startswith("examples/"):
        markdown = re.sub(r"\]\(\.\./docs/", "](../", markdown)
        markdown = re.sub(r"\]\((\w+)\.ipynb\)", r"](\1.md)", markdown)
    if page.file.src_path in RESULTS:
        words = "Explore the results: charts, and a page for each solver and problem"
        link = f'<p><a href="{BENCHMARK}/index.html">{words}</a></p>'
        markdown = re.sub(r"^(# .*\n)", rf"\1\n{link}\n", markdown, count=1)
    return markdown + reference() if page.file.src_path == "api.md" else markdown


def on_post_build(config: MkDocsConfig) -> None:
    """Write the benchmark's own pages."""
    stores = [str(ROOT / "docs" / "measured" / f"{name}.json") for name in RUNS]
    command = [sys.executable, "-m", "lapmark", "site", *stores, "--to", str(Path(config.site_dir) / BENCHMARK)]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Keep code of one word in one piece, as `site.css` shows it; it may break after a comma or a colon."""

    def word(code: re.Match[str]) -> str:
        breakable = re.sub("([,:])", r"\1<wbr>", code[1])
        return f'<code class="word">{breakable}</code>'

    return re.sub(r"<code>([^<\s]{1,50})</code>", word, html)


def notebook_page(path: Path) -> str:
    """Return a notebook as Markdown: its cells, what they print, and its pictures."""
    parts = []
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        parts.append(source if cell["cell_type"] == "markdown" else f"```python\n{source}\n```")
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            if image := data.get("image/png"):
                parts.append(f'<img src="data:image/png;base64,{"".join(image.split())}" alt="What the cell draws">')
            else:
                text = re.sub(r"\x1b\[[0-9;]*m", "", "".join(output.get("text") or data["text/plain"])).rstrip()
                parts.append(f"```text\n{text}\n```")
    return "\n\n".join(parts) + "\n"


def reference() -> str:
    """Return the entry of every public name, each documented where it is defined.

    Several functions share their name with their module, and `::: lapmark` would describe the module.
    """
    text = ""
    for name in sorted({*lapmark.__all__, *lapmark._HARNESS}, key=str.lower):
        thing = getattr(lapmark, name)
        text += f'\n<a id="lapmark.{name}"></a>\n\n'
        options = f"    options:\n      heading: {name}\n      toc_label: {name}\n"
        text += f"::: {thing.__module__}.{thing.__qualname__}\n{options}"
    return text


def command_help() -> str:
    """Return the help of every verb, as Typer writes it."""
    options = ["--name", "lapmark", "--title", "The command"]
    command = [sys.executable, "-m", "typer", "--app", "app", "lapmark.bench.cli", "utils", "docs", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
