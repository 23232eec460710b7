"""Known functions that stand in for the model: the same design, runner, store, join and analysis, and nothing to simulate."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from movesim.evidence import Parameter
from movesim.experiments.engines import Local, Serial
from movesim.experiments.keys import Keys
from movesim.experiments.runs import Runs
from movesim.experiments.sensitivity.carry_out import Rows, rows_of_sample, run_rows
from movesim.experiments.sensitivity.factors import DUMMY, Factor
from movesim.experiments.sensitivity.outcomes import Outcome, series
from movesim.experiments.sensitivity.samples import Sample, make

OUTCOME = Outcome("imd_decile", "change", "adult", "imd_decile", "inactive", "sii", "", 1)
CELL = pd.DataFrame([{k: getattr(OUTCOME, k) for k in ("age_group", "axis", "outcome", "measure", "level")} | {"week": 52}])
G = (0.0, 1.0, 4.5, 9.0, 99.0, 99.0)


@dataclass(frozen=True)
class Toy:
    """A run: which function, on which seed, at which numbers, and how noisy."""

    function: str
    seed: int
    numbers: Mapping[str, float]
    noise: float = 0.0


def ishigami(x: Sequence[float]) -> float:
    """Ishigami and Homma's function of three numbers from -pi to pi."""
    return math.sin(x[0]) + 7 * math.sin(x[1]) ** 2 + 0.1 * x[2] ** 4 * math.sin(x[0])


def g(x: Sequence[float]) -> float:
    """Sobol's G function of numbers from 0 to 1."""
    return math.prod((abs(4 * v - 2) + a) / (1 + a) for v, a in zip(x, G, strict=False))


def environment(x: Sequence[float]) -> float:
    """A place in which only the second number, of the environment, matters."""
    return 3 * x[1]


FUNCTIONS: dict[str, Callable[[Sequence[float]], float]] = {"ishigami": ishigami, "g": g, "environment": environment}


def outcome(toy: Toy) -> float:
    """Return what a run comes to; noise is a function of the seed alone, as the model's draws are."""
    x = [value for name, value in sorted(toy.numbers.items()) if name.startswith("x")]
    return FUNCTIONS[toy.function](x) + toy.noise * np.random.default_rng(toy.seed).normal()


def play(toy: Toy) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Return the run as a table of the kind the model's runs write."""
    return {"cells": CELL.assign(value=outcome(toy) / 100 + 0.05, baseline=0.05)}, {"process": os.getpid()}


def factors(count: int, low: float = 0.0, high: float = 1.0, groups: Sequence[str] = ()) -> tuple[Factor, ...]:
    """Uniform numbers x1, x2, ... of the ledger, and the dummy."""
    found = [Parameter(f"x{k + 1}", (low + high) / 2, "uniform", low, high) for k in range(count)]
    named = [Factor(p.path, "number", groups[k] if groups else p.path, "", p) for k, p in enumerate(found)]
    return (*named, Factor(DUMMY, DUMMY, DUMMY))


def through(
    folder: Path, method: str, function: str, made: Sequence[Factor], n: int, blocks: int, *, noise: float = 0.0, seed: int = 0,
    workers: int = 1, grouped: bool = False,
) -> tuple[Sample, Rows, np.ndarray]:  # fmt: skip
    """Send a function through design, runner, store and join, and return the sample, its rows and the outcomes in its order."""
    sample = make(method, made, n, blocks, seed, grouped)
    rows = rows_of_sample(sample, made, Keys({"toy": function, "noise": noise}))
    runs, engine = Runs(folder), Serial() if workers == 1 else Local(workers)
    try:
        tally = run_rows(runs, rows, play, lambda s, numbers, key: Toy(function, s, numbers, noise), engine, quiet=True)
    finally:
        engine.close()
    assert not tally.failed, tally.first
    return sample, rows, series(runs, rows.keys, OUTCOME)[1][:, 0]


def at_once(
    method: str,
    function: str,
    made: Sequence[Factor],
    n: int,
    blocks: int,
    *,
    noise: float = 0.0,
    seed: int = 0,
    grouped: bool = False,
) -> tuple[Sample, Rows, np.ndarray]:
    """The same without runner and store, for what has been seen to come through them."""
    sample = make(method, made, n, blocks, seed, grouped)
    rows = rows_of_sample(sample, made, Keys({"toy": function, "noise": noise}))
    y = [outcome(Toy(function, s, numbers, noise)) for s, numbers in zip(rows.seeds, rows.numbers, strict=True)]
    return sample, rows, np.array(y)
