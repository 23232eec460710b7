"""The numbers of a result and the sentences made from them; headline, page, workbook and terminal all print these."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from movesim.errors import InputError
from movesim.outcomes.comparison import levelling_down
from movesim.report import say
from movesim.report.ranking import Ranking, rank
from movesim.report.spend import spend
from movesim.report.tables import ENOUGH_PAIRS, Change, Result, read_result

SURE_ENOUGH = 0.8  # "by when": the first year with at least this probability of a narrower gap


def numbers(folder: Path | str) -> dict[str, Any]:
    """Return every number that the report prints more than once, rounded as printed, and the sentences made from them.

    folder: a result folder. Returns plain numbers, texts and lists. Raises InputError as `read_result` does.
    """
    return numbers_of(read_result(folder))


def numbers_of(result: Result, ranking: Ranking | None = None) -> dict[str, Any]:
    """Return the numbers of a result that is already in memory; see `numbers`."""
    ranking = ranking or rank(result)
    options = {scenario["name"]: _option(result, ranking, scenario) for scenario in result.options}
    order = ranking.order()
    manifest = result.manifest
    fact: dict[str, Any] = {
        "place": manifest["place"]["title"],
        "residents": round(manifest["place"]["residents"]),
        "agents": int(manifest["place"]["agents"]),
        "neighbourhoods": int(manifest["place"]["neighbourhoods"]),
        "years": int(manifest["years"]),
        "start_year": int(manifest["start_year"]),
        "last_year": result.year_of(result.last_week),
        "first_year": result.year_of(0),
        "pairs": ranking.pairs,
        "few": ranking.pairs < ENOUGH_PAIRS,
        "baseline": _baseline(result, ranking),
        "order": order,
        "options": [options[name] for name in order if name in options],
    }
    fact["spend"] = spend(fact["options"])
    fact["focus"] = fact["options"][0]["name"]
    fact.update(_finding(fact, ranking, result))
    fact["focus_title"] = next(o["title"] for o in fact["options"] if o["name"] == fact["focus"])
    fact["key"] = _key_numbers(fact)
    fact["sure"] = _how_sure(fact, result)
    return fact


def option_of(fact: dict[str, Any], name: str | None = None) -> dict[str, Any]:
    """Return one option's numbers; the one that the report looks at most closely when no name is given."""
    wanted = name or fact["focus"]
    return next(option for option in fact["options"] if option["name"] == wanted)


# --- numbers --------------------------------------------------------------------------------------------------------
def _baseline(result: Result, ranking: Ranking) -> dict[str, Any]:
    name = result.baseline["name"]
    first = result.options[0]["name"]
    level = _level(result, first)
    gap = result.gap_change(first)
    absolute = result.change(first, "inactive", "absolute")
    start = result.tables["gaps"]
    start = start[
        (start["scenario"] == name) & (start["week"] == 0) & (start["measure"] == "sii") & (start["age_group"] == "adult")
        & (start["axis"] == "imd_decile") & (start["outcome"] == "inactive")
    ]["value"]  # fmt: skip
    return {
        "name": name,
        "title": result.baseline["title"],
        "gap": say.rounded(gap.baseline),
        "gap_at_start": say.rounded(100 * start.median()) if len(start) else None,
        "absolute": None if absolute is None else say.rounded(absolute.baseline),
        "inactive": say.rounded(level.baseline),
        "regret": say.rounded(ranking.regret[name]),
        "bad_case": say.rounded(ranking.bad_case[name]),
        "best": round(ranking.ranks[name][0], 12),
        "ranks": [round(share, 12) for share in ranking.ranks[name]],
    }


def _level(result: Result, scenario: str) -> Change:
    found = result.change(scenario, "inactive", "level", axis="all", level="all")
    if found is None:
        raise InputError(
            f"{result.folder / 'comparison.parquet'}: no row for scenario '{scenario}', adult, all, inactive, level, week "
            f"{result.last_week}, window 52; run the study again so that the table is complete."
        )
    return found


