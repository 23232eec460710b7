"""How charts look: palette, type, frame, and the small tools that place words beside marks.

Palette and rules follow the charts guidance of the Government Analysis Function. No global state of matplotlib is used:
figures are `Figure` objects, and settings hold only inside `drawing()`.
"""

from __future__ import annotations

import io
import itertools
import logging
import math
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import matplotlib
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure, FigureBase
from matplotlib.font_manager import FontProperties

BLUE, TEAL, PINK, ORANGE = "#12436D", "#28A197", "#801650", "#F46A25"
GREY, PURPLE = "#3D3D3D", "#A285D1"
INK, SUB, AXIS, GRID = "#1A1A1A", "#505050", "#595959", "#DADADA"
MUTED, TEAL_TEXT, ORANGE_TEXT = "#74838F", "#15706A", "#A8440F"
SEQ = ["#D5E3EF", "#8DB9DD", "#2A6CA8", "#12436D"]
FAMILY = ["Arial", "Helvetica", "Liberation Sans", "Open Sans", "DejaVu Sans"]
RC: dict[str, Any] = {
    "font.family": "sans-serif", "font.size": 11.5, "font.sans-serif": FAMILY, "text.color": INK, "text.parse_math": False,
    "axes.labelcolor": SUB, "axes.labelsize": 11, "axes.edgecolor": AXIS, "axes.linewidth": 0.9, "axes.spines.top": False,
    "axes.spines.right": False, "axes.spines.left": False, "axes.axisbelow": True, "axes.grid": True, "axes.grid.axis": "y",
    "grid.color": GRID, "grid.linewidth": 0.8, "xtick.color": AXIS, "xtick.labelcolor": INK, "ytick.color": AXIS,
    "ytick.labelcolor": INK, "ytick.left": False, "xtick.major.size": 4, "lines.linewidth": 2.4,
    "lines.solid_capstyle": "round", "legend.frameon": False, "svg.fonttype": "none", "svg.hashsalt": "movesim",
    "axes.unicode_minus": True, "path.simplify": True,
}  # fmt: skip
WIDTH, SLIDE_HEIGHT, SLIDE_DPI = 9.6, 5.4, 250  # a slide is 2400 x 1350 pixels
SMALL, TINY = 10.0, 9.5


_held = False


def _settings() -> dict[Any, Any]:
    """Return matplotlib's own defaults with ours on top, so that a user's matplotlibrc changes nothing."""
    return {**matplotlib.rcParamsDefault, **RC, "backend": matplotlib.rcParams["backend"]}


@contextmanager
def drawing() -> Iterator[None]:
    """Hold our settings while a figure is made or saved; everything else keeps its own."""
    global _held
    if _held:  # already inside: setting three hundred values again for every word would cost more than the drawing
        yield
        return
    fonts = logging.getLogger("matplotlib.font_manager")
    before = fonts.level
    fonts.setLevel(logging.ERROR)  # a machine without Arial is no reason to print thirty warnings
    _held = True
    try:
        with matplotlib.rc_context(_settings()):
            yield
    finally:
        _held = False
        fonts.setLevel(before)


