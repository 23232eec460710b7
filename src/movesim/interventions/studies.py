"""The study behind an intervention as a scenario file says it: whom, for how long, what was found, and what else was."""

from __future__ import annotations

from movesim.errors import did_you_mean
from movesim.interventions.audience import read_who
from movesim.interventions.reading import Node
from movesim.interventions.scenario import Prediction, Trial
from movesim.words import DOMAIN

SCALES = ("reported", "device")
CHANGES = ("points", "ratio", "odds_ratio")
_REQUIRED = ("title", "population", "arms", "follow_up_weeks", "measured", "evidence")
_FINDING = ("title", "measured", "after_weeks", "effect", "effect_scale")


def read_trial(node: Node, paths: dict[str, str]) -> Trial:
    """Return the checked study of an intervention, and note the paths of the numbers of its further findings.

    Raises InputError, one sentence with file, line and column, for the first thing that is wrong.
    """
    node.only((*_REQUIRED, "also_predicts"), _REQUIRED, "'trial'")
    listed = node.data.get("also_predicts", [])
    if not isinstance(listed, list):
        raise node.error("'also_predicts' must be a list of further findings.", "also_predicts")
    also = tuple(_finding(node.child("also_predicts").child(number), number, paths) for number in range(len(listed)))
    return Trial(
        node.text("title"), read_who(node.child("population")), node.words("arms", what="arms"),
        node.whole("follow_up_weeks", 4, 520), _measured(node), node.words("evidence", what="ids of evidence"), also,
    )  # fmt: skip


def _finding(node: Node, number: int, paths: dict[str, str]) -> Prediction:
    node.only((*_FINDING, "population", "reaching", "as", "used_for"), _FINDING, "a finding to predict")
    if ("reaching" in node) != ("as" in node):
        raise node.error(
            "'reaching' (minutes a week at which people are counted) and 'as' (points, ratio or odds_ratio, of the shares that "
            "are counted) go together; state both or neither."
        )
    field = f"trial.also_predicts.{number}"
    paths[field] = node.number("effect", group="checks")
    return Prediction(
        node.text("title"), _measured(node), node.whole("after_weeks", 1, 2000), paths[field],
        node.word("effect_scale", SCALES),
        population=read_who(node.child("population")) if "population" in node else None,
        reaching=node.plain("reaching") if "reaching" in node else None,
        change=node.word("as", CHANGES) if "as" in node else "minutes",
        used_for=node.text("used_for"),
    )  # fmt: skip


def _measured(node: Node) -> tuple[int, ...]:
    if node.data.get("measured") == "minutes":
        return ()
    if isinstance(node.data.get("measured"), str):
        said = node.data["measured"]
        raise node.error(
            f"'measured' must be minutes or a list of domains, got '{said}'.{did_you_mean(said, ['minutes'])}", "measured"
        )
    return tuple(DOMAIN[d] for d in node.words("measured", DOMAIN, what="domains"))
