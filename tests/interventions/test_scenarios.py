"""The scenarios that come with movesim, and what they say of themselves."""

import numpy as np
import pytest

from crowds import make_crowd, solve_all
from movesim.errors import InputError
from movesim.interventions import (
    describe,
    levels_of,
    list_scenarios,
    load_scenario,
    matches,
    ratio_of,
    solved_of,
    step_probability,
)
from movesim.interventions.solving import per_responder
from movesim.words import STATUSES_OF_NUMBERS

SINGLE = ("school_day", "routes", "community_leaders")
FAMILIES = (
    "school_day", "clubs", "families", "school_travel", "routes", "low_traffic", "cycle_access", "leisure_access",
    "exercise_referral", "health_conversations", "social_prescribing", "community_leaders", "events", "campaigns", "digital",
    "parks", "employers", "strength_balance",
)  # fmt: skip


def test_they_are_all_there_with_no_change_first():
    names = list_scenarios()
    assert names[0] == "baseline"
    assert {*FAMILIES, *(f"{n}_targeted" for n in SINGLE), "three_together"} <= set(names)
    for name in FAMILIES:  # a family's first programme has its name, so that `use:` and `movesim trials` find it
        assert load_scenario(name).interventions[0].name == name


@pytest.mark.parametrize("name", list_scenarios())
def test_every_number_has_a_status_a_meaning_and_can_be_drawn(name):
    scenario = load_scenario(name)
    ledger = scenario.ledger()
    for path, number in ledger.items():
        assert path.startswith("scenarios.") and number.status in STATUSES_OF_NUMBERS
        assert number.meaning and number.unit, path
        assert number.status != "read" or number.ids, path
        if number.distribution != "fixed":
            assert number.low < number.quantile(0.5) < number.high, path
    for draw in range(20):
        values = ledger.draw(1, draw)
        for spec in scenario.interventions:
            assert all(0 <= p <= 1 for p in spec.ladder(values).values())
            assert sum(spec.mechanism.shift_vector(values).values()) == pytest.approx(1)
            assert spec.ratio(values) >= 0.05


def test_all_cost_the_same_per_resident():
    """Equal spends, so that results can be laid side by side; a choice that is stated in every file.

    What makes all programmes work better costs money of its own: those portfolios have a pound more.
    """
    pounds: dict[bool, set[float]] = {False: set(), True: set()}
    for scenario in (load_scenario(n) for n in list_scenarios() if n != "baseline"):
        pounds[bool(scenario.modifiers)].add(scenario.pounds_per_resident(scenario.ledger().central()))
    assert pounds == {False: {1.0}, True: {2.0}}
    assert load_scenario("baseline").pounds_per_resident({}) == 0


def test_a_variant_shares_what_it_does_not_change():
    base, variant, three = (load_scenario(n) for n in ("routes", "routes_targeted", "three_together"))
    assert variant.interventions[0].paths["effect"] == base.interventions[0].paths["effect"] == "scenarios.routes.effect"
    assert variant.interventions[0].where.leakage == "scenarios.routes_targeted.routes.where.leakage"
    assert variant.interventions[0].stream == base.interventions[0].stream
    drawn = [s.ledger().draw(1, 7) for s in (base, variant, three)]
    assert len({d["scenarios.routes.effect"] for d in drawn}) == 1
    study = [s.interventions[0].study_values(d) for s, d in zip((base, variant), drawn)]
    assert study[0] == study[1] and "scenarios.routes.effect" in study[0]
    assert len({d["scenarios.baseline.trend.slope"] for d in drawn}) == 1


def test_every_share_and_step_leads_to_the_ledger():
    scenario = load_scenario("three_together")
    assert set(scenario.ledger()) >= {path for i in scenario.interventions for path in i.paths.values()}
    assert [i.name for i in scenario.only("routes").interventions] == ["routes"]
    assert scenario.only("routes").shares["routes"] == pytest.approx(1 / 3)
    with pytest.raises(InputError, match=r"The scenario 'three_together' has no intervention 'rutes'. Did you mean 'routes'\?"):
        scenario.only("rutes")


def test_studies_are_stated():
    trial = load_scenario("routes").interventions[0].trial
    assert trial.measured == () and trial.follow_up_weeks == 52
    assert trial.also_predicts[0].measured == (1, 2) and trial.also_predicts[0].effect_scale == "reported"
    assert load_scenario("routes").ledger()[trial.also_predicts[0].effect].value == 15.3


def test_the_trend_is_none_at_the_centre_and_shared():
    scenario = load_scenario("routes")
    assert scenario.trend(scenario.ledger().central()) == (0.0, 0.0)
    assert load_scenario("baseline").running


