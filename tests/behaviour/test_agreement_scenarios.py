"""Interventions and shocks on the compiled run and on the plain reference model: from before the start through ramp to decay."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from alongside import (
    KINDS,
    MOST_NEAR_TIES,
    Seen,
    acting,
    begin_demography,
    follow,
    references,
    small_place,
    strike,
)
from movesim.behaviour.demography import spare_rows
from movesim.behaviour.reference import ReferenceModel
from movesim.behaviour.rules import Rules, behaviour_ledger, make_rules
from movesim.behaviour.simulation import Simulation
from movesim.config import scenario_files
from movesim.interventions import Delivery, load_scenario, matches, solved_of
from movesim.words import CHILD_FROM

FOLDER = Path(__file__).resolve().parents[2] / "scenarios"
SCENARIOS = sorted(path.relative_to(FOLDER) for path in scenario_files().values() if path.stem != "baseline")
# One of each kind and all kinds at once are held to it at every run of the tests, the others where there is time.
QUICK = ("school_day", "routes_targeted", "community_leaders", "three_together")
START, END = 2, 3  # the years of delivery: weeks 52 to 156
PEOPLE, POUNDS, LAG, RAMP = 240, 40.0, 4, 30


@cache
def rules() -> Rules:
    return make_rules(behaviour_ledger().central())


@cache
def week_zero(people: int = PEOPLE, neighbourhoods: int = 10, years: int = 4) -> Simulation:
    """A settled small place at the start of the policy period."""
    place = small_place(people, neighbourhoods, schools=4)
    run = Simulation(place, rules(), references(np.random.default_rng(people)), spare=spare_rows(place, years))
    run.run(-run.week)
    return run


def delivery_of(name: Path | str, run: Simulation, years: tuple[int, int] = (START, END)) -> Delivery:
    """Deliver a scenario in these years, for much money and with little lag, its study taken as solved at a strength of 1.5."""
    scenario = load_scenario(FOLDER / name)
    scenario = replace(
        scenario,
        interventions=tuple(replace(i, start_year=years[0], end_year=years[1]) for i in scenario.interventions),
    )
    values, people, solved = scenario.ledger().central() | {scenario.budget: POUNDS}, run.people, {}
    for spec in scenario.interventions:
        values |= {spec.paths["lag_weeks"]: LAG, spec.paths["ramp_weeks"]: RAMP}
        # So few people are there that what reaches one in fifty would reach nobody.
        many = {"half_life_weeks": 13, "ladder.offered": 0.9, "ladder.taken_up": 0.8, "capacity.starts_per_1000": 500,
                "costs.participant": 5, "costs.resident": 5, "duration_weeks": 40}  # fmt: skip
        values |= {spec.paths[field]: number for field, number in many.items() if field in spec.paths}
        who = matches(people, spec.who)
        ready = run.readiness(spec.domains)[who].astype(float)
        decile = people.neighbourhoods["imd_decile"][people.neighbourhood]
        solved[spec.name] = solved_of(spec, values, 1.5, ready - ready.mean(), people.weight[who], decile[who])
    return Delivery(scenario, values, people, solved, run.key, years[1] + 2)


def shifts_of(run: Simulation) -> dict[str, np.ndarray]:
    """What is moved at all by now, by array."""
    found = {name: run.shifts.get(name) for name in KINDS}
    return {name: array.copy() for name, array in found.items() if array is not None and np.any(array)}


def go_on(run: Simulation, act: Callable[[], None], week: int) -> None:
    """Bring the compiled run alone to a week, as a study does."""
    while run.week < week:
        act()
        run.step()
        if run.week % 52 == 0:
            run.turn_of_the_year()


@pytest.mark.parametrize(
    "name",
    [pytest.param(path, id=path.stem, marks=() if path.stem in QUICK else pytest.mark.slow) for path in SCENARIOS],
)
def test_they_agree_under_every_scenario(name: Path) -> None:
    run = week_zero().branch()
    model = begin_demography(run)
    delivery = delivery_of(name, run)
    act = acting(run, delivery, run.readiness)
    seen, moved = Seen(), {}
    for stage, first, weeks in (
        ("before", 0, 1), ("start", 51, 2), ("ramp", 68, 2), ("peak", 103, 2), ("end", 154, 4), ("decay", 207, 3),
    ):  # fmt: skip
        go_on(run, act, first)
        seen += follow(run, weeks, model, act)
        moved[stage] = shifts_of(run)
    seen.print_near_ties()
    assert not moved["before"], "nothing is moved before a scenario starts"
    assert moved["peak"], "the scenario moves something"
    built = {kind for programme in delivery.programmes if programme.spec.kind == "place" for kind in programme.writes()}
    for kind in moved["end"]:
        sizes = {stage: float(np.abs(found[kind]).sum()) if kind in found else 0.0 for stage, found in moved.items()}
        assert sizes["ramp"] <= sizes["peak"], kind
        assert kind in built or sizes["decay"] < sizes["end"], f"{kind} fades, for nothing was built"
    assert len(seen.years) == 4 and sum(year.born for year in seen.years) > 4


def test_all_programmes_at_once_move_every_array() -> None:
    """The portfolio of the shipped families leaves no kind of shift untested."""
    run = week_zero().branch()
    act = acting(run, delivery_of("portfolios/three_together.yaml", run), run.readiness)
    go_on(run, act, 120)
    assert set(shifts_of(run)) >= {"Y", "S", "prompt", "supply", "offer", "fte", "likeness"}


SHOCKS = ("pandemic", "cost_of_living", "budget_cuts")


def test_they_agree_in_each_shock() -> None:
    for names in (*((name,) for name in SHOCKS), SHOCKS):
        run = week_zero().branch()
        act = acting(run, strikes=[strike(name, first=3, ramp=8, holds=18, recovery=24) for name in names])
        log_A, log_E = run.people.log_A.copy(), run.log_E
        seen = follow(run, 2, act=act)
        assert not shifts_of(run) and run.open_share is None and np.array_equal(run.people.log_A, log_A)
        go_on(run, act, 22)
        seen += follow(run, 2, act=act)
        assert shifts_of(run)
        assert (run.open_share is not None) == ("pandemic" in names or "budget_cuts" in names)
        assert (run.people.log_A[3] < log_A[3]).any() == ("cost_of_living" in names), "price"
        assert (run.people.log_A[0] < log_A[0]).any() == ("budget_cuts" in names), "fear"
        go_on(run, act, 40)  # it is being lifted
        seen += follow(run, 1, act=act)
        assert seen.sessions > 500
        go_on(run, act, 51)
        seen += follow(run, 7, act=act)  # through the turn of a year, and past the end
        assert not shifts_of(run) and run.open_share is None and np.array_equal(run.log_E, log_E)
        assert np.array_equal(run.people.log_A, week_zero_access(run)), "nothing is left of a shock in what places are"


def week_zero_access(run: Simulation) -> np.ndarray:
    """Everybody's access under the rules that the run began with."""
    other = run.branch()
    other.rules = rules()
    other.people.refresh(rules())
    return other.people.log_A


