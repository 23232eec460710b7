"""The command line: help, exit codes, what goes to stdout and stderr, and every wrong word with its sentence."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

import movesim
from movesim import cli, completion, helptext
from movesim.cli import main
from movesim.errors import GuardError, InputError, MovesimError
from movesim.settings import COMMANDS


def result(folder: Path, status: str = "done") -> SimpleNamespace:
    """What run and compare return, with a small table of comparison."""
    rows = [
        {
            "age_group": "adult",
            "axis": axis,
            "outcome": outcome,
            "window": window,
            "week": week,
            "measure": measure,
            "difference": 0.5,
        }
        for axis in ("imd_decile", "all", "sex")
        for outcome in ("inactive", "active")
        for window in (4, 52)
        for week in (468, 520)
        for measure in ("sii", "theil", "level")
    ]
    frame = pd.DataFrame(rows)
    frame.loc[0, "difference"] = float("nan")
    return SimpleNamespace(folder=folder, status=status, to_frame=lambda table="comparison": frame)


@pytest.fixture
def studies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list:
    """Stand-ins for the studies: they keep the settings they were given, and the summary is one line."""
    asked: list = []

    def fake(settings: object) -> SimpleNamespace:
        asked.append(settings)
        return result(tmp_path / "outputs")

    for command in ("run", "compare"):
        monkeypatch.setattr(movesim, command, fake)
    report = SimpleNamespace(terminal_summary=lambda folder: "FINDING  Routes narrow the gap.", build_report=lambda folder: None)
    monkeypatch.setitem(sys.modules, "movesim.report", report)
    return asked


# --- help -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("words", [["--help"], ["-h"], ["help"], []])
def test_help_begins_with_six_examples(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 0
    out = capsys.readouterr().out
    assert len(re.findall(r"^  movesim (?!COMMAND|--)", out, re.MULTILINE)) == 6
    assert out.index("movesim compare 'scenarios=") < out.index("usage:")
    for command in cli._COMMANDS:
        assert re.search(rf"^  {command} +\w", out, re.MULTILINE), command
    assert max(len(line) for line in out.splitlines()) <= 120


@pytest.mark.parametrize("command", list(cli._COMMANDS))
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"usage: movesim {command}")
    assert main(["help", command]) == 0
    assert capsys.readouterr().out == out
    for key, field in COMMANDS[command].table().items() if command in COMMANDS else ():
        assert re.search(rf"^  {key} +\S+ +{re.escape(field.metadata['meaning'])}$", out, re.MULTILINE), key


def test_the_examples_of_the_help_are_right(empty_folder: Path, studies: list) -> None:
    """Every example is a command there is, with keys that exist."""
    import shlex

    for line, _ in helptext.EXAMPLES:
        words = shlex.split(line)[1:]
        if words[0] in COMMANDS:
            assert main(words) == 0, line
        else:
            assert words[0] in cli._COMMANDS
    assert len(studies) == 3


def test_help_needs_no_heavy_library_and_no_time() -> None:
    """0.3 s of processor time, from the start of Python on: what a busy computer cannot stretch."""
    code = (
        "import sys, time; from movesim.cli import main; main(['--help']); main(['compare', '--help']);"
        "assert not {'hydra', 'numpy', 'pandas', 'yaml', 'numba', 'mesa'} & set(sys.modules); print(time.process_time())"
    )
    runs = [subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True) for _ in range(3)]
    assert min(float(run.stdout.splitlines()[-1]) for run in runs) < 0.3


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith(f"movesim {movesim.__version__} (Python 3.")


# --- studies ----------------------------------------------------------------------------------------------------------
def test_findings_go_to_stdout_and_nothing_else(studies: list, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "scenarios=[routes,school_day]", "seed=3"]) == 0
    out, err = capsys.readouterr()
    assert out == "FINDING  Routes narrow the gap.\n" and err == ""
    assert studies[0].scenarios == ("routes", "school_day") and studies[0].seed == 3


def test_quiet_says_nothing(studies: list, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "scenario=routes", "quiet=true"]) == 0
    assert capsys.readouterr() == ("", "")


def test_json_is_json(studies: list, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "scenario=routes", "json=true"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["status"] == "done" and found["command"] == "run"
    assert {(row["week"], row["window"], row["outcome"]) for row in found["comparison"]} == {(520, 52, "inactive")}
    assert {row["axis"] for row in found["comparison"]} == {"imd_decile", "all"}


def test_a_finished_study_says_so(studies: list, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(movesim, "run", lambda settings: result(Path("outputs/run/x"), "already done"))
    assert main(["run", "scenario=routes"]) == 0
    assert capsys.readouterr().out.startswith(f"Already done: {Path('outputs/run/x')}\n")


def test_trials_print_what_they_found(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    class Found:
        status, folder = "done", Path("outputs/trials/x")

        def __str__(self) -> str:
            return "3 of 4 studies within their intervals"

        def to_frame(self) -> pd.DataFrame:
            return pd.DataFrame({"study": ["a"], "found": [1.5]})

    monkeypatch.setattr(movesim, "trials", lambda settings: Found())
    assert main(["trials"]) == 0
    assert capsys.readouterr().out == "3 of 4 studies within their intervals\n"
    assert main(["trials", "json=true"]) == 0
    assert json.loads(capsys.readouterr().out)["table"] == [{"study": "a", "found": 1.5}]


def test_calibrate_says_where_the_fit_is(
    monkeypatch: pytest.MonkeyPatch, empty_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(movesim, "calibrate", lambda settings: empty_folder / "fit.yaml")
    assert main(["calibrate"]) == 0
    assert capsys.readouterr().out == "The fitted numbers and where they come from are in fit.yaml\n"
    assert main(["calibrate", "quiet=true"]) == 0
    assert capsys.readouterr().out == ""


def test_multirun_runs_every_combination(studies: list, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "-m", "scenario=routes,school_day", "seed=1,2", "quiet=true"]) == 0
    assert [(s.scenario, s.seed) for s in studies] == [("routes", 1), ("routes", 2), ("school_day", 1), ("school_day", 2)]
    assert main(["run", "--multirun", "scenario=routes", "seed=1,2"]) == 0
    assert "[2 of 2] scenario=routes seed=2" in capsys.readouterr().err


@pytest.mark.parametrize("flag", [["--cfg", "job"], ["-c", "job"], ["--cfg=job"]])
def test_the_settings_can_be_printed(flag: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    import yaml

    assert main(["compare", *flag, "people=500", "place=mine", "behaviour.habit.gain=0.1"]) == 0
    printed = yaml.safe_load(capsys.readouterr().out)
    assert printed["people"] == 500 and printed["place"] == "mine" and printed["behaviour"] == {"habit": {"gain": 0.1}}


# --- exit codes -------------------------------------------------------------------------------------------------------
def _raise(error: BaseException):
    def raising(settings: object) -> None:
        raise error

    return raising


def test_a_failed_check_is_3(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(movesim, "run", _raise(GuardError("The placebo differs from no change in week 12.")))
    assert main(["run", "scenario=routes"]) == 3
    assert capsys.readouterr() == ("", "The placebo differs from no change in week 12.\n")


def test_a_fault_of_ours_is_1_with_a_log(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(movesim, "run", _raise(ZeroDivisionError("division by\nzero")))
    assert main(["run", "scenario=routes"]) == 1
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and "Traceback" not in err
    told = re.search(r"\(ZeroDivisionError: division by zero\)\. Please report it with (\S+\.log)", err)
    assert told
    log = Path(told[1])
    text = log.read_text(encoding="utf-8")
    log.unlink()
    assert "Traceback" in text and "movesim run scenario=routes" in text and movesim.__version__ in text


def test_a_fault_that_can_explain_itself_does(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(movesim, "run", _raise(MovesimError("1 of 2 pairs failed; the same command tries it again.")))
    assert main(["run", "scenario=routes"]) == 1
    told = re.fullmatch(r"1 of 2 pairs failed; the same command tries it again\. Details: (\S+\.log)\n", capsys.readouterr().err)
    assert told
    Path(told[1]).unlink()


def test_stopping_is_130_and_says_how_to_go_on(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(movesim, "compare", _raise(KeyboardInterrupt()))
    assert main(["compare", "scenarios=[routes]"]) == 130
    assert "the same command goes on from there:\n  movesim compare 'scenarios=[routes]'" in capsys.readouterr().err
    monkeypatch.setattr(cli, "_list", _raise(KeyboardInterrupt()))
    monkeypatch.setitem(cli._COMMANDS, "list", lambda command, words: _raise(KeyboardInterrupt())(None))
    assert main(["list"]) == 130
    assert capsys.readouterr().err.strip() == "Stopped."


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_control_c_of_a_real_process_is_130() -> None:
    code = (
        "import sys, time, movesim\nfrom movesim.cli import main\n"
        "def wait(settings):\n    print('ready', flush=True)\n    time.sleep(30)\n"
        "movesim.run = wait\nsys.exit(main(['run', 'scenario=routes']))"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130 and "Traceback" not in err and "goes on from there" in err


def test_a_reader_that_leaves_is_no_fault() -> None:
    done = subprocess.run(
        f"{sys.executable} -m movesim completion bash | head -1; exit ${{PIPESTATUS[0]}}",
        shell=True, executable=shutil.which("bash") or "bash", capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0 and "Traceback" not in done.stderr and done.stdout.startswith("# movesim completion")


def test_piped_output_has_no_colour_codes() -> None:
    for words in (["--help"], ["compare", "--help"], ["nonsense"], ["compare", "seed=x"]):
        done = subprocess.run([sys.executable, "-m", "movesim", *words], capture_output=True, text=True)
        assert "\x1b" not in done.stdout + done.stderr


def test_a_terminal_without_the_signs_does_not_crash() -> None:
    code = (
        "import sys; from movesim import cli; cli._help = lambda words: print('a · b − c') or 0; sys.exit(cli.main(['--help']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0 and done.stdout.split() == [b"a", b"?", b"b", b"?", b"c"]


# --- other commands ---------------------------------------------------------------------------------------------------
@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch, empty_folder: Path) -> Path:
    """Two scenarios of the user's, and no others."""
    folder = empty_folder / "scenarios"
    folder.mkdir()
    (folder / "routes.yaml").write_text("title: Routes\nslogan: Space to walk\n")
    (folder / "broken.yaml").write_text("title: a: b\n")
    monkeypatch.setattr("movesim.config.scenario_folders", lambda: [folder])
    return folder


