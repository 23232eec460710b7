"""Births, and the ties that begin with them and end with death."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from movesim import draws
from movesim.behaviour import lasting
from movesim.behaviour.lifecourse import FEMALE, NOT_SCORED
from movesim.behaviour.mortality import AGES, tables
from movesim.draws import compiled
from movesim.errors import MovesimError
from movesim.words import AFFLUENCE, TIE_KINDS

if TYPE_CHECKING:
    from movesim.behaviour.people import People
    from movesim.behaviour.rules import Rules

HOUSEHOLD, CLASS = TIE_KINDS.index("household"), TIE_KINDS.index("class")
Rows = NDArray[np.int64]


def births(people: People, rules: Rules, week: int) -> Rows:
    """Let children be born and return their rows, which follow the rows in use.

    A mother's birth is drawn from her id; the child's id is the hash of hers and the week. A child takes its mother's
    household, neighbourhood, ethnic group, faith and weight, and the affluence of its siblings or, without any, the third of the
    household's income rank. Raises MovesimError when the free rows do not suffice.
    """
    columns, n = people.columns, people.n
    women = np.flatnonzero(people.alive[:n] & (people.sex == FEMALE))
    chance = rules["births.level"] * tables().births[np.minimum(people.age[women], AGES - 1)]
    mothers = women[draws.uniform(people.id[women], week, "birth", people.key) < chance]
    last = n + mothers.size
    if last > people.capacity:
        raise MovesimError(
            f"{mothers.size} children are born in week {week} but only {people.capacity - n} rows are free; start the run with "
            f"spare={last - people.order.size} or more (demography.spare_rows tells how many)."
        )
    born = np.arange(n, last)
    ids = np.array([draws.hash_id(int(i), week) for i in people.id[mothers]], np.uint64)
    for name in ("weight", "ethnic_group", "muslim", "cars_per_adult", "income_rank", "household", "neighbourhood"):
        columns[name][born] = columns[name][mothers]
    for name in ("age", "impairments", "in_work", "carer", "young_children", "pregnant_or_baby", "school"):
        columns[name][born] = 0
    columns["id"][born] = ids
    columns["ns_sec"][born] = NOT_SCORED
    columns["sex"][born] = draws.uniform(ids, week, "newborn", people.key) >= rules["births.boys"]
    columns["affluence"][born] = _affluence(people, mothers)
    people.alive[born] = True
    people.n = last
    people.draw_lasting(born, rules)
    lasting.renew_people(people, rules, n, last)
    people.state[:, born] = people.base[:, born]
    _tie_household(people, born)
    return born


def _affluence(people: People, mothers: Rows) -> NDArray[np.int64]:
    n, home = people.n, people.household
    siblings = np.flatnonzero(people.alive[:n] & (people.affluence >= 0))
    of_home = np.full(int(home.max(initial=0)) + 1, -1, np.int64)
    of_home[home[siblings]] = people.affluence[siblings]
    third = np.minimum((people.income_rank[mothers] * len(AFFLUENCE)).astype(np.int64), len(AFFLUENCE) - 1)
    known = of_home[home[mothers]]
    return np.where(known >= 0, known, third)


# --- ties -----------------------------------------------------------------------------------------------------------
@compiled
def _tie(a, b, kind, nobody, ties, tie_kind):
    """Tie each pair both ways, where both have a free place and are not tied yet."""
    for pair in range(a.size):
        i, j = a[pair], b[pair]
        free_i, free_j = -1, -1
        for k in range(ties.shape[1]):
            if ties[i, k] == j:
                free_i = -1
                break
            if free_i < 0 and ties[i, k] == nobody:
                free_i = k
        for k in range(ties.shape[1]):
            if free_j < 0 and ties[j, k] == nobody:
                free_j = k
        if free_i >= 0 and free_j >= 0:
            ties[i, free_i], ties[j, free_j] = j, i
            tie_kind[i, free_i], tie_kind[j, free_j] = kind, kind


def tie(people: People, a: Rows, b: Rows, kind: int) -> None:
    """Tie the rows `a` to the rows `b`, pair by pair and both ways, as far as free places for ties go."""
    _tie(a, b, np.int8(kind), np.int32(people.capacity), people.ties, people.tie_kind)


def _tie_household(people: People, born: Rows) -> None:
    """Tie newborns to everybody alive in their household, earlier rows first."""
    home = people.household
    wanted = np.zeros(int(home.max(initial=0)) + 1, bool)
    wanted[home[born]] = True
    members = np.flatnonzero(wanted[home] & people.alive[: people.n])
    members = members[np.argsort(home[members], kind="stable")]
    first, after = (np.searchsorted(home[members], home[born], side=side) for side in ("left", "right"))
    count = after - first
    child = np.repeat(born, count)
    other = members[np.repeat(first - np.concatenate([[0], np.cumsum(count)[:-1]]), count) + np.arange(count.sum())]
    earlier = other < child
    tie(people, child[earlier], other[earlier], HOUSEHOLD)


def tie_classmates(people: People, starters: Rows, ties_each: float, week: int) -> None:
    """Tie children who start school in the same year to those next to them in a keyed order, school by school.

    A sample holds few children of one school and year, so ties go on to the next school of the same authority and tenth of
    deprivation, as in the making of places.
    """
    starters = starters[people.school[starters] > 0]
    here = people.neighbourhood[starters]
    area = people.neighbourhoods["local_authority"][here].astype(np.int64) * 16 + people.neighbourhoods["imd_decile"][here]
    u = draws.uniform(people.id[starters], week, "newborn", people.key, index=1)
    order = np.lexsort((u, people.school[starters], area))
    starters, area = starters[order], area[order]
    for step in range(1, min(round(ties_each / 2), starters.size - 1) + 1):
        together = area[step:] == area[:-step]
        tie(people, starters[:-step][together], starters[step:][together], CLASS)


def cut_ties(people: People, died: Rows) -> None:
    """End the ties of the dead on both sides, so that their places are free again."""
    nobody = people.capacity
    gone = np.zeros(nobody + 1, bool)
    gone[died] = True
    friends = np.unique(people.ties[died])
    friends = friends[friends < nobody]
    lost = gone[people.ties[friends]]
    people.ties[friends] = np.where(lost, nobody, people.ties[friends])
    people.tie_kind[friends] = np.where(lost, -1, people.tie_kind[friends])
    people.ties[died], people.tie_kind[died] = nobody, -1
