"""What lasts for a year: set-points, access, pull and volume of everybody, from who they are and where they live.

Everything here goes from determinants to components: age, sex, impairments, work, care, cars, income and place give set-points of
capability, opportunity and motivation; group differences that determinants do not explain are `residual` rows of the ledger.
Lasting noise and tastes are drawn, keyed by a person's `nature`: their own id, or that of the person whose ways they took
over. They are drawn anew whenever they are needed, which costs less than the memory to keep them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import float32, uint32
from numpy.typing import NDArray

from movesim import draws
from movesim.behaviour.arithmetic import exp, standard_normal
from movesim.behaviour.rules import LOWEST, Rules, deprivation, fear
from movesim.draws import compiled, fill_words
from movesim.words import ADULT_FROM, DOMAIN, DOMAINS, ETHNIC_GROUPS, SEXES, STREAMS

if TYPE_CHECKING:
    from movesim.behaviour.people import People

F = np.float32
D = len(DOMAINS)
BLOCK = 1024
ORIGIN = np.uint32(draws.WEEK_ZERO)  # lasting draws are those of week 0
NOISE, TASTE, VOLUME = (np.uint32(STREAMS[s] << 16) for s in ("noise", "taste", "volume"))
OWN_TASTE = np.uint32(STREAMS["taste_domain"] << 16)
FEMALE = SEXES.index("female")
HIGHEST, LOWER = 0, 2  # of NS_SEC: classes 1-2 and 6-8
LEISURE_WALK, TRAVEL_WALK, CYCLE, SPORT, PLAY = (DOMAIN[d] for d in ("leisure_walk", "travel_walk", "cycle", "sport", "play"))
LEAST = F(LOWEST)


class Determinants(NamedTuple):
    """Scalars of the ledger that turn determinants into components; a field's first word is the group of its path."""

    gradient_total: np.float32
    gradient_capability: np.float32
    gradient_opportunity: np.float32
    gradient_child: np.float32
    gradient_impairment: np.float32
    gradient_impairment_child: np.float32
    gradient_ns_sec: np.float32
    gradient_affluence: np.float32
    capability_physical: np.float32
    capability_physical_noise: np.float32
    capability_age: np.float32
    capability_old: np.float32
    capability_psychological: np.float32
    capability_psychological_noise: np.float32
    opportunity_social: np.float32
    opportunity_social_noise: np.float32
    opportunity_work: np.float32
    opportunity_care: np.float32
    opportunity_young_children: np.float32
    opportunity_time_travel: np.float32
    opportunity_fear_women: np.float32
    opportunity_fear_old: np.float32
    opportunity_fear_child: np.float32
    opportunity_price: np.float32
    opportunity_car_walk: np.float32
    opportunity_car_cycle: np.float32
    intention_level: np.float32
    intention_noise: np.float32
    motivation_taste: np.float32
    motivation_taste_domain: np.float32
    motivation_child_taste: np.float32
    motivation_female: np.float32
    motivation_age: np.float32
    motivation_child: np.float32
    motivation_child_female: np.float32
    residual_child: np.float32
    minutes_volume: np.float32
    minutes_child_volume: np.float32
    minutes_volume_taste: np.float32
    domains_play_age: np.float32

    @classmethod
    def of(cls, values: Mapping[str, float]) -> Determinants:
        paths = {name: name.replace("_", ".", 1) for name in cls._fields} | {"domains_play_age": "domains.play.age"}
        return cls(*(F(values[path]) for path in paths.values()))


def tables(rules: Rules) -> tuple[NDArray, NDArray, NDArray]:
    """Return what each domain asks of adults (3, 6: level, female, age) and children (6,), and residuals by ethnic group (5,)."""
    v = rules.values
    adult = np.zeros((3, D), F)
    for name, d in DOMAIN.items():
        if name not in ("play", "school"):
            adult[:, d] = [v[f"domains.{name}.{what}"] for what in ("motivation", "female", "age")]
    child = np.array([v[f"domains.{name}.child"] for name in DOMAIN], F)
    residual = [v["residual.scale"] * v.get(f"residual.{group.lower()}", 0.0) for group in ETHNIC_GROUPS]
    return adult, child, np.array(residual, F)


def barred(rules: Rules) -> NDArray[np.float32]:
    """Return what an impairment takes from access, in logs, by plain design: of sport, walking and cycling (3,)."""
    v = rules.values
    plain = 1 - v["opportunity.design"]
    return np.array([-math.log(1 - v[f"opportunity.inclusive_{kind}"] * plain) for kind in ("sport", "walk", "cycle")], F)


