"""A posterior of the model's numbers: waves of runs, a stand-in for the model, draws from its posterior, and a check of them.

The first wave lies around the fitted centre, every number drawn at 0.6 of its prior's spread (a wave over the whole prior
leaves the stand-in with errors far beyond the targets' own). Later waves are draws of the posterior as it stands. The last
draws are run on the model itself, and what is said of them is what the model gave, not what the stand-in said.
"""

from __future__ import annotations

import datetime
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from movesim.behaviour.parameters import CENTRAL, ensemble, fingerprint, model_id, write_atomically
from movesim.behaviour.rules import behaviour_ledger
from movesim.config import cache_folder, conf_folder
from movesim.errors import InputError
from movesim.evidence import Ledger
from movesim.experiments import targets as published
from movesim.experiments.emulator import Emulator, fit_emulator, important
from movesim.experiments.engines import Local, Serial
from movesim.experiments.identify import identifiability
from movesim.experiments.keys import Keys, libraries, source_of
from movesim.experiments.likelihood import Posterior, Scale, worst_but_one
from movesim.experiments.runner import Job, do_missing
from movesim.experiments.runs import Runs
from movesim.experiments.sampling import Chains, sample
from movesim.experiments.unknowns import Unknowns
from movesim.experiments.wave import Point, run_point
from movesim.settings import CalibrateSettings, usable_cpus

Array = NDArray[np.float64]
REPLICATES = 2  # seeds that take turns over the points of a wave; the last draws are run with each of them
FIRST_SPREAD = 0.6
FARTHEST = 3.5
CURVED = 25
IMPLAUSIBLE = 3.0
TO_LEARN = 8_000  # draws from which it is said what was learned: chance correlations of fewer would pass for trade-offs
FILE = "posterior"
NEEDED = {"emcee": "emcee", "sklearn": "scikit-learn", "threadpoolctl": "threadpoolctl"}


@dataclass(frozen=True)
class Size:
    """How much is done: runs of each wave, draws kept, steps of the sampler."""

    waves: tuple[int, ...]
    steps: int
    networks: bool


FULL, QUICK = Size((512, 384, 256), 3_000, True), Size((192, 128), 1_200, False)


@dataclass
class Waves:
    """The runs so far: points z (n, k), measured targets (n, all targets), and which seed each had."""

    z: Array
    measured: Array
    replicate: NDArray[np.int64]
    wave: NDArray[np.int64]

    def add(self, z: Array, measured: Array, replicate: NDArray[np.int64]) -> None:
        """Add a wave."""
        number = int(self.wave.max(initial=-1)) + 1
        self.z, self.measured = np.vstack([self.z, z]), np.vstack([self.measured, measured])
        self.replicate = np.concatenate([self.replicate, replicate])
        self.wave = np.concatenate([self.wave, np.full(len(z), number)])


@dataclass(frozen=True)
class Bench:
    """Runs the model at points, keeping what was done: an interrupted calibration goes on where it stopped."""

    settings: CalibrateSettings
    unknowns: Unknowns
    base: dict[str, float]
    keys: Keys
    runs: Runs
    say: Callable[[str], None]

    @classmethod
    def of(cls, settings: CalibrateSettings, ledger: Ledger, say: Callable[[str], None]) -> Bench:
        """Return the bench of a calibration."""
        identity = {"place": settings.place, "people": settings.people, "place_seed": settings.place_seed, "sources": model_id(),
                    "libraries": libraries(), "work": [source_of(published.__file__), source_of(_wave_file())],
                    "targets": [repr(t) for t in published.read_targets()]}  # fmt: skip
        runs = Runs(cache_folder("calibrate") / f"waves-{fingerprint(identity)}")
        return cls(settings, Unknowns.of(ledger), ledger.central(), Keys(identity), runs, say)

    def run(self, z: Array, replicate: NDArray[np.int64], what: str) -> Array:
        """Return every target at points z (n, k), each with its own seed."""
        people = None if self.settings.people == "all" else int(self.settings.people)
        values, paths = self.unknowns.values(z), tuple(self.base)
        jobs: list[Job] = []
        for row, r in zip(values, replicate, strict=True):
            numbers = {**self.base, **dict(zip(self.unknowns.paths, map(float, row), strict=True))}
            point = Point(
                self.settings.place, people, self.settings.place_seed, self.settings.seed + int(r), paths,
                tuple(numbers[p] for p in paths),
            )  # fmt: skip
            jobs.append(Job(self.keys.key(point.seed, numbers), point, {"point": len(jobs)}))
        total = len(self.runs.done() | {job.key for job in jobs})  # runs of other waves are kept beside them
        with closing(Local(usable_cpus()) if usable_cpus() > 1 else Serial()) as engine:
            tally = do_missing(self.runs, run_point, jobs, total, engine, what=what, quiet=self.settings.quiet)
        tally.refuse_failures(self.runs, what)
        table = self.runs.read("measured", [job.key for job in jobs])
        return np.asarray(table["value"].to_numpy()).reshape(len(jobs), -1)


