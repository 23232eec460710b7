"""Readers: the same county in every spelling that official downloads come in gives the same margins."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import toy_formats as toy
from movesim.errors import InputError
from movesim.place.margins import Margins
from movesim.place.observed import read_observed
from movesim.place.official import read_margins
from movesim.place.tables import Survey, survey

COUNTED = (
    "sex",
    "ethnic_group",
    "disabled",
    "ns_sec",
    "cars",
    "household_size",
    "imd_decile",
    "residents",
    "code",
    "local_authority",
)
SIX = ((0, 3), (3, 4), (4, 5), (5, 7), (7, 9), (9, 12))


def read(files: Path, areas: str = "") -> tuple[Margins, Survey]:
    found = survey(files)
    found.complain()
    return read_margins(found.paths(), "toyshire", "Toyshire", areas), found


def same(one: Margins, other: Margins) -> None:
    for name in COUNTED:
        assert np.array_equal(getattr(one, name), getattr(other, name)), name
    for a, b in SIX:
        assert np.array_equal(one.age[:, a:b].sum(axis=1), other.age[:, a:b].sum(axis=1)), (a, b)


@pytest.fixture(scope="module")
def county() -> toy.County:
    return toy.County(seed=4)


@pytest.fixture(scope="module")
def plain(county: toy.County, tmp_path_factory: pytest.TempPathFactory) -> Margins:
    return read(toy.put(tmp_path_factory.mktemp("plain"), county.tables()))[0]


STYLES = {
    "measures quoted": ({"census": "measures"}, {"quoted": True}),
    "query": ({"census": "query"}, {}),
    "query quoted, mark, Windows ends": ({"census": "query"}, {"quoted": True, "encoding": "utf-8-sig", "end": "\r\n"}),
    "custom": ({"census": "custom"}, {}),
    "semicolons": ({}, {"delimiter": ";"}),
    "tabs, UTF-16": ({}, {"delimiter": "\t", "encoding": "utf-16"}),
    "Windows-1252": ({}, {"encoding": "cp1252", "end": "\r\n"}),
    "zip": ({}, {"packing": "zip"}),
    "zip in zip": ({}, {"packing": "zip in zip"}),
    "gz": ({}, {"packing": "gz"}),
    "workbook": ({"census": "query"}, {"packing": "xlsx"}),
    "headers cut": ({"imd": "cut"}, {}),
    "ranks only": ({"imd": "rank"}, {}),
    "deciles only": ({"imd": "decile"}, {}),
    "five-year ages": ({"age": "ts007a", "useful": ("mid new",)}, {}),
    "five-year ages by query": ({"age": "ts007a query", "useful": ("mid new",)}, {}),
    "single years": ({"age": "single"}, {}),
}


@pytest.mark.parametrize("style", STYLES)
def test_every_spelling_gives_the_same_margins(style: str, county: toy.County, plain: Margins, tmp_path: Path) -> None:
    what, how = STYLES[style]
    margins, _ = read(toy.put(tmp_path, county.tables(**what), **how))
    same(margins, plain)
    assert margins.local_authorities == ("Elsewhere", "Sandford")


def test_single_years_and_mid_year_ages_are_used(county: toy.County, tmp_path: Path) -> None:
    whole, _ = read(toy.put(tmp_path / "single", county.tables(age="single")))
    assert np.array_equal(whole.single_year[:, :100], county.single[:, :100])
    assert "Single years of age are those of the census." in whole.notes
    shaped, _ = read(toy.put(tmp_path / "new", county.tables(useful=("mid new",))))
    assert np.allclose(shaped.single_year[:, :90], county.single[:, :90])
    assert np.array_equal(shaped.age[:, 0], county.single[:, :5].sum(axis=1))
    fives, _ = read(toy.put(tmp_path / "fives", county.tables(age="ts007a")))
    assert np.allclose(fives.single_year[:, 15:20].sum(axis=1), county.single[:, 15:20].sum(axis=1))


def test_all_useful_tables_are_read(county: toy.County, tmp_path: Path) -> None:
    useful = ("communal", "carers", "crime", "barriers", "rural", "parks", "lookup", "mid old", "schools")
    tables = county.tables(useful=useful)
    folder = toy.put(tmp_path, tables, encoding="cp1252")
    (folder / "map.geojson").write_text(county.boundaries())
    m, found = read(folder)
    absent = {f.source.key for f in found.found if f.path is None}
    assert absent <= {"tenure", "employed", "health", "qualifications", "household_deprivation"}, absent
    k = np.arange(county.lsoas)
    fives = county.single[:, 5:].sum(axis=1)
    assert m.communal.tolist() == np.minimum(k, m.age[:, 3:].sum(axis=1)).tolist()
    assert read_observed(found.paths(), m)["carers"][:, 1].tolist() == (fives // 9).tolist()
    assert m.environment["anti_social_behaviour"] == pytest.approx(5 + k / 2)
    assert m.environment["connectivity"] == pytest.approx(40 + k)
    assert m.facts["crime_burglary"] == pytest.approx(2 + k / 4)
    assert m.facts["rural"].tolist() == (k % 2).tolist()
    # Split LSOAs keep their parent's distance, the merged one has the mean by residents of 2011, kept ones their own.
    parks = m.facts["park_distance"]
    assert parks[0] == parks[1] == 100.5 and parks[6] == 106.5 and parks[2] == 102.5
    assert m.facts["longitude"][0] == pytest.approx(-1.195) and m.facts["latitude"][7] == pytest.approx(53.015)
    assert m.facts["hectares"][0] == pytest.approx(111.195**2 * 1e-4 * math.cos(math.radians(53.005)) * 100, rel=1e-4)
    assert m.facts["hectares"][1] == pytest.approx(2 * m.facts["hectares"][0], rel=1e-3)
    urn = m.schools["urn"].tolist()
    assert "500" not in urn and "501" not in urn and "502" not in urn and urn.count("2001") == 2
    assert m.schools["at"][urn.index("2001")] == 0 and not np.isnan(m.schools["pupils"]).any()


def test_the_places_of_2019_are_brought_to_2021(county: toy.County, tmp_path: Path) -> None:
    m, found = read(toy.put(tmp_path, county.tables(imd="2019")))
    line = next(str(f) for f in found.found if f.source.key == "imd")
    assert line.endswith("imd.csv (2019, by LSOA of 2011)")
    assert any("Deprivation deciles are those of 2019; 6 LSOAs of 2021 take them" in note for note in m.notes)
    old = [math.ceil(r * 10 / 32_844) for r in county.rank]
    assert m.imd_decile[0] == m.imd_decile[1] == old[0]  # split: both keep it
    assert m.imd_decile[2] == math.ceil((2 * 6000 + 12000) / 3 * 10 / 32_844) == 3  # merged: mean rank by residents
    assert m.imd_decile[6:].tolist() == old[6:] and m.imd_decile[5] == old[5]
    assert m.local_authorities == ("Elsewhere", "Sandford")  # of the lookup, not the districts of 2019
    tables = county.tables(imd="2019")
    del tables["lookup"]
    with pytest.raises(InputError, match=r"disability|sex.csv, line 2: E01031000 is not in imd.csv"):
        read(toy.put(tmp_path / "without", tables))


def test_counts_of_2011_are_shared_by_residents_or_equally() -> None:
    from movesim.place.lookups import Lookup

    lookup = Lookup({"A": ("x",), "B": ("x",), "C": ("y", "z")}, {"x": ("A", "B"), "y": ("C",), "z": ("C",)}, {}, True)
    counts = {"x": np.array([90.0]), "y": np.array([5.0]), "z": np.array([7.0])}
    assert lookup.counts(["A", "B", "C"], counts, {"A": 100, "B": 200, "C": 10}).ravel().tolist() == [30, 60, 12]
    assert lookup.counts(["A", "B", "C"], counts, {}).ravel().tolist() == [45, 45, 12]
    levels = lookup.levels(["A", "C", "D"], {"x": 4.0, "y": 1.0, "z": 3.0}, {"y": 300.0, "z": 100.0})
    assert levels[:2].tolist() == [4.0, 1.5] and np.isnan(levels[2])


def test_an_area_is_cut_from_national_tables(county: toy.County, tmp_path: Path) -> None:
    folder = toy.put(tmp_path, county.tables())
    m, _ = read(folder, "Sandford")
    assert m.local_authorities == ("Sandford",) and m.code.tolist() == county.codes[1::2]
    assert np.array_equal(read(folder, "[e07001201]")[0].code, m.code)
    assert len(read(folder, "Sandford, Elsewhere")[0]) == 12
    with pytest.raises(InputError, match=r"areas: .*imd.csv has no local authority 'Sanford'. Did you mean 'Sandford'"):
        read(folder, "Sanford")
    with pytest.raises(InputError, match=r"has no local authority 'Qq'. It has Elsewhere, Sandford."):
        read(folder, "Qq")
    tables = county.tables()
    tables["cars"] = [tables["cars"][0], *tables["cars"][2::2]]
    folder = toy.put(tmp_path / "part", tables)
    with pytest.raises(InputError, match=r"cars.csv has no LSOA of Elsewhere, which other tables have; .*areas='Sandford'"):
        read(folder)
    assert len(read(folder, "Sandford")[0]) == 6


def test_names_with_commas_are_not_split() -> None:
    from movesim.place.deprivation import split_areas

    known = ["Bristow, City of", "Derby"]
    assert split_areas("Derby, Bristow, City of", known) == ["Derby", "Bristow, City of"]
    assert split_areas("[bristow, city of,nowhere]", known) == ["bristow, city of", "nowhere"]


def test_the_finer_or_newer_of_two_tables_is_taken(county: toy.County, plain: Margins, tmp_path: Path) -> None:
    tables = county.tables(imd="2019") | {"imd-new": county.imd(), "age-five": county.ages("ts007a"),
                                          "rural": county.useful()["rural"],
                                          "rural_2011": county.useful()["rural_2011"]}  # fmt: skip
    m, found = read(toy.put(tmp_path, tables))
    assert np.array_equal(m.imd_decile, plain.imd_decile)
    assert "spread evenly inside the 18 census bands" in " ".join(m.notes)
    text = "\n".join(found.lines())
    assert "File 7 (ranks, scores, deciles) (needed): imd-new.csv (2025)" in text
    assert "is there in a newer or finer table: imd.csv" in text and "rural_2011.csv" in text


def test_bulk_zips_of_every_geography_are_read_for_lsoas(county: toy.County, plain: Margins, tmp_path: Path) -> None:
    tables = county.tables()
    for code, name in (("E00000001", "oa"), ("E02000001", "msoa"), ("E07000001", "ltla"), ("E12000001", "rgn"),
                       ("K04000001", "ctry"), ("W01000001", "wales")):  # fmt: skip
        tables[f"sex-{name}"] = [tables["sex"][0], [2021, "x", code, 10, 5, 5]]
    tables["notes"] = [["Some words", "on nothing"], ["a", "b"]]
    m, found = read(toy.put(tmp_path, tables, packing="zip"))
    same(m, plain)
    text = "\n".join(found.lines())
    for words in ("for output areas: sex-oa.csv", "for middle layer areas: sex-msoa.csv", "for local authorities: sex-ltla.csv",
                  "for counties or regions: sex-rgn.csv", "for countries: sex-ctry.csv", "of Wales: sex-wales.csv",
                  "no table that a place is made from: notes.csv"):  # fmt: skip
        assert f"Not used, {words}" in text


def test_what_stands_in_for_absent_tables_is_told(county: toy.County, tmp_path: Path) -> None:
    _, found = read(toy.put(tmp_path, county.tables()))
    text = "\n".join(found.lines())
    assert "TS001 communal establishments (useful): absent; instead: all residents are in households; nomisweb.co.uk" in text
    assert "Schools (GIAS, all establishments) (useful): absent; instead: made-up schools; get-information-schools" in text


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 2**31),
    lsoas=st.integers(3, 25),
    authorities=st.integers(1, 3),
    first=st.integers(30_000, 900_000),
    census=st.sampled_from(["bulk", "measures", "query", "custom"]),
    age=st.sampled_from(["custom", "ts007a", "single"]),
    imd=st.sampled_from(["2025", "rank", "cut", "2019"]),
    packing=st.sampled_from(["folder", "zip", "gz", "zip in zip", "xlsx"]),
    useful=st.sets(
        st.sampled_from(["communal", "carers", "crime", "barriers", "rural", "parks", "schools", "mid new", "lookup"])
    ),
)
def test_any_other_place_is_read_without_a_change_of_code(
    tmp_path_factory: pytest.TempPathFactory, seed: int, lsoas: int, authorities: int, first: int, census: str, age: str,
    imd: str, packing: str, useful: set[str],
) -> None:  # fmt: skip
    county = toy.County(seed, lsoas, authorities, first)
    tables = county.tables(census, age, imd, tuple(sorted(useful)))
    m, _ = read(toy.put(tmp_path_factory.mktemp("other"), tables, packing))
    assert m.code.tolist() == county.codes
    assert m.total == county.single.sum() and set(m.local_authorities) == set(county.authority)
    people = [row[0] for row in county.bulk["sex"]]
    for table in (m.age, m.sex, m.ethnic_group, m.disabled):
        assert table.sum(axis=1).tolist() == people
    for a, b in ((0, 16), (16, 25), (65, 105)):
        band = [k for k, s in enumerate((0, 5, 11, 16, 25, 35, 45, 50, 55, 65, 75, 85)) if a <= s < b]
        if age != "ts007a":
            assert m.age[:, band].sum(axis=1).tolist() == county.single[:, a:b].sum(axis=1).tolist()


def test_the_order_of_rows_does_not_matter(county: toy.County, plain: Margins, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    tables = {name: [rows[0], *[rows[1:][k] for k in rng.permutation(len(rows) - 1)]] for name, rows in county.tables().items()}
    assert read(toy.put(tmp_path, tables))[0].fingerprint() == plain.fingerprint()


def test_maps_that_cannot_be_right_are_refused(county: toy.County, tmp_path: Path) -> None:
    folder = toy.put(tmp_path, county.tables())
    path = folder / "map.geojson"
    whole = json.loads(county.boundaries())

    def put(change) -> None:  # type: ignore[no-untyped-def]
        document = json.loads(json.dumps(whole))
        change(document["features"])
        path.write_text(json.dumps(document))

    path.write_text(county.boundaries()[:-20])
    with pytest.raises(InputError, match=r"map.geojson is no whole GeoJSON file .*fetch it again"):
        read(folder)
    put(lambda f: f.append(f[0]))
    with pytest.raises(InputError, match=r"map.geojson, feature 14: E01031000 is there twice; keep one"):
        read(folder)
    put(lambda f: f[2].update(geometry=None))
    with pytest.raises(InputError, match=r"feature 3 \(E01031002\) has no polygon .*fetch the file again"):
        read(folder)
    put(lambda f: f[2]["geometry"]["coordinates"][0][0].__setitem__(0, 11.0))
    with pytest.raises(InputError, match=r"feature 3 \(E01031002\) lies at 11, 53, which is not in England"):
        read(folder)
    put(lambda f: f[2]["geometry"].update(coordinates=[[[433000, 335000], [433100, 335000], [433000, 335100]]]))
    with pytest.raises(InputError, match=r"is given in metres of the National Grid; fetch the GeoJSON in degrees"):
        read(folder)
    put(lambda f: [x["properties"].update(LSOA21CD="E01000001") for x in f[:1]] and f.__delitem__(slice(1, None)))
    with pytest.raises(InputError, match=r"has none of the LSOAs of the place; fetch the boundaries"):
        read(folder)


def test_the_decimal_mark_of_a_column_is_what_its_cells_say(tmp_path: Path) -> None:
    """A file with semicolons may still have decimal points: 292.41 metres are not 29,241."""
    from movesim.place.reading import read

    def column(*cells: str) -> list[float]:
        path = tmp_path / "parks.csv"
        path.write_text("LSOA code;LSOA name;Distance (m)\n" + "".join(f"E0190010{k};N;{c}\n" for k, c in enumerate(cells)))
        return read(path, "lsoa code", year=False).numbers("distance (m)", whole=False).tolist()

    assert column("292.41", "1.5", "80") == [292.41, 1.5, 80.0]
    assert column("292,41", "1.234,5", "80") == [292.41, 1234.5, 80.0]
    assert column("1,234.5", "80", "2") == [1234.5, 80.0, 2.0]
    with pytest.raises(
        InputError, match=r"parks\.csv, column 'Distance \(m\)': some cells have a decimal point and some a decimal"
    ):
        column("292.41", "80,5")
