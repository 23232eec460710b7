"""Adaptive rules: what their files must say, where pilots run, what surveys find, what is decided and done with the money."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from crowds import Crowd, Run, make_crowd, solve_all
from movesim import draws
from movesim.behaviour.shifts import Shifts
from movesim.errors import InputError
from movesim.interventions import Delivery, Scenario, load_scenario
from movesim.interventions.adaptive import KEEP, MOVE, SCALE_UP, STOP, Rule
from movesim.interventions.learning import Look, chosen, footprint
from movesim.interventions.programme import Setting
from movesim.interventions.survey import Survey

NAME = "test_and_learn"
RULES = f"scenarios.{NAME}.rules.leaders_first"


def told(crowd: Crowd, mean: np.ndarray) -> Crowd:
    """The same people, as active as said."""
    columns = {**crowd.columns, "mean": mean.astype(np.float32), "live": np.ones(crowd.alive.size, np.int8)}
    columns["child"] = (columns["age"] < 16).astype(np.int8)
    return Crowd(crowd.n, columns, crowd.alive, crowd.neighbourhoods, crowd.schools, ready=crowd.ready)


@cache
def shipped() -> tuple[Scenario, dict[str, float]]:
    scenario = load_scenario(NAME)
    return scenario, scenario.ledger().central()


def rule(**changes: object) -> Rule:
    return replace(shipped()[0].rules[0], **changes)


def values(**changes: float) -> dict[str, float]:
    scenario, numbers = shipped()
    return numbers | {scenario.rules[0].paths[name]: value for name, value in changes.items()}


# --- files ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("name: leaders_first", "name: Leaders", "a rule must be a mapping with 'name': small letters"),
        ("pilot: community_leaders", "pilot: comunity_leaders", "'pilot' must be .* got 'comunity_leaders'. Did you mean"),
        ("move_money_to: routes", "move_money_to: community_leaders", "'move_money_to' must be routes, got"),
        ("after_years: 2", "after_years: 12", r"the decision comes with year 13, when 'community_leaders' has ended"),
        ("share: 0.33", "share: 1.5", "'share' must be 0.01 or more, and 0.99 or less, got 1.5"),
        ("share: 0.33", "share: a third", "'share' must be a number"),
        ("respondents: 2000", "respondents: 1", "'respondents' must be 2 or more"),
        ("outcome: minutes", "outcome: steps", "'outcome' must be inactive or minutes, got 'steps'"),
        ("measured_in: standard_errors", "measured_in: sigmas", "'measured_in' must be estimate or standard_errors"),
        ("stop_below: 0", "stop_below: 3", r"'stop_below' \(3\) is above 'scale_up_from' \(0.43\); swap them"),
        ("ages: [16, 120]", "ages: [90, 16]", r"'ages' must be two ages, from and to, such as \[16, 120\], got \[90, 16\]"),
        ("{value: 1.5, low: 1.1", "{value: 0.5, low: 0.1", "'design_effect' must not be below 1"),
        ("worth_having: 2", "worth: 2", "unknown setting 'worth' in the rule 'leaders_first'"),
    ],
)  # fmt: skip
def test_wrong_rules_are_refused_with_a_sentence(write, old: str, new: str, sentence: str) -> None:
    path = write(NAME, (old, new), name="mine")
    with pytest.raises(InputError, match=rf"mine.yaml:\d+:\d+: .*{sentence}"):
        load_scenario(path)


def test_a_list_of_rules_and_two_of_a_kind(write) -> None:
    text = load_scenario(NAME).path.read_text(encoding="utf-8")
    whole = text[text.index("rules:") :]
    second = whole.removeprefix("rules:\n")
    for swap, sentence in (
        ("rules: []\n", "'rules' must be a list with at least one rule"),
        (whole + second, "two rules are called 'leaders_first'"),
        (whole + second.replace("leaders_first", "again"), "two rules pilot 'community_leaders'; one rule decides"),
    ):
        with pytest.raises(InputError, match=sentence):
            load_scenario(write(NAME, (whole, swap), name="mine"))


def test_choices_stand_in_the_ledger_and_rules_in_what_makes_a_study() -> None:
    scenario = load_scenario(NAME)
    number = scenario.ledger()[f"{RULES}.share"]
    assert (number.value, number.distribution, number.status) == (0.33, "fixed", "assumed") and "A choice" in number.meaning
    assert scenario.ledger()[f"{RULES}.survey.design_effect"].distribution == "triangular"
    assert "rules" in scenario.contents and "rules" not in load_scenario("routes").contents
    assert scenario.only("community_leaders").rules == ()


# --- where ------------------------------------------------------------------------------------------------------------
def test_a_pilot_is_the_stated_share_spread_over_deciles_and_drawn_by_key() -> None:
    crowd = make_crowd(5000, 200)
    scenario, seen = load_scenario(NAME), set()
    spec = scenario.interventions[0]
    for k in range(5):
        setting = Setting.of(crowd, draws.key(1, k), False)
        given = (values(), crowd.neighbourhoods, setting.residents, crowd.local_authorities)
        for deciles, share in (((), 0.33), ((1, 2, 3), 0.5)):
            one = rule(deciles=deciles)
            everywhere, eligible = footprint(one, spec, *given)
            pilot = chosen(one, values(share=share), eligible, setting)
            assert everywhere.all() and not (pilot & ~eligible).any()
            assert abs(pilot.sum() - share * eligible.sum()) <= 1
            of = np.bincount(setting.decile[pilot], minlength=11)[list(deciles or range(1, 11))]
            assert of.max() - of.min() <= 1
            seen.add(pilot.tobytes())
    assert len(seen) == 10


def test_a_place_too_small_for_a_comparison_is_refused(crowd) -> None:
    setting = Setting.of(crowd, draws.key(1, 0), False)
    alone = np.where(np.arange(40) == 3, setting.residents, 0.0)
    with pytest.raises(
        InputError, match=r"The rule 'leaders_first' needs at least two neighbourhoods .* and this place has 1; widen"
    ):
        footprint(rule(), load_scenario(NAME).interventions[0], values(), crowd.neighbourhoods, alone, crowd.local_authorities)


# --- surveys ----------------------------------------------------------------------------------------------------------
def surveys(
    effect: float, respondents: float, rounds: int, one: Rule, design_effect: float = 1.0
) -> Iterator[tuple[float, float]]:
    """Estimates and errors of many surveys of people whose habits last and whose weeks vary, the pilot's helped by so much."""
    crowd, r = make_crowd(6000, 60), np.random.default_rng(3)
    home = crowd.columns["neighbourhood"]
    pilot = np.isin(np.arange(60), r.choice(60, 20, replace=False))
    lasting = 60 * r.gamma(1.0, 2.0, crowd.n)
    spread = 25 + 3 * crowd.neighbourhoods["imd_decile"][home]  # deciles differ: only like is to be compared with like
    for k in range(rounds):
        before = np.maximum(lasting + spread + r.normal(0, 40, crowd.n), 0)
        after = np.maximum(lasting + spread + r.normal(0, 40, crowd.n), 0) + effect * pilot[home]
        people = told(crowd, before)
        given = values(respondents=respondents, design_effect=design_effect)
        survey = Survey(one, given, people, pilot, ~pilot, draws.key(1, k))
        first = survey.interview(0)
        people.columns["mean"][:] = after
        yield survey.estimate(survey.again(first), None) if one.same_people else survey.estimate(first, survey.interview(104))


