"""The settings of each command: their names, defaults, meanings and ranges, in one table per command.

The command line, the Python functions and the help text all read these tables, so a key means the same everywhere.
"""

from __future__ import annotations

import math
import os
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from movesim.errors import InputError, did_you_mean, one_of
from movesim.words import BURN_IN_WEEKS, WEEKS_A_YEAR

Check = Callable[[str, Any], Any]
WORKERS_AT_MOST = 8
MANY = 2**63 - 1


def usable_cpus() -> int:
    """Return how many processors this process may use, at most eight."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(WORKERS_AT_MOST, usable))


# --- checks: each takes the key and what was given, and returns the value or raises a sentence -------------------------
def _shown(value: Any) -> str:
    return f"'{value}'" if isinstance(value, str) else "nothing" if value is None else str(value)


def _whole(value: Any) -> int | None:
    """A whole number however it is written (20000, 2e4), or None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float) and value.is_integer():
        return int(value)
    try:  # NumPy's integers too
        return value.__index__()
    except (AttributeError, TypeError):
        return None


def whole(low: int, high: int) -> Check:
    """Return a check for a whole number between two ends."""
    ends = f"of {low:,} or more" if high >= MANY else f"from {low} to {high:,}" if high > 9999 else f"from {low} to {high}"

    def check(key: str, value: Any) -> int:
        number = _whole(value)
        if number is None or not low <= number <= high:
            raise InputError(f"{key} must be a whole number {ends}, got {_shown(value)}.")
        return number

    return check


def people(key: str, value: Any) -> int | str:
    """Check a number of agents: 'all' or a whole number."""
    if isinstance(value, str) and value.lower() == "all":
        return "all"
    number = _whole(value)
    if number is None or not 100 <= number <= 100_000_000:
        raise InputError(f"{key} must be 'all' or a whole number of 100 or more, got {_shown(value)}.")
    return number


def workers(key: str, value: Any) -> int:
    """Check a number of processes: 'auto' or a whole number."""
    if value is None or value == "auto":
        return usable_cpus()
    number = _whole(value)
    if number is None or not 1 <= number <= 1024:
        raise InputError(f"{key} must be 'auto' or a whole number from 1 to 1,024, got {_shown(value)}.")
    return number


def amount(low: float, what: str) -> Check:
    """Return a check for a number above `low`, or nothing."""

    def check(key: str, value: Any) -> float | None:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not low < value < math.inf:
            raise InputError(f"{key} must be {what} above {low:g}, or null, got {_shown(value)}.")
        return float(value)

    return check


def shard(key: str, value: Any) -> str:
    """Check a part of a study for a job array: 'i/n' with i from 1 to n, or nothing."""
    if value in (None, ""):
        return ""
    first, slash, last = str(value).partition("/")
    if not (slash and first.isdecimal() and last.isdecimal() and 1 <= int(first) <= int(last)):
        raise InputError(f"{key} must be i/n with i from 1 to n, as in {key}=1/4, got {_shown(value)}.")
    return f"{int(first)}/{int(last)}"


def weeks(first: int, last: int) -> Check:
    """Return a check for weeks, at least one, between two ends; a single week stands for a list of one."""

    def check(key: str, value: Any) -> tuple[int, ...]:
        given = list(value) if isinstance(value, Sequence | set | frozenset | range) and not isinstance(value, str) else [value]
        found = {_whole(each) for each in given}
        wrong = next((each for each in given if (week := _whole(each)) is None or not first <= week <= last), None)
        if wrong is not None or None in found or not found:
            got = "no week" if not found else _shown(wrong)
            raise InputError(f"{key} must be whole numbers from {first} to {last}, as in '{key}=[{first},{last}]', got {got}.")
        return tuple(sorted(week for week in found if week is not None))

    return check


def perhaps(check: Check) -> Check:
    """Return a check for what may also be left out."""
    return lambda key, value: None if value is None else check(key, value)


def yes_no(key: str, value: Any) -> bool:
    """Check a truth value."""
    if not isinstance(value, bool):
        raise InputError(f"{key} must be true or false, got {_shown(value)}.")
    return value


