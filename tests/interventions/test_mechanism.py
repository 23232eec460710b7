"""Shares of an effect by component, and what re-run studies hand over."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from movesim.errors import InputError
from movesim.interventions import Solved, load_scenario, with_strength
from movesim.interventions.mechanism import dirichlet


@given(st.lists(st.tuples(st.floats(0.1, 20), st.floats(0, 1)), min_size=1, max_size=6))
def test_shares_add_to_one_and_are_not_negative(pairs):
    weights = {str(i): w for i, (w, _) in enumerate(pairs)}
    v = dirichlet(weights, {str(i): u for i, (_, u) in enumerate(pairs)})
    assert sum(v.values()) == pytest.approx(1.0)
    assert all(x >= 0 for x in v.values())


def test_drawn_shares_have_the_mean_and_spread_of_a_dirichlet():
    weights = {"x": 4.0, "y": 1.0, "z": 1.0}
    u = np.random.default_rng(1).random((4000, 3))
    drawn = np.array([list(dirichlet(weights, dict(zip("xyz", row))).values()) for row in u])
    assert drawn.mean(axis=0) == pytest.approx([4 / 6, 1 / 6, 1 / 6], abs=0.01)
    assert drawn[:, 0].var() == pytest.approx((4 / 6) * (2 / 6) / 7, rel=0.1)


def test_a_higher_uniform_gives_a_larger_share():
    weights = {"x": 2.0, "y": 2.0}
    assert dirichlet(weights, {"x": 0.9, "y": 0.5})["x"] > dirichlet(weights, {"x": 0.1, "y": 0.5})["x"]


def test_vanishing_weights_still_give_shares():
    assert dirichlet({"x": 1e-4, "y": 3e-4}, {"x": 0.1, "y": 0.1}) == pytest.approx({"x": 0.25, "y": 0.75})


def test_the_shares_are_numbers_of_the_ledger():
    scenario = load_scenario("routes")
    mechanism = scenario.interventions[0].mechanism
    values = scenario.ledger().draw(1, 3)
    assert mechanism.shift_vector(values) == mechanism.shift_vector(scenario.ledger().draw(1, 3))
    assert mechanism.shift_vector(values) != mechanism.shift_vector(scenario.ledger().draw(1, 4))
    told = mechanism.shift_vector(values, {"opportunity_physical": 0.5, "motivation_automatic": 0.5})
    assert told == mechanism.shift_vector(scenario.ledger().central())
    assert with_strength(3.0, told) == {name: 3.0 * share for name, share in told.items()}


def test_solved_survives_json_bit_for_bit():
    solved = Solved(
        "routes", {"opportunity_physical": 0.1 + 0.2}, {"shift": 1 / 3}, {"shift": -0.7}, 0.9, 1.2, None, 12.0, 12.5, "x"
    )
    assert Solved.from_json(solved.to_json()) == solved
    assert Solved.from_json(json.loads(solved.to_json())) == solved


def test_refusals():
    with pytest.raises(InputError, match="'routes' is solved for 'opportunity', which is no COM-B component"):
        Solved("routes", {"opportunity": 1.0})
    with pytest.raises(InputError, match=r"This is not a solved intervention .* solve the trials again"):
        Solved.from_json('{"name": "routes"}')
