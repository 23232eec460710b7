"""Yearly demography: rates come out as put in, lives are shared by scenarios, and nobody is lost or counted twice."""

from __future__ import annotations

import copy
import sys
from pathlib import Path

import numpy as np
import pytest

from movesim.behaviour import family, lasting, lifecourse, mortality, moves
from movesim.behaviour.demography import Demography, spare_rows
from movesim.behaviour.rules import References, Rules, behaviour_ledger, demography_ledger, make_rules
from movesim.behaviour.simulation import Simulation, measure_references
from movesim.config import conf_folder
from movesim.errors import InputError, MovesimError
from movesim.words import TIE_KINDS

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from small import small_population

YEARS = 10


@pytest.fixture(scope="module")
def rules() -> Rules:
    return make_rules(behaviour_ledger().central())


@pytest.fixture(scope="module")
def begun(rules: Rules) -> Simulation:
    """A made-up place of 4,000 people at week 0 with demography on; activity is laid on, not simulated."""
    population = small_population(4_000, 40)
    simulation = Simulation(population, rules, References.first_guess(), spare=spare_rows(population, YEARS))
    simulation.week = 0
    lay_on(simulation)
    simulation.references = with_risk(simulation.references, mortality.mean_risk(rules, simulation.people))
    simulation.demography = Demography.at(simulation)
    return simulation


def with_risk(references: References, risk: np.ndarray) -> References:
    return References(references.peers, references.mastery, references.enjoyment, references.intention, risk)


def lay_on(simulation: Simulation, factor: float = 1.0) -> None:
    """Give everybody over four a year's minutes, more for the young and where there is less deprivation."""
    people, n = simulation.people, simulation.people.n
    own = np.exp(1.2 * lasting.drawn(people, simulation.rules)["volume_unit"])
    decile = people.neighbourhoods["imd_decile"][people.neighbourhood]
    weekly = factor * own * np.maximum(160 - 1.5 * people.age, 10) * (0.7 + 0.06 * decile) * (people.age >= 5) * people.alive[:n]
    people.mean[:n] = weekly
    people.ring[:, :n] = weekly
    people.year_minutes[:n] = 52 * weekly


def live_a_year(simulation: Simulation, factor: float = 1.0) -> None:
    simulation.week += 52
    lay_on(simulation, factor)
    simulation.turn_of_the_year()


def lived(simulation: Simulation, years: int = YEARS, factor: float = 1.0) -> Simulation:
    run = simulation.branch()
    for _ in range(years):
        live_a_year(run, factor)
    return run


@pytest.fixture(scope="module")
def decade(begun: Simulation) -> Simulation:
    return lived(begun)


def columns_equal(a: Simulation, b: Simulation) -> bool:
    p, q = a.people, b.people
    same = all(np.array_equal(p.columns[k], q.columns[k]) for k in p.columns)
    same &= all(np.array_equal(p.floats[k], q.floats[k]) for k in p.floats)
    names = ("alive", "original", "ties", "tie_kind", "degree", "band", "active", "counted", "friends")
    return p.n == q.n and same and all(np.array_equal(getattr(p, k), getattr(q, k)) for k in names)


# --- death ----------------------------------------------------------------------------------------------------------
def test_the_table_has_the_published_rates() -> None:
    deaths = mortality.tables().deaths
    assert deaths[0, 0] == pytest.approx(0.001395) and deaths[42, 0] == pytest.approx(0.002423)
    assert deaths[62, 4] == pytest.approx(0.005095) and deaths[85, 2] == deaths[104, 2] == pytest.approx(0.152908)


