"""What a validation row asks of a run.

`ESTIMATORS` names every question. Each takes a row's query and what was seen, and returns one number.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from movesim.experiments.moments import Moment, Query, Seen
from movesim.experiments.who import weight_of
from movesim.words import ADULT_FROM, ADULT_LIMITS, DOMAIN, TIE_KINDS

MOST_SESSIONS = 20  # in four weeks: "five times a week" is the most that is asked
PARTNERS_APART = 15  # years of age between two adults of a household who are taken to be partners
GENERATION = 18  # and from which on the older is taken to be the younger one's parent


# --- statistics -------------------------------------------------------------------------------------------------------
def odds(share: float) -> float:
    """Return odds, kept finite."""
    share = min(max(share, 1e-6), 1 - 1e-6)
    return share / (1 - share)


def correlation(x: NDArray, y: NDArray, weight: NDArray) -> float:
    """Return the weighted correlation of two columns; 0 where one of them does not vary."""
    x, y = x - np.average(x, weights=weight), y - np.average(y, weights=weight)
    size = np.sqrt((weight * x * x).sum() * (weight * y * y).sum())
    return float((weight * x * y).sum() / size) if size > 0 else 0.0


def ranks(x: NDArray) -> NDArray[np.float64]:
    """Return mid-ranks."""
    from scipy.stats import rankdata

    return np.asarray(rankdata(x), np.float64)


def kappa_of(x: NDArray, y: NDArray, weight: NDArray) -> float:
    """Return Cohen's kappa of two yes-or-no columns."""
    p, q = np.average(x, weights=weight), np.average(y, weights=weight)
    agree, chance = np.average(x == y, weights=weight), p * q + (1 - p) * (1 - q)
    return float((agree - chance) / (1 - chance)) if chance < 1 else 0.0


def odds_ratio_of(x: NDArray, y: NDArray, weight: NDArray) -> float:
    """Return the odds ratio of y with x against y without x; half a person's weight is added to each of the four."""
    cells = [float(weight[(x == a) & (y == b)].sum()) for a in (True, False) for b in (True, False)]
    yes_yes, yes_no, no_yes, no_no = (c + 0.5 * float(weight.mean()) for c in cells)
    return yes_yes * no_no / (yes_no * no_yes)


# --- questions about week 0 -------------------------------------------------------------------------------------------
def share(q: Query, seen: Seen) -> float:
    return seen.share(q["who"], q["outcome"])


def odds_ratio(q: Query, seen: Seen) -> float:
    return odds(seen.share(q["who"], q["outcome"])) / odds(seen.share(q["against"], q["outcome"]))


def percentile(q: Query, seen: Seen) -> float:
    """Return a percentile of a group's weekly minutes, over four weeks."""
    weight = weight_of(seen.people, q["who"])
    order = np.argsort(seen.start.minutes)
    at = np.searchsorted(np.cumsum(weight[order]) / weight.sum(), q["percentile"] / 100)
    return float(seen.start.minutes[order][at])


def against_england(q: Query, seen: Seen) -> float:
    """Return England's published level moved by the group's odds against people of the same ages in the England of the model."""
    assert seen.england is not None
    ages = {key: value for key, value in q["who"].items() if key == "age"}
    ratio = odds(seen.share(q["who"], q["outcome"])) / odds(seen.england.share(ages, q["outcome"]))
    moved = odds(q["england"]) * ratio
    return moved / (1 + moved)


