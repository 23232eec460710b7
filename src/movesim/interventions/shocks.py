"""Shocks: what strikes every run of a study alike, no change included. A pandemic, a squeeze on households, cuts to budgets.

A shock is a file, scenarios/shocks/NAME.yaml: when it begins, how fast it comes, how long it holds, how long it takes to pass,
and what it does while it is there. Once it has passed nothing is left of it but what people and places have made of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from movesim.config import load_yaml, shock_files, shown
from movesim.documents import Document
from movesim.errors import InputError, did_you_mean, one_of
from movesim.evidence import Ledger, Parameter
from movesim.interventions.reading import IDENTIFIER, Layer, Node
from movesim.words import DOMAIN, RECORD_EVERY, WEEKS_A_YEAR

_TIMES = ("start_year", "ramp_weeks", "weeks", "recovery_weeks")
# What a shock may do: the array of behaviour.Shifts for a component; a share that it takes; a ratio by which it multiplies.
COMPONENTS = {
    "capability_physical": "P", "capability_psychological": "Y", "opportunity_social": "S", "motivation_reflective": "R",
}  # fmt: skip
SHARES = {
    "school_offer": "of active minutes that schools offer", "money": "of every scenario's money",
    "workforce": "of today's community workforce",
}  # fmt: skip
RATIOS = {"price": "what price takes from sport", "fear": "what fear takes from walking, cycling and play"}
EFFECTS = ("closes", *COMPONENTS, *RATIOS, *SHARES)


@dataclass(frozen=True)
class Shock:
    """A shock as its file states it; `paths` leads from a field ("closes.sport", "start_year") to its number in the ledger."""

    name: str
    title: str
    summary: str
    path: Path
    paths: Mapping[str, str]
    numbers: Mapping[str, Parameter]
    contents: Mapping[str, Any]

    def ledger(self) -> Ledger:
        """Return every number of the shock by dotted path: `shocks.pandemic.weeks`."""
        return Ledger(dict(self.numbers))

    def strike(self, values: Mapping[str, float]) -> Strike:
        """Return the shock as it strikes under drawn numbers."""
        own = {name: values[path] for name, path in self.paths.items()}
        first = (own.pop("start_year") - 1) * WEEKS_A_YEAR
        ramp, holds, recovery = own.pop("ramp_weeks"), own.pop("weeks"), own.pop("recovery_weeks")
        return Strike(self.name, first, ramp, holds, recovery, own)


@dataclass(frozen=True)
class Strike:
    """A shock with its numbers drawn: its first week, how many weeks it rises, holds and passes, and what it does at its height.

    `does` is by field of the file: "closes.sport" and the other shares from 0 to 1, components in logits, price and fear ratios.
    """

    name: str
    first: float
    ramp: float
    holds: float
    recovery: float
    does: Mapping[str, float]

    def depth(self, week: int) -> float:
        """Return how much of the shock is there in the four weeks that begin now, 0 to 1: that of their middle."""
        since = week + RECORD_EVERY / 2 - self.first
        if since < 0:
            return 0.0
        risen = 1.0 if since >= self.ramp else since / self.ramp
        past = since - self.ramp - self.holds
        if past <= 0:
            return risen
        return 0.0 if past >= self.recovery else 1.0 - past / self.recovery

    def of_year(self, week: int) -> float:
        """Return the mean depth over the year that begins now."""
        weeks = range(week, week + WEEKS_A_YEAR, RECORD_EVERY)
        return sum(map(self.depth, weeks)) / len(weeks)


def list_shocks() -> tuple[str, ...]:
    """Return the names of all shocks, movesim's own and those in ./scenarios/shocks.

    >>> "pandemic" in list_shocks()
    True
    """
    return tuple(shock_files())


def load_shock(name_or_path: str | Path) -> Shock:
    """Read and check a shock by its name or by the path of its file.

    Raises InputError, one sentence with file, line and column, for whatever is wrong with it.
    """
    text = str(name_or_path)
    if isinstance(name_or_path, Path) or text.endswith((".yaml", ".yml")) or "/" in text:
        return _shock(load_yaml(name_or_path))
    files = shock_files()
    if text not in files:
        raise InputError(f"There is no shock called '{text}'.{did_you_mean(text, files)} Known: {one_of(files)}.")
    return _shock(load_yaml(files[text]))


def _shock(document: Document) -> Shock:
    name = document.path.stem
    if not IDENTIFIER.fullmatch(name):
        raise InputError(
            f"{shown(document.path)}: a shock is called by its file, so the file's name must be small letters, digits and "
            f"underscores, beginning with a letter; rename '{name}'."
        )
    numbers: dict[str, Parameter] = {}
    top = Node((Layer(document, (), f"shocks.{name}"),), document.data, (), numbers)
    top.only(("title", "summary", *_TIMES, "does"), ("title", "summary", *_TIMES, "does"), "a shock")
    paths = {time: top.number(time, 1.0 if time == "start_year" else 0.0, None, "shock") for time in _TIMES}
    does = top.child("does")
    does.only(EFFECTS, (), "'does'")
    if not does.data:
        raise top.error(f"'does' must name what the shock does: {one_of(EFFECTS)}.", "does")
    if "closes" in does:
        closes = does.child("closes")
        closes.only(DOMAIN, (), "'closes'")
        for domain in closes.data:
            paths[f"closes.{domain}"] = closes.number(domain, 0.0, 1.0, "shock")
    for effect in does.data:
        if effect in COMPONENTS:
            paths[effect] = does.number(effect, None, None, "shock")
        elif effect in RATIOS:
            paths[effect] = does.number(effect, 0.0, None, "shock")
        elif effect in SHARES:
            paths[effect] = does.number(effect, 0.0, 1.0, "shock")
    contents = {p.path: [p.value, p.distribution, p.low, p.high] for p in numbers.values()}
    return Shock(name, top.text("title"), top.text("summary"), document.path, paths, numbers, contents)
