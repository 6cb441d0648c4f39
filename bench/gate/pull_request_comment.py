"""Comment on a pull request with the outcome of its gate; run by a workflow of its own, which has the right to write.

The gate runs code of the pull request, so it gets no token that can write. This file runs later, triggered by the end
of the gate's workflow, in the context of the main branch. It runs nothing of the pull request, and treats the report
as a text from a stranger: only its length, no markup that links, mentions or hides. Which pull request to comment on
comes from GitHub, never from the report.

It needs the standard library only, so that the workflow installs nothing: `python3 pull_request_comment.py`.
"""

from __future__ import annotations

import io
import itertools
import json
import os
import re
import sys
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: First line of the comment, by which a later run finds it; invisible on the page.
MARKER = "<!-- lapmark-gate -->"

#: Author of the comments that a workflow makes; a comment of anybody else is not ours, whatever it contains.
AUTHOR = "github-actions[bot]"

ARTIFACT, REPORT = "lapmark-gate", "gate.md"

#: Largest artifact to download, in bytes, and most characters of a report; GitHub takes 65,536 in a comment.
MOST_BYTES, MOST_CHARACTERS = 16 << 20, 60_000

#: Seconds to wait for an answer of GitHub.
PATIENCE = 60

#: Items of a page of a list, the most that GitHub gives.
_PAGE = 100

#: Splits what GitHub turns into a mention, a reference or a link.
_SEPARATOR = "\N{ZERO WIDTH SPACE}"

#: The HTML that a report of the gate contains.
_FOLDS = ("<details>", "</details>", "<summary>", "</summary>")


@dataclass(frozen=True)
class GitHub:
    """The interface of GitHub for one repository, `owner/name`."""

    url: str
    repository: str
    token: str

    def get(self, path: str, **query: object) -> Any:
        """Return the answer to a query below the repository."""
        return json.loads(self._send("GET", f"{path}?{urllib.parse.urlencode(query)}").read())

    def pages(self, path: str, **query: object) -> Iterator[Any]:
        """Yield the items of a list over all its pages."""
        for page in itertools.count(1):
            items = self.get(path, **query, per_page=_PAGE, page=page)
            yield from items
            if len(items) < _PAGE:
                return

    def write(self, method: str, path: str, content: Mapping[str, object]) -> None:
        """Create or change something."""
        self._send(method, path, json.dumps(content).encode())

    def download(self, path: str, most: int) -> bytes:
        """Return a file; raise a ValueError if it has more than `most` bytes."""
        content = self._send("GET", path).read(most + 1)
        if len(content) > most:
            raise ValueError(f"{path} has more than {most} bytes")
        return bytes(content)

    def _send(self, method: str, path: str, data: bytes | None = None) -> Any:
        request = urllib.request.Request(f"{self.url}/repos/{self.repository}/{path}", data, method=method)
        request.add_header("Accept", "application/vnd.github+json")
        request.add_header("Content-Type", "application/json")
        # Files are on other hosts, which the redirection leads to; the token is for this one alone.
        request.add_unredirected_header("Authorization", f"Bearer {self.token}")
        return urllib.request.urlopen(request, timeout=PATIENCE)


def pull_requests(github: GitHub, run: Mapping[str, Any]) -> list[int]:
    """Return the numbers of the open pull requests whose latest commit this run of a workflow has tested.

    Those of forks are not part of the event, and are looked up by the branch that they come from.
    """
    source = run.get("head_repository")
    if not source:  # the fork is gone
        return []
    branch = f"{source['owner']['login']}:{run['head_branch']}"
    found = github.pages("pulls", state="open", head=branch)
    return [
        pull["number"]
        for pull in found
        if pull["head"]["sha"] == run["head_sha"] and pull["base"]["repo"]["full_name"] == github.repository
    ]


def report(github: GitHub, run: Mapping[str, Any]) -> str | None:
    """Return the report that a run has stored, at most `MOST_CHARACTERS` of it, or None without one."""
    artifacts = github.get(f"actions/runs/{run['id']}/artifacts", name=ARTIFACT, per_page=100)["artifacts"]
    usable = [each for each in artifacts if each["name"] == ARTIFACT and not each["expired"]]
    if not usable:
        return None
    latest = max(usable, key=lambda each: each["id"])
    content = github.download(f"actions/artifacts/{latest['id']}/zip", MOST_BYTES)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if REPORT not in archive.namelist():
            return None
        with archive.open(REPORT) as file:
            # A small archive may hold an endless file: no more is unpacked than is shown.
            return file.read(4 * MOST_CHARACTERS).decode(errors="replace")


