"""Whether indices have settled, in words, and what is odd about them: below 0, above 1, more alone than in all."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from movesim.experiments.sensitivity.factors import DUMMY, SEED
from movesim.experiments.sensitivity.indices import MAIN, by_block
from movesim.experiments.sensitivity.samples import Sample

HALF_WIDTH = 0.05  # of an index that is a share of variance
SHARE_OF_LARGEST = 0.25  # of Morris's mean effects and others without a scale: half-width over the largest
STABLE = 0.9  # rank correlation of the halves of the blocks, among factors that can be told from zero
SHARES = ("sobol", "fast", "rbd_fast", "dgsm")
CANNOT_TELL = "cannot be told from zero"


@dataclass(frozen=True)
class Verdict:
    """How far an analysis has come: its widest interval, rank stability, whether that is enough, how many blocks would do."""

    method: str
    half_width: float
    target: float
    ranks: float
    converged: bool
    blocks: int
    needed: int
    sentence: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for the manifest."""
        return {k: (None if isinstance(v, float) and not np.isfinite(v) else v) for k, v in asdict(self).items()}


def judge(sample: Sample, y: np.ndarray, table: pd.DataFrame) -> Verdict:
    """Return the verdict on a method's main index, given the outcomes in the order of the design and their indices."""
    method, index = sample.method, MAIN[sample.method]
    target = HALF_WIDTH if method in SHARES else SHARE_OF_LARGEST
    if table.empty:
        sentence = "The outcome is the same in every run: nothing that was varied moves it, and there are no indices."
        return Verdict(method, np.nan, target, np.nan, False, sample.blocks, sample.blocks, sentence)
    rows = table[(table["index"] == index) & ~table["parameter"].isin([DUMMY])]
    scale = 1.0 if method in SHARES else max(float(rows["value"].max()), 1e-300)
    half = (rows["high"] - rows["value"]) / scale
    widest = float(half.max())
    ranks = rank_stability(by_block(sample, y)[index], [sample.units.index(p) for p in rows["parameter"][rows["told"]]])
    enough = widest <= target and not ranks < STABLE
    needed = sample.blocks if enough else max(sample.blocks + 1, round(sample.blocks * (widest / target) ** 2 + 0.5))
    what = "trajectories" if method == "morris" else "scrambles" if method == "sobol" else "designs"
    unit = "" if method in SHARES else " of the largest"
    known = f"The widest interval is ±{widest:.2f}{unit} (aim: {target:.2f})"
    order = (
        ""
        if np.isnan(ranks)
        else f", and the order of factors agrees between halves of the {what} with a rank correlation of {ranks:.2f}"
    )
    if enough:
        sentence = f"Settled. {known}{order}."
    else:
        more = (
            f" About {needed:,} {what} would do ({sample.blocks:,} now); what has run is used again." if widest > target else ""
        )
        sentence = f"Not settled. {known}{order}.{more}"
    return Verdict(method, widest, target, ranks, enough, sample.blocks, int(needed), sentence)


def rank_stability(blocks: np.ndarray, units: list[int]) -> float:
    """Return the mean rank correlation between two halves of the blocks, over several ways of halving; nan for under 2 units."""
    if len(units) < 2 or len(blocks) < 4:
        return float("nan")
    random = np.random.default_rng(1)
    found = []
    for _ in range(20):
        order = random.permutation(len(blocks))
        a, b = (blocks[part][:, units].mean(axis=0) for part in np.array_split(order, 2))
        found.append(_ranks(a, b))
    return float(np.mean(found))


def _ranks(a: np.ndarray, b: np.ndarray) -> float:
    x, y = (np.argsort(np.argsort(each)).astype(float) for each in (a, b))
    return float(np.corrcoef(x, y)[0, 1])


def notes(table: pd.DataFrame) -> pd.Series:
    """Return, for each row of indices, what must be said beside it: '' where nothing must."""
    total = {row.parameter: row for row in table[table["index"] == "ST"].itertuples()}
    out = []
    for row in table.itertuples():
        said = []
        if row.index not in ("S1", "ST", "bound"):
            out.append("" if row.told or row.index in ("mu", "sigma") else CANNOT_TELL)
            continue
        if not row.told:
            said.append(CANNOT_TELL)
        if row.value < 0:
            said.append("below 0, which no share can be: the error of a small design, read it as 0")
        if row.value > 1 and row.index != "bound":
            said.append("above 1, which no share can be: the design is too small")
        if row.index == "S1" and row.parameter in total and row.value > total[row.parameter].value + 1e-9:
            wide = row.low > total[row.parameter].high
            said.append(
                "more alone than in all, beyond both intervals: do not use it" if wide
                else "more alone than in all, within the intervals: read both as the same"
            )  # fmt: skip
        out.append("; ".join(said))
    return pd.Series(out, index=table.index, dtype=object)


def chance_share(table: pd.DataFrame) -> tuple[float, float, float] | None:
    """Return the share of variance that is chance, with its interval, where the method tells it."""
    rows = table[(table["parameter"] == SEED) & (table["index"] == "ST")]
    return None if rows.empty else (float(rows["value"].iloc[0]), float(rows["low"].iloc[0]), float(rows["high"].iloc[0]))


def survivors(table: pd.DataFrame, most: int, least: float = 0.05) -> list[str]:
    """Return the factors that a screening keeps: above the floor and `least` of the largest, at most so many, largest first.

    One whose interval reaches the floor is kept as well: that it cannot be told from zero does not make it small.
    """
    rows = table[(table["index"] == "mu_star") & ~table["parameter"].isin([DUMMY, SEED])].sort_values("value", ascending=False)
    largest = float(rows["value"].max()) if len(rows) else 0.0
    return list(rows[(rows["value"] > rows["floor"]) & (rows["value"] >= least * largest)]["parameter"][:most])
