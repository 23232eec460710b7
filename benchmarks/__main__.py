"""Measure the compiled week: `python -m benchmarks` (add --short for the sizes that take seconds).

Prints nanoseconds of processor time a person-week (best of several), for the compiled model at growing sizes and beside the
plain reference model on Mesa in the same process, and bytes a person. Figures of one machine at one moment: ratios travel
better than nanoseconds.
"""

from __future__ import annotations

import argparse
import platform
import time

import numpy as np

from movesim.behaviour.people import People
from movesim.behaviour.rules import References, behaviour_ledger, make_rules
from movesim.behaviour.simulation import Simulation
from movesim.place import load_place

PLACE = "nottinghamshire_derbyshire"


def settled(people: int | None, weeks: int = 8) -> Simulation:
    """Return a run of the built-in place after a few weeks, with the ledger's central numbers."""
    simulation = Simulation(load_place(PLACE, people), make_rules(behaviour_ledger().central()), References.first_guess())
    for _ in range(weeks):
        simulation.step()
    return simulation


def best(step: object, times: int) -> float:
    """Return the least processor time of several calls, in seconds."""
    least = np.inf
    for _ in range(times):
        start = time.process_time()
        step()  # type: ignore[operator]
        least = min(least, time.process_time() - start)
    return float(least)


def bytes_a_person(people: People) -> float:
    """Return the bytes of all of the people's columns, by person."""
    held = [*people.columns.values(), *people.floats.values(), people.ties, people.tie_kind, people.alive]
    held += [people.active_before, people.active_now, people.degree, people.band, people.id_low, people.id_high]
    return sum(a.nbytes for a in held) / people.n


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--short", action="store_true", help="leave out sizes above 20,000 people")
    short = parser.parse_args().short
    print(f"{platform.machine()}, Python {platform.python_version()}, NumPy {np.__version__}")
    print(f"{'what':42s} {'people':>10s} {'ns a person-week':>17s}")
    compiled = np.nan
    for size in (20_000,) if short else (20_000, 200_000, None):
        simulation = settled(size)
        n = simulation.people.n
        took = best(simulation.step, 20 if n < 1e6 else 5) / n * 1e9
        compiled = took if size == 20_000 else compiled
        print(f"{'compiled week':42s} {n:>10,} {took:>17.1f}   {bytes_a_person(simulation.people):.0f} bytes a person")
    from movesim.behaviour.reference import ReferenceModel

    small = settled(1_000)
    reference = ReferenceModel.of(small)
    took = best(reference.step, 3) / small.people.n * 1e9
    what = "reference model, one object a person, Mesa"
    print(f"{what:42s} {small.people.n:>10,} {took:>17.1f}   {took / compiled:,.0f} times the compiled week")


if __name__ == "__main__":
    main()