def test_list_shows_scenarios_even_broken_ones(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "scenarios"]) == 0
    out = capsys.readouterr().out
    assert "  routes  Routes - Space to walk\n" in out
    assert "  broken  cannot be read: scenarios/broken.yaml:1:9" in out
    assert main(["list", "scenarios", "--names"]) == 0
    assert capsys.readouterr().out.split() == ["broken", "routes"]


def test_report_writes_the_pages_again(studies: list, empty_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (empty_folder / "manifest.json").write_text("{}")
    assert main(["report", str(empty_folder)]) == 0
    assert capsys.readouterr().out == "FINDING  Routes narrow the gap.\n"


def test_the_api_builds_the_report_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    built = []
    state = {"status": "done"}
    fake = SimpleNamespace(run=lambda settings: result(tmp_path, state["status"]))
    monkeypatch.setitem(sys.modules, "movesim.experiments.run", fake)
    monkeypatch.setitem(sys.modules, "movesim.report", SimpleNamespace(build_report=built.append))
    movesim.run(scenario="routes")
    movesim.run(scenario="routes", report=False)
    movesim.run(movesim.RunSettings(scenario="routes", report=False))
    assert built == [tmp_path]
    state["status"] = "already done"
    (tmp_path / "report.html").write_text("x")
    movesim.run(scenario="routes")
    assert built == [tmp_path]


def test_the_api_refuses_what_it_cannot_read() -> None:
    with pytest.raises(InputError, match=r"'scenaro' is not a setting of movesim run\. Did you mean 'scenario'\?"):
        movesim.run(scenaro="routes")
    with pytest.raises(InputError, match=r"movesim\.run takes either keys by name or one RunSettings"):
        movesim.run({"scenario": "routes"})  # type: ignore[arg-type]
    with pytest.raises(AttributeError, match="module 'movesim' has no attribute 'nonsense'"):
        movesim.nonsense  # noqa: B018
    assert set(movesim._HOMES) <= set(movesim.__all__) == set(dir(movesim))


# --- completion -------------------------------------------------------------------------------------------------------
def completed(line: str, tmp_path: Path) -> list[str]:
    """What bash would offer at the end of a line."""
    script = tmp_path / "completion.bash"
    script.write_text(completion.bash())
    shim = tmp_path / "movesim"
    shim.write_text('#!/bin/sh\n[ "$2" = scenarios ] && printf "routes\\nschool_day\\n" || printf "england\\n"\n')
    shim.chmod(0o755)
    number = line.count(" ")
    words = line if line[-1] != " " else line + '""'
    state = f"COMP_LINE='{line}'; COMP_POINT={len(line)}; COMP_WORDS=({words}); COMP_CWORD={number}"
    code = f"source {script}; compopt() {{ :; }}; {state}; _movesim; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    env = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", code], capture_output=True, text=True, env=env)
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is needed")
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("movesim comp", ["compare", "completion"]),
        ("movesim compare sce", ["scenarios="]),
        ("movesim run scenario=r", ["routes"]),
        ("movesim run place=", ["england"]),
        ("movesim run draws=", ["fitted", "central"]),
        ("movesim place b", ["build"]),
        ("movesim scenario check sch", ["school_day"]),
    ],
)
def test_bash_completes(line: str, offered: list[str], tmp_path: Path) -> None:
    assert completed(line, tmp_path) == offered


