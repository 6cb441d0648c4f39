"""A report that is served while its run goes on: written again when the store has grown, and reloaded by browsers."""

from __future__ import annotations

import json
import threading
import time
import urllib.parse
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from lapmark.bench.results.store import NAME, Store

from .page.html import fill
from .report import write_report_of

#: Endings of the files that are served: the pages and what they show, not the store.
SERVED = frozenset({".html", ".css", ".js", ".svg", ".png", ".gif", ".webp", ".csv", ".parquet"})

#: Where a page asks for the version of the report.
VERSION = "/version.json"

#: Seconds between two looks at the store, and the least between the end of a report and the start of the next.
LOOK, PAUSE = 1.0, 5.0


class LiveReport:
    """The report of a folder of results, kept up to date in a thread of its own.

    Attributes
    ----------
    version : int
        Number of reports that were written.
    fault : str
        Why the last attempt failed; empty if it did not.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.version = 0
        self.fault = ""
        self._seen: tuple[int, ...] = ()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self) -> LiveReport:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stopped.set()

    def refresh(self) -> bool:
        """Write the report if the store has changed since the last one; return whether it was written."""
        state = self._state()
        if state == self._seen:
            return False
        try:
            with Store.open(self.directory, create=False) as store:
                records = store.records()
            if not records:
                return False
            write_report_of(records, self.directory)
        except (ValueError, OSError, RuntimeError) as error:
            self.fault = str(error)
            return False
        self._seen, self.fault = state, ""
        self.version += 1
        return True

    def _state(self) -> tuple[int, ...]:
        """Return the sizes and times of the files of the store, journals included."""
        files = sorted(self.directory.glob(f"{NAME}*"))
        return tuple(number for path in files for number in _times(path))

    def _follow(self) -> None:
        while not self._stopped.wait(LOOK):
            if self.refresh():
                time.sleep(PAUSE)


def server(live: LiveReport, host: str, port: int) -> ThreadingHTTPServer:
    """Return a server of a live report; an OSError if the port is taken."""

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *args: Any, **settings: Any) -> None:
            super().__init__(*args, directory=str(live.directory), **settings)

        def do_GET(self) -> None:
            path = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path)
            if path == VERSION:
                self._send(json.dumps({"version": live.version, "fault": live.fault}).encode(), "application/json")
            elif path in ("/", "/index.html"):
                page = live.directory / "index.html"
                content = page.read_bytes() if live.version else fill("waiting.html").encode()
                self._send(_live(content, live.version), "text/html; charset=utf-8")
            elif Path(path).suffix in SERVED:
                super().do_GET()
            else:
                self.send_error(HTTPStatus.NOT_FOUND)

        def _send(self, content: bytes, kind: str) -> None:
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: object) -> None:
            """Write nothing: a line per request would hide the address."""

    return ThreadingHTTPServer((host, port), Handler)


def _live(page: bytes, version: int) -> bytes:
    """Return a page that asks for newer versions of itself."""
    return page.replace(b'<html lang="en">', b'<html lang="en" data-version="%d">' % version, 1)


def _times(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except FileNotFoundError:  # a journal that was just removed
        return 0, 0
    return status.st_size, status.st_mtime_ns
