"""The Mesa model: weeks on columns, views that never change a run, Mesa's tools, pickling, copies and memory."""

from __future__ import annotations

import copy
import gc
import operator
import pickle
import re
import sys
import warnings
import weakref
from pathlib import Path

import mesa
import numpy as np
import pytest

import movesim.model
from movesim.behaviour.rules import References, behaviour_ledger, make_rules
from movesim.behaviour.simulation import Simulation
from movesim.errors import InputError, MovesimError
from movesim.model import ActivityModel
from movesim.person import Neighbourhood, Person

sys.path.insert(0, str(Path(__file__).parent))
from small import small_population

POPULATION = small_population(500, 20)
RULES = make_rules(behaviour_ledger().central())
REFERENCES = References.first_guess()

pytestmark = pytest.mark.filterwarnings("error")


def make(**given) -> ActivityModel:
    return ActivityModel(**{"population": POPULATION, "rules": RULES, "references": REFERENCES, **given})


def columns(model: ActivityModel) -> dict[str, np.ndarray]:
    """Everything a run carries from week to week."""
    people, simulation = model.people, model.simulation
    carried = {
        name: people.floats[name] for name in ("state", "base", "H", "ring", "mean", "drive", "year_minutes", "domain_minutes")
    }
    return carried | {
        "id": people.id, "alive": people.alive, "age": people.age, "active": people.active, "trust": simulation.trust,
        "supply": simulation.log_E_star,
    }  # fmt: skip


def same(one: ActivityModel, other: ActivityModel) -> bool:
    ours, theirs = columns(one), columns(other)
    return one.week == other.week and all(np.array_equal(ours[name], theirs[name]) for name in ours)


@pytest.fixture(scope="module")
def settled() -> bytes:
    """A model at week 0, as bytes: tests take a fresh one from it without another burn-in."""
    return pickle.dumps(make())


@pytest.fixture
def model(settled: bytes) -> ActivityModel:
    return pickle.loads(settled)


# --- time -----------------------------------------------------------------------------------------------------------
def test_a_step_is_a_week_of_the_simulation(model: ActivityModel) -> None:
    assert isinstance(model, mesa.Model) and model.week == 0 and model.steps == 0
    plain = Simulation(POPULATION, RULES, REFERENCES, seed=1)
    plain.run(260 + 60)
    model.run_weeks(60)
    assert model.week == plain.week == 60 == model.steps
    for name in ("state", "H", "ring", "mean", "drive"):
        assert np.array_equal(getattr(model.people, name), getattr(plain.people, name)), name


def test_without_burn_in_it_starts_at_week_minus_260(model: ActivityModel) -> None:
    early = make(burn_in=False)
    assert early.week == -260
    early.run_weeks(260)
    assert same(early, model)
    assert early.recorder.weeks == model.recorder.weeks == list(range(-100, 1, 4))


def test_seed_and_replicate_are_chance(model: ActivityModel) -> None:
    assert same(make(), model)
    assert not same(make(seed=2), model)
    assert not same(make(replicate=1), model)


def test_it_stops_running_after_its_years_but_can_be_stepped_on(model: ActivityModel) -> None:
    model.years = 1
    model.run_model()
    assert model.week == 52 and not model.running
    model.run_weeks(1)
    assert model.week == 53


def test_the_last_week_of_a_year_shows_whom_the_record_counted(model: ActivityModel) -> None:
    model.run_weeks(52)
    assert model.people.year == 0 and model.recorder.weeks[-1] == 52
    model.step()
    assert model.people.year == 1


