"""The report of a place: how well its people fit the published tables, as one page with figures and two Parquet tables."""

from __future__ import annotations

import os
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from movesim.place.fit import counted_of, disability_odds, fit
from movesim.place.library import BUILT_IN, fingerprint_of, load_place, margins_of
from movesim.place.margins import Margins
from movesim.place.observed import HELD_BACK, load_observed, of_margins
from movesim.place.population import Population
from movesim.place.social import social
from movesim.report import say
from movesim.report.figures.place_fit import LIMIT, PlaceFacts, disability, fitted, held_back, ties, worst
from movesim.report.page import _section
from movesim.report.style import Chart

CANNOT = (
    "Nobody in it is real: people are made up so that their totals are those of the tables.",
    "What no table holds together (class and ethnic group, say) goes together by published rates, judgements and chance.",
    "Inside a neighbourhood nothing is placed: no street, no address.",
    "How active people are is not in these tables: the model predicts it, and its own report says how sure it is.",
)


def place_facts(name: str, place_seed: int = 1, population: Population | None = None, workers: int = 1) -> PlaceFacts:
    """Return what the page of a place is made from.

    Arguments: name of a place; place_seed; population, all residents or a sample whose ties are described (a sample of 20,000
    unless given); workers, processes that share the work. Raises InputError for an unknown or damaged place.
    """
    from movesim.config import home

    margins = margins_of(name, place_seed).whole()
    observed = of_margins(margins) if name in BUILT_IN else load_observed(home() / "places" / name)
    counted = counted_of(name, margins, place_seed, workers)
    population = population or load_place(name, 20_000, place_seed)
    return PlaceFacts(
        name=name,
        title=margins.title,
        residents=margins.total,
        made=float(margins.residents.sum()),
        code=margins.code,
        label=margins.label,
        local_authority=margins.local_authority.astype(np.int64),
        local_authorities=margins.local_authorities,
        position=_position(margins),
        fits=fit(margins, observed, place_seed, counted=counted),
        odds=disability_odds(counted),
        social=social(population),
        notes=population.notes,
        fingerprint=fingerprint_of(name, place_seed),
    )


def _position(margins: Margins) -> Any:
    if not {"longitude", "latitude"} <= set(margins.facts):
        return None
    return np.stack([margins.facts["longitude"], margins.facts["latitude"]], axis=1)


def build_place_report(facts: PlaceFacts, folder: Path | str) -> Path:
    """Write report.html, figures/, fit.parquet and cells.parquet of a place into a folder and return the path of the page.

    Arguments: facts, as place_facts gives them; folder, made if need be.
    """
    folder = Path(folder)
    (folder / "figures").mkdir(parents=True, exist_ok=True)
    drawn = [fitted(facts), held_back(facts), disability(facts), worst(facts), ties(facts)]
    charts = [chart for chart in drawn if isinstance(chart, Chart)]
    svgs = {chart.name: chart.svg() for chart in charts}
    for chart in charts:
        (folder / "figures" / f"{chart.name}.svg").write_text(svgs[chart.name], encoding="utf-8")
        (folder / "figures" / f"{chart.name}.png").write_bytes(chart.png())
    by_lsoa(facts).to_parquet(folder / "fit.parquet", index=False)
    by_cell(facts).to_parquet(folder / "cells.parquet", index=False)
    half = folder / ".report.html.part"
    half.write_text(render(facts, drawn, svgs), encoding="utf-8")
    os.replace(half, folder / "report.html")
    return folder / "report.html"


def finding(facts: PlaceFacts) -> tuple[str, str]:
    """Return the finding in one sentence and what goes with it in another."""
    worst_table = max(facts.fitted, key=lambda f: f.error())
    within = worst_table.error() <= LIMIT
    stand = "" if facts.one_each else f", who stand for its {say.whole(round(facts.residents))} residents,"
    first = (
        f"The {say.whole(round(facts.made))} people made for {facts.title}{stand} meet every fitted table within "
        f"{say.per_cent(100 * worst_table.error(), 2)}" if within
        else f"The {say.whole(round(facts.made))} people made for {facts.title}{stand} miss {worst_table.kind.title.lower()} by "
        f"{say.per_cent(100 * worst_table.error(), 2)}"
    )  # fmt: skip
    held = facts.held_back
    if not held:
        return f"{first}.", "No table was held back to test them: this place is made from aggregates."
    better = [f for f in held if f.error(f.level) < f.error(f.average)]
    listed = "; ".join(
        f"{f.kind.title.lower()} {say.plain(100 * f.error(f.level))}% against {say.plain(100 * f.error(f.average))}%"
        for f in held
    )
    told = "all" if len(better) == len(held) else f"{len(better)} of {len(held)}"
    return f"{first}.", (
        f"Of the tables held back, {told} are predicted closer than by each authority's average: {listed} of people or "
        "households in the wrong category, each counted where it lacks and where it is too many."
    )


