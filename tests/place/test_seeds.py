"""Joint seeds: every number of conf/place/seeds.yaml, and those computed in associations.yaml, summed anew from their tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from movesim.place.margins import associations, seeds, table
from movesim.place.tenure import COMPOSITIONS, SIZES, TENURES

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
pytestmark = pytest.mark.skipif(
    not (SHARED / "MANIFEST.csv").is_file(), reason="the published cross-tables are not beside the checkout (../shared/data)"
)
SIX = ("0 to 15", "16 to 24", "25 to 34", "35 to 49", "50 to 64", "65 and over")
CATEGORIES = {"Car": 4, "Tenure": 4, "Household size": 4}
# Which of the census's 14 compositions and 9 classes belong to each of ours, in our order.
COMPOSED = ((1,), (2,), (3,), (4, 7), (5, 8), (6, 9), (10,), (11,), (12, 13, 14))
CLASSED = ((1, 2), (3, 4, 5), (6, 7, 8), (9,))


def england_and_wales(pattern: str, kind: str, groups: tuple[tuple[int, ...], ...]) -> np.ndarray:
    """Households per million by (group, size 1 to 4+, tenure, cars) of a custom dataset, whatever else it is crossed with."""
    found = pd.read_csv(next((SHARED / "joint-seed-england-wales").glob(pattern)))
    at = {word: next(c for c in found if c.startswith(word) and c.endswith("Code")) for word in (kind, *CATEGORIES)}
    live = found[(found[at[kind]] > 0) & (found[at["Household size"]] > 0) & (found[at["Car"]] >= 0) & (found[at["Tenure"]] >= 0)]
    group = live[at[kind]].map({code: k for k, codes in enumerate(groups) for code in codes})
    assert group.notna().all() and live["Observation"].sum() > 0.999 * found["Observation"].sum()
    out = np.zeros((len(groups), 4, 4, 4))
    where = (group.astype(int), live[at["Household size"]] - 1, live[at["Tenure"]], live[at["Car"]])
    np.add.at(out, where, live["Observation"].to_numpy(float))
    return 1e6 * out / out.sum()


def scotland(name: str) -> pd.DataFrame:
    """Counts of a table of Scotland's census, categories down and ages across."""
    found = pd.read_csv(next((SHARED / "joint-seed-scotland").glob(f"{name}*.csv")))
    age = found["Age"].str.strip().str.replace(" - ", " to ")
    return found.assign(Age=age).pivot_table(index="Category", columns="Age", values="Count", aggfunc="sum")


def test_households_by_composition_size_tenure_and_cars() -> None:
    counted = england_and_wales("*HouseholdComposition15_Tenure5_Size5_CarVar*.csv.gz", "Household comp", COMPOSED)
    rows = seeds().data["household"]["rows"]
    for c, name in enumerate(COMPOSITIONS):
        for s, size in enumerate(SIZES):
            told = rows.get(f"{name}; {size}")
            if told is None:  # no household of such a size has this composition
                assert counted[c, s].sum() < 1, (name, size)
            else:
                assert np.abs(np.reshape(told, (len(TENURES), 4)) - counted[c, s]).max() < 0.51, (name, size)
    assert set(rows) <= {f"{name}; {size}" for name in COMPOSITIONS for size in SIZES}


def test_households_by_class_of_the_reference_person() -> None:
    counted = england_and_wales("*RefPerson_NSSEC10_Acc5_Tenure5_Size5_CarVan5*.csv.gz", "National Stat", CLASSED)
    rows = seeds().data["reference_person"]["rows"]
    assert list(rows) == [f"{c}; {s}" for c in ("1-2", "3-5", "6-8", "student") for s in SIZES]
    told = np.array(list(rows.values()), float).reshape(4, 4, 4, 4)
    assert np.abs(told - counted).max() < 0.51


@pytest.mark.parametrize(
    ("seed", "name", "categories", "everybody"),
    [
        ("health_by_age", "UV302b", ["Very good", "Good", "Fair", "Bad", "Very bad"], "All people"),
        (
            "disability_by_age", "UV303b",
            [f"Day-to-day activities {limited}" for limited in ("not limited", "limited a little", "limited a lot")],
            "All people",
        ),
    ],
)  # fmt: skip
def test_health_and_disability_by_age(seed: str, name: str, categories: list[str], everybody: str) -> None:
    counted = scotland(name)
    shares = counted.loc[categories, list(SIX)] / counted.loc[everybody, list(SIX)]
    assert np.abs(table(seeds().data[seed]) - shares.to_numpy()).max() < 6e-5
    assert seeds().data[seed]["columns"] == ["0-15", "16-24", "25-34", "35-49", "50-64", "65+"]