def _option(result: Result, ranking: Ranking, scenario: dict[str, Any]) -> dict[str, Any]:
    name = scenario["name"]
    gap, level = result.gap_change(name), _level(result, name)
    change, inactive_change = say.rounded(gap.difference), say.rounded(level.difference)
    few = not gap.ranged
    option: dict[str, Any] = {
        "name": name,
        "title": scenario["title"],
        "slogan": scenario.get("slogan", ""),
        "summary": scenario.get("summary", ""),
        "budget_text": scenario.get("budget_text", ""),
        "pairs": gap.pairs,
        "change": change,
        "gap": say.rounded(say.rounded(gap.baseline) + change),
        "low": None if few else say.rounded(gap.low),
        "high": None if few else say.rounded(gap.high),
        "probability": gap.probability,
        "mc_error": float(gap.mc_error),
        "tight": abs(gap.mean) > 2 * gap.mc_error and gap.pairs > 1,
        "inactive_change": inactive_change,
        "inactive": say.rounded(say.rounded(level.baseline) + inactive_change),
        "inactive_low": None if few else say.rounded(level.low),
        "inactive_high": None if few else say.rounded(level.high),
        "inactive_probability": level.probability,
        "regret": say.rounded(ranking.regret[name]),
        "bad_case": say.rounded(ranking.bad_case[name]),
        "best": round(ranking.ranks[name][0], 12),
        "ranks": [round(share, 12) for share in ranking.ranks[name]],
        "pounds_per_resident": float(scenario["pounds_per_resident_a_year"]),
        "by_when": _by_when(result, name),
        "levelling_down": _levelling_down(result, name),
    }
    option["clear"] = not few and option["high"] < 0
    option["widens"] = change > 0 and (gap.probability == 0 if few else option["low"] > 0)
    option["verdict"] = "tight enough" if option["tight"] else "cannot tell"
    option.update(_people(result, name, few))
    return option


def _by_when(result: Result, name: str) -> dict[str, Any]:
    sure = {}
    for week in result.weeks():
        found = result.change(name, "inactive", "sii", week=week)
        if week and found is not None:
            sure[result.year_of(week)] = found.probability >= SURE_ENOUGH and found.difference < 0
    first = next((year for year, yes in sure.items() if yes), None)
    kept = first is not None and all(yes for year, yes in sure.items() if year >= first)
    text = f"not by {result.year_of(result.last_week)}" if first is None else f"{first}" if kept else f"{first}, not kept"
    return {"year": first, "kept": kept, "text": text}


def _levelling_down(result: Result, name: str) -> dict[str, Any] | None:
    """A gap that closes while the least deprived fifth becomes less active; "only" when the most deprived do not gain."""
    flags = levelling_down(result.tables["comparison"], result.last_week).set_index("scenario")["levelling_down"]
    top = result.change(name, "inactive", "level", axis="imd_fifth", level="5")
    bottom = result.change(name, "inactive", "level", axis="imd_fifth", level="1")
    if not flags.get(name, False) or top is None or bottom is None:
        return None
    rise = say.rounded(top.difference)
    by = f"by {say.plain(rise)} points" if rise else "by less than 0.1 points"
    return {"rise": rise, "by": by, "only": say.rounded(bottom.difference) >= 0}


def _people(result: Result, name: str, few: bool) -> dict[str, Any]:
    winners, money = result.tables["winners"], result.tables["money"]
    rows = winners[(winners["scenario"] == name) & (winners["age_group"] == "adult") & (winners["axis"] == "all")]
    numbers: dict[str, Any] = {"extra_active": None, "extra_low": None, "extra_high": None, "started": None, "stopped": None}
    # Running programmes are in the books of no change too: what counts is the money spent on top of them.
    numbers["spent"] = _mean_spent(money, name) - _mean_spent(money, result.baseline["name"])
    numbers["pounds_per_extra"] = None
    numbers["pounds_per_extra_why"] = "no count of people made active"
    if rows.empty:
        return numbers
    net = rows.set_index(["draw", "replicate"])[["newly_active", "no_longer_active"]]
    extra = net["newly_active"] - net["no_longer_active"]
    largest = net.median().max()
    numbers["started"], numbers["stopped"] = (say.round_people(net[c].median(), largest) for c in net)
    numbers["extra_active"] = numbers["started"] - numbers["stopped"]  # of the printed numbers, so that the sum holds
    if not few:
        numbers["extra_low"], numbers["extra_high"] = (say.round_people(v, largest) for v in np.quantile(extra, [0.05, 0.95]))
    if numbers["spent"] <= 0:
        numbers["pounds_per_extra_why"] = "no extra money"
    elif extra.mean() <= 0 or (not few and numbers["extra_low"] <= 0):
        numbers["pounds_per_extra_why"] = "no clear gain"
    else:
        numbers["pounds_per_extra"] = float(numbers["spent"] / extra.mean())
        numbers["pounds_per_extra_why"] = ""
    return numbers


