"""Observed: the published counts that a place is compared with, table by table, before anything is scaled or rounded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from movesim.errors import InputError
from movesim.place import census
from movesim.place.ages import census_bands
from movesim.place.heldback import CARE, DIMENSIONS, HEALTH, QUALIFICATIONS
from movesim.place.margins import ADULT_BANDS, CENSUS_SIX, Margins
from movesim.place.origins import Origin
from movesim.place.reading import Table, in_order, read
from movesim.place.store import UNREADABLE
from movesim.place.tenure import TENURES
from movesim.words import ETHNIC_GROUPS, NS_SEC, SEXES

Floats = NDArray[np.float64]
FITTED, HELD_BACK = "fitted", "held back"
SIX_STARTS = (0, 16, 25, 35, 50, 65)


@dataclass(frozen=True)
class Kind:
    """A table that can be compared: its key, title, unit, category labels and whether a fit has seen it."""

    key: str
    title: str
    unit: str
    labels: tuple[str, ...]
    role: str


KINDS = (
    Kind("age", "Age", "residents", ("0-15", "16-24", "25-34", "35-49", "50-64", "65+"), FITTED),
    Kind("sex", "Sex", "residents", SEXES, FITTED),
    Kind("ethnic_group", "Ethnic group", "residents", ETHNIC_GROUPS, FITTED),
    Kind("disabled", "Disability (Equality Act)", "residents", ("no", "yes"), FITTED),
    Kind("ns_sec", "NS-SEC", "residents of 16 or over", NS_SEC[:4], FITTED),
    Kind("employed", "In work", "residents of 16 or over", ("no", "yes"), FITTED),
    Kind("household_size", "Household size", "households", ("1", "2", "3", "4", "5", "6", "7", "8+"), FITTED),
    Kind("tenure", "Tenure", "households", TENURES, FITTED),
    Kind("cars", "Cars or vans", "households", ("0", "1", "2", "3+"), FITTED),
    Kind("communal", "Communal establishments", "residents", ("lives in one",), FITTED),
    Kind("health", "General health", "residents", HEALTH, HELD_BACK),
    Kind("carers", "Unpaid care", "residents of 5 or over", CARE, HELD_BACK),
    Kind("household_deprivation", "Household deprivation, dimensions", "households", DIMENSIONS, HELD_BACK),
    Kind("qualifications", "Highest qualification", "residents of 16 or over", QUALIFICATIONS, HELD_BACK),
)
BY_KEY = {kind.key: kind for kind in KINDS}

_WIDE_HOURS = ("19 hours or less unpaid care a week", "20 to 49 hours unpaid care a week", "50 or more hours unpaid care a week")
_CARE, _QUALIFICATION, _HOME = "provision of unpaid care: ", "highest level of qualification: ", "household deprivation: "
COLUMNS: dict[str, list[tuple[str, ...]]] = {
    "health": [(f"general health: {name} health",) for name in HEALTH],
    "qualifications": [
        (_QUALIFICATION + "no qualifications",),
        tuple(
            _QUALIFICATION + name
            for name in ("level 1 and entry level qualifications", "level 2 qualifications", "apprenticeship",
                         "level 3 qualifications", "other qualifications")
        ),
        (_QUALIFICATION + "level 4 qualifications and above",),
    ],
    "household_deprivation": [
        (_HOME + "household is not deprived in any dimension",),
        *[(f"{_HOME}household is deprived in {n} dimension{'s' * (n != 'one')}",) for n in ("one", "two", "three", "four")],
    ],
}  # fmt: skip


TOTALS: dict[str, tuple[str, ...]] = {
    "health": ("general health: total: all usual residents", "general health: total"),
    "qualifications": (_QUALIFICATION + "total: all usual residents aged 16 years and over", _QUALIFICATION + "total"),
    "household_deprivation": (_HOME + "total: all households", _HOME + "total"),
}
_NEEDED = "the needed tables"


def read_observed(paths: Mapping[str, Path | Origin], margins: Margins, notes: list[str] | None = None) -> dict[str, Floats]:
    """Return the published counts of every table of a place, (neighbourhoods, categories) by key, in the order of margins.

    Arguments: paths, a file for each key of sources.SOURCES that is there; margins of the same tables; notes, to which a
    sentence is added for every table that hides a cell of the place and is left out. Raises InputError for a table that is
    cut or damaged, or that contradicts the needed ones.
    """
    notes = [] if notes is None else notes
    codes = [str(code) for code in margins.code]
    out: dict[str, Floats] = {}
    for key, columns in census.COLUMNS.items():
        if key in paths and key in BY_KEY:
            values = census.counts(read(paths[key]), key, codes, columns, gaps=key not in census.NEEDED)
            if not np.isnan(values).any():  # what hides a cell is left out of the fit too, as the margins' notes say
                out[key] = values
    adults = margins.age[:, ADULT_BANDS:].sum(axis=1)
    homes = margins.household_size.sum(axis=1)
    expected = {"health": margins.residents, "qualifications": adults, "household_deprivation": homes}
    for key, columns in COLUMNS.items():
        if key in paths:
            table = read(paths[key])
            values = census.counts(table, key, codes, columns, TOTALS[key], gaps=True)
            if _is_whole(table, key, codes, values, notes):
                census.same(table, codes, values.sum(axis=1), expected[key], BY_KEY[key].unit, _NEEDED)
                out[key] = values
    if "age" in paths:
        six = _six_ages(read(paths["age"]), codes)
        if six is not None:
            out["age"] = six
    if "employed" in out:
        working, of_age = out["employed"].sum(axis=1), out["ns_sec"].sum(axis=1)
        out["employed"] = np.stack([np.maximum(of_age - working, 0.0), working], axis=1)
    if "carers" in paths:
        carers = _carers(read(paths["carers"]), codes, margins, notes)
        if carers is not None:
            out["carers"] = carers
    return {key: out[key] for key in BY_KEY if key in out}


def _is_whole(table: Table, key: str, codes: list[str], values: Floats, notes: list[str]) -> bool:
    """Whether a table hides no cell of the place; else it is left out, and notes say so."""
    told = census.left_out(table, key, codes, values)
    notes += [told] if told else []
    return not told


def _six_ages(table: Table, codes: list[str]) -> Floats | None:
    """Residents by the six census bands, or None where the table's bands are cut elsewhere."""
    starts, bands = census_bands(table, codes)
    if not set(SIX_STARTS) <= set(starts):
        return None
    part = np.searchsorted(SIX_STARTS, starts, side="right") - 1
    return np.stack([bands[:, part == b].sum(axis=1) for b in range(6)], axis=1)


