"""What is asked: where the files are, what each command's settings are, and how the command line becomes settings."""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from movesim.documents import Document, load_yaml, shown
from movesim.errors import InputError, did_you_mean, one_of
from movesim.settings import (
    COMMANDS,
    CalibrateSettings,
    CompareSettings,
    RunSettings,
    Settings,
    SweepSettings,
    TrialsSettings,
    ValidateSettings,
    unknown_key,
)

SHOCKS = "shocks"  # the folder among scenarios that holds what is none
__all__ = [
    "COMMANDS",
    "CalibrateSettings",
    "CompareSettings",
    "Document",
    "RunSettings",
    "Settings",
    "SweepSettings",
    "TrialsSettings",
    "ValidateSettings",
    "cache_folder",
    "composed",
    "conf_folder",
    "home",
    "load_yaml",
    "scenario_files",
    "scenario_folders",
    "settings_from_overrides",
    "shock_files",
    "shown",
    "sweep_from_overrides",
]


def _packaged(in_wheel: str, in_checkout: str) -> Path:
    """A folder that travels inside the wheel, or stands at the top of a checkout beside src."""
    here = Path(__file__).resolve().parent
    inside, beside = here / in_wheel, here.parent.parent / in_checkout
    if inside.is_dir():
        return inside
    if beside.is_dir() and here.parent.name == "src":
        return beside
    raise InputError(f"movesim's own folder '{in_checkout}' is missing ({shown(inside)}); install movesim again.")


def conf_folder() -> Path:
    """Return the absolute folder of the settings that come with movesim (conf/ of a checkout, movesim/_conf of a wheel)."""
    return _packaged("_conf", "conf")


def scenario_folders() -> list[Path]:
    """Return the folders scenarios are read from: movesim's own, then ./scenarios of the working folder if there is one."""
    own, users = _packaged("_scenarios", "scenarios"), Path.cwd() / "scenarios"
    if users.is_dir() and users.resolve() != own.resolve():
        return [own, users]
    return [own]


def scenario_files() -> dict[str, Path]:
    """Return every scenario by name (the file's name without .yaml), folders below included, sorted by name.

    Raises InputError when two different files claim one name: neither would win silently.
    """
    inside = [(folder, path) for folder in scenario_folders() for path in sorted(folder.rglob("*.yaml"))]
    return _by_name((path for folder, path in inside if path.relative_to(folder).parts[0] != SHOCKS), "scenarios")


def shock_files() -> dict[str, Path]:
    """Return every shock by name: the files in the folder `shocks` of the folders that scenarios are read from.

    Raises InputError when two different files claim one name.
    """
    return _by_name((path for folder in scenario_folders() for path in sorted((folder / SHOCKS).rglob("*.yaml"))), "shocks")


def _by_name(paths: Iterable[Path], what: str) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in paths:
        other = found.setdefault(path.stem, path)
        if other is not path and other.read_bytes() != path.read_bytes():
            raise InputError(f"Two {what} are called '{path.stem}': {shown(other)} and {shown(path)}; rename yours.")
    return dict(sorted(found.items()))


def home() -> Path:
    """Return the folder for built places and caches: $MOVESIM_HOME, or .movesim in the user's home folder."""
    told = os.environ.get("MOVESIM_HOME")
    return Path(told).expanduser().absolute() if told else Path.home() / ".movesim"


def cache_folder(name: str, *parts: str) -> Path:
    """Return a folder of the cache, home()/cache/name/parts; it is not made here."""
    return home().joinpath("cache", name, *parts)


# --- from the command line to settings --------------------------------------------------------------------------------
# Hydra groups that stand for a yes or no are also understood as one.
_GROUP_WORDS = {"report": {"true": "full", "false": "none"}}


def settings_from_overrides(command: str, overrides: Iterable[str]) -> Any:
    """Return the checked settings of a command, composed by Hydra from conf/COMMAND.yaml and `key=value` words.

    Arguments: command, a key of COMMANDS; overrides, words in Hydra's override grammar.
    Raises InputError, one sentence, for an unknown key or option, a wrong type, a value out of range or wrong grammar.
    """
    return _settings(command, composed(command, overrides))


