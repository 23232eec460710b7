"""What an intervention moves: shares of its effect by COM-B component, and the strength that re-running its study gave."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from movesim.errors import InputError
from movesim.words import COMPONENT

_INSIDE = 1e-6


@dataclass(frozen=True)
class Component:
    """A component that an intervention moves, its Dirichlet weight, its domains and the ledger path of its draw.

    `access`: physical opportunity is moved as the person's own access, not as supply of a place or a school's offer.
    """

    name: str
    weight: float
    domains: tuple[int, ...]
    path: str
    access: bool = False


def dirichlet(weights: Mapping[str, float], uniforms: Mapping[str, float]) -> dict[str, float]:
    """Return shares that add to 1: gamma quantiles of the weights at the uniforms, divided by their sum.

    With independent uniforms the shares are Dirichlet(weights). With all uniforms at 0.5 they are the central shares.

    >>> dirichlet({"x": 1.0, "y": 1.0}, {"x": 0.5, "y": 0.5})
    {'x': 0.5, 'y': 0.5}
    """
    from scipy.special import gammaincinv

    drawn = {name: float(gammaincinv(w, min(max(uniforms[name], _INSIDE), 1 - _INSIDE))) for name, w in weights.items()}
    total = math.fsum(drawn.values())
    if not total > 0:  # every gamma underflowed: no information left but the weights themselves
        drawn, total = dict(weights), math.fsum(weights.values())
    return {name: x / total for name, x in drawn.items()}


@dataclass(frozen=True)
class Mechanism:
    """The components of an intervention, in the order of the scenario file."""

    components: tuple[Component, ...]

    def shift_vector(self, values: Mapping[str, float], v_draw: Mapping[str, float] | None = None) -> dict[str, float]:
        """Return v, the share of the shift that goes through each component (adds to 1).

        Arguments: values, drawn ledger numbers; v_draw, uniforms by component to use instead of the ledger's.
        """
        drawn = {c.name: values[c.path] for c in self.components} if v_draw is None else v_draw
        return dirichlet({c.name: c.weight for c in self.components}, drawn)

    @property
    def opens_access(self) -> bool:
        """Whether it moves persons' own access."""
        return any(c.access for c in self.components)

    def domains_of(self, component: str) -> tuple[int, ...]:
        """Return the numbers of the domains in which a component is moved."""
        return next(c.domains for c in self.components if c.name == component)


def with_strength(s: float, v: Mapping[str, float]) -> dict[str, float]:
    """Return the logit shifts s * v by component, for a person who responds fully (routes: 1 km nearer).

    >>> with_strength(2.0, {"opportunity_physical": 0.75, "motivation_automatic": 0.25})
    {'opportunity_physical': 1.5, 'motivation_automatic': 0.5}
    """
    return {name: s * share for name, share in v.items()}


@dataclass(frozen=True)
class Solved:
    """What re-running an intervention's study gave: its shifts and its ladder.

    Arguments: intervention, its name; shifts, logit shift by component (s * v) at full response; a, b, level and residual
    gradient by ladder step, or under "shift" for interventions that reach everybody in a place or school; the ratio in
    total and its two parts (None where a ratio has no meaning); target_effect and reached_effect in reported minutes a
    week; persistence, what the half-life is multiplied by so that the study's later follow-up is met (fewer who keep it are in
    a["upkeep"] already); note, a plain sentence.
    """

    intervention: str
    shifts: dict[str, float]
    a: dict[str, float] = field(default_factory=dict)
    b: dict[str, float] = field(default_factory=dict)
    endogenous_ratio: float | None = None
    residual_ratio: float | None = None
    total_ratio: float | None = None
    reached_effect: float | None = None
    target_effect: float | None = None
    note: str = ""
    persistence: float = 1.0

    def __post_init__(self) -> None:
        for name in self.shifts:
            if name not in COMPONENT:
                raise InputError(f"'{self.intervention}' is solved for '{name}', which is no COM-B component.")

    def to_json(self) -> str:
        """Return this as JSON text that gives back every float exactly."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str | Mapping[str, Any]) -> Solved:
        """Return what to_json wrote (or its parsed mapping)."""
        data = json.loads(text) if isinstance(text, str) else dict(text)
        try:
            return cls(**data)
        except TypeError as error:
            raise InputError(f"This is not a solved intervention ({error}); solve the trials again.") from None
