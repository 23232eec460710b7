"""How unequal an outcome is between groups: pure functions on arrays, and the gaps table of a study.

Every measure is signed alike: a difference above 0 and a ratio above 1 mean that the disadvantaged fare worse, whether the
outcome is one to have less of (inactive) or more of (`good`: fairly active, active, minutes). Arrays have the levels on their
last axis, from the most to the least disadvantaged; a level nobody lives in (share 0) is left out, whatever its value.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from movesim import words
from movesim.errors import MovesimError, did_you_mean
from movesim.outcomes.pairing import distinct, need_columns, take_names

KEYS = ["scenario", "draw", "replicate", "week", "window", "age_group"]
OUTCOMES = tuple(word.name for word in words.OUTCOMES)
SHARES = ("inactive", "fairly_active", "active")  # bounded by 0 and 1, so that odds and the Erreygers index mean something


def is_good(outcome: str) -> bool:
    """Return whether more of an outcome is better: all of them but `inactive`.

    >>> is_good("inactive"), is_good("minutes")
    (False, True)
    """
    return outcome != "inactive"


# --- measures on arrays ---------------------------------------------------------------------------------------------
def _clean(y: ArrayLike, share: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return values with 0 in empty levels, and shares that add up to 1 (NaN where nobody lives in any level)."""
    y, share = np.broadcast_arrays(np.asarray(y, np.float64), np.asarray(share, np.float64))
    there = share > 0
    share = np.where(there, share, 0.0)
    with np.errstate(invalid="ignore"):
        return np.where(there, y, 0.0), share / share.sum(axis=-1, keepdims=True)


