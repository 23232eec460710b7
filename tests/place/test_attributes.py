"""What people are like: national anchors, and columns that agree with each other."""

from __future__ import annotations

import numpy as np
import pytest

from movesim.place import Population
from movesim.words import NS_SEC, PEOPLE


def _share(p: Population, flags: np.ndarray, who: np.ndarray) -> float:
    return float(np.average(flags[who], weights=p.people["weight"][who]))


def test_columns_are_those_of_the_vocabulary(local: Population) -> None:
    assert list(local.people) == [c.name for c in PEOPLE]
    for column in PEOPLE:
        assert local.people[column.name].dtype == np.dtype(column.dtype), column.name
        assert len(local.people[column.name]) == len(local)


def test_england_anchors(england: Population) -> None:
    p = england.people
    adult = p["age"] >= 16
    assert _share(england, p["impairments"] > 0, adult) == pytest.approx(0.25, abs=0.012)
    assert _share(england, p["in_work"] > 0, adult) == pytest.approx(0.572, abs=0.015)
    assert _share(england, p["carer"] > 0, p["age"] >= 5) == pytest.approx(0.098, abs=0.01)
    assert _share(england, p["muslim"] > 0, adult) == pytest.approx(0.065, abs=0.025)
    some = adult & (p["impairments"] > 0)
    shares = [_share(england, p["impairments"] == k, some) for k in (1, 2, 3)]
    assert shares == pytest.approx([0.38, 0.25, 0.37], abs=0.04)
    # The published inactivity by number of impairments averages to that of all disabled people.
    assert np.dot(shares, [31.3, 37.8, 49.4]) == pytest.approx(39.5, abs=0.8)
    child = (p["age"] >= 5) & (p["age"] < 16)
    assert _share(england, p["impairments"] > 0, child) < 0.09


def test_income_and_affluence_are_national_ranks(england: Population) -> None:
    p = england.people
    first = np.unique(p["household"], return_index=True)[1]
    rank = p["income_rank"][first]
    assert np.average(rank, weights=p["weight"][first]) == pytest.approx(0.5, abs=0.02)
    shares = np.bincount(np.minimum((rank * 5).astype(int), 4), p["weight"][first]) / p["weight"][first].sum()
    assert np.abs(shares - 0.2).max() < 0.025
    child = (p["age"] >= 5) & (p["age"] < 16)
    thirds = np.bincount(p["affluence"][child], p["weight"][child]) / p["weight"][child].sum()
    assert np.abs(thirds - 1 / 3).max() < 0.04
    assert (p["affluence"][p["age"] >= 16] == -1).all() and (p["affluence"][p["age"] < 16] >= 0).all()


def test_cars_follow_income_and_size(england: Population) -> None:
    p = england.people
    home, first, size = np.unique(p["household"], return_index=True, return_counts=True)
    none = p["cars_per_adult"][first] == 0
    weight = p["weight"][first]
    assert np.average(none, weights=weight) == pytest.approx(0.235, abs=0.02)
    fifth = np.minimum((p["income_rank"][first] * 5).astype(int), 4)
    by_fifth = [np.average(none[fifth == f], weights=weight[fifth == f]) for f in range(5)]
    assert by_fifth == sorted(by_fifth, reverse=True)
    assert by_fifth[0] == pytest.approx(0.39, abs=0.06) and by_fifth[4] == pytest.approx(0.087, abs=0.03)
    assert none[size == 1].mean() > 2 * none[size == 2].mean()
    assert len(home) > 0


def test_class_is_scored_at_16_to_74(local: Population) -> None:
    p = local.people
    scored = p["ns_sec"] != NS_SEC.index("not scored")
    assert (scored == ((p["age"] >= 16) & (p["age"] < 75))).all()
    student = p["ns_sec"] == NS_SEC.index("student")
    assert np.median(p["age"][student]) < 25
    assert (p["in_work"][p["age"] < 16] == 0).all()


def test_groups_differ_as_they_should(local: Population) -> None:
    p = local.people
    adult = p["age"] >= 16
    decile = local.neighbourhoods["imd_decile"][p["neighbourhood"]]
    middle = adult & (p["age"] >= 35) & (p["age"] < 65)
    assert _share(local, p["impairments"] > 0, middle & (decile <= 2)) > _share(
        local, p["impairments"] > 0, middle & (decile >= 9)
    )
    assert _share(local, p["impairments"] > 0, p["age"] >= 75) > 0.4
    assert _share(local, p["in_work"] > 0, middle & (p["ns_sec"] == 0)) > _share(
        local, p["in_work"] > 0, middle & (p["ns_sec"] == 2)
    )
    assert _share(local, p["carer"] > 0, (p["age"] >= 50) & (p["age"] < 65)) > _share(
        local, p["carer"] > 0, (p["age"] < 25) & adult
    )
    assert _share(local, p["muslim"] > 0, p["ethnic_group"] == 0) > 0.25 > _share(local, p["muslim"] > 0, p["ethnic_group"] == 3)


def test_young_children_and_babies_have_parents(local: Population) -> None:
    p = local.people
    homes = int(p["household"].max()) + 1
    under_five = np.bincount(p["household"][p["age"] < 5], minlength=homes) > 0
    assert (under_five[p["household"][p["young_children"] == 1]]).all()
    assert (np.bincount(p["household"][p["young_children"] == 1], minlength=homes)[under_five] >= 1).all()
    baby = np.bincount(p["household"][p["age"] == 0], minlength=homes) > 0
    expecting = p["pregnant_or_baby"] == 1
    without = expecting & ~baby[p["household"]]
    assert (p["sex"][without] == 1).all() and (p["age"][without] < 45).all()
    assert (p["age"][expecting] >= 16).all()


def test_every_child_attends_a_school_of_the_right_phase(local: Population) -> None:
    p = local.people
    child = (p["age"] >= 5) & (p["age"] < 16)
    assert ((p["school"] > 0) == child).all()
    phase = local.schools["phase"][p["school"]]
    assert (phase[child & (p["age"] < 11)] == 1).all() and (phase[child & (p["age"] >= 11)] == 2).all()
    assert local.schools["code"][0] == "no school" and local.schools["phase"][0] == 0
    assert len(set(local.schools["code"])) == len(local.schools["code"])
    stands = local.schools["neighbourhood"]
    assert (stands >= 0).all() and (stands < len(local.neighbourhoods["code"])).all()
    at = local.neighbourhoods["local_authority"]
    assert (at[stands[p["school"][child]]] == at[p["neighbourhood"][child]]).all()
