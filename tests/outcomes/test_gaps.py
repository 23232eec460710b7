"""Measures of inequality: a worked example, the plain fit, the laws they keep, and the gaps table."""

import doctest
import importlib
import math
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from movesim import words
from movesim.errors import MovesimError
from movesim.outcomes import gaps as g
from movesim.outcomes.gaps import gaps

# The worked example: three levels, the first most disadvantaged, with 20, 50 and 30% of residents.
SHARE = np.array([0.2, 0.5, 0.3])
Y = np.array([0.4, 0.3, 0.2])
SIGNED = [g.absolute, g.sii, g.erreygers]
RATIOS = [g.relative, g.rii, g.odds_ratio]


def outcomes_table(**change):
    """Return a small outcomes table: deprivation fifths and ethnic groups of adults in one run, one yearly record."""
    levels = [("imd_fifth", str(k + 1), 100.0 * (k + 1), 0.4 - 0.05 * k) for k in range(5)]
    levels += [("ethnic_group", name, 50.0 + 10 * k, 0.2 + 0.02 * k) for k, name in enumerate(words.ETHNIC_GROUPS)]
    levels += [("all", "all", 1500.0, 0.3)]
    table = pd.DataFrame(levels, columns=["axis", "level", "residents", "inactive"])
    table["fairly_active"] = 0.1
    table["active"] = 0.9 - table["inactive"]
    table["minutes"] = 500 * table["active"]
    one = {"scenario": "no_change", "draw": 0, "replicate": 0, "week": 52, "window": 52, "age_group": "adult"}
    return table.assign(**{**one, **change})


def value(table, outcome, measure, axis="imd_fifth"):
    """Return the one value of a gap in a table of one run."""
    row = table[(table["outcome"] == outcome) & (table["measure"] == measure) & (table["axis"] == axis)]
    assert len(row) == 1
    return row["value"].iloc[0]


# --- the worked example ---------------------------------------------------------------------------------------------
def test_worked_example_by_hand():
    # midranks: 0.2/2 = 0.1;  0.2 + 0.5/2 = 0.45;  0.7 + 0.3/2 = 0.85
    np.testing.assert_allclose(g.midrank(SHARE), [0.1, 0.45, 0.85], atol=1e-12)
    # mean of y: 0.2*0.4 + 0.5*0.3 + 0.3*0.2 = 0.08 + 0.15 + 0.06 = 0.29
    # rank less a half: -0.4, -0.05, 0.35
    # variance of rank: 0.2*0.16 + 0.5*0.0025 + 0.3*0.1225 = 0.032 + 0.00125 + 0.03675 = 0.07
    # covariance: 0.2*-0.4*0.4 + 0.5*-0.05*0.3 + 0.3*0.35*0.2 = -0.032 - 0.0075 + 0.021 = -0.0185
    # B = -0.0185/0.07 = -37/140;  A = 0.29 + (37/140)/2 = 0.29 + 37/280
    b, a = -37 / 140, 0.29 + 37 / 280
    np.testing.assert_allclose(g.line(Y, SHARE), [a, b], atol=1e-12)
    # SII = -B = 37/140;  RII = A/(A + B) = (0.0203 + 0.00925)/(0.0203 - 0.00925) = 591/221 (both times 0.07)
    assert g.sii(Y, SHARE) == pytest.approx(37 / 140, abs=1e-9)
    assert g.rii(Y, SHARE) == pytest.approx(591 / 221, abs=1e-9)
    # Erreygers: 8 * 0.0185 = 0.148
    assert g.erreygers(Y, SHARE) == pytest.approx(0.148, abs=1e-9)
    assert g.erreygers(100 * Y, SHARE, high=100) == pytest.approx(0.148, abs=1e-9)
    # ends: 0.4 - 0.2 = 0.2;  0.4/0.2 = 2;  odds (0.4/0.6)/(0.2/0.8) = (2/3)/(1/4) = 8/3
    assert g.absolute(Y, SHARE) == pytest.approx(0.2, abs=1e-9)
    assert g.relative(Y, SHARE) == pytest.approx(2, abs=1e-9)
    assert g.odds_ratio(Y, SHARE) == pytest.approx(8 / 3, abs=1e-9)
    # mean deviation: 0.2*0.11 + 0.5*0.01 + 0.3*0.09 = 0.022 + 0.005 + 0.027 = 0.054
    assert g.mean_deviation(Y, SHARE) == pytest.approx(0.054, abs=1e-9)
    # Theil: y/mean = 40/29, 30/29, 20/29;  p y/mean = 8/29, 15/29, 6/29
    by_hand = (8 * math.log(40 / 29) + 15 * math.log(30 / 29) + 6 * math.log(20 / 29)) / 29
    assert g.theil(Y, SHARE) == pytest.approx(by_hand, abs=1e-9)


