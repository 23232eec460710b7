"""Apart: a large area built authority by authority, several at a time, in the memory of the largest few.

Everybody lives where, is who and has the household, pod size and school they would have were the whole made at once: a
neighbourhood's people depend on nothing else, and catchments are settled for the whole first. Ties join people of one
authority and decile wherever there are two pods of it; where an authority has one alone, the whole would look for ties across
authorities and a part looks in its own other deciles.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import fields, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from movesim.errors import InputError
from movesim.place.assembly import assemble
from movesim.place.library import ingredients
from movesim.place.margins import Margins
from movesim.place.population import Population
from movesim.place.schools import Catchments, catchments


def build_apart(
    margins: Margins, folder: Path, place_seed: int = 1, workers: int = 1, tell: Callable[[str], None] | None = None
) -> list[dict[str, Any]]:
    """Build every authority of an area as a population of its own, several at a time, and keep them in a folder.

    Arguments: margins of the whole area; folder, made if need be, which gets one folder per authority and parts.json; place_seed;
    workers, processes; tell, called with a line for each authority. An authority that is there already with the same
    fingerprint is left as it is, so that an interrupted build goes on. Returns a row per authority: name, folder, residents,
    neighbourhoods, ties, seconds, processor seconds and the most memory (MB) its process had held. Raises InputError for a
    folder that holds something else.

    >>> build_apart(margins, Path("england"), workers=8)  # doctest: +SKIP
    """
    say = tell or (lambda line: None)
    margins = margins.whole()
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()) and not (folder / "parts.json").is_file():
        raise InputError(f"{folder} holds something else; name a new or empty folder for the parts.")
    rows: list[dict[str, Any]] = []
    found = catchments(margins, place_seed)
    largest_first = np.argsort(-np.bincount(margins.local_authority, margins.residents), kind="stable")
    tasks = [(part_of(margins, int(a), found), folder / f"{k:03d}", place_seed) for k, a in enumerate(largest_first)]
    (folder / "parts.json").write_text("[]", encoding="utf-8")
    # Processes start afresh: a fork would hold the parent's memory, and its threads' locks.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for done in as_completed([pool.submit(_build, *task) for task in tasks]):
            rows.append(done.result())
            say(f"{rows[-1]['name']}: {rows[-1]['residents']:,} residents, {rows[-1]['seconds']:.1f} s")
    rows.sort(key=lambda row: row["folder"])
    (folder / "parts.json").write_text(json.dumps(rows, indent=1, ensure_ascii=False), encoding="utf-8")
    return rows


def part_of(margins: Margins, authority: int, found: Catchments) -> tuple[Margins, Catchments]:
    """Return the margins of one authority as an area of its own, and the schools its neighbourhoods are served by."""
    rows = np.flatnonzero(margins.local_authority == authority)
    changes: dict[str, Any] = {}
    for f in fields(margins):
        value = getattr(margins, f.name)
        if f.name == "schools":
            changes[f.name] = {}  # whom they serve is settled for the whole area
        elif isinstance(value, dict):
            changes[f.name] = {key: column[rows] for key, column in value.items()}
        elif isinstance(value, np.ndarray):
            changes[f.name] = value[rows]
    name = margins.local_authorities[authority]
    changes |= {
        "name": margins.name,
        "title": name,
        "local_authorities": (name,),
        "local_authority": np.zeros(len(rows), np.int16),
    }
    at = np.full(len(margins), len(rows), np.int64)  # one past the last: outside this part
    at[rows] = np.arange(len(rows))
    schools = replace(found, neighbourhood=at[found.neighbourhood], primary=found.primary[rows], secondary=found.secondary[rows])
    return replace(margins, **changes), schools


def _build(part: tuple[Margins, Catchments], folder: Path, place_seed: int) -> dict[str, Any]:
    margins, schools = part
    start, processor = time.perf_counter(), time.process_time()
    fingerprint = fingerprint_of_part(margins, schools, place_seed)
    kept = _kept(folder, fingerprint)
    population = kept or assemble(margins, None, place_seed, fingerprint, schools)
    if kept is None:
        population.save(folder)
    return {
        "name": margins.local_authorities[0],
        "folder": folder.name,
        "residents": len(population),
        "neighbourhoods": len(margins),
        "ties": _ties(population.ties, len(population)) // 2,
        "seconds": time.perf_counter() - start,
        "processor_seconds": time.process_time() - processor,
        "memory_mb": _most_memory(),
    }


def fingerprint_of_part(margins: Margins, schools: Catchments, place_seed: int) -> str:
    """Return a hash of all that decides who lives in a part: its tables, whom its schools serve, the code, conf/place, the seed.

    Catchments are settled for the whole area, so a part changes with the schools and children of its neighbours.
    """
    digest = hashlib.blake2b(f"{margins.fingerprint()}:{place_seed}:".encode() + ingredients(), digest_size=10)
    for f in fields(schools):
        digest.update(np.ascontiguousarray(getattr(schools, f.name)).tobytes())
    return digest.hexdigest()


def _kept(folder: Path, fingerprint: str) -> Population | None:
    try:
        population = Population.load(folder)
    except InputError:
        return None
    return population if population.fingerprint == fingerprint else None


def _ties(ties: NDArray[np.int32], n: int) -> int:
    return int(sum((ties[k : k + 100_000] < n).sum() for k in range(0, n, 100_000)))


def _most_memory() -> float:
    """The most memory this process has held, in MB; NaN where the system does not say."""
    status = Path("/proc/self/status")
    if status.is_file():  # getrusage would count what the parent held before this process began
        held = [line for line in status.read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM")]
        return float(held[0].split()[1]) / 1024.0 if held else float("nan")
    return float("nan")
