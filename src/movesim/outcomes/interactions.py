"""A portfolio beside the sum of its parts: do interventions do more, or less, together than each alone?"""

from __future__ import annotations

import numpy as np
import pandas as pd

from movesim import words
from movesim.errors import MovesimError
from movesim.outcomes.changes import changes, spread, told
from movesim.outcomes.comparison import CELLS, YEAR
from movesim.outcomes.pairing import need_columns

COLUMNS = (
    "scenario", *CELLS, "sum_of_parts", "together", "difference", "low", "high", "mc_error", "probability", "pairs", "words",
)  # fmt: skip


def interactions(outcomes: pd.DataFrame, alone: pd.DataFrame, baseline: str) -> pd.DataFrame:
    """Compare the change under each portfolio with the sum of the changes under each of its interventions alone.

    outcomes: the outcomes table of a study; alone: the same table of runs of one intervention each, with a column `part` (the
    intervention) beside `scenario` (the portfolio); baseline: the scenario of no change. All share their draws pair by pair.
    Returns interactions.parquet: per portfolio, level or gap (differences only) and year, `sum_of_parts`, `together` and their
    `difference` (means over pairs, so that the three add up), its range over pairs, `mc_error`, `probability` (that together is
    better than the sum), pairs and the same in words. Raises MovesimError when the runs alone have no partner.
    """
    need_columns(alone, ["scenario", "part"], "alone")
    yearly = outcomes[outcomes["window"] == YEAR]
    frames = []
    for portfolio, own in alone.groupby("scenario", sort=False):
        if portfolio not in set(yearly["scenario"]):
            raise MovesimError(f"The parts of '{portfolio}' were run, but it was not; run the study again.")
        named = own.assign(scenario=own["scenario"] + "/" + own["part"]).drop(columns="part")
        found = changes(pd.concat([yearly[yearly["scenario"].isin([baseline, portfolio])], named]), baseline)
        together = found.of(str(portfolio))
        parts = np.stack([found.of(name) for name in named["scenario"].unique()])
        total = parts.sum(axis=0)
        difference = together - total
        there = np.isfinite(difference)
        summary = spread(difference, found.rise_is_better)
        count = np.maximum(there.sum(axis=-1), 1)
        frame = found.cells.copy()
        frame.insert(0, "scenario", pd.Series(str(portfolio), index=frame.index, dtype=str))
        frame["together"] = np.where(there, together, 0.0).sum(axis=-1) / count
        frame["difference"] = summary["mean"]
        frame["sum_of_parts"] = frame["together"] - frame["difference"]
        for name in ("low", "high", "mc_error", "probability", "pairs"):
            frame[name] = summary[name]
        frame["words"] = pd.Series(
            [
                in_words(d, e, o, m, better)
                for d, e, o, m, better in zip(
                    frame["difference"], frame["mc_error"], frame["outcome"], frame["measure"], found.rise_is_better
                )
            ],
            dtype=str,
        )
        frames.append(frame[frame["pairs"] > 0])
    return pd.concat(frames, ignore_index=True)[list(COLUMNS)] if frames else pd.DataFrame(columns=list(COLUMNS))


def in_words(difference: float, mc_error: float, outcome: str, measure: str, rise_is_better: bool = False) -> str:
    """Return how much more, or less, is gained together than by the sum of the parts, and whether chance explains it.

    Arguments: difference, together less the sum, in shares (minutes for minutes); mc_error, of its mean; the outcome and the
    measure it is of ('level', or a gap: narrower is better); rise_is_better, which way is a gain.

    >>> in_words(-0.004, 0.003, "inactive", "sii")
    'together 0.4 points more than the sum of its parts; cannot be told from nothing'
    >>> in_words(0.012, 0.001, "inactive", "level")
    'together 1.2 points less than the sum of its parts'
    """
    if not np.isfinite(difference):
        return "not known"
    gain = difference if rise_is_better else -difference
    scale, unit = (1.0, "minutes") if outcome == "minutes" else (100.0, "points")
    size = f"{abs(scale * gain):.1f}"
    end = "" if told(difference, mc_error) else "; cannot be told from nothing"
    if float(size) == 0:
        return f"together as much as the sum of its parts, to a tenth of {'a minute' if unit == 'minutes' else 'a point'}{end}"
    return f"together {size} {unit} {'more' if gain > 0 else 'less'} than the sum of its parts{end}"


def headline(table: pd.DataFrame, week: int, gap: tuple[str, str, str, str] = words.HEADLINE) -> pd.DataFrame:
    """Return the rows of one gap, and of the level of the same outcome, that end in a week."""
    age_group, axis, outcome, measure = gap
    rows = table[(table["week"] == week) & (table["age_group"] == age_group) & (table["outcome"] == outcome)]
    named = (rows["axis"] == axis) & (rows["measure"] == measure)
    return rows[named | ((rows["axis"] == "all") & (rows["measure"] == "level"))].reset_index(drop=True)
