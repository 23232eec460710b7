"""From the numbers of an intervention and a re-run of its study to what Delivery needs: levels, gradients, shifts."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from movesim.errors import InputError
from movesim.interventions.ladder import CLIMBED, Ratio, fifth_of, solve_levels, solve_multiplier, solve_ratio, step_probability
from movesim.interventions.mechanism import Solved, with_strength
from movesim.interventions.scenario import LOWEST_RATIO, Intervention


def levels_of(
    spec: Intervention, values: Mapping[str, float], readiness: NDArray, weight: NDArray, decile: NDArray
) -> dict[str, float]:
    """Return the level a of every step that people climb, upkeep included, with no residual gradient.

    Arguments: spec; values, drawn ledger numbers; readiness, weight, decile (n,) of the people the ladder is solved on: of
    England, who answer the intervention's `who` (not its `where`, so a targeted variant has the ladder of the universal one).
    """
    steps = {step: p for step, p in spec.ladder(values).items() if step in (*CLIMBED, "upkeep")}
    if spec.kind == "school":
        steps.pop("taken_up")  # of schools, not of people
    return solve_levels(steps, readiness, weight, decile, spec.value(values, "c")) if steps else {}


def per_responder(
    spec: Intervention,
    values: Mapping[str, float],
    solved: Solved,
    enrolled_gain: NDArray,
    readiness: NDArray,
    weight: NDArray,
    decile: NDArray,
) -> NDArray[np.float64]:
    """Return the gain per person who responds, by fifth, from the mean gain of all who were enrolled in the re-run study.

    Arguments: solved, with which the study was run; enrolled_gain (5,), minutes a week; the others as in levels_of.
    """
    c, fifth = spec.value(values, "c"), fifth_of(decile)
    climbed = np.ones(np.asarray(weight).size)
    for step in ("adhering", "responding"):
        climbed = climbed * step_probability(solved.a[step], solved.b.get(step, 0.0), c, readiness, decile)
    share = np.array(
        [np.average(climbed[fifth == k], weights=weight[fifth == k]) if (fifth == k).any() else np.nan for k in range(1, 6)]
    )
    return np.asarray(enrolled_gain, np.float64) / share


def ratio_of(
    spec: Intervention, values: Mapping[str, float], gain_by_fifth: NDArray, readiness: NDArray, weight: NDArray, decile: NDArray
) -> Ratio:
    """Solve the residual gradient that gives the intervention its stated socioeconomic ratio.

    Arguments: gain_by_fifth (5,), minutes a week: of kind people per person who responds, else per resident or pupil
    enrolled; the others as in levels_of. Raises InputError when the ratio cannot be reached or has no meaning.
    """
    ratio = spec.ratio(values)
    if spec.kind != "people":
        solved = solve_multiplier(weight, decile, ratio, gain_by_fifth)
        return Ratio({**levels_of(spec, values, readiness, weight, decile), **solved.a}, solved.b, *_parts(solved))
    central = {step: p for step, p in spec.ladder(values).items() if step in CLIMBED}
    c, split = spec.value(values, "c"), spec.split(values)
    if "uptake_ratio" in spec.paths:
        solved = _after_uptake(spec, values, central, c, split, gain_by_fifth, readiness, weight, decile)
    else:
        solved = solve_ratio(central, readiness, weight, decile, c, ratio, split, gain_by_fifth)
    upkeep = {"upkeep": levels_of(spec, values, readiness, weight, decile)["upkeep"]}
    return Ratio({**solved.a, **upkeep}, solved.b, *_parts(solved))


def _after_uptake(
    spec: Intervention, values: Mapping[str, float], central: Mapping[str, float], c: float, split: Mapping[str, float],
    gain_by_fifth: NDArray, readiness: NDArray, weight: NDArray, decile: NDArray,
) -> Ratio:  # fmt: skip
    """Solve uptake for its own ratio, then the later steps for the gain per person who took it up.

    Where only the efficacy was studied by deprivation, its ratio says nothing of who takes the programme up.
    """
    world = (np.asarray(readiness, np.float64), np.asarray(weight, np.float64), decile)
    uptake = solve_ratio(
        {"taken_up": central["taken_up"]}, *world, c, max(LOWEST_RATIO, spec.value(values, "uptake_ratio")), {"taken_up": 1.0},
        np.ones(5),
    )  # fmt: skip
    took = world[1] * step_probability(uptake.a["taken_up"], uptake.b["taken_up"], c, readiness, decile)
    later = {step: p for step, p in central.items() if step != "taken_up"}
    total = sum(split[step] for step in later)
    shares = {step: split[step] / total for step in later}
    rest = solve_ratio(later, world[0], took, decile, c, spec.ratio(values), shares, gain_by_fifth)
    parts = [x * y for x, y in zip(_parts(uptake), _parts(rest))]
    return Ratio({**uptake.a, **rest.a}, {**uptake.b, **rest.b}, *parts)


def _parts(ratio: Ratio) -> tuple[float, float, float]:
    return ratio.endogenous, ratio.residual, ratio.total


def solved_of(
    spec: Intervention,
    values: Mapping[str, float],
    s: float,
    readiness: NDArray,
    weight: NDArray,
    decile: NDArray,
    enrolled_gain: NDArray | None = None,
    first: Solved | None = None,
    reached_effect: float | None = None,
    levels: Mapping[str, float] | None = None,
) -> Solved:
    """Return what Delivery needs for a strength s: without a gradient to re-run the study, with one after it has been re-run.

    Arguments: s, strength of the shift; readiness, weight, decile (n,) as in levels_of; enrolled_gain (5,), mean gain by
    fifth of all who were enrolled in the re-run study, and first, with which it was run (None: no gradient yet);
    reached_effect, minutes a week that the re-run study showed; levels, what levels_of gives, where it is known already.
    Where the gain is not above 0 in both end fifths a ratio has no meaning: there is then no gradient, and the note says so.
    """
    v = spec.mechanism.shift_vector(values)
    target = spec.target_effect(values)
    levels = levels_of(spec, values, readiness, weight, decile) if levels is None else levels
    plain = Solved(spec.name, with_strength(s, v), dict(levels), {}, None, None, None, reached_effect, target, "")
    if enrolled_gain is None:
        return plain
    gains = np.asarray(enrolled_gain, np.float64)
    if not (gains[[0, 4]] > 0).all():
        note = "The gain is not above 0 in both end fifths, so a socioeconomic ratio has no meaning and none is applied."
        return Solved(**{**plain.__dict__, "note": note})
    if spec.kind == "people":
        if first is None:
            raise InputError(f"The study of '{spec.name}' must be re-run before its ratio can be solved.")
        gains = per_responder(spec, values, first, gains, readiness, weight, decile)
    ratio = ratio_of(spec, values, gains, readiness, weight, decile)
    note = (
        f"Of the ratio of {ratio.total:.2f}, {ratio.endogenous:.2f} arises from who is ready and where; "
        f"{ratio.residual:.2f} is residual."
    )
    return Solved(
        spec.name, plain.shifts, ratio.a, ratio.b, ratio.endogenous, ratio.residual, ratio.total, reached_effect, target, note
    )
