"""Made-up result folders for the report's tests: tables as a study writes them, from a seeded generator.

Nothing here comes from the model. Run `python tests/report/made_up.py FOLDER [VARIANT]` to look at one.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from movesim import words
from movesim.outcomes.break_even import break_even
from movesim.outcomes.interactions import interactions
from movesim.outcomes.shapley import ladder_shares
from movesim.outcomes.worth import worth_of

AUTHORITIES = {"Northbrook": 0.31, "Eastvale": 0.19, "Southmere": 0.17, "Westhollow": 0.13, "High Moor": 0.11, "Lowfield": 0.09}
PLACE_RESIDENTS, PLACE_AGENTS, ADULTS = 2_200_000.0, 20_000, 0.81
MID = (np.arange(10) + 0.5) / 10
PAYERS = ("local authority", "NHS", "participants")
# (share of adults, inactive share, multiplier of the effect) per level
GROUPS: dict[str, dict[str, tuple[float, float, float]]] = {
    "impairments": {"3+": (0.07, 0.46, 0.5), "2": (0.06, 0.38, 0.8), "1": (0.10, 0.31, 1.0), "0": (0.77, 0.21, 1.05)},
    "ethnic_group": {
        "Asian": (0.06, 0.33, 1.3), "Black": (0.03, 0.30, 1.2), "Mixed": (0.02, 0.22, 1.0), "White": (0.88, 0.24, 1.0),
        "Other": (0.004, 0.31, 1.0),
    },
    "sex": {"male": (0.49, 0.24, 0.9), "female": (0.51, 0.26, 1.1)},
    "age_band": {"75+": (0.12, 0.42, 0.3), "55-74": (0.30, 0.26, 0.9), "35-54": (0.31, 0.22, 1.1), "16-34": (0.27, 0.20, 1.2)},
    "ns_sec": {"6-8": (0.33, 0.32, 1.3), "3-5": (0.30, 0.24, 1.0), "1-2": (0.37, 0.16, 0.7)},
    "characteristics": {"2+": (0.22, 0.39, 1.2), "1": (0.38, 0.26, 1.0), "0": (0.40, 0.16, 0.8)},
}  # fmt: skip


@dataclass(frozen=True)
class Option:
    """A made-up option: change in inactivity at the most and the least deprived end, in points, and what it costs."""

    name: str
    title: str
    slogan: str
    most: float
    least: float
    spread: float = 0.15  # sd of its strength between futures
    jitter: float = 0.25  # sd of chance in each end, points
    pounds: float = 1.50
    curve: float = 1.0  # how fast the effect falls from most to least deprived
    interventions: tuple[str, ...] = ("walking groups", "free leisure")


NO_CHANGE = Option("no_change", "No change", "Carry on as now", 0, 0, 0, 0, 0, interventions=())
PROPORTIONATE = Option("proportionate", "Proportionate universalism", "Everybody, more where need is greater", -5.7, -0.6, 0.10)
TARGET = Option("target_fifth", "Target most deprived fifth", "Go where need is greatest", -5.2, -0.2, 0.22, 0.3, 1.52, 1.6)
ROUTES = Option("walking_routes", "Walking routes", "Make the short trip the easy trip", -2.4, -0.9, 0.2, 0.2, 1.55)
APP = Option("universal_app", "Universal app", "One app for everybody", -1.2, -2.1, 0.2, 0.2, 1.47, 1.0, ("step app",))
FOUR = (PROPORTIONATE, TARGET, ROUTES, APP)


def write_result(
    folder: Path, options: tuple[Option, ...] = FOUR, pairs: int = 24, seed: int = 7, lean: bool = False, **changes: Any
) -> Path:  # fmt: skip
    """Write a whole result folder; `changes` go into the manifest. Returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    make = _Maker((NO_CHANGE, *options), pairs, seed, int(changes.get("years", 10)), lean)
    outcomes = make.outcomes()
    gaps = make.gaps()
    tables = {
        "outcomes": outcomes, "gaps": gaps, "comparison": compare(outcomes, gaps), "money": make.money(),
        "winners": make.winners(), "contributions": make.contributions(), "ladder": make.ladder(), "assumptions": assumptions(),
    }  # fmt: skip
    tables["break_even"] = lasting(outcomes, tables["money"])
    if not lean:
        tables |= questions(outcomes, options, pairs)
    for name, table in tables.items():
        table.to_parquet(folder / f"{name}.parquet", index=False)
    (folder / "config.yaml").write_text("place: testshire\npeople: 20000\nyears: 10\nseed: 20261\n", encoding="utf-8")
    manifest = make.manifest() | changes
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1, ensure_ascii=False), encoding="utf-8")
    return folder


