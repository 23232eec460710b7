"""Joint fits: a seed scaled to the margins of each neighbourhood, then made whole so that every margin is met exactly.

Iterative proportional fitting (Deming and Stephan 1940), truncate, replicate, sample (Lovelace and Ballas 2013) with keyed
draws, then moves of single people or households between cells until each margin is met. Each neighbourhood by itself.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
ROUNDS = 30


def scaled(seed: Floats, margins: Sequence[Floats], rounds: int = ROUNDS) -> Floats:
    """Return the seed scaled to one-way margins, one table per neighbourhood, before it is made whole.

    Arguments: seed, a table of any number of axes; margins, one array (g, levels) per axis; rounds. Returns (g, *seed.shape).
    Method: iterative proportional fitting (Deming and Stephan 1940).

    >>> scaled(np.ones((2, 2)), [np.array([[1.0, 3.0]]), np.array([[2.0, 2.0]])])[0]
    array([[0.5, 0.5],
           [1.5, 1.5]])
    """
    level, _, targets = _laid_out(seed.shape, margins)
    out = np.empty((targets.shape[0], seed.size))
    now = np.empty(targets.shape[2])
    flat = np.ascontiguousarray(seed, dtype=np.float64).ravel()
    for g in range(targets.shape[0]):
        _scale(flat, level, targets[g], rounds, out[g], now)
    return out.reshape(targets.shape[0], *seed.shape)


def whole_tables(seed: Floats, margins: Sequence[Floats], uniforms: Floats) -> NDArray[np.int64]:
    """Return whole tables that meet every margin exactly and keep the odds of the seed as far as whole numbers can.

    Arguments: seed, a table of any number of axes; margins, one array (g, levels) of whole numbers per axis, with equal sums
    in each row; uniforms (g, cells), which decide who is rounded up. Returns (g, cells), cells in the order of the seed.
    """
    level, stride, targets = _laid_out(seed.shape, margins)
    out = np.zeros((targets.shape[0], seed.size), np.int64)
    fit_whole(np.ascontiguousarray(seed, dtype=np.float64).ravel(), level, stride, targets, uniforms, out)
    return out


def _laid_out(shape: tuple[int, ...], margins: Sequence[Floats]) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """For each margin: which level every cell has, how far apart neighbouring levels are, and the targets side by side."""
    level = np.stack([x.ravel() for x in np.indices(shape)]).astype(np.int64)
    stride = np.array([int(np.prod(shape[k + 1 :])) for k in range(len(shape))], np.int64)
    targets = np.zeros((len(margins[0]), len(shape), max(shape)))
    for axis, margin in enumerate(margins):
        targets[:, axis, : shape[axis]] = margin
    return level, stride, targets


@njit(nogil=True)
def _scale(seed, level, targets, rounds, fitted, now):
    """Fill fitted (cells,) with the seed scaled to targets (margins, width) of one neighbourhood."""
    cells, width = seed.size, targets.shape[1]
    for c in range(cells):
        fitted[c] = seed[c]
    for _ in range(rounds):
        for m in range(level.shape[0]):
            for k in range(width):
                now[k] = 0.0
            for c in range(cells):
                now[level[m, c]] += fitted[c]
            for c in range(cells):
                if now[level[m, c]] > 0.0:
                    fitted[c] *= targets[m, level[m, c]] / now[level[m, c]]


@njit(nogil=True)
def fit_whole(seed, level, stride, targets, uniforms, out):
    """Fill out (g, cells) with whole numbers that meet all margins, targets (g, margins, width), of each neighbourhood.

    Loops over single numbers only: that compiles in a fraction of the time that slices take.
    """
    cells, width = seed.size, targets.shape[2]
    fitted = np.empty(cells)
    key = np.empty(cells)
    now = np.empty(width)
    for g in range(targets.shape[0]):
        _scale(seed, level, targets[g], 30, fitted, now)
        # Truncate and replicate; what is short is sampled with the fractions as weights (smallest exponential keys).
        short = 0.0
        for k in range(width):
            short += targets[g, 0, k]
        for c in range(cells):
            whole = np.floor(fitted[c])
            out[g, c] = int(whole)
            short -= whole
            rest = fitted[c] - whole
            key[c] = -np.log(uniforms[g, c]) / rest if rest > 1e-9 else 1e18
        while short > 0.5:
            best = 0
            for c in range(cells):
                if key[c] < key[best]:
                    best = c
            out[g, best] += 1
            key[best] += 1e19
            short -= 1.0
        # Move people along one margin, all else kept, until it is met: first the moves that suit the fitted cells best.
        for m in range(level.shape[0]):
            for k in range(width):
                now[k] = 0.0
            for c in range(cells):
                now[level[m, c]] += out[g, c]
            while True:
                much, few = -1, -1
                for k in range(width):
                    if now[k] > targets[g, m, k] + 0.5:
                        much = k
                    if now[k] < targets[g, m, k] - 0.5:
                        few = k
                if much < 0 or few < 0:
                    break
                best, most = -1, -1e18
                for c in range(cells):
                    if level[m, c] == much and out[g, c] > 0:
                        to = c + (few - much) * stride[m]
                        gain = out[g, c] - fitted[c] + fitted[to] - out[g, to]
                        if fitted[to] <= 0.0:
                            gain -= 1e6
                        if gain > most:
                            most, best = gain, c
                out[g, best] -= 1
                out[g, best + (few - much) * stride[m]] += 1
                now[much] -= 1.0
                now[few] += 1.0
