import numpy as np

Pairs = tuple[np.ndarray, np.ndarray, np.ndarray]
Answer = tuple[np.ndarray, np.ndarray, Pairs | None, dict[str, int]]

def dense(cost: np.ndarray, supply: np.ndarray, demand: np.ndarray, avx2: bool, seconds: float) -> Answer: ...
def points(
    x: np.ndarray,
    y: np.ndarray,
    power: int,
    scale: float,
    supply: np.ndarray,
    demand: np.ndarray,
    avx2: bool,
    seconds: float,
) -> Answer: ...
