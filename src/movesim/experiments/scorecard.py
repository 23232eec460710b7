"""Figures that nothing was fitted to, what the model says of each, and whether it was right.

A row is one entry of a file in conf/validation: a question (see `movesim.experiments.observe`), whom it is about, the published
value with its spread and its source. Figures that stand in a published table too large to write out name the table, the rows
and the columns, and are skipped with a sentence where the table is not at hand.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from movesim.config import Document, conf_folder, load_yaml
from movesim.errors import InputError, did_you_mean, one_of
from movesim.experiments.observe import ESTIMATORS, odds
from movesim.experiments.targets import Target
from movesim.experiments.who import KEYS as GROUP_KEYS
from movesim.words import DOMAIN, STATUSES, STATUSES_OF_NUMBERS

if TYPE_CHECKING:
    import pandas as pd

RUNS = ("england", "local", "later", "pandemic")
_ASKS = ("run", "estimator", "who", "against", "outcome", "domains", "at_least", "weeks", "years", "ties", "begins", "england",
         "intend", "act")  # fmt: skip
_SAYS = ("value", "spread", "spread_share", "ids", "status", "meaning", "explanation", "select", "select_against")
_SCORES = ("estimator", "of", "beside", "beside_value", "beside_name", "meaning")
NEEDS_PANDEMIC = "needs a run with the pandemic's shock, which this version of movesim does not do yet"


@dataclass(frozen=True)
class Row:
    """A published figure that was never fitted: its name, what is asked of the model, and what was published.

    `skipped` says why there is no answer, "" where there is one. `spread` is one standard deviation of the figure itself.
    `explanation` is printed where the figure is missed: what is known to be the matter.
    """

    name: str
    section: str
    query: Mapping[str, Any]
    meaning: str
    value: float = np.nan
    spread: float = np.nan
    ids: tuple[str, ...] = ()
    source: str = ""
    status: str = "read"
    explanation: str = ""
    skipped: str = ""


@dataclass(frozen=True)
class Score:
    """A number made of a section's rows together (a rank correlation, an error), beside what a simpler rule would get."""

    name: str
    section: str
    estimator: str
    meaning: str
    beside: Mapping[str, float] | float
    beside_name: str


@dataclass(frozen=True)
class Section:
    """The rows of one file, with its title."""

    name: str
    title: str
    rows: tuple[Row, ...]
    scores: tuple[Score, ...] = field(default_factory=tuple)


def read_sections(data: Path | None) -> tuple[Section, ...]:
    """Return every section in conf/validation, by name; raise InputError naming file, line and key of a wrong one.

    Arguments: data, the folder in which published tables are looked for.
    """
    return tuple(_section(load_yaml(path), data) for path in sorted((conf_folder() / "validation").glob("*.yaml")))


def _section(document: Document, data: Path | None) -> Section:
    held: dict[str, Any] = document.data
    for key in held:
        if key not in ("title", "rows", "scores", "file"):
            raise document.error(
                (key,), f"a file of validation rows has no key '{key}'; it has title, rows, scores, file.", key=True
            )
    name = document.path.stem
    rows = tuple(_row(document, name, each, held.get("file"), data) for each in held["rows"])
    scores = []
    for each, row in (held.get("scores") or {}).items():
        _refuse_unknown(document, ("scores", each), row, _SCORES)
        beside = row.get("beside", row.get("beside_value"))
        scores.append(Score(each, name, row["estimator"], row["meaning"], beside, row["beside_name"]))
    return Section(name, held["title"], rows, tuple(scores))


