"""Every level and every gap of a study as a paired change from no change, laid out for sums over scenarios.

Only measures that can be added up are here: differences, not ratios.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from movesim.outcomes.comparison import CELLS, YEAR, summarise
from movesim.outcomes.gaps import OUTCOMES, gaps, is_good
from movesim.outcomes.pairing import need_columns, pair

ADDITIVE = ("absolute", "sii", "erreygers", "mean_deviation")
SPREAD = ("low", "high", "mc_error", "probability", "pairs")


@dataclass(frozen=True)
class Changes:
    """Changes from the baseline: `values` (scenarios, cells, pairs), NaN where undefined in either run.

    `cells` has a row per level or gap and year, as in comparison.parquet; `rise_is_better` (cells,) says which way is good.
    """

    scenarios: list[str]
    cells: pd.DataFrame
    pairs: pd.DataFrame
    values: NDArray[np.float64]
    rise_is_better: NDArray[np.bool_]

    def of(self, scenario: str) -> NDArray[np.float64]:
        """Return one scenario's changes (cells, pairs)."""
        return self.values[self.scenarios.index(scenario)]


def changes(outcomes: pd.DataFrame, baseline: str) -> Changes:
    """Return how every yearly level and gap of each scenario differs from the baseline, pair by pair.

    outcomes: the outcomes table (window 52 is looked at); baseline: the scenario to compare with. Shares stay shares. Raises
    InputError for an unknown baseline, MovesimError for runs without a partner.
    """
    need_columns(outcomes, ["scenario", "window", *OUTCOMES], "outcomes")
    yearly = outcomes[outcomes["window"] == YEAR]
    table = gaps(yearly)
    table = table[table["measure"].isin(ADDITIVE)]
    of_gaps = pair(table, baseline, ["age_group", "axis", "outcome", "measure", "week", "window"], ["value"], "gaps")
    of_levels = pair(yearly, baseline, ["age_group", "axis", "level", "week", "window"], ["residents", *OUTCOMES], "outcomes")
    order = [of_levels.scenarios.index(name) for name in of_gaps.scenarios]
    runs = of_levels.pairs.merge(of_gaps.pairs.reset_index(names="there"), on=["draw", "replicate"], how="left")["there"]
    inhabited = of_levels.values[order, :, :1] > 0
    levels = np.where(inhabited, of_levels.values[order, :, 1:], np.nan)  # (scenarios, groups, outcomes, pairs)
    levels = levels[..., np.argsort(runs.to_numpy())].reshape(len(order), -1, len(of_gaps.pairs))
    cells = of_levels.cells.take(np.repeat(np.arange(len(of_levels.cells)), len(OUTCOMES))).reset_index(drop=True)
    cells["outcome"] = pd.Series(list(OUTCOMES) * len(of_levels.cells), dtype=str)
    both = pd.concat([of_gaps.cells.assign(level=""), cells.assign(measure="level")], ignore_index=True)[CELLS]
    values = np.concatenate([of_gaps.values[:, :, 0], levels], axis=1)
    good = np.array([is_good(name) for name in both["outcome"]], bool)
    rises = (both["measure"] == "level").to_numpy() & good
    return Changes(of_gaps.scenarios, both, of_gaps.pairs, values - values[:1], rises)


def spread(values: NDArray[np.float64], rise_is_better: NDArray[np.bool_] | bool = False) -> dict[str, NDArray[np.float64]]:
    """Return mean, range over pairs, Monte Carlo error and share of pairs that improve, over the last axis (pairs)."""
    found = summarise(np.zeros_like(values), values, rise_is_better)
    return {"mean": found["mean_difference"], **{name: found[name] for name in SPREAD}}


def told(mean: float, mc_error: float) -> bool:
    """Return whether a mean change is larger than chance between runs explains: more than twice its Monte Carlo error.

    >>> told(0.004, 0.001), told(0.004, 0.003), told(0.004, float("nan"))
    (True, False, False)
    """
    return bool(np.isfinite(mc_error) and abs(mean) > 2 * mc_error)
