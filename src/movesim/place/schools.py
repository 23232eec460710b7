"""Schools: those of GIAS where the place has them and positions, else made up; every child of 5 to 15 attends one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from movesim import draws
from movesim.place.boundaries import kilometres
from movesim.place.margins import Margins, associations
from movesim.place.synthesis import bases

PRIMARY, SECONDARY = 1, 2
NEAR = 12  # schools of a phase that a neighbourhood may be served by
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
    """Return the schools of a place and which neighbourhoods each serves: real ones where they are known, else made up."""
    return _real(margins) if are_real(margins) else _made_up(margins, place_seed)


def are_real(margins: Margins) -> bool:
    """Whether the schools of a place are those of GIAS: both phases are there and where the neighbourhoods lie is known."""
    return set(margins.schools.get("phase", ())) >= {PRIMARY, SECONDARY} and kilometres(margins.facts) is not None


def _real(margins: Margins) -> Catchments:
    """Give every neighbourhood its nearest school that still has room for its children, nearest pairs first.

    A school has room for its share of the phase's pupils, so that all rooms together hold all children; the next school of a
    school, which some of its children attend, is the nearest other one of the phase.
    """
    from scipy.spatial import cKDTree

    at = kilometres(margins.facts)
    assert at is not None
    schools = margins.schools
    codes: list[NDArray[np.str_]] = []
    phases: list[NDArray[np.int8]] = []
    homes: list[NDArray[np.int64]] = []
    following: list[NDArray[np.int64]] = []
    of: dict[int, NDArray[np.int64]] = {}
    offset = 0
    for phase in (PRIMARY, SECONDARY):
        here = np.flatnonzero(schools["phase"] == phase)
        here = here[np.argsort(schools["urn"][here], kind="stable")]
        home, pupils = schools["at"][here], schools["pupils"][here].astype(np.float64)
        children = margins.age[:, BAND[phase]]
        tree, many = cKDTree(at[home]), min(NEAR, len(here))
        near = np.asarray(tree.query(at, k=many)[1]).reshape(len(at), many)
        room = pupils * children.sum() / pupils.sum()
        of[phase] = offset + _filled(at, at[home], near, children, room)
        own, two = np.arange(len(here)), min(2, len(here))
        pairs = np.asarray(tree.query(at[home], k=two)[1]).reshape(len(here), two)
        # Schools of one neighbourhood stand at one point, so that either may be called the nearest to itself.
        follows = np.where(pairs[:, 0] != own, pairs[:, 0], pairs[:, -1])
        codes.append(np.char.add("URN", schools["urn"][here]))
        phases.append(np.full(len(here), phase, np.int8))
        homes.append(home)
        following.append(offset + follows)
        offset += len(here)
    return Catchments(np.concatenate(codes).astype("U16"), np.concatenate(phases), np.concatenate(homes),
                      np.concatenate(following), of[PRIMARY], of[SECONDARY])  # fmt: skip


def _filled(
    at: NDArray[np.float64],
    stand: NDArray[np.float64],
    near: NDArray[np.int64],
    children: NDArray[np.float64],
    room: NDArray[np.float64],
) -> NDArray[np.int64]:
    """The school of each neighbourhood: pairs by distance, taken while half of its children still find room, else the nearest."""
    apart = np.linalg.norm(at[:, None, :] - stand[near], axis=2)
    row, column = np.unravel_index(np.lexsort((near.ravel(), apart.ravel())), apart.shape)
    out = np.full(len(at), -1, np.int64)
    left = room.copy()
    for g, k in zip(row.tolist(), column.tolist()):
        school = near[g, k]
        if out[g] < 0 and left[school] >= children[g] / 2:
            out[g] = school
            left[school] -= children[g]
    return np.where(out < 0, near[:, 0], out)


def _made_up(margins: Margins, place_seed: int) -> Catchments:
    """Group the neighbourhoods of each authority into catchments with enough children for a school of usual size.

    Real LSOAs stand in the order of their names (which run through small areas), made-up ones in a blurred order of decile,
    since neighbours are alike.
    """
    u = draws.uniform(bases(margins.code, "place"), 0, "place_school", draws.key(place_seed, "place"))
    made_up = ~np.char.startswith(margins.code, "E01")
    conf = associations().data["schools"]
    near = margins.imd_decile + conf["blur_decile"]["value"] * (u - 0.5)
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
        pupils = conf["pupils_primary" if phase == PRIMARY else "pupils_secondary"]["value"]
        many = np.maximum(np.rint(total / pupils), 1).astype(np.int64)
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
