"""Paired comparison, decisions and contributions: hand examples, exact sums, and sentences."""

import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fifths import BASE, KEY, outcomes_table, row
from movesim import words
from movesim.errors import InputError, MovesimError
from movesim.outcomes import comparison as c
from movesim.outcomes.gaps import OUTCOMES as NAMES
from movesim.outcomes.gaps import gaps, sii


def gap_table(values, weeks=(52,), measure="sii"):
    """Return the headline gap from {scenario: array (weeks, pairs)} as a gaps table."""
    rows = [
        {"scenario": name, "draw": draw, "week": week, "value": float(np.atleast_2d(array)[w, draw])}
        for name, array in values.items()
        for w, week in enumerate(weeks)
        for draw in range(np.atleast_2d(array).shape[1])
    ]
    return pd.DataFrame(rows).assign(**KEY, axis="imd_decile", outcome="inactive", measure=measure)


def compared(inactive, **more):
    """Return the comparison with 'no change' of an outcomes table made from fifths."""
    table = outcomes_table(inactive, **more)
    return c.compare(table, gaps(table), "no change")


# --- compare --------------------------------------------------------------------------------------------------------
def test_paired_changes_by_hand():
    # absolute gaps: no change 0.20, 0.20, 0.18; with routes the first fifth falls by 0.02, 0.06 and rises by 0.01
    option = BASE + np.outer([-0.02, -0.06, 0.01], [1, 0, 0, 0, 0])
    table = compared({"routes": option, "no change": BASE})  # the baseline need not come first
    assert list(table.columns) == [
        "scenario", "age_group", "axis", "outcome", "measure", "level", "week", "window", "baseline", "difference",
        "mean_difference", "low", "high", "low50", "high50", "mc_error", "probability", "pairs",
    ]  # fmt: skip
    assert set(table["scenario"]) == {"routes"}
    gap = row(table, axis="imd_fifth", outcome="inactive", measure="absolute")
    assert gap["level"] == "" and gap["pairs"] == 3
    assert gap["baseline"] == pytest.approx(0.20)
    assert gap["difference"] == pytest.approx(-0.02)  # the middle of -0.06, -0.02, 0.01
    assert gap["mean_difference"] == pytest.approx(-0.07 / 3)
    # 5% of the way through three values: 0.1 of the step from the lowest to the middle; 25%: half of it
    assert gap["low"] == pytest.approx(-0.06 + 0.1 * 0.04)
    assert gap["high"] == pytest.approx(0.01 - 0.1 * 0.03)
    assert gap["low50"] == pytest.approx(-0.04)
    assert gap["high50"] == pytest.approx(-0.005)
    # mean -7/300; deviations 1/300, -11/300, 10/300: sd = sqrt((1 + 121 + 100)/2)/300 = sqrt(111)/300
    assert gap["mc_error"] == pytest.approx(np.sqrt(111) / 300 / np.sqrt(3))
    assert gap["probability"] == pytest.approx(2 / 3)


def test_levels_improve_when_inactive_falls_and_the_others_rise():
    option = BASE + np.outer([-0.02, -0.06, 0.01], [1, 0, 0, 0, 0])
    table = compared({"no change": BASE, "routes": option})
    first = row(table, measure="level", axis="imd_fifth", level="1", outcome="inactive")
    assert first["baseline"] == pytest.approx(0.40)
    assert first["difference"] == pytest.approx(-0.02)
    assert first["probability"] == pytest.approx(2 / 3)
    minutes = row(table, measure="level", axis="imd_fifth", level="1", outcome="minutes")
    assert minutes["difference"] == pytest.approx(10) and minutes["probability"] == pytest.approx(2 / 3)
    still = row(table, measure="level", axis="imd_fifth", level="5", outcome="active")
    assert still["difference"] == 0 and still["probability"] == 0  # no change is no improvement
    everybody = row(table, measure="level", axis="all", level="all", outcome="inactive")
    assert everybody["difference"] == pytest.approx(-0.004)


def test_a_scenario_equal_to_the_baseline_has_no_change_at_all():
    table = compared({"no change": BASE, "placebo": BASE})
    for name in ("difference", "mean_difference", "low", "high", "low50", "high50", "mc_error", "probability"):
        assert (table[name] == 0).all()


