"""The report: one self-contained page, the figures as files, and the workbook, all from one set of numbers."""

from __future__ import annotations

import os
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup
from matplotlib.figure import Figure

from movesim import words
from movesim.errors import InputError, did_you_mean, one_of
from movesim.report import labels, say
from movesim.report.facts import Facts
from movesim.report.figures import CHARTS
from movesim.report.figures.choice import table_order
from movesim.report.figures.money import delivered_table
from movesim.report.finding import SURE_ENOUGH
from movesim.report.learned import rule_words, rules_shown, shock_words
from movesim.report.precision import precision_words
from movesim.report.questions import worth_list
from movesim.report.sensitivity import is_sensitivity, sensitivity_chart, sensitivity_page
from movesim.report.spend import payers_table
from movesim.report.style import Chart
from movesim.report.sweep import chart as sweep_chart
from movesim.report.sweep import is_sweep, sweep_page
from movesim.report.tables import ENOUGH_PAIRS
from movesim.report.workbook import assumptions_table, summary_table, write_workbook

NUMERIC = "+0123456789\u00a3\u2212\u2013"  # first letters of cells that are set to the right
NOT_COUNTED = ("", "not counted", "no clear gain", "no extra money")
SHORT_TABLE = 14  # rows of a data table that a print still shows
SCREEN_DPI = 100  # of a figure that is looked at in a notebook
GLOSSARY = (
    ("Inactive", "adults: under 30 minutes a week; children: under 30 minutes a day"),
    ("Fairly active", "adults: 30 to 149 minutes a week; children: 30 to 59 minutes a day"),
    ("Active", "adults: 150 minutes a week or more; children: 60 minutes a day or more"),
    (
        "Gap",
        "slope index of inequality: the modelled difference in inactivity between the most and the least deprived, in points",
    ),
    ("Points", "percentage points: from 20% to 18% is 2 points"),
    ("No change", "the same place, people and chance without the option; running programmes and trends carry on"),
    ("Paired run", "two runs, with and without the option, that share residents, settings and chance"),
    ("9 in 10 runs", "the range that leaves out the lowest and the highest 1 in 20 runs"),
    ("Regret", "the gap under an option minus the smallest gap that any option reaches in the same future"),
    ("Levelling down", "a gap that closes because people in the least deprived neighbourhoods become less active"),
    ("Monte Carlo error", "how far the average would move if other chance were drawn; it shrinks with more runs"),
)


def build_report(folder: Path | str) -> Path:
    """Write report.html, figures/ and workbook.xlsx into a result folder and return the path of the page.

    folder: a result folder with its tables and manifest.
    Raises InputError, before anything is written, when the folder lacks a table, a column or a key.
    """
    if is_sweep(folder):
        return sweep_page(folder)
    if is_sensitivity(folder):
        return sensitivity_page(folder)
    facts = Facts.read(folder)
    folder = Path(folder)
    shown = facts.drawn()
    drawn = {name: function(shown) for name, function in CHARTS.items()}
    charts = {name: chart for name, chart in drawn.items() if isinstance(chart, Chart)}
    svgs = {name: chart.svg() for name, chart in charts.items()}
    html = render(facts, drawn, svgs)
    figures = folder / "figures"
    figures.mkdir(exist_ok=True)
    for name in CHARTS:  # a chart that this result no longer has must not stay from an earlier build
        for ending in ("svg", "png", "txt"):
            (figures / f"{name}.{ending}").unlink(missing_ok=True)
    for name, chart in charts.items():
        (figures / f"{name}.svg").write_text(svgs[name], encoding="utf-8")
        (figures / f"{name}.png").write_bytes(chart.png())
        (figures / f"{name}.txt").write_text(f"{chart.headline}\n\n{chart.alt}\n", encoding="utf-8")
    write_workbook(facts, {name: chart.data for name, chart in charts.items()}, folder / "workbook.xlsx")
    page = folder / "report.html"
    half = folder / ".report.html.part"
    half.write_text(html, encoding="utf-8")
    os.replace(half, page)  # a reader never meets half a page
    return page


