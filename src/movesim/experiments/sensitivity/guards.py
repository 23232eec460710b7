"""What would silently give wrong indices, refused with a sentence before any index is worked out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from movesim.errors import MovesimError
from movesim.experiments.sensitivity.samples import Sample, rows_of


def checked(sample: Sample, y: NDArray, runs: Sequence[str] = ()) -> NDArray[np.float64]:
    """Return the outcomes of a design, one a row, once they have been found fit to be analysed.

    Arguments: y (rows,); runs, the key of each row, to name those without a number. Raises MovesimError.
    """
    y = np.asarray(y, np.float64)
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim != 1:
        raise MovesimError(f"Indices are worked out for one outcome at a time, got a table of shape {y.shape}.")
    wanted = rows_of(sample.method, len(sample.units), sample.n, sample.blocks)
    if len(sample) != wanted:
        raise MovesimError(f"A {sample.method} design of these sizes has {wanted:,} rows, this one has {len(sample):,}.")
    if y.size != len(sample):
        raise MovesimError(f"The design has {len(sample):,} rows and there are {y.size:,} outcomes; every row needs its own.")
    wrong = np.flatnonzero(~np.isfinite(y))
    if wrong.size:
        named = ", ".join(runs[k] for k in wrong[:3]) if len(runs) == y.size else ", ".join(f"row {k}" for k in wrong[:3])
        more = f" and {wrong.size - 3:,} more" if wrong.size > 3 else ""
        raise MovesimError(
            f"{wrong.size:,} of {y.size:,} runs have no number for this outcome ({named}{more}), and one is enough to make every "
            "index wrong; no index was worked out."
        )
    return y


def is_still(y: NDArray[np.float64]) -> bool:
    """Tell whether an outcome is the same in every run (but for rounding), so that nothing can be said to move it."""
    return float(np.ptp(y)) <= 1e-12 * max(1.0, float(np.abs(y).max()))
