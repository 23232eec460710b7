"""A settled England of a few thousand people, and what becomes of each of them when something is done.

Numbers are the fitted centre (draws=central) and chance is shared between runs, so every difference between two lives is
what was done. Demography is off unless a test says otherwise: the same persons stay in the same rows.
"""

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
from movesim.words import ADULT_FROM, ADULT_LIMITS, CHILD_FROM, CHILD_LIMITS, DOMAINS, RECORD_EVERY, WEEKS_A_YEAR

PEOPLE, SEED = 6_000, 1
RECORDS = WEEKS_A_YEAR // RECORD_EVERY


@lru_cache(maxsize=8)
def settled(replicate: int = 0, people: int = PEOPLE, changes: tuple[tuple[str, float], ...] = ()) -> Simulation:
    """England at week 0 with these numbers of the model changed; branch it, never step it."""
    rules, references = rules_and_references("central", 0, dict(changes))
    run = Simulation(load_place("england", people), rules, references, SEED, replicate)
    run.run(-run.week)
    return run


@dataclass
class Life:
    """What every person did in each year of a run, by row.

    `minutes` (years, n) a week; `inactive` (years, n) the share of the year's records below the line; `domains` (years, 6, n)
    minutes a week by domain; `trust` each week's trust by neighbourhood.
    """

    run: Simulation
    minutes: NDArray[np.float64]
    inactive: NDArray[np.float64]
    domains: NDArray[np.float32]
    trust: list[NDArray[np.float64]] = field(default_factory=list)
    delivery: Delivery | None = None

    def mean(self, who: NDArray, what: str = "minutes", year: int = -1) -> float:
        """Residents' mean among those people in a year (-1: the last): minutes a week, or points of inactivity."""
        mean = float(np.average(getattr(self, what)[year][who], weights=self.run.people.weight[who]))
        return 100 * mean if what == "inactive" else mean


def live(run: Simulation, years: int, each_week: Callable[[Simulation], None] | None = None, delivery=None) -> Life:
    """Follow a branch of a settled run over some years; `each_week` may write to its shifts before each week."""
    people, n = run.people, run.people.n
    minutes, inactive = np.zeros((years, n)), np.zeros((years, n))
    domains, trust = np.zeros((years, len(DOMAINS), n), np.float32), []
    line = np.where(people.child[:n] > 0, CHILD_LIMITS[0], ADULT_LIMITS[0])
    people.domain_minutes[:] = 0
    for week in range(years * WEEKS_A_YEAR):
        if each_week is not None:
            each_week(run)
        if delivery is not None:
            delivery.step(week, run.shifts, _readiness_of(run))
        run.step()
        trust.append(run.trust.copy())
        year = week // WEEKS_A_YEAR
        if run.week % RECORD_EVERY == 0:
            minutes[year] += people.mean[:n] / RECORDS
            inactive[year] += (people.mean[:n] < line) / RECORDS
        if run.week % WEEKS_A_YEAR == 0:
            domains[year] = people.domain_minutes[:, :n] / WEEKS_A_YEAR
            people.domain_minutes[:] = 0
            run.turn_of_the_year()
    return Life(run, minutes, inactive, domains, trust, delivery)


def _readiness_of(run: Simulation) -> Callable[[tuple[int, ...], NDArray], NDArray]:
    return lambda domains, rows: run.readiness(domains, rows) - england_readiness("central", 0, {}, domains)


@lru_cache(maxsize=8)
def nothing(years: int, replicate: int = 0, people: int = PEOPLE, changes: tuple[tuple[str, float], ...] = ()) -> Life:
    """The years in which nothing is done."""
    return live(settled(replicate, people, changes).branch(), years)


def shifted(years: int, shifts: Mapping[str, object], replicate: int = 0, people: int = PEOPLE) -> Life:
    """The years under shifts that stand from week 0 on: {"Y": 0.5, "supply": an array over neighbourhoods}."""
    run = settled(replicate, people).branch()
    for name, value in shifts.items():
        run.shifts.array(name)[...] = value
        run.shifts.touched(name)
    return live(run, years)


def under(
    scenario: str | Path, years: int, dose: float = 1.0, replicate: int = 0, people: int = PEOPLE,
    numbers: Mapping[str, float] | None = None,
) -> Life:  # fmt: skip
    """The years under a scenario with its central numbers, but for those given by the end of their path."""
    read = load_scenario(scenario)
    values = _values_of(read, numbers or {})
    run = settled(replicate, people).branch()
    solved = solve(read, values, "central", 0, {})
    key = draws.key(SEED, replicate)
    return live(run, years, delivery=Delivery(read, values, run.people, solved, key, years, dose=dose))


def _values_of(scenario: Scenario, numbers: Mapping[str, float]) -> dict[str, float]:
    values = scenario.ledger().central()
    for end, value in numbers.items():
        paths = [path for path in values if path.endswith("." + end)]
        assert paths, f"no number of {scenario.name} ends in {end}"
        values |= dict.fromkeys(paths, value)
    return values


# --- groups -----------------------------------------------------------------------------------------------------------
def decile(run: Simulation) -> NDArray[np.int64]:
    """Each person's IMD decile, 1 most deprived."""
    return run.people.neighbourhoods["imd_decile"][run.people.neighbourhood].astype(np.int64)


def adults(run: Simulation) -> NDArray[np.bool_]:
    """Who is 16 or over."""
    return run.people.age >= ADULT_FROM


def children(run: Simulation) -> NDArray[np.bool_]:
    """Who is 5 to 15."""
    return (run.people.age >= CHILD_FROM) & (run.people.age < ADULT_FROM)


def gap(life: Life, who: NDArray, level: NDArray, year: int = -1) -> float:
    """The slope index of inactivity over levels 0, 1, ... (the most disadvantaged first), in points."""
    weight = life.run.people.weight[who]
    residents = np.bincount(level[who], weight)
    share = np.bincount(level[who], weight * life.inactive[year][who]) / np.maximum(residents, 1e-12)
    return 100 * float(sii(share, residents))
