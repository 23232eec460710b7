"""Measure a sensitivity analysis: `python -m benchmarks.sensitivity` (add --study morris or --study sobol for the whole thing).

Prints what a run costs in processor seconds by what changed since the run before (nothing of the model, a number that its
study is re-run for, the model itself), and from that what two studies would take: Morris on 40 factors with 20 trajectories of
20,000 people, and Sobol' on 12 factors and the seed with 8 scrambles of 64 points of 5,000 people, over ten years on two cores.
With --study it runs the study itself and prints what it took. Figures of one machine at one moment.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import movesim
from movesim.experiments.keys import Keys
from movesim.experiments.sensitivity.carry_out import rows_of_sample
from movesim.experiments.sensitivity.factors import factors_of
from movesim.experiments.sensitivity.planned import shared
from movesim.experiments.sensitivity.samples import make
from movesim.experiments.sensitivity.work import point_of, run_point
from movesim.experiments.study import Prepared, prepare
from movesim.experiments.sweep import ledger_of
from movesim.settings import SensitivitySettings

CORES = 2
SCENARIO = "community_leaders"
# Morris: the fitted ensemble, every uncertain number of the scenario, and judgements of the model: 40 in all
JUDGED = (
    "behaviour.motivation.reflective", "behaviour.motivation.habit", "behaviour.habit.gain", "behaviour.habit.loss",
    "behaviour.opportunity.peers", "behaviour.opportunity.social_rate", "behaviour.intention.rate", "behaviour.intention.norms",
    "behaviour.minutes.displacement", "behaviour.capability.fitness_rate", "behaviour.motivation.taste_memory",
)  # fmt: skip
# Sobol': what a screening is likely to hand on, the fitted ensemble among them
TWELVE = (
    "fitted", "scenarios.baseline.programmes.optimism", *(f"scenarios.{SCENARIO}.{name}" for name in (
        "effect", "ratio", "ladder.offered", "ladder.taken_up", "ladder.adhering", "habit_share", "half_life_weeks",
        "workforce.fte_per_1000", "capacity.starts_per_fte", "costs.participant.pounds",
    )),
)  # fmt: skip
STUDIES = {"morris": (20_000, ("fitted", "scenarios", *JUDGED), 1, 20), "sobol": (5_000, TWELVE, 64, 8)}


def least(some: Callable[[int], float], times: int) -> float:
    """Return the least processor time of several calls."""
    return min(some(k) for k in range(times))


def cost(ready: Prepared, numbers: Callable[[int], dict[str, float]], seed: Callable[[int], int], times: int) -> float:
    """Return processor seconds of a run whose numbers and seed change so from call to call."""

    def one(k: int) -> float:
        point = point_of(ready, seed(k), numbers(k), "f" * 32, ("imd_decile",))
        start = time.process_time()
        run_point(point)
        return time.process_time() - start

    one(-1)
    return least(one, times)


def projected(study: str, times: int) -> None:
    """Print what runs cost, how many of each kind a study has, and what it would take."""
    people, names, n, blocks = STUDIES[study]
    settings = SensitivitySettings(scenario=SCENARIO, people=people, factors=names, workers=CORES, quiet=True)
    ready = prepare(settings)
    factors = factors_of(names, ledger_of(ready), 30, {})
    effect, offered, gain = f"scenarios.{SCENARIO}.effect", f"scenarios.{SCENARIO}.ladder.offered", "behaviour.habit.gain"
    fresh = time.time() % 1e-3  # so that no study is in the cache already
    kinds = {
        "the scenario alone": cost(ready, lambda k: {offered: 0.3 + k / 100}, lambda k: 1, times),
        "the seed": cost(ready, lambda k: {offered: 0.3}, lambda k: 10 + k, times),
        "a number its study is re-run for": cost(ready, lambda k: {effect: 25 + k + fresh}, lambda k: 1, times),
        "the model": cost(ready, lambda k: {gain: 0.1 + k / 100 + fresh}, lambda k: 1, times),
    }
    for what, seconds in kinds.items():
        print(
            f"{study}: a pair of {people:,} people over 10 years when what changed is {what}: {seconds:.2f} s of processor",
            flush=True,
        )
    sample = make(study, factors, n, blocks, 1)
    rows = rows_of_sample(sample, factors, Keys({}))
    central = {p for s in ready.scenarios.values() for i in s.interventions for p in i.study_values(s.ledger().central())}
    both = set(shared(factors))
    pasts: Counter[tuple[float, ...]] = Counter()
    studies, models = set(), set()
    different = {key: k for k, key in enumerate(rows.keys)}.values()
    for numbers, seed in ((rows.numbers[k], rows.seeds[k]) for k in different):
        given = sorted(numbers.items())
        model = tuple(v for name, v in given if name in both and not name.startswith("scenarios."))
        pasts[(seed, *(v for name, v in given if name in both))] += 1
        studies.add((model, *(v for name, v in given if name in central)))
        models.add(model)
    settled = kinds["the seed"] - kinds["the scenario alone"]
    rerun = kinds["a number its study is re-run for"] - kinds["the scenario alone"]
    renewed = max(0.0, kinds["the model"] - kinds["the seed"] - rerun)
    # a past is settled by each process that has rows of it: by all of them, at the worst
    total = len(different) * kinds["the scenario alone"] + sum(min(CORES, n) for n in pasts.values()) * settled
    total += len(studies) * rerun + len(models) * renewed
    print(
        f"{study} of {len(factors) - 1} factors: {len(set(rows.keys)):,} runs, {len(pasts):,} pasts, {len(studies):,} re-run "
        f"studies, {len(models):,} models; projected {total / CORES / 60:.0f} min on {CORES} cores", flush=True,
    )  # fmt: skip


def whole(study: str) -> None:
    """Run a study and print what it took by the clock."""
    people, names, n, blocks = STUDIES[study]
    sizes = {"trajectories": blocks} if study == "morris" else {"n": n, "scrambles": blocks}
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        result = movesim.sensitivity(
            scenario=SCENARIO, method=study, people=people, factors=names, workers=CORES, report=False,
            out=Path(folder) / study, **sizes,
        )  # fmt: skip
        took = time.perf_counter() - start
        found = result.manifest["analyses"][study]
        verdict = found["outcomes"]["imd_decile"]["verdict"]["sentence"]
        print(f"{study}: {found['runs']:,} runs of {people:,} people in {took / 60:.1f} min; {verdict}")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sensitivity", description=__doc__)
    parser.add_argument("--study", choices=list(STUDIES), help="run this study in full")
    parser.add_argument("--only", choices=list(STUDIES), help="project this study alone")
    parser.add_argument("--times", type=int, default=3, help="runs of each kind, of which the least counts")
    asked = parser.parse_args()
    if asked.study:
        whole(asked.study)
    else:
        for study in [asked.only] if asked.only else STUDIES:
            projected(study, asked.times)


if __name__ == "__main__":
    main()
