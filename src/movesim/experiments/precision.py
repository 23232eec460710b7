"""How many pairs are enough: more are added until the change of each named gap is known to a stated Monte Carlo error.

What is asked for is the error of the mean paired change (its standard deviation over the root of pairs), not the spread of
the outcomes, which more runs do not shrink. There are few looks, each at a number of pairs that the last look says is needed,
and none before 20 pairs, so that the usual interval (Student's t) at the last look keeps its coverage (Chow and Robbins 1965
show that it does in the limit; here it is checked by resampling stored differences).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from movesim.errors import InputError, MovesimError, did_you_mean, one_of
from movesim.outcomes.gaps import gaps as measure
from movesim.outcomes.pairing import pair
from movesim.words import AGE_GROUPS, AXES, AXIS, HEADLINE, MEASURES, OUTCOMES, WEEKS_A_YEAR

if TYPE_CHECKING:
    import pandas as pd

    from movesim.settings import StudySettings

FIRST_LOOK, BATCH = 20, 10
Gap = tuple[str, str, str, str]


def named_gap(name: str) -> Gap:
    """Return (age group, axis, outcome, measure) of a gap's name: an axis, or all four with dots between.

    Raises InputError for a name that is no gap.

    >>> named_gap("imd_decile")
    ('adult', 'imd_decile', 'inactive', 'sii')
    """
    parts = name.split(".")
    if len(parts) == 1 and name in AXIS and name != "all":
        return (HEADLINE[0], name, HEADLINE[2], "sii" if AXIS[name].ordered else "mean_deviation")
    axes = [axis.name for axis in AXES if axis.name != "all"]
    if len(parts) != 4:
        raise InputError(
            f"gaps: '{name}' is no gap; write an axis ({', '.join(axes)}) or age_group.axis.outcome.measure, as in "
            f"{'.'.join(HEADLINE)}.{did_you_mean(name, axes)}"
        )
    known = (AGE_GROUPS, axes, [w.name for w in OUTCOMES], [w.name for w in MEASURES])
    for what, part, words in zip(("age group", "axis", "outcome", "measure"), parts, known, strict=True):
        if part not in words:
            raise InputError(f"gaps: '{name}' has no {what} '{part}'; it must be {one_of(words)}.{did_you_mean(part, words)}")
    return (parts[0], parts[1], parts[2], parts[3])


def points(gap: Gap) -> float:
    """Return what a gap's values are multiplied with for people: 100 for differences of shares, 1 for minutes and ratios."""
    return 1.0 if gap[2] == "minutes" or gap[3] in ("relative", "odds_ratio", "rii", "erreygers", "theil") else 100.0


@dataclass(frozen=True)
class Goal:
    """The gaps whose changes are to be known, how precisely, and the scenarios they are changes of."""

    precision: float
    gaps: tuple[Gap, ...]
    scenarios: tuple[str, ...]
    baseline: str

    @classmethod
    def of(cls, settings: StudySettings, scenarios: Mapping[str, Any]) -> Goal:
        """Return the goal that settings state; raise InputError for what cannot be."""
        if settings.precision is None:
            raise InputError("precision must be a number of points.")
        if settings.part is not None:
            raise InputError("precision adds pairs by what it has seen, so it cannot be split: leave shard= or precision= away.")
        baseline, *options = scenarios
        return cls(settings.precision, tuple(dict.fromkeys(map(named_gap, settings.gaps))), tuple(options), baseline)

    def changes(self, outcomes: pd.DataFrame) -> dict[tuple[str, Gap], np.ndarray]:
        """Return the paired change of every gap under every scenario in the last year, (pairs,), in points or its own unit."""
        axes, groups = {gap[1] for gap in self.gaps}, {gap[0] for gap in self.gaps}
        last = (outcomes["window"] == WEEKS_A_YEAR) & (outcomes["week"] == outcomes["week"].max())
        table = measure(outcomes[last & outcomes["axis"].isin(axes) & outcomes["age_group"].isin(groups)])
        found = {}
        for gap in self.gaps:
            keep = np.ones(len(table), bool)
            for column, value in zip(("age_group", "axis", "outcome", "measure"), gap, strict=True):
                keep &= (table[column] == value).to_numpy()
            if not keep.any():
                raise InputError(f"gaps: this place has no gap {'.'.join(gap)}; name another measure or axis.")
            paired = pair(table[keep], self.baseline, ["week", "window"], ["value"], "gaps")
            values = paired.values[:, 0, 0] * points(gap)
            for name, option in zip(paired.scenarios[1:], values[1:], strict=True):
                difference = option - values[0]
                found[name, gap] = difference[np.isfinite(difference)]
        return found


@dataclass(frozen=True)
class Look:
    """How precisely one gap's change is known."""

    scenario: str
    gap: str
    pairs: int
    mean: float
    mc_error: float
    low: float
    high: float
    tight: bool
    needed: int


