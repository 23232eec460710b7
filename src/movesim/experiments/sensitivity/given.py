"""Indices from runs that are there already: any sweep whose points fill a space, with no run more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from movesim.config import shown
from movesim.errors import InputError
from movesim.experiments.sensitivity.factors import DUMMY, SEED
from movesim.experiments.sensitivity.samples import GIVEN_DATA, Sample

BLOCKS = 4
LEAST = 64  # rows of a block
FEW = 5  # different values under which a number was swept over a list


def from_sweep(
    folder: Path, manifest: dict[str, Any], outcome: Any, scenario: str, method: str
) -> tuple[Sample, np.ndarray, pd.DataFrame]:
    """Return a sweep's runs as a sample in blocks, their outcomes, and the swept values.

    Rows are dealt to blocks by chance; the places of values among all values are the unit numbers. A column of chance numbers is
    the dummy. Raises InputError for sweeps that cannot be read so.
    """
    import pyarrow.parquet as pq

    if method not in GIVEN_DATA:
        raise InputError(f"method={method} needs a design of its own; for runs that are there use rbd_fast, pawn or rsa.")
    if manifest.get("command") != "sweep":
        raise InputError(f"given={shown(folder)} is not the result of a sweep.")
    swept = list(manifest["swept"])
    if outcome.kind == "baseline":
        raise InputError("outcomes: a sweep keeps changes and the scenario's own values; leave baseline: away.")
    column = "change" if outcome.kind == "change" else "value"
    cell = {k: getattr(outcome, k) for k in ("age_group", "axis", "outcome", "measure", "level")}
    wanted = [(k, "==", v) for k, v in cell.items()] + [("week", "==", outcome.year * 52), ("scenario", "==", scenario)]
    table = pq.read_table(folder / "sweep.parquet", columns=["point", "replicate", *swept, column], filters=wanted).to_pandas()
    if table.empty:
        raise InputError(f"This sweep has no outcome '{outcome.name}' of '{scenario}' in that year.")
    short = [path for path in swept if table[path].nunique() < FEW]
    if short or table[swept].isna().any(axis=None):
        which = short[0] if short else next(path for path in swept if table[path].isna().any())
        raise InputError(
            f"{which} takes too few different values in this sweep, or is left out at some points; use design=lhs or sobol."
        )
    if len(table) < 2 * LEAST:
        raise InputError(f"This sweep has {len(table):,} runs of '{scenario}'; indices take {2 * LEAST} at least.")
    random, rows = np.random.default_rng(1), len(table)
    blocks = min(BLOCKS, rows // LEAST)
    each = rows // blocks
    table["dealt"] = random.permutation(table["point"].max() + 1)[table["point"]]  # pairs of a point stay together
    table = table.sort_values(["dealt", "replicate"], ignore_index=True)[: blocks * each]
    places = [(table[path].rank(method="average") - 0.5) / len(table) for path in swept]
    unit = np.column_stack([*places, random.random(len(table)), random.random(len(table))])
    names = (*swept, DUMMY, SEED)
    block = np.repeat(np.arange(blocks), each).astype(np.int64)
    return Sample(method, names, names, unit, block, each), table[column].to_numpy(float) * outcome.scale, table[swept]
