"""Doing many tasks: every outcome once, errors by name, a dying worker takes no other task with it."""

from __future__ import annotations

import os
import signal

import pytest

from movesim.errors import InputError
from movesim.experiments.engines import run_all


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


@pytest.mark.parametrize("workers", [1, 2])
def test_every_task_has_one_outcome(workers: int) -> None:
    outcomes = list(run_all(double, range(7), workers))
    assert sorted(o.value for o in outcomes) == [0, 2, 4, 6, 8, 10, 12]
    assert sorted(o.task for o in outcomes) == list(range(7))


@pytest.mark.parametrize("workers", [1, 2])
def test_a_failing_task_is_named_and_the_rest_goes_on(workers: int) -> None:
    outcomes = {o.task: o for o in run_all(sometimes_fails, range(5), workers)}
    assert isinstance(outcomes[3].error, ValueError)
    assert all(outcomes[i].value == i and outcomes[i].error is None for i in (0, 1, 2, 4))


def test_a_worker_that_dies_costs_its_own_task_alone() -> None:
    outcomes = {o.task: o for o in run_all(dies, range(5), 2)}
    assert outcomes[2].error is not None
    assert all(outcomes[i].value == i for i in (0, 1, 3, 4))


@pytest.mark.parametrize("workers", [1, 2])
def test_wrong_input_stops_everything(workers: int) -> None:
    with pytest.raises(InputError, match="nothing of this can be done"):
        list(run_all(refuses, range(3), workers))
