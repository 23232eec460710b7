"""Whom and where: queries on people, and how places are shared out between neighbourhoods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from movesim.errors import InputError, did_you_mean
from movesim.interventions.scenario import Intervention, Who
from movesim.words import ADULT_FROM, ADULT_LIMITS, CHILD_FROM, CHILD_LIMITS


def matches(people: Any, who: Who, rows: slice | NDArray = slice(None)) -> NDArray[np.bool_]:
    """Tell which of the rows in use are alive and answer the query, shape (rows,).

    Arguments: people, anything with the columns of words.PEOPLE as attributes over its rows in use; who; rows.
    """
    found = people.alive[: people.n][rows].astype(bool)
    if who.ages is not None:
        age = people.age[rows]
        found &= (age >= who.ages[0]) & (age <= who.ages[1])
    for column, allowed in who.values.items():
        held = getattr(people, column)[rows]
        found &= held == allowed[0] if len(allowed) == 1 else np.isin(held, allowed)
    if who.income_rank is not None:
        rank = people.income_rank[rows]
        found &= (rank >= who.income_rank[0]) & (rank <= who.income_rank[1])
    if who.status:
        found &= np.isin(status_of(people, rows), who.status)
    if who.with_children is not None:
        found &= lives_with_children(people)[rows] == who.with_children
    return found


def status_of(people: Any, rows: slice | NDArray = slice(None)) -> NDArray[np.int64]:
    """Return how active these rows were over the last four weeks, as an index into words.STATUSES; -1 under five."""
    age, mean = people.age[rows], people.mean[: people.n][rows]
    limits = np.where((age < ADULT_FROM)[:, None], CHILD_LIMITS, ADULT_LIMITS)
    return np.where(age < CHILD_FROM, -1, (mean[:, None] >= limits).sum(axis=1))


def lives_with_children(people: Any) -> NDArray[np.bool_]:
    """Tell whose household has a child of 5 to 15 in it (the child itself counts), shape (rows in use,)."""
    child = people.alive[: people.n].astype(bool) & (people.age >= CHILD_FROM) & (people.age < ADULT_FROM)
    has = np.zeros(int(people.household.max(initial=0)) + 1, bool)
    has[people.household[child]] = True
    return has[people.household]


@dataclass(frozen=True)
class Strata:
    """Neighbourhoods in groups that have their own share of places.

    `of` (neighbourhoods,) is the group, -1 outside the programme; `share` (groups,) the share of places, kilometres or
    workforce; `target` the group whose offers are as many as stated (None: offers are as many as stated on average); `scale`
    multiplies all offers.
    """

    of: NDArray[np.int8]
    share: NDArray[np.float64]
    target: int | None
    scale: float = 1.0

    def rates(self, offered: float, residents: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the yearly share offered in each group so that offers fall to the groups in proportion to their places.

        Arguments: offered, the stated share a year; residents (groups,), those eligible now.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            density = np.where(residents > 0, self.share / residents, 0.0)
        base = density[self.target] if self.target is not None else self.share.sum() / max(residents.sum(), 1e-12)
        return np.clip(offered * density / base * self.scale, 0.0, 1.0) if base > 0 else np.zeros_like(density)


def strata_of(
    spec: Intervention,
    values: Mapping[str, float],
    decile: NDArray,
    residents: NDArray[np.float64],
    authority: NDArray,
    authorities: tuple[str, ...],
) -> Strata:
    """Return how an intervention's places are shared out between neighbourhoods.

    Universal: one group. Targeted: the deciles aimed at get 1 - leakage, all others leakage. Proportionate: a group per
    decile, places per resident falling evenly (in log) from decile 1 to 10 by the stated ratio `gradient`.
    Arguments: decile, residents, authority (neighbourhoods,); authorities, the names authority counts through.
    Raises InputError for an authority that the place has not, and for a target where nobody lives.
    """
    where = spec.where
    inside = residents > 0
    if where.local_authority:
        for name in where.local_authority:
            if name not in authorities:
                raise InputError(
                    f"'{spec.name}' is for {name}, which is no authority of this place.{did_you_mean(name, authorities)}"
                )
        inside &= np.isin(authority, [authorities.index(name) for name in where.local_authority])
    if not inside.any():
        raise InputError(f"'{spec.name}' reaches no neighbourhood of this place; widen 'where', or take more people.")
    if where.targeting == "universal":
        return Strata(np.where(inside, 0, -1).astype(np.int8), np.ones(1), 0)
    if where.targeting == "targeted":
        aimed = np.isin(decile, where.imd_decile)
        if not (aimed & inside).any():
            raise InputError(
                f"'{spec.name}' is targeted to IMD deciles {list(where.imd_decile)}, and this place has none of them there; "
                "widen 'imd_decile'."
            )
        leakage = spec.value(values, "where.leakage") if (~aimed & inside).any() else 0.0
        return Strata(np.where(inside, np.where(aimed, 0, 1), -1).astype(np.int8), np.array([1 - leakage, leakage]), 0)
    gradient = max(spec.value(values, "where.gradient"), 1e-9)
    by_decile = np.bincount(decile[inside], residents[inside], 11)[1:]
    need = by_decile * gradient ** ((10 - np.arange(1, 11)) / 9)
    return Strata(np.where(inside, decile - 1, -1).astype(np.int8), need / need.sum(), None)
