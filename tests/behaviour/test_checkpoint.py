"""Checkpoints: a run that is saved and loaded goes on bit for bit; what is damaged or of another make is refused."""

from __future__ import annotations

import json
import pickle
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import movesim.model
from movesim.behaviour import checkpoint
from movesim.behaviour.demography import Demography, spare_rows
from movesim.behaviour.plain_data import Reader, Writer
from movesim.behaviour.rules import References, behaviour_ledger, make_rules
from movesim.behaviour.simulation import Simulation
from movesim.errors import InputError, MovesimError
from movesim.interventions.files import list_scenarios
from movesim.interventions.mechanism import Solved
from movesim.model import ActivityModel
from small import small_population

RULES = make_rules(behaviour_ledger().central())
PLACE = small_population(300, 12)
BIG_ENOUGH_FOR_BIRTHS = small_population(600, 12, seed=4)


def start(week: int, place: SimpleNamespace = PLACE, demography: bool = False, seed: int = 1) -> Simulation:
    """A run that stands near a week: some weeks before it are lived, the rest are skipped."""
    run = Simulation(place, RULES, References.first_guess(), seed, spare=spare_rows(place, 4) if demography else 0)
    run.week = week
    run.people.trend = (0.01, -0.02)
    if demography:
        run.demography = Demography.at(run)
    return run


def shake(run: Simulation, seed: int) -> None:
    """Every kind of shift, as interventions write them."""
    r = np.random.default_rng(seed)
    for name in ("P", "S", "prompt", "access", "supply", "offer", "fte", "likeness"):
        array = run.shifts.array(name)
        array[:] = r.normal(0, 0.3, array.shape)
        run.shifts.touched(name)


def everything(value: Any, path: str = "run", seen: frozenset[int] = frozenset()) -> dict[str, bytes]:
    """All that an object holds, found without asking it what it carries: every array by its bits, all else by its repr."""
    if id(value) in seen:
        return {}
    if isinstance(value, np.ndarray):
        return {path: f"{value.dtype}{value.shape}".encode() + value.tobytes()}
    seen = seen | {id(value)}
    if isinstance(value, dict):
        parts = value
    elif isinstance(value, list | tuple | set | frozenset):
        parts = dict(enumerate(value))
    elif hasattr(value, "__dict__") and not isinstance(value, type):
        parts = {name: each for name, each in vars(value).items() if name not in ("scratch", "measured", "rules", "before")}
    else:
        return {path: repr(value).encode()}
    return {k: v for name, each in parts.items() for k, v in everything(each, f"{path}.{name}", seen).items()}


def same(one: Simulation, other: Simulation) -> bool:
    ours, theirs = everything(one), everything(other)
    return len(ours) > 50 and ours == theirs


# --- going on -------------------------------------------------------------------------------------------------------
@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    week=st.integers(-260, 150), before=st.integers(0, 9), after=st.integers(1, 60), shifts=st.booleans(), renew=st.booleans(),
    demography=st.booleans(), mmap=st.booleans(), seed=st.integers(0, 99),
)  # fmt: skip
def test_a_loaded_run_goes_on_as_if_it_had_never_stopped(
    tmp_path_factory: pytest.TempPathFactory, week: int, before: int, after: int, shifts: bool, renew: bool, demography: bool,
    mmap: bool, seed: int,
) -> None:  # fmt: skip
    run = start(week, demography=demography and week >= 0, seed=seed)
    if shifts:
        shake(run, seed)
    run.run(before)
    if shifts and renew:
        run.reapply_shifts()  # touched and not yet applied: this too must be kept
    folder = checkpoint.save(run, tmp_path_factory.mktemp("at") / "week")
    again, branch = checkpoint.load(folder, mmap=mmap), run.branch()
    assert again.week == week + before and same(again, run)
    for each in (run, again, branch):
        each.run(after)
    assert same(again, run) and same(branch, run)
    assert same(checkpoint.load(folder), checkpoint.load(folder)), "what the run writes stays its own"
    assert checkpoint.load(folder).week == week + before


