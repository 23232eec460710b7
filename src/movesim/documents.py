"""YAML files read with positions, so that every complaint can say which file, line and column it is about.

Numbers and truth values follow YAML 1.2, not the 1.1 that PyYAML speaks by itself: `1e5` is a number, `010` is ten, `1:30`
and `2026-01-01` are words, and only `true` and `false` are truth values (`no` is a word, not false).
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from movesim.errors import InputError, did_you_mean

Step = str | int
Place = tuple[int, int]

_NULL = re.compile(r"^(?:~|null|Null|NULL|)$")
_TRUE = re.compile(r"^(?:true|True|TRUE)$")
_FALSE = re.compile(r"^(?:false|False|FALSE)$")
_WHOLE = re.compile(r"^[-+]?[0-9][0-9_]*$")
_REAL = re.compile(r"^[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*|[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?$")
_INFINITE = re.compile(r"^[-+]?\.(?:inf|Inf|INF)$")
_NOT_A_NUMBER = re.compile(r"^\.(?:nan|NaN|NAN)$")
# What YAML 1.1 would turn into true or false: as a key it is nearly always a mistake, so it must be quoted.
_TRUTH_KEYS = re.compile(r"^(?:yes|no|on|off|true|false)$", re.IGNORECASE)


@dataclass(frozen=True)
class Document:
    """A YAML file as plain data, which remembers where each key and value stood.

    Arguments: path, the file; data, plain dictionaries, lists, text, numbers, truth values and None.
    """

    path: Path
    data: Any
    _values: dict[tuple[Step, ...], Place] = field(default_factory=dict, repr=False, compare=False)
    _keys: dict[tuple[Step, ...], Place] = field(default_factory=dict, repr=False, compare=False)

    @property
    def name(self) -> str:
        """The file as people would type it: relative to the working folder when it is below it."""
        return shown(self.path)

    def where(self, steps: Sequence[Step] = (), key: bool = False) -> str:
        """Return "file.yaml:12:3", the line and column of a value, or of its key with `key=True`.

        A step that is not in the file (a missing setting) points to the closest thing around it that is.

        >>> load_yaml("conf/run.yaml").where(("seed",))  # doctest: +SKIP
        'conf/run.yaml:8:7'
        """
        at = tuple(steps)
        while at and at not in self._values:
            at, key = at[:-1], False
        mark = self._keys.get(at) if key else None
        line, column = mark or self._values.get(at, (1, 1))
        return f"{self.name}:{line}:{column}"

    def error(self, steps: Sequence[Step], sentence: str, key: bool = False, missing: str = "") -> InputError:
        """Return an InputError whose sentence begins with the place it is about: "file.yaml:12:3: sentence"."""
        error = InputError(f"{self.where(steps, key)}: {sentence}")
        error.file, error.steps, error.key, error.missing = self.name, tuple(steps), key, missing
        return error


def shown(path: Path) -> str:
    """Return a path as people would type it: relative to the working folder when it is below it, with forward slashes."""
    try:
        return path.resolve().relative_to(Path.cwd().resolve()).as_posix()
    except (ValueError, OSError):
        return path.as_posix()


def load_yaml(path: str | Path) -> Document:
    """Read one YAML file with the position of every key and value.

    Arguments: path, the file. Returns a Document whose `data` is a mapping or a list.
    Raises InputError, one sentence with file, line and column, for a file that is missing, not UTF-8, empty, not valid YAML,
    that gives a key twice, indents with tabs, or has a bare key which YAML reads as a truth value (`on:`).
    """
    path = Path(path)
    return parsed(_text(path, shown(path)), path)


def parsed(text: str, path: Path) -> Document:
    """Return the text of a YAML file as load_yaml reads it; the path is only named. Raises InputError as load_yaml does."""
    import yaml

    name = shown(path)
    try:
        node = _compose(text)
    except yaml.MarkedYAMLError as error:
        raise InputError(_grammar(name, text, error)) from None
    except yaml.YAMLError as error:
        raise InputError(f"{name}: this file is not valid YAML ({str(error).splitlines()[0]}).") from None
    if node is None or (isinstance(node, yaml.ScalarNode) and _NULL.match(node.value)):
        raise InputError(f"{name}: this file is empty; it should hold settings written as 'key: value'.")
    reader = _Reader(name)
    data = reader.read(node, ())
    if not isinstance(data, dict | list):
        raise InputError(f"{name}:1:1: this file holds a single value; it should hold settings written as 'key: value'.")
    return Document(path, data, reader.values, reader.keys)


def _compose(text: str) -> Any:
    """Compose with libyaml where PyYAML has it (ten times faster); its plainer messages give way to PyYAML's own."""
    import yaml

    try:
        return yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError:
        return yaml.compose(text, Loader=yaml.SafeLoader)


