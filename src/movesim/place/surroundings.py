"""Surroundings: what official tables say of each neighbourhood besides its people, and what stands in where they do not.

Two indicators that the model uses come from the place's own tables where they are there; others (rural or not, distance to a
park, crime, position and size) are facts that go with the place for analysis; of these the distance to a park drives supply too.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from movesim.errors import InputError
from movesim.place.boundaries import read_boundaries
from movesim.place.lookups import Lookup
from movesim.place.margins import ENVIRONMENT, national_environment
from movesim.place.origins import Origin
from movesim.place.reading import Table, read
from movesim.place.rows import snake
from movesim.place.sources import ASB, PARKS

Floats = NDArray[np.float64]
_INDICATORS = {
    "anti_social_behaviour": ("indicators", ASB, 0.0, 10_000.0),
    "connectivity": ("connectivity", "connectivity_score", 0.0, 100.0),
}
_CODE_2021, _CODE_ANY = ("lsoa21_code", "lsoa code (2021)", "lsoa_code_2021"), ("lsoa21cd", "lsoa11cd")
_RURAL, _URBAN = ("r", "d", "e"), ("u", "a", "b", "c")  # beginnings of the classes of 2021 and of 2011


def environment(
    paths: Mapping[str, Origin], codes: list[str], decile: NDArray[np.int64], notes: list[str]
) -> dict[str, NDArray[np.float32]]:
    """Return the place's own indicators where File 8 has them, else the national value for the IMD decile."""
    out = national_environment(decile.astype(np.int8))
    missing = list(ENVIRONMENT)
    for name, (key, column, low, high) in _INDICATORS.items():
        if key not in paths:
            continue
        table = read(paths[key], _CODE_2021, year=False)
        values = _placed(table, codes, _bounded(table, column, low, high, snaked=True))
        gap = np.isnan(values)
        out[name] = np.where(gap, out[name], values).astype(np.float32)
        missing.remove(name)
        if gap.any():
            notes.append(f"{name}: {gap.sum()} LSOAs without a value take the national value for their IMD decile.")
    notes.append(f"{', '.join(missing)}: national values for the IMD decile (facilities from Wales), not the place's own.")
    return out


def facts(paths: Mapping[str, Origin], codes: list[str], lookup: Lookup, people_2011: Mapping[str, float]) -> dict[str, Floats]:
    """Return what else is known of each neighbourhood, each (g,), NaN where it is not.

    rural (0 or 1), park_distance (mean metres to the nearest), one column per kind of crime (per 1,000 people or properties),
    longitude and latitude (degrees) and hectares.
    """
    out: dict[str, Floats] = {}
    if "rural_urban" in paths:
        out["rural"] = np.round(_rural(paths["rural_urban"], codes, lookup, people_2011))
    if "parks" in paths:
        table = read(paths["parks"], "lsoa code", year=False)
        metres = _bounded(table, PARKS, 0.0, 100_000.0)
        out["park_distance"] = lookup.levels(codes, dict(zip(table.codes, metres)), people_2011)
    if "indicators" in paths:
        table = read(paths["indicators"], _CODE_2021, year=False)
        for k, header in enumerate(table.header):
            name = snake(header)
            if "_rate_per_1_000_at_risk_" in name and name != ASB:
                short = "crime_" + name.split("_rate_per_")[0]
                out[short] = _placed(table, codes, _bounded(table, name, 0.0, 10_000.0, snaked=True, at=k))
    if "boundaries" in paths:
        out |= read_boundaries(paths["boundaries"], codes, lookup, people_2011)
    return out


def _rural(origin: Origin, codes: list[str], lookup: Lookup, people: Mapping[str, float]) -> Floats:
    table = read(origin, _CODE_ANY, year=False)
    of_2021 = "ruc21cd" in table.names
    at = table.column("ruc21cd" if of_2021 else "ruc11cd")
    values = []
    for row, line in zip(table.cells, table.lines):
        first = row[at].strip().lower()[:1]
        if first not in _RURAL + _URBAN:
            raise InputError(
                f"{origin}, line {line}, column '{table.header[at].strip()}': '{row[at].strip()[:40]}' is no class of the "
                "rural-urban classification (such as UN1 or RSF1; in 2011 A1 to E2); fetch the file again."
            )
        values.append(float(first in _RURAL))
    if of_2021:
        return _placed(table, codes, np.array(values))
    return lookup.levels(codes, dict(zip(table.codes, values)), people)


def _bounded(table: Table, column: str, low: float, high: float, snaked: bool = False, at: int | None = None) -> Floats:
    """A column of measures, NaN where hidden. Raises InputError for values that cannot be."""
    values = table.numbers(column, whole=False, snaked=snaked, gaps=True)
    wrong = np.flatnonzero((values < low) | (values > high))
    if len(wrong):
        k = wrong[0]
        name = table.header[at if at is not None else table.column(column, snaked)].strip()
        raise InputError(
            f"{table.path}, line {table.lines[k]}, column '{name}': {values[k]:g} cannot be; values run from {low:g} to "
            f"{high:g}; fetch the file again."
        )
    return values


def _placed(table: Table, codes: list[str], values: Floats) -> Floats:
    """Values by code in the order of codes, NaN where a code is absent."""
    known = dict(zip(table.codes, values.tolist()))
    return np.array([known.get(code, np.nan) for code in codes])
