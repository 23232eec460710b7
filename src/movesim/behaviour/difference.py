"""Where two runs differ: which columns, in which people, and who comes first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from movesim.behaviour import checkpoint
from movesim.behaviour.plain_data import state_of, step_of
from movesim.behaviour.simulation import Simulation
from movesim.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("name", "different", "of", "largest", "first", "ours", "theirs")
_NO_STATE = ("threads",)  # how the work is shared out changes nothing
_ROWS = ("people.ties",)  # columns of row numbers, which mean other people in another run
_PLAIN = (bool, int, float, str, np.generic, Path, type(None), type)


@dataclass(frozen=True)
class Difference:
    """Where two runs differ, bit by bit.

    `columns`: a row for every column or number that differs: name; different, how many of its people (or other entries), and
    `of` how many; largest, the largest absolute difference; first, whose it is; ours and theirs, the two values there.
    `people`: ids of everybody in whom the two differ, or whom only one of them has. `weeks`: where the two stand.
    """

    columns: pd.DataFrame
    people: NDArray[np.uint64]
    weeks: tuple[int, int]

    @property
    def same(self) -> bool:
        """Whether the two are equal in every bit of what they carry from week to week."""
        return self.columns.empty

    def to_frame(self) -> pd.DataFrame:
        """Return the columns and numbers that differ, one row each."""
        return self.columns.copy()

    def __str__(self) -> str:
        when = f"week {self.weeks[0]}" if self.weeks[0] == self.weeks[1] else f"weeks {self.weeks[0]} and {self.weeks[1]}"
        if self.same:
            return f"The two runs, at {when}, are the same in every bit."
        lines = [f"The two runs, at {when}, differ in {len(self.columns)} columns or numbers and in {self.people.size:,} people."]
        for name, different, of, largest, first, ours, theirs in self.columns.itertuples(index=False):
            said = [f"{different:,} of {of:,}"] if of > 1 else []
            if of > 1 and largest > 0:
                said.append(f"by {largest:.3g} at most")
            if different:
                said.append(f"first {first}: {ours} against {theirs}" if first else f"{ours} against {theirs}")
            else:
                said.append("only in rows that nobody has, or in their order")
            lines.append(f"  {name}: {', '.join(said)}")
        return "\n".join(lines)


def compare_runs(ours: Any, theirs: Any) -> Difference:
    """Return where two runs differ: which columns, and which people.

    People are matched by id, so runs whose demography went different ways, and samples of different size, can be compared
    too. Arguments: a Simulation, an ActivityModel or the folder of a checkpoint, each.
    Raises InputError for anything else.

    >>> print(compare_runs(before, after))  # doctest: +SKIP
    """
    import pandas as pd

    runs = _run(ours), _run(theirs)
    one, other = (np.asarray(run.people.columns["id"][: run.people.n], np.uint64) for run in runs)
    shared, *rows = np.intersect1d(one, other, return_indices=True)
    apart = np.zeros(shared.size, bool)
    left, right = ({name: leaf for name, leaf in _leaves(run, "") if name not in _NO_STATE} for run in runs)
    found: list[tuple[Any, ...]] = []
    for name in dict.fromkeys([*left, *right]):
        x, y = left.get(name), right.get(name)
        if not (isinstance(x, np.ndarray) and isinstance(y, np.ndarray)):
            if _told(x) != _told(y):
                found.append((name, 1, 1, _apart(x, y), "", _told(x), _told(y)))
            continue
        if x.shape == y.shape and not _unlike(x, y).any():
            continue
        a, b = _axis_of_people(x, runs[0]), _axis_of_people(y, runs[1])
        if a is not None and b is not None:
            if name in _ROWS:
                x, y = _as_ids(x, runs[0]), _as_ids(y, runs[1])
            x, y = np.moveaxis(x, a, 0)[rows[0]], np.moveaxis(y, b, 0)[rows[1]]
            where = _unlike(x, y)
            persons = where.reshape(len(where), -1).any(axis=1)
            apart |= persons
            found.append((name, int(persons.sum()), persons.size, *_first(x, y, where, shared)))
        elif x.shape == y.shape:
            where = _unlike(x, y)
            found.append((name, int(where.sum()), where.size, *_first(x, y, where, None)))
        else:
            found.append((name, 1, 1, np.nan, "", *(f"an array of {' x '.join(map(str, array.shape))}" for array in (x, y))))
    people = np.union1d(shared[apart], np.setxor1d(one, other)).astype(np.uint64)
    return Difference(pd.DataFrame(found, columns=list(COLUMNS)), people, (runs[0].week, runs[1].week))


def _run(given: Any) -> Simulation:
    if isinstance(given, str | Path):
        return checkpoint.load(given, mmap=True)
    run = getattr(given, "simulation", given)
    if not isinstance(run, Simulation):
        raise InputError(f"Runs, models and folders of checkpoints can be compared, not a {type(given).__name__}.")
    return run


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every array and number of a run by its path; an object that stands in two places is told in both."""
    if isinstance(value, (np.ndarray, *_PLAIN)):
        yield path, value
        return
    if isinstance(value, dict):
        parts = value
    elif isinstance(value, list | tuple | set | frozenset):
        parts = dict(enumerate(sorted(value) if isinstance(value, set | frozenset) else value))
    else:
        parts = state_of(value)
    for key, each in parts.items():
        yield from _leaves(each, f"{path}.{step_of(key)}".lstrip("."))


def _axis_of_people(array: NDArray[Any], run: Simulation) -> int | None:
    """Which axis of an array runs over the rows of people, if one does."""
    rows = (run.people.capacity, run.people.capacity + 1)
    return next((axis for axis in (-1, 0) if array.ndim and array.shape[axis] in rows), None)


def _as_ids(rows: NDArray[Any], run: Simulation) -> NDArray[np.uint64]:
    """Return the ids of the people in rows, 0 for a row that nobody has."""
    ids = np.zeros(run.people.capacity + 1, np.uint64)
    ids[: run.people.n] = run.people.columns["id"][: run.people.n]
    return ids[rows]


def _unlike(x: NDArray[Any], y: NDArray[Any]) -> NDArray[np.bool_]:
    """Where two arrays of a shape differ in a bit."""
    if x.dtype != y.dtype:
        return np.ones(x.shape, bool)
    if x.dtype.kind == "f":
        bits = f"u{x.dtype.itemsize}"
        x, y = np.ascontiguousarray(x).view(bits), np.ascontiguousarray(y).view(bits)
    return np.asarray(x != y)


def _first(x: NDArray[Any], y: NDArray[Any], where: NDArray[np.bool_], ids: NDArray[Any] | None) -> tuple[float, str, Any, Any]:
    """The largest difference, and whose the first one is with its two values."""
    if not where.any():
        return np.nan, "", "", ""
    numbers = x.dtype.kind in "biuf" and y.dtype.kind in "biuf"
    largest = float(np.abs(x[where].astype(np.float64) - y[where].astype(np.float64)).max()) if numbers else np.nan
    at = tuple(int(i) for i in np.argwhere(where)[0])
    rest = at if ids is None else at[1:]
    inside = f"[{', '.join(map(str, rest))}]" if rest else ""
    whose = f"entry {inside}" if ids is None else f"person {ids[at[0]]}" + (f" {inside}" if inside else "")
    return largest, whose, _told(x[at]), _told(y[at])


def _told(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of {' x '.join(map(str, value.shape))}"
    return str(value)


def _apart(x: Any, y: Any) -> float:
    number = (int, float, np.integer, np.floating)
    return float(abs(x - y)) if isinstance(x, number) and isinstance(y, number) else np.nan
