"""Reading a result folder: the tables, the manifest and the settings, refused in a sentence when something is missing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from movesim import words
from movesim.errors import InputError, one_of

ENOUGH_PAIRS = 20  # fewer paired runs than this: no interval is printed or drawn
ENOUGH_AGENTS = 100  # a group with fewer simulated people than this is not shown
COLUMNS: dict[str, tuple[str, ...]] = {
    "outcomes": (
        "scenario", "draw", "replicate", "week", "window", "age_group", "axis", "level", "agents", "residents",
        "inactive", "fairly_active", "active", "minutes",
    ),
    "gaps": ("scenario", "draw", "replicate", "week", "window", "age_group", "axis", "outcome", "measure", "value"),
    "money": ("scenario", "draw", "replicate", "year", "intervention", "payer", "spent", "delivered", "undelivered", "unit"),
    "comparison": (
        "scenario", "age_group", "axis", "outcome", "measure", "level", "week", "window", "baseline", "difference",
        "mean_difference", "low", "high", "low50", "high50", "mc_error", "probability", "pairs",
    ),
    "winners": (
        "scenario", "draw", "replicate", "week", "age_group", "axis", "level", "residents", "newly_active",
        "no_longer_active", "newly_not_inactive", "newly_inactive",
    ),
    "contributions": (
        "scenario", "draw", "replicate", "week", "local_authority", "residents", "fewer_inactive", "gap_contribution",
    ),
    "ladder": (
        "scenario", "draw", "intervention", "step", "fifth", "reached", "endogenous_ratio", "residual_ratio", "total_ratio",
    ),
    "assumptions": (
        "path", "meaning", "value", "low", "high", "distribution", "unit", "status", "grade", "source", "ids", "used_by",
    ),
}  # fmt: skip
# Tables that a result has where they were asked for, or was written since they are made.
MORE: dict[str, tuple[str, ...]] = {
    "break_even": (
        "scenario", "active_adult", "active_child", "discount", "delivery_years", "seen_years", "cost", "years_to_keep",
        "half_life_needed", "half_life_shown", "paid_back", "pounds_per_active_year",
    ),
    "interactions": (
        "scenario", "age_group", "axis", "outcome", "measure", "week", "window", "sum_of_parts", "together", "difference", "low",
        "high", "mc_error", "pairs", "words",
    ),
    "ladder_shares": (
        "scenario", "age_group", "axis", "outcome", "measure", "week", "window", "step", "share", "low", "high", "mc_error",
        "pairs",
    ),
    "rules": (
        "scenario", "draw", "replicate", "rule", "intervention", "outcome", "estimate", "standard_error", "truth", "worth_having",
        "action", "pounds_moved",
    ),
    "ladder_steps": ("scenario", "intervention", "step", "step_endogenous", "step_residual"),
}  # fmt: skip
MANIFEST_KEYS = (
    "movesim", "command", "command_line", "created", "seed", "draws", "replicates", "years", "start_year", "place",
    "scenarios", "guards", "fit", "fingerprint", "warnings",
)  # fmt: skip
HEADLINE_AXIS = words.HEADLINE[1]


class Change(NamedTuple):
    """A paired difference from no change: shares are in points, minutes in minutes, ratios as they are."""

    baseline: float
    difference: float
    mean: float
    low: float
    high: float
    low50: float
    high50: float
    mc_error: float
    probability: float
    pairs: int

    @property
    def ranged(self) -> bool:
        """Whether there are enough paired runs to show a range."""
        return self.pairs >= ENOUGH_PAIRS


@dataclass(frozen=True)
class Result:
    """A result folder in memory: its tables (the yearly, 52-week rows), its manifest and its settings."""

    folder: Path
    manifest: dict[str, Any]
    tables: dict[str, pd.DataFrame]
    settings: str
    _changes: dict[tuple, Change] = field(repr=False, default_factory=dict)

    @property
    def baseline(self) -> dict[str, Any]:
        """The scenario "no change"."""
        return self.manifest["scenarios"][0]

    @property
    def options(self) -> list[dict[str, Any]]:
        """The scenarios that are compared with no change, in the order of the manifest."""
        return self.manifest["scenarios"][1:]

    @property
    def last_week(self) -> int:
        """The last week of the run."""
        return int(self.manifest["years"]) * words.WEEKS_A_YEAR

    def year_of(self, week: int) -> int:
        """Return the calendar year that a 52-week record ending at this week covers."""
        return int(self.manifest["start_year"]) - 1 + int(week) // words.WEEKS_A_YEAR

    def weeks(self) -> Iterator[int]:
        """Return the ends of the yearly records, from the year before the start."""
        return iter(range(0, self.last_week + 1, words.WEEKS_A_YEAR))

    @cached_property
    def small_groups(self) -> set[tuple[str, str, str]]:
        """(age_group, axis, level) of the groups that have under 100 simulated people in the last year."""
        rows = self.tables["outcomes"]
        rows = rows[rows["week"] == self.last_week]
        agents = rows.groupby(["age_group", "axis", "level"])["agents"].min()
        return set(agents[agents < ENOUGH_AGENTS].index)

    def change(
        self, scenario: str, outcome: str, measure: str, axis: str = HEADLINE_AXIS, age_group: str = "adult",
        level: str = "", week: int | None = None,
    ) -> Change | None:  # fmt: skip
        """Return the paired difference of one option from no change, or None when the table has no such row."""
        key = (scenario, age_group, axis, outcome, measure, level, self.last_week if week is None else week)
        return self._changes.get(key)

    def gap_change(self, scenario: str, measure: str = "sii", week: int | None = None) -> Change:
        """Return the change of the headline gap (adults, inactive, deprivation tenths); refuse when it is not there."""
        found = self.change(scenario, "inactive", measure, week=week)
        if found is None:
            at = self.last_week if week is None else week
            raise InputError(
                f"{self.folder / 'comparison.parquet'}: no row for scenario '{scenario}', adult, {HEADLINE_AXIS}, inactive, "
                f"{measure}, week {at}, window 52; run the study again so that the table is complete."
            )
        return found


def _scale(outcome: str, measure: str) -> float:
    shares = outcome != "minutes" and measure in ("level", "absolute", "sii", "mean_deviation", "erreygers")
    return 100.0 if shares else 1.0


def _changes_of(comparison: pd.DataFrame) -> dict[tuple, Change]:
    changes = {}
    for row in comparison.itertuples(index=False):
        by = _scale(row.outcome, row.measure)
        key = (row.scenario, row.age_group, row.axis, row.outcome, row.measure, row.level or "", int(row.week))
        changes[key] = Change(
            baseline=by * row.baseline, difference=by * row.difference, mean=by * row.mean_difference, low=by * row.low,
            high=by * row.high, low50=by * row.low50, high50=by * row.high50, mc_error=by * row.mc_error,
            probability=float(row.probability), pairs=int(row.pairs),
        )  # fmt: skip
    return changes


def _read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / "manifest.json"
    if not path.is_file():
        raise InputError(f"{path}: not found; a result folder holds a manifest.json that `movesim run` or `compare` wrote.")
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as fault:
        raise InputError(f"{path}:{fault.lineno}: this is not valid JSON; run the study again or restore the file.") from None
    missing = [key for key in MANIFEST_KEYS if key not in manifest]
    if missing:
        raise InputError(f"{path}: lacks {one_of(missing)}; it was written by another version of movesim, run the study again.")
    if len(manifest["scenarios"]) < 2:
        raise InputError(
            f"{path}: lists {len(manifest['scenarios'])} scenario(s); a report needs no change first and at least one option."
        )
    return manifest


def _read_table(folder: Path, name: str) -> pd.DataFrame:
    path = folder / f"{name}.parquet"
    if not path.is_file():
        raise InputError(f"{path}: not found; the report needs the table '{name}', run the study again to complete the folder.")
    columns = list((COLUMNS | MORE)[name])
    import pyarrow.parquet as parquet

    there = parquet.read_schema(path).names
    missing = [column for column in columns if column not in there]
    if missing:
        raise InputError(f"{path}: lacks the column {one_of(missing)}; the table '{name}' must hold {', '.join(columns)}.")
    filters = [("window", "=", words.WEEKS_A_YEAR)] if "window" in columns else None
    return pd.read_parquet(path, columns=columns, filters=filters)


def read_result(folder: Path | str) -> Result:
    """Read a result folder: every table of the contract, the manifest and the settings.

    folder: the folder that `movesim run` or `movesim compare` wrote.
    Raises InputError with the path when the folder, a table, a column or a key of the manifest is missing.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; give the result folder that `movesim run` or `movesim compare` wrote.")
    manifest = _read_manifest(folder)
    there = [name for name in MORE if (folder / f"{name}.parquet").is_file()]
    tables = {name: _read_table(folder, name) for name in (*COLUMNS, *there)}
    settings = folder / "config.yaml"
    if not settings.is_file():
        raise InputError(f"{settings}: not found; the report prints the settings of the run, restore the file or run again.")
    return Result(folder, manifest, tables, settings.read_text(encoding="utf-8"), _changes_of(tables["comparison"]))
