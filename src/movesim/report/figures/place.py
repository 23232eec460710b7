"""Where: fewer inactive people by local authority, and how much each authority adds to closing the gap."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import FigureBase

from movesim.report import say
from movesim.report.facts import Facts
from movesim.report.style import (
    AXIS,
    BLUE,
    ORANGE,
    ORANGE_TEXT,
    SUB,
    Chart,
    change_axis,
    dot,
    place_axes,
    row_axes,
    wrap,
    write,
)

MOVED = "population change"  # what residents' moving between authorities and tenths does to the gap, no authority's own


def authorities(facts: Facts, option: str) -> pd.DataFrame:
    """Return a row per local authority: fewer inactive residents and contribution to the gap in points, with ranges."""
    rows = facts.result.tables["contributions"]
    rows = rows[(rows["scenario"] == option) & (rows["local_authority"] != MOVED)]
    hidden = {level for group, axis, level in facts.result.small_groups if (group, axis) == ("adult", "local_authority")}
    found = []
    for name, part in rows[~rows["local_authority"].isin(hidden)].groupby("local_authority"):
        fewer, gap = part["fewer_inactive"], 100 * part["gap_contribution"]
        found.append(
            {
                "name": str(name),
                "fewer": fewer.median(),
                "fewer_low": fewer.quantile(0.05),
                "fewer_high": fewer.quantile(0.95),
                "per_1000": 1000 * fewer.median() / part["residents"].median(),
                "gap": gap.median(),
                "gap_low": gap.quantile(0.05),
                "gap_high": gap.quantile(0.95),
            }
        )
    return pd.DataFrame(found).sort_values("fewer", ascending=False, ignore_index=True) if found else pd.DataFrame(found)


def where(facts: Facts) -> Chart | str:
    """Return the chart of local authorities: fewer inactive residents on the left, contribution to the gap on the right."""
    n, focus, year = facts.numbers, facts.focus, facts.year
    table = authorities(facts, focus["name"])
    if table.empty:
        return "Local authorities are not drawn: the contributions table holds none with enough simulated people."
    few, count = n["few"], len(table)
    rest = facts.result.tables["contributions"]
    rest = rest[(rest["scenario"] == focus["name"]) & (rest["local_authority"] == MOVED)]["gap_contribution"]

    def paint(figure: FigureBase, width: float, height: float) -> None:
        size = min(11.0, (height - 0.95) / count * 72 * 0.72)
        for left, what, title, sign, text in (
            (1.95, "fewer", "Fewer inactive residents", 1, lambda v: say.people(v, sign=True)),
            (5.85, "gap", "Contribution to the gap, points", -1, lambda v: say.signed(v, 2)),
        ):
            ax = place_axes(figure, width, height, left, 0.5, 2.7, height - 0.9)
            row_axes(ax, count)
            ends = table[what] if few else pd.concat([table[f"{what}_low"], table[f"{what}_high"]])
            change_axis(ax, ends.min(), ends.max(), 4)
            if what == "fewer":
                ax.set_xticks(ax.get_xticks(), [say.plain(t, 0) for t in ax.get_xticks()])
            write(ax, 0, 1, title, bold=True, transform="axes fraction", dy=13)
            for k, row in table.iterrows():
                worse = sign * row[what] < 0
                clear = not few and (row[f"{what}_low"] > 0 or row[f"{what}_high"] < 0)
                colour = ORANGE if worse else BLUE
                band = None if few else (row[f"{what}_low"], row[f"{what}_high"])
                dot(
                    ax,
                    row[what],
                    k,
                    band,
                    None,
                    colour if clear or few else AXIS,
                    fill=colour if clear else "white",
                    marker="D" if worse else "o",
                    size=7,
                )
                shown = text(row[what]) + (" worse" if worse and what == "fewer" else " wider" if worse else "")
                write(
                    ax,
                    1,
                    k,
                    shown,
                    size=size,
                    transform=("axes fraction", "data"),
                    dx=5,
                    color=ORANGE_TEXT if worse else "#1A1A1A",
                )
                if what == "fewer":
                    write(
                        ax, 0, k, wrap(row["name"], 1.75, size), size=size, ha="right", transform=("axes fraction", "data"), dx=-6
                    )
            words = ("\u2190 more inactive", "fewer \u2192") if what == "fewer" else ("narrower \u2190", "\u2192 wider")
            write(
                ax,
                0,
                0,
                words[0],
                size=10,
                color=SUB,
                ha="right" if what == "gap" else "left",
                transform=("data", "axes fraction") if what == "gap" else "axes fraction",
                dx=-5 if what == "gap" else 0,
                dy=-31,
            )
            write(
                ax,
                0 if what == "gap" else 1,
                0,
                words[1],
                size=10,
                color=SUB,
                ha="left" if what == "gap" else "right",
                transform=("data", "axes fraction") if what == "gap" else "axes fraction",
                dx=5 if what == "gap" else 0,
                dy=-31,
            )

    first, worse = table.iloc[0], table[table["fewer"] < 0]
    helps = table.sort_values("gap").iloc[0]
    headline = (
        f"{first['name']} has the largest fall in inactive residents"
        if first["name"] != helps["name"]
        else f"{first['name']} gains most and does most to close the gap"
        if helps["gap"] < 0
        else f"{first['name']} gains most, but no authority narrows the gap"
    )
    if first["name"] != helps["name"] and helps["gap"] < 0:
        headline = f"{first['name']} gains most people; {helps['name']} does most to close the gap"
    if len(worse):
        headline = f"{say.count(len(worse), 'authority', 'authorities')} of {count} become less active under {focus['title']}"
    data = []
    for option in n["options"]:
        for row in authorities(facts, option["name"]).itertuples():
            entry = {
                "Option": option["title"],
                "Local authority": row.name,
                "Fewer inactive residents": say.round_people(row.fewer),
                "Per 1,000 residents": say.rounded(row.per_1000),
                "Contribution to the gap, points": say.rounded(row.gap, 2),
            }
            if not few:
                entry |= {
                    "Fewer inactive, low": say.round_people(row.fewer_low),
                    "Fewer inactive, high": say.round_people(row.fewer_high),
                    "Contribution, low": say.rounded(row.gap_low, 2),
                    "Contribution, high": say.rounded(row.gap_high, 2),
                }
            data.append(entry)
    last = table.iloc[-1]
    alt = (
        f"Two dot plots by local authority for {focus['title']} in {year}. Largest fall in inactive residents: {first['name']} "
        f"({say.people(first['fewer'])}); smallest: {last['name']} ({say.people(last['fewer'])}). Largest "
        "contribution to a narrower "
        f"gap: {helps['name']} ({say.signed(helps['gap'], 2)} points); contributions add up to the change of the gap in each run."
    )
    return Chart(
        name="where",
        question="Where does it happen?",
        headline=headline,
        subtitle=f"Fewer inactive residents, and contribution to the change of the gap, by local authority, "
        f"{focus['title']}, {year}",
        source=f"{facts.source} Not a map. {facts.pairs_in_words}"
        + ("" if few else " Bars: 9 in 10 runs; hollow: the range includes no change."),
        alt=alt,
        data=pd.DataFrame(data),
        limits="differences inside an authority; behaviour is predicted locally, not fitted to local surveys.",
        paint=paint,
        sentences=(f"Residents who move between places account for {say.signed(100 * rest.median(), 2)} points of the gap.",)
        if len(rest)
        else (),
        height=max(3.2, 1.0 + 0.27 * count),
    )