def test_qualifications_by_age() -> None:
    counted = scotland("UV501b")[list(SIX[1:])]
    middle = ["Upper school qualifications", "Apprenticeship qualifications",
              "Further Education and sub-degree Higher Education qualifications incl. HNC/HNDs"]  # fmt: skip
    groups = [["No qualifications"], ["Lower school qualifications"], middle, ["Degree level qualifications or above"]]
    shares = np.stack([counted.loc[g].sum().to_numpy() for g in groups]) / counted.loc["All people aged 16 and over"].to_numpy()
    told = table(seeds().data["qualification_by_age"])
    assert np.abs(told - shares)[[0, 1, 3]].max() < 6e-5
    # Cells are perturbed one by one and add up to 1.0006 at most: the middle is what the others leave.
    assert told.sum(axis=0) == pytest.approx(1.0, abs=2e-4) and np.abs(told - shares)[2].max() < 8e-4


def test_work_by_age() -> None:
    working, people = scotland("UV701b"), scotland("UV302b")
    everybody = next(c for c in working.index if c.startswith("All people"))
    shares = working.loc[everybody, list(SIX[1:])] / people.loc["All people", list(SIX[1:])]
    assert np.abs(table(seeds().data["work_by_age"])[0] - shares.to_numpy()).max() < 6e-5


def test_no_seed_is_left_unchecked() -> None:
    assert set(seeds().data) == {
        "household", "reference_person", "health_by_age", "disability_by_age", "qualification_by_age", "work_by_age",
    }  # fmt: skip
    assert {seeds().data[key]["status"] for key in seeds().data} == {"computed"}


def test_women_by_age() -> None:
    """Bands that the published ages do not cut (5-10, 11-15; 16-24) take those that are nearest."""
    counted = scotland("UV102b")
    share = lambda ages: counted.loc["Female", ages].sum() / counted.loc["All people", ages].sum()  # noqa: E731
    bands = {"0-4": ["0 to 4"], "16-24": ["16 to 17", "18 to 19", "20 to 24"], "25-34": ["25 to 29", "30 to 34"],
             "35-44": ["35 to 39", "40 to 44"], "45-49": ["45 to 49"], "50-54": ["50 to 54"], "55-64": ["55 to 59", "60 to 64"],
             "65-74": ["65 to 69", "70 to 74"], "75-84": ["75 to 79", "80 to 84"], "85+": ["85 and over"]}  # fmt: skip
    node = associations().data["seeds"]["female_by_age"]
    told = dict(zip(node["columns"], table(node)[0], strict=True))
    for band, ages in bands.items():
        assert told[band] == pytest.approx(share(ages), abs=6e-4), band
    assert told["5-10"] == pytest.approx(share(["5 to 9"]), abs=2e-3)
    assert told["11-15"] == pytest.approx(share(["10 to 14", "15"]), abs=2e-3)


def test_ethnic_groups_by_age() -> None:
    """To two decimals, or 0.6% where the shares that they are ratios of had been rounded before."""
    counted = scotland("UV201b")[list(SIX)]
    groups = {
        "Asian": ["Asian, Asian Scottish or Asian British: Total"], "Black": ["African: Total", "Caribbean or Black: Total"],
        "Mixed": ["Mixed or multiple ethnic group"], "White": ["White: Total"], "Other": ["Other ethnic groups: Total"],
    }  # fmt: skip
    node = associations().data["seeds"]["ethnic_group_by_age"]
    of = {"0 to 15": ["0-4", "5-10", "11-15"], "16 to 24": ["16-24"], "25 to 34": ["25-34"], "35 to 49": ["35-44", "45-49"],
          "50 to 64": ["50-54", "55-64"], "65 and over": ["65-74", "75-84", "85+"]}  # fmt: skip
    white = counted.loc["White: Total"] / counted.loc["White: Total"].sum()
    for group, names in groups.items():
        here = counted.loc[names].sum()
        ratio = here / here.sum() / white
        told = dict(zip(node["columns"], node["rows"][group], strict=True))
        for age, bands in of.items():
            for band in bands:
                assert told[band] == pytest.approx(ratio[age], abs=0.0051, rel=0.006), (group, band)


def test_disability_by_age_keeps_the_published_bands() -> None:
    """The split inside the six bands is a judgement: the bands themselves, by the people of each age, are the published ones."""
    people, counted = scotland("UV102b").loc["All people"], scotland("UV303b")
    limited = 1 - counted.loc["Day-to-day activities not limited", list(SIX)] / counted.loc["All people", list(SIX)]
    node = associations().data["seeds"]["disabled_by_age"]
    told = dict(zip(node["columns"], table(node)[0], strict=True))
    number = {"0-4": ["0 to 4"], "5-10": ["5 to 9"], "11-15": ["10 to 14", "15"], "35-44": ["35 to 39", "40 to 44"],
              "45-49": ["45 to 49"], "50-54": ["50 to 54"], "55-64": ["55 to 59", "60 to 64"], "65-74": ["65 to 69", "70 to 74"],
              "75-84": ["75 to 79", "80 to 84"], "85+": ["85 and over"]}  # fmt: skip
    for age, bands in {"0 to 15": ["0-4", "5-10", "11-15"], "35 to 49": ["35-44", "45-49"], "50 to 64": ["50-54", "55-64"],
                       "65 and over": ["65-74", "75-84", "85+"]}.items():  # fmt: skip
        weight = np.array([people[number[b]].sum() for b in bands], float)
        assert np.average([told[b] for b in bands], weights=weight) == pytest.approx(limited[age], abs=0.01), age
