"""The evidence ledger: every number the model uses, with its distribution, unit, source, grade and status.

A *number with evidence* is a YAML mapping with the key `value`. Its `low` and `high` are the 5th and 95th percentiles,
except for `uniform` and `triangular`, where they are the ends. A draw of the ledger gives every number its own uniform,
keyed by the number's dotted path, so that adding a number leaves all others as they were.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from movesim.errors import InputError, did_you_mean, one_of
from movesim.words import DISTRIBUTIONS, STATUSES_OF_NUMBERS

if TYPE_CHECKING:
    import pandas as pd

_KEYS = ("value", "distribution", "low", "high", "unit", "status", "grade", "source", "ids", "meaning", "group")
_Z95 = 1.6448536269514722


@dataclass(frozen=True)
class Parameter:
    """A number with its evidence.

    `value` is the central value; `low` and `high` bound it (see the module's first lines); `group` names the set it belongs
    to in sensitivity analysis (capability, opportunity, motivation, persistence, reach, costs, ...).
    """

    path: str
    value: float
    distribution: str = "fixed"
    low: float | None = None
    high: float | None = None
    unit: str = ""
    status: str = "assumed"
    grade: str = ""
    source: str = ""
    ids: tuple[str, ...] = ()
    meaning: str = ""
    group: str = ""
    least: float | None = None  # what it can never be below, and above
    most: float | None = None

    def quantile(self, u: float) -> float:
        """Return the value at cumulative probability `u` in (0, 1).

        >>> Parameter("x", 2.0, "uniform", 1.0, 3.0).quantile(0.25)
        1.5
        """
        if self.distribution == "fixed" or self.low is None or self.high is None:
            return self.value
        if self.distribution == "uniform":
            return self.low + u * (self.high - self.low)
        from scipy import stats

        if self.distribution == "triangular":
            width = self.high - self.low
            return float(stats.triang.ppf(u, (self.value - self.low) / width, self.low, width))
        z = float(stats.norm.ppf(u))
        if self.distribution == "normal":
            return self.value + z * (self.high - self.low) / (2 * _Z95)
        if self.distribution == "two_piece_normal":
            side = (self.high - self.value) if z > 0 else (self.value - self.low)
            return self.value + z * side / _Z95
        if self.distribution == "lognormal":
            return math.exp(math.log(self.value) + z * math.log(self.high / self.low) / (2 * _Z95))
        a, b = _beta_shape(self.value, self.low, self.high)
        return float(stats.beta.ppf(u, a, b))


@lru_cache(maxsize=4096)
def _beta_shape(value: float, low: float, high: float) -> tuple[float, float]:
    """Return the beta distribution with mean `value` whose 5-95% width is as close as can be to high - low."""
    from scipy import optimize, stats

    def miss(log_size: float) -> float:
        size = math.exp(log_size)
        a, b = value * size, (1 - value) * size
        return float(stats.beta.ppf(0.95, a, b) - stats.beta.ppf(0.05, a, b)) - (high - low)

    if miss(0.0) < 0:  # wider than a beta of size 1 can be: take that one
        return value, 1 - value
    if miss(12.0) > 0:
        return value * math.exp(12.0), (1 - value) * math.exp(12.0)
    size = math.exp(float(optimize.brentq(miss, 0.0, 12.0, xtol=1e-4)))
    return value * size, (1 - value) * size


def is_number_with_evidence(node: object) -> bool:
    """Tell whether a YAML node is a number with evidence."""
    return isinstance(node, Mapping) and "value" in node


def parse(path: str, node: Mapping[str, Any], where: str = "") -> Parameter:
    """Return the parameter that a YAML mapping states; raise InputError with `where` when it is not one."""
    at = f"{where}: " if where else ""
    for name in node:
        if name not in _KEYS:
            raise InputError(f"{at}'{path}' has an unknown key '{name}'.{did_you_mean(name, _KEYS)}")
    value = _number(node["value"], path, "value", at)
    distribution = str(node.get("distribution", "fixed"))
    if distribution not in DISTRIBUTIONS:
        raise InputError(
            f"{at}'{path}' has the distribution '{distribution}'; it must be {one_of(DISTRIBUTIONS)}."
            f"{did_you_mean(distribution, DISTRIBUTIONS)}"
        )
    low = _number(node["low"], path, "low", at) if "low" in node else None
    high = _number(node["high"], path, "high", at) if "high" in node else None
    if distribution != "fixed":
        if low is None or high is None:
            raise InputError(f"{at}'{path}' is {distribution} and needs both low and high.")
        if not low <= value <= high or low == high:
            raise InputError(f"{at}'{path}' must have low <= value <= high with low < high, got {low}, {value}, {high}.")
        if distribution == "lognormal" and low <= 0:
            raise InputError(f"{at}'{path}' is lognormal, so low must be above 0, got {low}.")
        if distribution == "beta" and not 0 < value < 1:
            raise InputError(f"{at}'{path}' is beta, so its value must lie between 0 and 1, got {value}.")
    status = str(node.get("status", ""))
    if status not in STATUSES_OF_NUMBERS:
        raise InputError(
            f"{at}'{path}' has the status '{status}'; it must be {one_of(STATUSES_OF_NUMBERS)}."
            f"{did_you_mean(status, STATUSES_OF_NUMBERS)}"
        )
    ids = node.get("ids", ())
    ids = tuple(str(i) for i in ([ids] if isinstance(ids, str) else ids))
    if status == "read" and not ids and not node.get("source"):
        raise InputError(f"{at}'{path}' is marked 'read' but names no source; give ids or source, or mark it 'assumed'.")
    return Parameter(
        path, value, distribution, low, high, str(node.get("unit", "")), status, str(node.get("grade", "")),
        str(node.get("source", "")), ids, str(node.get("meaning", "")), str(node.get("group", "")),
    )  # fmt: skip


def _number(value: object, path: str, name: str, at: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise InputError(f"{at}'{path}' has {name} {value!r}; it must be a number.")
    return float(value)


@dataclass(frozen=True)
class Ledger(Mapping[str, Parameter]):
    """An ordered set of parameters by dotted path."""

    parameters: dict[str, Parameter] = field(default_factory=dict)

    def __getitem__(self, path: str) -> Parameter:
        if path not in self.parameters:
            raise InputError(f"There is no number called '{path}'.{did_you_mean(path, self.parameters)}")
        return self.parameters[path]

    def __contains__(self, path: object) -> bool:
        return path in self.parameters

    def __iter__(self) -> Iterator[str]:
        return iter(self.parameters)

    def __len__(self) -> int:
        return len(self.parameters)

    def __or__(self, other: Ledger) -> Ledger:
        return Ledger({**self.parameters, **other.parameters})

    @classmethod
    def from_mapping(
        cls, data: Mapping[str, Any], prefix: str = "", where: Callable[[tuple[Any, ...]], str] | None = None
    ) -> Ledger:
        """Collect every number with evidence in a nested mapping; `where(keys)` tells file, line and column for errors."""
        found: dict[str, Parameter] = {}

        def walk(node: Any, keys: tuple[Any, ...]) -> None:
            if is_number_with_evidence(node):
                path = ".".join([prefix, *map(str, keys)] if prefix else map(str, keys))
                found[path] = parse(path, node, where(keys) if where else "")
            elif isinstance(node, Mapping):
                for name, child in node.items():
                    walk(child, (*keys, name))
            elif isinstance(node, list):
                for number, child in enumerate(node):
                    name = child.get("name", number) if isinstance(child, Mapping) else number
                    walk(child, (*keys, name))

        walk(data, ())
        return cls(found)

    def with_values(self, values: Mapping[str, float], status: str = "assumed", source: str = "set by the user") -> Ledger:
        """Return a ledger in which the named numbers are fixed at the given values."""
        changed = dict(self.parameters)
        for path, value in values.items():
            least, most = self[path].least, self[path].most
            if (least is not None and value < least) or (most is not None and value > most):
                end = f"below {least:g}" if least is not None and value < least else f"above {most:g}"
                raise InputError(f"{path} must not be {end}, got {value:g}.")
            changed[path] = replace(
                self[path], value=float(value), distribution="fixed", low=None, high=None, status=status, source=source
            )
        return Ledger(changed)

    def central(self) -> dict[str, float]:
        """Return the central value of every number."""
        return {path: p.value for path, p in self.parameters.items()}

    def draw(self, seed: int, draw: int) -> dict[str, float]:
        """Return draw number `draw` of every number, independent of all others and of the order of the ledger."""
        from movesim import draws

        ids = [draws.hash_id(path) for path in self.parameters]
        if not ids:
            return {}
        u = draws.uniform(ids, draw, "parameter", draws.key(seed, "parameters"))
        return {path: p.quantile(float(u[i])) for i, (path, p) in enumerate(self.parameters.items())}

    def to_frame(self) -> pd.DataFrame:
        """Return the ledger as a table, one row a number."""
        import pandas as pd

        rows = [
            {
                "path": p.path, "meaning": p.meaning, "value": p.value,
                "low": p.value if p.low is None else p.low, "high": p.value if p.high is None else p.high,
                "distribution": p.distribution, "unit": p.unit, "status": p.status, "grade": p.grade, "source": p.source,
                "ids": ";".join(p.ids), "group": p.group,
            }
            for p in self.parameters.values()
        ]  # fmt: skip
        return pd.DataFrame(rows)