def test_one_pair_has_its_difference_as_range_and_no_monte_carlo_error():
    gap = row(
        compared({"no change": BASE[:1], "routes": BASE[:1] * 0.9}), axis="imd_fifth", outcome="inactive", measure="absolute"
    )
    assert gap["low"] == gap["high"] == gap["difference"] == pytest.approx(-0.02)
    assert np.isnan(gap["mc_error"]) and gap["pairs"] == 1


def test_the_baseline_alone_gives_an_empty_comparison():
    table = compared({"no change": BASE})
    assert len(table) == 0 and list(table.columns) == c.COLUMNS


def test_a_group_that_is_empty_in_one_run_is_left_out_of_that_pair():
    table = outcomes_table({"no change": BASE, "routes": BASE - 0.01})
    gone = (table["scenario"] == "routes") & (table["draw"] == 1) & (table["level"] == "5")
    emptied = table.copy()
    emptied.loc[gone, ["residents", "inactive"]] = [0.0, 0.0]
    for version in (table[~gone], emptied):
        level = row(
            c.compare(version, gaps(version), "no change"), measure="level", axis="imd_fifth", level="5", outcome="inactive"
        )
        assert level["pairs"] == 2 and level["difference"] == pytest.approx(-0.01)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.one_of(st.floats(-1, 1), st.just(float("nan"))), min_size=1, max_size=12))
def test_quantiles_are_those_of_numpy(values):
    array = np.array(values)
    ours = c.quantiles(array, c.QUANTILES)
    if np.isnan(array).all():
        assert np.isnan(ours).all()
    else:
        np.testing.assert_allclose(ours, np.nanquantile(array, c.QUANTILES), atol=1e-12)


# --- when, which, at whose cost -------------------------------------------------------------------------------------
WEEKS = (0, 52, 104, 156)


