"""What a shock does to places: supply that is closed, and what price and fear take from access.

Shifts of components are written to `Shifts` as an intervention's are; these two are not shifts. A closed gym is closed however
much supply there was, and a price keeps out most those who have least.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from movesim.behaviour import lasting
from movesim.behaviour import rules as equations
from movesim.behaviour.rules import LOWEST

if TYPE_CHECKING:
    from movesim.behaviour.simulation import Simulation

F32 = np.float32


def close(simulation: Simulation, open_share: NDArray[np.float64] | None) -> None:
    """Leave open this share of every domain's supply from the coming week on; None opens everything again.

    Arguments: open_share (6,), 1 where nothing is closed. Supply is kept in [0.01, 1]; what interventions shift is shifted
    from the supply that is left.
    """
    supply = equations.supply(simulation.rules, simulation.people.neighbourhoods)
    if open_share is not None:
        supply = np.clip(supply * open_share[:, None], LOWEST, 1.0)
    simulation.open_share = None if open_share is None else open_share.copy()
    simulation.log_E = np.log(supply).astype(F32)
    if simulation.shifts.get("supply") is None:
        simulation.log_E_star = simulation.log_E
    else:
        simulation.shifts.touched("supply")


def reprice(simulation: Simulation, rules: equations.Rules, price: float = 1.0, fear: float = 1.0) -> None:
    """Multiply what price and what fear take from access (in logs) under these rules, from the coming week on."""
    if (price, fear) != (1.0, 1.0):
        values = dict(rules.values)
        values["opportunity.price"] *= price
        values["opportunity.fear"] *= fear
        rules = replace(rules, values=values)
    simulation._own()
    simulation.rules = rules
    # Set-points, pull and volume come out as they were: they are functions of the same columns and the same draws.
    lasting.renew_people(simulation.people, rules, 0, simulation.people.n)
