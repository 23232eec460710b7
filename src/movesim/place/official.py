"""Official tables of an area become margins: read, compared with each other, put in one order of LSOAs."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from movesim.errors import InputError
from movesim.place import tables
from movesim.place.margins import (
    AGE_STARTS,
    CENSUS_SIX,
    ENVIRONMENT,
    OLDEST,
    Margins,
    national_environment,
    single_years_from_bands,
)
from movesim.place.tables import Table, read

Floats = NDArray[np.float64]
_NSSEC = "national statistics socio-economic classification (ns-sec): "
# Named columns of each census table: (label in words.py order) -> columns that are added up. Subtotals are never among them.
COLUMNS: dict[str, list[tuple[str, ...]]] = {
    "sex": [("sex: male",), ("sex: female",)],
    "ethnic_group": [
        ("ethnic group: asian, asian british or asian welsh",),
        ("ethnic group: black, black british, black welsh, caribbean or african",),
        ("ethnic group: mixed or multiple ethnic groups",),
        ("ethnic group: white",),
        ("ethnic group: other ethnic group",),
    ],
    "disabled": [("disability: not disabled under the equality act",), ("disability: disabled under the equality act",)],
    "ns_sec": [
        (
            _NSSEC + "l1, l2 and l3 higher managerial, administrative and professional occupations",
            _NSSEC + "l4, l5 and l6 lower managerial, administrative and professional occupations",
        ),
        (
            _NSSEC + "l7 intermediate occupations",
            _NSSEC + "l8 and l9 small employers and own account workers",
            _NSSEC + "l10 and l11 lower supervisory and technical occupations",
        ),
        (
            _NSSEC + "l12 semi-routine occupations",
            _NSSEC + "l13 routine occupations",
            _NSSEC + "l14.1 and l14.2 never worked and long-term unemployed",
        ),
        (_NSSEC + "l15 full-time students",),
    ],
    "cars": [
        ("number of cars or vans: no cars or vans in household",),
        ("number of cars or vans: 1 car or van in household",),
        ("number of cars or vans: 2 cars or vans in household",),
        ("number of cars or vans: 3 or more cars or vans in household",),
    ],
    "household_size": [
        ("household size: 1 person in household",),
        *[(f"household size: {k} people in household",) for k in range(2, 8)],
        ("household size: 8 or more people in household",),
    ],
    "communal": [("residence type: lives in a communal establishment",)],
}
# Tables of the same people must agree: cells are perturbed, so they differ by a few.
PEOPLE_TABLES = ("sex", "ethnic_group", "disabled")
SLACK, SLACK_SHARE = 40.0, 0.04


def read_margins(paths: dict[str, Path], name: str, title: str) -> Margins:
    """Read the margins of a place from its tables (a path for each key of tables.SOURCES that is there)."""
    imd, codes, decile, authority_names, labels = _deprivation(paths["imd"])
    notes: list[str] = []
    raw: dict[str, Table] = {
        key: read(paths[key], tables.CODE) for key in ("sex", "ethnic_group", "disabled", "ns_sec", "cars", "household_size")
    }
    age = read(paths["age"], "lower layer super output areas code", repeats=True)
    known = dict(zip(imd.codes, imd.lines))
    for table in (*raw.values(), age):
        for code, line in zip(table.codes, table.lines):
            if code not in known:
                raise InputError(
                    f"{table.path}, line {line}: {code} is not in {imd.path.name}; that file is cut, or this table is of LSOAs "
                    "of 2011 instead of 2021."
                )
    # The place is every LSOA of any census table; the deprivation file may be that of the whole country.
    inside = set(age.codes).union(*(t.codes for t in raw.values()))
    codes = [c for c in codes if c in inside]
    counts = {key: _counts(table, key, codes) for key, table in raw.items()}
    six = _six_ages(age, codes)
    _agree(raw, counts, six, age.path, codes)

    row = {code: k for k, code in enumerate(imd.codes)}
    at = [row[c] for c in codes]
    decile = decile[at]
    names = [authority_names[k] for k in at]
    local = tuple(sorted(set(names)))
    authority = np.array([local.index(n) for n in names], np.int16)
    residents = _total(raw["disabled"], "disability: total: all usual residents", codes)
    years = _single_years(paths, codes, authority, six, notes)
    twelve = np.stack([years[:, a:b].sum(axis=1) for a, b in zip(AGE_STARTS, (*AGE_STARTS[1:], OLDEST + 1))], axis=1)
    communal = np.zeros((len(codes), 1))
    if "communal" in paths:
        communal = _counts(read(paths["communal"], tables.CODE), "communal", codes)
    else:
        notes.append("TS001 is absent: residents beyond the household sizes are taken to be in larger households.")
    environment = _environment(paths, codes, decile, notes)
    return Margins(
        name=name,
        title=title,
        local_authorities=local,
        code=np.array(codes, dtype="U12"),
        label=np.array([labels[k] for k in at], dtype="U60"),
        local_authority=authority,
        imd_decile=decile.astype(np.int8),
        residents=residents,
        stands_for=np.ones(len(codes)),
        age=twelve,
        carers=_carers(paths, codes, residents, decile, notes),
        communal=communal[:, 0],
        single_year=years,
        environment=environment,
        notes=tuple(notes),
        **counts,
    ).whole()


def _deprivation(path: Path) -> tuple[Table, list[str], NDArray[np.int64], list[str], list[str]]:
    table = read(path, "lsoa code (2021)", year=False)
    decile = table.numbers("index of multiple deprivation (imd) decile (where 1 is most deprived 10% of lsoas)").astype(np.int64)
    rank = table.numbers("index of multiple deprivation (imd) rank (where 1 is most deprived)")
    wrong = np.flatnonzero((decile < 1) | (decile > 10))
    if len(wrong):
        raise InputError(f"{path}, line {table.lines[wrong[0]]}: the IMD decile is {decile[wrong[0]]}; deciles run from 1 to 10.")
    order = np.argsort(rank)
    if (np.diff(decile[order]) < 0).any():
        raise InputError(
            f"{path}: IMD deciles do not rise with the rank; decile 1 must be the most deprived, as rank 1 is (some files run "
            "the other way)."
        )
    district = table.column("local authority district name (2024)")
    label = table.column("lsoa name (2021)")
    return (
        table,
        table.codes,
        decile,
        [row[district].strip() for row in table.cells],
        [row[label].strip() for row in table.cells],
    )


def _counts(table: Table, key: str, codes: list[str]) -> Floats:
    values = np.stack([np.sum([table.numbers(c) for c in group], axis=0) for group in COLUMNS[key]], axis=1)
    return tables.in_order(table, codes, values)


def _total(table: Table, column: str, codes: list[str]) -> Floats:
    return tables.in_order(table, codes, table.numbers(column))


def _six_ages(table: Table, codes: list[str]) -> Floats:
    """Residents by the six census age bands from the long table of the custom dataset."""
    band = table.numbers("age (6 categories) code").astype(int)
    count = table.numbers("observation")
    row = {c: k for k, c in enumerate(codes)}
    out = np.full((len(codes), 6), -1.0)
    for k, code in enumerate(table.codes):
        if not 1 <= band[k] <= 6:
            raise InputError(
                f"{table.path}, line {table.lines[k]}: age category {band[k]}; the table of 6 categories has 1 to 6."
            )
        if out[row[code], band[k] - 1] >= 0:
            raise InputError(f"{table.path}, line {table.lines[k]}: {code} has age category {band[k]} twice; keep one.")
        out[row[code], band[k] - 1] = count[k]
    absent = np.argwhere(out < 0)
    if len(absent):
        code, category = codes[absent[0][0]], absent[0][1] + 1
        raise InputError(
            f"{table.path}: {code} lacks age category {category}; the file is cut, or of LSOAs of 2011 instead of 2021."
        )
    return out


def _agree(raw: dict[str, Table], counts: dict[str, Floats], six: Floats, age_path: Path, codes: list[str]) -> None:
    """Refuse tables that contradict each other by more than the census's own perturbation of cells."""
    pairs: list[tuple[str, Floats, str, Floats, str]] = [
        (str(raw[key].path), counts[key].sum(axis=1), age_path.name, six.sum(axis=1), "residents") for key in PEOPLE_TABLES
    ]
    adults = six[:, 1:].sum(axis=1)
    pairs.append((str(raw["ns_sec"].path), counts["ns_sec"].sum(axis=1), age_path.name, adults, "residents of 16 or over"))
    homes = counts["household_size"].sum(axis=1)
    pairs.append((str(raw["cars"].path), counts["cars"].sum(axis=1), raw["household_size"].path.name, homes, "households"))
    for path, one, other_path, other, what in pairs:
        bad = np.flatnonzero(np.abs(one - other) > np.maximum(SLACK, SLACK_SHARE * other))
        if len(bad):
            k = bad[0]
            raise InputError(
                f"{path}: {codes[k]} has {one[k]:,.0f} {what} and {other[k]:,.0f} in {other_path}; they may differ by a few, so "
                "one of the files is damaged or of another area."
            )


