"""Re-running the published studies inside the model, so that an intervention's shifts are what its own study asks for.

The study's people (from place=england), its arms and its follow-up are simulated with common draws; the shift s * v, with v
an intervention's drawn mix of components, is solved so that participants (of a place or school: everybody exposed) gain the
published effect in minutes of the whole week, after displacement or compensation. Then the reach ladder's residual gradient
is solved so that the total socioeconomic ratio is the stated one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from movesim.behaviour.parameters import behaviour_values, fingerprint, model_id, rules_and_references, write_atomically
from movesim.behaviour.rules import References, Rules
from movesim.behaviour.simulation import Simulation
from movesim.config import cache_folder
from movesim.errors import InputError
from movesim.interventions.delivery import Delivery
from movesim.interventions.mechanism import Solved
from movesim.interventions.solving import solved_of
from movesim.interventions.targeting import matches
from movesim.place import load_place
from movesim.words import CHILD_FROM, DOMAIN, WEEKS_A_YEAR

if TYPE_CHECKING:
    from movesim.interventions.scenario import Intervention, Prediction, Scenario

TRIAL_PLACE, TRIAL_PEOPLE, TRIAL_SEED = "england", 10_000, 1
MEASURED_WEEKS = 13  # minutes are averaged over the last quarter of the follow-up
SHIFT_ENDS = (-3.0, 6.0)
LEAST_PERSISTENCE = 0.02
CLOSE = 0.02  # the effect is reached when it is within 2% or 0.1 minutes


@dataclass(frozen=True)
class Arm:
    """What an arm's people did: minutes a week by domain over the measured weeks, shape (6, n)."""

    minutes: NDArray[np.float64]

    def total(self, domains: tuple[int, ...] = ()) -> NDArray[np.float64]:
        """Return each person's minutes a week in these domains (none named: in all), shape (n,)."""
        return self.minutes[list(domains)].sum(axis=0) if domains else self.minutes.sum(axis=0)


