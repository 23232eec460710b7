"""Composition, tenure and cars of households, fitted together to the tables of each neighbourhood.

Kind of household (composition, size, class of its first adult) x tenure x cars is one joint table per neighbourhood: the
households there are its first margin, the tenure and car tables the others; its seed is the national cross-table.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from movesim import draws
from movesim.place.households import HEAD, OTHER_ADULT, PARTNER, Households
from movesim.place.ipf import whole_tables
from movesim.place.margins import Margins, associations, rounded, seeds
from movesim.place.matching import rank_within, smallest
from movesim.place.synthesis import Residents, bases, mixed

COMPOSITIONS = (
    "one person, 66 or over", "one person, under 66", "one family, all 66 or over", "couple, no children",
    "couple, dependent children", "couple, grown-up children", "lone parent, dependent children",
    "lone parent, grown-up children", "other",
)  # fmt: skip
TENURES = ("owned outright", "mortgage or shared", "social", "private or rent free")
SIZES = ("1", "2", "3", "4+")
CARS, CLASSES, OTHER = 4, 4, 8
DEPENDENT_UNTIL, GENERATION, OLD = 18, 16, 66
Ints = NDArray[np.int64]


def compositions(people: Residents, homes: Households) -> Ints:
    """Return the composition of each household (index into COMPOSITIONS), as the census counts it.

    Children are dependent below 16, and up to 18 where they live with a parent; communal residents are one-person households.
    """
    houses, of = len(homes.size), homes.of_person
    head_age = np.zeros(houses, np.int64)
    head_age[of[homes.role == HEAD]] = people.age[homes.role == HEAD]
    couple = np.bincount(of[homes.role == PARTNER], minlength=houses) > 0
    further = homes.role == OTHER_ADULT
    younger = people.age + GENERATION <= head_age[of]
    dependent = (people.age < 16) | (further & younger & (people.age <= DEPENDENT_UNTIL))
    children = np.bincount(of[dependent], minlength=houses)
    grown = np.bincount(of[further & younger & ~dependent], minlength=houses)
    strangers = np.bincount(of[further & ~younger & ~dependent], minlength=houses)
    youngest = np.full(houses, 999)
    np.minimum.at(youngest, of, people.age)
    one = homes.size == 1
    cases = [
        (one & (youngest >= OLD), 0), (one, 1), ((youngest >= OLD) & (couple | (grown > 0)) & (strangers == 0), 2),
        (strangers > 0, OTHER), (couple & (children > 0), 4), (couple & (grown > 0), 5), (couple, 3), (children > 0, 6),
        (grown > 0, 7),
    ]  # fmt: skip
    return np.select([c for c, _ in cases], [v for _, v in cases], OTHER).astype(np.int64)


@lru_cache(maxsize=1)
def seed_table() -> NDArray[np.float64]:
    """Return the joint seed (composition x size 36, class of the first adult 4, tenure 4, cars 4).

    Composition and class go together only through size, tenure and cars, as far as the two cross-tables can say.
    """
    data = seeds().data
    of_home = np.full((len(COMPOSITIONS), len(SIZES), len(TENURES), CARS), 1e-6)
    for name, row in data["household"]["rows"].items():
        composition, size = name.split("; ")
        of_home[COMPOSITIONS.index(composition), SIZES.index(size)] += np.reshape(row, (len(TENURES), CARS))
    of_class = np.full((CLASSES, len(SIZES), len(TENURES), CARS), 1e-6)
    for k, row in enumerate(data["reference_person"]["rows"].values()):
        of_class[k // len(SIZES), k % len(SIZES)] += np.reshape(row, (len(TENURES), CARS))
    share = of_class / of_class.sum(axis=0)
    joint = of_home[:, :, None] * share.transpose(1, 0, 2, 3)[None]
    return joint.reshape(len(COMPOSITIONS) * len(SIZES), CLASSES, len(TENURES), CARS)


def tenure_and_cars(
    margins: Margins,
    people: Residents,
    homes: Households,
    class_of_first: Ints,
    more_cars: NDArray[np.float64],
    income: NDArray[np.float64],
    place_seed: int,
) -> tuple[NDArray[np.int8], Ints]:
    """Return tenure (index into TENURES, -1 communal) and cars (0 to 3) of each household.

    Arguments: margins (whole, with `tenure`); people and homes; class_of_first (h,), class of the first adult; more_cars (h,),
    who of like households has more; income (h,), rank of income; place_seed.
    """
    assert margins.tenure is not None
    which, k = people.which, len(people.which)
    inside = np.flatnonzero(~homes.communal)
    lsoa = homes.lsoa[inside]
    kind = (compositions(people, homes) * len(SIZES) + np.minimum(homes.size, len(SIZES)) - 1)[inside]
    seed = seed_table()
    used = np.unique(kind * CLASSES + class_of_first[inside])
    row = np.full(seed.shape[0] * CLASSES, -1)
    row[used] = np.arange(len(used))
    cell = lsoa * len(used) + row[kind * CLASSES + class_of_first[inside]]
    there = np.bincount(cell, minlength=k * len(used)).reshape(k, len(used)).astype(np.float64)
    total = there.sum(axis=1)
    wanted = [there, rounded(margins.tenure[which], total), rounded(margins.cars[which], total)]
    # A cell's chance is addressed by its kind, so that a neighbourhood does not depend on which others are made with it.
    cells = (used[:, None] * 16 + np.arange(16)).ravel()
    ids = mixed(np.repeat(bases(margins.code[which], "tenure"), len(cells)), np.tile(cells, k))
    uniforms = draws.uniform(ids, 0, "place_other", draws.key(place_seed, "place")).reshape(k, len(cells))
    flat = seed.reshape(-1, len(TENURES), CARS)[used]
    counts = whole_tables(flat, wanted, uniforms).reshape(-1, len(TENURES), CARS)

    order = rank_within(cell, more_cars[inside], len(counts))
    below = np.cumsum(counts.sum(axis=1), axis=1)[:, : CARS - 1]
    cars = (order[:, None] >= below[cell]).sum(axis=1)
    # Of like households the older own outright, of the rest the better off pay a mortgage, of the rest the young rent privately.
    v = draws.words(homes.id[inside], 0, "place_attribute", draws.key(place_seed, "place"), 4)
    z = [ndtri(draws.open_uniform(w)) for w in v[:3]]
    age = np.zeros(len(homes.size))
    age[homes.of_person[homes.role == HEAD]] = people.age[homes.role == HEAD]
    of = cell * CARS + cars
    held = counts.transpose(0, 2, 1).reshape(-1, len(TENURES))
    tenure = np.full(len(inside), 3, np.int8)
    left = np.ones(len(inside), bool)
    conf = associations().data["tenure"]
    older, richer, younger = (conf[name]["value"] * noise for name, noise in zip(("older_own", "richer_buy", "younger_rent"), z))
    for number, key in enumerate((-(age[inside] + older), -(income[inside] + richer), -(age[inside] + younger))):
        at = np.flatnonzero(left)
        chosen = at[smallest(of[at], key[at], held[:, number])]
        tenure[chosen], left[chosen] = number, False
    out_tenure, out_cars = np.full(len(homes.size), -1, np.int8), np.zeros(len(homes.size), np.int64)
    out_tenure[inside], out_cars[inside] = tenure, cars
    return out_tenure, out_cars
