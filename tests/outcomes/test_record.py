"""Counting: against counts made by hand, sums that must agree, and a run that does not notice that it is counted."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from movesim.behaviour.rules import References, Rules, behaviour_ledger, make_rules
from movesim.behaviour.simulation import Simulation
from movesim.outcomes.axes import characteristics, levels
from movesim.outcomes.record import Recorder
from movesim.words import AXES, DOMAINS, PEOPLE, STATUSES
from small import small_population

AUTHORITIES = ("Aford", "Beford", "Ceford")
#       age, mean minutes, weight, decile, authority, sex, impairments, ns_sec, ethnic group, affluence
TINY = (
    (30, 29.99, 10.0, 1, 0, 0, 0, 2, 3, -1),
    (40, 30.0, 20.0, 1, 0, 1, 1, 1, 3, -1),
    (70, 149.9, 30.0, 2, 0, 0, 3, 2, 0, -1),
    (80, 150.0, 40.0, 9, 1, 1, 2, 4, 3, -1),
    (16, 0.0, 50.0, 10, 1, 0, 0, 3, 1, -1),
    (15, 209.9, 5.0, 1, 0, 1, 0, 4, 3, 0),
    (5, 210.0, 6.0, 3, 0, 0, 0, 4, 2, 1),
    (10, 420.0, 7.0, 10, 1, 1, 1, 4, 0, 2),
    (4, 0.0, 99.0, 1, 0, 0, 0, 4, 3, 0),  # carried, not counted
    (50, 900.0, 99.0, 1, 0, 0, 0, 0, 3, -1),  # dead
)


@pytest.fixture(scope="module")
def rules() -> Rules:
    return make_rules(behaviour_ledger().central())


@pytest.fixture
def tiny(rules: Rules) -> Simulation:
    """Ten people of known minutes, children's rows first as in any run; the last of the list is dead."""
    n = len(TINY)
    place = small_population(n, 30)  # neighbourhood i: decile i % 10 + 1, authority i % 3
    column = lambda k: np.array([row[k] for row in TINY])  # noqa: E731
    home = [next(g for g in range(30) if g % 10 + 1 == row[3] and g % 3 == row[4]) for row in TINY]
    values = dict(
        zip(
            ("age", "weight", "sex", "impairments", "ns_sec", "ethnic_group", "affluence"),
            map(column, (0, 2, 5, 6, 7, 8, 9)),
            strict=True,
        )
    )
    values |= {"neighbourhood": np.array(home), "pregnant_or_baby": np.zeros(n), "muslim": np.arange(n) == 1}
    for c in PEOPLE:
        if c.name in values:
            place.people[c.name] = np.asarray(values[c.name]).astype(c.dtype)
    run = Simulation(place, rules, References.first_guess())
    people, order = run.people, run.people.order
    people.alive[np.argmax(order == n - 1)] = False
    people.refresh(rules)
    people.mean[:] = column(1)[order]
    for d in range(len(DOMAINS)):
        people.domain_minutes[d] = 4 * (d + 1) * (people.live > 0)
    return run


def count(run: Simulation, week: int = 0, **options) -> pd.DataFrame:
    recorder = Recorder(AUTHORITIES, **options)
    recorder.record(run.people, week)
    return recorder.outcomes(every_group=True).set_index(["age_group", "axis", "level"]).sort_index()


def test_counts_made_by_hand(tiny: Simulation) -> None:
    table = count(tiny)
    adults, children = table.loc[("adult", "all", "all")], table.loc[("child", "all", "all")]
    assert (adults["agents"], adults["residents"]) == (5, 150.0)
    assert adults[list(STATUSES)].tolist() == pytest.approx([60 / 150, 50 / 150, 40 / 150])
    assert adults["minutes"] == pytest.approx((299.9 + 600 + 4497 + 6000 + 0) / 150, rel=1e-6)
    assert (children["agents"], children["residents"]) == (3, 18.0)
    assert children[list(STATUSES)].tolist() == pytest.approx([5 / 18, 6 / 18, 7 / 18])
    assert children["minutes"] == pytest.approx((5 * 209.9 + 6 * 210 + 7 * 420) / 18, rel=1e-6)
    for d, word in enumerate(DOMAINS):
        assert adults[f"minutes_{word.name}"] == pytest.approx(d + 1), "domain minutes of four weeks, by the week"
    assert (table["week"] == 0).all() and (table["window"] == 4).all()


