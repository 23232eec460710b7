"""The runs of a study on disk: which are done, failed or running, and their tables.

A finished run is written at once as one small file that appears whole or not at all (`parts/KEY.run`). When there are many,
they are put together into tidy Parquet tables (`parts/NAME/TABLE.parquet`, each run's rows together) and the small files go.
A crash in between leaves a run in both; it is read once. Several processes may write to one folder: they never write to each
other's files, and no lock is taken, so that network disks will do.
"""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
import shutil
import socket
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from movesim.config import shown
from movesim.errors import MovesimError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

ENDING = ".run"
INDEX = "runs.parquet"
SEAL_RUNS, SEAL_BYTES = 1_000, 16 * 2**20  # how much lies about in small files before it is put together
BEAT = 2.0  # seconds between two notes of what is running
ALIVE = 60.0  # seconds between two signs of life while a run goes on
FORGOTTEN = 600.0  # a session of another computer that has said nothing for so long is over
FULL = (errno.ENOSPC, errno.EDQUOT)


# --- a run as bytes -------------------------------------------------------------------------------------------------
def pack(tables: Mapping[str, pd.DataFrame], notes: Mapping[str, Any]) -> bytes:
    """Return a run's tables and notes as bytes: one compressed Arrow stream a table, one after another."""
    import pyarrow as pa

    sink = io.BytesIO()
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    note = json.dumps(notes, default=str).encode()
    for name, frame in (tables or {"": None}).items():
        table = pa.table({}) if frame is None else pa.Table.from_pandas(frame, preserve_index=False)
        schema = table.schema.with_metadata({b"table": name.encode(), b"notes": note})
        with pa.ipc.new_stream(sink, schema, options=options) as stream:
            stream.write_table(table.replace_schema_metadata(schema.metadata))
        note = b"null"  # with the first table only
    return sink.getvalue()


def unpack(data: bytes | memoryview, only: str | None = None) -> tuple[dict[str, pa.Table], Any]:
    """Return the tables (or one of them) and the notes of a packed run."""
    import pyarrow as pa

    source = pa.BufferReader(data)
    tables, notes, end = {}, None, source.size()
    while source.tell() < end:
        reader = pa.ipc.open_stream(source)
        name = reader.schema.metadata[b"table"].decode()
        notes = json.loads(reader.schema.metadata[b"notes"]) or notes
        table = reader.read_all().replace_schema_metadata(None)
        if name and only in (None, name):
            tables[name] = table
    return tables, notes