def test_the_curve_is_linear_between_its_points_and_flat_beyond_them(rules: Rules) -> None:
    full = make_rules({**rules.values, "mortality.effect": 1.0})
    risk = mortality.relative_risk(full, np.full(6, 50), np.array([0, 30, 45, 150, 300, 900]))
    assert risk == pytest.approx([1, 0.909, 0.8705, 0.7, 0.656, 0.656])
    half = make_rules({**rules.values, "mortality.effect": 0.5})
    assert mortality.relative_risk(half, np.array([50]), np.array([150.0])) == pytest.approx(0.7**0.5)
    assert mortality.relative_risk(full, np.array([12]), np.array([150.0])) == 1.0


def test_baseline_deaths_by_stratum_are_those_of_the_table(begun: Simulation, rules: Rules) -> None:
    people, n = begun.people, begun.people.n
    fifth = mortality.fifth_of(people)
    base = mortality.baseline(rules, people.age, fifth)
    drawn = -np.expm1(-base * mortality.against_england(rules, begun.references.risk, people))
    for band in range(7):
        for f in range(5):
            here = (people.band[:n] == band) & (fifth == f)
            # a rate is deaths over the years lived, so compare with 1 - exp(-rate) of the table
            assert drawn[here].sum() == pytest.approx(-np.expm1(-base[here]).sum(), rel=0.03)


def test_deaths_drawn_are_as_many_as_expected(begun: Simulation, rules: Rules) -> None:
    people = begun.people
    hazard = mortality.baseline(rules, people.age, mortality.fifth_of(people))
    expected = -np.expm1(-hazard).sum()
    drawn = [mortality.deaths(people, 52 * year, hazard).size for year in range(1, 41)]
    assert abs(np.mean(drawn) - expected) < 4 * np.sqrt(expected / len(drawn))


def test_more_activity_means_fewer_deaths_and_only_among_the_same_draws(begun: Simulation) -> None:
    less, same, more = (lived(begun, 1, factor) for factor in (0.1, 1.0, 5.0))
    died = [set(run.changes.died.tolist()) for run in (less, same, more)]
    assert len(died[0]) > len(died[1]) > len(died[2])
    assert died[2] <= died[1] <= died[0]  # one uniform a person: activity only ever spares


def test_the_dead_keep_their_rows_and_are_counted_no_more(begun: Simulation, decade: Simulation) -> None:
    people = decade.people
    dead = np.flatnonzero(~people.alive[: people.n])
    assert dead.size > 300
    assert (people.weight[dead] == 50).all() and (people.live[dead] == 0).all() and (people.child[dead] == 0).all()
    assert (people.ties[dead] == people.capacity).all() and (people.degree[dead] == 0).all()
    assert not np.isin(people.ties[: people.n], dead).any()
    one = lived(begun, 1)
    gone = one.changes.died
    assert np.array_equal(one.people.age[gone], begun.people.age[gone] + 1)
    assert np.array_equal(lived(begun, 3).people.age[gone], one.people.age[gone])


def test_risk_of_a_stratum_without_anybody_is_that_of_its_band(begun: Simulation, rules: Rules) -> None:
    run = begun.branch()
    people = run.people
    lay_on(run)
    people.alive[: people.n] &= (mortality.fifth_of(people) != 2) & (people.band[: people.n] != 6)
    risk = mortality.mean_risk(rules, people)
    assert risk.shape == (7, 5) and (risk[:3] == 1).all() and (risk[6] == 1).all()
    assert risk[4, [0, 1, 3, 4]].min() < risk[4, 2] < risk[4, [0, 1, 3, 4]].max()
    assert risk[4, 0] > risk[4, 4]


def test_references_carry_risk_and_the_kernel_does_not_see_it(begun: Simulation) -> None:
    again = References.from_dict(begun.references.to_dict())
    assert np.array_equal(again.risk, begun.references.risk) and again.risk.dtype == np.float32
    assert again.stacked.shape == (4, 7) and (References.first_guess().risk == 1).all()


