"""Checkpoints: what a run carries from week to week, written to a folder and read back.

A folder holds one .npy file per array, which any program can map into memory, and checkpoint.json: the week, the key of
chance, a fingerprint of the model's sources, every number that is no array, and a checksum of each file. Nothing in it is
a pickle. A run that is saved and loaded goes on as if it had never stopped, bit for bit.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from movesim.behaviour.parameters import model_id
from movesim.behaviour.plain_data import Reader, Writer
from movesim.documents import shown
from movesim.errors import InputError

if TYPE_CHECKING:
    from movesim.behaviour.simulation import Simulation

FORMAT = 1
FILE = "checkpoint.json"
KIND = "run"


# --- saving and loading ---------------------------------------------------------------------------------------------
def save(simulation: Simulation, folder: str | Path) -> Path:
    """Write a run as it stands at this week into a folder, all at once or not at all; return the folder.

    Arguments: folder, made if need be; a checkpoint that stands there is replaced. The run itself is left alone.
    Raises InputError when the folder holds other files.

    >>> save(simulation, "checkpoints/week_0")  # doctest: +SKIP
    """
    return write(folder, KIND, {"simulation": simulation})


def load(folder: str | Path, mmap: bool = False) -> Simulation:
    """Read a saved run, of this module's `save` or of `ActivityModel.save`; it goes on bit for bit.

    Arguments: mmap, leave the columns on disk until they are read, and keep what the run writes to itself.
    Raises InputError for a folder without a checkpoint, one that is damaged, and one of another version of the model.
    """
    return read(folder, mmap=mmap)[1]["simulation"]


def write(folder: str | Path, kind: str, parts: dict[str, Any]) -> Path:
    """Write parts of a run, among them `simulation`, as a checkpoint of a kind; see `save`."""
    folder = Path(folder)
    _may_be_replaced(folder)
    simulation = parts["simulation"]
    graph = Writer()
    root = {name: graph.plain(part, name) for name, part in parts.items()}
    folder.parent.mkdir(parents=True, exist_ok=True)
    half = folder.parent / f".{folder.name}.{uuid.uuid4().hex[:8]}.tmp"
    half.mkdir()
    try:
        for name, array in graph.arrays.items():
            np.save(half / name, array, allow_pickle=False)
        body = {
            "kind": kind, **_about(simulation), "files": {name: _seal(half / name) for name in graph.arrays},
            "root": root, "objects": graph.objects,
        }  # fmt: skip
        page = {"format": FORMAT, "model": model_id(), "seal": _digest(json.dumps(body)), "body": body}
        (half / FILE).write_text(json.dumps(page, indent=1), encoding="utf-8")
        _put(half, folder)
    finally:
        shutil.rmtree(half, ignore_errors=True)
    return folder


def _put(half: Path, folder: Path) -> None:
    """Move a finished folder to its place; what stood there is kept until it has arrived."""
    old = folder.parent / f"{half.name}.old"
    if folder.exists():
        os.replace(folder, old)
    try:
        os.replace(half, folder)
    except OSError:
        if old.exists():
            os.replace(old, folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


def read(folder: str | Path, kind: str | None = None, mmap: bool = False) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what a checkpoint says of itself and its parts; see `load`. With `kind`, another kind is refused."""
    folder = Path(folder)
    body = _body(folder)
    if kind is not None and body["kind"] != kind:
        raise InputError(f"{shown(folder)} holds a {body['kind']} and no {kind}; read it with movesim.behaviour.checkpoint.load.")
    arrays = {name: _array(folder, name, seal, mmap) for name, seal in body["files"].items()}
    graph = Reader(body["objects"], arrays)
    return body, {name: graph.value(part) for name, part in body["root"].items()}


def _about(simulation: Simulation) -> dict[str, Any]:
    """Return what a reader of the file may want to know at a glance."""
    people = simulation.people
    return {
        "week": simulation.week, "key": [int(word) for word in simulation.key], "place": simulation.place,
        "people": int(people.n), "rows": int(people.capacity), "alive": int(people.alive.sum()),
    }  # fmt: skip


def _may_be_replaced(folder: Path) -> None:
    if folder.is_file():
        raise InputError(f"A checkpoint is a folder, but {shown(folder)} is a file.")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / FILE).is_file():
        raise InputError(f"{shown(folder)} holds other files and no checkpoint; name a new folder.")


def _body(folder: Path) -> dict[str, Any]:
    try:
        data = json.loads((folder / FILE).read_text(encoding="utf-8"))
        version, model, seal, body = (data[name] for name in ("format", "model", "seal", "body"))
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"{shown(folder)} holds no checkpoint: {FILE} is missing.") from None
    except (OSError, ValueError, KeyError, TypeError):
        raise _damaged(folder, f"{FILE} cannot be read") from None
    if version != FORMAT:
        raise InputError(f"{shown(folder)} is a checkpoint of format {version}; this movesim reads format {FORMAT}.")
    if model != model_id():
        raise InputError(
            f"{shown(folder)} was saved by another version of the model: its sources or numbers have changed since. "
            "Load it with the movesim that saved it, or run it again with this one."
        )
    if seal != _digest(json.dumps(body)):
        raise _damaged(folder, f"{FILE} has changed since it was written")
    return body


def _array(folder: Path, name: str, seal: list[Any], mmap: bool) -> NDArray[Any]:
    try:
        found = _seal(folder / name)
    except OSError:
        raise _damaged(folder, f"{name} is missing or cannot be read") from None
    if found != seal:
        raise _damaged(folder, f"{name} {'is cut short' if found[0] < seal[0] else 'has changed since it was written'}")
    return np.asarray(np.load(folder / name, mmap_mode="c" if mmap else None, allow_pickle=False))


def _damaged(folder: Path, what: str) -> InputError:
    return InputError(f"{shown(folder)} holds a damaged checkpoint ({what}); save the run again.")


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _seal(path: Path) -> list[Any]:
    """Return what a file must still be when it is read: its size in bytes and a checksum of them."""
    with path.open("rb") as file:
        return [path.stat().st_size, hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()]
