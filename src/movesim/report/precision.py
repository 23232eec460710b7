"""What is said about the Monte Carlo error of a result."""

from __future__ import annotations

import math
from typing import Any


def precision_words(manifest: dict[str, Any]) -> list[str]:
    """Return what is known of the Monte Carlo error: whether it is small enough, and what common draws saved."""
    found = [str(manifest["precision"]["sentence"])] if manifest.get("precision") else []
    times = [value for value in manifest.get("common_draws", {}).values() if math.isfinite(value)]
    if times:
        many = f"{min(times):.1f}" + (f" to {max(times):.0f}" if max(times) > 1.5 * min(times) else "")
        found.append(
            f"Plans share every draw with no change, so a change of the gap varies {many} times less (in variance) than it would "
            "with independent runs."
        )
    return found
