"""Loading places: by name, from the cache, mended when damaged."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from movesim.config import cache_folder
from movesim.errors import InputError
from movesim.place import Population, list_places, load_place


def test_built_in_places_are_listed() -> None:
    places = {name: (title, kind) for name, title, kind in list_places()}
    assert places["nottinghamshire_derbyshire"] == ("Nottinghamshire and Derbyshire", "built in")
    assert places["england"][1] == "built in"


def test_an_unknown_place_is_refused_with_a_hint() -> None:
    with pytest.raises(InputError, match=r"no place called 'englnd'. Did you mean 'england'\? Known places: .*england"):
        load_place("englnd", 100)
    with pytest.raises(InputError, match=r"no place called '\.\./england'"):
        load_place("../england", 100)


@pytest.mark.parametrize("people", [0, -5])
def test_no_people_are_refused(people: int) -> None:
    with pytest.raises(InputError, match=rf"people={people}: a sample needs at least one person"):
        load_place("england", people)


def test_the_cache_gives_the_same_and_is_fast(small: Population) -> None:
    start = time.perf_counter()
    again = load_place("nottinghamshire_derbyshire", 5_000)
    assert time.perf_counter() - start < 1.0
    assert again.fingerprint == small.fingerprint
    assert isinstance(again.people["age"], np.memmap)
    assert np.array_equal(again.ties, small.ties)


def test_a_cached_place_needs_no_compiler(small: Population) -> None:
    code = (
        "import sys, movesim.place as p; p.load_place('nottinghamshire_derbyshire', 5000); "
        "print(sorted({'numba', 'scipy', 'pandas', 'mesa', 'hydra'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_damaged_cache_is_made_again(small: Population) -> None:
    made = load_place("nottinghamshire_derbyshire", 250)
    folder = next(cache_folder("place", "nottinghamshire_derbyshire").glob("250-1-*"))
    ids = made.people["id"].copy()
    (folder / "ties.npy").write_bytes((folder / "ties.npy").read_bytes()[:500])
    with pytest.raises(InputError, match="holds a damaged population"):
        Population.load(folder)
    assert np.array_equal(load_place("nottinghamshire_derbyshire", 250).people["id"], ids)
    (folder / "population.json").write_text("{", encoding="utf-8")
    assert np.array_equal(load_place("nottinghamshire_derbyshire", 250).people["id"], ids)
    assert not list(folder.parent.glob(".*"))


def test_an_old_cache_of_the_same_sample_is_dropped() -> None:
    load_place("nottinghamshire_derbyshire", 250)
    parent = cache_folder("place", "nottinghamshire_derbyshire")
    folder = next(parent.glob("250-1-*"))
    old = parent / "250-1-0000"
    folder.rename(old)
    load_place("nottinghamshire_derbyshire", 250)
    assert not old.exists() and len(list(parent.glob("250-1-*"))) == 1


def test_saved_and_loaded_populations_are_equal(small: Population, tmp_path: Path) -> None:
    folder = small.save(tmp_path / "kept")
    for mmap in (True, False):
        again = Population.load(folder, mmap=mmap)
        assert isinstance(again.ties, np.memmap) == mmap
        for table in ("people", "neighbourhoods", "schools"):
            for name, column in getattr(small, table).items():
                assert np.array_equal(getattr(again, table)[name], column), name
        for name in ("name", "title", "local_authorities", "residents", "notes", "fingerprint"):
            assert getattr(again, name) == getattr(small, name), name
    assert small.save(folder) == folder  # what stood there is replaced
    assert "people for 2,204,419 residents" in repr(again)


def test_folders_without_a_population_are_refused(tmp_path: Path, small: Population) -> None:
    with pytest.raises(InputError, match=r"holds no complete population \(population.json is missing\)"):
        Population.load(tmp_path)
    folder = small.save(tmp_path / "kept")
    about = json.loads((folder / "population.json").read_text())
    (folder / "population.json").write_text(json.dumps({**about, "format": 99}))
    with pytest.raises(InputError, match=r"damaged population \(format 99\)"):
        Population.load(folder)
