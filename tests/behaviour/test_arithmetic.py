"""The stated errors of exponential, logarithm and normal quantile hold over all that the weekly model can ask for."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit
from scipy.special import ndtri

from movesim.behaviour import arithmetic


@njit
def every_exp(x, out):
    for j in range(x.size):
        out[j] = arithmetic.exp(x[j])


@njit
def every_log(x, out):
    for j in range(x.size):
        out[j] = arithmetic.log(x[j])


@njit
def every_normal(words, out):
    for j in range(words.size):
        out[j] = arithmetic.standard_normal(words[j])


def apply(loop, x):
    out = np.empty(x.size, np.float32)
    loop(x, out)
    return out.astype(np.float64)


@pytest.mark.parametrize("reach", [0.001, 1.0, 20.0, 86.9])
def test_exp_is_within_3e7(reach) -> None:
    x = np.random.default_rng(1).uniform(-reach, reach, 300_000).astype(np.float32)
    true = np.exp(x.astype(np.float64))
    assert np.abs(apply(every_exp, x) / true - 1).max() <= 3e-7


def test_exp_is_exact_at_nothing_and_clipped_at_its_ends() -> None:
    x = np.array([0.0, -0.0, 87.0, 1e9, np.inf, -87.0, -1e9, -np.inf], np.float32)
    got = apply(every_exp, x)
    assert got[:2].tolist() == [1.0, 1.0]
    assert (got[2:5] == got[2]).all() and (got[5:] == got[5]).all()
    assert got[2] == pytest.approx(np.exp(87.0), rel=3e-7) and got[5] == pytest.approx(np.exp(-87.0), rel=3e-7)


def test_log_is_within_3e7_and_near_one_within_1e7() -> None:
    r = np.random.default_rng(2)
    ranges = (np.exp(r.uniform(-87, 88, 300_000)), r.uniform(0.01, 1, 300_000), r.uniform(0.5, 2, 300_000))
    x = np.concatenate(ranges).astype(np.float32)
    true = np.log(x.astype(np.float64))
    error = np.abs(apply(every_log, x) - true)
    assert (error <= np.maximum(3e-7 * np.abs(true), 1e-7)).all()
    assert apply(every_log, np.ones(1, np.float32))[0] == 0.0


def test_the_normal_is_within_2e6_inside_four_standard_deviations() -> None:
    r = np.random.default_rng(3)
    evenly = np.linspace(0, 2**32 - 1, 200_000).astype(np.int64)
    words = np.concatenate([r.integers(0, 2**32, 1_000_000), evenly]).astype(np.uint32)
    true = ndtri((words.astype(np.float64) + 0.5) * 2.0**-32)
    error, inside = np.abs(apply(every_normal, words) - true), np.abs(true) <= 4
    assert error[inside].max() <= 2e-6
    assert error.max() <= 5e-3 and inside.mean() > 0.999  # what lies further out comes once in 16,000 draws


def test_the_normal_is_finite_and_the_same_on_both_sides() -> None:
    words = np.concatenate([np.arange(2000), 2.0 ** np.arange(11, 31)]).astype(np.uint32)
    low, high = apply(every_normal, words), apply(every_normal, ~words)
    assert np.isfinite(low).all() and np.array_equal(low, -high)
    assert low[0] == pytest.approx(ndtri(2.0**-33), abs=5e-3)
