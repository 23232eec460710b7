"""Meeting those again who have left a programme, so that what they gained does not fade."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from movesim import draws
from movesim.interventions.doses import FADING, IN
from movesim.words import RECORD_EVERY, WEEKS_A_YEAR

if TYPE_CHECKING:
    from movesim.interventions.people_programme import PeopleProgramme

_BOOST = 3  # index of the draw at (person, week, stream); 0 to 2 are those of the ladder
_RESTORED, _ORDER = 0, 1  # its words


class Boosters:
    """The boosters of one programme: whoever has left it and is losing what they gained is met every so many weeks.

    Those who keep it need no booster and are not met. A share `restores` of those met have their dose back. Money for those
    who will be due is laid aside at the turn of the year; the smallest keyed priority is met first.
    """

    def __init__(self, programme: PeopleProgramme) -> None:
        self.programme = programme
        self.every = programme.number("booster.every_weeks")
        self.restores = programme.number("booster.restores")
        self.price = programme.account.price.get("booster", 0.0)
        self.money = 0.0  # what is left of what was laid aside for the year

    @classmethod
    def of(cls, programme: PeopleProgramme) -> Boosters | None:
        """Return the boosters of a programme, None where it has none."""
        return cls(programme) if "booster.every_weeks" in programme.spec.paths else None

    def due(self, rows: NDArray, first: int, last: int) -> NDArray[np.int64]:
        """Return how many times each of these rows is due in the four-week steps from week `first` to `last`."""
        end = self.programme.doses.end[rows]
        times = lambda week: np.maximum(np.floor((week - end) / self.every), 0)  # noqa: E731
        return (times(last) - times(first - RECORD_EVERY)).astype(np.int64)

    def reserve(self, week: int, most: float) -> float:
        """Lay money aside for those who will be due in the year that begins, at most so much; return how much."""
        people, doses = self.programme.people, self.programme.doses
        rows = doses.live
        losing = (doses.phase[rows] == FADING) | ((doses.phase[rows] == IN) & doses.responds[rows] & ~doses.kept[rows])
        rows = rows[losing]
        wanted = float(people.weight[rows] @ self.due(rows, week, week + WEEKS_A_YEAR - RECORD_EVERY)) * self.price
        self.money = min(wanted, max(most, 0.0))
        return self.money

    def meet(self, week: int) -> None:
        """Meet those who are due, as far as the money goes, and restore a share of them."""
        programme, doses = self.programme, self.programme.doses
        rows = doses.live[doses.phase[doses.live] == FADING]
        rows = rows[self.due(rows, week, week) > 0]
        ids, weight = programme.people.id[rows], programme.people.weight[rows]
        words = draws.words(ids, week, programme.stream, programme.setting.key, _BOOST)
        met = np.ones(rows.size, bool)
        if self.price > 0:
            order = np.lexsort((ids, words[_ORDER]))
            met[order] = np.cumsum(weight[order]) * self.price <= self.money * (1 + 1e-12)
        reached = float(weight[met].sum())
        self.money -= reached * self.price
        year = programme.clock(week)[0]
        programme.account.deliver(year, "booster", reached)
        programme.account.miss(year, "booster", float(weight.sum()) - reached)
        restored = met & (draws.decision(words[_RESTORED]) < self.restores)
        doses.restore(rows[restored])
