"""Yearly demography in the compiled run and in the plain reference model: the same people live, age, work and die."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alongside import add_shifts, begin_demography, follow, references, same, shake, small_place, turn
from movesim import draws
from movesim.behaviour import mortality, reference_life
from movesim.behaviour.demography import spare_rows
from movesim.behaviour.reference import ReferenceModel
from movesim.behaviour.rules import Rules, behaviour_ledger, make_rules
from movesim.behaviour.simulation import Simulation
from movesim.place.synthesis import mixed
from movesim.words import TIES, WEEKS_A_YEAR

DRAWN = ("noise", "taste_domain", "volume_unit")  # from a person's nature
MOST_CLOSE = 1e-4  # of a year's chances, too close to call: their band is 2e-6 either side


@pytest.fixture(scope="module")
def rules() -> Rules:
    return make_rules(behaviour_ledger().central())


def begun(
    rules: Rules, r: np.random.Generator, people: int = 600, years: int = 4, **options: object
) -> tuple[Simulation, ReferenceModel]:
    """Return a run and a reference model at week 0 with demography begun, everybody in a random state."""
    place = small_place(people, **options)
    simulation = Simulation(place, rules, references(r), spare=spare_rows(place, years))
    simulation.week = simulation.people.year = 0
    shake(simulation, r)
    return simulation, begin_demography(simulation)


def live_a_year(simulation: Simulation, model: ReferenceModel, r: np.random.Generator) -> None:
    """Let a year pass with random activity in place of its weeks, and turn it in both."""
    simulation.week = (simulation.week // WEEKS_A_YEAR + 1) * WEEKS_A_YEAR
    shake(simulation, r)
    turn(simulation, model)


def test_they_agree_person_by_person_over_ten_years(rules: Rules) -> None:
    r = np.random.default_rng(1)
    simulation, model = begun(rules, r, people=500, years=10)
    years = []
    for _ in range(10):
        live_a_year(simulation, model, r)
        years.append(model.changes)
    counts = {name: sum(getattr(year, name) for year in years) for name in ("died", "born", "arrived", "households", "decisions")}
    near = sum(year.near for year in years)
    print(f"over ten years {counts}; too close to call: {near}")
    assert counts["died"] > 60 and counts["born"] > 25 and counts["arrived"] > 150 and counts["households"] > 80
    assert near / counts["decisions"] < MOST_CLOSE
    assert model.n == simulation.people.n > 525
    ages = [p.age for p in model.everybody if p.alive]
    assert min(ages) == 0 and max(ages) > 95


def test_what_a_year_does_is_met_and_compared(rules: Rules) -> None:
    """Every kind of change happens to somebody in the years compared, so that none agrees because nothing happened."""
    r = np.random.default_rng(2)
    simulation, model = begun(rules, r, people=900, years=3)
    met = dict.fromkeys(("ill", "better", "graduate", "starts work", "stops work", "starts school", "leaves school"), 0)
    for _ in range(3):
        was = {p.who["id"]: (dict(p.who), list(p.H), p.noise) for p in model.everybody if p.alive}
        live_a_year(simulation, model, r)
        for p in model.everybody:
            if not p.alive or p.who["id"] not in was:
                continue
            before, _, noise = was[p.who["id"]]
            met["ill"] += p.who["impairments"] > before["impairments"]
            met["better"] += p.who["impairments"] < before["impairments"]
            met["graduate"] += before["ns_sec"] == 3 and p.who["ns_sec"] < 3
            met["starts work"] += p.who["in_work"] > before["in_work"]
            met["stops work"] += p.who["in_work"] < before["in_work"]
            met["starts school"] += p.age == 5 and p.noise != noise
            met["leaves school"] += p.age == 16 and before["school"] > 0 and p.who["school"] == 0
    assert all(count > 3 for count in met.values()), met


def test_at_16_habits_carry_over_and_set_points_are_renewed(rules: Rules) -> None:
    r = np.random.default_rng(3)
    simulation, model = begun(rules, r, ages=(14, 18))
    live_a_year(simulation, model, r)
    at_fifteen = {p.who["id"]: (list(p.H), p.P0) for p in model.everybody if p.age == 15}
    simulation.week += WEEKS_A_YEAR
    turn(simulation, model)
    leavers = [p for p in model.everybody if p.alive and p.age == 16 and p.who["id"] in at_fifteen]
    assert len(leavers) > 50
    assert all(p.H[:4] == pytest.approx(at_fifteen[p.who["id"]][0][:4]) for p in leavers)
    assert all(at_fifteen[p.who["id"]][1] != p.P0 for p in leavers if p.who["impairments"])
    follow(simulation, 2, model)


def test_who_was_active_last_week_is_told_by_the_age_of_last_week(rules: Rules) -> None:
    """A child of 300 minutes was not active; having turned 16 they are, from their first week as an adult on."""
    r = np.random.default_rng(4)
    simulation, model = begun(rules, r, ages=(15, 16), people=60, ties=8)
    n = simulation.people.n
    simulation.people.ring[:, :n] = simulation.people.mean[:n] = 300
    simulation.people.active[:n] = 0
    simulation.week = WEEKS_A_YEAR
    turn(simulation, model)
    stayed = [p for p in model.everybody if p.alive and p.age == 16]
    assert len(stayed) > 40 and not any(p.status for p in stayed if p.x4 == 300)
    follow(simulation, 3, model)


def test_they_agree_week_by_week_through_the_years(rules: Rules) -> None:
    """The weeks around two turns of the year, under shifts: children begin at five, newcomers arrive, the dead rest."""
    r = np.random.default_rng(5)
    simulation, model = begun(rules, r, people=300)
    add_shifts(simulation, r)
    simulation.week = 49
    seen = follow(simulation, 6, model)
    simulation.week = 101
    seen += follow(simulation, 6, model)
    assert len(seen.years) == 2 and sum(year.born for year in seen.years) > 2
    seen.print_near_ties()


@settings(max_examples=20, deadline=None, derandomize=True, database=None)
@given(
    people=st.sampled_from((1, 2, 7, 8, 9, 33, 90)), neighbourhoods=st.integers(1, 6), draw=st.integers(0, 10_000),
    year=st.integers(1, 10), ages=st.sampled_from(((0, 95), (0, 17), (16, 50), (60, 104))),
    ties=st.sampled_from((0.0, 3.0, 10.0)), schools=st.integers(0, 5), shifts=st.booleans(),
)  # fmt: skip
def test_they_agree_on_a_year_in_any_small_place(people, neighbourhoods, draw, year, ages, ties, schools, shifts) -> None:
    r = np.random.default_rng([people, draw])
    drawn = make_rules(behaviour_ledger().draw(2, draw))
    place = small_place(people, neighbourhoods, draw, ages, ties, schools)
    simulation = Simulation(place, drawn, references(r), seed=draw, spare=spare_rows(place, 2))
    simulation.week = simulation.people.year = 0
    simulation.people.trend = tuple(r.normal(0, 0.05, 2))
    shake(simulation, r)
    model = begin_demography(simulation)
    if shifts:
        add_shifts(simulation, r)
    simulation.people.year, simulation.week = year - 1, WEEKS_A_YEAR * year - 1
    simulation.people.refresh(drawn)
    shake(simulation, r)
    follow(simulation, 2, model)
    live_a_year(simulation, model, r)


@pytest.mark.slow
@pytest.mark.parametrize("draw", range(4))
def test_they_agree_over_ten_years_under_every_draw(draw: int) -> None:
    r = np.random.default_rng([6, draw])
    simulation, model = begun(make_rules(behaviour_ledger().draw(1, draw)), r, people=800, years=10, seed=draw)
    for _ in range(10):
        live_a_year(simulation, model, r)


# --- the pieces ---------------------------------------------------------------------------------------------------------
def test_tables_say_the_same_by_age(rules: Rules) -> None:
    simulation = Simulation(small_place(20), rules, references(np.random.default_rng(0)))
    model, theirs = ReferenceModel.of(simulation), mortality.tables()
    for age in (0, 4, 5, 15, 16, 17, 24, 44, 45, 64, 65, 84, 85, 104):
        assert reference_life.by_age("births", "births", age) == theirs.births[age]
        assert reference_life.by_age("in_work", "in work", age) == theirs.in_work[age]
        for minutes in (0.0, 12.0, 30.0, 149.9, 150.0, 299.0, 300.0, 4000.0):
            ours = reference_life.relative_risk(model, age, minutes)
            assert ours == pytest.approx(float(mortality.relative_risk(rules, np.array([age]), np.array([minutes]))[0]))
        for fifth in range(5):
            ours = reference_life.deaths_a_year(model, age, fifth + 1)
            assert ours == pytest.approx(float(mortality.baseline(rules, np.array([age]), np.array([fifth]))[0]))


def test_identities_are_mixed_alike() -> None:
    for base in (0, 1, 2**63, 2**64 - 1, int(draws.hash_id("moves", "E01000001"))):
        for number in (0, 1, 17, 2**40):
            assert reference_life.identity(base, number) == int(mixed(np.array([base], np.uint64), np.array([number]))[0])


def test_a_difference_between_lives_is_found(rules: Rules) -> None:
    r = np.random.default_rng(7)
    simulation, model = begun(rules, r)
    live_a_year(simulation, model, r)
    people = simulation.people
    child = next(p for p in model.everybody if p.alive and p.age == 8 and p.tied)
    for spoil, names in (
        (lambda: people.columns["impairments"].__setitem__(child.row, 2), {"impairments"}),
        (lambda: people.alive.__setitem__(child.row, False), {"alive", "impairments"}),
        (lambda: people.ties.__setitem__((child.row, slice(0, TIES)), people.capacity), {"ties", "alive", "impairments"}),
        (
            lambda: people.nature.__setitem__(child.row, 9),
            {"noise", "taste_domain", "volume_unit", "ties", "alive", "impairments"},
        ),
    ):
        spoil()
        found = model.compare_lives(simulation).worst()
        assert {name for name, value in found.items() if value > 1e-3} == names
    people.columns["id"][child.row] += np.uint64(1)
    assert model.compare_lives(simulation).worst()["ids"] == 2
    with pytest.raises(AssertionError, match="the year: the compiled run and the reference model differ in"):
        same(model.compare_lives(simulation), "the year")


def test_chances_too_close_to_call_are_told(rules: Rules, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference_life, "NEAR_A_YEAR", 0.01)
    r = np.random.default_rng(8)
    simulation, model = begun(rules, r)
    live_a_year(simulation, model, r)
    year = model.changes
    assert year.near > 20 and len(year.close) >= year.near / 4
    found = model.compare_lives(simulation)
    assert {row for row, domain in found.near_ties if domain == -1} == {
        row for row, p in enumerate(model.everybody) if p in year.close
    }


def test_without_demography_tastes_drift_alone(rules: Rules) -> None:
    r = np.random.default_rng(9)
    simulation = Simulation(small_place(200), rules, references(r))
    simulation.week = WEEKS_A_YEAR
    shake(simulation, r)
    model = ReferenceModel.of(simulation)
    taste = [p.taste for p in model.everybody]
    turn(simulation, model)
    assert model.changes is None and all(p.taste != old for p, old in zip(model.everybody, taste, strict=True))
