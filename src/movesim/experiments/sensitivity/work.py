"""One run of a sensitivity analysis: a scenario beside no change at one row of the design, on one seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from movesim.behaviour.parameters import ensemble
from movesim.experiments.replicate import BASELINE, Past, Task, begin, decisions, drift, run_scenarios
from movesim.experiments.sensitivity.factors import FITTED, SWITCHES
from movesim.experiments.sensitivity.outcomes import TABLE
from movesim.experiments.study import Prepared
from movesim.outcomes.gaps import OUTCOMES, gaps
from movesim.words import WEEKS_A_YEAR

CELL = ["age_group", "axis", "outcome", "measure", "level"]
PLACEBO_EVERY = 50  # runs; at about one in so many the whole machinery at dose 0 is asked to be no change
_PASTS: dict[str, Past] = {}  # of this process; rows that differ in the scenario alone share one


@dataclass(frozen=True)
class Point:
    """A row of the design as a worker needs it; `yearly` names the axes of which every year is kept."""

    task: Task
    yearly: tuple[str, ...]


def point_of(ready: Prepared, seed: int, numbers: Mapping[str, float], key: str, yearly: Sequence[str]) -> Point:
    """Return a row of the design: a seed, and values by name, of numbers, of the ensemble's row and of switches."""
    plain = {name: value for name, value in numbers.items() if name != FITTED and name not in SWITCHES}
    task = ready.task(seed, plain, placebo=int(key[:8], 16) % PLACEBO_EVERY == 0)
    row = ensemble()[1][int(numbers[FITTED])] if FITTED in numbers else {}
    switched: dict[str, Any] = {name: bool(numbers[name]) for name in SWITCHES if name in numbers}
    # a row of the ensemble stands in the place of central values, so that the seed and the row are apart
    return Point(replace(task, draws="central", behaviour={**row, **task.behaviour}, **switched), tuple(yearly))


def run_point(point: Point) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Run a row of the design; return every gap and level of the last year, and of each year for some axes, and its notes."""
    task = point.task
    finished, guards, recorder = run_scenarios(task, _past(task))
    last = task.years * WEEKS_A_YEAR
    frames = []
    for name, run in finished.items():
        table = run.recorder.outcomes()
        keep = (table["window"] == WEEKS_A_YEAR) & (table["week"] > 0)
        keep &= (table["week"] == last) | table["axis"].isin(point.yearly)
        frames.append(table[keep].assign(scenario=name, draw=0, replicate=0))
    outcomes = pd.concat(frames, ignore_index=True)
    parts = [gaps(outcomes).assign(level="")[["scenario", *CELL, "week", "value"]]]
    for outcome in OUTCOMES:
        rows = outcomes[["scenario", "age_group", "axis", "level", "week"]]
        parts.append(rows.assign(outcome=outcome, measure="level", value=outcomes[outcome]))
    residents = finished[BASELINE].residents
    for name, run in finished.items():
        spent = 0.0 if run.money is None else float(run.money["spent"].sum()) / task.years / residents
        cell = dict(zip(CELL, ("all", "all", "spent", "level", "all"), strict=True))
        parts.append(pd.DataFrame([{"scenario": name, **cell, "week": last, "value": spent}]))
    table = pd.concat(parts, ignore_index=True)
    base = table["scenario"] == BASELINE
    both = table[~base].merge(table[base].drop(columns="scenario"), on=[*CELL, "week"], suffixes=("", "_baseline"))
    both = both.rename(columns={"value_baseline": "baseline"})[[*CELL, "week", "value", "baseline"]]
    return {TABLE: both.astype(dict.fromkeys(CELL, "category"))}, {"guards": guards, "drift": drift(recorder)}


def _past(task: Task) -> Past:
    """Return what the scenario's run shares with others, kept from the last row where that is the same."""
    baseline = next(s for s in task.read if s.name == BASELINE)
    numbers = list(baseline.numbers.values())
    if not baseline.interventions:  # then no change reads its trend alone
        numbers = [baseline.numbers[path] for path in baseline.trend_paths.values()]
    key = repr(replace(task, read=())) + repr(sorted((p.path, p.value) for p in numbers))
    if key not in _PASTS:
        _PASTS.clear()  # one at a time: it holds all people
        _PASTS[key] = begin(task, baseline, decisions(task.read))
    return _PASTS[key]
