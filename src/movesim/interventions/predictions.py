"""What a solved study shows for findings that it was not solved on, beside what was published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from movesim.interventions.bench import Arm, Bench, published
from movesim.interventions.mechanism import Solved
from movesim.interventions.targeting import matches
from movesim.words import CHILD_FROM

if TYPE_CHECKING:
    from movesim.interventions.scenario import Intervention, Prediction, Scenario

NO_CHANGE = {"minutes": 0.0, "points": 0.0, "ratio": 1.0, "odds_ratio": 1.0}
ROLES = ("solved", "sets the decay", "used elsewhere", "held out")


def predict(
    bench: Bench, scenario: Scenario, spec: Intervention, values: Mapping[str, float], solved: Solved
) -> list[dict[str, Any]]:
    """Return a row for each further finding of the study of an intervention.

    Arguments: bench, of this draw of the model's numbers; values, the drawn numbers; solved, what the study gave.
    """
    plain = replace(solved, a={step: a for step, a in solved.a.items() if step != "shift"}, b={})
    return [_row(bench, scenario, spec, values, plain, finding) for finding in spec.trial.also_predicts]


def _row(
    bench: Bench, scenario: Scenario, spec: Intervention, values: Mapping[str, float], plain: Solved, finding: Prediction
) -> dict[str, Any]:
    other = spec
    if finding.population is not None:
        other = replace(spec, trial=replace(spec.trial, population=finding.population))
        scenario = replace(scenario, interventions=tuple(other if i is spec else i for i in scenario.interventions))
    people = bench.start.people
    who = matches(people, other.trial.population) & matches(people, spec.who) & (people.age >= CHILD_FROM)
    role = "sets the decay" if finding is spec.later_finding else "used elsewhere" if finding.used_for else "held out"
    if not who.any():
        simulated = float("nan")
    else:
        arm = bench.treated(scenario, other, values, plain, finding.after_weeks)
        simulated = change_of(finding, arm, bench.control(finding.after_weeks), who, people.weight)
    number, shrunk = scenario.numbers[finding.effect], finding.change == "minutes"
    return {
        "finding": finding.title, "role": role, "used_for": finding.used_for, "used_to_solve": role == "sets the decay",
        "unit": number.unit, "published": number.value, "published_low": number.low, "published_high": number.high,
        "target": published(spec, finding, values) if shrunk else values[finding.effect],
        "simulated": simulated, "as_published": as_published(spec, values, simulated, finding.change, finding.effect_scale),
    }  # fmt: skip


def change_of(finding: Prediction, arm: Arm, control: Arm, who: NDArray[np.bool_], weight: NDArray) -> float:
    """Return what the treated arm shows against the other, in the finding's own terms: minutes, points or a ratio of shares."""
    with_it, without = (each.total(finding.measured)[who] for each in (arm, control))
    if finding.reaching is None:
        return float(np.average(with_it - without, weights=weight[who]))
    share = [float(np.average(each >= finding.reaching, weights=weight[who])) for each in (with_it, without)]
    if finding.change == "points":
        return 100 * (share[0] - share[1])
    if finding.change == "odds_ratio":
        share = [min(max(p, 1e-9), 1 - 1e-9) / (1 - min(max(p, 1e-9), 1 - 1e-9)) for p in share]
    return share[0] / share[1] if share[1] > 0 else float("nan")


def as_published(spec: Intervention, values: Mapping[str, float], simulated: float, change: str, scale: str) -> float:
    """Return a simulated change as the study would have printed it: on its own scale, and before the optimism factor.

    Gains were shrunk by that factor when the study was solved; a share's change is put back in proportion.
    """
    none = NO_CHANGE[change]
    optimism = spec.value(values, "optimism") if spec.value(values, "effect") > 0 else 1.0
    k = spec.value(values, "device_to_reported") if scale == "device" else 1.0
    return none + (simulated - none) / (optimism * k)
