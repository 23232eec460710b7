"""Parts: a population cut into its local authorities, ties across their borders let go and counted."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from movesim.place.population import Population
from movesim.words import TIE_KINDS

AT_ONCE = 200_000  # people looked at at a time: bounds memory, changes nothing else


@dataclass(frozen=True)
class Cut:
    """Ties of a population, and those that join people of two authorities; each tie once, by kind (len(TIE_KINDS),)."""

    ties: NDArray[np.int64]
    across: NDArray[np.int64]

    @property
    def share(self) -> float:
        """The share of ties that join people of two authorities."""
        return float(self.across.sum() / max(int(self.ties.sum()), 1))

    @property
    def by_kind(self) -> dict[str, float]:
        """The same share of each kind of tie."""
        return {name: float(self.across[k] / max(int(self.ties[k]), 1)) for k, name in enumerate(TIE_KINDS)}


def authorities_of(population: Population) -> NDArray[np.int64]:
    """Return the local authority that each person lives in, an index into the population's authorities."""
    return np.asarray(population.neighbourhoods["local_authority"])[population.people["neighbourhood"]].astype(np.int64)


def cut(population: Population) -> Cut:
    """Return how many ties a population has and how many of them a split by authority lets go."""
    n, where = len(population.people["id"]), authorities_of(population)
    ties, across = np.zeros(len(TIE_KINDS), np.int64), np.zeros(len(TIE_KINDS), np.int64)
    for start in range(0, n, AT_ONCE):
        others = np.asarray(population.ties[start : start + AT_ONCE])
        here = others < n
        person = np.repeat(np.arange(start, start + len(others)), here.sum(axis=1))
        kind = np.asarray(population.tie_kind[start : start + AT_ONCE])[here]
        ties += np.bincount(kind, minlength=len(TIE_KINDS))
        across += np.bincount(kind[where[person] != where[others[here]]], minlength=len(TIE_KINDS))
    return Cut(ties // 2, across // 2)  # ties go both ways


def sizes(population: Population) -> NDArray[np.int64]:
    """Return how many people of a population (or a sample) live in each of its authorities."""
    return np.bincount(authorities_of(population), minlength=len(population.local_authorities))


def part_of(population: Population, authority: int) -> Population:
    """Return the people of one authority as a population of its own: the same people, homes, weights and ties among them.

    Arguments: population; authority, an index into its authorities, which keep their numbers. Ties to people elsewhere are
    let go; a school that stands elsewhere is shown where its first pupil of this part lives.
    """
    n = len(population.people["id"])
    rows = np.flatnonzero(authorities_of(population) == authority)
    row = np.full(n + 1, len(rows), np.int64)
    row[rows] = np.arange(len(rows))
    people = {name: np.asarray(column)[rows] for name, column in population.people.items()}
    homes, people["neighbourhood"] = _renumbered(people["neighbourhood"])
    _, people["household"] = _renumbered(people["household"])
    schools, people["school"] = _renumbered(np.concatenate([[0], people["school"]]))  # row 0 is no school, and stays
    people["school"] = people["school"][1:]
    ties, kinds = _ties(population, rows, row)
    stand = np.full(len(population.neighbourhoods["code"]), -1, np.int64)
    stand[homes] = np.arange(len(homes))
    at = stand[np.asarray(population.schools["neighbourhood"])[schools]]
    first = np.zeros(len(schools), np.int64)
    first[people["school"][::-1]] = people["neighbourhood"][::-1]
    table = {name: np.asarray(column)[schools] for name, column in population.schools.items()}
    table["neighbourhood"] = np.where(at < 0, first, at).astype(np.int32)
    return replace(
        population,
        people=people,
        ties=ties,
        tie_kind=kinds,
        neighbourhoods={name: np.asarray(column)[homes] for name, column in population.neighbourhoods.items()},
        schools=table,
        pods=np.asarray(population.pods)[rows],
        residents=float(people["weight"].sum()),
        fingerprint=f"{population.fingerprint}-part-{authority}",
    )


def _renumbered(numbers: NDArray[np.integer]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return the numbers that are used, and each entry's place among them."""
    used, at = np.unique(numbers, return_inverse=True)
    return used.astype(np.int64), at.astype(np.int32)


def _ties(population: Population, rows: NDArray[np.int64], row: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.int8]]:
    """The ties of some people among themselves, in their order, used places first."""
    ties = np.empty((len(rows), population.ties.shape[1]), np.int32)
    kinds = np.empty(ties.shape, np.int8)
    for start in range(0, len(rows), AT_ONCE):
        some = rows[start : start + AT_ONCE]
        others = row[np.asarray(population.ties)[some]]
        kind = np.where(others < len(rows), np.asarray(population.tie_kind)[some], -1)
        order = np.argsort(others == len(rows), axis=1, kind="stable")
        ties[start : start + len(some)] = np.take_along_axis(others, order, axis=1)
        kinds[start : start + len(some)] = np.take_along_axis(kind, order, axis=1)
    return ties, kinds
