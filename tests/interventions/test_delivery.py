"""What a scenario does in a run: before it starts, as a placebo, while it runs and after it has ended."""

from dataclasses import replace

import numpy as np
import pytest

from crowds import Run, make_crowd
from movesim import draws
from movesim.behaviour.shifts import Shifts
from movesim.errors import InputError, MovesimError
from movesim.interventions import Delivery, load_scenario
from movesim.interventions.doses import KEPT

ALL = ("school_day", "routes", "community_leaders", "school_day_targeted", "routes_targeted", "community_leaders_targeted")


def years(scenario, first, last):
    """A scenario whose interventions run in other years."""
    return replace(scenario, interventions=tuple(replace(i, start_year=first, end_year=last) for i in scenario.interventions))


@pytest.mark.parametrize("name", [*ALL, "three_together"])
def test_nothing_is_touched_before_the_start(name, crowd):
    run = Run(years(load_scenario(name), 3, 4), crowd, years=2)
    assert run.arrays() == {}
    assert run.shifts.take_changes() == set()
    assert run.delivery.money().empty and run.delivery.ladder().empty


def test_it_begins_in_its_first_week(crowd):
    run = Run(years(load_scenario("community_leaders"), 2, 2), crowd, years=2, keep=True)
    assert run.past[51] == {}
    assert run.past[52]["fte"].max() > 0


def test_the_baseline_does_nothing(crowd):
    run = Run("baseline", crowd, years=1)
    assert run.arrays() == {} and run.delivery.pounds_a_year == 0
    assert run.delivery.money().empty


@pytest.mark.parametrize("name", [*ALL, "three_together"])
def test_the_placebo_writes_exact_zeros_and_costs_the_same(name, crowd):
    real, placebo = Run(name, crowd, years=2), Run(name, crowd, years=2, dose=0.0)
    assert any(a.any() for a in real.arrays().values())
    assert placebo.arrays().keys() == real.arrays().keys()
    for array in placebo.arrays().values():
        assert array.tobytes() == bytes(array.nbytes)
    assert placebo.delivery.money().equals(real.delivery.money())


def test_the_placebo_of_a_harm_writes_exact_zeros(crowd):
    harm = {
        name: replace(s, shifts={c: -x for c, x in s.shifts.items()})
        for name, s in Run("three_together", crowd, 1).solved.items()
    }
    run = Run("three_together", crowd, years=1, solve=harm)
    assert min(float(a.min()) for a in run.arrays().values()) < 0
    for array in Run("three_together", crowd, years=1, solve=harm, dose=0.0).arrays().values():
        assert array.tobytes() == bytes(array.nbytes)


def test_a_second_intervention_changes_nothing_of_the_first(crowd):
    together = load_scenario("three_together")
    alone = together.only("community_leaders")
    a, b = Run(alone, crowd, years=2), Run(together, crowd, years=2)
    assert np.array_equal(a.arrays()["S"], b.arrays()["S"])  # the only one that moves social opportunity
    money = b.delivery.money().query("intervention == 'community_leaders'").reset_index(drop=True)
    assert money.equals(a.delivery.money())


def test_shifts_of_several_interventions_add_up(crowd):
    together = load_scenario("three_together")
    parts = [Run(together.only(i.name), crowd, years=3).arrays() for i in together.interventions]
    whole = Run(together, crowd, years=3).arrays()
    for name, array in whole.items():
        np.testing.assert_allclose(array, sum(p[name] for p in parts if name in p), atol=1e-6)


@pytest.mark.parametrize("name", ["school_day", "community_leaders", "routes"])
def test_rows_can_be_in_any_order(name, crowd):
    order = np.random.default_rng(2).permutation(crowd.n)
    a, b = Run(name, crowd, years=2), Run(name, crowd.in_order(order), years=2)
    for key, array in a.arrays().items():
        other = b.arrays()[key]
        if array.shape[-1] == crowd.n:
            assert np.array_equal(array[..., order], other)
        else:
            np.testing.assert_allclose(array, other, rtol=1e-6)
    np.testing.assert_allclose(a.delivery.ladder().reached, b.delivery.ladder().reached)


