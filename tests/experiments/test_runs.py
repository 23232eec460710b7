"""The store: runs appear whole or not at all, are read once and in any order, are told by what changes their numbers."""

from __future__ import annotations

import errno
import json
import os
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fake_runs import Fake, keys, work
from movesim.errors import MovesimError
from movesim.experiments import runs as store
from movesim.experiments.keys import Keys, in_shard
from movesim.experiments.runs import Runs, Session, pack, unpack


def filled(folder: Path, total: int, sealed: int = 0) -> Runs:
    runs = Runs(folder)
    for number, key in enumerate(keys(total)):
        runs.add(key, pack(*work(Fake(number))))
        if number + 1 == sealed:
            runs.seal()
    return runs


# --- keys -------------------------------------------------------------------------------------------------------------
numbers = st.dictionaries(st.sampled_from(["a.b", "a.c", "d"]), st.floats(allow_nan=False, allow_infinity=False), max_size=3)


@given(numbers, numbers, st.integers(0, 9), st.integers(0, 9))
@settings(max_examples=200, deadline=None)
def test_a_key_is_the_same_for_the_same_run_and_for_no_other(one: dict, other: dict, i: int, j: int) -> None:
    keys = Keys({"place": "x"})
    plain = lambda d: {k: v + 0.0 for k, v in d.items()}  # noqa: E731  minus zero is zero
    assert (keys.key(i, one) == keys.key(j, other)) == (plain(one) == plain(other) and i == j)
    assert keys.key(i, dict(reversed(one.items()))) == keys.key(i, one)
    assert Keys({"place": "y"}).key(i, one) != keys.key(i, one)


def test_shards_divide_the_runs() -> None:
    found = [[key for key in keys(100) if in_shard(key, (i, 3))] for i in (1, 2, 3)]
    assert sorted(key for some in found for key in some) == sorted(keys(100)) and min(map(len, found)) > 15
    assert all(in_shard(key, None) for key in keys(3))