def _single_years(
    paths: dict[str, Path], codes: list[str], authority: NDArray[np.int16], six: Floats, notes: list[str]
) -> Floats:
    """Single years of age 0 to 104: mid-2020 shape inside each census band, census totals of the bands."""
    starts = [0, 16, 25, 35, 50, 65, OLDEST + 1]
    flat = np.zeros((len(codes), len(AGE_STARTS)))
    width = np.diff((*AGE_STARTS, 90))
    for band in range(6):
        at = [k for k, b in enumerate(CENSUS_SIX) if b == band]
        part = width[at] * (np.array([1.0, 0.66, 0.25]) if band == 5 else 1.0)
        flat[:, at] = six[:, band : band + 1] * part / part.sum()
    shape = single_years_from_bands(flat)
    if "single_year" in paths:
        found = _mid_2020(paths, codes)
        whole = np.zeros((authority.max() + 1, found.shape[1]))
        np.add.at(whole, authority, np.nan_to_num(found))
        absent = np.isnan(found).any(axis=1)
        found[absent] = whole[authority[absent]] + 1e-9
        if absent.any():
            notes.append(f"{absent.sum()} LSOAs without a mid-2020 row take the single years of age of their authority.")
        ninety = shape[:, 90:] / np.maximum(shape[:, 90:].sum(axis=1, keepdims=True), 1e-12)
        shape = np.concatenate([found[:, :90], found[:, 90:91] * ninety], axis=1)
        notes.append("Single years of age are mid-2020 estimates scaled to the six census bands.")
    else:
        notes.append("Single years of age are spread evenly inside the six census bands: mid-2020 estimates are absent.")
    out = np.zeros_like(shape)
    for band, (a, b) in enumerate(itertools.pairwise(starts)):
        part = shape[:, a:b]
        sums = part.sum(axis=1, keepdims=True)
        even = np.full_like(part, 1.0 / (b - a))
        out[:, a:b] = six[:, band : band + 1] * np.divide(part, sums, out=even, where=sums > 0)
    return out