def test_effects_fade_after_the_end_except_the_kept(crowd):
    plenty = {"scenarios.community_leaders.budget.pounds_per_resident_a_year": 50.0}
    run = Run(years(load_scenario("community_leaders"), 1, 1), crowd, years=8, changes=plenty, keep=True)
    kept = run.delivery.programmes[0].doses.phase == KEPT
    at_end, end = run.past[52]["S"], run.past[-1]["S"]
    assert at_end[kept].min() > 0
    assert np.array_equal(at_end[kept], end[kept])
    fading = (at_end > 0) & ~kept
    assert fading.any()
    half_life = run.values["scenarios.community_leaders.half_life_weeks"]
    still = fading & (end > 0)
    expected = 0.5 ** ((len(run.past) - 4 - 52) / half_life)
    np.testing.assert_allclose(end[still] / at_end[still], expected, rtol=0.02)


def test_the_kept_share_is_the_habit_share(crowd):
    plenty = {"scenarios.community_leaders.budget.pounds_per_resident_a_year": 50.0, "scenarios.community_leaders.c": 0.0}
    ladder = Run("community_leaders", make_crowd(20_000), 3, plenty).delivery.ladder()
    reached = ladder.groupby("step").reached.sum()
    assert reached["upkeep"] / reached["responding"] == pytest.approx(0.5, abs=0.03)
    assert reached["responding"] / reached["adhering"] == pytest.approx(0.8, abs=0.03)


def test_workforce_comes_and_goes(crowd):
    run = Run(years(load_scenario("community_leaders"), 2, 2), crowd, years=3, keep=True)
    residents = run.delivery.programmes[0].setting.residents
    there = run.past[60]["fte"]
    money = run.delivery.money()
    bought = money[(money.unit == "fte_year") & (money.year == 2)].delivered.sum()
    assert (there * residents / 1000).sum() == pytest.approx(bought)
    number = {name: run.values[f"scenarios.community_leaders.workforce.{name}"] for name in ("fte_per_1000", "likeness")}
    expected = number["likeness"] * np.minimum(1, there / number["fte_per_1000"])
    np.testing.assert_allclose(run.past[60]["likeness"], expected)
    assert 0 < expected.max() < number["likeness"]
    assert run.past[104]["fte"].max() == 0 and run.past[104]["likeness"].max() == 0


def test_schools_offer_more_only_while_it_runs(crowd):
    run = Run(years(load_scenario("school_day"), 1, 2), crowd, years=3, keep=True)
    assert run.past[40]["offer"].max() > 0
    assert run.past[40]["offer"][0] == 0  # no school
    assert run.past[104]["offer"].max() == 0
    pupils = np.flatnonzero(run.past[100]["P"])
    assert (crowd.age[pupils] < 16).all() and (run.past[100]["offer"][crowd.school[pupils]] > 0).all()


def test_routes_work_after_their_lag_and_stay(crowd):
    run = Run(years(load_scenario("routes"), 1, 1), crowd, years=5, keep=True)
    lag = run.values["scenarios.routes.lag_weeks"]
    assert run.past[int(lag) - 4]["supply"].max() == 0
    walk, sport = run.past[-1]["supply"][1], run.past[-1]["supply"][3]
    assert walk.max() > 0 and sport.max() == 0
    assert np.array_equal(run.past[200]["supply"], run.past[-1]["supply"])
    served = walk[crowd.neighbourhood] > 0
    assert np.array_equal(run.past[-1]["prompt"][1] > 0, served)


def test_somebody_new_in_a_row_has_no_dose_from_before(crowd):
    other = make_crowd(spare=50)
    scenario = load_scenario("community_leaders")
    run = Run(scenario, other, years=2, changes={"scenarios.community_leaders.budget.pounds_per_resident_a_year": 50.0})
    rows = np.flatnonzero(run.arrays()["S"])[:20]
    other.columns["id"][rows] = np.arange(1, 21, dtype=np.uint64)
    other.columns["id"][other.n : other.n + 50] = np.arange(100, 150, dtype=np.uint64)
    other.alive[other.n : other.n + 50] = True
    other.n += 50
    run.delivery.step(104, run.shifts, other.readiness)
    assert run.arrays()["S"][rows].max() < 0.2 * run.arrays()["S"].max()
    assert run.arrays()["S"].size == other.n


