"""Offline copy of the scripts of asv's site, so that it works without a network.

    python -m lapmark.bench.asv_benchmarks.asv_site .asv/html        after `asv publish`; view it with `asv preview`

npm downloads and checks them. They are the versions that asv uses, except for flot, which is not minified there, and
the script that sorts tables, which npm has only in a later version.
"""

import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from lapmark.bench.util.atomic_write import write_atomically

#: The package and path of each script that the page of asv 0.6 loads.
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

#: The folder of the site for the scripts.
FOLDER = "vendor"

_REFERENCE = re.compile(r'(?P<start><(?:script|link)[^>]* (?:src|href)=)"(?P<url>https://[^"]+)"(?P<rest>[^>]*)>')
_ATTRIBUTE = re.compile(r' (?:integrity|crossorigin|referrerpolicy)="[^"]*"')


def make_local(site: Path) -> list[str]:
    """Download what the page of a site loads into a folder beside it. A second call does nothing.

    `site` is the folder that `asv publish` has written. Return the addresses that are not in `SCRIPTS` and are still
    loaded from the network. Raise an OSError if there is no site, and a ValueError if npm is missing or fails; the site
    is then unchanged.
    """
    page = site / "index.html"
    text = page.read_text(encoding="utf-8")
    wanted = {found["url"] for found in _REFERENCE.finditer(text)}
    _fetch({SCRIPTS[url] for url in wanted & SCRIPTS.keys()}, site / FOLDER)
    write_atomically(page, _REFERENCE.sub(_localise, text).encode())
    return sorted(wanted - SCRIPTS.keys())


def _localise(found: re.Match[str]) -> str:
    """Return the element with the local file, without the hash, which may be of another form of the file."""
    if found["url"] not in SCRIPTS:
        return found[0]
    package, path = SCRIPTS[found["url"]]
    return f'{found["start"]}"{FOLDER}/{package}/{path}"{_ATTRIBUTE.sub("", found["rest"])}>'


def _fetch(files: set[tuple[str, str]], folder: Path) -> None:
    """Extract files from packages, each into a folder named like its package."""
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
                    write_atomically(folder / package / path, content.read())


def main(arguments: list[str]) -> int:
    """Run the script; return its exit status."""
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        left = make_local(Path(arguments[0]))
    except (ValueError, OSError) as error:
        print(f"The site still loads its scripts from the network: {error}", file=sys.stderr)
        return 1
    for address in left:
        print(f"still loaded from the network: {address}", file=sys.stderr)
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
