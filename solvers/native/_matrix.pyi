import numpy as np

from . import InstructionSet

def as_cost(matrix: np.ndarray) -> np.ndarray: ...
def assign(
    method: str,
    matrix: np.ndarray,
    seconds: float = ...,
    limit: float = ...,
    most_scans: int = 0,
    isa: InstructionSet | None = None,
) -> tuple[np.ndarray | None, np.ndarray, np.ndarray, dict[str, int]]: ...
def listed(begin: np.ndarray, columns: np.ndarray, rows: np.ndarray, cols: np.ndarray) -> np.ndarray: ...
def are_pairs(begin: np.ndarray, columns: np.ndarray, weights: np.ndarray, m: int) -> bool: ...
def sizes(paid: np.ndarray, u: np.ndarray, v: np.ndarray) -> tuple[float, float]: ...
def row_minima(
    matrix: np.ndarray,
    v: np.ndarray,
    rest: np.ndarray | None = None,
    tail: np.ndarray | None = None,
    isa: InstructionSet | None = None,
) -> np.ndarray: ...
def two_minima(
    matrix: np.ndarray, v: np.ndarray, isa: InstructionSet | None = None
) -> tuple[np.ndarray, np.ndarray]: ...
def cost_range(matrix: np.ndarray, isa: InstructionSet | None = None) -> tuple[float, float, bool, np.ndarray]: ...
def column_minima(
    matrix: np.ndarray,
    u: np.ndarray,
    rest: np.ndarray | None = None,
    tail: np.ndarray | None = None,
    isa: InstructionSet | None = None,
) -> np.ndarray: ...
def point_minima(
    x: np.ndarray, y: np.ndarray, scale: float, weight: np.ndarray, power: int = 2, isa: InstructionSet | None = None
) -> np.ndarray: ...
def near_points(
    x: np.ndarray,
    y: np.ndarray,
    scale: float,
    weight: np.ndarray,
    bound: np.ndarray,
    most: int,
    power: int = 2,
) -> tuple[np.ndarray, np.ndarray] | None: ...
def marginals(
    matrix: np.ndarray,
    f: np.ndarray,
    g: np.ndarray,
    a: np.ndarray,
    b: np.ndarray,
    epsilon: float,
    kept: np.ndarray | None = None,
    isa: InstructionSet | None = None,
) -> tuple[np.ndarray, np.ndarray, float]: ...
def scaled(
    kept: np.ndarray, a: np.ndarray, b: np.ndarray, isa: InstructionSet | None = None
) -> tuple[np.ndarray, np.ndarray]: ...
