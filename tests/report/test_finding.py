import json

import pandas as pd
import pytest

from movesim.errors import InputError
from movesim.report.finding import numbers
from movesim.report.ranking import rank
from movesim.report.tables import COLUMNS, read_result

FINDINGS = {
    "clear": "Proportionate universalism is the safest way to narrow the gap.",
    "one": "Proportionate universalism narrows the gap by ",
    "one_crossing": "Proportionate universalism does not clearly narrow the gap.",
    "three_pairs": "has the smallest gap by 2035, but 3 paired runs are too few to be sure.",
    "one_three_pairs": " points by 2035 in 3 paired runs: too few to be sure.",
    "widening": "Universal app WIDENS the gap by ",
    "all_widen": "Every option WIDENS the gap by 2035; ",
    "levelling_down": ", but partly by levelling down.",
    "only_levelling_down": ", but only by levelling down.",
    "crossing": "No option clearly narrows the gap.",
    "alike": "Proportionate universalism and Twin plan both narrow the gap and cannot be told apart.",
    "surest": "clearly narrows the gap; ",
    "unequal": "Proportionate universalism is the safest way to narrow the gap.",
}


@pytest.mark.parametrize("variant", FINDINGS)
def test_the_finding_says_what_the_numbers_say(folder_of, variant):
    fact = numbers(folder_of(variant))
    assert FINDINGS[variant] in fact["finding"] or set(FINDINGS[variant].split()) <= set(fact["finding"].split())
    assert fact["finding"].endswith(".")
    assert "100%" not in json.dumps(fact, ensure_ascii=False)


def test_printed_numbers_add_up(folder_of):
    fact = numbers(folder_of("four"))
    for option in fact["options"]:
        assert option["gap"] == round(fact["baseline"]["gap"] + option["change"], 1)
        assert option["inactive"] == round(fact["baseline"]["inactive"] + option["inactive_change"], 1)
        assert option["extra_active"] == option["started"] - option["stopped"]
        assert option["low"] <= option["change"] <= option["high"]
    regrets = [fact["baseline"]["regret"] if n == "no_change" else next(o["regret"] for o in fact["options"] if o["name"] == n)
               for n in fact["order"]]  # fmt: skip
    assert regrets == sorted(regrets)
    assert sum(o["best"] for o in fact["options"]) + fact["baseline"]["best"] == pytest.approx(1)


def test_regret_is_measured_future_by_future(folder_of):
    folder = folder_of("four")
    gaps = pd.read_parquet(folder / "gaps.parquet")
    gaps = gaps[(gaps.week == 520) & (gaps.measure == "sii")].pivot_table(index="draw", columns="scenario", values="value") * 100
    expected = gaps.sub(gaps.min(axis=1), axis=0).mean()
    ranking = rank(read_result(folder))
    assert ranking.regret == pytest.approx(expected.to_dict())
    for name, shares in ranking.ranks.items():
        assert sum(shares) == pytest.approx(1), name


def test_equal_options_share_the_first_place(folder_of, tmp_path):
    source = folder_of("unequal")
    for name in COLUMNS:
        table = pd.read_parquet(source / f"{name}.parquet")
        if name == "gaps":
            same = table[table.scenario == "proportionate"].assign(scenario="walking_routes")
            table = pd.concat([table[table.scenario != "walking_routes"], same])
        table.to_parquet(tmp_path / f"{name}.parquet")
    for name in ("manifest.json", "config.yaml"):
        (tmp_path / name).write_text((source / name).read_text())
    ranks = rank(read_result(tmp_path)).ranks
    assert ranks["proportionate"][0] == ranks["walking_routes"][0] == pytest.approx(0.5)


def test_unequal_spends_are_said_and_equal_ones_too(folder_of):
    unequal, four = numbers(folder_of("unequal")), numbers(folder_of("four"))
    assert unequal["spend"]["unequal"]
    assert any("do not cost the same: from £1.55" in caution for caution in unequal["cautions"])
    assert not four["spend"]["unequal"]
    assert four["spend"]["text"] == "The options cost about the same: £1.47 to £1.55 per resident a year."


def test_levelling_down_is_flagged_with_its_size(folder_of):
    fact = numbers(folder_of("levelling_down"))
    assert any(caution.startswith("Levelling down: under Walking routes") for caution in fact["cautions"])
    assert numbers(folder_of("four"))["options"][0]["levelling_down"] is None


