"""A comparison from settings to tables: plan the pairs, run what is missing, put the tables together."""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from movesim import __version__
from movesim.behaviour.parameters import fingerprint, fit_report, model_id, used_ledger
from movesim.config import shown
from movesim.draws import is_compiled
from movesim.errors import GuardError, InputError, MovesimError, did_you_mean, one_of
from movesim.experiments.engines import run_all
from movesim.experiments.replicate import BASELINE, Task, run_pair
from movesim.experiments.store import MANIFEST, Result, Study, save_table, write_part
from movesim.interventions.files import load_scenario
from movesim.interventions.targeting import strata_of
from movesim.outcomes.comparison import compare as compare_with_baseline
from movesim.outcomes.comparison import contributions
from movesim.outcomes.gaps import gaps
from movesim.place import load_place
from movesim.words import HEADLINE, WEEKS_A_YEAR

if TYPE_CHECKING:
    import pandas as pd

    from movesim.interventions.scenario import Scenario
    from movesim.place.population import Population
    from movesim.settings import StudySettings

DRIFT_ALLOWED = 0.003  # shares may move by 0.3 points over the last year of the burn-in
PACKAGES = ("mesa", "numpy", "numba", "pandas", "scipy", "pyarrow", "hydra-core", "matplotlib")


def study(settings: StudySettings) -> Result:
    """Run what a comparison asks for, or go on with it, and return its result folder.

    Raises InputError for settings that cannot be, GuardError when a check of the runs fails, MovesimError when a pair fails.
    """
    started = time.perf_counter()
    read = [load_scenario(name) for name in (BASELINE, *settings.scenarios)]
    scenarios = {scenario.name: scenario for scenario in read}  # a scenario given by the path of its file has the file's name
    if len(scenarios) < len(read):
        raise InputError(f"scenarios must be different from each other and from '{BASELINE}', which is always run.")
    used_ledger(settings.behaviour)  # an unknown number set by hand is refused before anything is made
    people = None if settings.people == "all" else int(settings.people)
    population = load_place(settings.place, people, settings.place_seed)
    areas = area_numbers(settings.areas, population)
    check_somebody_is_there(settings.areas, scenarios, population)
    identity = {
        **settings.identity(), "model": model_id(), "population": population.fingerprint,
        "scenario_contents": {name: fingerprint(s.contents) for name, s in scenarios.items()},
    }  # fmt: skip
    mark = fingerprint(identity)
    folder = settings.out or Path("outputs") / settings.command / f"{_short(settings.place)}-{mark[:8]}"
    plan = Study(folder, mark, identity)
    if plan.finished_with() == settings.replicates:
        return Result(folder, "already done")
    plan.start()
    _run_missing(plan, settings, areas, people)
    notes = plan.notes(settings.replicates)
    guards = _guards(notes)
    _assemble(plan, settings, scenarios, population, guards, time.perf_counter() - started)
    return Result(folder, "done")


def area_numbers(areas: tuple[str, ...], population: Population) -> tuple[int, ...]:
    """Return the indices of the named local authorities; raise InputError for one the place does not have."""
    known = {name.lower(): i for i, name in enumerate(population.local_authorities)}
    for area in areas:
        if area.lower() not in known:
            names = population.local_authorities
            raise InputError(
                f"areas: {population.title} has no local authority '{area}'.{did_you_mean(area, names)} "
                f"It has {one_of(names).replace(' or ', ' and ')}."
            )
    return tuple(sorted(known[a.lower()] for a in areas))


def check_somebody_is_there(areas: tuple[str, ...], scenarios: Mapping[str, Scenario], population: Population) -> None:
    """Raise InputError when none of the sampled people live in the areas, or where an intervention is delivered."""
    people, neighbourhoods, names = population.people, population.neighbourhoods, population.local_authorities
    authority = neighbourhoods["local_authority"]
    if areas and not np.isin(authority[people["neighbourhood"]], area_numbers(areas, population)).any():
        count = f"{people['id'].size:,}"
        raise InputError(f"areas: none of the {count} people live in {one_of(areas)}; take more people, or people=all.")
    residents = np.bincount(people["neighbourhood"], people["weight"], authority.size).astype(np.float64)
    for scenario in scenarios.values():
        central = scenario.ledger().central()
        for intervention in scenario.interventions:
            strata_of(intervention, central, neighbourhoods["imd_decile"], residents, authority, names)


def _short(place: str) -> str:
    return "".join(c if c.isalnum() or c in "-_" else "-" for c in place)


# --- running --------------------------------------------------------------------------------------------------------
def execute(task: Task) -> int:
    """Run a pair and write its part; what a worker process is asked to do."""
    done = run_pair(task)
    write_part(task.part, done["tables"], done["notes"])
    return task.replicate


