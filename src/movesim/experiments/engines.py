"""Doing many tasks: in this process, in worker processes of this computer, or on a cluster, behind one small driver.

An engine opens an executor of `concurrent.futures`; `run_all` hands it tasks, a few at a time, and yields how each ended.
What runs where changes no number.
"""

from __future__ import annotations

import collections
import contextlib
import ctypes
import itertools
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from dataclasses import dataclass
from typing import Any, Protocol

from movesim.errors import InputError, MovesimError

MOST_ATTEMPTS = 3
MOST_BROKEN = 5  # times that workers may die without one task ending
GRACE = 5.0  # seconds between asking a task that took too long to stop and ending its process
ANSWER = 30.0  # seconds in which a scheduler must answer
AHEAD = 2  # tasks handed over per worker, so that none waits for the next
ONE_THREAD = dict.fromkeys(("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@dataclass(frozen=True)
class Outcome:
    """How a task ended: its value, or what went wrong, and after how many attempts."""

    task: Any
    value: Any = None
    error: BaseException | None = None
    attempts: int = 1


class Engine(Protocol):
    """Where tasks are done."""

    workers: int

    def executor(self) -> Any:
        """Return the executor, opened when it is not open; None where tasks are done in this process."""

    def close(self, broken: bool = False) -> None:
        """Stop the workers, at once when `broken`."""


class Serial:
    """One task after another in this process."""

    workers = 1

    def executor(self) -> Any:
        return None

    def close(self, broken: bool = False) -> None:
        pass


class Local:
    """Worker processes on this computer (loky), which live until they are closed."""

    def __init__(self, workers: int) -> None:
        self.workers, self._open = workers, None

    def executor(self) -> Any:
        if self._open is None:
            from joblib.externals.loky import ProcessPoolExecutor

            self._open = ProcessPoolExecutor(self.workers, env=ONE_THREAD)
        return self._open

    def close(self, broken: bool = False) -> None:
        executor, self._open = self._open, None
        if executor is not None:
            executor.shutdown(wait=True, kill_workers=broken)


class Dask:
    """Workers of Dask distributed: at a scheduler's address, on this computer ("local"), or jobs of Slurm ("slurm").

    Raises InputError when Dask is not installed or no scheduler answers at the address.
    """

    def __init__(self, scheduler: str, workers: int) -> None:
        self.scheduler, self.workers = scheduler, workers
        self._cluster: Any = None
        self._client: Any = None

    def executor(self) -> Any:
        if self._client is None:
            self._client = self._connected()
        return self._client.get_executor(pure=False, retries=0)

    def _connected(self) -> Any:
        try:
            import distributed

            if self.scheduler == "local":  # workers share the mapped population, so Dask's count of memory would mislead it
                self._cluster = distributed.LocalCluster(
                    n_workers=self.workers, threads_per_worker=1, memory_limit=0, dashboard_address=None
                )
            elif self.scheduler == "slurm":
                from dask_jobqueue import SLURMCluster

                self._cluster = SLURMCluster()  # cores, memory, queue and account: from Dask's own configuration, jobqueue.slurm
                self._cluster.scale(n=self.workers)
        except ImportError as error:
            raise InputError(f"engine=dask needs Dask ({error}); install it with: pip install 'movesim[cluster]'") from None
        except (ValueError, TypeError) as error:
            why = " ".join(str(error).partition(", for example")[0].split())
            raise InputError(f"scheduler={self.scheduler}: {why}. Say it in Dask's configuration (jobqueue.slurm).") from None
        try:
            client = distributed.Client(self._cluster or self.scheduler, set_as_default=False, timeout=ANSWER)
        except (OSError, ValueError) as error:
            self.close(broken=True)
            raise InputError(f"scheduler={self.scheduler}: no scheduler of Dask answers there ({error}).") from None
        if self._cluster is None:
            self.workers = max(1, len(client.scheduler_info(n_workers=-1)["workers"]))
        return client

    def close(self, broken: bool = False) -> None:
        for each in (self._client, self._cluster):
            if each is not None:
                with contextlib.suppress(Exception):  # a scheduler that is gone cannot be closed
                    each.close()
        self._client = self._cluster = None


def engine_of(settings: Any) -> Engine:
    """Return the engine that settings ask for (engine, workers, scheduler)."""
    if settings.engine == "dask":
        return Dask(settings.scheduler, settings.workers)
    return Serial() if settings.engine == "serial" or settings.workers == 1 else Local(settings.workers)


# --- the driver -----------------------------------------------------------------------------------------------------
def run_all(
    function: Callable[[Any], Any], tasks: Iterable[Any], engine: Engine, limit: float | None = None,
    fatal: tuple[type[BaseException], ...] = (InputError,),
) -> Iterator[Outcome]:  # fmt: skip
    """Yield each task's outcome as it ends; in this process in order.

    Arguments: function, importable by name; tasks, drawn as they are needed, so that there may be millions; limit, seconds
    after which a task is stopped; fatal, errors that are raised and stop everything.
    A worker that dies takes no finished task with it: what was in flight is tried again, one at a time, and a task whose
    worker dies three times is given up by name while the rest goes on. The engine stays open unless it broke.
    Raises MovesimError when workers die, or cannot be started, again and again.
    """
    if engine.executor() is None:
        yield from (_here(function, task, limit, fatal) for task in tasks)
        return
    waiting = iter(tasks)
    suspects: collections.deque[tuple[Any, int]] = collections.deque()
    live: dict[Future[Any], tuple[Any, int]] = {}
    broken_in_row = 0
    try:
        while True:
            broken = False
            try:
                alone = bool(suspects) or any(attempts > 1 for _, attempts in live.values())
                while len(live) < (1 if alone else AHEAD * engine.workers):
                    if suspects:
                        task, attempts = suspects.popleft()
                    else:
                        some = list(itertools.islice(waiting, 1))
                        if not some:
                            break
                        task, attempts = some[0], 0
                    try:
                        live[engine.executor().submit(bounded, function, task, limit, True)] = (task, attempts + 1)
                    except BrokenExecutor:
                        suspects.appendleft((task, attempts))
                        raise
            except BrokenExecutor:
                broken = True
            if not live and not suspects:
                return
            done = wait(live, return_when=FIRST_COMPLETED).done if live else set()
            for future in done:
                task, attempts = live.pop(future)
                try:
                    outcome = Outcome(task, future.result(), None, attempts)
                except fatal:
                    raise
                except BaseException as error:
                    if not isinstance(error, Exception):
                        raise
                    died = _died(error)
                    if died and not isinstance(error, BrokenExecutor):  # Dask has tried it several times by itself
                        attempts = max(attempts, MOST_ATTEMPTS - 1)
                    broken |= isinstance(error, BrokenExecutor)
                    if died and attempts < MOST_ATTEMPTS:
                        suspects.append((task, attempts))
                        continue
                    if died:
                        error = MovesimError(f"its worker process died {attempts} times ({' '.join(str(error).split())[:200]})")
                    outcome = Outcome(task, None, error, attempts)
                broken_in_row = 0
                yield outcome
            if broken:
                broken_in_row += 1
                suspects.extend(live.values())
                live.clear()
                engine.close(broken=True)
                if broken_in_row > MOST_BROKEN:
                    raise MovesimError(
                        f"Worker processes died {broken_in_row} times in a row without finishing anything (too little memory?). "
                        "What was finished is kept; try fewer workers, or engine=serial."
                    )
    finally:
        if live:
            engine.close(broken=True)


def _died(error: BaseException) -> bool:
    """Whether the worker died, and not the task: then the task deserves another try."""
    return isinstance(error, BrokenExecutor) or type(error).__name__ in ("KilledWorker", "FutureCancelledError", "CancelledError")


def _here(function: Callable[[Any], Any], task: Any, limit: float | None, fatal: tuple[type[BaseException], ...]) -> Outcome:
    try:
        return Outcome(task, bounded(function, task, limit, False))
    except fatal:
        raise
    except Exception as error:
        return Outcome(task, error=error)


# --- a bound on a task ----------------------------------------------------------------------------------------------
class _TooLong(Exception):
    """Raised inside a task that took too long."""


def bounded(function: Callable[[Any], Any], task: Any, limit: float | None, hard: bool) -> Any:
    """Return function(task), but stop it after `limit` seconds; `hard` also ends a process that will not stop.

    Raises MovesimError for a task that was stopped.
    """
    if limit is None:
        return function(task)
    over, me, lock = threading.Event(), threading.get_ident(), threading.Lock()

    def watch() -> None:
        if over.wait(limit):
            return
        with lock:
            if not over.is_set():
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(me), ctypes.py_object(_TooLong))
        if hard and not over.wait(GRACE):
            os._exit(70)  # it sits in compiled code or in the system and hears nothing

    threading.Thread(target=watch, daemon=True).start()
    try:
        return function(task)
    except _TooLong:
        raise MovesimError(f"it took longer than {limit:g} seconds (seconds_a_run)") from None
    finally:
        with lock:
            over.set()
