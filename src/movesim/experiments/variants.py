"""Further runs of the same pairs, for questions about a scenario: each intervention alone, and its ladder with steps made even.

A job is a few variants of one scenario in one pair. It begins from the pair's own past, with the pair's own draws, and runs no
change again, which must be what it was. Jobs are kept in a folder of their own inside the study's, so that a study that is
finished can be asked more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from movesim.experiments.keys import Keys
from movesim.experiments.replicate import BASELINE, Task, run_scenarios, tables_of
from movesim.experiments.runner import Job
from movesim.interventions.alike import players
from movesim.words import WEEKS_A_YEAR

if TYPE_CHECKING:
    from movesim.experiments.study import Prepared
    from movesim.interventions.scenario import Scenario

FOLDER = "variants"
PARTS, LADDER = "parts", "ladder"
AT_ONCE = 8  # variants a job: so many runs are in memory until it ends
APART = "/"  # between the name of a scenario and that of its variant


@dataclass(frozen=True)
class Asked:
    """Some variants of a scenario in one pair."""

    question: str
    scenario: str
    variants: tuple[str, ...]
    task: Task


def variant(scenario: Scenario, question: str, name: str) -> Scenario:
    """Return a variant of a scenario: one of its interventions alone, or its ladder with only some steps as they are.

    Arguments: question, PARTS or LADDER; name, an intervention, or a number whose bit j is 1 where step j of players(scenario)
    is as it is.
    """
    called = f"{scenario.name}{APART}{name}"
    if question == PARTS:
        return replace(scenario.only(name), name=called)
    even = frozenset(step for j, step in enumerate(players(scenario)) if not int(name) >> j & 1)
    return replace(scenario, name=called, even=even)


def variants_of(scenario: Scenario, question: str) -> tuple[str, ...]:
    """Return the names of all variants that a question asks for; none where it has no meaning."""
    if question == PARTS:
        names = tuple(each.name for each in scenario.interventions)
        return names if len(names) > 1 else ()
    steps = players(scenario)
    return tuple(str(mask) for mask in range(2 ** len(steps))) if steps else ()


def jobs_of(ready: Prepared, question: str, pairs: Sequence[int]) -> Iterator[Job]:
    """Yield the jobs of a question, pair by pair."""
    for pair in pairs:
        for scenario in ready.scenarios.values():
            names = variants_of(scenario, question)
            for first in range(0, len(names), AT_ONCE):
                some = names[first : first + AT_ONCE]
                task = ready.task(pair, placebo=False)
                scenarios = {each.name: each for each in task.read}
                read = (scenarios[BASELINE], *(variant(scenarios[scenario.name], question, name) for name in some))
                asked = Asked(question, scenario.name, some, replace(task, scenarios=tuple(s.name for s in read[1:]), read=read))
                about = {"pair": pair, "scenario": scenario.name, "question": question, "first": some[0]}
                yield Job(key_of(ready, question, scenario.name, some, pair), asked, about)


def key_of(ready: Prepared, question: str, scenario: str, variants: Sequence[str], pair: int) -> str:
    """Return the key of a job: that of its study and what is asked of which scenario; other scenarios do not matter."""
    contents = ready.identity["scenario_contents"]
    shared = {name: value for name, value in ready.identity.items() if name not in ("scenarios", "scenario", "scenario_contents")}
    own = {"question": question, "variants": list(variants), "of": contents[scenario], "no_change": contents[BASELINE]}
    return Keys({**shared, **own}).key(pair)


def answer(asked: Asked) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Run some variants; what a worker process is asked to do. Returns their yearly outcomes, and notes as a pair has them.

    The table `variants` is the outcomes table with a column `variant`, of no change and of each variant; `steps` has, of a
    ladder all of whose steps are as they are, each step's own ratios.
    """
    finished, guards, _ = run_scenarios(asked.task)
    tables = tables_of(finished, asked.task)
    outcomes = tables["outcomes"]
    yearly = outcomes[outcomes["window"] == WEEKS_A_YEAR].reset_index(drop=True)
    yearly.insert(1, "variant", yearly["scenario"].str.partition(APART)[2])
    yearly["scenario"] = yearly["scenario"].str.partition(APART)[0]
    whole = f"{asked.scenario}{APART}{2 ** len(players_of(asked)) - 1}" if asked.question == LADDER else ""
    ladder = tables["ladder"]
    steps = pd.DataFrame()
    if whole in finished and len(ladder):
        own = ladder[ladder["scenario"] == whole].dropna(subset=["step_endogenous"]).drop_duplicates(["intervention", "step"])
        steps = own[["scenario", "draw", "intervention", "step", "step_endogenous", "step_residual"]]
        steps = steps.assign(scenario=asked.scenario, replicate=asked.task.replicate)
    return {"variants": yearly, "steps": steps.reset_index(drop=True)}, {"guards": guards}


def players_of(asked: Asked) -> tuple[str, ...]:
    """Return the steps of the scenario that variants were made of."""
    return players(asked.task.read[1])
