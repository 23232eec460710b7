"""Scenarios on the real model of behaviour: the placebo, and that doing something does something."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest

from movesim.behaviour.rules import References, behaviour_ledger, make_rules
from movesim.behaviour.simulation import Simulation
from movesim.interventions import Delivery, load_scenario, matches, solved_of
from small import small_population

YEARS = 2


@lru_cache
def start() -> Simulation:
    run = Simulation(small_population(), make_rules(behaviour_ledger().central()), References.first_guess())
    run.week = -52
    run.run(52)
    return run


@lru_cache
def finished(name: str | None, dose: float = 1.0) -> tuple[Simulation, Delivery | None]:
    run = start().branch()
    scenario = load_scenario(name or "baseline")
    values = {**scenario.ledger().central(), f"scenarios.{name}.budget.pounds_per_resident_a_year": 10.0}
    people, solved = run.people, {}
    for spec in scenario.interventions:
        who = matches(people, spec.who)
        ready = run.readiness(spec.domains)[who].astype(np.float64)
        decile = people.neighbourhoods["imd_decile"][people.neighbourhood]
        solved[spec.name] = solved_of(spec, values, 1.5, ready - ready.mean(), people.weight[who], decile[who])
    delivery = Delivery(scenario, values, people, solved, run.key, YEARS, dose=dose)
    while run.week < 52 * YEARS:
        delivery.step(run.week, run.shifts, run.readiness)
        run.step()
        if run.week % 52 == 0:
            run.turn_of_the_year()
    return run, delivery


def state(run: Simulation) -> list[np.ndarray]:
    return [run.people.state, run.people.H, run.people.ring, run.people.mean, run.trust]


@pytest.mark.parametrize("name", ["school_day", "routes", "community_leaders", "low_traffic", "whole_system", "everything_small"])
def test_dose_0_is_no_change_bit_for_bit(name):
    for ours, theirs in zip(state(finished(name, 0.0)[0]), state(finished(None)[0])):
        assert ours.tobytes() == theirs.tobytes()


def test_leaders_make_participants_more_active():
    run, delivery = finished("community_leaders")
    gained = run.people.mean - finished(None)[0].people.mean
    dose = delivery.programmes[0].doses.level > 0.5
    assert dose.sum() > 20
    assert gained[: run.people.n][dose[: run.people.n]].mean() > 5
    assert run.trust.mean() > finished(None)[0].trust.mean()


def test_an_active_school_day_adds_school_minutes_only_at_schools_that_take_part():
    run, _ = finished("school_day")
    more = run.people.domain_minutes[5] - finished(None)[0].people.domain_minutes[5]
    takes_part = run.shifts.array("offer")[run.people.columns["school"]] > 0
    assert takes_part.any()
    assert more[takes_part].mean() > 0


def test_routes_raise_travel_on_foot_where_they_are():
    run, delivery = finished("routes")
    raised = run.log_E_star[1] > run.log_E[1]
    assert np.array_equal(raised, delivery.programmes[0].dose > 0) and raised.any()
