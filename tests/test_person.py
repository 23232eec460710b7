"""Views of persons and neighbourhoods: plain values, writes with checks, sentences for what cannot be."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import mesa
import numpy as np
import pytest

from movesim import words
from movesim.behaviour.rules import References, behaviour_ledger, make_rules
from movesim.errors import InputError, MovesimError
from movesim.model import ActivityModel
from movesim.person import Neighbourhood, Person

sys.path.insert(0, str(Path(__file__).parent))
from small import small_population

pytestmark = pytest.mark.filterwarnings("error")
POPULATION = small_population(500, 20)
RULES = make_rules(behaviour_ledger().central())
TEXT, YES, WHOLE, NUMBER = str, bool, int, float
PROPERTIES = {
    "id": WHOLE, "weight": NUMBER, "age": WHOLE, "sex": TEXT, "ethnic_group": TEXT, "impairments": WHOLE, "ns_sec": TEXT,
    "in_work": YES, "carer": YES, "young_children": YES, "pregnant_or_baby": YES, "muslim": YES, "cars_per_adult": NUMBER,
    "income_rank": NUMBER, "household": WHOLE, "affluence": TEXT, "age_band": TEXT, "age_group": TEXT, "status": TEXT,
    "minutes": NUMBER, "minutes_last_week": NUMBER, "neighbourhood": TEXT, "local_authority": TEXT, "imd_decile": WHOLE,
    "capability_physical": NUMBER, "capability_psychological": NUMBER, "opportunity_physical": NUMBER,
    "opportunity_social": NUMBER, "motivation_reflective": NUMBER, "motivation_automatic": NUMBER, "exists": YES,
    **{f"opportunity_physical_{d.name}": NUMBER for d in words.DOMAINS},
    **{f"motivation_automatic_{d.name}": NUMBER for d in words.DOMAINS},
}  # fmt: skip
OF_A_PLACE = {
    "code": TEXT, "name": TEXT, "local_authority": TEXT, "imd_decile": WHOLE, "residents": NUMBER, "trust": NUMBER, "fte": NUMBER,
    "likeness": NUMBER, "anti_social_behaviour": NUMBER, "connectivity": NUMBER, "outdoor_space": NUMBER, "facilities": NUMBER,
    **{f"supply_{d.name}": NUMBER for d in words.DOMAINS},
}  # fmt: skip


@pytest.fixture
def model() -> ActivityModel:
    model = ActivityModel(population=POPULATION, rules=RULES, references=References.first_guess(), burn_in=False)
    model.run_weeks(8)
    return model


def adult_and_child(model: ActivityModel) -> tuple[Person, Person]:
    return next(p for p in model.agents if p.age >= 16), next(p for p in model.agents if 5 <= p.age < 16)


# --- reading --------------------------------------------------------------------------------------------------------
def test_every_component_and_column_has_a_property() -> None:
    assert {c.name for c in words.COMPONENTS} <= set(PROPERTIES)
    columns = {c.name for c in words.PEOPLE}
    assert all(hasattr(Person, name) for name in columns)
    assert all(hasattr(Neighbourhood, c.name) for c in words.NEIGHBOURHOODS)
    assert all(getattr(Person, name).__doc__ for name in PROPERTIES)
    assert all(getattr(Neighbourhood, name).__doc__ for name in OF_A_PLACE)


@pytest.mark.parametrize("which", [0, 1])
def test_values_are_plain_python(model: ActivityModel, which: int) -> None:
    person = adult_and_child(model)[which]
    for name, kind in PROPERTIES.items():
        assert type(getattr(person, name)) is kind, name
    for name, kind in OF_A_PLACE.items():
        assert type(getattr(person.home, name)) is kind, name
    assert isinstance(person, mesa.Agent) and isinstance(person.home, mesa.Agent)


def test_values_are_those_of_the_columns(model: ActivityModel) -> None:
    people = model.people
    for row in (0, 17, 499):
        person = model.person(int(people.id[row]))
        assert person.age == people.age[row] and person.minutes == people.mean[row] and person.unique_id == people.id[row]
        assert person.sex == words.SEXES[people.sex[row]] and person.ns_sec == words.NS_SEC[people.ns_sec[row]]
        assert person.motivation_reflective == people.state[3, row] and person.capability_physical == people.state[0, row]
        assert person.minutes_last_week == people.ring[7 - 4, row]
        assert person.neighbourhood == people.neighbourhoods["code"][people.neighbourhood[row]]
        assert person.age_band == words.AGE_BANDS[people.band[row]]
        assert repr(person) == f"<Person {person.id}>"


def test_status_follows_the_limits_of_age(model: ActivityModel) -> None:
    adult, child = adult_and_child(model)
    baby = next(p for p in model.agents if p.age < 5)
    mean = model.people.mean
    for person, minutes, status in (
        (adult, 29.9, "inactive"), (adult, 30.0, "fairly_active"), (adult, 150.0, "active"),
        (child, 209.0, "inactive"), (child, 210.0, "fairly_active"), (child, 420.0, "active"), (baby, 500.0, "not scored"),
    ):  # fmt: skip
        mean[person._at()] = minutes
        assert person.status == status
    assert (adult.age_group, child.age_group, baby.age_group) == ("adult", "child", "not scored")
    assert adult.affluence == "not scored" and child.affluence in words.AFFLUENCE
    assert adult.school is None and child.school in ("P1", "S1")


def test_opportunity_is_supply_times_access(model: ActivityModel) -> None:
    person, sport = adult_and_child(model)[0], words.DOMAIN["sport"]
    access = math.exp(model.people.log_A[sport, person._at()])
    assert person.opportunity_physical_sport == pytest.approx(person.home.supply_sport * access, rel=1e-6)
    own = person.by_domain("opportunity_physical")
    assert tuple(own) == person.domains == ("leisure_walk", "travel_walk", "cycle", "sport")
    assert person.opportunity_physical == pytest.approx(np.mean(list(own.values())))
    assert len(adult_and_child(model)[1].domains) == 6


def test_ties_are_people(model: ActivityModel) -> None:
    person = model.person_at(100)
    tied = person.ties()
    assert 1 <= len(tied) <= words.TIES and all(isinstance(other, Person) for other in tied)
    assert all(person in other.ties() for other in tied)
    assert person.ties("kin or neighbour") == tied and person.ties("household") == []


def test_a_view_is_never_out_of_date(model: ActivityModel) -> None:
    person = model.person_at(3)
    before = person.minutes_last_week, person.opportunity_social
    model.run_weeks(1)
    assert (person.minutes_last_week, person.opportunity_social) != before
    assert person.opportunity_social == model.people.state[2, 3]


# --- writing --------------------------------------------------------------------------------------------------------
def test_components_can_be_set(model: ActivityModel) -> None:
    adult = adult_and_child(model)[0]
    for name in ("capability_physical", "capability_psychological", "opportunity_social", "motivation_reflective"):
        setattr(adult, name, 0.25)
        assert getattr(adult, name) == 0.25
    adult.motivation_automatic_cycle = 1
    assert adult.motivation_automatic_cycle == 1.0
    play = adult.motivation_automatic_play
    adult.motivation_automatic = np.float64(0.5)
    assert adult.motivation_automatic == 0.5 and adult.motivation_automatic_play == play
    assert model.people.state[:, adult._at()].tolist() == [0.25] * 4


@pytest.mark.parametrize("value", [0.0, 1.01, -1, math.nan, math.inf, "much", None, True])
def test_components_stay_in_range(model: ActivityModel, value: object) -> None:
    person = model.person_at(0)
    with pytest.raises(InputError, match=r"motivation_reflective must be a number from 0\.01 to 1, got"):
        person.motivation_reflective = value
    assert model.people.state[3, 0] == person.motivation_reflective


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("motivation_automatic", "motivation_automatic must be a number from 0 to 1, got 2"),
        ("motivation_automatic_sport", "motivation_automatic_sport must be a number from 0 to 1, got 2"),
        ("age", "age of a person cannot be set: set-points and access follow from it"),
        ("opportunity_physical", "opportunity_physical of a person cannot be set: it is the supply"),
        ("opportunity_physical_sport", "cannot be set: it is the supply of the neighbourhood .* set supply_sport"),
        ("motivation_reflectve", "A Person has no 'motivation_reflectve' to set; .* Did you mean 'motivation_reflective'?"),
    ],
)
def test_what_cannot_be_set_says_why(model: ActivityModel, name: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        setattr(model.person_at(0), name, 2)


def test_other_sentences(model: ActivityModel) -> None:
    person = model.person_at(0)
    with pytest.raises(InputError, match=r"There are no ties of the kind 'houshold'; .* Did you mean 'household'\?"):
        person.ties("houshold")
    with pytest.raises(InputError, match="Only opportunity_physical and motivation_automatic differ by domain, got 'age'"):
        person.by_domain("age")
    with pytest.raises(MovesimError, match="A Person is a view and cannot be removed"):
        person.remove()
    with pytest.raises(MovesimError, match="A Neighbourhood is a view and cannot be removed"):
        person.home.remove()
    with pytest.raises(AttributeError):
        _ = person.happiness


# --- neighbourhoods -------------------------------------------------------------------------------------------------
def test_a_neighbourhood_and_its_people(model: ActivityModel) -> None:
    place = model.neighbourhood_at(4)
    assert place.code == "X0000004" and place.local_authority == "Beford" and place.imd_decile == 5
    people = place.persons()
    assert len(people) == (model.people.neighbourhood == 4).sum() and all(p.home is place for p in people)
    assert repr(place) == "<Neighbourhood X0000004>" and tuple(place.supply()) == tuple(words.DOMAIN)


def test_stocks_can_be_set_and_others_keep_theirs(model: ActivityModel) -> None:
    place, other = model.neighbourhood_at(0), model.neighbourhood_at(1)
    before = {name: getattr(other, name) for name in OF_A_PLACE}
    old = model.simulation.trust, model.simulation.log_E
    for name, value in (("trust", 0.5), ("fte", 2.0), ("likeness", 0.25)):
        setattr(place, name, value)
        assert getattr(place, name) == value
    place.supply_sport = 0.95
    assert place.supply_sport == pytest.approx(0.95, rel=1e-6)
    assert {name: getattr(other, name) for name in OF_A_PLACE} == before
    assert old[0][0] != 0.5 and old[1][3, 0] != model.simulation.log_E[3, 0]  # arrays a branch may share stay as they were
    model.run_weeks(1)
    assert place.supply_sport == pytest.approx(0.95, rel=1e-6) and place.trust != 0.5


def test_supply_acts(model: ActivityModel) -> None:
    plain = ActivityModel(population=POPULATION, rules=RULES, references=References.first_guess(), burn_in=False)
    plain.run_weeks(8)
    model.neighbourhoods.set("supply_sport", 0.01)
    model.run_weeks(20)
    plain.run_weeks(20)
    sport = words.DOMAIN["sport"]
    assert model.people.domain_minutes[sport].sum() < 0.7 * plain.people.domain_minutes[sport].sum()


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("trust", 1.5, "trust must be a number from 0 to 1, got 1.5"),
        ("supply_sport", 0, "supply_sport must be a number from 0.01 to 1, got 0"),
        ("fte", -1, "fte must be a number from 0 to 1000, got -1"),
        ("likeness", "high", "likeness must be a number from 0 to 1, got 'high'"),
        ("residents", 5, "residents of a neighbourhood cannot be set: it comes from the place's tables"),
        ("trst", 1, "A Neighbourhood has no 'trst' to set"),
    ],
)
def test_what_a_neighbourhood_refuses(model: ActivityModel, name: str, value: object, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        setattr(model.neighbourhood_at(0), name, value)


def test_what_a_plan_moves_is_shown_and_not_set(model: ActivityModel) -> None:
    shifts, place, plain = model.simulation.shifts, model.neighbourhood_at(2), model.neighbourhood_at(3)
    before = place.supply_cycle, place.fte, place.likeness
    shifts.array("supply")[2, 2], shifts.array("fte")[2], shifts.array("likeness")[2] = 1.0, 0.5, 0.1
    for name in ("supply", "fte", "likeness"):
        shifts.touched(name)
    model.run_weeks(1)
    assert place.supply_cycle > before[0] and place.fte == before[1] + 0.5 and place.likeness == pytest.approx(before[2] + 0.1)
    for name in ("supply_cycle", "fte", "likeness"):
        with pytest.raises(InputError, match=f"{name} of X0000002 cannot be set while a plan adds to it"):
            setattr(place, name, 0.5)
    place.supply_sport = 0.5  # the plan leaves it alone
    plain.supply_cycle = 0.9
    shifts.touched("supply")
    model.run_weeks(1)
    assert plain.supply_cycle == pytest.approx(0.9, rel=1e-6) and place.supply_sport == pytest.approx(0.5, rel=1e-6)
