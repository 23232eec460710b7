"""Fit: how well the people of a whole place meet published tables, those they were made from and those held back."""

from __future__ import annotations

import os
import uuid
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from movesim.place.attributes import describe
from movesim.place.heldback import predicted
from movesim.place.households import Households, form
from movesim.place.margins import AGE_STARTS, CENSUS_SIX, Margins, raked, seeds, table
from movesim.place.observed import BY_KEY, FITTED, Kind
from movesim.place.store import UNREADABLE
from movesim.place.synthesis import Residents, synthesise
from movesim.place.tenure import COMPOSITIONS, compositions

AT_ONCE = 120
Floats = NDArray[np.float64]
AGES = ("0-15", "16-24", "25-34", "35-49", "50-64", "65+")
REFERENCE = 3  # the age band odds are told against: 35-49


@dataclass(frozen=True)
class Fit:
    """One table of a place: what was counted, what was made, and what drawing from the authority's average would give.

    observed, made and average are (neighbourhoods, categories); average is None for fitted tables. For held-back tables
    `made` is predicted without the table, and `level` is the same prediction with each authority's totals put right, the one
    piece of the table that drawing from its average uses too.
    """

    kind: Kind
    observed: Floats
    made: Floats
    average: Floats | None = None
    level: Floats | None = None

    def total(self, of: Floats | None = None) -> float:
        """Return the total absolute error: people (or households) counted in the wrong category, twice."""
        return float(np.abs((self.made if of is None else of) - self.observed).sum())

    def error(self, of: Floats | None = None) -> float:
        """Return the standardised absolute error: the total absolute error over the total."""
        return self.total(of) / max(float(self.observed.sum()), 1.0)

    def by_lsoa(self, of: Floats | None = None) -> Floats:
        """Return the total absolute error of every neighbourhood."""
        return np.asarray(np.abs((self.made if of is None else of) - self.observed).sum(axis=1))

    def __str__(self) -> str:
        cells = f"{self.kind.title} ({self.kind.role}): {self.observed.size:,} cells, "
        if self.kind.role == FITTED:
            return cells + f"total absolute error {self.total():,.0f}, {100 * self.error():.2f}% of {self.kind.unit}"
        return cells + (
            f"error {100 * self.error():.1f}%, with each authority's level {100 * self.error(self.level):.1f}%, drawing from the "
            f"authority's average {100 * self.error(self.average):.1f}%"
        )


@dataclass(frozen=True)
class Tally:
    """What is counted of the people made: tables by key, disabled people by LSOA and age, households by composition and size."""

    tables: dict[str, Floats]
    disabled_by_age: Floats
    compositions: Floats


