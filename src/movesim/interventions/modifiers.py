"""What makes all programmes of a scenario work better: whole-system working, co-design, a stronger voluntary sector."""

from __future__ import annotations

from movesim.interventions.prices import read_costs
from movesim.interventions.reading import IDENTIFIER, Layer, Node
from movesim.interventions.scenario import Intervention, Modifier

_KEYS = ("name", "title", "summary", "start_year", "end_year", "reach", "ratio", "habit_share", "ramp_weeks", "costs", "evidence")
_REQUIRED = ("name", "title", "start_year", "end_year", "ramp_weeks", "costs")
EFFECTS = ("reach", "ratio", "habit_share")
UNITS = ("resident_year",)


def read_modifiers(top: Node, interventions: tuple[Intervention, ...]) -> tuple[Modifier, ...]:
    """Return the checked modifiers of a scenario.

    Raises InputError, one sentence with file, line and column, for the first thing that is wrong.
    """
    if "modifiers" not in top:
        return ()
    if not interventions:
        raise top.error("modifiers change what interventions do; add interventions or take them out.", "modifiers", key=True)
    listed = top.data["modifiers"]
    if not isinstance(listed, list) or not listed:
        raise top.error("'modifiers' must be a list with at least one modifier.", "modifiers")
    found: list[Modifier] = []
    for number in range(len(listed)):
        each = _modifier(top, number)
        if each.name in {m.name for m in found} | {i.name for i in interventions}:
            raise top.error(
                f"'{each.name}' is called like another part of this scenario; give it another name.", "modifiers", number
            )
        found.append(each)
    return tuple(found)


def _modifier(top: Node, number: int) -> Modifier:
    node = top.child("modifiers").child(number)
    node.only(_KEYS, _REQUIRED, "a modifier")
    name = node.text("name")
    if not IDENTIFIER.fullmatch(name):
        raise node.error(
            f"the name '{name}' cannot be used; write small letters, digits and underscores, beginning with a letter.", "name"
        )
    # its numbers are called by its name, as those of an intervention are
    document = top.layer().document
    stem = document.path.stem
    prefix = f"scenarios.{stem}" if name == stem else f"scenarios.{stem}.{name}"
    node = Node((Layer(document, ("modifiers", number), prefix),), node.data, (), top.numbers)
    start, end = node.whole("start_year", 1, 200), node.whole("end_year", 1, 200)
    if end < start:
        raise node.error(f"'end_year' ({end}) is before 'start_year' ({start}); it must be {start} or later.", "end_year")
    if not any(effect in node for effect in EFFECTS):
        raise node.error(f"the modifier '{name}' changes nothing; state at least one of 'reach', 'ratio' and 'habit_share'.")
    paths = {"ramp_weeks": node.number("ramp_weeks", 0.0, None, "persistence")}
    for effect, most in zip(EFFECTS, (None, None, 1.0)):
        if effect in node:
            paths[effect] = node.number(effect, 0.0, most, "modifiers")
    costs = read_costs(node, UNITS, paths, "a modifier")
    evidence = node.words("evidence", what="ids of evidence") if "evidence" in node else ()
    return Modifier(name, node.text("title"), start, end, costs, paths, node.text("summary"), evidence)
