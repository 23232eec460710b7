"""What must hold on every supported Mesa, 3.3.1 (Python 3.11) to 3.5.1: nothing leaks, nothing warns, weeks are weeks."""

from __future__ import annotations

import gc
import re
import subprocess
import sys
import weakref
from pathlib import Path

import mesa
import numpy as np
import pytest

from movesim.behaviour.rules import References, behaviour_ledger, make_rules
from movesim.model import ActivityModel
from movesim.person import Neighbourhood, Person

sys.path.insert(0, str(Path(__file__).parent))
from small import small_population

ROOT = Path(__file__).resolve().parents[1]
POPULATION = small_population(500, 20)
RULES = make_rules(behaviour_ledger().central())
REFERENCES = References.first_guess()
KEEPS_MODELS = hasattr(mesa.Agent, "_ids")  # Mesa up to 3.4.0: a registry of the class that holds every model with an agent

pytestmark = pytest.mark.filterwarnings("error")


def make(**given) -> ActivityModel:
    return ActivityModel(population=POPULATION, rules=RULES, references=REFERENCES, burn_in=False, **given)


class Visitor(mesa.Agent):
    """An agent that somebody else adds to the model."""


def look_at(model: ActivityModel) -> Person:
    """Use everything of Mesa that could hold on to a model, and leave a collector inside it."""
    model.datacollector = mesa.DataCollector(
        model_reporters={"inactive": "inactive", "of itself": lambda m: len(m.agents)},
        agent_reporters={"minutes": "minutes"},
        agenttype_reporters={Person: {"status": "status"}, Neighbourhood: {"trust": "trust"}},
    )
    Visitor(model).remove()
    model.datacollector.collect(model)
    model.step()
    model.datacollector.collect(model)
    model.agents.groupby("imd_decile").agg("minutes", np.mean)
    model.agents.select(lambda person: person.age > 15).shuffle_do(lambda person: person.ties())
    model.agents.set("motivation_reflective", 0.5)
    assert len(model.neighbourhoods) == 20 and {Person, Neighbourhood} <= set(model.agents_by_type)
    assert len(next(iter(model.neighbourhoods)).persons()) > 0
    return next(iter(model.agents))


@pytest.mark.parametrize("demography", [False, True])
def test_twenty_models_made_looked_at_and_dropped_leave_none(demography: bool) -> None:
    gone: list[weakref.ref] = []
    for seed in range(20):
        model = make(seed=seed, demography=demography)
        person = look_at(model)
        gone += [weakref.ref(model), weakref.ref(model.people), weakref.ref(person), weakref.ref(person.home)]
        del model, person
    gc.collect()
    assert len(gone) == 80 and sum(each() is not None for each in gone) == 0


def test_a_view_in_hand_keeps_its_model_and_no_other() -> None:
    model, other = make(), make(seed=2)
    held, kept, dropped = look_at(model), weakref.ref(model), weakref.ref(other)
    look_at(other)
    del model, other
    gc.collect()
    assert held.model is kept() and dropped() is None


def test_the_leak_that_we_clear_is_there_without_us() -> None:
    """A bare Mesa model with one agent stays for ever where the registry is: were it gone, our clearing could go too."""
    bare = mesa.Model(rng=1)
    mesa.Agent(bare)
    ref = weakref.ref(bare)
    del bare
    gc.collect()
    assert (ref() is not None) == KEEPS_MODELS
    if KEEPS_MODELS:
        mesa.Agent._ids.pop(ref(), None)
        look_at(make())
        assert not [model for model in mesa.Agent._ids if isinstance(model, ActivityModel)]


