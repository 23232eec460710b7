"""Which assumptions decide an outcome: bars with intervals, ends of each factor, Morris's plane, pairs, and indices over time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import FigureBase
from matplotlib.ticker import MaxNLocator

from movesim.report import say
from movesim.report.style import (
    AXIS,
    BLUE,
    GREY,
    MUTED,
    ORANGE,
    ORANGE_TEXT,
    PINK,
    PURPLE,
    SUB,
    TEAL,
    Chart,
    place_axes,
    spread,
    text_on,
    text_width,
    write,
)  # fmt: skip

COLOURS = (BLUE, ORANGE, TEAL, PINK, PURPLE)
MOST = 14  # bars of a chart
ROW = 0.3
MEANT = {
    "ST": "share of the variance that would be left if all else were known",
    "mu_star": "mean size of its effect over its whole range",
    "S1": "share of the variance that goes if it were known", "median": "how far it moves the whole distribution (0 to 1)",
    "bound": "upper bound of its share of the variance",
    "distance": "how far it sets the worst quarter of runs apart (largest: 1)",
}  # fmt: skip
LIMITS = "It tells what matters within the stated ranges: a range that is too narrow makes a number look harmless."


def bars(table: pd.DataFrame, index: str, named: dict[str, Any]) -> Chart:
    """Return the bars of an index with intervals: hollow where it cannot be told from zero, chance as a bar of its own."""
    shown = table[(table["index"] == index) & (table["parameter"] != "dummy")].sort_values("value", ascending=False)
    luck = shown[shown["parameter"] == "seed"]
    shown = pd.concat([shown[shown["parameter"] != "seed"].head(MOST), luck])
    alone = table[table["index"] == "S1"].set_index("parameter")["value"] if index == "ST" else pd.Series(dtype=float)
    floor = float(shown["floor"].max()) if len(shown) else 0.0
    labels = [named["labels"][p] for p in shown["parameter"]]
    height = 1.0 + ROW * len(shown)

    def paint(figure: FigureBase, width: float, tall: float) -> None:
        left = min(4.6, max(text_width(label, 10.5) for label in labels) + 0.25)
        ax = place_axes(figure, width, tall, left, 0.6, width - left - 0.5, tall - 0.85)
        _rows(ax, labels)
        for k, row in enumerate(shown.itertuples()):
            y, value = len(labels) - 1 - k, max(row.value, 0.0)
            colour = ORANGE if row.parameter == "seed" else BLUE
            ax.barh(y, value, 0.62, color=colour if row.told else "none", ec=colour, lw=1.3, ls="-" if row.told else (0, (3, 2)))
            for colour_of_line, thick in (("white", 3.2), (GREY, 1.3)):  # white below, to be seen on a bar
                ax.plot([max(row.low, 0.0), max(row.high, 0.0)], [y, y], color=colour_of_line, lw=thick, solid_capstyle="butt")
            if row.parameter in alone.index:
                ax.plot([max(alone[row.parameter], 0.0)] * 2, [y - 0.31, y + 0.31], color="white" if row.told else colour, lw=2)
            if row.value > 1 and index in ("ST", "S1"):
                write(ax, 0, y, "above 1, which no share can be: too few runs", 9.5, "#8A3A0C", dx=6, halo=True)
            if row.value < 0:
                write(ax, 0, y, "below 0: read as 0", 9.5, SUB, dx=6)
        if floor > 0:
            ax.axvline(floor, color=GREY, lw=1.1, dashes=(4, 2.5))
            write(ax, floor, len(labels) - 0.35, "what a factor that does nothing reaches", 9, SUB, va="bottom", dx=3)
        ax.set_xlim(left=0)
        ax.set_xlabel(named["unit"] if index == "mu_star" else "share of variance" if index in ("ST", "S1", "bound") else index)

    told = shown[shown["told"] & (shown["parameter"] != "seed")]
    lead = f"{named['labels'][told['parameter'].iloc[0]]} matters most of what can be told from zero" if len(told) else ""
    headline = lead or "No factor can be told from zero: more runs are needed"
    odd = int((shown["value"] < 0).sum())
    ticks = " The tick in a bar is its share alone." if index == "ST" else ""
    return Chart(
        name=f"{named['method']}-bars", question="What matters?", headline=headline,
        subtitle=f"{MEANT[index].capitalize()}. Lines are 95% intervals; hollow bars cannot be told from zero; orange is "
        f"chance.{ticks}",
        source=named["source"], limits=LIMITS, paint=paint, height=height,
        alt=f"Bars of {MEANT[index]}: " + "; ".join(f"{label} {row.value:.2f}" for label, row in zip(labels, shown.itertuples())),
        data=shown[["parameter", "index", "value", "low", "high", "told", "note"]],
        sentences=(f"{say.count(odd, 'index')} below 0 by the error of a small design." if odd == 1 else "",) if odd == 1 else (),
    )  # fmt: skip


def _rows(ax: Axes, labels: list[str]) -> None:
    ax.set_yticks(range(len(labels)), labels[::-1], size=10.5)
    ax.set_ylim(-0.6, len(labels) - 0.4)
    ax.grid(False, axis="y")
    ax.grid(True, axis="x")


def tornado(ends: pd.DataFrame, named: dict[str, Any]) -> Chart:
    """Return the mean outcome where each factor is in its lowest and in its highest quarter."""
    wide = ends.assign(width=(ends["high"] - ends["low"]).abs()).sort_values("width", ascending=False).head(MOST)
    labels = [named["labels"][p] for p in wide["parameter"]]
    middle = named["mean"]

    def paint(figure: FigureBase, width: float, tall: float) -> None:
        left = min(4.6, max(text_width(label, 10.5) for label in labels) + 0.25)
        ax = place_axes(figure, width, tall, left, 0.6, width - left - 0.5, tall - 0.95)
        _rows(ax, labels)
        for k, row in enumerate(wide.itertuples()):
            y = len(labels) - 1 - k
            both = [(row.low - middle, TEAL), (row.high - middle, BLUE)]
            for length, colour in sorted(both, key=lambda bar: -abs(bar[0])):  # the shorter in front, if they go one way
                ax.barh(y, length, 0.62, left=middle, color=colour)
        ax.axvline(middle, color=GREY, lw=1.1)
        write(ax, 0, 1, "lowest quarter", 10, "#15706A", True, va="bottom", transform="axes fraction", dy=3)
        write(ax, 0, 1, "highest quarter", 10, BLUE, True, va="bottom", transform="axes fraction", dy=3, dx=105)
        ax.set_xlabel(f"mean of {named['title']}, {named['unit']}")

    row = wide.iloc[0]
    moves = f"{labels[0]}: {say.signed(row['low'], 2)} in its lowest quarter, {say.signed(row['high'], 2)} in its highest"
    return Chart(
        name=f"{named['method']}-tornado", question="Which way?", headline=moves,
        subtitle=f"Mean of {named['title']} ({named['unit']}) over the runs in which a number is in its lowest or its highest "
        "quarter.",
        source=named["source"], limits="Bars hold the chance of which other values fell into a quarter; small ones mean little.",
        paint=paint, height=1.2 + ROW * len(wide), alt=f"Tornado chart. {moves}.", data=wide,
    )  # fmt: skip


def plane(table: pd.DataFrame, named: dict[str, Any]) -> Chart:
    """Return Morris's plane: how large an effect is against how much it varies."""
    wide = table[table["index"].isin(["mu_star", "sigma"])].pivot_table(index="parameter", columns="index", values="value")
    wide = wide.drop(index="dummy", errors="ignore").sort_values("mu_star", ascending=False)
    told = table[table["index"] == "mu_star"].set_index("parameter")["told"]

    def paint(figure: FigureBase, width: float, tall: float) -> None:
        ax = place_axes(figure, width, tall, 0.85, 0.65, width - 3.4, tall - 0.9)
        for name, row in wide.iterrows():
            colour = ORANGE if name == "seed" else BLUE
            ax.plot(row["mu_star"], row["sigma"], "o", ms=7, mfc=colour if told[name] else "white", mec=colour, mew=1.4)
        most = float(max(wide["mu_star"].max(), 1e-12))
        ax.plot([0, most], [0, most], color=MUTED, lw=1, dashes=(4, 2.5))
        top = wide.head(8)
        low, high = ax.get_ylim()
        size = 0.21 / (tall - 0.9) * (high - low)
        right = ax.get_xlim()[1]
        for (name, row), at in zip(top.iterrows(), spread(list(top["sigma"]), [size] * len(top), low, high), strict=True):
            ax.plot([row["mu_star"], right], [row["sigma"], at], color=AXIS, lw=0.5, clip_on=False)
            write(ax, right, at, named["labels"][name], 9.5, ORANGE_TEXT if name == "seed" else BLUE, dx=4)
        ax.set_xlabel(f"mean size of its effect, {named['unit']}")
        ax.set_ylabel("how much its effect varies")

    best = named["labels"][next(name for name in wide.index if name != "seed")]
    return Chart(
        name=f"{named['method']}-plane", question="Large, and the same everywhere?",
        headline=f"{best} has the largest effect of what was varied",
        subtitle="Morris's plane: right is a large effect; above the dashed line it varies by more than its size, so it is no "
        "straight line or hangs on others. Hollow dots cannot be told from zero; orange is what another seed alone does.",
        source=named["source"], limits=LIMITS, paint=paint, height=4.4,
        alt=f"Scatter of mean effect against its spread; {best} is first.",
        data=wide.reset_index(),
    )  # fmt: skip


