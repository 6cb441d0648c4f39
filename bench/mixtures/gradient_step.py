"""The pieces of a step of a flow that all dimensions share, as native code."""

from __future__ import annotations

import numpy as np

from lapmark.bench.util.jit import compiled

#: Adam's decay of the mean and of the square of gradients, and what keeps its quotient finite: D. P. Kingma, J. Ba,
#: Adam: a method for stochastic optimization, ICLR 2015.
DECAY, SQUARE_DECAY, SMALLEST = 0.9, 0.999, 1e-8

#: A derivative this small, relative to what it is a difference of, is rounding. It counts as 0: Adam divides a gradient
#: by its own size, and would move what rests.
ROUNDING = 1e-12


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
