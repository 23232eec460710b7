"""Result folders of made-up numbers, written and built once for all tests of the report."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import made_up


@pytest.fixture(scope="session")
def folder_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return the folder of a named variant, written when first asked for."""
    made: dict[str, Path] = {}

    def get(variant: str) -> Path:
        if variant not in made:
            made[variant] = made_up.make(tmp_path_factory.mktemp(variant) / "result", variant)
        return made[variant]

    return get


@pytest.fixture(scope="session")
def built(folder_of: Callable[[str], Path]) -> Path:
    """Return the folder of four options with its report built."""
    from movesim.report import build_report
    from movesim.report.style import Chart

    folder = folder_of("four")
    (folder / "figures").mkdir()
    (folder / "figures" / "fit.txt").write_text("from an earlier build")
    with pytest.MonkeyPatch.context() as patch:  # slides are slow to draw: one of them is drawn in test_figures
        patch.setattr(Chart, "png", lambda chart: b"a slide")
        build_report(folder)
    return folder
