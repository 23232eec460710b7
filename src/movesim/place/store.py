"""Store: finished folders put into place all at once, also when two processes make the same one at the same time."""

from __future__ import annotations

import os
import shutil
import time
import uuid
import zlib
from collections.abc import Callable
from pathlib import Path
from tokenize import TokenError
from typing import TypeVar
from zipfile import BadZipFile

from movesim.errors import InputError

TRIES = 50
# What reading a cut or damaged file of columns ends in, NumPy's own parsing of headers included.
UNREADABLE = (OSError, ValueError, KeyError, TypeError, EOFError, SyntaxError, TokenError, BadZipFile, zlib.error)
WAITS = (0.0, 0.05, 0.2)  # seconds; a folder is away for far less while another is put in its place
T = TypeVar("T")


def _never() -> bool:
    return False


def put(half: Path, folder: Path, same: Callable[[], bool] = _never) -> Path:
    """Move a finished folder into place, aside from what may stand there already; the last to finish stays.

    Arguments: half, the finished folder; folder, where it goes; same, whether what stands there is as good: then it is left
    there. A reader never sees a half-written folder; for the moment in which another one is moved aside it sees none.
    """
    for attempt in range(TRIES):
        try:
            os.replace(half, folder)
            return folder
        except OSError:
            if attempt + 1 == TRIES or not half.exists():
                raise
        if same():
            return folder
        old = folder.parent / f".{folder.name}.{uuid.uuid4().hex[:8]}.old"
        try:
            os.replace(folder, old)
        except OSError:
            time.sleep(0.01 * (1 + attempt % 5))  # another process is just moving it aside
        else:
            shutil.rmtree(old, ignore_errors=True)
    raise AssertionError("unreachable")


def written(folder: Path, write: Callable[[Path], None], same: Callable[[], bool] = _never) -> Path:
    """Let `write` fill a new folder beside the one asked for and put it there once it is whole, or leave nothing behind."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    half = folder.parent / f".{folder.name}.{uuid.uuid4().hex[:8]}.tmp"
    half.mkdir()
    try:
        write(half)
        return put(half, folder, same)
    finally:
        shutil.rmtree(half, ignore_errors=True)


def patient(read: Callable[[], T]) -> T:
    """Return what `read` returns, asked again shortly where another process may just be replacing the folder.

    Raises the last InputError.
    """
    for wait in WAITS[:-1]:
        time.sleep(wait)
        try:
            return read()
        except InputError:
            continue
    time.sleep(WAITS[-1])
    return read()
