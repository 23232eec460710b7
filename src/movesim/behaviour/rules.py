"""The ledger's numbers as the arrays and coefficients that the weekly model reads, and the set-points of persons.

Everything here is written from determinants to components: who a person is and where they live gives set-points of
capability, opportunity and motivation; group differences that determinants do not explain are `residual` rows.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from movesim.config import conf_folder, load_yaml
from movesim.evidence import Ledger
from movesim.words import AGE_BANDS, DOMAIN, DOMAINS

F32 = np.float32
THRESHOLDS = 13  # at most 14 sessions a week
LOWEST = 0.01
BANDS = len(AGE_BANDS)


class Coefficients(NamedTuple):
    """Scalars of the weekly equations, in single precision."""

    w_R: np.float32
    w_H: np.float32
    keep_off: np.float32  # log(1 - gain a session)
    loss: np.float32
    k_P: np.float32
    d_P: np.float32
    k_Y: np.float32
    g_Y: np.float32
    k_S: np.float32
    w_peer: np.float32
    k_R: np.float32
    g_E: np.float32
    g_N: np.float32
    displacement: np.float32
    compensation: np.float32
    spread: np.float32


def _no_risk() -> NDArray[np.float32]:
    return np.ones((BANDS, 5), F32)


@dataclass(frozen=True)
class References:
    """What set-points are measured against: means by age band on place=england with the same parameter draw.

    Each array has shape (age bands,), in the order of words.AGE_BANDS: share of ties active, mastery, enjoyment and
    reflective motivation. `risk` (age bands, 5) is the mean relative risk of death by age band and IMD fifth, which only
    yearly demography reads.
    """

    peers: NDArray[np.float32]
    mastery: NDArray[np.float32]
    enjoyment: NDArray[np.float32]
    intention: NDArray[np.float32]
    risk: NDArray[np.float32] = field(default_factory=_no_risk)

    @classmethod
    def first_guess(cls) -> References:
        """Return plain starting values, used for the first week of the burn-in that measures the references."""
        flat = np.ones(BANDS, F32)
        return cls(flat * F32(0.6), flat * F32(0.5), flat * F32(0.4), flat * F32(0.6))

    @classmethod
    def of(cls, means: NDArray) -> References:
        """Return references from means of shape (4, age bands), with no risk of death measured yet."""
        peers, mastery, enjoyment, intention = means.astype(F32)
        return cls(peers, mastery, enjoyment, intention)

    @cached_property
    def stacked(self) -> NDArray[np.float32]:
        """The four arrays as one of shape (4, age bands)."""
        return np.stack([self.peers, self.mastery, self.enjoyment, self.intention]).astype(F32)

    def to_dict(self) -> dict[str, list[Any]]:
        return {name: getattr(self, name).tolist() for name in ("peers", "mastery", "enjoyment", "intention", "risk")}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> References:
        return cls(*(np.asarray(data[name], F32) for name in ("peers", "mastery", "enjoyment", "intention", "risk")))


@dataclass(frozen=True)
class Rules:
    """One draw of the behaviour model: `values` by ledger path, and what the kernel needs of them.

    `physical`, `opportunity` (6,): exponents a_d and b_d. `session_minutes` (6, 2): mean minutes a session of adults and
    children. `thresholds` (6, 13): cumulative Poisson probabilities of further sessions.
    """

    values: dict[str, float]
    coefficients: Coefficients
    physical: NDArray[np.float32]
    opportunity: NDArray[np.float32]
    session_minutes: NDArray[np.float32]
    thresholds: NDArray[np.float32]

    @cached_property
    def coefficient_array(self) -> NDArray[np.float32]:
        """The coefficients as one array, which is quicker to hand over than a tuple of numbers."""
        return np.array(self.coefficients, F32)

    def __getitem__(self, path: str) -> float:
        return self.values[path]


@lru_cache(maxsize=1)
def behaviour_ledger() -> Ledger:
    """Return the ledger of the behaviour model as shipped, before any fit, with yearly demography's numbers at its end."""
    document = load_yaml(conf_folder() / "behaviour" / "default.yaml")
    return Ledger.from_mapping(document.data, "", document.where) | demography_ledger()


@lru_cache(maxsize=1)
def demography_ledger() -> Ledger:
    """Return the numbers of yearly demography; its tables are read by mortality.tables."""
    document = load_yaml(conf_folder() / "behaviour" / "demography.yaml")
    return Ledger.from_mapping(document.data, "", document.where)


