"""A large area built authority by authority: the same people, households, schools and nearly all of the same ties."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import toy_county as toy
from movesim.errors import InputError
from movesim.place import Population, build_place, library, load_place
from movesim.place.apart import build_apart, fingerprint_of_part, part_of
from movesim.place.library import margins_of
from movesim.place.schools import catchments


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    build_place(toy.write(tmp_path_factory.mktemp("county"))["imd"].parent, "apart_county")
    folder = tmp_path_factory.mktemp("parts")
    lines: list[str] = []
    rows = build_apart(margins_of("apart_county"), folder, workers=2, tell=lines.append)
    assert [row["name"] for row in rows] == ["Toytown", "Much Toying"] or len(rows) == 2
    assert len(lines) == 2 and all(row["ties"] > row["residents"] for row in rows)
    return folder


def _pairs(p: Population) -> set[tuple[int, int]]:
    used = p.ties < len(p)
    a, b = np.repeat(np.arange(len(p)), used.sum(axis=1)), p.ties[used]
    ids = p.people["id"]
    return {(min(x, y), max(x, y)) for x, y in zip(ids[a].tolist(), ids[b].tolist())}


def test_the_same_people_live_in_the_same_homes(parts: Path) -> None:
    whole = load_place("apart_county", None)
    made = [Population.load(parts / name) for name in ("000", "001")]
    assert sum(len(p) for p in made) == len(whole)
    row = {i: k for k, i in enumerate(whole.people["id"].tolist())}
    for p in made:
        at = np.array([row[i] for i in p.people["id"].tolist()])
        for name in ("age", "sex", "ethnic_group", "impairments", "ns_sec", "in_work", "cars_per_adult", "income_rank", "weight"):
            assert np.array_equal(whole.people[name][at], p.people[name]), name
        home = whole.people["household"][at]
        assert len(np.unique(np.stack([home, p.people["household"]]), axis=1).T) == len(np.unique(home))
        schools = whole.schools["code"][whole.people["school"][at]]
        assert np.array_equal(schools, p.schools["code"][p.people["school"]])
    together = _pairs(whole)
    ours = set().union(*(_pairs(p) for p in made))
    assert len(ours & together) / len(together) > 0.6  # twelve neighbourhoods: most deciles of an authority are one pod


def test_an_interrupted_build_goes_on_and_a_strange_folder_is_refused(parts: Path, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in parts.glob("*/ties.npy")}
    again = build_apart(margins_of("apart_county"), parts, workers=1)
    assert {path: path.stat().st_mtime_ns for path in parts.glob("*/ties.npy")} == before and len(again) == 2
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="holds something else; name a new or empty folder for the parts"):
        build_apart(margins_of("apart_county"), tmp_path)


def test_a_part_is_told_by_its_schools_the_code_and_what_is_published(monkeypatch: pytest.MonkeyPatch, parts: Path) -> None:
    margins = margins_of("apart_county").whole()
    found = catchments(margins, 1)
    part, schools = part_of(margins, 0, found)
    told = {fingerprint_of_part(part, schools, 1), fingerprint_of_part(part, schools, 2)}
    assert fingerprint_of_part(part, schools, 1) in told  # the same again is the same
    other = replace(schools, primary=schools.primary + 2)
    told.add(fingerprint_of_part(part, other, 1))
    for name, changed in (("_code", lambda: "another version"), ("ingredients", lambda: b"other numbers of conf/place")):
        with monkeypatch.context() as patch:
            patch.setattr(library, name, changed)
            patch.setattr("movesim.place.apart.ingredients", library.ingredients)
            told.add(fingerprint_of_part(part, schools, 1))
    assert len(told) == 5
    kept = Population.load(parts / "000")
    assert kept.fingerprint in {fingerprint_of_part(*part_of(margins, a, found), 1) for a in (0, 1)}