def test_births_deaths_and_moves_go_on_alike(tmp_path: Path) -> None:
    run = start(0, BIG_ENOUGH_FOR_BIRTHS, demography=True)
    run.run(104)
    born = run.people.n
    assert born > 600, "births have used spare rows"
    again = checkpoint.load(checkpoint.save(run, tmp_path / "year_2"))
    for each in (run, again):
        each.run(104)
    assert run.people.n > born and not run.people.alive[: run.people.n].all()
    assert same(run, again)


def test_what_was_shared_is_shared_again(tmp_path: Path) -> None:
    """A run that nothing has shifted reads its baseline columns themselves; a loaded one must too."""
    run = start(5)
    again = checkpoint.load(checkpoint.save(run, tmp_path / "a"))
    assert again.star is again.people.base and again.drive_star is again.people.drive
    shake(run, 1)
    run.step()
    again = checkpoint.load(checkpoint.save(run, tmp_path / "a"))
    assert again.star is not again.people.base


def test_the_folder_is_columns_and_a_page_that_people_can_read(tmp_path: Path) -> None:
    run = start(7)
    folder = checkpoint.save(run, tmp_path / "a" / "week_7")
    ages = np.load(folder / "people.columns.age.npy", mmap_mode="r")
    assert np.array_equal(ages, run.people.columns["age"])
    assert sorted(path.suffix for path in folder.iterdir())[0] == ".json"
    assert {path.suffix for path in folder.iterdir()} == {".npy", ".json"}
    page = json.loads((folder / "checkpoint.json").read_text())
    body = page["body"]
    assert page["format"] == 1 and body["week"] == 7 and body["place"] == PLACE.fingerprint
    assert body["key"] == [int(word) for word in run.key]
    values = next(dict(o["state"]) for o in body["objects"] if "habit.gain" in [k for k, _ in o["state"]])
    assert values["habit.gain"] == RULES["habit.gain"]
    for path in folder.glob("*.npy"):
        np.load(path, allow_pickle=False)


