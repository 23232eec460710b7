"""What people see: the report page, figures, workbook and the lines at the end of a command.

Everything is written from one dict of numbers (`numbers`), so that the places agree. matplotlib is imported only when a
chart is drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from movesim.report.finding import numbers
    from movesim.report.page import build_report, figure
    from movesim.report.terminal import terminal_summary

__all__ = ["build_report", "figure", "numbers", "terminal_summary"]
_HOMES = {"build_report": "page", "figure": "page", "numbers": "finding", "terminal_summary": "terminal"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"movesim.report.{_HOMES[name]}"), name)
