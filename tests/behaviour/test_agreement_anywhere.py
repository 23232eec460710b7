"""The same person at any offset of any block, in any thread, lives the same life, bit for bit (MODEL section 9.10)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alongside import add_shifts_of_their_own, apart, in_order, lives, references, small_place
from movesim.behaviour.demography import Demography, spare_rows
from movesim.behaviour.rules import References, Rules, behaviour_ledger, make_rules
from movesim.behaviour.simulation import Simulation
from movesim.behaviour.week import BLOCK

GUESS = References.first_guess()


@pytest.fixture(scope="module")
def rules() -> Rules:
    return make_rules(behaviour_ledger().central())


def lived(place, rules: Rules, weeks: int = 8, start: int = -4, shifted: bool = True, **options) -> Simulation:
    """Return a run of a place after some weeks over a turn of the year, everybody pushed by what is their own."""
    run = Simulation(place, rules, options.pop("references", GUESS), **options)
    run.week = start
    if shifted:
        add_shifts_of_their_own(run)
    run.run(weeks)
    return run


@settings(max_examples=20, deadline=None, derandomize=True, database=None)
@given(
    people=st.integers(1, 40), draw=st.integers(0, 10_000), start=st.integers(-200, 500), ties=st.sampled_from((0.0, 4.0, 10.0)),
    ages=st.sampled_from(((0, 95), (5, 16), (16, 90))), spare=st.integers(0, 9), data=st.data(),
)  # fmt: skip
def test_any_order_of_a_small_place_is_the_same_lives(people, draw, start, ties, ages, spare, data) -> None:
    r = np.random.default_rng([people, draw])
    place, drawn = small_place(people, 1 + draw % 5, draw, ages, ties), make_rules(behaviour_ledger().draw(3, draw))
    rows = np.array(data.draw(st.permutations(range(people))))
    one, other = (
        lived(p, drawn, 5, start, references=references(r0), seed=draw, spare=free)
        for p, free, r0 in ((place, 0, r), (in_order(place, rows), spare, np.random.default_rng([people, draw])))
    )
    assert apart(lives(one), lives(other)) == {}


def test_alone_or_anywhere_among_others(rules: Rules) -> None:
    """People without ties, each alone in the place, and first, last and around the seams of blocks among thousands."""
    crowd = small_place(BLOCK + 9, 5, ties=0.0, ages=(16, 90))
    n = BLOCK + 9
    whole = lives(lived(crowd, rules))
    for row in (0, 7, 8, 9, BLOCK - 1, BLOCK, BLOCK + 1, n - 1):
        alone = lives(lived(in_order(crowd, np.array([row])), rules))
        at = int(np.flatnonzero(whole["id"] == alone["id"][0])[0])
        assert apart(alone, {name: column[..., at : at + 1] for name, column in whole.items()}) == {}, row
    turned = lives(lived(in_order(crowd, np.roll(np.arange(n), 3)), rules))
    assert apart(whole, turned) == {}


@pytest.mark.parametrize("people", [1, 8, BLOCK, BLOCK + 1, 3 * BLOCK - 1])
def test_any_number_of_threads_is_the_same_lives(rules: Rules, people: int) -> None:
    place = small_place(people, 7)
    one = lives(lived(place, rules))
    for threads in (2, 3, 8):
        assert apart(one, lives(lived(place, rules, threads=threads))) == {}, threads


def test_threads_through_a_year_of_life(rules: Rules) -> None:
    place = small_place(2 * BLOCK + 5, 9)
    runs = []
    for threads in (1, 2):
        run = Simulation(place, rules, references(np.random.default_rng(1)), spare=spare_rows(place, 1), threads=threads)
        run.week = run.people.year = 0
        run.demography = Demography.at(run)
        run.week = 50
        run.run(6)
        assert run.changes.born.size and run.changes.arrived.size
        runs.append(lives(run))
    assert apart(*runs) == {}


def years_of(place, rules: Rules, years: int = 2) -> dict[str, np.ndarray]:
    run = Simulation(place, rules, references(np.random.default_rng(2)), spare=spare_rows(place, years))
    run.week = run.people.year = 0
    run.demography = Demography.at(run)
    for year in range(years):
        run.week = 52 * year + 48
        run.run(6)
    return lives(run)


def without_newcomers() -> Rules:
    return make_rules({**behaviour_ledger().central(), "moves.rate": 0.0})


def test_the_order_of_people_changes_no_life_through_illness_work_death_and_birth() -> None:
    place = small_place(600, 6, ages=(16, 95))
    other = in_order(place, np.random.default_rng(3).permutation(600))
    assert apart(years_of(place, without_newcomers()), years_of(other, without_newcomers())) == {}


def test_the_order_of_people_changes_no_child_of_five() -> None:
    place = small_place(200, 4, ages=(3, 9))
    other = in_order(place, np.random.default_rng(3).permutation(200))
    assert apart(years_of(place, without_newcomers()), years_of(other, without_newcomers())) == {}


def test_the_order_of_people_changes_no_newcomer(rules: Rules) -> None:
    place = small_place(200, 4, ages=(16, 60))
    other = in_order(place, np.random.default_rng(3).permutation(200))
    assert apart(years_of(place, rules), years_of(other, rules)) == {}