def _wave_file() -> str:
    from movesim.experiments import wave

    return wave.__file__


def design(k: int, n: int, seed: int) -> Array:
    """Return n points of a scrambled Sobol' sequence as standard normals; (n, k)."""
    from scipy.stats import norm, qmc

    u = qmc.Sobol(k, scramble=True, rng=np.random.default_rng(seed)).random_base2(int(np.ceil(np.log2(n))))[:n]
    return np.asarray(norm.ppf(np.clip(u, 1e-6, 1 - 1e-6)))


def stand_in(waves: Waves, unknowns: Unknowns, scale: Scale, fitted: NDArray[np.bool_], networks: bool) -> Emulator:
    """Return the emulator of the fitted targets, judged on the runs of the last wave, which lie where the posterior does."""
    from threadpoolctl import threadpool_limits

    x, y = unknowns.scaled(waves.z), scale.there(waves.measured[:, fitted])
    near = worst_but_one(y, scale.goal, np.hypot(scale.spread, y.std(axis=0))) <= 2 * IMPLAUSIBLE
    x, y, replicate, last = x[near], y[near], waves.replicate[near], (waves.wave == waves.wave.max())[near]
    with threadpool_limits(1):
        curved = important(x, y, 1 / scale.spread, CURVED)
        return fit_emulator(x, y, replicate, curved, networks, last)


def posterior_of(emulator: Emulator, unknowns: Unknowns, scale: Scale) -> Posterior:
    """Return the posterior density that an emulator stands for."""
    error = np.hypot(scale.spread, emulator.error)
    return Posterior(lambda z: emulator.predict(unknowns.scaled(z)), scale.goal, error)


def calibrate_posterior(settings: CalibrateSettings) -> Path:
    """Draw from the posterior, run the draws on the model, and write them with what is known of them; return the file.

    Raises InputError where the libraries of the extra `calibrate` are not installed.
    """
    say: Callable[[str], None] = (lambda text: None) if settings.quiet else lambda text: print(text, file=sys.stderr, flush=True)
    missing = [name for module, name in NEEDED.items() if find_spec(module) is None]
    if missing:
        raise InputError(f"method=posterior needs {' and '.join(missing)}; install them with: pip install 'movesim[calibrate]'")
    ledger, targets = behaviour_ledger(), published.read_targets()
    size = QUICK if settings.quick else FULL
    bench = Bench.of(settings, ledger, say)
    fitted = np.array([t.role == "fit" for t in targets])
    scale = Scale.of(targets).only(fitted)
    k = len(bench.unknowns)
    start = bench.unknowns.coordinates(ensemble()[0])
    waves = Waves(np.zeros((0, k)), np.zeros((0, len(targets))), np.zeros(0, np.int64), np.zeros(0, np.int64))
    z = np.clip(start + FIRST_SPREAD * design(k, size.waves[0], settings.seed), -FARTHEST, FARTHEST)
    history: list[dict[str, Any]] = []
    for number, runs in enumerate(size.waves, start=1):
        replicate = np.arange(runs) % REPLICATES
        waves.add(z, bench.run(z, replicate, "runs"), replicate)
        emulator = stand_in(waves, bench.unknowns, scale, fitted, size.networks)
        more = size.waves[number] if number < len(size.waves) else max(settings.keep, TO_LEARN)
        chains = _draws(posterior_of(emulator, bench.unknowns, scale), start, size, more, settings.seed + number)
        start, z = chains.mode, chains.draws
        worst = emulator.error / scale.spread
        history.append({"runs": runs, "by_network": int(emulator.by_network.sum()),
                        "stand_in_error": round(float(np.median(worst)), 2), **chains.diagnostics()})  # fmt: skip
        say(f"wave {number} of {len(size.waves)}: the stand-in errs by {np.median(worst):.2f} of a target's spread (median)")
    every, z = z, z[: settings.keep]
    both = np.stack([bench.run(z, np.full(len(z), r), "runs of the last draws") for r in range(REPLICATES)])
    return _write(settings, bench, ledger, targets, z, both, start, history, scale, fitted, emulator, every)


