"""Sensitivity analysis: known functions through the whole pipeline, what never may happen silently, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from movesim.errors import InputError, MovesimError
from movesim.evidence import Ledger, Parameter
from movesim.experiments.keys import Keys
from movesim.experiments.runs import Runs
from movesim.experiments.sensitivity.carry_out import rows_of_sample
from movesim.experiments.sensitivity.factors import DUMMY, SEED, Factor, factors_of
from movesim.experiments.sensitivity.guards import checked
from movesim.experiments.sensitivity.indices import indices, interval
from movesim.experiments.sensitivity.outcomes import read_outcome, series
from movesim.experiments.sensitivity.samples import Sample, make, rows_of
from movesim.experiments.sensitivity.verdict import CANNOT_TELL, judge, notes, survivors
from toy_box import OUTCOME, at_once, factors, through

PI = float(np.pi)


def wide(table: pd.DataFrame, index: str, column: str = "value") -> dict[str, float]:
    return table[table["index"] == index].set_index("parameter")[column].to_dict()


@pytest.fixture(scope="module")
def ishigami(tmp_path_factory: pytest.TempPathFactory):
    """A noisy Ishigami function through design, runner, store and join: 4 scrambles of 16 points."""
    folder = tmp_path_factory.mktemp("ishigami")
    sample, rows, y = through(folder, "sobol", "ishigami", factors(3, -PI, PI), 16, 4, noise=2.0)
    return folder, sample, rows, y, indices(sample, y, rows.keys)


# --- what is known ----------------------------------------------------------------------------------------------------
def test_the_whole_pipeline_gives_back_the_function(ishigami, tmp_path: Path) -> None:
    """What comes through runner, store and join is the function in the order of the design: what follows holds of it."""
    straight = at_once("sobol", "ishigami", factors(3, -PI, PI), 16, 4, noise=2.0)
    np.testing.assert_allclose(ishigami[3], straight[2], atol=1e-9)
    assert wide(ishigami[4], "ST") == pytest.approx(wide(indices(straight[0], straight[2]), "ST"))
    for method, function, n in (("sobol", "g", 8), ("morris", "ishigami", 1)):
        through_all = through(tmp_path / function, method, function, factors(4), n, 3)[2]
        np.testing.assert_allclose(through_all, at_once(method, function, factors(4), n, 3)[2], atol=1e-9)


def test_ishigami_is_recovered_by_sobol() -> None:
    sample, _, y = at_once("sobol", "ishigami", factors(3, -PI, PI), 128, 8)
    table = indices(sample, y)
    for index, exact in (("S1", (0.3139, 0.4424, 0.0)), ("ST", (0.5576, 0.4424, 0.2437))):
        low, high, value = (wide(table, index, column) for column in ("low", "high", "value"))
        for name, truth in zip(("x1", "x2", "x3"), exact, strict=True):
            assert value[name] == pytest.approx(truth, abs=0.045) and low[name] - 0.02 <= truth <= high[name] + 0.02
        assert value[DUMMY] == pytest.approx(0, abs=1e-12) and value[SEED] == pytest.approx(0, abs=1e-12)


def test_the_g_function_is_recovered_and_a_factor_switched_off_is_zero() -> None:
    sample, _, y = at_once("sobol", "g", factors(6), 128, 8)
    table = indices(sample, y)
    total = wide(table, "ST")
    for name, truth in {"x1": 0.787, "x2": 0.242, "x3": 0.034, "x4": 0.011}.items():
        assert total[name] == pytest.approx(truth, abs=0.045)
    low, high = wide(table, "S1", "low"), wide(table, "S1", "high")
    assert low["x6"] <= 0.0002 <= high["x6"] + 1e-3 and total["x6"] < 0.002


def test_a_noisy_function_keeps_chance_apart() -> None:
    """Noise of variance 4 beside Ishigami's 13.84: the seed's share is 0.224, and no parameter inherits any of it."""
    sample, rows, y = at_once("sobol", "ishigami", factors(3, -PI, PI), 128, 8, noise=2.0)
    table = indices(sample, y)
    total, share = wide(table, "ST"), 4 / 17.84
    assert total[SEED] == pytest.approx(share, abs=0.03) and total[DUMMY] == 0
    for name, truth in {"x1": 0.5576, "x2": 0.4424, "x3": 0.2437}.items():
        assert total[name] == pytest.approx(truth * (1 - share), abs=0.045)
    assert len(set(rows.seeds)) == 2 * 128 * 8  # one seed a row of a Sobol' block, and its twin


@pytest.mark.parametrize(
    ("method", "n", "blocks", "index", "truth"),
    [
        ("fast", 1001, 2, "S1", (0.3139, 0.4424, 0.0)),
        ("rbd_fast", 512, 2, "S1", (0.3139, 0.4424, 0.0)),
    ],
)
def test_other_shares_of_variance_are_recovered(method: str, n: int, blocks: int, index: str, truth) -> None:
    sample, rows, y = at_once(method, "ishigami", factors(3, -PI, PI), n, blocks)
    found = wide(indices(sample, y, rows.keys), index)
    assert [found[f"x{k}"] for k in (1, 2, 3)] == pytest.approx(truth, abs=0.07)
    assert SEED not in found


@pytest.mark.parametrize(
    ("method", "n", "blocks", "index"),
    [
        ("morris", 1, 12, "mu_star"),
        ("sobol", 32, 4, "ST"),
        ("pawn", 200, 3, "median"),
        ("dgsm", 16, 4, "bound"),
        ("rsa", 128, 3, "distance"),
    ],
)
def test_only_the_environment_matters_and_it_says_so(method: str, n: int, blocks: int, index: str) -> None:
    sample, rows, y = at_once(method, "environment", factors(3), n, blocks)
    table = indices(sample, y, rows.keys)
    table = table.assign(note=notes(table))
    main = table[table["index"] == index].set_index("parameter")
    assert main["value"].drop([SEED, DUMMY], errors="ignore").idxmax() == "x2" and main.loc["x2", "told"]
    if method in ("morris", "sobol", "dgsm"):  # these have no floor above 0
        assert main.loc[["x1", "x3"], "value"].abs().max() < 1e-9
        assert all(CANNOT_TELL in note for note in main.loc[["x1", "x3"], "note"])
    if method == "morris":
        assert survivors(table, 12) == ["x2"] and main.loc["x2", "value"] == pytest.approx(3)


def test_groups_move_together() -> None:
    """A group's index is that of its numbers together: x1 and x3 of Ishigami's function hold all but x2's 0.4424."""
    made = factors(3, -PI, PI, ("body", "place", "body"))
    sample, rows, y = at_once("sobol", "ishigami", made, 64, 8, grouped=True)
    found = wide(indices(sample, y, rows.keys), "ST")
    assert set(found) == {"body", "place", DUMMY, SEED}
    assert found["body"] == pytest.approx(0.5576, abs=0.08) and found["place"] == pytest.approx(0.4424, abs=0.08)
    sample, rows, y = at_once("morris", "ishigami", made, 1, 10, grouped=True)
    found = wide(indices(sample, y, rows.keys), "mu_star")
    assert found["body"] > found["place"] > found[DUMMY] == 0


