"""Dask as the engine, started for real: on this computer, at a scheduler's address, and as jobs of a made-up Slurm."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import fake_runs
from fake_runs import jobs, keys, work
from movesim.errors import InputError
from movesim.experiments import engines
from movesim.experiments.engines import Dask, Engine, Serial
from movesim.experiments.runner import Tally, do_missing
from movesim.experiments.runs import Runs

distributed = pytest.importorskip("distributed", reason="needs the extra 'cluster' (Dask)")


def done(folder: Path, total: int, engine: Engine, odd: dict[int, str] | None = None) -> Tally:
    folder.mkdir(exist_ok=True)
    return do_missing(Runs(folder), work, jobs(total, odd, folder), total, engine, quiet=True)


def same(one: Path, other: Path, total: int) -> bool:
    return Runs(one).read("numbers", keys(total)).equals(Runs(other).read("numbers", keys(total)))


@pytest.fixture(scope="module")
def serial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("serial")
    done(folder, 12, Serial())
    return folder


@pytest.fixture(scope="module")
def impatient() -> Iterator[None]:
    """A scheduler that gives a task up after its worker died twice, so that the test need not wait for four new workers."""
    import dask

    with dask.config.set({"distributed.scheduler.allowed-failures": 1}):
        yield


def test_workers_of_this_computer_and_a_poison_run(tmp_path: Path, serial: Path, impatient: None) -> None:
    engine = Dask("local", 2)
    try:
        assert done(tmp_path / "a", 12, engine) == Tally(12, 12, 0)
        assert len(engine._client.scheduler_info(n_workers=-1)["workers"]) == 2
        tally = done(tmp_path / "b", 12, engine, {3: "die once", 5: "die", 7: "raise"})
    finally:
        engine.close()
    assert same(tmp_path / "a", serial, 12)
    failed = {row["about"]["number"]: row["error"] for row in Runs(tmp_path / "b").failed().values()}
    assert (tally.done, tally.failed) == (10, 2) and set(failed) == {5, 7}
    assert "its worker process died" in failed[5] and failed[7] == "ValueError: number 7 is not to be had"


def test_a_scheduler_by_its_address(tmp_path: Path, serial: Path) -> None:
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, memory_limit=0, dashboard_address=None) as cluster:
        engine = Dask(cluster.scheduler_address, 1)
        try:
            assert done(tmp_path, 12, engine) == Tally(12, 12, 0)
            assert engine.workers == 2  # as many as there are, whatever was asked for
        finally:
            engine.close()
    assert same(tmp_path, serial, 12)


def test_nobody_at_the_address_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "ANSWER", 1.0)
    with pytest.raises(InputError, match=r"scheduler=tcp://127.0.0.1:9: no scheduler of Dask answers there \("):
        Dask("tcp://127.0.0.1:9", 1).executor()


@pytest.mark.skipif(os.name != "posix", reason="Slurm is POSIX")
def test_jobs_of_slurm(tmp_path: Path, serial: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The batch scripts are those for Slurm; an `sbatch` of ours starts copies of them on this computer (they are deleted)."""
    pytest.importorskip("dask_jobqueue", reason="needs the extra 'cluster' (dask-jobqueue)")
    import dask

    tools = tmp_path / "bin"
    tools.mkdir()
    for name, text in {
        "sbatch": '#!/bin/sh\ncp "$1" "$0.$$"\nbash "$0.$$" >>"$0.log" 2>&1 &\necho "Submitted batch job $!"\n',
        "scancel": '#!/bin/sh\nkill "$@" 2>/dev/null\nexit 0\n',
    }.items():
        (tools / name).write_text(text)
        (tools / name).chmod(stat.S_IRWXU)
    here = os.pathsep.join([str(Path(fake_runs.__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", here)
    slurm = {"cores": 1, "memory": "1GB", "processes": 1, "walltime": "00:05:00", "python": sys.executable,
             "log-directory": str(tmp_path), "local-directory": str(tmp_path)}  # fmt: skip
    with dask.config.set({f"jobqueue.slurm.{key}": value for key, value in slurm.items()}):
        engine = Dask("slurm", 2)
        try:
            engine.executor()
            engine._client.wait_for_workers(2, timeout=240)
            assert "#SBATCH -t 00:05:00" in engine._cluster.job_script()
            assert done(tmp_path / "study", 12, engine) == Tally(12, 12, 0)
        finally:
            engine.close()
    assert same(tmp_path / "study", serial, 12)


def test_slurm_that_is_not_configured_is_a_sentence() -> None:
    pytest.importorskip("dask_jobqueue", reason="needs the extra 'cluster' (dask-jobqueue)")
    with pytest.raises(InputError, match=r"scheduler=slurm: .* Say it in Dask's configuration \(jobqueue.slurm\)\."):
        Dask("slurm", 1).executor()


def test_without_dask_there_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match=r"engine=dask needs Dask .*; install it with: pip install 'movesim\[cluster\]'"):
        Dask("local", 1).executor()
