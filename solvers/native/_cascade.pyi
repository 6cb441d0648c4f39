import numpy as np

Answer = tuple[np.ndarray | None, np.ndarray, np.ndarray, dict[str, int]]

def points(x: np.ndarray, y: np.ndarray, scale: float, avx2: bool, seconds: float) -> Answer: ...
def sparse(
    begin: np.ndarray, column: np.ndarray, cost: np.ndarray, columns: int, avx2: bool, seconds: float
) -> Answer: ...
