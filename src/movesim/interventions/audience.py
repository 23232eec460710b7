"""Whom and where, as a scenario file says it: the queries of `who`, `population` and `where`."""

from __future__ import annotations

from typing import Any

from movesim.interventions.reading import Node
from movesim.interventions.scenario import TARGETING, Where, Who
from movesim.words import ETHNIC_GROUPS, IMPAIRMENTS, NS_SEC, OUTCOMES, SEXES, STATUSES

COLUMNS = {"sex": SEXES, "ethnic_group": ETHNIC_GROUPS, "ns_sec": NS_SEC, "impairments": IMPAIRMENTS}
FLAGS = ("in_work", "carer")
# how active somebody is, as people read it: Inactive, Fairly active, Active
STATUS_LABELS = tuple(next(word.label for word in OUTCOMES if word.name == status) for status in STATUSES)


def read_who(node: Node) -> Who:
    """Return a query on people. Raises InputError for a column, value or range that cannot be."""
    known = ("ages", *COLUMNS, *FLAGS, "income_rank", "status", "with_children")
    node.only(known, (), f"'{node.keys[-1]}'")
    ages = None
    if "ages" in node:
        given = node.wholes("ages", 0, 130)
        if len(given) != 2 or given[0] > given[1]:
            raise node.error(f"'ages' must be two ages, from and to, such as [16, 120], got {list(given)}.", "ages")
        ages = (given[0], given[1])
    values = {column: tuple(words.index(w) for w in node.words(column, words, what=column))
              for column, words in COLUMNS.items() if column in node}  # fmt: skip
    values |= {column: (int(node.flag(column)),) for column in FLAGS if column in node}
    rank = None
    if "income_rank" in node:
        given = node.data["income_rank"]
        if (
            not isinstance(given, list)
            or len(given) != 2
            or not all(_is_number(g) and 0 <= g <= 1 for g in given)
            or given[0] > given[1]
        ):
            raise node.error(
                "'income_rank' must be two ranks from 0 (poorest) to 1, from and to, such as [0, 0.4].", "income_rank"
            )
        rank = (float(given[0]), float(given[1]))
    status: tuple[int, ...] = ()
    if "status" in node:
        status = tuple(STATUS_LABELS.index(w) for w in node.words("status", STATUS_LABELS, what="statuses"))
    return Who(ages, values, rank, status, node.flag("with_children") if "with_children" in node else None)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def read_where(node: Node) -> Where:
    """Return which neighbourhoods are meant. Raises InputError for settings that do not go together."""
    node.only(("targeting", "imd_decile", "local_authority", "leakage", "gradient"), ("targeting",), "'where'")
    targeting = node.word("targeting", TARGETING)
    for key, of in (("imd_decile", "targeted"), ("leakage", "targeted"), ("gradient", "proportionate")):
        if key in node and targeting != of:
            raise node.error(f"'{key}' goes with 'targeting: {of}', not with '{targeting}'.", key, key=True)
        if key not in node and targeting == of:
            raise node.error(f"'targeting: {of}' needs '{key}'.", "targeting")
    layer = node.layer
    paths = {key: ".".join([layer(key).prefix, *map(str, node.keys), key]) for key in ("leakage", "gradient") if key in node}
    return Where(
        targeting,
        node.wholes("imd_decile", 1, 10) if "imd_decile" in node else (),
        node.words("local_authority", what="local authorities") if "local_authority" in node else (),
        paths.get("leakage"),
        paths.get("gradient"),
    )
