"""Places from files: build a place from official tables of any English area, keep it under its name, read it back."""

from __future__ import annotations

import json
import os
import re
import shutil
import uuid
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from movesim.errors import InputError
from movesim.place import tables
from movesim.place.library import BUILT_IN
from movesim.place.margins import ENVIRONMENT, Margins
from movesim.place.official import read_margins
from movesim.place.tables import Found

FORMAT = 1
_NAME = re.compile(r"^[a-z][a-z0-9_-]{0,39}$")


def tables_found(files: str | Path) -> list[Found]:
    """Return which official tables a folder holds: each says its title, whether it is needed, and its file or 'absent'."""
    return tables.find(Path(files))


def build_place(
    files: str | Path, name: str, place_seed: int = 1, title: str | None = None, tell: Callable[[str], None] | None = None
) -> Path:
    """Make a place from a folder of official tables and keep it under home()/places/NAME.

    Arguments: files, the folder; name, lower-case letters, digits, hyphens and underscores; place_seed, of the population
    that is made (and cached) at once; title; tell, called with one line at a time on what is found and done.
    Returns the folder of the place. Raises InputError for tables that are missing, cut, of another year or geography, or
    that contradict each other.
    """
    from movesim.config import home

    say = tell or (lambda line: None)
    if not _NAME.match(name):
        raise InputError(
            f"'{name}' cannot be the name of a place; use lower-case letters, digits, hyphens and underscores, a letter first."
        )
    if name in BUILT_IN:
        raise InputError(f"'{name}' is a built-in place; give yours another name.")
    found = tables.find(Path(files))
    paths = {f.source.key: f.path for f in found if f.path is not None}
    absent = [f.source for f in found if f.source.needed and f.path is None]
    if absent:
        listed = "; ".join(f"'{s.title}' ({s.where})" for s in absent)
        raise InputError(f"{files} lacks {len(absent)} of the tables that a place needs: {listed}.")
    for one in found:
        say(str(one))
    margins = read_margins(paths, name, title or name.replace("_", " ").replace("-", " ").capitalize())
    hashes = {key: {"file": path.name, "sha256": tables.sha256(path)} for key, path in sorted(paths.items())}
    folder = home() / "places" / name
    _keep(margins, folder, hashes)
    say(f"{len(margins):,} LSOAs, {margins.total:,.0f} residents in {len(margins.local_authorities)} authorities.")

    from movesim.place.fit import fit
    from movesim.place.library import load_place

    for line in fit(margins, load_place(name, None, place_seed)):
        say(str(line))
    return folder


def _keep(margins: Margins, folder: Path, hashes: dict[str, Any]) -> None:
    """Write the margins as .npy columns and place.json, all at once."""
    about = folder / "place.json"
    if about.is_file():
        try:
            before = json.loads(about.read_text(encoding="utf-8"))["inputs"]
        except (ValueError, KeyError):
            before = None
        if before is not None and before != hashes:
            raise InputError(
                f"There is already a place '{margins.name}' made from other files; give another name, or delete {folder} first."
            )
    folder.parent.mkdir(parents=True, exist_ok=True)
    half = folder.parent / f".{folder.name}.{uuid.uuid4().hex[:8]}.tmp"
    half.mkdir()
    try:
        words: dict[str, Any] = {"format": FORMAT, "inputs": hashes, "margins": margins.fingerprint()}
        for f in fields(margins):
            value = getattr(margins, f.name)
            if f.name == "environment":
                for key, column in value.items():
                    np.save(half / f"environment.{key}.npy", column)
            elif isinstance(value, np.ndarray):
                np.save(half / f"{f.name}.npy", value)
            else:
                words[f.name] = value
        (half / "place.json").write_text(json.dumps(words, indent=1, ensure_ascii=False), encoding="utf-8")
        if folder.exists():
            old = folder.parent / f".{folder.name}.{uuid.uuid4().hex[:8]}.old"
            os.replace(folder, old)
            shutil.rmtree(old, ignore_errors=True)
        os.replace(half, folder)
    finally:
        shutil.rmtree(half, ignore_errors=True)


def load_margins(folder: Path) -> Margins:
    """Read the margins of a place that build_place has kept. Raises InputError when they are damaged."""
    try:
        about = json.loads((folder / "place.json").read_text(encoding="utf-8"))
        values: dict[str, Any] = {}
        for f in fields(Margins):
            if f.name == "environment":
                values[f.name] = {k: np.load(folder / f"environment.{k}.npy") for k in ENVIRONMENT}
            elif f.name in about:
                values[f.name] = tuple(about[f.name]) if isinstance(about[f.name], list) else about[f.name]
            else:
                values[f.name] = np.load(folder / f"{f.name}.npy")
        margins = Margins(**values)
        if margins.fingerprint() != about["margins"]:
            raise ValueError("the columns are not those that were written")
        return margins
    except (OSError, ValueError, KeyError, TypeError, EOFError) as error:
        raise InputError(f"The place in {folder} is damaged ({error}); build it again from its files.") from None
