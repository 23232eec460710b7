"""What re-run studies say in tables: simulated beside published, and whether findings that set nothing were met."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

FEWEST = 10  # draws from which an interval is read
SOLVED, HELD_OUT = "solved", "held out"


def with_verdicts(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the trials with a column `verdict`, the same in all draws of a finding; empty where it set something."""
    verdict = {key: verdict_of(rows) for key, rows in _findings(table, HELD_OUT)}
    keys = zip(table["intervention"], table["finding"])
    return table.assign(verdict=[verdict.get(key, "") for key in keys])


def verdict_of(rows: pd.DataFrame) -> str:
    """Return whether the published value lies inside the interval of nine in ten draws of the model.

    "outside, ranges overlap" where the published range, if there is one, still meets the model's.
    """
    drawn = rows["as_published"].to_numpy(float)
    if np.isnan(drawn).all():
        return "nobody to ask"
    if drawn.size < FEWEST:
        return "too few draws"
    low, high = np.nanpercentile(drawn, [5, 95])
    first = rows.iloc[0]
    if low <= first["published"] <= high:
        return "inside"
    meets = first["published_low"] <= high and first["published_high"] >= low
    return "outside, ranges overlap" if meets else "outside"


def summary(table: pd.DataFrame) -> str:
    """Return two tables as text: the studies that were solved on (with what set decays), and the findings that were held out."""
    head = f"{'Study re-run, minutes a week as it printed them':58s}{'published':>20s}{'in the model':>22s}  "
    lines = [head + "furthest off"]
    for (name, _), rows in _findings(table, SOLVED):
        shown = f"{name}: {rows['study'].iloc[0]}"
        lines.append(f"{_cut(shown, 57):58s}{_published(rows):>20s}{_simulated(rows):>22s}  {_furthest(rows)}")
    lines += ["", f"{'What was left later, which sets how fast gains fade':58s}{'published':>20s}{'in the model':>22s}"]
    for (name, finding), rows in _findings(table, "sets the decay"):
        lines.append(f"{_cut(f'{name}: {finding}', 57):58s}{_published(rows):>20s}{_simulated(rows):>22s}")
    lines += ["", f"{'Held out: set nothing, predicted':58s}{'published':>20s}{'in the model':>22s}  verdict"]
    for (name, finding), rows in _findings(table, HELD_OUT):
        shown = f"{name}: {finding}"
        lines.append(f"{_cut(shown, 57):58s}{_published(rows):>20s}{_simulated(rows):>22s}  {rows['verdict'].iloc[0]}")
    return "\n".join([*lines, "", _score(table)])


def markdown(table: pd.DataFrame) -> str:
    """Return the same tables for a page."""

    def rows_of(role: str, last: str, what: Callable[[Any, str], str], final: Callable[[Any], str]) -> list[str]:
        lines = [f"| intervention | study | unit | published | in the model | {last} |", "| --- | --- | --- | --- | --- | --- |"]
        for (name, finding), rows in _findings(table, role):
            cells = (name, what(rows, finding), rows["unit"].iloc[0], _published(rows), _simulated(rows), final(rows))
            lines.append("| " + " | ".join(cells) + " |")
        return lines

    def title(rows: Any, finding: str) -> str:
        return finding

    return "\n".join([
        "### Studies that were solved on", "",
        *rows_of(SOLVED, "furthest off (minutes)", lambda rows, _: str(rows["study"].iloc[0]), _furthest), "",
        "### What was left later, which sets how fast gains fade", "",
        *rows_of("sets the decay", "verdict", title, lambda _: "sets the decay"), "",
        "### Findings that set something else", "",
        *rows_of("used elsewhere", "set", title, lambda rows: str(rows["used_for"].iloc[0])), "",
        "### Held out: set nothing, predicted", "",
        *rows_of(HELD_OUT, "verdict", title, lambda rows: str(rows["verdict"].iloc[0])), "",
        _score(table), "",
    ])  # fmt: skip


def _score(table: pd.DataFrame) -> str:
    verdicts = [rows["verdict"].iloc[0] for _, rows in _findings(table, HELD_OUT)]
    inside = sum(v == "inside" for v in verdicts)
    return f"Of {len(verdicts)} findings that set nothing, {inside} lie inside what nine in ten draws of the model give."


def _findings(table: pd.DataFrame, role: str) -> Iterator[tuple[tuple[str, str], pd.DataFrame]]:
    rows = table[table["role"] == role]
    yield from rows.groupby(["intervention", "finding"], sort=False)


def _published(rows: pd.DataFrame) -> str:
    first = rows.iloc[0]
    middle = f"{first['published']:.4g}"
    if np.isnan(first["published_low"]):
        return middle
    return f"{middle} ({first['published_low']:.4g} to {first['published_high']:.4g})"


def _simulated(rows: pd.DataFrame) -> str:
    drawn = rows["as_published"].to_numpy(float)
    if np.isnan(drawn).all():
        return "-"
    digits = 2 if "ratio" in str(rows["unit"].iloc[0]) else 1
    low, middle, high = np.nanpercentile(drawn, [5, 50, 95])
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})" if drawn.size > 1 else f"{middle:.{digits}f}"


def _furthest(rows: pd.DataFrame) -> str:
    """Return how far from its target the solved study is at most, in reported minutes, and how often it is out of reach."""
    off = (rows["simulated"] - rows["target"]).abs()
    allowed = np.maximum(0.02 * rows["target"].abs(), 0.1) + 1e-9
    beyond = int((off > allowed).sum())
    return f"{off[off <= allowed].max():.2f}" + (f"; out of reach in {beyond} of {len(rows)}" if beyond else "")


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 3] + "..."
