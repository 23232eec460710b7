"""The charts of the report. Each takes the facts of a result and returns a chart, or a sentence that says why there is none.

A chart unpacks as `figure, alt, data = chart`.
"""

from movesim.report.figures.choice import safest
from movesim.report.figures.fit import fit
from movesim.report.figures.gap import gap_over_time
from movesim.report.figures.gradient import gradient
from movesim.report.figures.groups import groups
from movesim.report.figures.lasting import lasting
from movesim.report.figures.money import cost
from movesim.report.figures.place import where
from movesim.report.figures.ratio import equity_ladder
from movesim.report.figures.reach import reach
from movesim.report.figures.steps import ladder_steps
from movesim.report.figures.together import together
from movesim.report.figures.winners import gross

CHARTS = {
    "gap-over-time": gap_over_time,
    "gradient": gradient,
    "groups": groups,
    "gains-and-losses": gross,
    "gap-and-ratio": equity_ladder,
    "where": where,
    "ranks-and-regret": safest,
    "cost": cost,
    "lasting": lasting,
    "reach": reach,
    "ladder-steps": ladder_steps,
    "together": together,
    "fit": fit,
}

__all__ = [
    "CHARTS",
    "cost",
    "equity_ladder",
    "fit",
    "gap_over_time",
    "gradient",
    "gross",
    "groups",
    "ladder_steps",
    "lasting",
    "reach",
    "safest",
    "together",
    "where",
]
