"""One pair: one parameter draw and one seed, shared by the baseline and every scenario, from burn-in to tables."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from movesim import draws
from movesim.behaviour.demography import Demography, spare_rows
from movesim.behaviour.parameters import draw_number, model_id, rules_and_references
from movesim.behaviour.simulation import Simulation
from movesim.errors import GuardError, InputError, did_you_mean, one_of
from movesim.experiments.shares import share_of
from movesim.interventions.acting import Acting
from movesim.interventions.bench import england_readiness, solve
from movesim.interventions.delivery import Delivery
from movesim.interventions.files import load_scenario
from movesim.interventions.learning import Look
from movesim.outcomes.axes import levels
from movesim.outcomes.record import Recorder
from movesim.place import load_place
from movesim.place.parts import part_of
from movesim.words import ADULT_LIMITS, AGE_GROUPS, AXES, CHILD_LIMITS, RECORD_EVERY, WEEKS_A_YEAR

if TYPE_CHECKING:
    from movesim.behaviour.people import People
    from movesim.interventions.scenario import Scenario
    from movesim.interventions.shocks import Shock
    from movesim.place.population import Population

BASELINE = "baseline"


@dataclass(frozen=True)
class Task:
    """What a pair needs to know; small and picklable, so that it can go to any process."""

    replicate: int
    scenarios: tuple[str, ...]
    place: str
    people: int | None
    place_seed: int
    seed: int
    years: int
    draws: str
    demography: bool
    areas: tuple[int, ...] = ()
    behaviour: Mapping[str, float] = field(default_factory=dict)
    every_group: bool = False
    placebo: bool | None = None  # whether the dose of nothing is run; None: in pair 0
    read: tuple[Scenario, ...] = ()  # the scenarios themselves, baseline first, with numbers set by hand; else read by name
    population: str = ""  # fingerprint of the people and hash of the sources that the study was planned with; "": any
    sources: str = ""
    every_year: bool = False  # of a sweep: keep all years, not only the last
    threads: int = 1  # of one run; changes no number
    part: int | None = None  # the local authority (its index) that is run by itself; None: the whole place
    shocks: tuple[Shock, ...] = ()  # what strikes every run, no change included

    @property
    def has_placebo(self) -> bool:
        """Whether the dose of nothing is run beside each scenario."""
        return self.replicate == 0 if self.placebo is None else self.placebo


class OtherMake(InputError):
    """A worker that would give other numbers than the study: other sources, or other people."""


@dataclass(frozen=True)
class Ending:
    """Who was there when a run ended, whether they count, and their status (0 inactive, 1 fairly active, 2 active)."""

    id: NDArray[np.uint64]
    live: NDArray[np.int8]
    status: NDArray[np.int8]

    @classmethod
    def of(cls, people: People) -> Ending:
        return cls(people.id.copy(), people.live[: people.n].copy(), status(people))


@dataclass
class Finished:
    """What is kept of a scenario's run of one pair: its people are let go, so that one run is in memory at a time."""

    recorder: Recorder
    ending: Ending
    residents: float
    state: str  # a hash of everything carried from week to week, where it was asked for
    money: pd.DataFrame | None = None
    ladder: pd.DataFrame | None = None
    winners: pd.DataFrame | None = None
    rules: pd.DataFrame | None = None
    looks: dict[int, Look] = field(default_factory=dict)  # of no change, at the weeks in which rules decide


def run_pair(task: Task) -> dict[str, Any]:
    """Run the baseline and every scenario of a pair and return its tables and notes.

    Raises GuardError when the same past or a dose of nothing does not give the very same numbers.
    """
    finished, guards, recorder = run_scenarios(task)
    return {"tables": tables_of(finished, task), "notes": {"guards": guards, "drift": drift(recorder)}}


@dataclass(frozen=True)
class Past:
    """What all scenarios of a pair share: settled people at week 0, what was recorded of them, and the run of no change."""

    start: Simulation
    recorder: Recorder
    england_mean: Callable[[tuple[int, ...]], float]
    baseline: Finished


