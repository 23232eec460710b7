"""The ledger: quantiles are those promised, draws stand alone, and what is wrong is refused in a sentence."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from movesim.behaviour.rules import behaviour_ledger
from movesim.errors import InputError
from movesim.evidence import Ledger, Parameter, is_number_with_evidence, parse

SOUND = {"value": 2, "low": 1, "high": 4, "distribution": "normal", "status": "assumed"}


def number(distribution: str, value: float, low: float | None = None, high: float | None = None) -> Parameter:
    return Parameter("x", value, distribution, low, high)


# --- quantiles --------------------------------------------------------------------------------------------------------
def test_a_fixed_number_is_always_itself() -> None:
    assert [number("fixed", 3.5).quantile(u) for u in (1e-9, 0.5, 1 - 1e-9)] == [3.5] * 3


def test_uniform_and_triangular_run_between_their_ends() -> None:
    assert [number("uniform", 2, 1, 3).quantile(u) for u in (0.0, 0.25, 1.0)] == [1.0, 1.5, 3.0]
    triangle = number("triangular", 2, 1, 5)
    assert triangle.quantile(0.0) == 1 and triangle.quantile(1.0) == 5
    assert triangle.quantile(0.25) == pytest.approx(2)  # the mode splits the probability as it splits the width
    assert triangle.quantile(0.5) == pytest.approx(5 - math.sqrt(0.5 * 4 * 3))


@pytest.mark.parametrize(("low", "value", "high"), [(1, 2, 3), (-3, 0, 3)])
def test_normal_has_its_5th_and_95th_percentile(low, value, high) -> None:
    p = number("normal", value, low, high)
    assert [p.quantile(u) for u in (0.05, 0.5, 0.95)] == pytest.approx([low, value, high])


def test_two_piece_normal_has_both_percentiles_where_they_lie_unevenly() -> None:
    p = number("two_piece_normal", 1, -4, 2)
    assert [p.quantile(u) for u in (0.05, 0.5, 0.95)] == pytest.approx([-4, 1, 2])
    assert p.quantile(0.01) < -4 and 2 < p.quantile(0.99) < 3


def test_lognormal_has_its_percentiles_and_stays_above_nothing() -> None:
    p = number("lognormal", 2, 1, 4)
    assert [p.quantile(u) for u in (0.05, 0.5, 0.95)] == pytest.approx([1, 2, 4])
    assert p.quantile(1e-12) > 0
    uneven = number("lognormal", 3, 1, 4)  # the centre stays, the ratio of the percentiles too
    assert uneven.quantile(0.5) == pytest.approx(3) and uneven.quantile(0.95) / uneven.quantile(0.05) == pytest.approx(4)


@pytest.mark.parametrize(("low", "value", "high"), [(0.2, 0.35, 0.5), (0.01, 0.03, 0.08), (0.9, 0.95, 0.99)])
def test_beta_has_its_mean_and_width_and_stays_in_its_range(low, value, high) -> None:
    p = number("beta", value, low, high)
    assert p.quantile(0.95) - p.quantile(0.05) == pytest.approx(high - low, abs=1e-3)
    u = (np.arange(2000) + 0.5) / 2000
    drawn = np.array([p.quantile(x) for x in u[::10]])
    assert drawn.mean() == pytest.approx(value, abs=0.003) and 0 < drawn.min() < drawn.max() < 1


def test_a_beta_too_wide_or_too_narrow_is_taken_as_near_as_can_be() -> None:
    wide, narrow = number("beta", 0.5, 0.0, 1.0), number("beta", 0.5, 0.4999, 0.5001)
    assert 0 < wide.quantile(0.05) < 0.05 and 0.95 < wide.quantile(0.95) < 1
    assert narrow.quantile(0.05) == pytest.approx(0.4979, abs=0.001) and narrow.quantile(0.95) == pytest.approx(0.5021, abs=0.001)


@pytest.mark.parametrize("distribution", ["uniform", "normal", "two_piece_normal", "lognormal", "beta", "triangular"])
def test_quantiles_never_fall(distribution) -> None:
    p = number(distribution, 0.4, 0.1, 0.8)
    values = [p.quantile(u) for u in np.linspace(0.001, 0.999, 60)]
    assert all(a < b for a, b in pairwise(values))


# --- the ledger -------------------------------------------------------------------------------------------------------
def ledger(*names: str) -> Ledger:
    return Ledger.from_mapping(dict.fromkeys(names, SOUND))


def test_a_draw_of_a_number_depends_on_nothing_but_its_path_seed_and_draw() -> None:
    one, other = ledger("a", "b", "c").draw(1, 4), ledger("z", "c", "y", "a", "b").draw(1, 4)
    assert all(one[path] == other[path] for path in one)
    assert len(set(one.values())) == 3
    assert ledger("a").draw(1, 5) != ledger("a").draw(1, 4) != ledger("a").draw(2, 4)
    assert Ledger().draw(1, 1) == {}


def test_draws_of_the_behaviour_ledger_are_centred_and_bounded() -> None:
    shipped = behaviour_ledger()
    drawn = [shipped.draw(1, i) for i in range(120)]
    assert set(drawn[0]) == set(shipped) == set(shipped.central())
    for path, p in shipped.items():
        values = np.array([d[path] for d in drawn])
        if p.distribution == "fixed":
            assert (values == p.value).all()
        elif p.distribution in ("uniform", "triangular"):
            assert p.low <= values.min() and values.max() <= p.high
        else:
            assert p.low < np.median(values) < p.high


def test_numbers_are_found_at_any_depth_and_by_name_in_lists() -> None:
    found = Ledger.from_mapping({"a": {"b": SOUND, "note": "x"}, "list": [{"name": "first", "v": SOUND}, {"v": SOUND}]}, "top")
    assert list(found) == ["top.a.b", "top.list.first.v", "top.list.1.v"]
    assert is_number_with_evidence(SOUND) and not is_number_with_evidence({"low": 1}) and not is_number_with_evidence(3)


def test_setting_a_number_fixes_it_and_no_other() -> None:
    before = ledger("a", "b")
    after = before.with_values({"a": 9})
    assert after.draw(1, 1) == {"a": 9.0, "b": before.draw(1, 1)["b"]}
    assert after["a"].status == "assumed" and after["a"].source == "set by the user" and after["a"].distribution == "fixed"
    assert before["a"].value == 2
    assert list(ledger("a") | ledger("b", "a")) == ["a", "b"] and len(before) == 2 and "a" in before


def test_the_table_has_a_row_a_number() -> None:
    table = Ledger.from_mapping({"a": {**SOUND, "ids": ["C1", "C2"]}, "b": {"value": 3, "status": "assumed"}}).to_frame()
    assert table["ids"].tolist() == ["C1;C2", ""] and table["low"].tolist() == [1.0, 3.0] and table["high"].tolist() == [4.0, 3.0]


def test_every_shipped_number_says_what_it_means() -> None:
    for path, p in behaviour_ledger().items():
        assert p.meaning, f"{path} has no meaning"
        assert p.status != "read" or p.ids or p.source, path


# --- refusals ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"hgih": 3}, "f.yaml:3:1: 'x' has an unknown key 'hgih'. Did you mean 'high'?"),
        ({"value": "two"}, "f.yaml:3:1: 'x' has value 'two'; it must be a number."),
        ({"value": True}, "f.yaml:3:1: 'x' has value True; it must be a number."),
        ({"low": None}, "f.yaml:3:1: 'x' has low None; it must be a number."),
        ({"high": math.inf}, "f.yaml:3:1: 'x' has high inf; it must be a number."),
        (
            {"distribution": "log_normal"},
            "f.yaml:3:1: 'x' has the distribution 'log_normal'; it must be fixed, uniform, normal, two_piece_normal, lognormal, "
            "beta or triangular. Did you mean 'lognormal'?",
        ),
        ({"value": 5}, "f.yaml:3:1: 'x' must have low <= value <= high with low < high, got 1.0, 5.0, 4.0."),
        ({"low": 2, "high": 2}, "f.yaml:3:1: 'x' must have low <= value <= high with low < high, got 2.0, 2.0, 2.0."),
        ({"distribution": "lognormal", "low": 0}, "f.yaml:3:1: 'x' is lognormal, so low must be above 0, got 0.0."),
        ({"distribution": "beta"}, "f.yaml:3:1: 'x' is beta, so its value must lie between 0 and 1, got 2.0."),
        (
            {"status": "assume"},
            "f.yaml:3:1: 'x' has the status 'assume'; it must be read, recalled, computed or assumed. Did you mean 'assumed'?",
        ),
        (
            {"status": "read"},
            "f.yaml:3:1: 'x' is marked 'read' but names no source; give ids or source, or mark it 'assumed'.",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_in_a_sentence(changes, sentence) -> None:
    with pytest.raises(InputError) as refusal:
        parse("x", {**SOUND, **changes}, "f.yaml:3:1")
    assert str(refusal.value) == sentence


@pytest.mark.parametrize("missing", ["low", "high"])
def test_a_distribution_needs_both_ends(missing) -> None:
    node = {name: value for name, value in SOUND.items() if name != missing}
    with pytest.raises(InputError, match="'x' is normal and needs both low and high"):
        parse("x", node)


def test_a_status_must_be_given() -> None:
    with pytest.raises(InputError, match="'x' has the status ''; it must be read, recalled, computed or assumed"):
        parse("x", {"value": 1})


def test_an_unknown_number_is_refused_with_what_was_meant() -> None:
    with pytest.raises(InputError) as refusal:
        ledger("habit.gain")["habit.gian"]
    assert str(refusal.value) == "There is no number called 'habit.gian'. Did you mean 'habit.gain'?"
    with pytest.raises(InputError, match="There is no number called 'b'"):
        ledger("a").with_values({"b": 1})


def test_refusals_name_the_place_in_the_file() -> None:
    with pytest.raises(InputError, match=r"^here a/b: 'a.b' has value 'x'"):
        Ledger.from_mapping({"a": {"b": {"value": "x", "status": "assumed"}}}, where=lambda keys: "here " + "/".join(keys))
