"""Errors that speak to the person at the keyboard: one sentence of what is wrong, where, and what would be right."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class MovesimError(Exception):
    """A fault of the program: exit code 1. Its subclasses are the errors that a user can do something about."""

    exit_code = 1


class InputError(MovesimError):
    """Wrong input: a setting, a scenario or a file. Exit code 2; nothing has been written.

    What is wrong in a YAML file also says where for programs: `file` as shown, `steps` down to the setting, whether the
    `key` itself is meant, and the name of what is `missing` there.
    """

    exit_code = 2
    file: str = ""
    steps: tuple[str | int, ...] = ()
    key: bool = False
    missing: str = ""


class GuardError(MovesimError):
    """A check of the run failed (placebo, identity before the start, numbers that cannot be). Exit code 3."""

    exit_code = 3


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return " Did you mean 'x'?" for the closest known word, or "" when nothing is close.

    >>> did_you_mean("scool_day", ["school_day", "routes"])
    " Did you mean 'school_day'?"
    """
    close = difflib.get_close_matches(str(word), [str(k) for k in known], n=1, cutoff=0.6)
    return f" Did you mean '{close[0]}'?" if close else ""


def one_of(known: Iterable[object]) -> str:
    """Return "a, b or c" for a sentence that lists what would be right."""
    words = [str(k) for k in known]
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " or " + words[-1]