def expected_doing(q: Query, seen: Seen, who: Query) -> float:
    """Return the share of a group expected to do domains at least so many times in some weeks.

    From each person's chance of a week with a domain and its mean of further sessions in such a week (MODEL section 4).
    """
    from scipy.stats import binom, poisson

    weight, weeks, run = weight_of(seen.people, who), int(q.get("weeks", 4)), seen.simulation
    rows = np.flatnonzero(weight)
    total = np.zeros((MOST_SESSIONS + 1, rows.size))
    total[0] = 1.0  # the last place holds that many or more
    for name in q["domains"]:
        p = np.exp(run.readiness((DOMAIN[name],), rows).astype(np.float64))
        further = run.rules[f"domains.{name}.sessions"]
        one = np.zeros_like(total)
        for active in range(weeks + 1):
            counts = np.arange(MOST_SESSIONS + 1)
            of = poisson.pmf(counts - active, active * further) if active else (counts == 0).astype(float)
            of[-1] += max(0.0, 1.0 - of.sum())
            one += of[:, None] * binom.pmf(active, weeks, p)
        both = np.zeros_like(total)
        for i in range(MOST_SESSIONS + 1):
            both[i:] += total[i] * one[: MOST_SESSIONS + 1 - i]
        both[-1] += np.maximum(0.0, 1.0 - both.sum(axis=0))
        total = both
    return float(np.average(total[q["at_least"] :].sum(axis=0), weights=weight[rows]))


def does(q: Query, seen: Seen) -> float:
    return expected_doing(q, seen, q["who"])


def does_against(q: Query, seen: Seen) -> float:
    return odds(expected_doing(q, seen, q["who"])) / odds(expected_doing(q, seen, q["against"]))


def change_by_age(q: Query, seen: Seen) -> float:
    """Return by what share mean minutes change with a year of age."""
    weight, people = weight_of(seen.people, q["who"]), seen.people
    ages = np.arange(q["who"]["age"][0], q["who"]["age"][1] + 1)
    of = [weight * (people.age == a) for a in ages]
    means = np.array([w @ seen.start.minutes / w.sum() for w in of])
    return float(np.polyfit(ages, np.log(means), 1, w=np.sqrt([w.sum() for w in of]))[0])


def _pairs(kind: str, seen: Seen, who: Query) -> tuple[NDArray, NDArray, NDArray]:
    """Return (rows, their value, the other's value): logarithms of minutes of people and of those they are tied to."""
    people, minutes = seen.people, np.log1p(seen.start.minutes)
    n = people.n
    ties, kinds, age, sex = people.ties[:n], people.tie_kind[:n], people.age, people.sex
    mine = np.flatnonzero(weight_of(people, who) > 0)
    there = (ties[mine] < n) & (kinds[mine] == TIE_KINDS.index("class" if kind == "friends" else "household"))
    other = np.where(there, ties[mine], 0)
    apart, adults = age[mine][:, None] - age[other], (age[mine][:, None] >= ADULT_FROM) & (age[other] >= ADULT_FROM)
    if kind == "partners":
        good = there & adults & (np.abs(apart) <= PARTNERS_APART) & (sex[mine][:, None] == 0) & (sex[other] == 1)
    elif kind == "parent_child":
        good = there & (age[mine][:, None] < ADULT_FROM) & (age[mine][:, None] >= 5) & (apart <= -GENERATION)
    else:
        good = there & (sex[mine][:, None] == sex[other])
    some = good.any(axis=1)
    mean = np.where(good, minutes[other], 0).sum(axis=1)[some] / good[some].sum(axis=1)
    return mine[some], minutes[mine[some]], mean


def alike(q: Query, seen: Seen) -> float:
    rows, mine, theirs = _pairs(q["ties"], seen, q.get("who", {}))
    return correlation(mine, theirs, seen.people.weight[rows])


def alike_odds(q: Query, seen: Seen) -> float:
    rows, mine, theirs = _pairs(q["ties"], seen, q.get("who", {}))
    line = np.log1p(ADULT_LIMITS[1])
    return odds_ratio_of(mine >= line, theirs >= line, seen.people.weight[rows])


def habit(q: Query, seen: Seen) -> float:
    """Return the correlation of habit with the minutes of its domain, mean of adults' four domains."""
    people, weight = seen.people, weight_of(seen.people, q["who"])
    n = people.n
    of = [correlation(people.H[d, :n].astype(float), np.log1p(seen.start.domains[d]), weight) for d in range(4)]
    return float(np.mean(of))


