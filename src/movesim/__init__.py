"""movesim: an agent-based simulation of physical activity in one English place.

    import movesim

    result = movesim.compare(scenarios=["school_day", "routes"], people=5_000, replicates=4)
    result.to_frame("comparison")

Everything named here is looked up when it is first used, so that `import movesim` stays light.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from movesim.behaviour.difference import compare_runs
    from movesim.behaviour.panel import Panel
    from movesim.config import CalibrateSettings, CompareSettings, RunSettings, SweepSettings, TrialsSettings, ValidateSettings
    from movesim.errors import GuardError, InputError, MovesimError
    from movesim.experiments.break_even import BreakEven
    from movesim.experiments.explain import Explanation
    from movesim.experiments.store import Result, load
    from movesim.interventions.files import load_scenario
    from movesim.model import ActivityModel
    from movesim.place import build_place, list_places, load_place
    from movesim.place.population import Population
    from movesim.settings import ExplainSettings, SensitivitySettings

__version__ = "0.1.0"

_HOMES = {
    "ActivityModel": "movesim.model",
    "CalibrateSettings": "movesim.config",
    "CompareSettings": "movesim.config",
    "ExplainSettings": "movesim.settings",
    "GuardError": "movesim.errors",
    "InputError": "movesim.errors",
    "MovesimError": "movesim.errors",
    "Panel": "movesim.behaviour.panel",
    "Population": "movesim.place.population",
    "Result": "movesim.experiments.store",
    "RunSettings": "movesim.config",
    "SensitivitySettings": "movesim.settings",
    "SweepSettings": "movesim.config",
    "TrialsSettings": "movesim.config",
    "ValidateSettings": "movesim.config",
    "build_place": "movesim.place",
    "compare_runs": "movesim.behaviour.difference",
    "list_places": "movesim.place",
    "load": "movesim.experiments.store",
    "load_place": "movesim.place",
    "load_scenario": "movesim.interventions.files",
}

__all__ = [
    "ActivityModel",
    "CalibrateSettings",
    "CompareSettings",
    "ExplainSettings",
    "GuardError",
    "InputError",
    "MovesimError",
    "Panel",
    "Population",
    "Result",
    "RunSettings",
    "SensitivitySettings",
    "SweepSettings",
    "TrialsSettings",
    "ValidateSettings",
    "__version__",
    "break_even",
    "build_place",
    "build_report",
    "calibrate",
    "compare",
    "compare_runs",
    "explain",
    "list_places",
    "load",
    "load_place",
    "load_scenario",
    "run",
    "sensitivity",
    "sweep",
    "trials",
    "validate",
]


def run(settings: RunSettings | None = None, /, **keys: Any) -> Result:
    """Run one scenario beside no change and return the result.

    Arguments: the keys of `movesim run` by name (`movesim run --help` lists them), or one RunSettings.
    Raises InputError for a wrong key or value, GuardError when a check of the runs fails.

    >>> movesim.run(scenario="routes", people=5_000, replicates=4).folder  # doctest: +SKIP
    """
    return _study("run", settings, keys)


def compare(settings: CompareSettings | None = None, /, **keys: Any) -> Result:
    """Compare several scenarios with no change and with each other, and return the result.

    Arguments: the keys of `movesim compare` by name (`movesim compare --help` lists them), or one CompareSettings.
    Raises InputError for a wrong key or value, GuardError when a check of the runs fails.

    >>> movesim.compare(scenarios=["routes", "school_day"]).to_frame("comparison")  # doctest: +SKIP
    """
    return _study("compare", settings, keys)


def explain(settings: ExplainSettings | None = None, /, *, model: Any = None, **keys: Any) -> Explanation:
    """Recompute weeks of one person's life alone, and return them to be printed: which component, which draw, why.

    Arguments: person, the row in the columns (`model.people`, the order of `model.agents`), or id, the person's id, which is
    the same in every sample and scenario; weeks, one or several; model, an ActivityModel whose coming weeks are told (it
    stays where it is, and `person` may be one of its agents), or the other keys of `movesim explain`, or one ExplainSettings.
    Week 4 begins when four policy weeks are complete; weeks of the burn-in are negative.
    Raises InputError for a wrong key or value, a person who is not there, and a child under five.

    >>> print(movesim.explain(person=9_000, weeks=(0, 4), people=20_000))  # doctest: +SKIP
    """
    if model is None:
        return _called("explain", settings, keys)
    from movesim.errors import InputError, did_you_mean

    known = ("person", "id", "weeks")
    wrong = next((key for key in keys if key not in known), None)
    if settings is not None or wrong is not None:
        what = f"'{wrong}'" if wrong else "ExplainSettings"
        raise InputError(f"With model= only person, id and weeks can be given, not {what}.{did_you_mean(wrong or '', known)}")
    return importlib.import_module("movesim.experiments.explain").explain_in(model, **keys)


def sweep(settings: SweepSettings | None = None, /, **keys: Any) -> Result:
    """Run scenarios beside no change at every point of a design and return the result, whose table is "sweep".

    Arguments: the keys of `movesim sweep` by name, or one SweepSettings; what is varied is a mapping of dotted paths to values.
    Raises InputError for a wrong key or value, MovesimError when a run fails (after all the others).

    >>> movesim.sweep(scenarios=["routes"], vary={"scenarios.routes.effect": [5, 10]}).to_frame("sweep")  # doctest: +SKIP
    """
    return _study("sweep", settings, keys)


def sensitivity(settings: SensitivitySettings | None = None, /, **keys: Any) -> Result:
    """Work out which assumptions decide what a scenario changes and return the result, whose table is "sensitivity".

    Arguments: the keys of `movesim sensitivity` by name, or one SensitivitySettings.
    Raises InputError for a wrong key or value, MovesimError when a run fails or an outcome cannot be analysed.

    >>> movesim.sensitivity(scenario="routes", method="morris").to_frame("sensitivity")  # doctest: +SKIP
    """
    return _study("sensitivity", settings, keys)


def trials(settings: TrialsSettings | None = None, /, **keys: Any) -> Any:
    """Run the published studies again inside the model and return what came out beside what was published.

    Arguments: the keys of `movesim trials` by name, or one TrialsSettings.
    """
    return _called("trials", settings, keys)


def calibrate(settings: CalibrateSettings | None = None, /, **keys: Any) -> Path:
    """Fit the model to published shares and return the file with the fitted numbers and where they come from.

    Arguments: the keys of `movesim calibrate` by name, or one CalibrateSettings.
    """
    result: Path = _called("calibrate", settings, keys)
    if (settings.out if settings is not None else keys.get("out")) is not None and result.suffix == ".parquet":
        page = importlib.import_module("movesim.report.posterior_page")
        page.build_posterior_report(result.with_suffix(".yaml"), result.parent)
    return result


def validate(settings: ValidateSettings | None = None, /, **keys: Any) -> Any:
    """Ask the fitted ensemble for figures it was never fitted to and return the scorecard.

    Arguments: the keys of `movesim validate` by name, or one ValidateSettings.
    Raises InputError for a wrong key or value, or a wrong row in conf/validation.

    >>> print(movesim.validate(people=20_000, replicates=4))  # doctest: +SKIP
    """
    result = _called("validate", settings, keys)
    if (settings.report if settings is not None else keys.get("report", True)) and len(result.table):
        importlib.import_module("movesim.report.validation_page").build_validation_report(result.folder)
    return result


def break_even(comparison: Result | str | Path, **keys: Any) -> BreakEven:
    """Return how long each scenario's gain must be kept up after delivery to be worth what it cost, pair by pair.

    Arguments: comparison, a result of `run` or `compare`, or its folder; adult, child, pounds that a year of one more active
    adult or child is worth; discount (0.035); outcome ('active' or 'inactive'); horizon, years (50).
    Raises InputError for a number that cannot be, and for what is no result.

    >>> print(movesim.break_even(movesim.load("outputs/compare/..."), adult=1_000))  # doctest: +SKIP
    """
    return importlib.import_module("movesim.experiments.break_even").break_even(comparison, **keys)


def build_report(folder: Any) -> Any:
    """Write report.html, figures and workbook.xlsx for a result folder, from its tables alone."""
    return importlib.import_module("movesim.report").build_report(folder)


def _called(command: str, settings: Any, keys: dict[str, Any]) -> Any:
    from movesim.config import COMMANDS
    from movesim.errors import InputError

    if settings is None:
        settings = COMMANDS[command].from_mapping(keys)
    elif keys or not isinstance(settings, COMMANDS[command]):
        raise InputError(f"movesim.{command} takes either keys by name or one {COMMANDS[command].__name__}.")
    return getattr(importlib.import_module(f"movesim.experiments.{command}"), command)(settings)


def _study(command: str, settings: Any, keys: dict[str, Any]) -> Any:
    result = _called(command, settings, keys)
    report = settings.report if settings is not None else keys.get("report", True)
    there = result.status == "already done" and (result.folder / "report.html").exists()
    if report and result.status in ("done", "already done") and not there:
        build_report(result.folder)
    return result


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'movesim' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)
