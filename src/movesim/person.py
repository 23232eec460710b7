"""People and neighbourhoods as Mesa agents: views that read and write the model's columns and keep nothing of their own.

A view knows its model and an identity. Every attribute is looked up in the columns at the moment it is asked for and comes
back as a plain Python number, text or truth value, so a view is never out of date and looking never changes a run.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import mesa
import numpy as np

from movesim import draws, words
from movesim.behaviour.rules import LOWEST
from movesim.behaviour.shifts import PERSON
from movesim.errors import InputError, MovesimError, did_you_mean, one_of

if TYPE_CHECKING:
    from movesim.model import ActivityModel

NOT_SCORED = "not scored"
_MESA_SETS = ("model", "unique_id", "pos")  # what mesa.Agent itself writes on an agent


class PersonGone(MovesimError, AttributeError):
    """A view whose person has died or moved away was asked for something."""


def within(name: str, value: Any, low: float, high: float) -> float:
    """Return a number that may be written to a column, or raise InputError when it is none or lies outside low to high."""
    number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if not number or not low <= float(value) <= high:
        raise InputError(f"{name} must be a number from {low:g} to {high:g}, got {value!r}.")
    return float(value)


def _fixed(read: Callable[[Any], Any], name: str, why: str, meaning: str) -> property:
    """Return a property that can be read; writing it ends in a sentence that says why not."""

    def write(self: View, value: Any) -> None:
        raise InputError(f"{name} of a {type(self).__name__.lower()} cannot be set: {why}.")

    return property(read, write, doc=meaning)


class View(mesa.Agent):
    """What the two kinds of view share: they take no attribute that is not a column, so that no misspelling is lost."""

    model: ActivityModel

    def __setattr__(self, name: str, value: Any) -> None:
        kind = type(self)
        if not name.startswith("_") and name not in _MESA_SETS and not hasattr(kind, name):
            known = [each for each in dir(kind) if isinstance(getattr(kind, each, None), property)]
            raise InputError(
                f"A {kind.__name__} has no '{name}' to set; it is a view of the model's columns and keeps nothing of its own."
                f"{did_you_mean(name, known)}"
            )
        object.__setattr__(self, name, value)

    def remove(self) -> None:
        """Refuse: a view is not what it shows, and removing it would take nobody out of the model."""
        raise MovesimError(
            f"A {type(self).__name__} is a view and cannot be removed from the model; people leave by the model's demography, "
            "and model.remove_all_agents() forgets all views."
        )


# --- persons --------------------------------------------------------------------------------------------------------
_WHO = "set-points and access follow from it once a year; make another population instead"


def _who(name: str, meaning: str, read: Callable[[Any], Any] = lambda value: value) -> property:
    return _fixed(lambda self: read(self._column(name)), name, _WHO, meaning)


def _state(symbol: str, name: str, meaning: str) -> property:
    row = PERSON.index(symbol)

    def read(self: Person) -> float:
        return self.model.people.floats["state"][row, self._at()].item()

    def write(self: Person, value: Any) -> None:
        self.model.people.floats["state"][row, self._at()] = within(name, value, LOWEST, 1.0)

    return property(read, write, doc=meaning)


def _habit(domain: int, name: str, meaning: str) -> property:
    def read(self: Person) -> float:
        return self.model.people.floats["H"][domain, self._at()].item()

    def write(self: Person, value: Any) -> None:
        self.model.people.floats["H"][domain, self._at()] = within(name, value, 0.0, 1.0)

    return property(read, write, doc=meaning)


def _opportunity(domain: int) -> Callable[[Person], float]:
    def read(self: Person) -> float:
        people, row = self.model.people, self._at()
        supply = self.model.simulation.log_E_star[domain, people.columns["neighbourhood"][row]]
        return math.exp(float(supply) + float(self.model.simulation.log_A_star[domain, row]))

    return read


class Person(View):
    """One simulated person, seen through the model's columns.

    `unique_id` is the person's id for life: the same person has the same one in every scenario, sample and run. Beside the
    properties below there are, for every domain d, `opportunity_physical_d` (supply of the place times access of the person)
    and `motivation_automatic_d` (habit): `person.motivation_automatic_cycle`.

    >>> person = list(model.agents)[0]  # doctest: +SKIP
    >>> person.motivation_reflective = 0.9  # doctest: +SKIP
    """

    def __init__(self, model: ActivityModel, person: int, row: int) -> None:
        self._id = person
        self._row = row
        super().__init__(model)

    def _at(self) -> int:
        """Return the person's row: the one last seen if it still is theirs, else wherever they are now."""
        people, row = self.model.people, self._row
        ids = people.columns["id"]
        if row < people.n and ids[row] == self._id and people.alive[row]:
            return row
        found = np.flatnonzero((ids[: people.n] == np.uint64(self._id)) & people.alive[: people.n])
        if not found.size:
            raise PersonGone(f"Person {self._id} is no longer in the model at week {self.model.week}: they died or moved away.")
        self._row = int(found[0])
        return self._row

    def _column(self, name: str) -> Any:
        return self.model.people.columns[name][self._at()].item()

    @property
    def exists(self) -> bool:
        """Whether the person is (still) in the model."""
        try:
            self._at()
        except PersonGone:
            return False
        return True

    @property
    def id(self) -> int:
        """Identity for life; every draw of the person is keyed by it."""
        return self._id

    # activity
    @property
    def minutes(self) -> float:
        """Moderate-equivalent minutes a week, mean of the last four weeks."""
        return self.model.people.floats["mean"][self._at()].item()

    @property
    def minutes_last_week(self) -> float:
        """Moderate-equivalent minutes of the last completed week."""
        return self.model.people.floats["ring"][(self.model.week - 1) % 4, self._at()].item()

    @property
    def status(self) -> str:
        """Inactive, fairly_active or active by the limits of their age; 'not scored' under five."""
        age, minutes = self.age, self.minutes
        if age < words.CHILD_FROM:
            return NOT_SCORED
        low, high = words.ADULT_LIMITS if age >= words.ADULT_FROM else words.CHILD_LIMITS
        return words.STATUSES[int(minutes >= low) + int(minutes >= high)]

    # who they are
    weight = _who("weight", "Residents this person stands for.")
    age = _who("age", "Completed years.")
    sex = _who("sex", "Sex, male or female.", words.SEXES.__getitem__)
    ethnic_group = _who("ethnic_group", "Census ethnic group, one of five.", words.ETHNIC_GROUPS.__getitem__)
    impairments = _who("impairments", "Count of impairments; 3 means three or more.")
    ns_sec = _who("ns_sec", "Socio-economic classification.", words.NS_SEC.__getitem__)
    in_work = _who("in_work", "Whether in work.", bool)
    carer = _who("carer", "Whether giving unpaid care.", bool)
    young_children = _who("young_children", "Whether an adult with a child under five at home.", bool)
    pregnant_or_baby = _who("pregnant_or_baby", "Whether pregnant or parent of a child under one.", bool)
    muslim = _who("muslim", "Whether of Muslim faith, drawn from published associations.", bool)
    cars_per_adult = _who("cars_per_adult", "Cars or vans of the household per adult in it.")
    income_rank = _who("income_rank", "Rank of household income in the nation, 0 poorest, 1 richest.")
    household = _who("household", "Number of the household.")

    @property
    def age_group(self) -> str:
        """Adult (16 and over), child (5 to 15) or 'not scored'."""
        age = self.age
        return "adult" if age >= words.ADULT_FROM else "child" if age >= words.CHILD_FROM else NOT_SCORED

    @property
    def age_band(self) -> str:
        """Age band, as '35-54'."""
        return words.AGE_BANDS[self.model.people.band[self._at()]]

    @property
    def affluence(self) -> str:
        """Family affluence of a child: low, medium or high; 'not scored' for adults."""
        third = self._column("affluence")
        return NOT_SCORED if third < 0 else words.AFFLUENCE[third]

    @property
    def school(self) -> str | None:
        """Code of the school attended, or None."""
        number = self._column("school")
        return str(self.model.people.schools["code"][number]) if number else None

    @property
    def domains(self) -> tuple[str, ...]:
        """Names of the domains people of this age have: the first four for adults, all six for children."""
        return tuple(words.DOMAIN)[: words.ADULT_DOMAINS] if self.age >= words.ADULT_FROM else tuple(words.DOMAIN)

    # where they live
    @property
    def home(self) -> Neighbourhood:
        """The neighbourhood they live in, as a view."""
        return self.model.neighbourhood_at(self._column("neighbourhood"))

    @property
    def neighbourhood(self) -> str:
        """Code of the neighbourhood (LSOA) they live in."""
        return self.home.code

    @property
    def local_authority(self) -> str:
        """Name of the local authority they live in."""
        return self.home.local_authority

    @property
    def imd_decile(self) -> int:
        """IMD decile of where they live, 1 most deprived."""
        return self.home.imd_decile

    # components
    capability_physical = _state("P", "capability_physical", "Strength, stamina and skill, 0.01 to 1.")
    capability_psychological = _state("Y", "capability_psychological", "Knowledge and confidence, 0.01 to 1.")
    opportunity_social = _state("S", "opportunity_social", "People around one who are active, invite and lead, 0.01 to 1.")
    motivation_reflective = _state("R", "motivation_reflective", "Plans and beliefs, 0.01 to 1.")

    def by_domain(self, component: str) -> dict[str, float]:
        """Return opportunity_physical or motivation_automatic in each domain that the person has."""
        if component not in ("opportunity_physical", "motivation_automatic"):
            raise InputError(f"Only opportunity_physical and motivation_automatic differ by domain, got '{component}'.")
        return {name: getattr(self, f"{component}_{name}") for name in self.domains}

    @property
    def opportunity_physical(self) -> float:
        """Mean of physical opportunity over the person's domains: a summary, read by no equation."""
        own = self.by_domain("opportunity_physical")
        return sum(own.values()) / len(own)

    @opportunity_physical.setter
    def opportunity_physical(self, value: Any) -> None:
        raise InputError(
            "opportunity_physical of a person cannot be set: it is the supply of their neighbourhood times their access; "
            "set supply_sport (or another domain's) of the neighbourhood."
        )

    @property
    def motivation_automatic(self) -> float:
        """Mean habit over the person's domains: a summary, read by no equation. Setting it sets every one of them."""
        own = self.by_domain("motivation_automatic")
        return sum(own.values()) / len(own)

    @motivation_automatic.setter
    def motivation_automatic(self, value: Any) -> None:
        habit = within("motivation_automatic", value, 0.0, 1.0)
        self.model.people.floats["H"][: len(self.domains), self._at()] = habit

    # who they know
    def ties(self, kind: str | None = None) -> list[Person]:
        """Return the people they are tied to, of one kind (words.TIE_KINDS) or of all kinds."""
        if kind is not None and kind not in words.TIE_KINDS:
            known = words.TIE_KINDS
            raise InputError(f"There are no ties of the kind '{kind}'; they are {one_of(known)}.{did_you_mean(kind, known)}")
        people, row = self.model.people, self._at()
        tied = [
            int(other)
            for other, number in zip(people.ties[row], people.tie_kind[row], strict=True)
            if other < people.n and people.alive[other] and (kind is None or words.TIE_KINDS[number] == kind)
        ]
        return [self.model.person_at(other) for other in tied]

    def __repr__(self) -> str:
        return f"<Person {self._id}>"