def choice(*known: str) -> Check:
    """Return a check for one of a few words."""

    def check(key: str, value: Any) -> str:
        if value not in known:
            raise InputError(f"{key} must be {one_of(known)}, got {_shown(value)}.{did_you_mean(str(value), known)}")
        return value

    return check


def name(key: str, value: Any) -> str:
    """Check a name: one word or path, not empty."""
    if isinstance(value, os.PathLike):
        value = Path(value).as_posix()
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value.strip():
        got = f"got {_shown(value)}" if value not in (None, "") else "nothing was given"
        raise InputError(f"{key} must be a name, as in {key}=NAME; {got}. 'movesim list' shows scenarios and places.")
    return value.strip()


def names(least: int = 0) -> Check:
    """Return a check for a list of different names; a single name stands for a list of one."""

    def check(key: str, value: Any) -> tuple[str, ...]:
        given = [value] if isinstance(value, str | int | os.PathLike) else value
        if value is None or isinstance(given, Mapping) or not isinstance(given, Sequence | set | frozenset):
            raise InputError(f"{key} must be a list of names, as in '{key}=[a,b]', got {_shown(value)}.")
        found = [name(key, item) for item in given]
        twice = [item for number, item in enumerate(found) if item in found[:number]]
        if twice:
            raise InputError(f"{key} names '{twice[0]}' twice; name it once.")
        if len(found) < least:
            raise InputError(f"{key} must name at least one, as in '{key}=[school_day,routes]'; 'movesim list' shows them all.")
        return tuple(found)

    return check


def folder(key: str, value: Any) -> Path | None:
    """Check a folder's name; it need not exist yet."""
    if value is None:
        return None
    if not isinstance(value, str | os.PathLike) or not str(value).strip():
        raise InputError(f"{key} must be the name of a folder, got {_shown(value)}.")
    path = Path(value).expanduser()
    if path.exists() and not path.is_dir():
        raise InputError(f"{key} must be the name of a folder, but {value} is a file.")
    return path


def existing_folder(key: str, value: Any) -> Path:
    """Check a folder that must be there."""
    path = folder(key, value)
    if path is None:
        raise InputError(f"{key} must be the name of a folder, as in {key}=FOLDER; nothing was given.")
    if not path.is_dir():
        near = [p.name for p in path.parent.iterdir() if p.is_dir()] if path.parent.is_dir() else []
        raise InputError(f"There is no folder {value} (given as {key}).{did_you_mean(path.name, near)}")
    return path


def numbers(key: str, value: Any) -> dict[str, float]:
    """Check a mapping of dotted paths to numbers; nested mappings are flattened."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InputError(f"{key} must be numbers by dotted path, as in {key}.habit.gain=0.1, got {_shown(value)}.")
    flat: dict[str, float] = {}
    for step, inner in value.items():
        if isinstance(inner, Mapping):
            flat |= {f"{step}.{path}": number for path, number in numbers(f"{key}.{step}", inner).items()}
        elif isinstance(inner, bool) or not isinstance(inner, int | float) or not math.isfinite(inner):
            raise InputError(f"{key}.{step} must be a number, got {_shown(inner)}.")
        else:
            flat[str(step)] = float(inner)
    return dict(sorted(flat.items()))


# --- tables -----------------------------------------------------------------------------------------------------------
def setting(default: Any, check: Check, meaning: str, study: bool = False, rank: int = 1) -> Any:
    """Return a field of a settings table.

    Arguments: default; check, see above; meaning, for the help text; study, whether another value makes another study (its
    fingerprint); rank, where the help text names it (0 first, 2 last).
    """
    metadata = {"check": check, "meaning": meaning, "study": study, "rank": rank}
    if isinstance(default, dict):
        return field(default_factory=dict, metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True)
class Settings:
    """What every command's settings can do: check themselves, name what makes a study, and write their command line."""

    command: ClassVar[str] = ""

    def __post_init__(self) -> None:
        for each in fields(self):
            object.__setattr__(self, each.name, each.metadata["check"](each.name, getattr(self, each.name)))

    @classmethod
    def table(cls) -> dict[str, Field[Any]]:
        """Return the fields by name, in the order people should read them: what the command is about comes first."""
        return {each.name: each for each in sorted(fields(cls), key=lambda each: each.metadata["rank"])}

    @classmethod
    def from_mapping(cls, given: Mapping[str, Any]) -> Any:
        """Return the settings for given keys; an unknown key is an InputError that names the closest one."""
        for key in given:
            if key not in cls.table():
                raise InputError(unknown_key(cls, key))
        return cls(**given)

    def identity(self) -> dict[str, Any]:
        """Return what makes this study another study, as plain data for its fingerprint: never workers, out or replicates."""
        return {key: plain(getattr(self, key)) for key, each in self.table().items() if each.metadata["study"]}

    def to_dict(self) -> dict[str, Any]:
        """Return every setting as plain data (text, numbers, lists), ready for YAML or JSON."""
        return {key: plain(getattr(self, key)) for key in self.table()}

    def command_line(self) -> str:
        """Return the shell command that asks for the same, with the keys that differ from their defaults."""
        words = []
        for key, each in self.table().items():
            value = getattr(self, key)
            if key == "workers" and getattr(self, "engine", "") == "serial":
                continue
            default = {} if each.default is MISSING else each.default
            if value == (each.metadata["check"](key, default) if default else default):
                continue
            if key == "vary":
                words += [f"{path}={over if isinstance(over, str) else ','.join(map(str, over))}" for path, over in value.items()]
            elif isinstance(value, dict):
                prefix = "" if key == "numbers" else f"{key}."  # whose paths begin with "scenarios."
                words += [f"{prefix}{path}={number}" for path, number in value.items()]
            else:
                words.append(f"{key}={written(plain(value))}")
        return shlex.join(["movesim", *self.command.split(), *words])


