"""How well a place fits its tables: fitted ones, those held back, disability by age, ties, and where the fit is worst."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.collections import PatchCollection
from matplotlib.figure import FigureBase
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from movesim.place.fit import AGES, Fit
from movesim.place.observed import FITTED, HELD_BACK
from movesim.place.social import Social
from movesim.report import say
from movesim.report.style import (
    AXIS,
    BLUE,
    GREY,
    INK,
    ORANGE,
    ORANGE_TEXT,
    SEQ,
    SUB,
    TEAL,
    TEAL_TEXT,
    Chart,
    dot,
    nice_top,
    place_axes,
    row_axes,
    text_on,
    wrap,
    write,
)

LIMIT = 0.01  # every fitted table is to be within 1% of its total
KEPT = 0.10  # the odds of a seed are to survive within a tenth
WORST = 15  # neighbourhoods named in the table


@dataclass(frozen=True)
class PlaceFacts:
    """What the page of a place is made from: names, fits, odds of disability by age (seed, within, whole) and ties.

    residents live in the place; `made` people are there when everybody is made, fewer where a made-up neighbourhood stands for
    several real ones.
    """

    name: str
    title: str
    residents: float
    made: float
    code: NDArray[np.str_]
    label: NDArray[np.str_]
    local_authority: NDArray[np.int64]
    local_authorities: tuple[str, ...]
    position: NDArray[np.float64] | None
    fits: list[Fit]
    odds: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]
    social: Social
    notes: tuple[str, ...]
    fingerprint: str

    @property
    def fitted(self) -> list[Fit]:
        """Tables that the people were made from."""
        return [f for f in self.fits if f.kind.role == FITTED]

    @property
    def held_back(self) -> list[Fit]:
        """Tables that no fit has seen."""
        return [f for f in self.fits if f.kind.role == HELD_BACK]

    @property
    def source(self) -> str:
        """What stands under every chart."""
        return f"{self.title}: {self.people}, made up to fit published tables."

    @property
    def one_each(self) -> bool:
        """Whether one person is made for every resident."""
        return round(self.made) == round(self.residents)

    @property
    def people(self) -> str:
        """Residents, and the neighbourhoods and people who stand for them, in words."""
        everybody = f"{say.whole(round(self.residents))} residents"
        if self.one_each:
            return f"{len(self.code):,} neighbourhoods, {everybody}"
        return f"{everybody}, for whom {say.whole(round(self.made))} people in {len(self.code):,} made-up neighbourhoods stand"


def fitted(facts: PlaceFacts) -> Chart:
    """Return the chart of errors of the tables that the people were made from."""
    rows = sorted(facts.fitted, key=lambda f: -f.error())
    within = sum(f.error() <= LIMIT for f in rows)

    def paint(figure: FigureBase, width: float, height: float) -> None:
        ax = place_axes(figure, width, height, 2.6, 0.5, 5.4, height - 0.75)
        row_axes(ax, len(rows))
        top = max(1.25, nice_top(100 * max(f.error() for f in rows) * 1.05))
        ax.set_xlim(0, top)
        ax.xaxis.set_major_formatter(lambda v, _: f"{v:g}%")
        ax.axvline(100 * LIMIT, color=GREY, lw=1.4, dashes=(4, 2.5))
        write(ax, 100 * LIMIT, 1, "1%", size=10, color=SUB, ha="center", transform=("data", "axes fraction"), dy=9)
        for k, one in enumerate(rows):
            good = one.error() <= LIMIT
            ax.plot([0, 100 * one.error()], [k, k], color=BLUE if good else ORANGE, lw=1.9, zorder=2)
            dot(ax, 100 * one.error(), k, None, None, BLUE if good else ORANGE, fill=BLUE if good else "white",
                marker="o" if good else "D")  # fmt: skip
            write(ax, 0, k, one.kind.title, ha="right", transform=("axes fraction", "data"), dx=-8)
            words = f"{say.plain(100 * one.error(), 2)}%" + ("" if good else " OVER")
            write(ax, 1, k, words, transform=("axes fraction", "data"), dx=8, color=INK if good else ORANGE_TEXT)

    worst = rows[0]
    headline = (
        f"All {len(rows)} fitted tables are met within 1%" if within == len(rows)
        else f"{within} of {len(rows)} fitted tables are met within 1%"
    )  # fmt: skip
    return Chart(
        name="place-fitted",
        question="Are the tables met that the people were made from?",
        headline=headline,
        subtitle="Total absolute error over all neighbourhoods and categories, in per cent of the table's total",
        source=f"{facts.source} Census tables are perturbed one by one, so no people can meet all of them to the last one.",
        alt=f"Dot plot of {len(rows)} tables. Largest error: {worst.kind.title}, {say.plain(100 * worst.error(), 2)}%; smallest: "
        f"{rows[-1].kind.title}, {say.plain(100 * rows[-1].error(), 2)}%.",
        data=pd.DataFrame(
            {
                "Table": [f.kind.title for f in rows],
                "Counted": [f.kind.unit for f in rows],
                "Total absolute error": [round(f.total()) for f in rows],
                "Standardised error, %": [round(100 * f.error(), 2) for f in rows],
                "Worst neighbourhood, %": [round(100 * float(_relative(f).max()), 1) for f in rows],
            }
        ),
        limits="whether characteristics that no table holds together go together as they should.",
        paint=paint,
        height=max(2.4, 0.85 + 0.3 * len(rows)),
    )


def held_back(facts: PlaceFacts) -> Chart | str:
    """Return the chart of held-back tables: predicted, with each authority's level, and drawn from the authority's average."""
    rows = sorted(facts.held_back, key=lambda f: -f.error(f.average))
    if not rows:
        return "No table was held back: the place is made from aggregates that give none."
    better = [f for f in rows if f.error(f.level) < f.error(f.average)]

    def paint(figure: FigureBase, width: float, height: float) -> None:
        ax = place_axes(figure, width, height, 2.6, 0.5, 4.4, height - 0.75)
        row_axes(ax, len(rows))
        ax.set_xlim(0, nice_top(100 * max(max(f.error(), f.error(f.average)) for f in rows) * 1.08))
        ax.xaxis.set_major_formatter(lambda v, _: f"{v:g}%")
        for k, one in enumerate(rows):
            ax.plot([100 * one.error(one.level), 100 * one.error(one.average)], [k, k], color=AXIS, lw=1.2, zorder=1)
            dot(ax, 100 * one.error(one.average), k, None, None, GREY, marker="s")
            dot(ax, 100 * one.error(), k, None, None, TEAL, marker="^")
            dot(ax, 100 * one.error(one.level), k, None, None, BLUE, fill=BLUE)
            title = wrap(one.kind.title, 2.4)
            write(ax, 0, k, title, ha="right", transform=("axes fraction", "data"), dx=-8)
            words = f"{say.plain(100 * one.error(one.level))}% against {say.plain(100 * one.error(one.average))}%"
            write(ax, 1, k, words, transform=("axes fraction", "data"), dx=8)
        at = ("axes fraction", "axes fraction")
        for x, marker, colour, fill, text in (
            (0.0, "o", BLUE, BLUE, "predicted, authority's level"), (0.44, "^", TEAL, "white", "predicted alone"),
            (0.76, "s", GREY, "white", "authority's average"),
        ):  # fmt: skip
            ax.plot([x], [1 + 0.16 / (height - 0.75)], marker, color=colour, mfc=fill, mew=2.2, ms=8, transform=ax.transAxes,
                    clip_on=False)  # fmt: skip
            write(ax, x, 1, text, size=10, color=TEAL_TEXT if colour == TEAL else INK, transform=at, dx=9, dy=12)

    headline = (
        "Every held-back table is predicted better than by the authority's average" if len(better) == len(rows)
        else f"{len(better)} of {len(rows)} held-back tables are predicted better than by the authority's average"
    )  # fmt: skip
    alone = [f.kind.title.lower() for f in rows if f.error() >= f.error(f.average)]
    sentences = (
        (f"Predicted alone, without the authority's level, {say.listed(alone)} {'is' if len(alone) == 1 else 'are'} worse than "
         "the average, which knows that level.",) if alone else ()
    )  # fmt: skip
    return Chart(
        name="place-held-back",
        question="Are tables predicted that no fit has seen?",
        headline=headline,
        subtitle="Total absolute error over all neighbourhoods, in per cent of the table's total: prediction against the "
        "authority's average everywhere",
        source=f"{facts.source} Circle: predicted from the people made, with each authority's total put right, which the average "
        "knows too. Triangle: with nothing of the table. Square: what drawing from the authority's average is expected to give.",
        alt="Dot plot of held-back tables. "
        + " ".join(
            f"{f.kind.title}: {say.plain(100 * f.error(f.level))}% with the authority's level, {say.plain(100 * f.error())}% "
            f"alone, {say.plain(100 * f.error(f.average))}% from the authority's average."
            for f in rows
        ),
        data=pd.DataFrame(
            {
                "Table": [f.kind.title for f in rows],
                "Predicted, authority's level, %": [round(100 * f.error(f.level), 1) for f in rows],
                "Predicted alone, %": [round(100 * f.error(), 1) for f in rows],
                "Authority's average, %": [round(100 * f.error(f.average), 1) for f in rows],
                "Share of its error that is left": [round(f.error(f.level) / max(f.error(f.average), 1e-12), 2) for f in rows],
            }
        ),
        limits="activity: how active people are is predicted by the model, not fitted to the place.",
        paint=paint,
        height=max(2.2, 0.95 + 0.44 * len(rows)),
        sentences=sentences,
    )


def disability(facts: PlaceFacts) -> Chart:
    """Return the chart of the odds of disability by age: in the seed, and in the people made."""
    seed, within, whole = facts.odds
    at = [k for k in range(len(AGES)) if AGES[k] != "35-49"]
    off = max(abs(within[k] / seed[k] - 1) for k in at)

    def paint(figure: FigureBase, width: float, height: float) -> None:
        ax = place_axes(figure, width, height, 1.2, 0.5, 6.0, height - 0.75)
        row_axes(ax, len(at))
        ax.set_xlim(0.7, 1.3)
        ax.axvspan(1 - KEPT, 1 + KEPT, color="#EAF0F6", lw=0)
        ax.axvline(1, color=GREY, lw=1.4, dashes=(4, 2.5))
        write(ax, 1, 1, "within a tenth of the seed", size=10, color=SUB, ha="center", transform=("data", "axes fraction"), dy=9)
        ax.xaxis.set_major_formatter(lambda v, _: f"{v:.1f}")
        for row, k in enumerate(at):
            good = abs(within[k] / seed[k] - 1) <= KEPT
            dot(ax, np.clip(whole[k] / seed[k], 0.7, 1.3), row, None, None, GREY, marker="s", size=6)
            at_value, colour = np.clip(within[k] / seed[k], 0.7, 1.3), BLUE if good else ORANGE
            dot(ax, at_value, row, None, None, colour, fill=BLUE if good else "white", marker="o" if good else "D")
            write(ax, 0, row, AGES[k], ha="right", transform=("axes fraction", "data"), dx=-8)
            write(ax, 1, row, f"{within[k]:.2f} (seed {seed[k]:.2f})", transform=("axes fraction", "data"), dx=8)

    return Chart(
        name="place-disability",
        question="Do age and disability go together as published?",
        headline=f"Age and disability go together as in the seed, within {say.per_cent(100 * off)}"
        if off <= KEPT
        else f"Age and disability differ from the seed by up to {say.per_cent(100 * off)}",
        subtitle="Odds of disability against ages 35 to 49, in the people made over the same in the seed",
        source=f"{facts.source} Seed: Scotland's Census 2022, 31 of 32 council areas. Circle: within neighbourhoods "
        "(Mantel-Haenszel), which is what a fit keeps. "
        "Square: over the whole place, where neighbourhoods with more old people differ otherwise too.",
        alt="Dot plot of odds of disability by age against 35 to 49, made over seed. "
        + " ".join(f"{AGES[k]}: {within[k] / seed[k]:.2f} within neighbourhoods, {whole[k] / seed[k]:.2f} overall." for k in at),
        data=pd.DataFrame(
            {
                "Age": [AGES[k] for k in at],
                "Seed": [round(float(seed[k]), 3) for k in at],
                "Within neighbourhoods": [round(float(within[k]), 3) for k in at],
                "Whole place": [round(float(whole[k]), 3) for k in at],
            }
        ),
        limits="other associations; those of class, work and faith stand on published rates and judgements.",
        paint=paint,
        height=2.6,
    )


def ties(facts: PlaceFacts) -> Chart:
    """Return the chart of how many ties people have, with how alike the tied are as its table."""
    degree, found = facts.social.degree, facts.social

    def paint(figure: FigureBase, width: float, height: float) -> None:
        ax = place_axes(figure, width, height, 0.7, 0.55, 3.6, height - 0.95)
        ax.bar(range(len(degree)), 100 * degree, color=BLUE, width=0.8)
        ax.set_xticks(range(len(degree)))
        ax.yaxis.set_major_formatter(lambda v, _: f"{v:g}%")
        ax.set_xlabel("ties")
        write(ax, 0, 1, "People by number of ties", bold=True, transform="axes fraction", dy=14)
        other = place_axes(figure, width, height, 6.9, 0.55, 1.9, height - 0.95)
        row_axes(other, len(found.likeness))
        other.set_xlim(0, 100)
        other.set_xticks([0, 50, 100], ["0", "50%", "100%"])
        write(other, 0, 1, "Alike: tied (dot), by chance (square)", bold=True, ha="center", transform="axes fraction", dy=14)
        for k, (name, tied, chance) in enumerate(found.likeness):
            if np.isfinite(tied):
                other.plot([100 * chance, 100 * tied], [k, k], color=AXIS, lw=1.2, zorder=1)
                dot(other, 100 * chance, k, None, None, GREY, marker="s", size=6)
                dot(other, 100 * tied, k, None, None, BLUE, fill=BLUE)
            write(other, 0, k, wrap(name, 2.15, 9.5), size=9.5, ha="right", transform=("axes fraction", "data"), dx=-6)
            write(other, 1, k, f"{100 * tied:.0f}%", size=9.5, transform=("axes fraction", "data"), dx=5)

    alike = max((row for row in found.likeness if np.isfinite(row[1])), key=lambda row: row[1] - row[2])
    kinds = "; ".join(f"{name} {mean:.1f}" for name, mean in found.by_kind.items())
    return Chart(
        name="place-ties",
        question="Who knows whom?",
        headline=f"People have {found.mean:.1f} ties each, most of them with people like themselves",
        subtitle="Share of people by number of ties (at most ten), and share of ties between people who are alike",
        source=f"{facts.source} Numbers of ties and likeness are judgements inside published bounds "
        "(conf/place/associations.yaml, ties).",
        alt=f"Bars of the number of ties, mean {found.mean:.1f} ({kinds}), and a dot plot of likeness. Furthest from chance: "
        f"{alike[0]}, {100 * alike[1]:.0f}% against {100 * alike[2]:.0f}%.",
        data=pd.DataFrame(
            {
                "What is compared": [row[0] for row in found.likeness],
                "Tied, %": [round(100 * row[1], 1) for row in found.likeness],
                "By chance, %": [round(100 * row[2], 1) for row in found.likeness],
            }
        ),
        limits="real friendships: nobody has counted who knows whom in a place.",
        paint=paint,
        height=3.3,
        sentences=(f"Mean ties of each kind: {kinds}.",),
    )


# --- the schematic map ------------------------------------------------------------------------------------------------
def worst(facts: PlaceFacts) -> Chart:
    """Return a schematic map of the neighbourhoods, one tile each, shaded by how far their people are from the tables."""
    error = overall(facts)
    x, y, boxes = tiles(facts)
    cuts = np.quantile(error, [0.5, 0.8, 0.95])
    shade = np.searchsorted(cuts, error, side="right")
    listed = np.argsort(-error, kind="stable")[:WORST]
    worst_of = facts.local_authorities[_most(facts, error >= cuts[2])]

    def paint(figure: FigureBase, width: float, height: float) -> None:
        ax = place_axes(figure, width, height, 0.1, 0.1, width - 0.2, height - 0.55)
        ax.set_axis_off()
        ax.grid(False)
        high = y.max() + 1.5
        ax.set_xlim(-0.5, x.max() + 1.5)
        ax.set_ylim(high, -2.2)
        ax.set_aspect("equal")
        for k, colour in enumerate(SEQ):
            squares = [Rectangle((x[at], y[at]), 0.92, 0.92) for at in np.flatnonzero(shade == k)]
            ax.add_collection(PatchCollection(squares, facecolor=colour, edgecolor="none"))
        for k in listed:
            ax.add_patch(Rectangle((x[k], y[k]), 0.92, 0.92, facecolor="none", edgecolor=ORANGE, lw=1.8, zorder=3))
        for name, left, top, across in boxes:
            unit = (width - 0.2) / (x.max() + 2)
            write(ax, left, top - 0.3, wrap(name, max(across * unit + 0.25, 0.8), 9)[:2], size=9, va="bottom", leading=1.05)
        words = ["better half", "next 30%", "next 15%", "worst 5%"]
        for k, word in enumerate(words):
            figure.text((0.35 + 1.35 * k) / width, 1 - 0.22 / height, word, size=10, color=text_on(SEQ[k]), va="center",
                        bbox={"fc": SEQ[k], "ec": "none", "pad": 3.5})  # fmt: skip
        figure.text((0.35 + 1.35 * 4) / width, 1 - 0.22 / height, f"the {len(listed)} worst", size=10, color=INK, va="center",
                    bbox={"fc": "white", "ec": ORANGE, "pad": 3.5, "lw": 1.8})  # fmt: skip

    first = listed[0]
    tables = say.listed([f.kind.title.lower() for f in facts.fits])
    deep = int(max(box[2] for box in boxes)) if boxes else 0
    return Chart(
        name="place-worst",
        question="Where is the fit worst?",
        headline=f"The fit is worst in {facts.label[first]}; one neighbourhood in 20 misses by more than "
        f"{say.per_cent(100 * cuts[2])}",
        subtitle="Mean standardised error of all tables, one tile for each neighbourhood; authorities about where they lie",
        source=f"{facts.source} A schematic map: tiles keep north and south, east and west inside an authority, not area or "
        "distance.",
        alt=f"Tile map of {len(x):,} neighbourhoods by mean error of {tables}. Half are below {say.per_cent(100 * cuts[0])}, one "
        f"in 20 above {say.per_cent(100 * cuts[2])}; most of the worst lie in {worst_of}.",
        data=pd.DataFrame(
            {
                "Neighbourhood": [f"{facts.label[k]} ({facts.code[k]})" for k in listed],
                "Local authority": [facts.local_authorities[facts.local_authority[k]] for k in listed],
                "Mean error, %": [round(100 * float(error[k]), 1) for k in listed],
                "Worst table": [_worst_table(facts, int(k)) for k in listed],
            }
        ),
        limits="why a neighbourhood is missed: halls, care homes, barracks and new estates are the usual reasons.",
        paint=paint,
        height=max(3.4, min(7.4, 0.7 + 0.24 * (deep + 6) + 1.6)),
    )


def overall(facts: PlaceFacts) -> NDArray[np.float64]:
    """Return the mean standardised error of every neighbourhood over all tables (held-back ones with the authority's level)."""
    return np.asarray(np.mean([_relative(f) for f in facts.fits if f.kind.key != "communal"], axis=0))


def _relative(one: Fit) -> NDArray[np.float64]:
    return np.asarray(one.by_lsoa(one.level) / np.maximum(one.observed.sum(axis=1), 1.0))


def _worst_table(facts: PlaceFacts, row: int) -> str:
    errors = [(float(_relative(f)[row]), f.kind.title) for f in facts.fits if f.kind.key != "communal"]
    value, title = max(errors)
    return f"{title}, {say.per_cent(100 * value)}"


def _most(facts: PlaceFacts, bad: NDArray[np.bool_]) -> int:
    return int(np.bincount(facts.local_authority[bad], minlength=len(facts.local_authorities)).argmax())


def tiles(facts: PlaceFacts) -> tuple[NDArray[np.float64], NDArray[np.float64], list[tuple[str, float, float, int]]]:
    """Return the column and row of every neighbourhood's tile, and each authority's name, left, top and width in tiles.

    Authorities stand in rows from north to south, in a row from west to east, and so do the tiles inside one; without
    positions they keep their order.
    """
    authorities = np.unique(facts.local_authority)
    middle = {a: _centre(facts, a) for a in authorities}
    across = {a: int(np.ceil(np.sqrt((facts.local_authority == a).sum() * 1.25))) for a in authorities}
    rows = max(1, round(np.sqrt(len(authorities)) * 0.9))
    by_north = sorted(authorities, key=lambda a: -middle[a][1])
    x, y = np.zeros(len(facts.code)), np.zeros(len(facts.code))
    boxes: list[tuple[str, float, float, int]] = []
    top = 0.0
    for group in np.array_split(np.array(by_north), rows):
        left, deepest = 0.0, 0
        for a in sorted(group, key=lambda a: middle[a][0]):
            here = np.flatnonzero(facts.local_authority == a)
            wide = max(across[a], 5)
            order = here[np.argsort(-_north(facts, here), kind="stable")]
            for line in range(0, len(order), wide):
                cut = order[line : line + wide]
                cut = cut[np.argsort(_east(facts, cut), kind="stable")]
                x[cut], y[cut] = left + np.arange(len(cut)), top + line // wide
            deepest = max(deepest, -(-len(order) // wide))
            boxes.append((facts.local_authorities[a], left, top, wide))
            left += wide + 1.5
        top += deepest + 3.2
    return x, y, boxes


def _centre(facts: PlaceFacts, authority: int) -> tuple[float, float]:
    here = facts.local_authority == authority
    if facts.position is None:
        return float(authority), -float(authority)
    return float(np.nanmean(facts.position[here, 0])), float(np.nanmean(facts.position[here, 1]))


def _north(facts: PlaceFacts, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    return -rows.astype(np.float64) if facts.position is None else np.nan_to_num(facts.position[rows, 1])


def _east(facts: PlaceFacts, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    return rows.astype(np.float64) if facts.position is None else np.nan_to_num(facts.position[rows, 0])
