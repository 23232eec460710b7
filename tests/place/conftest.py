"""Places that several tests look at, made once a session."""

from __future__ import annotations

import pytest

from movesim.place import Population, load_place
from movesim.place.margins import Margins
from movesim.place.neighbourhoods import built_in


@pytest.fixture(scope="session")
def margins() -> Margins:
    return built_in("nottinghamshire_derbyshire")


@pytest.fixture(scope="session")
def england_margins() -> Margins:
    return built_in("england")


@pytest.fixture(scope="session")
def local() -> Population:
    return load_place("nottinghamshire_derbyshire", 20_000)


@pytest.fixture(scope="session")
def small() -> Population:
    return load_place("nottinghamshire_derbyshire", 5_000)


@pytest.fixture(scope="session")
def england() -> Population:
    return load_place("england", 20_000)
