"""Official tables in a folder or zip: known by what is in them, whatever they are called; what is not used, and why.

Where a table is there twice, the newer or finer of two different kinds is taken and two that contradict each other are refused.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from movesim.errors import InputError
from movesim.place.origins import Origin, Unused, origins
from movesim.place.reading import CODE, LSOA, Floats, Table, in_order, read
from movesim.place.rows import START, Sheet, is_text, plain, snake, start
from movesim.place.sources import BY_KEY, NEW, OLD, SOURCES, Source

__all__ = [
    "BY_KEY", "CODE", "LSOA", "SOURCES", "Floats", "Found", "Source", "Survey", "Table", "find", "in_order", "plain", "read",
    "snake", "start", "survey",
]  # fmt: skip
_AREAS = (
    (r"E00", "is for output areas"), (r"E02", "is for middle layer areas"), (r"[EW]0[6-9]", "is for local authorities"),
    (r"E1[0-9]", "is for counties or regions"), (r"[EKW]9|K0", "is for countries"), (r"W0", "is of Wales"),
    (r"S", "is of Scotland"),
)  # fmt: skip
_GSS = re.compile(r"^[EWKSN]\d{8}(\s*:.*)?$")
_UNKNOWN = "no table that a place is made from"
_NOTED = 5  # names given for one reason


@dataclass(frozen=True)
class Found:
    """A kind of table and the file that holds it (None: absent); note says which of several it is."""

    source: Source
    path: Origin | None
    note: str = ""

    def __str__(self) -> str:
        need = "needed" if self.source.needed else "useful"
        if self.path is not None:
            return f"{self.source.title} ({need}): {self.path.name}{f' ({self.note})' if self.note else ''}"
        instead = f"; instead: {self.source.instead}" if self.source.instead else ""
        return f"{self.source.title} ({need}): absent{instead}; {self.source.where}"


@dataclass(frozen=True)
class Survey:
    """What a folder or zip holds: every kind of table, needed ones first, and the files that are not used."""

    files: Path
    found: list[Found]
    unused: list[Unused]

    def paths(self) -> dict[str, Origin]:
        """The tables that are there, by key."""
        return {f.source.key: f.path for f in self.found if f.path is not None}

    def absent(self) -> list[Source]:
        """The needed tables that are not there."""
        return [f.source for f in self.found if f.source.needed and f.path is None]

    def lines(self) -> list[str]:
        """What a person reads before anything is made: each kind of table, then the files not used, by reason."""
        by_reason: dict[str, list[str]] = {}
        for one in self.unused:
            by_reason.setdefault(one.reason, []).append(one.origin.name)
        out = [str(f) for f in self.found]
        for reason, names in sorted(by_reason.items(), key=lambda item: (-len(item[1]), item[0])):
            more = f" and {len(names) - _NOTED} more" if len(names) > _NOTED else ""
            out.append(f"Not used, {reason}: {', '.join(names[:_NOTED])}{more}")
        return out

    def complain(self) -> None:
        """Refuse a folder that lacks needed tables, with what else is there that may be meant. Raises InputError."""
        absent = self.absent()
        if not absent:
            return
        keys = {s.key for s in absent}
        listed = "; ".join(f"'{s.title}' ({s.where})" for s in absent)
        likely = [u for u in self.unused if u.near & keys] + [u for u in self.unused if u.broken and not u.near & keys]
        if not likely:
            likely = sorted((u for u in self.unused if u.unknown or u.near), key=lambda u: u.reason != _UNKNOWN)
        hints = "; ".join(f"{u.origin}: {u.reason}" for u in likely[:_NOTED])
        told = f" Of the files there, these are not used: {hints}." if hints else ""
        raise InputError(
            f"{self.files} lacks {len(absent)} of the tables that a place needs: {listed}.{told} Fetch what is missing or "
            "damaged."
        )


def find(files: Path) -> list[Found]:
    """Return which of the official tables a folder or zip holds, needed ones first; see survey."""
    return survey(files).found


@dataclass
class _Held:
    """The candidates for one kind of table, and those of another geography."""

    here: list[tuple[Origin, Sheet]] = field(default_factory=list)
    other: list[tuple[Origin, str]] = field(default_factory=list)


def survey(files: Path) -> Survey:
    """Look at everything in a folder (and the folders and zips in it) or a zip.

    Raises InputError when there is none, when two different files hold the same table, or when a needed table is there for
    another geography only.
    """
    candidates, unused = origins(files)
    held = {s.key: _Held() for s in SOURCES}
    for origin in candidates:
        try:
            sheet = start(origin) if is_text(origin) else _map(origin)
        except InputError as error:
            unused.append(Unused(origin, str(error).removeprefix(f"{origin} ").removeprefix(f"{origin}, "), broken=True))
            continue
        _sort(origin, sheet, held, unused)
    found = []
    for source in sorted(SOURCES, key=lambda s: not s.needed):
        one, note = _choose(source, held[source.key].here, files, unused)
        if one is None and source.needed and held[source.key].other:
            path, wrong = held[source.key].other[0]
            raise InputError(f"{path} {wrong}; needed is '{source.title}' for LSOAs of 2021 ({source.where}).")
        found.append(Found(source, one, note))
    return Survey(files, found, unused)


def _sort(origin: Origin, sheet: Sheet | None, held: dict[str, _Held], unused: list[Unused]) -> None:
    """Put a table with the kinds it may serve as, or with the files not used."""
    if sheet is None:
        unused.append(Unused(origin, "a map of other areas than LSOAs, or no map"))
        return
    names = sheet.signs()
    kinds = [s for s in SOURCES if s.matches(names)]
    wrong = other_geography(sheet)
    for source in kinds:
        if wrong:
            held[source.key].other.append((origin, wrong))
        else:
            held[source.key].here.append((origin, sheet))
    if kinds and wrong:
        unused.append(Unused(origin, wrong.removeprefix("is ")))
    elif not kinds:
        near = {s.key: missing for s in SOURCES if (missing := s.lacking(names)) is not None}
        if near:
            key = min(near, key=lambda k: len(near[k]))
            reason = f"like '{BY_KEY[key].title}' but without the column '{near[key][0]}'; if it is meant, fetch it again"
            unused.append(Unused(origin, reason, frozenset(near)))
        else:
            reason = wrong.removeprefix("is ") if wrong else _UNKNOWN
            unused.append(Unused(origin, reason, unknown=True))


def _choose(source: Source, here: list[tuple[Origin, Sheet]], files: Path, unused: list[Unused]) -> tuple[Origin | None, str]:
    """The file that serves as a kind of table, and a word on it; others that are older or coarser go with those not used."""
    if not here:
        return None, ""
    best = max(_grade(source, *one) for one in here)
    first = [origin for origin, sheet in here if _grade(source, origin, sheet) == best]
    if len(first) > 1 and len({one.sha256() + one.sheet for one in first}) > 1:
        raise InputError(f"{first[0]} and {first[1]} both hold '{source.title}' and differ; keep one of them in {files}.")
    for origin, _ in here:
        if origin not in first:
            unused.append(Unused(origin, f"'{source.title}' is there in a newer or finer table"))
        elif origin is not first[0]:
            unused.append(Unused(origin, "the same file is there twice"))
    note = {"imd": {1: "2025", 0: "2019, by LSOA of 2011"}}.get(source.key, {}).get(best[0], "")
    return first[0], note


def _grade(source: Source, origin: Origin, sheet: Sheet) -> tuple[int, int]:
    """How good a table is for its purpose: of LSOAs of 2021 before 2011, finer ages before coarser, years near the census."""
    of_2021 = int(not {OLD, "lsoa11cd"} & set(sheet.names) or NEW in sheet.names or "lsoa21cd" in sheet.names)
    if source.key == "age":
        labels = {n for n in sheet.signs() if n.startswith("age: aged")}
        return of_2021, len(labels)
    if source.key == "single_year":
        year = re.search(r"20[0-4]\d", origin.sheet or origin.name)
        return int("lsoa 2021 code" in sheet.names), -abs(int(year.group()) - 2021) if year else -99
    return of_2021, int(source.key == "boundaries" and "geometry" in sheet.names)


def other_geography(sheet: Sheet) -> str:
    """Return what a table is for where that is not LSOAs, as the codes of its first rows say; else an empty text."""
    if any(n.startswith("2011 ") and "lower" in n for n in sheet.names):
        return "is of LSOAs of 2011"
    code = next((k for k in range(len(sheet.header)) if any(_GSS.match(cell) for cell in _column(sheet, k))), None)
    if code is None:
        return ""
    cells = _column(sheet, code)
    if any(LSOA.match(cell[:9]) for k in range(len(sheet.header)) for cell in _column(sheet, k)):
        return ""
    kinds = Counter(words for cell in cells for pattern, words in _AREAS if re.match(rf"({pattern})\d", cell))
    return kinds.most_common(1)[0][0] if kinds else ""


def _column(sheet: Sheet, k: int) -> list[str]:
    return [row[k].strip() for _, row in sheet.rows[:START] if len(row) > k]


def _map(origin: Origin) -> Sheet | None:
    """A GeoJSON file as a table of its first features' properties, for recognition only."""
    text = origin.bytes(131_072).decode("utf-8-sig", errors="replace")
    if not text.strip():
        raise InputError(f"{origin} is empty; fetch it again.")
    keys = {m.lower() for m in re.findall(r'"(LSOA(?:21|11)CD)"', text, flags=re.IGNORECASE)}
    if "FeatureCollection" not in text or "lsoa21cd" not in keys:
        return None
    names = ["lsoa21cd", "geometry"]
    return Sheet(origin, [], names, 1, names, [], ",")


def hashes(paths: dict[str, Origin]) -> dict[str, dict[str, str]]:
    """The name and SHA-256 of every table that is used, by key."""
    return {key: {"file": origin.name, "sha256": origin.sha256()} for key, origin in sorted(paths.items())}


def titles(keys: Iterable[str]) -> str:
    """The titles of some kinds of tables, for a sentence."""
    return ", ".join(f"'{BY_KEY[key].title}'" for key in keys)
