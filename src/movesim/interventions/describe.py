"""A scenario in plain words: what it is, for whom, where, when, how many, what it costs, who pays, how sure, how it works."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Mapping

from movesim.interventions.adaptive import OUTCOMES, Rule
from movesim.interventions.describing import audience, evidence_of, neighbourhoods, number, pounds, share, stated
from movesim.interventions.logic_model import as_lines, logic_models
from movesim.interventions.reach import Reach, of_each_pound, reach
from movesim.interventions.scenario import LADDER, PAYERS, Intervention, Modifier, Scenario
from movesim.words import STATUSES_OF_NUMBERS

WIDTH, NARROW = 79, 56
_KIND_WORDS = {
    "people": "People are offered it and join", "school": "Schools join, and their pupils take part",
    "place": "A neighbourhood is changed for everybody who lives there",
}  # fmt: skip
_UNIT_WORDS = {
    "participant": "participant", "fte_year": "full-time worker a year", "km": "kilometre", "km_year": "built kilometre a year",
    "pupil_year": "pupil a year", "resident_year": "resident served, a year", "booster": "person met again",
}  # fmt: skip


def describe(scenario: Scenario, width: int = WIDTH) -> str:
    """Return a scenario in plain words, for somebody who decides about it.

    Arguments: scenario; width, of the lines in characters (at least 24). Numbers are the central ones with their ranges.
    """
    width = max(24, width)
    lines = textwrap.wrap(scenario.title + (f" - {scenario.slogan}" if scenario.slogan else ""), width)
    lines += [*textwrap.wrap(scenario.summary, width), ""]
    if scenario.budget is None:
        trends = [(name, scenario.numbers[path]) for name, path in scenario.trend_paths.items()]
        rows = [("Money", "none: this is what happens anyway."), *[("Runs now", what) for what in scenario.running]]
        rows += [("Trend", f"{name}: {stated(p)} {p.unit} [{p.status}].") for name, p in trends]
        return "\n".join([*lines, *_rows(rows, width)]) + "\n"
    each = scenario.numbers[scenario.budget].value
    rows = [("Money", f"{pounds(each)} per resident of the place a year.")]
    if len(scenario.interventions) + len(scenario.modifiers) > 1:
        rows += [("Years", text) for text in _timeline(scenario, width)]
    lines += _rows(rows, width)
    for modifier in scenario.modifiers:
        lines += ["", *textwrap.wrap(f"{modifier.title} (helps every programme)", width)]
        lines += _rows(_modifier(scenario, modifier), width)
    for spec in scenario.interventions:
        part = scenario.shares[spec.name]
        lines += ["", *textwrap.wrap(spec.title + (f" ({share(part)} of the money)" if part < 1 else ""), width)]
        lines += _rows(_intervention(scenario, spec), width)
    for rule in scenario.rules:
        lines += ["", *textwrap.wrap(f"{rule.title} (a rule that decides on the way)", width)]
        lines += _rows(_rule(scenario, rule), width)
    lines += ["", *_rows([("How sure", _founded(scenario))], width)]
    return "\n".join(lines) + "\n"


def number_lines(scenario: Scenario) -> str:
    """Return every number of a scenario on a line: its dotted path, value, range, distribution, unit and status."""
    lines = []
    for path, p in scenario.numbers.items():
        held = "" if p.low is None or p.distribution == "fixed" else f" ({p.low:g} to {p.high:g}, {p.distribution})"
        lines.append(f"{path} = {p.value:g}{held}{f' {p.unit}' if p.unit else ''} [{p.status}]")
    return "\n".join(lines) + "\n"


def _rows(told: list[tuple[str, str]], width: int) -> list[str]:
    """Return labels with texts beside them, or below them where lines are short; a label that comes again is not repeated."""
    lines, last = [], ""
    for label, text in told:
        beside, again = width >= NARROW, label == last
        if not beside and not again:
            lines.append(f"  {label}:")
        first, rest = (f"  {'' if again else label:<10}", " " * 12) if beside else ("    - " if again else "    ", "      ")
        lines += textwrap.wrap(text[:1].upper() + text[1:], width, initial_indent=first, subsequent_indent=rest)
        last = label
    return lines


def _intervention(scenario: Scenario, spec: Intervention) -> list[tuple[str, str]]:
    model = logic_models(scenario.only(spec.name))[0]
    told = [("What", spec.summary)] if spec.summary else []
    told += [
        ("What", f"{', '.join(spec.functions)}; by {', '.join(spec.policies)}. {_KIND_WORDS[spec.kind]}."),
        ("Who", f"{audience(spec.who)}."),
        ("Where", f"{neighbourhoods(scenario, spec)}."),
        ("When", _when(scenario, spec)),
        *[("How many", text) for text in _how_many(scenario, spec)],
        *[("Cost", text) for text in _costs(scenario, spec)],
        ("Evidence", _evidence(scenario, spec)),
        *[("Works by", line) for line in as_lines(model)],
    ]
    if spec.reason:
        told.append(("Because", f"{spec.reason} (a reason to go outside the Behaviour Change Wheel's matrix)"))
    return told


def _modifier(scenario: Scenario, modifier: Modifier) -> list[tuple[str, str]]:
    said = lambda name: stated(scenario.numbers[modifier.paths[name]])  # noqa: E731
    does = {
        "reach": "{} times as many offers and places", "ratio": "{} times the ratio of gains, most over least deprived fifth",
        "habit_share": "{} more of those who take part keep what they gained",
    }  # fmt: skip
    effects = [words.format(said(name)) for name, words in does.items() if name in modifier.paths]
    ramp = f"all of it {said('ramp_weeks')} weeks after its start"
    told = [("What", modifier.summary)] if modifier.summary else []
    told += [
        ("Does", f"{'; '.join(effects)}."),
        ("When", f"policy years {modifier.start_year} to {modifier.end_year}; {ramp}."),
    ]
    for cost in modifier.costs:
        paid = _payers(cost.payers)
        told.append(
            ("Cost", f"{stated(scenario.numbers[cost.path])} per {_UNIT_WORDS[cost.unit]}, before the programmes: {paid}.")
        )
    return told


def _rule(scenario: Scenario, rule: Rule) -> list[tuple[str, str]]:
    central = {path: p.value for path, p in scenario.numbers.items()}
    titles = {spec.name: spec.title for spec in scenario.interventions}
    value = lambda name: f"{rule.value(central, name):g}"  # noqa: E731
    where = f" in deciles {', '.join(map(str, rule.deciles))}" if rule.deciles else ""
    unit = "standard errors" if rule.measured_in == "standard_errors" else OUTCOMES[rule.outcome]
    end = f"its money goes to {titles[rule.move_to]}" if rule.move_to else "it ends"
    return [
        ("Pilot", f"{titles[rule.pilot]}, in {share(rule.value(central, 'share'))} of neighbourhoods{where}."),
        ("Survey", f"{value('respondents')} people aged {rule.ages[0]} to {rule.ages[1]} there, and as many in others like "
                   f"these, before and after {rule.years} years{', the same people' if rule.same_people else ''}."),
        ("Then", f"everywhere from {value('scale_up_from')} {unit}; below {value('stop_below')} {end}; else it stays as it is."),
    ]  # fmt: skip


def _when(scenario: Scenario, spec: Intervention) -> str:
    number_of = lambda name: scenario.numbers[spec.paths[name]]  # noqa: E731
    begun = {"people": "joining", "school": "joining", "place": "building"}[spec.kind]
    lag, ramp = number_of("lag_weeks"), number_of("ramp_weeks")
    first = f"first change {stated(lag)} weeks after {begun}" if lag.value > 0 else f"first change on {begun}"
    text = f"policy years {spec.start_year} to {spec.end_year}; {first}, all of it {stated(ramp)} weeks later."
    if spec.kind == "people":
        text += f" People take part for {stated(number_of('duration_weeks'))} weeks."
    if "habit_share" in spec.paths:
        text += f" {stated(number_of('habit_share'))} keep what they gained for good; of the rest half is gone "
        text += f"{stated(number_of('half_life_weeks'))} weeks after leaving."
    if "booster.every_weeks" in spec.paths:
        text += f" Those who left are met again every {stated(number_of('booster.every_weeks'))} weeks, which brings "
        text += f"{stated(number_of('booster.restores'))} of them back."
    if "wear_per_year" in spec.paths:
        text += f" Without upkeep {stated(number_of('wear_per_year'))} of it is lost a year."
    return text


def _how_many(scenario: Scenario, spec: Intervention) -> list[str]:
    values, found = scenario.ledger().central(), []
    step = {name: values[spec.paths[f"ladder.{name}"]] for name in LADDER[spec.kind]}
    if spec.kind == "people":
        counts, left = [], 1000.0
        for name, does in (("offered", "are offered it"), ("taken_up", "come"), ("adhering", "stay"), ("responding", "do more")):
            left *= step[name]
            counts.append(f"{number(float(f'{left:.2g}'))} {does}")
        found.append(f"of 1,000 people it is for, in a year: {', '.join(counts)}.")
    elif spec.kind == "school":
        willing = 100 * step["offered"] * step["taken_up"]
        text = f"of 100 schools {100 * step['offered']:.0f} are asked a year and {willing:.0f} of these are willing; "
        found.append(text + f"{share(step['adhering'])} of the pupils of a school that joins are reached.")
    else:
        found.append("everybody who lives where something was changed.")
    found.append(_limits(reach(scenario, spec)))
    if "raises_reach" in spec.paths:
        raised = stated(scenario.numbers[spec.paths["raises_reach"]])
        found.append(f"while they are in contact with it, people are {raised} times as likely to come to other programmes.")
    return [text for text in found if text]


def _limits(allowed: Reach) -> str:
    """Say what money and capacity allow in a year."""
    rounded = lambda value: number(float(f"{value:.2g}"))  # noqa: E731
    people = allowed.unit == "new participants"
    limits = [
        ("the money pays for up to {}", allowed.money),
        ("the workforce can take in {}" if people else "{} can be done", allowed.capacity),
    ]
    parts = [words.format(rounded(value)) for words, value in limits if value is not None]
    text = f"{allowed.unit} a year, per 1,000 residents of the place: {'; '.join(parts)}." if parts else ""
    if allowed.places is not None:
        text += f" Places a year, per 1,000 it is for: {rounded(allowed.places)}."
    return text.strip()


def _payers(payers: Mapping[str, float]) -> str:
    return ", ".join(f"{PAYERS[payer]} {share(part)}" for payer, part in payers.items())


def _costs(scenario: Scenario, spec: Intervention) -> list[str]:
    found = []
    for cost in spec.costs:
        p = scenario.numbers[cost.path]
        unit = _UNIT_WORDS.get(cost.unit) or ("person it is for, a year" if spec.kind == "people" else "resident served, once")
        found.append(f"{stated(p)} per {unit} [{p.status}]: {_payers(cost.payers)}.")
    parts = of_each_pound(scenario, spec)
    if len(spec.costs) > 1 and parts:
        what = "of each pound spent" if spec.kind == "people" else "of each pound spent on what is made"
        found.append(f"{what}: " + ", ".join(f"{PAYERS[payer]} {part * 100:.0f}p" for payer, part in parts.items()) + ".")
    return found


def _evidence(scenario: Scenario, spec: Intervention) -> str:
    effect, ratio = (scenario.numbers[spec.paths[name]] for name in ("effect", "ratio"))
    named = [each for each in spec.evidence if each != "none"]
    rests = f"It rests on {', '.join(named)}." if named else "It rests on no evidence that is named."
    return (
        f"{spec.trial.title}, {spec.trial.follow_up_weeks} weeks, run again inside the model. "
        f"The effect is {evidence_of(effect)}. Who gains is {evidence_of(ratio)}. {rests}"
    )


def _founded(scenario: Scenario) -> str:
    """Say how many of a scenario's own numbers were read, and how many are judgements."""
    own = [p for p in scenario.numbers.values() if p.unit != "quantile" and p.path != scenario.budget]
    # what all scenarios share is not this one's, and further findings are what it is compared with
    own = [p for p in own if not p.path.startswith("scenarios.baseline.") and p.group != "checks"]
    counts = Counter(p.status for p in own)
    words = ", ".join(f"{counts[status]} {status}" for status in STATUSES_OF_NUMBERS if counts[status])
    return f"of its {len(own)} numbers {words}. What is assumed is drawn from its range in every run."


def _timeline(scenario: Scenario, width: int) -> list[str]:
    """Draw the years in which each part of a scenario runs, a mark a year; say them where a line is short."""
    parts = [(m.title, m.start_year, m.end_year) for m in scenario.modifiers]
    parts += [(i.title, i.start_year, i.end_year) for i in scenario.interventions]
    years = max(10, max(end for _, _, end in parts))
    if width < NARROW or years + 40 > width:
        return [f"{title}: {start} to {end}" for title, start, end in parts]
    bars = ["".join("#" if start <= year <= end else "." for year in range(1, years + 1)) for _, start, end in parts]
    room = width - 13 - years
    return [f"{bar} {textwrap.shorten(title, room, placeholder='...')}" for bar, (title, _, _) in zip(bars, parts)]
