"""What the targets say of each number: how much narrower its posterior is than its prior, and what it trades off against."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from movesim.experiments.unknowns import Unknowns

TRADE = 0.4  # a correlation beyond which two numbers are called a trade-off


def identifiability(unknowns: Unknowns, z: NDArray[np.float64]) -> dict[str, Any]:
    """Return posterior against prior spread of each number, and the strongest correlations.

    Arguments: unknowns; z (n, k), posterior draws, in whose coordinates every prior has mean 0 and standard deviation 1.
    """
    sd, mean = np.asarray(z.std(axis=0, ddof=1)), np.asarray(z.mean(axis=0))
    numbers: list[dict[str, Any]] = [
        {"path": p.path, "status": p.status, "sd_ratio": round(float(sd[i]), 3), "moved": round(float(mean[i]), 3)}
        for i, p in enumerate(unknowns.parameters)
    ]
    together = np.atleast_2d(np.corrcoef(z.T))
    first, second = np.triu_indices(len(unknowns), 1)
    r = together[first, second]
    strong = np.argsort(-np.abs(r))[:40]
    trades = [
        {"one": unknowns.paths[first[j]], "other": unknowns.paths[second[j]], "correlation": round(float(r[j]), 3)}
        for j in strong
        if abs(r[j]) >= TRADE
    ]
    return {
        "learned": [row for row in numbers if row["sd_ratio"] < 0.9],
        "open": [row["path"] for row in numbers if row["sd_ratio"] >= 0.9],
        "trade_offs": trades, "numbers": numbers,
    }  # fmt: skip
