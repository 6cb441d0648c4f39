"""HTML pages that hold all they show and load nothing, and pages of a site, which share their scripts and styles.

Names come from data, so templates escape everything, and a page's own security policy runs its own scripts only.
"""

import base64
import functools
import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

import jinja2
from markupsafe import Markup, escape

from lapmark.bench.util.atomic_write import write_atomically

TEMPLATES = Path(__file__).parents[1] / "templates"

#: Chart.js, as its project publishes it; README.md beside it says why.
CHART_JS = Path(__file__).parents[1] / "vendor" / "chart.umd.min.js"

#: The folder of a site with its scripts and styles, and the files there.
ASSETS = "assets"
SHARED_SCRIPT, SHARED_STYLE = f"{ASSETS}/lapmark.js", f"{ASSETS}/lapmark.css"

#: The scripts of a page with interactive charts, in their order.
CHART_SCRIPTS = (CHART_JS.name, "numbers.js", "charts.js", "page.js")

#: What any page may do: show pictures of its own, and ask `lapmark serve` for a newer version.
_POLICY = "default-src 'none'; img-src 'self' data:; connect-src 'self'"


def fill(
    name: str, scripts: Sequence[str] = ("page.js",), looks: Sequence[str] = ("page.css",), **contents: object
) -> str:
    """Return a template filled in, with its scripts and style sheets, and a policy that allows nothing else."""
    code, style = _joined(scripts), _joined(looks)
    return template(name).render(
        script=Markup(code),
        look=Markup(style),
        policy=f"{_POLICY}; style-src {_hash(style)}; script-src {_hash(code)}",
        shared=None,
        **contents,
    )


def fill_shared(name: str, root: str, /, **contents: object) -> str:
    """Return a template filled in for a page of a site; `root` leads from the page to the site's folder: "../"."""
    policy = f"{_POLICY}; style-src 'self'; script-src 'self'"
    shared = {"script": root + SHARED_SCRIPT, "style": root + SHARED_STYLE}
    return template(name).render(policy=policy, shared=shared, root=root, **contents)


def write_assets(site: Path) -> None:
    """Write the scripts and styles that the pages of a site share."""
    write_atomically(site / SHARED_SCRIPT, _joined(CHART_SCRIPTS).encode())
    write_atomically(site / SHARED_STYLE, _joined(["page.css"]).encode())


@functools.cache
def template(name: str) -> jinja2.Template:
    """Return a template, which escapes its contents."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["with_code"] = with_code
    return environment.get_template(name)


def with_code(text: str) -> Markup:
    """Return a text of a docstring as HTML, with what stands between backticks as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def data_url(kind: str, content: bytes) -> str:
    """Return content of a media type as a URL, for an image inside the page."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _joined(names: Sequence[str]) -> str:
    """Return scripts or styles as one text."""
    paths = [CHART_JS if name == CHART_JS.name else TEMPLATES / name for name in names]
    return "\n".join(path.read_text(encoding="utf-8") for path in paths)


def _hash(source: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}'"