@compiled
def _normals(word, out):
    for j in range(out.size):
        out[j] = standard_normal(word[j])


@compiled
def _component(x):
    """Turn logits into components, in place."""
    for j in range(x.size):
        x[j] = min(max(F(1.0) / (F(1.0) + exp(-x[j])), LEAST), F(1.0))


@compiled
def _volume(alike, adult, child, age, taste, own, out):
    """A lasting factor on minutes, mean 1, correlated with taste."""
    rest = np.sqrt(F(1.0) - alike * alike)
    for j in range(out.size):
        sigma = child if age[j] < ADULT_FROM else adult
        out[j] = exp(sigma * (alike * taste[j] + rest * own[j]) - F(0.5) * sigma * sigma)


@compiled
def _draw(ids, week, stream, k0, k1, words, out):
    """Fill the rows of `out`, up to four, with standard normals of (person, week, stream)."""
    m = ids.size
    fill_words(ids, week, stream, k0, k1, words[0, :m], words[1, :m], words[2, :m], words[3, :m])
    for row in range(out.shape[0]):
        _normals(words[row, :m], out[row, :m])


@compiled
def renew(
    first, last, c, adult_level, child_level, residual, closed, fear_of, deprived_of, drift_of, price_of, k0, k1, nature, taste,
    age, sex, ethnic_group, impairments, ns_sec, in_work, carer, young_children, cars_per_adult, income_rank, affluence,
    neighbourhood, base, log_A, drive, volume, words, z,
):  # fmt: skip
    """Write set-points, access, pull and volume of rows first..last.

    `c` are Determinants; `fear_of`, `deprived_of`, `drift_of` and `price_of` (neighbourhoods,); `words` (4, BLOCK) and `z`
    (12, BLOCK) are work space.
    """
    for lo in range(first, last, BLOCK):
        hi = min(last, lo + BLOCK)
        who = nature[lo:hi]
        _draw(who, ORIGIN, NOISE, k0, k1, words, z[0:4])
        _draw(who, ORIGIN, OWN_TASTE, k0, k1, words, z[4:8])
        _draw(who, ORIGIN, OWN_TASTE + uint32(1), k0, k1, words, z[8:10])
        _draw(who, ORIGIN, TASTE, k0, k1, words, z[10:11])
        _draw(who, ORIGIN, VOLUME, k0, k1, words, z[11:12])
        _volume(
            c.minutes_volume_taste, c.minutes_volume, c.minutes_child_volume, age[lo:hi], z[10, : hi - lo], z[11, : hi - lo],
            volume[lo:hi],
        )  # fmt: skip
        for i in range(lo, hi):
            j = i - lo
            years, place = float32(age[i]), uint32(neighbourhood[i])
            child, female = age[i] < ADULT_FROM, sex[i] == FEMALE
            deprived, afraid = deprived_of[place], fear_of[place]

            # set-points
            slope = c.gradient_total * deprived * (c.gradient_child if child else F(1.0))
            counted = float32(impairments[i]) * (c.gradient_impairment_child if child else F(1.0))
            impaired = c.gradient_impairment * counted
            lower = F(0.0)
            if ns_sec[i] == HIGHEST:
                lower -= c.gradient_ns_sec
            elif ns_sec[i] == LOWER:
                lower += c.gradient_ns_sec
            if child and affluence[i] >= 0:
                lower += c.gradient_affluence * (F(1.0) - float32(affluence[i]))
            ageing = c.capability_age * max(years - F(30.0), F(0.0)) + c.capability_old * max(years - F(70.0), F(0.0))
            in_C, in_O = c.gradient_capability, c.gradient_opportunity
            base[0, i] = c.capability_physical - F(0.1) * ageing - impaired + c.capability_physical_noise * z[0, j]
            base[1, i] = c.capability_psychological - in_C * slope - F(0.5) * (impaired + lower)
            base[1, i] += c.capability_psychological_noise * z[1, j]
            base[2, i] = c.opportunity_social - in_O * slope - F(0.5) * lower + c.opportunity_social_noise * z[2, j]
            base[3, i] = c.intention_level - (F(1.0) - in_C - in_O) * slope - lower + c.intention_noise * z[3, j]

            # access, in logs: time, price, inclusive design, safety and cars each take something from 1
            time = F(0.0)
            if not child:
                time += c.opportunity_work * float32(in_work[i]) + c.opportunity_care * float32(carer[i])
                time += c.opportunity_young_children * float32(young_children[i])
            more = F(1.0)
            more += c.opportunity_fear_women if female else F(0.0)
            more += c.opportunity_fear_old if years >= F(65.0) else F(0.0)
            more += c.opportunity_fear_child if child else F(0.0)
            fearful = afraid * more
            cars = min(cars_per_adult[i], F(1.5))
            log_A[LEISURE_WALK, i] = -(time + fearful + counted * closed[1])
            log_A[TRAVEL_WALK, i] = -(
                c.opportunity_time_travel * time + fearful + counted * closed[1] + c.opportunity_car_walk * cars
            )
            log_A[CYCLE, i] = -(time + fearful + counted * closed[2] + c.opportunity_car_cycle * cars)
            log_A[SPORT, i] = -(time + price_of[place] * c.opportunity_price * (F(1.0) - income_rank[i]) + counted * closed[0])
            log_A[PLAY, i] = -(fearful + counted * closed[0])

            # pull: the part of motivation's argument that lasts
            mine = c.motivation_child_taste if child else F(1.0)
            common = residual[ethnic_group[i]] * (c.residual_child if child else F(1.0))
            common += (c.motivation_taste * taste[i] + drift_of[place]) * mine
            decades = F(0.1) * (min(years, F(90.0)) - F(45.0))
            sex_of = F(1.0) if female else F(0.0)
            as_child = common + c.motivation_child + c.motivation_child_female * sex_of
            as_adult = common + c.motivation_female * sex_of + c.motivation_age * decades
            for d in range(D):
                own = c.motivation_taste_domain * z[4 + d, j] * mine
                if child or d >= PLAY:
                    level = as_child + child_level[d]
                    if d == PLAY:
                        level += c.domains_play_age * (years - F(10.0))
                else:
                    level = as_adult + adult_level[0, d] + adult_level[1, d] * sex_of + adult_level[2, d] * decades
                drive[d, i] = level + own
        for k in range(4):
            _component(base[k, lo:hi])


