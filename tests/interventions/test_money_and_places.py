"""Budgets, capacities, targeting and leakage: what is bought is what the money allows, in residents."""

from dataclasses import replace

import numpy as np
import pytest

from crowds import Run, make_crowd
from movesim.errors import InputError
from movesim.interventions import load_scenario
from movesim.interventions.scenario import Where
from movesim.interventions.targeting import matches, strata_of

NAMES = ("school_day", "routes", "community_leaders")


def of_year(money, year, unit):
    return money[(money.year == year) & (money.unit == unit)]


@pytest.mark.parametrize("name", NAMES)
def test_money_is_units_times_cost_and_payers_add_up(name, crowd):
    run = Run(name, crowd, years=3)
    money = run.delivery.money()
    assert (money.spent >= 0).all() and (money.undelivered >= 0).all()
    for cost in run.scenario.interventions[0].costs:
        price = run.values[cost.path]
        rows = money[money.unit == cost.unit]
        np.testing.assert_allclose(rows.spent, rows.delivered * price)
        for year in (1, 2, 3):
            year_rows = of_year(money, year, cost.unit)
            for payer, share in cost.payers.items():
                paid = year_rows[year_rows.payer == payer].spent.sum()
                assert paid == pytest.approx(share * year_rows.spent.sum())
    assert set(money.intervention) == {name}


@pytest.mark.parametrize("name", NAMES)
def test_the_budget_cuts_delivery(name, crowd):
    """Never more than the money; nearly all of it where there is enough to buy."""
    path = f"scenarios.{name}.budget.pounds_per_resident_a_year"
    residents = crowd.weight.sum()
    for pounds in (0.25, 0.5):
        spent = Run(name, crowd, years=3, changes={path: pounds}).delivery.money().groupby("year").spent.sum()
        # people are whole, so up to one person's cost may be carried into the next year
        one = 20 * 60 if name == "community_leaders" else 1e-6
        assert spent.cumsum().to_numpy() == pytest.approx(np.arange(1, 4) * pounds * residents, abs=one)
        assert (spent.cumsum() <= np.arange(1, 4) * pounds * residents + 1e-6).all()
    nothing = Run(name, crowd, years=2, changes={path: 0.0})
    assert nothing.delivery.money().spent.sum() == 0
    assert all(not a.any() for a in nothing.arrays().values())


def test_a_portfolio_splits_the_money(crowd):
    run = Run("three_together", crowd, years=2)
    spent = run.delivery.money().groupby(["intervention", "year"]).spent.sum()
    for name in NAMES:
        assert spent[name].sum() == pytest.approx(2 / 3 * crowd.weight.sum(), rel=0.03)


def test_a_sample_buys_what_the_whole_buys():
    """The same residents in half as many agents: the same money, kilometres and places."""
    for name, unit in (("routes", "km"), ("community_leaders", "participant"), ("school_day", "pupil_year")):
        whole = Run(name, make_crowd(4000, weight=5), years=3).delivery.money()
        sample = Run(name, make_crowd(2000, weight=10), years=3).delivery.money()
        bought = [m[m.unit == unit].delivered.sum() for m in (whole, sample)]
        assert bought[1] == pytest.approx(bought[0], rel=0.03)


def test_what_was_wanted_and_not_bought_is_counted(crowd):
    path = "scenarios.community_leaders.budget.pounds_per_resident_a_year"
    little, plenty = (Run("community_leaders", crowd, years=2, changes={path: p}).delivery for p in (0.1, 100.0))
    wanted = [of_year(d.money(), 1, "participant")[["delivered", "undelivered"]].sum().sum() for d in (little, plenty)]
    assert wanted[0] == pytest.approx(wanted[1], rel=0.02)  # the same people come to the first year's door
    assert of_year(plenty.money(), 1, "participant").undelivered.sum() == 0


