"""A run of the behaviour model, week by week: burn-in, policy period, and the state one can branch from."""

from __future__ import annotations

import copy
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from movesim import draws
from movesim.behaviour import mortality
from movesim.behaviour import rules as equations
from movesim.behaviour.applied import LASTING, STARS, apply_shifts
from movesim.behaviour.climb import gather, pull_and_gate
from movesim.behaviour.people import People
from movesim.behaviour.rules import References, Rules
from movesim.behaviour.shifts import Shifts
from movesim.behaviour.week import BLOCK, SCRATCH, WHO, WORDS, follow_ties, run_week
from movesim.words import BURN_IN_WEEKS, REFERENCE_WEEKS, SCHOOL_HOLIDAYS, WEEKS_A_YEAR

if TYPE_CHECKING:
    from movesim.behaviour.demography import Changes, Demography
    from movesim.place.population import Population

F32 = np.float32


class Scratch:
    """Work space of the compiled week, a set for each thread; never part of a run's state."""

    def __init__(self, rows: int, threads: int) -> None:
        self.changed = np.zeros(rows, np.int32)
        self._sets = [
            (np.zeros((SCRATCH, BLOCK), F32), np.zeros((WORDS, BLOCK), np.uint32), np.zeros((WHO, BLOCK), np.int32))
            for _ in range(threads)
        ]
        self.pool = ThreadPoolExecutor(threads) if threads > 1 else None

    def of(self, part: int) -> tuple[NDArray, NDArray, NDArray]:
        """Return the floats, words and places of one thread."""
        return self._sets[part]