def test_by_when_is_the_first_year_from_which_it_stays_narrower():
    base = np.full((4, 5), 0.2)
    early = base - np.array([[0, 0, 0, 0, 0], [1, 1, 1, 1, 0], [1, 1, 1, 1, 1], [1, 1, 1, 1, -1]]) * 0.01
    back = base - np.array([[0, 0, 0, 0, 0], [1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [1, 1, 1, 1, 1]]) * 0.01
    never = base - np.array([[0, 0, 0, 0, 0], [1, 1, 1, 1, 1], [1, 1, 1, 1, 1], [1, 1, 1, 0, 0]]) * 0.01
    table = gap_table({"no change": base, "early": early, "back": back, "never": never}, WEEKS)
    shuffled = table.sample(frac=1, random_state=2)
    assert c.by_when(shuffled, "no change") == {"early": 52, "back": 156, "never": None}
    assert c.by_when(table, "no change", probability=1.0) == {"early": None, "back": 156, "never": None}
    assert c.by_when(table, "no change", probability=0.6)["never"] == 52


def test_ranking_by_hand():
    values = {"no change": [0.20, 0.20, 0.20, 0.20], "safe": [0.18, 0.18, 0.18, 0.18], "bold": [0.15, 0.17, 0.31, 0.18]}
    table = c.ranking(gap_table(values), "no change", 52).set_index("scenario")
    # lowest gaps: 0.15, 0.17, 0.18, 0.18
    # regret of safe 0.03, 0.01, 0, 0; of bold 0, 0, 0.13, 0; of no change 0.05, 0.03, 0.02, 0.02
    assert list(table.index) == ["safe", "no change", "bold"]
    assert table.loc["safe", "average_regret"] == pytest.approx(0.01)
    assert table.loc["bold", "average_regret"] == pytest.approx(0.0325)
    assert table.loc["no change", "average_regret"] == pytest.approx(0.03)
    # bold is best twice and shares the last pair with safe, which is best once more
    assert table["probability_best"].to_dict() == pytest.approx({"safe": 1.5 / 4, "bold": 2.5 / 4, "no change": 0})
    # 90% of the way through 0, 0, 0, 0.13: 0.7 of the last step
    assert table.loc["bold", "high_regret"] == pytest.approx(0.7 * 0.13)
    assert table.loc["bold", "change"] == pytest.approx(-0.025)  # middle of -0.05, -0.03, 0.11, -0.02
    assert table.loc["bold", "gap"] == pytest.approx(0.175)
    assert table.loc["no change", ["gap", "change", "low", "high"]].tolist() == [0.2, 0, 0, 0]
    assert (table["pairs"] == 4).all()


def test_ranking_leaves_out_pairs_in_which_a_measure_is_undefined():
    table = gap_table({"no change": [0.2, 0.2], "safe": [0.1, np.nan]})
    assert c.ranking(table, "no change", 52)["pairs"].tolist() == [1, 1]


def tenths(table):
    """Add deprivation tenths, two alike for each fifth, so that the headline gap exists."""
    fifths = table[table["axis"] == "imd_fifth"].assign(axis="imd_decile", residents=table["residents"] / 2)
    number = fifths["level"].astype(int)
    halves = [fifths.assign(level=(2 * number - k).astype(str)) for k in (0, 1)]
    return pd.concat([table, *halves], ignore_index=True)


def test_levelling_down_is_a_gap_that_closes_because_the_top_falls():
    noise = np.array([[0.0], [0.001], [-0.001]])
    down = BASE + np.array([0, 0, 0, 0, 0.03]) + noise  # the least deprived fifth gets worse
    up = BASE - np.array([0.03, 0, 0, 0, 0]) + noise * [0, 0, 0, 0, 1]  # the most deprived fifth gets better
    wider = BASE + np.array([0.05, 0, 0, 0, 0.01])  # all worse, and the gap wider
    table = tenths(outcomes_table({"no change": BASE, "down": down, "up": up, "wider": wider}))
    comparison = c.compare(table, gaps(table), "no change")
    flags = c.levelling_down(comparison).set_index("scenario")
    assert flags["levelling_down"].to_dict() == {"down": True, "up": False, "wider": False}
    assert flags.loc["down", "least_change"] == pytest.approx(0.03)
    assert flags.loc["down", "gap_change"] < 0
    minutes = c.levelling_down(comparison, 52, ("adult", "imd_fifth", "minutes", "absolute")).set_index("scenario")
    assert minutes["levelling_down"].to_dict() == {"down": True, "up": False, "wider": False}
    one = table[table["draw"] == 0]
    assert c.levelling_down(c.compare(one, gaps(one), "no change")).set_index("scenario")["levelling_down"]["down"]


def test_people_made_active_in_residents():
    # 500 residents; active = 0.9 - inactive, so a fall of inactivity by 0.01, 0.02, 0.03 makes 5, 10, 15 people active
    option = BASE - np.array([[0.01], [0.02], [0.03]])
    made = row(c.people_made_active(outcomes_table({"no change": BASE, "routes": option}), "no change"), age_group="adult")
    assert made["difference"] == pytest.approx(10)
    assert made["mean_difference"] == pytest.approx(10)
    assert made["mc_error"] == pytest.approx(5 / np.sqrt(3))
    assert (made["low"], made["high"]) == (pytest.approx(5.5), pytest.approx(14.5))
    assert made["baseline"] == pytest.approx(500 * 0.6) and made["probability"] == 1 and made["week"] == 52


# --- contributions --------------------------------------------------------------------------------------------------
def cross_table(residents, inactive, week=520):
    """Return the cross table from arrays (scenarios, pairs, authorities, 10); cells without residents have no row."""
    s, p, a, d = np.nonzero(residents > 0)
    return pd.DataFrame(
        {
            "scenario": np.array(["no change", "routes", "trail"])[s], "draw": p, "replicate": 0, "week": week,
            "local_authority": np.array(["Ashfield", "Bolsover", "Derby", "Erewash"])[a], "imd_decile": d + 1,
            "residents": residents[s, p, a, d], "inactive": inactive[s, p, a, d],
        }
    )  # fmt: skip


def slope_index(residents, inactive):
    """Return the slope index (scenarios, pairs) of tenths pooled over authorities."""
    people = residents.sum(axis=2)
    return sii(np.divide((residents * inactive).sum(axis=2), people, where=people > 0, out=np.zeros_like(people)), people)


def test_contributions_by_hand():
    # One authority per end: tenths 1 and 10 with 100 residents each, ranks 0.25 and 0.75, so SII = (y1 - y10) / 0.5
    residents = np.zeros((2, 1, 2, 10))
    residents[:, 0, 0, 0] = residents[:, 0, 1, 9] = 100
    inactive = np.full(residents.shape, 0.2)
    inactive[0, 0, 0, 0], inactive[1, 0, 0, 0] = 0.40, 0.35
    inactive[1, 0, 1, 9] = 0.19
    table = c.contributions(cross_table(residents, inactive), "no change").set_index("local_authority")
    assert list(table.columns) == ["scenario", "draw", "replicate", "week", "residents", "fewer_inactive", "gap_contribution"]
    assert table["gap_contribution"].to_dict() == pytest.approx({"Ashfield": -0.10, "Bolsover": 0.02})
    assert table["fewer_inactive"].to_dict() == pytest.approx({"Ashfield": 5, "Bolsover": 1})
    assert table["residents"].tolist() == [100, 100]  # and no row of population change: nobody moved


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["still", "moving", "emptying"]))
def test_contributions_add_up_to_the_change_of_the_index(seed, kind):
    rng = np.random.default_rng(seed)
    shape = (3, 2, 4, 10)
    residents = np.broadcast_to(rng.uniform(50, 500, shape[1:]) * (rng.random(shape[1:]) < 0.7), shape).copy()
    if kind != "still":
        residents = residents * rng.uniform(0.5, 1.5, shape)
    if kind == "emptying":  # cells that only some scenarios have
        residents = residents * (rng.random(shape) < 0.8) + 10.0 * (rng.random(shape) < 0.1)
    residents[:, :, 0, [0, 9]] += 1.0  # two tenths at least
    inactive = rng.uniform(0.1, 0.6, shape)
    table = c.contributions(cross_table(residents, inactive), "no change")
    index = slope_index(residents, inactive)
    count = (residents * inactive).sum(axis=(2, 3))
    people = residents.sum(axis=(2, 3))
    sums = table.groupby(["scenario", "draw"])[["gap_contribution", "fewer_inactive", "residents"]].sum()
    for k, name in ((1, "routes"), (2, "trail")):
        for p in range(2):
            found = sums.loc[(name, p)]
            assert found["gap_contribution"] == pytest.approx(index[k, p] - index[0, p], abs=1e-9)
            assert found["fewer_inactive"] == pytest.approx(count[0, p] - count[k, p], abs=1e-6)
            assert found["residents"] == pytest.approx(people[k, p], abs=1e-6)
    assert (c.POPULATION_CHANGE in set(table["local_authority"])) == (kind != "still")