def _run_missing(plan: Study, settings: StudySettings, areas: tuple[int, ...], people: int | None) -> None:
    missing = plan.missing(settings.replicates)
    tasks = [
        Task(
            i, settings.scenarios, settings.place, people, settings.place_seed, settings.seed, settings.years, settings.draws,
            settings.demography, areas, settings.behaviour, settings.record == "full", plan.part(i),
        )
        for i in missing
    ]  # fmt: skip
    if not tasks:
        return
    if min(settings.workers, len(tasks)) > 1:
        warm_up()
    failed: list[tuple[int, BaseException]] = []
    with progress(len(tasks), settings) as tell:
        for outcome in run_all(execute, tasks, min(settings.workers, len(tasks))):
            if isinstance(outcome.error, GuardError):
                raise outcome.error
            if outcome.error is not None:
                failed.append((outcome.task.replicate, outcome.error))
            tell()
    if failed:
        number, error = failed[0]
        raise MovesimError(
            f"{len(failed)} of {len(tasks)} pairs failed, the first of them pair {number} ({type(error).__name__}: {error}); "
            f"the others are kept in {shown(plan.folder)} and the same command tries the failed ones again."
        ) from error


def warm_up() -> None:
    """Compile the model once in this process when its cache is empty, so that workers find it on disk."""
    if is_compiled():
        return
    print("Compiling the model; this happens once.", file=sys.stderr)
    from movesim.behaviour.rules import References, behaviour_ledger, make_rules
    from movesim.behaviour.simulation import Simulation
    from movesim.outcomes.record import Recorder

    population = load_place("england", 1_000)
    simulation = Simulation(population, make_rules(behaviour_ledger().central()), References.first_guess())
    simulation.step(measure=True)
    Recorder(population.local_authorities).record(simulation.people, 0)


