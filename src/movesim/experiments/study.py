"""A comparison from settings to tables: plan the pairs, run what is missing, put the tables together."""

from __future__ import annotations

import json
import platform
import sys
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from movesim import __version__
from movesim.behaviour.parameters import fingerprint, fit_report, model_id, used_ledger
from movesim.config import shown
from movesim.draws import is_compiled
from movesim.errors import GuardError, InputError, did_you_mean, one_of
from movesim.experiments import parts, questions, shares
from movesim.experiments.engines import Engine, engine_of
from movesim.experiments.estimate import seconds_a_pair, seconds_a_week, seconds_of_studies
from movesim.experiments.keys import Keys, libraries, source_of
from movesim.experiments.parts import add_up, in_figures, part_jobs, parts_in_words, run_part
from movesim.experiments.precision import Goal, Verdict, saved_by_common_draws, until_precise
from movesim.experiments.replicate import BASELINE, Task, run_pair, with_numbers
from movesim.experiments.runner import Job, Work, do_missing, in_words
from movesim.experiments.runs import write_whole
from movesim.experiments.store import MANIFEST, Result, Study, save_table
from movesim.interventions.files import list_scenarios, load_scenario
from movesim.interventions.learning import footprint
from movesim.interventions.shocks import load_shock
from movesim.interventions.targeting import strata_of
from movesim.outcomes.comparison import compare as compare_with_baseline
from movesim.outcomes.comparison import contributions
from movesim.outcomes.gaps import gaps
from movesim.place import load_place
from movesim.place.parts import sizes
from movesim.result_tables import RESULT_TABLES
from movesim.words import HEADLINE, WEEKS_A_YEAR

if TYPE_CHECKING:
    import pandas as pd

    from movesim.interventions.scenario import Scenario
    from movesim.interventions.shocks import Shock
    from movesim.place.population import Population
    from movesim.settings import SensitivitySettings, Settings, StudySettings, SweepSettings

DRIFT_ALLOWED = 0.003  # shares may move by 0.3 points over the last year of the burn-in
PACKAGES = ("mesa", "numpy", "numba", "pandas", "scipy", "pyarrow", "hydra-core", "matplotlib")


