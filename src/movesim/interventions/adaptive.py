"""Adaptive rules: start small, measure as a survey would, and then scale up, keep, stop, or give the money to something else.

A rule looks at its survey's answers and at nothing else: what would have happened without the programme is known to the model
(the paired run without change), and only to those who judge the rule afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from movesim.words import ADULT_LIMITS, CHILD_LIMITS, WEEKS_A_YEAR

OUTCOMES = {"inactive": "points of inactive people", "minutes": "minutes a week"}
MEASURED_IN = {"estimate": "the estimate itself", "standard_errors": "the estimate over its standard error"}
SCALE_UP, KEEP, STOP, MOVE = "scale_up", "keep", "stop", "move_money"


@dataclass(frozen=True)
class Rule:
    """A rule as a scenario states it; `paths` leads from a field ("share", "respondents") to its number in the ledger.

    `pilot` is the intervention that starts small, in the deciles named (none: in all); `years` after its start it is decided
    on, by an estimate for people of `ages`: how many points fewer are inactive, or how many minutes more are done, than without.
    `same_people`: those who answered before are asked again, else others are. `move_to`: who gets the money of a stopped pilot.
    """

    name: str
    title: str
    pilot: str
    start_year: int
    years: int
    deciles: tuple[int, ...]
    ages: tuple[int, int]
    outcome: str
    same_people: bool
    measured_in: str
    move_to: str
    paths: Mapping[str, str]

    def value(self, values: Mapping[str, float], name: str) -> float:
        """Return a number of the rule among drawn ledger values."""
        return values[self.paths[name]]

    @property
    def first(self) -> int:
        """The week of the first interviews, in which the pilot begins."""
        return WEEKS_A_YEAR * (self.start_year - 1)

    @property
    def decided(self) -> int:
        """The week of the second interviews and of the decision."""
        return self.first + WEEKS_A_YEAR * self.years

    def action(self, estimate: float, error: float, values: Mapping[str, float]) -> str:
        """Return what is done on an estimate with its standard error; on none at all things stay as they are."""
        if np.isnan(estimate):
            return KEEP
        score = estimate
        if self.measured_in == "standard_errors":
            score = estimate / error if error > 0 else float(np.copysign(np.inf, estimate)) if estimate else 0.0
        if score >= self.value(values, "scale_up_from"):
            return SCALE_UP
        if score < self.value(values, "stop_below"):
            return MOVE if self.move_to else STOP
        return KEEP

    def measure(self, mean: NDArray[np.float32], child: NDArray) -> NDArray[np.float64]:
        """Return what is measured of each person, from their minutes of the last four weeks: the more, the better."""
        if self.outcome == "minutes":
            return mean.astype(np.float64)
        inactive = mean < np.where(child > 0, CHILD_LIMITS[0], ADULT_LIMITS[0])
        return np.where(inactive, -100.0, 0.0)
