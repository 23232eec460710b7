"""One week for everybody: a few small loops that read like the equations of MODEL section 4, block by block.

A block of rows is worked through at a time, so that what is passed from one equation to the next stays in the cache. Inside
a block each equation is one plain loop over contiguous columns, which the compiler turns into vector code. Gathers (ties,
neighbourhoods, references) stand in loops of their own. Draws are Philox words of (seed, person, week, stream).
"""

from __future__ import annotations

import numpy as np
from numba import float32, int32, uint32, uint64

from movesim.behaviour.arithmetic import exp, log, standard_normal
from movesim.behaviour.rules import Coefficients
from movesim.draws import compiled, fill_words
from movesim.words import ADULT_LIMITS, CHILD_LIMITS, DOMAINS, STREAMS, TIES

F = np.float32
BLOCK = 2048
D = len(DOMAINS)
PLAY, SCHOOL = 4, 5
LOWEST = F(0.01)
CEILING = F(2500.0)
ADULT_ACTIVE, CHILD_ACTIVE = F(ADULT_LIMITS[1]), F(CHILD_LIMITS[1])
DECIDE, MINUTES, SESSIONS, CHILD = (np.uint32(STREAMS[s] << 16) for s in ("decide", "minutes", "sessions", "child"))


@compiled
def count_ties(ties, flagged, out):
    """Count, for each row of `ties`, the people who are flagged (1) and not (0)."""
    for j in range(out.size):
        n = int32(0)
        for t in range(TIES):
            n += int32(flagged[uint32(ties[j, t])])
        out[j] = np.int8(n)


@compiled
def follow_ties(active, counted, ties, friends, changed):
    """Bring `friends`, how many of each person's ties are active, up to date with `active`.

    `counted` (rows + 1,) holds the statuses that `friends` (rows + 1,) was counted from; `changed` (rows,) is work space. Ties
    go both ways, so whoever changed is told to those they know: about a tenth of people change in a week, and asking
    everybody for the statuses of all their ties would cost several times as much.
    """
    k = uint64(0)
    for j in range(changed.size):
        changed[k] = j
        k += uint64(active[j] != counted[j])
    for p in range(k):
        j = uint32(changed[p])
        step = np.int8(active[j] - counted[j])
        counted[j] = active[j]
        for t in range(TIES):
            friends[uint32(ties[j, t])] += step


@compiled
def _share_of_ties_active(friends, degree, reference, out):
    for j in range(out.size):
        nobody, share = reference[j], float32(friends[j]) / float32(max(degree[j], np.int8(1)))
        out[j] = nobody if degree[j] == 0 else share


@compiled
def _of_group(values, group, out):
    for j in range(out.size):
        out[j] = values[uint32(group[j])]


@compiled
def _references(references, band, share, mastery, enjoyment, R):
    for j in range(band.size):
        k = uint32(band[j])
        share[j] = references[0, k]
        mastery[j] = references[1, k]
        enjoyment[j] = references[2, k]
        R[j] = references[3, k]


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
def _intention(R, R_ref, w_R, out):
    for j in range(out.size):
        out[j] = w_R * (R[j] - R_ref[j])


@compiled
def _gate(a, b, log_P, log_Y, log_S, log_E, log_A, gate):
    """The gate K_d * O_d, as one exponential of a sum of logs."""
    for j in range(gate.size):
        k = a * log_P[j] + (F(1.0) - a) * log_Y[j]
        gate[j] = exp(k + b * (log_E[j] + log_A[j]) + (F(1.0) - b) * log_S[j])


@compiled
def _take_part(drive, intention, w_H, loss, gate, applies, word, H, takes_part):
    """y_d = 1 with probability M_d K_d O_d, where M_d = 1 / (1 + exp(-m)); the habit of those who do not falls."""
    for j in range(gate.size):
        h = H[j]
        m = drive[j] + intention[j] + w_H * h
        u = float32(int32(word[j] >> uint32(8))) * F(2.0**-24)
        may = int32(applies[j])
        y = may if u * (F(1.0) + exp(-m)) < gate[j] else int32(0)
        takes_part[j] = y
        H[j] = h - float32(may - y) * loss * h


@compiled
def _who(takes_part, who):
    """Write the places in the block of those who take part to `who` and return how many they are."""
    k = uint64(0)
    for j in range(takes_part.size):
        who[k] = j
        k += uint64(takes_part[j])
    return k


@compiled
def _gather(who, a, log_P, log_Y, volume, child, minute_word, session_word, log_K, own_volume, kid, minute, session):
    """Bring what minutes depend on together for those who take part."""
    for p in range(who.size):
        j = uint32(who[p])
        log_K[p] = a * log_P[j] + (F(1.0) - a) * log_Y[j]
        own_volume[p] = volume[j]
        kid[p] = float32(child[j])
        minute[p] = minute_word[j]
        session[p] = session_word[j]