@dataclass(frozen=True)
class Prepared:
    """What a study's settings mean: scenarios read and checked, people made, and what makes a run of it another run."""

    settings: StudySettings | SweepSettings | SensitivitySettings
    scenarios: dict[str, Scenario]
    population: Population
    areas: tuple[int, ...]
    identity: dict[str, Any]
    parts: tuple[int, ...] = ()  # authorities that are runs of their own, largest first; none: the place is run as a whole
    shocks: tuple[Shock, ...] = ()

    @property
    def threads(self) -> int:
        """Threads of one run: processors of this computer that would stand idle because there are fewer pairs."""
        s = self.settings
        if s.engine != "local" or getattr(s, "precision", None) is not None or not hasattr(s, "precision"):
            return 1  # elsewhere, or more runs than pairs
        return max(1, s.workers // (s.replicates * max(1, len(self.parts))))

    def task(
        self, replicate: int, numbers: Mapping[str, float] = MappingProxyType({}), placebo: bool | None = None,
        part: int | None = None,
    ) -> Task:  # fmt: skip
        """Return a pair, or a part of it, as a worker needs it; `numbers` are a design's, of the model or of scenarios."""
        s = self.settings
        mine = {path: value for path, value in numbers.items() if path.startswith(("scenarios.", "shocks."))}
        behaviour = {path.removeprefix("behaviour."): value for path, value in numbers.items() if path not in mine}
        read, shocks = with_all_numbers(self.scenarios, self.shocks, mine)
        return Task(
            replicate, tuple(name for name in self.scenarios if name != BASELINE), s.place, people_of(s), s.place_seed, s.seed,
            s.years, s.draws, s.demography, self.areas, {**s.behaviour, **behaviour}, s.record == "full", placebo, read,
            self.population.fingerprint, model_id(), s.record == "yearly", self.threads, part, shocks,
        )  # fmt: skip


def people_of(settings: Any) -> int | None:
    """Return how many people are sampled, None for all."""
    return None if settings.people == "all" else int(settings.people)


def prepare(settings: StudySettings | SweepSettings | SensitivitySettings) -> Prepared:
    """Read and check everything a study needs; raise InputError for what cannot be."""
    wanted = settings.scenarios
    if wanted == ("all",):
        wanted = tuple(name for name in list_scenarios() if name != BASELINE)
    read = [load_scenario(name) for name in (BASELINE, *wanted)]
    scenarios = {scenario.name: scenario for scenario in read}  # a scenario given by the path of its file has the file's name
    if len(scenarios) < len(read):
        raise InputError(f"scenarios must be different from each other and from '{BASELINE}', which is always run.")
    used_ledger(settings.behaviour)  # an unknown number set by hand is refused before anything is made
    given = [load_shock(name) for name in settings.shocks]
    changed, shocks = with_all_numbers(scenarios, given, settings.numbers)
    scenarios = {s.name: s for s in changed}
    population = load_place(settings.place, people_of(settings), settings.place_seed)
    areas = area_numbers(settings.areas, population)
    check_somebody_is_there(settings.areas, scenarios, population)
    identity = {
        **settings.identity(), "sources": model_id(), "libraries": libraries(), "population": population.fingerprint,
        "scenario_contents": {name: fingerprint(s.contents) for name, s in scenarios.items()},
        "shock_contents": {shock.name: fingerprint(shock.contents) for shock in shocks},
    }  # fmt: skip
    found: tuple[int, ...] = ()
    if getattr(settings, "split", "whole") == "authorities":
        if learning := next((name for name, s in scenarios.items() if s.rules), None):
            raise InputError(f"The rules of '{learning}' look at the whole place; run it without split=authorities.")
        people = sizes(population)
        found = tuple(int(a) for a in np.argsort(-people, kind="stable") if people[a] > 0)
        identity["split"] = ["authorities", source_of(str(parts.__file__)), source_of(str(shares.__file__))]
    return Prepared(settings, scenarios, population, areas, identity, found, shocks)


def with_all_numbers(
    scenarios: Mapping[str, Scenario], shocks: Sequence[Shock], numbers: Mapping[str, float]
) -> tuple[tuple[Scenario, ...], tuple[Shock, ...]]:
    """Return scenarios and shocks with numbers set by hand; raise InputError for a number that none of them has."""
    if len({shock.name for shock in shocks}) < len(shocks):
        raise InputError("shocks must be different from each other.")
    everything: dict[str, Any] = {**scenarios, **{f"shocks/{shock.name}": shock for shock in shocks}}
    changed: tuple[Any, ...] = with_numbers(everything, numbers)
    return changed[: len(scenarios)], changed[len(scenarios) :]


def study(settings: StudySettings) -> Result:
    """Run what a comparison asks for, or go on with it, and return its result folder.

    Raises InputError for settings that cannot be, GuardError when a check of the runs fails, MovesimError when a pair fails.
    """
    started = time.perf_counter()
    ready = prepare(settings)
    goal = Goal.of(settings, ready.scenarios) if settings.precision is not None else None
    mark = fingerprint(ready.identity)
    folder = settings.out or Path("outputs") / settings.command / f"{short(settings.place)}-{mark[:8]}"
    plan, keys = Study(folder, mark, ready.identity), Keys(ready.identity)
    if settings.dry_run:
        more = questions.how_many(ready, questions.asked(settings))
        result = dry_run(plan, ready, [keys.key(i) for i in range(settings.replicates)])
        if more:
            print(f"Then {more:,} further runs a pair for {' and '.join(f'{each}=true' for each in questions.asked(settings))}.")
        return result
    if plan.finished_with() == settings.replicates and goal is None and questions.answered(plan, settings):
        return Result(folder, "already done")
    plan.start()
    if ready.parts and not settings.quiet:
        print(parts_in_words(ready), file=sys.stderr, flush=True)
    pairs, verdict = settings.replicates, None
    with closing(engine_of(settings)) as engine:
        if goal is None:
            left = len(_run(plan, ready, keys, range(pairs), engine))
        else:
            pairs, verdict = until_precise(
                goal, settings,
                lambda some, until: min(_run(plan, ready, keys, some, engine, until), default=some.stop),
                lambda n: plan.read("outcomes", [keys.key(i) for i in range(n)]),
            )  # fmt: skip
            left = 0
            same = plan.finished_with() == pairs and Result(folder).manifest.get("precision") == verdict.to_dict()
            if same and questions.answered(plan, settings):
                return Result(folder, "already done")
        later = [] if left else questions.ask(plan, ready, questions.asked(settings), range(pairs), engine)
    if later:
        return Result(folder, f"part {settings.shard} done, {len(later):,} further runs of other parts are not finished yet")
    if left:
        return Result(folder, f"part {settings.shard} done, {left:,} pairs of other parts are not finished yet")
    made_of = [keys.key(i) for i in range(pairs)]
    notes = plan.runs.notes(made_of)
    guards = guards_of(notes)
    _assemble(plan, ready, made_of, guards, time.perf_counter() - started, verdict)
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
        by_name = {intervention.name: intervention for intervention in scenario.interventions}
        for rule in scenario.rules:
            footprint(rule, by_name[rule.pilot], central, neighbourhoods, residents, names)


def short(place: str) -> str:
    """Return a place's name as it can stand in the name of a folder."""
    return "".join(c if c.isalnum() or c in "-_" else "-" for c in place)


# --- running --------------------------------------------------------------------------------------------------------
def pair(task: Task) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Run a pair and return its tables and notes; what a worker process is asked to do."""
    done = run_pair(task)
    return done["tables"], done["notes"]


def _run(plan: Study, ready: Prepared, keys: Keys, pairs: Iterable[int], engine: Engine, until: float | None = None) -> list[int]:
    """Run those of the pairs that are missing and return which are not finished (other shards, no time left)."""
    settings, numbers = ready.settings, list(pairs)
    named, what = [keys.key(i) for i in numbers], "pairs"
    work: Work = pair
    jobs = [Job(key, ready.task(i), {"pair": i}) for key, i in zip(named, numbers, strict=True)]
    if ready.parts:
        work, what, kept = run_part, "parts of pairs", plan.runs.done()
        jobs = [job for key, i in zip(named, numbers, strict=True) if key not in kept for job in part_jobs(ready, keys, i)]
    warm_up()
    tally = do_missing(
        plan.runs, work, jobs, len(jobs), engine, what=what, quiet=settings.quiet, fail_fast=settings.fail_fast,
        limit=settings.seconds_a_run, shard=settings.part, until=until,
    )  # fmt: skip
    tally.refuse_failures(plan.runs, what)
    if ready.parts:
        add_up(plan, ready, keys, numbers)
    done = plan.runs.done()
    return [i for i, key in zip(numbers, named, strict=True) if key not in done]


def dry_run(plan: Study, ready: Prepared, keys: Sequence[str], swept: Collection[str] = (), points: int = 1) -> Result:
    """Say what would be run and how long it would take."""
    print(planned(plan, ready, keys, swept, points))
    return Result(plan.folder, "planned")


def planned(plan: Study, ready: Prepared, keys: Sequence[str], swept: Collection[str] = (), points: int = 1) -> str:
    """Return how many runs there are, how many are left and about how long they take, in a sentence or two."""
    warm_up()
    kept, settings, week = plan.runs.done(), ready.settings, seconds_a_week(ready)
    left = sum(key not in kept for key in keys)
    at_once = max(1, settings.workers)
    runs = f"{len(keys):,} pairs ({len(ready.scenarios) * len(keys):,} runs of {len(ready.population):,} people over "
    known = f"about {in_words(seconds_a_pair(ready, week) * left / at_once)} with {at_once} at a time"
    studies = seconds_of_studies(ready, week, swept, points) / at_once if left else 0.0
    more = f", and up to {in_words(studies)} more for re-running studies that were not re-run before" if studies > 1 else ""
    return f"{runs}{settings.years} years), {left:,} to do: {known}{more}. Results go to {shown(plan.folder)}"


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


def guards_of(notes: list[dict[str, Any]], strict: bool = True) -> list[dict[str, Any]]:
    """Return the guards of all pairs, each once, and whether the burn-in has settled; raise GuardError when not and `strict`."""
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
        if not passed and strict:
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
    plan: Study, ready: Prepared, n: Sequence[str], guards: list[dict[str, Any]], seconds: float, verdict: Verdict | None,
) -> None:  # fmt: skip
    settings, scenarios = cast("StudySettings", ready.settings), ready.scenarios
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
        "rules": rules_table(plan.read("rules", n)),
        "assumptions": questions.with_worth(assumptions(settings, scenarios, ready.shocks)),
    }
    asked = questions.asked(settings)
    tables |= questions.tables_of(plan, ready, asked, range(len(n)), outcomes, tables["money"])
    for name, frame in tables.items():
        save_table(frame, plan.folder / f"{name}.parquet")
    manifest = manifest_of(plan, ready, len(n), guards, tables["money"], seconds)
    if verdict is not None:
        manifest["precision"] = verdict.to_dict()
    manifest["questions"] = list(asked)
    manifest["common_draws"] = saved_by_common_draws(gap_table)
    write_down(plan.folder, settings, manifest)


def write_down(folder: Path, settings: Settings, manifest: Mapping[str, Any]) -> None:
    """Write the settings and, last of all, the manifest: a folder that has one is finished."""
    write_whole(folder / "config.yaml", _yaml(settings.to_dict()).encode())
    write_whole(folder / MANIFEST, json.dumps(manifest, indent=1, ensure_ascii=False, default=str).encode())


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


def rules_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the table of what rules decided, with its columns where no rule has decided anything."""
    import pandas as pd

    return frame if len(frame.columns) else pd.DataFrame({c.name: pd.Series(dtype=c.dtype) for c in RESULT_TABLES["rules"][1]})


def assumptions(settings: Any, scenarios: Mapping[str, Scenario], shocks: Sequence[Shock] = ()) -> pd.DataFrame:
    import pandas as pd

    frames = [used_ledger(settings.behaviour).to_frame().assign(used_by="behaviour model")]
    used: list[Scenario | Shock] = [*scenarios.values(), *shocks]
    frames += [s.ledger().to_frame().assign(used_by=s.name) for s in used if len(s.ledger())]
    both = pd.concat(frames, ignore_index=True)
    together = both.groupby("path", sort=False)["used_by"].agg(lambda names: ", ".join(dict.fromkeys(names)))
    return both.drop_duplicates("path").assign(used_by=lambda f: f["path"].map(together)).reset_index(drop=True)


def manifest_of(
    plan: Study, ready: Prepared, pairs: int, guards: list[dict[str, Any]], money: pd.DataFrame, seconds: float,
) -> dict[str, Any]:  # fmt: skip
    """Return what made a result: versions, seed, place, scenarios, guards, time."""
    settings, scenarios, population = ready.settings, ready.scenarios, ready.population
    residents, agents = population.residents, int(population.people["id"].size)
    return {
        "movesim": __version__, "python": platform.python_version(),
        "packages": {name: metadata.version(name) for name in PACKAGES},
        "command": settings.command, "command_line": settings.command_line(),
        "created": datetime.now(UTC).replace(microsecond=0).isoformat(),
        "seed": settings.seed, "draws": "fitted ensemble" if settings.draws == "fitted" else "central",
        "replicates": pairs, "years": settings.years, "start_year": settings.start_year,
        "demography": settings.demography, "areas": list(settings.areas),
        "shocks": [{"name": s.name, "title": s.title, "summary": s.summary} for s in ready.shocks],
        "place": {
            "name": population.name, "title": population.title, "agents": agents, "residents": residents,
            "neighbourhoods": int(population.neighbourhoods["code"].size), "notes": list(population.notes),
        },
        "scenarios": [_scenario_row(s, money, residents, settings, pairs) for s in scenarios.values()],
        **({"split": in_figures(ready)} if ready.parts else {}),
        "guards": guards, "fit": fit_report() or None, "seconds": round(seconds, 1),
        "fingerprint": plan.fingerprint, "model_id": model_id(), "data_hashes": {"population": population.fingerprint},
        "warnings": [*_warnings(settings, population, pairs), *([parts_in_words(ready)] if ready.parts else [])],
    }  # fmt: skip


def _scenario_row(scenario: Scenario, money: pd.DataFrame, residents: float, settings: Any, pairs: int) -> dict[str, Any]:
    spent, payers = 0.0, {}
    if len(money):
        mine = money[money["scenario"] == scenario.name]
        spent = float(mine["spent"].sum()) / pairs / settings.years / residents
        payers = {str(k): float(v) / pairs for k, v in mine.groupby("payer")["spent"].sum().items()}
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


def _warnings(settings: Any, population: Population, pairs: int) -> list[str]:
    out = []
    if pairs < 20:
        out.append(f"Only {pairs} paired runs: ranges are not shown under 20.")
    if settings.areas:
        chosen = area_numbers(settings.areas, population)
        here = np.isin(population.neighbourhoods["local_authority"][population.people["neighbourhood"]], chosen)
        out.append(f"Results are for {one_of(settings.areas).replace(' or ', ' and ')} alone: {int(here.sum()):,} agents.")
    if settings.draws == "fitted":
        from movesim.behaviour.parameters import ensemble

        rows = len(ensemble()[1])
        if pairs > rows:
            out.append(f"The fitted ensemble has {rows} draws; {pairs} pairs use them more than once with new seeds.")
    return out


def _yaml(data: dict[str, Any]) -> str:
    import yaml

    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True)
