"""The gradient: adult inactivity by deprivation tenth, no change beside an option."""

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
    MUTED,
    ORANGE_TEXT,
    SUB,
    Chart,
    nice_step,
    place_axes,
    wrap,
    write,
)
from movesim.report.tables import ENOUGH_AGENTS, Change


def decile_table(facts: Facts, option: str) -> pd.DataFrame:
    """Return a row per deprivation tenth: residents' share, mid-rank, inactive with no change and with the option, per cent."""
    outcomes = facts.result.tables["outcomes"]
    rows = outcomes[
        (outcomes["week"] == facts.result.last_week)
        & (outcomes["axis"] == "imd_decile")
        & (outcomes["age_group"] == "adult")
        & (outcomes["scenario"] == facts.result.baseline["name"])
    ]
    size = rows.groupby("level")["residents"].mean()
    hidden = {level for group, axis, level in facts.result.small_groups if (group, axis) == ("adult", "imd_decile")}
    found = []
    cumulated = 0.0
    for level in labels.levels_of("imd_decile", set(size.index)):
        part = size[level] / size.sum()
        change = facts.result.change(option, "inactive", "level", axis="imd_decile", level=level)
        if change is not None and level not in hidden:
            found.append((int(level), part, cumulated + part / 2, change))
        cumulated += part
    return pd.DataFrame(found, columns=["tenth", "share", "rank", "change"])


