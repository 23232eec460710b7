"""The people of one run as columns: who they are, their components, habits and last four weeks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from movesim import draws
from movesim.behaviour import rules as equations
from movesim.behaviour.rules import Rules
from movesim.errors import MovesimError
from movesim.words import ADULT_FROM, AGE_BAND_STARTS, BURN_IN_WEEKS, CHILD_FROM, DOMAINS, PEOPLE, TIES, WEEKS_A_YEAR

if TYPE_CHECKING:
    from movesim.place.population import Population

F32 = np.float32
D = len(DOMAINS)
FIRST_YEAR = -BURN_IN_WEEKS // WEEKS_A_YEAR


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
    `year_minutes` minutes summed over the year. `original` (capacity,) tells who was there from the start (a closed cohort).
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
            "state": make(4, n), "base": make(4, n), "noise": make(4, n), "H": make(D, n), "log_A": make(D, n),
            "drive": make(D, n), "taste_domain": make(D, n), "taste": make(n), "volume": make(n), "volume_unit": make(n),
            "ring": make(4, n), "mean": make(n),
            "domain_minutes": make(D, n), "year_minutes": make(n), "live": make(n), "child": make(n),
        }  # fmt: skip
        self.floats["base"][:] = 0.5
        self.floats["state"][:] = 0.5
        self.active_before = np.zeros(n + 1, np.int8)
        self.active_now = np.zeros(n + 1, np.int8)
        self.degree = np.zeros(n, np.int8)
        self.original = self.alive.copy()
        self.band = np.zeros(n, np.int8)
        self.id_low, self.id_high = np.zeros(n, np.uint32), np.zeros(n, np.uint32)
        self.star = self.floats["base"]

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

    # --- what lasts -------------------------------------------------------------------------------------------------
    def draw_lasting(self, rows: slice | NDArray, rules: Rules) -> None:
        """Draw lasting noise, tastes and volume of the rows: functions of their ids alone."""
        from scipy.special import ndtri

        ids = self.columns["id"][rows]
        unit = lambda stream, index=0: ndtri(draws.open_uniform(draws.words(ids, 0, stream, self.key, index)))  # noqa: E731
        self.noise[:, rows] = unit("noise")
        own = np.concatenate([unit("taste_domain", 0), unit("taste_domain", 1)])[:D]
        self.taste_domain[:, rows] = rules["motivation.taste_domain"] * own
        first = unit("taste")[0]
        # the stationary AR(1) of taste, followed from its start to this year
        taste = first
        for year in range(FIRST_YEAR + 1, self.year + 1):
            taste = self._next_taste(taste, ids, year, rules)
        self.taste[rows] = taste
        r = rules["minutes.volume_taste"]
        self.volume_unit[rows] = r * first + np.sqrt(1 - r * r) * unit("volume")[0]
        self.id_low[rows], self.id_high[rows] = draws.halves(ids)

    def _next_taste(self, unit: NDArray, ids: NDArray, year: int, rules: Rules) -> NDArray:
        r = rules["motivation.taste_memory"]
        return r * unit + np.sqrt(1 - r * r) * draws.normal(ids, year, "taste", self.key, taste_index(year))

    def new_year(self, rules: Rules) -> None:
        """Let tastes drift by a year and renew everything that follows from who people are."""
        self.year += 1
        self.taste[: self.n] = self._next_taste(self.taste[: self.n].astype(np.float64), self.id, self.year, rules)
        self.refresh(rules)

    def refresh(self, rules: Rules) -> None:
        """Recompute set-points, access, pull and volume from the columns (once a year, and after demography)."""
        n = self.n
        p = {name: column[:n] for name, column in self.columns.items()}
        decile = self.neighbourhoods["imd_decile"][p["neighbourhood"]]
        taste = self.taste[:n].astype(np.float64)
        self.base[:, :n] = equations.set_points(rules, p, decile, self.noise[:, :n].astype(np.float64))
        self.log_A[:, :n] = equations.log_access(rules, p, equations.fear(rules, self.neighbourhoods)[p["neighbourhood"]])
        years = max(self.year, 0)
        drift = years * (self.trend[0] + self.trend[1] * equations.deprivation(decile) / 2)
        lasting = rules["motivation.taste"] * taste + drift
        self.drive[:, :n] = equations.pull(rules, p, lasting, self.taste_domain[:, :n].astype(np.float64))
        self.volume[:n] = equations.volume(rules, p["age"], self.volume_unit[:n].astype(np.float64))
        self.band[:n] = age_band(p["age"])
        self.child[:n] = (p["age"] < ADULT_FROM) & (p["age"] >= CHILD_FROM) & self.alive[:n]
        self.live[:n] = (p["age"] >= CHILD_FROM) & self.alive[:n]
        self.count_ties()

    def count_ties(self) -> None:
        """Count the ties that can be active: to people alive and old enough to be scored."""
        scored = np.append(self.live > 0, False)
        self.degree[: self.n] = scored[self.ties[: self.n]].sum(axis=1)