def sweep_from_overrides(command: str, overrides: Iterable[str]) -> list[tuple[list[str], Any]]:
    """Return every combination of swept values (`seed=1,2`, `years=range(1,4)`) as (overrides, settings), all checked.

    Raises InputError as settings_from_overrides does, before any combination has been run.
    """
    parsed = _parsed(command, overrides, sweep=True)
    choices = [_combinations(each) for each in parsed]
    combinations = [list(words) for words in itertools.product(*choices)]
    if len(combinations) > 1 and any(each.key_or_group == "out" and not each.is_sweep_override() for each in parsed):
        raise InputError(f"out names one folder for {len(combinations)} combinations; leave it out, and each gets its own.")
    return [(words, settings_from_overrides(command, words)) for words in combinations]


def composed(command: str, overrides: Iterable[str]) -> dict[str, Any]:
    """Return what Hydra composes for a command, as plain data, before any check of its values (`--cfg job`)."""
    from hydra import compose, initialize_config_dir
    from hydra.errors import HydraException, MissingConfigException
    from omegaconf import OmegaConf, open_dict
    from omegaconf.errors import OmegaConfBaseException

    parsed = _parsed(command, overrides, sweep=command == "sweep")
    vary: dict[str, Any] = {}
    if command == "sweep":
        parsed, vary = _apart(parsed)
    groups = {next(iter(step)) for step in load_yaml(conf_folder() / f"{command}.yaml").data["defaults"] if step != "_self_"}
    words: list[str] = []
    values: list[tuple[str, Any]] = []
    numbers: dict[str, Any] = {}
    for each in parsed:
        # Hydra chooses the groups; values are set afterwards, because it would take 'place' (which may be the user's own) for
        # a choice in the folder conf/place, want a '+' before numbers of the model, and put types before our sentences.
        if _is_number_of_a_scenario(each.key_or_group):
            numbers[each.key_or_group] = each.value()
        elif each.key_or_group in groups:
            words.append(f"{each.key_or_group}={_option(each.key_or_group, each.value())}")
        else:
            values.append((each.key_or_group, each.value()))
    try:
        with initialize_config_dir(str(conf_folder()), job_name=f"movesim {command}", version_base="1.3"):
            config = compose(command, words)
        with open_dict(config):
            for key, value in values:
                OmegaConf.update(config, key, value, merge=False, force_add=True)
        data = OmegaConf.to_container(config, resolve=True)
    except MissingConfigException as error:
        raise InputError(f"{error.missing_cfg_file} is not among movesim's own settings; install movesim again.") from None
    except (HydraException, OmegaConfBaseException) as error:
        raise InputError(f"The settings cannot be put together: {_first_line(error)}") from None
    assert isinstance(data, dict)
    if vary:
        data["vary"] = {**(data.get("vary") or {}), **vary}
    if numbers:
        data["numbers"] = {**(data.get("numbers") or {}), **numbers}
    return {str(key): value for key, value in data.items()}


def _apart(parsed: list[Any]) -> tuple[list[Any], dict[str, Any]]:
    """Return the overrides that are settings, and what is swept: dotted paths to lists of numbers or to text."""
    settings, vary = [], {}
    for each in parsed:
        key = each.key_or_group
        number = "." in key and key.partition(".")[0] in ("behaviour", "scenarios", "shocks")
        listed = number and not each.is_sweep_override() and isinstance(each.value(), list)
        if not each.is_sweep_override() and not listed and not (number and each.value() == "prior"):
            settings.append(each)
            continue
        if not number:
            raise InputError(
                f"'{each.input_line}': a sweep goes over numbers by dotted path (behaviour.PATH, scenarios.NAME.PATH, "
                f"shocks.NAME.PATH); for one study per value of '{key}' use: movesim compare -m"
            )
        text = each.input_line.partition("=")[2]
        vary[key] = each.value() if listed else text if each.value() == "prior" or each.is_interval_sweep() else _swept(each)
    return settings, vary


def _swept(override: Any) -> list[Any]:
    from hydra.core.override_parser.types import RangeSweep
    from hydra.errors import HydraException

    over = override.value()
    if isinstance(over, RangeSweep) and over.start is not None and over.stop is not None and over.step:
        # Hydra adds steps up, so that range(0.1,0.4,0.1) would hold 0.30000000000000004 and 0.4
        count = math.ceil((over.stop - over.start) / over.step - 1e-9)
        return [float(f"{over.start + i * over.step:.12g}") for i in range(count)]
    try:
        return list(override.sweep_iterator())
    except HydraException as error:
        raise InputError(
            f"'{override.input_line}' cannot be swept ({_first_line(error)}); list the values, as in 1,2,3."
        ) from None