def test_capacity_cuts_as_money_does(crowd):
    rich = {"scenarios.community_leaders.budget.pounds_per_resident_a_year": 100.0}
    run = Run("community_leaders", crowd, 2, {**rich, "scenarios.community_leaders.workforce.fte_per_1000": 0.01})
    money = run.delivery.money()
    residents = crowd.weight.sum()
    assert of_year(money, 1, "fte_year").delivered.sum() == pytest.approx(residents * 0.01 / 1000)
    starts = money[money.unit == "participant"].delivered.sum()
    assert starts == pytest.approx(2 * 800 * residents * 0.01 / 1000, abs=20)
    rich = {"scenarios.routes.budget.pounds_per_resident_a_year": 1000.0, "scenarios.routes.capacity.km_per_100000": 0.5}
    money = Run("routes", crowd, 2, rich).delivery.money()
    assert of_year(money, 2, "km").delivered.sum() == pytest.approx(0.5 * residents / 100_000)
    rich = {"scenarios.school_day.budget.pounds_per_resident_a_year": 1000.0, "scenarios.school_day.capacity.schools_a_year": 0.1}
    money = Run("school_day", crowd, 1, rich).delivery.money()
    pupils = crowd.weight[(crowd.age >= 5) & (crowd.age <= 15)].sum()
    assert of_year(money, 1, "pupil_year").delivered.sum() == pytest.approx(0.1 * pupils)


def test_a_cost_per_resident_covers_part_of_them(write, crowd):
    path = write(
        "community_leaders", ("      participant:\n        pounds:\n          {value: 15, low: 5, high: 40,",
                              "      resident:\n        pounds:\n          {value: 4, low: 2, high: 8,"),
        ("      fte_year:\n        pounds:\n          {value: 36000, low: 30000, high: 45000,",
         "      participant:\n        pounds:\n          {value: 1, low: 0.5, high: 2,"),
        ("    workforce:\n      fte_per_1000:\n        {value: 0.1, low: 0.05, high: 0.2, distribution: lognormal, "
         'unit: "full-time equivalents per 1,000 residents", status: assumed,\n         meaning: Coordinators that can be found '
         "and kept where the programme runs}\n      likeness:\n        {value: 0.3, low: 0.1, high: 0.5, distribution: beta, "
         "unit: 0 to 1, status: assumed, grade: C, ids: [C06, B06],\n         meaning: How much liker to residents the "
         "workforce is than today's once all of it is there}\n", ""),
        ("      starts_per_fte:", "      starts_per_1000:"), name="cheap",
    )  # fmt: skip
    run = Run(load_scenario(path), crowd, years=1)
    adults = crowd.weight[crowd.age >= 16].sum()
    reached = of_year(run.delivery.money(), 1, "resident")
    assert reached.delivered.sum() * 4 == pytest.approx(crowd.weight.sum())  # all the money: a pound a resident
    assert reached.undelivered.sum() == pytest.approx(adults - reached.delivered.sum())
    offered = run.delivery.ladder().query("step == 'offered'").reached.sum()
    assert offered == pytest.approx(0.4 * reached.delivered.sum(), rel=0.15)
    assert "fte" not in run.arrays()


