"""Where a compiled run and the plain reference model differ after they lived the same week, or the same turn of a year.

`Reading` is all that the reference model and the comparison know of how a run keeps its people.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from movesim.behaviour import lasting
from movesim.errors import InputError
from movesim.words import ADULT_DOMAINS, ADULT_LIMITS, CHILD_LIMITS, DOMAINS, PEOPLE, RECORD_EVERY

if TYPE_CHECKING:
    from movesim.behaviour.reference import ReferenceModel
    from movesim.behaviour.simulation import Simulation

D = len(DOMAINS)
NEAR_STATUS = 1e-4  # a mean this close to its limit, relative to it, may count either way
FULL_HABIT = 0.999  # from here sessions can no longer be read off what habit gained
# What a turn of the year may change about who somebody is; the other columns last.
CIRCUMSTANCES = tuple(c.name for c in PEOPLE if c.name != "id")


@dataclass(frozen=True)
class Reading:
    """The people of a run at its present week, in double precision: who they are, what lasts, where they stand.

    The last axis of every array is the people in use. `last_four` (4, n) are weekly minutes, the oldest first; `year` the
    minutes since the turn of the year; `status` who was active in the week behind; `ties` (places, n) the rows of those tied
    to, -1 where a place is free, and `kinds` of tie; `set_points` (4, n), `access` (6, n) as a logarithm, `pull` (6, n) and
    `volume` what follows from who they are; `minutes` (6, n) by domain since they were last set to zero.
    """

    who: dict[str, NDArray]
    alive: NDArray
    state: NDArray
    habits: NDArray
    last_four: NDArray
    mean: NDArray
    year: NDArray
    status: NDArray
    noise: NDArray
    taste: NDArray
    taste_domain: NDArray
    volume_unit: NDArray
    ties: NDArray
    kinds: NDArray
    set_points: NDArray
    access: NDArray
    pull: NDArray
    volume: NDArray
    minutes: NDArray

    @classmethod
    def of(cls, simulation: Simulation, rows: Sequence[int] | None = None) -> Reading:
        """Return copies of what the run holds now of everybody, or of the people in some rows."""
        people, n, week = simulation.people, simulation.people.n, simulation.week
        at: Any = slice(0, n) if rows is None else np.asarray(rows, np.int64)
        as_double = lambda array: np.array(array[..., at], np.float64)  # noqa: E731
        last_four = as_double(people.ring)[[(week + k) % 4 for k in range(4)]]
        since_record = last_four[4 - week % RECORD_EVERY :].sum(axis=0)  # the year's minutes are added up every four weeks
        ties = np.array(people.ties[at], np.int64).T
        drawn = lasting.drawn(people, simulation.rules)
        return cls(
            {column.name: np.array(people.columns[column.name][at]) for column in PEOPLE},
            np.array(people.alive[at]), as_double(people.state), as_double(people.H), last_four, as_double(people.mean),
            as_double(people.year_minutes) + since_record, np.array(people.active[at] > 0), as_double(drawn["noise"]),
            as_double(people.taste), as_double(drawn["taste_domain"]), as_double(drawn["volume_unit"]),
            np.where(ties < n, ties, -1), np.array(people.tie_kind[at]).T, as_double(people.base), as_double(people.log_A),
            as_double(people.drive), as_double(people.volume), as_double(people.domain_minutes),
        )  # fmt: skip

    def by_person(self) -> dict[str, list]:
        """Return the arrays as lists with one entry a person; `who` in the order of `names`."""
        table = {f.name: getattr(self, f.name).T.tolist() for f in fields(self)[1:]}
        columns = [column.tolist() for column in self.who.values()]
        return {"names": list(self.who), "who": list(zip(*columns, strict=True)), **table}

    def of_rows(self, rows: NDArray[np.int64]) -> Reading:
        """Return the same of some rows, in their order (ties keep the rows of the whole)."""
        columns = {name: column[rows] for name, column in self.who.items()}
        return Reading(columns, *(getattr(self, f.name)[..., rows] for f in fields(self)[1:]))


@dataclass
class Comparison:
    """Differences after a week or a turn of the year.

    `differences` holds per attribute and person the largest relative difference (for what is counted or told apart: how many
    differ); `places` the same per neighbourhood or whole; `near_ties` the (row, domain) of decisions too close to their
    threshold to call, with -1 for those of a year's turn; `decisions` how many were taken.
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

    def count(self, name: str, differs: Any) -> None:
        """Keep how often people differ in what is told apart, not measured."""
        differs = np.asarray(differs)
        self.differences[name] = (differs.sum(axis=0) if differs.ndim == 2 else differs).astype(float)

    def worst(self) -> dict[str, float]:
        """Return per attribute the largest difference among people without a near-tie, and among places."""
        clear = np.ones(self.people, bool)
        clear[[row for row, _ in self.near_ties]] = False
        worst = {name: float(values[clear].max(initial=0.0)) for name, values in self.differences.items()}
        return worst | {name: float(np.max(values, initial=0.0)) for name, values in self.places.items()}