VARIANTS: dict[str, dict[str, Any]] = {
    "four": {"pairs": 40},
    "clear": {"options": (PROPORTIONATE, replace(TARGET, most=-4.2), ROUTES)},
    "one": {"options": (PROPORTIONATE,)},
    "one_crossing": {"options": (replace(PROPORTIONATE, most=-0.6, least=-0.5, jitter=1.2),)},
    "three_pairs": {"options": (PROPORTIONATE, ROUTES), "pairs": 3},
    "one_three_pairs": {"options": (PROPORTIONATE,), "pairs": 3},
    "widening": {"options": (APP,)},
    "all_widen": {"options": (APP, replace(APP, name="website", title="Website", most=-0.4, least=-2.4))},
    "levelling_down": {"options": (replace(ROUTES, most=-0.4, least=1.6, spread=0.1, jitter=0.1),)},
    "only_levelling_down": {"options": (replace(ROUTES, most=0.2, least=2.2, spread=0.1, jitter=0.05),)},
    "crossing": {
        "options": (replace(ROUTES, most=-0.8, least=-0.5, jitter=1.5), replace(APP, most=-0.9, least=-0.7, jitter=1.5))
    },
    "alike": {"options": (PROPORTIONATE, replace(PROPORTIONATE, name="twin", title="Twin plan"), ROUTES)},
    "surest": {"options": (replace(TARGET, most=-3.2, spread=0.9, jitter=0.6), replace(ROUTES, spread=0.1))},
    "unequal": {"options": (replace(PROPORTIONATE, pounds=6.0), ROUTES)},
}


LEAN = set(VARIANTS) - {"four", "one", "three_pairs", "one_three_pairs", "widening", "levelling_down"}


def lasting(outcomes: pd.DataFrame, money: pd.DataFrame) -> pd.DataFrame:
    """How long each option must last, with the worth of a year drawn; money is spent, and gains fall, as the option has it."""
    return break_even(outcomes, money, NO_CHANGE.name, lambda pairs: worth_of(pairs["draw"].tolist(), 7, True))


def questions(outcomes: pd.DataFrame, options: tuple[Option, ...], pairs: int) -> dict[str, pd.DataFrame]:
    """Made-up answers about the first two options: parts that add up to less, and two steps that narrow the gap and widen it."""
    yearly = outcomes[(outcomes["window"] == 52) & outcomes["axis"].isin(["all", "imd_decile"])].reset_index(drop=True)
    values = ["inactive", "fairly_active", "active", "minutes"]
    base = yearly[yearly["scenario"] == NO_CHANGE.name]
    tenth = (pd.to_numeric(base["level"], errors="coerce").fillna(5.5).to_numpy()[:, None] - 5.5) / 4.5
    random = np.random.default_rng(11)
    alone, coalitions, players = [], [], {}
    for option in options[:2]:
        own = yearly[yearly["scenario"] == option.name]
        change = own[values].to_numpy() - base[values].to_numpy()
        noise = np.repeat(random.normal(0, 0.1, pairs), 1)[own["draw"].to_numpy()][:, None]

        def run(factor: Any, own: pd.DataFrame = own, change: np.ndarray = change) -> pd.DataFrame:
            return own.assign(**dict(zip(values, (base[values].to_numpy() + factor * change).T)))

        if len(option.interventions) > 1:
            alone += [run(f + noise * f).assign(part=part) for part, f in zip(option.interventions, (0.5, 0.3))]
        steps = {0: 0.6, 1: 0.9 - 0.3 * tenth, 2: 0.7 + 0.1 * tenth + noise / 4, 3: 1.0}
        coalitions += [run(f).assign(on=on) for on, f in steps.items()]
        players[option.name] = ("offered", "taken_up")
    ratios = [(o.name, d, d, w, s, a, b) for o in options[:2] for d in range(pairs) for w in o.interventions
              for s, a, b in (("taken_up", 0.8, 1.4),)]  # fmt: skip
    heads = ["scenario", "draw", "replicate", "intervention", "step", "step_endogenous", "step_residual"]
    found = {
        "ladder_shares": ladder_shares(yearly, pd.concat(coalitions), players, NO_CHANGE.name),
        "ladder_steps": pd.DataFrame(ratios, columns=heads),
    }
    return found | ({"interactions": interactions(yearly, pd.concat(alone), NO_CHANGE.name)} if alone else {})


