"""Laws of the reach ladder."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from movesim.errors import InputError
from movesim.interventions.ladder import (
    CLIMBED,
    fifth_of,
    gradient,
    solve_level,
    solve_levels,
    solve_multiplier,
    solve_ratio,
    step_probability,
)  # fmt: skip

shares = st.floats(0.02, 0.98)
slopes = st.floats(-1.0, 2.0)
R = np.random.default_rng(3)
READY, WEIGHT, DECILE = R.normal(0, 0.7, 400), R.uniform(1, 100, 400), np.arange(400) % 10 + 1
EVEN = np.full(5, 10.0)


def mean(p):
    return float(np.average(p, weights=WEIGHT))


def test_the_gradient_is_one_between_the_middles_of_the_end_fifths():
    assert gradient(1.5) - gradient(9.5) == 1
    assert fifth_of(np.arange(1, 11)).tolist() == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]


@settings(max_examples=60, deadline=None)
@given(shares, slopes, slopes)
def test_a_level_gives_back_its_central_share(central, c, b):
    a = solve_level(central, READY, WEIGHT, DECILE, c, b)
    assert mean(step_probability(a, b, c, READY, DECILE)) == pytest.approx(central, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(shares, st.floats(0.0, 2.0), st.floats(0.01, 2.0))
def test_more_readiness_and_a_higher_gradient_climb_more(central, b, c):
    a = solve_level(central, READY, WEIGHT, DECILE, c, b)
    assert step_probability(a, b, c, 1.0, 5) > step_probability(a, b, c, 0.0, 5)
    assert step_probability(a, b, c, 0.0, 1) >= step_probability(a, b, c, 0.0, 10)


@settings(max_examples=40, deadline=None)
@given(
    st.tuples(st.floats(0.05, 0.6), st.floats(0.05, 0.9), st.floats(0.05, 0.9)), st.floats(0.3, 3.0), st.floats(0.0, 1.0),
    st.tuples(st.floats(0.1, 1), st.floats(0.1, 1), st.floats(0.1, 1)), st.floats(-0.3, 0.3),
)  # fmt: skip
def test_the_whole_ratio_is_the_stated_one_and_its_parts_multiply(p, ratio, c, split, slope):
    central = dict(zip(CLIMBED, p))
    split = {step: x / sum(split) for step, x in zip(CLIMBED, split)}
    gains = 10 * np.exp(slope * np.linspace(-1, 1, 5))
    found = solve_ratio(central, READY, WEIGHT, DECILE, c, ratio, split, gains)
    climbed = np.prod([step_probability(found.a[s], found.b[s], c, READY, DECILE) for s in CLIMBED], axis=0)
    fifth = fifth_of(DECILE)
    gain = climbed * gains[fifth - 1]
    ends = [np.average(gain[fifth == k], weights=WEIGHT[fifth == k]) for k in (1, 5)]
    assert ends[0] / ends[1] == pytest.approx(ratio, rel=1e-7)
    assert found.endogenous * found.residual == pytest.approx(found.total, rel=1e-12)
    for step in CLIMBED:
        assert mean(step_probability(found.a[step], found.b[step], c, READY, DECILE)) == pytest.approx(central[step], abs=1e-9)
        assert found.b[step] == pytest.approx(split[step] * sum(found.b.values()), abs=1e-9)


def test_inequality_that_is_already_there_is_not_added_again():
    central = {"taken_up": 0.2, "adhering": 0.5, "responding": 0.8}
    split = dict.fromkeys(CLIMBED, 1 / 3)
    ready = READY - 0.5 * gradient(DECILE)  # deprived places are less ready
    plain = solve_ratio(central, ready, WEIGHT, DECILE, 0.6, 1.0, split, EVEN)
    assert plain.endogenous < 0.95
    again = solve_ratio(central, ready, WEIGHT, DECILE, 0.6, plain.endogenous, split, EVEN)
    assert again.residual == pytest.approx(1.0)
    assert sum(abs(b) for b in again.b.values()) < 1e-6


@settings(max_examples=40, deadline=None)
@given(st.floats(0.3, 3.0), st.floats(-0.3, 0.3))
def test_a_multiplier_keeps_the_mean_gain_and_gives_the_ratio(ratio, slope):
    gains = 10 * np.exp(slope * np.linspace(-1, 1, 5))
    found = solve_multiplier(WEIGHT, DECILE, ratio, gains)
    factor = np.exp(found.a["shift"] + found.b["shift"] * gradient(DECILE))
    fifth = fifth_of(DECILE)
    gain = factor * gains[fifth - 1]
    assert mean(gain) == pytest.approx(mean(gains[fifth - 1]))
    ends = [np.average(gain[fifth == k], weights=WEIGHT[fifth == k]) for k in (1, 5)]
    assert ends[0] / ends[1] == pytest.approx(ratio)


def test_solve_levels_solves_every_step():
    a = solve_levels({"taken_up": 0.2, "adhering": 0.5}, READY, WEIGHT, DECILE, 0.5, {"adhering": 1.0})
    assert mean(step_probability(a["taken_up"], 0, 0.5, READY, DECILE)) == pytest.approx(0.2)
    assert mean(step_probability(a["adhering"], 1, 0.5, READY, DECILE)) == pytest.approx(0.5)


def test_shares_of_none_and_all_are_solved():
    for central in (0.0, 1.0):
        a = solve_level(central, READY, WEIGHT, DECILE, 0.5)
        assert mean(step_probability(a, 0, 0.5, READY, DECILE)) == pytest.approx(central, abs=1e-8)


def refused(*given, sentence, **options):
    with pytest.raises(InputError, match=sentence):
        solve_ratio(*given, **options)


def test_refusals():
    central, split = {"taken_up": 0.2, "adhering": 0.5}, {"taken_up": 0.5, "adhering": 0.5}
    world = (READY, WEIGHT, DECILE, 0.5)
    with pytest.raises(InputError, match=r"The probability of 'taken_up' must lie between 0 and 1, got 1\.2\."):
        solve_level(1.2, READY, WEIGHT, DECILE, step="taken_up")
    with pytest.raises(InputError, match="cannot be solved: nobody in this population is eligible"):
        solve_level(0.2, READY[:0], WEIGHT[:0], DECILE[:0])
    refused(central, *world, 0.0, split, EVEN, sentence="ratio must be above 0, got 0; 1 means the same gain")
    refused(central, *world, 1.0, {"taken_up": 0.4, "adhering": 0.5}, EVEN, sentence="must be shares that add to 1")
    refused(
        central,
        *world,
        1.0,
        split,
        np.array([0, 1, 1, 1, 1.0]),
        sentence="in fifth 1 is 0 minutes, and a ratio needs gains above 0",
    )
    near_all = {"taken_up": 0.999, "adhering": 0.999}
    refused(near_all, *world, 3.0, split, EVEN, sentence="A socioeconomic ratio of 3 cannot be reached: .* between .* and ")
    rich = DECILE > 4
    with pytest.raises(InputError, match="nobody eligible lives in fifth 1"):
        solve_multiplier(WEIGHT[rich], DECILE[rich], 1.2, EVEN)
