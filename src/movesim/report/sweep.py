"""What people see of a sweep: how the change of an outcome moves with the numbers that were swept."""

from __future__ import annotations

import html
import json
import os
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from movesim.errors import InputError, did_you_mean, one_of
from movesim.report import say
from movesim.report.learned import shock_words
from movesim.words import HEADLINE

if TYPE_CHECKING:
    from movesim.report.style import Chart

GAP = ".".join(HEADLINE)
RUN = ["point", "draw", "replicate", "scenario"]
MANY = 6  # swept numbers that are drawn one by one


def is_sweep(folder: Path | str) -> bool:
    """Tell whether a result folder is that of a sweep."""
    path = Path(folder) / "manifest.json"
    return path.is_file() and json.loads(path.read_text(encoding="utf-8")).get("command") == "sweep"


def manifest_of(folder: Path | str) -> dict[str, Any]:
    """Return the manifest of a sweep."""
    return json.loads((Path(folder) / "manifest.json").read_text(encoding="utf-8"))


def cell_of(outcome: str) -> dict[str, str]:
    """Return the cell of an outcome's name: an axis (its gap in inactivity), 'spent', or four words with dots between.

    Those are age_group.axis.outcome.measure for a gap and age_group.axis.outcome.LEVEL for a group. Raises InputError.
    """
    from movesim.words import AXIS, MEASURES

    if outcome == "spent":
        return {"age_group": "all", "axis": "all", "outcome": "spent", "measure": "level", "level": "all"}
    if outcome in AXIS and outcome != "all":
        outcome = f"adult.{outcome}.inactive.{'sii' if AXIS[outcome].ordered else 'mean_deviation'}"
    parts = outcome.split(".")
    if len(parts) != 4:
        raise InputError(f"outcome must be spent, an axis, or age_group.axis.outcome.measure, as in {GAP}, got '{outcome}'.")
    gap = parts[3] in [word.name for word in MEASURES]
    cell = dict(zip(("age_group", "axis", "outcome"), parts[:3], strict=True))
    return {**cell, "measure": parts[3] if gap else "level", "level": "" if gap else parts[3]}


def changes(folder: Path | str, outcome: str = GAP, scenario: str | None = None, week: int | None = None) -> pd.DataFrame:
    """Return a row a point and scenario: the swept numbers, the mean change over pairs, its range, its error, and pairs.

    Changes are from no change, paired; shares are in percentage points. Raises InputError for an outcome that is not there.
    """
    import pyarrow.parquet as pq

    manifest, cell = manifest_of(folder), cell_of(outcome)
    last = int(manifest["years"]) * 52
    wanted = [(name, "==", value) for name, value in cell.items()] + [("week", "==", last if week is None else int(week))]
    names = [row["name"] for row in manifest["scenarios"][1:]]
    if scenario is not None and scenario not in names:
        raise InputError(f"This sweep has no scenario '{scenario}'.{did_you_mean(scenario, names)} It has {one_of(names)}.")
    if scenario is not None:
        wanted.append(("scenario", "==", scenario))
    columns = [*RUN, *manifest["swept"], "change"]
    table = pq.read_table(Path(folder) / "sweep.parquet", columns=columns, filters=wanted).to_pandas()
    if table.empty:
        raise InputError(f"This sweep has no outcome '{outcome}' in that week; an example is {GAP}, in week {last}.")
    table["change"] *= _scale(cell)
    groups = table.groupby(["scenario", "point"], sort=True)
    found = groups[manifest["swept"]].first()
    held = groups["change"]
    found["change"], found["low"], found["high"] = held.mean(), held.quantile(0.05), held.quantile(0.95)
    found["mc_error"], found["pairs"] = held.std(ddof=1) / np.sqrt(held.size()), held.size()
    return found.reset_index().sort_values("scenario", key=lambda held: held.map(names.index), kind="stable", ignore_index=True)


def _scale(cell: dict[str, str]) -> float:
    plain = cell["outcome"] in ("minutes", "spent") or cell["measure"] in ("relative", "odds_ratio", "rii", "erreygers", "theil")
    return 1.0 if plain else 100.0


def unit_of(outcome: str) -> str:
    """Return the unit of an outcome's change."""
    cell = cell_of(outcome)
    if cell["outcome"] == "spent":
        return "pounds per resident a year"
    if _scale(cell) == 100:
        return "percentage points"
    return "minutes a week" if cell["outcome"] == "minutes" and cell["measure"] != "relative" else "ratio"


def title_of(outcome: str) -> str:
    """Return an outcome in words."""
    cell = cell_of(outcome)
    if cell["outcome"] == "spent":
        return "spending"
    if outcome == GAP:
        return "the gap in adult inactivity by deprivation"
    what = f"{cell['outcome'].replace('_', ' ')}, {cell['age_group']}s, by {cell['axis'].replace('_', ' ')}"
    return f"{cell['measure'].replace('_', ' ')} of {what}" if cell["measure"] != "level" else f"{what}: {cell['level']}"


def headline(folder: Path | str) -> pd.DataFrame:
    """Return the change of the headline gap at every point."""
    return changes(folder)


