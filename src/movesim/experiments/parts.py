"""Parts of a place as runs of their own: each hands back counts, and a pair's counts are added up before anything is computed.

Shares, gaps and slopes are those of the added counts, never averages of the parts' own.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from movesim.experiments.keys import Keys
from movesim.experiments.replicate import Ending, Finished, Task, drift, population_of, run_scenarios, tables_of
from movesim.experiments.runner import Job
from movesim.experiments.runs import pack
from movesim.outcomes.record import GROUPINGS, RECORDS_A_YEAR, VALUES, Recorder
from movesim.place.parts import cut, sizes
from movesim.words import AGE_GROUPS, AXES, WEEKS_A_YEAR

if TYPE_CHECKING:
    import pyarrow as pa

    from movesim.experiments.store import Study
    from movesim.experiments.study import Prepared

ADDED = ("money", "ladder", "winners")
# Tables of a part have names of their own: beside a pair's in one file they would be given the pair's columns.
PREFIX = "part_"
COUNTS = PREFIX + "counts"
MUCH = 0.05  # share of ties beyond which cutting them is a matter of its own
STORED = (COUNTS, *(PREFIX + name for name in ADDED))
NOBODY = Ending(np.zeros(0, np.uint64), np.zeros(0, np.int8), np.zeros(0, np.int8))
# By what each table's rows are told apart, and what is added up; of a ladder the ratios are the same in every part.
KEYS = {
    "money": (["scenario", "year", "intervention", "payer", "unit"], ["spent", "delivered", "undelivered"]),
    "ladder": (["scenario", "intervention", "step", "fifth"], ["reached"]),
    "winners": (
        ["scenario", "week", "age_group", "axis", "level"],
        ["residents", "newly_active", "no_longer_active", "newly_not_inactive", "newly_inactive"],
    ),
}


def run_part(task: Task) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Run the baseline and every scenario of a pair for one authority; return counts, books and notes.

    Raises as movesim.experiments.replicate.run_pair does.
    """
    finished, guards, _ = run_scenarios(task)
    residents = {name: run.residents for name, run in finished.items()}
    tables = {COUNTS: pd.concat([counts(n, run.recorder, task.every_group) for n, run in finished.items()], ignore_index=True)}
    for table in ADDED:
        frames = [getattr(run, table).assign(scenario=name) for name, run in finished.items() if getattr(run, table) is not None]
        tables[PREFIX + table] = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
    weeks = next(iter(finished.values())).recorder.weeks
    return tables, {"guards": guards, "weeks": weeks, "residents": residents, "agents": len(population_of(task).people["id"])}


def counts(scenario: str, recorder: Recorder, every_group: bool) -> pd.DataFrame:
    """Return what a recorder has counted as rows of cells with somebody in them.

    Groups that are only told by the year (unless every_group) are summed over its thirteen records, at its last week.
    """
    found: list[tuple[int, int, NDArray[np.float64]]] = []
    for k in range(len(GROUPINGS)):
        for i, week in enumerate(recorder.weeks):
            if k == 0 or every_group:
                found.append((k, week, recorder.sums[i][k]))
            elif week % WEEKS_A_YEAR == 0 and i + 1 >= RECORDS_A_YEAR:
                span = [part[k] for part in recorder.sums[i + 1 - RECORDS_A_YEAR : i + 1]]
                found.append((k, week, np.sum(span, axis=0)))
    grouping, weeks, cells, values = [], [], [], []
    for k, week, table in found:
        flat = table.reshape(-1, len(VALUES))
        at = np.flatnonzero(flat[:, 0] > 0)
        grouping.append(np.full(at.size, k, np.int8))
        weeks.append(np.full(at.size, week, np.int32))
        cells.append(at.astype(np.int32))
        values.append(flat[at])
    columns = dict(zip(VALUES, np.concatenate(values).T, strict=True))
    return pd.DataFrame(
        {"scenario": scenario, "grouping": np.concatenate(grouping), "week": np.concatenate(weeks), "cell": np.concatenate(cells)}
        | columns
    )


def recorder_of(frames: Sequence[pd.DataFrame], weeks: Sequence[int], authorities: tuple[str, ...]) -> Recorder:
    """Return a recorder that holds the sum of the parts' counts of one scenario, and computes every table from them."""
    recorder = Recorder(authorities, (), list(weeks))
    nothing = [np.zeros((*sizes, len(VALUES))) for sizes in recorder.sizes]
    recorder.sums = [list(nothing) for _ in weeks]
    for k, sizes_of in enumerate(recorder.sizes):
        mine = [frame[frame["grouping"] == k] for frame in frames]
        told = np.unique(np.concatenate([frame["week"].to_numpy() for frame in mine])) if mine else np.zeros(0, int)
        added = np.zeros((len(told), math.prod(sizes_of), len(VALUES)))
        for frame in mine:  # a cell stands once in a frame
            at = np.searchsorted(told, frame["week"].to_numpy()), frame["cell"].to_numpy()
            added[at] += frame[list(VALUES)].to_numpy()
        for week, table in zip(told.tolist(), added, strict=True):
            recorder.sums[recorder.weeks.index(week)][k] = table.reshape(*sizes_of, len(VALUES))
    return recorder


