"""Class and work: NS-SEC and work of everybody of 16 or over, fitted together to the tables of each neighbourhood.

Groups of age, sex and disability x class x work is one joint table per neighbourhood: the people there are its first margin,
the class table and the number in work the others; its seed is made of published rates (conf/place/seeds.yaml) and of
judgements about class (conf/place/associations.yaml).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, ndtr

from movesim import draws
from movesim.place.ipf import whole_tables
from movesim.place.margins import Margins, associations, seeds, table
from movesim.place.matching import exponential, rank_within, smallest
from movesim.place.synthesis import Residents, bases, mixed

BANDS = (16, 25, 35, 50, 65, 75)
SHAPE = (len(BANDS), 2, 2, 4, 2)  # age, sex, disabled, class, in work
GROUPS = len(BANDS) * 4
CLASSES, STUDENT = 4, 3
STUDENT_STARTS = (16, 18, 19, 22, 25, 30)


@lru_cache(maxsize=1)
def seed_table() -> NDArray[np.float64]:
    """Return the joint seed, (age 6, sex 2, disabled 2, class 4, work 2): shares within each age, sex and disability."""
    conf = associations().data
    score = np.zeros(SHAPE[:3])
    score[:, :, 1] += conf["ns_sec"]["disabled"]["value"]
    score[0] += conf["ns_sec"]["under_25"]["value"]
    score[4:] += conf["ns_sec"]["over_65"]["value"]
    top, middle_classes, _ = table(conf["work"]["classes"])[0]
    first, second = -_quantile(top), -_quantile(top + middle_classes)
    above_first, above_second = 1 - ndtr(first - score), 1 - ndtr(second - score)
    classes = np.stack([above_first, above_second - above_first, 1 - above_second, np.zeros_like(score)], axis=-1)
    study = table(conf["students"]["share_by_age"])[0][:, None, None, None]
    classes = classes * (1 - study) + np.array([0.0, 0.0, 0.0, 1.0]) * study

    work = conf["work"]
    odds = np.zeros(SHAPE[:4])
    odds += np.array([work["class_1_2"]["value"], 0.0, work["class_6_8"]["value"], work["student"]["value"]])
    odds[:, :, 1] += work["disabled"]["value"]
    rates = table(seeds().data["work_by_age"])[0]
    from_75, younger_old = work["from_75"]["value"], work["younger_old"]["value"]
    old = rates[4] / (younger_old + from_75 * (1 - younger_old))
    disabled = table(associations().data["seeds"]["disabled_by_age"])[0][[3, 4, 6, 8, 9, 10]]
    people = np.stack([1 - disabled, disabled], axis=1)[:, None, :, None] / 2 * classes
    chance = np.empty(SHAPE[:4])
    for band, rate in enumerate((*rates[:4], old, old * from_75)):  # the odds of an age are moved until its rate is met
        low, high = -8.0, 8.0
        for _ in range(50):
            middle = (low + high) / 2
            chance[band] = expit(odds[band] + middle)
            above = (chance[band] * people[band]).sum() > rate * people[band].sum()
            low, high = (low, middle) if above else (middle, high)
    return classes[..., None] * np.stack([1 - chance, chance], axis=-1)


def _quantile(share: float) -> float:
    from scipy.special import ndtri

    return float(ndtri(share))


def class_and_work(
    margins: Margins, people: Residents, score: NDArray[np.float64], mother: NDArray[np.bool_], place_seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
    """Return the class (0 to 3, 3 student; -1 below 16) and work (0, 1) of everybody.

    Arguments: margins (whole, with `employed`); people; score (n,), who has the higher class within a group; mother (n,),
    women with a child under five, who work less; place_seed.
    """
    assert margins.employed is not None
    which, k = people.which, len(people.which)
    u = [draws.open_uniform(w) for w in draws.words(people.id, 0, "place_attribute", draws.key(place_seed, "place"), 3)]
    adult = np.flatnonzero(people.age >= 16)
    age = people.age[adult]
    band = np.searchsorted(BANDS, age, side="right") - 1
    group = (band * 2 + people.sex[adult]) * 2 + people.disabled[adult]
    cell = people.lsoa[adult] * GROUPS + group
    there = np.bincount(cell, minlength=k * GROUPS).reshape(k, GROUPS).astype(np.float64)
    adults = there.sum(axis=1)
    working = np.clip(np.rint(margins.employed[which]), 0, adults)
    wanted = [there, margins.ns_sec[which], np.stack([adults - working, working], axis=1)]
    cells = GROUPS * CLASSES * 2
    ids = mixed(np.repeat(bases(margins.code[which], "work"), cells), np.tile(np.arange(cells), k))
    uniforms = draws.uniform(ids, 0, "place_other", draws.key(place_seed, "place")).reshape(k, cells)
    counts = whole_tables(seed_table().reshape(GROUPS, CLASSES, 2), wanted, uniforms).reshape(k * GROUPS, CLASSES, 2)

    of_class = counts.sum(axis=2)
    weight = _steps(STUDENT_STARTS, table(associations().data["students"]["by_age"])[0], age)
    student = smallest(cell, exponential(u[0][adult], weight), of_class[:, STUDENT])
    rank = np.zeros(len(adult), np.int64)
    rank[~student] = rank_within(cell[~student], -score[adult][~student], k * GROUPS)
    first, second = of_class[cell, 0], of_class[cell, 0] + of_class[cell, 1]
    classed = np.where(student, STUDENT, np.where(rank < first, 0, np.where(rank < second, 1, 2)))
    # Inside a cell those of the ages that work more, and women without small children, come first, by chance.
    conf = associations().data["work"]
    likely = logit(_steps((16, 18, 25, 35, 50, 65, 75), table(conf["by_age"])[0], age))
    likely = np.exp(likely + conf["mother"]["value"] * mother[adult])
    in_work = np.zeros(len(people), np.int8)
    in_work[adult] = smallest(cell * CLASSES + classed, exponential(u[1][adult], likely), counts[:, :, 1].ravel())
    out = np.full(len(people), -1, np.int64)
    out[adult] = classed
    return out, in_work


def _steps(starts: tuple[int, ...], values: Any, age: NDArray[np.int16]) -> NDArray[np.float64]:
    return np.asarray(values, dtype=np.float64)[np.searchsorted(starts, age, side="right") - 1]
