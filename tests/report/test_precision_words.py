"""What is said of the precision of a result: numbers a reader can hold, not ratios without end."""

from __future__ import annotations

import math

import pytest

from movesim.report.precision import precision_words, times_less


@pytest.mark.parametrize(
    ("times", "words"),
    [
        ([220.4, 134_978.0], "more than 200 times"), ([1_234.0], "more than 1,200 times"), ([7.26, 8.1], "7.3 to 8.1 times"),
        ([1.5, 40.0], "at least 1.5 times"), ([0.8], "0.8 times"), ([12.34], "12 times"),
    ],
)  # fmt: skip
def test_how_many_times_less(times: list[float], words: str) -> None:
    assert times_less(times) == words


def test_the_sentence_leaves_out_plans_that_change_nothing() -> None:
    told = precision_words({"common_draws": {"a": 220.4, "b": 134_978.0, "nothing": math.inf}})
    assert told == [
        "Plans share every draw with no change, so a change of the gap varies more than 200 times less (in variance) than it "
        "would with independent runs."
    ]
    tight = {"common_draws": {"nothing": math.inf}, "precision": {"sentence": "Tight enough."}}
    assert precision_words(tight) == ["Tight enough."]
    assert precision_words({}) == []
