"""Who dies of what a year's activity leaves: baseline mortality, the dose-response curve, and what England's activity averages.

Baseline mortality by age and IMD fifth already holds the activity of its time, so a person's relative risk is divided by the
mean relative risk of the same age band and fifth in England (as in comparative risk assessment,
Ezzati and others 2002). The tables stand in conf/behaviour/demography.yaml.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from movesim import draws
from movesim.config import conf_folder, load_yaml
from movesim.words import ADULT_FROM, AGE_BANDS, WEEKS_A_YEAR

if TYPE_CHECKING:
    from movesim.behaviour.people import People
    from movesim.behaviour.rules import Rules
    from movesim.documents import Document

AGES = 131  # single years that the tables are spread over; older people take the last
FIFTHS = 5
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Tables:
    """Numbers by single year of age: deaths a person a year (131, 5), births a woman (131,), share in work (131,); the curve.

    `minutes` and `ratio` are the points of the all-cause dose-response curve.
    """

    deaths: Floats
    births: Floats
    in_work: Floats
    minutes: Floats
    ratio: Floats


@lru_cache(maxsize=4)
def tables(path: Path | None = None) -> Tables:
    """Read the tables of yearly demography (as shipped unless a path is given) and spread them over single years of age.

    Raises InputError with file and line when a row does not fit its columns or a curve is not one.
    """
    document = load_yaml(path or conf_folder() / "behaviour" / "demography.yaml")
    deaths = np.stack([_by_age(document, "mortality", fifth) for fifth in range(1, FIFTHS + 1)], axis=1) / 1000
    minutes, ratio = (_row(document, "dose_response", name) for name in ("minutes", "ratio"))
    at = ("tables", "dose_response", "rows")
    if minutes.size != ratio.size:
        raise document.error((*at, "ratio"), f"There are {minutes.size} minutes and {ratio.size} ratios; each needs one.")
    if minutes[0] != 0 or np.any(np.diff(minutes) <= 0):
        raise document.error((*at, "minutes"), "The minutes of the curve must begin at 0 and rise.")
    if ratio[0] != 1 or np.any(np.diff(ratio) > 0) or ratio[-1] <= 0:
        raise document.error((*at, "ratio"), "The ratios of the curve must begin at 1, never rise and stay above 0.")
    in_work = _by_age(document, "in_work", "in work")
    if np.any(in_work >= 1):
        raise document.error(("tables", "in_work", "rows", "in work"), "Shares in work must lie between 0 and 1.")
    return Tables(deaths, _by_age(document, "births", "births"), in_work, minutes, ratio)


def _row(document: Document, table: str, name: str | int) -> Floats:
    steps: tuple[Any, ...] = ("tables", table, "rows", name)
    found = document.data.get("tables", {}).get(table, {}).get("rows", {}).get(name)
    if not isinstance(found, list) or not found or any(isinstance(x, bool) or not isinstance(x, int | float) for x in found):
        raise document.error(steps, f"The table '{table}' needs a row '{name}' of numbers.")
    if min(found) < 0:
        raise document.error(steps, f"The row '{name}' of the table '{table}' has a number below 0.")
    return np.asarray(found, np.float64)


def _by_age(document: Document, table: str, name: str | int) -> Floats:
    """Return a row over columns such as "20-24" or "85+" by single year of age, 0 outside the columns."""
    row, columns = _row(document, table, name), document.data["tables"][table].get("columns", [])
    if row.size != len(columns):
        sentence = f"The row '{name}' has {row.size} numbers; it must have one for each of {len(columns)} columns."
        raise document.error(("tables", table, "rows", name), sentence)
    out = np.zeros(AGES)
    for column, value in zip(columns, row, strict=True):
        first, _, last = str(column).rstrip("+").partition("-")
        out[int(first) : int(last) + 1 if last else AGES] = value
    return out


# --- rates ----------------------------------------------------------------------------------------------------------
def fifth_of(people: People) -> NDArray[np.int64]:
    """Return everybody's IMD fifth, 0 most deprived to 4, shape (n,)."""
    return (people.neighbourhoods["imd_decile"][people.neighbourhood].astype(np.int64) - 1) // 2


def baseline(rules: Rules, age: NDArray, fifth: NDArray) -> Floats:
    """Return baseline deaths a person in a year that begins at `age` (completed years): half of it is lived a year older."""
    deaths = tables().deaths * rules["mortality.level"]
    a_year = 0.5 * (deaths + np.concatenate([deaths[1:], deaths[-1:]]))
    return a_year[np.minimum(age, AGES - 1), fifth]


def relative_risk(rules: Rules, age: NDArray, minutes: NDArray) -> Floats:
    """Return mortality against doing nothing for weekly minutes over the year; 1 for children, whom the curve does not cover.

    The causal share of the curve's logarithm is `mortality.effect`.
    """
    curve = tables()
    ratio = np.interp(minutes, curve.minutes, curve.ratio) ** rules["mortality.effect"]
    return np.where(age >= ADULT_FROM, ratio, 1.0)


def mean_risk(rules: Rules, people: People) -> NDArray[np.float32]:
    """Return the mean relative risk by age band and IMD fifth, shape (7, 5), of the year that ends, weighted by baseline deaths.

    With that weight baseline deaths of every band and fifth come out as in the table when people are as active as here. A
    band and fifth without anybody takes the mean of its band; a band without anybody takes 1.
    """
    n, bands = people.n, len(AGE_BANDS)
    fifth = fifth_of(people)
    risk = relative_risk(rules, people.age, people.year_minutes[:n] / WEEKS_A_YEAR)
    weight = people.weight * people.alive[:n] * baseline(rules, people.age, fifth)
    cell = people.band[:n].astype(np.int64) * FIFTHS + fifth
    deaths = np.bincount(cell, weight, bands * FIFTHS).reshape(bands, FIFTHS)
    total = np.bincount(cell, weight * risk, bands * FIFTHS).reshape(bands, FIFTHS)
    of_band = np.where(deaths.sum(axis=1) > 0, total.sum(axis=1) / np.maximum(deaths.sum(axis=1), 1e-300), 1.0)
    out = np.where(deaths > 0, total / np.maximum(deaths, 1e-300), of_band[:, None])
    return out.astype(np.float32)


def against_england(rules: Rules, risk: NDArray, people: People) -> Floats:
    """Return each person's relative risk over the year that ends, divided by England's mean of their band and fifth, (n,)."""
    n = people.n
    own = relative_risk(rules, people.age, people.year_minutes[:n] / WEEKS_A_YEAR)
    return own / risk[people.band[:n], fifth_of(people)]


def deaths(people: People, week: int, hazard: Floats) -> NDArray[np.int64]:
    """Return the rows of those who die, given everybody's deaths a year, shape (n,): probability 1 - exp(-hazard)."""
    u = draws.uniform(people.id, week, "death", people.key)
    return np.flatnonzero(people.alive[: people.n] & (u < -np.expm1(-hazard)))
