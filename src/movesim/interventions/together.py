"""What programmes do together: doses of all of them summed into behaviour.Shifts, less where they do the same for somebody."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from movesim.behaviour.mixing import GRADED, LOCAL, PERSONAL, add_doses, put_rows, weigh_doses
from movesim.behaviour.shifts import PERSON, Shifts
from movesim.interventions.people_programme import PeopleProgramme
from movesim.interventions.place_programme import PlaceProgramme
from movesim.interventions.programme import Programme
from movesim.interventions.school_programme import SchoolProgramme

OF_PEOPLE = (*PERSON, "prompt", "access")
_KIND: dict[type[Programme], int] = {PeopleProgramme: PERSONAL, SchoolProgramme: GRADED, PlaceProgramme: LOCAL}


class Together:
    """Programmes that have started.

    Arguments: programmes; doses (all programmes of the delivery, capacity), of which line[k] is that of programme k;
    same_function, what is left of a dose where somebody holds a larger one of a programme that shares a function of the
    Behaviour Change Wheel (larger by dose times strength); factor, multiplies everything (0 is the placebo).
    """

    def __init__(
        self,
        programmes: Sequence[Programme],
        doses: NDArray[np.float32],
        line: Sequence[int],
        same_function: float,
        factor: float,
    ) -> None:
        self.programmes, self.doses, self.same, self.factor = list(programmes), doses, same_function, factor
        self.line = np.array(line, np.int64)
        self.kind = np.array([_KIND[type(p)] for p in self.programmes], np.int64)
        self.strength = np.array([p.strength() for p in self.programmes])
        functions = [set(p.spec.functions) for p in self.programmes]
        self.overlap = np.array([[a is not b and bool(a & b) for b in functions] for a in functions])
        moves = [p.moves(factor) for p in self.programmes]
        self.columns = sorted({(OF_PEOPLE.index(name), at) for own in moves for name, at, _ in own})
        number = {column: k for k, column in enumerate(self.columns)}
        self.first = np.cumsum([0, *(len(own) for own in moves)])
        self.column = np.array([number[OF_PEOPLE.index(name), at] for own in moves for name, at, _ in own], np.int64)
        self.shift = np.array([shift for own in moves for *_, shift in own], np.float32)

    # --- people -------------------------------------------------------------------------------------------------------
    def write_people(self, shifts: Shifts, rows: NDArray[np.int64], everywhere: bool) -> None:
        """Write what all of them do to the people of these rows, and say where it is new (everywhere: anywhere)."""
        if not self.columns or rows.size == 0:
            return
        out, changed = np.empty((len(self.columns), rows.size), np.float32), np.empty(rows.size, np.int64)
        gain = np.stack([p.local_dose() for p in self.programmes])
        add_doses(
            rows, self.kind, self.line, self.doses, gain, self.programmes[0].people.neighbourhood,
            self.strength.astype(np.float32), self.overlap, np.float32(self.same), self.first, self.column, self.shift, out,
        )  # fmt: skip
        for number, name in enumerate(OF_PEOPLE):
            mine = [k for k, (array, _) in enumerate(self.columns) if array == number]
            if mine:
                lines = np.array([self.columns[k][1] for k in mine], np.int64)
                table = np.atleast_2d(shifts.array(name))
                count = put_rows(rows, out[mine[0] : mine[-1] + 1], lines, table, changed)
                shifts.touched(name, None if everywhere else changed[:count].copy())

    # --- places, schools and workforce --------------------------------------------------------------------------------
    def write_supply(self, shifts: Shifts) -> None:
        """Write what they do to the supply of each neighbourhood."""
        own = [(p, s) for p, s in zip(self.programmes, self.strength) if isinstance(p, PlaceProgramme) and p.supplies()]
        if not own:
            return
        total, left = shifts.array("supply"), self._left([p for p, _ in own], np.stack([p.dose for p, _ in own]))
        for d in {d for p, _ in own for d in p.supplies()}:
            total[d] = 0
        for (p, _), less in zip(own, left):
            added = (p.dose * less * (p.solved.shifts["opportunity_physical"] * self.factor + 0.0)).astype(np.float32)
            for d in p.supplies():
                total[d] += added
        shifts.touched("supply")

    def write_offer(self, shifts: Shifts) -> None:
        """Write the log of the offer of schools that take part."""
        own = [p for p in self.programmes if isinstance(p, SchoolProgramme) and p.offers()]
        if not own:
            return
        total, left = shifts.array("offer"), self._left(own, np.stack([p.level * p.gain[p.home] for p in own]))
        total[:] = 0
        for p, less in zip(own, left):
            shift = p.solved.shifts["opportunity_physical"] * self.factor + 0.0
            total[: p.level.size] += (shift * p.level * p.gain[p.home] * less).astype(np.float32)
        shifts.touched("offer")

    def _left(self, own: Sequence[Programme], level: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what is left of each programme's dose in each place, (programmes, places): 1 or what `same` leaves."""
        out = np.ones(level.shape)
        if len(own) > 1:
            at = [self.programmes.index(p) for p in own]
            weigh_doses(level, self.strength[at], self.overlap[np.ix_(at, at)], self.same, out)
        return out

    def write_workforce(self, shifts: Shifts) -> None:
        """Write workforce per 1,000 residents, and how much liker to residents it is, which is full at the stated workforce."""
        own = [p for p in self.programmes if isinstance(p, PeopleProgramme) and "fte" in p.writes()]
        if not own:
            return
        fte, likeness = shifts.array("fte"), shifts.array("likeness")
        fte[:], likeness[:] = 0, 0
        for p in own:
            fte += p.fte * self.factor
            likeness += p.likeness() * self.factor
        shifts.touched("fte")
        shifts.touched("likeness")
