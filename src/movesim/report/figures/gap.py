"""The gap over time, and what each option changes about it."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import FigureBase

from movesim.report import say
from movesim.report.facts import Facts
from movesim.report.style import (
    AXIS,
    BLUE,
    GREY,
    INK,
    SUB,
    Chart,
    change_axis,
    dot,
    nice_step,
    nice_top,
    place_axes,
    row_axes,
    spread,
    wrap,
    write,
)
from movesim.report.tables import Change

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def fans(facts: Facts) -> pd.DataFrame:
    """Return the headline gap by option and year in points: the middle run, half of runs and 9 in 10 runs.

    The middle of an option is the middle of no change plus the middle paired difference, so that printed numbers add up.
    """
    gaps = facts.result.tables["gaps"]
    gaps = gaps[
        (gaps["age_group"] == "adult")
        & (gaps["axis"] == "imd_decile")
        & (gaps["outcome"] == "inactive")
        & (gaps["measure"] == "sii")
        & (gaps["week"] >= 0)
    ]
    wide = 100 * gaps.groupby(["scenario", "week"])["value"].quantile(list(QUANTILES)).unstack()  # noqa: PD010
    base = facts.result.baseline["name"]
    rows = []
    for scenario in facts.result.manifest["scenarios"]:
        for week in facts.result.weeks():
            if (scenario["name"], week) not in wide.index:
                continue
            low, low50, middle, high50, high = wide.loc[(scenario["name"], week)]
            change = None if scenario["name"] == base else facts.result.change(scenario["name"], "inactive", "sii", week=week)
            if scenario["name"] != base:
                middle = say.rounded(wide.loc[(base, week), 0.5]) + say.rounded(change.difference if change else 0.0)
            rows.append(
                (scenario["name"], scenario["title"], facts.result.year_of(week), middle, low, low50, high50, high, change)
            )
    columns = ["name", "title", "year", "middle", "low", "low50", "high50", "high", "change"]
    return pd.DataFrame(rows, columns=columns)


def gap_over_time(facts: Facts) -> Chart:
    """Return the chart of the gap by year, no change beside the option in focus, and the paired differences of all options.

    facts: a result and its numbers. Bands are half of runs and 9 in 10 runs; with too few pairs only lines are drawn.
    """
    n, focus, year = facts.numbers, facts.focus, facts.year
    fan = fans(facts)
    one = len(n["options"]) == 1

    def paint(figure: FigureBase, width: float, height: float) -> None:
        # Left: levels.
        ax = place_axes(figure, width, height, 0.5, 0.42, 4.15, height - 0.82)
        write(ax, 0, 1, "The gap over time, points", bold=True, transform="axes fraction", dy=18)
        shown = fan[fan["name"].isin([n["baseline"]["name"], focus["name"]])]
        edge = shown["middle"] if n["few"] else shown["high"]
        top = nice_top(1.08 * edge.max())
        for name, colour, dashes in ((n["baseline"]["name"], GREY, (5, 2)), (focus["name"], BLUE, (None, None))):
            rows = fan[fan["name"] == name]
            x = rows["year"].to_numpy()
            if not n["few"]:
                ax.fill_between(x, rows["low"], rows["high"], color=colour, alpha=0.13, lw=0)
                ax.fill_between(x, rows["low50"], rows["high50"], color=colour, alpha=0.26, lw=0)
                for end in ("low", "high"):
                    ax.plot(x, rows[end], color=colour, lw=0.8)
            ax.plot(x, rows["middle"], color=colour, lw=2.8, dashes=dashes, solid_capstyle="butt", zorder=3)
        ax.set_ylim(0, top)
        marks = np.arange(0, top + 1e-9, nice_step(top, 5))
        ax.set_yticks(marks, [f"{mark:g}" for mark in marks])
        years = sorted(fan["year"].unique())
        ax.set_xlim(years[0], years[-1])
        step = max(1, round(len(years) / 5.5))
        ax.set_xticks(sorted(set(years[::-1][::step])))
        _end_labels(ax, facts, top, height - 0.82)
        if not n["few"] and len(years) > 3:
            _name_the_bands(ax, fan, facts, top, years)
        # Right: paired differences.
        _differences(figure, facts, width, height)

    ends = f"{say.signed(focus['low'])} to {say.signed(focus['high'])}" if focus["low"] is not None else None
    others = [
        f"{o['title']} {say.signed(o['change'])}" + ("" if o["low"] is None else f" ({say.span(o['low'], o['high'])})")
        for o in n["options"]
    ]
    alt = (
        f"Line chart of the gap in adult inactivity by deprivation, {n['first_year']} to {year}, beside a dot plot of paired "
        f"differences from no change. With no change the gap is {say.plain(n['baseline']['gap'])} points in {year}; with "
        f"{focus['title']} it is {say.plain(focus['gap'])}. Change in points in {year}: {'; '.join(others)}. "
        + (f"For {focus['title']} 9 in 10 runs lie between {ends.replace(' to ', ' and ')}." if ends else "Ranges are not shown.")
    )
    return Chart(
        name="gap-over-time",
        question="Does the gap close, and by when?",
        headline=_headline(facts),
        subtitle=f"Gap in adult inactivity (slope index, most against least deprived), percentage points, "
        f"{n['first_year']} to {year}",
        source=f"{facts.source} {facts.pairs_in_words} So differences (right) are known more precisely than levels (left).",
        alt=alt,
        data=_data(facts, fan),
        limits="whether the model is built right: bands hold chance and uncertain settings only.",
        paint=paint,
        height=4.3 if not one else 4.0,
    )


def _headline(facts: Facts) -> str:
    n, focus, year = facts.numbers, facts.focus, facts.year
    start = n["baseline"]["gap_at_start"]
    drift = 0 if start is None else n["baseline"]["gap"] - start
    alone = "; with no change it grows" if drift >= 0.5 else "; with no change it shrinks too" if drift <= -0.5 else ""
    size = say.plain(abs(focus["change"]))
    if n["few"]:
        return f"{focus['title']}: {say.signed(focus['change'])} points on the gap by {year}, in {n['pairs']} paired runs only"
    if focus["clear"]:
        return f"{focus['title']} narrows the gap by {size} points by {year}{alone}"
    if focus["widens"]:
        return (
            f"{focus['title']} WIDENS the gap by {size} points by {year}{'; it grows with no change too' if drift >= 0.5 else ''}"
        )
    return f"{focus['title']} does not clearly change the gap by {year}"


def _end_labels(ax, facts: Facts, top: float, inches: float) -> None:  # type: ignore[no-untyped-def]
    n, focus = facts.numbers, facts.focus
    labels = []
    for title, value, colour in (
        (n["baseline"]["title"], n["baseline"]["gap"], GREY),
        (focus["title"], focus["gap"], BLUE),
    ):
        labels.append(([*wrap(title, 1.25, 11.5, True), say.plain(value)], value, colour))
    per_line = 11.5 * 1.22 / 72 / inches * top
    sizes = [(len(lines) + 0.3) * per_line for lines, _, _ in labels]
    for (lines, _, colour), centre in zip(labels, spread([v for _, v, _ in labels], sizes, 0, top * 1.06)):
        write(ax, facts.year, centre, lines, color=colour, bold=True, dx=7)


def _name_the_bands(ax, fan: pd.DataFrame, facts: Facts, top: float, years: list[int]) -> None:  # type: ignore[no-untyped-def]
    names = [facts.numbers["baseline"]["name"], facts.focus["name"]]
    at = {name: fan[fan["name"] == name].set_index("year") for name in names}
    middle = years[len(years) // 2]
    upper, lower = sorted(names, key=lambda name: -at[name].loc[middle, "middle"])
    x = years[int(0.6 * (len(years) - 1))]
    line = {"arrowstyle": "-", "color": AXIS, "lw": 0.9, "shrinkA": 0, "shrinkB": 0}
    y = at[upper].loc[x, "high"]
    ax.annotate(
        "9 in 10 runs",
        (x, y),
        (years[int(0.38 * (len(years) - 1))], min(y + 0.11 * top, 0.97 * top)),
        color=SUB,
        size=10,
        ha="center",
        va="bottom",
        arrowprops={**line, "relpos": (0.75, 0)},
    )
    y = at[lower].loc[x, "low50"]
    below = max(at[lower].loc[x, "low"] - 0.13 * top, 0.07 * top)
    ax.annotate(
        "half of runs",
        (x, y),
        (years[int(0.38 * (len(years) - 1))], below),
        color=SUB,
        size=10,
        ha="center",
        va="top",
        arrowprops={**line, "relpos": (0.75, 1)},
    )


def _differences(figure: FigureBase, facts: Facts, width: float, height: float) -> None:
    n, focus = facts.numbers, facts.focus
    rows: list[tuple[str, Change, bool]] = []
    if len(n["options"]) == 1:
        years = [facts.result.year_of(week) for week in facts.result.weeks()][1:]
        step = max(1, -(-len(years) // 5))
        for year in sorted(years[::-1][::step]):
            week = (year - facts.result.year_of(0)) * 52
            rows.append((str(year), facts.result.gap_change(focus["name"], week=week), year == facts.year))
        title = "Difference from no change, by year"
    else:
        for option in sorted(n["options"], key=lambda o: o["change"]):
            rows.append((option["title"], facts.result.gap_change(option["name"]), option["name"] == focus["name"]))
        title = f"Difference from no change in {facts.year}"
    ax = place_axes(figure, width, height, 7.3, 0.42, 1.95, height - 0.82)
    row_axes(ax, len(rows), grid=False)
    ax.set_ylim(len(rows) - 0.25, -0.55)
    lines = wrap(title, 3.1, 11.5, True)
    write(ax, 1, 1, lines, bold=True, ha="right", va="bottom", transform="axes fraction", dy=11)
    ends = np.array([[c.low, c.high] if c.ranged else [c.difference, c.difference] for _, c, _ in rows])
    change_axis(ax, ends.min(), ends.max(), 5)
    size = 11 if len(rows) <= 5 else 9  # of names, which may take three lines
    for k, (label, change, strong) in enumerate(rows):
        colour = BLUE if strong else AXIS
        band = (change.low, change.high) if change.ranged else None
        half = (change.low50, change.high50) if change.ranged else None
        dot(ax, change.difference, k, band, half, colour)
        words = say.signed(change.difference)
        write(ax, change.difference, k, words, color=colour, bold=True, ha="center", va="bottom", size=11, dy=7, halo=True)
        write(
            ax,
            0,
            k,
            wrap(label, 1.32, size, strong),
            color=BLUE if strong else INK,
            bold=strong,
            ha="right",
            size=size,
            dx=-8,
            transform=("axes fraction", "data"),
        )
    write(ax, 0, 0, "narrower \u2190", size=10, color=SUB, ha="right", transform=("data", "axes fraction"), dx=-4, dy=8)
    write(ax, 0, 0, "\u2192 wider", size=10, color=SUB, transform=("data", "axes fraction"), dx=4, dy=8)


def _data(facts: Facts, fan: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for row in fan.itertuples():
        few = facts.numbers["few"]
        change = row.change
        entry = {"Option": row.title, "Year": row.year, "Gap, points": say.rounded(row.middle)}
        if not few:
            entry |= {"9 in 10 runs, low": say.rounded(row.low), "9 in 10 runs, high": say.rounded(row.high)}
        entry["Change from no change"] = say.rounded(change.difference) if change else None
        if not few:
            entry |= {
                "Change, low": say.rounded(change.low) if change else None,
                "Change, high": say.rounded(change.high) if change else None,
            }
        rows.append(entry)
    return pd.DataFrame(rows)
