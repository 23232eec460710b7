"""The compiled week and the plain reference model, written apart from each other, live the same weeks (MODEL section 9.9)."""

from __future__ import annotations

import warnings
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from movesim.behaviour.reference import ReferenceModel
from movesim.behaviour.rules import References, Rules, behaviour_ledger, make_rules
from movesim.behaviour.simulation import Simulation
from movesim.errors import InputError
from movesim.words import ADULT_LIMITS, CHILD_LIMITS, DOMAIN, SCHOOL_HOLIDAYS, TIES, WEEKS_A_YEAR
from small import small_population

TOLERANCE, MOST_NEAR_TIES = 1e-4, 1 / 5000
EXACT = ("decisions", "sessions", "active")


@pytest.fixture(scope="module")
def rules() -> Rules:
    return make_rules(behaviour_ledger().central())


def references(r: np.random.Generator) -> References:
    """Return references that differ by age band."""
    guess = References.first_guess()
    return replace(
        guess,
        **{
            name: (getattr(guess, name) * r.uniform(0.7, 1.3, 7)).astype("f4")
            for name in ("peers", "mastery", "enjoyment", "intention")
        },
    )


def add_shifts(simulation: Simulation, r: np.random.Generator, size: float = 0.7) -> None:
    """Give everybody and every place random shifts of all kinds; a third of the people none at all."""
    for name in ("P", "Y", "S", "R", "prompt", "supply", "offer"):
        array = simulation.shifts.array(name)
        array[:] = r.normal(0, size, array.shape) * (r.random(array.shape[-1]) > 0.33)
    simulation.shifts.array("fte")[:] = r.uniform(-0.05, 0.7, simulation.fte.shape)
    simulation.shifts.array("likeness")[:] = r.uniform(-0.6, 0.9, simulation.fte.shape)
    for name in ("P", "Y", "S", "R", "prompt", "supply", "offer", "fte", "likeness"):
        simulation.shifts.touched(name)


def shake(simulation: Simulation, r: np.random.Generator) -> None:
    """Put everybody into a random state: components, habits (none and full among them), last four weeks, statuses."""
    people, n = simulation.people, simulation.people.n
    people.state[:, :n] = r.uniform(0.01, 1.0, (4, n))
    people.H[:, :n] = np.clip(r.uniform(-0.2, 1.2, (6, n)), 0, 1)
    people.ring[:, :n] = r.uniform(0, 600, (4, n)) * (r.random((4, n)) < 0.6)
    people.mean[:n] = people.ring[:, :n].mean(axis=0)
    limit = np.where(people.age < 16, CHILD_LIMITS[1], ADULT_LIMITS[1])
    people.active_before[:n] = (people.mean[:n] >= limit) & (people.age >= 5)


