"""A survey of a pilot: who is interviewed in its neighbourhoods and in others like them, and what their answers add up to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from movesim import draws
from movesim.interventions.adaptive import Rule


@dataclass(frozen=True)
class Answers:
    """Who answered in one arm: their rows and ids, what was measured of them, their weights and the deciles they live in."""

    rows: NDArray[np.int64]
    id: NDArray[np.uint64]
    value: NDArray[np.float64]
    weight: NDArray[np.float64]
    decile: NDArray[np.int64]

    def some(self, keep: NDArray[np.bool_], value: NDArray[np.float64]) -> Answers:
        """Return the answers of some of them, with other values."""
        return Answers(self.rows[keep], self.id[keep], value, self.weight[keep], self.decile[keep])


@dataclass(frozen=True)
class Wave:
    """The interviews of one time: in the pilot's neighbourhoods, and in those it is compared with."""

    pilot: Answers
    others: Answers

    @property
    def respondents(self) -> int:
        """How many were interviewed in both."""
        return self.pilot.rows.size + self.others.rows.size


class Survey:
    """Interviews people of a rule's ages in a pilot's neighbourhoods and as many in others of like deciles.

    A person answers at most once each time; an agent stands for one respondent, so a sample cannot give more respondents than
    it has agents. A design effect (clusters, weights, people who do not answer) makes n respondents tell as much as n over it.
    Arguments: rule; values, drawn numbers; people, the run's; pilot, others (neighbourhoods,) bool; key, the run's.
    """

    def __init__(
        self, rule: Rule, values: Mapping[str, float], people: Any, pilot: NDArray[np.bool_], others: NDArray[np.bool_],
        key: draws.Key,
    ) -> None:  # fmt: skip
        self.rule, self.people, self.pilot, self.others, self.key = rule, people, pilot, others, key
        self.decile = np.asarray(people.neighbourhoods["imd_decile"]).astype(np.int64)
        self.size = max(2, round(rule.value(values, "respondents") / rule.value(values, "design_effect")))
        self.index = int(draws.hash_id("survey", rule.name) % np.uint64(2**16))

    def asked(self, inside: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return the rows of those of the rule's ages who live in these neighbourhoods."""
        people, (low, high) = self.people, self.rule.ages
        here = people.alive[: people.n] & inside[people.neighbourhood] & (people.age >= low) & (people.age <= high)
        return np.flatnonzero(here)

    def values(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return what the survey measures of these people now."""
        return self.rule.measure(self.people.mean[rows], self.people.age[rows] < 16)

    def interview(self, week: int) -> Wave:
        """Return the answers of as many different people as are asked in each arm."""
        pilot = self._first(self.asked(self.pilot), self.size, week)
        there = self.asked(self.others)
        of = self._decile_of(there)
        like = self._like(self._decile_of(pilot), np.unique(of))
        quota = np.bincount(like, minlength=11) / max(like.size, 1) * self.size
        chosen = [self._first(there[of == d], round(quota[d]), week) for d in np.flatnonzero(quota)]
        others = np.concatenate([*chosen, np.zeros(0, np.int64)])
        return Wave(self._answers(pilot), self._answers(others))

    def again(self, wave: Wave) -> Wave:
        """Return how much more is measured now than before of those who answered before and are still there."""
        return Wave(*(self._more(arm) for arm in (wave.pilot, wave.others)))

    def _more(self, before: Answers) -> Answers:
        still = (self.people.id[before.rows] == before.id) & self.people.alive[before.rows]
        return before.some(still, self.values(before.rows[still]) - before.value[still])

    def _first(self, rows: NDArray[np.int64], size: int, week: int) -> NDArray[np.int64]:
        ids = self.people.id[rows]
        chance = draws.uniform(ids, week, "survey", self.key, self.index)
        return np.sort(rows[np.lexsort((ids, chance))[:size]])

    def _answers(self, rows: NDArray[np.int64]) -> Answers:
        weight = self.people.weight[rows].astype(np.float64)
        return Answers(rows, self.people.id[rows].copy(), self.values(rows), weight, self._decile_of(rows))

    def _decile_of(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        return self.decile[self.people.neighbourhood[rows]]

    @staticmethod
    def _like(decile: NDArray[np.int64], known: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return for each decile the nearest that there is on the other side."""
        if known.size == 0:
            return np.zeros(0, np.int64)
        return known[np.abs(decile[:, None] - known[None, :]).argmin(axis=1)]

    # --- what the answers say -----------------------------------------------------------------------------------------
    def estimate(self, before: Wave, after: Wave | None) -> tuple[float, float]:
        """Return the difference in differences and its standard error; of the same people `before` holds how much more they do.

        The others are weighted to the deciles of the pilot's. Both are not a number where fewer than two answered in an arm.
        """
        waves = [(before, 1.0)] if after is None else [(before, -1.0), (after, 1.0)]
        total, variance = 0.0, 0.0
        for wave, sign in waves:
            if min(wave.pilot.rows.size, wave.others.rows.size) < 2:
                return float("nan"), float("nan")
            like = self._like(wave.pilot.decile, np.unique(wave.others.decile))
            aim = np.bincount(like, wave.pilot.weight, 11)
            have = np.bincount(wave.others.decile, wave.others.weight, 11)
            per = np.divide(aim, have, out=np.zeros(11), where=have > 0)
            for arm, weight, way in (
                (wave.pilot, wave.pilot.weight, sign), (wave.others, wave.others.weight * per[wave.others.decile], -sign),
            ):  # fmt: skip
                mean, error = _mean(arm.value, weight)
                total, variance = total + way * mean, variance + error
        return total, float(np.sqrt(variance))


def _mean(value: NDArray[np.float64], weight: NDArray[np.float64]) -> tuple[float, float]:
    """Return a weighted mean and its variance over samples (linearised)."""
    whole = weight.sum()
    mean = float((weight * value).sum() / whole)
    n = int((weight > 0).sum())
    return mean, float((weight**2 * (value - mean) ** 2).sum() / whole**2 * n / max(n - 1, 1))