for _number, _word in enumerate(words.DOMAINS):
    _name = f"motivation_automatic_{_word.name}"
    setattr(Person, _name, _habit(_number, _name, f"Habit, 0 to 1: {_word.label.lower()}."))
    _name = f"opportunity_physical_{_word.name}"
    _why = f"it is the supply of the neighbourhood times the person's access; set supply_{_word.name} of the neighbourhood"
    setattr(Person, _name, _fixed(_opportunity(_number), _name, _why, f"Supply times access: {_word.label.lower()}."))


# --- neighbourhoods -------------------------------------------------------------------------------------------------
_OFFICIAL = "it comes from the place's tables; make another population instead"


def _fact(name: str, meaning: str) -> property:
    return _fixed(lambda self: self._indicator(name), name, _OFFICIAL, meaning)


def _supply(domain: int, name: str, meaning: str) -> property:
    def read(self: Neighbourhood) -> float:
        return math.exp(float(self.model.simulation.log_E_star[domain, self._number]))

    def write(self: Neighbourhood, value: Any) -> None:
        self._only_without_plan(name, self._added("supply", domain))
        simulation, log_supply = self.model.simulation, math.log(within(name, value, LOWEST, 1.0))
        for each in ("log_E", "log_E_star"):
            array = getattr(simulation, each).copy()
            array[domain, self._number] = log_supply
            setattr(simulation, each, array)

    return property(read, write, doc=meaning)


