"""Reading scenario files: settings in layers (a scenario and what it uses), each complaint with its file, line and column."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from movesim import evidence
from movesim.documents import Document
from movesim.errors import InputError, did_you_mean, one_of

Keys = tuple[str | int, ...]
IDENTIFIER = re.compile(r"[a-z][a-z0-9_]*")  # what an intervention, a modifier and a scenario may be called
# Which distributions keep every draw of a quantity where it can be.
_SHARES = ("beta", "uniform", "triangular", "fixed")
_POSITIVE = ("lognormal", "uniform", "triangular", "fixed")

_HINTS = dict.fromkeys(("start_year", "end_year"), " Years are those of the plan: 1 is the first.")


@dataclass(frozen=True)
class Layer:
    """A part of one file: the settings below `steps`, and the prefix of the ledger paths of its numbers."""

    document: Document
    steps: Keys
    prefix: str

    def has(self, keys: Keys) -> bool:
        """Tell whether this layer itself holds something under these keys."""
        here: Any = self.document.data
        for key in (*self.steps, *keys):
            in_list = isinstance(here, list) and isinstance(key, int) and key < len(here)
            if not in_list and not (isinstance(here, Mapping) and key in here):
                return False
            here = here[key]
        return True


def merged(base: Any, over: Any) -> Any:
    """Return `base` with the keys of `over` in its place; mappings are merged, numbers with evidence and lists replaced."""
    if not isinstance(base, Mapping) or not isinstance(over, Mapping) or "value" in base or "value" in over:
        return over
    return {**base, **{key: merged(base[key], value) if key in base else value for key, value in over.items()}}


@dataclass(frozen=True)
class Node:
    """A mapping of settings with what is needed to complain about it: layers, the last one on top, and keys within them."""

    layers: tuple[Layer, ...]
    data: Any
    keys: Keys = ()
    numbers: dict[str, evidence.Parameter] | None = None  # ledger path -> parameter, shared by all nodes of a scenario

    # --- where it is --------------------------------------------------------------------------------------------------
    def layer(self, *keys: str | int) -> Layer:
        """Return the topmost layer that holds these keys, else the one that holds this node."""
        full = (*self.keys, *keys)
        for length in range(len(full), -1, -1):
            for layer in reversed(self.layers):
                if layer.has(full[:length]):
                    return layer
        return self.layers[-1]

    def where(self, *keys: str | int, key: bool = False) -> str:
        """Return "file.yaml:12:3" of a value below this node (of its key with key=True)."""
        layer = self.layer(*keys)
        return layer.document.where((*layer.steps, *self.keys, *keys), key)

    def error(self, sentence: str, *keys: str | int, key: bool = False, missing: str = "") -> InputError:
        """Return an InputError that begins with the place of these keys; `missing` names what is not there and should be."""
        layer = self.layer(*keys)
        return layer.document.error((*layer.steps, *self.keys, *keys), sentence, key, missing)

    # --- what it holds ------------------------------------------------------------------------------------------------
    def only(self, known: Iterable[str], required: Iterable[str] = (), what: str = "this mapping") -> None:
        """Refuse anything that is not a mapping, an unknown key and a missing one."""
        known = list(known)
        if not isinstance(self.data, Mapping):
            right = f"a mapping of {one_of(known)}" if known else "empty: {}"
            raise self.error(f"{what} must be {right}, got {_shown(self.data)}.")
        for name in self.data:
            if name not in known:
                takes = f" It takes {', '.join(known)}." if known else " It stays empty: {}."
                hint = did_you_mean(str(name), known) or takes
                raise self.error(f"unknown setting '{name}' in {what}.{hint}", name, key=True)
        for name in required:
            if self.data.get(name) is None:
                raise self.error(f"{what} needs '{name}'.", missing=name)

    def __contains__(self, name: str) -> bool:
        return isinstance(self.data, Mapping) and self.data.get(name) is not None

    def child(self, name: str | int) -> Node:
        """Return the settings under a key (an empty mapping when it is not given)."""
        held = self.data[name] if isinstance(name, int) or name in self else {}
        return replace(self, data=held, keys=(*self.keys, name))

    def text(self, name: str, default: str = "") -> str:
        """Return a text."""
        value = self.data.get(name, default)
        if not isinstance(value, str):
            raise self.error(f"'{name}' must be text, got {_shown(value)}.", name)
        return " ".join(value.split())

    def word(self, name: str, known: Iterable[str], default: str | None = None) -> str:
        """Return one of the known words."""
        known, value = list(known), self.data.get(name, default)
        if value not in known:
            raise self.error(f"'{name}' must be {one_of(known)}, got {_shown(value)}.{did_you_mean(str(value), known)}", name)
        return str(value)

    def words(self, name: str, known: Iterable[str] | None = None, least: int = 1, what: str = "") -> tuple[str, ...]:
        """Return a list of words, each one of the known ones and none twice."""
        value = self.data.get(name)
        if not isinstance(value, list) or len(value) < least:
            raise self.error(f"'{name}' must be a list{f' of {what}' if what else ''}, got {_shown(value)}.", name)
        options = None if known is None else list(known)
        for number, word in enumerate(value):
            if not isinstance(word, str):
                raise self.error(f"'{name}' must hold text only, got {_shown(word)}; put it in quotes.", name, number)
            if options is not None and word not in options:
                hint = did_you_mean(word, options) or f" It takes {', '.join(options)}."
                raise self.error(f"'{name}' holds '{word}', which is not {what or 'known'}.{hint}", name, number)
            if word in value[:number]:
                raise self.error(f"'{name}' holds '{word}' twice.", name, number)
        return tuple(value)

    def whole(self, name: str, least: int, most: int) -> int:
        """Return a whole number within a range."""
        value, hint = self.data.get(name), _HINTS.get(name, "")
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.error(f"'{name}' must be a whole number, got {_shown(value)}.{hint}", name)
        if not least <= value <= most:
            raise self.error(f"'{name}' must be between {least} and {most}, got {value}.{hint}", name)
        return value

    def wholes(self, name: str, least: int, most: int) -> tuple[int, ...]:
        """Return a list of whole numbers within a range, none twice."""
        value = self.data.get(name)
        if not isinstance(value, list) or not value:
            raise self.error(f"'{name}' must be a list of whole numbers from {least} to {most}, got {_shown(value)}.", name)
        for number, each in enumerate(value):
            if isinstance(each, bool) or not isinstance(each, int) or not least <= each <= most:
                raise self.error(f"'{name}' must hold whole numbers from {least} to {most}, got {_shown(each)}.", name, number)
        if len(set(value)) < len(value):
            raise self.error(f"'{name}' holds a number twice.", name)
        return tuple(value)

    def plain(self, name: str, least: float = 0.0) -> float:
        """Return a plain number of at least `least` (a choice, not a finding)."""
        value = self.data.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.error(f"'{name}' must be a number, got {_shown(value)}.", name)
        if not least <= value < math.inf:
            raise self.error(f"'{name}' must not be below {least:g} and must be finite, got {value:g}.", name)
        return float(value)

    def flag(self, name: str) -> bool:
        """Return true or false."""
        value = self.data.get(name)
        if not isinstance(value, bool):
            raise self.error(f"'{name}' must be true or false, got {_shown(value)}.", name)
        return value

    # --- numbers with evidence ----------------------------------------------------------------------------------------
    def number(self, name: str, least: float | None = None, most: float | None = None, group: str = "") -> str:
        """Check a number with evidence, note it for the ledger and return its path there.

        `least` and `most` bound the value and its range; a share has 0 and 1.
        """
        held = self.data.get(name)
        if held is None:
            sentence = f"'{name}' is missing; it is a number with its evidence: value, low, high, status, ids."
            raise self.error(sentence, missing=name)
        if not evidence.is_number_with_evidence(held):
            shape = "{value: ..., low: ..., high: ..., distribution: ..., status: ..., ids: [...]}"
            hint = "" if not isinstance(held, Mapping) else " An override replaces the whole number, evidence included."
            raise self.error(f"'{name}' must be a number with its evidence, {shape}, got {_shown(held)}.{hint}", name)
        share = least == 0.0 and most == 1.0
        for part in ("value", "low", "high"):
            if part in held:
                self._bounded(name, part, held[part], least, most, share)
        ids = held.get("ids", [])
        if not isinstance(ids, list):
            raise self.error(f"'ids' must be a list of ids of evidence, such as [AT01], got {_shown(ids)}.", name, "ids")
        for number, each in enumerate(ids):
            if not isinstance(each, str):
                raise self.error(f"'ids' must hold text only, got {_shown(each)}; put it in quotes.", name, "ids", number)
        layer = self.layer(name)
        path = ".".join([layer.prefix, *map(str, self.keys), name])
        stated = held.get("distribution")
        if held.get("status") == "assumed" and stated is None and "low" not in held:
            raise self.error(
                f"'{name}' is assumed, so it needs a wide range (low, high, distribution), or distribution: fixed for a choice.",
                name,
            )
        allowed = _SHARES if share else _POSITIVE if least is not None else None
        if allowed and stated is not None and stated not in allowed:
            kind = "a share" if share else "never below 0"
            sentence = f"'{name}' is {kind}, so its distribution must be {one_of(allowed)}, got '{stated}'."
            raise self.error(sentence, name, "distribution")
        try:
            parameter = evidence.parse(path, {**held, "group": held.get("group", group)})
        except InputError as error:
            raise self.error(str(error), name) from None
        if self.numbers is not None:
            self.numbers[path] = replace(parameter, least=least, most=most)
        return path

    def _bounded(self, name: str, part: str, value: Any, least: float | None, most: float | None, share: bool) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.error(f"'{name}' has {part} {_shown(value)}; it must be a number.", name, part)
        if share and not 0 <= value <= 1:
            hint = f" Did you mean {value / 100:g} ({value:g}%)?" if 1 < value <= 100 else ""
            raise self.error(f"'{name}' must be between 0 and 1, got {value:g}.{hint}", name, part)
        if least is not None and value < least:
            raise self.error(f"'{name}' must not be below {least:g}, got {value:g}.", name, part)
        if most is not None and value > most:
            raise self.error(f"'{name}' must not be above {most:g}, got {value:g}.", name, part)


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, str):
        return f"'{value}'"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else f"a {'list' if isinstance(value, list) else 'mapping'}"
