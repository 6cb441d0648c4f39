import numpy as np

from . import InstructionSet

Answer = tuple[np.ndarray | None, np.ndarray, np.ndarray, dict[str, int], float]

def dense(
    cost: np.ndarray,
    seconds: float,
    limit: float = ...,
    threads: int = 1,
    levels: bool = True,
    lists: bool = True,
    known: tuple[float, float, bool, np.ndarray] | None = None,
    isa: InstructionSet | None = None,
) -> Answer: ...
def points(
    x: np.ndarray,
    y: np.ndarray,
    scale: float,
    seconds: float,
    threads: int = 1,
    levels: bool = True,
    lists: bool = True,
    most_work: int = 0,
    isa: InstructionSet | None = None,
) -> Answer | None: ...
def sparse(
    begin: np.ndarray,
    column: np.ndarray,
    cost: np.ndarray,
    columns: int,
    seconds: float,
    limit: float = ...,
    bids: bool = True,
    isa: InstructionSet | None = None,
) -> Answer: ...
