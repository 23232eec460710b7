"""What every kind of programme shares: the place it works in, its numbers, its ladder and its books."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from movesim import draws
from movesim.errors import MovesimError
from movesim.interventions.ladder import fifth_of, gradient, step_probability
from movesim.interventions.mechanism import Solved
from movesim.interventions.money import STEPS_A_YEAR, Account
from movesim.interventions.scenario import Intervention
from movesim.words import RECORD_EVERY, WEEKS_A_YEAR

Readiness = Callable[[tuple[int, ...], NDArray], NDArray]
PERSON_SHIFTS = {
    "capability_physical": "P", "capability_psychological": "Y", "opportunity_social": "S", "motivation_reflective": "R",
}  # fmt: skip


@dataclass(frozen=True)
class Setting:
    """Where and when programmes work: the run's people, its key, and residents of each neighbourhood at the start."""

    people: Any
    key: draws.Key
    decile: NDArray
    residents: NDArray[np.float64]
    trial: bool

    @classmethod
    def of(cls, people: Any, key: draws.Key, trial: bool) -> Setting:
        """Return the setting of a run that is about to start its policy period."""
        decile = np.asarray(people.neighbourhoods["imd_decile"])
        alive = people.alive[: people.n].astype(bool)
        residents = np.bincount(people.neighbourhood[alive], people.weight[alive], decile.size).astype(np.float64)
        return cls(people, key, decile, residents, trial)

    def decile_of(self, rows: slice | NDArray) -> NDArray:
        """Return the IMD decile of where these people live."""
        return self.decile[self.people.neighbourhood[rows]]

    def unit(self, code: object, number: int) -> str:
        """Return a unit's own name for keyed draws: its code, or its number where it has none."""
        return str(code) if str(code) else str(number)


class Programme:
    """One intervention at work. Kinds differ in `advance`, which brings it to a week, and `write`, which states its shifts."""

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
        self._counted: dict[str, NDArray[np.bool_]] = {}
        self._noted: dict[str, list[NDArray]] = {}
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

    def probability(self, step: str, readiness: NDArray, rows: NDArray) -> NDArray[np.float64]:
        """Return these people's probability of climbing a step."""
        if step not in self.solved.a:
            raise MovesimError(f"The ladder of '{self.spec.name}' was not solved for '{step}'; solve the trials again.")
        b = self.solved.b.get(step, 0.0)
        return step_probability(self.solved.a[step], b, self.number("c"), readiness, self.setting.decile_of(rows))

    def multiplier(self, decile: NDArray) -> NDArray[np.float64]:
        """Return exp(a + b (5.5 - decile) / 8), the residual gradient of a shift that reaches everybody."""
        return np.exp(self.solved.a.get("shift", 0.0) + self.solved.b.get("shift", 0.0) * gradient(decile))

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
    def advance(self, week: int, readiness: Readiness) -> bool:
        """Bring the programme to a week; tell whether its shifts may have changed."""
        raise NotImplementedError

    def writes(self) -> dict[str, tuple[int, ...]]:
        """Return the shift arrays it writes to, each with the domains it writes (none: the array has no domains)."""
        raise NotImplementedError

    def write(self, name: str, total: NDArray, factor: float) -> None:
        """Add this programme's shift times a factor (0 for the placebo) to an array of behaviour.Shifts."""
        raise NotImplementedError

    # --- shifts of people ---------------------------------------------------------------------------------------------
    def person_arrays(self) -> dict[str, tuple[int, ...]]:
        """Return the arrays of people that its components need, with their domains."""
        found: dict[str, tuple[int, ...]] = {}
        for component in self.spec.mechanism.components:
            if component.name == "motivation_automatic":
                found["prompt"] = component.domains
            elif component.name in PERSON_SHIFTS:
                found[PERSON_SHIFTS[component.name]] = ()
        return found

    def add_to_people(self, name: str, total: NDArray, level: NDArray[np.float32], factor: float) -> None:
        """Add each person's dose times the shift times the factor to a person array, or to the domains of the prompt."""
        n = level.size
        for component in self.spec.mechanism.components:
            # A negative shift times a factor of 0 is -0.0: adding 0.0 makes it a zero in every bit.
            shift = np.float32(self.solved.shifts[component.name] * factor + 0.0)
            if name == "prompt" and component.name == "motivation_automatic":
                added = level * shift
                for d in component.domains:
                    total[d, :n] += added
            elif PERSON_SHIFTS.get(component.name) == name:
                total[:n] += level * shift
