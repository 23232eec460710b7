"""A made-up county in the official formats: what a user downloads, small enough to read."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

RANK = "Index of Multiple Deprivation (IMD) Rank (where 1 is most deprived)"
DECILE = "Index of Multiple Deprivation (IMD) Decile (where 1 is most deprived 10% of LSOAs)"
NS = "National Statistics Socio-economic Classification (NS-SEC): "
ETHNIC = "Ethnic group: "
DIS = "Disability: "
CARS = "Number of cars or vans: "
SIZE = "Household size: "
AGES = ("Aged 15 years and under", "Aged 16 to 24 years", "Aged 25 to 34 years", "Aged 35 to 49 years", "Aged 50 to 64 years",
        "Aged 65 years and over")  # fmt: skip
HEADERS = {
    "imd": ["LSOA code (2021)", "LSOA name (2021)", "Local Authority District code (2024)",
            "Local Authority District name (2024)", "Index of Multiple Deprivation (IMD) Score", RANK, DECILE],
    "age": ["Lower layer Super Output Areas Code", "Lower layer Super Output Areas", "Age (6 categories) Code",
            "Age (6 categories)", "Observation"],
    "sex": ["Sex: All persons; measures: Value", "Sex: Female; measures: Value", "Sex: Male; measures: Value"],
    "ethnic": [ETHNIC + "Total: All usual residents", ETHNIC + "Asian, Asian British or Asian Welsh",
               ETHNIC + "Black, Black British, Black Welsh, Caribbean or African", ETHNIC + "Mixed or Multiple ethnic groups",
               ETHNIC + "White", ETHNIC + "Other ethnic group"],
    "disability": [DIS + "Total: All usual residents", DIS + "Disabled under the Equality Act",
                   DIS + "Disabled under the Equality Act: Day-to-day activities limited a lot",
                   DIS + "Disabled under the Equality Act: Day-to-day activities limited a little",
                   DIS + "Not disabled under the Equality Act",
                   DIS + "Not disabled under the Equality Act: No long term physical or mental health conditions"],
    "nssec": [NS + "Total: All usual residents aged 16 years and over",
              NS + "L1, L2 and L3 Higher managerial, administrative and professional occupations",
              NS + "L4, L5 and L6 Lower managerial, administrative and professional occupations",
              NS + "L7 Intermediate occupations", NS + "L8 and L9 Small employers and own account workers",
              NS + "L10 and L11 Lower supervisory and technical occupations", NS + "L12 Semi-routine occupations",
              NS + "L13 Routine occupations", NS + "L14.1 and L14.2 Never worked and long-term unemployed",
              NS + "L15 Full-time students"],
    "cars": [CARS + "Total: All households", CARS + "No cars or vans in household", CARS + "1 car or van in household",
             CARS + "2 cars or vans in household", CARS + "3 or more cars or vans in household"],
    "size": [SIZE + "Total: All household spaces; measures: Value", SIZE + "0 people in household; measures: Value",
             SIZE + "1 person in household; measures: Value",
             *[f"{SIZE}{k} people in household; measures: Value" for k in range(2, 8)],
             SIZE + "8 or more people in household; measures: Value"],
}  # fmt: skip
SHARES = {
    "age": [0.19, 0.10, 0.13, 0.20, 0.20, 0.18],
    "ethnic": [0.08, 0.04, 0.03, 0.84, 0.01],
    "nssec": [0.12, 0.19, 0.11, 0.10, 0.06, 0.12, 0.14, 0.09, 0.07],
    "cars": [0.22, 0.42, 0.27, 0.09],
    "size": [0.30, 0.35, 0.16, 0.12, 0.045, 0.015, 0.006, 0.004],
}
NAMES = ["imd", "age", "sex", "ethnic", "disability", "nssec", "cars", "size"]
LSOAS = 12


def codes() -> list[str]:
    return [f"E01{900100 + k:06d}" for k in range(LSOAS)]


def write(folder: Path) -> dict[str, Path]:
    """Write the eight needed tables of twelve LSOAs in two authorities; returns their paths."""
    rng = np.random.default_rng(7)
    folder.mkdir(parents=True, exist_ok=True)
    rows: dict[str, list[list[object]]] = {name: [] for name in NAMES}
    for k, code in enumerate(codes()):
        label, authority = f"Toyshire {k // 4 + 1:03d}{'ABCD'[k % 4]}", ("Toytown", "Much Toying")[k % 2]
        people = int(rng.integers(380, 520))
        age = rng.multinomial(people, SHARES["age"])
        ethnic = rng.multinomial(people, SHARES["ethnic"])
        disabled = int(rng.binomial(people, 0.19))
        little = disabled // 2
        female = int(rng.binomial(people, 0.51))
        adults = people - int(age[0])
        homes = round(people / 2.42)
        classes, cars = rng.multinomial(adults, SHARES["nssec"]), rng.multinomial(homes, SHARES["cars"])
        size = rng.multinomial(homes, SHARES["size"])
        rows["imd"].append([code, label, f"E0700099{k % 2}", authority, 30 - k, 1 + 3000 * k, min(10, 1 + (3000 * k) // 3376)])
        for category, count in enumerate(age):
            rows["age"].append([code, label, category + 1, AGES[category], count])
        start: list[object] = [2021, label, code]
        rows["sex"].append([*start, people + 1, female, people + 1 - female])
        rows["ethnic"].append([*start, people, *ethnic])
        rows["disability"].append(
            [*start, people, disabled, disabled - little, little, people - disabled, people - disabled - 20]
        )
        rows["nssec"].append([*start, adults, *classes])
        rows["cars"].append([*start, homes, *cars])
        rows["size"].append([*start, homes, 0, *size])
    paths = {}
    for name in NAMES:
        header = HEADERS[name] if name in ("imd", "age") else ["date", "geography", "geography code", *HEADERS[name]]
        paths[name] = folder / f"{name}.csv"
        with paths[name].open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([header, *rows[name]])
    return paths


def edit(path: Path, change) -> None:  # type: ignore[no-untyped-def]
    """Rewrite a table through `change`, a function of its rows (header first)."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(change(rows))