def look(scenario: str, gap: Gap, change: np.ndarray, precision: float) -> Look:
    """Return how precisely a change is known: mean, Monte Carlo error, 95% interval of the mean, pairs needed in all."""
    from scipy.special import stdtrit

    n = len(change)
    if n < 2:
        return Look(scenario, ".".join(gap), n, float("nan"), math.inf, -math.inf, math.inf, False, FIRST_LOOK)
    error = float(change.std(ddof=1) / math.sqrt(n))
    half, mean = float(stdtrit(n - 1, 0.975)) * error, float(change.mean())
    return Look(
        scenario, ".".join(gap), n, mean, error, mean - half, mean + half, error <= precision,
        max(2, math.ceil(n * (error / precision) ** 2)),
    )  # fmt: skip


@dataclass(frozen=True)
class Verdict:
    """What came of asking for a precision."""

    precision: float
    pairs: int
    tight: bool
    more: int
    looks: tuple[Look, ...]

    @property
    def sentence(self) -> str:
        """The verdict in words."""
        worst = max(self.looks, key=lambda each: each.mc_error)
        known = f"the Monte Carlo error of the least certain gap change ({worst.scenario}, {worst.gap}) is {worst.mc_error:.2g}"
        asked = f"{self.precision:g} was asked for"
        if self.tight:
            return f"Tight enough: with {self.pairs:,} pairs {known}; {asked}."
        return f"Cannot tell, and it would take about {self.more:,} more pairs: with {self.pairs:,} {known}; {asked}."

    def to_dict(self) -> dict[str, Any]:
        """Return the verdict as plain data for the manifest."""
        return {**asdict(self), "looks": [asdict(each) for each in self.looks], "sentence": self.sentence}


def judged(goal: Goal, outcomes: pd.DataFrame, pairs: int) -> Verdict:
    """Return the verdict on what there is so far."""
    looks = tuple(look(*name, change, goal.precision) for name, change in goal.changes(outcomes).items())
    tight = all(each.tight for each in looks)
    more = 0 if tight else max(BATCH, max(each.needed for each in looks) - pairs)
    return Verdict(goal.precision, pairs, tight, more, looks)


def next_look(pairs: int, more: int, at_most: int) -> int:
    """Return at how many pairs to look next: at what seems to be needed, in tens, at most twice as many."""
    return min(at_most, max(pairs + BATCH, min(2 * pairs, pairs + -(-more // BATCH) * BATCH)))


def until_precise(
    goal: Goal, settings: StudySettings, run: Callable[[range, float | None], int], read: Callable[[int], pd.DataFrame]
) -> tuple[int, Verdict]:
    """Add pairs until they are enough, or the budget of pairs or minutes is spent; return how many, and the verdict.

    Arguments: run(pairs, until) runs those that are missing and returns how many are finished without a hole; read(n) returns
    the outcomes of the first n. Raises MovesimError when the minutes were over before two pairs were finished.
    """
    until = None if settings.minutes_at_most is None else time.monotonic() + 60 * settings.minutes_at_most
    pairs = min(max(FIRST_LOOK, settings.replicates), settings.pairs_at_most)
    while True:
        done = run(range(pairs), until)
        if done < 2:
            raise MovesimError("minutes_at_most was over before two pairs were finished; what is finished is kept.")
        verdict = judged(goal, read(done), done)
        if verdict.tight or done < pairs or pairs >= settings.pairs_at_most:
            return verdict.pairs, verdict
        if not settings.quiet:
            import sys

            print(f"  {pairs:,} pairs are not enough, about {verdict.more:,} more are needed", file=sys.stderr, flush=True)
        pairs = next_look(pairs, verdict.more, settings.pairs_at_most)


def saved_by_common_draws(gap_table: pd.DataFrame) -> dict[str, float]:
    """Return, by scenario, how many times less the headline gap's change varies than it would with independent draws.

    Independent runs of an option and of no change have the sum of both variances; paired ones the variance of their
    difference. Empty for fewer than two pairs; infinite for a scenario that changes nothing.
    """
    age_group, axis, outcome, kind = HEADLINE
    rows = gap_table[(gap_table["window"] == WEEKS_A_YEAR) & (gap_table["week"] == gap_table["week"].max())]
    rows = rows[(rows["age_group"] == age_group) & (rows["axis"] == axis)]
    rows = rows[(rows["outcome"] == outcome) & (rows["measure"] == kind)]
    wide = rows.pivot_table(index=["draw", "replicate"], columns="scenario", values="value")
    found = {}
    for name in wide.columns if len(wide) > 1 and "baseline" in wide else ():
        if name != "baseline":
            alone = float(wide[name].var() + wide["baseline"].var())
            both = float((wide[name] - wide["baseline"]).var())
            found[str(name)] = alone / both if both > 0 else math.inf
    return found
