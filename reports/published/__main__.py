"""Measure what README and documents publish, and write their tables and chart.

python -m lapmark.reports.published                      measures everything (`make paper`), continuing where it was
python -m lapmark.reports.published --only drop-in       one measurement
python -m lapmark.reports.published --write              writes the pages from the kept results
python -m lapmark.reports.published --check              fails if a page differs from them
"""

import argparse
import subprocess
import sys
from pathlib import Path

from .chart import write_chart
from .measurements import MEASUREMENTS, measure
from .pages import stale_pages, write_pages

#: The checkout, and the folder of its kept results.
ROOT = Path.cwd()
KEPT = ROOT / "docs" / "measured"


def main() -> int:
    """Follow the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=MEASUREMENTS, action="append", help="measure this; may be repeated")
    parser.add_argument("--to", type=Path, default=Path("results/paper"), help="folder of the store")
    parser.add_argument("--write", action="store_true", help="measure nothing")
    parser.add_argument("--check", action="store_true", help="measure and write nothing")
    options = parser.parse_args()
    if options.check:
        stale = stale_pages(ROOT, KEPT)
        for path in stale:
            print(f"{path}: a table differs from docs/measured; run: python -m lapmark.reports.published --write")
        return 1 if stale else 0
    if not options.write:
        for number, name in enumerate(options.only or MEASUREMENTS, 1):
            print(f"{number} of {len(options.only or MEASUREMENTS)}: {name}", flush=True)
            try:
                measure(name, options.to, KEPT)
            except subprocess.CalledProcessError as error:
                return error.returncode
            except KeyboardInterrupt:
                print("Stopped. The same command continues.")
                return 130
            if name == "grid":
                write_chart(options.to, ROOT / "docs" / "figures" / "time.png")
    for path in write_pages(ROOT, KEPT):
        print(f"written: {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
