"""A place run authority by authority: the parts' counts add up to the whole's tables, its money to the whole's budget."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import movesim
import toy_county as toy
from movesim.experiments import replicate
from movesim.experiments.parts import added_up, run_part
from movesim.experiments.replicate import Task, population_of, run_pair
from movesim.experiments.runs import pack, unpack
from movesim.experiments.shares import share_of
from movesim.interventions.files import load_scenario
from movesim.interventions.scenario import Scenario, Where
from movesim.interventions.targeting import strata_of
from movesim.outcomes.gaps import gaps
from movesim.place import Population, build_place, load_place
from movesim.place.parts import part_of, sizes

PLACE = "parts_county"


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Population:
    build_place(toy.write(tmp_path_factory.mktemp("county"))["imd"].parent, PLACE)
    return load_place(PLACE, None)


def task(**changes: Any) -> Task:
    plain = Task(0, (), PLACE, None, 1, 1, 1, "central", False, placebo=False)
    return replace(plain, **changes)


@pytest.fixture
def ties_off(county: Population, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let everybody know nobody."""
    alone = replace(county, ties=np.full_like(county.ties, len(county)), tie_kind=np.full_like(county.tie_kind, -1))
    monkeypatch.setattr(replicate, "whole_of", lambda task: alone)
    monkeypatch.setattr(replicate, "_part", lambda place, people, seed, fingerprint, part: part_of(alone, part))


def by_parts(whole: Task) -> tuple[dict[str, pd.DataFrame], dict[str, Any]]:
    """The tables and notes of a pair from those of its parts, each written and read as on disk."""
    population = population_of(whole)
    parts = (unpack(pack(*run_part(replace(whole, part=int(a))))) for a in np.flatnonzero(sizes(population)))
    return added_up(parts, whole, population.local_authorities)


@pytest.mark.parametrize("every_group", [False, True])
def test_with_ties_off_the_whole_is_the_sum_of_its_parts(every_group: bool, ties_off: None) -> None:
    """Counts are equal to the last bit where everybody weighs one; sums of minutes to rounding."""
    whole = task(every_group=every_group)
    at_once, apart = run_pair(whole), by_parts(whole)
    for name in ("outcomes", "adjusted", "cross"):
        one, other = at_once["tables"][name], apart[0][name]
        assert len(one) == len(other) > 0
        pd.testing.assert_frame_equal(one, other, rtol=1e-12, atol=0, check_exact=False)
        for column in {"agents", "residents", "inactive", "active"} & set(one):
            assert np.array_equal(one[column], other[column]), (name, column)
    pd.testing.assert_frame_equal(gaps(at_once["tables"]["outcomes"]), gaps(apart[0]["outcomes"]), rtol=1e-9)
    assert at_once["notes"]["drift"] == apart[1]["drift"]
    assert not len(apart[0]["money"]) and not len(apart[0]["winners"])


def test_gaps_are_those_of_added_counts_and_not_means_of_the_parts(county: Population) -> None:
    whole = task()
    parts = [run_pair(replace(whole, part=a))["tables"]["outcomes"] for a in range(2)]
    last = lambda t: t[(t["week"] == 52) & (t["window"] == 52) & (t["axis"] == "all") & (t["age_group"] == "adult")]  # noqa: E731
    added = last(by_parts(whole)[0]["outcomes"]).iloc[0]
    inactive = sum(float((last(t)["residents"] * last(t)["inactive"]).sum()) for t in parts)
    residents = sum(float(last(t)["residents"].sum()) for t in parts)
    assert added["residents"] == residents and added["inactive"] == pytest.approx(inactive / residents, rel=1e-12)
    slope = lambda t: gaps(t).query("axis == 'imd_decile' and measure == 'sii' and week == 52")["value"].iloc[0]  # noqa: E731
    assert slope(by_parts(whole)[0]["outcomes"]) != pytest.approx(np.mean([slope(t) for t in parts]), abs=1e-6)


