"""One week for everybody: a few small loops that read like the equations of MODEL section 4, block by block.

A block of rows is worked through at a time, so that what is passed from one equation to the next stays in the cache. Inside
a block each equation is one plain loop over contiguous columns, which the compiler turns into vector code. Gathers (ties,
neighbourhoods, references) stand in loops of their own. Draws are Philox words of (seed, person, week, stream).
"""

from __future__ import annotations

import numpy as np
from numba import float32, int32, uint32

from movesim.behaviour.arithmetic import exp, log, standard_normal
from movesim.draws import compiled, fill_words
from movesim.words import ADULT_LIMITS, CHILD_LIMITS, DOMAINS, STREAMS

F = np.float32
BLOCK = 2048
D = len(DOMAINS)
PLAY, SCHOOL = 4, 5
LOWEST = F(0.01)
CEILING = F(2500.0)
ADULT_ACTIVE, CHILD_ACTIVE = F(ADULT_LIMITS[1]), F(CHILD_LIMITS[1])
DECIDE, MINUTES, SESSIONS, CHILD = (np.uint32(STREAMS[s] << 16) for s in ("decide", "minutes", "sessions", "child"))


@compiled
def _share_of_ties_active(active, ties, degree, reference, out):
    for j in range(out.size):
        n = int32(0)
        for k in range(ties.shape[1]):
            n += int32(active[ties[j, k]])
        out[j] = float32(n)
    for j in range(out.size):
        d = float32(degree[j])
        out[j] = reference[j] if d < F(0.5) else out[j] / max(d, F(1.0))


@compiled
def _of_group(values, group, out):
    for j in range(out.size):
        out[j] = values[group[j]]


@compiled
def _social(share, reference, leader, star, k_S, w_peer, S):
    for j in range(S.size):
        s = S[j]
        s = s + k_S * (star[j] + w_peer * (share[j] - reference[j]) + leader[j] - s)
        S[j] = min(max(s, LOWEST), F(1.0))


@compiled
def _logs(P, Y, S, log_P, log_Y, log_S):
    for j in range(P.size):
        log_P[j] = log(P[j])
        log_Y[j] = log(Y[j])
        log_S[j] = log(S[j])


@compiled
def _gate(a, b, log_P, log_Y, log_S, log_E, log_A, log_K, gate):
    """K_d in logs, and the gate K_d * O_d."""
    for j in range(gate.size):
        k = a * log_P[j] + (F(1.0) - a) * log_Y[j]
        log_K[j] = k
        gate[j] = exp(k + b * (log_E[j] + log_A[j]) + (F(1.0) - b) * log_S[j])


@compiled
def _take_part(drive, R, R_ref, H, w_R, w_H, gate, applies, word, takes_part):
    """y_d = 1 with probability M_d K_d O_d, where M_d = 1 / (1 + exp(-m))."""
    for j in range(gate.size):
        m = drive[j] + w_R * (R[j] - R_ref[j]) + w_H * H[j]
        u = float32(int32(word[j] >> uint32(8))) * F(2.0**-24)
        takes_part[j] = applies[j] if u * (F(1.0) + exp(-m)) < gate[j] else F(0.0)


@compiled
def _sessions(t0, t1, t2, t3, t4, t5, t6, t7, t8, t9, t10, t11, t12, shift, word, takes_part, sessions):
    """1 + Poisson(nu) from one uniform of 16 bits: the number of cumulative probabilities below it, plus one."""
    for j in range(sessions.size):
        half = int32((word[j] >> shift) & uint32(0xFFFF))
        u = (float32(half) + F(0.5)) * F(2.0**-16)
        n = F(1.0)
        n += F(1.0) if u > t0 else F(0.0)
        n += F(1.0) if u > t1 else F(0.0)
        n += F(1.0) if u > t2 else F(0.0)
        n += F(1.0) if u > t3 else F(0.0)
        n += F(1.0) if u > t4 else F(0.0)
        n += F(1.0) if u > t5 else F(0.0)
        n += F(1.0) if u > t6 else F(0.0)
        n += F(1.0) if u > t7 else F(0.0)
        n += F(1.0) if u > t8 else F(0.0)
        n += F(1.0) if u > t9 else F(0.0)
        n += F(1.0) if u > t10 else F(0.0)
        n += F(1.0) if u > t11 else F(0.0)
        n += F(1.0) if u > t12 else F(0.0)
        sessions[j] = n * takes_part[j]


@compiled
def _minutes(adult_mean, child_mean, spread, child, volume, word, sessions, minutes):
    half_square = F(0.5) * spread * spread
    for j in range(minutes.size):
        mean = adult_mean + child[j] * (child_mean - adult_mean)
        minutes[j] = sessions[j] * mean * volume[j] * exp(spread * standard_normal(word[j]) - half_square)


@compiled
def _school_offer(offer, minutes):
    """A school that offers more active minutes than its baseline."""
    for j in range(minutes.size):
        minutes[j] = minutes[j] * exp(offer[j])


