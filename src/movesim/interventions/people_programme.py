"""Programmes that people join: offers, places, adherence and response, and the workforce behind them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from movesim import draws
from movesim.behaviour.climb import who_climbs, who_stays
from movesim.interventions.boosters import Boosters
from movesim.interventions.doses import IN, KEPT, Doses
from movesim.interventions.ladder import CLIMBED
from movesim.interventions.money import STEPS_A_YEAR
from movesim.interventions.programme import Programme, Readiness
from movesim.interventions.targeting import matches
from movesim.words import WEEKS_A_YEAR

# Index of each draw at (person, week, stream): an index is never used for two things.
_OFFER, _CLIMB, _AFTER = 0, 1, 2


class PeopleProgramme(Programme):
    """An intervention whose participants climb the ladder, every four weeks.

    Once a year everybody eligible draws whether and in which of the year's 13 intakes they are offered a place, so `offered`
    is exactly the share a year. At the intake those still eligible climb; places go to the smallest keyed priority.
    """

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        n = self.capacity
        self.doses = Doses(n, self.number("lag_weeks"), self.number("ramp_weeks"), self.half_life())
        self.duration = self.number("duration_weeks")
        self.offers: list[NDArray] = []
        self.offer_ids: list[NDArray] = []
        self.fte = np.zeros(self.setting.decile.size)
        self.places = np.zeros(0)  # a year, by stratum
        self.begun = np.zeros(0)  # this year, by stratum
        self.carried = np.zeros(0)
        self.turned_away = np.zeros(0, bool)
        self.left = self.account.pounds_a_year  # of this year's money, for workforce and participants
        self.employed = self.wanted = 0.0
        self.boosters = None if self.setting.trial else Boosters.of(self)
        self.raises = max(1.0, self.number("raises_reach", 1.0))  # by how much those in contact are likelier to join others
        self.ones = np.ones(self.setting.decile.size, np.float32)
        # Within a year nobody's household changes: who lives with children need not be worked out again at an intake.
        self.who_now = replace(self.spec.who, with_children=None)
        # What other programmes that people are in contact with do to their uptake; Delivery says.
        self.lifted: Callable[[NDArray], NDArray[np.float64]] = lambda rows: np.ones(rows.size)

    # --- a year -------------------------------------------------------------------------------------------------------
    def fund(self, pounds_a_year: float) -> None:
        """Give it another budget, from the turn of a policy year on."""
        super().fund(pounds_a_year)
        self.left = pounds_a_year

    def plan_year(self, week: int, readiness: Readiness) -> None:
        """Count who is eligible, hire the workforce that money allows, and draw the year's offers."""
        people, setting = self.people, self.setting
        rows = np.flatnonzero(matches(people, self.spec.who))
        home = people.neighbourhood[rows]
        strata = self.strata(np.bincount(home, people.weight[rows], setting.decile.size))
        self.stratum_of = strata.of
        group, size = strata.of[home], strata.share.size
        inside = group >= 0
        if not inside.all():
            rows, group = rows[inside], group[inside]
        residents = np.bincount(group, people.weight[rows], size).astype(np.float64)
        year = self.clock(week)[0]
        self.left = self.account.pounds_a_year
        covered = self._cover(year, residents.sum())
        if self.boosters is not None:
            self.left -= self.boosters.reserve(week, self.left)
        fte = self._hire(residents.sum(), strata.of)
        starts = self._starts(fte, residents.sum())
        self.places, before = starts * strata.share, self.places
        left = before + self.carried - self.begun if before.size == size else np.zeros(size)
        # Less than the next person's weight is left of a year's places in a group that somebody was turned away from: it is
        # carried on, so that a sample buys as much as the whole would.
        self.carried = np.where(self.turned_away, np.maximum(left, 0.0), 0.0) if before.size == size else np.zeros(size)
        self.begun, self.turned_away = np.zeros(size), np.zeros(size, bool)
        self._employ(fte, strata.of, strata.share)
        rates = strata.rates(self.offered(), residents) * covered
        u = draws.uniform(people.id[rows], week, self.stream, setting.key, _OFFER)
        rate = rates[group]
        if setting.even is not None:
            ready = np.asarray(readiness(self.spec.domains, rows), np.float64)
            phase = self.doses.phase[rows]
            asked = people.weight[rows] * rate * ((phase != IN) & (phase != KEPT))
            self.level_out((*CLIMBED, "upkeep"), asked, ready, rows)
        offered = u < rate
        rows = rows[offered]
        part = np.minimum((u[offered] / rate[offered] * STEPS_A_YEAR).astype(np.int8), STEPS_A_YEAR - 1)
        rows = rows[np.argsort(part, kind="stable")]
        ends = np.cumsum(np.bincount(part, minlength=STEPS_A_YEAR))[:-1]
        self.offers, self.offer_ids = np.split(rows, ends), np.split(people.id[rows], ends)

    def _cover(self, year: int, residents: float) -> float:
        """Return the share of the people aimed at whom the cost per resident is paid for (1 where there is none)."""
        price = self.account.price.get("resident", 0.0)
        if not price > 0 or residents <= 0:
            return 1.0
        covered = min(1.0, self.account.pounds_a_year / (price * residents))
        self.account.deliver(year, "resident", covered * residents)
        self.account.miss(year, "resident", (1 - covered) * residents)
        self.left = self.account.pounds_a_year - covered * residents * price
        return covered

    def _hire(self, eligible: float, stratum: NDArray) -> float:
        """Return the workforce that can be found and paid, together with the participants it brings in."""
        if not self.spec.has_workforce or eligible <= 0:
            return 0.0
        wanted = self.number("workforce.fte_per_1000") * self.setting.residents[stratum >= 0].sum() / 1000
        price = self.account.price
        one = price.get("fte_year", 0.0) + self.capacity_of("starts_per_fte") * price.get("participant", 0.0)
        self.wanted = wanted
        return min(wanted, self.left / one) if one > 0 else wanted

    def _starts(self, fte: float, eligible: float) -> float:
        """Return how many may start this year: everybody eligible, or as many as workforce, capacity and money allow."""
        limits = [eligible]
        if self.spec.has_workforce:
            limits.append(fte * self.capacity_of("starts_per_fte"))
        if "capacity.starts_per_1000" in self.spec.paths:
            limits.append(self.capacity_of("starts_per_1000") * eligible / 1000)
        price = self.account.price.get("participant", 0.0)
        if price > 0:
            limits.append((self.left - fte * self.account.price.get("fte_year", 0.0)) / price)
        return max(0.0, float(min(limits)))

    def _employ(self, fte: float, stratum: NDArray, share: NDArray) -> None:
        """Spread the workforce over neighbourhoods, per 1,000 residents, as places are shared out."""
        self.employed = fte
        residents = np.bincount(stratum[stratum >= 0], self.setting.residents[stratum >= 0], share.size)
        per_1000 = np.divide(fte * share * 1000, residents, out=np.zeros(share.size), where=residents > 0)
        self.fte = np.where(stratum >= 0, per_1000[stratum], 0.0)
        self.shifted = True

    # --- four weeks ---------------------------------------------------------------------------------------------------
    def advance(self, week: int, readiness: Readiness) -> None:
        """Advance doses, take people in while the programme runs, and meet those again who have left."""
        self.shifted = False
        if week == self.last:
            self.doses.finish(np.flatnonzero(self.doses.phase == IN))
            self.fte = np.zeros_like(self.fte)
            self.shifted = True
        if self.setting.trial:
            if week == self.first:
                rows = np.flatnonzero(matches(self.people, self.spec.trial.population))
                climb = draws.words(self.people.id[rows], week, self.stream, self.setting.key, _CLIMB)
                self._take_in(rows, week, np.asarray(readiness(self.spec.domains, rows), np.float64), climb)
        elif self.running(week):
            if week % WEEKS_A_YEAR == 0 or not self.offers:
                self.plan_year(week, readiness)
            self._intake(week, readiness)
        self.doses.advance(week)
        if self.boosters is not None and self.running(week):
            self.boosters.meet(week)
        self.moved = self.doses.moved

    def _intake(self, week: int, readiness: Readiness) -> None:
        people, (year, part) = self.people, self.clock(week)
        rows, ids = self.offers[part], self.offer_ids[part]
        phase = self.doses.phase[rows]
        ask = (people.id[rows] == ids) & matches(people, self.who_now, rows) & (phase != IN) & (phase != KEPT)
        rows, ids = rows[ask], ids[ask]
        self.account.deliver(year, "participant", 0.0)
        if self.spec.has_workforce:
            self.account.deliver(year, "fte_year", self.employed / STEPS_A_YEAR)
            self.account.miss(year, "fte_year", (self.wanted - self.employed) / STEPS_A_YEAR)
        if rows.size == 0:
            return
        self.count("offered", rows)
        ready = np.asarray(readiness(self.spec.domains, rows), np.float64)
        climb = draws.words(ids, week, self.stream, self.setting.key, _CLIMB)
        home, chosen = people.neighbourhood[rows], np.empty(rows.size, np.int64)
        likelier = self.lifted(rows) * self.leaning()[home]
        a, b, c = self.terms("taken_up")
        wants = chosen[: who_climbs(climb[0], (a, b), c, ready, home, self.setting.tilt, likelier, chosen)]
        rows, ids, home = rows[wants], ids[wants], home[wants]
        self.count("taken_up", rows)
        got = self._placed(home, people.weight[rows], ids, climb[1][wants], self.share_of_year(part))
        weight = people.weight[rows]
        self.account.deliver(year, "participant", float(weight[got].sum()))
        self.account.miss(year, "participant", float(weight[~got].sum()))
        self._take_in(rows[got], week, ready[wants[got]], climb[:, wants[got]])

    def _placed(self, home: NDArray, weight: NDArray, ids: NDArray, priority: NDArray, share: float) -> NDArray[np.bool_]:
        """Tell who gets a place: within each group of neighbourhoods the smallest keyed priority first."""
        got = np.zeros(home.size, bool)
        group = self.stratum_of[home]
        order = np.lexsort((ids, priority))
        for k in range(self.places.size):
            mine = order[group[order] == k]
            if mine.size == 0:
                continue
            free = self.places[k] * share + self.carried[k] - self.begun[k]
            own = weight[mine]
            taken = np.cumsum(own) <= free * (1 + 1e-12) + 1e-9
            got[mine[taken]] = True
            self.begun[k] += own[taken].sum()
            self.turned_away[k] |= not taken.all()
        return got

    def _take_in(self, rows: NDArray, week: int, ready: NDArray, climb: NDArray) -> None:
        """Let these people begin: who stays, who responds and who would keep it is drawn now."""
        self.count("placed", rows)
        after = draws.words(self.people.id[rows], week, self.stream, self.setting.key, _AFTER)
        stays, responds, kept = np.empty((3, rows.size), bool)
        end = np.empty(rows.size, np.int64)
        steps = [self.terms(step) for step in ("adhering", "responding", "upkeep")]
        who_stays(
            climb[2], climb[3], after[0], after[1], tuple((a, b) for a, b, _ in steps), tuple(c for _, _, c in steps),
            ready, self.people.neighbourhood[rows], self.setting.tilt, self.support.habit_share, float(self.duration), week,
            stays, responds, kept, end,
        )  # fmt: skip
        self.doses.begin(rows, week, end, responds, kept)
        self.count("adhering", rows[stays])
        self.count("responding", rows[responds])
        self.count("upkeep", rows[kept])

    def reset(self, rows: NDArray) -> None:
        """Forget rows in which somebody else lives now."""
        super().reset(rows)
        self.doses.reset(rows)

    # --- shifts -------------------------------------------------------------------------------------------------------
    def writes(self) -> dict[str, tuple[int, ...]]:
        """Return the arrays of its components, and those of the workforce."""
        own: dict[str, tuple[int, ...]] = {} if self.setting.trial or not self.spec.has_workforce else {"fte": (), "likeness": ()}
        return {**self.person_arrays(), **own}

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what the delivery gives anew."""
        return {name: value for name, value in self.__dict__.items() if name != "lifted"}

    def use(self, doses: NDArray[np.float32]) -> None:
        """Keep each person's dose in this array."""
        self.doses.level = doses

    def contact(self) -> NDArray[np.bool_]:
        """Tell who is in contact with it now, shape (capacity,)."""
        return self.doses.phase == IN

    def local_dose(self) -> NDArray[np.float32]:
        """Return 1 everywhere: a person's dose is their own."""
        return self.ones

    def likeness(self) -> NDArray[np.float64]:
        """Return how much liker to residents the workforce is, full at the stated workforce."""
        # A thin workforce is met by few: without this a tenth of a coordinator would look as local as a whole one.
        full = max(self.number("workforce.fte_per_1000"), 1e-12)
        return self.number("workforce.likeness") * np.minimum(1.0, self.fte / full)
