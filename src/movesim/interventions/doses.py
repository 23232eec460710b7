"""How strongly each person is being helped: rising while in contact, then kept for good or fading."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from movesim.behaviour.shifts import FADING, IN, KEPT, OUT, advance_doses
from movesim.words import RECORD_EVERY

FOREVER = 2**30


class Doses:
    """Each person's dose of one intervention, 0 to 1, constant over four weeks at the value of their middle.

    `phase` (capacity,) is OUT, IN (contact), KEPT (a habit, no decay) or FADING; `level` (capacity,) the dose. Contact
    raises the dose of those who respond from 0 to 1 over `ramp` weeks after `lag` weeks; when it ends, the kept stay
    where they are and the others halve every `half_life` weeks.
    """

    def __init__(self, capacity: int, lag: float, ramp: float, half_life: float) -> None:
        self.lag, self.ramp = lag, ramp
        self.keep = np.float32(2.0 ** (-RECORD_EVERY / half_life)) if half_life > 0 else np.float32(0.0)
        self.phase = np.zeros(capacity, np.int8)
        self.level = np.zeros(capacity, np.float32)
        self.start = np.zeros(capacity, np.int32)
        self.end = np.zeros(capacity, np.int32)
        self.responds = np.zeros(capacity, bool)
        self.kept = np.zeros(capacity, bool)
        self.live = np.zeros(0, np.int64)  # rows that may have a phase other than OUT, each once

    def begin(self, rows: NDArray, week: int, end: NDArray | int, responds: NDArray, kept: NDArray) -> None:
        """Start contact of these rows, to end at `end` (weeks); what they have left from before stays until it is exceeded."""
        self.live = np.concatenate([self.live, rows[self.phase[rows] == OUT]])
        self.phase[rows] = IN
        self.start[rows] = week
        self.end[rows] = end
        self.responds[rows] = responds
        self.kept[rows] = kept & responds

    def finish(self, rows: NDArray) -> None:
        """End contact of these rows."""
        rows = rows[self.phase[rows] == IN]
        kept = self.kept[rows]
        self.phase[rows] = np.where(kept, KEPT, FADING)
        self.level[rows[~kept]] *= np.sqrt(self.keep)

    def reset(self, rows: NDArray) -> None:
        """Forget these rows: somebody else is there now."""
        self.phase[rows] = OUT
        self.live = self.live[self.phase[self.live] != OUT]
        self.level[rows] = 0

    def advance(self, week: int) -> bool:
        """Bring doses to the four weeks that begin now; tell whether anybody's has changed."""
        if self.live.size == 0:
            return False
        left = np.empty_like(self.live)
        count, changed = advance_doses(
            self.live, self.phase, self.level, self.start, self.end, self.responds, self.kept,
            week, float(self.lag), float(self.ramp), self.keep, np.sqrt(self.keep), left,
        )  # fmt: skip
        self.live = left[:count]
        return bool(changed)
