"""Settings: defaults, ranges, the command line's grammar, folders; each wrong thing gets one sentence."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from movesim import checks, config, documents, settings
from movesim.config import (
    COMMANDS,
    CalibrateSettings,
    CompareSettings,
    RunSettings,
    composed,
    load_yaml,
    settings_from_overrides,
    sweep_from_overrides,
)
from movesim.errors import InputError

NEEDED = {
    "run": ["scenario=routes"], "compare": ["scenarios=[routes]"], "sweep": ["scenarios=[routes]"],
    "sensitivity": ["scenario=routes"], "trials": [], "calibrate": [], "validate": [], "explain": [],
}  # fmt: skip


# --- defaults ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("command", COMMANDS)
def test_the_settings_file_and_the_table_have_the_same_defaults(command: str) -> None:
    listed = {"scenarios": ["routes"]}
    one = {"scenario": "routes"}
    needed = {"run": one, "sensitivity": one, "compare": listed, "sweep": listed}.get(command, {})
    assert settings_from_overrides(command, NEEDED[command]) == COMMANDS[command](**needed)
    assert set(composed(command, [])) == set(COMMANDS[command].table())


def test_a_study_is_named_by_what_changes_its_numbers() -> None:
    one = CompareSettings(scenarios=["routes"])
    for key, value in {"replicates": 3, "workers": 2, "engine": "serial", "report": False, "out": "x", "json": True}.items():
        assert CompareSettings(scenarios=["routes"], **{key: value}).identity() == one.identity(), key
    for key, value in {
        "place": "england", "people": 500, "years": 5, "start_year": 2027, "seed": 2, "place_seed": 2, "draws": "central",
        "areas": ["Mansfield"], "demography": False, "behaviour": {"a.b": 1}, "record": "full",
    }.items():  # fmt: skip
        assert CompareSettings(scenarios=["routes"], **{key: value}).identity() != one.identity(), key


@pytest.mark.parametrize(
    "words",
    [
        ["scenarios=[routes,school_day]", "people=all", "areas=[Mansfield,'Newark and Sherwood']", "behaviour.habit.gain=0.1"],
        ["scenarios=[routes]", "report=false", "demography=false", "seed=7", "out=results/a folder"],
        ["scenarios=[routes]", "engine=serial", "draws=central", "areas=['King\\'s Lynn: West']"],
    ],
)
def test_the_command_line_of_settings_asks_for_the_same(words: list[str]) -> None:
    asked = settings_from_overrides("compare", words)
    line = shlex.split(asked.command_line())
    assert line[:2] == ["movesim", "compare"]
    assert settings_from_overrides("compare", line[2:]) == asked


def test_settings_become_plain_data() -> None:
    plain = RunSettings(scenario="routes", areas=["Mansfield"], out="a/b").to_dict()
    assert plain["areas"] == ["Mansfield"] and plain["out"] == "a/b" and plain["workers"] >= 1
    assert RunSettings(scenario="routes").scenarios == ("routes",)


def test_numbers_may_be_written_in_several_ways() -> None:
    asked = settings_from_overrides("run", ["scenario=2026", "people=2e4", "workers=auto", "engine=local", "report=none"])
    assert (asked.scenario, asked.people, asked.report) == ("2026", 20_000, False)
    assert 1 <= asked.workers <= 8
    assert settings_from_overrides("run", ["scenario=a", "people=ALL", "engine=serial"]).workers == 1
    assert settings_from_overrides("run", ["scenario=a", "+behaviour.a.b=2"]).behaviour == {"a.b": 2.0}
    assert settings_from_overrides("run", ["scenario=a", "behaviour.a={b: 2, c: 3}"]).behaviour == {"a.b": 2.0, "a.c": 3.0}
    assert settings_from_overrides("run", ["scenario=a", "areas=Mansfield"]).areas == ("Mansfield",)


def test_a_place_of_ones_own_is_a_name_like_any_other() -> None:
    assert settings_from_overrides("run", ["scenario=a", "place=my-county"]).place == "my-county"


# --- wrong input ------------------------------------------------------------------------------------------------------
WRONG = [
    ("sceario=x", r"'sceario' is not a setting of movesim compare\. Did you mean 'scenarios'\?"),
    ("zzz=x", r"'zzz' is not a setting of movesim compare\. Its keys are scenarios, place, people"),
    ("seed.x=1", r"'seed\.x' is not a setting of movesim compare"),
    ("seed@x=1", r"'seed@x' is not a setting of movesim compare"),
    ("seed=x", r"seed must be a whole number of 0 or more, got 'x'\."),
    ("seed=-1", r"seed must be a whole number of 0 or more, got -1\."),
    ("seed=1.5", r"seed must be a whole number of 0 or more, got 1\.5\."),
    ("seed=true", r"seed must be a whole number of 0 or more, got True\."),
    ("seed=null", r"seed must be a whole number of 0 or more, got nothing\."),
    ("people=0", r"people must be 'all' or a whole number of 100 or more, got 0\."),
    ("people=many", r"people must be 'all' or a whole number of 100 or more, got 'many'\."),
    ("years=0", r"years must be a whole number from 1 to 50, got 0\."),
    ("replicates=0", r"replicates must be a whole number from 1 to 100,000, got 0\."),
    ("start_year=26", r"start_year must be a whole number from 2000 to 2100, got 26\."),
    ("workers=0", r"workers must be 'auto' or a whole number from 1 to 1,024, got 0\."),
    ("draws=centrl", r"draws must be fitted or central, got 'centrl'\. Did you mean 'central'\?"),
    ("record=everything", r"record must be standard or full, got 'everything'\."),
    ("demography=no", r"demography must be true or false, got 'no'\."),
    ("engine=serail", r"engine must be dask, local or serial, got 'serail'\. Did you mean 'serial'\?"),
    ("report=maybe", r"report must be false or true, got 'maybe'\."),
    ("place=", r"place must be a name, as in place=NAME; nothing was given"),
    ("place={a: 1}", r"place must be a name, as in place=NAME; got \{'a': 1\}"),
    ("areas=[Mansfield,Mansfield]", r"areas names 'Mansfield' twice; name it once\."),
    ("areas={a: 1}", r"areas must be a list of names, as in 'areas=\[a,b\]'"),
    ("areas=null", r"areas must be a list of names, as in 'areas=\[a,b\]', got nothing\."),
    ("areas=a,b", r"'areas=a,b' gives several values; for a list write 'areas=\[a,b\]', for one study per value add -m"),
    ("years=1,2", r"'years=1,2' gives several values; give one, or add -m to run one study per value"),
    ("behaviour.habit.gain=x", r"behaviour\.habit\.gain must be a number, got 'x'\."),
    ("behaviour.habit.gain=nan", r"behaviour\.habit\.gain must be a number, got nan\."),
    ("behaviour.a.b={c: true}", r"behaviour\.a\.b\.c must be a number, got True\."),
    ("behaviour=5", r"behaviour must be numbers by dotted path, as in behaviour\.habit\.gain=0\.1, got 5\."),
    ("out=[a]", r"out must be the name of a folder, got \['a'\]\."),
    ("out=a=b", r"'out=a=b' cannot be read \(.*\); put quotes around the value, as in \"out='\.\.\.'\""),
    ("x=[1", r"'x=\[1': the list is not closed; quote the whole word in the shell"),
    ("routes]", r"'routes\]' looks like the end of a list that the shell took apart; quote it"),
    ("routes", r"'routes' is not a setting; settings are written key=value\. Did you mean scenarios=\[routes\]\?"),
    ("seed", r"'seed' needs a value, as in seed=VALUE\."),
    ("--verbose", r"'--verbose' is not an option of movesim compare; settings are written key=value"),
    ("~seed", r"'~seed': a setting cannot be deleted; give it another value, as in seed=VALUE\."),
    ("hydra.run.dir=x", r"'hydra\.run\.dir' is Hydra's own; movesim names its result folders itself"),
    ("seed=${yers}", r"The settings cannot be put together: Interpolation key 'yers' not found"),
    ("scenarios=[a]", r"'scenarios' is given twice; give it once\."),
]  # fmt: skip


@pytest.mark.parametrize(("word", "sentence"), WRONG, ids=[word for word, _ in WRONG])
def test_a_wrong_word_gets_one_sentence(word: str, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        settings_from_overrides("compare", ["scenarios=[routes]", word])
    assert re.match(sentence, str(caught.value)), str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_scenario_is_needed() -> None:
    with pytest.raises(InputError, match=r"scenario must be a name, as in scenario=NAME; nothing was given"):
        settings_from_overrides("run", [])
    with pytest.raises(InputError, match=r"scenarios must name at least one, as in 'scenarios=\[school_day,routes\]'"):
        settings_from_overrides("compare", [])


def test_contradictions_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "usable_cpus", lambda: 4)
    with pytest.raises(InputError, match=r"engine=serial runs one after another, but workers is 3"):
        RunSettings(scenario="a", engine="serial", workers=3)
    with pytest.raises(InputError, match=r"keep=5 is more than the points=4 that are tried"):
        CalibrateSettings(points=4, keep=5)
    with pytest.raises(InputError, match=r"ladder=true asks about the whole place, split=authorities runs it apart"):
        RunSettings(scenario="a", split="authorities", ladder=True)


def test_a_file_where_a_folder_should_be(empty_folder: Path) -> None:
    (empty_folder / "notes.txt").write_text("x")
    with pytest.raises(InputError, match=r"out must be the name of a folder, but notes\.txt is a file"):
        RunSettings(scenario="a", out="notes.txt")
    (empty_folder / "tables").mkdir()
    with pytest.raises(InputError, match=r"There is no folder tabels \(given as files\)\. Did you mean 'tables'\?"):
        checks.existing_folder("files", "tabels")
    with pytest.raises(InputError, match=r"files must be the name of a folder, as in files=FOLDER; nothing was given"):
        checks.existing_folder("files", None)


def test_python_gets_the_same_sentences() -> None:
    with pytest.raises(InputError, match=r"'scenaros' is not a setting of movesim compare\. Did you mean 'scenarios'\?"):
        CompareSettings.from_mapping({"scenaros": ["a"]})


# --- sweeps -----------------------------------------------------------------------------------------------------------
def test_a_sweep_is_every_combination() -> None:
    found = sweep_from_overrides("run", ["scenario=routes,school_day", "years=range(1,3)", "seed=3"])
    assert [(s.scenario, s.years, s.seed) for _, s in found] == [
        ("routes", 1, 3), ("routes", 2, 3), ("school_day", 1, 3), ("school_day", 2, 3),
    ]  # fmt: skip


def test_a_sweep_is_checked_before_it_starts() -> None:
    with pytest.raises(InputError, match=r"years must be a whole number from 1 to 50, got 0"):
        sweep_from_overrides("run", ["scenario=routes", "years=5,0"])
    with pytest.raises(InputError, match=r"'years=glob\(\*\)' cannot be swept .* list the values, as in 1,2,3"):
        sweep_from_overrides("run", ["scenario=routes", "years=glob(*)"])
    with pytest.raises(InputError, match=r"out names one folder for 2 combinations; leave it out"):
        sweep_from_overrides("run", ["scenario=routes", "years=5,6", "out=x"])


# --- folders ----------------------------------------------------------------------------------------------------------
def test_home_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MOVESIM_HOME", str(tmp_path))
    assert config.home() == tmp_path and config.cache_folder("place", "x") == tmp_path / "cache" / "place" / "x"
    monkeypatch.delenv("MOVESIM_HOME")
    assert config.home() == Path.home() / ".movesim"


def test_scenarios_of_the_working_folder_stand_beside_movesims_own(empty_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = empty_folder / "own"
    (own / "portfolios").mkdir(parents=True)
    (own / "portfolios" / "both.yaml").write_text("a: 1")
    monkeypatch.setattr(config, "_packaged", lambda *_: own)
    (empty_folder / "scenarios").mkdir()
    (empty_folder / "scenarios" / "mine.yaml").write_text("a: 1")
    (empty_folder / "scenarios" / "both.yaml").write_text("a: 1")
    assert list(config.scenario_files()) == ["both", "mine"], "an identical copy is no conflict"
    (empty_folder / "scenarios" / "both.yaml").write_text("a: 2")
    with pytest.raises(InputError, match=r"Two scenarios are called 'both': own/portfolios/both\.yaml and scenarios/both\.yaml"):
        config.scenario_files()


def test_a_broken_installation_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(config, "__file__", str(tmp_path / "movesim" / "config.py"))
    with pytest.raises(InputError, match=r"movesim's own folder 'conf' is missing .* install movesim again"):
        config.conf_folder()


def test_a_missing_option_file_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "calibrate.yaml").write_text("defaults:\n  - lost: option\n  - _self_\nseed: 1\n")
    monkeypatch.setattr(config, "conf_folder", lambda: tmp_path)
    with pytest.raises(InputError, match=r"lost/option is not among movesim's own settings; install movesim again"):
        composed("calibrate", [])


def test_every_settings_file_reads_cleanly() -> None:
    for path in config.conf_folder().rglob("*.yaml"):
        assert load_yaml(path).data is not None


def test_a_path_is_shown_as_people_type_it(empty_folder: Path) -> None:
    assert documents.shown(empty_folder / "a" / "b.yaml") == "a/b.yaml"
