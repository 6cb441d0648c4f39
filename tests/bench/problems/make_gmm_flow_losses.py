"""Write gmm_flow_losses.npz: loss curves of POT with torch in float64, for where these are not installed.

python tests/bench/make_gmm_flow_losses.py     takes some seconds
"""

from pathlib import Path

import numpy as np

from lapmark.bench.asv_benchmarks.gmm_flow import pot_flow
from lapmark.bench.problems.applied.gmm_flow import mixtures

FILE = Path(__file__).with_name("gmm_flow_losses.npz")

#: Components, seed, dimensions and steps of each curve.
CURVES = ((3, 0, 2, 100), (3, 1, 2, 100), (8, 0, 2, 100), (3, 0, 1, 100), (6, 0, 3, 100), (20, 0, 5, 20))


def name(n: int, seed: int, d: int, steps: int) -> str:
    return f"n{n}-seed{seed}-d{d}-steps{steps}"


if __name__ == "__main__":
    np.savez_compressed(FILE, **{name(*curve): pot_flow(mixtures(*curve[:3]), curve[3]) for curve in CURVES})
