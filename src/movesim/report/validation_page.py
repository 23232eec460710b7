"""The scorecard as a page: one chart a section, with coverage and the scores beside simpler rules."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from movesim.report import say
from movesim.report.figures.scorecard import scorecard
from movesim.report.page import _section
from movesim.report.style import Chart

CANNOT = (
    "A figure inside its interval does not show that the model is right, only that this figure does not show it to be wrong.",
    "Figures of one table are not independent of each other: seventeen authorities share one model of deprivation.",
    "What interventions do is tested elsewhere, by re-running their studies (movesim trials).",
    "Some ranges of assumed numbers were set by people who had read a few of these figures; the table names those numbers.",
)


def build_validation_report(folder: Path | str) -> Path:
    """Write report.html and figures/ into the folder of a validation and return the path of the page."""
    folder = Path(folder)
    table, cover, scores = (pd.read_parquet(folder / f"{name}.parquet") for name in ("scorecard", "coverage", "scores"))
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    (folder / "figures").mkdir(exist_ok=True)
    drawn = [scorecard(name, manifest["titles"][name], table) for name in dict.fromkeys(table["section"])]
    charts = [chart for chart in drawn if isinstance(chart, Chart)]
    svgs = {chart.name: chart.svg() for chart in charts}
    for chart in charts:
        (folder / "figures" / f"{chart.name}.svg").write_text(svgs[chart.name], encoding="utf-8")
        (folder / "figures" / f"{chart.name}.png").write_bytes(chart.png())
    half = folder / ".report.html.part"
    half.write_text(_render(table, cover, scores, manifest, drawn, svgs), encoding="utf-8")
    os.replace(half, folder / "report.html")
    return folder / "report.html"


def finding(cover: pd.DataFrame) -> tuple[str, str]:
    """Return what the scorecard found in one sentence, and what goes with it in another."""
    whole = cover[cover["section"] == "all"].iloc[0]
    hit = round(whole["inside_90"] * whole["figures"])
    first = f"Of {say.count(int(whole['figures']), 'figure')} that the model never saw, {hit} lie inside its 90% intervals."
    wanted = "fewer than intervals of that name should hold: they are too narrow, or the model is wrong, where it says MISS"
    enough = "about as many as intervals of that name should hold"
    return first, (
        f"That is {say.per_cent(100 * whole['inside_90'])} ({enough if whole['inside_90'] >= 0.85 else wanted}); the 50% "
        f"intervals hold {say.per_cent(100 * whole['inside_50'])}."
    )


def _render(
    table: pd.DataFrame, cover: pd.DataFrame, scores: pd.DataFrame, manifest: dict[str, Any], drawn: list[Chart | str],
    svgs: dict[str, str],
) -> str:  # fmt: skip
    first, more = finding(cover)
    about = _about(table, cover, scores, manifest)
    return plain_page("validation", first, more, _cards(cover, scores), drawn, svgs, CANNOT, about)


def plain_page(
    kind: str, finding: str, more: str, cards: list[dict[str, Any]], drawn: list[Chart | str], svgs: dict[str, str],
    cannot: Sequence[str], about: list[tuple[str, str]],
) -> str:  # fmt: skip
    """Return a page of charts under a finding, which loads nothing from anywhere and has no scripts."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    home = resources.files("movesim.report")
    macros = (home / "page.html.j2").read_text(encoding="utf-8").split("{% set contents")[0]
    template = environment.from_string(macros + (home / "validation.html.j2").read_text(encoding="utf-8"))
    sections = [{"question": "", **_section(c, svgs.get(c.name) if isinstance(c, Chart) else None)} for c in drawn]
    return template.render(
        kind=kind, finding=finding, more=more, cards=cards, charts=sections, cannot=cannot, about=about,
        style=Markup((home / "page.css").read_text(encoding="utf-8")),
    ).lstrip()  # fmt: skip


def _cards(cover: pd.DataFrame, scores: pd.DataFrame) -> list[dict[str, Any]]:
    whole = cover[cover["section"] == "all"].iloc[0]
    cards = [
        {"big": say.per_cent(100 * whole["inside_90"]), "small": "of the figures are inside the 90% interval",
         "worse": bool(whole["inside_90"] < 0.8)},
        {"big": say.per_cent(100 * whole["inside_50"]), "small": "are inside the 50% interval", "worse": False},
    ]  # fmt: skip
    for row in scores.itertuples():
        worse = row.model < row.beside if row.name == "rank" else row.model > row.beside
        small = f"{row.meaning} ({row.beside_name}: {row.beside:.3f})"
        cards.append({"big": f"{row.model:.3f}", "small": small, "worse": bool(worse)})
    return cards


def _about(table: pd.DataFrame, cover: pd.DataFrame, scores: pd.DataFrame, manifest: dict[str, Any]) -> list[tuple[str, str]]:
    parts = cover[cover["section"] != "all"]
    listed = "; ".join(
        f"{manifest['titles'][r.section]}: {say.per_cent(100 * r.inside_90)} and {say.per_cent(100 * r.inside_50)} of {r.figures}"
        for r in parts.itertuples()
    )
    ranges = "; ".join(
        f"{r.meaning}: {r.model:.3f} for the mean prediction, {r.low:.3f} to {r.high:.3f} for single pairs"
        for r in scores.itertuples()
    )
    cited = sorted({p for row in table["prior_cites"] for p in str(row).split(";") if p})
    return [
        ("Inside the 90% and 50% intervals", listed),
        ("Beside simpler rules", ranges),
        ("Ranges set with a figure in mind", ", ".join(cited) or "none"),
        ("Made by", f"{manifest['command_line']}, {manifest['replicates']} pairs, movesim {manifest['movesim']}"),
    ]