def test_with_ties_births_and_moves_the_parts_are_near_the_whole(county: Population) -> None:
    whole = task(demography=True, years=2)
    one, other = run_pair(whole)["tables"]["outcomes"], by_parts(whole)[0]["outcomes"]
    cell = lambda t: t[(t["week"] == 104) & (t["window"] == 52) & (t["axis"] == "all")].set_index("age_group")  # noqa: E731
    assert (cell(one)["residents"] - cell(other)["residents"]).abs().max() <= 0.02 * cell(one)["residents"].max()
    assert (cell(one)["inactive"] - cell(other)["inactive"]).abs().max() < 0.02
    # What is told of authorities adds up to what is told of everybody.
    rows = other[(other["window"] == 52) & (other["age_group"] == "adult") & (other["week"] == 104)]
    by_authority = rows[rows["axis"] == "local_authority"]
    assert by_authority["residents"].sum() == cell(other).loc["adult", "residents"]
    assert (by_authority["residents"] * by_authority["inactive"]).sum() == pytest.approx(
        cell(other).loc["adult", "residents"] * cell(other).loc["adult", "inactive"]
    )


# --- money ------------------------------------------------------------------------------------------------------------
def with_where(scenario: Scenario, where: Where, numbers: dict[str, float]) -> tuple[Scenario, dict[str, float]]:
    """A scenario whose programmes are all for these neighbourhoods, and its central numbers."""
    paths = {f"where.{name}": f"test.{name}" for name in numbers}
    changed = tuple(replace(i, where=where, paths={**i.paths, **paths}) for i in scenario.interventions)
    central = scenario.ledger().central() | {f"test.{name}": value for name, value in numbers.items()}
    return replace(scenario, interventions=changed), central


CASES = {
    "universal": (Where(), {}),
    "one authority": (Where(local_authority=("Mansfield",)), {}),
    "targeted": (Where("targeted", (1, 2), leakage="x"), {"leakage": 0.2}),
    "targeted, none lost": (Where("targeted", (1,), leakage="x"), {"leakage": 0.0}),
    "proportionate": (Where("proportionate", gradient="x"), {"gradient": 4.0}),
}


@pytest.mark.parametrize("name", ["routes", "community_leaders", "school_day"])
@pytest.mark.parametrize("case", CASES)
def test_shares_of_a_plan_add_up_to_it(case: str, name: str) -> None:
    place = load_place("nottinghamshire_derbyshire", 5_000)
    scenario, values = with_where(load_scenario(name), *CASES[case])
    table = place.neighbourhoods
    residents = np.bincount(place.people["neighbourhood"], place.people["weight"], len(table["code"]))
    of_authority = np.asarray(table["local_authority"])
    pounds = scenario.pounds_per_resident(values)
    spec = scenario.interventions[0]
    places = np.zeros(len(residents))  # the share of all places that falls to each neighbourhood
    whole = strata_of(spec, values, table["imd_decile"], residents, of_authority, place.local_authorities)
    per = np.divide(whole.share, np.bincount(whole.of[whole.of >= 0], residents[whole.of >= 0], whole.share.size),
                    out=np.zeros(whole.share.size), where=whole.share > 0)  # fmt: skip
    wanted = np.where(whole.of >= 0, per[whole.of] * residents, 0.0)
    spent = 0.0
    for a in np.flatnonzero(sizes(place)).tolist():
        mine, drawn = share_of(scenario, values, place, a)
        here = np.where(of_authority == a, residents, 0.0)
        if not mine.interventions:
            assert wanted[of_authority == a].sum() == 0
            continue
        one = mine.interventions[0]
        money = pounds * here.sum() * mine.shares[spec.name]
        spent += money
        strata = strata_of(one, drawn, table["imd_decile"], here, of_authority, place.local_authorities)
        inside = strata.of >= 0
        each = strata.share / np.maximum(np.bincount(strata.of[inside], here[inside], strata.share.size), 1e-12)
        budget = pounds * residents.sum() * scenario.shares[spec.name]
        places += np.where(inside & (here > 0), each[strata.of] * here, 0.0) * money / budget
        for field in ("capacity.starts_per_1000", "ladder.offered"):
            if field in one.paths:
                assert one.value(drawn, field) >= 0
    assert spent == pytest.approx(pounds * residents.sum() * scenario.shares[spec.name])
    assert places == pytest.approx(wanted, abs=1e-9)


