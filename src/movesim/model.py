"""The model as a Mesa model: weeks are run on columns, and agents are views made when somebody asks for them.

`ActivityModel` holds one run. A run that is never asked for `agents` pays nothing for them, and asking never changes a run:
chance is keyed by person and week (movesim.draws), never taken from Mesa's generators and never from an order of agents.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mesa
import numpy as np
from mesa.agent import AgentSet

from movesim.behaviour import checkpoint
from movesim.behaviour.demography import Demography, spare_rows
from movesim.behaviour.panel import Panel
from movesim.behaviour.parameters import draw_number, rules_and_references
from movesim.behaviour.rules import References, Rules
from movesim.behaviour.simulation import Simulation
from movesim.errors import InputError, MovesimError, did_you_mean, one_of
from movesim.interventions.bench import england_readiness, solve
from movesim.interventions.delivery import Delivery
from movesim.interventions.files import load_scenario
from movesim.outcomes.gaps import sii
from movesim.outcomes.record import Recorder
from movesim.person import Neighbourhood, Person
from movesim.place import load_place
from movesim.words import ADULT_FROM, ADULT_LIMITS, AXIS, BURN_IN_WEEKS, RECORD_EVERY, WEEKS_A_YEAR

if TYPE_CHECKING:
    import pandas as pd

    from movesim.behaviour.people import People
    from movesim.interventions.scenario import Scenario
    from movesim.place.population import Population

RECORD_FROM = -2 * WEEKS_A_YEAR  # week 0 then has a recorded year behind it, and that one another to drift from
BASELINE, DRAWS = "baseline", ("central", "fitted")
EveryWeek = Callable[[Simulation], None]
# What a checkpoint keeps of a model beside its plan; views and Mesa's own are made anew.
_CARRIED = (
    "seed", "replicate", "years", "panel", "simulation", "recorder",
    "_draws", "_behaviour", "_demography", "_named", "_delivery", "_levels", "_turn_is_due",
)  # fmt: skip


def _whole(name: str, value: Any, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise InputError(f"{name} must be a whole number from {least}, got {value!r}.")
    return int(value)


class ActivityModel(mesa.Model):
    """The people of one English place and their physical activity, week by week.

    Arguments, all by keyword:
    place, people, place_seed: a built-in place or one you built, how many agents are sampled from it (or "all"), and chance in
    making them; population: people made elsewhere, used instead of these three.
    seed, replicate: chance; every draw is a function of them, the person and the week.
    draws: numbers of the model at their central values, or "fitted" for draw `replicate` of the fitted ensemble;
    behaviour: numbers set by hand, by ledger path; rules and references: both made elsewhere, used instead of these two.
    plan: what is done from week 0 on: None for no change, the name of a scenario, or a function of the simulation, called at
    the start of every policy week to write to `simulation.shifts`.
    demography: ageing, illness, births, deaths and moves. years: policy years after which `running` turns false.
    burn_in: run to week 0 at once; without it the model starts at week -260.
    panel: ids of persons whose weeks are kept from week 0 on, in `model.panel`.

    Raises InputError for a wrong value. Read `week`, not Mesa's `steps` or `time`.

    >>> model = ActivityModel(people=2_000, seed=1)  # doctest: +SKIP
    >>> model.run_weeks(52)  # doctest: +SKIP
    >>> model.agents.groupby("imd_decile").agg("minutes", np.mean)  # doctest: +SKIP
    """

    def __init__(
        self,
        *,
        place: str = "nottinghamshire_derbyshire",
        people: int | str = 2_000,
        place_seed: int = 1,
        seed: int = 1,
        replicate: int = 0,
        draws: str = "central",
        behaviour: Mapping[str, float] | None = None,
        plan: str | EveryWeek | None = None,
        demography: bool = False,
        years: int = 10,
        burn_in: bool = True,
        panel: Sequence[int] | None = None,
        population: Population | None = None,
        rules: Rules | None = None,
        references: References | None = None,
    ) -> None:
        seed, replicate, years = _whole("seed", seed, 0), _whole("replicate", replicate, 0), _whole("years", years, 1)
        if draws not in DRAWS:
            raise InputError(f"draws must be {one_of(DRAWS)}, got {draws!r}.{did_you_mean(draws, DRAWS)}")
        if not (plan is None or isinstance(plan, str) or callable(plan)):
            raise InputError(f"plan must be the name of a scenario, a function of the simulation or None, got {plan!r}.")
        if (rules is None) != (references is None) or (rules is not None and behaviour):
            raise InputError("rules and references belong together and replace behaviour: give both of them alone, or neither.")
        if rules is not None and isinstance(plan, str) and plan != BASELINE:
            raise InputError(
                f"The plan '{plan}' is solved for the model's own numbers, not for rules made elsewhere; use behaviour instead."
            )
        # Mesa makes its generators from this for shuffles and the like of its users; the model itself never draws from them.
        super().__init__(rng=seed)
        self.seed, self.replicate, self.years, self.plan = seed, replicate, years, plan
        self._draws, self._behaviour, self._demography = draws, dict(behaviour or {}), bool(demography)
        self._named = load_scenario(plan) if isinstance(plan, str) and plan != BASELINE else None
        self._delivery: Delivery | None = None
        self._levels: dict[tuple[int, ...], float] = {}
        self._turn_is_due = False
        self._views: dict[int, Person] = {}
        self._places: dict[int, Neighbourhood] = {}
        self._place_set: AgentSet | None = None
        self._seen: tuple[np.ndarray, np.ndarray] | None = None
        self._others = 0
        self.panel = None if panel is None else Panel(panel)

        if population is None:
            population = _population(place, people, _whole("place_seed", place_seed, 0))
        trend = (0.0, 0.0)
        if rules is None or references is None:
            rules, references = rules_and_references(draws, replicate, self._behaviour)
            baseline = load_scenario(BASELINE)
            trend = baseline.trend(self._values_of(baseline))
        spare = 0
        if self._demography:
            spare = spare_rows(population, years)
        self.simulation = Simulation(population, rules, references, seed, replicate, spare)
        self.simulation.people.trend = trend
        self.recorder = Recorder(population.local_authorities)
        for _ in range(BURN_IN_WEEKS if burn_in else 0):
            self._one_week()

    # --- time -------------------------------------------------------------------------------------------------------
    @property
    def people(self) -> People:
        """The columns: everybody's attributes, components and minutes."""
        return self.simulation.people

    @property
    def week(self) -> int:
        """Completed policy weeks; negative in the burn-in."""
        return self.simulation.week

    def step(self) -> None:
        """Advance everybody by one week."""
        self._one_week()
        self.running = self.week < self.years * WEEKS_A_YEAR

    def run_weeks(self, weeks: int) -> None:
        """Advance by a number of weeks, whether or not the policy period ends before."""
        for _ in range(_whole("weeks", weeks, 0)):
            self.step()

    def _one_week(self, look: EveryWeek | None = None) -> None:
        """Run a week; `look` sees the simulation once everything that precedes the week has been done."""
        simulation = self.simulation
        if self._turn_is_due:  # not before now: until then the model shows the very people whom the year's last record counted
            simulation.turn_of_the_year()
            self.recorder.place(self.people)
            self._turn_is_due = False
        if simulation.week >= 0 and self.plan is not None:
            self._deliver()
        if look is not None:
            look(simulation)
        simulation.step()
        if self.panel is not None and simulation.week >= 0:
            self.panel.record(simulation)
        if simulation.week == RECORD_FROM:
            self.people.domain_minutes[:] = 0
            self.recorder.place(self.people)
        elif simulation.week > RECORD_FROM and simulation.week % RECORD_EVERY == 0:
            self.recorder.record(self.people, simulation.week)
        if simulation.week == 0:
            self._begin_policy()
        elif simulation.week % WEEKS_A_YEAR == 0:
            self._turn_is_due = True

    def _begin_policy(self) -> None:
        """Pass from the burn-in to the policy period: renew set-points, start demography, make the plan's delivery."""
        self.simulation.turn_of_the_year()
        if self._demography:
            self.simulation.demography = Demography.at(self.simulation)
        self.recorder.place(self.people)
        if self._named is not None:
            values = self._values_of(self._named)
            solved = solve(self._named, values, self._draws, self.replicate, self._behaviour)
            self._delivery = Delivery(self._named, values, self.people, solved, self.simulation.key, self.years)

    def _values_of(self, scenario: Scenario) -> dict[str, float]:
        """Return the value of every number of a scenario: as `draws` says, on the same draw as the behaviour's."""
        ledger = scenario.ledger()
        if self._draws == "central":
            return ledger.central()
        return ledger.draw(self.seed, draw_number(self._draws, self.replicate))

    def _deliver(self) -> None:
        if callable(self.plan):
            self.plan(self.simulation)
        elif self._delivery is not None:
            self._delivery.step(self.week, self.simulation.shifts, self._readiness)

    def _readiness(self, domains: tuple[int, ...], rows: np.ndarray) -> np.ndarray:
        """Return readiness of these rows in the domains, less England's mean for the same numbers."""
        if domains not in self._levels:
            self._levels[domains] = england_readiness(self._draws, self.replicate, self._behaviour, domains)
        return self.simulation.readiness(domains, rows) - self._levels[domains]

    # --- agents -----------------------------------------------------------------------------------------------------
    @property
    def agents(self) -> AgentSet:
        """Everybody alive as Person views, in the order of their rows, and any agents that you added."""
        self._look()
        return super().agents

    @property
    def neighbourhoods(self) -> AgentSet:
        """Every neighbourhood as a view. They stand beside `agents`, so that `agents.agg("minutes", ...)` is about people."""
        if self._place_set is None:
            g = self.people.neighbourhoods["imd_decile"].size
            self._place_set = AgentSet([self.neighbourhood_at(i) for i in range(g)], random=self.random)
        return self._place_set

    @property
    def agents_by_type(self) -> dict[type, Any]:
        """Person views, Neighbourhood views and any agents that you added, by their class."""
        self._look()
        return {**super().agents_by_type, Neighbourhood: self.neighbourhoods}

    @property
    def agent_types(self) -> list[type]:
        """The classes of agents_by_type."""
        return list(self.agents_by_type)

    def person(self, identity: int) -> Person:
        """Return the view of one person by their id, without making all others."""
        if identity not in self._views:
            people = self.people
            rows = np.flatnonzero((people.id == np.uint64(identity)) & people.alive[: people.n])
            if not rows.size:
                raise InputError(f"There is no person {identity} in the model at week {self.week}.")
            return self.person_at(int(rows[0]))
        return self._views[identity]

    def person_at(self, row: int) -> Person:
        """Return the view of the person in a row of the columns."""
        identity = int(self.people.columns["id"][row])
        if identity not in self._views:
            self._views[identity] = Person(self, identity, row)
            self._seen = None  # views are not complete, or not in order
        return self._views[identity]

    def neighbourhood_at(self, number: int) -> Neighbourhood:
        """Return the view of a neighbourhood by its number among those of the model."""
        if number not in self._places:
            self._places[number] = Neighbourhood(self, number)
        return self._places[number]

    def _look(self) -> None:
        """Make the views that are missing and forget those of people who have died or moved away."""
        people, n = self.people, self.people.n
        if self._seen and all(map(np.array_equal, self._seen, (people.id, people.alive[:n]))):
            return
        rows = np.flatnonzero(people.alive[:n])
        here = dict(zip(people.id[rows].tolist(), rows.tolist(), strict=True))
        for identity in [identity for identity in self._views if identity not in here]:
            mesa.Agent.remove(self._views.pop(identity))
        for identity, row in here.items():
            if identity in self._views:
                self._views[identity]._row = row
            else:
                self._views[identity] = Person(self, identity, row)
        self._seen = (people.id.copy(), people.alive[:n].copy())
        # The order of agents is that of the rows, however often and whenever somebody looked before.
        for agents in (super().agents, super().agents_by_type.get(Person)):
            if agents is not None:
                agents.sort(
                    lambda agent: agent._row if isinstance(agent, Person) else n + agent.unique_id, ascending=True, inplace=True
                )

    def register_agent(self, agent: Any) -> None:
        """Take an agent in (Mesa calls this): a view under its own id, any other under the next number from 1."""
        # Mesa up to 3.4.0 numbers agents in a registry of the class mesa.Agent that holds on to every model for ever.
        registry = getattr(mesa.Agent, "_ids", None)
        if registry is not None:
            registry.pop(self, None)
        if isinstance(agent, Neighbourhood):
            agent.unique_id = agent._id
            return
        super().register_agent(agent)
        if isinstance(agent, Person):
            agent.unique_id = agent.id
        else:
            self._others += 1
            agent.unique_id = self._others

    def deregister_agent(self, agent: Any) -> None:
        """Let an agent go (Mesa calls this)."""
        if not isinstance(agent, Neighbourhood):
            super().deregister_agent(agent)

    def remove_all_agents(self) -> None:
        """Forget all views and take out all agents that you added; nobody leaves the population."""
        for view in self._views.values():
            mesa.Agent.remove(view)
        self._views, self._places, self._place_set, self._seen = {}, {}, None, None
        super().remove_all_agents()

    # --- what came of it --------------------------------------------------------------------------------------------
    def outcomes(self) -> pd.DataFrame:
        """Return the outcome table of the policy weeks so far: levels by age group, axis and level."""
        if not any(week >= 0 for week in self.recorder.weeks):
            raise MovesimError(f"Outcomes are recorded from week 0 on; this model is at week {self.week}.")
        return self.recorder.outcomes()

    @property
    def inactive(self) -> float:
        """Share of adults under 30 minutes a week, in the last four weeks."""
        return self._adult_mean(lambda minutes: minutes < ADULT_LIMITS[0])

    @property
    def fairly_active(self) -> float:
        """Share of adults with 30 to 149 minutes a week."""
        return self._adult_mean(lambda minutes: (minutes >= ADULT_LIMITS[0]) & (minutes < ADULT_LIMITS[1]))

    @property
    def active(self) -> float:
        """Share of adults with 150 minutes a week or more."""
        return self._adult_mean(lambda minutes: minutes >= ADULT_LIMITS[1])

    @property
    def minutes(self) -> float:
        """Adults' mean minutes a week, of the last four weeks."""
        return self._adult_mean(lambda minutes: minutes)

    @property
    def gap(self) -> float:
        """Slope index of adult inactivity over IMD tenths in the last four weeks, as a share (0.15 is 15 points)."""
        people, adult = self.people, self._adults()
        tenths = len(AXIS["imd_decile"].levels)
        tenth = people.neighbourhoods["imd_decile"][people.neighbourhood[adult]] - 1
        weight = people.weight[adult]
        residents = np.bincount(tenth, weight, tenths)
        inactive = np.bincount(tenth, weight * (people.mean[: people.n][adult] < ADULT_LIMITS[0]), tenths)
        return float(sii(inactive / np.maximum(residents, 1e-300), residents))

    def _adults(self) -> np.ndarray:
        people = self.people
        return (people.age >= ADULT_FROM) & people.alive[: people.n]

    def _adult_mean(self, measure: Callable[[np.ndarray], np.ndarray]) -> float:
        adult = self._adults()
        return float(np.average(measure(self.people.mean[: self.people.n][adult]), weights=self.people.weight[adult]))

    # --- checkpoints ------------------------------------------------------------------------------------------------
    def save(self, folder: str | Path) -> Path:
        """Write the model as it stands at this week into a folder, all at once or not at all; return the folder.

        What it records goes with it, so that `outcomes()` goes on. A plan that is a function is not written: give it again
        when you load. Data collectors and what you drew from `model.random` are yours to keep.
        Raises InputError for a folder with other files in it, and for a model with agents that you added.
        """
        if self._others:
            raise InputError("A checkpoint keeps persons and places, not agents that you added; take them out before you save.")
        own = {"plan": None if callable(self.plan) else self.plan, "plan_is_a_function": callable(self.plan)}
        return checkpoint.write(folder, "model", {**{name: getattr(self, name) for name in _CARRIED}, **own})

    @classmethod
    def load(cls, folder: str | Path, plan: EveryWeek | None = None) -> ActivityModel:
        """Read a saved model, which goes on bit for bit where it stood.

        Arguments: plan, the function that the saved model had as its plan; only for such a model.
        Raises InputError for a folder without a model, one that is damaged, and one of another version of the model.
        """
        _, parts = checkpoint.read(folder, "model")
        if parts.pop("plan_is_a_function") != callable(plan):
            raise InputError(
                "This model's plan is a function of yours; give it again, as in load(folder, plan=my_plan)."
                if plan is None
                else "This model's plan is not a function of yours; load it without plan."
            )
        model = cls.__new__(cls)
        mesa.Model.__init__(model, rng=parts["seed"])
        model._views, model._places, model._place_set, model._seen, model._others = {}, {}, None, None, 0
        for name in _CARRIED:
            setattr(model, name, parts[name])
        model.plan = parts["plan"] if plan is None else plan
        model.running = model.week < model.years * WEEKS_A_YEAR
        return model

    # --- copies -----------------------------------------------------------------------------------------------------
    def __copy__(self) -> ActivityModel:
        """Return an independent model at this week: a shallow copy would step the columns of both."""
        return copy.deepcopy(self)


def _population(place: str, people: int | str, place_seed: int) -> Population:
    return load_place(place, None if people == "all" else _whole("people", people, 1), place_seed)
