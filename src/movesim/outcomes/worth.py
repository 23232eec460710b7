"""What a year of somebody's activity is worth in pounds: numbers with evidence, drawn pair by pair or given."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import pandas as pd

from movesim.config import conf_folder, load_yaml
from movesim.errors import InputError
from movesim.evidence import Ledger

NAMES = ("active_adult", "active_child", "discount")


@lru_cache(maxsize=1)
def worth_ledger() -> Ledger:
    """Return the numbers of conf/worth/default.yaml: a year of one more active adult, and child, and the discount rate."""
    document = load_yaml(conf_folder() / "worth" / "default.yaml")
    return Ledger.from_mapping(document.data, "", document.where)


def worth_of(
    draws: Sequence[int], seed: int, drawn: bool, adult: float | None = None, child: float | None = None,
    discount: float | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Return active_adult, active_child (pounds a year) and discount (a year) for each parameter draw.

    Arguments: draws, their numbers; seed; drawn, from their distributions (else the central values); adult, child, discount,
    given by hand for all draws. Raises InputError for a number that cannot be.
    """
    ledger = worth_ledger()
    rows = [ledger.draw(seed, int(draw)) if drawn else ledger.central() for draw in draws]
    table = pd.DataFrame({name: [row[f"worth.{name}"] for row in rows] for name in NAMES}, dtype=np.float64)
    for name, value, what in (
        ("active_adult", adult, "adult (pounds for a year of one more active adult)"),
        ("active_child", child, "child (pounds for a year of one more active child)"),
        ("discount", discount, "discount (how much less a year later counts, as 0.035)"),
    ):
        if value is None:
            continue
        most = 1.0 if name == "discount" else np.inf
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < most:
            end = " and below 1" if name == "discount" else ""
            raise InputError(f"{what} must be a number of at least 0{end}, got {value!r}.")
        table[name] = float(value)
    return table
