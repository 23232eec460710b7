"""The scorecard: rows as data, verdicts that are right as often as they say, and questions whose answers are known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from movesim.behaviour.parameters import ensemble
from movesim.behaviour.rules import References, make_rules
from movesim.behaviour.simulation import Simulation
from movesim.config import conf_folder, load_yaml
from movesim.errors import InputError
from movesim.experiments import answers, observe, scorecard, validate
from movesim.experiments.moments import Seen, to_week_0, years_later
from movesim.experiments.scorecard import Row, Score, coverage, judge, of_targets, read_sections, refuse_shared, score
from movesim.experiments.targets import read_targets
from movesim.experiments.who import weight_of
from movesim.settings import ValidateSettings
from small import small_population

TRAVEL = conf_folder() / "validation" / "travel.yaml"
ROWS = [row for section in read_sections(None) for row in section.rows]


# --- the rows that are shipped ----------------------------------------------------------------------------------------
def test_nothing_is_both_fitted_and_scored() -> None:
    refuse_shared((*ROWS, *of_targets(read_targets())), read_targets())
    names = [row.name for row in ROWS]
    assert len(names) == len(set(names)) > 80


def test_every_row_says_where_its_figure_is_from() -> None:
    assert all(row.ids or row.source for row in ROWS)
    assert all(row.spread > 0 for row in ROWS if not np.isnan(row.value))
    assert {row.status for row in ROWS} <= {"read", "computed", "assumed"}


def test_seventeen_authorities_are_predicted_from_structure_alone() -> None:
    local = next(section for section in read_sections(None) if section.name == "local")
    assert len(local.rows) == 17
    rank = next(each for each in local.scores if each.name == "rank")
    assert isinstance(rank.beside, dict) and set(rank.beside) == {row.meaning for row in local.rows}
    observed = {row.name: np.array([row.value]) for row in local.rows}
    found = score(rank, local.rows, observed)
    assert found["model"] == 1.0
    assert found["beside"] == pytest.approx(0.88, abs=0.005)


def test_rows_of_a_table_that_is_not_at_hand_are_skipped_with_the_reason(tmp_path: Path) -> None:
    for data, words in ((None, "no folder of published tables was given"), (tmp_path, "is not there")):
        travel = next(section for section in read_sections(data) if section.name == "travel")
        assert all(words in row.skipped and "data=FOLDER" in row.skipped and "CW0305" in row.source for row in travel.rows)
    table = judge(travel.rows, {})
    assert set(table["verdict"]) == {"skipped"}
    assert not len(coverage(table))


def test_figures_are_taken_from_the_table_that_is_named(tmp_path: Path) -> None:
    table = tmp_path / "activity" / "cw0305_flat.csv"
    table.parent.mkdir()
    head = "Worksheet,Demographic,Mode,Purpose,Frequency,2016,2017,2018,2019\n"
    often = ("At least once per month", "At least once per week", "At least 3 times per week", "At least 5 times per week")
    demographics: dict[str, set[str]] = {}
    for row in load_yaml(TRAVEL).data["rows"].values():
        demographics.setdefault(row["select"]["Worksheet"], set()).add(row["select"].get("Demographic", "All"))
    lines = [
        f"{sheet},{demographic},{mode},Any,{each},{50 if sheet == 'CW0305_All' else 60},50,50,50\n"
        for sheet, listed in demographics.items() for demographic in listed for mode in ("Walking", "Cycling") for each in often
    ]  # fmt: skip
    table.write_text(head + "".join(lines), encoding="utf-8")
    travel = {row.name: row for row in next(s for s in read_sections(tmp_path) if s.name == "travel").rows}
    assert travel["travel.walk_weekly"].value == pytest.approx(0.5)
    assert travel["travel.women_walk"].value == pytest.approx((0.525 / 0.475) / 1.0)
    assert travel["travel.women_walk"].spread == pytest.approx(0.1 * travel["travel.women_walk"].value)
    table.write_text(head, encoding="utf-8")
    with pytest.raises(InputError, match=r"travel.yaml:\d+:\d+: 0 rows of cw0305_flat.csv have .*; one is needed"):
        read_sections(tmp_path)


GOOD = """title: "Some"
rows:
  one: {run: england, estimator: share, who: {age: [16, 120]}, outcome: inactive, value: 0.25, spread: 0.01, ids: [A1], meaning: "One"}