@pytest.mark.parametrize("same_people", [True, False])
def test_estimates_are_right_on_average_and_know_their_error(same_people: bool) -> None:
    found = np.array(list(surveys(20.0, 400, 100, rule(same_people=same_people))))
    error = found[:, 0].std(ddof=1)
    assert abs(found[:, 0].mean() - 20) < 3.5 * error / np.sqrt(100)
    assert 0.75 < error / found[:, 1].mean() < 1.2


def test_no_effect_is_scaled_at_about_the_nominal_rate_and_a_large_one_nearly_always() -> None:
    one = rule(measured_in="standard_errors", same_people=False)
    given = values(scale_up_from=1.645, stop_below=0.0)
    none = [one.action(*found, given) for found in surveys(0.0, 400, 200, one)]
    assert 0.02 <= none.count(SCALE_UP) / 200 <= 0.10, "nominal: 0.05"
    assert 0.4 < none.count(MOVE) / 200 < 0.6
    large = [one.action(*found, given) for found in surveys(60.0, 400, 60, one)]
    assert large.count(SCALE_UP) >= 58 and large.count(MOVE) == 0


def test_more_respondents_and_the_same_people_make_fewer_mistakes() -> None:
    """Twenty minutes are worth having: stopping is a mistake, and so is scaling up nothing."""
    mistakes = []
    for respondents, same in ((60, False), (600, False), (600, True)):
        one, given = rule(measured_in="estimate", same_people=same, move_to=""), values(scale_up_from=10.0, stop_below=10.0)
        stopped = sum(one.action(*found, given) == STOP for found in surveys(20.0, respondents, 60, one))
        scaled = sum(one.action(*found, given) == SCALE_UP for found in surveys(0.0, respondents, 60, one))
        mistakes.append(stopped + scaled)
    assert mistakes[0] > mistakes[1] + 12 and mistakes[1] > mistakes[2] + 5


