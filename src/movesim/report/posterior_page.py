"""A calibration's page: how its targets are met, what it learned, and what it cannot tell."""

from __future__ import annotations

import os
from pathlib import Path

import yaml

from movesim.report import say
from movesim.report.figures.learned import learned, met
from movesim.report.style import Chart
from movesim.report.validation_page import plain_page

CANNOT = (
    "Meeting targets is not being right: figures that were never fitted are scored by movesim validate.",
    "Targets are taken as independent of each other, though shares of one survey are not.",
    "Errors of the stand-in are held-out errors over the last wave; at the edges of the posterior they may be larger.",
)


def build_posterior_report(file: Path | str, folder: Path | str) -> Path:
    """Write report.html and figures/ about a posterior's YAML file into a folder and return the path of the page."""
    told = yaml.safe_load(Path(file).read_text(encoding="utf-8"))
    folder = Path(folder)
    (folder / "figures").mkdir(parents=True, exist_ok=True)
    drawn = [met(told), learned(told)]
    charts = [chart for chart in drawn if isinstance(chart, Chart)]
    svgs = {chart.name: chart.svg() for chart in charts}
    for chart in charts:
        (folder / "figures" / f"{chart.name}.svg").write_text(svgs[chart.name], encoding="utf-8")
        (folder / "figures" / f"{chart.name}.png").write_bytes(chart.png())
    fitted = [row for row in told["targets"] if row["role"] == "fit"]
    inside, close = sum(row["inside"] for row in fitted), sum(row["within_spread"] for row in fitted)
    still = len(told["identifiability"]["open"])
    first = f"The posterior's 90% intervals hold {inside} of {say.count(len(fitted), 'fitted target')}."
    more = f"The mean of {close} is within the target's spread. {say.count(still, 'number')} stay as open as their priors."
    last = told["waves"][-1]
    cards = [
        {"big": f"{inside}/{len(fitted)}", "small": "targets inside the posterior's 90% interval", "worse": inside < len(fitted)},
        {"big": f"{close}/{len(fitted)}", "small": "means within the target's spread", "worse": close < 0.9 * len(fitted)},
        {"big": f"{last['stand_in_error']:.2f}", "small": "median held-out error of the stand-in, in spreads of the targets",
         "worse": last["stand_in_error"] > 1},
    ]  # fmt: skip
    about = [
        ("Made by", f"{told['command']} on {told['made']}"),
        ("Method", told["method"]),
        ("Waves", "; ".join(", ".join(f"{k.replace('_', ' ')} {v}" for k, v in wave.items()) for wave in told["waves"])),
        ("Stay open", ", ".join(told["identifiability"]["open"])),
    ]
    half = folder / ".report.html.part"
    half.write_text(plain_page("calibration", first, more, cards, drawn, svgs, CANNOT, about), encoding="utf-8")
    os.replace(half, folder / "report.html")
    return folder / "report.html"