def _carers(table: Table, codes: list[str], margins: Margins, notes: list[str]) -> Floats | None:
    """Residents of 5 or over who give no unpaid care, and who give some; None where a cell is hidden."""
    total = next((t for t in ("total: all usual residents aged 5 and over", "total") if table.has(_CARE + t)), None)
    given = [n for n in table.names if n.startswith(_CARE + "provides ") and n != _CARE + "provides no unpaid care"]
    # Finer bands of hours stand beside the wider ones they are part of: the fewest hours and the most are in both.
    top = [n for n in given if n.endswith(_WIDE_HOURS)]
    none = table.numbers(_CARE + "provides no unpaid care", gaps=True)
    hours = [table.numbers(n, gaps=True) for n in (top if len(top) == len(_WIDE_HOURS) else given)]
    if total is None and not hours:
        table.column(_CARE + "total: all usual residents aged 5 and over")  # says that it is missing
    everyone = none + np.sum(hours, axis=0) if total is None else table.numbers(_CARE + total, gaps=True)
    if hours:
        census.adds_up(table, none + np.sum(hours, axis=0), everyone)
    none, everyone = in_order(table, codes, none), in_order(table, codes, everyone)
    if not _is_whole(table, "carers", codes, none + everyone, notes):
        return None
    # How many are under five is known of few tables: not more than all, and no fewer than those of 16 or over.
    people, adults = margins.residents, margins.age[:, ADULT_BANDS:].sum(axis=1)
    census.same(table, codes, everyone, np.clip(everyone, adults, people), "residents of 5 or over", _NEEDED)
    return np.stack([none, np.maximum(everyone - none, 0.0)], axis=1)


def of_margins(margins: Margins) -> dict[str, Floats]:
    """Return the counts of a place that is made from aggregates: its own margins, with nothing held back."""
    six = np.array(CENSUS_SIX)
    out = {key: getattr(margins, key) for key in ("sex", "ethnic_group", "disabled", "ns_sec", "cars", "household_size")}
    out["age"] = np.stack([margins.age[:, six == b].sum(axis=1) for b in range(6)], axis=1)
    out["communal"] = margins.communal[:, None]
    return out


def save_observed(observed: dict[str, Floats], folder: Path) -> None:
    """Write the counts beside the margins of a place."""
    np.savez_compressed(folder / "observed.npz", **observed)  # type: ignore[arg-type]


def load_observed(folder: Path) -> dict[str, Floats]:
    """Read what save_observed wrote. Raises InputError where it is missing or damaged."""
    try:
        with np.load(folder / "observed.npz") as held:
            return {key: held[key] for key in held.files}
    except UNREADABLE as error:
        raise InputError(f"The place in {folder} is damaged ({error}); build it again from its files.") from None
