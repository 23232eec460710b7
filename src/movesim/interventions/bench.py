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
from movesim.interventions.solving import levels_of, solved_of
from movesim.interventions.strength import keeping, solve_persistence, solve_strength
from movesim.interventions.targeting import matches
from movesim.place import load_place
from movesim.words import CHILD_FROM, WEEKS_A_YEAR

if TYPE_CHECKING:
    from movesim.interventions.scenario import Intervention, Prediction, Scenario

TRIAL_PLACE, TRIAL_PEOPLE, TRIAL_SEED = "england", 10_000, 1
MEASURED_WEEKS = 13  # minutes are averaged over the last quarter of a year, or half of a shorter follow-up


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
        measured = min(MEASURED_WEEKS, max(weeks // 2, 1))
        for week in range(weeks):
            if week == weeks - measured:
                simulation.people.domain_minutes[:] = 0
            if delivery is not None:
                delivery.step(week, simulation.shifts, self.readiness)
            simulation.step()
            if simulation.week % WEEKS_A_YEAR == 0 and week < weeks - 1:
                simulation.turn_of_the_year()
        people = simulation.people
        return Arm(people.domain_minutes[:, : people.n].astype(np.float64) / measured)


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
    levels = levels_of(spec, values, *ladder_on)

    def effect(s: float) -> float:
        arm = bench.treated(scenario, spec, values, solved_of(spec, values, s, *ladder_on, levels=levels), weeks)
        seen[s] = (arm.total(measured) - control.total(measured))[who]
        return float(np.average(seen[s], weights=weight))

    s, reached, note = solve_strength(effect, target)
    first = solved_of(spec, values, s, *ladder_on, levels=levels)
    later = spec.later_finding
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


def published(spec: Intervention, finding: Prediction, values: Mapping[str, float]) -> float:
    """Return a further finding of the study in reported minutes, shrunk by the optimism factor as the effect itself is."""
    return spec.as_reported(values[finding.effect] * spec.value(values, "optimism"), finding.effect_scale, values)


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
def bench_of(mode: str, replicate: int, overrides: tuple[tuple[str, float], ...]) -> Bench:
    """Return the bench of a replicate's draw with numbers of the model set by hand; the last two are kept."""
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
        bench = bench_of(mode, replicate, tuple(sorted(overrides.items())))
        solved = solve_intervention(bench, scenario, intervention, values)
        write_atomically(path, solved.to_json())
        out[intervention.name] = solved
    return out


def england_readiness(mode: str, replicate: int, overrides: Mapping[str, float], domains: tuple[int, ...]) -> float:
    """Return England's mean readiness in these domains for a replicate's draw, kept in the cache on disk."""
    behaviour = behaviour_values(mode, replicate, overrides)
    path = cache_folder("readiness") / f"{fingerprint([model_id(), behaviour, domains])}.json"
    if not path.is_file():
        bench = bench_of(mode, replicate, tuple(sorted(overrides.items())))
        write_atomically(path, json.dumps(bench.mean_readiness(domains)))
    return float(json.loads(path.read_text(encoding="utf-8")))


def study_of(intervention: Intervention) -> dict[str, Any]:
    """Return what the solution of an intervention depends on beside its numbers: never where or when it is delivered."""
    trial = asdict(intervention.trial)
    mechanism = [(c.name, c.weight, c.domains, c.access) for c in intervention.mechanism.components]
    plain = {
        "kind": intervention.kind, "domains": intervention.domains, "split": dict(intervention.split_weights),
        "scale": intervention.effect_scale, "who": repr(intervention.who), "mechanism": mechanism, "trial": trial,
    }  # fmt: skip
    return json.loads(json.dumps(plain, default=str))
