"""Sweeps: scenarios beside no change at every point of a design, and one tidy table with the numbers as columns."""

from __future__ import annotations

import os
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from movesim.behaviour.parameters import draw_number, fingerprint
from movesim.behaviour.rules import behaviour_ledger
from movesim.errors import InputError
from movesim.evidence import Ledger
from movesim.experiments.design import Design, make, unique_rows
from movesim.experiments.engines import engine_of
from movesim.experiments.keys import Keys, source_of
from movesim.experiments.replicate import BASELINE, OtherMake, Task, drift, run_scenarios
from movesim.experiments.runner import Job, Tally, do_missing
from movesim.experiments.store import Result, Study, save_table
from movesim.experiments.study import (
    Prepared,
    assumptions,
    dry_run,
    guards_of,
    manifest_of,
    planned,
    prepare,
    short,
    warm_up,
    with_all_numbers,
    write_down,
)  # fmt: skip
from movesim.outcomes.gaps import OUTCOMES, gaps
from movesim.settings import SweepSettings
from movesim.words import WEEKS_A_YEAR

if TYPE_CHECKING:
    import pyarrow as pa

TABLE, DESIGN = "sweep", "design.parquet"
CELL = ["age_group", "axis", "outcome", "measure", "level", "week"]
PLACEBO_EVERY = 50  # points; whether the whole machinery at dose 0 is no change is asked at every one in about so many
TOGETHER = 200  # runs that are written to the table at once


def sweep(settings: SweepSettings) -> Result:
    """Run scenarios beside no change at every point of a design, or go on with it, and return the result folder.

    Raises InputError for settings or a design that cannot be, MovesimError when a run fails (after all the others).
    """
    started = time.perf_counter()
    ready = prepare(settings)
    design = make(settings.design, settings.vary, settings.points, settings.design_seed, ledger_of(ready))
    check_values(design, ready)
    identity = {**ready.identity, "swept": list(design.paths), "design": _design_identity(settings), "work": source_of(__file__)}
    mark = fingerprint(identity)
    folder = settings.out or Path("outputs") / settings.command / f"{short(settings.place)}-{mark[:8]}"
    plan = Study(folder, mark, identity)
    points, replicate = joined(plan, design, settings.replicates)
    keys = Keys(ready.identity)
    made = [keys.key(int(r), points.numbers(i)) for i, r in enumerate(replicate)]
    mark_of_runs = fingerprint(made)
    if settings.dry_run:
        print(describe(design, settings))
        return dry_run(plan, ready, made, design.paths, len(design))
    if plan.tables_of() == mark_of_runs:
        return Result(folder, "already done")
    plan.start()
    if not settings.quiet:
        print(
            f"{describe(design, settings)} {planned(plan, ready, made, design.paths, len(design))}", file=sys.stderr, flush=True
        )
    save_design(plan.folder, points, replicate)
    warm_up()
    with closing(engine_of(settings)) as engine:
        tally = do_missing(
            plan.runs, point, jobs(ready, points, replicate, made), len(made), engine, quiet=settings.quiet,
            fail_fast=settings.fail_fast, limit=settings.seconds_a_run, fatal=(OtherMake,), shard=settings.part,
        )  # fmt: skip
    done = plan.runs.done()
    left = sum(key not in done for key in made)
    if left and (settings.part is not None or (tally.failed and settings.fail_fast)):
        tally.refuse_failures(plan.runs, "runs")
        return Result(folder, f"part {settings.shard} done, {left:,} pairs of other parts are not finished yet")
    put_together(plan, ready, points, replicate, made, done, tally, mark_of_runs, time.perf_counter() - started)
    tally.refuse_failures(plan.runs, "runs")
    return Result(folder, "done")


