"""The logic model of a scenario as a picture: what is done, what it changes, what people then do, and what comes of it."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Rectangle
from matplotlib.path import Path as Curve

from movesim.errors import InputError, one_of
from movesim.interventions.logic_model import LogicModel, as_lines, logic_models
from movesim.interventions.scenario import Scenario
from movesim.report.style import (
    AXIS,
    BLUE,
    GREY,
    INK,
    PINK,
    SUB,
    TEAL,
    TEAL_TEXT,
    WIDTH,
    drawing,
    name_svg,
    place_axes,
    wrap,
    write,
)  # fmt: skip

FORMS = (".svg", ".png")
DPI = 250
# The three parts of COM-B differ in lightness too, and each box says in words which it is.
_COLOURS = {"capability": BLUE, "opportunity": TEAL, "motivation": PINK}
_TEXTS = {"capability": BLUE, "opportunity": TEAL_TEXT, "motivation": PINK}
_HEADS = ("What is done", "What it changes (COM-B)", "What people do", "What comes of it")
_FOOT = (
    "Per cent: the share of the effect that goes through it, at its centre. Which functions reach what: Behaviour Change Wheel "
    "(Michie, van Stralen and West), matrix of {}. Range: 5 to 95 in 100."
)
_LEFT, _WIDE, _GAP, _SIZE, _LINE, _PAD = (0.3, 2.72, 5.3, 7.42), (1.75, 1.95, 1.55, 1.88), 0.13, 10.0, 0.17, 0.2


@dataclass(frozen=True)
class _Box:
    column: int
    lines: tuple[str, ...]
    colour: str = AXIS
    text: str = INK

    @property
    def height(self) -> float:
        return len(self.lines) * _LINE + _PAD


def save_logic_model(scenario: Scenario, path: Path) -> Path:
    """Draw a scenario's logic model into a new .svg or .png file, one panel an intervention, and return the path.

    Raises InputError for another ending, a file that exists or cannot be written, and a scenario without interventions.
    """
    if path.suffix.lower() not in FORMS:
        raise InputError(f"out must end in {one_of(FORMS)}, got '{path.name}'.")
    if not scenario.interventions:
        raise InputError(f"'{scenario.name}' has no interventions, so it has no logic model to draw.")
    drawn = svg(scenario).encode() if path.suffix.lower() == ".svg" else png(scenario)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            file.write(drawn)
    except OSError as error:
        if path.exists():
            raise InputError(f"{path} exists already; give out another name.") from None
        raise InputError(f"{path} cannot be written ({error.strerror}).") from None
    return path


def svg(scenario: Scenario) -> str:
    """Return a scenario's logic model as SVG with its name and, for those who cannot see it, its description inside."""
    with _quiet():
        stream = io.StringIO()
        FigureCanvasSVG(_figure(scenario)).print_svg(stream, metadata={"Date": None})
    said = " ".join(f"{model.title}: {'; '.join(as_lines(model, 'moves'))}" for model in logic_models(scenario))
    return name_svg(stream.getvalue(), f"logic-{scenario.name}", f"How it works: {scenario.title}", said)


def png(scenario: Scenario) -> bytes:
    """Return a scenario's logic model as PNG, 2,400 pixels wide."""
    with _quiet():
        figure, stream = _figure(scenario), io.BytesIO()
        FigureCanvasAgg(figure)
        figure.savefig(stream, format="png", dpi=DPI, metadata={"Software": None})
    return stream.getvalue()


