"""Indices of each block of a design through SALib's analysers, and from the blocks a mean with an interval.

The interval is Student's over blocks, which are independent designs. SALib's bootstrap takes rows of Sobol' points for
independent and is several times too wide.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from movesim.experiments.sensitivity.factors import DUMMY, SEED
from movesim.experiments.sensitivity.guards import checked, is_still
from movesim.experiments.sensitivity.samples import HARMONICS, LEVELS, STEP, Sample

# The index that a method is read by, and what it is called.
MAIN = {
    "morris": "mu_star", "sobol": "ST", "fast": "ST", "rbd_fast": "S1", "pawn": "median", "dgsm": "bound", "rsa": "distance",
}  # fmt: skip
CONFIDENCE = 0.95
DELTA_MORRIS = STEP / (LEVELS - 1)  # of the unit cube, at full length
Estimates = dict[str, NDArray[np.float64]]  # index -> one number a unit


def by_block(sample: Sample, y: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Return each index by block and unit, shape (blocks, units); units without this index are nan."""
    analyse = _METHODS[sample.method]
    found: dict[str, list[NDArray[np.float64]]] = {}
    for block in range(sample.blocks):
        rows = sample.block == block
        part = Sample(sample.method, sample.names, sample.groups, sample.unit[rows], sample.block[rows], sample.n)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of bootstraps that are not used
            for name, values in analyse(part, y[rows]).items():
                found.setdefault(name, []).append(values)
    return {name: np.array(values) for name, values in found.items()}


def indices(sample: Sample, y: NDArray, runs: Any = ()) -> pd.DataFrame:
    """Return a row an index and unit: parameter, index, value, low, high, blocks, floor, and whether it can be told from zero.

    Arguments: sample; y (rows,) in the order of the design; runs, keys to name faulty rows by. Raises MovesimError for
    outcomes that cannot be analysed. An outcome that never moves has no indices: the table is empty.
    """
    y = checked(sample, y, runs)
    if is_still(y):
        return pd.DataFrame(columns=["parameter", "index", "value", "low", "high", "blocks", "floor", "told"])
    found = by_block(sample, y)
    if sample.method == "morris":  # over trajectories, not within one
        signed = found["mu"]
        found["sigma"] = np.abs(signed - signed.mean(axis=0))  # its mean below is replaced by the standard deviation
    rows = []
    for index, values in found.items():
        mean, half = interval(values)
        if index == "sigma":
            mean, half = found["mu"].std(axis=0, ddof=1), np.full(values.shape[1], np.nan)
        floor = _floor(sample, index, mean, half)
        for unit, name in enumerate(sample.units):
            if np.isnan(mean[unit]):
                continue
            low, high = mean[unit] - half[unit], mean[unit] + half[unit]
            told = bool(low > floor) if index not in ("mu", "sigma") else bool(low > 0 or high < 0)
            rows.append((name, index, mean[unit], low, high, sample.blocks, floor, told))
    return pd.DataFrame(rows, columns=["parameter", "index", "value", "low", "high", "blocks", "floor", "told"])


def interval(values: NDArray[np.float64], confidence: float = CONFIDENCE) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean over blocks (rows) and the half-width of Student's interval for it."""
    from scipy.special import stdtrit

    blocks = len(values)
    if blocks < 2:
        return values.mean(axis=0), np.full(values.shape[1], np.inf)
    t = float(stdtrit(blocks - 1, 0.5 + confidence / 2))
    return values.mean(axis=0), t * values.std(axis=0, ddof=1) / np.sqrt(blocks)


def _floor(sample: Sample, index: str, mean: NDArray[np.float64], half: NDArray[np.float64]) -> float:
    """Return what a factor that does nothing reaches: the dummy's upper end, never below 0."""
    if DUMMY not in sample.units or index in ("mu", "sigma"):
        return 0.0
    at = sample.units.index(DUMMY)
    upper = mean[at] + (half[at] if np.isfinite(half[at]) else 0.0)
    return float(max(0.0, upper)) if np.isfinite(upper) else 0.0


