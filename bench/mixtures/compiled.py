"""How the loops of a flow are compiled, and the pieces of a step that all dimensions share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np

#: Adam's decay of the mean and of the square of gradients, and what keeps its quotient finite: D. P. Kingma, J. Ba,
#: Adam: a method for stochastic optimization, ICLR 2015.
DECAY, SQUARE_DECAY, SMALLEST = 0.9, 0.999, 1e-8

#: A derivative this small, relative to what it is a difference of, is rounding. It counts as 0: Adam divides a gradient
#: by its own size, and would move what rests.
ROUNDING = 1e-12


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function as native code, which is kept for the next process where there is a place to keep it.

    Numba notices when the file of a function changes, but not those of others that it calls: who edits one of these
    files removes `bench/mixtures/__pycache__`.
    """
    try:
        return numba.njit(cache=True)(function)
    except RuntimeError:  # neither beside the file nor in the user's cache
        return numba.njit(function)


@compiled
def softmax(logits: np.ndarray) -> np.ndarray:
    """Weights in proportion to exp(logits), of sum 1; (n,)."""
    weights = np.exp(logits - logits.max())
    return weights / weights.sum()


@compiled
def logit_gradient(weights: np.ndarray, u: np.ndarray, scale: float, out: np.ndarray) -> None:
    """The gradient in the weights, (n,) duals of costs of size `scale`, as one in the logits: w_i (u_i − Σ w u)."""
    mean = 0.0
    for i in range(len(weights)):
        mean += weights[i] * u[i]
    for i in range(len(weights)):
        out[i] = weights[i] * (u[i] - mean) if abs(u[i] - mean) > ROUNDING * scale else 0.0


@compiled
def adam(
    now: np.ndarray, gradient: np.ndarray, moments: np.ndarray, rate: np.ndarray, step: int, after: np.ndarray
) -> None:
    """One step of Adam on parameters (s,), the first is step 1, written to `after`; `moments` (2, s) are updated."""
    bias = 1 - DECAY**step
    root = np.sqrt(1 - SQUARE_DECAY**step)
    for k in range(len(now)):
        moments[0, k] += (1 - DECAY) * (gradient[k] - moments[0, k])
        moments[1, k] = SQUARE_DECAY * moments[1, k] + (1 - SQUARE_DECAY) * gradient[k] * gradient[k]
        after[k] = now[k] - rate[k] / bias * (moments[0, k] / (np.sqrt(moments[1, k]) / root + SMALLEST))
