"""What the report says of shocks and of rules."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from movesim.report import build_report, terminal_summary


@pytest.fixture
def learnt(folder_of, tmp_path: Path) -> Path:
    """A result in which a shock struck and two rules decided."""
    folder = tmp_path / "learnt"
    shutil.copytree(folder_of("four"), folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["shocks"] = [
        {"name": "pandemic", "title": "Pandemic", "summary": "x"},
        {"name": "b", "title": "Budget cuts", "summary": "x"},
    ]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    option = manifest["scenarios"][1]["name"]
    actions = ["scale_up"] * 6 + ["keep"] * 10 + ["move_money"] * 4
    rows = [
        {
            "scenario": option, "draw": k, "replicate": k, "rule": "leaders_first", "intervention": "x", "outcome": "minutes",
            "estimate": 3.0, "standard_error": 4.0, "truth": 1.0 if k < 8 else 3.0, "worth_having": 2.0, "action": action,
            "pounds_moved": 0.0,
        }
        for k, action in enumerate(actions)
    ]  # fmt: skip
    pd.DataFrame(rows).to_parquet(folder / "rules.parquet")
    return folder


def test_the_terminal_says_which_shocks_and_what_rules_decided(learnt: Path) -> None:
    text = terminal_summary(learnt)
    assert max(len(line) for line in text.splitlines()) <= 79
    flat = " ".join(text.split())
    assert "In every run, no change included: pandemic and budget cuts." in flat
    assert "scaled up in 6, kept in 10 and stopped with its money moved in 4 of 20 runs." in flat
    assert "gained +2.2 minutes a week on average; the survey's standard error was 4.0." in flat
    assert "Scaled up wrongly in 6 of the 8 runs in which they gained less than 2.0 (" in flat
    assert "Stopped wrongly in 4 of the 12 runs in which they gained at least 2.0 (" in flat


def test_the_page_has_a_section_for_rules_only_where_there_are_some(learnt: Path, built: Path) -> None:
    page = build_report(learnt).read_text(encoding="utf-8")
    assert "What did rules decide, and were they right?" in page and "6 of 8 (" in page
    assert "In every run, no change included: pandemic and budget cuts." in page
    plain = (built / "report.html").read_text(encoding="utf-8")
    assert "What did rules decide" not in plain and "In every run, no change included" not in plain
