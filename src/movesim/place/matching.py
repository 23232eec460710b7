"""Matching within groups: who joins whom, by sorting, for all groups at once and each group by itself."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def rank_within(group: Ints, key: Floats, groups: int) -> Ints:
    """Return each entry's rank (0, 1, ...) by key inside its group; equal keys keep their order.

    Arguments: group (n,) numbers below `groups`; key (n,).
    """
    order = np.lexsort((key, group))
    size = np.bincount(group, minlength=groups)
    start = np.concatenate([[0], np.cumsum(size)[:-1]])
    rank = np.empty(len(group), np.int64)
    rank[order] = np.arange(len(group)) - start[group[order]]
    return rank


def smallest(group: Ints, key: Floats, count: Ints) -> NDArray[np.bool_]:
    """Return who has one of the `count[g]` smallest keys of group g (count has one entry per group)."""
    if len(group) == 0:
        return np.zeros(0, bool)
    return rank_within(group, key, len(count)) < count[group]


def exponential(uniform: Floats, weight: Floats) -> Floats:
    """Return keys whose smallest are a sample without replacement with these weights (Efraimidis and Spirakis 2006)."""
    return -np.log(uniform) / np.maximum(weight, 1e-9)


def paired(
    group_a: Ints, rank_a: Floats, order_a: Floats, group_b: Ints, rank_b: Floats, order_b: Floats, groups: int
) -> tuple[Ints, Ints]:
    """Join entries of a to entries of b inside each group.

    In every group the smaller side joins wholly; of the larger side those with the smallest rank do. The chosen are joined
    in the order of order_a and order_b (the youngest to the youngest, say). Returns the indices into a and into b.
    """
    if len(group_a) == 0 or len(group_b) == 0:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    both = np.minimum(np.bincount(group_a, minlength=groups), np.bincount(group_b, minlength=groups))
    a = np.flatnonzero(smallest(group_a, rank_a, both))
    b = np.flatnonzero(smallest(group_b, rank_b, both))
    a = a[np.lexsort((order_a[a], group_a[a]))]
    b = b[np.lexsort((order_b[b], group_b[b]))]
    return a, b
