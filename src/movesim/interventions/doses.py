"""How strongly each person is being helped: rising while in contact, then kept for good or fading."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from movesim.words import RECORD_EVERY

OUT, IN, KEPT, FADING = 0, 1, 2, 3
FOREVER = 2**30
_GONE = np.float32(1e-3)  # a dose below this is taken as none


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
        live = self.live
        if live.size == 0:
            return False
        phase = self.phase[live]
        contact = live[phase == IN]
        responds = self.responds[contact]
        fading = np.concatenate([live[phase == FADING], contact[~responds]])
        left = self.level[fading] * self.keep
        left[left < _GONE] = 0
        changed = bool((left != self.level[fading]).any())
        self.level[fading] = left
        rising = contact[responds]
        middle = week + RECORD_EVERY / 2 - self.start[rising] - self.lag
        risen = np.clip(middle / self.ramp if self.ramp > 0 else middle > 0, 0, 1).astype(np.float32)
        before = self.level[rising]
        changed |= bool((risen > before).any())
        self.level[rising] = np.maximum(before, risen)
        over = contact[self.end[contact] <= week]
        changed |= over.size > 0
        self.finish(over)
        gone = fading[left == 0]
        self.phase[gone[self.phase[gone] == FADING]] = OUT
        self.live = live[self.phase[live] != OUT]
        return changed
