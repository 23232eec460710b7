"""One pair of a validation: England to week 0 and on, and the place to week 0, asked every question of the scorecard."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from movesim.behaviour.demography import Demography, spare_rows
from movesim.behaviour.parameters import CENTRAL, draw_number, references_for, rules_and_references
from movesim.behaviour.rules import References, Rules, behaviour_ledger, make_rules
from movesim.behaviour.simulation import Simulation
from movesim.errors import InputError
from movesim.experiments.moments import to_week_0, years_later
from movesim.experiments.observe import ESTIMATORS
from movesim.experiments.replicate import BASELINE, with_numbers
from movesim.interventions.files import load_scenario
from movesim.place import load_place
from movesim.settings import ValidateSettings

if TYPE_CHECKING:
    import pandas as pd

ENGLAND, ENGLAND_PEOPLE = "england", 20_000


@dataclass(frozen=True)
class Task:
    """What a pair needs to know: the settings, its number, and the questions by name."""

    settings: ValidateSettings
    replicate: int
    rows: tuple[tuple[str, Any], ...]


@lru_cache(maxsize=2)
def draws_of(path: Path) -> pd.DataFrame:
    """Return the draws of another ensemble, one row a draw; raise InputError when the file is not one."""
    import pandas as pd

    try:
        frame = pd.read_parquet(path).set_index("draw")
    except (OSError, KeyError, ValueError) as error:
        raise InputError(f"{path} is not a file of draws ({error}); one is made by: movesim calibrate method=posterior") from None
    missing = [name for name in behaviour_ledger() if name not in frame.columns]
    if missing:
        raise InputError(f"{path} lacks '{missing[0]}'; make it again with: movesim calibrate method=posterior")
    return frame[frame.index != CENTRAL]


def _numbers(settings: ValidateSettings, replicate: int) -> tuple[Rules, References]:
    if settings.ensemble is None:
        return rules_and_references(settings.draws, replicate, settings.behaviour)
    frame = draws_of(settings.ensemble)
    row = frame.iloc[replicate % len(frame)]
    values = {**{str(k): float(v) for k, v in row.items()}, **settings.behaviour}
    return make_rules(values), references_for(values)


def answer(task: Task) -> tuple[dict[str, pd.DataFrame], dict[str, Any]]:
    """Run England to week 0 and on, and the place to week 0, and answer every row."""
    import pandas as pd

    settings, asked = task.settings, dict(task.rows)
    rules, references = _numbers(settings, task.replicate)
    of = {run: {name: q for name, q in asked.items() if q["run"] == run} for run in ("england", "local", "later")}
    years = {int(q["years"]) for q in of["later"].values() if q["estimator"] != "change_in_share"}
    shares = {(int(q["years"]), str(q["who"]), q["outcome"]) for q in of["later"].values() if q["estimator"] == "change_in_share"}
    longest = max({*years, *(year for year, _, _ in shares)}, default=0)
    population = load_place(ENGLAND, ENGLAND_PEOPLE, settings.place_seed)
    spare = spare_rows(population, longest) if longest else 0
    run = Simulation(population, rules, references, settings.seed, task.replicate, spare)
    (baseline,) = with_numbers({BASELINE: load_scenario(BASELINE)}, settings.numbers)
    ledger = baseline.ledger()
    central = settings.draws == "central"
    drawn = ledger.central() if central else ledger.draw(settings.seed, draw_number(settings.draws, task.replicate))
    run.people.trend = baseline.trend(drawn)
    england = to_week_0(run)
    answers = {name: ESTIMATORS[q["estimator"]](q, england) for name, q in of["england"].items()}
    if of["local"]:
        people = None if settings.people == "all" else int(settings.people)
        place = load_place(settings.place, people, settings.place_seed)
        local = to_week_0(Simulation(place, rules, references, settings.seed, task.replicate))
        local.england = england
        answers |= {name: ESTIMATORS[q["estimator"]](q, local) for name, q in of["local"].items()}
    if longest:
        run.demography = Demography.at(run)
        years_later(england, years, shares, {str(q["who"]): q["who"] for q in of["later"].values()})
        answers |= {name: ESTIMATORS[q["estimator"]](q, england) for name, q in of["later"].items()}
    wrong = [name for name, value in answers.items() if not np.isfinite(value)]
    if wrong:
        raise InputError(f"'{wrong[0]}' has no answer in this place and sample: nobody there belongs to its group.")
    return {"answers": pd.DataFrame({"name": list(answers), "pair": task.replicate, "value": list(answers.values())})}, {}
