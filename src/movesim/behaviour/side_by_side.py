"""Where a compiled run and the plain reference model differ after they took the same week from the same state."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from movesim.errors import InputError
from movesim.words import ADULT_DOMAINS, ADULT_LIMITS, CHILD_LIMITS, DOMAINS

if TYPE_CHECKING:
    from movesim.behaviour.reference import ReferenceModel
    from movesim.behaviour.simulation import Simulation

D = len(DOMAINS)
NEAR_STATUS = 1e-4  # a mean this close to its limit, relative to it, may count either way
FULL_HABIT = 0.999  # from here sessions can no longer be read off what habit gained


@dataclass
class Comparison:
    """Differences after a week.

    `differences` holds per attribute and person the largest relative difference (for decisions, sessions and active: how
    many differ); `places` the same per neighbourhood; `near_ties` the (row, domain) of decisions too close to their
    threshold to call; `decisions` how many were taken.
    """

    people: int
    decisions: int
    near_ties: list[tuple[int, int]] = field(default_factory=list)
    differences: dict[str, NDArray] = field(default_factory=dict)
    places: dict[str, NDArray] = field(default_factory=dict)

    def note(self, name: str, ours: Any, theirs: NDArray, where: NDArray | bool = True, floor: float = 1e-12) -> None:
        """Keep the relative differences of an attribute `where` it is theirs to have, the largest over the domains."""
        apart = np.where(where, _relative(ours, theirs, floor), 0.0)
        self.differences[name] = apart.max(axis=0) if apart.ndim == 2 else apart

    def worst(self) -> dict[str, float]:
        """Return per attribute the largest difference among people without a near-tie, and among places."""
        clear = np.ones(self.people, bool)
        clear[[row for row, _ in self.near_ties]] = False
        worst = {name: float(values[clear].max(initial=0.0)) for name, values in self.differences.items()}
        return worst | {name: float(values.max()) for name, values in self.places.items()}


def compare(model: ReferenceModel, simulation: Simulation) -> Comparison:
    """Return the differences of a run from the reference model after the same one step from the same state.

    The run's domain minutes must have been zero at the model's last `read`, so that they are this week's alone. Children
    under five are left out where the specification is silent: their components and habits. Raises InputError when the two
    stand at different weeks.
    """
    if simulation.week != model.week:
        raise InputError(f"The run stands at week {simulation.week} and the reference model at week {model.week}; step both.")
    people, n, everybody = simulation.people, model.n, model.everybody
    worked = np.array([[d in p.domains() for d in range(D)] for p in everybody]).T
    own = np.array([[p.scored and (p.child or d < ADULT_DOMAINS) for d in range(D)] for p in everybody]).T
    scored = np.array([p.scored for p in everybody])
    out = Comparison(people=n, decisions=int(worked.sum()), near_ties=[(p.row, d) for p in everybody for d in p.near])

    for row, name in enumerate("PYSR"):
        out.note(name, [getattr(p, name) for p in everybody], people.state[row, :n], scored)
        out.note(name + "0", [getattr(p, name + "0") for p in everybody], people.base[row, :n])
    out.note("x4", [p.x4 for p in everybody], people.mean[:n], floor=1e-2)
    out.note("volume", [p.volume for p in everybody], people.volume[:n])
    out.note("access", np.log([p.A for p in everybody]).T, people.log_A[:, :n], floor=1.0)
    out.note("pull", np.transpose([p.drive for p in everybody]), people.drive[:, :n], floor=1.0)
    out.note("H", np.transpose([p.H for p in everybody]), people.H[:, :n], own)
    out.note("minutes", np.transpose([p.minutes for p in everybody]), people.domain_minutes[:, :n], floor=1e-2)
    if simulation.measured is not None:
        for row, name in enumerate(("share", "mastery", "enjoyment")):
            out.note(name, [getattr(p, name) for p in everybody], simulation.measured[row, :n], scored, floor=1e-6)

    ours = np.transpose([p.sessions for p in everybody])
    theirs = _sessions(model, simulation, ours) * worked
    out.differences["decisions"] = ((ours > 0) != (theirs > 0)).sum(axis=0).astype(float)
    out.differences["sessions"] = (ours != theirs).sum(axis=0).astype(float)
    limit = np.array([(CHILD_LIMITS if p.child else ADULT_LIMITS)[1] for p in everybody])
    clear = np.abs([p.x4 for p in everybody] / limit - 1) > NEAR_STATUS
    active = np.array([p.active for p in everybody])
    out.differences["active"] = (clear & (active != (people.active_before[:n] > 0))).astype(float)
    out.places["trust"] = _relative([place.trust for place in model.places], simulation.trust)
    out.places["supply"] = _relative(np.transpose([place.supply for place in model.places]), np.exp(simulation.log_E_star))
    return out


def _sessions(model: ReferenceModel, simulation: Simulation, ours: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the run's session counts of this week: read off its habits, and off its minutes where habit is full already."""
    people, n = simulation.people, model.n
    before, after = model.habit_before, people.H[:, :n].astype(np.float64)
    mine, kernel = np.transpose([p.minutes for p in model.everybody]), people.domain_minutes[:, :n]
    with np.errstate(divide="ignore", invalid="ignore"):
        by_habit = np.log((1 - after) / (1 - before)) / math.log1p(-model.values["habit.gain"])
        by_minutes = np.where((mine > 0) & (kernel > 0), ours * kernel / mine, ours)
    done = (after >= before) & (after > 0)
    return np.rint(np.where(done, np.where(before < FULL_HABIT, by_habit, by_minutes), 0)).astype(np.int64)


def _relative(ours: Any, theirs: Any, floor: float = 1e-12) -> NDArray[np.float64]:
    a, b = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    return np.abs(a - b) / np.maximum(np.maximum(np.abs(a), np.abs(b)), floor)
