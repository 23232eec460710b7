"""Sphinx: Markdown by MyST, Furo as the theme, and tables that are written from the code when the pages are built."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

import movesim
from movesim import helptext, words
from movesim.settings import COMMANDS

project = "movesim"
author = "The movesim developers"
copyright = "2026, The movesim developers"
version = release = movesim.__version__
language = "en_GB"
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
myst_enable_extensions = ["dollarmath", "deflist", "colon_fence"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"movesim {release}"
html_show_sphinx = False
templates_path: list[str] = []


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Return a Markdown table."""

    def line(cells: Iterable[object]) -> str:
        return "| " + " | ".join(str(cell).replace("|", "\\|") or " " for cell in cells) + " |"

    titles = list(head)
    return "\n".join([line(titles), line("---" for _ in titles), *(line(row) for row in rows)])


def columns(of: Iterable[words.Column]) -> str:
    """Return the table of columns."""
    return table(("column", "type", "unit", "meaning"), ((f"`{c.name}`", c.dtype, c.unit, c.meaning) for c in of))


def vocabulary(of: Iterable[words.Word]) -> str:
    """Return the table of words."""
    return table(("name", "label", "unit", "meaning"), ((f"`{w.name}`", w.label, w.unit, w.meaning) for w in of))


def commands() -> str:
    """Return a section for every command with its keys."""
    parts = []
    for command, summary in helptext.SUMMARIES.items():
        parts.append(f"## movesim {command}\n\n{summary[0].upper()}{summary[1:]}.")
        if command in COMMANDS:
            fields = COMMANDS[command].table().items()
            rows = ((f"`{key}`", f"`{helptext.default_of(each)}`", each.metadata["meaning"]) for key, each in fields)
            parts.append(table(("key", "default", "meaning"), rows))
        else:
            usage, meaning = helptext.USAGES[command]
            lines = "\n".join(line.strip() for line in usage.splitlines())
            parts.append(f"```text\n{lines}\n```\n\n{meaning}")
    return "\n\n".join(parts)


def axes() -> str:
    """Return the table of ways in which people are divided."""
    rows = (
        (f"`{a.name}`", a.label, ", ".join(a.levels) or "those of the place", ("no", "yes")[a.ordered], ", ".join(a.age_groups))
        for a in words.AXES
    )
    return table(("name", "label", "levels, most disadvantaged first where ordered", "ordered", "age groups"), rows)


def results() -> str:
    """Return a section for every table of a result folder."""
    parts = [f"### {name}.parquet\n\n{meaning}\n\n{columns(of)}" for name, (meaning, of) in words.RESULT_TABLES.items()]
    return "\n\n".join(parts)


GENERATED: dict[str, Callable[[], str]] = {
    "commands": commands,
    "result tables": results,
    "axes": axes,
    "measures": lambda: vocabulary(words.MEASURES),
    "outcomes": lambda: vocabulary(words.OUTCOMES),
    "domains": lambda: vocabulary(words.DOMAINS),
    "components": lambda: vocabulary(words.COMPONENTS),
    "people": lambda: columns(words.PEOPLE),
    "neighbourhoods": lambda: columns(words.NEIGHBOURHOODS),
    "schools": lambda: columns(words.SCHOOLS),
    "statuses of numbers": lambda: table(("status", "meaning"), ((f"`{k}`", v) for k, v in words.STATUSES_OF_NUMBERS.items())),
    "examples": lambda: "```sh\n" + "\n".join(f"{line}  # {meaning}" for line, meaning in helptext.EXAMPLES) + "\n```",
}


def written(app: Any, page: str, source: list[str]) -> None:
    """Put the generated tables where a page says `<!-- from the code: NAME -->`."""
    for name, make in GENERATED.items():
        mark = f"<!-- from the code: {name} -->"
        if mark in source[0]:
            source[0] = source[0].replace(mark, make())


def setup(app: Any) -> None:
    """Tell Sphinx."""
    app.connect("source-read", written)
