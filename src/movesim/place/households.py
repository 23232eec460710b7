"""Households: people of one neighbourhood put together so that household sizes are met and every household has an adult.

Sizes come from the margins; children take places in households of two or more, siblings near in age and of one ethnic
group; a parent about thirty years older, a partner near in age, then grown-up children and sharers fill the rest. All
steps sort inside each neighbourhood, so each is built by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from movesim import draws
from movesim.errors import InputError
from movesim.place.margins import SIZES, Margins, associations, mean_sizes, rounded, table, tilted
from movesim.place.matching import exponential, paired, smallest
from movesim.place.synthesis import Residents, bases, mixed

HEAD, PARTNER, OTHER_ADULT, CHILD = 0, 1, 2, 3
ALONE_STARTS = (16, 20, 25, 35, 50, 65, 75, 85)
FEMALE = 1
# Where the bands of age of conf/place/associations.yaml (households) begin.
PARENT_AGES = (16, 17, 20, 25, 30, 35, 45, 50, 55, 60)
LEAVING_AGES, HEAD_AGES = (16, 18, 20, 25, 30, 35), (16, 18, 20, 25, 50)
COUPLE, LONE, SHARERS = 0, 1, 2


@dataclass(frozen=True)
class Households:
    """Households of some neighbourhoods: lsoa (h,), size (h,), id (h,), and for each person the household and the role.

    communal (h,) marks residents of communal establishments, each a household of one.
    """

    lsoa: NDArray[np.int64]
    size: NDArray[np.int64]
    id: NDArray[np.uint64]
    of_person: NDArray[np.int64]
    role: NDArray[np.int8]
    communal: NDArray[np.bool_]


def form(margins: Margins, people: Residents, place_seed: int) -> Households:
    """Put the residents of some neighbourhoods into households.

    Arguments: margins (whole); people, their residents; place_seed. Raises InputError where a neighbourhood has more
    households than adults.
    """
    builder = _Builder(margins, people, place_seed)
    builder.children()
    builder.alone()
    builder.first_parents()
    builder.partners(with_children=True)
    builder.heads()
    builder.partners(with_children=False)
    builder.others()
    return Households(builder.home_lsoa, builder.size, builder.home_id, builder.home, builder.role, builder.communal)


def _steps(starts: tuple[int, ...], values: Any, age: NDArray[np.int16]) -> NDArray[np.float64]:
    return np.asarray(values, dtype=np.float64)[np.maximum(np.searchsorted(starts, age, side="right") - 1, 0)]


class _Builder:
    """The households under construction: who has a home, which places are free."""

    def __init__(self, margins: Margins, people: Residents, place_seed: int) -> None:
        self.people, self.key = people, draws.key(place_seed, "place")
        self.conf = associations().data["households"]
        self.k = len(people.which)
        self.guided = margins.tenure is not None  # tables of the place's own households: their composition is looked after
        left = (LEAVING_AGES, "left_home_by_age") if self.guided else (HEAD_AGES, "first_adult_by_age")
        self.leaving = (left[0], table(self.conf[left[1]])[0])
        self.parent = (PARENT_AGES, table(self.conf["parent_by_age"])[0])
        self.adult = people.age >= 16
        sizes, singles = _household_sizes(margins, people)
        self.singles = singles  # communal residents: households of one that come last in each neighbourhood
        self.size = np.concatenate(sizes)
        self.home_lsoa = np.repeat(np.arange(self.k), [len(s) for s in sizes])
        number = np.concatenate([np.arange(len(s)) for s in sizes])
        self.home_id = mixed(bases(margins.code[people.which], "household")[self.home_lsoa], number)
        last = np.array([len(s) for s in sizes])[self.home_lsoa] - singles[self.home_lsoa]
        self.communal = number >= last
        self.home = np.full(len(people), -1, np.int64)
        self.role = np.full(len(people), -1, np.int8)
        self.free = self.size.copy()
        self.kids = np.zeros(len(self.size), np.int64)
        self.head = np.full(len(self.size), -1, np.int64)
        self.u = draws.words(people.id, 0, "place_household", self.key)
        self.v = draws.words(people.id, 0, "place_household_2", self.key)
        self.h = draws.words(self.home_id, 0, "place_household", self.key)
        self.w = draws.words(self.home_id, 0, "place_household_2", self.key)

    def aged(self, row: str) -> tuple[float, float]:
        """Mean and spread of an age, or of a distance in age, of conf/place/associations.yaml (households.ages)."""
        mean, spread = self.conf["ages"]["rows"][row]
        return mean, spread

    def share(self, name: str) -> float:
        """A single number of conf/place/associations.yaml (households)."""
        return float(self.conf[name]["value"])

    def seat(self, persons: NDArray[np.int64], homes: NDArray[np.int64], role: int) -> None:
        self.home[persons], self.role[persons] = homes, role
        np.subtract.at(self.free, homes, 1)
        if role == HEAD:
            self.head[homes] = persons

    def children(self) -> None:
        """Decide how many children each household has and seat them: siblings near in age, of one ethnic group."""
        shares = self.conf["children_by_size"]["rows"]
        places = np.maximum(self.size - 1, 0)
        home = np.repeat(np.arange(len(self.size)), places)
        start = np.concatenate([[0], np.cumsum(places)[:-1]])
        slot = np.arange(len(home)) - start[home]
        likely = np.full((SIZES + 1, SIZES + 8), self.share("further_child"))
        for size, row in shares.items():
            likely[int(size), : len(row)] = row
        odds = -np.log(1.0 - likely[np.minimum(self.size[home], SIZES), slot])
        ids = mixed(self.home_id[home], slot)
        key = exponential(draws.uniform(ids, 0, "place_household", self.key), odds)
        child = np.flatnonzero(~self.adult)
        wanted = np.bincount(self.people.lsoa[child], minlength=self.k)
        chosen = smallest(self.home_lsoa[home], key, wanted)
        self.kids = np.bincount(home[chosen], minlength=len(self.size))
        # Places stand in a random order of households; children in the order of ethnic group and a blurred age.
        seats = np.repeat(np.arange(len(self.size)), self.kids)
        seats = seats[np.lexsort((seats, draws.open_uniform(self.h[0])[seats], self.home_lsoa[seats]))]
        blurred = self.people.age[child] + self.aged("siblings blurred by")[1] * ndtri(draws.open_uniform(self.u[0][child]))
        order = np.lexsort((blurred, self.people.ethnic_group[child], self.people.lsoa[child]))
        self.seat(child[order], seats, CHILD)
        self.kid_age = np.bincount(seats, self.people.age[child[order]], len(self.size)) / np.maximum(self.kids, 1)
        self.kid_group = np.full(len(self.size), -1, np.int64)
        self.kid_group[seats[::-1]] = self.people.ethnic_group[child[order]][::-1]

    def alone(self) -> None:
        """Choose who lives in communal establishments and who lives alone."""
        for what, homes, word in (
            ("communal", np.flatnonzero(self.communal), 1),
            ("living_alone", np.flatnonzero(~self.communal & (self.size == 1)), 2),
        ):
            pool = np.flatnonzero(self.adult & (self.home < 0))
            weight = _steps(ALONE_STARTS, table(self.conf[what])[0], self.people.age[pool])
            key = exponential(draws.open_uniform(self.u[word][pool]), weight)
            rank = np.arange(len(homes), dtype=np.float64)
            h, p = paired(self.home_lsoa[homes], rank, rank, self.people.lsoa[pool], key, key, self.k)
            self.seat(pool[p], homes[h], HEAD)

    def _fill(
        self,
        homes: NDArray[np.int64],
        wanted_age: NDArray[np.float64],
        group: NDArray[np.int64],
        sex: NDArray[np.int64],
        weight: NDArray[np.float64],
        uniform: NDArray[np.float64],
        role: int,
        anybody: bool,
    ) -> None:
        """Seat one adult in each of the homes: same group and wanted sex first, then any group, then (if asked) anybody."""
        people, left = self.people, np.ones(len(homes), bool)
        for by_group, by_sex, eligible in ((True, True, True), (False, True, True), (False, False, not anybody)):
            pool = np.flatnonzero(self.adult & (self.home < 0) & ((weight > 0) if eligible else True))
            todo = np.flatnonzero(left)
            if len(todo) == 0 or len(pool) == 0:
                return
            a, b = self.home_lsoa[homes[todo]], people.lsoa[pool]
            groups = self.k
            if by_group:
                a, b, groups = a * 5 + group[todo], b * 5 + people.ethnic_group[pool], groups * 5
            if by_sex:
                a, b, groups = a * 2 + sex[todo], b * 2 + people.sex[pool], groups * 2
            first = draws.open_uniform(self.w[0][homes[todo]])
            key = exponential(uniform[pool], weight[pool])
            i, j = paired(a, first, wanted_age[todo], b, key, people.age[pool].astype(np.float64), groups)
            self.seat(pool[j], homes[todo[i]], role)
            left[todo[i]] = False

    def first_parents(self) -> None:
        """Seat a parent in every household with children: nine in ten lone parents are mothers."""
        homes = np.flatnonzero(self.kids > 0)
        z = ndtri(draws.open_uniform(self.h[1][homes]))
        spread = self.aged("parent above children, spread of")[1]
        age = np.maximum(self.kid_age[homes] + self.conf["parent_gap"]["value"] + spread * z, self.kid_age[homes] + 16)
        lone = self.size[homes] - self.kids[homes] == 1
        father = lone & (draws.open_uniform(self.h[2][homes]) < self.share("lone_fathers"))
        sex = np.where(father, 0, FEMALE)
        mixed_kids = table(self.conf["mixed_children"])[0]
        group = _parent_group(self.kid_group[homes], draws.open_uniform(self.h[3][homes]), mixed_kids)
        weight = _steps(*self.parent, self.people.age)
        self._fill(homes, age, group, sex, weight, draws.open_uniform(self.u[3]), HEAD, anybody=True)

    def partners(self, with_children: bool) -> None:
        """Seat a partner near in age where there is room: the second adult of most households."""
        u = draws.open_uniform(self.w[1])
        alike = (
            np.where(self.size == 2, *self.conf["without_children"]["rows"]["couples"]) if self.guided else self.share("couple")
        )
        homes = (self.kids > 0) if with_children else (self.kids == 0) & (u < alike)
        homes = np.flatnonzero(homes & (self.free > 0) & (self.head >= 0))
        head = self.head[homes]
        gap, spread = self.aged("partner, a woman's above her")
        older = np.where(self.people.sex[head] == FEMALE, gap, -gap)
        age = self.people.age[head] + older + spread * ndtri(draws.open_uniform(self.w[2][homes]))
        same_sex = draws.open_uniform(self.w[3][homes]) < self.share("same_sex")
        sex = np.where(same_sex, self.people.sex[head], 1 - self.people.sex[head]).astype(np.int64)
        group = self.people.ethnic_group[head].astype(np.int64)
        if with_children:
            mixed_kids = self.kid_group[homes] == 2
            other = np.array([3, 3, 3, 1, 3])[group]  # a White parent's partner is Black here, any other's is White
            group = np.where(mixed_kids, other, group)
            weight = _steps(*self.parent, (self.people.age - 2).astype(np.int16))
        else:
            weight = _steps(*self.leaving, self.people.age)
        self._fill(homes, age, group, sex, weight, draws.open_uniform(self.v[0]), PARTNER, anybody=False)

    def heads(self) -> None:
        """Seat a first adult in every household without children: large ones are often of parents with grown-up children."""
        homes = np.flatnonzero(self.head < 0)
        z, u = ndtri(draws.open_uniform(self.h[1][homes])), draws.open_uniform(self.h[2][homes])

        def drawn(row: str) -> NDArray[np.float64]:
            mean, spread = self.aged(row)
            return mean + spread * z

        few, young = drawn("first adult of one or two"), drawn("first of young sharers")
        if self.guided:
            family = self._kind()[homes]
            sharing = np.where(u < self.share("young_sharers"), young, drawn("first of older sharers"))
            large = drawn("first adult of a family with grown-up children")
            age = np.where(family == SHARERS, sharing, np.where(self.size[homes] >= 3, large, few))
            age = np.where((family == LONE) & (self.size[homes] == 2), drawn("lone parent of one grown-up child"), age)
        else:
            parents = drawn("first adult of a large household, built-in")
            large = np.where(u < self.share("family_of_three"), parents, young)
            age = np.where(self.size[homes] >= 3, large, few)
        pool = np.flatnonzero(self.adult & (self.home < 0))
        key = exponential(draws.open_uniform(self.v[1][pool]), _steps(*self.leaving, self.people.age[pool]))
        first = np.zeros(len(homes))
        h, p = paired(self.home_lsoa[homes], first, age, self.people.lsoa[pool], key, self.people.age[pool].astype(float), self.k)
        self.seat(pool[p], homes[h], HEAD)

    def _kind(self) -> NDArray[np.int64]:
        """What each household without children is to be: a couple, a lone parent with grown-up children, or sharers."""
        u = draws.open_uniform(self.w[1])
        couple, family = (np.where(self.size == 2, *row) for row in self.conf["without_children"]["rows"].values())
        return np.where(u < couple, COUPLE, np.where(u < family, LONE, SHARERS))

    def others(self) -> None:
        """Fill what places are left: grown-up children with heads of 40 or over, sharers of their own age with the young."""
        free = self.free.copy()
        homes = np.repeat(np.arange(len(self.size)), free)
        start = np.concatenate([[0], np.cumsum(free)[:-1]])
        ids = mixed(self.home_id[homes], np.arange(len(homes)) - start[homes] + 100)
        z = ndtri(draws.uniform(ids, 0, "place_household_2", self.key))
        head = self.people.age[self.head[homes]]
        below, spread = self.aged("child below a grown-up family's first adult")
        child = head - below + spread * z
        if self.guided:
            family = self._kind()[homes]
            child = np.clip(child, 16, np.maximum(head - 16, 16))
            teens = draws.uniform(ids, 0, "place_household_2", self.key, index=1) < self.share("teenagers")
            (eighteen, older), grandparent = self.aged("teenager beside younger children"), "grandparent above the first adult"
            with_kids = np.where(teens, eighteen + older * np.abs(z), head + self.aged(grandparent)[0])
            age = np.where(
                self.kids[homes] > 0, with_kids, np.where(family == SHARERS, head + self.aged("sharers")[1] * z, child)
            )
        else:
            age = np.where(head >= 40, np.maximum(child, 16), head + self.aged("sharers, built-in")[1] * z)
        group = self.people.ethnic_group[self.head[homes]].astype(np.int64)
        left = np.ones(len(homes), bool)
        for by_group in (True, False):
            pool, todo = np.flatnonzero(self.home < 0), np.flatnonzero(left)
            a, b, groups = self.home_lsoa[homes[todo]], self.people.lsoa[pool], self.k
            if by_group:
                a, b, groups = a * 5 + group[todo], b * 5 + self.people.ethnic_group[pool], groups * 5
            key = draws.open_uniform(self.v[2][pool])
            i, j = paired(a, z[todo], age[todo], b, key, self.people.age[pool].astype(float), groups)
            self.seat(pool[j], homes[todo[i]], OTHER_ADULT)
            left[todo[i]] = False


def _parent_group(kids: NDArray[np.int64], u: NDArray[np.float64], mixed_kids: NDArray[np.float64]) -> NDArray[np.int64]:
    """The ethnic group wanted of a first parent: the children's; for Mixed children mostly White, then Mixed or Black."""
    for_mixed = np.select([u < share for share in mixed_kids[:3]], [3, 2, 1], 0)
    return np.where(kids == 2, for_mixed, np.maximum(kids, 0))


