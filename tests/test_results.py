"""A small study from Python, as in a notebook: its tables are the ones the data dictionary describes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import movesim
from movesim.result_tables import RESULT_TABLES

pytest.importorskip("movesim.experiments.compare")


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory):
    """Two scenarios over one year with few people; no report."""
    return movesim.compare(
        scenarios=["routes", "school_day"], people=1_000, years=1, replicates=2, workers=1, draws="central", report=False,
        quiet=True, out=tmp_path_factory.mktemp("study") / "small",
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("table", RESULT_TABLES)
def test_a_table_has_the_columns_of_the_data_dictionary(result, table: str) -> None:
    frame = result.to_frame(table)
    described = {column.name: column.dtype for column in RESULT_TABLES[table][1]}
    assert list(frame.columns) == list(described) or set(frame.columns) == set(described)
    for name, dtype in described.items():
        kind = "text" if dtype == "str" else dtype
        found = str(frame[name].dtype)
        assert found == kind or (kind == "text" and found in ("object", "str", "string")), f"{table}.{name} is {found}"


@pytest.mark.slow
def test_a_result_is_loaded_as_it_was_made(result) -> None:
    again = movesim.load(result.folder)
    assert again.status == "already done"
    assert again.to_frame("gaps").equals(result.to_frame("gaps"))
    with pytest.raises(movesim.InputError, match=r"has no table 'gap'; it has .*gaps"):
        again.to_frame("gap")


@pytest.mark.slow
def test_the_manifest_says_what_made_it(result) -> None:
    manifest = json.loads((result.folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["movesim"] == movesim.__version__ and manifest["replicates"] == 2 and manifest["years"] == 1
    assert [each["name"] for each in manifest["scenarios"]] == ["baseline", "routes", "school_day"]
    # Whether burn-in has settled is noise among a thousand people; the other two hold for any number.
    exact = [guard["passed"] for guard in manifest["guards"] if guard["name"] in ("identical before the start", "placebo")]
    assert exact == [True] * 4
    assert manifest["command_line"].startswith("movesim compare ")


@pytest.mark.slow
def test_asked_again_it_is_already_done(result) -> None:
    settings = movesim.CompareSettings(
        scenarios=["routes", "school_day"], people=1_000, years=1, replicates=2, workers=1, draws="central", report=False,
        quiet=True, out=result.folder,
    )  # fmt: skip
    assert movesim.compare(settings).status == "already done"


def test_a_folder_without_a_result_is_refused(tmp_path: Path) -> None:
    with pytest.raises(movesim.InputError, match="There is no folder"):
        movesim.load(tmp_path / "nowhere")
    with pytest.raises(movesim.InputError, match="is not a result of movesim"):
        movesim.load(tmp_path)
