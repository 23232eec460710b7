"""Measure the making of places: `python -m benchmarks.places NAME` (a place made from files; add --workers 2).

Prints processor time, memory and disk for all residents at once and authority by authority, and what that comes to for
England. Figures of one machine at one moment; what is measured and what is projected is said line by line.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from movesim.place.apart import _build, build_apart, part_of
from movesim.place.assembly import assemble
from movesim.place.library import load_place, margins_of
from movesim.place.population import Population
from movesim.place.schools import catchments

ENGLAND, LSOAS, AUTHORITIES = 56_490_046, 33_755, 309  # Census 2021 and IoD 2025 (evidence S001, S002); lower-tier authorities
LARGEST = 1_144_900  # residents of Birmingham, Census 2021 (general knowledge)


def whole(name: str) -> tuple[int, float, float]:
    """Return residents, processor seconds to make them all, and seconds to open them again."""
    margins = margins_of(name)
    start = time.process_time()
    made = assemble(margins, None, 1, "benchmark")
    took = time.process_time() - start
    with tempfile.TemporaryDirectory() as folder:
        made.save(Path(folder) / "p")
        begin = time.perf_counter()
        again = Population.load(Path(folder) / "p")
        _ = int(np.asarray(again.people["age"]).sum())
        opened = time.perf_counter() - begin
    return len(made), took, opened


def alone(name: str) -> list[dict[str, Any]]:
    """Return the rows of the largest, a middle and the smallest authority, each made in a process of its own."""
    margins = margins_of(name).whole()
    found = catchments(margins, 1)
    by_size = np.argsort(-np.bincount(margins.local_authority, margins.residents))
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for k in sorted({0, len(by_size) // 2, len(by_size) - 1}):
            part = part_of(margins, int(by_size[k]), found)
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
                rows.append(pool.submit(_build, part, Path(folder) / str(k), 1).result())
    return rows


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.places", description=__doc__)
    parser.add_argument("name")
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    load_place(given.name, 1_000)  # compiles what there is to compile
    residents, took, opened = whole(given.name)
    print(f"measured: {residents:,} residents at once: {took:.1f} s of one processor; opened again in {opened:.2f} s")
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        rows = build_apart(margins_of(given.name), Path(folder), workers=given.workers)
        wall = time.perf_counter() - start
        disk = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
    processor = sum(row["processor_seconds"] for row in rows)
    print(f"measured: {len(rows)} authorities apart: {processor:.1f} processor seconds, {wall:.1f} s with {given.workers} "
          f"workers, {disk / 1e6:.0f} MB on disk")  # fmt: skip
    one = alone(given.name)
    for row in one:
        print(f"measured: {row['name']} alone, {row['residents']:,} residents: {row['processor_seconds']:.1f} s, "
              f"{row['memory_mb']:.0f} MB")  # fmt: skip
    people, memory = np.array([r["residents"] for r in one]), np.array([r["memory_mb"] for r in one])
    slope, level = np.polyfit(people, memory, 1)
    each, times = processor / residents, ENGLAND / residents
    print(
        f"projected: England, {ENGLAND:,} residents in {AUTHORITIES} authorities and {LSOAS:,} LSOAs ({times:.1f} times as many)"
    )
    minutes = each * ENGLAND / 60
    print(f"projected: {minutes:.0f} minutes of one processor, {minutes / given.workers:.0f} on {given.workers}")
    most = level + slope * LARGEST
    print(f"projected: {most:.0f} MB a process for the largest authority ({LARGEST:,} residents)")
    print(f"projected: {disk * times / 1e9:.1f} GB on disk")


if __name__ == "__main__":
    main()
