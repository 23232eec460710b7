"""Ties: who knows whom. Up to ten undirected ties each, made by sorting people who are alike and pairing neighbours in line.

Household ties come first (up to four), then class mates (four, for children of 5 to 15), kin and neighbours (mostly inside
the pod, alike in age and ethnic group), and workplace ties (two, for people in work). A tie across pods points to people in
the sample only: where school, authority or decile have too few there, the pool widens and the number of ties stays. How many
ties there are, and how loosely people are alike, stands in conf/place/associations.yaml (ties).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.special import ndtri

from movesim import draws
from movesim.place.margins import associations
from movesim.words import TIE_KINDS, TIES

HOUSEHOLD, KIN, CLASS, WORK = (TIE_KINDS.index(k) for k in ("household", "kin or neighbour", "class", "workplace"))
LATER = 5  # number of the first draw of likeness after those of kin in the pod
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Known:
    """What the ties depend on, one entry per person of the sample."""

    id: NDArray[np.uint64]
    age: NDArray[np.int16]
    ethnic_group: NDArray[np.int8]
    ns_sec: NDArray[np.int8]
    in_work: NDArray[np.int8]
    household: Ints
    pod: Ints
    school: Ints
    local_authority: Ints
    imd_decile: Ints


class _Web:
    """Ties under construction."""

    def __init__(self, n: int) -> None:
        self.ties = np.full((n, TIES), n, np.int32)
        self.kind = np.full((n, TIES), -1, np.int8)
        self.degree = np.zeros(n, np.int64)

    def circles(self, order: Ints, circle: Ints, kind: int) -> None:
        """Tie each person of a circle to the next and the next but one. order: people, circle by circle; circle: which it is."""
        start, size, place = _blocks(circle)
        for step in (1, 2):
            at = np.flatnonzero(size > step)
            other = order[start[at] + (place[at] + step) % size[at]]
            _add(order[at], other, kind, self.ties, self.kind, self.degree)

    def pairs(self, order: Ints, group: Ints, kind: int) -> None:
        """Tie people two by two in a given order, inside groups that lie one after the other."""
        _, size, place = _blocks(group)
        at = np.flatnonzero((place % 2 == 0) & (place + 1 < size))
        _add(order[at], order[at + 1], kind, self.ties, self.kind, self.degree)


@njit(nogil=True)
def _add(a, b, kind, ties, kinds, degree):
    """Tie a[i] to b[i], one after the other, where both have room and are not yet tied."""
    for i in range(a.size):
        p, q = a[i], b[i]
        if p == q or degree[p] >= ties.shape[1] or degree[q] >= ties.shape[1]:
            continue
        known = False
        for k in range(degree[p]):
            known = known or ties[p, k] == q
        if known:
            continue
        ties[p, degree[p]] = q
        kinds[p, degree[p]] = kind
        degree[p] += 1
        ties[q, degree[q]] = p
        kinds[q, degree[q]] = kind
        degree[q] += 1


def _blocks(group: Ints) -> tuple[Ints, Ints, Ints]:
    """For entries in runs of equal group: where each one's run starts, how long it is, and its place in the run."""
    if len(group) == 0:
        return group, group, group
    starts = np.flatnonzero(np.concatenate([[True], group[1:] != group[:-1]]))
    size = np.diff(np.append(starts, len(group)))
    start = np.repeat(starts, size)
    return start, np.repeat(size, size), np.arange(len(group)) - start


