"""Together or apart: what a portfolio does beside the sum of its interventions alone."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import FigureBase

from movesim.report import say
from movesim.report.facts import Facts
from movesim.report.questions import NOT_ASKED, asked, together_rows
from movesim.report.style import AXIS, BLUE, INK, SUB, Chart, change_axis, dot, place_axes, row_axes, wrap, write

WHAT = {"gap": "gap", "inactive": "inactive adults"}


def together(facts: Facts) -> Chart | str:
    """Return the chart of the difference between each portfolio and the sum of its parts, on the gap and on inactivity."""
    rows = together_rows(facts.result)
    if not rows:
        none = asked(facts.result, "interactions") is None and "parts" in facts.result.manifest.get("questions", [])
        return "No option has several interventions, so there are no parts to add up." if none else NOT_ASKED["interactions"]
    ends = [x for row in rows for x in (row["difference"], row["low"], row["high"]) if x is not None]

    def paint(figure: FigureBase, width: float, height: float) -> None:
        ax = place_axes(figure, width, height, 3.15, 0.62, 3.55, height - 1.05)
        row_axes(ax, len(rows))
        change_axis(ax, min(ends), max(ends))
        write(ax, 0, 0, "together does more", size=10, color=SUB, transform="axes fraction", dy=-32)
        write(ax, 1, 0, "less than the sum", size=10, color=SUB, transform="axes fraction", dy=-32, ha="right")
        write(ax, 0, 1, "Together less the sum of the parts", bold=True, transform="axes fraction", va="bottom", dy=5)
        write(ax, 1, 1, "Sum of parts, together", bold=True, transform="axes fraction", va="bottom", dy=5, dx=22)
        for k, row in enumerate(rows):
            strong = row["name"] == facts.focus["name"]
            colour = BLUE if strong else AXIS
            told = abs(row["difference"]) > 2 * row["mc_error"]
            band = None if row["low"] is None else (row["low"], row["high"])
            dot(ax, row["difference"], k, band, None, colour, fill=colour if told else "white")
            if k == 0 or rows[k - 1]["name"] != row["name"]:
                title = wrap(row["title"], 1.6, 11, strong)[:3]
                write(ax, 0, k, title, ha="right", transform=("axes fraction", "data"), dx=-100, size=11, bold=strong, color=INK)
            write(ax, 0, k, WHAT[row["what"]], ha="right", transform=("axes fraction", "data"), dx=-9, size=11, color=SUB)
            text = f"{say.signed(row['sum'])},  {say.signed(row['together'])} points"
            write(ax, 1, k, text, transform=("axes fraction", "data"), dx=22, size=11)

    n = facts.numbers
    first = next((row for row in rows if row["name"] == facts.focus["name"]), rows[0])
    told = abs(first["difference"]) > 2 * first["mc_error"]
    more = (
        "narrows the gap more than its parts add up to" if first["difference"] < 0 else "narrows the gap less than its parts do"
    )
    headline = f"{first['title']} {more}" if told else "Together, no clear sign of more or less than the sum of the parts"
    data = pd.DataFrame(
        [
            {
                "Option": row["title"], "Change in": WHAT[row["what"]], "Sum of parts, points": say.rounded(row["sum"], 2),
                "Together, points": say.rounded(row["together"], 2), "Difference, points": say.rounded(row["difference"], 2),
                **({} if row["low"] is None else {"9 in 10 runs, low": say.rounded(row["low"], 2),
                                                  "9 in 10 runs, high": say.rounded(row["high"], 2)}),
                "In words": row["words"],
            }
            for row in rows
        ]
    )  # fmt: skip
    spoken = "; ".join(f"{row['title']}, {WHAT[row['what']]}: {row['words']}" for row in rows)
    return Chart(
        name="together",
        question="Is the whole more than its parts?",
        headline=headline,
        subtitle=f"Change in {n['last_year']} under each portfolio, less the sum of each intervention alone with its part of the "
        "money, points",
        source=f"{facts.source} {facts.pairs_in_words} Means of runs."
        + ("" if n["few"] else " Bars: 9 in 10 runs.") + " Filled: more than chance between runs explains.",
        alt=f"Dots of the difference between each portfolio and the sum of its parts. {spoken}.",
        data=data,
        limits="why: interventions share people, places and money, and one can open the way for another.",
        paint=paint,
        height=1.75 + 0.46 * max(len(rows), 2),
    )  # fmt: skip
