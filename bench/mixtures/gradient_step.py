"""Parts of a gradient step that do not depend on the dimension, compiled: softmax, its gradient, and Adam."""

import numpy as np

from lapmark.bench.util.jit import compiled

#: Adam's decay of the mean and the square of gradients, and its offset of the denominator: D. P. Kingma, J. Ba,
#: Adam: a method for stochastic optimization, ICLR 2015.
DECAY, SQUARE_DECAY, SMALLEST = 0.9, 0.999, 1e-8

#: A derivative this small, relative to the terms of its difference, is rounding and counts as 0: Adam divides a
#: gradient by its own size and would move a mixture at rest.
ROUNDING = 1e-12


@compiled
def softmax(logits: np.ndarray) -> np.ndarray:
    """Return weights proportional to exp(logits), of sum 1; (n,)."""
    weights = np.exp(logits - logits.max())
    return weights / weights.sum()


@compiled
def logit_gradient(weights: np.ndarray, u: np.ndarray, scale: float, out: np.ndarray) -> None:
    """Write to `out` the gradient in the logits, w_i (u_i − Σ w u), for duals u (n,) of costs of size `scale`."""
    mean = 0.0
    for i in range(len(weights)):
        mean += weights[i] * u[i]
    for i in range(len(weights)):
        out[i] = weights[i] * (u[i] - mean) if abs(u[i] - mean) > ROUNDING * scale else 0.0


@compiled
def adam(
    now: np.ndarray, gradient: np.ndarray, moments: np.ndarray, rate: np.ndarray, step: int, after: np.ndarray
) -> None:
    """Write one step of Adam on parameters (s,) to `after`, and update `moments` (2, s); the first step is 1."""
    bias = 1 - DECAY**step
    root = np.sqrt(1 - SQUARE_DECAY**step)
    for k in range(len(now)):
        moments[0, k] += (1 - DECAY) * (gradient[k] - moments[0, k])
        moments[1, k] = SQUARE_DECAY * moments[1, k] + (1 - SQUARE_DECAY) * gradient[k] * gradient[k]
        after[k] = now[k] - rate[k] / bias * (moments[0, k] / (np.sqrt(moments[1, k]) / root + SMALLEST))