@dataclass(frozen=True)
class Chart:
    """A chart with its words. Unpacks as `figure, alt, data = chart`, drawn without its headline.

    paint draws the body into a figure (or part of one) of the given width and height in inches.
    """

    name: str
    question: str
    headline: str
    subtitle: str
    source: str
    alt: str
    data: pd.DataFrame
    limits: str  # what the chart does not show
    paint: Callable[[FigureBase, float, float], None] = field(repr=False)
    height: float = 4.1
    sentences: tuple[str, ...] = ()  # said under the chart: suppressed groups, missing ranges

    def __iter__(self) -> Iterator[Any]:
        return iter((self.figure(), self.alt, self.data))

    def figure(self, slide: bool = False) -> Figure:
        """Return the figure: the body alone, for a page that prints the words, or a 16:9 slide with headline and source."""
        with drawing():
            if slide:
                return self._slide()
            figure = Figure(figsize=(WIDTH, self.height), dpi=100)
            self.paint(figure, WIDTH, self.height)
            return figure

    def _slide(self) -> Figure:
        figure = Figure(figsize=(WIDTH, SLIDE_HEIGHT), dpi=SLIDE_DPI)
        head = wrap(self.headline, WIDTH - 0.8, 16, bold=True)
        sub = wrap(self.subtitle, WIDTH - 0.8, 11.5)
        foot = wrap(" ".join([self.source, *self.sentences]), WIDTH - 0.8, 9)
        y = SLIDE_HEIGHT - 0.36
        for line in head:
            figure.text(0.4 / WIDTH, y / SLIDE_HEIGHT, line, size=16, weight="bold", color=INK, va="baseline")
            y -= 0.27
        for line in sub:
            figure.text(0.4 / WIDTH, y / SLIDE_HEIGHT, line, size=11.5, color=SUB, va="baseline")
            y -= 0.2
        bottom = 0.12 + 0.15 * len(foot)
        for k, line in enumerate(foot):
            figure.text(0.4 / WIDTH, (bottom - 0.13 - 0.15 * k) / SLIDE_HEIGHT, line, size=9, color=SUB, va="baseline")
        top, low = y - 0.02, bottom + 0.1
        parts = figure.subfigures(3, 1, height_ratios=[SLIDE_HEIGHT - top, top - low, low], hspace=0)
        part = list(parts)[1]  # type: ignore[arg-type]
        part.set_facecolor("none")
        self.paint(part, WIDTH, top - low)
        return figure

    def svg(self) -> str:
        """Return the figure as SVG with its name and description inside; equal numbers give equal bytes."""
        with drawing():
            figure = self.figure()
            stream = io.StringIO()
            FigureCanvasSVG(figure).print_svg(stream, metadata={"Date": None})
        return name_svg(stream.getvalue(), f"chart-{self.name}", self.headline, self.alt)

    def png(self) -> bytes:
        """Return the 16:9 slide as PNG, 2400 x 1350 pixels."""
        with drawing():
            figure = self.figure(slide=True)
            stream = io.BytesIO()
            FigureCanvasAgg(figure)
            figure.savefig(stream, format="png", dpi=SLIDE_DPI, metadata={"Software": None}, pil_kwargs={"compress_level": 3})
        return stream.getvalue()


