"""Reading: rows of an official table by LSOA code, columns as numbers, refused with a sentence that says where and what to do.

Subtotals are never summed: only named columns are read. A cell that is hidden is not zero.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from movesim.errors import InputError
from movesim.place.origins import Origin, as_origin
from movesim.place.rows import QUERY_AREA, Sheet, label_of, plain, snake, whole

Floats = NDArray[np.float64]
LSOA = re.compile(r"^E01\d{6}$")
_WELSH = re.compile(r"^W01\d{6}$")  # census files are of England and Wales; the indices of deprivation are English
HIDDEN = {"", "..", "...", ".", ":", "-", "*", "!", "c", "[c]", "x", "[x]", "z", "[z]", "na", "n/a", "#n/a", "nan", "null",
          "none", "u", "[u]", "low", "[low]", "\u2013", "\u2026", "suppressed", "~"}  # fmt: skip
CODE = "geography code"
_SAME_CODE = {CODE: (CODE, "mnemonic", "lower layer super output areas code", "lsoa code")}
_NUMBER = re.compile(r"^[+-]?(\d+|\d{1,3}([, \u00a0]\d{3})+)?(\.\d*)?(e[+-]?\d{1,3})?$")
# A mark that is not followed by just three digits cannot stand between thousands.
_POINT, _COMMA = (re.compile(rf"{mark}(\d{{1,2}}|\d{{4,}})$") for mark in (r"\.", ","))
_SHORTEST = 30  # letters of a column name that a cut one must have left
MOST = 100_000  # no LSOA counts more of anything


@dataclass(frozen=True)
class Table:
    """The rows of one file, by code: `lines` says where each stood, `names` how the columns are compared."""

    path: Origin
    header: list[str]
    codes: list[str]
    lines: list[int]
    cells: list[list[str]]
    names: list[str]
    decimal_comma: bool = False

    def has(self, name: str) -> bool:
        """Return whether there is such a column."""
        return _position(self.names, name) is not None

    def column(self, name: str, snaked: bool = False) -> int:
        """Return the position of a column; names that the official file cuts short are found by their beginning."""
        names = [snake(h) for h in self.header] if snaked else self.names
        if names.count(name) > 1:
            raise InputError(f"{self.path}: the column '{name}' stands there twice; keep one, or fetch the file again.")
        at = _position(names, name)
        if at is None:
            raise InputError(f"{self.path}: the column '{name}' is missing; the file has been changed or cut, fetch it again.")
        return at

    def numbers(
        self, name: str, whole: bool = True, snaked: bool = False, gaps: bool = False, most: float | None = None
    ) -> Floats:
        """Return a column as numbers, in the order of the rows.

        Arguments: name, as it is compared; whole, whether only counts from 0 (to `most`) will do; snaked, whether name is
        joined by underscores; gaps, whether hidden cells become NaN instead of being refused.
        """
        at = self.column(name, snaked)
        most = MOST if whole and most is None else most
        cells = [row[at] for row in self.cells]
        if all(c.isascii() and c.isdigit() and len(c) < 6 for c in cells):
            return np.array(cells, dtype="U5").astype(np.float64)
        comma = not whole and self._decimal_comma(at, cells)
        return np.array([self._number(c, k, at, whole, gaps, most, comma) for k, c in enumerate(cells)])

    def _decimal_comma(self, at: int, cells: list[str]) -> bool:
        """Tell whether a column of measures is written with a decimal comma. Raises InputError where it says both."""
        if not self.decimal_comma:
            return False
        points, commas = (any(mark.search(c.strip()) for c in cells) for mark in (_POINT, _COMMA))
        if points and commas:
            raise InputError(
                f"{self.path}, column '{self.header[at].strip()}': some cells have a decimal point and some a decimal comma; "
                "write all of them with one."
            )
        return not points

    def _number(self, cell: str, row: int, at: int, whole: bool, gaps: bool, most: float | None, comma: bool = False) -> float:
        bare = cell.strip().lower()
        if bare in HIDDEN:
            if gaps:
                return float("nan")
            raise InputError(
                f"{self._where(row, at)}: the cell is empty or suppressed ('{cell.strip()}'), which is not zero; "
                "fill it in, or leave this LSOA out of every table."
            )
        if comma:
            bare = bare.replace(".", "").replace(",", ".")
        if not _NUMBER.match(bare) or not any(c.isdigit() for c in bare):
            raise InputError(f"{self._where(row, at)}: '{cell.strip()[:40]}' is not a number; fetch the file again.")
        value = float(re.sub(r"[, \u00a0]", "", bare))
        if not np.isfinite(value) or (whole and (value < 0 or value != round(value))):
            raise InputError(f"{self._where(row, at)}: '{cell.strip()}' is not a count; whole numbers from 0 are.")
        if most is not None and value > most:
            raise InputError(
                f"{self._where(row, at)}: '{cell.strip()}' is more than any LSOA has; the file is damaged, fetch it again."
            )
        return value

    def _where(self, row: int, at: int) -> str:
        return f"{self.path}, line {self.lines[row]}, column '{self.header[at].strip()}'"


def _position(names: list[str], name: str) -> int | None:
    """Where a column stands: by its name, or by a beginning of it that is long enough and nobody else's."""
    if name in names:
        return names.index(name)
    cut = [k for k, n in enumerate(names) if len(n) >= _SHORTEST and name.startswith(n)]
    return cut[0] if len(cut) == 1 else None