def make(folder: Path, variant: str = "four") -> Path:
    """Write one of the named variants; those in LEAN have no groups beside deprivation, which is quicker."""
    return write_result(folder, **VARIANTS[variant], lean=variant in LEAN)


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


class _Maker:
    def __init__(self, options: tuple[Option, ...], pairs: int, seed: int, years: int, lean: bool = False) -> None:
        self.options, self.pairs, self.years, self.lean = options, pairs, years, lean
        self.random = np.random.default_rng(seed)
        self.ramp = 1 - np.exp(-np.arange(years + 1) / 2.5)
        self.ramp[0] = 0
        level = self.random.normal(0, 0.05, (pairs, 1, 1))
        tilt = self.random.normal(0, 0.05, (pairs, 1, 1)) * (MID - 0.5)
        trend = 0.004 * np.arange(years + 1)[None, :, None] * (0.5 - MID) * 2
        wobble = self.random.normal(0, 0.02, (pairs, years + 1, 10))
        self.base = _sigmoid(-0.62 - 0.78 * MID + level + tilt + trend + wobble)
        self.effect = np.stack([self._effect(option) for option in options])  # scenario, pair, year, decile; share
        self.deciles = self.base[None] + self.effect
        size = np.array([1.1, 1.1, 1.05, 1.0, 1.0, 1.0, 0.98, 0.95, 0.92, 0.9])
        self.size = size / size.sum()

    def _effect(self, option: Option) -> np.ndarray:
        if not option.interventions:
            return np.zeros_like(self.base)
        strength = self.random.normal(1, option.spread, (self.pairs, 1, 1)) if option.spread else 1.0
        ends = np.array([option.most, option.least]) + self.random.normal(0, option.jitter, (self.pairs, 2))
        along = (1 - MID) ** option.curve
        shape = ends[:, :1] * along + ends[:, 1:] * (1 - along)
        noise = self.random.normal(0, 0.08, (self.pairs, self.years + 1, 10)) * (self.ramp > 0)[None, :, None]
        return (shape[:, None, :] * strength * self.ramp[None, :, None] + noise) / 100

    def _keys(self, s: int, week: int) -> dict[str, Any]:
        number = np.arange(self.pairs)
        return {"scenario": self.options[s].name, "draw": number, "replicate": number, "week": week}

    def levels(self) -> dict[tuple[str, str, str], tuple[np.ndarray, float]]:
        """Inactive share (scenario, pair, year) and share of residents for each (age group, axis, level)."""
        everyone = (self.deciles * self.size).sum(-1)
        overall = (self.effect * self.size).sum(-1)
        found = {("adult", "all", "all"): (everyone, ADULTS)}
        for d in range(10):
            found[("adult", "imd_decile", str(d + 1))] = (self.deciles[..., d], ADULTS * self.size[d])
        for f in range(5):
            pair = self.deciles[..., 2 * f : 2 * f + 2].mean(-1)
            found[("adult", "imd_fifth", str(f + 1))] = (pair, ADULTS * self.size[2 * f : 2 * f + 2].sum())
        if self.lean:
            return found
        for axis, levels in GROUPS.items():
            for name, (share, inactive, times) in levels.items():
                drift = self.random.normal(0, 0.01, (1, self.pairs, self.years + 1))
                found[("adult", axis, name)] = (inactive + drift + times * overall + self._small(share), ADULTS * share)
        for name, share, inactive, times in (("low", 0.3, 0.36, 0.6), ("medium", 0.4, 0.30, 0.5), ("high", 0.3, 0.24, 0.5)):
            found[("child", "affluence", name)] = (inactive + times * overall + self._small(0.1), (1 - ADULTS) * 0.7 * share)
        for k, (name, share) in enumerate(AUTHORITIES.items()):
            times = 1.3 - 0.2 * k
            found[("adult", "local_authority", name)] = (0.27 - 0.01 * k + times * overall, ADULTS * share)
        return found

    def _small(self, share: float) -> np.ndarray:
        """Chance in small groups, none in the scenario without interventions nor before the start."""
        noise = self.random.normal(0, 0.0012 / np.sqrt(share), (len(self.options), self.pairs, self.years + 1))
        return noise * (self.ramp > 0) * np.array([bool(o.interventions) for o in self.options])[:, None, None]

    def _grid(self) -> dict[str, Any]:
        """Keys of a table with a row per scenario, pair and year, in that order."""
        shape = (len(self.options), self.pairs, self.years + 1)
        s, pair, year = (axis.ravel() for axis in np.indices(shape))
        names = np.array([option.name for option in self.options])
        return {"scenario": names[s], "draw": pair, "replicate": pair, "week": 52 * year, "window": 52}

    def outcomes(self) -> pd.DataFrame:
        frames, keys = [], self._grid()
        for (age_group, axis, level), (inactive, share) in self.levels().items():
            low = inactive.ravel()
            frames.append(
                pd.DataFrame(
                    keys
                    | {
                        "age_group": age_group, "axis": axis, "level": level, "agents": round(PLACE_AGENTS * share),
                        "residents": PLACE_RESIDENTS * share, "inactive": low, "fairly_active": 0.11 + 0.02 * low,
                        "active": 0.89 - 1.02 * low, "minutes": 420 - 500 * low,
                    }
                )
            )  # fmt: skip
        table = pd.concat(frames, ignore_index=True)
        monthly = table[table["axis"] == "all"].assign(window=4, inactive=0.99)  # must not be mistaken for yearly rows
        table = pd.concat([table, monthly], ignore_index=True)
        for domain in words.DOMAINS:
            table[f"minutes_{domain.name}"] = table["minutes"] / 6
        return table

    def gaps(self) -> pd.DataFrame:
        share = self.size
        mid = np.cumsum(share) - share / 2
        y = self.deciles
        mean = (share * y).sum(-1)
        slope = (share * (mid - 0.5) * y).sum(-1) / (share * (mid - 0.5) ** 2).sum()
        top, bottom = mean - 0.5 * slope, mean + 0.5 * slope
        one, ten = y[..., 0], y[..., 9]
        measures = {
            "absolute": one - ten, "relative": one / ten, "odds_ratio": one / (1 - one) / (ten / (1 - ten)), "sii": -slope,
            "rii": top / bottom, "erreygers": -4 * slope / 6,
        }  # fmt: skip
        fixed = {"age_group": "adult", "axis": "imd_decile", "outcome": "inactive"}
        frames = [pd.DataFrame(self._grid() | fixed | {"measure": m, "value": v.ravel()}) for m, v in measures.items()]
        return pd.concat(frames, ignore_index=True)

    def money(self) -> pd.DataFrame:
        frames = []
        for s, option in enumerate(self.options):
            for year in range(1, self.years + 1):
                for k, name in enumerate(option.interventions):
                    for payer, part in zip(PAYERS, (0.62, 0.3, 0.08)):
                        yearly = option.pounds * PLACE_RESIDENTS * part / len(option.interventions)
                        short = 0.12 if k else 0.0
                        frames.append(
                            pd.DataFrame(
                                {k: v for k, v in self._keys(s, 0).items() if k != "week"}
                                | {
                                    "year": year, "intervention": name, "payer": payer,
                                    "spent": yearly * self.random.normal(1 - short, 0.03, self.pairs),
                                    "delivered": 40_000.0 * part * (1 - short), "undelivered": 40_000.0 * part * short,
                                    "unit": "places" if k else "sessions",
                                }
                            )
                        )  # fmt: skip
        columns = ["scenario", "draw", "replicate", "year", "intervention", "payer", "spent", "delivered", "undelivered", "unit"]
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)

    def winners(self) -> pd.DataFrame:
        frames = []
        for (age_group, axis, level), (inactive, share) in self.levels().items():
            for s, option in enumerate(self.options):
                if not option.interventions:
                    continue
                residents = PLACE_RESIDENTS * share
                net = -1.02 * (inactive[s, :, -1] - inactive[0, :, -1]) * residents
                churn = np.abs(self.random.normal(0.006, 0.0008, self.pairs)) * residents
                start, stop = churn + np.maximum(net, 0), churn + np.maximum(-net, 0)
                frames.append(
                    pd.DataFrame(
                        self._keys(s, 52 * self.years)
                        | {
                            "age_group": age_group, "axis": axis, "level": level, "residents": residents, "newly_active": start,
                            "no_longer_active": stop, "newly_not_inactive": 0.9 * start, "newly_inactive": 0.9 * stop,
                        }
                    )
                )  # fmt: skip
        return pd.concat(frames, ignore_index=True)

    def contributions(self) -> pd.DataFrame:
        frames = []
        gaps = self.gaps()
        last = gaps[(gaps["week"] == 52 * self.years) & (gaps["measure"] == "sii")]
        base = last[last["scenario"] == self.options[0].name]["value"].to_numpy()
        parts = np.array([0.52, 0.24, 0.16, 0.10, 0.03, -0.05])
        for s, option in enumerate(self.options):
            if not option.interventions:
                continue
            change = last[last["scenario"] == option.name]["value"].to_numpy() - base
            for (name, share), part in zip(AUTHORITIES.items(), parts):
                noise = self.random.normal(0, 0.15, self.pairs)
                fewer = -(self.effect[s, :, -1] * self.size).sum(-1) * PLACE_RESIDENTS * ADULTS * (0.5 * share + 0.5 * part)
                frames.append(
                    pd.DataFrame(
                        self._keys(s, 52 * self.years)
                        | {
                            "local_authority": name, "residents": PLACE_RESIDENTS * share,
                            "fewer_inactive": fewer * (1 + noise), "gap_contribution": change * part * (1 + noise),
                        }
                    )
                )  # fmt: skip
        return pd.concat(frames, ignore_index=True)

    def ladder(self) -> pd.DataFrame:
        frames = []
        steps = {"offered": 1.0, "taken_up": 0.22, "adhering": 0.6, "responding": 0.7, "upkeep": 0.45}
        for option in self.options:
            for name in option.interventions:
                reach = 90_000.0 * np.array([1.6, 1.25, 1.0, 0.8, 0.65] if option.most < option.least else [1, 1, 1, 1, 1])
                for step, share in steps.items():
                    reach = reach * share * (1 + 0.02 * np.arange(-2, 3))
                    for fifth in range(5):
                        frames.append(
                            pd.DataFrame(
                                {
                                    "scenario": option.name, "draw": np.arange(self.pairs), "intervention": name, "step": step,
                                    "fifth": fifth + 1, "reached": reach[fifth] * self.random.normal(1, 0.05, self.pairs),
                                    "endogenous_ratio": 0.86, "residual_ratio": 0.93, "total_ratio": 0.86 * 0.93,
                                }
                            )
                        )  # fmt: skip
        columns = [
            "scenario",
            "draw",
            "intervention",
            "step",
            "fifth",
            "reached",
            "endogenous_ratio",
            "residual_ratio",
            "total_ratio",
        ]
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)

    def manifest(self) -> dict[str, Any]:
        names = ["Inactive, adults, England", "Active, adults, England", "Gap between tenths, England", "Inactive, 75 and over"]
        names += [f"Inactive, {d} tenth" for d in ("first", "second", "fifth", "ninth", "last")]
        targets = [
            {"name": n, "target": 0.25, "low": 0.235, "high": 0.265, "fitted": 0.25 + 0.004 * (k - 3), "within": abs(k - 3) < 4}
            for k, n in enumerate(names)
        ]
        return {
            "movesim": "0.1.0", "python": "3.11.7", "packages": {"numpy": "2.2", "mesa": "3.3.1"}, "command": "compare",
            "command_line": "movesim compare scenarios=[proportionate,target_fifth,walking_routes,universal_app] place=testshire",
            "created": "2026-11-21T10:20:30", "seed": 20261, "draws": "fitted ensemble", "replicates": self.pairs,
            "years": self.years, "start_year": 2026,
            "place": {
                "name": "testshire", "title": "Testshire (made up)", "agents": PLACE_AGENTS, "residents": PLACE_RESIDENTS,
                "neighbourhoods": 1357, "notes": ["The people are drawn from published tables; no real person is in them."],
            },
            "areas": list(AUTHORITIES),
            "scenarios": [
                {
                    "name": o.name, "title": o.title, "summary": f"A made-up plan: {o.slogan.lower()}.", "slogan": o.slogan,
                    "pounds_per_resident_a_year": o.pounds,
                    "budget_text": f"£{o.pounds * PLACE_RESIDENTS / 1e6:.1f} million a year",
                    "interventions": list(o.interventions), "payers": {},
                }
                for o in self.options
            ],
            "guards": [
                {"name": "placebo", "passed": True, "detail": "A dose of nothing equals no change, bit for bit."},
                {"name": "before the start", "passed": True, "detail": "No option differs from no change before week 1."},
            ],
            "fit": {"targets": targets}, "seconds": 112.4, "fingerprint": "4f41ab90", "model_id": "m-77", "data_hashes": {},
            "warnings": ["Two settings were at the edge of their range."],
        }  # fmt: skip