# --- wrong input ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"seed": None}, "seed must be a whole number from 0, got None"),
        ({"seed": True}, "seed must be a whole number from 0, got True"),
        ({"replicate": -1}, "replicate must be a whole number from 0, got -1"),
        ({"years": 0}, "years must be a whole number from 1, got 0"),
        ({"population": None, "people": 0}, "people must be a whole number from 1, got 0"),
        ({"population": None, "place_seed": 1.5}, "place_seed must be a whole number from 0, got 1.5"),
        ({"plan": 3}, "plan must be the name of a scenario, a function of the simulation or None, got 3"),
        ({"draws": "fited"}, "draws must be central or fitted, got 'fited'. Did you mean 'fitted'?"),
        ({"references": None}, "rules and references belong together"),
        ({"behaviour": {"habit.gain": 0.1}}, "rules and references belong together"),
        ({"plan": "routes"}, "The plan 'routes' is solved for the model's own numbers"),
    ],
)
def test_wrong_values_get_a_sentence(given: dict, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        make(**given)
    assert sentence in str(caught.value)


def test_weeks_must_be_whole(model: ActivityModel) -> None:
    with pytest.raises(InputError, match="weeks must be a whole number from 0, got -1"):
        model.run_weeks(-1)
    with pytest.raises(TypeError):
        ActivityModel(speed=3)  # no **kwargs: a misspelt name is never swallowed


def test_init_can_be_rebuilt_from_keywords() -> None:
    """SolaraViz and batch_run make models from keywords that have defaults, and own the name `scenario`."""
    import inspect

    parameters = list(inspect.signature(ActivityModel).parameters.values())
    assert all(p.kind is p.KEYWORD_ONLY and p.default is not p.empty for p in parameters)
    assert not {"scenario", "rng", "model"} & {p.name for p in parameters}
    assert "scenario" not in vars(ActivityModel)


def test_outcomes_need_a_policy_week() -> None:
    with pytest.raises(MovesimError, match="Outcomes are recorded from week 0 on; this model is at week -260"):
        make(burn_in=False).outcomes()


# --- looking never changes a run --------------------------------------------------------------------------------------
def test_looking_every_week_changes_nothing(settled: bytes) -> None:
    quiet, watched = pickle.loads(settled), pickle.loads(settled)
    collector = mesa.DataCollector(
        model_reporters={"inactive": "inactive", "gap": "gap", "people": lambda m: len(m.agents)},
        agent_reporters={"minutes": "minutes", "status": "status"},
        agenttype_reporters={Neighbourhood: {"trust": "trust"}},
    )
    for _ in range(60):
        watched.agents.groupby("imd_decile").agg("minutes", np.mean)
        watched.agents.shuffle_do(lambda person: person.capability_physical)
        watched.agents.select(lambda person: person.motivation_automatic > 0.5, at_most=10)
        watched.random.random(), watched.rng.random()
        collector.collect(watched)
        watched.step()
        quiet.step()
    assert same(quiet, watched)
    assert all(
        np.array_equal(a, b)
        for ours, theirs in zip(quiet.recorder.sums, watched.recorder.sums, strict=True)
        for a, b in zip(ours, theirs)
    )


def test_a_model_nobody_looks_at_makes_no_views(model: ActivityModel) -> None:
    model.run_weeks(5)
    assert not model._views and not model._places
    assert len(model.agents) == 500 and len(model._views) == 500


# --- Mesa's tools -----------------------------------------------------------------------------------------------------
def test_agents_are_persons_and_neighbourhoods_stand_beside_them(model: ActivityModel) -> None:
    assert len(model.agents) == 500 and all(isinstance(agent, Person) for agent in model.agents)
    assert list(model.agents) == list(model.agents)
    assert set(model.agents_by_type) == {Person, Neighbourhood} == set(model.agent_types)
    assert len(model.agents_by_type[Neighbourhood]) == len(model.neighbourhoods) == 20
    assert [agent.unique_id for agent in model.agents] == model.people.id.tolist()
    assert len({agent.unique_id for kind in model.agents_by_type.values() for agent in kind}) == 520


def test_select_groupby_agg_get_set_do(model: ActivityModel) -> None:
    n, people = model.people.n, model.people
    assert model.agents.get("minutes") == people.mean[:n].tolist()
    assert model.agents.agg("age", [min, max]) == [people.age.min(), people.age.max()]
    women = model.agents.select(lambda person: person.sex == "female")
    assert len(women) == (people.sex == 1).sum()
    counts = model.agents.groupby("imd_decile").count()
    decile = people.neighbourhoods["imd_decile"][people.neighbourhood]
    assert counts == {int(d): int((decile == d).sum()) for d in np.unique(decile)}
    means = model.agents.groupby("status").agg("minutes", np.mean)
    assert means["inactive"] < 210 and set(means) <= {"inactive", "fairly_active", "active", "not scored"}
    women.set("motivation_reflective", 0.9)
    assert (people.state[3, :n][people.sex == 1] == np.float32(0.9)).all()
    assert (people.state[3, :n][people.sex == 0] != np.float32(0.9)).all()
    model.agents.do(lambda person: setattr(person, "capability_physical", 0.5))
    assert (people.state[0, :n] == 0.5).all()
    assert model.agents.do("step") is not None  # Mesa's habit; views have no step of their own


def test_what_is_set_is_what_the_next_week_reads(settled: bytes) -> None:
    floor, plain = pickle.loads(settled), pickle.loads(settled)
    for _ in range(4):
        floor.agents.set("capability_physical", 0.01)
        floor.agents.set("capability_psychological", 0.01)
        floor.step()
        plain.step()
    assert floor.minutes < 0.1 * plain.minutes


def test_data_collector(model: ActivityModel) -> None:
    collector = mesa.DataCollector(
        model_reporters={"inactive": "inactive", "active": "active", "minutes": "minutes", "gap": "gap"},
        agent_reporters={"minutes": "minutes", "habit": "motivation_automatic_cycle"},
        agenttype_reporters={Person: {"status": "status"}, Neighbourhood: {"trust": "trust"}},
    )
    for _ in range(3):
        collector.collect(model)
        model.step()
    by_week = collector.get_model_vars_dataframe()
    assert len(by_week) == 3 and by_week["inactive"].between(0, 1).all()
    by_person = collector.get_agent_vars_dataframe()
    assert len(by_person) == 1500
    assert by_person.xs(0, level="Step").index.to_numpy().tolist() == model.people.id.tolist()
    assert len(collector.get_agenttype_vars_dataframe(Neighbourhood)) == 60


def test_model_measures_agree_with_the_record(model: ActivityModel) -> None:
    model.run_weeks(8)
    table = model.outcomes()
    row = table[(table.week == 8) & (table.window == 4) & (table.axis == "all") & (table.age_group == "adult")].iloc[0]
    for name in ("inactive", "fairly_active", "active", "minutes"):
        assert getattr(model, name) == pytest.approx(row[name], rel=1e-6)
    tenths = table[(table.week == 8) & (table.window == 4) & (table.axis == "imd_decile") & (table.age_group == "adult")]
    from movesim.outcomes.gaps import sii

    assert model.gap == pytest.approx(float(sii(tenths.inactive.to_numpy(), tenths.residents.to_numpy())), abs=1e-9)


class Visitor(mesa.Agent):
    """An agent that somebody else adds to the model."""


def test_agents_that_you_add(model: ActivityModel) -> None:
    early = Visitor(model)
    assert len(model.agents) == 501
    late = Visitor(model)
    assert (early.unique_id, late.unique_id) == (1, 2)  # the same whether or not somebody looked in between
    assert list(model.agents)[-2:] == [early, late]
    assert len(model.agents_by_type[Visitor]) == 2
    early.remove()
    assert len(model.agents) == 501
    model.remove_all_agents()
    assert not model._views and len(model.agents) == 500 and len(model.people.id) == 500


# --- people who come and go -------------------------------------------------------------------------------------------
def test_the_dead_leave_newborns_appear_and_a_view_keeps_its_person() -> None:
    model = make(burn_in=False)
    first, second = list(model.agents)[:2]
    people = model.people
    # rows change places, one person dies and another takes the row
    people.columns["id"][[0, 1]] = people.columns["id"][[1, 0]]
    people.columns["age"][[0, 1]] = 30, 40
    assert (first.age, second.age) == (40, 30)
    assert [agent.id for agent in model.agents] == people.id.tolist()
    assert first in model.agents
    people.alive[1] = False
    assert len(model.agents) == 499 and first not in model.agents and second in model.agents and not first.exists
    with pytest.raises(MovesimError, match=f"Person {first.id} is no longer in the model at week -260: they died or moved away"):
        _ = first.minutes
    assert not hasattr(first, "minutes")  # so that Mesa's handle_missing works too
    people.alive[1] = True
    people.columns["id"][1] = 77
    assert len(model.agents) == 500 and model.person(77) in model.agents
    assert [agent.id for agent in model.agents] == people.id.tolist()


def test_one_person_without_all_others(model: ActivityModel) -> None:
    identity = int(model.people.id[7])
    person = model.person(identity)
    assert person.id == identity and len(model._views) == 1 and model.person(identity) is person
    assert len(model.agents) == 500 and list(model.agents)[7] is person
    with pytest.raises(InputError, match="There is no person 5 in the model at week 0"):
        model.person(5)


def test_demography_in_views() -> None:
    quiet, watched = make(demography=True, years=3), make(demography=True, years=3)
    held = list(watched.agents)
    for _ in range(3 * 52 + 1):
        quiet.step()
        watched.step()
        if watched.week % 13 == 0:
            assert len(watched.agents) == watched.people.alive[: watched.people.n].sum()
    assert same(quiet, watched)
    assert [agent.id for agent in watched.agents] == [agent.id for agent in quiet.agents]
    gone = [person for person in held if not person.exists]
    assert gone and all(person not in watched.agents for person in gone)
    assert any(person not in held for person in watched.agents)


# --- plans ------------------------------------------------------------------------------------------------------------
class Confidence:
    """A plan of one's own: a shift of confidence from week 4 on, in the most deprived places."""

    def __init__(self, shift: float) -> None:
        self.shift, self.weeks = shift, []

    def __call__(self, simulation: Simulation) -> None:
        self.weeks.append(simulation.week)
        if simulation.week == 4:
            people = simulation.people
            most = people.neighbourhoods["imd_decile"][people.neighbourhood] == 1
            simulation.shifts.array("Y")[: people.n] = np.where(most, self.shift, 0)
            simulation.shifts.touched("Y")


def test_a_plan_of_ones_own_is_called_every_policy_week(model: ActivityModel) -> None:
    plan = Confidence(2.0)
    treated = make(plan=plan)
    assert plan.weeks == [] and same(treated, model)
    treated.run_weeks(4)
    model.run_weeks(4)
    assert same(treated, model)  # nothing before it starts
    treated.run_weeks(48)
    model.run_weeks(48)
    assert plan.weeks == list(range(52))
    decile = model.people.neighbourhoods["imd_decile"][model.people.neighbourhood]
    gain = treated.people.state[1, :500] - model.people.state[1, :500]
    assert gain[decile == 1].mean() > 0.05


def test_a_plan_of_zeros_is_no_change(model: ActivityModel) -> None:
    placebo = make(plan=Confidence(0.0))
    placebo.run_weeks(60)
    model.run_weeks(60)
    assert same(placebo, model)


def test_a_plan_by_name_is_delivered_like_in_a_study(monkeypatch: pytest.MonkeyPatch) -> None:
    """The scenario engine itself, with studies that are not re-run but taken as solved."""
    from movesim.interventions.mechanism import Solved

    def solved(scenario, *_):
        steps = dict.fromkeys(("offered", "taken_up", "adhering", "responding", "upkeep"), 0.0)
        return {i.name: Solved(i.name, {c.name: 1.0 for c in i.mechanism.components}, a=steps) for i in scenario.interventions}

    monkeypatch.setattr(movesim.model, "rules_and_references", lambda *_: (RULES, REFERENCES))
    monkeypatch.setattr(movesim.model, "solve", solved)
    monkeypatch.setattr(movesim.model, "england_readiness", lambda *_: -2.0)
    given = {"population": POPULATION, "years": 2, "burn_in": False}
    plain, named, empty = (
        ActivityModel(**given),
        ActivityModel(**given, plan="community_leaders"),
        ActivityModel(**given, plan="baseline"),
    )
    for model in (plain, named, empty):
        model.run_weeks(260 + 40)
    again = pickle.loads(pickle.dumps(named))
    for model in (plain, named, empty, again):
        model.run_weeks(60)
    assert same(plain, empty) and same(named, again) and not same(plain, named)
    assert any(named.neighbourhoods.get("fte")[i] > plain.neighbourhoods.get("fte")[i] for i in range(20))
    with pytest.raises(InputError, match="There is no scenario called 'comunity_leaders'"):
        ActivityModel(**given, plan="comunity_leaders")


@pytest.mark.slow
@pytest.mark.parametrize("demography", [False, True])
def test_a_model_is_the_run_of_a_study_bit_for_bit(monkeypatch: pytest.MonkeyPatch, demography: bool) -> None:
    from movesim.experiments import replicate

    runs: dict = {}
    monkeypatch.setattr(replicate, "tables_of", lambda finished, task: runs.update(finished))
    place = "nottinghamshire_derbyshire"
    replicate.run_pair(replicate.Task(0, ("community_leaders",), place, 1000, 1, 1, 2, "central", demography))
    for name, run in runs.items():
        model = ActivityModel(place=place, people=1000, years=2, plan=name, demography=demography)
        while model.running:
            model.step()
            _ = model.agents
        assert replicate.state_hash(model.simulation) == run.state
        assert model.recorder.weeks == run.recorder.weeks


# --- pickles and copies -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("looked", [False, True])
def test_a_pickled_model_goes_on_bit_for_bit(model: ActivityModel, looked: bool) -> None:
    model.run_weeks(50)
    if looked:
        _ = model.agents, model.agents_by_type
    again = pickle.loads(pickle.dumps(model))
    assert again.week == 50 and again.steps == 50
    model.run_weeks(10)
    assert again.week == 50
    again.run_weeks(10)
    assert same(model, again)
    assert [agent.unique_id for agent in model.agents] == [agent.unique_id for agent in again.agents]
    assert all(agent.model is again for agent in again.agents)


def test_model_person_and_collector_pickle_together(model: ActivityModel) -> None:
    model.datacollector = mesa.DataCollector(
        model_reporters={"gap": "gap"}, agent_reporters={"minutes": operator.attrgetter("minutes")}
    )
    person = list(model.agents)[3]
    model.datacollector.collect(model)
    again, twin = pickle.loads(pickle.dumps((model, person)))
    assert twin in again.agents and twin.model is again and twin.minutes == person.minutes
    again.step()
    again.datacollector.collect(again)
    assert len(again.datacollector.get_model_vars_dataframe()) == 2


@pytest.mark.parametrize("how", [copy.copy, copy.deepcopy])
def test_a_copy_is_independent(model: ActivityModel, how) -> None:
    _ = model.agents
    other = how(model)
    other.run_weeks(3)
    assert model.week == 0 and other.week == 3
    other.agents.set("motivation_reflective", 0.2)
    next(iter(other.neighbourhoods)).trust = 0.9
    model.run_weeks(3)
    plain = make()
    plain.run_weeks(3)
    assert same(model, plain)


# --- memory and the page ----------------------------------------------------------------------------------------------
def test_twenty_unpickled_models_looked_at_and_dropped_leave_none(settled: bytes) -> None:
    left = []
    for _ in range(20):
        model = pickle.loads(settled)
        model.agents.agg("minutes", np.mean)
        assert len(model.agents_by_type) == 2
        collector = mesa.DataCollector(agent_reporters={"minutes": "minutes"})
        model.step()
        collector.collect(model)
        Visitor(model)
        left.append(weakref.ref(model))
        del model, collector
    gc.collect()
    assert [ref for ref in left if ref() is not None] == []


def test_no_view_outlives_what_was_forgotten(model: ActivityModel) -> None:
    refs = [weakref.ref(agent) for agent in model.agents]
    model.remove_all_agents()
    gc.collect()
    assert all(ref() is None for ref in refs)


def test_the_page_for_mesa_users_runs(monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
    """Every block of docs/mesa.md, one after another, on the small population."""
    monkeypatch.setattr(movesim.model, "load_place", lambda *_: POPULATION)
    monkeypatch.setattr(movesim.model, "rules_and_references", lambda *_: (RULES, REFERENCES))
    page = (root / "docs" / "mesa.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    names: dict = {"__name__": "page"}
    for block in blocks:
        exec(block, names)
    assert len(blocks) == 6 and names["model"].week == 60 and names["trained"].week == 104
    assert len(names["watched"].datacollector.get_model_vars_dataframe()) == 27
    assert len(names["collector"].get_agent_vars_dataframe()) == 2000
    views = page.split("## Why there is no shuffle")[0].splitlines()
    properties = set(re.findall(r"`(\w+)`", "\n".join(line for line in views if line.startswith("| `"))))
    assert all(hasattr(Person, name) or hasattr(Neighbourhood, name) for name in properties), properties


def test_our_pages_advice_on_indexing(model: ActivityModel) -> None:
    """list(agents)[i] works on every Mesa; agents[i] of a derived set warns from 3.5 on."""
    some = model.agents.select(lambda person: person.age > 30)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert list(some)[1].age > 30
