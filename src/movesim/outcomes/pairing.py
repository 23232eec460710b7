"""Rows of a tidy table as arrays in which every scenario lies beside the baseline, run by run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from movesim.errors import InputError, MovesimError, did_you_mean, one_of

RUN = ["scenario", "draw", "replicate"]


@dataclass(frozen=True)
class Paired:
    """Values of all scenarios over the same cells and the same pairs; the baseline comes first.

    `cells` has one row per cell (what is measured, where and when), `pairs` one row per (draw, replicate), and `values`
    the shape (scenarios, cells, columns, pairs), NaN where a cell is undefined or its group is empty.
    """

    scenarios: list[str]
    cells: pd.DataFrame
    pairs: pd.DataFrame
    values: np.ndarray


def need_columns(table: pd.DataFrame, columns: Iterable[str], what: str) -> None:
    """Check that a table has the columns it must have.

    table: any table; columns: names it needs; what: its name for the sentence. Raises MovesimError naming what is missing.
    """
    missing = [column for column in columns if column not in table.columns]
    if missing:
        raise MovesimError(f"The {what} table has no column {one_of(missing)}; it has {', '.join(map(str, table.columns))}.")


def distinct(table: pd.DataFrame, columns: Sequence[str]) -> tuple[np.ndarray, pd.DataFrame]:
    """Number the distinct combinations of some columns, in order of appearance.

    table: any table; columns: names in it. Returns the number of each row, int64 (rows,), and one row of the columns per
    number. Raises MovesimError where one of the columns has an empty cell, because such a row belongs to nothing.
    """
    mixed = np.zeros(len(table), np.int64)
    for column in columns:
        codes, found = pd.factorize(table[column])
        if len(codes) and codes.min() < 0:
            raise MovesimError(f"Column '{column}' has an empty cell in row {int(codes.argmin())}; each row needs a {column}.")
        mixed = mixed * max(len(found), 1) + codes
    codes, labels = pd.factorize(mixed)
    first = np.empty(len(labels), np.int64)
    first[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)  # the first row of a number is written last
    return codes.astype(np.int64), table[list(columns)].take(first).reset_index(drop=True)


def pair(
    table: pd.DataFrame, baseline: str, cell_columns: Sequence[str], value_columns: Sequence[str], what: str = "outcomes"
) -> Paired:
    """Lay the scenarios of a table side by side, paired by (draw, replicate).

    table: tidy rows with scenario, draw, replicate, the cell columns (which include week and window) and the value columns;
    baseline: name of the scenario the others are compared with; what: name of the table for sentences. Groups that are empty
    in a run may lack their row (NaN); a run, or a week of a run, that another scenario has may not be missing.
    Raises InputError for a baseline that is not in the table, MovesimError for rows without a partner or twice the same row.
    """
    need_columns(table, [*RUN, *cell_columns, *value_columns], what)
    scenario_codes, scenario_frame = distinct(table, ["scenario"])
    names = [str(name) for name in scenario_frame["scenario"]]
    if baseline not in names:
        has = f"it has {one_of(names)}" if names else "it is empty"
        raise InputError(f"The {what} table has no scenario '{baseline}' to compare with; {has}.{did_you_mean(baseline, names)}")
    order = np.array([names.index(baseline), *(k for k, name in enumerate(names) if name != baseline)])
    scenario = np.argsort(order)[scenario_codes]
    scenarios = [names[k] for k in order]

    run, pairs = distinct(table, ["draw", "replicate"])
    record, records = distinct(table, ["week", "window"])
    there = np.zeros((len(scenarios), len(pairs), len(records)), bool)
    there[scenario, run, record] = True
    # A record that no run of a pair has is not a gap in the pairing; one that only some scenarios have is.
    alone = np.logical_and(there.any(axis=0), ~there)
    if alone.any():
        s, p, w = (int(k) for k in np.argwhere(alone)[0])
        other = scenarios[int(np.argmax(there[:, p, w]))]
        when = f"draw {pairs['draw'][p]}, replicate {pairs['replicate'][p]}"
        week = "" if not there[s, p].any() else f", week {records['week'][w]} (window {records['window'][w]})"
        raise MovesimError(
            f"Scenario '{scenarios[s]}' has no {what} for {when}{week}, but '{other}' has: "
            "scenarios can only be compared over the same draws and replicates."
        )

    cell, cells = distinct(table, cell_columns)
    shape = (len(scenarios), len(cells), len(pairs))
    flat = np.ravel_multi_index((scenario, cell, run), shape)
    seen = np.zeros(shape, bool).ravel()
    seen[flat] = True
    if seen.sum() < len(table):
        row = int(np.flatnonzero(pd.Series(flat).duplicated().to_numpy())[0])
        where = ", ".join(f"{name} {table[name].iloc[row]}" for name in [*RUN, *cell_columns])
        raise MovesimError(f"The {what} table has two rows for {where}; each may come once.")
    values = np.full((*shape[:2], len(value_columns), shape[2]), np.nan)
    for k, column in enumerate(value_columns):
        values[scenario, cell, k, run] = table[column].to_numpy(dtype=np.float64, na_value=np.nan)
    return Paired(scenarios, cells, pairs, values)


def take_names(names: Sequence[object], codes: np.ndarray) -> pd.Series:
    """Return the name of each code as a column of text, without making one Python string per row.

    names: the distinct names; codes: int (rows,), positions in names.
    """
    return pd.Series(pd.Series([str(name) for name in names], dtype=str).array.take(codes))