@compiled
def _sessions(t0, t1, t2, t3, t4, t5, t6, t7, t8, t9, t10, t11, t12, shift, word, sessions):
    """1 + Poisson(nu) from one uniform of 16 bits: the number of cumulative probabilities below it, plus one."""
    for p in range(sessions.size):
        half = int32((word[p] >> shift) & uint32(0xFFFF))
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
        sessions[p] = n


@compiled
def _minutes(adult_mean, child_mean, spread, keep_off, kid, volume, word, sessions, minutes, gain):
    """Minutes of those who take part, and the share of what habit lacks that the week's sessions add."""
    half_square = F(0.5) * spread * spread
    for p in range(minutes.size):
        mean = adult_mean + kid[p] * (child_mean - adult_mean)
        minutes[p] = sessions[p] * mean * volume[p] * exp(spread * standard_normal(word[p]) - half_square)
        gain[p] = F(1.0) - exp(keep_off * sessions[p])


@compiled
def _school_offer(who, offer, minutes):
    """A school that offers more active minutes than its baseline."""
    for p in range(minutes.size):
        minutes[p] = minutes[p] * exp(offer[uint32(who[p])])


@compiled
def _add_up(who, minutes, gain, gate, log_K, H, total, largest, enjoyment, log_mastery):
    """Habit of those who took part, and what the week adds up to: sum, largest, enjoyment and mastery."""
    for p in range(who.size):
        j = uint32(who[p])
        h = H[j]
        H[j] = h + gain[p] * (F(1.0) - h)
        total[j] += minutes[p]
        largest[j] = max(largest[j], minutes[p])
        enjoyment[j] = max(enjoyment[j], gate[j])
        log_mastery[j] = max(log_mastery[j], log_K[p])


@compiled
def _spread(who, minutes, out):
    for p in range(who.size):
        out[uint32(who[p])] = minutes[p]


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
        is_child = child[j] != 0
        week = left + at_school if is_child else adult
        outside_factor[j] = (cap * left / max(outside, F(1e-6))) if is_child else week / max(plain, F(1e-6))
        school_factor[j] = cap if is_child else F(0.0)
        week_minutes[j] = week


@compiled
def _add(who, factor, minutes, sums):
    for p in range(who.size):
        j = uint32(who[p])
        sums[j] += factor[j] * minutes[p]


@compiled
def _four_weeks(week_minutes, slot, r0, r1, r2, r3, child, live, mean, active):
    """The ring of four whole weeks, their mean, and whether one counts as active for one's ties next week."""
    for j in range(slot.size):
        slot[j] = week_minutes[j]
    for j in range(slot.size):
        mean[j] = F(0.25) * ((r0[j] + r1[j]) + (r2[j] + r3[j]))
    for j in range(slot.size):
        limit = CHILD_ACTIVE if child[j] != 0 else ADULT_ACTIVE
        active[j] = np.int8(1) if (mean[j] >= limit) & (live[j] != 0) else np.int8(0)


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
    found = np.int8(0)
    for j in range(column.size):
        found |= column[j]
    return found != 0


@compiled
def _coefficients(x):
    return Coefficients(
        x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], x[8], x[9], x[10], x[11], x[12], x[13], x[14], x[15]
    )  # fmt: skip


# Rows of work space: floats by person of the block, and by person who takes part in a domain; words of chance.
ROWS = 22
COMPACT = 6
MINUTES_OF = ROWS + COMPACT
SCRATCH = MINUTES_OF + D
WORDS = 18
WHO = 1 + D


