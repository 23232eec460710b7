"""From a design to numbers: values of every row, keys, runs that are missing, and outcomes joined back by key."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from movesim.experiments.engines import Engine
from movesim.experiments.keys import Keys
from movesim.experiments.runner import Job, Tally, Work, do_missing
from movesim.experiments.runs import Runs
from movesim.experiments.sensitivity.factors import DUMMY, SEED, Factor
from movesim.experiments.sensitivity.samples import Sample


@dataclass(frozen=True)
class Rows:
    """What every row of a design is: its seed, the values it sets by name, and its run's key (rows that are one run share it)."""

    seeds: tuple[int, ...]
    numbers: tuple[dict[str, float], ...]
    keys: tuple[str, ...]

    def frame(self, sample: Sample) -> pd.DataFrame:
        """Return the design as a table: block, run, seed, and the values by name."""
        head = pd.DataFrame({"block": sample.block, "run": self.keys, "seed": self.seeds})
        return pd.concat([head, pd.DataFrame(list(self.numbers))], axis=1)


def rows_of_sample(sample: Sample, factors: Sequence[Factor], keys: Keys) -> Rows:
    """Return the values of every row, each factor by its own distribution, and the keys."""
    by_name = {f.name: f for f in factors}
    columns = [(name, by_name.get(name, Factor(SEED, SEED))) for name in sample.names]
    kept: dict[tuple[str, float], float] = {}  # a value stands in many rows
    seeds, numbers, made = [], [], []
    for unit in sample.unit:
        row = {}
        for (name, factor), u in zip(columns, unit.tolist(), strict=True):
            if (name, u) not in kept:
                kept[name, u] = factor.value(u)
            row[name] = kept[name, u]
        seed = int(row.pop(SEED))
        row.pop(DUMMY, None)  # nothing reads it, so rows that differ in it alone are one run
        seeds.append(seed)
        numbers.append(row)
        made.append(keys.key(seed, row))
    return Rows(tuple(seeds), tuple(numbers), tuple(made))


def run_rows(
    runs: Runs, rows: Rows, work: Work, task: Callable[[int, Mapping[str, float], str], Any], engine: Engine,
    first_by: Sequence[str] = (), **how: Any,
) -> Tally:  # fmt: skip
    """Do every run of a design that is not finished, each once, and return how it went.

    Arguments: work(task) -> tables and notes; task(seed, numbers, key) -> what a worker needs; first_by, names of values whose
    rows are best done one after another, because they share work; how, as do_missing takes it.
    """
    once = {key: k for k, key in reversed(list(enumerate(rows.keys)))}
    order = sorted(once.values(), key=lambda k: (*[rows.numbers[k].get(name, 0.0) for name in first_by], rows.seeds[k], k))

    def jobs() -> Iterable[Job]:
        for k in order:
            key = rows.keys[k]
            yield Job(key, task(rows.seeds[k], rows.numbers[k], key), {"seed": rows.seeds[k], **rows.numbers[k]})

    total = len(runs.done().union(rows.keys))  # what other designs of the folder did is counted with what is finished
    return do_missing(runs, work, jobs(), total, engine, what="runs", **how)


def values_of(rows: Rows, names: Sequence[str]) -> pd.DataFrame:
    """Return the values of the rows by name, a column each."""
    return pd.DataFrame({name: np.array([row[name] for row in rows.numbers]) for name in names})
