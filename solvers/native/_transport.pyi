import numpy as np

Pairs = tuple[np.ndarray, np.ndarray, np.ndarray]
Answer = tuple[np.ndarray, np.ndarray, Pairs | None, dict[str, int]]

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
    avx2: bool,
) -> tuple[np.ndarray, np.ndarray, tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray] | None]: ...
def sparse(
    begin: np.ndarray,
    column: np.ndarray,
    cost: np.ndarray,
    supply: np.ndarray,
    demand: np.ndarray,
    negligible: int,
    avx2: bool,
    seconds: float,
) -> tuple[np.ndarray, np.ndarray, tuple[np.ndarray, np.ndarray, np.ndarray] | None, dict[str, int]]: ...

class Stuck(Exception): ...

def is_metric(cost: np.ndarray, avx2: bool) -> bool: ...
def whole_masses(a: np.ndarray, b: np.ndarray, partial: bool = False) -> tuple[np.ndarray, np.ndarray, float]: ...
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
