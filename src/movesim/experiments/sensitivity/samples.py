"""Designs on the unit cube, through SALib's samplers, each in blocks that are designs of their own.

A block is a scramble of Sobol' points, a trajectory of Morris, a curve of FAST or a hypercube. A block has its own seed of
randomness, so more blocks extend a design and leave those that are there as they were. What differs between blocks tells the
error of an index; SALib's own intervals, which take rows for independent, are not used.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from movesim.errors import InputError
from movesim.experiments.sensitivity.factors import SEED, Factor

METHODS = ("morris", "sobol", "fast", "rbd_fast", "pawn", "dgsm", "rsa")
GIVEN_DATA = ("rbd_fast", "pawn", "rsa")  # these ask for no design of their own
GROUPED = ("morris", "sobol")  # the others give all members of a group one column, or fail
LEVELS, STEP = 8, 4  # Morris: with fewer levels a periodic effect is missed and the interval is 0
SHORTEST = 0.7  # a trajectory of Morris spans so much of the range at least
HARMONICS = 4  # FAST: interference factor M
FAST_LEAST = 4 * HARMONICS**2 + 1
DELTA = 0.1  # DGSM: the step of a derivative, wide because persons are whole


@dataclass(frozen=True)
class Sample:
    """A design: `unit` (rows, factors) in [0, 1], `block` (rows,) and what it was made for.

    `names` are the columns; `groups` the group of each column, or the column itself; `n` the base size of a block.
    """

    method: str
    names: tuple[str, ...]
    groups: tuple[str, ...]
    unit: NDArray[np.float64]
    block: NDArray[np.int64]
    n: int

    def __len__(self) -> int:
        return len(self.unit)

    @property
    def blocks(self) -> int:
        """How many blocks there are."""
        return int(self.block.max(initial=-1)) + 1

    @property
    def units(self) -> tuple[str, ...]:
        """What gets an index: groups in the order of their first column; the seed's extra row of Morris is not among them."""
        return tuple(dict.fromkeys(self.groups))

    def problem(self, columns: Sequence[int] | None = None) -> dict[str, Any]:
        """Return what SALib wants to know; a new one at each call, because some of its functions change it."""
        take = range(len(self.names)) if columns is None else columns
        names = [self.names[k] for k in take]
        found: dict[str, Any] = {"num_vars": len(names), "names": names, "bounds": [[0.0, 1.0] for _ in names]}
        if self.groups != self.names:
            found["groups"] = [self.groups[k] for k in take]
        return found


def rows_of(method: str, columns: int, n: int, blocks: int) -> int:
    """Return how many rows a design has, the seed's column among `columns` (with groups: the groups)."""
    each = {"morris": columns + 1, "sobol": n * (columns + 2), "fast": n * (columns - 1), "dgsm": n * columns}
    return blocks * each.get(method, n)


def make(method: str, factors: Sequence[Factor], n: int, blocks: int, seed: int, grouped: bool = False) -> Sample:
    """Return the design of a method; the last column is the seed of chance.

    Arguments: factors, without the seed; n, base size of a block (1 for Morris); blocks, how many; seed, which design.
    Raises InputError for sizes that a method cannot have.
    """
    check_sizes(method, n, blocks, grouped)
    names = (*(f.name for f in factors), SEED)
    groups = (*(f.group for f in factors), SEED) if grouped else names
    first = Sample(method, names, groups, np.empty((0, len(names))), np.empty(0, np.int64), n)
    parts = [_block(first, n, 1 + 100_003 * seed + k) for k in range(blocks)]  # never 0: SALib takes that for no seed
    return Sample(
        method, names, groups, np.concatenate(parts), np.repeat(np.arange(blocks), [len(p) for p in parts]).astype(np.int64), n
    )


def check_sizes(method: str, n: int, blocks: int, grouped: bool) -> None:
    """Raise InputError for sizes that a method cannot have."""
    if grouped and method not in GROUPED:
        raise InputError(
            f"groups=true works with {' and '.join(GROUPED)} alone; {method} would give a group one and the same value."
        )
    if method == "sobol" and (n < 2 or n & (n - 1)):
        raise InputError(f"n={n}: Sobol' points are even only in powers of two; take {2 ** max(1, round(math.log2(max(n, 2))))}.")
    if method == "fast" and n < FAST_LEAST:
        raise InputError(f"n={n}: method=fast needs at least {FAST_LEAST} rows a factor (4 M^2 + 1 with M = {HARMONICS}).")
    if method in ("rbd_fast", "pawn", "rsa") and n < 64:
        raise InputError(f"n={n}: method={method} needs at least 64 rows in each of its designs.")
    if blocks < 2:
        what = "trajectories" if method == "morris" else "scrambles"
        raise InputError(f"{what}={blocks}: an error is told from designs that differ; take at least 2.")


def _block(like: Sample, n: int, seed: int) -> NDArray[np.float64]:
    """Return one block of a design."""
    random = np.random.default_rng(seed)
    width = len(like.names)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning, module="SALib")
        if like.method == "sobol":
            from SALib.sample import sobol

            return np.asarray(sobol.sample(like.problem(), n, calc_second_order=False, scramble=True, seed=seed))
        if like.method == "morris":
            from SALib.sample import morris

            path = morris.sample(like.problem(range(width - 1)), 1, num_levels=LEVELS, seed=seed)
            # a length of step and an offset of the trajectory's own: ends of distributions are not all there is, and an effect
            # that repeats itself at one length does not at another
            length = random.uniform(SHORTEST, 1)
            unit = length * path + (1 - length) * random.random(width - 1)
            luck = random.random(2)
            rows = np.column_stack([unit, np.full(len(unit), luck[0])])
            return np.vstack([rows, [*unit[-1], luck[1]]])  # the last step again, with another seed
        if like.method == "fast":
            from SALib.sample import fast_sampler

            curve = fast_sampler.sample(like.problem(range(width - 1)), n, M=HARMONICS, seed=seed)
            return np.column_stack([curve, np.full(len(curve), random.random())])
        if like.method == "dgsm":
            # SALib's sampler passes over its seed, so that all blocks would be one, and its steps are nothing near 0
            base = random.random((n, width))
            rows = np.repeat(base, width, axis=0)
            for k in range(width - 1):
                at = np.arange(n) * width + 1 + k
                rows[at, k] += np.where(rows[at, k] + DELTA <= 1, DELTA, -DELTA)  # down where there is no room up
            return rows
        from SALib.sample import latin

        return np.asarray(latin.sample(like.problem(), n, seed=seed))
