"""Scenarios beside the baseline: paired changes, when a gap closes, which option is safest, who loses, and where it comes from.

Two scenarios of the same (draw, replicate) share every number drawn, so their difference is the effect of what differs between
them. Ranges are outcome intervals, 5 to 95% (and 25 to 75%) of those paired differences; `mc_error` is something else, how far
the mean difference could move if more pairs were run.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from movesim import words
from movesim.errors import InputError, MovesimError, did_you_mean, one_of
from movesim.outcomes.gaps import OUTCOMES, is_good, sii
from movesim.outcomes.pairing import RUN, Paired, distinct, need_columns, pair

CELLS = ["age_group", "axis", "outcome", "measure", "level", "week", "window"]
SUMMARY = ["baseline", "difference", "mean_difference", "low", "high", "low50", "high50", "mc_error", "probability", "pairs"]
COLUMNS = ["scenario", *CELLS, *SUMMARY]
QUANTILES = (0.5, 0.05, 0.95, 0.25, 0.75)
YEAR = words.WEEKS_A_YEAR
POPULATION_CHANGE = "population change"


# --- paired differences ---------------------------------------------------------------------------------------------
def quantiles(values: np.ndarray, q: tuple[float, ...]) -> np.ndarray:
    """Return quantiles over the last axis, leaving NaN out, by linear interpolation between order statistics.

    values: (..., pairs); q: probabilities. Returns (len(q), ...), NaN where all are NaN. The same as `numpy.nanquantile`, which
    takes a hundred times as long where there are NaN.
    """
    ordered = np.sort(values, axis=-1)  # NaN sort to the end
    count = np.isfinite(values).sum(axis=-1)
    top = np.maximum(count - 1, 0)
    found = []
    for one in q:
        place = top * one
        below = np.floor(place).astype(np.int64)
        a = np.take_along_axis(ordered, below[..., None], axis=-1)[..., 0]
        b = np.take_along_axis(ordered, np.minimum(below + 1, top)[..., None], axis=-1)[..., 0]
        found.append(a + (b - a) * (place - below))
    return np.stack(found)


def summarise(baseline: np.ndarray, option: np.ndarray, rise_is_better: np.ndarray | bool) -> dict[str, np.ndarray]:
    """Summarise paired differences, option minus baseline, over the last axis.

    baseline, option: (..., pairs), NaN where undefined: such a pair is left out of everything, the baseline's median included.
    rise_is_better: (...) or one bool, which way `probability` looks; no difference at all is not an improvement.
    Returns arrays (...) named as the columns of comparison.parquet. With one pair low and high are the difference itself and
    `mc_error`, which needs two, is NaN.
    """
    difference = option - baseline
    both = np.isfinite(difference)
    difference = np.where(both, difference, np.nan)
    count = both.sum(axis=-1)
    median, low, high, low50, high50 = quantiles(difference, QUANTILES)
    middle = quantiles(np.where(both, baseline, np.nan), (0.5,))[0]
    better = np.where(np.asarray(rise_is_better)[..., None], difference > 0, difference < 0).sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):  # no pairs: 0 / 0; one pair: no spread
        mean = np.where(both, difference, 0.0).sum(axis=-1) / count
        square = np.where(both, (difference - mean[..., None]) ** 2, 0.0).sum(axis=-1)
        error = np.where(count > 1, np.sqrt(square / (count - 1) / count), np.nan)
        probability = better / count
    columns = (middle, median, mean, low, high, low50, high50, error, probability, count)
    return dict(zip(SUMMARY, columns))


def _differences(paired: Paired, rise_is_better: np.ndarray | bool) -> pd.DataFrame:
    """Return scenario, the cells and the summary of the first column of values, for every scenario but the baseline."""
    summary = summarise(paired.values[:1, :, 0], paired.values[1:, :, 0], rise_is_better)
    options = len(paired.scenarios) - 1
    frame = paired.cells.take(np.tile(np.arange(len(paired.cells)), options)).reset_index(drop=True)
    frame.insert(0, "scenario", pd.Series(paired.scenarios[1:], dtype=str).repeat(len(paired.cells)).reset_index(drop=True))
    for name, values in summary.items():
        frame[name] = np.broadcast_to(values, (options, len(paired.cells))).ravel()
    return frame


def compare(outcomes: pd.DataFrame, gaps: pd.DataFrame, baseline: str) -> pd.DataFrame:
    """Compare every scenario with the baseline, pair by pair: every gap, and the level of every group.

    outcomes, gaps: the tables of a study (see `movesim.outcomes.gaps.gaps`); baseline: the scenario to compare with.
    Returns comparison.parquet: a row per scenario (but the baseline), age group, axis, outcome, measure ('level' for the groups
    themselves, with their `level`; gaps have ''), week and window. `baseline` and `difference` are medians over pairs;
    `probability` is that the gap falls or, for a level, that it improves (inactive falls, the others rise). A pair counts where
    the value is defined in both runs. Raises InputError for an unknown baseline, MovesimError for runs without a partner.
    """
    found = pair(gaps, baseline, ["age_group", "axis", "outcome", "measure", "week", "window"], ["value"], "gaps")
    of_gaps = _differences(found, False).assign(level="")

    levels = pair(outcomes, baseline, ["age_group", "axis", "level", "week", "window"], ["residents", *OUTCOMES], "outcomes")
    # The summaries take one column at a time, so the outcomes become cells of their own; an empty group has no outcome.
    values = np.where(levels.values[:, :, :1] > 0, levels.values[:, :, 1:], np.nan)
    count = len(levels.cells)
    cells = levels.cells.take(np.repeat(np.arange(count), len(OUTCOMES))).reset_index(drop=True)
    cells["outcome"] = pd.Series(list(OUTCOMES) * count, dtype=str)
    good = np.tile([is_good(name) for name in OUTCOMES], count)
    flat = Paired(levels.scenarios, cells, levels.pairs, values.reshape(len(levels.scenarios), -1, 1, len(levels.pairs)))
    of_levels = _differences(flat, good).assign(measure="level")
    return pd.concat([of_gaps[COLUMNS], of_levels[COLUMNS]], ignore_index=True)


def people_made_active(outcomes: pd.DataFrame, baseline: str) -> pd.DataFrame:
    """Count how many more residents are active than under the baseline, over each year, adults and children apart.

    outcomes: the outcomes table; baseline: the scenario to compare with. Returns a row per scenario, age group and week (window
    52), with the columns of `compare` from `baseline` on, in residents; `probability` is that there are more.
    Raises InputError for an unknown baseline, MovesimError for runs without a partner.
    """
    need_columns(outcomes, ["axis", "residents", "active"], "outcomes")
    rows = outcomes[(outcomes["axis"] == "all") & (outcomes["window"] == YEAR)]
    rows = rows.assign(people=rows["residents"] * rows["active"].where(rows["residents"] > 0, 0.0))
    paired = pair(rows, baseline, ["age_group", "week", "window"], ["people"], "outcomes")
    return _differences(paired, True)


# --- decisions ------------------------------------------------------------------------------------------------------
def _yearly_gap(gaps: pd.DataFrame, baseline: str, gap: tuple[str, str, str, str]) -> tuple[Paired, np.ndarray, np.ndarray]:
    """Return one gap's years side by side: the pairs, the weeks (sorted), and the values (scenarios, weeks, pairs)."""
    need_columns(gaps, [*RUN, "age_group", "axis", "outcome", "measure", "week", "window", "value"], "gaps")
    age_group, axis, outcome, measure = gap
    chosen = (gaps["measure"] == measure) & (gaps["axis"] == axis) & (gaps["window"] == YEAR)
    rows = gaps[chosen & (gaps["outcome"] == outcome) & (gaps["age_group"] == age_group)]
    if rows.empty:
        raise InputError(f"The gaps table has no yearly '{measure}' of '{outcome}' by '{axis}' for age group '{age_group}'.")
    paired = pair(rows, baseline, ["week", "window"], ["value"], "gaps")
    weeks = paired.cells["week"].to_numpy()
    order = np.argsort(weeks)
    return paired, weeks[order], paired.values[:, order, 0]


