"""Places from files: build a place from official tables of any English area, keep it under its name, read it back."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from movesim.errors import InputError
from movesim.place import tables
from movesim.place.library import BUILT_IN
from movesim.place.margins import ENVIRONMENT, Margins
from movesim.place.observed import Floats, load_observed, read_observed, save_observed
from movesim.place.official import read_margins
from movesim.place.overrides import overridden
from movesim.place.store import UNREADABLE, patient, written
from movesim.place.tables import Found, Survey

FORMAT = 2
_NAME = re.compile(r"^[a-z][a-z0-9_-]{0,39}$")
_COLUMNS_OF = ("environment", "facts", "schools", "local")  # fields that hold several columns


def tables_found(files: str | Path) -> list[Found]:
    """Return which official tables a folder or zip holds: each says its title, whether it is needed, and its file or 'absent'."""
    return tables.find(Path(files))


def build_place(
    files: str | Path,
    name: str,
    place_seed: int = 1,
    title: str | None = None,
    tell: Callable[[str], None] | None = None,
    areas: str | Sequence[str] = (),
    overrides: str | Path | None = None,
) -> Path:
    """Make a place from official tables and keep it under home()/places/NAME.

    Arguments: files, a folder or zip as downloaded; name, lower-case letters, digits, hyphens and underscores; place_seed, of
    the population that is made (and cached) at once; title; tell, called with one line at a time on what is found and done;
    areas, names or codes of the local authorities that the place is, where the tables hold more; overrides, a CSV file of what
    you know better of single neighbourhoods (see movesim.place.overrides). Returns the folder of the
    place. Raises InputError for tables that are missing, cut, of another year or geography, or that contradict each other.
    """
    say = tell or (lambda line: None)
    if not _NAME.match(name):
        raise InputError(
            f"'{name}' cannot be the name of a place; use lower-case letters, digits, hyphens and underscores, a letter first."
        )
    if name in BUILT_IN:
        raise InputError(f"'{name}' is a built-in place; give yours another name.")
    survey = tables.survey(Path(files))
    if survey.paths():  # where there is no table at all, the sentence that follows says it all
        for line in survey.lines():
            say(line)
    survey.complain()
    margins, folder = read_and_keep(survey, name, title, areas, say, overrides)
    say(f"{len(margins):,} LSOAs, {margins.total:,.0f} residents in {len(margins.local_authorities)} authorities.")

    from movesim.place.fit import counted_of, fit
    from movesim.place.library import load_place

    for fitted in fit(margins, patient(lambda: load_observed(folder)), place_seed, counted=counted_of(name, margins, place_seed)):
        say(str(fitted))
    load_place(name, None, place_seed)
    return folder


def read_and_keep(
    survey: Survey,
    name: str,
    title: str | None,
    areas: str | Sequence[str],
    say: Callable[[str], None],
    overrides: str | Path | None = None,
) -> tuple[Margins, Path]:
    """Read the margins of a place and write them to its folder; returns both. Raises as build_place does."""
    from movesim.config import home

    paths = survey.paths()
    margins = read_margins(paths, name, title or name.replace("_", " ").replace("-", " ").capitalize(), areas)
    if overrides is not None:
        margins = overridden(margins, Path(overrides))
        say(margins.notes[-1])
    lost: list[str] = []
    observed = read_observed(paths, margins, lost)
    margins = replace(margins, notes=(*margins.notes, *lost))
    for note in margins.notes:
        if " is left out, since cells of " in note:
            say(note)
    folder = home() / "places" / name
    hashes = tables.hashes(paths)
    told = _before(margins, folder, hashes)
    if told:
        say(told)
    written(folder, lambda half: _write(margins, half, hashes, observed), lambda: _is_kept(margins, folder, hashes))
    return margins, folder


def _before(margins: Margins, folder: Path, hashes: dict[str, Any]) -> str:
    """Say what becomes of a place that has the name already. Raises InputError where it is another place."""
    if not (folder / "place.json").is_file():
        return ""
    try:
        about = json.loads((folder / "place.json").read_text(encoding="utf-8"))
        before, authorities, fingerprint = about["inputs"], tuple(about["local_authorities"]), about["margins"]
        changed = sorted(k for k in {*before, *hashes} if _sha(before, k) != _sha(hashes, k))
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"The place '{margins.name}' that was there is damaged; it is made anew."
    if not set(authorities) & set(margins.local_authorities):
        raise InputError(
            f"There is already a place '{margins.name}' made from other files, of {authorities[0]}; give another name, or delete "
            f"{folder} first."
        )
    if fingerprint == margins.fingerprint():
        return ""
    if changed:
        return f"The place '{margins.name}' is made anew: other tables than before ({', '.join(changed)})."
    return f"The place '{margins.name}' is made anew: its tables are read or cut otherwise than before."


def _is_kept(margins: Margins, folder: Path, hashes: dict[str, Any]) -> bool:
    """Whether a folder holds this very place, undamaged."""
    try:
        inputs = json.loads((folder / "place.json").read_text(encoding="utf-8"))["inputs"]
        load_observed(folder)
        return bool(inputs == hashes and _load(folder).fingerprint() == margins.fingerprint())
    except (InputError, OSError, ValueError, KeyError, TypeError):
        return False


def _sha(inputs: dict[str, Any], key: str) -> str:
    return str(inputs.get(key, {}).get("sha256", ""))


def _write(margins: Margins, half: Path, hashes: dict[str, Any], observed: dict[str, Floats]) -> None:
    """Write the margins as .npy columns, the published counts and place.json."""
    save_observed(observed, half)
    words: dict[str, Any] = {"format": FORMAT, "inputs": hashes, "margins": margins.fingerprint()}
    for f in fields(margins):
        value = getattr(margins, f.name)
        if f.name in _COLUMNS_OF:
            words[f.name] = list(value)
            for key, column in value.items():
                np.save(half / f"{f.name}.{key}.npy", column)
        elif isinstance(value, np.ndarray):
            np.save(half / f"{f.name}.npy", value)
        else:
            words[f.name] = value
    (half / "place.json").write_text(json.dumps(words, indent=1, ensure_ascii=False), encoding="utf-8")


def load_margins(folder: Path) -> Margins:
    """Read the margins of a place that build_place has kept. Raises InputError when they are damaged or of another version."""
    return patient(lambda: _load(folder))


def _load(folder: Path) -> Margins:
    try:
        about = json.loads((folder / "place.json").read_text(encoding="utf-8"))
        if about["format"] != FORMAT:
            raise InputError(f"The place in {folder} was made by another version of movesim; build it again from its files.")
        values: dict[str, Any] = {}
        for f in fields(Margins):
            if f.name in _COLUMNS_OF:
                keys = about[f.name] if f.name != "environment" else ENVIRONMENT
                values[f.name] = {k: np.load(folder / f"{f.name}.{k}.npy") for k in keys}
            elif f.name in about:
                values[f.name] = tuple(about[f.name]) if isinstance(about[f.name], list) else about[f.name]
            else:
                values[f.name] = np.load(folder / f"{f.name}.npy")
        margins = Margins(**values)
        if margins.fingerprint() != about["margins"]:
            raise ValueError("the columns are not those that were written")
        return margins
    except UNREADABLE as error:
        raise InputError(f"The place in {folder} is damaged ({error}); build it again from its files.") from None