@compiled
def drift(ids, week, stream, k0, k1, memory, taste, words, z):
    """Let tastes (a stationary AR(1) of unit variance) move on by a year."""
    new = np.sqrt(F(1.0) - memory * memory)
    for lo in range(0, taste.size, BLOCK):
        hi = min(taste.size, lo + BLOCK)
        _draw(ids[lo:hi], week, stream, k0, k1, words, z[0:1])
        for j in range(hi - lo):
            taste[lo + j] = memory * taste[lo + j] + new * z[0, j]


def work_space() -> tuple[NDArray[np.uint32], NDArray[np.float32]]:
    """Return the words and normals that `renew` and `drift` work with."""
    return np.zeros((4, BLOCK), np.uint32), np.zeros((12, BLOCK), F)


def renew_people(people: People, rules: Rules, first: int, last: int) -> None:
    """Write set-points, access, pull and volume of the people of these rows."""
    here, p = people.neighbourhoods, people.columns
    deprived = deprivation(here["imd_decile"])
    trend = max(people.year, 0) * (people.trend[0] + people.trend[1] * deprived / 2)
    adult, child, residual = tables(rules)
    price = np.asarray(here.get("price", np.ones(len(deprived))), F)  # how much it bars there, times what it does in the nation
    renew(
        first, last, Determinants.of(rules.values), adult, child, residual, barred(rules), fear(rules, here).astype(F),
        deprived.astype(F), trend.astype(F), price, *people.key, people.nature, people.taste, p["age"], p["sex"],
        p["ethnic_group"], p["impairments"], p["ns_sec"], p["in_work"], p["carer"], p["young_children"], p["cars_per_adult"],
        p["income_rank"], p["affluence"], p["neighbourhood"], people.base, people.log_A, people.drive, people.volume,
        *work_space(),
    )  # fmt: skip


def drawn(people: People, rules: Rules) -> dict[str, NDArray[np.float64]]:
    """Return lasting draws in double precision: noise (4, n), taste_domain (6, n, in logits) and volume_unit (n,).

    For looking and for the reference model; the columns of a run are written by `renew`.
    """
    from scipy.special import ndtri

    nature = people.nature[: people.n]
    unit = lambda stream, index=0: ndtri(draws.open_uniform(draws.words(nature, 0, stream, people.key, index)))  # noqa: E731
    own = np.concatenate([unit("taste_domain", 0), unit("taste_domain", 1)])[:D]
    alike = rules["minutes.volume_taste"]
    volume = alike * unit("taste")[0] + math.sqrt(1 - alike * alike) * unit("volume")[0]
    return {"noise": unit("noise"), "taste_domain": rules["motivation.taste_domain"] * own, "volume_unit": volume}
