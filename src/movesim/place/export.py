"""Export: a population as Parquet tables that any tool reads, with a file that says what it was made from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from movesim.place.library import made_from
from movesim.place.population import Population
from movesim.place.store import written
from movesim.words import NEIGHBOURHOODS, PEOPLE, SCHOOLS, TIE_KINDS

WRITTEN = ("people.parquet", "neighbourhoods.parquet", "schools.parquet", "ties.parquet", "about.json")


def export(population: Population, out: Path) -> Path:
    """Write people, neighbourhoods, schools and ties as Parquet tables and about.json into a folder, all at once.

    Neighbourhoods carry whatever further facts the tables of the place gave (rural or not, park distance, crime, position);
    ties are pairs of rows of people, each pair in both directions. Returns the folder.
    """
    inputs, codes, facts = made_from(population.name)
    row = {code: k for k, code in enumerate(codes)}
    at = np.array([row[c] for c in population.neighbourhoods["code"]], np.int64) if facts else None
    neighbourhoods = dict(population.neighbourhoods)
    if at is not None:
        neighbourhoods |= {name: column[at] for name, column in facts.items()}
    here = np.asarray(population.tie_kind) >= 0
    person, place = np.nonzero(here)
    ties = {
        "person": person.astype(np.int32),
        "other": np.asarray(population.ties)[person, place],
        "kind": np.array(TIE_KINDS)[np.asarray(population.tie_kind)[person, place]],
    }
    tables = {"people": population.people, "neighbourhoods": neighbourhoods, "schools": population.schools, "ties": ties}
    columns = {
        table: {c.name: f"{c.meaning} ({c.unit})" if c.unit else c.meaning for c in known}
        for table, known in (("people", PEOPLE), ("neighbourhoods", NEIGHBOURHOODS), ("schools", SCHOOLS))
    }
    about = {
        "name": population.name,
        "title": population.title,
        "residents": population.residents,
        "agents": len(population),
        "local_authorities": list(population.local_authorities),
        "fingerprint": population.fingerprint,
        "notes": list(population.notes),
        "made_from": inputs,
        "columns": columns,
    }
    return written(out, lambda half: _write(half, tables, about))


def _write(half: Path, tables: dict[str, dict[str, Any]], about: dict[str, Any]) -> None:
    import pandas as pd

    for name, columns in tables.items():
        pd.DataFrame({k: np.asarray(v) for k, v in columns.items()}).to_parquet(half / f"{name}.parquet", index=False)
    (half / "about.json").write_text(json.dumps(about, indent=1, ensure_ascii=False), encoding="utf-8")
