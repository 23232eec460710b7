"""One run of a calibration's wave: the targets as place=england gives them at a point of the space of unknown numbers.

This file holds nothing else, so that runs are kept when the statistics made from them change.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from movesim.behaviour.rules import make_rules
from movesim.experiments import targets as published
from movesim.place import load_place

if TYPE_CHECKING:
    import pandas as pd

    from movesim.place.population import Population


@dataclass(frozen=True)
class Point:
    """What a worker needs: whom to run, with which numbers, by which chance."""

    place: str
    people: int | None
    place_seed: int
    seed: int
    paths: tuple[str, ...]
    values: tuple[float, ...]


@lru_cache(maxsize=2)
def _people(place: str, people: int | None, place_seed: int) -> Population:
    return load_place(place, people, place_seed)


def run_point(point: Point) -> tuple[dict[str, pd.DataFrame], dict[str, Any]]:
    """Return what every target comes to at a point, by name."""
    import pandas as pd

    targets = published.read_targets()
    rules = make_rules(dict(zip(point.paths, point.values, strict=True)))
    found = published.measure(_people(point.place, point.people, point.place_seed), rules, targets, point.seed)
    return {"measured": pd.DataFrame({"target": [t.name for t in targets], "value": found})}, {}
