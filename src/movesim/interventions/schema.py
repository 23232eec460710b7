"""The closed schema of an intervention: every setting that may stand in a scenario file, and what it must be."""

from __future__ import annotations

from collections.abc import Mapping

from movesim.interventions.audience import read_where, read_who
from movesim.interventions.links import read_mechanism, read_split
from movesim.interventions.prices import read_costs
from movesim.interventions.reading import Node
from movesim.interventions.scenario import KINDS, LADDER, PLACE_UNITS, UNITS, Cost, Intervention
from movesim.interventions.studies import SCALES, read_trial
from movesim.words import DOMAIN, FUNCTIONS, POLICIES

PHASES = ("primary", "secondary")

_COMMON = (
    "title", "summary", "kind", "functions", "policies", "matrix", "reason", "start_year", "end_year", "who", "where",
    "domains", "ratio", "effect", "effect_scale", "mechanism", "lag_weeks", "ramp_weeks", "capacity", "costs", "evidence",
    "trial",
)  # fmt: skip
_OF_KIND = {
    "people": (
        "ladder", "c", "split", "duration_weeks", "half_life_weeks", "habit_share", "workforce", "booster", "raises_reach",
        "uptake_ratio",
    ),
    "place": ("route", "zone", "wear_per_year"),
    "school": ("ladder", "c", "half_life_weeks", "habit_share", "phases"),
}  # fmt: skip
_REQUIRED = (
    "title", "kind", "functions", "policies", "start_year", "end_year", "who", "where", "domains", "effect_scale",
    "mechanism", "costs", "evidence", "trial",
)  # fmt: skip
_CAPACITY = {
    "people": ("starts_per_fte", "starts_per_1000"),
    "route": ("km_per_100000",),
    "zone": ("residents_per_1000",),
    "school": ("schools_a_year",),
}
_ROUTE = ("km_per_1000", "nearer_km", "cap_km")
_UPKEEP = {"route": "km_year", "zone": "resident_year"}


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
    form = _form(node) if kind == "place" else kind
    _numbers(node, kind, form, paths)
    if kind == "place" and node.child("who").data:
        raise node.error("a place is changed for everybody who lives there; leave 'who' empty: {}.", "who")
    costs = _costs(node, kind, form, paths)
    trial = read_trial(node.child("trial"), paths)
    return Intervention(
        name=name,
        title=node.text("title"),
        kind=kind,
        functions=functions,
        policies=node.words("policies", POLICIES, what="policy categories of the Behaviour Change Wheel"),
        reason=node.text("reason"),
        start_year=start,
        end_year=end,
        who=read_who(node.child("who")),
        where=read_where(node.child("where")),
        phases=_phases(node) if kind == "school" else (),
        domains=domains,
        mechanism=read_mechanism(node, kind, functions, domains, paths),
        split_weights=read_split(node, paths) if kind == "people" else {},
        effect_scale=node.word("effect_scale", SCALES),
        costs=costs,
        trial=trial,
        evidence=node.words("evidence", what="ids of evidence"),
        paths=paths,
        summary=node.text("summary"),
        zone=form == "zone",
    )


def _form(node: Node) -> str:
    """Return whether a place is changed along a route or as a zone."""
    if ("route" in node) == ("zone" in node):
        which = "both" if "route" in node else "neither"
        raise node.error(
            f"a place has either a 'route', built kilometre by kilometre, or a 'zone' ('zone: {{}}'), a neighbourhood treated "
            f"for its residents; this has {which}."
        )
    return "route" if "route" in node else "zone"


def _note(node: Node, key: str, field: str, paths: dict[str, str], least: float | None, most: float | None, group: str) -> None:
    paths[field] = node.number(key, least, most, group)


