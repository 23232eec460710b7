"""Runs that cost nothing and go wrong in every way a run can, for tests of the runner, its store and its engines."""

from __future__ import annotations

import errno
import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from movesim.experiments.keys import Keys
from movesim.experiments.runner import Job

KEYS = Keys({"study": "fake"})


@dataclass(frozen=True)
class Fake:
    """A run: its number, what it does, and a folder in which it can leave word."""

    number: int
    does: str = "work"
    folder: str = ""


def work(task: Fake) -> tuple[Mapping[str, pd.DataFrame], Mapping[str, Any]]:
    """Return a little table of the run, unless it does something else."""
    word = Path(task.folder) / f"{task.number}"
    if task.does == "raise":
        raise ValueError(f"number {task.number} is not to be had")
    if task.does == "die" or (task.does == "die once" and not word.exists()):
        word.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    if task.does == "loop":
        while True:
            time.sleep(0.01)
    if task.does == "hang":
        time.sleep(1_000)
    if task.does == "full":
        raise OSError(errno.ENOSPC, "No space left on device")
    if task.does == "slow":
        time.sleep(0.2)
        Path(f"{word}.slow-{os.getpid()}").touch()
    if task.does == "noted":
        word.touch()
    n = task.number
    numbers = pd.DataFrame({"replicate": n, "scenario": ["a", "b"], "value": [n + 0.1, n / 7]})
    others = pd.DataFrame({"replicate": [n] * (n % 3), "word": ["x"] * (n % 3)}) if n % 3 else pd.DataFrame()
    return {"numbers": numbers, "others": others}, {"number": n}


def jobs(total: int, odd: Mapping[int, str] | None = None, folder: Path | str = "") -> Iterator[Job]:
    """Yield that many runs; some of them odd."""
    for number in range(total):
        task = Fake(number, (odd or {}).get(number, "work"), str(folder))
        yield Job(KEYS.key(number), task, {"number": number})


def keys(total: int) -> list[str]:
    """The keys of the first runs."""
    return [KEYS.key(number) for number in range(total)]


def main(folder: str, total: str, workers: str, does: str = "slow") -> None:
    """Do a study as a program of its own, to be stopped from outside."""
    from movesim.experiments.engines import Local, Serial
    from movesim.experiments.runner import do_missing
    from movesim.experiments.runs import Runs

    engine = Local(int(workers)) if int(workers) > 1 else Serial()
    odd = dict.fromkeys(range(int(total)), does)
    try:
        do_missing(Runs(Path(folder)), work, jobs(int(total), odd, folder), int(total), engine, quiet=True)
    finally:
        engine.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