"""  # noqa: E501


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("title:", "titel: x\ntitle:", "a file of validation rows has no key 'titel'"),
        ("spread:", "sprad: 1, spread:", "a validation row has no key 'sprad'. Did you mean 'spread'"),
        ("run: england", "run: engand", "the run must be england, local, later or pandemic, got 'engand'"),
        ("estimator: share", "estimator: shares", "there is no estimator 'shares'. Did you mean 'share'"),
        ("who: {age:", "who: {ages: 1, age:", "people are not grouped by 'ages'. Did you mean 'age'"),
        ("outcome: inactive", "outcome: lazy", "the outcome must be inactive, fairly_active or active, got 'lazy'"),
        ("outcome: inactive", "domains: [sprt]", "there is no domain 'sprt'. Did you mean 'sport'"),
        ("ids: [A1]", "ids: [A1], status: recalled", "the status must be read, computed or assumed; what is recalled is no test"),
        ("value: 0.25, ", "", "'one' has neither a value nor rows of a table to select it from"),
    ],
)
def test_a_wrong_row_is_refused_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str, sentence: str
) -> None:
    (tmp_path / "validation").mkdir()
    (tmp_path / "validation" / "some.yaml").write_text(GOOD.replace(old, new, 1), encoding="utf-8")
    monkeypatch.setattr(scorecard, "conf_folder", lambda: tmp_path)
    with pytest.raises(InputError) as caught:
        read_sections(None)
    assert sentence in str(caught.value)
    assert "some.yaml:" in str(caught.value)


def test_a_figure_that_is_fitted_cannot_be_scored() -> None:
    fitted = next(t for t in read_targets() if t.role == "fit")
    row = replace(ROWS[0], ids=fitted.ids)
    with pytest.raises(InputError, match=rf"{fitted.ids[0]} is fitted .* and cannot test the model too"):
        refuse_shared((row,), read_targets())


def test_the_kept_scorecard_is_of_the_rows_there_are() -> None:
    kept = pd.read_csv(conf_folder().parent / "docs" / "scorecard.csv", keep_default_na=False).set_index("name")
    assert list(kept.index) == [row.name for row in (*ROWS, *of_targets(read_targets()))]
    for row in ROWS:
        assert kept.loc[row.name, "meaning"] == row.meaning
        if not np.isnan(row.value):
            assert float(kept.loc[row.name, "observed"]) == pytest.approx(row.value, rel=1e-3)
    missed = kept[kept["verdict"] == "MISS"]
    assert (missed["explanation"].str.len() > 0).sum() >= len(missed) - 3, "a miss without a word of why"


# --- verdicts ---------------------------------------------------------------------------------------------------------
def row_of(value: float, spread: float = 0.01, name: str = "s.a") -> Row:
    return Row(name, "s", {}, name, value, spread, ("X1",))


def test_intervals_hold_as_many_figures_as_they_say() -> None:
    r = np.random.default_rng(1)
    rows = tuple(row_of(float(truth + r.normal(0, 0.02)), 0.02, f"s.{i}") for i, truth in enumerate(r.normal(0, 0.03, 2_000)))
    values = {row.name: r.normal(0, 0.03, 400) for row in rows}
    whole = coverage(judge(rows, values)).set_index("section").loc["all"]
    assert whole["figures"] == 2_000
    assert abs(whole["inside_90"] - 0.9) < 0.025
    assert abs(whole["inside_50"] - 0.5) < 0.04


@pytest.mark.parametrize(("value", "verdict"), [(0.25, "inside 50%"), (0.265, "inside 90%"), (0.28, "MISS")])
def test_a_miss_is_called_a_miss(value: float, verdict: str) -> None:
    table = judge((row_of(value),), {"s.a": np.full(20, 0.25)})
    assert table["verdict"].tolist() == [verdict]
    assert table.loc[0, "low"] == pytest.approx(0.25 - 1.645 * 0.01, abs=5e-4)


def test_scores_stand_beside_a_simpler_rule() -> None:
    rows = tuple(row_of(v, name=f"s.{n}") for n, v in (("a", 0.1), ("b", 0.2), ("c", 0.4)))
    values = {"s.a": np.array([0.1, 0.3]), "s.b": np.array([0.2, 0.2]), "s.c": np.array([0.4, 0.1])}
    rank = score(Score("rank", "s", "rank", "", {"s.a": 1.0, "s.b": 3.0, "s.c": 2.0}, "x"), rows, values)
    assert rank["beside"] == pytest.approx(0.5)
    assert rank["low"] < rank["high"]
    error = score(Score("error", "s", "error", "", 0.2, "x"), rows, values)
    assert error["beside"] == pytest.approx(np.sqrt((0.01 + 0.04) / 3))


# --- questions --------------------------------------------------------------------------------------------------------
def test_kappa_and_odds_ratio_of_a_known_table() -> None:
    x = np.repeat([True, True, False, False], [40, 10, 20, 30])
    y = np.repeat([True, False, True, False], [40, 10, 20, 30])
    weight = np.ones(100)
    assert observe.kappa_of(x, y, weight) == pytest.approx(0.4)
    assert observe.odds_ratio_of(x, y, weight) == pytest.approx(40.5 * 30.5 / (10.5 * 20.5))
    assert observe.kappa_of(x, x, weight) == 1.0
    assert observe.kappa_of(np.ones(100, bool), np.ones(100, bool), weight) == 0.0
    assert observe.correlation(np.ones(3), np.arange(3.0), np.ones(3)) == 0.0


def seen_in_england() -> Seen:
    population: Any = small_population(1_500)
    rules = make_rules(ensemble()[0])
    return to_week_0(Simulation(population, rules, References.first_guess(), seed=3))


@pytest.fixture(scope="module")
def seen() -> Seen:
    return seen_in_england()


def test_statuses_of_a_year_are_shares_and_groups_add_up(seen: Seen) -> None:
    everybody = weight_of(seen.people, {"age": [16, 120]})
    assert np.allclose(seen.statuses.sum(axis=0), 1)
    parts = [weight_of(seen.people, {"age": [16, 120], "sex": sex}) for sex in ("male", "female")]
    assert np.allclose(sum(parts), everybody)
    shares = [seen.share({"age": [16, 120], "sex": sex}, "active") for sex in ("male", "female")]
    together = sum(s * p.sum() for s, p in zip(shares, parts, strict=True)) / everybody.sum()
    assert seen.share({"age": [16, 120]}, "active") == pytest.approx(together)
    tenths = weight_of(seen.people, {"imd_decile": [1, 2]}) + 0.5 * weight_of(seen.people, {"imd_decile": [3, 3]})
    assert np.allclose(weight_of(seen.people, {"imd_quarter": 1}), tenths)
    assert (weight_of(seen.people, {"local_authority": "Beford"}) > 0).sum() > 0
    fifth = weight_of(seen.people, {"income_fifth": [5, 5]}) > 0
    assert seen.people.income_rank[fifth].min() >= 0.8
    assert (weight_of(seen.people, {"impairments": ["0"]}) * seen.people.impairments == 0).all()


def test_the_expected_share_of_doing_agrees_with_what_is_drawn(seen: Seen) -> None:
    """Weeks drawn from the same chances give the same shares, for two domains together."""
    people, rules = seen.people, seen.simulation.rules
    adults = weight_of(people, {"age": [16, 120]})
    r, weeks = np.random.default_rng(0), 4
    sessions = np.zeros((400, people.n), int)
    for d, name in ((0, "leisure_walk"), (1, "travel_walk")):
        p = np.exp(seen.simulation.readiness((d,)).astype(float))
        for _ in range(weeks):
            does = r.random(sessions.shape) < p
            sessions += does * (1 + r.poisson(rules[f"domains.{name}.sessions"], sessions.shape))
    for at_least in (1, 4, 12, 20):
        q = {"who": {"age": [16, 120]}, "domains": ["leisure_walk", "travel_walk"], "at_least": at_least}
        drawn = float(np.average((sessions >= at_least).mean(axis=0), weights=adults))
        assert observe.does(q, seen) == pytest.approx(drawn, abs=0.003)
    against = {**q, "against": {"age": [16, 120]}}
    assert observe.does_against(against, seen) == pytest.approx(1.0)


def test_england_against_itself_is_the_published_level(seen: Seen) -> None:
    q = {"who": {"age": [19, 120]}, "outcome": "inactive", "england": 0.2213}
    assert observe.against_england(q, replace(seen, england=seen)) == pytest.approx(0.2213)
    assert observe.odds_ratio({**q, "against": {"age": [19, 120]}}, seen) == pytest.approx(1.0)


def test_a_percentile_and_a_change_by_age_of_made_up_minutes(seen: Seen) -> None:
    age = seen.people.age
    made = replace(seen.start, minutes=(100 * 0.95 ** age.astype(float)).astype(np.float32))
    fake = replace(seen, start=made)
    assert observe.change_by_age({"who": {"age": [5, 15]}}, fake) == pytest.approx(np.log(0.95), rel=1e-4)
    flat = replace(seen, start=replace(seen.start, minutes=np.full(seen.people.n, 7, np.float32)))
    assert observe.percentile({"who": {}, "percentile": 90}, flat) == 7


def test_intention_and_components_go_with_what_is_done(seen: Seen) -> None:
    who = {"who": {"age": [16, 120]}}
    assert observe.intention({**who, "intend": 0.7, "act": 0.4}, seen) > 1
    assert 0 < observe.explained(who, seen) < 1
    assert 0 < observe.habit(who, seen) < 1


def test_people_who_are_alike_are_found_by_their_ties(seen: Seen) -> None:
    people, n = seen.people, seen.people.n
    ties, kinds = np.full_like(people.ties, people.capacity), np.full_like(people.tie_kind, -1)
    men = np.flatnonzero((people.age >= 30) & (people.sex == 0))
    women = np.flatnonzero((people.age >= 30) & (people.sex == 1))
    pairs = [(m, w) for m, w in zip(men, women) if abs(int(people.age[m]) - int(people.age[w])) <= 15]
    for m, w in pairs:
        ties[m, 0], ties[w, 0], kinds[m, 0], kinds[w, 0] = w, m, 0, 0
    minutes = np.full(n, 10.0, np.float32)
    for i, (m, w) in enumerate(pairs):
        minutes[m] = minutes[w] = 20 + i
    columns = {"ties": ties, "tie_kind": kinds, "n": n, "age": people.age, "sex": people.sex, "weight": people.weight,
               "live": people.live, "neighbourhood": people.neighbourhood, "neighbourhoods": people.neighbourhoods}  # fmt: skip
    fake = replace(seen, at_start=SimpleNamespace(**columns), start=replace(seen.start, minutes=minutes))
    assert len(pairs) > 20
    assert observe.alike({"ties": "partners"}, fake) == pytest.approx(1.0)
    assert observe.alike_odds({"ties": "partners"}, fake) > 10


def test_the_same_people_are_found_years_later() -> None:
    seen = seen_in_england()
    group = {"age": [16, 120]}
    years_later(seen, {1, 2}, {(1, str(group), "active")}, {str(group): group})
    assert set(seen.later) == {1, 2}
    q = {"who": group, "outcome": "active"}
    near, far = (observe.kappa({**q, "years": y}, seen) for y in (1, 2))
    assert 0 < far < near < 1
    assert observe.correlation_later({**q, "years": 1}, seen) > 0
    assert observe.odds_ratio_later({**q, "years": 2}, seen) > 1
    assert abs(observe.change_in_share({**q, "years": 1}, seen)) < 0.1
    sport = {"who": group, "domains": ["sport"], "years": 1}
    assert 0 < observe.kappa(sport, seen) < 1
    later = seen.later[1]
    seen.later[1] = replace(later, impairments=(later.impairments + (later.minutes < 30)).astype(np.int8))
    assert observe.worse_health({**q, "outcome": "inactive", "begins": False, "years": 1}, seen) > 10


# --- the command ------------------------------------------------------------------------------------------------------
TOY = """title: "A toy"
rows:
  inactive: {run: england, estimator: share, who: {age: [16, 120]}, outcome: inactive, value: 0.30, spread: 0.05, ids: [X1], meaning: "Inactive"}
  aford: {run: local, estimator: against_england, who: {local_authority: Aford, age: [19, 120]}, outcome: inactive, england: 0.22, value: 0.22, spread: 0.03, ids: [X2], meaning: "Aford"}
  beford: {run: local, estimator: against_england, who: {local_authority: Beford, age: [19, 120]}, outcome: inactive, england: 0.22, value: 0.99, spread: 0.01, ids: [X3], meaning: "Beford", explanation: "made to be missed"}
  kept: {run: later, estimator: kappa, who: {age: [16, 80]}, years: 1, outcome: active, value: 0.5, spread: 0.2, ids: [X4], meaning: "Kappa"}
  shock: {run: pandemic, estimator: change_in_share, who: {age: [16, 120]}, outcome: active, weeks: [1, 9], value: -0.1, spread: 0.1, ids: [X5], meaning: "Shock"}
