"""Published figures the model is fitted to or checked against, and how each is measured in a run of place=england.

Estimators: `share` of an outcome among the named levels of an axis; `no_minutes`, adults with none in four weeks;
`percentile` of adults' weekly minutes; `odds_ratio` of an outcome, first against last level of an axis (or `level` against
`against`); `odds_against_all` of an age group; `twice_in_four_weeks`, the expected share of adults with at least two sessions
of a domain in four weeks, from each adult's chance of a week with it and mean further sessions; `travel_share` of minutes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from movesim.behaviour.rules import Rules
from movesim.behaviour.simulation import Simulation, reference_run
from movesim.config import conf_folder, load_yaml
from movesim.errors import one_of
from movesim.outcomes.record import RECORDS_A_YEAR, Recorder
from movesim.words import AXIS, DOMAIN, RECORD_EVERY, WEEKS_A_YEAR

if TYPE_CHECKING:
    import pandas as pd

    from movesim.place.population import Population

ESTIMATORS = ("share", "no_minutes", "percentile", "odds_ratio", "odds_against_all", "twice_in_four_weeks", "travel_share")
_KEYS = {
    "estimator", "value", "spread", "need", "ids", "status", "role", "meaning", "age_group", "axis", "level", "against",
    "outcome", "percentile", "domain",
}  # fmt: skip
# Two fifths of cycling are taken to be travel: 3.17 of 4.95 + 3.17 million twice-a-month cyclists (T005, T006).
TRAVEL_OF_CYCLING = 0.4


@dataclass(frozen=True)
class Target:
    """A published figure: how it is measured, its value, its spread (one sd), how far off is a miss, and its role."""

    name: str
    estimator: str
    value: float
    spread: float
    need: float
    role: str
    meaning: str
    ids: tuple[str, ...]
    status: str
    query: Mapping[str, Any]


def read_targets() -> tuple[Target, ...]:
    """Return the targets in conf/calibration/targets.yaml; raise InputError naming file, line and key of a wrong one."""
    document = load_yaml(conf_folder() / "calibration" / "targets.yaml")
    found = []
    for name, row in document.data.items():
        unknown = set(row) - _KEYS
        if unknown:
            raise document.error((name, min(unknown)), f"a target has no key '{min(unknown)}'.", key=True)
        if row["estimator"] not in ESTIMATORS:
            raise document.error((name, "estimator"), f"the estimator must be {one_of(ESTIMATORS)}, got '{row['estimator']}'.")
        if row["role"] not in ("fit", "held_out"):
            raise document.error((name, "role"), f"the role must be fit or held_out, got '{row['role']}'.")
        query = {k: row[k] for k in ("age_group", "axis", "level", "against", "outcome", "percentile", "domain") if k in row}
        found.append(
            Target(
                name, row["estimator"], float(row["value"]), float(row["spread"]), float(row["need"]), row["role"],
                row["meaning"], tuple(row.get("ids", ())), row["status"], query,
            )
        )  # fmt: skip
    return tuple(found)


def measure(population: Population, rules: Rules, targets: tuple[Target, ...], seed: int = 1) -> np.ndarray:
    """Run place=england to the end of its burn-in with its own references and return the value of every target."""
    simulation = reference_run(population, rules, seed)
    recorder, adults = Recorder(simulation.people.local_authorities), []

    def each_week(run: Simulation) -> None:
        if run.week == -WEEKS_A_YEAR:
            run.people.domain_minutes[:] = 0
        elif run.week > -WEEKS_A_YEAR and run.week % RECORD_EVERY == 0:
            recorder.record(run.people, run.week)
            if run.week > -4 * RECORD_EVERY:
                adults.append(run.people.mean[: run.people.n][run.people.age >= 16].copy())

    simulation.run(-simulation.week, each_week)
    table = _grouped(recorder)
    minutes = np.concatenate(adults)
    weight = np.tile(simulation.people.weight[simulation.people.age >= 16], len(adults))
    return np.array([_estimate(t, table, minutes, weight, simulation) for t in targets])


def _grouped(recorder: Recorder) -> pd.DataFrame:
    frame = recorder.outcomes()
    frame = frame[frame["window"] == RECORD_EVERY * RECORDS_A_YEAR]
    return frame.set_index(["age_group", "axis", "level"]).sort_index()


def _estimate(target: Target, table: pd.DataFrame, minutes: np.ndarray, weight: np.ndarray, simulation: Simulation) -> float:
    q = target.query
    group, axis, outcome = q.get("age_group", "adult"), q.get("axis", "all"), q.get("outcome", "inactive")
    if target.estimator == "share":
        return _share(table, group, axis, q.get("level"), outcome)
    if target.estimator == "no_minutes":
        return float(weight[minutes == 0].sum() / weight.sum())
    if target.estimator == "percentile":
        order = np.argsort(minutes)
        at = np.cumsum(weight[order]) / weight.sum()
        return float(minutes[order][np.searchsorted(at, q["percentile"] / 100)])
    if target.estimator == "odds_ratio":
        first, last = q.get("level", AXIS[axis].levels[:1]), q.get("against", AXIS[axis].levels[-1:])
        return _odds(_share(table, group, axis, first, outcome)) / _odds(_share(table, group, axis, last, outcome))
    if target.estimator == "odds_against_all":
        return _odds(_share(table, group, axis, q["level"], outcome)) / _odds(_share(table, group, "all", None, outcome))
    if target.estimator == "travel_share":
        row = table.loc[(group, "all", "all")]
        parts = [row[f"minutes_{name}"] for name in ("leisure_walk", "travel_walk", "cycle", "sport")]
        return float((parts[1] + TRAVEL_OF_CYCLING * parts[2]) / sum(parts))
    return _twice(simulation, DOMAIN[q["domain"]])


def _share(table: pd.DataFrame, group: str, axis: str, level: list | None, outcome: str) -> float:
    rows = table.loc[(group, axis)]
    if level is not None:
        rows = rows.loc[[str(x) for x in level]]
    return float((rows[outcome] * rows["residents"]).sum() / rows["residents"].sum())


def _odds(share: float) -> float:
    share = min(max(share, 1e-6), 1 - 1e-6)
    return share / (1 - share)


def _twice(simulation: Simulation, domain: int) -> float:
    people = simulation.people
    adult = people.age >= 16
    p = np.exp(simulation.readiness((domain,)).astype(np.float64))[adult]
    once = 4 * p * (1 - p) ** 3 * np.exp(-simulation.rules[f"domains.{list(DOMAIN)[domain]}.sessions"])
    return float(np.average(1 - (1 - p) ** 4 - once, weights=people.weight[adult]))


def describe(targets: tuple[Target, ...], values: np.ndarray) -> list[dict[str, Any]]:
    """Return one row a target: what it is, the published value, the fitted one, and whether it is within what is needed."""
    return [
        {
            "name": t.name, "meaning": t.meaning, "role": t.role, "target": t.value, "low": t.value - t.need,
            "high": t.value + t.need, "fitted": float(v), "within": bool(abs(v - t.value) <= t.need), "ids": list(t.ids),
            "status": t.status,
        }
        for t, v in zip(targets, values, strict=True)
    ]  # fmt: skip
