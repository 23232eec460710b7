"""People in households: margins met, each neighbourhood by itself, believable homes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from movesim.errors import InputError
from movesim.place.households import CHILD, HEAD, PARTNER, Households, form
from movesim.place.margins import AGE_STARTS, Margins
from movesim.place.matching import paired, smallest
from movesim.place.synthesis import Residents, mixed, synthesise

WHICH = np.arange(3, 1335, 23)


@pytest.fixture(scope="module")
def people(margins: Margins) -> Residents:
    return synthesise(margins, WHICH, 1)


@pytest.fixture(scope="module")
def homes(margins: Margins, people: Residents) -> Households:
    return form(margins, people, 1)


def _table(people: Residents, column: np.ndarray, width: int) -> np.ndarray:
    k = len(people.which)
    return np.bincount(people.lsoa * width + column, minlength=k * width).reshape(k, width)


def test_all_four_margins_are_met_exactly(margins: Margins, people: Residents) -> None:
    band = np.searchsorted(AGE_STARTS, people.age, side="right") - 1
    assert np.array_equal(_table(people, band, len(AGE_STARTS)), margins.age[WHICH])
    assert np.array_equal(_table(people, people.sex, 2), margins.sex[WHICH])
    assert np.array_equal(_table(people, people.ethnic_group, 5), margins.ethnic_group[WHICH])
    assert np.array_equal(_table(people, people.disabled, 2), margins.disabled[WHICH])


def test_associations_of_the_seed_survive(people: Residents) -> None:
    rate = [people.disabled[(people.age >= a) & (people.age < b)].mean() for a, b in ((5, 16), (25, 35), (65, 75), (85, 105))]
    assert rate[0] < rate[1] < rate[2] < rate[3]
    old = people.age >= 85
    assert people.sex[old].mean() > people.sex[~old].mean() + 0.05
    assert (people.ethnic_group[people.age < 16] == 2).mean() > 2 * (people.ethnic_group[people.age > 50] == 2).mean()


def test_a_neighbourhood_does_not_depend_on_which_others_are_made(margins: Margins, people: Residents, homes: Households) -> None:
    alone = synthesise(margins, WHICH[7:8], 1)
    home = form(margins, alone, 1)
    there = people.lsoa == 7
    for name in ("id", "age", "sex", "ethnic_group", "disabled"):
        assert np.array_equal(getattr(alone, name), getattr(people, name)[there]), name
    assert np.array_equal(home.id[home.of_person], homes.id[homes.of_person[there]])
    assert np.array_equal(home.role, homes.role[there])


def test_place_seed_decides(margins: Margins, people: Residents) -> None:
    again, other = synthesise(margins, WHICH, 1), synthesise(margins, WHICH, 2)
    assert np.array_equal(again.age, people.age)
    assert not np.array_equal(other.age, people.age)


def test_identities_are_unique(people: Residents) -> None:
    assert len(np.unique(people.id)) == len(people)
    base = np.zeros(100_000, np.uint64)
    assert len(np.unique(mixed(base, np.arange(100_000)))) == 100_000


def test_everybody_has_a_home_with_an_adult(people: Residents, homes: Households) -> None:
    size = np.bincount(homes.of_person, minlength=len(homes.size))
    assert np.array_equal(size, homes.size)
    assert (np.bincount(homes.of_person[people.age >= 16], minlength=len(size)) > 0).all()
    assert np.array_equal(homes.lsoa[homes.of_person], people.lsoa)
    assert (np.bincount(homes.of_person[homes.role == HEAD], minlength=len(size)) == 1).all()


def test_household_sizes_are_met(margins: Margins, homes: Households) -> None:
    k = len(WHICH)
    made = np.bincount(homes.lsoa * 8 + np.minimum(homes.size, 8) - 1, minlength=k * 8).reshape(k, 8).astype(float)
    made[:, 0] -= margins.communal[WHICH]
    assert np.abs(made - margins.household_size[WHICH]).mean() < 1.0
    assert np.abs(made.sum(axis=1) - margins.household_size[WHICH].sum(axis=1)).max() <= 1.0


def test_families_are_believable(people: Residents, homes: Households) -> None:
    head = np.full(len(homes.size), -1)
    head[homes.of_person[homes.role == HEAD]] = np.flatnonzero(homes.role == HEAD)
    child = homes.role == CHILD
    gap = people.age[head[homes.of_person[child]]] - people.age[child]
    assert 28 <= np.median(gap) <= 33
    assert np.mean(gap < 16) < 0.02
    partner = np.flatnonzero(homes.role == PARTNER)
    apart = np.abs(people.age[partner] - people.age[head[homes.of_person[partner]]])
    assert apart.mean() < 6
    assert (people.sex[partner] != people.sex[head[homes.of_person[partner]]]).mean() > 0.93
    alone = people.age[head[homes.size == 1]]
    assert 0.33 < (alone >= 66).mean() < 0.5
    lone = (np.bincount(homes.of_person[people.age >= 16], minlength=len(homes.size)) == 1) & (homes.size > 1)
    assert people.sex[head[lone]].mean() > 0.8


def test_more_households_than_adults_is_refused(margins: Margins) -> None:
    broken = replace(margins, household_size=margins.household_size * 3)
    with pytest.raises(InputError, match=r"households for \d+ residents aged 16 or over; every household needs an adult"):
        form(broken, synthesise(broken, np.arange(2), 1), 1)


def test_matching_takes_the_smallest_and_pairs_in_order() -> None:
    group = np.array([0, 0, 0, 1, 1])
    assert smallest(group, np.array([3.0, 1.0, 2.0, 5.0, 4.0]), np.array([2, 1])).tolist() == [False, True, True, False, True]
    a, b = paired(
        np.array([0, 0]), np.zeros(2), np.array([40.0, 20.0]),
        np.array([0, 0, 0]), np.array([1.0, 9.0, 2.0]), np.array([45.0, 30.0, 22.0]), 1,
    )  # fmt: skip
    assert sorted(zip(a.tolist(), b.tolist())) == [(0, 0), (1, 2)]
