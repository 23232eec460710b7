"""Were rules right: counts over pairs, and how sure they are."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from movesim.outcomes.decisions import mistakes, wilson


def table(*rows: tuple[str, float], scenario: str = "a") -> pd.DataFrame:
    made = {"scenario": scenario, "rule": "r", "worth_having": 2.0, "estimate": 0.0, "standard_error": 1.0, "outcome": "minutes"}
    return pd.DataFrame([{**made, "action": action, "truth": truth, "pounds_moved": 0.0} for action, truth in rows])


def test_mistakes_are_counted_among_those_in_which_they_can_be_made() -> None:
    rows = table(("scale_up", 1.0), ("scale_up", 3.0), ("keep", 1.9), ("stop", 2.0), ("move_money", 5.0), ("stop", 0.0))
    (found,) = mistakes(rows).to_dict("records")
    assert (found["pairs"], found["unworthy"], found["worthy"]) == (6, 3, 3)
    assert (found["false_scale"], found["false_stop"]) == (pytest.approx(1 / 3), pytest.approx(2 / 3))
    assert [found[a] for a in ("scale_up", "keep", "stop", "move_money")] == [2, 1, 2, 1]
    assert (found["false_scale_low"], found["false_scale_high"]) == wilson(1, 3)


def test_where_no_mistake_can_be_made_there_is_no_rate() -> None:
    (found,) = mistakes(table(("keep", 1.0))).to_dict("records")
    assert math.isnan(found["false_stop"]) and (found["false_stop_low"], found["false_stop_high"]) == (0.0, 1.0)


def test_decisions_without_a_truth_are_not_judged() -> None:
    assert len(mistakes(table(("keep", math.nan)))) == 0
    two = pd.concat([table(("keep", 1.0)), table(("keep", 1.0), scenario="b")])
    assert mistakes(two)["scenario"].tolist() == ["a", "b"]


def test_the_interval_covers_and_stays_inside() -> None:
    assert wilson(0, 20)[0] == 0 and wilson(20, 20)[1] == pytest.approx(1) and wilson(0, 0) == (0.0, 1.0)
    low, high = wilson(10, 100)
    assert low < 0.1 < high and high - low == pytest.approx(2 * 1.645 * 0.03, rel=0.05)
