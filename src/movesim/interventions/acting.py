"""What acts on a run at the start of a week: its scenario's programmes, and shocks, which strike every run of a study alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from movesim.behaviour import disruption
from movesim.behaviour.shifts import Shifts
from movesim.interventions.delivery import Delivery
from movesim.interventions.programme import Readiness
from movesim.interventions.shocks import COMPONENTS, Strike
from movesim.words import DOMAIN, RECORD_EVERY, WEEKS_A_YEAR

if TYPE_CHECKING:
    from movesim.behaviour.simulation import Simulation

_ALL_OF_IT = 0.999  # a school that offers nothing at all has no logarithm


class Acting:
    """Brings programmes and shocks to the start of each week.

    Without shocks programmes write to the run's own shifts. With shocks they write to shifts of their own, to which the shocks'
    are added, so that nothing of a shock stays in an array once it has passed. Shocks are constant over four weeks, as doses are.
    Arguments: simulation, the run; delivery, its programmes (None: no change); strikes, the shocks with their numbers drawn.
    """

    def __init__(self, simulation: Simulation, delivery: Delivery | None, strikes: Sequence[Strike] = ()) -> None:
        self.simulation, self.delivery, self.strikes = simulation, delivery, tuple(strikes)
        s = simulation
        self.programmes = Shifts(s.people.capacity, s.fte.size, s.offer.size) if self.strikes else s.shifts
        self.rules = s.rules
        self.depths = (0.0,) * len(self.strikes)
        self._parts: dict[str, NDArray | np.float32] = {}  # what the shocks write by now

    def step(self, readiness: Readiness) -> None:
        """Write what programmes and shocks do in the week that begins now; `readiness` is as Delivery.step takes it."""
        week = self.simulation.week
        if self.strikes and self.delivery is not None and week % WEEKS_A_YEAR == 0:
            self.delivery.purse.cut(self._left("money", [s.of_year(week) for s in self.strikes]))
        if self.delivery is not None:
            self.delivery.step(week, self.programmes, readiness)
        if not self.strikes:
            return
        changed = self.programmes.take_changes()
        if week % RECORD_EVERY == 0:
            changed |= self._strike(tuple(s.depth(week) for s in self.strikes))
        for name in sorted(changed):
            self._add_up(name)

    def _add_up(self, name: str) -> None:
        total, own = self.simulation.shifts.array(name), self.programmes.get(name)
        total[:] = self._parts.get(name, 0.0)
        if own is not None:
            total += own
        self.simulation.shifts.touched(name)

    def _strike(self, depths: tuple[float, ...]) -> set[str]:
        """Bring the shocks to these depths; return the arrays in which something changes."""
        if depths == self.depths:
            return set()
        run, before = self.simulation, self._parts
        ratios = [self._ratio(name, depths) for name in ("price", "fear")]
        if ratios != [self._ratio(name, self.depths) for name in ("price", "fear")]:
            disruption.reprice(run, self.rules, *ratios)
        open_share = np.array([self._left(f"closes.{name}", depths) for name in DOMAIN])
        if not np.array_equal(open_share, [self._left(f"closes.{name}", self.depths) for name in DOMAIN]):
            disruption.close(run, open_share if (open_share < 1).any() else None)
        self._parts = {}
        for effect, name in COMPONENTS.items():
            if moved := sum(s.does.get(effect, 0.0) * depth for s, depth in zip(self.strikes, depths, strict=True)):
                self._parts[name] = np.float32(moved)
        if (left := self._left("school_offer", depths)) < 1:
            self._parts["offer"] = np.float32(np.log(max(left, 1 - _ALL_OF_IT)))
        if (left := self._left("workforce", depths)) < 1:
            self._parts["fte"] = (left - 1) * run.fte
        self.depths = depths
        same = {name for name in before.keys() & self._parts.keys() if np.array_equal(before[name], self._parts[name])}
        return (before.keys() | self._parts.keys()) - same

    def _left(self, effect: str, depths: Sequence[float]) -> float:
        """Return what is left of something after every shock has taken its share of what the others leave."""
        return float(np.prod([1 - s.does.get(effect, 0.0) * depth for s, depth in zip(self.strikes, depths, strict=True)]))

    def _ratio(self, effect: str, depths: Sequence[float]) -> float:
        return float(np.prod([1 + (s.does.get(effect, 1.0) - 1) * depth for s, depth in zip(self.strikes, depths, strict=True)]))