@compiled
def run_week(
    first, last, week, slot, term, k0, k1, coefficients, a, b, session_minutes, thresholds,
    ids, band, neighbourhood, school, live, child, friends, degree, active,
    state, star, base, H, log_A, log_E, drive, volume, ring, mean, domain_minutes, references, leader, offer,
    measure, measured, scratch, words, whos,
):  # fmt: skip
    """Advance rows first..last by one week.

    `week` is the counter word of the week, `slot` its place in the ring, `term` 1 in school terms. `state` (4, n) holds P,
    Y, S, R; `star` their set-points as shifted by interventions and `base` as they are without; `log_E` (6,
    neighbourhoods); `references` (4, age bands); `leader` (neighbourhoods,) w_leader (T L - its baseline); `offer`
    (schools,) log ratio. Where `measure` is true, shares of ties active, mastery and enjoyment are written to `measured` (3, n).
    """
    c = _coefficients(coefficients)
    count = np.zeros(D, np.uint64)
    for lo in range(first, last, BLOCK):
        hi = min(last, lo + BLOCK)
        m = hi - lo
        log_P, log_Y, log_S = scratch[0, :m], scratch[1, :m], scratch[2, :m]
        share, share_ref, here = scratch[3, :m], scratch[4, :m], scratch[5, :m]
        R_ref, mastery_ref, enjoyment_ref = scratch[6, :m], scratch[7, :m], scratch[8, :m]
        log_E_d, intention, gate = scratch[9, :m], scratch[10, :m], scratch[11, :m]
        total, largest, enjoyment, log_mastery = scratch[14, :m], scratch[15, :m], scratch[16, :m], scratch[17, :m]
        outside_factor, school_factor, week_minutes = scratch[18, :m], scratch[19, :m], scratch[20, :m]
        own_offer, mastery, at_school = scratch[21, :m], scratch[12, :m], scratch[13, :m]
        takes_part = whos[0, :m]
        total[:] = F(0.0)
        largest[:] = F(0.0)
        enjoyment[:] = F(0.0)
        log_mastery[:] = F(-80.0)
        at_school[:] = F(0.0)
        own_offer[:] = F(0.0)

        places, kid = neighbourhood[lo:hi], child[lo:hi]
        P, Y, S, R = state[0, lo:hi], state[1, lo:hi], state[2, lo:hi], state[3, lo:hi]
        _references(references, band[lo:hi], share_ref, mastery_ref, enjoyment_ref, R_ref)
        _of_group(leader, places, here)
        _share_of_ties_active(friends[lo:hi], degree[lo:hi], share_ref, share)
        _social(share, share_ref, here, star[2, lo:hi], c.k_S, c.w_peer, S)
        _logs(P, Y, S, log_P, log_Y, log_S)
        _intention(R, R_ref, c.w_R, intention)

        who = ids[lo:hi]
        fill_words(who, week, DECIDE, k0, k1, words[0, :m], words[1, :m], words[2, :m], words[3, :m])
        fill_words(who, week, MINUTES, k0, k1, words[4, :m], words[5, :m], words[6, :m], words[7, :m])
        fill_words(who, week, SESSIONS, k0, k1, words[8, :m], words[9, :m], words[10, :m], words[11, :m])
        children = _any(kid)
        domains = 4
        if children:
            fill_words(who, week, CHILD, k0, k1, words[12, :m], words[13, :m], words[14, :m], words[15, :m])
            domains = 6 if term > F(0.5) else 5
            _of_group(offer, school[lo:hi], own_offer)
        for d in range(domains):
            h = H[d, lo:hi]
            _of_group(log_E[d], places, log_E_d)
            _gate(a[d], b[d], log_P, log_Y, log_S, log_E_d, log_A[d, lo:hi], gate)
            _take_part(
                drive[d, lo:hi], intention, c.w_H, c.loss, gate, live[lo:hi] if d < 4 else kid,
                words[d, :m] if d < 4 else words[8 + d, :m], h, takes_part,
            )  # fmt: skip
            k = _who(takes_part, whos[1 + d])
            count[d] = k
            them, minutes = whos[1 + d, :k], scratch[MINUTES_OF + d, :k]
            log_K, own_volume, own_kid = scratch[ROWS, :k], scratch[ROWS + 1, :k], scratch[ROWS + 2, :k]
            sessions, gain = scratch[ROWS + 3, :k], scratch[ROWS + 4, :k]
            minute, session = words[16, :k], words[17, :k]
            _gather(
                them, a[d], log_P, log_Y, volume[lo:hi], kid, words[4 + d, :m] if d < 4 else words[10 + d, :m],
                words[8 + d // 2, :m], log_K, own_volume, own_kid, minute, session,
            )  # fmt: skip
            t = thresholds[d]
            _sessions(
                t[0], t[1], t[2], t[3], t[4], t[5], t[6], t[7], t[8], t[9], t[10], t[11], t[12],
                uint32(16 * (d % 2)), session, sessions,
            )  # fmt: skip
            _minutes(
                session_minutes[d, 0], session_minutes[d, 1], c.spread, c.keep_off, own_kid, own_volume, minute, sessions,
                minutes, gain,
            )  # fmt: skip
            if d == SCHOOL:
                _school_offer(them, own_offer, minutes)
                _spread(them, minutes, at_school)
            _add_up(them, minutes, gain, gate, log_K, h, total, largest, enjoyment, log_mastery)
        _totals(
            c.displacement, c.compensation, term, own_offer, kid, at_school, total, largest,
            outside_factor, school_factor, week_minutes,
        )  # fmt: skip
        for d in range(domains):
            k = count[d]
            _add(
                whos[1 + d, :k], school_factor if d == SCHOOL else outside_factor, scratch[MINUTES_OF + d, :k],
                domain_minutes[d, lo:hi],
            )  # fmt: skip
        _four_weeks(
            week_minutes, ring[slot, lo:hi], ring[0, lo:hi], ring[1, lo:hi], ring[2, lo:hi], ring[3, lo:hi], kid, live[lo:hi],
            mean[lo:hi], active[lo:hi],
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
