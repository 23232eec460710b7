"""Who is reached, step by step, in the most and the least deprived fifths."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.figure import FigureBase

from movesim.report import labels, say
from movesim.report.facts import Facts
from movesim.report.style import AXIS, BLUE, GREY, INK, SUB, Chart, nice_step, place_axes, row_axes, wrap, write

SHOWN = 3  # interventions drawn; the table holds all


def reach_table(facts: Facts, option: str) -> pd.DataFrame:
    """Return a row per intervention and step: residents reached per 1,000 adults and children of each fifth, and the ratios."""
    ladder = facts.result.tables["ladder"]
    ladder = ladder[ladder["scenario"] == option]
    outcomes = facts.result.tables["outcomes"]
    people = (
        outcomes[
            (outcomes["week"] == facts.result.last_week)
            & (outcomes["axis"] == "imd_fifth")
            & (outcomes["scenario"] == facts.result.baseline["name"])
        ]
        .groupby(["age_group", "level"])["residents"]
        .mean()
        .groupby(level="level")
        .sum()
    )
    rows = []
    for (intervention, step), part in ladder.groupby(["intervention", "step"], sort=False):
        row = {"intervention": intervention, "step": step}
        reached = part.groupby("fifth")["reached"].median()
        for fifth in range(1, 6):
            known = people.get(str(fifth), 0)
            row[f"fifth_{fifth}"] = 1000 * reached.get(fifth, 0.0) / known if known else float("nan")
        row["reached"] = reached.sum()
        for ratio in ("endogenous_ratio", "residual_ratio", "total_ratio"):
            row[ratio] = part[ratio].median()
        rows.append(row)
    return pd.DataFrame(rows)


def reach(facts: Facts) -> Chart | str:
    """Return the chart of the reach ladder: residents reached per 1,000 in the most and least deprived fifths, by step."""
    n, focus = facts.numbers, facts.focus
    table = reach_table(facts, focus["name"])
    if table.empty:
        return f"{focus['title']} has no reach ladder: it changes places, not what is offered to persons."
    largest = table.groupby("intervention", sort=False)["reached"].max().sort_values(ascending=False, kind="stable").index[:SHOWN]
    blocks = [(name, table[table["intervention"] == name]) for name in largest]
    slots = sum(len(rows) + 1 for _, rows in blocks)
    top = max(float(rows[[f"fifth_{f}" for f in range(1, 6)]].max().max()) for _, rows in blocks)

    def paint(figure: FigureBase, width: float, height: float) -> None:
        size = min(11.0, (height - 1.0) / slots * 72 * 0.72)
        ax = place_axes(figure, width, height, 2.0, 0.55, 5.0, height - 1.0)
        row_axes(ax, slots)
        ax.set_xlim(0, top * 1.06)
        step = nice_step(top, 5)
        ax.set_xticks(
            [k * step for k in range(int(top * 1.06 / step) + 1)], [f"{k * step:,g}" for k in range(int(top * 1.06 / step) + 1)]
        )
        write(
            ax,
            0.5,
            0,
            "Residents reached over the whole run, per 1,000 residents of the fifth",
            size=10,
            color=SUB,
            ha="center",
            transform="axes fraction",
            dy=-31,
        )
        corner: dict[str, Any] = {"transform": "axes fraction", "dy": 13, "size": 10, "bold": True}
        write(ax, 0, 1, "\u25cf most deprived fifth", color=BLUE, **corner)
        write(ax, 0, 1, "\u25cb least deprived fifth", color=GREY, dx=150, **corner)
        at = ("axes fraction", "data")
        write(ax, 1, 1, "Most against least deprived", size=10.5, bold=True, transform="axes fraction", dx=10, dy=13)
        y = 0
        for name, rows in blocks:
            write(ax, 0, y, wrap(labels.pretty(name), 8.0, size, True)[0], size=size, bold=True, transform=at, dx=-1.85 * 72)
            y += 1
            for row in rows.itertuples():
                most, least = row.fifth_1, row.fifth_5
                ax.plot([most, least], [y, y], color=AXIS, lw=2, zorder=2)
                for fifth in (2, 3, 4):
                    ax.plot([getattr(row, f"fifth_{fifth}")], [y], "|", color=AXIS, ms=8, mew=1.2, zorder=2.2)
                ax.plot([least], [y], "o", mfc="white", mec=GREY, mew=2, ms=8, zorder=3)
                ax.plot([most], [y], "o", color=BLUE, ms=8, zorder=3)
                write(ax, 0, y, labels.step(row.step), size=size, ha="right", transform=at, dx=-8)
                ratio = f"{say.plain(most / least, 2)} times" if least else "none in the least deprived"
                write(ax, 1, y, ratio, size=size, transform=at, dx=10, color=INK)
                y += 1

    first, block = blocks[0]
    start, end = block.iloc[0], block.iloc[-1]

    def times(row: pd.Series) -> str:
        return f"{say.plain(row['fifth_1'] / row['fifth_5'], 2)} times" if row["fifth_5"] else "only"

    headline = f"{labels.pretty(first)} reaches the most deprived fifth {times(start)} as often at first, {times(end)} at the end"
    data = []
    for option in n["options"]:
        for row in reach_table(facts, option["name"]).to_dict("records"):
            data.append(
                {"Option": option["title"], "Intervention": labels.pretty(row["intervention"]), "Step": labels.step(row["step"])}
                | {f"Fifth {f}, per 1,000": say.rounded(row[f"fifth_{f}"]) for f in range(1, 6)}
                | {
                    "Ratio from circumstances": say.rounded(row["endogenous_ratio"], 2),
                    "Ratio left over": say.rounded(row["residual_ratio"], 2),
                    "Ratio in all": say.rounded(row["total_ratio"], 2),
                }
            )
    alt = (
        f"Dot plot of residents reached per 1,000 by step of the ladder for {focus['title']}, most against least deprived fifth. "
        f"{labels.pretty(first)}: {labels.step(start['step']).lower()} {say.plain(start['fifth_1'], 0)} per 1,000 in "
        "the most and "
        f"{say.plain(start['fifth_5'], 0)} in the least deprived fifth; {labels.step(end['step']).lower()} "
        f"{say.plain(end['fifth_1'], 0)} and {say.plain(end['fifth_5'], 0)}. Of the gain per person offered, the "
        "ratio most to least "
        f"deprived is {say.plain(start['total_ratio'], 2)}: {say.plain(start['endogenous_ratio'], 2)} from circumstances times "
        f"{say.plain(start['residual_ratio'], 2)} left over."
    )
    rest = table["intervention"].nunique() - len(blocks)
    return Chart(
        name="reach",
        question="Who is reached, and where do people drop out?",
        headline=headline,
        subtitle=f"Residents reached at each step, most deprived (filled) and least deprived fifth (hollow), {focus['title']}",
        source=f"{facts.source} Middle of {say.count(n['pairs'], 'run')}. Small marks: the fifths between. Ratio from "
        "circumstances: what "
        "capability, opportunity and motivation explain. Ratio left over: what they do not.",
        alt=alt,
        data=pd.DataFrame(data),
        limits="how much a person gains at each step, nor people reached twice.",
        paint=paint,
        height=1.05 + 0.29 * slots,
        sentences=(f"{say.count(rest, 'smaller intervention')} in the table only.",) if rest > 0 else (),
    )
