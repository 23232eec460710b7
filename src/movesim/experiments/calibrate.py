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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from movesim import draws
from movesim.behaviour.parameters import CENTRAL, fit_file, write_atomically
from movesim.behaviour.rules import behaviour_ledger, make_rules
from movesim.errors import MovesimError
from movesim.evidence import Ledger
from movesim.experiments import targets as published
from movesim.place import load_place
from movesim.settings import CalibrateSettings

Run = Callable[[dict[str, float]], NDArray[np.float64]]
STEPS_OF_CENTRE, STEPS_OF_MEMBER = 6, 4
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


def calibrate(settings: CalibrateSettings) -> Path:
    """Fit the centre and an ensemble, write both with their provenance beside the ledger, and return the file.

    Raises MovesimError when fewer members than asked for come close enough to the headline targets.
    """
    ledger = behaviour_ledger()
    space, targets = Space.of(ledger), published.read_targets()
    fitted = np.array([t.role == "fit" for t in targets])
    goal, spread = (np.array([getattr(t, name) for t in targets])[fitted] for name in ("value", "spread"))
    people = None if settings.people == "all" else int(settings.people)
    population = load_place(settings.place, people, settings.place_seed)
    say = (lambda text: None) if settings.quiet else (lambda text: print(text, file=sys.stderr))

    def runner(base: dict[str, float]) -> Run:
        return lambda values: published.measure(population, make_rules({**base, **values}), targets, settings.seed)

    run = runner(ledger.central())
    everything: dict[bytes, NDArray] = {}

    def evaluate(run: Run) -> Callable[[NDArray], NDArray]:
        def at(x: NDArray) -> NDArray:
            everything[x.tobytes()] = run(dict(zip(space.paths, x, strict=True)))
            return everything[x.tobytes()][fitted]

        return at

    at = evaluate(run)
    point = Fit(space.centre, at(space.centre), np.inf)
    J = np.zeros((int(fitted.sum()), point.x.size))
    for turn in range(2):
        J = finite_differences(at, point, space)
        point, J = gauss_newton(at, point, space, space.centre, goal, spread, J, STEPS_OF_CENTRE)
        say(f"centre, turn {turn + 1}: objective {point.objective:.1f}")
    J = finite_differences(at, point, space)
    centre = {**ledger.central(), **dict(zip(space.paths, point.x, strict=True))}
    at_centre = everything[point.x.tobytes()]
    members, tried = _members(settings, ledger, space, point, J, targets, fitted, evaluate, runner, everything, say)
    _write(settings, ledger, centre, members, targets, at_centre, tried)
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


def _members(
    settings: CalibrateSettings, ledger: Ledger, space: Space, point: Fit, J: NDArray, targets: tuple[published.Target, ...],
    fitted: NDArray, evaluate: Any, runner: Any, everything: dict[bytes, NDArray], say: Callable[[str], None],
) -> tuple[list[tuple[dict[str, float], NDArray]], int]:  # fmt: skip
    names = [t.name for t in targets]
    value, spread, need = (np.array([getattr(t, name) for t in targets]) for name in ("value", "spread", "need"))
    headline = np.array([names.index(n) for n in HEADLINE_TARGETS])
    key = draws.key(settings.seed, "calibrate")
    members: list[tuple[dict[str, float], NDArray]] = []
    tried = 0
    while len(members) < settings.keep and tried < settings.points:
        base = ledger.draw(settings.seed, tried)
        z = draws.normal([draws.hash_id(n) for n in (*names, *space.paths)], tried, "parameter", key)
        goal = (value + spread * z[: len(names)])[fitted]
        prior = space.clip(space.centre + space.spread * np.clip(z[len(names) :], -2, 2))
        at = evaluate(runner(base))
        start = Fit(point.x, at(point.x), np.inf)
        best, _ = gauss_newton(at, start, space, prior, goal, spread[fitted], J, STEPS_OF_MEMBER)
        measured = everything[best.x.tobytes()]
        everything.clear()
        miss = np.abs(measured - value)[headline] / need[headline]
        tried += 1
        if miss.max() <= ACCEPT:
            members.append(({**base, **dict(zip(space.paths, best.x, strict=True))}, measured))
        say(f"draw {tried}: worst headline miss {miss.max():.2f} of what is allowed; {len(members)} of {settings.keep} kept")
    if len(members) < settings.keep:
        raise MovesimError(
            f"Only {len(members)} of {tried} draws came close enough to the headline targets, {settings.keep} are wanted; "
            "nothing was written. Give more points=, or look at which targets the messages above miss."
        )
    return members, tried


def _write(
    settings: CalibrateSettings, ledger: Ledger, centre: dict[str, float], members: list[tuple[dict[str, float], NDArray]],
    targets: tuple[published.Target, ...], at_centre: NDArray, tried: int,
) -> None:  # fmt: skip
    import pandas as pd
    import yaml

    rows = {CENTRAL: centre, **{i: values for i, (values, _) in enumerate(members)}}
    frame = pd.DataFrame.from_dict(rows, orient="index")[list(ledger)]
    frame.index.name = "draw"
    write_atomically(fit_file(), frame.to_csv(float_format="%.17g", lineterminator="\n"))
    every = np.array([measured for _, measured in members])
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
