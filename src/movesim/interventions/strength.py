"""Searches on a study that is run again and again: the strength that gives its effect, the persistence that leaves what it left.

Arms share all draws, so what comes out is a smooth function of what goes in, but each value costs a run of the study.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

SHIFT_ENDS = (-3.0, 6.0)
FIRST_STEP = 0.5
LEAST_PERSISTENCE = 0.02
CLOSE = 0.02  # the effect is reached when it is within 2% or 0.1 minutes


def tolerance(target: float) -> float:
    """Return how far from a target, in minutes a week, a solved study may be."""
    return max(CLOSE * abs(target), 0.1)


def solve_strength(effect: Callable[[float], float], target: float, guess: float | None = None) -> tuple[float, float, str]:
    """Return the strength s at which effect(s) is the target, the effect reached, and a note when it cannot be.

    effect(0) is 0 because arms share all draws. Gains are close to proportional to the shift, so each step draws a power of s
    through the last two values (a straight line in logs) while the target is bracketed, and takes a safe step inside the
    bracket where that would leave it. Arguments: guess, where to begin.
    """
    if target == 0:
        return 0.0, float(effect(0.0)), ""
    sign, goal, close = (1.0 if target > 0 else -1.0), abs(target), tolerance(target)
    end = SHIFT_ENDS[1] if target > 0 else -SHIFT_ENDS[0]
    found: dict[float, float] = {0.0: 0.0}  # by |s|, what was gained in the wanted direction

    def at(s: float) -> float:
        found[s] = sign * float(effect(sign * s))
        return found[s]

    s = min(abs(guess) if guess else FIRST_STEP, end)
    power = 1.0
    for _ in range(20):
        gain = at(s)
        if abs(gain - goal) <= close:
            break
        below = max((x for x, g in found.items() if g < goal), default=0.0)
        above = min((x for x, g in found.items() if g > goal and x > below), default=None)
        if above is None and below >= end:
            break
        known = sorted((x for x, g in found.items() if x > 0 and g > 0), key=lambda x: abs(np.log(found[x] / goal)))[:2]
        if len(known) == 2:
            power = float(np.log(found[known[0]] / found[known[1]]) / np.log(known[0] / known[1]))
        s = known[0] * (goal / found[known[0]]) ** (1 / power) if known and power > 0.2 else 2 * s
        if above is None:
            s = min(max(s, 1.1 * below), 4 * max(below, FIRST_STEP), end)
        elif not below + 0.02 * (above - below) < s < above - 0.02 * (above - below):
            s = (below + above) / 2
    best = min((x for x in found if x > 0), key=lambda x: abs(found[x] - goal))
    reached = found[best]
    if best != s:
        at(best)  # so that whoever watches the runs has seen the best one last
    note = ""
    if abs(reached - goal) > close:
        note = f"The study's effect of {target:.1f} minutes is out of reach; the closest is {sign * reached:.1f}."
    return sign * best, sign * reached, note


def solve_persistence(left: Callable[[float], float], goal: float) -> tuple[float, float]:
    """Return the persistence in [0.02, 1] at which left(persistence) is the goal, and what is left then.

    What the model's own loops keep (habit, fitness, confidence) is in `left` already, so persistence is not counted twice. An
    end of the range is taken where even it leaves less, or more, than the goal.
    """
    high, low = 1.0, LEAST_PERSISTENCE
    at_high = left(high)
    if at_high <= goal * (1 + CLOSE):
        return high, at_high
    at_low = left(low)
    if at_low >= goal:
        return low, at_low
    for _ in range(8):
        middle = low + (high - low) * min(max((goal - at_low) / (at_high - at_low), 0.15), 0.85)
        at_middle = left(middle)
        if abs(at_middle - goal) <= max(CLOSE * goal, 0.1):
            return middle, at_middle
        if at_middle > goal:
            high, at_high = middle, at_middle
        else:
            low, at_low = middle, at_middle
    return middle, at_middle


def keeping(persistence: float) -> tuple[float, float]:
    """Return what half-life and habit share are multiplied by at a persistence from 0 to 1.

    The stated two-part rule (a share keeps it for good, the rest halves) has a long end and a short one. What the model's own
    loops keep is lost within a year or two, so it takes the place of the half-life first (down to a persistence of a half);
    only when a follow-up asks for less than that do fewer keep it for good.

    >>> keeping(1.0), keeping(0.75), keeping(0.25)
    ((1.0, 1.0), (0.5, 1.0), (0.02, 0.5))
    """
    return max(LEAST_PERSISTENCE, 2 * persistence - 1), min(1.0, 2 * persistence)
