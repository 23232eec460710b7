"""A scenario at work: at the start of each week it writes into behaviour.Shifts what all its interventions do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from movesim import draws
from movesim.behaviour.shifts import PERSON
from movesim.errors import InputError, MovesimError, one_of
from movesim.interventions import money
from movesim.interventions.learning import Learning
from movesim.interventions.mechanism import Solved
from movesim.interventions.money import STEPS_A_YEAR
from movesim.interventions.people_programme import PeopleProgramme
from movesim.interventions.place_programme import PlaceProgramme
from movesim.interventions.programme import Programme, Readiness, Setting
from movesim.interventions.purse import Purse
from movesim.interventions.scenario import Scenario
from movesim.interventions.school_programme import SchoolProgramme
from movesim.words import RECORD_EVERY, WEEKS_A_YEAR

if TYPE_CHECKING:
    from movesim.behaviour.shifts import Shifts

_KINDS: dict[str, type[Programme]] = {"people": PeopleProgramme, "place": PlaceProgramme, "school": SchoolProgramme}
_BY_DOMAIN = ("prompt", "supply")
_STEPS = ("exposed", "offered", "taken_up", "placed", "adhering", "responding", "upkeep")
MODES = ("policy", "trial")


class Delivery:
    """The interventions of a scenario in one run.

    Arguments: scenario; values, drawn ledger numbers by path; people, the run's people (columns of words.PEOPLE as
    attributes over the rows in use, `alive` over all rows); solved, what the re-run studies gave, by intervention; key, the
    run's key for draws; years, length of the policy period; dose, multiplies everything that is written (0 is the placebo:
    the whole machinery runs and writes exact zeros); mode, "policy", or "trial" to enrol the whole study population at week
    0 without lag of places, workforce or money.
    Raises InputError for an authority or target that the place has not, MovesimError when a study was not solved.
    """

    def __init__(
        self,
        scenario: Scenario,
        values: Mapping[str, float],
        people: Any,
        solved: Mapping[str, Solved],
        key: draws.Key,
        years: int,
        dose: float = 1.0,
        mode: str = "policy",
    ) -> None:
        if mode not in MODES:
            raise InputError(f"A delivery's mode must be {one_of(MODES)}, got '{mode}'.")
        self.scenario, self.people, self.dose, self.mode = scenario, people, float(dose), mode
        setting = Setting.of(people, key, mode == "trial", scenario.even)
        self.pounds_a_year = scenario.pounds_per_resident(values) * float(setting.residents.sum())
        self.programmes: list[Programme] = []
        for spec in scenario.interventions:
            if spec.name not in solved:
                raise MovesimError(f"The trial of '{spec.name}' has not been solved; solve the trials first.")
            # A programme that would begin after the run has ended does nothing and need not be made.
            if mode == "trial" or spec.start_year <= years:
                pounds = self.pounds_a_year * scenario.shares[spec.name]
                self.programmes.append(_KINDS[spec.kind](spec, values, solved[spec.name], setting, pounds))
        self.purse = Purse(self.programmes)
        rules = scenario.rules if mode == "policy" else ()
        self.learning = Learning(rules, values, setting, self.purse) if rules else None
        self._writes = [p.writes() for p in self.programmes]
        self._rows: dict[str, NDArray | None] = {}  # in which rows an array of people was last written; None: anywhere
        self._ids = np.zeros(people.alive.size, np.uint64)
        self._ids[: people.n] = people.id
        self._n = people.n

    def step(self, week: int, shifts: Shifts, readiness: Readiness) -> None:
        """Bring all interventions to the start of a policy week and write what they do.

        Doses are constant over four weeks, so three weeks out of four nothing is done.
        Arguments: week, 0 or more; shifts, written to from an intervention's first week on and never before;
        readiness(domains, rows), each row's mean over the domains of log(K O M) less its England mean.
        """
        if week % RECORD_EVERY or not any(p.started(week) for p in self.programmes):
            return
        if week % WEEKS_A_YEAR == 0 or self.people.n != self._n:  # people change at the turn of a year
            self._forget_the_moved()
        if self.learning is not None and week % WEEKS_A_YEAR == 0:
            self.learning.turn(week)
        working = [(p, own) for p, own in zip(self.programmes, self._writes) if p.started(week)]
        changed = {name for p, own in working if p.advance(week, readiness) for name in own}
        for name in sorted(changed):
            self._write(name, shifts, [(p, own[name]) for p, own in working if name in own])
        if Programme.clock(week)[1] == STEPS_A_YEAR - 1:
            for programme, _ in working:
                programme.tally()

    def _write(self, name: str, shifts: Shifts, writers: list[tuple[Programme, tuple[int, ...]]]) -> None:
        """Sum what programmes do to one array; where all of them reach some people only, other rows are left alone."""
        total = shifts.array(name)
        reached = [r for r in (p.reached() for p, _ in writers) if r is not None]
        rows = np.concatenate(reached) if name in PERSON and len(reached) == len(writers) else None
        before, self._rows[name] = self._rows.get(name), rows
        if name in _BY_DOMAIN:
            for domain in {d for _, domains in writers for d in domains}:
                total[domain] = 0
        else:
            total[slice(None) if before is None else before] = 0
        for programme, _ in writers:
            programme.write(name, total, self.dose)
        shifts.touched(name, None if before is None or rows is None else np.concatenate([before, rows]))

    def _forget_the_moved(self) -> None:
        """Reset rows in which somebody else lives now: a household that moved in, a child that was born."""
        n = self._n = self.people.n
        rows = np.flatnonzero(self.people.id != self._ids[:n])
        if rows.size:
            self._ids[rows] = self.people.id[rows]
            for programme in self.programmes:
                programme.reset(rows)

    # --- what came of it ----------------------------------------------------------------------------------------------
    def money(self) -> pd.DataFrame:
        """Return the books: year, intervention, payer, spent, delivered, undelivered, unit.

        A row is one unit of cost (participant, fte_year, km, ...) and one payer: spent = delivered * unit cost, and each
        payer's delivered units are those its share of the money bought, so that sums over payers are right.
        """
        return money.frame([p.account for p in self.programmes])

    def ladder(self) -> pd.DataFrame:
        """Return who was reached: intervention, step, fifth, reached (residents, each once over the run) and the ratios."""
        rows = []
        for programme in self.programmes:
            programme.tally()
            solved = programme.solved
            ratios = {
                name: np.nan if value is None else float(value)
                for name, value in (
                    ("endogenous_ratio", solved.endogenous_ratio), ("residual_ratio", solved.residual_ratio),
                    ("total_ratio", solved.total_ratio),
                )
            }  # fmt: skip
            for step in _STEPS:
                if step in programme.counts:
                    for fifth in range(1, 6):
                        reached = float(programme.counts[step][fifth - 1])
                        rows.append(
                            {"intervention": programme.spec.name, "step": step, "fifth": fifth, "reached": reached, **ratios}
                        )
        columns = ["intervention", "step", "fifth", "reached", "endogenous_ratio", "residual_ratio", "total_ratio"]
        table = pd.DataFrame(rows, columns=columns)
        if self.scenario.even is None:
            return table
        own = [(p.spec.name, step, *ratios) for p in self.programmes for step, ratios in p.step_ratios.items()]
        return table.merge(pd.DataFrame(own, columns=["intervention", "step", "step_endogenous", "step_residual"]), how="outer")
