"""Process in which `runner` runs the checks of one family of problems, whose code may crash it or fill the memory.

Run as `python -m lapmark.bench.contract.problem_process JOB`; the job is a JSON object with the plugins, and either the
cases whose digests to print, or the family, its variants, the checks, the memory in bytes, and the descriptor for
events.
"""

import json
import sys
from collections.abc import Sequence

from lapmark.bench import problems
from lapmark.bench.problems import Case
from lapmark.bench.system import process_resources
from lapmark.bench.worker.problem_digest import digest_problem
from lapmark.bench.worker.worker import Channel, prepare_process
from lapmark.solvers import plugins

from .checks import Broken
from .problem_checks import PROBLEM_CHECKS, BrokenBuild, Subject

#: Bytes of the libraries, on top of the memory for problems.
LIBRARIES = 2 << 30


def main() -> None:
    job = json.loads(sys.argv[1])
    prepare_process()
    if "digests" in job:
        for path in job["plugins"]:
            plugins.load(path)
        print(json.dumps([digest_problem(Case.read(text).build()) for text in job["digests"]]))
        return
    channel = Channel(job["events"])
    try:
        for path in job["plugins"]:
            plugins.load(path)
        subject = Subject(problems.get(job["family"]), tuple(job["variants"]))
    except ValueError as error:
        channel.send("unusable", message=str(error))
        return
    process_resources.limit_data(job["memory"] + LIBRARIES)
    run_checks(subject, job["checks"], channel)


def run_checks(subject: Subject, checks: Sequence[str], channel: Channel) -> None:
    """Run checks and report each verdict; of those that end for the same reason, only the first fails."""
    failed: dict[tuple[str, str], str] = {}
    for name in checks:
        channel.send("check", name=name)
        status, message = run_check(subject, name, failed)
        channel.send("verdict", name=name, status=status, message=message)


def run_check(subject: Subject, name: str, failed: dict[tuple[str, str], str]) -> tuple[str, str]:
    """Run a check and return its status and message; `failed` has earlier ones by their reasons, and gets this one."""
    try:
        verdict = PROBLEM_CHECKS[name](subject)
    except BrokenBuild as broken:
        if broken.reason in failed:
            return "skipped", f"fails as {failed[broken.reason]} does"
        failed[broken.reason] = name
        return "fail", str(broken)
    except Broken as broken:
        return "fail", str(broken)
    except BaseException as error:  # a family may raise anything, SystemExit included
        return "fail", f"raises {type(error).__name__}: {error}"
    return ("skipped", verdict.skipped) if verdict.skipped else ("pass", "")


if __name__ == "__main__":
    main()