def test_groups_counted_by_hand(tiny: Simulation) -> None:
    table = count(tiny)
    residents = lambda group, axis: table.loc[(group, axis)]["residents"].to_dict()  # noqa: E731
    assert residents("adult", "imd_decile") == {"1": 30.0, "2": 30.0, "9": 40.0, "10": 50.0}
    assert residents("adult", "imd_fifth") == {"1": 60.0, "5": 90.0}
    assert residents("adult", "sex") == {"male": 90.0, "female": 60.0}
    assert residents("adult", "impairments") == {"0": 60.0, "1": 20.0, "2": 40.0, "3+": 30.0}
    assert residents("adult", "age_band") == {"16-34": 60.0, "35-54": 20.0, "55-74": 30.0, "75+": 40.0}
    assert residents("child", "age_band") == {"5-10": 13.0, "11-15": 5.0}
    assert residents("adult", "ns_sec") == {"6-8": 40.0, "3-5": 20.0}, "students and those not scored stand outside"
    assert residents("child", "affluence") == {"low": 5.0, "medium": 6.0, "high": 7.0}
    assert residents("adult", "ethnic_group") == {"Asian": 30.0, "Black": 50.0, "White": 70.0}
    assert residents("adult", "local_authority") == {"Aford": 60.0, "Beford": 90.0}
    assert residents("child", "local_authority") == {"Aford": 11.0, "Beford": 7.0}
    # 30: class 6-8. 40: impaired, Muslim. 70: impaired, 65+, class 6-8, Asian. 80: impaired, 65+. 16: Black.
    assert residents("adult", "characteristics") == {"2+": 90.0, "1": 60.0}
    # 15: girl, low affluence. 5: a boy of mixed background. 10: girl, impaired, Asian.
    assert residents("child", "characteristics") == {"2+": 12.0, "0": 6.0}
    assert "affluence" not in table.loc["adult"].index.get_level_values(0)
    assert "ns_sec" not in table.loc["child"].index.get_level_values(0)
    assert table.loc[("adult", "imd_decile", "1"), "inactive"] == pytest.approx(10 / 30)


def test_axes_run_from_most_to_least_disadvantaged(tiny: Simulation) -> None:
    at, people = levels(tiny.people), tiny.people
    worst = {axis.name: axis.levels[0] for axis in AXES if axis.ordered}
    assert worst == {
        "imd_decile": "1", "imd_fifth": "1", "impairments": "3+", "age_band": "75+", "ns_sec": "6-8", "affluence": "low",
        "characteristics": "2+",
    }  # fmt: skip
    assert at["age_band"][people.age == 80] == 0 and at["impairments"][people.age == 70] == 0
    assert (at["affluence"][people.age >= 16] == -1).all() and (at["ns_sec"][people.age < 16] == -1).all()
    assert characteristics(people).max() == 2 and set(at) == {axis.name for axis in AXES}


def test_areas_restrict_the_count(tiny: Simulation) -> None:
    table = count(tiny, areas=(1,))
    assert table.loc[("adult", "all", "all"), "residents"] == 90.0
    assert table.loc[("adult", "local_authority")].index.tolist() == ["Beford"]
    both = count(tiny, areas=(0, 1))
    assert both.loc[("adult", "all", "all"), "residents"] == 150.0
    assert ("adult", "all", "all") not in count(tiny, areas=(2,)).index


def test_recording_starts_the_next_four_weeks_of_domain_minutes(tiny: Simulation) -> None:
    mean = tiny.people.mean.copy()
    count(tiny)
    assert tiny.people.domain_minutes.max() == 0 and np.array_equal(mean, tiny.people.mean)


# --- over time --------------------------------------------------------------------------------------------------------
def followed(
    rules: Rules, weeks: int = 104, first: int = -52, **options
) -> tuple[Simulation, Recorder, list[tuple[float, float]]]:
    """Return a run recorded every four weeks, and adults' inactive residents and minutes counted here at each record."""
    run = Simulation(small_population(1500, 30), rules, References.first_guess())
    run.week = first
    recorder, seen = Recorder(AUTHORITIES), []

    def each_week(run: Simulation) -> None:
        if run.week % 4 == 0:
            people = run.people
            adult, mean = people.age >= 16, people.mean[: people.n]
            seen.append((people.weight[adult & (mean < 30)].sum(), (people.weight * mean)[adult].sum()))
            recorder.record(people, run.week)

    run.run(weeks, each_week)
    return run, recorder, seen


def test_a_years_window_is_the_mean_of_its_13_records(rules: Rules) -> None:
    run, recorder, seen = followed(rules)
    assert recorder.weeks == list(range(-48, 53, 4)) and recorder.years() == [0, 52]
    table = recorder.outcomes().query("axis == 'all' and age_group == 'adult'").set_index(["window", "week"])
    residents = run.people.weight[run.people.age >= 16].sum()
    for year, span in ((0, slice(0, 13)), (52, slice(13, 26))):
        hand = np.mean(seen[span], axis=0) / residents
        assert table.loc[(52, year), ["inactive", "minutes"]].to_numpy(float) == pytest.approx(hand, rel=1e-5)
    four = table.loc[4]
    assert four.index.tolist() == list(range(0, 53, 4))
    assert four.loc[4:52, "inactive"].mean() == pytest.approx(table.loc[(52, 52), "inactive"])
    assert four.loc[0, "inactive"] == pytest.approx(seen[12][0] / residents)


