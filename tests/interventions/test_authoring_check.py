# ruff: noqa: E501  (a table: one file a case)
"""Files that are wrong: every fault is found, each in one sentence with its place, and nothing ends in a traceback."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from movesim.cli import main
from movesim.documents import parsed
from movesim.errors import InputError
from movesim.interventions import load_scenario
from movesim.interventions.checking import check
from movesim.interventions.template import template

KINDS = ("people", "place", "school")
PAYERS = "payers: {local_authority: 0.5, sport_england: 0.5}"
START = "    start_year: 1           #"
FUNCTIONS = "functions: [Enablement, Modelling, Persuasion]"
WORKFORCE = "    workforce:\n      fte_per_1000: {value: 0.1, low: 0.05, high: 0.2, distribution: lognormal, status: assumed}\n      likeness: {value: 0.3, low: 0.1, high: 0.5, distribution: beta, status: assumed}\n"
ROUTE = "    route:\n      km_per_1000: {value: 0.1, distribution: fixed, status: assumed}\n      nearer_km: {value: 1, distribution: fixed, status: assumed}\n      cap_km: {value: 4, distribution: fixed, status: assumed}\n"
SECOND = "  - use: routes\n    name: mine\n"

# kind of the template, (old, new) ..., the sentences, in order, and what stands in the line each points at
BROKEN: dict[str, tuple[str, list[tuple[str, str]], list[tuple[str, str]]]] = {
    "a misspelled key": ("people", [("    half_life_weeks:", "    half_live_weeks:")],
        [(r"unknown setting 'half_live_weeks' in the people intervention 'mine'\. Did you mean 'half_life_weeks'\?$", "half_live")]),
    "a key nobody knows": ("people", [(START, "    colour: green\n" + START)],
        [(r"unknown setting 'colour' in the people intervention 'mine'\. It takes title, summary, kind", "colour")]),
    "the wrong kind of value": ("people", [("domains: [leisure_walk, sport]\n", "domains: sport\n")],
        [(r"'domains' must be a list of domains, got 'sport'\.", "domains: sport")]),
    "text for a number": ("people", [("{value: 20, low: 0, high: 50", "{value: twenty, low: 0, high: 50")],
        [(r"'effect' has value 'twenty'; it must be a number\.", "twenty")]),
    "a percentage for a share": ("people", [("{value: 0.2, low: 0.1, high: 0.4", "{value: 20, low: 0.1, high: 0.4")],
        [(r"'taken_up' must be between 0 and 1, got 20\. Did you mean 0\.2 \(20%\)\?", "value: 20")]),
    "low above high": ("people", [("{value: 20, low: 0, high: 50", "{value: 20, low: 50, high: 0")],
        [(r"'scenarios\.mine\.effect' must have low <= value <= high with low < high, got 50\.0, 20\.0, 0\.0\.", "effect:")]),
    "payers that do not add to 1": ("people", [(PAYERS, PAYERS.replace("0.5}", "0.4}"))],
        [(r"the shares of the payers must add to 1, they add to 0\.9\.", "payers")]),
    "a payer nobody knows": ("people", [(PAYERS, PAYERS.replace("sport_england", "sport_egland"))],
        [(r"unknown setting 'sport_egland' in 'payers'\. Did you mean 'sport_england'\?", "sport_egland")]),
    "a function nobody knows": ("people", [(FUNCTIONS, "functions: [Enablement, Nudging, Persuasion]")],
        [(r"'functions' holds 'Nudging', which is not functions of the Behaviour Change Wheel\. It takes Education", "Nudging")]),
    "a component outside the matrix": ("people", [(FUNCTIONS, "functions: [Persuasion]")],
        [(r"'opportunity_social' cannot be reached by Persuasion: the 2011 matrix .* Add such a function, or give a 'reason:'", "opportunity_social")]),
    "no trial": ("people", [(re.search(r"    trial:\n.*\Z", template("people", "mine"), re.S).group(), "")],  # type: ignore[union-attr]
        [(r"the people intervention 'mine' needs 'trial'\.", "name: mine")]),
    "negative cost": ("people", [("{value: 60, low: 20", "{value: -60, low: 20")],
        [(r"'pounds' must not be below 0, got -60\.", "-60")]),
    "a budget split that is missing": ("people", [("\n  - name: mine", "\n  - use: routes\n  - name: mine")],
        [(r"'split', which gives each intervention its share of the money .* needs 'routes'", "budget")]),
    "a split that does not add up": ("people", [("\n  - name: mine", "\n  - use: routes\n  - name: mine"), ("\n#   split: {mine: 1.0}", "\n  split: {mine: 0.5, routes: 0.6}")],
        [(r"the shares of the money must add to 1, they add to 1\.1\.", "split")]),
    "the end before the start": ("people", [(START, "    start_year: 11 #")],
        [(r"'end_year' \(10\) is before 'start_year' \(11\); it must be 11 or later\.", "end_year")]),
    "a calendar year": ("people", [(START, "    start_year: 2027 #")],
        [(r"'start_year' must be between 1 and 200, got 2027\. Years are those of the plan: 1 is the first\.", "2027")]),
    "a date for a year": ("people", [(START, "    start_year: 2027-04-01 #")],
        [(r"'start_year' must be a whole number, got '2027-04-01'\. Years are those of the plan: 1 is the first\.", "2027-04-01")]),
    "a domain nobody knows": ("people", [("domains: [leisure_walk, sport]\n", "domains: [walking, sport]\n")],
        [(r"'domains' holds 'walking', which is not domains\.", "walking")]),
    "leakage without a target": ("people", [("\n#       leakage:", "\n      leakage:")],
        [(r"'leakage' goes with 'targeting: targeted', not with 'universal'\.", "leakage")]),
    "a target without leakage": ("people", [("targeting: universal", "targeting: targeted"), ("\n#       imd_decile", "\n      imd_decile")],
        [(r"'targeting: targeted' needs 'leakage'\.", "targeting")]),
    "workforce cost without a workforce": ("people", [("\n#       fte_year:             # Per full-time worker and year\n#         pounds:", "\n      fte_year:\n        pounds:"), ("\n#         payers: {local_authority: 1}\n#       resident: ", "\n        payers: {local_authority: 1}\n#       resident: ")],
        [(r"a cost per fte_year needs a 'workforce' that is paid\.", "fte_year")]),
    "a workforce that starts nobody": ("people", [("    # How many can start", WORKFORCE + "    # How many can start")],
        [(r"an intervention with a workforce needs 'capacity: starts_per_fte'", "")]),
    "a booster's cost without a booster": ("people", [("\n#       booster:              # Per person met again\n#         pounds:", "\n      booster:\n        pounds:"), ("\n#         payers: {local_authority: 1}\n\n    # What it rests", "\n        payers: {local_authority: 1}\n\n    # What it rests")],
        [(r"a cost per booster needs a 'booster' that says when people are met again\.", "booster")]),
    "use of a scenario there is not": ("people", [("\n  - name: mine", "\n  - use: rotes\n  - name: mine"), ("\n#   split: {mine: 1.0}", "\n  split: equal")],
        [(r"there is no scenario called 'rotes' to use\. Did you mean 'routes'\?", "rotes")]),
    "two of one name": ("people", [("\n  - name: mine", f"\n{SECOND}  - name: mine"), ("\n#   split: {mine: 1.0}", "\n  split: equal")],
        [(r"two interventions are called 'mine'; give one another name\.", "name: mine")]),
    "a unit of another kind": ("people", [("\n      participant:  ", "\n      pupil_year:  ")],
        [(r"unknown setting 'pupil_year' in 'costs' of a people intervention\.", "pupil_year")]),
    "a zone and a route": ("place", [("    zone: {}\n", "    zone: {}\n" + ROUTE)],
        [(r"a place has either a 'route', .* or a 'zone' .*; this has both\.", "")]),
    "neither zone nor route": ("place", [("    zone: {}\n", "")], [(r"a place .*'route'.*'zone'", "")]),
    "wear without upkeep": ("place", [("\n#     wear_per_year:", "\n    wear_per_year:")],
        [(r"'wear_per_year' is what is lost in a year whose upkeep is not paid; state the cost per resident_year", "wear_per_year")]),
    "a modifier that changes nothing": ("people", [("\n# modifiers:\n", "\nmodifiers:\n  - {name: whole, title: Whole, start_year: 1, end_year: 2, ramp_weeks: {value: 1, distribution: fixed, status: assumed}, costs: {resident_year: {pounds: {value: 1, distribution: fixed, status: assumed}, payers: {nhs: 1}}}}\n# more:\n")],
        [(r"the modifier 'whole' changes nothing; state at least one of 'reach', 'ratio' and 'habit_share'\.", "")]),
    "a phase of school": ("school", [("\n#     phases: [primary, secondary]", "\n    phases: [primary, tertiary]")],
        [(r"'phases' holds 'tertiary', which is not phases of school\.", "tertiary")]),
    "who of a place": ("place", [("    who: {}", "    who: {ages: [16, 120]}")],
        [(r"a place is changed for everybody who lives there; leave 'who' empty: \{\}\.", "who")]),
    "no budget": ("people", [(re.search(r"budget:\n(  .*\n|#   .*\n)+", template("people", "mine")).group(), "")],  # type: ignore[union-attr]
        [(r"a scenario with interventions needs 'budget'", "")]),
    "a status of numbers nobody knows": ("people", [("distribution: fixed, unit: weeks, status: assumed", "distribution: fixed, unit: weeks, status: guessed")],
        [(r"'scenarios\.mine\.lag_weeks' has the status 'guessed'; it must be read, recalled, computed or assumed\.", "guessed")]),
    "a status of people nobody knows": ("people", [("\n#       status: [Inactive, Fairly active]", "\n      status: [Lazy]")],
        [(r"'status' holds 'Lazy', which is not statuses\. It takes Inactive, Fairly active, Active\.", "Lazy")]),
    "a zone that is a number": ("place", [("    zone: {}", "    zone: 3")], [(r"'zone' must be empty: \{\}, got 3\.", "zone")]),
    # what YAML itself refuses: the first place, the rest cannot be read
    "a tab": ("people", [("    title: Mine", "\ttitle: Mine")], [(r"this line is indented with a tab; YAML wants spaces\.", "\ttitle")]),
    "YAML that is none": ("people", [("title: Mine\n", "title: Mine: the plan\n")], [(r"this line is not valid YAML .* quote any text that contains ':' or '#'\.", "title: Mine: the plan")]),
    "a bracket left open": ("people", [(FUNCTIONS, "functions: [Enablement")], [(r"this line is not valid YAML", "")]),
    "a key twice": ("people", [("    effect_scale:", "    start_year: 3\n    effect_scale:")], [(r"'start_year' is given twice \(first on line \d+\); keep one of them\.", "start_year: 3")]),
    # several at once, in order of their lines
    "several at once": ("people", [("value: 1.00", "value: -1"), (START, "    start_year: soon #"), ("    half_life_weeks:", "    halflife_weeks:"), (PAYERS, PAYERS.replace("0.5}", "50}")), ("follow_up_weeks: 26", "follow_up_weeks: 2"), ("ages: [16, 120]       #", "ages: [60, 40] #")],
        [(r"'pounds_per_resident_a_year' must not be below 0, got -1", "value: -1"), (r"'start_year' must be a whole number, got 'soon'", "soon"),
         (r"'ages' must be two ages, from and to, such as \[16, 120\], got \[60, 40\]", "ages"), (r"unknown setting 'halflife_weeks'", "halflife"),
         (r"'sport_england' must be between 0 and 1, got 50\. Did you mean 0\.5 \(50%\)\?", "sport_england"), (r"'follow_up_weeks' must be between 4 and 520, got 2", "follow_up")]),
    "in two programmes": ("people", [("\n  - name: mine", "\n  - use: routes\n    end_yaer: 4\n    domains: [cycel]\n  - name: mine"), ("\n#   split: {mine: 1.0}", "\n  split: equal"), ("measured: minutes ", "measured: minuts ")],
        [(r"unknown setting 'end_yaer' in the place intervention 'routes'\. Did you mean 'end_year'\?", "end_yaer"), (r"'domains' holds 'cycel'.*Did you mean 'cycle'\?", "cycel"), (r"'measured' must be minutes or a list of domains, got 'minuts'", "minuts")]),
    "an unknown kind hides nothing": ("place", [("kind: place ", "kind: somewhere "), ("    start_year: 1 ", "    start_year: 0 "), ("    zone: {}", "    zone: {km: 2}")],
        [(r"'kind' must be people, place or school, got 'somewhere'\.", "somewhere"), (r"'start_year' must be between 1 and 200, got 0", "start_year: 0"), (r"unknown setting 'km' in 'zone'\. It stays empty: \{\}\.", "zone")]),
    "what follows from a fault is not said": ("people", [(FUNCTIONS, "functions: 7"), ("targeting: universal", "targeting: everywhere"), ("\n#       imd_decile", "\n      imd_decile")],
        [(r"'functions' must be a list of functions of the Behaviour Change Wheel, got 7", "functions: 7"), (r"'targeting' must be universal, targeted or proportionate, got 'everywhere'", "everywhere")]),
}  # fmt: skip


def broken(case: str, folder: Path) -> Path:
    kind, swaps, _ = BROKEN[case]
    text = template(kind, "mine")
    for old, new in swaps:
        assert old in text, f"'{old}' is not in the template of {kind}"
        head, mark, rest = text.partition("\ntitle:")
        text = head + mark + rest.replace(old, new, 1) if old in rest else text.replace(old, new, 1)
    path = folder / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("case", BROKEN)
def test_every_fault_is_found_with_its_place(case: str, empty_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, expected = broken(case, empty_folder), BROKEN[case][2]
    assert main(["scenario", "check", "mine.yaml"]) == 2
    out, err = capsys.readouterr()
    said = err.splitlines()
    if len(expected) > 1:
        assert said.pop() == f"{len(expected)} things to put right."
    assert out == "" and len(said) == len(expected), err
    lines = path.read_text(encoding="utf-8").splitlines()
    for line, (sentence, in_line) in zip(said, expected):
        found = re.match(r"mine\.yaml:(\d+):(\d+): (.*)$", line)
        assert found and re.search(sentence, found[3]), line
        assert in_line in lines[int(found[1]) - 1], f"{line}\npoints at: {lines[int(found[1]) - 1]}"


def test_running_it_says_the_first_of_them(empty_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken("several at once", empty_folder)
    assert main(["run", "scenario=mine.yaml", "people=500"]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and err.startswith("mine.yaml:")


def test_a_fault_in_what_is_used_is_said_once(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(template("people", "base").replace("start_year: 1 ", "start_year: x "), encoding="utf-8")
    path = tmp_path / "mine.yaml"
    path.write_text("title: M\nsummary: x\nslogan: 7\nbudget: {}\ninterventions:\n  - use: base\n", encoding="utf-8")
    scenario, complaints = check(path)
    assert scenario is None and [re.match(r"\S*?(\w+\.yaml):", str(c))[1] for c in complaints] == ["base.yaml"]  # type: ignore[index]


def test_a_file_that_is_not_there_or_not_named_well(empty_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scenario", "check", "nowhere.yaml"]) == 2
    assert capsys.readouterr().err == "There is no file nowhere.yaml.\n"
    (empty_folder / "My plan.yaml").write_text(template("people", "mine"), encoding="utf-8")
    assert main(["scenario", "check", "My plan.yaml"]) == 2
    assert "so the file's name must be small letters" in capsys.readouterr().err


# --- anything at all --------------------------------------------------------------------------------------------------
TEXTS = {kind: template(kind, "mine") for kind in KINDS}
LINES = {
    kind: [n for n, line in enumerate(text.splitlines()) if line.strip() and not line.startswith("#")]
    for kind, text in TEXTS.items()
}
ODD = st.sampled_from(
    [None, True, 0, -1, 7, 1e9, float("inf"), "", "odd", "1", [], [[]], {}, {"value": 1}, {"x": {}}, ["odd", 3]]
).map(copy.deepcopy)


def looked_at(text: str) -> None:
    """A file is read, or every complaint about it is one line and the first is what running it would say."""
    from dataclasses import replace

    from movesim.interventions.checking import _complaints
    from movesim.interventions.files import scenario_of

    try:
        document = parsed(text, Path("mine.yaml"))
    except InputError as error:
        assert re.match(r"mine\.yaml:\d+:\d+: |mine\.yaml: ", str(error)) and "\n" not in str(error)
        return
    try:
        scenario_of(document)
    except InputError as first:
        found = _complaints(replace(document))
        assert str(first) in map(str, found) and len(set(map(str, found))) == len(found)
        assert all("\n" not in str(each) and "mended" not in str(each) and "template" not in str(each) for each in found)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_line_taken_out_doubled_or_moved_never_ends_in_a_traceback(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(KINDS))
    lines = TEXTS[kind].splitlines()
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.sampled_from(LINES[kind])) % len(lines)
        change = data.draw(st.sampled_from(["out", "twice", "in", "back", "cut"]))
        line = lines[at]
        lines[at : at + 1] = {
            "out": [],
            "twice": [line, line],
            "in": ["  " + line],
            "back": [line[2:]],
            "cut": [line[: len(line) // 2]],
        }[change]
    looked_at("\n".join(lines))


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_value_swapped_for_anything_never_ends_in_a_traceback(data: st.DataObject) -> None:
    settings_ = json.loads(json.dumps(parsed(TEXTS[data.draw(st.sampled_from(KINDS))], Path("mine.yaml")).data))
    for _ in range(data.draw(st.integers(1, 4))):
        here = settings_
        while True:
            keys = list(here) if isinstance(here, dict) else list(range(len(here)))
            if not keys:
                break
            key = data.draw(st.sampled_from(keys))
            if isinstance(here[key], dict | list) and here[key] and data.draw(st.integers(0, 4)):
                here = here[key]
                continue
            if isinstance(here, dict) and data.draw(st.booleans()):
                here[data.draw(st.sampled_from(["kind", "use", "name", "value", "oddly", "domains"]))] = here.pop(key)
            else:
                here[key] = data.draw(ODD)
            break
    looked_at(json.dumps(settings_).replace("Infinity", ".inf"))


def test_templates_used_here_are_right() -> None:
    """Or every fault above would be looked for in vain."""
    for kind in KINDS:
        from movesim.interventions.files import scenario_of

        assert scenario_of(parsed(TEXTS[kind], Path("mine.yaml"))).interventions
    assert load_scenario("routes").interventions
