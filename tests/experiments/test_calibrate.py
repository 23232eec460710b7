"""The fit's arithmetic on problems whose answer is known, and the targets' file."""

from __future__ import annotations

import numpy as np
import pytest

from movesim.behaviour.rules import behaviour_ledger
from movesim.config import conf_folder
from movesim.errors import InputError
from movesim.experiments import targets as published
from movesim.experiments.calibrate import Fit, Space, finite_differences, gauss_newton


def space(n: int) -> Space:
    return Space(tuple("abcdef"[:n]), np.zeros(n), np.full(n, 10.0), np.full(n, -50.0), np.full(n, 50.0))


def test_a_linear_problem_is_solved_to_its_known_answer() -> None:
    A = np.array([[2.0, 1.0], [0.5, -1.0], [1.0, 1.0]])
    truth = np.array([1.5, -2.0])
    goal, spread, s = A @ truth, np.full(3, 0.01), space(2)
    start = Fit(np.zeros(2), np.zeros(3), np.inf)
    J = finite_differences(lambda x: A @ x, start, s)
    assert np.allclose(J, A)
    best, _ = gauss_newton(lambda x: A @ x, start, s, s.centre, goal, spread, J, 12)
    # the prior (sd 10) pulls by less than a thousandth against targets known to 0.01
    assert np.allclose(best.x, truth, atol=2e-3)


def test_derivatives_from_elsewhere_are_mended_on_the_way() -> None:
    curve = lambda x: np.array([np.exp(0.3 * x[0]), x[0] + x[1] ** 3 / 10])  # noqa: E731
    truth, s = np.array([1.0, 2.0]), space(2)
    start = Fit(np.array([0.2, 1.2]), curve(np.array([0.2, 1.2])), np.inf)
    J = finite_differences(curve, Fit(truth, curve(truth), np.inf), Space(s.paths, s.centre, np.full(2, 0.5), s.low, s.high))
    best, _ = gauss_newton(curve, start, s, s.centre, curve(truth), np.full(2, 0.01), J, 25)
    assert np.allclose(best.x, truth, atol=0.02)


def test_the_objective_never_rises() -> None:
    rough = lambda x: np.array([np.sin(3 * x[0]) + 0.1 * x[0]])  # noqa: E731
    s = space(1)
    start = Fit(np.array([0.1]), rough(np.array([0.1])), np.inf)
    J = finite_differences(rough, start, s)
    best, _ = gauss_newton(rough, start, s, s.centre, np.array([0.7]), np.array([0.1]), J, 8)
    first = ((start.measured - 0.7) / 0.1) ** 2 + (start.x / 10) ** 2
    assert best.objective <= float(first[0])


def test_only_computed_numbers_are_fitted_and_stay_inside_their_ends() -> None:
    s, ledger = Space.of(behaviour_ledger()), behaviour_ledger()
    assert {ledger[p].status for p in s.paths} == {"computed"}
    assert (s.low < s.centre).all()
    assert (s.centre < s.high).all()


def test_targets_have_sources_and_roles() -> None:
    found = published.read_targets()
    assert {t.role for t in found} == {"fit", "held_out"}
    assert all(t.ids and t.status in ("read", "computed", "assumed") for t in found)
    fit, check = ({i for t in found if t.role == r for i in t.ids} for r in ("fit", "held_out"))
    assert not fit & check, "a figure cannot be both fitted and checked"


def test_a_wrong_target_is_refused_with_its_line(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "calibration").mkdir()
    text = (conf_folder() / "calibration" / "targets.yaml").read_text(encoding="utf-8")
    for wrong, sentence in (
        (text.replace("estimator: no_minutes", "estimator: no_minuets"), r"targets.yaml:\d+:\d+: the estimator must be share"),
        (text.replace("role: held_out", "role: hold_out", 1), r"the role must be fit or held_out, got 'hold_out'"),
        (text.replace("spread: 0.004", "sprad: 0.004", 1), r"a target has no key 'sprad'"),
    ):
        (tmp_path / "calibration" / "targets.yaml").write_text(wrong, encoding="utf-8")
        monkeypatch.setattr(published, "conf_folder", lambda: tmp_path)
        with pytest.raises(InputError, match=sentence):
            published.read_targets()
