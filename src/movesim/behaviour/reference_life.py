"""A year of life in the plain reference model: one person after another, written from the specification (section 4).

Everybody ages a year; then illness, school, study and work, death, birth and moving. `Before.of(model)` keeps what must be known
of week 0, `a_year(model)` lets the year pass and returns what came of it. The tables are read from
conf/behaviour/demography.yaml and looked up by age, never spread out. docs/reference-model.md lists what was ambiguous.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from movesim import draws
from movesim.config import conf_folder, load_yaml
from movesim.words import ADULT_FROM, AFFLUENCE, AGE_BAND_STARTS, CHILD_FROM, NS_SEC, SEXES, TIE_KINDS, TIES, WEEKS_A_YEAR

if TYPE_CHECKING:
    from movesim.behaviour.reference import Neighbourhood, Person, ReferenceModel

NEAR_A_YEAR = 2e-6  # a year's minutes come in single precision, and with them the chances of illness and death
FEMALE, STUDENT, NOT_SCORED = SEXES.index("female"), NS_SEC.index("student"), NS_SEC.index("not scored")
AT_HOME, IN_CLASS = TIE_KINDS.index("household"), TIE_KINDS.index("class")
PRIMARY, SECONDARY = 1, 2
EVER_SINCE = 2**64 - 1
LASTING = ("noise", "taste_domain", "taste", "volume_unit", "P", "Y", "S", "R", "H", "last_four")


# --- tables ---------------------------------------------------------------------------------------------------------
@lru_cache(maxsize=1)
def tables() -> dict[str, Any]:
    """Return the tables of yearly demography as they stand in the file."""
    return load_yaml(conf_folder() / "behaviour" / "demography.yaml").data["tables"]


def by_age(table: str, row: str | int, age: int) -> float:
    """Return the number of a table's row in the column that holds an age, such as 20-24 or 85+; 0 where none does."""
    for column, number in zip(tables()[table]["columns"], tables()[table]["rows"][row], strict=True):
        first, _, last = str(column).rstrip("+").partition("-")
        if int(first) <= age and (age <= int(last) if last else True):
            return float(number)
    return 0.0


def deaths_a_year(model: ReferenceModel, age: int, fifth: int) -> float:
    """Return baseline deaths a person in the year after an age in completed years: half of it is lived a year older."""
    level = model.values["mortality.level"] / 1000
    return level * (by_age("mortality", fifth, age) + by_age("mortality", fifth, age + 1)) / 2


def relative_risk(model: ReferenceModel, age: int, minutes: float) -> float:
    """Return mortality against doing nothing for weekly minutes, linear between the curve's points; 1 for children."""
    if age < ADULT_FROM:
        return 1.0
    curve = tables()["dose_response"]["rows"]
    points = list(zip(curve["minutes"], curve["ratio"], strict=True))
    ratio = points[-1][1]
    for (left, high), (right, low) in itertools.pairwise(points):
        if left <= minutes < right:
            ratio = high + (low - high) * (minutes - left) / (right - left)
    return ratio ** model.values["mortality.effect"]


def band_of(age: int) -> int:
    """Return the number of an age band."""
    return sum(age >= start for start in AGE_BAND_STARTS) - 1


def identity(base: int, number: int) -> int:
    """Return a 64-bit identity made of a 64-bit base and a number (SplitMix64, Steele, Lea and Flood 2014)."""
    z = (base + (number + 1) * 0x9E3779B97F4A7C15) & EVER_SINCE
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & EVER_SINCE
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & EVER_SINCE
    return z ^ (z >> 31)


# --- what is remembered of week 0 --------------------------------------------------------------------------------------
def _by_id(model: ReferenceModel) -> list[Person]:
    return sorted(model.everybody, key=lambda person: person.who["id"])