# --- more without waste, whoever does it ------------------------------------------------------------------------------
def test_more_scrambles_and_more_rows_use_what_is_there(ishigami) -> None:
    _, sample, rows, *_ = ishigami
    for n, blocks in ((16, 6), (32, 4)):
        more = make("sobol", factors(3, -PI, PI), n, blocks, 0)
        keys = rows_of_sample(more, factors(3, -PI, PI), Keys({"toy": "ishigami", "noise": 2.0})).keys
        assert set(rows.keys) <= set(keys)
    short = make("morris", factors(3), 1, 5, 1).unit
    np.testing.assert_array_equal(make("morris", factors(3), 1, 9, 1).unit[: len(short)], short)
    assert len(set(rows.keys)) == len(sample) * 6 // 7  # rows in which only the dummy differs are one run


def test_workers_do_not_matter(ishigami, tmp_path: Path) -> None:
    y = through(tmp_path, "sobol", "ishigami", factors(3, -PI, PI), 16, 2, noise=2.0, workers=2)[2]
    np.testing.assert_array_equal(y, ishigami[3][: len(y)])


def test_rows_are_joined_by_key_in_the_order_of_the_design(ishigami) -> None:
    folder, _, rows, y, _ = ishigami
    order = np.random.default_rng(0).permutation(len(rows.keys))
    _, shuffled = series(Runs(folder), [rows.keys[k] for k in order], OUTCOME)
    np.testing.assert_array_equal(shuffled[:, 0], y[order])


def test_seed_0_works_and_another_seed_is_another_design() -> None:
    one, again, other = (make("sobol", factors(2), 8, 2, seed).unit for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)
    for method, n in (("morris", 1), ("fast", 65), ("rbd_fast", 64), ("dgsm", 8)):
        np.testing.assert_array_equal(make(method, factors(2), n, 2, 0).unit, make(method, factors(2), n, 2, 0).unit)
        blocks = make(method, factors(2), n, 2, 0)
        assert not np.array_equal(blocks.unit[blocks.block == 0], blocks.unit[blocks.block == 1])


