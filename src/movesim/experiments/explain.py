"""One person's life, week by week: what held them back or moved them, which draw decided, and why."""

from __future__ import annotations

import copy
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from movesim.behaviour.life import LifeWeek, recompute
from movesim.checks import weeks as weeks_between
from movesim.errors import InputError
from movesim.experiments.life_in_words import WIDTH, told_week, told_who
from movesim.model import ActivityModel
from movesim.words import BURN_IN_WEEKS, CHILD_FROM, WEEKS_A_YEAR

if TYPE_CHECKING:
    import pandas as pd

    from movesim.settings import ExplainSettings


@dataclass(frozen=True)
class Explanation:
    """Weeks of one person's life, each recomputed alone from the columns at its start.

    `person` is the id, `row` the row in the columns, `seed` and `replicate` what chance depends on, `place` where they live,
    `plan` what is done there, `weeks` the recomputed weeks. Printing it tells the weeks in words.
    """

    person: int
    row: int
    seed: int
    replicate: int
    place: str
    plan: str
    weeks: tuple[LifeWeek, ...]

    @property
    def agrees(self) -> bool:
        """Whether the compiled week did the same in every week."""
        return all(week.agrees for week in self.weeks)

    def to_frame(self) -> pd.DataFrame:
        """Return every quantity of every week: week, domain (empty for what has none), quantity, value."""
        import pandas as pd

        rows = [(week.week, domain, name, float(x)) for week in self.weeks for (domain, name), x in week.values.items()]
        return pd.DataFrame(rows, columns=["week", "domain", "quantity", "value"])

    def text(self) -> str:
        """Return the weeks in words."""
        return str(self)

    def __str__(self) -> str:
        head = (
            f"Person {self.person} (row {self.row}): {told_who(self.weeks[0].who)}, {self.place}. {self.plan} Every draw is at "
            f"the address of seed {self.seed}, replicate {self.replicate}, this person, the week, and the stream, index and word "
            "named with it."
        )
        lines = textwrap.wrap(head, WIDTH)
        for week in self.weeks:
            lines += ["", *told_week(week)]
        return "\n".join([*lines, "", self._verdict()])

    def _verdict(self) -> str:
        how_many = "this week" if len(self.weeks) == 1 else f"these {len(self.weeks)} weeks"
        wrong = [week for week in self.weeks if not week.agrees]
        if wrong:
            what, size = max(wrong[0].apart.items(), key=lambda item: item[1])
            return f"In week {wrong[0].week} the compiled model did NOT do the same ({what}: {size:.3g}); please report this."
        clear = [max(week.apart.values()) for week in self.weeks if not week.near]
        near = sum(bool(week.near) for week in self.weeks)
        said = f"In {how_many} the compiled model did the same: decisions equal, all else to 1e-4"
        said += f" (largest relative difference {max(clear):.1e})" if clear else ""
        said += f"; not asked in {near}, where a draw lies too close to its threshold to call" if near else ""
        return said + "."


def explain(settings: ExplainSettings) -> Explanation:
    """Run a place to the weeks asked for and return one person's life in them; see `movesim.explain`."""
    asked = settings
    model = ActivityModel(
        place=asked.place, people=asked.people, place_seed=asked.place_seed, seed=asked.seed, replicate=asked.replicate,
        draws=asked.draws, behaviour=asked.behaviour, plan=asked.plan, demography=asked.demography, years=asked.years,
        burn_in=False,
    )  # fmt: skip
    return _explained(model, asked.person, asked.id, asked.weeks)


def explain_in(model: Any, person: Any = None, id: int | None = None, weeks: Any = None) -> Explanation:
    """Return a person's life in coming weeks of a model, which itself stays where it is; see `movesim.explain`."""
    if not isinstance(model, ActivityModel):
        raise InputError(f"model must be an ActivityModel, got {type(model).__name__}.")
    own = getattr(person, "id", None)  # a Person view
    if own is not None and getattr(person, "model", None) is not model:
        raise InputError("This person is a view of another model; name them by id=.")
    asked = model.week if weeks is None else weeks
    return _explained(copy.copy(model), None if own is not None else person, own if own is not None else id, asked)


def _explained(model: ActivityModel, person: Any, id: Any, weeks: Any) -> Explanation:
    """Run a model on and look at a person at the start of every week asked for."""
    asked = _weeks(weeks, model)
    identity = _identity(model, person, id)
    seen: list[LifeWeek] = []
    rows: list[int] = []

    def look(simulation: Any) -> None:
        row = _row(simulation, identity)
        rows.append(row)
        seen.append(recompute(simulation, row))

    while model.week <= asked[-1]:
        model._one_week(look if model.week in asked else None)
    home = model.neighbourhood_at(int(seen[-1].who["neighbourhood"]))
    place = f"{home.code} in {home.local_authority}, IMD decile {home.imd_decile}"
    plan = "No change is made." if model.plan is None else f"Plan: {getattr(model.plan, '__name__', model.plan)}."
    return Explanation(identity, rows[0], model.seed, model.replicate, place, plan, tuple(seen))


def _weeks(given: Any, model: ActivityModel) -> tuple[int, ...]:
    last = max(model.years * WEEKS_A_YEAR, model.week + 1) - 1
    asked = weeks_between(-BURN_IN_WEEKS, last)("weeks", given)
    if asked[0] < model.week:
        raise InputError(
            f"Week {asked[0]} is past, for the model stands at week {model.week}; ask for coming weeks, or load an earlier "
            "checkpoint."
        )
    return asked


def _identity(model: ActivityModel, person: Any, id: Any) -> int:
    people = model.people
    if (person is None) == (id is None):
        raise InputError("Name the person either by row, as in person=17, or by id=, one of the two.")
    if id is not None:
        if isinstance(id, bool) or not isinstance(id, int | np.integer) or not 0 <= int(id) < 2**64:
            raise InputError(f"id must be the id of a person, a whole number from 0 to 2**64 - 1, got {id!r}.")
        return int(id)
    if isinstance(person, bool) or not isinstance(person, int | np.integer) or not 0 <= person < people.n:
        raise InputError(f"person must be a row of the columns, from 0 to {people.n - 1}, got {person!r}.")
    return int(people.columns["id"][person])


def _row(simulation: Any, identity: int) -> int:
    """Return where somebody stands, or say why they cannot be explained."""
    people = simulation.people
    rows = np.flatnonzero((people.columns["id"][: people.n] == np.uint64(identity)) & people.alive[: people.n])
    if not rows.size:
        raise InputError(f"There is no person {identity} at week {simulation.week}: not in this sample, not yet born, or gone.")
    row = int(rows[0])
    age = int(people.columns["age"][row])
    if age < CHILD_FROM:
        raise InputError(
            f"Person {identity} is {age} years old at week {simulation.week}; children under {CHILD_FROM} are not scored and "
            "decide nothing."
        )
    return row
