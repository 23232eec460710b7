"""Gross gains and losses: adults who became active and who stopped, by deprivation fifth."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import FigureBase

from movesim.report import labels, say
from movesim.report.facts import Facts
from movesim.report.style import (
    BLUE,
    GREY,
    ORANGE,
    ORANGE_TEXT,
    Chart,
    nice_step,
    place_axes,
    row_axes,
    text_width,
    write,
)


def gross_table(facts: Facts, option: str) -> pd.DataFrame:
    """Return a row per deprivation fifth: adults who became active and who stopped against no change, with ranges."""
    rows = facts.result.tables["winners"]
    rows = rows[(rows["scenario"] == option) & (rows["age_group"] == "adult") & (rows["axis"] == "imd_fifth")]
    few = facts.numbers["few"]
    found = []
    largest = rows.groupby("level")["newly_active"].median().max() if len(rows) else 0
    for level in labels.levels_of("imd_fifth", set(rows["level"])):
        part = rows[rows["level"] == level]
        net = part["newly_active"] - part["no_longer_active"]
        started, stopped = (say.round_people(part[c].median(), largest) for c in ("newly_active", "no_longer_active"))
        row = {"Fifth": labels.level("imd_fifth", level), "Became active": started, "Stopped": -stopped, "Net": started - stopped}
        if not few:
            row |= {"Net, low": say.round_people(net.quantile(0.05), largest)}
            row |= {"Net, high": say.round_people(net.quantile(0.95), largest)}
        found.append(row)
    return pd.DataFrame(found)


def gross(facts: Facts) -> Chart | str:
    """Return the chart of adults who became active and who stopped being active against no change, by deprivation fifth."""
    n, focus, year = facts.numbers, facts.focus, facts.year
    table = gross_table(facts, focus["name"])
    if table.empty:
        return "Gross gains and losses are not drawn: the winners table holds no rows by deprivation fifth."

    def paint(figure: FigureBase, width: float, height: float) -> None:
        ax = place_axes(figure, width, height, 1.8, 0.45, 6.3, height - 0.85)
        row_axes(ax, len(table))
        low, high = table["Stopped"].min(), table["Became active"].max()
        reach = max(high - low, 1)
        ax.set_xlim(low - 0.14 * reach, high + 0.14 * reach)
        for k, row in table.iterrows():
            ax.barh(k, row["Became active"], height=0.56, color=BLUE, zorder=2)
            ax.barh(k, row["Stopped"], height=0.56, color=ORANGE, zorder=2)
            write(ax, row["Became active"], k, say.whole(row["Became active"], sign=True), color=BLUE, bold=True, dx=5, size=11)
            write(ax, row["Stopped"], k, say.whole(row["Stopped"]), color=ORANGE_TEXT, bold=True, ha="right", dx=-5, size=11)
            write(ax, 0, k, row["Fifth"], ha="right", transform=("axes fraction", "data"), dx=-4, size=11)
            write(ax, 1, k, say.whole(row["Net"], sign=True), transform=("axes fraction", "data"), dx=34, size=11.5, bold=True)
        ax.axvline(0, color=GREY, lw=1.4, zorder=3)
        step = nice_step(high - low, 5)
        ticks = [
            t for t in np.arange(step * np.floor(low / step), high + step, step) if low - 0.14 * reach <= t <= high + 0.14 * reach
        ]
        ax.set_xticks(ticks, [say.plain(t, 0) for t in ticks])
        write(ax, 0, 1, "became active \u2192", transform=("data", "axes fraction"), dx=8, dy=12, color=BLUE, bold=True, size=11)
        away = text_width("\u2190 stopped", 11, True) * 72
        room = (0 - ax.get_xlim()[0]) / np.diff(ax.get_xlim())[0] * 6.3 * 72
        if room > away:  # with hardly anybody who stopped there is no room, and the number says enough
            of_stopped: dict[str, Any] = {"color": ORANGE_TEXT, "bold": True, "ha": "right", "size": 11}
            write(ax, 0, 1, "\u2190 stopped", transform=("data", "axes fraction"), dx=-8, dy=12, **of_stopped)
        write(ax, 1, 1, "Net", transform="axes fraction", dx=34, dy=12, bold=True, size=11)

    gains = table["Became active"].astype(int)
    top_two = round(10 * gains.iloc[:2].sum() / max(gains.sum(), 1))
    loss = -int(table["Stopped"].sum())
    headline = (
        f"More adults stop ({say.whole(focus['stopped'] or loss)}) than become active "
        f"({say.whole(focus['started'] or int(gains.sum()))})"
        if loss > gains.sum()
        else f"{top_two} in 10 newly active adults live in the two most deprived fifths"
        if len(table) == 5
        else f"{say.whole(int(gains.sum()))} adults become active and {say.whole(loss)} stop"
    )
    total = (
        f"{say.whole(focus['started'])} adults became active and {say.whole(focus['stopped'])} stopped"
        if (focus["started"] is not None)
        else "no total was counted"
    )
    alt = (
        f"Bar chart of adults who are active in {year} under {focus['title']} and would not be with no change, and of those who "
        f"are no longer active, by fifth of neighbourhood deprivation. In all, {total}. The most deprived fifth gains "
        f"{say.whole(table['Became active'].iloc[0])} and loses {say.whole(-table['Stopped'].iloc[0])}; the least deprived "
        f"gains {say.whole(table['Became active'].iloc[-1])} and loses {say.whole(-table['Stopped'].iloc[-1])}."
    )
    data = pd.concat([gross_table(facts, o["name"]).assign(Option=o["title"]) for o in n["options"]], ignore_index=True)
    return Chart(
        name="gains-and-losses",
        question="How many people start, and how many stop?",
        headline=headline,
        subtitle=f"Adult residents who became active (150 minutes a week) and who stopped, {focus['title']} against "
        f"no change, {year}",
        source=f"{facts.source} Each person is compared with the same person under no change; some of both is chance "
        "of the week.",
        alt=alt,
        data=data[["Option", *[c for c in data.columns if c != "Option"]]],
        limits="how much more active people became, nor people who moved only from inactive to fairly active.",
        paint=paint,
        height=3.5,
    )
