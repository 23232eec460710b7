"""What was found: indices of every outcome and year, and beside them a verdict, interactions, and when a plan fails."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from movesim.errors import InputError
from movesim.experiments.sensitivity.carry_out import Rows, values_of
from movesim.experiments.sensitivity.discover import discover
from movesim.experiments.sensitivity.emulator import fit, pairs
from movesim.experiments.sensitivity.factors import DUMMY, FITTED, SEED, Factor
from movesim.experiments.sensitivity.indices import indices
from movesim.experiments.sensitivity.outcomes import Outcome, series
from movesim.experiments.sensitivity.samples import Sample
from movesim.experiments.sensitivity.verdict import chance_share, judge, notes
from movesim.experiments.store import Study

if TYPE_CHECKING:
    from movesim.settings import SensitivitySettings

PAIRS = "interactions"
COLUMNS = [
    "outcome", "year", "method", "parameter", "group", "index", "value", "low", "high", "blocks", "floor", "told", "note",
]  # fmt: skip


def analysed(
    sample: Sample, rows: Rows, plan: Study, outcomes: Sequence[Outcome], factors: Sequence[Factor], settings: SensitivitySettings
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return the indices of every outcome (of every year kept) and what is said of them."""
    tables, told = [], {}
    for outcome in outcomes:
        years, y = series(plan.runs, rows.keys, outcome)
        for column, year in enumerate(years):
            tables.append(finish(indices(sample, y[:, column], rows.keys), sample, outcome, int(year), factors))
        at = int(np.flatnonzero(years == outcome.year)[0])
        values = values_of(rows, [f.name for f in factors if f.kind in ("number", FITTED, "switch")])
        told[outcome.name] = said_of(sample, y[:, at], tables[-len(years) + at], values, settings, outcome)
    return pd.concat(tables, ignore_index=True), {
        "rows": len(sample), "runs": len(set(rows.keys)), "n": sample.n, "blocks": sample.blocks, "outcomes": told,
    }  # fmt: skip


def finish(table: pd.DataFrame, sample: Sample, outcome: Outcome, year: int, factors: Sequence[Factor]) -> pd.DataFrame:
    """Return indices with outcome, year, method, group and notes beside them."""
    groups = {f.name: f.group for f in factors} | {SEED: SEED}
    table = table.assign(note=notes(table), outcome=outcome.name, year=year, method=sample.method)
    return table.assign(group=[groups.get(p, p) for p in table["parameter"]])[COLUMNS]


def said_of(
    sample: Sample, y: np.ndarray, table: pd.DataFrame, values: pd.DataFrame, settings: SensitivitySettings, outcome: Outcome
) -> dict[str, Any]:
    """Return the verdict, the share of chance, interactions by a surrogate, and the conditions under which a plan fails."""
    share = chance_share(table)
    told: dict[str, Any] = {
        "verdict": judge(sample, y, table).to_dict(), "chance": share, "mean": float(y.mean()), "sd": float(y.std()),
    }  # fmt: skip
    told["ends"] = ends(sample, y)
    try:
        surrogate = fit(sample, y, share[0] if share else 0.0)
        told["emulator"] = {
            "sentence": surrogate.sentence,
            "held_out": surrogate.held_out,
            "kind": surrogate.kind,
            "good": surrogate.good,
        }
        if surrogate.good and len(surrogate.names) > 1:
            told["pairs"] = pairs(surrogate).to_dict("records")
    except InputError as error:
        told["emulator"] = {"sentence": str(error), "good": False}
    if outcome.kind == "change" and outcome.measure != "level":
        try:
            found = discover(values, y, settings.fails_above)
            told["discovery"] = {"sentences": found.sentences, "boxes": [box.to_dict() for box in found.boxes]}
        except InputError as error:
            told["discovery"] = {"sentences": [str(error)], "boxes": []}
    return told


def ends(sample: Sample, y: np.ndarray) -> list[dict[str, Any]]:
    """Return the mean outcome over the runs in which a factor is in its lowest and in its highest quarter."""
    rows = []
    for name, u in zip(sample.names, sample.unit.T, strict=True):
        low, high = y[u < 0.25], y[u > 0.75]
        if name not in (DUMMY, SEED) and low.size and high.size:
            rows.append({"parameter": name, "low": float(low.mean()), "high": float(high.mean())})
    return rows


def interactions(analyses: dict[str, Any]) -> pd.DataFrame:
    """Return the indices of the surrogates as one table."""
    rows = [
        {"outcome": outcome, "method": method, **pair}
        for method, found in analyses.items() for outcome, told in found["outcomes"].items() for pair in told.get("pairs", ())
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["outcome", "method", "parameter", "other", "index", "value", "low", "high"])
