"""Attributes: class, work, care, impairments, faith, income, cars and affluence of people already in households.

What a table of the place counts (NS-SEC, carers, cars) is met exactly in every neighbourhood; the rest is drawn from the
associations in conf/place/associations.yaml. Every draw is keyed by the person or household.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, ndtri

from movesim import draws
from movesim.place.households import HEAD, PARTNER, Households
from movesim.place.margins import Margins, associations, rounded, table
from movesim.place.matching import exponential, rank_within, smallest
from movesim.place.synthesis import Residents
from movesim.place.tenure import tenure_and_cars
from movesim.place.work import STUDENT_STARTS, class_and_work
from movesim.words import NS_SEC

STUDENT, NOT_SCORED = NS_SEC.index("student"), NS_SEC.index("not scored")
FEMALE = 1
WORK_STARTS = (0, 16, 18, 25, 35, 50, 65, 75)
CARE_STARTS = (0, 5, 16, 25, 35, 50, 65, 75)
BIRTH_STARTS = (0, 16, 20, 25, 30, 35, 40, 45)
Column = NDArray[Any]


def describe(margins: Margins, people: Residents, homes: Households, place_seed: int) -> dict[str, Column]:
    """Return the columns of words.PEOPLE that describe a person, for all residents of some whole neighbourhoods.

    Arguments: margins (whole), people, their households and the place seed. Household columns are given per person.
    """
    return _Describer(margins, people, homes, place_seed).columns()


def _steps(starts: tuple[int, ...], values: Any, age: NDArray[np.int16]) -> NDArray[np.float64]:
    return np.asarray(values, dtype=np.float64)[np.searchsorted(starts, age, side="right") - 1]


class _Describer:
    def __init__(self, margins: Margins, people: Residents, homes: Households, place_seed: int) -> None:
        self.margins, self.people, self.homes = margins, people, homes
        self.seed, self.key = place_seed, draws.key(place_seed, "place")
        self.conf = associations().data
        self.age = people.age
        self.adult = people.age >= 16
        self.decile = margins.imd_decile[people.which].astype(np.float64)
        self.h = homes.of_person
        self.houses = len(homes.size)

    def u(self, index: int) -> tuple[NDArray[np.float64], ...]:
        """Four uniforms per person."""
        return tuple(draws.open_uniform(w) for w in draws.words(self.people.id, 0, "place_attribute", self.key, index))

    def house(self, index: int) -> tuple[NDArray[np.float64], ...]:
        """Four uniforms per household."""
        return tuple(draws.open_uniform(w) for w in draws.words(self.homes.id, 0, "place_attribute", self.key, index))

    def columns(self) -> dict[str, Column]:
        u, v, w = self.u(0), self.u(1), self.u(2)
        home, home_2 = self.house(0), self.house(1)
        adults = np.bincount(self.h[self.adult], minlength=self.houses)
        parents = (self.homes.role == HEAD) | (self.homes.role == PARTNER)
        under_five = np.bincount(self.h[self.age < 5], minlength=self.houses) > 0
        baby = np.bincount(self.h[self.age < 1], minlength=self.houses) > 0
        young = (self.adult & parents & under_five[self.h]).astype(np.int8)
        if self.margins.employed is None:
            classed = self._ns_sec(u[0], u[1], home[0])
            in_work = self._in_work(classed, young, u[2])
        else:
            mother = (young == 1) & (self.people.sex == FEMALE)
            classed, in_work = class_and_work(self.margins, self.people, self._class_score(u[1], home[0]), mother, self.seed)
        rank = self._income(classed, in_work, adults, home[1])
        score = self._more_cars(rank, adults, home[2])
        if self.margins.tenure is None:
            tenure, cars = np.full(self.houses, -1, np.int8), self._cars(score)
        else:
            first = np.zeros(self.houses, np.int64)
            first[self.h[self.homes.role == HEAD]] = classed[self.homes.role == HEAD]
            tenure, cars = tenure_and_cars(self.margins, self.people, self.homes, first, score, rank, self.seed)
        return {
            "impairments": self._impairments(v[0], v[1]),
            "ns_sec": np.where(self.adult & (self.age < 75), classed, NOT_SCORED).astype(np.int8),
            "in_work": in_work,
            "carer": self._carer(v[2]),
            "young_children": young,
            "pregnant_or_baby": self._expecting(v[3], self.adult & parents & baby[self.h]),
            "muslim": self._muslim(home_2[0], w[0]),
            "cars_per_adult": (cars / np.maximum(adults, 1))[self.h].astype(np.float32),
            "income_rank": rank[self.h].astype(np.float32),
            "affluence": self._affluence(rank, cars),
            "cars": cars[self.h].astype(np.int8),
            "tenure": tenure[self.h],
            "class_of_all": classed.astype(np.int8),
            "affluence_score": self.affluence_score[self.h],
            "income_score": self.income_score[self.h],
        }

    def _ns_sec(self, u: Column, noise: Column, shared: Column) -> NDArray[np.int64]:
        """Class of everybody of 16 or over: students by age, the others by a latent rank shared in part by the household."""
        counts = self.margins.ns_sec[self.people.which]
        adult = np.flatnonzero(self.adult)
        lsoa = self.people.lsoa[adult]
        weight = _steps((0, *STUDENT_STARTS), (0.0, *table(self.conf["students"]["by_age"])[0]), self.age[adult])
        student = smallest(lsoa, exponential(u[adult], weight), counts[:, 3].astype(np.int64))
        score = self._class_score(noise, shared)[adult]
        rank = np.full(len(adult), -1, np.int64)
        rank[~student] = rank_within(lsoa[~student], -score[~student], len(counts))
        first, second = counts[lsoa, 0], counts[lsoa, 0] + counts[lsoa, 1]
        out = np.full(len(self.age), NOT_SCORED, np.int64)
        out[adult] = np.where(student, STUDENT, np.where(rank < first, 0, np.where(rank < second, 1, 2)))
        return out

    def _class_score(self, noise: Column, shared: Column) -> Column:
        """Return who has the higher class: chance, shared in part by the household, and less for the disabled and the young."""
        conf = self.conf["ns_sec"]
        like = np.sqrt(conf["household"]["value"])
        score = like * ndtri(shared[self.h]) + np.sqrt(1 - like**2) * ndtri(noise)
        score += conf["disabled"]["value"] * self.people.disabled
        score += conf["under_25"]["value"] * (self.age < 25) + conf["over_65"]["value"] * (self.age >= 65)
        return score

    def _in_work(self, classed: Column, young: Column, u: Column) -> Column:
        conf = self.conf["work"]
        base = _steps(WORK_STARTS, (1e-9, *table(conf["by_age"])[0]), self.age)
        # Students' own low rates are in the class term, so ages of study start from the rate of those who left.
        odds = logit(base) + conf["intercept"]["value"]
        odds += conf["class_1_2"]["value"] * (classed == 0) + conf["class_6_8"]["value"] * (classed == 2)
        odds += conf["student"]["value"] * (classed == STUDENT) + conf["disabled"]["value"] * self.people.disabled
        odds += conf["per_decile"]["value"] * (self.decile[self.people.lsoa] - 5.5)
        odds += conf["mother"]["value"] * ((young == 1) & (self.people.sex == FEMALE))
        return (self.adult & (u < expit(odds))).astype(np.int8)

    def _impairments(self, u: Column, v: Column) -> Column:
        """Active Lives impairments: any from census disability, age and deprivation; then how many."""
        conf = self.conf["disability"]
        age = self.age.astype(np.float64)
        base = conf["any_if_not"]["value"] + conf["per_decade"]["value"] * (age - 50) / 10
        base += conf["per_decile"]["value"] * (5.5 - self.decile[self.people.lsoa])
        yes = self.people.disabled == 1
        chance = np.where(yes, conf["any_if_disabled"]["value"], expit(base))
        child = np.where(yes, conf["child_if_disabled"]["value"], conf["child_if_not"]["value"])
        some = u < np.where(self.adult, chance, child)
        one, two = conf["one"]["value"], conf["two"]["value"]
        shift = conf["severity_age"]["value"] * (np.maximum(age, 16) - 58) / 10 + conf["severity_census"]["value"] * (yes - 0.65)
        number = 1 + (v > expit(logit(one) - shift)) + (v > expit(logit(one + two) - shift))
        return np.where(some, number, 0).astype(np.int8)

    def _carer(self, u: Column) -> Column:
        conf = self.conf["care"]
        weight = _steps(CARE_STARTS, (0.0, *table(conf["by_age"])[0]), self.age)
        weight *= np.where(self.people.sex == FEMALE, conf["female"]["value"], 1.0)
        able = np.flatnonzero(self.age >= 5)
        out = np.zeros(len(self.age), np.int8)
        held = self.margins.carers[self.people.which]
        if np.isnan(held).any():  # the place's table is kept to test the prediction: carers are drawn from national rates
            rates = table(conf["by_age_and_sex"])
            chance = np.where(self.people.sex == FEMALE, *(_steps(CARE_STARTS, (0.0, *r), self.age) for r in rates[::-1]))
            out[able] = u[able] < chance[able]
            return out
        out[able] = smallest(self.people.lsoa[able], exponential(u[able], weight[able]), held.astype(np.int64))
        return out

    def _expecting(self, u: Column, parent_of_baby: Column) -> Column:
        conf = self.conf["births"]
        births = _steps(BIRTH_STARTS, (0.0, *table(conf["by_age"])[0], 0.0), self.age)
        pregnant = (self.people.sex == FEMALE) & (u < births * conf["months"]["value"] / 12)
        return (parent_of_baby | pregnant).astype(np.int8)

    def _muslim(self, shared: Column, own: Column) -> Column:
        """Faith is shared by the members of a household who are of one ethnic group, for most."""
        share = table(self.conf["faith"]["muslim"], ["muslim"])[0][self.people.ethnic_group]
        like = self.conf["faith"]["shared"]["value"]
        u = np.where(own < like, shared[self.h], (own - like) / round(1 - like, 12))
        return (u < share).astype(np.int8)

    def _income(self, classed: Column, in_work: Column, adults: Column, u: Column) -> NDArray[np.float64]:
        """Rank of household income in the nation, from decile, best class, work and children, with much left to chance."""
        conf = self.conf["income"]
        value = {k: conf[k]["value"] for k in ("decile", "class_1_2", "class_6_8", "student", "work", "child", "noise")}
        best = np.full(self.houses, 9, np.int64)
        np.minimum.at(best, self.h[self.adult], classed[self.adult])
        worth = np.array([value["class_1_2"], 0.0, value["class_6_8"], value["student"], value["class_6_8"]])
        working = np.bincount(self.h, in_work, self.houses) / np.maximum(adults, 1)
        kids = self.homes.size - adults
        score = value["decile"] * (self.decile[self.homes.lsoa] - 5.5) + worth[np.minimum(best, 4)]
        score += value["work"] * (working - 0.55) + value["child"] * kids + value["noise"] * ndtri(u)
        self.income_score = score
        quantiles = table(conf["quantiles"])[0]
        return np.interp(score, quantiles, np.linspace(0.0, 1.0, len(quantiles)))

    def _more_cars(self, rank: Column, adults: Column, u: Column) -> Column:
        """Return which households are likelier to have more cars: income, adults of working age, and chance."""
        conf = self.conf["cars"]
        old = np.ones(self.houses, bool)
        old[self.h[self.adult & (self.age < 75)]] = False
        score = conf["income"]["value"] * rank + conf["second_adult"]["value"] * (adults > 1) + ndtri(u)
        score += conf["further_adult"]["value"] * np.clip(adults - 2, 0, 3)
        score += conf["pensioner"]["value"] * old
        return score

    def _cars(self, score: Column) -> NDArray[np.int64]:
        """Cars of each household: those likeliest to have more come first, until the neighbourhood's counts are met."""
        total = np.bincount(self.homes.lsoa, minlength=len(self.people.which)).astype(np.float64)
        counts = rounded(self.margins.cars[self.people.which], total)
        below = np.cumsum(counts, axis=1)[:, :3]
        place = rank_within(self.homes.lsoa, score, len(counts))
        return (place[:, None] >= below[self.homes.lsoa]).sum(axis=1)

    def _affluence(self, rank: Column, cars: Column) -> Column:
        """Family affluence of children in national thirds: income rank, cars and crowding."""
        conf = self.conf["affluence"]
        score = ndtri(np.clip(rank, 0.001, 0.999)) + conf["car"]["value"] * np.minimum(cars, 2)
        score += conf["crowd"]["value"] * np.maximum(self.homes.size - 4, 0)
        self.affluence_score = score
        third = (score >= conf["low_below"]["value"]).astype(np.int8) + (score >= conf["high_above"]["value"])
        return np.where(self.age < 16, third[self.h], -1).astype(np.int8)
