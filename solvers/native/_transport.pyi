import numpy as np

from . import InstructionSet

Pairs = tuple[np.ndarray, np.ndarray, np.ndarray]
Answer = tuple[np.ndarray, np.ndarray, Pairs | None, dict[str, int]]

LARGEST_GRID_COST: int

def grid(
    bins: np.ndarray, step: np.ndarray, a: np.ndarray, b: np.ndarray, seconds: float, isa: InstructionSet | None = None
) -> tuple[np.ndarray, Pairs | None, dict[str, int]]: ...
def histograms(
    cost: np.ndarray,
    a: np.ndarray,
    b: np.ndarray,
    of_a: np.ndarray,
    of_b: np.ndarray,
    metric: bool,
    partial: bool,
    rounding: float,
    whole: bool,
    threads: int,
    exact: bool = False,
    points: tuple[np.ndarray, np.ndarray, int, float] | None = None,
    isa: InstructionSet | None = None,
) -> tuple[np.ndarray, np.ndarray, tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray] | None]: ...
def sparse(
    begin: np.ndarray,
    column: np.ndarray,
    cost: np.ndarray,
    a: np.ndarray,
    b: np.ndarray,
    negligible: float,
    seconds: float,
    isa: InstructionSet | None = None,
) -> Answer: ...

class Stuck(Exception): ...

def is_metric(cost: np.ndarray, isa: InstructionSet | None = None) -> bool: ...
def dense(
    cost: np.ndarray, a: np.ndarray, b: np.ndarray, seconds: float, isa: InstructionSet | None = None
) -> Answer: ...
def points(
    x: np.ndarray,
    y: np.ndarray,
    power: int,
    scale: float,
    a: np.ndarray,
    b: np.ndarray,
    seconds: float,
    isa: InstructionSet | None = None,
) -> Answer: ...