SCRIPT = """
import sys
sys.path.insert(0, "tests")
import copy, operator, pickle
import mesa
import numpy as np
from movesim import ActivityModel
from movesim.behaviour.rules import References, behaviour_ledger, make_rules
from movesim.person import Neighbourhood, Person
from small import small_population

rules = make_rules(behaviour_ledger().central())
given = dict(population=small_population(300, 20), rules=rules, references=References.first_guess(), burn_in=False)
model = ActivityModel(**given, demography=True)
model.datacollector = mesa.DataCollector(
    model_reporters={"inactive": "inactive", "gap": "gap"},
    agent_reporters={"minutes": operator.attrgetter("minutes")},
    agenttype_reporters={Neighbourhood: {"trust": operator.attrgetter("trust")}},
)
for _ in range(3):
    model.step()
    model.datacollector.collect(model)
women = model.agents.select(lambda person: person.sex == "female", at_most=0.5)
women.set("motivation_reflective", 0.9)
women.do(lambda person: person.ties())
women.shuffle_do(lambda person: person.home)
model.agents.do("step")
model.agents.sort("age").get(["age", "minutes"])
model.agents.groupby("imd_decile").agg("minutes", np.mean)
model.agents.groupby(lambda person: person.status).count()
model.neighbourhoods.set("supply_sport", 0.9)
list(model.agents)[0], model.agents_by_type[Person], model.agent_types
for other in (pickle.loads(pickle.dumps(model)), copy.copy(model), copy.deepcopy(model)):
    other.step()
    other.datacollector.collect(other)
    assert other.week == model.week + 1
mesa.Agent(model).remove()
assert len(model.datacollector.get_agent_vars_dataframe()) == 900
model.datacollector.get_model_vars_dataframe(), model.datacollector.get_agenttype_vars_dataframe(Neighbourhood)
model.remove_all_agents()
model.run_weeks(2)
print(mesa.__version__, len(model.agents), model.week)
"""


def test_warning_free_in_a_process_of_its_own() -> None:
    """-W error from the first import on."""
    done = subprocess.run([sys.executable, "-W", "error", "-c", SCRIPT], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [mesa.__version__, "300", "-255"] and done.stderr == ""


@pytest.mark.slow
def test_warning_free_on_a_real_place_with_a_plan() -> None:
    """The same for what is loaded from files: a built-in place, the fitted numbers, a plan and its studies."""
    code = (
        "from movesim import ActivityModel\n"
        "model = ActivityModel(people=2_000, plan='routes', draws='fitted', demography=True, years=1)\n"
        "model.run_model()\nprint(model.week, len(model.agents), len(model.outcomes()) > 0)"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    week, people, recorded = done.stdout.split()
    assert (week, recorded) == ("52", "True") and 1_900 < int(people) < 2_100


@pytest.mark.skipif(not hasattr(mesa.Model, "run_for"), reason="run_for came with Mesa 3.5")
def test_mesas_clock_counts_weeks() -> None:
    model, plain = make(), make()
    model.run_for(5)
    assert (model.week, model.steps, model.time) == (-255, 5, 5.0)
    plain.run_weeks(5)
    assert np.array_equal(model.people.mean, plain.people.mean)


def test_views_can_stand_on_a_grid_of_mesas() -> None:
    from mesa.space import MultiGrid

    model, grid = make(), MultiGrid(5, 4, torus=False)
    for number, place in enumerate(model.neighbourhoods):
        grid.place_agent(place, (number % 5, number // 5))
    first = model.neighbourhood_at(0)
    assert first.pos == (0, 0) and model.neighbourhood_at(1) in grid.get_neighbors((0, 0), moore=True)
    grid.move_agent(first, (4, 3))
    model.step()
    assert {place.code for place in grid.get_cell_list_contents([(4, 3)])} == {"X0000000", "X0000019"}


def test_both_versions_of_mesa_are_pinned() -> None:
    """The last for Python 3.11, and a newer one where it can be installed."""
    pins = re.findall(r"^Mesa==.*$", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE)
    assert pins == ['Mesa==3.3.1 ; python_version < "3.12"', 'Mesa==3.5.1 ; python_version >= "3.12"']
    assert sys.version_info >= (3, 12) or KEEPS_MODELS