def figure(folder: Path | str, name: str = "gap-over-time") -> Figure:
    """Return one figure of the report as a matplotlib Figure: a slide with its headline and source.

    folder: a result folder; name: the name of its files in figures/, as "gradient" or "where"; of a sweep, a swept number.
    Raises InputError for a name that no figure has, and for a figure that this result has not enough in it for.
    """
    if is_sweep(folder) or is_sensitivity(folder):
        of_sweep = is_sweep(folder)
        own = sweep_chart(folder, None if name == "gap-over-time" else name) if of_sweep else sensitivity_chart(folder, name)
        drawn = own.figure(slide=True)
        drawn.set_dpi(SCREEN_DPI)
        return drawn
    if name not in CHARTS:
        raise InputError(f"There is no figure called '{name}'.{did_you_mean(name, CHARTS)} There are {one_of(CHARTS)}.")
    chart = CHARTS[name](Facts.read(folder).drawn())
    if not isinstance(chart, Chart):
        raise InputError(f"There is no figure '{name}' of this result: {chart}")
    drawn = chart.figure(slide=True)
    drawn.set_dpi(SCREEN_DPI)
    return drawn


def render(facts: Facts, drawn: dict[str, Chart | str], svgs: dict[str, str]) -> str:
    """Return the page as text; it loads nothing from anywhere and needs no scripts to be read."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    home = resources.files("movesim.report")
    template = environment.from_string((home / "page.html.j2").read_text(encoding="utf-8"))
    manifest, fact = facts.result.manifest, facts.numbers
    ledger = assumptions_table(facts)
    return template.render(
        fact=fact,
        manifest=manifest,
        focus=facts.focus,
        say=say,
        style=Markup((home / "page.css").read_text(encoding="utf-8")),
        created=_day(str(manifest["created"])),
        charts={name: _section(chart, svgs.get(name)) for name, chart in drawn.items()},
        ranked=_html_table(ranked_table(facts)),
        ranked_data=_data_uri(summary_table(fact)),
        delivered=_html_table(delivered_table(facts)),
        paid=_html_table(payers_table(facts.result, {o["name"]: o["title"] for o in fact["options"]}, fact["years"])),
        options=_options(facts),
        shocks=shock_words(manifest),
        learned=rule_words(facts.result),
        rules=_html_table(rules_shown(facts.result)),
        sure=how_sure(facts),
        adjusted=same_people(facts),
        ledger=_html_table(ledger),
        ledger_data=_data_uri(ledger),
        ledger_counts=_counts(facts),
        many_settings=len(ledger) > 30,
        cannot=cannot_say(facts),
        worth=worth_list(facts.result),
        glossary=GLOSSARY,
        about=_about(facts),
        enough_pairs=ENOUGH_PAIRS,
    )


def same_people(facts: Facts) -> str:
    """Return a sentence on the change of the gap among the same people and at the same ages, "" where it was not counted.

    Activity saves lives, and more of those it saves are old or ill: a gap among whoever is there can move for that alone.
    """
    table = facts.result.tables["comparison"]
    rows = table[(table["scenario"] == facts.focus["name"]) & (table["week"] == table["week"].max())].set_index("measure")
    found = []
    for word in words.ADJUSTED:
        if word.name in rows.index:
            row = rows.loc[word.name]
            spread = "" if facts.numbers["few"] else f" ({say.span(100 * row['low'], 100 * row['high'])})"
            found.append(f"{say.signed(100 * row['difference'])} points{spread} {word.meaning}")
    if not found:
        return ""
    return f"The slope index changes by {' and by '.join(found)}, under {facts.focus['title']} against no change."


def ranked_table(facts: Facts) -> pd.DataFrame:
    """Return the ranked table as it is read: no change and the options, lowest average regret first, texts in the cells."""
    fact = facts.numbers
    rows = []
    for row in table_order(facts):
        if "change" not in row:
            rows.append(
                {
                    "Option": row["title"], "Change in gap, points (9 in 10 runs)": "\u2013", "Narrower in": "\u2013",
                    "Best in": "\u2013" if fact["few"] else _runs(row["best"], fact["pairs"]),
                    "Average regret": say.plain(row["regret"]), "Inactive": say.per_cent(row["inactive"]),
                    "More active adults": "\u2013", "\u00a3 per resident a year": "\u2013", "\u00a3 per extra active "
                    "adult": "\u2013",
                    "By when": "\u2013", "Monte Carlo error": "\u2013",
                }
            )  # fmt: skip
            continue
        money = say.pounds(row["pounds_per_extra"]) if row["pounds_per_extra"] is not None else row["pounds_per_extra_why"]
        rows.append(
            {
                "Option": row["title"],
                "Change in gap, points (9 in 10 runs)": say.signed(row["change"])
                + (" WIDENS" if row["widens"] else "")
                + (" (not shown)" if row["low"] is None else f" ({say.span(row['low'], row['high'])})"),
                "Narrower in": _runs(row["probability"], row["pairs"]),
                "Best in": "not counted" if fact["few"] else _runs(row["best"], fact["pairs"]),
                "Average regret": say.plain(row["regret"]),
                "Inactive": say.per_cent(row["inactive"]),
                "More active adults": "not counted" if row["extra_active"] is None else say.whole(row["extra_active"], sign=True),
                "\u00a3 per resident a year": say.pounds(row["pounds_per_resident"]),
                "\u00a3 per extra active adult": money,
                "By when": row["by_when"]["text"],
                "Monte Carlo error": ("not known" if not np.isfinite(row["mc_error"]) else say.plain(row["mc_error"], 2))
                + f", {row['verdict']}",
            }
        )
    return pd.DataFrame(rows)


def _runs(probability: float, pairs: int) -> str:
    return say.chance(probability, pairs).removesuffix(" runs").replace(" ", "\u00a0")


def how_sure(facts: Facts) -> dict[str, Any]:
    """Return what the ranges hold and what they leave out, the checks of the run and its warnings."""
    manifest = facts.result.manifest
    central = manifest["draws"] == "central"
    holds = (
        "The ranges hold chance only: every setting stood at its central value." if central
        else "The ranges hold chance and the uncertain settings of the ledger, drawn together for each pair of runs."
    )  # fmt: skip
    return {
        "holds": " ".join([holds, *precision_words(manifest)]),
        "leaves_out": "They leave out how well the model is built, what the ledger does not list, and the next surprise.",
        "guards": [
            {"Check": labels.pretty(g["name"]), "Result": "passed" if g["passed"] else "FAILED", "What it means": g["detail"]}
            for g in manifest["guards"]
        ],
        "failed": [labels.pretty(g["name"]) for g in manifest["guards"] if not g["passed"]],
        "warnings": list(manifest["warnings"]),
        "unsure": [o["title"] for o in facts.numbers["options"] if not o["tight"]],
        "sure_enough": round(10 * SURE_ENOUGH),
    }


def cannot_say(facts: Facts) -> list[str]:
    """Return what this report cannot say, in sentences."""
    fact = facts.numbers
    lines = [
        f"It is not a forecast. It says what would differ in {fact['place']} if an option were added and all else stayed alike.",
        "Nobody in it is real: the people are synthetic and stand for groups, not for persons.",
        "Effects come from studies done elsewhere, moved to this place by the rules in the ledger.",
        "Behaviour in each neighbourhood is predicted from who lives there and what is there; it is not fitted to local surveys.",
        "Groups that no table holds apart, such as faith within an ethnic group or rare conditions, cannot be told apart here.",
        "Care costs and lives lengthened are not counted yet: whether an option pays for itself is asked of wellbeing alone.",
        "Money is counted as the scenarios state it, not discounted and without what it could do elsewhere.",
    ]
    if fact["spend"]["unequal"]:
        lines.append("It cannot say which idea is best for the same money, because the options do not cost the same.")
    return lines + [str(note) for note in facts.result.manifest["place"].get("notes", [])]


# --- pieces of the page ---------------------------------------------------------------------------------------------
def _section(chart: Chart | str, svg: str | None) -> dict[str, Any]:
    if isinstance(chart, str):
        return {"drawn": False, "sentence": chart}
    return {
        "drawn": True, "name": chart.name, "question": chart.question, "headline": chart.headline, "subtitle": chart.subtitle,
        "source": chart.source, "alt": chart.alt, "limits": chart.limits, "sentences": chart.sentences,
        "svg": Markup(svg), "table": _html_table(chart.data), "csv": _data_uri(chart.data),
        "short": len(chart.data) <= SHORT_TABLE,
    }  # fmt: skip


def _html_table(table: pd.DataFrame) -> dict[str, Any]:
    """Return heads, whether each column is numbers, and the cells as texts with a fixed number of decimals per column."""
    columns = []
    for name in table.columns:
        values = [v.item() if isinstance(v, np.generic) else v for v in table[name]]
        numeric = all(isinstance(v, int | float) or v is None for v in values) and len(values) > 0
        columns.append([_cell(str(name), v, _decimals(values) if numeric else 0) for v in values])
    numbers = [bool(col) and all(cell[:1] in NUMERIC or cell in NOT_COUNTED for cell in col) for col in columns]
    return {"heads": [str(c) for c in table.columns], "numbers": numbers, "rows": [list(row) for row in zip(*columns)]}


def _decimals(values: list[Any]) -> int:
    known = [v for v in values if isinstance(v, float) and np.isfinite(v)]
    return next((d for d in (0, 1, 2) if all(abs(round(v, d) - v) < 1e-9 for v in known)), 2)


def _cell(head: str, value: Any, digits: int) -> str:
    if value is None or (isinstance(value, float) and not np.isfinite(value)):
        return ""
    if isinstance(value, bool | str):
        return str(value)
    if head in ("Year", "Tenth (1 most deprived)"):
        return str(value)
    if isinstance(value, int):
        return say.whole(value)
    if digits == 2 and abs(value) < 0.1:
        return f"{value:.3g}".replace("-", say.MINUS)
    return say.plain(value, digits)


def _data_uri(table: pd.DataFrame) -> Markup:
    return Markup("data:text/csv;charset=utf-8," + quote(table.to_csv(index=False, lineterminator="\r\n")))


def _options(facts: Facts) -> list[dict[str, Any]]:
    rows = []
    for k, scenario in enumerate(facts.result.manifest["scenarios"]):
        rows.append(
            {
                "title": scenario["title"], "slogan": str(scenario.get("slogan", "")).rstrip("."),
                "summary": scenario.get("summary", ""),
                "budget": "" if k == 0 else scenario.get("budget_text", ""),
                "interventions": say.listed([labels.pretty(i) for i in scenario.get("interventions", [])]),
                "pounds": "" if k == 0 else say.pounds(scenario["pounds_per_resident_a_year"]), "baseline": k == 0,
            }
        )  # fmt: skip
    return rows


def _counts(facts: Facts) -> list[tuple[str, str, str, int]]:
    counts = facts.result.tables["assumptions"]["status"].value_counts()
    return [
        (labels.STATUS_MARKS[status], labels.STATUS_WORDS[status], words.STATUSES_OF_NUMBERS[status], int(counts.get(status, 0)))
        for status in ("read", "computed", "recalled", "assumed")
    ]


def _about(facts: Facts) -> list[tuple[str, str]]:
    manifest = facts.result.manifest
    packages = ", ".join(f"{name} {version}" for name, version in sorted(manifest.get("packages", {}).items()))
    return [
        ("Made with", f"movesim {manifest['movesim']}, Python {manifest.get('python', '')}" + (f", "
        f"{packages}" if packages else "")),
        ("Made on", _day(str(manifest["created"]))),
        ("Place", f"{manifest['place']['title']}: {facts.numbers['residents']:,} residents, "
        f"{facts.numbers['agents']:,} simulated "
                  f"people, {facts.numbers['neighbourhoods']:,} neighbourhoods"),
        ("Years", f"{facts.numbers['start_year']} to {facts.numbers['last_year']}"),
        ("Paired runs", f"{facts.numbers['pairs']:,}"),
        ("Settings drawn from", str(manifest["draws"])),
        ("Seed", str(manifest["seed"])),
        ("Fingerprint", str(manifest["fingerprint"])),
        ("Model", str(manifest.get("model_id", ""))),
    ]  # fmt: skip


def _day(created: str) -> str:
    day = date.fromisoformat(created[:10])
    return f"{day.day} {day:%B} {day.year}"
