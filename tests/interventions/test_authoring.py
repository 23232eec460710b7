"""Writing scenarios: templates that pass and run, families to start from, and a scenario said back in plain words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from crowds import Crowd, Run
from movesim.cli import main
from movesim.errors import InputError
from movesim.interventions import describe, load_scenario, schema, studies
from movesim.interventions.audience import COLUMNS, FLAGS
from movesim.interventions.checking import check
from movesim.interventions.files import list_scenarios, load_document
from movesim.interventions.modifiers import EFFECTS
from movesim.interventions.reach import of_each_pound, reach
from movesim.interventions.scenario import KINDS, PAYERS, PLACE_UNITS, TARGETING, UNITS
from movesim.interventions.template import new_scenario, template, with_options
from movesim.words import COMPONENT, DISTRIBUTIONS, DOMAIN, FUNCTIONS, POLICIES, STATUSES_OF_NUMBERS

WHO = ("ages", *COLUMNS, *FLAGS, "income_rank", "status", "with_children")
# what cannot stand beside something else that the template has, and is taken out when every option is put in
APART = {
    "people": r"^ +(imd_decile|leakage|gradient):.*\n",
    "place": r"^ +(imd_decile|leakage|gradient|km_per_100000):.*\n|^    route:\n(      .*\n)+|^      km\w*:.*\n(        .*\n)+",
    "school": r"^ +(imd_decile|leakage|gradient):.*\n",
}


def options_of(kind: str) -> str:
    return re.sub(APART[kind], "", with_options(template(kind, "mine")), flags=re.MULTILINE)


def written(text: str, folder: Path, name: str = "mine") -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    return path


# --- templates --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", KINDS)
def test_a_template_passes_the_check_as_it_is(kind: str, empty_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scenario", "new", "our_plan", f"kind={kind}"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("scenarios/our_plan.yaml is written.") and "movesim scenario check our_plan\n" in out
    assert main(["scenario", "check", "our_plan"]) == 0
    assert capsys.readouterr().out == "scenarios/our_plan.yaml: all right.\n"
    scenario = load_scenario("our_plan")
    assert [i.kind for i in scenario.interventions] == [kind] and scenario.interventions[0].name == "our_plan"
    said = [p for path, p in scenario.numbers.items() if path.startswith("scenarios.our_plan.")]
    assert said and {p.status for p in said} == {"assumed"}, "an example claims nothing"
    assert all(p.meaning for p in said)


@pytest.mark.parametrize("kind", KINDS)
def test_every_option_of_a_template_is_right_once_its_mark_is_taken_away(kind: str, tmp_path: Path) -> None:
    scenario, complaints = check(written(options_of(kind), tmp_path))
    assert scenario is not None, complaints
    assert scenario.modifiers and len(scenario.interventions[0].trial.also_predicts) == 2


def test_a_template_of_a_place_says_how_a_route_is_written(tmp_path: Path) -> None:
    before, mark, text = with_options(template("place", "mine")).partition("\ninterventions:\n")
    for out in (r"^    zone: \{\}\n", r"^ +residents_per_1000:.*\n", r"^      resident(_year)?:.*\n(        .*\n)+",
                r"^ +(imd_decile|leakage|gradient):.*\n"):  # fmt: skip
        text, times = re.subn(out, "", text, flags=re.MULTILINE)
        assert times
    scenario, complaints = check(written(before + mark + text, tmp_path))
    assert scenario is not None and not scenario.interventions[0].zone, complaints


@pytest.mark.parametrize("targeting", [t for t in TARGETING if t != "universal"])
def test_a_template_says_how_targeting_is_written(targeting: str, tmp_path: Path) -> None:
    text = with_options(template("people", "mine")).replace("targeting: universal", f"targeting: {targeting}")
    other = "gradient" if targeting == "targeted" else "imd_decile|leakage"
    scenario, complaints = check(written(re.sub(rf"^ +({other}):.*\n", "", text, flags=re.MULTILINE), tmp_path))
    assert scenario is not None and scenario.interventions[0].where.targeting == targeting, complaints


@pytest.mark.parametrize("kind", KINDS)
def test_a_template_explains_every_setting_there_is(kind: str, root: Path) -> None:
    """Whatever the schema knows for this kind stands in its template, and on the page about writing plans."""
    text, page = template(kind, "mine"), (root / "docs" / "authoring.md").read_text(encoding="utf-8")
    forms = ("route", "zone") if kind == "place" else (kind,)
    settings = {*schema._COMMON, *schema._OF_KIND[kind], *(key for form in forms for key in schema._CAPACITY[form])}
    settings |= set(UNITS[kind]) | set(EFFECTS) | set(TARGETING)
    settings |= {"modifiers", "rules", "local_authority", "leakage", "gradient"}
    for key in sorted(settings):
        assert re.search(rf"^[# ]+(- )?{key}:|\b{key} ?[(,:]|, {key}\b", text, re.MULTILINE), key
        assert f"`{key}`" in page or key in ("title", "summary"), key
    values = {*FUNCTIONS, *POLICIES, *PAYERS, *DISTRIBUTIONS, *STATUSES_OF_NUMBERS, *DOMAIN, *COMPONENT}
    for value in sorted(values):
        assert value in text, value
    for key in (*studies._FINDING, *studies._REQUIRED, "population", "reaching", "as", "used_for"):
        assert re.search(rf"^[# ]+(- )?{key}:", text, re.MULTILINE), key
    for key in WHO if kind == "people" else ():
        assert re.search(rf"^[# ]+{key}:", text, re.MULTILINE) and f"`{key}`" in page, key


@pytest.mark.parametrize("kind", KINDS)
def test_a_template_runs(kind: str, crowd: Crowd, tmp_path: Path) -> None:
    """It does something, and spends no more than it has."""
    run = Run(load_scenario(written(template(kind, "mine"), tmp_path)), crowd, years=2)
    money = run.delivery.money()
    assert 0 < money["spent"].sum() <= 2 * run.delivery.pounds_a_year * (1 + 1e-9)
    assert any(array.any() for array in run.arrays().values())


# --- starting from a family -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("base", [name for name in list_scenarios() if name != "baseline"])
def test_what_starts_from_a_family_does_what_the_family_does(base: str, empty_folder: Path) -> None:
    """Same settings, same numbers under the same paths, same draws; and with every mark taken away still the same."""
    path = new_scenario("ours", base=base)
    ours, theirs = load_scenario("ours"), load_scenario(base)
    assert ours.contents["interventions"] == theirs.contents["interventions"]
    same = lambda s: {p: n for p, n in s.numbers.items() if not p.startswith((f"scenarios.{s.name}.budget", "scenarios.ours"))}  # noqa: E731
    assert same(ours).keys() <= theirs.numbers.keys() and ours.shares == theirs.shares
    budget = lambda s: s.numbers[s.budget].value  # noqa: E731
    assert budget(ours) == budget(theirs) and len(ours.modifiers) == len(theirs.modifiers)
    all_of_it = load_scenario(written(with_options(path.read_text(encoding="utf-8")), empty_folder, "all_of_it"))
    assert all_of_it.contents["interventions"] == theirs.contents["interventions"]


def test_one_thing_changed_changes_that_alone(empty_folder: Path) -> None:
    path = new_scenario("ours", base="routes")
    text = path.read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if line.startswith("#     effect:"))
    path.write_text(text.replace(line, line.replace("# ", "", 1).replace("value: 12.5", "value: 9")), encoding="utf-8")
    ours, theirs = load_scenario("ours").numbers, load_scenario("routes").numbers
    assert ours["scenarios.ours.routes.effect"].value == 9
    changed = {path.replace("scenarios.ours.routes.", "scenarios.routes.") for path in ours} ^ set(theirs)
    assert changed <= {"scenarios.ours.budget.pounds_per_resident_a_year", "scenarios.routes.budget.pounds_per_resident_a_year"}


# --- refusals ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["our-plan"], r"'our-plan' cannot be the name of a scenario; write small letters, digits and underscores, beginning"),
        (["../plan"], r"'\.\./plan' cannot be the name of a scenario"),
        (["routes"], r"There is a scenario called 'routes' already, .*routes\.yaml; choose another name\."),
        (["ours", "kind=plase"], r"kind must be people, place or school, got 'plase'\. Did you mean 'place'\?"),
        (["ours", "from=rotes"], r"There is no scenario called 'rotes' to start from\. Did you mean 'routes'\?"),
        (["ours", "from=baseline"], r"'baseline' has no interventions to start from; it starts from one of the others"),
        (["ours", "from=routes", "kind=place"], r"Give kind= or from=, not both: what it starts from has its kind already\."),
        ([], r"movesim scenario new needs name=VALUE"),
    ],
)  # fmt: skip
def test_what_cannot_be_begun(words: list[str], sentence: str, empty_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scenario", "new", *words]) == 2
    out, err = capsys.readouterr()
    assert out == "" and re.match(sentence, err) and err.count("\n") == 1, err
    assert not list(empty_folder.rglob("*"))


def test_nothing_is_written_over(empty_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = new_scenario("ours")
    path.write_text("title: Mine\nsummary: Precious.\n")
    assert main(["scenario", "new", "ours"]) == 2
    assert "There is a scenario called 'ours' already, scenarios/ours.yaml; choose another name." in capsys.readouterr().err
    assert path.read_text() == "title: Mine\nsummary: Precious.\n"


def test_a_folder_that_cannot_be_written(empty_folder: Path) -> None:
    (empty_folder / "scenarios").write_text("a file, not a folder")
    with pytest.raises(InputError, match=r"scenarios/ours\.yaml cannot be written \(.*\)\."):
        new_scenario("ours")


# --- studies of one's own ---------------------------------------------------------------------------------------------
def test_studies_are_asked_for_by_name_or_by_file(empty_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (empty_folder / "plans").mkdir()
    written(template("people", "mine"), empty_folder / "plans")
    new_scenario("ours", kind="school")
    written("title: broken", empty_folder / "scenarios", "broken")
    assert main(["trials", "trials=[plans/mine.yaml,ours]", "draws=central", "dry_run=true"]) == 0
    assert capsys.readouterr().out.startswith("2 studies, 2 to do."), "a broken file that is not asked for is no matter"
    assert main(["trials", "dry_run=true"]) == 2
    assert "scenarios/broken.yaml:1:1: a scenario needs 'summary'." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("three_together", r"'three_together' has no study of its own: its first intervention is not called as its file is\."),
        ("rotes", r"There is no study called 'rotes'\. Did you mean 'routes'\? There are baseline, "),
        ("plans/none.yaml", r"There is no file plans/none\.yaml\."),
    ],
)
def test_studies_there_are_not(name: str, sentence: str, empty_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trials", f"trials=[{name}]", "dry_run=true"]) == 2
    assert re.match(sentence, capsys.readouterr().err)


# --- said back --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", list_scenarios())
@pytest.mark.parametrize("width", [24, 79])
def test_every_scenario_is_said_in_words_at_any_width(name: str, width: int) -> None:
    scenario = load_scenario(name)
    text = describe(scenario, width)
    assert text.endswith("\n") and not text.endswith("\n\n")
    assert max(map(len, text.splitlines())) <= width
    flat = " ".join(text.split())
    whole = flat.replace("- ", "")
    for words in (scenario.title, *(i.title for i in scenario.interventions)):
        assert words.split()[0] in whole, words
    for told in (
        ("Who", "Where", "When", "How many", "Cost", "Evidence", "Works by") if scenario.interventions else ("Money", "Trend")
    ):
        assert told in flat, told
    assert not re.search(r"\bnan\b|\{|\}", text)


def test_what_a_council_reads_of_community_leaders(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    assert main(["scenario", "show", "community_leaders"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    for words in (
        "Community leaders - People like me",
        "£1 per resident of the place a year.",
        "Who Age 16 and over.",
        "Of 1,000 people it is for, in a year: 400 are offered it, 80 come, 40 stay, 32 do more.",
        "£36,000 (£30,000 to £45,000) per full-time worker a year [assumed]: local authority 50%, NHS 25%, voluntary sector 25%.",
        "Of each pound spent: local authority 45p, voluntary sector 24p, NHS 19p, Sport England 12p.",
        "The effect is assumed (grade B, C06, C07, M01).",
        "Enablement -> social opportunity (40%)",
        "-> gain in its study: 30 (15 to 50) minutes a week, as reported, per participant.",
        "The file: ",
    ):
        assert words in out, words


def test_money_in_words_is_what_a_run_would_pay() -> None:
    """Per 1,000 residents: £1,000 a year buys as many as the prices of the file say, and payers' parts add to a pound."""
    leaders, routes = load_scenario("community_leaders"), load_scenario("routes")
    found = reach(leaders, leaders.interventions[0])
    assert found.money == pytest.approx(1000 / (15 + 36000 / 800)) and found.capacity == pytest.approx(0.1 * 800)
    built = reach(routes, routes.interventions[0])
    assert built.money == pytest.approx(1000 / 1_000_000 / 0.133 * 1000) and built.capacity == pytest.approx(0.01 / 0.133 * 1000)
    for name in list_scenarios():
        scenario = load_scenario(name)
        for spec in scenario.interventions:
            parts = of_each_pound(scenario, spec)
            assert sum(parts.values()) == pytest.approx(1) and all(part > 0 for part in parts.values())


