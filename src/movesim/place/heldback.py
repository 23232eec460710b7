"""Held back: tables that no fit has seen, predicted from the people made, to be compared with what was counted.

General health, unpaid care, household deprivation and qualifications follow from age, disability, class, work and tenure by
published rates (conf/place/seeds.yaml) and judgements (conf/place/associations.yaml); nothing here enters the model.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from movesim import draws
from movesim.place.households import Households
from movesim.place.margins import associations, seeds, table
from movesim.place.synthesis import Residents

SIX = (0, 16, 25, 35, 50, 65)
HEALTH = ("very good", "good", "fair", "bad", "very bad")
QUALIFICATIONS = ("none", "up to level 3 and other", "level 4 or above")
DIMENSIONS = ("0", "1", "2", "3", "4")
CARE = ("none", "some")
Columns = dict[str, NDArray]
Floats = NDArray[np.float64]


def predicted(people: Residents, homes: Households, columns: Columns, place_seed: int) -> dict[str, Floats]:
    """Return predicted counts of each held-back table for the neighbourhoods of `people`.

    Arguments: people, homes and columns (as movesim.place.attributes.describe gives them) of whole neighbourhoods; place_seed.
    Returns (neighbourhoods, categories) for 'health', 'carers', 'qualifications' and 'household_deprivation'.
    """
    conf = associations().data["held_back"]
    key = draws.key(place_seed, "place")
    u = [draws.open_uniform(w) for w in draws.words(people.id, 0, "place_attribute", key, 10)]
    v = [draws.open_uniform(w) for w in draws.words(people.id, 0, "place_attribute", key, 11)]
    k, band = len(people.which), np.searchsorted(SIX, people.age, side="right") - 1
    health = _health(people, band, u[0], u[1], conf["health_disability"]["value"])
    adult = people.age >= 16
    level, below_two = _qualification(columns["class_of_all"], band, u[2], v[0], conf)
    old_enough = people.age >= 5
    return {
        "health": _counts(people.lsoa, health, k, len(HEALTH)),
        "carers": _counts(people.lsoa[old_enough], columns["carer"][old_enough], k, len(CARE)),
        "qualifications": _counts(people.lsoa[adult], np.array([0, 1, 1, 2])[level[adult]], k, len(QUALIFICATIONS)),
        "household_deprivation": _deprivation(people, homes, columns, health, below_two, v, key),
    }


def _counts(lsoa: NDArray, column: NDArray, k: int, categories: int) -> Floats:
    return np.bincount(lsoa * categories + column, minlength=k * categories).reshape(k, categories).astype(np.float64)


def _health(people: Residents, band: NDArray, u: Floats, v: Floats, like: float) -> NDArray[np.int64]:
    """General health (0 very good to 4 very bad): a normal score that goes with that of disability, cut at each age's shares."""
    able = table(seeds().data["disability_by_age"])[0][band]
    position = np.where(people.disabled == 1, able + u * (1 - able), u * able)
    score = like * ndtri(position) + np.sqrt(1 - like**2) * ndtri(v)
    cuts = ndtri(np.cumsum(table(seeds().data["health_by_age"]), axis=0)[: len(HEALTH) - 1])
    return (score[None] > cuts[:, band]).sum(axis=0)


def _qualification(classed: NDArray, band: NDArray, u: Floats, v: Floats, conf: dict) -> tuple[NDArray, NDArray]:
    """Highest qualification (0 none, 1 lower school, 2 middle, 3 degree) of people of 16 or over, and who is below level 2."""
    like = conf["qualification_class"]["value"]
    high, student = conf["class_score"]["value"], conf["student_score"]["value"]
    standing = np.array([high, 0.0, -high, student, 0.0])[np.minimum(classed, 4)]
    score = like * standing + np.sqrt(1 - like**2) * ndtri(u)
    cuts = ndtri(np.cumsum(table(seeds().data["qualification_by_age"]), axis=0)[:3])
    level = (score[None] > cuts[:, np.maximum(band - 1, 0)]).sum(axis=0)
    return level, (level == 0) | ((level == 1) & (v < conf["lower_school_below_2"]["value"]))


def _deprivation(
    people: Residents, homes: Households, columns: Columns, health: NDArray, below_two: NDArray, v: list[Floats], key: draws.Key
) -> Floats:
    """Households by how many dimensions they are deprived in, as the census counts: education, employment, health, housing."""
    conf = associations().data["held_back"]
    h, houses, adult = homes.of_person, len(homes.size), people.age >= 16
    student = columns["class_of_all"] == 3
    learned = (adult & ~below_two) | (student & (people.age >= 16) & (people.age <= 18))
    education = np.bincount(h[learned], minlength=houses) == 0
    idle = adult & (people.age < 66) & (columns["in_work"] == 0) & ~student
    chance = np.where(people.disabled == 1, conf["long_term_sick"]["value"], conf["unemployed"]["value"])
    employment = np.bincount(h[idle & (v[1] < chance)], minlength=houses) > 0
    ill = np.bincount(h[(people.disabled == 1) | (health >= 3)], minlength=houses) > 0
    rates = table(conf["poor_housing"])
    tenure = np.full(houses, -1, np.int64)
    tenure[h] = columns["tenure"]
    u = draws.uniform(homes.id, 0, "place_attribute", key, index=12)
    # Without a table of tenure every household takes the mean of the four.
    rate = np.where(tenure >= 0, rates[(homes.size >= 5).astype(int), tenure], rates.mean(axis=1)[(homes.size >= 5).astype(int)])
    dimensions = education.astype(np.int64) + employment + ill + (u < rate)
    inside = ~homes.communal
    return _counts(homes.lsoa[inside], dimensions[inside], len(people.which), len(DIMENSIONS))