def test_good_outcomes_are_signed_so_that_worse_for_the_disadvantaged_is_above():
    active = 1 - Y  # 0.6, 0.7, 0.8: the disadvantaged have less of it
    for measure in SIGNED:
        assert measure(active, SHARE, good=True) == pytest.approx(measure(Y, SHARE), abs=1e-12)
        assert measure(active, SHARE, good=True) > 0
    assert g.relative(active, SHARE, good=True) == pytest.approx(0.8 / 0.6, abs=1e-12)
    assert g.odds_ratio(active, SHARE, good=True) == pytest.approx(8 / 3, abs=1e-12)
    # A = 0.71 - 37/280, B = 37/140: the active line runs from A up to A + B
    assert g.rii(active, SHARE, good=True) == pytest.approx((0.71 + 37 / 280) / (0.71 - 37 / 280), abs=1e-9)


def test_agrees_with_a_plain_least_squares_fit():
    rng = np.random.default_rng(7)
    for levels in (2, 3, 5, 10):
        share = rng.dirichlet(np.ones(levels))
        y = rng.uniform(0.1, 0.6, levels)
        root, rank = np.sqrt(share), np.cumsum(share) - share / 2
        (a, b), *_ = np.linalg.lstsq(np.column_stack([root, root * rank]), root * y, rcond=None)
        assert g.sii(y, share) == pytest.approx(-b, abs=1e-9)
        assert g.sii(y, share, good=True) == pytest.approx(b, abs=1e-9)
        if a > 0 and a + b > 0:
            assert g.rii(y, share) == pytest.approx(a / (a + b), rel=1e-9)
            assert g.rii(y, share, good=True) == pytest.approx((a + b) / a, rel=1e-9)


# --- laws -----------------------------------------------------------------------------------------------------------
@st.composite
def groups(draw):
    """Draw values between 0.05 and 0.95 and shares of residents for 2 to 10 levels."""
    levels = draw(st.integers(2, 10))
    y = draw(st.lists(st.floats(0.05, 0.95), min_size=levels, max_size=levels))
    share = draw(st.lists(st.floats(0.05, 1.0), min_size=levels, max_size=levels))
    return np.array(y), np.array(share)


quick = settings(max_examples=60, deadline=None)


@quick
@given(groups(), st.floats(0.1, 10), st.floats(-5, 5))
def test_scale_and_translation(case, k, c):
    y, share = case
    for measure in (*SIGNED, g.mean_deviation):
        assert measure(k * y, share) == pytest.approx(k * measure(y, share), abs=1e-9)
        assert measure(y + c, share) == pytest.approx(measure(y, share), abs=1e-9)
    for measure in (g.relative, g.rii, g.theil):
        assert measure(k * y, share) == pytest.approx(measure(y, share), rel=1e-6, abs=1e-12, nan_ok=True)
    assert g.sii(y, 1000 * share) == pytest.approx(g.sii(y, share), abs=1e-9)  # residents do as well as shares


@quick
@given(groups())
def test_good_and_bad_mirror_each_other(case):
    y, share = case
    for measure in SIGNED:
        assert measure(y, share, good=True) == -measure(y, share)
        assert measure(1 - y, share, good=True) == pytest.approx(measure(y, share), abs=1e-12)
        assert measure(y[::-1], share[::-1]) == pytest.approx(-measure(y, share), abs=1e-9)
    for measure in RATIOS:
        product = measure(y, share, good=True) * measure(y, share)
        assert np.isnan(product) or product == pytest.approx(1, rel=1e-9)


