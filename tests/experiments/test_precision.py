"""Precision: pairs are added until a change is known well enough, and looking several times does not spoil the interval."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from movesim import CompareSettings
from movesim.errors import InputError, MovesimError
from movesim.experiments.precision import Goal, look, named_gap, next_look, points, saved_by_common_draws, until_precise
from movesim.words import HEADLINE

STORED = Path(__file__).with_name("paired_differences.csv")


@dataclass
class Stored:
    """A goal on differences that exist already, instead of outcomes of the model."""

    precision: float

    def changes(self, some: np.ndarray) -> dict:
        return {("plan", HEADLINE): some}


def asked(**keys: object) -> SimpleNamespace:
    return SimpleNamespace(**{"replicates": 20, "pairs_at_most": 1_000, "minutes_at_most": None, "quiet": True, **keys})


def until(values: np.ndarray, precision: float, **keys: object):
    return until_precise(Stored(precision), asked(**keys), lambda some, until: some.stop, lambda n: values[:n])  # type: ignore[arg-type]


def stored() -> dict[str, np.ndarray]:
    """Paired changes of the headline gap, in points, of a study of the model (see the file's first line)."""
    with open(STORED, encoding="utf-8") as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}


@pytest.mark.parametrize("needed", [15, 40, 90, 200])
@pytest.mark.parametrize("plan", sorted(stored()))
def test_the_interval_at_the_last_look_keeps_its_coverage(plan: str, needed: int) -> None:
    """Stored paired differences drawn with replacement, so that their mean is the truth: 93 to 97 in 100 intervals hold it."""
    held = stored()[plan]
    truth, precision, r = held.mean(), held.std() / math.sqrt(needed), np.random.default_rng(needed)
    hits, used, times = 0, 0, 2_000
    for _ in range(times):
        n, verdict = until(r.choice(held, 1_000), precision)
        (found,) = verdict.looks
        hits += found.low <= truth <= found.high
        used += n
        assert verdict.tight and found.mc_error <= precision
    assert 0.93 <= hits / times <= 0.97, hits / times
    assert used / times <= max(25, 1.25 * needed)  # and few pairs are wasted


def test_enough_is_said_and_too_little_says_how_much_more() -> None:
    values = np.random.default_rng(1).normal(-0.5, 1.0, 1_000)
    n, verdict = until(values, 0.1)
    assert 80 <= n <= 130 and verdict.tight and verdict.more == 0
    assert verdict.sentence.startswith(
        f"Tight enough: with {n} pairs the Monte Carlo error of the least certain gap change (plan, "
    )
    n, verdict = until(values, 0.1, pairs_at_most=50)
    assert n == 50 and not verdict.tight and 30 <= verdict.more <= 70
    assert verdict.sentence.startswith(f"Cannot tell, and it would take about {verdict.more} more pairs: with 50 ")


def test_no_look_before_twenty_pairs_and_no_more_than_needed() -> None:
    n, verdict = until(np.zeros(1_000), 0.1, replicates=2)
    assert n == 20 and verdict.tight
    assert [next_look(20, more, 1_000) for more in (1, 10, 11, 500)] == [30, 30, 40, 40] and next_look(90, 500, 120) == 120


def test_when_time_is_over_it_says_what_is_known() -> None:
    values = np.random.default_rng(1).normal(0, 1, 100)
    run = lambda some, until: 12  # noqa: E731  only so many were finished
    n, verdict = until_precise(Stored(0.01), asked(minutes_at_most=1.0), run, lambda n: values[:n])  # type: ignore[arg-type]
    assert n == verdict.pairs == 12 and not verdict.tight
    with pytest.raises(MovesimError, match="minutes_at_most was over before two pairs were finished"):
        until_precise(Stored(0.01), asked(minutes_at_most=1.0), lambda some, until: 1, lambda n: values[:n])  # type: ignore[arg-type]


def test_gaps_are_named_by_their_axis_or_in_full() -> None:
    assert named_gap("sex") == ("adult", "sex", "inactive", "mean_deviation")
    assert named_gap("child.imd_fifth.active.absolute") == ("child", "imd_fifth", "active", "absolute")
    assert points(HEADLINE) == 100 and points(("adult", "sex", "minutes", "absolute")) == 1
    for wrong, sentence in (
        ("imd", "gaps: 'imd' is no gap; write an axis"),
        ("all", "gaps: 'all' is no gap"),
        ("adult.imd_decile.inactive.si", "has no measure 'si'; it must be"),
        ("adults.imd_decile.inactive.sii", "has no age group 'adults'"),
    ):
        with pytest.raises(InputError, match=sentence):
            named_gap(wrong)


def outcomes(pairs: int = 30) -> pd.DataFrame:
    """A study of two levels of deprivation in which the option closes the gap by 2 points, give or take 1."""
    r = np.random.default_rng(3)
    rows = []
    for i in range(pairs):
        noise = r.normal(0, 0.05)  # shared by both
        for scenario, close in (("baseline", 0.0), ("plan", 0.02 + r.normal(0, 0.01))):
            for level, share in (("1", 0.4 + noise - close), ("10", 0.2)):
                rows.append(
                    {"scenario": scenario, "draw": i, "replicate": i, "week": 52, "window": 52, "age_group": "adult",
                     "axis": "imd_decile", "level": level, "residents": 100.0, "inactive": share, "fairly_active": 0.1,
                     "active": 0.9 - share, "minutes": 100.0}
                )  # fmt: skip
    return pd.DataFrame(rows)


def test_changes_are_paired_and_in_points() -> None:
    settings = CompareSettings(scenarios=["plan"], precision=0.5, gaps=["adult.imd_decile.inactive.absolute"])
    goal = Goal.of(settings, {"baseline": None, "plan": None})
    ((name, change),) = goal.changes(outcomes()).items()
    assert name == ("plan", ("adult", "imd_decile", "inactive", "absolute")) and len(change) == 30
    found = look(*name, change, 0.5)
    assert found.mean == pytest.approx(-2.0, abs=0.6) and found.mc_error == pytest.approx(1 / math.sqrt(30), rel=0.3)
    with pytest.raises(InputError, match=r"this place has no gap adult\.sex.inactive\.mean_deviation"):
        Goal(0.1, (named_gap("sex"),), ("plan",), "baseline").changes(outcomes())


def test_what_common_draws_save_is_measured() -> None:
    from movesim.outcomes.gaps import gaps

    found = saved_by_common_draws(gaps(outcomes(200)))
    # independent: 2 * 5**2 + 1; paired: 1 (points squared, of the slope index as of the difference)
    assert found["plan"] == pytest.approx(51, rel=0.3)
    assert saved_by_common_draws(gaps(outcomes(1))) == {}


def test_precision_cannot_be_split() -> None:
    with pytest.raises(InputError, match="so it cannot be split: leave shard= or precision= away"):
        Goal.of(CompareSettings(scenarios=["x"], precision=0.1, shard="1/2"), {"baseline": None})
    with pytest.raises(InputError, match="precision must be a number of points"):
        Goal.of(CompareSettings(scenarios=["x"]), {"baseline": None})
    with pytest.raises(InputError, match="precision must be a number of points above 0, or null, got -1"):
        CompareSettings(scenarios=["x"], precision=-1)
