"""The README: its commands are real, its links lead somewhere, its Python runs."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import pytest

import movesim
from movesim.config import load_yaml, scenario_files, settings_from_overrides
from movesim.settings import COMMANDS

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(name: str) -> str:
    """The code under `<!-- name -->`."""
    found = re.findall(rf"<!-- {name} -->\n```sh\n(.*?)\n```", README, re.DOTALL)
    assert len(found) == 1, f"one block named {name}"
    return found[0]


def movesim_commands() -> list[str]:
    lines = [line for code in re.findall(r"```sh\n(.*?)```", README, re.DOTALL) for line in code.splitlines()]
    parts = [part.strip() for line in lines for part in line.split("&&")]
    inline = [text for text in re.findall(r"`(movesim [^`]+)`", README) if "=" in text]
    return [part for part in parts + inline if part.startswith("movesim ")]


def test_two_commands_to_paste_each_one_line() -> None:
    for name, ends in (("start", "movesim compare"), ("tests", "-m pytest")):
        code = block(name)
        assert "\n" not in code and code.startswith("python3 -m venv .venv") and "-c constraints.txt" in code and ends in code


@pytest.mark.parametrize("command", movesim_commands())
def test_every_command_has_keys_that_exist(command: str) -> None:
    words = shlex.split(command)[1:]
    if words[0] in COMMANDS:
        assert settings_from_overrides(words[0], words[1:])
    else:
        assert words[0] in ("place", "scenario", "report", "list")


def test_the_scenarios_of_the_first_command_exist() -> None:
    words = shlex.split(block("start").rpartition("&&")[2])[2:]
    assert set(settings_from_overrides("compare", words).scenarios) <= set(scenario_files())


def test_every_link_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert target.startswith("https://") or (ROOT / target).exists(), target


def test_the_python_snippets_name_what_exists() -> None:
    code = "".join(re.findall(r"```python\n(.*?)```", README, re.DOTALL))
    compile(code, "README", "exec")
    for name in re.findall(r"movesim\.(\w+)", code):
        assert name in movesim.__all__
    keys = re.search(r"movesim\.compare\((.*?)\)", code)
    assert keys
    movesim.CompareSettings.from_mapping(eval(f"dict({keys[1]})"))


def test_versions_agree() -> None:
    citation = load_yaml(ROOT / "CITATION.cff").data
    assert citation["version"] == movesim.__version__
    assert f"## {movesim.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["license"] == citation["license"] == "MIT"
    assert project["project"]["requires-python"] == ">=3.11,<3.14", "the README names 3.11, 3.12 and 3.13"


def test_constraints_are_versions_only_and_cover_what_is_needed() -> None:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if line and not line.startswith("#")]
    for line in lines:
        assert re.fullmatch(r'[\w.-]+==[\w.]+( ; python_version (<|>=) "3\.\d+")?', line), line
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = [*project["dependencies"], *project["optional-dependencies"]["test"], *project["optional-dependencies"]["docs"]]
    names = {re.split("==", line)[0].lower().replace("_", "-") for line in lines}
    missing = [each for each in needed if re.split(r"[<>=!\[ ]", each)[0].lower().replace("_", "-") not in names]
    assert missing == []


def test_no_text_names_a_machine_or_a_host_of_packages() -> None:
    for name in (
        "README.md",
        "CHANGELOG.md",
        "constraints.txt",
        "pyproject.toml",
        ".ci/run",
        "docs/commands.md",
        "docs/results.md",
    ):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert not re.search(r"/(?:root|home|opt|work|Users)/|index[-]url|simple/", text), name
