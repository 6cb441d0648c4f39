import numpy as np

LARGEST_SIDE: int

def assign(costs: object, maximize: bool) -> tuple[np.ndarray, np.ndarray] | None: ...
def assign_stack(
    costs: np.ndarray, maximize: bool, threads: int, row_to_col: np.ndarray, totals: np.ndarray
) -> list[int]: ...
def assign_list(
    costs: list[object], maximize: bool, threads: int, row_to_col: list[np.ndarray | None], totals: np.ndarray
) -> list[int]: ...
