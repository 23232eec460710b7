"""How long an effect must last to be worth it, asked of a result: the table pair by pair, and what it says in words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from movesim.errors import InputError
from movesim.experiments.replicate import BASELINE
from movesim.experiments.store import Result, load
from movesim.outcomes import break_even as reckoning
from movesim.outcomes.enough import sentences
from movesim.outcomes.worth import worth_of

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class BreakEven:
    """For every scenario and pair: how long its gain must be kept up to be worth its cost. Printed, it says so in words."""

    table: pd.DataFrame
    titles: dict[str, str]
    horizon: int

    def to_frame(self) -> pd.DataFrame:
        """Return the table: a row per scenario and pair."""
        return self.table

    def __str__(self) -> str:
        return "\n".join(
            f"{self.titles[str(name)]}: {' '.join(sentences(own, self.horizon))}"
            for name, own in self.table.groupby("scenario", sort=False)
        )


def break_even(
    comparison: Result | str | Path, adult: float | None = None, child: float | None = None, discount: float | None = None,
    outcome: str = "active", horizon: int = reckoning.HORIZON,
) -> BreakEven:  # fmt: skip
    """Return how long each scenario's gain must be kept up after delivery to be worth what it cost.

    Arguments: comparison, a result of `run` or `compare`, or its folder; adult, child, pounds that a year of one more active
    adult or child is worth (left out: drawn pair by pair from conf/worth/default.yaml); discount, how much less a year later
    counts (0.035; 0.015 for health); outcome, 'active' (more) or 'inactive' (fewer); horizon, years after delivery beyond
    which it says 'not within'.
    Raises InputError for a number that cannot be, for results of chosen areas, and for what is no result.
    """
    result = comparison if isinstance(comparison, Result) else load(comparison)
    manifest = result.manifest
    if manifest.get("areas"):
        raise InputError("Money is the whole place's, so break-even is not worked out for chosen areas; leave areas out.")
    if isinstance(horizon, bool) or not isinstance(horizon, int) or horizon < 1:
        raise InputError(f"horizon must be a whole number of years, 1 or more, got {horizon!r}.")

    def worth(pairs: pd.DataFrame) -> pd.DataFrame:
        drawn = manifest["draws"] != "central"
        return worth_of(pairs["draw"].tolist(), int(manifest["seed"]), drawn, adult, child, discount)

    table = reckoning.break_even(result.to_frame("outcomes"), result.to_frame("money"), BASELINE, worth, outcome)
    return BreakEven(table, {s["name"]: s["title"] for s in manifest["scenarios"]}, horizon)
