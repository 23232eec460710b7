"""Shifts touch those they are for and nobody else: the small loops against whole columns, and stars against their definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from movesim import draws
from movesim.behaviour.applied import open_rows, shifted
from movesim.behaviour.climb import who_climbs, who_stays
from movesim.behaviour.mixing import GRADED, LOCAL, PERSONAL, add_doses, put_rows, weigh_doses
from movesim.behaviour.rules import References, behaviour_ledger, make_rules
from movesim.behaviour.shifts import PERSON, Shifts, touched_rows
from movesim.behaviour.simulation import Simulation
from movesim.interventions import Delivery, load_scenario, matches, solved_of, step_probability
from movesim.interventions.doses import FADING, IN, KEPT, Doses
from small import small_population

F32 = np.float32


def test_touched_rows_are_those_that_are_not_0() -> None:
    r = np.random.default_rng(1)
    total = r.random(500).astype(F32)
    total[r.random(500) < 0.8] = 0
    assert np.array_equal(touched_rows(total), np.flatnonzero(total))
    assert touched_rows(np.zeros(5, F32)).size == 0


def test_doses_of_several_programmes_add_up_person_by_person() -> None:
    """The compiled sum against its words: the largest dose of a function counts whole, each further one 0.7 times."""
    r, n, g = np.random.default_rng(2), 300, 9
    kind, line = np.array([PERSONAL, GRADED, LOCAL, PERSONAL]), np.array([0, 1, 2, 3])
    doses = (r.random((4, n)) * (r.random((4, n)) < 0.6)).astype(F32)
    gain, home = r.random((4, g)).astype(F32), r.integers(0, g, n).astype(np.int32)
    gain[2, :4] = 0
    strength, same = np.array([1.0, 0.5, 2.0, 1.0], F32), F32(0.7)
    overlap = np.zeros((4, 4), bool)
    overlap[0, 2] = overlap[2, 0] = overlap[0, 3] = overlap[3, 0] = True
    doses[3, :20] = doses[0, :20]  # equal ones: the first counts whole
    first, column = np.array([0, 2, 3, 5, 6]), np.array([0, 1, 1, 0, 2, 2])
    shift = r.normal(0, 1, 6).astype(F32)
    rows = np.sort(r.choice(n, 200, replace=False))
    out = np.empty((3, 200), F32)
    add_doses(rows, kind, line, doses, gain, home, strength, overlap, same, first, column, shift, out)
    for i, row in enumerate(rows):
        held = [doses[0, row], doses[1, row] * gain[1, home[row]], gain[2, home[row]], doses[3, row]]
        total = np.zeros(3, F32)
        for p, dose in enumerate(held):
            size = [dose * s for dose, s in zip(held, strength)]
            beaten = any(overlap[p, q] and held[q] and (size[q] > size[p] or (size[q] == size[p] and q < p)) for q in range(4))
            for c in range(first[p], first[p + 1]):
                total[column[c]] += (dose * same if beaten else dose) * shift[c]
        assert np.array_equal(total, out[:, i])
    levels, left = np.stack([doses[0, :9], gain[2], doses[3, :9]]).astype(float), np.zeros((3, 9))
    weigh_doses(levels, np.ones(3), overlap[np.ix_([0, 2, 3], [0, 2, 3])], 0.7, left)
    assert np.array_equal(left[0], np.where((levels[0] > 0) & ((levels[1] > levels[0]) | (levels[2] > levels[0])), 0.7, 1.0))
    table, changed = np.zeros((6, n), F32), np.empty(200, np.int64)
    lines = np.array([1, 4, 5])
    assert put_rows(rows, out, lines, table, changed) == np.count_nonzero(out.any(axis=0))
    assert np.array_equal(table[lines][:, rows], out) and not table[[0, 2, 3]].any()
    out[1, 7] += 1
    assert put_rows(rows, out, lines, table, changed) == 1 and changed[0] == rows[7]


def test_access_is_added_to_the_logit_of_opportunity() -> None:
    r, n, g = np.random.default_rng(3), 400, 7
    log_E, log_A = -r.random((6, g)).astype(F32), (-3 * r.random((6, n))).astype(F32)
    log_A[:, 5], log_E[0, 0] = 0, 0
    shift, home = (r.normal(0, 1, (6, n)) * (r.random((6, n)) < 0.5)).astype(F32), r.integers(0, g, n).astype(np.int32)
    out = np.full((6, n), 9, F32)
    rows = np.sort(r.choice(n, 300, replace=False))
    open_rows(rows, home, shift, log_E, log_A, out)
    supply = log_E[:, home].astype(float)
    p = np.exp(supply + log_A)
    with np.errstate(divide="ignore"):
        moved = np.log(1 / (1 + np.exp(-(np.log(p) - np.log1p(-p)) - shift))) - supply
    assert np.array_equal(out[:, rows], np.where(shift == 0, log_A, out)[:, rows])
    assert np.allclose(out[:, rows], np.where(shift == 0, log_A, moved)[:, rows], rtol=1e-5, atol=1e-6)
    assert (np.delete(out, rows, axis=1) == 9).all()


def test_shifts_tell_where_they_changed() -> None:
    shifts = Shifts(10, 2, 2)
    shifts.touched("P", np.array([1, 2]))
    shifts.touched("P", np.array([7]))
    shifts.touched("S", np.array([1]))
    shifts.touched("S")  # anywhere, whatever was said before and is said after
    shifts.touched("S", np.array([2]))
    assert shifts.take_changes() == {"P", "S"} and shifts.take_changes() == set()
    shifts.touched("P", np.array([3]))
    assert shifts.take_changes() == {"P"}
    rows = shifts.changed_rows("P")
    assert rows is not None and rows.tolist() == [3]


class Slowly:
    """Doses one person at a time, as the words of Doses say."""

    def __init__(self, lag: float, ramp: float, half_life: float) -> None:
        self.lag, self.ramp, self.keep = lag, ramp, F32(2.0 ** (-4 / half_life)) if half_life > 0 else F32(0)
        self.phase, self.level = "out", F32(0)

    def begin(self, week: int, end: int, responds: bool, kept: bool) -> None:
        self.phase, self.since, self.end, self.responds, self.kept = "in", week, end, responds, kept and responds

    def advance(self, week: int) -> None:
        """Four weeks: contact raises those who respond, what others have left halves; then contact may end."""
        fades = self.phase == "fading" or (self.phase == "in" and not self.responds)
        if fades:
            self.level = self.level * self.keep if self.level * self.keep >= F32(1e-3) else F32(0)
        elif self.phase == "in":
            middle = week + 2.0 - self.since - self.lag
            risen = min(max(middle / self.ramp, 0.0), 1.0) if self.ramp > 0 else float(middle > 0)
            self.level = max(self.level, F32(risen))
        gone = fades and self.level == 0
        if self.phase == "in" and self.end <= week:
            self.phase = "kept" if self.kept else "fading"
            self.level = self.level if self.kept else self.level * np.sqrt(self.keep)
        if gone and self.phase == "fading":
            self.phase = "out"


@settings(deadline=None)  # the first call compiles
@given(
    lag=st.sampled_from([0.0, 3.5, 9.0]), ramp=st.sampled_from([0.0, 4.0, 13.7]), half_life=st.sampled_from([0.0, 5.0, 60.0]),
    people=st.lists(
        st.tuples(st.integers(0, 10), st.integers(1, 40), st.booleans(), st.booleans(), st.integers(0, 1)), min_size=1, max_size=8
    ),
)  # fmt: skip
def test_doses_are_those_of_one_person_at_a_time(lag: float, ramp: float, half_life: float, people: list) -> None:
    doses, slow = Doses(20, lag, ramp, half_life), [Slowly(lag, ramp, half_life) for _ in people]
    for week in range(0, 120, 4):
        for i, (first, duration, responds, kept, again) in enumerate(people):
            if week == 4 * first or (again and week == 4 * first + 60 and doses.phase[2 * i] not in (IN, KEPT)):
                doses.begin(np.array([2 * i]), week, week + duration, np.array([responds]), np.array([kept]))
                slow[i].begin(week, week + duration, responds, kept)
        before = doses.level.copy()
        changed = doses.advance(week)
        for i, one in enumerate(slow):
            one.advance(week)
            assert doses.level[2 * i] == one.level and ["out", "in", "kept", "fading"][doses.phase[2 * i]] == one.phase
        assert sorted(doses.moved) == np.flatnonzero(before != doses.level).tolist() and changed == bool(doses.moved.size)
        assert sorted(doses.live) == np.flatnonzero((doses.phase == IN) | (doses.phase == FADING)).tolist()


def test_who_climbs_and_who_stays() -> None:
    """The compiled draws against whole columns of step_probability and draws.decision."""
    r, n, c = np.random.default_rng(4), 4000, 0.6
    ids, home, tilt = (
        r.integers(1, 2**63, n).astype(np.uint64),
        r.integers(0, 10, n).astype(np.int32),
        (5.5 - np.arange(1.0, 11)) / 8,
    )
    ready, key = r.normal(0, 1, n), draws.key(1, 0)
    first, after = draws.words(ids, 8, 5000, key, 1), draws.words(ids, 8, 5000, key, 2)
    chance = lambda a, b: step_probability(a, b, c, ready, home + 1)  # noqa: E731
    chosen = np.empty(n, np.int64)
    count = who_climbs(first[0], (-1.0, 0.4), c, ready, home, tilt, np.ones(n), chosen)
    assert np.array_equal(chosen[:count], np.flatnonzero(draws.decision(first[0]) < chance(-1.0, 0.4)))
    assert 0 < count < n
    stays, responds, kept = np.empty((3, n), bool)
    end, steps = np.empty(n, np.int64), ((0.3, 0.1), (1.0, 0.0), (-0.2, -0.5))
    chances = (c, c, c)
    who_stays(first[2], first[3], after[0], after[1], steps, chances, ready, home, tilt, 0.0, 26.5, 8, stays, responds, kept, end)
    decide = lambda word, step: draws.decision(word) < chance(*steps[step])  # noqa: E731
    assert np.array_equal(stays, decide(first[2], 0))
    assert np.array_equal(responds, stays & decide(first[3], 1))
    assert np.array_equal(kept, responds & decide(after[0], 2))
    early = np.minimum(np.ceil(26.5 * draws.open_uniform(after[1])), 26.5)
    assert np.array_equal(end, np.maximum(8 + np.where(stays, 26.5, early).astype(np.int64), 9))


@pytest.fixture(scope="module")
def start() -> Simulation:
    run = Simulation(small_population(), make_rules(behaviour_ledger().central()), References.first_guess())
    run.week = -8
    run.run(8)
    return run


def test_readiness_is_the_mean_of_the_logs(start: Simulation) -> None:
    people, rules, domains = start.people, start.rules, (0, 1, 3)
    rows = np.flatnonzero(people.age >= 16)[::7]
    P, Y, S, R = people.state[:, rows].astype(float)
    here, total = people.neighbourhood[rows], np.zeros(rows.size)
    for d in domains:
        a, b = float(rules.physical[d]), float(rules.opportunity[d])
        supply_and_access = start.log_E_star[d, here].astype(float) + people.log_A[d, rows]
        m = start.drive_star[d, rows] + rules.coefficients.w_H * people.H[d, rows]
        m = m + rules.coefficients.w_R * (R - start.references.intention[people.band[rows]])
        total += a * np.log(P) + (1 - a) * np.log(Y) + b * supply_and_access + (1 - b) * np.log(S) - np.log1p(np.exp(-m))
    np.testing.assert_allclose(start.readiness(domains, rows), total / 3, rtol=2e-6, atol=2e-6)
    assert np.array_equal(start.readiness(domains)[rows], start.readiness(domains, rows))


@pytest.mark.parametrize("name", ["community_leaders", "three_together"])
def test_stars_follow_their_definition_whoever_was_touched(name: str, start: Simulation) -> None:
    """After two years of coming and going, everybody's set-points are those of all shifts applied to everybody anew."""
    run, scenario = start.branch(), load_scenario(name)
    people, solved = run.people, {}
    values = {**scenario.ledger().central(), f"scenarios.{name}.budget.pounds_per_resident_a_year": 10.0}
    for spec in scenario.interventions:
        who = matches(people, spec.who)
        ready = run.readiness(spec.domains)[who].astype(np.float64)
        decile = people.neighbourhoods["imd_decile"][people.neighbourhood]
        solved[spec.name] = solved_of(spec, values, 1.5, ready - ready.mean(), people.weight[who], decile[who])
    delivery = Delivery(scenario, values, people, solved, run.key, 2)
    moved = 0
    while run.week < 104:
        delivery.step(run.week, run.shifts, run.readiness)
        run.step()
        for row, component in enumerate(PERSON):
            shift, base = run.shifts.get(component), people.base[row]
            anew = base if shift is None else np.where(shift == 0, base, shifted(base, shift))
            assert np.array_equal(run.star[row], anew), (component, run.week)
            moved += 0 if shift is None else np.count_nonzero(shift)
        assert np.array_equal(run.drive_star, people.drive + run.shifts.array("prompt"))
        if run.week % 52 == 0:
            run.turn_of_the_year()
    assert moved > 1000
