"""Sensitivity analysis: which assumptions decide an outcome. SALib is imported below here alone."""

from __future__ import annotations

from movesim.experiments.sensitivity.study import sensitivity

__all__ = ["sensitivity"]
