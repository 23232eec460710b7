"""Census counts: the named columns of each table that are added up, and whether tables agree with themselves and each other."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from movesim.errors import InputError
from movesim.place.margins import ADULT_BANDS, Margins
from movesim.place.reading import Floats, Table, in_order
from movesim.place.sources import BY_KEY, NSSEC

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
            NSSEC + "l1, l2 and l3 higher managerial, administrative and professional occupations",
            NSSEC + "l4, l5 and l6 lower managerial, administrative and professional occupations",
        ),
        (
            NSSEC + "l7 intermediate occupations",
            NSSEC + "l8 and l9 small employers and own account workers",
            NSSEC + "l10 and l11 lower supervisory and technical occupations",
        ),
        (
            NSSEC + "l12 semi-routine occupations",
            NSSEC + "l13 routine occupations",
            NSSEC + "l14.1 and l14.2 never worked and long-term unemployed",
        ),
        (NSSEC + "l15 full-time students",),
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
    "tenure": [
        ("tenure of household: owned: owns outright",),
        ("tenure of household: owned: owns with a mortgage or loan", "tenure of household: shared ownership"),
        ("tenure of household: social rented",),
        ("tenure of household: private rented", "tenure of household: lives rent free"),
    ],
    "employed": [("hours worked: part-time",), ("hours worked: full-time",)],
}
# The column that the others of a table sum to, exactly in the published tables; spellings differ.
TOTALS: dict[str, tuple[str, ...]] = {
    "sex": ("sex: all persons", "sex: total: all usual residents", "sex: total"),
    "ethnic_group": ("ethnic group: total: all usual residents", "ethnic group: total"),
    "disabled": ("disability: total: all usual residents", "disability: total"),
    "ns_sec": (NSSEC + "total: all usual residents aged 16 years and over", NSSEC + "total"),
    "cars": ("number of cars or vans: total: all households", "number of cars or vans: total"),
    "household_size": (
        "household size: total: all household spaces",
        "household size: total: all households",
        "household size: total",
    ),
    "communal": ("residence type: total: all usual residents", "residence type: total"),
    "tenure": ("tenure of household: total: all households", "tenure of household: total"),
    "employed": (
        "hours worked: total: all usual residents aged 16 years and over in employment the week before the census",
        "hours worked: total",
    ),
}
# Where not every cell that makes up the total is read: those that do.
WHOLE: dict[str, tuple[str, ...]] = {
    "communal": ("residence type: lives in a household", "residence type: lives in a communal establishment"),
}
NEEDED = ("sex", "ethnic_group", "disabled", "ns_sec", "cars", "household_size")
# Tables of the same people must agree: cells are perturbed, so they differ by a few.
PEOPLE_TABLES = ("sex", "ethnic_group", "disabled")
SLACK, SLACK_SHARE = 40.0, 0.04
ODD = 10  # a table's own cells may miss its total by this many


def counts(
    table: Table,
    key: str,
    codes: list[str],
    columns: list[tuple[str, ...]] | None = None,
    totals: tuple[str, ...] = (),
    gaps: bool = False,
) -> Floats:
    """Return the columns of a table that are added up (those of COLUMNS unless given), (g, categories), in the order of codes.

    Arguments: totals, other names of the column that they sum to; gaps, whether a hidden cell becomes NaN instead of being
    refused. Raises InputError where cells miss the table's own total by more than the census's perturbation of cells.
    """

    def added(groups: list[tuple[str, ...]]) -> Floats:
        return np.stack([np.sum([table.numbers(c, gaps=gaps) for c in group], axis=0) for group in groups], axis=1)

    values = added(columns or COLUMNS[key])
    total = next((name for name in totals or TOTALS.get(key, ()) if name in table.names), None)
    if total is not None and all(table.has(name) for name in WHOLE.get(key, ())):
        parts = added([WHOLE[key]])[:, 0] if key in WHOLE else values.sum(axis=1)
        told = table.numbers(total, gaps=gaps)
        adds_up(table, parts, told)
    return in_order(table, codes, values)


def adds_up(table: Table, parts: Floats, total: Floats) -> None:
    """Refuse a table whose cells miss their own total; both in the order of its rows, NaN where something is hidden."""
    odd = np.flatnonzero(np.abs(parts - total) > ODD)
    if len(odd):
        k = odd[0]
        raise InputError(
            f"{table.path}, line {table.lines[k]}: the cells of {table.codes[k]} sum to {parts[k]:,.0f} and its total is "
            f"{total[k]:,.0f}; the file is damaged, fetch it again."
        )


def left_out(table: Table, key: str, codes: list[str], values: Floats) -> str:
    """Return the sentence for a table that a place can do without and that hides a cell of the place; empty where it hides none.

    Arguments: values, (g,) or (g, categories) in the order of codes, NaN where hidden.
    """
    hidden = np.flatnonzero(np.isnan(values.reshape(len(codes), -1)).any(axis=1))
    if len(hidden) == 0:
        return ""
    source = BY_KEY[key]
    line = table.lines[table.codes.index(codes[hidden[0]])]
    others = f" and of {len(hidden) - 1} more LSOAs" if len(hidden) > 1 else ""
    return (
        f"{source.title} is left out, since cells of {codes[hidden[0]]} ({table.path.name}, line {line}){others} are empty or "
        f"suppressed, which is not zero; instead: {source.instead}."
    )


def same(table: Table, codes: list[str], one: Floats, other: Floats, what: str, where: str) -> None:
    """Refuse a table whose total of an LSOA differs from another's by more than the census's perturbation of cells.

    Arguments: one, its totals, and other, those of `where`, both (g,) in the order of codes; what is counted.
    """
    bad = np.flatnonzero(np.abs(one - other) > np.maximum(SLACK, SLACK_SHARE * other))
    if len(bad):
        k = bad[0]
        line = table.lines[table.codes.index(codes[k])]
        raise InputError(
            f"{table.path}, line {line}: {codes[k]} has {one[k]:,.0f} {what} and {other[k]:,.0f} in {where}; they may "
            "differ by a few, so one of the files is damaged or of another area; fetch them again."
        )


def agree(
    raw: Mapping[str, Table], found: Mapping[str, Floats], age: Floats, adults: Floats, age_path: str, codes: list[str]
) -> None:
    """Refuse tables that contradict each other by more than the census's own perturbation of cells.

    Arguments: the tables and their counts by key; residents and those of 16 or over by the table of ages; the codes.
    """
    pairs: list[tuple[Table, Floats, str, Floats, str]] = [
        (raw[key], found[key].sum(axis=1), age_path, age, "residents") for key in PEOPLE_TABLES
    ]
    pairs.append((raw["ns_sec"], found["ns_sec"].sum(axis=1), age_path, adults, "residents of 16 or over"))
    homes = found["household_size"].sum(axis=1)
    pairs.append((raw["cars"], found["cars"].sum(axis=1), raw["household_size"].path.name, homes, "households"))
    for table, one, other_path, other, what in pairs:
        same(table, codes, one, other, what, other_path)
    people = np.minimum(age, found["disabled"].sum(axis=1))
    bad = np.flatnonzero((homes > people) | (homes == 0) & (people > 0))
    if len(bad):
        k = bad[0]
        raise InputError(
            f"{raw['household_size'].path}: {codes[k]} has {homes[k]:,.0f} households and {people[k]:,.0f} residents in "
            f"{age_path}, which cannot be; one of the files is damaged or of another area; fetch them again."
        )


def housed(table: Table, margins: Margins, age_path: str) -> None:
    """Refuse a place with more households than adults somewhere, before anything of it is kept: none could be formed there.

    Arguments: the table of household sizes; margins (whole); the name of the table of ages.
    """
    homes, adults = np.rint(np.maximum(margins.household_size, 0.0).sum(axis=1)), margins.age[:, ADULT_BANDS:].sum(axis=1)
    bad = np.flatnonzero((homes > adults) | (homes == 0))
    if len(bad):
        k = bad[0]
        line = table.lines[table.codes.index(str(margins.code[k]))]
        raise InputError(
            f"{table.path}, line {line}: {margins.code[k]} has {homes[k]:,.0f} households for {adults[k]:,.0f} residents aged 16 "
            f"or over in {age_path}; every household needs an adult, so one of the files is damaged or of another area; fetch "
            "them again."
        )
