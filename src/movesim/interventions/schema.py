"""The closed schema of an intervention: every setting that may stand in a scenario file, and what it must be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from movesim.errors import did_you_mean, one_of
from movesim.evidence import Parameter
from movesim.interventions.ladder import CLIMBED
from movesim.interventions.mechanism import Component, Mechanism
from movesim.interventions.reading import Node
from movesim.interventions.scenario import (
    KINDS,
    LADDER,
    PAYERS,
    TARGETING,
    UNITS,
    Cost,
    Intervention,
    Prediction,
    Trial,
    Where,
    Who,
)  # fmt: skip
from movesim.words import (
    COMPONENT,
    DOMAIN,
    ETHNIC_GROUPS,
    FUNCTIONS,
    IMPAIRMENTS,
    MATRIX_2011,
    MATRIX_2014,
    NS_SEC,
    POLICIES,
    SEXES,
)  # fmt: skip

IDENTIFIER = re.compile(r"[a-z][a-z0-9_]*")
SCALES = ("reported", "device")
PHASES = ("primary", "secondary")
MATRICES: dict[int, Mapping[str, tuple[str, ...]]] = {2011: MATRIX_2011, 2014: MATRIX_2014}
COLUMNS = {"sex": SEXES, "ethnic_group": ETHNIC_GROUPS, "ns_sec": NS_SEC, "impairments": IMPAIRMENTS}

_COMMON = (
    "title", "summary", "kind", "functions", "policies", "matrix", "reason", "start_year", "end_year", "who", "where",
    "domains", "ratio", "effect", "effect_scale", "mechanism", "lag_weeks", "ramp_weeks", "capacity", "costs", "evidence",
    "trial",
)  # fmt: skip
_OF_KIND = {
    "people": ("ladder", "c", "split", "duration_weeks", "half_life_weeks", "habit_share", "workforce"),
    "place": ("route",),
    "school": ("ladder", "c", "half_life_weeks", "habit_share", "phases"),
}
_REQUIRED = (
    "title", "kind", "functions", "policies", "start_year", "end_year", "who", "where", "domains", "effect_scale",
    "mechanism", "costs", "evidence", "trial",
)  # fmt: skip
_CAPACITY = {
    "people": ("starts_per_fte", "starts_per_1000"),
    "place": ("km_per_100000",),
    "school": ("schools_a_year",),
}


def read_intervention(node: Node, name: str, shared: Mapping[str, str]) -> Intervention:
    """Return a checked intervention.

    Arguments: node, its settings with their places; name; shared, ledger paths of the numbers all programmes share.
    Raises InputError, one sentence with file, line and column, for the first thing that is wrong.
    """
    kind = node.word("kind", KINDS) if isinstance(node.data, Mapping) and "kind" in node.data else None
    known = (*_COMMON, *(_OF_KIND[kind] if kind else [k for keys in _OF_KIND.values() for k in keys]))
    node.only(known, _REQUIRED, f"the {kind or ''} intervention '{name}'".replace("  ", " "))
    assert kind is not None
    paths: dict[str, str] = dict(shared)
    start, end = node.whole("start_year", 1, 200), node.whole("end_year", 1, 200)
    if end < start:
        raise node.error(f"'end_year' ({end}) is before 'start_year' ({start}); it must be {start} or later.", "end_year")
    functions = node.words("functions", FUNCTIONS, what="functions of the Behaviour Change Wheel")
    domains = tuple(DOMAIN[d] for d in node.words("domains", DOMAIN, what="domains"))
    _numbers(node, kind, paths)
    if kind == "place" and node.child("who").data:
        raise node.error("a place is changed for everybody who lives there; leave 'who' empty: {}.", "who")
    trial = _trial(node.child("trial"), paths)
    return Intervention(
        name=name,
        title=node.text("title"),
        kind=kind,
        functions=functions,
        policies=node.words("policies", POLICIES, what="policy categories of the Behaviour Change Wheel"),
        reason=node.text("reason"),
        start_year=start,
        end_year=end,
        who=_who(node.child("who")),
        where=_where(node.child("where")),
        phases=_phases(node) if kind == "school" else (),
        domains=domains,
        mechanism=_mechanism(node, kind, functions, domains, paths),
        split_weights=_split(node, paths) if kind == "people" else {},
        effect_scale=node.word("effect_scale", SCALES),
        costs=_costs(node.child("costs"), kind),
        trial=trial,
        evidence=node.words("evidence", what="ids of evidence"),
        paths=paths,
        summary=node.text("summary"),
    )


def _numbers(node: Node, kind: str, paths: dict[str, str]) -> None:
    """Check every number of the intervention itself and note its path."""
    number = lambda at, key, field, *rest: paths.__setitem__(field, at.number(key, *rest))  # noqa: E731
    number(node, "ratio", "ratio", 0.0, None, "ratio")
    number(node, "effect", "effect", None, None, "effects")
    number(node, "lag_weeks", "lag_weeks", 0.0, None, "persistence")
    number(node, "ramp_weeks", "ramp_weeks", 0.0, None, "persistence")
    capacity = node.child("capacity")
    capacity.only(_CAPACITY[kind], (), "'capacity'")
    for key in _CAPACITY[kind]:
        if key in capacity:
            most = 1.0 if key == "schools_a_year" else None
            number(capacity, key, f"capacity.{key}", 0.0, most, "reach")
    if LADDER[kind]:
        ladder = node.child("ladder")
        ladder.only(LADDER[kind], LADDER[kind], "'ladder'")
        for step in LADDER[kind]:
            number(ladder, step, f"ladder.{step}", 0.0, 1.0, "reach")
        number(node, "c", "c", 0.0, None, "reach")
        number(node, "habit_share", "habit_share", 0.0, 1.0, "persistence")
        number(node, "half_life_weeks", "half_life_weeks", 0.0, None, "persistence")
    if kind == "people":
        number(node, "duration_weeks", "duration_weeks", 0.0, None, "persistence")
        if "workforce" in node:
            workforce = node.child("workforce")
            workforce.only(("fte_per_1000", "likeness"), ("fte_per_1000", "likeness"), "'workforce'")
            number(workforce, "fte_per_1000", "workforce.fte_per_1000", 0.0, None, "reach")
            number(workforce, "likeness", "workforce.likeness", 0.0, 1.0, "effects")
            if "starts_per_fte" not in capacity:
                raise node.error(
                    "an intervention with a workforce needs 'capacity: starts_per_fte', people started a year by one."
                )
        elif "starts_per_fte" in capacity:
            raise node.error(
                "'starts_per_fte' needs a 'workforce' whose starts it counts.", "capacity", "starts_per_fte", key=True
            )
    if kind == "place":
        route = node.child("route")
        route.only(("km_per_1000", "nearer_km", "cap_km"), ("km_per_1000", "nearer_km", "cap_km"), "'route'")
        for key in ("km_per_1000", "nearer_km", "cap_km"):
            number(route, key, f"route.{key}", 0.0, None, "reach")
    where = node.child("where")
    if "leakage" in where:
        number(where, "leakage", "where.leakage", 0.0, 1.0, "reach")
    if "gradient" in where:
        number(where, "gradient", "where.gradient", 0.0, None, "reach")
    costs = node.child("costs")
    costs.only(UNITS[kind], (), f"'costs' of a {kind} intervention")
    if not costs.data:
        raise node.error(f"'costs' must name what is paid for: {one_of(UNITS[kind])}.", "costs")
    for unit in costs.data:
        cost = costs.child(unit)
        cost.only(("pounds", "payers"), ("pounds", "payers"), f"the cost per {unit}")
        number(cost, "pounds", f"costs.{unit}", 0.0, None, "costs")
    if "fte_year" in costs and "workforce" not in node:
        raise node.error("a cost per fte_year needs a 'workforce' that is paid.", "costs", "fte_year", key=True)


def _phases(node: Node) -> tuple[int, ...]:
    if "phases" not in node:
        return (1, 2)
    return tuple(PHASES.index(p) + 1 for p in node.words("phases", PHASES, what="phases of school"))


def _who(node: Node) -> Who:
    known = ("ages", *COLUMNS, "in_work", "income_rank")
    node.only(known, (), f"'{node.keys[-1]}'")
    ages = None
    if "ages" in node:
        given = node.wholes("ages", 0, 130)
        if len(given) != 2 or given[0] > given[1]:
            raise node.error(f"'ages' must be two ages, from and to, such as [16, 120], got {list(given)}.", "ages")
        ages = (given[0], given[1])
    values = {column: tuple(words.index(w) for w in node.words(column, words, what=column))
              for column, words in COLUMNS.items() if column in node}  # fmt: skip
    if "in_work" in node:
        values["in_work"] = (int(node.flag("in_work")),)
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
    return Who(ages, values, rank)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _where(node: Node) -> Where:
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


def _mechanism(node: Node, kind: str, functions: tuple[str, ...], domains: tuple[int, ...], paths: dict[str, str]) -> Mechanism:
    held = node.child("mechanism")
    held.only(COMPONENT, (), "'mechanism'")
    if not held.data:
        raise node.error(f"'mechanism' must name at least one component: {one_of(COMPONENT)}.", "mechanism")
    edition = node.whole("matrix", 1, 9999) if "matrix" in node else 2011
    if edition not in MATRICES:
        raise node.error(f"'matrix' must be 2011 or 2014, got {edition}.", "matrix")
    found = []
    for name in held.data:
        _check_reach(held, name, kind, functions, edition, bool(node.text("reason")))
        each = held.child(name)
        by_domain = name == "motivation_automatic" or (name == "opportunity_physical" and kind == "place")
        each.only(("weight", "domains") if by_domain else ("weight",), ("weight",), f"'{name}'")
        weight = each.plain("weight")
        if not weight > 0:
            raise each.error("'weight' must be above 0; leave the component out instead.", "weight")
        own = tuple(DOMAIN[d] for d in each.words("domains", DOMAIN, what="domains")) if "domains" in each else domains
        path = f"{held.layer(name).prefix}.mechanism.{name}"
        paths[f"mechanism.{name}"] = path
        _position(held, path, f"share of the effect that goes through '{name}' (Dirichlet weight {weight:g})", "mechanism")
        found.append(Component(name, weight, own, path))
    return Mechanism(tuple(found))


def _check_reach(held: Node, name: str, kind: str, functions: tuple[str, ...], edition: int, reasoned: bool) -> None:
    """Refuse a component that the stated functions cannot reach, and one that this kind of intervention cannot move."""
    reach = MATRICES[edition][name]
    if not set(reach) & set(functions) and not reasoned:
        sentence = (
            f"'{name}' cannot be reached by {one_of(functions)}: the {edition} matrix of the Behaviour Change Wheel reaches it "
            f"by {one_of(reach)}. Add such a function, or give a 'reason:'."
        )
        raise held.error(sentence, name, key=True)
    if kind == "people" and name == "opportunity_physical":
        sentence = (
            "'opportunity_physical' belongs to places and schools; an intervention of kind people cannot move it. "
            "Use kind: place, or leave it out."
        )
        raise held.error(sentence, name, key=True)


def _split(node: Node, paths: dict[str, str]) -> dict[str, float]:
    split = node.child("split")
    split.only(CLIMBED, CLIMBED, "'split', the weights that share the residual ratio out over the steps,")
    weights = {step: split.plain(step) for step in CLIMBED}
    for step, weight in weights.items():
        if not weight > 0:
            raise split.error(f"'{step}' must be above 0, got {weight:g}.", step)
        path = f"{split.layer(step).prefix}.split.{step}"
        paths[f"split.{step}"] = path
        _position(split, path, f"share of the residual ratio that lies in '{step}' (Dirichlet weight {weight:g})", "ratio")
    return weights


def _position(node: Node, path: str, what: str, group: str) -> None:
    """Note a uniform for a Dirichlet share, so that it is drawn, swept and ranked like any other number."""
    if node.numbers is not None:
        node.numbers[path] = Parameter(
            path, 0.5, "uniform", 0.0, 1.0, "quantile", "assumed", "", "", (), f"position in its prior of the {what}", group
        )


def _costs(node: Node, kind: str) -> tuple[Cost, ...]:
    found = []
    for unit in UNITS[kind]:
        if unit not in node:
            continue
        cost = node.child(unit)
        payers = cost.child("payers")
        payers.only(PAYERS, (), "'payers'")
        shares = {payer: payers.plain(payer) for payer in payers.data}
        for payer, share in shares.items():
            if share > 1:
                hint = f" Did you mean {share / 100:g} ({share:g}%)?" if share <= 100 else ""
                raise payers.error(f"'{payer}' must be between 0 and 1, got {share:g}.{hint}", payer)
        if abs(sum(shares.values()) - 1) > 1e-6:
            raise cost.error(f"the shares of the payers must add to 1, they add to {sum(shares.values()):g}.", "payers")
        layer = cost.layer("pounds")
        found.append(Cost(unit, ".".join([layer.prefix, *map(str, cost.keys), "pounds"]), shares))
    return tuple(found)


def _measured(node: Node) -> tuple[int, ...]:
    if node.data.get("measured") == "minutes":
        return ()
    if isinstance(node.data.get("measured"), str):
        said = node.data["measured"]
        raise node.error(
            f"'measured' must be minutes or a list of domains, got '{said}'.{did_you_mean(said, ['minutes'])}", "measured"
        )
    return tuple(DOMAIN[d] for d in node.words("measured", DOMAIN, what="domains"))


def _trial(node: Node, paths: dict[str, str]) -> Trial:
    required = ("title", "population", "arms", "follow_up_weeks", "measured", "evidence")
    node.only((*required, "also_predicts"), required, "'trial'")
    also = []
    listed = node.data.get("also_predicts", [])
    if not isinstance(listed, list):
        raise node.error("'also_predicts' must be a list of further findings.", "also_predicts")
    for number in range(len(listed)):
        each = node.child("also_predicts").child(number)
        keys = ("title", "measured", "after_weeks", "effect", "effect_scale")
        each.only(keys, keys, "a finding to predict")
        field = f"trial.also_predicts.{number}"
        paths[field] = each.number("effect", group="checks")
        also.append(
            Prediction(
                each.text("title"),
                _measured(each),
                each.whole("after_weeks", 1, 2000),
                paths[field],
                each.word("effect_scale", SCALES),
            )
        )
    return Trial(
        node.text("title"), _who(node.child("population")), node.words("arms", what="arms"),
        node.whole("follow_up_weeks", 4, 520), _measured(node), node.words("evidence", what="ids of evidence"), tuple(also),
    )  # fmt: skip
