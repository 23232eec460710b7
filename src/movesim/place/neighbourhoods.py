"""The built-in places: made-up neighbourhoods whose margins come from published aggregates (conf/place)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from movesim import draws
from movesim.place.margins import (
    AGE_STARTS,
    Margins,
    associations,
    national_environment,
    raked,
    rounded,
    single_years_from_bands,
    table,
    tilted,
)

DECILES = list(range(1, 11))
COUNTED = ("age", "sex", "ethnic_group", "disabled", "ns_sec", "carers", "cars", "household_size", "communal")


def built_in(name: str, place_seed: int = 1) -> Margins:
    """Return the margins of a built-in place: 'nottinghamshire_derbyshire' or 'england'."""
    return (_two_counties if name == "nottinghamshire_derbyshire" else _england)(place_seed)


def _read(name: str) -> dict[str, Any]:
    from movesim.config import conf_folder, load_yaml

    return load_yaml(conf_folder() / "place" / f"{name}.yaml").data


def _sizes(codes: NDArray[np.str_], cell: NDArray[np.int64], totals: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """Share the residents of each cell over its neighbourhoods, unequally as real LSOAs are, in whole people."""
    unequal = associations().data["neighbourhoods"]["size_spread"]["value"]
    spread = np.exp(unequal * np.clip(ndtri(keyed(codes, seed, "size")), -2.0, 3.0))
    out = np.zeros(len(codes))
    for number in np.unique(cell):
        at = np.flatnonzero(cell == number)
        out[at] = rounded(spread[at][None, :], totals[number : number + 1])[0]
    return out


def keyed(codes: NDArray[np.str_], seed: int, purpose: str) -> NDArray[np.float64]:
    """Return one uniform per code, fixed by the place seed and the purpose."""
    ids = np.array([draws.hash_id(c, purpose) for c in codes], dtype=np.uint64)
    return draws.uniform(ids, 0, "place_other", draws.key(seed, "place"))


def _two_counties(seed: int) -> Margins:
    conf = _read("nottinghamshire_derbyshire")
    tables = conf["tables"]
    names = [a for county in conf["authorities"].values() for a in county]
    lsoas = table(tables["lsoas_by_authority"], names).astype(np.int64)
    # Authority totals keep their shares, county totals are the published ones.
    by_authority = table(tables["residents_by_authority"], names)[:, 0]
    for county, members in conf["authorities"].items():
        at = [names.index(m) for m in members]
        by_authority[at] = rounded(by_authority[None, at], np.array([float(conf["residents"][county]["value"])]))[0]
    by_decile = table(tables["residents_by_decile"], DECILES)[:, 0]
    cells = raked(lsoas.astype(float), by_authority, by_decile * by_authority.sum() / by_decile.sum())
    cells = rounded(cells, by_authority)
    counts = {c: _joint(tables, c, names, cells) for c in COUNTED}
    # Sizes of households raked to authority and decile need not hold a cell's residents: tilt them until they do.
    homes = counts["household_size"].sum(axis=2, keepdims=True)
    mean = np.divide(cells - counts["communal"][:, :, 0], homes[:, :, 0], out=np.full(cells.shape, 2.3), where=homes[:, :, 0] > 0)
    flat = np.divide(counts["household_size"], homes, out=np.full((*homes.shape[:2], 8), 0.125), where=homes > 0)
    counts["household_size"] = tilted(flat.reshape(-1, 8), mean.ravel()).reshape(flat.shape) * homes

    authority = np.repeat(np.arange(len(names)), lsoas.sum(axis=1))
    decile = np.concatenate([np.repeat(DECILES, row) for row in lsoas])
    number = np.concatenate([np.arange(row.sum()) + 1 for row in lsoas])
    codes = np.array([f"ND{a + 1:02d}-{n:04d}" for a, n in zip(authority, number)], dtype="U12")
    labels = np.array([f"{names[a]} {n:03d} (tenth {d})" for a, n, d in zip(authority, number, decile)], dtype="U60")
    cell = authority * 10 + decile - 1
    residents = _sizes(codes, cell, cells.ravel(), seed)
    share = residents / np.maximum(cells.ravel()[cell], 1.0)
    parts = {c: counts[c].reshape(-1, counts[c].shape[-1])[cell] * share[:, None] for c in COUNTED}
    notes = (
        "Neighbourhoods are made up from published aggregates: all LSOAs of one authority and IMD decile are alike but for size.",
        "Residents by authority are Census 2021 LSOA counts summed; the county totals are the published ones.",
        "Single years of age are spread evenly inside age bands, falling from 75 on.",
    )
    return _finish("nottinghamshire_derbyshire", conf["title"], tuple(names), codes, labels, authority, decile, residents,
                   np.ones(len(codes)), parts, notes)  # fmt: skip


def _joint(tables: dict[str, Any], what: str, names: list[str], cells: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cells of authority x decile x category, raked to the authority's and the decile's categories and to the residents."""
    a, d = table(tables[f"{what}_by_authority"], names), table(tables[f"{what}_by_decile"], DECILES)
    full = cells[:, :, None] * (d / cells.sum(axis=0)[:, None])[None]
    everybody = what in ("age", "sex", "ethnic_group", "disabled")  # others count adults, carers or households
    for _ in range(40):
        full *= (a / np.maximum(full.sum(axis=1), 1e-12))[:, None, :]
        full *= (d / np.maximum(full.sum(axis=0), 1e-12))[None, :, :]
        if everybody:
            now = full.sum(axis=2)
            full *= np.divide(cells, now, out=np.ones_like(now), where=now > 0)[:, :, None]
    return full