# --- births and ties ------------------------------------------------------------------------------------------------
def test_births_are_near_their_rates(begun: Simulation, rules: Rules) -> None:
    run = begun.branch()
    women = (run.people.sex == 1) & run.people.alive[: run.people.n]
    expected = mortality.tables().births[run.people.age[women]].sum()
    born = []
    for week in range(52, 52 * 25, 52):
        other = run.branch()
        born.append(family.births(other.people, rules, week).size)
    assert abs(np.mean(born) - expected) < 4 * np.sqrt(expected / len(born))


def test_a_newborn_takes_after_its_mother(begun: Simulation) -> None:
    run = lived(begun, 1)
    people, born = run.people, run.changes.born
    assert born.size and np.array_equal(born, np.arange(begun.people.n, people.n))
    for name, value in (("age", 0), ("impairments", 0), ("ns_sec", 4), ("in_work", 0), ("school", 0), ("weight", 50)):
        assert (people.columns[name][born] == value).all()
    mothers_home = np.isin(people.household[born], people.household[(people.sex == 1) & (people.age < 46)])
    assert mothers_home.all() and (people.affluence[born] >= 0).all()
    assert (people.live[born] == 0).all() and (people.state[:, born] > 0.01).all() and not people.original[born].any()
    for row in born:
        home = np.flatnonzero((people.household == people.household[row]) & people.alive[: people.n])
        tied = people.ties[row][people.ties[row] < people.capacity]
        assert set(tied) <= set(home)
        assert (people.tie_kind[row][: tied.size] == TIE_KINDS.index("household")).all()
        assert people.neighbourhood[row] == people.neighbourhood[home[0]]


def test_affluence_is_that_of_siblings_or_of_the_third_of_income(begun: Simulation) -> None:
    people = begun.branch().people
    alone = np.flatnonzero((people.age > 20) & ~np.isin(people.household, people.household[people.affluence >= 0]))[:3]
    people.columns["income_rank"][alone] = [0.1, 0.5, 1.0]
    assert family._affluence(people, alone).tolist() == [0, 1, 2]
    sibling = np.flatnonzero(people.affluence == 2)[0]
    others = np.flatnonzero((people.household == people.household[sibling]) & (people.affluence >= 0))
    people.columns["affluence"][others] = 2
    people.columns["income_rank"][sibling] = 0.1
    assert family._affluence(people, np.array([sibling])).tolist() == [2]


def test_ids_stay_unique_and_ties_both_ways(decade: Simulation) -> None:
    people, n = decade.people, decade.people.n
    assert np.unique(people.id).size == n
    own, place = np.nonzero(people.ties[:n] < people.capacity)
    other, kind = people.ties[own, place], people.tie_kind[own, place]
    there = {(int(a), int(b), int(k)) for a, b, k in zip(own, other, kind, strict=True)}
    assert len(there) == own.size and all((b, a, k) in there for a, b, k in there)
    assert (people.tie_kind[:n][people.ties[:n] == people.capacity] == -1).all()
    assert (own != other).all() and people.degree[:n].max() <= people.ties.shape[1]


def test_nobody_is_counted_twice_or_lost(begun: Simulation) -> None:
    run = begun.branch()
    for _ in range(4):
        before = int(run.people.alive.sum())
        live_a_year(run)
        assert run.people.alive.sum() == before - run.changes.died.size + run.changes.born.size
        assert not run.people.alive[run.people.n :].any()
        assert run.people.live.sum() == (run.people.alive[: run.people.n] & (run.people.age >= 5)).sum()


def test_too_few_rows_for_births_says_how_many(rules: Rules) -> None:
    run = Simulation(small_population(4_000, 40), rules, References.first_guess(), spare=3)
    run.week = 0
    run.demography = Demography.at(run)
    with pytest.raises(MovesimError, match=r"born in week 52 but only 3 rows are free; start the run with spare=\d+"):
        live_a_year(run)


def test_spare_rows_suffice_without_waste(begun: Simulation, decade: Simulation) -> None:
    used = decade.people.n - begun.people.n
    assert used < spare_rows(small_population(4_000, 40), YEARS) < 2 * used
    assert spare_rows(small_population(4_000, 40), 0) == 4


