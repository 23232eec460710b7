"""Can the calibration find what it is told? Synthetic truths put in place of the published targets, and found again.

Each truth is a draw of the prior near the posterior; its targets are what the stand-in says of it plus errors of the size that
the likelihood assumes. The same posterior is then asked, and it is counted how often its intervals hold the truth: 90% of the
time if the calibration is calibrated itself (Cook, Gelman and Rubin 2006; Talts and others 2018).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from movesim.experiments.likelihood import Posterior
from movesim.experiments.sampling import sample

Array = NDArray[np.float64]
Z90 = 1.6448536269514722


@dataclass(frozen=True)
class Recovery:
    """Pooled over truths and numbers: how often the 90% interval holds the truth, and the error of that share."""

    truths: int
    numbers: int
    covered: float
    error: float
    by_truth: Array

    def within(self) -> bool:
        """Whether the pooled coverage is 90% within twice its error."""
        return abs(self.covered - 0.9) <= 2 * self.error


def recover(posterior: Posterior, k: int, truths: int, steps: int, seed: int, which: NDArray[np.int64] | None = None) -> Recovery:
    """Return how often 90% intervals hold truths drawn from the prior.

    Arguments: posterior, whose goal is put aside; k numbers; truths; steps of the sampler for each; seed; which, the numbers
    that are looked at (default: all). The error is the binomial one of truths, not of truths times numbers, which are not
    independent: one over the square root of truths times the spread between them.
    """
    rng = np.random.default_rng(seed)
    held = np.zeros((truths, k), bool)
    for i in range(truths):
        truth = rng.standard_normal(k)
        told = posterior.predict(truth[None])[0] + posterior.error * rng.standard_normal(posterior.goal.size)
        found = sample(replace(posterior, goal=told), truth, steps, 2_000, seed + i)
        low, high = np.quantile(found.draws, (0.05, 0.95), axis=0)
        held[i] = (low <= truth) & (truth <= high)
    looked = held if which is None else held[:, which]
    by_truth = looked.mean(axis=1)
    return Recovery(truths, looked.shape[1], float(by_truth.mean()), float(by_truth.std(ddof=1) / np.sqrt(truths)), by_truth)
