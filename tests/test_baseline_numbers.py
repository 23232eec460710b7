"""Numbers the model gave when they were last looked at, so that no change of the model goes unnoticed.

A made-up population and the ledger's central values (no fit); in the second run shifts of every kind as well. Status
shares and minutes of the year that ends after 104 weeks. They say nothing about what is right: whoever changes the model, its
ledger or its draws on purpose looks at how far they moved and writes them anew:

    python tests/test_baseline_numbers.py

Tolerance. Draws are whole numbers and equal everywhere; but exp and log of another NumPy, Numba or processor may differ in
the last bit of single precision. Such a difference turns a decision only where a uniform lies within about 1e-7 of its
probability, which happens about once in a run like this (2,000 people, 104 weeks, four to six domains); then one person's
weeks differ for some time. One person whose status differs all year is allowed (0.0006 of 1,600 adults) and 0.1% of mean
minutes, ten times that of a domain's or a small group's. Python 3.11 with NumPy 2.4 and Python 3.13 with NumPy 2.5 gave the
same numbers in every bit. Changes of the model are larger, see the last test.
"""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from movesim.behaviour.rules import References, behaviour_ledger, make_rules
from movesim.behaviour.simulation import Simulation
from movesim.outcomes.record import Recorder
from movesim.words import RECORD_EVERY, STATUSES
from small import small_population

FILE = Path(__file__).with_name("baseline_numbers.json")
WEEKS, SHIFTS_FROM = 104, -26
SHIFTS = {"P": 0.3, "Y": 0.3, "S": 0.3, "R": 0.3, "prompt": 0.3, "supply": 0.3, "offer": 0.3, "fte": 0.2, "likeness": 0.3}
PERSONS, MINUTES = 1.0, 0.001  # how many may differ all year, and by what share mean minutes may


def run(shifted: bool = False, **changes: float) -> dict[str, dict[str, float]]:
    """Return shares and minutes of the last year by age group, and of adults in the most and the least deprived fifth."""
    rules = make_rules({**behaviour_ledger().central(), **{k.replace("__", "."): v for k, v in changes.items()}})
    simulation = Simulation(small_population(), rules, References.first_guess(), seed=1, replicate=0)
    simulation.week = -WEEKS // 2
    recorder = Recorder(simulation.people.local_authorities)
    recorder.place(simulation.people)

    def each_week(at: Simulation) -> None:
        if shifted and at.week == SHIFTS_FROM:
            for name, value in SHIFTS.items():
                at.shifts.array(name)[...] = value
                at.shifts.touched(name)
        if at.week % RECORD_EVERY == 0:
            recorder.record(at.people, at.week)

    simulation.run(WEEKS, each_week)
    table = recorder.outcomes().query("window == 52 and week == @WEEKS // 2")
    found = {}
    for group, axis, level in (
        ("adult", "all", "all"), ("child", "all", "all"), ("adult", "imd_fifth", "1"), ("adult", "imd_fifth", "5"),
        ("adult", "impairments", "3+"), ("adult", "sex", "female"), ("adult", "age_band", "75+"),
    ):  # fmt: skip
        (row,) = table.query("age_group == @group and axis == @axis and level == @level").to_dict("records")
        columns = ("agents", *STATUSES, *(name for name in row if name.startswith("minutes")))
        found[f"{group} {axis} {level}"] = {name: float(row[name]) for name in columns}
    return found


@lru_cache
def population_mark() -> str:
    digest = hashlib.blake2b(digest_size=8)
    people = small_population()
    for column in (*people.people.values(), people.ties):
        digest.update(np.ascontiguousarray(column).tobytes())
    return digest.hexdigest()


def all_numbers() -> dict[str, Any]:
    return {"population": population_mark(), "no change": run(), "shifted": run(shifted=True)}


def furthest(ours: dict[str, dict[str, float]], stored: dict[str, dict[str, float]]) -> tuple[float, float]:
    """Return the largest difference of a share, in persons, and of mean minutes in all, as a share of them."""
    persons = max(abs(ours[g][s] - row[s]) * row["agents"] for g, row in stored.items() for s in STATUSES)
    minutes = max(abs(ours[g]["minutes"] / row["minutes"] - 1) for g, row in stored.items() if g.split()[1] == "all")
    return persons, minutes


@lru_cache
def stored() -> dict[str, Any]:
    return json.loads(FILE.read_text(encoding="utf-8"))


def test_the_made_up_people_are_the_same() -> None:
    assert population_mark() == stored()["population"], (
        "small_population() makes other people than before, by a change in tests/small.py or in NumPy's generator; the "
        "numbers below are then of other people: write them anew (see the top of this file)."
    )


@pytest.mark.parametrize("name", ["no change", "shifted"])
def test_numbers_are_what_they_were(name: str) -> None:
    ours, theirs = run(shifted=name == "shifted"), stored()[name]
    assert set(ours) == set(theirs)
    persons, minutes = furthest(ours, theirs)
    print(f"{name}: {persons:.2f} persons and {100 * minutes:.4f}% of minutes from the stored numbers")
    for group, row in theirs.items():
        assert ours[group]["agents"] == row["agents"]
        for status in STATUSES:
            assert ours[group][status] == pytest.approx(row[status], abs=PERSONS / row["agents"]), (group, status)
        # Of a small group a single person's week can be more: by domain and group minutes are held more loosely.
        for minutes_of in (column for column in row if column.startswith("minutes")):
            loose = 1 if minutes_of == "minutes" and " all " in group else 10
            assert ours[group][minutes_of] == pytest.approx(row[minutes_of], rel=loose * MINUTES, abs=0.02), (group, minutes_of)


def test_what_is_stored_makes_sense() -> None:
    for name in ("no change", "shifted"):
        for row in stored()[name].values():
            assert sum(row[status] for status in STATUSES) == pytest.approx(1)
            assert 0 < row["inactive"] < 1 and row["minutes"] > 0
    none, more = stored()["no change"], stored()["shifted"]
    assert all(more[group]["minutes"] > none[group]["minutes"] for group in none)


def test_a_small_change_of_the_model_is_noticed() -> None:
    central = behaviour_ledger().central()
    for path in ("motivation.habit", "habit.gain", "capability.physical", "opportunity.fear"):
        persons, minutes = furthest(run(**{path.replace(".", "__"): 1.05 * central[path]}), stored()["no change"])
        print(f"5% on {path}: {persons:.1f} persons, {100 * minutes:.2f}% of minutes")
        assert persons > PERSONS or minutes > MINUTES, path


if __name__ == "__main__":
    FILE.write_text(json.dumps(all_numbers(), indent=1) + "\n", encoding="utf-8")
    print(f"{FILE.name} is written anew.")
