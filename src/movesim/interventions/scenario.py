"""What a scenario is once it has been read and checked: interventions on a timeline under one budget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from movesim import draws
from movesim.errors import InputError, MovesimError, did_you_mean
from movesim.evidence import Ledger, Parameter
from movesim.interventions.adaptive import Rule
from movesim.interventions.mechanism import Mechanism, dirichlet

KINDS = {
    "people": "people are offered it and climb the reach ladder",
    "place": "a neighbourhood is changed for everybody who lives there",
    "school": "schools join and their pupils take part",
}
TARGETING = ("universal", "targeted", "proportionate")
PAYERS = {
    "local_authority": "local authority", "transport_authority": "transport authority", "nhs": "NHS",
    "education": "schools and education", "sport_england": "Sport England", "central_government": "central government",
    "voluntary_sector": "voluntary sector", "employers": "employers", "participants": "participants",
}  # fmt: skip
PLACE_UNITS = {"route": ("km", "km_year"), "zone": ("resident", "resident_year")}
UNITS = {
    "people": ("participant", "fte_year", "resident", "booster"),
    "place": (*PLACE_UNITS["route"], *PLACE_UNITS["zone"]),
    "school": ("pupil_year",),
}
LADDER = {"people": ("offered", "taken_up", "adhering", "responding"), "place": (), "school": ("offered", "taken_up", "adhering")}
LOWEST_RATIO = 0.05  # published ratios near 0 are floored, or no ladder could reach them


@dataclass(frozen=True)
class Who:
    """A query on people: ages from and to (inclusive), allowed values of columns, a range of income ranks and more.

    `status` holds the numbers of words.STATUSES that the last four weeks may have had (people under five have none).
    `with_children` asks whether a child of 5 to 15 lives in the household, oneself included.
    """

    ages: tuple[int, int] | None = None
    values: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    income_rank: tuple[float, float] | None = None
    status: tuple[int, ...] = ()
    with_children: bool | None = None


@dataclass(frozen=True)
class Where:
    """Which neighbourhoods: the targeting, the deciles aimed at, authorities, and ledger paths of leakage and gradient.

    `leakage` is the share of places, schools or kilometres that end up outside the deciles aimed at. `gradient` (for
    proportionate) is places per resident in decile 1 over decile 10.
    """

    targeting: str = "universal"
    imd_decile: tuple[int, ...] = ()
    local_authority: tuple[str, ...] = ()
    leakage: str | None = None
    gradient: str | None = None


@dataclass(frozen=True)
class Cost:
    """A unit cost: what it is per, the ledger path of its pounds, and each payer's share."""

    unit: str
    path: str
    payers: Mapping[str, float]


@dataclass(frozen=True)
class Prediction:
    """A second finding, which the solved study is to show as well.

    `population` is a subgroup or other people (None: those of the study). `change` says what `effect` is: minutes a week, or,
    of the shares of people who do at least `reaching` minutes a week, their difference in points, their ratio or odds ratio.
    `used_for` says what of the model was set by this finding, which is then no test of it; the first later finding in minutes
    of the whole week of the study's own people sets the decay.
    """

    title: str
    measured: tuple[int, ...]
    after_weeks: int
    effect: str
    effect_scale: str
    population: Who | None = None
    reaching: float | None = None
    change: str = "minutes"
    used_for: str = ""


@dataclass(frozen=True)
class Trial:
    """The study behind an intervention: whom, arms, weeks of follow-up, what was measured and what else it should predict.

    `measured` holds the numbers of domains; it is empty for all minutes of the week. The effect to reach is the
    intervention's `effect`.
    """

    title: str
    population: Who
    arms: tuple[str, ...]
    follow_up_weeks: int
    measured: tuple[int, ...]
    evidence: tuple[str, ...]
    also_predicts: tuple[Prediction, ...] = ()


