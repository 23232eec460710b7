"""What is seen of a run: statuses over the last year of its burn-in, and the same people years later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from movesim.behaviour.people import People
from movesim.behaviour.simulation import Simulation
from movesim.experiments.who import weight_of
from movesim.words import ADULT_FROM, ADULT_LIMITS, CHILD_LIMITS, RECORD_EVERY, STATUSES, WEEKS_A_YEAR

Query = Mapping[str, Any]


@dataclass
class Moment:
    """What four weeks show of everybody there: minutes, domains done, who they are, and their illnesses."""

    id: NDArray[np.uint64]
    minutes: NDArray[np.float32]
    domains: NDArray[np.float32]
    adult: NDArray[np.bool_]
    impairments: NDArray[np.int8]
    alive: NDArray[np.bool_]

    @classmethod
    def of(cls, people: People) -> Moment:
        n = people.n
        return cls(
            people.id.copy(), people.mean[:n].copy(), people.domain_minutes[:, :n].copy(), people.age >= ADULT_FROM,
            people.impairments.copy(), people.live[:n] > 0,
        )  # fmt: skip

    def is_(self, outcome: str) -> NDArray[np.bool_]:
        """Return who was inactive, fairly active or active."""
        return _statuses(self.minutes, self.adult)[STATUSES.index(outcome)]


@dataclass
class Seen:
    """What was seen of a run up to week 0: each person's share of the year's 13 periods in each status, and its end.

    `england` is the run of place=england that a local run is set beside; `later` holds moments by year, with the weights that
    groups of week 0 have there.
    """

    simulation: Simulation
    statuses: NDArray[np.float64]
    start: Moment
    england: Seen | None = None
    later: dict[int, Moment] = field(default_factory=dict)
    at_start: People | None = None  # as people were at week 0, where the run has gone on
    shares_later: dict[tuple[int, str, str], float] = field(default_factory=dict)

    @property
    def people(self) -> People:
        return self.simulation.people if self.at_start is None else self.at_start

    def share(self, who: Query, outcome: str) -> float:
        """Return a group's share in a status, mean of the year's four-week periods."""
        weight = weight_of(self.people, who)
        return float(weight @ self.statuses[STATUSES.index(outcome)] / weight.sum())


def _statuses(minutes: NDArray, adult: NDArray) -> NDArray[np.bool_]:
    low, high = (np.where(adult, a, c) for a, c in zip(ADULT_LIMITS, CHILD_LIMITS, strict=True))
    return np.stack([minutes < low, (minutes >= low) & (minutes < high), minutes >= high])


def to_week_0(simulation: Simulation) -> Seen:
    """Run a simulation to the end of its burn-in and return what its last year showed."""
    counted = np.zeros((3, simulation.people.n))
    moments: list[Moment] = []

    def each_week(run: Simulation) -> None:
        if run.week == -RECORD_EVERY:
            run.people.domain_minutes[:] = 0
        if run.week > -WEEKS_A_YEAR and run.week % RECORD_EVERY == 0:
            people = run.people
            counted[:] += _statuses(people.mean[: people.n], people.age >= ADULT_FROM)
        if run.week == 0:
            moments.append(Moment.of(run.people))

    simulation.run(-simulation.week, each_week)
    return Seen(simulation, counted / (WEEKS_A_YEAR / RECORD_EVERY), moments[0])


def years_later(seen: Seen, years: set[int], shares: set[tuple[int, str, str]], groups: Mapping[str, Query]) -> None:
    """Let a run go on and keep what is seen at the end of each of some years.

    Arguments: years at which people are looked at; shares, (year, name of a group, outcome), yearly shares that are asked for;
    groups by name.
    """
    run = seen.simulation
    seen.at_start = run.people.copy()
    counted: NDArray[np.float64] | None = None
    last = max({*years, *(year for year, _, _ in shares)}, default=0) * WEEKS_A_YEAR
    wanted = {year for year, _, _ in shares}

    def each_week(run: Simulation) -> None:
        nonlocal counted
        year, into = divmod(run.week - 1, WEEKS_A_YEAR)
        people = run.people
        if into == WEEKS_A_YEAR - RECORD_EVERY - 1:
            people.domain_minutes[:] = 0
        if year + 1 in wanted and run.week % RECORD_EVERY == 0:
            found = _statuses(people.mean[: people.n], people.age >= ADULT_FROM).astype(float)
            counted = found if counted is None else counted + found
        if run.week % WEEKS_A_YEAR == 0:
            if counted is not None:
                for at, group, outcome in shares:
                    if at == year + 1:
                        weight = weight_of(people, groups[group])
                        of = counted[STATUSES.index(outcome)]
                        seen.shares_later[(at, group, outcome)] = float(weight @ of / weight.sum()) / (
                            WEEKS_A_YEAR / RECORD_EVERY
                        )
                counted = None
            if year + 1 in years:
                seen.later[year + 1] = Moment.of(people)

    run.run(last, each_week)
