"""Which value every number of the behaviour model takes in a run: the fitted ensemble, central values, and what a user sets."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from movesim.behaviour.rules import References, Rules, behaviour_ledger, make_rules
from movesim.behaviour.simulation import measure_references
from movesim.config import cache_folder, conf_folder
from movesim.documents import load_yaml
from movesim.errors import InputError
from movesim.evidence import Ledger
from movesim.place import load_place

REFERENCE_PLACE, REFERENCE_PEOPLE, REFERENCE_SEED = "england", 20_000, 1
CENTRAL = -1
# What a run's numbers depend on; README, report and command line are not among it. Of the experiments a pair's numbers come
# from one file alone; stores, engines and tables put together may change.
MODEL_SOURCES = (
    "words.py", "draws.py", "evidence.py", "place", "behaviour", "outcomes", "interventions", "experiments/replicate.py",
)  # fmt: skip


@lru_cache(maxsize=1)
def model_id() -> str:
    """Return a hash of the sources and shipped numbers that a run's results depend on."""
    here = Path(__file__).resolve().parent.parent
    digest = hashlib.blake2b(digest_size=8)
    for name in MODEL_SOURCES:
        paths = [here / name] if name.endswith(".py") else sorted((here / name).rglob("*.py"))
        for path in paths:
            digest.update(f"{name}/{path.name}".encode() + path.read_bytes())
    for folder in ("behaviour", "place"):
        for path in sorted((conf_folder() / folder).iterdir()):
            digest.update(f"conf/{folder}/{path.name}".encode() + path.read_bytes())
    return digest.hexdigest()


def fingerprint(data: Any) -> str:
    """Return a short hash of plain data; floats enter with all their digits."""
    text = json.dumps(data, sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


# --- the fitted ensemble --------------------------------------------------------------------------------------------
def fit_file() -> Path:
    """Return the file of the fitted ensemble as shipped (one row a draw, one column a number; row -1 is the centre)."""
    return conf_folder() / "behaviour" / "fit.csv"


@lru_cache(maxsize=1)
def ensemble() -> tuple[dict[str, float], tuple[dict[str, float], ...]]:
    """Return the fitted centre and the draws of the fitted ensemble, each a value by ledger path.

    Raises InputError when the file is missing or does not fit the ledger.
    """
    import pandas as pd

    path = fit_file()
    if not path.is_file():
        raise InputError(f"The fitted ensemble {path.name} is missing from {path.parent.name}/; make it with: movesim calibrate")
    frame = pd.read_csv(path, index_col="draw", dtype=str).astype(float)
    ledger = behaviour_ledger()
    missing = [name for name in ledger if name not in frame.columns]
    unknown = [name for name in frame.columns if name not in ledger]
    if missing or unknown:
        word = f"lacks '{missing[0]}'" if missing else f"has '{unknown[0]}', which the ledger does not"
        raise InputError(f"The fitted ensemble {path.name} {word}; make it again with: movesim calibrate")
    rows = {int(i): {str(k): float(v) for k, v in row.items()} for i, row in frame.to_dict("index").items()}
    return rows.pop(CENTRAL), tuple(rows[i] for i in sorted(rows))


@lru_cache(maxsize=1)
def fit_report() -> dict[str, Any]:
    """Return the provenance of the fit: targets with fitted values, seed, people, date, versions."""
    path = conf_folder() / "behaviour" / "fit.yaml"
    return load_yaml(path).data if path.is_file() else {}


def draw_number(mode: str, replicate: int) -> int:
    """Return which parameter draw a replicate uses: its own, and round again beyond the ensemble; -1 with draws=central."""
    return CENTRAL if mode == "central" else replicate % len(ensemble()[1])


def behaviour_values(mode: str, replicate: int, overrides: Mapping[str, float]) -> dict[str, float]:
    """Return the value of every number of the behaviour model for a replicate."""
    ledger = behaviour_ledger()
    centre, rows = ensemble()
    values = dict(centre if mode == "central" else rows[draw_number(mode, replicate)])
    for path, value in overrides.items():
        ledger[path]  # raises a sentence for an unknown path
        values[path] = float(value)
    return values


def used_ledger(overrides: Mapping[str, float]) -> Ledger:
    """Return the behaviour ledger with what the fit and the user put in place of its values, for the assumptions table."""
    import numpy as np

    ledger = behaviour_ledger()
    centre, rows = ensemble()
    changed = dict(ledger.parameters)
    for path, parameter in changed.items():
        if parameter.status != "computed" or parameter.distribution == "fixed":
            continue
        low, high = np.percentile([row[path] for row in rows], [5, 95])
        changed[path] = replace(parameter, value=centre[path], low=float(low), high=float(high))
    return Ledger(changed).with_values(overrides)


# --- references -----------------------------------------------------------------------------------------------------
def references_for(values: Mapping[str, float]) -> References:
    """Return the references of a parameter draw, measured on place=england once and kept in the cache."""
    key = fingerprint([dict(values), _behaviour_id(), REFERENCE_PEOPLE, REFERENCE_SEED])
    path = cache_folder("references") / f"{key}.json"
    if path.is_file():
        try:
            return References.from_dict(json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, KeyError):  # half-written by an older program: measured again below
            path.unlink()
    measured = measure_references(load_place(REFERENCE_PLACE, REFERENCE_PEOPLE), make_rules(values), REFERENCE_SEED)
    write_atomically(path, json.dumps(measured.to_dict()))
    return measured


@lru_cache(maxsize=1)
def _behaviour_id() -> str:
    here = Path(__file__).resolve().parent.parent
    tables = sorted((conf_folder() / "behaviour").glob("demography*.yaml"))
    paths = [*tables, here / "draws.py", *sorted((here / "behaviour").glob("*.py")), *sorted((here / "place").glob("*.py"))]
    return fingerprint([hashlib.blake2b(p.read_bytes(), digest_size=8).hexdigest() for p in paths])


def write_atomically(path: Path, text: str) -> None:
    """Write a text file so that a reader sees all of it or nothing."""
    import os
    import tempfile

    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def rules_and_references(mode: str, replicate: int, overrides: Mapping[str, float]) -> tuple[Rules, References]:
    """Return the rules of a replicate and the references that belong to them."""
    values = behaviour_values(mode, replicate, overrides)
    return make_rules(values), references_for(values)
