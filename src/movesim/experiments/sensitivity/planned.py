"""What a sensitivity analysis will do before it does it: sizes, what rows share, how many runs, about how long."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from movesim.behaviour.parameters import ensemble
from movesim.config import shown
from movesim.experiments.estimate import seconds_a_pair, seconds_a_week, seconds_of_studies
from movesim.experiments.keys import Keys
from movesim.experiments.runner import in_words
from movesim.experiments.sensitivity.carry_out import Rows, rows_of_sample
from movesim.experiments.sensitivity.factors import FITTED, Factor
from movesim.experiments.sensitivity.samples import make
from movesim.experiments.store import Study
from movesim.experiments.study import Prepared, warm_up

if TYPE_CHECKING:
    from movesim.settings import SensitivitySettings


def sizes(settings: SensitivitySettings, method: str) -> tuple[int, int]:
    """Return the base size of a block and the number of blocks of a method."""
    return (1, settings.trajectories) if method == "morris" else (settings.n, settings.scrambles)


def shared(factors: Sequence[Factor]) -> list[str]:
    """Return the factors that move the run of no change too: rows that agree in them share settling and that run."""
    return [
        f.name for f in factors if f.name.startswith(("behaviour.", "scenarios.baseline.trend.")) or f.kind in (FITTED, "switch")
    ]


def planned(
    settings: SensitivitySettings, ready: Prepared, plan: Study, factors: Sequence[Factor], methods: Sequence[str], keys: Keys
) -> str:
    """Return how many runs there are and about how long they take, in a few sentences."""
    warm_up()
    week, done, told = seconds_a_week(ready), plan.runs.done(), []
    for method in methods:
        some = tuple(factors)
        if method == "sobol" and settings.method == "auto":
            some = (*factors[:-1][: settings.most], factors[-1])
        sample = make(method, some, *sizes(settings, method), settings.design_seed, settings.groups)
        rows = rows_of_sample(sample, some, keys)
        missing = {key: k for k, key in enumerate(rows.keys) if key not in done}
        seconds = seconds_a_pair(ready, week) * len(missing) / max(1, settings.workers)
        seconds += again(ready, rows, list(missing.values()), week) / max(1, settings.workers)
        most = f"the {settings.most} most" if len(some) != len(factors) else f"{len(factors) - 1}"
        told.append(
            f"{method} of {most} factors: {len(set(rows.keys)):,} different runs of {len(ready.population):,} people over "
            f"{settings.years} years, {len(missing):,} to do, about {in_words(seconds)} with {max(1, settings.workers)} at a time"
        )
    return f"Sensitivity of {settings.scenario}: {'; then '.join(told)}. Results go to {shown(plan.folder)}"


def again(ready: Prepared, rows: Rows, missing: Sequence[int], week: float) -> float:
    """Return about how many seconds re-running the interventions' studies takes: once for every different set of numbers."""
    model, study = set(), set()
    path_of = {p for s in ready.scenarios.values() for i in s.interventions for p in i.study_values(s.ledger().central())}
    for k in missing:
        numbers = rows.numbers[k]
        mine = tuple((n, v) for n, v in sorted(numbers.items()) if n.startswith("behaviour.") or n == FITTED)
        model.add(mine)
        study.add((mine, tuple((n, v) for n, v in sorted(numbers.items()) if n in path_of)))
    once = seconds_of_studies(ready, week, (), 1) / max(1, min(ready.settings.replicates, len(ensemble()[1])))
    return once * max(len(study), len(model)) / 2  # half: what is settled for a draw is used for all of its studies
