"""Programmes that change a neighbourhood for everybody in it: routes, kilometre by kilometre."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from movesim import draws
from movesim.behaviour.shifts import add_by_group
from movesim.interventions.money import STEPS_A_YEAR
from movesim.interventions.programme import Programme, Readiness, unit_ids
from movesim.words import RECORD_EVERY, WEEKS_A_YEAR

_ORDER = 0


class PlaceProgramme(Programme):
    """An intervention that is built, neighbourhood after neighbourhood in a keyed order, as fast as money and capacity allow.

    A neighbourhood is served once `km_per_1000` kilometres stand per 1,000 residents it stands for; half of them serve half
    of it. What is built stays. Its residents' dose is how many kilometres nearer a route they live, after lag and ramp.
    """

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        people, setting = self.people, self.setting
        g = setting.decile.size
        self.built = np.zeros(g)  # share of each neighbourhood that is served
        self.history = [np.zeros(g)]  # weeks times share, summed up to the start of each four weeks since the first
        self.begun = self.first
        self.needed = self.number("route.km_per_1000") * setting.residents / 1000
        self.nearer = 1.0 if setting.trial else min(self.number("route.nearer_km"), self.number("route.cap_km"))
        self.gain = self.nearer * self.multiplier(setting.decile)
        self.dose = np.zeros(g)
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

    def advance(self, week: int, readiness: Readiness) -> bool:
        """Build for four weeks while the programme runs, and bring the dose up to date."""
        if not self.started(week):
            return False
        before = self.dose
        if self.setting.trial:
            self.dose = self.gain
            return week % WEEKS_A_YEAR == 0
        if self.running(week):
            self._build(week)
        self.history.append(self.history[-1] + RECORD_EVERY * self.built)
        self.dose = self.gain * self._open(week)
        # Residents change at the turn of a year, and with them who lives where something was built.
        return not np.array_equal(before, self.dose) or week % WEEKS_A_YEAR == 0

    def _build(self, week: int) -> None:
        year, part = self.clock(week)
        account, price = self.account, self.account.price
        budget = account.pounds_a_year * self.share_of_year(part) - account.spent(year)
        standing = float((self.built * self.needed).sum()) / STEPS_A_YEAR
        if price.get("km_year", 0.0) > 0:
            kept_up = min(standing, max(budget, 0.0) / price["km_year"])
            account.deliver(year, "km_year", kept_up)
            account.miss(year, "km_year", standing - kept_up)
            budget -= kept_up * price["km_year"]
        limit = np.inf
        if "capacity.km_per_100000" in self.spec.paths:
            limit = self.number("capacity.km_per_100000") * self.setting.residents.sum() / 100_000
        if part == 0 or week == self.first:
            self.planned = min(limit, float(sum((self.needed[q] * (1 - self.built[q])).sum() for q in self.queues)))
            self.laid = np.zeros(self.share.size)
        may = limit * self.share_of_year(part) - self.laid.sum()
        if price.get("km", 0.0) > 0:
            may = min(may, max(budget, 0.0) / price["km"])
        may = min(may, self.planned)
        for k, queue in enumerate(self.queues):
            self.laid[k] += self._lay(queue, max(may, 0.0) * self.share[k])
        account.deliver(year, "km", float(self.laid.sum()) - account.delivered(year, "km"))
        if part == STEPS_A_YEAR - 1:
            account.miss(year, "km", max(0.0, self.planned - float(self.laid.sum())))

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

    def writes(self) -> dict[str, tuple[int, ...]]:
        """Return the arrays of its components."""
        found = self.person_arrays()
        if "opportunity_physical" in self.solved.shifts:
            found["supply"] = self.spec.mechanism.domains_of("opportunity_physical")
        return found

    def write(self, name: str, total: NDArray, factor: float) -> None:
        """Add the dose of each neighbourhood to its supply, and that of where they live to its residents."""
        if name == "supply":
            added = (self.dose * (self.solved.shifts["opportunity_physical"] * factor + 0.0)).astype(np.float32)
            for d in self.spec.mechanism.domains_of("opportunity_physical"):
                total[d] += added
        else:
            dose, home = self.dose.astype(np.float32), self.people.neighbourhood
            for column, shift in self.columns_of(name, total, factor):
                add_by_group(home, dose, shift, column)
