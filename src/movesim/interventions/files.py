"""From scenario files to scenarios: which there are, reading one, and what a scenario takes over from another by `use:`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from movesim import draws
from movesim.config import load_yaml, scenario_files, shown
from movesim.documents import Document
from movesim.errors import InputError, did_you_mean, one_of
from movesim.evidence import Parameter
from movesim.interventions.modifiers import read_modifiers
from movesim.interventions.reading import IDENTIFIER, Layer, Node, merged
from movesim.interventions.rules_file import read_rules
from movesim.interventions.scenario import Intervention, Scenario
from movesim.interventions.schema import read_intervention

BASELINE = "baseline"
_TOP = ("title", "slogan", "summary", "budget", "interventions", "running", "trend", "programmes", "modifiers", "rules")


def list_scenarios() -> tuple[str, ...]:
    """Return the names of all scenarios, movesim's own and those in ./scenarios, "no change" first.

    >>> list_scenarios()[0]
    'baseline'
    """
    names = scenario_files()
    return tuple(sorted(names, key=lambda name: (name != BASELINE, name)))


def load_scenario(name_or_path: str | Path) -> Scenario:
    """Read and check a scenario by its name or by the path of its file.

    Raises InputError, one sentence with file, line and column, for whatever is wrong with it.
    """
    return scenario_of(load_document(name_or_path))


def is_path(name_or_path: str | Path) -> bool:
    """Tell whether a scenario is meant by the path of its file rather than by its name.

    >>> is_path("./mine.yaml"), is_path("routes")
    (True, False)
    """
    text = str(name_or_path)
    return isinstance(name_or_path, Path) or text.endswith((".yaml", ".yml")) or "/" in text or "\\" in text


def load_document(name_or_path: str | Path) -> Document:
    """Return the YAML file of a scenario by its name or its path, unchecked; raise InputError when it cannot be read."""
    text = str(name_or_path)
    if is_path(name_or_path):
        return load_yaml(name_or_path)
    files = scenario_files()
    if text not in files:
        hint = did_you_mean(text, files)
        raise InputError(f"There is no scenario called '{text}'.{hint} Known: {one_of(files)}.")
    return load_yaml(files[text])


def interventions_of(document: Document) -> list[tuple[str, Any]]:
    """Return the interventions of a file by name, each with all its settings, those it takes over by `use:` included."""
    return [(name, node.data) for name, node in _interventions(document, None)]


def scenario_of(document: Document) -> Scenario:
    """Return the checked scenario of a YAML file; raise InputError, one sentence, for the first thing that is wrong."""
    name = document.path.stem
    if not IDENTIFIER.fullmatch(name):
        raise InputError(
            f"{shown(document.path)}: a scenario is called by its file, so the file's name must be small letters, digits and "
            f"underscores, beginning with a letter; rename '{name}'."
        )
    numbers: dict[str, Parameter] = {}
    top = Node((Layer(document, (), f"scenarios.{name}"),), document.data, (), numbers)
    top.only(_TOP, ("title", "summary"), "a scenario")
    trend, shared, running = _baseline(document, numbers)
    if name != BASELINE:
        for key in ("trend", "programmes", "running"):
            if key in top:
                raise top.error(f"'{key}' belongs to the baseline, which all scenarios share; take it out here.", key, key=True)
    nodes = _interventions(document, numbers)
    interventions = tuple(read_intervention(node, called, shared) for called, node in nodes)
    _no_clash(top, interventions)
    if name == BASELINE and interventions:
        raise top.error(
            "the baseline is what happens without new interventions; give them a scenario of their own.", "interventions"
        )
    modifiers = read_modifiers(top, interventions)
    budget, shares = _budget(top, interventions)
    rules = read_rules(document, {i.name: (i.start_year, i.end_year) for i in interventions}, numbers)
    contents = {
        "interventions": {called: node.data for called, node in nodes},
        "budget": document.data.get("budget"),
        "numbers": {p.path: [p.value, p.distribution, p.low, p.high] for p in numbers.values()},
    }
    if modifiers:
        contents["modifiers"] = document.data["modifiers"]
    if rules:
        contents["rules"] = document.data["rules"]
    return Scenario(
        name, top.text("title"), top.text("slogan"), top.text("summary"), document.path, interventions, budget, shares,
        trend, running, numbers, contents, modifiers, rules,
    )  # fmt: skip


def _baseline(document: Document, numbers: dict[str, Parameter]) -> tuple[dict[str, str], dict[str, str], tuple[str, ...]]:
    """Return the paths of the trend and of what all programmes share, and what runs already, from baseline.yaml."""
    if document.path.stem != BASELINE:
        files = scenario_files()
        if BASELINE not in files:
            raise InputError("The scenario 'baseline' is missing; install movesim again.")
        document = load_yaml(files[BASELINE])
    node = Node((Layer(document, (), f"scenarios.{BASELINE}"),), document.data, (), numbers)
    node.only(_TOP, ("trend", "programmes", "running"), "the baseline")
    trend = node.child("trend")
    trend.only(("level", "slope"), ("level", "slope"), "'trend'")
    paths = {name: trend.number(name, group="trend") for name in ("level", "slope")}
    shared = node.child("programmes")
    known = ("optimism", "device_to_reported", "same_function")
    shared.only(known, known, "'programmes'")
    common = {
        "optimism": shared.number("optimism", 0.0, 1.0, "effects"),
        "device_to_reported": shared.number("device_to_reported", 0.0, None, "effects"),
        "same_function": shared.number("same_function", 0.0, 1.0, "effects"),
    }
    return paths, common, node.words("running", what="sentences")


def _interventions(
    document: Document, numbers: dict[str, Parameter] | None, seen: tuple[str, ...] = ()
) -> list[tuple[str, Node]]:
    """Return the interventions of a file as (name, settings), with what they use from other scenarios beneath."""
    stem = document.path.stem
    held = document.data.get("interventions") if isinstance(document.data, Mapping) else None
    if held is None:
        return []
    if not isinstance(held, list) or not held:
        raise document.error(("interventions",), "'interventions' must be a list with at least one intervention.")
    found = []
    for number, data in enumerate(held):
        steps = ("interventions", number)
        if not isinstance(data, Mapping):
            raise document.error(steps, "an intervention must be a mapping that begins with 'name:' or 'use:'.")
        below, base, named = _used(document, steps, data, (*seen, stem)) if "use" in data else ((), {}, None)
        name = data.get("name", named)
        if not isinstance(name, str) or not IDENTIFIER.fullmatch(name):
            problem = "an intervention needs 'name'" if name is None else f"the name '{name}' cannot be used"
            raise document.error(
                (*steps, "name"), f"{problem}; write small letters, digits and underscores, beginning with a letter."
            )
        prefix = f"scenarios.{stem}" if name == stem else f"scenarios.{stem}.{name}"
        own = {key: value for key, value in data.items() if key not in ("use", "name")}
        found.append((name, Node((*below, Layer(document, steps, prefix)), merged(base, own), (), numbers)))
    return found


def _used(document: Document, steps: tuple[Any, ...], data: Mapping[str, Any], seen: tuple[str, ...]) -> tuple[Any, Any, str]:
    """Return layers, settings and name of the intervention that `use: routes` (or `use: portfolio/routes`) points at."""
    at = (*steps, "use")
    wanted = data["use"]
    if not isinstance(wanted, str):
        raise document.error(at, "'use' must name a scenario, or one of its interventions as scenario/intervention.")
    scenario, _, inner = wanted.partition("/")
    files = scenario_files()
    # a scenario next to this file may be used although its folder is not among the usual ones
    beside = document.path.parent / f"{scenario}.yaml"
    path = files.get(scenario, beside)
    if not path.is_file():
        raise document.error(at, f"there is no scenario called '{scenario}' to use.{did_you_mean(scenario, files)}")
    if scenario in seen:
        raise document.error(at, f"'{scenario}' uses itself; write its settings out instead.")
    choices = dict(_interventions(load_yaml(path), None, seen))
    if not inner and scenario in choices:
        inner = scenario
    elif not inner and len(choices) == 1:
        inner = next(iter(choices))
    if inner not in choices:
        if not choices:
            hint = f" '{scenario}' has none."
        elif inner:
            hint = did_you_mean(inner, choices)
        else:
            hint = f" Write one of {one_of(f'{scenario}/{c}' for c in choices)}."
        raise document.error(at, f"'use: {wanted}' does not say which intervention is meant.{hint}")
    node = choices[inner]
    return node.layers, node.data, inner


def _no_clash(top: Node, interventions: tuple[Intervention, ...]) -> None:
    for number, each in enumerate(interventions):
        for other in interventions[:number]:
            if each.name == other.name:
                raise top.error(f"two interventions are called '{each.name}'; give one another name.", "interventions", number)
            if draws.stream_of(each.name) == draws.stream_of(other.name):
                raise top.error(
                    f"the names '{other.name}' and '{each.name}' happen to share one stream of draws; change one a little.",
                    "interventions", number,
                )  # fmt: skip


def _budget(top: Node, interventions: tuple[Intervention, ...]) -> tuple[str | None, dict[str, float]]:
    if not interventions:
        if "budget" in top:
            raise top.error("a budget without interventions buys nothing; add interventions or take it out.", "budget", key=True)
        return None, {}
    if "budget" not in top:
        raise top.error(
            "a scenario with interventions needs 'budget': pounds_per_resident_a_year, and split if there are several."
        )
    node = top.child("budget")
    node.only(("pounds_per_resident_a_year", "split"), ("pounds_per_resident_a_year",), "'budget'")
    path = node.number("pounds_per_resident_a_year", 0.0, None, "budget")
    names = [i.name for i in interventions]
    if len(names) == 1 and "split" not in node:
        return path, {names[0]: 1.0}
    if node.data.get("split") == "equal":
        return path, {name: 1 / len(names) for name in names}
    split = node.child("split")
    split.only(names, names, "'split', which gives each intervention its share of the money (or: split: equal),")
    shares = {name: split.plain(name) for name in names}
    if abs(sum(shares.values()) - 1) > 1e-6:
        raise node.error(f"the shares of the money must add to 1, they add to {sum(shares.values()):g}.", "split")
    return path, shares