# --- one block through SALib ------------------------------------------------------------------------------------------
def _sobol(part: Sample, y: NDArray[np.float64]) -> Estimates:
    from SALib.analyze import sobol

    if is_still(y):
        return dict.fromkeys(("S1", "ST"), np.zeros(len(part.units)))
    found = sobol.analyze(part.problem(), y, calc_second_order=False, num_resamples=2, seed=1)
    return {"S1": np.asarray(found["S1"]), "ST": np.asarray(found["ST"])}


def _morris(part: Sample, y: NDArray[np.float64]) -> Estimates:
    """Elementary effects of one trajectory; the seed's is what another seed alone changes, per step of the same length."""
    from SALib.analyze import morris

    width = len(part.names) - 1
    # SALib knows steps of one length: the path as it would have been with that length, and effects per the true one
    steps = np.diff(part.unit[:-1, :width], axis=0)
    length = float(np.abs(steps).max()) / DELTA_MORRIS
    moved = np.sign(np.where(np.abs(steps) > 1e-9, steps, 0.0)) * DELTA_MORRIS
    start = np.where(moved.sum(axis=0) > 0, 0.0, DELTA_MORRIS)
    grid = np.vstack([start, start + np.cumsum(moved, axis=0)])
    found = morris.analyze(part.problem(range(width)), grid, y[:-1], num_levels=LEVELS, num_resamples=2, seed=1)
    luck = (y[-1] - y[-2]) / DELTA_MORRIS
    alone = {k: np.ma.filled(np.ma.asarray(found[k], float), np.nan) / length for k in ("mu", "mu_star")}
    if part.groups != part.names:
        order = list(found["names"])
        at = [order.index(name) for name in part.units[:-1]]
        alone = {"mu_star": alone["mu_star"][at], "mu": np.full(len(at), np.nan)}
    return {"mu_star": np.append(alone["mu_star"], abs(luck)), "mu": np.append(alone["mu"], luck)}


def _fast(part: Sample, y: NDArray[np.float64]) -> Estimates:
    from SALib.analyze import fast

    width = len(part.names) - 1
    if is_still(y):
        return dict.fromkeys(("S1", "ST"), np.append(np.zeros(width), np.nan))
    found = fast.analyze(part.problem(range(width)), y, M=HARMONICS, num_resamples=2, seed=1)
    # one seed a curve: what chance adds is what curves differ in, which FAST has no index for
    return {"S1": np.append(found["S1"], np.nan), "ST": np.append(found["ST"], np.nan)}


def _rbd_fast(part: Sample, y: NDArray[np.float64]) -> Estimates:
    from SALib.analyze import rbd_fast

    found = rbd_fast.analyze(part.problem(), part.unit, y, M=HARMONICS, num_resamples=2, seed=1)
    return {"S1": _without_seed(part, np.asarray(found["S1"]))}


def _pawn(part: Sample, y: NDArray[np.float64]) -> Estimates:
    from SALib.analyze import pawn

    found = pawn.analyze(part.problem(), part.unit, y, S=10, seed=1)
    return {"median": _without_seed(part, np.asarray(found["median"]))}


def _rsa(part: Sample, y: NDArray[np.float64]) -> Estimates:
    """Regional sensitivity: how the worst quarter of runs differs from the rest in a factor, the largest difference being 1."""
    from SALib.analyze import rsa

    found = rsa.analyze(part.problem(), part.unit, y, bins=4, target="Y")
    return {"distance": _without_seed(part, np.array([found[name][-1] for name in part.names]))}


def _dgsm(part: Sample, y: NDArray[np.float64]) -> Estimates:
    from SALib.analyze import dgsm

    width = len(part.names)
    if is_still(y[::width]):
        return {"bound": np.append(np.zeros(width - 1), np.nan)}
    keep = part.unit[:, : width - 1]
    found = dgsm.analyze(part.problem(range(width - 1)), keep, y, num_resamples=2, seed=1)
    return {"bound": np.append(found["dgsm"], np.nan)}


def _without_seed(part: Sample, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """A seed has no order, so what such an index says of it means nothing."""
    return np.where([name == SEED for name in part.units], np.nan, values)


_METHODS: dict[str, Callable[[Sample, NDArray[np.float64]], Estimates]] = {
    "morris": _morris, "sobol": _sobol, "fast": _fast, "rbd_fast": _rbd_fast, "pawn": _pawn, "dgsm": _dgsm, "rsa": _rsa,
}  # fmt: skip
