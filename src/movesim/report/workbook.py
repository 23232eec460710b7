"""The workbook: one table per sheet, notes first, units in the headers, nothing merged."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from movesim.report import labels, say
from movesim.report.facts import Facts
from movesim.report.spend import payer
from movesim.report.tables import ENOUGH_PAIRS

HEAD = PatternFill("solid", fgColor="12436D")
DAY = (1980, 1, 1, 0, 0, 0)  # the date inside the zip file, fixed so that equal results give equal bytes


def summary_table(fact: dict[str, Any]) -> pd.DataFrame:
    """Return the ranked table: no change and the options, lowest average regret first; the page shows the same rows."""
    by = {option["name"]: option for option in fact["options"]}
    rows = []
    for name in fact["order"]:
        option = by.get(name, fact["baseline"])
        mine = name in by
        rows.append(
            {
                "Option": option["title"],
                "Gap, points": option["gap"],
                "Change in gap, points": option["change"] if mine else None,
                "Change, 9 in 10 runs, low": option["low"] if mine else None,
                "Change, 9 in 10 runs, high": option["high"] if mine else None,
                "Direction": ("WIDENS" if option["widens"] else "narrows" if option["clear"] else "not clear") if mine else "",
                "Runs in which the gap falls, %": round(100 * option["probability"], 1) if mine else None,
                "Runs in which it is best, %": None if fact["few"] else round(100 * option["best"], 1),
                "Average regret, points": option["regret"],
                "Inactive adults, %": option["inactive"],
                "Change in inactive, points": option["inactive_change"] if mine else None,
                "More active adults": option["extra_active"] if mine else None,
                "Pounds per resident a year": round(option["pounds_per_resident"], 2) if mine else None,
                "Pounds per extra active adult": _round_pounds(option["pounds_per_extra"]) if mine else None,
                "By when (8 in 10 runs narrower)": option["by_when"]["text"] if mine else "",
                "Monte Carlo error, points": round(option["mc_error"], 2) if mine else None,
                "Enough runs?": option["verdict"] if mine else "",
            }
        )
    return pd.DataFrame(rows)


def _round_pounds(value: float | None) -> int | None:
    return None if value is None else round(value)


def write_workbook(facts: Facts, tables: dict[str, pd.DataFrame], path: Path) -> None:
    """Write the workbook.

    facts: a result and its numbers. tables: the data behind the charts by chart name. path: the file to write.
    """
    book = Workbook()
    book.remove(book.active)
    _read_me(book.create_sheet("Read me"), facts)
    sheets: list[tuple[str, pd.DataFrame | None]] = [
        ("Summary", summary_table(facts.numbers)),
        ("Gap by year", tables.get("gap-over-time")),
        ("Deciles", tables.get("gradient")),
        ("Groups", tables.get("groups")),
        ("Money", _money(facts)),
        ("Assumptions", assumptions_table(facts)),
        ("Settings", _settings(facts)),
    ]
    for title, table in sheets:
        empty = pd.DataFrame({"Note": ["This run has no such table; the report says why."]})
        _sheet(book.create_sheet(title), empty if table is None or table.empty else table)
    created = str(facts.result.manifest["created"])
    _save(book, path, created)


def assumptions_table(facts: Facts) -> pd.DataFrame:
    """Return the ledger of settings: weakest evidence first."""
    ledger = facts.result.tables["assumptions"]
    order = {"assumed": 0, "recalled": 1, "computed": 2, "read": 3}
    ledger = ledger.assign(order=ledger["status"].map(order).fillna(0)).sort_values(["order", "path"], kind="stable")
    return pd.DataFrame(
        {
            "Setting": ledger["path"], "What it is": ledger["meaning"], "Value": ledger["value"], "Low": ledger["low"],
            "High": ledger["high"], "Unit": ledger["unit"],
            "Evidence": ledger["status"].map(labels.STATUS_MARKS).fillna("weakest"),
            "Status": ledger["status"].map(labels.STATUS_WORDS).fillna(ledger["status"]), "Grade": ledger["grade"],
            "Drawn from": ledger["distribution"], "Source": ledger["source"], "Evidence rows": ledger["ids"],
            "Used by": ledger["used_by"],
        }
    ).reset_index(drop=True)  # fmt: skip


def _money(facts: Facts) -> pd.DataFrame:
    money = facts.result.tables["money"]
    titles = {o["name"]: o["title"] for o in facts.numbers["options"]}
    if money.empty:
        return pd.DataFrame()
    keys = ["scenario", "year", "intervention", "payer", "unit"]
    table = (
        money[money["scenario"].isin(titles)]
        .groupby(keys, sort=False)[["spent", "delivered", "undelivered"]]
        .mean()
        .reset_index()
    )
    year = table["year"] + facts.numbers["start_year"] - 1
    return pd.DataFrame(
        {
            "Option": table["scenario"].map(titles), "Year": year, "Intervention": table["intervention"].map(labels.pretty),
            "Payer": table["payer"].map(lambda name: payer(name, True)), "Spent, pounds, mean of runs": table["spent"].round(0),
            "Delivered, units": table["delivered"].round(0), "Not delivered, units": table["undelivered"].round(0),
            "Unit": table["unit"],
        }
    )  # fmt: skip


def _settings(facts: Facts) -> pd.DataFrame:
    manifest = facts.result.manifest
    keys = (
        "movesim",
        "python",
        "command_line",
        "created",
        "seed",
        "draws",
        "replicates",
        "years",
        "start_year",
        "fingerprint",
        "model_id",
    )
    rows: list[tuple[str, Any]] = [(labels.pretty(key), manifest.get(key, "")) for key in keys]
    rows += [(f"Scenario {s['name']}", f"{s['title']}: {s.get('budget_text', '')}") for s in manifest["scenarios"]]
    rows += [(f"config.yaml line {k}", line) for k, line in enumerate(facts.result.settings.splitlines(), start=1)]
    return pd.DataFrame(rows, columns=["Setting", "Value"])


def _read_me(sheet: Worksheet, facts: Facts) -> None:
    fact, manifest = facts.numbers, facts.result.manifest
    lines: list[tuple[str, str]] = [("Finding", fact["finding"]), ("", fact["finding_more"])]
    lines += [("Caution", text) for text in fact["cautions"]]
    lines += [
        ("Key number", f"{key['big']} {key['small']}. {key['range'][:1].upper()}{key['range'][1:]}.") for key in fact["key"]
    ]
    lines += [("How sure are we?", text) for text in fact["sure"]]
    lines += [
        ("Place", f"{fact['place']}, {fact['residents']:,} residents, {fact['agents']:,} simulated people"),
        ("Date", str(manifest["created"])[:10]),
        (
            "Gap",
            "Slope index of adult inactivity (under 30 minutes a week) across national deprivation tenths, percentage points",
        ),
        ("Range", f"9 in 10 paired runs lie inside; not shown for fewer than {ENOUGH_PAIRS} paired runs"),
        ("Not in the range", "How well the model is built. These are synthetic people and not a forecast."),
        ("Sheets", "Summary, Gap by year, Deciles, Groups, Money, Assumptions, Settings: one table each, units in the headers"),
        ("Repeat this run", str(manifest["command_line"])),
    ]
    _sheet(sheet, pd.DataFrame(lines, columns=["What", "In words"]))
    sheet.column_dimensions["B"].width = 110
    for row in sheet.iter_rows(min_row=2, min_col=2, max_col=2):
        row[0].alignment = Alignment(wrap_text=True, vertical="top")


def _sheet(sheet: Worksheet, table: pd.DataFrame) -> None:
    for column, title in enumerate(table.columns, start=1):
        cell = sheet.cell(1, column, str(title))
        cell.font, cell.fill = Font(bold=True, color="FFFFFF"), HEAD
        cell.alignment = Alignment(wrap_text=True, vertical="top")
    for r, row in enumerate(table.itertuples(index=False), start=2):
        for c, value in enumerate(row, start=1):
            _fill(sheet, r, c, value)
    for column, title in enumerate(table.columns, start=1):
        longest = _longest(table.iloc[:, column - 1])
        sheet.column_dimensions[get_column_letter(column)].width = min(max(longest + 2, min(len(str(title)), 16) + 2, 9), 60)
    sheet.freeze_panes = "B2"
    sheet.sheet_view.zoomScale = 110


def _longest(values: Iterable[Any]) -> int:
    return max((len(str(value)) for value in values if value is not None), default=0)


def _fill(sheet: Worksheet, row: int, column: int, value: Any) -> None:
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or (isinstance(value, float) and not np.isfinite(value)):
        return
    if isinstance(value, list | tuple | dict):
        value = str(value)
    cell = sheet.cell(row, column)
    cell.value = (
        value.replace(say.MINUS, "-") if isinstance(value, str) and re.fullmatch(rf"{say.MINUS}?[\d.,]+", value) else value
    )
    if isinstance(value, str):
        cell.data_type = "s"  # a title that starts with "=" is words and not a formula
    elif isinstance(value, float):
        cell.number_format = "#,##0.0##" if abs(value) < 1000 else "#,##0"
    elif isinstance(value, int) and abs(value) >= 10_000:
        cell.number_format = "#,##0"


def _save(book: Workbook, path: Path, created: str) -> None:
    moment = datetime.fromisoformat(created.replace("Z", "+00:00")).replace(tzinfo=None)
    book.properties.creator, book.properties.title, book.properties.created = "movesim", "movesim results", moment
    stream = io.BytesIO()
    book.save(stream)
    stamp = moment.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    with zipfile.ZipFile(stream) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "docProps/core.xml":
                content = re.sub(rb"(<dcterms:modified[^>]*>)[^<]*", rb"\g<1>" + stamp, content)
            new.writestr(zipfile.ZipInfo(name, DAY), content, zipfile.ZIP_DEFLATED)
