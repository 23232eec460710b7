"""A scenario in plain words, for `movesim scenario show` and the report."""

from __future__ import annotations

from movesim.evidence import Parameter
from movesim.interventions.scenario import KINDS, LADDER, PAYERS, Intervention, Scenario
from movesim.words import DOMAINS

_STEP_WORDS = {
    "people": {
        "offered": "are offered it each year", "taken_up": "of those come", "adhering": "of those stay",
        "responding": "of those do more",
    },
    "school": {
        "offered": "of schools are asked each year", "taken_up": "of those are willing",
        "adhering": "of their pupils are reached",
    },
}  # fmt: skip
_UNIT_WORDS = {
    "participant": "participant", "fte_year": "full-time worker a year", "resident": "resident aimed at a year",
    "km": "kilometre", "km_year": "built kilometre a year", "pupil_year": "pupil of a school that takes part, a year",
}  # fmt: skip


def describe(scenario: Scenario) -> str:
    """Return what a scenario does, for whom, how strongly, at what cost and on what evidence, in plain words."""
    lines = [scenario.title + (f" - {scenario.slogan}" if scenario.slogan else ""), scenario.summary, ""]
    if scenario.budget is None:
        lines += ["Money: none.", "What runs already:"] + [f"  - {what}" for what in scenario.running]
        for name, path in scenario.trend_paths.items():
            lines.append(f"Trend, {name}: {_number(scenario.numbers[path])}")
    else:
        each = scenario.numbers[scenario.budget].value
        lines.append(f"Money: £{each:.2f} per resident a year.")
    for spec in scenario.interventions:
        lines += ["", *_intervention(scenario, spec)]
    return "\n".join(lines).rstrip() + "\n"


def _intervention(scenario: Scenario, spec: Intervention) -> list[str]:
    numbers = scenario.numbers
    said = lambda name: _number(numbers[spec.paths[name]])  # noqa: E731
    share = scenario.shares[spec.name]
    lines = [f"{spec.title} ({spec.name})"]
    if share < 1:
        lines.append(f"  Share of the money: {share:.0%}")
    lines.append(f"  How: {KINDS[spec.kind]}, policy years {spec.start_year} to {spec.end_year}.")
    lines.append(f"  Does: {', '.join(spec.functions)}; by {', '.join(spec.policies)}.")
    lines.append(f"  For: {_who(spec)}; {_where(scenario, spec)}.")
    for step in LADDER[spec.kind]:
        lines.append(f"  Reach: {said(f'ladder.{step}')} {_STEP_WORDS[spec.kind][step]}.")
    if spec.kind == "place":
        lines.append(f"  Reach: everybody who lives there; {said('route.km_per_1000')} km serve 1,000 residents.")
    lines.append(f"  Effect in its study: {said('effect')} {numbers[spec.paths['effect']].unit}, {spec.effect_scale}.")
    lines.append(f"  Gain per person offered, most over least deprived fifth: {said('ratio')}.")
    weights = sum(c.weight for c in spec.mechanism.components)
    for component in spec.mechanism.components:
        where = ", ".join(DOMAINS[d].label.lower() for d in component.domains) if component.name == "motivation_automatic" else ""
        kind, _, part = component.name.partition("_")
        lines.append(f"  Moves: {part} {kind}{f' ({where})' if where else ''}, about {component.weight / weights:.0%}.")
    if "habit_share" in spec.paths:
        lines.append(f"  Lasts: {said('habit_share')} keep it; the rest halves every {said('half_life_weeks')} weeks.")
    if spec.has_workforce:
        lines.append(f"  Workforce: up to {said('workforce.fte_per_1000')} full-time equivalents per 1,000 residents.")
    for cost in spec.costs:
        payers = ", ".join(f"{PAYERS[payer]} {part:.0%}" for payer, part in cost.payers.items())
        lines.append(f"  Costs: {_number(numbers[cost.path])} per {_UNIT_WORDS[cost.unit]} ({payers}).")
    lines.append(f"  Study: {spec.trial.title}. Evidence: {', '.join(spec.evidence)}.")
    if spec.reason:
        lines.append(f"  Outside the Behaviour Change Wheel's matrix because: {spec.reason}")
    return lines


def _number(p: Parameter) -> str:
    """Return a number as people write it: shares in per cent, money in pounds, with its range and status."""
    if p.unit.startswith("share"):
        form = "{:.0%}".format
    elif p.unit.startswith("pounds"):
        form = "£{:,.0f}".format
    else:
        form = "{:g}".format
    spread = (
        f" ({form(p.low)} to {form(p.high)})" if p.low is not None and p.high is not None and p.distribution != "fixed" else ""
    )
    return f"{form(p.value)}{spread} [{p.status}]"


def _who(spec: Intervention) -> str:
    who, found = spec.who, []
    if who.ages is not None:
        low, high = who.ages
        found.append(f"age {low} and over" if high >= 100 else f"age {low} to {high}")
    for column in who.values:
        found.append(column.replace("_", " ") + " as stated in the file")
    if who.income_rank is not None:
        found.append(f"household income rank {who.income_rank[0]:g} to {who.income_rank[1]:g}")
    return ", ".join(found) or "everybody"


def _where(scenario: Scenario, spec: Intervention) -> str:
    where = spec.where
    inside = f" of {', '.join(where.local_authority)}" if where.local_authority else ""
    if where.targeting == "universal":
        return f"all neighbourhoods{inside}"
    if where.targeting == "targeted":
        leakage = _number(scenario.numbers[spec.paths["where.leakage"]])
        return f"IMD deciles {', '.join(map(str, where.imd_decile))}{inside}, {leakage} of it ends up elsewhere"
    gradient = _number(scenario.numbers[spec.paths["where.gradient"]])
    return f"all neighbourhoods{inside}, with {gradient} times as many places per resident in decile 1 as in decile 10"
