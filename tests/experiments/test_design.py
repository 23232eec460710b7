"""Designs: what is varied becomes points, sorted and each once; larger ones hold the smaller; wrong ones get a sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from movesim.config import settings_from_overrides
from movesim.errors import InputError
from movesim.evidence import Ledger, Parameter
from movesim.experiments.design import Design, make

LEDGER = Ledger(
    {
        "a.x": Parameter("a.x", 1.0, "uniform", 0.0, 2.0),
        "a.y": Parameter("a.y", 5.0, "lognormal", 2.0, 12.0),
        "b.z": Parameter("b.z", 3.0),
    }
)


def points(kind: str, vary: dict[str, Any], n: int = 8, seed: int = 1) -> Design:
    return make(kind, vary, n, seed, LEDGER)


def test_a_grid_is_every_combination_in_one_order() -> None:
    one = points("grid", {"a.x": (2.0, 1.0), "b.z": (4.0, 3.0, 5.0)})
    assert one.paths == ("a.x", "b.z") and one.values.tolist() == [[x, z] for x in (1, 2) for z in (3, 4, 5)]
    other = points("grid", {"b.z": (3.0, 5.0, 4.0), "a.x": (1.0, 2.0)})
    assert np.array_equal(one.values, other.values)
    assert one.numbers(0) == {"a.x": 1.0, "b.z": 3.0}


def test_paired_values_go_together() -> None:
    assert points("paired", {"a.x": (2.0, 1.0), "b.z": (4.0, 3.0)}).values.tolist() == [[1, 3], [2, 4]]
    with pytest.raises(InputError, match=r"every path needs as many values, but a\.x has 2, b\.z has 3"):
        points("paired", {"a.x": (2.0, 1.0), "b.z": (4.0, 3.0, 1.0)})


def test_sobol_points_fill_and_extend() -> None:
    small, large = (points("sobol", {"a.x": "interval(10,20)", "b.z": "interval(0,1)"}, n) for n in (16, 64))
    assert len(small) == 16 and len(large) == 64
    assert {tuple(row) for row in small.values} <= {tuple(row) for row in large.values}
    for column, (low, high) in enumerate(((10, 20), (0, 1))):
        share = np.sort((large.values[:, column] - low) / (high - low))
        assert np.abs(share - (np.arange(64) + 0.5) / 64).max() < 1.0 / 64  # one in every 64th
    assert not np.array_equal(points("sobol", {"a.x": "interval(10,20)"}, seed=2).values, small.values[:8, :1])


def test_a_latin_hypercube_has_one_point_in_every_slice() -> None:
    values = points("lhs", {"a.x": "interval(0,1)", "b.z": "interval(0,1)"}, 10).values
    assert sorted(np.floor(10 * values[:, 0])) == sorted(np.floor(10 * values[:, 1])) == list(range(10))


def test_a_prior_is_the_number_s_own_distribution() -> None:
    values = points("sobol", {"a.y": "prior"}, 256).values[:, 0]
    assert np.percentile(values, [5, 50, 95]) == pytest.approx([2.0, 5.0, 12.0], rel=0.06)


def test_points_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    path.write_text("b.z, a.x\n1,2\n\n3,\n1,2\n", encoding="utf-8")
    design = make(str(path), {}, 1, 1, LEDGER)
    assert len(design) == 2 and design.numbers(0) == {"a.x": 2.0, "b.z": 1.0} and design.numbers(1) == {"b.z": 3.0}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a.x\n", "has no points; its first line names paths"),
        ("a.x,a.x\n1,2\n", "a path stands in the first line twice"),
        ("a.x,b.z\n1\n", "point 1 has 1 values for 2 paths"),
        ("a.x\n1\nmany\n", "point 2 has 'many' for a.x; it must be a number"),
        ("a.xx\n1\n", r"There is no number called 'a\.xx'\. Did you mean 'a\.x'\?"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "points.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=sentence):
        make(str(path), {}, 1, 1, LEDGER)


@pytest.mark.parametrize(
    ("kind", "vary", "n", "sentence"),
    [
        ("gird", {"a.x": (1.0,)}, 1, r"design must be grid, paired, lhs, sobol or a CSV file, got 'gird'"),
        ("grid", {}, 1, "A sweep needs something to vary"),
        ("grid", {"a.x": "prior"}, 1, r"a\.x=prior has no list of values; add design=lhs or design=sobol"),
        ("lhs", {"a.x": (1.0, 2.0)}, 4, r"a\.x: design=lhs takes interval\(a,b\) or prior, not a list"),
        ("sobol", {"a.x": "prior"}, 100, r"points=100: Sobol' points are even only in powers of two; take 128"),
        ("sobol", {"b.z": "prior"}, 8, r"b\.z=prior: this number is fixed and has no range"),
        ("grid", {"c": (1.0,)}, 1, "There is no number called 'c'"),
        ("points.csv", {"a.x": (1.0,)}, 1, r"The points come from points\.csv; leave a\.x= away"),
        ("no.csv", {}, 1, r"design=no\.csv: this file cannot be read"),
        ("grid", {f"a.{i}": tuple(map(float, range(100))) for i in range(4)}, 1, "The grid has 100,000,000 points"),
    ],
)  # fmt: skip
def test_a_wrong_design_is_refused(kind: str, vary: dict, n: int, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        points(kind, vary, n)


# --- from the command line --------------------------------------------------------------------------------------------
def asked(*words: str) -> Any:
    return settings_from_overrides("sweep", ["scenarios=[routes]", *words])


def test_the_command_line_speaks_hydra_s_grammar() -> None:
    found = asked(
        "scenarios.routes.effect=5,10,20", "behaviour.habit.gain=range(0.1,0.4,0.1)", "scenarios.routes.ratio=interval(1,2)",
        "scenarios.routes.lag_weeks=prior", "behaviour.habit.loss=0.2", "scenarios.routes.ramp_weeks=8",
    )  # fmt: skip
    assert found.vary["scenarios.routes.effect"] == (5.0, 10.0, 20.0)
    assert found.vary["behaviour.habit.gain"] == pytest.approx((0.1, 0.2, 0.3))
    assert found.vary["scenarios.routes.ratio"] == "interval(1.0,2.0)" and found.vary["scenarios.routes.lag_weeks"] == "prior"
    assert found.behaviour == {"habit.loss": 0.2} and found.numbers == {"scenarios.routes.ramp_weeks": 8.0}
    import shlex

    assert settings_from_overrides("sweep", shlex.split(found.command_line())[2:]) == found


def test_numbers_of_scenarios_are_set_by_their_dotted_path_everywhere() -> None:
    for command, scenario in (("run", "scenario=routes"), ("compare", "scenarios=[routes]"), ("trials", "trials=[routes]")):
        found = settings_from_overrides(command, [scenario, "scenarios.routes.effect=10", "numbers.scenarios.routes.ratio=2"])
        assert found.numbers == {"scenarios.routes.effect": 10.0, "scenarios.routes.ratio": 2.0}
        assert "scenarios.routes.effect=10.0" in found.command_line()
        assert found.identity() != settings_from_overrides(command, [scenario]).identity()
    with pytest.raises(InputError, match=r"'scenarios\.routes\.effect' is not a setting of movesim calibrate"):
        settings_from_overrides("calibrate", ["scenarios.routes.effect=10"])


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("seed=1,2", "a sweep goes over numbers by dotted path .* for one study per value of 'seed' use: movesim compare -m"),
        ("scenarios.routes.effect=a,b", "scenarios.routes.effect must be swept over numbers, got 'a'"),
        ("scenarios.routes.effect=5,5", "must be swept over one or more different numbers"),
        ("scenarios.routes.effect=interval(5,2)", r"must be swept over interval\(a,b\) with a below b"),
        ("scenarios.routes.effect=x", "must be a number"),
        ("shard=5/4", "shard must be i/n with i from 1 to n, as in shard=1/4, got '5/4'"),
        ("seconds_a_run=0", "seconds_a_run must be a number of seconds above 0, or null, got 0"),
        ("engine=dusk", "engine must be dask, local or serial, got 'dusk'. Did you mean 'dask'"),
    ],
)
def test_wrong_words_get_a_sentence(word: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        asked(word)


@pytest.mark.parametrize(
    ("vary", "sentence"),
    [
        ([1, 2], r"vary must be values by dotted path"),
        ({"a.b": "many"}, r"a\.b must be swept over numbers, interval\(a,b\) or prior, got 'many'"),
        ({"a.b": [True]}, r"a\.b must be swept over numbers, got True"),
    ],
)
def test_wrong_values_from_python_get_a_sentence(vary: Any, sentence: str) -> None:
    from movesim import SweepSettings

    with pytest.raises(InputError, match=sentence):
        SweepSettings(scenarios=["routes"], vary=vary)


def test_empty_cells_are_equal_to_each_other() -> None:
    """A point with an empty cell is one point however often it is given, and has one number."""
    from movesim.experiments.design import Design, unique_rows

    nan = float("nan")
    design = Design.of(["b", "a"], [[1.0, nan], [1.0, nan], [nan, 2.0], [nan, 2.0], [1.0, 2.0]])
    assert len(design) == 3 and design.paths == ("a", "b")
    rows, number = unique_rows(np.array([[nan, 0.0], [nan, 0.0], [1.0, nan], [nan, 1.0]]))
    assert len(rows) == 3 and number[0] == number[1] and len(set(number.tolist())) == 3
    assert np.isnan(rows).sum() == 3