def pair_map(pairs: pd.DataFrame, named: dict[str, Any]) -> Chart:
    """Return the heat map of second-order indices of a surrogate."""
    order = list(pairs[pairs["index"] == "ST"].sort_values("value", ascending=False)["parameter"].head(10))
    grid = pd.DataFrame(np.nan, index=order, columns=order)
    for row in pairs[pairs["index"] == "S2"].itertuples():
        if row.parameter in order and row.other in order:
            one, other = sorted((row.parameter, row.other), key=order.index)
            grid.loc[other, one] = max(row.value, 0.0)
    labels = [named["labels"][p] for p in order]
    most = max(float(np.nanmax(grid.to_numpy())), 0.01)

    def paint(figure: FigureBase, width: float, tall: float) -> None:
        import matplotlib

        colours = matplotlib.colormaps["Blues"]
        left = min(4.0, max(text_width(label, 10) for label in labels) + 0.2)
        ax = place_axes(figure, width, tall, left, 0.9, width - left - 0.6, tall - 1.05)
        ax.grid(False)
        shown = grid.to_numpy(float)
        ax.imshow(np.ma.masked_invalid(shown), cmap=colours, vmin=0, vmax=most, aspect="auto")
        ax.set_yticks(range(len(labels)), labels, size=10)
        ax.set_xticks(range(len(labels)), [label.split(".")[-1][:14] for label in labels], size=9, rotation=30, ha="right")
        for i, j in np.ndindex(shown.shape):
            if np.isfinite(shown[i, j]):
                back = matplotlib.colors.to_hex(colours(shown[i, j] / most))
                write(ax, j, i, f"{shown[i, j]:.2f}", 9.5, text_on(back), ha="center")

    two = pairs[pairs["index"] == "S2"].sort_values("value", ascending=False).iloc[0]
    headline = (
        f"{named['labels'][two['parameter']]} and {named['labels'][two['other']]} act together most: "
        f"{100 * max(two['value'], 0):.0f}% of what is not chance"
    )
    return Chart(
        name=f"{named['method']}-pairs", question="What acts together?", headline=headline,
        subtitle=f"Share of the variance that two numbers have only together, from a surrogate. {named['emulator']}",
        source=named["source"], limits="A surrogate smooths: interactions of a few hundredths may be its own error.", paint=paint,
        height=1.4 + 0.36 * len(order), alt=f"Heat map of pairs. {headline}.", data=pairs[pairs["index"] == "S2"],
    )  # fmt: skip


