"""Readiness and the drawing of who climbs a ladder, for a few people at a time: compiled, so that asking few costs little."""

from __future__ import annotations

import math

import numpy as np
from numba import float32, uint32, uint64

from movesim.draws import compiled


@compiled
def gather(table, rows, out):
    """Copy the first lines of a table at these rows."""
    for k in range(out.shape[0]):
        for i in range(rows.size):
            out[k, i] = table[k, uint64(rows[i])]


@compiled
def pull_and_gate(domains, rows, home, band, a, b, logs, log_E, log_A, drive, H, state, intention, w_R, w_H, m, gate):
    """Write the argument of M_d and log(K_d O_d) of these rows, each of shape (domains, rows); `logs` of their P, Y and S."""
    for k in range(domains.size):
        d = uint64(domains[k])
        a_d, b_d = a[d], b[d]
        for i in range(rows.size):
            j = uint64(rows[i])
            open_to = log_E[d, uint64(home[j])] + log_A[d, j]
            capable = a_d * logs[0, i] + (float32(1.0) - a_d) * logs[1, i]
            gate[k, i] = capable + b_d * open_to + (float32(1.0) - b_d) * logs[2, i]
            m[k, i] = drive[d, j] + w_H * H[d, j] + w_R * (state[3, j] - intention[uint64(band[j])])


@compiled
def below(word, p):
    """Tell whether the decision of a word falls below a probability (draws.decision)."""
    return float32(word >> uint32(8)) * float32(2.0**-24) < p


@compiled
def probability(a, b, c, ready, tilt):
    """Return 1 / (1 + exp(-(a + c * readiness + b * tilt)))."""
    return 1.0 / (1.0 + math.exp(-(a + c * ready + b * tilt)))


@compiled
def who_climbs(words, step, c, ready, home, tilt, likelier, chosen):
    """Write the positions of those who climb one step, (a, b), by their word; return how many they are.

    `likelier` multiplies each one's probability, which is 1 at the most.
    """
    a, b = step
    count = uint64(0)
    for i in range(ready.size):
        chosen[count] = i
        p = probability(a, b, c, ready[i], tilt[uint64(home[i])])
        count += uint64(below(words[i], min(p * likelier[i], 1.0)))
    return count


@compiled
def who_stays(stay, respond, keep, leave, steps, c, ready, home, tilt, habit, duration, week, stays, responds, kept, end):
    """Draw for those who begin: who stays, who responds, who keeps it for good, and in which week contact ends.

    `stay`, `respond`, `keep`, `leave` are words; `steps` the (a, b) of adhering, responding and upkeep, `c` their weights of
    readiness; `habit` is added to the probability of keeping it, which is 1 at the most. Who does not stay leaves at an even
    chance at any time of the duration, after a week at the least.
    """
    (a0, b0), (a1, b1), (a2, b2) = steps
    c0, c1, c2 = c
    for i in range(ready.size):
        x, t = ready[i], tilt[uint64(home[i])]
        stays[i] = below(stay[i], probability(a0, b0, c0, x, t))
        responds[i] = stays[i] and below(respond[i], probability(a1, b1, c1, x, t))
        kept[i] = responds[i] and below(keep[i], min(probability(a2, b2, c2, x, t) + habit, 1.0))
        early = math.ceil(duration * ((np.float64(leave[i]) + 0.5) * 2.0**-32))
        weeks = duration if stays[i] else min(float(early), duration)
        end[i] = max(week + int(weeks), week + 1)
