"""Steps of the ladder that treat everybody alike: as many people, but nobody's chance depends on who they are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from crowds import Crowd, Run, make_crowd
from movesim.interventions import load_scenario
from movesim.interventions.alike import everywhere, mean_levels, players, step_ratios
from movesim.interventions.ladder import climbing, gradient
from movesim.interventions.targeting import Strata

LEADERS = "community_leaders"
MONEY = {f"scenarios.{LEADERS}.budget.pounds_per_resident_a_year": 500.0, f"scenarios.{LEADERS}.ladder.offered": 0.9}


@pytest.fixture(scope="module")
def many() -> Crowd:
    return make_crowd(12_000, 100, 20)


def made_even(name: str, *steps: str):
    return replace(load_scenario(name), even=frozenset(steps))


def run(crowd: Crowd, name: str, *steps: str) -> Run:
    return Run(
        made_even(name, *steps), crowd, 1, {path.replace(LEADERS, name, 1): value for path, value in MONEY.items()} | MONEY
    )


@pytest.fixture(scope="module")
def plain(many: Crowd) -> Run:
    return run(many, LEADERS)


def test_which_steps_a_scenario_has():
    assert players(load_scenario(LEADERS)) == ("taken_up", "adhering", "responding", "upkeep")
    assert players(load_scenario("community_leaders_targeted")) == ("offered", "taken_up", "adhering", "responding", "upkeep")
    assert players(load_scenario("routes")) == ("responding",)
    assert players(load_scenario("school_day")) == ("adhering", "responding", "upkeep")
    assert players(load_scenario("baseline")) == ()


@pytest.mark.parametrize("name", [LEADERS, "school_day", "routes", "routes_targeted"])
def test_a_ladder_with_every_step_as_it_is_writes_the_same_bits(crowd, name):
    plain, asked = Run(name, crowd, 2, keep=True), Run(made_even(name), crowd, 2, keep=True)
    for ours, theirs in zip(asked.past, plain.past, strict=True):
        assert ours.keys() == theirs.keys()
        assert all(ours[each].tobytes() == theirs[each].tobytes() for each in ours)


@pytest.mark.parametrize("step", ["taken_up", "adhering", "responding", "upkeep"])
def test_an_even_step_knows_neither_readiness_nor_deprivation(many, plain, step):
    """Those who climb it are as ready and as deprived as those who came to it, and are about as many as before."""
    even = run(many, LEADERS, step)
    before = {"taken_up": "offered", "adhering": "placed", "responding": "adhering", "upkeep": "responding"}[step]

    def share(of: Run) -> np.ndarray:
        counts = of.delivery.programmes[0].counts
        return counts[step] / counts[before]

    def whole(of: Run) -> float:
        counts = of.delivery.programmes[0].counts
        return counts[step].sum() / counts[before].sum()

    assert whole(even) == pytest.approx(whole(plain), abs=0.05)
    programme = even.delivery.programmes[0]
    a, b, c = programme.terms(step)
    assert (b, c) == (0.0, 0.0) and climbing(a, b, c, 3.0, 0.5) == pytest.approx(whole(even), abs=0.06)
    others = {"taken_up", "adhering", "responding", "upkeep"} - {step}
    assert all(programme.terms(other)[2] > 0 for other in others)
    if step == "taken_up":  # the steepest: what was uneven is even now
        assert share(plain)[0] > 1.2 * share(plain)[4] and np.ptp(share(even)) < 0.06


def test_an_even_offer_is_as_many_offers_spread_over_everybody(many):
    aimed, even = run(many, "community_leaders_targeted"), run(many, "community_leaders_targeted", "offered")
    residents = np.bincount((many.neighbourhoods["imd_decile"][many.neighbourhood] + 1) // 2 - 1, many.weight, 5)
    offered = [r.delivery.programmes[0].counts["offered"] for r in (aimed, even)]
    assert offered[1].sum() == pytest.approx(offered[0].sum(), rel=0.1)
    density = [o / residents for o in offered]
    assert density[0][0] > 3 * density[0][4]
    np.testing.assert_allclose(density[1], density[1].mean(), rtol=0.25)
    assert np.ptp(even.delivery.programmes[0].fte) == 0, "the workforce is spread evenly too"


def test_routes_and_schools_give_everybody_the_mean_gain(crowd):
    for name in ("routes_targeted", "school_day"):
        plain, even = Run(made_even(name), crowd, 1), Run(made_even(name, "responding"), crowd, 1)
        gain = [r.delivery.programmes[0].gain for r in (plain, even)]
        assert np.ptp(gain[1]) == 0 and gain[0].min() < gain[1][0] < gain[0].max()
        own, residual = even.delivery.programmes[0].step_ratios["responding"]
        assert own == 1.0 and residual != 1.0


def test_each_steps_ratio_is_what_readiness_and_the_rest_make_of_it(crowd):
    table = Run(made_even(LEADERS), crowd, 1, MONEY).delivery.ladder()
    steps = table.drop_duplicates(["intervention", "step"]).set_index("step")
    assert steps.loc[["taken_up", "adhering", "responding", "upkeep"], "step_endogenous"].gt(0).all()
    assert steps.loc["upkeep", "step_residual"] == 1.0 != steps.loc["taken_up", "step_residual"]
    assert "step_endogenous" not in Run(LEADERS, crowd, 1, MONEY).delivery.ladder()


def test_means_are_of_those_who_come_to_a_step():
    ready, tilt, weight = np.array([-1.0, 1.0]), np.array([0.5, -0.5]), np.array([1.0, 3.0])
    terms = {"taken_up": (0.0, 1.0, 2.0), "adhering": (0.5, 0.0, 1.0)}
    first = climbing(0.0, 1.0, 2.0, ready, tilt)
    levels = mean_levels(terms, ("adhering",), weight, ready, tilt)
    mean = np.average(climbing(0.5, 0.0, 1.0, ready, tilt), weights=weight * first)
    assert list(levels) == ["adhering"] and climbing(levels["adhering"], 0, 0, 0, 0) == pytest.approx(mean)
    both = mean_levels(terms, ("taken_up", "adhering"), weight, ready, tilt)
    mean = np.average(climbing(0.5, 0.0, 1.0, ready, tilt), weights=weight)
    assert climbing(both["adhering"], 0, 0, 0, 0) == pytest.approx(mean), "after an even step they are who they were"
    assert mean_levels(terms, ("taken_up",), 0 * weight, ready, tilt) == {}, "nobody comes: nothing to even out"


def test_ratios_split_into_readiness_and_rest():
    decile = np.array([1, 10])
    ratios = step_ratios({"taken_up": (-1.0, 0.8, 0.0)}, np.ones(2), np.zeros(2), np.asarray(gradient(decile)), decile)
    assert ratios["taken_up"][0] == 1.0 and ratios["taken_up"][1] > 1.5
    assert np.isnan(step_ratios({"x": (0.0, 0.0, 0.0)}, np.array([1.0, 0.0]), np.zeros(2), np.zeros(2), decile)["x"][0])


def test_one_group_keeps_the_number_of_offers():
    strata = Strata(np.array([0, 0, 1, -1], np.int8), np.array([0.8, 0.2]), 0)
    eligible = np.array([100.0, 100.0, 600.0, 50.0])
    even = everywhere(strata, eligible, 0.1)
    before = strata.rates(0.1, np.array([200.0, 600.0])) @ np.array([200.0, 600.0])
    assert even.rates(0.1, np.array([800.0])) @ np.array([800.0]) == pytest.approx(before)
    assert even.of.tolist() == [0, 0, 0, -1] and even.share.tolist() == [1.0]
    assert everywhere(strata, 0 * eligible, 0.1).scale == 1.0