def sweep_lines(folder: Path | str) -> list[str]:
    """Return what a sweep found, in a few lines of plain words."""
    manifest, table = manifest_of(folder), headline(folder)
    lines = [
        f"movesim sweep \u00b7 {say.count(manifest['points'], 'point')} \u00b7 {manifest['runs']:,} pairs of runs \u00b7 "
        f"{manifest['place']['title']}"
    ]
    lines += [words] if (words := shock_words(manifest)) else []
    for scenario, rows in table.groupby("scenario", sort=False):
        low, high = rows.loc[rows["change"].idxmin()], rows.loc[rows["change"].idxmax()]
        error = rows["mc_error"].median()
        known = f"; Monte Carlo error of a point {error:.2g}" if np.isfinite(error) else ""
        lines.append(
            f"{scenario}: the gap changes by {say.signed(low['change'], 2)} points at {_at(low, manifest)} and by "
            f"{say.signed(high['change'], 2)} at {_at(high, manifest)}{known}."
        )
    if manifest["failed"]:
        lines.append(f"{manifest['failed']:,} of {manifest['runs']:,} runs failed and are not in the table; see failed/.")
    path = os.path.relpath(folder)
    path = str(folder) if path.startswith("..") else path
    lines.append(f"Saved in {path}: sweep.parquet (every run), report.html, figures/")
    swept = manifest["swept"]
    more = f"movesim report {path} x={swept[0]}" + (f" y={swept[1]}" if len(swept) > 1 else "")
    return [*lines, f"Any other outcome: {more} outcome=adult.all.active.all"]


def _at(row: pd.Series, manifest: dict[str, Any]) -> str:
    return ", ".join(f"{path.split('.', 1)[1]} {row[path]:.4g}" for path in manifest["swept"] if np.isfinite(row[path]))


# --- charts ---------------------------------------------------------------------------------------------------------
def chart(
    folder: Path | str, x: str | None = None, y: str | None = None, outcome: str = GAP, scenario: str | None = None,
    week: str | int | None = None,
) -> Chart:  # fmt: skip
    """Return the chart of an outcome against one swept number (x) or two (x and y); raise InputError for unknown ones."""
    from movesim.report.figures.sweep import against_one, against_two

    manifest = manifest_of(folder)
    swept = manifest["swept"]
    x = swept[0] if x is None else x
    for path in (x, y):
        if path is not None and path not in swept:
            raise InputError(f"'{path}' was not swept here.{did_you_mean(path, swept)} Swept were {one_of(swept)}.")
    if week is not None and not str(week).isdigit():
        raise InputError(f"week must be a whole number, got '{week}'.")
    table = changes(folder, outcome, scenario, None if week is None else int(week))
    titles = {row["name"]: row["title"] for row in manifest["scenarios"]}
    named = {"outcome": title_of(outcome), "unit": unit_of(outcome), "place": manifest["place"]["title"]}
    if y is None:
        return against_one(table, x, swept, titles, named)
    one = scenario or str(manifest["scenarios"][1]["name"])
    return against_two(table[table["scenario"] == one], x, y, titles[one], named)


def plot(folder: Path | str, **asked: Any) -> Path:
    """Draw an outcome of a sweep against one or two numbers into figures/ and return the PNG."""
    if not is_sweep(folder):
        raise InputError(f"{folder} is not the result of a sweep; x=, y= and outcome= are for sweeps.")
    drawn = chart(folder, **asked)
    figures = Path(folder) / "figures"
    figures.mkdir(exist_ok=True)
    parts = [str(asked[key]) for key in ("outcome", "scenario", "week", "x", "y") if asked.get(key)]
    name = "-".join(["sweep", *parts]).replace("/", "-")
    (figures / f"{name}.svg").write_text(drawn.svg(), encoding="utf-8")
    path = figures / f"{name}.png"
    path.write_bytes(drawn.png())
    return path


def sweep_page(folder: Path | str) -> Path:
    """Write report.html, figures/ and workbook.xlsx of a sweep and return the path of the page."""
    folder, manifest = Path(folder), manifest_of(folder)
    swept = manifest["swept"]
    drawn = [chart(folder, x=path) for path in swept[:MANY]]
    drawn += [chart(folder, x=swept[0], y=swept[1])] if len(swept) > 1 else []
    figures = folder / "figures"
    figures.mkdir(exist_ok=True)
    for old in figures.glob("sweep-*"):
        old.unlink()
    sections = []
    for number, each in enumerate(drawn, start=1):
        svg = each.svg()
        (figures / f"sweep-{number}.svg").write_text(svg, encoding="utf-8")
        (figures / f"sweep-{number}.png").write_bytes(each.png())
        (figures / f"sweep-{number}.txt").write_text(f"{each.headline}\n\n{each.alt}\n", encoding="utf-8")
        sections.append(
            f"<section><h2>{html.escape(each.headline)}</h2><figure><figcaption><p class='subtitle'>{html.escape(each.subtitle)}"
            f"</p></figcaption><div class='scroll drawing'>{svg}</div><p class='source'>{html.escape(each.source)}</p>"
            f"<p class='limits'>{html.escape(each.limits)}</p></figure></section>"
        )
    table = headline(folder)
    table.to_excel(folder / "workbook.xlsx", sheet_name="Change of the gap", index=False)
    css = (resources.files("movesim.report") / "page.css").read_text(encoding="utf-8")
    *told, saved, more = sweep_lines(folder)
    page = (
        "<!doctype html><html lang='en-GB'><head><meta charset='utf-8'><meta name='viewport' content='width=device-width'>"
        f"<title>Sweep, {html.escape(manifest['place']['title'])}</title><style>{css}</style></head><body><header>"
        f"<p class='running'>{html.escape(told[0])}</p><h1>How the change of the gap moves with the numbers that were swept</h1>"
        f"</header><main>{''.join(f'<p>{html.escape(line)}</p>' for line in told[1:])}{''.join(sections)}"
        f"<section><h2>About this sweep</h2><p>{html.escape(saved)}</p>"
        f"<p><code>{html.escape(manifest['command_line'])}</code></p>"
        f"<p>{html.escape(more)}</p></section></main></body></html>\n"
    )
    path, half = folder / "report.html", folder / ".report.html.part"
    half.write_text(page, encoding="utf-8")
    os.replace(half, path)
    return path
