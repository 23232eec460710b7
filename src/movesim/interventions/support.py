"""Modifiers at work: what is paid for them, and what they do for every programme of the scenario."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from movesim.interventions.money import Account
from movesim.interventions.scenario import Modifier
from movesim.words import WEEKS_A_YEAR


@dataclass(frozen=True)
class Support:
    """What modifiers do for programmes at a moment.

    `reach` multiplies what is offered and places, `ratio` the socioeconomic ratio; `habit_share` is added to the share who
    keep it.
    """

    reach: float = 1.0
    ratio: float = 1.0
    habit_share: float = 0.0


NO_SUPPORT = Support()


NO_SUPPORT = Support()


class Modifiers:
    """The modifiers of a scenario at work: paid first, year by year, and worth as much as is paid.

    Arguments: modifiers; values, drawn ledger numbers; residents, of the place.
    """

    def __init__(self, modifiers: tuple[Modifier, ...], values: Mapping[str, float], residents: float) -> None:
        self.modifiers, self.values, self.residents = modifiers, values, residents
        self.accounts = [Account(modifier, values, 0.0) for modifier in modifiers]
        self.paid = dict.fromkeys(modifiers, 0.0)  # the share of this year's costs that the money covers
        self.year = 0

    def pay(self, year: int, pounds: float) -> float:
        """Pay a year of those that run, in their order, from so much money; return what is left of it."""
        if year == self.year:
            return pounds
        self.year = year
        for modifier, account in zip(self.modifiers, self.accounts):
            self.paid[modifier] = 0.0
            if modifier.start_year <= year <= modifier.end_year:
                price = account.price["resident_year"] * self.residents
                covered = min(1.0, pounds / price) if price > 0 else 1.0
                account.deliver(year, "resident_year", covered * self.residents)
                account.miss(year, "resident_year", (1 - covered) * self.residents)
                self.paid[modifier], pounds = covered, pounds - covered * price
        return pounds

    def support(self, week: float) -> Support:
        """Return what they do together in a week of the year that is paid: effects grow evenly over their ramp."""
        reach, ratio, habit_share = 1.0, 1.0, 0.0
        for modifier, paid in self.paid.items():
            ramp = self.values[modifier.paths["ramp_weeks"]]
            since = week - WEEKS_A_YEAR * (modifier.start_year - 1)
            part = paid * (min(max(since / ramp, 0.0), 1.0) if ramp > 0 else 1.0)
            of = lambda effect, none: self.values[modifier.paths[effect]] if effect in modifier.paths else none  # noqa: B023, E731
            reach *= 1 + (of("reach", 1.0) - 1) * part
            ratio *= 1 + (of("ratio", 1.0) - 1) * part
            habit_share += of("habit_share", 0.0) * part
        return Support(reach, ratio, min(habit_share, 1.0))
