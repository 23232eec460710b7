"""What the report says of three questions: together or apart, which step of the ladder, how long must it last."""

from __future__ import annotations

from typing import Any

import pandas as pd

from movesim import words
from movesim.outcomes.enough import sentences, shown
from movesim.outcomes.interactions import headline
from movesim.report import say
from movesim.report.tables import ENOUGH_PAIRS, Result

STEPS = {
    "offered": "Offer and targeting", "taken_up": "Taking it up", "adhering": "Keeping going", "responding": "Responding",
    "upkeep": "Keeping it up afterwards", "effect": "The effect on unequal lives",
}  # fmt: skip
NOT_ASKED = {
    "interactions": "Whether a portfolio does more than its parts was not asked: run the same command with parts=true.",
    "ladder_shares": "Which step of the ladder makes the change was not asked: run the same command with ladder=true.",
    "break_even": "How long the gain must last was not worked out: results are for chosen areas, and money is the whole place's; "
    "or another version of movesim wrote this folder.",
}


def asked(result: Result, name: str) -> pd.DataFrame | None:
    """Return the table that answers a question, or None where it was not asked (or holds nothing)."""
    table = result.tables.get(name)
    return table if table is not None and len(table) else None


def together_rows(result: Result) -> list[dict[str, Any]]:
    """Return, for each portfolio, the gap's and the level's change as a sum of parts and together, in points, and in words."""
    table = asked(result, "interactions")
    rows: list[dict[str, Any]] = []
    if table is None:
        return rows
    last = headline(table, result.last_week)
    for option in result.options:
        for row in last[last["scenario"] == option["name"]].itertuples(index=False):
            ranged = row.pairs >= ENOUGH_PAIRS
            rows.append(
                {
                    "name": option["name"], "title": option["title"], "what": "gap" if row.measure != "level" else "inactive",
                    "sum": 100 * row.sum_of_parts, "together": 100 * row.together, "difference": 100 * row.difference,
                    "low": 100 * row.low if ranged else None, "high": 100 * row.high if ranged else None,
                    "mc_error": 100 * row.mc_error, "words": row.words,
                }
            )  # fmt: skip
    return rows


def ladder_rows(result: Result, name: str) -> list[dict[str, Any]]:
    """Return the steps of an option's ladder with their shares of the change in the headline gap, in points."""
    table = asked(result, "ladder_shares")
    if table is None:
        return []
    age_group, axis, outcome, measure = words.HEADLINE
    own = table[
        (table["scenario"] == name) & (table["week"] == result.last_week) & (table["age_group"] == age_group)
        & (table["axis"] == axis) & (table["outcome"] == outcome) & (table["measure"] == measure)
    ]  # fmt: skip
    ratios = step_ratios(result, name)
    return [
        {
            "step": row.step, "title": STEPS[row.step], "share": 100 * row.share,
            "low": 100 * row.low if row.pairs >= ENOUGH_PAIRS else None,
            "high": 100 * row.high if row.pairs >= ENOUGH_PAIRS else None, "mc_error": 100 * row.mc_error,
            "told": bool(abs(row.share) > 2 * row.mc_error), "ratios": ratios.get(row.step, ""),
        }
        for row in own.itertuples(index=False)
    ]  # fmt: skip


def step_ratios(result: Result, name: str) -> dict[str, str]:
    """Return, in words, how much more often people of the most deprived fifth climb each step: by readiness, and by the rest."""
    table = asked(result, "ladder_steps")
    found: dict[str, str] = {}
    if table is None:
        return found
    for step, own in table[table["scenario"] == name].groupby("step", sort=False):
        parts = own.groupby("intervention", sort=False)[["step_endogenous", "step_residual"]].median()
        found[str(step)] = "; ".join(
            f"{str(which).replace('_', ' ')} {a * b:.2f} = {a:.2f} by readiness x {b:.2f} residual"
            for which, a, b in zip(parts.index, parts["step_endogenous"], parts["step_residual"])
        )
    return found


def worth_words(result: Result, name: str) -> list[str]:
    """Return what break_even.parquet says of an option, in sentences; none where it is not there."""
    table = asked(result, "break_even")
    own = None if table is None else table[table["scenario"] == name]
    return [] if own is None or own.empty else sentences(own)


def unseen(result: Result) -> str:
    """Return the sentence that no gain is seen to last, where every delivery goes on to the end of the run; else ""."""
    table = asked(result, "break_even")
    if table is None or (table["seen_years"] > 0).any():
        return ""
    return shown(table)


def reckoned(result: Result) -> str:
    """Return what a year of activity is reckoned to be worth, "" where nothing is."""
    table = asked(result, "break_even")
    if table is None:
        return ""
    adult, child, rate = (float(table[name].median()) for name in ("active_adult", "active_child", "discount"))
    return (
        f"A year of one more active adult is reckoned at {say.pounds(adult)}, of a child at {say.pounds(child)} (middle of a "
        f"wide assumed range, wellbeing alone), a year later at {say.per_cent(100 * rate)} less."
    )


def worth_list(result: Result) -> list[tuple[str, str]]:
    """Return each option's title and what break_even.parquet says of it; what is the same for all is left out."""
    same, found = unseen(result), []
    for option in result.options:
        text = " ".join(line for line in worth_words(result, option["name"]) if line != same)
        found += [(str(option["title"]), text)] if text else []
    return found


def lines_of(result: Result, option: dict[str, Any]) -> list[str]:
    """Return the answers about one option for the end of a command: how long, together or apart, and the ladder."""
    name = option["name"]
    lines = worth_words(result, name)
    lines = lines[: 1 if unseen(result) else 2]
    for row in together_rows(result):
        if row["name"] == name:
            what = "On the gap" if row["what"] == "gap" else "On adults who are inactive"
            lines.append(
                f"{what}: {row['words']} ({say.signed(row['together'])} points together, {say.signed(row['sum'])} the parts)."
            )
    rows = ladder_rows(result, name)
    if rows:
        total = sum(row["share"] for row in rows)
        parts = ", ".join(f"{row['title'].lower()} {say.signed(row['share'], 2)}" for row in rows)
        vague = [row["title"].lower() for row in rows if not row["told"]]
        end = f" Cannot be told from nothing: {', '.join(vague)}." if vague else ""
        lines.append(f"The change in the gap of {say.signed(total, 2)} points by step: {parts}.{end}")
    return lines