# --- the design -----------------------------------------------------------------------------------------------------
def ledger_of(ready: Prepared) -> Ledger:
    """Return every number that may be swept, by its dotted path."""
    behaviour = {f"behaviour.{path}": replace(p, path=f"behaviour.{path}") for path, p in behaviour_ledger().items()}
    scenarios = {path: p for s in ready.scenarios.values() for path, p in s.numbers.items()}
    shocks = {path: p for s in ready.shocks for path, p in s.numbers.items()}
    return Ledger({**behaviour, **scenarios, **shocks})


def check_values(design: Design, ready: Prepared) -> None:
    """Raise InputError for values that a number cannot have, or one that is swept and set by hand as well."""
    fixed = {**ready.settings.numbers, **{f"behaviour.{path}": v for path, v in ready.settings.behaviour.items()}}
    for column, path in enumerate(design.paths):
        if path in fixed:
            raise InputError(f"{path} is swept and set by hand ({fixed[path]:g}); do one of the two.")
        held = design.values[:, column]
        for value in (np.nanmin(held), np.nanmax(held)) if not path.startswith("behaviour.") and not np.isnan(held).all() else ():
            with_all_numbers(ready.scenarios, ready.shocks, {path: float(value)})


def _design_identity(settings: SweepSettings) -> list[Any]:
    """What makes a design another study: points may be added to all but to a Latin hypercube."""
    if settings.design == "sobol":
        return ["sobol", settings.design_seed, settings.vary]
    if settings.design == "lhs":
        return ["lhs", settings.design_seed, settings.points, settings.vary]
    return ["points"]


def joined(plan: Study, design: Design, replicates: int) -> tuple[Design, np.ndarray]:
    """Return the design and what the folder holds already as rows of point and replicate, each once, sorted."""
    table = np.column_stack([np.repeat(design.values, replicates, axis=0), np.tile(np.arange(replicates), len(design))])
    path = plan.folder / DESIGN
    if path.is_file():
        before = pd.read_parquet(path)
        if list(before.columns) == [*design.paths, "replicate"]:
            table = np.concatenate([table, before.to_numpy(float)])
    rows, _ = unique_rows(table)
    return Design(design.paths, rows[:, :-1]), rows[:, -1].astype(int)


def save_design(folder: Path, points: Design, replicate: np.ndarray) -> None:
    """Write which points and replicates the study is made of."""
    save_table(pd.DataFrame(points.values, columns=list(points.paths)).assign(replicate=replicate), folder / DESIGN)


def describe(design: Design, settings: SweepSettings) -> str:
    """Return the design in a sentence."""
    values = [np.unique(column[~np.isnan(column)]) for column in design.values.T]
    spans = [f"{p} {v[0]:g}" + (f" to {v[-1]:g} ({v.size} values)" if v.size > 1 else "") for p, v in zip(design.paths, values)]
    some = f"{len(design):,} {'point' if len(design) == 1 else 'points'}"
    return f"Sweep over {'; '.join(spans)}: {some}, {settings.replicates} pairs each."


def jobs(ready: Prepared, points: Design, replicate: np.ndarray, keys: list[str]) -> Iterator[Job]:
    """Yield every run of the design."""
    for row, key in enumerate(keys):
        numbers, seed = points.numbers(row), int(replicate[row])
        task = ready.task(seed, numbers, placebo=int(key[:8], 16) % PLACEBO_EVERY == 0)
        yield Job(key, task, {"replicate": seed, **numbers})


