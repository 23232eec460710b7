"""Origins: where a table comes from: a file, a member of a zip (or of a zip in it), or a sheet of a workbook."""

from __future__ import annotations

import gzip
import hashlib
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from movesim.errors import InputError

TEXTS = (".csv", ".txt", ".tsv", ".geojson", ".json")
LARGEST = 4 * 1024**3  # bytes of one file once unpacked: more is no table of small areas
DEEPEST = 3  # zips in zips
HEAD = 131_072  # bytes that are enough to know a table by
_BROKEN = (OSError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, ValueError, KeyError)


@dataclass(frozen=True)
class Origin:
    """A file on disk, the names of the zip members that lead to a table in it, and the sheet where it is a workbook."""

    file: Path
    inside: tuple[str, ...] = ()
    sheet: str = ""

    @property
    def name(self) -> str:
        """The short name that a user knows it by."""
        last = (self.inside[-1] if self.inside else self.file.name).rsplit("/", 1)[-1]
        return f"{last}, sheet '{self.sheet}'" if self.sheet else last

    @property
    def suffix(self) -> str:
        """The kind of file by its name, without .gz."""
        name = (self.inside[-1] if self.inside else self.file.name).lower().removesuffix(".gz")
        return Path(name).suffix

    def __str__(self) -> str:
        path = " > ".join([str(self.file), *self.inside])
        return f"{path}, sheet '{self.sheet}'" if self.sheet else path

    def bytes(self, limit: int = -1) -> bytes:
        """Return the content, unpacked (the first `limit` bytes of it). Raises InputError where it cannot be read."""
        try:
            name = self.inside[-1] if self.inside else self.file.name
            with self._open() as stream:
                if name.lower().endswith(".gz"):
                    with gzip.GzipFile(fileobj=stream) as unpacked:
                        return unpacked.read(limit if limit >= 0 else LARGEST)
                return stream.read(limit)
        except _BROKEN as error:
            raise InputError(f"{self} cannot be read ({_short(error)}); fetch it again.") from None

    def _open(self) -> Any:
        if not self.inside:
            return self.file.open("rb")
        holder: Any = self.file
        for member in self.inside[:-1]:
            with zipfile.ZipFile(holder) as archive:
                holder = io.BytesIO(archive.read(member))
        return zipfile.ZipFile(holder).open(self.inside[-1])

    def sha256(self) -> str:
        """Return the SHA-256 of the content as it lies on disk (packed where it is packed)."""
        if self.inside:
            return hashlib.sha256(self.bytes()).hexdigest()
        return hashlib.sha256(self.file.read_bytes()).hexdigest()


def as_origin(path: Path | Origin) -> Origin:
    """Return the origin of a plain file, or the origin itself."""
    return path if isinstance(path, Origin) else Origin(path)


@dataclass(frozen=True)
class Unused:
    """A file or table that is there and is not used, and why."""

    origin: Origin
    reason: str
    near: frozenset[str] = frozenset()  # keys of the kinds of tables it may be meant to be
    broken: bool = False
    unknown: bool = False  # it is like no table that is known


def origins(files: Path) -> tuple[list[Origin], list[Unused]]:
    """Return every table-like thing under a folder or zip, in the order of names, and what is none.

    Raises InputError where there is no such folder or file.
    """
    if files.is_dir():
        paths = sorted(p for p in files.rglob("*") if p.is_file() and not _hidden(p.relative_to(files).parts))
    elif files.is_file():
        paths = [files]
    else:
        raise InputError(f"There is no folder {files}; give the folder (or the zip) that holds the official tables.")
    found: list[Origin] = []
    unused: list[Unused] = []
    for path in paths:
        for one in _within(Origin(path), 0):
            (unused if isinstance(one, Unused) else found).append(one)  # type: ignore[arg-type]
    return found, unused


def _hidden(parts: tuple[str, ...]) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in parts)


def _within(origin: Origin, depth: int) -> Iterator[Origin | Unused]:
    if origin.suffix == ".zip":
        yield from _members(origin, depth)
    elif origin.suffix in (".xlsx", ".xlsm"):
        yield from _sheets(origin)
    elif origin.suffix in TEXTS:
        yield origin
    elif origin.suffix in (".xls", ".xlsb", ".ods"):
        yield Unused(origin, "a workbook of another kind; save the sheet you need as CSV or the workbook as .xlsx")
    else:
        yield Unused(origin, "not a table: CSV, Excel (.xlsx), GeoJSON, and gz or zip of these are read")


def _members(origin: Origin, depth: int) -> Iterator[Origin | Unused]:
    if depth >= DEEPEST:
        yield Unused(origin, f"a zip in a zip more than {DEEPEST} deep; unpack it")
        return
    try:
        holder: Any = origin.file if not origin.inside else io.BytesIO(origin.bytes())
        with zipfile.ZipFile(holder) as archive:
            entries = sorted((i.filename, i.file_size, i.flag_bits & 1) for i in archive.infolist() if not i.is_dir())
    except InputError as error:
        yield Unused(origin, str(error), broken=True)
        return
    except _BROKEN as error:
        yield Unused(origin, f"cannot be opened ({_short(error)}); fetch it again", broken=True)
        return
    for name, size, locked in entries:
        member = Origin(origin.file, (*origin.inside, name))
        if _hidden(tuple(name.split("/"))):
            continue
        if locked:
            yield Unused(member, "locked with a password; unpack it first")
        elif size > LARGEST:
            yield Unused(member, "larger than any table of small areas")
        else:
            yield from _within(member, depth + 1)


def _sheets(origin: Origin) -> Iterator[Origin | Unused]:
    from openpyxl import load_workbook

    try:
        book = load_workbook(io.BytesIO(origin.bytes()), read_only=True, data_only=True)
        names = list(book.sheetnames)
        book.close()
    except InputError as error:
        yield Unused(origin, str(error), broken=True)
        return
    except Exception as error:  # a damaged workbook fails in many ways inside the library
        yield Unused(origin, f"cannot be opened as a workbook ({_short(error)}); fetch it again", broken=True)
        return
    yield from (Origin(origin.file, origin.inside, name) for name in names)


def cells_of(origin: Origin, most: int | None = None) -> Iterator[tuple[int, list[str]]]:
    """Yield (row number, cells as text) of the sheet of a workbook. Raises InputError where it cannot be read."""
    from openpyxl import load_workbook

    try:
        book = load_workbook(io.BytesIO(Origin(origin.file, origin.inside).bytes()), read_only=True, data_only=True)
        rows = book[origin.sheet].iter_rows(max_row=most, values_only=True)
        for number, row in enumerate(rows, start=1):
            yield number, [_shown(cell) for cell in row]
        book.close()
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"{origin} cannot be read ({_short(error)}); fetch it again, or save the sheet as CSV.") from None


def _shown(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    return str(cell)


def _short(error: BaseException) -> str:
    """What a library says of a broken file, on one line and without objects' addresses."""
    text = re.sub(r"<[^>]*>", "it", " ".join(str(error).split()))
    return (text or type(error).__name__)[:120]