@compiled
def _after(keep_off, loss, applies, takes_part, sessions, gate, log_K, minutes, H, total, largest, enjoyment, log_mastery):
    """Habit of the domain, and what the week adds up to: sum, largest, enjoyment and mastery."""
    for j in range(H.size):
        y = takes_part[j]
        h = H[j]
        H[j] = h + y * (F(1.0) - exp(keep_off * sessions[j])) * (F(1.0) - h) - (applies[j] - y) * loss * h
        total[j] += minutes[j]
        largest[j] = max(largest[j], minutes[j])
        enjoyment[j] = max(enjoyment[j], y * gate[j])
        log_mastery[j] = max(log_mastery[j], log_K[j] if y > F(0.5) else F(-80.0))


@compiled
def _totals(displacement, compensation, term, offer, child, school, total, largest, outside_factor, school_factor, week_minutes):
    """The week's minutes and the factors that make domain minutes sum to them.

    Adults: the largest domain whole, the rest less displacement. Children: in term weeks outside minutes fall by what an
    offer above the baseline adds at school, times compensation. Both after the ceiling on the plain sum.
    """
    for j in range(total.size):
        plain = total[j]
        cap = F(1.0) if plain <= CEILING else CEILING / max(plain, F(1.0))
        adult = cap * (largest[j] + (F(1.0) - displacement) * (plain - largest[j]))
        at_school = cap * school[j] * term
        outside = cap * plain - at_school
        added = max(F(0.0), F(1.0) - exp(-offer[j]))
        left = max(F(0.0), outside - compensation * at_school * added)
        is_child = child[j] > F(0.5)
        week = left + at_school if is_child else adult
        outside_factor[j] = (cap * left / max(outside, F(1e-6))) if is_child else week / max(plain, F(1e-6))
        school_factor[j] = cap if is_child else F(0.0)
        week_minutes[j] = week


@compiled
def _add(factor, minutes, sums):
    for j in range(sums.size):
        sums[j] += factor[j] * minutes[j]


@compiled
def _four_weeks(week_minutes, slot, r0, r1, r2, r3, child, live, mean, active):
    """The ring of four whole weeks, their mean, and whether one counts as active for one's ties next week."""
    for j in range(slot.size):
        slot[j] = week_minutes[j]
    for j in range(slot.size):
        mean[j] = F(0.25) * ((r0[j] + r1[j]) + (r2[j] + r3[j]))
    for j in range(slot.size):
        limit = CHILD_ACTIVE if child[j] > F(0.5) else ADULT_ACTIVE
        active[j] = np.int8(1) if (mean[j] >= limit) & (live[j] > F(0.5)) else np.int8(0)


@compiled
def _learn(c, mean, mastery, mastery_ref, enjoyment, enjoyment_ref, S, S0, P_star, Y_star, R_star, P, Y, R):
    for j in range(P.size):
        x = mean[j]
        ceiling = P_star[j] * (F(1.0) - c.d_P * (F(1.0) - x / (x + F(150.0))))
        p = P[j] + c.k_P * (ceiling - P[j])
        P[j] = min(max(p, LOWEST), F(1.0))
    for j in range(Y.size):
        y = Y[j] + c.k_Y * (Y_star[j] + c.g_Y * (mastery[j] - mastery_ref[j]) - Y[j])
        Y[j] = min(max(y, LOWEST), F(1.0))
    for j in range(R.size):
        r = R[j] + c.k_R * (R_star[j] + c.g_E * (enjoyment[j] - enjoyment_ref[j]) + c.g_N * (S[j] - S0[j]) - R[j])
        R[j] = min(max(r, LOWEST), F(1.0))


@compiled
def _mastery(log_mastery, out):
    for j in range(out.size):
        out[j] = exp(log_mastery[j]) if log_mastery[j] > F(-79.0) else F(0.0)


@compiled
def _any(column):
    found = F(0.0)
    for j in range(column.size):
        found = max(found, column[j])
    return found > F(0.5)


SCRATCH = 29