@dataclass
class Before:
    """People and places as they stood at week 0, for newcomers and for children who begin at five.

    `alike` holds by likeness (tenth, age band, sex, impaired; then less of these) what the people so alike brought along;
    `households` are the homes of each place; `key` of a household is the smallest id in it, of a place a hash of its code;
    `usual` is the school that most pupils of a place attend, by phase; `classes` are the shares of NS-SEC 1-2, 3-5 and 6-8 by
    tenth, added up.
    """

    alike: dict[Hashable, list[dict[str, Any]]]
    households: dict[int, list[int]]
    key: dict[int, int]
    place_key: list[int]
    usual: dict[int, list[int]]
    classes: dict[int, list[float]]

    @classmethod
    def of(cls, model: ReferenceModel) -> Before:
        """Take down what is needed of a model at week 0."""
        alike: dict[Hashable, list[dict[str, Any]]] = defaultdict(list)
        households: dict[int, list[int]] = defaultdict(list)
        key: dict[int, int] = {}
        for person in _by_id(model):
            brought = {name: _copied(getattr(person, name)) for name in LASTING}
            for likeness in _likenesses(person):
                alike[likeness].append(brought)
            home = person.who["household"]
            if home not in key:
                households[person.home.row].append(home)
            key[home] = min(key.get(home, EVER_SINCE), person.who["id"])
        return cls(
            alike, households, key, [int(draws.hash_id("moves", place.code)) for place in model.places],
            {phase: [_usual_school(model, place, phase) for place in model.places] for phase in (PRIMARY, SECONDARY)},
            {decile: _classes(model, decile) for decile in range(1, 11)},
        )  # fmt: skip

    def donor(self, person: Person, u: float) -> dict[str, Any] | None:
        """Return what somebody most like a person brought along, picked by a uniform; None where nobody is alike at all."""
        for likeness in _likenesses(person):
            if group := self.alike.get(likeness):
                return group[min(int(u * len(group)), len(group) - 1)]
        return None


def _copied(value: Any) -> Any:
    return list(value) if isinstance(value, list) else value


def _likenesses(person: Person) -> list[Hashable]:
    band, sex, impaired = band_of(person.age), person.who["sex"], person.who["impairments"] > 0
    return [(person.home.decile, band, sex, impaired), (band, sex, impaired), (band, sex), (band,)]


def _usual_school(model: ReferenceModel, place: Neighbourhood, phase: int) -> int:
    """Return the school of a phase that most residents among a place's pupils attend; without any, its authority's, then any."""
    circles: list[Callable[[Person], bool]] = [
        lambda p: p.home is place, lambda p: p.home.authority == place.authority, lambda p: True,
    ]  # fmt: skip
    for within in circles:
        pupils: dict[int, float] = defaultdict(float)
        for person in model.everybody:
            if model.schools[person.who["school"]] == phase and within(person):
                pupils[person.who["school"]] += person.who["weight"]
        if pupils:
            return min(pupils, key=lambda school: (-pupils[school], school))
    return 0


def _classes(model: ReferenceModel, decile: int) -> list[float]:
    """Return shares of the three classes among people of 25 to 64 in a tenth, added up; where nobody is, everybody's shares."""
    for within in (lambda p: p.home.decile == decile, lambda p: True):
        residents = [0.0, 0.0, 0.0]
        for person in model.everybody:
            if 25 <= person.age < 65 and person.who["ns_sec"] <= 2 and within(person):
                residents[person.who["ns_sec"]] += person.who["weight"]
        if sum(residents) > 0:
            break
    else:
        residents = [1.0, 1.0, 1.0]
    return [sum(residents[: k + 1]) / sum(residents) for k in range(3)]


# --- a year -----------------------------------------------------------------------------------------------------------
@dataclass
class Year:
    """What came of a turn of the year: how many died, were born and arrived, and how many households left.

    `decisions` counts what was drawn against a chance, `near` those too close to call; `close` are the people whom that may
    concern: whose chance it was and those who live with them.
    """

    died: int = 0
    born: int = 0
    arrived: int = 0
    households: int = 0
    decisions: int = 0
    near: int = 0
    close: set[Person] = field(default_factory=set)