def test_shocks_do_what_they_are_for() -> None:
    """Sport stops in a pandemic and comes back; a squeeze takes sport from the poorest; cuts take trust."""
    runs = {name: week_zero(1000, 40).branch() for name in ("none", *SHOCKS)}
    for name, run in runs.items():
        act = acting(run, strikes=[] if name == "none" else [strike(name, first=0, ramp=0, holds=60)])
        run.people.domain_minutes[:] = 0
        go_on(run, act, 51)
    minutes = {name: run.people.domain_minutes[3, : run.people.n] for name, run in runs.items()}
    none = runs["none"].people
    scored = none.age >= CHILD_FROM
    assert minutes["pandemic"][scored].sum() < 0.8 * minutes["none"][scored].sum()
    lost = {
        name: 1 - minutes["cost_of_living"][rows].sum() / minutes["none"][rows].sum()
        for name, rows in (("poor", scored & (none.income_rank < 0.3)), ("rich", scored & (none.income_rank > 0.7)))
    }
    assert lost["poor"] > lost["rich"] > -0.02
    assert (runs["budget_cuts"].trust < 0.8 * runs["none"].trust).all()


def test_they_agree_left_to_themselves_with_everything_on_for_two_years() -> None:
    """Demography, terms, children, ties, three programmes and three shocks: both go their own way from week 0."""
    run = week_zero(1000, 40, 2).branch()
    model = begin_demography(run)
    delivery = delivery_of("portfolios/three_together.yaml", run, (1, 1))
    strikes = [
        strike("pandemic", 30, ramp=2, holds=10, recovery=20), strike("cost_of_living", 20), strike("budget_cuts", 60, ramp=8)
    ]  # fmt: skip
    act = acting(run, delivery, run.readiness, strikes)
    seen = Seen()
    while run.week < 104:
        act()
        model.follow_shifts(run)
        run.step()
        model.step()
        seen.near += sum(len(p.near) for p in model.everybody)
        seen.decisions += sum(len(p.domains()) for p in model.everybody)
        if run.week % 52 == 0:
            run.turn_of_the_year()
            model.turn_of_the_year()
            seen.years.append(model.changes)
    theirs = ReferenceModel.of(run)
    seen.print_near_ties()
    print(seen.years)
    for child in (False, True):
        print("children" if child else "adults", "inactive and active:", model.shares(child), "compiled:", theirs.shares(child))
        assert np.abs(np.subtract(model.shares(child), theirs.shares(child))).max() <= 0.001
    assert model.n == run.people.n and sum(year.died for year in seen.years) > 20
    assert seen.decisions > 300_000 and seen.near / seen.decisions < MOST_NEAR_TIES
