"""A population cut by authority: nobody is lost or changed, and only ties across a border are let go."""

from __future__ import annotations

import numpy as np
import pytest

from movesim.place import Population
from movesim.place.parts import authorities_of, cut, part_of, sizes
from movesim.words import TIE_KINDS


@pytest.fixture(scope="module")
def parts(small: Population) -> list[Population]:
    return [part_of(small, a) for a in np.flatnonzero(sizes(small)).tolist()]


def _pairs(p: Population) -> set[tuple[int, int, int]]:
    here = p.ties < len(p)
    person, ids = np.repeat(np.arange(len(p)), here.sum(axis=1)), p.people["id"]
    return set(zip(ids[person].tolist(), ids[p.ties[here]].tolist(), p.tie_kind[here].tolist(), strict=True))


def test_every_person_is_in_one_part_as_before(small: Population, parts: list[Population]) -> None:
    assert np.array_equal(np.sort(np.concatenate([p.people["id"] for p in parts])), np.sort(small.people["id"]))
    row = {i: k for k, i in enumerate(small.people["id"].tolist())}
    for p in parts:
        at = np.array([row[i] for i in p.people["id"].tolist()])
        for name, column in p.people.items():
            if name not in ("household", "neighbourhood", "school"):
                assert np.array_equal(small.people[name][at], column), name
        home = small.people["household"][at]
        assert len(np.unique(home)) == p.people["household"].max() + 1 == len(np.unique(home + 1j * p.people["household"]))
        for column in p.neighbourhoods:
            here, there = p.people["neighbourhood"], small.people["neighbourhood"][at]
            assert np.array_equal(p.neighbourhoods[column][here], small.neighbourhoods[column][there]), column
        for column in ("code", "phase"):
            assert np.array_equal(p.schools[column][p.people["school"]], small.schools[column][small.people["school"][at]])
        assert p.schools["code"][0] == "no school" and (p.schools["neighbourhood"] < len(p.neighbourhoods["code"])).all()
        assert p.residents == pytest.approx(p.people["weight"].sum()) and p.local_authorities == small.local_authorities
    assert sum(p.residents for p in parts) == pytest.approx(small.residents)
    assert len({p.fingerprint for p in parts} | {small.fingerprint}) == len(parts) + 1


def test_only_ties_across_a_border_are_let_go_and_they_are_counted(small: Population, parts: list[Population]) -> None:
    together, kept = _pairs(small), set().union(*map(_pairs, parts))
    where = dict(zip(small.people["id"].tolist(), authorities_of(small).tolist(), strict=True))
    assert kept == {(a, b, kind) for a, b, kind in together if where[a] == where[b]}
    assert all((b, a, kind) in kept for a, b, kind in kept)
    found = cut(small)
    assert found.ties.sum() * 2 == len(together) and found.across.sum() * 2 == len(together) - len(kept) > 0
    assert 0 < found.share < 0.2 and found.by_kind["household"] == 0 and list(found.by_kind) == list(TIE_KINDS)
    for p in parts:
        assert cut(p).across.sum() == 0
        used = p.ties < len(p)
        assert (np.diff(used.astype(int), axis=1) <= 0).all()  # used places stand first
        assert ((p.tie_kind >= 0) == used).all()