@contextmanager
def _quiet() -> Iterator[None]:
    """Draw without a warning for every letter that the fonts of this computer lack; an SVG shows it all the same."""
    with drawing(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from")
        yield


# --- the page ---------------------------------------------------------------------------------------------------------
def _figure(scenario: Scenario) -> Figure:
    """Lay panels of measured heights under a headline; heights are in inches from the top."""
    models = logic_models(scenario)
    head = wrap(f"How it works: {scenario.title}", WIDTH - 0.6, 16, bold=True)
    columns = [_columns(model) for model in models]
    titles = [wrap(model.title, WIDTH - 0.6, 12.5, bold=True) if len(models) > 1 else [] for model in models]
    notes = [wrap(f"Dashed: outside the matrix, because: {m.reason}", WIDTH - 0.6, 9) if m.reason else [] for m in models]
    foot = wrap(_FOOT.format(one_of(sorted({model.edition for model in models}))), WIDTH - 0.6, 9)
    bodies = [max(sum(box.height + _GAP for box in column) for column in each) for each in columns]
    tops, y = [], 0.34 + 0.27 * len(head)
    for title, body, note in zip(titles, bodies, notes):
        tops.append(y)
        y += 0.24 * len(title) + 0.34 + body + 0.15 * len(note) + 0.22
    height = y + 0.15 * len(foot) + 0.1
    figure = Figure(figsize=(WIDTH, height), dpi=100)
    figure.patch.set_facecolor("white")
    ax = place_axes(figure, WIDTH, height, 0, 0, WIDTH, height)
    ax.set_axis_off()
    ax.set_xlim(0, WIDTH)
    ax.set_ylim(height, 0)
    for k, line in enumerate(head):
        write(ax, 0.3, 0.36 + 0.27 * k, line, 16, bold=True)
    for k, line in enumerate(foot):
        write(ax, 0.3, y + 0.15 * k, line, 9, SUB)
    for model, boxes, title, top, body, note in zip(models, columns, titles, tops, bodies, notes):
        _panel(ax, model, boxes, title, top, body, note)
    return figure


def _columns(model: LogicModel) -> list[list[_Box]]:
    def box(column: int, text: str, colour: str = AXIS, ink: str = INK) -> _Box:
        return _Box(column, tuple(wrap(text, _WIDE[column] - 0.24, _SIZE)), colour, ink)

    return [
        [box(0, function) for function in model.functions],
        [box(1, f"{link.label} {link.share:.0%}", _COLOURS[link.part], _TEXTS[link.part]) for link in model.links],
        [box(2, domain) for domain in model.domains],
        [box(3, outcome) for outcome in model.outcomes],
    ]


def _panel(
    ax: Axes, model: LogicModel, boxes: list[list[_Box]], title: list[str], top: float, body: float, note: list[str]
) -> None:
    for k, line in enumerate(title):
        write(ax, 0.3, top + 0.1 + 0.24 * k, line, 12.5, bold=True)
    top += 0.24 * len(title)
    for column, head in enumerate(_HEADS):
        write(ax, _LEFT[column], top + 0.12, head, 10.5, SUB, bold=True)
    middles = [_stack(column, top + 0.34, body) for column in boxes]
    for k, link in enumerate(model.links):
        colour = _COLOURS[link.part]
        outside = not link.functions
        for f, function in enumerate(model.functions):
            if outside or function in link.functions:
                _arrow(ax, 0, middles[0][f], middles[1][k], GREY, 1.1, dashed=outside)
        for d, domain in enumerate(model.domains):
            if domain in link.domains:
                _arrow(ax, 1, middles[1][k], middles[2][d], colour, 0.9 + 4 * link.share)
    for y in middles[2]:
        for end in middles[3]:
            _arrow(ax, 2, y, end, GREY, 1.1)
    for held, centres in zip(boxes, middles):
        for each, y in zip(held, centres):
            _draw(ax, each, y)
    for k, line in enumerate(note):
        write(ax, 0.3, top + 0.34 + body + 0.1 + 0.15 * k, line, 9, SUB)


def _stack(column: Sequence[_Box], top: float, body: float) -> list[float]:
    """Return the middles of a column's boxes, spread evenly over the height of the panel."""
    free = (body - sum(box.height for box in column)) / len(column)
    middles, y = [], top
    for box in column:
        y += free / 2
        middles.append(y + box.height / 2)
        y += box.height + free / 2
    return middles


def _draw(ax: Axes, box: _Box, y: float) -> None:
    left, wide = _LEFT[box.column], _WIDE[box.column]
    low = y - box.height / 2
    ax.add_patch(
        FancyBboxPatch(
            (left, low), wide, box.height, boxstyle="round,pad=0,rounding_size=0.05", fc="white", ec=box.colour, lw=1.3, zorder=3
        )
    )
    if box.colour != AXIS:
        ax.add_patch(Rectangle((left, low + 0.05), 0.07, box.height - 0.1, fc=box.colour, ec="none", zorder=3.5))
    write(ax, left + 0.14, y, box.lines, _SIZE, box.text)


def _arrow(ax: Axes, column: int, start: float, end: float, colour: str, width: float, dashed: bool = False) -> None:
    """Draw a bent arrow from a box of a column to one of the next."""
    x0, x1 = _LEFT[column] + _WIDE[column], _LEFT[column + 1] - 0.02
    bend = (x1 - x0) * 0.5
    curve = Curve(
        [(x0, start), (x0 + bend, start), (x1 - bend, end), (x1, end)], [Curve.MOVETO, Curve.CURVE4, Curve.CURVE4, Curve.CURVE4]
    )
    ax.add_patch(
        FancyArrowPatch(
            path=curve, arrowstyle="-|>,head_length=3,head_width=1.8", mutation_scale=1.6, color=colour, lw=width, alpha=0.75,
            linestyle=(0, (4, 2.5)) if dashed else "solid", zorder=2, shrinkA=0, shrinkB=0,
        )
    )  # fmt: skip