def _england(seed: int) -> Margins:
    conf, local = _read("england"), _read("nottinghamshire_derbyshire")["tables"]
    tables, each = conf["tables"], int(conf["neighbourhoods_per_decile"])
    total, lsoas = float(conf["residents"]["value"]), float(conf["lsoas"]["value"])
    decile = np.repeat(DECILES, each)
    codes = np.array([f"EN{d:02d}-{n + 1:04d}" for d in DECILES for n in range(each)], dtype="U12")
    labels = np.array([f"England, tenth {d}, {n + 1:03d}" for d in DECILES for n in range(each)], dtype="U60")
    mean = total / lsoas
    residents = _sizes(codes, decile - 1, np.full(10, np.rint(mean * each)), seed)
    per_decile = np.bincount(decile - 1, residents)
    stands_for = (total / 10 / per_decile)[decile - 1]

    age = _england_age(tables)
    structure = table(tables["structure_by_decile"], DECILES)
    everyone = table(tables["ethnic_group_all"])[0]
    white, asian, black = structure[:, 1], structure[:, 2], structure[:, 3]
    rest = 100.0 - white - asian - black
    mixed = everyone[2] / (everyone[2] + everyone[4])
    shares = {
        "age": age,
        "sex": _profile(local["sex_by_decile"]),
        "ethnic_group": np.stack([asian, black, rest * mixed, white, rest * (1 - mixed)], axis=1) / 100,
        "disabled": np.stack([100 - structure[:, 0], structure[:, 0]], axis=1) / 100,
        "ns_sec": _profile(local["ns_sec_by_decile"]),
        "carers": table(local["carers_by_decile"], DECILES) / table(local["residents_by_decile"], DECILES),
        "communal": table(local["communal_by_decile"], DECILES) / table(local["residents_by_decile"], DECILES),
    }
    per_household = structure[:, 4]
    in_households = 1.0 - shares["communal"][:, 0]
    shares["household_size"] = tilted(_profile(local["household_size_by_decile"]), per_household * in_households)
    shares["household_size"] *= (1.0 / per_household)[:, None]
    cars = _odds_scaled(_profile(local["cars_by_decile"]), conf["no_car"]["value"] / 100)
    shares["cars"] = cars / per_household[:, None]
    parts = {c: shares[c][decile - 1] * residents[:, None] for c in COUNTED}
    notes = (
        "England is 100 made-up neighbourhoods in each IMD 2025 decile; each stands for about 34 real ones.",
        "Household size, cars, NS-SEC, carers and sex by decile are those of Nottinghamshire and Derbyshire; household size is "
        "then tilted to England's people per household and cars to England's share without one.",
        "Age by IMD 2025 decile is taken from IMD 2019 deciles (mid-2020).",
    )
    return _finish("england", conf["title"], ("England",), codes, labels, np.zeros(len(codes), np.int64), decile, residents,
                   stands_for, parts, notes)  # fmt: skip


