"""The reach ladder: offered, taken up, adhering, responding, upkeep, and who climbs it.

Climbing a step has the probability p with logit p = a + c * readiness + b * (5.5 - decile) / 8. Readiness is a person's
COM-B at that moment (mean over the target domains of log(K O M) less its England mean), so part of any inequality in who
gains is *endogenous*. The rest, b, is solved so that the whole socioeconomic ratio is the one that was stated: inequality is
never counted twice. Between the middles of the end fifths (deciles 1.5 and 9.5) b is the difference of logits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize
from scipy.special import expit, logit

from movesim.errors import InputError

STEPS = ("offered", "taken_up", "adhering", "responding", "upkeep")
# Steps that a person climbs; the offer is the programme's doing, so it knows neither readiness nor deprivation beyond the
# targeting, and "gain per offered person" keeps its meaning.
CLIMBED = ("taken_up", "adhering", "responding")
STEEPEST = 8.0  # |b| beyond which a ratio is called unreachable: odds 3,000 times apart between the end fifths
_EDGE = 1e-9


def gradient(decile: NDArray | float) -> NDArray | float:
    """Return (5.5 - decile) / 8: how deprived a place is, 1 apart between the middles of the end fifths."""
    return (5.5 - np.asarray(decile, np.float64)) / 8


def fifth_of(decile: NDArray) -> NDArray[np.int64]:
    """Return the fifth, 1 (most deprived) to 5, of IMD deciles."""
    return (np.asarray(decile, np.int64) + 1) // 2


def step_probability(a: float, b: float, c: float, readiness: NDArray | float, decile: NDArray | float) -> NDArray[np.float64]:
    """Return the probability of climbing a step.

    Arguments: a, the level; b, the residual gradient; c, how strongly readiness matters; readiness (n,), log scale;
    decile (n,), 1 to 10.

    >>> float(step_probability(0.0, 0.0, 0.5, 0.0, 5))
    0.5
    """
    return climbing(a, b, c, np.asarray(readiness, np.float64), gradient(decile))


def climbing(a: float, b: float, c: float, readiness: NDArray | float, tilt: NDArray | float) -> NDArray[np.float64]:
    """Return step_probability where the gradient of each person's decile is known already."""
    return expit(a + c * readiness + b * tilt)


def solve_level(
    central: float, readiness: NDArray, weight: NDArray, decile: NDArray, c: float = 0.0, b: float = 0.0, step: str = "a step"
) -> float:
    """Return the level a at which the weighted mean probability equals `central`.

    Arguments: central, 0 to 1; readiness, weight, decile (n,). A central probability of exactly 0 or 1 is taken as 1e-9
    inside. Raises InputError when central is not a share or nobody is left to solve it on.
    """
    if not 0.0 <= central <= 1.0:
        raise InputError(f"The probability of '{step}' must lie between 0 and 1, got {central:g}.")
    weight = np.asarray(weight, np.float64)
    if weight.size == 0 or weight.sum() <= 0:
        raise InputError(f"The level of '{step}' cannot be solved: nobody in this population is eligible.")
    goal = float(np.clip(central, _EDGE, 1 - _EDGE))
    share = weight / weight.sum()
    z = c * np.asarray(readiness, np.float64) + b * gradient(decile)
    low, high = float(logit(goal) - z.max()), float(logit(goal) - z.min())
    if high - low < 1e-12:
        return (low + high) / 2
    return float(optimize.brentq(lambda a: share @ expit(a + z) - goal, low - 1e-9, high + 1e-9, xtol=1e-12))


def solve_levels(
    central: Mapping[str, float],
    readiness: NDArray,
    weight: NDArray,
    decile: NDArray,
    c: float,
    b: Mapping[str, float] | None = None,
) -> dict[str, float]:
    """Return the level a of every step, so that each step's mean probability is its central one (see solve_level)."""
    tilt = b or {}
    return {
        step: solve_level(p, readiness, weight, decile, c, tilt.get(step, 0.0), step) for step, p in central.items()
    }  # fmt: skip


@dataclass(frozen=True)
class Ratio:
    """A socioeconomic ratio, gain per offered person, fifth 1 over fifth 5, and the parts it is made of.

    `total` = `endogenous` (readiness and the place's own opportunity, b = 0) times `residual` (what b adds).
    """

    a: dict[str, float]
    b: dict[str, float]
    endogenous: float
    residual: float
    total: float


def _of_fifths(gain: NDArray, weight: NDArray, fifth: NDArray) -> float:
    ends = [float(np.average(gain[fifth == k], weights=weight[fifth == k])) for k in (1, 5)]
    return ends[0] / ends[1]


