"""Reading the `rules:` of a scenario file: the closed schema of an adaptive rule."""

from __future__ import annotations

from collections.abc import Mapping

from movesim.documents import Document
from movesim.errors import one_of
from movesim.evidence import Parameter, is_number_with_evidence
from movesim.interventions.adaptive import MEASURED_IN, OUTCOMES, Rule
from movesim.interventions.reading import IDENTIFIER, Layer, Node

_NEEDED = ("name", "pilot", "share", "after_years", "survey", "measured_in", "scale_up_from", "stop_below", "worth_having")
_KNOWN = (*_NEEDED, "title", "imd_decile", "move_money_to")
_SURVEY = ("outcome", "respondents", "design_effect")
_CHOICES = {
    "share": ("share of neighbourhoods", "Neighbourhoods in which the pilot runs, of those where it may"),
    "respondents": ("people", "Who is interviewed each time in the pilot's neighbourhoods, and as many in others like them"),
    "scale_up_from": ("estimate, or standard errors", "From what estimate on the pilot is scaled up to everywhere"),
    "stop_below": ("estimate, or standard errors", "Below what estimate the pilot is stopped"),
    "worth_having": ("points, or minutes a week", "The true effect from which scaling up is right"),
}  # fmt: skip


def read_rules(
    document: Document, interventions: Mapping[str, tuple[int, int]], numbers: dict[str, Parameter]
) -> tuple[Rule, ...]:
    """Return the checked rules of a scenario file.

    Arguments: document; interventions, the first and last year of each by name; numbers, to which the rules' are added.
    Raises InputError, one sentence with file, line and column, for the first thing that is wrong.
    """
    held = document.data.get("rules")
    if held is None:
        return ()
    if not isinstance(held, list) or not held:
        raise document.error(("rules",), "'rules' must be a list with at least one rule.")
    found: list[Rule] = []
    for number in range(len(held)):
        rule = _rule(document, number, interventions, numbers)
        for other in found:
            if rule.name == other.name:
                raise document.error(("rules", number), f"two rules are called '{rule.name}'; give one another name.")
            if rule.pilot == other.pilot:
                raise document.error(("rules", number), f"two rules pilot '{rule.pilot}'; one rule decides on an intervention.")
        found.append(rule)
    return tuple(found)


def _rule(document: Document, number: int, interventions: Mapping[str, tuple[int, int]], numbers: dict[str, Parameter]) -> Rule:
    data = document.data["rules"][number]
    name = data.get("name") if isinstance(data, Mapping) else None
    if not isinstance(name, str) or not IDENTIFIER.fullmatch(name):
        raise document.error(
            ("rules", number),
            "a rule must be a mapping with 'name': small letters, digits and underscores, beginning with a letter.",
        )
    node = Node((Layer(document, ("rules", number), f"scenarios.{document.path.stem}.rules.{name}"),), data, (), numbers)
    node.only(_KNOWN, _NEEDED, f"the rule '{name}'")
    pilot = node.word("pilot", interventions)
    heir = node.word("move_money_to", [i for i in interventions if i != pilot]) if "move_money_to" in node else ""
    start = interventions[pilot][0]
    years = node.whole("after_years", 1, 100)
    for each in (pilot, heir):
        if each and start + years > interventions[each][1]:
            raise node.error(
                f"the decision comes with year {start + years}, when '{each}' has ended (with year {interventions[each][1]}); "
                "decide earlier, or let it run longer.",
                "after_years",
            )
    survey = node.child("survey")
    survey.only((*_SURVEY, "ages", "same_people"), _SURVEY, "'survey'")
    ages = survey.wholes("ages", 5, 130) if "ages" in survey else (16, 130)
    if len(ages) != 2 or ages[0] > ages[1]:
        raise survey.error(f"'ages' must be two ages, from and to, such as [16, 120], got {list(ages)}.", "ages")
    paths = {
        "share": _choice(node, "share", 0.01, 0.99), "respondents": _choice(survey, "respondents", 2.0),
        "design_effect": survey.number("design_effect", 1.0, None, "survey"),
        "scale_up_from": _choice(node, "scale_up_from"), "stop_below": _choice(node, "stop_below"),
        "worth_having": _choice(node, "worth_having"),
    }  # fmt: skip
    low, high = numbers[paths["stop_below"]].value, numbers[paths["scale_up_from"]].value
    if low > high:
        raise node.error(f"'stop_below' ({low:g}) is above 'scale_up_from' ({high:g}); swap them.", "stop_below")
    return Rule(
        name, node.text("title") or name.replace("_", " ").capitalize(), pilot, start, years,
        node.wholes("imd_decile", 1, 10) if "imd_decile" in node else (), (ages[0], ages[1]),
        survey.word("outcome", OUTCOMES), survey.flag("same_people") if "same_people" in survey else False,
        node.word("measured_in", MEASURED_IN), heir, paths,
    )  # fmt: skip


def _choice(node: Node, name: str, least: float | None = None, most: float | None = None) -> str:
    """Note a number that is a choice, not a finding: written plainly, it stands in the ledger as fixed; return its path."""
    held = node.data.get(name)
    if is_number_with_evidence(held):
        return node.number(name, least, most, "rules")
    if isinstance(held, bool) or not isinstance(held, int | float):
        raise node.error(f"'{name}' must be a number.", name)
    if (least is not None and held < least) or (most is not None and held > most):
        bounds = one_of([f"{end:g} or {word}" for end, word in ((least, "more"), (most, "less")) if end is not None])
        raise node.error(f"'{name}' must be {bounds.replace(' or more or ', ' or more, and ')}, got {held:g}.", name)
    path = ".".join([node.layer(name).prefix, *map(str, node.keys), name])
    unit, meaning = _CHOICES[name]
    assert node.numbers is not None
    node.numbers[path] = Parameter(
        path, float(held), unit=unit, status="assumed", meaning=f"{meaning}. A choice, not a finding", group="rules",
        least=least, most=most,
    )  # fmt: skip
    return path
