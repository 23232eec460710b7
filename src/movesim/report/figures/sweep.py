"""An outcome's change against one or two of the numbers that were swept."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import FigureBase
from matplotlib.ticker import MaxNLocator

from movesim.report import say
from movesim.report.style import (
    AXIS,
    BLUE,
    GREY,
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
)

COLOURS = (BLUE, ORANGE, TEAL, PINK, PURPLE, GREY)
FEW = 12  # different values up to which a number is drawn as a grid
BINS = 10
LIMITS = "It holds chance and the uncertain settings that were not swept; it does not say which value is right."


def _source(table: pd.DataFrame, named: dict[str, str]) -> str:
    points, pairs = say.count(len(table["point"].unique()), "point"), say.count(int(table["pairs"].min()), "pair")
    return f"Source: movesim, {named['place']}. {points}, {pairs} of runs at each; every point shares its draws with no change."


def _number(value: float) -> str:
    return f"{value:.4g}".replace("-", say.MINUS)


def _curve(rows: pd.DataFrame, x: str) -> pd.DataFrame:
    """Return the mean change by value of x: by each value when there are few, else by tenths of the points."""
    values = rows[x].to_numpy(float)
    by = values if len(np.unique(values)) <= 2 * FEW else pd.qcut(values, BINS, labels=False)
    columns = {"x": (x, "mean"), "change": ("change", "mean"), "low": ("low", "mean"), "high": ("high", "mean")}
    return rows.dropna(subset=x).groupby(pd.Series(by, rows.index).dropna()).agg(**columns).sort_values("x")


def against_one(table: pd.DataFrame, x: str, swept: list[str], titles: dict[str, str], named: dict[str, str]) -> Chart:
    """Return the chart of a change against one number: a line through the means, a band that holds 9 in 10 runs."""
    table = table.dropna(subset=x)
    curves = {str(name): _curve(rows, x) for name, rows in table.groupby("scenario", sort=False)}
    alone = len(swept) == 1
    banded = alone and int(table["pairs"].min()) >= 2

    def paint(figure: FigureBase, width: float, height: float) -> None:
        names = [titles[name] for name in curves]
        room = min(2.6, max(text_width(name, 10.5) for name in names) + 0.35)
        ax = place_axes(figure, width, height, 0.85, 0.75, width - 1.05 - room, height - 1.0)
        ends = []
        for (name, curve), colour in zip(curves.items(), COLOURS * 9):
            if banded:
                ax.fill_between(curve["x"], curve["low"], curve["high"], color=colour, alpha=0.16, lw=0)
            rows = table[table["scenario"] == name]
            if not alone or len(rows) > 2 * FEW:
                ax.plot(rows[x], rows["change"], "o", ms=3.2, color=colour, alpha=0.45, mew=0)
            ax.plot(curve["x"], curve["change"], color=colour, marker="o" if len(curve) <= FEW else "", ms=6, mfc="white", mew=2)
            ends.append(float(curve["change"].iloc[-1]))
        ax.axhline(0, color=GREY, lw=1.2, dashes=(4, 2.5), zorder=1)
        low, high = ax.get_ylim()
        ax.set_ylim(min(low, 0 - 0.05 * (high - low)), max(high, 0.05 * (high - low)))
        low, high = ax.get_ylim()
        size = 0.24 / (height - 1.0) * (high - low)
        placed = spread(ends, [size] * len(ends), low, high)
        right = ax.get_xlim()[1]
        for label, at, colour in zip(names, placed, COLOURS * 9):
            write(ax, right, at, label, 10.5, ORANGE_TEXT if colour == ORANGE else colour, True, dx=8)
        ax.set_xlabel(x)
        ax.xaxis.set_major_locator(MaxNLocator(7))
        ax.yaxis.set_major_formatter(lambda value, _: "0" if abs(value) < 1e-12 else f"{value:+.4g}".replace("-", say.MINUS))

    steep = {name: float(curve["change"].iloc[-1] - curve["change"].iloc[0]) for name, curve in curves.items()}
    name = max(steep, key=lambda each: abs(steep[each]))
    curve = curves[name]
    first, last = curve.iloc[0], curve.iloc[-1]
    moves = (
        f"{titles[name]}: {say.signed(first['change'], 2)} at {_number(first['x'])}, {say.signed(last['change'], 2)} at "
        f"{_number(last['x'])}"
    )
    band = " The band holds 9 in 10 runs." if banded else " The line joins means; dots are points, which differ in other numbers."
    return Chart(
        name=f"sweep-{x}", question=f"How does {x} matter?", headline=moves,
        subtitle=f"Change of {named['outcome']} from no change, {named['unit']}, against {x}.{band}",
        source=_source(table, named), limits=LIMITS, paint=paint, height=4.3,
        alt=f"Line chart of the change of {named['outcome']} ({named['unit']}) against {x}. {moves}.",
        data=pd.concat([c.assign(scenario=n) for n, c in curves.items()])[["scenario", "x", "change", "low", "high"]],
    )  # fmt: skip


def against_two(table: pd.DataFrame, x: str, y: str, title: str, named: dict[str, str]) -> Chart:
    """Return the chart of a change against two numbers: tiles where both have few values, coloured dots elsewhere."""
    table = table.dropna(subset=[x, y])
    grid = table.pivot_table(index=y, columns=x, values="change", aggfunc="mean").sort_index(ascending=True)
    tiled = max(grid.shape) <= FEW
    most = max(float(table["change"].abs().max()), 1e-9)

    def paint(figure: FigureBase, width: float, height: float) -> None:
        import matplotlib

        colours = matplotlib.colormaps["PuOr"]
        ax = place_axes(figure, width, height, 1.1, 0.75, width - 2.6, height - 1.0)
        bar = place_axes(figure, width, height, width - 1.3, 0.75, 0.18, height - 1.0)
        ax.grid(False)
        if tiled:
            shown = grid.to_numpy(float)
            image: Any = ax.imshow(shown, cmap=colours, vmin=-most, vmax=most, origin="lower", aspect="auto")
            ax.set_xticks(range(grid.shape[1]), [_number(v) for v in grid.columns])
            ax.set_yticks(range(grid.shape[0]), [_number(v) for v in grid.index])
            for i, j in np.ndindex(shown.shape):
                if np.isfinite(shown[i, j]):
                    back = matplotlib.colors.to_hex(colours((shown[i, j] / most + 1) / 2))
                    write(ax, j, i, say.signed(shown[i, j], 2), 10, text_on(back), ha="center")
        else:
            image = ax.scatter(table[x], table[y], c=table["change"], cmap=colours, vmin=-most, vmax=most, s=46, ec=AXIS, lw=0.5)
            ax.xaxis.set_major_locator(MaxNLocator(7))
        ax.set_xlabel(x)
        ax.set_ylabel(y)
        figure.colorbar(image, cax=bar)
        bar.grid(False)
        bar.yaxis.set_major_formatter(lambda value, _: "0" if abs(value) < 1e-12 else f"{value:+.3g}".replace("-", say.MINUS))
        write(bar, 0, 1, named["unit"], 9.5, SUB, va="bottom", transform="axes fraction", dy=4)

    low, high = table.loc[table["change"].idxmin()], table.loc[table["change"].idxmax()]
    moves = (
        f"{title}: from {say.signed(low['change'], 2)} ({_number(low[x])}, {_number(low[y])}) to "
        f"{say.signed(high['change'], 2)} ({_number(high[x])}, {_number(high[y])})"
    )
    return Chart(
        name=f"sweep-{x}-{y}", question=f"How do {x} and {y} matter together?", headline=moves,
        subtitle=f"Change of {named['outcome']} from no change, {named['unit']}, by {x} and {y}.",
        source=_source(table, named), limits=LIMITS, paint=paint, height=4.6,
        alt=f"Change of {named['outcome']} ({named['unit']}) by {x} and {y}. {moves}.",
        data=table[[x, y, "change", "low", "high", "mc_error", "pairs"]],
    )  # fmt: skip
