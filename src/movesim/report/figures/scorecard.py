"""What the model said of figures it was never fitted to: predicted intervals, published points, misses as misses."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import FigureBase

from movesim.report import say
from movesim.report.figures.fit import number
from movesim.report.style import AXIS, BLUE, INK, ORANGE, ORANGE_TEXT, SUB, Chart, place_axes, row_axes, wrap, write

FARTHEST = 2.6  # half intervals from the middle at which a point is drawn as an arrow
BAND, HALF = "#DCE7F2", "#8DB9DD"
COLUMNS = {
    "meaning": "Figure", "observed": "Published", "low": "Predicted, 5%", "low50": "25%", "middle": "50%", "high50": "75%",
    "high": "95%", "verdict": "Verdict", "explanation": "Why it is missed", "ids": "Evidence",
}  # fmt: skip


def on_its_own_scale(rows: pd.DataFrame, what: str) -> np.ndarray:
    """Return a column with -1, 0 and 1 at the low end, the middle and the high end of each row's 90% interval."""
    low, middle, high = (rows[name].to_numpy(float) for name in ("low", "middle", "high"))
    x = rows[what].to_numpy(float)
    side = np.where(x < middle, middle - low, high - middle)
    return np.asarray((x - middle) / np.maximum(side, 1e-12))


def scorecard(section: str, title: str, table: pd.DataFrame) -> Chart | str:
    """Return the chart of one section's figures; a sentence when none of them is scored."""
    rows = table[(table["section"] == section) & (table["verdict"] != "skipped")]
    if not len(rows):
        return f"{title}: nothing of it is scored. {' '.join(dict.fromkeys(table.loc[table['section'] == section, 'skipped']))}"
    inside, half = int((rows["verdict"] != "MISS").sum()), int((rows["verdict"] == "inside 50%").sum())
    at, start, end = (on_its_own_scale(rows, what) for what in ("observed", "low50", "high50"))
    skipped = int((table["section"] == section).sum()) - len(rows)

    def paint(figure: FigureBase, width: float, height: float) -> None:
        ax = place_axes(figure, width, height, 4.25, 0.45, 3.1, height - 0.8)
        row_axes(ax, len(rows), grid=False)
        ax.set_xlim(-FARTHEST - 0.2, FARTHEST + 0.2)
        ax.axvspan(-1, 1, color=BAND, lw=0)
        ax.set_xticks([-1, 0, 1], ["5%", "50%", "95%"])
        ax.tick_params(axis="x", length=0)
        above = ("axes fraction", "axes fraction")
        write(ax, 1, 1, "published (predicted)", size=10, bold=True, transform=above, dx=8, dy=10)
        side = ("axes fraction", "data")
        for k, row in enumerate(rows.itertuples()):
            missed = row.verdict == "MISS"
            ax.plot([start[k], end[k]], [k, k], color=HALF, lw=7, solid_capstyle="butt", zorder=2)
            far = abs(at[k]) > FARTHEST
            mark = (">" if at[k] > 0 else "<") if far else "D" if missed else "o"
            colour = ORANGE if missed else BLUE
            ax.plot([np.clip(at[k], -FARTHEST, FARTHEST)], [k], mark, color=colour, ms=7.5, zorder=3)
            write(ax, 0, k, _cut(str(row.meaning)), ha="right", transform=side, dx=-8, size=9.5)
            text = f"{number(row.observed)} ({number(row.low)} to {number(row.high)})" + (" MISS" if missed else "")
            write(ax, 1, k, text, transform=side, dx=8, size=9.5, color=ORANGE_TEXT if missed else INK)
        ax.spines["bottom"].set_color(AXIS)
        write(ax, 0.5, 1, "90% interval of each figure", size=9.5, color=SUB, ha="center", transform=above, dy=10)

    missed = [str(m) for m in rows.loc[rows["verdict"] == "MISS", "meaning"]]
    why = [f"{r.meaning}: {r.explanation}" for r in rows.itertuples() if r.verdict == "MISS" and r.explanation]
    more = (f"{say.count(skipped, 'more figure is', 'more figures are')} not scored; the table says why.",) if skipped else ()
    return Chart(
        name=f"scorecard-{section}",
        question=title,
        headline=f"{inside} of {say.count(len(rows), 'figure')} inside the 90% interval, {half} inside the 50% interval",
        subtitle="Published figures (points) in the predicted interval of each: pale band 9 in 10, dark bar half",
        source="Round: inside. Diamond or arrow: a miss. The interval holds the ensemble, chance, and the figure's own error.",
        alt=f"{inside} of {len(rows)} published figures lie inside the model's 90% intervals. "
        + (f"Missed: {say.listed(missed[:8])}{' and others' if len(missed) > 8 else ''}." if missed else "None is missed."),
        data=rows[list(COLUMNS)].rename(columns=COLUMNS),
        limits="whether what interventions do is predicted as well; these are levels, differences and persistence.",
        paint=paint,
        height=max(1.9, 0.95 + 0.27 * len(rows)),
        sentences=(*(f"Missed: {line}" for line in why), *more),
    )  # fmt: skip


def _cut(text: str) -> str:
    lines = wrap(text.split(" (")[0], 4.05, 9.5)  # what stands in brackets is in the table
    return lines[0] + (" ..." if len(lines) > 1 else "")