def by_when(
    gaps: pd.DataFrame, baseline: str, probability: float = 0.8, gap: tuple[str, str, str, str] = words.HEADLINE
) -> dict[str, int | None]:
    """Say from which week on a gap is probably narrower than under the baseline, and stays so to the end.

    gaps: the gaps table; baseline: the scenario to compare with; probability: share of pairs in which the gap must be narrower;
    gap: (age group, axis, outcome, measure), the headline gap unless said. Years (window 52) are looked at, so the answer is the
    last week of the first such year. Returns scenario -> week, or None where the last year is not narrower.
    Raises InputError for a gap or baseline that is not there and for a probability outside 0 to 1.
    """
    if not 0 < probability <= 1:
        raise InputError(f"The probability that a gap is narrower must be above 0 and at most 1, got {probability:g}.")
    paired, weeks, values = _yearly_gap(gaps, baseline, gap)
    narrower = summarise(values[:1], values[1:], False)["probability"] >= probability - 1e-12  # 0.8 of 20 is 16, not 16.000...1
    stays = np.logical_and.accumulate(narrower[:, ::-1], axis=1)[:, ::-1]
    return {name: int(weeks[row.argmax()]) if row.any() else None for name, row in zip(paired.scenarios[1:], stays)}


def ranking(gaps: pd.DataFrame, baseline: str, week: int, gap: tuple[str, str, str, str] = words.HEADLINE) -> pd.DataFrame:
    """Rank the options, the baseline among them, by how much gap one would regret having chosen them.

    gaps: the gaps table; baseline: the scenario of no change; week: the last week of a year; gap: as for `by_when`.
    In each pair the best option has the lowest gap and the regret of another is how much higher its gap is.
    Returns a row per scenario, lowest average regret first: scenario, gap (the baseline's median plus the median paired change,
    so that columns add up), change, low, high, mc_error, probability_best (ties are shared), average_regret, high_regret (90th
    percentile), pairs. Pairs in which the gap is undefined for any option are left out of all of it.
    Raises InputError for a week, gap or baseline that is not there.
    """
    paired, weeks, values = _yearly_gap(gaps, baseline, gap)
    if week not in weeks:
        raise InputError(f"No year ends in week {week}: the years of this study end in week {one_of(weeks.tolist())}.")
    values = values[:, int(np.flatnonzero(weeks == week)[0])]  # (scenarios, pairs)
    values = values[:, np.isfinite(values).all(axis=0)]
    count = values.shape[1]
    if count == 0:
        raise InputError(f"The gap {' '.join(gap)} is undefined for some option in every pair: rank another measure.")
    regret = values - values.min(axis=0)
    best = regret == 0
    summary = summarise(np.broadcast_to(values[0], values.shape), values, False)
    frame = pd.DataFrame(
        {
            "scenario": paired.scenarios,
            "gap": summary["baseline"] + summary["difference"],
            "change": summary["difference"],
            **{name: summary[name] for name in ("low", "high", "mc_error")},
            "probability_best": (best / best.sum(axis=0)).mean(axis=1),
            "average_regret": regret.mean(axis=1),
            "high_regret": np.quantile(regret, 0.9, axis=1),
            "pairs": count,
        }
    )
    return frame.sort_values("average_regret", kind="stable", ignore_index=True)