def test_saving_again_replaces_and_leaves_nothing_else_behind(tmp_path: Path) -> None:
    run = start(0)
    for _ in range(2):
        run.step()
        checkpoint.save(run, tmp_path / "a")
    assert checkpoint.load(tmp_path / "a").week == 2
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_save_that_fails_leaves_the_old_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = start(0)
    checkpoint.save(run, tmp_path / "a")
    run.step()
    monkeypatch.setattr(checkpoint.np, "save", lambda *_, **__: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        checkpoint.save(run, tmp_path / "a")
    monkeypatch.undo()
    replace = checkpoint.os.replace
    monkeypatch.setattr(checkpoint.os, "replace", lambda a, b: _full() if a.name.endswith(".tmp") else replace(a, b))
    with pytest.raises(OSError, match="disk full"):
        checkpoint.save(run, tmp_path / "a")
    monkeypatch.undo()
    assert checkpoint.load(tmp_path / "a").week == 0
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def _full() -> None:
    raise OSError("disk full")


# --- refusals -------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = start(3)
    shake(run, 3)
    run.step()
    return checkpoint.save(run, tmp_path_factory.mktemp("saved") / "run")


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    import shutil

    return Path(shutil.copytree(saved, tmp_path / "copy"))


@settings(max_examples=30, deadline=None, derandomize=True)
@given(which=st.integers(0, 10_000), at=st.floats(0, 1, exclude_max=True), how=st.sampled_from(["cut", "changed", "missing"]))
def test_a_damaged_file_is_refused_by_name(saved: Path, which: int, at: float, how: str) -> None:
    files = sorted(path for path in saved.iterdir() if path.stat().st_size)
    path = files[which % len(files)]
    whole = path.read_bytes()
    place = int(at * len(whole))
    try:
        if how == "missing":
            path.unlink()
        else:
            path.write_bytes(whole[:place] if how == "cut" else whole[:place] + bytes([whole[place] ^ 64]) + whole[place + 1 :])
        with pytest.raises(InputError) as refused:
            checkpoint.load(saved)
        page = path.name == "checkpoint.json"  # what is changed there may be the number of the format, or of the model
        assert path.name in str(refused.value) or (page and re.search("of format|another version", str(refused.value)))
    finally:
        path.write_bytes(whole)


def test_no_checkpoint_is_said(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(InputError, match=r"holds no checkpoint: checkpoint\.json is missing\."):
            checkpoint.load(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 1}'])
def test_a_page_that_cannot_be_read(folder: Path, text: str) -> None:
    (folder / "checkpoint.json").write_text(text)
    with pytest.raises(InputError, match=r"holds a damaged checkpoint \(checkpoint\.json cannot be read\); save the run again\."):
        checkpoint.load(folder)


def _page(folder: Path, **changes: Any) -> None:
    path = folder / "checkpoint.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_another_format_and_another_model_are_refused(folder: Path) -> None:
    _page(folder, format=2)
    with pytest.raises(InputError, match=r"is a checkpoint of format 2; this movesim reads format 1\."):
        checkpoint.load(folder)
    _page(folder, format=1, model="0123456789abcdef")
    with pytest.raises(InputError, match="was saved by another version of the model: its sources or numbers have changed since"):
        checkpoint.load(folder)


def test_a_page_changed_by_hand_is_refused(folder: Path) -> None:
    body = json.loads((folder / "checkpoint.json").read_text())["body"]
    _page(folder, body=body | {"week": 9})
    with pytest.raises(InputError, match=r"checkpoint\.json has changed since it was written"):
        checkpoint.load(folder)


@pytest.mark.parametrize("what", ["missing or cannot be read", "cut short", "changed since it was written"])
def test_each_kind_of_damage_has_its_word(folder: Path, what: str) -> None:
    path = folder / "people.columns.age.npy"
    if what.startswith("missing"):
        path.unlink()
    elif what.startswith("cut"):
        path.write_bytes(path.read_bytes()[:-5])
    else:
        np.save(path, np.load(path) + 1)
    with pytest.raises(InputError, match=rf"damaged checkpoint \(people\.columns\.age\.npy (is|has) {what}\)"):
        checkpoint.load(folder)


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "thesis.txt").write_text("do not lose me")
    with pytest.raises(InputError, match="holds other files and no checkpoint; name a new folder"):
        checkpoint.save(start(0), tmp_path / "notes")
    with pytest.raises(InputError, match=r"A checkpoint is a folder, but .* is a file"):
        checkpoint.save(start(0), tmp_path / "notes" / "thesis.txt")
    assert (tmp_path / "notes" / "thesis.txt").read_text() == "do not lose me"


def test_what_cannot_be_kept_is_said(tmp_path: Path) -> None:
    run = start(0)
    run.measured = None
    run.note = lambda: 0  # type: ignore[attr-defined]
    with pytest.raises(
        MovesimError, match=r"keeps numbers, texts, arrays and objects of movesim; simulation\.note is a function"
    ):
        checkpoint.save(run, tmp_path / "a")
    run.note = np.array([{}], object)  # type: ignore[attr-defined]
    with pytest.raises(MovesimError, match=r"simulation\.note is a ndarray"):
        checkpoint.save(run, tmp_path / "a")
    assert not (tmp_path / "a").exists()


def test_only_classes_of_movesim_are_made_from_a_page() -> None:
    with pytest.raises(InputError, match="names subprocess:Popen, which is no class of movesim"):
        Reader([{"class": "subprocess:Popen", "state": []}], {}).value({"object": 0})


def test_plain_data_gives_back_what_it_was_given() -> None:
    given: dict[Any, Any] = {
        "text": "a", 3: [1, 2.5, None, True], "t": (1, (2,)), "s": {1, 2}, "f": frozenset({"x"}), "p": Path("a/b"),
        "n": np.float32(0.1), "u": np.uint64(2**64 - 1), "type": np.float32, "nan": float("inf"), (1, "b"): {"deep": -0.0},
        "name": np.str_("x"), "rules": RULES,
    }  # fmt: skip
    given["again"] = given["t"], given["rules"]
    given["self"] = given
    writer = Writer()
    data = json.loads(json.dumps([writer.plain(given, "x"), writer.objects]))
    back = Reader(data[1], writer.arrays).value(data[0])
    assert back["self"] is back and back["again"][1] is back["rules"]
    assert type(back["u"]) is np.uint64 and type(back["n"]) is np.float32
    assert str(back[(1, "b")]["deep"]) == "-0.0"
    for name in ("text", 3, "t", "s", "f", "p", "n", "u", "type", "nan", "name"):
        assert back[name] == given[name] and type(back[name]) is type(given[name])
    assert back["rules"].coefficients == RULES.coefficients


# --- models ---------------------------------------------------------------------------------------------------------
def make(**given: Any) -> ActivityModel:
    return ActivityModel(**{"population": PLACE, "rules": RULES, "references": References.first_guess(), **given})


def more_confidence(simulation: Simulation) -> None:
    simulation.shifts.array("Y")[:] = 0.5
    simulation.shifts.touched("Y")


@pytest.mark.parametrize("weeks", [0, 52, 57])
def test_a_saved_model_goes_on_with_its_record(tmp_path: Path, weeks: int) -> None:
    model = make(demography=True, years=3, panel=[int(PLACE.people["id"][40])])
    model.run_weeks(weeks)
    _ = model.agents
    model.save(tmp_path / "m")
    again = ActivityModel.load(tmp_path / "m")
    assert again.week == weeks and len(again.agents) == len(model.agents)
    for each in (model, again):
        each.run_weeks(60)
    assert same(model.simulation, again.simulation)
    assert model.outcomes().equals(again.outcomes()) and model.recorder.adjusted().equals(again.recorder.adjusted())
    assert model.panel.to_frame().equals(again.panel.to_frame()) and len(again.panel.to_frame()) == weeks + 61
    assert again.running == model.running
    assert pickle.loads(pickle.dumps(again)).outcomes().equals(model.outcomes())
    assert same(checkpoint.load(tmp_path / "m"), ActivityModel.load(tmp_path / "m").simulation)


@pytest.mark.parametrize("plan", [name for name in list_scenarios() if name != "baseline"])
def test_every_plan_is_kept_with_all_it_has_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plan: str) -> None:
    """Ladders, doses, waiting schools, money: with studies that are not re-run but taken as solved."""

    def solved(scenario: Any, *_: Any) -> dict[str, Solved]:
        steps = dict.fromkeys(("offered", "taken_up", "adhering", "responding", "upkeep", "shift"), 0.0)
        return {i.name: Solved(i.name, {c.name: 1.0 for c in i.mechanism.components}, a=steps) for i in scenario.interventions}

    monkeypatch.setattr(movesim.model, "rules_and_references", lambda *_: (RULES, References.first_guess()))
    monkeypatch.setattr(movesim.model, "solve", solved)
    monkeypatch.setattr(movesim.model, "england_readiness", lambda *_: -2.0)
    monkeypatch.setattr(movesim.model, "BURN_IN_WEEKS", 0)
    model = ActivityModel(population=PLACE, years=2, plan=plan, demography=True)
    model.simulation.week = -1
    model.run_weeks(63)
    again = ActivityModel.load(model.save(tmp_path / "m"))
    for each in (model, again):
        each.run_weeks(30)
    assert same(model.simulation, again.simulation)
    for table in ("money", "ladder"):
        ours, theirs = (getattr(each._delivery, table)() for each in (model, again))
        assert ours.equals(theirs) and len(ours)


def test_a_plan_of_ones_own_is_given_again(tmp_path: Path) -> None:
    model = make(plan=more_confidence)
    model.run_weeks(3)
    model.save(tmp_path / "m")
    with pytest.raises(InputError, match=r"plan is a function of yours; give it again, as in load\(folder, plan=my_plan\)"):
        ActivityModel.load(tmp_path / "m")
    again = ActivityModel.load(tmp_path / "m", plan=more_confidence)
    for each in (model, again):
        each.run_weeks(9)
    assert same(model.simulation, again.simulation)
    make(burn_in=False).save(tmp_path / "n")
    with pytest.raises(InputError, match="plan is not a function of yours; load it without plan"):
        ActivityModel.load(tmp_path / "n", plan=more_confidence)


def test_a_run_is_no_model_and_visitors_are_not_kept(tmp_path: Path, folder: Path) -> None:
    import mesa

    sentence = r"holds a run and no model; read it with movesim.behaviour.checkpoint.load"
    with pytest.raises(InputError, match=re.escape(sentence)):
        ActivityModel.load(folder)
    model = make(burn_in=False)
    mesa.Agent(model)
    with pytest.raises(InputError, match="not agents that you added; take them out before you save"):
        model.save(tmp_path / "m")