def test_people_who_move_at_the_same_rates_are_population_change_alone():
    rng = np.random.default_rng(5)
    residents, inactive = (
        rng.uniform(50, 500, (2, 1, 4, 10)),
        np.broadcast_to(rng.uniform(0.1, 0.6, (1, 1, 4, 10)), (2, 1, 4, 10)),
    )
    table = c.contributions(cross_table(residents, inactive), "no change").set_index("local_authority")["gap_contribution"]
    assert (table.drop(c.POPULATION_CHANGE) == 0).all()
    index = slope_index(residents, inactive)
    assert table[c.POPULATION_CHANGE] == pytest.approx(index[1, 0] - index[0, 0], abs=1e-12)


def test_tenths_may_be_text():
    residents, inactive = np.full((2, 1, 4, 10), 10.0), np.full((2, 1, 4, 10), 0.3)
    table = cross_table(residents, inactive)
    as_text = table.assign(imd_decile=table["imd_decile"].astype(str))
    pd.testing.assert_frame_equal(c.contributions(table, "no change"), c.contributions(as_text, "no change"))


# --- sentences ------------------------------------------------------------------------------------------------------
GAPS = gap_table({"no change": np.full((2, 2), 0.2), "routes": np.full((2, 2), 0.1)}, (52, 104))
OUTCOMES = outcomes_table({"no change": BASE, "routes": BASE})
COMPARISON = compared({"no change": BASE, "routes": BASE})
CROSS = cross_table(np.full((2, 1, 4, 10), 10.0), np.full((2, 1, 4, 10), 0.3))
FIFTHS = ("adult", "imd_fifth", "inactive", "sii")


