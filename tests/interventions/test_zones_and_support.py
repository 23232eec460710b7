"""Zones and wear, boosters, campaigns, modifiers and money: each does what it says and nothing else."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crowds import Crowd, Run, make_crowd
from movesim.interventions import load_scenario

FIXED = "{value: %s, status: assumed, distribution: fixed, meaning: for a test}"
MONEY = "scenarios.mine.budget.pounds_per_resident_a_year"


def part(base: str, key: str, end: str) -> str:
    """The text of a setting of an intervention, up to the one after it."""
    found = re.search(rf"    {key}:\n.*?(?=    {end}:)", load_scenario(base).path.read_text(), re.S)
    assert found
    return found.group()


def a_zone(write, wear: bool = True):
    """Routes as a zone of 100 pounds a resident and 20 a year."""
    worn = f"    wear_per_year: {FIXED % 0.3}\n" if wear else ""
    cost = "      %s:\n        pounds: " + FIXED + "\n        payers: {local_authority: 1}\n"
    return write(
        "routes",
        (part("routes", "route", "ratio"), "    zone: {}\n" + worn),
        (part("routes", "capacity", "costs"), f"    capacity:\n      residents_per_1000: {FIXED % 200}\n"),
        (part("routes", "costs", "evidence"), "    costs:\n" + cost % ("resident", 100) + cost % ("resident_year", 20)),
        (re.search(r"      opportunity_physical: .*\n", part("routes", "mechanism", "lag_weeks")).group(),
         "      opportunity_physical: {weight: 4, domains: [travel_walk, cycle]}\n      opportunity_social: {weight: 1}\n"),
        ("    functions: [", "    reason: For a test.\n    functions: ["),
        name="mine",
    )  # fmt: skip


# --- zones --------------------------------------------------------------------------------------------------------------
def test_a_zone_serves_residents_as_fast_as_capacity_and_money_allow(write, crowd):
    run = Run(load_scenario(a_zone(write)), crowd, years=4, changes={MONEY: 1000.0})
    zone, money = run.delivery.programmes[0], run.delivery.money()
    residents = crowd.weight.sum()
    new = money[money.unit == "resident"].groupby("year").delivered.sum()
    assert new.to_numpy() == pytest.approx([0.2 * residents] * 4)  # 200 in 1,000 a year
    assert new.sum() == pytest.approx((zone.built * zone.needed).sum()) and zone.built.max() == 1
    assert zone.dose.max() <= zone.gain.max() + 1e-12 and (zone.condition == 1).all()  # all upkeep is paid
    kept_up = money[money.unit == "resident_year"].groupby("year")[["delivered", "undelivered"]].sum()
    assert kept_up.undelivered.sum() == 0 and kept_up.delivered.is_monotonic_increasing
    social = run.arrays()["S"]
    assert np.array_equal(social > 0, zone.level[crowd.neighbourhood] > 0) and set(run.arrays()) == {"supply", "prompt", "S"}
    slow = Run(load_scenario(a_zone(write)), crowd, years=2, changes={MONEY: 10.0})
    spent = slow.delivery.money().groupby("year").spent.sum().cumsum()
    assert spent.to_numpy() == pytest.approx(np.array([1, 2]) * 10 * residents)
    assert slow.delivery.money().query("unit == 'resident'").undelivered.sum() > 0


def test_what_is_not_kept_up_wears_and_nothing_else_does(write, crowd):
    scenario = load_scenario(a_zone(write))
    path = "scenarios.mine.routes.costs.resident_year.pounds"
    assert path in scenario.ledger()
    rich = Run(scenario, crowd, years=3, changes={MONEY: 1000.0})
    # A year of building is paid and then upkeep costs far more than there is.
    poor = Run(scenario, crowd, years=3, changes={MONEY: 20.0, path: 20_000.0})
    built = poor.delivery.programmes[0]
    assert (rich.delivery.programmes[0].condition == 1).all()
    assert built.condition[built.built == 0].min() == 1 and 0.3 < built.condition[built.built > 0].min() < 0.7
    plain = Run(load_scenario(a_zone(write, wear=False)), crowd, years=3, changes={MONEY: 20.0, path: 20_000.0})
    assert (plain.delivery.programmes[0].condition == 1).all()
    assert (poor.arrays()["supply"] <= plain.arrays()["supply"]).all() and poor.arrays()["supply"].any()


def test_after_the_end_nobody_keeps_it_up(write, crowd):
    path = a_zone(write)
    path.write_text(path.read_text().replace("end_year: 10", "end_year: 1"))
    run = Run(load_scenario(path), crowd, years=3, changes={MONEY: 1000.0})
    zone = run.delivery.programmes[0]
    assert zone.condition[zone.built > 0] == pytest.approx((1 - 0.3) ** 2)
    assert set(run.delivery.money().year) == {1}


# --- the school's way ---------------------------------------------------------------------------------------------------
def test_a_school_may_move_how_pupils_come_there(write, crowd):
    to = ("      opportunity_physical: {weight: 4}", "      opportunity_physical: {weight: 4, domains: [travel_walk, cycle]}")
    run = Run(load_scenario(write("school_day", to, name="mine")), crowd, years=2, changes={MONEY: 20.0})
    arrays, doses = run.arrays(), run.delivery.programmes[0].doses
    assert "offer" not in arrays and not arrays["access"][[0, 3, 4, 5]].any()
    reached = doses.level > 0
    assert reached.any() and (crowd.columns["school"][reached] > 0).all()
    assert np.array_equal(arrays["access"][1] > 0, reached) and np.array_equal(arrays["access"][1], arrays["access"][2])


def test_participants_gain_access_in_its_domains(write, crowd):
    to = ("      opportunity_social: {weight: 3}", "      opportunity_physical: {weight: 3, domains: [sport]}")
    run = Run(load_scenario(write("community_leaders", to, name="mine")), crowd, years=2)
    access, level = run.arrays()["access"], run.delivery.programmes[0].doses.level
    assert not access[[0, 1, 2, 4, 5]].any() and np.array_equal(access[3] != 0, level > 0) and (level > 0).sum() > 20
    none = Run(load_scenario(write("community_leaders", to, name="mine")), crowd, years=2, dose=0.0)
    assert all(not array.view(np.int32 if array.itemsize == 4 else np.int64).any() for array in none.arrays().values())


# --- boosters -----------------------------------------------------------------------------------------------------------
BOOSTER = f"    booster: {{every_weeks: {FIXED % 26}, restores: {FIXED % 0.8}}}\n    capacity:"
BOOSTED = "      booster:\n        pounds: " + FIXED % 5 + "\n        payers: {nhs: 1}\n      participant:\n"


def test_boosters_keep_more_for_money(write, crowd):
    swaps = [("    capacity:", BOOSTER), ("      participant:\n", BOOSTED), ("end_year: 10", "end_year: 4")]
    with_them, without = (
        Run(load_scenario(write("community_leaders", *s, name="mine")), crowd, years=5, changes={MONEY: 3.0})
        for s in (swaps, swaps[2:])
    )
    money = with_them.delivery.money()
    met = money[money.unit == "booster"]
    assert met.delivered.sum() > 0 and met.spent.sum() == pytest.approx(5 * met.delivered.sum())
    assert set(met[met.delivered > 0].year) <= {2, 3, 4}  # the first have left within a year; nobody is met after the end
    spent = money.groupby("year").spent.sum().cumsum()
    assert (spent <= 3.0 * crowd.weight.sum() * spent.index.to_numpy() + 1e-6).all()
    level = [run.delivery.programmes[0].doses.level for run in (with_them, without)]
    started = [run.delivery.ladder().query("step == 'responding'").reached.sum() for run in (with_them, without)]
    assert level[0].sum() / started[0] > 1.1 * level[1].sum() / started[1]
    assert set(without.delivery.money().unit) == {"fte_year", "participant"}


# --- campaigns ----------------------------------------------------------------------------------------------------------
def two(write, raises: float, same: float = 0.7):
    """Community leaders, and a campaign that moves next to nothing, each with half the money."""
    campaign = ("    capacity:", f"    raises_reach: {FIXED % raises}\n    capacity:")
    first = write("community_leaders", ("functions: [Modelling, Enablement, Persuasion, Training]",
                                         "functions: [Incentivisation]\n    reason: For a test."),
                  ("  - name: community_leaders", "  - name: campaign"), campaign, name="campaign")  # fmt: skip
    text = first.read_text().split("interventions:")[0].replace("\nbudget:\n", "\nbudget:\n  split: equal\n")
    path = first.with_name("mine.yaml")
    path.write_text(text + "interventions:\n  - use: community_leaders\n  - use: campaign\n")
    return load_scenario(path)


def test_a_campaign_raises_the_uptake_of_what_else_is_offered_to_those_it_reaches(write, crowd):
    changes = {MONEY: 2000.0, "scenarios.campaign.ladder.offered": 1.0, "scenarios.campaign.ladder.taken_up": 0.999,
               "scenarios.community_leaders.capacity.starts_per_fte": 1e6, "scenarios.campaign.capacity.starts_per_fte": 1e6,
               "scenarios.campaign.duration_weeks": 520.0}  # fmt: skip
    taken, alone, lifted = {}, [], []
    for raises in (1.0, 1.5):
        run = Run(two(write, raises), crowd, years=2, changes=changes)
        ladder = run.delivery.ladder()
        leaders, campaign = (ladder[ladder.intervention == name] for name in ("community_leaders", "campaign"))
        taken[raises] = leaders[leaders.step == "taken_up"].reached.sum() / leaders[leaders.step == "offered"].reached.sum()
        alone.append(campaign.reached.to_numpy())
        lifted.append(set(np.flatnonzero(run.delivery.programmes[0]._counted["taken_up"])))
    assert np.array_equal(*alone)  # nobody raises the campaign itself
    assert 1.1 < taken[1.5] / taken[1.0] < 1.5  # in the first weeks few have heard of it yet
    assert lifted[0] < lifted[1]  # whoever came anyway still comes


def test_an_uptake_is_never_more_than_everybody(write, crowd):
    changes = {MONEY: 2000.0, "scenarios.community_leaders.ladder.taken_up": 0.9}
    run = Run(two(write, 50.0), crowd, years=2, changes=changes)
    ladder = run.delivery.ladder().query("intervention == 'community_leaders'")
    assert ladder[ladder.step == "taken_up"].reached.sum() <= ladder[ladder.step == "offered"].reached.sum()


# --- modifiers ----------------------------------------------------------------------------------------------------------
def modified(write, base: str = "community_leaders", **numbers: float):
    """A scenario with a modifier from year 1 to 2."""
    effects = "".join(f"  {name}: {FIXED % value}\n" for name, value in {"ramp_weeks": 52, **numbers}.items() if name != "price")
    price = FIXED % numbers.get("price", 0.5)
    text = (
        f"modifiers:\n- name: whole\n  title: Whole system\n  start_year: 1\n  end_year: 2\n{effects}"
        f"  costs: {{resident_year: {{pounds: {price}, payers: {{nhs: 0.5, sport_england: 0.5}}}}}}\nbudget:\n"
    )
    return load_scenario(write(base, ("\nbudget:\n", "\n" + text), name="mine"))


def test_modifiers_are_paid_first_and_grow_over_their_ramp(write, crowd):
    run = Run(modified(write, reach=1.5, ratio=2.0, habit_share=0.1), crowd, years=3, changes={MONEY: 2.0})
    money, residents = run.delivery.money(), crowd.weight.sum()
    paid = money[money.intervention == "whole"]
    assert set(paid.year) == {1, 2} and set(paid.payer) == {"nhs", "sport_england"} and (paid.undelivered == 0).all()
    assert paid.groupby("year").spent.sum().to_numpy() == pytest.approx([0.5 * residents] * 2)
    others = money[money.intervention != "whole"].groupby("year").spent.sum() / residents
    assert others[1] <= 1.5 + 1e-6 and others[2] <= 1.6 and others[3] == pytest.approx(2.0, rel=0.05)
    modifiers = run.delivery.modifiers
    modifiers.year = 0
    modifiers.pay(1, 1e9)
    assert modifiers.support(0).reach == 1 and modifiers.support(0).ratio == 1
    half = modifiers.support(26)
    assert (half.reach, half.ratio, half.habit_share) == pytest.approx((1.25, 1.5, 0.05))
    assert modifiers.support(90).reach == pytest.approx(1.5)
    modifiers.pay(3, 1e9)
    assert modifiers.support(110).reach == 1  # it has ended


def test_what_is_half_paid_does_half(write, crowd):
    run = Run(modified(write, reach=1.5, price=4.0), crowd, years=1, changes={MONEY: 2.0})
    money = run.delivery.money().groupby(["intervention", "unit"])[["spent", "delivered", "undelivered"]].sum()
    whole = money.loc["whole", "resident_year"]
    assert whole.spent == pytest.approx(2 * crowd.weight.sum()) and whole.undelivered == pytest.approx(whole.delivered)
    assert money.loc["community_leaders"].spent.sum() == 0  # nothing is left for it
    assert run.delivery.modifiers.support(52).reach == pytest.approx(1.25)


def test_a_modifier_reaches_more_people_and_more_of_the_poorest(write, crowd):
    changes = {MONEY: 1000.0, "scenarios.mine.ramp_weeks": 0.0}
    plain = Run(modified(write, reach=1.0), crowd, years=2, changes=changes)
    steps = lambda run, step: run.delivery.ladder().query("step == @step").reached.to_numpy()  # noqa: E731
    more = Run(modified(write, reach=1.5), crowd, years=2, changes={**changes, "scenarios.mine.whole.ramp_weeks": 0.0})
    assert 1.15 < steps(more, "offered").sum() / steps(plain, "offered").sum() < 1.5
    fairer = Run(modified(write, ratio=2.0), crowd, years=2, changes={**changes, "scenarios.mine.whole.ramp_weeks": 0.0})
    assert np.array_equal(steps(fairer, "offered"), steps(plain, "offered"))
    gain = steps(fairer, "taken_up") / steps(plain, "taken_up")
    assert gain[0] > 1.15 > 0.9 > gain[4]
    lasting = Run(modified(write, habit_share=0.4), crowd, years=2, changes={**changes, "scenarios.mine.whole.ramp_weeks": 0.0})
    assert np.array_equal(steps(lasting, "responding"), steps(plain, "responding"))
    assert steps(lasting, "upkeep").sum() > 1.4 * steps(plain, "upkeep").sum()
    zone = Run(
        modified(write, base="routes", ratio=2.0), crowd, years=3, changes={**changes, "scenarios.mine.whole.ramp_weeks": 0.0}
    )
    leaning = zone.delivery.programmes[0]
    leaning.support = leaning.support.__class__(ratio=2.0)
    assert leaning.leaning()[0] / leaning.leaning()[9] == pytest.approx(2 ** (9 / 8))


# --- together -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("shared", [True, False])
def test_the_same_function_twice_gives_less_and_two_functions_their_sum(write, crowd, shared):
    scenario = two(write, 1.0)
    if shared:
        scenario = load_scenario(write("three_together", ("  - use: school_day\n  - use: routes\n  - use: community_leaders\n",
                                  "  - use: community_leaders\n  - use: campaign\n"), name="mine"))  # fmt: skip
        path = scenario.path.with_name("campaign.yaml")
        path.write_text(
            path.read_text().replace("[Incentivisation]\n    reason: For a test.", "[Persuasion]\n    reason: For a test.")
        )
        scenario = load_scenario(scenario.path)
    changes = {MONEY: 200.0, "scenarios.community_leaders.ladder.offered": 1.0, "scenarios.campaign.ladder.offered": 1.0}
    alone = {
        name: Run(scenario.only(name), crowd, years=2, changes=changes).arrays() for name in ("community_leaders", "campaign")
    }
    both = Run(scenario, crowd, years=2, changes=changes).arrays()
    assert set(both) == set(alone["campaign"])
    for name in ("S", "Y", "R", "prompt"):
        one, other = alone["community_leaders"][name], alone["campaign"][name]
        two_at_once = (one > 0) & (other > 0)
        assert two_at_once.sum() > 20
        assert np.array_equal(both[name][~two_at_once], (one + other)[~two_at_once])
        largest, least = np.maximum(one, other)[two_at_once], np.minimum(one, other)[two_at_once]
        assert np.allclose(both[name][two_at_once], largest + (0.7 if shared else 1.0) * least, rtol=1e-5)
    assert np.array_equal(both["fte"], alone["campaign"]["fte"] + alone["community_leaders"]["fte"])


SMALL = make_crowd(500, neighbourhoods=20, schools=8)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    pounds=st.floats(0.01, 300), capacity=st.floats(0.2, 300), price=st.floats(0.5, 200), wear=st.floats(0, 1),
    upkeep=st.floats(0, 40), every=st.floats(4, 60), modifier=st.floats(0, 3), reach=st.floats(0.5, 3),
)  # fmt: skip
def test_money_is_never_overspent_and_what_was_planned_is_delivered_or_not(
    write, pounds, capacity, price, wear, upkeep, every, modifier, reach
):
    crowd: Crowd = SMALL
    for base in ("zone", "people"):
        if base == "zone":
            path = a_zone(write)
        else:
            path = write("community_leaders", ("    capacity:", BOOSTER), ("      participant:\n", BOOSTED), name="mine")
        text = f"modifiers:\n- name: whole\n  title: Whole\n  start_year: 1\n  end_year: 2\n  reach: {FIXED % reach}\n"
        text += f"  ramp_weeks: {FIXED % 0}\n"
        text += f"  costs: {{resident_year: {{pounds: {FIXED % modifier}, payers: {{nhs: 1}}}}}}\nbudget:\n"
        path.write_text(path.read_text().replace("\nbudget:\n", "\n" + text))
        scenario = load_scenario(path)
        spec = scenario.interventions[0]
        stated = {
            MONEY: pounds, spec.paths.get("capacity.residents_per_1000"): capacity, spec.paths.get("costs.resident"): price,
            spec.paths.get("costs.resident_year"): upkeep, spec.paths.get("wear_per_year"): wear,
            spec.paths.get("booster.every_weeks"): every, spec.paths.get("costs.participant"): price,
        }  # fmt: skip
        run = Run(scenario, crowd, years=3, changes={path: x for path, x in stated.items() if path is not None})
        money = run.delivery.money()
        spent = money.groupby("year").spent.sum().cumsum()
        assert (spent <= pounds * crowd.weight.sum() * spent.index.to_numpy() * (1 + 1e-9) + 1e-6).all()
        assert (money[["spent", "delivered", "undelivered"]] >= -1e-9).all().all()
        paid = money[money.intervention == "whole"].groupby("year")[["delivered", "undelivered"]].sum().sum(axis=1)
        assert paid.to_numpy() == pytest.approx(np.full(2, crowd.weight.sum()))
        programme = run.delivery.programmes[0]
        if base == "zone":
            served = money[money.unit == "resident"].groupby("year")[["delivered", "undelivered"]].sum()
            before = served.delivered.cumsum().shift(fill_value=0).to_numpy()
            limit = (
                capacity
                / 1000
                * np.where(
                    served.index <= 2,
                    1 + (reach - 1) * run.delivery.modifiers.accounts[0].delivered(1, "resident_year") / crowd.weight.sum(),
                    1.0,
                )
            )
            planned = np.minimum(limit * crowd.weight.sum(), crowd.weight.sum() - before)
            assert served.sum(axis=1).to_numpy() == pytest.approx(planned, rel=1e-6, abs=1e-6)
            assert (programme.dose <= programme.gain * 1.0000001).all() and (programme.condition <= 1).all()
        else:
            hired = money[money.unit == "fte_year"].groupby("year")[["delivered", "undelivered"]].sum().sum(axis=1)
            wanted = run.values[spec.paths["workforce.fte_per_1000"]] * crowd.weight.sum() / 1000
            assert hired.to_numpy() == pytest.approx(np.full(3, wanted))
