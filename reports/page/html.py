"""HTML pages that hold all they show and load nothing.

Names come from data, so templates escape everything, and a page's own security policy runs its one script only.
"""

import base64
import functools
import hashlib
from collections.abc import Sequence
from pathlib import Path

import jinja2
from markupsafe import Markup

TEMPLATES = Path(__file__).parents[1] / "templates"


def fill(name: str, script: str = "page.js", looks: Sequence[str] = ("page.css",), **contents: object) -> str:
    """Return a template filled in, with its script and style sheets, and a policy that allows nothing else."""
    code, *styles = ((TEMPLATES / name).read_text(encoding="utf-8") for name in (script, *looks))
    style = "".join(styles)
    return template(name).render(
        script=Markup(code),
        look=Markup(style),
        policy=f"default-src 'none'; img-src data:; style-src {_hash(style)}; script-src {_hash(code)}",
        **contents,
    )


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
    return environment.get_template(name)


def data_url(kind: str, content: bytes) -> str:
    """Return content of a media type as a URL, for an image inside the page."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _hash(source: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}'"
