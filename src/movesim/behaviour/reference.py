"""The weekly model once more, plain and slow: one Python object per person on plain Mesa, double precision.

Written from the equations of the specification (sections 2 to 5) and not from the compiled week, so that each can find the
other's mistakes. `ReferenceModel.of(simulation)` takes over the state of a run, `step()` advances it by a week,
`turn_of_the_year()` lets a year of life pass (`reference_life`, once `remember()` has been called at week 0), and `compare` and
`compare_lives` tell where a run that took the same step differs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import mesa
import numpy as np
from scipy.special import ndtri

from movesim import draws
from movesim.behaviour import reference_life
from movesim.behaviour.reference_draws import Chance, poisson_steps
from movesim.behaviour.side_by_side import Comparison, Reading, compare, compare_lives
from movesim.words import (
    ADULT_DOMAINS,
    ADULT_FROM,
    ADULT_LIMITS,
    AGE_BAND_STARTS,
    BURN_IN_WEEKS,
    CHILD_FROM,
    CHILD_LIMITS,
    DOMAIN,
    DOMAINS,
    SCHOOL_HOLIDAYS,
    WEEKS_A_YEAR,
)

if TYPE_CHECKING:
    from movesim.behaviour.shifts import Shifts
    from movesim.behaviour.simulation import Simulation

LOWEST, HIGHEST = 0.01, 1.0
MOST_MINUTES = 2500.0
NEAR_DECISION = 5e-5  # a decision this close to its threshold may fall either way in single precision
NEAR_SESSIONS = 2e-7  # the uniform of sessions has 16 bits and is exact, so only rounding of its thresholds is at stake
PLAY, SCHOOL = DOMAIN["play"], DOMAIN["school"]
FIRST_YEAR = -BURN_IN_WEEKS // WEEKS_A_YEAR  # the year in which the first taste of all is drawn
INDICATOR = {"leisure_walk": "outdoor_space", "play": "outdoor_space", "travel_walk": "connectivity", "sport": "facilities"}


def expit(x: float) -> float:
    """Return 1 / (1 + exp(-x))."""
    return 1 / (1 + math.exp(-x))


def kept(x: float) -> float:
    """Return x kept in [0.01, 1]."""
    return min(max(x, LOWEST), HIGHEST)


def shifted(x: float, shift: float) -> float:
    """Return expit(logit(x) + shift) kept in [0.01, 1], and x itself where the shift is 0."""
    if shift == 0 or x >= HIGHEST:
        return x
    return kept(expit(math.log(x / (1 - x)) + shift))


def opened(x: float, shift: float) -> float:
    """Return expit(logit(x) + shift) of a physical opportunity, which may be below 0.01, and x itself where the shift is 0."""
    return x if shift == 0 or x >= HIGHEST else expit(math.log(x / (1 - x)) + shift)


class Neighbourhood(mesa.Agent):
    """A neighbourhood: supply of every domain, fear, and the community workforce with the trust it has."""

    def __init__(self, model: ReferenceModel, row: int) -> None:
        super().__init__(model)
        self.row = row

    def read(self, simulation: Simulation) -> None:
        """Take over the state of the run."""
        v, here, shifts = self.model.values, self.row, simulation.shifts
        at = {name: column[here] for name, column in simulation.people.neighbourhoods.items()}
        fte, likeness = shifts.get("fte"), shifts.get("likeness")
        self.decile, self.authority, self.code = int(at["imd_decile"]), int(at["local_authority"]), str(at["code"])
        self.deprivation = (5.5 - self.decile) / 4.5
        self.trust = float(simulation.trust[here])
        self.fte = float(simulation.fte[here] if fte is None else simulation.fte[here] + fte[here])
        like = float(simulation.likeness[here] if likeness is None else simulation.likeness[here] + likeness[here])
        self.likeness = min(max(like, 0.0), 1.0)
        self.leader_baseline = self.trust_at_rest(float(simulation.fte[here])) * v["workforce.likeness"]
        self.price = float(at.get("price", 1.0))
        self.fear = v["opportunity.fear"] * (
            max(float(at["anti_social_behaviour"]), 0.1) / v["opportunity.anti_social_behaviour_median"]
        ) ** v["opportunity.anti_social_behaviour"]  # fmt: skip
        move = shifts.get("supply")
        self.supply = []
        for d, word in enumerate(DOMAINS):
            supply = v[f"domains.{word.name}.supply"]
            if word.name in INDICATOR:
                name = INDICATOR[word.name]
                supply *= (max(float(at[name]), 1e-6) / v[f"opportunity.{name}_median"]) ** v[f"opportunity.{name}"]
            away = float(at.get("park_distance", math.nan))
            if word.name in ("leisure_walk", "play") and not math.isnan(away):
                supply *= (max(away, 1.0) / v["opportunity.park_distance_median"]) ** -v["opportunity.park_distance"]
            supply = kept(supply * float(at.get(f"supply_{word.name}", 1.0)))
            if simulation.open_share is not None:
                supply = kept(supply * float(simulation.open_share[d]))
            self.supply.append(shifted(supply, 0.0 if move is None else float(move[d, here])))

    def rates(self, fte: float) -> tuple[float, float]:
        """Return what trust gains a week from nothing and loses a week from full, for this workforce."""
        v = self.model.values
        presence = min(1.0, max(fte, 0.0) / v["workforce.full"])
        up = v["workforce.trust_gain"]
        return up * presence, up * v["workforce.trust_loss_ratio"] * (1 - presence)

    def trust_at_rest(self, fte: float) -> float:
        """Return the trust at which this workforce gains as much as it loses."""
        up, down = self.rates(fte)
        return up / (up + down)

    def build_trust(self) -> None:
        """T += k_up presence (1 - T) - k_down (1 - presence) T."""
        up, down = self.rates(self.fte)
        self.trust += up * (1 - self.trust) - down * self.trust


class Person(mesa.Agent):
    """A person: who they are, their capability, opportunity and motivation, their habits and their last four weeks."""

    def __init__(self, model: ReferenceModel, row: int, place: int) -> None:
        super().__init__(model)
        self.row, self.place = row, place  # in the run's columns, and among the people of this model
        self.who: dict[str, Any] = {}
        self.tied: list[tuple[Person, int]] = []  # to whom, and the kind of tie
        self.shift = dict.fromkeys("PYSR", 0.0)
        self.prompt, self.opening = [0.0] * len(DOMAINS), [0.0] * len(DOMAINS)
        self.rest()

    def rest(self) -> None:
        """Have done nothing this week yet."""
        self.did, self.sessions, self.minutes = [False] * len(DOMAINS), [0] * len(DOMAINS), [0.0] * len(DOMAINS)
        self.share = self.mastery = self.enjoyment = 0.0
        self.near: list[int] = []  # domains in which this week's decision was too close to call

    # --- taking over ------------------------------------------------------------------------------------------------
    def read(self, table: Mapping[str, list], shifts: Shifts) -> None:
        """Take over the state of the run: who the person is, what lasts, and where they stand this week.

        `table` is a Reading by person: its arrays as lists.
        """
        i = self.place
        self.who = dict(zip(table["names"], table["who"][i], strict=True))
        self.age, self.alive, self.status = self.who["age"], table["alive"][i], table["status"][i]
        self.noise, self.taste_domain = table["noise"][i], table["taste_domain"][i]
        self.taste, self.volume_unit = table["taste"][i], table["volume_unit"][i]
        self.P, self.Y, self.S, self.R = table["state"][i]
        self.H, self.last_four, self.year_total = table["habits"][i], table["last_four"][i], table["year"][i]
        self.x4 = sum(self.last_four) / 4
        self.take_shifts(shifts)
        self.rest()
        self.renew()

    def take_shifts(self, shifts: Shifts) -> None:
        """Take over what interventions and shocks add for this person: to set-points, motivation's argument and access."""
        self.shift = {name: 0.0 if (array := shifts.get(name)) is None else float(array[self.row]) for name in "PYSR"}
        of_domains = lambda name: [0.0] * len(DOMAINS) if (a := shifts.get(name)) is None else a[:, self.row].tolist()  # noqa: E731
        self.prompt, self.opening = of_domains("prompt"), of_domains("access")

    def meet(self, table: Mapping[str, list]) -> None:
        """Note the ties to people of this model, and their kinds."""
        there = zip(table["ties"][self.place], table["kinds"][self.place], strict=True)
        self.tied = [(self.model.at[row], kind) for row, kind in there if row in self.model.at]

    @property
    def ties(self) -> list[Person]:
        """The people they are tied to who count: alive and old enough to be scored."""
        return [other for other, _ in self.tied if other.scored]

    @property
    def child(self) -> bool:
        """Under 16."""
        return self.age < ADULT_FROM

    @property
    def offer(self) -> float:
        """The school's offer of active minutes over the national norm."""
        return self.model.offers[self.who["school"]]

    @property
    def scored(self) -> bool:
        """Alive and five or older: younger children are carried, not scored."""
        return self.alive and self.age >= CHILD_FROM

    @property
    def active(self) -> bool:
        """Reached 150 minutes a week, a child 420, in the mean of the last four weeks."""
        return self.scored and self.x4 >= (CHILD_LIMITS if self.child else ADULT_LIMITS)[1]

    def domains(self) -> list[int]:
        """Return the domains worked through this week: four for adults, play and (in terms) school too for children."""
        if not self.scored:
            return []
        if not self.child:
            return list(range(ADULT_DOMAINS))
        return [d for d in range(len(DOMAINS)) if d != SCHOOL or self.model.term]

    # --- what follows from who they are -------------------------------------------------------------------------------
    def renew(self) -> None:
        """Work out set-points, access, pull and volume from the person's determinants and lasting tastes."""
        self.home: Neighbourhood = self.model.places[self.who["neighbourhood"]]
        self.band = sum(self.age >= start for start in AGE_BAND_STARTS) - 1
        self.P0, self.Y0, self.S0, self.R0 = (kept(expit(logit)) for logit in self.set_points())
        self.A = [self.access(word.name) for word in DOMAINS]
        self.drive = [self.pull(word.name) for word in DOMAINS]
        sigma = self.model.values["minutes.child_volume" if self.child else "minutes.volume"]
        self.volume = math.exp(sigma * self.volume_unit - sigma * sigma / 2)

    def set_points(self) -> tuple[float, float, float, float]:
        """Return the logits of P0, Y0, S0 and R0."""
        v, who, child = self.model.values, self.who, self.child
        slope = v["gradient.total"] * self.home.deprivation * (v["gradient.child"] if child else 1.0)
        impaired = v["gradient.impairment"] * who["impairments"] * (v["gradient.impairment_child"] if child else 1.0)
        lower = v["gradient.ns_sec"] * {0: -1.0, 2: 1.0}.get(who["ns_sec"], 0.0)
        if child and who["affluence"] >= 0:
            lower += v["gradient.affluence"] * (1 - who["affluence"])
        c, o = v["gradient.capability"], v["gradient.opportunity"]
        ageing = (v["capability.age"] * max(self.age - 30, 0) + v["capability.old"] * max(self.age - 70, 0)) / 10
        return (
            v["capability.physical"] - ageing - impaired + v["capability.physical_noise"] * self.noise[0],
            v["capability.psychological"]
            - c * slope
            - (impaired + lower) / 2
            + v["capability.psychological_noise"] * self.noise[1],
            v["opportunity.social"] - o * slope - lower / 2 + v["opportunity.social_noise"] * self.noise[2],
            v["intention.level"] - (1 - c - o) * slope - lower + v["intention.noise"] * self.noise[3],
        )

    def access(self, name: str) -> float:
        """Return A_d = time * price * inclusive * safety * car."""
        return math.prod(self.access_factors(name).values())

    def access_factors(self, name: str) -> dict[str, float]:
        """Return what access to a domain is the product of."""
        v, who = self.model.values, self.who
        busy = v["opportunity.work"] * who["in_work"] + v["opportunity.care"] * who["carer"]
        busy += v["opportunity.young_children"] * who["young_children"]
        time = 1.0 if self.child else math.exp(-busy * (v["opportunity.time_travel"] if name == "travel_walk" else 1.0))
        price = math.exp(-v["opportunity.price"] * (1 - who["income_rank"]) * self.home.price)
        fear = self.home.fear * (
            1 + v["opportunity.fear_women"] * (who["sex"] == 1) + v["opportunity.fear_old"] * (self.age >= 65)
            + v["opportunity.fear_child"] * self.child
        )  # fmt: skip
        safety = math.exp(-fear)
        cars = min(who["cars_per_adult"], 1.5)
        car_walk, car_cycle = math.exp(-v["opportunity.car_walk"] * cars), math.exp(-v["opportunity.car_cycle"] * cars)
        impairments = who["impairments"] * (v["gradient.impairment_child"] if self.child else 1.0)
        inclusive = lambda kind: (1 - v[f"opportunity.inclusive_{kind}"] * (1 - v["opportunity.design"])) ** impairments  # noqa: E731
        match name:
            case "leisure_walk":
                return {"time": time, "inclusive": inclusive("walk"), "safety": safety}
            case "travel_walk":
                return {"time": time, "inclusive": inclusive("walk"), "safety": safety, "car": car_walk}
            case "cycle":
                return {"time": time, "inclusive": inclusive("cycle"), "safety": safety, "car": car_cycle}
            case "sport":
                return {"time": time, "price": price, "inclusive": inclusive("sport")}
            case "play":
                return {"inclusive": inclusive("sport"), "safety": safety}
        return {}

    def pull(self, name: str) -> float:
        """Return mu_d(age, sex) + taste + taste_d + residual_g, and the secular trend since the start of the policy period."""
        return sum(self.pulls(name).values())

    def pulls(self, name: str) -> dict[str, float]:
        """Return what the lasting pull of a domain is the sum of."""
        v, female, child = self.model.values, float(self.who["sex"] == 1), self.child
        group = ("asian", "black", "mixed", None, "other")[self.who["ethnic_group"]]
        residual = v["residual.scale"] * v[f"residual.{group}"] if group else 0.0
        level, slope = self.model.trend
        trend = max(self.model.year, 0) * (level + slope * self.home.deprivation / 2)
        taste, own = v["motivation.taste"] * self.taste, self.taste_domain[DOMAIN[name]]
        if child or name in ("play", "school"):
            mu = v["motivation.child"] + v[f"domains.{name}.child"] + v["motivation.child_female"] * female
            if name == "play":
                mu += v["domains.play.age"] * (self.age - 10)
        else:
            decades = (min(self.age, 90) - 45) / 10
            mu = v[f"domains.{name}.motivation"] + (v["motivation.female"] + v[f"domains.{name}.female"]) * female
            mu += (v["motivation.age"] + v[f"domains.{name}.age"]) * decades
        if child:
            less = v["motivation.child_taste"]
            taste, own, trend, residual = less * taste, less * own, less * trend, v["residual.child"] * residual
        return {"level": mu, "taste": taste, "taste_domain": own, "trend": trend, "residual": residual}

    def drift(self) -> None:
        """Let taste move by a year."""
        self.taste = self.next_taste(self.taste, self.model.year)

    def next_taste(self, taste: float, year: int) -> float:
        """Return taste a year on: a stationary AR(1) with unit variance."""
        memory = self.model.values["motivation.taste_memory"]
        # the first taste of all was drawn as week 0, index 0; from year 0 on the yearly draws have index 1
        return memory * taste + math.sqrt(1 - memory**2) * self.draw("taste", year, index=1 if year >= 0 else 0)[0]

    def draw(self, stream: str, week: int = 0, index: int = 0) -> list[float]:
        """Return four standard normals of this person."""
        return ndtri(draws.open_uniform(draws.words([self.who["id"]], week, stream, self.model.key, index)[:, 0])).tolist()

    def be_someone(self) -> None:
        """Draw what lasts: noise, tastes and volume, functions of the person's id alone."""
        v = self.model.values
        self.noise = self.draw("noise")
        self.taste_domain = [
            v["motivation.taste_domain"] * x for x in self.draw("taste_domain") + self.draw("taste_domain", index=1)[:2]
        ]
        first = self.taste = self.draw("taste")[0]
        for year in range(FIRST_YEAR + 1, self.model.year + 1):
            self.taste = self.next_taste(self.taste, year)
        alike = v["minutes.volume_taste"]
        self.volume_unit = alike * first + math.sqrt(1 - alike**2) * self.draw("volume")[0]

    # --- a week -----------------------------------------------------------------------------------------------------
    def look_around(self) -> None:
        """S += k_S (S* + w_peer (share of ties active - ref) + w_leader (T L - its baseline) - S), from last week's statuses."""
        if self.scored:
            self.S = kept(self.S + sum(self.social_moves().values()))

    def social_moves(self) -> dict[str, float]:
        """Return by how much its set-point, ties and the community workforce move social opportunity this week."""
        v, ref = self.model.values, self.model.references["peers"][self.band]
        ties = self.ties
        self.share = sum(tie.was_active for tie in ties) / len(ties) if ties else ref
        leader = self.home.trust * self.home.likeness - self.home.leader_baseline
        rate = v["opportunity.social_rate"]
        return {
            "set_point": rate * (shifted(self.S0, self.shift["S"]) - self.S),
            "ties": rate * v["opportunity.peers"] * (self.share - ref),
            "workforce": rate * v["opportunity.leader"] * leader,
        }

    def gates(self, d: int, instead: Mapping[str, float] | None = None) -> tuple[float, float, float]:
        """Return K_d, O_d and M_d as they stand, or with some components (words.COMPONENTS) put in place of the person's own."""
        v, model = self.model.values, self.model
        own = {
            "capability_physical": self.P, "capability_psychological": self.Y,
            "opportunity_physical": opened(self.home.supply[d] * self.A[d], self.opening[d]), "opportunity_social": self.S,
            "motivation_reflective": self.R, "motivation_automatic": self.H[d],
        }  # fmt: skip
        P, Y, E_A, S, R, H = (own | dict(instead or {})).values()
        a, b = model.a[d], model.b[d]
        argument = self.drive[d] + self.prompt[d] + v["motivation.habit"] * H
        argument += v["motivation.reflective"] * (R - model.references["intention"][self.band])
        return P**a * Y ** (1 - a), E_A**b * S ** (1 - b), expit(argument)

    def decide(self) -> None:
        """Take part in a domain with probability M_d K_d O_d, and in how many sessions."""
        model = self.model
        self.did, self.sessions = [False] * len(DOMAINS), [0] * len(DOMAINS)
        self.mastery = self.enjoyment = 0.0
        self.near = []
        for d in self.domains():
            K, O, M = self.gates(d)
            probability = M * K * O
            u = model.chance.decision(self.place, d)
            self.did[d] = u < probability
            near = abs(u - probability) < NEAR_DECISION
            if self.did[d]:
                u = model.chance.sessions(self.place, d)
                steps = model.steps_of[d]
                self.sessions[d] = 1 + sum(step < u for step in steps)
                near = near or any(abs(step - u) < NEAR_SESSIONS for step in steps)
                self.mastery, self.enjoyment = max(self.mastery, K), max(self.enjoyment, K * O)
            if near:
                self.near.append(d)

    def be_active(self) -> None:
        """Turn sessions into minutes, and let one domain's minutes take from another's."""
        v, model = self.model.values, self.model
        s, scale = v["minutes.spread"], v["minutes.child_scale" if self.child else "minutes.scale"]
        x = [0.0] * len(DOMAINS)
        for d in range(len(DOMAINS)):
            if self.did[d]:
                x[d] = (
                    self.sessions[d]
                    * model.mbar[d]
                    * scale
                    * self.volume
                    * math.exp(s * model.chance.normal(self.place, d) - s * s / 2)
                )
        offer = self.offer
        x[SCHOOL] *= offer
        self.minutes_alone = list(x)
        plain = sum(x)
        if plain > MOST_MINUTES:
            x = [minutes * MOST_MINUTES / plain for minutes in x]
        if self.child:
            outside = sum(x) - x[SCHOOL]
            taken_back = v["minutes.compensation"] * x[SCHOOL] * max(0.0, 1 - 1 / offer)  # no school minutes in holidays
            left = max(outside - taken_back, 0.0) / outside if outside > 0 else 1.0
            x = [minutes if d == SCHOOL else minutes * left for d, minutes in enumerate(x)]
            total = sum(x)
        else:
            total = max(x) + (1 - v["minutes.displacement"]) * (sum(x) - max(x))
            x = [minutes * total / sum(x) for minutes in x] if sum(x) > 0 else x
        self.minutes = x
        self.last_four = [*self.last_four[1:], total]
        self.x4 = sum(self.last_four) / 4
        self.year_total += total
        self.status = self.active

    def learn(self) -> None:
        """Habit, then fitness, confidence and intention, each from what it was before this week."""
        if not self.scored:
            return
        v, moves = self.model.values, self.lessons()
        for d in self.domains():
            if self.did[d]:
                self.H[d] += (1 - (1 - v["habit.gain"]) ** self.sessions[d]) * (1 - self.H[d])
            else:
                self.H[d] -= v["habit.loss"] * self.H[d]
        self.P = kept(self.P + sum(moves["P"].values()))
        self.Y = kept(self.Y + sum(moves["Y"].values()))
        self.R = kept(self.R + sum(moves["R"].values()))

    def lessons(self) -> dict[str, dict[str, float]]:
        """Return by how much, and through what, this week moves fitness P, confidence Y and intention R."""
        v, ref, band = self.model.values, self.model.references, self.band
        P, Y, R = (shifted(x0, self.shift[name]) for name, x0 in zip("PYR", (self.P0, self.Y0, self.R0), strict=True))
        fitness, confidence, intention = v["capability.fitness_rate"], v["capability.confidence_rate"], v["intention.rate"]
        return {
            "P": {
                "set_point": fitness * (P - self.P),
                "inactivity": -fitness * P * v["capability.fitness_loss"] * (1 - self.x4 / (self.x4 + 150)),
            },
            "Y": {
                "set_point": confidence * (Y - self.Y),
                "mastery": confidence * v["capability.mastery"] * (self.mastery - ref["mastery"][band]),
            },
            "R": {
                "set_point": intention * (R - self.R),
                "enjoyment": intention * v["intention.enjoyment"] * (self.enjoyment - ref["enjoyment"][band]),
                "norms": intention * v["intention.norms"] * (self.S - self.S0),
            },
        }


