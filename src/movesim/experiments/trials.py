"""The published studies run again inside the model: what came out beside what was published."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from movesim import __version__
from movesim.behaviour.parameters import draw_number, fingerprint, model_id, write_atomically
from movesim.config import shown
from movesim.errors import InputError, did_you_mean, one_of
from movesim.experiments.engines import engine_of
from movesim.experiments.keys import Keys, libraries, source_of
from movesim.experiments.replicate import with_numbers
from movesim.experiments.runner import Job, do_missing
from movesim.experiments.store import Study, save_table
from movesim.experiments.verdicts import markdown, summary, with_verdicts
from movesim.interventions.bench import bench_of, solve
from movesim.interventions.files import is_path, list_scenarios, load_scenario
from movesim.interventions.predictions import as_published, predict
from movesim.settings import TrialsSettings

if TYPE_CHECKING:
    import pandas as pd

    from movesim.interventions.scenario import Scenario


_NUMBERS = (
    "published", "published_low", "published_high", "target", "simulated", "as_published", "endogenous_ratio",
    "residual_ratio", "total_ratio",
)  # fmt: skip


@dataclass(frozen=True)
class Trials:
    """What re-running the studies gave: one row a finding and draw, and where it is kept."""

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
        return summary(self.table)


@dataclass(frozen=True)
class _Task:
    scenario: Scenario
    replicate: int
    settings: TrialsSettings


def trials(settings: TrialsSettings) -> Trials:
    """Re-run every scenario's studies for a number of parameter draws and return simulated beside published effects.

    A study is called by its scenario, or by the path of a scenario's file. Raises InputError for a study that there is not.
    """
    if settings.trials:
        chosen = [_with_study(name) for name in settings.trials]
    else:
        chosen = [s for s in map(load_scenario, list_scenarios()) if _has_study(s)]
    wanted = list(dict.fromkeys(s.name for s in chosen))
    replicates = 1 if settings.draws == "central" else settings.replicates
    scenarios = {s.name: s for s in with_numbers({s.name: s for s in chosen}, settings.numbers)}
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
    table = with_verdicts(table.sort_values(["intervention", "finding", "replicate"], ignore_index=True))
    save_table(table, folder / "trials.parquet")
    write_atomically(folder / "trials.md", markdown(table))
    manifest = {"movesim": __version__, "command_line": settings.command_line(), "replicates": replicates}
    write_atomically(folder / "manifest.json", json.dumps(manifest))
    return Trials(folder, "done", table)


def _has_study(scenario: Scenario) -> bool:
    """Tell whether a scenario brings a study of its own: others take theirs over from one that does."""
    return bool(scenario.interventions) and scenario.name == scenario.interventions[0].name


def _with_study(name: str) -> Scenario:
    """Return the scenario of a study, by its name or by its file; scenarios that are not asked for are not read."""
    names = list_scenarios()
    if is_path(name) or name in names:
        scenario = load_scenario(name)
        if _has_study(scenario):
            return scenario
        raise InputError(f"'{name}' has no study of its own: its first intervention is not called as its file is.")
    raise InputError(f"There is no study called '{name}'.{did_you_mean(name, names)} There are {one_of(names)}.")


def _one(task: _Task) -> tuple[dict[str, pd.DataFrame], dict[str, Any]]:
    import pandas as pd

    settings, scenario = task.settings, task.scenario
    ledger = scenario.ledger()
    draw = draw_number(settings.draws, task.replicate)
    values = ledger.central() if settings.draws == "central" else ledger.draw(settings.seed, draw)
    solved = solve(scenario, values, settings.draws, task.replicate, settings.behaviour)
    rows = []
    bench = bench_of(settings.draws, task.replicate, tuple(sorted(settings.behaviour.items())))
    for spec in scenario.interventions:
        of, effect = solved[spec.name], scenario.numbers[spec.paths["effect"]]
        common = {"intervention": spec.name, "draw": draw, "replicate": task.replicate, "study": spec.trial.title}
        reached = float(of.reached_effect if of.reached_effect is not None else "nan")
        rows.append(
            {
                **common, "finding": "the study's own effect", "role": "solved", "used_for": "", "used_to_solve": True,
                "unit": effect.unit, "published": effect.value, "published_low": effect.low, "published_high": effect.high,
                "target": of.target_effect, "simulated": reached,
                "as_published": as_published(spec, values, reached, "minutes", spec.effect_scale), "note": of.note,
                "endogenous_ratio": of.endogenous_ratio, "residual_ratio": of.residual_ratio, "total_ratio": of.total_ratio,
            }
        )  # fmt: skip
        rows += [{**common, "note": "", **found} for found in predict(bench, scenario, spec, values, of)]
    return {"trials": pd.DataFrame(rows).astype(dict.fromkeys(_NUMBERS, float))}, {}
