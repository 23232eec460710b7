"""Moves: households that leave a neighbourhood and newcomers who take their place, the same in all scenarios.

A simplification. Neighbourhoods keep their size and make-up: newcomers are as many, as old and of the same sexes as those who
leave and keep the household's circumstances and ties (neighbours are neighbours), but they are other people, with other ids,
and with the tastes, components, habits and recent minutes of somebody alike as people stood at week 0. So moving carries
away what a policy changed in a neighbourhood's people, and nothing else. Nobody is moved to reach a size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from movesim import draws
from movesim.behaviour.people import age_band
from movesim.behaviour.snapshot import TRAITS, Snapshot, donor_groups
from movesim.place.synthesis import mixed
from movesim.words import ADULT_FROM, ADULT_LIMITS, CHILD_FROM, CHILD_LIMITS, WEEKS_A_YEAR

if TYPE_CHECKING:
    from movesim.behaviour.people import People
    from movesim.behaviour.rules import Rules

Rows = NDArray[np.int64]


def leaving(people: People, rules: Rules, week: int, before: Snapshot) -> NDArray[np.int64]:
    """Return, by household, k = 0, 1, ... for the k-th household that leaves its neighbourhood this year, -1 for those who stay.

    How many leave follows from week 0 alone (an open-loop projection): the rate times the neighbourhood's households, rounded
    up with the probability of the fraction; those with the smallest keyed priority leave. A household whose members have
    all died can be among them; then nobody moves.
    """
    homes = np.flatnonzero(before.home >= 0)
    place = before.home[homes]
    expected = rules["moves.rate"] * np.bincount(place, minlength=before.place.size)
    number = np.floor(expected + draws.uniform(before.place, week, "move", people.key, index=1)).astype(np.int64)
    priority = draws.uniform(before.household[homes], week, "move", people.key)
    order = np.lexsort((priority, place))
    place = place[order]
    rank = np.arange(order.size) - np.searchsorted(place, place)
    out = np.full(before.home.size, -1, np.int64)
    out[homes[order]] = np.where(rank < number[place], rank, -1)
    return out


def move(people: People, rules: Rules, week: int, before: Snapshot) -> tuple[Rows, int]:
    """Let households leave and newcomers arrive in their rows; return the newcomers' rows and the number of households.

    A newcomer's id is the hash of the neighbourhood's code, the year, k and their number in the household.
    """
    k = leaving(people, rules, week, before)
    home, n = people.household, people.n
    members = np.flatnonzero(k[home] >= 0)
    members = members[np.lexsort((people.id[members], home[members]))]
    # counted over the dead too, so that a death does not rename those who come after
    number = np.arange(members.size) - np.searchsorted(home[members], home[members])
    here = people.alive[:n][members]
    rows, number = members[here], number[here]
    households = home[rows]
    of_year = mixed(before.place[before.home[households]], np.full(rows.size, week // WEEKS_A_YEAR))
    ids = mixed(mixed(of_year, k[households]), number)
    people.columns["id"][rows] = ids
    people.original[rows] = False
    take_after(people, rows, draws.uniform(ids, week, "move", people.key, index=2), before)
    return rows, int((k >= 0).sum())


def take_after(people: People, rows: Rows, u: NDArray[np.float64], before: Snapshot) -> None:
    """Give people the traits of a donor of the same tenth, age band, sex and health at week 0; without one they keep theirs.

    Arguments: rows; u, a uniform for each, which picks the donor. Used for newcomers, and for children who turn five: until
    then nobody acts, so the ways they begin with are those of somebody like them.
    """
    age = people.age[rows]
    decile = people.neighbourhoods["imd_decile"][people.neighbourhood[rows]]
    groups = donor_groups(decile, age_band(age), people.sex[rows], people.impairments[rows] > 0)
    donor = before.donor(groups, u)
    rows, donor, age = rows[donor >= 0], donor[donor >= 0], age[donor >= 0]
    for name in TRAITS:
        people.floats[name][..., rows] = before.traits[name][..., donor]
    people.nature[rows] = before.nature[donor]
    limit = np.where(age < ADULT_FROM, CHILD_LIMITS[1], ADULT_LIMITS[1])
    people.active[rows] = (people.mean[rows] >= limit) & (age >= CHILD_FROM)
