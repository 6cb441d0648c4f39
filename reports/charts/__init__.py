"""The charts of a report, one file each: pure functions from the table of cells to panels.

They draw certified cells only, except for the profiles, in which other cells count as failures, and the status matrix.
"""

from . import (
    accuracy,
    exponents,
    leaders,
    performance_profile,
    slowdown,
    status_matrix,
    thread_speedup,
    time_and_memory,
    time_to_gap,
    vector_speedup,
)
from .chart import Chart

__all__ = ["ALL", "Chart"]

#: In the order of the page: summaries of the run, then figures of each case, then the status of every cell.
ALL: tuple[Chart, ...] = (
    leaders.CHART,
    performance_profile.CHART,
    time_to_gap.CHART,
    time_and_memory.TIME,
    time_and_memory.TIME_OF_ONE_SIZE,
    exponents.CHART,
    thread_speedup.CHART,
    vector_speedup.CHART,
    slowdown.CHART,
    *accuracy.CHARTS,
    time_and_memory.MEMORY,
    time_and_memory.MEMORY_OF_ONE_SIZE,
    status_matrix.CHART,
)
