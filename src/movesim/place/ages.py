"""Ages: census bands of any width and mid-year single years become residents of each year of age, 0 to 104."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from movesim.errors import InputError
from movesim.place.lookups import Lookup
from movesim.place.margins import AGE_STARTS, CENSUS_SIX, OLDEST, associations, single_years_from_bands, table
from movesim.place.origins import Origin
from movesim.place.reading import Table, in_order, read

Floats = NDArray[np.float64]
_AGED = "age: aged "
_LIMIT = re.compile(
    r"^(?:under (?P<under>\d+) years?|(?P<upto>\d+) years? and under|(?P<low>\d+) to (?P<high>\d+) years?"
    r"|(?P<over>\d+) years? and (?:over|older)|(?P<only>\d+) years?)$"
)
_SIX_STARTS = (0, 16, 25, 35, 50, 65)


def census_bands(table: Table, codes: list[str]) -> tuple[list[int], Floats]:
    """Return where each age band of a census table begins and its residents (codes, bands).

    Nested bands (all under 16 beside single years) are left out: the finest bands that cover every age once are taken.
    Raises InputError where bands are missing between them.
    """
    spans: dict[str, tuple[int, int]] = {}
    for name in table.names:
        if name.startswith(_AGED):
            span = _span(name[len(_AGED) :])
            if span is None:
                raise InputError(f"{table.path}: the age band '{name}' is none that is known; fetch the table again.")
            if span in spans.values():
                raise InputError(f"{table.path}: the column '{name}' stands there twice; keep one, or fetch the file again.")
            spans[name] = span
    chosen: list[str] = []
    at = 0
    while at <= OLDEST:
        here = [(high, name) for name, (low, high) in spans.items() if low == at]
        if not here:
            raise InputError(
                f"{table.path}: no age band begins at {at}; the bands must cover every age once, so the table is "
                "cut; fetch it again."
            )
        high, name = min(here)
        chosen.append(name)
        at = high + 1
    values = np.stack([in_order(table, codes, table.numbers(name)) for name in chosen], axis=1)
    return [spans[name][0] for name in chosen], values


def _span(words: str) -> tuple[int, int] | None:
    found = _LIMIT.match(words.strip())
    if found is None:
        return None
    part = {k: int(v) for k, v in found.groupdict().items() if v is not None}
    if "under" in part:
        return 0, part["under"] - 1
    if "upto" in part:
        return 0, part["upto"]
    if "over" in part:
        return part["over"], OLDEST
    low, high = part.get("low", part.get("only", 0)), part.get("high", part.get("only", 0))
    return (low, high) if low <= high <= OLDEST else None


def single_years(
    starts: list[int], bands: Floats, mid_year: Floats | None, authority: NDArray[np.int16], notes: list[str]
) -> Floats:
    """Single years of age 0 to 104: mid-year shape inside each census band, census totals of the bands.

    Arguments: starts and residents of the bands; mid-year residents (g, 91), NaN where there are none, or None; the authority
    of each LSOA, which stands in for a missing one; notes, to which is added what was done.
    """
    if len(starts) > OLDEST - 10:
        notes.append("Single years of age are those of the census.")
        shape = np.ones((len(bands), OLDEST + 1))
        shape[:, starts[-1] :] = _tail(starts[-1])
    elif mid_year is not None:
        shape = _mid_year_shape(mid_year, _even(starts, bands), authority, notes)
        notes.append(f"Single years of age are mid-year estimates scaled to the {len(starts)} census bands.")
    else:
        shape = _even(starts, bands)
        notes.append(
            f"Single years of age are spread evenly inside the {len(starts)} census bands: mid-year estimates are absent."
        )
    out = np.zeros_like(shape)
    for band, (a, b) in enumerate(itertools.pairwise([*starts, OLDEST + 1])):
        part = shape[:, a:b]
        sums = part.sum(axis=1, keepdims=True)
        even = np.full_like(part, 1.0 / (b - a))
        out[:, a:b] = bands[:, band : band + 1] * np.divide(part, sums, out=even, where=sums > 0)
    return out


def _tail(start: int) -> Floats:
    return np.asarray(
        associations().data["single_year"]["open_ended_a_year"]["value"] ** np.arange(OLDEST + 1 - start), dtype=np.float64
    )


def _even(starts: list[int], bands: Floats) -> Floats:
    """Ages spread evenly inside bands, falling among the oldest."""
    if tuple(starts) == _SIX_STARTS:
        flat = np.zeros((len(bands), len(AGE_STARTS)))
        width = np.diff((*AGE_STARTS, 90))
        for band in range(6):
            at = [k for k, b in enumerate(CENSUS_SIX) if b == band]
            part = width[at] * (table(associations().data["single_year"]["older_bands"])[0] if band == 5 else 1.0)
            flat[:, at] = bands[:, band : band + 1] * part / part.sum()
        return single_years_from_bands(flat)
    # The shape of a place with as many people in every band: only what is inside a band is used of it.
    return np.repeat(single_years_from_bands(np.diff((*AGE_STARTS, 90))[None, :].astype(np.float64)), len(bands), axis=0)


def _mid_year_shape(found: Floats, even: Floats, authority: NDArray[np.int16], notes: list[str]) -> Floats:
    found = found.copy()
    whole = np.zeros((int(authority.max()) + 1, found.shape[1]))
    np.add.at(whole, authority, np.nan_to_num(found))
    absent = np.isnan(found).any(axis=1)
    found[absent] = whole[authority[absent]] + 1e-9
    if absent.any():
        notes.append(f"{absent.sum()} LSOAs without a mid-year row take the single years of age of their authority.")
    ninety = even[:, 90:] / np.maximum(even[:, 90:].sum(axis=1, keepdims=True), 1e-12)
    return np.concatenate([found[:, :90], found[:, 90:91] * ninety], axis=1)


def mid_year(origin: Origin, codes: list[str], lookup: Lookup, residents: Mapping[str, float]) -> Floats:
    """Mid-year residents by single year, (g, 91), of LSOAs of 2021; NaN where none is known.

    Either both sexes together by LSOA of 2011 (to mid-2020) or women and men by LSOA of 2021 (from mid-2019 on).
    """
    table = read(origin, ("lsoa 2021 code", "lsoa code"), year=False)
    if "f0" in table.names:
        years = np.stack([table.numbers(f"f{a}") + table.numbers(f"m{a}") for a in range(91)], axis=1)
    else:
        years = np.stack([table.numbers(str(a) if a < 90 else "90+") for a in range(91)], axis=1)
    total = table.numbers("total" if "total" in table.names else "all ages")
    wrong = np.flatnonzero(np.abs(years.sum(axis=1) - total) > 2)
    if len(wrong):
        k = wrong[0]
        raise InputError(
            f"{table.path}, line {table.lines[k]}: the ages of {table.codes[k]} sum to {years[k].sum():,.0f} and its total is "
            f"{total[k]:,.0f}; the file is damaged, fetch it again."
        )
    rows = dict(zip(table.codes, years))
    if "lsoa 2021 code" in table.names:
        missing = np.full(91, np.nan)
        return np.array([rows.get(code, missing) for code in codes])
    return lookup.counts(codes, rows, residents)
