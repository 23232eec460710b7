"""Scenario discovery: under which conditions a plan fails to close the gap, in words (PRIM, Friedman and Fisher 1999)."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from movesim.errors import InputError

LEAST_CASES = 10  # failures, and successes, without which no box is looked for
LEAST_MASS = 0.05
WORST = 0.25
MOST_BOXES = 3
WORTH = 1.25  # a box is told of when failures are so many times as dense in it as elsewhere
NEARLY = 0.97  # as dense, without a limit
DENSE = 0.8  # of the boxes that are dense enough the one with most coverage is taken


@dataclass(frozen=True)
class Box:
    """A box: limits by factor (low, high; None for an open side), and how well it holds the failures.

    `coverage` is the share of all failures inside, `density` the share of runs inside that fail, `mass` of all runs inside.
    """

    limits: dict[str, tuple[float | None, float | None]]
    coverage: float
    density: float
    mass: float
    runs: int

    @property
    def sentence(self) -> str:
        """The box in words."""
        where = " and ".join(_side(name, *ends) for name, ends in self.limits.items())
        return (
            f"Where {where}: {100 * self.density:.0f} in 100 of these runs fail (density), and they hold "
            f"{100 * self.coverage:.0f} in 100 of all failures (coverage); {self.runs:,} runs."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for the manifest."""
        return {**asdict(self), "sentence": self.sentence}


def _side(name: str, low: float | None, high: float | None) -> str:
    if low is None:
        return f"{name} is at most {high:.4g}"
    return f"{name} is at least {low:.4g}" if high is None else f"{name} is {low:.4g} to {high:.4g}"


@dataclass(frozen=True)
class Discovery:
    """What was called a failure, how often that happened, and the boxes found, largest coverage first."""

    rule: str
    failures: int
    runs: int
    boxes: tuple[Box, ...]

    @property
    def sentences(self) -> list[str]:
        """What was found, in words."""
        head = f"A run fails when {self.rule}: {self.failures:,} of {self.runs:,} runs."
        if self.boxes:
            return [head, *(box.sentence for box in self.boxes)]
        few = min(self.failures, self.runs - self.failures) < LEAST_CASES
        why = (
            "that is too few of one kind to look for conditions" if few else "no condition on few factors sets the failures apart"
        )
        return [f"{head[:-1]}; {why}."]


def discover(
    values: Mapping[str, NDArray[np.float64]] | pd.DataFrame, y: NDArray[np.float64], above: float | None = None
) -> Discovery:
    """Return the boxes in which a change of the gap ends above a limit.

    Arguments: values, a column a factor in its own units; y, the change of the gap, lower is better; above, the limit (None: 0,
    no narrower gap, where at least 1 in 20 runs fails and does not fail by it; else the worst quarter of runs).
    Raises InputError without the package prim.
    """
    frame, y = pd.DataFrame(values).astype(float), np.asarray(y, float)
    bad, rule = _failed(y, above)
    if min(bad.sum(), (~bad).sum()) < LEAST_CASES:
        return Discovery(rule, int(bad.sum()), len(y), ())
    try:
        from prim import Prim
    except ImportError:
        raise InputError("Scenario discovery needs the package prim; install it with: pip install 'movesim[discover]'") from None
    named = frame.set_axis([f"x{k}" for k in range(frame.shape[1])], axis=1)
    with contextlib.redirect_stdout(io.StringIO()):
        search = Prim(named, bad, mass_min=LEAST_MASS)
        boxes = _boxes(search, named, bad, list(frame.columns))
    return Discovery(rule, int(bad.sum()), len(y), tuple(boxes))


def _failed(y: NDArray[np.float64], above: float | None) -> tuple[NDArray[np.bool_], str]:
    if above is not None:
        return y > above, f"the gap changes by more than {above:+.2f}"
    share = float((y > 0).mean())
    if 0.05 <= share <= 0.95:
        return y > 0, "the gap does not narrow"
    limit = float(np.quantile(y, 1 - WORST))
    often = "hardly ever" if share < 0.5 else "nearly always"
    return y > limit, f"its change is among the worst quarter (above {limit:+.2f}; the gap {often} widens)"


def _boxes(search: Any, frame: pd.DataFrame, bad: NDArray[np.bool_], names: Sequence[str]) -> list[Box]:
    found: list[Box] = []
    held = np.zeros(len(bad), bool)
    for _ in range(MOST_BOXES):
        box = search.find_box()
        if box is None or not len(box.peeling_trajectory):
            break
        path = box.peeling_trajectory
        dense = path[path["density"] >= DENSE]
        # no box so dense: the best compromise of the two
        chosen = dense["coverage"].idxmax() if len(dense) else (path["coverage"] * path["density"]).idxmax()
        box.select(int(chosen))
        told = _told(box, frame, bad, names)
        if told is None or told.runs < LEAST_CASES or told.density < WORTH * bad.mean():
            break
        inside = np.ones(len(bad), bool)
        for name, (low, high) in told.limits.items():
            values = frame[f"x{names.index(name)}"].to_numpy()
            inside &= (values >= (-np.inf if low is None else low)) & (values <= (np.inf if high is None else high))
        if (bad & inside & ~held).sum() < LEAST_CASES:  # the same failures in other words
            break
        held |= inside
        found.append(told)
    return found


def _told(box: Any, frame: pd.DataFrame, bad: NDArray[np.bool_], names: Sequence[str]) -> Box | None:
    """Return a box with its limits and its figures counted on all runs; None for one without a limit.

    A limit without which the box would be nearly as dense is left out: it was peeled off by chance.
    """
    ends, held = {}, {}
    for column, row in box.limits.iterrows():
        low, high, values = float(row["min"]), float(row["max"]), frame[column].to_numpy()
        open_sides = (None if low <= values.min() else low, None if high >= values.max() else high)
        if open_sides != (None, None):
            name = names[int(str(column)[1:])]
            ends[name], held[name] = open_sides, (values >= low) & (values <= high)

    def dense(some: Sequence[str]) -> float:
        inside = np.all([held[name] for name in some], axis=0)
        return float(bad[inside].mean()) if inside.any() else 0.0

    kept, first = list(ends), dense(list(ends)) if ends else 0.0
    while len(kept) > 1:
        without = {name: dense([other for other in kept if other != name]) for name in kept}
        idle = max(without, key=lambda name: without[name])
        if without[idle] < NEARLY * first:
            break
        kept.remove(idle)
    if not kept:
        return None
    inside = np.all([held[name] for name in kept], axis=0)
    coverage = float(bad[inside].sum() / bad.sum())
    return Box({name: ends[name] for name in kept}, coverage, dense(kept), float(inside.mean()), int(inside.sum()))
