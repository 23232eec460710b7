"""Shocks and rules in whole studies: paired, resumed, on any number of processes, and blind to the paired run."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import movesim
from movesim.config import settings_from_overrides
from movesim.errors import InputError
from movesim.experiments import replicate
from movesim.experiments.design import make
from movesim.experiments.replicate import BASELINE, Task, run_scenarios
from movesim.experiments.study import prepare
from movesim.experiments.sweep import check_values, ledger_of
from movesim.interventions.files import load_scenario
from movesim.interventions.shocks import load_shock

KEYS = {"people": 1_000, "years": 3, "draws": "central", "report": False, "quiet": True}
HEAD = {"shocks.pandemic.start_year": 1.0, "shocks.budget_cuts.start_year": 1.0}


def words(keys: dict[str, object]) -> list[str]:
    return [f"{key}={str(value).lower() if isinstance(value, bool) else value}" for key, value in keys.items()]


def settings(*more: str) -> object:
    return settings_from_overrides("compare", ["scenarios=[test_and_learn]", *words(KEYS), *more])


def test_rules_look_at_the_whole_place() -> None:
    with pytest.raises(InputError, match=r"The rules of 'test_and_learn' look at the whole place; run it without split=auth"):
        prepare(settings("split=authorities"))


# --- what is asked ----------------------------------------------------------------------------------------------------
def test_shocks_and_their_numbers_make_another_study() -> None:
    plain, one = prepare(settings()), prepare(settings("shocks=[pandemic]"))
    other = prepare(settings("shocks=[pandemic]", "shocks.pandemic.weeks=13"))
    assert plain.shocks == () and [s.name for s in one.shocks] == ["pandemic"]
    assert plain.identity["shocks"] == [] and one.identity["shocks"] == ["pandemic"]
    assert one.identity["shock_contents"] == other.identity["shock_contents"] != plain.identity["shock_contents"]
    assert other.identity["numbers"] == {"shocks.pandemic.weeks": 13.0} != one.identity["numbers"]
    assert other.shocks[0].ledger().central()["shocks.pandemic.weeks"] == 13.0
    assert other.task(0).shocks == other.shocks and other.task(0, {"shocks.pandemic.ramp_weeks": 0.0}).shocks != other.shocks


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("shocks=[pandemik]", "There is no shock called 'pandemik'"),
        ("shocks.pandemic.weeks=13", "There is no number 'shocks.pandemic.weeks'"),
        ("shocks=[pandemic,pandemic]", "shocks names 'pandemic' twice"),
        ("shocks=[pandemic,./pandemic.yaml]", "shocks must be different from each other"),
    ],
)
def test_what_cannot_be_is_refused(word: str, sentence: str, empty_folder: Path) -> None:
    Path("pandemic.yaml").write_text(load_shock("pandemic").path.read_text(encoding="utf-8"))
    with pytest.raises(InputError, match=sentence):
        prepare(settings(word))


def test_a_sweep_may_go_over_a_shock() -> None:
    asked = ["scenarios=[routes]", "shocks=[pandemic]", "shocks.pandemic.weeks=13,26", *words(KEYS)]
    swept = settings_from_overrides("sweep", asked)
    assert swept.vary == {"shocks.pandemic.weeks": (13.0, 26.0)}
    ready = prepare(swept)
    design = make("grid", swept.vary, 1, 1, ledger_of(ready))
    check_values(design, ready)
    central = [ready.task(0, design.numbers(k)).shocks[0].ledger().central()["shocks.pandemic.weeks"] for k in range(2)]
    assert central == [13.0, 26.0]


# --- what is run ------------------------------------------------------------------------------------------------------
def task(**changes: object) -> Task:
    read = (load_scenario(BASELINE), load_scenario("test_and_learn"))
    shocks = tuple(load_shock(name) for name in ("pandemic", "budget_cuts"))
    shocks = replicate.with_numbers({s.name: s for s in shocks}, HEAD)
    given = {"demography": True, "read": read, "shocks": shocks, "placebo": True, **changes}
    return Task(0, ("test_and_learn",), "nottinghamshire_derbyshire", 1_000, 1, 1, 3, "central", **given)


@pytest.mark.slow
def test_a_rule_never_sees_the_paired_run_and_shocks_strike_both(monkeypatch: pytest.MonkeyPatch) -> None:
    """With guards: before the start and at dose 0 a shocked scenario is the shocked baseline, bit for bit."""
    finished, guards, _ = run_scenarios(task())
    assert {g["name"] for g in guards} == {"identical before the start", "placebo"} and all(g["passed"] for g in guards)
    table = finished["test_and_learn"].rules
    assert table["truth"].notna().all() and len(table) == 1

    real = replicate.run_policy

    def alone(*given: object, **options: object) -> object:
        return real(*given, **{**options, "baseline": None})

    monkeypatch.setattr(replicate, "run_policy", alone)
    monkeypatch.setattr(replicate, "same_before_start", lambda *given: {})
    blind = run_scenarios(task(placebo=False))[0]["test_and_learn"].rules
    assert blind["truth"].isna().all()
    pd.testing.assert_frame_equal(blind.drop(columns="truth"), table.drop(columns="truth"), check_exact=True)

    calm = run_scenarios(task(shocks=()))[0]
    asked = "axis == 'all' and age_group == 'adult' and week == 52"
    struck, spared = (runs[BASELINE].recorder.outcomes().query(asked)["active"].to_numpy() for runs in (finished, calm))
    assert (struck < spared - 0.01).all()


@pytest.mark.slow
def test_processes_and_going_on_change_no_decision(tmp_path: Path) -> None:
    asked = {**KEYS, "scenarios": ["test_and_learn"], "shocks": ["budget_cuts"]}
    found = []
    for name, steps in (
        ("at_once", [{"replicates": 3, "workers": 1}]),
        ("grown", [{"replicates": 1}, {"replicates": 3, "workers": 2}]),
    ):
        for step in steps:
            result = movesim.compare(**asked, **step, out=tmp_path / name)
        found.append(result.to_frame("rules"))
    assert len(found[0]) == 3 and found[0]["replicate"].tolist() == [0, 1, 2]
    pd.testing.assert_frame_equal(*found, check_exact=True)
    assert result.manifest["shocks"][0]["title"] == "Budget cuts"
    assert "budget_cuts" in result.to_frame("assumptions")["used_by"].tolist()
    money = result.to_frame("money").groupby(["replicate", "year"])["spent"].sum()
    assert (money <= 1.0 * result.manifest["place"]["residents"] * 1.001).all(), "a pound a resident and year"
