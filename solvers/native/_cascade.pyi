import numpy as np

Answer = tuple[np.ndarray | None, np.ndarray, np.ndarray, dict[str, int], float]

def dense(
    cost: np.ndarray,
    avx2: bool,
    seconds: float,
    limit: float = ...,
    threads: int = 1,
    levels: bool = True,
    lists: bool = True,
    known: tuple[float, float, bool, np.ndarray] | None = None,
) -> Answer: ...
def points(
    x: np.ndarray,
    y: np.ndarray,
    scale: float,
    avx2: bool,
    seconds: float,
    threads: int = 1,
    levels: bool = True,
    lists: bool = True,
    most_work: int = 0,
) -> Answer | None: ...
def sparse(
    begin: np.ndarray,
    column: np.ndarray,
    cost: np.ndarray,
    columns: int,
    avx2: bool,
    seconds: float,
    limit: float = ...,
    bids: bool = True,
) -> Answer: ...
