"""asv's site made to work without a network: the scripts that its page loads from elsewhere are put beside it.

    python -m lapmark.bench.asv_benchmarks.asv_site .asv/html        after `asv publish`; look at it with `asv preview`

npm fetches them from its registry, and checks what it fetches. They are asv's own choice but for flot, which is there
without being minified, and for the script that sorts tables, of which only a later version is there.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

#: What the page of asv 0.6 loads: the package that has it, and its place in there.
SCRIPTS = {
    "https://code.jquery.com/jquery-3.3.1.min.js": ("jquery@3.3.1", "dist/jquery.min.js"),
    **{
        f"https://cdnjs.cloudflare.com/ajax/libs/flot/0.8.3/{name}.min.js": ("flot@0.8.3", f"{name}.js")
        for name in ("jquery.flot", "jquery.flot.time", "jquery.flot.selection", "jquery.flot.categories")
    },
    "https://cdn.jsdelivr.net/npm/flot-orderbars@1.0.0/js/jquery.flot.orderBars.js": (
        "flot-orderbars@1.0.0",
        "js/jquery.flot.orderBars.js",
    ),
    "https://cdnjs.cloudflare.com/ajax/libs/stupidtable/1.0.1/stupidtable.min.js": (
        "stupid-table-plugin@1.1.3",
        "stupidtable.min.js",
    ),
    "https://cdnjs.cloudflare.com/ajax/libs/blueimp-md5/2.19.0/js/md5.min.js": ("blueimp-md5@2.19.0", "js/md5.min.js"),
    **{
        f"https://cdn.jsdelivr.net/npm/bootstrap@3.1.1/dist/{name}": ("bootstrap@3.1.1", f"dist/{name}")
        for name in ("js/bootstrap.min.js", "css/bootstrap.min.css")
    },
}

#: The folder of the site in which they are put.
FOLDER = "vendor"

_REFERENCE = re.compile(r'(?P<start><(?:script|link)[^>]* (?:src|href)=)"(?P<url>https://[^"]+)"(?P<rest>[^>]*)>')
_ATTRIBUTE = re.compile(r' (?:integrity|crossorigin|referrerpolicy)="[^"]*"')


def make_local(site: Path) -> list[str]:
    """Put what the page of a site loads beside it. Done again, it does nothing.

    Parameters
    ----------
    site : path
        The folder that `asv publish` has written.

    Returns
    -------
    list of str
        Addresses that are not known here and are still loaded from elsewhere.

    Raises
    ------
    ValueError
        Where npm is not there or cannot fetch them; the site is then as it was.
    OSError
        Where there is no site.
    """
    page = site / "index.html"
    text = page.read_text(encoding="utf-8")
    wanted = {found["url"] for found in _REFERENCE.finditer(text)}
    _fetch({SCRIPTS[url] for url in wanted & SCRIPTS.keys()}, site / FOLDER)
    part = page.with_suffix(".part")
    part.write_text(_REFERENCE.sub(_localise, text), encoding="utf-8")
    os.replace(part, page)
    return sorted(wanted - SCRIPTS.keys())


def _localise(found: re.Match[str]) -> str:
    """The same element, of the local file. A hash may be that of another form, and a browser asks for none here."""
    if found["url"] not in SCRIPTS:
        return found[0]
    package, path = SCRIPTS[found["url"]]
    return f'{found["start"]}"{FOLDER}/{package}/{path}"{_ATTRIBUTE.sub("", found["rest"])}>'


def _fetch(files: set[tuple[str, str]], folder: Path) -> None:
    """Take files out of packages, each into a folder that is called like its package."""
    with tempfile.TemporaryDirectory() as packed:
        for package in sorted({package for package, _ in files}):
            command = ["npm", "pack", "--silent", "--pack-destination", packed, package]
            try:
                done = subprocess.run(command, capture_output=True, text=True)
            except OSError as error:
                raise ValueError(f"npm cannot be run: {error}") from None
            if done.returncode:
                raise ValueError(f"npm cannot fetch {package}: {done.stderr.strip() or done.stdout.strip()}")
            with tarfile.open(Path(packed, done.stdout.split()[-1])) as archive:
                for path in sorted(path for of, path in files if of == package):
                    content = archive.extractfile(f"package/{path}")
                    assert content is not None
                    place = folder / package / path
                    place.parent.mkdir(parents=True, exist_ok=True)
                    place.write_bytes(content.read())


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        left = make_local(Path(arguments[0]))
    except (ValueError, OSError) as error:
        print(f"The site loads its scripts from the network, as asv made it: {error}", file=sys.stderr)
        return 1
    for address in left:
        print(f"still loaded from the network: {address}", file=sys.stderr)
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
