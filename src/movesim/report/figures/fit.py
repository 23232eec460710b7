"""How the model compares with published figures."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import FigureBase

from movesim.report import say
from movesim.report.facts import Facts
from movesim.report.finding import fit_targets
from movesim.report.style import AXIS, BLUE, GREY, INK, ORANGE, ORANGE_TEXT, SUB, Chart, place_axes, row_axes, wrap, write

SHOWN = 24


def number(value: float) -> str:
    """Return a fitted number with three figures."""
    return f"{value:.3g}".replace("-", say.MINUS) if abs(value) < 1000 else f"{value:,.0f}"


def fit(facts: Facts) -> Chart | str:
    """Return the chart of fitted against published figures, each on the scale of its own range, misses first."""
    table = fit_targets(facts.result)
    if table.empty:
        return "This run was not compared with published figures: its manifest names no fit."
    shown = table.head(SHOWN)
    width_of = (shown["high"] - shown["low"]).to_numpy(dtype=float)
    half = np.where(width_of > 0, width_of / 2, np.maximum(np.abs(shown["target"].to_numpy(dtype=float)) * 0.01, 1e-9))
    centre = (shown["high"] + shown["low"]).to_numpy(dtype=float) / 2
    place = (shown["fitted"].to_numpy(dtype=float) - centre) / half
    aim = (shown["target"].to_numpy(dtype=float) - centre) / half

    def paint(figure: FigureBase, width: float, height: float) -> None:
        size = min(11.0, (height - 0.85) / len(shown) * 72 * 0.75)
        ax = place_axes(figure, width, height, 3.4, 0.45, 4.3, height - 0.8)
        row_axes(ax, len(shown), grid=False)
        ax.set_xlim(-2.4, 2.4)
        ax.axvspan(-1, 1, color="#EAF0F6", lw=0)
        ax.set_xticks([-1, 1], ["low end", "high end"])
        ax.tick_params(axis="x", length=0)
        write(
            ax,
            0.5,
            1,
            "accepted range of the published figure",
            size=10,
            color=SUB,
            ha="center",
            transform="axes fraction",
            dy=10,
        )
        at = ("axes fraction", "data")
        write(ax, 1, 1, "model (published)", size=10, bold=True, transform="axes fraction", dx=8, dy=10)
        for k, row in enumerate(shown.itertuples()):
            good = bool(row.within)
            colour = BLUE if good else ORANGE
            ax.plot([aim[k]] * 2, [k - 0.28, k + 0.28], color=GREY, lw=1.6, zorder=2)
            beyond = abs(place[k]) > 2.3
            marker = "o" if good else "D" if not beyond else ">" if place[k] > 0 else "<"
            ax.plot([np.clip(place[k], -2.3, 2.3)], [k], marker, color=colour, ms=8, zorder=3)
            write(ax, 0, k, wrap(str(row.name), 3.1, size)[:1], ha="right", transform=at, dx=-8, size=size)
            text = f"{number(row.fitted)} ({number(row.target)})" + ("" if good else " MISS")
            write(ax, 1, k, text, transform=at, dx=8, size=size, color=INK if good else ORANGE_TEXT)
        ax.spines["bottom"].set_color(AXIS)

    within = int(table["within"].sum())
    missed = [str(name) for name in table.loc[~table["within"].astype(bool), "name"]]
    data = table.rename(
        columns={
            "name": "Published figure",
            "target": "Published",
            "low": "Accepted, low",
            "high": "Accepted, high",
            "fitted": "Model",
        }
    )
    data["Within"] = np.where(data.pop("within").astype(bool), "yes", "MISS")
    return Chart(
        name="fit",
        question="Does the model match what is known?",
        headline=f"The model matches {within} of {say.count(len(table), 'published figure')}",
        subtitle="Model against published figures, each on the scale of its own accepted range, misses first",
        source=f"{facts.source} Upright mark: the published figure. Dot: the model. Diamond or arrow: outside the "
        "accepted range.",
        alt=f"Dot plot of {say.count(len(table), 'published figure')} and the model's values. {within} lie within the "
        "accepted range. "
        + (f"Missed: {say.listed(missed[:6])}{' and others' if len(missed) > 6 else ''}." if missed else "None is missed."),
        data=data,
        limits="whether the model predicts what an intervention does; matching today is not the same.",
        paint=paint,
        height=max(2.6, 0.9 + 0.26 * len(shown)),
        sentences=(f"{len(table) - SHOWN} more figures in the table only.",) if len(table) > SHOWN else (),
    )