def read(
    path: Path | Origin,
    code: str | Sequence[str] = CODE,
    year: bool = True,
    pattern: re.Pattern[str] = LSOA,
    repeats: bool = False,
) -> Table:
    """Read a table row by row; a custom dataset (one row per category) comes out as one row per LSOA.

    Arguments: path; code, the name or names the column of LSOA codes may have; year, whether a date must say 2021;
    pattern of a code; repeats, whether a code may stand in several rows. Raises InputError for rows that are cut, codes that
    are none or stand twice, and other years.
    """
    sheet = whole(as_origin(path))
    return table_of(sheet, code, year, pattern, repeats)


def table_of(
    sheet: Sheet, code: str | Sequence[str] = CODE, year: bool = True, pattern: re.Pattern[str] = LSOA, repeats: bool = False
) -> Table:
    """Return the rows of a sheet by LSOA code; see read."""
    at, date = _code_column(sheet, code), sheet.names.index("date") if year and "date" in sheet.names else -1
    if year:
        _check_date(sheet)
    long = bool(sheet.variables) and code == CODE
    seen: dict[str, int] = {}
    codes, lines, cells = [], [], []
    for line, row in sheet.rows:
        if len(row) != len(sheet.header):
            raise InputError(
                f"{sheet.origin}, line {line}: {len(row)} fields where the header has {len(sheet.header)}; the row is cut or a "
                "separator is missing, fetch the file again."
            )
        one = row[at].strip()
        if QUERY_AREA.match(sheet.names[at]):
            one = one.split(":")[0].strip()
        if _WELSH.match(one):
            continue
        if not pattern.match(one):
            raise InputError(
                f"{sheet.origin}, line {line}: '{one[:40]}' is not a code of an English LSOA (E01 and six digits); "
                "leave out rows of totals, notes and other areas."
            )
        if date >= 0 and row[date].strip() != "2021":
            raise InputError(
                f"{sheet.origin}, line {line}: the date is '{row[date].strip()[:40]}'; a table of Census 2021 is needed."
            )
        if one in seen and not (repeats or long):
            raise InputError(f"{sheet.origin}, line {line}: {one} stands already in line {seen[one]}; keep one row per LSOA.")
        seen.setdefault(one, line)
        codes.append(one)
        lines.append(line)
        cells.append(row)
    if not codes:
        raise InputError(f"{sheet.origin} has a header and no rows of English LSOAs; fetch it again.")
    table = Table(sheet.origin, sheet.header, codes, lines, cells, sheet.names, sheet.delimiter == ";")
    return _wide(table, sheet) if long else table