class _Turn:
    """One turn of the year: the model, its week, and the chances that were drawn."""

    def __init__(self, model: ReferenceModel) -> None:
        assert model.before is not None
        self.model, self.values, self.before, self.week = model, model.values, model.before, model.week
        self.year = Year()

    # --- chance -------------------------------------------------------------------------------------------------------
    def draw(self, identity: int, stream: str, index: int = 0, week: int | None = None) -> list[float]:
        """Return the four uniforms of an id, strictly inside (0, 1)."""
        week = self.week if week is None else week
        return draws.open_uniform(draws.words([identity], week, stream, self.model.key, index)[:, 0]).tolist()

    def below(self, person: Person, u: float, chance: float) -> bool:
        """Tell whether a uniform lies below a chance, and note where that is too close to call."""
        self.year.decisions += 1
        if abs(u - chance) < NEAR_A_YEAR:
            self.year.near += 1
            self.year.close |= set(self.at_home_with(person))
        return u < chance

    def at_home_with(self, person: Person) -> list[Person]:
        """Return everybody of a household, the dead included."""
        return [p for p in self.model.everybody if p.who["household"] == person.who["household"]]

    def alive(self) -> list[Person]:
        """Return everybody alive."""
        return [p for p in self.model.everybody if p.alive]

    # --- illness --------------------------------------------------------------------------------------------------------
    def activity_against_england(self, person: Person) -> float:
        """Return the relative risk that the past year's activity leaves, over England's mean of the same band and fifth."""
        own = relative_risk(self.model, person.age, person.year_total / WEEKS_A_YEAR)
        return own / self.model.risk[band_of(person.age)][(person.home.decile - 1) // 2]

    def fall_ill(self, person: Person, activity: float) -> None:
        """Let a first impairment begin, or a further one come or one pass."""
        v, count = self.values, person.who["impairments"]
        onset = v["impairment.onset"] * math.exp(v["impairment.decade"] * (person.age - 50) / 10)
        if person.age < ADULT_FROM:
            onset = v["impairment.child"]
        onset *= math.exp(v["impairment.deprivation"] * person.home.deprivation) * activity ** v["impairment.activity"]
        u = self.draw(person.who["id"], "impairment")
        if count == 0:
            begins = self.below(person, u[0], 1 - math.exp(-onset))
            if person.age == ADULT_FROM:  # the adults' definition counts more
                begins |= self.below(person, u[2], v["impairment.at_16"])
            if begins:
                count = 1 + self.below(person, u[1], v["impairment.two"] + v["impairment.three"])
                count += self.below(person, u[1], v["impairment.three"])
        elif count < 3 and self.below(person, u[0], 1 - math.exp(-onset * v["impairment.worsening"])):
            count += 1
        elif not self.below(person, u[0], 1 - v["impairment.recovery"]):
            count -= 1
        person.who["impairments"] = count

    # --- school and work -------------------------------------------------------------------------------------------------
    def go_to_school(self, person: Person) -> None:
        """Begin primary school at 5 and secondary school at 11; at 16 leave school and become a student."""
        place = person.home.row
        if person.age == CHILD_FROM:
            person.who["school"] = self.before.usual[PRIMARY][place]
        elif person.age == 11:
            person.who["school"] = self.before.usual[SECONDARY][place]
        elif person.age == ADULT_FROM:
            person.who |= {"school": 0, "affluence": -1, "ns_sec": STUDENT, "in_work": 0}

    def make_class_mates(self, starters: list[Person]) -> None:
        """Tie those who start school in the same authority and tenth to the next ones, school by school in a keyed order."""
        keyed = []
        for person in starters:
            if person.who["school"] > 0:
                area = (person.home.authority, person.home.decile)
                u = self.draw(person.who["id"], "newborn", index=1)[0]
                keyed.append((area, person.who["school"], u, person))
        keyed.sort(key=lambda entry: entry[:3])
        for apart in range(1, round(self.values["school.class_ties"] / 2) + 1):
            for one, other in zip(keyed, keyed[apart:]):
                if one[0] == other[0]:
                    tie(one[3], other[3], IN_CLASS)

    def study_and_work(self, person: Person) -> None:
        """Let a student leave study into a class, and let anybody start, leave or retire from work."""
        v, who, age = self.values, person.who, person.age
        u = self.draw(who["id"], "work")
        ends = v["work.study_21"] if age >= 21 else v["work.study_19"] if age >= 19 else v["work.study_18"] if age >= 18 else 0.0
        graduates = who["ns_sec"] == STUDENT and self.below(person, u[0], ends)
        if graduates:
            first, second, _ = self.before.classes[person.home.decile]
            who["ns_sec"] = 0 if self.below(person, u[1], first) else 1 if self.below(person, u[1], second) else 2
        of_class = {0: v["work.class_1_2"], 2: v["work.class_6_8"], STUDENT: v["work.student"]}.get(who["ns_sec"], 0.0)
        usual = by_age("in_work", "in work", age)
        odds = usual / (1 - usual) * math.exp(of_class + v["work.impairment"] * who["impairments"])
        settled = odds / (1 + odds)  # the rate of the person's age, class and health
        retires = age >= v["work.retirement"]
        if who["in_work"]:
            leaves = v["work.retiring"] if retires else v["work.turnover"] * (1 - settled)
            who["in_work"] = int(not self.below(person, u[2], leaves))
        elif not retires:
            at_once = graduates or age == ADULT_FROM
            who["in_work"] = int(self.below(person, u[2], settled if at_once else v["work.turnover"] * settled))
        if age >= 75:
            who["ns_sec"] = NOT_SCORED

    # --- death and birth --------------------------------------------------------------------------------------------------
    def die(self, person: Person) -> None:
        """End a life: the row stays, all that counts ends."""
        person.alive = person.status = False
        person.last_four, person.x4, person.year_total = [0.0] * 4, 0.0, 0.0
        for other, _ in person.tied:
            other.tied = [(friend, kind) for friend, kind in other.tied if friend is not person]
        person.tied = []
        self.year.died += 1

    def give_birth(self, mother: Person, affluence: int) -> Person:
        """Return a newborn child in its mother's household."""
        child, v = self.model.add(), self.values
        name = int(draws.hash_id(mother.who["id"], self.week))
        inherited = ("weight", "ethnic_group", "muslim", "cars_per_adult", "income_rank", "household", "neighbourhood")
        child.who = dict.fromkeys(mother.who, 0) | {column: mother.who[column] for column in inherited}
        boy = self.below(mother, self.draw(name, "newborn")[0], v["births.boys"])
        child.who |= {"id": name, "ns_sec": NOT_SCORED, "sex": int(not boy) * FEMALE, "affluence": affluence}
        child.age, child.alive, child.status = 0, True, False
        child.be_someone()
        child.home = mother.home
        child.H, child.last_four, child.x4, child.year_total = [0.0] * len(mother.H), [0.0] * 4, 0.0, 0.0
        child.renew()
        child.P, child.Y, child.S, child.R = child.P0, child.Y0, child.S0, child.R0
        self.year.born += 1
        return child

    def births(self) -> None:
        """Let women have children by their age, and tie each child to its household."""
        women = [p for p in self.alive() if p.who["sex"] == FEMALE]
        rate = lambda p: self.values["births.level"] * by_age("births", "births", p.age)  # noqa: E731
        mothers = [p for p in women if rate(p) > 0 and self.below(p, self.draw(p.who["id"], "birth")[0], rate(p))]
        affluence = []
        for mother in mothers:
            siblings = [p.who["affluence"] for p in self.at_home_with(mother) if p.alive and p.who["affluence"] >= 0]
            third = min(int(mother.who["income_rank"] * len(AFFLUENCE)), len(AFFLUENCE) - 1)
            affluence.append(siblings[-1] if siblings else third)
        for mother, level in zip(mothers, affluence, strict=True):
            child = self.give_birth(mother, level)
            for other in self.at_home_with(child):
                if other.alive and other is not child:
                    tie(child, other, AT_HOME)

    # --- moving -----------------------------------------------------------------------------------------------------------
    def leaving(self) -> dict[int, int]:
        """Return k = 0, 1, ... for the k-th household that leaves each neighbourhood: those with the smallest priorities."""
        out: dict[int, int] = {}
        for place, homes in self.before.households.items():
            expected = self.values["moves.rate"] * len(homes)
            number = math.floor(expected + self.draw(self.before.place_key[place], "move", index=1)[0])
            first = sorted(homes, key=lambda home: (self.draw(self.before.key[home], "move")[0], home))
            out |= {home: k for k, home in enumerate(first[:number])}
        return out

    def move(self) -> None:
        """Let households leave; people of the same ages and sexes, but other people, come to live in their homes."""
        out = self.leaving()
        self.year.households = len(out)
        seen: dict[int, int] = defaultdict(int)
        for person in _by_id(self.model):
            home = person.who["household"]
            if home not in out:
                continue
            number, seen[home] = seen[home], seen[home] + 1
            if person.alive:
                of_year = identity(self.before.place_key[person.home.row], self.week // WEEKS_A_YEAR)
                person.who["id"] = identity(identity(of_year, out[home]), number)
                self.take_after(person, self.draw(person.who["id"], "move", index=2)[0])
                self.year.arrived += 1

    def take_after(self, person: Person, u: float) -> None:
        """Give a person what lasts and where they stand from somebody like them at week 0; without anybody they keep theirs."""
        brought = self.before.donor(person, u)
        if brought is not None:
            for name, value in brought.items():
                setattr(person, name, _copied(value))
            person.x4 = sum(person.last_four) / 4
            person.status = person.active

    # --- what follows from the household's children ------------------------------------------------------------------------
    def note_young_children(self) -> None:
        """Note who has children under five at home, and who is pregnant or the parent of a child under one."""
        youngest: dict[int, int] = {}
        for person in self.alive():
            if person.age < 5:
                home = person.who["household"]
                youngest[home] = min(youngest.get(home, 5), person.age)
        for person in self.model.everybody:
            adult, child = person.alive and person.age >= ADULT_FROM, youngest.get(person.who["household"])
            parent = adult and child is not None and 16 <= person.age - child <= 50
            person.who["young_children"] = int(parent)
            person.who["pregnant_or_baby"] = int((parent and child == 0) or (adult and self.expecting(person)))

    def expecting(self, person: Person) -> bool:
        """Tell whether a woman is pregnant: she gives birth next year, in the last three quarters of it."""
        if person.who["sex"] != FEMALE:
            return False
        chance = self.values["births.level"] * by_age("births", "births", person.age + 1)
        u = self.draw(person.who["id"], "birth", week=self.week + WEEKS_A_YEAR)
        return self.below(person, u[0], chance) and self.below(person, u[1], self.values["births.pregnancy"])


def tie(one: Person, other: Person, kind: int) -> None:
    """Tie two people both ways where both have a place free and are not tied yet."""
    if any(friend is other for friend, _ in one.tied) or len(one.tied) >= TIES or len(other.tied) >= TIES:
        return
    one.tied.append((other, kind))
    other.tied.append((one, kind))


def a_year(model: ReferenceModel) -> Year:
    """Let a year of life pass for everybody; tastes drift and set-points are renewed by the model afterwards."""
    turn = _Turn(model)
    people = turn.alive()
    activity = {person: turn.activity_against_england(person) for person in people}
    # the year that has been lived: its deaths are those of the age at which it began
    hazard = {p: deaths_a_year(model, p.age, (p.home.decile + 1) // 2) * activity[p] for p in people}
    for person in people:
        person.age = person.who["age"] = person.age + 1
        turn.fall_ill(person, activity[person])
        turn.go_to_school(person)
    starters = [person for person in people if person.age == CHILD_FROM]
    for person in starters:
        turn.take_after(person, turn.draw(person.who["id"], "newborn", index=3)[0])
    turn.make_class_mates(starters)
    for person in people:
        if person.age >= ADULT_FROM:
            turn.study_and_work(person)
    for person in _those_who(people, lambda p: turn.below(p, turn.draw(p.who["id"], "death")[0], 1 - math.exp(-hazard[p]))):
        turn.die(person)
    turn.births()
    turn.move()
    turn.note_young_children()
    return turn.year


def _those_who(people: Iterable[Person], do: Callable[[Person], bool]) -> list[Person]:
    return [person for person in people if do(person)]