def test_targets_shrink_gains_and_turn_device_minutes_into_reported_ones():
    scenario = load_scenario("school_day")
    spec, values = scenario.interventions[0], scenario.ledger().central()
    assert spec.target_effect(values) == pytest.approx(5 * 0.75 * 1.6)
    harm = {**values, "scenarios.school_day.effect": -2.0}
    assert spec.target_effect(harm) == pytest.approx(-2 * 1.6)
    assert spec.ratio({**values, "scenarios.school_day.ratio": 0.0}) == 0.05


@pytest.mark.parametrize("name", list_scenarios())
def test_they_can_be_told_in_plain_words(name):
    told = describe(load_scenario(name))
    assert told.startswith(load_scenario(name).title)
    assert ("per resident of the place a year" in " ".join(told.split())) == (name != "baseline")
    assert "_" not in told


class TestSolving:
    def setup_method(self):
        self.crowd = make_crowd(3000)
        self.decile = self.crowd.neighbourhoods["imd_decile"][self.crowd.neighbourhood]
        self.world = (self.crowd.ready, self.crowd.weight, self.decile)

    def test_the_first_has_no_gradient_and_the_final_has_the_ratio(self):
        scenario = load_scenario("community_leaders")
        values = scenario.ledger().central()
        spec = scenario.interventions[0]
        first = solved_of(spec, values, 0.8, *self.world)
        assert first.b == {} and first.total_ratio is None and sum(first.shifts.values()) == pytest.approx(0.8)
        final = solve_all(scenario, values, self.crowd)["community_leaders"]
        assert final.total_ratio == spec.ratio(values)
        assert final.endogenous_ratio * final.residual_ratio == pytest.approx(final.total_ratio)
        assert set(final.a) == {"taken_up", "adhering", "responding", "upkeep"}
        assert "residual" in final.note
        p = step_probability(final.a["upkeep"], 0, spec.value(values, "c"), self.crowd.ready, self.decile)
        assert (p * self.crowd.weight).sum() / self.crowd.weight.sum() == pytest.approx(0.5, abs=0.01)

    def test_a_place_has_its_ratio_on_the_shift(self):
        scenario = load_scenario("routes")
        values = scenario.ledger().central()
        final = solve_all(scenario, values, self.crowd)["routes"]
        assert set(final.a) == {"shift"} and final.total_ratio == 1.2
        assert levels_of(scenario.interventions[0], values, *self.world) == {}
        assert ratio_of(scenario.interventions[0], values, [10] * 5, *self.world).endogenous == pytest.approx(1)

    def test_a_ratio_of_those_who_took_it_up_says_nothing_of_who_does(self):
        scenario = load_scenario("digital")
        values, spec = scenario.ledger().central(), scenario.interventions[0]
        final = solve_all(scenario, values, self.crowd)["digital"]
        uptake, ratio = spec.value(values, "uptake_ratio"), spec.ratio(values)
        assert final.total_ratio == pytest.approx(uptake * ratio)
        assert final.endogenous_ratio * final.residual_ratio == pytest.approx(final.total_ratio)
        c, asked = spec.value(values, "c"), matches(self.crowd, spec.who)
        ready, weight, decile = (x[asked] for x in self.world)
        p = {step: step_probability(final.a[step], final.b[step], c, ready, decile) for step in final.b}
        first = solved_of(spec, values, 1.0, ready, weight, decile)
        gain = per_responder(spec, values, first, np.array([9, 9.5, 10, 10.5, 11]), ready, weight, decile)
        took, gained = [], []
        for k in (1, 5):
            here = (decile + 1) // 2 == k
            took.append(np.average(p["taken_up"][here], weights=weight[here]))
            stayed = (p["adhering"] * p["responding"])[here]
            gained.append(gain[k - 1] * np.average(stayed, weights=(weight * p["taken_up"])[here]))
        assert took[0] / took[1] == pytest.approx(uptake)
        assert gained[0] / gained[1] == pytest.approx(ratio)

    def test_a_targeted_variant_has_the_ladder_of_the_universal_one(self):
        found = []
        for name in ("community_leaders", "community_leaders_targeted"):
            scenario = load_scenario(name)
            found.append(solve_all(scenario, scenario.ledger().central(), self.crowd)["community_leaders"])
        assert found[0] == found[1]

    def test_no_gain_no_ratio(self):
        scenario = load_scenario("community_leaders")
        values = scenario.ledger().central()
        final = solve_all(scenario, values, self.crowd, gain=(-1, 0, 0, 0, 1))["community_leaders"]
        assert final.b == {} and final.total_ratio is None
        assert "a socioeconomic ratio has no meaning and none is applied" in final.note

    def test_a_ratio_needs_a_re_run(self):
        scenario = load_scenario("community_leaders")
        values = scenario.ledger().central()
        with pytest.raises(InputError, match="The study of 'community_leaders' must be re-run before its ratio can be solved"):
            solved_of(scenario.interventions[0], values, 1.0, *self.world, enrolled_gain=[1.0] * 5)
