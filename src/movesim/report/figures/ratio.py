"""Gap and ratio side by side, so that nobody picks the measure that flatters."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import FigureBase

from movesim.report import say
from movesim.report.facts import Facts
from movesim.report.style import (
    AXIS,
    BLUE,
    GREY,
    INK,
    ORANGE,
    SUB,
    Chart,
    dot,
    nice_step,
    place_axes,
    row_axes,
    wrap,
    write,
)

PANELS = (
    ("absolute", "Gap, points", 1),
    ("sii", "Slope index, points", 1),
    ("relative", "Ratio", 2),
    ("rii", "Relative index", 2),
)


def ladder_rows(facts: Facts, measure: str, digits: int) -> tuple[float, list[dict]] | None:
    """Return the level with no change and, per option, the level and range: baseline plus the paired difference."""
    found, rows = None, []
    for option in facts.numbers["options"]:
        change = facts.result.change(option["name"], "inactive", measure)
        if change is None:
            return None
        found = say.rounded(change.baseline, digits)
        row = {"title": option["title"], "name": option["name"], "change": say.rounded(change.difference, digits)}
        row["value"] = say.rounded(found + row["change"], digits)
        row["low"], row["high"] = (found + change.low, found + change.high) if change.ranged else (None, None)
        row["falls"] = change.ranged and change.high < 0
        row["rises"] = change.ranged and change.low > 0
        rows.append(row)
    return (found, rows) if found is not None else None


def equity_ladder(facts: Facts) -> Chart | str:
    """Return four aligned dot plots: absolute gap, slope index, ratio and relative index, each against no change."""
    n, focus, year = facts.numbers, facts.focus, facts.year
    panels = []
    for measure, title, digits in PANELS:
        found = ladder_rows(facts, measure, digits)
        if found is not None:
            panels.append((title, digits, measure, found))
    if not panels:
        return "Gap and ratio are not drawn: the comparison table holds neither for adults by deprivation tenth."
    count = len(n["options"])

    def paint(figure: FigureBase, width: float, height: float) -> None:
        left, gap = 1.95, 0.3
        each = (width - left - 0.25 - gap * (len(panels) - 1)) / len(panels)
        for p, (title, digits, measure, (base, rows)) in enumerate(panels):
            ax = place_axes(figure, width, height, left + p * (each + gap), 0.62, each, height - 1.2)
            row_axes(ax, count)
            floor = 0.0 if measure in ("absolute", "sii") else 1.0
            top = max([base, *[r["high"] if r["high"] is not None else r["value"] for r in rows]])
            top = floor + (top - floor) * 1.12
            bottom = min([floor, *[r["low"] if r["low"] is not None else r["value"] for r in rows]])
            ax.set_xlim(bottom, top)
            step = nice_step(top - bottom, 3)
            ticks = [floor + k * step for k in range(-20, 40) if bottom - 1e-9 <= floor + k * step <= top]
            ax.set_xticks(ticks, [f"{t:g}".replace("-", "\u2212") for t in ticks])
            ax.axvline(base, color=GREY, lw=1.6, dashes=(4, 2.5), zorder=1)
            write(ax, 0, 1, title, bold=True, transform="axes fraction", dy=30)
            write(
                ax,
                base,
                1,
                f"no change {say.plain(base, digits)}",
                size=10,
                color=GREY,
                transform=("data", "axes fraction"),
                ha="right",
                dy=10,
                dx=6,
            )
            for k, row in enumerate(rows):
                colour = BLUE if row["name"] == focus["name"] else ORANGE if row["rises"] else AXIS
                band = None if row["low"] is None else (row["low"], row["high"])
                dot(
                    ax,
                    row["value"],
                    k,
                    band,
                    None,
                    colour,
                    fill=colour if row["falls"] or row["rises"] else "white",
                    marker="D" if row["rises"] else "o",
                    size=7.5,
                )
                text = say.plain(row["value"], digits) + (" WIDER" if row["rises"] else "")
                write(
                    ax,
                    row["value"],
                    k,
                    text,
                    ha="center" if not row["rises"] else "right",
                    va="bottom",
                    dy=7,
                    size=10.5,
                    bold=row["name"] == focus["name"],
                    color=INK,
                    halo=True,
                )
                if p == 0:
                    strong = row["name"] == focus["name"]
                    write(
                        ax,
                        0,
                        k,
                        wrap(row["title"], 1.7, 11, strong),
                        ha="right",
                        transform=("axes fraction", "data"),
                        dx=-10,
                        color=BLUE if strong else INK,
                        bold=strong,
                        size=11,
                    )
            note = "0 = no gap" if floor == 0 else "1 = no gap"
            write(ax, floor, 0, note, size=9.5, color=SUB, transform=("data", "axes fraction"), dy=-32)

    own = {measure: next(r for r in rows if r["name"] == focus["name"]) for _, _, measure, (_, rows) in panels}
    data = []
    for title, digits, _, (base, rows) in panels:
        for row in rows:
            entry = {"Measure": title, "Option": row["title"], "No change": base, "With the option": row["value"]}
            entry["Change"] = row["change"]
            if row["low"] is not None:
                entry |= {
                    "9 in 10 runs, low": say.rounded(row["low"], digits),
                    "9 in 10 runs, high": say.rounded(row["high"], digits),
                }
            data.append(entry)
    words = "; ".join(
        f"{title.split(',')[0].lower()} {say.plain(base, digits)} with no change and "
        f"{say.plain(own[measure]['value'], digits)} with "
        f"{focus['title']}"
        for title, digits, measure, (base, _) in panels
    )
    return Chart(
        name="gap-and-ratio",
        question="Do the gap and the ratio tell the same story?",
        headline=_headline(own, focus["title"], n["few"]),
        subtitle=f"Inequality in adult inactivity by deprivation under each option and with no change (dashed), {year}",
        source=f"{facts.source} Gap and ratio: tenth 1 against tenth 10. Slope and relative index use all ten tenths. "
        f"{facts.pairs_in_words}"
        + ("" if n["few"] else " Bars: 9 in 10 runs of the paired difference; filled: the range leaves out no change."),
        alt=f"Four dot plots of inequality in adult inactivity in {year}, by option. {words[:1].upper()}{words[1:]}.",
        data=pd.DataFrame(data),
        limits="levels: a gap or a ratio can shrink while everybody becomes less active.",
        paint=paint,
        height=1.75 + 0.62 * max(count, 2),
    )


def _headline(own: dict[str, dict], title: str, few: bool) -> str:
    gap = own.get("sii") or own.get("absolute")
    ratio = own.get("rii") or own.get("relative")
    if not gap or not ratio:
        return f"Inequality with no change and with {title}"
    if few:
        return "Gap and ratio in these few runs, without ranges"
    if gap["falls"] and ratio["falls"]:
        return f"Both the gap and the ratio fall under {title}"
    if gap["falls"]:
        return f"The gap falls under {title} but the ratio {'rises' if ratio['rises'] else 'does not clearly fall'}"
    if gap["rises"] or ratio["rises"]:
        both = (
            "The gap and the ratio both rise"
            if gap["rises"] and ratio["rises"]
            else ("The gap rises" if gap["rises"] else "The ratio rises")
        )
        return f"{both} under {title}"
    return (
        f"Neither the gap nor the ratio clearly changes under {title}"
        if not ratio["falls"]
        else f"Only the ratio falls under {title}"
    )