def _mid_2020(paths: dict[str, Path], codes: list[str]) -> Floats:
    """Mid-2020 residents by single year, (g, 91), of LSOAs of 2021; NaN where none is known."""
    table = read(paths["single_year"], "lsoa code", year=False)
    years = np.stack([table.numbers(str(a) if a < 90 else "90+") for a in range(91)], axis=1)
    of_2011 = dict(zip(table.codes, years))
    parts: dict[str, list[str]] = {}
    if "lookup" in paths:
        lookup = read(paths["lookup"], "lsoa21cd", year=False, repeats=True)
        old = lookup.column("lsoa11cd")
        for code, row in zip(lookup.codes, lookup.cells):
            parts.setdefault(code, []).append(row[old].strip())
    out = np.full((len(codes), 91), np.nan)
    for k, code in enumerate(codes):
        olds = [c for c in parts.get(code, [code]) if c in of_2011]
        if olds:
            out[k] = np.sum([of_2011[c] for c in olds], axis=0)
    return out


def _carers(paths: dict[str, Path], codes: list[str], residents: Floats, decile: NDArray[np.int64], notes: list[str]) -> Floats:
    if "carers" in paths:
        table = read(paths["carers"], tables.CODE)
        total = _total(table, "provision of unpaid care: total: all usual residents aged 5 and over", codes)
        return np.maximum(total - _total(table, "provision of unpaid care: provides no unpaid care", codes), 0.0)
    from movesim.place.neighbourhoods import carer_share

    notes.append("TS039 is absent: carers are those of the same IMD decile in Nottinghamshire and Derbyshire.")
    return residents * carer_share()[decile - 1]


def _environment(
    paths: dict[str, Path], codes: list[str], decile: NDArray[np.int64], notes: list[str]
) -> dict[str, NDArray[np.float32]]:
    """The place's own indicators where File 8 has them, else the national value for the IMD decile."""
    out = national_environment(decile.astype(np.int8))
    own = {
        "anti_social_behaviour": "anti_social_behaviour_rate_per_1_000_at_risk_population",
        "connectivity": "connectivity_score",
    }
    missing = list(ENVIRONMENT)
    if "indicators" in paths:
        header = [tables.snake(h) for h in tables.start(paths["indicators"])[0]]
        code = "lsoa21_code" if "lsoa21_code" in header else "lsoa_code_2021"
        if code not in header:
            raise InputError(
                f"{paths['indicators']}: no column of LSOA codes of 2021 (lsoa21_code); the file of IoD 2025 has one."
            )
        table = read(paths["indicators"], code, year=False)
        for name, column in own.items():
            held = table.numbers(column, whole=False, snaked=True, gaps=True)
            values = tables.in_order(table, codes, held)
            gap = np.isnan(values)
            out[name] = np.where(gap, out[name], values).astype(np.float32)
            missing.remove(name)
            if gap.any():
                notes.append(f"{name}: {gap.sum()} LSOAs without a value take the national value for their IMD decile.")
    notes.append(f"{', '.join(missing)}: national values for the IMD decile (facilities from Wales), not the place's own.")
    return out
