"""Portfolios beside the sum of their parts: sums that hold exactly, and words that say what chance explains."""

import numpy as np
import pandas as pd
import pytest

from fifths import BASE, outcomes_table, row
from movesim.errors import MovesimError
from movesim.outcomes.changes import changes
from movesim.outcomes.interactions import headline, in_words, interactions

FIFTHS = ("adult", "imd_fifth", "inactive", "sii")


def tables(together, parts):
    """The outcomes of no change and a portfolio, and of its parts alone."""
    main = outcomes_table({"no change": BASE, "both": together})
    alone = outcomes_table({"both": parts[0], "other": parts[1]})
    alone["part"] = np.where(alone["scenario"] == "both", "walks", "clubs")
    return main, alone.assign(scenario="both")


def test_parts_that_do_not_touch_add_up():
    walks, clubs = np.array([-0.02, -0.01, 0, 0, 0]), np.array([0, 0, -0.03, -0.02, 0])
    found = interactions(*tables(BASE + walks + clubs, (BASE + walks, BASE + clubs)), "no change")
    np.testing.assert_allclose(found["difference"], 0, atol=1e-12)
    np.testing.assert_allclose(found["together"], found["sum_of_parts"], atol=1e-12)
    everybody = row(found, axis="all", outcome="inactive", measure="level")
    assert everybody["together"] == pytest.approx(-0.016) and everybody["pairs"] == 3
    assert everybody["words"].startswith("together as much as the sum of its parts")


def test_a_portfolio_that_does_more_says_by_how_much():
    step = np.array([-0.02, -0.01, 0, 0, 0])
    found = interactions(*tables(BASE + 3 * step, (BASE + step, BASE + step)), "no change")
    gap = row(found, axis="imd_fifth", outcome="inactive", measure="absolute")
    assert gap["together"] == pytest.approx(-0.06) and gap["sum_of_parts"] == pytest.approx(-0.04)
    assert gap["difference"] == pytest.approx(-0.02) and gap["probability"] == 1
    assert gap["words"] == "together 2.0 points more than the sum of its parts"
    active = row(found, axis="all", outcome="active", measure="level")
    assert (
        active["difference"] == pytest.approx(0.006) and active["words"] == "together 0.6 points more than the sum of its parts"
    )
    assert set(found["measure"]) == {"level", "absolute", "sii", "erreygers"}, "ratios cannot be added"
    assert list(headline(found, 52, FIFTHS)["measure"]) == ["sii", "level"]


def test_what_chance_explains_is_said():
    assert in_words(0.004, 0.003, "inactive", "sii") == (
        "together 0.4 points less than the sum of its parts; cannot be told from nothing"
    )
    assert in_words(2.0, 0.5, "minutes", "level", True) == "together 2.0 minutes more than the sum of its parts"
    assert in_words(0.0004, 0.0001, "active", "level", True).endswith("to a tenth of a point")
    assert in_words(0.0, float("nan"), "minutes", "level", True).endswith("a tenth of a minute; cannot be told from nothing")
    assert in_words(float("nan"), 0.1, "inactive", "sii") == "not known"


def test_an_empty_group_is_left_out_and_not_filled_in():
    main, alone = tables(BASE, (BASE, BASE))
    empty = (main["scenario"] == "both") & (main["level"] == "5") & (main["draw"] == 0)
    main.loc[empty, "residents"] = 0
    found = interactions(main, alone, "no change")
    assert row(found, level="5", outcome="inactive")["pairs"] == 2


def test_parts_without_their_portfolio_or_without_a_name_are_refused():
    main, alone = tables(BASE, (BASE, BASE))
    with pytest.raises(MovesimError, match=r"The parts of 'both' were run, but it was not; run the study again\."):
        interactions(main[main["scenario"] != "both"], alone, "no change")
    with pytest.raises(MovesimError, match=r"The alone table has no column part"):
        interactions(main, alone.drop(columns="part"), "no change")
    with pytest.raises(MovesimError, match=r"has no outcomes for draw 2|has no gaps for draw 2"):
        interactions(main, alone[alone["draw"] < 2], "no change")


def test_no_portfolio_is_an_empty_table():
    main, alone = tables(BASE, (BASE, BASE))
    assert interactions(main, alone.iloc[:0], "no change").empty


def test_changes_are_those_of_the_comparison():
    main, _ = tables(BASE - 0.01, (BASE, BASE))
    found = changes(main, "no change")
    level = (found.cells["measure"] == "level") & (found.cells["axis"] == "all") & (found.cells["outcome"] == "inactive")
    np.testing.assert_allclose(found.of("both")[level.to_numpy()], -0.01)
    assert found.rise_is_better.tolist() == [
        m == "level" and o != "inactive" for m, o in zip(found.cells["measure"], found.cells["outcome"])
    ]
    shuffled = pd.concat([main[main["scenario"] == "both"][::-1], main[main["scenario"] != "both"]])
    again = changes(shuffled, "no change")
    both = found.cells.assign(v=found.of("both").sum(axis=1)).merge(
        again.cells.assign(v=again.of("both").sum(axis=1)), on=list(found.cells)
    )
    np.testing.assert_allclose(both["v_x"], both["v_y"], atol=1e-12)
