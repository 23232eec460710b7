"""Sweeps with the model: one table with the numbers as columns, resumed and extended bit for bit, refused with a sentence."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

import movesim
from movesim.cli import main
from movesim.errors import InputError
from movesim.experiments import sweep as sweeping
from movesim.experiments.runs import Runs

BUDGET = "scenarios.community_leaders.budget.pounds_per_resident_a_year"
OFFERED = "scenarios.community_leaders.ladder.offered"
KEYS = {"scenarios": ["community_leaders"], "people": 500, "years": 1, "draws": "central", "replicates": 2, "quiet": True}
WORDS = ["sweep", "scenarios=[community_leaders]", "people=500", "years=1", "draws=central", "replicates=2"]


def table_of(folder: Path) -> str:
    return hashlib.sha256((folder / "sweep.parquet").read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sweeps")


@pytest.fixture(scope="module")
def three(folder: Path) -> movesim.Result:
    """Three budgets, two pairs each, in this process and undisturbed."""
    return movesim.sweep(**KEYS, vary={BUDGET: [1, 2, 8]}, workers=1, report=False, out=folder / "three")


@pytest.mark.slow
def test_one_table_has_the_numbers_as_columns(three: movesim.Result) -> None:
    table = three.to_frame("sweep")
    assert list(table.columns) == [
        "point", "draw", "replicate", BUDGET, "scenario", "age_group", "axis", "outcome", "measure", "level", "week", "value",
        "change",
    ]  # fmt: skip
    assert table[BUDGET].unique().tolist() == [1, 2, 8] and set(table["week"]) == {52}
    assert not table.duplicated(["point", "replicate", "age_group", "axis", "outcome", "measure", "level"]).any()
    spent = table[table["outcome"] == "spent"].groupby(BUDGET)["value"].mean()
    assert 0 < spent[1] < spent[2] <= spent[8]
    assert three.manifest["points"] == 3 and three.manifest["runs"] == 6 and three.manifest["failed"] == 0


@pytest.mark.slow
def test_a_point_is_what_a_comparison_says(three: movesim.Result, folder: Path) -> None:
    """The budget of 8, set by hand: every gap of the sweep's table, bit for bit."""
    keys = {key: value for key, value in KEYS.items() if key != "scenarios"}
    result = movesim.compare(**keys, scenarios=["community_leaders"], numbers={BUDGET: 8}, report=False, out=folder / "compare")
    gaps = result.to_frame("gaps")
    cell = ["replicate", "age_group", "axis", "outcome", "measure"]
    mine = gaps[(gaps["scenario"] == "community_leaders") & (gaps["week"] == 52) & (gaps["window"] == 52)]
    base = gaps[(gaps["scenario"] == "baseline") & (gaps["week"] == 52) & (gaps["window"] == 52)]
    table = three.to_frame("sweep")
    theirs = table[(table[BUDGET] == 8) & (table["level"] == "") & (table["measure"] != "level")]
    both = theirs.merge(mine, on=cell, suffixes=("", "_mine")).merge(base, on=cell, suffixes=("", "_base"))
    assert len(both) == len(theirs) > 100
    np.testing.assert_array_equal(both["value"], both["value_mine"])
    np.testing.assert_array_equal(both["change"], both["value_mine"] - both["value_base"])
    row = result.to_frame("assumptions").set_index("path").loc[BUDGET]
    assert row["value"] == 8 and row["source"] == "set by the user"