def render(facts: PlaceFacts, drawn: list[Chart | str], svgs: dict[str, str]) -> str:
    """Return the page as text; it loads nothing from anywhere and has no scripts."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    home = resources.files("movesim.report")
    macros = (home / "page.html.j2").read_text(encoding="utf-8").split("{% set contents")[0]
    template = environment.from_string(macros + (home / "place.html.j2").read_text(encoding="utf-8"))
    first, more = finding(facts)
    charts = [_section(chart, svgs.get(chart.name) if isinstance(chart, Chart) else None) for chart in drawn]
    return template.render(
        finding=first, more=more, place=facts.title, cards=_cards(facts), cannot=[*CANNOT, *facts.notes], about=_about(facts),
        charts=[{"question": "Tables held back", **chart} for chart in charts],
        style=Markup((home / "page.css").read_text(encoding="utf-8")),
    ).lstrip()  # fmt: skip


def _cards(facts: PlaceFacts) -> list[dict[str, Any]]:
    seed, within, _ = facts.odds
    off = float(np.abs(within / seed - 1).max())
    most = max(facts.fitted, key=lambda f: f.error())
    cards = [
        {"big": say.per_cent(100 * most.error(), 2), "small": f"largest error of a fitted table ({most.kind.title.lower()})",
         "worse": most.error() > LIMIT},
    ]  # fmt: skip
    if facts.held_back:
        left = [f.error(f.level) / f.error(f.average) for f in facts.held_back]
        cards.append(
            {"big": f"{100 * min(left):.0f}\u2013{100 * max(left):.0f}%", "worse": max(left) >= 1,
             "small": "of the error of the authority's average is left in the held-back tables"}
        )  # fmt: skip
    cards.append({"big": say.per_cent(100 * off), "small": "largest change of how disability goes with age", "worse": off > 0.1})
    return cards


def _about(facts: PlaceFacts) -> list[tuple[str, str]]:
    return [
        ("Place", f"{facts.title} ({facts.name}): {facts.people} in {say.listed(list(facts.local_authorities))}"),
        ("Error", "people or households in the wrong category, each counted twice (where it lacks and where it is too many), "
         "over the total"),
        ("Fitted", "tables that the people were made from, scaled to one total and rounded"),
        ("Held back", "tables that nothing was made from: predicted, and compared"),
        ("Fingerprint", facts.fingerprint),
    ]  # fmt: skip


def by_lsoa(facts: PlaceFacts) -> pd.DataFrame:
    """Return a row per table and neighbourhood: total, total absolute and standardised error, for held-back tables all three."""
    parts = []
    for one in facts.fits:
        total = one.observed.sum(axis=1)
        part = pd.DataFrame(
            {
                "table": one.kind.key, "role": one.kind.role, "code": facts.code, "name": facts.label,
                "local_authority": np.array(facts.local_authorities)[facts.local_authority], "total": total,
                "absolute_error": one.by_lsoa(), "standardised_error": one.by_lsoa() / np.maximum(total, 1.0),
            }
        )  # fmt: skip
        if one.kind.role == HELD_BACK:
            part["with_level"] = one.by_lsoa(one.level) / np.maximum(total, 1.0)
            part["average"] = one.by_lsoa(one.average) / np.maximum(total, 1.0)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def by_cell(facts: PlaceFacts) -> pd.DataFrame:
    """Return a row per table, neighbourhood and category: what was counted and what was made."""
    parts = []
    for one in facts.fits:
        g, categories = one.observed.shape
        parts.append(
            pd.DataFrame(
                {
                    "table": one.kind.key, "role": one.kind.role, "code": np.repeat(facts.code, categories),
                    "category": np.tile(np.array(one.kind.labels), g), "counted": one.observed.ravel(), "made": one.made.ravel(),
                }
            )
        )  # fmt: skip
    return pd.concat(parts, ignore_index=True)
