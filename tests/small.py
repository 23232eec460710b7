"""A small made-up population in memory, for tests of the model that need no place."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from movesim import draws
from movesim.words import NEIGHBOURHOODS, PEOPLE, TIES


def small_population(people: int = 2_000, neighbourhoods: int = 20, seed: int = 0) -> SimpleNamespace:
    """Return made-up people in households of four within neighbourhoods of all deciles, with symmetric ties."""
    r = np.random.default_rng(seed)
    n, g = people, neighbourhoods
    here = np.sort(r.integers(0, g, n)).astype(np.int32)
    decile = (np.arange(g) % 10 + 1).astype(np.int8)
    dep = (5.5 - decile[here]) / 4.5
    age = np.clip(r.integers(0, 90, n), 0, 99)
    child = age < 16
    columns = {
        "id": np.array([draws.hash_id("small", i) for i in range(n)], np.uint64),
        "weight": np.full(n, 50.0), "age": age, "sex": r.integers(0, 2, n),
        "ethnic_group": r.choice(5, n, p=[0.1, 0.05, 0.03, 0.8, 0.02]),
        "impairments": np.minimum(r.poisson(np.clip(0.15 + 0.004 * age + 0.1 * dep, 0.02, None)) * ~child, 3),
        "ns_sec": np.where(child | (age > 74), 4, r.choice(4, n, p=[0.3, 0.35, 0.27, 0.08])),
        "in_work": (r.random(n) < 0.7) & ~child & (age < 67), "carer": (r.random(n) < 0.1) & ~child,
        "young_children": (r.random(n) < 0.1) & ~child,
        "pregnant_or_baby": (r.random(n) < 0.02) & ~child, "muslim": r.random(n) < 0.06,
        "cars_per_adult": r.choice([0, 0.5, 1.0], n, p=[0.2, 0.4, 0.4]), "income_rank": np.clip(r.random(n) - 0.2 * dep, 0, 1),
        "affluence": np.where(child, r.integers(0, 3, n), -1), "household": np.arange(n) // 4, "neighbourhood": here,
        "school": np.where(child & (age >= 5), 1 + (age >= 11), 0),
    }  # fmt: skip
    columns = {c.name: np.asarray(columns[c.name]).astype(c.dtype) for c in PEOPLE}
    ties, kind = np.full((n, TIES), n, np.int32), np.full((n, TIES), -1, np.int8)
    filled = np.zeros(n, int)
    for i in range(n):
        for j in (i + 1, i + 2, i + 5, i + 9):
            if j < n and filled[i] < TIES and filled[j] < TIES:
                ties[i, filled[i]], ties[j, filled[j]] = j, i
                kind[i, filled[i]] = kind[j, filled[j]] = 1
                filled[i] += 1
                filled[j] += 1
    places = {
        "code": np.array([f"X{i:07d}" for i in range(g)]), "name": np.array([f"Place {i}" for i in range(g)]),
        "local_authority": np.arange(g) % 3, "imd_decile": decile, "residents": np.bincount(here, columns["weight"], g),
        "anti_social_behaviour": 24 - 2.0 * decile, "connectivity": 74 - 1.2 * decile, "outdoor_space": 100 + 28.0 * decile,
        "facilities": (50.0 + decile) / 100,
    }  # fmt: skip
    return SimpleNamespace(
        name="small", title="Small made-up place", people=columns, ties=ties, tie_kind=kind,
        neighbourhoods={c.name: np.asarray(places[c.name]).astype(c.dtype) for c in NEIGHBOURHOODS},
        schools={"code": np.array(["none", "P1", "S1"]), "phase": np.array([0, 1, 2], np.int8),
                 "neighbourhood": np.zeros(3, np.int32)},
        local_authorities=("Aford", "Beford", "Ceford"), pods=here.copy(), residents=float(columns["weight"].sum()), notes=(),
        fingerprint=f"small-{n}-{g}-{seed}",
    )  # fmt: skip
