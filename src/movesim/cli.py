"""The command line: `movesim COMMAND [key=value ...]`.

Findings go to stdout, progress, warnings and errors to stderr. Exit codes: 0 done or already done, 1 a fault of the
program, 2 wrong input, 3 a check failed, 130 stopped. Everything heavy is imported inside the command that needs it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import movesim
from movesim.errors import GuardError, InputError, MovesimError, did_you_mean, one_of

STOPPED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; argv is without the program's name (default: the process's own)."""
    words = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that lacks a sign shows '?', it does not crash
    try:
        code = _dispatch(words)
        sys.stdout.flush()
        return code
    except (InputError, GuardError) as error:
        _warn(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        return _stopped(words)
    except BrokenPipeError:  # the reader of a pipe left (`movesim list | head -1`)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        return _crashed(words, error)


# --- what is said -----------------------------------------------------------------------------------------------------
def _say(text: str) -> None:
    print(text)


def _warn(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _stopped(words: Sequence[str]) -> int:
    import shlex

    line = shlex.join(["movesim", *words])
    if words and words[0] in ("run", "compare", "sweep", "sensitivity", "trials", "calibrate", "validate"):
        _warn(f"\nStopped. What was finished is kept; the same command goes on from there:\n  {line}")
    else:
        _warn("\nStopped.")
    return STOPPED


def _crashed(words: Sequence[str], error: Exception) -> int:
    """One line for the user, the traceback in a file."""
    import platform
    import shlex
    import tempfile
    import time
    import traceback

    head = f"movesim {movesim.__version__}, Python {platform.python_version()}, {platform.platform()}\n"
    body = f"{shlex.join(['movesim', *words])}\n\n{''.join(traceback.format_exception(error))}"
    name = f"movesim-crash-{time.strftime('%Y%m%d-%H%M%S')}-"
    with tempfile.NamedTemporaryFile("w", prefix=name, suffix=".log", delete=False, encoding="utf-8") as log:
        log.write(head + body)
    what = " ".join(str(error).split())
    if isinstance(error, MovesimError):  # it says in its own words what happened and what goes on
        _warn(f"{what} Details: {log.name}")
    else:
        kind = type(error).__name__
        _warn(f"movesim stopped because of a fault of its own ({kind}: {what[:160]}). Please report it with {log.name}")
    return 1


# --- dispatch ---------------------------------------------------------------------------------------------------------
def _dispatch(words: list[str]) -> int:
    if not words or words[0] in ("--help", "-h", "help"):
        return _help(words[1:])
    if words[0] in ("--version", "-V"):
        import platform

        _say(f"movesim {movesim.__version__} (Python {platform.python_version()})")
        return 0
    command, rest = words[0], words[1:]
    if command not in _COMMANDS:
        known = (*_COMMANDS, "--help", "--version")
        hint = did_you_mean(command, known) or f" The commands are {', '.join(_COMMANDS)}."
        raise InputError(f"'{command}' is not a command of movesim.{hint}")
    if "--help" in rest or "-h" in rest:
        return _help([command])
    return _COMMANDS[command](command, rest)


def _help(words: Sequence[str]) -> int:
    from movesim import helptext

    if words and words[0] not in _COMMANDS:
        raise InputError(f"'{words[0]}' is not a command of movesim.{did_you_mean(words[0], _COMMANDS)}")
    _say(helptext.of_command(words[0]) if words else helptext.overview())
    return 0


# --- studies ----------------------------------------------------------------------------------------------------------
def _study(command: str, words: list[str]) -> int:
    """run, compare, explain, trials and calibrate: settings by Hydra, then the study, then what was found."""
    from movesim.config import composed, settings_from_overrides, sweep_from_overrides

    words, show = _cfg(words)
    sweep = [word for word in words if word not in ("-m", "--multirun")]
    if show:
        import yaml

        _say(yaml.safe_dump(composed(command, sweep), sort_keys=False, allow_unicode=True).rstrip())
        return 0
    if len(sweep) == len(words) or command == "sweep":  # which sweeps by itself
        return _one_study(command, settings_from_overrides(command, sweep))
    combinations = sweep_from_overrides(command, sweep)
    for number, (chosen, settings) in enumerate(combinations, start=1):
        if not settings.quiet:
            _warn(f"[{number} of {len(combinations)}] {' '.join(chosen)}")
        _one_study(command, settings)
    return 0


def _cfg(words: list[str]) -> tuple[list[str], bool]:
    """Take `--cfg job` out of the words."""
    for number, word in enumerate(words):
        if word in ("--cfg", "-c") or word.startswith("--cfg="):
            value = word.partition("=")[2] if "=" in word else (words[number + 1 : number + 2] or [""])[0]
            if value != "job":
                raise InputError(f"--cfg must be followed by job, got '{value}'.")
            return words[:number] + words[number + (1 if "=" in word else 2) :], True
    return words, False


def _one_study(command: str, settings: Any) -> int:
    result = getattr(movesim, command)(settings)
    if command == "explain":
        if not settings.quiet:
            _say(result.to_frame().to_json(orient="records", indent=2) if settings.json else str(result))
    elif command == "calibrate":
        from movesim.documents import shown

        if not settings.quiet:
            _say(f"The fitted numbers and where they come from are in {shown(result)}")
    elif settings.json:
        import json

        _say(json.dumps(_findings(command, result), indent=2, ensure_ascii=False))
    elif result.status not in ("done", "already done"):  # planned, or a part of it done
        if result.status != "planned" and not settings.quiet:
            _say(f"{result.status[0].upper()}{result.status[1:]}: {result.folder}")
    elif not settings.quiet:
        if result.status == "already done":
            _say(f"Already done: {result.folder}")
        _say(_summary(command, result))
    return 0


def _summary(command: str, result: Any) -> str:
    if command in ("trials", "validate"):
        return str(result)
    from movesim.report import terminal_summary

    return terminal_summary(result.folder)


def _findings(command: str, result: Any) -> dict[str, Any]:
    """What json=true prints: the status, the folder, and the headline rows of the comparison (of the last year)."""
    import json

    found: dict[str, Any] = {"movesim": movesim.__version__, "command": command, "status": result.status}
    found["folder"] = str(result.folder)
    if result.status not in ("done", "already done"):
        return found
    if command == "sweep":
        from movesim.report.sweep import headline

        found["table"] = json.loads(headline(result.folder).to_json(orient="records"))
    elif command == "sensitivity":
        found["table"] = json.loads(result.to_frame("sensitivity").to_json(orient="records"))
        found["analyses"] = result.manifest["analyses"]
    elif command in ("run", "compare"):
        from movesim.words import HEADLINE

        age_group, axis, outcome, _ = HEADLINE
        table = result.to_frame("comparison")
        rows = table[(table["age_group"] == age_group) & (table["outcome"] == outcome) & (table["window"] == 52)]
        rows = rows[rows["axis"].isin([axis, "all"]) & rows["measure"].isin(["level", "absolute", "sii"])]
        rows = rows[rows["week"] == rows["week"].max()]
        found["comparison"] = json.loads(rows.to_json(orient="records"))
    else:
        found["table"] = json.loads(result.to_frame().to_json(orient="records"))
    return found


# --- the other commands -----------------------------------------------------------------------------------------------
def _keys(command: str, words: Sequence[str], known: Sequence[str], positional: str = "") -> dict[str, str]:
    """Read key=value words, and one bare word as `positional`; values are text as typed."""
    found: dict[str, str] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals and positional and positional not in found and not word.startswith("-"):
            key, value = positional, word
        elif not equals or key not in known:
            hint = did_you_mean(key, known) if equals else ""
            takes = hint or (f" It takes {', '.join(f'{each}=' for each in known)}." if known else " It takes no settings.")
            raise InputError(f"'{word}' is not a setting of movesim {command}.{takes}")
        if key in found:
            raise InputError(f"'{key}' is given twice; give it once.")
        if not value:
            raise InputError(f"'{key}' needs a value, as in {key}=VALUE.")
        found[key] = value
    return found


def _needed(command: str, found: dict[str, str], *needed: str) -> None:
    for key in needed:
        if key not in found:
            raise InputError(f"movesim {command} needs {key}=VALUE; see: movesim {command.split()[0]} --help")


def _action(command: str, words: Sequence[str], known: Sequence[str]) -> tuple[str, list[str]]:
    if not words or words[0] not in known:
        got = f", got '{words[0]}'.{did_you_mean(words[0], known)}" if words else "."
        raise InputError(f"movesim {command} must be followed by {one_of(known)}{got}")
    return words[0], list(words[1:])


def _number(text: str) -> Any:
    """A number if it reads as one; the check that follows says what would be right."""
    try:
        return int(text)
    except ValueError:
        return text


def _seed(found: dict[str, str]) -> int:
    from movesim.checks import MANY, whole

    return whole(0, MANY)("place_seed", _number(found.get("place_seed", "1")))


def _report(command: str, words: list[str]) -> int:
    from movesim.checks import existing_folder

    found = _keys(command, words, ("folder", "x", "y", "outcome", "scenario", "week"), positional="folder")
    _needed(command, found, "folder")
    folder = existing_folder("folder", found["folder"])
    if not (folder / "manifest.json").is_file():
        raise InputError(f"{found['folder']} is not a result folder: it has no manifest.json.")
    from movesim.report import build_report, terminal_summary

    if asked := {key: value for key, value in found.items() if key != "folder"}:
        from movesim.report.sweep import plot

        _say(f"Drawn: {plot(folder, **asked)}")
        return 0
    build_report(folder)
    _say(terminal_summary(folder))
    return 0


def _place(command: str, words: list[str]) -> int:
    action, rest = _action(command, words, ("list", "build", "inspect", "export"))
    if action == "list":
        _keys("place list", rest, ())
        return _list("list", ["places"])
    if action == "build":
        from movesim.checks import existing_folder

        found = _keys("place build", rest, ("files", "name", "title", "areas", "overrides", "place_seed"))
        _needed("place build", found, "files", "name")
        given = Path(found["files"]).expanduser()
        files = given if given.is_file() else existing_folder("files", found["files"])
        place_seed = _seed(found)
        overrides = Path(found["overrides"]).expanduser() if "overrides" in found else None
        from movesim.place import build_place

        build_place(files, found["name"], place_seed, found.get("title"), _warn, found.get("areas", ""), overrides)
        _say(_described(_population(found)))
        return 0
    found = _keys(f"place {action}", rest, ("name", "people", "place_seed", "out"), positional="name")
    _needed(f"place {action}", found, *(("name", "out") if action == "export" else ("name",)))
    out = _new_folder(found["out"]) if action == "export" else None
    population = _population(found)
    if out is None:
        _say(_described(population))
        _say(_inspected(population, _seed(found), found.get("out")))
    else:
        _exported(population, out)
    return 0


def _inspected(population: Any, place_seed: int, out: str | None) -> str:
    """Write the fit report of a place and say what it found and where it is."""
    import textwrap

    from movesim.report.place_page import build_place_report, finding, place_facts

    facts = place_facts(population.name, place_seed, population)
    folder = Path(out) if out else Path("outputs") / "place" / f"{population.name}-{facts.fingerprint[:8]}"
    page = build_place_report(facts, folder)
    return "\n".join([*textwrap.wrap(" ".join(finding(facts)), 96), f"report: {page}"])


def _population(found: dict[str, str]) -> Any:
    from movesim.checks import people

    size = people("people", _number(found.get("people", "20000")))
    place_seed = _seed(found)
    from movesim.place import load_place

    return load_place(found["name"], people=None if size == "all" else int(size), place_seed=place_seed)


def _new_folder(text: str) -> Path:
    from movesim.checks import folder

    path = folder("out", text)
    assert path is not None
    if path.exists() and any(path.iterdir()):
        raise InputError(f"out must be a new or empty folder, but {text} has files in it.")
    return path


def _described(population: Any) -> str:
    import textwrap

    agents = len(population.people["id"])
    lines = [
        f"{population.title} ({population.name})",
        f"  {population.residents:,.0f} residents, for whom {agents:,} agents stand",
        f"  {len(population.neighbourhoods['code']):,} neighbourhoods, {len(population.schools['code']) - 1:,} schools",
        *textwrap.wrap(", ".join(population.local_authorities), 96, initial_indent="  authorities: ", subsequent_indent="    "),
    ]
    for note in population.notes:
        lines += textwrap.wrap(note, 96, initial_indent="  - ", subsequent_indent="    ")
    return "\n".join(lines)


def _exported(population: Any, out: Path) -> None:
    from movesim.place.export import WRITTEN, export
    from movesim.place.library import BUILT_IN, margins_of
    from movesim.place.overrides import template

    export(population, out)
    _say(f"{population.title}: {', '.join(WRITTEN)} are in {out}")
    if population.name not in BUILT_IN:
        path = template(margins_of(population.name), out / "overrides.csv")
        _say(f"{path} can be filled in and given to 'movesim place build' as overrides={path}")


def _scenario(command: str, words: list[str]) -> int:
    action, rest = _action(command, words, ("new", "check", "show"))
    known = {"new": ("name", "kind", "from"), "check": ("name",), "show": ("name", "out", "numbers")}[action]
    found = _keys(f"scenario {action}", rest, known, positional="name")
    _needed(f"scenario {action}", found, "name")
    return {"new": _new_scenario, "check": _check_scenario, "show": _show_scenario}[action](found)


def _new_scenario(found: dict[str, str]) -> int:
    from movesim.config import shown
    from movesim.interventions.template import new_scenario

    if "from" in found and "kind" in found:
        raise InputError("Give kind= or from=, not both: what it starts from has its kind already.")
    name = found["name"]
    path = new_scenario(name, found.get("kind", "people"), found.get("from"))
    _say(f"{shown(path)} is written. Change it as its comments say, then:")
    for line in (f"scenario check {name}", f"scenario show {name}", f"run scenario={name} people=5000 replicates=4"):
        _say(f"  movesim {line}")
    return 0


def _check_scenario(found: dict[str, str]) -> int:
    from movesim.config import shown
    from movesim.interventions.checking import check

    scenario, complaints = check(found["name"])
    for complaint in complaints:
        _warn(str(complaint))
    if len(complaints) > 1:
        _warn(f"{len(complaints)} things to put right.")
    if scenario is None:
        return InputError.exit_code
    _say(f"{shown(scenario.path)}: all right.")
    return 0


def _show_scenario(found: dict[str, str]) -> int:
    import shutil

    from movesim.config import shown
    from movesim.interventions.describe import describe, number_lines
    from movesim.interventions.files import load_scenario

    scenario = load_scenario(found["name"])
    if "numbers" in found:
        if found["numbers"] != "true":
            raise InputError(f"numbers must be true, got '{found['numbers']}'; leave it out to have the scenario in words.")
        _say(number_lines(scenario).rstrip())
        return 0
    if "out" in found:
        from movesim.report.logic_model import save_logic_model

        _say(f"Drawn: {shown(save_logic_model(scenario, Path(found['out']).expanduser()))}")
        return 0
    _say(describe(scenario, min(shutil.get_terminal_size((79, 24)).columns, 100)).rstrip())
    _say(f"\nThe file: {shown(scenario.path)}")
    return 0


def _list(command: str, words: list[str]) -> int:
    names_only = "--names" in words
    words = [word for word in words if word != "--names"]
    if words and words[0] not in ("scenarios", "shocks", "places"):
        _action(command, words, ("scenarios", "shocks", "places"))
    if len(words) > 1:
        raise InputError(f"'{words[1]}' is one word too many; see: movesim list --help")
    tables = {"scenarios": _scenarios, "shocks": _shocks, "places": _places}
    asked = words or list(tables)
    for heading in asked:
        rows = tables[heading]()
        if names_only:
            _say("\n".join(name for name, _ in rows))
            continue
        wide = max((len(name) for name, _ in rows), default=0)
        _say("\n".join([heading.capitalize(), *(f"  {name:<{wide}}  {what}".rstrip() for name, what in rows)]))
    return 0


def _scenarios() -> list[tuple[str, str]]:
    """Every scenario with its title and slogan; a file that cannot be read is listed with what is wrong."""
    from movesim.config import scenario_files

    return _told(scenario_files(), ("title", "slogan"))


def _shocks() -> list[tuple[str, str]]:
    """Every shock with its title and summary."""
    from movesim.config import shock_files

    return _told(shock_files(), ("title", "summary"))


def _told(files: dict[str, Path], keys: tuple[str, ...]) -> list[tuple[str, str]]:
    from movesim.config import load_yaml

    rows = []
    for name, path in files.items():
        try:
            data = load_yaml(path).data
            told = [" ".join(str(data[key]).split()) for key in keys if isinstance(data, dict) and data.get(key)]
            rows.append((name, " - ".join(told)))
        except InputError as error:
            rows.append((name, f"cannot be read: {error}"))
    return rows


def _places() -> list[tuple[str, str]]:
    from movesim.place import list_places

    return [(name, f"{title} ({kind})") for name, title, kind in list_places()]


def _completion(command: str, words: list[str]) -> int:
    _, rest = _action(command, words, ("bash",))
    _keys("completion bash", rest, ())
    from movesim import completion

    _say(completion.bash().rstrip())
    return 0


_COMMANDS: dict[str, Callable[[str, list[str]], int]] = {
    "run": _study,
    "compare": _study,
    "sweep": _study,
    "sensitivity": _study,
    "explain": _study,
    "trials": _study,
    "calibrate": _study,
    "validate": _study,
    "report": _report,
    "place": _place,
    "scenario": _scenario,
    "list": _list,
    "completion": _completion,
}

if __name__ == "__main__":
    sys.exit(main())