# --- growing up and old ---------------------------------------------------------------------------------------------
def test_everybody_alive_ages_one_year(begun: Simulation) -> None:
    run, n = lived(begun, 1), begun.people.n
    assert np.array_equal(run.people.age[:n], begun.people.age + 1)
    later = lived(begun, 4).people
    assert np.array_equal(later.band[:n], np.searchsorted([5, 11, 16, 35, 55, 75], later.age[:n], "right"))


def test_sixteen_year_olds_leave_school_and_become_students(begun: Simulation) -> None:
    people = lived(begun, 1).people
    leavers = (people.age == 16) & people.alive[: people.n]
    assert leavers.sum() > 20
    for name, value in (("school", 0), ("affluence", -1), ("ns_sec", 3)):
        assert (people.columns[name][: people.n][leavers] == value).all()
    assert (people.child[: people.n][leavers] == 0).all() and people.in_work[leavers].mean() < 0.3


def test_children_start_where_most_pupils_of_the_neighbourhood_go(rules: Rules) -> None:
    population = small_population(4_000, 40)
    population.schools = {
        "code": np.array(["none", "P1", "P2", "S1", "S2"]), "phase": np.array([0, 1, 1, 2, 2], np.int8),
        "neighbourhood": np.zeros(5, np.int32),
    }  # fmt: skip
    age, here = population.people["age"], population.people["neighbourhood"]
    pupil = (age >= 5) & (age < 16)
    odd = here % 2 == 1
    population.people["school"] = np.where(pupil, 1 + 2 * (age >= 11) + odd, 0).astype(np.int32)
    population.people["school"][pupil & (here == 3)] = 0  # no pupils: the authority's usual school
    run = Simulation(population, rules, References.first_guess(), spare=200)
    run.week = 0
    run.demography = Demography.at(run)
    before = run.demography.before
    assert before.primary[[0, 1, 2]].tolist() == [1, 2, 1] and before.secondary[[0, 1, 2]].tolist() == [3, 4, 3]
    assert before.primary[3] in (1, 2) and before.secondary[3] in (3, 4)
    live_a_year(run)
    people = run.people
    for starts, usual in ((5, before.primary), (11, before.secondary)):
        rows = np.flatnonzero((people.age == starts) & people.alive[: people.n])
        assert rows.size and np.array_equal(people.school[rows], usual[people.neighbourhood[rows]])


def test_children_begin_at_five_with_the_ways_of_a_child_like_them(begun: Simulation) -> None:
    simulation = begun.branch()
    people, before = simulation.people, begun.demography.before  # type: ignore[union-attr]
    people.H[:, : people.n] = 0.0  # as habits of under-fives may have become
    live_a_year(simulation)
    fives = np.flatnonzero(people.alive[: people.n] & (people.age == 5))
    children = np.flatnonzero((begun.people.age >= 5) & (begun.people.age < 11))
    known = set(before.nature[children].tolist())
    assert fives.size > 20
    assert known.issuperset(people.nature[fives].tolist())
    assert np.allclose(people.H[:, fives].mean(), before.traits["H"][:, children].mean(), atol=0.05)


def test_school_starters_are_tied_to_class_mates(begun: Simulation) -> None:
    people = begun.branch().people
    kind, authority = TIE_KINDS.index("class"), people.neighbourhoods["local_authority"]
    starters = np.flatnonzero(people.age == 4)
    people.columns["school"][starters] = 1
    people.neighbourhoods = {**people.neighbourhoods, "imd_decile": np.full(40, 5, np.int8)}
    family.tie_classmates(people, starters[:0], 4, 52)
    assert (people.tie_kind != kind).all()
    family.tie_classmates(people, starters, 4, 52)
    mates = (people.tie_kind[starters] == kind).sum(axis=1)
    assert mates.max() <= 4 and mates.mean() > 1.5  # two places are free here
    row, place = np.nonzero(people.tie_kind[: people.n] == kind)
    other = people.ties[row, place]
    assert np.array_equal(authority[people.neighbourhood[row]], authority[people.neighbourhood[other]])
    assert (people.age[row] == people.age[other]).all()


