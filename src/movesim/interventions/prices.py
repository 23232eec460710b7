"""What is paid for and who pays, as a scenario file says it."""

from __future__ import annotations

from collections.abc import Sequence

from movesim.errors import one_of
from movesim.interventions.reading import Node
from movesim.interventions.scenario import PAYERS, Cost


def read_costs(node: Node, units: Sequence[str], paths: dict[str, str], what: str) -> tuple[Cost, ...]:
    """Return the unit costs below `costs` and note the paths of their pounds as costs.UNIT.

    Arguments: node, the settings that hold `costs`; units, what may be paid for; paths, added to; what, whose costs they
    are. Raises InputError when nothing is paid for, for a unit that is none, and for payers that do not add up.
    """
    costs = node.child("costs")
    costs.only(units, (), f"'costs' of {what}")
    if not costs.data:
        raise node.error(f"'costs' must name what is paid for: {one_of(units)}.", "costs")
    for unit in costs.data:
        cost = costs.child(unit)
        cost.only(("pounds", "payers"), ("pounds", "payers"), f"the cost per {unit}")
        paths[f"costs.{unit}"] = cost.number("pounds", 0.0, None, "costs")
    found = []
    for unit in units:
        if unit not in costs:
            continue
        cost = costs.child(unit)
        payers = cost.child("payers")
        payers.only(PAYERS, (), "'payers'")
        shares = {payer: payers.plain(payer) for payer in payers.data}
        for payer, share in shares.items():
            if share > 1:
                hint = f" Did you mean {share / 100:g} ({share:g}%)?" if share <= 100 else ""
                raise payers.error(f"'{payer}' must be between 0 and 1, got {share:g}.{hint}", payer)
        if abs(sum(shares.values()) - 1) > 1e-6:
            raise cost.error(f"the shares of the payers must add to 1, they add to {sum(shares.values()):g}.", "payers")
        found.append(Cost(unit, paths[f"costs.{unit}"], shares))
    return tuple(found)
