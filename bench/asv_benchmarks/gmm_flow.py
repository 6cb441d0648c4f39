"""Flow of a Gaussian mixture, compared with POT and torch: time, and the largest difference of the two loss curves.

POT differentiates its distance by torch's backward pass and uses torch's Adam; `pot_flow` is that flow in float64.
Both use one thread: on matrices this small, more threads slow each other down.

    python -m lapmark.bench.asv_benchmarks.gmm_flow     prints a table
"""

import functools
from collections.abc import Callable

import numpy as np
import threadpoolctl

from lapmark.bench.mixtures.flow import SMALLEST_VARIANCE
from lapmark.bench.problems.applied.gmm_flow import Mixtures, mixtures

from .side_by_side import Table, shortest_times

#: Components, dimensions and steps.
SIZES = ((3, 2, 100), (3, 3, 100), (20, 2, 100), (20, 5, 20), (50, 10, 20), (200, 2, 20))

#: Calls of each; the shortest counts.
ROUNDS = 7


def peer_missing() -> str | None:
    """Return why POT with torch cannot run here, or None."""
    try:
        import ot.gmm  # noqa: F401
        import torch  # noqa: F401
    except ImportError as error:
        return f"{error}; pip install pot torch"
    return None


def pot_flow(start: Mixtures, steps: int = 100, lr: float = 0.03) -> np.ndarray:
    """Return the losses (steps,) of the same flow by POT's `gmm_ot_loss`, torch's gradients and Adam, in float64."""
    import torch
    from ot.gmm import gmm_ot_loss
    from ot.utils import proj_SDP

    moving = [torch.tensor(each, requires_grad=True) for each in (start.means, start.covs, start.logits)]
    target_means, target_covs, target_weights = (
        torch.tensor(each) for each in (start.target_means, start.target_covs, start.target_weights)
    )
    means, covs, logits = moving
    rates = (2 * lr, lr, lr)
    adam = torch.optim.Adam([{"params": each, "lr": rate} for each, rate in zip(moving, rates, strict=True)])
    losses = np.empty(steps)
    for step in range(steps):
        adam.zero_grad()
        weights = torch.softmax(logits, dim=0)
        loss = gmm_ot_loss(means, target_means, covs, target_covs, weights, target_weights)
        loss.backward()
        adam.step()
        covs.data = proj_SDP(covs.data, vmin=SMALLEST_VARIANCE)
        losses[step] = loss.item()
    return losses


class GmmFlow:
    """The flow of n components in d dimensions: (n, d, steps)."""

    params = (list(SIZES),)
    param_names = ("size",)

    def setup(self, size: tuple[int, int, int]) -> None:
        n, d, self.steps = size
        self.start = mixtures(n, d=d)
        self.start.flow(1)  # compiles

    def time_flow(self, size: tuple[int, int, int]) -> None:
        self.start.flow(self.steps)


def main() -> None:
    """Print the table."""
    missing = peer_missing()
    if missing:
        print(f"POT with torch is left out: {missing}")
    else:
        import torch

        torch.set_num_threads(1)
    widths = {"components": ">12", "d": "4", "steps": "7"}
    table = Table(widths | {"ms, lapmark": "14.3g", "ms, POT": "10.3g", "lead": "8.3g", "curves apart": "15.1e"})
    table.print_heading()
    for n, d, steps in SIZES:
        start = mixtures(n, d=d)
        calls: dict[str, Callable[[], object]] = {"lapmark": functools.partial(start.flow, steps)}
        losses = start.flow(steps).losses  # also compiles
        apart = np.nan
        if not missing:
            calls["pot"] = functools.partial(pot_flow, start, steps)
            apart = np.abs(losses - pot_flow(start, steps)).max()
        with threadpoolctl.threadpool_limits(1):
            seconds = shortest_times(calls, ROUNDS)
        ours, theirs = seconds["lapmark"], seconds.get("pot", np.nan)
        sizes = f"{n} to {len(start.target_means)}", d, steps
        table.print_row(*sizes, ours * 1e3, theirs * 1e3, theirs / ours, apart)


if __name__ == "__main__":
    main()