def over_time(table: pd.DataFrame, index: str, named: dict[str, Any]) -> Chart:
    """Return the index of the leading factors, and of chance, by year."""
    rows = table[(table["index"] == index) & (table["parameter"] != "dummy")]
    last = rows[rows["year"] == rows["year"].max()].sort_values("value", ascending=False)
    lead = list(last[last["parameter"] != "seed"]["parameter"].head(5)) + (["seed"] if "seed" in set(last["parameter"]) else [])
    lines = {p: rows[rows["parameter"] == p].sort_values("year") for p in lead}

    def paint(figure: FigureBase, width: float, tall: float) -> None:
        room = min(3.0, max(text_width(named["labels"][p], 10) for p in lead) + 0.3)
        ax = place_axes(figure, width, tall, 0.85, 0.65, width - 1.05 - room, tall - 0.85)
        colours = {p: GREY if p == "seed" else c for p, c in zip(lead, (*COLOURS, GREY), strict=False)}
        for p, line in lines.items():
            if p in (lead[0], "seed"):
                band = line["low"].clip(lower=0), line["high"].clip(lower=0)
                ax.fill_between(line["year"], *band, color=colours[p], alpha=0.12, lw=0)
            ax.plot(
                line["year"], line["value"].clip(lower=0), color=colours[p], lw=2, dashes=(4, 2) if p == "seed" else (None, None)
            )
        ax.set_ylim(bottom=0)
        low, high = ax.get_ylim()
        at = spread(
            [float(max(lines[p]["value"].iloc[-1], 0)) for p in lead], [0.22 / (tall - 0.85) * high] * len(lead), low, high
        )
        right = ax.get_xlim()[1]
        for p, y in zip(lead, at, strict=True):
            write(ax, right, y, named["labels"][p], 10, ORANGE_TEXT if colours[p] == ORANGE else colours[p], True, dx=6)
        ax.set_xlabel("year of the policy period")
        ax.set_ylabel(named["unit"] if index == "mu_star" else "share of variance" if index in ("ST", "S1", "bound") else index)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))

    first = rows[rows["year"] == rows["year"].min()].sort_values("value", ascending=False)
    then = first[first["parameter"] != "seed"]["parameter"].iloc[0]
    same = then == lead[0]
    leader = named["labels"][lead[0]]
    headline = f"{leader} leads " + (
        "from the first year to the last" if same else f"in the end, {named['labels'][then]} at first"
    )
    return Chart(
        name=f"{named['method']}-years", question="When?", headline=headline,
        subtitle=f"{MEANT[index].capitalize()}, by year; dashed is chance; bands are 95% intervals of it and of the leader.",
        source=named["source"], limits=LIMITS, paint=paint, height=4.0, alt=f"Line chart of the index by year. {headline}.",
        data=pd.concat(lines.values())[["parameter", "year", "value", "low", "high"]],
    )  # fmt: skip
