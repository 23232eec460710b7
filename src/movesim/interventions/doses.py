"""How strongly each person is being helped: rising while in contact, then kept for good or fading."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from movesim.behaviour.shifts import FADING, FOREVER, IN, KEPT, OUT, advance_doses
from movesim.words import RECORD_EVERY

__all__ = ["FADING", "FOREVER", "IN", "KEPT", "OUT", "Doses"]


class Doses:
    """Each person's dose of one intervention, 0 to 1, constant over four weeks at the value of their middle.

    `phase` (capacity,) is OUT, IN (contact), KEPT (a habit, no decay) or FADING; `level` (capacity,) the dose. Contact
    raises the dose of those who respond from 0 to 1 over `ramp` weeks after `lag` weeks; when it ends, the kept stay
    where they are and the others halve every `half_life` weeks. `live` holds the rows whose dose may still change, each once;
    `moved` those whose dose has changed since `advance` was last called.
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
        self.live = self.moved = np.zeros(0, np.int64)
        self._ended: list[NDArray] = []

    def begin(self, rows: NDArray, week: int, end: NDArray | int, responds: NDArray, kept: NDArray) -> None:
        """Start contact of these rows, to end at `end` (weeks); what they have left from before stays until it is exceeded."""
        phase = self.phase[rows]
        self.live = np.concatenate([self.live, rows[(phase == OUT) | (phase == KEPT)]])
        self.phase[rows] = IN
        self.start[rows] = week
        self.end[rows] = end
        self.responds[rows] = responds
        self.kept[rows] = kept & responds

    def finish(self, rows: NDArray) -> None:
        """End contact of these rows."""
        rows = rows[self.phase[rows] == IN]
        if rows.size == 0:
            return
        kept = self.kept[rows]
        self.phase[rows] = np.where(kept, KEPT, FADING)
        self.level[rows[~kept]] *= np.sqrt(self.keep)
        self.live = np.union1d(self.live, rows[~kept])
        self._ended.append(rows[~kept])

    def restore(self, rows: NDArray) -> None:
        """Bring the fading dose of these rows back to 1."""
        self.level[rows] = 1
        self.moved = np.concatenate([self.moved, rows])

    def reset(self, rows: NDArray) -> None:
        """Forget these rows: somebody else is there now."""
        self.phase[rows] = OUT
        self.live = self.live[self.phase[self.live] != OUT]
        self.level[rows] = 0

    def advance(self, week: int) -> bool:
        """Bring doses to the four weeks that begin now; tell whether anybody's has changed."""
        left, moved = np.empty((2, self.live.size), np.int64)
        count, changed = advance_doses(
            self.live, self.phase, self.level, self.start, self.end, self.responds, self.kept,
            week, float(self.lag), float(self.ramp), self.keep, np.sqrt(self.keep), left, moved,
        )  # fmt: skip
        self.live, self.moved = left[:count], np.concatenate([moved[:changed], *self._ended])
        self._ended.clear()
        return bool(self.moved.size)