def compare(outcomes: pd.DataFrame, gaps: pd.DataFrame) -> pd.DataFrame:
    """Pair every option with no change and summarise, as a study does."""
    long = outcomes[outcomes["window"] == 52].melt(
        id_vars=["scenario", "draw", "replicate", "week", "window", "age_group", "axis", "level"],
        value_vars=["inactive", "fairly_active", "active", "minutes"], var_name="outcome",
    ).assign(measure="level")  # fmt: skip
    both = pd.concat([gaps.assign(level=""), long], ignore_index=True)
    keys = ["age_group", "axis", "outcome", "measure", "level", "week", "window"]
    base = both[both["scenario"] == "no_change"].drop(columns="scenario").rename(columns={"value": "was"})
    merged = both[both["scenario"] != "no_change"].merge(base, on=[*keys, "draw", "replicate"])
    merged["d"] = merged["value"] - merged["was"]
    merged["worse_if_up"] = (merged["measure"] != "level") | (merged["outcome"] == "inactive")
    merged["better"] = np.where(merged["worse_if_up"], merged["d"] < 0, merged["d"] > 0)
    groups = merged.groupby(["scenario", *keys], sort=False)
    quantiles = groups["d"].quantile([0.05, 0.25, 0.5, 0.75, 0.95]).unstack()  # noqa: PD010
    table = pd.DataFrame(
        {
            "baseline": groups["was"].median(), "difference": quantiles[0.5], "mean_difference": groups["d"].mean(),
            "low": quantiles[0.05], "high": quantiles[0.95], "low50": quantiles[0.25], "high50": quantiles[0.75],
            "mc_error": groups["d"].std(ddof=1) / np.sqrt(groups["d"].count()), "probability": groups["better"].mean(),
            "pairs": groups["d"].count(),
        }
    )  # fmt: skip
    return table.reset_index()


def assumptions() -> pd.DataFrame:
    """A ledger of a dozen made-up settings."""
    rows = []
    statuses = ("read", "computed", "recalled", "assumed", "read", "computed")
    for k in range(15):
        status = statuses[k % 6]
        rows.append(
            {
                "path": f"behaviour.setting_{k}", "meaning": f"Made-up setting number {k}, what it does in one line",
                "value": 10.0 + k, "low": 5.0 + k if k % 4 else np.nan, "high": 20.0 + k if k % 4 else np.nan,
                "distribution": "two_piece_normal" if k % 4 else "fixed", "unit": "minutes a week", "status": status,
                "grade": "ABCD"[k % 4], "source": "A made-up survey, 2025" if status != "assumed" else "Judgement",
                "ids": f"A{k:03d}", "used_by": "proportionate" if k % 2 else "",
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


if __name__ == "__main__":
    print(make(Path(sys.argv[1]), *sys.argv[2:3]))
