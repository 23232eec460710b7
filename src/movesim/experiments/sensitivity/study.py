"""`movesim sensitivity` from settings to tables: factors, designs, runs, indices, and what is said of them."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from movesim.behaviour.parameters import ensemble, fingerprint
from movesim.errors import InputError
from movesim.experiments.engines import engine_of
from movesim.experiments.keys import Keys, source_of
from movesim.experiments.replicate import OtherMake
from movesim.experiments.sensitivity import samples, work
from movesim.experiments.sensitivity.carry_out import rows_of_sample, run_rows
from movesim.experiments.sensitivity.factors import DUMMY, Factor, factors_of
from movesim.experiments.sensitivity.given import from_sweep
from movesim.experiments.sensitivity.indices import indices
from movesim.experiments.sensitivity.outcomes import Outcome, read_outcome
from movesim.experiments.sensitivity.planned import planned, shared, sizes
from movesim.experiments.sensitivity.samples import make
from movesim.experiments.sensitivity.told import PAIRS, analysed, finish, interactions, said_of
from movesim.experiments.sensitivity.verdict import survivors
from movesim.experiments.store import MANIFEST, Result, Study, load, save_table
from movesim.experiments.study import Prepared, assumptions, guards_of, manifest_of, prepare, short, warm_up, write_down
from movesim.experiments.sweep import ledger_of

if TYPE_CHECKING:
    from movesim.settings import SensitivitySettings

TABLE = "sensitivity"


def sensitivity(settings: SensitivitySettings) -> Result:
    """Work out which assumptions decide an outcome, doing the runs that are missing, and return the result folder.

    Raises InputError for settings that cannot be, MovesimError when a run fails or an outcome cannot be analysed.
    """
    return _of_sweep(settings) if settings.given is not None else _of_model(settings)


def _of_model(settings: SensitivitySettings) -> Result:
    started = time.perf_counter()
    ready = prepare(settings)
    outcomes = [read_outcome(name, settings.years) for name in settings.outcomes]
    check_kept(outcomes, settings)
    ledger = ledger_of(ready)
    factors = factors_of(settings.factors, ledger, len(ensemble()[1]) if settings.draws == "fitted" else 0, fixed_of(settings))
    methods = ("morris", "sobol") if settings.method == "auto" else (settings.method,)
    for method in methods:
        samples.check_sizes(method, *sizes(settings, method), settings.groups)
    identity = {**ready.identity, "work": source_of(work.__file__)}
    mark = fingerprint(identity)
    folder = settings.out or Path("outputs") / settings.command / f"{short(settings.place)}-{mark[:8]}"
    plan, keys = Study(folder, mark, identity), Keys(identity)
    if settings.dry_run:
        print(planned(settings, ready, plan, factors, methods, keys))
        return Result(folder, "planned")
    asked = fingerprint([
        [[m, *sizes(settings, m)] for m in methods], settings.outcomes, [f.name for f in factors], settings.groups, settings.most,
        settings.fails_above, settings.design_seed,
    ])  # fmt: skip
    if _last(folder).get("asked") == asked:
        return Result(folder, "already done")
    if not settings.quiet:
        print(planned(settings, ready, plan, factors, methods, keys), file=sys.stderr, flush=True)
    plan.start()
    warm_up()
    analyses: dict[str, Any] = {}
    tables: list[pd.DataFrame] = []
    every: list[str] = []
    with closing(engine_of(settings)) as engine:
        for method in methods:
            if method == "sobol" and settings.method == "auto":
                factors = _kept(factors, tables[-1], settings, analyses)
                if len(factors) < 3:  # the dummy is one
                    break
            sample = make(method, factors, *sizes(settings, method), settings.design_seed, settings.groups)
            rows = rows_of_sample(sample, factors, keys)
            tally = run_rows(
                plan.runs, rows, work.run_point,
                lambda seed, numbers, key: work.point_of(ready, seed, numbers, key, settings.yearly), engine, shared(factors),
                quiet=settings.quiet, fail_fast=settings.fail_fast, limit=settings.seconds_a_run,
                fatal=(OtherMake,), shard=settings.part,
            )  # fmt: skip
            tally.refuse_failures(plan.runs, "runs")
            left = len(set(rows.keys) - plan.runs.done())
            if left:
                return Result(folder, f"part {settings.shard} done, {left:,} runs of other parts are not finished yet")
            every += rows.keys
            save_table(rows.frame(sample), folder / f"design-{method}.parquet")
            table, analyses[method] = analysed(sample, rows, plan, outcomes, factors, settings)
            tables.append(table)
    _write(plan, ready, tables, analyses, factors, dict.fromkeys(every), asked, time.perf_counter() - started)
    return Result(folder, "done")


# --- the design -------------------------------------------------------------------------------------------------------
def fixed_of(settings: SensitivitySettings) -> dict[str, float]:
    """Return the numbers set by hand, by dotted path."""
    return {**settings.numbers, **{f"behaviour.{path}": value for path, value in settings.behaviour.items()}}


def check_kept(outcomes: Sequence[Outcome], settings: SensitivitySettings) -> None:
    """Raise InputError for an outcome of a year that is not kept."""
    for outcome in outcomes:
        if outcome.year != settings.years and outcome.axis not in settings.yearly:
            raise InputError(
                f"outcomes: '{outcome.name}' asks for a year before the last, which is kept for {', '.join(settings.yearly)} "
                f"alone; add {outcome.axis} to yearly=."
            )


def _kept(
    factors: tuple[Factor, ...], screened: pd.DataFrame, settings: SensitivitySettings, analyses: dict[str, Any]
) -> tuple[Factor, ...]:
    """Return the factors that the screening kept for any outcome, and note which were left at their central values."""
    names: set[str] = set()
    last = screened[screened["year"] == screened.groupby("outcome")["year"].transform("max")]
    for _, rows in last.groupby("outcome"):
        names.update(survivors(rows, settings.most))
    column = "group" if settings.groups else "name"
    kept = tuple(f for f in factors if getattr(f, column) in names or f.kind == DUMMY)
    analyses["morris"]["kept"] = sorted(f.name for f in kept if f.kind != DUMMY)
    analyses["morris"]["dropped"] = sorted(f.name for f in factors if f not in kept)
    return kept


# --- what is written --------------------------------------------------------------------------------------------------
def _last(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _write(
    plan: Study, ready: Prepared, tables: Sequence[pd.DataFrame], analyses: dict[str, Any], factors: Sequence[Factor],
    every: Sequence[str] | dict[str, None], asked: str, seconds: float,
) -> None:  # fmt: skip
    """Write the tables and the manifest; what other methods found in this folder before stays."""
    folder, before = plan.folder, _last(plan.folder)
    table = pd.concat(list(tables), ignore_index=True)
    path = folder / f"{TABLE}.parquet"
    if path.is_file():
        old = pd.read_parquet(path)
        table = pd.concat([old[~old["method"].isin(list(analyses))], table], ignore_index=True)
    save_table(table, path)
    save_table(interactions(analyses), folder / f"{PAIRS}.parquet")
    save_table(assumptions(ready.settings, ready.scenarios), folder / "assumptions.parquet")
    guards = guards_of(plan.runs.notes(list(every)), strict=False)
    manifest = manifest_of(plan, ready, 1, guards, pd.DataFrame(), seconds)
    meanings = {f.name: f.meaning for f in factors}
    manifest |= {
        "analyses": {**before.get("analyses", {}), **analyses}, "asked": asked, "runs": len(every), "warnings": [],
        "meanings": {**before.get("meanings", {}), **meanings}, "outcomes": list(getattr(ready.settings, "outcomes", ())),
    }  # fmt: skip
    write_down(folder, ready.settings, manifest)


# --- runs that are there ----------------------------------------------------------------------------------------------
def _of_sweep(settings: SensitivitySettings) -> Result:
    """Analyse a sweep's runs in a folder of its own, doing no run."""
    started = time.perf_counter()
    assert settings.given is not None
    sweep = load(settings.given)
    manifest = sweep.manifest
    methods = samples.GIVEN_DATA[:1] if settings.method == "auto" else (settings.method,)
    mark = fingerprint([manifest.get("runs_mark"), manifest.get("fingerprint"), methods, settings.outcomes, settings.scenario])
    folder = settings.out or Path("outputs") / settings.command / f"given-{mark[:8]}"
    plan = Study(
        folder, mark, {"given": manifest.get("fingerprint"), "methods": list(methods), "outcomes": list(settings.outcomes)}
    )
    analyses: dict[str, Any] = {}
    tables = []
    for method in methods:
        told = {}
        for name in settings.outcomes:
            outcome = read_outcome(name, int(manifest["years"]))
            sample, y, values = from_sweep(settings.given, manifest, outcome, settings.scenario, method)
            factors = [Factor(path) for path in values.columns]
            tables.append(finish(indices(sample, y), sample, outcome, outcome.year, factors))
            told[name] = said_of(sample, y, tables[-1], values, settings, outcome)
        analyses[method] = {"rows": len(sample), "runs": len(sample), "n": sample.n, "blocks": sample.blocks, "outcomes": told}
    plan.start()
    save_table(pd.concat(tables, ignore_index=True), folder / f"{TABLE}.parquet")
    save_table(interactions(analyses), folder / f"{PAIRS}.parquet")
    mine = {
        **manifest, "command": settings.command, "command_line": settings.command_line(), "analyses": analyses,
        "given": str(settings.given), "outcomes": list(settings.outcomes), "meanings": {}, "fingerprint": mark,
        "seconds": round(time.perf_counter() - started, 1), "runs": len(sample), "asked": mark,
    }  # fmt: skip
    write_down(folder, settings, mine)
    return Result(folder, "done")
