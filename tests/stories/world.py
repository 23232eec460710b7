"""A settled England of a few thousand people, and what happens to each of them when something is done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from movesim import draws
from movesim.behaviour.parameters import rules_and_references
from movesim.behaviour.simulation import Simulation
from movesim.interventions import Delivery, load_scenario
from movesim.interventions.bench import england_readiness, solve
from movesim.interventions.scenario import Scenario
from movesim.outcomes.gaps import sii
from movesim.place import load_place
from movesim.words import ADULT_FROM, CHILD_FROM, CHILD_LIMITS, RECORD_EVERY, WEEKS_A_YEAR

PEOPLE, SEED = 6_000, 1
INACTIVE_UNDER = 30.0
Week = Callable[[Simulation], None]


@lru_cache(maxsize=8)
def settled(replicate: int = 0, people: int = PEOPLE, changes: tuple[tuple[str, float], ...] = ()) -> Simulation:
    """England at week 0, with central numbers except the changed ones; branch it, never step it."""
    rules, references = rules_and_references("central", 0, dict(changes))
    run = Simulation(load_place("england", people), rules, references, SEED, replicate)
    run.run(-run.week)
    return run


@dataclass
class Life:
    """What every person did over the years of a run, by row: means over a year's 13 records, shape (years, n)."""

    run: Simulation
    minutes: NDArray[np.float64]
    inactive: NDArray[np.float64]
    delivery: Delivery | None = None
    trust: list[NDArray[np.float64]] = field(default_factory=list)

    def mean(self, what: str, who: NDArray, year: int = -1) -> float:
        """Residents' mean of `minutes` or `inactive` (share of the year's records) among those people in a year."""
        return float(np.average(getattr(self, what)[year][who], weights=self.run.people.weight[who]))


def live(start: Simulation, years: int, each_week: Week | None = None, delivery: Delivery | None = None) -> Life:
    """Follow a branch of a settled run (already made) over some years; `each_week` may write to its shifts before a week."""
    people, n = start.people, start.people.n
    minutes, inactive, trust = np.zeros((years, n)), np.zeros((years, n)), []
    limit = np.where(people.child[:n] > 0, CHILD_LIMITS[0], INACTIVE_UNDER)
    for week in range(years * WEEKS_A_YEAR):
        if each_week is not None:
            each_week(start)
        if delivery is not None:
            delivery.step(week, start.shifts, readiness_of(start))
        start.step()
        if start.week % RECORD_EVERY == 0:
            minutes[week // WEEKS_A_YEAR] += people.mean[:n] / 13
            inactive[week // WEEKS_A_YEAR] += (people.mean[:n] < limit) / 13
        trust.append(start.trust.copy())
        if start.week % WEEKS_A_YEAR == 0:
            start.turn_of_the_year()
    return Life(start, minutes, inactive, delivery, trust)


def readiness_of(run: Simulation) -> Callable[[tuple[int, ...], NDArray], NDArray]:
    """Readiness less England's mean, as a delivery asks for it."""
    return lambda domains, rows: run.readiness(domains, rows) - england_readiness("central", 0, {}, domains)


@lru_cache(maxsize=8)
def nothing(years: int, replicate: int = 0, people: int = PEOPLE, changes: tuple[tuple[str, float], ...] = ()) -> Life:
    """The years in which nothing is done."""
    return live(settled(replicate, people, changes).branch(), years)


def shifted_life(shifts: Mapping[str, object], years: int, replicate: int = 0, people: int = PEOPLE) -> Life:
    """The years under shifts that stand from week 0 on: {"Y": 0.5, "supply": array over neighbourhoods}."""
    run = settled(replicate, people).branch()
    for name, value in shifts.items():
        run.shifts.array(name)[...] = value
        run.shifts.touched(name)
    return live(run, years)


def programme_life(
    scenario: str | Path | Scenario, years: int, dose: float = 1.0, replicate: int = 0, people: int = PEOPLE,
    numbers: Mapping[str, float] | None = None,
) -> Life:  # fmt: skip
    """The years under a scenario with central numbers, or those given by the end of their path."""
    read = scenario if isinstance(scenario, Scenario) else load_scenario(scenario)
    values = values_of(read, numbers or {})
    run = settled(replicate, people).branch()
    solved = solve(read, values, "central", 0, {})
    return live(run, years, delivery=Delivery(read, values, run.people, solved, draws.key(SEED, replicate), years, dose=dose))


def values_of(scenario: Scenario, numbers: Mapping[str, float]) -> dict[str, float]:
    """The central numbers of a scenario, with those replaced whose path ends as given."""
    values = scenario.ledger().central()
    for end, value in numbers.items():
        paths = [path for path in values if path.endswith("." + end)]
        assert paths, f"no number of {scenario.name} ends in {end}"
        values |= dict.fromkeys(paths, value)
    return values


# --- groups ---------------------------------------------------------------------------------------------------------
def decile(run: Simulation) -> NDArray[np.int8]:
    """Each person's IMD decile."""
    return run.people.neighbourhoods["imd_decile"][run.people.neighbourhood]


def adults(run: Simulation) -> NDArray[np.bool_]:
    """Who is 16 or over."""
    return run.people.age >= ADULT_FROM


def children(run: Simulation) -> NDArray[np.bool_]:
    """Who is 5 to 15."""
    return (run.people.age >= CHILD_FROM) & (run.people.age < ADULT_FROM)


def gap(life: Life, who: NDArray, level: NDArray, year: int = -1, what: str = "inactive") -> float:
    """The slope index of inequality over levels 0, 1, ... (most disadvantaged first), in points of inactivity."""
    weight = life.run.people.weight[who]
    residents = np.bincount(level[who], weight)
    values = np.bincount(level[who], weight * getattr(life, what)[year][who]) / np.maximum(residents, 1e-12)
    return 100 * float(sii(values, residents, good=what != "inactive"))