class TestTargeting:
    def test_universal_reaches_all_fifths_alike(self, crowd):
        ladder = Run("community_leaders", make_crowd(10_000), years=2).delivery.ladder()
        offered = ladder[ladder.step == "offered"].reached
        assert offered.max() / offered.min() < 1.2

    @pytest.mark.parametrize("leakage", [0.0, 0.2, 0.4])
    def test_leakage_is_the_share_of_places_elsewhere(self, leakage):
        people = make_crowd(10_000)
        change = {"scenarios.community_leaders_targeted.community_leaders.where.leakage": leakage,
                  "scenarios.community_leaders_targeted.budget.pounds_per_resident_a_year": 0.2}  # fmt: skip
        run = Run("community_leaders_targeted", people, 2, change)
        placed = run.delivery.ladder().query("step == 'placed'").set_index("fifth").reached
        assert placed[[2, 3, 4, 5]].sum() / placed.sum() == pytest.approx(leakage, abs=0.02)
        fte = run.arrays()["fte"] * run.delivery.programmes[0].setting.residents
        aimed = people.neighbourhoods["imd_decile"] <= 2
        assert fte[~aimed].sum() / fte.sum() == pytest.approx(leakage)

    @pytest.mark.parametrize(("name", "step"), [("routes", "exposed"), ("school_day", "taken_up")])
    def test_places_and_schools_leak_too(self, name, step):
        # enough neighbourhoods and schools that neither group runs out
        people = make_crowd(8000, 200, 200, weight=20)
        change = {f"scenarios.{name}_targeted.{name}.where.leakage": 0.3,
                  f"scenarios.{name}_targeted.budget.pounds_per_resident_a_year": 0.3}  # fmt: skip
        run = Run(f"{name}_targeted", people, 2, change)
        reached = run.delivery.ladder().query("step == @step").set_index("fifth").reached
        assert reached[[2, 3, 4, 5]].sum() / reached.sum() == pytest.approx(0.3, abs=0.12)

    def test_proportionate_gives_more_where_need_is_greater(self, write):
        number = "{value: 3, low: 2, high: 4, distribution: lognormal, status: assumed}"
        path = write(
            "community_leaders", ("{targeting: universal}", f"{{targeting: proportionate, gradient: {number}}}"), name="fair"
        )
        run = Run(load_scenario(path), make_crowd(10_000), years=3)
        programme = run.delivery.programmes[0]
        fte = np.bincount(programme.setting.decile, programme.fte, 11)[1:]
        assert fte[0] / fte[9] == pytest.approx(3.0)
        assert (np.diff(fte) < 0).all()
        placed = run.delivery.ladder().query("step == 'placed'").reached.to_numpy()
        assert placed[0] > 1.6 * placed[4]

    def test_an_authority_alone(self, crowd):
        scenario = load_scenario("routes")
        derby = replace(scenario.interventions[0], where=Where("universal", (), ("Derby",)))
        run = Run(replace(scenario, interventions=(derby,)), crowd, years=4)
        served = run.arrays()["supply"][1] > 0
        assert served.any() and (crowd.neighbourhoods["local_authority"][served] == 1).all()

    def test_refusals(self, crowd):
        spec = load_scenario("routes_targeted").interventions[0]
        values = load_scenario("routes_targeted").ledger().central()
        g = crowd.neighbourhoods
        rest = (np.ones(40), g["local_authority"], crowd.local_authorities)

        def strata(where, decile=g["imd_decile"], rest=rest):
            return strata_of(replace(spec, where=where), values, decile, *rest)

        with pytest.raises(
            InputError, match=r"'routes' is for Darby, which is no authority of this place. Did you mean 'Derby'\?"
        ):
            strata(Where("universal", (), ("Darby",)))
        with pytest.raises(InputError, match=r"targeted to IMD deciles \[1, 2\], and this place has none of them there; widen"):
            strata(Where("targeted", (1, 2)), np.full(40, 9))
        with pytest.raises(InputError, match="'routes' reaches no neighbourhood of this place; widen 'where'"):
            strata(Where("universal"), rest=(np.zeros(40), *rest[1:]))


def test_queries_on_people(write, crowd):
    query = '{ages: [40, 60], sex: [female], impairments: ["2", "3+"], in_work: true, income_rank: [0, 0.4]}'
    path = write("community_leaders", ("{ages: [16, 120]}", query), name="narrow")
    found = matches(crowd, load_scenario(path).interventions[0].who)
    expected = (crowd.age >= 40) & (crowd.age <= 60) & (crowd.sex == 1) & (crowd.impairments >= 2) & (crowd.in_work == 1)
    assert np.array_equal(found, expected & (crowd.income_rank <= 0.4))