def test_study_work_and_retirement_hold_their_rates(decade: Simulation) -> None:
    people = decade.people
    alive = people.alive[: people.n]
    working_age, old = alive & (people.age >= 25) & (people.age < 65), alive & (people.age >= 70)
    assert 0.70 < people.in_work[working_age].mean() < 0.85
    assert people.in_work[old].mean() < 0.05
    assert (people.ns_sec[alive & (people.age >= 75)] == 4).all()
    assert (people.ns_sec[alive & (people.age >= 16) & (people.age < 75)] <= 3).all()
    assert (people.ns_sec[alive & ((people.age == 16) | (people.age == 17))] == 3).all()
    graduates = alive & (people.age >= 23) & (people.age < 26)
    shares = np.bincount(people.ns_sec[graduates], minlength=4)[:4] / graduates.sum()
    assert shares[3] < 0.25 and shares[:3].min() > 0.1


def test_impairments_neither_explode_nor_vanish(begun: Simulation, decade: Simulation) -> None:
    def prevalence(run: Simulation) -> float:
        people = run.people
        adult = people.alive[: people.n] & (people.age >= 16)
        return float((people.impairments[adult] > 0).mean())

    assert abs(prevalence(decade) - prevalence(begun)) < 0.06
    assert decade.people.impairments.min() >= 0 and decade.people.impairments.max() <= 3


def test_impairments_follow_age_deprivation_and_activity(begun: Simulation, rules: Rules) -> None:
    def onsets(ratio: float) -> np.ndarray:
        people = begun.branch().people
        people.columns["impairments"][:] = 0
        total = np.zeros(people.n)
        for week in range(52, 52 * 21, 52):
            other = copy.copy(people)
            other.columns = {k: v.copy() for k, v in people.columns.items()}
            lifecourse.impairments(other, rules, week, np.full(people.n, ratio))
            total += other.impairments > 0
        return total

    usual, active = onsets(1.0), onsets(0.7)
    people = begun.people
    decile = people.neighbourhoods["imd_decile"][people.neighbourhood]
    adult = people.age > 16
    assert active[adult].sum() < 0.85 * usual[adult].sum()
    assert usual[people.age >= 70].mean() > 2 * usual[adult & (people.age < 50)].mean()
    assert usual[adult & (decile <= 3)].mean() > 1.2 * usual[adult & (decile >= 8)].mean()


def test_flags_follow_the_children_of_the_household(decade: Simulation, rules: Rules) -> None:
    people, n = decade.people, decade.people.n
    alive, adult = people.alive[:n], people.alive[:n] & (people.age >= 16)
    young, flagged = people.young_children > 0, people.pregnant_or_baby > 0
    home = {h: int(people.age[alive & (people.household == h)].min()) for h in set(people.household[alive].tolist())}
    youngest = np.array([home.get(h, 99) for h in people.household.tolist()])
    parent = adult & (youngest < 5) & (people.age - youngest >= 16) & (people.age - youngest <= 50)
    assert np.array_equal(young, parent)
    baby = parent & (youngest == 0)
    assert baby.any() and (baby <= flagged).all()
    expecting = flagged & ~baby
    assert (people.sex[expecting] == 1).all() and (people.age[expecting] < 45).all()
    after = decade.branch()
    after.week += 52
    after.people.columns["age"][:n] += 1
    born = family.births(after.people, rules, after.week)
    homes = set(after.people.household[born].tolist())
    assert expecting.any() and set(people.household[expecting].tolist()) <= homes