@quick
@given(groups(), st.floats(0.01, 0.99))
def test_equal_groups_have_no_gap(case, same):
    y, share = np.full_like(case[0], same), case[1]
    for measure in (*SIGNED, g.mean_deviation, g.theil):
        assert measure(y, share) == pytest.approx(0, abs=1e-12)
    for measure in RATIOS:
        assert measure(y, share) == pytest.approx(1, abs=1e-12)


@quick
@given(groups(), st.randoms(use_true_random=False))
def test_unordered_measures_do_not_mind_the_order(case, random):
    y, share = case
    order = list(range(len(y)))
    random.shuffle(order)
    for measure in (g.mean_deviation, g.theil):
        assert measure(y[order], share[order]) == pytest.approx(measure(y, share), abs=1e-12)
        assert measure(y, share) >= -1e-15


@quick
@given(groups(), st.floats(-0.5, 0.5))
def test_a_linear_gradient_has_its_slope(case, slope):
    share = case[1]
    y = 0.7 - slope * g.midrank(share)
    assert g.sii(y, share) == pytest.approx(slope, abs=1e-9)
    assert g.rii(y, share) == pytest.approx(0.7 / (0.7 - slope), rel=1e-9)


@quick
@given(groups(), st.integers(0, 10))
def test_a_level_without_residents_changes_nothing(case, at):
    y, share = case
    at = min(at, len(y))
    more, none = np.insert(y, at, np.nan), np.insert(share, at, 0.0)
    for measure in (*SIGNED, *RATIOS, g.mean_deviation, g.theil):
        assert measure(more, none) == pytest.approx(measure(y, share), abs=1e-12, nan_ok=True)


def test_many_runs_at_once_equal_one_at_a_time_bit_for_bit():
    rng = np.random.default_rng(3)
    y, share = rng.uniform(0.1, 0.5, (4, 37, 10)), rng.uniform(0, 1, (37, 10))
    for measure in (*SIGNED, *RATIOS, g.mean_deviation, g.theil):
        whole = measure(y, share)
        assert whole.shape == (4, 37)
        assert whole[2, 30] == measure(y[2, 30].copy(), share[30].copy())


def test_undefined_measures_are_nan_in_silence():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(g.relative([0.2, 0.0], [1, 1]))
        assert np.isnan(g.odds_ratio([0.5, 0.0], [1, 1]))  # odds of 0 to compare with
        assert np.isnan(g.odds_ratio([1.0, 0.5], [1, 1]))  # endless odds
        assert np.isnan(g.rii([0.9, 0.01, 0.01], [1, 1, 1]))  # the line is below 0 at the far end
        assert np.isnan(g.theil([0.0, 0.0], [1, 1]))
        for measure in (*SIGNED[:2], *RATIOS):
            assert np.isnan(measure([0.3, 0.2], [1, 0]))  # one level is no gap
            assert np.isnan(measure([0.3, 0.2], [0, 0]))
        assert g.theil([0.0, 0.4], [1, 1]) == pytest.approx(math.log(2))  # 0 ln 0 counts as 0


# --- the gaps table -------------------------------------------------------------------------------------------------
def test_the_table_has_every_measure_once():
    table = gaps(outcomes_table())
    assert list(table.columns) == [
        "scenario", "draw", "replicate", "week", "window", "age_group", "axis", "outcome", "measure", "value",
    ]  # fmt: skip
    assert set(table["axis"]) == {"imd_fifth", "ethnic_group"}  # 'all' has one level and no gap
    ordered = table[table["axis"] == "imd_fifth"].groupby("outcome")["measure"].apply(set)
    six = {"absolute", "relative", "odds_ratio", "sii", "rii", "erreygers"}
    assert ordered["inactive"] == ordered["fairly_active"] == ordered["active"] == six
    assert ordered["minutes"] == six - {"odds_ratio", "erreygers"}
    assert set(table[table["axis"] == "ethnic_group"]["measure"]) == {"mean_deviation", "theil"}
    assert not table.duplicated(["axis", "outcome", "measure"]).any()
    assert {word.name for word in words.MEASURES} == set(table["measure"])


