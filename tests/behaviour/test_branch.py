"""Branches, and counts that are kept up to date instead of being made anew: neither may change a life."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from movesim.behaviour.demography import Demography, spare_rows
from movesim.behaviour.people import WEEKLY, WHOLE
from movesim.behaviour.rules import References, behaviour_ledger, make_rules
from movesim.behaviour.simulation import Simulation, slices
from movesim.behaviour.week import BLOCK
from small import small_population

RULES = make_rules(behaviour_ledger().central())


@pytest.fixture(scope="module")
def begun() -> Simulation:
    place = small_population(600)
    run = Simulation(place, RULES, References.first_guess(), spare=spare_rows(place, 3))
    run.week = run.people.year = 0
    run.demography = Demography.at(run)
    return run


def arrays(run: Simulation) -> dict[str, np.ndarray]:
    people = run.people
    return people.columns | people.floats | {name: getattr(people, name) for name in WHOLE}


def differing(one: Simulation, other: Simulation) -> list[str]:
    return [name for name, array in arrays(one).items() if not np.array_equal(array, arrays(other)[name])]


def test_branches_that_share_memory_live_the_lives_of_copies(begun: Simulation) -> None:
    before = {name: array.copy() for name, array in arrays(begun).items()}
    lent, copied, shifted = begun.branch(lend=True), begun.branch(), begun.branch(lend=True)
    shifted.shifts.array("Y")[:] = 1.0
    shifted.shifts.touched("Y")
    shifted.run(120)
    lent.run(110)
    copied.run(110)
    assert differing(lent, copied) == []
    assert "state" in differing(shifted, lent)
    assert all(np.array_equal(array, before[name]) for name, array in arrays(begun).items()), "the common past stays as it was"


def test_what_is_lent_is_memory_saved_until_a_year_turns(begun: Simulation) -> None:
    shared = lambda a, b: {name for name, array in arrays(a).items() if np.shares_memory(array, arrays(b)[name])}  # noqa: E731
    lent = begun.branch(lend=True)
    assert shared(lent, begun) == set(arrays(begun)) - set(WEEKLY)
    lent.run(51)
    assert {"base", "drive", "ties", "age"} <= shared(lent, begun)
    lent.run(1)
    assert shared(lent, begun) == set()
    assert shared(begun.branch(), begun) == set()
    # a branch of a branch, and a past that goes on itself
    first = begun.branch(lend=True)
    second = first.branch(lend=True)
    first.run(52)
    assert "base" in shared(second, begun) and not np.array_equal(first.people.base, second.people.base)


def test_active_friends_are_counted_as_if_anew_every_week(begun: Simulation) -> None:
    """Through births, deaths, moves and statuses that somebody else wrote."""
    run = begun.branch()
    r = np.random.default_rng(3)
    for week in range(120):
        if week % 17 == 5:
            run.people.active[: run.people.n] ^= (r.random(run.people.n) < 0.3).astype(np.int8)
        statuses = run.people.active.copy()
        run.step()
        people = run.people
        assert np.array_equal(people.friends[: people.n], statuses[people.ties[: people.n]].sum(axis=1)), week
        if run.week % 52 == 0:
            run.turn_of_the_year()


@pytest.mark.parametrize(("rows", "threads", "bounds"), [
    (0, 2, [0, 0]), (1, 8, [0, 1]), (BLOCK, 2, [0, BLOCK]), (BLOCK + 1, 2, [0, BLOCK, BLOCK + 1]),
    (4 * BLOCK - 5, 3, [0, BLOCK, 2 * BLOCK, 4 * BLOCK - 5]),
])  # fmt: skip
def test_threads_take_whole_blocks(rows: int, threads: int, bounds: list[int]) -> None:
    assert slices(rows, threads) == bounds


def test_the_week_that_speed_is_measured_against_is_the_same_week() -> None:
    sys.path.insert(0, str(Path(__file__).parents[2]))
    try:
        from benchmarks import whole_columns
    finally:
        sys.path.pop(0)
    run = Simulation(small_population(2_500), RULES, References.first_guess())
    run.run(8)
    for _ in range(3):
        other = run.branch()
        whole_columns.step(other)
        run.step()
        n = run.people.n
        away = np.abs(other.people.mean[:n] - run.people.mean[:n]) > 1e-3 * run.people.mean[:n]
        assert away.mean() < 1e-3, "near-ties at the most"
        assert np.abs(other.people.state[:, :n] - run.people.state[:, :n])[:, ~away].max() < 1e-5
