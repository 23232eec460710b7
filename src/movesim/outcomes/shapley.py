"""Which step of the reach ladder makes how much of the change in a gap: Shapley shares that add up to it.

The players are the ladder's steps. A step that is off treats everybody alike. Every combination of steps on and off is run in
the same pair; a step's share is its mean marginal contribution over all orders in which steps can be switched on (Shapley
1953; Shorrocks 2013 for inequality). What is left when all are off is the effect itself, falling on unequal lives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import comb

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from movesim.errors import MovesimError
from movesim.outcomes.changes import changes, spread
from movesim.outcomes.comparison import CELLS, YEAR
from movesim.outcomes.pairing import need_columns

EFFECT = "effect"  # what is left when every step treats everybody alike
COLUMNS = ("scenario", *CELLS, "step", "share", "low", "high", "mc_error", "probability", "pairs")


def shapley(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each player's Shapley share of values[-1] - values[0].

    Arguments: values (2**players, ...), by coalition; player j is in coalition m where bit j of m is 1.
    Returns (players, ...). Raises MovesimError when the number of coalitions is no power of two.

    >>> shapley(np.array([0.0, 1.0, 2.0, 5.0])).tolist()
    [2.0, 3.0]
    """
    count = len(values)
    players = count.bit_length() - 1
    if count != 2**players:
        raise MovesimError(f"Shapley shares need a value for every coalition, 2 to the number of players; got {count}.")
    shares = np.zeros((players, *values.shape[1:]))
    for coalition in range(count):
        for player in range(players):
            if not coalition >> player & 1:
                weight = 1.0 / (players * comb(players - 1, coalition.bit_count()))
                shares[player] += weight * (values[coalition | 1 << player] - values[coalition])
    return shares


def ladder_shares(
    outcomes: pd.DataFrame, coalitions: pd.DataFrame, players: Mapping[str, Sequence[str]], baseline: str
) -> pd.DataFrame:
    """Split the change of every gap and level under each scenario over the steps of its ladder.

    outcomes: the outcomes table of a study; coalitions: the same table of runs in which some steps treat everybody alike, with a
    column `on` beside `scenario`: a number whose bit j is 1 where step j of players[scenario] is as it is; baseline: the
    scenario of no change. All share their draws pair by pair.
    Returns ladder_shares.parquet: per scenario, level or gap, year and step (the last one is 'effect') the `share`, a mean over
    pairs, which add up to the mean change; range over pairs, `mc_error`, `probability` (of pairs in which the step improves
    it), pairs. Raises MovesimError when a coalition is missing.
    """
    need_columns(coalitions, ["scenario", "on"], "coalitions")
    yearly = outcomes[(outcomes["window"] == YEAR) & (outcomes["scenario"] == baseline)]
    frames = []
    for scenario, own in coalitions.groupby("scenario", sort=False):
        steps = list(players[str(scenario)])
        masks = range(2 ** len(steps))
        missing = set(masks) - set(own["on"].unique())
        if missing:
            raise MovesimError(f"{len(missing)} of {len(masks)} combinations of the steps of '{scenario}' were not run.")
        named = own.assign(scenario=own["on"].astype(str)).drop(columns="on")
        found = changes(pd.concat([yearly, named]), baseline)
        values = np.stack([found.of(str(mask)) for mask in masks])
        values = np.where(np.isfinite(values).all(axis=0), values, np.nan)  # a pair counts where all of it is defined
        for step, share in zip([*steps, EFFECT], [*shapley(values), values[0]]):
            summary = spread(share, found.rise_is_better)
            frame = found.cells.assign(step=step, share=summary.pop("mean"), **summary)
            frame.insert(0, "scenario", pd.Series(str(scenario), index=frame.index, dtype=str))
            frames.append(frame[frame["pairs"] > 0])
    return pd.concat(frames, ignore_index=True)[list(COLUMNS)] if frames else pd.DataFrame(columns=list(COLUMNS))