def begin(task: Task, baseline: Scenario, watch: Collection[int] = ()) -> Past:
    """Settle the people of a pair and run no change; raise OtherMake where this process would give other numbers.

    `watch` are weeks at which rules of the scenarios decide, for run_policy.
    """
    population = population_of(task)
    rules, references = rules_and_references(task.draws, task.replicate, task.behaviour)
    drawn = scenario_values(baseline, task)
    spare = spare_rows(population, task.years) if task.demography else 0
    start = Simulation(population, rules, references, task.seed, task.replicate, spare, threads=task.threads)
    start.people.trend = baseline.trend(drawn)
    recorder = Recorder(population.local_authorities, areas=task.areas)
    record_burn_in(start, recorder)
    if task.demography:
        start.demography = Demography.at(start)

    @cache  # asked at every intake of every programme
    def england_mean(domains: tuple[int, ...]) -> float:
        return england_readiness(task.draws, task.replicate, task.behaviour, domains)

    solved = solve(baseline, drawn, task.draws, task.replicate, task.behaviour)
    finished = run_policy(start, recorder, baseline, drawn, solved, task, england_mean, watch=watch)
    return Past(start, recorder, england_mean, finished)


def decisions(scenarios: Iterable[Scenario]) -> set[int]:
    """Return the weeks at which rules of scenarios decide."""
    return {rule.decided for scenario in scenarios for rule in scenario.rules}


def run_scenarios(task: Task, past: Past | None = None) -> tuple[dict[str, Finished], list[dict[str, Any]], Recorder]:
    """Run the baseline and every scenario of a pair; return the runs by name, the guards that passed and the burn-in's record.

    `past`, what `begin` gave for the same pair, if it is at hand. Raises GuardError as run_pair does, OtherMake as begin does.
    """
    scenarios = {s.name: s for s in task.read or map(load_scenario, (BASELINE, *task.scenarios))}
    past = begin(task, scenarios[BASELINE], decisions(scenarios.values())) if past is None else past
    start, recorder, baseline = past.start, past.recorder, past.baseline
    finished, guards = {BASELINE: baseline}, []
    for name, scenario in scenarios.items():
        if name == BASELINE:
            continue
        values = scenario_values(scenario, task)
        solved = solve(scenario, values, task.draws, task.replicate, task.behaviour)
        if task.part is not None:
            scenario, values = share_of(scenario, values, whole_of(task), task.part)
        finished[name] = run_policy(start, recorder, scenario, values, solved, task, past.england_mean, baseline=baseline)
        guards.append(same_before_start(name, scenario, baseline, finished[name]))
        if task.has_placebo:
            guards.append(placebo(name, start, recorder, scenario, values, solved, task, past.england_mean, baseline))
    return finished, guards, recorder


def population_of(task: Task) -> Population:
    """Return the people of a task, mapped from disk once per process; raise OtherMake when they or the sources are others."""
    whole = whole_of(task)
    return whole if task.part is None else _part(task.place, task.people, task.place_seed, whole.fingerprint, task.part)


def whole_of(task: Task) -> Population:
    """Return the people of a task's whole place, of whom it may run a part; raise OtherMake as population_of does."""
    if task.sources and task.sources != model_id():
        raise OtherMake("A worker has other sources of movesim than this study began with; install the same version everywhere.")
    if not task.population:
        return load_place(task.place, task.people, task.place_seed)
    population = _mapped(task.place, task.people, task.place_seed, task.population)
    if population.fingerprint != task.population:
        raise OtherMake(f"A worker's place '{task.place}' has other people than this study; build it alike everywhere.")
    return population


@lru_cache(maxsize=1)
def _mapped(place: str, people: int | None, place_seed: int, fingerprint: str) -> Population:
    return load_place(place, people, place_seed)


@lru_cache(maxsize=1)
def _part(place: str, people: int | None, place_seed: int, fingerprint: str, part: int) -> Population:
    return part_of(_mapped(place, people, place_seed, fingerprint), part)


def with_numbers(scenarios: Mapping[str, Scenario], numbers: Mapping[str, float]) -> tuple[Scenario, ...]:
    """Return scenarios with numbers set by hand, each in every scenario that has it.

    Raises InputError for a number that none of them has, or a value that it cannot have.
    """
    known = [path for scenario in scenarios.values() for path in scenario.numbers]
    for path in numbers:
        if path not in known:
            names = one_of(list(scenarios)).replace(" or ", " and ")
            raise InputError(f"There is no number '{path}' in {names}.{did_you_mean(path, known)}")
    return tuple(
        replace(s, numbers=s.ledger().with_values({p: v for p, v in numbers.items() if p in s.numbers}).parameters)
        for s in scenarios.values()
    )


def scenario_values(scenario: Scenario | Shock, task: Task) -> dict[str, float]:
    """Return the value of every number of a scenario, or of a shock, for this pair."""
    ledger = scenario.ledger()
    return ledger.central() if task.draws == "central" else ledger.draw(task.seed, draw_number(task.draws, task.replicate))


