"""Synthesis: from the margins of a neighbourhood to the people in it, each neighbourhood by itself.

Age x sex x ethnic group x disability is fitted to the four margins (iterative proportional fitting, Deming and Stephan 1940),
made whole by truncate, replicate, sample (Lovelace and Ballas 2013) with keyed draws, and people are then moved between
cells until every margin is met exactly. Nothing here looks at another neighbourhood.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from movesim import draws
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
# For each of the four margins: which level every cell has, and how far apart neighbouring levels are in the flat table.
LEVEL = np.stack([x.ravel() for x in np.indices(SHAPE)]).astype(np.int64)
STRIDE = np.array([20, 10, 2, 1], np.int64)


@njit(nogil=True)
def _fit_all(seed, level, stride, targets, uniforms, out):
    """Fill out (g, cells) with whole people that meet the four margins, targets (g, 4, 12), of each neighbourhood exactly.

    Loops over single numbers only: that compiles in a fraction of the time that slices take.
    """
    cells, width = seed.size, targets.shape[2]
    fitted = np.empty(cells)
    key = np.empty(cells)
    now = np.empty(width)
    for g in range(targets.shape[0]):
        for c in range(cells):
            fitted[c] = seed[c]
        for _ in range(30):
            for m in range(4):
                for k in range(width):
                    now[k] = 0.0
                for c in range(cells):
                    now[level[m, c]] += fitted[c]
                for c in range(cells):
                    if now[level[m, c]] > 0.0:
                        fitted[c] *= targets[g, m, level[m, c]] / now[level[m, c]]
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
        for m in range(4):
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


def synthesise(margins: Margins, which: NDArray[np.int64], place_seed: int) -> Residents:
    """Return the residents of the neighbourhoods `which` (rows of margins), fitted to age, sex, ethnic group and disability.

    Arguments: margins (whole); which (k,) rows; place_seed. A neighbourhood's people depend on nothing else.
    """
    key = draws.key(place_seed, "place")
    base = bases(margins.code[which], "person")
    cell_ids = mixed(np.repeat(bases(margins.code[which], "cell"), CELLS), np.tile(np.arange(CELLS), len(which)))
    uniforms = draws.uniform(cell_ids, 0, "place_person", key).reshape(len(which), CELLS)
    targets = np.zeros((len(which), 4, AGES))
    for axis, margin in enumerate((margins.age, margins.sex, margins.ethnic_group, margins.disabled)):
        targets[:, axis, : margin.shape[1]] = margin[which]
    counts = np.zeros((len(which), CELLS), np.int64)
    _fit_all(seed_table().ravel(), LEVEL, STRIDE, targets, uniforms, counts)

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
