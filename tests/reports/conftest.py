from __future__ import annotations

import pytest
import report_records

from bench.record import Record


@pytest.fixture(scope="session")
def records() -> list[Record]:
    """Certified cells, an approximate curve, and a cell of every failing status."""
    return report_records.every_kind()
