"""Tables that a place can do without: hidden cells are not zero, and what cannot be right is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import toy_formats as toy
from movesim.errors import InputError
from movesim.place.margins import Margins
from movesim.place.official import read_margins
from movesim.place.tables import survey

USEFUL = ("communal", "carers", "crime", "barriers", "rural", "parks", "lookup", "mid old", "schools")
Rows = list[list[Any]]


@pytest.fixture(scope="module")
def county() -> toy.County:
    return toy.County(seed=4)


def read(files: Path) -> Margins:
    found = survey(files)
    found.complain()
    return read_margins(found.paths(), "toyshire", "Toyshire")


@pytest.mark.parametrize("mark", ["", "*", "c", "[c]", "-", "..", "!", "[low]", "N/A", "\u2026"])
def test_hidden_cells_are_never_zero(mark: str, county: toy.County, tmp_path: Path) -> None:
    tables = county.tables(useful=USEFUL)
    tables["barriers"][3][1] = tables["crime"][2][3] = tables["parks"][7][5] = mark
    m = read(toy.put(tmp_path, tables))
    assert 62 <= m.environment["connectivity"][2] <= 73  # the nation's for the decile
    assert 4 < m.environment["anti_social_behaviour"][1] < 25
    assert np.isnan(m.facts["park_distance"]).sum() == 1
    assert sum("1 LSOAs without a value take the national value" in note for note in m.notes) == 2
    tables["ethnic"][3][5] = mark
    with pytest.raises(InputError, match=r"ethnic.csv, line 4, column 'Ethnic group: Black.*': the cell is empty or suppressed"):
        read(toy.put(tmp_path, tables))


def test_numbers_with_separators_and_decimal_commas(county: toy.County, tmp_path: Path) -> None:
    tables = county.tables(imd="2019", useful=USEFUL)
    plain = read(toy.put(tmp_path / "plain", tables))
    tables["crime"] = [tables["crime"][0], *[[*r[:2], *(str(v).replace(".", ",") for v in r[2:])] for r in tables["crime"][1:]]]
    folder = toy.put(tmp_path / "other", {k: v for k, v in tables.items() if k != "crime"})
    toy.put(folder, {"crime": tables["crime"]}, delimiter=";")
    again = read(folder)
    assert np.array_equal(again.facts["crime_burglary"], plain.facts["crime_burglary"])
    assert np.array_equal(again.environment["anti_social_behaviour"], plain.environment["anti_social_behaviour"])
    tables["imd"][1][6] = "1,50"
    with pytest.raises(InputError, match=r"imd.csv, line 2, column 'Total population.*': '1,50' is not a number; fetch"):
        read(toy.put(tmp_path / "wrong", tables))


def cell(table: str, row: int, column: int, text: Any) -> Callable[[dict[str, Rows]], None]:
    def change(tables: dict[str, Rows]) -> None:
        tables[table][row][column] = text

    return change


def twice(table: str, row: int) -> Callable[[dict[str, Rows]], None]:
    return lambda tables: tables[table].append(tables[table][row])


def short(table: str, row: int) -> Callable[[dict[str, Rows]], None]:
    return lambda tables: tables[table][row].pop()


def all_communal(tables: dict[str, Rows]) -> None:
    tables["communal"][1][3:] = [5000, 0, 5000]


REFUSED: list[tuple[Callable[[dict[str, Rows]], Any], str]] = [
    (cell("lookup", 2, 0, "Z99"), r"lookup.csv, line 3, column 'LSOA11CD': 'Z99' is not a code of an English LSOA .*fetch"),
    (cell("rural", 1, 2, "XX"), r"rural.csv, line 2, column 'RUC21CD': 'XX' is no class of the rural-urban classification"),
    (cell("parks", 1, 5, -4), r"parks.csv, line 2, column 'Average distance.*': -4 cannot be; values run from 0 to 100000"),
    (cell("barriers", 1, 1, 400), r"barriers.csv, line 2, column 'Connectivity score': 400 cannot be; values run from 0 to 100"),
    (cell("crime", 1, 2, -1), r"crime.csv, line 2, column 'Burglary rate.*': -1 cannot be"),
    (cell("mid old", 1, 2, 5), r"mid-old.csv, line 2: the ages of E01020001 sum to \d+ and its total is 5; the file is damaged"),
    (cell("communal", 1, 5, 5000), r"communal.csv, line 2: the cells of E01031000 sum to [\d,]+ and its total is \d+; the file"),
    (all_communal, r"communal.csv, line 2: E01031000 has 5,000 residents of communal establishments and \d+ residents"),
    (cell("schools", 1, 3, "Primry"), r"schools.csv, line 2, .*'Primry' is no phase of education \(such as Primary"),
    (cell("schools", 4, 0, "x1"), r"schools.csv, line 5, column 'URN': 'x1' is not the number of a school; fetch the file again"),
    (cell("schools", 4, 4, "many"), r"schools.csv, line 5, column 'NumberOfPupils': 'many' is not a number"),
    (twice("schools", 4), r"schools.csv, line 11: school 1000 stands already in line 5; keep one row per school"),
    (
        lambda tables: [row.pop(2) for row in tables["schools"]],
        r"schools.csv: the column 'EstablishmentStatus \(name\)' is missing, without which closed schools cannot be told from",
    ),
    (short("schools", 5), r"schools.csv, line 6: 7 fields where the header has 8; the row is cut or a separator is missing"),
    (twice("parks", 2), r"parks.csv, line \d+: E01020002 stands already in line 3; keep one row per LSOA"),
    (cell("size", 1, 5, 0), r"size.csv, line 2: the cells of E01031000 sum to \d+ and its total is \d+"),
]


@pytest.mark.parametrize(("change", "sentence"), REFUSED)
def test_useful_tables_that_cannot_be_right_are_refused(
    change: Callable[[dict[str, Rows]], Any], sentence: str, county: toy.County, tmp_path: Path
) -> None:
    tables = {name: [list(row) for row in rows] for name, rows in county.tables(useful=USEFUL).items()}
    change(tables)
    with pytest.raises(InputError, match=sentence):
        read(toy.put(tmp_path, tables))


def test_more_households_than_people_are_refused(county: toy.County, tmp_path: Path) -> None:
    tables = county.tables()
    for name in ("size", "cars"):
        tables[name] = [list(row) for row in tables[name]]
        tables[name][1][3] = tables[name][1][3] + 2000
        tables[name][1][5] = tables[name][1][5] + 2000
    with pytest.raises(InputError, match=r"size.csv: E01031000 has [\d,]+ households and \d+ residents in age.csv"):
        read(toy.put(tmp_path, tables))


def test_ages_that_do_not_tile_are_refused(county: toy.County, tmp_path: Path) -> None:
    tables = county.tables(age="ts007a")
    at = tables["age"][0].index("Age: Aged 85 years and over")
    tables["age"] = [row[:at] for row in tables["age"]]
    with pytest.raises(InputError, match=r"age.csv: no age band begins at 85; the bands must cover every age once"):
        read(toy.put(tmp_path, tables))
    tables = county.tables(age="ts007a")
    tables["age"][0][at] = "Age: Aged 80 to 84 years"
    with pytest.raises(InputError, match=r"age.csv: the column 'age: aged 80 to 84 years' stands there twice"):
        read(toy.put(tmp_path, tables))


def test_centroids_serve_where_there_is_no_map(county: toy.County, tmp_path: Path) -> None:
    tables = county.tables(useful=USEFUL)
    old = list(dict.fromkeys(o for olds in county.olds() for o in olds))
    tables["centroids"] = [["OBJECTID", "LSOA11CD", "LAT", "LONG"], *[[1, o, 53 + k / 100, -1.2] for k, o in enumerate(old)]]
    m = read(toy.put(tmp_path, tables))
    assert m.facts["latitude"][0] == m.facts["latitude"][1] == 53.0 and m.facts["latitude"][2] == pytest.approx(53.015, abs=0.006)
    tables["centroids"][1][3] = 51.5
    with pytest.raises(InputError, match=r"centroids.csv, line 2, column 'LONG': 51.5 is not in England"):
        read(toy.put(tmp_path, tables))
