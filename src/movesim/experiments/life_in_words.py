"""A week of one person's life in words, line by line."""

from __future__ import annotations

import textwrap
from typing import Any

from movesim.behaviour.life import STATE, LifeWeek
from movesim.words import (
    ADULT_FROM,
    ADULT_LIMITS,
    CHILD_LIMITS,
    COMPONENTS,
    DOMAINS,
    ETHNIC_GROUPS,
    NS_SEC,
    STREAMS,
    WEEKS_A_YEAR,
)

WIDTH = 118
COMPONENT = {word.name: word.label.lower() for word in COMPONENTS} | {"motivation_automatic": "habit"}
DOMAIN = {word.name: word.label for word in DOMAINS}
STREAM = {number: name for name, number in STREAMS.items()}


def told_who(who: dict[str, Any]) -> str:
    """Return who somebody is, from words.PEOPLE of them."""
    child = who["age"] < ADULT_FROM
    impairments = who["impairments"]
    said = [
        f"{(('man', 'boy'), ('woman', 'girl'))[who['sex']][child]} of {who['age']}",
        ETHNIC_GROUPS[who["ethnic_group"]],
        f"{impairments or 'no'}{'+' if impairments == 3 else ''} impairment{'s' if impairments > 1 else ''}",
    ]
    if not child:
        scored = NS_SEC[who["ns_sec"]]
        said += [f"NS-SEC {scored}"] if scored != "not scored" else []
        said += [word for name, word in (("in_work", "in work"), ("carer", "a carer")) if who[name]]
        said += ["young children"] if who["young_children"] else []
    return "a " + ", ".join(said)


def told_week(week: LifeWeek) -> list[str]:
    """Return the lines that tell a week."""
    year, of_year = divmod(week.week, WEEKS_A_YEAR)
    period = f"week {of_year + 1} of year {year + 1}" if week.week >= 0 else "burn-in"
    at = week.values
    state = "; ".join(f"{COMPONENT[name]} {at['', name]:.3f}" for name in STATE)
    ties = f"{at['', 'ties_active']:.0f} of {at['', 'ties']:.0f} ties active, in England {at['', 'share_active_england']:.0%}"
    minutes = (
        f"{at['', 'minutes']:.1f} this week; mean of four weeks {_arrow(at['', 'minutes_before'], at['', 'minutes_after'], 1)}"
    )
    habits = (f"{_small(d).split(' (')[0]} {_arrow(at[d, 'habit'], at[d, 'habit_after'])}" for d in week.domains)
    lines = [f"Week {week.week} ({period}, school {'term' if week.term else 'holiday'})"]
    lines += _line("Before", f"{at['', 'minutes_before']:.1f} minutes a week in the last four; {state}")
    lines += _line("Plans", "; ".join(_added(week)))
    lines += _line("Company", f"{_moved(week, 'opportunity_social')} ({ties})")
    for name in week.domains:
        lines += _domain(week, name)
    lines += _line("Minutes", f"{minutes}: {_status(week)}")
    lines += _line("Fitness", _moved(week, "capability_physical"))
    lines += _line("Confidence", _moved(week, "capability_psychological"))
    lines += _line("Intention", _moved(week, "motivation_reflective"))
    return lines + _line("Habit", "; ".join(habits))


def _small(domain: str) -> str:
    """A domain's label inside a sentence; what is written in capitals stays so."""
    label = DOMAIN[domain]
    return label if label[:2].isupper() else label[0].lower() + label[1:]


def _line(label: str, said: str) -> list[str]:
    """A labelled line, or several; none where there is nothing to say."""
    return textwrap.wrap(said, WIDTH, initial_indent=f"  {label:<10}  ", subsequent_indent=" " * 14)


def _arrow(before: float, after: float, digits: int = 3) -> str:
    return f"{before:.{digits}f} -> {after:.{digits}f}"