def _mean_spent(money: pd.DataFrame, name: str) -> float:
    paid = money[money["scenario"] == name].groupby(["draw", "replicate"])["spent"].sum()
    return float(paid.mean()) if len(paid) else 0.0


# --- sentences ------------------------------------------------------------------------------------------------------
def _finding(fact: dict[str, Any], ranking: Ranking, result: Result) -> dict[str, Any]:
    """The title in one sentence, what kind of finding it is, and which option the charts look at."""
    options, year, pairs = fact["options"], fact["last_year"], fact["pairs"]
    best = options[0]
    focus = best["name"]
    if fact["few"]:
        kind, text = "few", _too_few(options, year, pairs)
    elif len(options) == 1:
        kind, text = _single(best, year)
    elif all(option["widens"] for option in options):
        kind, text = "widens", f"Every option WIDENS the gap by {year}; {best['title']} widens it least."
    elif not any(option["clear"] for option in options):
        kind, text = "none", "No option clearly narrows the gap."
    elif not best["clear"]:
        sure = next(option for option in options if option["clear"])
        kind, focus = "surest", sure["name"]
        text = f"{sure['title']} clearly narrows the gap; {best['title']} may narrow it more, or not at all."
    else:
        alike = [o for o in options if o is best or (o["clear"] and not ranking.told_apart(best["name"], o["name"]))]
        if len(alike) > 1:
            both = "both" if len(alike) == 2 else "all"
            kind = "alike"
            text = f"{say.listed([o['title'] for o in alike])} {both} narrow the gap and cannot be told apart."
        else:
            kind, text = "clear", f"{best['title']} is the safest way to narrow the gap."
    shown = next(option for option in options if option["name"] == focus)
    if shown["levelling_down"] and shown["levelling_down"]["rise"] and kind in ("one", "clear", "surest"):
        how = "only" if shown["levelling_down"]["only"] else "partly"
        text = f"{text[:-1]}, but {how} by levelling down."
    more = f"Gap in {year}: {say.plain(shown['gap'])} points, against {say.plain(fact['baseline']['gap'])} with no change."
    cautions = _cautions(fact)
    return {"kind": kind, "focus": focus, "finding": text, "finding_more": more, "cautions": cautions}


def _too_few(options: list[dict[str, Any]], year: int, pairs: int) -> str:
    best = options[0]
    runs = say.count(pairs, "paired run")
    if len(options) == 1:
        moves = "narrows" if best["change"] < 0 else "WIDENS" if best["change"] > 0 else "does not move"
        by = f" by {say.plain(abs(best['change']))} points" if best["change"] else ""
        return f"{best['title']} {moves} the gap{by} by {year} in {runs}: too few to be sure."
    if best["change"] >= 0:
        return f"No option narrows the gap by {year} in {runs}: too few to be sure."
    return f"{best['title']} has the smallest gap by {year}, but {runs} are too few to be sure."


def _single(option: dict[str, Any], year: int) -> tuple[str, str]:
    size = f"by {say.plain(abs(option['change']))} points by {year}"
    if option["clear"]:
        return "one", f"{option['title']} narrows the gap {size}."
    if option["widens"]:
        return "widens", f"{option['title']} WIDENS the gap {size}."
    return "none", f"{option['title']} does not clearly narrow the gap."


