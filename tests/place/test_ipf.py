"""Joint fits: margins met, odds of the seed kept, the same as a closed form and as a known library where it is installed."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from movesim.place.ipf import scaled, whole_tables
from movesim.place.synthesis import seed_table

# Two margins of two levels fix one cell by the odds ratio of the seed (3 here): a quadratic equation, solved by hand.
SEED = np.array([[3.0, 1.0], [1.0, 1.0]])


def test_two_by_two_is_the_closed_form() -> None:
    rows, columns = np.array([[30.0, 70.0]]), np.array([[40.0, 60.0]])
    x = scaled(SEED, [rows, columns], rounds=200)[0]
    # x (100 - 30 - 40 + x) = 3 (30 - x) (40 - x), so 2 x^2 - 240 x + 3600 = 0
    assert x[0, 0] == pytest.approx((240 - np.sqrt(240**2 - 4 * 2 * 3600)) / 4, abs=1e-9)
    assert x.sum(axis=1) == pytest.approx(rows[0]) and x.sum(axis=0) == pytest.approx(columns[0])
    assert x[0, 0] * x[1, 1] / (x[0, 1] * x[1, 0]) == pytest.approx(3.0)


def test_a_seed_of_independence_gives_the_product_of_the_margins() -> None:
    margins = [np.array([[2.0, 8.0]]), np.array([[1.0, 4.0, 5.0]]), np.array([[5.0, 5.0]])]
    found = scaled(np.ones((2, 3, 2)), margins)[0]
    wanted = np.einsum("i,j,k->ijk", *(m[0] / 10 for m in margins)) * 10
    assert np.allclose(found, wanted)


def _problem(rng: np.random.Generator, people: int = 1650) -> list[np.ndarray]:
    """Margins of one made-up neighbourhood on the seed's axes."""
    return [rng.multinomial(people, rng.dirichlet(np.full(k, 5.0)))[None].astype(float) for k in seed_table().shape]


def test_the_same_as_ipfn() -> None:
    """The library's own loop stops at its convergence rate; ours after as many rounds: they agree to a millionth of a person."""
    if importlib.util.find_spec("ipfn") is None:
        pytest.skip("ipfn is not installed (it is no dependency): the closed forms above stand in")
    from ipfn import ipfn

    margins = _problem(np.random.default_rng(3))
    theirs = ipfn.ipfn(seed_table(), [m[0] for m in margins], [[0], [1], [2], [3]], convergence_rate=1e-12).iteration()
    assert np.abs(scaled(seed_table(), margins)[0] - theirs).max() < 1e-6


def test_thirty_rounds_are_enough() -> None:
    rng = np.random.default_rng(5)
    margins = [np.concatenate(column) for column in zip(*(_problem(rng) for _ in range(20)))]
    few, many = scaled(seed_table(), margins), scaled(seed_table(), margins, rounds=300)
    assert np.abs(few - many).max() < 1e-3  # people, in tables of 1,650


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), people=st.integers(1, 400))
def test_whole_tables_meet_every_margin_and_stay_near_the_fit(seed: int, people: int) -> None:
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(2, 5, 3))
    start = rng.gamma(0.7, size=shape) * (rng.random(shape) > 0.15)
    margins = [rng.multinomial(people, rng.dirichlet(np.ones(k)))[None].astype(float) for k in shape]
    made = whole_tables(start, margins, rng.random((1, start.size)).clip(1e-9)).reshape(shape)
    assert (made >= 0).all() and made.sum() == people
    for axis, margin in enumerate(margins):
        assert np.array_equal(made.sum(axis=tuple(k for k in range(3) if k != axis)), margin[0])


def test_whole_tables_keep_the_odds_of_the_seed() -> None:
    rng = np.random.default_rng(1)
    margins = [rng.multinomial(150, share, 600).astype(float) for share in ([0.3, 0.7], [0.4, 0.6])]
    made = whole_tables(SEED, margins, rng.random((600, 4))).sum(axis=0)
    fitted = scaled(SEED, margins).reshape(600, 4).sum(axis=0)
    assert np.abs(made - fitted).max() / made.sum() < 0.002
    assert made[0] * made[3] / (made[1] * made[2]) == pytest.approx(fitted[0] * fitted[3] / (fitted[1] * fitted[2]), rel=0.03)


def test_a_neighbourhood_is_fitted_by_itself() -> None:
    rng = np.random.default_rng(2)
    margins = [np.concatenate(column) for column in zip(*(_problem(rng, 300) for _ in range(3)))]
    uniforms = rng.random((3, seed_table().size))
    together = whole_tables(seed_table(), margins, uniforms)
    alone = whole_tables(seed_table(), [m[1:2] for m in margins], uniforms[1:2])
    assert np.array_equal(together[1], alone[0])