def _text(path: Path, name: str) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        near = [p.name for p in path.parent.glob("*.yaml")] if path.parent.is_dir() else []
        raise InputError(f"There is no file {name}.{did_you_mean(path.name, near)}") from None
    except IsADirectoryError:
        raise InputError(f"{name} is a folder; a YAML file was expected.") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{name}: this file is not UTF-8 text (byte {error.start}); save it as UTF-8.") from None
    except OSError as error:
        raise InputError(f"{name} cannot be read ({error.strerror}).") from None


def _grammar(name: str, text: str, error: Any) -> str:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line, mark.column) if mark is not None else (0, 0)
    lines = text.splitlines()
    row = lines[line] if line < len(lines) else ""
    where = f"{name}:{line + 1}:{column + 1}"
    if "\t" in row[: len(row) - len(row.lstrip())]:
        return f"{where}: this line is indented with a tab; YAML wants spaces."
    problem = error.problem or error.context or "it cannot be read"
    if "single document" in str(error.context or ""):
        return f"{where}: the file holds more than one document ('---'); it should hold one."
    hint = "Check the indentation, and quote any text that contains ':' or '#'."
    return f"{where}: this line is not valid YAML ({problem}). {hint}"


class _Reader:
    """Turns composed nodes into plain data and keeps the marks."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.values: dict[tuple[Step, ...], Place] = {}
        self.keys: dict[tuple[Step, ...], Place] = {}
        self._open: set[int] = set()

    def at(self, node: Any) -> Place:
        return node.start_mark.line + 1, node.start_mark.column + 1

    def fail(self, node: Any, sentence: str) -> InputError:
        line, column = self.at(node)
        return InputError(f"{self.name}:{line}:{column}: {sentence}")

    def read(self, node: Any, steps: tuple[Step, ...]) -> Any:
        import yaml

        # A list or mapping begins on the line of its key as people see it, a single value where it stands.
        nested = not isinstance(node, yaml.ScalarNode)
        self.values[steps] = self.keys[steps] if nested and steps in self.keys else self.at(node)
        if not nested:
            return self.scalar(node)
        if id(node) in self._open:
            raise self.fail(node, "this anchor contains itself.")
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.SequenceNode):
                return [self.read(child, (*steps, number)) for number, child in enumerate(node.value)]
            return self.mapping(node, steps)
        finally:
            self._open.discard(id(node))

    def mapping(self, node: Any, steps: tuple[Step, ...]) -> dict[Step, Any]:
        result: dict[Step, Any] = {}
        first: dict[Step, int] = {}
        for key_node, value_node in node.value:
            key = self.key(key_node)
            if key in result:
                raise self.fail(key_node, f"'{key}' is given twice (first on line {first[key]}); keep one of them.")
            first[key] = self.at(key_node)[0]
            self.keys[(*steps, key)] = self.at(key_node)
            result[key] = self.read(value_node, (*steps, key))
        return result

    def key(self, node: Any) -> Step:
        import yaml

        if not isinstance(node, yaml.ScalarNode):
            raise self.fail(node, "a key must be a word or a whole number, not a list or mapping.")
        if not node.style:
            if node.value == "<<":
                raise self.fail(node, "merge keys ('<<') are not read; write the settings out.")
            if _TRUTH_KEYS.match(node.value):
                sentence = f"YAML reads the bare key '{node.value}' as true or false; write it in quotes or use another word."
                raise self.fail(node, sentence)
        key = self.scalar(node)
        if not isinstance(key, str | int) or isinstance(key, bool):
            raise self.fail(node, f"a key must be a word or a whole number, got '{node.value}'.")
        return key

    def scalar(self, node: Any) -> Any:
        text = node.value
        tag = node.tag.removeprefix("tag:yaml.org,2002:")
        if tag.startswith("!") or tag in ("binary", "set", "omap", "pairs"):
            raise self.fail(node, f"tags such as '{node.tag}' are not read; write a plain value.")
        if node.style:
            return text
        if _NULL.match(text):
            return None
        if _TRUE.match(text) or _FALSE.match(text):
            return bool(_TRUE.match(text))
        if _WHOLE.match(text):
            return int(text.replace("_", ""))
        if _REAL.match(text):
            return float(text.replace("_", ""))
        if _INFINITE.match(text):
            return math.copysign(math.inf, -1.0 if text.startswith("-") else 1.0)
        if _NOT_A_NUMBER.match(text):
            raise self.fail(node, "'.nan' is not a number; leave the key out instead.")
        return text
