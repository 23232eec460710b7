"""What is delivered, what it costs and who pays; what could not be delivered is counted too."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from movesim.interventions.scenario import Intervention, Modifier
from movesim.words import RECORD_EVERY, WEEKS_A_YEAR

STEPS_A_YEAR = WEEKS_A_YEAR // RECORD_EVERY
COLUMNS = ("year", "intervention", "payer", "spent", "delivered", "undelivered", "unit")


class Account:
    """The books of one intervention or modifier.

    Arguments: spec; values, drawn ledger numbers; pounds_a_year, its budget. Units are residents' (agents times weight).
    """

    def __init__(self, spec: Intervention | Modifier, values: Mapping[str, float], pounds_a_year: float) -> None:
        self.spec = spec
        self.pounds_a_year = pounds_a_year
        self.price = {cost.unit: values[cost.path] for cost in spec.costs}
        self._units: dict[tuple[int, str], list[float]] = {}

    def deliver(self, year: int, unit: str, units: float) -> None:
        """Note delivered units; a unit without a price is noted as well."""
        self._units.setdefault((year, unit), [0.0, 0.0])[0] += units

    def miss(self, year: int, unit: str, units: float) -> None:
        """Note units that were wanted and not delivered."""
        self._units.setdefault((year, unit), [0.0, 0.0])[1] += units

    def delivered(self, year: int, unit: str) -> float:
        """Return the units delivered in a year so far."""
        return self._units.get((year, unit), [0.0, 0.0])[0]

    def spent(self, year: int) -> float:
        """Return the pounds spent in a year so far."""
        return sum(got[0] * self.price.get(unit, 0.0) for (when, unit), got in self._units.items() if when == year)

    def rows(self) -> list[dict[str, object]]:
        """Return a row per year, unit and payer; each payer's units are those that payer's money bought."""
        costs = {cost.unit: cost for cost in self.spec.costs}
        found: list[dict[str, object]] = []
        for (year, unit), (delivered, missed) in sorted(self._units.items()):
            payers = costs[unit].payers if unit in costs else {"nobody": 1.0}
            for payer, share in payers.items():
                spent = delivered * share * self.price.get(unit, 0.0)
                row = (year, self.spec.name, payer, spent, delivered * share, missed * share, unit)
                found.append(dict(zip(COLUMNS, row)))
        return found


def frame(accounts: list[Account]) -> pd.DataFrame:
    """Return the books of several interventions as one table."""
    table = pd.DataFrame([row for account in accounts for row in account.rows()], columns=list(COLUMNS))
    return table.astype({"year": int, "spent": float, "delivered": float, "undelivered": float})
