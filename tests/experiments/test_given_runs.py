"""What is read out of runs that are there: surrogates and pairs, conditions of failure, indices of any sweep."""

from __future__ import annotations

import builtins
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import movesim
from movesim.errors import InputError
from movesim.experiments.sensitivity.discover import discover
from movesim.experiments.sensitivity.emulator import fit, pairs
from toy_box import at_once, factors

random = np.random.default_rng(5)


# --- surrogates -------------------------------------------------------------------------------------------------------
def test_a_surrogate_finds_the_pair_that_acts_together() -> None:
    """y = x1 + 4 (x1 - 1/2)(x2 - 1/2): variances 1/12 and 16/144, so 4/7 of it belongs to the pair."""
    sample, _, _ = at_once("rbd_fast", "environment", factors(3), 100, 4)
    x = sample.unit
    found = fit(sample, x[:, 0] + 4 * (x[:, 0] - 0.5) * (x[:, 1] - 0.5))
    assert found.good and found.held_out > 0.95 and found.names == ("x1", "x2", "x3")
    table = pairs(found).set_index(["index", "parameter", "other"])["value"]
    assert table["S2", "x1", "x2"] == pytest.approx(4 / 7, abs=0.06) and abs(table["S2", "x1", "x3"]) < 0.04
    assert table["ST", "x3", ""] == pytest.approx(0, abs=0.03)


def test_a_surrogate_of_noise_is_refused() -> None:
    sample, _, _ = at_once("rbd_fast", "environment", factors(2), 64, 2)
    found = fit(sample, random.normal(size=len(sample)))
    assert not found.good and "it is refused, and interactions are not worked out" in found.sentence
    with pytest.raises(InputError, match="it is refused, and interactions are not worked out"):
        pairs(found)


def test_what_no_surrogate_can_be_made_of_is_refused() -> None:
    sample, _, _ = at_once("morris", "environment", factors(2), 1, 3)
    with pytest.raises(InputError, match="15 runs are too few for a surrogate; it takes 60 at least, in 5 designs"):
        fit(sample, np.arange(15.0))
    sample, _, _ = at_once("rbd_fast", "environment", factors(2), 64, 2)
    with pytest.raises(InputError, match="The outcome is the same in every run, so there is nothing for a surrogate to learn"):
        fit(sample, np.ones(len(sample)))


def test_libraries_that_are_not_there_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest, **more):
        if name.split(".")[0] in ("sklearn", "prim"):
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    sample, _, y = at_once("rbd_fast", "environment", factors(2), 64, 2)
    with pytest.raises(
        InputError, match=r"An emulator needs scikit-learn; install it with: pip install 'movesim\[sensitivity\]'"
    ):
        fit(sample, y)
    with pytest.raises(
        InputError, match=r"Scenario discovery needs the package prim; install it with: pip install 'movesim\[disc"
    ):
        discover({"a": np.arange(100.0)}, np.arange(100.0) - 50)


# --- conditions of failure --------------------------------------------------------------------------------------------
def test_a_planted_box_is_found_in_words() -> None:
    x = pd.DataFrame(random.random((800, 4)), columns=["reach", "cost", "c", "d"])
    fails = (x["reach"] < 0.4) & (x["cost"] > 0.6)
    found = discover(x, np.where(fails, 0.5, -1.0) + 0.01 * random.normal(size=800))
    box = found.boxes[0]
    assert set(box.limits) == {"reach", "cost"} and box.coverage > 0.8 and box.density >= 0.8
    assert box.limits["reach"][1] == pytest.approx(0.4, abs=0.1) and box.limits["cost"][0] == pytest.approx(0.6, abs=0.1)
    assert "the gap does not narrow" in found.rule and "reach is at most 0." in box.sentence and "(coverage)" in box.sentence
    assert box.runs == round(box.mass * 800)


def test_a_limit_of_zero_is_a_limit() -> None:
    """The library takes a threshold of 0 for none; a limit is ours to apply."""
    x, y = pd.DataFrame({"a": random.random(400)}), random.random(400) - 0.5
    assert discover(x, y, above=0.0).failures == int((y > 0).sum())
    assert "by more than +0.20" in discover(x, y, above=0.2).rule