@pytest.mark.parametrize(
    ("call", "kind", "sentence"),
    [
        (lambda: c.ranking(GAPS, "no chnge", 52), InputError,
         "The gaps table has no scenario 'no chnge' to compare with; it has no change or routes. Did you mean 'no change'?"),
        (lambda: c.people_made_active(OUTCOMES.iloc[:0], "no change"), InputError,
         "The outcomes table has no scenario 'no change' to compare with; it is empty."),
        (lambda: c.by_when(GAPS[~((GAPS["scenario"] == "routes") & (GAPS["draw"] == 1))], "no change"), MovesimError,
         "Scenario 'routes' has no gaps for draw 1, replicate 0, but 'no change' has: "
         "scenarios can only be compared over the same draws and replicates."),
        (lambda: c.by_when(GAPS.iloc[1:], "no change"), MovesimError,
         "Scenario 'no change' has no gaps for draw 0, replicate 0, week 52 (window 52), but 'routes' has"),
        (lambda: c.by_when(pd.concat([GAPS, GAPS.iloc[[3]]]), "no change"), MovesimError,
         "The gaps table has two rows for scenario no change, draw 1, replicate 0, week 104, window 52; each may come once."),
        (lambda: c.by_when(GAPS.drop(columns="value"), "no change"), MovesimError,
         "The gaps table has no column value; it has scenario, draw, week"),
        (lambda: c.by_when(GAPS, "no change", 80), InputError,
         "The probability that a gap is narrower must be above 0 and at most 1, got 80."),
        (lambda: c.by_when(GAPS, "no change", gap=FIFTHS), InputError,
         "The gaps table has no yearly 'sii' of 'inactive' by 'imd_fifth' for age group 'adult'."),
        (lambda: c.ranking(GAPS, "no change", 60), InputError,
         "No year ends in week 60: the years of this study end in week 52 or 104."),
        (lambda: c.ranking(GAPS.assign(value=np.nan), "no change", 52), InputError,
         "The gap adult imd_decile inactive sii is undefined for some option in every pair: rank another measure."),
        (lambda: c.levelling_down(COMPARISON, gap=("adult", "sex", "inactive", "mean_deviation")), InputError,
         "Levelling down needs an ordered axis, got 'sex': choose imd_decile, imd_fifth, impairments, age_band,"),
        (lambda: c.levelling_down(COMPARISON), InputError,
         "The comparison has no yearly 'sii' of 'inactive' by 'imd_decile' with its levels for 'adult'."),
        (lambda: c.levelling_down(COMPARISON, 60, FIFTHS), InputError,
         "No year ends in week 60: the years of this comparison end in week 52."),
        (lambda: c.contributions(CROSS.assign(imd_decile=11), "no change"), MovesimError,
         "The cross table has a deprivation tenth '11'; tenths run from 1 (most deprived) to 10."),
        (lambda: c.contributions(CROSS.assign(imd_decile="worst"), "no change"), MovesimError,
         "The cross table has a deprivation tenth 'worst'; tenths run from 1 (most deprived) to 10."),
    ],
)  # fmt: skip
def test_sentences(call, kind, sentence):
    with pytest.raises(kind) as error:
        call()
    assert sentence in str(error.value)
    assert type(error.value) is kind


@pytest.mark.slow
def test_five_scenarios_of_twenty_pairs_are_quick():
    rng = np.random.default_rng(1)
    levels = [(axis, level) for axis in ("imd_decile", "imd_fifth") for level in words.AXIS[axis].levels]
    run, week, age, level = (k.ravel() for k in np.indices((100, 131, 2, len(levels))))
    count = len(run)
    table = pd.DataFrame(
        {
            "scenario": np.array([f"option {k}" for k in range(5)])[run % 5], "draw": run // 5, "replicate": 0,
            "week": week * 4, "window": 4, "age_group": np.array(words.AGE_GROUPS)[age],
            "axis": np.array([axis for axis, _ in levels])[level], "level": np.array([name for _, name in levels])[level],
            "residents": rng.uniform(100, 200, count), **{name: rng.uniform(0.1, 0.5, count) for name in NAMES},
        }
    )  # fmt: skip
    start = time.process_time()
    found = gaps(table)
    middle = time.process_time()
    compared = c.compare(table, found, "option 0")
    assert middle - start < 2 and time.process_time() - middle < 3
    assert len(found) == 100 * 131 * 2 * 2 * 22  # records, age groups, axes, measures of the outcomes
    assert len(compared) == 4 * 131 * 2 * (2 * 22 + 15 * 4)
