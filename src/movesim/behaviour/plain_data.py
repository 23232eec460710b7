"""What a run is made of as plain data and arrays, and back: the grammar of checkpoint.json.

Numbers, texts and lists are themselves. Anything else is a mapping with one key that says what it is. An object or an array
that is met twice is written once, so that what was shared is shared again. Only classes of this package are made again.
"""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from movesim.errors import InputError, MovesimError

PACKAGE = __name__.partition(".")[0]


class Writer:
    """Turns what a run is made of into plain data, and takes the arrays out by the path at which it met them."""

    def __init__(self) -> None:
        self.objects: list[dict[str, Any]] = []
        self.arrays: dict[str, NDArray[Any]] = {}
        self._met: dict[int, Any] = {}
        self._kept: list[Any] = []  # an address stands for an object only while the object lives
        self._names: set[str] = set()

    def plain(self, value: Any, path: str) -> Any:
        """Return a value as plain data."""
        if value is None or type(value) in (bool, int, float, str):
            return value
        if type(value) is list:
            return [self.plain(each, f"{path}.{number}") for number, each in enumerate(value)]
        if type(value) is tuple:
            return {"tuple": [self.plain(each, f"{path}.{number}") for number, each in enumerate(value)]}
        if type(value) in (set, frozenset):
            kind = type(value).__name__
            return {kind: [self.plain(each, path) for each in sorted(value)]}
        if isinstance(value, np.generic):
            return {"number": [value.dtype.str, value.item()]}
        if isinstance(value, type) and issubclass(value, np.generic):
            return {"type": value.__name__}
        if isinstance(value, Path):
            return {"path": value.as_posix()}
        if id(value) not in self._met:
            self._kept.append(value)
            if isinstance(value, np.ndarray):
                self._met[id(value)] = {"array": self._take(value, path)}
            elif isinstance(value, tuple) and _is_ours(type(value)):  # a NamedTuple
                self._met[id(value)] = {"record": [_class(value), [self.plain(each, path) for each in value]]}
            else:
                number = len(self.objects)
                self._met[id(value)] = {"object": number}  # noted first: an object may hold what holds it
                kind = "dict" if type(value) is dict else _class(value) if _is_ours(type(value)) else _refuse(path, value)
                self.objects.append({"class": kind})
                state = value if type(value) is dict else state_of(value)
                self._kept.append(state)
                pairs = [[self.plain(k, path), self.plain(each, f"{path}.{step_of(k)}")] for k, each in state.items()]
                self.objects[number]["state"] = pairs
        return self._met[id(value)]

    def _take(self, array: NDArray[Any], path: str) -> str:
        if array.dtype.hasobject:
            _refuse(path, array)
        name = re.sub(r"[^\w.-]+", "-", path.removeprefix("simulation."))[:100]
        while name.lower() in self._names:  # some file systems take H and h for one name
            name += "_"
        self._names.add(name.lower())
        self.arrays[f"{name}.npy"] = array
        return f"{name}.npy"


class Reader:
    """Turns plain data back into what it was."""

    def __init__(self, objects: list[dict[str, Any]], arrays: dict[str, NDArray[Any]]) -> None:
        self._objects, self._arrays = objects, arrays
        self._made: dict[int, Any] = {}

    def value(self, data: Any) -> Any:
        """Return what plain data stands for."""
        if isinstance(data, list):
            return [self.value(each) for each in data]
        if not isinstance(data, dict):
            return data
        ((kind, given),) = data.items()
        match kind:
            case "tuple":
                return tuple(self.value(each) for each in given)
            case "set":
                return {self.value(each) for each in given}
            case "frozenset":
                return frozenset(self.value(each) for each in given)
            case "number":
                return np.dtype(given[0]).type(given[1])
            case "type":
                return getattr(np, given)
            case "path":
                return Path(given)
            case "array":
                return self._arrays[given]
            case "record":
                return _found(given[0])(*(self.value(each) for each in given[1]))
        return self._object(given)

    def _object(self, number: int) -> Any:
        if number not in self._made:
            kind, pairs = self._objects[number]["class"], self._objects[number]["state"]
            cls = dict if kind == "dict" else _found(kind)
            made = self._made[number] = cls.__new__(cls)
            state = {self.value(k): self.value(each) for k, each in pairs}
            if kind == "dict":
                made.update(state)
            elif hasattr(cls, "__setstate__"):
                made.__setstate__(state)
            else:
                made.__dict__.update(state)
        return self._made[number]


def _is_ours(cls: type) -> bool:
    return cls.__module__.partition(".")[0] == PACKAGE and cls.__qualname__.isidentifier()


def _class(value: Any) -> str:
    return f"{type(value).__module__}:{type(value).__qualname__}"


def _found(name: str) -> Any:
    """Return a class of this package by its name."""
    module, _, cls = name.partition(":")
    if module.partition(".")[0] != PACKAGE:
        raise InputError(f"This checkpoint names {name}, which is no class of {PACKAGE}; it was not written by it.")
    return getattr(importlib.import_module(module), cls)


def state_of(value: Any) -> dict[str, Any]:
    """Return what an object carries, as it says itself: work space is left out."""
    return dict(value.__getstate__() or {})


def step_of(key: Any) -> str:
    """Return the step of a path that a key or an attribute makes."""
    return key.strip("_") if isinstance(key, str) else str(key)


def _refuse(path: str, value: Any) -> str:
    raise MovesimError(f"A checkpoint keeps numbers, texts, arrays and objects of movesim; {path} is a {type(value).__name__}.")
