"""A first fit: the behaviour model's `computed` numbers fitted to published targets on place=england, with an ensemble.

The centre minimises the squared distance to the targets in units of their spread, plus the squared distance of every fitted
number from its prior in units of the prior's spread (Gauss-Newton with finite differences over runs that share all draws).
Each member of the ensemble draws every `assumed` number from its distribution, moves the targets by a draw of their spread
and the priors' centres by a draw of theirs, and is fitted again from the centre with the centre's derivatives (randomised
maximum likelihood; Oliver, He and Reynolds 1996). Its spread is what the targets and the priors leave open.
"""

from __future__ import annotations

import datetime
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from movesim import draws
from movesim.behaviour.parameters import CENTRAL, fingerprint, fit_file, model_id, write_atomically
from movesim.behaviour.rules import behaviour_ledger, make_rules
from movesim.config import cache_folder
from movesim.errors import MovesimError
from movesim.evidence import Ledger
from movesim.experiments import targets as published
from movesim.experiments.engines import Local, Serial
from movesim.experiments.keys import Keys, libraries, source_of
from movesim.experiments.runner import Job, do_missing
from movesim.experiments.runs import Runs
from movesim.place import load_place
from movesim.settings import CalibrateSettings, usable_cpus

if TYPE_CHECKING:
    import pandas as pd

TURNS_OF_CENTRE, STEPS_OF_CENTRE, STEPS_OF_MEMBER = 2, 6, 7
ACCEPT = 1.5  # a member is kept when no target needed for the headline is missed by more than this times its need
HEADLINE_TARGETS = ("inactive", "fairly_active", "active", "no_minutes", "imd_odds_ratio", "disabled", "not_disabled",
                    "child_less", "child_fairly", "child_active")  # fmt: skip