def _divide(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    """Return top / bottom, NaN where the bottom is not above 0."""
    ok = bottom > 0
    return np.where(ok, top, np.nan) / np.where(ok, bottom, 1.0)


def _ends(y: ArrayLike, share: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return the values of the most and the least disadvantaged level that has residents, NaN if there are not two."""
    y, share = np.broadcast_arrays(np.asarray(y, np.float64), np.asarray(share, np.float64))
    there = share > 0
    first = there.argmax(axis=-1)[..., None]
    last = y.shape[-1] - 1 - there[..., ::-1].argmax(axis=-1)[..., None]
    two = (there.sum(axis=-1) > 1)[..., None]
    most, least = (np.where(two, np.take_along_axis(y, end, axis=-1), np.nan)[..., 0] for end in (first, last))
    return most, least


def midrank(share: ArrayLike) -> np.ndarray:
    """Return where the middle person of each level stands in the ranking, from 0 (most disadvantaged) to 1.

    share: (..., levels), residents or shares of residents. Returns (..., levels).

    >>> midrank([2, 5, 3]).round(9).tolist()
    [0.1, 0.45, 0.85]
    """
    _, p = _clean(0.0, share)
    return np.cumsum(p, axis=-1) - p / 2


def line(y: ArrayLike, share: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Fit y = A + B rank over the levels, weighted by their residents, and return A and B.

    y: (..., levels), shares or minutes; share: (..., levels), residents or shares of residents. A is the modelled value at
    rank 0, the most disadvantaged end, and A + B that at rank 1; NaN with fewer than two levels. This is the fit of the Office
    for Health Improvement and Disparities (PHEindicatormethods: sqrt(share) y on sqrt(share) and sqrt(share) rank without an
    intercept), in closed form.
    """
    y, p = _clean(y, share)
    centred = np.cumsum(p, axis=-1) - p / 2 - 0.5  # the mean of the midranks is a half, exactly
    mean = (p * y).sum(axis=-1)
    slope = _divide((p * centred * (y - mean[..., None])).sum(axis=-1), (p * centred**2).sum(axis=-1))
    return mean - slope / 2, slope


def absolute(y: ArrayLike, share: ArrayLike, good: bool = False) -> np.ndarray:
    """Return the difference between the most and the least disadvantaged level, in the unit of y.

    y, share: (..., levels) as for `line`; good: more is better. Returns (...).
    """
    most, least = _ends(y, share)
    return least - most if good else most - least


def relative(y: ArrayLike, share: ArrayLike, good: bool = False) -> np.ndarray:
    """Return the ratio of the two end levels; NaN where it would divide by 0.

    y, share: (..., levels) as for `line`; good: more is better. Returns (...), no unit.
    """
    most, least = _ends(y, share)
    return _divide(least, most) if good else _divide(most, least)


def odds_ratio(y: ArrayLike, share: ArrayLike, good: bool = False) -> np.ndarray:
    """Return the ratio of the odds of the two end levels; NaN where odds are undefined.

    y: (..., levels), shares from 0 to 1; share: (..., levels) as for `line`; good: more is better. Returns (...), no unit.
    """
    most, least = _ends(y, share)
    top, bottom = most * (1 - least), least * (1 - most)
    return _divide(bottom, top) if good else _divide(top, bottom)


def sii(y: ArrayLike, share: ArrayLike, good: bool = False) -> np.ndarray:
    """Return the slope index of inequality: the modelled difference between the two ends of the ranking.

    y, share: (..., levels) as for `line`; good: more is better. Returns (...), in the unit of y: -B, or B for a good outcome.

    >>> float(sii([0.4, 0.3, 0.2], [0.2, 0.5, 0.3]).round(6))
    0.264286
    """
    _, slope = line(y, share)
    return slope if good else -slope


def rii(y: ArrayLike, share: ArrayLike, good: bool = False) -> np.ndarray:
    """Return the relative index of inequality: the modelled ratio between the two ends of the ranking.

    y, share: (..., levels) as for `line`; good: more is better. Returns (...), no unit: A / (A + B), or (A + B) / A for a good
    outcome; NaN where the line puts either end at 0 or below, because a ratio then means nothing.
    """
    most, slope = line(y, share)
    least = most + slope
    both = np.where((most > 0) & (least > 0), 1.0, np.nan)
    return both * (_divide(least, most) if good else _divide(most, least))


def erreygers(y: ArrayLike, share: ArrayLike, good: bool = False, low: float = 0.0, high: float = 1.0) -> np.ndarray:
    """Return the Erreygers index, the concentration index corrected for an outcome with bounds.

    y: (..., levels), between low and high; share: (..., levels) as for `line`; good: more is better. Returns (...), from -1
    to 1: 8 cov(y, rank) / (high - low), turned so that above 0 is worse for the disadvantaged (Erreygers 2009).
    """
    y, p = _clean(y, share)
    centred = np.cumsum(p, axis=-1) - p / 2 - 0.5
    mean = (p * y).sum(axis=-1)
    index = 8 * (p * centred * (y - mean[..., None])).sum(axis=-1) / (high - low)
    return index if good else -index


def mean_deviation(y: ArrayLike, share: ArrayLike) -> np.ndarray:
    """Return how far a resident's group is from the average, on average over residents.

    y, share: (..., levels) in any order. Returns (...), in the unit of y. Unlike the difference of the highest and the lowest
    group it does not grow with the number of groups by noise alone.
    """
    y, p = _clean(y, share)
    return (p * np.abs(y - (p * y).sum(axis=-1)[..., None])).sum(axis=-1)


def theil(y: ArrayLike, share: ArrayLike) -> np.ndarray:
    """Return the Theil index between groups: the sum of p (y / mean) ln(y / mean).

    y: (..., levels), 0 or more, in any order; share: (..., levels), residents. Returns (...), no unit; NaN where the mean is 0.
    """
    y, p = _clean(y, share)
    ratio = _divide(y, (p * y).sum(axis=-1)[..., None])
    return (p * ratio * np.log(np.where(ratio == 0, 1.0, ratio))).sum(axis=-1)  # 0 ln 0 counts as 0


Measure = Callable[..., np.ndarray]
ORDERED: dict[str, Measure] = {
    "absolute": absolute, "relative": relative, "odds_ratio": odds_ratio, "sii": sii, "rii": rii, "erreygers": erreygers,
}  # fmt: skip
UNORDERED: dict[str, Measure] = {"mean_deviation": mean_deviation, "theil": theil}
BOUNDED = ("odds_ratio", "erreygers")  # measures that need an outcome with bounds


# --- the gaps table -------------------------------------------------------------------------------------------------
def _measures(ordered: bool) -> list[tuple[str, str, Measure]]:
    """Return (outcome, measure, function of values and shares) for every gap of an axis, in the order of the vocabulary."""
    found: list[tuple[str, str, Measure]] = []
    for outcome in OUTCOMES:
        for word in words.MEASURES:
            if word.name in UNORDERED and not ordered:
                found.append((outcome, word.name, UNORDERED[word.name]))
            elif word.name in ORDERED and ordered and (outcome in SHARES or word.name not in BOUNDED):
                found.append((outcome, word.name, partial(ORDERED[word.name], good=is_good(outcome))))
    return found


def _level_numbers(axis: words.Axis, levels: np.ndarray, labels: list[str]) -> tuple[np.ndarray, int]:
    """Return the place of each row's level on its axis, and how many places there are."""
    here = [labels[code] for code in pd.unique(levels)]
    known = axis.levels or tuple(sorted(here))
    for label in here:
        if label not in known:
            raise MovesimError(
                f"Axis '{axis.name}' has no level '{label}' in the outcomes table; "
                f"its levels are {', '.join(known)}.{did_you_mean(label, known)}"
            )
    place = np.array([known.index(label) if label in known else -1 for label in labels])
    return place[levels], len(known)


def gaps(outcomes: pd.DataFrame) -> pd.DataFrame:
    """Measure the gap on every axis, for every outcome, in every record of a study.

    outcomes: the outcomes table (scenario, draw, replicate, week, window, age_group, axis, level, residents and the outcomes).
    Returns the gaps table: scenario, draw, replicate, week, window, age_group, axis, outcome, measure, value, with the measures
    of `words.MEASURES`: the first six for ordered axes, the last two for the others; shares stay shares (0.15 = 15 points) and
    minutes have neither odds nor an Erreygers index. Levels without residents are left out; an axis left with fewer than two
    levels has no rows; a measure that is undefined is NaN.
    Raises MovesimError for a missing column, an unknown axis or level, or two rows for one level.
    """
    need_columns(outcomes, [*KEYS, "axis", "level", "residents", *OUTCOMES], "outcomes")
    key, keys = distinct(outcomes, KEYS)
    axis_codes, axes = distinct(outcomes, ["axis"])
    level_codes, level_frame = distinct(outcomes, ["level"])
    labels = [str(label) for label in level_frame["level"]]
    residents = outcomes["residents"].to_numpy(np.float64)
    values = np.stack([outcomes[name].to_numpy(np.float64) for name in OUTCOMES])

    parts: dict[str, list[np.ndarray]] = {"key": [], "axis": [], "outcome": [], "measure": [], "value": []}
    names = [word.name for word in words.MEASURES]
    for number, name in enumerate(axes["axis"]):
        if name not in words.AXIS:
            raise MovesimError(f"The outcomes table has an unknown axis '{name}'.{did_you_mean(name, words.AXIS)}")
        axis = words.AXIS[name]
        rows = np.flatnonzero(axis_codes == number)
        level, count = _level_numbers(axis, level_codes[rows], labels)
        own, place = np.unique(key[rows], return_inverse=True)
        share = np.zeros((len(own), count))
        y = np.zeros((len(OUTCOMES), len(own), count))
        seen = np.zeros((len(own), count), bool)
        seen[place, level] = True
        if seen.sum() < len(rows):
            twice = rows[int(np.flatnonzero(pd.Series(place * count + level).duplicated().to_numpy())[0])]
            where = ", ".join(f"{column} {outcomes[column].iloc[twice]}" for column in [*KEYS, "axis", "level"])
            raise MovesimError(f"The outcomes table has two rows for {where}; each level may come once.")
        share[place, level] = residents[rows]
        y[:, place, level] = values[:, rows]
        enough = (share > 0).sum(axis=-1) > 1
        own, share, y = own[enough], share[enough], y[:, enough]
        wanted = _measures(axis.ordered)
        if not len(own):
            continue
        table = np.stack([function(y[OUTCOMES.index(o)], share) for o, _, function in wanted], axis=-1)
        parts["value"].append(table.ravel())
        parts["key"].append(np.repeat(own, len(wanted)))
        parts["axis"].append(np.full(table.size, number, np.int8))
        parts["outcome"].append(np.tile(np.array([OUTCOMES.index(o) for o, _, _ in wanted], np.int8), len(own)))
        parts["measure"].append(np.tile(np.array([names.index(m) for _, m, _ in wanted], np.int8), len(own)))

    whole = {part: np.concatenate(arrays) if arrays else np.zeros(0, np.int64) for part, arrays in parts.items()}
    result = pd.DataFrame({column: keys[column].array.take(whole["key"]) for column in KEYS})
    result["axis"] = take_names(list(axes["axis"]), whole["axis"])
    result["outcome"] = take_names(OUTCOMES, whole["outcome"])
    result["measure"] = take_names(names, whole["measure"])
    result["value"] = whole["value"].astype(np.float64)
    return result
