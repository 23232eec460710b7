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

    from movesim.config import CalibrateSettings, CompareSettings, RunSettings, TrialsSettings
    from movesim.errors import GuardError, InputError, MovesimError
    from movesim.experiments.store import Result, load
    from movesim.interventions.files import load_scenario
    from movesim.model import ActivityModel
    from movesim.place import build_place, list_places, load_place
    from movesim.place.population import Population

__version__ = "0.1.0"

_HOMES = {
    "ActivityModel": "movesim.model",
    "CalibrateSettings": "movesim.config",
    "CompareSettings": "movesim.config",
    "GuardError": "movesim.errors",
    "InputError": "movesim.errors",
    "MovesimError": "movesim.errors",
    "Population": "movesim.place.population",
    "Result": "movesim.experiments.store",
    "RunSettings": "movesim.config",
    "TrialsSettings": "movesim.config",
    "build_place": "movesim.place",
    "list_places": "movesim.place",
    "load": "movesim.experiments.store",
    "load_place": "movesim.place",
    "load_scenario": "movesim.interventions.files",
}

__all__ = [
    "ActivityModel",
    "CalibrateSettings",
    "CompareSettings",
    "GuardError",
    "InputError",
    "MovesimError",
    "Population",
    "Result",
    "RunSettings",
    "TrialsSettings",
    "__version__",
    "build_place",
    "build_report",
    "calibrate",
    "compare",
    "list_places",
    "load",
    "load_place",
    "load_scenario",
    "run",
    "trials",
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


def trials(settings: TrialsSettings | None = None, /, **keys: Any) -> Any:
    """Run the published studies again inside the model and return what came out beside what was published.

    Arguments: the keys of `movesim trials` by name, or one TrialsSettings.
    """
    return _called("trials", settings, keys)


def calibrate(settings: CalibrateSettings | None = None, /, **keys: Any) -> Path:
    """Fit the model to published shares and return the file with the fitted numbers and where they come from.

    Arguments: the keys of `movesim calibrate` by name, or one CalibrateSettings.
    """
    return _called("calibrate", settings, keys)


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
    if report and not (result.status == "already done" and (result.folder / "report.html").exists()):
        build_report(result.folder)
    return result


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'movesim' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)
