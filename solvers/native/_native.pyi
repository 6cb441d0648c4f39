import numpy as np

HAS_AVX2: bool

def as_cost(matrix: np.ndarray) -> np.ndarray: ...
def assign(
    method: str, matrix: np.ndarray, avx2: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray, dict[str, int]]: ...
def row_minima(matrix: np.ndarray, v: np.ndarray, avx2: bool | None = None) -> np.ndarray: ...
def two_minima(matrix: np.ndarray, v: np.ndarray, avx2: bool | None = None) -> tuple[np.ndarray, np.ndarray]: ...
def column_minima(matrix: np.ndarray, u: np.ndarray, avx2: bool | None = None) -> np.ndarray: ...
def marginals(
    matrix: np.ndarray,
    f: np.ndarray,
    g: np.ndarray,
    a: np.ndarray,
    b: np.ndarray,
    epsilon: float,
    avx2: bool | None = None,
) -> tuple[np.ndarray, np.ndarray, float]: ...