def test_modifiers_are_paid_first() -> None:
    whole = load_scenario("whole_system")
    price = sum(whole.numbers[c.path].value for m in whole.modifiers for c in m.costs)
    spec = next(i for i in whole.interventions if i.name == "school_day")
    left = 1000 * (whole.numbers[whole.budget].value - price) * whole.shares["school_day"]
    assert reach(whole, spec).money == pytest.approx(left / whole.numbers[spec.paths["costs.pupil_year"]].value)
    assert "helps every programme" in " ".join(describe(whole).split())


def test_the_years_are_drawn_where_there_is_room(tmp_path: Path) -> None:
    text = load_document("three_together").path.read_text(encoding="utf-8")
    path = written(text.replace("  - use: routes", "  - use: routes\n    start_year: 3\n    end_year: 5"), tmp_path)
    assert "..###..... Walking, wheeling and cycling routes" in describe(load_scenario(path), 79)
    assert "Walking, wheeling and cycling routes: 3 to 5" in " ".join(describe(load_scenario(path), 50).split())


def test_numbers_can_be_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scenario", "show", "routes", "numbers=true"]) == 0
    out = capsys.readouterr().out
    assert "scenarios.routes.effect = 12.5 (5 to 20, two_piece_normal) min/week per km nearer [read]\n" in out
    assert len(out.splitlines()) == len(load_scenario("routes").numbers)
    assert main(["scenario", "show", "routes", "numbers=yes"]) == 2
    assert "numbers must be true, got 'yes'" in capsys.readouterr().err


