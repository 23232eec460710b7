"""Counting: status shares and minutes by group, every four weeks, in one compiled pass over the people."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from llvmlite import ir
from numba import float32, types, uint32, uint64
from numba.extending import intrinsic
from numpy.typing import NDArray

from movesim.draws import compiled
from movesim.outcomes.axes import levels
from movesim.outcomes.gaps import sii
from movesim.words import ADULT_FROM, ADULT_LIMITS, AGE_GROUPS, AXES, CHILD_LIMITS, DOMAINS, RECORD_EVERY, WEEKS_A_YEAR

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from movesim.behaviour.people import People

VALUES = ("agents", "residents", "inactive", "fairly_active", "active", "minutes", *(f"minutes_{d.name}" for d in DOMAINS))
RECORDS_A_YEAR = 13
SHORT_AXES = ("all", "imd_decile", "imd_fifth")  # axes that are kept every four weeks, not only by the year
# Axes that are counted together, so that a person is added to three rows and not to eleven.
GROUPINGS = (
    ("age_group", "local_authority", "imd_decile"),
    ("age_group", "age_band", "sex", "impairments", "characteristics"),
    ("age_group", "ethnic_group", "ns_sec", "affluence"),
    ("age_group", "imd_decile", "age_band", "original"),
)
BLOCK = 2048
ADJUSTMENT = 3  # the grouping that closed cohorts and standard ages are read from
HOME = {name: next(k for k, names in enumerate(GROUPINGS) if name in names) for names in GROUPINGS for name in names[1:]}
HOME |= {"imd_decile": 0, "age_band": 1, "all": 0, "imd_fifth": 0, "age_group": 0}


@intrinsic
def _add_four(typing_context, table, place, a, b, c, d):
    """Add four doubles to table[place : place + 4] at once; the compiler makes one vector addition of it."""

    def build(context, builder, signature, given):
        start = context.make_array(signature.args[0])(context, builder, given[0]).data
        four = ir.VectorType(ir.DoubleType(), 4)
        added = ir.Constant(four, ir.Undefined)
        for i, value in enumerate(given[2:]):
            added = builder.insert_element(added, value, ir.Constant(ir.IntType(32), i))
        at = builder.bitcast(builder.gep(start, [given[1]]), four.as_pointer())
        builder.store(builder.fadd(builder.load(at, align=8), added), at, align=8)
        return context.get_dummy_value()

    return types.void(table, types.uint64, *[types.float64] * 4), build


@compiled
def _add_level(level, size, start):
    """Go one axis further into the tables: start * size + level, and the last place where the axis does not apply."""
    for j in range(start.size):
        here = uint32(level[j]) if level[j] >= 0 else size - uint32(1)
        start[j] = start[j] * size + here


@compiled
def _count_people(starts, weight, table):
    for j in range(weight.size):
        for k in range(starts.shape[0]):
            at = uint64(starts[k, j])
            table[at] += 1.0
            table[at + uint64(1)] += weight[j]


@compiled
def _count_minutes(
    s0, s1, s2, s3, weight, mean, child, m0, m1, m2, m3, m4, m5, low_adult, high_adult, low_child, high_child, nobody, table
):  # fmt: skip
    """Add each person's status and minutes to one row of each of the four tables, in the order of the people."""
    for j in range(weight.size):
        if s0[j] == nobody:
            continue
        w, x = weight[j], mean[j]
        kid = child[j] > float32(0.5)
        # w or 0 rather than a branch: which status somebody has is not to be foreseen
        inactive = w if x < (low_child if kid else low_adult) else 0.0
        active = 0.0 if x < (high_child if kid else high_adult) else w
        fairly = w - inactive - active
        all_minutes = w * x
        quarter = w * 0.25
        a, b, c, d = quarter * m0[j], quarter * m1[j], quarter * m2[j], quarter * m3[j]
        at0, at1, at2, at3 = uint64(s0[j]), uint64(s1[j]), uint64(s2[j]), uint64(s3[j])
        _add_four(table, at0 + uint64(2), inactive, fairly, active, all_minutes)
        _add_four(table, at0 + uint64(6), a, b, c, d)
        _add_four(table, at1 + uint64(2), inactive, fairly, active, all_minutes)
        _add_four(table, at1 + uint64(6), a, b, c, d)
        _add_four(table, at2 + uint64(2), inactive, fairly, active, all_minutes)
        _add_four(table, at2 + uint64(6), a, b, c, d)
        _add_four(table, at3 + uint64(2), inactive, fairly, active, all_minutes)
        _add_four(table, at3 + uint64(6), a, b, c, d)
        if (m4[j] != float32(0.0)) | (m5[j] != float32(0.0)):  # play and school: children's only
            e, f = quarter * m4[j], quarter * m5[j]
            for at in (at0, at1, at2, at3):
                table[at + uint64(10)] += e
                table[at + uint64(11)] += f


