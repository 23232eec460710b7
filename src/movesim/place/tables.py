"""Official tables: found by what is in them, read with care, refused with a sentence that says where and what to do.

A table is known by its column names, whatever its file is called. Subtotals are never summed: only named columns are read.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from movesim.errors import InputError

Floats = NDArray[np.float64]
LSOA = re.compile(r"^E01\d{6}$")
_WELSH = re.compile(r"^W01\d{6}$")  # census files are of England and Wales; the indices of deprivation are English
_HIDDEN = {"", "..", "...", ".", ":", "-", "*", "c", "[c]", "x", "[x]", "na", "n/a", "nan", "null", "u", "[u]", "[low]"}
CODE = "geography code"


@dataclass(frozen=True)
class Source:
    """A kind of official table: its key, title, whether it is needed, and the columns (normalised) that give it away."""

    key: str
    title: str
    needed: bool
    signs: tuple[str, ...]
    where: str


_NOMIS = "nomisweb.co.uk, Census 2021 bulk data, LSOA"
_NSSEC = "national statistics socio-economic classification (ns-sec): "
SOURCES = (
    Source("imd", "English Indices of Deprivation 2025, File 7 (ranks, scores, deciles)", True,
           ("lsoa code (2021)", "index of multiple deprivation (imd) rank (where 1 is most deprived)"), "gov.uk, IoD 2025"),
    Source("age", "Census 2021 age in 6 categories (custom dataset)", True,
           ("lower layer super output areas code", "age (6 categories) code", "observation"),
           "ons.gov.uk, Create a custom dataset"),
    Source("sex", "Census 2021 TS008 sex", True, (CODE, "sex: female", "sex: male"), _NOMIS),
    Source("ethnic_group", "Census 2021 TS021 ethnic group", True,
           (CODE, "ethnic group: white", "ethnic group: other ethnic group"), _NOMIS),
    Source("disabled", "Census 2021 TS038 disability", True,
           (CODE, "disability: disabled under the equality act", "disability: not disabled under the equality act"), _NOMIS),
    Source("ns_sec", "Census 2021 TS062 NS-SEC", True,
           (CODE, _NSSEC + "l7 intermediate occupations", _NSSEC + "l15 full-time students"), _NOMIS),
    Source("cars", "Census 2021 TS045 cars or vans", True,
           (CODE, "number of cars or vans: no cars or vans in household"), _NOMIS),
    Source("household_size", "Census 2021 TS017 household size", True,
           (CODE, "household size: 1 person in household", "household size: 2 people in household"), _NOMIS),
    Source("communal", "Census 2021 TS001 communal establishments", False,
           (CODE, "residence type: lives in a communal establishment"), _NOMIS),
    Source("carers", "Census 2021 TS039 unpaid care", False, (CODE, "provision of unpaid care: provides no unpaid care"), _NOMIS),
    Source("indicators", "English Indices of Deprivation 2025, File 8 (underlying indicators)", False,
           ("anti_social_behaviour_rate_per_1_000_at_risk_population", "connectivity_score"), "gov.uk, IoD 2025"),
    Source("single_year", "Mid-2020 population by single year of age, LSOA 2011 (SAPE23DT2)", False,
           ("lsoa code", "all ages", "0", "45", "90+"), "ons.gov.uk, lower layer super output area population estimates"),
    Source("lookup", "LSOA 2011 to LSOA 2021 lookup", False, ("lsoa11cd", "lsoa21cd"), "geoportal.statistics.gov.uk"),
)  # fmt: skip
BY_KEY = {s.key: s for s in SOURCES}
_OLD_IMD = ("lsoa code (2011)", "index of multiple deprivation (imd) rank (where 1 is most deprived)")


@dataclass(frozen=True)
class Found:
    """A kind of table and the file that holds it (None: absent)."""

    source: Source
    path: Path | None

    def __str__(self) -> str:
        need = "needed" if self.source.needed else "useful"
        return f"{self.source.title} ({need}): {self.path.name if self.path else 'absent; ' + self.source.where}"


def plain(name: str) -> str:
    """A column name as it is compared: no measure suffix, one space between words, lower case."""
    name = re.sub(r";\s*measures:\s*value\s*$", "", name.strip(), flags=re.IGNORECASE)
    return re.sub(r"\s+", " ", name).strip().lower()


def snake(name: str) -> str:
    """A column name as the underlying indicators are known by: words joined by underscores."""
    return re.sub(r"[^a-z0-9]+", "_", plain(name)).strip("_")


def text_of(path: Path) -> str:
    """Return the text of a CSV file, zipped or not, UTF-8 (with or without mark) or Windows-1252."""
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def start(path: Path) -> tuple[list[str], list[str]]:
    """The header and the first row of a CSV file; empty when it is none."""
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            raw = file.read(65536)
    except (OSError, EOFError):
        return [], []
    text = raw.decode("utf-8-sig", errors="replace")
    rows = csv.reader(io.StringIO(text))
    try:
        return next(rows, []), next(rows, [])
    except csv.Error:
        return [], []


def find(folder: Path) -> list[Found]:
    """Return which of the official tables a folder (and the folders in it) holds, needed ones first.

    Raises InputError when the folder is missing, when two different files hold the same LSOA table, or when a table is there
    for another geography or another year only.
    """
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}; give the folder that holds the official tables.")
    held: dict[str, list[Path]] = {s.key: [] for s in SOURCES}
    other: dict[str, tuple[Path, str]] = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and p.name.lower().endswith((".csv", ".csv.gz"))):
        header, row = start(path)
        names, snakes = {plain(h) for h in header}, {snake(h) for h in header}
        if all(sign in names for sign in _OLD_IMD):
            other["imd"] = (path, "is of 2019 and of LSOAs of 2011")
        for source in SOURCES:
            if not all(sign in names or sign in snakes for sign in source.signs):
                continue
            wrong = _other_geography(header, row)
            if wrong:
                other.setdefault(source.key, (path, wrong))
            else:
                held[source.key].append(path)
    for key, paths in held.items():
        if len(paths) > 1 and len({sha256(p) for p in paths}) > 1:
            raise InputError(
                f"{paths[0]} and {paths[1]} both hold '{BY_KEY[key].title}' and differ; keep one of them in {folder}."
            )
    for key, (path, wrong) in other.items():
        if BY_KEY[key].needed and not held[key]:
            raise InputError(f"{path} {wrong}; needed is '{BY_KEY[key].title}' for LSOAs of 2021 ({BY_KEY[key].where}).")
    return [Found(s, held[s.key][0] if held[s.key] else None) for s in sorted(SOURCES, key=lambda s: not s.needed)]


def _other_geography(header: list[str], row: list[str]) -> str:
    names = [plain(h) for h in header]
    if CODE not in names or len(row) <= names.index(CODE):
        return ""
    code = row[names.index(CODE)].strip()
    if code.startswith("E00"):
        return "is for output areas"
    return "is for local authorities" if re.match(r"^E0[6-9]", code) else ""


@dataclass(frozen=True)
class Table:
    """The rows of one file, by code: `lines` says where each stood."""

    path: Path
    header: list[str]
    codes: list[str]
    lines: list[int]
    cells: list[list[str]]

    def column(self, name: str, snaked: bool = False) -> int:
        """Return the position of a column; names that the official file cuts short are found by their beginning."""
        norm = snake if snaked else plain
        names = [norm(h) for h in self.header]
        if name in names:
            return names.index(name)
        starts = [k for k, n in enumerate(names) if len(n) > 60 and (name.startswith(n) or n.startswith(name))]
        if len(starts) == 1:
            return starts[0]
        raise InputError(f"{self.path}: the column '{name}' is missing; the file has been changed or cut, fetch it again.")

    def numbers(self, name: str, whole: bool = True, snaked: bool = False, gaps: bool = False) -> Floats:
        """Return a column as numbers, in the order of the rows; hidden cells are refused, or NaN with `gaps`."""
        at = self.column(name, snaked)
        return np.array([self._number(row[at], k, at, whole, gaps) for k, row in enumerate(self.cells)])

    def _number(self, cell: str, row: int, at: int, whole: bool, gaps: bool) -> float:
        where = f"{self.path}, line {self.lines[row]}, column '{self.header[at].strip()}'"
        bare = cell.strip().lower()
        if bare in _HIDDEN:
            if gaps:
                return float("nan")
            raise InputError(
                f"{where}: the cell is empty or suppressed ('{cell.strip()}'), which is not zero; "
                "fill it in, or leave this LSOA out of every table."
            )
        try:
            value = float(bare.replace(",", "").replace("\u00a0", "").replace(" ", ""))
        except ValueError:
            raise InputError(f"{where}: '{cell.strip()}' is not a number.") from None
        if not np.isfinite(value) or (whole and (value < 0 or value != round(value))):
            raise InputError(f"{where}: '{cell.strip()}' is not a count; whole numbers from 0 are.")
        return value


def read(path: Path, code: str, year: bool = True, pattern: re.Pattern[str] = LSOA, repeats: bool = False) -> Table:
    """Read a table row by row.

    Arguments: path; code, the (normalised) name of the column of LSOA codes; year, whether a column `date` must say 2021;
    pattern of a code; repeats, whether a code may stand in several rows. Raises InputError for rows that are cut, codes that
    are none or stand twice, and other years.
    """
    rows = list(_rows(path))
    if not rows:
        raise InputError(f"{path} is empty; fetch it again.")
    header = rows[0][1]
    names = [plain(h) for h in header]
    at = names.index(code) if code in names else [snake(h) for h in header].index(snake(code))
    date = names.index("date") if year and "date" in names else -1
    seen: dict[str, int] = {}
    codes, lines, cells = [], [], []
    for line, row in rows[1:]:
        if len(row) != len(header):
            raise InputError(
                f"{path}, line {line}: {len(row)} fields where the header has {len(header)}; the row is cut or a separator is "
                "missing, fetch the file again."
            )
        one = row[at].strip()
        if _WELSH.match(one):
            continue
        if not pattern.match(one):
            raise InputError(
                f"{path}, line {line}: '{one}' is not a code of an English LSOA (E01 and six digits); "
                "leave out rows of totals, notes and other areas."
            )
        if date >= 0 and row[date].strip() != "2021":
            raise InputError(f"{path}, line {line}: the date is '{row[date].strip()}'; a table of Census 2021 is needed.")
        if one in seen and not repeats:
            raise InputError(f"{path}, line {line}: {one} stands already in line {seen[one]}; keep one row per LSOA.")
        seen.setdefault(one, line)
        codes.append(one)
        lines.append(line)
        cells.append(row)
    if not codes:
        raise InputError(f"{path} has a header and no rows; fetch it again.")
    return Table(path, header, codes, lines, cells)


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    try:
        text = text_of(path)
    except (OSError, EOFError) as error:
        raise InputError(f"{path} cannot be read ({error}); fetch it again.") from None
    reader = csv.reader(io.StringIO(text), strict=True)
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                yield reader.line_num, row
    except csv.Error as error:
        raise InputError(
            f"{path}, line {reader.line_num}: this row cannot be read ({error}); the file is cut or damaged."
        ) from None


def in_order(table: Table, codes: list[str], values: Floats) -> Floats:
    """Return the values of a table's rows in the order of `codes`; every code must be there.

    Raises InputError that names the first missing code and how many there are.
    """
    place = {c: k for k, c in enumerate(table.codes)}
    absent = [c for c in codes if c not in place]
    if absent:
        raise InputError(
            f"{table.path}: {len(absent)} of {len(codes)} LSOAs are missing, {absent[0]} first; the file is cut, or of LSOAs of "
            "2011 instead of 2021."
        )
    return values[[place[c] for c in codes]]