class ReferenceModel(mesa.Model):
    """The model of one place, person by person, taken over from a run at some week.

    With `rows` it holds only the people in these rows of the run's columns; ties to others then count as none.
    """

    def __init__(self, *, simulation: Simulation, rows: Sequence[int] | None = None) -> None:
        super().__init__(rng=0)  # Mesa's own chance is never used: draws have addresses
        self.values = simulation.rules.values
        of_domains = lambda name: [self.values[f"domains.{word.name}.{name}"] for word in DOMAINS]  # noqa: E731
        self.a, self.b, self.mbar = of_domains("physical"), of_domains("opportunity"), of_domains("minutes")
        self.steps_of = [poisson_steps(nu) for nu in of_domains("sessions")]
        self.whole = rows is None
        rows = range(simulation.people.n) if rows is None else rows
        self.n = len(rows)
        self.places = [Neighbourhood(self, g) for g in range(simulation.people.neighbourhoods["imd_decile"].size)]
        self.everybody = [Person(self, row, place) for place, row in enumerate(rows)]
        self.before: reference_life.Before | None = None
        self.changes: reference_life.Year | None = None
        self.read(simulation)

    @classmethod
    def of(cls, simulation: Simulation) -> ReferenceModel:
        """Return a reference model in the state of a run; the run itself is left alone."""
        return cls(simulation=simulation)

    def read(self, simulation: Simulation) -> None:
        """Take over the state of a run of the same people, at its present week; those born since are added."""
        refs = simulation.references
        self.references = {
            name: [float(x) for x in getattr(refs, name)] for name in ("peers", "mastery", "enjoyment", "intention")
        }
        self.risk = np.asarray(refs.risk, np.float64).tolist()
        self.week, self.key = simulation.week, simulation.key
        self.year, self.trend = simulation.people.year, simulation.people.trend
        if self.whole:
            self.everybody += [Person(self, row, row) for row in range(self.n, simulation.people.n)]
        self.at = {person.row: person for person in self.everybody}
        self.schools = [int(phase) for phase in simulation.people.schools["phase"]]
        self.take_shifts(simulation)
        table = Reading.of(simulation, [person.row for person in self.everybody]).by_person()
        for person in self.everybody:
            person.read(table, simulation.shifts)
        for person in self.everybody:
            person.meet(table)
        self.n, self.ids = len(self.everybody), np.array([person.who["id"] for person in self.everybody], np.uint64)
        self.habit_before = np.array([person.H for person in self.everybody]).T

    def take_shifts(self, simulation: Simulation) -> None:
        """Take over what interventions and shocks do to places, prices and schools (and what trust they find)."""
        self.values = simulation.rules.values  # a shock changes what price and fear take
        for place in self.places:
            place.read(simulation)
        offer = simulation.shifts.get("offer")
        offers = simulation.offer if offer is None else simulation.offer + offer
        self.offers = [math.exp(x) for x in offers.tolist()]

    def follow_shifts(self, simulation: Simulation) -> None:
        """Take over a run's shifts alone: a model left to itself keeps its own people and its own trust."""
        trust, values = [place.trust for place in self.places], self.values
        self.take_shifts(simulation)
        for place, own in zip(self.places, trust, strict=True):
            place.trust = own
        for person in self.everybody:
            person.take_shifts(simulation.shifts)
            if self.values is not values:
                person.renew()

    def remember(self) -> None:
        """Begin yearly demography: keep what it will need to know of week 0, which is now."""
        self.before = reference_life.Before.of(self)

    def begin_week(self) -> None:
        """Take the week's draws and note whether there is school and who counts as active."""
        self.term = self.week % WEEKS_A_YEAR not in SCHOOL_HOLIDAYS
        self.chance = Chance(self.ids, self.week, self.key)
        for person in self.everybody:
            person.was_active = person.status

    def step(self) -> None:
        """Advance everybody by one week: trust, social opportunity, decisions, minutes, then what is learnt."""
        self.begin_week()
        people = self.agents_by_type[Person]
        self.agents_by_type[Neighbourhood].do("build_trust")
        for action in ("look_around", "decide", "be_active", "learn"):
            people.do(action)
        self.week += 1

    def turn_of_the_year(self) -> None:
        """Let a year of life pass where demography has begun, tastes drift, and what follows from both be renewed."""
        self.changes = reference_life.a_year(self) if self.before is not None and self.week > 0 else None
        self.year += 1
        self.agents_by_type[Person].do("drift")
        self.agents_by_type[Person].do("renew")
        for person in self.everybody:
            person.year_total = 0.0
        self.ids = np.array([person.who["id"] for person in self.everybody], np.uint64)

    def add(self) -> Person:
        """Return a further person, about whom nothing is known yet."""
        person = Person(self, self.n, self.n)
        self.everybody.append(person)
        self.n, self.at[person.row] = self.n + 1, person
        return person

    def run(self, weeks: int) -> None:
        """Advance by a number of weeks, with the turns of the year among them."""
        for _ in range(weeks):
            self.step()
            if self.week % WEEKS_A_YEAR == 0:
                self.turn_of_the_year()

    def shares(self, child: bool = False) -> tuple[float, float]:
        """Return the weighted shares of adults (or children) who are inactive and active."""
        of = [p for p in self.everybody if p.scored and p.child == child]
        limits = CHILD_LIMITS if child else ADULT_LIMITS
        total = sum(p.who["weight"] for p in of)
        return sum(p.who["weight"] * (p.x4 < limits[0]) for p in of) / total, sum(p.who["weight"] * p.active for p in of) / total

    def compare(self, simulation: Simulation) -> Comparison:
        """Return the differences from a run that took the same one step from the same state; see `side_by_side.compare`."""
        return compare(self, simulation)

    def compare_lives(self, simulation: Simulation) -> Comparison:
        """Return the differences from a run that took the same turn of the year; see `side_by_side.compare_lives`."""
        return compare_lives(self, simulation)
