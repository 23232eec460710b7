"""A compiled run and the plain reference model side by side: small places, states, shifts and shocks, and following both."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from types import SimpleNamespace

import numpy as np

from movesim.behaviour.demography import Demography
from movesim.behaviour.reference import ReferenceModel
from movesim.behaviour.rules import References
from movesim.behaviour.side_by_side import Reading
from movesim.behaviour.simulation import Simulation
from movesim.interventions.acting import Acting
from movesim.interventions.delivery import Delivery
from movesim.interventions.shocks import Strike, load_shock
from movesim.words import ADULT_DOMAINS, ADULT_FROM, ADULT_LIMITS, CHILD_FROM, CHILD_LIMITS, LOCAL, TIES, WEEKS_A_YEAR
from small import small_population

TOLERANCE, MOST_NEAR_TIES = 1e-4, 1 / 5000
# What is told apart or counted must be equal; all else may differ by single precision.
EXACT = {
    "decisions", "sessions", "active", "alive", "status", "ties", "ids", "died", "born", "arrived", "households", "weight", "age",
    "sex", "ethnic_group", "impairments", "ns_sec", "in_work", "carer", "young_children", "pregnant_or_baby", "muslim",
    "cars_per_adult", "income_rank", "affluence", "household", "neighbourhood", "school",
}  # fmt: skip
PERSON_SHIFTS = ("P", "Y", "S", "R", "prompt", "access")
KINDS = (*PERSON_SHIFTS, "supply", "offer", "fte", "likeness")


# --- places -----------------------------------------------------------------------------------------------------------
def small_place(
    people: int,
    neighbourhoods: int = 10,
    seed: int = 0,
    ages: tuple[int, int] = (0, 95),
    ties: float = 4.0,
    schools: int = 2,
    local: bool = False,
) -> SimpleNamespace:
    """Return made-up people of these ages in households that lie in one neighbourhood each, tied both ways.

    `ties` is how many each person is to have on average, as far as the ten places go; `schools` are primary and secondary by
    turns, everywhere. With `local` neighbourhoods have what tables or a user may say besides (words.LOCAL), some of it unknown.
    """
    r = np.random.default_rng([people, neighbourhoods, seed])
    place = small_population(people, neighbourhoods, seed)
    p, n = place.people, people
    p["age"][:] = r.integers(*ages, n)
    child = p["age"] < ADULT_FROM
    for name, value in (("impairments", 0), ("in_work", 0), ("carer", 0), ("young_children", 0), ("pregnant_or_baby", 0)):
        p[name][child] = value
    p["impairments"][~child] = np.minimum(r.poisson(0.3, (~child).sum()), 3)
    p["ns_sec"][:] = np.where(child | (p["age"] > 74), 4, r.choice(4, n, p=[0.3, 0.35, 0.27, 0.08]))
    here = p["neighbourhood"]
    moves_in = np.concatenate([[False], (np.diff(here) > 0) | (r.random(n - 1) < 0.4)])
    p["household"][:] = np.cumsum(moves_in)
    p["affluence"][:] = np.where(child, r.integers(0, 3, n)[p["household"]], -1)
    phase = np.concatenate([[0], 1 + np.arange(schools) % 2]).astype(np.int8)
    place.schools = {
        "code": np.array(["none", *(f"S{k}" for k in range(schools))]), "phase": phase,
        "neighbourhood": np.concatenate([[0], r.integers(0, neighbourhoods, schools)]).astype(np.int32),
    }  # fmt: skip
    for column in LOCAL if local else ():
        low, high = {"park_distance": (0, 2000), "workforce": (0, 0.8), "price": (0, 2)}.get(column.name, (0.5, 1.6))
        said = r.uniform(low, high, neighbourhoods).astype(column.dtype)
        if column.name in ("park_distance", "workforce"):
            said[r.random(neighbourhoods) < 0.3] = np.nan
        place.neighbourhoods[column.name] = said
    pupil = child & (p["age"] >= 5)
    of_phase = {k: np.flatnonzero(phase == k) for k in (1, 2)}
    p["school"][:] = 0
    for k, rows in ((1, pupil & (p["age"] < 11)), (2, pupil & (p["age"] >= 11))):
        if of_phase[k].size:
            p["school"][rows] = r.choice(of_phase[k], rows.sum())
    place.ties, place.tie_kind = _tied(n, ties, r)
    return place


def _tied(n: int, ties: float, r: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    known: list[dict[int, int]] = [{} for _ in range(n)]
    for i, j in r.integers(0, n, (int(np.ceil(0.75 * ties * n)), 2)).tolist():
        if i != j and j not in known[i] and len(known[i]) < min(TIES, 1.5 * ties) and len(known[j]) < min(TIES, 1.5 * ties):
            known[i][j] = known[j][i] = int(r.integers(0, 4))
    out, kind = np.full((n, TIES), n, np.int32), np.full((n, TIES), -1, np.int8)
    for i, others in enumerate(known):
        out[i, : len(others)], kind[i, : len(others)] = list(others), list(others.values())
    return out, kind


def in_order(place: SimpleNamespace, rows: np.ndarray) -> SimpleNamespace:
    """Return these people of a place in this order, their ties to one another kept."""
    n = place.people["id"].size
    new = np.full(n + 1, rows.size, np.int32)
    new[rows] = np.arange(rows.size)
    changed = SimpleNamespace(**vars(place))
    changed.people = {name: column[rows] for name, column in place.people.items()}
    changed.ties, changed.tie_kind = new[place.ties[rows]], place.tie_kind[rows]
    return changed


# --- states and shifts ------------------------------------------------------------------------------------------------
def references(r: np.random.Generator) -> References:
    """Return references that differ by age band, and risks that differ by band and fifth."""
    guess = References.first_guess()
    drawn = {
        name: (getattr(guess, name) * r.uniform(0.7, 1.3, 7)).astype("f4")
        for name in ("peers", "mastery", "enjoyment", "intention")
    }
    return replace(guess, **drawn, risk=r.uniform(0.6, 1.0, (7, 5)).astype("f4"))


def add_shifts(simulation: Simulation, r: np.random.Generator, size: float = 0.7) -> None:
    """Give everybody and every place random shifts of all kinds; a third of the people none at all."""
    for name in (*PERSON_SHIFTS, "supply", "offer"):
        array = simulation.shifts.array(name)
        array[:] = r.normal(0, size, array.shape) * (r.random(array.shape[-1]) > 0.33)
    simulation.shifts.array("fte")[:] = r.uniform(-0.05, 0.7, simulation.fte.shape)
    simulation.shifts.array("likeness")[:] = r.uniform(-0.6, 0.9, simulation.fte.shape)
    for name in KINDS:
        simulation.shifts.touched(name)


def add_shifts_of_their_own(simulation: Simulation) -> None:
    """Shift everybody and every place by what depends on the person or place, never on the row."""
    ids, g = simulation.people.columns["id"], np.arange(simulation.fte.size)
    own = (ids % np.uint64(17)).astype(np.float32) / 8 - 1
    school = np.arange(simulation.offer.size)
    values = {"supply": g % 5 / 2 - 1, "offer": school % 3 / 4 - 0.2, "fte": g % 3 / 5, "likeness": g % 2 / 3}
    for name in KINDS:
        simulation.shifts.array(name)[:] = own if name in PERSON_SHIFTS else values[name]
        simulation.shifts.touched(name)


def shake(simulation: Simulation, r: np.random.Generator) -> None:
    """Put everybody into a random state: components, habits (none and full among them), minutes, statuses."""
    people, n = simulation.people, simulation.people.n
    alive = people.alive[:n]
    people.state[:, :n] = r.uniform(0.01, 1.0, (4, n))
    people.H[:, :n] = np.clip(r.uniform(-0.2, 1.2, (6, n)), 0, 1)
    people.ring[:, :n] = r.uniform(0, 600, (4, n)) * (r.random((4, n)) < 0.6) * alive
    people.mean[:n] = people.ring[:, :n].mean(axis=0)
    people.year_minutes[:n] = r.uniform(0, 30_000, n) * (r.random(n) < 0.8) * alive
    limit = np.where(people.age < 16, CHILD_LIMITS[1], ADULT_LIMITS[1])
    people.active[:n] = (people.mean[:n] >= limit) & (people.age >= 5) & alive


def lives(simulation: Simulation) -> dict[str, np.ndarray]:
    """Return all that is a person's own, in the order of their ids; columns of single precision lose nothing."""
    read = Reading.of(simulation)
    order = np.argsort(read.who["id"])
    read = read.of_rows(order)
    adult, carried = read.who["age"] >= ADULT_FROM, read.who["age"] < CHILD_FROM
    habits = np.where(carried, 0.0, read.habits)  # nobody's domains, and an adult's play and school
    habits[ADULT_DOMAINS:, adult] = 0.0
    parts = {name: getattr(read, name) for name in (
        "alive", "state", "last_four", "mean", "year", "status", "noise", "taste", "taste_domain", "volume_unit", "set_points",
        "access", "pull", "volume", "minutes",
    )}  # fmt: skip
    return {**{name: column for name, column in read.who.items() if name != "household"}, "habits": habits, **parts}


