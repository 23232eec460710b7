"""A keyed panel: named persons week by week, joined by id across samples and scenarios."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from movesim.behaviour.demography import Demography, spare_rows
from movesim.behaviour.panel import NUMBERS, Panel
from movesim.behaviour.rules import References, behaviour_ledger, make_rules
from movesim.behaviour.simulation import Simulation
from movesim.errors import InputError
from movesim.model import ActivityModel
from movesim.words import ADULT_FROM
from small import small_population

RULES = make_rules(behaviour_ledger().central())
PLACE = small_population(400, 10)


def start(spare: int = 0) -> Simulation:
    run = Simulation(PLACE, RULES, References.first_guess(), spare=spare)
    run.week = 0
    return run


def some(run: Simulation, least: int, below: int, n: int = 3) -> list[int]:
    rows = np.flatnonzero((run.people.age >= least) & (run.people.age < below))[:n]
    return [int(each) for each in run.people.id[rows]]


def test_a_panel_holds_what_the_columns_held() -> None:
    run = start()
    ids = some(run, 30, 60) + some(run, 6, 12) + some(run, 0, 4, 1)
    panel = Panel(ids)
    held = []

    def each_week(simulation: Simulation) -> None:
        panel(simulation)
        people = simulation.people
        row = int(np.flatnonzero(people.id == ids[1])[0])
        held.append((simulation.week, people.mean[row], people.state[0, row], people.H[2, row]))

    run.run(9, each_week)
    frame = panel.to_frame()
    assert list(frame.columns) == ["id", "week", "age", "status", *NUMBERS]
    assert len(frame) == 9 * 7 and frame["id"].dtype == np.uint64
    mine = frame[frame["id"] == ids[1]]
    columns = ("week", "minutes", "capability_physical", "motivation_automatic_cycle")
    assert [tuple(row) for row in mine[list(columns)].itertuples(index=False)] == held
    limits = np.where(frame["age"] < ADULT_FROM, 210, 30), np.where(frame["age"] < ADULT_FROM, 420, 150)
    scored = frame["status"] != "not scored"
    assert set(frame.loc[~scored, "age"]) <= {0, 1, 2, 3, 4} and (~scored).sum() == 9
    expected = np.select([frame["minutes"] < limits[0], frame["minutes"] < limits[1]], ["inactive", "fairly_active"], "active")
    assert (frame["status"] == expected)[scored].all()
    last_four = mine["minutes_last_week"].rolling(4).mean().dropna()
    assert np.allclose(last_four, mine["minutes"][3:], rtol=1e-5)


def test_panels_of_two_scenarios_join_by_id() -> None:
    ids = [int(each) for each in PLACE.people["id"][[20, 30, 40]]]
    run, other = start(), start()
    other.shifts.array("R")[:] = 1.0
    other.shifts.touched("R")
    frames = []
    for each in (run, other):
        panel = Panel(ids)
        each.run(30, panel)
        frames.append(panel.to_frame())
    both = frames[0].merge(frames[1], on=["id", "week"], suffixes=("", "_plan"), validate="one_to_one")
    assert len(both) == 90 and (both["motivation_reflective_plan"] >= both["motivation_reflective"]).all()


def test_looking_changes_nothing_and_a_pickled_panel_goes_on() -> None:
    run = start(spare_rows(PLACE, 3))
    run.demography = Demography.at(run)
    plain = run.branch()
    panel = Panel(some(run, 20, 90, 40))
    run.run(60, panel)
    panel = pickle.loads(pickle.dumps(panel))
    run.run(60, panel)
    plain.run(120)
    assert np.array_equal(run.people.state, plain.people.state) and np.array_equal(run.people.H, plain.people.H)
    frame = panel.to_frame()
    assert frame["week"].max() == 120 and not frame.duplicated(["id", "week"]).any()
    assert Panel([5]).to_frame().empty and pickle.loads(pickle.dumps(Panel([5]))).to_frame().empty


def test_who_dies_or_moves_away_leaves_the_panel() -> None:
    run = start(spare_rows(PLACE, 4))
    run.demography = Demography.at(run)
    ids = [int(each) for each in run.people.id]
    panel = Panel(ids)
    run.run(160, panel)
    frame = panel.to_frame()
    here = run.people.id[run.people.alive[: run.people.n]]
    stayed = set(ids) & set(here.tolist())
    assert 0 < len(stayed) < len(ids)
    assert set(frame.loc[frame["week"] == 160, "id"].tolist()) == stayed
    assert frame.groupby("id")["week"].apply(lambda weeks: (np.diff(weeks) == 1).all()).all(), "nobody comes back"


def test_a_model_keeps_its_panel_from_week_0_on() -> None:
    given = {"population": PLACE, "rules": RULES, "references": References.first_guess()}
    ids = PLACE.people["id"][:3]
    model = ActivityModel(**given, panel=ids)
    model.run_weeks(5)
    frame = model.panel.to_frame()
    assert frame["week"].unique().tolist() == [0, 1, 2, 3, 4, 5] and set(frame["id"]) == set(ids)
    view = model.person(int(ids[0]))
    last = frame[(frame["week"] == 5) & (frame["id"] == ids[0])].iloc[0]
    assert last["minutes"] == np.float32(view.minutes) and last["opportunity_social"] == np.float32(view.opportunity_social)
    assert ActivityModel(**given, burn_in=False).panel is None


@pytest.mark.parametrize(
    ("ids", "sentence"),
    [
        ([], "A panel needs at least one person's id"),
        ([3, 3], "A panel names a person twice; name everybody once"),
        (["x"], "made of persons' ids, whole numbers from 0 to 2\\*\\*64 - 1, got 'x'"),
        ("17", "got '17'"),
        ([True], "got True"),
        ([-1], "got -1"),
        ([2**64], "got 18446744073709551616"),
        ([1.5], "got 1.5"),
    ],
)
def test_wrong_ids_get_a_sentence(ids: object, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        Panel(ids)  # type: ignore[arg-type]


def test_a_stranger_is_named() -> None:
    run = start()
    with pytest.raises(InputError, match="There is no person 5 in the run at week 0, whom the panel names"):
        Panel([int(run.people.id[0]), 5]).record(run)