# --- moves ----------------------------------------------------------------------------------------------------------
def test_the_same_households_move_in_all_scenarios(begun: Simulation) -> None:
    one, other = begun.branch(), begun.branch()
    moved = 0
    for _ in range(5):
        live_a_year(one)
        live_a_year(other, 0.3)
        assert one.changes.households == other.changes.households > 0
        homes = [set(run.people.household[run.changes.arrived].tolist()) for run in (one, other)]
        assert len(homes[0] ^ homes[1]) <= 2  # a household that has died out in one of the two
        moved += one.changes.households
    assert one.people.alive.sum() > other.people.alive.sum()
    assert moved / 5 == pytest.approx(0.05 * 1_000, rel=0.15)


def test_newcomers_are_other_people_like_those_who_left(begun: Simulation) -> None:
    run = lived(begun, 3)
    people, rows = run.people, run.changes.arrived
    there = rows[rows < begun.people.n]
    assert not np.isin(people.id[rows], begun.people.id).any()
    assert np.array_equal(people.sex[there], begun.people.sex[there])
    assert np.array_equal(people.household[there], begun.people.household[there])
    assert not people.original[rows].any() and begun.people.original[: begun.people.n].all()
    # everybody took the traits of somebody who was there at week 0
    assert np.isin(people.nature[rows], begun.people.nature[: begun.people.n]).all()
    assert np.isin(people.mean[rows], begun.demography.before.traits["mean"]).all()
    limit = np.where(people.age[rows] < 16, 420, 150)
    assert np.array_equal(people.active[rows] > 0, (people.mean[rows] >= limit) & (people.age[rows] >= 5))


def test_newcomers_forget_what_a_policy_did(begun: Simulation, rules: Rules) -> None:
    one, other = begun.branch(), begun.branch()
    other.people.H[:] = 0.9
    for run in (one, other):
        run.week += 52
        lay_on(run)
        run.turn_of_the_year()
    rows = one.changes.arrived
    assert np.array_equal(one.people.H[:, rows], other.people.H[:, rows]) and (other.people.H[:, : begun.people.n] == 0.9).any()
    assert one.demography.before is other.demography.before


def test_donors_are_alike_as_far_as_anybody_is(begun: Simulation) -> None:
    before, people, n = begun.demography.before, begun.people, begun.people.n
    decile = people.neighbourhoods["imd_decile"][people.neighbourhood]
    groups = [np.asarray(g) for g in moves.donor_groups(decile, people.band[:n], people.sex, people.impairments > 0)]
    donor = before.donor(groups, np.random.default_rng(1).random(n))
    assert np.array_equal(decile[donor], decile) and np.array_equal(people.band[donor], people.band[:n])
    assert np.array_equal(people.sex[donor], people.sex)
    nobody = [np.full(1, 279), np.full(1, 27), np.full(1, 13), np.full(1, 6)]
    emptied = tuple(type(d)(d.order, d.start, np.zeros_like(d.count)) for d in before.donors[:3])
    found = type(before)(**{**before.__dict__, "donors": (*emptied, before.donors[3])}).donor(nobody, np.array([0.5]))
    assert people.band[found[0]] == 6
    emptied = tuple(type(d)(d.order, d.start, np.zeros_like(d.count)) for d in before.donors)
    assert type(before)(**{**before.__dict__, "donors": emptied}).donor(nobody, np.array([0.5])).tolist() == [-1]


# --- the whole ------------------------------------------------------------------------------------------------------
def test_two_branches_live_the_same_lives(begun: Simulation, decade: Simulation) -> None:
    assert columns_equal(lived(begun), decade)


def test_without_demography_nobody_changes(rules: Rules) -> None:
    run = Simulation(small_population(500, 10), rules, References.first_guess(), spare=20)
    before = run.branch()
    run.week = 52
    run.turn_of_the_year()
    assert run.demography is None and run.changes is None and run.people.n == 500
    assert all(np.array_equal(run.people.columns[k], before.people.columns[k]) for k in run.people.columns)
    assert np.array_equal(run.people.alive, before.people.alive)
    assert run.people.original[:500].all() and not run.people.original[500:].any()


