"""What people see of a sensitivity analysis: three sentences, charts, a verdict, and under which conditions the plan fails."""

from __future__ import annotations

import html
import os
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from movesim.errors import InputError, did_you_mean, one_of
from movesim.report import say
from movesim.report.sweep import cell_of, manifest_of, title_of, unit_of

if TYPE_CHECKING:
    from movesim.report.style import Chart

MAIN = {"morris": "mu_star", "sobol": "ST", "fast": "ST", "rbd_fast": "S1", "pawn": "median", "dgsm": "bound", "rsa": "distance"}
METHODS = {
    "morris": "Screening (Morris)", "sobol": "Shares of variance (Sobol')", "fast": "Shares of variance (eFAST)",
    "rbd_fast": "Shares of variance from given runs (RBD-FAST)", "pawn": "Whole distributions (PAWN)",
    "dgsm": "Bounds from derivatives (DGSM)", "rsa": "The worst quarter of runs (regional sensitivity)",
}  # fmt: skip
WORDS = {"seed": "chance (the seed)", "fitted": "the fitted model, all of its numbers", "dummy": "nothing"}
BEST = ("sobol", "fast", "rbd_fast", "pawn", "rsa", "dgsm", "morris")  # which method the sentences are taken from


def is_sensitivity(folder: Path | str) -> bool:
    """Tell whether a result folder is that of a sensitivity analysis."""
    return (Path(folder) / "manifest.json").is_file() and manifest_of(folder).get("command") == "sensitivity"


def label_of(parameter: str) -> str:
    """Return the name of a factor as it stands beside a bar.

    >>> label_of("scenarios.routes.ladder.offered"), label_of("seed"), label_of("behaviour.habit.gain")
    ('ladder.offered', 'chance (the seed)', 'habit.gain')
    """
    head, _, rest = parameter.partition(".")
    if parameter in WORDS:
        return WORDS[parameter]
    if head == "scenarios" and rest.startswith("baseline."):
        return rest.removeprefix("baseline.")
    return rest.partition(".")[2] if head == "scenarios" else rest if head == "behaviour" else parameter


def words_of(outcome: str) -> tuple[str, str]:
    """Return an outcome's title and unit in words."""
    kind, colon, rest = outcome.rpartition(":")
    cell, at, year = rest.partition("@")
    what = {"": "the change of ", "change": "the change of ", "value": "", "baseline": "no change's "}[kind if colon else ""]
    if cell != "spent":
        told = cell_of(cell)
        cell = ".".join([told["age_group"], told["axis"], told["outcome"], told["level"] or told["measure"]])
    unit = unit_of(cell)
    return f"{what}{title_of(cell)}{f' in year {year}' if at else ''}", "points" if unit == "percentage points" else unit


def table_of(folder: Path | str, outcome: str, method: str, every_year: bool = False) -> pd.DataFrame:
    """Return the indices of an outcome and method, of its own year alone or of every year kept."""
    table = pd.read_parquet(Path(folder) / "sensitivity.parquet")
    rows = table[(table["outcome"] == outcome) & (table["method"] == method)]
    if every_year or rows.empty:
        return rows
    year = outcome.partition("@")[2]
    return rows[rows["year"] == (int(year) if year else rows["year"].max())]


def three_sentences(folder: Path | str, outcome: str) -> list[str]:
    """Return what an outcome depends on, what it does not, and what to measure next."""
    folder, manifest = Path(folder), manifest_of(folder)
    method = next(m for m in BEST if m in manifest["analyses"] and outcome in manifest["analyses"][m]["outcomes"])
    rows = table_of(folder, outcome, method)
    title, _ = words_of(outcome)
    rows = rows[rows["index"] == MAIN[method]].sort_values("value", ascending=False)
    if rows.empty:
        return [f"{title[0].upper()}{title[1:]} is the same in every run: nothing that was varied moves it."]
    real = rows[~rows["parameter"].isin(["seed", "dummy"])]
    told, silent = real[real["told"]], real[~real["told"]]
    luck = rows[(rows["parameter"] == "seed") & rows["told"]]
    share = f"; {100 * float(luck['value'].iloc[0]):.0f}% of its variance is chance" if len(luck) and MAIN[method] == "ST" else ""
    lead = [label_of(p) for p in told["parameter"].head(3)]
    sofar = "" if manifest["analyses"][method]["outcomes"][outcome]["verdict"]["converged"] else "So far (not settled): "
    head = f"{sofar}{title}" if sofar else title[0].upper() + title[1:]
    none = f"{head}: no factor can be told from zero with so few runs{share}."
    depends = f"{head} depends most on {_and(lead)}{share}." if lead else none
    names = [label_of(p) for p in silent["parameter"]]
    if method == "sobol" and "kept" in manifest["analyses"].get("morris", {}):
        names += [label_of(p) for p in manifest["analyses"]["morris"]["dropped"] if p not in set(rows["parameter"])]
    few = _and(names[:4]) if len(names) <= 4 else f"{', '.join(names[:4])} and {len(names) - 4} more"
    verb = "it cannot be told to depend on" if names else ""
    rest = f"As far as these runs can tell, {verb} {few}." if names else "Every factor that was varied can be told from zero."
    return [depends, rest, _next(folder, told)]


