"""Every scenario that ships, for two years among a few made-up people: the dose of nothing, and that a dose does something."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest

from movesim.behaviour.rules import References, behaviour_ledger, make_rules
from movesim.behaviour.simulation import Simulation
from movesim.interventions import Delivery, list_scenarios, load_scenario, matches, solved_of
from small import small_population

YEARS = 2


@lru_cache
def start() -> Simulation:
    run = Simulation(small_population(1_000), make_rules(behaviour_ledger().central()), References.first_guess())
    run.week = -52
    run.run(52)
    return run


@lru_cache
def lived(name: str, dose: float) -> tuple[list[bytes], Delivery]:
    """What everybody carries after two years, with money and readiness for most of a thousand people to be reached.

    Studies are taken to have given a strength of 1.5.
    """
    run, scenario = start().branch(), load_scenario(name)
    values = scenario.ledger().central()
    values |= {path: 100.0 for path in values if path.endswith("pounds_per_resident_a_year")}
    values |= {path: 0.9 for path in values if ".ladder." in path}
    decile, solved = run.people.neighbourhoods["imd_decile"][run.people.neighbourhood], {}
    for spec in scenario.interventions:
        who = matches(run.people, spec.who)
        ready = run.readiness(spec.domains)[who].astype(np.float64)
        solved[spec.name] = solved_of(spec, values, 1.5, ready - ready.mean(), run.people.weight[who], decile[who])
    delivery = Delivery(scenario, values, run.people, solved, run.key, YEARS, dose=dose)
    while run.week < 52 * YEARS:
        delivery.step(run.week, run.shifts, run.readiness)
        run.step()
        if run.week % 52 == 0:
            run.turn_of_the_year()
    people = run.people
    return [x.tobytes() for x in (people.state, people.H, people.ring, people.mean, run.trust)], delivery


@pytest.mark.parametrize("name", [name for name in list_scenarios() if name != "baseline"])
def test_a_dose_of_nothing_is_nothing_and_a_dose_is_something(name: str) -> None:
    assert lived(name, 0.0)[0] == lived("baseline", 1.0)[0]
    state, delivery = lived(name, 1.0)
    money = delivery.money()
    assert state != lived("baseline", 1.0)[0]
    assert money["spent"].sum() > 0
    by_year = money.groupby("year")["spent"].sum()
    assert by_year.cumsum().iloc[-1] <= delivery.pounds_a_year * YEARS * (1 + 1e-9)