@compiled
def run_week(
    first, last, week, slot, term, k0, k1, c, a, b, session_minutes, thresholds,
    low, high, band, neighbourhood, school, live, child, ties, degree, active_before, active_now,
    state, star, base, H, log_A, log_E, drive, volume, ring, mean, domain_minutes, references, leader, offer,
    measure, measured, scratch, words,
):  # fmt: skip
    """Advance rows first..last by one week.

    `week` is the counter word of the week, `slot` its place in the ring, `term` 1 in school terms. `state` (4, n) holds P,
    Y, S, R; `star` their set-points as shifted by interventions and `base` as they are without; `log_E` (6,
    neighbourhoods); `references` (4, age bands); `leader` (neighbourhoods,) w_leader (T L - its baseline); `offer`
    (schools,) log ratio. Where `measure` is true, shares of ties active, mastery and enjoyment are written to `measured` (3, n).
    """
    for lo in range(first, last, BLOCK):
        hi = min(last, lo + BLOCK)
        m = hi - lo
        log_P, log_Y, log_S = scratch[0, :m], scratch[1, :m], scratch[2, :m]
        share, share_ref, here = scratch[3, :m], scratch[4, :m], scratch[5, :m]
        R_ref, mastery_ref, enjoyment_ref = scratch[6, :m], scratch[7, :m], scratch[8, :m]
        log_E_d, log_K, gate, takes_part, sessions = (
            scratch[9, :m],
            scratch[10, :m],
            scratch[11, :m],
            scratch[12, :m],
            scratch[13, :m],
        )
        total, largest, enjoyment, log_mastery = scratch[14, :m], scratch[15, :m], scratch[16, :m], scratch[17, :m]
        outside_factor, school_factor, week_minutes = scratch[18, :m], scratch[19, :m], scratch[20, :m]
        own_offer, mastery = scratch[21, :m], scratch[22, :m]
        total[:] = F(0.0)
        largest[:] = F(0.0)
        enjoyment[:] = F(0.0)
        log_mastery[:] = F(-80.0)

        bands, places, kid = band[lo:hi], neighbourhood[lo:hi], child[lo:hi]
        P, Y, S, R = state[0, lo:hi], state[1, lo:hi], state[2, lo:hi], state[3, lo:hi]
        _of_group(references[0], bands, share_ref)
        _of_group(references[1], bands, mastery_ref)
        _of_group(references[2], bands, enjoyment_ref)
        _of_group(references[3], bands, R_ref)
        _of_group(leader, places, here)
        _share_of_ties_active(active_before, ties[lo:hi], degree[lo:hi], share_ref, share)
        _social(share, share_ref, here, star[2, lo:hi], c.k_S, c.w_peer, S)
        _logs(P, Y, S, log_P, log_Y, log_S)

        lower, upper = low[lo:hi], high[lo:hi]
        decide0, decide1, decide2, decide3 = words[0, :m], words[1, :m], words[2, :m], words[3, :m]
        minute0, minute1, minute2, minute3 = words[4, :m], words[5, :m], words[6, :m], words[7, :m]
        session0, session1, session2, session3 = words[8, :m], words[9, :m], words[10, :m], words[11, :m]
        fill_words(lower, upper, week, DECIDE, k0, k1, decide0, decide1, decide2, decide3)
        fill_words(lower, upper, week, MINUTES, k0, k1, minute0, minute1, minute2, minute3)
        fill_words(lower, upper, week, SESSIONS, k0, k1, session0, session1, session2, session3)
        children = _any(kid)
        domains = 4
        if children:
            fill_words(lower, upper, week, CHILD, k0, k1, words[12, :m], words[13, :m], words[14, :m], words[15, :m])
            domains = 6 if term > F(0.5) else 5
            _of_group(offer, school[lo:hi], own_offer)
        scratch[23 + SCHOOL, :m] = F(0.0)
        for d in range(domains):
            minutes = scratch[23 + d, :m]
            decide_word = words[d, :m] if d < 4 else words[8 + d, :m]
            minute_word = words[4 + d, :m] if d < 4 else words[10 + d, :m]
            session_word = words[8 + d // 2, :m]
            t = thresholds[d]
            h = H[d, lo:hi]
            _of_group(log_E[d], places, log_E_d)
            _gate(a[d], b[d], log_P, log_Y, log_S, log_E_d, log_A[d, lo:hi], log_K, gate)
            applies = live[lo:hi] if d < 4 else kid
            _take_part(drive[d, lo:hi], R, R_ref, h, c.w_R, c.w_H, gate, applies, decide_word, takes_part)
            _sessions(
                t[0], t[1], t[2], t[3], t[4], t[5], t[6], t[7], t[8], t[9], t[10], t[11], t[12],
                uint32(16 * (d % 2)), session_word, takes_part, sessions,
            )  # fmt: skip
            _minutes(session_minutes[d, 0], session_minutes[d, 1], c.spread, kid, volume[lo:hi], minute_word, sessions, minutes)
            if d == SCHOOL:
                _school_offer(own_offer, minutes)
            _after(
                c.keep_off, c.loss, applies, takes_part, sessions, gate, log_K, minutes, h, total, largest, enjoyment, log_mastery
            )  # fmt: skip
        if not children:
            own_offer[:] = F(0.0)
        _totals(
            c.displacement, c.compensation, term, own_offer, kid, scratch[23 + SCHOOL, :m], total, largest,
            outside_factor, school_factor, week_minutes,
        )  # fmt: skip
        for d in range(domains):
            _add(school_factor if d == SCHOOL else outside_factor, scratch[23 + d, :m], domain_minutes[d, lo:hi])
        _four_weeks(
            week_minutes, ring[slot, lo:hi], ring[0, lo:hi], ring[1, lo:hi], ring[2, lo:hi], ring[3, lo:hi], kid, live[lo:hi],
            mean[lo:hi], active_now[lo:hi],
        )  # fmt: skip
        _mastery(log_mastery, mastery)
        if measure:
            measured[0, lo:hi] = share
            measured[1, lo:hi] = mastery
            measured[2, lo:hi] = enjoyment
        _learn(
            c, mean[lo:hi], mastery, mastery_ref, enjoyment, enjoyment_ref, S, base[2, lo:hi],
            star[0, lo:hi], star[1, lo:hi], star[3, lo:hi], P, Y, R,
        )  # fmt: skip