# --- a run ----------------------------------------------------------------------------------------------------------
def point(task: Task) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Run a pair at a point; return its outcomes, each beside what it is with no change, and its notes."""
    finished, guards, recorder = run_scenarios(task)
    named = {"draw": draw_number(task.draws, task.replicate), "replicate": task.replicate}
    yearly = []
    for name, run in finished.items():
        table = run.recorder.outcomes()
        keep = (table["window"] == WEEKS_A_YEAR) & ((table["week"] == task.years * WEEKS_A_YEAR) | task.every_year)
        yearly.append(table[keep].assign(scenario=name, **named))
    outcomes = pd.concat(yearly, ignore_index=True)
    parts = [gaps(outcomes).assign(level="")[["scenario", *CELL, "value"]]]
    for outcome in OUTCOMES:
        rows = outcomes[["scenario", "age_group", "axis", "level", "week"]]
        parts.append(rows.assign(outcome=outcome, measure="level", value=outcomes[outcome])[["scenario", *CELL, "value"]])
    residents = finished[BASELINE].residents
    for name, run in finished.items():
        spent = 0.0 if run.money is None else float(run.money["spent"].sum())
        row = {"scenario": name, "age_group": "all", "axis": "all", "outcome": "spent", "measure": "level", "level": "all"}
        parts.append(pd.DataFrame([{**row, "week": task.years * WEEKS_A_YEAR, "value": spent / task.years / residents}]))
    table = pd.concat(parts, ignore_index=True)
    base = table["scenario"] == BASELINE
    merged = table[~base].merge(table[base].drop(columns="scenario"), on=CELL, how="left", suffixes=("", "_baseline"))
    merged["change"] = merged.pop("value_baseline").rsub(merged["value"])
    return {TABLE: merged}, {"guards": guards, "drift": drift(recorder)}


# --- the tables -----------------------------------------------------------------------------------------------------
def put_together(
    plan: Study, ready: Prepared, points: Design, replicate: np.ndarray, keys: list[str], done: set[str], tally: Tally,
    mark: str, seconds: float,
) -> None:  # fmt: skip
    """Write the table of all finished runs in the order of the design, a few runs at a time, and then the manifest."""
    rows = [row for row, key in enumerate(keys) if key in done]
    write_table(plan, ready, points, replicate, keys, rows)
    scenarios = {s.name: s for s in ready.scenarios.values()}
    save_table(assumptions(ready.settings, scenarios, ready.shocks), plan.folder / "assumptions.parquet")
    guards = guards_of(plan.runs.notes(keys[row] for row in rows), strict=False)
    manifest = manifest_of(plan, ready, int(replicate.max(initial=0)) + 1, guards, pd.DataFrame(), seconds)
    several, _ = unique_rows(points.values)
    manifest |= {
        "swept": list(points.paths), "points": len(several), "runs": len(keys), "failed": len(keys) - len(rows),
        "runs_mark": mark if len(rows) == len(keys) else "",
    }  # fmt: skip
    write_down(plan.folder, ready.settings, manifest)


def write_table(plan: Study, ready: Prepared, points: Design, replicate: np.ndarray, keys: list[str], rows: list[int]) -> None:
    """Write sweep.parquet: point, draw, replicate and the swept numbers beside every outcome of every run."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    _, number = unique_rows(points.values)
    target = plan.folder / f"{TABLE}.parquet"
    half = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}")
    writer: pq.ParquetWriter | None = None
    try:
        for first in range(0, len(rows), TOGETHER):
            some = rows[first : first + TOGETHER]
            tables: list[pa.Table] = [t for _, t in plan.runs.each(TABLE, (keys[row] for row in some))]
            length = [t.num_rows for t in tables]
            head = {
                "point": pa.array(np.repeat(number[some], length)),
                "draw": pa.array(np.repeat([draw_number(ready.settings.draws, int(replicate[row])) for row in some], length)),
                "replicate": pa.array(np.repeat(replicate[some], length)),
                **{p: pa.array(np.repeat(points.values[some, j], length)) for j, p in enumerate(points.paths)},
            }
            body = pa.concat_tables(tables).combine_chunks()
            whole = pa.table({**head, **{name: body[name] for name in body.column_names}})
            if writer is None:
                writer = pq.ParquetWriter(half, whole.schema, compression="zstd")
            writer.write_table(whole, row_group_size=len(whole) or None)
        if writer is not None:
            writer.close()
            os.replace(half, target)
    finally:
        half.unlink(missing_ok=True)
