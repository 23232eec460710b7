"""Break-even: hand examples with and without discounting, never said as never, and numbers that hold together."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from movesim.errors import InputError
from movesim.outcomes.break_even import break_even, discounted, ends, halved, paid_back, paths, solve
from movesim.outcomes.worth import worth_ledger, worth_of

NONE = np.zeros(1)


def one(cost, gain, delivered, worth=100.0, rate=NONE):
    gain = np.array([gain], float)
    return {k: v[0] for k, v in solve(np.array([cost], float), worth * gain, gain, delivered, rate).items()}


def test_a_gain_of_one_a_year_worth_100_pays_1000_in_so_many_years():
    found = one([500, 500, 0, 0], [1, 1, 1, 1], 2)
    assert found["years_to_keep"] == pytest.approx(8) and found["cost"] == 1000 and found["worth_during"] == 200
    assert found["half_life_needed"] == pytest.approx(8 * np.log(2)), "a gain that halves is worth its half-life over ln 2"
    assert found["half_life_shown"] == np.inf and np.isnan(found["paid_back"])
    assert found["pounds_per_active_year"] == 250 and found["delivery_years"] == 2 and found["seen_years"] == 2


def test_what_delivery_alone_is_worth_needs_no_more():
    found = one([50, 50, 0], [1, 1, 0], 2)
    assert found["years_to_keep"] == found["half_life_needed"] == 0 and found["paid_back"] == 1
    assert found["half_life_shown"] == pytest.approx(0.5)


@pytest.mark.parametrize("gain", [[0, 0, 0], [-1, -1, -1], [5, -1, 0]])
def test_no_gain_at_the_end_of_delivery_is_never(gain):
    found = one([500, 500, 0], gain, 2)
    assert found["years_to_keep"] == found["half_life_needed"] == np.inf and np.isnan(found["half_life_shown"])


def test_discounting_can_make_it_never():
    rate = np.log1p(np.array([0.05]))
    assert one([1000, 0], [1, 1], 1, rate=rate)["years_to_keep"] < 30
    assert one([3000, 0], [1, 1], 1, rate=rate)["years_to_keep"] == np.inf, "for ever is worth about 20 years at 5%"


@settings(max_examples=80, deadline=None)
@given(
    st.floats(10, 5000), st.floats(0.01, 10), st.floats(0, 0.1), st.integers(1, 6), st.floats(0.1, 2000),
)  # fmt: skip
@example(10.0, 3.0, 2.2e-16, 1, 1.0)  # next to no discounting is not none
def test_what_is_asked_for_pays_exactly(cost, gain, discount, delivered, worth):
    """Put the years to keep, or the half-life, back into an integral of their own."""
    rate = np.log1p(np.array([discount]))
    found = one([cost] * delivered + [0.0], [gain] * (delivered + 1), delivered, worth, rate)
    if not 0 < found["years_to_keep"] < 200:
        return
    t = np.linspace(0, found["years_to_keep"], 20_001)
    weights = np.exp(-rate[0] * (delivered + t))
    kept = ((weights[1:] + weights[:-1]) / 2 * np.diff(t)).sum()
    assert found["worth_during"] + gain * worth * kept == pytest.approx(found["cost"], rel=1e-6)
    lasting = 1 / (np.log(2) / found["half_life_needed"] + rate[0]) * np.exp(-rate[0] * delivered)
    assert found["worth_during"] + gain * worth * lasting == pytest.approx(found["cost"], rel=1e-6)


def test_a_year_is_discounted_from_its_own_weeks_on():
    rate = np.log1p(np.array([0.035, 0.0]))
    years = discounted(np.arange(2.0), np.ones(2), rate)
    assert years[0] == pytest.approx([0.983, 0.950], abs=1e-3) and years[1].tolist() == [1, 1]


def test_half_lives_are_read_between_years():
    assert halved(np.array([[8.0, 6.0, 2.0]]), 1).tolist() == [1.5]
    assert halved(np.array([[8.0, 4.0, 2.0], [8.0, 7.0, 6.0], [0.0, 1.0, 1.0]]), 1).tolist()[:2] == [1.0, np.inf]
    assert np.isnan(halved(np.array([[8.0, 4.0]]), 2))


def test_paid_back_counts_from_when_it_stays_so():
    assert paid_back(np.array([[1.0, 5, 0]]), np.array([[2.0, 3, 1]])).tolist() == [3]
    assert np.isnan(paid_back(np.array([[0.0, 0]]), np.array([[0.0, 0]]))), "nothing spent"


def test_quantiles_are_values_that_occur():
    assert ends(np.array([np.nan, 3, np.inf, 1])) == [3, 1, np.inf] and np.isnan(ends(np.array([np.nan]))[0])


# --- from tables ----------------------------------------------------------------------------------------------------
def study():
    """Two pairs, two years: 1,000 adults and 200 children; running programmes cost no change 10 a year."""
    rows = []
    for scenario, up in (("no change", 0.0), ("plan", 0.1)):
        for draw in (0, 1):
            for week in (0, 52, 104):
                for group, people in (("adult", 1000.0), ("child", 200.0)):
                    active = 0.5 + up * (week > 0) * (1 + draw)
                    rows.append(
                        {"scenario": scenario, "draw": draw, "replicate": draw, "week": week, "window": 52, "age_group": group,
                         "axis": "all", "level": "all", "residents": people, "active": active, "inactive": 1 - active}
                    )  # fmt: skip
    money = [
        {"scenario": s, "draw": d, "replicate": d, "year": y, "spent": 10.0 + (1000.0 if s == "plan" and y == 1 else 0)}
        for s in ("no change", "plan") for d in (0, 1) for y in (1, 2)
    ]  # fmt: skip
    return pd.DataFrame(rows), pd.DataFrame(money)


def test_paths_are_on_top_of_no_change():
    found = paths(*study(), "no change")
    assert found.scenarios == ["plan"] and found.delivered.tolist() == [1]
    np.testing.assert_allclose(found.cost[0], [[1000, 0], [1000, 0]])
    np.testing.assert_allclose(found.gain[0, 0], [[100, 100], [200, 200]])
    np.testing.assert_allclose(found.gain[0, 1], [[20, 20], [40, 40]])
    np.testing.assert_allclose(paths(*study(), "no change", "inactive").gain, found.gain)


def test_a_table_with_a_row_for_every_pair():
    worth = lambda pairs: worth_of(pairs["draw"], 1, False, adult=4.0, child=5.0, discount=0.0)  # noqa: E731
    found = break_even(*study(), "no change", worth)
    assert found["draw"].tolist() == [0, 1] and found["cost"].tolist() == [1000, 1000]
    np.testing.assert_allclose(found["years_to_keep"], [1.0, 0.0])
    assert found["paid_back"].tolist() == [2, 1]


def test_a_scenario_without_money_owes_nothing():
    outcomes, money = study()
    worth = lambda pairs: worth_of(pairs["draw"], 1, False)  # noqa: E731
    found = break_even(outcomes, money.iloc[:0], "no change", worth)
    assert found["years_to_keep"].tolist() == [0, 0] and found["delivery_years"].tolist() == [0, 0]


def test_another_outcome_is_refused():
    with pytest.raises(InputError, match=r"The outcome to break even on must be active or inactive, got 'minutes'\."):
        paths(*study(), "no change", "minutes")


# --- worth ----------------------------------------------------------------------------------------------------------
def test_worth_is_drawn_from_its_ledger_and_can_be_given():
    drawn = worth_of([0, 1, 2, 0], 1, True)
    assert drawn["active_adult"].nunique() == 3 and drawn.iloc[0].equals(drawn.iloc[3])
    assert (drawn["discount"] == 0.035).all() and drawn["active_adult"].between(0, 5100).all()
    assert worth_of([5], 1, False).iloc[0].tolist() == [2500, 4100, 0.035]
    given_by_hand = worth_of([5], 1, True, adult=1000, discount=0.015).iloc[0]
    assert given_by_hand["active_adult"] == 1000 and given_by_hand["discount"] == 0.015
    assert {p.status for p in worth_ledger().values()} == {"assumed", "read"} and all(p.ids for p in worth_ledger().values())


@pytest.mark.parametrize(
    ("given_by_hand", "sentence"),
    [
        ({"adult": -1}, r"adult \(pounds for a year of one more active adult\) must be a number of at least 0, got -1\."),
        ({"child": "many"}, r"child .* must be a number of at least 0, got 'many'\."),
        ({"discount": 3.5}, r"discount .* must be a number of at least 0 and below 1, got 3\.5\."),
    ],
)
def test_a_worth_that_cannot_be_is_refused(given_by_hand, sentence):
    with pytest.raises(InputError, match=sentence):
        worth_of([0], 1, False, **given_by_hand)