def test_a_design_effect_makes_respondents_tell_less() -> None:
    plain, clustered = (np.array(list(surveys(0.0, 600, 80, rule(), design_effect))) for design_effect in (1.0, 4.0))
    assert clustered[:, 1].mean() == pytest.approx(2 * plain[:, 1].mean(), rel=0.1)
    assert clustered[:, 0].std() > 1.5 * plain[:, 0].std()


def test_nobody_to_compare_with_decides_nothing() -> None:
    crowd = told(make_crowd(300, 10), np.ones(300))
    nobody = np.zeros(10, bool)
    survey = Survey(rule(), values(), crowd, ~nobody, nobody, draws.key(1, 0))
    found = survey.estimate(survey.interview(0), survey.interview(104))
    assert np.isnan(found).all() and rule().action(*found, values()) == KEEP


def test_an_error_of_nothing_is_no_division_by_nothing() -> None:
    one = rule(measured_in="standard_errors")
    assert [one.action(e, 0.0, values()) for e in (1.0, 0.0, -1.0)] == [SCALE_UP, KEEP, MOVE]
    assert rule(move_to="", measured_in="standard_errors").action(-1.0, 0.0, values()) == STOP


# --- at work ----------------------------------------------------------------------------------------------------------
PLENTY = 30.0


class Learnt(Run):
    """The scenario run through, with people who do so many minutes more in every four weeks when they are reached."""

    def __init__(
        self, crowd: Crowd, years: int = 5, effect: float = 0.0, scenario: object = None, key: int = 0, **changes: float
    ):
        self.scenario = scenario or load_scenario(NAME)
        self.values = values(respondents=2000, design_effect=1.0, **changes) | {self.scenario.budget: PLENTY}
        self.solved, self.crowd = solve_all(self.scenario, self.values, crowd), crowd
        self.shifts = Shifts(crowd.alive.size, crowd.neighbourhoods["imd_decile"].size, crowd.schools["phase"].size)
        self.delivery = Delivery(self.scenario, self.values, crowd, self.solved, draws.key(1, key), years)
        self.looks, r = {}, np.random.default_rng(8)
        alone = np.maximum(60 * r.gamma(1.0, 2.0, crowd.n), 0)
        leaders = self.delivery.programmes[0]
        self.reached = []
        for week in range(52 * years):
            reached = np.zeros(crowd.n, bool)
            reached[leaders.doses.live] = True
            crowd.columns["mean"][:] = alone
            self.looks[week] = Look.of(crowd) if week % 52 == 0 else None
            crowd.columns["mean"][:] += effect * reached
            self.delivery.step(week, self.shifts, crowd.readiness)
            self.reached.append(reached)

    def row(self, **options: object):
        return self.delivery.learning.table(**options).iloc[0]

    def spent(self) -> dict[str, np.ndarray]:
        books = self.delivery.money().groupby(["intervention", "year"]).spent.sum().unstack(fill_value=0.0)
        return {name: books.loc[name].to_numpy() for name in books.index}


@pytest.fixture
def active() -> Crowd:
    return told(make_crowd(4000, 60), np.zeros(4000))


def test_in_the_pilot_only_its_neighbourhoods_are_reached_for_its_share_of_the_money(active: Crowd) -> None:
    run = Learnt(active, years=2)
    pilot = run.delivery.learning.pilots[0]
    inside = pilot.survey.pilot[active.neighbourhood]
    assert run.reached[-1].any() and not (run.reached[-1] & ~inside).any()
    share = active.weight[inside].sum() / active.weight.sum()
    assert pilot.residents == pytest.approx(active.weight[inside].sum()) and 0.2 < share < 0.45
    given = 0.7 * run.delivery.pounds_a_year
    assert (run.spent()["community_leaders"] <= share * given * 1.03).all()
    assert len(run.delivery.learning.table()) == 0, "nothing is decided before its year"


@pytest.mark.parametrize(("effect", "action"), [(400.0, SCALE_UP), (-400.0, MOVE)])
def test_a_large_effect_is_scaled_up_and_a_harm_gives_its_money_away(active: Crowd, effect: float, action: str) -> None:
    run = Learnt(active, years=5, effect=effect)
    row, given = run.row(without=run.looks), run.delivery.pounds_a_year
    assert row.action == action and (row.week, row.year) == (104, 3)
    inside = run.delivery.learning.pilots[0].survey.pilot[active.neighbourhood]
    spent = run.spent()
    if action == SCALE_UP:
        assert (run.reached[-1] & ~inside).sum() > (run.reached[-1] & inside).sum() and row.truth > 5
        assert (row.moved_to, row.pounds_moved) == ("", 0)
        assert spent["community_leaders"][2] > 1.3 * spent["community_leaders"][1]
    else:
        assert row.truth < -5 and row.moved_to == "routes" and row.pounds_moved == pytest.approx(0.7 * given)
        assert spent["community_leaders"][2:].sum() == 0 and spent["routes"][2] > 1.1 * spent["routes"][1]
    assert (sum(spent.values()) <= given * 1.02).all(), "never more than the budget, in any year"
    adults = inside & (active.age >= 16)
    told_of = (run.reached[104] * effect)[adults]
    assert row.truth == pytest.approx(np.average(told_of, weights=active.weight[adults]), rel=1e-4)


