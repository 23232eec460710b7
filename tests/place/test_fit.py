"""How well a place fits: margins of class, work, tenure and cars met; held-back tables predicted; the report says so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import toy_details
from movesim.cli import main
from movesim.config import home
from movesim.errors import InputError
from movesim.place import build_place, load_place
from movesim.place.attributes import describe
from movesim.place.fit import AGES, Fit, counted_of, disability_odds, fit, tally
from movesim.place.households import form
from movesim.place.library import margins_of
from movesim.place.margins import Margins
from movesim.place.observed import BY_KEY, HELD_BACK, load_observed
from movesim.place.social import Social, social
from movesim.place.synthesis import synthesise
from movesim.place.tenure import COMPOSITIONS, TENURES, compositions
from movesim.report.figures.place_fit import PlaceFacts
from movesim.report.place_page import by_cell, by_lsoa, finding, place_facts

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
needs_shared = pytest.mark.skipif(
    not (SHARED / "MANIFEST.csv").is_file(),
    reason="the official tables of the two counties are not beside the checkout (../shared/data)",
)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Build the county with all its tables, once; what was said."""
    lines: list[str] = []
    paths = toy_details.write(tmp_path_factory.mktemp("detailed"))
    build_place(paths["imd"].parent, "detailed", title="Detailed", tell=lines.append)
    return lines


@pytest.fixture(scope="module")
def detailed(told: list[str]) -> Margins:
    return margins_of("detailed")


def test_every_fitted_table_is_met(told: list[str], detailed: Margins) -> None:
    results = {f.kind.key: f for f in fit(detailed, load_observed(home() / "places" / "detailed"))}
    assert set(results) == set(BY_KEY) - {"communal"}
    for key in ("age", "ethnic_group", "disabled", "ns_sec", "employed"):
        assert results[key].total() == 0, key
    assert results["sex"].error() < 0.01  # its total is one more than that of the others, as the census perturbs tables
    for key in ("tenure", "cars"):
        assert results[key].error() < 0.002, key
    assert results["household_size"].error() < 0.1  # drawn without regard to the residents there are
    assert any(line.startswith("Tenure (fitted): 48 cells, total absolute error") for line in told)
    assert any("drawing from the authority's average" in line for line in told)


def test_errors_are_counted_as_said() -> None:
    kind = BY_KEY["sex"]
    one = Fit(kind, np.array([[6.0, 4.0], [5.0, 5.0]]), np.array([[7.0, 3.0], [5.0, 5.0]]))
    assert one.total() == 2 and one.error() == 0.1 and one.by_lsoa().tolist() == [2, 0]
    assert str(one) == "Sex (fitted): 4 cells, total absolute error 2, 10.00% of residents"


def test_tenure_and_cars_follow_the_household(detailed: Margins) -> None:
    which = np.arange(len(detailed))
    people = synthesise(detailed.whole(), which, 1)
    homes = form(detailed.whole(), people, 1)
    columns = describe(detailed.whole(), people, homes, 1)
    kind = compositions(people, homes)
    size = homes.size
    for name, least, most in (
        ("one person, 66 or over", 1, 1),
        ("couple, no children", 2, 2),
        ("couple, dependent children", 3, 99),
    ):
        assert ((size[kind == COMPOSITIONS.index(name)] >= least) & (size[kind == COMPOSITIONS.index(name)] <= most)).all()
    tenure, cars = np.zeros(len(size), int), np.zeros(len(size), int)
    tenure[homes.of_person], cars[homes.of_person] = columns["tenure"], columns["cars"]
    assert cars[tenure == TENURES.index("social")].mean() < cars[tenure == TENURES.index("mortgage or shared")].mean() - 0.3
    outright = tenure[homes.of_person] == TENURES.index("owned outright")
    first = homes.role == 0
    assert people.age[outright & first].mean() > people.age[~outright & first].mean() + 8
    assert columns["in_work"][people.age >= 75].mean() < 0.15
    assert np.isnan(detailed.carers).all() and 0.05 < columns["carer"][people.age >= 16].mean() < 0.2


def test_a_neighbourhood_is_made_by_itself_with_all_its_tables(detailed: Margins) -> None:
    whole = detailed.whole()
    for which in (np.arange(12), np.array([5])):
        people = synthesise(whole, which, 1)
        homes = form(whole, people, 1)
        columns = describe(whole, people, homes, 1)
        at = people.lsoa == int(np.flatnonzero(which == 5)[0])
        if len(which) > 1:
            together = {k: columns[k][at] for k in ("ns_sec", "in_work", "tenure", "cars", "carer")}
    for name, column in together.items():
        assert np.array_equal(column, columns[name]), name


