"""A budget of the compiled week, term by term: each loop of movesim.behaviour.week alone, in nanoseconds a person-week.

Loops run on made-up columns of one block, which lie in the cache, so a term's cost is arithmetic and not memory; what the whole
week costs beyond their sum is columns that come from memory, and calls. Loops over those who take part in a domain are
given the share of a typical week. An adult's week: what is done by domain counts four times.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

from movesim import draws
from movesim.behaviour import week as w
from movesim.behaviour.rules import behaviour_ledger, make_rules

F = np.float32
N = w.BLOCK
PARTICIPATION = 0.25  # of adults in a domain in a week, measured on the built-in place
CHANGES = 0.09  # of people whose status changes in a week


def _repeat(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a compiled function that calls another many times, so that the interpreter's part does not count."""

    @njit(nogil=True)
    def many(times, *arguments):
        for _ in range(times):
            function(*arguments)

    return many


def nanoseconds(function: Callable[..., Any], *arguments: Any, times: int = 200, tries: int = 25) -> float:
    """Return the least processor time of one call, in nanoseconds by person of a block."""
    many = _repeat(function)
    many(2, *arguments)
    least = np.inf
    for _ in range(tries):
        start = time.process_time()
        many(times, *arguments)
        least = min(least, time.process_time() - start)
    return float(least / times / N * 1e9)


def budget() -> list[tuple[str, str, float]]:
    """Return (part of the week, loop, nanoseconds a person-week of an adult), in the order of the week."""
    r = np.random.default_rng(1)
    part = lambda: (r.random(N) * 0.8 + 0.1).astype(F)  # noqa: E731
    f = [part() for _ in range(16)]
    out = [np.zeros(N, F) for _ in range(8)]
    word = [r.integers(0, 2**32, N, dtype=np.uint32) for _ in range(4)]
    ids = r.integers(0, 2**63, N).astype(np.uint64)
    place, band = np.sort(r.integers(0, 20, N)).astype(np.int32), r.integers(0, 7, N).astype(np.int8)
    live, child, degree = np.ones(N, np.int8), np.zeros(N, np.int8), np.full(N, 8, np.int8)
    friends, active = r.integers(0, 8, N).astype(np.int8), np.zeros(N, np.int8)
    by_place, by_band = part()[:20].copy(), np.stack([part()[:7] for _ in range(4)])
    c = make_rules(behaviour_ledger().central())
    t = [F(x) for x in c.thresholds[0]]
    who = np.flatnonzero(r.random(N) < PARTICIPATION).astype(np.int32)
    k = who.size
    some = [x[:k].copy() for x in (*f[:4], *out[:4])]
    takes_part, places = np.zeros(N, np.int32), np.zeros(N, np.int32)
    takes_part[who] = 1
    a, k0 = F(0.5), np.uint32(7)

    # statuses that change, told to ties
    ties = np.minimum(np.arange(N)[:, None] + r.integers(1, 60, (N, w.TIES)), N).astype(np.int32)
    now, counted = np.zeros(N + 1, np.int8), np.zeros(N + 1, np.int8)
    now[:N], then = r.random(N) < CHANGES, np.zeros(N + 1, np.int8)
    told, changed = np.zeros(N + 1, np.int8), np.zeros(N, np.int32)

    @njit(nogil=True)
    def there_and_back(one, other, counted, ties, friends, changed):
        w.follow_ties(one, counted, ties, friends, changed)
        w.follow_ties(other, counted, ties, friends, changed)

    ns = nanoseconds
    rows = [
        ("ties", "statuses that changed, told to ties", ns(there_and_back, now, then, counted, ties, told, changed) / 2),
        ("ties", "share of ties active", ns(w._share_of_ties_active, friends, degree, f[0], out[0])),
        ("ties", "social opportunity", ns(w._social, f[0], f[1], f[2], f[3], a, a, f[4])),
        ("references", "of the age band", ns(w._references, by_band, band, *out[:4])),
        ("references", "of the neighbourhood", ns(w._of_group, by_place, place, out[0])),
        ("draws", "three blocks of Philox4x32-10", 3 * ns(draws.fill_words, ids, k0, k0, k0, k0, *word)),
        ("access and gate", "logarithms of P, Y, S", ns(w._logs, f[0], f[1], f[2], *out[:3])),
        ("access and gate", "supply of the neighbourhood, by domain", 4 * ns(w._of_group, by_place, place, out[0])),
        ("access and gate", "K and O, by domain", 4 * ns(w._gate, a, a, *f[:5], out[0])),
        ("decisions", "intention", ns(w._intention, f[0], f[1], a, out[0])),
        ("decisions", "take part, by domain", 4 * ns(w._take_part, f[0], f[1], a, a, f[2], live, word[0], f[5], places)),
        ("decisions", "who takes part, by domain", 4 * ns(w._who, takes_part, places)),
        ("sessions", "brought together, by domain", 4 * ns(
            w._gather, who, a, f[0], f[1], f[2], child, word[0], word[1], *some[:3], word[2][:k].copy(), word[3][:k].copy()
        )),
        ("sessions", "1 + Poisson, by domain", 4 * ns(w._sessions, *t, np.uint32(16), word[0][:k].copy(), some[4])),
        ("minutes", "lognormal, by domain", 4 * ns(
            w._minutes, F(40), F(30), F(0.6), F(-0.05), some[0], some[1], word[0][:k].copy(), some[2], some[5], some[6]
        )),
        ("minutes", "added up, by domain", 4 * ns(w._add_up, who, some[0], some[1], f[0], some[2], f[5], *out[:4])),
        ("minutes", "totals and displacement", ns(w._totals, a, a, F(1), f[0], child, f[1], f[2], f[3], *out[:3])),
        ("minutes", "kept by domain", 4 * ns(w._add, who, f[0], some[0], out[0])),
        ("learning", "four weeks and status", ns(w._four_weeks, f[0], out[0], *f[1:5], child, live, out[1], active)),
        ("learning", "mastery", ns(w._mastery, -f[0], out[0])),
        ("learning", "P, Y, R", ns(w._learn, c.coefficients, *f[:12], out[0])),
    ]  # fmt: skip
    return rows
