"""Programmes that change a neighbourhood for everybody in it: routes, kilometre by kilometre, and zones."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from movesim import draws
from movesim.interventions.money import STEPS_A_YEAR
from movesim.interventions.programme import Programme, Readiness, unit_ids
from movesim.interventions.scenario import PLACE_UNITS
from movesim.words import RECORD_EVERY

_ORDER = 0


class PlaceProgramme(Programme):
    """An intervention that is built, neighbourhood after neighbourhood in a keyed order, as fast as money and capacity allow.

    A neighbourhood is served by a route once `km_per_1000` kilometres stand per 1,000 residents it stands for, and by a zone
    once all its residents are; half of it serves half of them. What is built stays, and wears by `wear_per_year` where its
    upkeep is not paid. The dose of residents is how many kilometres nearer a route they live, and 1 in a zone, after lag and
    ramp.
    """

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        people, setting = self.people, self.setting
        g = setting.decile.size
        self.built = np.zeros(g)  # share of each neighbourhood that is served
        self.history = [np.zeros(g)]  # weeks times share, summed up to the start of each four weeks since the first
        self.begun = self.first
        self.unit, self.upkeep = PLACE_UNITS["zone" if self.spec.zone else "route"]
        self.nearer = 1.0
        if self.spec.zone:
            self.needed = setting.residents.copy()
        else:
            self.needed = self.number("route.km_per_1000") * setting.residents / 1000
            if not setting.trial:
                self.nearer = min(self.number("route.nearer_km"), self.number("route.cap_km"))
        self.gain = self.nearer * self.multiplier(setting.decile)
        self.condition = np.ones(g)  # of what stands: 1 as new
        self.dose = np.zeros(g)
        self.level = np.zeros(g, np.float32)
        self.planned = 0.0
        self.laid = np.zeros(0)  # km this year, by group of neighbourhoods
        self.queues: list[NDArray] = []
        if setting.trial:
            self.built[:] = 1.0
            return
        strata = self.strata()
        self.share = strata.share
        ids = unit_ids("neighbourhood", tuple(people.neighbourhoods.get("code", np.full(g, "")).tolist()))
        priority = draws.uniform(ids, 0, self.stream, setting.key, _ORDER)
        order = np.lexsort((ids, priority))
        self.queues = [order[strata.of[order] == k] for k in range(strata.share.size)]

    def advance(self, week: int, readiness: Readiness) -> None:
        """Build for four weeks while the programme runs, and bring the dose up to date."""
        before, old = self.dose, self.level
        if self.setting.trial:
            self.dose = self.gain
        else:
            kept_up = self._build(week) if self.running(week) else 0.0
            self._wear(kept_up)
            self.history.append(self.history[-1] + RECORD_EVERY * self.built)
            self.dose = self.gain * self.leaning() * self._open(week) * self.condition
        self.level = self.dose.astype(np.float32)
        self.shifted = not np.array_equal(before, self.dose)
        changed = self.level != old
        self.moved = np.flatnonzero(changed[self.people.neighbourhood]) if changed.any() else np.zeros(0, np.int64)

    def _build(self, week: int) -> float:
        """Keep up what stands, then build; return the share of what stands whose upkeep is paid."""
        year, part = self.clock(week)
        account, price = self.account, self.account.price
        budget = account.pounds_a_year * self.share_of_year(part) - account.spent(year)
        standing = float((self.built * self.needed).sum()) / STEPS_A_YEAR
        kept_up = standing
        if price.get(self.upkeep, 0.0) > 0:
            kept_up = min(standing, max(budget, 0.0) / price[self.upkeep])
            account.deliver(year, self.upkeep, kept_up)
            account.miss(year, self.upkeep, standing - kept_up)
            budget -= kept_up * price[self.upkeep]
        limit = np.inf
        if "capacity.km_per_100000" in self.spec.paths:
            limit = self.capacity_of("km_per_100000") * self.setting.residents.sum() / 100_000
        if "capacity.residents_per_1000" in self.spec.paths:
            limit = self.capacity_of("residents_per_1000") * self.setting.residents.sum() / 1000
        if part == 0 or week == self.first:
            self.planned = min(limit, float(sum((self.needed[q] * (1 - self.built[q])).sum() for q in self.queues)))
            self.laid = np.zeros(self.share.size)
        may = limit * self.share_of_year(part) - self.laid.sum()
        if price.get(self.unit, 0.0) > 0:
            may = min(may, max(budget, 0.0) / price[self.unit])
        may = min(may, self.planned)
        stood = self.built.copy()
        for k, queue in enumerate(self.queues):
            self.laid[k] += self._lay(queue, max(may, 0.0) * self.share[k])
        # what is new is as new
        grown = self.built > stood
        self.condition[grown] = 1 - (1 - self.condition[grown]) * stood[grown] / self.built[grown]
        account.deliver(year, self.unit, float(self.laid.sum()) - account.delivered(year, self.unit))
        if part == STEPS_A_YEAR - 1:
            account.miss(year, self.unit, max(0.0, self.planned - float(self.laid.sum())))
        return kept_up / standing if standing > 0 else 1.0

    def _wear(self, kept_up: float) -> None:
        """Let what stands lose what four weeks take from the part of it whose upkeep is not paid."""
        if "wear_per_year" in self.spec.paths and kept_up < 1:
            left = (1 - self.number("wear_per_year")) ** (1 / STEPS_A_YEAR)
            self.condition[self.built > 0] *= 1 - (1 - left) * (1 - kept_up)

    def _lay(self, queue: NDArray, km: float) -> float:
        """Build so many kilometres along a queue of neighbourhoods; return how many could be."""
        needed, standing = self.needed[queue], self.built[queue]
        lacking = needed * (1 - standing)
        open_to = np.cumsum(lacking)
        here = np.minimum(np.maximum(km - (open_to - lacking), 0.0), lacking)
        built = np.divide(here, needed, out=np.zeros(queue.size), where=needed > 0)
        self.built[queue] = np.where(here >= lacking, 1.0, standing + built)
        self.add_to_count("exposed", self.setting.decile[queue], self.setting.residents[queue] * built)
        return float(here.sum())

    def _open(self, week: int) -> NDArray[np.float64]:
        """Return the share of each neighbourhood's dose that has come into use: what was built, after lag and over ramp."""
        latest = week + RECORD_EVERY / 2 - self.number("lag_weeks")
        ramp = max(self.number("ramp_weeks"), RECORD_EVERY)
        return (self._weeks_of(latest) - self._weeks_of(latest - ramp)) / ramp

    def _weeks_of(self, week: float) -> NDArray[np.float64]:
        """Return built share times weeks up to a week, between records by a straight line."""
        at = (week - self.begun) / RECORD_EVERY
        if at <= 0:
            return self.history[0]
        whole = int(at)
        return self.history[whole] + (at - whole) * (self.history[whole + 1] - self.history[whole])

    # --- shifts -------------------------------------------------------------------------------------------------------
    def writes(self) -> dict[str, tuple[int, ...]]:
        """Return the arrays of its components."""
        return {**self.person_arrays(), **({"supply": self.supplies()} if self.supplies() else {})}

    def supplies(self) -> tuple[int, ...]:
        """Return the domains whose supply it changes."""
        moved = any(c.name == "opportunity_physical" for c in self.spec.mechanism.components)
        return self.spec.mechanism.domains_of("opportunity_physical") if moved else ()

    def local_dose(self) -> NDArray[np.float32]:
        """Return the dose of each neighbourhood."""
        return self.level
