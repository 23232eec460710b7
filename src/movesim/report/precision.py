"""What is said about the Monte Carlo error of a result."""

from __future__ import annotations

import math
from typing import Any


def precision_words(manifest: dict[str, Any]) -> list[str]:
    """Return what is known of the Monte Carlo error: whether it is small enough, and what common draws saved."""
    found = [str(manifest["precision"]["sentence"])] if manifest.get("precision") else []
    times = [value for value in manifest.get("common_draws", {}).values() if math.isfinite(value)]
    if times:
        found.append(
            f"Plans share every draw with no change, so a change of the gap varies {times_less(times)} less (in variance) than "
            "it would with independent runs."
        )
    return found


def times_less(times: list[float]) -> str:
    """Return how many times in words: what all plans have at least, two digits at most, and hundreds where it is many.

    Plans that hardly differ from no change have ratios without end, so the largest is not told.

    >>> times_less([220.4, 134978.0]), times_less([7.26, 8.1]), times_less([1.5, 40.0]), times_less([0.8])
    ('more than 200 times', '7.3 to 8.1 times', 'at least 1.5 times', '0.8 times')
    """
    least, most = min(times), max(times)
    if least >= 100:
        return f"more than {math.floor(least / 100) * 100:,} times"
    if most > 1.5 * least:
        return f"at least {least:.2g} times"
    low, high = f"{least:.2g}", f"{most:.2g}"
    return f"{low} times" if low == high else f"{low} to {high} times"
