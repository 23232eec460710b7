"""Two runs compared: which columns differ, in whom, and what is said of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from movesim.behaviour import checkpoint
from movesim.behaviour.demography import Demography
from movesim.behaviour.difference import compare_runs
from movesim.behaviour.rules import References, behaviour_ledger, make_rules
from movesim.behaviour.simulation import Simulation
from movesim.errors import InputError
from small import small_population

VALUES = behaviour_ledger().central()
RULES = make_rules(VALUES)
PLACE = small_population(200, 10)


def start(place=PLACE, rules=RULES, seed: int = 1, spare: int = 0, threads: int = 1) -> Simulation:
    run = Simulation(place, rules, References.first_guess(), seed, spare=spare, threads=threads)
    run.week = 0
    return run


def test_the_same_is_the_same_in_every_bit(tmp_path: Path) -> None:
    one, other = start(), start(threads=2)
    for run in (one, other):
        run.run(3)
    found = compare_runs(one, other)
    assert found.same and found.people.size == 0 and found.to_frame().empty
    assert str(found) == "The two runs, at week 3, are the same in every bit."
    assert compare_runs(one, one.branch()).same
    assert compare_runs(checkpoint.save(one, tmp_path / "a"), str(checkpoint.save(other, tmp_path / "b"))).same


def test_one_bit_of_one_person_is_found_and_named() -> None:
    one = start()
    one.run(2)
    other = one.branch()
    cell = other.people.floats["state"][1:2, 17]
    cell[:] = np.nextafter(cell, np.float32(2))
    found = compare_runs(one, other)
    assert not found.same and found.people.tolist() == [int(one.people.id[17])]
    (row,) = found.to_frame().itertuples(index=False)
    assert (row.name, row.different, row.of) == ("people.floats.state", 1, 200) and 0 < row.largest < 1e-6
    assert row.first == f"person {one.people.id[17]} [1]" and row.ours != row.theirs
    assert str(found).startswith("The two runs, at week 2, differ in 1 columns or numbers and in 1 people.\n")
    assert f"people.floats.state: 1 of 200, by {row.largest:.3g} at most, first person {one.people.id[17]} [1]: " in str(found)


def test_minus_nought_is_not_nought() -> None:
    one = start()
    other = one.branch()
    other.people.floats["year_minutes"][5] = -0.0
    found = compare_runs(one, other)
    assert found.people.tolist() == [int(one.people.id[5])]
    assert "1 of 200, first person" in str(found)


def test_places_numbers_and_weeks_are_told_too() -> None:
    one, other = start(), start(rules=make_rules({**VALUES, "habit.gain": VALUES["habit.gain"] * 1.5}))
    other.trust = other.trust.copy()
    other.trust[4] = 0.9
    other.step()
    found = compare_runs(one, other)
    names = set(found.to_frame()["name"])
    assert {"week", "trust", "rules.values.habit.gain"} <= names
    assert "at weeks 0 and 1" in str(found) and "week: 0 against 1" in str(found)
    first = found.to_frame().set_index("name").loc["trust", "first"]
    assert first in ("entry [0]", "entry [4]")
    other = one.branch()
    other.shifts.array("P")
    assert "shifts.arrays.P: None against an array of 200" in str(compare_runs(one, other))
    other = start(small_population(200, 12))
    assert "log_E: an array of 6 x 10 against an array of 6 x 12" in str(compare_runs(one, other))


def test_people_are_matched_by_id_whatever_their_rows() -> None:
    """Samples of different size, and runs in which others were born."""
    one, other = start(small_population(200, 10)), start(small_population(260, 10))
    found = compare_runs(one, other)
    alone = set(other.people.id.tolist()) - set(one.people.id.tolist())
    assert len(alone) == 60 and alone <= set(found.people.tolist())
    ages = found.to_frame().set_index("name").loc["people.columns.age"]
    assert ages["of"] == 200
    spare = start(spare=30)
    same_people = compare_runs(start(), spare)
    assert same_people.people.size == 0 and not same_people.same
    assert "people.columns.age: 0 of 200, only in rows that nobody has, or in their order" in str(same_people)
    spare.demography = Demography.at(spare)
    before = spare.branch()
    spare.run(104)
    assert spare.people.n > 200
    born = set(spare.people.id.tolist()) - set(before.people.id.tolist())
    assert born and born <= set(compare_runs(before, spare).people.tolist())


def test_only_runs_can_be_compared() -> None:
    with pytest.raises(InputError, match="Runs, models and folders of checkpoints can be compared, not a int"):
        compare_runs(start(), 3)