def _next(folder: Path, told: pd.DataFrame) -> str:
    """Return what to find out first: the leading number whose evidence is weak."""
    if told.empty:
        return "Nothing leads yet: more runs come before any measurement."
    path = folder / "assumptions.parquet"
    ledger = pd.read_parquet(path).set_index("path") if path.is_file() else pd.DataFrame()
    for parameter in told["parameter"]:
        own = parameter.removeprefix("behaviour.")
        if own in ledger.index and ledger.loc[own, "status"] in ("assumed", "recalled"):
            row = ledger.loc[own]
            return (
                f"Measure next: {label_of(parameter)} ({str(row['meaning']).rstrip('.')}), {row['status']} at {row['value']:.4g} "
                f"({row['low']:.4g} to {row['high']:.4g} {row['unit']})."
            )
        if parameter == "fitted":
            return "Find out next what narrows the fit: more, or more exact, targets for the calibration."
    return "No leading number is an assumption: more runs, or wider ranges, are the next step."


def _and(names: list[str]) -> str:
    return one_of(names).replace(" or ", " and ")


def sensitivity_lines(folder: Path | str) -> list[str]:
    """Return what a sensitivity analysis found, in plain words."""
    manifest = manifest_of(folder)
    lines = [f"movesim sensitivity \u00b7 {manifest['runs']:,} runs \u00b7 {manifest['place']['title']}"]
    for outcome in manifest["outcomes"]:
        lines += three_sentences(folder, outcome)
    first = manifest["outcomes"][0]
    for method, found in manifest["analyses"].items():
        if first in found["outcomes"]:
            lines.append(f"{METHODS[method]}: {found['outcomes'][first]['verdict']['sentence']}")
    path = os.path.relpath(folder)
    lines.append(f"Saved in {str(folder) if path.startswith('..') else path}: report.html, sensitivity.parquet, figures/")
    return lines


# --- charts -----------------------------------------------------------------------------------------------------------
def charts(folder: Path | str) -> Iterator[tuple[str, str, Chart]]:
    """Yield outcome, method and chart of everything that was analysed."""
    from movesim.report.figures.sensitivity import bars, over_time, pair_map, plane, tornado

    manifest = manifest_of(folder)
    for method in [m for m in BEST if m in manifest["analyses"]]:
        found = manifest["analyses"][method]
        for outcome, told in found["outcomes"].items():
            rows = table_of(folder, outcome, method)
            if rows.empty:
                continue
            every = table_of(folder, outcome, method, every_year=True)
            title, unit = words_of(outcome)
            named = {
                "title": title, "unit": unit, "method": f"{method}-{outcome}", "mean": told["mean"],
                "labels": {p: label_of(p) for p in [*rows["parameter"].unique(), *(e["parameter"] for e in told["ends"])]},
                "source": f"Source: movesim, {manifest['place']['title']}. {METHODS[method]}: {found['runs']:,} runs in "
                f"{found['blocks']:,} independent designs.",
                "emulator": told["emulator"]["sentence"],
            }  # fmt: skip
            yield outcome, method, bars(rows, MAIN[method], named)
            if method == "morris":
                yield outcome, method, plane(rows, named)
            if told["ends"]:
                yield outcome, method, tornado(pd.DataFrame(told["ends"]), named)
            if told.get("pairs"):
                yield outcome, method, pair_map(pd.DataFrame(told["pairs"]), named)
            if len(set(every["year"])) > 1:
                yield outcome, method, over_time(every, MAIN[method], named)


def sensitivity_chart(folder: Path | str, name: str) -> Chart:
    """Return one chart by the name of its file; raise InputError for one that is not there."""
    drawn = {chart.name: chart for *_, chart in charts(folder)}
    if name == "gap-over-time":
        return next(iter(drawn.values()))
    if name not in drawn:
        raise InputError(f"There is no figure called '{name}'.{did_you_mean(name, drawn)} There are {one_of(list(drawn))}.")
    return drawn[name]


