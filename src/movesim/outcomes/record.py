"""Counting: status shares and minutes by group, every four weeks, in one compiled pass over the people."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numba import float32
from numpy.typing import NDArray

from movesim.draws import compiled
from movesim.outcomes.axes import levels
from movesim.outcomes.gaps import sii
from movesim.words import ADULT_FROM, ADULT_LIMITS, AGE_GROUPS, AXES, CHILD_LIMITS, DOMAINS, RECORD_EVERY, WEEKS_A_YEAR

if TYPE_CHECKING:
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
ADJUSTMENT = 3  # the grouping that closed cohorts and standard ages are read from
HOME = {name: next(k for k, names in enumerate(GROUPINGS) if name in names) for names in GROUPINGS for name in names[1:]}
HOME |= {"imd_decile": 0, "age_band": 1, "all": 0, "imd_fifth": 0, "age_group": 0}


@compiled
def _count(cells, weight, mean, child, domain_minutes, low_adult, high_adult, low_child, high_child, tables):
    for j in range(weight.size):
        if cells[0, j] < 0:
            continue
        w = weight[j]
        x = mean[j]
        kid = child[j] > float32(0.5)
        status = 2
        if x < (low_child if kid else low_adult):
            status = 0
        elif x < (high_child if kid else high_adult):
            status = 1
        for k in range(cells.shape[0]):
            row = tables[k, cells[k, j]]
            row[0] += 1.0
            row[1] += w
            row[2 + status] += w
            row[5] += w * x
            for d in range(domain_minutes.shape[0]):
                row[6 + d] += w * 0.25 * domain_minutes[d, j]


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
    _cells: NDArray[np.int32] | None = None

    def __post_init__(self) -> None:
        size = {axis.name: len(axis.levels) for axis in AXES}
        size |= {"local_authority": len(self.local_authorities), "age_group": len(AGE_GROUPS), "original": 2}
        # levels that may not apply to a person have one more place at the end
        size |= {"ns_sec": size["ns_sec"] + 1, "affluence": size["affluence"] + 1}
        self.sizes = [tuple(size[name] for name in names) for names in GROUPINGS]
        self.longest = max(int(np.prod(s)) for s in self.sizes)

    def place(self, people: People) -> None:
        """Note which rows of the tables each person counts in; call again when people change."""
        at = levels(people)
        at["original"] = people.original[: people.n].astype(np.int16)
        at["age_group"] = (people.age < ADULT_FROM).astype(np.int16)
        counted = people.live[: people.n] > 0
        if self.areas:
            counted &= np.isin(at["local_authority"], self.areas)
        cells = np.empty((len(GROUPINGS), people.n), np.int32)
        for k, (names, sizes) in enumerate(zip(GROUPINGS, self.sizes, strict=True)):
            index = np.zeros(people.n, np.int64)
            for name, size in zip(names, sizes, strict=True):
                level = at[name].astype(np.int64)
                index = index * size + np.where(level < 0, size - 1, level)
            cells[k] = np.where(counted, index, -1)
        self._cells = cells

    def record(self, people: People, week: int) -> None:
        """Count everybody at the end of `week` and start the next four weeks' domain minutes."""
        if self._cells is None or self._cells.shape[1] != people.n:
            self.place(people)
        assert self._cells is not None
        tables = np.zeros((len(GROUPINGS), self.longest, len(VALUES)))
        n = people.n
        _count(
            self._cells, people.weight, people.mean[:n], people.child[:n], people.domain_minutes[:, :n],
            np.float32(ADULT_LIMITS[0]), np.float32(ADULT_LIMITS[1]), np.float32(CHILD_LIMITS[0]), np.float32(CHILD_LIMITS[1]),
            tables,
        )  # fmt: skip
        people.domain_minutes[:] = 0
        self.weeks.append(week)
        self.sums.append([tables[k, : int(np.prod(s))].reshape(*s, len(VALUES)).copy() for k, s in enumerate(self.sizes)])

    def copy(self) -> Recorder:
        """Return a recorder with the same past, for a scenario that branches here."""
        return Recorder(self.local_authorities, self.areas, list(self.weeks), list(self.sums))

    # --- tables -----------------------------------------------------------------------------------------------------
    def window(self, week: int, records: int) -> list[NDArray[np.float64]]:
        """Return the sums of the given number of records that end at `week`, divided by that number."""
        last = self.weeks.index(week)
        span = self.sums[last + 1 - records : last + 1]
        return [np.sum([part[k] for part in span], axis=0) / records for k in range(len(GROUPINGS))]

    def years(self) -> list[int]:
        """Return the weeks at which a whole recorded year ends, from week 0."""
        return [w for i, w in enumerate(self.weeks) if w >= 0 and w % WEEKS_A_YEAR == 0 and i + 1 >= RECORDS_A_YEAR]

    def outcomes(self, every_group: bool = False) -> pd.DataFrame:
        """Return the outcome table: every axis by year (window 52), the headline axes every four weeks (window 4).

        With `every_group` every axis is kept every four weeks too.
        """
        import pandas as pd

        labels = self._labels()
        short = np.isin(labels[:, 1].astype(str), SHORT_AXES) | every_group
        whole = np.ones(len(labels), bool)
        windows = [(w, 1, short) for w in self.weeks if w >= 0] + [(w, RECORDS_A_YEAR, whole) for w in self.years()]
        rows = np.concatenate([self._rows(self.window(week, length))[keep] for week, length, keep in windows])
        at = np.concatenate([np.flatnonzero(keep) for _, _, keep in windows])
        sizes = [int(keep.sum()) for _, _, keep in windows]
        counted = rows[:, 0] > 0
        rows, at = rows[counted], at[counted]
        columns: dict[str, NDArray] = dict(zip(("age_group", "axis", "level"), labels[at].T, strict=True))
        columns["week"] = np.repeat([week for week, _, _ in windows], sizes)[counted]
        columns["window"] = np.repeat([RECORD_EVERY * length for _, length, _ in windows], sizes)[counted]
        values = np.column_stack([rows[:, :2], rows[:, 2:] / rows[:, 1:2]])
        return pd.DataFrame({**columns, **dict(zip(VALUES, values.T, strict=True))})

    def cross(self) -> pd.DataFrame:
        """Return adults' residents and inactive share by year, local authority and IMD decile."""
        import pandas as pd

        frames = []
        for week in self.years():
            adult = self.window(week, RECORDS_A_YEAR)[0][0]
            a, d = np.indices(adult.shape[:2])
            frame = pd.DataFrame(
                {
                    "week": week, "local_authority": np.array(self.local_authorities, object)[a.ravel()],
                    "imd_decile": d.ravel() + 1, "residents": adult[..., 1].ravel(), "inactive": adult[..., 2].ravel(),
                }
            )  # fmt: skip
            frame = frame[frame["residents"] > 0]
            frames.append(frame.assign(inactive=frame["inactive"] / frame["residents"]))
        return pd.concat(frames, ignore_index=True)

    def adjusted(self) -> pd.DataFrame:
        """Return the headline gap by year among the people of week 0 (closed cohort) and at the ages of week 0.

        Columns week, measure (words.ADJUSTED) and value. Age-standardised: each tenth's inactive share by age band, weighted by
        the place's adults of week 0; a tenth without anybody of an age takes the place's share at that age.
        """
        import pandas as pd

        rows, standard = [], None
        for week in self.years():
            adult = self.window(week, RECORDS_A_YEAR)[ADJUSTMENT][0]
            both = adult.sum(axis=2)
            if standard is None:
                standard = both[..., 1].sum(axis=0) / max(both[..., 1].sum(), 1e-12)
            closed = adult[:, :, 1].sum(axis=1)
            everybody = both.sum(axis=1)
            at_ages = _at_ages(both, standard)
            for measure, table, place in (("sii_closed_cohort", closed, closed), ("sii_age_standardised", at_ages, everybody)):
                here = place[:, 1] > 0
                share = table[here, 2] / np.maximum(table[here, 1], 1e-12)
                rows.append((week, measure, float(sii(share, place[here, 1])) if here.sum() > 1 else np.nan))
        return pd.DataFrame(rows, columns=["week", "measure", "value"])

    def _labels(self) -> NDArray[np.object_]:
        """Return age group, axis and level of every row that _rows gives, shape (rows, 3)."""
        found = []
        for g in AGE_GROUPS:
            for axis in AXES:
                names = self.local_authorities if axis.name == "local_authority" else axis.levels
                found += [(g, axis.name, level) for level in names]
        return np.array(found, dtype=object)

    def _rows(self, tables: list[NDArray[np.float64]]) -> NDArray[np.float64]:
        rows = []
        for g in range(len(AGE_GROUPS)):
            for axis in AXES:
                k = HOME[axis.name]
                table = tables[k][g]
                names = GROUPINGS[k][1:]
                if axis.name == "all":
                    rows.append(table.sum(axis=(0, 1))[None])
                    continue
                source = "imd_decile" if axis.name == "imd_fifth" else axis.name
                others = tuple(i for i, name in enumerate(names) if name != source)
                by_level = table.sum(axis=others)
                if axis.name == "imd_fifth":
                    by_level = by_level.reshape(5, 2, -1).sum(axis=1)
                wanted = len(self.local_authorities) if axis.name == "local_authority" else len(axis.levels)
                rows.append(by_level[:wanted])
        return np.concatenate(rows)
