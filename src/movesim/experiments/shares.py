"""An authority's share of a plan: of money, capacity and offers, what its residents would get of the whole place's.

Within each group of neighbourhoods that a programme tells apart (all of them; those aimed at and the others; each tenth) every
resident counts alike. So the shares of all authorities add up to the plan, and a targeted programme gives most to those
authorities that have most of its target.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from movesim.interventions.targeting import Strata, strata_of

if TYPE_CHECKING:
    from movesim.interventions.scenario import Intervention, Scenario
    from movesim.place.population import Population

Floats = NDArray[np.float64]
# What is stated per head of those whom a programme is for, and per head of everybody.
PER_ELIGIBLE = ("capacity.starts_per_1000", "capacity.schools_a_year", "workforce.fte_per_1000")
PER_RESIDENT = ("capacity.km_per_100000", "capacity.residents_per_1000")
SAME = 1e-12


def share_of(
    scenario: Scenario, values: Mapping[str, float], population: Population, authority: int
) -> tuple[Scenario, dict[str, float]]:
    """Return the scenario, and its numbers, as one authority of a place carries it out.

    Arguments: scenario and its drawn values; population of the whole place; authority, an index into its authorities.
    A programme that has nothing to do there is left out; a universal one is the same everywhere.
    """
    table = population.neighbourhoods
    residents = np.bincount(population.people["neighbourhood"], population.people["weight"], len(table["code"])).astype(
        np.float64
    )
    here = np.asarray(table["local_authority"]) == authority
    interventions, shares, drawn = [], dict(scenario.shares), dict(values)
    for spec in scenario.interventions:
        strata = strata_of(spec, values, table["imd_decile"], residents, table["local_authority"], population.local_authorities)
        found = _local(spec, values, strata, residents, here)
        if found is not None:
            mine, money, new = found
            interventions.append(mine)
            shares[spec.name] = scenario.shares[spec.name] * money
            drawn |= new
    return replace(scenario, interventions=tuple(interventions), shares=shares), drawn


def _local(
    spec: Intervention, values: Mapping[str, float], strata: Strata, residents: Floats, here: NDArray[np.bool_]
) -> tuple[Intervention, float, dict[str, float]] | None:
    """The programme as it is here, its money per resident against the whole's, and the numbers that differ; None for nothing."""
    size = strata.share.size
    inside = strata.of >= 0
    of = strata.of[inside].astype(np.int64)
    everywhere = np.bincount(of, residents[inside], size)
    local = np.bincount(of, (residents * here)[inside], size)
    places = np.divide(strata.share * local, everywhere, out=np.zeros(size), where=everywhere > 0)
    if places.sum() <= 0:
        return None
    money = places.sum() * residents.sum() / residents[here].sum()
    eligible = places.sum() * everywhere.sum() / local.sum()
    factors = dict.fromkeys(PER_ELIGIBLE, eligible) | dict.fromkeys(PER_RESIDENT, money)
    where, fixed = spec.where, {}
    if where.targeting == "proportionate":
        factors["ladder.offered"] = eligible
    if where.targeting == "targeted":
        if local[0] > 0 and local[1:].sum() > 0:
            fixed["where.leakage"] = float(places[1] / places.sum())
        elif local[0] <= 0:  # only those that were not aimed at live here
            density = strata.share / np.maximum(everywhere, SAME)
            factors["ladder.offered"] = float(density[1] / density[0]) if density[0] > 0 else 0.0
            where = replace(where, targeting="universal", imd_decile=(), leakage=None)
    if spec.kind != "people":
        factors.pop("ladder.offered", None)  # of schools those are asked that may be; what they get follows from the money
    changed = {name: spec.value(values, name) * f for name, f in factors.items() if name in spec.paths and abs(f - 1) > SAME}
    changed |= {name: value for name, value in fixed.items() if name in spec.paths}
    if "ladder.offered" in changed:
        changed["ladder.offered"] = min(1.0, changed["ladder.offered"])
    paths: dict[str, Any] = {name: f"{spec.paths[name]}.here" for name in changed}
    mine = replace(spec, where=where, paths={**spec.paths, **paths}) if changed or where is not spec.where else spec
    return mine, 1.0 if abs(money - 1) <= SAME else float(money), {paths[name]: value for name, value in changed.items()}
