"""The weekly model once more, plain and slow: one Python object per person on plain Mesa, double precision.

Written from the equations of the specification (sections 2 to 5) and not from the compiled week, so that each can find the
other's mistakes. `ReferenceModel.of(simulation)` takes over the state of a run, `step()` advances it by a week, and
`compare(simulation)` tells where a run that took the same step differs. Demography stays outside: people of a reference
model grow no older.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import mesa
import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from movesim import draws
from movesim.behaviour.side_by_side import Comparison, compare
from movesim.words import (
    ADULT_DOMAINS,
    ADULT_FROM,
    ADULT_LIMITS,
    AGE_BAND_STARTS,
    CHILD_FROM,
    CHILD_LIMITS,
    DOMAIN,
    DOMAINS,
    SCHOOL_HOLIDAYS,
    WEEKS_A_YEAR,
)

if TYPE_CHECKING:
    from movesim.behaviour.simulation import Simulation

LOWEST, HIGHEST = 0.01, 1.0
MOST_SESSIONS, MOST_MINUTES = 14, 2500.0
NEAR_DECISION = 5e-5  # a decision this close to its threshold may fall either way in single precision
NEAR_SESSIONS = 2e-7  # the uniform of sessions has 16 bits and is exact, so only rounding of its thresholds is at stake
PLAY, SCHOOL = DOMAIN["play"], DOMAIN["school"]
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
        self.deprivation = (5.5 - float(at["imd_decile"])) / 4.5
        self.trust = float(simulation.trust[here])
        self.fte = float(simulation.fte[here] if fte is None else simulation.fte[here] + fte[here])
        like = float(simulation.likeness[here] if likeness is None else simulation.likeness[here] + likeness[here])
        self.likeness = min(max(like, 0.0), 1.0)
        self.leader_baseline = self.trust_at_rest(v["workforce.fte"]) * v["workforce.likeness"]
        self.fear = v["opportunity.fear"] * (
            max(float(at["anti_social_behaviour"]), 0.1) / v["opportunity.anti_social_behaviour_median"]
        ) ** v["opportunity.anti_social_behaviour"]  # fmt: skip
        move = shifts.get("supply")
        self.supply = []
        for d, word in enumerate(DOMAINS):
            supply = v[f"domains.{word.name}.supply"]
            if word.name in INDICATOR:
                name = INDICATOR[word.name]
                supply *= (float(at[name]) / v[f"opportunity.{name}_median"]) ** v[f"opportunity.{name}"]
            self.supply.append(shifted(kept(supply), 0.0 if move is None else float(move[d, here])))

    def rates(self, fte: float) -> tuple[float, float]:
        """Return what trust gains a week from nothing and loses a week from full, for this workforce."""
        v = self.model.values
        presence = min(1.0, fte / v["workforce.full"])
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

    def __init__(self, model: ReferenceModel, row: int) -> None:
        super().__init__(model)
        self.row = row

    # --- taking over ------------------------------------------------------------------------------------------------
    def read(self, simulation: Simulation) -> None:
        """Take over the state of the run: who the person is, what lasts, and where they stand this week."""
        people, i, shifts = simulation.people, self.row, simulation.shifts
        self.who = {name: column[i].item() for name, column in people.columns.items()}
        self.age, self.alive = self.who["age"], bool(people.alive[i])
        self.home: Neighbourhood = self.model.places[self.who["neighbourhood"]]
        self.noise = [float(x) for x in people.noise[:, i]]
        self.taste, self.volume_unit = float(people.taste[i]), float(people.volume_unit[i])
        self.taste_domain = [float(x) for x in people.taste_domain[:, i]]
        self.P, self.Y, self.S, self.R = (float(x) for x in people.state[:, i])
        self.H = [float(x) for x in people.H[:, i]]
        oldest = simulation.week % 4  # the slot that the coming week overwrites
        self.last_four = [float(people.ring[(oldest + k) % 4, i]) for k in range(4)]
        self.x4 = sum(self.last_four) / 4
        self.shift = {name: 0.0 if (array := shifts.get(name)) is None else float(array[i]) for name in "PYSR"}
        prompt, offer = shifts.get("prompt"), shifts.get("offer")
        self.prompt = [0.0] * len(DOMAINS) if prompt is None else [float(x) for x in prompt[:, i]]
        self.offer = math.exp(0.0 if offer is None else float(offer[self.who["school"]]))  # of active minutes, over baseline
        self.did, self.sessions, self.minutes = [False] * len(DOMAINS), [0] * len(DOMAINS), [0.0] * len(DOMAINS)
        self.share = self.mastery = self.enjoyment = 0.0
        self.renew()

    def meet(self, simulation: Simulation) -> None:
        """Note the ties that count: to people who are alive and old enough to be scored."""
        rows = [int(r) for r in simulation.people.ties[self.row] if r < self.model.n]
        self.ties = [self.model.everybody[r] for r in rows if self.model.everybody[r].scored]

    @property
    def child(self) -> bool:
        """Under 16."""
        return self.age < ADULT_FROM

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
        v, who = self.model.values, self.who
        busy = v["opportunity.work"] * who["in_work"] + v["opportunity.care"] * who["carer"]
        busy += v["opportunity.young_children"] * who["young_children"]
        time = 1.0 if self.child else math.exp(-busy * (v["opportunity.time_travel"] if name == "travel_walk" else 1.0))
        price = math.exp(-v["opportunity.price"] * (1 - who["income_rank"]))
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
                return time * inclusive("walk") * safety
            case "travel_walk":
                return time * inclusive("walk") * safety * car_walk
            case "cycle":
                return time * inclusive("cycle") * safety * car_cycle
            case "sport":
                return time * price * inclusive("sport")
            case "play":
                return inclusive("sport") * safety
        return 1.0

    def pull(self, name: str) -> float:
        """Return mu_d(age, sex) + taste + taste_d + residual_g, and the secular trend since the start of the policy period."""
        v, female, child = self.model.values, float(self.who["sex"] == 1), self.child
        group = ("asian", "black", "mixed", None, "other")[self.who["ethnic_group"]]
        residual = v["residual.scale"] * v[f"residual.{group}"] if group else 0.0
        level, slope = self.model.trend
        trend = max(self.model.year, 0) * (level + slope * self.home.deprivation / 2)
        taste = v["motivation.taste"] * self.taste + trend
        own = self.taste_domain[DOMAIN[name]]
        if child or name in ("play", "school"):
            mu = v["motivation.child"] + v[f"domains.{name}.child"] + v["motivation.child_female"] * female
            if name == "play":
                mu += v["domains.play.age"] * (self.age - 10)
        else:
            decades = (min(self.age, 90) - 45) / 10
            mu = v[f"domains.{name}.motivation"] + (v["motivation.female"] + v[f"domains.{name}.female"]) * female
            mu += (v["motivation.age"] + v[f"domains.{name}.age"]) * decades
        if child:
            return mu + v["motivation.child_taste"] * (taste + own) + v["residual.child"] * residual
        return mu + taste + own + residual

    def drift(self) -> None:
        """Let taste move by a year: a stationary AR(1) with unit variance."""
        memory = self.model.values["motivation.taste_memory"]
        year = self.model.year
        # the first taste of all was drawn as week 0, index 0; from year 0 on the yearly draws have index 1
        step = float(draws.normal([self.who["id"]], year, "taste", self.model.key, index=1 if year >= 0 else 0)[0])
        self.taste = memory * self.taste + math.sqrt(1 - memory**2) * step

    # --- a week -----------------------------------------------------------------------------------------------------
    def look_around(self) -> None:
        """S += k_S (S* + w_peer (share of ties active - ref) + w_leader (T L - its baseline) - S), from last week's statuses."""
        if not self.scored:
            return
        v, ref = self.model.values, self.model.references["peers"][self.band]
        self.share = sum(tie.was_active for tie in self.ties) / len(self.ties) if self.ties else ref
        leader = self.home.trust * self.home.likeness - self.home.leader_baseline
        wanted = (
            shifted(self.S0, self.shift["S"]) + v["opportunity.peers"] * (self.share - ref) + v["opportunity.leader"] * leader
        )
        self.S = kept(self.S + v["opportunity.social_rate"] * (wanted - self.S))

    def decide(self) -> None:
        """Take part in a domain with probability M_d K_d O_d, and in how many sessions."""
        v, model = self.model.values, self.model
        self.did, self.sessions = [False] * len(DOMAINS), [0] * len(DOMAINS)
        self.mastery = self.enjoyment = 0.0
        self.near: list[int] = []
        for d in self.domains():
            a, b = model.a[d], model.b[d]
            K = self.P**a * self.Y ** (1 - a)
            O = (self.home.supply[d] * self.A[d]) ** b * self.S ** (1 - b)
            argument = self.drive[d] + self.prompt[d] + v["motivation.habit"] * self.H[d]
            argument += v["motivation.reflective"] * (self.R - model.references["intention"][self.band])
            probability = expit(argument) * K * O
            u = model.chance.decision(self.row, d)
            self.did[d] = u < probability
            near = abs(u - probability) < NEAR_DECISION
            if self.did[d]:
                u = model.chance.sessions(self.row, d)
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
                    * math.exp(s * model.chance.normal(self.row, d) - s * s / 2)
                )
        x[SCHOOL] *= self.offer
        plain = sum(x)
        if plain > MOST_MINUTES:
            x = [minutes * MOST_MINUTES / plain for minutes in x]
        if self.child:
            outside = sum(x) - x[SCHOOL]
            taken_back = v["minutes.compensation"] * x[SCHOOL] * max(0.0, 1 - 1 / self.offer)  # no school minutes in holidays
            left = max(outside - taken_back, 0.0) / outside if outside > 0 else 1.0
            x = [minutes if d == SCHOOL else minutes * left for d, minutes in enumerate(x)]
            total = sum(x)
        else:
            total = max(x) + (1 - v["minutes.displacement"]) * (sum(x) - max(x))
            x = [minutes * total / sum(x) for minutes in x] if sum(x) > 0 else x
        self.minutes = x
        self.last_four = [*self.last_four[1:], total]
        self.x4 = sum(self.last_four) / 4

    def learn(self) -> None:
        """Habit, then fitness, confidence and intention, each from what it was before this week."""
        if not self.scored:
            return
        v, ref, band = self.model.values, self.model.references, self.band
        for d in self.domains():
            if self.did[d]:
                self.H[d] += (1 - (1 - v["habit.gain"]) ** self.sessions[d]) * (1 - self.H[d])
            else:
                self.H[d] -= v["habit.loss"] * self.H[d]
        P = shifted(self.P0, self.shift["P"]) * (1 - v["capability.fitness_loss"] * (1 - self.x4 / (self.x4 + 150)))
        Y = shifted(self.Y0, self.shift["Y"]) + v["capability.mastery"] * (self.mastery - ref["mastery"][band])
        R = shifted(self.R0, self.shift["R"]) + v["intention.enjoyment"] * (self.enjoyment - ref["enjoyment"][band])
        R += v["intention.norms"] * (self.S - self.S0)
        self.P = kept(self.P + v["capability.fitness_rate"] * (P - self.P))
        self.Y = kept(self.Y + v["capability.confidence_rate"] * (Y - self.Y))
        self.R = kept(self.R + v["intention.rate"] * (R - self.R))