def _is_number_of_a_scenario(key: str) -> bool:
    """Whether a key is the dotted path of a scenario's or a shock's number, as scenarios.routes.effect (alone it is a list)."""
    return key.startswith(("scenarios.", "shocks."))


def _settings(command: str, data: dict[str, Any]) -> Any:
    return COMMANDS[command].from_mapping(data)


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _parsed(command: str, overrides: Iterable[str], sweep: bool = False) -> list[Any]:
    """Parse words by Hydra's grammar and check their keys, which Hydra would answer with advice that does not fit."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.core.override_parser.types import OverrideType
    from hydra.errors import HydraException

    parser = OverridesParser.create()
    asked = COMMANDS[command]
    table = asked.table()
    parsed, seen = [], set()
    for word in overrides:
        if "=" not in word and not word.startswith("~"):
            raise InputError(_not_a_setting(asked, word))
        try:
            each = parser.parse_override(word)
        except HydraException as error:
            raise InputError(_grammar(word, _first_line(error))) from None
        key = each.key_or_group
        top, _, rest = key.partition(".")
        if each.type == OverrideType.DEL:
            raise InputError(f"'{word}': a setting cannot be deleted; give it another value, as in {top}=VALUE.")
        if top == "hydra":
            raise InputError(f"'{key}' is Hydra's own; movesim names its result folders itself (out=FOLDER names one).")
        if _is_number_of_a_scenario(key) and "numbers" in table and not each.package:
            pass
        elif top not in table or (rest and top not in ("behaviour", "numbers")) or each.package:
            raise InputError(unknown_key(asked, f"{key}@{each.package}" if each.package else key))
        if key in seen:
            raise InputError(f"'{key}' is given twice; give it once.")
        seen.add(key)
        if each.is_sweep_override() and not sweep:
            raise InputError(_many(asked, word, key))
        parsed.append(each)
    return parsed


def _not_a_setting(asked: type[Settings], word: str) -> str:
    table = asked.table()
    if word.startswith("-"):
        return f"'{word}' is not an option of movesim {asked.command}; settings are written key=value (see --help)."
    if word.endswith("]"):
        return f"'{word}' looks like the end of a list that the shell took apart; quote it, as in 'scenarios=[a,b]'."
    if word in table:
        return f"'{word}' needs a value, as in {word}=VALUE."
    which = "scenarios" if "scenarios" in table else "scenario" if "scenario" in table else ""
    hint = f" Did you mean {which}={word if which == 'scenario' else f'[{word}]'}?" if which else ""
    return f"'{word}' is not a setting; settings are written key=value.{hint}"


def _grammar(word: str, problem: str) -> str:
    key, _, value = word.partition("=")
    if value.count("[") != value.count("]"):
        return f"'{word}': the list is not closed; quote the whole word in the shell, as in '{key}=[a,b]'."
    if any(sign in value for sign in "=:'\"()&#!"):
        return f"'{word}' cannot be read ({problem}); put quotes around the value, as in \"{key}='...'\"."
    return f"'{word}' cannot be read ({problem}); settings are written key=value."


def _many(asked: type[Settings], word: str, key: str) -> str:
    value = word.partition("=")[2]
    if key in asked.table() and asked.table()[key].default == ():
        return f"'{word}' gives several values; for a list write '{key}=[{value}]', for one study per value add -m."
    return f"'{word}' gives several values; give one, or add -m to run one study per value."


def _option(group: str, value: Any) -> str:
    """The option of a Hydra group, checked against the files there are."""
    known = sorted(path.stem for path in (conf_folder() / group).glob("*.yaml"))
    text = str(value).lower() if isinstance(value, bool) else str(value)
    text = _GROUP_WORDS.get(group, {}).get(text, text)
    if text not in known:
        shown_as = sorted(_GROUP_WORDS[group]) if group in _GROUP_WORDS else known
        raise InputError(f"{group} must be {one_of(shown_as)}, got '{value}'.{did_you_mean(text, known)}")
    return text


def _combinations(override: Any) -> list[str]:
    if not override.is_sweep_override():
        return [override.input_line]
    from hydra.errors import HydraException

    try:
        return [f"{override.key_or_group}={value}" for value in override.sweep_string_iterator()]
    except HydraException as error:
        raise InputError(
            f"'{override.input_line}' cannot be swept ({_first_line(error)}); list the values, as in 1,2,3."
        ) from None
