"""Comment on a pull request, against a server that answers as GitHub does."""

from __future__ import annotations

import http.server
import io
import json
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

import pytest

from lapmark.bench.gate import pull_request_comment as comments

REPOSITORY = "owner/project"
SHA = "a" * 40
TOKEN = "the-token"


class Server:
    """GitHub with some pull requests, comments and the artifact of a run; `calls` are the requests it got."""

    def __init__(self) -> None:
        self.url = ""
        self.pulls = [self.pull(7, SHA)]
        self.comments: list[dict[str, Any]] = []
        self.artifact: bytes | None = None
        self.calls: list[tuple[str, str, str | None]] = []

    @staticmethod
    def pull(number: int, sha: str, base: str = REPOSITORY) -> dict[str, Any]:
        return {"number": number, "head": {"sha": sha}, "base": {"repo": {"full_name": base}}}

    def comment(self, body: str, login: str = comments.AUTHOR) -> None:
        self.comments.append({"id": len(self.comments) + 1, "user": {"login": login}, "body": body})

    def store(self, report: str, name: str = comments.REPORT) -> None:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name, report)
        self.artifact = file.getvalue()

    def answer(self, method: str, path: str, query: dict[str, list[str]], content: Any) -> Any:
        base = f"/repos/{REPOSITORY}"
        number, size = int(query.get("page", ["1"])[0]), int(query.get("per_page", ["30"])[0])
        page = slice((number - 1) * size, number * size)
        if path == f"{base}/pulls":
            assert query["head"] == ["stranger:topic"]
            return self.pulls[page]
        if path == f"{base}/actions/runs/5/artifacts":
            known = {"id": 3, "name": comments.ARTIFACT, "expired": False}
            return {"artifacts": [known] if self.artifact is not None else []}
        if method == "GET" and path.endswith("/comments"):
            return self.comments[page]
        if method == "POST":
            self.comment(content["body"])
            return {}
        if method == "PATCH":
            self.comments[int(path.rpartition("/")[2]) - 1]["body"] = content["body"]
            return {}
        raise AssertionError(path)


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlparse(self.path)
            state.calls.append((self.command, url.path, self.headers.get("Authorization")))
            if url.path == f"/repos/{REPOSITORY}/actions/artifacts/3/zip":
                self.send_response(302)  # to another host, as seen from a client
                self.send_header("Location", f"http://localhost:{self.server.server_address[1]}/blob?signature=secret")
                self.end_headers()
                return
            if url.path == "/blob":
                content = state.artifact or b""
            elif self.headers.get("Authorization") != f"Bearer {TOKEN}":
                self.send_error(403)
                return
            else:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                found = state.answer(self.command, url.path, parse_qs(url.query), json.loads(body or b"null"))
                content = json.dumps(found).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_PATCH = do_GET

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        state.url = f"http://127.0.0.1:{listening.server_address[1]}"
        threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True).start()
        yield state
        listening.shutdown()


def run(server: Server, folder: Path, token: str = TOKEN, **known: Any) -> tuple[int, str]:
    """Run the file as the workflow does, and return its exit status and output."""
    found = {"id": 5, "event": "pull_request", "conclusion": "failure", "head_sha": SHA, "head_branch": "topic"}
    found |= {"head_repository": {"owner": {"login": "stranger"}}, **known}
    event = folder / "event.json"
    event.write_text(json.dumps({"workflow_run": found} if known.get("id", 5) else {}))
    environ = {"GITHUB_EVENT_PATH": str(event), "GITHUB_API_URL": server.url, "GITHUB_REPOSITORY": REPOSITORY}
    environ |= {"GITHUB_TOKEN": token, "GITHUB_SERVER_URL": "https://github.example", "PATH": os.environ["PATH"]}
    line = [sys.executable, "-I", comments.__file__]
    done = subprocess.run(line, env=environ, cwd=folder, capture_output=True, text=True)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout


def test_comment_is_made_once_and_then_updated(server: Server, tmp_path: Path) -> None:
    server.store("**Worse in 1 of 2 cells: 1 slower.**")
    assert run(server, tmp_path) == (0, "Commented on #7.\n")
    server.store("**Nothing is certainly worse in 2 cells.**")
    assert run(server, tmp_path, conclusion="success") == (0, "Updated the comment on #7.\n")
    (comment,) = server.comments
    assert comment["body"].startswith(comments.MARKER)
    assert "**Nothing is certainly worse in 2 cells.**" in comment["body"]
    assert "[run of the workflow](https://github.example/owner/project/actions/runs/5)" in comment["body"]