def compare(model: ReferenceModel, simulation: Simulation) -> Comparison:
    """Return the differences of a run from the reference model after the same one step from the same state.

    The run's domain minutes must have been zero at the model's last `read`, so that they are this week's alone. Children
    under five are left out where the specification is silent: their components and habits. Raises InputError when the two
    stand at different weeks or hold different people.
    """
    if simulation.week != model.week:
        raise InputError(f"The run stands at week {simulation.week} and the reference model at week {model.week}; step both.")
    everybody, read = model.everybody, Reading.of(simulation)
    if read.who["id"].tolist() != [p.who["id"] for p in everybody]:
        raise InputError("The run and the reference model hold different people; let the model read the run first.")
    worked = np.array([[d in p.domains() for d in range(D)] for p in everybody]).T
    own = np.array([[p.scored and (p.child or d < ADULT_DOMAINS) for d in range(D)] for p in everybody]).T
    scored = np.array([p.scored for p in everybody])
    out = Comparison(len(everybody), int(worked.sum()), [(row, d) for row, p in enumerate(everybody) for d in p.near])

    for row, name in enumerate("PYSR"):
        out.note(name, [getattr(p, name) for p in everybody], read.state[row], scored)
    _note_what_follows(out, model, read)
    out.note("x4", [p.x4 for p in everybody], read.mean, floor=1e-2)
    out.note("year", [p.year_total for p in everybody], read.year, floor=1e-2)
    out.note("H", np.transpose([p.H for p in everybody]), read.habits, own)
    # what school takes from play may leave next to nothing, a difference of near-equal minutes: below a minute it is absolute
    out.note("minutes", np.transpose([p.minutes for p in everybody]), read.minutes, floor=1.0)
    if simulation.measured is not None:
        for row, name in enumerate(("share", "mastery", "enjoyment")):
            out.note(name, [getattr(p, name) for p in everybody], simulation.measured[row, : model.n], scored, floor=1e-6)

    ours = np.transpose([p.sessions for p in everybody])
    theirs = _sessions(model, read, ours) * worked
    out.count("decisions", (ours > 0) != (theirs > 0))
    out.count("sessions", ours != theirs)
    limit = np.array([(CHILD_LIMITS if p.child else ADULT_LIMITS)[1] for p in everybody])
    clear = np.abs([p.x4 for p in everybody] / limit - 1) > NEAR_STATUS
    out.count("active", clear & ([p.active for p in everybody] != read.status))
    out.places["trust"] = _relative([place.trust for place in model.places], simulation.trust)
    out.places["supply"] = _relative(np.transpose([place.supply for place in model.places]), np.exp(simulation.log_E_star))
    return out


