"""`movesim sensitivity` with the model: one folder for all methods, extended without waste, whoever works at it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import movesim
from movesim.cli import main
from movesim.errors import InputError
from movesim.experiments.runs import Runs

LEADERS = "scenarios.community_leaders"
WORDS = [
    "sensitivity", "scenario=community_leaders", "people=500", "years=1", "draws=central", "workers=1",
    f"factors=[{LEADERS}.ladder.offered,{LEADERS}.costs.participant.pounds,{LEADERS}.workforce.likeness]",
]  # fmt: skip


@pytest.mark.slow
def test_a_study_screens_decides_and_grows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "study"
    words = [*WORDS, f"out={out}", "trajectories=3", "n=4", "scrambles=2", "most=2", "outcomes=[imd_decile,spent]"]
    assert main(words) == 0
    told = capsys.readouterr()
    assert "morris of 3 factors" in told.err and "about" in told.err and "Saved in" in told.out
    assert "%), about -" not in told.err  # of what this design has, not of what lies in the folder
    table = movesim.load(out).to_frame("sensitivity")
    assert set(table["method"]) == {"morris", "sobol"} and set(table["outcome"]) == {"imd_decile", "spent"}
    assert (table[table["parameter"] == "dummy"]["value"] == 0).all(), (
        "a factor that nothing reads moves nothing, to the last bit"
    )
    kept = movesim.load(out).manifest["analyses"]["morris"]["kept"]
    assert 1 <= len(kept) <= 2
    done = len(Runs(out).done())
    assert main(words) == 0 and capsys.readouterr().out.startswith("Already done")
    assert main([*[w for w in words if not w.startswith("scrambles")], "method=sobol", "scrambles=3", "quiet=true"]) == 0
    more = movesim.load(out).to_frame("sensitivity")
    pd.testing.assert_frame_equal(
        more[more["method"] == "morris"].reset_index(drop=True), table[table["method"] == "morris"].reset_index(drop=True)
    )
    assert len(Runs(out).done()) > done
    page = (out / "report.html").read_text(encoding="utf-8")
    assert page.count("<svg") >= 6 and "Which assumptions decide" in page and "When does the plan fail?" in page


@pytest.mark.slow
def test_workers_and_the_order_of_runs_do_not_matter(tmp_path: Path) -> None:
    keys = {
        "scenario": "community_leaders", "people": 500, "years": 1, "draws": "central", "quiet": True, "report": False,
        "method": "morris", "trajectories": 2, "factors": [f"{LEADERS}.ladder.offered", "scenarios.baseline.trend"],
    }  # fmt: skip
    one = movesim.sensitivity(**keys, workers=1, out=tmp_path / "one").to_frame("sensitivity")
    two = movesim.sensitivity(**keys, workers=2, out=tmp_path / "two").to_frame("sensitivity")
    pd.testing.assert_frame_equal(one, two)


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (["outcomes=[sex@1]", "years=2"], r"'sex@1' asks for a year before the last, .*; add sex to yearly="),
        (["n=63", "method=sobol"], "n=63: Sobol' points are even only in powers of two; take 64"),
        (["factors=[scenarios.routes.effect]"], r"there is no number or group called 'scenarios\.routes\.effect'"),
        (["replicates=2"], "replicates must be a whole number from 1 to 1"),
        (["fails_above=much"], "fails_above must be a number, got 'much'"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_runs(empty_folder: Path, more: list[str], sentence: str, capsys) -> None:
    import re

    names = {word.partition("=")[0] for word in more}
    assert main([*(w for w in WORDS if w.partition("=")[0] not in names), *more]) == 2
    assert re.search(sentence, capsys.readouterr().err) and not list(empty_folder.iterdir())


def test_a_dry_run_says_how_long_and_does_nothing(empty_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*WORDS, "dry_run=true"]) == 0
    told = capsys.readouterr().out
    assert "morris of 3 factors: 1" in told and "then sobol of 3 factors" in told and not list(empty_folder.iterdir())


def test_settings_in_python_are_checked() -> None:
    with pytest.raises(InputError, match=r"There is no folder nowhere \(given as given\)"):
        movesim.sensitivity(scenario="routes", given="nowhere")
