import numpy as np

from . import InstructionSet

def neighbours(points: np.ndarray, smallest: int = 64) -> np.ndarray: ...
def sweep(
    x: np.ndarray,
    y: np.ndarray,
    f: np.ndarray,
    g: np.ndarray,
    a: np.ndarray,
    b: np.ndarray,
    scale: float,
    power: int,
    epsilon: float,
    rho: float,
    precision: float,
    threads: int,
    seconds: float,
    values: np.ndarray | None = None,
    spent: bool = False,
    isa: InstructionSet | None = None,
) -> tuple[np.ndarray, np.ndarray, float, int] | None: ...
