"""Bad input that only the whole program can see: unknown names, other studies' folders, and studies started again.

Every row: exit code 2, one sentence on stderr, nothing on stdout, nothing left behind.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from movesim.cli import main

pytest.importorskip("movesim.experiments.compare")

SMALL = ["people=500", "years=1", "replicates=1", "workers=1", "draws=central", "report=false", "quiet=true"]

BAD = [
    (["compare", "scenarios=[rotes]"], r"There is no scenario called 'rotes'\. Did you mean 'routes'\?"),
    (["run", "scenario=rotes"], r"There is no scenario called 'rotes'\. Did you mean 'routes'\?"),
    (["run", "scenario=plans/none.yaml"], r"There is no file plans/none\.yaml"),
    (["run", "scenario=routes", "place=englnd"], r".*englnd.*Did you mean 'england'\?"),
    (["run", "scenario=routes", "areas=[Mansfeild]"], r".*Mansfeild.*Did you mean 'Mansfield'\?"),
    (["run", "scenario=routes", "behaviour.no.such.number=1"], r".*no\.such\.number"),
    (["run", "scenario=over.yaml"], r"over\.yaml:\d+:\d+: "),
    (["scenario", "check", "rotes"], r"There is no scenario called 'rotes'\. Did you mean 'routes'\?"),
    (["scenario", "check", "bad.yaml"], r"bad\.yaml:\d+:\d+: .*'reech'"),
    (["place", "inspect", "englnd"], r".*englnd.*Did you mean 'england'\?"),
    (["place", "build", "files=tables", "name=our_county"], r".*tables"),
]


@pytest.mark.parametrize(("words", "sentence"), BAD, ids=[" ".join(words) for words, _ in BAD])
def test_bad_input_is_2_with_one_sentence_and_leaves_nothing(
    words: list[str], sentence: str, empty_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (empty_folder / "tables").mkdir()
    (empty_folder / "bad.yaml").write_text("title: Bad\nsummary: x\nreech: 0.5\n")
    (empty_folder / "over.yaml").write_text(
        "title: Over\nsummary: x\ninterventions:\n  - use: routes\n    change: {ladder.aware: 30}\n"
    )
    before = sorted(empty_folder.rglob("*"))
    small = [each for each in SMALL if words[0] in ("run", "compare")]
    assert main([*words, *small]) == 2
    out, err = capsys.readouterr()
    assert out == "" and re.match(sentence, err), err
    assert err.count("\n") == 1
    assert sorted(empty_folder.rglob("*")) == before


@pytest.mark.slow
def test_a_study_goes_on_is_finished_grows_and_refuses_anothers_folder(
    empty_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One folder through its life: done, already done, grown by a replicate, and closed to another study."""
    asked = ["run", "scenario=routes", "out=mine", *(each for each in SMALL if each != "quiet=true" and "replicates" not in each)]
    assert main([*asked, "replicates=1"]) == 0
    capsys.readouterr()
    assert main([*asked, "replicates=1"]) == 0
    assert capsys.readouterr().out.startswith("Already done: mine")
    assert main([*asked, "replicates=2"]) == 0
    assert not capsys.readouterr().out.startswith("Already done")
    before = {path: path.stat().st_mtime_ns for path in sorted((empty_folder / "mine").rglob("*"))}
    assert main([*asked, "replicates=2", "seed=2"]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and "mine" in err and "another study" in err
    assert {path: path.stat().st_mtime_ns for path in sorted((empty_folder / "mine").rglob("*"))} == before
