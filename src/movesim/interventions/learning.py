"""Adaptive rules at work in one run: where a pilot runs, what its survey finds, what is done, and afterwards what was true."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from movesim import draws
from movesim.errors import InputError
from movesim.interventions.adaptive import MOVE, SCALE_UP, STOP, Rule
from movesim.interventions.programme import Programme, Setting, unit_ids
from movesim.interventions.purse import Purse
from movesim.interventions.scenario import Intervention
from movesim.interventions.survey import Survey, Wave
from movesim.interventions.targeting import strata_of
from movesim.words import WEEKS_A_YEAR

# What a programme works out of its setting once, when it is made, and must work out again where it may go elsewhere.
_OF_THE_SETTING = ("setting", "needed", "queues", "share")
COLUMNS = (
    "rule", "intervention", "week", "year", "outcome", "respondents", "estimate", "standard_error", "truth", "worth_having",
    "action", "moved_to", "pounds_moved", "pilot_residents",
)  # fmt: skip


@dataclass(frozen=True)
class Look:
    """How active everybody is in one run at the start of a week, for judging afterwards what a rule did."""

    id: NDArray[np.uint64]
    mean: NDArray[np.float32]
    live: NDArray[np.int8]
    child: NDArray[np.int8]

    @classmethod
    def of(cls, people: Any) -> Look:
        n = people.n
        return cls(people.id.copy(), people.mean[:n].copy(), people.live[:n].copy(), people.child[:n].copy())


@dataclass
class _Pilot:
    """A rule in this run: its programme, its survey, and what has been found and done."""

    rule: Rule
    programme: Programme
    survey: Survey
    residents: float
    before: Wave | None = None
    row: dict[str, Any] | None = None
    ids: NDArray[np.uint64] | None = None  # of the pilot's residents when it was decided on
    values: NDArray[np.float64] | None = None
    weight: NDArray[np.float64] | None = None


class Learning:
    """The rules of a scenario in one run.

    Arguments: rules; values, drawn numbers; setting, the run's; purse, the programmes and their money.
    Raises InputError where a pilot has no neighbourhood to be compared with.
    """

    def __init__(self, rules: tuple[Rule, ...], values: Mapping[str, float], setting: Setting, purse: Purse) -> None:
        self.values, self.setting, self.purse = values, setting, purse
        self.pilots: list[_Pilot] = []
        by = {p.spec.name: p for p in purse.programmes}
        for rule in rules:
            if rule.pilot in by:
                self.pilots.append(self._begin(rule, by[rule.pilot]))

    def _begin(self, rule: Rule, programme: Programme) -> _Pilot:
        setting, people = self.setting, self.setting.people
        everywhere, eligible = footprint(
            rule, programme.spec, self.values, people.neighbourhoods, setting.residents, people.local_authorities
        )
        pilot = chosen(rule, self.values, eligible, setting)
        own = np.where(pilot, setting.residents, 0.0)
        confine(programme, replace(setting, residents=own))
        residents = float(own.sum())
        self.purse.hold(rule.pilot, residents / float(setting.residents[everywhere].sum()))
        return _Pilot(rule, programme, Survey(rule, self.values, people, pilot, eligible & ~pilot, setting.key), residents)

    def turn(self, week: int) -> None:
        """Interview and decide at the turn of a year, before programmes plan it."""
        for pilot in self.pilots:
            if week == pilot.rule.first:
                pilot.before = pilot.survey.interview(week)
            elif week == pilot.rule.decided and pilot.before is not None:
                self._decide(pilot, week)

    def _decide(self, pilot: _Pilot, week: int) -> None:
        rule, survey, before = pilot.rule, pilot.survey, pilot.before
        assert before is not None
        if rule.same_people:
            first, after = survey.again(before), None
            asked = first.respondents
        else:
            first, after = before, survey.interview(week)
            asked = after.respondents
        estimate, error = survey.estimate(first, after)
        action = rule.action(estimate, error, self.values)
        moved = 0.0
        if action == SCALE_UP:
            confine(pilot.programme, self.setting)
            self.purse.hold(rule.pilot, 1.0)
        elif action in (STOP, MOVE):
            pilot.programme.last = week
            moved = self.purse.stop(rule.pilot, self._heir(rule, week))
        rows = survey.asked(survey.pilot)
        pilot.ids, pilot.values = survey.people.id[rows].copy(), survey.values(rows)
        pilot.weight = survey.people.weight[rows].astype(np.float64)
        pilot.row = {
            "rule": rule.name, "intervention": rule.pilot, "week": week, "year": week // WEEKS_A_YEAR + 1,
            "outcome": rule.outcome, "respondents": asked, "estimate": estimate, "standard_error": error,
            "worth_having": rule.value(self.values, "worth_having"), "action": action,
            "moved_to": rule.move_to if moved > 0 else "", "pounds_moved": moved, "pilot_residents": pilot.residents,
        }  # fmt: skip

    def _heir(self, rule: Rule, week: int) -> str:
        """Return who gets the money: nobody where it has been stopped itself by now."""
        running = [p.spec.name for p in self.purse.programmes if p.last > week]
        return rule.move_to if rule.move_to in running else ""

    def table(self, without: Mapping[int, Look] | None = None) -> pd.DataFrame:
        """Return a row per rule that has decided: rule, estimate, its standard error, what was true, what was done, money moved.

        Arguments: without, how active everybody was in the paired run without change, by week; without it no truth is told.
        """
        rows = [{**p.row, "truth": self._truth(p, without or {})} for p in self.pilots if p.row is not None]
        return pd.DataFrame(rows, columns=list(COLUMNS))

    def _truth(self, pilot: _Pilot, without: Mapping[int, Look]) -> float:
        """Return the mean gain of the pilot's residents over the same residents in the paired run, NaN where there is none."""
        look = without.get(pilot.rule.decided)
        if look is None:
            return float("nan")
        assert pilot.ids is not None and pilot.values is not None and pilot.weight is not None
        _, ours, theirs = np.intersect1d(pilot.ids, look.id, assume_unique=True, return_indices=True)
        both = look.live[theirs] > 0
        ours, theirs = ours[both], theirs[both]
        if ours.size == 0:
            return float("nan")
        gain = pilot.values[ours] - pilot.rule.measure(look.mean[theirs], look.child[theirs])
        return float(np.average(gain, weights=pilot.weight[ours]))


