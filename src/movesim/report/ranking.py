"""Which option is best in each future, and what is lost by choosing another one: regret, ranks and what noise allows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from movesim import words
from movesim.errors import InputError
from movesim.report.tables import Result


@dataclass(frozen=True)
class Ranking:
    """Options judged future by future on the headline gap, in points; a future is one paired run, shared by all options."""

    gaps: pd.DataFrame  # rows: paired runs; columns: scenarios, baseline first; points
    regret: dict[str, float]  # mean extra gap over the best option of the same future
    bad_case: dict[str, float]  # the extra gap exceeded in 1 future of 10
    ranks: dict[str, list[float]]  # share of futures in which the option ranks 1st, 2nd, ...

    @property
    def pairs(self) -> int:
        """The number of paired runs."""
        return len(self.gaps)

    def order(self) -> list[str]:
        """Return the scenarios from the lowest average regret to the highest; equal ones keep their order."""
        return sorted(self.regret, key=lambda name: round(self.regret[name], 6))

    def noise(self, one: str, other: str) -> tuple[float, float]:
        """Return the mean paired difference of two options in points, and twice its Monte Carlo error (Student's t)."""
        difference = (self.gaps[one] - self.gaps[other]).to_numpy()
        if len(difference) < 2:
            return float(difference.mean()), float("inf")
        error = difference.std(ddof=1) / np.sqrt(len(difference))
        return float(difference.mean()), float(stats.t.ppf(0.975, len(difference) - 1) * error)

    def told_apart(self, one: str, other: str) -> bool:
        """Whether the mean difference of two options is larger than chance between runs explains."""
        mean, noise = self.noise(one, other)
        return abs(mean) > noise


def headline_gaps(result: Result) -> pd.DataFrame:
    """Return the headline gap of the last year in points: a row per paired run, a column per scenario, baseline first.

    Raises InputError when no run has every scenario.
    """
    gaps = result.tables["gaps"]
    age_group, axis, outcome, measure = words.HEADLINE
    rows = gaps[
        (gaps["age_group"] == age_group) & (gaps["axis"] == axis) & (gaps["outcome"] == outcome) & (gaps["measure"] == measure)
        & (gaps["week"] == result.last_week)
    ]  # fmt: skip
    wide = rows.pivot_table(index=["draw", "replicate"], columns="scenario", values="value", aggfunc="first")
    names = [scenario["name"] for scenario in result.manifest["scenarios"]]
    missing = [name for name in names if name not in wide.columns]
    wide = wide.reindex(columns=names).dropna()
    if missing or wide.empty:
        who = f"scenario '{missing[0]}'" if missing else "every scenario in one run"
        raise InputError(
            f"{result.folder / 'gaps.parquet'}: holds no {measure} of {outcome} by {axis} for {who} at week "
            f"{result.last_week}; run the study again so that every pair is complete."
        )
    return 100 * wide


def rank(result: Result) -> Ranking:
    """Judge the scenarios future by future: the lowest gap is best; ties share the places they take.

    Regret as in Savage (1951): the gap under an option minus the lowest gap among all options, in the same future.
    """
    gaps = headline_gaps(result)
    values = gaps.to_numpy()
    regret = values - values.min(axis=1, keepdims=True)
    size = values.shape[1]
    shares = np.zeros((size, size))
    for row in values:
        ordered = np.argsort(row, kind="stable")
        start = 0
        while start < size:
            end = start + 1
            while end < size and np.isclose(row[ordered[end]], row[ordered[start]], rtol=0, atol=1e-9):
                end += 1
            for place in range(start, end):
                shares[ordered[start:end], place] += 1 / (end - start)
            start = end
    names = list(gaps.columns)
    return Ranking(
        gaps,
        dict(zip(names, regret.mean(axis=0).tolist())),
        dict(zip(names, np.quantile(regret, 0.9, axis=0).tolist())),
        {name: (shares[k] / len(values)).tolist() for k, name in enumerate(names)},
    )
