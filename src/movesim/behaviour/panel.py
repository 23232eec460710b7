"""A keyed panel: what becomes of a few named persons, week by week, so that samples and scenarios can be joined by id."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from movesim.errors import InputError
from movesim.words import ADULT_FROM, ADULT_LIMITS, CHILD_FROM, CHILD_LIMITS, DOMAINS, STATUSES

if TYPE_CHECKING:
    import pandas as pd

    from movesim.behaviour.simulation import Simulation

STATE = ("capability_physical", "capability_psychological", "opportunity_social", "motivation_reflective")
HABITS = tuple(f"motivation_automatic_{word.name}" for word in DOMAINS)
NUMBERS = ("minutes", "minutes_last_week", *STATE, *HABITS)
NOT_SCORED = "not scored"


class Panel:
    """Keeps the weeks of named persons during a run; everybody else's columns stay where they are.

    Arguments: ids, 64-bit ids of persons (words.PEOPLE `id`). `record(simulation)` notes them as they stand; a panel can
    be given as `each_week` to `Simulation.run`, and ids as `panel` to ActivityModel. Who has died or moved away is left out
    from then on.
    Raises InputError for ids that are none, and, at the first record, for a person whom the run does not have.

    >>> panel = Panel(people.id[:20])  # doctest: +SKIP
    >>> simulation.run(52, panel)  # doctest: +SKIP
    >>> panel.to_frame()  # doctest: +SKIP
    """

    def __init__(self, ids: Iterable[int]) -> None:
        self.ids = np.array(_checked(ids), np.uint64)
        self._rows = np.full(self.ids.size, -1, np.int64)
        self._weeks: list[int] = []
        self._who: list[NDArray[np.int64]] = []  # places in `ids` of those who were there
        self._age: list[NDArray[np.int64]] = []
        self._numbers: list[NDArray[np.float32]] = []

    def record(self, simulation: Simulation) -> Panel:
        """Note everybody of the panel as they stand at the simulation's week; return the panel."""
        people = simulation.people
        here = self._find(simulation)
        rows = self._rows[here]
        state, habits, ring = (people.floats[name] for name in ("state", "H", "ring"))
        last = ring[(simulation.week - 1) % len(ring), rows]
        numbers = np.vstack([people.floats["mean"][rows], last, state[:, rows], habits[:, rows]])
        self._weeks.append(int(simulation.week))
        self._who.append(here)
        self._age.append(people.columns["age"][rows].astype(np.int64))
        self._numbers.append(numbers.astype(np.float32))
        return self

    def __call__(self, simulation: Simulation) -> None:
        """Record: a panel can be called after every week of a run."""
        self.record(simulation)

    def to_frame(self) -> pd.DataFrame:
        """Return a row for every person and week: id, week, age, status, minutes, components and habits by domain.

        `minutes` is the mean of the last four weeks, on which `status` rests; habits of domains that adults have not stay
        where they were.
        """
        import pandas as pd

        who = np.concatenate([np.zeros(0, np.int64), *self._who])
        age = np.concatenate([np.zeros(0, np.int64), *self._age])
        numbers = np.hstack([np.zeros((len(NUMBERS), 0), np.float32), *self._numbers])
        week = np.repeat(np.array(self._weeks, np.int64), [each.size for each in self._who])
        low, high = (np.where(age < ADULT_FROM, c, a) for a, c in zip(ADULT_LIMITS, CHILD_LIMITS, strict=True))
        status = np.array(STATUSES, object)[(numbers[0] >= low).astype(int) + (numbers[0] >= high)]
        status[age < CHILD_FROM] = NOT_SCORED
        columns: dict[str, Any] = {"id": self.ids[who], "week": week, "age": age, "status": status}
        return pd.DataFrame(columns | dict(zip(NUMBERS, numbers, strict=True)))

    def _find(self, simulation: Simulation) -> NDArray[np.int64]:
        """Bring the rows of the persons up to date; return the places in `ids` of those who are there."""
        people = simulation.people
        ids, alive = people.columns["id"], people.alive
        there = self._rows >= 0
        known = self._rows[there]
        if not (self._weeks and np.array_equal(ids[known], self.ids[there])):
            found = np.flatnonzero(np.isin(ids[: people.n], self.ids))
            row_of = dict(zip(ids[found].tolist(), found.tolist(), strict=True))
            self._rows = np.array([row_of.get(each, -1) for each in self.ids.tolist()], np.int64)
            if not self._weeks and (self._rows < 0).any():
                stranger = self.ids[self._rows < 0][0]
                raise InputError(f"There is no person {stranger} in the run at week {simulation.week}, whom the panel names.")
        return np.flatnonzero((self._rows >= 0) & alive[self._rows])

    # one array a kind, not one a week: what a checkpoint writes
    def __getstate__(self) -> dict[str, Any]:
        sizes = [each.size for each in self._who]
        joined = {
            "who": np.concatenate([np.zeros(0, np.int64), *self._who]),
            "age": np.concatenate([np.zeros(0, np.int64), *self._age]),
            "numbers": np.hstack([np.zeros((len(NUMBERS), 0), np.float32), *self._numbers]),
        }
        return {"ids": self.ids, "rows": self._rows, "weeks": list(self._weeks), "sizes": sizes, **joined}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.ids, self._rows, self._weeks = state["ids"], state["rows"], list(state["weeks"])
        ends = np.cumsum(state["sizes"])[:-1] if state["sizes"] else None
        self._who, self._age, self._numbers = (
            [] if ends is None else np.split(state[name], ends, axis=-1) for name in ("who", "age", "numbers")
        )


def _checked(ids: Iterable[int]) -> list[int]:
    given = list(ids) if not isinstance(ids, int | np.integer | str) else [ids]
    for each in given:
        if isinstance(each, bool) or not isinstance(each, int | np.integer) or not 0 <= int(each) < 2**64:
            raise InputError(f"A panel is made of persons' ids, whole numbers from 0 to 2**64 - 1, got {each!r}.")
    if not given:
        raise InputError("A panel needs at least one person's id.")
    if len({int(each) for each in given}) < len(given):
        raise InputError("A panel names a person twice; name everybody once.")
    return [int(each) for each in given]
