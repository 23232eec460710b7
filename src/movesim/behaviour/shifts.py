"""What interventions move: arrays that the weekly model reads, all zero when nothing is done.

The small compiled loops at the end work on the rows that are touched and on no others, so that a programme costs by those it
reaches and not by those it does not.
"""

from __future__ import annotations

import numpy as np
from numba import float32, int8, uint64
from numpy.typing import NDArray

from movesim.draws import compiled
from movesim.words import DOMAINS, RECORD_EVERY

PERSON = ("P", "Y", "S", "R")
OUT, IN, KEPT, FADING = 0, 1, 2, 3  # phases of a dose
GONE = np.float32(1e-3)  # a dose below this is taken as none
FOREVER = 2**30  # the week in which contact ends that has no end of its own


class Shifts:
    """Shifts of set-points and stocks, summed over all interventions.

    `P`, `Y`, `S`, `R` (n,): added to the logit of a person's set-point. `prompt` (6, n): added to the argument of the
    motivation of a domain. `access` (6, n): added to the logit of a person's physical opportunity in a
    domain, supply times access. `supply` (6, neighbourhoods): added to the logit of supply. `offer` (schools,): log of the
    school's offer of active minutes over its baseline. `fte`, `likeness` (neighbourhoods,): added full-time equivalents of
    community workforce per 1,000 residents, and added likeness of that workforce to residents.

    An array that is never asked for is never made, and the model then uses its baseline columns themselves.
    """

    def __init__(self, people: int, neighbourhoods: int, schools: int) -> None:
        self._shapes: dict[str, tuple[tuple[int, ...], type]] = {
            **dict.fromkeys(PERSON, ((people,), np.float32)),
            "prompt": ((len(DOMAINS), people), np.float32),
            "access": ((len(DOMAINS), people), np.float32),
            "supply": ((len(DOMAINS), neighbourhoods), np.float32),
            "offer": ((schools,), np.float32),
            "fte": ((neighbourhoods,), np.float64),
            "likeness": ((neighbourhoods,), np.float64),
        }
        self._arrays: dict[str, NDArray] = {}
        self._changed: dict[str, list[NDArray] | None] = {}
        self._rows: dict[str, NDArray | None] = {}

    def array(self, name: str) -> NDArray:
        """Return the array of that name for writing, made of zeros the first time."""
        if name not in self._arrays:
            shape, dtype = self._shapes[name]
            self._arrays[name] = np.zeros(shape, dtype)
        return self._arrays[name]

    def get(self, name: str) -> NDArray | None:
        """Return the array, or None when nobody has asked for it."""
        return self._arrays.get(name)

    def touched(self, name: str, rows: NDArray | None = None) -> None:
        """Say that the array has new values this week, in these rows or (None) anywhere."""
        before = self._changed.setdefault(name, [])
        if rows is None or before is None:
            self._changed[name] = None
        else:
            before.append(rows)

    def take_changes(self) -> set[str]:
        """Return the names touched since the last call, and forget them; `changed_rows` then tells where."""
        self._rows = {name: None if rows is None else np.concatenate(rows) for name, rows in self._changed.items()}
        self._changed = {}
        return set(self._rows)

    def changed_rows(self, name: str) -> NDArray | None:
        """Return the rows in which a name of the last changes taken has changed; None: anywhere."""
        return self._rows[name]


# --- touched rows -----------------------------------------------------------------------------------------------------
def touched_rows(shift: NDArray[np.float32]) -> NDArray[np.int32]:
    """Return the rows of a column that are not 0."""
    rows = np.empty(shift.size, np.int32)
    return rows[: _find(shift, rows)]


@compiled
def _find(shift, rows):
    count = uint64(0)
    for j in range(shift.size):
        rows[count] = j
        count += uint64(shift[j] != float32(0.0))
    return count


@compiled
def advance_doses(rows, phase, level, start, end, responds, kept, week, lag, ramp, keep, half_step, left, moved):
    """Bring the doses of these rows to the four weeks that begin now (interventions.doses.Doses says how).

    Writes the rows whose dose may still change afterwards to `left` and those whose dose has changed to `moved`; returns how
    many they are.
    """
    count, changed = 0, 0
    for i in range(rows.size):
        j = uint64(rows[i])
        now = phase[j]
        if now != int8(IN) and now != int8(FADING):
            continue
        over = now == int8(IN) and end[j] <= week
        before = level[j]
        dose = before
        if now == int8(IN) and responds[j]:
            middle = week + RECORD_EVERY / 2 - start[j] - lag
            risen = float32(min(max(middle / ramp, 0.0), 1.0)) if ramp > 0.0 else float32(1.0 if middle > 0.0 else 0.0)
            if risen > before:
                dose = risen
        else:
            dose = before * keep
            if dose < GONE:
                dose = float32(0.0)
        gone = dose == float32(0.0) and not (now == int8(IN) and responds[j])
        if over and kept[j]:
            phase[j] = int8(KEPT)
        elif over:
            phase[j] = int8(FADING)
            dose = dose * half_step
        if gone and phase[j] == int8(FADING):
            phase[j] = int8(OUT)
        if dose != before:
            level[j] = dose
            moved[changed] = rows[i]
            changed += 1
        settled = phase[j] == int8(IN) and responds[j] and dose == float32(1.0) and end[j] >= FOREVER
        if (phase[j] == int8(IN) or phase[j] == int8(FADING)) and not settled:
            left[count] = rows[i]
            count += 1
    return count, changed
