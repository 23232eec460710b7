"""Which outcome of a run is analysed, by name: the change of a gap or level, its value with the scenario, or without.

A name is that of a sweep's outcome (an axis, `spent`, age_group.axis.outcome.measure or .LEVEL), with `value:` or `baseline:`
before it for the scenario's own or no change's (left out, their difference), and with `@N` behind it for year N (left out, the
last). Examples: imd_decile, value:imd_decile, adult.sex.active.absolute@3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from movesim.errors import InputError, did_you_mean, one_of
from movesim.experiments.runs import Runs
from movesim.words import AGE_GROUPS, AXIS, MEASURES, OUTCOMES, WEEKS_A_YEAR

if TYPE_CHECKING:
    import pyarrow as pa

KINDS = ("change", "value", "baseline")
TABLE = "cells"


@dataclass(frozen=True)
class Outcome:
    """One outcome: which difference or level, its cell, and the year (0: no year, as of spending)."""

    name: str
    kind: str
    age_group: str
    axis: str
    outcome: str
    measure: str
    level: str
    year: int

    @property
    def scale(self) -> float:
        """What turns it into points, pounds or minutes."""
        plain = self.outcome in ("minutes", "spent") or self.measure in ("relative", "odds_ratio", "rii", "erreygers", "theil")
        return 1.0 if plain else 100.0


def read_outcome(name: str, years: int) -> Outcome:
    """Return the outcome that a name means; raise InputError for one that there cannot be."""
    head, colon, rest = name.partition(":")
    kind, text = (head, rest) if colon else ("change", name)
    text, at, year = text.partition("@")
    if kind not in KINDS:
        raise InputError(
            f"outcomes: '{name}' must begin with {one_of(KINDS)} and a colon, or with none.{did_you_mean(kind, KINDS)}"
        )
    if at and not (year.isdecimal() and 1 <= int(year) <= years):
        raise InputError(f"outcomes: '{name}' asks for year {year}; the policy period has the years 1 to {years}.")
    if text == "spent":
        return Outcome(name, kind, "all", "all", "spent", "level", "all", years)
    if text in AXIS and text != "all":
        text = f"adult.{text}.inactive.{'sii' if AXIS[text].ordered else 'mean_deviation'}"
    parts = text.split(".")
    known = (AGE_GROUPS, tuple(AXIS), tuple(word.name for word in OUTCOMES))
    if len(parts) != 4 or any(part not in words for part, words in zip(parts, known, strict=False)):
        raise InputError(
            f"outcomes: '{name}' must be spent, an axis, or age_group.axis.outcome.measure, as in adult.imd_decile.inactive.sii."
        )
    gap = parts[3] in [word.name for word in MEASURES]
    measure, level = (parts[3], "") if gap else ("level", parts[3])
    return Outcome(name, kind, parts[0], parts[1], parts[2], measure, level, int(year) if at else years)


def series(runs: Runs, keys: Sequence[str], outcome: Outcome) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the years kept of an outcome and its numbers by run and year, joined to the design by key, in its order.

    Raises InputError for an outcome that the runs do not hold.
    """
    cache: dict[str, tuple[NDArray, NDArray]] = {}
    for key, table in runs.each(TABLE, dict.fromkeys(keys)):
        cache[key] = _one(table, outcome)
    years = next(iter(cache.values()))[0]
    if not years.size:
        raise InputError(f"outcomes: the runs have no '{outcome.name}'; see docs/sensitivity.md for what is kept.")
    for key, (found, _) in cache.items():
        if not np.array_equal(found, years):
            raise InputError(f"outcomes: run {key} holds other years of '{outcome.name}' than the others.")
    return years, np.array([cache[key][1] for key in keys])


def _one(table: pa.Table, wanted: Outcome) -> tuple[NDArray, NDArray]:
    import pyarrow.compute as pc

    keep = None
    for name in ("age_group", "axis", "outcome", "measure", "level"):
        same = pc.equal(pc.cast(table[name], "string"), getattr(wanted, name))
        keep = same if keep is None else pc.and_(keep, same)
    rows = table.filter(keep)
    value, baseline = (rows[name].to_numpy() for name in ("value", "baseline"))
    found = {"change": value - baseline, "value": value, "baseline": baseline}[wanted.kind] * wanted.scale
    years = rows["week"].to_numpy() // WEEKS_A_YEAR
    order = np.argsort(years, kind="stable")
    return years[order], found[order]
