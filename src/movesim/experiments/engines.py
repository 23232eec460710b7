"""Doing many tasks: in this process, or in worker processes that live through the study."""

from __future__ import annotations

import collections
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, wait
from dataclasses import dataclass
from typing import Any

from movesim.errors import InputError

MOST_ATTEMPTS = 3
ONE_THREAD = dict.fromkeys(("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@dataclass(frozen=True)
class Outcome:
    """How a task ended: its value, or what went wrong."""

    task: Any
    value: Any = None
    error: BaseException | None = None


def run_all(function: Callable[[Any], Any], tasks: Iterable[Any], workers: int = 1) -> Iterator[Outcome]:
    """Yield each task's outcome as it ends; with one worker in this process and in order.

    A worker process that dies takes no finished task with it: what was in flight is tried again, one at a time, and a task
    whose worker dies three times is given up by name while the rest goes on.
    """
    if workers <= 1:
        yield from (_here(function, task) for task in tasks)
        return
    waiting: collections.deque[tuple[Any, int]] = collections.deque((task, 0) for task in tasks)
    suspects: collections.deque[tuple[Any, int]] = collections.deque()
    live: dict[Any, tuple[Any, int]] = {}
    executor = _open(workers)
    try:
        while waiting or suspects or live:
            queue, room = (suspects, 1) if suspects else (waiting, 2 * workers)
            while queue and len(live) < room:
                task, attempts = queue.popleft()
                live[executor.submit(function, task)] = (task, attempts + 1)
            done, _ = wait(live, return_when=FIRST_COMPLETED)
            broken = False
            for future in done:
                task, attempts = live.pop(future)
                try:
                    yield Outcome(task, future.result())
                except BrokenExecutor as error:
                    broken = True
                    if attempts >= MOST_ATTEMPTS:
                        yield Outcome(task, error=error)
                    else:
                        suspects.append((task, attempts))
                except InputError:
                    raise
                except Exception as error:
                    yield Outcome(task, error=error)
            if broken:
                suspects.extend((task, attempts) for task, attempts in live.values())
                live.clear()
                executor.shutdown(wait=True, kill_workers=True)
                executor = _open(workers)
    finally:
        executor.shutdown(wait=True, kill_workers=bool(live))


def _here(function: Callable[[Any], Any], task: Any) -> Outcome:
    try:
        return Outcome(task, function(task))
    except InputError:
        raise
    except Exception as error:
        return Outcome(task, error=error)


def _open(workers: int) -> Any:
    from joblib.externals.loky import ProcessPoolExecutor

    return ProcessPoolExecutor(workers, env=ONE_THREAD)