def test_a_year_needs_13_records(rules: Rules) -> None:
    _, recorder, _ = followed(rules, weeks=60, first=0)
    assert recorder.years() == [52]
    _, recorder, _ = followed(rules, weeks=12, first=44)
    assert recorder.years() == [] and set(recorder.outcomes()["window"]) == {4}


def test_short_windows_keep_the_headline_axes_only(rules: Rules) -> None:
    _, recorder, _ = followed(rules, weeks=52, first=-52)
    table = recorder.outcomes()
    assert set(table.loc[table["window"] == 4, "axis"]) == {"all", "imd_decile", "imd_fifth"}
    assert set(table.loc[table["window"] == 52, "axis"]) == {axis.name for axis in AXES}
    assert set(recorder.outcomes(every_group=True).query("window == 4")["axis"]) == {axis.name for axis in AXES}


def test_sums_over_the_levels_of_an_axis_agree(rules: Rules) -> None:
    run, recorder, _ = followed(rules, weeks=52, first=-52)
    table = recorder.outcomes(every_group=True)
    amounts = [*STATUSES, "minutes", *(f"minutes_{word.name}" for word in DOMAINS)]
    table[amounts] = table[amounts].mul(table["residents"], axis=0)
    sums = table.groupby(["window", "age_group", "axis"])[["agents", "residents", *amounts]].sum()
    people = run.people
    for (window, group, axis), row in sums.iterrows():
        whole = sums.loc[(window, group, "all")]
        if axis == "ns_sec":
            assert row["residents"] == pytest.approx(people.weight[(people.age >= 16) & (people.ns_sec <= 2)].sum())
        else:
            assert row.to_numpy() == pytest.approx(whole.to_numpy(), rel=1e-9), (window, group, axis)
    shares = recorder.outcomes(every_group=True)
    assert shares[list(STATUSES)].sum(axis=1).to_numpy() == pytest.approx(1.0)
    domains = shares[[f"minutes_{word.name}" for word in DOMAINS]].sum(axis=1)
    assert domains.to_numpy() == pytest.approx(shares["minutes"].to_numpy(), rel=1e-4), "domain minutes add up to the whole"


def test_the_cross_of_authority_and_decile_agrees(rules: Rules) -> None:
    _, recorder, _ = followed(rules, weeks=52, first=-52)
    cross, table = recorder.cross(), recorder.outcomes().query("window == 52 and age_group == 'adult'")
    assert cross["residents"].sum() == pytest.approx(table.loc[table["axis"] == "all", "residents"].sum())
    by_place = cross.assign(count=cross["residents"] * cross["inactive"]).groupby("local_authority")[["count", "residents"]].sum()
    whole = table[table["axis"] == "local_authority"].set_index("level")
    assert (by_place["count"] / by_place["residents"]).to_dict() == pytest.approx(whole["inactive"].to_dict())


def test_recording_changes_nothing_in_the_run(rules: Rules) -> None:
    counted, _, _ = followed(rules)
    quiet = Simulation(small_population(1500, 30), rules, References.first_guess())
    quiet.week = -52
    quiet.run(104)
    for name in ("state", "H", "ring", "mean", "taste"):
        assert np.array_equal(getattr(counted.people, name), getattr(quiet.people, name)), name


def test_a_copy_goes_its_own_way(tiny: Simulation) -> None:
    recorder = Recorder(AUTHORITIES, areas=(0,))
    recorder.record(tiny.people, 0)
    other = recorder.copy()
    other.record(tiny.people, 4)
    assert recorder.weeks == [0] and other.weeks == [0, 4] and other.areas == (0,)
    assert len(recorder.sums) == 1


def test_people_who_change_are_placed_anew(tiny: Simulation, rules: Rules) -> None:
    recorder = Recorder(AUTHORITIES)
    recorder.record(tiny.people, 0)
    tiny.people.columns["age"][: tiny.people.n][tiny.people.age == 15] = 16
    tiny.people.refresh(rules)
    recorder.place(tiny.people)
    recorder.record(tiny.people, 4)
    table = recorder.outcomes().query("axis == 'all'").set_index(["week", "age_group"])["residents"]
    assert table.to_dict() == {(0, "adult"): 150.0, (0, "child"): 18.0, (4, "adult"): 155.0, (4, "child"): 13.0}


