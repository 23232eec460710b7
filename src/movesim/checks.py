"""Checks of single settings: each takes a key and what was given, and returns the value it means or raises a sentence."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from movesim.errors import InputError, did_you_mean, one_of

Check = Callable[[str, Any], Any]
MANY = 2**63 - 1


def quoted(value: Any) -> str:
    return f"'{value}'" if isinstance(value, str) else "nothing" if value is None else str(value)


def as_whole(value: Any) -> int | None:
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
        number = as_whole(value)
        if number is None or not low <= number <= high:
            raise InputError(f"{key} must be a whole number {ends}, got {quoted(value)}.")
        return number

    return check


def people(key: str, value: Any) -> int | str:
    """Check a number of agents: 'all' or a whole number."""
    if isinstance(value, str) and value.lower() == "all":
        return "all"
    number = as_whole(value)
    if number is None or not 100 <= number <= 100_000_000:
        raise InputError(f"{key} must be 'all' or a whole number of 100 or more, got {quoted(value)}.")
    return number


def amount(low: float, what: str) -> Check:
    """Return a check for a number above `low`, or nothing."""

    def check(key: str, value: Any) -> float | None:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not low < value < math.inf:
            raise InputError(f"{key} must be {what} above {low:g}, or null, got {quoted(value)}.")
        return float(value)

    return check


def shard(key: str, value: Any) -> str:
    """Check a part of a study for a job array: 'i/n' with i from 1 to n, or nothing."""
    if value in (None, ""):
        return ""
    first, slash, last = str(value).partition("/")
    if not (slash and first.isdecimal() and last.isdecimal() and 1 <= int(first) <= int(last)):
        raise InputError(f"{key} must be i/n with i from 1 to n, as in {key}=1/4, got {quoted(value)}.")
    return f"{int(first)}/{int(last)}"


def weeks(first: int, last: int) -> Check:
    """Return a check for weeks, at least one, between two ends; a single week stands for a list of one."""

    def check(key: str, value: Any) -> tuple[int, ...]:
        given = list(value) if isinstance(value, Sequence | set | frozenset | range) and not isinstance(value, str) else [value]
        found = {as_whole(each) for each in given}
        wrong = next((each for each in given if (week := as_whole(each)) is None or not first <= week <= last), None)
        if wrong is not None or None in found or not found:
            got = "no week" if not found else quoted(wrong)
            raise InputError(f"{key} must be whole numbers from {first} to {last}, as in '{key}=[{first},{last}]', got {got}.")
        return tuple(sorted(week for week in found if week is not None))

    return check


def perhaps(check: Check) -> Check:
    """Return a check for what may also be left out."""
    return lambda key, value: None if value is None else check(key, value)


def number(key: str, value: Any) -> float:
    """Check a number of any sign."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InputError(f"{key} must be a number, got {quoted(value)}.")
    return float(value)


def yes_no(key: str, value: Any) -> bool:
    """Check a truth value."""
    if not isinstance(value, bool):
        raise InputError(f"{key} must be true or false, got {quoted(value)}.")
    return value


def choice(*known: str) -> Check:
    """Return a check for one of a few words."""

    def check(key: str, value: Any) -> str:
        if value not in known:
            raise InputError(f"{key} must be {one_of(known)}, got {quoted(value)}.{did_you_mean(str(value), known)}")
        return value

    return check


def name(key: str, value: Any) -> str:
    """Check a name: one word or path, not empty."""
    if isinstance(value, os.PathLike):
        value = Path(value).as_posix()
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value.strip():
        got = f"got {quoted(value)}" if value not in (None, "") else "nothing was given"
        raise InputError(f"{key} must be a name, as in {key}=NAME; {got}. 'movesim list' shows scenarios and places.")
    return value.strip()


def names(least: int = 0) -> Check:
    """Return a check for a list of different names; a single name stands for a list of one."""

    def check(key: str, value: Any) -> tuple[str, ...]:
        given = [value] if isinstance(value, str | int | os.PathLike) else value
        if value is None or isinstance(given, Mapping) or not isinstance(given, Sequence | set | frozenset):
            raise InputError(f"{key} must be a list of names, as in '{key}=[a,b]', got {quoted(value)}.")
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
        raise InputError(f"{key} must be the name of a folder, got {quoted(value)}.")
    path = Path(value).expanduser()
    if path.exists() and not path.is_dir():
        raise InputError(f"{key} must be the name of a folder, but {value} is a file.")
    return path


def existing_file(key: str, value: Any) -> Path | None:
    """Check a file that must be there, or nothing."""
    if value is None:
        return None
    if not isinstance(value, str | os.PathLike) or not Path(value).expanduser().is_file():
        raise InputError(f"{key} must be a file that is there, or null, got {quoted(value)}.")
    return Path(value).expanduser()


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
        raise InputError(f"{key} must be numbers by dotted path, as in {key}.habit.gain=0.1, got {quoted(value)}.")
    flat: dict[str, float] = {}
    for step, inner in value.items():
        if isinstance(inner, Mapping):
            flat |= {f"{step}.{path}": number for path, number in numbers(f"{key}.{step}", inner).items()}
        elif isinstance(inner, bool) or not isinstance(inner, int | float) or not math.isfinite(inner):
            raise InputError(f"{key}.{step} must be a number, got {quoted(inner)}.")
        else:
            flat[str(step)] = float(inner)
    return dict(sorted(flat.items()))


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
                raise InputError(f"{path} must be swept over numbers, got {quoted(number)}.")
        if len(set(map(float, numbers))) < len(numbers) or not numbers:
            raise InputError(f"{path} must be swept over one or more different numbers, got {numbers}.")
        found[str(path)] = tuple(float(number) for number in numbers)
    return dict(sorted(found.items()))