def added_up(parts: Iterator[tuple[Mapping[str, pa.Table], Mapping[str, Any]]], task: Task,
             authorities: tuple[str, ...]) -> tuple[dict[str, pd.DataFrame], dict[str, Any]]:  # fmt: skip
    """Return the tables and notes of a pair, as if the place had been run as a whole, from those of its parts.

    Arguments: parts, tables and notes of every part, one after another; task of the pair; names of all authorities.
    """
    held: dict[str, list[pd.DataFrame]] = {name: [] for name in STORED}
    guards: list[dict[str, Any]] = []
    residents: dict[str, float] = {}
    weeks: list[int] = []
    for tables, notes in parts:
        for name, frames in held.items():
            table = tables.get(name)
            if table is not None and table.num_rows:
                frames.append(table.to_pandas())
        guards += notes["guards"]
        weeks = notes["weeks"]
        for name, number in notes["residents"].items():
            residents[name] = residents.get(name, 0.0) + number
    summed = {name: _summed(held[PREFIX + name], *KEYS[name]) for name in ADDED}
    summed["winners"] = _as_told(summed["winners"], authorities)
    finished = {}
    for name in residents:
        frames = [frame[frame["scenario"] == name] for frame in held[COUNTS]]
        recorder = recorder_of(frames, weeks, authorities)
        rest: dict[str, Any] = {table: _of(summed[table], name) for table in ADDED}
        finished[name] = Finished(recorder, NOBODY, residents[name], "", **rest)
    baseline = next(iter(finished.values())).recorder
    return tables_of(finished, task), {"guards": guards, "drift": drift(baseline)}


def _summed(frames: list[pd.DataFrame], keys: list[str], values: list[str]) -> pd.DataFrame:
    """Rows of several parts added up, in the order of the first; what is not added is taken from the first that says it."""
    if not frames:
        return pd.DataFrame()
    both = pd.concat(frames, ignore_index=True)
    rest = [c for c in both.columns if c not in (*keys, *values)]
    how: dict[str, Any] = {**dict.fromkeys(values, "sum"), **dict.fromkeys(rest, "first")}
    out = both.groupby(keys, sort=False, as_index=False, dropna=False).agg(how)[list(both.columns)]
    return out


def _as_told(winners: pd.DataFrame, authorities: tuple[str, ...]) -> pd.DataFrame:
    """Winners in the order in which a whole run tells them: a part may lack levels that the next one has."""
    if not len(winners):
        return winners
    told = [(g, a.name, level) for a in AXES for g in AGE_GROUPS for level in (a.levels or authorities)]
    place = {row: k for k, row in enumerate(told)}
    at = [place[row] for row in zip(winners["age_group"], winners["axis"], winners["level"], strict=True)]
    return winners.iloc[np.argsort(at, kind="stable")].reset_index(drop=True)


def _of(table: pd.DataFrame, scenario: str) -> pd.DataFrame | None:
    """The rows of a scenario, without its name; None where there are none."""
    if not len(table):
        return None
    rows = table[table["scenario"] == scenario].drop(columns="scenario").reset_index(drop=True)
    return rows if len(rows) else None


# --- a study by parts -------------------------------------------------------------------------------------------------
def part_jobs(ready: Prepared, keys: Keys, i: int) -> list[Job]:
    """Return the parts of a pair as runs, the largest authority first, so that none is left for last alone."""
    names = ready.population.local_authorities
    return [Job(keys.key(i, {"part": a}), ready.task(i, part=a), {"pair": i, "part": names[a]}) for a in ready.parts]


def add_up(plan: Study, ready: Prepared, keys: Keys, pairs: Sequence[int]) -> None:
    """Add up the parts of every pair that has all of them and is not added up yet, one pair at a time."""
    done = plan.runs.done()
    for i in pairs:
        parts = [job.key for job in part_jobs(ready, keys, i)]
        if keys.key(i) in done or not done.issuperset(parts):
            continue
        held = ((plan.runs.tables(STORED, key), plan.runs.notes([key])[0]) for key in parts)
        plan.runs.add(keys.key(i), pack(*added_up(held, ready.task(i), ready.population.local_authorities)))


def parts_in_words(ready: Prepared) -> str:
    """Return how a place is split and what that cuts, in a sentence."""
    lost = cut(ready.population)
    kinds = ", ".join(f"{100 * share:.1f}% of {name} ties" for name, share in lost.by_kind.items() if share > 0)
    much = "" if lost.share < MUCH else " That is much: take more people, or leave parts= away."
    return (
        f"Each of {len(ready.parts):,} local authorities is a run of its own: {100 * lost.share:.2f}% of all ties join people of "
        f"two of them and are cut{f' ({kinds})' if kinds else ''}; newcomers take after people of their own authority.{much}"
    )


def in_figures(ready: Prepared) -> dict[str, Any]:
    """Return how a place is split and what that cuts, for the manifest."""
    lost, people = cut(ready.population), sizes(ready.population)
    return {
        "by": "local authority", "number": len(ready.parts), "largest": int(people.max()),
        "smallest": int(people[list(ready.parts)].min()), "ties": int(lost.ties.sum()), "ties_cut": int(lost.across.sum()),
        "share_of_ties_cut": lost.share, "by_kind": lost.by_kind,
    }  # fmt: skip
