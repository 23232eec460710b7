"""Measure many runs: `python -m benchmarks.many_runs` (add --pairs 200 for the scaling of real runs, --kept 100000 for opening).

Prints what the runner itself costs a run, whether the memory of the process that runs it stays flat, how long a large study
takes to open and a study of a thousand finished runs to go on, and how much faster two processes are than one. Figures of one
machine at one moment.
"""

from __future__ import annotations

import argparse
import csv
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import movesim
from movesim.experiments.engines import Engine, Local, Serial
from movesim.experiments.keys import Keys
from movesim.experiments.runner import Job, do_missing
from movesim.experiments.runs import INDEX, SEAL_RUNS, Runs, pack
from movesim.words import HEADLINE

KEYS = Keys({"benchmark": "many runs"})


def tiny(number: int) -> tuple[dict[str, pd.DataFrame], dict[str, Any]]:
    """Return the tables of a run that costs nothing: 60 rows, as a sweep's headline would have."""
    values = np.random.default_rng(number).random(60)
    return {"sweep": pd.DataFrame({"scenario": "plan", "week": np.arange(60), "value": values, "change": -values})}, {"n": number}


def jobs(total: int) -> Iterator[Job]:
    """Yield that many tiny runs."""
    for number in range(total):
        yield Job(KEYS.key(number, {"a.b": number / 7}), number)


def memory() -> float:
    """Return the resident memory of this process in MB."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 2**20


def own_cost(total: int, engine: Engine) -> tuple[float, float, list[float]]:
    """Return seconds and processor seconds of this process per run, and its memory along the way."""
    held: list[float] = []

    def watched() -> Iterator[Job]:
        for number, job in enumerate(jobs(total)):
            if number % (total // 10) == 0:
                held.append(memory())
            yield job

    with tempfile.TemporaryDirectory() as folder:
        do_missing(Runs(Path(folder)), tiny, jobs(4), 4, engine, quiet=True)
        wall, own = time.perf_counter(), time.process_time()
        do_missing(Runs(Path(folder)), tiny, watched(), total, engine, quiet=True)
        return (time.perf_counter() - wall) / total, (time.process_time() - own) / total, held


def opening(total: int) -> tuple[float, float]:
    """Return the seconds, and the processor seconds, in which a study of that many finished runs says what is missing."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with tempfile.TemporaryDirectory() as folder:
        keys = [job.key for job in jobs(total)]
        table = pa.Table.from_pandas(tiny(0)[0]["sweep"], preserve_index=False)
        for first in range(0, total, SEAL_RUNS):  # as the store writes them, a thousand runs a part
            some = keys[first : first + SEAL_RUNS]
            part = Path(folder) / "parts" / f"{first:012d}"
            part.mkdir(parents=True)
            index = pa.table({"key": some, "notes": ["{}"] * len(some), "rows_sweep": [table.num_rows] * len(some)})
            pq.write_table(index, part / INDEX, compression="zstd")
            pq.write_table(pa.concat_tables([table] * len(some)), part / "sweep.parquet", compression="zstd")
        start, own = time.perf_counter(), time.process_time()
        done = Runs(Path(folder)).done()
        missing = sum(job.key not in done for job in jobs(total + 1))
        assert missing == 1
        return time.perf_counter() - start, time.process_time() - own


def begun(_: int) -> tuple[dict[str, pd.DataFrame], dict[str, Any]]:
    """Return nothing but when it was begun."""
    return {}, {"begun": time.perf_counter()}


def resuming(total: int, sealed: bool) -> float:
    """Return the seconds until a study of that many finished runs, in small files or sealed, begins the one that is missing."""
    with tempfile.TemporaryDirectory() as folder:
        made = Runs(Path(folder))
        for job in jobs(total):
            made.add(job.key, pack(*tiny(job.task)))
        if sealed:
            made.seal()
        start = time.perf_counter()
        again = Runs(Path(folder))
        do_missing(again, begun, jobs(total + 1), total + 1, Serial(), quiet=True)
        return float(again.notes([KEYS.key(total, {"a.b": total / 7})])[0]["begun"]) - start


def scaling(pairs: int, people: int, years: int, kept: Path | None) -> None:
    """Print seconds of that many pairs with one and with two processes; keep the paired changes of the headline gap as CSV."""
    keys = {"scenarios": ["routes"], "people": people, "years": years, "draws": "central", "report": False, "quiet": True}
    with tempfile.TemporaryDirectory() as folder:
        movesim.compare(**keys, replicates=2, workers=2, out=Path(folder) / "warm")  # what is compiled and solved once
        took = {}
        for workers in (2, 1):
            start = time.perf_counter()
            result = movesim.compare(**keys, replicates=pairs, workers=workers, out=Path(folder) / str(workers))
            took[workers] = time.perf_counter() - start
            print(
                f"{pairs} pairs of {people:,} people x {52 * years} weeks, {workers} process(es): {took[workers]:.1f} s",
                flush=True,
            )
        print(f"two processes are {took[1] / took[2]:.2f} times as fast; common draws: {result.manifest['common_draws']}")
        if kept:
            keep_changes(result.to_frame("gaps"), kept)


def keep_changes(gaps: pd.DataFrame, path: Path) -> None:
    """Write the paired changes of the headline gap in points, a column a scenario, a row a pair."""
    rows = gaps[(gaps["window"] == 52) & (gaps["week"] == gaps["week"].max())]
    for column, value in zip(("age_group", "axis", "outcome", "measure"), HEADLINE, strict=True):
        rows = rows[rows[column] == value]
    wide = rows.pivot_table(index="replicate", columns="scenario", values="value")
    with open(path, "w", newline="", encoding="utf-8") as file:
        write = csv.writer(file)
        write.writerow([name for name in wide.columns if name != "baseline"])
        for _, row in wide.iterrows():
            write.writerow([f"{100 * (row[name] - row['baseline']):.6f}" for name in wide.columns if name != "baseline"])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.many_runs", description=__doc__)
    parser.add_argument("--tiny", type=int, default=2_000, help="tiny runs")
    parser.add_argument("--kept", type=int, default=0, help="runs of the study that is opened")
    parser.add_argument("--resumed", type=int, default=1_000, help="finished runs of a study that goes on")
    parser.add_argument("--pairs", type=int, default=0, help="pairs of real runs")
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--years", type=int, default=10)
    parser.add_argument("--changes", type=Path, help="keep the paired changes in this CSV file")
    asked = parser.parse_args()
    if asked.tiny:
        for name, engine in (("this process", Serial()), ("2 processes", Local(2))):
            wall, own, held = own_cost(asked.tiny, engine)
            engine.close()
            print(
                f"{asked.tiny:,} tiny runs, {name}: {1e3 * wall:.1f} ms a run, of which {1e3 * own:.1f} ms of this process; "
                "memory " + ", ".join(f"{mb:.0f}" for mb in held) + " MB", flush=True,
            )  # fmt: skip
    if asked.kept:
        wall, own = opening(asked.kept)
        print(f"a study of {asked.kept:,} runs says what is missing in {wall:.2f} s ({own:.2f} s of processor)", flush=True)
    if asked.resumed:
        for sealed in (False, True):
            took, lie = resuming(asked.resumed, sealed), "sealed" if sealed else "in small files"
            print(f"a study of {asked.resumed:,} finished runs ({lie}) goes on after {took:.2f} s", flush=True)
    if asked.pairs:
        scaling(asked.pairs, asked.people, asked.years, asked.changes)


if __name__ == "__main__":
    main()