"""  # noqa: E501


def test_another_ensemble_is_read_and_a_wrong_file_refused(tmp_path: Path) -> None:
    centre, rows = ensemble()
    path = tmp_path / "draws.parquet"
    frame = pd.DataFrame([centre, rows[0], rows[1]])
    frame.insert(0, "draw", [-1, 0, 1])
    frame.to_parquet(path, index=False)
    assert answers.draws_of(path)["gradient.total"].tolist() == [rows[0]["gradient.total"], rows[1]["gradient.total"]]
    frame.drop(columns="gradient.total").to_parquet(tmp_path / "lacks.parquet", index=False)
    with pytest.raises(InputError, match=r"lacks 'gradient\.total'"):
        answers.draws_of(tmp_path / "lacks.parquet")
    with pytest.raises(InputError, match="is not a file of draws"):
        answers.draws_of(tmp_path / "nothing.parquet")


def test_a_validation_from_rows_to_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from movesim.report.validation_page import build_validation_report

    (tmp_path / "conf" / "validation").mkdir(parents=True)
    (tmp_path / "conf" / "validation" / "toy.yaml").write_text(TOY, encoding="utf-8")
    for module in (scorecard, validate):
        monkeypatch.setattr(module, "conf_folder", lambda: tmp_path / "conf")
    monkeypatch.setattr(answers, "load_place", lambda name, people, seed: small_population(600, seed=len(name)))
    monkeypatch.setattr(validate, "read_targets", lambda: ())
    monkeypatch.setattr(answers, "rules_and_references", lambda *which: (make_rules(ensemble()[0]), References.first_guess()))
    settings = ValidateSettings(replicates=2, engine="serial", quiet=True, out=tmp_path / "out", people=600)
    found = validate.validate(settings)
    table = found.to_frame().set_index("name")
    assert table.loc["toy.beford", "verdict"] == "MISS"
    assert table.loc["toy.shock", "verdict"] == "skipped"
    assert "MISS Beford" in str(found) and "skipped, 1: needs a run with the pandemic" in str(found)
    assert validate.validate(settings).status == "already done"
    page = build_validation_report(found.folder).read_text(encoding="utf-8")
    assert "made to be missed" in page and "MISS" in page and "A toy" in page
    assert (found.folder / "figures" / "scorecard-toy.png").stat().st_size > 5_000
    again = pd.read_parquet(found.folder / "answers.parquet")
    assert sorted(set(again["pair"])) == [0, 1]
    with pytest.raises(InputError, match="has no table 'x'; it has scorecard, coverage, scores"):
        found.to_frame("x")
    monkeypatch.setattr(answers, "ESTIMATORS", {**observe.ESTIMATORS, "share": lambda q, s: np.nan})
    with pytest.raises(InputError, match=r"'toy\.inactive' has no answer in this place and sample"):
        answers.answer(answers.Task(settings, 0, tuple((r.name, dict(r.query)) for r in read_sections(None)[0].rows[:1])))
