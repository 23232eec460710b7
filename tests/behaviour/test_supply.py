"""What neighbourhoods supply: the national value at the national middle, in the units that places really use."""

from __future__ import annotations

import numpy as np
import pytest

from movesim.behaviour.parameters import rules_and_references
from movesim.behaviour.rules import Rules, fear, supply
from movesim.place import load_place
from movesim.words import DOMAIN

INDICATORS = {
    "leisure_walk": ("outdoor_space", "park_distance"), "play": ("outdoor_space", "park_distance"),
    "travel_walk": ("connectivity",), "sport": ("facilities",),
}  # fmt: skip


@pytest.fixture(scope="module")
def rules() -> Rules:
    return rules_and_references("central", 0, {})[0]


def medians(rules: Rules) -> dict[str, np.ndarray]:
    names = {name for found in INDICATORS.values() for name in found} | {"anti_social_behaviour"}
    return {"imd_decile": np.array([5]), **{name: np.array([rules[f"opportunity.{name}_median"]]) for name in names}}


def test_the_national_middle_has_the_national_supply(rules: Rules) -> None:
    found = supply(rules, medians(rules))
    for name, d in DOMAIN.items():
        assert found[d, 0] == pytest.approx(rules[f"domains.{name}.supply"]), name
    assert fear(rules, medians(rules)) == pytest.approx(rules["opportunity.fear"])


@pytest.mark.parametrize("place", ["england", "nottinghamshire_derbyshire"])
def test_real_neighbourhoods_lie_about_the_national_middle(rules: Rules, place: str) -> None:
    """An indicator in other units than its median (a share against per cent) would be far away."""
    people = load_place(place, 2000)
    found = supply(rules, people.neighbourhoods)
    for name, d in DOMAIN.items():
        national = rules[f"domains.{name}.supply"]
        assert 0.7 * national < np.median(found[d]) < 1.3 * national, name
        assert (np.abs(np.log(found[d] / national)) < 1.5).mean() > 0.95, name


@pytest.mark.parametrize(("name", "indicators"), INDICATORS.items())
def test_more_of_an_indicator_is_more_supply(rules: Rules, name: str, indicators: tuple[str, ...]) -> None:
    for indicator in indicators:
        better = medians(rules)
        better[indicator] = better[indicator] * (0.8 if indicator == "park_distance" else 1.2)
        changed = supply(rules, better) - supply(rules, medians(rules))
        assert changed[DOMAIN[name], 0] > 0 or rules[f"domains.{name}.supply"] >= 1.0
