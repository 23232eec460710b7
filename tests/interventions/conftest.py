"""What the tests of interventions share."""

from __future__ import annotations

from pathlib import Path

import pytest

from crowds import Crowd, make_crowd
from movesim.interventions import load_scenario


@pytest.fixture(scope="module")
def crowd() -> Crowd:
    return make_crowd()


@pytest.fixture
def write(tmp_path: Path):
    """Write a scenario file: one of movesim's own with some text replaced."""

    def _write(base: str, *swaps: tuple[str, str], name: str | None = None) -> Path:
        text = load_scenario(base).path.read_text(encoding="utf-8")
        for old, new in swaps:
            assert old in text, f"'{old}' is not in {base}"
            text = text.replace(old, new, 1)
        path = tmp_path / f"{name or base}.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return _write
