"""Social: how many ties people have and how alike the tied are, to be stated beside what is published of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from movesim.place.population import Population
from movesim.words import NS_SEC, TIE_KINDS, TIES

KIN, CLASS, WORK = (TIE_KINDS.index(k) for k in ("kin or neighbour", "class", "workplace"))
AT_ONCE = 200_000  # people looked at at a time: bounds memory, changes nothing else


@dataclass(frozen=True)
class Social:
    """Ties of a population, weighted to residents.

    degree (TIES + 1,): share of people with 0, 1, ... ties; by_kind: mean ties of each kind; likeness: what is compared, the
    share among the tied and the share that chance would give.
    """

    degree: NDArray[np.float64]
    by_kind: dict[str, float]
    likeness: list[tuple[str, float, float]]

    @property
    def mean(self) -> float:
        """Mean number of ties."""
        return float(self.degree @ np.arange(TIES + 1))


def social(population: Population) -> Social:
    """Return how many ties people have and how alike the tied are.

    Arguments: population, a place or a sample of it. Chance means two people drawn from everybody the tie could join: adults
    for kin and neighbours, people in work for colleagues, children of the place for class mates.
    """
    n, people = len(population), {k: np.asarray(v) for k, v in population.people.items()}
    weight = people["weight"]
    degree = np.zeros(TIES + 1)
    ties = np.zeros(len(TIE_KINDS))
    decile = population.neighbourhoods["imd_decile"][people["neighbourhood"]]
    adult = people["age"] >= 16
    child = (people["age"] >= 5) & ~adult
    same: dict[str, list[float]] = {name: [0.0, 0.0] for name in _COMPARED}
    for start in range(0, n, AT_ONCE):
        rows = np.arange(start, min(start + AT_ONCE, n))
        there = population.ties[rows] < n
        degree += np.bincount(there.sum(axis=1), weight[rows], TIES + 1)
        a, b = np.repeat(rows, there.sum(axis=1)), population.ties[rows][there].astype(np.int64)
        kind = population.tie_kind[rows][there]
        ties += np.bincount(kind, weight[a], len(TIE_KINDS))
        for name, (of_kind, column, within) in _COMPARED.items():
            at = (kind == of_kind) & (adult[a] & adult[b] if of_kind == KIN else True)
            values = decile if column == "decile" else people[column]
            near = np.abs(values[a[at]].astype(np.int64) - values[b[at]]) <= within
            same[name][0] += float(weight[a[at]] @ near)
            same[name][1] += float(weight[a[at]].sum())
    chance = {
        name: _by_chance(
            decile if column == "decile" else people[column], within, weight,
            {KIN: adult, CLASS: child, WORK: people["in_work"] == 1}[of_kind],
        )
        for name, (of_kind, column, within) in _COMPARED.items()
    }  # fmt: skip
    return Social(
        degree / weight.sum(),
        {name: float(ties[k] / weight.sum()) for k, name in enumerate(TIE_KINDS)},
        [(name, yes / total if total else float("nan"), chance[name]) for name, (yes, total) in same.items()],
    )


# What is compared: the kind of tie, the column, and how far apart still counts as alike.
_COMPARED = {
    "adult kin and neighbours of one ethnic group": (KIN, "ethnic_group", 0),
    "adult kin and neighbours within 10 years of age": (KIN, "age", 10),
    "adult kin and neighbours of one IMD decile": (KIN, "decile", 0),
    f"colleagues of one class (NS-SEC {', '.join(NS_SEC[:3])}, students)": (WORK, "ns_sec", 0),
    "class mates within one IMD decile": (CLASS, "decile", 1),
}


def _by_chance(values: NDArray, within: int, weight: NDArray[np.float64], who: NDArray[np.bool_]) -> float:
    share = np.bincount(values[who].astype(np.int64), weight[who])
    share = share / max(share.sum(), 1e-12)
    return float(sum(share @ np.roll(np.pad(share, within), k)[within : within + len(share)] for k in range(-within, within + 1)))