class progress:
    """A bar over pairs on a terminal, plain lines elsewhere, nothing when quiet."""

    def __init__(self, total: int, settings: StudySettings) -> None:
        self.total, self.done, self.quiet, self.started = total, 0, settings.quiet, time.perf_counter()
        self.bar: Any = None

    def __enter__(self) -> Any:
        if not self.quiet and sys.stderr.isatty():
            from tqdm import tqdm

            self.bar = tqdm(total=self.total, unit="pair", mininterval=1, file=sys.stderr, leave=False)
        elif not self.quiet:
            print(f"Running {self.total:,} pairs of runs.", file=sys.stderr, flush=True)
        return self._tell

    def _tell(self) -> None:
        self.done += 1
        if self.bar is not None:
            self.bar.update()
        elif not self.quiet and (self.done == self.total or self.done % max(1, self.total // 10) == 0):
            left = (time.perf_counter() - self.started) / self.done * (self.total - self.done)
            print(f"  {self.done:,} of {self.total:,} pairs done, about {left:,.0f} s left", file=sys.stderr, flush=True)

    def __exit__(self, *exception: object) -> None:
        if self.bar is not None:
            self.bar.close()


def _guards(notes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = [g for note in notes for g in note["guards"]]
    kept, seen = [], set()
    for guard in found:
        if (guard["name"], guard["detail"]) not in seen:
            seen.add((guard["name"], guard["detail"]))
            kept.append(guard)
    for group in sorted({g for note in notes for g in note["drift"]}):
        moved = np.array([note["drift"][group] for note in notes if group in note["drift"]])
        mean = moved.mean(axis=0)
        # with few people shares jump by chance: only what is beyond 0.3 points by more than its own error is a drift
        error = _error_of_mean(moved)
        passed = bool((np.abs(mean) - error <= DRIFT_ALLOWED).all())
        words = f"{group}: shares moved by {100 * np.abs(mean).max():.2f} points at most over the last year before week 0"
        if not passed:
            raise GuardError(f"The burn-in has not settled ({words}; 0.30 is allowed); numbers set by hand may leave no rest.")
        kept.append({"name": "burn-in has settled", "passed": passed, "detail": f"{words}, mean of {len(moved)} pairs"})
    return kept


def _error_of_mean(moved: np.ndarray) -> np.ndarray:
    """Return how far each column's mean may be from the truth in 999 of 1,000 cases (Student's t: two pairs tell little)."""
    from scipy.special import stdtrit

    pairs = len(moved)
    if pairs < 2:
        return np.full(moved.shape[1], np.inf)
    return stdtrit(pairs - 1, 0.9995) * moved.std(axis=0, ddof=1) / np.sqrt(pairs)


# --- putting together -----------------------------------------------------------------------------------------------
def _assemble(
    plan: Study, settings: StudySettings, scenarios: Mapping[str, Scenario], population: Population,
    guards: list[dict[str, Any]], seconds: float,
) -> None:  # fmt: skip
    n = settings.replicates
    outcomes = plan.read("outcomes", n)
    _check_numbers(outcomes)
    gap_table = with_adjusted(gaps(outcomes), plan.read("adjusted", n))
    tables = {
        "outcomes": outcomes,
        "gaps": gap_table,
        "comparison": compare_with_baseline(outcomes, gap_table, BASELINE),
        "contributions": contributions(plan.read("cross", n), BASELINE),
        "money": plan.read("money", n),
        "winners": plan.read("winners", n),
        "ladder": plan.read("ladder", n),
        "assumptions": _assumptions(settings, scenarios),
    }
    for name, frame in tables.items():
        save_table(frame, plan.folder / f"{name}.parquet")
    manifest = _manifest(plan, settings, scenarios, population, guards, tables["money"], seconds)
    _write_text(plan.folder / "config.yaml", _yaml(settings.to_dict()))
    _write_text(plan.folder / MANIFEST, json.dumps(manifest, indent=1, ensure_ascii=False, default=str))


def with_adjusted(gap_table: pd.DataFrame, adjusted: pd.DataFrame) -> pd.DataFrame:
    """Return the gaps with the headline gap of a closed cohort and at standard ages added as further measures."""
    import pandas as pd

    age_group, axis, outcome, _ = HEADLINE
    more = adjusted.dropna(subset="value").assign(window=WEEKS_A_YEAR, age_group=age_group, axis=axis, outcome=outcome)
    return pd.concat([gap_table, more[gap_table.columns]], ignore_index=True)


def _check_numbers(outcomes: pd.DataFrame) -> None:
    shares = outcomes[["inactive", "fairly_active", "active"]].to_numpy()
    if not np.isfinite(shares).all() or shares.min() < 0 or shares.max() > 1 + 1e-9 or np.abs(shares.sum(1) - 1).max() > 1e-6:
        raise GuardError("Some status shares are not numbers between 0 and 1 that sum to 1; this is a fault of the model.")


def _assumptions(settings: StudySettings, scenarios: Mapping[str, Scenario]) -> pd.DataFrame:
    import pandas as pd

    frames = [used_ledger(settings.behaviour).to_frame().assign(used_by="behaviour model")]
    frames += [s.ledger().to_frame().assign(used_by=s.name) for s in scenarios.values() if len(s.ledger())]
    both = pd.concat(frames, ignore_index=True)
    together = both.groupby("path", sort=False)["used_by"].agg(lambda names: ", ".join(dict.fromkeys(names)))
    return both.drop_duplicates("path").assign(used_by=lambda f: f["path"].map(together)).reset_index(drop=True)


def _manifest(
    plan: Study, settings: StudySettings, scenarios: Mapping[str, Scenario], population: Population,
    guards: list[dict[str, Any]], money: pd.DataFrame, seconds: float,
) -> dict[str, Any]:  # fmt: skip
    residents, agents = population.residents, int(population.people["id"].size)
    return {
        "movesim": __version__, "python": platform.python_version(),
        "packages": {name: metadata.version(name) for name in PACKAGES},
        "command": settings.command, "command_line": settings.command_line(),
        "created": datetime.now(UTC).replace(microsecond=0).isoformat(),
        "seed": settings.seed, "draws": "fitted ensemble" if settings.draws == "fitted" else "central",
        "replicates": settings.replicates, "years": settings.years, "start_year": settings.start_year,
        "demography": settings.demography, "areas": list(settings.areas),
        "place": {
            "name": population.name, "title": population.title, "agents": agents, "residents": residents,
            "neighbourhoods": int(population.neighbourhoods["code"].size), "notes": list(population.notes),
        },
        "scenarios": [_scenario_row(s, money, residents, settings) for s in scenarios.values()],
        "guards": guards, "fit": fit_report() or None, "seconds": round(seconds, 1),
        "fingerprint": plan.fingerprint, "model_id": model_id(), "data_hashes": {"population": population.fingerprint},
        "warnings": _warnings(settings, population),
    }  # fmt: skip


def _scenario_row(scenario: Scenario, money: pd.DataFrame, residents: float, settings: StudySettings) -> dict[str, Any]:
    spent, payers = 0.0, {}
    if len(money):
        mine = money[money["scenario"] == scenario.name]
        spent = float(mine["spent"].sum()) / settings.replicates / settings.years / residents
        payers = {str(k): float(v) / settings.replicates for k, v in mine.groupby("payer")["spent"].sum().items()}
    return {
        "name": scenario.name, "title": scenario.title, "summary": scenario.summary, "slogan": scenario.slogan,
        "pounds_per_resident_a_year": spent, "budget_text": budget_text(scenario), "payers": payers,
        "interventions": [i.title for i in scenario.interventions],
    }  # fmt: skip


def budget_text(scenario: Scenario) -> str:
    """Return the scenario's budget in words."""
    if scenario.budget is None:
        return "no new money"
    return f"£{scenario.numbers[scenario.budget].value:,.2f} per resident a year"


def _warnings(settings: StudySettings, population: Population) -> list[str]:
    out = []
    if settings.replicates < 20:
        out.append(f"Only {settings.replicates} paired runs: ranges are not shown under 20.")
    if settings.areas:
        chosen = area_numbers(settings.areas, population)
        here = np.isin(population.neighbourhoods["local_authority"][population.people["neighbourhood"]], chosen)
        out.append(f"Results are for {one_of(settings.areas).replace(' or ', ' and ')} alone: {int(here.sum()):,} agents.")
    if settings.draws == "fitted":
        from movesim.behaviour.parameters import ensemble

        rows = len(ensemble()[1])
        if settings.replicates > rows:
            out.append(
                f"The fitted ensemble has {rows} draws; {settings.replicates} pairs use them more than once with new seeds."
            )
    return out


def _yaml(data: dict[str, Any]) -> str:
    import yaml

    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True)


def _write_text(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, path)
