"""Small outcomes tables made from fifths of deprivation, for tests of what is counted."""

from __future__ import annotations

import numpy as np
import pandas as pd

KEY = {"replicate": 0, "window": 52, "age_group": "adult"}
BASE = np.array([[0.40, 0.35, 0.30, 0.25, 0.20], [0.42, 0.37, 0.30, 0.25, 0.22], [0.38, 0.33, 0.30, 0.27, 0.20]])


def outcomes_table(inactive, residents=100.0, week=52):
    """Return an outcomes table from {scenario: array (pairs, 5 fifths)}, with 'all' as their mean and no other axis."""
    rows = []
    for name, array in inactive.items():
        for draw, fifths in enumerate(np.asarray(array, float)):
            cells = [("imd_fifth", str(k + 1), residents, y) for k, y in enumerate(fifths)]
            for axis, level, people, y in [*cells, ("all", "all", 5 * residents, fifths.mean())]:
                rows.append({"scenario": name, "draw": draw, "axis": axis, "level": level, "residents": people, "inactive": y})
    table = pd.DataFrame(rows).assign(**KEY, week=week, fairly_active=0.1)
    table["active"] = 0.9 - table["inactive"]
    table["minutes"] = 500 * table["active"]
    return table


def row(table, **what):
    """Return the one row of a table in which the named columns have these values."""
    chosen = table
    for name, wanted in what.items():
        chosen = chosen[chosen[name] == wanted]
    assert len(chosen) == 1
    return chosen.iloc[0]
