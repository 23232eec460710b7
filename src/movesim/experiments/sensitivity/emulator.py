"""A surrogate of an outcome, fitted to runs that are there: which pairs of factors act together, for free.

A quadratic ridge and a small neural network are tried; the one that predicts held-out rows better is kept, and refused when it
does not predict well. Rows that share all but one factor are held out together, or the test would be of memory.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from movesim.errors import InputError
from movesim.experiments.sensitivity.factors import DUMMY, SEED
from movesim.experiments.sensitivity.samples import Sample

FOLDS = 5
LEAST = 0.7  # of the variance that is not chance
LOWEST = 0.1  # of all variance: less is nothing, however much is chance
LEAST_ROWS = 60
POINTS = 1024
MOST_ROWS = 1_500  # that a surrogate learns from: more take minutes and tell little


@dataclass(frozen=True)
class Emulator:
    """A fitted surrogate: its kind, its factors, what it explains of held-out variance, and the most it could (1 less chance)."""

    kind: str
    names: tuple[str, ...]
    held_out: float
    ceiling: float
    rows: int
    model: Any

    @property
    def good(self) -> bool:
        """Whether it predicts well enough to be used."""
        return self.held_out >= max(LEAST * self.ceiling, LOWEST)

    @property
    def sentence(self) -> str:
        """What it is worth, in words."""
        told = f"A {self.kind} surrogate explains {100 * max(self.held_out, 0):.0f}% of the variance of held-out runs"
        most = f" (at most {100 * self.ceiling:.0f}% can be explained, the rest is chance)" if self.ceiling < 1 else ""
        if self.good:
            return f"{told}{most}."
        return f"{told}{most}, under {100 * LEAST:.0f}% of what can be: it is refused, and interactions are not worked out."


def columns_of(sample: Sample) -> list[int]:
    """Return the columns that a surrogate reads: not the seed and not the dummy."""
    return [k for k, name in enumerate(sample.names) if name not in (SEED, DUMMY)]


def together(sample: Sample) -> NDArray[np.int64]:
    """Return which rows belong together, because they share all but one factor."""
    rows = np.arange(len(sample))
    each = {"sobol": len(sample.units) + 2, "dgsm": len(sample.names)}.get(sample.method, 1)
    return sample.block if sample.method in ("morris", "fast") else rows // each


def fit(sample: Sample, y: NDArray[np.float64], chance: float = 0.0, seed: int = 1) -> Emulator:
    """Return the better surrogate of an outcome by cross-validation.

    Arguments: sample; y in its order; chance, share of variance that is chance; seed, of the folds and the network.
    Raises InputError for too few rows, or without scikit-learn.
    """
    try:
        from sklearn.model_selection import GroupKFold, cross_val_predict
    except ImportError:
        raise InputError("An emulator needs scikit-learn; install it with: pip install 'movesim[sensitivity]'") from None
    keep, held = columns_of(sample), together(sample)
    if len(y) < LEAST_ROWS or len(np.unique(held)) < FOLDS:
        raise InputError(f"{len(y):,} runs are too few for a surrogate; it takes {LEAST_ROWS} at least, in {FOLDS} designs.")
    wholes = np.unique(held)
    some = held <= wholes[min(max(FOLDS, MOST_ROWS * len(wholes) // len(y)), len(wholes)) - 1]
    x, y, held = sample.unit[some][:, keep], y[some], held[some]
    spread = float(np.var(y))
    if spread == 0:
        raise InputError("The outcome is the same in every run, so there is nothing for a surrogate to learn.")
    best: Emulator | None = None
    for kind, model in _models(seed).items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a network that has not converged is judged by what it predicts
            predicted = cross_val_predict(model, x, y, groups=held, cv=GroupKFold(FOLDS))
        explained = 1 - float(np.mean((y - predicted) ** 2)) / spread
        if best is None or explained > best.held_out:
            names = tuple(sample.names[k] for k in keep)
            best = Emulator(kind, names, explained, min(1.0, max(1 - chance, 1e-6)), len(y), model)
    assert best is not None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        best.model.fit(x, y)
    return best


def _models(seed: int) -> dict[str, Any]:
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.linear_model import RidgeCV
    from sklearn.neural_network import MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler

    ridge = make_pipeline(
        StandardScaler(), PolynomialFeatures(2, include_bias=False), StandardScaler(), RidgeCV(np.logspace(-3, 4, 15))
    )
    network = MLPRegressor(hidden_layer_sizes=(32, 32), alpha=1e-3, solver="lbfgs", max_iter=150, random_state=seed)
    return {
        "quadratic": ridge,
        "neural": TransformedTargetRegressor(make_pipeline(StandardScaler(), network), transformer=StandardScaler()),
    }


def pairs(emulator: Emulator, seed: int = 1, blocks: int = 4) -> pd.DataFrame:
    """Return Sobol' indices of a surrogate, second order included: a row an index and one or two parameters.

    Columns: parameter, other ('' but for pairs), index (S1, ST, S2), value, low, high; shares of the surrogate's own variance.
    Raises InputError for a surrogate that does not predict well.
    """
    from SALib.analyze import sobol as analyser
    from SALib.sample import sobol as sampler

    from movesim.experiments.sensitivity.indices import interval

    if not emulator.good:
        raise InputError(emulator.sentence)
    width = len(emulator.names)
    found: dict[str, list[Any]] = {"S1": [], "ST": [], "S2": []}
    for block in range(blocks):
        problem = {"num_vars": width, "names": list(emulator.names), "bounds": [[0.0, 1.0]] * width}
        unit = sampler.sample(dict(problem), POINTS, calc_second_order=True, scramble=True, seed=1 + 100_003 * seed + block)
        told = analyser.analyze(dict(problem), emulator.model.predict(unit), calc_second_order=True, num_resamples=2, seed=1)
        for index, values in found.items():
            values.append(np.asarray(told[index]).ravel())
    rows = []
    for index, values in found.items():
        mean, half = interval(np.array(values))
        for at, (value, wide) in enumerate(zip(mean, half, strict=True)):
            if index == "S2" and at // width >= at % width:
                continue
            one, other = (emulator.names[at // width], emulator.names[at % width]) if index == "S2" else (emulator.names[at], "")
            rows.append((one, other, index, value, value - wide, value + wide))
    return pd.DataFrame(rows, columns=["parameter", "other", "index", "value", "low", "high"])