def test_the_association_of_the_seed_survives(detailed: Margins) -> None:
    seed, within, _ = disability_odds(counted_of("detailed", detailed, 1))
    off = np.abs(within / seed - 1)
    assert (off[[1, 2, 4, 5]] < 0.35).all()  # 5,400 people: the odds of few disabled children are mostly chance
    assert within[5] > within[4] > 1 > within[0]


def test_the_tally_is_kept_and_is_the_same_in_two_processes(detailed: Margins) -> None:
    kept = counted_of("detailed", detailed, 1)
    made = tally(detailed.whole(), 1, workers=2)
    for key, counts in made.tables.items():
        assert np.array_equal(counts, kept.tables[key]), key
    assert made.compositions.sum() == made.tables["household_size"].sum()


def test_ties_are_told_beside_chance() -> None:
    p = load_place("nottinghamshire_derbyshire", 5_000)
    found = social(p)
    assert found.degree.sum() == pytest.approx(1) and 7 <= found.mean <= 9
    assert sum(found.by_kind.values()) == pytest.approx(found.mean)
    for name, tied, chance in found.likeness:
        assert 0 < chance < tied < 1 + 1e-9, name


def test_the_report_is_written_by_inspect(told: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert main(["place", "inspect", "detailed", f"out={out}"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    page = (out / "report.html").read_text(encoding="utf-8")
    facts = place_facts("detailed")
    first, more = finding(facts)
    assert f"<h1>{first}</h1>".replace("'", "&#39;") in page and more.split(":")[0] in said and str(out / "report.html") in said
    assert "http://" not in page.replace("http://www.w3.org", "") and "<script" not in page
    assert page.count("<svg") == 5 and 'role="img"' in page
    table = pd.read_parquet(out / "fit.parquet")
    assert len(table) == 13 * 12 and set(table["role"]) == {"fitted", "held back"}
    held = table[table["role"] == HELD_BACK]
    assert held[["with_level", "average"]].notna().all().all() and table["standardised_error"].between(0, 2).all()
    assert np.allclose(table["absolute_error"], table["standardised_error"] * table["total"])
    cells = pd.read_parquet(out / "cells.parquet")
    assert cells[(cells["table"] == "tenure") & (cells["category"] == "social")]["counted"].sum() > 0
    assert by_lsoa(facts).equals(by_lsoa(facts)) and len(by_cell(facts)) == len(cells)


def test_a_place_of_aggregates_says_that_nothing_was_held_back() -> None:
    m = margins_of("nottinghamshire_derbyshire")
    with pytest.raises(InputError, match="no place called 'nowhere'"):
        margins_of("nowhere")
    assert m.tenure is None and not np.isnan(m.carers).any()


def test_a_place_without_its_published_counts_is_damaged(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"is damaged \(.*\); build it again from its files"):
        load_observed(tmp_path)


@needs_shared
@pytest.mark.slow
def test_the_two_counties_fit_their_tables(tmp_path: Path) -> None:
    """Fitted tables within 1%, held-back ones closer than by the authority's average, disability by age as in the seed."""
    build_place(SHARED, "two_counties", title="Two counties")
    facts = place_facts("two_counties")
    assert len(facts.fitted) == 10 and len(facts.held_back) == 4 and len(AGES) == 6
    for one in facts.fitted:
        assert one.error() < 0.01, str(one)
    for one in facts.held_back:
        assert one.error(one.level) < one.error(one.average), str(one)
    seed, within, whole = facts.odds
    assert np.abs(within / seed - 1).max() < 0.1 and np.abs(whole / seed - 1).max() < 0.1


def test_a_place_that_stands_for_more_says_how_many_people_are_made_and_for_how_many() -> None:
    """Of England 1.67 million people are made, who stand for 56.5 million: the page may not call the latter made."""
    made = Fit(BY_KEY["sex"], np.full((1, 2), 100.0), np.full((1, 2), 100.0))
    few = PlaceFacts(
        "england", "England", 56_490_046.0, 1_673_500.0, np.array(["EN01"]), np.array(["one"]), np.zeros(1, np.int64),
        ("England",), None, [made], (np.ones(6),) * 3, Social(np.ones(1), {}, []), (), "mark",
    )  # fmt: skip
    told = finding(few)[0]
    assert told.startswith("The 1,673,500 people made for England, who stand for its 56,490,046 residents, meet every fitted")
    assert few.source == (
        "England: 56,490,046 residents, for whom 1,673,500 people in 1 made-up neighbourhoods stand, made up to fit published "
        "tables."
    )
    all_there = replace(few, made=few.residents)
    assert finding(all_there)[0].startswith("The 56,490,046 people made for England meet every fitted table")
    assert all_there.source.startswith("England: 1 neighbourhoods, 56,490,046 residents, made up")
    missed = replace(few, fits=[Fit(BY_KEY["sex"], made.observed, made.made + 50)])
    assert finding(missed)[0] == (
        "The 1,673,500 people made for England, who stand for its 56,490,046 residents, miss sex by 50.00%."
    )
