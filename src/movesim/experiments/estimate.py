"""How long many runs will take, before they run: from a few weeks of the very people, and counts of what will be asked."""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import TYPE_CHECKING

from movesim.behaviour.parameters import REFERENCE_PEOPLE, ensemble
from movesim.behaviour.rules import References, behaviour_ledger, make_rules
from movesim.behaviour.simulation import Simulation
from movesim.interventions.bench import TRIAL_PEOPLE
from movesim.words import BURN_IN_WEEKS, WEEKS_A_YEAR

if TYPE_CHECKING:
    from movesim.experiments.study import Prepared

COUNTING = 1.25  # counting and turns of the year on top of the weeks themselves
TABLES = 0.2  # seconds a scenario for its tables
ARMS = 12  # runs of a study until its effect, and what lasts of it, is met


def seconds_a_week(ready: Prepared) -> float:
    """Return how long a week of the study's people takes here."""
    simulation = Simulation(ready.population, make_rules(behaviour_ledger().central()), References.first_guess())
    simulation.step()
    started = time.perf_counter()
    for _ in range(4):
        simulation.step()
    return (time.perf_counter() - started) / 4


def seconds_a_pair(ready: Prepared, week: float) -> float:
    """Return about how long a pair (no change and every scenario) takes in one process."""
    weeks = BURN_IN_WEEKS + len(ready.scenarios) * ready.settings.years * WEEKS_A_YEAR
    return weeks * week * COUNTING + TABLES * len(ready.scenarios)


def seconds_of_studies(ready: Prepared, week: float, swept: Collection[str], points: int) -> float:
    """Return about how long re-running the studies takes where none of it is kept from before.

    Arguments: week, of the study's people; swept, the paths of a design, and its points (1 without a design).
    """
    draws = 1 if ready.settings.draws == "central" else min(ready.settings.replicates, len(ensemble()[1]))
    person = week / max(1, len(ready.population))
    total = 0.0
    model_swept = any(path.startswith("behaviour.") for path in swept)
    for scenario in ready.scenarios.values():
        central = scenario.ledger().central()
        for each in scenario.interventions:
            again = points if model_swept or set(each.study_values(central)) & set(swept) else 1
            weeks = each.trial.follow_up_weeks + max((f.after_weeks for f in each.trial.also_predicts), default=0)
            total += draws * again * ARMS * weeks * TRIAL_PEOPLE * person
    settled = BURN_IN_WEEKS * (TRIAL_PEOPLE + REFERENCE_PEOPLE) * person
    return (total + draws * (points if model_swept else 1) * settled) * COUNTING
