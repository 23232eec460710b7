"""Synthesis: from the margins of a neighbourhood to the people in it, each neighbourhood by itself.

Age x sex x ethnic group x disability is fitted to the four margins (iterative proportional fitting, Deming and Stephan 1940),
made whole by truncate, replicate, sample (Lovelace and Ballas 2013) with keyed draws, and people are then moved between
cells until every margin is met exactly. Nothing here looks at another neighbourhood.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from movesim import draws
from movesim.place.ipf import whole_tables
from movesim.place.margins import AGE_STARTS, OLDEST, Margins, associations, table

AGES, CELLS = len(AGE_STARTS), len(AGE_STARTS) * 2 * 5 * 2
_GOLDEN, _MIX_1, _MIX_2 = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


@dataclass(frozen=True)
class Residents:
    """People of some whole neighbourhoods, in the order of `lsoa`; one entry per person.

    lsoa is the row of `which` (the neighbourhoods built), number counts people within it, id is for life.
    """

    which: NDArray[np.int64]
    lsoa: NDArray[np.int64]
    id: NDArray[np.uint64]
    age: NDArray[np.int16]
    sex: NDArray[np.int8]
    ethnic_group: NDArray[np.int8]
    disabled: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.lsoa)


def mixed(base: NDArray[np.uint64], number: NDArray[np.integer]) -> NDArray[np.uint64]:
    """Return 64-bit identities from a 64-bit base and a number (SplitMix64, Steele, Lea and Flood 2014).

    For one base no two numbers share an identity.
    """
    with np.errstate(over="ignore"):
        z = base + (number.astype(np.uint64) + np.uint64(1)) * _GOLDEN
        z = (z ^ (z >> np.uint64(30))) * _MIX_1
        z = (z ^ (z >> np.uint64(27))) * _MIX_2
    return z ^ (z >> np.uint64(31))


def bases(codes: NDArray[np.str_], purpose: str) -> NDArray[np.uint64]:
    """Return one 64-bit number per neighbourhood code and purpose."""
    return np.array([draws.hash_id(purpose, c) for c in codes], dtype=np.uint64)


def seed_table() -> NDArray[np.float64]:
    """Return the joint seed (12 ages, 2 sexes, 5 ethnic groups, 2 disability) from published associations."""
    seeds = associations().data["seeds"]
    female = table(seeds["female_by_age"])[0]
    disabled = table(seeds["disabled_by_age"])[0]
    ethnic = table(seeds["ethnic_group_by_age"]).T
    sex = np.stack([1 - female, female], axis=1)
    able = np.stack([1 - disabled, disabled], axis=1)
    return sex[:, :, None, None] * ethnic[:, None, :, None] * able[:, None, None, :]


SHAPE = (AGES, 2, 5, 2)
LEVEL = np.stack([x.ravel() for x in np.indices(SHAPE)]).astype(np.int64)  # of every cell, for each of the four margins


def synthesise(margins: Margins, which: NDArray[np.int64], place_seed: int) -> Residents:
    """Return the residents of the neighbourhoods `which` (rows of margins), fitted to age, sex, ethnic group and disability.

    Arguments: margins (whole); which (k,) rows; place_seed. A neighbourhood's people depend on nothing else.
    """
    key = draws.key(place_seed, "place")
    base = bases(margins.code[which], "person")
    cell_ids = mixed(np.repeat(bases(margins.code[which], "cell"), CELLS), np.tile(np.arange(CELLS), len(which)))
    uniforms = draws.uniform(cell_ids, 0, "place_person", key).reshape(len(which), CELLS)
    wanted = [margin[which] for margin in (margins.age, margins.sex, margins.ethnic_group, margins.disabled)]
    counts = whole_tables(seed_table(), wanted, uniforms)

    flat = counts.reshape(-1)
    cell = np.repeat(np.arange(flat.size), flat)
    lsoa = cell // CELLS
    start = np.concatenate([[0], np.cumsum(counts.sum(axis=1))])[:-1]
    number = np.arange(len(cell)) - start[lsoa]
    ids = mixed(base[lsoa], number)
    band, sex, ethnic, disabled = LEVEL[:, cell % CELLS]
    return Residents(
        which=which,
        lsoa=lsoa,
        id=ids,
        age=_single_years(margins.single_year[which], lsoa, band, draws.uniform(ids, 0, "place_person_2", key)),
        sex=sex.astype(np.int8),
        ethnic_group=ethnic.astype(np.int8),
        disabled=disabled.astype(np.int8),
    )


def _single_years(
    years: NDArray[np.float64], lsoa: NDArray[np.int64], band: NDArray[np.int64], u: NDArray[np.float64]
) -> NDArray[np.int16]:
    """Draw a single year of age inside each person's band from the neighbourhood's single years (a flat band if it has none)."""
    starts = np.append(AGE_STARTS, OLDEST + 1)
    weights = np.maximum(years, 0.0) + 1e-9
    # Cumulative shares inside each band, laid end to end with one unit per band, so that one sorted search serves everybody.
    cumulative = np.empty((len(years), OLDEST + 1))
    for b in range(AGES):
        part = np.cumsum(weights[:, starts[b] : starts[b + 1]], axis=1)
        cumulative[:, starts[b] : starts[b + 1]] = part / part[:, -1:] + b
    flat = (cumulative + np.arange(len(years))[:, None] * AGES).ravel()
    at = np.searchsorted(flat, lsoa * AGES + band + u, side="left")
    age = np.minimum(at - lsoa * (OLDEST + 1), OLDEST)
    return np.clip(age, starts[band], starts[band + 1] - 1).astype(np.int16)