@pytest.mark.slow
def test_it_is_resumed_and_extended_bit_for_bit(three: movesim.Result, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = folder / "grown"
    words = [*WORDS, f"out={out}", "report=false"]
    assert main([*words, f"{BUDGET}=8,1", "workers=2"]) == 0
    assert "Sweep over" in capsys.readouterr().err
    assert main([*words, f"{BUDGET}=[2]", "-m", "workers=1"]) == 0  # a further point of the same study
    told = capsys.readouterr()
    assert "Running 6 pairs (4 are finished already)." in told.err and "3 points" in told.out and "Saved in" in told.out
    assert table_of(out) == table_of(three.folder)
    assert main([*words, f"{BUDGET}=1,2,8"]) == 0
    assert capsys.readouterr().out.startswith(f"Already done: {out}")


@pytest.mark.slow
def test_shards_and_a_failing_run(three: movesim.Result, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    out = folder / "shards"
    words = [*WORDS, f"out={out}", "report=false", "workers=1", f"{BUDGET}=1,2,8"]
    sound = sweeping.run_scenarios

    def broken(task):
        if task.replicate == 1:
            raise ValueError("no luck")
        return sound(task)

    monkeypatch.setattr(sweeping, "run_scenarios", broken)
    assert main([*words, "quiet=true"]) == 1
    told = capsys.readouterr()
    assert len(Runs(out).failed()) == len(Runs(out).done()) == 3
    assert f"3 of 6 runs failed, the first of them replicate 1, {BUDGET} " in told.err and "no luck" in told.err
    assert movesim.load(out).manifest["failed"] == 3
    monkeypatch.undo()
    # which part a run belongs to is told by its key, so either part may have nothing left to do
    assert main([*words, "shard=1/2"]) == 0 and main([*words, "shard=2/2"]) == 0
    assert len(Runs(out).done()) == 6 and Runs(out).failed() == {}
    assert main(words) == 0
    assert table_of(out) == table_of(three.folder)


@pytest.mark.slow
def test_a_report_plots_any_outcome(three: movesim.Result, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(three.folder)]) == 0
    assert "the gap changes by" in capsys.readouterr().out
    page = (three.folder / "report.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 1 and "How the change of the gap moves" in page
    assert (three.folder / "figures" / "sweep-1.png").is_file() and (three.folder / "workbook.xlsx").is_file()
    assert three.plot(BUDGET).axes and three.plot().axes
    assert main(["report", str(three.folder), f"x={BUDGET}", "outcome=adult.all.active.all"]) == 0
    assert Path(capsys.readouterr().out.removeprefix("Drawn: ").strip()).is_file()
    for word, sentence in (
        ("x=behaviour.habit.gain", "'behaviour.habit.gain' was not swept here"),
        ("outcome=adult.imd_decile.inactiv.sii", "This sweep has no outcome"),
        ("outcome=gap", "outcome must be spent, an axis, or age_group.axis.outcome.measure"),
        ("scenario=routes", "This sweep has no scenario 'routes'"),
        ("week=x", "week must be a whole number, got 'x'"),
    ):
        assert main(["report", str(three.folder), word]) == 2
        assert sentence in capsys.readouterr().err


def test_a_dry_run_says_what_it_would_do_and_does_nothing(empty_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*WORDS, f"{BUDGET}=1,2,8", "dry_run=true", "workers=1"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("Sweep over scenarios.community_leaders.budget.pounds_per_resident_a_year 1 to 8 (3 values): 3 points")
    assert "6 pairs (12 runs of " in told and "6 to do: about " in told and not list(empty_folder.iterdir())
    assert main(["compare", "scenarios=[routes]", "people=500", "dry_run=true", "replicates=7"]) == 0
    assert "7 pairs (14 runs of" in capsys.readouterr().out and not list(empty_folder.iterdir())


@pytest.mark.parametrize(
    ("vary", "more", "sentence"),
    [
        ({"behaviour.habit.gian": [1]}, {}, r"There is no number called 'behaviour\.habit\.gian'\. Did you mean"),
        ({"scenarios.routes.effect": [1]}, {}, r"There is no number called 'scenarios\.routes\.effect'"),
        ({OFFERED: [0.1, 1.5]}, {}, rf"{OFFERED} must not be above 1, got 1\.5"),
        ({BUDGET: [-1]}, {}, rf"{BUDGET} must not be below 0, got -1"),
        ({BUDGET: [1]}, {"numbers": {BUDGET: 2}}, rf"{BUDGET} is swept and set by hand \(2\); do one of the two"),
        ({BUDGET: [1]}, {"numbers": {OFFERED + "d": 2}}, rf"There is no number '{OFFERED}d' in baseline and community_leaders"),
    ],
)
def test_what_cannot_be_swept_is_refused(empty_folder: Path, vary: dict, more: dict, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        movesim.sweep(**KEYS, vary=vary, **more)
    assert not list(empty_folder.iterdir())


@pytest.mark.slow
def test_precision_is_told_where_results_are_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = folder / "precise"
    words = ["run", "scenario=community_leaders", "people=500", "years=1", "draws=central", "workers=1", f"out={out}"]
    asked = ["precision=0.000001", "pairs_at_most=3", "gaps=[sex,adult.imd_decile.inactive.sii]"]
    assert main([*words, *asked]) == 0
    told = " ".join(capsys.readouterr().out.split())
    verdict = movesim.load(out).manifest["precision"]
    assert verdict["pairs"] == 3 and not verdict["tight"] and verdict["more"] >= 10 and len(verdict["looks"]) == 2
    assert "Cannot tell, and it would take about" in told and verdict["sentence"] in (out / "report.html").read_text("utf-8")
    assert main([*words, *asked]) == 0
    assert capsys.readouterr().out.startswith("Already done")
    assert main([*words, "precision=1000", "pairs_at_most=3", "report=false"]) == 0
    assert "Tight enough: with 3 pairs" in " ".join(capsys.readouterr().out.split())


def test_a_worker_of_another_make_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from movesim.experiments.replicate import OtherMake, Task, population_of

    task = Task(0, ("routes",), "england", 500, 1, 1, 1, "central", False)
    assert len(population_of(task)) > 300
    with pytest.raises(OtherMake, match="A worker has other sources of movesim than this study began with"):
        population_of(Task(**{**task.__dict__, "sources": "0123"}))
    with pytest.raises(OtherMake, match="A worker's place 'england' has other people than this study"):
        population_of(Task(**{**task.__dict__, "population": "0123"}))


def test_a_study_made_by_other_libraries_is_refused(tmp_path: Path) -> None:
    from movesim.experiments.store import Study

    Study(tmp_path / "s", "f00d", {"libraries": {"numpy": "1"}}).start()
    with pytest.raises(InputError, match=r"holds another study \(it differs in the versions of its libraries\)"):
        Study(tmp_path / "s", "beef", {"libraries": {"numpy": "2"}})


def test_changes_are_summed_up_by_point() -> None:
    """What the report draws: mean, range and error over pairs, in points."""
    from movesim.report.sweep import cell_of, unit_of

    assert cell_of("sex")["measure"] == "mean_deviation" and unit_of("sex") == "percentage points"
    assert cell_of("adult.imd_fifth.inactive.1") == {
        "age_group": "adult", "axis": "imd_fifth", "outcome": "inactive", "measure": "level", "level": "1",
    }  # fmt: skip
    assert unit_of("spent") == "pounds per resident a year" and unit_of("adult.all.minutes.all") == "minutes a week"
