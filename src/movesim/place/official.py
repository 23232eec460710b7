"""Official tables of an area become margins: read, compared with each other, put in one order of LSOAs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from movesim.errors import InputError
from movesim.place import ages
from movesim.place.census import NEEDED, TOTALS, agree, counts, housed, left_out, same
from movesim.place.deprivation import Deprivation, read_deprivation, split_areas
from movesim.place.gias import read_schools
from movesim.place.lookups import Lookup, read_lookup
from movesim.place.margins import AGE_STARTS, OLDEST, Margins
from movesim.place.origins import Origin, as_origin
from movesim.place.reading import Floats, Table, in_order, read
from movesim.place.surroundings import environment, facts


def read_margins(paths: Mapping[str, Path | Origin], name: str, title: str, areas: str | Sequence[str] = ()) -> Margins:
    """Read the margins of a place from its tables.

    Arguments: paths, a file for each key of sources.SOURCES that is there; areas, the local authorities (names or codes) that
    the place is, where the tables hold more; without them it is every LSOA of the census tables. Raises InputError for tables
    that are cut, of another year or geography, or that contradict each other.
    """
    at = {key: as_origin(path) for key, path in paths.items()}
    lookup = read_lookup(at.get("lookup"))
    imd = read_deprivation(at["imd"], lookup)
    raw: dict[str, Table] = {key: read(at[key]) for key in NEEDED}
    age = read(at["age"])
    codes = _codes(imd, [*raw.values(), age], areas)
    notes = list(imd.notes)

    found = {key: counts(table, key, codes) for key, table in raw.items()}
    starts, bands = ages.census_bands(age, codes)
    row = {code: k for k, code in enumerate(imd.codes)}
    here = [row[c] for c in codes]
    decile = imd.decile[here]
    names = [imd.authority[k] for k in here]
    local = tuple(sorted(set(names)))
    authority = np.array([local.index(n) for n in names], np.int16)
    residents = found["disabled"].sum(axis=1)
    mid_year = None
    if "single_year" in at:
        mid_year = ages.mid_year(at["single_year"], codes, lookup, dict(zip(codes, residents.tolist())))
    years = ages.single_years(starts, bands, mid_year, authority, notes)
    agree(raw, found, years.sum(axis=1), years[:, 16:].sum(axis=1), age.path.name, codes)
    known = facts(at, codes, lookup, _people_2011(at, lookup))
    margins = Margins(
        name=name,
        title=title,
        local_authorities=local,
        code=np.array(codes, dtype="U12"),
        label=np.array([imd.label[k] for k in here], dtype="U60"),
        local_authority=authority,
        imd_decile=decile.astype(np.int8),
        residents=residents,
        stands_for=np.ones(len(codes)),
        age=np.stack([years[:, a:b].sum(axis=1) for a, b in zip(AGE_STARTS, (*AGE_STARTS[1:], OLDEST + 1))], axis=1),
        carers=np.full(len(codes), np.nan),  # drawn from national rates: their table is kept to test the prediction
        communal=_communal(at, codes, residents, notes),
        single_year=years,
        environment=environment(at, codes, decile, notes),
        facts=known,
        local={"park_distance": known["park_distance"]} if "park_distance" in known else {},
        schools=_schools(at, codes, lookup, notes),
        tenure=_households(at, codes, found["household_size"].sum(axis=1), notes),
        employed=_employed(at, codes, years[:, 16:].sum(axis=1), notes),
        notes=tuple(notes),
        sex=found["sex"],
        ethnic_group=found["ethnic_group"],
        disabled=found["disabled"],
        ns_sec=found["ns_sec"],
        cars=found["cars"],
        household_size=found["household_size"],
    ).whole()
    housed(raw["household_size"], margins, age.path.name)
    return margins


def _codes(imd: Deprivation, read_tables: list[Table], areas: str | Sequence[str]) -> list[str]:
    """The LSOAs of the place, in the order of codes: those of the areas asked for, or every one of any census table.

    Raises InputError for LSOAs that the deprivation file does not know, and where the tables are of different authorities.
    """
    if areas:
        wanted = imd.within(split_areas(areas, imd.authority) if isinstance(areas, str) else areas)
        return [c for c in imd.codes if c in wanted]
    known = dict(zip(imd.codes, imd.authority))
    covers: list[set[str]] = []
    for table in read_tables:
        for code, line in zip(table.codes, table.lines):
            if code not in known:
                raise InputError(
                    f"{table.path}, line {line}: {code} is not in {imd.origin.name}; that file is cut, or this table is of LSOAs "
                    "of 2011 instead of 2021, or holds more authorities: name yours with areas=NAMES, or fetch the files again."
                )
        covers.append({known[code] for code in table.codes})
    everywhere = set().union(*covers)
    for table, cover in zip(read_tables, covers):
        lacks = sorted(everywhere - cover)
        if lacks:
            more = f" and {len(lacks) - 3} more" if len(lacks) > 3 else ""
            raise InputError(
                f"{table.path} has no LSOA of {', '.join(lacks[:3])}{more}, which other tables have; fetch it for them too, or "
                f"name the authorities of your place with areas='{', '.join(sorted(set.intersection(*covers))[:3]) or 'NAMES'}'."
            )
    inside = set().union(*(t.codes for t in read_tables))
    return [c for c in imd.codes if c in inside]


def _communal(at: Mapping[str, Origin], codes: list[str], residents: Floats, notes: list[str]) -> Floats:
    """Residents of communal establishments, none where no table says."""
    none = np.zeros(len(codes))
    if "communal" not in at:
        notes.append("TS001 is absent: residents beyond the household sizes are taken to be in larger households.")
        return none
    table = read(at["communal"])
    values = counts(table, "communal", codes, gaps=True)[:, 0]
    total = next((name for name in TOTALS["communal"] if name in table.names), None)
    everybody = in_order(table, codes, table.numbers(total, gaps=True)) if total else residents
    if _hides(table, "communal", codes, values + everybody, notes):
        return none
    _within(table, codes, values, residents, "residents of communal establishments")
    same(table, codes, everybody, residents, "residents", at["disabled"].name)
    return values


def _households(at: Mapping[str, Origin], codes: list[str], homes: Floats, notes: list[str]) -> Floats | None:
    """Households by tenure, None where no table says."""
    if "tenure" not in at:
        notes.append("TS054 is absent: households have no tenure, and cars follow income and the number of adults.")
        return None
    table = read(at["tenure"])
    values = counts(table, "tenure", codes, gaps=True)
    if _hides(table, "tenure", codes, values, notes):
        return None
    same(table, codes, values.sum(axis=1), homes, "households", at["household_size"].name)
    return values


def _employed(at: Mapping[str, Origin], codes: list[str], adults: Floats, notes: list[str]) -> Floats | None:
    """Residents of 16 or over in work, None where no table says."""
    if "employed" not in at:
        notes.append("TS059 is absent: work is drawn from associations.")
        return None
    table = read(at["employed"])
    values = np.asarray(counts(table, "employed", codes, gaps=True).sum(axis=1))
    if _hides(table, "employed", codes, values, notes):
        return None
    _within(table, codes, values, adults, "residents in work", "residents of 16 or over")
    return values


def _hides(table: Table, key: str, codes: list[str], values: Floats, notes: list[str]) -> bool:
    """Whether a table hides a cell of the place; then it is left out, and notes say so."""
    told = left_out(table, key, codes, values)
    notes += [told] if told else []
    return bool(told)


def _within(table: Table, codes: list[str], values: Floats, residents: Floats, what: str, of: str = "residents") -> None:
    """Refuse counts of more people than live there."""
    bad = np.flatnonzero(values > residents + np.maximum(40.0, 0.04 * residents))
    if len(bad):
        k = bad[0]
        raise InputError(
            f"{table.path}, line {table.lines[table.codes.index(codes[k])]}: {codes[k]} has {values[k]:,.0f} {what} and "
            f"{residents[k]:,.0f} {of}; the file is damaged or of another area, fetch it again."
        )


def _schools(at: Mapping[str, Origin], codes: list[str], lookup: Lookup, notes: list[str]) -> dict[str, NDArray[np.generic]]:
    return read_schools(at["schools"], codes, lookup, notes) if "schools" in at else {}


def _people_2011(at: Mapping[str, Origin], lookup: Lookup) -> dict[str, float]:
    """Residents by LSOA of 2011, to weigh what was merged; empty where nothing is by LSOA of 2011 or nobody counted them."""
    if not lookup.given or "single_year" not in at:
        return {}
    table = read(at["single_year"], ("lsoa 2021 code", "lsoa code"), year=False)
    return {} if "f0" in table.names else dict(zip(table.codes, table.numbers("all ages").tolist()))
