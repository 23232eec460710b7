"""The people of one run as columns: who they are, their components, habits and last four weeks."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from movesim import draws
from movesim.behaviour import lasting
from movesim.behaviour.rules import Rules
from movesim.behaviour.week import count_ties
from movesim.errors import MovesimError
from movesim.words import ADULT_FROM, AGE_BAND_STARTS, BURN_IN_WEEKS, CHILD_FROM, DOMAINS, PEOPLE, STREAMS, TIES, WEEKS_A_YEAR

if TYPE_CHECKING:
    from movesim.place.population import Population

F32 = np.float32
D = len(DOMAINS)
FIRST_YEAR = -BURN_IN_WEEKS // WEEKS_A_YEAR


# What a week changes; everything else changes at the turn of a year only.
WEEKLY = ("state", "H", "ring", "mean", "domain_minutes", "year_minutes", "active", "counted", "friends")
WHOLE = ("alive", "original", "ties", "tie_kind", "active", "counted", "friends", "degree", "band", "nature")


def age_band(age: NDArray) -> NDArray[np.int8]:
    """Return the index into words.AGE_BANDS for ages in years."""
    return (np.searchsorted(AGE_BAND_STARTS, age, side="right") - 1).astype(np.int8)


def taste_index(year: int) -> int:
    """Return the index of a year's draw of taste: the first taste of all was drawn as week 0, index 0, so year 0 has another."""
    return int(year >= 0)