def sanitised(text: str) -> str:
    """Return Markdown from a stranger without links, images, mentions, references, HTML and invisible characters.

    Tables, emphasis, code and the folds of a gate's report remain.
    """
    text = "".join(letter for letter in text if letter.isprintable() or letter == "\n")
    parts = re.split("(" + "|".join(map(re.escape, _FOLDS)) + ")", text)  # odd parts are folds
    parts[::2] = [part.replace("<", f"<{_SEPARATOR}") for part in parts[::2]]
    text = re.sub(r"([@#!])(?=[\w(\[])|(\bGH)(?=-\d)", rf"\1\2{_SEPARATOR}", "".join(parts))
    text = re.sub(r"(:)(?=//)|\b(www)(?=\.)", rf"\1\2{_SEPARATOR}", text)
    text = re.sub(r"\](?=[(\[:])", f"]{_SEPARATOR}", text)
    if len(text) > MOST_CHARACTERS:
        text = text[: text.rfind("\n", 0, MOST_CHARACTERS)] + "\n\nThe rest is left out."
    return text


def body(run: Mapping[str, Any], found: str | None, page: str) -> str:
    """Return the comment: the marker, where the report comes from, and the report; `page` is the address of the run."""
    missing = "Nothing that affects measurements has changed." if _passed(run) else "The gate has not finished."
    # A report may leave a fold or a block of code open: it comes last.
    return "\n".join(
        [
            MARKER,
            "### Lapmark gate",
            f"Commit {run['head_sha'][:10]}, [run of the workflow]({page})",
            "",
            missing if found is None else sanitised(found),
        ]
    )


def post(github: GitHub, number: int, text: str, create: bool) -> str:
    """Change the comment of an earlier run on a pull request, or `create` one; return what was done."""
    for comment in github.pages(f"issues/{number}/comments"):
        author = (comment["user"] or {}).get("login")
        if author == AUTHOR and (comment["body"] or "").startswith(MARKER):
            github.write("PATCH", f"issues/comments/{comment['id']}", {"body": text})
            return f"Updated the comment on #{number}."
    if not create:
        return f"Nothing to say on #{number}."
    github.write("POST", f"issues/{number}/comments", {"body": text})
    return f"Commented on #{number}."


def comment(environ: Mapping[str, str]) -> Iterator[str]:
    """Comment on every pull request of the workflow run that triggered this one; yield what was done."""
    event = json.loads(Path(environ["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))
    run = event.get("workflow_run")
    if run is None:
        raise ValueError("commenting needs a workflow that is triggered by workflow_run: see docs/ci.md of Lapmark")
    if run["event"] != "pull_request" or run["conclusion"] not in ("success", "failure"):
        yield f"Nothing to comment on: the run is a {run['event']}, {run['conclusion']}."
        return
    github = GitHub(environ["GITHUB_API_URL"], environ["GITHUB_REPOSITORY"], environ["GITHUB_TOKEN"])
    numbers = pull_requests(github, run)
    if not numbers:
        yield f"Nothing to comment on: no open pull request ends at {run['head_sha'][:10]} any more."
        return
    page = f"{environ['GITHUB_SERVER_URL']}/{github.repository}/actions/runs/{run['id']}"
    found = report(github, run)
    for number in numbers:
        yield post(github, number, body(run, found, page), create=found is not None or not _passed(run))


def _passed(run: Mapping[str, Any]) -> bool:
    return bool(run["conclusion"] == "success")


def main() -> int:
    """Comment, and return the exit status."""
    try:
        for line in comment(os.environ):
            print(line)
    except urllib.error.HTTPError as error:
        reason = f"{(error.url or '').partition('?')[0]}: {error.code} {error.reason}"
        if error.code in (401, 403):
            reason += "; the workflow needs the permissions actions: read and pull-requests: write"
        print(f"::error title=Lapmark gate::{reason}")
        return 1
    except (ValueError, OSError, zipfile.BadZipFile) as error:
        print(f"::error title=Lapmark gate::{' '.join(str(error).split())}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
