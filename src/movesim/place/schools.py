"""Schools: made-up catchments of neighbouring LSOAs of one authority; every child of 5 to 15 attends one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from movesim import draws
from movesim.place.margins import Margins, associations
from movesim.place.synthesis import bases

PRIMARY, SECONDARY = 1, 2
PUPILS = {PRIMARY: 280.0, SECONDARY: 950.0}  # mean pupils per state-funded school in England (recalled)
BAND = {PRIMARY: 1, SECONDARY: 2}  # 5-10 and 11-15 among the age bands of the margins


@dataclass(frozen=True)
class Catchments:
    """Schools of the whole place: code (s,), phase (s,), home neighbourhood (s,), next school of the same phase and authority
    (s,), and the catchment school of every neighbourhood: primary (g,), secondary (g,)."""

    code: NDArray[np.str_]
    phase: NDArray[np.int8]
    neighbourhood: NDArray[np.int64]
    following: NDArray[np.int64]
    primary: NDArray[np.int64]
    secondary: NDArray[np.int64]


def catchments(margins: Margins, place_seed: int) -> Catchments:
    """Group the neighbourhoods of each authority into catchments with enough children for a school of usual size.

    Real LSOAs stand in the order of their names (which run through small areas), made-up ones in a blurred order of decile,
    since neighbours are alike.
    """
    u = draws.uniform(bases(margins.code, "place"), 0, "place_school", draws.key(place_seed, "place"))
    made_up = ~np.char.startswith(margins.code, "E01")
    near = margins.imd_decile + 3.0 * (u - 0.5)
    rank = np.argsort(np.argsort(margins.label, kind="stable"), kind="stable").astype(np.float64)
    order = np.lexsort((np.where(made_up, near, rank), margins.local_authority))
    authority = margins.local_authority[order].astype(np.int64)
    codes: list[str] = []
    phases: list[int] = []
    homes: list[int] = []
    following: list[int] = []
    school = {}
    for phase in (PRIMARY, SECONDARY):
        children = margins.age[order, BAND[phase]]
        total = np.bincount(authority, children, len(margins.local_authorities))
        many = np.maximum(np.rint(total / PUPILS[phase]), 1).astype(np.int64)
        before = np.cumsum(children) - children - np.concatenate([[0.0], np.cumsum(total)[:-1]])[authority]
        part = ((before + children / 2) * many[authority] / np.maximum(total[authority], 1)).astype(np.int64)
        part = np.clip(part, 0, many[authority] - 1)
        keys, first, member = np.unique(authority * 100_000 + part, return_index=True, return_inverse=True)
        offset = len(codes)
        of = np.empty(len(order), np.int64)
        of[order] = member + offset
        school[phase] = of
        for k, key in enumerate(keys):
            # A school is named after the neighbourhood it stands in, so that its code does not depend on the others.
            codes.append(f"{'P' if phase == PRIMARY else 'S'}{margins.code[order[first[k]]]}")
            phases.append(phase)
            homes.append(int(order[first[k]]))
            same = k + 1 < len(keys) and keys[k + 1] // 100_000 == key // 100_000
            following.append(offset + (k + 1 if same else int(np.flatnonzero(keys // 100_000 == key // 100_000)[0])))
    return Catchments(
        np.array(codes, dtype="U16"), np.array(phases, np.int8), np.array(homes, np.int64), np.array(following, np.int64),
        school[PRIMARY], school[SECONDARY],
    )  # fmt: skip


def attended(
    found: Catchments, neighbourhood: NDArray[np.int64], age: NDArray[np.int16], ids: NDArray[np.uint64], place_seed: int
) -> NDArray[np.int64]:
    """Return the school of each person (index into the catchments, -1 none): the catchment's, or for some the next one."""
    own = associations().data["households"]["own_school"]["value"]
    key = draws.key(place_seed, "place")
    school = np.full(len(age), -1, np.int64)
    for phase, of, index in ((PRIMARY, found.primary, 0), (SECONDARY, found.secondary, 1)):
        child = np.flatnonzero((age >= 5) & (age < 11) if phase == PRIMARY else (age >= 11) & (age < 16))
        home = of[neighbourhood[child]]
        away = draws.uniform(ids[child], 0, "place_school", key, index=1 + index) >= own
        school[child] = np.where(away, found.following[home], home)
    return school