def tie(known: Known, place_seed: int) -> tuple[NDArray[np.int32], NDArray[np.int8]]:
    """Return ties (n, TIES), unused places n, and their kinds (n, TIES), unused -1, of everybody in a sample.

    Arguments: known, columns of the sample; place_seed. Ties are undirected, nobody is tied to himself or twice to another.
    """
    key = draws.key(place_seed, "place")
    n = len(known.id)
    web = _Web(n)
    u = [draws.open_uniform(w) for w in draws.words(known.id, 0, "place_tie", key)]
    conf = {name: row["value"] for name, row in associations().data["ties"].items()}
    rounds, blur = conf["kin_adult"], conf["blur_age"]
    by_home = np.lexsort((known.id, known.household))
    web.circles(by_home, known.household[by_home], HOUSEHOLD)
    _class_mates(web, known, u, conf["circle"], conf["blur_decile"])

    adult = known.age >= 16
    everybody, adults, workers = np.arange(n), np.flatnonzero(adult), np.flatnonzero(known.in_work == 1)
    far = _pools(known)
    for turn in range(rounds):
        if turn == rounds - 1:  # the last ties of full lives are left out: let those be neighbours, not colleagues
            for again in range(conf["work"]):
                # Colleagues are alike in class, loosely: most of a class's width is blurred.
                like = known.ns_sec + conf["blur_class"] * _normal(known.id, key, LATER + 1 + again)
                order = _in_line(workers, far, np.zeros(n, np.int8), 10.0 * like)
                web.pairs(order, far[order], WORK)
        who = everybody if turn < conf["kin_child"] else adults
        near = known.age + blur * _normal(known.id, key, turn)
        order = _in_line(who, known.pod, known.ethnic_group, near)
        web.pairs(order, known.pod[order], KIN)
    for turn in range(conf["kin_far"]):
        near = known.age + blur * _normal(known.id, key, LATER + (100 + turn if turn else 0))
        order = _in_line(adults, far, known.ethnic_group, near)
        web.pairs(order, far[order], KIN)
    return web.ties, web.kind


def _normal(ids: NDArray[np.uint64], key: draws.Key, turn: int) -> NDArray[np.float64]:
    return ndtri(draws.uniform(ids, 0, "place_tie_2", key, index=turn))


def _in_line(who: Ints, group: Ints, kind: NDArray[np.int8], near: NDArray[np.float64]) -> Ints:
    """Return `who` in the order of group, kind and nearness (within -64 to 192): one sort of one number instead of three."""
    step = ((near[who] + 64.0) * 2.0**22).astype(np.int64)
    return who[np.argsort((group[who] << 33) + (kind[who].astype(np.int64) << 30) + np.clip(step, 0, 2**30 - 1), kind="stable")]


def _pools(known: Known) -> Ints:
    """Where far ties are found: authority and decile, or the decile of the whole place where that holds a single pod."""
    stratum = known.local_authority * 10 + known.imd_decile - 1
    of_pod = np.zeros(known.pod.max() + 1, np.int64)
    of_pod[known.pod] = stratum
    many = np.bincount(of_pod[np.unique(known.pod)], minlength=stratum.max() + 1) > 1
    return np.where(many[stratum], stratum, stratum.max() + known.imd_decile)


def _class_mates(web: _Web, known: Known, u: list[NDArray[np.float64]], circle: int, blur: float) -> None:
    """Tie children of one year of age in circles: of their school where it has enough, else of their decile and authority."""
    child = np.flatnonzero((known.age >= 5) & (known.age < 16))
    year, school = known.age[child].astype(np.int64), known.school[child]
    school_class = school * 16 + year
    # Friends live in like places, in every sample alike: children stand in the order of a blurred decile.
    like = np.rint(known.imd_decile[child] + blur * ndtri(u[1][child]))
    _, member, size = np.unique(school_class, return_inverse=True, return_counts=True)
    enough = size[member] >= circle - 1
    for at, block, sort in (
        (enough, school_class, (u[0][child], like, school_class)),
        (~enough, year, (u[0][child], school, known.local_authority[child], like, year)),
    ):
        order = np.flatnonzero(at)[np.lexsort([k[at] for k in sort])]
        web.circles(child[order], _circles(block[order], circle), CLASS)


def _circles(block: Ints, people: int) -> Ints:
    """Cut runs of equal block (a school class) into circles of about so many people and number them."""
    if len(block) == 0:
        return block
    start, size, place = _blocks(block)
    many = np.maximum(size // people, 1)
    return start + place * many // size
