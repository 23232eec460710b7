"""What options spend, who pays it, and what the money could not buy."""

from __future__ import annotations

from typing import Any

import pandas as pd

from movesim.interventions.scenario import PAYERS
from movesim.report import labels, say
from movesim.report.tables import Result

UNITS = {
    "participant": "participants", "fte_year": "staff years", "km": "kilometres", "km_year": "kilometres' upkeep",
    "pupil_year": "pupil years", "resident": "residents", "resident_year": "residents' upkeep", "booster": "further meetings",
}  # fmt: skip
UNEQUAL_SPEND = 0.10  # spends that differ by more than this share of the largest are said aloud


def spend(options: list[dict[str, Any]]) -> dict[str, Any]:
    """Return whether options differ in what they spend, and that in words; no ranking is shown without it."""
    by = {option["title"]: option["pounds_per_resident"] for option in options}
    low, high = min(by.values()), max(by.values())
    unequal = len(by) > 1 and high > 0 and (high - low) / high > UNEQUAL_SPEND
    if unequal:
        least, most = min(by, key=by.__getitem__), max(by, key=by.__getitem__)
        text = (
            f"The options do not cost the same: from {say.pounds(low)} per resident a year ({least}) to {say.pounds(high)} "
            f"({most}). A dearer option can rank higher because more is spent, not because the idea is better."
        )
    elif len(by) > 1:
        ends = say.pounds(low) if say.pounds(low) == say.pounds(high) else f"{say.pounds(low)} to {say.pounds(high)}"
        text = f"The options cost about the same: {ends} per resident a year."
    else:
        text = f"The option costs {say.pounds(high)} per resident a year."
    return {"unequal": unequal, "text": text, "low": low, "high": high}


def payers_of(result: Result, name: str) -> dict[str, float]:
    """Return pounds over the whole run by payer, mean of runs, the largest first; payers of nothing are left out."""
    money = result.tables["money"]
    own = money[money["scenario"] == name]
    runs = max(len(own[["draw", "replicate"]].drop_duplicates()), 1)
    paid = own.groupby("payer")["spent"].sum().div(runs).sort_values(ascending=False, kind="stable")
    return {str(payer): float(pounds) for payer, pounds in paid.items() if pounds > 0}


def undelivered_of(result: Result, name: str) -> list[tuple[str, str, float]]:
    """Return (intervention, unit, share not delivered) of all that an option wanted and did not get, the largest share first."""
    money = result.tables["money"]
    own = money[money["scenario"] == name].groupby(["intervention", "unit"], sort=False)[["delivered", "undelivered"]].sum()
    whole = own["delivered"] + own["undelivered"]
    share = (own["undelivered"] / whole.where(whole > 0)).fillna(0.0).sort_values(ascending=False, kind="stable")
    return [(str(which), str(unit), float(part)) for (which, unit), part in share.items() if part > 0.005]


def payers_table(result: Result, titles: dict[str, str], years: int) -> pd.DataFrame:
    """Return pounds by option and payer: over the whole run, per resident a year, and each payer's share of the option's."""
    residents, rows = float(result.manifest["place"]["residents"]), []
    for name, title in titles.items():
        paid = payers_of(result, name)
        total = sum(paid.values())
        for who, pounds in (paid | {"all payers": total}).items():
            a_year, share = pounds / residents / years, 100 * pounds / total if total else 0.0
            rows.append((title, payer(who, True), say.pounds(a_year), say.pounds(pounds), say.per_cent(share)))
    heads = ("Option", "Payer", "\u00a3 per resident a year", "\u00a3 over the run", "Share of the option")
    return pd.DataFrame(rows, columns=list(heads))


def payer(name: str, first: bool = False) -> str:
    """Return what a payer is called, with a capital where it comes first."""
    text = PAYERS.get(name, name.replace("_", " "))
    return text[:1].upper() + text[1:] if first else text


def spend_words(result: Result, name: str, most: int = 3) -> str:
    """Return who pays for an option and what was not delivered, in a sentence or two; "" where it spends nothing."""
    paid = payers_of(result, name)
    total = sum(paid.values())
    if total <= 0:
        return ""
    parts = [f"{payer(who)} {say.per_cent(100 * pounds / total, 0)}" for who, pounds in paid.items()]
    text = f"Paid by: {', '.join(parts)}."
    missing = undelivered_of(result, name)
    if not missing:
        return f"{text} All that was wanted was delivered."
    what = [
        f"{say.per_cent(100 * part, 0)} of {UNITS.get(unit, unit)} ({labels.pretty(which).lower()})"
        for which, unit, part in missing[:most]
    ]
    return f"{text} Not delivered, for want of money or capacity: {', '.join(what)}{' and more' if len(missing) > most else ''}."
