"""A run of the behaviour model, week by week: burn-in, policy period, and the state one can branch from."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from movesim import draws
from movesim.behaviour import mortality
from movesim.behaviour import rules as equations
from movesim.behaviour.people import People
from movesim.behaviour.rules import References, Rules
from movesim.behaviour.shifts import PERSON, Shifts
from movesim.behaviour.week import BLOCK, SCRATCH, run_week
from movesim.words import BURN_IN_WEEKS, REFERENCE_WEEKS, SCHOOL_HOLIDAYS, WEEKS_A_YEAR

if TYPE_CHECKING:
    from movesim.behaviour.demography import Changes, Demography
    from movesim.place.population import Population

F32 = np.float32


@dataclass
class Scratch:
    """Work space of the compiled week; never part of a run's state."""

    floats: NDArray[np.float32]
    words: NDArray[np.uint32]

    @classmethod
    def make(cls) -> Scratch:
        return cls(np.zeros((SCRATCH, BLOCK), F32), np.zeros((16, BLOCK), np.uint32))


class Simulation:
    """One run: people, neighbourhoods' stocks, the week, and the rules they follow.

    `week` counts completed policy weeks and is negative in the burn-in. `shifts` is what interventions write to; while it is
    untouched the model reads its baseline columns themselves, so that doing nothing is identical bit for bit.
    """

    def __init__(
        self, population: Population, rules: Rules, references: References, seed: int = 1, replicate: int | str = 0,
        spare: int = 0, demography: Demography | None = None,
    ) -> None:  # fmt: skip
        self.rules = rules
        self.references = references
        self.key = draws.key(seed, replicate)
        self.people = People.from_population(population, rules, self.key, spare)
        self.week = -BURN_IN_WEEKS
        g = self.people.neighbourhoods["imd_decile"].size
        self.log_E = np.log(equations.supply(rules, self.people.neighbourhoods)).astype(F32)
        self.fte = np.full(g, rules["workforce.fte"])
        self.likeness = np.full(g, rules["workforce.likeness"])
        self.trust = np.asarray(equations.trust_at_rest(rules, self.fte))
        self.leader_baseline = self.trust * self.likeness
        self.offer = np.zeros(max(1, self.people.schools["phase"].size), F32)
        self.shifts = Shifts(self.people.capacity, g, self.offer.size)
        self.star = self.people.base
        self.log_E_star = self.log_E
        self.drive_star = self.people.drive
        self.demography = demography
        self.changes: Changes | None = None
        self.scratch: Scratch | None = None
        self.measured: NDArray[np.float32] | None = None

    # --- a week -----------------------------------------------------------------------------------------------------
    def step(self, measure: bool = False) -> None:
        """Advance everybody by one week, with the shifts as they stand."""
        people, c = self.people, self.rules.coefficients
        if self.scratch is None:
            self.scratch = Scratch.make()
        self._apply_shifts()
        self._let_trust_follow()
        leader = (self.rules["opportunity.leader"] * (self.trust * self._likeness_now() - self.leader_baseline)).astype(F32)
        if measure and self.measured is None:
            self.measured = np.zeros((3, people.capacity), F32)
        nothing = np.zeros((3, 0), F32)
        term = F32(self.week % WEEKS_A_YEAR not in SCHOOL_HOLIDAYS)
        run_week(
            0, people.n, np.uint32((self.week + draws.WEEK_ZERO) & 0xFFFFFFFF), self.week % 4, term, self.key[0], self.key[1],
            c, self.rules.physical, self.rules.opportunity, self.rules.session_minutes, self.rules.thresholds,
            people.id_low, people.id_high, people.band, people.columns["neighbourhood"], people.columns["school"],
            people.live, people.child, people.ties, people.degree, people.active_before, people.active_now,
            people.state, self.star, people.base, people.H, people.log_A, self.log_E_star, self.drive_star, people.volume,
            people.ring, people.mean, people.domain_minutes, self.references.stacked(), leader, self._offer_now(),
            measure, self.measured if measure and self.measured is not None else nothing, self.scratch.floats, self.scratch.words,
        )  # fmt: skip
        people.active_before, people.active_now = people.active_now, people.active_before
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
        self.changes = self.demography.a_year(self) if self.demography is not None and self.week > 0 else None
        self.people.new_year(self.rules)
        self.people.year_minutes[:] = 0
        self.reapply_shifts()

    def reapply_shifts(self) -> None:
        """Say that set-points or pull have new baseline values under the same shifts."""
        for name in (*PERSON, "prompt"):
            if self.shifts.get(name) is not None:
                self.shifts.touched(name)

    # --- shifts -----------------------------------------------------------------------------------------------------
    def _apply_shifts(self) -> None:
        changed = self.shifts.take_changes()
        if not changed:
            return
        people = self.people
        if changed & set(PERSON):
            if self.star is people.base:
                self.star = people.base.copy()
            for row, name in enumerate(PERSON):
                shift = self.shifts.get(name)
                # a component without a shift follows its baseline, which the turn of a year renews
                self.star[row] = people.base[row] if shift is None else shifted(people.base[row], shift)
        if "prompt" in changed:
            self.drive_star = people.drive + self.shifts.array("prompt")
        if "supply" in changed:
            shift = self.shifts.array("supply")
            moved = np.log(np.maximum(shifted(np.exp(self.log_E), shift), F32(0.01)))
            self.log_E_star = np.where(shift == 0, self.log_E, moved).astype(F32)

    def _let_trust_follow(self) -> None:
        added = self.shifts.get("fte")
        fte = self.fte if added is None else self.fte + added
        self.trust = np.asarray(equations.trust_next(self.rules, self.trust, fte))

    def _likeness_now(self) -> NDArray:
        added = self.shifts.get("likeness")
        return self.likeness if added is None else np.clip(self.likeness + added, 0.0, 1.0)

    def _offer_now(self) -> NDArray[np.float32]:
        added = self.shifts.get("offer")
        return self.offer if added is None else added

    # --- looking ----------------------------------------------------------------------------------------------------
    def readiness(self, domains: tuple[int, ...], rows: NDArray | slice | None = None) -> NDArray[np.float32]:
        """Return the mean over the domains of log(K_d O_d M_d) at this moment, for these rows (default: everybody)."""
        people, rules = self.people, self.rules
        at = slice(0, people.n) if rows is None else rows
        log_P, log_Y, log_S = (np.log(people.state[i, at]) for i in range(3))
        total = np.zeros(log_P.size, F32)
        here, band = people.columns["neighbourhood"][at], people.band[at]
        for d in domains:
            a, b = rules.physical[d], rules.opportunity[d]
            gate = a * log_P + (1 - a) * log_Y + b * (self.log_E_star[d, here] + people.log_A[d, at]) + (1 - b) * log_S
            m = self.drive_star[d, at] + rules.coefficients.w_H * people.H[d, at]
            m = m + rules.coefficients.w_R * (people.state[3, at] - self.references.intention[band])
            total += gate - np.log1p(np.exp(-m))
        return np.divide(total, F32(len(domains)), dtype=F32)

    # --- state ------------------------------------------------------------------------------------------------------
    def branch(self) -> Simulation:
        """Return an independent copy at this week, to run another scenario from the same past."""
        other = copy.copy(self)
        other.scratch = None
        other.people = copy.copy(self.people)
        for name in ("columns", "floats"):
            setattr(other.people, name, {k: v.copy() for k, v in getattr(self.people, name).items()})
        arrays = ("alive", "original", "ties", "tie_kind", "active_before", "active_now", "degree", "band", "id_low", "id_high")
        for name in arrays:
            setattr(other.people, name, getattr(self.people, name).copy())
        other.star = other.people.base if self.star is self.people.base else self.star.copy()
        other.drive_star = other.people.drive if self.drive_star is self.people.drive else self.drive_star.copy()
        other.shifts = copy.deepcopy(self.shifts)
        other.measured = None
        return other

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        state["scratch"] = state["measured"] = None
        state["_star_is_base"] = self.star is self.people.base
        state["_drive_is_base"] = self.drive_star is self.people.drive
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        star_is_base, drive_is_base = state.pop("_star_is_base"), state.pop("_drive_is_base")
        self.__dict__.update(state)
        if star_is_base:
            self.star = self.people.base
        if drive_is_base:
            self.drive_star = self.people.drive


def shifted(x: NDArray[np.float32], shift: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return expit(logit(x) + shift), and x itself, untransformed, wherever the shift is 0."""
    with np.errstate(divide="ignore", over="ignore"):
        moved = 1 / (1 + (1 / x - 1) * np.exp(-shift))
    return np.where(shift == 0, x, np.clip(moved, F32(0.01), F32(1.0))).astype(F32)


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
