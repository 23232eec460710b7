"""Which step of the reach ladder makes how much of the change in the gap."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import FigureBase

from movesim.report import say
from movesim.report.facts import Facts
from movesim.report.questions import NOT_ASKED, STEPS, ladder_rows
from movesim.report.style import AXIS, BLUE, INK, ORANGE, SUB, Chart, change_axis, place_axes, row_axes, wrap, write

SHOWN = 3  # options drawn; the table holds all


def ladder_steps(facts: Facts) -> Chart | str:
    """Return the chart of Shapley shares of the change in the gap: a panel per option, a bar per step, and their sum."""
    found = {option["name"]: ladder_rows(facts.result, option["name"]) for option in facts.numbers["options"]}
    found = {name: rows for name, rows in found.items() if rows}
    if not found:
        return NOT_ASKED["ladder_shares"]
    focus = facts.focus["name"] if facts.focus["name"] in found else next(iter(found))
    titles = {option["name"]: option["title"] for option in facts.numbers["options"]}
    panels = [focus, *(name for name in found if name != focus)][:SHOWN]
    steps = [step for step in STEPS if any(row["step"] == step for name in panels for row in found[name])]
    ends = [x for name in panels for row in found[name] for x in (row["share"], row["low"], row["high"]) if x is not None]
    ends += [sum(row["share"] for row in found[name]) for name in panels]

    def paint(figure: FigureBase, width: float, height: float) -> None:
        left, gap = 2.15, 0.3
        each = (width - left - 0.2 - gap * (len(panels) - 1)) / len(panels)
        for p, name in enumerate(panels):
            ax = place_axes(figure, width, height, left + p * (each + gap), 0.42, each, height - 1.12)
            row_axes(ax, len(steps) + 1)
            room = 0.75 / each * (max(*ends, 0) - min(*ends, 0))  # for the number beside the longest bar
            change_axis(ax, min(*ends, 0) - room, max(*ends, 0) + room, 4)
            title = wrap(titles[name], each, 11.5, True)[:2]
            write(ax, 0, 1, title, bold=True, transform="axes fraction", va="bottom", dy=5)
            rows = {row["step"]: row for row in found[name]}
            for k, step in enumerate([*steps, "sum"]):
                if p == 0:
                    label = wrap("Change in the gap" if step == "sum" else STEPS[step], 2.0, 11, step == "sum")
                    write(ax, 0, k, label, ha="right", transform=("axes fraction", "data"), dx=-9, size=11, bold=step == "sum")
                if step != "sum" and step not in rows:
                    write(ax, 0, k, "no such step", size=10, color=SUB, dx=6)
                    continue
                value = sum(row["share"] for row in rows.values()) if step == "sum" else rows[step]["share"]
                colour = (BLUE if value < 0 else ORANGE) if step == "sum" or rows[step]["told"] else AXIS
                ax.barh(k, value, height=0.52, color=colour, zorder=2)
                if step != "sum" and rows[step]["low"] is not None:
                    ax.plot((rows[step]["low"], rows[step]["high"]), (k, k), color=INK, lw=1.3, zorder=3)
                at, side = (value, "right") if value < 0 else (value, "left")
                if step != "sum" and rows[step]["low"] is not None:
                    at = min(value, rows[step]["low"]) if value < 0 else max(value, rows[step]["high"])
                write(
                    ax, at, k, say.signed(value, 2), ha=side, dx=-5 if value < 0 else 5, size=10.5, bold=step == "sum", halo=True
                )

    n = facts.numbers
    own = found[focus]
    largest = max((row for row in own if row["step"] != "effect"), key=lambda row: abs(row["share"]))
    does = "narrows" if largest["share"] < 0 else "widens"
    clear = largest["told"]
    headline = (
        f"Of the steps, {largest['title'].lower()} {does} the gap most under {titles[focus]}" if clear
        else f"No step of the ladder is told from chance under {titles[focus]}"
    )  # fmt: skip
    data = pd.DataFrame(
        [
            {
                "Option": titles[name], "Step": row["title"], "Share of the change, points": say.rounded(row["share"], 3),
                **({} if row["low"] is None else {"9 in 10 runs, low": say.rounded(row["low"], 3),
                                                  "9 in 10 runs, high": say.rounded(row["high"], 3)}),
                "Told from chance": "yes" if row["told"] else "no", "Most over least deprived fifth": row["ratios"],
            }
            for name, rows in found.items() for row in rows
        ]
    )  # fmt: skip
    spoken = ", ".join(f"{row['title'].lower()} {say.signed(row['share'], 2)}" for row in own)
    return Chart(
        name="ladder-steps",
        question="Which step of the ladder makes the change?",
        headline=headline,
        subtitle=f"Each step's share of the change in the slope index, {n['last_year']}, points; below 0 narrows it",
        source=f"{facts.source} {facts.pairs_in_words} Shapley shares over all ways of making steps treat everybody alike; they "
        "and the effect on unequal lives add up to the change. Coloured: more than chance between runs explains.",
        alt=f"Bars of each step's share of the change in the gap. Under {titles[focus]}: {spoken} points.",
        data=data,
        limits="what would happen if a step were made even in practice: that has a price, which is not counted.",
        paint=paint,
        height=1.55 + 0.42 * (len(steps) + 1),
        sentences=_not_drawn([titles[name] for name in found if name not in panels]),
    )


def _not_drawn(titles: list[str]) -> tuple[str, ...]:
    return (f"In the data but not drawn: {say.listed(titles)}.",) if titles else ()
