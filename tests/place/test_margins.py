"""Margins: whole, consistent, and the published totals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from movesim.evidence import is_number_with_evidence, parse
from movesim.place.margins import Margins, associations, rounded, seeds, table, tilted
from movesim.place.neighbourhoods import built_in
from movesim.words import STATUSES_OF_NUMBERS


def test_rounding_keeps_totals_and_stays_within_one() -> None:
    rng = np.random.default_rng(1)
    table = rng.random((50, 7))
    totals = rng.integers(0, 500, 50).astype(float)
    whole = rounded(table, totals)
    assert (whole.sum(axis=1) == totals).all()
    assert (whole == np.floor(whole)).all()
    exact = table * (totals / table.sum(axis=1))[:, None]
    assert np.abs(whole - exact).max() < 1.0


def test_rounding_spreads_an_empty_row_as_the_table_is() -> None:
    whole = rounded(np.array([[3.0, 1.0], [0.0, 0.0]]), np.array([4.0, 8.0]))
    assert whole.tolist() == [[3.0, 1.0], [6.0, 2.0]]


def test_tilted_sizes_have_the_mean_asked_for() -> None:
    sizes = np.array([1, 2, 3, 4, 5, 6, 7, 9])
    out = tilted(np.tile([0.3, 0.35, 0.16, 0.12, 0.04, 0.02, 0.006, 0.004], (3, 1)), np.array([2.1, 2.4, 2.9]))
    assert np.allclose(out @ sizes, [2.1, 2.4, 2.9])
    assert np.allclose(out.sum(axis=1), 1.0)


@pytest.mark.parametrize("name", ["margins", "england_margins"])
def test_every_table_sums_to_its_residents(name: str, request: pytest.FixtureRequest) -> None:
    m: Margins = request.getfixturevalue(name)
    for counts in (m.age, m.sex, m.ethnic_group, m.disabled):
        assert (counts.sum(axis=1) == m.residents).all()
        assert (counts == np.rint(counts)).all() and (counts >= 0).all()
    assert (m.ns_sec.sum(axis=1) == m.age[:, 3:].sum(axis=1)).all()
    assert len(set(m.code)) == len(m)
    assert all(np.isfinite(column).all() for column in m.environment.values())


def test_two_counties_have_their_census_residents(margins: Margins) -> None:
    by_authority = dict(zip(margins.local_authorities, np.bincount(margins.local_authority, margins.residents)))
    names = list(by_authority)
    assert len(names) == 17 and len(margins) == 1335
    assert by_authority["Nottingham"] == 323_624 and by_authority["Derby"] == 261_374
    assert sum(by_authority[n] for n in names[:8]) == 1_148_421
    assert sum(by_authority[n] for n in names[8:]) == 1_055_998
    assert margins.total == 2_204_419


def test_two_counties_have_their_deciles_and_ethnic_groups(margins: Margins) -> None:
    nottingham = margins.local_authority == margins.local_authorities.index("Nottingham")
    assert np.bincount(margins.imd_decile[nottingham], minlength=11)[1:].tolist() == [55, 41, 27, 9, 16, 8, 7, 4, 6, 6]
    shares = 100 * margins.ethnic_group.sum(axis=0) / margins.total
    assert np.allclose(shares, [5.7, 2.6, 2.6, 88.0, 1.2], atol=0.1)
    city = 100 * margins.ethnic_group[nottingham].sum(axis=0) / margins.residents[nottingham].sum()
    assert np.allclose(city[[0, 1, 3]], [14.9, 10.0, 66.0], atol=0.3)
    first = margins.imd_decile == 1
    assert 100 * margins.disabled[first, 1].sum() / margins.residents[first].sum() == pytest.approx(22.7, abs=0.4)


def test_england_has_its_residents_and_gradients(england_margins: Margins) -> None:
    m = england_margins
    assert m.total == pytest.approx(56_490_046, rel=1e-12)
    assert (np.bincount(m.imd_decile, minlength=11)[1:] == 100).all()
    first, last = m.imd_decile == 1, m.imd_decile == 10
    assert 100 * m.disabled[first, 1].sum() / m.residents[first].sum() == pytest.approx(22.2, abs=0.1)
    assert 100 * m.ethnic_group[last, 3].sum() / m.residents[last].sum() == pytest.approx(88.6, abs=0.1)
    assert 100 * m.age[first, :3].sum() / m.residents[first].sum() == pytest.approx(24.3, abs=0.8)
    assert 100 * m.cars[:, 0].sum() / m.cars.sum() == pytest.approx(23.0, abs=0.3)
    assert m.residents.sum() / m.household_size.sum() == pytest.approx(2.41, abs=0.02)
    assert 100 * m.household_size[:, 0].sum() / m.household_size.sum() == pytest.approx(30.1, abs=1.5)


def test_indicators_follow_the_evidence(margins: Margins) -> None:
    for decile, expected in ((1, (23.7, 73.0, 114.0, 0.53)), (10, (4.9, 62.0, 379.0, 0.60))):
        at = np.flatnonzero(margins.imd_decile == decile)[0]
        assert [margins.environment[k][at] for k in margins.environment] == pytest.approx(expected)


def test_whole_margins_stay_as_they_are(margins: Margins) -> None:
    assert margins.whole().fingerprint() == margins.fingerprint()
    assert replace(margins, title="Another").fingerprint() != margins.fingerprint()


def test_another_place_seed_gives_other_sizes_and_the_same_totals(margins: Margins) -> None:
    other = built_in("nottinghamshire_derbyshire", 2)
    assert not np.array_equal(other.residents, margins.residents)
    assert np.array_equal(
        np.bincount(other.local_authority, other.residents), np.bincount(margins.local_authority, margins.residents)
    )


def _nodes(node: object, path: str = ""):  # type: ignore[no-untyped-def]
    if isinstance(node, dict):
        if is_number_with_evidence(node) or "status" in node:
            yield path, node
        else:
            for key, item in node.items():
                yield from _nodes(item, f"{path}.{key}".strip("."))


def test_every_number_of_the_associations_has_a_status_and_a_source() -> None:
    document = associations()
    found = list(_nodes(document.data))
    assert len(found) > 50
    for path, node in found:
        assert node["status"] in STATUSES_OF_NUMBERS, path
        assert node.get("source"), path
        if "value" in node:
            parameter = parse(path, node)
            if node["status"] == "assumed":
                assert parameter.low < parameter.value < parameter.high, path


def test_rates_of_care_are_computed_as_they_say() -> None:
    """Men and women together keep the rate of their age, women give care 1.4 times as often; 75 or over is a judgement."""
    care = associations().data["care"]
    rate, ratio = table(care["by_age"])[0], care["female"]["value"]
    men, women = table(care["by_age_and_sex"], ["male", "female"])
    assert care["by_age_and_sex"]["status"] == "computed" and "the mean of the two" in care["by_age_and_sex"]["source"]
    assert men[:-1] == pytest.approx(2 * rate[:-1] / (1 + ratio), abs=6e-4)
    assert women[:-1] == pytest.approx(2 * rate[:-1] * ratio / (1 + ratio), abs=6e-4)
    assert (men[-1] + women[-1]) / 2 == pytest.approx(rate[-1])


def test_no_number_about_the_world_is_left_in_the_code_of_households() -> None:
    """What the code reads of households, schools, students and tenure stands in conf/place, each with its status."""
    data = associations().data
    ages = data["households"]["ages"]["rows"]
    assert len(ages) == 14 and all(len(row) == 2 and row[1] >= 0 for row in ages.values())
    couples, families = table(data["households"]["without_children"])
    assert (couples < families).all() and (families < 1).all()
    rows = {key: sum(row) for key, row in seeds().data["household"]["rows"].items()}
    of_two = {name: rows[f"{name}; 2"] for name in ("one family, all 66 or over", "couple, no children",
                                                    "lone parent, grown-up children", "other")}  # fmt: skip
    pair = of_two["one family, all 66 or over"] + of_two["couple, no children"]
    assert couples[0] == pytest.approx(pair / sum(of_two.values()), abs=0.005)
    assert families[0] == pytest.approx(1 - of_two["other"] / sum(of_two.values()), abs=0.005)
    assert data["schools"]["pupils_primary"]["status"] == "recalled"
    assert table(data["households"]["mixed_children"])[0][-1] == 1.0