def test_sources_tell_the_model_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The runner, the store and the report are not in the key of a run; the model and what counts it are."""
    from movesim.behaviour.parameters import MODEL_SOURCES as SOURCES
    from movesim.behaviour.parameters import model_id

    assert "behaviour" in SOURCES and "outcomes" in SOURCES and "experiments/replicate.py" in SOURCES
    assert not {"experiments", "report", "cli.py", "README.md"} & set(SOURCES)
    assert len(model_id()) == 16


# --- a run as bytes -----------------------------------------------------------------------------------------------------
def test_a_run_survives_packing() -> None:
    tables, notes = work(Fake(5))
    again, noted = unpack(pack(tables, notes))
    assert noted == {"number": 5} and set(again) == {"numbers", "others"}
    pd.testing.assert_frame_equal(again["numbers"].to_pandas(), tables["numbers"], check_exact=True)
    assert unpack(pack({}, {"only": "notes"})) == ({}, {"only": "notes"})
    assert list(unpack(pack(tables, notes), "others")[0]) == ["others"]


# --- the folder ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("sealed", [0, 4, 10])
def test_tables_come_back_in_the_order_asked(tmp_path: Path, sealed: int) -> None:
    runs = filled(tmp_path, 10, sealed)
    order = [7, 0, 9, 3]
    expected = pd.concat([work(Fake(i))[0]["numbers"] for i in order], ignore_index=True)
    pd.testing.assert_frame_equal(Runs(tmp_path).read("numbers", [keys(10)[i] for i in order]).to_pandas(), expected)
    assert runs.notes([keys(10)[i] for i in order]) == [{"number": i} for i in order]
    others = runs.read("others", keys(10)).to_pandas()
    assert others["replicate"].tolist() == [1, 2, 2, 4, 5, 5, 7, 8, 8]
    assert runs.read("numbers", keys(3), ["value"]).column_names == ["value"]
    assert len(runs.read("nothing", keys(3))) == 0


def test_a_large_store_is_put_together_on_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "SEAL_RUNS", 7)
    filled(tmp_path, 30)
    assert len(list((tmp_path / "parts").glob("*.run"))) == 2 and len(list((tmp_path / "parts").glob("*/runs.parquet"))) == 4
    assert Runs(tmp_path).done() == set(keys(30))


def test_a_run_in_two_places_is_read_once(tmp_path: Path) -> None:
    """A crash between putting runs together and removing the small files, or two processes at one study."""
    runs = filled(tmp_path, 6)
    kept = {p: p.read_bytes() for p in (tmp_path / "parts").glob("*.run")}
    other = Runs(tmp_path)
    other.seal()
    for path, data in kept.items():
        path.write_bytes(data)
    runs.seal()  # knows nothing of what the other did
    third = Runs(tmp_path)
    assert third.done() == set(keys(6)) and len(third.read("numbers", keys(6))) == 12
    assert third.read("numbers", keys(6)).to_pandas()["value"].tolist() == [x for n in range(6) for x in (n + 0.1, n / 7)]


def test_half_written_files_are_not_runs(tmp_path: Path) -> None:
    filled(tmp_path, 2)
    (tmp_path / "parts" / f".{keys(3)[2]}.run.0123abcd").write_bytes(b"half")
    half = tmp_path / "parts" / ".0123456789ab"
    half.mkdir()
    (half / "runs.parquet").write_bytes(b"PAR1")
    assert Runs(tmp_path).done() == set(keys(2))


def test_a_run_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(MovesimError, match="has no finished run 1234; start the same command again"):
        Runs(tmp_path).read("numbers", ["1234"])


def test_failures_are_named_until_they_succeed(tmp_path: Path) -> None:
    runs = Runs(tmp_path)
    runs.fail(keys(1)[0], {"replicate": 0, "a.b": 2.0}, ValueError("no\nluck"), 1)
    assert runs.failed() == {keys(1)[0]: {"about": {"replicate": 0, "a.b": 2.0}, "error": "ValueError: no luck", "attempts": 1}}
    assert runs.state() == "0 runs done, 1 failed"
    runs.add(keys(1)[0], pack(*work(Fake(0))))
    assert Runs(tmp_path).failed() == {} and not list((tmp_path / "failed").iterdir())


def test_what_is_running_is_known_while_it_runs(tmp_path: Path) -> None:
    runs = Runs(tmp_path)
    with Session(runs) as session:
        session.say(["abc", "abd"], now=True)
        assert Runs(tmp_path).running() == ["abc", "abd"] and Session(runs).others == 1
        assert Runs(tmp_path).state() == "0 runs done, 2 running"
    assert runs.running() == []
    gone = tmp_path / "sessions"
    gone.mkdir()
    row = {"host": store.socket.gethostname(), "pid": 2**22 + 1, "beat": 0.0, "running": ["x"]}
    (gone / "dead.json").write_text(json.dumps(row))
    (gone / "far.json").write_text(json.dumps({**row, "host": "elsewhere", "pid": 1}))
    assert runs.running() == [] and not list(gone.iterdir())


# --- the disk is full -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("where", ["add", "fail", "seal"])
def test_a_full_disk_is_a_sentence_and_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    runs = filled(tmp_path, 3)

    def full(*given: object, **more: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(MovesimError, match=r"The disk that holds .* is full. Every finished run is kept; make room"):
            if where == "add":
                runs.add("f" * 32, pack({}, {}))
            elif where == "fail":
                runs.fail("f" * 32, {}, ValueError("x"), 1)
            else:
                runs.seal()
    again = Runs(tmp_path)
    assert again.done() == set(keys(3)) and not [p for p in (tmp_path / "parts").iterdir() if p.name.startswith(".")]
    again.seal()
    assert np.array_equal(again.read("numbers", keys(3)).to_pandas()["replicate"], [0, 0, 1, 1, 2, 2])


def test_other_errors_of_the_disk_are_not_called_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*given: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    runs = filled(tmp_path, 1)
    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match="Input/output error"):
        runs.add("f" * 32, pack({}, {}))


def test_what_another_process_sealed_meanwhile_is_done(tmp_path: Path) -> None:
    one, other = Runs(tmp_path), Runs(tmp_path)
    assert one.done() == other.done() == set()
    mine, theirs = keys(2)
    for number, (runs, key) in enumerate(((one, mine), (other, theirs))):
        runs.add(key, pack(*work(Fake(number))))
        runs.seal()
    assert one.done() == other.done() == {mine, theirs}


def test_a_session_gives_signs_of_life_while_a_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On another computer only the beat tells the living from the dead: it goes on without a word of the runner's."""
    monkeypatch.setattr(store, "ALIVE", 0.02)
    with Session(Runs(tmp_path)) as session:
        session.say(["abc"], True)
        first = json.loads(session.path.read_text(encoding="utf-8"))
        deadline = time.monotonic() + 20
        later = first
        while later["beat"] == first["beat"] and time.monotonic() < deadline:
            time.sleep(0.02)
            later = json.loads(session.path.read_text(encoding="utf-8"))
        assert later["beat"] > first["beat"] and later["running"] == ["abc"]
    time.sleep(0.1)
    assert not session.path.exists() and not session._thread.is_alive()  # nothing is written after the end
