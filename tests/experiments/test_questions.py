"""Questions on top of a comparison, with the model: sums hold to the last digit, further runs are the pairs' own, all resumes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import movesim
from movesim.cli import main
from movesim.errors import GuardError, InputError
from movesim.experiments import questions
from movesim.experiments.runs import Runs
from movesim.experiments.study import prepare
from movesim.experiments.variants import LADDER, PARTS, jobs_of, variant, variants_of
from movesim.interventions import load_scenario

KEYS = {
    "scenarios": ["school_and_leaders", "routes"], "people": 500, "years": 1, "replicates": 2, "draws": "central", "workers": 1,
    "quiet": True, "report": False,
}  # fmt: skip
CELLS = ["scenario", "age_group", "axis", "outcome", "measure", "level", "week"]
PLAN = """\
title: School day and leaders
slogan: Two at once
summary: The active school day everywhere and community leaders where need is greatest.
budget:
  pounds_per_resident_a_year: {value: 9, distribution: fixed, unit: pounds, status: assumed, meaning: Money for the scenario}
  split: equal
interventions:
  - use: school_day
  - use: community_leaders_targeted
"""


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict:
    path = tmp_path_factory.mktemp("plans") / "school_and_leaders.yaml"
    path.write_text(PLAN, encoding="utf-8")
    return {**KEYS, "scenarios": [str(path), "routes"], "out": tmp_path_factory.mktemp("studies") / "both"}


@pytest.fixture(scope="module")
def plain(keys: dict) -> movesim.Result:
    """The comparison without questions."""
    return movesim.compare(**keys)


@pytest.fixture(scope="module")
def asked(keys: dict, plain: movesim.Result) -> movesim.Result:
    """The same study, asked more after it was finished."""
    assert plain.manifest["questions"] == [] and not (plain.folder / "interactions.parquet").exists()
    return movesim.compare(**keys, parts=True, ladder=True)


@pytest.mark.slow
def test_a_finished_study_can_be_asked_more_and_keeps_its_numbers(keys, plain, asked) -> None:
    assert asked.status == "done" and asked.manifest["questions"] == [PARTS, LADDER]
    assert movesim.compare(**keys, ladder=True).status == movesim.compare(**keys).status == "already done"
    before = pd.read_parquet(plain.folder / "comparison.parquet")
    assert asked.to_frame("comparison").equals(before)


@pytest.mark.slow
def test_shares_of_the_steps_add_up_to_the_change(asked) -> None:
    shares = asked.to_frame("ladder_shares")
    own = asked.to_frame("comparison").query("window == 52").set_index(CELLS)["mean_difference"]
    total = shares.groupby(CELLS)["share"].sum()
    assert len(total) > 500
    np.testing.assert_allclose(total, own.reindex(total.index), atol=1e-9)
    steps = shares.groupby("scenario")["step"].unique()
    assert list(steps["routes"]) == ["responding", "effect"]
    assert list(steps["school_and_leaders"]) == ["offered", "taken_up", "adhering", "responding", "upkeep", "effect"]
    each = asked.to_frame("ladder_steps")
    assert set(each["intervention"]) == {"school_day", "community_leaders", "routes"} and len(each) == 2 * 8


@pytest.mark.slow
def test_parts_are_beside_the_portfolio(asked) -> None:
    table = asked.to_frame("interactions")
    assert set(table["scenario"]) == {"school_and_leaders"}, "routes is one intervention alone"
    own = asked.to_frame("comparison").query("window == 52").set_index(CELLS)["mean_difference"]
    mine = table.set_index(CELLS)
    np.testing.assert_allclose(mine["together"], own.reindex(mine.index), atol=1e-12)
    np.testing.assert_allclose(mine["sum_of_parts"] + mine["difference"], mine["together"], atol=1e-12)
    assert table["words"].str.startswith("together").all() and (table.query("week == 0")["difference"] == 0).all()


@pytest.mark.slow
def test_break_even_from_the_tables_and_from_python(asked) -> None:
    table = asked.to_frame("break_even")
    assert len(table) == 4 and set(table["delivery_years"]) == {1.0}
    told = movesim.break_even(asked)
    assert told.to_frame().equals(table)
    dear = movesim.break_even(asked, adult=0, child=0)
    assert np.isinf(dear.to_frame()["years_to_keep"]).all() and "not within 50 years" in str(dear)
    cheap = movesim.break_even(asked.folder, adult=1e9, child=1e9, outcome="inactive", horizon=20)
    assert (cheap.to_frame()["active_adult"] == 1e9).all()


def test_the_variants_of_a_scenario() -> None:
    three = load_scenario("three_together")
    assert variants_of(three, PARTS) == ("school_day", "routes", "community_leaders")
    assert variants_of(three, LADDER) == tuple(str(k) for k in range(16)) and variants_of(load_scenario("routes"), PARTS) == ()
    assert variants_of(load_scenario("baseline"), LADDER) == ()
    part = variant(three, PARTS, "routes")
    assert part.name == "three_together/routes" and part.shares["routes"] == three.shares["routes"]
    assert variant(three, LADDER, "15").even == frozenset() and variant(three, LADDER, "1").even == {
        "adhering", "responding", "upkeep",
    }  # fmt: skip


def test_further_runs_of_a_scenario_are_told_by_it_alone() -> None:
    """The same scenario beside another one: its further runs are the same; another question or pair has others."""
    settings = movesim.CompareSettings(**{**KEYS, "scenarios": ["three_together"]})
    keys = {j.key for j in jobs_of(prepare(settings), LADDER, [0, 1])}
    more = prepare(replace(settings, scenarios=("three_together", "routes")))
    again = {j.key for j in jobs_of(more, LADDER, [0, 1])}
    assert len(keys) == 2 * 2 and keys < again
    assert not keys & {j.key for j in jobs_of(more, PARTS, [0, 1])}


@pytest.mark.slow
def test_a_further_run_that_is_not_the_pairs_own_is_refused(asked, keys) -> None:
    ready = prepare(movesim.CompareSettings(**{**keys, "parts": True}))
    outcomes = asked.to_frame("outcomes")
    rows = Runs(asked.folder / "variants").read("variants", [j.key for j in jobs_of(ready, PARTS, [0, 1])]).to_pandas()
    questions._check_same(outcomes, rows, ready, PARTS)
    rows.loc[rows["variant"] == "", "active"] += 1e-9
    with pytest.raises(GuardError, match=r"A further run for 'parts' is not what its pair was \(baseline, replicate 0, week 0\)"):
        questions._check_same(outcomes, rows, ready, PARTS)


@pytest.mark.slow
def test_a_plan_says_how_many_further_runs(capsys: pytest.CaptureFixture[str], empty_folder: Path) -> None:
    assert (
        main(["compare", "scenarios=[three_together]", "people=500", "years=1", "dry_run=true", "parts=true", "ladder=true"]) == 0
    )
    assert "Then 19 further runs a pair for parts=true and ladder=true." in capsys.readouterr().out


def test_break_even_of_what_is_no_result_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"is not a result of movesim"):
        movesim.break_even(tmp_path)