# --- bad input --------------------------------------------------------------------------------------------------------
BAD = [
    (["copmare"], r"'copmare' is not a command of movesim\. Did you mean 'compare'\?"),
    (["--versoin"], r"'--versoin' is not a command of movesim\. Did you mean '--version'\?"),
    (["qqq"], r"'qqq' is not a command of movesim\. The commands are run, compare"),
    (["help", "copmare"], r"'copmare' is not a command of movesim\. Did you mean 'compare'\?"),
    (["compare"], r"scenarios must name at least one"),
    (["compare", "sceario=x"], r"'sceario' is not a setting of movesim compare\. Did you mean 'scenarios'\?"),
    (["compare", "scenarios=[routes]", "people=0"], r"people must be 'all' or a whole number of 100 or more, got 0\."),
    (["run", "scenario=routes", "years=0"], r"years must be a whole number from 1 to 50, got 0\."),
    (["run", "scenario=routes", "replicates=0"], r"replicates must be a whole number from 1 to 100,000, got 0\."),
    (["run", "scenario=routes", "seed=x"], r"seed must be a whole number of 0 or more, got 'x'\."),
    (["run", "routes"], r"'routes' is not a setting; settings are written key=value\. Did you mean scenario=routes\?"),
    (["run", "--cfg", "all"], r"--cfg must be followed by job, got 'all'\."),
    (["run", "--cfg"], r"--cfg must be followed by job, got ''\."),
    (["report"], r"movesim report needs folder=VALUE; see: movesim report --help"),
    (["report", "nowhere"], r"There is no folder nowhere \(given as folder\)\."),
    (["report", "."], r"\. is not a result folder: it has no manifest\.json\."),
    (["place"], r"movesim place must be followed by list, build, inspect or export\."),
    (["place", "biuld"], r"movesim place must be followed by list, .*, got 'biuld'\. Did you mean 'build'\?"),
    (["place", "build"], r"movesim place build needs files=VALUE; see: movesim place --help"),
    (["place", "build", "files=nowhere", "name=x"], r"There is no folder nowhere \(given as files\)\."),
    (["place", "build", "fils=x"], r"'fils=x' is not a setting of movesim place build\. Did you mean 'files'\?"),
    (["place", "build", "files="], r"'files' needs a value, as in files=VALUE\."),
    (["place", "build", "name=a", "name=b"], r"'name' is given twice; give it once\."),
    (["place", "inspect", "england", "people=0"], r"people must be 'all' or a whole number of 100 or more, got 0\."),
    (["place", "inspect", "england", "people=x"], r"people must be 'all' or a whole number of 100 or more, got 'x'\."),
    (["place", "export", "england"], r"movesim place export needs out=VALUE"),
    (["place", "export", "england", "out=full"], r"out must be a new or empty folder, but full has files in it\."),
    (["place", "list", "all"], r"'all' is not a setting of movesim place list\. It takes no settings\."),
    (["scenario", "chek"], r"movesim scenario must be followed by new, check or show, got 'chek'\. Did you mean 'check'\?"),
    (["scenario", "check"], r"movesim scenario check needs name=VALUE"),
    (["list", "senarios"], r"movesim list must be followed by scenarios, shocks or places, got 'senarios'\. Did you mean 'sc"),
    (["list", "scenarios", "places"], r"'places' is one word too many; see: movesim list --help"),
    (["completion", "fish"], r"movesim completion must be followed by bash, got 'fish'\."),
]  # fmt: skip


@pytest.mark.parametrize(("words", "sentence"), BAD, ids=[" ".join(words) for words, _ in BAD])
def test_bad_input_is_2_with_one_sentence_and_leaves_nothing(
    words: list[str], sentence: str, empty_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (empty_folder / "full").mkdir()
    (empty_folder / "full" / "x.txt").write_text("x")
    before = sorted(empty_folder.rglob("*"))
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert out == "" and re.match(sentence, err), err
    assert err.count("\n") == 1
    assert sorted(empty_folder.rglob("*")) == before