@pytest.mark.parametrize("method", ["morris", "sobol", "fast", "rbd_fast", "pawn", "dgsm", "rsa"])
def test_a_design_has_the_rows_that_are_counted(method: str) -> None:
    n = {"morris": 1, "fast": 65}.get(method, 64)
    sample = make(method, factors(3), n, 2, 1)
    assert len(sample) == rows_of(method, 5, n, 2)
    assert sample.unit.min() >= 0 and sample.unit.max() <= 1
    if method == "morris":  # the dummy too takes a step, and nothing steps along with another
        steps = np.abs(np.diff(sample.unit[:5], axis=0)) > 1e-9
        assert (steps.sum(axis=1) == 1).all() and not steps[:, 4].any()
    if method in ("morris", "fast"):
        assert len(np.unique(sample.unit[sample.block == 0][: len(sample) // 2 - 1, -1])) == 1  # one seed along it


# --- silent failures, guarded -----------------------------------------------------------------------------------------
def test_one_nan_is_refused_by_name_and_never_zero(ishigami) -> None:
    _, sample, rows, y, _ = ishigami
    for wrong in (np.nan, np.inf):
        broken = y.copy()
        broken[7] = wrong
        with pytest.raises(MovesimError, match=rf"1 of 448 runs have no number for this outcome \({rows.keys[7]}\), and one is"):
            indices(sample, broken, rows.keys)


def test_wrong_sizes_are_refused(ishigami) -> None:
    _, sample, _, y, _ = ishigami
    with pytest.raises(MovesimError, match="The design has 448 rows and there are 447 outcomes; every row needs its own"):
        indices(sample, y[1:])
    np.testing.assert_array_equal(checked(sample, y[:, None]), y)
    with pytest.raises(MovesimError, match=r"Indices are worked out for one outcome at a time, got a table of shape \(448, 2\)"):
        indices(sample, np.column_stack([y, y]))
    other = Sample("sobol", sample.names, sample.groups, sample.unit[:-7], sample.block[:-7], sample.n)
    with pytest.raises(MovesimError, match="A sobol design of these sizes has 448 rows, this one has 441"):
        indices(other, y[:-7])


@pytest.mark.parametrize(
    ("method", "n", "blocks", "grouped", "sentence"),
    [
        ("sobol", 100, 8, False, "n=100: Sobol' points are even only in powers of two; take 128"),
        ("fast", 64, 8, False, r"n=64: method=fast needs at least 65 rows a factor \(4 M\^2 \+ 1 with M = 4\)"),
        ("pawn", 32, 8, False, "n=32: method=pawn needs at least 64 rows in each of its designs"),
        ("morris", 1, 1, False, "trajectories=1: an error is told from designs that differ; take at least 2"),
        ("sobol", 64, 1, False, "scrambles=1: an error is told from designs that differ"),
        ("rsa", 64, 4, True, "groups=true works with morris and sobol alone; rsa would give a group one and the same value"),
    ],
)
def test_sizes_that_cannot_be_are_refused(method: str, n: int, blocks: int, grouped: bool, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        make(method, factors(2), n, blocks, 1, grouped)


def test_the_problem_is_a_new_one_at_each_call() -> None:
    """Some of SALib's analysers change the names they are given."""
    sample = make("sobol", factors(2), 4, 2, 1)
    sample.problem()["names"].append("other")
    assert sample.problem()["names"] == list(sample.names) == ["x1", "x2", DUMMY, SEED]


def test_ends_of_endless_distributions_are_numbers() -> None:
    normal = Parameter("a", 0.5, "normal", 0.0, 1.0, least=0.0, most=1.0)
    factor = Factor("a", "number", "", "", normal)
    assert factor.value(0.0) == 0.0 and factor.value(1.0) == 1.0 and factor.value(0.5) == 0.5
    lognormal = Factor("b", "number", "", "", Parameter("b", 1.0, "lognormal", 0.5, 2.0))
    assert all(np.isfinite(lognormal.value(u)) for u in (0.0, 1.0))
    assert Factor("fitted", "fitted", levels=30).value(1.0) == 29


def test_an_outcome_that_never_moves_has_no_indices() -> None:
    sample = make("sobol", factors(2), 4, 2, 1)
    table = indices(sample, np.full(len(sample), 0.3))
    assert table.empty and "same in every run" in judge(sample, np.full(len(sample), 0.3), table).sentence


# --- what is said -----------------------------------------------------------------------------------------------------
def test_intervals_are_students_over_blocks() -> None:
    mean, half = interval(np.array([[1.0], [2.0], [3.0]]))
    assert mean[0] == 2 and half[0] == pytest.approx(4.303 / np.sqrt(3), rel=1e-3)
    assert np.isinf(interval(np.ones((1, 1)))[1][0])


def test_odd_indices_are_explained() -> None:
    rows = [("a", "S1", -0.03, -0.1, 0.04, False), ("a", "ST", 0.2, 0.1, 0.3, True), ("b", "S1", 0.6, 0.5, 0.7, True),
            ("b", "ST", 0.3, 0.2, 0.4, True), ("c", "ST", 1.2, 1.0, 1.4, True), ("d", "S1", 0.31, 0.2, 0.42, True),
            ("d", "ST", 0.3, 0.2, 0.4, True)]  # fmt: skip
    said = notes(pd.DataFrame(rows, columns=["parameter", "index", "value", "low", "high", "told"])).tolist()
    assert said[0].startswith(CANNOT_TELL) and "below 0, which no share can be" in said[0] and said[1] == ""
    assert "more alone than in all, beyond both intervals: do not use it" in said[2]
    assert "above 1, which no share can be: the design is too small" in said[4] and "read both as the same" in said[5]


def test_the_verdict_says_how_much_more_would_do(ishigami) -> None:
    _, sample, _, y, table = ishigami
    verdict = judge(sample, y, table)
    assert verdict.target == 0.05 and verdict.method == "sobol"
    assert verdict.converged is (verdict.half_width <= 0.05) and ("Settled." in verdict.sentence) is verdict.converged
    few = make("sobol", factors(3, -PI, PI), 4, 2, 3)
    noisy = np.random.default_rng(1).normal(size=len(few))
    verdict = judge(few, noisy, indices(few, noisy))
    assert not verdict.converged and verdict.needed > 2 and "scrambles would do (2 now)" in verdict.sentence


# --- names ------------------------------------------------------------------------------------------------------------
LEDGER = Ledger({p.path: p for p in (
    Parameter("behaviour.habit.gain", 0.1, "uniform", 0.0, 0.2, group="persistence"),
    Parameter("scenarios.routes.effect", 12.0, "normal", 5.0, 20.0, group="effects"),
    Parameter("scenarios.routes.ratio", 1.2, "lognormal", 1.0, 1.6, group="ratio"),
    Parameter("scenarios.routes.cap", 4.0, group="reach"),
)})  # fmt: skip


def test_factors_are_named_by_path_beginning_group_or_word() -> None:
    every = [f.name for f in factors_of((), LEDGER, 30, {})]
    assert every == ["fitted", "scenarios.routes.effect", "scenarios.routes.ratio", "dummy"]
    assert [f.name for f in factors_of((), LEDGER, 0, {})] == every[1:]
    assert [f.name for f in factors_of(("persistence", "demography"), LEDGER, 0, {})] == [
        "behaviour.habit.gain",
        "demography",
        "dummy",
    ]
    assert [f.name for f in factors_of(("scenarios", "fitted"), LEDGER, 3, {"scenarios.routes.ratio": 1.0})] == [
        *every[:2],
        "dummy",
    ]


@pytest.mark.parametrize(
    ("names", "ensemble", "fixed", "sentence"),
    [
        (("scenarios.routes.efect",), 0, {}, r"there is no number or group called 'scenarios\.routes\.efect'\. Did you mean"),
        (("scenarios.routes.cap",), 0, {}, r"scenarios\.routes\.cap is fixed and has no range"),
        (("fitted", "scenarios"), 0, {}, "'fitted' is the fitted ensemble, which draws=central leaves out"),
        (("effects",), 0, {}, r"there must be at least two, got scenarios\.routes\.effect"),
        (
            ("scenarios.routes.ratio", "effects"),
            0,
            {"scenarios.routes.ratio": 2.0},
            r"ratio is a factor and set by hand \(2\); do one",
        ),
    ],
)
def test_factors_that_cannot_be_are_refused(names, ensemble: int, fixed, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        factors_of(names, LEDGER, ensemble, fixed)


def test_outcomes_are_read() -> None:
    gap = read_outcome("imd_decile", 10)
    assert (gap.kind, gap.measure, gap.year, gap.scale) == ("change", "sii", 10, 100)
    level = read_outcome("value:adult.all.minutes.all@3", 10)
    assert (level.kind, level.measure, level.level, level.year, level.scale) == ("value", "level", "all", 3, 1)
    assert read_outcome("baseline:sex", 5).measure == "mean_deviation" and read_outcome("spent", 5).outcome == "spent"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("chang:sex", "'chang:sex' must begin with change, value or baseline and a colon, or with none. Did you mean 'change'"),
        ("sex@11", "'sex@11' asks for year 11; the policy period has the years 1 to 10"),
        ("adult.imd.inactive.sii", "'adult.imd.inactive.sii' must be spent, an axis, or age_group.axis.outcome.measure"),
    ],
)
def test_outcomes_that_cannot_be_are_refused(name: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        read_outcome(name, 10)


def test_an_outcome_that_runs_do_not_hold_is_refused(ishigami) -> None:
    folder, _, rows, *_ = ishigami
    with pytest.raises(InputError, match="the runs have no 'sex'"):
        series(Runs(folder), rows.keys[:3], read_outcome("sex", 1))
