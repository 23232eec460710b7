"""Programmes that schools join: the whole school offers more active minutes, and pupils who are reached gain."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from movesim import draws
from movesim.interventions.doses import FOREVER, IN, Doses
from movesim.interventions.programme import Programme, Readiness, unit_ids
from movesim.interventions.targeting import matches
from movesim.words import RECORD_EVERY, WEEKS_A_YEAR

_ASKED, _WILLING = 0, 1  # of schools, keyed by their codes
_PUPIL = 2  # of pupils, keyed by their ids
_REACHED, _KEPT = 0, 1  # words of a pupil's draw


class SchoolProgramme(Programme):
    """An intervention that schools join, year by year, as long as money and trainers allow; they stay while it runs.

    Asked schools that are willing join by the smallest keyed priority. The last one that the money reaches joins with part
    of its classes. A pupil of a joining school is reached with the `adhering` probability.
    """

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        people, setting = self.people, self.setting
        schools = people.schools
        size = np.asarray(schools["phase"]).size
        self.home = np.asarray(schools["neighbourhood"]).astype(np.int64)
        self.open_to = np.isin(schools["phase"], self.spec.phases)
        self.open_to[0] = False  # row 0 stands for no school
        self.ids = unit_ids("school", tuple(schools.get("code", np.full(size, "")).tolist()))
        lasting = draws.words(self.ids, 0, self.stream, setting.key, _WILLING)
        self.priority = np.argsort(np.lexsort((self.ids, lasting[1])))
        self.willing = self.open_to & (draws.decision(lasting[0]) < self.number("ladder.taken_up"))
        self.asked = np.zeros(size, bool)
        self.joined_in = np.full(size, FOREVER, np.int64)
        self.part = np.zeros(size)  # share of each school's classes that take part
        self.before = np.zeros(size)  # the same a year ago
        self.level = np.zeros(size)
        self.pupil_years = 0.0
        self.missed = 0.0
        self.doses = Doses(self.capacity, self.number("lag_weeks"), self.number("ramp_weeks"), self.half_life())
        self.gain = self.multiplier(setting.decile).astype(np.float32)

    # --- a year -------------------------------------------------------------------------------------------------------
    def plan_year(self, week: int) -> None:
        """Ask schools, let those join that money and trainers allow, and reach their pupils."""
        people, setting = self.people, self.setting
        who = self.spec.trial.population if setting.trial else self.spec.who
        rows = np.flatnonzero(matches(people, who) & self.open_to[people.school])
        school = people.school[rows]
        pupils = np.bincount(school, people.weight[rows], self.part.size)
        if setting.trial:
            self.asked |= self.open_to
            self.part = np.where(self.open_to, 1.0, 0.0)
        else:
            asked_now = draws.uniform(self.ids, week, self.stream, setting.key, _ASKED) < self.offered()
            self._fund(week, pupils, asked_now)
        self.joined_in = np.where(self.part > 0, np.minimum(self.joined_in, week), FOREVER)
        self.count("offered", rows[self.asked[school]])
        self.count("taken_up", rows[self.part[school] > 0])
        self.pupils = rows

    def _fund(self, week: int, pupils: NDArray, asked_now: NDArray) -> None:
        strata = self.strata()
        of = np.where(self.open_to & (pupils > 0), strata.of[self.home], -1)
        self.asked |= asked_now & (of >= 0)
        wanting = self.willing & self.asked & (of >= 0)
        price = self.account.price.get("pupil_year", 0.0)
        affordable = self.account.pounds_a_year / price if price > 0 else np.inf
        fresh = np.inf
        if "capacity.schools_a_year" in self.spec.paths:
            fresh = min(1.0, self.capacity_of("schools_a_year")) * pupils[of >= 0].sum()
        self.before = self.part
        inside = self.part > 0
        self.part = np.zeros_like(self.part)
        for k, share in enumerate(strata.share):
            mine = np.flatnonzero(wanting & (of == k))
            # those that are in stay first, by when they came; then the rest by priority
            mine = mine[np.lexsort((self.priority[mine], self.joined_in[mine]))]
            need = pupils[mine]
            room = np.where(inside[mine], np.inf, fresh * share)
            before_new = np.cumsum(np.where(inside[mine], 0.0, need)) - np.where(inside[mine], 0.0, need)
            for_money = np.clip(affordable * share - (np.cumsum(need) - need), 0.0, need)
            for_trainers = np.clip(room - before_new, 0.0, need)
            self.part[mine] = np.minimum(for_money, for_trainers) / need
        self.pupil_years = float((self.part * pupils).sum())
        self.missed = float(pupils[wanting].sum()) - self.pupil_years

    def _reach(self, week: int, readiness: Readiness) -> None:
        """Reach pupils of the schools that take part, and let go of those who left."""
        people, doses = self.people, self.doses
        part = np.zeros(people.n)
        part[self.pupils] = self.part[people.school[self.pupils]]
        holding = np.flatnonzero(doses.phase[: people.n] == IN)
        rows = self.pupils[part[self.pupils] > 0]
        ready = np.asarray(readiness(self.spec.domains, rows), np.float64) if rows.size else np.zeros(0)
        self.level_out(("adhering", "upkeep"), people.weight[rows] * part[rows], ready, rows)
        words = draws.words(people.id[rows], 0, self.stream, self.setting.key, _PUPIL)
        tilt = self.setting.tilt_of(rows)
        reached = draws.decision(words[_REACHED]) < self.probability("adhering", ready, tilt) * part[rows]
        # Who was reached stays reached while no class of the school drops out: how ready they are by now is not asked again.
        still = (doses.phase[rows] == IN) & (part[rows] >= self.before[people.school[rows]])
        kept = draws.decision(words[_KEPT]) < np.minimum(1.0, self.probability("upkeep", ready, tilt) + self.support.habit_share)
        keeps_place = np.zeros(self.capacity, bool)
        keeps_place[rows[reached | still]] = True
        doses.finish(holding[~keeps_place[holding]])
        new = reached & (doses.phase[rows] != IN)
        doses.begin(rows[new], week, FOREVER, np.ones(int(new.sum()), bool), kept[new])
        self.count("adhering", rows[new])
        self.count("upkeep", rows[new & kept])

    # --- four weeks ---------------------------------------------------------------------------------------------------
    def advance(self, week: int, readiness: Readiness) -> None:
        """Plan at the turn of a year, keep the books, and bring offers and doses up to date."""
        if week == self.last:
            self.part = np.zeros_like(self.part)
            self.joined_in[:] = FOREVER
            self.doses.finish(np.flatnonzero(self.doses.phase == IN))
        elif self.running(week):
            if week % WEEKS_A_YEAR == 0 or week == self.first:
                self.plan_year(week)
                self._reach(week, readiness)
            if not self.setting.trial:
                year, steps = self.clock(week)[0], WEEKS_A_YEAR / RECORD_EVERY
                self.account.deliver(year, "pupil_year", self.pupil_years / steps)
                self.account.miss(year, "pupil_year", self.missed / steps)
        middle = week + RECORD_EVERY / 2 - self.joined_in - self.number("lag_weeks")
        ramp = self.number("ramp_weeks")
        risen = np.clip(middle / ramp if ramp > 0 else middle > 0, 0.0, 1.0)
        level, before = self.part * risen * self.number("ladder.adhering"), self.level
        self.doses.advance(week)
        gain = (self.multiplier(self.setting.decile) * self.leaning()).astype(np.float32)
        self.moved = self.doses.moved if np.array_equal(gain, self.gain) else None
        self.gain, self.level = gain, level
        self.shifted = self.moved is None or not np.array_equal(level, before)

    def reset(self, rows: NDArray) -> None:
        """Forget rows in which somebody else lives now."""
        super().reset(rows)
        self.doses.reset(rows)

    # --- shifts -------------------------------------------------------------------------------------------------------
    def writes(self) -> dict[str, tuple[int, ...]]:
        """Return the arrays of its components."""
        own: dict[str, tuple[int, ...]] = {"offer": ()} if self.offers() else {}
        return {**self.person_arrays(), **own}

    def offers(self) -> bool:
        """Whether the school itself offers more active minutes."""
        return any(c.name == "opportunity_physical" and not c.access for c in self.spec.mechanism.components)

    def use(self, doses: NDArray[np.float32]) -> None:
        """Keep each pupil's dose in this array."""
        self.doses.level = doses

    def local_dose(self) -> NDArray[np.float32]:
        """Return what a pupil's dose is multiplied by, by where they live."""
        return self.gain
