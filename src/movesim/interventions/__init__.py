"""Interventions: scenarios as data, who is reached, what it moves, what it costs."""

from movesim.interventions.delivery import Delivery
from movesim.interventions.describe import describe
from movesim.interventions.files import list_scenarios, load_scenario
from movesim.interventions.ladder import (
    Ratio,
    solve_level,
    solve_levels,
    solve_multiplier,
    solve_ratio,
    step_probability,
)  # fmt: skip
from movesim.interventions.mechanism import Mechanism, Solved, with_strength
from movesim.interventions.scenario import Intervention, Scenario
from movesim.interventions.solving import levels_of, ratio_of, solved_of
from movesim.interventions.targeting import matches

__all__ = [
    "Delivery", "Intervention", "Mechanism", "Ratio", "Scenario", "Solved", "describe", "levels_of", "list_scenarios",
    "load_scenario", "matches", "ratio_of", "solve_level", "solve_levels", "solve_multiplier", "solve_ratio", "solved_of",
    "step_probability", "with_strength",
]  # fmt: skip