def _household_sizes(margins: Margins, people: Residents) -> tuple[list[NDArray[np.int64]], NDArray[np.int64]]:
    """Sizes of the households of each neighbourhood, made to hold its residents exactly; communal residents come last.

    The census perturbs tables one by one, so households times size and residents differ by a few: the sizes give way.
    """
    k = len(people.which)
    adults = np.bincount(people.lsoa[people.age >= 16], minlength=k)
    everyone = np.bincount(people.lsoa, minlength=k)
    counts = np.maximum(margins.household_size[people.which], 0.0)
    homes = np.rint(counts.sum(axis=1)).astype(np.int64)
    bad = np.flatnonzero((homes == 0) | (homes > adults))
    if len(bad):
        raise InputError(
            f"{margins.code[people.which[bad[0]]]}: {homes[bad[0]]} households for {adults[bad[0]]} residents aged 16 or over; "
            "every household needs an adult, so check the household-size and age tables of this LSOA."
        )
    communal = np.minimum(margins.communal[people.which].astype(np.int64), adults - homes)
    inside = everyone - communal
    whole = rounded(tilted(counts / counts.sum(axis=1, keepdims=True), inside / homes), homes.astype(np.float64)).astype(np.int64)
    out = [np.concatenate([_exact_sizes(whole[row], int(inside[row])), np.ones(communal[row], np.int64)]) for row in range(k)]
    return out, communal


def _exact_sizes(counts: NDArray[np.int64], residents: int) -> NDArray[np.int64]:
    """Return household sizes that sum to the residents, near to the counts of sizes 1 to 7 and 8 or more."""
    sizes = np.repeat(mean_sizes().astype(np.int64), counts)
    over = residents - int(sizes.sum())
    large = np.flatnonzero(sizes >= SIZES)
    step = 0
    while over < 0 and len(large) and sizes[large[-1]] > SIZES:  # the largest give up what they only hold on average
        sizes[large[step % len(large)]] -= 1
        over, step = over + 1, step + 1
    while over > 0 and len(large) and step < 3 * len(large):
        sizes[large[step % len(large)]] += 1
        over, step = over - 1, step + 1
    # The rest is taken by the households in the middle of the list, of two to four people, one each.
    while over != 0:
        sign = 1 if over > 0 else -1
        movable = np.flatnonzero((sizes > 1) | (sign > 0) & (sizes == sizes.max()))
        if len(movable) == 0:
            movable = np.arange(len(sizes))
        middle = movable[(len(movable) - min(abs(over), len(movable))) // 2 :][: abs(over)]
        sizes[middle] += sign
        over -= sign * len(middle)
    return np.sort(sizes).astype(np.int64)
