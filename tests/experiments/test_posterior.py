"""The posterior's machinery on problems whose answer is known: the space, the stand-in, the sampler, recovery, and the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from movesim.behaviour.rules import behaviour_ledger
from movesim.errors import InputError
from movesim.evidence import Parameter
from movesim.experiments import posterior as posterior_module
from movesim.experiments import targets as published
from movesim.experiments.emulator import fit_emulator, fit_networks, important
from movesim.experiments.identify import identifiability
from movesim.experiments.likelihood import Posterior, Scale, worst_but_one
from movesim.experiments.posterior import Bench, Size, calibrate_posterior, design, summary
from movesim.experiments.recovery import recover
from movesim.experiments.sampling import sample
from movesim.experiments.unknowns import Unknowns
from movesim.report.posterior_page import build_posterior_report
from movesim.settings import CalibrateSettings

KINDS = (
    Parameter("a", 2.0, "uniform", 1.0, 3.0), Parameter("b", 5.0, "normal", 4.0, 6.0), Parameter("c", 2.0, "lognormal", 1.0, 4.0),
    Parameter("d", 0.4, "triangular", 0.1, 0.9), Parameter("e", 0.3, "beta", 0.1, 0.5),
    Parameter("f", 1.0, "two_piece_normal", 0.0, 5.0),
)  # fmt: skip


# --- the space --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("z", [-2.0, 0.0, 1.3])
def test_a_coordinate_is_the_quantile_of_its_prior_and_back(z: float) -> None:
    from scipy.stats import norm

    space = Unknowns(KINDS)
    values = space.values(np.full(len(space), z))
    assert np.allclose(values, [p.quantile(float(norm.cdf(z))) for p in KINDS], rtol=1e-6)
    assert np.allclose(space.coordinates(dict(zip(space.paths, values, strict=True))), z, atol=0.01)


def test_what_is_outside_a_range_is_read_as_its_end() -> None:
    space = Unknowns(KINDS[:1])
    assert abs(space.coordinates({"a": 99.0})[0]) <= 4
    assert np.allclose(space.values(np.array([[60.0], [4.0]])), space.values(np.array([[4.0]])))
    assert space.scaled(np.zeros((2, 1))).tolist() == [[0.0], [0.0]]


def test_the_space_holds_every_number_with_a_range() -> None:
    ledger = behaviour_ledger()
    space = Unknowns.of(ledger)
    assert {p.status for p in space.parameters} >= {"computed", "assumed"}
    assert {"gradient.capability", "gradient.opportunity", "gradient.total"} <= set(space.paths)
    assert space.only(("gradient.total",)).paths == ("gradient.total",)


# --- the scale --------------------------------------------------------------------------------------------------------
def test_the_scale_goes_there_and_back_and_carries_spreads() -> None:
    targets = published.read_targets()
    scale = Scale.of(targets)
    value = np.array([[t.value for t in targets]])
    assert np.allclose(scale.back(scale.there(value)), value)
    up = scale.there(value + np.array([[t.spread for t in targets]]) * 1e-3) - scale.there(value)
    assert np.allclose(up[0] / 1e-3, scale.spread, rtol=0.01)
    assert len(scale.only(np.arange(len(targets)) < 3).names) == 3


def test_implausibility_is_of_the_second_worst_target() -> None:
    assert worst_but_one(np.array([[1.0, 5.0, 9.0]]), np.zeros(3), np.ones(3)).tolist() == [5.0]
    assert worst_but_one(np.array([[4.0]]), np.zeros(1), np.ones(1)).tolist() == [4.0]


# --- the stand-in -----------------------------------------------------------------------------------------------------
def curved(x: np.ndarray) -> np.ndarray:
    return np.stack([1 + x[:, 0] - 2 * x[:, 1] + x[:, 0] * x[:, 1], 0.5 * x[:, 2] ** 2 - x[:, 1]], axis=1)


def test_a_quadratic_is_found_whatever_the_chance_of_a_replicate_adds() -> None:
    x = design(4, 256, 1)
    replicate = np.arange(256) % 2
    y = curved(x) + np.where(replicate == 0, 0.3, -0.3)[:, None]
    found = fit_emulator(x, y, replicate, np.arange(3), networks=False)
    assert (found.error < 0.02).all()
    new = design(4, 64, 2)
    assert np.allclose(found.predict(new), curved(new), atol=0.05)
    slope = found.quadratic.slope(np.zeros(4))
    assert np.allclose(slope, [[1, -2, 0, 0], [0, -1, 0, 0]], atol=0.02)


def test_its_error_is_that_of_runs_it_has_not_seen() -> None:
    x, r = design(6, 256, 1), np.random.default_rng(0)
    y = x[:, :1] + r.normal(0, 0.5, (256, 1))
    found = fit_emulator(x, y, np.zeros(256, int), np.arange(6), networks=False)
    assert 0.45 < found.error[0] < 0.65
    close = fit_emulator(x, y, np.zeros(256, int), np.arange(6), networks=False, close=np.abs(x[:, 0]) < 1)
    assert close.error[0] != found.error[0]


def test_important_numbers_are_those_that_move_targets() -> None:
    x = design(8, 128, 1)
    y = np.stack([3 * x[:, 5] + 0.01 * x[:, 0], 2 * x[:, 2]], axis=1)
    assert important(x, y, np.ones(2), 2).tolist() == [2, 5]


def test_networks_are_kept_where_they_are_better() -> None:
    x = design(2, 256, 1)
    y = np.stack([np.sin(2.5 * x[:, 0]), x[:, 1]], axis=1)
    found = fit_emulator(x, y, np.zeros(256, int), np.arange(2))
    assert found.by_network.tolist()[0] and found.errors["networks"][0] < found.errors["quadratic"][0]
    assert np.sqrt(np.mean((found.predict(x)[:, 0] - y[:, 0]) ** 2)) < 0.5
    assert fit_networks(x, y, np.zeros(256, int), (0,)).predict(x).shape == (256, 2)


# --- the sampler ------------------------------------------------------------------------------------------------------
A = np.array([[1.0, 0.5, 0.0], [0.0, 1.0, -1.0]])


def linear(error: float = 0.3) -> Posterior:
    return Posterior(lambda z: z @ A.T, np.array([0.8, -0.4]), np.full(2, error))


def test_draws_have_the_known_mean_and_spread() -> None:
    density = linear()
    covariance = np.linalg.inv(A.T @ A / 0.09 + np.eye(3))
    mean = covariance @ A.T @ density.goal / 0.09
    found = sample(density, np.zeros(3), 2_500, 8_000, seed=1)
    assert np.allclose(found.mode, mean, atol=1e-4)
    assert np.allclose(found.draws.mean(axis=0), mean, atol=0.05)
    assert np.allclose(np.cov(found.draws.T), covariance, atol=0.06)
    assert 0.1 < found.acceptance < 0.9 and found.rhat < 1.05 and found.effective > 100
    again = sample(density, np.zeros(3), 200, 50, seed=1)
    assert np.array_equal(again.draws, sample(density, np.zeros(3), 200, 50, seed=1).draws)


def test_truths_are_inside_their_intervals_as_often_as_they_say() -> None:
    found = recover(linear(), 3, 25, 200, seed=5)
    assert found.truths == 25 and found.numbers == 3
    assert found.within()
    # intervals of somebody who believes errors to be a third of what they are hold less
    narrow = linear(0.1)
    bold = Posterior(narrow.predict, narrow.goal, narrow.error)
    told = np.random.default_rng(1).standard_normal((10, 3))
    held = []
    for i, truth in enumerate(told):
        goal = truth @ A.T + 0.6 * np.random.default_rng(i).standard_normal(2)
        draws = sample(Posterior(bold.predict, goal, bold.error), truth, 200, 500, i).draws
        low, high = np.quantile(draws @ A.T, (0.05, 0.95), axis=0)
        held.append((low <= truth @ A.T) & (truth @ A.T <= high))
    assert np.mean(held) < 0.75


# --- what is learned --------------------------------------------------------------------------------------------------
def test_what_is_learned_and_what_trades_off_is_told() -> None:
    r = np.random.default_rng(0)
    z = r.standard_normal((2_000, 6))
    z[:, 1] = 0.1 * z[:, 1]
    z[:, 3] = -0.9 * z[:, 2] + np.sqrt(1 - 0.81) * z[:, 3]
    found = identifiability(Unknowns(KINDS), z)
    assert [row["path"] for row in found["learned"]] == ["b"]
    assert found["trade_offs"][0]["correlation"] == pytest.approx(-0.9, abs=0.03)
    assert {found["trade_offs"][0]["one"], found["trade_offs"][0]["other"]} == {"c", "d"}
    assert "e" in found["open"]


# --- the whole --------------------------------------------------------------------------------------------------------
def test_a_posterior_is_drawn_run_and_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a model that is linear on the targets' own scale; the real one takes most of an hour."""
    targets = published.read_targets()
    scale = Scale.of(targets)
    k = len(Unknowns.of(behaviour_ledger()))
    slope = np.random.default_rng(3).standard_normal((k, len(targets))) * 0.1 * (np.arange(k) % 8 == 0)[:, None]

    def run(self: Bench, z: np.ndarray, replicate: np.ndarray, what: str) -> np.ndarray:
        return scale.back(scale.goal + z @ slope + 0.02 * (replicate - 0.5)[:, None])

    monkeypatch.setattr(Bench, "run", run)
    monkeypatch.setattr(posterior_module, "QUICK", Size((200, 120), 60, False))
    monkeypatch.setattr(posterior_module, "cache_folder", lambda *parts: tmp_path.joinpath(*parts))
    settings = CalibrateSettings(method="posterior", quick=True, keep=40, quiet=True, out=tmp_path / "to")
    path = calibrate_posterior(settings)
    frame = pd.read_parquet(path)
    assert frame["draw"].tolist() == [-1, *range(40)]
    assert set(behaviour_ledger()) <= set(frame.columns)
    told: dict[str, Any] = yaml.safe_load(path.with_suffix(".yaml").read_text(encoding="utf-8"))
    rows = [row for row in told["targets"] if row["role"] == "fit"]
    assert sum(row["inside"] for row in rows) >= 0.6 * len(rows)
    assert len(told["waves"]) == 2 and told["waves"][-1]["stand_in_error"] < 8
    assert told["identifiability"]["learned"] and told["identifiability"]["open"]
    assert f"Of {len(rows)} fitted targets" in summary(told)
    page = build_posterior_report(path.with_suffix(".yaml"), path.parent).read_text(encoding="utf-8")
    assert f"of {len(rows)} fitted targets" in page and "Stay open" in page and "Are the targets met?" in page


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posterior_module, "find_spec", lambda name: None if name == "emcee" else object())
    with pytest.raises(InputError, match=r"method=posterior needs emcee; install them with: pip install 'movesim\[calibrate\]'"):
        calibrate_posterior(CalibrateSettings(method="posterior"))


@pytest.mark.slow
def test_the_model_itself_calibrated_quickly(tmp_path: Path) -> None:
    """The quick posterior on a small England: most targets met on the model, and as open or narrower than the prior."""
    settings = CalibrateSettings(method="posterior", quick=True, keep=30, people=5_000, quiet=True, out=tmp_path)
    path = calibrate_posterior(settings)
    told = yaml.safe_load(path.with_suffix(".yaml").read_text(encoding="utf-8"))
    rows = [row for row in told["targets"] if row["role"] == "fit"]
    assert sum(row["inside"] for row in rows) >= 0.8 * len(rows)
    assert told["identifiability"]["learned"]
