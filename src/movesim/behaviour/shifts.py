"""What interventions move: arrays that the weekly model reads, all zero when nothing is done."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from movesim.words import DOMAINS

PERSON = ("P", "Y", "S", "R")


class Shifts:
    """Shifts of set-points and stocks, summed over all interventions.

    `P`, `Y`, `S`, `R` (n,): added to the logit of a person's set-point. `prompt` (6, n): added to the argument of the
    motivation of a domain. `supply` (6, neighbourhoods): added to the logit of supply. `offer` (schools,): log of the
    school's offer of active minutes over its baseline. `fte`, `likeness` (neighbourhoods,): added full-time equivalents of
    community workforce per 1,000 residents, and added likeness of that workforce to residents.

    An array that is never asked for is never made, and the model then uses its baseline columns themselves.
    """

    def __init__(self, people: int, neighbourhoods: int, schools: int) -> None:
        self._shapes: dict[str, tuple[tuple[int, ...], type]] = {
            **dict.fromkeys(PERSON, ((people,), np.float32)),
            "prompt": ((len(DOMAINS), people), np.float32),
            "supply": ((len(DOMAINS), neighbourhoods), np.float32),
            "offer": ((schools,), np.float32),
            "fte": ((neighbourhoods,), np.float64),
            "likeness": ((neighbourhoods,), np.float64),
        }
        self._arrays: dict[str, NDArray] = {}
        self._changed: set[str] = set()

    def array(self, name: str) -> NDArray:
        """Return the array of that name for writing, made of zeros the first time."""
        if name not in self._arrays:
            shape, dtype = self._shapes[name]
            self._arrays[name] = np.zeros(shape, dtype)
        return self._arrays[name]

    def get(self, name: str) -> NDArray | None:
        """Return the array, or None when nobody has asked for it."""
        return self._arrays.get(name)

    def touched(self, name: str) -> None:
        """Say that the array has new values this week."""
        self._changed.add(name)

    def take_changes(self) -> set[str]:
        """Return the names touched since the last call, and forget them."""
        changed, self._changed = self._changed, set()
        return changed
