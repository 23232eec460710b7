"""What the projection remembers of week 0: donors of lasting traits, households, usual schools and the mix of classes.

Taken once after the burn-in and shared by all scenarios of a replicate, so that newcomers are the same everywhere and know
nothing of any policy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from movesim import draws
from movesim.words import AGE_BANDS

if TYPE_CHECKING:
    from movesim.behaviour.people import People

# What a newcomer takes from a donor, beside the nature that noise, tastes and volume are drawn from.
TRAITS = ("taste", "state", "H", "ring", "mean")
DECILES, BANDS = 10, len(AGE_BANDS)


@dataclass(frozen=True)
class Donors:
    """People sorted by group, by id within it: those of group c are order[start[c] : start[c] + count[c]]."""

    order: NDArray[np.int64]
    start: NDArray[np.int64]
    count: NDArray[np.int64]

    @classmethod
    def of(cls, group: NDArray[np.int64], groups: int, ids: NDArray[np.uint64]) -> Donors:
        count = np.bincount(group, minlength=groups)
        return cls(np.lexsort((ids, group)), np.cumsum(count) - count, count)

    def choose(self, group: NDArray[np.int64], u: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return one person of each group by a uniform, -1 where the group has nobody."""
        count = self.count[group]
        place = self.start[group] + np.minimum((u * count).astype(np.int64), np.maximum(count - 1, 0))
        return np.where(count > 0, self.order[np.minimum(place, self.order.size - 1)], -1)


def donor_groups(decile: NDArray, band: NDArray, sex: NDArray, impaired: NDArray) -> list[NDArray[np.int64]]:
    """Return group numbers from the most to the least alike: decile, age band, sex and impaired; then less of these."""
    band, sex, impaired = band.astype(np.int64), sex.astype(np.int64), impaired.astype(np.int64)
    alike = (band * 2 + sex) * 2 + impaired
    return [(decile.astype(np.int64) - 1) * BANDS * 4 + alike, alike, band * 2 + sex, band]


GROUPS = (DECILES * BANDS * 4, BANDS * 4, BANDS * 2, BANDS)


@dataclass(frozen=True)
class Snapshot:
    """People and places as they stood at week 0.

    `traits`: columns of TRAITS, (..., n); `nature` (n,). `donors`: one grouping per entry of GROUPS. `household` (households,)
    the 64-bit key of each household, `home` its neighbourhood, -1 where the number is not in use. `place` (g,) the 64-bit key of
    each neighbourhood, a hash of its code. `primary`, `secondary` (g,): the school most pupils of the neighbourhood attend.
    `classes` (10, 3): cumulative shares of NS-SEC 1-2, 3-5 and 6-8 among people of 25 to 64 by IMD decile.
    """

    traits: dict[str, NDArray]
    nature: NDArray[np.uint64]
    donors: tuple[Donors, ...]
    household: NDArray[np.uint64]
    home: NDArray[np.int64]
    place: NDArray[np.uint64]
    primary: NDArray[np.int32]
    secondary: NDArray[np.int32]
    classes: NDArray[np.float64]

    @classmethod
    def of(cls, people: People) -> Snapshot:
        """Take the snapshot of these people, who are not kept themselves."""
        n = people.n
        decile = people.neighbourhoods["imd_decile"]
        groups = donor_groups(decile[people.neighbourhood], people.band[:n], people.sex, people.impairments > 0)
        homes = int(people.household.max(initial=0)) + 1
        key = np.full(homes, np.iinfo(np.uint64).max, np.uint64)
        np.minimum.at(key, people.household, people.id)
        home = np.full(homes, -1, np.int64)
        home[people.household] = people.neighbourhood
        return cls(
            {name: people.floats[name][..., :n].copy() for name in TRAITS},
            people.nature[:n].copy(),
            tuple(Donors.of(group, size, people.id) for group, size in zip(groups, GROUPS, strict=True)),
            key, home, np.array([draws.hash_id("moves", c) for c in people.neighbourhoods["code"]], np.uint64),
            _usual_school(people, 1), _usual_school(people, 2), _classes(people, decile[people.neighbourhood]),
        )  # fmt: skip

    def donor(self, groups: list[NDArray[np.int64]], u: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return a donor for each newcomer from the most alike group that has anybody, -1 where no group has."""
        found = np.full(u.size, -1, np.int64)
        for donors, group in zip(self.donors, groups, strict=True):
            found = np.where(found < 0, donors.choose(group, u), found)
        return found


def _usual_school(people: People, phase: int) -> NDArray[np.int32]:
    """Return the modal school of a phase by neighbourhood; without pupils there, by authority, then anywhere; 0 if none."""
    pupils = np.flatnonzero(people.schools["phase"][people.school] == phase)
    authority = people.neighbourhoods["local_authority"].astype(np.int64)
    g = authority.size
    out = np.zeros(g, np.int32)
    here = people.neighbourhood[pupils].astype(np.int64)
    # from the widest circle to the narrowest: a narrower one, where it has pupils, has the last word
    school, weight = people.school[pupils].astype(np.int64), people.weight[pupils]
    for group_of in (np.zeros(g, np.int64), authority, np.arange(g)):
        modal = _modal(group_of[here], school, weight, int(group_of.max(initial=0)) + 1)
        out = np.where(modal[group_of] > 0, modal[group_of], out)
    return out.astype(np.int32)


def _modal(group: NDArray[np.int64], school: NDArray[np.int64], weight: NDArray, groups: int) -> NDArray[np.int64]:
    """Return the school with most pupils of each group, the smaller number if two tie, 0 where a group has none."""
    out = np.zeros(groups, np.int64)
    if group.size == 0:
        return out
    size = int(school.max()) + 1
    pairs, which = np.unique(group * size + school, return_inverse=True)
    pupils = np.bincount(which, weight)
    order = np.lexsort((-pairs, pupils))  # the best pair of a group comes last, and its assignment stays
    out[pairs[order] // size] = pairs[order] % size
    return out


def _classes(people: People, decile: NDArray) -> NDArray[np.float64]:
    scored = (people.age >= 25) & (people.age < 65) & (people.ns_sec <= 2)
    cell = (decile[scored].astype(np.int64) - 1) * 3 + people.ns_sec[scored]
    counts = np.bincount(cell, people.weight[scored], DECILES * 3).reshape(DECILES, 3)
    everybody = counts.sum(axis=0) if counts.sum() > 0 else np.ones(3)
    counts = np.where(counts.sum(axis=1, keepdims=True) > 0, counts, everybody)
    return np.cumsum(counts / counts.sum(axis=1, keepdims=True), axis=1)
