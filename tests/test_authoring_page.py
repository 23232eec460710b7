"""docs/authoring.md: its files and commands are used exactly as they are printed, from a folder that is not movesim's."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from movesim.cli import main
from movesim.config import settings_from_overrides

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "authoring.md").read_text(encoding="utf-8")
FILES = re.findall(r"<!-- file: (\S+) -->\n```yaml\n(.*?)```", PAGE, re.DOTALL)


def commands(mark: str) -> list[list[str]]:
    found = re.search(rf"{mark}```sh\n(.*?)```", PAGE, re.DOTALL)
    assert found, mark
    return [shlex.split(line, comments=True)[1:] for line in found[1].splitlines()]


@pytest.fixture
def page(empty_folder: Path) -> Path:
    """A working folder that holds the files of the page."""
    for path, text in FILES:
        (empty_folder / path).parent.mkdir(exist_ok=True)
        (empty_folder / path).write_text(text, encoding="utf-8")
    return empty_folder


def test_how_it_begins(empty_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = commands("## Begin\n\n") + commands("nothing else.\n\n")
    assert len(words) == 8
    for each in words:
        assert main(each) == 0, each
    assert sorted(p.name for p in (empty_folder / "scenarios").iterdir()) == [
        "our_greens.yaml", "our_leaders.yaml", "our_schools.yaml", "our_walks.yaml",
    ]  # fmt: skip
    assert (empty_folder / "our_walks.svg").is_file()
    assert "scenarios.our_walks.effect = 20" in capsys.readouterr().out


def test_the_example_is_right_and_claims_nothing(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for each in commands("<!-- run -->\n"):
        assert main(each) == 0, each
    out = capsys.readouterr().out
    assert "scenarios/walking_football.yaml: all right." in out and "0 read" not in out
    assert re.search(r"Of its \d+ numbers \d+ assumed\.", " ".join(out.split()))
    assert (page / "walking_football.svg").is_file()


def test_what_is_wrong_is_said_as_printed(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, said = re.search(r"<!-- check: (\S+) -->\n```text\n(.*?)```", PAGE, re.DOTALL).groups()  # type: ignore[union-attr]
    assert main(["scenario", "check", path]) == 2
    assert capsys.readouterr().err == said


def test_the_long_commands_have_settings_that_exist(page: Path) -> None:
    for command, *words in commands("<!-- run: slow -->\n"):
        assert settings_from_overrides(command, words)


@pytest.mark.slow
def test_the_example_runs(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By name beside a family, by path alone, and its study: the programme spends its money and delivers."""
    import movesim

    for each in commands("<!-- run: slow -->\n"):
        assert main(each) == 0, each
    folder = next((page / "outputs" / "compare").iterdir())
    money = movesim.load(folder).to_frame("money")
    mine = money[money["intervention"] == "walking_football"]
    assert mine["spent"].sum() > 0 and mine["delivered"].sum() > 0
    assert (page / "outputs" / "run").is_dir() and (page / "outputs" / "trials").is_dir()


def test_the_python_of_the_page(page: Path) -> None:
    code = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)[1]  # type: ignore[index]
    exec(compile(code.partition("result =")[0], "authoring.md", "exec"), {})
    import movesim

    keys = re.search(r"movesim\.compare\((.*?)\)", code)[1]  # type: ignore[index]
    assert movesim.CompareSettings.from_mapping(eval(f"dict({keys})")).scenarios[0] == "scenarios/walking_football.yaml"
