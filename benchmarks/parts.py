"""Measure a place by parts and simulate all of England: `python -m benchmarks.parts [NAME] [--cores 1000]`.

With the name of a place, prints what it costs beyond the runs themselves to run it authority by authority (processor time).
Then prints a SIMULATED schedule: every authority of England in every pair as one task, given to cores longest first. Task
lengths follow from person-weeks times the cost that was measured for one (benchmarks/results.csv); nothing of it was run.
"""

from __future__ import annotations

import argparse
import csv
import heapq
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import NormalDist

import numpy as np

from movesim.experiments.parts import added_up, counts
from movesim.experiments.replicate import Task
from movesim.experiments.runs import pack, unpack
from movesim.outcomes.record import Recorder
from movesim.place import load_place
from movesim.place.parts import cut, part_of, sizes
from movesim.words import BURN_IN_WEEKS, RECORD_EVERY, WEEKS_A_YEAR

RESIDENTS, AUTHORITIES = 56_490_046, 309  # Census 2021 (evidence S001); lower-tier authorities
LARGEST = 1_144_900  # residents of Birmingham, Census 2021 (general knowledge)
RESULTS = Path(__file__).with_name("results.csv")
OVERHEAD = 2.0  # processor seconds of a task beyond its person-weeks and those that grow with people (see measured)


def cost_of_a_person_week(plans: int) -> float:
    """Return the nanoseconds of one person's week: ten years of 2.4 million people with demography and recording, measured."""
    with RESULTS.open(encoding="utf-8", newline="") as file:
        rows = {row["what"]: row for row in csv.DictReader(file)}
    whole = rows["the same, processor"]
    plain = 1e9 * float(whole["figure"]) / (float(whole["people"]) * 10 * WEEKS_A_YEAR)
    added = float(rows["interventions on: 1, added to a week"]["figure"])
    return plain + added * plans / (plans + 1)  # no change has none


def england(authorities: int = AUTHORITIES) -> np.ndarray:
    """Return residents of every authority: lognormal quantiles with the nation's total and its largest authority.

    Three numbers are known (residents, authorities, the largest) and fix it: who has which size is not.
    """
    z = np.array([NormalDist().inv_cdf((k + 0.5) / authorities) for k in range(authorities)])
    low, high = 0.0, 3.0
    for _ in range(60):
        spread = (low + high) / 2
        size = np.exp(spread * z)
        size *= RESIDENTS / size.sum()
        low, high = (spread, high) if size.max() < LARGEST else (low, spread)
    return np.sort(size)[::-1]


def makespan(lengths: Iterable[float], cores: int) -> float:
    """Return when the last core is done that is given the longest task left whenever it is free (Graham 1969)."""
    free = [0.0] * cores
    for length in sorted(lengths, reverse=True):
        heapq.heapreplace(free, free[0] + length)
    return max(free)


def simulated(pairs: int, plans: int, years: int, cores: Iterable[int], overhead: float) -> None:
    """Print the table."""
    weeks = BURN_IN_WEEKS + (plans + 1) * years * WEEKS_A_YEAR
    cost = cost_of_a_person_week(plans)
    sizes_ = england()
    each = sizes_ * weeks * cost * 1e-9 + overhead
    tasks = np.tile(each, pairs)
    print(
        f"SIMULATED, not run: {pairs} pairs of no change and {plans} plans over {years} years, {RESIDENTS:,} residents of England"
    )
    print(f"{AUTHORITIES} authorities of {sizes_[-1]:,.0f} to {sizes_[0]:,.0f} residents, middle {np.median(sizes_):,.0f}")
    print(
        f"{len(tasks):,} tasks of {tasks.min():.0f} to {tasks.max():.0f} s: {cost:.0f} ns a person-week, {overhead:.0f} s a task"
    )
    print(f"{tasks.sum() / 3600:,.0f} core-hours; one pair as a whole on one core: {each.sum() / 3600:.1f} hours")
    print("cores | by the clock | times one core | busy | no schedule can beat")
    for number in cores:
        took = makespan(tasks, number)
        bound = max(tasks.sum() / number, tasks.max())
        print(f"{number:,} | {took / 60:,.1f} min | {tasks.sum() / took:,.0f} | {100 * tasks.sum() / took / number:.0f}% | "
              f"{bound / 60:,.1f} min")  # fmt: skip


def fastest(work: Callable[[], object], times: int = 3) -> float:
    """Return the least processor seconds of some tries."""
    took = []
    for _ in range(times):
        start = time.process_time()
        work()
        took.append(time.process_time() - start)
    return min(took)


def measured(name: str) -> None:
    """Print what a run by parts costs beyond the runs: counting ties, cutting, writing counts, adding them up."""
    place = load_place(name, None)
    people = sizes(place)
    found = cut(place)
    kinds = ", ".join(f"{kind} {100 * share:.1f}%" for kind, share in found.by_kind.items())
    print(
        f"measured: {len(place):,} people in {(people > 0).sum()} authorities; {100 * found.share:.2f}% of ties are cut ({kinds})"
    )
    print(f"measured: counting what is cut: {fastest(lambda: cut(place)):.2f} s")
    for a in (int(people.argmax()), int(np.where(people > 0, people, people.max() + 1).argmin())):
        took = fastest(lambda a=a: part_of(place, a))
        print(f"measured: cutting out {people[a]:,} people: {took:.2f} s, {1e6 * took / people[a]:.2f} s a million")
    # Counts as full as a large authority's: every cell of its own authority is somebody's.
    weeks = list(range(-2 * WEEKS_A_YEAR + RECORD_EVERY, 10 * WEEKS_A_YEAR + 1, RECORD_EVERY))
    recorder = Recorder(place.local_authorities, (), weeks)
    recorder.sums = [[np.zeros((*s, 12)) for s in recorder.sizes] for _ in weeks]
    random = np.random.default_rng(1)
    for tables in recorder.sums:
        tables[0][:, 0] = random.integers(1, 1000, tables[0][:, 0].shape)
        for table in tables[1:]:
            table[:] = random.integers(0, 1000, table.shape) * (random.random((*table.shape[:-1], 1)) < 0.6)
        for table in tables:
            table[..., 5:] *= random.random(table[..., 5:].shape)  # minutes are no whole numbers
    frame = counts("baseline", recorder, False)
    writing = fastest(lambda: pack({"part_counts": counts("baseline", recorder, False)}, {}))
    notes = {"guards": [], "weeks": weeks, "residents": {"baseline": 1.0}}
    data = pack({"part_counts": frame}, notes)
    task = Task(0, (), name, None, 1, 1, 10, "central", True)
    number = int((people > 0).sum())
    adding = fastest(lambda: added_up((unpack(data) for _ in range(number)), task, place.local_authorities), 1)
    print(f"measured: a part's counts of one run, ten years: {len(data) / 1e6:.2f} MB, written in {writing:.2f} s")
    print(f"measured: those of {number} parts added up and made tables of: {adding:.1f} s")


def main() -> None:
    """Print what is measured, where a place is named, and the schedule."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.parts", description=__doc__)
    parser.add_argument("name", nargs="?", help="a place whose parts are measured")
    parser.add_argument("--cores", type=int, nargs="*", default=[1, 16, 64, 256, 1_000])
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--plans", type=int, default=4)
    parser.add_argument("--years", type=int, default=10)
    parser.add_argument("--overhead", type=float, default=OVERHEAD, help="seconds of a task beyond its person-weeks")
    asked = parser.parse_args()
    if asked.name:
        measured(asked.name)
    simulated(asked.pairs, asked.plans, asked.years, asked.cores, asked.overhead)


if __name__ == "__main__":
    main()
