"""Validation: what the fitted ensemble says of figures that it was never fitted to, and how often it was right."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from movesim import __version__
from movesim.behaviour.parameters import fingerprint, model_id, write_atomically
from movesim.behaviour.rules import behaviour_ledger
from movesim.config import conf_folder, shown
from movesim.errors import InputError
from movesim.experiments.answers import Task, answer
from movesim.experiments.engines import engine_of
from movesim.experiments.keys import Keys, libraries, source_of
from movesim.experiments.runner import Job, do_missing
from movesim.experiments.scorecard import Row, Score, coverage, judge, of_targets, read_sections, refuse_shared, score
from movesim.experiments.store import Study, save_table
from movesim.experiments.targets import read_targets
from movesim.settings import ValidateSettings

if TYPE_CHECKING:
    import pandas as pd

WORK = ("answers.py", "moments.py", "observe.py", "who.py")  # what a run's numbers come from besides the model


@dataclass(frozen=True)
class Validation:
    """A scorecard: `table` a row a figure, `cover` by section, `scores` beside simpler rules; kept in `folder`."""

    folder: Path
    status: str
    table: pd.DataFrame
    cover: pd.DataFrame
    scores: pd.DataFrame

    def to_frame(self, table: str = "scorecard") -> pd.DataFrame:
        """Return one of the tables: scorecard, coverage or scores."""
        tables = {"scorecard": self.table, "coverage": self.cover, "scores": self.scores}
        if table not in tables:
            raise InputError(f"A validation has no table '{table}'; it has {', '.join(tables)}.")
        return tables[table]

    def __str__(self) -> str:
        if not len(self.table):
            return f"{self.status.capitalize()}."
        whole = self.cover[self.cover["section"] == "all"].iloc[0]
        lines = [
            f"{whole.figures} figures that were never fitted: {100 * whole.inside_90:.0f}% of them inside the 90% interval, "
            f"{100 * whole.inside_50:.0f}% inside the 50% interval."
        ]
        for row in self.scores.itertuples():
            lines.append(
                f"{row.meaning}: {row.model:.3f} ({row.low:.3f} to {row.high:.3f} over pairs); "
                f"{row.beside_name}: {row.beside:.3f}"
            )
        missed = self.table[self.table["verdict"] == "MISS"]
        lines += [
            f"MISS {r.meaning}: {r.low:.3g} to {r.high:.3g} was predicted, {r.observed:.3g} published"
            for r in missed.itertuples()
        ]
        skipped = self.table[self.table["verdict"] == "skipped"]
        for reason, rows in skipped.groupby("skipped", sort=False):
            lines.append(f"skipped, {len(rows)}: {reason}")
        return "\n".join([*lines, f"report: {shown(self.folder / 'report.html')}"])


def validate(settings: ValidateSettings) -> Validation:
    """Ask the fitted ensemble for every figure of conf/validation and of the targets held out, and say what was right.

    Raises InputError for a wrong row, or one that is fitted as well.
    """
    import pandas as pd

    data = settings.data if settings.data is not None and settings.data.is_dir() else None
    sections = read_sections(data)
    held_out = of_targets(read_targets())
    rows: tuple[Row, ...] = (*(row for section in sections for row in section.rows), *held_out)
    refuse_shared(rows, read_targets())
    asked = tuple((row.name, dict(row.query)) for row in rows if not row.skipped)
    work = [source_of(str(Path(__file__).parent / name)) for name in WORK]
    identity = {**settings.identity(), "sources": model_id(), "libraries": libraries(), "work": work, "asked": asked,
                "ensemble": "" if settings.ensemble is None else source_of(str(settings.ensemble))}  # fmt: skip
    published = [(row.name, row.value, row.spread, row.meaning, row.explanation, row.skipped) for row in rows]
    mark = fingerprint([identity, published])
    folder = settings.out or Path("outputs") / "validate" / f"{settings.place}-{mark[:8]}"
    plan = Study(folder, mark, identity)
    replicates = 1 if settings.draws == "central" else settings.replicates
    keys = Keys(identity)
    jobs = [Job(keys.key(i), Task(settings, i, asked), {"pair": i}) for i in range(replicates)]
    if plan.finished_with() == replicates:
        kept = [pd.read_parquet(folder / f"{name}.parquet") for name in ("scorecard", "coverage", "scores")]
        return Validation(folder, "already done", *kept)
    if settings.dry_run:
        left = sum(job.key not in plan.runs.done() for job in jobs)
        print(f"{len(rows):,} figures, {len(jobs):,} pairs, {left:,} to do. Results go to {shown(folder)}")
        return Validation(folder, "planned", pd.DataFrame(), pd.DataFrame(), pd.DataFrame())
    plan.start()
    with closing(engine_of(settings)) as engine:
        tally = do_missing(
            plan.runs, answer, jobs, len(jobs), engine, quiet=settings.quiet, fail_fast=settings.fail_fast,
            limit=settings.seconds_a_run, shard=settings.part,
        )  # fmt: skip
    tally.refuse_failures(plan.runs, "pairs")
    left = sum(job.key not in plan.runs.done() for job in jobs)
    if left:
        status = f"part {settings.shard} done, {left:,} pairs of other parts are not finished yet"
        return Validation(folder, status, pd.DataFrame(), pd.DataFrame(), pd.DataFrame())
    found = plan.read("answers", [job.key for job in jobs])
    values = {str(name): part["value"].to_numpy() for name, part in found.groupby("name", sort=False)}
    table = judge(rows, values)
    table["prior_cites"] = [_cited_by(row) for row in rows]
    scored = [(each, section.rows) for section in sections for each in section.scores]
    return _keep(settings, folder, replicates, table, found, scored, values)


def _keep(
    settings: ValidateSettings, folder: Path, replicates: int, table: pd.DataFrame, found: pd.DataFrame,
    scored: list[tuple[Score, tuple[Row, ...]]], values: dict[str, Any],
) -> Validation:  # fmt: skip
    import pandas as pd

    scores = pd.DataFrame([score(each, rows, values) for each, rows in scored])
    done = Validation(folder, "done", table, coverage(table), scores)
    for name in ("scorecard", "coverage", "scores"):
        save_table(done.to_frame(name), folder / f"{name}.parquet")
        done.to_frame(name).to_csv(folder / f"{name}.csv", index=False, float_format="%.4g", lineterminator="\n")
    save_table(found, folder / "answers.parquet")
    titles = {path.stem: _title(path) for path in sorted((conf_folder() / "validation").glob("*.yaml"))}
    manifest = {"movesim": __version__, "command": "validate", "command_line": settings.command_line(), "replicates": replicates,
                "titles": {**titles, "targets": "Held out of the targets of the fit"}}  # fmt: skip
    write_atomically(folder / "manifest.json", json.dumps(manifest, indent=1))
    return done


def _title(path: Path) -> str:
    from movesim.config import load_yaml

    return str(load_yaml(path).data["title"])


def _cited_by(row: Row) -> str:
    """Return the numbers of the model whose ranges were set with the figure in mind: not fitted, but not unseen either."""
    return ";".join(p.path for p in behaviour_ledger().values() if set(p.ids) & set(row.ids) and p.status != "computed")
