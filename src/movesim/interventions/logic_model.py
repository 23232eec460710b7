"""The logic model of an intervention: functions reach components of COM-B, these move behaviour, and that the outcome."""

from __future__ import annotations

from dataclasses import dataclass

from movesim.interventions.describing import stated
from movesim.interventions.links import MATRICES
from movesim.interventions.scenario import Intervention, Scenario
from movesim.words import COMPONENT, COMPONENTS, DOMAINS

PER = {"people": "participant", "school": "pupil of a school that takes part", "place": "resident served"}


@dataclass(frozen=True)
class Link:
    """A component of COM-B: the functions that reach it, its share of the effect and the domains in which it acts.

    `part` is capability, opportunity or motivation. `functions` is empty where the matrix of the Behaviour Change Wheel has
    none of them and the file gives a reason instead.
    """

    part: str
    label: str
    functions: tuple[str, ...]
    share: float
    domains: tuple[str, ...]


@dataclass(frozen=True)
class LogicModel:
    """An intervention from what is done to what comes of it, in words."""

    title: str
    functions: tuple[str, ...]
    links: tuple[Link, ...]
    domains: tuple[str, ...]
    outcomes: tuple[str, ...]
    reason: str
    edition: int


def logic_models(scenario: Scenario) -> tuple[LogicModel, ...]:
    """Return the logic model of each intervention of a scenario; shares and effects are the central ones."""
    return tuple(_logic_model(scenario, spec) for spec in scenario.interventions)


def domain_label(number_of_domain: int) -> str:
    """Return what a domain is called, without what stands in brackets."""
    return DOMAINS[number_of_domain].label.partition(" (")[0]


def _logic_model(scenario: Scenario, spec: Intervention) -> LogicModel:
    edition = int(scenario.contents["interventions"][spec.name].get("matrix", 2011))
    shares = spec.mechanism.shift_vector(scenario.ledger().central())
    links = []
    for component in sorted(spec.mechanism.components, key=lambda c: (-shares[c.name], COMPONENT[c.name])):
        reach = MATRICES[edition][component.name]
        label = COMPONENTS[COMPONENT[component.name]].label
        functions = tuple(f for f in spec.functions if f in reach)
        # what is not moved domain by domain works in all that the intervention is about
        links.append(
            Link(
                component.name.partition("_")[0],
                label,
                functions,
                shares[component.name],
                tuple(map(domain_label, component.domains)),
            )
        )
    return LogicModel(
        title=spec.title,
        functions=spec.functions,
        links=tuple(links),
        domains=tuple(map(domain_label, sorted({d for c in spec.mechanism.components for d in c.domains}))),
        outcomes=_outcomes(scenario, spec),
        reason=spec.reason,
        edition=edition,
    )


def _outcomes(scenario: Scenario, spec: Intervention) -> tuple[str, ...]:
    effect, ratio = (scenario.numbers[spec.paths[name]] for name in ("effect", "ratio"))
    kilometres = " and km nearer" if spec.kind == "place" and not spec.zone else ""
    scale = {"reported": "as reported", "device": "on a device"}[spec.effect_scale]
    gain = f"Gain in its study: {stated(effect)} minutes a week, {scale}, per {PER[spec.kind]}{kilometres}"
    gap = f"Gain in the most over that in the least deprived fifth: {stated(ratio)}; above 1 narrows the gap"
    if "uptake_ratio" in spec.paths:
        uptake = stated(scenario.numbers[spec.paths["uptake_ratio"]])
        gap = f"In the most over the least deprived fifth: uptake {uptake}, gain of those who come {stated(ratio)}; "
        gap += "above 1 narrows the gap"
    return gain, gap


def behaviour(domains: tuple[str, ...]) -> str:
    """Return domains as one reads them in a sentence: "walking for leisure; cycling"."""
    return "; ".join(domain if domain.startswith("PE") else domain.lower() for domain in domains)


def as_lines(model: LogicModel, arrow: str = "->") -> list[str]:
    """Return a logic model as lines of text: a line a component, the behaviour that all of them move, and the outcomes.

    >>> link = Link("opportunity", "Social opportunity", ("Enablement",), 1.0, ("Cycling",))
    >>> print(*as_lines(LogicModel("Rides", ("Enablement",), (link,), ("Cycling",), ("More rides",), "", 2011)), sep="\\n")
    Enablement -> social opportunity (100%)
    -> cycling
    -> more rides.
    """
    same = len({link.domains for link in model.links}) == 1
    lines = []
    for link in model.links:
        does = ", ".join(link.functions) or "For the reason given"
        about = "" if same else f" {arrow} {behaviour(link.domains)}"
        lines.append(f"{does} {arrow} {link.label.lower()} ({link.share:.0%}){about}")
    if same:
        lines.append(f"{arrow} {behaviour(model.domains)}")
    return [*lines, *(f"{arrow} {outcome[0].lower()}{outcome[1:]}." for outcome in model.outcomes)]
