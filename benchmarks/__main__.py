"""Measure the engine: `python -m benchmarks` (add --short for what takes a minute; --write keeps the figures in results.csv).

Prints nanoseconds of processor time a person-week, best of several: the compiled week at growing sizes, beside the same week
written with NumPy over whole columns and beside the plain reference model on Mesa, all in one process; a budget of the week
term by term; recording, interventions and the turn of the year; memory. Figures of one machine at one moment: ratios travel
better than nanoseconds. Nothing here passes or fails.
"""

from __future__ import annotations

import argparse
import csv
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path

import numpy as np

from benchmarks import extras, terms, whole_columns
from movesim.behaviour.people import People
from movesim.behaviour.rules import References, behaviour_ledger, make_rules
from movesim.behaviour.simulation import Simulation
from movesim.place import load_place

PLACE = "nottinghamshire_derbyshire"
RESULTS = Path(__file__).parent / "results.csv"
Row = tuple[str, int, float, str]


def settled(people: int | None, weeks: int = 8, threads: int = 1) -> Simulation:
    """Return a run of the built-in place after a few weeks, with the ledger's central numbers."""
    rules = make_rules(behaviour_ledger().central())
    simulation = Simulation(load_place(PLACE, people), rules, References.first_guess(), threads=threads)
    for _ in range(weeks):
        simulation.step()
    return simulation


def best(step: Callable[[], object], times: int, clock: Callable[[], float] = time.process_time) -> float:
    """Return the least time of several calls, in seconds (of the processor, unless another clock is given)."""
    least = np.inf
    for _ in range(times):
        start = clock()
        step()
        least = min(least, clock() - start)
    return float(least)


def bytes_a_person(people: People) -> float:
    """Return the bytes of all of the people's columns, by person."""
    arrays = [*people.columns.values(), *people.floats.values(), *(a for a in vars(people).values() if isinstance(a, np.ndarray))]
    return sum(a.nbytes for a in arrays if a is not people.order) / people.capacity


def the_week(short: bool) -> Iterator[Row]:
    """Measure the compiled week at growing sizes, then two other ways of writing it."""
    compiled = np.nan
    for size in (20_000,) if short else (20_000, 200_000, None):
        simulation = settled(size)
        n = simulation.people.n
        took = best(simulation.step, 400 if n < 1e5 else 12) / n * 1e9
        compiled = took if size == 20_000 else compiled
        yield "compiled week, one thread", n, took, "ns a person-week"
        yield "memory of a run", n, bytes_a_person(simulation.people), "bytes a person"
        if n > 1e6:
            alone = best(simulation.step, 5, time.perf_counter)
            simulation.threads, simulation.scratch = 2, None
            yield "two threads against one, by the clock", n, alone / best(simulation.step, 5, time.perf_counter), "times as fast"
            yield "cost against that at 20,000 people", n, took / compiled, "times"
    columns = settled(20_000)
    n = columns.people.n
    took = best(lambda: whole_columns.step(columns), 5) / n * 1e9
    yield "the week in NumPy over whole columns", n, took, "ns a person-week"
    yield "the same against the compiled week", n, took / compiled, "times"
    from movesim.behaviour.reference import ReferenceModel

    small = settled(1_000)
    reference = ReferenceModel.of(small)
    took = best(reference.step, 3) / small.people.n * 1e9
    yield "reference model, one object a person, Mesa", small.people.n, took, "ns a person-week"
    yield "the same against the compiled week", small.people.n, took / compiled, "times"


def the_budget() -> Iterator[Row]:
    """Measure each loop of the week alone, for adults, in the cache."""
    rows = terms.budget()
    for part, what, took in rows:
        yield f"{part}: {what}", terms.N, took, "ns a person-week"
    yield "sum of these", terms.N, sum(took for _, _, took in rows), "ns a person-week"


def around_the_week() -> Iterator[Row]:
    """Measure recording, interventions and the turn of the year."""
    started = extras.started()
    n = started.people.n
    for what, took in extras.recording(started).items():
        name = "recording, all of it" if what == "recording" else f"recording: {what}"
        yield name, n, took, "ns a person-week"
    for number, took in extras.interventions().items():
        name = (
            f"interventions on: {number}, added to a week"
            if number
            else "a week with demography, nothing on, year's turns included"
        )
        yield name, n, took, "ns a person-week"
    least = np.inf
    for _ in range(extras.YEARS):
        started.run(51)
        started.step()
        least = min(least, best(started.turn_of_the_year, 1))
    yield "turn of the year: births, deaths, moves, set-points", n, least / 52 / n * 1e9, "ns a person-week"


def whole_county() -> Iterator[Row]:
    """Run all residents for ten years in a process of its own: recorded, with demography, on two threads."""
    code = "from benchmarks.__main__ import ten_years; ten_years()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    n, wall, cpu, peak = done.stdout.split()[-4:]
    yield "ten years of all residents, by the clock, two threads", int(n), float(wall), "seconds"
    yield "the same, processor", int(n), float(cpu), "seconds"
    yield "the same, most memory", int(n), float(peak), "GB"


def ten_years() -> None:
    """Run everybody for 520 weeks and print people, seconds by the clock and of the processor, and the most memory in GB."""
    import resource

    from movesim.behaviour.demography import Demography, spare_rows
    from movesim.outcomes.record import Recorder

    population = load_place(PLACE, None)
    rules = make_rules(behaviour_ledger().central())
    run = Simulation(population, rules, References.first_guess(), spare=spare_rows(population, 10), threads=2)
    run.week = 0
    run.people.year = 0
    run.demography = Demography.at(run)
    recorder = Recorder(population.local_authorities)
    recorder.place(run.people)
    wall, cpu = time.perf_counter(), time.process_time()
    while run.week < 520:
        run.step()
        if run.week % 4 == 0:
            recorder.record(run.people, run.week)
        if run.week % 52 == 0:
            run.turn_of_the_year()
            recorder.place(run.people)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(run.people.n, time.perf_counter() - wall, time.process_time() - cpu, peak)


def machine() -> str:
    """Return what figures depend on: processor, its cores, and the versions of Python, NumPy and Numba."""
    processor = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        processor = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), processor)
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in ("numpy", "numba", "mesa"))
    return f"{processor}, {os.cpu_count()} cores; Python {platform.python_version()}, {versions}"


def main() -> None:
    """Print the table, and keep it where asked."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--short", action="store_true", help="only what takes a minute: 20,000 people, no budget")
    parser.add_argument("--write", action="store_true", help=f"keep the figures in {RESULTS.name}")
    asked = parser.parse_args()
    print(machine(), flush=True)
    parts = [the_week(asked.short), around_the_week()] + ([] if asked.short else [the_budget(), whole_county()])
    rows = []
    for part in parts:
        for row in part:
            what, people, figure, unit = row
            print(f"{what:58s} {people:>10,} {figure:>10.3g} {unit}", flush=True)
            rows.append(row)
    if asked.write:
        with RESULTS.open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(("what", "people", "figure", "unit", "measured on"))
            table.writerows((what, people, f"{figure:.3g}", unit, machine()) for what, people, figure, unit in rows)
        print(f"kept in {RESULTS}")


if __name__ == "__main__":
    main()
