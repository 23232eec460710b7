"""Three questions in the report: what is said when they were asked, when not, and when nothing can be told."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from movesim.errors import InputError
from movesim.outcomes.enough import sentences
from movesim.report import terminal_summary
from movesim.report.facts import Facts
from movesim.report.figures import CHARTS
from movesim.report.questions import ladder_rows, lines_of, step_ratios, together_rows
from movesim.report.spend import payers_of, payers_table, spend_words, undelivered_of
from movesim.report.style import Chart
from movesim.report.tables import read_result


@pytest.fixture(scope="module")
def facts(folder_of) -> Facts:
    return Facts.read(folder_of("four"))


@pytest.fixture
def bare(folder_of, tmp_path: Path) -> Path:
    """The folder of one option as an older version wrote it: without answers."""
    folder = tmp_path / "bare"
    shutil.copytree(folder_of("one"), folder, ignore=shutil.ignore_patterns("figures"))
    for name in ("interactions", "ladder_shares", "ladder_steps", "break_even"):
        (folder / f"{name}.parquet").unlink()
    return folder


def rows(kept, half=2.0, shown=np.nan, seen=0.0, cost=100.0, price=500.0, pairs=20) -> pd.DataFrame:
    """Rows of break_even.parquet."""
    table = pd.DataFrame({"years_to_keep": np.resize(np.array(kept, float), pairs)})
    return table.assign(
        half_life_needed=half, half_life_shown=shown, seen_years=seen, delivery_years=8.0, cost=cost, pounds_per_active_year=price
    )


def test_what_was_not_asked_says_how_to_ask(bare: Path) -> None:
    plain = Facts.read(bare)
    assert CHARTS["together"](plain).endswith("run the same command with parts=true.")
    assert CHARTS["ladder-steps"](plain).endswith("run the same command with ladder=true.")
    assert CHARTS["lasting"](plain).startswith("How long the gain must last was not worked out")
    assert "LASTING" not in terminal_summary(bare)


def test_one_intervention_has_no_parts(bare: Path) -> None:
    plain = Facts.read(bare)
    plain.result.manifest["questions"] = ["parts"]
    assert CHARTS["together"](plain) == "No option has several interventions, so there are no parts to add up."


def test_no_cost_asks_for_no_gain(facts: Facts) -> None:
    free = Facts(facts.result, facts.numbers, facts.ranking)
    kept = free.result.tables["break_even"]
    free.result.tables["break_even"] = kept.assign(cost=0.0)
    try:
        assert CHARTS["lasting"](free) == "No option costs extra money, so any gain is worth it."
    finally:
        free.result.tables["break_even"] = kept


def test_the_answers_hold_together(facts: Facts) -> None:
    name = facts.focus["name"]
    found = together_rows(facts.result)
    assert {row["what"] for row in found} == {"gap", "inactive"} and {row["name"] for row in found} == {
        "proportionate",
        "target_fifth",
    }
    for row in found:
        assert row["together"] - row["sum"] == pytest.approx(row["difference"])
    steps = ladder_rows(facts.result, name)
    change = facts.result.gap_change(name)
    assert sum(row["share"] for row in steps) == pytest.approx(change.mean, abs=0.2), "made up of whole tenths alone"
    assert [row["step"] for row in steps] == ["offered", "taken_up", "effect"]
    assert step_ratios(facts.result, name)["taken_up"].startswith("walking groups 1.12 = 0.80 by readiness x 1.40 residual")
    lines = " ".join(lines_of(facts.result, facts.focus))
    assert "On the gap: together" in lines and "points by step: offer and targeting" in lines


def test_the_charts_say_what_stands_out(facts: Facts) -> None:
    ladder = CHARTS["ladder-steps"](facts)
    assert isinstance(ladder, Chart) and ladder.headline.startswith("Of the steps, offer and targeting narrows the gap most")
    assert ladder.data["Most over least deprived fifth"].str.contains("by readiness").any()
    together = CHARTS["together"](facts)
    assert "more than its parts add up to" in together.headline and together.data["In words"].str.startswith("together").all()


def test_few_runs_have_no_range(folder_of) -> None:
    few = Facts.read(folder_of("three_pairs"))
    for name in ("together", "ladder-steps", "lasting"):
        chart = CHARTS[name](few)
        assert isinstance(chart, Chart) and not [c for c in chart.data.columns if c.endswith(", low")]


@pytest.mark.parametrize(
    ("own", "said"),
    [
        (rows([0]), "What was gained in 8 years of delivery is worth what it cost, in 20 of 20 runs."),
        (rows([0], pairs=2), "What was gained in 8 years of delivery is worth what it cost."),
        (rows([3, 5]), "kept up for 3.0 years (3.0 to 5.0) after 8 years of delivery, or halve no sooner than every 2.0 years"),
        (rows([3, 3, np.inf]), "kept up for 3.0 years (3.0 to over 50)"),
        (rows([np.inf]), "not within 50 years in 20 of 20 runs."),
        (rows([60], pairs=3), "longer than 50 years: not within 50 years."),
        (rows([3]), "the run does not show how long the gain lasts: run more than 8 years."),
        (rows([3], shown=1.5, seen=4.0), "In the model half of it is gone 1.5 years after delivery."),
        (rows([3], shown=np.inf, seen=4.0), "In the model more than half of it is left after the 4 years that were run on."),
        (rows([3], shown=np.nan, seen=1.0), "In the 1 year after delivery there was no gain to lose."),
        (rows([3]), "worth £500 (500 to 500)."),
        (rows([3], price=np.nan), "nobody more is active, so no worth of a year would do"),
        (rows([3], cost=0.0), "It costs no extra money, so any gain is worth it."),
    ],
)  # fmt: skip
def test_how_long_in_words(own: pd.DataFrame, said: str) -> None:
    assert said in " ".join(sentences(own))


# --- money ----------------------------------------------------------------------------------------------------------
def test_who_pays_adds_up_to_what_is_spent(facts: Facts) -> None:
    name, result = facts.focus["name"], facts.result
    paid = payers_of(result, name)
    money = result.tables["money"]
    assert sum(paid.values()) == pytest.approx(money[money["scenario"] == name]["spent"].sum() / facts.numbers["pairs"])
    assert list(paid) == sorted(paid, key=paid.__getitem__, reverse=True)
    table = payers_table(result, {name: "Plan"}, 10)
    assert table["Payer"].iloc[-1] == "All payers" and table["Share of the option"].iloc[-1] == "100.0%" and len(table) == 4


def test_what_could_not_be_bought_is_said_for_every_option(facts: Facts) -> None:
    assert undelivered_of(facts.result, "proportionate") == [("free leisure", "places", pytest.approx(0.12))]
    assert undelivered_of(facts.result, "universal_app") == []
    text = spend_words(facts.result, "proportionate")
    assert text.startswith("Paid by: local authority 62%, NHS 30%") and "12% of places (free leisure)" in text
    assert spend_words(facts.result, "universal_app").endswith("All that was wanted was delivered.")
    assert spend_words(facts.result, "no_change") == ""
    lines = terminal_summary(facts.result.folder)
    assert lines.count("Paid by:") == 4 and lines.count("a resident a year") >= 4


def test_a_damaged_answer_is_refused(bare: Path) -> None:
    pd.DataFrame({"scenario": ["proportionate"]}).to_parquet(bare / "break_even.parquet")
    with pytest.raises(InputError, match=r"lacks the column .*active_adult"):
        read_result(bare)
