"""Solving strength and persistence on functions whose answers are known; every family's study run again; the verdicts."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from movesim.experiments.verdicts import markdown, summary, verdict_of, with_verdicts
from movesim.interventions import list_scenarios, load_scenario
from movesim.interventions.bench import bench_of, smooth_gains, solve
from movesim.interventions.predictions import as_published, predict
from movesim.interventions.strength import keeping, solve_persistence, solve_strength


@pytest.mark.parametrize("target", [12.5, 40.0, 0.0, -6.0])
def test_a_strength_gives_its_effect(target: float) -> None:
    s, reached, note = solve_strength(lambda s: 25 * np.tanh(s) + 8 * s, target)
    assert abs(reached - target) <= max(0.02 * abs(target), 0.1)
    assert note == ""
    assert np.sign(s) == np.sign(target)


def test_an_effect_out_of_reach_says_so() -> None:
    s, reached, note = solve_strength(lambda s: 5 * np.tanh(s), 20.0)
    assert reached == pytest.approx(5.0, abs=0.01)
    assert note == "The study's effect of 20.0 minutes is out of reach; the closest is 5.0."
    assert s == 6.0


def test_persistence_meets_the_follow_up() -> None:
    persistence, left = solve_persistence(lambda p: 4 + 12 * p**0.7, 10.0)
    assert left == pytest.approx(10.0, abs=0.25)
    assert 0.02 < persistence < 1


def test_persistence_stays_in_its_range() -> None:
    assert solve_persistence(lambda p: 2 + 3 * p, 9.0) == (1.0, 5.0)
    assert solve_persistence(lambda p: 10 + 3 * p, 9.0) == (0.02, pytest.approx(10.06))


def test_what_fades_goes_before_what_is_kept_for_good() -> None:
    halves = [keeping(p) for p in np.linspace(0.02, 1, 50)]
    assert halves[-1] == (1.0, 1.0) and halves[0] == (0.02, 0.04)
    assert all(habit == 1.0 for half_life, habit in halves if half_life > 0.02)
    assert all(a <= b for one, other in pairwise(halves) for a, b in zip(one, other, strict=True))


def test_gains_by_fifth_lie_on_the_line_through_the_deciles() -> None:
    decile = np.repeat(np.arange(1, 11), 50)
    gain = 30 - 2.0 * (decile - 5.5)
    assert np.allclose(smooth_gains(gain, np.ones(decile.size), decile), [38, 34, 30, 26, 22])


def test_a_guess_and_few_runs_are_enough() -> None:
    asked: list[float] = []

    def effect(s: float) -> float:
        asked.append(s)
        return float(30 * np.tanh(0.8 * s))

    solve_strength(effect, 15.0)
    alone = len(asked)
    assert alone <= 5
    asked.clear()
    solve_strength(effect, 15.0, guess=0.69)
    assert len(asked) == 1


# --- the studies of all families --------------------------------------------------------------------------------------
def studied() -> list[str]:
    """Scenarios whose first programme is their own: families and variants with a study of their own."""
    found = [load_scenario(name) for name in list_scenarios() if name != "baseline"]
    return [s.name for s in found if s.name == s.interventions[0].name]


@lru_cache
def rerun(name: str) -> list[tuple]:
    """Every programme of a family solved at the centre, with what its study shows besides."""
    scenario, bench = load_scenario(name), bench_of("central", 0, ())
    values = scenario.ledger().central()
    solved = solve(scenario, values, "central", 0, {})
    return [(i, solved[i.name], predict(bench, scenario, i, values, solved[i.name])) for i in scenario.interventions]


@pytest.mark.parametrize("name", studied())
def test_a_study_run_again_gives_what_it_gave(name: str) -> None:
    for spec, solved, findings in rerun(name):
        off = abs(solved.reached_effect - solved.target_effect)
        print(f"{spec.name}: {solved.reached_effect:.2f} of {solved.target_effect:.2f} minutes. {solved.note}")
        assert off <= max(0.02 * abs(solved.target_effect), 0.1) + 1e-9
        assert all(np.isfinite(row["simulated"]) for row in findings)


def test_every_family_has_a_study_and_enough_findings_are_held_out() -> None:
    interventions = {i.name: i for name in studied() for i in load_scenario(name).interventions}
    assert len(interventions) >= 20 and all(i.trial.title and i.trial.evidence for i in interventions.values())
    held_out, by_kind = [], {"other people": 0, "later": 0, "shares": 0}
    for spec in interventions.values():
        for finding in spec.trial.also_predicts:
            if finding is spec.later_finding or finding.used_for:
                continue
            held_out.append(finding)
            by_kind["other people"] += finding.population is not None
            by_kind["later"] += finding.after_weeks > spec.trial.follow_up_weeks
            by_kind["shares"] += finding.reaching is not None
    print(len(held_out), by_kind)
    assert len(held_out) >= 6 and min(by_kind.values()) >= 2


def test_findings_are_told_in_the_studys_own_terms() -> None:
    scenario = load_scenario("health_conversations")
    spec = next(i for i in scenario.interventions if i.name == "walking_pack")
    values = scenario.ledger().central()
    # 34 device minutes are 34 * 1.6 * 0.75 reported ones, optimism taken off
    assert as_published(spec, values, spec.target_effect(values), "minutes", "device") == pytest.approx(34)
    assert as_published(spec, values, 1.15, "ratio", "reported") == pytest.approx(1 + 0.15 / 0.75)
    assert as_published(spec, values, 3.0, "points", "reported") == pytest.approx(4.0)
    loss = {**values, spec.paths["effect"]: -2.0}
    assert as_published(spec, loss, -3.2, "minutes", "device") == pytest.approx(-2.0)


def rows(as_printed: list[float], published: float, low: float = np.nan, high: float = np.nan, role: str = "held out"):
    n = len(as_printed)
    return pd.DataFrame({
        "intervention": ["walks"] * n, "finding": ["a later year"] * n, "study": ["A study"] * n, "role": [role] * n,
        "used_for": [""] * n, "unit": ["min/week"] * n, "published": published, "published_low": low, "published_high": high,
        "as_published": as_printed, "target": published, "simulated": as_printed,
    })  # fmt: skip


def test_verdicts() -> None:
    drawn = list(np.linspace(10, 20, 21))
    assert verdict_of(rows(drawn, 12.0)) == "inside"
    assert verdict_of(rows(drawn, 30.0)) == "outside"
    assert verdict_of(rows(drawn, 30.0, 15.0, 45.0)) == "outside, ranges overlap"
    assert verdict_of(rows(drawn, 30.0, 25.0, 45.0)) == "outside"
    assert verdict_of(rows(drawn[:9], 12.0)) == "too few draws"
    assert verdict_of(rows([np.nan] * 12, 12.0)) == "nobody to ask"


def test_misses_are_shown_as_misses() -> None:
    drawn = list(np.linspace(10, 20, 21))
    own = rows(drawn, 15.0, 5.0, 25.0, "solved").assign(finding="the study's own effect", target=drawn)
    own.loc[3, "simulated"] = 5.0  # out of reach in one draw
    table = with_verdicts(pd.concat([own, rows(drawn, 30.0), rows(drawn, 12.0).assign(finding="other people")]))
    assert list(table["verdict"].unique()) == ["", "outside", "inside"]
    for said in (summary(table), markdown(table)):
        assert "Of 2 findings that set nothing, 1 lie inside what nine in ten draws of the model give." in said
        assert "outside" in said and "out of reach in 1 of 21" in said
    assert "| walks | a later year | min/week | 30 | 15.0 (10.5 to 19.5) | outside |" in markdown(table)
