"""A small made-up place to run interventions in."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from movesim import draws
from movesim.behaviour.shifts import Shifts
from movesim.interventions import Delivery, Scenario, load_scenario, solved_of
from movesim.interventions.targeting import matches

AUTHORITIES = ("Ashfield", "Derby", "Mansfield")


@dataclass
class Crowd:
    """People of a made-up place, as Delivery sees them: rows [0:n] are in use."""

    n: int
    columns: dict[str, NDArray]
    alive: NDArray
    neighbourhoods: dict[str, NDArray]
    schools: dict[str, NDArray]
    local_authorities: tuple[str, ...] = AUTHORITIES
    ready: NDArray = field(default_factory=lambda: np.zeros(0))

    def __getattr__(self, name: str) -> NDArray:
        if name.startswith("_") or name == "columns" or name not in self.columns:
            raise AttributeError(name)
        return self.columns[name][: self.n]

    def readiness(self, domains: tuple[int, ...], rows: NDArray) -> NDArray:
        """Readiness that depends on nothing but who one is."""
        return self.ready[rows]

    def in_order(self, order: NDArray) -> Crowd:
        """The same people in other rows."""
        columns = {name: column[order] for name, column in self.columns.items()}
        return Crowd(self.n, columns, self.alive[order], self.neighbourhoods, self.schools, ready=self.ready[order])


def make_crowd(n: int = 2500, neighbourhoods: int = 40, schools: int = 20, spare: int = 0, weight: float = 10.0) -> Crowd:
    r = np.random.default_rng(5)
    size = n + spare
    age = r.integers(0, 95, size)
    home = np.sort(r.integers(0, neighbourhoods, size)).astype(np.int32)
    columns = {
        "id": r.integers(1, 2**63, size).astype(np.uint64), "weight": np.full(size, weight) * r.uniform(0.5, 1.5, size),
        "age": age.astype(np.int16), "sex": r.integers(0, 2, size).astype(np.int8),
        "ethnic_group": r.integers(0, 5, size).astype(np.int8), "impairments": r.integers(0, 4, size).astype(np.int8),
        "ns_sec": r.integers(0, 5, size).astype(np.int8), "in_work": r.integers(0, 2, size).astype(np.int8),
        "income_rank": r.random(size).astype(np.float32), "neighbourhood": home,
        "school": np.where((age >= 5) & (age < 16), 1 + home % schools, 0).astype(np.int32),
    }  # fmt: skip
    columns["id"][n:] = 0
    alive = np.arange(size) < n
    g = np.arange(neighbourhoods)
    areas = {
        "code": np.array([f"E0{i:03d}" for i in g]), "imd_decile": (g % 10 + 1).astype(np.int8),
        "local_authority": (g % 3).astype(np.int16), "residents": np.full(neighbourhoods, 1500.0),
    }  # fmt: skip
    s = np.arange(schools + 1)
    places = {
        "code": np.array(["", *(f"S{i:03d}" for i in s[1:])]), "phase": np.where(s > 0, 1 + s % 2, 0).astype(np.int8),
        "neighbourhood": np.maximum(s - 1, 0).astype(np.int32),
    }  # fmt: skip
    return Crowd(n, columns, alive, areas, places, ready=r.normal(0, 0.8, size))


def solve_all(scenario: Scenario, values: dict[str, float], crowd: Crowd, s: float = 1.0, gain=(9, 9.5, 10, 10.5, 11)) -> dict:
    """Pretend that studies were re-run and gave these gains by fifth."""
    decile = crowd.neighbourhoods["imd_decile"][crowd.neighbourhood]
    found = {}
    for spec in scenario.interventions:
        m = matches(crowd, spec.who)
        given = (crowd.ready[: crowd.n][m], crowd.weight[m], decile[m])
        first = solved_of(spec, values, s, *given)
        found[spec.name] = solved_of(spec, values, s, *given, enrolled_gain=np.array(gain), first=first)
    return found


class Run:
    """A scenario run through for some years; keeps a copy of every array after every week."""

    def __init__(
        self,
        scenario: Scenario | str,
        crowd: Crowd,
        years: int = 3,
        changes: dict[str, float] | None = None,
        keep: bool = False,
        solve=None,
        **options,
    ) -> None:
        self.scenario = load_scenario(scenario) if isinstance(scenario, str) else scenario
        self.values = {**self.scenario.ledger().central(), **(changes or {})}
        self.solved = solve_all(self.scenario, self.values, crowd) if solve is None else solve
        self.crowd = crowd
        self.shifts = Shifts(crowd.alive.size, crowd.neighbourhoods["imd_decile"].size, crowd.schools["phase"].size)
        self.delivery = Delivery(self.scenario, self.values, crowd, self.solved, draws.key(1, 0), years, **options)
        self.past: list[dict[str, NDArray]] = []
        for week in range(52 * years):
            self.delivery.step(week, self.shifts, crowd.readiness)
            if keep:
                self.past.append({k: a.copy() for k, a in self.arrays().items()})

    def arrays(self) -> dict[str, NDArray]:
        names = ("P", "Y", "S", "R", "prompt", "access", "supply", "offer", "fte", "likeness")
        return {name: self.shifts.get(name) for name in names if self.shifts.get(name) is not None}