def name_svg(svg: str, prefix: str, title: str, description: str) -> str:
    """Return the SVG with ids under a prefix of its own, no outside references, and a name and description for readers."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<style type=\"text/css\">.*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}-\1"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}-\1)", svg)
    svg = re.sub(r'href="#([^"]+)"', rf'href="#{prefix}-\1"', svg)
    opening = re.match(r"<svg[^>]*>", svg)
    assert opening is not None
    size = re.search(r'viewBox="[^"]+"', opening.group(0))
    assert size is not None
    from xml.sax.saxutils import escape

    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" {size.group(0)} role="img" '
        f'aria-labelledby="{prefix}-title {prefix}-desc" stroke-linejoin="round">\n'
        f'<title id="{prefix}-title">{escape(title)}</title>\n<desc id="{prefix}-desc">{escape(description)}</desc>'
    )
    return head + svg[opening.end() :].rstrip() + "\n"


# --- words beside marks ---------------------------------------------------------------------------------------------
@lru_cache(maxsize=1)
def _renderer() -> RendererAgg:
    return RendererAgg(10, 10, 72)


@lru_cache(maxsize=4096)
def text_width(text: str, size: float = 11.5, bold: bool = False) -> float:
    """Return the drawn width of a line of text in inches."""
    font = FontProperties(family=FAMILY, size=size, weight="bold" if bold else "normal")
    with drawing():
        width, _, _ = _renderer().get_text_width_height_descent(text, font, ismath=False)
    return float(width) / 72


def wrap(text: str, width: float, size: float = 11.5, bold: bool = False) -> list[str]:
    """Return the lines of a text that fit into a width in inches, by measured width and not by number of letters."""
    lines: list[str] = []
    space, used = text_width("a b", size, bold) - text_width("ab", size, bold), 0.0
    for word in text.split():
        own = text_width(word, size, bold)
        if lines and used + space + own <= width:
            lines[-1] += f" {word}"
            used += space + own
        else:
            lines.append(word)
            used = own
    return lines


def write(
    ax: Axes, x: float, y: float, lines: Sequence[str] | str, size: float = 11.5, color: str = INK, bold: bool = False,
    ha: str = "left", va: str = "center", leading: float = 1.22, transform: Any = None, dx: float = 0, dy: float = 0,
    halo: bool = False,
) -> None:  # fmt: skip
    """Write lines at a point, one text per line so that a browser keeps them aligned.

    dx, dy: shift in points. halo: white behind the words, where a line of the chart runs through them.
    """
    behind = {"fc": "white", "ec": "none", "pad": 1.0} if halo else None
    lines = [lines] if isinstance(lines, str) else list(lines)
    height = size * leading
    first = {"center": (len(lines) - 1) / 2, "top": -0.5, "bottom": len(lines) - 0.5}[va] * height
    for k, line in enumerate(lines):
        ax.annotate(
            line, (x, y), (dx, dy + first - k * height - size * 0.36), xycoords=transform or "data", textcoords="offset points",
            size=size, color=color, weight="bold" if bold else "normal", ha=ha, va="baseline", annotation_clip=False, bbox=behind,
        )  # fmt: skip


def spread(wanted: Sequence[float], sizes: Sequence[float], low: float, high: float) -> list[float]:
    """Return centres near the wanted ones so that labels of these heights neither overlap nor leave the range."""
    order = sorted(range(len(wanted)), key=lambda k: wanted[k])
    centres = list(wanted)
    for _ in range(60):
        for a, b in itertools.pairwise(order):
            need = (sizes[a] + sizes[b]) / 2 - (centres[b] - centres[a])
            if need > 1e-9:
                centres[a] -= need / 2
                centres[b] += need / 2
        for k in order:
            centres[k] = min(max(centres[k], low + sizes[k] / 2), high - sizes[k] / 2)
    return centres


def place_axes(figure: FigureBase, width: float, height: float, left: float, bottom: float, w: float, h: float) -> Axes:
    """Return axes at a place given in inches."""
    return figure.add_axes((left / width, bottom / height, w / width, h / height))


def row_axes(ax: Axes, rows: int, grid: bool = True) -> None:
    """Make axes for rows of dots: row 0 on top, no marks on the left, upright grid lines."""
    ax.set_ylim(rows - 0.5, -0.5)
    ax.set_yticks([])
    ax.grid(False)
    if grid:
        ax.grid(True, axis="x")


def dot(
    ax: Axes, x: float, y: float, ends: tuple[float, float] | None, halves: tuple[float, float] | None, color: str,
    fill: str = "white", marker: str = "o", size: float = 8,
) -> None:  # fmt: skip
    """Draw a mark with its thin bar (9 in 10 runs) and thick bar (half of runs); bars are left out when there are none."""
    if ends:
        ax.plot(ends, (y, y), color=color, lw=1.9, solid_capstyle="butt", zorder=2)
    if halves:
        ax.plot(halves, (y, y), color=color, lw=5, solid_capstyle="butt", zorder=2.5)
    ax.plot([x], [y], marker, color=color, mfc=fill, mec=color, mew=2.2, ms=size, zorder=3)


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours (WCAG 2.2)."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def text_on(colour: str) -> str:
    """Return the text colour, ink or white, that reads better on a tile."""
    return INK if contrast(colour, INK) >= contrast(colour, "#FFFFFF") else "#FFFFFF"


def nice_top(value: float) -> float:
    """Return a round number at or above a value, with four to six steps below it."""
    step = nice_step(value, 5)
    return step * -(-value // step)


def nice_step(width: float, steps: int) -> float:
    """Return a step of 1, 2, 4 or 5 times a power of ten that divides a width into about that many parts."""
    rough = max(width, 1e-9) / steps
    power = 10.0 ** math.floor(math.log10(rough))
    return next(k * power for k in (1, 2, 4, 5, 10) if k * power >= rough * 0.999)


def change_axis(ax: Axes, low: float, high: float, ticks: int = 5) -> None:
    """Set an axis of changes: zero always inside with room on both sides, signed labels with a true minus, a line at zero."""
    low, high = min(low, 0.0), max(high, 0.0)
    width = max(high - low, 0.4)
    low, high = min(low - 0.06 * width, -0.25 * width), max(high + 0.06 * width, 0.25 * width)
    step = nice_step(high - low, ticks)
    marks = [k * step for k in range(int(low // step), int(high // step) + 2) if low <= k * step <= high]
    digits = 0 if step >= 1 and step == int(step) else 1 if round(step, 1) == round(step, 6) else 2
    ax.set_xlim(low, high)
    ax.set_xticks(marks)
    ax.set_xticklabels([f"{mark:+,.{digits}f}".replace("-", "\u2212") if mark else "0" for mark in marks])
    ax.axvline(0, color=GREY, lw=1.4, dashes=(4, 2.5), zorder=1)
