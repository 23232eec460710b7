"""How well a point of the unknown numbers agrees with the published targets: on what scale, with which error."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from movesim.experiments.targets import Target

Array = NDArray[np.float64]
SHARES = ("share", "no_minutes", "twice_in_four_weeks", "travel_share")
LEAST = 1e-3


@dataclass(frozen=True)
class Scale:
    """Targets on the scale they are compared on: shares as logits, ratios and minutes as logarithms; m fitted targets."""

    names: tuple[str, ...]
    share: NDArray[np.bool_]
    goal: Array
    spread: Array

    @classmethod
    def of(cls, targets: tuple[Target, ...]) -> Scale:
        """Return the scale of some targets, each spread carried over by the slope at the published value."""
        share = np.array([t.estimator in SHARES for t in targets])
        value, spread = (np.array([getattr(t, name) for t in targets], float) for name in ("value", "spread"))
        slope = np.where(share, 1 / (value * np.where(share, 1 - value, 1.0)), 1 / value)
        scale = cls(tuple(t.name for t in targets), share, value, spread * slope)
        return cls(scale.names, share, scale.there(value[None])[0], scale.spread)

    def there(self, measured: Array) -> Array:
        """Return measured targets (n, m) on this scale."""
        kept = np.clip(measured, LEAST, np.where(self.share, 1 - LEAST, np.inf))
        return np.where(self.share, np.log(kept / np.where(self.share, 1 - kept, 1.0)), np.log(kept))

    def back(self, y: Array) -> Array:
        """Return targets (n, m) in their own units."""
        return np.where(self.share, 1 / (1 + np.exp(-np.where(self.share, y, 0.0))), np.exp(np.where(self.share, 0.0, y)))

    def only(self, wanted: NDArray[np.bool_]) -> Scale:
        """Return the scale of some of the targets."""
        names = tuple(n for n, w in zip(self.names, wanted, strict=True) if w)
        return Scale(names, self.share[wanted], self.goal[wanted], self.spread[wanted])


@dataclass(frozen=True)
class Posterior:
    """The logarithm of a posterior density over points z (n, k): a standard normal prior and independent normal errors.

    `predict` gives the targets (n, m) at points; `goal` and `error` (m,) what is to be met and its standard deviation: the
    target's own spread and the stand-in's held-out error together.
    """

    predict: Callable[[Array], Array]
    goal: Array
    error: Array

    def __call__(self, z: Array) -> Array:
        miss = (self.predict(z) - self.goal) / self.error
        return np.asarray(-0.5 * ((miss**2).sum(axis=1) + (z**2).sum(axis=1)))

    def slope(self, z: Array, step: float = 1e-3) -> Array:
        """Return derivatives of the targets at one point z (k,), as (m, k)."""
        moved = np.vstack([z + step * np.eye(z.size), z - step * np.eye(z.size)])
        both = self.predict(moved)
        return np.asarray((both[: z.size] - both[z.size :]) / (2 * step)).T


def worst_but_one(predicted: Array, goal: Array, error: Array) -> Array:
    """Return the implausibility of points: the second-largest miss over targets in units of its error; (n,)."""
    miss = np.abs(predicted - goal) / error
    return np.asarray(np.sort(miss, axis=1)[:, -2] if miss.shape[1] > 1 else miss[:, 0])