class Chance:
    """One week's draws of everybody: each a function of seed, person, week and stream."""

    def __init__(self, ids: NDArray[np.uint64], week: int, key: draws.Key) -> None:
        self.words = {stream: draws.words(ids, week, stream, key) for stream in ("decide", "minutes", "sessions", "child")}

    def decision(self, row: int, d: int) -> float:
        """Return the uniform in [0, 1) of 24 bits that a probability is compared with."""
        word = self.words["decide"][d, row] if d < ADULT_DOMAINS else self.words["child"][d - PLAY, row]
        return (int(word) >> 8) * 2.0**-24

    def normal(self, row: int, d: int) -> float:
        """Return the standard normal of this week's minutes."""
        word = self.words["minutes"][d, row] if d < ADULT_DOMAINS else self.words["child"][d - PLAY + 2, row]
        return float(ndtri((int(word) + 0.5) * 2.0**-32))

    def sessions(self, row: int, d: int) -> float:
        """Return the uniform of 16 bits that tells the number of sessions: two domains share a word."""
        word = int(self.words["sessions"][d // 2, row])
        return ((word & 0xFFFF if d % 2 == 0 else word >> 16) + 0.5) * 2.0**-16


def poisson_steps(mean: float) -> list[float]:
    """Return P(N <= k) of a Poisson variable for k = 0 to 12: at most 14 sessions."""
    terms = [math.exp(-mean) * mean**k / math.factorial(k) for k in range(MOST_SESSIONS - 1)]
    return [sum(terms[: k + 1]) for k in range(len(terms))]


class ReferenceModel(mesa.Model):
    """The model of one place, person by person, taken over from a run at some week."""

    def __init__(self, *, simulation: Simulation) -> None:
        super().__init__(rng=0)  # Mesa's own chance is never used: draws have addresses
        self.values = simulation.rules.values
        of_domains = lambda name: [self.values[f"domains.{word.name}.{name}"] for word in DOMAINS]  # noqa: E731
        self.a, self.b, self.mbar = of_domains("physical"), of_domains("opportunity"), of_domains("minutes")
        self.steps_of = [poisson_steps(nu) for nu in of_domains("sessions")]
        self.n = simulation.people.n
        self.places = [Neighbourhood(self, g) for g in range(simulation.people.neighbourhoods["imd_decile"].size)]
        self.everybody = [Person(self, row) for row in range(self.n)]
        self.read(simulation)

    @classmethod
    def of(cls, simulation: Simulation) -> ReferenceModel:
        """Return a reference model in the state of a run; the run itself is left alone."""
        return cls(simulation=simulation)

    def read(self, simulation: Simulation) -> None:
        """Take over the state of a run of the same people, at its present week."""
        refs = simulation.references
        self.references = {
            name: [float(x) for x in getattr(refs, name)] for name in ("peers", "mastery", "enjoyment", "intention")
        }
        self.week, self.key = simulation.week, simulation.key
        self.year, self.trend = simulation.people.year, simulation.people.trend
        self.ids = np.array(simulation.people.id)
        for place in self.places:
            place.read(simulation)
        for person in self.everybody:
            person.read(simulation)
        for person in self.everybody:
            person.meet(simulation)
        self.habit_before = np.array([person.H for person in self.everybody]).T

    def step(self) -> None:
        """Advance everybody by one week: trust, social opportunity, decisions, minutes, then what is learnt."""
        self.term = self.week % WEEKS_A_YEAR not in SCHOOL_HOLIDAYS
        self.chance = Chance(self.ids, self.week, self.key)
        for person in self.everybody:
            person.was_active = person.active
        people = self.agents_by_type[Person]
        self.agents_by_type[Neighbourhood].do("build_trust")
        for action in ("look_around", "decide", "be_active", "learn"):
            people.do(action)
        self.week += 1

    def turn_of_the_year(self) -> None:
        """Let tastes drift and what follows from them be renewed; nobody grows older."""
        self.year += 1
        self.agents_by_type[Person].do("drift")
        self.agents_by_type[Person].do("renew")

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