def _numbers(node: Node, kind: str, form: str, paths: dict[str, str]) -> None:
    """Check every number of the intervention itself and note its path."""
    _note(node, "ratio", "ratio", paths, 0.0, None, "ratio")
    _note(node, "effect", "effect", paths, None, None, "effects")
    _note(node, "lag_weeks", "lag_weeks", paths, 0.0, None, "persistence")
    _note(node, "ramp_weeks", "ramp_weeks", paths, 0.0, None, "persistence")
    capacity = node.child("capacity")
    capacity.only(_CAPACITY[form], (), "'capacity'")
    for key in _CAPACITY[form]:
        if key in capacity:
            most = 1.0 if key == "schools_a_year" else None
            _note(capacity, key, f"capacity.{key}", paths, 0.0, most, "reach")
    if LADDER[kind]:
        ladder = node.child("ladder")
        ladder.only(LADDER[kind], LADDER[kind], "'ladder'")
        for step in LADDER[kind]:
            _note(ladder, step, f"ladder.{step}", paths, 0.0, 1.0, "reach")
        _note(node, "c", "c", paths, 0.0, None, "reach")
        _note(node, "habit_share", "habit_share", paths, 0.0, 1.0, "persistence")
        _note(node, "half_life_weeks", "half_life_weeks", paths, 0.0, None, "persistence")
    if kind == "people":
        _of_people(node, capacity, paths)
    elif kind == "place":
        _of_places(node, form, paths)
    where = node.child("where")
    if "leakage" in where:
        _note(where, "leakage", "where.leakage", paths, 0.0, 1.0, "reach")
    if "gradient" in where:
        _note(where, "gradient", "where.gradient", paths, 0.0, None, "reach")


def _of_people(node: Node, capacity: Node, paths: dict[str, str]) -> None:
    """Check how long people are with it, its workforce, its boosters and what it does for other programmes."""
    _note(node, "duration_weeks", "duration_weeks", paths, 0.0, None, "persistence")
    if "workforce" in node:
        workforce = node.child("workforce")
        workforce.only(("fte_per_1000", "likeness"), ("fte_per_1000", "likeness"), "'workforce'")
        _note(workforce, "fte_per_1000", "workforce.fte_per_1000", paths, 0.0, None, "reach")
        _note(workforce, "likeness", "workforce.likeness", paths, 0.0, 1.0, "effects")
        if "starts_per_fte" not in capacity:
            raise node.error("an intervention with a workforce needs 'capacity: starts_per_fte', people started a year by one.")
    elif "starts_per_fte" in capacity:
        raise node.error("'starts_per_fte' needs a 'workforce' whose starts it counts.", "capacity", "starts_per_fte", key=True)
    if "booster" in node:
        booster = node.child("booster")
        booster.only(("every_weeks", "restores"), ("every_weeks", "restores"), "'booster'")
        _note(booster, "every_weeks", "booster.every_weeks", paths, 4.0, None, "persistence")
        _note(booster, "restores", "booster.restores", paths, 0.0, 1.0, "persistence")
    if "uptake_ratio" in node:
        _note(node, "uptake_ratio", "uptake_ratio", paths, 0.0, None, "ratio")
    if "raises_reach" in node:
        _note(node, "raises_reach", "raises_reach", paths, 1.0, None, "reach")


def _of_places(node: Node, form: str, paths: dict[str, str]) -> None:
    """Check what is built, and how what is not kept up wears."""
    at = node.child(form)
    if form == "route":
        at.only(_ROUTE, _ROUTE, "'route'")
        for key in _ROUTE:
            _note(at, key, f"route.{key}", paths, 0.0, None, "reach")
    else:
        at.only((), (), "'zone'")
    if "wear_per_year" in node:
        _note(node, "wear_per_year", "wear_per_year", paths, 0.0, 1.0, "persistence")
        if _UPKEEP[form] not in node.child("costs"):
            raise node.error(
                f"'wear_per_year' is what is lost in a year whose upkeep is not paid; state the cost per {_UPKEEP[form]}, or "
                "take it out: without a stated upkeep what is built does not wear.",
                "wear_per_year", key=True,
            )  # fmt: skip


def _costs(node: Node, kind: str, form: str, paths: dict[str, str]) -> tuple[Cost, ...]:
    units = PLACE_UNITS[form] if kind == "place" else UNITS[kind]
    costs = read_costs(node, units, paths, f"a {form} intervention")
    for unit, needed, why in (("fte_year", "workforce", "is paid"), ("booster", "booster", "says when people are met again")):
        if f"costs.{unit}" in paths and needed not in node:
            raise node.error(f"a cost per {unit} needs a '{needed}' that {why}.", "costs", unit, key=True)
    return costs


def _phases(node: Node) -> tuple[int, ...]:
    if "phases" not in node:
        return (1, 2)
    return tuple(PHASES.index(p) + 1 for p in node.words("phases", PHASES, what="phases of school"))
