"""With nothing new and no trend, England stays as it is (levels, gap, tastes); what yearly demography does is printed."""

from __future__ import annotations

import numpy as np
import pytest

from movesim import draws
from movesim.behaviour.demography import Demography, spare_rows
from movesim.behaviour.parameters import rules_and_references
from movesim.behaviour.people import FIRST_YEAR, People
from movesim.behaviour.simulation import Simulation
from movesim.outcomes.gaps import sii
from movesim.outcomes.record import Recorder
from movesim.place import load_place
from movesim.words import RECORD_EVERY, WEEKS_A_YEAR

YEARS, REPLICATES = 10, 3


def ten_years(people: int, replicate: int, demography: bool) -> np.ndarray:
    """Adults' inactivity, its gap over deciles and children's, in points, in the last year of burn-in and each year after."""
    rules, references = rules_and_references("central", 0, {})
    population = load_place("england", people)
    run = Simulation(population, rules, references, 1, replicate, spare_rows(population, YEARS) if demography else 0)
    recorder = Recorder(population.local_authorities)

    def each_week(run: Simulation) -> None:
        if run.week >= -WEEKS_A_YEAR and run.week % RECORD_EVERY == 0:
            recorder.record(run.people, run.week)

    recorder.place(run.people)
    run.run(-run.week, each_week)
    run.demography = Demography.at(run) if demography else None
    while run.week < YEARS * WEEKS_A_YEAR:
        run.step()
        each_week(run)
        if run.week % WEEKS_A_YEAR == 0 and run.week < YEARS * WEEKS_A_YEAR:
            run.turn_of_the_year()
            recorder.place(run.people)
    table = recorder.outcomes().query("window == 52")
    rows = []
    for _, year in table.groupby("week"):
        adult, child = (year[year["age_group"] == group] for group in ("adult", "child"))
        tenths = adult[adult["axis"] == "imd_decile"]
        rows.append(
            [
                adult.loc[adult["axis"] == "all", "inactive"].item(),
                float(sii(tenths["inactive"].to_numpy(), tenths["residents"].to_numpy())),
                child.loc[child["axis"] == "all", "inactive"].item(),
            ]
        )
    return 100 * np.array(rows)


def told(demography: str, years: np.ndarray) -> None:
    for name, by_year in zip(("adults inactive", "gap over deciles", "children less active"), years.T):
        print(f"demography {demography}, {name}, points by year: {by_year.round(2).tolist()}")


@pytest.mark.slow
def test_nothing_drifts_over_ten_years_without_demography() -> None:
    years = np.mean([ten_years(20_000, replicate, False) for replicate in range(REPLICATES)], axis=0)
    told("off", years)
    drift = years[-3:].mean(axis=0) - years[:3].mean(axis=0)
    assert (np.abs(drift) < 1.0).all(), drift
    # the first policy year follows the last one of the burn-in without a step
    assert np.abs(years[2:4, 0].mean() - years[0, 0]) < 0.5
    assert (np.abs(years[:, 0] - years[0, 0]) < 1.0).all()


@pytest.mark.slow
def test_demography_moves_the_baseline_within_bounds() -> None:
    """The country gets older, the ill die sooner and newcomers come: a few points at most, and the gap stays a gap."""
    years = np.mean([ten_years(6_000, replicate, True) for replicate in range(REPLICATES)], axis=0)
    told("on", years)
    assert (np.abs(years[-1] - years[0]) < 4.0).all()
    assert years[-1, 1] > 10


def test_tastes_keep_their_mean_spread_and_memory_from_year_to_year() -> None:
    """A stationary AR(1): year 0 must not draw again what the first taste of all was drawn from."""
    rules, _ = rules_and_references("central", 0, {})
    people = People.from_population(load_place("england", 20_000), rules, draws.key(1, 0))
    first, before = people.taste[: people.n].copy(), people.taste[: people.n].copy()
    memory, allowed = rules["motivation.taste_memory"], 5 / np.sqrt(people.n)
    for year in range(FIRST_YEAR + 1, 11):
        people.new_year(rules)
        taste = people.taste[: people.n].copy()
        assert people.year == year
        assert abs(taste.mean()) < allowed and abs(taste.var() - 1) < 1.5 * allowed, year
        assert abs(np.corrcoef(taste, before)[0, 1] - memory) < allowed, year
        assert abs(np.corrcoef(taste, first)[0, 1] - memory ** (year - FIRST_YEAR)) < allowed, year
        before = taste


def test_somebody_born_later_has_the_tastes_they_would_have_had() -> None:
    """Tastes are followed from the start to the year, whoever they are drawn for and whenever."""
    rules, _ = rules_and_references("central", 0, {})
    people = People.from_population(load_place("england", 1_000), rules, draws.key(1, 0))
    while people.year < 3:
        people.new_year(rules)
    lived = people.taste[: people.n].copy()
    people.draw_lasting(slice(0, people.n), rules)
    assert people.taste[: people.n] == pytest.approx(lived, abs=1e-5)
