"""The lines at the end of a command: what was found, the options in order, and which file to open."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from movesim.report import say
from movesim.report.facts import MOST_DRAWN
from movesim.report.finding import numbers_of
from movesim.report.learned import rule_words, shock_words
from movesim.report.precision import precision_words
from movesim.report.questions import lines_of, reckoned, unseen
from movesim.report.ranking import rank
from movesim.report.sensitivity import is_sensitivity, sensitivity_lines
from movesim.report.spend import spend_words
from movesim.report.sweep import is_sweep, sweep_lines
from movesim.report.tables import ENOUGH_PAIRS, Result, read_result

COLUMNS = 79


def terminal_summary(folder: Path | str) -> str:
    """Return the summary of a result folder in plain words, at most 79 columns, ASCII minus signs and no colour.

    folder: a result folder. Raises InputError as `read_result` does.
    """
    if is_sweep(folder):
        return say.ascii_minus("\n".join(line for text in sweep_lines(folder) for line in fold(text))) + "\n"
    if is_sensitivity(folder):
        return say.ascii_minus("\n".join(line for text in sensitivity_lines(folder) for line in fold(text))) + "\n"
    result = read_result(folder)
    fact = numbers_of(result, rank(result))
    precise = [line for text in precision_words(result.manifest) for line in fold(text)]
    blocks = [
        _head(fact, result), _finding(fact), _table(fact), _notes(fact, result) + precise, _questions(fact, result),
        _rules(result), _check(fact), _files(Path(folder)),
    ]  # fmt: skip
    return say.ascii_minus("\n\n".join("\n".join(block) for block in blocks if block)) + "\n"


def fold(text: str, first: str = "", indent: str | None = None, width: int = COLUMNS) -> list[str]:
    """Return a text broken at spaces to a width; the first line starts with a label and the others line up below it."""
    indent = " " * len(first) if indent is None else indent
    lines, line = [], first
    for word in text.split():
        glue = "" if line in (first, indent) else " "
        if len(line) + len(glue) + len(word) > width and line not in (first, indent):
            lines.append(line)
            line = indent + word
        else:
            line += glue + word
        while len(line) > width:  # one word longer than a line, such as a path
            lines.append(line[:width])
            line = indent + line[width:]
    return [*lines, line]


def _time(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 60} min {whole % 60} s" if whole >= 60 else f"{whole} s"


def _head(fact: dict[str, Any], result: Result) -> list[str]:
    manifest = result.manifest
    parts = [
        f"movesim {manifest['command']}", say.count(len(fact["options"]) + 1, "option"),
        say.count(fact["pairs"], "paired run") + " each", f"seed {manifest['seed']}",
    ]  # fmt: skip
    if manifest.get("seconds"):
        parts.append(_time(manifest["seconds"]))
    place = (
        f"{fact['place']}: {fact['agents']:,} simulated people for {fact['residents']:,} residents, "
        f"{fact['start_year']} to {fact['last_year']}"
    )
    return [*fold(" · ".join(parts)), *fold(place), *(fold(shock_words(manifest)) if shock_words(manifest) else [])]


def _finding(fact: dict[str, Any]) -> list[str]:
    lines = fold(fact["finding"], "FINDING  ") + fold(fact["finding_more"], " " * 9)
    for caution in fact["cautions"]:
        lines += fold(caution, " " * 9)
    return lines


def _table(fact: dict[str, Any]) -> list[str]:
    few, year = fact["few"], fact["last_year"]
    wide = 26
    lines = [
        f"{'':{wide + 4}}{'Inactive':>9} {'Gap':>5}  {'Change in gap':<19}{'Ranks':>5} {'Average':>7}",
        f"{'Option':{wide + 4}}{year:>9} {year:>5}  {'(no range)' if few else '(9 in 10 runs)':<19}{'1st':>5} {'regret':>7}",
    ]
    by = {option["name"]: option for option in fact["options"]}
    for name in fact["order"]:
        option = by.get(name, fact["baseline"])
        change = "-"
        if name in by:
            change = _short(option["change"])
            if option["low"] is not None:
                change += f" ({_short(option['low'])},{_short(option['high'])})"
        mark = "WIDENS" if option.get("widens") else ""
        title = fold(option["title"], "", "  ", wide)
        first = "-" if few else say.share_of_runs(option["best"]).replace("over ", ">").replace("under ", "<")
        lines.append(
            f"{title[0]:{wide}}{mark:>6} {say.per_cent(option['inactive']):>6} {say.plain(option['gap']):>5}  {change:<19}"
            f"{first:>5} {say.plain(option['regret']):>7}"
        )
        lines += title[1:]
    return [line.rstrip() for line in lines]


def _short(value: float) -> str:
    return say.signed(value)


def _in_detail(fact: dict[str, Any]) -> set[str]:
    """The options that are told in detail: all, or of many those that rank first; the page has every one."""
    names = [option["name"] for option in fact["options"]]
    return set(names if len(names) <= MOST_DRAWN else [name for name in fact["order"] if name in names][:MOST_DRAWN])


def _notes(fact: dict[str, Any], result: Result) -> list[str]:
    lines = fold("Gap: slope index of adult inactivity, most against least deprived, points.")
    if fact["few"]:
        lines += fold(f"Fewer than {ENOUGH_PAIRS} paired runs: range not shown.")
    else:
        lines += fold("Range: chance and uncertain settings. Not covered: how well the model is built.")
    for option in fact["options"]:
        people = "" if option["extra_active"] is None else f"{say.whole(option['extra_active'], sign=True)} active adults, "
        money = say.pounds(option["pounds_per_resident"])
        noise = "" if option["tight"] else "; cannot tell, more runs needed"
        lines += fold(f"{option['title']}: {people}{money} a resident a year{noise}", "  ", "    ")
        paid = spend_words(result, option["name"]) if option["name"] in _in_detail(fact) else ""
        lines += fold(paid, "    ", "    ") if paid else []
    if (told := len(_in_detail(fact))) < len(fact["options"]):
        lines += fold(
            f"Who pays, what was not delivered and how long gains must last: here of the {told} options that rank first."
        )
    return lines


def _questions(fact: dict[str, Any], result: Result) -> list[str]:
    """How long each option must last to be worth it, and what else was asked about it."""
    texts = [text for text in (reckoned(result), unseen(result)) if text]
    for option in (o for o in fact["options"] if o["name"] in _in_detail(fact)):
        texts += [f"{option['title']}: {text}" if k == 0 else text for k, text in enumerate(lines_of(result, option))]
    return [line for k, text in enumerate(texts) for line in fold(text, "LASTING  " if k == 0 else " " * 9)]


def _rules(result: Result) -> list[str]:
    """What adaptive rules decided, and how often wrongly."""
    return [line for k, text in enumerate(rule_words(result)) for line in fold(text, "RULES  " if k == 0 else " " * 7)]


def _check(fact: dict[str, Any]) -> list[str]:
    lines: list[str] = []
    for k, text in enumerate(fact["sure"]):
        lines += fold(text, "CHECK  " if k == 0 else " " * 7)
    return lines


def _files(folder: Path) -> list[str]:
    path = os.path.relpath(folder)
    path = str(folder) if path.startswith("..") else path
    lines = [f"Saved in  {path}"] if len(path) + 10 <= COLUMNS else ["Saved in", *fold(path, "  ")]
    lines += [
        "  report.html    read this first, or e-mail it (opens offline)",
        "  workbook.xlsx  tables for your paper",
        "  figures/       charts as PNG and SVG, with their words",
    ]
    name = str(Path(path) / "report.html")
    return [*lines, *(["Open  " + name] if len(name) + 6 <= COLUMNS else ["Open", *fold(name, "  ")])]
