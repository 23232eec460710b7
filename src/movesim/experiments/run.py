"""One scenario beside no change."""

from __future__ import annotations

from movesim.experiments.store import Result
from movesim.experiments.study import study
from movesim.settings import RunSettings


def run(settings: RunSettings) -> Result:
    """Run one scenario beside no change, paired, and return the result folder with its tables (see study.study)."""
    return study(settings)
