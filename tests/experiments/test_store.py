"""The result folder: studies do not mix, reading says what is wrong (for the runs in it see test_runs)."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from movesim.errors import InputError
from movesim.experiments.store import Result, Study, load, save_table


def table(n: int = 3) -> pd.DataFrame:
    return pd.DataFrame({"scenario": ["a"] * n, "value": range(n)})


def study(folder: Path, mark: str = "f00d", **identity: object) -> Study:
    return Study(folder, mark, identity or {"place": "small"})


def test_another_study_s_folder_is_refused_with_what_differs(tmp_path: Path) -> None:
    study(tmp_path / "s", "f00d", place="small").start()
    with pytest.raises(InputError, match=r"holds another study \(it differs in place\); name another folder"):
        study(tmp_path / "s", "beef", place="large")
    with pytest.raises(InputError, match="made by another version of the model"):
        study(tmp_path / "s", "beef", place="small")


def test_two_processes_may_start_one_study_at_once(tmp_path: Path) -> None:
    one, other = study(tmp_path / "s"), study(tmp_path / "s")
    one.start()
    other.start()
    assert study(tmp_path / "s").finished_with() == 0 and [p.name for p in (tmp_path / "s").iterdir()] == ["study.json"]


def test_a_folder_with_other_things_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(InputError, match="is not empty and holds no study of movesim"):
        study(tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "precious"


def test_load_says_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no folder"):
        load(tmp_path / "nowhere")
    with pytest.raises(InputError, match="is not a result of movesim"):
        load(tmp_path)
    study(tmp_path / "s").start()
    with pytest.raises(InputError, match=r"is unfinished; start the same command again and it goes on \(0 runs done\)"):
        load(tmp_path / "s")


def test_a_result_reads_and_copies_itself(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    save_table(table(), folder / "comparison.parquet")
    (folder / "manifest.json").write_text(json.dumps({"replicates": 1}))
    result = load(folder)
    assert isinstance(result, Result)
    assert result.status == "already done"
    assert result.to_frame()["value"].tolist() == [0, 1, 2]
    with pytest.raises(InputError, match="has no table 'gaps'; it has comparison"):
        result.to_frame("gaps")
    copied = result.save(tmp_path / "copy")
    assert (copied / "comparison.parquet").is_file()
    with pytest.raises(InputError, match="exists already"):
        result.save(tmp_path / "copy")