def test_a_universal_plan_is_the_same_everywhere() -> None:
    place = load_place("nottinghamshire_derbyshire", 5_000)
    scenario = load_scenario("community_leaders")
    values = scenario.ledger().central()
    mine, drawn = share_of(scenario, values, place, 3)
    assert mine.interventions == scenario.interventions and mine.shares == scenario.shares and drawn == values


def test_capacity_follows_the_target() -> None:
    """Per head, an authority with more of the target has more starts and workforce; all authorities together have the whole's."""
    place = load_place("nottinghamshire_derbyshire", 5_000)
    scenario, values = with_where(load_scenario("community_leaders"), *CASES["targeted"])
    spec = scenario.interventions[0]
    table, weight = place.neighbourhoods, place.people["weight"]
    residents = np.bincount(place.people["neighbourhood"], weight, len(table["code"]))
    fte, people = [], []
    for a in np.flatnonzero(sizes(place)).tolist():
        mine, drawn = share_of(scenario, values, place, a)
        here = residents[np.asarray(table["local_authority"]) == a].sum()
        fte.append(mine.interventions[0].value(drawn, "workforce.fte_per_1000") * here / 1000 if mine.interventions else 0.0)
        people.append(here)
    assert sum(fte) == pytest.approx(spec.value(values, "workforce.fte_per_1000") * sum(people) / 1000)
    assert max(np.array(fte) / people) > 2 * min(np.array(fte) / people)


# --- a study ----------------------------------------------------------------------------------------------------------
KEYS: dict[str, Any] = {
    "scenarios": ["community_leaders"], "place": PLACE, "people": "all", "years": 1, "draws": "central", "demography": False,
    "report": False, "quiet": True, "engine": "serial",
}  # fmt: skip


@pytest.mark.slow
def test_a_study_by_parts(county: Population, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = movesim.compare(**KEYS, replicates=1, out=tmp_path / "whole")
    first = movesim.compare(**KEYS, split="authorities", replicates=1, shard="1/2", out=tmp_path / "parts")
    second = movesim.compare(**KEYS, split="authorities", replicates=1, shard="2/2", out=tmp_path / "parts")
    assert "part 1/2 done" in first.status or second.status in ("done", "already done")
    result = movesim.compare(**{**KEYS, "quiet": False}, split="authorities", replicates=1, out=tmp_path / "parts")
    assert result.manifest["replicates"] == 1
    assert movesim.compare(**KEYS, split="authorities", replicates=1, out=tmp_path / "parts").status == "already done"
    one, other = (r.to_frame("outcomes").query("scenario == 'baseline'").reset_index(drop=True) for r in (whole, result))
    pd.testing.assert_frame_equal(one, other, rtol=1e-12)
    spent = [r.to_frame("money").groupby("unit")["spent"].sum() for r in (whole, result)]
    assert spent[1]["fte_year"] == pytest.approx(spent[0]["fte_year"])
    assert spent[1]["participant"] == pytest.approx(spent[0]["participant"], rel=0.2)  # who starts is drawn in each part alone
    assert list(result.to_frame("winners")["level"]) == list(whole.to_frame("winners")["level"])
    figures = result.manifest["split"]
    assert figures["number"] == 2 and figures["ties"] > 0 and 0 <= figures["share_of_ties_cut"] < 0.5
    assert any(w.startswith("Each of 2 local authorities is a run of its own: ") for w in result.manifest["warnings"])
    with pytest.raises(movesim.errors.InputError, match="holds another study"):
        movesim.compare(**KEYS, replicates=1, out=tmp_path / "parts")
    with pytest.raises(movesim.errors.InputError, match=r"split must be '?whole'? or '?authorities'?, got"):
        movesim.compare(**KEYS, split="counties", out=tmp_path / "wrong")
    # More pairs go on from those that are there, and what is cut is said where something is left to do.
    movesim.compare(**{**KEYS, "quiet": False}, split="authorities", replicates=2, out=tmp_path / "parts")
    assert "2 local authorities is a run of its own" in capsys.readouterr().err