def test_comment_on_page_two_is_found_and_that_of_a_stranger_left_alone(server: Server, tmp_path: Path) -> None:
    server.store("report")
    server.comment(f"{comments.MARKER} mine, says a stranger", login="stranger")
    for number in range(120):
        server.comment(f"talk {number}")
    server.comment(f"{comments.MARKER}\nof an earlier run")
    assert run(server, tmp_path)[1] == "Updated the comment on #7.\n"
    assert server.comments[0]["body"].endswith("says a stranger")
    assert "report" in server.comments[-1]["body"]
    assert len(server.comments) == 122


def test_token_is_sent_to_github_alone(server: Server, tmp_path: Path) -> None:
    server.store("report")
    assert run(server, tmp_path)[0] == 0
    assert [token for _, path, token in server.calls if path == "/blob"] == [None]
    assert {token for _, path, token in server.calls if path != "/blob"} == {f"Bearer {TOKEN}"}


@pytest.mark.parametrize(
    "pull",
    [Server.pull(8, "b" * 40), Server.pull(8, SHA, base="stranger/project")],
    ids=["another commit", "another repository"],
)
def test_pull_request_that_the_run_has_not_tested_gets_no_comment(
    server: Server, tmp_path: Path, pull: dict[str, Any]
) -> None:
    server.store("report")
    server.pulls = [pull]
    code, output = run(server, tmp_path)
    assert (code, server.comments) == (0, [])
    assert "no open pull request ends at aaaaaaaaaa any more" in output


@pytest.mark.parametrize(
    "known",
    [{"event": "push"}, {"conclusion": "cancelled"}, {"head_repository": None}],
    ids=lambda known: next(iter(known)),
)
def test_runs_without_a_pull_request_or_an_outcome_are_ignored(
    server: Server, tmp_path: Path, known: dict[str, Any]
) -> None:
    code, output = run(server, tmp_path, **known)
    assert (code, server.comments) == (0, [])
    assert output.startswith("Nothing to comment on")


def test_run_without_a_report_is_mentioned_only_if_it_failed(server: Server, tmp_path: Path) -> None:
    assert run(server, tmp_path, conclusion="success")[1] == "Nothing to say on #7.\n"
    assert server.comments == []
    assert run(server, tmp_path)[0] == 0
    assert "The gate has not finished." in server.comments[0]["body"]
    assert run(server, tmp_path, conclusion="success")[0] == 0
    assert "Nothing that affects measurements has changed." in server.comments[0]["body"]


def test_report_of_a_stranger_has_no_links_mentions_or_html(server: Server, tmp_path: Path) -> None:
    unsafe = [
        "@team",
        "#12",
        "GH-12",
        "<img src=x>",
        "<!-- lapmark",
        "[a](b)",
        "![a]",
        "https://a.b",
        "www.a.b",
        "[a]: b",
    ]
    server.store(
        "<details><summary>fold</summary>\n\n**bold** `code` | cell\n" + "\n".join(unsafe) + "\x1b[31m\u202e</details>"
    )
    assert run(server, tmp_path)[0] == 0
    report = server.comments[0]["body"].split("\n", 4)[4]
    assert [text for text in (*unsafe, "\x1b", "\u202e") if text in report] == []
    assert report.startswith("<details><summary>fold</summary>\n\n**bold** `code` | cell\n")
    assert report.endswith("</details>")


def test_large_report_is_cut_below_the_limit_of_a_comment(server: Server, tmp_path: Path) -> None:
    server.store("a line of the report\n" * 10**6)  # a few kB in the archive
    assert run(server, tmp_path)[0] == 0
    assert len(server.comments[0]["body"]) < 65_536
    assert server.comments[0]["body"].endswith("a line of the report\n\nThe rest is left out.")


def test_large_artifact_is_not_read(server: Server, tmp_path: Path) -> None:
    server.artifact = bytes(comments.MOST_BYTES + 1)
    code, output = run(server, tmp_path)
    assert (code, server.comments) == (1, [])
    assert f"has more than {comments.MOST_BYTES} bytes" in output


@pytest.mark.parametrize("name", ["../gate.md", "other.md"])
def test_artifact_with_other_files_has_no_report(server: Server, tmp_path: Path, name: str) -> None:
    server.store("report", name)
    assert run(server, tmp_path)[0] == 0
    assert "The gate has not finished." in server.comments[0]["body"]


def test_artifact_that_is_no_archive_is_an_error(server: Server, tmp_path: Path) -> None:
    server.artifact = b"no archive"
    code, output = run(server, tmp_path)
    assert code == 1
    assert output.startswith("::error title=Lapmark gate::")


def test_token_without_the_right_names_the_permissions(server: Server, tmp_path: Path) -> None:
    code, output = run(server, tmp_path, token="another")
    assert code == 1
    assert "403" in output
    assert "pull-requests: write" in output


def test_event_other_than_workflow_run_names_what_is_needed(server: Server, tmp_path: Path) -> None:
    code, output = run(server, tmp_path, id=0)
    assert code == 1
    assert "workflow_run" in output