def _refuse_unknown(document: Document, at: tuple[str, ...], row: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for key in row:
        if key not in known:
            raise document.error((*at, key), f"a validation row has no key '{key}'.{did_you_mean(str(key), known)}", key=True)


def _row(document: Document, section: str, name: str, file: Mapping[str, Any] | None, data: Path | None) -> Row:
    row, at = document.data["rows"][name], ("rows", name)
    _refuse_unknown(document, at, row, (*_ASKS, *_SAYS))
    run, estimator = row.get("run"), row.get("estimator")
    if run not in RUNS:
        raise document.error((*at, "run"), f"the run must be {one_of(RUNS)}, got '{run}'.")
    if estimator not in ESTIMATORS:
        known = list(ESTIMATORS)
        raise document.error((*at, "estimator"), f"there is no estimator '{estimator}'.{did_you_mean(str(estimator), known)}")
    for key in ("who", "against"):
        for group in row.get(key, {}):
            if group not in GROUP_KEYS:
                sentence = f"people are not grouped by '{group}'.{did_you_mean(str(group), GROUP_KEYS)}"
                raise document.error((*at, key, group), sentence, key=True)
    for domain in row.get("domains", ()):
        if domain not in DOMAIN:
            raise document.error((*at, "domains"), f"there is no domain '{domain}'.{did_you_mean(str(domain), list(DOMAIN))}")
    if "outcome" in row and row["outcome"] not in STATUSES:
        raise document.error((*at, "outcome"), f"the outcome must be {one_of(STATUSES)}, got '{row['outcome']}'.")
    if row.get("status", "read") not in STATUSES_OF_NUMBERS or row.get("status") == "recalled":
        raise document.error((*at, "status"), "the status must be read, computed or assumed; what is recalled is no test.")
    query = {key: row[key] for key in _ASKS if key in row}
    common: dict[str, Any] = {"name": f"{section}.{name}", "section": section, "query": query, "meaning": row["meaning"],
              "ids": tuple(row.get("ids", ())), "status": row.get("status", "read"),
              "explanation": row.get("explanation", "")}  # fmt: skip
    if "value" in row:
        value, spread = float(row["value"]), float(row["spread"])
    else:
        if file is None or "select" not in row:
            raise document.error(at, f"'{name}' has neither a value nor rows of a table to select it from.", key=True)
        source = f"{file['published']}, {file['path']}"
        path = None if data is None else data / file["path"]
        if path is None or not path.is_file():
            where = "no folder of published tables was given" if data is None else f"{path} is not there"
            return Row(**common, source=source, skipped=f"{where} ({file['published']}); data=FOLDER says where it is")
        value = _selected(document, at, path, row["select"], file["columns"])
        if "select_against" in row:
            value = odds(value) / odds(_selected(document, at, path, row["select_against"], file["columns"]))
        spread = float(row["spread"]) if "spread" in row else row["spread_share"] * value
        common = {**common, "source": source}
    return Row(**common, value=value, spread=spread, skipped=NEEDS_PANDEMIC if run == "pandemic" else "")


def _selected(document: Document, at: tuple[str, ...], path: Path, select: Mapping[str, str], columns: list[str]) -> float:
    """Return the mean over columns of the one row of a table that is selected, as a share."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        found = [r for r in csv.DictReader(file) if all(r.get(k) == v for k, v in select.items())]
    if len(found) != 1:
        raise document.error((*at, "select"), f"{len(found)} rows of {path.name} have {dict(select)}; one is needed.")
    return float(np.mean([float(found[0][column]) for column in columns])) / 100


def of_targets(targets: tuple[Target, ...]) -> tuple[Row, ...]:
    """Return the targets that are held out of the fit as rows: they are never fitted either."""

    def group(q: Mapping[str, Any], level: str) -> dict[str, Any]:
        ages = {"age": [5, 15] if q.get("age_group") == "child" else [16, 120]}
        return {**ages, q["axis"]: [str(each) for each in q[level]]} if level in q else ages

    rows = []
    for t in targets:
        if t.role == "held_out":
            query = {"run": "england", "estimator": t.estimator, "who": group(t.query, "level"), **t.query}
            if "against" in t.query:
                query["against"] = group(t.query, "against")
            rows.append(Row(f"targets.{t.name}", "targets", query, t.meaning, t.value, t.spread, t.ids, status=t.status))
    return tuple(rows)


# --- verdicts ---------------------------------------------------------------------------------------------------------
def predicted(values: NDArray[np.float64], spread: float, shares: tuple[float, ...]) -> NDArray[np.float64]:
    """Return quantiles of what a survey would publish: the model's values, one a pair, each with the figure's own spread."""
    from scipy.stats import norm

    noise = norm.ppf((np.arange(200) + 0.5) / 200) * spread
    return np.quantile((values[:, None] + noise).ravel(), shares)


def judge(rows: tuple[Row, ...], values: Mapping[str, NDArray[np.float64]]) -> pd.DataFrame:
    """Return the scorecard: a row a figure, with its predicted intervals and whether the published value is inside.

    Arguments: rows; values, what the model gave for each row by name, one value a pair.
    """
    import pandas as pd

    table = []
    for row in rows:
        about = {
            "section": row.section, "name": row.name, "meaning": row.meaning, "observed": row.value, "spread": row.spread,
            "ids": ";".join(row.ids), "source": row.source, "status": row.status, "explanation": row.explanation,
            "skipped": row.skipped,
        }  # fmt: skip
        if row.skipped:
            table.append({**about, **dict.fromkeys(("low", "low50", "middle", "high50", "high"), np.nan), "verdict": "skipped"})
            continue
        low, low50, middle, high50, high = (
            float(x) for x in predicted(values[row.name], row.spread, (0.05, 0.25, 0.5, 0.75, 0.95))
        )
        verdict = "inside 50%" if low50 <= row.value <= high50 else "inside 90%" if low <= row.value <= high else "MISS"
        table.append({**about, "low": low, "low50": low50, "middle": middle, "high50": high50, "high": high, "verdict": verdict})
    return pd.DataFrame(table)


def coverage(table: pd.DataFrame) -> pd.DataFrame:
    """Return, by section and in all, how many figures are scored and what share is inside the 50% and 90% intervals."""
    import pandas as pd

    scored = table[table["verdict"] != "skipped"]
    parts = [(name, rows) for name, rows in scored.groupby("section", sort=False)]
    rows = [
        {"section": name, "figures": len(part), "inside_50": float((part["verdict"] == "inside 50%").mean()),
         "inside_90": float((part["verdict"] != "MISS").mean())}
        for name, part in [*parts, ("all", scored)] if len(part)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def score(score: Score, rows: tuple[Row, ...], values: Mapping[str, NDArray[np.float64]]) -> dict[str, Any]:
    """Return a section's score: of the mean prediction, its range over the pairs, and that of the simpler rule."""
    from scipy.stats import spearmanr

    observed = np.array([row.value for row in rows])
    by_pair = np.stack([values[row.name] for row in rows])  # (rows, pairs)

    def of(prediction: NDArray[np.float64]) -> float:
        if score.estimator == "rank":
            return float(spearmanr(prediction, observed)[0])
        return float(np.sqrt(np.mean((prediction - observed) ** 2)))

    beside = score.beside
    simple = np.array([beside[row.meaning] for row in rows]) if isinstance(beside, Mapping) else np.full(len(rows), beside)
    each = [of(by_pair[:, i]) for i in range(by_pair.shape[1])]
    low, high = np.quantile(each, (0.05, 0.95))
    return {
        "section": score.section, "name": score.name, "meaning": score.meaning, "model": of(by_pair.mean(axis=1)),
        "low": float(low), "high": float(high), "beside": of(simple), "beside_name": score.beside_name,
    }  # fmt: skip


def refuse_shared(rows: tuple[Row, ...], targets: tuple[Target, ...]) -> None:
    """Raise InputError when a figure is both fitted and held out."""
    fitted = {i: t.name for t in targets if t.role == "fit" for i in t.ids}
    for row in rows:
        for each in row.ids:
            if each in fitted:
                raise InputError(f"{each} is fitted ('{fitted[each]}') and cannot test the model too ('{row.name}').")