def _draws(posterior: Posterior, start: Array, size: Size, wanted: int, seed: int) -> Chains:
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        return sample(posterior, start, size.steps, wanted, seed)


def posterior_file() -> Path:
    """Return the file of the posterior as shipped: one row a draw, one column a number; row -1 is the mode."""
    return conf_folder() / "calibration" / f"{FILE}.parquet"


def _write(
    settings: CalibrateSettings, bench: Bench, ledger: Ledger, targets: tuple[published.Target, ...], z: Array, both: Array,
    mode: Array, history: list[dict[str, Any]], scale: Scale, fitted: NDArray[np.bool_], emulator: Emulator,
    every: Array,
) -> Path:  # fmt: skip
    import pandas as pd
    import yaml

    from movesim.experiments.store import save_table

    values = bench.unknowns.values(np.vstack([mode[None], z]))
    frame = pd.DataFrame([{**bench.base, **dict(zip(bench.unknowns.paths, map(float, row), strict=True))} for row in values])
    frame.insert(0, "draw", [CENTRAL, *range(len(z))])
    path = (settings.out or conf_folder() / "calibration") / f"{FILE}.parquet"
    save_table(frame, path)
    means = both.mean(axis=0)
    predicted = np.full(len(targets), np.nan)
    predicted[fitted] = scale.back(emulator.predict(bench.unknowns.scaled(z))).mean(axis=0)
    provenance = {
        "made": datetime.date.today().isoformat(), "command": settings.command_line(), "place": settings.place,
        "people": settings.people, "seed": settings.seed, "draws": len(z), "sources": model_id(),
        "method": "waves of runs, emulator by cross-validation, emcee; the draws run on the model with each of two seeds",
        "waves": history, "targets": _targets(targets, means, predicted),
        "identifiability": identifiability(bench.unknowns, every),
    }  # fmt: skip
    write_atomically(path.with_suffix(".yaml"), yaml.safe_dump(provenance, sort_keys=False, allow_unicode=True, width=120))
    bench.say(summary(provenance))
    return path


def _targets(targets: tuple[published.Target, ...], means: Array, stand_in: Array) -> list[dict[str, Any]]:
    """Return a row a target: what the posterior predicts on the model itself, beside the published value."""
    rows = []
    for i, t in enumerate(targets):
        low, high = (float(x) for x in np.quantile(means[:, i], (0.05, 0.95)))
        mean = float(means[:, i].mean())
        rows.append(
            {
                "name": t.name, "role": t.role, "published": t.value, "spread": t.spread, "mean": mean,
                "sd": float(means[:, i].std(ddof=1)), "low": low, "high": high, "inside": low <= t.value <= high,
                "within_spread": abs(mean - t.value) <= t.spread,
                "stand_in": None if np.isnan(stand_in[i]) else float(stand_in[i]),
            }
        )  # fmt: skip
    return rows


def summary(provenance: dict[str, Any]) -> str:
    """Return in words how the posterior meets the targets it was fitted to."""
    rows = [row for row in provenance["targets"] if row["role"] == "fit"]
    inside, close = sum(row["inside"] for row in rows), sum(row["within_spread"] for row in rows)
    return (
        f"Of {len(rows)} fitted targets {inside} lie inside the posterior's 90% interval (on the model itself), and the mean of "
        f"{close} is within the target's spread."
    )
