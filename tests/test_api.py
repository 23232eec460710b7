"""movesim from Python, as a notebook uses it: run, compare, load, frames, figures, and a scenario of one's own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import movesim
from movesim.report.figures import CHARTS
from movesim.result_tables import RESULT_TABLES

SMALL = {"people": 2_000, "replicates": 2, "years": 2, "draws": "central", "workers": 1, "quiet": True}

# What docs and reports rely on.
MANIFEST = {
    "movesim", "python", "packages", "command", "command_line", "created", "seed", "draws", "replicates", "years",
    "start_year", "place", "areas", "scenarios", "guards", "fit", "seconds", "fingerprint", "model_id", "data_hashes",
    "warnings",
}  # fmt: skip
PLACE = {"name", "title", "agents", "residents", "neighbourhoods", "notes"}
SCENARIO = {"name", "title", "summary", "slogan", "pounds_per_resident_a_year", "budget_text", "interventions", "payers"}

OWN = """\
title: Leaders in Nottingham
slogan: Start where we are
summary: Community leaders in one authority, with twice the money and a quicker start.
budget:
  pounds_per_resident_a_year:
    {value: 2.0, distribution: fixed, unit: pounds per resident a year, status: assumed, meaning: Money for the scenario}
interventions:
  - use: community_leaders
    where: {targeting: universal, local_authority: [Nottingham]}
    ramp_weeks: {value: 4, distribution: fixed, unit: weeks, status: assumed, meaning: From the first change to the full one}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("notebook")


