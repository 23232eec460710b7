"""Deprivation: the decile, name and authority of every LSOA of 2021, from File 7 of either vintage and any columns that do."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from movesim.errors import InputError, did_you_mean
from movesim.place.lookups import Lookup
from movesim.place.origins import Origin
from movesim.place.reading import Table, read
from movesim.place.rows import plain
from movesim.place.sources import DECILE, NEW, OLD, RANK

LSOAS = {"2025": 33_755, "2019": 32_844}  # LSOAs of England that each vintage ranks
_DISTRICT = re.compile(r"^local authority district (name|code) \(\d{4}\)")


@dataclass(frozen=True)
class Deprivation:
    """Every LSOA of 2021 that is known, in the order of codes: decile (1 most deprived), label, authority and its code."""

    origin: Origin
    codes: list[str]
    decile: NDArray[np.int64]
    label: list[str]
    authority: list[str]
    authority_code: list[str]
    notes: tuple[str, ...]

    def within(self, areas: Sequence[str]) -> set[str]:
        """Return the codes of the LSOAs of some authorities, each by its name or code. Raises InputError for an unknown one."""
        names = {plain(n): n for n in self.authority} | {plain(c): c for c in self.authority_code if c}
        wanted = set()
        for area in areas:
            if plain(area) not in names:
                known = sorted(set(self.authority))
                hint = did_you_mean(area, known) or f" It has {', '.join(known[:8])}{' and others' if len(known) > 8 else ''}."
                raise InputError(f"areas: {self.origin} has no local authority '{area}'.{hint}")
            wanted.add(plain(area))
        return {
            code
            for code, name, number in zip(self.codes, self.authority, self.authority_code)
            if plain(name) in wanted or plain(number) in wanted
        }


def split_areas(text: str, known: Sequence[str]) -> list[str]:
    """Split a list of authorities at commas, but not within a name that has one, such as 'Bristol, City of'.

    >>> split_areas("Derby, Bristol, City of", ["Bristol, City of", "Derby"])
    ['Derby', 'Bristol, City of']
    """
    words = [w.strip() for w in text.strip().strip("[]").split(",") if w.strip()]
    names = {plain(n) for n in known}
    out: list[str] = []
    while words:
        long = next((k for k in range(len(words), 0, -1) if plain(", ".join(words[:k])) in names), 1)
        out.append(", ".join(words[:long]))
        words = words[long:]
    return out


def read_deprivation(origin: Origin, lookup: Lookup) -> Deprivation:
    """Read File 7 of the indices of 2025 or, brought to LSOAs of 2021, of 2019.

    The decile may be given, or follow from the rank. Raises InputError where neither is there, where they contradict each
    other (as in files that run the other way), and where nothing says which authority an LSOA is of.
    """
    table = read(origin, (NEW, OLD), year=False)
    vintage = "2025" if NEW in table.names else "2019"
    decile = _deciles(table, vintage)
    label = _words(table, f"lsoa name ({'2021' if vintage == '2025' else '2011'})")
    district = {m.group(1): k for k, n in enumerate(table.names) if (m := _DISTRICT.match(n))}
    name = [row[district["name"]].strip() for row in table.cells] if "name" in district else [""] * len(table.codes)
    code = [row[district["code"]].strip() for row in table.cells] if "code" in district else [""] * len(table.codes)
    notes: tuple[str, ...] = ()
    if vintage == "2025":
        known = dict(zip(table.codes, zip(label, name, code)))
        codes = table.codes
    else:
        codes, decile, known, notes = _to_2021(table, decile, list(zip(label, name, code)), lookup)
    order = sorted(range(len(codes)), key=codes.__getitem__)
    full = [_described(origin, codes[k], *known[codes[k]], lookup) for k in order]
    return Deprivation(
        origin,
        [codes[k] for k in order],
        decile[order],
        [f[0] for f in full],
        [f[1] for f in full],
        [f[2] for f in full],
        notes,
    )


def _described(origin: Origin, code: str, label: str, name: str, number: str, lookup: Lookup) -> tuple[str, str, str]:
    """Label, authority name and code of an LSOA: of the lookup or the file, else the name of the LSOA without its number."""
    if code in lookup.authority and not name:
        number, name = lookup.authority[code]
    if not name:
        found = re.match(r"^(.+) \d{3}[A-Z]{1,2}$", label)
        name = found.group(1) if found else ""
    if not name:
        raise InputError(
            f"{origin}: no column says which local authority {code} is of ('Local Authority District name' or 'LSOA name'); "
            "fetch the whole file again, or add the lookup of LSOAs 2011 to 2021."
        )
    return label or code, name, number


def _words(table: Table, name: str) -> list[str]:
    if name not in table.names:
        return [""] * len(table.codes)
    at = table.names.index(name)
    return [row[at].strip() for row in table.cells]


def _deciles(table: Table, vintage: str) -> NDArray[np.int64]:
    """Deciles as given, checked against the rank, or computed from it as the official ones are."""
    rank = table.numbers(RANK) if table.has(RANK) else None
    decile = table.numbers(DECILE).astype(np.int64) if table.has(DECILE) else None
    if decile is not None:
        wrong = np.flatnonzero((decile < 1) | (decile > 10))
        if len(wrong):
            raise InputError(
                f"{table.path}, line {table.lines[wrong[0]]}: the IMD decile is {decile[wrong[0]]}; deciles run from 1 to 10."
            )
    if rank is None:
        if decile is None:
            table.column(DECILE)  # says that it is missing
        assert decile is not None
        return decile
    most = LSOAS[vintage]
    wrong = np.flatnonzero((rank < 1) | (rank > most))
    if len(wrong):
        raise InputError(
            f"{table.path}, line {table.lines[wrong[0]]}: the IMD rank is {rank[wrong[0]]:.0f}; those of {vintage} run from 1 to "
            f"{most:,}; fetch the file again."
        )
    if decile is None:
        return np.ceil(rank * 10 / most).astype(np.int64)
    order = np.argsort(rank, kind="stable")
    if (np.diff(decile[order]) < 0).any():
        raise InputError(
            f"{table.path}: IMD deciles do not rise with the rank; decile 1 must be the most deprived, as rank 1 is (some files "
            "run the other way); fetch the official file."
        )
    far = np.flatnonzero(np.abs(np.ceil(rank * 10 / most) - decile) > 1)
    if len(far):
        k = far[0]
        raise InputError(
            f"{table.path}, line {table.lines[k]}: rank {rank[k]:.0f} of {most:,} is not in decile {decile[k]}; the columns do "
            "not belong together, fetch the file again."
        )
    return decile


def _to_2021(
    table: Table, decile: NDArray[np.int64], words: list[tuple[str, str, str]], lookup: Lookup
) -> tuple[list[str], NDArray[np.int64], dict[str, tuple[str, str, str]], tuple[str, ...]]:
    """Deciles of 2019 by LSOA of 2021: a split one keeps its parent's, of merged ones the mean rank by residents decides."""
    told = next((n for n in table.names if n.startswith("total population: mid")), "")
    people = dict(zip(table.codes, table.numbers(told))) if told else None
    rank = table.numbers(RANK) if table.has(RANK) else decile * LSOAS["2019"] / 10 - LSOAS["2019"] / 20
    by_old = dict(zip(table.codes, rank.tolist()))
    old_words = dict(zip(table.codes, words))
    old_decile = dict(zip(table.codes, decile.tolist()))
    codes = [c for c, olds in lookup.olds.items() if any(o in by_old for o in olds)] if lookup.given else list(table.codes)
    mean = lookup.levels(codes, by_old, people)
    out = np.ceil(mean * 10 / LSOAS["2019"]).astype(np.int64)
    known = {}
    for k, code in enumerate(codes):
        olds = [o for o in lookup.of_2011(code) if o in by_old]
        if len({old_decile[o] for o in olds}) == 1:
            out[k] = old_decile[olds[0]]
        label, name, number = old_words[olds[0]]
        if code in lookup.authority:  # districts were merged between 2019 and 2022
            number, name = lookup.authority[code]
        known[code] = (label, name, number)
    changed = sum(1 for c in codes if lookup.of_2011(c) != (c,))
    note = "Deprivation deciles are those of 2019"
    note += f"; {changed} LSOAs of 2021 take them from the LSOAs of 2011 that they were made of." if changed else "."
    return codes, np.clip(out, 1, 10), known, (note,)
