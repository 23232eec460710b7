"""One person's life recomputed alone: it is the compiled life, its parts add up, and it says why."""

from __future__ import annotations

import json
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import movesim
import movesim.model
from movesim import draws
from movesim.behaviour import life
from movesim.behaviour.life import recompute
from movesim.behaviour.rules import References, behaviour_ledger, make_rules
from movesim.cli import main
from movesim.errors import InputError
from movesim.experiments.explain import Explanation
from movesim.model import ActivityModel
from movesim.words import COMPONENT, DOMAIN, STREAMS
from small import small_population

VALUES = behaviour_ledger().central()
RULES = make_rules(VALUES)
PLACE = small_population(500, 20)


@pytest.fixture(scope="module")
def model() -> ActivityModel:
    """A model some years on, so that people have habits, with people born and gone."""
    references = References.first_guess()
    model = ActivityModel(population=PLACE, rules=RULES, references=references, demography=True, years=4, burn_in=False)
    model.run_weeks(260 + 60)
    return model


def who(model: ActivityModel, least: int, below: int, nth: int = 0) -> int:
    people = model.people
    return int(np.flatnonzero((people.age >= least) & (people.age < below) & people.alive[: people.n])[nth])


def shake(simulation: Any, seed: int) -> None:
    r = np.random.default_rng(seed)
    for name in ("P", "Y", "S", "R", "prompt", "supply", "offer", "fte", "likeness"):
        array = simulation.shifts.array(name)
        array[:] = r.normal(0, 0.3, array.shape)
        simulation.shifts.touched(name)


# --- it is the compiled life ----------------------------------------------------------------------------------------
@settings(max_examples=40, deadline=None, derandomize=True)
@given(row=st.integers(0, 10_000), on=st.integers(0, 9), shifts=st.booleans(), seed=st.integers(0, 99))
def test_alone_everybody_lives_the_compiled_life(model: ActivityModel, row: int, on: int, shifts: bool, seed: int) -> None:
    run = model.simulation.branch()
    if shifts:
        shake(run, seed)
    for _ in range(on):
        run.step()
    scored = np.flatnonzero(run.people.live[: run.people.n] > 0)
    row = int(scored[row % scored.size])
    before, minutes = run.branch(), run.people.domain_minutes[:, row].copy()
    week = recompute(run, row)
    assert week.agrees and (week.near or max(week.apart.values()) < 1e-5)
    assert movesim.compare_runs(run, before).same, "looking changes nothing"
    run.step()
    if week.near:
        return
    after = run.people
    assert math.isclose(week["", "minutes_after"], after.mean[row], rel_tol=1e-4, abs_tol=1e-2)
    for name, letter in zip(("P", "Y", "S", "R"), life.STATE, strict=True):
        assert math.isclose(week["", f"{letter}_after"], after.state["PYSR".index(name), row], rel_tol=1e-4)
    for d in week.domains:
        moved = after.domain_minutes[DOMAIN[d], row] - minutes[DOMAIN[d]]
        assert math.isclose(week[d, "minutes"], moved, rel_tol=1e-3, abs_tol=1e-2)


def test_a_compiled_week_that_does_otherwise_is_told(model: ActivityModel, monkeypatch: pytest.MonkeyPatch) -> None:
    row = who(model, 30, 50)
    plain = movesim.explain(model=model, person=row)
    assert plain.agrees and str(plain).splitlines()[-1].startswith(
        "In this week the compiled model did the same: decisions equal"
    )
    branch = type(model.simulation).branch

    def other(simulation: Any) -> Any:
        run = branch(simulation)
        run.people.state[0, row] *= 0.5
        return run

    monkeypatch.setattr(type(model.simulation), "branch", other)
    told = movesim.explain(model=model, person=row)
    assert not told.agrees and "did NOT do the same (" in str(told).splitlines()[-1]