def apart(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> dict[str, int]:
    """Return for how many people each part of two sets of lives is not the same, bit for bit."""
    if not np.array_equal(one["id"], other["id"]):
        return {"id": np.setxor1d(one["id"], other["id"]).size}
    differs = {name: np.atleast_2d(column != other[name]).any(axis=0).sum() for name, column in one.items()}
    return {name: int(count) for name, count in differs.items() if count}


# --- shocks -----------------------------------------------------------------------------------------------------------
def strike(name: str, first: float, **times: float) -> Strike:
    """Return one of movesim's own shocks at its central numbers, in other weeks: `ramp`, `holds` and `recovery` may be given."""
    shock = load_shock(name)
    return replace(shock.strike(shock.ledger().central()), first=first, **times)


def acting(
    simulation: Simulation, delivery: Delivery | None = None, readiness: Callable | None = None, strikes: Sequence[Strike] = ()
) -> Callable[[], None]:
    """Return what writes a week's shifts into a run, as a study does: programmes and shocks."""
    both = Acting(simulation, delivery, strikes)
    return lambda: both.step(readiness)


# --- following both ---------------------------------------------------------------------------------------------------
@dataclass
class Seen:
    """What was met on the way, so that a test can tell that it has tested something."""

    decisions: int = 0
    near: int = 0
    sessions: int = 0
    minutes: float = 0.0
    terms: set = field(default_factory=set)
    years: list = field(default_factory=list)

    def __iadd__(self, other: Seen) -> Seen:
        self.decisions, self.near, self.sessions = (
            self.decisions + other.decisions, self.near + other.near, self.sessions + other.sessions
        )  # fmt: skip
        self.minutes, self.terms = max(self.minutes, other.minutes), self.terms | other.terms
        self.years += other.years
        return self

    def print_near_ties(self) -> None:
        print(f"near-ties: {self.near} of {self.decisions} decisions, one in {self.decisions / max(self.near, 1):,.0f}")


def begin_demography(simulation: Simulation) -> ReferenceModel:
    """Begin yearly demography in a run and in a reference model taken over from it."""
    simulation.demography = Demography.at(simulation)
    model = ReferenceModel.of(simulation)
    model.remember()
    return model


def same(found, when: str) -> None:
    """Fail where a comparison holds more than single precision explains."""
    wrong = {name: value for name, value in found.worst().items() if value > (0 if name in EXACT else TOLERANCE)}
    assert not wrong, f"{when}: the compiled run and the reference model differ in {wrong}"


def follow(simulation: Simulation, weeks: int, model: ReferenceModel | None = None, act: Callable | None = None) -> Seen:
    """Step a run and the reference model side by side, from the run's state each week; fail where they differ.

    `act()` is called before each week and may write to the run's shifts.
    """
    seen = Seen()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = model or ReferenceModel.of(simulation)
        for _ in range(weeks):
            simulation.people.domain_minutes[:] = 0
            if act is not None:
                act()
            model.read(simulation)
            simulation.step(measure=True)
            model.step()
            found = model.compare(simulation)
            same(found, f"week {model.week - 1}")
            seen.near += len(found.near_ties)
            seen.decisions += found.decisions
            seen.sessions += sum(sum(p.sessions) for p in model.everybody)
            seen.minutes = max(seen.minutes, max(sum(p.minutes) for p in model.everybody))
            seen.terms.add(model.term)
            if simulation.week % WEEKS_A_YEAR == 0:
                turn(simulation, model)
                seen.years.append(model.changes)
    return seen


def turn(simulation: Simulation, model: ReferenceModel) -> None:
    """Let both turn the year from the run's state; fail where they differ."""
    model.read(simulation)
    simulation.turn_of_the_year()
    model.turn_of_the_year()
    same(model.compare_lives(simulation), f"the turn of year {model.year}")
