"""The settings of each command: their names, defaults, meanings and ranges, in one table per command.

The command line, the Python functions and the help text all read these tables, so a key means the same everywhere.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from movesim.checks import (
    MANY,
    Check,
    amount,
    as_whole,
    choice,
    existing_file,
    existing_folder,
    folder,
    name,
    names,
    number,
    numbers,
    people,
    perhaps,
    quoted,
    shard,
    varied,
    weeks,
    whole,
    yes_no,
)
from movesim.errors import InputError, did_you_mean
from movesim.words import BURN_IN_WEEKS, WEEKS_A_YEAR

WORKERS_AT_MOST = 8


def usable_cpus() -> int:
    """Return how many processors this process may use, at most eight."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(WORKERS_AT_MOST, usable))


# --- checks: each takes the key and what was given, and returns the value or raises a sentence -------------------------
def workers(key: str, value: Any) -> int:
    """Check a number of processes: 'auto' or a whole number."""
    if value is None or value == "auto":
        return usable_cpus()
    number = as_whole(value)
    if number is None or not 1 <= number <= 1024:
        raise InputError(f"{key} must be 'auto' or a whole number from 1 to 1,024, got {quoted(value)}.")
    return number


# --- tables -----------------------------------------------------------------------------------------------------------
def setting(default: Any, check: Check, meaning: str, study: bool = False, rank: int = 1) -> Any:
    """Return a field of a settings table.

    Arguments: default; check, one of movesim.checks; meaning, for the help text; study, whether another value makes another
    study (its fingerprint); rank, where the help text names it (0 first, 2 last).
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
    numbers: dict[str, float] = setting({}, numbers, "numbers of scenarios and shocks set by hand: scenarios.NAME.PATH=N", True)
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
    shocks: tuple[str, ...] = setting((), names(), "what strikes all runs alike, no change included; see: movesim list", True)
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
    split: str = setting(
        "whole", choice("whole", "authorities"),
        "authorities: each local authority is a run of its own; ties across their borders are cut, and counted", rank=2,
    )  # fmt: skip
    parts: bool = setting(False, yes_no, "run each intervention alone too: does a portfolio do more than the sum of its parts?")
    ladder: bool = setting(
        False, yes_no, "run with steps of the ladder made even too: which step makes how much of the change in the gap?"
    )  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        for asked in ("parts", "ladder"):
            if self.split != "whole" and getattr(self, asked):
                raise InputError(f"{asked}=true asks about the whole place, split={self.split} runs it apart; do one of the two.")


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
    scenarios: tuple[str, ...] = setting(
        (), names(least=1), "the scenarios to compare with no change and each other; all is every one of them", True, -1
    )


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
class SensitivitySettings(PolicySettings):
    """Settings of `movesim sensitivity`: which assumptions decide what a scenario changes."""

    command: ClassVar[str] = "sensitivity"
    record: ClassVar[str] = "last"
    scenario: str = setting("", name, "the scenario that is run beside no change", True, -1)
    method: str = setting(
        "auto", choice("auto", "morris", "sobol", "fast", "rbd_fast", "pawn", "dgsm", "rsa"),
        "auto screens by morris, then sobol on what is left; or fast, rbd_fast, pawn, dgsm, rsa", rank=-1,
    )  # fmt: skip
    outcomes: tuple[str, ...] = setting(
        ("imd_decile",), names(least=1), "an axis, spent or age_group.axis.outcome.measure; value: before, @YEAR behind", rank=-1
    )
    factors: tuple[str, ...] = setting(
        (), names(), "paths, their beginnings, groups, fitted, demography; none: fitted and the scenario's", rank=-1
    )
    groups: bool = setting(False, yes_no, "an index a group in the place of one a number (morris and sobol)", rank=0)
    trajectories: int = setting(20, whole(1, 100_000), "trajectories of morris", rank=0)
    n: int = setting(64, whole(1, 1_000_000), "rows of a design (sobol: a power of two)", rank=0)
    scrambles: int = setting(8, whole(1, 10_000), "independent designs of all but morris, which tell the intervals", rank=0)
    most: int = setting(12, whole(2, 1_000), "factors that the screening of auto hands on, at most", rank=0)
    yearly: tuple[str, ...] = setting(("all", "imd_decile"), names(), "axes of which every year is kept", True)
    fails_above: float | None = setting(
        None, perhaps(number), "points of change above which a plan fails; null: 0, or the worst quarter of runs"
    )
    given: Path | None = setting(None, perhaps(existing_folder), "a sweep's folder to analyse, with no further run")
    design_seed: int = setting(1, whole(0, MANY), "chance in placing the points")
    replicates: int = setting(1, whole(1, 1), "always 1: chance is a factor of the design", rank=2)

    @property
    def scenarios(self) -> tuple[str, ...]:
        """The scenario as a list of one, so that all studies are read alike."""
        return (self.scenario,)


@dataclass(frozen=True)
class TrialsSettings(RepeatedSettings):
    """Settings of `movesim trials`: the published studies run again inside the model."""

    command: ClassVar[str] = "trials"
    trials: tuple[str, ...] = setting((), names(), "the studies to run again; empty is all of them", True, -1)
    place: str = setting("england", name, "where the studies are run", True, 0)
    replicates: int = setting(20, whole(1, 100_000), "runs of each study")


@dataclass(frozen=True)
class ValidateSettings(RepeatedSettings):
    """Settings of `movesim validate`: what the fitted ensemble says of figures it was never fitted to."""

    command: ClassVar[str] = "validate"
    place: str = setting("nottinghamshire_derbyshire", name, "the place whose authorities are predicted", True, 0)
    people: int | str = setting(100_000, people, "how many agents are sampled from the place, or all", True, 0)
    replicates: int = setting(30, whole(1, 100_000), "pairs (parameter draw i, seed i)")
    data: Path | None = setting(
        Path("../shared/data"), folder, "published tables (activity/cw0305_flat.csv); rows without theirs are skipped"
    )
    ensemble: Path | None = setting(None, existing_file, "another ensemble (a Parquet file of draws) in place of the fitted one")
    report: bool = setting(True, yes_no, "write report.html and figures", rank=2)


@dataclass(frozen=True)
class CalibrateSettings(ModelSettings):
    """Settings of `movesim calibrate`: fit the model to published shares and keep an ensemble that fits."""

    command: ClassVar[str] = "calibrate"
    place: str = setting("england", name, "the place whose published shares are fitted", True, 0)
    points: int = setting(200, whole(1, 1_000_000), "parameter draws tried, at most", True)
    keep: int = setting(50, whole(1, 100_000), "parameter draws kept as the fitted ensemble", True)
    method: str = setting(
        "optimise",
        choice("optimise", "posterior"),
        "optimise: members fitted one by one; posterior: waves, an emulator, emcee",
        True,
    )
    quick: bool = setting(False, yes_no, "posterior: fewer runs and shorter chains, in minutes", True)
    out: Path | None = setting(None, folder, "posterior: folder to write to; null: movesim's own conf/calibration", rank=2)

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
    for each in (
        RunSettings,
        CompareSettings,
        SweepSettings,
        SensitivitySettings,
        TrialsSettings,
        CalibrateSettings,
        ValidateSettings,
        ExplainSettings,
    )
}
