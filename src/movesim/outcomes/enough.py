"""What break_even.parquet says of one scenario, in sentences."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from movesim.outcomes.break_even import HORIZON, ends

ENOUGH_PAIRS = 20  # fewer: no range


def sentences(own: pd.DataFrame, horizon: int = HORIZON) -> list[str]:
    """Return how long one scenario's gain must last to be worth its cost, what the run shows, and what a year must be worth.

    own: its rows of break_even.parquet, one a pair; horizon: years after delivery beyond which it says 'not within'.
    """
    if not (own["cost"] > 0).any():
        return ["It costs no extra money, so any gain is worth it."]
    few = len(own) < ENOUGH_PAIRS
    kept = _years(own["years_to_keep"].to_numpy(), horizon, few)
    half = _years(own["half_life_needed"].to_numpy(), horizon, few)
    delivered = int(own["delivery_years"].iloc[0])
    if own["years_to_keep"].median() <= 0:
        first = f"What was gained in {_count(delivered)} of delivery is worth what it cost"
        first += "." if few else f", in {_runs(own['years_to_keep'] <= 0)}."
        found = [first]
    elif own["years_to_keep"].median() > horizon:
        found = [f"To be worth its cost the gain would have to be kept up for longer than {horizon} years: not within "
                 f"{horizon} years{'' if few else ' in ' + _runs(own['years_to_keep'] > horizon)}."]  # fmt: skip
    else:
        found = [f"To be worth its cost the gain must be kept up for {kept} after {_count(delivered)} of delivery, or halve no "
                 f"sooner than every {half}."]  # fmt: skip
    return [*found, shown(own), _price(own, few)]


def shown(own: pd.DataFrame) -> str:
    """Return what the run itself shows of how long the gain lasts once delivery has ended."""
    delivered, seen = int(own["delivery_years"].iloc[0]), int(own["seen_years"].iloc[0])
    if seen == 0:
        more = f"run more than {_count(delivered)}"
        return f"Delivery goes on to the end of the run, so the run does not show how long the gain lasts: {more}."
    half = ends(own["half_life_shown"].to_numpy())[0]
    if math.isnan(half):
        return f"In the {_count(seen)} after delivery there was no gain to lose."
    if math.isinf(half):
        return f"In the model more than half of it is left after the {_count(seen)} that were run on."
    return f"In the model half of it is gone {half:.1f} years after delivery."


def _price(own: pd.DataFrame, few: bool) -> str:
    price = np.where(own["pounds_per_active_year"].isna(), np.inf, own["pounds_per_active_year"])
    middle, low, high = ends(price)
    if math.isinf(middle):
        return "Over the run nobody more is active, so no worth of a year would do."
    spread = "" if few else f" ({low:,.0f} to {'no worth would do' if math.isinf(high) else f'{high:,.0f}'})"
    return f"Over the run alone it breaks even where a year of one more active resident is worth \u00a3{middle:,.0f}{spread}."


def _years(values: np.ndarray, horizon: int, few: bool) -> str:
    middle, low, high = (_length(x, horizon) for x in ends(values))
    return f"{middle} years" if few else f"{middle} years ({low} to {high})"


def _length(value: float, horizon: int) -> str:
    return f"over {horizon}" if value > horizon else "under 0.1" if 0 < value < 0.05 else f"{value:.1f}"


def _count(years: int) -> str:
    return f"{years} year{'' if years == 1 else 's'}"


def _runs(yes: pd.Series) -> str:
    return f"{int(yes.sum())} of {len(yes)} runs"
