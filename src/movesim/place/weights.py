"""Weights: how many residents each person of a sample stands for."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from movesim.place.margins import AGE_STARTS, Margins
from movesim.words import AGE_BAND_STARTS, AGE_BANDS

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
BANDS = len(AGE_BANDS)
TOO_FEW = 4  # people of a decile and age band below which the band shares the weight of its decile
WIDEST = 6.0  # no weight is more than this many times, or less than this part of, the mean


def weigh(margins: Margins, authority: Ints, decile: Ints, age: NDArray[np.int16], rounds: int = 60) -> Floats:
    """Return weights raked to residents by authority and by decile x age band; they sum to the residents of the place.

    Arguments: margins; authority, decile and age (n,) of the sample. What a small sample lacks altogether is shared out over
    the others. Method: iterative proportional fitting (Deming and Stephan 1940), trimmed.
    """
    total = margins.total
    band = np.searchsorted(AGE_BAND_STARTS, age, side="right") - 1
    cell = (decile - 1) * BANDS + band
    wanted_cell = _cells(margins)
    people = np.bincount(cell, minlength=len(wanted_cell))
    group = _merged(people)
    wanted_cell = np.bincount(group, wanted_cell, len(wanted_cell)).astype(np.float64)
    cell = group[cell]
    residents = margins.residents * margins.stands_for
    wanted_authority = np.bincount(margins.local_authority, residents, len(margins.local_authorities)).astype(np.float64)
    wanted_cell, wanted_authority = _present(wanted_cell, cell, total), _present(wanted_authority, authority, total)
    weight = np.full(len(age), total / len(age))
    for _ in range(rounds):
        for target, at in ((wanted_authority, authority), (wanted_cell, cell)):
            now = np.bincount(at, weight, len(target))
            weight *= np.divide(target, now, out=np.ones_like(now), where=now > 0)[at]
        np.clip(weight, total / len(age) / WIDEST, total / len(age) * WIDEST, out=weight)
    return weight * (total / weight.sum())


def _cells(margins: Margins) -> Floats:
    """Residents by decile and age band of the outcomes, (10 * 7,)."""
    band = np.searchsorted(AGE_BAND_STARTS, AGE_STARTS, side="right") - 1
    out = np.zeros((10, BANDS))
    for k, b in enumerate(band):
        out[:, b] += np.bincount(margins.imd_decile - 1, margins.age[:, k] * margins.stands_for, 10)
    return out.ravel()


def _merged(people: Ints) -> Ints:
    """Which cell each decile x age band is counted with: a band with too few people joins the next one of its decile."""
    group = np.arange(len(people))
    for d in range(10):
        have = people[d * BANDS : (d + 1) * BANDS]
        if have.sum() == 0:
            continue
        first, count = 0, 0
        for b in range(BANDS):
            group[d * BANDS + b] = d * BANDS + first
            count += have[b]
            if count >= TOO_FEW and have[b + 1 :].sum() >= TOO_FEW:
                first, count = b + 1, 0
    return group


def _present(wanted: Floats, at: Ints, total: float) -> Floats:
    """Targets of the categories that the sample has, scaled up to everybody."""
    there = np.bincount(at, minlength=len(wanted)) > 0
    kept = np.where(there, wanted, 0.0)
    return kept * (total / kept.sum())
