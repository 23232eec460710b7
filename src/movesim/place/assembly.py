"""Assembly: from margins and a number of people to a Population."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from movesim.errors import InputError
from movesim.place.attributes import describe
from movesim.place.households import form
from movesim.place.margins import ENVIRONMENT, Margins
from movesim.place.pods import POD_SIZE, PodList, pod_order, pods_of_households
from movesim.place.population import Population
from movesim.place.schools import Catchments, are_real, attended, catchments
from movesim.place.synthesis import synthesise
from movesim.place.ties import Known, tie
from movesim.place.weights import weigh
from movesim.words import LOCAL, NEIGHBOURHOODS, PEOPLE

AT_ONCE = 120  # neighbourhoods made at a time: bounds memory, changes nothing else
Columns = dict[str, NDArray[Any]]
DRAWN = "{} are drawn from associations (conf/place/associations.yaml), not from tables of the place."
ASSOCIATIONS = ("Residents of communal establishments (halls, care homes) are households of one.",)
MADE_UP_SCHOOLS = "Schools and their catchments are made up: neighbouring LSOAs of one authority."


def assemble(
    margins: Margins, people: int | None, place_seed: int, fingerprint: str, schools: Catchments | None = None
) -> Population:
    """Make the population of a place, or the sample of it that is about `people` large (whole pods).

    Arguments: margins; people, None for all; place_seed; fingerprint, a hash of what it is made from; schools and whom they
    serve, where the place is a part of a larger one that settles that. Raises InputError for
    a number of people that is not positive.
    """
    if people is not None and people <= 0:
        raise InputError(f"people={people}: a sample needs at least one person; give a whole number such as 20000.")
    margins = margins.whole()
    order = pod_order(margins, place_seed)
    made = _take(margins, order, people, place_seed)
    return _population(margins, made, place_seed, fingerprint, schools or catchments(margins, place_seed))


def _take(margins: Margins, order: PodList, people: int | None, place_seed: int) -> Columns:
    """Make the neighbourhoods of the first pods of the order and keep the prefix whose size is nearest to `people`."""
    longest = len(order) if people is None else min(len(order), int(np.ceil(people / POD_SIZE * 1.1)) + 2)
    rank = np.full((len(margins), int(order.number.max()) + 1), -1, np.int64)
    rank[order.neighbourhood[:longest], order.number[:longest]] = np.arange(longest)
    which = np.unique(order.neighbourhood[:longest])
    parts = [_residents(margins, which[i : i + AT_ONCE], rank, place_seed) for i in range(0, len(which), AT_ONCE)]
    made = {name: np.concatenate([p[name] for p in parts]) for name in parts[0]}
    size = np.cumsum(np.bincount(made["pod"], minlength=longest))
    taken = longest if people is None else int(np.argmin(np.abs(size - people))) + 1
    if people is None or size[-1] < people:
        taken = longest
    keep = made["pod"] < taken
    return {name: column[keep] for name, column in made.items()} if not keep.all() else made


def _residents(margins: Margins, which: NDArray[np.int64], rank: NDArray[np.int64], place_seed: int) -> Columns:
    """Everybody who lives in the pods asked for of some neighbourhoods, in the order of neighbourhood, pod and household."""
    people = synthesise(margins, which, place_seed)
    homes = form(margins, people, place_seed)
    columns = describe(margins, people, homes, place_seed)
    pod = rank[which[homes.lsoa], pods_of_households(homes, which, margins, place_seed)][homes.of_person]
    order = np.lexsort((people.id, homes.role, homes.of_person, pod, people.lsoa))
    order = order[pod[order] >= 0]
    wanted = {c.name: c.dtype for c in PEOPLE}
    out: Columns = {k: v[order].astype(wanted[k]) for k, v in columns.items() if k in wanted}
    for name in ("id", "age", "sex", "ethnic_group"):
        out[name] = getattr(people, name)[order].astype(wanted[name])
    out["pod"] = pod[order]
    out["home"] = homes.id[homes.of_person[order]]
    out["at"] = which[people.lsoa[order]]
    return out


def _population(margins: Margins, made: Columns, place_seed: int, fingerprint: str, found: Catchments) -> Population:
    at, pod = made.pop("at"), made.pop("pod")
    home = made.pop("home")
    n = len(at)
    if len(np.unique(made["id"])) != n:
        raise AssertionError("two people share an identity")
    new = np.concatenate([[True], home[1:] != home[:-1]])
    household = (np.cumsum(new) - 1).astype(np.int32)
    lived_in, neighbourhood = np.unique(at, return_inverse=True)
    authority = margins.local_authority[at].astype(np.int64)
    decile = margins.imd_decile[at].astype(np.int64)
    school = attended(found, at, made["age"], made["id"], place_seed)
    made["weight"] = weigh(margins, authority, decile, made["age"])
    made["household"], made["neighbourhood"] = household, neighbourhood.astype(np.int32)
    known = Known(made["id"], made["age"], made["ethnic_group"], made["ns_sec"], made["in_work"], household.astype(np.int64), pod,
                  school, authority, decile)  # fmt: skip
    ties, kinds = tie(known, place_seed)
    schools, made["school"] = _schools(margins, found, school, lived_in, neighbourhood)
    table: Columns = {
        "code": margins.code[lived_in],
        "name": margins.label[lived_in],
        "local_authority": margins.local_authority[lived_in],
        "imd_decile": margins.imd_decile[lived_in],
        "residents": margins.residents[lived_in],
        **{name: margins.environment[name][lived_in] for name in ENVIRONMENT},
        **{name: column[lived_in] for name, column in margins.local.items()},
    }
    return Population(
        name=margins.name,
        title=margins.title,
        people={c.name: np.ascontiguousarray(made[c.name], dtype=c.dtype) for c in PEOPLE},
        ties=ties,
        tie_kind=kinds,
        neighbourhoods={c.name: table[c.name].astype(c.dtype) for c in (*NEIGHBOURHOODS, *LOCAL) if c.name in table},
        schools=schools,
        local_authorities=margins.local_authorities,
        pods=pod.astype(np.int32),
        residents=margins.total,
        notes=(*margins.notes, _drawn(margins), *ASSOCIATIONS, *(() if are_real(margins) else (MADE_UP_SCHOOLS,))),
        fingerprint=fingerprint,
    )


def _drawn(margins: Margins) -> str:
    """What no table of the place says, in a sentence."""
    care = ", unpaid care" if np.isnan(margins.carers).any() else ""
    work = ", work" if margins.employed is None else ""
    return DRAWN.format(f"Faith, pregnancy, impairments{care}{work} and income")


def _schools(
    margins: Margins, found: Catchments, school: NDArray[np.int64], lived_in: NDArray[np.int64], home: NDArray[np.int64]
) -> tuple[Columns, NDArray[np.int32]]:
    """The schools that the sample's children attend, and those of its neighbourhoods; row 0 is no school.

    A school that stands in a neighbourhood outside the sample is shown in the first of its catchment that is inside, or else
    in that of its first pupil.
    """
    serving = np.concatenate([found.primary[lived_in], found.secondary[lived_in]])
    used = np.unique(np.concatenate([serving, school[school >= 0]]))
    row = np.zeros(len(found.code) + 1, np.int64)
    row[used] = np.arange(len(used)) + 1
    row[-1] = 0
    inside = np.full(len(margins) + 1, -1, np.int64)  # the last stands for neighbourhoods of another part
    inside[lived_in] = np.arange(len(lived_in))
    stand = inside[found.neighbourhood[used]]
    for of in (found.primary, found.secondary):
        first = np.full(len(found.code), -1, np.int64)
        first[of[lived_in][::-1]] = np.arange(len(lived_in))[::-1]
        stand = np.where(stand < 0, first[used], stand)
    pupil = np.flatnonzero(school >= 0)
    first = np.full(len(found.code), -1, np.int64)
    first[school[pupil][::-1]] = home[pupil][::-1]
    stand = np.where(stand < 0, first[used], stand)
    return {
        "code": np.concatenate([["no school"], found.code[used]]).astype("U16"),
        "phase": np.concatenate([[0], found.phase[used]]).astype(np.int8),
        "neighbourhood": np.concatenate([[0], stand]).astype(np.int32),
    }, row[school].astype(np.int32)