@compiled
def _count(starts, weight, mean, child, minutes, low_adult, high_adult, low_child, high_child, nobody, table):
    """Count everybody and start their domain minutes anew, block by block, so that minutes are read and cleared in the cache."""
    for lo in range(0, weight.size, BLOCK):
        hi = min(weight.size, lo + BLOCK)
        _count_minutes(
            starts[0, lo:hi], starts[1, lo:hi], starts[2, lo:hi], starts[3, lo:hi], weight[lo:hi], mean[lo:hi], child[lo:hi],
            minutes[0, lo:hi], minutes[1, lo:hi], minutes[2, lo:hi], minutes[3, lo:hi], minutes[4, lo:hi], minutes[5, lo:hi],
            low_adult, high_adult, low_child, high_child, nobody, table,
        )  # fmt: skip
        for d in range(minutes.shape[0]):
            minutes[d, lo:hi] = float32(0.0)


def _at_ages(table: NDArray[np.float64], standard: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return, for a table (tenths, age bands, values), each tenth's inactive share at standard ages as a table of its own."""
    everywhere = table[..., 2].sum(axis=0) / np.maximum(table[..., 1].sum(axis=0), 1e-12)
    share = np.where(table[..., 1] > 0, table[..., 2] / np.maximum(table[..., 1], 1e-12), everywhere)
    out = np.zeros((table.shape[0], table.shape[2]))
    out[:, 1], out[:, 2] = 1.0, share @ standard
    return out


@dataclass
class Recorder:
    """Counts outcomes of a run at every fourth week and keeps the sums.

    `areas` restricts the count to these local authorities (indices; empty: all). `sums` holds, per record
    and for each grouping, an array of shape (*sizes, 12) with the sums named in VALUES.
    """

    local_authorities: tuple[str, ...]
    areas: tuple[int, ...] = ()
    weeks: list[int] = field(default_factory=list)
    sums: list[list[NDArray[np.float64]]] = field(default_factory=list)
    _starts: NDArray[np.uint32] | None = None  # where in the flat table each person's four rows begin
    _people: NDArray[np.float64] | None = None  # a flat table with agents and residents, which stay while people do

    def __post_init__(self) -> None:
        size = {axis.name: len(axis.levels) for axis in AXES}
        size |= {"local_authority": len(self.local_authorities), "age_group": len(AGE_GROUPS), "original": 2}
        # levels that may not apply to a person have one more place at the end
        size |= {"ns_sec": size["ns_sec"] + 1, "affluence": size["affluence"] + 1}
        self.sizes = [tuple(size[name] for name in names) for names in GROUPINGS]
        # one flat table for all groupings, and one row behind them for people who are not counted
        self._begin = [0, *np.cumsum([len(VALUES) * math.prod(s) for s in self.sizes]).tolist()]

    def place(self, people: People) -> None:
        """Note which rows of the tables each person counts in, and count the people; call again when people change."""
        at = levels(people)
        at["original"] = people.original[: people.n].astype(np.int16)
        at["age_group"] = (people.age < ADULT_FROM).astype(np.int16)
        counted = people.live[: people.n] > 0
        if self.areas:
            counted &= np.isin(at["local_authority"], self.areas)
        starts = np.zeros((len(GROUPINGS), people.n), np.uint32)
        for start, names, sizes, begin in zip(starts, GROUPINGS, self.sizes, self._begin[:-1], strict=True):
            for name, size in zip(names, sizes, strict=True):
                _add_level(at[name], np.uint32(size), start)
            start *= np.uint32(len(VALUES))
            start += np.uint32(begin)
        starts[:, ~counted] = self._begin[-1]
        self._starts, self._people = starts, np.zeros(self._begin[-1] + len(VALUES))
        _count_people(starts, people.weight, self._people)

    def record(self, people: People, week: int) -> None:
        """Count everybody at the end of `week` and start the next four weeks' domain minutes."""
        n = people.n
        if self._starts is None or self._starts.shape[1] != n:
            self.place(people)
        assert self._starts is not None and self._people is not None
        table = self._people.copy()
        _count(
            self._starts, people.weight, people.mean[:n], people.child[:n], people.domain_minutes[:, :n],
            np.float32(ADULT_LIMITS[0]), np.float32(ADULT_LIMITS[1]), np.float32(CHILD_LIMITS[0]), np.float32(CHILD_LIMITS[1]),
            np.uint32(self._begin[-1]), table,
        )  # fmt: skip
        people.domain_minutes[:, n:] = 0
        self.weeks.append(week)
        ends = itertools.pairwise(self._begin)
        self.sums.append([table[a:b].reshape(*s, len(VALUES)) for (a, b), s in zip(ends, self.sizes, strict=True)])

    def copy(self) -> Recorder:
        """Return a recorder with the same past, for a scenario that branches here."""
        return Recorder(self.local_authorities, self.areas, list(self.weeks), list(self.sums))

    def __getstate__(self) -> dict[str, Any]:
        # one array a grouping, not one a record: what a pickle and a checkpoint write
        return self.__dict__ | {"sums": [np.stack(tables) for tables in zip(*self.sums, strict=True)]}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state | {"sums": [list(tables) for tables in zip(*state["sums"], strict=True)]})

    # --- tables -----------------------------------------------------------------------------------------------------
    def window(self, week: int, records: int) -> list[NDArray[np.float64]]:
        """Return the sums of the given number of records that end at `week`, divided by that number."""
        return [self._windows((week,), records, k)[0] for k in range(len(GROUPINGS))]

    def _windows(self, weeks: Sequence[int], records: int, grouping: int) -> NDArray[np.float64]:
        """Return one grouping's sums over the records that end at each of the weeks, by record, shape (weeks, *sizes, 12)."""
        ends = [self.weeks.index(week) + 1 for week in weeks]
        spans = [[part[grouping] for part in self.sums[end - records : end]] for end in ends]
        if not spans:
            return np.zeros((0, *self.sizes[grouping], len(VALUES)))
        return np.stack([np.sum(span, axis=0) if records > 1 else span[0] for span in spans]) / records

    def years(self) -> list[int]:
        """Return the weeks at which a whole recorded year ends, from week 0."""
        return [w for i, w in enumerate(self.weeks) if w >= 0 and w % WEEKS_A_YEAR == 0 and i + 1 >= RECORDS_A_YEAR]

    def outcomes(self, every_group: bool = False) -> pd.DataFrame:
        """Return the outcome table: every axis by year (window 52), the headline axes every four weeks (window 4).

        With `every_group` every axis is kept every four weeks too.
        """
        import pandas as pd

        every = tuple(axis.name for axis in AXES)
        four_weekly = every if every_group else SHORT_AXES
        windows = ((1, [w for w in self.weeks if w >= 0], four_weekly), (RECORDS_A_YEAR, self.years(), every))
        names, rows, week, window = [], [], [], []
        for records, weeks, axes in windows:
            labels, table = self._labels(axes), self._rows(weeks, records, axes)
            at, row = np.nonzero(table[..., 0] > 0)
            names.append(labels[row])
            rows.append(table[at, row])
            week.append(np.array(weeks, np.int64)[at])
            window.append(np.full(at.size, RECORD_EVERY * records))
        columns: dict[str, NDArray] = dict(zip(("age_group", "axis", "level"), np.concatenate(names).T, strict=True))
        columns |= {"week": np.concatenate(week), "window": np.concatenate(window)}
        values = np.concatenate(rows)
        values[:, 2:] /= values[:, 1:2]
        return pd.DataFrame({**columns, **dict(zip(VALUES, values.T, strict=True))})

    def cross(self) -> pd.DataFrame:
        """Return adults' residents and inactive share by year, local authority and IMD decile."""
        import pandas as pd

        years = self.years()
        adult = self._windows(years, RECORDS_A_YEAR, HOME["local_authority"])[:, 0]
        year, authority, decile = np.nonzero(adult[..., 1] > 0)
        residents, inactive = adult[year, authority, decile, 1], adult[year, authority, decile, 2]
        return pd.DataFrame(
            {
                "week": np.array(years, np.int64)[year], "local_authority": np.array(self.local_authorities, object)[authority],
                "imd_decile": decile + 1, "residents": residents, "inactive": inactive / residents,
            }
        )  # fmt: skip

    def adjusted(self) -> pd.DataFrame:
        """Return the headline gap by year among the people of week 0 (closed cohort) and at the ages of week 0.

        Columns week, measure (words.ADJUSTED) and value. Age-standardised: each tenth's inactive share by age band, weighted by
        the place's adults of week 0; a tenth without anybody of an age takes the place's share at that age.
        """
        import pandas as pd

        rows, standard = [], None
        years = self.years()
        for week, table in zip(years, self._windows(years, RECORDS_A_YEAR, ADJUSTMENT), strict=True):
            adult = table[0]
            both = adult.sum(axis=2)
            if standard is None:
                standard = both[..., 1].sum(axis=0) / max(both[..., 1].sum(), 1e-12)
            closed = adult[:, :, 1].sum(axis=1)
            everybody = both.sum(axis=1)
            at_ages = _at_ages(both, standard)
            for measure, counts, place in (("sii_closed_cohort", closed, closed), ("sii_age_standardised", at_ages, everybody)):
                here = place[:, 1] > 0
                share = counts[here, 2] / np.maximum(counts[here, 1], 1e-12)
                rows.append((week, measure, float(sii(share, place[here, 1])) if here.sum() > 1 else np.nan))
        return pd.DataFrame(rows, columns=["week", "measure", "value"])

    def _labels(self, axes: tuple[str, ...]) -> NDArray[np.object_]:
        """Return age group, axis and level of every row that _rows gives, shape (rows, 3)."""
        found = []
        for g in AGE_GROUPS:
            for axis in AXES:
                if axis.name in axes:
                    names = self.local_authorities if axis.name == "local_authority" else axis.levels
                    found += [(g, axis.name, level) for level in names]
        return np.array(found, dtype=object)

    def _rows(self, weeks: Sequence[int], records: int, axes: tuple[str, ...]) -> NDArray[np.float64]:
        """Return the sums of every level of these axes over the records that end at each week, shape (weeks, rows, 12)."""
        tables = {k: self._windows(weeks, records, k) for k in {HOME[name] for name in axes}}
        rows = []
        for g in range(len(AGE_GROUPS)):
            for axis in AXES:
                if axis.name not in axes:
                    continue
                k = HOME[axis.name]
                table = tables[k][:, g]
                names = GROUPINGS[k][1:]
                if axis.name == "all":
                    rows.append(table.sum(axis=(1, 2))[:, None])
                    continue
                source = "imd_decile" if axis.name == "imd_fifth" else axis.name
                others = tuple(i + 1 for i, name in enumerate(names) if name != source)
                by_level = table.sum(axis=others)
                if axis.name == "imd_fifth":
                    by_level = by_level.reshape(-1, 5, 2, len(VALUES)).sum(axis=2)
                wanted = len(self.local_authorities) if axis.name == "local_authority" else len(axis.levels)
                rows.append(by_level[:, :wanted])
        return np.concatenate(rows, axis=1)
