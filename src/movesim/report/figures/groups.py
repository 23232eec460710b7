"""Who gains and who loses: the paired change in inactivity by group of people."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import FigureBase

from movesim.report import labels, say
from movesim.report.facts import Facts
from movesim.report.figures.gradient import level_row
from movesim.report.style import (
    AXIS,
    BLUE,
    INK,
    ORANGE,
    ORANGE_TEXT,
    SUB,
    Chart,
    change_axis,
    dot,
    place_axes,
    row_axes,
    write,
)
from movesim.report.tables import ENOUGH_AGENTS, Change

LEFT = ("impairments", "ns_sec", "characteristics", "affluence")
RIGHT = ("age_band", "ethnic_group", "sex")


def group_changes(facts: Facts, option: str, axis: str) -> list[tuple[str, str, Change]]:
    """Return (age group, level, change in inactivity) for one axis: adults, and children for family affluence."""
    group = "child" if axis == "affluence" else "adult"
    rows = facts.result.tables["comparison"]
    rows = rows[
        (rows["scenario"] == option)
        & (rows["axis"] == axis)
        & (rows["age_group"] == group)
        & (rows["measure"] == "level")
        & (rows["outcome"] == "inactive")
        & (rows["week"] == facts.result.last_week)
    ]
    hidden = facts.result.small_groups
    found = []
    for level in labels.levels_of(axis, set(rows["level"])):
        change = facts.result.change(option, "inactive", "level", axis=axis, age_group=group, level=level)
        if change is not None and (group, axis, level) not in hidden:
            found.append((group, level, change))
    return found


def groups(facts: Facts) -> Chart | str:
    """Return the chart of the paired change in inactivity by group of people, for the option in focus, on one scale.

    Groups with under 100 simulated people are left out and named in a sentence.
    """
    n, focus, year = facts.numbers, facts.focus, facts.year
    columns = [[(axis, group_changes(facts, focus["name"], axis)) for axis in side] for side in (LEFT, RIGHT)]
    columns = [[(axis, rows) for axis, rows in side if rows] for side in columns]
    flat = [(axis, level, change) for side in columns for axis, rows in side for _, level, change in rows]
    if not flat:
        return "The groups are not drawn: the tables hold no group with enough simulated people."
    ends = [v for _, _, c in flat for v in ((c.low, c.high) if c.ranged else (c.difference,))]
    slots = max(sum(len(rows) + 1 for _, rows in side) + 0.35 * (len(side) - 1) for side in columns if side)

    def paint(figure: FigureBase, width: float, height: float) -> None:
        for side, left in zip(columns, (0.15, 4.95)):
            if not side:
                continue
            size = min(11.0, (height - 0.75) / slots * 72 * 0.74)
            ax = place_axes(figure, width, height, left + 1.95, 0.55, 1.65, height - 0.65)
            row_axes(ax, 1)
            ax.set_ylim(slots - 0.4, -0.5)
            change_axis(ax, min(ends), max(ends), 4)
            at = ("axes fraction", "data")
            y = 0.0
            for axis, rows in side:
                write(ax, 0, y, labels.AXIS_TITLES[axis], size=size, bold=True, transform=at, dx=-1.93 * 72)
                y += 1
                for _, level, change in rows:
                    _group_mark(ax, change, y)
                    write(ax, 0, y, labels.level(axis, level), size=size, ha="right", transform=at, dx=-6)
                    rises = _rises(change)
                    text = say.signed(change.difference) + (" worse" if rises else "")
                    write(ax, 1, y, text, size=size, color=ORANGE_TEXT if rises else INK, transform=at, dx=5)
                    y += 1
                y += 0.35
            write(ax, 0, 0, "better \u2190", size=10, color=SUB, ha="right", transform=("data", "axes fraction"), dx=-5, dy=-32)
            write(ax, 0, 0, "\u2192 worse", size=10, color=SUB, transform=("data", "axes fraction"), dx=5, dy=-32)

    least = max(flat, key=lambda row: row[2].difference)
    most = min(flat, key=lambda row: row[2].difference)
    worse = [labels.level_in_a_sentence(a, lv) for a, lv, c in flat if _rises(c)]
    unclear = sum(c.ranged and c.low <= 0 <= c.high for _, _, c in flat)
    alt = (
        f"Dot plot of the change in the share who are inactive in {year} under {focus['title']} against no change, in "
        "points, for "
        f"{len(flat)} groups. Most favourable: {labels.level_in_a_sentence(*most[:2])} ({say.signed(most[2].difference)}). Least "
        f"favourable: {labels.level_in_a_sentence(*least[:2])} ({say.signed(least[2].difference)}). "
        + (f"Inactivity clearly rises among {_first_few(worse)}. " if worse else "It clearly rises in no group. ")
        + (
            "Ranges are not shown."
            if n["few"]
            else f"In {say.count(unclear, 'group') if unclear else 'no group'} the 9 in 10 range includes no change."
        )
    )
    data = [
        {"Option": o["title"], "Group": labels.AXIS_TITLES[axis], "Level": labels.level(axis, level)} | level_row(change)
        for o in n["options"]
        for axis in (*LEFT, *RIGHT)
        for _, level, change in group_changes(facts, o["name"], axis)
    ]
    return Chart(
        name="groups",
        question="Who gains, and who loses?",
        headline=_groups_headline(flat, worse, focus["title"], n["few"]),
        subtitle=f"Change in the share who are inactive under {focus['title']} against no change, percentage points, {year}",
        source=f"{facts.source} {facts.pairs_in_words} Adults, except family affluence (children under 30 minutes a day)."
        + ("" if n["few"] else " Thin bar: 9 in 10 runs; thick bar: half of runs; hollow: the range includes no change."),
        alt=alt,
        data=pd.DataFrame(data),
        limits="people who belong to several groups at once, nor groups that the model does not hold.",
        paint=paint,
        height=max(4.2, 0.75 + 0.265 * slots),
        sentences=hidden_sentence(facts),
    )


def _first_few(names: list[str], most: int = 4) -> str:
    return say.listed(names) if len(names) <= most else f"{', '.join(names[:most])} and {len(names) - most} other groups"


def _rises(change: Change) -> bool:
    return change.difference > 0 and (change.low > 0 if change.ranged else change.probability == 0)


def _group_mark(ax, change: Change, y: float) -> None:  # type: ignore[no-untyped-def]
    rises = _rises(change)
    clear = rises or (change.high < 0 if change.ranged else False)
    colour = ORANGE if rises else BLUE if clear else AXIS
    band = (change.low, change.high) if change.ranged else None
    half = (change.low50, change.high50) if change.ranged else None
    dot(ax, change.difference, y, band, half, colour, fill=colour if clear else "white", marker="D" if rises else "o", size=7)


def _groups_headline(flat: list[tuple[str, str, Change]], worse: list[str], title: str, few: bool) -> str:
    if len(worse) > 2:
        return f"{title} leaves {len(worse)} of {len(flat)} groups more inactive"
    if worse:
        return f"{title} leaves {say.listed(worse)} more inactive"
    adults = [row for row in flat if row[0] in ("impairments", "ns_sec", "ethnic_group", "sex", "age_band", "characteristics")]
    most, least = min(adults, key=lambda r: r[2].difference), max(adults, key=lambda r: r[2].difference)
    if few:
        return f"In these few runs the fall is largest for {labels.level_in_a_sentence(*most[:2])}"
    if most[2].high < least[2].low:
        return f"The gain is smallest for {labels.level_in_a_sentence(*least[:2])}"
    clear = sum(c.high < 0 for _, _, c in flat)
    return f"Inactivity clearly falls in {clear} of {len(flat)} groups"


def hidden_sentence(facts: Facts) -> tuple[str, ...]:
    """Return the sentence that names the groups left out because under 100 simulated people stand for them."""
    named = [
        f"{labels.AXIS_TITLES[axis].lower()}: {labels.level(axis, level)}"
        for axis in (*LEFT, *RIGHT)
        for group, a, level in sorted(facts.result.small_groups)
        if a == axis and group == ("child" if axis == "affluence" else "adult")
    ]
    if not named:
        return ()
    return (f"Not shown, because fewer than {ENOUGH_AGENTS} simulated people stand for them: {say.listed(named)}.",)