def together(tables: Sequence[pa.Table]) -> pa.Table:
    """Return tables one below the other; one without any column adds nothing."""
    import pyarrow as pa

    held = [t for t in tables if t.num_columns]
    return pa.concat_tables(held, promote_options="permissive") if held else pa.table({})


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that a reader sees all of it or nothing, also after a power cut."""
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    try:
        with open(temporary, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def is_full(error: BaseException | None) -> bool:
    """Tell whether an error means that the disk (or the user's share of it) is full."""
    return isinstance(error, OSError) and error.errno in FULL


class Runs:
    """The runs kept in a folder, by their key."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.parts, self.failures = folder, folder / "parts", folder / "failed"
        self._mine: dict[str, int] = {}  # runs of this process that lie in small files, with their size
        self._where: dict[str, tuple[str, int]] | None = None  # of the parts in `_known`
        self._known: set[str] = set()
        self._failures: set[str] | None = None
        self._open: OrderedDict[tuple[str, str], pa.Table] = OrderedDict()

    # --- what is there ------------------------------------------------------------------------------------------------
    def done(self) -> set[str]:
        """Return the keys of all finished runs."""
        loose = self._loose()  # before the index: what others seal in between stands in one of the two
        sealed = self._index(again=True)
        return set(sealed).union(loose)

    def has(self, key: str) -> bool:
        """Tell whether a run is finished by now, by whomever, be it still a small file or put into a part since."""
        return (self.parts / f"{key}{ENDING}").is_file() or key in self._index(again=True)

    def failed(self) -> dict[str, dict[str, Any]]:
        """Return every failed run by its key: what it is (`about`), its `error` and how often it was tried."""
        if not self.failures.is_dir():
            return {}
        found = {p.stem: json.loads(p.read_text(encoding="utf-8")) for p in sorted(self.failures.glob("*.json"))}
        done = self.done() if found else set()
        return {key: row for key, row in found.items() if key not in done}

    def running(self) -> list[str]:
        """Return the keys of the runs that living processes are at work on."""
        return sorted({key for session in self._sessions() for key in session["running"]})

    def state(self) -> str:
        """Return how many runs are done, failed and running, in words."""
        failed, running = len(self.failed()), len(self.running())
        words = [f"{len(self.done()):,} runs done"]
        words += [f"{n:,} {what}" for n, what in ((failed, "failed"), (running, "running")) if n]
        return ", ".join(words)

    def _loose(self) -> list[str]:
        return [name[: -len(ENDING)] for name in self._entries(lambda name: name.endswith(ENDING))]

    def _entries(self, wanted: Callable[[str], bool]) -> list[str]:
        """Return the names in the folder of parts, those half written left out."""
        try:
            return [name for name in os.listdir(self.parts) if name[0] != "." and wanted(name)]
        except FileNotFoundError:
            return []

    def _index(self, again: bool = False) -> dict[str, tuple[str, int]]:
        """Return where every sealed run is: the name of its part and its number there; `again`, look for new parts."""
        if self._where is not None and not again:
            return self._where
        import pyarrow.parquet as pq

        parts = set(self._entries(lambda name: not name.endswith(ENDING)))
        if self._where is None or self._known - parts:
            self._where, self._known = {}, set()
        for part in sorted(parts - self._known):
            if not (self.parts / part / INDEX).is_file():
                parts.discard(part)  # something else that somebody put here
                continue
            keys = pq.read_table(self.parts / part / INDEX, columns=["key"], use_threads=False)["key"].to_pylist()
            for number, key in enumerate(keys):
                self._where.setdefault(key, (part, number))
        self._known = parts
        return self._where

    # --- writing ------------------------------------------------------------------------------------------------------
    def add(self, key: str, data: bytes) -> None:
        """Keep a finished run; when this returns it is on disk. Raises MovesimError when the disk is full."""
        try:
            if not self._mine:
                self.parts.mkdir(parents=True, exist_ok=True)
            write_whole(self.parts / f"{key}{ENDING}", data)
        except OSError as error:
            raise self._told(error) from error
        self._mine[key] = len(data)
        if self._failures is None:
            self._failures = {p.stem for p in self.failures.glob("*.json")} if self.failures.is_dir() else set()
        if key in self._failures:
            (self.failures / f"{key}.json").unlink(missing_ok=True)
        if len(self._mine) >= SEAL_RUNS or sum(self._mine.values()) >= SEAL_BYTES:
            self.seal(only_own=True)

    def fail(self, key: str, about: Mapping[str, Any], error: BaseException, attempts: int) -> None:
        """Note that a run failed, with what it is and why. Raises MovesimError when the disk is full."""
        said = f"{type(error).__name__}: {' '.join(str(error).split())}"
        row = {"about": dict(about), "error": said, "attempts": attempts}
        try:
            self.failures.mkdir(parents=True, exist_ok=True)
            write_whole(self.failures / f"{key}.json", json.dumps(row, default=str, indent=1).encode())
        except OSError as wrong:
            raise self._told(wrong) from wrong
        if self._failures is not None:
            self._failures.add(key)

    def full(self) -> MovesimError:
        """Return the sentence for a full disk."""
        return MovesimError(
            f"The disk that holds {shown(self.folder)} is full. Every finished run is kept; make room there, and the same "
            "command goes on."
        )

    def _told(self, error: OSError) -> Exception:
        return self.full() if is_full(error) else error

    def seal(self, *, only_own: bool = False) -> None:
        """Put the runs in small files, all of them or those of this process, together into Parquet tables."""
        keys = list(self._mine) if only_own else sorted(self._loose())
        try:
            while keys:
                keys = keys[self._seal_some(keys) :]
        except OSError as error:
            raise self._told(error) from error
        self._mine.clear()

    def _seal_some(self, keys: Sequence[str]) -> int:
        """Put the first runs of a list, up to a size, into a part, and return how many."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        sealed, runs, size, seen = self._index(), [], 0, 0
        for key in keys:
            seen += 1
            if key not in sealed:
                try:
                    runs.append((key, *unpack((self.parts / f"{key}{ENDING}").read_bytes())))
                except FileNotFoundError:  # another process has put it into a part of its own
                    continue
                size += sum(t.nbytes for t in runs[-1][1].values())
            if len(runs) >= SEAL_RUNS or size >= 8 * SEAL_BYTES:
                break
        if runs:
            name = uuid.uuid4().hex[:12]
            half = self.parts / f".{name}"
            half.mkdir(parents=True)
            try:
                names = sorted({table for _, tables, _ in runs for table in tables})
                rows = {f"rows_{t}": [r[1][t].num_rows if t in r[1] else 0 for r in runs] for t in names}
                notes = [json.dumps(note) for _, _, note in runs]
                index = pa.table({"key": [key for key, _, _ in runs], "notes": notes, **rows})
                for table in names:
                    held = together([r[1][table] for r in runs if table in r[1]])
                    pq.write_table(held, half / f"{table}.parquet", compression="zstd")
                pq.write_table(index, half / INDEX, compression="zstd")
                for path in half.iterdir():
                    _sync(path)
                os.replace(half, self.parts / name)
            except BaseException:
                shutil.rmtree(half, ignore_errors=True)
                raise
            for number, (key, _, _) in enumerate(runs):
                sealed[key] = (name, number)
        for key in keys[:seen]:
            (self.parts / f"{key}{ENDING}").unlink(missing_ok=True)
        return seen

    # --- reading ------------------------------------------------------------------------------------------------------
    def read(self, table: str, keys: Sequence[str], columns: Sequence[str] | None = None) -> pa.Table:
        """Return a table of these runs, one below the other in the order of the keys.

        Raises MovesimError when one of them is not there.
        """
        return together([t.select(columns) if columns and t.num_columns else t for _, t in self.each(table, keys)])

    def each(self, table: str, keys: Iterable[str]) -> Iterator[tuple[str, pa.Table]]:
        """Yield (key, table) of every run, in the order of the keys; a run without such a table gives one without columns."""
        for key in keys:
            yield key, self._one(table, key)

    def tables(self, names: Iterable[str], key: str) -> dict[str, pa.Table]:
        """Return some tables of one run, those that it has."""
        return {name: table for name in names if (table := self._one(name, key)).num_columns}

    def notes(self, keys: Iterable[str]) -> list[Any]:
        """Return what each run noted about itself."""
        return [json.loads(self._one("runs", key)["notes"][0].as_py()) for key in keys]

    def _one(self, table: str, key: str) -> pa.Table:
        import pyarrow as pa

        for again in (False, True):
            place = self._index(again).get(key)
            if place is not None and (self.parts / place[0] / INDEX).is_file():
                first, rows = self._rows(place, table)
                whole = self._table(place[0], table)
                return whole.slice(first, rows) if rows else whole.slice(0, 0)
            try:
                tables, notes = unpack((self.parts / f"{key}{ENDING}").read_bytes(), table)
            except FileNotFoundError:
                continue  # put into a part a moment ago: look again
            if table == "runs":
                return pa.table({"key": [key], "notes": [json.dumps(notes)]})
            return tables.get(table, pa.table({}))
        raise MovesimError(f"{shown(self.folder)} has no finished run {key}; start the same command again.")

    def _rows(self, place: tuple[str, int], table: str) -> tuple[int, int]:
        name, number = place
        if table == "runs":
            return number, 1
        starts = self._starts(name, table)
        return (0, 0) if starts is None else (int(starts[number]), int(starts[number + 1] - starts[number]))

    def _starts(self, name: str, table: str) -> Any:
        import numpy as np

        index = self._table(name, "runs")
        if f"rows_{table}" not in index.column_names:
            return None
        kept = (name, f"#{table}")
        if kept not in self._open:
            self._keep(kept, np.concatenate([[0], np.cumsum(index[f"rows_{table}"].to_numpy())]))
        return self._open[kept]

    def _table(self, name: str, table: str) -> pa.Table:
        import pyarrow as pa
        import pyarrow.parquet as pq

        if (name, table) not in self._open:
            path = self.parts / name / f"{table}.parquet"
            self._keep((name, table), pq.read_table(path) if path.is_file() else pa.table({}))
        self._open.move_to_end((name, table))
        return self._open[(name, table)]

    def _keep(self, what: tuple[str, str], value: Any) -> None:
        self._open[what] = value
        while len(self._open) > 24:  # a few parts with their indices; runs of a design lie close together
            self._open.popitem(last=False)

    # --- who is at work -----------------------------------------------------------------------------------------------
    def _sessions(self) -> list[dict[str, Any]]:
        found = []
        for path in sorted((self.folder / "sessions").glob("[!.]*.json")):
            try:
                session = json.loads(path.read_text(encoding="utf-8"))
            except (OSError, ValueError):
                continue
            here = session["host"] == socket.gethostname() and os.name == "posix"
            alive = _lives(session["pid"]) if here else time.time() - session["beat"] < FORGOTTEN
            if alive:
                found.append({**session, "path": path})
            else:
                path.unlink(missing_ok=True)
        return found


def _sync(path: Path) -> None:
    with open(path, "rb") as file:
        os.fsync(file.fileno())


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OSError):
        return True
    return True


