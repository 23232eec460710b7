"""What every kind of programme shares: the place it works in, its numbers, its ladder and its books."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from movesim import draws
from movesim.errors import MovesimError
from movesim.interventions.alike import everywhere, mean_levels, step_ratios
from movesim.interventions.ladder import climbing, fifth_of, gradient
from movesim.interventions.mechanism import Solved
from movesim.interventions.money import STEPS_A_YEAR, Account
from movesim.interventions.scenario import Intervention
from movesim.interventions.support import NO_SUPPORT, Support
from movesim.interventions.targeting import Strata, strata_of
from movesim.words import RECORD_EVERY, WEEKS_A_YEAR

BY_DOMAIN = ("prompt", "access")
Readiness = Callable[[tuple[int, ...], NDArray], NDArray]
PERSON_SHIFTS = {
    "capability_physical": "P", "capability_psychological": "Y", "opportunity_social": "S", "motivation_reflective": "R",
}  # fmt: skip


@dataclass(frozen=True)
class Setting:
    """Where and when programmes work: the run's people, its key, and residents of each neighbourhood at the start.

    `even` names steps of the ladder that treat everybody alike (see `alike`); None in every run that does not ask for it.
    """

    people: Any
    key: draws.Key
    decile: NDArray
    tilt: NDArray[np.float64]
    residents: NDArray[np.float64]
    trial: bool
    even: frozenset[str] | None = None

    @classmethod
    def of(cls, people: Any, key: draws.Key, trial: bool, even: frozenset[str] | None = None) -> Setting:
        """Return the setting of a run that is about to start its policy period."""
        decile = np.asarray(people.neighbourhoods["imd_decile"])
        alive = people.alive[: people.n].astype(bool)
        residents = np.bincount(people.neighbourhood[alive], people.weight[alive], decile.size).astype(np.float64)
        return cls(people, key, decile, np.asarray(gradient(decile)), residents, trial, even)

    def decile_of(self, rows: slice | NDArray) -> NDArray:
        """Return the IMD decile of where these people live."""
        return self.decile[self.people.neighbourhood[rows]]

    def tilt_of(self, rows: slice | NDArray) -> NDArray[np.float64]:
        """Return how deprived it is where these people live, as ladder.gradient has it."""
        return self.tilt[self.people.neighbourhood[rows]]


@lru_cache(maxsize=4)
def unit_ids(kind: str, codes: tuple[str, ...]) -> NDArray[np.uint64]:
    """Return the ids of schools or neighbourhoods for keyed draws: of their codes, or of their numbers where they have none."""
    ids = np.array([draws.hash_id(kind, code or str(number)) for number, code in enumerate(codes)], np.uint64)
    ids.flags.writeable = False
    return ids


class Programme:
    """One intervention at work. Kinds differ in `advance`, which brings it to a week, and in the doses they give.

    After `advance`, `moved` holds the rows of people whose dose has changed (None: anybody's) and `shifted` tells whether
    what it does to places, schools or the workforce has. `support` is what modifiers do for it at the moment.
    """

    def __init__(
        self, spec: Intervention, values: Mapping[str, float], solved: Solved, setting: Setting, pounds_a_year: float
    ) -> None:
        self.spec, self.values, self.solved, self.setting = spec, values, solved, setting
        self.people, self.stream = setting.people, spec.stream
        self.first, self.last = spec.weeks()
        if setting.trial:
            self.first, self.last = 0, 10**6
        self.account = Account(spec, values, pounds_a_year)
        self.counts: dict[str, NDArray[np.float64]] = {}
        self.capacity = int(self.people.alive.size)
        self.support: Support = NO_SUPPORT
        self.moved: NDArray | None = np.zeros(0, np.int64)
        self.shifted = False
        self._counted: dict[str, NDArray[np.bool_]] = {}
        self._noted: dict[str, list[NDArray]] = {}
        self._alike: dict[str, float] = {}  # levels of the steps that treat everybody alike
        self.step_ratios: dict[str, tuple[float, float]] = {}
        missing = [c.name for c in spec.mechanism.components if c.name not in solved.shifts]
        if missing:
            raise MovesimError(f"The trial of '{spec.name}' was not solved for {', '.join(missing)}; solve the trials again.")

    # --- time ---------------------------------------------------------------------------------------------------------
    def running(self, week: int) -> bool:
        """Tell whether it delivers in this week."""
        return self.first <= week < self.last

    def started(self, week: int) -> bool:
        """Tell whether it has ever delivered."""
        return week >= self.first

    @staticmethod
    def clock(week: int) -> tuple[int, int]:
        """Return the policy year (1, 2, ...) and the number of the four weeks within it (0 to 12)."""
        return week // WEEKS_A_YEAR + 1, week % WEEKS_A_YEAR // RECORD_EVERY

    def fund(self, pounds_a_year: float) -> None:
        """Give it another budget, from the turn of a policy year on."""
        self.account.pounds_a_year = pounds_a_year

    def share_of_year(self, part: int) -> float:
        """Return how much of a year's money may have been spent by the end of its four weeks number `part`."""
        return (part + 1) / STEPS_A_YEAR

    # --- numbers ------------------------------------------------------------------------------------------------------
    def number(self, name: str, default: float | None = None) -> float:
        """Return a drawn number of the intervention."""
        return self.spec.value(self.values, name, default)

    def half_life(self) -> float:
        """Return the half-life in weeks of what did not become habit, as the study's follow-up asks for."""
        return self.number("half_life_weeks") * self.solved.persistence

    def capacity_of(self, name: str) -> float:
        """Return a stated capacity, with what modifiers add to it."""
        return self.number(f"capacity.{name}") * self.support.reach

    def offered(self) -> float:
        """Return the share that is offered it in a year, with what modifiers add to it."""
        return min(1.0, self.number("ladder.offered") * self.support.reach)

    def leaning(self) -> NDArray[np.float64]:
        """Return by how much modifiers of the socioeconomic ratio raise gains in each neighbourhood; residents' mean is 1."""
        setting = self.setting
        if self.support.ratio == 1.0:
            return np.ones(setting.decile.size)
        by_place = self.support.ratio**setting.tilt
        return by_place / np.average(by_place, weights=setting.residents)

    def probability(self, step: str, readiness: NDArray, tilt: NDArray) -> NDArray[np.float64]:
        """Return the probability of climbing a step of people of this readiness who live where it is so deprived."""
        a, b, c = self.terms(step)
        return climbing(a, b, c, readiness, tilt)

    def step(self, step: str) -> tuple[float, float]:
        """Return the level and the residual gradient of a step of the ladder."""
        if step not in self.solved.a:
            raise MovesimError(f"The ladder of '{self.spec.name}' was not solved for '{step}'; solve the trials again.")
        return float(self.solved.a[step]), float(self.solved.b.get(step, 0.0))

    def terms(self, step: str) -> tuple[float, float, float]:
        """Return level, residual gradient and weight of readiness of a step; an even one has a level alone."""
        if step in self._alike:
            return self._alike[step], 0.0, 0.0
        return (*self.step(step), self.number("c"))

    def level_out(self, steps: Sequence[str], weight: NDArray, ready: NDArray, rows: NDArray) -> None:
        """Where a run asks for it, give even steps the mean probability of those who come to them, and note each step's ratios.

        Arguments: steps in the order in which they are climbed; weight (n,), residents who are expected to begin to climb;
        ready (n,), their readiness; rows (n,).
        """
        if self.setting.even is None:
            return
        self._alike = {}
        terms = {step: self.terms(step) for step in steps}
        tilt = self.setting.tilt_of(rows)
        if not set(steps) & set(self.step_ratios):
            self.step_ratios |= step_ratios(terms, weight, ready, tilt, self.setting.decile_of(rows))
        self._alike = mean_levels(terms, self.setting.even, weight, ready, tilt)

    def strata(self, eligible: NDArray | None = None) -> Strata:
        """Return how places are shared out between neighbourhoods: by the targeting, or alike where the offer is even.

        Arguments: eligible (neighbourhoods,), residents who can be offered it; None: all.
        """
        people, setting = self.people, self.setting
        strata = strata_of(
            self.spec, self.values, setting.decile, setting.residents, people.neighbourhoods["local_authority"],
            people.local_authorities,
        )  # fmt: skip
        if setting.even is None or "offered" not in setting.even:
            return strata
        return everywhere(strata, setting.residents if eligible is None else eligible, self.number("ladder.offered", 1.0))

    def multiplier(self, decile: NDArray) -> NDArray[np.float64]:
        """Return exp(a + b (5.5 - decile) / 8), the residual gradient of a shift that reaches everybody."""
        gain = np.exp(self.solved.a.get("shift", 0.0) + self.solved.b.get("shift", 0.0) * gradient(decile))
        if "shift" in self.solved.b:
            self.step_ratios["responding"] = (1.0, float(np.exp(self.solved.b["shift"])))
        if self.setting.even is None or "responding" not in self.setting.even:
            return gain
        strata, residents = self.strata(), self.setting.residents
        inside = strata.of >= 0
        of_group = np.bincount(strata.of[inside], residents[inside], strata.share.size)
        density = np.divide(strata.share, of_group, out=np.zeros(strata.share.size), where=of_group > 0)
        reached = np.where(inside, residents * density[strata.of], 0.0)
        return np.full_like(gain, np.average(gain, weights=reached))

    # --- counting -----------------------------------------------------------------------------------------------------
    def count(self, step: str, rows: NDArray) -> None:
        """Note residents on a step of the ladder; each is counted once in a run."""
        self._noted.setdefault(step, []).append(rows)

    def tally(self) -> None:
        """Add up what was noted, while those who were noted still live where they did."""
        for step, noted in self._noted.items():
            if not noted:
                continue
            done = self._counted.setdefault(step, np.zeros(self.capacity, bool))
            fresh = np.zeros(self.capacity, bool)
            fresh[np.concatenate(noted)] = True
            rows = np.flatnonzero(fresh & ~done)
            done[rows] = True
            noted.clear()
            self.add_to_count(step, self.setting.decile_of(rows), self.people.weight[rows])

    def add_to_count(self, step: str, decile: NDArray, residents: NDArray) -> None:
        """Add residents of these deciles to a step of the ladder."""
        self.counts.setdefault(step, np.zeros(5))
        self.counts[step] += np.bincount(fifth_of(decile) - 1, residents, 5)

    def reset(self, rows: NDArray) -> None:
        """Forget rows in which somebody else lives now."""
        for done in self._counted.values():
            done[rows] = False

    # --- what kinds fill in -------------------------------------------------------------------------------------------
    def advance(self, week: int, readiness: Readiness) -> None:
        """Bring the programme to a week."""
        raise NotImplementedError

    def writes(self) -> dict[str, tuple[int, ...]]:
        """Return the arrays of behaviour.Shifts it writes to, each with the domains it writes (none: it has no domains)."""
        raise NotImplementedError

    def use(self, doses: NDArray[np.float32]) -> None:
        """Keep each person's dose in this array, shape (capacity,); where everybody has that of their place it stays empty."""

    def local_dose(self) -> NDArray[np.float32]:
        """Return the dose of each neighbourhood, or what a person's own dose there is multiplied by."""
        raise NotImplementedError

    # --- shifts -------------------------------------------------------------------------------------------------------
    def moves(self, factor: float) -> list[tuple[str, int, np.float32]]:
        """Return what it moves of people: array, line of it (a domain, or 0) and the shift at a dose of 1 times a factor."""
        found = []
        for component in self.spec.mechanism.components:
            # A negative shift times a factor of 0 is -0.0: adding 0.0 makes it a zero in every bit.
            shift = np.float32(self.solved.shifts[component.name] * factor + 0.0)
            if component.name == "motivation_automatic":
                found += [("prompt", d, shift) for d in component.domains]
            elif component.access:
                found += [("access", d, shift) for d in component.domains]
            elif component.name in PERSON_SHIFTS:
                found.append((PERSON_SHIFTS[component.name], 0, shift))
        return found

    def person_arrays(self) -> dict[str, tuple[int, ...]]:
        """Return the arrays of people that its components need, with their domains."""
        found: dict[str, tuple[int, ...]] = {}
        for name, line, _ in self.moves(0.0):
            found[name] = (*found.get(name, ()), line) if name in BY_DOMAIN else ()
        return found

    def strength(self) -> float:
        """Return the size of all its shifts together at a dose of 1."""
        return float(sum(abs(shift) for shift in self.solved.shifts.values()))
