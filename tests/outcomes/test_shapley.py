"""Shapley shares: they add up exactly, a player that does nothing has none, alike players have alike shares."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fifths import BASE, outcomes_table
from movesim.errors import MovesimError
from movesim.outcomes.comparison import compare
from movesim.outcomes.gaps import gaps
from movesim.outcomes.shapley import EFFECT, ladder_shares, shapley

STEPS = {"plan": ("offered", "taken_up")}


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 5), st.integers(0, 2**31))
def test_shares_add_up_and_a_player_that_does_nothing_has_none(players, seed):
    values = np.random.default_rng(seed).normal(size=(2**players, 3))
    shares = shapley(values)
    np.testing.assert_allclose(shares.sum(axis=0), values[-1] - values[0], atol=1e-12)
    if players:
        idle = values[np.arange(2**players) & ~1]  # player 0 changes nothing
        np.testing.assert_allclose(shapley(idle)[0], 0, atol=1e-12)


def test_what_one_has_alone_and_what_is_shared():
    assert shapley(np.array([0.0, 1.0, 3.0, 4.0])).tolist() == [1.0, 3.0]
    assert shapley(np.array([0.0, 0.0, 0.0, 2.0])).tolist() == [1.0, 1.0]


def test_a_missing_coalition_is_refused():
    with pytest.raises(MovesimError, match=r"a value for every coalition, 2 to the number of players; got 3"):
        shapley(np.zeros(3))


def coalitions():
    """No change, a plan, and the plan with two steps on and off: offered narrows, taking up widens, the effect widens."""
    offered, taken = np.array([-0.02, -0.01, 0, 0, 0.01]), np.array([0.004, 0, 0, 0, -0.01])
    effect = np.array([-0.01, -0.01, -0.01, -0.02, -0.02])
    change = {0: effect, 1: effect + offered, 2: effect + taken, 3: effect + offered + taken + 0.002 * np.arange(5)}
    noise = np.random.default_rng(3).normal(0, 0.002, (4, 3, 5))
    arrays = {str(on): BASE + c + noise[on] for on, c in change.items()}
    table = outcomes_table(arrays)
    return outcomes_table({"no change": BASE, "plan": arrays["3"]}), table.assign(
        on=table["scenario"].astype(int), scenario="plan"
    )


def test_shares_and_what_is_left_add_up_to_the_change_of_every_gap():
    main, runs = coalitions()
    found = ladder_shares(main, runs, STEPS, "no change")
    assert list(dict.fromkeys(found["step"])) == ["offered", "taken_up", EFFECT]
    cells = ["scenario", "age_group", "axis", "outcome", "measure", "level", "week"]
    total = found.groupby(cells)["share"].sum()
    own = compare(main, gaps(main), "no change").set_index(cells)["mean_difference"]
    assert len(total) > 20
    np.testing.assert_allclose(total, own.reindex(total.index), atol=1e-9)
    gap = found[(found["axis"] == "imd_fifth") & (found["measure"] == "absolute") & (found["outcome"] == "inactive")]
    shares = gap.set_index("step")["share"]
    assert shares["offered"] < 0 < shares["taken_up"] and shares[EFFECT] > 0


def test_a_combination_that_was_not_run_is_said():
    main, runs = coalitions()
    with pytest.raises(MovesimError, match=r"1 of 4 combinations of the steps of 'plan' were not run\."):
        ladder_shares(main, runs[runs["on"] != 2], STEPS, "no change")
    assert ladder_shares(main, runs.iloc[:0], STEPS, "no change").empty