@dataclass
class People:
    """Columns of everybody in a run; rows [0:n] are in use, the rest wait for births.

    `columns` hold words.PEOPLE. Activity columns (float32): `state` (4, capacity) P, Y, S, R; `base` their set-points, `star`
    the same as shifted by interventions (the very same array while nothing is shifted); `H` (6, capacity) habit; `ring` (4,
    capacity) the last four weeks' minutes; `mean` their mean; `domain_minutes` (6, capacity) summed since the last record;
    `year_minutes` minutes summed over the year. `live` and `child` (int8) tell who acts, and who of them is 5 to 15. `active`
    (capacity + 1,) holds last week's statuses, `friends` how many of one's ties were active in `counted`. `nature` is the id
    that lasting draws are keyed by. `original` (capacity,) tells who was there from the start (a closed cohort).
    """

    n: int
    capacity: int
    columns: dict[str, NDArray]
    alive: NDArray[np.bool_]
    ties: NDArray[np.int32]
    tie_kind: NDArray[np.int8]
    neighbourhoods: dict[str, NDArray]
    schools: dict[str, NDArray]
    local_authorities: tuple[str, ...]
    residents: float
    key: draws.Key
    order: NDArray[np.int64]
    year: int = FIRST_YEAR
    trend: tuple[float, float] = (0.0, 0.0)  # logit a year: everybody's, and most minus least deprived
    floats: dict[str, NDArray] = field(default_factory=dict)
    lent: bool = False

    # --- making -----------------------------------------------------------------------------------------------------
    @classmethod
    def from_population(cls, population: Population, rules: Rules, key: draws.Key, spare: int = 0) -> People:
        """Return the people of a population with their lasting tastes and set-points, children's rows first.

        `spare` rows are kept free for births. Ties to people outside are none by construction; unused places point at row
        `capacity`, which is never active.
        """
        n = population.people["id"].size
        capacity = n + spare
        order = np.argsort(population.people["age"] >= ADULT_FROM, kind="stable")
        place_of = np.empty(n + 1, np.int32)
        place_of[order] = np.arange(n, dtype=np.int32)
        place_of[n] = capacity
        columns: dict[str, NDArray] = {}
        for column in PEOPLE:
            full = np.zeros(capacity, column.dtype)
            full[:n] = population.people[column.name][order]
            columns[column.name] = full
        ties = np.full((capacity, TIES), capacity, np.int32)
        ties[:n] = place_of[population.ties[order]]
        tie_kind = np.full((capacity, TIES), -1, np.int8)
        tie_kind[:n] = population.tie_kind[order]
        alive = np.zeros(capacity, bool)
        alive[:n] = True
        people = cls(
            n, capacity, columns, alive, ties, tie_kind, dict(population.neighbourhoods), dict(population.schools),
            population.local_authorities, population.residents, key, order,
        )  # fmt: skip
        people._allocate()
        people.draw_lasting(slice(0, n), rules)
        people.refresh(rules)
        people.state[:] = people.base
        for d in range(D):
            people.H[d, :n] = 0.3
        return people

    def _allocate(self) -> None:
        n = self.capacity
        make = lambda *shape: np.zeros(shape, F32)  # noqa: E731
        self.floats = {
            "state": make(4, n), "base": make(4, n), "H": make(D, n), "log_A": make(D, n), "drive": make(D, n),
            "taste": make(n), "volume": make(n), "ring": make(4, n), "mean": make(n),
            "domain_minutes": make(D, n), "year_minutes": make(n), "live": np.zeros(n, np.int8), "child": np.zeros(n, np.int8),
        }  # fmt: skip
        self.floats["base"][:] = 0.5
        self.floats["state"][:] = 0.5
        self.active = np.zeros(n + 1, np.int8)
        self.counted = np.zeros(n + 1, np.int8)
        self.friends = np.zeros(n + 1, np.int8)
        self.degree = np.zeros(n, np.int8)
        self.nature = np.zeros(n, np.uint64)
        self.original = self.alive.copy()
        self.band = np.zeros(n, np.int8)

    def __getattr__(self, name: str) -> Any:
        # columns of words.PEOPLE read as people.age, people.sex, ... over the rows in use
        if name.startswith("_") or name in ("columns", "floats", "n"):
            raise AttributeError(name)
        if name in self.floats:
            return self.floats[name]
        if name in self.columns:
            return self.columns[name][: self.n]
        raise AttributeError(f"people have no column called '{name}'")

    def __setattr__(self, name: str, value: Any) -> None:
        # an attribute beside a column of the same name would be shared by branches: columns are written in place
        if name in self.__dict__.get("floats", ()):
            raise MovesimError(f"people.{name} is a column; write into people.floats['{name}'] in place.")
        super().__setattr__(name, value)

    def copy(self, lend: bool = False) -> People:
        """Return a copy; with `lend` it shares what only the turn of a year changes, until either calls `own`."""
        other = copy(self)
        take = lambda name, array: array if lend and name not in WEEKLY else array.copy()  # noqa: E731
        other.columns = {name: take(name, column) for name, column in self.columns.items()}
        other.floats = {name: take(name, column) for name, column in self.floats.items()}
        for name in WHOLE:
            setattr(other, name, take(name, getattr(self, name)))
        self.lent = self.lent or lend
        other.lent = lend
        return other

    def own(self) -> None:
        """Make arrays that another run may read one's own, before they change."""
        if not self.lent:
            return
        for columns in (self.columns, self.floats):
            columns.update({name: column.copy() for name, column in columns.items() if name not in WEEKLY})
        for name in WHOLE:
            if name not in WEEKLY:
                setattr(self, name, getattr(self, name).copy())
        self.lent = False

    # --- what lasts -------------------------------------------------------------------------------------------------
    def draw_lasting(self, rows: slice | NDArray, rules: Rules) -> None:
        """Give the rows natures and tastes of their own: functions of their ids alone."""
        ids = self.columns["id"][rows]
        self.nature[rows] = ids
        # the stationary AR(1) of taste, followed from its start to this year
        taste = draws.normal(ids, 0, "taste", self.key).astype(F32)
        for year in range(FIRST_YEAR + 1, self.year + 1):
            self._drift(ids, taste, year, rules)
        self.taste[rows] = taste

    def _drift(self, ids: NDArray[np.uint64], taste: NDArray[np.float32], year: int, rules: Rules) -> None:
        at = np.uint32((year + draws.WEEK_ZERO) & 0xFFFFFFFF)
        stream = np.uint32((STREAMS["taste"] << 16) + taste_index(year))
        lasting.drift(ids, at, stream, *self.key, F32(rules["motivation.taste_memory"]), taste, *lasting.work_space())

    def new_year(self, rules: Rules) -> None:
        """Let tastes drift by a year and renew everything that follows from who people are."""
        self.year += 1
        self._drift(self.columns["id"][: self.n], self.taste[: self.n], self.year, rules)
        self.refresh(rules)

    def refresh(self, rules: Rules) -> None:
        """Recompute set-points, access, pull and volume from the columns (once a year, and after demography)."""
        n = self.n
        age = self.columns["age"][:n]
        lasting.renew_people(self, rules, 0, n)
        self.band[:n] = age_band(age)
        self.live[:n] = (age >= CHILD_FROM) & self.alive[:n]
        self.child[:n] = (age < ADULT_FROM) & self.live[:n]
        self.count_ties()

    def count_ties(self) -> None:
        """Count the ties that can be active, to people alive and old enough to be scored, and those that are."""
        n = self.n
        scored = np.append(self.live, np.int8(0))
        count_ties(self.ties[:n], scored, self.degree[:n])
        count_ties(self.ties[:n], self.active, self.friends[:n])
        self.counted[:] = self.active