def tally(margins: Margins, place_seed: int, workers: int = 1) -> Tally:
    """Make all residents of a place, neighbourhood by neighbourhood, and count them; memory stays that of a few.

    Arguments: margins (whole); place_seed; workers, processes that share the work. Returns what is counted.
    """
    parts = np.array_split(np.arange(len(margins)), max(1, -(-len(margins) // AT_ONCE)))
    if workers > 1:
        with ProcessPoolExecutor(workers) as pool:
            found = list(pool.map(_tally, [margins] * len(parts), parts, [place_seed] * len(parts)))
    else:
        found = [_tally(margins, part, place_seed) for part in parts]
    return Tally(
        {key: np.concatenate([f.tables[key] for f in found]) for key in found[0].tables},
        np.concatenate([f.disabled_by_age for f in found]),
        np.sum([f.compositions for f in found], axis=0),
    )


def _tally(margins: Margins, which: NDArray[np.int64], place_seed: int) -> Tally:
    people = synthesise(margins, which, place_seed)
    homes = form(margins, people, place_seed)
    columns = describe(margins, people, homes, place_seed)
    band = np.array(CENSUS_SIX)[np.searchsorted(AGE_STARTS, people.age, side="right") - 1]
    kind = compositions(people, homes)
    inside = ~homes.communal
    sizes = np.minimum(homes.size, 4)[inside] - 1
    k = len(which)
    by_age = np.bincount((people.lsoa * 6 + band) * 2 + people.disabled, minlength=k * 12).reshape(k, 6, 2).astype(np.float64)
    return Tally(
        {**_counted(people, homes, columns, band), **predicted(people, homes, columns, place_seed)},
        by_age,
        np.bincount(kind[inside] * 4 + sizes, minlength=len(COMPOSITIONS) * 4).reshape(-1, 4).astype(np.float64),
    )


def _counted(people: Residents, homes: Households, columns: dict[str, NDArray], band: NDArray) -> dict[str, Floats]:
    k, adult = len(people.which), people.age >= 16
    inside = ~homes.communal

    def of_people(column: NDArray, categories: int, who: NDArray | None = None) -> Floats:
        at, values = (people.lsoa, column) if who is None else (people.lsoa[who], column[who])
        return np.bincount(at * categories + values, minlength=k * categories).reshape(k, categories).astype(np.float64)

    def of_homes(column: NDArray, categories: int) -> Floats:
        at = homes.lsoa[inside] * categories + column[inside]
        return np.bincount(at, minlength=k * categories).reshape(k, categories).astype(np.float64)

    out = {
        "age": of_people(band, 6),
        "sex": of_people(people.sex, 2),
        "ethnic_group": of_people(people.ethnic_group, 5),
        "disabled": of_people(people.disabled, 2),
        "ns_sec": of_people(columns["class_of_all"], 4, adult),
        "employed": of_people(columns["in_work"], 2, adult),
        "household_size": of_homes(np.minimum(homes.size, 8) - 1, 8),
        "communal": np.bincount(homes.lsoa[homes.communal], minlength=k)[:, None].astype(np.float64),
    }
    cars, tenure = np.zeros(len(homes.size), np.int64), np.full(len(homes.size), -1, np.int64)
    cars[homes.of_person], tenure[homes.of_person] = columns["cars"], columns["tenure"]
    out["cars"] = of_homes(cars, 4)
    if (tenure[inside] >= 0).all():
        out["tenure"] = of_homes(tenure, 4)
    return out


def fit(
    margins: Margins,
    observed: dict[str, Floats],
    place_seed: int = 1,
    workers: int = 1,
    counted: Tally | None = None,
) -> list[Fit]:
    """Compare all residents of a place with its published tables, fitted ones first.

    Arguments: margins; observed, published counts by key (movesim.place.observed); place_seed; workers; counted, a tally that
    is there already. Tables that the place does not have are left out.
    """
    margins = margins.whole()
    made = (counted or tally(margins, place_seed, workers)).tables
    out = []
    for key, kind in BY_KEY.items():
        if key not in observed or key not in made:
            continue
        if kind.role == FITTED:
            out.append(Fit(kind, observed[key], made[key]))
            continue
        average, level = _authority(margins.local_authority.astype(np.int64), observed[key], made[key])
        out.append(Fit(kind, observed[key], made[key], average, level))
    return out


def _authority(authority: NDArray[np.int64], observed: Floats, made: Floats) -> tuple[Floats, Floats]:
    """What the authority's average gives each neighbourhood, and the prediction with the authority's totals put right."""
    average, level = np.zeros_like(observed), np.zeros_like(observed)
    for a in np.unique(authority):
        at = authority == a
        total = observed[at].sum(axis=0)
        rows = observed[at].sum(axis=1)
        average[at] = rows[:, None] * total / total.sum()
        level[at] = raked(made[at] + 1e-3, rows, total)
    return average, level


def counted_of(name: str, margins: Margins, place_seed: int, workers: int = 1) -> Tally:
    """Return the tally of a place from the cache, or make it and keep it there.

    Arguments: name, margins and place seed of the place; workers, processes that share the work where it has to be made.
    """
    from movesim.config import cache_folder
    from movesim.place.library import fingerprint_of

    folder = cache_folder("place", name)
    path = folder / f"tally-{place_seed}-{fingerprint_of(name, place_seed)}.npz"
    try:
        with np.load(path) as held:
            keys = [k.removeprefix("table.") for k in held.files if k.startswith("table.")]
            return Tally({k: held[f"table.{k}"] for k in keys}, held["disabled_by_age"], held["compositions"])
    except UNREADABLE:
        pass  # only a cache: it is made again
    found = tally(margins.whole(), place_seed, workers)
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob(f"tally-{place_seed}-*.npz"):
        old.unlink(missing_ok=True)
    half = folder / f".tally-{uuid.uuid4().hex[:8]}.npz"
    columns: dict[str, Any] = {f"table.{key}": counts for key, counts in found.tables.items()}
    np.savez_compressed(half, disabled_by_age=found.disabled_by_age, compositions=found.compositions, **columns)
    os.replace(half, path)
    return found


def disability_odds(counted: Tally) -> tuple[Floats, Floats, Floats]:
    """Return the odds of disability by age against 35 to 49: of the seed, within neighbourhoods, and in the whole place.

    Each (6,), in the order of AGES. Within neighbourhoods is the Mantel-Haenszel odds ratio (1959), which is what a fit keeps:
    differences between neighbourhoods are left out of it.
    """
    share = 1 - table(seeds().data["disability_by_age"])[0]
    seed = share / (1 - share)
    n = counted.disabled_by_age
    yes, no = n[:, :, 1], n[:, :, 0]
    both = np.maximum((yes + no) + (yes + no)[:, [REFERENCE]], 1.0)
    within = (yes * no[:, [REFERENCE]] / both).sum(axis=0) / (no * yes[:, [REFERENCE]] / both).sum(axis=0)
    whole = yes.sum(axis=0) / no.sum(axis=0)
    return seed / seed[REFERENCE], within, whole / whole[REFERENCE]