def levelling_down(
    comparison: pd.DataFrame, week: int | None = None, gap: tuple[str, str, str, str] = words.HEADLINE
) -> pd.DataFrame:
    """Flag the scenarios whose gap closes while the least disadvantaged group gets worse.

    comparison: what `compare` returns; week: the last week of a year, the last one of the study unless said; gap: as for
    `by_when`, on an ordered axis. The least disadvantaged group is the last level of the axis; for deprivation tenths it is the
    least deprived fifth, which has twice the residents and so less noise.
    Returns a row per scenario: scenario, week, gap_change and least_change (median paired changes), mc_error (of the latter) and
    levelling_down, true when the gap falls and the group is worse by more than `mc_error`. With one pair, which has no
    `mc_error`, any worsening is flagged: a warning too many is better than one missed.
    Raises InputError for an axis without an order, or a gap, group or week that is not there.
    """
    need_columns(comparison, COLUMNS, "comparison")
    age_group, axis, outcome, measure = gap
    if axis not in words.AXIS or not words.AXIS[axis].ordered:
        ordered = [a.name for a in words.AXES if a.ordered]
        raise InputError(
            f"Levelling down needs an ordered axis, got '{axis}': choose {one_of(ordered)}.{did_you_mean(axis, ordered)}"
        )
    group = words.AXIS["imd_fifth" if axis == "imd_decile" else axis]
    yearly = comparison[
        (comparison["window"] == YEAR) & (comparison["age_group"] == age_group) & (comparison["outcome"] == outcome)
    ]
    changes = yearly[(yearly["axis"] == axis) & (yearly["measure"] == measure)]
    least = yearly[(yearly["axis"] == group.name) & (yearly["measure"] == "level") & (yearly["level"] == group.levels[-1])]
    if changes.empty or least.empty:
        raise InputError(
            f"The comparison has no yearly '{measure}' of '{outcome}' by '{axis}' with its levels for '{age_group}'."
        )
    when = int(changes["week"].max()) if week is None else week
    both = changes[changes["week"] == when].merge(least[least["week"] == when], on="scenario", suffixes=("", "_least"))
    if both.empty:
        weeks = sorted(int(w) for w in changes["week"].unique())
        raise InputError(f"No year ends in week {when}: the years of this comparison end in week {one_of(weeks)}.")
    worse = both["difference_least"] * (-1.0 if is_good(outcome) else 1.0)
    return pd.DataFrame(
        {
            "scenario": both["scenario"],
            "week": when,
            "gap_change": both["difference"],
            "least_change": both["difference_least"],
            "mc_error": both["mc_error_least"],
            "levelling_down": (both["difference"] < 0) & (worse > both["mc_error_least"].fillna(0.0)),
        }
    )


