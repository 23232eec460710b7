"""What follows from capability and opportunity gating motivation (MODEL, What must hold, 4 and 5).

Every test prints minutes and inactivity: near the 30-minute line a smaller gain in minutes can move more people.
"""

from __future__ import annotations

import numpy as np
import pytest

from movesim.outcomes.axes import levels
from movesim.words import ADULT_DOMAINS
from stories.world import Life, adults, decile, nothing, settled, shifted

YEARS, MANY = 3, 20_000
INFORMATION = {"Y": 0.5, "R": 0.5}  # logits of capability_psychological and motivation_reflective


def gains(with_it: Life, without: Life, who: np.ndarray) -> tuple[float, float]:
    """Minutes gained a week and points of inactivity lost, in the last year."""
    return with_it.mean(who) - without.mean(who), without.mean(who, "inactive") - with_it.mean(who, "inactive")


@pytest.mark.parametrize("replicate", [0, 1])
def test_information_gains_more_minutes_where_supply_is_better(replicate: int) -> None:
    """The very same adults, in a country with less on offer and in one with more."""
    everybody = adults(settled(replicate))
    found = {}
    for country, supply in (("less", -1.0), ("more", 1.0)):
        before = shifted(YEARS, {"supply": supply}, replicate)
        found[country] = gains(shifted(YEARS, {**INFORMATION, "supply": supply}, replicate), before, everybody)
    print(f"information gains (minutes, points of inactivity): {found}")
    assert found["more"][0] > 1.05 * found["less"][0] > 0


@pytest.mark.parametrize("replicate", [0, 1])
def test_information_gains_more_minutes_where_opportunity_is_better_at_equal_motivation(replicate: int) -> None:
    """In tenths of equal motivation, the third of adults with the best opportunity against the third with the worst.

    The two tenths of the highest motivation are left out: there the best placed are active nearly every week already.
    """
    run = settled(replicate, MANY)
    motivation, opportunity = motivation_and_opportunity(run)
    told, untold = shifted(YEARS, INFORMATION, replicate, MANY), nothing(YEARS, replicate, MANY)
    grown = adults(run)
    tenth = np.digitize(motivation, np.quantile(motivation[grown], np.arange(1, 10) / 10))
    worst, best = np.zeros((2, 8, 2))
    for k in range(8):
        here = grown & (tenth == k)
        low, high = np.quantile(opportunity[here], [1 / 3, 2 / 3])
        worst[k] = gains(told, untold, here & (opportunity < low))
        best[k] = gains(told, untold, here & (opportunity > high))
    print(f"minutes gained by tenth of motivation: worst placed {worst[:, 0].round(1)}, best placed {best[:, 0].round(1)}")
    print(f"points of inactivity lost, mean: worst placed {worst[:, 1].mean():.2f}, best placed {best[:, 1].mean():.2f}")
    assert best[:, 0].mean() > 1.05 * worst[:, 0].mean() > 0
    assert best[:5, 0].mean() > 1.15 * worst[:5, 0].mean()


def motivation_and_opportunity(run) -> tuple[np.ndarray, np.ndarray]:
    """Each person's argument of M_d and log O_d, means over adults' domains, at week 0."""
    people, rules = run.people, run.rules
    motivation, opportunity = np.zeros((2, people.n))
    for d in range(ADULT_DOMAINS):
        motivation += people.drive[d] + rules.coefficients.w_H * people.H[d]
        b = rules.opportunity[d]
        opportunity += b * (run.log_E[d, people.neighbourhood] + people.log_A[d]) + (1 - b) * np.log(people.state[2])
    intention = people.state[3] - run.references.intention[people.band[: people.n]]
    return motivation / ADULT_DOMAINS + rules.coefficients.w_R * intention, opportunity / ADULT_DOMAINS


@pytest.mark.parametrize("replicate", [0, 1])
def test_opportunity_gains_where_it_is_added_and_with_information_more_than_their_sum(replicate: int) -> None:
    run = settled(replicate)
    poor = run.people.neighbourhoods["imd_decile"] <= 3
    supply = np.where(poor, 1.0, 0.0)
    information = {name: 2 * shift for name, shift in INFORMATION.items()}
    told, offered = shifted(YEARS, information, replicate), shifted(YEARS, {"supply": supply}, replicate)
    both, untouched = shifted(YEARS, {**information, "supply": supply}, replicate), nothing(YEARS, replicate)
    there, elsewhere = adults(run) & (decile(run) <= 3), adults(run) & (decile(run) > 3)
    i, o, together = (gains(life, untouched, there) for life in (told, offered, both))
    away = gains(offered, untouched, elsewhere)
    print(
        f"deciles 1-3 gain minutes (and lose points of inactivity): by opportunity {o[0]:.1f} ({o[1]:.2f}), "
        f"by information {i[0]:.1f} ({i[1]:.2f}), by both {together[0]:.1f} ({together[1]:.2f}), "
        f"the sum is {i[0] + o[0]:.1f} ({i[1] + o[1]:.2f}); elsewhere opportunity gains {away[0]:.1f}"
    )
    assert o[0] > 10 and abs(away[0]) < 0.1 * o[0]
    assert together[0] > 1.01 * (i[0] + o[0])
    # In inactivity the two do not multiply: whom one has brought over the line the other cannot bring over it again.
    assert together[1] > max(i[1], o[1])
    assert together[1] < 1.1 * (i[1] + o[1])


def test_without_residuals_the_deprived_impaired_and_old_are_still_less_active() -> None:
    changes = (("residual.scale", 0.0),)
    run, life = settled(changes=changes), nothing(1, changes=changes)
    at, grown = levels(run.people), adults(run)
    for axis, least in (("imd_fifth", 5), ("impairments", 10), ("age_band", 10)):
        groups = [grown & (at[axis] == k) for k in range(at[axis].max() + 1) if (grown & (at[axis] == k)).any()]
        inactive, minutes = ([life.mean(who, what) for who in groups] for what in ("inactive", "minutes"))
        print(f"{axis}: inactive {np.round(inactive, 1)}, minutes {np.round(minutes)}")
        assert inactive[0] > inactive[-1] + least, axis
        assert minutes[0] < minutes[-1], axis
        middle = len(groups) // 2
        assert inactive[0] > inactive[middle] > inactive[-1], axis
