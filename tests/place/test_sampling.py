"""Pods, samples and weights: nested, balanced, summing to the residents."""

from __future__ import annotations

import numpy as np
import pytest

from movesim.place import Population, load_place
from movesim.place.assembly import assemble
from movesim.place.margins import AGE_STARTS, Margins
from movesim.place.pods import pod_order, pods_per_neighbourhood
from movesim.words import AGE_BAND_STARTS

STABLE = ("age", "sex", "ethnic_group", "impairments", "ns_sec", "in_work", "carer", "young_children", "pregnant_or_baby",
          "muslim", "cars_per_adult", "income_rank", "affluence")  # fmt: skip


@pytest.mark.parametrize("name", ["margins", "england_margins"])
@pytest.mark.parametrize("pods", [4, 17, 40, 97, 160, 500, 3000])
def test_every_prefix_is_balanced(name: str, pods: int, request: pytest.FixtureRequest) -> None:
    m: Margins = request.getfixturevalue(name)
    order = pod_order(m, 1)
    weight = pods_per_neighbourhood(m) * m.stands_for
    for column, levels in ((m.imd_decile - 1, 10), (m.local_authority, len(m.local_authorities))):
        share = np.bincount(column, weight, levels) / weight.sum()
        have = np.bincount(column[order.neighbourhood[:pods]], minlength=levels)
        assert np.abs(have - pods * share).max() < 1.7


def test_the_order_has_every_pod_once_and_is_keyed(margins: Margins) -> None:
    order = pod_order(margins, 1)
    per = pods_per_neighbourhood(margins)
    assert len(order) == per.sum() == len(set(zip(order.neighbourhood.tolist(), order.number.tolist())))
    assert np.array_equal(order.neighbourhood, pod_order(margins, 1).neighbourhood)
    assert not np.array_equal(order.neighbourhood, pod_order(margins, 2).neighbourhood)
    assert len(np.unique(order.neighbourhood[:160])) == 160


def test_a_small_sample_is_part_of_a_large_one(small: Population, local: Population) -> None:
    position = {i: k for k, i in enumerate(local.people["id"].tolist())}
    at = np.array([position[i] for i in small.people["id"].tolist()])
    for name in STABLE:
        assert np.array_equal(local.people[name][at], small.people[name]), name
    assert np.array_equal(local.pods[at], small.pods)
    assert np.array_equal(
        local.neighbourhoods["code"][local.people["neighbourhood"][at]],
        small.neighbourhoods["code"][small.people["neighbourhood"]],
    )
    assert np.array_equal(local.schools["code"][local.people["school"][at]], small.schools["code"][small.people["school"]])


def test_whole_households_about_as_many_as_asked(small: Population, local: Population) -> None:
    for population, asked in ((small, 5_000), (local, 20_000)):
        assert abs(len(population) - asked) <= 63
        pods = np.asarray(population.pods)
        assert np.array_equal(np.unique(pods), np.arange(pods.max() + 1))
        size = np.bincount(pods)
        assert size.min() > 90 and size.max() < 160
        home = population.people["household"]
        assert len({(int(h), int(p)) for h, p in zip(home, pods)}) == home.max() + 1
        first = np.unique(population.people["neighbourhood"][np.argsort(pods, kind="stable")], return_index=True)
        assert len(first[0]) == len(population.neighbourhoods["code"])


def test_weights_sum_to_residents_and_to_both_margins(margins: Margins, local: Population) -> None:
    p = local.people
    assert p["weight"].sum() == pytest.approx(local.residents, rel=1e-12) and local.residents == 2_204_419
    at = local.neighbourhoods["local_authority"][p["neighbourhood"]]
    wanted = np.bincount(margins.local_authority, margins.residents)
    assert np.allclose(np.bincount(at, p["weight"], 17), wanted, rtol=0.01)
    decile = local.neighbourhoods["imd_decile"][p["neighbourhood"]]
    band = np.searchsorted(AGE_BAND_STARTS, p["age"], side="right") - 1
    of = np.searchsorted(AGE_BAND_STARTS, AGE_STARTS, side="right") - 1
    for b in range(7):
        true = np.bincount(margins.imd_decile, margins.age[:, of == b].sum(axis=1), 11)[1:]
        have = np.bincount(decile[band == b], p["weight"][band == b], 11)[1:]
        assert np.allclose(have, true, rtol=0.02)
    assert p["weight"].max() / p["weight"].mean() < 3


def test_weights_of_tiny_samples_still_sum(england_margins: Margins) -> None:
    for people in (1, 130, 500):
        tiny = assemble(england_margins, people, 1, "test")
        assert tiny.people["weight"].sum() == pytest.approx(56_490_046, rel=1e-9)
        assert (tiny.people["weight"] > 0).all()
    assert 90 < len(assemble(england_margins, 1, 1, "test")) < 160


def test_another_place_seed_gives_other_people(small: Population) -> None:
    other = load_place("nottinghamshire_derbyshire", 5_000, place_seed=2)
    assert set(other.neighbourhoods["code"]) != set(small.neighbourhoods["code"])
    assert other.fingerprint != small.fingerprint
    assert other.people["weight"].sum() == pytest.approx(2_204_419)


@pytest.mark.slow
def test_all_residents_are_made_and_weigh_one(margins: Margins, local: Population) -> None:
    everybody = load_place("nottinghamshire_derbyshire", None)
    assert len(everybody) == 2_204_419
    assert np.allclose(everybody.people["weight"], 1.0)
    assert np.isin(local.people["id"], everybody.people["id"]).all()
    assert np.array_equal(np.bincount(everybody.people["neighbourhood"]), margins.residents[np.argsort(margins.code)])
