"""Damaged downloads: whatever happens to a table, a sane place comes of it or a sentence that says which file and what to do."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import toy_formats as toy
from movesim.errors import InputError
from movesim.place.margins import Margins
from movesim.place.official import read_margins
from movesim.place.tables import survey

USEFUL = ("communal", "carers", "crime", "barriers", "rural", "parks", "lookup", "mid old", "schools")
KINDS: dict[str, dict[str, Any]] = {
    "bulk": {"useful": USEFUL},
    "query": {"census": "query", "age": "ts007a query", "useful": USEFUL},
    "custom": {"census": "custom", "age": "single", "imd": "rank", "useful": (*USEFUL[:-2], "mid new")},
    "2019": {"census": "measures", "imd": "2019", "useful": (*USEFUL[:6], "mid old", "rural_2011", "schools")},
}
REMEDY = re.compile(r"fetch|keep one|leave out|leave this LSOA out|is needed|needed is|fill it in|numbers from 0 are|"
                    r"run from|save the sheet|name yours|one row per|unpack", re.IGNORECASE)  # fmt: skip
JUNK = ("", " ", "-5", "c", "*", "[x]", "..", "!", "1e9", "9999999999", "12.5", "abc", "NaN", "inf", "E01999999", "W01000001",
        "K04000001", "2011", "1,234", "1,23", "\u00a03", "-8", "'", "=1+1", "0", "1")  # fmt: skip
WAYS = ("cut", "bytes", "flip", "drop column", "swap headers", "swap columns", "rows twice", "rows lost", "cell", "header",
        "empty", "encoding", "append", "whole column", "shift", "rename code")  # fmt: skip


class Texts(dict[str, str]):
    """The text of every table of a county, by name."""

    def __init__(self, county: toy.County, what: dict[str, Any]) -> None:
        super().__init__({name: toy.text(rows) for name, rows in county.tables(**what).items()} | {"map": county.boundaries()})

    def __repr__(self) -> str:
        return "the tables of a county"  # thousands of numbers tell nothing about what went wrong


@pytest.fixture(scope="module")
def counties() -> dict[str, Texts]:
    """The text of every table of a county, in four sets of spellings."""
    county = toy.County(seed=9, lsoas=10)
    return {kind: Texts(county, what) for kind, what in KINDS.items()}


def built_or_refused(folder: Path, texts: dict[str, str], name: str, raw: bytes) -> tuple[Margins | None, str]:
    """Write the tables with one of them damaged, and read them; any error but an InputError fails the test."""
    folder.mkdir(parents=True, exist_ok=True)
    for other, text in texts.items():
        path = folder / (other.replace(" ", "-") + (".geojson" if other == "map" else ".csv"))
        path.write_bytes(raw if other == name else text.encode())
    try:
        found = survey(folder)
        lines = found.lines()
        found.complain()
        return read_margins(found.paths(), "toyshire", "Toyshire"), "\n".join(lines)
    except InputError as error:
        return None, str(error)


def check(folder: Path, texts: dict[str, str], name: str, raw: bytes) -> None:
    margins, told = built_or_refused(folder, texts, name, raw)
    if margins is None:
        # The sentence names the damaged file, or that of a table which it contradicts, and what to do.
        assert "\n" not in told
        assert any(f"{other.replace(' ', '-')}." in told for other in texts), told
        assert REMEDY.search(told), told
        return
    assert 1 <= len(margins) <= 10
    for table in (margins.age, margins.sex, margins.ethnic_group, margins.disabled):
        assert (table.sum(axis=1) == margins.residents).all() and (table >= 0).all()
    assert (margins.ns_sec.sum(axis=1) == margins.age[:, 3:].sum(axis=1)).all()
    assert (margins.residents < 800).all() and (margins.household_size.sum(axis=1) <= margins.residents).all()
    assert (margins.communal >= 0).all() and (margins.communal <= margins.residents).all()
    assert all(len(c) == 9 for c in margins.code) and all(n.strip() for n in margins.local_authorities)
    assert margins.imd_decile.min() >= 1 and margins.imd_decile.max() <= 10
    assert all(np.isfinite(column).all() for column in margins.environment.values())
    for name_of, column in margins.facts.items():
        known = column[~np.isnan(column)]
        assert len(column) == len(margins) and np.isfinite(known).all(), name_of
    assert np.isfinite(margins.single_year).all() and (margins.single_year >= 0).all()


def rows_of(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


def damaged(text: str, draw: Any) -> bytes:
    """One of the ways in which a table comes to harm."""
    raw = text.encode()
    rows = rows_of(text)
    head = next((k for k, row in enumerate(rows) if len(row) > 2), 0)
    wide = max(len(rows[head]), 1)
    way = draw(st.sampled_from(WAYS))
    column = draw(st.integers(0, wide - 1))
    line = draw(st.integers(0, len(rows) - 1))
    if way == "cut":
        return raw[: draw(st.integers(0, len(raw)))]
    if way == "bytes":
        at = draw(st.integers(0, len(raw)))
        return raw[:at] + draw(st.binary(min_size=1, max_size=40)) + raw[at:]
    if way == "flip":
        at = draw(st.integers(0, len(raw) - 1))
        return raw[:at] + bytes([draw(st.integers(0, 255))]) + raw[at + 1 :]
    if way == "empty":
        return draw(
            st.sampled_from([b"", b"\n\n\n", b"\xef\xbb\xbf", b"\0\0\0\0", b"\xff\xfe", b",,,\n,,,\n", b"PK\x03\x04junk"])
        )
    if way == "encoding":
        return text.encode(draw(st.sampled_from(["utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp500"])), errors="replace")
    if way == "append":
        return raw + draw(st.sampled_from([b"\n\n\n", b",,,,\n", b"Total,,,\n", b'"', b"Source: ONS\n", b"\x1a"]))
    if way == "drop column":
        rows = [row[:column] + row[column + 1 :] for row in rows]
    elif way == "swap headers":
        to = draw(st.integers(0, wide - 1))
        rows[head][column], rows[head][to] = rows[head][to], rows[head][column]
    elif way == "swap columns":
        to = draw(st.integers(0, wide - 1))
        for row in rows[head + 1 :]:
            if len(row) == wide:
                row[column], row[to] = row[to], row[column]
    elif way == "rows twice":
        rows += rows[line : line + draw(st.integers(1, 3))]
    elif way == "rows lost":
        del rows[line : line + draw(st.integers(1, 5))]
    elif way == "cell" and rows[line]:
        rows[line][column % len(rows[line])] = draw(st.sampled_from(JUNK))
    elif way == "header":
        rows[head][column] = draw(st.sampled_from(["", "x", *rows[head], rows[head][column][: draw(st.integers(0, 60))]]))
    elif way == "whole column":
        junk = draw(st.sampled_from(JUNK))
        rows = [*rows[: head + 1], *[[junk if k == column else c for k, c in enumerate(row)] for row in rows[head + 1 :]]]
    elif way == "shift" and rows[line]:
        rows[line].insert(column % len(rows[line]), draw(st.sampled_from(JUNK)))
    elif way == "rename code":
        other = draw(st.sampled_from(["E0104", "E0203", "W0103", "e0103", "E01"]))
        rows[line] = [c.replace("E0103", other) for c in rows[line]]
    return toy.text(rows).encode()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_table_is_handled_or_refused(
    kind: str, data: st.DataObject, counties: dict[str, Texts], tmp_path_factory: pytest.TempPathFactory
) -> None:
    texts = counties[kind]
    name = data.draw(st.sampled_from(sorted(texts)))
    if name == "map":
        raw = texts[name].encode()
        at = data.draw(st.integers(0, len(raw) - 1))
        raw = data.draw(
            st.sampled_from([raw[:at], raw[:at] + b"9" + raw[at:], raw[:at] + b"null" + raw[at + 4 :], b"", b"[]", b"{}"])
        )
    else:
        raw = damaged(texts[name], data.draw)
    check(tmp_path_factory.mktemp("damaged"), texts, name, raw)