def record_burn_in(simulation: Simulation, recorder: Recorder) -> None:
    """Run the burn-in and record its last two years, so that its drift can be checked and week 0 has a year behind it."""

    def each_week(run: Simulation) -> None:
        if run.week == -2 * WEEKS_A_YEAR:
            run.people.domain_minutes[:] = 0
            recorder.place(run.people)
        elif run.week > -2 * WEEKS_A_YEAR and run.week % RECORD_EVERY == 0:
            recorder.record(run.people, run.week)

    simulation.run(-simulation.week, each_week)


def run_policy(
    start: Simulation, past: Recorder, scenario: Scenario, values: Mapping[str, float], solved: Mapping[str, Any], task: Task,
    england_mean: Callable[[tuple[int, ...]], float], dose: float = 1.0, baseline: Finished | None = None,
    watch: Collection[int] = (),
) -> Finished:  # fmt: skip
    """Run a scenario from the shared past to the end of the policy period; with a baseline, say who won and lost against it.

    `watch` are weeks at whose start how active everybody is is kept, by which rules of other runs are judged.
    """
    simulation, recorder = start.branch(lend=True), past.copy()
    delivery = None
    if scenario.interventions:
        key = draws.key(task.seed, task.replicate)
        delivery = Delivery(scenario, values, simulation.people, solved, key, task.years, dose=dose)

    def readiness(domains: tuple[int, ...], rows: np.ndarray) -> np.ndarray:
        return simulation.readiness(domains, rows) - england_mean(domains)

    recorder.place(simulation.people)
    act = Acting(simulation, delivery, [shock.strike(scenario_values(shock, task)) for shock in task.shocks])
    looks: dict[int, Look] = {}
    while simulation.week < task.years * WEEKS_A_YEAR:
        if simulation.week in watch:
            looks[simulation.week] = Look.of(simulation.people)
        act.step(readiness)
        simulation.step()
        if simulation.week % RECORD_EVERY == 0:
            recorder.record(simulation.people, simulation.week)
        if simulation.week % WEEKS_A_YEAR == 0 and simulation.week < task.years * WEEKS_A_YEAR:
            simulation.turn_of_the_year()
            recorder.place(simulation.people)
    people = simulation.people
    finished = Finished(
        recorder, Ending.of(people), float(people.weight.sum()), state_hash(simulation) if task.has_placebo else "", looks=looks
    )
    if delivery is not None:
        finished.money, finished.ladder = delivery.money(), delivery.ladder()
        if delivery.learning is not None:
            finished.rules = delivery.learning.table(None if baseline is None else baseline.looks)
    if baseline is not None:
        finished.winners = winners_and_losers(baseline.ending, people, task.areas)
        finished.winners.insert(0, "week", simulation.week)
    return finished


# --- guards ---------------------------------------------------------------------------------------------------------
def state_hash(simulation: Simulation) -> str:
    """Return a hash of everything a run carries from week to week."""
    people, n = simulation.people, simulation.people.n
    digest = hashlib.blake2b(digest_size=16)
    for name in ("state", "H", "ring", "mean", "drive"):
        digest.update(np.ascontiguousarray(people.floats[name][..., :n]).tobytes())
    digest.update(people.columns["id"][:n].tobytes())
    digest.update(people.alive[:n].tobytes())
    digest.update(np.ascontiguousarray(simulation.trust).tobytes())
    return digest.hexdigest()


def same_before_start(name: str, scenario: Scenario, baseline: Finished, option: Finished) -> dict[str, Any]:
    """Check that everything recorded until the first intervention starts is the baseline's, bit for bit."""
    first = min((i.weeks()[0] for i in scenario.interventions), default=0)
    for week, ours, theirs in zip(option.recorder.weeks, option.recorder.sums, baseline.recorder.sums, strict=True):
        if week > first:
            break
        if not all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True)):
            raise GuardError(
                f"'{name}' differs from no change at week {week}, before it starts at week {first}; nothing was kept."
            )
    return {"name": "identical before the start", "passed": True, "detail": f"{name}: every count until week {first} is the same"}


def placebo(
    name: str, start: Simulation, past: Recorder, scenario: Scenario, values: Mapping[str, float], solved: Mapping[str, Any],
    task: Task, england_mean: Callable[[tuple[int, ...]], float], baseline: Finished,
) -> dict[str, Any]:  # fmt: skip
    """Check that the whole machinery at dose 0 gives the baseline, bit for bit, to the last week."""
    nothing = run_policy(start, past, scenario, values, solved, task, england_mean, dose=0.0)
    if nothing.state != baseline.state:
        raise GuardError(f"'{name}' at dose 0 is not no change after {task.years} years; nothing was kept.")
    return {"name": "placebo", "passed": True, "detail": f"{name} at dose 0 is no change, bit for bit, to the last week"}


