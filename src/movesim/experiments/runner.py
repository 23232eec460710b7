"""One runner for everything that runs the model many times: do what is missing, keep what is finished, name what fails."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from movesim.config import shown
from movesim.errors import GuardError, InputError, MovesimError
from movesim.experiments.engines import Engine, run_all
from movesim.experiments.keys import in_shard
from movesim.experiments.runs import Runs, Session, is_full, pack

Work = Callable[[Any], tuple[Mapping[str, Any], Mapping[str, Any]]]
LINES = 10  # of progress where there is no terminal


@dataclass(frozen=True)
class Job:
    """A run to be done: its key, what the worker needs, and what it is in words for the list of failures."""

    key: str
    task: Any
    about: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Tally:
    """How many runs there were to do, how many were done and failed now, and the first failure."""

    total: int
    done: int
    failed: int
    first: str = ""

    def refuse_failures(self, runs: Runs, what: str) -> None:
        """Raise MovesimError, naming the first, when any failed."""
        if self.failed:
            raise MovesimError(
                f"{self.failed:,} of {self.total:,} {what} failed, the first of them {self.first}; the others are kept in "
                f"{shown(runs.folder)}, {shown(runs.failures)} names each, and the same command tries the failed ones again."
            )


def finished(work: tuple[Work, Any]) -> bytes:
    """Do a run and return it packed; what a worker process is asked to do."""
    function, task = work
    return pack(*function(task))


def do_missing(
    runs: Runs, function: Work, jobs: Iterable[Job], total: int, engine: Engine, *, what: str = "pairs", quiet: bool = False,
    fail_fast: bool = False, limit: float | None = None, fatal: tuple[type[BaseException], ...] = (InputError, GuardError),
    shard: tuple[int, int] | None = None, until: float | None = None,
) -> Tally:  # fmt: skip
    """Do every run that is not finished, write each to disk as it ends, and return how it went.

    Arguments: runs, where they are kept; function(task) -> (tables, notes), importable by name; jobs, drawn as they are
    needed; total, how many there are, finished ones included; fail_fast, stop at the first failure; limit, seconds a run may
    take; fatal, errors that stop everything; shard, do only these; until, no new run begins after this time (time.monotonic).
    Raises MovesimError when the disk is full, or at the first failure with fail_fast.
    """
    kept = runs.done()
    done = failed = 0
    first = ""
    with Session(runs) as session:
        running: dict[str, None] = {}

        def missing() -> Iterator[tuple[Job, tuple[Work, Any]]]:
            # two processes at one study begin at its two ends, so that they meet in the middle
            for job in reversed(list(jobs)) if session.others and until is None else jobs:
                if until is not None and time.monotonic() > until:
                    return
                if job.key not in kept and in_shard(job.key, shard) and not runs.has(job.key):
                    running[job.key] = None
                    yield job, (function, job.task)

        # what else a folder holds (parts that were added up) is not counted among these
        before = sum(job.key in kept for job in jobs) if isinstance(jobs, list) else len(kept)
        with Progress(total, before, what, quiet, counted=shard is None) as progress:
            for outcome in run_all(_packed, missing(), engine, limit, fatal):
                job = outcome.task[0]
                running.pop(job.key, None)
                if is_full(outcome.error):
                    raise runs.full() from outcome.error
                if outcome.error is None:
                    runs.add(job.key, outcome.value)
                    done += 1
                else:
                    runs.fail(job.key, job.about, outcome.error, outcome.attempts)
                    failed += 1
                    first = first or f"{_named(job.about)} ({type(outcome.error).__name__}: {outcome.error})"
                session.say(running)
                progress.tell(failed)
                if failed and fail_fast:
                    break
        if done:
            runs.seal(only_own=session.is_with_others())
    return Tally(total, done, failed, first)


def _packed(item: tuple[Job, tuple[Work, Any]]) -> bytes:
    return finished(item[1])


def _named(about: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in about.items())


class Progress:
    """A bar over runs on a terminal, plain lines elsewhere, nothing when quiet; with the time left and the failures so far."""

    def __init__(self, total: int, before: int, what: str, quiet: bool, counted: bool = True) -> None:
        self.total, self.before, self.what, self.quiet = total, min(before, total), what, quiet
        self.counted, self.done, self.started = counted, 0, time.perf_counter()
        self.bar: Any = None

    def __enter__(self) -> Progress:
        if self.quiet or self.before >= self.total:
            return self
        if sys.stderr.isatty():
            from tqdm import tqdm

            self.bar = tqdm(
                total=self.total, initial=self.before, unit=self.what.rstrip("s"), mininterval=1, file=sys.stderr, leave=False
            )
        else:
            kept = f" ({self.before:,} are finished already)" if self.before else ""
            print(f"Running {self.total:,} {self.what}{kept}.", file=sys.stderr, flush=True)
        return self

    def tell(self, failed: int) -> None:
        """Count one more."""
        self.done += 1
        if self.bar is not None:
            self.bar.set_postfix_str(f"{failed:,} failed" if failed else "", refresh=False)
            self.bar.update()
            return
        at, whole = self.before + self.done, self.total
        if self.quiet or not (at == whole or self.done % max(1, (whole - self.before) // LINES) == 0):
            return
        left = (time.perf_counter() - self.started) / self.done * (whole - at)
        wrong = f", {failed:,} failed" if failed else ""
        share = f" ({100 * at / whole:.0f}%)" if self.counted else ""
        print(f"  {at:,} of {whole:,} {self.what} done{share}, about {in_words(left)} left{wrong}", file=sys.stderr, flush=True)

    def __exit__(self, *exception: object) -> None:
        if self.bar is not None:
            self.bar.close()


def in_words(seconds: float) -> str:
    """Return a length of time in words.

    >>> in_words(42), in_words(240), in_words(9000), in_words(400_000)
    ('42 s', '4 min', '2.5 hours', '4.6 days')
    """
    if seconds < 90:
        return f"{seconds:,.0f} s"
    if seconds < 5_400:
        return f"{seconds / 60:,.0f} min"
    return f"{seconds / 3_600:,.1f} hours" if seconds < 172_800 else f"{seconds / 86_400:,.1f} days"
