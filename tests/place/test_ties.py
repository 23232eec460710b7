"""Ties: undirected, no repeats, about the same in samples of any size."""

from __future__ import annotations

import numpy as np
import pytest

from movesim.place import Population, load_place
from movesim.words import TIE_KINDS, TIES

HOUSEHOLD, KIN, CLASS, WORK = (TIE_KINDS.index(k) for k in ("household", "kin or neighbour", "class", "workplace"))


def _pairs(p: Population) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    used = p.ties < len(p)
    return np.repeat(np.arange(len(p)), used.sum(axis=1)), p.ties[used].astype(np.int64), p.tie_kind[used]


def _summary(p: Population) -> dict[str, float]:
    a, b, kind = _pairs(p)
    x, n = p.people, len(p)
    degree = (p.ties < n).sum(axis=1)
    decile = p.neighbourhoods["imd_decile"][x["neighbourhood"]]
    out = {"degree": degree.mean(), "spread": degree.std(), "children": degree[(x["age"] >= 5) & (x["age"] < 16)].mean()}
    for k, name in enumerate(TIE_KINDS):
        out[f"{name} ties"] = 10 * (kind == k).sum() / n
    kin = kind == KIN
    out["kin age apart"] = np.abs(x["age"][a[kin]].astype(int) - x["age"][b[kin]]).mean()
    out["kin of one group"] = 10 * (x["ethnic_group"][a[kin]] == x["ethnic_group"][b[kin]]).mean()
    out["kin of one decile"] = 10 * (decile[a[kin]] == decile[b[kin]]).mean()
    work = kind == WORK
    out["colleagues of one class"] = 10 * (x["ns_sec"][a[work]] == x["ns_sec"][b[work]]).mean()
    out["impaired ties of the impaired"] = 10 * (x["impairments"][b][x["impairments"][a] > 0] > 0).mean()
    return out


@pytest.mark.parametrize("name", ["local", "small", "england"])
def test_ties_are_undirected_and_never_repeat(name: str, request: pytest.FixtureRequest) -> None:
    p: Population = request.getfixturevalue(name)
    n = len(p)
    assert p.ties.shape == (n, TIES) and p.ties.dtype == np.int32 and p.tie_kind.dtype == np.int8
    assert ((p.ties == n) == (p.tie_kind == -1)).all()
    a, b, kind = _pairs(p)
    assert (a != b).all()
    forward, back = a * n + b, b * n + a
    assert len(np.unique(forward)) == len(forward)
    assert np.array_equal(np.sort(forward), np.sort(back))
    order, other = np.argsort(forward), np.argsort(back)
    assert np.array_equal(kind[order], kind[other])


def test_kinds_join_whom_they_say(local: Population) -> None:
    a, b, kind = _pairs(local)
    p = local.people
    same = p["household"][a] == p["household"][b]
    assert same[kind == HOUSEHOLD].all()
    assert (p["age"][a[kind == CLASS]] == p["age"][b[kind == CLASS]]).all()
    assert (p["in_work"][a[kind == WORK]] == 1).all()
    size = np.bincount(p["household"])[p["household"]]
    within = np.bincount(a[kind == HOUSEHOLD], minlength=len(local))
    assert np.array_equal(within, np.minimum(size - 1, 4))
    child = (p["age"] >= 5) & (p["age"] < 16)
    mates = np.bincount(a[kind == CLASS], minlength=len(local))
    assert (mates[child] >= 3).mean() > 0.99 and (mates[~child] == 0).all()
    inside = local.pods[a] == local.pods[b]
    assert inside[kind == KIN].mean() > 0.75


def test_samples_agree_on_ties(small: Population, local: Population) -> None:
    assert 7 <= _summary(local)["degree"] <= 9
    for key, value in _summary(local).items():
        assert _summary(small)[key] == pytest.approx(value, rel=0.1), key


@pytest.mark.slow
def test_the_whole_place_agrees_with_its_sample(local: Population) -> None:
    whole = _summary(load_place("nottinghamshire_derbyshire", None))
    for key, value in _summary(local).items():
        assert value == pytest.approx(whole[key], rel=0.06), key