def _cautions(fact: dict[str, Any]) -> list[str]:
    cautions = []
    widening = [option["title"] for option in fact["options"] if option["widens"]]
    if widening and len(fact["options"]) > 1 and len(widening) < len(fact["options"]):
        cautions.append(f"{say.listed(widening)} {'WIDENS' if len(widening) == 1 else 'each WIDEN'} the gap.")
    for option in fact["options"]:
        down = option["levelling_down"]
        if down:
            gain = " and does not fall in the most deprived fifth" if down["only"] else ""
            cautions.append(
                f"Levelling down: under {option['title']} the gap closes while inactivity rises {down['by']} "
                f"in the least deprived fifth{gain}."
            )
    if fact["spend"]["unequal"]:
        cautions.append(fact["spend"]["text"])
    return cautions


def _key_numbers(fact: dict[str, Any]) -> list[dict[str, Any]]:
    option, year = option_of(fact), fact["last_year"]
    compared = "against no change"

    def runs(low: float | None, high: float | None, write: Any) -> str:
        if low is None or high is None:
            return f"fewer than {ENOUGH_PAIRS} paired runs: range not shown"
        return f"9 in 10 runs: {write(low)} to {write(high)}"

    first = {
        "worse": option["change"] > 0,
        "big": f"{say.signed(option['change'])} points",
        "small": f"on the gap in {year}, {compared}",
        "range": runs(option["low"], option["high"], say.signed),
    }
    second = {
        "worse": option["inactive_change"] > 0,
        "big": f"{say.signed(option['inactive_change'])} points",
        "small": f"on adults who are inactive in {year} ({say.per_cent(option['inactive'])}, {compared} "
        f"{say.per_cent(fact['baseline']['inactive'])})".replace("against no change", "no change:"),
        "range": runs(option["inactive_low"], option["inactive_high"], say.signed),
    }
    if option["extra_active"] is None:
        third = {
            "worse": False,
            "big": "not counted",
            "small": f"more active adults in {year}",
            "range": "the winners table is empty",
        }
    else:
        extra = option["extra_active"]
        third = {
            "worse": extra < 0,
            "big": say.whole(abs(extra)),
            "small": f"{'more' if extra >= 0 else 'FEWER'} active adults in {year}: {say.whole(option['started'])} became "
            f"active, {say.whole(option['stopped'])} stopped",
            "range": runs(option["extra_low"], option["extra_high"], lambda v: say.whole(v, sign=True)),
        }
    return [first, second, third]


def _when_in_words(when: dict[str, Any]) -> str:
    enough = f"at least {round(10 * SURE_ENOUGH)} of 10 runs"
    if when["year"] is None:
        return f"in no year in {enough}"
    return f"in {enough} from {when['year']} on" if when["kept"] else f"in {enough} first in {when['year']}, but not kept"


def _how_sure(fact: dict[str, Any], result: Result) -> list[str]:
    option, year = option_of(fact), fact["last_year"]
    lines = []
    if fact["few"]:
        lines.append(
            f"Only {say.count(fact['pairs'], 'paired run')}: too few for a range or a chance. Run at least {ENOUGH_PAIRS}."
        )
    else:
        lines.append(
            f"The gap is narrower in {year} under {option['title']} in {say.chance(option['probability'], option['pairs'])}"
            f"{'' if option['pairs'] < 100 else ' runs'}; {_when_in_words(option['by_when'])}."
        )
    ledger = result.tables["assumptions"]
    weak = int(ledger["status"].isin(["assumed", "recalled"]).sum())
    lines.append(f"{weak} of {say.count(len(ledger), 'setting')} rest on judgement or memory.")
    fit = fit_targets(result)
    if len(fit):
        within = int(fit["within"].sum())
        lines.append(f"The model matches {within} of {say.count(len(fit), 'published figure')} it was compared with.")
    else:
        lines.append("This run was not compared with published figures.")
    failed = [guard["name"] for guard in result.manifest["guards"] if not guard["passed"]]
    if failed:
        lines.append(f"FAILED check{'s' if len(failed) > 1 else ''}: {say.listed(failed)}. Do not use these results.")
    return lines


def fit_targets(result: Result) -> pd.DataFrame:
    """Return the table of published figures and fitted values, with misses first; empty when there is none."""
    fit = result.manifest["fit"] or {}
    table = pd.DataFrame(fit.get("targets") or [], columns=["name", "target", "low", "high", "fitted", "within"])
    return table.sort_values("within", kind="stable").reset_index(drop=True)
