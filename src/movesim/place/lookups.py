"""Lookups: tables by LSOA of 2011 brought to LSOAs of 2021, where areas were split, merged or changed otherwise."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from movesim.errors import InputError
from movesim.place.origins import Origin
from movesim.place.reading import LSOA, read

Floats = NDArray[np.float64]
_AUTHORITY = re.compile(r"^lad(\d\d)(cd|nm)$")


@dataclass(frozen=True)
class Lookup:
    """Which LSOAs of 2011 each LSOA of 2021 is made of, the other way round, and the authority of each (code, name).

    Without a lookup file every LSOA is taken to have kept its code (`given` is False).
    """

    olds: dict[str, tuple[str, ...]]
    news: dict[str, tuple[str, ...]]
    authority: dict[str, tuple[str, str]]
    given: bool

    def of_2011(self, code: str) -> tuple[str, ...]:
        """The LSOAs of 2011 that an LSOA of 2021 has parts of."""
        return self.olds.get(code, () if self.given else (code,))

    def counts(self, codes: list[str], of_2011: Mapping[str, Floats], residents: Mapping[str, float]) -> Floats:
        """Share counts of LSOAs of 2011 over those of 2021: by residents where one was split, equally where they are unknown.

        Arguments: codes of 2021; a row of counts for each code of 2011; residents of 2021. Returns (codes, columns), NaN where
        nothing is known.
        """
        width = len(next(iter(of_2011.values()))) if of_2011 else 0
        out = np.full((len(codes), width), np.nan)
        for k, code in enumerate(codes):
            rows = [of_2011[old] * self._share(old, code, residents) for old in self.of_2011(code) if old in of_2011]
            if rows:
                out[k] = np.sum(rows, axis=0)
        return out

    def _share(self, old: str, new: str, residents: Mapping[str, float]) -> float:
        pieces = self.news.get(old, (new,))
        known = [residents.get(piece, 0.0) for piece in pieces]
        if min(known) > 0:
            return residents[new] / sum(known)
        return 1.0 / len(pieces)

    def levels(self, codes: list[str], of_2011: Mapping[str, float], weight: Mapping[str, float] | None = None) -> Floats:
        """Bring a level (a score, a distance) to LSOAs of 2021: a split one keeps it, of merged ones the mean by `weight`.

        NaN where nothing is known.
        """
        out = np.full(len(codes), np.nan)
        for k, code in enumerate(codes):
            parts = [old for old in self.of_2011(code) if old in of_2011 and not np.isnan(of_2011[old])]
            heavy = np.array([(weight or {}).get(old, 1.0) for old in parts])
            if parts:
                heavy = heavy if heavy.sum() > 0 else np.ones(len(parts))
                out[k] = float(np.average([of_2011[old] for old in parts], weights=heavy))
        return out


def read_lookup(origin: Origin | None) -> Lookup:
    """Read a lookup of LSOAs of 2011 and 2021, or stand in for an absent one. Raises InputError for codes that are none."""
    if origin is None:
        return Lookup({}, {}, {}, False)
    table = read(origin, "lsoa21cd", year=False, repeats=True)
    at = table.column("lsoa11cd")
    area = {m.group(2): k for k, n in enumerate(table.names) if (m := _AUTHORITY.match(n))}
    olds: dict[str, dict[str, None]] = {}
    news: dict[str, dict[str, None]] = {}
    authority: dict[str, tuple[str, str]] = {}
    for code, line, row in zip(table.codes, table.lines, table.cells):
        old = row[at].strip()
        if not LSOA.match(old):
            raise InputError(
                f"{origin}, line {line}, column '{table.header[at].strip()}': '{old[:40]}' is not a code of an English LSOA (E01 "
                "and six digits); fetch the file again."
            )
        olds.setdefault(code, {})[old] = None
        news.setdefault(old, {})[code] = None
        if "nm" in area:
            authority[code] = (row[area["cd"]].strip() if "cd" in area else "", row[area["nm"]].strip())
    return Lookup({k: tuple(v) for k, v in olds.items()}, {k: tuple(v) for k, v in news.items()}, authority, True)
