"""What a calibration learned: which numbers the targets narrow down, which they leave open, and how the targets are met."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import FigureBase

from movesim.report import say
from movesim.report.figures.fit import number
from movesim.report.style import AXIS, BLUE, GREY, INK, ORANGE, ORANGE_TEXT, SUB, Chart, place_axes, row_axes, write

MOST = 30
COLUMNS = {"path": "Number", "sd_ratio": "Posterior over prior sd", "status": "Status", "moved": "Moved (prior sd)"}


def learned(told: Mapping[str, Any]) -> Chart | str:
    """Return the chart of posterior against prior spread of the numbers that the targets say most of."""
    rows = sorted(told["identifiability"]["numbers"], key=lambda row: row["sd_ratio"])
    narrow, trades = [row for row in rows if row["sd_ratio"] < 0.9], told["identifiability"]["trade_offs"]
    if not narrow:
        return "The targets leave every number as open as its prior did."
    shown = narrow[:MOST]

    def paint(figure: FigureBase, width: float, height: float) -> None:
        ax = place_axes(figure, width, height, 3.3, 0.5, 5.2, height - 0.7)
        row_axes(ax, len(shown))
        ax.set_xlim(0, 1.02)
        ax.set_xticks([0, 0.25, 0.5, 0.75, 1.0], ["0", "0.25", "0.5", "0.75", "1: as wide as before"])
        ax.axvline(1, color=GREY, lw=1.2)
        for k, row in enumerate(shown):
            ax.plot([row["sd_ratio"], 1], [k, k], color="#8DB9DD", lw=4, solid_capstyle="butt", zorder=2)
            ax.plot([row["sd_ratio"]], [k], "o", color=BLUE, ms=7, zorder=3)
            write(ax, 0, k, row["path"], ha="right", transform=("axes fraction", "data"), dx=-8, size=9.5)
        ax.spines["bottom"].set_color(AXIS)

    still = len(rows) - len(narrow)
    return Chart(
        name="learned",
        question="Which numbers do the targets say something of?",
        headline=f"{len(narrow)} of {say.count(len(rows), 'number')} became narrower than nine tenths of their prior",
        subtitle="Standard deviation of the posterior over that of the prior, the narrowest first",
        source=f"Posterior of {told['draws']} draws, made by {told['command']}.",
        alt=f"Dots from 0 to 1 for {len(shown)} numbers; the narrowest is {shown[0]['path']} at {shown[0]['sd_ratio']:.2f}.",
        data=pd.DataFrame(rows).rename(columns=COLUMNS),
        limits=f"what was never asked: {still} numbers stay as open as before; questions that hang on them are not answered "
        "by this fit, and every study draws them from their whole range.",
        paint=paint,
        height=max(2.4, 0.9 + 0.24 * len(shown)),
        sentences=tuple(
            f"Trade-off: {t['one']} and {t['other']} (correlation {say.signed(t['correlation'], 2)})." for t in trades[:12]
        ),
    )


def met(told: Mapping[str, Any]) -> Chart:
    """Return the chart of the targets as the posterior meets them, in units of each target's spread."""
    rows = told["targets"]
    at = np.array([[(row[what] - row["published"]) / row["spread"] for what in ("low", "mean", "high")] for row in rows])

    def paint(figure: FigureBase, width: float, height: float) -> None:
        ax = place_axes(figure, width, height, 2.0, 0.45, 4.6, height - 0.8)
        row_axes(ax, len(rows), grid=False)
        ax.set_xlim(-6, 6)
        ax.axvspan(-1, 1, color="#EAF0F6", lw=0)
        ax.axvline(0, color=GREY, lw=1.4)
        ax.set_xticks([-4, -2, 0, 2, 4])
        side = ("axes fraction", "data")
        for k, row in enumerate(rows):
            good = row["inside"]
            colour = BLUE if good else ORANGE
            ax.plot(np.clip(at[k, [0, 2]], -6, 6), [k, k], color=colour, lw=2.2, solid_capstyle="butt", zorder=2)
            ax.plot([np.clip(at[k, 1], -5.9, 5.9)], [k], "o" if good else "D", color=colour, ms=6.5, zorder=3)
            held = "" if row["role"] == "fit" else " (held out)"
            write(ax, 0, k, row["name"].replace("_", " ") + held, ha="right", transform=side, dx=-8, size=9.5)
            text = f"{number(row['mean'])} ({number(row['published'])})" + ("" if good else " MISS")
            write(ax, 1, k, text, transform=side, dx=8, size=9.5, color=INK if good else ORANGE_TEXT)
        write(ax, 0.5, 1, "spreads from the published figure", size=9.5, color=SUB, ha="center",
              transform=("axes fraction", "axes fraction"), dy=10)  # fmt: skip
        ax.spines["bottom"].set_color(AXIS)

    fitted = [row for row in rows if row["role"] == "fit"]
    inside = sum(row["inside"] for row in fitted)
    close = sum(row["within_spread"] for row in fitted)
    return Chart(
        name="met",
        question="Are the targets met?",
        headline=f"{inside} of {say.count(len(fitted), 'fitted target')} inside the 90% interval of the posterior",
        subtitle="Posterior draws run on the model itself: mean and 90% interval, in spreads of each target",
        source="Band: one spread of the target. Right: the mean, and the published figure.",
        alt=f"{inside} of {len(fitted)} fitted targets lie inside; the mean of {close} is within the target's spread.",
        data=pd.DataFrame(rows).drop(columns=["stand_in"]),
        limits="how well figures are met that were not fitted; the scorecard of movesim validate does.",
        paint=paint,
        height=max(2.4, 0.9 + 0.24 * len(rows)),
    )
