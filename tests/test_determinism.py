"""The same study gives the same numbers, bit for bit: with any number of processes, grown, stopped or killed on the way.

And a run in which nothing is done but something happens is stopped: the guards, broken on purpose.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

import movesim
from movesim.behaviour.shifts import Shifts
from movesim.cli import main
from movesim.experiments.runs import Runs
from movesim.interventions.delivery import Delivery
from movesim.result_tables import RESULT_TABLES

# Fitted draws: every pair has its own numbers, references and studies, so that a mix-up of pairs would show.
KEYS = {"people": 1_000, "years": 1, "quiet": True, "report": False}
TWO = {**KEYS, "scenarios": ["school_day", "community_leaders"]}
WORDS = ["compare", "scenarios=[school_day,community_leaders]", "people=1000", "years=1", "quiet=true", "report=false"]
ON_POSIX = pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")


def assert_same(one: Path, other: Path) -> None:
    """Every table is the same, bit for bit, in the same order."""
    ours, theirs = movesim.load(one), movesim.load(other)
    for table in RESULT_TABLES:
        pd.testing.assert_frame_equal(ours.to_frame(table), theirs.to_frame(table), check_exact=True, obj=table)
    for key in ("scenarios", "guards", "place", "fingerprint", "replicates"):
        assert ours.manifest[key] == theirs.manifest[key], key


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("determinism")


@pytest.fixture(scope="module")
def three_at_once(folder: Path) -> Path:
    """Three pairs in this process, undisturbed: what all others must equal."""
    return movesim.compare(**TWO, replicates=3, workers=1, out=folder / "at_once").folder


@pytest.mark.slow
def test_two_processes_give_what_one_gives(three_at_once: Path, folder: Path) -> None:
    assert_same(movesim.compare(**TWO, replicates=3, workers=2, out=folder / "two").folder, three_at_once)


@pytest.mark.slow
def test_a_study_that_grew_is_the_study_at_once(three_at_once: Path, folder: Path) -> None:
    for replicates in (1, 2, 3):
        result = movesim.compare(**TWO, replicates=replicates, workers=1, out=folder / "grown")
        assert result.status == "done" and result.manifest["replicates"] == replicates
    assert_same(result.folder, three_at_once)


@pytest.mark.slow
def test_a_scenario_does_not_depend_on_what_it_is_compared_with(three_at_once: Path, folder: Path) -> None:
    keys = {**KEYS, "scenario": "community_leaders"}
    alone = movesim.run(**keys, replicates=1, workers=1, out=folder / "alone").to_frame("outcomes")
    both = movesim.load(three_at_once).to_frame("outcomes").query("scenario != 'school_day' and replicate == 0")
    pd.testing.assert_frame_equal(alone.reset_index(drop=True), both.reset_index(drop=True), check_exact=True)


@pytest.mark.slow
def test_another_seed_gives_other_numbers(three_at_once: Path, folder: Path) -> None:
    other = movesim.compare(**TWO, replicates=1, seed=2, workers=1, out=folder / "other_seed").to_frame("outcomes")
    ours = movesim.load(three_at_once).to_frame("outcomes").query("replicate == 0")
    assert (other["inactive"].to_numpy() != ours["inactive"].to_numpy()).mean() > 0.5


# --- stopped ----------------------------------------------------------------------------------------------------------
def begun(out: Path, workers: int) -> subprocess.Popen:
    """Start the study as somebody would in a terminal, and return when one of its three pairs is finished."""
    words = [*WORDS, "replicates=3", f"workers={workers}", f"out={out}"]
    process = subprocess.Popen(
        [sys.executable, "-m", "movesim", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    until = time.monotonic() + 240
    while not finished_pairs(out):
        assert process.poll() is None, process.communicate()
        if time.monotonic() > until:
            os.killpg(process.pid, signal.SIGKILL)
            pytest.fail("no pair was finished within four minutes")
        time.sleep(0.01)
    return process


def finished_pairs(out: Path) -> list[str]:
    return sorted(Runs(out).done())


def gone_on(out: Path, capsys: pytest.CaptureFixture[str]) -> int:
    """Give the same command again; return how many pairs it ran."""
    capsys.readouterr()
    assert main([*(word for word in WORDS if word != "quiet=true"), "replicates=3", "workers=1", f"out={out}"]) == 0
    told = capsys.readouterr().err
    assert len(finished_pairs(out)) == 3
    return int(re.search(r"Running 3 pairs \((\d) are finished already\)", told).group(1))


@ON_POSIX
@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_is_130_and_the_next_start_goes_on(
    workers: int, three_at_once: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = folder / f"stopped_{workers}"
    process = begun(out, workers)
    os.killpg(process.pid, signal.SIGINT)  # a terminal sends it to the program and to its processes
    said, complained = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said == "" and "Stopped. What was finished is kept" in complained and "Traceback" not in complained, complained
    assert not (out / "manifest.json").exists()
    with pytest.raises(movesim.InputError, match="is unfinished; start the same command again and it goes on"):
        movesim.load(out)
    kept = finished_pairs(out)
    assert 1 <= len(kept) < 3
    assert gone_on(out, capsys) == len(kept)
    assert_same(out, three_at_once)


@ON_POSIX
@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_killed_in_the_middle_it_goes_on(
    workers: int, three_at_once: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = folder / f"killed_{workers}"
    process = begun(out, workers)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    kept = finished_pairs(out)
    assert process.returncode == -signal.SIGKILL and 1 <= len(kept) < 3
    # as if it had died in the midst of writing a pair, the tables and the mark
    (out / "parts" / ".0123456789ab").mkdir()
    (out / "parts" / ".0123456789ab" / "outcomes.parquet").write_bytes(b"PAR1")
    (out / "parts" / f".{'0' * 32}.run.01234567").write_bytes(b"ARROW")
    (out / ".outcomes.parquetabc").write_bytes(b"PAR1")
    (out / ".study.json.01234567").write_text("{")
    assert gone_on(out, capsys) == len(kept)
    assert_same(out, three_at_once)


# --- guards -----------------------------------------------------------------------------------------------------------
LATER = """\
title: Leaders from the second year on
summary: Community leaders who begin in the second year.
budget:
  pounds_per_resident_a_year:
    {value: 1.0, distribution: fixed, unit: pounds per resident a year, status: assumed, meaning: Money for the scenario}
