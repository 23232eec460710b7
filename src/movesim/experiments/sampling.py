"""Draws from a posterior density: an affine-invariant ensemble (emcee) that starts from the normal approximation at the mode.

Goodman and Weare 2010; differential-evolution moves by Nelson, Ford and Payne 2014, as in emcee (Foreman-Mackey 2013).
"""

from __future__ import annotations

import logging
import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from movesim.experiments.likelihood import Posterior

Array = NDArray[np.float64]
WALKERS_A_NUMBER = 3
FARTHEST_START = 3.5


@dataclass(frozen=True)
class Chains:
    """What was drawn: points (n, k), and how it went: acceptance, autocorrelation (steps), effective draws, largest R-hat."""

    draws: Array
    mode: Array
    acceptance: float
    autocorrelation: float
    effective: float
    rhat: float

    def diagnostics(self) -> dict[str, float]:
        """Return the figures in plain numbers."""
        return {
            "acceptance": round(self.acceptance, 3), "autocorrelation_steps": round(self.autocorrelation, 1),
            "effective_draws": round(self.effective), "largest_rhat": round(self.rhat, 3),
        }  # fmt: skip


def mode_of(posterior: Posterior, start: Array, steps: int = 40) -> tuple[Array, Array]:
    """Return the posterior's mode from a start (k,), by damped Gauss-Newton steps, and the covariance there."""
    z, damping = start.copy(), 1e-2
    best = float(posterior(z[None])[0])
    for _ in range(steps):
        A = posterior.slope(z) / posterior.error[:, None]
        miss = (posterior.goal - posterior.predict(z[None])[0]) / posterior.error
        H = A.T @ A + np.eye(z.size)
        step = np.linalg.solve(H + damping * np.diag(np.diag(H)), A.T @ miss - z)
        tried = z + np.clip(step, -1.0, 1.0)
        value = float(posterior(tried[None])[0])
        if value > best:
            z, best, damping = tried, value, damping / 3
        else:
            damping *= 5
        if damping > 1e6:
            break
    A = posterior.slope(z) / posterior.error[:, None]
    return z, np.asarray(np.linalg.inv(A.T @ A + np.eye(z.size)), np.float64)


def sample(posterior: Posterior, start: Array, steps: int, wanted: int, seed: int) -> Chains:
    """Return draws from a posterior.

    Arguments: start (k,), anywhere sensible; steps of each walker, of which the first third is left out; wanted, draws
    returned, spread over walkers and steps; seed of this sampler's own chance (never a number of the model).
    """
    import emcee

    k = start.size
    rng = np.random.default_rng(seed)
    mode, covariance = mode_of(posterior, start)
    walkers = 2 * ((WALKERS_A_NUMBER * k + 1) // 2)
    root = np.linalg.cholesky(covariance + 1e-9 * np.eye(k))
    first = np.clip(mode + rng.standard_normal((walkers, k)) @ root.T, -FARTHEST_START, FARTHEST_START)
    moves = [(emcee.moves.DEMove(), 0.7), (emcee.moves.DESnookerMove(), 0.1), (emcee.moves.StretchMove(), 0.2)]
    sampler = emcee.EnsembleSampler(walkers, k, posterior, moves=moves, vectorize=True)
    sampler.random_state = np.random.RandomState(seed).get_state()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        sampler.run_mcmc(first, steps, progress=False)
    chain = sampler.get_chain(discard=steps // 3)  # (steps, walkers, k)
    logging.getLogger("emcee").setLevel(logging.ERROR)  # what it says of short chains stands in the diagnostics
    tau = float(np.max(emcee.autocorr.integrated_time(chain, quiet=True))) if len(chain) > 50 else float(len(chain))
    flat = chain.reshape(-1, k)
    at = rng.permutation(len(flat))[:wanted]
    halves = np.array_split(chain, 2)
    between = np.var([h.mean(axis=(0, 1)) for h in halves], axis=0, ddof=1)
    within = np.mean([h.reshape(-1, k).var(axis=0) for h in halves], axis=0)
    rhat = float(np.sqrt(1 + between / np.maximum(within, 1e-12)).max())
    return Chains(flat[at], mode, float(sampler.acceptance_fraction.mean()), tau, len(flat) / max(tau, 1.0), rhat)
