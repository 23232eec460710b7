"""The made-up county with the further tables that a place may have: tenure, work, health, care, deprivation, qualifications."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

import toy_county as toy

TENURE, WORK, HEALTH = "Tenure of household: ", "Hours worked: ", "General health: "
CARE, HOME, LEVEL = "Provision of unpaid care: ", "Household deprivation: ", "Highest level of qualification: "


def write(folder: Path) -> dict[str, Path]:
    """Write the needed tables of the county and six more; returns the paths of all."""
    paths = toy.write(folder)
    rng = np.random.default_rng(11)
    with paths["nssec"].open(newline="", encoding="utf-8") as file:
        adults = [int(row[3]) for row in list(csv.reader(file))[1:]]
    with paths["size"].open(newline="", encoding="utf-8") as file:
        homes = [int(row[3]) for row in list(csv.reader(file))[1:]]
    with paths["disability"].open(newline="", encoding="utf-8") as file:
        people = [int(row[3]) for row in list(csv.reader(file))[1:]]
    start = ["date", "geography", "geography code"]

    def put(name: str, header: list[str], rows: list[list[int]]) -> None:
        paths[name] = folder / f"{name}.csv"
        with paths[name].open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([[*start, *header], *[[2021, "x", code, *row] for code, row in zip(toy.codes(), rows)]])

    def split(totals: list[int], shares: list[float]) -> list[list[int]]:
        return [rng.multinomial(n, shares).tolist() for n in totals]

    tenure = split(homes, [0.32, 0.28, 0.02, 0.17, 0.20, 0.01])
    put("tenure", [f"{TENURE}Owned: Owns outright", f"{TENURE}Owned: Owns with a mortgage or loan",
                   f"{TENURE}Shared ownership", f"{TENURE}Social rented", f"{TENURE}Private rented",
                   f"{TENURE}Lives rent free"], tenure)  # fmt: skip
    work = split(adults, [0.17, 0.38, 0.45])
    put("work", [f"{WORK}Part-time", f"{WORK}Full-time"], [row[:2] for row in work])
    put("health", [f"{HEALTH}{name} health" for name in ("Very good", "Good", "Fair", "Bad", "Very bad")],
        split(people, [0.47, 0.34, 0.13, 0.045, 0.015]))  # fmt: skip
    five = [round(0.95 * n) for n in people]
    put("care", [f"{CARE}Total: All usual residents aged 5 and over", f"{CARE}Provides no unpaid care"],
        [[n, round(0.9 * n)] for n in five])  # fmt: skip
    put("home", [f"{HOME}Household is not deprived in any dimension",
                 *[f"{HOME}Household is deprived in {n} dimension{'s' * (n != 'one')}" for n in ("one", "two", "three", "four")]],
        split(homes, [0.47, 0.33, 0.15, 0.045, 0.005]))  # fmt: skip
    put("level", [LEVEL + name for name in ("No qualifications", "Level 1 and entry level qualifications",
                  "Level 2 qualifications", "Apprenticeship", "Level 3 qualifications", "Level 4 qualifications and above",
                  "Other qualifications")], split(adults, [0.18, 0.10, 0.13, 0.05, 0.17, 0.34, 0.03]))  # fmt: skip
    return paths
