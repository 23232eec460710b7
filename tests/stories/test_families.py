"""What families of programmes must do that follows from what is known of them, at central numbers."""

from __future__ import annotations

import numpy as np
import pytest

from movesim.interventions.ladder import fifth_of
from stories.world import Life, adults, decile, nothing, settled, under

BUDGET = "budget.pounds_per_resident_a_year"
MANY = 20_000


def gain_by_fifth(life: Life, none: Life, year: int = -1) -> np.ndarray:
    """Minutes a week that adults gained over no change, by fifth of deprivation, shape (5,)."""
    fifth, weight = fifth_of(decile(none.run)), none.run.people.weight
    who = [adults(none.run) & (fifth == k) for k in range(1, 6)]
    return np.array([np.average((life.minutes - none.minutes)[year][w], weights=weight[w]) for w in who])


def starters(life: Life) -> np.ndarray:
    """Residents who began, by fifth, as a share of adults, shape (5,)."""
    began = life.delivery.ladder().query("step == 'placed'").set_index("fifth")["reached"].to_numpy()
    run = life.run
    fifth, who = fifth_of(decile(run)), adults(run)
    return began / np.bincount(fifth[who] - 1, run.people.weight[who], 5)


def test_routes_do_nothing_in_their_first_year_and_something_later() -> None:
    life, none, who = under("routes", 4, numbers={BUDGET: 10.0}), nothing(4), adults(settled())
    by_year = [life.mean(who, year=year) - none.mean(who, year=year) for year in range(4)]
    print(f"routes at £10: minutes gained by year {np.round(by_year, 2)}")
    assert np.array_equal(life.minutes[0], none.minutes[0])  # built, but in nobody's use yet: the very same lives
    assert by_year[3] > 0.1


def test_digital_gives_the_least_deprived_fifth_at_least_twice_as_much() -> None:
    """At equal reach: the same share of adults in every fifth installs it, and what comes of it is compared."""
    equal = {"ladder.offered": 0.9, "ladder.taken_up": 0.8, "uptake_ratio": 1.0, "c": 0.0, BUDGET: 100.0}
    life, none = under("digital", 1, people=MANY, numbers=equal), nothing(1, people=MANY)
    gained, began = gain_by_fifth(life, none), starters(life)
    print(f"digital: {began.round(2)} of adults began by fifth; minutes gained by fifth {gained.round(2)}")
    assert began.max() < 1.1 * began.min()
    assert gained[4] >= 2 * gained[0] > 0


def test_free_leisure_with_outreach_gives_the_most_deprived_more() -> None:
    life, none = under("leisure_access", 2, people=MANY, numbers={BUDGET: 27.0}), nothing(2, people=MANY)
    gained = gain_by_fifth(life, none)
    print(f"free leisure: minutes gained by fifth {gained.round(2)}")
    assert gained[0] > 1.1 * gained[4] > 0


@pytest.mark.parametrize("pounds", [1.0, 10.0])
def test_programmes_of_small_reach_together_stay_under_3_points(pounds: float) -> None:
    life, none, who = under("everything_small", 5, numbers={BUDGET: pounds}), nothing(5), adults(settled())
    change = [life.mean(who, "inactive", year) - none.mean(who, "inactive", year) for year in range(5)]
    spent = life.delivery.money()["spent"].sum() / life.run.people.weight.sum() / 5
    print(
        f"{len(life.delivery.programmes)} programmes of small reach with £{pounds:g}: adult inactivity {np.round(change, 2)} "
        f"points by year at £{spent:.2f} spent per resident a year"
    )
    assert 0 < spent <= pounds * 1.001
    assert min(change) > -3.0 and change[-1] < 0