@dataclass(frozen=True)
class Space:
    """The fitted numbers: their ledger paths, prior centres and spreads, and ends that they may not leave."""

    paths: tuple[str, ...]
    centre: NDArray[np.float64]
    spread: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    @classmethod
    def of(cls, ledger: Ledger) -> Space:
        """Return the space of every number that the ledger marks `computed` and gives a range."""
        rows = [p for p in ledger.values() if p.status == "computed" and p.low is not None and p.high is not None]
        low, high, centre = (np.array([getattr(p, name) for p in rows], float) for name in ("low", "high", "value"))
        uniform, positive = (np.array([p.distribution == kind for p in rows]) for kind in ("uniform", "lognormal"))
        # a uniform prior ends where it ends; the others may go twice as far as their 5th and 95th percentiles
        lowest = np.where(uniform, low, centre - 2 * (centre - low))
        highest = np.where(uniform, high, centre + 2 * (high - centre))
        spread = np.where(uniform, (high - low) / np.sqrt(12), (high - low) / 3.29)
        return cls(tuple(p.path for p in rows), centre, spread, np.where(positive, np.maximum(lowest, 0.05), lowest), highest)

    def clip(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.clip(x, self.low, self.high)


@dataclass(frozen=True)
class Fit:
    """A fitted point: the numbers, what the run gave for every target, and the objective."""

    x: NDArray[np.float64]
    measured: NDArray[np.float64]
    objective: float


def gauss_newton(
    evaluate: Callable[[NDArray], NDArray], start: Fit, space: Space, prior: NDArray, goal: NDArray, spread: NDArray,
    derivatives: NDArray, steps: int,
) -> tuple[Fit, NDArray]:  # fmt: skip
    """Return the best point found and the derivatives as updated on the way (Broyden), by damped Gauss-Newton steps.

    `derivatives` (targets, numbers) are of the fitted targets; `evaluate` returns those targets at a point.
    """
    best, J, damping = start, derivatives.copy(), 1e-2

    def objective(x: NDArray, y: NDArray) -> float:
        return float((((y - goal) / spread) ** 2).sum() + (((x - prior) / space.spread) ** 2).sum())

    best = Fit(start.x, start.measured, objective(start.x, start.measured))
    for _ in range(steps):
        A = J * space.spread / spread[:, None]
        r = np.concatenate([(goal - best.measured) / spread, (prior - best.x) / space.spread])
        M = np.vstack([A, np.eye(best.x.size)])
        step = np.linalg.solve(M.T @ M + damping * np.diag(np.diag(M.T @ M)), M.T @ r)
        step = np.clip(step, -1.5, 1.5) * space.spread
        x = space.clip(best.x + step)
        y = evaluate(x)
        moved = x - best.x
        if moved @ moved > 0:
            scaled = moved / space.spread**2
            J = J + np.outer(y - best.measured - J @ moved, scaled) / (scaled @ moved)
        tried = Fit(x, y, objective(x, y))
        if tried.objective < best.objective:
            best, damping = tried, damping / 3
        else:
            damping *= 6
    return best, J


@dataclass(frozen=True)
class Problem:
    """What is fitted to what: small and picklable, so that members can be fitted in any process."""

    place: str
    people: int | None
    place_seed: int
    seed: int
    targets: tuple[published.Target, ...]
    space: Space

    @property
    def fitted(self) -> NDArray[np.bool_]:
        """Which targets are fitted; the others are only measured."""
        return np.array([t.role == "fit" for t in self.targets])

    def column(self, name: str) -> NDArray[np.float64]:
        """Return value, spread or need of every target."""
        return np.array([getattr(t, name) for t in self.targets])


class Evaluation:
    """Runs the model at points of the space, for given values of all other numbers, and remembers every target it measured."""

    def __init__(self, problem: Problem, base: dict[str, float]) -> None:
        self.problem, self.base = problem, base
        self.population = load_place(problem.place, problem.people, problem.place_seed)
        self.measured: dict[bytes, NDArray[np.float64]] = {}

    def values(self, x: NDArray[np.float64]) -> dict[str, float]:
        """Return the value of every number of the ledger at a point."""
        return {**self.base, **dict(zip(self.problem.space.paths, (float(v) for v in x), strict=True))}

    def __call__(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the fitted targets at a point."""
        problem = self.problem
        found = published.measure(self.population, make_rules(self.values(x)), problem.targets, problem.seed)
        self.measured[x.tobytes()] = found
        return found[problem.fitted]


@dataclass(frozen=True)
class Member:
    """A draw of the ensemble: values by ledger path, what they gave for every target, and the worst headline miss."""

    values: dict[str, float]
    measured: NDArray[np.float64]
    miss: float

    @classmethod
    def read(cls, runs: Runs, key: str) -> Member:
        """Return a finished member from where it is kept."""
        values, measured = (runs.read(table, [key]).to_pydict() for table in ("values", "measured"))
        miss = float(runs.notes([key])[0]["miss"])
        return cls(dict(zip(values["path"], values["value"], strict=True)), np.array(measured["value"]), miss)


@dataclass(frozen=True)
class _Task:
    problem: Problem
    number: int
    start: NDArray[np.float64]
    derivatives: NDArray[np.float64]


def calibrate(settings: CalibrateSettings) -> Path:
    """Fit the centre and an ensemble, write both with their provenance beside the ledger, and return the file.

    Raises MovesimError when fewer members than asked for come close enough to the headline targets.
    """
    if settings.method == "posterior":
        from movesim.experiments.posterior import calibrate_posterior

        return calibrate_posterior(settings)
    ledger = behaviour_ledger()
    people = None if settings.people == "all" else int(settings.people)
    problem = Problem(
        settings.place, people, settings.place_seed, settings.seed, published.read_targets(), Space.of(ledger)
    )  # fmt: skip
    space, goal, spread = problem.space, problem.column("value")[problem.fitted], problem.column("spread")[problem.fitted]
    say = (lambda text: None) if settings.quiet else (lambda text: print(text, file=sys.stderr, flush=True))
    run = Evaluation(problem, ledger.central())
    point = Fit(space.centre, run(space.centre), np.inf)
    for turn in range(TURNS_OF_CENTRE):
        J = finite_differences(run, point, space)
        point, J = gauss_newton(run, point, space, space.centre, goal, spread, J, STEPS_OF_CENTRE)
        say(f"centre, turn {turn + 1} of {TURNS_OF_CENTRE}: objective {point.objective:.1f}")
    J = finite_differences(run, point, space)
    members, tried = _members(problem, settings, point.x, J, say)
    _write(settings, ledger, run.values(point.x), members, problem.targets, run.measured[point.x.tobytes()], tried)
    return fit_file()


def finite_differences(at: Callable[[NDArray], NDArray], point: Fit, space: Space) -> NDArray[np.float64]:
    """Return derivatives of the targets by one-sided differences of a fifth of the prior's spread, inside the ends."""
    J = np.zeros((point.measured.size, point.x.size))
    for i in range(point.x.size):
        h = 0.2 * space.spread[i]
        if point.x[i] + h > space.high[i]:
            h = -h
        x = point.x.copy()
        x[i] += h
        J[:, i] = (at(x) - point.measured) / h
    return J


def fit_member(task: _Task) -> Member:
    """Fit one member of the ensemble: its own draw of what is assumed, its own targets and priors."""
    problem, space = task.problem, task.problem.space
    names, fitted = [t.name for t in problem.targets], problem.fitted
    value, spread, need = (problem.column(name) for name in ("value", "spread", "need"))
    run = Evaluation(problem, behaviour_ledger().draw(problem.seed, task.number))
    ids = [draws.hash_id(name) for name in (*names, *space.paths)]
    z = draws.normal(ids, task.number, "parameter", draws.key(problem.seed, "calibrate"))
    goal = (value + spread * z[: len(names)])[fitted]
    prior = space.clip(space.centre + space.spread * np.clip(z[len(names) :], -2, 2))
    start = Fit(task.start, run(task.start), np.inf)
    best, _ = gauss_newton(run, start, space, prior, goal, spread[fitted], task.derivatives, STEPS_OF_MEMBER)
    measured = run.measured[best.x.tobytes()]
    headline = np.array([names.index(name) for name in HEADLINE_TARGETS])
    miss = np.abs(measured - value)[headline] / need[headline]
    return Member(run.values(best.x), measured, float(miss.max()))


def member_of(task: _Task) -> tuple[dict[str, pd.DataFrame], dict[str, float]]:
    """Fit a member and return it as tables and notes; what a worker process is asked to do."""
    import pandas as pd

    found = fit_member(task)
    values = pd.DataFrame({"path": list(found.values), "value": list(found.values.values())})
    return {"values": values, "measured": pd.DataFrame({"value": found.measured})}, {"miss": found.miss}


def _members(
    problem: Problem, settings: CalibrateSettings, start: NDArray, J: NDArray, say: Callable[[str], None]
) -> tuple[list[Member], int]:
    """Return the first members that come close enough, in the order of their draws, and how many draws were tried."""
    identity = {**settings.identity(), "sources": model_id(), "libraries": libraries(), "start": start.tolist(), "J": J.tolist()}
    identity["work"] = source_of(__file__)
    keys, runs = Keys(identity), Runs(cache_folder("calibrate") / fingerprint(identity))
    kept: list[Member] = []
    tried = 0
    with closing(Local(usable_cpus()) if usable_cpus() > 1 else Serial()) as engine:
        while len(kept) < settings.keep and tried < settings.points:
            # as many as are likely to be needed; the number depends on counts alone, so the ensemble does not depend on workers
            batch = range(tried, min(settings.points, tried + max(4, round(1.3 * (settings.keep - len(kept))))))
            jobs = [Job(keys.key(i), _Task(problem, i, start, J), {"draw": i}) for i in batch]
            tally = do_missing(runs, member_of, jobs, len(jobs), engine, what="draws", quiet=settings.quiet)
            tally.refuse_failures(runs, "draws")
            for i in batch:
                member = Member.read(runs, keys.key(i))
                say(f"draw {i + 1}: worst headline miss is {member.miss:.2f} of what is allowed")
                if member.miss <= ACCEPT:
                    kept.append(member)
            tried = batch.stop
            say(f"{min(len(kept), settings.keep)} of {settings.keep} members kept after {tried} draws")
    if len(kept) < settings.keep:
        raise MovesimError(
            f"Only {len(kept)} of {tried} draws came close enough to the headline targets, {settings.keep} are wanted; "
            "nothing was written. Give more points=, or look at which targets the messages above miss."
        )
    return kept[: settings.keep], tried


def _write(
    settings: CalibrateSettings, ledger: Ledger, centre: dict[str, float], members: list[Member],
    targets: tuple[published.Target, ...], at_centre: NDArray, tried: int,
) -> None:  # fmt: skip
    import pandas as pd
    import yaml

    rows = {CENTRAL: centre, **{i: member.values for i, member in enumerate(members)}}
    frame = pd.DataFrame.from_dict(rows, orient="index")[list(ledger)]
    frame.index.name = "draw"
    write_atomically(fit_file(), frame.to_csv(float_format="%.17g", lineterminator="\n"))
    every = np.array([member.measured for member in members])
    table = published.describe(targets, at_centre)
    for i, row in enumerate(table):
        row["ensemble_low"], row["ensemble_high"] = (float(x) for x in np.percentile(every[:, i], [5, 95]))
    provenance = {
        "made": datetime.date.today().isoformat(), "command": settings.command_line(), "place": settings.place,
        "people": settings.people, "seed": settings.seed, "draws_kept": len(members), "draws_tried": tried,
        "method": "Gauss-Newton centre; members by randomised maximum likelihood",
        "targets": table,
    }  # fmt: skip
    write_atomically(fit_file().with_suffix(".yaml"), yaml.safe_dump(provenance, sort_keys=False, allow_unicode=True, width=120))