def _check_fifths(fifth: NDArray, weight: NDArray, gain_by_fifth: NDArray, ratio: float) -> None:
    if not ratio > 0:
        raise InputError(f"A socioeconomic ratio must be above 0, got {ratio:g}; 1 means the same gain in every fifth.")
    for k in (1, 5):
        if not weight[fifth == k].sum() > 0:
            raise InputError(f"A socioeconomic ratio cannot be solved: nobody eligible lives in fifth {k}.")
        if not gain_by_fifth[k - 1] > 0:
            raise InputError(
                f"A socioeconomic ratio cannot be solved: the gain of those who respond in fifth {k} is "
                f"{gain_by_fifth[k - 1]:g} minutes, and a ratio needs gains above 0."
            )


def _solve_tilt(ratio_at, ratio: float) -> float:  # type: ignore[no-untyped-def]
    """Return the b at which the increasing function ratio_at(b) equals ratio."""
    low, high = ratio_at(-STEEPEST), ratio_at(STEEPEST)
    if not low <= ratio <= high:
        raise InputError(
            f"A socioeconomic ratio of {ratio:g} cannot be reached: with these uptake shares and gains the ladder gives "
            f"between {low:.3g} and {high:.3g}; state a ratio within that range, or lower the share of a step that is near 1."
        )
    return float(optimize.brentq(lambda b: np.log(ratio_at(b) / ratio), -STEEPEST, STEEPEST, xtol=1e-10))


def solve_ratio(
    central: Mapping[str, float],
    readiness: NDArray,
    weight: NDArray,
    decile: NDArray,
    c: float,
    ratio: float,
    split: Mapping[str, float],
    gain_by_fifth: NDArray,
) -> Ratio:
    """Solve the residual gradient b of every step so that the gain per offered person has the stated ratio.

    Arguments: central, the mean probability of each climbed step; readiness, weight, decile (n,) of the people who can be
    offered it; c; ratio, fifth 1 over fifth 5; split, each step's share of b (adds to 1); gain_by_fifth (5,), minutes a
    week gained per person who responds, from the re-run study: the endogenous part of efficacy. Levels a are solved anew
    for each b, so the overall reach stays the central one.
    Raises InputError when the ratio cannot be reached or has no meaning (a gain of 0 or less, an empty fifth).
    """
    weight, readiness = np.asarray(weight, np.float64), np.asarray(readiness, np.float64)
    fifth, gains = fifth_of(decile), np.asarray(gain_by_fifth, np.float64)
    _check_fifths(fifth, weight, gains, ratio)
    if any(share < 0 for share in split.values()) or abs(sum(split.values()) - 1) > 1e-6:
        raise InputError("The split of a socioeconomic ratio over the steps must be shares that add to 1.")
    each = gains[fifth - 1]

    def tilts(b: float) -> dict[str, float]:
        return {step: b * split.get(step, 0.0) for step in central}

    def ratio_at(b: float) -> float:
        tilt = tilts(b)
        a = solve_levels(central, readiness, weight, decile, c, tilt)
        climbed = np.prod([step_probability(a[s], tilt[s], c, readiness, decile) for s in central], axis=0)
        return _of_fifths(climbed * each, weight, fifth)

    endogenous = ratio_at(0.0)
    b = tilts(_solve_tilt(ratio_at, ratio))
    a = solve_levels(central, readiness, weight, decile, c, b)
    return Ratio(a, b, endogenous, ratio / endogenous, ratio)


def solve_multiplier(weight: NDArray, decile: NDArray, ratio: float, gain_by_fifth: NDArray) -> Ratio:
    """Solve exp(a + b (5.5 - decile) / 8) on a shift that reaches everybody (a route, a school) so that gains have the ratio.

    The mean gain is kept. Gains are taken to grow in proportion to the shift, which holds near the trial's own dose.
    Arguments as in solve_ratio. Raises InputError when the ratio cannot be reached or has no meaning.
    """
    weight = np.asarray(weight, np.float64)
    fifth, gains, tilt = fifth_of(decile), np.asarray(gain_by_fifth, np.float64), gradient(decile)
    _check_fifths(fifth, weight, gains, ratio)
    each = gains[fifth - 1]

    def ratio_at(b: float) -> float:
        return _of_fifths(np.exp(b * tilt) * each, weight, fifth)

    endogenous = ratio_at(0.0)
    b = _solve_tilt(ratio_at, ratio)
    a = -float(np.log(np.average(np.exp(b * tilt), weights=weight * np.maximum(each, 1e-12))))
    return Ratio({"shift": a}, {"shift": b}, endogenous, ratio / endogenous, ratio)
