"""A new scenario file to begin with: a commented template of each kind, or one that starts from a scenario there is."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from movesim.config import conf_folder, scenario_files, shown
from movesim.errors import InputError, did_you_mean, one_of
from movesim.interventions.files import interventions_of, load_document
from movesim.interventions.reading import IDENTIFIER
from movesim.interventions.scenario import KINDS

FOLDER = "scenarios"
_WORDS = {
    "people": {
        "KIND": "a programme that people are offered and join.", "FUNCTIONS": "Enablement, Modelling, Persuasion",
        "POLICIES": "Service provision", "AGES": "16, 120",
    },
    "place": {
        "KIND": "neighbourhoods that are changed for everybody who lives there.", "FUNCTIONS": "Environmental restructuring",
        "POLICIES": "Environmental/social planning", "AGES": "16, 120",
    },
    "school": {
        "KIND": "a programme that schools join.", "FUNCTIONS": "Training, Environmental restructuring, Modelling",
        "POLICIES": "Service provision, Guidelines", "AGES": "5, 15",
    },
}  # fmt: skip
_OPTIONAL = re.compile(r"^# (?= +\S|[a-z_]+:)", re.MULTILINE)
_HOW = """\
# {title}: begins as {base} and does what {base} does, draw by draw, until you change something.
#
# Below "use" stands everything that {base} says, each line behind a "# ". Take the "# " away of what you want to change,
# and of the line it belongs under ("where:" of "targeting:"). A number is replaced whole, with its range and its status.
# "movesim scenario new NAME" without from= explains every key.
"""


def new_scenario(name: str, kind: str = "people", base: str | None = None, folder: Path | None = None) -> Path:
    """Write a commented scenario file to begin with and return its path; what is there is never written over.

    Arguments: name, of the scenario and its file; kind, of the template; base, a scenario to start from instead; folder,
    ./scenarios when left out, made when it is not there. The file passes the check and runs as it is.
    Raises InputError for a name that cannot be or is taken, an unknown kind, and an unknown or empty base.
    """
    if not IDENTIFIER.fullmatch(name):
        raise InputError(
            f"'{name}' cannot be the name of a scenario; write small letters, digits and underscores, beginning with a letter."
        )
    files = scenario_files()
    path = (folder or Path.cwd() / FOLDER) / f"{name}.yaml"
    taken = path if path.exists() else files.get(name)
    if taken is not None:
        raise InputError(f"There is a scenario called '{name}' already, {shown(taken)}; choose another name.")
    text = template(kind, name) if base is None else _from(name, base, files)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise InputError(f"{shown(path)} cannot be written ({error.strerror}).") from None
    return path


def template(kind: str, name: str) -> str:
    """Return the commented template of a kind, every setting of it explained, as the text of a scenario file."""
    if kind not in KINDS:
        raise InputError(f"kind must be {one_of(KINDS)}, got '{kind}'.{did_you_mean(kind, KINDS)}")
    folder = conf_folder() / "templates"
    words = {**_WORDS[kind], "NAME": name, "TITLE": _title(name)}

    def filled(part: str) -> str:
        text = (folder / f"{part}.txt").read_text(encoding="utf-8").rstrip("\n")
        text = re.sub(r"^@(HEAD|DOES|WHERE|TRIAL)@$", lambda found: filled(found[1].lower()), text, flags=re.MULTILINE)
        for mark, word in words.items():
            text = text.replace(f"@{mark}@", word)
        return text + ("\n" if part in ("does", "where", kind) else "")

    return filled(kind)


def with_options(text: str) -> str:
    """Return a template with the "# " before its optional settings taken away."""
    before, title, settings = text.partition("\ntitle:")
    return before + title + _OPTIONAL.sub("", settings)


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _from(name: str, base: str, files: Mapping[str, Path]) -> str:
    """Return a file that takes everything over from a scenario, whose settings stand in it ready to be changed."""
    if base not in files:
        raise InputError(f"There is no scenario called '{base}' to start from.{did_you_mean(base, files)}")
    document = load_document(base)
    held = interventions_of(document)
    if not held:
        raise InputError(f"'{base}' has no interventions to start from; it starts from one of the others, or leave from= out.")
    title = _title(name)
    lines = [_HOW.format(title=title, base=base), f"title: {title}", f"summary: As {base}, changed where this file says so.", ""]
    for key, value in document.data.items():
        if key not in ("title", "slogan", "summary", "interventions"):
            lines += [_written({key: value}), ""]
    lines.append("interventions:")
    for called, settings in held:
        lines.append(f"  - use: {base}" if len(held) == 1 else f"  - use: {base}/{called}")
        lines += [f"#     {line}".rstrip() for line in _written(settings).splitlines()]
    return "\n".join(lines) + "\n"


def _written(data: Any) -> str:
    """Return settings as YAML in which each number with its evidence stands on one line, to be changed as a whole."""
    import yaml

    dumper = yaml.SafeDumper(io.StringIO(), sort_keys=False)
    node = dumper.represent_data(data)

    def lay_out(each: Any) -> bool:
        """Write what holds plain values only, or lists of them, in one line; tell whether that is so."""
        if isinstance(each, yaml.ScalarNode):
            return True
        parts = [part for pair in each.value for part in pair] if isinstance(each, yaml.MappingNode) else each.value
        flat = [lay_out(part) and not isinstance(part, yaml.MappingNode) for part in parts]
        each.flow_style = all(flat)
        return all(flat)

    lay_out(node)
    assert isinstance(node, yaml.CollectionNode)
    node.flow_style = False
    return str(yaml.serialize(node, Dumper=yaml.SafeDumper, allow_unicode=True, width=math.inf)).rstrip()