def intention(q: Query, seen: Seen) -> float:
    """Return the odds ratio of acting, intending against not, with the study's own shares of intenders and of those who act."""
    people, weight = seen.people, weight_of(seen.people, q["who"])
    rows = np.flatnonzero(weight)
    reflective, minutes, w = people.state[3, rows], seen.start.minutes[rows], weight[rows]
    intends = reflective >= _above(reflective, w, q["intend"])
    return odds_ratio_of(intends, minutes >= _above(minutes, w, q["act"]), w)


def _above(x: NDArray, weight: NDArray, share: float) -> float:
    order = np.argsort(x)
    at = np.searchsorted(np.cumsum(weight[order]), (1 - share) * weight.sum())
    return float(x[order][min(at, x.size - 1)])


def explained(q: Query, seen: Seen) -> float:
    """Return the share of variance in (the logarithm of) minutes that the components explain, by least squares."""
    people, weight = seen.people, weight_of(seen.people, q["who"])
    rows = np.flatnonzero(weight)
    root = np.sqrt(weight[rows])
    columns = [*np.log(people.state[:, rows].astype(float)), people.H[:4, rows].mean(axis=0).astype(float), np.ones(rows.size)]
    y = np.log1p(seen.start.minutes[rows].astype(float))
    X = np.stack(columns, axis=1)
    fitted = X @ np.linalg.lstsq(X * root[:, None], y * root, rcond=None)[0]
    w = weight[rows]
    middle = np.average(y, weights=w)
    return float(1 - np.average((y - fitted) ** 2, weights=w) / np.average((y - middle) ** 2, weights=w))


# --- questions about the same people years apart ----------------------------------------------------------------------
def _both(q: Query, seen: Seen) -> tuple[NDArray, NDArray, NDArray, Moment]:
    """Return rows at the start and at the end, of a group's members who are there at both, their weights, and the end."""
    weight, end = weight_of(seen.people, q["who"]), seen.later[int(q["years"])]
    _, ours, theirs = np.intersect1d(seen.start.id, end.id, assume_unique=True, return_indices=True)
    good = (weight[ours] > 0) & end.alive[theirs]
    return ours[good], theirs[good], weight[ours[good]], end


def _yes(q: Query, moment: Moment, rows: NDArray) -> NDArray[np.bool_]:
    if "domains" not in q:
        return moment.is_(q["outcome"])[rows]
    minutes = moment.domains[[DOMAIN[name] for name in q["domains"]]].sum(axis=0)[rows]
    return minutes > (np.median(minutes) if (minutes > 0).mean() > 0.5 else 0)  # what most people do: above the middle


def kappa(q: Query, seen: Seen) -> float:
    first, last, weight, end = _both(q, seen)
    return kappa_of(_yes(q, seen.start, first), _yes(q, end, last), weight)


def odds_ratio_later(q: Query, seen: Seen) -> float:
    first, last, weight, end = _both(q, seen)
    return odds_ratio_of(_yes(q, seen.start, first), _yes(q, end, last), weight)


def correlation_later(q: Query, seen: Seen) -> float:
    first, last, weight, end = _both(q, seen)
    return correlation(ranks(seen.start.minutes[first]), ranks(end.minutes[last]), weight)


def worse_health(q: Query, seen: Seen) -> float:
    """Return the odds ratio of changing status (beginning in it, or not), those whose health got worse against the others."""
    first, last, weight, end = _both(q, seen)
    began = _yes(q, seen.start, first) == q["begins"]
    worse = end.impairments[last] > seen.start.impairments[first]
    changed = _yes(q, end, last) != q["begins"]
    return odds_ratio_of(worse[began], changed[began], weight[began])


def change_in_share(q: Query, seen: Seen) -> float:
    return seen.shares_later[(int(q["years"]), str(q["who"]), q["outcome"])] - seen.share(q["who"], q["outcome"])


ESTIMATORS: dict[str, Callable[[Query, Seen], float]] = {
    each.__name__: each
    for each in (
        share, odds_ratio, percentile, against_england, does, does_against, change_by_age, alike, alike_odds, habit,
        intention, explained,
        kappa, odds_ratio_later, correlation_later, worse_health, change_in_share,
    )
}  # fmt: skip
