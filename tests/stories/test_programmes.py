"""What programmes do to people over the years (MODEL, What must hold, 6 to 8), at central numbers."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

from movesim.interventions import load_scenario
from movesim.words import DOMAIN, PEOPLE
from stories.world import Life, adults, children, decile, gap, live, nothing, settled, shifted, under

FAMILIES = ("school_day", "routes", "community_leaders")
MORE = 10.0  # pounds per resident a year where a small sample should show an effect
COUNTED = {"school_day": "taken_up", "routes": "exposed", "community_leaders": "placed"}  # the step that the money is spent on


@lru_cache
def family(name: str, pounds: float = 1.0, dose: float = 1.0, years: int = 5) -> Life:
    """A scenario for some years at so many pounds per resident a year."""
    return under(name, years, dose, numbers={"budget.pounds_per_resident_a_year": pounds})


def gain(life: Life, who: np.ndarray, year: int = -1, what: str = "minutes") -> float:
    """What was gained over no change."""
    return life.mean(who, what, year) - nothing(life.minutes.shape[0]).mean(who, what, year)


# --- fading -----------------------------------------------------------------------------------------------------------
MANY, JUST_AFTER, FIVE_YEARS_ON = 20_000, 2, 7  # years counted from 0; the programme runs in the first two


def two_years_of_leaders(folder: Path, as_stated: bool = False, **numbers: float) -> np.ndarray:
    """Minutes that adults gained by year from two years of leaders and six without them.

    `as_stated` leaves out the study's later follow-up, on which the share of the stated habit share and half-life that the
    model does not bring about by itself is solved.
    """
    text = load_scenario("community_leaders").path.read_text(encoding="utf-8").replace("end_year: 10", "end_year: 2", 1)
    path = folder / ("leaders_as_stated.yaml" if as_stated else "leaders_for_two_years.yaml")
    path.write_text(text[: text.index("      also_predicts:")] if as_stated else text, encoding="utf-8")
    life = under(path, 8, people=MANY, numbers={"budget.pounds_per_resident_a_year": MORE, **numbers})
    none, who = nothing(8, people=MANY), adults(life.run)
    return np.array([life.mean(who, year=year) - none.mean(who, year=year) for year in range(8)])


@pytest.mark.slow
def test_five_years_after_a_programme_less_is_left_than_at_its_end_and_something(tmp_path: Path) -> None:
    by_year = two_years_of_leaders(tmp_path)
    print(f"community leaders for two years at £{MORE:g}: minutes gained by year {by_year.round(2)}")
    assert by_year[JUST_AFTER] > 1
    assert 0 < by_year[FIVE_YEARS_ON] < 0.9 * by_year[JUST_AFTER]
    assert (np.diff(by_year[JUST_AFTER:]) < 0.1 * by_year[JUST_AFTER]).all()


@pytest.mark.slow
def test_what_became_habit_stays_and_the_rest_fades(tmp_path: Path) -> None:
    by_year = {share: two_years_of_leaders(tmp_path, True, habit_share=share) for share in (0.0, 0.5, 1.0)}
    for share, gained in by_year.items():
        print(f"habit share {share}, as stated: minutes gained by year {gained.round(2)}")
    left = {share: gained[FIVE_YEARS_ON] / gained[JUST_AFTER] for share, gained in by_year.items()}
    assert 0 <= left[0.0] < 0.35  # three half-lives of 18 months
    assert left[0.0] + 0.15 < left[0.5] < left[1.0] - 0.1
    assert left[1.0] > 0.6


@pytest.mark.parametrize("fte", [0.1, 0.45])
def test_trust_in_a_withdrawn_workforce_falls_faster_than_it_rose(fte: float) -> None:
    """Two years of a workforce (FTE per 1,000 residents on top of today's), then four without it."""

    def come_and_go(run) -> None:
        run.shifts.array("fte")[...] = fte if run.week < 104 else 0.0
        run.shifts.touched("fte")

    rest = settled().trust.mean()
    trust = np.array([each.mean() for each in live(settled().branch(), 6, come_and_go).trust])
    top, last = trust[103], trust[104:]
    halfway = rest + (top - rest) / 2
    up, down = int(np.argmax(trust >= halfway)) + 1, int(np.argmax(last <= halfway)) + 1
    print(f"{fte} FTE: trust from {rest:.3f} to {top:.3f}; halfway up in {up} weeks, halfway down in {down}")
    assert top > rest and down < up
    assert last[-1] == pytest.approx(rest, abs=0.05 * (top - rest))


# --- the school day ---------------------------------------------------------------------------------------------------
def test_more_school_minutes_alone_move_the_whole_week_little_and_the_affluence_gap_hardly() -> None:
    """Every school offers a quarter more, and nothing else: children take much of it back outside school."""
    people, years = 20_000, 2
    before, after = nothing(years, people=people), shifted(years, {"offer": np.log(1.25)}, people=people)
    who, school = children(before.run), DOMAIN["school"]
    weight, affluence = before.run.people.weight[who], before.run.people.affluence.astype(int)
    at_school = float(np.average((after.domains - before.domains)[-1][school][who], weights=weight))
    whole_week = after.mean(who) - before.mean(who)
    gaps = gap(before, who, affluence), gap(after, who, affluence)
    print(
        f"a quarter more: {at_school:.1f} min at school, {whole_week:.1f} of {before.mean(who):.0f} in the whole week; "
        f"affluence gap {gaps[0]:.2f} to {gaps[1]:.2f} points"
    )
    assert 0 < whole_week < 0.6 * at_school
    assert whole_week < 0.03 * before.mean(who)
    assert abs(gaps[1] - gaps[0]) < 1.0


def test_the_active_school_day_in_most_schools_moves_the_whole_week_little_and_the_affluence_gap_hardly() -> None:
    """Money for every school that wants to join; about what trials with accelerometers saw, and no more."""
    life, none = family("school_day", MORE), nothing(5)
    who = children(none.run)
    affluence = none.run.people.affluence.astype(int)
    gained, gaps = gain(life, who), (gap(none, who, affluence), gap(life, who, affluence))
    print(f"{gained:.1f} of {none.mean(who):.0f} minutes a week; affluence gap {gaps[0]:.2f} to {gaps[1]:.2f} points")
    assert 0 < gained < 0.03 * none.mean(who)
    assert abs(gaps[1] - gaps[0]) < 1.5  # six hundred children: a point is about what chance gives


# --- money ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_at_its_own_budget_lowers_adult_inactivity_by_at_most_3_points(name: str) -> None:
    life, who = family(name), adults(settled())
    change = [gain(life, who, year, "inactive") for year in range(5)]
    residents = life.run.people.weight.sum()
    pounds = life.delivery.money()["spent"].sum() / residents / 5
    print(f"{name}: adult inactivity {np.round(change, 2)} points by year at £{pounds:.2f} per resident a year")
    assert min(change) > -3.0 and change[-1] < 0.1


@pytest.mark.parametrize(("name", "who"), [("school_day", children), ("routes", adults), ("community_leaders", adults)])
def test_half_a_dose_gives_less(name: str, who) -> None:
    none, half, whole = (gain(family(name, MORE, dose), who(settled())) for dose in (0.0, 0.5, 1.0))
    print(f"{name}: minutes gained {half:.2f} at half a dose, {whole:.2f} at a whole one")
    assert none == 0.0
    assert 0 < half < 0.8 * whole


@pytest.mark.parametrize("name", [*FAMILIES, "three_together"])
def test_a_scenario_costs_no_more_than_its_budget(name: str) -> None:
    """Of all years together at any time: what the next person's weight left over is carried into the next year."""
    life = family(name)
    spent = life.delivery.money().groupby("year")["spent"].sum().cumsum()
    allowed = life.delivery.pounds_a_year * spent.index.to_numpy()
    print(f"{name}: spent of the money until each year {(spent / allowed).round(4).tolist()}")
    assert (spent <= allowed * (1 + 1e-9)).all()
    assert spent.iloc[-1] > 0.9 * allowed[-1]
    by_programme = life.delivery.money().groupby("intervention")["spent"].sum()
    assert (by_programme <= allowed[-1] / len(by_programme) * (1 + 1e-9)).all()


@pytest.mark.parametrize("name", FAMILIES)
def test_targeted_spends_more_in_deciles_1_and_2(name: str) -> None:
    """Money follows those it is spent on: pupils of joining schools, residents served by routes, people who start."""
    in_deciles_1_and_2 = {}
    for scenario in (name, f"{name}_targeted"):
        delivery = family(scenario).delivery
        reached = delivery.ladder().query("step == @COUNTED[@name]").set_index("fifth")["reached"]
        in_deciles_1_and_2[scenario] = delivery.money()["spent"].sum() * reached[1] / reached.sum()
    everywhere, targeted = in_deciles_1_and_2.values()
    print(f"{name}: £{everywhere / 1e6:,.0f} million in deciles 1 and 2, £{targeted / 1e6:,.0f} million when targeted")
    assert targeted > 1.5 * everywhere


def test_columns_of_people_are_unchanged_by_programmes() -> None:
    """Programmes move components and stocks, never who people are."""
    run, start = family("three_together").run, settled()
    for column in PEOPLE:
        assert np.array_equal(run.people.columns[column.name], start.people.columns[column.name]), column.name
    assert np.array_equal(decile(run), decile(start))
