"""Schools as they are: the open state-funded schools of a place from Get Information about Schools, and which LSOA each is in."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from movesim.errors import InputError
from movesim.place.lookups import Lookup
from movesim.place.origins import Origin
from movesim.place.reading import Table
from movesim.place.rows import whole

PRIMARY, SECONDARY = 1, 2
STATUS = "establishmentstatus (name)"
_PHASES = {
    "primary": (PRIMARY,),
    "middle deemed primary": (PRIMARY,),
    "secondary": (SECONDARY,),
    "middle deemed secondary": (SECONDARY,),
    "all-through": (PRIMARY, SECONDARY),
    "all through": (PRIMARY, SECONDARY),
    "nursery": (),
    "16 plus": (),
    "not applicable": (),
    "": (),
}
_YEARS = {PRIMARY: 6.0, SECONDARY: 5.0}  # years of age that each phase holds here, to share an all-through school's pupils


def read_schools(origin: Origin, codes: list[str], lookup: Lookup, notes: list[str]) -> dict[str, NDArray[Any]]:
    """Return the open mainstream schools of the place, an all-through one once per phase: urn, phase, pupils, at (LSOA).

    The file mixes LSOAs of 2011 and 2021: both are found. A school whose pupils are hidden takes the mean of its phase.
    Raises InputError for a file that does not say which schools are open, a phase that is none and numbers that are none.
    """
    sheet = whole(origin)
    table = Table(sheet.origin, sheet.header, ["" for _ in sheet.rows], [n for n, _ in sheet.rows], [r for _, r in sheet.rows],
                  sheet.names)  # fmt: skip
    for line, row in sheet.rows:
        if len(row) != len(sheet.header):
            raise InputError(
                f"{origin}, line {line}: {len(row)} fields where the header has {len(sheet.header)}; the row is cut or a "
                "separator is missing, fetch the file again."
            )
    urn, phase = table.column("urn"), table.column("phaseofeducation (name)")
    lsoa = table.column("lsoa (code)")
    if STATUS not in table.names:
        raise InputError(
            f"{origin}: the column 'EstablishmentStatus (name)' is missing, without which closed schools cannot be told from "
            "open ones; fetch the file again with all its columns, or take it out of the folder."
        )
    status = table.column(STATUS)
    pupils = table.numbers("numberofpupils", gaps=True)
    row_of = {code: k for k, code in enumerate(codes)}
    found: list[tuple[str, int, float, int]] = []
    seen: dict[str, int] = {}
    for k, row in enumerate(table.cells):
        where = f"{origin}, line {table.lines[k]}"
        kind = row[phase].strip().lower()
        if kind not in _PHASES:
            raise InputError(
                f"{where}, column '{table.header[phase].strip()}': '{row[phase].strip()[:40]}' is no phase of education (such as "
                "Primary or Secondary); fetch the file again."
            )
        at = _home(row[lsoa].strip(), row_of, lookup)
        if at is None or not _PHASES[kind] or not row[status].strip().lower().startswith("open"):
            continue
        number = row[urn].strip()
        if not number.isdigit():
            raise InputError(
                f"{where}, column '{table.header[urn].strip()}': '{number[:40]}' is not the number of a school; fetch "
                "the file again."
            )
        if number in seen:
            raise InputError(f"{where}: school {number} stands already in line {seen[number]}; keep one row per school.")
        seen[number] = table.lines[k]
        years = sum(_YEARS[p] for p in _PHASES[kind])
        found += [(number, p, pupils[k] * _YEARS[p] / years, at) for p in _PHASES[kind]]
    size = np.array([f[2] for f in found])
    phases = np.array([f[1] for f in found], dtype=np.int8)
    for p in (PRIMARY, SECONDARY):
        hidden = (phases == p) & np.isnan(size)
        if hidden.any():
            known = size[(phases == p) & ~np.isnan(size)]
            size[hidden] = known.mean() if len(known) else 1.0
    notes.append(f"Schools are the {len(seen)} open ones with a phase in GIAS; catchments follow distance and pupils.")
    return {
        "urn": np.array([f[0] for f in found], dtype="U12"),
        "phase": phases,
        "pupils": np.maximum(size, 1.0),
        "at": np.array([f[3] for f in found], dtype=np.int64),
    }


def _home(code: str, row_of: dict[str, int], lookup: Lookup) -> int | None:
    """The row of the LSOA that a school is in, by its code of 2021 or of 2011 (the first part of one that was split)."""
    if code in row_of:
        return row_of[code]
    return next((row_of[new] for new in lookup.news.get(code, ()) if new in row_of), None)