def sensitivity_page(folder: Path | str) -> Path:
    """Write report.html, figures/ and workbook.xlsx of a sensitivity analysis and return the path of the page."""
    folder, manifest = Path(folder), manifest_of(folder)
    figures = folder / "figures"
    figures.mkdir(exist_ok=True)
    for old in figures.iterdir():
        old.unlink()
    parts: list[str] = []
    drawn = list(charts(folder))
    for outcome in manifest["outcomes"]:
        title, _ = words_of(outcome)
        parts.append(f"<section><h2>{html.escape(title[0].upper() + title[1:])}</h2>")
        parts += [f"<p>{html.escape(line)}</p>" for line in three_sentences(folder, outcome)]
        for method in [m for m in BEST if m in manifest["analyses"]]:
            told = manifest["analyses"][method]["outcomes"].get(outcome)
            if told is None:
                continue
            parts.append(f"<h3>{html.escape(METHODS[method])}</h3><p>{html.escape(told['verdict']['sentence'])}</p>")
            parts += [_figure(chart, figures) for o, m, chart in drawn if (o, m) == (outcome, method)]
            parts.append(f"<p class='note'>{html.escape(told['emulator']['sentence'])}</p>")
            if "discovery" in told:
                items = "".join(f"<li>{html.escape(line)}</li>" for line in told["discovery"]["sentences"])
                parts.append(f"<h3>When does the plan fail?</h3><ul>{items}</ul>")
            parts.append(_table(table_of(folder, outcome, method)))
        parts.append("</section>")
    pd.read_parquet(folder / "sensitivity.parquet").to_excel(folder / "workbook.xlsx", sheet_name="Indices", index=False)
    css = (resources.files("movesim.report") / "page.css").read_text(encoding="utf-8")
    scenario = manifest["scenarios"][1]["title"] if len(manifest["scenarios"]) > 1 else ""
    page = (
        "<!doctype html><html lang='en-GB'><head><meta charset='utf-8'><meta name='viewport' content='width=device-width'>"
        f"<title>Sensitivity, {html.escape(manifest['place']['title'])}</title><style>{css}</style></head><body><header>"
        f"<p class='running'>{html.escape(sensitivity_lines(folder)[0])}</p>"
        f"<h1>Which assumptions decide: {html.escape(scenario)}</h1></header><main>{''.join(parts)}"
        f"<section><h2>About this analysis</h2><p><code>{html.escape(manifest['command_line'])}</code></p>"
        "<p>Intervals are 95%, over independent designs. One seed goes along a trajectory or a row of a Sobol' block, so "
        "the share of chance stands apart from the factors'. A hollow bar cannot be told from zero.</p></section></main></body>"
        "</html>\n"
    )
    path, half = folder / "report.html", folder / ".report.html.part"
    half.write_text(page, encoding="utf-8")
    os.replace(half, path)
    return path


def _figure(chart: Chart, figures: Path) -> str:
    svg, name = chart.svg(), chart.name.replace(":", "-").replace("@", "-")
    (figures / f"{name}.svg").write_text(svg, encoding="utf-8")
    (figures / f"{name}.png").write_bytes(chart.png())
    (figures / f"{name}.txt").write_text(f"{chart.headline}\n\n{chart.alt}\n", encoding="utf-8")
    return (
        f"<figure><figcaption><p><strong>{html.escape(chart.headline)}</strong></p><p class='subtitle'>"
        f"{html.escape(chart.subtitle)}</p></figcaption><div class='scroll drawing'>{svg}</div>"
        f"<p class='source'>{html.escape(chart.source)}</p>"
        f"<p class='limits'>{html.escape(chart.limits)}</p></figure>"
    )


def _table(rows: pd.DataFrame) -> str:
    """Return the indices as a table to be opened, with what is odd about each."""
    body = ""
    for row in rows.itertuples():
        ends = say.span(row.low, row.high, 3, sign=False) if np.isfinite(row.low) else ""
        body += (
            f"<tr><th scope='row'>{html.escape(row.parameter)}</th><td>{row.index}</td>"
            f"<td class='n'>{say.plain(row.value, 3)}</td>"
            f"<td class='n'>{ends}</td><td>{html.escape(row.note)}</td></tr>"
        )
    head = "<tr><th>Factor</th><th>Index</th><th class='n'>Value</th><th class='n'>95% interval</th><th>Note</th></tr>"
    table = f"<table><thead>{head}</thead><tbody>{body}</tbody></table>"
    return f"<details><summary>All indices</summary><div class='scroll'>{table}</div></details>"
