"""Useful census tables: their cells add up and agree with others, or a sentence says where not; a hidden cell drops a table."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import toy_county
import toy_details
from movesim.config import home
from movesim.errors import InputError
from movesim.place import build_place
from movesim.place.library import margins_of
from movesim.place.margins import Margins
from movesim.place.observed import Floats, load_observed, read_observed
from movesim.place.official import read_margins
from movesim.place.tables import survey

Rows = list[list[Any]]
TOTALS = {"health": "General health: Total: All usual residents", "tenure": "Tenure of household: Total: All households",
          "level": "Highest level of qualification: Total: All usual residents aged 16 years and over",
          "home": "Household deprivation: Total: All households",
          "work": "Hours worked: Total: All usual residents aged 16 years and over in employment the week before the "
                  "census"}  # fmt: skip


@pytest.fixture
def county(tmp_path: Path) -> dict[str, Path]:
    return toy_details.write(tmp_path / "county")


def total_column(rows: Rows, name: str) -> Rows:
    """The table with a column of totals in front of its cells, as the published ones have it."""
    return [[*rows[0][:3], name, *rows[0][3:]], *[[*r[:3], sum(map(int, r[3:])), *r[3:]] for r in rows[1:]]]


def read(county: dict[str, Path]) -> tuple[Margins, dict[str, Floats], list[str]]:
    paths, notes = survey(county["imd"].parent).paths(), []
    margins = read_margins(paths, "toyshire", "Toyshire")
    return margins, read_observed(paths, margins, notes), [*margins.notes, *notes]


@pytest.mark.parametrize("name", TOTALS)
def test_cells_must_add_up_to_their_own_total(name: str, county: dict[str, Path]) -> None:
    plain = read(county)[1]
    toy_county.edit(county[name], lambda rows: total_column(rows, TOTALS[name]))
    with_totals = read(county)[1]
    assert all(np.array_equal(with_totals[key], plain[key]) for key in plain)

    def change(rows: Rows) -> Rows:
        rows[2][3] = int(rows[2][3]) + 11
        return rows

    toy_county.edit(county[name], change)
    with pytest.raises(InputError, match=rf"{name}.csv, line 3: the cells of E01900101 sum to \d+ and its total is \d+; the"):
        read(county)


@pytest.mark.parametrize(
    ("name", "what"),
    [("health", "residents"), ("level", "residents of 16 or over"), ("home", "households"), ("care", "residents of 5 or over")],
)
def test_a_held_back_table_of_other_people_is_refused(name: str, what: str, county: dict[str, Path]) -> None:
    toy_county.edit(county[name], lambda rows: [rows[0], [*rows[1][:3], *(3 * int(v) for v in rows[1][3:])], *rows[2:]])
    with pytest.raises(InputError, match=rf"{name}.csv, line 2: E01900100 has [\d,]+ {what} and \d+ in the needed tables; they"):
        read(county)


def test_households_by_tenure_must_be_those_by_size(county: dict[str, Path]) -> None:
    toy_county.edit(county["tenure"], lambda rows: [rows[0], [*rows[1][:3], *(int(v) // 3 for v in rows[1][3:])], *rows[2:]])
    with pytest.raises(InputError, match=r"tenure.csv, line 2: E01900100 has \d+ households and \d+ in size.csv; they may"):
        read(county)


def test_care_by_hours_must_add_up(county: dict[str, Path]) -> None:
    def hours(more: int) -> Callable[[Rows], Rows]:
        name = "Provision of unpaid care: Provides 19 hours or less unpaid care a week"
        return lambda rows: [[*rows[0], name], *[[*r, int(r[3]) - int(r[4]) + more] for r in rows[1:]]]

    before = read(county)[1]["carers"]
    toy_county.edit(county["care"], hours(0))
    assert np.array_equal(read(county)[1]["carers"], before)
    toy_county.edit(county["care"], lambda rows: [[c for k, c in enumerate(r) if k != 5] for r in rows])
    toy_county.edit(county["care"], hours(12))
    with pytest.raises(InputError, match=r"care.csv, line 2: the cells of E01900100 sum to \d+ and its total is \d+"):
        read(county)
    toy_county.edit(county["care"], lambda rows: [[c for k, c in enumerate(r) if k not in (3, 5)] for r in rows])
    with pytest.raises(InputError, match=r"care.csv: the column 'provision of unpaid care: total: .*' is missing"):
        read(county)


def test_communal_residents_must_add_up(tmp_path: Path) -> None:
    paths = toy_county.write(tmp_path)
    lives = "Residence type: "
    with paths["disability"].open(newline="", encoding="utf-8") as file:
        people = [int(row[3]) for row in list(csv.reader(file))[1:]]
    paths["communal"] = tmp_path / "communal.csv"

    def put(first: tuple[int, int, int]) -> None:
        header = ["date", "geography", "geography code", f"{lives}Total; measures: Value",
                  f"{lives}Lives in a household; measures: Value",
                  f"{lives}Lives in a communal establishment; measures: Value"]  # fmt: skip
        rows = [[2021, "x", c, *(first if k == 0 else (n, n - 3, 3))]
                for k, (c, n) in enumerate(zip(toy_county.codes(), people))]  # fmt: skip
        with paths["communal"].open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([header, *rows])

    put((people[0], people[0] - 5, 5))
    assert read(paths)[0].communal[0] == 5
    put((people[0], people[0] - 5, 25))
    with pytest.raises(InputError, match=r"communal.csv, line 2: the cells of E01900100 sum to \d+ and its total is \d+"):
        read(paths)
    put((people[0] + 300, people[0] + 295, 5))
    with pytest.raises(InputError, match=r"communal.csv, line 2: E01900100 has \d+ residents and \d+ in disability.csv"):
        read(paths)


@pytest.mark.parametrize(
    ("name", "key", "instead"),
    [
        ("tenure", "tenure", "drawn from associations"), ("work", "employed", "drawn from associations"),
        ("health", "health", "what is predicted of it is not tested"),
        ("care", "carers", "what is predicted of it is not tested"),
    ],
)  # fmt: skip
def test_a_hidden_cell_leaves_a_useful_table_out(name: str, key: str, instead: str, county: dict[str, Path]) -> None:
    def hide(rows: Rows) -> Rows:
        rows[3][4], rows[5][4] = "c", ""
        return rows

    whole = read(county)
    toy_county.edit(county[name], hide)
    margins, observed, notes = read(county)
    assert set(whole[1]) - set(observed) == {key}
    assert sum(
        f"is left out, since cells of E01900102 ({name}.csv, line 4) and of 1 more LSOAs are empty or suppressed" in n
        and n.endswith(f"instead: {instead}.")
        for n in notes
    ) == 1  # fmt: skip
    assert (margins.tenure is None) == (key == "tenure") and (margins.employed is None) == (key == "employed")
    # A hidden cell of another area is none of the place's: the table serves.
    paths = survey(county["imd"].parent).paths()
    elsewhere = read_margins(paths, "toyshire", "Toyshire", ["Much Toying"])
    assert len(elsewhere) == 6 and elsewhere.tenure is not None and elsewhere.employed is not None
    assert key in read_observed(paths, elsewhere)


def test_what_is_left_out_is_said_when_a_place_is_built(county: dict[str, Path]) -> None:
    toy_county.edit(county["health"], lambda rows: [rows[0], [*rows[1][:4], "*", *rows[1][5:]], *rows[2:]])
    lines: list[str] = []
    build_place(county["imd"].parent, "hidden_county", tell=lines.append)
    assert sum("Census 2021 TS037 general health is left out" in line for line in lines) == 1
    assert any("TS037 general health is left out" in note for note in margins_of("hidden_county").notes)
    assert "health" not in load_observed(home() / "places" / "hidden_county")


def test_more_households_than_adults_are_refused_before_anything_is_kept(tmp_path: Path) -> None:
    paths = toy_county.write(tmp_path)

    def smaller(rows: Rows) -> Rows:
        rows[1][3:] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        rows[1][3] = rows[1][5] = 450
        return rows

    toy_county.edit(paths["size"], smaller)
    toy_county.edit(paths["cars"], lambda rows: [rows[0], [*rows[1][:3], 450, 450, 0, 0, 0], *rows[2:]])
    with pytest.raises(InputError, match=r"size.csv, line 2: E01900100 has 450 households for \d+ residents aged 16 or over in "
                                         r"age.csv; every household needs an adult, so one of the files is damaged"):  # fmt: skip
        build_place(tmp_path, "crowded_county")
    assert not (home() / "places" / "crowded_county").exists()
