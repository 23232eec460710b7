"""The pages of a sweep, from made-up tables: what is drawn, what is said, what is refused."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from movesim.errors import InputError
from movesim.report import build_report, figure, terminal_summary
from movesim.report.sweep import changes, chart, plot

EFFECT, GAIN = "scenarios.routes.effect", "behaviour.habit.gain"
TITLES = {"baseline": "No change", "routes": "Walking, wheeling and cycling routes", "leaders": "Community leaders"}


def made_up(folder: Path, points: list[dict[str, float]], pairs: int = 6) -> Path:
    """Write a sweep in which the gap falls with the effect and rises a little with the gain."""
    r, rows = np.random.default_rng(1), []
    for number, point in enumerate(points):
        for i, scenario in product(range(pairs), ("routes", "leaders")):
            change = (
                -0.0008 * point[EFFECT] * (1 if scenario == "routes" else 0.4) + 0.004 * point.get(GAIN, 0) + r.normal(0, 0.001)
            )
            head = {"point": number, "draw": i, "replicate": i, **point, "scenario": scenario, "age_group": "adult"}
            cell = {"axis": "imd_decile", "outcome": "inactive", "measure": "sii", "level": "", "week": 104}
            rows.append({**head, **cell, "value": 0.2 + change, "change": change})
            cell = {"axis": "all", "outcome": "minutes", "measure": "level", "level": "all", "week": 104}
            rows.append({**head, **cell, "value": 150 - 100 * change, "change": -100 * change})
    folder.mkdir()
    pd.DataFrame(rows).to_parquet(folder / "sweep.parquet", index=False)
    manifest = {
        "command": "sweep", "command_line": "movesim sweep ...", "years": 2, "swept": sorted(points[0]), "points": len(points),
        "runs": pairs * len(points), "failed": 0, "place": {"title": "Testshire"},
        "scenarios": [{"name": name, "title": title} for name, title in TITLES.items()],
    }  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    points = [{EFFECT: e, GAIN: g} for e, g in product((5.0, 10.0, 20.0), (0.1, 0.2, 0.4))]
    return made_up(tmp_path_factory.mktemp("report") / "grid", points)


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_up(tmp_path_factory.mktemp("report") / "line", [{EFFECT: float(e)} for e in (5, 10, 15, 20)])


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Path:
    r = np.random.default_rng(2)
    return made_up(
        tmp_path_factory.mktemp("report") / "cloud", [{EFFECT: r.uniform(5, 20), GAIN: r.uniform(0, 1)} for _ in range(128)], 1
    )


def test_changes_are_means_over_pairs_in_points(line: Path) -> None:
    table = changes(line, scenario="routes")
    assert table[EFFECT].tolist() == [5, 10, 15, 20] and set(table["pairs"]) == {6}
    assert table["change"].to_numpy() == pytest.approx([-0.4, -0.8, -1.2, -1.6], abs=0.15)
    assert (table["low"] < table["change"]).all() and (table["mc_error"] < 0.1).all()
    assert changes(line, "adult.all.minutes.all")["change"].max() < 2  # minutes are not made points


@pytest.mark.parametrize("name", ["line", "grid", "cloud"])
def test_a_page_is_written_with_a_chart_a_number(name: str, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(name)
    page = build_report(folder).read_text(encoding="utf-8")
    count = 1 if name == "line" else 3
    assert page.count("<svg") == count == len(list((folder / "figures").glob("sweep-*.png")))
    assert "Testshire" in page and "http://" not in page.replace("http://www.w3.org", "")
    told = terminal_summary(folder)
    assert "routes: the gap changes by -1." in told and max(map(len, told.splitlines())) <= 79
    assert figure(folder, EFFECT).axes


def test_any_outcome_is_drawn_against_two_numbers(grid: Path) -> None:
    path = plot(grid, x=EFFECT, y=GAIN, outcome="adult.all.minutes.all", scenario="leaders", week="104")
    assert path.is_file() and path.name.startswith("sweep-adult.all.minutes.all-leaders-104-")
    drawn = chart(grid, EFFECT, GAIN)
    assert drawn.headline.startswith("Walking, wheeling and cycling routes: from \u22121.") and "by scenarios." in drawn.subtitle
    assert len(drawn.data) == 9 and drawn.figure().axes


def test_what_was_not_swept_is_refused(grid: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"'behaviour\.habit\.gian' was not swept here\. Did you mean 'behaviour\.habit\.gain'"):
        chart(grid, "behaviour.habit.gian")
    with pytest.raises(InputError, match="is not the result of a sweep; x=, y= and outcome= are for sweeps"):
        plot(tmp_path, x=EFFECT)
    with pytest.raises(InputError, match=r"This sweep has no outcome 'sex' in that week; an example is adult\."):
        changes(grid, "sex")


def test_shocks_that_struck_every_run_are_named(line: Path, tmp_path: Path) -> None:
    folder = made_up(tmp_path / "struck", [{EFFECT: 5.0}, {EFFECT: 10.0}])
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**manifest, "shocks": [{"title": "Pandemic"}]}))
    assert "In every run, no change included: pandemic." in terminal_summary(folder)
    assert "In every run, no change included: pandemic." in build_report(folder).read_text(encoding="utf-8")
    assert "In every run" not in terminal_summary(line)
