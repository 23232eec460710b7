"""Doing many tasks: every outcome once, errors by name, a dying worker takes no other task with it, nothing runs for ever."""

from __future__ import annotations

import itertools
import os
import signal
import time
from collections.abc import Iterator

import pytest

from movesim.errors import InputError, MovesimError
from movesim.experiments.engines import Engine, Local, Serial, run_all


def double(x: int) -> int:
    return 2 * x


def sometimes_fails(x: int) -> int:
    if x == 3:
        raise ValueError("three is not to be had")
    return x


def dies(x: int) -> int:
    if x == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return x


def refuses(x: int) -> int:
    raise InputError("nothing of this can be done")


def sleeps(x: int) -> int:
    if x == 1:
        while True:  # deaf to nothing but the end
            time.sleep(0.01)
    if x == 2:
        time.sleep(60)  # deaf to all but the end of its process
    return x


@pytest.fixture(scope="module", params=[1, 2])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    made: Engine = Serial() if request.param == 1 else Local(request.param)
    yield made
    made.close()


def test_every_task_has_one_outcome(engine: Engine) -> None:
    outcomes = list(run_all(double, range(7), engine))
    assert sorted(o.value for o in outcomes) == [0, 2, 4, 6, 8, 10, 12]
    assert sorted(o.task for o in outcomes) == list(range(7))


def test_tasks_are_drawn_as_they_are_needed(engine: Engine) -> None:
    """There may be millions: after five outcomes only a few more than five have been asked for."""
    asked = []
    endless = (asked.append(i) or i for i in itertools.count())
    found = [o.value for o in itertools.islice(run_all(double, endless, engine), 5)]
    assert len(found) == 5 and len(asked) <= 5 + 4


def test_a_failing_task_is_named_and_the_rest_goes_on(engine: Engine) -> None:
    outcomes = {o.task: o for o in run_all(sometimes_fails, range(5), engine)}
    assert isinstance(outcomes[3].error, ValueError)
    assert all(outcomes[i].value == i and outcomes[i].error is None for i in (0, 1, 2, 4))


def test_wrong_input_stops_everything_unless_it_is_one_row_s(engine: Engine) -> None:
    with pytest.raises(InputError, match="nothing of this can be done"):
        list(run_all(refuses, range(3), engine))
    assert [str(o.error) for o in run_all(refuses, range(3), engine, fatal=())] == ["nothing of this can be done"] * 3


def test_workers_live_through_the_study() -> None:
    engine = Local(2)
    try:
        first = {o.value for o in run_all(_process, range(20), engine)}
        assert {o.value for o in run_all(_process, range(20), engine)} == first
        assert 1 <= len(first) <= 2 and os.getpid() not in first
    finally:
        engine.close()


def _process(x: int) -> int:
    time.sleep(0.01)
    return os.getpid()


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")
def test_a_worker_that_dies_costs_its_own_task_alone() -> None:
    engine = Local(2)
    try:
        outcomes = {o.task: o for o in run_all(dies, range(5), engine)}
    finally:
        engine.close()
    assert all(outcomes[i].value == i for i in (0, 1, 3, 4))
    assert isinstance(outcomes[2].error, MovesimError)
    assert str(outcomes[2].error).startswith("its worker process died 3 times (")


def test_a_task_that_never_ends_is_stopped() -> None:
    (found,) = run_all(sleeps, [1], Serial(), limit=0.2)
    assert str(found.error) == "it took longer than 0.2 seconds (seconds_a_run)"


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")
def test_a_task_that_never_ends_is_stopped_in_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Local(2)
    try:
        outcomes = {o.task: o for o in run_all(sleeps, range(4), engine, limit=0.5)}
    finally:
        engine.close()
    assert outcomes[0].value == 0 and outcomes[3].value == 3
    assert "took longer than 0.5 seconds" in str(outcomes[1].error)
    assert outcomes[2].error is not None


class _NeverStarts:
    """An executor whose workers die before they do anything."""

    workers = 2

    def executor(self):
        return self

    def submit(self, *given):
        from concurrent.futures.process import BrokenProcessPool

        raise BrokenProcessPool("no worker could be started")

    def close(self, broken: bool = False) -> None:
        pass


def test_workers_that_never_start_end_with_a_sentence() -> None:
    with pytest.raises(MovesimError, match="Worker processes died 6 times in a row without finishing anything"):
        list(run_all(double, range(3), _NeverStarts()))
