"""Groups of people as questions name them: `{age: [19, 120], sex: female, impairments: ["1", "2", "3+"]}`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from movesim.words import AFFLUENCE, ETHNIC_GROUPS, IMPAIRMENTS, NS_SEC, SEXES

if TYPE_CHECKING:
    from movesim.behaviour.people import People

NAMED = {"sex": SEXES, "ethnic_group": ETHNIC_GROUPS, "impairments": IMPAIRMENTS, "ns_sec": NS_SEC, "affluence": AFFLUENCE}
BETWEEN = ("age", "imd_decile", "income_fifth")  # from and to, both included
KEYS = (*NAMED, *BETWEEN, "imd_quarter", "local_authority")
# Quarters of a ranking by tenths, the most deprived first: the tenth on the border counts half in each.
QUARTERS = {1: (1, 2, 3), 4: (8, 9, 10)}
ON_THE_BORDER = {1: 3, 4: 8}


def weight_of(people: People, who: Mapping[str, Any]) -> NDArray[np.float64]:
    """Return each person's residents if they belong to a group and are scored (5 and over), else 0; (n,).

    An empty `who` is everybody who is scored.
    """
    weight = people.weight * (people.live[: people.n] > 0)
    decile = people.neighbourhoods["imd_decile"][people.neighbourhood]
    for key, wanted in who.items():
        if key in NAMED:
            names = [str(w) for w in (wanted if isinstance(wanted, list) else [wanted])]
            inside = np.isin(getattr(people, key), [NAMED[key].index(name) for name in names])
            weight = weight * inside
        elif key in BETWEEN:
            held = {"age": people.age, "imd_decile": decile}.get(key)
            if held is None:
                held = np.minimum(np.floor(people.income_rank * 5).astype(int) + 1, 5)
            weight = weight * ((held >= wanted[0]) & (held <= wanted[1]))
        elif key == "imd_quarter":
            weight = weight * np.isin(decile, QUARTERS[wanted]) * np.where(decile == ON_THE_BORDER[wanted], 0.5, 1.0)
        else:
            place = people.local_authorities.index(wanted)
            weight = weight * (people.neighbourhoods["local_authority"][people.neighbourhood] == place)
    return np.asarray(weight, np.float64)