def test_three_weeks_out_of_four_nothing_is_done(crowd):
    run = Run("community_leaders", crowd, years=1)
    run.shifts.take_changes()
    for week in (53, 54, 55):
        run.delivery.step(week, run.shifts, crowd.readiness)
    assert run.shifts.take_changes() == set()


def test_readiness_is_asked_for_the_offered_only(crowd):
    asked = []
    scenario = load_scenario("community_leaders")
    run = Run(scenario, crowd, years=1)
    delivery = Delivery(scenario, run.values, crowd, run.solved, draws.key(1, 0), 1)
    shifts = Shifts(crowd.n, 40, 21)
    delivery.step(0, shifts, lambda domains, rows: asked.append((domains, rows)) or crowd.ready[rows])
    assert asked[0][0] == scenario.interventions[0].domains
    assert 0 < asked[0][1].size < 0.06 * crowd.n


class TestTrials:
    """mode='trial': the study population at full reach, whatever the budget."""

    def test_everybody_of_the_study_is_enrolled(self, crowd):
        run = Run("community_leaders", crowd, years=1, mode="trial")
        ladder = run.delivery.ladder().groupby("step").reached.sum()
        assert ladder["placed"] == pytest.approx(crowd.weight[crowd.age >= 18].sum())
        assert "fte" not in run.arrays() and run.delivery.money().empty

    def test_a_place_is_one_unit_nearer_at_once(self, crowd):
        run = Run("routes", crowd, years=1, mode="trial", keep=True)
        programme = run.delivery.programmes[0]
        shift = run.solved["routes"].shifts["opportunity_physical"]
        np.testing.assert_allclose(run.past[0]["supply"][1], shift * programme.multiplier(programme.setting.decile), rtol=1e-6)
        assert np.array_equal(run.past[0]["supply"], run.past[-1]["supply"])

    def test_all_schools_join(self, crowd):
        run = Run("school_day", crowd, years=1, mode="trial")
        assert (run.arrays()["offer"][1:] > 0).all() and run.arrays()["offer"][0] == 0


def test_refusals(crowd):
    scenario = load_scenario("routes")
    values = scenario.ledger().central()
    solved = Run(scenario, crowd, 1).solved
    key = draws.key(1, 0)
    with pytest.raises(InputError, match="mode must be policy or trial, got 'test'"):
        Delivery(scenario, values, crowd, solved, key, 1, mode="test")
    with pytest.raises(MovesimError, match="The trial of 'routes' has not been solved; solve the trials first"):
        Delivery(scenario, values, crowd, {}, key, 1)
    half = {"routes": replace(solved["routes"], shifts={"opportunity_physical": 1.0})}
    with pytest.raises(MovesimError, match="was not solved for motivation_automatic"):
        Delivery(scenario, values, crowd, half, key, 1)
    with pytest.raises(
        MovesimError, match=r"lack 'scenarios\.routes\.route\.km_per_1000', which the intervention 'routes' needs"
    ):
        Delivery(scenario, {k: v for k, v in values.items() if "km_per" not in k}, crowd, solved, key, 1)
    leaders = load_scenario("community_leaders")
    run = Run(leaders, crowd, 1)
    bare = {"community_leaders": replace(run.solved["community_leaders"], a={})}
    delivery = Delivery(leaders, run.values, crowd, bare, key, 1)
    with pytest.raises(MovesimError, match="The ladder of 'community_leaders' was not solved for 'taken_up'"):
        delivery.step(0, Shifts(crowd.n, 40, 21), crowd.readiness)
    with pytest.raises(MovesimError, match="The intervention 'routes' has no number called 'habit_share'"):
        scenario.interventions[0].value(values, "habit_share")
