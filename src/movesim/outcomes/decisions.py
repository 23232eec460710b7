"""Were adaptive rules right? How often a pilot was scaled up that was not worth it, and stopped that was, over pairs of runs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

ACTIONS = ("scale_up", "keep", "stop", "move_money")
_Z90 = 1.6448536269514722


def mistakes(rules: pd.DataFrame) -> pd.DataFrame:
    """Return, per scenario and rule, what was decided how often, and how often wrongly.

    Arguments: rules, the table `rules` of a study. A scaling up is false where the true effect is below `worth_having`, a stop
    (with the money moved or not) where it is not. `false_scale` is the share of pairs in which the pilot was not worth having
    (`unworthy` of them) that scaled it up; `false_stop` the share of those in which it was (`worthy`) that stopped it; `_low` and
    `_high` the 90% interval of Wilson (1927, "Probable inference, the law of succession, and statistical inference").
    """
    import pandas as pd

    rows = []
    for (scenario, rule), group in rules.dropna(subset="truth").groupby(["scenario", "rule"], sort=False):
        worthy = (group["truth"] >= group["worth_having"]).to_numpy()
        action = group["action"].to_numpy()
        scaled, stopped = action == "scale_up", np.isin(action, ("stop", "move_money"))
        row = {"scenario": scenario, "rule": rule, "pairs": len(group), **{a: int((action == a).sum()) for a in ACTIONS}}
        for name, wrong, among in (("false_scale", scaled, ~worthy), ("false_stop", stopped, worthy)):
            k, n = int((wrong & among).sum()), int(among.sum())
            low, high = wilson(k, n)
            row |= {name: k / n if n else math.nan, f"{name}_low": low, f"{name}_high": high, f"{name}_pairs": k}
        row |= {"unworthy": int((~worthy).sum()), "worthy": int(worthy.sum())}
        means = ("truth", "estimate", "standard_error", "worth_having", "pounds_moved")
        rows.append({**row, **{name: float(group[name].mean()) for name in means}, "outcome": group["outcome"].iloc[0]})
    return pd.DataFrame(rows)


def wilson(k: int, n: int, z: float = _Z90) -> tuple[float, float]:
    """Return the interval of a share of k in n, 0 to 1 where there is none.

    >>> tuple(round(end, 3) for end in wilson(1, 20))
    (0.011, 0.196)
    """
    if n == 0:
        return 0.0, 1.0
    share, add = k / n, z * z / n
    middle = (share + add / 2) / (1 + add)
    half = z * math.sqrt(share * (1 - share) / n + add / (4 * n)) / (1 + add)
    return max(0.0, middle - half), min(1.0, middle + half)