@pytest.fixture(scope="module")
def own(folder: Path) -> Path:
    path = folder / "leaders_in_nottingham.yaml"
    path.write_text(OWN, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def result(folder: Path, own: Path):
    """A run of a scenario of one's own, with its report."""
    return movesim.run(scenario=own, out=folder / "run", **SMALL)


def test_run_returns_a_result_with_its_report(result, folder: Path) -> None:
    assert isinstance(result, movesim.Result) and result.status == "done" and result.folder == folder / "run"
    names = {path.name for path in result.folder.iterdir()}
    assert {"report.html", "workbook.xlsx", "figures", "manifest.json", "config.yaml"} <= names


@pytest.mark.parametrize("table", RESULT_TABLES)
def test_every_table_is_a_frame(result, table: str) -> None:
    frame = result.to_frame(table)
    assert isinstance(frame, pd.DataFrame) and (len(frame) or table == "rules")  # this scenario has no rules
    assert {column.name for column in RESULT_TABLES[table][1]} <= set(frame.columns)
    if "scenario" in frame:
        assert set(frame["scenario"]) <= {"baseline", "leaders_in_nottingham"}


def test_the_frame_one_asks_for_first_is_the_comparison(result) -> None:
    assert result.to_frame().equals(result.to_frame("comparison"))


def test_load_gives_the_same_result_later(result) -> None:
    again = movesim.load(str(result.folder))
    assert again.status == "already done" and again.manifest == result.manifest
    for table in RESULT_TABLES:
        pd.testing.assert_frame_equal(again.to_frame(table), result.to_frame(table), check_exact=True)


def test_the_manifest_has_what_others_rely_on(result) -> None:
    manifest = result.manifest
    assert set(manifest) >= MANIFEST and set(manifest["place"]) >= PLACE
    assert [each["name"] for each in manifest["scenarios"]] == ["baseline", "leaders_in_nottingham"]
    for each in manifest["scenarios"]:
        assert set(each) >= SCENARIO
    assert 1_900 < manifest["place"]["agents"] < 2_100 and manifest["place"]["residents"] > 1e6
    assert manifest["draws"] == "central" and manifest["seed"] == 1 and manifest["areas"] == []
    assert {guard["name"] for guard in manifest["guards"]} >= {"identical before the start", "placebo"}
    assert all(set(guard) == {"name", "passed", "detail"} for guard in manifest["guards"])
    none, ours = manifest["scenarios"]
    assert none["pounds_per_resident_a_year"] == 0 and ours["budget_text"] == "£2.00 per resident a year"
    assert 0 < ours["pounds_per_resident_a_year"] <= 2.0
    residents_years = manifest["place"]["residents"] * manifest["years"]
    assert sum(ours["payers"].values()) / residents_years == pytest.approx(ours["pounds_per_resident_a_year"])
    assert json.loads(json.dumps(manifest)) == manifest


def test_a_scenario_of_ones_own_does_what_it_says(result) -> None:
    ledger = result.to_frame("assumptions").set_index("path")
    assert ledger["used_by"].str.contains("leaders_in_nottingham").any()
    (ramp,) = [path for path in ledger.index if path.startswith("scenarios.leaders_in_nottingham.") and "ramp_weeks" in path]
    assert ledger.loc[ramp, "value"] == 4
    gained = result.to_frame("contributions").query("scenario == 'leaders_in_nottingham'")
    by_authority = gained.groupby("local_authority")["fewer_inactive"].apply(lambda residents: residents.abs().sum())
    assert by_authority["Nottingham"] > by_authority.drop("Nottingham").sum()  # somebody may have moved away
    ladder = result.to_frame("ladder")
    assert ladder.query("step == 'placed'")["reached"].sum() > 0


@pytest.mark.parametrize("name", ["gap-over-time", "gradient"])
def test_plot_returns_a_figure(result, name: str) -> None:
    from matplotlib.figure import Figure

    figure = result.plot(name)
    assert isinstance(figure, Figure) and figure.get_size_inches().tolist() == [9.6, 5.4]
    assert (result.folder / "figures" / f"{name}.svg").is_file()
    if name == "gap-over-time":
        assert isinstance(result.plot(), Figure)


def test_plot_says_what_there_is(result) -> None:
    with pytest.raises(movesim.InputError, match=r"no figure called 'gradent'\. Did you mean 'gradient'\? There are gap-over"):
        result.plot("gradent")
    missing = [name for name in CHARTS if not (result.folder / "figures" / f"{name}.svg").exists()]
    for name in missing:
        with pytest.raises(movesim.InputError, match=f"There is no figure '{name}' of this result: "):
            result.plot(name)


def test_save_copies_everything_and_overwrites_nothing(result, tmp_path: Path) -> None:
    copied = movesim.load(result.save(tmp_path / "kept"))
    ours, theirs = ({p.relative_to(r.folder) for r in [each] for p in r.folder.rglob("*")} for each in (result, copied))
    assert ours == theirs
    assert copied.to_frame().equals(result.to_frame())
    with pytest.raises(movesim.InputError, match=r"kept exists already; name a folder that does not\."):
        result.save(tmp_path / "kept")


def test_settings_can_be_an_object_and_a_finished_study_is_not_run_again(result, own: Path) -> None:
    again = movesim.run(movesim.RunSettings(scenario=str(own), out=result.folder, **SMALL))
    assert again.status == "already done" and again.folder == result.folder


def test_keys_and_an_object_together_are_refused(own: Path) -> None:
    with pytest.raises(movesim.InputError, match=r"movesim\.run takes either keys by name or one RunSettings\."):
        movesim.run(movesim.RunSettings(scenario=str(own)), years=3)
    with pytest.raises(movesim.InputError, match=r"movesim\.run takes either keys by name or one RunSettings\."):
        movesim.run("routes")  # type: ignore[arg-type]


def test_a_wrong_key_or_value_is_refused_before_anything_is_made(empty_folder: Path) -> None:
    with pytest.raises(movesim.InputError, match=r"'replicate' is not a setting of movesim run\. Did you mean 'replicates'\?"):
        movesim.run(scenario="routes", replicate=3)
    with pytest.raises(movesim.InputError, match=r"years must be a whole number from 1 to 50, got 0\."):
        movesim.compare(scenarios=["routes"], years=0)
    assert not list(empty_folder.iterdir())


@pytest.mark.parametrize(
    ("where", "areas", "sentence"),
    [
        ("Nottingham", ["Mansfield"], r"areas: none of the \d+ people live in Mansfield; take more people, or people=all\."),
        ("Mansfield", [], r"'community_leaders' reaches no neighbourhood of this place; widen 'where', or take more people\."),
        ("Mansfeild", [], r"'community_leaders' is for Mansfeild, which is no authority of this place\. Did you mean 'Mansf"),
    ],
)
def test_where_nobody_lives_is_refused_before_anything_is_made(
    where: str, areas: list[str], sentence: str, empty_folder: Path
) -> None:
    """A sample of a thousand people has nobody in some authorities."""
    (empty_folder / "own.yaml").write_text(OWN.replace("[Nottingham]", f"[{where}]"), encoding="utf-8")
    with pytest.raises(movesim.InputError, match=sentence):
        movesim.run(scenario="own.yaml", areas=areas, **{**SMALL, "people": 1_000}, out="study")
    assert [path.name for path in empty_folder.iterdir()] == ["own.yaml"]


def test_areas_restrict_results_and_not_people(folder: Path) -> None:
    """The same people are simulated, so an authority's numbers are the same whether it is asked for alone or not."""
    keys = {**SMALL, "scenarios": ["routes", "community_leaders"], "report": False}
    whole = movesim.compare(**keys, out=folder / "whole")
    alone = movesim.compare(**keys, out=folder / "alone", areas=["Mansfield"])
    everybody, mansfield = whole.to_frame("outcomes"), alone.to_frame("outcomes")
    assert alone.manifest["areas"] == ["Mansfield"]
    assert alone.manifest["place"]["agents"] == whole.manifest["place"]["agents"]
    assert any("Results are for Mansfield alone" in warning for warning in alone.manifest["warnings"])
    shared = ["scenario", "draw", "replicate", "week", "window", "age_group"]
    numbers = ["agents", "residents", "inactive", "fairly_active", "active", "minutes"]

    def rows(frame: pd.DataFrame, axis: str, level: str) -> pd.DataFrame:
        found = frame[(frame["axis"] == axis) & (frame["level"] == level) & (frame["window"] == 52)]
        return found.set_index(shared)[numbers].sort_index()

    assert set(mansfield.loc[mansfield["axis"] == "local_authority", "level"]) == {"Mansfield"}
    pd.testing.assert_frame_equal(rows(mansfield, "all", "all"), rows(everybody, "local_authority", "Mansfield"), rtol=1e-12)
    assert (rows(mansfield, "all", "all")["residents"] < 0.2 * rows(everybody, "all", "all")["residents"]).all()
    # Money is spent in the whole place, whoever is reported on.
    pd.testing.assert_frame_equal(alone.to_frame("money"), whole.to_frame("money"))


@pytest.mark.slow
def test_a_script_needs_no_command_line(own: Path, folder: Path) -> None:
    """A script of its own process, spelt as in the README, without `if __name__ == "__main__"`."""
    lines = f"""\
import movesim
keys = dict(people=1_000, years=1, replicates=2, workers=2, draws="central", report=False, quiet=True)
result = movesim.compare(scenarios=[{str(own)!r}, "routes"], out={str(folder / "script")!r}, **keys)
print(len(movesim.load(result.folder).to_frame("gaps")))
"""
    script = folder / "study.py"
    script.write_text(lines, encoding="utf-8")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, cwd=folder, timeout=300)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 0 and done.stderr == ""
