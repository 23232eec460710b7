"""The week written with NumPy over whole columns: what one would write without a compiler.

The same equations in the same order (movesim.behaviour.week), on the same columns, with the same draws, to measure the compiled
week against. Nothing of movesim uses it.
"""

from __future__ import annotations

import numpy as np

from movesim import draws
from movesim.behaviour.simulation import Simulation
from movesim.words import ADULT_LIMITS, CHILD_LIMITS, SCHOOL_HOLIDAYS, WEEKS_A_YEAR

F = np.float32
SCHOOL = 5


def _normal(word: np.ndarray) -> np.ndarray:
    from scipy.special import ndtri

    return ndtri(draws.open_uniform(word)).astype(F)


def step(simulation: Simulation) -> None:
    """Advance everybody by one week, as Simulation.step does where no interventions are on."""
    people, rules, references = simulation.people, simulation.rules, simulation.references
    n, c, week = people.n, rules.coefficients, simulation.week
    P, Y, S, R = people.state[:, :n]
    child, live, band = people.child[:n] > 0, people.live[:n] > 0, people.band[:n]
    here = people.columns["neighbourhood"][:n]
    term = week % WEEKS_A_YEAR not in SCHOOL_HOLIDAYS
    offer = simulation._offer_now()[people.columns["school"][:n]]

    # trust, then social opportunity, from last week's statuses
    simulation._let_trust_follow()
    leader = (rules["opportunity.leader"] * (simulation.trust * simulation._likeness_now() - simulation.leader_baseline)).astype(
        F
    )
    known = people.active[people.ties[:n]].sum(axis=1)
    degree = people.degree[:n].astype(F)
    share = np.where(degree > 0, known / np.maximum(degree, 1), references.peers[band])
    S += c.k_S * (people.base[2, :n] + c.w_peer * (share - references.peers[band]) + leader.astype(F)[here] - S)
    np.clip(S, 0.01, 1.0, out=S)

    # decisions, sessions and minutes, domain by domain
    log_P, log_Y, log_S = np.log(P), np.log(Y), np.log(S)
    blocks = {
        name: draws.words(people.columns["id"][:n], week, name, simulation.key) for name in ("decide", "minutes", "sessions")
    }
    if child.any():
        blocks["child"] = draws.words(people.columns["id"][:n], week, "child", simulation.key)
    minutes = np.zeros((6, n), F)
    enjoyment, log_mastery = np.zeros(n, F), np.full(n, -80.0, F)
    for d in range((6 if term else 5) if child.any() else 4):
        a, b, h = rules.physical[d], rules.opportunity[d], people.H[d, :n]
        log_K = a * log_P + (1 - a) * log_Y
        gate = np.exp(log_K + b * (simulation.log_E[d][here] + people.log_A[d, :n]) + (1 - b) * log_S)
        m = people.drive[d, :n] + c.w_R * (R - references.intention[band]) + c.w_H * h
        word = blocks["decide"][d] if d < 4 else blocks["child"][d - 4]
        y = (draws.decision(word) * (1 + np.exp(-m)) < gate) & (live if d < 4 else child)
        half = (blocks["sessions"][d // 2] >> np.uint32(16 * (d % 2))) & np.uint32(0xFFFF)
        sessions = (1 + np.searchsorted(rules.thresholds[d], (half + F(0.5)) * F(2.0**-16))) * y
        mean = np.where(child, rules.session_minutes[d, 1], rules.session_minutes[d, 0])
        z = _normal(blocks["minutes"][d] if d < 4 else blocks["child"][d - 2])
        minutes[d] = sessions * mean * people.volume[:n] * np.exp(c.spread * z - c.spread * c.spread / 2)
        if d == SCHOOL:
            minutes[d] *= np.exp(offer)
        h += np.where(y, (1 - np.exp(c.keep_off * sessions)) * (1 - h), 0) - ((live if d < 4 else child) & ~y) * c.loss * h
        np.maximum(enjoyment, y * gate, out=enjoyment)
        np.maximum(log_mastery, np.where(y, log_K, -80), out=log_mastery)

    # the week's minutes: displacement among adults, compensation for school among children
    plain, largest = minutes.sum(axis=0), minutes.max(axis=0)
    cap = np.where(plain <= 2500, 1, 2500 / np.maximum(plain, 1))
    at_school = cap * minutes[SCHOOL] * term
    outside = cap * plain - at_school
    left = np.maximum(0, outside - c.compensation * at_school * np.maximum(0, 1 - np.exp(-offer)))
    total = np.where(child, left + at_school, cap * (largest + (1 - c.displacement) * (plain - largest))).astype(F)
    factor = np.where(child, cap * left / np.maximum(outside, 1e-6), total / np.maximum(plain, 1e-6))
    people.domain_minutes[:5, :n] += minutes[:5] * factor
    people.domain_minutes[5, :n] += minutes[5] * cap
    people.ring[week % 4, :n] = total
    x4 = people.ring[:, :n].mean(axis=0)
    people.mean[:n] = x4
    people.active[:n] = (x4 >= np.where(child, CHILD_LIMITS[1], ADULT_LIMITS[1])) & live

    # learning
    mastery = np.where(log_mastery > -79, np.exp(log_mastery), 0)
    P += c.k_P * (people.base[0, :n] * (1 - c.d_P * (1 - x4 / (x4 + 150))) - P)
    Y += c.k_Y * (people.base[1, :n] + c.g_Y * (mastery - references.mastery[band]) - Y)
    R += c.k_R * (
        people.base[3, :n] + c.g_E * (enjoyment - references.enjoyment[band]) + c.g_N * (S - people.base[2, :n]) - R
    )  # fmt: skip
    for x in (P, Y, R):
        np.clip(x, 0.01, 1.0, out=x)
    simulation.week += 1