def plain(value: Any) -> Any:
    """Return a value as text, number, truth value, list or dictionary."""
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    return value.as_posix() if isinstance(value, Path) else value


def written(value: Any) -> str:
    """Return a value in the grammar of the command line: [a,b], true, 'text with: signs'."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "[" + ",".join(written(item) for item in value) + "]"
    if isinstance(value, str) and not all(sign.isalnum() or sign in "_-./ %+~" for sign in value):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return str(value)


def unknown_key(cls: type[Settings], key: str) -> str:
    """Return the sentence for a key that a command does not have."""
    known = list(cls.table())
    hint = did_you_mean(key, known) or f" Its keys are {', '.join(known)}."
    return f"'{key}' is not a setting of movesim {cls.command}.{hint}"


@dataclass(frozen=True)
class ModelSettings(Settings):
    """What every command that runs the model shares."""

    place: str = setting("nottinghamshire_derbyshire", name, "where: a built-in place, or one you built", True, 0)
    people: int | str = setting(20_000, people, "how many agents are sampled from the place, or all", True, 0)
    seed: int = setting(1, whole(0, MANY), "chance: the same seed gives the same numbers", True)
    place_seed: int = setting(1, whole(0, MANY), "chance in making the people of the place", True)
    quiet: bool = setting(False, yes_no, "print no progress and no findings, only warnings and errors", rank=2)


@dataclass(frozen=True)
class RepeatedSettings(ModelSettings):
    """What commands share that run the model many times and keep a result folder."""

    replicates: int = setting(20, whole(1, 100_000), "pairs of runs (parameter draw i, seed i), which scenarios share")
    draws: str = setting("fitted", choice("fitted", "central"), "parameters: the fitted ensemble, or central values", True)
    behaviour: dict[str, float] = setting({}, numbers, "numbers of the model set by hand, as behaviour.PATH=NUMBER", True)
    numbers: dict[str, float] = setting({}, numbers, "numbers of scenarios set by hand, as scenarios.NAME.PATH=NUMBER", True)
    engine: str = setting(
        "local", choice("local", "serial", "dask"),
        "local: processes on this computer; serial: one after another; dask: a cluster", rank=2,
    )  # fmt: skip
    workers: int = setting("auto", workers, "processes; auto is one per processor, at most 8", rank=2)
    scheduler: str = setting("local", name, "engine=dask: a scheduler's address, local, or slurm", rank=2)
    shard: str = setting("", shard, "do only part i of n (1/4), each its own job; any of them, when last, ends the study", rank=2)
    fail_fast: bool = setting(False, yes_no, "stop at the first run that fails", rank=2)
    seconds_a_run: float | None = setting(None, amount(0, "a number of seconds"), "stop a run that takes longer", rank=2)
    dry_run: bool = setting(False, yes_no, "say what would be run and how long it would take, and run nothing", rank=2)
    out: Path | None = setting(None, folder, "result folder; left out: outputs/COMMAND/NAME-FINGERPRINT", rank=2)
    json: bool = setting(False, yes_no, "print the findings as JSON", rank=2)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.engine == "serial":
            if self.workers not in (1, usable_cpus()):  # the second is what nobody asked for
                raise InputError(
                    f"engine=serial runs one after another, but workers is {self.workers}; use engine=local or workers=1."
                )
            object.__setattr__(self, "workers", 1)

    @property
    def part(self) -> tuple[int, int] | None:
        """The shard as (i, n), or None for the whole study."""
        first, _, last = self.shard.partition("/")
        return (int(first), int(last)) if last else None


@dataclass(frozen=True)
class PolicySettings(RepeatedSettings):
    """What `run`, `compare` and `sweep` share: a policy period."""

    years: int = setting(10, whole(1, 50), "length of the policy period", True, 0)
    start_year: int = setting(2026, whole(2000, 2100), "calendar year in which the policies start", True)
    areas: tuple[str, ...] = setting(
        (), names(), "local authorities the results are restricted to; empty is the whole place", True
    )
    demography: bool = setting(True, yes_no, "ageing, births, deaths, moves and illness", True)
    report: bool = setting(True, yes_no, "write report.html, figures and workbook.xlsx", rank=2)

    if TYPE_CHECKING:  # a list in all, though `run` is asked for one

        @property
        def scenarios(self) -> tuple[str, ...]: ...


@dataclass(frozen=True)
class StudySettings(PolicySettings):
    """What `run` and `compare` share."""

    record: str = setting("standard", choice("standard", "full"), "full also keeps every group every four weeks", True)
    precision: float | None = setting(
        None, amount(0, "a number of points"), "add pairs until the Monte Carlo error of each named gap's change is below this"
    )  # fmt: skip
    gaps: tuple[str, ...] = setting(
        ("imd_decile",), names(least=1), "the gaps that precision is about: an axis, or age_group.axis.outcome.measure"
    )
    pairs_at_most: int = setting(1_000, whole(2, 100_000), "precision: stop at this many pairs")
    minutes_at_most: float | None = setting(None, amount(0, "a number of minutes"), "precision: begin no pair after so long")


@dataclass(frozen=True)
class RunSettings(StudySettings):
    """Settings of `movesim run`: one scenario beside no change."""

    command: ClassVar[str] = "run"
    scenario: str = setting("", name, "the scenario to run beside no change", True, -1)

    @property
    def scenarios(self) -> tuple[str, ...]:
        """The scenario as a list of one, so that run and compare are read alike."""
        return (self.scenario,)


@dataclass(frozen=True)
class CompareSettings(StudySettings):
    """Settings of `movesim compare`: several scenarios beside no change, ranked."""

    command: ClassVar[str] = "compare"
    scenarios: tuple[str, ...] = setting((), names(least=1), "the scenarios to compare with no change and each other", True, -1)


def varied(key: str, value: Any) -> dict[str, Any]:
    """Check what is swept: dotted paths to lists of numbers, 'interval(a,b)' or 'prior'."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InputError(f"{key} must be values by dotted path, as in {key}={{behaviour.habit.gain: [0.1, 0.2]}}.")
    found: dict[str, Any] = {}
    for path, over in value.items():
        if isinstance(over, str):
            text = over.replace(" ", "")
            ends = text.removeprefix("interval(").removesuffix(")").split(",")
            if text != "prior" and not (text.startswith("interval(") and text.endswith(")") and len(ends) == 2):
                raise InputError(f"{path} must be swept over numbers, interval(a,b) or prior, got '{over}'.")
            if text != "prior":
                try:
                    low, high = (float(end) for end in ends)
                except ValueError:
                    low, high = math.nan, math.nan
                if not low < high or not math.isfinite(high - low):
                    raise InputError(f"{path} must be swept over interval(a,b) with a below b, got '{over}'.")
                text = f"interval({low!r},{high!r})"
            found[str(path)] = text
            continue
        numbers = list(over) if isinstance(over, Sequence) else [over]
        for number in numbers:
            if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
                raise InputError(f"{path} must be swept over numbers, got {_shown(number)}.")
        if len(set(map(float, numbers))) < len(numbers) or not numbers:
            raise InputError(f"{path} must be swept over one or more different numbers, got {numbers}.")
        found[str(path)] = tuple(float(number) for number in numbers)
    return dict(sorted(found.items()))


