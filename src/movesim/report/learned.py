"""What the report says of shocks that struck all runs, and of what adaptive rules decided."""

from __future__ import annotations

from typing import Any

import pandas as pd

from movesim.outcomes.decisions import mistakes
from movesim.report import say
from movesim.report.tables import Result

_UNITS = {"inactive": "points", "minutes": "minutes a week"}
_WORDS = {"scale_up": "scaled up", "keep": "kept", "stop": "stopped", "move_money": "stopped with its money moved"}


def shock_words(manifest: dict[str, Any]) -> str:
    """Return which shocks struck every run, in a sentence; "" where there was none."""
    shocks = manifest.get("shocks") or []
    return f"In every run, no change included: {say.listed([shock['title'].lower() for shock in shocks])}." if shocks else ""


def decided(result: Result) -> pd.DataFrame:
    """Return what rules decided how often and how often wrongly, a row per scenario and rule; empty where there are none."""
    table = result.tables.get("rules")
    return mistakes(table) if table is not None and len(table) else pd.DataFrame()


def rule_words(result: Result) -> list[str]:
    """Return what every rule decided, how far its survey could see, and how often it was wrong."""
    titles = {option["name"]: option["title"] for option in result.options}
    texts = []
    for row in decided(result).to_dict("records"):
        unit = _UNITS[row["outcome"]]
        counts = [f"{_WORDS[action]} in {row[action]}" for action in _WORDS if row[action]]
        texts.append(
            f"{titles[row['scenario']]}, {row['rule'].replace('_', ' ')}: {say.listed(counts)} of {row['pairs']} runs. In truth "
            f"the pilot's residents gained {say.signed(row['truth'])} {unit} on average; the survey's standard error was "
            f"{say.plain(row['standard_error'])}. {_wrong(row, unit)}"
        )
    return texts


def _wrong(row: dict[str, Any], unit: str) -> str:
    said = []
    for name, of, did, what in (
        ("false_scale", "unworthy", "Scaled up", "gained less than"), ("false_stop", "worthy", "Stopped", "gained at least"),
    ):  # fmt: skip
        if row[of]:
            low, high = (say.per_cent(100 * row[f"{name}_{end}"], 0) for end in ("low", "high"))
            said.append(
                f"{did} wrongly in {row[f'{name}_pairs']} of the {row[of]} runs in which they {what} "
                f"{say.plain(row['worth_having'])} ({low} to {high})."
            )
    return " ".join(said)


def rules_shown(result: Result) -> pd.DataFrame:
    """Return the rules as a table to be read."""
    titles = {option["name"]: option["title"] for option in result.options}
    rows = []
    for row in decided(result).to_dict("records"):
        rate = lambda name, of, row=row: (  # noqa: E731
            f"{row[f'{name}_pairs']} of {row[of]} ({say.per_cent(100 * row[f'{name}_low'], 0)} to "
            f"{say.per_cent(100 * row[f'{name}_high'], 0)})" if row[of] else "\u2013"
        )  # fmt: skip
        rows.append(
            {
                "Option": titles[row["scenario"]], "Rule": row["rule"].replace("_", " "), "Paired runs": row["pairs"],
                "Scaled up": row["scale_up"], "Kept": row["keep"], "Stopped": row["stop"] + row["move_money"],
                "True gain, mean": f"{say.signed(row['truth'])} {_UNITS[row['outcome']]}",
                "Survey's standard error": say.plain(row["standard_error"]),
                "Scaled up, though not worth it": rate("false_scale", "unworthy"),
                "Stopped, though worth it": rate("false_stop", "worthy"),
            }
        )  # fmt: skip
    return pd.DataFrame(rows)
