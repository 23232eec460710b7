"""The numbers of the behaviour model that have a range, as one space with a standard normal prior in every direction.

A point z holds a standard normal coordinate a number: 0 is its median, and its distribution in the ledger is the prior. A
`uniform` number ends where it ends; the others reach as far as four standard deviations.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from movesim.evidence import Ledger, Parameter

_Z95 = 1.6448536269514722
FARTHEST = 4.0  # standard deviations: beyond it a coordinate is read as 4


@dataclass(frozen=True)
class Unknowns:
    """Numbers that are drawn, in the order of the ledger; k of them."""

    parameters: tuple[Parameter, ...]

    @classmethod
    def of(cls, ledger: Ledger) -> Unknowns:
        """Return every number of a ledger that has a range."""
        return cls(tuple(p for p in ledger.values() if p.distribution != "fixed" and p.low is not None and p.high is not None))

    @property
    def paths(self) -> tuple[str, ...]:
        """The numbers' dotted paths."""
        return tuple(p.path for p in self.parameters)

    def __len__(self) -> int:
        return len(self.parameters)

    def only(self, paths: Iterable[str]) -> Unknowns:
        """Return the space of some of the numbers, in the order given."""
        by_path = {p.path: p for p in self.parameters}
        return Unknowns(tuple(by_path[path] for path in paths))

    def values(self, z: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the numbers at points z (..., k), in their own units."""
        from scipy import special

        z = np.clip(z, -FARTHEST, FARTHEST)
        out = np.empty_like(z)
        for i, p in enumerate(self.parameters):
            assert p.low is not None and p.high is not None
            at, low, high = z[..., i], p.low, p.high
            if p.distribution == "uniform":
                out[..., i] = low + special.ndtr(at) * (high - low)
            elif p.distribution == "normal":
                out[..., i] = p.value + at * (high - low) / (2 * _Z95)
            elif p.distribution == "lognormal":
                out[..., i] = p.value * np.exp(at * np.log(high / low) / (2 * _Z95))
            else:
                flat = [p.quantile(float(u)) for u in special.ndtr(at).ravel()]
                out[..., i] = np.array(flat).reshape(at.shape)
        return out

    def coordinates(self, values: Mapping[str, float]) -> NDArray[np.float64]:
        """Return the point z (k,) at which the numbers have these values; what lies outside a range is read as its end."""
        from scipy import special

        out = np.empty(len(self))
        for i, p in enumerate(self.parameters):
            assert p.low is not None and p.high is not None
            x, low, high = values[p.path], p.low, p.high
            if p.distribution == "uniform":
                out[i] = special.ndtri(np.clip((x - low) / (high - low), 1e-4, 1 - 1e-4))
            elif p.distribution == "normal":
                out[i] = (x - p.value) * 2 * _Z95 / (high - low)
            elif p.distribution == "lognormal":
                out[i] = np.log(x / p.value) * 2 * _Z95 / np.log(high / low)
            else:
                grid = np.linspace(-FARTHEST, FARTHEST, 801)
                out[i] = np.interp(x, [p.quantile(float(u)) for u in special.ndtr(grid)], grid)
        return np.clip(out, -FARTHEST, FARTHEST)

    def scaled(self, z: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the numbers at points z as an emulator reads them: from their median, in units of their prior spread."""
        normal = np.array([p.distribution in ("normal", "lognormal") for p in self.parameters])
        from scipy import special

        z = np.clip(z, -FARTHEST, FARTHEST)
        # what is uniform acts in proportion to itself, and so to the probability below it
        return np.where(normal, z, (special.ndtr(z) - 0.5) * np.sqrt(12))
