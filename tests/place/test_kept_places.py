"""Places on disk: the same tables give the same people, other tables are read again, two processes do not harm each other."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import toy_formats as toy
from movesim.cli import main
from movesim.config import home
from movesim.errors import InputError
from movesim.place import build_place, load_place
from movesim.place.schools import PRIMARY, SECONDARY
from movesim.place.store import patient, put, written

USEFUL = ("communal", "carers", "crime", "barriers", "rural", "parks", "lookup", "mid old", "schools")


@pytest.fixture(scope="module")
def county() -> toy.County:
    return toy.County(seed=21, lsoas=15, authorities=3, first=120_000)


@pytest.fixture
def tables(county: toy.County, tmp_path: Path) -> Path:
    folder = toy.put(tmp_path / "tables", county.tables(useful=USEFUL))
    (folder / "map.geojson").write_text(county.boundaries())
    return folder


def test_same_tables_same_people_whatever_the_files_are_called(county: toy.County, tables: Path, tmp_path: Path) -> None:
    build_place(tables, "same")
    first = load_place("same", None)
    packed = toy.put(tmp_path / "packed", county.tables(census="query", useful=USEFUL), packing="zip")
    (tmp_path / "packed" / "map.geojson").write_text(county.boundaries())
    told: list[str] = []
    build_place(packed.parent, "same", tell=told.append)
    assert not any("made anew" in line for line in told)
    again = load_place("same", None)
    assert again.fingerprint == first.fingerprint and np.array_equal(again.people["id"], first.people["id"])
    about = json.loads((home() / "places" / "same" / "place.json").read_text(encoding="utf-8"))
    assert about["inputs"]["sex"]["file"] == "sex.csv" and about["inputs"]["boundaries"]["file"] == "map.geojson"


def test_a_changed_table_is_read_again_and_said(county: toy.County, tables: Path) -> None:
    build_place(tables, "changing")
    first = load_place("changing", None)
    rows = county.census("ethnic", "bulk")
    rows[1][4], rows[1][7] = rows[1][4] + 5, rows[1][7] - 5
    (tables / "ethnic.csv").write_text(toy.text(rows))
    told: list[str] = []
    build_place(tables, "changing", tell=told.append)
    assert "The place 'changing' is made anew: other tables than before (ethnic_group)." in told
    second = load_place("changing", None)
    assert second.fingerprint != first.fingerprint and len(second) == len(first)
    assert np.count_nonzero(second.people["ethnic_group"] == 0) == np.count_nonzero(first.people["ethnic_group"] == 0) + 5
    told.clear()
    build_place(tables, "changing", areas="Elsewhere, Sandford", tell=told.append)
    assert "The place 'changing' is made anew: its tables are read or cut otherwise than before." in told
    (home() / "places" / "changing" / "place.json").write_text("[]")
    build_place(tables, "changing", tell=told.append)
    assert "The place 'changing' that was there is damaged; it is made anew." in told


def test_the_schools_of_gias_serve_their_neighbours(county: toy.County, tables: Path) -> None:
    build_place(tables, "schooled")
    p = load_place("schooled", None)
    codes, phase = p.schools["code"], p.schools["phase"]
    assert {"URN1000", "URN2000", "URN2001"} <= set(codes.tolist()) and not any(c.startswith(("P", "S")) for c in codes[1:])
    age, school = p.people["age"], p.people["school"]
    assert (phase[school[(age >= 5) & (age < 11)]] == PRIMARY).all()
    assert (phase[school[(age >= 11) & (age < 16)]] == SECONDARY).all()
    assert (school[(age < 5) | (age >= 16)] == 0).all()
    assert any("open ones with a phase in GIAS" in note for note in p.notes)
    assert not any("catchments are made up" in note for note in p.notes)
    # No school is many times fuller than its share of pupils, and most children go near home.
    pupils = np.bincount(school, minlength=len(codes))[1:]
    assert pupils[phase[1:] == PRIMARY].max() < 4 * pupils[phase[1:] == PRIMARY].mean()
    (tables / "map.geojson").unlink()
    build_place(tables, "unmapped")
    q = load_place("unmapped", None)
    assert any("catchments are made up" in note for note in q.notes) and q.schools["code"][1].startswith("P")


def test_a_place_is_exported_with_what_it_was_made_from(tables: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["place", "build", f"files={tables}", "name=exported", "areas=e07001202,Elsewhere"]) == 0
    printed = capsys.readouterr()
    assert "authorities: Bristow, City of, Elsewhere" in printed.out
    assert "(needed): sex.csv" in printed.err and "10 LSOAs" in printed.err
    out = tmp_path / "out"
    assert main(["place", "export", "exported", f"out={out}", "people=all"]) == 0
    assert "people.parquet, neighbourhoods.parquet, schools.parquet, ties.parquet, about.json are in" in capsys.readouterr().out
    people, places = pd.read_parquet(out / "people.parquet"), pd.read_parquet(out / "neighbourhoods.parquet")
    ties = pd.read_parquet(out / "ties.parquet")
    assert {"rural", "park_distance", "crime_burglary", "longitude", "hectares"} <= set(places.columns) and len(places) == 10
    pairs = set(zip(ties["person"], ties["other"]))
    assert len(people) == places["residents"].sum() and all((b, a) in pairs for a, b in pairs)
    about = json.loads((out / "about.json").read_text(encoding="utf-8"))
    assert about["residents"] == len(people) and about["made_from"]["imd"]["sha256"]
    assert set(about["columns"]["people"]) == set(people)
    assert main(["place", "list"]) == 0
    assert "exported" in capsys.readouterr().out
    assert main(["place", "export", "england", f"out={tmp_path / 'england'}", "people=500"]) == 0
    assert json.loads((tmp_path / "england" / "about.json").read_text(encoding="utf-8"))["made_from"] == {}


def test_a_zip_serves_as_files(county: toy.County, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = toy.put(tmp_path, county.tables(), packing="zip in zip")
    assert main(["place", "build", f"files={path}", "name=zipped"]) == 0
    capsys.readouterr()
    path.write_bytes(path.read_bytes()[:2000])
    assert main(["place", "build", f"files={path}", "name=zipped"]) == 2
    error = capsys.readouterr().err
    assert "tables.zip: cannot be opened" in error and "Traceback" not in error
    assert main(["place", "build", f"files={path}", "name=zipped", "areas="]) == 2


def test_two_processes_build_one_place_at_once(tables: Path) -> None:
    code = (
        "import sys\nfrom movesim.place import build_place, load_place\n"
        "for _ in range(2): build_place(sys.argv[1], 'shared')\np = load_place('shared', None)\nprint(p.fingerprint, len(p))"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(tables)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    told = [process.communicate() for process in running]
    assert all(process.returncode == 0 for process in running), told
    assert told[0][0] == told[1][0]
    assert load_place("shared", None).fingerprint in told[0][0]
    assert not list((home() / "places").glob(".shared.*"))


def test_folders_are_put_in_place_whole_by_many_at_once(tmp_path: Path) -> None:
    target = tmp_path / "kept"

    def write(number: int) -> None:
        def fill(half: Path) -> None:
            for name in ("a", "b", "c"):
                (half / name).write_text(str(number))

        for _ in range(15):
            written(target, fill)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({(target / name).read_text() for name in ("a", "b", "c")}) == 1
    assert os.listdir(tmp_path) == ["kept"]


def test_a_folder_that_is_as_good_is_left_there(tmp_path: Path) -> None:
    written(tmp_path / "kept", lambda half: (half / "a").write_text("first") and None)
    written(tmp_path / "kept", lambda half: (half / "a").write_text("second") and None, same=lambda: True)
    assert (tmp_path / "kept" / "a").read_text() == "first" and os.listdir(tmp_path) == ["kept"]


def test_a_reader_asks_again_while_a_folder_is_replaced() -> None:
    answers = iter([InputError("away"), InputError("away"), "there"])

    def read() -> str:
        answer = next(answers)
        if isinstance(answer, InputError):
            raise answer
        return str(answer)

    assert patient(read) == "there"
    with pytest.raises(InputError, match="damaged"):
        patient(lambda: (_ for _ in ()).throw(InputError("damaged")))


def test_nothing_is_left_of_a_folder_that_could_not_be_written(tmp_path: Path) -> None:
    def fail(half: Path) -> None:
        (half / "a").write_text("x")
        raise InputError("no")

    with pytest.raises(InputError):
        written(tmp_path / "kept", fail)
    assert not os.listdir(tmp_path)
    with pytest.raises(FileNotFoundError):
        put(tmp_path / "nothing", tmp_path / "kept")
