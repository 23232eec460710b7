"""The compiled week and the plain reference model, written apart from each other, live the same weeks (MODEL section 9.9)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alongside import MOST_NEAR_TIES, TOLERANCE, Seen, add_shifts, follow, references, shake, small_place
from movesim.behaviour.reference import ReferenceModel
from movesim.behaviour.rules import References, Rules, behaviour_ledger, make_rules
from movesim.behaviour.simulation import Simulation
from movesim.errors import InputError
from movesim.words import DOMAIN, SCHOOL_HOLIDAYS
from small import small_population


@pytest.fixture(scope="module")
def rules() -> Rules:
    return make_rules(behaviour_ledger().central())


def test_they_agree_week_by_week(rules: Rules) -> None:
    seen = Seen()
    for start, shifts in ((-6, False), (26, True)):
        r = np.random.default_rng(start + 100)
        simulation = Simulation(small_population(400), rules, references(r))
        simulation.week = start
        shake(simulation, r)
        if shifts:
            add_shifts(simulation, r)
        part = follow(simulation, 12)
        assert part.terms == {False, True}, "the weeks must hold terms and holidays"
        assert part.sessions > 10_000
        seen += part
    seen.print_near_ties()
    assert seen.near / seen.decisions < MOST_NEAR_TIES


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


@settings(max_examples=25, deadline=None, derandomize=True, database=None)
@given(
    people=st.sampled_from((1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 60)), neighbourhoods=st.integers(1, 12),
    draw=st.integers(0, 10_000), week=st.integers(-260, 520), ties=st.sampled_from((0.0, 2.0, 10.0)),
    ages=st.sampled_from(((0, 95), (5, 16), (0, 5), (16, 90))), size=st.sampled_from((0.0, 0.7, 4.0)), spare=st.integers(0, 3),
    local=st.booleans(),
)  # fmt: skip
def test_they_agree_in_any_small_place_under_any_draw(people, neighbourhoods, draw, week, ties, ages, size, spare, local) -> None:
    r = np.random.default_rng([people, draw])
    place = small_place(people, neighbourhoods, draw, ages, ties, local=local)
    drawn = make_rules(behaviour_ledger().draw(1, draw))
    simulation = Simulation(place, drawn, references(r), seed=draw, replicate=people, spare=spare)
    simulation.week = week
    simulation.people.trend = tuple(r.normal(0, 0.05, 2))
    shake(simulation, r)
    if size:
        add_shifts(simulation, r, size)
    follow(simulation, 3)


@pytest.mark.parametrize("people", [2047, 2048, 2049])
def test_they_agree_around_the_size_of_a_block(rules: Rules, people: int) -> None:
    r = np.random.default_rng(people)
    simulation = Simulation(small_population(people), rules, references(r), spare=people % 2)
    simulation.week = 17
    shake(simulation, r)
    add_shifts(simulation, r)
    follow(simulation, 1)


def test_what_a_place_says_of_itself_counts_alike(rules: Rules) -> None:
    """Supply, parks, schools' offers, workforce and price that a place states, with and without shifts of them."""
    r = np.random.default_rng(12)
    simulation = Simulation(small_place(300, 12, schools=6, local=True), rules, references(r))
    simulation.week = 17
    shake(simulation, r)
    follow(simulation, 3)
    add_shifts(simulation, r)
    follow(simulation, 3)


def test_full_ties_and_none_count_alike(rules: Rules) -> None:
    for ties in (0.0, 10.0):
        r = np.random.default_rng(1)
        place = small_place(60, 1, ties=ties)
        degree = (place.ties < 60).sum(axis=1)
        assert degree.max() == (0 if ties == 0 else 10)
        simulation = Simulation(place, rules, references(r))
        simulation.week = 5
        shake(simulation, r)
        follow(simulation, 3)


def test_what_lasts_is_drawn_alike(rules: Rules) -> None:
    """Noise, tastes and volume of everybody, at the start and after the taste of some years."""
    simulation = Simulation(small_population(50), rules, References.first_guess(), seed=4)
    for year in range(-5, 3):
        model = ReferenceModel.of(simulation)
        assert model.year == year
        for person, theirs in zip(model.everybody, ReferenceModel.of(simulation).everybody, strict=True):
            person.be_someone()
            for name in ("noise", "taste", "taste_domain", "volume_unit"):
                assert getattr(person, name) == pytest.approx(getattr(theirs, name), rel=1e-5, abs=1e-6), name
        simulation.turn_of_the_year()


def test_the_dead_do_nothing_in_both(rules: Rules) -> None:
    simulation = Simulation(small_population(200), rules, References.first_guess())
    people = simulation.people
    people.alive[5:200:7] = False
    for rows in (people.live, people.child):
        rows[5:200:7] = 0
    people.count_ties()
    follow(simulation, 3)


@pytest.mark.slow  # with everything on, in test_agreement_scenarios.py, at every run of the tests
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


def test_comparing_other_people_is_refused(rules: Rules) -> None:
    simulation, other = (Simulation(small_population(n), rules, References.first_guess()) for n in (20, 21))
    with pytest.raises(InputError, match="hold different people; let the model read the run first"):
        ReferenceModel.of(other).compare(simulation)


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