@dataclass(frozen=True)
class SweepSettings(PolicySettings):
    """Settings of `movesim sweep`: scenarios beside no change at every point of a design."""

    command: ClassVar[str] = "sweep"
    scenarios: tuple[str, ...] = setting((), names(least=1), "the scenarios that are run beside no change", True, -1)
    vary: dict[str, Any] = setting({}, varied, "what is swept: PATH=1,2,3, range(a,b,step), interval(a,b) or prior", rank=-1)
    design: str = setting("grid", name, "grid, paired, lhs, sobol, or a CSV file with a column a path", rank=0)
    points: int = setting(64, whole(1, 1_000_000), "points of lhs and sobol (a power of two)", rank=0)
    replicates: int = setting(5, whole(1, 100_000), "pairs of runs at every point (parameter draw i, seed i)")
    design_seed: int = setting(1, whole(0, MANY), "chance in placing the points of lhs and sobol")
    record: str = setting("last", choice("last", "yearly"), "keep the outcomes of the last year, or of every year", True)


@dataclass(frozen=True)
class TrialsSettings(RepeatedSettings):
    """Settings of `movesim trials`: the published studies run again inside the model."""

    command: ClassVar[str] = "trials"
    trials: tuple[str, ...] = setting((), names(), "the studies to run again; empty is all of them", True, -1)
    place: str = setting("england", name, "where the studies are run", True, 0)
    replicates: int = setting(20, whole(1, 100_000), "runs of each study")