def test_the_gap_of_the_same_people_and_at_the_same_ages() -> None:
    """With nobody born, dead or moved the closed cohort is everybody; standard ages take the place's own mix of ages."""
    recorder = Recorder(("Aford",))
    sums = [np.zeros((*sizes, 12)) for sizes in recorder.sizes]
    adult = sums[3][0]
    # two tenths of the same inactivity by age (60% old, 20% young), one old and one young: all of the gap is age
    old, young = 0, 3
    for tenth, (of_old, of_young) in ((0, (90.0, 10.0)), (9, (10.0, 90.0))):
        adult[tenth, old, 1, :3] = of_old, of_old, 0.6 * of_old
        adult[tenth, young, 1, :3] = of_young, of_young, 0.2 * of_young
    recorder.weeks, recorder.sums = [4 * k - 48 for k in range(13)], [sums] * 13
    found = recorder.adjusted().set_index("measure")["value"]
    # closed cohort = crude: 56% against 24%, midranks 0.25 and 0.75: slope 0.64
    assert found["sii_closed_cohort"] == pytest.approx(0.64)
    assert found["sii_age_standardised"] == pytest.approx(0.0, abs=1e-12)


def test_newcomers_are_not_in_the_closed_cohort() -> None:
    recorder = Recorder(("Aford",))
    sums = [np.zeros((*sizes, 12)) for sizes in recorder.sizes]
    adult = sums[3][0]
    for tenth, inactive in ((0, 0.5), (9, 0.1)):
        adult[tenth, 2, 1, :3] = 50.0, 50.0, 50.0 * inactive
        adult[tenth, 2, 0, :3] = 50.0, 50.0, 50.0 * 0.1
    recorder.weeks, recorder.sums = [4 * k - 48 for k in range(13)], [sums] * 13
    found = recorder.adjusted().set_index("measure")["value"]
    assert found["sii_closed_cohort"] == pytest.approx(0.8)
    assert found["sii_age_standardised"] == pytest.approx(0.4)


# --- what is counted, exactly -----------------------------------------------------------------------------------------
def test_sums_are_taken_in_the_order_of_the_people(rules: Rules) -> None:
    """Bit for bit: plain additions in double precision, one person after another."""
    run = Simulation(small_population(700, 30), rules, References.first_guess())
    people = run.people
    people.columns["weight"][: people.n] = np.random.default_rng(3).uniform(1, 90, people.n)
    run.run(4)
    at, minutes = levels(people), people.domain_minutes[:, : people.n].astype(float)
    recorder = Recorder(AUTHORITIES)
    recorder.record(people, 0)
    by_hand = np.zeros((2, 3, 10, 12))
    limits = np.where(people.child[: people.n, None] > 0, np.float32([210, 420]), np.float32([30, 150]))
    for j in np.flatnonzero(people.live[: people.n] > 0):
        row = by_hand[int(people.age[j] < 16), at["local_authority"][j], at["imd_decile"][j]]
        w, x = people.weight[j], people.mean[j]
        row[0] += 1
        row[1] += w
        row[2 + int((x >= limits[j]).sum())] += w
        row[5] += w * float(x)
        row[6:] += w * 0.25 * minutes[:, j]
    assert by_hand[..., 0].sum() > 600 and recorder.sums[0][0].tobytes() == by_hand.tobytes()


def test_nothing_of_a_person_leaves_the_recorder(rules: Rules) -> None:
    """Tables hold groups of words.AXES and nothing else: as many rows for 3,000 people as for 1,500, and no ids."""
    shapes, sizes, columns = [], [], []
    for n in (1500, 3000):
        run = Simulation(small_population(n, 30), rules, References.first_guess())
        run.week = -52
        recorder = Recorder(AUTHORITIES)
        run.run(52, lambda run, recorder=recorder: recorder.record(run.people, run.week) if run.week % 4 == 0 else None)
        frames = (recorder.outcomes(every_group=True), recorder.cross(), recorder.adjusted())
        groups = frames[0][["age_group", "axis", "level"]].drop_duplicates()
        known = {(axis.name, level) for axis in AXES for level in axis.levels or AUTHORITIES}
        assert set(zip(groups["axis"], groups["level"], strict=True)) <= known
        shapes.append([[part.shape for part in record] for record in recorder.sums])
        sizes.append([len(frame) for frame in frames])
        columns.append([list(frame.columns) for frame in frames])
        assert all(array.size < n or array.shape[-1] == 12 for record in recorder.sums for array in record)
        assert not any(c in names for names in columns[-1] for c in ("id", "person", "household", "neighbourhood", "school"))
    assert shapes[0] == shapes[1] and sizes[0] == sizes[1] and columns[0] == columns[1]
