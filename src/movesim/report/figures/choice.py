"""Which option is safest: ranks in every future and the regret of choosing wrongly."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import FigureBase
from matplotlib.patches import Rectangle

from movesim.report import say
from movesim.report.facts import Facts
from movesim.report.style import (
    AXIS,
    BLUE,
    INK,
    SUB,
    Chart,
    nice_step,
    place_axes,
    text_on,
    wrap,
    write,
)

SHADES = ["#FFFFFF", "#EEF4FA", "#D5E3EF", "#B3CFE7", "#8DB9DD", "#2A6CA8", "#1F5A91", "#12436D"]
PLACES = ("1st", "2nd", "3rd", "4th", "5th", "6th", "7th", "8th")


def shade(share: float) -> str:
    """Return the tile colour of a share from 0 to 1."""
    return SHADES[0] if share == 0 else SHADES[1 + min(int(share * (len(SHADES) - 1)), len(SHADES) - 2)]


def table_order(facts: Facts) -> list[dict]:
    """Return no change and the options in the order of the ranking, lowest average regret first."""
    by = {option["name"]: option for option in facts.numbers["options"]} | {
        facts.numbers["baseline"]["name"]: facts.numbers["baseline"]
    }
    return [by[name] for name in facts.numbers["order"]]


def safest(facts: Facts) -> Chart | str:
    """Return the chart of ranks (tiles) and regret (dot: average, bar: the bad case, 1 future in 10) for every option.

    A future is one paired run, shared by all options. Refused for one option or for too few pairs.
    """
    n = facts.numbers
    if len(n["options"]) < 2:
        return "Ranks are not drawn: there is one option beside no change, so the table above says it all."
    if n["few"]:
        return (
            f"Ranks and regret are not drawn: {say.count(n['pairs'], 'paired run')} are too few to count how often "
            "an option is best."
        )
    rows = table_order(facts)
    size = len(rows)

    def paint(figure: FigureBase, width: float, height: float) -> None:
        tiles = place_axes(figure, width, height, 1.95, 0.15, 4.3, height - 0.95)
        tiles.set(xlim=(0, size), ylim=(size, 0))
        tiles.set_axis_off()
        write(tiles, 0, 1, "Share of futures in which the option ranks \u2026", bold=True, transform="axes fraction", dy=46)
        for place in range(size):
            write(
                tiles,
                place + 0.5,
                1,
                PLACES[place] if place < 8 else f"{place + 1}th",
                ha="center",
                size=11,
                dy=13,
                transform=("data", "axes fraction"),
            )
        ax = place_axes(figure, width, height, 6.75, 0.15, 2.45, height - 0.95)
        write(ax, 0, 1, "Regret if chosen, points", bold=True, transform="axes fraction", dy=46)
        write(ax, 0, 1, "dot: average; bar: bad luck, 1 in 10", size=10, color=SUB, transform="axes fraction", dy=31)
        ax.set_ylim(size, 0)
        worst = max(row["bad_case"] for row in rows)
        ax.set_xlim(-0.02 * worst, worst * 1.16 or 1)
        step = nice_step(worst or 1, 4)
        ax.set_xticks([k * step for k in range(int(worst / step) + 1)])
        ax.set_xticklabels([f"{k * step:g}" for k in range(int(worst / step) + 1)])
        ax.xaxis.tick_top()
        ax.tick_params(axis="x", length=0)
        ax.spines["bottom"].set_visible(False)
        ax.set_yticks([])
        ax.grid(False)
        ax.grid(True, axis="x")
        for k, row in enumerate(rows):
            strong = row["name"] == facts.focus["name"]
            colour = BLUE if strong else AXIS
            write(
                tiles,
                0,
                k + 0.5,
                wrap(row["title"], 1.7, 11, strong),
                ha="right",
                color=BLUE if strong else INK,
                bold=strong,
                size=11,
                dx=-9,
            )
            most = max(row["ranks"])
            for place, share in enumerate(row["ranks"]):
                fill = shade(share)
                tiles.add_patch(
                    Rectangle((place + 0.03, k + 0.04), 0.94, 0.92, fc=fill, ec="#DADADA" if share < 0.2 else fill, lw=0.6)
                )
                write(
                    tiles,
                    place + 0.5,
                    k + 0.5,
                    say.share_of_runs(share),
                    ha="center",
                    color=text_on(fill),
                    bold=share == most,
                    size=11 if size < 6 else 9.5,
                )
            ax.plot([row["regret"], row["bad_case"]], [k + 0.5, k + 0.5], color=colour, lw=1.9, solid_capstyle="butt")
            ax.plot([row["bad_case"]] * 2, [k + 0.36, k + 0.64], color=colour, lw=1.9, solid_capstyle="butt")
            ax.plot([row["regret"]], [k + 0.5], "o", color=colour, ms=9)
            write(
                ax,
                row["regret"],
                k + 0.5,
                say.plain(row["regret"]),
                color=colour,
                bold=True,
                ha="center",
                va="top",
                dy=-7,
                size=10.5,
            )
            write(ax, row["bad_case"], k + 0.5, say.plain(row["bad_case"]), color=colour, dx=6, size=10.5)

    best, often = rows[0], max(rows, key=lambda row: row["best"])
    apart = facts.ranking.told_apart(best["name"], rows[1]["name"])
    headline = (
        f"{best['title']} and {rows[1]['title']} cannot be told apart"
        if not apart
        else f"{often['title']} is most often best, but {best['title']} is the safer choice"
        if often is not best
        else f"{best['title']} is most often best and costs least when wrong"
    )
    alt = (
        "Table of tiles with the share of futures in which each option ranks first to last on narrowing the gap, "
        "beside a dot plot "
        f"of regret. {often['title']} ranks first most often ({say.chance(often['best'], n['pairs'])}). Lowest average regret: "
        f"{best['title']} ({say.plain(best['regret'])} points); highest: {rows[-1]['title']} ({say.plain(rows[-1]['regret'])})."
    )
    data = pd.DataFrame(
        [
            {"Option": row["title"], "Average regret, points": row["regret"], "Regret in the bad case, points": row["bad_case"]}
            | {f"Ranks {PLACES[k] if k < 8 else f'{k + 1}th'}, % of runs": round(100 * v, 1) for k, v in enumerate(row["ranks"])}
            for row in rows
        ]
    )
    return Chart(
        name="ranks-and-regret",
        question="Which option is the safest?",
        headline=headline,
        subtitle=f"How often each option ranks first to last on narrowing the gap, and how much is lost if it is "
        f"chosen wrongly, {facts.year}",
        source=f"{facts.source} {say.count(n['pairs'], 'future')}: one draw of chance and of the uncertain settings "
        "each, used for all "
        "options. Regret: extra gap compared with the best option of that future.",
        alt=alt,
        data=data,
        limits="money: options that cost more are ranked by the gap alone. See the spend column in the table.",
        paint=paint,
        height=1.0 + 0.56 * size,
    )