def make_rules(values: Mapping[str, float]) -> Rules:
    """Return the rules of one parameter draw, given a value for every path of the behaviour ledger."""
    v = dict(values)
    per_domain = lambda name: np.array([v[f"domains.{d.name}.{name}"] for d in DOMAINS])  # noqa: E731
    c = Coefficients(
        *map(
            F32,
            (
                v["motivation.reflective"], v["motivation.habit"], math.log1p(-v["habit.gain"]), v["habit.loss"],
                v["capability.fitness_rate"], v["capability.fitness_loss"], v["capability.confidence_rate"],
                v["capability.mastery"], v["opportunity.social_rate"], v["opportunity.peers"], v["intention.rate"],
                v["intention.enjoyment"], v["intention.norms"], v["minutes.displacement"], v["minutes.compensation"],
                v["minutes.spread"],
            ),
        )
    )  # fmt: skip
    minutes = per_domain("minutes")
    further = per_domain("sessions")
    return Rules(
        v, c, per_domain("physical").astype(F32), per_domain("opportunity").astype(F32),
        np.stack([minutes * v["minutes.scale"], minutes * v["minutes.child_scale"]], axis=1).astype(F32),
        np.stack([_poisson_steps(mean) for mean in further]),
    )  # fmt: skip


def _poisson_steps(mean: float) -> NDArray[np.float32]:
    """Return P(N <= k) for k = 0..12: the number of steps below a uniform is the number of further sessions."""
    term, total, steps = math.exp(-mean), 0.0, []
    for k in range(THRESHOLDS):
        total += term
        steps.append(total)
        term *= mean / (k + 1)
    return np.array(steps, F32)


# --- neighbourhoods -------------------------------------------------------------------------------------------------
def supply(rules: Rules, neighbourhoods: Mapping[str, NDArray]) -> NDArray[np.float64]:
    """Return baseline supply E_nd in [0.01, 1], shape (6, neighbourhoods): national supply times its indicators."""
    v = rules.values
    out = np.empty((len(DOMAINS), neighbourhoods["imd_decile"].size))
    indicators = {
        "leisure_walk": "outdoor_space", "play": "outdoor_space", "travel_walk": "connectivity", "sport": "facilities",
    }  # fmt: skip
    for name, d in DOMAIN.items():
        factor: NDArray | float = 1.0
        if name in indicators:
            indicator = indicators[name]
            relative = np.maximum(neighbourhoods[indicator].astype(np.float64), 1e-6) / v[f"opportunity.{indicator}_median"]
            factor = relative ** v[f"opportunity.{indicator}"]
        if name in ("leisure_walk", "play") and "park_distance" in neighbourhoods:
            away = neighbourhoods["park_distance"].astype(np.float64)
            relative = np.where(np.isnan(away), 1.0, np.maximum(away, 1.0) / v["opportunity.park_distance_median"])
            factor = factor * relative ** -v["opportunity.park_distance"]
        factor = factor * neighbourhoods.get(f"supply_{name}", 1.0)
        out[d] = np.clip(v[f"domains.{name}.supply"] * factor, LOWEST, 1.0)
    return out


def fear(rules: Rules, neighbourhoods: Mapping[str, NDArray]) -> NDArray[np.float64]:
    """Return fear per neighbourhood: what it takes (in logs) from a man of working age who walks, cycles or plays there."""
    v = rules.values
    relative = np.maximum(neighbourhoods["anti_social_behaviour"].astype(np.float64), 0.1)
    return (
        v["opportunity.fear"]
        * (relative / v["opportunity.anti_social_behaviour_median"]) ** v["opportunity.anti_social_behaviour"]
    )


# --- persons --------------------------------------------------------------------------------------------------------
def deprivation(decile: NDArray) -> NDArray[np.float64]:
    """Return deprivation from -1 (least deprived tenth) to +1 (most deprived tenth)."""
    return (5.5 - decile.astype(np.float64)) / 4.5


# --- workforce ------------------------------------------------------------------------------------------------------
def presence(rules: Rules, fte: NDArray | float) -> NDArray | float:
    """Return presence of the community workforce, 0 to 1, for FTE per 1,000 residents."""
    return np.minimum(1.0, np.maximum(fte, 0.0) / rules["workforce.full"])


def trust_at_rest(rules: Rules, fte: NDArray | float) -> NDArray | float:
    """Return the trust at which growth and loss balance for a workforce that stays as it is."""
    here = presence(rules, fte)
    up, down = (
        rules["workforce.trust_gain"] * here,
        rules["workforce.trust_gain"] * rules["workforce.trust_loss_ratio"] * (1 - here),
    )
    return up / (up + down)


def trust_next(rules: Rules, trust: NDArray, fte: NDArray) -> NDArray:
    """Return trust after one more week with this workforce."""
    here = presence(rules, fte)
    up = rules["workforce.trust_gain"]
    return trust + up * here * (1 - trust) - up * rules["workforce.trust_loss_ratio"] * (1 - here) * trust