class Bench:
    """A settled run of place=england for one parameter draw, on which studies are re-run."""

    def __init__(self, rules: Rules, references: References) -> None:
        self.start = Simulation(load_place(TRIAL_PLACE, TRIAL_PEOPLE), rules, references, TRIAL_SEED, "trial")
        self.start.run(-self.start.week)
        people = self.start.people
        self.decile = people.neighbourhoods["imd_decile"][people.neighbourhood]
        self._controls: dict[int, Arm] = {}
        self._means: dict[tuple[int, ...], float] = {}

    def mean_readiness(self, domains: tuple[int, ...]) -> float:
        """Return England's mean readiness in these domains for this draw, over those old enough to be scored."""
        if domains not in self._means:
            people = self.start.people
            scored = people.age >= CHILD_FROM
            here = self.start.readiness(domains).astype(np.float64)
            self._means[domains] = float(np.average(here[scored], weights=people.weight[scored]))
        return self._means[domains]

    def readiness(self, domains: tuple[int, ...], rows: NDArray | None = None) -> NDArray[np.float64]:
        """Return readiness less its England mean, as it stands before the study, shape of rows (default: everybody)."""
        return self.start.readiness(domains, rows).astype(np.float64) - self.mean_readiness(domains)

    def control(self, weeks: int) -> Arm:
        """Return the arm to which nothing is done."""
        if weeks not in self._controls:
            self._controls[weeks] = self._follow(self.start.branch(), None, weeks)
        return self._controls[weeks]

    def treated(self, scenario: Scenario, spec: Intervention, values: Mapping[str, float], solved: Solved, weeks: int) -> Arm:
        """Return the arm whose people all take part."""
        simulation = self.start.branch()
        years = -(-weeks // WEEKS_A_YEAR)
        only, key = scenario.only(spec.name), simulation.key
        delivery = Delivery(only, values, simulation.people, {spec.name: solved}, key, years, mode="trial")
        return self._follow(simulation, delivery, weeks)

    def _follow(self, simulation: Simulation, delivery: Delivery | None, weeks: int) -> Arm:
        for week in range(weeks):
            if week == weeks - MEASURED_WEEKS:
                simulation.people.domain_minutes[:] = 0
            if delivery is not None:
                delivery.step(week, simulation.shifts, self.readiness)
            simulation.step()
            if simulation.week % WEEKS_A_YEAR == 0 and week < weeks - 1:
                simulation.turn_of_the_year()
        people = simulation.people
        return Arm(people.domain_minutes[:, : people.n].astype(np.float64) / MEASURED_WEEKS)


def solve_intervention(bench: Bench, scenario: Scenario, spec: Intervention, values: Mapping[str, float]) -> Solved:
    """Return the shifts and the ladder of an intervention for one draw of its numbers.

    Raises InputError when the study's population is empty in England.
    """
    target, weeks, people = spec.target_effect(values), spec.trial.follow_up_weeks, bench.start.people
    answers = matches(people, spec.who)
    ladder_on = (bench.readiness(spec.domains)[answers], people.weight[answers], bench.decile[answers])
    who = matches(people, spec.trial.population) & answers & (people.age >= CHILD_FROM)
    if not who.any():
        raise InputError(f"The study of '{spec.name}' has nobody in it: no one in {TRIAL_PLACE} answers its population.")
    weight, measured, control = people.weight[who], spec.trial.measured, bench.control(weeks)
    seen: dict[float, NDArray] = {}

    def effect(s: float) -> float:
        arm = bench.treated(scenario, spec, values, solved_of(spec, values, s, *ladder_on), weeks)
        seen[s] = (arm.total(measured) - control.total(measured))[who]
        return float(np.average(seen[s], weights=weight))

    s, reached, note = solve_strength(effect, target)
    first = solved_of(spec, values, s, *ladder_on)
    later = next((f for f in spec.trial.also_predicts if not f.measured and f.after_weeks > weeks), None)
    if later is not None and target > 0:

        def kept(persistence: float) -> Solved:
            half_life, habit = keeping(persistence)
            fewer = {**values, spec.paths["habit_share"]: values[spec.paths["habit_share"]] * habit}
            return replace(solved_of(spec, fewer, s, *ladder_on), persistence=half_life)

        def left(persistence: float) -> float:
            faded = kept(persistence)
            gain = (
                bench.treated(scenario, spec, values, faded, later.after_weeks).total() - bench.control(later.after_weeks).total()
            )
            return float(np.average(gain[who], weights=weight))

        goal = min(published(spec, later, values), reached)
        persistence, after = solve_persistence(left, goal)
        first = kept(persistence)
        habit = spec.paths["habit_share"]
        values = {**values, habit: values[habit] * keeping(persistence)[1]}
        if after > goal + max(0.1 * goal, 0.5):
            note = f"The follow-up found {goal:.1f} minutes left; what the model learns keeps {after:.1f} at the least. {note}"
    gains = smooth_gains(seen[s], weight, bench.decile[who])
    try:
        final = solved_of(spec, values, s, *ladder_on, enrolled_gain=gains, first=first, reached_effect=reached)
    except InputError as error:
        final = replace(first, reached_effect=reached, note=f"The stated ratio is left out: {error}")
    return replace(final, persistence=first.persistence, note=f"{note} {final.note}".strip())


def keeping(persistence: float) -> tuple[float, float]:
    """Return what half-life and habit share are multiplied by at a persistence from 0 to 1.

    The stated two-part rule (a share keeps it for good, the rest halves) has a long end and a short one. What the model's own
    loops keep is lost within a year or two, so it takes the place of the half-life first (down to a persistence of a half);
    only when a follow-up asks for less than that do fewer keep it for good.

    >>> keeping(1.0), keeping(0.75), keeping(0.25)
    ((1.0, 1.0), (0.5, 1.0), (0.02, 0.5))
    """
    return max(LEAST_PERSISTENCE, 2 * persistence - 1), min(1.0, 2 * persistence)


def published(spec: Intervention, finding: Prediction, values: Mapping[str, float]) -> float:
    """Return a further finding of the study in reported minutes, shrunk by the optimism factor as the effect itself is."""
    return spec.as_reported(values[finding.effect] * spec.value(values, "optimism"), finding.effect_scale, values)


def solve_persistence(left: Any, goal: float) -> tuple[float, float]:
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


def solve_strength(effect: Any, target: float) -> tuple[float, float, str]:
    """Return the strength s at which effect(s) is the target, the effect reached, and a note when it cannot be.

    A bracketed secant search (regula falsi, Illinois); effect(0) is 0 because arms share all draws.
    """
    if target == 0:
        return 0.0, float(effect(0.0)), ""
    tolerance = max(CLOSE * abs(target), 0.1)
    low, f_low = 0.0, -target
    s = 0.5 if target > 0 else -0.5
    end = SHIFT_ENDS[1] if target > 0 else SHIFT_ENDS[0]
    while True:
        f = effect(s) - target
        if abs(f) <= tolerance:
            return s, f + target, ""
        if (f > 0) != (f_low > 0):
            break
        if s == end:
            return s, f + target, f"The study's effect of {target:.1f} minutes is out of reach; the closest is {f + target:.1f}."
        low, f_low = s, f
        s = float(np.clip(2 * s, *SHIFT_ENDS))
    high, f_high = s, f
    best = (s, f)
    for _ in range(20):
        s = (low * f_high - high * f_low) / (f_high - f_low)
        f = effect(s) - target
        if abs(f) < abs(best[1]):
            best = (s, f)
        if abs(f) <= tolerance:
            break
        if (f > 0) == (f_high > 0):
            high, f_high, f_low = s, f, f_low / 2
        else:
            low, f_low, f_high = s, f, f_high / 2
    effect(best[0])
    return best[0], best[1] + target, ""


def smooth_gains(gain: NDArray, weight: NDArray, decile: NDArray) -> NDArray[np.float64]:
    """Return the mean gain by fifth, shape (5,), from a straight line over deciles: fifths of a trial alone are noisy."""
    x = decile.astype(np.float64) - 5.5
    mean_x, mean_y = np.average(x, weights=weight), np.average(gain, weights=weight)
    slope = np.average((x - mean_x) * (gain - mean_y), weights=weight) / max(np.average((x - mean_x) ** 2, weights=weight), 1e-12)
    middles = np.array([1.5, 3.5, 5.5, 7.5, 9.5]) - 5.5
    line = mean_y + slope * (middles - mean_x)
    return np.clip(line, 0.1 * mean_y, 4 * mean_y) if mean_y > 0 else line


# --- for a run ------------------------------------------------------------------------------------------------------
@lru_cache(maxsize=2)
def _bench(mode: str, replicate: int, overrides: tuple[tuple[str, float], ...]) -> Bench:
    return Bench(*rules_and_references(mode, replicate, dict(overrides)))


def solve(
    scenario: Scenario, values: Mapping[str, float], mode: str, replicate: int, overrides: Mapping[str, float]
) -> dict[str, Solved]:
    """Return every intervention of a scenario solved for a replicate's draw; solved ones are kept in the cache on disk."""
    out = {}
    behaviour = behaviour_values(mode, replicate, overrides)
    for intervention in scenario.interventions:
        mine = intervention.study_values(values)
        key = fingerprint([model_id(), behaviour, mine, study_of(intervention)])
        path = cache_folder("trials") / f"{key}.json"
        if path.is_file():
            out[intervention.name] = Solved.from_json(path.read_text(encoding="utf-8"))
            continue
        bench = _bench(mode, replicate, tuple(sorted(overrides.items())))
        solved = solve_intervention(bench, scenario, intervention, values)
        write_atomically(path, solved.to_json())
        out[intervention.name] = solved
    return out


def predict(
    scenario: Scenario, spec: Intervention, values: Mapping[str, float], solved: Solved, mode: str, replicate: int,
    overrides: Mapping[str, float],
) -> list[dict[str, Any]]:  # fmt: skip
    """Return what the solved study shows for findings that were not used to solve it, beside their published values."""
    if not spec.trial.also_predicts:
        return []
    bench, out = _bench(mode, replicate, tuple(sorted(overrides.items()))), []
    people = bench.start.people
    who = matches(people, spec.trial.population) & matches(people, spec.who) & (people.age >= CHILD_FROM)
    for finding in spec.trial.also_predicts:
        weeks = finding.after_weeks
        domains = tuple(DOMAIN[name] if isinstance(name, str) else name for name in finding.measured)
        plain = replace(solved, a={step: a for step, a in solved.a.items() if step != "shift"}, b={})
        gain = bench.treated(scenario, spec, values, plain, weeks).total(domains) - bench.control(weeks).total(domains)
        simulated = float(np.average(gain[who], weights=people.weight[who]))
        solves = not finding.measured and weeks > spec.trial.follow_up_weeks  # it set the persistence
        goal = published(spec, finding, values)
        out.append({"finding": finding.title, "target": goal, "simulated": simulated, "used_to_solve": solves})
    return out


def england_readiness(mode: str, replicate: int, overrides: Mapping[str, float], domains: tuple[int, ...]) -> float:
    """Return England's mean readiness in these domains for a replicate's draw, kept in the cache on disk."""
    behaviour = behaviour_values(mode, replicate, overrides)
    path = cache_folder("readiness") / f"{fingerprint([model_id(), behaviour, domains])}.json"
    if not path.is_file():
        bench = _bench(mode, replicate, tuple(sorted(overrides.items())))
        write_atomically(path, json.dumps(bench.mean_readiness(domains)))
    return float(json.loads(path.read_text(encoding="utf-8")))


def study_of(intervention: Intervention) -> dict[str, Any]:
    """Return what the solution of an intervention depends on beside its numbers: never where or when it is delivered."""
    trial = asdict(intervention.trial)
    mechanism = [(c.name, c.weight, c.domains) for c in intervention.mechanism.components]
    plain = {
        "kind": intervention.kind, "domains": intervention.domains, "split": dict(intervention.split_weights),
        "scale": intervention.effect_scale, "who": repr(intervention.who), "mechanism": mechanism, "trial": trial,
    }  # fmt: skip
    return json.loads(json.dumps(plain, default=str))