def test_other_alphabets_and_old_terminals(tmp_path: Path) -> None:
    """Nothing in a file's own words can break the text; a terminal that lacks the signs shows '?'."""
    import os
    import subprocess
    import sys

    text = template("people", "mine").replace("title: Mine\n", 'title: "Größe — 運動の場 {x} % \\" é"\n', 1)
    path = written(text, tmp_path)
    assert describe(load_scenario(path)).startswith('Größe — 運動の場 {x} % " é\n')
    code = f"import sys; from movesim.cli import main; sys.exit(main(['scenario', 'show', {str(path)!r}]))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii", "COLUMNS": "30"},
    )
    lines = done.stdout.decode("ascii").splitlines()
    assert lines[0] == 'Gr??e ? ???? {x} % " ?' and all(len(line) <= 30 for line in lines[:-1])


@pytest.mark.parametrize("zone", [unit for units in PLACE_UNITS.values() for unit in units])
def test_every_unit_of_a_place_has_words(zone: str) -> None:
    text = " ".join(describe(load_scenario("routes" if zone.startswith("km") else "parks")).split())
    words = {"km": "per kilometre", "km_year": "per built kilometre a year", "resident": "per resident served, once",
             "resident_year": "per resident served, a year"}  # fmt: skip
    assert words[zone] in text
