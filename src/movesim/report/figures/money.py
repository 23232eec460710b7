"""What it costs, who pays, and how much of it was delivered."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import FigureBase

from movesim.report import labels, say
from movesim.report.facts import Facts
from movesim.report.spend import UNITS
from movesim.report.spend import payer as payer_name
from movesim.report.style import AXIS, BLUE, INK, Chart, nice_step, place_axes, row_axes, wrap, write


def spent_table(facts: Facts) -> pd.DataFrame:
    """Return pounds over the whole run, mean over runs: a row per option, a column per payer, dearest payer first."""
    money = facts.result.tables["money"]
    runs = money.groupby("scenario").apply(lambda part: len(part[["draw", "replicate"]].drop_duplicates()), include_groups=False)
    total = money.groupby(["scenario", "payer"])["spent"].sum().unstack(fill_value=0.0)  # noqa: PD010
    total = total.div(runs, axis=0)
    order = total.sum().sort_values(ascending=False, kind="stable").index
    names = [o["name"] for o in facts.numbers["options"]]
    return total.reindex(names)[order].fillna(0.0)


def delivered_table(facts: Facts) -> pd.DataFrame:
    """Return units delivered and not delivered over the whole run, mean over runs, by option and intervention."""
    money = facts.result.tables["money"]
    titles = {o["name"]: o["title"] for o in facts.numbers["options"]}
    rows = []
    # The books share an intervention's units between its payers, so that sums over payers are right.
    once = money.groupby(["scenario", "intervention", "unit", "draw", "replicate", "year"])[["delivered", "undelivered"]].sum()
    for (scenario, intervention, unit), part in once.groupby(level=["scenario", "intervention", "unit"], sort=False):
        if scenario not in titles:
            continue
        runs = part.groupby(level=["draw", "replicate"]).sum().mean()
        whole = runs["delivered"] + runs["undelivered"]
        rows.append(
            {
                "Option": titles[scenario],
                "Intervention": labels.pretty(intervention),
                "Unit": UNITS.get(str(unit), str(unit)),
                "Delivered": say.round_people(runs["delivered"]),
                "Not delivered": say.round_people(runs["undelivered"]),
                "Not delivered, %": say.rounded(100 * runs["undelivered"] / whole) if whole else 0.0,
            }
        )
    return pd.DataFrame(rows, columns=["Option", "Intervention", "Unit", "Delivered", "Not delivered", "Not delivered, %"])


def cost(facts: Facts) -> Chart | str:
    """Return the chart of pounds by payer and option over the whole run: one panel per payer, one scale."""
    n = facts.numbers
    table = spent_table(facts) if len(facts.result.tables["money"]) else pd.DataFrame()
    if table.empty or table.to_numpy().sum() <= 0:
        return "No money was spent in any option, so there is no chart of costs."
    shown = list(table.columns[:4])
    if len(table.columns) > 4:
        table = table.assign(**{"other payers": table[table.columns[3:]].sum(axis=1)})
        shown = [*table.columns[:3], "other payers"]
    total = table[[c for c in table.columns if c != "other payers"]].sum(axis=1)
    titles = {o["name"]: o["title"] for o in n["options"]}
    panels = [("All payers", total), *[(payer_name(payer, True), table[payer]) for payer in shown]]
    if len(shown) == 1:
        panels = panels[1:]
    large = float(total.max())
    by, unit = (1e6, "\u00a3 million") if large >= 1e6 else (1e3, "\u00a3 thousand") if large >= 1e4 else (1.0, "\u00a3")

    def paint(figure: FigureBase, width: float, height: float) -> None:
        left, gap = 1.95, 0.25
        each = (width - left - 0.2 - gap * (len(panels) - 1)) / len(panels)
        for p, (title, values) in enumerate(panels):
            ax = place_axes(figure, width, height, left + p * (each + gap), 0.35, each, height - 0.8)
            row_axes(ax, len(values))
            ax.set_xlim(0, large / by * 1.38)
            step = nice_step(large / by, 3)
            ticks = [k * step for k in range(int(large / by / step) + 1)]
            ax.set_xticks(ticks, [f"{t:,g}" for t in ticks])
            lines = wrap(title, each, 11.5, True)
            write(ax, 0, 1, lines, bold=True, transform="axes fraction", va="bottom", dy=5)
            for k, (name, value) in enumerate(values.items()):
                strong = name == facts.focus["name"]
                ax.barh(k, value / by, height=0.5, color=BLUE if strong else AXIS, zorder=2)
                write(ax, value / by, k, say.plain(value / by), dx=5, size=11, bold=strong, color=BLUE if strong else INK)
                if p == 0:
                    write(
                        ax,
                        0,
                        k,
                        wrap(titles[name], 1.7, 11, strong),
                        ha="right",
                        dx=-9,
                        size=11,
                        bold=strong,
                        color=BLUE if strong else INK,
                    )

    most = total.idxmax()
    payer = table[shown].loc[facts.focus["name"]].idxmax()
    part = table.loc[facts.focus["name"], payer] / total[facts.focus["name"]] if total[facts.focus["name"]] else 0
    headline = f"{facts.focus['title']} costs {say.pounds(total[facts.focus['name']])} over {say.count(n['years'], 'year')}" + (
        f", most of it from: {payer_name(payer)} ({round(10 * part)} in 10 pounds)"
        if 0.15 < part < 0.95
        else f", paid by {payer_name(payer)}"
        if part >= 0.95
        else ""
    )
    spans = "; ".join(f"{titles[name]} {say.pounds(value)}" for name, value in total.items())
    data = pd.DataFrame(
        [
            {
                "Option": titles[name],
                "Pounds per resident a year": say.rounded(
                    next(o["pounds_per_resident"] for o in n["options"] if o["name"] == name), 2
                ),
                "All payers, \u00a3": round(total[name]),
            }
            | {f"{payer_name(c, True)}, \u00a3": round(row[c]) for c in shown}
            for name, row in table.iterrows()
        ]
    )
    return Chart(
        name="cost",
        question="What does it cost, and who pays?",
        headline=headline,
        subtitle=f"Money spent over {say.count(n['years'], 'year')} by payer, {unit}, mean of runs",
        source=f"{facts.source} Prices as set in the scenario, not discounted. {n['spend']['text']}",
        alt=f"Bars of money spent over {say.count(n['years'], 'year')} by option and payer. In all: {spans}. "
        f"Most is spent in {titles[most]}.",
        data=data,
        limits="savings to health or care, nor what the same money could do elsewhere.",
        paint=paint,
        height=1.05 + 0.52 * max(len(table), 2),
    )
