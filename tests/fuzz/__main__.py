"""Check problem after problem until the time is over: `python -m tests.fuzz --seconds 3600`."""

from __future__ import annotations

import argparse
import sys
import time

from .checks import Finding, check_seed


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="how long to go on (default: 60)")
    parser.add_argument("--seed", type=int, default=0, help="the first problem; the others count on (default: 0)")
    parser.add_argument("--largest", type=int, default=6, help="rows and columns at most (default: 6)")
    parser.add_argument("--findings", type=int, default=10, help="stop after so many (default: 10)")
    given = parser.parse_args()
    end, seed, certificates, findings, told = time.monotonic() + given.seconds, given.seed, 0, 0, 0.0
    while time.monotonic() < end and findings < given.findings:
        try:
            certificates += check_seed(seed, given.largest)
        except Finding as finding:
            findings += 1
            print(f"{finding}\n", flush=True)
        seed += 1
        if sys.stderr.isatty() and time.monotonic() > told + 1:
            told = time.monotonic()
            print(
                f"\r{seed - given.seed} problems, {certificates} certificates, {findings} findings",
                end="",
                file=sys.stderr,
            )
    print(f"{seed - given.seed} problems from seed {given.seed} on, {certificates} certificates, {findings} findings")
    return findings > 0


if __name__ == "__main__":
    sys.exit(main())