def follow(simulation: Simulation, weeks: int) -> SimpleNamespace:
    """Step a run and the reference model side by side, from the run's state each week; fail where they differ."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = ReferenceModel.of(simulation)
        seen = SimpleNamespace(near=0, decisions=0, sessions=0, minutes=0.0, terms=set())
        for _ in range(weeks):
            simulation.people.domain_minutes[:] = 0
            model.read(simulation)
            simulation.step(measure=True)
            model.step()
            seen.terms.add(model.term)
            found = model.compare(simulation)
            worst = found.worst()
            wrong = {name: value for name, value in worst.items() if value > (0 if name in EXACT else TOLERANCE)}
            assert not wrong, f"week {model.week - 1}: the compiled week and the reference model differ in {wrong}"
            seen.near += len(found.near_ties)
            seen.decisions += found.decisions
            seen.sessions += sum(sum(p.sessions) for p in model.everybody)
            seen.minutes = max(seen.minutes, max(sum(p.minutes) for p in model.everybody))
            if simulation.week % WEEKS_A_YEAR == 0:
                simulation.turn_of_the_year()
    return seen


def test_they_agree_week_by_week(rules: Rules) -> None:
    near = decisions = 0
    for start, shifts in ((-6, False), (26, True)):
        r = np.random.default_rng(start + 100)
        simulation = Simulation(small_population(400), rules, references(r))
        simulation.week = start
        shake(simulation, r)
        if shifts:
            add_shifts(simulation, r)
        seen = follow(simulation, 12)
        assert seen.terms == {0, 1}, "the weeks must hold terms and holidays"
        assert seen.sessions > 10_000
        near, decisions = near + seen.near, decisions + seen.decisions
    print(f"near-ties: {near} of {decisions} decisions, one in {decisions / max(near, 1):,.0f}")
    assert near / decisions < MOST_NEAR_TIES


def test_shifts_may_change_every_week(rules: Rules) -> None:
    r = np.random.default_rng(3)
    simulation = Simulation(small_population(200), rules, references(r))
    simulation.week = 10
    for _ in range(4):
        add_shifts(simulation, r, size=r.choice([0.3, 3.0]))
        follow(simulation, 1)


def test_very_long_weeks_are_cut_alike(rules: Rules) -> None:
    long = make_rules({**rules.values, "minutes.scale": 12.0, "minutes.child_scale": 12.0})
    simulation = Simulation(small_population(200), long, References.first_guess())
    simulation.week = 8
    add_shifts(simulation, np.random.default_rng(8), size=1.5)
    seen = follow(simulation, 4)
    assert 2000 < seen.minutes <= 2500.1


def test_children_take_back_added_school_minutes_alike(rules: Rules) -> None:
    simulation = Simulation(small_population(400), rules, References.first_guess())
    simulation.week = 15
    simulation.shifts.array("offer")[:] = (0.0, 1.2, -0.8)
    simulation.shifts.touched("offer")
    follow(simulation, 8)


@settings(max_examples=12, deadline=None, derandomize=True)
@given(
    people=st.integers(1, 60), neighbourhoods=st.integers(1, 12), draw=st.integers(0, 10_000), week=st.integers(-260, 520),
    ties=st.floats(0, 1), shifts=st.booleans(), spare=st.integers(0, 3),
)  # fmt: skip
def test_they_agree_in_any_small_place_under_any_draw(people, neighbourhoods, draw, week, ties, shifts, spare) -> None:
    r = np.random.default_rng([people, draw])
    place = small_population(people, neighbourhoods, seed=draw)
    place.ties = np.where(r.random((people, TIES)) < ties, r.integers(0, people + 1, (people, TIES)), people).astype(np.int32)
    drawn = make_rules(behaviour_ledger().draw(1, draw))
    simulation = Simulation(place, drawn, references(r), seed=draw, replicate=people, spare=spare)
    simulation.week = week
    simulation.people.trend = tuple(r.normal(0, 0.05, 2))
    shake(simulation, r)
    if shifts:
        add_shifts(simulation, r)
    follow(simulation, 3)


def test_the_dead_do_nothing_in_both(rules: Rules) -> None:
    simulation = Simulation(small_population(200), rules, References.first_guess())
    people = simulation.people
    people.alive[5:200:7] = False
    for rows in (people.live, people.child):
        rows[5:200:7] = 0
    people.count_ties()
    follow(simulation, 3)


def test_they_agree_left_to_themselves_for_two_years(rules: Rules) -> None:
    simulation = Simulation(small_population(1500, 40), rules, References.first_guess())
    model = ReferenceModel.of(simulation)
    near = decisions = 0
    for _ in range(104):
        simulation.run(1)
        model.run(1)
        near += sum(len(p.near) for p in model.everybody)
        decisions += sum(len(p.domains()) for p in model.everybody)
    run = ReferenceModel.of(simulation)
    print(f"near-ties: {near} of {decisions} decisions, one in {decisions / max(near, 1):,.0f}")
    for child in (False, True):
        print("children" if child else "adults", "inactive and active:", model.shares(child), "compiled:", run.shares(child))
        assert np.abs(np.subtract(model.shares(child), run.shares(child))).max() <= 0.001
    assert near / decisions < MOST_NEAR_TIES


def test_a_difference_is_found(rules: Rules) -> None:
    """The comparison itself: a run with another habit, another decision or other minutes does not pass."""
    simulation = Simulation(small_population(100), rules, References.first_guess())
    model = ReferenceModel.of(simulation)
    simulation.step()
    model.step()
    sound = model.compare(simulation).worst()
    assert max(sound.values()) < TOLERANCE
    row = next(p.row for p in model.everybody if p.sessions[0] > 0 and not p.near)
    simulation.people.H[0, row] = 0.3 * 0.94
    simulation.people.state[1, row] *= 1.001
    simulation.people.domain_minutes[0, row] *= 2
    found = model.compare(simulation).worst()
    assert found["decisions"] == 1 and found["sessions"] == 1
    assert found["H"] > TOLERANCE and found["Y"] > TOLERANCE and found["minutes"] > TOLERANCE


def test_comparing_different_weeks_is_refused(rules: Rules) -> None:
    simulation = Simulation(small_population(20), rules, References.first_guess())
    model = ReferenceModel.of(simulation)
    simulation.step()
    with pytest.raises(InputError, match="The run stands at week -259 and the reference model at week -260; step both"):
        model.compare(simulation)


def test_reading_a_run_leaves_it_alone(rules: Rules) -> None:
    one, other = (Simulation(small_population(60), rules, References.first_guess()) for _ in range(2))
    ReferenceModel.of(one).run(3)
    one.step()
    other.step()
    assert np.array_equal(one.people.H, other.people.H) and np.array_equal(one.people.mean, other.people.mean)
    assert DOMAIN["school"] == 5 and len(SCHOOL_HOLIDAYS) == 13
