"""A scenario at work: at the start of each week it writes into behaviour.Shifts what all its interventions do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from movesim import draws
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
from movesim.interventions.support import Modifiers
from movesim.interventions.together import Together
from movesim.words import RECORD_EVERY, WEEKS_A_YEAR

if TYPE_CHECKING:
    from movesim.behaviour.shifts import Shifts

_KINDS: dict[str, type[Programme]] = {"people": PeopleProgramme, "place": PlaceProgramme, "school": SchoolProgramme}
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
        residents = float(setting.residents.sum())
        of_scenario = () if mode == "trial" else tuple(m for m in scenario.modifiers if m.start_year <= years)
        self.modifiers = Modifiers(of_scenario, values, residents)
        self.same_function = float(values[same]) if (same := _shared(scenario)) is not None else 1.0
        self.doses = np.zeros((len(self.programmes), people.alive.size if self.programmes else 0), np.float32)
        self._together: Together | None = None
        self._raising = [p for p in self.programmes if isinstance(p, PeopleProgramme) and p.raises > 1]
        self._join()
        self._contact: dict[str, NDArray[np.bool_]] = {}
        self._ids = np.zeros(people.alive.size, np.uint64)
        self._ids[: people.n] = people.id
        self._n = people.n

    def _join(self) -> None:
        """Let programmes keep people's doses in one table, and ask each other by how much uptake is raised."""
        for line, programme in zip(self.doses, self.programmes):
            programme.use(line)
            if isinstance(programme, PeopleProgramme):
                programme.lifted = self._lifting(programme)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Join programmes anew: a copy's table of doses would else be apart from theirs."""
        self.__dict__.update(state)
        self._join()

    def step(self, week: int, shifts: Shifts, readiness: Readiness) -> None:
        """Bring all interventions to the start of a policy week and write what they do.

        Doses are constant over four weeks, so three weeks out of four nothing is done.
        Arguments: week, 0 or more; shifts, written to from an intervention's first week on and never before;
        readiness(domains, rows), each row's mean over the domains of log(K O M) less its England mean.
        """
        if week % RECORD_EVERY:
            return
        year, part = Programme.clock(week)
        if self.mode == "policy":
            self._fund(year)
        working = [p for p in self.programmes if p.started(week)]
        if not working:
            return
        # People change at the turn of a year, and with them who lives where: everything is then written anew.
        anew = part == 0 or self.people.n != self._n
        if anew:
            self._forget_the_moved()
        if self.learning is not None and part == 0:
            self.learning.turn(week)
        if self._together is None or len(self._together.programmes) != len(working):
            line, anew = [k for k, p in enumerate(self.programmes) if p.started(week)], True
            self._together = Together(working, self.doses, line, self.same_function, self.dose)
        # Whom a campaign has reached by now is asked before anybody moves, so that the order of programmes does not matter.
        self._contact = {p.spec.name: p.contact() for p in self._raising if p.started(week)}
        for programme in working:
            ahead = WEEKS_A_YEAR if part == 0 else RECORD_EVERY
            programme.support = self.modifiers.support(week + ahead / 2)
            programme.advance(week, readiness)
        self._write(shifts, working, anew)
        if part == STEPS_A_YEAR - 1:
            for programme in working:
                programme.tally()

    def _fund(self, year: int) -> None:
        """Pay modifiers first, and let programmes share what is left of the year's money."""
        if year == self.modifiers.year:
            return
        pounds = self.pounds_a_year * self.purse.left
        left = self.modifiers.pay(year, pounds)
        if self.modifiers.accounts:
            self.purse.after(left / pounds if pounds > 0 else 1.0)

    def _lifting(self, programme: PeopleProgramme) -> Any:
        """Return the function that tells by how much other programmes raise the uptake of these rows."""

        def lifted(rows: NDArray) -> NDArray[np.float64]:
            out = np.ones(rows.size)
            for other in self._raising:
                if other is not programme and other.spec.name in self._contact:
                    out[self._contact[other.spec.name][rows]] *= other.raises
            return out

        return lifted

    def _write(self, shifts: Shifts, working: list[Programme], anew: bool) -> None:
        """Write what all programmes do: to people whose doses have changed, and to places, schools and the workforce."""
        assert self._together is not None
        moved = [p.moved for p in working]
        somewhere = [rows for rows in moved if rows is not None]
        if anew or len(somewhere) < len(moved):
            self._together.write_people(shifts, np.arange(self.people.n), True)
        elif any(rows.size for rows in somewhere):
            flags = np.zeros(self.people.n, bool)
            for rows in somewhere:
                flags[rows] = True
            self._together.write_people(shifts, np.flatnonzero(flags), False)
        changed = {p.spec.kind for p in working if p.shifted or anew}
        if "place" in changed:
            self._together.write_supply(shifts)
        if "school" in changed:
            self._together.write_offer(shifts)
        if "people" in changed:
            self._together.write_workforce(shifts)

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
        return money.frame([*(p.account for p in self.programmes), *self.modifiers.accounts])

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


def _shared(scenario: Scenario) -> str | None:
    """Return the path of the number that tells what is left of a second dose of the same function."""
    return next((spec.paths["same_function"] for spec in scenario.interventions if "same_function" in spec.paths), None)