def _england_age(tables: dict[str, Any]) -> NDArray[np.float64]:
    """Shares of the twelve bands by decile: the nation's bands, fitted to each decile's children and older people."""
    ten = table(tables["age_all"])[0] / table(tables["age_all"])[0].sum()
    ratio, later = (associations().data["single_year"][f"from_{age}_a_year"]["value"] for age in (75, 90))
    old = ratio ** np.minimum(np.arange(75, 105) - 75.0, 15.0) * later ** np.maximum(np.arange(75, 105) - 90.0, 0.0)
    first = old[:10].sum() / old.sum()
    bands = np.array([*ten[:6], ten[6] / 2, ten[6] / 2, ten[7], ten[8], ten[9] * first, ten[9] * (1 - first)])
    young, older = (table(tables["age_by_decile"], DECILES) / 100).T
    group = np.array([0 if s < 16 else 2 if s >= 65 else 1 for s in AGE_STARTS])
    wanted = np.stack([young, 1 - young - older, older], axis=1)
    share = np.repeat(bands[None], 10, axis=0)
    for _ in range(50):
        for g in range(3):
            at = group == g
            share[:, at] *= (wanted[:, g] / share[:, at].sum(axis=1))[:, None]
        # The nation's shape inside each of the three groups stays; its level follows the deciles.
        now = share.mean(axis=0)
        for g in range(3):
            at = group == g
            share[:, at] *= (bands[at] / bands[at].sum() / (now[at] / now[at].sum()))[None]
    return share / share.sum(axis=1, keepdims=True)


def _profile(node: Any) -> NDArray[np.float64]:
    rows = table(node, DECILES)
    return rows / rows.sum(axis=1, keepdims=True)


def _odds_scaled(shares: NDArray[np.float64], none: float) -> NDArray[np.float64]:
    """Shift the odds of the first column alike in every row until its mean is `none`; the other columns keep their ratios."""
    low, high = -3.0, 3.0
    odds = shares[:, 0] / (1 - shares[:, 0])
    for _ in range(60):
        middle = (low + high) / 2
        first = odds * np.exp(middle) / (1 + odds * np.exp(middle))
        low, high = (low, middle) if first.mean() > none else (middle, high)
    out = shares * ((1 - first) / (1 - shares[:, 0]))[:, None]
    out[:, 0] = first
    return out


def _finish(
    name: str,
    title: str,
    authorities: tuple[str, ...],
    codes: NDArray[np.str_],
    labels: NDArray[np.str_],
    authority: NDArray[np.int64],
    decile: NDArray[np.int64],
    residents: NDArray[np.float64],
    stands_for: NDArray[np.float64],
    parts: dict[str, NDArray[np.float64]],
    notes: tuple[str, ...],
) -> Margins:
    decile8 = decile.astype(np.int8)
    return Margins(
        name=name,
        title=title,
        local_authorities=authorities,
        code=codes,
        label=labels,
        local_authority=authority.astype(np.int16),
        imd_decile=decile8,
        residents=residents,
        stands_for=stands_for,
        age=parts["age"],
        sex=parts["sex"],
        ethnic_group=parts["ethnic_group"],
        disabled=parts["disabled"],
        ns_sec=parts["ns_sec"],
        carers=parts["carers"][:, 0],
        cars=parts["cars"],
        household_size=parts["household_size"],
        communal=parts["communal"][:, 0],
        single_year=single_years_from_bands(parts["age"]),
        environment=national_environment(decile8),
        notes=(*notes, "Neighbourhood indicators are national values for the IMD decile; those of facilities are from Wales."),
    ).whole()


def carer_share() -> NDArray[np.float64]:
    """Return the share of residents who give unpaid care by IMD decile, Nottinghamshire and Derbyshire."""
    local = _read("nottinghamshire_derbyshire")["tables"]
    return table(local["carers_by_decile"], DECILES)[:, 0] / table(local["residents_by_decile"], DECILES)[:, 0]