class Neighbourhood(View):
    """One neighbourhood (LSOA), seen through the model's columns; its `unique_id` is a hash of its code.

    For every domain d there is `supply_d` (0.01 to 1, settable). Setting supply, fte or likeness says what is there without
    the plan, so it is refused where a plan adds to it at that moment.
    """

    def __init__(self, model: ActivityModel, number: int) -> None:
        self._number = number
        self._id = int(draws.hash_id("neighbourhood", model.people.neighbourhoods["code"][number]))
        super().__init__(model)

    code = _fact("code", "LSOA code, or a made-up one in built-in places.")
    name = _fact("name", "Name.")
    imd_decile = _fact("imd_decile", "National IMD decile, 1 most deprived.")
    residents = _fact("residents", "Residents of the whole neighbourhood.")
    anti_social_behaviour = _fact("anti_social_behaviour", "Incidents per 1,000 people; drives fear.")
    connectivity = _fact("connectivity", "Connectivity score; drives travel on foot.")
    outdoor_space = _fact("outdoor_space", "Private outdoor space, square metres per property.")
    facilities = _fact("facilities", "Share agreeing that facilities nearby are adequate.")

    def _indicator(self, name: str) -> Any:
        return self.model.people.neighbourhoods[name][self._number].item()

    def _added(self, name: str, domain: int | None = None) -> float:
        """What the plan adds here at this moment."""
        shift = self.model.simulation.shifts.get(name)
        if shift is None:
            return 0.0
        return float(shift[self._number] if domain is None else shift[domain, self._number])

    def _write(self, stock: str, value: float) -> None:
        """Write a stock into a new array: models that branched from the same past may share the old one."""
        array = np.array(getattr(self.model.simulation, stock))
        array[self._number] = value
        setattr(self.model.simulation, stock, array)

    def _only_without_plan(self, name: str, added: float) -> None:
        if added != 0:
            raise InputError(f"{name} of {self.code} cannot be set while a plan adds to it; set it in a model without a plan.")

    @property
    def local_authority(self) -> str:
        """Name of the local authority."""
        return self.model.people.local_authorities[self._indicator("local_authority")]

    @property
    def trust(self) -> float:
        """Trust in the community workforce, 0 to 1."""
        return float(self.model.simulation.trust[self._number])

    @trust.setter
    def trust(self, value: Any) -> None:
        self._write("trust", within("trust", value, 0.0, 1.0))

    @property
    def fte(self) -> float:
        """Community workforce, full-time equivalents per 1,000 residents."""
        return float(self.model.simulation.fte[self._number]) + self._added("fte")

    @fte.setter
    def fte(self, value: Any) -> None:
        self._only_without_plan("fte", self._added("fte"))
        self._write("fte", within("fte", value, 0.0, 1000.0))

    @property
    def likeness(self) -> float:
        """How much the workforce is like the residents, 0 to 1."""
        return min(1.0, max(0.0, float(self.model.simulation.likeness[self._number]) + self._added("likeness")))

    @likeness.setter
    def likeness(self, value: Any) -> None:
        self._only_without_plan("likeness", self._added("likeness"))
        self._write("likeness", within("likeness", value, 0.0, 1.0))

    def supply(self) -> dict[str, float]:
        """Return the supply of every domain, 0.01 to 1."""
        return {name: getattr(self, f"supply_{name}") for name in words.DOMAIN}

    def persons(self) -> list[Person]:
        """Return everybody of the model who lives here."""
        people = self.model.people
        here = (people.columns["neighbourhood"][: people.n] == self._number) & people.alive[: people.n]
        return [self.model.person_at(int(row)) for row in np.flatnonzero(here)]

    def __repr__(self) -> str:
        return f"<Neighbourhood {self.code}>"


for _number, _word in enumerate(words.DOMAINS):
    _name = f"supply_{_word.name}"
    setattr(Neighbourhood, _name, _supply(_number, _name, f"Supply, 0.01 to 1: {_word.label.lower()}."))
