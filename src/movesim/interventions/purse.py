"""Who has how much money this year: what a scenario gives each intervention, what rules move, and what shocks take."""

from __future__ import annotations

from collections.abc import Sequence

from movesim.interventions.programme import Programme


class Purse:
    """The money of a scenario's programmes, in pounds a year; while nothing is cut, piloted or moved it does nothing.

    `given` is what each has by name, `share` how much of that it may spend (less than 1 in a pilot), `left` what shocks leave
    of everything, `rest` what is left of that once the scenario's modifiers are paid. The sum of `given` never changes but when a
    programme is stopped without a heir.
    """

    def __init__(self, programmes: Sequence[Programme]) -> None:
        self.programmes = programmes
        self.given = {p.spec.name: p.account.pounds_a_year for p in programmes}
        self.share = dict.fromkeys(self.given, 1.0)
        self.left = self.rest = 1.0

    def cut(self, left: float) -> None:
        """Leave this share of everybody's money from now on."""
        if left != self.left:
            self.left = left
            self.pay()

    def after(self, rest: float) -> None:
        """Leave programmes this share of the year's money: the rest went to what all of them rest on."""
        if rest != self.rest:
            self.rest = rest
            self.pay()

    def hold(self, name: str, share: float) -> None:
        """Let a programme spend this share of what it is given, from now on."""
        self.share[name] = share
        self.pay()

    def stop(self, name: str, heir: str = "") -> float:
        """Take a programme's money away and give it to another, if one is named; return the pounds a year that moved."""
        pounds, self.given[name] = self.given[name], 0.0
        if heir not in self.given:
            pounds = 0.0
        else:
            self.given[heir] += pounds
        self.pay()
        return pounds

    def pay(self) -> None:
        """Tell every programme what it may spend in a year."""
        for programme in self.programmes:
            name = programme.spec.name
            programme.fund(self.given[name] * self.share[name] * self.left * self.rest)
