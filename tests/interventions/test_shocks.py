"""Shocks: what their files must say, what they do in a run, and what is left of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from crowds import Run
from movesim.behaviour.rules import References, behaviour_ledger, make_rules
from movesim.behaviour.simulation import Simulation
from movesim.cli import main
from movesim.config import scenario_files
from movesim.errors import InputError
from movesim.interventions.acting import Acting
from movesim.interventions.shocks import Strike, list_shocks, load_shock
from movesim.words import STATUSES_OF_NUMBERS
from small import small_population

PLAIN = "{value: 1, distribution: fixed, unit: x, status: assumed, meaning: x}"
FILE = f"""title: A flood
summary: Everything is wet.
start_year: {PLAIN}
ramp_weeks: {PLAIN}
weeks: {PLAIN}
recovery_weeks: {PLAIN}
does:
  closes: {{sport: {PLAIN}}}
"""


def strike(does: dict[str, float], first: float = 0, ramp: float = 0, holds: float = 52, recovery: float = 0) -> Strike:
    return Strike("made_up", first, ramp, holds, recovery, does)


# --- files ------------------------------------------------------------------------------------------------------------
def test_shocks_are_no_scenarios() -> None:
    assert set(list_shocks()) == {"pandemic", "cost_of_living", "budget_cuts"}
    assert not set(list_shocks()) & set(scenario_files())


@pytest.mark.parametrize("name", list_shocks())
def test_every_number_has_a_status_a_meaning_and_can_be_drawn(name: str) -> None:
    shock = load_shock(name)
    for path, number in shock.ledger().items():
        assert path.startswith(f"shocks.{name}.") and number.status in STATUSES_OF_NUMBERS and number.meaning and number.unit
        assert number.distribution == "fixed" or number.low < number.quantile(0.5) < number.high, path
        assert number.status != "read" or number.ids
    for draw in range(50):
        drawn = shock.strike(shock.ledger().draw(1, draw))
        assert drawn.first >= 0 and min(drawn.ramp, drawn.holds, drawn.recovery) >= 0
        assert all(0 <= share <= 1 for effect, share in drawn.does.items() if effect.startswith(("closes", "money", "workforce")))


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("does:", "dose:", r"flood.yaml:7:1: unknown setting 'dose' in a shock. Did you mean 'does'\?"),
        ("weeks: {", "weks: {", r"unknown setting 'ramp_weks' in a shock. Did you mean 'ramp_weeks'\?"),
        ("closes: {sport", "closes: {sports", r"unknown setting 'sports' in 'closes'. Did you mean 'sport'\?"),
        (f"sport: {PLAIN}", f"sport: {PLAIN.replace('1', '80')}", r"'sport' must be between 0 and 1, got 80. Did you mean 0.8"),
        ("start_year: {value: 1", "start_year: {value: 0", "'start_year' must not be below 1, got 0"),
        ("  closes: {sport", "  motivation: {sport", "unknown setting 'motivation' in 'does'"),
    ],
)  # fmt: skip
def test_wrong_files_are_refused_with_a_sentence(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    assert old in FILE
    path = tmp_path / "flood.yaml"
    path.write_text(FILE.replace(old, new, 1) if old != "weeks: {" else FILE.replace(old, new))
    with pytest.raises(InputError, match=sentence):
        load_shock(path)


def test_an_empty_one_an_unknown_one_and_a_wrong_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "flood.yaml").write_text(FILE.split("does:")[0] + "does: {}\n")
    with pytest.raises(InputError, match="'does' must name what the shock does: closes, "):
        load_shock(tmp_path / "flood.yaml")
    with pytest.raises(InputError, match=r"There is no shock called 'pandemik'\. Did you mean 'pandemic'\?"):
        load_shock("pandemik")
    (tmp_path / "2flood.yaml").write_text(FILE)
    with pytest.raises(InputError, match=r"a shock is called by its file, .*; rename '2flood'"):
        load_shock(tmp_path / "2flood.yaml")


def test_ones_own_stand_in_scenarios_shocks(empty_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = empty_folder / "scenarios" / "shocks"
    folder.mkdir(parents=True)
    (folder / "flood.yaml").write_text(FILE)
    assert load_shock("flood").title == "A flood" and "flood" not in scenario_files()
    assert main(["list", "shocks"]) == 0
    assert "flood           A flood - Everything is wet." in capsys.readouterr().out
    (folder / "pandemic.yaml").write_text(FILE)
    with pytest.raises(InputError, match="Two shocks are called 'pandemic': "):
        list_shocks()


# --- at work ----------------------------------------------------------------------------------------------------------
def test_it_rises_holds_and_passes() -> None:
    one = strike({}, first=52, ramp=8, holds=20, recovery=40)
    assert [one.depth(w) for w in (0, 48)] == [0, 0]
    assert one.depth(52) == pytest.approx(2 / 8) and one.depth(56) == pytest.approx(6 / 8)
    assert {one.depth(w) for w in range(60, 77, 4)} == {1.0}
    assert one.depth(96) == pytest.approx(1 - (98 - 80) / 40) and one.depth(120) == 0
    assert one.of_year(52) == pytest.approx(np.mean([one.depth(w) for w in range(52, 104, 4)])) and one.of_year(0) == 0


@pytest.fixture(scope="module")
def settled() -> Simulation:
    run = Simulation(small_population(600, 20), make_rules(behaviour_ledger().central()), References.first_guess())
    run.run(52)
    run.week = 0
    return run


def after(run: Simulation, strikes: list[Strike], weeks: int, delivery: object = None) -> Simulation:
    run = run.branch()
    act = Acting(run, delivery, strikes)
    for _ in range(weeks):
        act.step(lambda domains, rows: np.zeros(len(rows)))
        run.step()
        if run.week % 52 == 0:
            run.turn_of_the_year()
    return run


def same(one: Simulation, other: Simulation) -> bool:
    names = ("state", "H", "ring", "mean")
    return all(np.array_equal(one.people.floats[n], other.people.floats[n]) for n in names) and np.array_equal(
        one.trust, other.trust
    )


def test_before_it_comes_and_at_no_strength_nothing_differs(settled: Simulation) -> None:
    without = after(settled, [], 60)
    does = {"closes.sport": 0.9, "opportunity_social": -1.0, "price": 2.0, "fear": 2.0, "workforce": 0.5, "school_offer": 0.5}
    assert same(after(settled, [strike(does, first=60)], 60), without)
    nothing = {effect: 1.0 if effect in ("price", "fear") else 0.0 for effect in does}
    assert same(after(settled, [strike(nothing)], 60), without)
    assert not same(after(settled, [strike(does, first=56)], 60), without)


TAKES = (
    ({"closes.sport": 1.0}, 3), ({"closes.leisure_walk": 0.9}, 0), ({"price": 3.0}, 3), ({"fear": 4.0}, 0),
    ({"opportunity_social": -2.0}, 0), ({"motivation_reflective": -2.0}, 1), ({"capability_psychological": -2.0}, 3),
    ({"capability_physical": -2.0}, 3), ({"school_offer": 1.0}, 5),
)  # fmt: skip


@pytest.mark.parametrize(("does", "domain"), TAKES, ids=[next(iter(does)) for does, _ in TAKES])
def test_what_it_takes_is_done_less(settled: Simulation, does: dict[str, float], domain: int) -> None:
    minutes = []
    for strikes in ([], [strike(does)]):
        run = settled.branch()
        run.people.domain_minutes[:] = 0
        minutes.append(after(run, strikes, 48).people.domain_minutes[domain].sum())
    assert minutes[1] < 0.97 * minutes[0]
    if does == {"closes.sport": 1.0}:
        assert minutes[1] < 0.15 * minutes[0], "supply never falls below 0.01"


def test_two_shocks_take_from_what_the_other_leaves(settled: Simulation) -> None:
    half = strike({"closes.sport": 0.5, "workforce": 0.5, "school_offer": 0.5})
    run = after(settled, [half, half], 4)
    assert run.open_share[3] == 0.25 and run.open_share[0] == 1
    np.testing.assert_allclose(run.shifts.get("fte"), -0.75 * run.fte)
    np.testing.assert_allclose(run.shifts.get("offer"), np.log(0.25), rtol=1e-6)


def test_nothing_stays_but_what_people_made_of_it(settled: Simulation) -> None:
    does = {"closes.sport": 0.9, "opportunity_social": -1.0, "price": 2.0, "fear": 2.0, "workforce": 0.5, "school_offer": 0.5}
    without, run = after(settled, [], 312), after(settled, [strike(does, holds=26, recovery=13)], 312)
    for name in ("P", "Y", "S", "R", "prompt", "supply", "offer", "fte", "likeness"):
        assert run.shifts.get(name) is None or not run.shifts.get(name).any(), name
    for name in ("base", "log_A", "drive", "volume"):
        assert np.array_equal(run.people.floats[name], without.people.floats[name]), name
    assert np.array_equal(run.log_E, without.log_E) and run.rules is without.rules
    assert abs(run.people.H[:4] - without.people.H[:4]).max() > 0, "habits remember"
    here, there = (r.people.mean[: r.people.n].mean() for r in (run, without))
    assert here == pytest.approx(there, rel=0.02)


def test_its_share_of_the_money_is_taken_from_every_programme(crowd) -> None:
    whole, cut = Run("three_together", crowd, 2), Run("three_together", crowd, 1)
    books = whole.delivery.money().query("year == 2").groupby("intervention").spent.sum()
    cut.delivery.purse.cut(0.4)
    for week in range(52, 104):
        cut.delivery.step(week, cut.shifts, crowd.readiness)
    less = cut.delivery.money().query("year == 2").groupby("intervention").spent.sum()
    budget = cut.delivery.pounds_a_year / 3
    # what was left of last year's places for want of a whole person is carried on
    assert (less <= 0.4 * budget * 1.02).all() and (less > 0.2 * budget).any()
    assert less.sum() < 0.6 * books.sum()


def test_a_strike_is_plain_numbers() -> None:
    shock = load_shock("pandemic")
    central = shock.strike(shock.ledger().central())
    assert central.first == 52 * 3 and central.does["closes.sport"] == shock.ledger()["shocks.pandemic.does.closes.sport"].value
    assert replace(central, first=0).depth(8) == 1.0
