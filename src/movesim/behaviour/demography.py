"""Yearly demography: people age, fall ill and recover, leave school, work and retire, die, have children and move.

Everything is drawn by (seed, person, week, stream), so two scenarios share all draws, and a life differs between them only
where activity made a difference. `Demography.at(simulation)` begins it at week 0; the turn of each year calls `a_year`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from movesim import draws
from movesim.behaviour import family, lifecourse, mortality, moves
from movesim.behaviour.rules import Rules, demography_ledger
from movesim.behaviour.snapshot import Snapshot
from movesim.errors import InputError, MovesimError

if TYPE_CHECKING:
    from movesim.behaviour.people import People
    from movesim.behaviour.simulation import Simulation
    from movesim.place.population import Population

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Changes:
    """Who changed at a turn of the year, by row: those who died, were born, and arrived in the rows of people who left.

    `households` is the number that left. A row of `arrived` holds another person from now on; the old one is gone.
    """

    died: Rows
    born: Rows
    arrived: Rows
    households: int


@dataclass(frozen=True)
class Demography:
    """Yearly demography under one draw of the rules, with what it remembers of week 0; shared by scenarios that branch."""

    rules: Rules
    before: Snapshot

    @classmethod
    def at(cls, simulation: Simulation) -> Demography:
        """Return the demography of a simulation from now (the end of its burn-in).

        Raises InputError when its rules lack a number of demography, MovesimError in the burn-in.
        """
        for path in demography_ledger():
            if path not in simulation.rules.values:
                raise InputError(f"The rules lack '{path}', which demography needs; draw them from behaviour_ledger().")
        if simulation.week < 0:
            raise MovesimError(f"Demography begins after the burn-in, at week 0; this run is at week {simulation.week}.")
        return cls(simulation.rules, Snapshot.of(simulation.people))

    def a_year(self, simulation: Simulation) -> Changes:
        """Let a year of life pass; `people.refresh` must follow (People.new_year does it).

        Activity of the year that ends (its mean week) counts against England's of the same age band and IMD fifth.
        """
        people, rules, week, before = simulation.people, self.rules, simulation.week, self.before
        n = people.n
        against_england = mortality.against_england(rules, simulation.references.risk, people)
        hazard = mortality.baseline(rules, people.age, mortality.fifth_of(people)) * against_england

        people.columns["age"][:n] += people.alive[:n]
        lifecourse.impairments(people, rules, week, against_england)
        starters = lifecourse.schooling(people, before)
        moves.take_after(people, starters, draws.uniform(people.id[starters], week, "newborn", people.key, index=3), before)
        family.tie_classmates(people, starters, rules["school.class_ties"], week)
        lifecourse.study_and_work(people, rules, week, before)
        died = mortality.deaths(people, week, hazard)
        _bury(people, died)
        born = family.births(people, rules, week)
        arrived, households = moves.move(people, rules, week, before)
        lifecourse.household_flags(people, rules, week)
        return Changes(died, born, arrived, households)


def _bury(people: People, died: Rows) -> None:
    """Mark the dead: they keep their rows, columns and weight and are counted no more."""
    people.alive[died] = False
    people.active[died] = 0
    for name in ("ring", "mean", "year_minutes"):
        people.floats[name][..., died] = 0
    family.cut_ties(people, died)


def spare_rows(population: Population, years: int) -> int:
    """Return how many rows to keep free for births over the years: the most that can be expected, and a margin for chance.

    Counts girls and women by age, ages them without deaths at the highest birth rates of the ledger, and adds four standard
    deviations.
    """
    rates = mortality.tables().births * float(demography_ledger()["births.level"].high or 1.0)
    people = population.people
    women = np.bincount(np.clip(people["age"][people["sex"] == lifecourse.FEMALE], 0, rates.size - 1), minlength=rates.size)
    women, total = women.astype(np.float64), 0.0
    for _ in range(years):
        women = np.concatenate([[0.0], women[:-2], [women[-2:].sum()]])
        born = float(rates @ women)
        women[0], total = born / 2, total + born
    return int(np.ceil(1.05 * total + 4 * np.sqrt(total))) + 4