@dataclass(frozen=True)
class CalibrateSettings(ModelSettings):
    """Settings of `movesim calibrate`: fit the model to published shares and keep an ensemble that fits."""

    command: ClassVar[str] = "calibrate"
    place: str = setting("england", name, "the place whose published shares are fitted", True, 0)
    points: int = setting(200, whole(1, 1_000_000), "parameter draws tried, at most", True)
    keep: int = setting(50, whole(1, 100_000), "parameter draws kept as the fitted ensemble", True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.keep > self.points:
            raise InputError(f"keep={self.keep} is more than the points={self.points} that are tried; keep fewer or try more.")


@dataclass(frozen=True)
class ExplainSettings(ModelSettings):
    """Settings of `movesim explain`: weeks of one person's life."""

    command: ClassVar[str] = "explain"
    person: int | None = setting(None, perhaps(whole(0, MANY)), "the row of the person in the columns (model.people)", rank=-1)
    id: int | None = setting(None, perhaps(whole(0, 2**64 - 1)), "or the person's id, the same in every sample", rank=-1)
    weeks: tuple[int, ...] = setting(
        (0,), weeks(-BURN_IN_WEEKS, 50 * WEEKS_A_YEAR - 1),
        "the weeks to tell; week 4 begins when four policy weeks are complete", rank=-1,
    )  # fmt: skip
    plan: str | None = setting(None, perhaps(name), "a scenario to run; null is no change", rank=0)
    years: int = setting(10, whole(1, 50), "length of the policy period", rank=0)
    replicate: int = setting(0, whole(0, MANY), "the pair of a study whose run is told (parameter draw, chance)")
    draws: str = setting("fitted", choice("fitted", "central"), "parameters: the fitted ensemble, or central values")
    demography: bool = setting(True, yes_no, "ageing, births, deaths, moves and illness")
    behaviour: dict[str, float] = setting({}, numbers, "numbers of the model set by hand, as behaviour.PATH=NUMBER")
    json: bool = setting(False, yes_no, "print the quantities as JSON", rank=2)

    def __post_init__(self) -> None:
        super().__post_init__()
        weeks(-BURN_IN_WEEKS, self.years * WEEKS_A_YEAR - 1)("weeks", self.weeks)


COMMANDS: dict[str, type[Settings]] = {
    each.command: each
    for each in (RunSettings, CompareSettings, SweepSettings, TrialsSettings, CalibrateSettings, ExplainSettings)
}
