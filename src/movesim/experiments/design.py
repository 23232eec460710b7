"""Designs: which numbers take which values at which point. Points are sorted, so that a design has no history.

Grids take every combination, `paired` the first values together, then the second, and so on; Latin hypercube and Sobol' points
fill the space between ends, or follow the numbers' own distributions; a CSV file says it all itself.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from movesim.config import shown
from movesim.errors import InputError, did_you_mean
from movesim.evidence import Ledger

KINDS = ("grid", "paired", "lhs", "sobol")
MOST_POINTS = 10_000_000


@dataclass(frozen=True)
class Design:
    """Points in the space of some numbers: `values` has a row a point and a column a path; NaN leaves a number as it is drawn."""

    paths: tuple[str, ...]
    values: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.values)

    def numbers(self, row: int) -> dict[str, float]:
        """Return the numbers that a point sets, by dotted path."""
        return {path: float(v) for path, v in zip(self.paths, self.values[row], strict=True) if not math.isnan(v)}

    @classmethod
    def of(cls, paths: Sequence[str], values: Any) -> Design:
        """Return a design with its paths and its points sorted, each point once."""
        table = np.asarray(values, float).reshape(-1, len(paths)) + 0.0  # no minus zero
        order = sorted(range(len(paths)), key=lambda k: paths[k])
        return cls(tuple(paths[k] for k in order), unique_rows(table[:, order])[0])


def unique_rows(table: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the rows, each once and sorted, and for every row which of these it is; two empty cells (nan) are equal."""
    rows, number = np.unique(np.where(np.isnan(table), np.inf, table), axis=0, return_inverse=True)
    return np.where(np.isinf(rows), np.nan, rows), number.ravel()


def make(kind: str, vary: Mapping[str, Any], points: int, seed: int, ledger: Ledger) -> Design:
    """Return the design that settings ask for.

    Arguments: kind, one of KINDS or a CSV file; vary, by dotted path a tuple of numbers, "interval(a,b)" or "prior"; points
    and seed, for lhs and sobol; ledger, every number that may be set (behaviour ones with the prefix "behaviour.").
    Raises InputError, one sentence, for a design that cannot be made.
    """
    if kind not in KINDS:
        if not kind.endswith(".csv"):
            raise InputError(f"design must be grid, paired, lhs, sobol or a CSV file, got '{kind}'.{did_you_mean(kind, KINDS)}")
        if vary:
            raise InputError(f"The points come from {kind}; leave {next(iter(vary))}= away, or give it one value for all points.")
        design = read_csv(Path(kind))
    elif not vary:
        raise InputError("A sweep needs something to vary, as in scenarios.routes.effect=5,10,20 (see movesim sweep --help).")
    else:
        design = _space(kind, vary, points, seed, ledger) if kind in ("lhs", "sobol") else _lists(kind, vary)
    for path in design.paths:
        ledger[path]  # raises a sentence for an unknown path
    return design


def _lists(kind: str, vary: Mapping[str, Any]) -> Design:
    for path, over in vary.items():
        if isinstance(over, str):
            raise InputError(f"{path}={over} has no list of values; add design=lhs or design=sobol, with points=.")
    if kind == "paired":
        lengths = {path: len(over) for path, over in vary.items()}
        if len(set(lengths.values())) > 1:
            raise InputError(
                "design=paired takes the first values together, then the second: every path needs as many values, but "
                + ", ".join(f"{path} has {n}" for path, n in lengths.items())
                + "."
            )
        return Design.of(list(vary), list(zip(*vary.values(), strict=True)))
    count = math.prod(len(over) for over in vary.values())
    if count > MOST_POINTS:
        raise InputError(f"The grid has {count:,} points; {MOST_POINTS:,} are the most. Give fewer values, or use design=sobol.")
    return Design.of(list(vary), list(itertools.product(*vary.values())))


def _space(kind: str, vary: Mapping[str, Any], points: int, seed: int, ledger: Ledger) -> Design:
    from scipy.stats import qmc

    for path, over in vary.items():
        if not isinstance(over, str):
            raise InputError(f"{path}: design={kind} takes interval(a,b) or prior, not a list of values.")
    paths = sorted(vary)
    if kind == "sobol" and points & (points - 1):
        raise InputError(f"points={points}: Sobol' points are even only in powers of two; take {2 ** round(math.log2(points))}.")
    # points of a larger Sobol' design begin with those of a smaller one
    sampler = (qmc.Sobol if kind == "sobol" else qmc.LatinHypercube)(len(paths), rng=np.random.default_rng(seed))
    unit = np.clip(sampler.random(points), 1e-6, 1 - 1e-6)
    columns = []
    for column, path in enumerate(paths):
        if vary[path] == "prior":
            if ledger[path].distribution == "fixed":
                raise InputError(f"{path}=prior: this number is fixed and has no range; write interval(a,b).")
            columns.append([ledger[path].quantile(float(u)) for u in unit[:, column]])
        else:
            low, high = (float(end) for end in vary[path].removeprefix("interval(").removesuffix(")").split(","))
            columns.append(low + unit[:, column] * (high - low))
    return Design.of(paths, np.column_stack(columns))


def read_csv(path: Path) -> Design:
    """Return the design of a CSV file: a column a dotted path, a row a point; an empty cell leaves the number as it is drawn.

    Raises InputError naming the file, the line and the column of what is no number.
    """
    import csv

    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            rows = [row for row in csv.reader(file) if any(cell.strip() for cell in row)]
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"design={path}: this file cannot be read ({error}).") from None
    if len(rows) < 2:
        raise InputError(f"{shown(path)} has no points; its first line names paths, each further line is a point.")
    paths = [name.strip() for name in rows[0]]
    if len(set(paths)) < len(paths):
        raise InputError(f"{shown(path)}: a path stands in the first line twice.")
    table = np.full((len(rows) - 1, len(paths)), np.nan)
    for i, row in enumerate(rows[1:]):
        if len(row) != len(paths):
            raise InputError(f"{shown(path)}: point {i + 1} has {len(row)} values for {len(paths)} paths.")
        for j, cell in enumerate(row):
            if cell.strip():
                try:
                    table[i, j] = float(cell)
                except ValueError:
                    table[i, j] = math.inf
                if not math.isfinite(table[i, j]):
                    raise InputError(f"{shown(path)}: point {i + 1} has '{cell}' for {paths[j]}; it must be a number.")
    return Design.of(paths, table)
