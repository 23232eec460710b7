"""How long must each option's gain be kept up to be worth what it cost?"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from matplotlib.figure import FigureBase

from movesim.outcomes.break_even import HORIZON, ends
from movesim.report import say
from movesim.report.facts import Facts
from movesim.report.questions import NOT_ASKED, asked, reckoned, unseen
from movesim.report.style import AXIS, BLUE, INK, ORANGE, Chart, dot, place_axes, row_axes, wrap, write


def lasting(facts: Facts) -> Chart | str:
    """Return the chart of years after delivery for which the gain must be kept up, by option; beyond 50 it says so."""
    table = asked(facts.result, "break_even")
    if table is None:
        return NOT_ASKED["break_even"]
    n = facts.numbers
    rows = []
    for option in n["options"]:
        own = table[table["scenario"] == option["name"]]
        if len(own) and (own["cost"] > 0).any():
            kept = ends(own["years_to_keep"].to_numpy())
            rows.append({"name": option["name"], "title": option["title"], "kept": kept, "own": own})
    if not rows:
        return "No option costs extra money, so any gain is worth it."
    far = max(x for row in rows for x in row["kept"][: 1 if n["few"] else 3])
    top = HORIZON if far > HORIZON else max(5.0, math.ceil(far * 1.15))

    def paint(figure: FigureBase, width: float, height: float) -> None:
        ax = place_axes(figure, width, height, 2.2, 0.55, 5.1, height - 0.75)
        row_axes(ax, len(rows))
        ax.set_xlim(-0.02 * top, top * 1.02)
        ax.set_xlabel("years after delivery")
        for k, row in enumerate(rows):
            strong = row["name"] == facts.focus["name"]
            middle, low, high = (min(x, top) for x in row["kept"])
            never = row["kept"][0] > HORIZON
            colour = ORANGE if never else BLUE if strong else AXIS
            dot(ax, middle, k, None if n["few"] else (low, high), None, colour, fill=colour, marker=">" if never else "o")
            title = wrap(row["title"], 2.0, 11, strong)[:3]
            write(ax, 0, k, title, ha="right", transform=("axes fraction", "data"), dx=-9, size=11, bold=strong, color=INK)
            write(ax, 1, k, _said(row["kept"], n["few"]), transform=("axes fraction", "data"), dx=10, size=11, bold=strong)

    first = next((row for row in rows if row["name"] == facts.focus["name"]), rows[0])
    middle = first["kept"][0]
    headline = (
        f"{first['title']} would not be worth its cost within {HORIZON} years" if middle > HORIZON
        else f"{first['title']} is worth its cost by the end of delivery" if middle <= 0
        else f"{first['title']} must last {middle:.1f} years after delivery to be worth its cost"
    )  # fmt: skip
    data = pd.DataFrame([_data(row["title"], row["own"], n["few"]) for row in rows])
    spread = "" if n["few"] else " Bars: 9 in 10 runs, with the worth of a year drawn anew in each."
    return Chart(
        name="lasting",
        question="How long must it last to be worth it?",
        headline=headline,
        subtitle="Years after delivery for which the gain of its last year must be kept up for all gains to be worth all costs",
        source=f"{facts.source} {reckoned(facts.result)} {facts.pairs_in_words}{spread}",
        alt="Dots of the years for which each option's gain must last: "
        + "; ".join(f"{row['title']} {_said(row['kept'], n['few'])}" for row in rows) + ".",
        data=data,
        limits="care and treatment saved, lives lengthened, and what the same money could do elsewhere.",
        paint=paint,
        height=1.25 + 0.6 * max(len(rows), 2),
        sentences=(unseen(facts.result),) if unseen(facts.result) else (),
    )  # fmt: skip


def _said(kept: list[float], few: bool) -> str:
    def one(x: float) -> str:
        return "0" if x <= 0 else f"{x:.1f}" if x <= HORIZON else f"over {HORIZON}"

    middle = "within delivery" if kept[0] <= 0 else f"not within {HORIZON}" if kept[0] > HORIZON else f"{one(kept[0])} years"
    return middle if few or one(kept[1]) == one(kept[2]) else f"{middle} ({one(kept[1])} to {one(kept[2])})"


def _data(title: str, own: pd.DataFrame, few: bool) -> dict[str, object]:
    def one(x: float) -> object:
        return f"over {HORIZON}" if x > HORIZON else None if math.isnan(x) else say.rounded(x)

    row: dict[str, object] = {"Option": title}
    for head, name in (("Years to keep up", "years_to_keep"), ("Half-life needed, years", "half_life_needed")):
        middle, low, high = (one(x) for x in ends(own[name].to_numpy()))
        row |= {head: middle} | ({} if few else {f"{head}, low": low, f"{head}, high": high})
    half = ends(own["half_life_shown"].to_numpy())[0]
    shown = "not seen" if math.isnan(half) else f"over {own['seen_years'].iloc[0]:.0f}" if math.isinf(half) else say.rounded(half)
    row["Half-life in the model, years"] = str(shown)
    price = ends(np.where(own["pounds_per_active_year"].isna(), np.inf, own["pounds_per_active_year"]))
    row["\u00a3 a year of one more active must be worth"] = "no worth would do" if math.isinf(price[0]) else say.pounds(price[0])
    return row
