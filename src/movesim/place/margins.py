"""Margins: what is known about each neighbourhood before anybody is made up, in one table for every source."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from movesim.documents import Document

Floats = NDArray[np.float64]
# Ages in the fit: the bands of the census table cut where schools, classes and outcomes need a cut.
AGE_STARTS = (0, 5, 11, 16, 25, 35, 45, 50, 55, 65, 75, 85)
CENSUS_SIX = (0, 0, 0, 1, 2, 3, 3, 4, 4, 5, 5, 5)  # which of the six census bands holds each of them
ADULT_BANDS = 3  # the first band of people aged 16 or over
OLDEST = 104
SIZES = 8  # household sizes 1 to 7 and 8 or more
ENVIRONMENT = ("anti_social_behaviour", "connectivity", "outdoor_space", "facilities")


@dataclass(frozen=True)
class Margins:
    """One row per neighbourhood (g of them); counts are floats until `whole` makes them whole and consistent.

    residents, stands_for (how many neighbourhoods of the nation a made-up one represents), age (g, 12), sex (g, 2: male,
    female), ethnic_group (g, 5), disabled (g, 2: no, yes), ns_sec (g, 4: 1-2, 3-5, 6-8, student; people 16 or over),
    carers (g,), cars (g, 4: 0, 1, 2, 3 or more; households), household_size (g, 8), communal (g,) residents outside
    households, single_year (g, 105) relative numbers of each year of age, environment: four columns of (g,); and, where a table
    of the place has them, tenure (g, 4: owned outright, with a mortgage or shared, social, private or rent free; households)
    and employed (g,), residents of 16 or over in work. carers are NaN where they are drawn from associations. facts are
    further columns of (g,) for analysis (see surroundings), schools those of GIAS (see gias), local what a user
    says of neighbourhoods (see overrides), all empty where there are none.
    """

    name: str
    title: str
    local_authorities: tuple[str, ...]
    code: NDArray[np.str_]
    label: NDArray[np.str_]
    local_authority: NDArray[np.int16]
    imd_decile: NDArray[np.int8]
    residents: Floats
    stands_for: Floats
    age: Floats
    sex: Floats
    ethnic_group: Floats
    disabled: Floats
    ns_sec: Floats
    carers: Floats
    cars: Floats
    household_size: Floats
    communal: Floats
    single_year: Floats
    environment: dict[str, NDArray[np.float32]]
    notes: tuple[str, ...] = ()
    tenure: Floats | None = None
    employed: Floats | None = None
    facts: dict[str, Floats] = field(default_factory=dict)
    local: dict[str, Floats] = field(default_factory=dict)
    schools: dict[str, NDArray[Any]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.code)

    @property
    def total(self) -> float:
        """Residents of the whole place."""
        return float((self.residents * self.stands_for).sum())

    def fingerprint(self) -> str:
        """A hash of every number and name in the table."""
        digest = hashlib.blake2b(digest_size=12)
        for f in fields(self):
            value = getattr(self, f.name)
            for key, item in sorted(value.items()) if isinstance(value, dict) else [("", value)]:
                digest.update(f"{f.name}.{key}".encode())
                digest.update(np.ascontiguousarray(item).tobytes() if isinstance(item, np.ndarray) else repr(item).encode())
        return digest.hexdigest()

    def whole(self) -> Margins:
        """Return the same table with every count whole and every row of a table summing to its residents or adults."""
        residents = np.maximum(np.rint(self.residents), 1.0)
        # The census counts six bands of age: they are met first, the finer ones inside them.
        six = np.array(CENSUS_SIX)
        band = rounded(np.stack([self.age[:, six == b].sum(axis=1) for b in range(6)], axis=1), residents)
        age = np.concatenate([rounded(self.age[:, six == b], band[:, b]) for b in range(6)], axis=1)
        adults = age[:, ADULT_BANDS:].sum(axis=1)
        return replace(
            self,
            residents=residents,
            age=age,
            sex=rounded(self.sex, residents),
            ethnic_group=rounded(self.ethnic_group, residents),
            disabled=rounded(self.disabled, residents),
            ns_sec=rounded(self.ns_sec, adults),
            carers=np.rint(self.carers),
            communal=np.minimum(np.rint(self.communal), adults),
        )


def rounded(table: Floats, totals: Floats) -> Floats:
    """Scale each row to its total and round by largest remainders, so that rows are whole and sum exactly.

    A row of zeros with a total above zero is spread as the whole table is.
    """
    table = np.asarray(table, dtype=np.float64)
    sums = table.sum(axis=1)
    empty = (sums <= 0) & (totals > 0)
    if empty.any():
        table = table.copy()
        table[empty] = table.sum(axis=0) if table.sum() > 0 else 1.0
        sums = table.sum(axis=1)
    exact = table * (totals / np.where(sums > 0, sums, 1.0))[:, None]
    whole = np.floor(exact + 1e-9)
    short = np.rint(totals - whole.sum(axis=1)).astype(np.int64)
    order = np.argsort(-(exact - whole), axis=1, kind="stable")
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.arange(table.shape[1])[None, :].repeat(len(table), 0), axis=1)
    return whole + (rank < short[:, None])


def raked(seed: Floats, rows: Floats, columns: Floats, rounds: int = 60) -> Floats:
    """Fit a two-way table to its row and column totals (iterative proportional fitting)."""
    table = np.asarray(seed, dtype=np.float64).copy()
    for _ in range(rounds):
        table *= _ratio(rows, table.sum(axis=1))[:, None]
        table *= _ratio(columns, table.sum(axis=0))[None, :]
    return table


def _ratio(target: Floats, now: Floats) -> Floats:
    return np.divide(target, now, out=np.zeros_like(now, dtype=np.float64), where=now > 0)


def tilted(shares: Floats, means: Floats) -> Floats:
    """Tilt shares of household sizes exponentially until each row has its mean size; 8 or more counts as 9.

    The tilt is the smallest change (in relative entropy) that gives the mean.
    """
    size = mean_sizes()
    low, high = np.full(len(shares), -3.0), np.full(len(shares), 3.0)
    for _ in range(50):
        middle = (low + high) / 2
        out = shares * np.exp(middle[:, None] * (size - 2.4))
        out /= out.sum(axis=1, keepdims=True)
        above = out @ size > means
        high, low = np.where(above, middle, high), np.where(above, low, middle)
    return out


def mean_sizes() -> Floats:
    """Return how many people households of one to seven, and of eight or more, hold on average."""
    return np.array([1, 2, 3, 4, 5, 6, 7, associations().data["households"]["eight_or_more"]["value"]], dtype=np.float64)


def table(node: Any, rows: list[Any] | None = None) -> Floats:
    """Return the rows of a table in conf/place as an array, in the order of `rows` (or of the file)."""
    found = node["rows"]
    return np.array([found[r] for r in (rows if rows is not None else found)], dtype=np.float64)


@lru_cache(maxsize=1)
def associations() -> Document:
    """Return conf/place/associations.yaml: how characteristics go together, with sources and statuses."""
    from movesim.config import conf_folder, load_yaml

    return load_yaml(conf_folder() / "place" / "associations.yaml")


@lru_cache(maxsize=1)
def seeds() -> Document:
    """Return conf/place/seeds.yaml: published cross-tables that the joint fits begin from."""
    from movesim.config import conf_folder, load_yaml

    return load_yaml(conf_folder() / "place" / "seeds.yaml")


def single_years_from_bands(age: Floats) -> Floats:
    """Spread counts of the twelve age bands over single years 0 to 104: evenly, falling from 75 on."""
    ratio = associations().data["single_year"]
    from_75, from_90 = ratio["from_75_a_year"]["value"], ratio["from_90_a_year"]["value"]
    years = np.zeros((len(age), OLDEST + 1))
    for band, start in enumerate(AGE_STARTS):
        end = AGE_STARTS[band + 1] if band + 1 < len(AGE_STARTS) else OLDEST + 1
        at = np.arange(start, end)
        shape = np.where(at < 75, 1.0, from_75 ** np.minimum(at - 75.0, 15.0) * from_90 ** np.maximum(at - 90.0, 0.0))
        years[:, start:end] = age[:, band : band + 1] * shape / shape.sum()
    return years


def national_environment(decile: NDArray[np.int8]) -> dict[str, NDArray[np.float32]]:
    """Return the four neighbourhood indicators at their national value for the IMD decile."""
    known = associations().data["environment"]
    return {name: np.interp(decile, known[name]["at"], known[name]["values"]).astype(np.float32) for name in ENVIRONMENT}
