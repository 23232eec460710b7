"""Rows: from the bytes of a download to a header and rows with line numbers, whatever spelling it came in.

UTF-8 with or without a mark, UTF-16, Windows-1252; commas, semicolons or tabs; quoted or not; lines of words before the
header (Nomis queries, statistical workbooks) and notes after the last row.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from movesim.errors import InputError
from movesim.place.origins import HEAD, TEXTS, Origin, cells_of

PREAMBLE = 40  # lines within which a header must stand
START = 400  # rows that are looked at to know a table
CODE_NAMES = {
    "geography code", "mnemonic", "lower layer super output areas code", "lsoa code", "lsoa code (2021)", "lsoa code (2011)",
    "lsoa 2021 code", "lsoa 2011 code", "lsoa11cd", "lsoa21cd", "lsoa21_code", "lsoa11_code", "lsoa (code)",
    "lower tier local authorities code", "middle layer super output areas code", "output areas code",
}  # fmt: skip
QUERY_AREA = re.compile(r"^20(11|21) (super output area|lower layer)")  # the first column of a Nomis query
# Titles of Nomis queries and variables of custom datasets, and how the columns of the bulk files begin.
TOPICS = {
    "ts001": "residence type", "ts007": "age", "ts007a": "age", "ts007b": "age", "ts008": "sex", "ts011": "household deprivation",
    "ts017": "household size", "ts021": "ethnic group", "ts037": "general health", "ts038": "disability",
    "ts039": "provision of unpaid care", "ts045": "number of cars or vans", "ts054": "tenure of household",
    "ts059": "hours worked", "ts062": "national statistics socio-economic classification (ns-sec)",
    "ts067": "highest level of qualification",
}  # fmt: skip
VARIABLES = {"car or van availability": "number of cars or vans", "unpaid care": "provision of unpaid care"}
_VARIABLE = re.compile(r"^(.*) \((\d+) categories\)(?: [a-z])?$")


def plain(name: str) -> str:
    """A column name as it is compared: no measure suffix, one space between words, lower case."""
    name = re.sub(r";\s*measures:\s*value\s*$", "", name.strip(), flags=re.IGNORECASE)
    return re.sub(r"\s+", " ", name).strip().lower()


def snake(name: str) -> str:
    """A column name as the underlying indicators are known by: words joined by underscores."""
    return re.sub(r"[^a-z0-9]+", "_", plain(name)).strip("_")


def label_of(text: str) -> str:
    """A category as it is compared: custom datasets write 'L15: Full-time students' where bulk files have no colon."""
    return re.sub(r"^(l\d[^:]*):\s*", r"\1 ", plain(text))


@dataclass(frozen=True)
class Sheet:
    """A table as it was written: words before it, the header and its line, and the rows that are not blank, with lines.

    names are those of the columns as they are compared, always in the words of the bulk files ('sex: female').
    """

    origin: Origin
    preamble: list[list[str]]
    header: list[str]
    header_line: int
    names: list[str]
    rows: list[tuple[int, list[str]]]
    delimiter: str

    @property
    def variables(self) -> list[tuple[int, str]]:
        """Of a custom dataset: where the labels of each variable stand, and what the variable is called in bulk files."""
        if not any(n == "observation" for n in self.names):
            return []
        found = [(k, _VARIABLE.match(n)) for k, n in enumerate(self.names)]
        return [(k, VARIABLES.get(m.group(1), m.group(1))) for k, m in found if m is not None]

    def signs(self) -> set[str]:
        """Everything that a kind of table may be known by: columns, also as indicators are spelt, and categories."""
        names = self.names
        out = {*names, *(snake(h) for h in self.header)}
        for at, topic in self.variables:
            out |= {f"{topic}: {label_of(row[at])}" for _, row in self.rows if len(row) > at}
        if (self.variables and any(n.endswith("s code") for n in names)) or any(QUERY_AREA.match(n) for n in names):
            out |= {"geography code"}  # areas are called otherwise there
        return out


def start(origin: Origin) -> Sheet:
    """Return the header and the first rows of a table. Raises InputError where it is empty or cannot be read."""
    if origin.sheet:
        return _sheet(origin, list(cells_of(origin, PREAMBLE + START)), "\t")
    raw = origin.bytes(HEAD)
    text = text_of(origin, raw)
    whole = len(raw) < HEAD
    delimiter = _delimiter(text)
    rows: list[tuple[int, list[str]]] = []
    try:
        for row in _csv(origin, text if whole else text[: text.rfind("\n") + 1], delimiter):
            rows.append(row)
            if len(rows) > PREAMBLE + START:
                break
    except InputError:
        if not rows:
            raise  # a row that cannot be read further down is told of when the table is read
    return _sheet(origin, rows, delimiter)


def whole(origin: Origin) -> Sheet:
    """Return a table with all its rows. Raises InputError with the line where it cannot be read."""
    if origin.sheet:
        return _sheet(origin, list(cells_of(origin)), "\t")
    text = text_of(origin, origin.bytes())
    delimiter = _delimiter(text[:HEAD])
    return _sheet(origin, list(_csv(origin, text, delimiter)), delimiter)


def text_of(origin: Origin, raw: bytes) -> str:
    """Return the text of a download: UTF-8 (with or without mark), UTF-16 with mark, else Windows-1252."""
    if not raw.strip():
        raise InputError(f"{origin} is empty; fetch it again.")
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = codecs.getincrementaldecoder("utf-16")("replace").decode(raw)
    elif b"\0" in raw:
        raise InputError(f"{origin} is not a text file (it holds zero bytes); fetch it again as CSV.")
    else:
        try:
            text = codecs.getincrementaldecoder("utf-8-sig")().decode(raw)
        except UnicodeDecodeError:
            text = raw.decode("cp1252", errors="replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _csv(origin: Origin, text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        raise InputError(
            f"{origin}, line {reader.line_num}: this row cannot be read ({error}); the file is cut or damaged, fetch it again."
        ) from None


def _delimiter(text: str) -> str:
    """The separator under which a line has a column of area codes; a comma where none has."""
    for delimiter in (",", ";", "\t"):
        for line in text.split("\n", PREAMBLE)[:PREAMBLE]:
            cells = {plain(c.strip().strip('"')) for c in line.split(delimiter)}
            if len(cells) > 1 and not cells.isdisjoint(CODE_NAMES):
                return delimiter
    first = text.split("\n", 1)[0]
    return max(",;\t", key=first.count) if first else ","


def _is_header(row: list[str]) -> bool:
    names = {plain(c) for c in row} | {snake(c) for c in row}
    return len(names) > 1 and (not names.isdisjoint(CODE_NAMES) or bool(row and QUERY_AREA.match(plain(row[0]))))


def _sheet(origin: Origin, rows: list[tuple[int, list[str]]], delimiter: str) -> Sheet:
    blank = [not any(cell.strip() for cell in row) for _, row in rows]
    if all(blank):
        raise InputError(f"{origin} is empty; fetch it again.")
    filled = [k for k, b in enumerate(blank) if not b]
    at = next((k for k in filled[:PREAMBLE] if _is_header(rows[k][1])), filled[0])
    preamble = [rows[k][1] for k in filled if k < at]
    header = rows[at][1]
    body: list[tuple[int, list[str]]] = []
    for k in range(at + 1, len(rows)):
        if blank[k]:
            continue
        if body and (preamble or origin.sheet) and blank[k - 1] and _is_note(rows[k][1]):
            break  # notes follow a table that has words before it, after a blank line
        body.append(rows[k])
    if origin.sheet:  # rows of a workbook are as wide as its widest: what stands beyond the header's last name is empty
        last = max(k for k, h in enumerate(header) if h.strip())
        header = header[: last + 1]
        body = [(n, [*r[: last + 1], *[""] * (last + 1 - len(r))]) for n, r in body]
    return Sheet(origin, preamble, header, rows[at][0], _names(preamble, header), body, delimiter)


def _is_note(row: list[str]) -> bool:
    return sum(1 for cell in row if cell.strip()) <= 2


def _names(preamble: list[list[str]], header: list[str]) -> list[str]:
    """Column names as they are compared; those of a Nomis query get the beginning that the bulk file gives them."""
    names = [plain(h) for h in header]
    title = plain(preamble[0][0]) if preamble else ""
    topic = TOPICS.get(re.split(r"[\s:-]", title)[0])
    if topic is None:
        return names
    return [n if n in CODE_NAMES or QUERY_AREA.match(n) or n == "date" else f"{topic}: {n}" for n in names]


def is_text(origin: Origin) -> bool:
    """Whether an origin is a text file or a sheet that may hold a table (not a map)."""
    return bool(origin.sheet) or (origin.suffix in TEXTS and origin.suffix not in (".geojson", ".json"))