def test_a_stop_without_a_heir_saves_the_money(active: Crowd) -> None:
    scenario = load_scenario(NAME)
    run = Learnt(active, 4, -400.0, replace(scenario, rules=(replace(scenario.rules[0], move_to=""),)))
    row, spent = run.row(), run.spent()
    assert row.action == STOP and row.pounds_moved == 0 and row.moved_to == "" and np.isnan(row.truth)
    assert spent["community_leaders"][2:].sum() == 0
    assert spent["routes"].max() <= 0.3 * run.delivery.pounds_a_year * 1.0001


def test_kept_it_stays_where_it_is(active: Crowd) -> None:
    run = Learnt(active, 4, 0.0, scale_up_from=1e6, stop_below=-1e6)
    inside = run.delivery.learning.pilots[0].survey.pilot[active.neighbourhood]
    assert run.row().action == KEEP and run.reached[-1].any() and not (run.reached[-1] & ~inside).any()


@pytest.mark.parametrize("pilot", ["routes", "school_day"])
def test_built_things_and_schools_can_be_piloted_too(active: Crowd, write, pilot: str) -> None:
    swaps = [("move_money_to: routes", "move_money_to: community_leaders"), ("pilot: community_leaders", f"pilot: {pilot}")]
    if pilot == "school_day":
        swaps += [("  - use: routes", "  - use: routes\n  - use: school_day")]
        swaps += [("split: {community_leaders: 0.7, routes: 0.3}", "split: equal")]
    path = write(NAME, *swaps, ("measured_in: standard_errors", "measured_in: estimate"), name="mine")
    scenario = load_scenario(path)
    given = scenario.ledger().central() | {scenario.budget: PLENTY, scenario.rules[0].paths["scale_up_from"]: -1e6}
    given[scenario.rules[0].paths["stop_below"]] = -2e6
    delivery = Delivery(scenario, given, active, solve_all(scenario, given, active), draws.key(1, 0), 8)
    programme = next(p for p in delivery.programmes if p.spec.name == pilot)
    inside = delivery.learning.pilots[0].survey.pilot
    shifts = Shifts(active.alive.size, 60, active.schools["phase"].size)
    there = np.asarray(active.schools["neighbourhood"]) if pilot == "school_day" else np.arange(60)

    def served() -> np.ndarray:
        where = np.zeros(60, bool)
        where[there[(programme.part if pilot == "school_day" else programme.built) > 0]] = True
        return where

    for week in range(52 * 8):
        if week == 104:
            assert served().any() and not (served() & ~inside).any()
        delivery.step(week, shifts, active.readiness)
    assert delivery.learning.table().action.tolist() == [SCALE_UP]
    assert (served() & ~inside).any()


def test_chance_is_keyed_by_person_and_rule_and_not_by_rows(active: Crowd) -> None:
    order = np.random.default_rng(2).permutation(active.n)
    other = active.in_order(order)
    r = np.random.default_rng(8).gamma(1.0, 2.0, active.n) * 60
    found = []
    for crowd, mean in ((active, r), (other, r[order])):
        people = told(crowd, mean)
        pilot = np.arange(60) % 3 == 0
        survey = Survey(rule(), values(respondents=300), people, pilot, ~pilot, draws.key(1, 0))
        wave = survey.interview(0)
        found.append((set(wave.pilot.id.tolist()), set(wave.others.id.tolist()), survey.estimate(wave, None)))
    assert found[0][:2] == found[1][:2] and found[0][2] == pytest.approx(found[1][2])


def test_who_left_does_not_answer_again(active: Crowd) -> None:
    people = told(active, np.full(active.n, 10.0))
    pilot = np.arange(60) % 2 == 0
    survey = Survey(rule(), values(respondents=500), people, pilot, ~pilot, draws.key(1, 0))
    wave = survey.interview(0)
    gone, died = wave.pilot.rows[0], wave.others.rows[0]
    people.columns["id"][gone] += np.uint64(1)
    people.alive = people.alive.copy()
    people.alive[died] = False
    again = survey.again(wave)
    assert gone not in again.pilot.rows and died not in again.others.rows and again.respondents == wave.respondents - 2


def test_points_of_inactive_people_are_better_when_they_fall() -> None:
    one = rule(outcome="inactive")
    assert one.measure(np.array([0.0, 29.0, 31.0, 100.0, 211.0], "f4"), np.array([0, 0, 0, 1, 1])).tolist() == [
        -100,
        -100,
        0,
        -100,
        0,
    ]
