"""What a year does to a person: illness and recovery, school, study and work, and what follows from the household's children."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from movesim import draws
from movesim.behaviour import rules as equations
from movesim.behaviour.mortality import AGES, tables
from movesim.words import ADULT_FROM, CHILD_FROM, NS_SEC, SEXES, WEEKS_A_YEAR

if TYPE_CHECKING:
    from movesim.behaviour.people import People
    from movesim.behaviour.rules import Rules
    from movesim.behaviour.snapshot import Snapshot

STUDENT, NOT_SCORED = NS_SEC.index("student"), NS_SEC.index("not scored")
FEMALE = SEXES.index("female")
SECONDARY_FROM, UNSCORED_FROM = 11, 75
NO_CHILD = 1000
STUDY_ENDS = (18, 19, 21)  # ages from which the three rates of leaving study hold


def impairments(people: People, rules: Rules, week: int, against_england: NDArray) -> None:
    """Let impairments begin, grow and pass: onset by age, deprivation and last year's activity against England's.

    `against_england` (n,): relative risk over the mean of England's people of the same band and fifth.
    """
    v, n = rules.values, people.n
    rows = np.flatnonzero(people.alive[:n])
    age, count = people.age[rows], people.impairments[rows]
    deprived = equations.deprivation(people.neighbourhoods["imd_decile"])[people.neighbourhood[rows]]
    by_age = v["impairment.onset"] * np.exp(v["impairment.decade"] * (np.arange(AGES) - 50) / 10)
    by_age[:ADULT_FROM] = v["impairment.child"]
    hazard = by_age[np.minimum(age, AGES - 1)] * np.exp(v["impairment.deprivation"] * deprived)
    hazard = hazard * against_england[rows] ** v["impairment.activity"]
    u = draws.open_uniform(draws.words(people.id[rows], week, "impairment", people.key))
    begins = (count == 0) & (u[0] < -np.expm1(-hazard))
    begins |= (count == 0) & (age == ADULT_FROM) & (u[2] < v["impairment.at_16"])
    worse = (count > 0) & (count < 3) & (u[0] < -np.expm1(-hazard * v["impairment.worsening"]))
    better = (count > 0) & ~worse & (u[0] > 1 - v["impairment.recovery"])
    at_once = 1 + (u[1] < v["impairment.two"] + v["impairment.three"]) + (u[1] < v["impairment.three"])
    after = count + worse - better + np.where(begins, at_once, 0)
    people.columns["impairments"][rows] = after.astype(people.columns["impairments"].dtype)


def schooling(people: People, before: Snapshot) -> NDArray[np.int64]:
    """Let children start primary school at 5 and secondary at 11, where most of the neighbourhood's pupils go, and leave at 16.

    At 16 people become students; play and school end in the weekly model. Returns the rows that start school.
    """
    columns, n = people.columns, people.n
    alive, age = people.alive[:n], people.age
    starts = np.flatnonzero(alive & (age == CHILD_FROM))
    moves_up = np.flatnonzero(alive & (age == SECONDARY_FROM))
    leaves = np.flatnonzero(alive & (age == ADULT_FROM))
    columns["school"][starts] = before.primary[people.neighbourhood[starts]]
    columns["school"][moves_up] = before.secondary[people.neighbourhood[moves_up]]
    for name, value in (("school", 0), ("affluence", -1), ("ns_sec", STUDENT), ("in_work", 0)):
        columns[name][leaves] = value
    return starts


def study_and_work(people: People, rules: Rules, week: int, before: Snapshot) -> None:
    """Let students leave study into the classes of their tenth of deprivation, and people start, leave and retire from work.

    Starting and leaving balance at the rate of a person's age, class and health, so that rates hold themselves.
    """
    v, columns, n = rules.values, people.columns, people.n
    rows = np.flatnonzero(people.alive[:n] & (people.age >= ADULT_FROM))
    age, ns_sec = people.age[rows], people.ns_sec[rows]
    u = draws.open_uniform(draws.words(people.id[rows], week, "work", people.key))

    ends = np.zeros(AGES)
    for first, name in zip(STUDY_ENDS, ("study_18", "study_19", "study_21"), strict=True):
        ends[first:] = v[f"work.{name}"]
    old = np.minimum(age, AGES - 1)
    graduates = (ns_sec == STUDENT) & (u[0] < ends[old])
    decile = people.neighbourhoods["imd_decile"][people.neighbourhood[rows]] - 1
    drawn = (u[1][:, None] > before.classes[decile][:, :2]).sum(axis=1)
    ns_sec = np.where(graduates, drawn, ns_sec)
    columns["ns_sec"][rows] = np.where(age >= UNSCORED_FROM, NOT_SCORED, ns_sec)

    rate = tables().in_work
    with np.errstate(divide="ignore"):
        by_age = np.log(rate / (1 - rate))
    of_class = np.array([v["work.class_1_2"], 0.0, v["work.class_6_8"], v["work.student"], 0.0])
    settled = 1 / (1 + np.exp(-(by_age[old] + of_class[ns_sec] + v["work.impairment"] * people.impairments[rows])))
    works, retires = people.in_work[rows] > 0, age >= v["work.retirement"]
    leaves = np.where(retires, v["work.retiring"], v["work.turnover"] * (1 - settled))
    starts = np.where(retires, 0.0, np.where(graduates | (age == ADULT_FROM), settled, v["work.turnover"] * settled))
    columns["in_work"][rows] = np.where(works, u[2] >= leaves, u[2] < starts)


def household_flags(people: People, rules: Rules, week: int) -> None:
    """Recompute who has young children at home and who is pregnant or the parent of a child under one.

    An adult 16 to 50 years older than the youngest child under five at home counts as its parent; a woman who gives birth
    next year is pregnant now for three quarters of them.
    """
    columns, n = people.columns, people.n
    alive, age, home = people.alive[:n], people.age, people.household
    youngest = np.full(int(home.max(initial=0)) + 1, NO_CHILD)
    for years in range(4, -1, -1):
        youngest[home[alive & (age == years)]] = years
    adult, older = alive & (age >= ADULT_FROM), age - youngest[home]
    parent = adult & (older >= 16) & (older <= 50)
    expecting = np.zeros(n, bool)
    women = np.flatnonzero(adult & (people.sex == FEMALE) & (age < 50))
    u = draws.open_uniform(draws.words(people.id[women], week + WEEKS_A_YEAR, "birth", people.key))
    births = rules["births.level"] * tables().births[age[women] + 1]
    expecting[women] = (u[0] < births) & (u[1] < rules["births.pregnancy"])
    columns["young_children"][:n] = parent
    columns["pregnant_or_baby"][:n] = expecting | (parent & (youngest[home] == 0))