# --- where a change of the gap comes from ---------------------------------------------------------------------------
def contributions(cross: pd.DataFrame, baseline: str) -> pd.DataFrame:
    """Split the change of the deprivation gap in inactivity over local authorities, so that the parts add up exactly.

    cross: scenario, draw, replicate, week, local_authority, imd_decile (1 to 10), residents and inactive (share), one row per
    cell of adults; empty cells may be missing. baseline: the scenario to compare with.
    The slope index is a weighted sum of the values of the tenths, with weights that depend on the residents alone; a tenth's
    value is the mean over its authorities. So, with residents held at the baseline's, an authority contributes its own change,
    weighted. Where residents differ, one more row, 'population change', holds what their moving between cells does.
    Returns contributions.parquet: scenario, draw, replicate, week, local_authority, residents (the baseline's), fewer_inactive
    (residents) and gap_contribution (share units; below 0 narrows the gap), the last summing over a run and week to the change
    of its SII. Raises InputError for an unknown baseline, MovesimError for rows without a partner or a tenth outside 1 to 10.
    """
    need_columns(cross, [*RUN, "week", "local_authority", "imd_decile", "residents", "inactive"], "cross")
    decile = pd.to_numeric(cross["imd_decile"], errors="coerce")
    wrong = ~decile.isin(range(1, 11))
    if wrong.any():
        found = cross["imd_decile"][wrong].iloc[0]
        raise MovesimError(f"The cross table has a deprivation tenth '{found}'; tenths run from 1 (most deprived) to 10.")
    table = cross.assign(imd_decile=decile.astype(int), window=YEAR)
    paired = pair(table, baseline, ["local_authority", "imd_decile", "week", "window"], ["residents", "inactive"], "cross")

    authority, authorities = distinct(paired.cells, ["local_authority"])
    week, weeks = distinct(paired.cells, ["week"])
    # (scenarios, pairs, weeks, authorities, tenths); a cell that is not there has no residents
    shape = (len(paired.scenarios), len(paired.pairs), len(weeks), len(authorities), 10)
    people, share = np.zeros(shape), np.zeros(shape)
    place = (slice(None), slice(None), week, authority, paired.cells["imd_decile"].to_numpy() - 1)
    there = paired.values[:, :, 0] > 0
    people[place] = np.where(there, paired.values[:, :, 0], 0.0).transpose(0, 2, 1)
    share[place] = np.where(there, paired.values[:, :, 1], 0.0).transpose(0, 2, 1)

    before, after = people[:1], people[1:]
    was = np.broadcast_to(share[:1], after.shape)
    now = np.where(after > 0, share[1:], was)  # nobody left to change: all of it is population change
    change = np.where(before > 0, now - was, 0.0)
    weight = _cell_weights(before)
    by_authority = (weight * change).sum(axis=-1)
    fewer = (before * -change).sum(axis=-1)

    # What is left: the index of the scenario itself, less that of its shares with the baseline's residents.
    held = np.where(before > 0, was + change, 0.0)
    moved = (_cell_weights(after) * now).sum(axis=(-1, -2)) - (weight * held).sum(axis=(-1, -2))
    fewer_moved = (before * held).sum(axis=(-1, -2)) - (after * now).sum(axis=(-1, -2))
    total = before.sum(axis=(-1, -2))
    differs = np.abs(after - before).max(axis=(-1, -2)) > 1e-12 * total  # more than the order of a sum

    names = [*(str(name) for name in authorities["local_authority"]), POPULATION_CHANGE]
    residents = np.broadcast_to(before.sum(axis=-1), fewer.shape)
    columns = {
        "residents": np.concatenate([residents, (after - before).sum(axis=(-1, -2))[..., None]], axis=-1),
        "fewer_inactive": np.concatenate([fewer, fewer_moved[..., None]], axis=-1),
        "gap_contribution": np.concatenate([by_authority, moved[..., None]], axis=-1),
    }
    keep = np.concatenate([np.broadcast_to((total > 0)[..., None], fewer.shape), differs[..., None]], axis=-1)
    s, p, w, a = np.nonzero(keep)
    frame = pd.DataFrame({"scenario": pd.Series([paired.scenarios[k + 1] for k in s], dtype=str)})
    for name in ("draw", "replicate"):
        frame[name] = paired.pairs[name].to_numpy()[p]
    frame["week"] = weeks["week"].to_numpy()[w]
    frame["local_authority"] = pd.Series([names[k] for k in a], dtype=str)
    for name, values in columns.items():
        frame[name] = values[keep]
    return frame


def _cell_weights(residents: np.ndarray) -> np.ndarray:
    """Return what one unit of inactivity in each cell adds to the slope index, for residents (..., authorities, 10).

    The index is linear in the values of the tenths, so the weight of a tenth is the index of an outcome that is 1 there and 0
    elsewhere; its authorities share it by residents. NaN with fewer than two tenths that have residents.
    """
    of_tenth = residents.sum(axis=-2)
    weight = sii(np.eye(residents.shape[-1]), of_tenth[..., None, :])
    return weight[..., None, :] * residents / np.where(of_tenth > 0, of_tenth, 1.0)[..., None, :]
