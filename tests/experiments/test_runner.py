"""The runner under faults: no finished run is lost or counted twice, what fails is named, what is started again goes on."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import fake_runs
from fake_runs import jobs, keys, work
from movesim.errors import MovesimError
from movesim.experiments.engines import Engine, Local, Serial
from movesim.experiments.runner import Job, Tally, do_missing, finished, in_words
from movesim.experiments.runs import Runs
from movesim.experiments.store import save_table

ON_POSIX = pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")


@pytest.fixture(scope="module")
def two() -> Iterator[Engine]:
    engine = Local(2)
    yield engine
    engine.close()


def done(folder: Path, total: int, engine: Engine, odd: dict[int, str] | None = None, **more: object) -> Tally:
    return do_missing(Runs(folder), work, jobs(total, odd, folder), total, engine, quiet=True, **more)  # type: ignore[arg-type]


def table_bytes(folder: Path, total: int) -> str:
    """The final table as a file, made as studies make theirs."""
    save_table(Runs(folder).read("numbers", keys(total)).to_pandas(), folder / "final.parquet")
    return hashlib.sha256((folder / "final.parquet").read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("undisturbed")
    done(folder, 30, Serial())
    return table_bytes(folder, 30)


def test_two_processes_give_the_bytes_of_one(tmp_path: Path, two: Engine, undisturbed: str) -> None:
    assert done(tmp_path, 30, two) == Tally(30, 30, 0)
    assert table_bytes(tmp_path, 30) == undisturbed


def test_only_what_is_missing_is_done_and_a_larger_study_extends_a_smaller(tmp_path: Path, undisturbed: str) -> None:
    assert done(tmp_path, 10, Serial()) == Tally(10, 10, 0)
    assert done(tmp_path, 30, Serial()) == Tally(30, 20, 0)
    assert done(tmp_path, 30, Serial()) == Tally(30, 0, 0)
    assert table_bytes(tmp_path, 30) == undisturbed


def test_shards_together_are_the_study(tmp_path: Path, two: Engine, undisturbed: str) -> None:
    tallies = [done(tmp_path, 30, engine, shard=(i, 3)) for i, engine in ((1, Serial()), (2, two), (3, Serial()))]
    assert sum(t.done for t in tallies) == 30 and all(t.done for t in tallies)
    assert table_bytes(tmp_path, 30) == undisturbed


@ON_POSIX
def test_what_fails_is_named_and_the_rest_goes_on(tmp_path: Path, two: Engine, undisturbed: str) -> None:
    """A poison run kills every worker that tries it, another worker is killed once by somebody, and one run raises."""
    tally = done(tmp_path, 30, two, {2: "die", 9: "raise", 17: "die once"})
    assert (tally.done, tally.failed) == (28, 2)
    runs = Runs(tmp_path)
    failed = {row["about"]["number"]: row for row in runs.failed().values()}
    assert failed[9]["error"] == "ValueError: number 9 is not to be had" and failed[9]["attempts"] <= 2
    assert failed[2]["error"].startswith("MovesimError: its worker process died 3 times") and failed[2]["attempts"] == 3
    assert runs.done() == set(keys(30)) - {keys(30)[2], keys(30)[9]}
    with pytest.raises(MovesimError, match=r"2 of 30 runs failed, the first of them number \d .*; the others are kept in"):
        tally.refuse_failures(runs, "runs")
    assert done(tmp_path, 30, two) == Tally(30, 2, 0)  # mended, and only these are tried again
    assert runs.failed() == {} and table_bytes(tmp_path, 30) == undisturbed


def test_fail_fast_stops(tmp_path: Path) -> None:
    tally = done(tmp_path, 30, Serial(), {3: "raise"}, fail_fast=True)
    assert (tally.done, tally.failed) == (3, 1) and "number 3 (ValueError" in tally.first


def test_a_run_that_never_ends_is_named(tmp_path: Path) -> None:
    tally = done(tmp_path, 4, Serial(), {1: "loop"}, limit=0.3)
    assert (tally.done, tally.failed) == (3, 1) and "took longer than 0.3 seconds" in tally.first


def test_a_disk_that_fills_up_in_a_worker_stops_the_study(tmp_path: Path) -> None:
    with pytest.raises(MovesimError, match=r"is full\. Every finished run is kept"):
        done(tmp_path, 10, Serial(), {4: "full"})
    assert Runs(tmp_path).done() == set(keys(4))


def test_no_run_begins_after_its_time(tmp_path: Path) -> None:
    assert done(tmp_path, 10, Serial(), until=time.monotonic() - 1) == Tally(10, 0, 0)


# --- the parent is stopped ----------------------------------------------------------------------------------------------
def begun(folder: Path, total: int, workers: int, does: str = "slow") -> subprocess.Popen:
    here = str(Path(fake_runs.__file__).parent)
    path = os.pathsep.join([here, *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.Popen(
        [sys.executable, fake_runs.__file__, str(folder), str(total), str(workers), does], start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip


def until(condition, process: subprocess.Popen, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came"
        assert process.poll() is None
        time.sleep(0.02)


@ON_POSIX
@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_parent_loses_no_finished_run(tmp_path: Path, two: Engine, undisturbed: str, workers: int) -> None:
    for so_far in (3, 9):  # killed twice
        process = begun(tmp_path, 30, workers)
        until(lambda: len(Runs(tmp_path).done()) >= so_far, process)  # noqa: B023
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    kept = Runs(tmp_path).done()
    assert 9 <= len(kept) < 30
    assert done(tmp_path, 30, two).done == 30 - len(kept)
    assert table_bytes(tmp_path, 30) == undisturbed


@ON_POSIX
def test_two_processes_at_one_study_share_it(tmp_path: Path, undisturbed: str) -> None:
    first = begun(tmp_path, 30, 1, "slow")
    until(lambda: Runs(tmp_path).done(), first)
    second = begun(tmp_path, 30, 1, "slow")
    assert first.wait(60) == 0 and second.wait(60) == 0
    assert Runs(tmp_path).done() == set(keys(30)) and table_bytes(tmp_path, 30) == undisturbed
    assert 30 <= sum(1 for _ in tmp_path.glob("*.slow-*")) < 45  # they began at the two ends and met in the middle
    assert not (tmp_path / "sessions").exists()


def test_what_another_process_has_put_together_is_not_done_again(tmp_path: Path, undisturbed: str) -> None:
    """Somebody else does the last twenty runs, and puts them into a part, while this process is at its fifth."""

    def meanwhile() -> Iterator[Job]:
        for number, job in enumerate(jobs(30)):
            if number == 5:
                others = Runs(tmp_path)
                for other in list(jobs(30))[10:]:
                    others.add(other.key, finished((work, other.task)))
                others.seal()
            yield job

    assert do_missing(Runs(tmp_path), work, meanwhile(), 30, Serial(), quiet=True) == Tally(30, 10, 0)
    assert table_bytes(tmp_path, 30) == undisturbed


# --- what is said -------------------------------------------------------------------------------------------------------
def test_progress_says_share_time_and_failures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    do_missing(Runs(tmp_path), work, jobs(5), 5, Serial(), what="runs")
    do_missing(Runs(tmp_path), work, jobs(20, {7: "raise"}), 20, Serial(), what="runs")
    told = capsys.readouterr().err.splitlines()
    assert told[0] == "Running 5 runs." and told[5] == "  5 of 5 runs done (100%), about 0 s left"
    assert told[6] == "Running 20 runs (5 are finished already)."
    assert told[-1] == "  20 of 20 runs done (100%), about 0 s left, 1 failed"


@pytest.mark.parametrize(("seconds", "said"), [(0, "0 s"), (89, "89 s"), (90, "2 min"), (7_200, "2.0 hours"), (1e6, "11.6 days")])
def test_lengths_of_time_in_words(seconds: float, said: str) -> None:
    assert in_words(seconds) == said