def test_the_table_holds_what_the_functions_say():
    table = gaps(outcomes_table())
    y, residents = np.array([0.4, 0.35, 0.3, 0.25, 0.2]), np.arange(1, 6)
    assert value(table, "inactive", "sii") == pytest.approx(g.sii(y, residents), abs=1e-12)
    assert value(table, "active", "sii") == pytest.approx(g.sii(y, residents), abs=1e-12)
    assert value(table, "minutes", "absolute") == pytest.approx(100)
    assert value(table, "inactive", "relative") == pytest.approx(2)
    assert value(table, "fairly_active", "rii") == pytest.approx(1)
    assert value(table, "inactive", "theil", "ethnic_group") == pytest.approx(
        g.theil([0.2, 0.22, 0.24, 0.26, 0.28], [50, 60, 70, 80, 90]), abs=1e-12
    )


def test_order_of_rows_and_levels_does_not_matter():
    table = outcomes_table()
    shuffled = table.sample(frac=1, random_state=4)
    for measure in ("sii", "absolute", "rii"):
        assert value(gaps(shuffled), "inactive", measure) == value(gaps(table), "inactive", measure)


def test_impairments_run_from_most_to_least_disadvantaged():
    table = outcomes_table().iloc[:4].assign(axis="impairments", level=list(words.IMPAIRMENTS))
    table["inactive"] = [0.2, 0.25, 0.3, 0.4]  # nobody, one, two, three or more impairments
    assert value(gaps(table), "inactive", "absolute", "impairments") == pytest.approx(0.2)


def test_levels_without_residents_are_left_out_of_a_record():
    table = outcomes_table()
    table.loc[table["level"] == "1", ["residents", "inactive"]] = [0.0, np.nan]
    assert value(gaps(table), "inactive", "absolute") == pytest.approx(0.35 - 0.2)  # second fifth against the last
    without = table[table["level"] != "1"]
    pd.testing.assert_frame_equal(gaps(table), gaps(without))


def test_an_axis_with_one_level_left_has_no_rows():
    table = outcomes_table()
    table.loc[(table["axis"] == "imd_fifth") & (table["level"] != "3"), "residents"] = 0.0
    assert set(gaps(table)["axis"]) == {"ethnic_group"}
    nothing = gaps(table[table["axis"] == "all"])
    assert len(nothing) == 0 and list(nothing.columns) == list(gaps(outcomes_table()).columns)


def test_runs_and_records_stay_apart():
    one, two = outcomes_table(), outcomes_table(scenario="routes", draw=3, week=104)
    two["inactive"] = two["inactive"] * 0.5
    both = gaps(pd.concat([one, two], ignore_index=True))
    pd.testing.assert_frame_equal(both[both["scenario"] == "routes"].reset_index(drop=True), gaps(two))
    twin = gaps(pd.concat([one, one.assign(scenario="routes")], ignore_index=True))
    values = [part["value"].to_numpy() for _, part in twin.groupby("scenario")]
    np.testing.assert_array_equal(*values)  # the same people give the same gap, bit for bit


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda t: t.drop(columns="residents"),
         "The outcomes table has no column residents; it has axis, level"),
        (lambda t: t.assign(axis="imd_tenth"),
         "The outcomes table has an unknown axis 'imd_tenth'. Did you mean 'imd_fifth'?"),
        (lambda t: t.replace({"level": {"5": "6"}}),
         "Axis 'imd_fifth' has no level '6' in the outcomes table; its levels are 1, 2, 3, 4, 5."),
        (lambda t: pd.concat([t, t.iloc[[2]]]),
         "two rows for scenario no_change, draw 0, replicate 0, week 52, window 52, age_group adult, axis imd_fifth, level 3; "
         "each level may come once."),
        (lambda t: t.assign(scenario=[None, *["a"] * (len(t) - 1)]),
         "Column 'scenario' has an empty cell in row 0; each row needs a scenario."),
    ],
)  # fmt: skip
def test_sentences(change, sentence):
    with pytest.raises(MovesimError) as error:
        gaps(change(outcomes_table()))
    assert sentence in str(error.value)


def test_the_examples_in_the_docstrings():
    assert doctest.testmod(importlib.import_module("movesim.outcomes.gaps")).failed == 0
