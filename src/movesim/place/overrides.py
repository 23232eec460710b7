"""Overrides: what a user knows better of single neighbourhoods than the tables do, from a CSV file of their own.

Indicators are replaced; supply by domain, schools' offer, price and the community workforce are set beside them. A cell that
is left empty changes nothing.
"""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from movesim.errors import InputError, did_you_mean, one_of
from movesim.place.margins import ENVIRONMENT, Margins
from movesim.words import LOCAL

Floats = NDArray[np.float64]
CODE, NAME, AUTHORITY = "code", "name", "local_authority"
# The least and the most that makes sense of each column.
LIMITS: dict[str, tuple[float, float]] = {
    "anti_social_behaviour": (0.0, 10_000.0), "connectivity": (0.0, 100.0), "outdoor_space": (0.0, 100_000.0),
    "facilities": (0.0, 1.0), "park_distance": (0.0, 100_000.0), "offer": (0.1, 5.0), "workforce": (0.0, 20.0),
    "price": (0.0, 5.0),
    **{column.name: (0.05, 5.0) for column in LOCAL if column.name.startswith("supply_")},
}  # fmt: skip
COLUMNS = (*ENVIRONMENT, *(column.name for column in LOCAL))


def overridden(margins: Margins, path: Path) -> Margins:
    """Return the margins with what a file of the user's own says of neighbourhoods.

    Arguments: margins; path of a CSV file with a column `code` (LSOA) or `local_authority` (all of its LSOAs) and any of
    COLUMNS. Of two rows for a neighbourhood that with its code counts. Raises InputError, with line and column, for a column,
    code or authority that is none, a code that stands twice, and a number that cannot be.
    """
    found = _read(path, margins)
    environment = {name: np.array(column) for name, column in margins.environment.items()}
    local = dict(margins.local)
    touched = np.zeros(len(margins), bool)
    for name, values in found.items():
        given = ~np.isnan(values)
        if not given.any():
            continue
        touched |= given
        if name in environment:
            environment[name] = np.where(given, values, environment[name]).astype(np.float32)
        else:
            # What nobody gave of workforce and parks stays unknown and takes the national value; a factor that nobody gave is 1.
            before = local.get(name, np.full(len(margins), np.nan if name in ("workforce", "park_distance") else 1.0))
            local[name] = np.where(given, values, before)
    if not touched.any():
        raise InputError(f"{path} overrides nothing: all its cells are empty; fill in at least one.")
    used = [name for name in COLUMNS if name in found and (~np.isnan(found[name])).any()]
    note = f"{', '.join(used)}: as {path.name} says in {touched.sum():,} of {len(margins):,} neighbourhoods."
    return replace(margins, environment=environment, local=local, notes=(*margins.notes, note))


def template(margins: Margins, path: Path) -> Path:
    """Write a CSV file to fill in: a row for every neighbourhood, with an empty cell for everything that may be overridden.

    Arguments: margins; path of the file. Returns the path.
    """
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file)
        writer.writerow([CODE, NAME, AUTHORITY, *COLUMNS])
        for k in range(len(margins)):
            authority = margins.local_authorities[margins.local_authority[k]]
            writer.writerow([margins.code[k], margins.label[k], authority, *[""] * len(COLUMNS)])
    return path


def _read(path: Path, margins: Margins) -> dict[str, Floats]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = [(k, row) for k, row in enumerate(csv.reader(file), start=1) if any(cell.strip() for cell in row)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} cannot be read ({error}); save it as CSV in UTF-8.") from None
    if not rows:
        raise InputError(f"{path} is empty; 'movesim place export' writes one to fill in.")
    header = [cell.strip().lower() for cell in rows[0][1]]
    known = (CODE, NAME, AUTHORITY, *COLUMNS)
    for name in header:
        if name not in known:
            hint = did_you_mean(name, known)
            raise InputError(f"{path}, line 1: '{name}' is no column of an override.{hint} There are {one_of(known)}.")
        if header.count(name) > 1:
            raise InputError(f"{path}, line 1: the column '{name}' stands there twice; keep one.")
    if CODE not in header and AUTHORITY not in header:
        raise InputError(
            f"{path}, line 1: no column says which neighbourhood a row is of; add 'code' (LSOA) or 'local_authority'."
        )
    out = {name: np.full(len(margins), np.nan) for name in header if name in COLUMNS}
    if not out:
        raise InputError(f"{path}, line 1: no column to override; add one of {one_of(COLUMNS)}.")
    by_code: dict[str, int] = {}
    # Rows of whole authorities first, so that a neighbourhood's own row counts.
    read = [(line, *_where(path, line, row, header, margins, by_code), row) for line, row in rows[1:]]
    for line, at, _, row in sorted(read, key=lambda item: item[2]):
        for name, column in out.items():
            cell = row[header.index(name)].strip()
            if cell:
                column[at] = _number(path, line, name, cell)
    return out


def _where(
    path: Path, line: int, row: list[str], header: list[str], margins: Margins, by_code: dict[str, int]
) -> tuple[NDArray[np.int64], bool]:
    """The neighbourhoods a row is of, and whether it names one by its code."""
    if len(row) != len(header):
        raise InputError(
            f"{path}, line {line}: {len(row)} cells where the first line has {len(header)}; a comma is missing or too many."
        )
    cells = dict(zip(header, (cell.strip() for cell in row)))
    code, authority = cells.get(CODE, ""), cells.get(AUTHORITY, "")
    if code:
        if code in by_code:
            raise InputError(
                f"{path}, line {line}: {code} stands already in line {by_code[code]}; keep one row per neighbourhood."
            )
        by_code[code] = line
        at = np.flatnonzero(margins.code == code)
        if len(at) == 0:
            hint = did_you_mean(code, margins.code.tolist())
            raise InputError(f"{path}, line {line}: '{code}' is no neighbourhood of this place.{hint} Take it out or correct it.")
        return at, True
    if authority:
        if authority not in margins.local_authorities:
            hint = did_you_mean(authority, margins.local_authorities)
            raise InputError(
                f"{path}, line {line}: '{authority}' is no local authority of this place.{hint} There are "
                f"{one_of(margins.local_authorities)}."
            )
        if authority in by_code:
            raise InputError(
                f"{path}, line {line}: {authority} stands already in line {by_code[authority]}; keep one row for it."
            )
        by_code[authority] = line
        return np.flatnonzero(margins.local_authority == margins.local_authorities.index(authority)), False
    raise InputError(f"{path}, line {line}: neither a code nor a local authority says which neighbourhood this is; fill one in.")


def _number(path: Path, line: int, name: str, cell: str) -> float:
    low, high = LIMITS[name]
    try:
        value = float(cell)
    except ValueError:
        raise InputError(
            f"{path}, line {line}, column '{name}': '{cell}' is not a number; leave it empty to change nothing."
        ) from None
    if not low <= value <= high:
        raise InputError(f"{path}, line {line}, column '{name}': {cell} is out of range; between {low:g} and {high:g} will do.")
    return value