# --- where ------------------------------------------------------------------------------------------------------------
def footprint(
    rule: Rule,
    spec: Intervention,
    values: Mapping[str, float],
    neighbourhoods: Mapping[str, NDArray],
    residents: NDArray[np.float64],
    authorities: tuple[str, ...],
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return where the intervention runs once it is everywhere, and where its pilot may, (neighbourhoods,) each.

    Raises InputError where there are fewer than two for the pilot: it needs one to be compared with.
    """
    decile = np.asarray(neighbourhoods["imd_decile"])
    strata = strata_of(spec, values, decile, residents, neighbourhoods["local_authority"], authorities)
    everywhere = strata.of >= 0
    eligible = strata.of == 0 if spec.where.targeting == "targeted" else everywhere  # not where it would leak to
    if rule.deciles:
        eligible = eligible & np.isin(decile, rule.deciles)
    if eligible.sum() < 2:
        raise InputError(
            f"The rule '{rule.name}' needs at least two neighbourhoods in which '{rule.pilot}' may run, one to be compared with, "
            f"and this place has {int(eligible.sum())}; widen 'imd_decile', or take more people."
        )
    return everywhere, eligible


def chosen(rule: Rule, values: Mapping[str, float], eligible: NDArray[np.bool_], setting: Setting) -> NDArray[np.bool_]:
    """Return the pilot's neighbourhoods: the stated share, spread evenly over deciles, by keyed chance."""
    places = setting.people.neighbourhoods
    codes = tuple(places["code"].tolist()) if "code" in places else ("",) * setting.decile.size
    ids, index = unit_ids("neighbourhood", codes), int(draws.hash_id("pilot", rule.name) % np.uint64(2**16))
    chance = draws.uniform(ids, 0, "pilot", setting.key, index)
    start = float(draws.uniform([draws.hash_id("pilot", rule.name)], 0, "pilot", setting.key, index)[0])
    order = np.lexsort((ids, chance, setting.decile))
    order = order[eligible[order]]
    steps = np.floor(np.arange(order.size + 1) * rule.value(values, "share") + start)
    taken = order[np.diff(steps) > 0]
    if taken.size == 0:
        taken = order[[int(start * order.size)]]
    elif taken.size == order.size:
        taken = np.delete(order, int(start * order.size))
    pilot = np.zeros(setting.decile.size, bool)
    pilot[taken] = True
    return pilot


def confine(programme: Programme, setting: Setting) -> None:
    """Let a programme plan for these neighbourhoods from now on; what it has done elsewhere stays."""
    fresh = type(programme)(programme.spec, programme.values, programme.solved, setting, programme.account.pounds_a_year)
    for name in _OF_THE_SETTING:
        if hasattr(fresh, name):
            setattr(programme, name, getattr(fresh, name))
