"""From shifts to what the week reads: set-points, pull, access and supply as interventions and shocks have moved them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numba import float32, float64, uint64
from numpy.typing import NDArray

from movesim.behaviour.shifts import PERSON, touched_rows
from movesim.draws import compiled

if TYPE_CHECKING:
    from movesim.behaviour.simulation import Simulation

# What the week reads, by the column of people that it is while nothing is shifted.
STARS = {"star": "base", "drive_star": "drive", "log_A_star": "log_A"}
# What follows from who people are, so that the turn of a year renews it under the same shifts.
LASTING = (*PERSON, "prompt", "access")


def apply_shifts(run: Simulation) -> None:
    """Bring what the week reads up to date with the shifts that have been touched."""
    changed = run.shifts.take_changes()
    if not changed:
        return
    people, shifts = run.people, run.shifts
    if changed & set(PERSON):
        if run.star is people.base:
            run.star = people.base.copy()
        for row, name in enumerate(PERSON):
            shift, base, star = shifts.get(name), people.base[row], run.star[row]
            at = shifts.changed_rows(name) if name in changed else None
            if shift is None:
                star[:] = base  # a component without a shift follows its baseline, which the turn of a year renews
            elif at is not None:
                star[at] = np.where(shift[at] == 0, base[at], shifted(base[at], shift[at]))
            elif name in changed:
                star[:], at = base, touched_rows(shift)
                star[at] = shifted(base[at], shift[at])
    if "prompt" in changed:
        at = shifts.changed_rows("prompt")
        if run.drive_star is people.drive:
            run.drive_star, at = np.empty_like(people.drive), None
        if at is None:
            np.add(people.drive, shifts.array("prompt"), out=run.drive_star)
        else:
            add_rows(at, people.drive, shifts.array("prompt"), run.drive_star)
    if "supply" in changed:
        shift = shifts.array("supply")
        at, log_E, moved = touched_rows(shift.reshape(-1)), run.log_E.reshape(-1), run.log_E.flatten()
        moved[at] = np.log(shifted(np.exp(log_E[at]), shift.reshape(-1)[at]))
        run.log_E_star = moved.reshape(run.log_E.shape)
    opened = shifts.get("access")
    if opened is not None and changed & {"access", "supply"}:
        # what is added to somebody's opportunity depends on the supply it adds to
        at = shifts.changed_rows("access") if "access" in changed and "supply" not in changed else None
        if run.log_A_star is people.log_A:
            run.log_A_star, at = people.log_A.copy(), None
        rows = np.arange(people.n) if at is None else at
        open_rows(rows, people.columns["neighbourhood"], opened, run.log_E_star, people.log_A, run.log_A_star)


def shifted(x: NDArray[np.float32], shift: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return expit(logit(x) + shift), kept in [0.01, 1]; for rows whose shift is not 0: the others stay untransformed."""
    with np.errstate(divide="ignore", over="ignore"):
        moved = 1 / (1 + (1 / x - 1) * np.exp(-shift))
    return np.minimum(np.maximum(moved, np.float32(0.01)), np.float32(1.0))


@compiled
def add_rows(rows, base, shift, out):
    """Write base + shift to these rows of every line of a table."""
    for d in range(out.shape[0]):
        for i in range(rows.size):
            j = uint64(rows[i])
            out[d, j] = base[d, j] + shift[d, j]


@compiled
def open_rows(rows, home, shift, log_E, log_A, out):
    """Write access such that physical opportunity p = E A becomes expit(logit(p) + shift), in logs; as it is where it is 0."""
    for d in range(out.shape[0]):
        for i in range(rows.size):
            j = uint64(rows[i])
            s = float64(shift[d, j])
            out[d, j] = log_A[d, j]
            if s != 0.0:
                supply = float64(log_E[d, uint64(home[j])])
                out[d, j] = float32(-math.log1p(math.expm1(-(supply + log_A[d, j])) * math.exp(-s)) - supply)
