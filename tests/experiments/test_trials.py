"""Solving an intervention's strength and how long it lasts, on functions whose answers are known."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from movesim.interventions.bench import keeping, smooth_gains, solve_persistence, solve_strength


@pytest.mark.parametrize("target", [12.5, 40.0, 0.0, -6.0])
def test_a_strength_gives_its_effect(target: float) -> None:
    s, reached, note = solve_strength(lambda s: 25 * np.tanh(s) + 8 * s, target)
    assert abs(reached - target) <= max(0.02 * abs(target), 0.1)
    assert note == ""
    assert np.sign(s) == np.sign(target)


def test_an_effect_out_of_reach_says_so() -> None:
    s, reached, note = solve_strength(lambda s: 5 * np.tanh(s), 20.0)
    assert reached == pytest.approx(5.0, abs=0.01)
    assert note == "The study's effect of 20.0 minutes is out of reach; the closest is 5.0."
    assert s == 6.0


def test_persistence_meets_the_follow_up() -> None:
    persistence, left = solve_persistence(lambda p: 4 + 12 * p**0.7, 10.0)
    assert left == pytest.approx(10.0, abs=0.25)
    assert 0.02 < persistence < 1


def test_persistence_stays_in_its_range() -> None:
    assert solve_persistence(lambda p: 2 + 3 * p, 9.0) == (1.0, 5.0)
    assert solve_persistence(lambda p: 10 + 3 * p, 9.0) == (0.02, pytest.approx(10.06))


def test_what_fades_goes_before_what_is_kept_for_good() -> None:
    halves = [keeping(p) for p in np.linspace(0.02, 1, 50)]
    assert halves[-1] == (1.0, 1.0) and halves[0] == (0.02, 0.04)
    assert all(habit == 1.0 for half_life, habit in halves if half_life > 0.02)
    assert all(a <= b for one, other in itertools.pairwise(halves) for a, b in zip(one, other, strict=True))


def test_gains_by_fifth_lie_on_the_line_through_the_deciles() -> None:
    decile = np.repeat(np.arange(1, 11), 50)
    gain = 30 - 2.0 * (decile - 5.5)
    assert np.allclose(smooth_gains(gain, np.ones(decile.size), decile), [38, 34, 30, 26, 22])