def drift(recorder: Recorder) -> dict[str, list[float]]:
    """Return by how much each status share of adults and of children moved over the last year of the burn-in (signed)."""
    out: dict[str, list[float]] = {}
    now, before = recorder.window(0, 13)[2], recorder.window(-WEEKS_A_YEAR, 13)[2]
    for g, group in enumerate(AGE_GROUPS):
        shares = [t[g].sum(axis=(0, 1, 2)) for t in (now, before)]
        if shares[0][1] > 0 and shares[1][1] > 0:
            out[group] = [float(x) for x in shares[0][2:5] / shares[0][1] - shares[1][2:5] / shares[1][1]]
    return out


# --- tables ---------------------------------------------------------------------------------------------------------
def tables_of(finished: Mapping[str, Finished], task: Task) -> dict[str, pd.DataFrame]:
    """Return the pair's tables: outcomes, adjusted gaps, cross, money, ladder and winners."""
    named = {"draw": draw_number(task.draws, task.replicate), "replicate": task.replicate}

    def stack(make: Any) -> pd.DataFrame:
        frames = [make(name, run) for name, run in finished.items()]
        frames = [f for f in frames if f is not None and len(f)]
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()

    def label(name: str, frame: pd.DataFrame) -> pd.DataFrame:
        frame = frame.copy()
        for position, (column, value) in enumerate({"scenario": name, **named}.items()):
            frame.insert(position, column, value)
        return frame

    return {
        "outcomes": stack(lambda name, run: label(name, run.recorder.outcomes(task.every_group))),
        "adjusted": stack(lambda name, run: label(name, run.recorder.adjusted())),
        "cross": stack(lambda name, run: label(name, run.recorder.cross())),
        "money": stack(lambda name, run: None if run.money is None else label(name, run.money)),
        "ladder": stack(lambda name, run: None if run.ladder is None else label(name, run.ladder).drop(columns="replicate")),
        "rules": stack(lambda name, run: None if run.rules is None else label(name, run.rules)),
        "winners": stack(lambda name, run: None if run.winners is None else label(name, run.winners)),
    }


def status(people: People) -> np.ndarray:
    """Return each person's status, 0 inactive, 1 fairly active, 2 active, from the last four weeks."""
    mean, child = people.mean[: people.n], people.child[: people.n] > 0
    low, high = (np.where(child, c, a) for a, c in zip(ADULT_LIMITS, CHILD_LIMITS, strict=True))
    return (mean >= low).astype(np.int8) + (mean >= high).astype(np.int8)


def winners_and_losers(baseline: Ending, option: People, areas: tuple[int, ...] = ()) -> pd.DataFrame:
    """Return, by axis and level, residents whose own status differs from what it is with no change, in both directions.

    The same persons are compared (present in both runs at the end); weights are the option's.
    """
    _, ours, theirs = np.intersect1d(option.id, baseline.id, assume_unique=True, return_indices=True)
    both = (option.live[ours] > 0) & (baseline.live[theirs] > 0)
    if areas:
        both &= np.isin(option.neighbourhoods["local_authority"][option.neighbourhood[ours]], areas)
    ours, theirs = ours[both], theirs[both]
    after, before, weight = status(option)[ours], baseline.status[theirs], option.weight[ours]
    columns = {
        "residents": weight,
        "newly_active": weight * ((after == 2) & (before < 2)),
        "no_longer_active": weight * ((after < 2) & (before == 2)),
        "newly_not_inactive": weight * ((after > 0) & (before == 0)),
        "newly_inactive": weight * ((after == 0) & (before > 0)),
    }
    group = (option.age[ours] < 16).astype(int)
    at, rows = levels(option), []
    for axis in AXES:
        names = option.local_authorities if axis.name == "local_authority" else axis.levels
        level = at[axis.name][ours].astype(int)
        here = level >= 0
        index = group[here] * len(names) + level[here]
        sums = {k: np.bincount(index, v[here], 2 * len(names)) for k, v in columns.items()}
        for g, age_group in enumerate(AGE_GROUPS):
            for i, name in enumerate(names):
                cell = {k: float(v[g * len(names) + i]) for k, v in sums.items()}
                if cell["residents"] > 0:
                    rows.append({"age_group": age_group, "axis": axis.name, "level": name, **cell})
    return pd.DataFrame(rows)