def _code_column(sheet: Sheet, code: str | Sequence[str]) -> int:
    wanted = _SAME_CODE.get(code, (code,)) if isinstance(code, str) else tuple(code)
    snakes = [snake(h) for h in sheet.header]
    for name in wanted:
        for names in (sheet.names, snakes):
            if name in names:
                return names.index(name)
    area = [k for k, n in enumerate(sheet.names) if QUERY_AREA.match(n)]
    if area and CODE in wanted:
        return area[0]
    raise InputError(
        f"{sheet.origin}: no column of LSOA codes ({' or '.join(wanted)}); the file has been changed, fetch it again."
    )


def _check_date(sheet: Sheet) -> None:
    """Refuse a Nomis query whose words before the table give another year."""
    for row in sheet.preamble:
        told = " ".join(cell.strip() for cell in row[1:] if cell.strip())
        if plain(row[0]).rstrip(" :") == "date" and told and "2021" not in told:
            raise InputError(f"{sheet.origin}: the date is '{told[:40]}'; a table of Census 2021 is needed.")


def _wide(table: Table, sheet: Sheet) -> Table:
    """One row per LSOA of a custom dataset: a column for every category, summed over the other variables it is crossed with.

    Rows that do not apply (-8) are left out. Raises InputError for a code that stands for two categories, or counted twice.
    """
    count = table.numbers("observation")
    variables = sheet.variables
    meaning: dict[tuple[int, str], str] = {}
    code_at = {at: _code_of(sheet, at) for at, _ in variables}
    seen: dict[tuple[str, ...], int] = {}
    sums: dict[str, Counter[str]] = {}
    first: dict[str, int] = {}
    names: dict[str, str] = {}
    for k, (lsoa, row) in enumerate(zip(table.codes, table.cells)):
        key = (lsoa, *(label_of(row[at]) for at, _ in variables))
        if key in seen:
            raise InputError(
                f"{table.path}, line {table.lines[k]}: {lsoa} has '{row[variables[0][0]].strip()}' twice (first in line "
                f"{seen[key]}); keep one."
            )
        seen[key] = table.lines[k]
        first.setdefault(lsoa, table.lines[k])
        into = sums.setdefault(lsoa, Counter())
        for at, topic in variables:
            label = label_of(row[at])
            if code_at[at] >= 0:
                code = row[code_at[at]].strip()
                for one, other in ((code, label), (label, code)):
                    if meaning.setdefault((at, one), other) != other:
                        raise InputError(
                            f"{table.path}, line {table.lines[k]}: '{one}' goes with '{other}' here and with "
                            f"'{meaning[at, one]}' above; the file is damaged, fetch it again."
                        )
                if code == "-8":
                    continue
            if label != "does not apply":
                name = f"{topic}: {label}"
                into[name] += int(count[k])
                names.setdefault(name, name)
    codes = list(sums)
    cells = [[str(sums[c][n]) if n in sums[c] else "absent" for n in names] for c in codes]
    for lsoa, row in zip(codes, cells):
        if "absent" in row:
            name = list(names)[row.index("absent")]
            raise InputError(
                f"{table.path}: {lsoa} (line {first[lsoa]}) lacks '{name}', which other LSOAs have; the file is cut, "
                "fetch it again."
            )
    return Table(table.path, list(names), codes, [first[c] for c in codes], cells, list(names), False)


def _code_of(sheet: Sheet, at: int) -> int:
    """The column of codes that goes with a column of labels; -1 for none."""
    name = sheet.names[at] + " code"
    return sheet.names.index(name) if name in sheet.names else -1


def in_order(table: Table, codes: list[str], values: Floats) -> Floats:
    """Return the values of a table's rows in the order of `codes`; every code must be there.

    Raises InputError that names the first missing code and how many there are.
    """
    place = {c: k for k, c in enumerate(table.codes)}
    absent = [c for c in codes if c not in place]
    if absent:
        raise InputError(
            f"{table.path}: {len(absent)} of {len(codes)} LSOAs are missing, {absent[0]} first; the file is cut, or of LSOAs of "
            "2011 instead of 2021; fetch it again."
        )
    return values[[place[c] for c in codes]]
