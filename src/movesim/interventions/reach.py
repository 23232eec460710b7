"""How many an intervention could reach in a year, worked out from its central numbers alone, without a place or a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from movesim.interventions.scenario import Intervention, Scenario


@dataclass(frozen=True)
class Reach:
    """What money and capacity allow in a year, in `unit`s per 1,000 residents of the place (None: no such limit).

    Of a place these are residents newly served, of a school its pupils, of people those who start. `places` is a capacity per
    1,000 of those it is for.
    """

    unit: str
    money: float | None
    capacity: float | None
    places: float | None = None


def reach(scenario: Scenario, spec: Intervention) -> Reach:
    """Return how many residents in 1,000 the money and the capacity of an intervention allow in a year.

    Central numbers; what a place holds, who comes, upkeep, boosters and a cost per resident of the audience are left out, so
    money is an upper bound.
    """
    values = scenario.ledger().central()
    before = sum(values[cost.path] for modifier in scenario.modifiers for cost in modifier.costs)
    budget = 1000 * max(0.0, scenario.pounds_per_resident(values) - before) * scenario.shares[spec.name]
    price = {cost.unit: values[cost.path] for cost in spec.costs}
    bound = lambda name: values[spec.paths[name]] if name in spec.paths else None  # noqa: E731
    if spec.kind == "school":
        return Reach("pupils", _per(budget, price.get("pupil_year")), None)
    if spec.kind == "place" and spec.zone:
        return Reach("residents served", _per(budget, price.get("resident")), bound("capacity.residents_per_1000"))
    if spec.kind == "place":
        served = 1000 / values[spec.paths["route.km_per_1000"]] if values[spec.paths["route.km_per_1000"]] > 0 else 0.0
        km, built = _per(budget, price.get("km")), bound("capacity.km_per_100000")
        return Reach("residents served", None if km is None else km * served, None if built is None else built / 100 * served)
    one, fte = _start(spec, values, price), bound("workforce.fte_per_1000")
    workforce = None if fte is None else fte * values[spec.paths["capacity.starts_per_fte"]]
    return Reach("new participants", _per(budget, one), workforce, bound("capacity.starts_per_1000"))


def of_each_pound(scenario: Scenario, spec: Intervention) -> dict[str, float]:
    """Return what each payer gives of a pound spent, most first: of starts, of what is built, or of pupils' years.

    Upkeep, boosters and costs per resident of the audience depend on the run; with any of them only the rest is shared out.
    """
    values = scenario.ledger().central()
    pounds: dict[str, float] = {}
    for cost in spec.costs:
        units = 1.0
        if cost.unit == "fte_year":
            starts = values[spec.paths["capacity.starts_per_fte"]]
            units = 1 / starts if starts > 0 else 0.0
        recurring = cost.unit in ("km_year", "resident_year", "booster") or (cost.unit == "resident" and spec.kind == "people")
        if recurring and len(spec.costs) > 1:
            units = 0.0
        for payer, part in cost.payers.items():
            pounds[payer] = pounds.get(payer, 0.0) + units * part * values[cost.path]
    total = sum(pounds.values())
    return {p: x / total for p, x in sorted(pounds.items(), key=lambda each: -each[1]) if x > 0} if total > 0 else {}


def _start(spec: Intervention, values: Mapping[str, float], price: Mapping[str, float]) -> float:
    """Return what it costs that one more person starts, their part of the workforce included."""
    one = price.get("participant", 0.0)
    if spec.has_workforce and (starts := values[spec.paths["capacity.starts_per_fte"]]) > 0:
        one += price.get("fte_year", 0.0) / starts
    return one


def _per(budget: float, price: float | None) -> float | None:
    return budget / price if price else None
