"""Who is asked for, whose access moves, and that programmes for people who never meet do not know of each other."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from movesim.behaviour.rules import References, behaviour_ledger, make_rules
from movesim.behaviour.simulation import Simulation
from movesim.interventions import Delivery, load_scenario, matches, solved_of
from movesim.interventions.scenario import Where, Who
from movesim.words import DOMAIN, TIES
from small import small_population

CYCLE = DOMAIN["cycle"]


@lru_cache
def start() -> Simulation:
    """A settled place whose authorities have no ties between them."""
    place = small_population(1500)
    home = place.neighbourhoods["local_authority"][place.people["neighbourhood"]]
    n = home.size
    far = (place.ties < n) & (home[np.minimum(place.ties, n - 1)] != home[:, None])
    place.ties[far], place.tie_kind[far] = n, -1
    run = Simulation(place, make_rules(behaviour_ledger().central()), References.first_guess())
    run.week = -26
    run.run(26)
    assert far.any() and run.people.ties.shape[1] == TIES
    return run


# --- who ----------------------------------------------------------------------------------------------------------------
def test_how_active_people_were_is_asked_at_their_age() -> None:
    people = start().people
    mean, age = people.mean[: people.n], people.age
    for status, low, high, child_low, child_high in ((0, -1, 30, -1, 210), (1, 30, 150, 210, 420), (2, 150, 1e9, 420, 1e9)):
        adult = (age >= 16) & (mean >= low) & (mean < high)
        child = (age >= 5) & (age < 16) & (mean >= child_low) & (mean < child_high)
        assert np.array_equal(matches(people, Who(status=(status,))), (adult | child) & people.alive[: people.n])
    both = matches(people, Who(status=(0, 1)))
    assert (
        np.array_equal(both, matches(people, Who(status=(0,))) | matches(people, Who(status=(1,)))) and 0 < both.sum() < people.n
    )
    rows = np.arange(7, 300)
    assert np.array_equal(matches(people, Who(status=(0, 1)), rows), both[rows])


def test_households_with_children() -> None:
    people = start().people
    asked = matches(people, Who(ages=(16, 120), with_children=True))
    for row in range(300):
        home = [p for p in range(people.n) if people.household[p] == people.household[row]]
        child = any(5 <= people.age[p] < 16 for p in home)
        assert asked[row] == (child and people.age[row] >= 16)
    neither = matches(people, Who(ages=(16, 120), with_children=False))
    assert not (asked & neither).any() and (asked | neither).sum() == (people.age >= 16).sum()
    own = matches(people, Who(ages=(5, 15), with_children=True))
    assert own.sum() == ((people.age >= 5) & (people.age < 16)).sum()


# --- access -------------------------------------------------------------------------------------------------------------
def test_access_moves_minutes_in_its_domain_and_of_participants() -> None:
    plain, opened = start().branch(), start().branch()
    people = opened.people
    part = (np.arange(people.capacity) % 3 == 0) & (people.columns["age"] >= 16)
    opened.shifts.array("access")[CYCLE, part] = 1.5
    opened.shifts.touched("access", np.flatnonzero(part))
    for run in (plain, opened):
        run.people.domain_minutes[:] = 0
        run.step()
    before, after = plain.people.domain_minutes, people.domain_minutes
    assert np.array_equal(before[:, ~part], after[:, ~part])
    assert (after[CYCLE] >= before[CYCLE] - 1e-4).mean() > 0.99 and after[CYCLE, part].sum() > 1.3 * before[CYCLE, part].sum()
    rest = np.delete(np.arange(6), CYCLE)
    same = (after[CYCLE] > 0) == (before[CYCLE] > 0)
    assert np.array_equal(before[:, same], after[:, same])
    assert np.array_equal(before[rest] > 0, after[rest] > 0)  # nobody starts or stops anything else
    opened.shifts.array("access")[:] = 0
    opened.shifts.touched("access", np.flatnonzero(part))
    opened.step()
    assert np.array_equal(opened.log_A_star, people.log_A)
    assert np.array_equal(opened.readiness((CYCLE,)), replace_access(opened))


def replace_access(run: Simulation) -> np.ndarray:
    """Readiness of the same run with its baseline access."""
    other = run.branch()
    other.log_A_star = other.people.log_A
    return other.readiness((CYCLE,))


# --- apart --------------------------------------------------------------------------------------------------------------
@lru_cache
def lived(*names: str) -> tuple[Simulation, Delivery]:
    """Community leaders in the first authority, routes in the second: those named, alone or together."""
    run, scenario = start().branch(), load_scenario("three_together")
    places = {"community_leaders": "Aford", "routes": "Beford"}
    kept = tuple(replace(i, where=Where("universal", (), (places[i.name],))) for i in scenario.interventions if i.name in names)
    scenario = replace(scenario, interventions=kept)
    values, people, solved = {**scenario.ledger().central(), scenario.budget: 300.0}, run.people, {}
    for spec in kept:
        who = matches(people, spec.who)
        ready = run.readiness(spec.domains)[who].astype(np.float64)
        decile = people.neighbourhoods["imd_decile"][people.neighbourhood][who]
        values |= {spec.paths["lag_weeks"]: 0.0}
        solved[spec.name] = solved_of(spec, values, 1.5, ready - ready.mean(), people.weight[who], decile)
    delivery = Delivery(scenario, values, people, solved, run.key, 1)
    while run.week < 60:
        delivery.step(run.week, run.shifts, run.readiness)
        run.step()
        if run.week % 52 == 0:
            run.turn_of_the_year()
    return run, delivery


@pytest.mark.parametrize(("name", "authority"), [("community_leaders", 0), ("routes", 1)])
def test_programmes_for_people_who_never_meet_do_not_know_of_each_other(name: str, authority: int) -> None:
    both, alone, nothing = lived("community_leaders", "routes")[0], lived(name)[0], lived()[0]
    people = both.people
    mine = np.zeros(people.capacity, bool)
    mine[: people.n] = people.neighbourhoods["local_authority"][people.neighbourhood] == authority
    for column in ("state", "H", "ring", "mean", "domain_minutes"):
        one, other, none = (run.people.floats[column][..., mine] for run in (both, alone, nothing))
        assert one.tobytes() == other.tobytes(), column
        assert one.tobytes() != none.tobytes(), column
    third = np.zeros(people.capacity, bool)
    third[: people.n] = people.neighbourhoods["local_authority"][people.neighbourhood] == 2
    assert both.people.mean[third].tobytes() == nothing.people.mean[third].tobytes()