def slices(rows: int, threads: int) -> list[int]:
    """Return the bounds of as many runs of whole blocks as there are threads, fewer where there are fewer blocks."""
    blocks = -(-rows // BLOCK)
    parts = max(1, min(threads, blocks))
    return [min(rows, BLOCK * (blocks * part // parts)) for part in range(parts + 1)]


class Simulation:
    """One run: people, neighbourhoods' stocks, the week, and the rules they follow.

    `week` counts completed policy weeks and is negative in the burn-in. `shifts` is what interventions write to; while it is
    untouched the model reads its baseline columns themselves, so that doing nothing is identical bit for bit. `threads` work
    on slices of the rows; how many there are changes no bit of any result.
    """

    def __init__(
        self, population: Population, rules: Rules, references: References, seed: int = 1, replicate: int | str = 0,
        spare: int = 0, demography: Demography | None = None, threads: int = 1,
    ) -> None:  # fmt: skip
        self.rules = rules
        self.references = references
        self.place = str(population.fingerprint)
        self.key = draws.key(seed, replicate)
        self.people = People.from_population(population, rules, self.key, spare)
        self.week = -BURN_IN_WEEKS
        g = self.people.neighbourhoods["imd_decile"].size
        self.log_E = np.log(equations.supply(rules, self.people.neighbourhoods)).astype(F32)
        self.open_share: NDArray[np.float64] | None = None  # of each domain's supply, while something is closed
        own = self.people.neighbourhoods.get("workforce", np.full(g, np.nan)).astype(np.float64)
        self.fte = np.where(np.isnan(own), rules["workforce.fte"], own)
        self.likeness = np.full(g, rules["workforce.likeness"])
        self.trust = np.asarray(equations.trust_at_rest(rules, self.fte))
        self.leader_baseline = self.trust * self.likeness
        self.offer = np.zeros(max(1, self.people.schools["phase"].size), F32)
        if "offer" in self.people.neighbourhoods:
            self.offer[1:] = np.log(self.people.neighbourhoods["offer"])[self.people.schools["neighbourhood"][1:]]
        self.shifts = Shifts(self.people.capacity, g, self.offer.size)
        self.star = self.people.base
        self.log_E_star = self.log_E
        self.drive_star = self.people.drive
        self.log_A_star = self.people.log_A
        self.demography = demography
        self.threads = threads
        self.changes: Changes | None = None
        self.scratch: Scratch | None = None
        self.measured: NDArray[np.float32] | None = None

    # --- a week -----------------------------------------------------------------------------------------------------
    def step(self, measure: bool = False) -> None:
        """Advance everybody by one week, with the shifts as they stand; `measure` keeps what references are means of."""
        people, rules = self.people, self.rules
        if self.scratch is None:
            self.scratch = Scratch(people.capacity, self.threads)
        if measure and self.measured is None:
            self.measured = np.zeros((3, people.capacity), F32)
        apply_shifts(self)
        self._let_trust_follow()
        leader = (rules["opportunity.leader"] * (self.trust * self._likeness_now() - self.leader_baseline)).astype(F32)
        term = F32(self.week % WEEKS_A_YEAR not in SCHOOL_HOLIDAYS)
        follow_ties(people.active, people.counted, people.ties, people.friends, self.scratch.changed[: people.n])
        clock = (np.uint32((self.week + draws.WEEK_ZERO) & 0xFFFFFFFF), self.week % 4, term, self.key[0], self.key[1])
        numbers = (rules.coefficient_array, rules.physical, rules.opportunity, rules.session_minutes, rules.thresholds)
        who = (
            people.columns["id"],
            people.band,
            people.columns["neighbourhood"],
            people.columns["school"],
            people.live,
            people.child,
        )
        around = (people.friends, people.degree, people.active)
        columns = (
            people.state, self.star, people.base, people.H, self.log_A_star, self.log_E_star, self.drive_star, people.volume,
            people.ring, people.mean, people.domain_minutes,
        )  # fmt: skip
        measured = self.measured if measure and self.measured is not None else np.zeros((3, 0), F32)
        outside = (self.references.stacked, leader, self._offer_now(), measure, measured)

        def advance(part: int) -> None:
            assert self.scratch is not None
            first, last = bounds[part], bounds[part + 1]
            run_week(first, last, *clock, *numbers, *who, *around, *columns, *outside, *self.scratch.of(part))

        bounds = slices(people.n, self.threads)
        if len(bounds) == 2:
            advance(0)
        else:
            assert self.scratch.pool is not None
            list(self.scratch.pool.map(advance, range(len(bounds) - 1)))
        self.week += 1
        if self.week % 4 == 0:
            people.floats["year_minutes"] += people.mean * F32(4.0)

    def run(self, weeks: int, each_week: Callable[[Simulation], None] | None = None) -> None:
        """Advance by a number of weeks; tastes drift and set-points are renewed at each turn of the year.

        `each_week(self)` is called after every week.
        """
        for _ in range(weeks):
            self.step()
            if each_week is not None:
                each_week(self)
            if self.week % WEEKS_A_YEAR == 0:
                self.turn_of_the_year()

    def turn_of_the_year(self) -> None:
        """Let a year of life pass where demography is on, tastes drift and what follows from who people are be renewed.

        `changes` then tells who died, was born and arrived (None without demography); shifts are applied anew next week.
        """
        self._own()
        self.changes = self.demography.a_year(self) if self.demography is not None and self.week > 0 else None
        self.people.new_year(self.rules)
        self.people.year_minutes[:] = 0
        self.reapply_shifts()

    def _own(self) -> None:
        """Take what was lent at a branch as one's own, before it changes."""
        unmoved = self._unmoved()
        self.people.own()
        self._follow(unmoved)

    def _unmoved(self) -> list[str]:
        """Return which of the things the week reads are still people's own columns."""
        return [star for star, column in STARS.items() if getattr(self, star) is getattr(self.people, column)]

    def _follow(self, stars: list[str]) -> None:
        """Let these be people's own columns again."""
        for star in stars:
            setattr(self, star, getattr(self.people, STARS[star]))

    def reapply_shifts(self) -> None:
        """Say that set-points, pull or access have new baseline values under the same shifts."""
        for name in LASTING:
            if self.shifts.get(name) is not None:
                self.shifts.touched(name)

    # --- shifts -----------------------------------------------------------------------------------------------------
    def _let_trust_follow(self) -> None:
        added = self.shifts.get("fte")
        fte = self.fte if added is None else self.fte + added
        self.trust = np.asarray(equations.trust_next(self.rules, self.trust, fte))

    def _likeness_now(self) -> NDArray:
        added = self.shifts.get("likeness")
        return self.likeness if added is None else np.clip(self.likeness + added, 0.0, 1.0)

    def _offer_now(self) -> NDArray[np.float32]:
        added = self.shifts.get("offer")
        return self.offer if added is None else self.offer + added

    # --- looking ----------------------------------------------------------------------------------------------------
    def readiness(self, domains: tuple[int, ...], rows: NDArray[np.integer] | None = None) -> NDArray[np.float32]:
        """Return the mean over the domains of log(K_d O_d M_d) at this moment, for these rows (default: everybody)."""
        people, rules, c = self.people, self.rules, self.rules.coefficients
        at = np.arange(people.n) if rows is None else rows
        m, gate = np.empty((2, len(domains), at.size), F32)
        state = np.empty((3, at.size), F32)
        gather(people.state, at, state)
        pull_and_gate(
            np.array(domains), at, people.columns["neighbourhood"], people.band, rules.physical, rules.opportunity,
            np.log(state), self.log_E_star, self.log_A_star, self.drive_star, people.H, people.state,
            self.references.intention, c.w_R, c.w_H, m, gate,
        )  # fmt: skip
        return np.divide((gate - np.log1p(np.exp(-m))).sum(axis=0), F32(len(domains)), dtype=F32)

    # --- state ------------------------------------------------------------------------------------------------------
    def branch(self, lend: bool = False) -> Simulation:
        """Return an independent copy at this week, to run another scenario from the same past.

        With `lend` the two share what only the turn of a year changes until either comes to one, which keeps a third of the
        memory; nobody may then write to people's columns before that.
        """
        other = copy.copy(self)
        other.scratch = None
        other.people = self.people.copy(lend)
        for star, column in STARS.items():
            own = getattr(self, star)
            setattr(other, star, getattr(other.people, column) if own is getattr(self.people, column) else own.copy())
        other.shifts = copy.deepcopy(self.shifts)
        other.measured = None
        return other

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        state["scratch"] = state["measured"] = None
        state["_unmoved"] = self._unmoved()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        unmoved = state.pop("_unmoved")
        self.__dict__.update(state)
        self._follow(unmoved)


def reference_run(population: Population, rules: Rules, seed: int = 1, replicate: int | str = "references") -> Simulation:
    """Return the run of place=england that measures a parameter draw's references, at the end of the year it measured.

    Until that year ends each week is measured against the means of the week before it; from then on against the means of
    the year (MODEL section 3). The run's `references` are the measured ones; it can be stepped on.
    """
    run = Simulation(population, rules, References.first_guess(), seed, replicate)
    first, last = REFERENCE_WEEKS
    sums, weeks, risk = np.zeros((4, len(run.references.peers))), 0, run.references.risk
    while run.week <= last:
        run.step(measure=True)
        week = _means_by_band(run)
        if first <= run.week - 1 <= last:
            sums, weeks = sums + week, weeks + 1
        run.references = References.of(week)
        if run.week == last + 1:
            risk = mortality.mean_risk(rules, run.people)
        if run.week % WEEKS_A_YEAR == 0:
            run.turn_of_the_year()
    run.references = replace(References.of(sums / weeks), risk=risk)
    return run


def measure_references(population: Population, rules: Rules, seed: int = 1, replicate: int | str = "references") -> References:
    """Return the references of a parameter draw: means by age band over a year of a burn-in of place=england."""
    return reference_run(population, rules, seed, replicate).references


def _means_by_band(run: Simulation) -> NDArray[np.float64]:
    people, n = run.people, run.people.n
    assert run.measured is not None
    weight = people.weight * people.live[:n]
    size = len(run.references.peers)
    total = np.maximum(np.bincount(people.band[:n], weight, size), 1e-12)
    columns = (run.measured[0, :n], run.measured[1, :n], run.measured[2, :n], people.state[3, :n])
    return np.stack([np.bincount(people.band[:n], weight * column, size) / total for column in columns])