interventions:
  - use: community_leaders
    start_year: 2
"""
SMALL = ["people=500", "years=2", "replicates=1", "workers=1", "draws=central", "quiet=true", "report=false", "out=study"]


def assert_nothing_was_made(folder: Path) -> None:
    study = folder / "study"
    assert finished_pairs(study) == [] and not list(study.glob("*.parquet")) and not (study / "manifest.json").exists()


def test_a_dose_of_0_that_does_something_is_stopped(
    empty_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sound = Delivery.__init__

    def leaking(self, *given, **options) -> None:
        sound(self, *given, **options)
        self.dose = self.dose or 1e-3

    monkeypatch.setattr(Delivery, "__init__", leaking)
    assert main(["run", "scenario=community_leaders", *SMALL]) == 3
    out, err = capsys.readouterr()
    assert out == "" and err == "'community_leaders' at dose 0 is not no change after 2 years; nothing was kept.\n"
    assert_nothing_was_made(empty_folder)
    monkeypatch.undo()
    monkeypatch.chdir(empty_folder)
    with pytest.raises(movesim.InputError, match="is unfinished"):
        movesim.load("study")


def test_a_scenario_that_acts_before_it_starts_is_stopped(
    empty_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (empty_folder / "leaders_later.yaml").write_text(LATER)
    sound = Delivery.step

    def hasty(self, week: int, shifts: Shifts, readiness) -> None:
        sound(self, week, shifts, readiness)
        if week == 20:
            shifts.array("Y")[:] += 0.5
            shifts.touched("Y")

    monkeypatch.setattr(Delivery, "step", hasty)
    assert main(["run", "scenario=leaders_later.yaml", *SMALL]) == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "'leaders_later' differs from no change at week 24, before it starts at week 52; nothing was kept.\n"
    assert_nothing_was_made(empty_folder)


def test_the_guards_let_sound_runs_pass_and_say_so(empty_folder: Path) -> None:
    (empty_folder / "leaders_later.yaml").write_text(LATER)
    assert main(["run", "scenario=leaders_later.yaml", *SMALL]) == 0
    guards = {guard["name"]: guard for guard in movesim.load("study").manifest["guards"]}
    assert all(guard["passed"] for guard in guards.values())
    assert guards["identical before the start"]["detail"] == "leaders_later: every count until week 52 is the same"
    assert guards["placebo"]["detail"] == "leaders_later at dose 0 is no change, bit for bit, to the last week"


def test_shares_that_cannot_be_are_stopped(
    empty_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from movesim.outcomes.record import Recorder

    sound = Recorder.outcomes
    monkeypatch.setattr(Recorder, "outcomes", lambda self, *given: sound(self, *given).assign(inactive=1.5))
    assert main(["run", "scenario=routes", *SMALL]) == 3
    out, err = capsys.readouterr()
    assert out == "" and err == (
        "Some status shares are not numbers between 0 and 1 that sum to 1; this is a fault of the model.\n"
    )
    assert not (empty_folder / "study" / "manifest.json").exists()


def test_a_burn_in_that_does_not_settle_is_stopped_only_when_enough_pairs_agree() -> None:
    """Two pairs of a few hundred children may both jump by a point by chance; twenty that all move have not settled."""
    from movesim.experiments.study import guards_of

    def notes(moved: list[float]) -> list[dict]:
        return [{"guards": [], "drift": {"child": [m, -m, 0.0]}} for m in moved]

    (guard,) = guards_of(notes([0.013, 0.0132]))
    assert guard["passed"] and guard["detail"].startswith("child: shares moved by 1.31 points at most")
    with pytest.raises(movesim.GuardError, match=r"The burn-in has not settled \(child: shares moved by 1\.30 points at most"):
        guards_of(notes([0.012, 0.014] * 10))
    assert guards_of(notes([0.002, 0.0021] * 50))[0]["passed"]
