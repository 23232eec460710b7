"""The mechanism as a scenario file says it: which components its functions may move, and where."""

from __future__ import annotations

from collections.abc import Mapping

from movesim.errors import one_of
from movesim.evidence import Parameter
from movesim.interventions.ladder import CLIMBED
from movesim.interventions.mechanism import Component, Mechanism
from movesim.interventions.reading import Node
from movesim.words import COMPONENT, DOMAIN, MATRIX_2011, MATRIX_2014

MATRICES: dict[int, Mapping[str, tuple[str, ...]]] = {2011: MATRIX_2011, 2014: MATRIX_2014}
BY_DOMAIN = ("motivation_automatic", "opportunity_physical")


def read_mechanism(
    node: Node, kind: str, functions: tuple[str, ...], domains: tuple[int, ...], paths: dict[str, str]
) -> Mechanism:
    """Return the components an intervention moves, and note the paths of their drawn shares.

    Raises InputError for a component outside the matrix of the Behaviour Change Wheel that has no reason.
    """
    held = node.child("mechanism")
    held.only(COMPONENT, (), "'mechanism'")
    if not held.data:
        raise node.error(f"'mechanism' must name at least one component: {one_of(COMPONENT)}.", "mechanism")
    edition = node.whole("matrix", 1, 9999) if "matrix" in node else 2011
    if edition not in MATRICES:
        raise node.error(f"'matrix' must be 2011 or 2014, got {edition}.", "matrix")
    found = []
    for name in held.data:
        _check_reach(held, name, functions, edition, bool(node.text("reason")))
        each = held.child(name)
        each.only(("weight", "domains") if name in BY_DOMAIN else ("weight",), ("weight",), f"'{name}'")
        weight = each.plain("weight")
        if not weight > 0:
            raise each.error("'weight' must be above 0; leave the component out instead.", "weight")
        stated = "domains" in each
        own = tuple(DOMAIN[d] for d in each.words("domains", DOMAIN, what="domains")) if stated else domains
        access = name == "opportunity_physical" and (kind == "people" or (kind == "school" and stated))
        if access and kind == "school" and DOMAIN["school"] in own:
            raise each.error(
                "with 'domains' a school moves its pupils' access outside lessons, such as [travel_walk, cycle]; take 'school' "
                "out, or leave 'domains' out for the school's own offer.",
                "domains",
            )
        path = f"{held.layer(name).prefix}.mechanism.{name}"
        paths[f"mechanism.{name}"] = path
        _position(held, path, f"share of the effect that goes through '{name}' (Dirichlet weight {weight:g})", "mechanism")
        found.append(Component(name, weight, own, path, access))
    return Mechanism(tuple(found))


def _check_reach(held: Node, name: str, functions: tuple[str, ...], edition: int, reasoned: bool) -> None:
    """Refuse a component that the stated functions cannot reach."""
    reach = MATRICES[edition][name]
    if not set(reach) & set(functions) and not reasoned:
        sentence = (
            f"'{name}' cannot be reached by {one_of(functions)}: the {edition} matrix of the Behaviour Change Wheel reaches it "
            f"by {one_of(reach)}. Add such a function, or give a 'reason:'."
        )
        raise held.error(sentence, name, key=True)


def read_split(node: Node, paths: dict[str, str]) -> dict[str, float]:
    """Return the Dirichlet weights that share the residual ratio out over the steps, and note the paths of the shares."""
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
