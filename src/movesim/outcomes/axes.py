"""Which group of which axis a person belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from movesim.words import ADULT_FROM, AXES, CHILD_FROM, ETHNIC_GROUPS, NS_SEC

if TYPE_CHECKING:
    from movesim.behaviour.people import People

ASIAN, BLACK = ETHNIC_GROUPS.index("Asian"), ETHNIC_GROUPS.index("Black")
LOWER_CLASS = NS_SEC.index("6-8")


def characteristics(people: People) -> NDArray[np.int8]:
    """Return each person's count of inequality characteristics (Sport England's Inequalities Metric), capped at 2.

    Adults: disabled or long-term condition; 65 or over; NS-SEC 6-8; Asian or Black; pregnant or parent of a child under one;
    Muslim faith. Children: girl; low affluence; disabled or long-term condition; Asian; Black.
    """
    adult = people.age >= ADULT_FROM
    minority = (people.ethnic_group == ASIAN) | (people.ethnic_group == BLACK)
    disabled = people.impairments > 0
    of_adult = (
        disabled.astype(np.int8) + (people.age >= 65) + (people.ns_sec == LOWER_CLASS) + minority
        + (people.pregnant_or_baby > 0) + (people.muslim > 0)
    )  # fmt: skip
    of_child = disabled.astype(np.int8) + (people.sex == 1) + (people.affluence == 0) + minority
    return np.minimum(np.where(adult, of_adult, of_child), 2).astype(np.int8)


def levels(people: People) -> dict[str, NDArray[np.int16]]:
    """Return, by axis, each person's position among the axis's levels (words.AXES), -1 where the axis does not apply."""
    age = people.age
    adult, child = age >= ADULT_FROM, (age >= CHILD_FROM) & (age < ADULT_FROM)
    here = people.neighbourhood
    decile = (people.neighbourhoods["imd_decile"].astype(np.int16) - 1).take(here)
    bands = len(AXES[6].levels)
    return {
        "all": np.zeros(people.n, np.int16),
        "imd_decile": decile,
        "imd_fifth": (decile // 2).astype(np.int16),
        "impairments": (3 - people.impairments).astype(np.int16),
        "ethnic_group": people.ethnic_group.astype(np.int16),
        "sex": people.sex.astype(np.int16),
        "age_band": (bands - people.band[: people.n]).astype(np.int16),
        "ns_sec": np.where(adult & (people.ns_sec <= LOWER_CLASS), 2 - people.ns_sec, -1).astype(np.int16),
        "affluence": np.where(child, people.affluence, -1).astype(np.int16),
        "characteristics": (2 - characteristics(people)).astype(np.int16),
        "local_authority": people.neighbourhoods["local_authority"].astype(np.int16).take(here),
    }
