"""Everything that is wrong with a scenario file, not only the first thing.

A file is read; what it is refused for is noted and mended in memory as a template has it; and it is read again, until
nothing is left. What is refused only because of how something was mended is not said.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from movesim.documents import Document, parsed
from movesim.errors import InputError
from movesim.interventions.files import load_document, scenario_of
from movesim.interventions.scenario import KINDS, Scenario
from movesim.interventions.template import template, with_options

Steps = tuple[str | int, ...]
_MOST = 200  # readings; each mends something, and no file people write has so many faults
_MEANT = re.compile(r"Did you mean '([^']+)'\?")


def check(name_or_path: str | Path) -> tuple[Scenario | None, list[InputError]]:
    """Return a scenario, or None with every complaint about its file, each one sentence with file, line and column.

    Raises InputError when there is no such file. A file that is not YAML, or that gives a key twice, has one complaint:
    what follows can only be read once that is mended.
    """
    try:
        document = load_document(name_or_path)
    except InputError as error:
        return None, [error]
    try:
        return scenario_of(document), []
    except InputError as error:
        if not error.file:
            return None, [error]
    return None, _complaints(document)


def _complaints(document: Document) -> list[InputError]:
    repair = _Repair(copy.deepcopy(document.data))
    found: list[InputError] = []
    for _ in range(_MOST):
        try:
            scenario_of(replace(document, data=repair.data))
            break
        except InputError as error:
            if error.file != document.name:  # a file that this one uses: it has to be mended there first
                return [*_in_order(found, document), error]
            if not repair.follows(error):
                if str(error) in map(str, found):
                    break
                found.append(error)
            if not repair.mend(error):
                break
    return _in_order(found, document)


def _in_order(found: list[InputError], document: Document) -> list[InputError]:
    def place(error: InputError) -> tuple[int, int]:
        line, column = document.where(error.steps, error.key).rsplit(":", 2)[1:]
        return int(line), int(column)

    return sorted(found, key=place)


class _Repair:
    """Settings that are mended one by one, and where that was done."""

    def __init__(self, data: Any) -> None:
        self.data = data
        self.mended: list[Steps] = []

    def follows(self, error: InputError) -> bool:
        """Tell whether this is about something that was mended already, a part of it, or the section it stands in."""
        at = _at(error)
        around = not error.missing and len(at) > (2 if at[:1] == ("interventions",) else 0)
        return any(at[: len(done)] == done or (around and done[: len(at)] == at) for done in self.mended)

    def mend(self, error: InputError) -> bool:
        """Put right what an error is about; return False when nothing is left that could be tried."""
        steps = error.steps
        if not isinstance(self.data, dict) or not _at(error):
            return False
        if self.follows(error):  # what was put there did not help
            return self._put_aside(_at(error))
        if error.missing:
            return self._fill_in(steps, error.missing)
        held, last = _found(self.data, steps[:-1]), steps[-1]
        if steps[0] == "interventions" and steps[2:] == ("name",) and isinstance(held, dict):
            held["name"] = f"unnamed_{steps[1]}"
            self._done(steps)
            return True
        if not _holds(held, last):
            return self._put_aside(steps)
        meant = _MEANT.search(str(error))
        if last == "targeting" and self._overrides(steps):  # what goes with it was meant to go with it
            steps, held, last = steps[:-1], _found(self.data, steps[:-2]), steps[-2]
        if error.key or self._overrides(steps):
            value = held.pop(last)
            if error.key and meant and meant[1] not in held:
                held[meant[1]] = value
                return True
        elif meant and isinstance(held[last], str) and held[last] != meant[1]:
            held[last] = meant[1]
        elif last == "targeting" or isinstance(last, int):  # what goes with it would be refused as well
            return self._put_aside(steps)
        else:
            good = self._good(steps)
            if good is None or held[last] == good:
                return self._put_aside(steps)
            held[last] = good
        self._done(steps)
        return True

    def _fill_in(self, steps: Steps, name: str) -> bool:
        good, held = self._good((*steps, name)), _found(self.data, steps)
        if held is None and isinstance(around := _found(self.data, steps[:-1]), dict):
            held = around[steps[-1]] = {}
        if good is None or not isinstance(held, dict):
            return self._put_aside(steps)
        held[name] = good
        self._done((*steps, name))
        return True

    def _put_aside(self, steps: Steps) -> bool:
        """Take the smallest section around a place from the template; of an intervention, all of it if need be."""
        inside = steps[:1] == ("interventions",) and len(steps) > 1
        for length in range(len(steps) - 1, 2 if inside else 0, -1):
            section = steps[:length]
            good, held = self._good(section), _found(self.data, section[:-1])
            if good is not None and isinstance(held, dict) and held.get(section[-1]) != good:
                held[section[-1]] = good
                self._done(section)
                return True
        return self._stand_in(int(steps[1])) if inside else False

    def _stand_in(self, number: int) -> bool:
        """Put an intervention of the template in the place of one that cannot be mended piece by piece."""
        listed, name = self.data["interventions"], f"stands_in_{number}"
        if not isinstance(listed, list) or (isinstance(listed[number], dict) and listed[number].get("name") == name):
            return False
        listed[number] = {**_plain(), "name": name}
        self._done(("interventions", number))
        budget = self.data.get("budget")
        if isinstance(budget, dict) and "split" in budget:
            budget["split"] = "equal"
            self._done(("budget", "split"))
        return True

    def _done(self, steps: Steps) -> None:
        self.mended.append(steps)
        if steps == ("interventions",) and "budget" not in self.data:  # theirs is not asked for
            self._fill_in((), "budget")
        if steps[0] == "interventions" and steps[2:3] in (("functions",), ("mechanism",), ("matrix",)):
            # what functions reach cannot be said of functions that are not the author's: a reason stops the question
            self.data["interventions"][steps[1]].setdefault("reason", "mended")

    # --- what is right ------------------------------------------------------------------------------------------------
    def _overrides(self, steps: Steps) -> bool:
        """Tell whether a place changes what the intervention takes over by `use:`; without the change it is right."""
        held = _found(self.data, steps[:2])
        return steps[0] == "interventions" and len(steps) > 2 and steps[2] != "use" and isinstance(held, dict) and "use" in held

    def _good(self, steps: Steps) -> Any:
        """Return what the template has at a place, of an intervention the template of its kind; None where it has nothing."""
        if steps[0] != "interventions" or len(steps) < 3:
            return copy.deepcopy(_found(_whole("people"), steps))
        held = _found(self.data, steps[:2])
        kind = held.get("kind") if isinstance(held, dict) else None
        if not isinstance(kind, str) or kind not in KINDS:
            kind = _guess(held)
        good = copy.deepcopy(_found(_whole(str(kind)), ("interventions", 0, *steps[2:])))
        return kind if steps[2:] == ("kind",) else good


def _at(error: InputError) -> Steps:
    return (*error.steps, error.missing) if error.missing else error.steps


def _found(data: Any, steps: Steps) -> Any:
    """Return what stands at a place, None where there is nothing; a list of the template has one entry to compare with."""
    for step in steps:
        if isinstance(step, int) and isinstance(data, list) and data:
            data = data[step] if step < len(data) else data[0]
        elif isinstance(data, Mapping) and step in data:
            data = data[step]
        else:
            return None
    return data


def _holds(held: Any, last: str | int) -> bool:
    return (isinstance(held, dict) and last in held) or (isinstance(held, list) and isinstance(last, int) and last < len(held))


def _guess(held: Any) -> str:
    """Return the kind that an intervention without one seems to be of."""
    keys = set(held) if isinstance(held, dict) else set()
    return "place" if keys & {"route", "zone"} else "school" if "phases" in keys else "people"


@cache
def _whole(kind: str) -> Any:
    """Return the template of a kind with all its options, with years and shares that go with whatever else there is."""
    data = _data(with_options(template(kind, "template")))
    data["budget"]["split"] = "equal"
    data["interventions"][0]["end_year"] = 200
    return data


def _plain() -> dict[str, Any]:
    return dict(_data(template("people", "template"))["interventions"][0])


def _data(text: str) -> Any:
    return parsed(text, Path("template.yaml")).data
