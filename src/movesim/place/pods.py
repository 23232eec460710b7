"""Pods: whole households of one neighbourhood, about 125 residents; and the order in which a sample takes them.

The order is fixed by the place seed alone, so a sample of 5,000 people is a part of one of 20,000. Every prefix of it is
balanced over authorities and over IMD deciles, even when there are fewer pods than strata.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from movesim import draws
from movesim.place.households import Households
from movesim.place.margins import Margins
from movesim.place.matching import rank_within
from movesim.place.synthesis import bases, mixed

POD_SIZE = 125
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class PodList:
    """Every pod of a place in sampling order: the neighbourhood it lies in and its number there."""

    neighbourhood: Ints
    number: Ints

    def __len__(self) -> int:
        return len(self.neighbourhood)


def pods_per_neighbourhood(margins: Margins) -> Ints:
    """Return how many pods each neighbourhood is cut into: one per 125 residents, at least one."""
    return np.maximum(np.rint(margins.residents / POD_SIZE), 1).astype(np.int64)


def pod_order(margins: Margins, place_seed: int) -> PodList:
    """Return all pods in a keyed, balanced order.

    At each step the pod comes from the stratum (authority x decile) that is furthest behind its share: the sum of what its
    authority, its decile and it itself lack. Within a stratum every neighbourhood gives one pod before any gives two.
    """
    per = pods_per_neighbourhood(margins)
    home = np.repeat(np.arange(len(margins)), per)
    number = np.arange(len(home)) - np.concatenate([[0], np.cumsum(per)[:-1]])[home]
    ids = mixed(bases(margins.code, "pod")[home], number)
    u = draws.uniform(ids, 0, "place_pod", draws.key(place_seed, "place"))
    turn = rank_within(home, u, len(margins))
    stratum = margins.local_authority[home].astype(np.int64) * 10 + margins.imd_decile[home] - 1
    queue = np.lexsort((u, turn, stratum))

    strata, start, size = np.unique(stratum[queue], return_index=True, return_counts=True)
    # A pod of a made-up neighbourhood counts for all that it stands for.
    weight = np.bincount(stratum, margins.stands_for[home], minlength=strata.max() + 1)[strata]
    share = weight / weight.sum()
    authority, decile = strata // 10, strata % 10
    behind = np.zeros(len(strata))  # pods each stratum lacks against its share so far
    of_authority, of_decile = np.zeros(authority.max() + 1), np.zeros(10)
    share_a, share_d = np.bincount(authority, share), np.bincount(decile, share, 10)
    taken = np.zeros(len(strata), np.int64)
    tie = draws.uniform(strata.astype(np.uint64), 0, "place_pod", draws.key(place_seed, "place"), index=1) * 1e-6
    out = np.empty(len(queue), np.int64)
    for step in range(len(queue)):
        behind += share
        of_authority += share_a
        of_decile += share_d
        score = of_authority[authority] + of_decile[decile] + behind + tie
        s = int(np.argmax(np.where(taken < size, score, -np.inf)))
        out[step] = queue[start[s] + taken[s]]
        taken[s] += 1
        behind[s] -= 1.0
        of_authority[authority[s]] -= 1.0
        of_decile[decile[s]] -= 1.0
    return PodList(home[out], number[out])


def pods_of_households(homes: Households, which: Ints, margins: Margins, place_seed: int) -> Ints:
    """Return each household's pod, a number within its neighbourhood: households in keyed order, cut evenly."""
    u = draws.uniform(homes.id, 0, "place_pod", draws.key(place_seed, "place"), index=2)
    order = np.lexsort((u, homes.lsoa))
    size = homes.size[order].astype(np.float64)
    lsoa = homes.lsoa[order]
    total = np.bincount(homes.lsoa, homes.size, minlength=len(which))
    before = np.cumsum(size) - size
    before -= np.concatenate([[0.0], np.cumsum(total)[:-1]])[lsoa]
    per = pods_per_neighbourhood(margins)[which]
    pod = np.empty(len(order), np.int64)
    pod[order] = np.minimum((before + size / 2) * per[lsoa] / total[lsoa], per[lsoa] - 1).astype(np.int64)
    return pod
