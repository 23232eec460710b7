from movesim.report import say


def test_numbers_carry_a_true_minus_and_never_a_minus_zero():
    assert say.plain(-0.34) == "−0.3"
    assert say.plain(-0.04) == "0.0"
    assert say.signed(0.04) == "0.0"
    assert say.signed(0.8) == "+0.8"
    assert say.span(-5.04, -3.2) == "−5.0 to −3.2"
    assert say.plain(1234.56) == "1,234.6"


def test_certainty_is_never_printed():
    assert say.per_cent(99.97) == "over 99.9%"
    assert say.per_cent(26.14) == "26.1%"
    assert say.chance(1.0, 200) == "over 99 in 100"
    assert say.chance(0.0, 200) == "under 1 in 100"
    assert say.chance(0.43, 200) == "43 in 100"
    assert say.chance(1.0, 24) == "24 of 24 runs"
    assert [say.share_of_runs(p) for p in (0, 0.004, 0.43, 0.996, 1)] == ["0", "under 1%", "43%", "over 99%", "all"]


def test_people_and_pounds_are_rounded_as_they_are_said():
    assert say.people(12_413, sign=True) == "+12,400"
    assert say.people(-2_462) == "−2,460"
    assert say.round_people(2_462, like=23_100) == 2_500
    assert [say.pounds(v) for v in (4.071, 640.4, 12_345, 2_040_000, -3.5)] == [
        "£4.07",
        "£640",
        "£12,300",
        "£2.0 million",
        "−£3.50",
    ]


def test_words_for_a_list_and_a_count():
    assert say.listed(["A", "B", "C"]) == "A, B and C"
    assert say.listed([]) == ""
    assert say.count(1, "run") == "1 run"
    assert say.count(2, "authority", "authorities") == "2 authorities"
    assert say.ascii_minus("−5 “x”…") == '-5 "x"...'
