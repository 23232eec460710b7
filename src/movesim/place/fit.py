"""Fit: how well the people of a whole place meet the tables they were made from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from movesim.place.margins import AGE_STARTS, Margins
from movesim.place.population import Population


@dataclass(frozen=True)
class Fit:
    """One table: cells compared, mean and largest difference between people made and the table, and the share within one."""

    table: str
    cells: int
    mean: float
    worst: float
    within_one: float

    def __str__(self) -> str:
        return (
            f"{self.table}: {self.cells:,} cells, mean difference {self.mean:.2f}, largest {self.worst:.0f}, "
            f"{100 * self.within_one:.1f}% within one"
        )


def fit(margins: Margins, population: Population) -> list[Fit]:
    """Compare all residents of a place with its margins, neighbourhood by neighbourhood.

    Arguments: margins; population, loaded with people=None. Households of communal residents are left out of the sizes.
    """
    order = {code: k for k, code in enumerate(margins.code)}
    at = np.array([order[c] for c in population.neighbourhoods["code"]])[population.people["neighbourhood"]]
    people = {k: np.asarray(v) for k, v in population.people.items()}
    band = np.searchsorted(AGE_STARTS, people["age"], side="right") - 1
    g = len(margins)
    out = [
        _compare("age", _table(at, band, g, len(AGE_STARTS)), margins.age),
        _compare("sex", _table(at, people["sex"], g, 2), margins.sex),
        _compare("ethnic group", _table(at, people["ethnic_group"], g, 5), margins.ethnic_group),
        _compare("carers", np.bincount(at, people["carer"], g)[:, None].astype(np.float64), margins.carers[:, None]),
    ]
    home = people["household"]
    size = np.bincount(home)
    first = np.zeros(len(size), np.int64)
    first[home[::-1]] = np.arange(len(home))[::-1]
    where = at[first]
    sizes = _table(where, np.minimum(size, 8) - 1, g, 8)
    sizes[:, 0] -= margins.communal
    out.append(_compare("household size", sizes, margins.household_size))
    adults = np.bincount(home, people["age"] >= 16)
    cars = np.rint(people["cars_per_adult"][first] * adults).astype(np.int64)
    made, wanted = _table(where, cars, g, 4), margins.cars
    out.append(_compare("cars (share of households, %)", *(100 * t / t.sum(axis=1, keepdims=True) for t in (made, wanted))))
    return out


def _table(row: NDArray[np.int64], column: NDArray[np.int64], rows: int, columns: int) -> NDArray[np.float64]:
    return np.bincount(row * columns + column, minlength=rows * columns).reshape(rows, columns).astype(np.float64)


def _compare(name: str, made: NDArray[np.float64], wanted: NDArray[np.float64]) -> Fit:
    apart = np.abs(made - wanted)
    return Fit(name, apart.size, float(apart.mean()), float(apart.max()), float((apart <= 1.0).mean()))