def test_a_near_tie_is_not_asked_about(model: ActivityModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("movesim.behaviour.reference.NEAR_DECISION", 2.0)
    told = movesim.explain(model=model, person=who(model, 30, 50))
    assert told.agrees and "not asked in 1, where a draw lies too close to its threshold to call" in str(told)


# --- its parts add up -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("ages", [(6, 12), (20, 60), (76, 99)])
def test_the_parts_add_up_to_what_happened(model: ActivityModel, ages: tuple[int, int]) -> None:
    row = who(model, *ages)
    run = model.simulation.branch()
    shake(run, 4)
    run.step()
    week = recompute(run, row)
    at = week.values
    assert set(week.domains) <= set(DOMAIN) and len(week.domains) == (4 if ages[0] >= 16 else 6 if week.term else 5)
    for d in week.domains:
        a, b = at[d, "physical_weight"], at[d, "opportunity_weight"]
        K = at["", "capability_physical"] ** a * at["", "capability_psychological"] ** (1 - a)
        O = (at[d, "supply"] * at[d, "access"]) ** b * at["", "opportunity_social_now"] ** (1 - b)
        M = 1 / (1 + math.exp(-sum(week.of("pull_", d).values())))
        assert (
            math.isclose(K, at[d, "capability"])
            and math.isclose(O, at[d, "opportunity"])
            and math.isclose(M, at[d, "motivation"])
        )
        assert math.isclose(K * O * M, at[d, "probability"])
        assert math.isclose(at[d, "access"], math.prod(week.of("access_", d).values()))
        assert bool(at[d, "took_part"]) == (at[d, "uniform"] < at[d, "probability"]) == (at[d, "sessions"] >= 1)
        assert math.isclose(at[d, "habit"] + at[d, "habit_change"], at[d, "habit_after"])
        assert all(0 < at[d, f"with_{component}"] <= 1 for component in COMPONENT)
        lifted = at[d, "with_opportunity_social"] / at[d, "probability"]
        assert math.isclose(lifted, at["", "opportunity_social_now"] ** -(1 - b))
    for name in life.STATE:
        moved = at["", name] + sum(week.of(f"{name}_by_").values())
        assert math.isclose(min(max(moved, 0.01), 1.0), at["", f"{name}_after"])
    assert at["", "trust"] > 0 and at["", "fte_shift"] != 0
    assert all(at[d, "prompt"] != 0 and at[d, "supply_shift"] != 0 for d in week.domains)
    total = sum(at[d, "minutes"] for d in week.domains)
    assert (
        math.isclose(total, at["", "minutes"], abs_tol=1e-9) and total <= sum(at[d, "minutes_alone"] for d in week.domains) + 1e-9
    )


def test_every_draw_can_be_drawn_again_at_its_address(model: ActivityModel) -> None:
    told = movesim.explain(model=model, person=who(model, 8, 10), weeks=range(62, 68))
    key = draws.key(model.seed, model.replicate)
    asked = 0
    for week in told.weeks:
        for d in week.domains:
            for draw, uniform in (
                ("uniform", lambda w: (int(w) >> 8) * 2.0**-24),
                ("minutes_normal", lambda w: draws.open_uniform(np.array([w], np.uint32))[0]),
            ):
                stream, index, word = (int(week[d, f"{draw}_{part}"]) for part in ("stream", "index", "word"))
                assert stream in STREAMS.values()
                drawn = uniform(draws.words([told.person], week.week, stream, key, index)[word][0])
                said = week[d, draw]
                assert math.isclose(drawn, said if draw == "uniform" else 0.5 * math.erfc(-said / math.sqrt(2)), rel_tol=1e-9)
                asked += 1
            stream, index, word = (int(week[d, f"sessions_uniform_{part}"]) for part in ("stream", "index", "word"))
            bits = int(draws.words([told.person], week.week, stream, key, index)[word][0])
            assert (((bits >> 16) if week[d, "sessions_uniform_half"] else bits & 0xFFFF) + 0.5) / 65536 == week[
                d, "sessions_uniform"
            ]
    assert asked >= 60


# --- what is said ---------------------------------------------------------------------------------------------------
def test_the_table_is_tidy_and_the_text_tells_it(model: ActivityModel) -> None:
    row = who(model, 30, 50)
    told = movesim.explain(model=model, person=row, weeks=[61, 64])
    assert isinstance(told, Explanation) and told.person == int(model.people.id[row]) and told.row == row
    frame = told.to_frame()
    assert list(frame.columns) == ["week", "domain", "quantity", "value"] and frame["value"].dtype == float
    assert not frame.duplicated(["week", "domain", "quantity"]).any() and frame["week"].unique().tolist() == [61, 64]
    text = told.text()
    assert text == str(told) and f"Person {told.person} (row {row}): a " in text and "No change is made." in text
    assert "Week 61 (week 10 of year 2, school term)" in text and "Week 64 (" in text
    for d in ("Walking for leisure", "Walking and wheeling for travel", "Cycling", "Sport, gym, fitness and dance"):
        assert text.count(f"  {d}\n") == 2
    assert "Active play" not in text and "Plans" not in text
    first = told.weeks[0]
    assert f"probability {first['cycle', 'probability']:.4f} = capability {first['cycle', 'capability']:.3f} x" in text
    held = min(("capability", "opportunity", "motivation"), key=lambda word: first["cycle", word])
    assert f"held back most by {held}" in text
    did = sum(first[d, "took_part"] for d in first.domains) + sum(told.weeks[1][d, "took_part"] for d in first.domains)
    assert text.count("below it, so took part") == did and text.count("not below it") == 8 - did
    assert max(map(len, text.splitlines())) <= 130


def test_plans_are_told(model: ActivityModel) -> None:
    def plan(simulation: Any) -> None:
        simulation.shifts.array("prompt")[DOMAIN["cycle"]] = 0.25
        simulation.shifts.array("Y")[:] = 0.5
        simulation.shifts.array("fte")[:] = 0.1
        for name in ("prompt", "Y"):
            simulation.shifts.touched(name)

    given = {"population": PLACE, "rules": RULES, "references": References.first_guess(), "years": 2}
    planned = ActivityModel(**given, plan=plan)
    text = str(movesim.explain(model=planned, person=who(planned, 20, 60), weeks=(0, 2)))
    assert "Plan: plan." in text
    said = "set-point of psychological capability +0.500 logit; prompt of cycling +0.250 logit; community workforce +0.100"
    assert " ".join(text.split()).count(said) == 2


def test_a_child_at_school_and_on_holiday(model: ActivityModel) -> None:
    told = movesim.explain(model=model, person=who(model, 7, 9), weeks=(64, 65))
    term, holiday = (week for week in sorted(told.weeks, key=lambda week: not week.term))
    assert (term.term, holiday.term) == (True, False)
    assert "school" in term.domains and "school" not in holiday.domains and "play" in holiday.domains
    assert "PE, breaks and active lessons (children, school terms)" in str(told)
    assert "active" in str(told) and ("a boy of" in str(told) or "a girl of" in str(told))


def test_a_person_is_named_by_row_by_id_or_as_an_agent(model: ActivityModel) -> None:
    row = who(model, 30, 50, 3)
    identity = int(model.people.id[row])
    by_row = movesim.explain(model=model, person=row)
    assert model.week == 60 and str(by_row) == str(movesim.explain(model=model, id=identity, weeks=60))
    assert str(movesim.explain(model=model, person=model.person(identity))) == str(by_row)
    assert by_row.weeks[0].week == 60 and model.week == 60


def test_weeks_are_the_same_whether_asked_together_or_alone(model: ActivityModel) -> None:
    row = who(model, 30, 50)
    together = movesim.explain(model=model, person=row, weeks=(61, 63))
    alone = movesim.explain(model=model, person=row, weeks=63)
    assert together.weeks[1].values == alone.weeks[0].values


# --- from keywords, and the command line ----------------------------------------------------------------------------
@pytest.fixture
def small_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(movesim.model, "load_place", lambda *_: PLACE)
    monkeypatch.setattr(movesim.model, "rules_and_references", lambda *_: (RULES, References.first_guess()))


def test_from_plain_keywords(small_place: None) -> None:
    start = ActivityModel(people=500, burn_in=False)
    row = who(start, 30, 50)
    told = movesim.explain(person=row, weeks=(-260, 0, 4), people=500, demography=False)
    assert [week.week for week in told.weeks] == [-260, 0, 4] and told.agrees and "burn-in" in str(told)
    start.run_weeks(264)
    assert told.weeks[2].values == movesim.explain(model=start, person=row).weeks[0].values
    settings = movesim.ExplainSettings(person=row, weeks=[0], people=500, demography=False)
    assert movesim.explain(settings).weeks[0].values == told.weeks[1].values


def test_the_command_prints_it(small_place: None, empty_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    row = who(ActivityModel(people=500, burn_in=False), 30, 50)
    words = ["explain", f"person={row}", "weeks=[1]", "people=500"]
    assert main(words) == 0
    out = capsys.readouterr()
    assert out.out.startswith("Person ") and "Week 1 (week 2 of year 1" in out.out and out.err == ""
    assert main([*words, "json=true"]) == 0
    table = json.loads(capsys.readouterr().out)
    assert {"week": 1, "domain": "cycle", "quantity": "sessions_uniform_word", "value": 1.0} in table
    assert main([*words, "quiet=true"]) == 0 and capsys.readouterr().out == ""
    assert main(["explain", "person=5000", "people=500"]) == 2
    assert "person must be a row of the columns, from 0 to 499, got 5000." in capsys.readouterr().err
    assert list(empty_folder.iterdir()) == []


# --- refusals -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, r"Name the person either by row, as in person=17, or by id=, one of the two\."),
        ({"person": 1, "id": 2}, r"Name the person either by row"),
        ({"person": 10_000}, r"person must be a row of the columns, from 0 to \d+, got 10000\."),
        ({"person": -1}, r"person must be a row of the columns, from 0 to \d+, got -1\."),
        ({"person": "Ann"}, r"person must be a row of the columns, from 0 to \d+, got 'Ann'\."),
        ({"id": -5}, r"id must be the id of a person, a whole number from 0 to 2\*\*64 - 1, got -5\."),
        ({"id": 5}, r"There is no person 5 at week 60: not in this sample, not yet born, or gone\."),
        ({"person": 40, "weeks": 59}, r"Week 59 is past, for the model stands at week 60; ask for coming weeks, or load an"),
        ({"person": 40, "weeks": 208}, r"weeks must be whole numbers from -260 to 207, as in 'weeks=\[-260,207\]', got 208\."),
        ({"person": 40, "weeks": [61, "x"]}, r"weeks must be whole numbers from -260 to 207, .* got 'x'\."),
        ({"person": 40, "weeks": []}, r"weeks must be whole numbers from -260 to 207, .* got no week\."),
        ({"person": 40, "wks": 3}, r"With model= only person, id and weeks can be given, not 'wks'\. Did you mean 'weeks'\?"),
    ],
)
def test_wrong_input_gets_a_sentence(model: ActivityModel, given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        movesim.explain(model=model, **given)


def test_other_refusals(model: ActivityModel, small_place: None) -> None:
    row = who(model, 0, 4)
    with pytest.raises(InputError, match=r"is \d years old at week 60; children under 5 are not scored and decide nothing\."):
        movesim.explain(model=model, person=row)
    dead = model.simulation.branch()
    dead.people.alive[40] = False
    gone = ActivityModel(population=PLACE, rules=RULES, references=References.first_guess(), burn_in=False)
    gone.simulation = dead
    with pytest.raises(InputError, match=r"There is no person \d+ at week 60: not in this sample, not yet born, or gone"):
        movesim.explain(model=gone, person=40)
    with pytest.raises(InputError, match="model must be an ActivityModel, got SimpleNamespace"):
        movesim.explain(model=SimpleNamespace(), person=1)
    with pytest.raises(InputError, match="This person is a view of another model; name them by id="):
        movesim.explain(model=gone, person=model.person_at(40))
    with pytest.raises(InputError, match="With model= only person, id and weeks can be given, not ExplainSettings"):
        movesim.explain(movesim.ExplainSettings(person=3), model=model)
    with pytest.raises(InputError, match=r"weeks must be whole numbers from -260 to 51, .* got 52\."):
        movesim.explain(person=3, weeks=52, years=1)
    with pytest.raises(InputError, match=r"'peple' is not a setting of movesim explain\. Did you mean 'people'\?"):
        movesim.explain(person=3, peple=500)