def gradient(facts: Facts) -> Chart | str:
    """Return the chart of adult inactivity by deprivation tenth, no change against the option in focus, with slope lines.

    Tenths stand at their mid-rank among residents, so that the slope index is a straight line.
    """
    n, focus, year = facts.numbers, facts.focus, facts.year
    table = decile_table(facts, focus["name"])
    if len(table) < 2:
        return f"The gradient is not drawn: fewer than two tenths have {ENOUGH_AGENTS} simulated adults."
    before = np.array([say.rounded(c.baseline) for c in table["change"]])
    moved = np.array([say.rounded(c.difference) for c in table["change"]])
    after = np.round(before + moved, 1)
    base = n["baseline"]
    sii = ((base["gap"], base["inactive"]), (focus["gap"], focus["inactive"]))

    def paint(figure: FigureBase, width: float, height: float) -> None:
        ax = place_axes(figure, width, height, 0.6, 0.72, 6.5, height - 0.92)
        highs = [c.baseline + max(c.high if c.ranged else 0, 0) for c in table["change"]]
        step = nice_step(max(*highs, *after) * 1.1, 4)
        top = step * np.ceil(max(*highs, *after) * 1.1 / step)
        for (gap, mean), colour, dashes in zip(sii, (GREY, BLUE), ((5, 2), (None, None))):
            ax.plot([0, 1], [mean + gap / 2, mean - gap / 2], color=colour, lw=1.8, dashes=dashes, zorder=2)
        for x, was, now, change in zip(table["rank"], before, after, table["change"]):
            ax.plot([x, x], [was, now], color=MUTED, lw=1.4, zorder=2.2)
            if change.ranged:
                ax.plot([x, x], [was + change.low, was + change.high], color=BLUE, lw=2.2, solid_capstyle="butt", zorder=2.6)
            ax.plot([x], [was], "o", ms=9, mfc="white", mec=GREY, mew=2.2, zorder=3)
            ax.plot([x], [now], "o", ms=9, mfc=BLUE, mec=BLUE, zorder=4)
        for k in sorted({0, len(table) // 2, len(table) - 1}):
            x, high = table["rank"][k], max(before[k], after[k])
            lines_here = max(mean + gap / 2 - gap * x for gap, mean in sii)
            write(ax, x, max(high, lines_here), say.signed(moved[k]), color=BLUE, bold=True, ha="center", va="bottom", dy=8)
        ax.set_xlim(0, 1)
        ax.set_ylim(0, top)
        ax.set_yticks(np.arange(0, top + step / 2, step), [f"{v:g}%" for v in np.arange(0, top + step / 2, step)])
        ax.set_xticks(table["rank"], [str(t) for t in table["tenth"]])
        write(ax, 0, 0, "\u2190 most deprived", size=10.5, color=SUB, transform="axes fraction", dy=-38)
        write(ax, 1, 0, "least deprived \u2192", size=10.5, color=SUB, ha="right", transform="axes fraction", dy=-38)
        write(
            ax,
            0.5,
            0,
            "Neighbourhood deprivation, national tenths",
            size=10.5,
            color=SUB,
            ha="center",
            transform="axes fraction",
            dy=-38,
        )
        side = place_axes(figure, width, height, 7.3, 0.3, 2.2, height - 0.5)
        side.set_axis_off()
        side.set(xlim=(0, 2.2), ylim=(0, height - 0.5))
        y = height - 0.75
        for (gap, mean), title, colour, fill, dashes in zip(
            sii, (base["title"], focus["title"]), (GREY, BLUE), ("white", BLUE), ((4, 2), (None, None))
        ):
            side.plot([0, 0.42], [y, y], color=colour, lw=1.8, dashes=dashes)
            side.plot([0.21], [y], "o", ms=9, mfc=fill, mec=colour, mew=2.2)
            lines = wrap(title, 1.6, 11.5, True)
            write(side, 0.55, y + 0.1, lines, color=colour, bold=True, va="top")
            y -= 0.2 * len(lines) + 0.02
            write(side, 0.55, y, f"Slope index {say.plain(gap)} points", size=10)
            write(side, 0.55, y - 0.18, f"{say.per_cent(mean)} inactive overall", size=10)
            y -= 0.62
        fell = focus["change"] <= 0
        write(side, 0.0, 0.86, "The gap " + ("falls by" if fell else "WIDENS by"), size=11, color=SUB)
        write(
            side, 0.0, 0.53, f"{say.plain(abs(focus['change']))} points", size=20, color=BLUE if fell else ORANGE_TEXT, bold=True
        )
        ends = f"9 in 10 runs: {say.span(focus['low'], focus['high'])}" if focus["low"] is not None else "range not shown"
        write(side, 0.0, 0.2, ends, size=10, color=SUB)

    falls = int((moved < 0).sum())
    steepest = int(np.argmin(moved))
    alt = (
        f"Dot plot of the share of adults who are inactive in {year}, by tenth of neighbourhood deprivation, with no change and "
        f"with {focus['title']}. Inactivity falls in {falls} of {len(table)} tenths. With no change it is highest in tenth "
        f"{table['tenth'][int(np.argmax(before))]} ({say.per_cent(before.max())}) and lowest in tenth "
        f"{table['tenth'][int(np.argmin(before))]} ({say.per_cent(before.min())}). The largest fall is in tenth "
        f"{table['tenth'][steepest]} ({say.signed(moved[steepest])} points). The slope index goes from "
        f"{say.plain(base['gap'])} to "
        f"{say.plain(focus['gap'])} points."
    )
    data = []
    for option in n["options"]:
        for row in decile_table(facts, option["name"]).itertuples():
            data.append({"Option": option["title"], "Tenth (1 most deprived)": row.tenth} | level_row(row.change))
    return Chart(
        name="gradient",
        question="Who gains along the deprivation gradient?",
        headline=_gradient_headline(facts, moved),
        subtitle=f"Adults who are inactive (under 30 minutes a week), per cent, by deprivation of the neighbourhood, {year}",
        source=f"{facts.source} Middle of {say.count(n['pairs'], 'paired run')}"
        + ("" if n["few"] else "; bars show 9 in 10 runs of the difference")
        + ". Sloping lines: slope index of inequality, the modelled difference between the most and the least deprived. "
        + "Smaller is fairer.",
        alt=alt,
        data=pd.DataFrame(data),
        limits="differences inside a tenth, nor who lives in each.",
        paint=paint,
        height=4.5,
    )


def _gradient_headline(facts: Facts, moved: np.ndarray) -> str:
    focus = facts.focus
    if focus["levelling_down"] and focus["levelling_down"]["rise"]:
        return f"Levelling down: inactivity rises {focus['levelling_down']['by']} in the least deprived fifth"
    half = len(moved) // 2
    steep, flat = moved[:half].mean(), moved[-half:].mean()
    if (moved < 0).all():
        where = (
            "falls most where deprivation is highest"
            if steep < flat - 0.2
            else "falls most where deprivation is lowest"
            if steep > flat + 0.2
            else "falls about equally"
        )
        return f"Inactivity falls in every tenth, and {where}"
    rises = int((moved > 0).sum())
    if rises == 0:
        return f"Inactivity falls or stays in every tenth under {focus['title']}"
    return f"Inactivity rises in {rises} of {len(moved)} tenths under {focus['title']}"


def level_row(change: Change) -> dict[str, Any]:
    row: dict[str, Any] = {
        "No change, % inactive": say.rounded(change.baseline),
        "With the option, % inactive": say.rounded(say.rounded(change.baseline) + say.rounded(change.difference)),
        "Change, points": say.rounded(change.difference),
    }
    if change.ranged:
        row |= {"Change, low": say.rounded(change.low), "Change, high": say.rounded(change.high)}
    return row