def test_few_pairs_give_no_range_and_no_probability_words(folder_of):
    fact = numbers(folder_of("three_pairs"))
    assert all(o["low"] is None and o["extra_low"] is None for o in fact["options"])
    assert all("range not shown" in key["range"] for key in fact["key"])
    assert fact["sure"][0].startswith("Only 3 paired runs")


def test_by_when_is_the_first_year_with_eight_in_ten(folder_of):
    folder = folder_of("four")
    table = pd.read_parquet(folder / "comparison.parquet")
    rows = table[(table.scenario == "walking_routes") & (table.measure == "sii") & (table.probability >= 0.8) & (table.week > 0)]
    option = next(o for o in numbers(folder)["options"] if o["name"] == "walking_routes")
    assert option["by_when"]["year"] == 2025 + rows.week.min() // 52
    app = next(o for o in numbers(folder)["options"] if o["name"] == "universal_app")
    assert app["by_when"]["text"] == "not by 2035"


def copy(source, target, leave_out=()):
    target.mkdir()
    for path in source.iterdir():
        if path.is_file() and path.suffix in (".parquet", ".json", ".yaml") and path.name not in leave_out:
            (target / path.name).write_bytes(path.read_bytes())
    return target


@pytest.mark.parametrize("name", COLUMNS)
def test_a_missing_table_is_refused_in_a_sentence(folder_of, tmp_path, name):
    folder = copy(folder_of("one_three_pairs"), tmp_path / "r", leave_out=(f"{name}.parquet",))
    with pytest.raises(InputError, match=f"{name}.parquet: not found; the report needs the table '{name}'"):
        read_result(folder)


def test_other_faults_of_a_folder_are_refused_in_sentences(folder_of, tmp_path):
    source = folder_of("one_three_pairs")
    with pytest.raises(InputError, match="no such folder; give the result folder"):
        read_result(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"manifest\.json: not found; a result folder holds"):
        read_result(copy(source, tmp_path / "a", leave_out=("manifest.json",)))
    with pytest.raises(InputError, match=r"config\.yaml: not found; the report prints the settings"):
        read_result(copy(source, tmp_path / "b", leave_out=("config.yaml",)))
    folder = copy(source, tmp_path / "c")
    (folder / "manifest.json").write_text("{\n not json")
    with pytest.raises(InputError, match=r"manifest\.json:2: this is not valid JSON"):
        read_result(folder)
    manifest = json.loads((source / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({k: v for k, v in manifest.items() if k != "seed"}))
    with pytest.raises(InputError, match=r"lacks seed; it was written by another version"):
        read_result(folder)
    (folder / "manifest.json").write_text(json.dumps(manifest | {"scenarios": manifest["scenarios"][:1]}))
    with pytest.raises(InputError, match="a report needs no change first and at least one option"):
        read_result(folder)
    folder = copy(source, tmp_path / "d")
    pd.read_parquet(folder / "money.parquet").drop(columns="payer").to_parquet(folder / "money.parquet")
    with pytest.raises(InputError, match=r"money\.parquet: lacks the column payer; the table 'money' must hold"):
        read_result(folder)


def test_tables_without_the_headline_rows_are_refused(folder_of, tmp_path):
    source = folder_of("one_three_pairs")
    folder = copy(source, tmp_path / "a")
    table = pd.read_parquet(folder / "comparison.parquet")
    table[table.measure != "sii"].to_parquet(folder / "comparison.parquet")
    with pytest.raises(InputError, match="no row for scenario 'proportionate', adult, imd_decile, inactive, sii, week 520"):
        numbers(folder)
    table[(table.measure != "level") | (table.axis != "all")].to_parquet(folder / "comparison.parquet")
    with pytest.raises(InputError, match="no row for scenario 'proportionate', adult, all, inactive, level, week 520"):
        numbers(folder)
    folder = copy(source, tmp_path / "b")
    gaps = pd.read_parquet(folder / "gaps.parquet")
    gaps[gaps.scenario == "no_change"].to_parquet(folder / "gaps.parquet")
    with pytest.raises(InputError, match="holds no sii of inactive by imd_decile for scenario 'proportionate' at week 520"):
        numbers(folder)


def test_monthly_rows_are_not_mistaken_for_yearly_ones(folder_of):
    result = read_result(folder_of("one_three_pairs"))
    assert set(result.tables["outcomes"]["window"]) == {52}
    assert result.tables["outcomes"]["inactive"].max() < 0.9
