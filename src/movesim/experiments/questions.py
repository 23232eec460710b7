"""Three questions on top of a comparison: together or apart, which step of the ladder, and how long must it last."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from movesim.errors import GuardError
from movesim.experiments.engines import Engine
from movesim.experiments.replicate import BASELINE
from movesim.experiments.runner import do_missing
from movesim.experiments.runs import Runs
from movesim.experiments.store import MANIFEST, Study
from movesim.experiments.variants import FOLDER, LADDER, PARTS, answer, jobs_of, variants_of
from movesim.interventions.alike import players
from movesim.outcomes.break_even import break_even
from movesim.outcomes.interactions import interactions
from movesim.outcomes.shapley import ladder_shares
from movesim.outcomes.worth import worth_ledger, worth_of
from movesim.words import STATUSES, WEEKS_A_YEAR

if TYPE_CHECKING:
    import pandas as pd

    from movesim.experiments.study import Prepared
    from movesim.settings import StudySettings

TABLES = ("interactions", "ladder_shares", "ladder_steps")


def asked(settings: StudySettings) -> tuple[str, ...]:
    """Return which questions need further runs."""
    return tuple(name for name, wanted in ((PARTS, settings.parts), (LADDER, settings.ladder)) if wanted)


def answered(plan: Study, settings: StudySettings) -> bool:
    """Tell whether the tables of a finished folder answer what is asked."""
    path = plan.folder / MANIFEST
    held = json.loads(path.read_text(encoding="utf-8")).get("questions", []) if path.is_file() else []
    return set(asked(settings)) <= set(held)


def how_many(ready: Prepared, questions: Sequence[str]) -> int:
    """Return how many further runs the questions ask for in each pair."""
    return sum(len(variants_of(scenario, each)) for each in questions for scenario in ready.scenarios.values())


def ask(plan: Study, ready: Prepared, questions: Sequence[str], pairs: Sequence[int], engine: Engine) -> list[str]:
    """Run what the questions need and is missing; return the keys that are not finished yet (other shards)."""
    settings = ready.settings
    jobs = [job for each in questions for job in jobs_of(ready, each, pairs)]
    if not jobs:
        return []
    runs = Runs(plan.folder / FOLDER)
    tally = do_missing(
        runs, answer, jobs, len(jobs), engine, what="further runs", quiet=settings.quiet, fail_fast=settings.fail_fast,
        limit=settings.seconds_a_run, shard=settings.part,
    )  # fmt: skip
    tally.refuse_failures(runs, "further runs")
    done = runs.done()
    return [job.key for job in jobs if job.key not in done]


def tables_of(
    plan: Study, ready: Prepared, questions: Sequence[str], pairs: Sequence[int], outcomes: pd.DataFrame, money: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    """Return the tables that answer the questions, and break_even, which needs no further runs.

    Raises GuardError where a further run is not the pair's own: no change or a whole ladder gave other numbers.
    """
    tables = {"break_even": _break_even(ready, outcomes, money)}
    runs = Runs(plan.folder / FOLDER)
    for question in questions:
        keys = [job.key for job in jobs_of(ready, question, pairs)]
        if not keys:
            continue
        rows = runs.read("variants", keys).to_pandas()
        _check_same(outcomes, rows, ready, question)
        rows = rows[rows["variant"] != ""]
        if question == PARTS:
            tables["interactions"] = interactions(outcomes, rows.rename(columns={"variant": "part"}), BASELINE)
        else:
            named = rows.rename(columns={"variant": "on"}).astype({"on": int})
            steps = {name: players(scenario) for name, scenario in ready.scenarios.items()}
            tables["ladder_shares"] = ladder_shares(outcomes, named, steps, BASELINE)
            tables["ladder_steps"] = runs.read("steps", keys).to_pandas()
    for name in set(TABLES) - set(tables):  # of an earlier, smaller study
        (plan.folder / f"{name}.parquet").unlink(missing_ok=True)
    return tables


def with_worth(assumptions: pd.DataFrame) -> pd.DataFrame:
    """Return the assumptions of a study with the numbers on what activity is worth, which move no run."""
    import pandas as pd

    more = worth_ledger().to_frame().assign(used_by="break-even")
    return pd.concat([assumptions, more], ignore_index=True)


def _break_even(ready: Prepared, outcomes: pd.DataFrame, money: pd.DataFrame) -> pd.DataFrame:
    settings = ready.settings

    def worth(pairs: pd.DataFrame) -> pd.DataFrame:
        return worth_of(pairs["draw"].tolist(), settings.seed, settings.draws == "fitted")

    found = break_even(outcomes, money, BASELINE, worth)
    return found.iloc[:0] if settings.areas else found  # the money is the whole place's


def _check_same(outcomes: pd.DataFrame, rows: pd.DataFrame, ready: Prepared, question: str) -> None:
    """Hold no change, and ladders with every step as it is, against the pairs' own runs, bit for bit."""
    cells = ["scenario", "draw", "replicate", "week", "age_group", "axis", "level"]
    yearly = outcomes[outcomes["window"] == WEEKS_A_YEAR].set_index(cells)[[*STATUSES, "minutes", "residents"]]
    whole = {name: str(2 ** len(players(s)) - 1) for name, s in ready.scenarios.items() if question == LADDER}
    again = rows[(rows["variant"] == "") | (rows["variant"] == rows["scenario"].map(whole))]
    again = again.drop_duplicates(cells).set_index(cells)[yearly.columns]
    own = yearly.reindex(again.index)
    differs = ((own != again) & ~(own.isna() & again.isna())).any(axis=1)
    if differs.any():
        where: Any = differs.idxmax()
        raise GuardError(
            f"A further run for '{question}' is not what its pair was ({where[0]}, replicate {where[2]}, week {where[3]}): no "
            "table was written; this is a fault of the model."
        )
