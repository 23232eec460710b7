import pytest

from movesim.report import terminal_summary
from movesim.report.terminal import fold


@pytest.mark.parametrize("variant", ["four", "one", "three_pairs", "widening", "unequal", "levelling_down", "crossing"])
def test_lines_fit_a_terminal_and_need_no_colour(folder_of, variant):
    text = terminal_summary(folder_of(variant))
    assert max(len(line) for line in text.splitlines()) <= 79
    assert "\x1b" not in text and "−" not in text and "nan" not in text
    assert "FINDING  " in text and "CHECK  " in text
    tail = text.rstrip().split("Open")[-1]
    assert "".join(tail.split()).endswith("report.html")


def test_options_stand_in_the_order_of_regret_with_words(folder_of):
    lines = terminal_summary(folder_of("four")).splitlines()
    rows = [line for line in lines if "%" in line and line[0] != " "]
    assert [float(row.split()[-1]) for row in rows] == sorted(float(row.split()[-1]) for row in rows)
    assert "WIDENS" in next(row for row in rows if row.startswith("Universal app"))
    assert "WIDENS" not in next(row for row in rows if row.startswith("No change"))


def test_few_pairs_show_no_range(folder_of):
    text = terminal_summary(folder_of("three_pairs"))
    assert "(no range)" in text and "Fewer than 20 paired runs: range not shown." in text
    assert "(9 in 10 runs)" not in text


def test_a_word_longer_than_a_line_is_broken():
    assert max(map(len, fold("x" * 200, "Open  "))) <= 79
    assert fold("a b", "LABEL  ") == ["LABEL  a b"]
