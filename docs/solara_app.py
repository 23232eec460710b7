"""A place in the browser, week by week: its neighbourhoods, inactivity and the gap, with a plan and without.

    solara run docs/solara_app.py

Both lines of a chart share every draw, so what lies between them is what the plan did.
"""

from __future__ import annotations

from typing import Any

import mesa
import numpy as np
import solara
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from mesa.visualization import Slider, SolaraViz, make_plot_component
from mesa.visualization.utils import update_counter

from movesim import ActivityModel
from movesim.interventions.files import list_scenarios
from movesim.words import ADULT_FROM, ADULT_LIMITS

PLAN, PLAIN = "#12436D", "#A285D1"


class Watched(ActivityModel):
    """A model with a collector and, beside it, the same people without the plan."""

    def __init__(
        self, *, people: int = 2_000, seed: int = 1, plan: str = "community_leaders", place: str = "nottinghamshire_derbyshire"
    ) -> None:
        super().__init__(place=place, people=people, seed=seed, plan=plan)
        self.plain = ActivityModel(place=place, people=people, seed=seed)
        self.datacollector = mesa.DataCollector(
            {
                "inactive": "inactive",
                "gap": "gap",
                "inactive, no plan": lambda model: model.plain.inactive,
                "gap, no plan": lambda model: model.plain.gap,
                "added": lambda model: model.minutes - model.plain.minutes,
            }
        )
        self.datacollector.collect(self)

    def step(self) -> None:
        """Advance both by one week and write it down."""
        super().step()
        self.plain.step()
        self.datacollector.collect(self)


def inactive_shares(model: ActivityModel) -> np.ndarray:
    """Return the inactive share of every neighbourhood's adults."""
    people, size = model.people, len(model.neighbourhoods)
    adult = (people.age >= ADULT_FROM) & people.alive[: people.n]
    home, weight = people.neighbourhood[adult], people.weight[adult]
    inactive = people.mean[: people.n][adult] < ADULT_LIMITS[0]
    return np.bincount(home, weight * inactive, size) / np.bincount(home, weight, size)


def draw_neighbourhoods(model: ActivityModel, axes: Axes) -> None:
    """Draw a square for every neighbourhood, in a row for its tenth of deprivation, darker the more are inactive."""
    deciles, shares = np.array(model.neighbourhoods.get("imd_decile")), inactive_shares(model)
    ranks = np.zeros(deciles.size, int)
    for decile in np.unique(deciles):
        of_it = np.flatnonzero(deciles == decile)
        ranks[of_it[np.argsort(-shares[of_it])]] = np.arange(of_it.size)
    grid = np.full((10, max(int(ranks.max()) + 1, 3)), np.nan)
    grid[deciles - 1, ranks] = shares * 100
    image = axes.imshow(grid, cmap="Blues", vmin=0, vmax=60, aspect="auto")
    if shares.size <= 60:
        for decile, rank, share in zip(deciles, ranks, shares, strict=True):
            ink = "white" if share > 0.35 else "black"
            axes.text(rank, decile - 1, f"{share:.0%}", ha="center", va="center", color=ink)
    axes.set_yticks(range(10), ["1 most deprived", *map(str, range(2, 10)), "10 least"])
    axes.set_xticks([])
    axes.set_title(f"Inactive adults by neighbourhood, week {model.week}")
    axes.spines[:].set_visible(False)
    axes.figure.colorbar(image, ax=axes, label="per cent")


@solara.component
def Neighbourhoods(model: ActivityModel) -> None:
    """Show the squares."""
    update_counter.get()  # a step changes the model and not which model it is: without this the picture would stay at week 0
    figure = Figure(layout="constrained")
    draw_neighbourhoods(model, figure.subplots())
    solara.FigureMatplotlib(figure, format="png")


def as_per_cent(title: str) -> Any:
    """Return what Mesa does to a line chart at the end: its title, and shares as per cent."""

    def finish(axes: Axes) -> None:
        axes.set_title(title)
        axes.yaxis.set_major_formatter(lambda share, _: f"{share * 100:.3g}")
        axes.spines[["top", "right"]].set_visible(False)

    return finish


Watched(
    people=500
)  # the first model ever made is compiled, for up to a minute: while the server starts, not before an empty page


@solara.component
def Page() -> None:
    """Show it all; every browser window has a model of its own."""
    model = solara.use_memo(Watched, [])
    SolaraViz(
        model,
        components=[
            Neighbourhoods,
            make_plot_component({"inactive, no plan": PLAIN, "inactive": PLAN}, as_per_cent("Inactive adults, per cent")),
            make_plot_component({"gap, no plan": PLAIN, "gap": PLAN}, as_per_cent("Gap from most to least deprived, points")),
            make_plot_component({"added": PLAN}, lambda axes: axes.set_title("Minutes a week that the plan adds, per adult")),
        ],
        model_params={
            "people": Slider("People", 2_000, 500, 20_000, 500),
            "seed": Slider("Seed", 1, 1, 50, 1),
            "plan": {"type": "Select", "label": "Plan", "value": "community_leaders", "values": list_scenarios()},
        },
        play_interval=1,
        render_interval=13,  # a quarter of a year for every press of Step
        name="movesim",
    )