def test_a_plan_that_never_fails_has_its_worst_quarter_looked_at() -> None:
    x = pd.DataFrame({"a": random.random(400), "b": random.random(400)})
    found = discover(x, -1 - x["a"].to_numpy())
    assert "worst quarter" in found.rule and "hardly ever widens" in found.rule
    assert found.boxes and found.boxes[0].limits["a"][1] == pytest.approx(0.25, abs=0.05)
    few = discover(x, np.where(np.arange(400) < 5, 1.0, -1.0), above=0.0)
    assert not few.boxes and "too few of one kind to look for conditions" in few.sentences[0]


# --- sweeps -----------------------------------------------------------------------------------------------------------
PATHS = ["behaviour.habit.gain", "scenarios.routes.effect"]


def a_sweep(folder: Path, values: np.ndarray, change: np.ndarray) -> Path:
    """Write what a sweep leaves: a point a row, two pairs at each."""
    rows = pd.DataFrame(np.repeat(values, 2, axis=0), columns=PATHS)
    rows.insert(0, "point", np.repeat(np.arange(len(values)), 2))
    rows.insert(1, "replicate", np.tile([0, 1], len(values)))
    cell = {
        "scenario": "routes",
        "age_group": "adult",
        "axis": "imd_decile",
        "outcome": "inactive",
        "measure": "sii",
        "level": "",
        "week": 104,
    }
    rows = rows.assign(
        **cell, value=0.2 + np.repeat(change, 2), change=np.repeat(change, 2) + random.normal(0, 1e-4, 2 * len(values))
    )
    folder.mkdir()
    rows.to_parquet(folder / "sweep.parquet", index=False)
    manifest = {
        "command": "sweep", "years": 2, "swept": PATHS, "runs": len(rows), "fingerprint": "f00d", "runs_mark": "x", "failed": 0,
        "place": {"title": "Testshire"}, "scenarios": [{"name": n, "title": n.capitalize()} for n in ("baseline", "routes")],
    }  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    values = random.random((200, 2)) * [0.2, 15] + [0.0, 5]
    return a_sweep(tmp_path_factory.mktemp("given") / "sweep", values, -0.001 * values[:, 1])


def test_a_sweep_is_analysed_with_no_further_run(sweep: Path, tmp_path: Path) -> None:
    result = movesim.sensitivity(scenario="routes", given=sweep, quiet=True, out=tmp_path / "out")
    table = result.to_frame("sensitivity").set_index("parameter")
    assert set(table["method"]) == {"rbd_fast"} and table.loc["scenarios.routes.effect", "value"] > 0.9
    assert (
        not table.loc["behaviour.habit.gain", "told"] and "cannot be told from zero" in table.loc["behaviour.habit.gain", "note"]
    )
    page = (result.folder / "report.html").read_text(encoding="utf-8")
    assert "Testshire" in page and "depends most on effect" in page
    for method in ("pawn", "rsa"):
        found = movesim.sensitivity(
            scenario="routes", given=sweep, method=method, quiet=True, report=False, out=tmp_path / method
        )
        rows = found.to_frame("sensitivity").set_index("parameter")["value"]
        assert rows["scenarios.routes.effect"] == rows.max()


def test_sweeps_that_cannot_be_analysed_are_refused(sweep: Path, tmp_path: Path) -> None:
    keys = {"scenario": "routes", "quiet": True, "out": tmp_path / "out"}
    with pytest.raises(
        InputError, match="method=sobol needs a design of its own; for runs that are there use rbd_fast, pawn or rsa"
    ):
        movesim.sensitivity(**keys, given=sweep, method="sobol")
    with pytest.raises(InputError, match="This sweep has no outcome 'sex' of 'routes' in that year"):
        movesim.sensitivity(**keys, given=sweep, outcomes=["sex"])
    with pytest.raises(InputError, match="a sweep keeps changes and the scenario's own values; leave baseline: away"):
        movesim.sensitivity(**keys, given=sweep, outcomes=["baseline:sex"])
    grid = a_sweep(tmp_path / "grid", np.tile([[0.1, 5.0], [0.2, 6.0]], (100, 1)), np.zeros(200))
    with pytest.raises(InputError, match=r"behaviour\.habit\.gain takes too few different values in this sweep, or is left out"):
        movesim.sensitivity(**keys, given=grid)
    small = a_sweep(tmp_path / "small", random.random((20, 2)), np.zeros(20))
    with pytest.raises(InputError, match="This sweep has 40 runs of 'routes'; indices take 128 at least"):
        movesim.sensitivity(**keys, given=small)
    (small / "manifest.json").write_text(json.dumps({"command": "run", "years": 2}))
    with pytest.raises(InputError, match="is not the result of a sweep"):
        movesim.sensitivity(**keys, given=small)
