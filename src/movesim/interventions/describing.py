"""Numbers and queries in the words that people read."""

from __future__ import annotations

from collections.abc import Callable

from movesim.evidence import Parameter
from movesim.interventions.audience import COLUMNS, STATUS_LABELS
from movesim.interventions.scenario import Intervention, Scenario, Who

_COLUMN_WORDS = {
    "sex": "sex {}", "ethnic_group": "ethnic group {}", "ns_sec": "socio-economic class {}", "impairments": "{} impairments",
}  # fmt: skip


def number(value: float) -> str:
    """Return a number without digits that nobody needs: 12.5, 0.133, 36,000."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def share(value: float) -> str:
    """Return a share in per cent, with a decimal below one per cent."""
    return f"{value:.0%}" if value >= 0.01 or value == 0 else f"{value:.1%}"


def pounds(value: float) -> str:
    """Return money: £0.20, £15, £36,000, £1.0 million."""
    if value >= 999_500:
        return f"£{value / 1e6:,.1f} million"
    return f"£{value:,.2f}" if value < 10 and value != round(value) else f"£{value:,.0f}"


def spread(p: Parameter, what: str = "") -> str:
    """Return the range of a number in brackets after a space, nothing where it is fixed."""
    if p.low is None or p.high is None or p.distribution == "fixed":
        return ""
    form = _form(p)
    return f" ({what + ' ' if what else ''}{form(p.low)} to {form(p.high)})"


def stated(p: Parameter) -> str:
    """Return a number as people write it: shares in per cent, money in pounds, with its range."""
    return _form(p)(p.value) + spread(p)


def evidence_of(p: Parameter) -> str:
    """Return how well a number is founded: its status, grade and source."""
    parts = ([f"grade {p.grade}"] if p.grade else []) + (list(p.ids) or ([p.source] if p.source else []))
    return p.status + (f" ({', '.join(parts)})" if parts else "")


def _form(p: Parameter) -> Callable[[float], str]:
    if p.unit.startswith("share") or (p.least == 0 and p.most == 1):
        return share
    return pounds if p.unit.startswith("pounds") or p.path.endswith(".pounds") else number


def audience(who: Who) -> str:
    """Return whom a query means: "age 16 and over, inactive or fairly active"."""
    found = []
    if who.ages is not None:
        low, high = who.ages
        found.append(f"age {low} and over" if high >= 100 else f"age {low} to {high}")
    if who.status:
        found.append(" or ".join(STATUS_LABELS[s].lower() for s in who.status))
    for column, numbers in who.values.items():
        if column in COLUMNS:
            found.append(_COLUMN_WORDS[column].format(" or ".join(COLUMNS[column][n] for n in numbers)))
        else:
            yes = {"in_work": ("not in work", "in work"), "carer": ("not a carer", "giving unpaid care")}[column]
            found.append(yes[numbers[0]])
    if who.income_rank is not None:
        low_rank, high_rank = who.income_rank
        found.append(
            f"household income from the {share(low_rank)} to the {share(high_rank)} point of the nation's, poorest first"
        )
    if who.with_children is not None:
        found.append("with a child of 5 to 15 at home" if who.with_children else "without a child of 5 to 15 at home")
    return ", ".join(found) or "everybody"


def neighbourhoods(scenario: Scenario, spec: Intervention) -> str:
    """Return where an intervention works and how it is targeted."""
    where = spec.where
    inside = f" of {', '.join(where.local_authority)}" if where.local_authority else ""
    if where.targeting == "universal":
        return f"all neighbourhoods{inside}"
    if where.targeting == "targeted":
        leakage = stated(scenario.numbers[spec.paths["where.leakage"]])
        deciles = ", ".join(map(str, where.imd_decile))
        return (
            f"neighbourhoods{inside} in deprivation deciles {deciles} (1 is the most deprived); {leakage} of it ends up elsewhere"
        )
    gradient = stated(scenario.numbers[spec.paths["where.gradient"]])
    return f"all neighbourhoods{inside}, with {gradient} times as many places per resident in decile 1 as in decile 10"
