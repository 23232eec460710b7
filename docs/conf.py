"""Sphinx: Markdown by MyST, Furo as the theme, and tables that are written from the code when the pages are built."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

import movesim
from movesim import helptext, result_tables, words
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
    of_all = result_tables.RESULT_TABLES | result_tables.QUESTION_TABLES
    parts = [f"### {name}.parquet\n\n{meaning}\n\n{columns(of)}" for name, (meaning, of) in of_all.items()]
    return "\n\n".join(parts)


def numbers() -> str:
    """Return the ledger of the behaviour model as the fit leaves it, a section for every first word of the paths."""
    from movesim.behaviour.parameters import used_ledger

    sections: dict[str, list[tuple[object, ...]]] = {}
    for p in used_ledger({}).values():
        spread = "" if p.low is None else f"{p.low:.3g} to {p.high:.3g} ({p.distribution.replace('_', ' ')})"
        row = (f"`{p.path}`", p.meaning, f"{p.value:.3g}", spread, p.unit, p.status, ", ".join(p.ids) or p.source)
        sections.setdefault(p.path.split(".")[0], []).append(row)
    head = ("path", "meaning", "value", "5 to 95%", "unit", "status", "evidence")
    return "\n\n".join(f"### {name}\n\n{table(head, rows)}" for name, rows in sections.items())


def worth() -> str:
    """Return the ledger of what a year of activity is worth."""
    from movesim.outcomes.worth import worth_ledger

    rows = (
        (
            f"`{p.path}`", p.meaning, f"{p.value:g}", "" if p.low is None else f"{p.low:g} to {p.high:g} ({p.distribution})",
            p.status, ", ".join(p.ids),
        )
        for p in worth_ledger().values()
    )  # fmt: skip
    return table(("path", "meaning", "value", "range", "status", "evidence"), rows)


def scenario_numbers() -> str:
    """Return every scenario's own numbers."""
    from movesim.interventions.files import list_scenarios, load_scenario

    seen: set[str] = set()
    parts = []
    for name in list_scenarios():
        scenario = load_scenario(name)
        rows = []
        for p in scenario.ledger().values():
            if p.path not in seen:
                seen.add(p.path)
                spread = "" if p.low is None else f"{p.low:.3g} to {p.high:.3g} ({p.distribution.replace('_', ' ')})"
                rows.append((f"`{p.path}`", p.meaning, f"{p.value:.3g}", spread, p.unit, p.status, ", ".join(p.ids) or p.source))
        if rows:
            head = ("path", "meaning", "value", "5 to 95%", "unit", "status", "evidence")
            parts.append(f"### {scenario.title}\n\n{table(head, rows)}")
    return "\n\n".join(parts)


def shock_numbers() -> str:
    """Return every shock's numbers."""
    from movesim.interventions.shocks import list_shocks, load_shock

    head = ("path", "meaning", "value", "5 to 95%", "unit", "status", "evidence")
    parts = []
    for name in list_shocks():
        shock = load_shock(name)
        rows = []
        for p in shock.ledger().values():
            spread = "" if p.low is None else f"{p.low:.3g} to {p.high:.3g} ({p.distribution.replace('_', ' ')})"
            rows.append((f"`{p.path}`", p.meaning, f"{p.value:.3g}", spread, p.unit, p.status, ", ".join(p.ids) or p.source))
        parts.append(f"### {shock.title}\n\n{shock.summary}\n\n{table(head, rows)}")
    return "\n\n".join(parts)


def fit() -> str:
    """Return what the fit was asked for and what it gave."""
    from movesim.behaviour.parameters import fit_report

    report = fit_report()
    rows = (
        (
            t["meaning"], t["role"], f"{t['target']:.3g}", f"{t['fitted']:.3g}",
            f"{t['ensemble_low']:.3g} to {t['ensemble_high']:.3g}", "yes" if t["within"] else "**no**", ", ".join(t["ids"]),
        )
        for t in report["targets"]
    )  # fmt: skip
    head = ("figure", "role", "published", "centre", "ensemble, 9 in 10", "close enough", "evidence")
    made = f"Made on {report['made']} by `{report['command']}`: {report['draws_kept']} of {report['draws_tried']} draws kept."
    return f"{made}\n\n{table(head, rows)}"


def validation() -> str:
    """Return the kept scorecard, a section a table: what was published, what was predicted, and whether that was right."""
    kept = Path(__file__).resolve().parent / "scorecard.csv"
    with kept.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    scored = [row for row in rows if row["verdict"] != "skipped"]
    inside, half = (sum(row["verdict"] in which for row in scored) for which in (("inside 50%", "inside 90%"), ("inside 50%",)))
    parts = [
        f"{len(scored)} figures: {inside} ({100 * inside / len(scored):.0f}%) inside the 90% interval, {half} "
        f"({100 * half / len(scored):.0f}%) inside the 50% interval; {len(rows) - len(scored)} skipped."
    ]
    for section in dict.fromkeys(row["section"] for row in rows):
        of = [row for row in rows if row["section"] == section]
        shown = (
            (
                r["meaning"], r["observed"], f"{r['low']} to {r['high']}" if r["low"] else "",
                f"**{r['verdict']}**" if r["verdict"] == "MISS" else r["verdict"],
                r["explanation"] if r["verdict"] == "MISS" else r["skipped"], r["ids"].replace(";", ", ") or r["source"],
            )
            for r in of
        )  # fmt: skip
        head = ("figure", "published", "predicted, 9 in 10", "verdict", "why", "evidence")
        parts.append(f"### {section.capitalize()}\n\n{table(head, shown)}")
    return "\n\n".join(parts)


def benchmarks() -> str:
    """Return the kept figures of the benchmarks."""
    with (Path(__file__).resolve().parents[1] / "benchmarks" / "results.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    shown = ((row["what"], f"{int(row['people']):,}", row["figure"], row["unit"]) for row in rows)
    machines = "; ".join(dict.fromkeys(row["measured on"] for row in rows))
    return f"Measured on: {machines}.\n\n{table(('what', 'people', 'figure', 'unit'), shown)}"


GENERATED: dict[str, Callable[[], str]] = {
    "commands": commands,
    "result tables": results,
    "axes": axes,
    "benchmarks": benchmarks,
    "measures": lambda: vocabulary(words.MEASURES),
    "outcomes": lambda: vocabulary(words.OUTCOMES),
    "domains": lambda: vocabulary(words.DOMAINS),
    "components": lambda: vocabulary(words.COMPONENTS),
    "people": lambda: columns(words.PEOPLE),
    "neighbourhoods": lambda: columns(words.NEIGHBOURHOODS),
    "schools": lambda: columns(words.SCHOOLS),
    "statuses of numbers": lambda: table(("status", "meaning"), ((f"`{k}`", v) for k, v in words.STATUSES_OF_NUMBERS.items())),
    "numbers": numbers,
    "scenario numbers": scenario_numbers,
    "shock numbers": shock_numbers,
    "fit": fit,
    "worth": worth,
    "validation": validation,
    "streams": lambda: table(("stream", "number"), ((f"`{k}`", v) for k, v in words.STREAMS.items())),
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
