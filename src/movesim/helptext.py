"""What `--help` prints: examples first, then commands, then keys with their meaning and default."""

from __future__ import annotations

import textwrap
from dataclasses import MISSING

from movesim.settings import COMMANDS, plain, written

WIDTH = 100
SUMMARIES = {
    "run": "one scenario beside no change",
    "compare": "several scenarios beside no change, ranked, with a report",
    "sweep": "scenarios beside no change over many values of any numbers",
    "sensitivity": "which assumptions decide what a scenario changes",
    "explain": "weeks of one person's life: what decided, by which draw, and why",
    "trials": "the published studies run again inside the model",
    "calibrate": "fit the model to published shares",
    "validate": "what the fitted model says of figures it was never fitted to",
    "report": "write the pages of a result folder again",
    "place": "list, build, inspect or export places",
    "scenario": "write, check or show a scenario",
    "list": "scenarios, shocks and places by name",
    "completion": "completion of commands and keys in bash",
}
EXAMPLES = (
    ("movesim compare 'scenarios=[school_day,routes,community_leaders]'", "three plans, ranked, with a report"),
    ("movesim run scenario=routes people=5000 replicates=4", "one plan, quickly"),
    ("movesim compare 'scenarios=[routes]' 'areas=[Mansfield]'", "results for one local authority"),
    ("movesim place build files=tables name=our_county", "people of your place, from official tables"),
    ("movesim scenario check plans/our_plan.yaml", "is the plan written as it should be?"),
    ("movesim report outputs/compare/FOLDER", "the pages again, from saved tables"),
)
MORE_EXAMPLES = (
    ("movesim compare 'scenarios=[routes]' precision=0.1", "pairs are added until the change of the gap is known to 0.1"),
    ("movesim sweep 'scenarios=[routes]' scenarios.routes.effect=5,10,20 dry_run=true", "how many runs, how long"),
    ("movesim sweep 'scenarios=[routes]' behaviour.habit.gain=prior scenarios.routes.effect=prior design=sobol", "Sobol' points"),
    ("movesim compare 'scenarios=[routes]' 'shocks=[pandemic]'", "in a world that a pandemic strikes, no change included"),
    ("movesim sweep 'scenarios=[routes]' design=points.csv shard=1/4", "your own points, a quarter of them"),
    ("movesim sensitivity scenario=routes people=5000 dry_run=true", "screen, then shares of variance: how long?"),
    ("movesim sensitivity scenario=routes method=morris trajectories=20", "which of all its numbers matter at all"),
    ("movesim sensitivity scenario=routes method=pawn given=outputs/sweep/FOLDER", "from a sweep's runs, with no further one"),
)
USAGES = {
    "report": (
        "movesim report FOLDER [x=PATH] [y=PATH] [outcome=NAME] [scenario=NAME] [week=N]",
        "Write report.html, figures and workbook.xlsx of a result folder again, from its tables alone. Of a sweep, x= and y= "
        "draw any outcome (age_group.axis.outcome.measure) against one or two of the numbers that were swept.",
    ),
    "place": (
        "movesim place list\n"
        "       movesim place build files=FOLDER name=NAME [areas='NAME, NAME'] [overrides=FILE.csv] [title='TITLE'] "
        "[place_seed=N]\n"
        "       movesim place inspect NAME [people=N] [place_seed=N] [out=FOLDER]\n"
        "       movesim place export NAME out=FOLDER [people=N] [place_seed=N]",
        "List the places there are; build the people of a place from official tables (and a file of your own that overrides "
        "supply, offers, workforce and prices by neighbourhood); say what a place is made of, and write a report of how "
        "well its people fit the tables; write its people, neighbourhoods and schools as Parquet tables.",
    ),
    "scenario": (
        "movesim scenario new NAME [kind=people|place|school] [from=SCENARIO]\n"
        "       movesim scenario check NAME\n"
        "       movesim scenario show NAME [out=FILE.svg] [numbers=true]",
        "Write scenarios/NAME.yaml to begin with: a template with every setting explained, or one that starts from a scenario "
        "there is. Check a scenario, by name or as a file: everything that is wrong, with line and column. Say it back in plain "
        "words: for whom, where, how many, at what cost, on what evidence, and how it works (out= draws that, as .svg or "
        ".png); or list every number with its path, range and status (numbers=true).",
    ),
    "list": ("movesim list [scenarios|shocks|places]", "Print scenarios, shocks and places, with what each one is."),
    "completion": (
        "movesim completion bash",
        'Print the completion script; put  eval "$(movesim completion bash)"  into ~/.bashrc.',
    ),
}


def overview() -> str:
    """Return the text of `movesim --help`."""
    wide = max(len(line) for line, _ in EXAMPLES)
    lines = ["movesim: an agent-based simulation of physical activity", ""]
    lines += [f"  {line:<{wide}}  {meaning}" for line, meaning in EXAMPLES]
    lines += ["", "usage: movesim COMMAND [key=value ...]", ""]
    lines += [f"  {command:<11} {summary}" for command, summary in SUMMARIES.items()]
    lines += [
        "",
        "  movesim COMMAND --help     the keys of a command, with meaning and default",
        "  movesim COMMAND --cfg job  print the settings without running anything (run, compare, explain, trials, ...)",
        "  movesim COMMAND -m ...     one study for every combination of values: seed=1,2,3 (the same commands)",
        "  movesim --version",
        "",
        "exit codes: 0 done or already done, 1 a fault of the program, 2 wrong input, 3 a check failed, 130 stopped",
    ]
    return "\n".join(lines)


def of_command(command: str) -> str:
    """Return the text of `movesim COMMAND --help`."""
    if command in COMMANDS:
        return _of_settings(command)
    usage, meaning = USAGES[command]
    return "\n".join([f"usage: {usage}", "", *textwrap.wrap(meaning, WIDTH)])


def _of_settings(command: str) -> str:
    lines = [f"usage: movesim {command} [key=value ...]", "", f"{SUMMARIES[command].capitalize()}.", ""]
    lines += [f"  {line}" for line, _ in (*EXAMPLES, *MORE_EXAMPLES) if line.startswith(f"movesim {command} ")]
    lines += ["", f"  {'key':<12} {'default':<27} meaning", f"  {'-' * 12} {'-' * 27} {'-' * 55}"]
    for key, each in COMMANDS[command].table().items():
        lines += [f"  {key:<12} {default_of(each):<27} {each.metadata['meaning']}"]
    lines += [
        "",
        "Lists are quoted for the shell: 'scenarios=[a,b]'. --cfg job prints the settings; -m runs every combination.",
    ]
    return "\n".join(lines)


def default_of(each: object) -> str:
    """Return a field's default as people write it on the command line."""
    default = getattr(each, "default", None)
    if default is MISSING:
        return "{}"
    if default is None:
        return "null"
    if default == "" or (default == () and getattr(each, "name", "") == "scenarios"):
        return "(needed)"
    return written(plain(default))
