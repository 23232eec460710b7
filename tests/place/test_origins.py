"""Files, zips and workbooks: what is in them is found, and what cannot be read is said, not skipped in silence."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import pytest

import toy_formats as toy
from movesim.errors import InputError
from movesim.place.origins import Origin, cells_of, origins
from movesim.place.rows import start, whole
from movesim.place.tables import survey


def reasons(folder: Path) -> dict[str, str]:
    return {u.origin.name: u.reason for u in survey(folder).unused}


def test_files_that_are_no_tables_are_said(tmp_path: Path) -> None:
    (tmp_path / "read me.pdf").write_bytes(b"%PDF")
    (tmp_path / "old.xls").write_bytes(b"x")
    (tmp_path / "empty.csv").write_text("\n\n")
    (tmp_path / "zero.csv").write_bytes(b"a,b\n\0\0\n")
    (tmp_path / "broken.csv.gz").write_bytes(gzip.compress(b"a,b\n1,2\n" * 500)[:40])
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04 and no more")
    (tmp_path / "broken.xlsx").write_bytes(b"PK\x03\x04 and no more")
    (tmp_path / "map.geojson").write_text("{}")
    (tmp_path / "none.geojson").write_text(" ")
    (tmp_path / ".hidden.csv").write_text("a,b\n")
    found = reasons(tmp_path)
    assert found["read me.pdf"].startswith("not a table: CSV, Excel (.xlsx), GeoJSON")
    assert found["old.xls"] == "a workbook of another kind; save the sheet you need as CSV or the workbook as .xlsx"
    assert found["empty.csv"] == "is empty; fetch it again." and found["none.geojson"] == "is empty; fetch it again."
    assert found["zero.csv"].startswith("is not a text file (it holds zero bytes); fetch it again as CSV")
    assert found["broken.csv.gz"].startswith("cannot be read (") and found["broken.csv.gz"].endswith("fetch it again.")
    assert found["broken.zip"].startswith("cannot be opened (") and "fetch it again" in found["broken.zip"]
    assert found["broken.xlsx"].startswith("cannot be opened as a workbook (")
    assert found["map.geojson"] == "a map of other areas than LSOAs, or no map"
    assert ".hidden.csv" not in found
    with pytest.raises(InputError, match=r"lacks 8 of the tables .*empty.csv: is empty; fetch it again.*Fetch what is missing"):
        survey(tmp_path).complain()
    with pytest.raises(InputError, match=r"There is no folder .*nowhere; give the folder \(or the zip\)"):
        origins(tmp_path / "nowhere")


def test_zips_that_are_locked_or_too_deep_are_said(tmp_path: Path) -> None:
    inner = b"x"
    for name in ("a.csv", "1.zip", "2.zip", "3.zip"):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr(name, inner)
        inner = out.getvalue()
    (tmp_path / "deep.zip").write_bytes(inner)
    with zipfile.ZipFile(tmp_path / "locked.zip", "w") as archive:
        archive.writestr("secret.csv", "a,b")
    raw = bytearray((tmp_path / "locked.zip").read_bytes())
    raw[raw.index(b"PK\x01\x02") + 8] |= 1  # the flag that says locked, where the list of members stands
    (tmp_path / "locked.zip").write_bytes(bytes(raw))
    found = reasons(tmp_path)
    assert found["secret.csv"] == "locked with a password; unpack it first"
    assert found["1.zip"] == "a zip in a zip more than 3 deep; unpack it"


def test_origins_say_where_they_are(tmp_path: Path) -> None:
    one = Origin(tmp_path / "a.zip", ("b.zip", "c/d.csv.gz"))
    assert str(one) == f"{tmp_path / 'a.zip'} > b.zip > c/d.csv.gz" and one.name == "d.csv.gz" and one.suffix == ".csv"
    sheet = Origin(tmp_path / "a.xlsx", (), "Mid-2021")
    assert sheet.name == "a.xlsx, sheet 'Mid-2021'" and str(sheet).endswith("a.xlsx, sheet 'Mid-2021'")
    (tmp_path / "a.xlsx").write_bytes(b"no workbook")
    with pytest.raises(InputError, match=r"a.xlsx, sheet 'Mid-2021' cannot be read \(.*\); fetch it again, or save the sheet"):
        list(cells_of(sheet))
    with pytest.raises(InputError, match=r"gone.csv cannot be read \(.*\); fetch it again"):
        Origin(tmp_path / "gone.csv").bytes()


def test_a_row_that_cannot_be_read_is_named_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "quoted.csv"
    path.write_text('LSOA code (2021),n\nE01000001,"1"2\n')
    with pytest.raises(InputError, match=r"quoted.csv, line 2: this row cannot be read"):
        whole(Origin(path))
    assert start(Origin(path)).header == ["LSOA code (2021)", "n"]


def test_words_before_and_notes_after_a_table_are_left_out(tmp_path: Path) -> None:
    county = toy.County(lsoas=5)
    path = tmp_path / "query.csv"
    path.write_text("\n" + toy.text(county.census("cars", "query")) + "\n\n,,,\n", encoding="utf-8-sig")
    sheet = whole(Origin(path))
    assert [row[1] for _, row in sheet.rows] == county.codes and sheet.header_line == 9
    topic = "number of cars or vans: "
    assert sheet.names[2:4] == [topic + "total: all households", topic + "no cars or vans in household"]


def test_the_year_nearest_the_census_is_taken_of_a_workbook_of_years(tmp_path: Path) -> None:
    county = toy.County(lsoas=5)
    tables = county.tables() | {f"Mid-{y} LSOA 2021": county.mid_year("new") for y in (2019, 2021, 2022)}
    found = survey(toy.put(tmp_path, tables, packing="xlsx"))
    assert found.paths()["single_year"].sheet == "Mid-2021 LSOA 2021"
