"""The library of places: which there are, and loading one, made once and then read from the cache."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from movesim.errors import InputError, did_you_mean, one_of
from movesim.place.population import Population
from movesim.place.store import patient

if TYPE_CHECKING:
    from movesim.place.margins import Margins

BUILT_IN = ("nottinghamshire_derbyshire", "england")
_CODE = ("place/*.py", "words.py", "draws.py")


def list_places() -> list[tuple[str, str, str]]:
    """Return (name, title, kind) of every place; kind is 'built in' or 'from files'."""
    from movesim.config import conf_folder, load_yaml

    places = [(name, str(load_yaml(conf_folder() / "place" / f"{name}.yaml").data["title"]), "built in") for name in BUILT_IN]
    for folder in sorted(_folder().glob("*/place.json")):
        if folder.parent.name not in BUILT_IN and not folder.parent.name.startswith("."):
            try:
                title = json.loads(folder.read_text(encoding="utf-8"))["title"]
            except (OSError, ValueError, KeyError, TypeError):
                title = "damaged; build it again"
            places.append((folder.parent.name, title, "from files"))
    return places


def load_place(name: str, people: int | None = 20_000, place_seed: int = 1) -> Population:
    """Return the population of a place, or a sample of it: whole households, about `people` of them, weighted to everybody.

    Arguments: name, one of list_places(); people, None for all residents; place_seed, which population of all that fit the
    tables. The first call makes it, later ones read it from the cache. Raises InputError for an unknown place or a number of
    people that is not positive.

    >>> load_place("nottinghamshire_derbyshire", people=2000)  # doctest: +SKIP
    """
    from movesim.config import cache_folder

    if people is not None and people <= 0:
        raise InputError(f"people={people}: a sample needs at least one person; give a whole number such as 20000.")
    fingerprint = _fingerprint(name, people, place_seed)
    kept = f"{'all' if people is None else people}-{place_seed}-"
    folder = cache_folder("place", name) / f"{kept}{fingerprint}"
    cached = _cached(folder, fingerprint)
    if cached is not None:
        return cached
    from movesim.place.assembly import assemble

    population = assemble(_margins(name, place_seed), people, place_seed, fingerprint)
    # Another process may have been quicker with the very same population: then that one is used.
    return _cached(folder, fingerprint) or _keep(population, folder, kept)


def _cached(folder: Path, fingerprint: str) -> Population | None:
    """What the cache holds, or None where it holds nothing, or something damaged or of another make."""
    for wait in (0.0, 0.2):
        time.sleep(wait)
        if not (folder / "population.json").is_file():
            return None
        try:
            population = Population.load(folder)
            break
        except InputError:
            continue  # another process may just be putting the same one there
    else:
        return None  # damaged, and only a cache: it is made again
    return population if population.fingerprint == fingerprint else None


def _keep(population: Population, folder: Path, kept: str) -> Population:
    """Write a population to the cache, and drop what earlier sources or settings left there under the same number and seed."""
    population.save(folder)
    for old in folder.parent.glob(f"{kept}*"):
        if old != folder:
            shutil.rmtree(old, ignore_errors=True)
    return _cached(folder, population.fingerprint) or population


def _folder() -> Path:
    from movesim.config import home

    return home() / "places"


def _margins(name: str, place_seed: int) -> Margins:
    if name in BUILT_IN:
        from movesim.place.neighbourhoods import built_in

        return built_in(name, place_seed)
    from movesim.place.files import load_margins

    return load_margins(_folder() / name)


def made_from(name: str) -> tuple[dict[str, Any], list[str], dict[str, NDArray[np.float64]]]:
    """Return the files that a place was made from, the codes of its neighbourhoods and further facts of them; empty for a
    built-in place."""
    if name in BUILT_IN:
        return {}, [], {}
    from movesim.place.files import load_margins

    margins = load_margins(_folder() / name)
    inputs = json.loads((_folder() / name / "place.json").read_text(encoding="utf-8"))["inputs"]
    return inputs, margins.code.tolist(), margins.facts


def fingerprint_of(name: str, place_seed: int = 1) -> str:
    """Return a hash of all that decides who lives in a place: its tables, the code that makes them up and the place seed."""
    return _fingerprint(name, None, place_seed)


def margins_of(name: str, place_seed: int = 1) -> Margins:
    """Return the margins of a place, built in or made from files. Raises InputError for an unknown place."""
    _fingerprint(name, None, place_seed)
    return _margins(name, place_seed)


def _fingerprint(name: str, people: int | None, place_seed: int) -> str:
    """A hash of the place's data, the code that makes it, the number of people and the place seed."""
    digest = hashlib.blake2b(f"{name}:{people}:{place_seed}:".encode() + ingredients(), digest_size=10)
    if name in BUILT_IN:
        return digest.hexdigest()
    if "/" in name or name in (".", "..") or not _is_there(_folder() / name / "place.json"):
        known = [place[0] for place in list_places()]
        raise InputError(
            f"There is no place called '{name}'.{did_you_mean(name, known)} Known places: {one_of(known)}; "
            "'movesim place build' makes one from official tables."
        )
    digest.update(patient(lambda: _margins_of(_folder() / name)).encode())
    return digest.hexdigest()


def ingredients() -> bytes:
    """Return what people are made of besides a place's own tables: the code that makes them up and all of conf/place."""
    from movesim.config import conf_folder

    return _code().encode() + b"".join(path.read_bytes() for path in sorted((conf_folder() / "place").glob("*.yaml")))


def _is_there(path: Path) -> bool:
    """Whether a file is there, looked for again shortly where another process may just be replacing its folder."""
    if not path.is_file():
        time.sleep(0.05)
    return path.is_file()


def _margins_of(folder: Path) -> str:
    """The fingerprint of a place's margins, whatever the files were called that they were read from."""
    try:
        return str(json.loads((folder / "place.json").read_text(encoding="utf-8"))["margins"])
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(f"The place in {folder} is damaged (place.json); build it again from its files.") from None


@lru_cache(maxsize=1)
def _code() -> str:
    """A hash of the sources that decide what a population looks like."""
    here = Path(__file__).resolve().parent.parent
    digest = hashlib.blake2b(digest_size=10)
    for pattern in _CODE:
        for path in sorted(here.glob(pattern)):
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()
