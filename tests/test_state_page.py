"""The page on checkpoints, branches, one life and panels: its code runs, and its printed example is one that movesim prints."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

import movesim.model
from movesim.behaviour.rules import References, behaviour_ledger, make_rules
from movesim.config import settings_from_overrides
from movesim.model import ActivityModel
from small import small_population


def blocks(root: Path, kind: str) -> list[str]:
    page = (root / "docs" / "state.md").read_text(encoding="utf-8")
    return re.findall(rf"```{kind}\n(.*?)```", page, re.DOTALL)


@pytest.fixture
def small_place(monkeypatch: pytest.MonkeyPatch) -> None:
    rules, place = make_rules(behaviour_ledger().central()), small_population(500, 20)
    monkeypatch.setattr(movesim.model, "load_place", lambda *_: place)
    monkeypatch.setattr(movesim.model, "rules_and_references", lambda *_: (rules, References.first_guess()))


def test_the_code_of_the_page_runs(root: Path, empty_folder: Path, small_place: None, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict = {"__name__": "page"}
    parts = blocks(root, "python")
    for part in parts:
        exec(part, names)
    assert len(parts) == 5
    assert names["later"].week == 104 and not names["difference"].same and names["told"].agrees
    assert movesim.compare_runs("checkpoints/year_1", ActivityModel.load("checkpoints/year_1")).same
    assert len(names["model"].panel.to_frame()) == 27 and len(names["panel"].to_frame()) == 12
    out = capsys.readouterr().out
    assert "differ in" in out and "In these 2 weeks the compiled model did the same" in out


def test_the_commands_of_the_page_are_right(root: Path) -> None:
    lines = "\n".join(blocks(root, "sh")).strip().splitlines()
    for line in lines:
        _, command, *words = shlex.split(line)
        assert command == "explain" and settings_from_overrides(command, words).person == 9000
    assert len(lines) == 2


def test_the_printed_example_is_of_the_form_that_is_printed(root: Path, small_place: None) -> None:
    """Numbers aside, its words are those that an adult's week of today is told in."""
    (example,) = blocks(root, "text")
    model = ActivityModel(people=500)
    adults = [person for person in model.agents if person.age > 30][:40]
    vocabulary = " ".join(str(movesim.explain(model=model, person=person, weeks=4)) for person in adults)
    words = lambda text: set(re.findall(r"[a-z'-]{3,}", text.lower()))  # noqa: E731
    place = {"gedling", "carer", "young"}  # where this person lives, and what may be said of them
    assert words(example) - words(vocabulary) - place == set()
    assert "In this week the compiled model did the same: decisions equal, all else to 1e-4" in example
