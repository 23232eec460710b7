"""What a run pays for besides the week itself: counting outcomes, and interventions at work.

Nanoseconds of processor time a person-week. Every week's work is the same in every repetition, so the least time of each week
is taken and these are added up: a figure that other work on the machine disturbs little.
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from movesim import draws
from movesim.behaviour.demography import Demography, spare_rows
from movesim.behaviour.rules import References, behaviour_ledger, make_rules
from movesim.behaviour.simulation import Simulation
from movesim.interventions import Delivery, Scenario, load_scenario, matches, solved_of
from movesim.interventions.mechanism import Solved
from movesim.outcomes.record import Recorder
from movesim.place import load_place
from movesim.words import RECORD_EVERY, WEEKS_A_YEAR

PLACE, PEOPLE, YEARS = "nottinghamshire_derbyshire", 20_000, 3
FAMILIES = ("community_leaders", "routes", "school_day")
STRENGTH = 1.0  # logit at full response: what is done does not depend on it
POUNDS = 1.0  # per resident a year, for each intervention


def started(people: int | None = PEOPLE, weeks: int = 8) -> Simulation:
    """Return a run of the built-in place at week 0, with demography on and the ledger's central numbers."""
    population = load_place(PLACE, people)
    rules = make_rules(behaviour_ledger().central())
    simulation = Simulation(population, rules, References.first_guess(), spare=spare_rows(population, YEARS))
    simulation.week = -weeks
    simulation.run(weeks)
    simulation.demography = Demography.at(simulation)
    return simulation


def recording(simulation: Simulation, times: int = 50) -> dict[str, float]:
    """Return what counting costs, ns a person-week: records every four weeks, placing people each year, tables of ten years."""
    recorder = Recorder(simulation.people.local_authorities)
    weeks = {"record": RECORD_EVERY, "place": WEEKS_A_YEAR}
    spent = dict.fromkeys(weeks, np.inf)
    for _ in range(times):
        for what, call in (
            ("place", lambda: recorder.place(simulation.people)),
            ("record", lambda: record(recorder, simulation)),
        ):
            spent[what] = min(spent[what], seconds(call))
    full = Recorder(simulation.people.local_authorities)
    full.place(simulation.people)
    for week in range(RECORD_EVERY - WEEKS_A_YEAR, 10 * WEEKS_A_YEAR + 1, RECORD_EVERY):
        full.record(simulation.people, week)
    tables = min(seconds(lambda: (full.outcomes(), full.cross(), full.adjusted())) for _ in range(5))
    n = simulation.people.n
    parts = {what: spent[what] / weeks[what] / n * 1e9 for what in weeks} | {"tables": tables / (10 * WEEKS_A_YEAR) / n * 1e9}
    return {"recording": sum(parts.values()), **parts}


def record(recorder: Recorder, simulation: Simulation) -> None:
    """Count once more and forget it."""
    recorder.record(simulation.people, simulation.week)
    recorder.sums.clear()
    recorder.weeks.clear()


def portfolio(size: int) -> Scenario:
    """Return the shipped families again and again under other names, each with as much money as one alone."""
    scenario = load_scenario("three_together")
    families = {i.name: i for i in scenario.interventions}
    several = tuple(
        replace(families[FAMILIES[k % len(FAMILIES)]], name=f"{FAMILIES[k % len(FAMILIES)]}_{k + 1}") for k in range(size)
    )
    return replace(scenario, interventions=several, shares={i.name: 1.0 / size for i in several})


def solved_for(scenario: Scenario, values: dict[str, float], simulation: Simulation) -> dict[str, Solved]:
    """Return shifts of a stated strength, and ladders for the people of this run: no study is re-run here."""
    people, found = simulation.people, {}
    for spec in scenario.interventions:
        who = matches(people, spec.who)
        ready = simulation.readiness(spec.domains)[who].astype(np.float64)
        decile = people.neighbourhoods["imd_decile"][people.neighbourhood][who]
        found[spec.name] = solved_of(spec, values, STRENGTH, ready - ready.mean(), people.weight[who], decile)
    return found


def weeks_of(start: Simulation, scenario: Scenario | None, values: dict[str, float], solved: dict[str, Solved]) -> NDArray:
    """Return the seconds of processor time of each week of a policy period, the turn of a year with its last week."""
    simulation, spent = start.branch(), np.zeros(YEARS * WEEKS_A_YEAR)
    delivery = None
    if scenario is not None:
        delivery = Delivery(scenario, values, simulation.people, solved, draws.key(1, 0), YEARS)

    def a_week() -> None:
        if delivery is not None:
            delivery.step(simulation.week, simulation.shifts, simulation.readiness)
        simulation.step()
        if simulation.week % WEEKS_A_YEAR == 0:
            simulation.turn_of_the_year()

    for week in range(spent.size):
        spent[week] = seconds(a_week)
    return spent


def interventions(sizes: tuple[int, ...] = (1, 10), people: int | None = PEOPLE, times: int = 5) -> dict[int, float]:
    """Return what so many interventions at work add to a person-week, ns, by their number; 0: a person-week without any."""
    start = started(people)
    arms: dict[int, tuple[Scenario | None, dict[str, float], dict[str, Solved]]] = {0: (None, {}, {})}
    for size in sizes:
        scenario = portfolio(size)
        values = {**scenario.ledger().central(), str(scenario.budget): POUNDS * size}
        arms[size] = (scenario, values, solved_for(scenario, values, start))
    least = {size: np.full(YEARS * WEEKS_A_YEAR, np.inf) for size in arms}
    for _ in range(times):
        for size, arm in arms.items():
            least[size] = np.minimum(least[size], weeks_of(start, *arm))
    person_weeks = start.people.n * YEARS * WEEKS_A_YEAR
    took = {size: float(weeks.sum()) / person_weeks * 1e9 for size, weeks in least.items()}
    return {size: took[size] - (took[0] if size else 0.0) for size in took}


def seconds(call: object) -> float:
    """Return the processor time of one call."""
    start = time.process_time()
    call()  # type: ignore[operator]
    return time.process_time() - start


def main() -> None:
    """Print both."""
    print("recording", {what: round(ns, 2) for what, ns in recording(started()).items()})
    print("interventions", {size: round(ns, 2) for size, ns in interventions().items()})


if __name__ == "__main__":
    main()