@dataclass(frozen=True)
class Intervention:
    """One intervention as a scenario states it; `paths` leads from a field ("ladder.offered") to its number in the ledger."""

    name: str
    title: str
    kind: str
    functions: tuple[str, ...]
    policies: tuple[str, ...]
    reason: str
    start_year: int
    end_year: int
    who: Who
    where: Where
    phases: tuple[int, ...]
    domains: tuple[int, ...]
    mechanism: Mechanism
    split_weights: Mapping[str, float]
    effect_scale: str
    costs: tuple[Cost, ...]
    trial: Trial
    evidence: tuple[str, ...]
    paths: Mapping[str, str]
    summary: str = ""
    zone: bool = False

    @property
    def stream(self) -> int:
        """The stream of its draws: a hash of its name."""
        return draws.stream_of(self.name)

    @property
    def has_workforce(self) -> bool:
        """Whether it employs people in neighbourhoods."""
        return "workforce.fte_per_1000" in self.paths

    @property
    def later_finding(self) -> Prediction | None:
        """The finding that sets the decay: the first later one in minutes of the whole week of the study's own people."""
        for finding in self.trial.also_predicts:
            plain = not finding.measured and finding.reaching is None and finding.population is None
            if plain and not finding.used_for and finding.after_weeks > self.trial.follow_up_weeks:
                return finding
        return None

    def value(self, values: Mapping[str, float], name: str, default: float | None = None) -> float:
        """Return a field's number among drawn ledger values; `default` stands in when the scenario does not state it."""
        if name not in self.paths:
            if default is None:
                raise MovesimError(f"The intervention '{self.name}' has no number called '{name}'.")
            return default
        path = self.paths[name]
        if path not in values:
            raise MovesimError(f"The drawn numbers lack '{path}', which the intervention '{self.name}' needs.")
        return values[path]

    def ladder(self, values: Mapping[str, float]) -> dict[str, float]:
        """Return the central probability of each step of the ladder, upkeep (the habit share) included."""
        steps = {step: self.value(values, f"ladder.{step}") for step in LADDER[self.kind]}
        return steps if self.kind == "place" else {**steps, "upkeep": self.value(values, "habit_share")}

    def ratio(self, values: Mapping[str, float]) -> float:
        """Return the socioeconomic ratio, fifth 1 over fifth 5, floored at 0.05."""
        return max(LOWEST_RATIO, self.value(values, "ratio"))

    def split(self, values: Mapping[str, float]) -> dict[str, float]:
        """Return each step's share of the residual gradient (adds to 1; empty where it acts on the shift)."""
        if not self.split_weights:
            return {}
        return dirichlet(self.split_weights, {step: values[self.paths[f"split.{step}"]] for step in self.split_weights})

    def target_effect(self, values: Mapping[str, float]) -> float:
        """Return the effect that the re-run study is to show, in reported minutes a week.

        Device minutes are turned into reported ones, and a gain is shrunk by the optimism factor that all programmes share
        (a loss is not: publication bias does not make harm smaller).
        """
        effect = self.value(values, "effect")
        return self.as_reported(effect * (self.value(values, "optimism") if effect > 0 else 1.0), self.effect_scale, values)

    def as_reported(self, minutes: float, scale: str, values: Mapping[str, float]) -> float:
        """Return minutes as people would report them."""
        return minutes * (self.value(values, "device_to_reported") if scale == "device" else 1.0)

    def study_values(self, values: Mapping[str, float]) -> dict[str, float]:
        """Return the numbers that re-running its study depends on: none of where, when, how much or at what cost."""
        elsewhere = (
            "where.", "costs.", "capacity.", "workforce.", "route.", "trial.", "ladder.offered", "booster.", "raises_reach",
            "wear_per_year", "same_function",
        )  # fmt: skip
        return {path: values[path] for name, path in self.paths.items() if not name.startswith(elsewhere)}

    def weeks(self) -> tuple[int, int]:
        """Return the first policy week of delivery and the first week after it."""
        return 52 * (self.start_year - 1), 52 * self.end_year


@dataclass(frozen=True, eq=False)
class Modifier:
    """Something that makes all programmes of a scenario work better (or worse), such as whole-system working.

    `paths` leads to its numbers: `reach` multiplies what is offered and places, `ratio` the socioeconomic ratio,
    `habit_share` is added to the share who keep it for good; all grow over `ramp_weeks`.
    """

    name: str
    title: str
    start_year: int
    end_year: int
    costs: tuple[Cost, ...]
    paths: Mapping[str, str]
    summary: str = ""
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scenario:
    """A scenario: interventions, one budget and how it is split, on top of the baseline that all scenarios share."""

    name: str
    title: str
    slogan: str
    summary: str
    path: Path
    interventions: tuple[Intervention, ...]
    budget: str | None
    shares: Mapping[str, float]
    trend_paths: Mapping[str, str]
    running: tuple[str, ...]
    numbers: Mapping[str, Parameter]
    contents: Mapping[str, Any]
    modifiers: tuple[Modifier, ...] = ()
    rules: tuple[Rule, ...] = ()
    even: frozenset[str] | None = None  # steps that treat everybody alike, in a run that asks what the others do; None: no such

    def ledger(self) -> Ledger:
        """Return every number of the scenario by dotted path: `scenarios.routes.effect`."""
        return Ledger(dict(self.numbers))

    def trend(self, values: Mapping[str, float]) -> tuple[float, float]:
        """Return the secular trend that every scenario shares: logit of motivation a year, and most minus least deprived."""
        return values[self.trend_paths["level"]], values[self.trend_paths["slope"]]

    def pounds_per_resident(self, values: Mapping[str, float]) -> float:
        """Return the budget in pounds per resident a year (0 where nothing is done)."""
        return 0.0 if self.budget is None else values[self.budget]

    def only(self, name: str) -> Scenario:
        """Return this scenario with one of its interventions alone, holding the share of the budget it has here."""
        names = [i.name for i in self.interventions]
        if name not in names:
            raise InputError(f"The scenario '{self.name}' has no intervention '{name}'.{did_you_mean(name, names)}")
        return replace(self, interventions=tuple(i for i in self.interventions if i.name == name), rules=())

    @cached_property
    def payers(self) -> dict[str, tuple[str, ...]]:
        """Return who pays for each intervention."""
        return {i.name: tuple(dict.fromkeys(p for c in i.costs for p in c.payers)) for i in self.interventions}
