"""Everything that the two strategies name has a place in the model, or a reason why not, and whatever is named exists."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from movesim.behaviour.rules import behaviour_ledger
from movesim.config import scenario_files
from movesim.helptext import SUMMARIES
from movesim.words import AXIS, LOCAL, MEASURES, NEIGHBOURHOODS, OUTCOMES, PEOPLE

ROOT = Path(__file__).parents[1]
# How many things each part of the strategies names; a part that loses one fails here.
NAMED = {"vision": 11, "levers": 28, "ways": 28, "layers": 5, "barriers": 18, "groups": 12, "numbers": 10, "outcomes": 14}
KINDS = ("lever", "determinant", "outcome", "rule", "not modelled")


def sections() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "docs" / "strategies.yaml").read_text(encoding="utf-8"))


ITEMS = [item for section in sections().values() for item in section["items"]]


def test_every_thing_named_is_there_once_and_in_order():
    assert {name: len(section["items"]) for name, section in sections().items()} == NAMED
    for number, section in enumerate(sections().values(), 1):
        assert [item[0] for item in section["items"]] == [f"{number}.{k + 1}" for k in range(len(section["items"]))]
    labels = [item[1] for item in ITEMS]
    assert len(set(labels)) == len(labels)


@pytest.mark.parametrize("item", ITEMS, ids=[item[0] for item in ITEMS])
def test_it_is_mapped_to_something_that_exists(item):
    number, label, kind, how, shown = item
    assert kind in KINDS and label and how.endswith(".") and shown
    for reference in shown:
        what, name = reference.split(" ", 1)
        assert exists(what, name), f"{number} names {reference}, which is not there"
    if kind == "lever":
        assert any(reference.startswith(("scenario ", "shock ", "number ")) for reference in shown)


def exists(what: str, name: str) -> bool:
    if what == "scenario":
        return name in scenario_files()
    if what == "shock":
        shocks = ROOT / "scenarios" / "shocks"
        return (shocks / f"{name}.yaml").is_file() if shocks.is_dir() else name in ("pandemic", "cost_of_living", "budget_cuts")
    if what == "number":
        return name in behaviour_ledger()
    if what == "column":
        return name in {column.name for column in (*PEOPLE, *NEIGHBOURHOODS, *LOCAL)}
    if what == "axis":
        return name in AXIS
    if what in ("outcome", "measure"):
        return name in {word.name for word in (OUTCOMES if what == "outcome" else MEASURES)}
    if what == "command":
        return name in SUMMARIES
    if what == "page":
        return (ROOT / name).is_file()
    if what == "test":
        file, test = name.split("::")
        return re.search(rf"^def {test}\(", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE) is not None
    raise AssertionError(f"nobody knows what a '{what}' is")


def test_the_check_can_fail():
    assert not exists("scenario", "moonwalk") and not exists("test", "tests/test_strategies.py::test_nothing")
    assert not exists("number", "opportunity.fears") and not exists("command", "forecast")


def test_every_scenario_is_asked_for():
    """No scenario that ships is without a reason in the strategies."""
    named = {name for item in ITEMS for what, name in (r.split(" ", 1) for r in item[4]) if what == "scenario"}
    ours = {path.stem for path in (ROOT / "scenarios").rglob("*.yaml") if path.parent.name != "shocks"}
    assert ours - named == {"baseline"}


def test_the_page_is_written_from_the_data():
    spec = importlib.util.spec_from_file_location("strategies_page", ROOT / "docs" / "strategies.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    page = (ROOT / "docs" / "strategies.md").read_text(encoding="utf-8")
    assert page == module.page(sections()), "write it anew: python docs/strategies.py"
    assert page.count("\n| ") == len(ITEMS) + 2 * len(NAMED)
