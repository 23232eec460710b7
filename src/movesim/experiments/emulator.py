"""Fast stand-ins for the model in a calibration: each target as a smooth function of the unknown numbers, with its error.

Two kinds are tried for every target, and the one with the smaller error on runs it was not fitted to is kept: a ridge
regression on all numbers with squares and products of the most important ones, and small neural networks. The variance of
that held-out error belongs in the likelihood: without it a calibration trusts its stand-in more than it may.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FOLDS = 5
PENALTIES = np.geomspace(0.3, 3e4, 21)
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Quadratic:
    """A ridge regression: an intercept a replicate, all numbers, and squares and products of the `curved` ones."""

    curved: NDArray[np.int64]
    centre: Array
    coefficients: Array  # (features, targets)
    means: Array  # (targets,), of the replicates together

    def features(self, x: Array) -> Array:
        """Return the columns of points x (n, k)."""
        return _features(x, self.curved) - self.centre

    def predict(self, x: Array) -> Array:
        """Return the targets at points x (n, k), as (n, targets)."""
        return np.asarray(self.features(x) @ self.coefficients + self.means)

    def slope(self, x: Array, step: float = 1e-3) -> Array:
        """Return derivatives at one point x (k,), as (targets, k)."""
        moved = np.vstack([x + step * np.eye(x.size), x - step * np.eye(x.size)])
        both = self.predict(moved)
        return np.asarray((both[: x.size] - both[x.size :]) / (2 * step)).T


def _features(x: Array, curved: NDArray[np.int64]) -> Array:
    some = x[:, curved]
    first, second = np.triu_indices(curved.size)
    return np.concatenate([x, some[:, first] * some[:, second]], axis=1)


def important(x: Array, y: Array, weight: Array, most: int) -> NDArray[np.int64]:
    """Return the numbers that move the targets most, by a linear ridge fit, each target counting by its worth.

    Arguments: x (n, k); y (n, targets); weight (targets,), one over the spread of each; most, how many are returned.
    """
    flat = fit_quadratic(x, y, np.zeros(len(x), int), np.zeros(0, np.int64))
    pull = np.minimum(np.abs(flat.coefficients * x.std(axis=0)[:, None]) * weight, 30.0)
    return np.sort(np.argsort(-(pull**2).sum(axis=1))[:most])


def fit_quadratic(x: Array, y: Array, replicate: NDArray[np.int64], curved: NDArray[np.int64]) -> Quadratic:
    """Return the ridge regression of y (n, targets) on x (n, k), the penalty of each target by generalised cross-validation.

    The replicates' own means are taken out first: what chance does to a target is no effect of a number.
    """
    phi = _features(x, curved)
    means = np.array([y[replicate == r].mean(axis=0) for r in np.unique(replicate)])
    centre = phi.mean(axis=0)
    at = np.searchsorted(np.unique(replicate), replicate)
    # means differ by chance and by where the points of a replicate lie: the second is put back
    shift = np.array([phi[at == r].mean(axis=0) for r in range(len(means))])
    u, s, vt = np.linalg.svd(phi - shift[at], full_matrices=False)
    rotated = u.T @ (y - means[at])
    n = len(x)
    total = ((y - means[at]) ** 2).sum(axis=0)
    best = np.full(y.shape[1], np.inf)
    coefficients = np.zeros((phi.shape[1], y.shape[1]))
    for penalty in PENALTIES:
        keep = s**2 / (s**2 + penalty)
        left = total - ((2 * keep - keep**2)[:, None] * rotated**2).sum(axis=0)
        gcv = left / n / (1 - (keep.sum() + len(means)) / n) ** 2 if keep.sum() + len(means) < n else np.full(y.shape[1], np.inf)
        better = gcv < best
        best = np.where(better, gcv, best)
        coefficients[:, better] = (vt.T @ ((s / (s**2 + penalty))[:, None] * rotated))[:, better]
    level = means - (shift - centre) @ coefficients
    return Quadratic(curved, centre, coefficients, level.mean(axis=0))


@dataclass(frozen=True)
class Networks:
    """Small neural networks, averaged; all targets at once."""

    members: tuple[object, ...]
    centre: Array
    scale: Array

    def predict(self, x: Array) -> Array:
        """Return the targets at points x (n, k), as (n, targets)."""
        return np.asarray(np.mean([m.predict(x) for m in self.members], axis=0) * self.scale + self.centre)  # type: ignore[attr-defined]


def fit_networks(x: Array, y: Array, replicate: NDArray[np.int64], seeds: tuple[int, ...] = (0, 1, 2)) -> Networks:
    """Return networks of y (n, targets) on x (n, k), each with its own start."""
    import warnings

    from sklearn.neural_network import MLPRegressor

    own = y.copy()
    for r in np.unique(replicate):  # means of replicates differ by chance
        own[replicate == r] -= y[replicate == r].mean(axis=0) - y.mean(axis=0)
    centre, scale = own.mean(axis=0), own.std(axis=0) + 1e-12
    members = []
    for seed in seeds:
        network = MLPRegressor(hidden_layer_sizes=(64,), alpha=0.1, learning_rate_init=3e-3, max_iter=300, random_state=seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it could go on: held-out error decides, not convergence
            members.append(network.fit(x, (own - centre) / scale))
    return Networks(tuple(members), centre, scale)


@dataclass(frozen=True)
class Emulator:
    """The kept stand-in of every target with the standard deviation of its held-out error (targets,)."""

    quadratic: Quadratic
    networks: Networks | None
    by_network: NDArray[np.bool_]
    error: Array
    errors: dict[str, Array]

    def predict(self, x: Array) -> Array:
        """Return the targets at points x (n, k), as (n, targets)."""
        found = self.quadratic.predict(x)
        if self.networks is not None and self.by_network.any():
            found[:, self.by_network] = self.networks.predict(x)[:, self.by_network]
        return found


def fit_emulator(
    x: Array, y: Array, replicate: NDArray[np.int64], curved: NDArray[np.int64], networks: bool = True,
    close: NDArray[np.bool_] | None = None,
) -> Emulator:  # fmt: skip
    """Return the better stand-in of every target by cross-validation.

    Arguments: x (n, k) points; y (n, targets); replicate (n,), the chance of each run; curved, numbers with squares and
    products; networks, whether they are tried; close (n,), the runs whose held-out errors count (default: all).
    """
    fold = np.arange(len(x)) % FOLDS
    tried: dict[str, Callable[[Array, Array, NDArray[np.int64]], Quadratic | Networks]] = {
        "quadratic": lambda a, b, r: fit_quadratic(a, b, r, curved)
    }
    if networks:
        tried["networks"] = lambda a, b, r: fit_networks(a, b, r, (0,))
    errors = {}
    for name, make in tried.items():
        left = np.zeros_like(y)
        for k in range(FOLDS):
            held = fold == k
            left[held] = y[held] - make(x[~held], y[~held], replicate[~held]).predict(x[held])
        # the chance of a replicate is not an error of the stand-in
        for r in np.unique(replicate):
            left[replicate == r] -= left[replicate == r].mean(axis=0)
        used = left if close is None else left[close]
        errors[name] = np.sqrt((used**2).mean(axis=0))
    by_network = errors["networks"] < errors["quadratic"] if networks else np.zeros(y.shape[1], bool)
    kept = fit_networks(x, y, replicate) if by_network.any() else None
    error = np.where(by_network, errors.get("networks", errors["quadratic"]), errors["quadratic"])
    return Emulator(fit_quadratic(x, y, replicate, curved), kept, by_network, error, errors)