def _status(week: LifeWeek) -> str:
    child = week.who["age"] < ADULT_FROM
    low, high = CHILD_LIMITS if child else ADULT_LIMITS
    minutes = week["", "minutes_after"]
    return ("less active" if child else "inactive", "fairly active", "active")[int(minutes >= low) + int(minutes >= high)]


def _moved(week: LifeWeek, name: str) -> str:
    """A component before and after, and what moved it, the strongest first."""
    terms = sorted(week.of(f"{name}_by_").items(), key=lambda item: -abs(item[1]))
    parts = ", ".join(f"{term.replace('_', '-')} {change:+.4f}" for term, change in terms)
    return f"{COMPONENT[name]} {_arrow(week['', name], week['', f'{name}_after'])}: {parts}"


def _added(week: LifeWeek) -> list[str]:
    """What interventions add this week, if anything."""
    at = week.values
    found = [(f"set-point of {COMPONENT[name]}", at["", f"{name}_shift"], " logit") for name in STATE]
    for d in week.domains:
        found += [(f"{word} of {_small(d)}", at[d, name], " logit") for name, word in _OF_DOMAINS]
    found += [(word, at["", name], unit) for name, word, unit in _OF_PLACES]
    return [f"{word} {x:+.3f}{unit}" for word, x, unit in found if x]


_PULL = {"taste_domain": "taste for it"}
_OF_DOMAINS = (("supply_shift", "supply"), ("opening", "access"), ("prompt", "prompt"))
_OF_PLACES = (
    ("offer_shift", "the school's offer", " in logs"), ("fte_shift", "community workforce", " per 1,000 residents"),
    ("likeness_shift", "its likeness", ""),
)  # fmt: skip


def _domain(week: LifeWeek, name: str) -> list[str]:
    at = {quantity: x for (domain, quantity), x in week.values.items() if domain == name}
    factors = ", ".join(f"{factor} {x:.2f}" for factor, x in week.of("access_", name).items())
    pulls = week.of("pull_", name)
    pull = ", ".join(f"{_PULL.get(part, part)} {x:+.2f}" for part, x in pulls.items() if x)
    held = min(("capability", "opportunity", "motivation"), key=at.__getitem__)
    best = max(COMPONENT, key=lambda component: at[f"with_{component}"])
    product = " x ".join(f"{word} {at[word]:.3f}" for word in ("capability", "opportunity", "motivation"))
    outcome = _done(at) if at["took_part"] else "not below it, so did not take part"
    said = (
        f"probability {at['probability']:.4f} = {product}",
        f"opportunity: supply {at['supply']:.2f}, access {at['access']:.2f}{f' ({factors})' if factors else ''}, "
        f"social opportunity {week['', 'opportunity_social_now']:.2f}",
        f"motivation: {sum(pulls.values()):+.2f} in logits: {pull}",
        f"drew {at['uniform']:.4f} ({_address(at, 'uniform')}): {outcome}",
        f"held back most by {held}; with {COMPONENT[best]} at 1 the probability would have risen most, "
        f"to {at[f'with_{best}']:.4f}",
    )
    return [f"  {DOMAIN[name]}", *(line for each in said for line in _line("", each))]


def _done(at: dict[str, float]) -> str:
    sessions = f"{at['sessions']:.0f} session{'s' if at['sessions'] > 1 else ''}"
    half = ("lower", "upper")[int(at["sessions_uniform_half"])]
    less = f", of which {at['minutes']:.1f} count beside the rest" if abs(at["minutes"] - at["minutes_alone"]) > 0.05 else ""
    return (
        f"below it, so took part; {sessions} (drew {at['sessions_uniform']:.4f}, {_address(at, 'sessions_uniform')}, {half} "
        f"half), {at['minutes_alone']:.1f} minutes (normal {at['minutes_normal']:+.3f}, {_address(at, 'minutes_normal')}){less}"
    )


def _address(at: dict[str, float], of: str) -> str:
    stream, index, word = (int(at[f"{of}_{part}"]) for part in ("stream", "index", "word"))
    return f"stream {stream} '{STREAM[stream]}', index {index}, word {word}"
