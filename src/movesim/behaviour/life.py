"""One person's week recomputed alone, in double precision, with every step of the way: what decided, by which draw, and why.

The person and those they know are taken from the columns as they stand; the equations are those of the reference model. What
came out is held against what the compiled week does from the same state.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from movesim.behaviour.reference import Person, ReferenceModel, shifted
from movesim.behaviour.reference_draws import address
from movesim.behaviour.side_by_side import Reading
from movesim.words import COMPONENTS, DOMAINS, STREAMS

if TYPE_CHECKING:
    from movesim.behaviour.simulation import Simulation

AGREES = 1e-4  # relative: what single precision may differ by after a week
STATE = {
    "capability_physical": "P", "capability_psychological": "Y", "opportunity_social": "S", "motivation_reflective": "R",
}  # fmt: skip


@dataclass
class LifeWeek:
    """One week of one person.

    `week`: completed policy weeks when it begins, which is the address of its draws; `term`: whether there is school; `who`:
    words.PEOPLE of the person; `domains`: names of the domains that they decide about; `values`: every quantity by (domain,
    quantity), the domain empty for what has none; `near`: domains whose decision is too close to its threshold to call in
    single precision; `apart`: by what the compiled week differs, relatively, by quantity (decisions: how many).
    """

    week: int
    term: bool
    who: dict[str, Any]
    domains: tuple[str, ...]
    values: dict[tuple[str, str], float] = field(default_factory=dict)
    near: tuple[str, ...] = ()
    apart: dict[str, float] = field(default_factory=dict)

    def __getitem__(self, key: tuple[str, str]) -> float:
        return self.values[key]

    def of(self, start: str, domain: str = "") -> dict[str, float]:
        """Return the quantities of a domain whose name begins so, by the rest of their name."""
        return {name[len(start) :]: x for (d, name), x in self.values.items() if d == domain and name.startswith(start)}

    @property
    def agrees(self) -> bool:
        """Whether the compiled week did the same: decisions equal, all else to 1e-4; not asked after a near-tie."""
        return bool(self.near) or (self.apart["decisions"] == 0 and max(self.apart.values()) <= AGREES)


def recompute(simulation: Simulation, row: int) -> LifeWeek:
    """Return the coming week of the person in a row, recomputed alone; the run is left as it is.

    Arguments: simulation, as it stands before the week, shifts written; row, of somebody alive and five or older.
    """
    ties = Reading.of(simulation, [row]).ties[:, 0]
    model = ReferenceModel(simulation=simulation, rows=list(dict.fromkeys([row, *ties[ties >= 0].tolist()])))
    model.begin_week()
    person = model.everybody[0]
    own = {d: DOMAINS[d].name for d in person.domains()}
    out = LifeWeek(simulation.week, model.term, person.who, tuple(own.values()))
    note = out.values
    for name, letter in STATE.items():
        note["", name] = getattr(person, letter)
        note["", f"{name}_set_point"] = shifted(getattr(person, letter + "0"), person.shift[letter])
        note["", f"{name}_shift"] = person.shift[letter]
    note["", "minutes_before"], note["", "volume"] = person.x4, person.volume
    _place(person, simulation, note)

    person.home.build_trust()
    moves = {"opportunity_social": person.social_moves()}
    note["", "ties"], note["", "ties_active"] = len(person.ties), sum(tie.was_active for tie in person.ties)
    note["", "share_active"], note["", "share_active_england"] = person.share, model.references["peers"][person.band]
    person.look_around()
    note["", "opportunity_social_now"] = person.S  # decisions read this week's
    for d, name in own.items():
        _decision(person, d, name, note)
    person.decide()
    person.be_active()
    for d, name in own.items():
        _doing(person, d, name, note)
    lessons = person.lessons()
    moves |= {name: lessons[letter] for name, letter in STATE.items() if letter in lessons}
    habit = list(person.H)
    person.learn()
    for name, terms in moves.items():
        for term, change in terms.items():
            note["", f"{name}_by_{term}"] = change
        note["", f"{name}_after"] = getattr(person, STATE[name])
    for d, name in own.items():
        note[name, "habit_after"], note[name, "habit_change"] = person.H[d], person.H[d] - habit[d]
    note["", "minutes"], note["", "minutes_after"] = person.last_four[-1], person.x4
    note["", "mastery"], note["", "enjoyment"] = person.mastery, person.enjoyment
    out.near = tuple(own[d] for d in person.near)
    out.apart = _apart(person, simulation, habit, own)
    return out


def _place(person: Person, simulation: Simulation, note: dict[tuple[str, str], float]) -> None:
    home = person.home
    note["", "trust"], note["", "workforce"], note["", "likeness"] = home.trust, home.fte, home.likeness
    for name in ("fte", "likeness"):
        added = simulation.shifts.get(name)
        note["", f"{name}_shift"] = 0.0 if added is None else float(added[home.row])
    note["", "offer_shift"] = math.log(person.offer)
    supply = simulation.shifts.get("supply")
    for d in person.domains():
        note[DOMAINS[d].name, "supply_shift"] = 0.0 if supply is None else float(supply[d, home.row])
        note[DOMAINS[d].name, "prompt"], note[DOMAINS[d].name, "opening"] = person.prompt[d], person.opening[d]


def _decision(person: Person, d: int, name: str, note: dict[tuple[str, str], float]) -> None:
    """Note capability, opportunity and motivation of a domain with what they are made of, and the draw they meet."""
    model, v = person.model, person.model.values
    K, O, M = person.gates(d)
    note[name, "capability"], note[name, "opportunity"], note[name, "motivation"] = K, O, M
    note[name, "supply"], note[name, "access"] = person.home.supply[d], person.A[d]
    for factor, x in person.access_factors(name).items():
        note[name, f"access_{factor}"] = x
    note[name, "physical_weight"], note[name, "opportunity_weight"] = model.a[d], model.b[d]
    for part, x in person.pulls(name).items():
        note[name, f"pull_{part}"] = x
    note[name, "habit"] = person.H[d]
    note[name, "pull_habit"] = v["motivation.habit"] * person.H[d]
    note[name, "pull_intention"] = v["motivation.reflective"] * (person.R - model.references["intention"][person.band])
    note[name, "pull_prompt"] = person.prompt[d]
    note[name, "probability"] = K * O * M
    note[name, "uniform"] = model.chance.decision(person.place, d)
    _address("uniform", "decide", d, name, note)
    for component in COMPONENTS:
        note[name, f"with_{component.name}"] = math.prod(person.gates(d, {component.name: 1.0}))


def _doing(person: Person, d: int, name: str, note: dict[tuple[str, str], float]) -> None:
    chance = person.model.chance
    note[name, "took_part"], note[name, "sessions"] = float(person.did[d]), float(person.sessions[d])
    note[name, "sessions_uniform"] = chance.sessions(person.place, d)
    note[name, "minutes_normal"] = chance.normal(person.place, d)
    _address("sessions_uniform", "sessions", d, name, note)
    note[name, "sessions_uniform_half"] = d % 2  # of the word's bits: 0 the lower 16, 1 the upper 16
    _address("minutes_normal", "minutes", d, name, note)
    note[name, "minutes_alone"], note[name, "minutes"] = person.minutes_alone[d], person.minutes[d]


def _address(of: str, draw: str, d: int, name: str, note: dict[tuple[str, str], float]) -> None:
    stream, word = address(draw, d)
    note[name, f"{of}_stream"], note[name, f"{of}_index"], note[name, f"{of}_word"] = STREAMS[stream], 0, word


def _apart(person: Person, simulation: Simulation, habit: list[float], own: dict[int, str]) -> dict[str, float]:
    """Return by what the compiled week differs from the week of the person alone, from the same state."""
    ahead = simulation.branch()
    ahead.people.domain_minutes[:, person.row] = 0
    ahead.step()
    after = Reading.of(ahead, [person.row])
    at = list(own)
    theirs, before = after.habits[at, 0], np.array(habit, np.float32)[at]
    did = (theirs > before) | ((theirs == before) & (before > 0))  # a full habit cannot grow, and a left one always falls
    relative = lambda a, b, floor: float(np.max(np.abs(a - b) / np.maximum(np.maximum(np.abs(a), np.abs(b)), floor)))  # noqa: E731
    mine = np.array(person.minutes)
    return {
        "decisions": float((did != np.array(person.did)[at]).sum()),
        "minutes": relative(mine, after.minutes[:, 0], 1e-2),
        "mean of four weeks": relative(np.array([person.x4]), after.mean, 1e-2),
        "components": relative(np.array([person.P, person.Y, person.S, person.R]), after.state[:, 0], 1e-2),
        "habits": relative(np.array(person.H)[at], theirs, 1e-2),
    }