def test_week_zero_has_no_demography(begun: Simulation) -> None:
    run = begun.branch()
    run.turn_of_the_year()
    assert run.changes is None and np.array_equal(run.people.age, begun.people.age)


def test_it_begins_after_the_burn_in(rules: Rules) -> None:
    run = Simulation(small_population(500, 10), rules, References.first_guess())
    with pytest.raises(MovesimError, match="Demography begins after the burn-in, at week 0; this run is at week -260"):
        Demography.at(run)


def test_rules_without_its_numbers_are_refused(rules: Rules) -> None:
    run = Simulation(small_population(500, 10), rules, References.first_guess())
    values = {k: v for k, v in rules.values.items() if k != "moves.rate"}
    run.rules, run.week = make_rules(values), 0
    with pytest.raises(InputError, match=r"The rules lack 'moves.rate', which demography needs"):
        Demography.at(run)


def test_its_numbers_belong_to_the_behaviour_ledger() -> None:
    own, whole = demography_ledger(), behaviour_ledger()
    assert set(own) <= set(whole) and all(p.group == "demography" for p in own.values())
    assert not any(p.status == "computed" for p in own.values())  # nothing here is fitted on the burn-in, which has none


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("      5: [0.669, 0.062,", "      5: [0.669,", "The row '5' has 17 numbers; it must have one for each of 18 columns."),
        ("minutes: [0, 30,", "minutes: [0, 90,", "The minutes of the curve must begin at 0 and rise."),
        ("minutes: [0, 30,", "minutes: [0,", "There are 5 minutes and 6 ratios; each needs one."),
        ("ratio: [1.0, 0.909,", "ratio: [1.0, 1.109,", "The ratios of the curve must begin at 1, never rise and stay above 0."),
        ("births: [0.010,", "births: [-0.010,", "The row 'births' of the table 'births' has a number below 0."),
        ("in work: [0.30,", "in work: [1.30,", "Shares in work must lie between 0 and 1."),
        ("in work: [0.30,", "working: [0.30,", "The table 'in_work' needs a row 'in work' of numbers."),
        ("in work: [0.30,", "in work: [many,", "The table 'in_work' needs a row 'in work' of numbers."),
    ],
)
def test_a_wrong_table_is_told_with_its_line(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    text = (conf_folder() / "behaviour" / "demography.yaml").read_text(encoding="utf-8")
    path = tmp_path / "demography.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputError) as told:
        mortality.tables(path)
    assert sentence in str(told.value) and "demography.yaml:" in str(told.value)


def test_with_the_weekly_model_around_it(rules: Rules) -> None:
    """Two years with the compiled week: two branches alike, shifts of nothing are no change, everybody within bounds."""
    population = small_population(600, 10)
    references = measure_references(population, rules)
    assert ((references.risk > 0.6) & (references.risk <= 1)).all() and (references.risk[3:] < 1).any()
    run = Simulation(population, rules, references, spare=spare_rows(population, 2))
    run.week = -8
    run.run(8)
    run.demography = Demography.at(run)
    plain, again, nothing = run.branch(), run.branch(), run.branch()
    nothing.shifts.array("P")
    nothing.shifts.touched("P")
    for branch in (plain, again, nothing):
        branch.run(108)
    assert columns_equal(plain, again) and plain.people.n > run.people.n
    assert np.array_equal(plain.people.state, nothing.people.state) and np.array_equal(plain.people.mean, nothing.people.mean)
    n = plain.people.n
    state = plain.people.state[:, :n]
    assert np.isfinite(state).all() and state.min() >= 0.01 and state.max() <= 1
    assert (plain.people.mean[:n][~plain.people.alive[:n]] == 0).all()
