"""The published studies run again inside the model: what came out beside what was published."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from movesim import __version__
from movesim.behaviour.parameters import draw_number, fingerprint, model_id, write_atomically
from movesim.config import shown
from movesim.errors import InputError, did_you_mean, one_of
from movesim.experiments.engines import engine_of
from movesim.experiments.keys import Keys, libraries, source_of
from movesim.experiments.replicate import with_numbers
from movesim.experiments.runner import Job, do_missing
from movesim.experiments.store import Study, save_table
from movesim.interventions.bench import predict, solve
from movesim.interventions.files import list_scenarios, load_scenario
from movesim.settings import TrialsSettings

if TYPE_CHECKING:
    import pandas as pd

    from movesim.interventions.scenario import Scenario


@dataclass(frozen=True)
class Trials:
    """What re-running the studies gave: one row a study and draw, and where it is kept."""

    folder: Path
    status: str
    table: pd.DataFrame

    def to_frame(self, table: str = "trials") -> pd.DataFrame:
        """Return the table; `table` is "trials"."""
        if table != "trials":
            raise InputError(f"The trials have one table, 'trials', not '{table}'.")
        return self.table

    def __str__(self) -> str:
        if not len(self.table):
            return f"{self.status.capitalize()}."
        lines = ["Study re-run (minutes a week, reported)          published   in the model (9 in 10 draws)"]
        for (name, what), rows in self.table.groupby(["intervention", "finding"], sort=False):
            low, middle, high = np.percentile(rows["simulated"], [5, 50, 95])
            kind = "solved" if rows["used_to_solve"].iloc[0] else "PREDICTED"
            lines.append(
                f"{name[:20]:20s} {what[:26]:26s} {rows['target'].median():9.1f} {middle:9.1f} ({low:.1f} to {high:.1f}) {kind}"
            )
        return "\n".join(lines)


@dataclass(frozen=True)
class _Task:
    scenario: Scenario
    replicate: int
    settings: TrialsSettings


def trials(settings: TrialsSettings) -> Trials:
    """Re-run every scenario's studies for a number of parameter draws and return simulated beside published effects.

    Raises InputError for a study that no scenario has.
    """
    known = [name for name in list_scenarios() if (s := load_scenario(name)).interventions and s.name == s.interventions[0].name]
    wanted = settings.trials or tuple(known)
    for name in wanted:
        if name not in known:
            raise InputError(f"There is no study called '{name}'.{did_you_mean(name, known)} There are {one_of(known)}.")
    replicates = 1 if settings.draws == "central" else settings.replicates
    scenarios = {s.name: s for s in with_numbers({n: load_scenario(n) for n in wanted}, settings.numbers)}
    shared = {"sources": model_id(), "libraries": libraries(), "work": source_of(__file__)}
    identity = {**settings.identity(), **shared, "scenario_contents": {n: fingerprint(s.contents) for n, s in scenarios.items()}}
    mark = fingerprint(identity)
    folder = settings.out or Path("outputs") / "trials" / f"studies-{mark[:8]}"
    plan = Study(folder, mark, identity)
    keys = {name: Keys({**identity, "study": name}) for name in wanted}
    jobs = [
        Job(keys[name].key(i), _Task(scenarios[name], i, settings), {"study": name, "draw": i})
        for i in range(replicates) for name in wanted
    ]  # fmt: skip
    import pandas as pd

    if plan.finished_with() == replicates:
        return Trials(folder, "already done", pd.read_parquet(folder / "trials.parquet"))
    done = plan.runs.done()
    left = sum(job.key not in done for job in jobs)
    if settings.dry_run:
        print(f"{len(jobs):,} studies, {left:,} to do. Results go to {shown(folder)}")
        return Trials(folder, "planned", pd.DataFrame())
    plan.start()
    with closing(engine_of(settings)) as engine:
        tally = do_missing(
            plan.runs, _one, jobs, len(jobs), engine, what="studies", quiet=settings.quiet, fail_fast=settings.fail_fast,
            limit=settings.seconds_a_run, shard=settings.part,
        )  # fmt: skip
    tally.refuse_failures(plan.runs, "studies")
    done = plan.runs.done()
    left = sum(job.key not in done for job in jobs)
    if left:
        return Trials(folder, f"part {settings.shard} done, {left:,} studies of other parts are not finished yet", pd.DataFrame())
    table = plan.read("trials", [job.key for job in jobs])
    table = table.sort_values(["intervention", "finding", "replicate"], ignore_index=True)
    save_table(table, folder / "trials.parquet")
    manifest = {"movesim": __version__, "command_line": settings.command_line(), "replicates": replicates}
    write_atomically(folder / "manifest.json", json.dumps(manifest))
    return Trials(folder, "done", table)


def _one(task: _Task) -> tuple[dict[str, pd.DataFrame], dict[str, Any]]:
    import pandas as pd

    settings, scenario = task.settings, task.scenario
    ledger = scenario.ledger()
    draw = draw_number(settings.draws, task.replicate)
    values = ledger.central() if settings.draws == "central" else ledger.draw(settings.seed, draw)
    solved = solve(scenario, values, settings.draws, task.replicate, settings.behaviour)
    rows = []
    for spec in scenario.interventions:
        of = solved[spec.name]
        common = {"intervention": spec.name, "draw": draw, "replicate": task.replicate}
        rows.append(
            {
                **common, "finding": "the study's own effect", "study": spec.trial.title, "used_to_solve": True,
                "target": of.target_effect, "simulated": of.reached_effect, "note": of.note,
                "endogenous_ratio": of.endogenous_ratio, "residual_ratio": of.residual_ratio, "total_ratio": of.total_ratio,
            }
        )  # fmt: skip
        for found in predict(scenario, spec, values, of, settings.draws, task.replicate, settings.behaviour):
            rows.append({**common, "study": spec.trial.title, "note": "", **found})
    return {"trials": pd.DataFrame(rows)}, {}
