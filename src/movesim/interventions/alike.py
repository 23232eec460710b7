"""Runs in which steps of the reach ladder treat everybody alike, so that what each step does to a gap can be told apart."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from movesim.interventions.ladder import climbing, fifth_of
from movesim.interventions.scenario import Scenario
from movesim.interventions.targeting import Strata

# The steps whose part in a gap can be asked for. The offer is uneven by targeting; the others by readiness and by what is
# left of the stated ratio, which places and schools carry in their response.
PLAYERS = ("offered", "taken_up", "adhering", "responding", "upkeep")
_OF_KIND = {"people": PLAYERS[1:], "school": ("adhering", "responding", "upkeep")}
_EDGE = 1e-9


def players(scenario: Scenario) -> tuple[str, ...]:
    """Return the steps of a scenario that may treat people unlike, in the order of the ladder."""
    found: set[str] = set()
    for spec in scenario.interventions:
        found.update(_OF_KIND.get(spec.kind, ("responding",)))
        if spec.where.targeting != "universal":
            found.add("offered")
    return tuple(step for step in PLAYERS if step in found)


def mean_levels(
    terms: Mapping[str, tuple[float, float, float]], even: Collection[str], weight: NDArray, ready: NDArray, tilt: NDArray,
) -> dict[str, float]:  # fmt: skip
    """Return, for each even step, the level at which everybody has the mean probability of those who come to it.

    Arguments: terms, (a, b, c) of the steps in the order in which they are climbed; even, those that treat everybody alike;
    weight (n,), residents who are expected to begin to climb; ready, tilt (n,), their readiness and how deprived it is where
    they live.
    """
    levels: dict[str, float] = {}
    for step, (a, b, c) in terms.items():
        p = climbing(a, b, c, ready, tilt)
        if step in even and weight.sum() > 0:
            mean = float(np.clip(np.average(p, weights=weight), _EDGE, 1 - _EDGE))
            levels[step], p = float(logit(mean)), np.full_like(p, mean)
        weight = weight * p
    return levels


def step_ratios(
    terms: Mapping[str, tuple[float, float, float]], weight: NDArray, ready: NDArray, tilt: NDArray, decile: NDArray
) -> dict[str, tuple[float, float]]:
    """Return each step's ratio, fifth 1 over fifth 5, that comes from readiness, and what the residual gradient makes of it.

    Arguments as in mean_levels; decile (n,). NaN where nobody of a fifth comes to the step.
    """
    ratios, fifth = {}, fifth_of(decile)
    for step, (a, b, c) in terms.items():
        own, whole = (_of_fifths(climbing(a, tilted, c, ready, tilt), weight, fifth) for tilted in (0.0, b))
        ratios[step] = (own, whole / own)
        weight = weight * climbing(a, b, c, ready, tilt)
    return ratios


def _of_fifths(p: NDArray, weight: NDArray, fifth: NDArray) -> float:
    sums = [(float((weight * p)[fifth == k].sum()), float(weight[fifth == k].sum())) for k in (1, 5)]
    if min(total for _, total in sums) <= 0 or sums[1][0] <= 0:
        return float("nan")
    return sums[0][0] / sums[0][1] / (sums[1][0] / sums[1][1])


def everywhere(strata: Strata, eligible: NDArray, offered: float) -> Strata:
    """Return one group of all neighbourhoods of a programme, with as many offers in all as its targeting makes.

    Arguments: strata, by targeting; eligible (neighbourhoods,), residents who can be offered it; offered, the stated share.
    """
    inside = strata.of >= 0
    residents = np.bincount(strata.of[inside], eligible[inside], strata.share.size).astype(np.float64)
    total = residents.sum()
    mean = float(strata.rates(offered, residents) @ residents / total) if total > 0 else offered
    scale = mean / offered if offered > 0 else 1.0
    return Strata(np.where(inside, 0, -1).astype(np.int8), np.ones(1), 0, scale)