class Session:
    """A process at work on a study: says now and then in a small file which runs it is at.

    A thread says so too while a run goes on for long, so that on another computer it does not look as if it had ended.
    """

    def __init__(self, runs: Runs) -> None:
        self.runs, self.last = runs, 0.0
        self.path = runs.folder / "sessions" / f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:6]}.json"
        self.others = len(runs._sessions())
        self._running: tuple[str, ...] = ()
        self._one_at_a_time, self._over = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._beat, name="movesim-session", daemon=True)

    def __enter__(self) -> Session:
        with contextlib.suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
        self.say((), True)
        self._thread.start()
        return self

    def say(self, running: Iterable[str], now: bool = False) -> None:
        """Note what is running, at most every two seconds unless `now`."""
        self._running = tuple(running)
        if now or time.time() - self.last > BEAT:
            self._write()

    def _write(self) -> None:
        with self._one_at_a_time:
            if self._over.is_set():
                return
            self.last = time.time()
            row = {"host": socket.gethostname(), "pid": os.getpid(), "beat": self.last, "running": sorted(self._running)}
            half = self.path.with_name(f".{self.path.name}")
            with contextlib.suppress(OSError):  # a courtesy to others; what is finished is what matters
                half.write_text(json.dumps(row), encoding="utf-8")
                os.replace(half, self.path)

    def _beat(self) -> None:
        while not self._over.wait(ALIVE):
            self._write()

    def is_with_others(self) -> bool:
        """Tell whether another process is at work on the study now."""
        return any(session["path"] != self.path for session in self.runs._sessions())

    def __exit__(self, *exception: object) -> None:
        with self._one_at_a_time:
            self._over.set()
        self._thread.join(1.0)
        self.path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # somebody else is still at work
            self.path.parent.rmdir()