def compare_lives(model: ReferenceModel, simulation: Simulation) -> Comparison:
    """Return the differences of a run from the reference model after the same turn of the year from the same state.

    People are matched by their ids, the dead included: who they are, their ties, what lasts, what follows from it, and where
    they stand. `places` counts ids that only one of the two has, and differences in how many died, were born and arrived.
    """
    year, read = model.changes, Reading.of(simulation)
    ids = read.who["id"].tolist()
    row_of = {identity: row for row, identity in enumerate(ids)}
    everybody = [p for p in model.everybody if p.who["id"] in row_of]
    read_ties, read_kinds = read.ties.T.tolist(), read.kinds.T.tolist()
    rows = np.array([row_of[p.who["id"]] for p in everybody])
    read = read.of_rows(rows)
    close = {p.who["id"] for p in year.close} if year is not None else set()
    near = [(row, -1) for row, p in enumerate(everybody) if p.who["id"] in close]
    out = Comparison(len(everybody), year.decisions if year is not None else 0, near)
    out.places["ids"] = np.array([len((set(ids) ^ {p.who["id"] for p in model.everybody}) - close)], float)

    for name in CIRCUMSTANCES:
        out.count(name, np.array([p.who[name] for p in everybody]) != read.who[name])
    out.count("alive", [p.alive for p in everybody] != read.alive)
    out.count("status", [p.status for p in everybody] != read.status)
    theirs = [
        sorted((ids[other], kind) for other, kind in zip(read_ties[row], read_kinds[row], strict=True) if other >= 0)
        for row in rows
    ]
    out.count("ties", [sorted((t.who["id"], kind) for t, kind in p.tied) != other for p, other in zip(everybody, theirs)])
    for row, name in enumerate("PYSR"):
        out.note(name, [getattr(p, name) for p in everybody], read.state[row])
    out.note("H", np.transpose([p.H for p in everybody]), read.habits, floor=1e-3)
    for name, column in (("noise", read.noise), ("taste_domain", read.taste_domain)):
        out.note(name, np.transpose([getattr(p, name) for p in everybody]), column, floor=1.0)  # in standard deviations
    out.note("last_four", np.transpose([p.last_four for p in everybody]), read.last_four, floor=1e-2)
    out.note("x4", [p.x4 for p in everybody], read.mean, floor=1e-2)
    out.note("year", [p.year_total for p in everybody], read.year, floor=1e-2)
    out.note("taste", [p.taste for p in everybody], read.taste, floor=1.0)
    out.note("volume_unit", [p.volume_unit for p in everybody], read.volume_unit, floor=1.0)
    _note_what_follows(out, model, read, everybody)

    found = simulation.changes
    if year is not None and found is not None:
        for name in ("died", "born", "arrived"):
            out.places[name] = np.array([max(abs(getattr(year, name) - getattr(found, name).size) - len(close), 0)], float)
        out.places["households"] = np.array([abs(year.households - found.households)], float)
    return out


def _note_what_follows(out: Comparison, model: ReferenceModel, read: Reading, everybody: Any = None) -> None:
    """Compare what follows from who people are: set-points, access, pull and volume."""
    everybody = model.everybody if everybody is None else everybody
    for row, name in enumerate("PYSR"):
        out.note(name + "0", [getattr(p, name + "0") for p in everybody], read.set_points[row])
    out.note("volume", [p.volume for p in everybody], read.volume)
    out.note("access", np.log([p.A for p in everybody]).T, read.access, floor=1.0)
    out.note("pull", np.transpose([p.drive for p in everybody]), read.pull, floor=1.0)


def _sessions(model: ReferenceModel, read: Reading, ours: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the run's session counts of this week: read off its habits, and off its minutes where habit is full already."""
    before, after = model.habit_before, read.habits
    mine, kernel = np.transpose([p.minutes for p in model.everybody]), read.minutes
    with np.errstate(divide="ignore", invalid="ignore"):
        by_habit = np.log((1 - after) / (1 - before)) / math.log1p(-model.values["habit.gain"])
        by_minutes = np.where((mine > 0) & (kernel > 0), ours * kernel / mine, ours)
    done = (after >= before) & (after > 0)
    return np.rint(np.where(done, np.where(before < FULL_HABIT, by_habit, by_minutes), 0)).astype(np.int64)


def _relative(ours: Any, theirs: Any, floor: float = 1e-12) -> NDArray[np.float64]:
    a, b = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    return np.abs(a - b) / np.maximum(np.maximum(np.abs(a), np.abs(b)), floor)
