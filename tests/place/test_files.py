"""Places from official tables: what is accepted, what is refused and how, and how well people fit."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import toy_county as toy
from movesim.config import home
from movesim.errors import InputError
from movesim.place import build_place, list_places, load_place, tables_found
from movesim.place.files import load_margins
from movesim.place.official import read_margins
from movesim.place.origins import Origin
from movesim.place.tables import find

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
needs_shared = pytest.mark.skipif(
    not (SHARED / "MANIFEST.csv").is_file(),
    reason="the official tables of the two counties are not beside the checkout (../shared/data)",
)
Rows = list[list[str]]


@pytest.fixture
def county(tmp_path: Path) -> dict[str, Path]:
    return toy.write(tmp_path / "tables")


def _margins(paths: dict[str, Path]):  # type: ignore[no-untyped-def]
    found = {f.source.key: f.path for f in find(paths["imd"].parent) if f.path}
    return read_margins(found, "toyshire", "Toyshire")


def test_a_county_is_built_listed_and_loaded(county: dict[str, Path]) -> None:
    lines: list[str] = []
    folder = build_place(county["imd"].parent, "toyshire", title="Toyshire", tell=lines.append)
    assert folder == home() / "places" / "toyshire"
    assert ("toyshire", "Toyshire", "from files") in list_places()
    assert lines[0].startswith("English Indices of Deprivation 2025") and "(needed): imd.csv" in lines[0]
    assert any("TS001" in line and "absent; instead: all residents are in households" in line for line in lines)
    assert any(line.startswith("12 LSOAs") for line in lines)
    p = load_place("toyshire", None)
    assert p.local_authorities == ("Much Toying", "Toytown")
    assert p.people["weight"].sum() == pytest.approx(p.residents)
    assert np.allclose(p.people["weight"], 1.0)
    assert any("TS001 is absent" in note for note in p.notes)
    assert any("anti_social_behaviour" in note for note in p.notes)
    about = json.loads((folder / "place.json").read_text())
    assert about["inputs"]["sex"]["file"] == "sex.csv" and len(about["inputs"]["sex"]["sha256"]) == 64
    m = load_margins(folder)
    assert np.bincount(p.people["neighbourhood"], minlength=12).tolist() == m.residents.tolist()
    women = np.bincount(p.people["neighbourhood"], p.people["sex"], minlength=12)
    assert women.tolist() == m.sex[:, 1].tolist()
    part = load_place("toyshire", 1000)
    assert np.isin(part.people["id"], p.people["id"]).all()


def test_margins_are_those_of_the_files(county: dict[str, Path]) -> None:
    m = _margins(county)
    with county["ethnic"].open() as file:
        rows = list(csv.DictReader(file))
    for k, row in enumerate(rows):
        assert m.code[k] == row["geography code"]
        assert m.ethnic_group[k].tolist() == [float(row[h]) for h in toy.HEADERS["ethnic"][1:]]
    with county["age"].open() as file:
        ages = list(csv.DictReader(file))
    children = [float(r["Observation"]) for r in ages if r["Age (6 categories) Code"] == "1"]
    assert m.age[:, :3].sum(axis=1).tolist() == children


def test_spelling_of_files_does_not_matter(county: dict[str, Path]) -> None:
    plain = _margins(county)
    # A byte-order mark, quotes around everything, thousands separators, no measure suffix, another order of rows, zipped.
    for name, path in county.items():
        rows = [[cell.replace("; measures: Value", "") for cell in row] for row in csv.reader(path.open())]
        body = rows[1:][::-1] if name != "imd" else rows[1:]
        if name == "size":
            body = [[*r[:3], *[f" {int(c):,} " for c in r[3:]]] for r in body]
        with path.open("w", newline="", encoding="utf-8-sig") as file:
            csv.writer(file, quoting=csv.QUOTE_ALL).writerows([rows[0], *body])
    zipped = county["cars"].with_suffix(".csv.gz")
    zipped.write_bytes(gzip.compress(county["cars"].read_bytes()))
    county["cars"].unlink()
    assert _margins(county).fingerprint() == plain.fingerprint()


def test_thousands_separators_are_read(county: dict[str, Path]) -> None:
    plain = _margins(county)

    def widen(rows: Rows) -> Rows:
        return [rows[0], *[[*r[:5], f"{int(r[5]):,}", r[6]] for r in rows[1:]]]

    toy.edit(county["imd"], widen)
    assert "3,001" in county["imd"].read_text()
    assert _margins(county).fingerprint() == plain.fingerprint()


def test_a_deprivation_file_of_more_areas_is_cut_to_the_place(county: dict[str, Path]) -> None:
    plain = _margins(county)
    toy.edit(county["imd"], lambda rows: [*rows, ["E01000001", "Elsewhere 001A", "E07000001", "Elsewhere", "1", "33000", "10"]])
    assert _margins(county).fingerprint() == plain.fingerprint()


def test_rows_of_wales_are_left_out(county: dict[str, Path]) -> None:
    plain = _margins(county)
    toy.edit(county["sex"], lambda rows: [*rows, ["2021", "Elsewhere", "W01000123", "9", "5", "4"]])
    assert _margins(county).fingerprint() == plain.fingerprint()


def test_a_column_name_cut_short_in_the_official_file_is_known(county: dict[str, Path]) -> None:
    toy.edit(county["imd"], lambda rows: [[*rows[0][:6], toy.DECILE[:-5]], *rows[1:]])
    assert len(_margins(county)) == toy.LSOAS


def _without(column: int) -> Callable[[Rows], Rows]:
    return lambda rows: [[c for k, c in enumerate(r) if k != column] for r in rows]


def _cell(row: int, column: int, text: str) -> Callable[[Rows], Rows]:
    def change(rows: Rows) -> Rows:
        rows[row][column] = text
        return rows

    return change


def _label(old: str, new: str) -> Callable[[Rows], Rows]:
    return lambda rows: [[new if c == old else c for c in r] for r in rows]


def _more(people: int) -> Callable[[Rows], Rows]:
    """More in a cell and in the total of the second LSOA: the table agrees with itself."""

    def change(rows: Rows) -> Rows:
        rows[2][3], rows[2][4] = str(int(rows[2][3]) + people), str(int(rows[2][4]) + people)
        return rows

    return change


REFUSED: list[tuple[str, Callable[[Rows], Rows], str]] = [
    ("sex", lambda rows: rows[:-1], r"sex.csv: 1 of 12 LSOAs are missing, E01900111 first; the file is cut"),
    ("imd", lambda rows: rows[:-2], r"line 12: E01900110 is not in imd.csv; that file is cut, or this table is of LSOAs of 2011"),
    ("nssec", _without(5), r"nssec.csv: the column '.*l4, l5 and l6 lower managerial.*' is missing"),
    ("cars", _cell(3, 0, "2011"), r"cars.csv, line 4: the date is '2011'; a table of Census 2021 is needed"),
    ("ethnic", lambda rows: [*rows, rows[2]], r"ethnic.csv, line 14: E01900101 stands already in line 3"),
    ("disability", _cell(5, 4, "c"), r"line 6, column 'Disability: Dis.*': the cell is empty or suppressed \('c'\), which"),
    ("disability", _cell(5, 4, ""), r"the cell is empty or suppressed \(''\), which is not zero"),
    ("size", _cell(2, 6, "twelve"), r"size.csv, line 3, column 'Household size: 2 .*': 'twelve' is not a number"),
    ("size", _cell(2, 6, "-3"), r"'-3' is not a count; whole numbers from 0 are"),
    ("size", lambda rows: [*rows[:-1], rows[-1][:6]], r"size.csv, line 13: 6 fields where the header has 13; the row is cut"),
    ("sex", _cell(4, 2, "K04000001"), r"sex.csv, line 5: 'K04000001' is not a code of an English LSOA"),
    ("sex", lambda rows: rows[:1], r"sex.csv has a header and no rows"),
    ("age", lambda rows: rows[:-2], r"age.csv: E01900111 \(line 68\) lacks 'age: aged 50 to 64 years', .* the file is cut"),
    ("age", _cell(8, 2, "7"), r"age.csv, line 9: 'aged 16 to 24 years' goes with '7' here and with '2' above"),
    ("age", lambda rows: [*rows, rows[3]], r"age.csv, line 74: E01900100 has 'Aged 25 to 34 years' twice \(first in line 4\)"),
    ("age", _label("Aged 25 to 34 years", "Aged about 30"), r"age.csv: the age band 'age: aged about 30' is none that is known"),
    ("age", _label("Aged 25 to 34 years", "Aged 26 to 34 years"), r"age.csv: no age band begins at 25; the bands must cover"),
    ("sex", _cell(2, 4, "900"), r"sex.csv, line 3: the cells of E01900101 sum to [\d,]+ and its total is 468; the file"),
    ("sex", _more(900), r"sex.csv, line 3: E01900101 has [\d,]+ residents and \d+ in age.csv; they may differ by a few"),
    ("nssec", _more(600), r"line 3: E01900101 has [\d,]+ residents of 16 or over and \d+ in age.csv"),
    ("cars", _more(600), r"line 3: E01900101 has [\d,]+ households and \d+ in size.csv"),
    ("sex", _cell(2, 4, "900000"), r"sex.csv, line 3, column 'Sex: Female.*': '900000' is more than any LSOA has"),
    ("imd", _cell(3, 5, "40000"), r"imd.csv, line 4: the IMD rank is 40000; those of 2025 run from 1 to 33,755"),
    ("imd", lambda rows: [rows[0], *[[*r[:6], "5"] for r in rows[1:]]], r"imd.csv, line 2: rank 1 of 33,755 is not in decile 5"),
    ("imd", lambda rows: [[*r[:1], "", *r[2:3], "", *r[4:]] for r in rows], r"no column says which local authority E01900100"),
    ("sex", lambda rows: [[*rows[0][:5], rows[0][4]], *rows[1:]], r"lacks 1 of .*TS008.*sex.csv: like 'Census 2021 TS008"),
    ("cars", lambda rows: [[*rows[0][:-1], rows[0][4]], *rows[1:]], r"cars.csv: the column '.*: no cars .*' stands there"),
    ("imd", _cell(2, 6, "11"), r"imd.csv, line 3: the IMD decile is 11; deciles run from 1 to 10"),
    ("imd", lambda rows: [rows[0], *[[*r[:6], str(11 - int(r[6]))] for r in rows[1:]]], r"IMD deciles do not rise with the rank"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "change", "sentence"), REFUSED)
def test_tables_that_cannot_be_right_are_refused(
    county: dict[str, Path], name: str, change: Callable[[Rows], Rows], sentence: str
) -> None:
    toy.edit(county[name], change)
    with pytest.raises(InputError, match=sentence):
        build_place(county["imd"].parent, "refused")
    assert not (home() / "places" / "refused").exists()


def test_a_quote_left_open_is_refused(county: dict[str, Path]) -> None:
    before, last = county["sex"].read_text().rsplit(",", 1)
    county["sex"].write_text(f'{before},"{last}')
    with pytest.raises(InputError, match=r"sex.csv, line \d+: this row cannot be read \(.*\); the file is cut or damaged"):
        _margins(county)


def test_absent_tables_are_all_named(county: dict[str, Path]) -> None:
    county["cars"].unlink()
    county["size"].unlink()
    absent = [f for f in tables_found(county["imd"].parent) if f.path is None and f.source.needed]
    assert [f.source.key for f in absent] == ["cars", "household_size"]
    with pytest.raises(InputError, match=r"lacks 2 of the tables that a place needs: 'Census 2021 TS045.*; 'Census 2021 TS017"):
        build_place(county["imd"].parent, "refused")


def test_tables_of_other_geographies_and_years_are_refused(county: dict[str, Path]) -> None:
    folder = county["imd"].parent
    toy.edit(county["cars"], lambda rows: [rows[0], *[[r[0], r[1], "E07000175", *r[3:]] for r in rows[1:2]]])
    with pytest.raises(InputError, match=r"cars.csv is for local authorities; needed is 'Census 2021 TS045"):
        find(folder)
    toy.edit(county["cars"], lambda rows: [rows[0], *[[r[0], r[1], "E00000175", *r[3:]] for r in rows[1:2]]])
    with pytest.raises(InputError, match=r"cars.csv is for output areas"):
        find(folder)
    toy.write(folder)
    query = [["TS008 - Sex"], ["Date :", "2011"], [], ["2021 super output area", "mnemonic", "All persons", "Female", "Male"]]
    toy.edit(county["sex"], lambda rows: [*query, *[r[1:] for r in rows[1:]]])
    with pytest.raises(InputError, match=r"sex.csv: the date is '2011'; a table of Census 2021 is needed"):
        _margins(county)
    query[3][0] = "2011 super output area - lower layer"
    toy.edit(county["sex"], lambda rows: [*query, *rows[4:]])
    with pytest.raises(InputError, match=r"sex.csv is of LSOAs of 2011; needed is 'Census 2021 TS008 sex' for LSOAs of 2021"):
        find(folder)


def test_two_files_of_one_table_are_refused_unless_the_same(county: dict[str, Path]) -> None:
    folder = county["imd"].parent
    again = folder / "sex (1).csv"
    again.write_bytes(county["sex"].read_bytes())
    assert len(_margins(county)) == toy.LSOAS
    toy.edit(again, _cell(1, 4, "1"))
    with pytest.raises(InputError, match=r"both hold 'Census 2021 TS008 sex' and differ"):
        find(folder)


def test_names_and_folders_are_checked(county: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be the name of a place; use"):
        build_place(county["imd"].parent, "My Place")
    with pytest.raises(InputError, match="'england' is a built-in place; give yours another name"):
        build_place(county["imd"].parent, "england")
    with pytest.raises(InputError, match="There is no folder"):
        build_place(tmp_path / "nowhere", "mine")


def test_another_place_is_not_overwritten_and_damage_is_told(county: dict[str, Path]) -> None:
    folder = build_place(county["imd"].parent, "kept")
    before = (folder / "place.json").read_bytes()
    toy.edit(county["imd"], lambda rows: [rows[0], *[[*r[:3], "Other " + r[3], *r[4:]] for r in rows[1:]]])
    with pytest.raises(InputError, match="already a place 'kept' made from other files, of Much Toying; give another name, or"):
        build_place(county["imd"].parent, "kept")
    assert (folder / "place.json").read_bytes() == before
    np.save(folder / "residents.npy", np.load(folder / "residents.npy") + 1)
    with pytest.raises(InputError, match=r"place in .* is damaged \(the columns are not those that were written\)"):
        load_margins(folder)
    (folder / "residents.npy").unlink()
    with pytest.raises(InputError, match="is damaged"):
        load_place("kept", 100, place_seed=5)
    about = json.loads(before) | {"format": 1}
    (folder / "place.json").write_text(json.dumps(about))
    with pytest.raises(InputError, match=r"was made by another version of movesim; build it again from its files"):
        load_margins(folder)
    (folder / "place.json").write_text("{")
    with pytest.raises(InputError, match=r"is damaged \(place.json\); build it again from its files"):
        load_place("kept", 100)
    assert ("kept", "damaged; build it again", "from files") in list_places()


def test_useful_tables_are_used(county: dict[str, Path]) -> None:
    folder = county["imd"].parent
    residents = _margins(county).residents

    def put(name: str, header: list[str], rows: list[list[Any]]) -> None:
        with (folder / name).open("w", newline="") as file:
            csv.writer(file).writerows([header, *rows])

    codes = toy.codes()
    rate = "anti_social_behaviour_rate_per_1_000_at_risk_population"
    put(
        "file8.csv",
        ["lsoa21_code", rate, "connectivity_score"],
        [[c, "" if k == 3 else 10 + k, 50 + k] for k, c in enumerate(codes)],
    )
    start = ["date", "geography", "geography code"]
    lives = "Residence type: Lives in a "
    put("ts001.csv", [*start, "Residence type: Total; measures: Value", f"{lives}household; measures: Value",
                      f"{lives}communal establishment; measures: Value"],
        [[2021, "x", c, int(n), int(n) - 9, 9] for c, n in zip(codes, residents)])  # fmt: skip
    care = "Provision of unpaid care: "
    put("ts039.csv", [*start, f"{care}Total: All usual residents aged 5 and over", f"{care}Provides no unpaid care"],
        [[2021, "x", c, 400, 363] for c in codes])  # fmt: skip
    put("sape.csv", ["LSOA Code", "LSOA Name", "All Ages", *map(str, range(90)), "90+"],
        [[c, "x", 263, *([1] * 5 + [3] * 86)] for c in [*codes[:10], "E01000777"]])  # fmt: skip
    put("lookup.csv", ["LSOA11CD", "LSOA21CD"], [*[[c, c] for c in codes[:10]], ["E01000777", codes[10]]])
    m = _margins(county)
    assert m.environment["anti_social_behaviour"][:5].tolist()[:3] == [10, 11, 12]
    assert m.environment["connectivity"].tolist() == [50 + k for k in range(12)]
    assert 4.9 <= m.environment["anti_social_behaviour"][3] <= 23.7
    assert (m.communal == 9).all()
    assert np.array_equal(m.residents, residents)
    children = m.age[:, :3]
    # One in five at each age under 5, three from 5 on: 5 of 38 under 5, 18 of 38 at 5 to 10.
    assert children[0, 0] / children[0].sum() == pytest.approx(5 / 38, abs=0.02)
    assert children[11, 0] / children[11].sum() == pytest.approx(5 / 38, abs=0.02)
    text = " ".join(m.notes)
    assert "1 LSOAs without a mid-year row" in text and "anti_social_behaviour: 1 LSOAs without a value" in text
    assert "outdoor_space, facilities: national values" in text and "TS001" not in text
    toy.edit(folder / "file8.csv", lambda rows: [["area", *rows[0][1:]], *rows[1:]])
    with pytest.raises(InputError, match=r"file8.csv: no column of LSOA codes \(lsoa21_code or "):
        _margins(county)


@needs_shared
def test_the_official_tables_of_two_counties_are_read() -> None:
    found = {f.source.key: f.path for f in find(SHARED) if f.path}
    m = read_margins(found, "two_counties", "Two counties")
    assert len(m) == 1335 and m.total == 2_204_419 and len(m.local_authorities) == 17
    assert set(found) >= {"imd", "age", "communal", "carers", "indicators", "single_year", "lookup"}
    nottingham = m.local_authority == m.local_authorities.index("Nottingham")
    assert np.bincount(m.imd_decile[nottingham], minlength=11)[1:].tolist() == [55, 41, 27, 9, 16, 8, 7, 4, 6, 6]
    assert not np.allclose(m.environment["connectivity"], np.round(m.environment["connectivity"]))
    assert {"rural", "park_distance", "crime_burglary", "longitude", "hectares"} <= set(m.facts)
    assert np.isnan(m.facts["park_distance"]).sum() == 5  # absent from the published copy
    assert len(set(m.schools["urn"].tolist())) == 912


@needs_shared
def test_the_deprivation_of_2019_is_brought_to_the_same_lsoas() -> None:
    found = {f.source.key: f.path for f in find(SHARED) if f.path}
    new = read_margins(found, "two_counties", "Two counties")
    found["imd"] = Origin(next(SHARED.glob("deprivation/File_7_-_All_IoD2019*")))
    old = read_margins(found, "two_counties", "Two counties")
    assert np.array_equal(old.code, new.code) and old.local_authorities == new.local_authorities
    assert np.abs(old.imd_decile - new.imd_decile).max() <= 6 and np.corrcoef(old.imd_decile, new.imd_decile)[0, 1] > 0.93


@needs_shared
def test_the_built_in_aggregates_are_sums_of_the_official_tables(margins) -> None:  # type: ignore[no-untyped-def]
    found = {f.source.key: f.path for f in find(SHARED) if f.path}
    real = read_margins(found, "two_counties", "Two counties")
    position = [margins.local_authorities.index(n) for n in real.local_authorities]
    for name in ("age", "sex", "ethnic_group", "disabled", "ns_sec"):
        made = np.zeros((17, getattr(real, name).shape[1]))
        true = np.zeros_like(made)
        np.add.at(made, margins.local_authority, getattr(margins, name))
        np.add.at(true, real.local_authority, getattr(real, name))
        off = np.abs(made[position] - true) / real.total
        assert off.max() < 0.0006, name
