"""How long must an effect last to be worth its money? From a run's own paths of cost and gain, pair by pair.

All is counted in pounds of the start, discounted within the year too: a gain of one a year from year a to b is worth the
integral of exp(-rate t). What the model shows after delivery has ended, and what would have to hold, stay apart.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from movesim import words
from movesim.errors import InputError, one_of
from movesim.outcomes.comparison import YEAR
from movesim.outcomes.pairing import need_columns, pair

HORIZON = 50  # years after delivery beyond which nobody's gain is reckoned with
OUTCOMES = ("active", "inactive")
COLUMNS = (
    "scenario", "draw", "replicate", "active_adult", "active_child", "discount", "delivery_years", "seen_years", "cost",
    "worth_during", "worth_seen", "worth_a_year_after", "years_to_keep", "half_life_needed", "half_life_shown", "paid_back",
    "pounds_per_active_year",
)  # fmt: skip
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Paths:
    """What every scenario but the baseline costs and gains beyond it, year by year and pair by pair.

    `cost` (scenarios, pairs, years) in pounds; `gain` (scenarios, age groups, pairs, years) in residents more active (or fewer
    inactive), adults first; `delivered` (scenarios,) the last year with money spent on top of the baseline's.
    """

    scenarios: list[str]
    pairs: pd.DataFrame
    cost: Floats
    gain: Floats
    delivered: NDArray[np.int64]


def paths(outcomes: pd.DataFrame, money: pd.DataFrame, baseline: str, outcome: str = "active") -> Paths:
    """Return the paths of cost and gain from the tables of a study.

    outcomes, money: its tables; baseline: the scenario of no change; outcome: 'active' (more) or 'inactive' (fewer).
    Raises InputError for another outcome or an unknown baseline, MovesimError for runs without a partner.
    """
    if outcome not in OUTCOMES:
        raise InputError(f"The outcome to break even on must be {one_of(OUTCOMES)}, got '{outcome}'.")
    need_columns(outcomes, ["axis", "window", "week", "residents", outcome], "outcomes")
    rows = outcomes[(outcomes["axis"] == "all") & (outcomes["window"] == YEAR) & (outcomes["week"] > 0)]
    rows = rows.assign(people=rows["residents"] * rows[outcome].where(rows["residents"] > 0, 0.0))
    laid = pair(rows, baseline, ["age_group", "week", "window"], ["people"], "outcomes")
    years = int(rows["week"].max()) // YEAR
    change = (laid.values[1:, :, 0] - laid.values[:1, :, 0]) * (1.0 if outcome == "active" else -1.0)
    gain = np.zeros((len(laid.scenarios) - 1, len(words.AGE_GROUPS), len(laid.pairs), years))
    for k, (group, week) in enumerate(zip(laid.cells["age_group"], laid.cells["week"])):
        gain[:, words.AGE_GROUPS.index(group), :, int(week) // YEAR - 1] = np.nan_to_num(change[:, k])
    cost = np.zeros((len(laid.scenarios), len(laid.pairs), years))
    if len(money):
        need_columns(money, ["scenario", "draw", "replicate", "year", "spent"], "money")
        spent = money.groupby(["scenario", "draw", "replicate", "year"], as_index=False)["spent"].sum()
        spent = spent.merge(laid.pairs.reset_index(names="pair"), on=["draw", "replicate"])
        spent = spent[spent["scenario"].isin(laid.scenarios) & (spent["year"] <= years)]
        cost[spent["scenario"].map(laid.scenarios.index), spent["pair"], spent["year"] - 1] = spent["spent"]
    extra = cost[1:] - cost[:1]
    paid = np.abs(extra).sum(axis=1) > 0
    delivered = np.where(paid.any(axis=1), years - paid[:, ::-1].argmax(axis=1), 0)
    return Paths(laid.scenarios[1:], laid.pairs, extra, gain, delivered)


def break_even(
    outcomes: pd.DataFrame, money: pd.DataFrame, baseline: str, worth: Callable[[pd.DataFrame], pd.DataFrame],
    outcome: str = "active",
) -> pd.DataFrame:  # fmt: skip
    """Work out, for every scenario and pair, how long its gain must be kept up after delivery to be worth its cost.

    outcomes, money, baseline, outcome: as for `paths`; worth: the pairs' draw and replicate -> active_adult, active_child and
    discount, a row each (see `movesim.outcomes.worth`).
    Returns break_even.parquet: a row per scenario and pair. `years_to_keep`: the gain of the last year of delivery must be kept
    up so long; `half_life_needed`: or may halve every so many years; both 0 where delivery alone is worth its cost, infinite
    where even keeping it for ever is not enough. `half_life_shown`: in how many years after delivery the gain has halved in the
    run itself (NaN: not seen; infinite: not halved while it was seen). `paid_back`: by when, in years of the run's own path,
    what was gained is worth what was spent (NaN: not within the run). `pounds_per_active_year`: what a year of one more active
    resident would have to be worth for the run's own path to break even (NaN: nothing gained).
    Raises as `paths` does.
    """
    found = paths(outcomes, money, baseline, outcome)
    given = worth(found.pairs)
    each = np.stack([given["active_adult"].to_numpy(), given["active_child"].to_numpy()])
    rate = np.log1p(given["discount"].to_numpy())
    frames = []
    for s, name in enumerate(found.scenarios):
        value = (each[:, :, None] * found.gain[s]).sum(axis=0)
        frame = pd.DataFrame({"scenario": pd.Series([name] * len(found.pairs), dtype=str)})
        frame = pd.concat([frame, found.pairs[["draw", "replicate"]].reset_index(drop=True), given], axis=1)
        solved = solve(found.cost[s], value, found.gain[s].sum(axis=0), int(found.delivered[s]), rate)
        frames.append(frame.assign(**solved))
    return pd.concat(frames, ignore_index=True)[list(COLUMNS)]


def solve(cost: Floats, value: Floats, gain: Floats, delivered: int, rate: Floats) -> dict[str, Floats]:
    """Return the columns of break_even.parquet for one scenario.

    Arguments: cost, value (pairs, years), pounds; gain (pairs, years), residents; delivered, the last year of delivery; rate
    (pairs,), of continuous discounting: the log of 1 + the yearly rate.
    """
    pairs, years = value.shape
    end = min(max(delivered, 0), years)
    each = discounted(np.arange(years, dtype=np.float64), np.ones(years), rate)  # (pairs, years)
    spent, during = (each * cost).sum(axis=1), (each * value)[:, :end].sum(axis=1)
    after = value[:, end - 1] * np.exp(-rate * end) if end else np.zeros(pairs)  # of a year, in pounds of the start
    need = spent - during
    kept, half_life = np.full(pairs, np.inf), np.full(pairs, np.inf)
    done = need <= 0
    kept[done] = half_life[done] = 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(after > 0, need / after, np.inf)
        left = 1.0 - rate * ratio  # of the discounting, when it has been worth it
        long = np.where(rate > 0, -np.log1p(-np.minimum(rate * ratio, 1.0)) / rate, ratio)
        fade = 1.0 / ratio - rate
        half = np.where(fade > 0, np.log(2.0) / fade, np.inf)
    open_to = ~done & (after > 0) & (left > 0)
    kept[open_to], half_life[open_to] = long[open_to], half[open_to]
    active = (each * gain).sum(axis=1)
    return {
        "delivery_years": np.full(pairs, float(end)), "seen_years": np.full(pairs, float(years - end)), "cost": spent,
        "worth_during": during, "worth_seen": (each * value).sum(axis=1), "worth_a_year_after": after, "years_to_keep": kept,
        "half_life_needed": half_life, "half_life_shown": halved(value, end), "paid_back": paid_back(each * cost, each * value),
        "pounds_per_active_year": np.divide(spent, active, out=np.full(pairs, np.nan), where=active > 0),
    }  # fmt: skip


def discounted(start: Floats, length: Floats, rate: Floats) -> Floats:
    """Return what one a year from `start` for `length` years is worth at the start of all, (pairs, years)."""
    r = rate[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.exp(-r * start) * -np.expm1(-r * length) / r
    return np.where(r > 0, found, length)


def halved(value: Floats, end: int) -> Floats:
    """Return how many years after delivery the gain is first at half of what it was in its last year, between years by a line.

    NaN where no year was seen or there was no gain to lose; infinite where it was not halved in the years that were seen.
    """
    pairs, years = value.shape
    if end == 0 or end == years:
        return np.full(pairs, np.nan)
    share = np.divide(value[:, end - 1 :], value[:, [end - 1]], out=np.full((pairs, years - end + 1), np.nan),
                      where=value[:, [end - 1]] > 0)  # fmt: skip
    low = share <= 0.5
    first = low.argmax(axis=1)
    above, below = (np.take_along_axis(share, k[:, None], axis=1)[:, 0] for k in (np.maximum(first - 1, 0), first))
    with np.errstate(invalid="ignore", divide="ignore"):
        between = first - 1 + (above - 0.5) / (above - below)
    return np.where(np.isnan(share[:, 0]), np.nan, np.where(low.any(axis=1), between, np.inf))


def paid_back(cost: Floats, value: Floats) -> Floats:
    """Return the year of the run from which all that was gained is worth all that was spent, to its end; NaN where it is not."""
    ahead = np.cumsum(value - cost, axis=1) >= 0
    stays = np.logical_and.accumulate(ahead[:, ::-1], axis=1)[:, ::-1]
    first = stays.argmax(axis=1) + 1.0
    return np.where(stays[:, -1] & (np.abs(cost).sum(axis=1) > 0), first, np.nan)


def ends(values: Floats, q: tuple[float, ...] = (0.5, 0.05, 0.95)) -> list[float]:
    """Return quantiles over pairs where some may be infinite: values that occur, none in between; NaN are left out.

    >>> ends(np.array([1.0, 2.0, np.inf]))
    [2.0, 1.0, inf]
    """
    known = values[~np.isnan(values)]
    return [float(x) for x in np.quantile(known, q, method="inverted_cdf")] if known.size else [float("nan")] * len(q)
