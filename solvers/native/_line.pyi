import numpy as np

def match(
    x: np.ndarray, y: np.ndarray, power: float, scale: float, seconds: float
) -> tuple[np.ndarray, np.ndarray] | None: ...
def ship(
    x: np.ndarray, y: np.ndarray, a: np.ndarray, b: np.ndarray, power: float, scale: float, seconds: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray] | None: ...
def least(
    x: np.ndarray, y: np.ndarray, power: float, scale: float, g: np.ndarray, tail: np.ndarray
) -> tuple[np.ndarray, float]: ...
