# ruff: noqa: E501  (a table: one case a line)
"""Every way a scenario file can be wrong, the sentence it gets and the line the sentence points at."""

import copy
import json
import re

import pytest

from movesim.documents import load_yaml
from movesim.errors import InputError
from movesim.interventions import load_scenario

OFFERED = "{value: 0.4, low: 0.2, high: 0.6, distribution: beta, unit: share of adults a year, status: assumed, grade: C,"
PAYERS = "payers: {local_authority: 0.3, sport_england: 0.5, voluntary_sector: 0.2}"
BUDGET = "    value: 1.00\n    distribution: fixed"

WEAR = "    wear_per_year: {value: 0.1, status: assumed, distribution: fixed, meaning: lost}\n    ratio:"
FIXED = "{value: 1, status: assumed, distribution: fixed}"
MODIFIER = f"""modifiers:
- name: whole
  title: Whole-system working
  start_year: 1
  end_year: 5
  reach: {FIXED}
  ramp_weeks: {FIXED}
  costs: {{resident_year: {{pounds: {FIXED}, payers: {{nhs: 1}}}}}}
"""

# base, (old, new) ..., what the sentence says (regular expression), what stands in the line it points at
WRONG = {
    "unknown key": (
        "community_leaders", [("    half_life_weeks:", "    halflife_weeks:")],
        r"unknown setting 'halflife_weeks' in the people intervention 'community_leaders'. Did you mean 'half_life_weeks'\?", "halflife_weeks",
    ),
    "a key of another kind": ("routes", [("    ratio:", "    ladder: {}\n    ratio:")], r"unknown setting 'ladder' in the place intervention", "ladder"),
    "unknown top key": ("routes", [("slogan:", "motto:")], r"unknown setting 'motto' in a scenario. It takes title, slogan", "motto"),
    "missing key": ("routes", [("    functions: [Environmental restructuring]\n", "")], r"the place intervention 'routes' needs 'functions'", "name: routes"),
    "missing title": ("routes", [("title: Walking, wheeling and cycling routes\nslogan", "slogan")], r"a scenario needs 'title'", ""),
    "number left out": (
        "community_leaders", [("    ramp_weeks:\n      {value: 8, low: 2, high: 16, distribution: triangular, unit: weeks, status: assumed, "
                               "ids: [P036],\n       meaning: From the first change to the full one}\n", "")],
        r"'ramp_weeks' is missing; it is a number with its evidence", "name: community_leaders",
    ),
    "unknown kind": ("routes", [("kind: place", "kind: places")], r"'kind' must be people, place or school, got 'places'. Did you mean 'place'\?", "kind:"),
    "share over 1": (
        "community_leaders", [(OFFERED, OFFERED.replace("0.4", "30"))],
        r"'offered' must be between 0 and 1, got 30. Did you mean 0.3 \(30%\)\?", "value: 30",
    ),
    "range of a share over 1": (
        "community_leaders", [(OFFERED, OFFERED.replace("high: 0.6", "high: 1.6"))], r"'offered' must be between 0 and 1, got 1.6. Did you mean 0.016", "high: 1.6",
    ),
    "share below 0": ("community_leaders", [(OFFERED, OFFERED.replace("low: 0.2", "low: -0.2"))], r"'offered' must be between 0 and 1, got -0.2\.$", "low: -0.2"),
    "negative cost": ("community_leaders", [("{value: 36000,", "{value: -36000,")], r"'pounds' must not be below 0, got -36000", "value: -36000"),
    "a number that is text": ("routes", [("{value: 12.5,", "{value: a lot,")], r"'scenarios.routes.effect' has value 'a lot'; it must be a number|'effect' has value 'a lot'; it must be a number", "value: a lot"),
    "no range for an assumption": (
        "community_leaders", [(OFFERED, "{value: 0.4, status: assumed,")], r"'offered' is assumed, so it needs a wide range", "offered:",
    ),
    "a share that could be drawn above 1": (
        "community_leaders", [(OFFERED, OFFERED.replace("beta", "normal"))],
        r"'offered' is a share, so its distribution must be beta, uniform, triangular or fixed, got 'normal'", "normal",
    ),
    "a cost that could be drawn below 0": (
        "community_leaders", [("{value: 15, low: 5, high: 40, distribution: lognormal", "{value: 15, low: 5, high: 40, distribution: normal")],
        r"'pounds' is never below 0, so its distribution must be lognormal, uniform, triangular or fixed", "normal",
    ),
    "unknown status": ("routes", [("status: read, grade: B, ids: [AT02]", "status: known, grade: B, ids: [AT02]")], r"has the status 'known'; it must be read, recalled", "effect:"),
    "ids that are not text": ("routes", [("grade: B, ids: [AT02]", "grade: B, ids: [2]")], r"'ids' must hold text only, got 2; put it in quotes", "ids: \\[2\\]"),
    "ids without brackets": ("routes", [("grade: B, ids: [AT02]", "grade: B, ids: AT02")], r"'ids' must be a list of ids of evidence, such as \[AT01\], got 'AT02'", "ids: AT02"),
    "read without a source": (
        "routes", [('status: read, ids: [AT01],\n             meaning: Gain in walking', "status: read,\n             meaning: Gain in walking")],
        r"is marked 'read' but names no source", "effect:",
    ),
    "end before start": ("routes", [("start_year: 1", "start_year: 5"), ("end_year: 10", "end_year: 4")],
                         r"'end_year' \(4\) is before 'start_year' \(5\); it must be 5 or later", "end_year: 4"),
    "a year that is no number": ("routes", [("start_year: 1", "start_year: soon")], r"'start_year' must be a whole number, got 'soon'", "start_year"),
    "a year that cannot be": ("routes", [("start_year: 1", "start_year: 0")], r"'start_year' must be between 1 and 200, got 0", "start_year"),
    "a component out of reach": (
        "community_leaders", [("functions: [Modelling, Enablement, Persuasion, Training]", "functions: [Modelling, Training]")],
        r"'opportunity_social' cannot be reached by Modelling or Training: the 2011 matrix of the Behaviour Change Wheel reaches it by "
        r"Restriction, Environmental restructuring or Enablement. Add such a function, or give a 'reason:'", "opportunity_social",
    ),
    "an unknown component": ("routes", [("      opportunity_physical: {", "      oportunity_physical: {")],
                             r"unknown setting 'oportunity_physical' in 'mechanism'. Did you mean 'opportunity_physical'\?", "oportunity"),
    "no component": ("routes", [("    mechanism:\n      opportunity_physical: {weight: 4, domains: [travel_walk, cycle]}\n      motivation_automatic: {weight: 1, domains: [travel_walk, cycle]}\n", "    mechanism: {}\n")],
                     r"'mechanism' must name at least one component", "mechanism"),
    "a weight of 0": ("routes", [("{weight: 4,", "{weight: 0,")], r"'weight' must be above 0; leave the component out instead", "weight: 0"),
    "a weight that is text": ("routes", [("{weight: 4,", "{weight: most,")], r"'weight' must be a number, got 'most'", "weight: most"),
    "a negative weight": ("routes", [("{weight: 4,", "{weight: -4,")], r"'weight' must not be below 0 and must be finite, got -4", "weight: -4"),
    "domains of a component without": ("community_leaders", [("opportunity_social: {weight: 3}", "opportunity_social: {weight: 3, domains: [sport]}")],
                                       r"unknown setting 'domains' in 'opportunity_social'", "opportunity_social"),
    "an unknown matrix": ("routes", [("    ratio:", "    matrix: 2012\n    ratio:")], r"'matrix' must be 2011 or 2014, got 2012", "matrix"),
    "an unknown function": ("routes", [("[Environmental restructuring]", "[Enviromental restructuring]")],
                            r"'functions' holds 'Enviromental restructuring', which is not functions of the Behaviour Change Wheel. Did you mean 'Environmental restructuring'\?", "functions"),
    "an unknown policy": ("routes", [("Fiscal]", "Taxes]")], r"'policies' holds 'Taxes'.* It takes Communication/marketing", "policies"),
    "an unknown domain": ("routes", [("    domains: [travel_walk, cycle]", "    domains: [travel_walk, cycling]")], r"'domains' holds 'cycling'.*Did you mean 'cycle'\?", "cycling"),
    "a domain twice": ("routes", [("    domains: [travel_walk, cycle]", "    domains: [cycle, cycle]")], r"'domains' holds 'cycle' twice", "domains"),
    "a list that is none": ("routes", [("    domains: [travel_walk, cycle]", "    domains: cycle")], r"'domains' must be a list of domains, got 'cycle'", "domains"),
    "evidence that is not text": ("routes", [("evidence: [AT01, AT02, AT03, AT06]", "evidence: [1]")], r"'evidence' must hold text only, got 1", "evidence"),
    "an unknown targeting": ("routes", [("{targeting: universal}", "{targeting: universel}")], r"'targeting' must be universal, targeted or proportionate, got 'universel'. Did you mean 'universal'", "targeting"),
    "deciles of everybody": ("routes", [("{targeting: universal}", "{targeting: universal, imd_decile: [1]}")], r"'imd_decile' goes with 'targeting: targeted', not with 'universal'", "imd_decile"),
    "a target without leakage": ("routes", [("{targeting: universal}", "{targeting: targeted, imd_decile: [1]}")], r"'targeting: targeted' needs 'leakage'", "targeting"),
    "a decile that is none": ("routes_targeted", [("imd_decile: [1, 2]", "imd_decile: [0, 2]")], r"'imd_decile' must hold whole numbers from 1 to 10, got 0", "imd_decile"),
    "a decile twice": ("routes_targeted", [("imd_decile: [1, 2]", "imd_decile: [2, 2]")], r"'imd_decile' holds a number twice", "imd_decile"),
    "one decile without brackets": ("routes_targeted", [("imd_decile: [1, 2]", "imd_decile: 1")], r"'imd_decile' must be a list of whole numbers from 1 to 10, got 1", "imd_decile"),
    "an unknown axis": ("community_leaders", [("who: {ages: [16, 120]}", "who: {agez: [16, 120]}")], r"unknown setting 'agez' in 'who'. Did you mean 'ages'\?", "agez"),
    "ages the wrong way": ("community_leaders", [("who: {ages: [16, 120]}", "who: {ages: [60, 40]}")], r"'ages' must be two ages, from and to, such as \[16, 120\], got \[60, 40\]", "ages"),
    "a value that is none": ("community_leaders", [("who: {ages: [16, 120]}", "who: {sex: [woman]}")], r"'sex' holds 'woman', which is not sex. It takes male, female", "woman"),
    "impairments as numbers": ("community_leaders", [("who: {ages: [16, 120]}", "who: {impairments: [1]}")], r"'impairments' must hold text only, got 1; put it in quotes", "impairments"),
    "work as text": ("community_leaders", [("who: {ages: [16, 120]}", "who: {in_work: maybe}")], r"'in_work' must be true or false, got 'maybe'", "in_work"),
    "income ranks": ("community_leaders", [("who: {ages: [16, 120]}", "who: {income_rank: [0, 40]}")], r"'income_rank' must be two ranks from 0 \(poorest\) to 1", "income_rank"),
    "who of a place": ("routes", [("who: {}", "who: {ages: [16, 120]}")], r"a place is changed for everybody who lives there; leave 'who' empty", "who"),
    "who: status": ("community_leaders", [("who: {ages: [16, 120]}", "who: {status: [Inactve]}")], r"'status' holds 'Inactve', which is not statuses. Did you mean 'Inactive'\?", "Inactve"),
    "who: children": ("community_leaders", [("who: {ages: [16, 120]}", "who: {with_children: 1}")], r"'with_children' must be true or false, got 1", "with_children"),
    "who: carer": ("community_leaders", [("who: {ages: [16, 120]}", "who: {carer: often}")], r"'carer' must be true or false, got 'often'", "carer"),
    "a school's offer outside lessons": ("school_day", [("      opportunity_physical: {weight: 4}", "      opportunity_physical: {weight: 4, domains: [school, cycle]}")],
                                         r"with 'domains' a school moves its pupils' access outside lessons, such as \[travel_walk, cycle\]; take 'school' out", "domains: \\[school"),
    "a route and a zone": ("routes", [("    route:\n", "    zone: {}\n    route:\n")], r"a place has either a 'route'.* or a 'zone' .*; this has both", "name: routes"),
    "a zone with a length": ("routes", [("    route:\n", "    zone: {km: 1}\n    rout:\n")], r"unknown setting 'rout' in the place intervention", "rout:"),
    "wear over 1": ("routes", [("    ratio:", WEAR.replace("0.1", "10"))], r"'wear_per_year' must be between 0 and 1, got 10. Did you mean 0.1 \(10%\)", "wear_per_year"),
    "a booster without how often": ("community_leaders", [("    capacity:", "    booster: {restores: {value: 0.5, status: assumed, distribution: fixed}}\n    capacity:")],
                                    r"'booster' needs 'every_weeks'", "booster"),
    "a cost of boosters without any": ("community_leaders", [("      participant:", "      booster: {pounds: {value: 5, status: assumed, distribution: fixed}, payers: {nhs: 1}}\n      participant:")],
                                       r"a cost per booster needs a 'booster' that says when people are met again", "booster"),
    "a reach that is lowered": ("community_leaders", [("    capacity:", "    raises_reach: {value: 0.5, status: assumed, distribution: fixed}\n    capacity:")],
                                r"'raises_reach' must not be below 1, got 0.5", "raises_reach"),
    "no modifier": ("routes", [("budget:", "modifiers: []\nbudget:")], r"'modifiers' must be a list with at least one modifier", "modifiers"),
    "a modifier that is text": ("routes", [("budget:", "modifiers: [more]\nbudget:")], r"a modifier must be a mapping of name, title", "modifiers"),
    "a modifier without effect": ("routes", [("budget:", MODIFIER.replace("reach:", "ratios:") + "budget:")], r"unknown setting 'ratios' in a modifier. Did you mean 'ratio'", "ratios"),
    "a modifier that changes nothing": ("routes", [("budget:", re.sub(r"  reach: .*\n", "", MODIFIER) + "budget:")], r"the modifier 'whole' changes nothing; state at least one of 'reach', 'ratio' and 'habit_share'", "name: whole"),
    "a modifier of another's name": ("routes", [("budget:", MODIFIER.replace("whole", "routes") + "budget:")], r"'routes' is called like another part of this scenario; give it another name", "name: routes"),
    "a modifier's name": ("routes", [("budget:", MODIFIER.replace("whole", "Whole system") + "budget:")], r"the name 'Whole system' cannot be used; write small letters", "name: Whole"),
    "a modifier that ends first": ("routes", [("budget:", MODIFIER.replace("start_year: 1", "start_year: 6") + "budget:")], r"'end_year' \(5\) is before 'start_year' \(6\); it must be 6 or later", "end_year: 5"),
    "a modifier nobody pays": ("routes", [("budget:", MODIFIER.replace("nhs: 1", "nhs: 0.4") + "budget:")], r"the shares of the payers must add to 1, they add to 0.4", "payers"),
    "phases": ("school_day", [("phases: [primary, secondary]", "phases: [primry]")], r"'phases' holds 'primry', which is not phases of school. Did you mean 'primary'", "phases"),
    "payers that do not add up": ("community_leaders", [(PAYERS, PAYERS.replace("0.5", "0.4"))], r"the shares of the payers must add to 1, they add to 0.9", "payers"),
    "a payer over 1": ("community_leaders", [(PAYERS, PAYERS.replace("0.5", "50"))], r"'sport_england' must be between 0 and 1, got 50. Did you mean 0.5 \(50%\)\?", "sport_england"),
    "an unknown payer": ("community_leaders", [(PAYERS, PAYERS.replace("sport_england", "sports_england"))], r"unknown setting 'sports_england' in 'payers'. Did you mean 'sport_england'", "sports_england"),
    "an unknown unit": ("community_leaders", [("      participant:", "      participants:")], r"unknown setting 'participants' in 'costs' of a people intervention. Did you mean 'participant'", "participants"),
    "the split of the ratio": ("community_leaders", [("split: {taken_up: 2, adhering: 1, responding: 0.5}", "split: {taken_up: 2, adhering: 1}")],
                               r"'split', the weights that share the residual ratio out over the steps, needs 'responding'", "split"),
    "a split of 0": ("community_leaders", [("responding: 0.5}", "responding: 0}")], r"'responding' must be above 0, got 0", "responding: 0"),
    "measured": ("routes", [("      measured: minutes", "      measured: minute")], r"'measured' must be minutes or a list of domains, got 'minute'. Did you mean 'minutes'", "measured"),
    "also predicts": ("routes", [("      also_predicts:\n        - title", "      also_predicts:\n          title")], r"'also_predicts' must be a list of further findings", "also_predicts"),
    "a share to reach without its change": ("routes", [("          after_weeks: 52\n", "          after_weeks: 52\n          reaching: 150\n")], r"'reaching' \(minutes a week at which people are counted\) and 'as' \(points, ratio or odds_ratio.* go together", "Walking and cycling in the same study"),
    "a change that is none": ("routes", [("          after_weeks: 52\n", "          after_weeks: 52\n          reaching: 150\n          as: pints\n")], r"'as' must be points, ratio or odds_ratio, got 'pints'. Did you mean 'points'\?", "as: pints"),
    "title that is no text": ("routes", [("    title: Walking, wheeling and cycling routes\n    kind", "    title: 5\n    kind")], r"'title' must be text, got 5", "title: 5"),
    "no budget": ("routes", [("budget:\n  pounds_per_resident_a_year:\n" + BUDGET + "\n    unit: pounds per resident a year\n    status: assumed\n    ids: [SY1, AT11]\n    meaning: Money for the scenario. A choice, not a finding; doubling cycling was costed at 17 pounds per person a year\n", "")],
                  r"a scenario with interventions needs 'budget'", ""),
    "a negative budget": ("routes", [(BUDGET, BUDGET.replace("1.00", "-1"))], r"'pounds_per_resident_a_year' must not be below 0, got -1", "value: -1"),
    "a budget that does not split": ("three_together", [("  split: equal", "  split: {school_day: 0.5, routes: 0.3, community_leaders: 0.3}")], r"the shares of the money must add to 1, they add to 1.1", "split"),
    "a split of another": ("three_together", [("  split: equal", "  split: {school_day: 0.5, routes: 0.3, leaders: 0.2}")], r"unknown setting 'leaders' in 'split', which gives each intervention its share", "split"),
    "no split": ("three_together", [("  split: equal\n", "")], r"'split', which gives each intervention its share of the money .* needs 'school_day'", "budget"),
    "twice the same": ("three_together", [("  - use: routes", "  - use: school_day")], r"two interventions are called 'school_day'; give one another name", "use: school_day"),
    "use of nothing": ("three_together", [("  - use: routes", "  - use: rotes")], r"there is no scenario called 'rotes' to use. Did you mean 'routes'\?", "use: rotes"),
    "use of no name": ("three_together", [("  - use: routes", "  - use: [routes]")], r"'use' must name a scenario, or one of its interventions", "use:"),
    "use of an empty scenario": ("three_together", [("  - use: routes", "  - use: baseline")], r"'use: baseline' does not say which intervention is meant. 'baseline' has none", "use: baseline"),
    "use of one that is not there": ("three_together", [("  - use: routes", "  - use: routes/rout")], r"'use: routes/rout' does not say which intervention is meant. Did you mean 'routes'\?", "use: routes/rout"),
    "a list entry that is text": ("three_together", [("  - use: routes", "  - routes")], r"an intervention must be a mapping that begins with 'name:' or 'use:'", "routes"),
    "no interventions": ("three_together", [("interventions:\n  - use: school_day\n  - use: routes\n  - use: community_leaders\n", "interventions: []\n")],
                         r"'interventions' must be a list with at least one intervention", "interventions"),
    "a name that cannot be": ("routes", [("  - name: routes", "  - name: My routes")], r"the name 'My routes' cannot be used; write small letters", "My routes"),
    "no name": ("routes", [("  - name: routes\n    title", "  - title")], r"an intervention needs 'name'; write small letters", ""),
    "a trend of one's own": ("routes", [("budget:", "trend: {level: 0}\nbudget:")], r"'trend' belongs to the baseline, which all scenarios share; take it out here", "trend"),
    "part of a number": ("routes_targeted", [("    where:", "    effect: {low: 3}\n    where:")], r"'effect' must be a number with its evidence, .*got a mapping. An override replaces the whole number, evidence included", "effect"),
    "an override that is no number": ("routes_targeted", [("    where:", "    effect: 20\n    where:")],
                                      r"'effect' must be a number with its evidence, \{value: .*\}, got 20", "effect: 20"),
    "a wrong override": ("routes_targeted", [("    where:", "    end_year: 0\n    where:")], r"'end_year' must be between 1 and 200, got 0", "end_year: 0"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_it_is_refused_with_file_and_line(case, write):
    base, swaps, sentence, in_line = WRONG[case]
    path = write(base, *swaps, name="mine")
    with pytest.raises(InputError) as caught:
        load_scenario(path)
    said = str(caught.value)
    found = re.match(r"(?P<file>\S*mine\.yaml):(?P<line>\d+):(?P<column>\d+): (?P<rest>.*)$", said)
    assert found, said
    assert re.search(sentence, found["rest"]), said
    line = path.read_text(encoding="utf-8").splitlines()[int(found["line"]) - 1]
    assert re.search(in_line, line), f"{said}\npoints at: {line}"
    assert caught.value.exit_code == 2 and "\n" not in said


def test_a_mistake_in_what_is_used_points_at_the_file_used(write, tmp_path):
    write("routes", ("kind: place", "kind: palace"), name="my_routes")
    path = write("three_together", ("use: routes", "use: my_routes"), name="mine")
    with pytest.raises(InputError, match=r"my_routes\.yaml:\d+:\d+: 'kind' must be people, place or school, got 'palace'"):
        load_scenario(path)


def test_a_circle_of_uses(write):
    write("three_together", ("use: routes", "use: two"), name="one")
    path = write("three_together", ("use: routes", "use: one"), name="two")
    with pytest.raises(InputError, match=r"one\.yaml:\d+:\d+: 'two' uses itself; write its settings out instead"):
        load_scenario(path)


def test_which_of_several_is_meant(write):
    path = write("three_together", ("  - use: routes\n", "  - use: three_together\n"), name="mine")
    with pytest.raises(InputError, match=r"does not say which intervention is meant. Write one of three_together/school_day, "):
        load_scenario(path)
    swaps = [("  - use: school_day\n", ""), ("  - use: community_leaders\n", ""), ("use: routes", "use: three_together/routes")]
    assert [i.name for i in load_scenario(write("three_together", *swaps, name="mine")).interventions] == ["routes"]


def test_names_that_share_a_stream(write, monkeypatch):
    monkeypatch.setattr("movesim.draws.stream_of", lambda name: 4096)
    with pytest.raises(InputError, match="'school_day' and 'routes' happen to share one stream of draws; change one a little"):
        load_scenario("three_together")


def test_unknown_scenarios(tmp_path):
    with pytest.raises(InputError, match=r"There is no scenario called 'rutes'. Did you mean 'routes'\? Known: baseline, "):
        load_scenario("rutes")
    with pytest.raises(InputError, match=r"There is no file .*nowhere.yaml"):
        load_scenario(tmp_path / "nowhere.yaml")


def test_a_file_whose_name_cannot_be_a_scenario(write):
    with pytest.raises(InputError, match=r"the file's name must be small letters, digits and underscores.*; rename 'My routes'"):
        load_scenario(write("routes", name="My routes"))


def test_a_baseline_with_interventions(write):
    path = write("baseline", ("summary: >-", "interventions: [{use: routes}]\nsummary: >-"))
    with pytest.raises(
        InputError, match="the baseline is what happens without new interventions; give them a scenario of their own"
    ):
        load_scenario(path)
    path = write(
        "baseline",
        ("summary: >-", "budget: {pounds_per_resident_a_year: {value: 1, status: assumed, distribution: fixed}}\nsummary: >-"),
    )
    with pytest.raises(InputError, match="a budget without interventions buys nothing"):
        load_scenario(path)


def test_movesim_without_its_baseline(monkeypatch, write):
    path = write("routes", name="mine")
    monkeypatch.setattr("movesim.interventions.files.scenario_files", dict)
    with pytest.raises(InputError, match="The scenario 'baseline' is missing; install movesim again"):
        load_scenario(path)


def test_workforce_and_its_costs_go_together(write):
    workforce = re.search(
        r"    workforce:\n.*?(?=    capacity:)", load_scenario("community_leaders").path.read_text(), re.S
    ).group()
    with pytest.raises(InputError, match="'starts_per_fte' needs a 'workforce' whose starts it counts"):
        load_scenario(write("community_leaders", (workforce, ""), name="mine"))
    with pytest.raises(InputError, match="a cost per fte_year needs a 'workforce' that is paid"):
        load_scenario(
            write("community_leaders", (workforce, ""), ("      starts_per_fte:", "      starts_per_1000:"), name="mine")
        )
    with pytest.raises(InputError, match="an intervention with a workforce needs 'capacity: starts_per_fte'"):
        load_scenario(write("community_leaders", ("      starts_per_fte:", "      starts_per_1000:"), name="mine"))


def test_a_zone_and_wear_need_what_they_are_made_of(write):
    text = load_scenario("routes").path.read_text()
    part = lambda key, end: re.search(rf"    {key}:\n.*?(?=    {end}:)", text, re.S).group()  # noqa: E731
    zone = ("    zone: {}\n", part("route", "ratio"), part("capacity", "costs"))
    with pytest.raises(InputError, match=r"a place has either a 'route'.*; this has neither"):
        load_scenario(write("routes", (zone[1], ""), name="mine"))
    with pytest.raises(InputError, match=r"unknown setting 'km_per_100000' in 'capacity'\. It takes residents_per_1000"):
        load_scenario(write("routes", (zone[1], zone[0]), name="mine"))
    with pytest.raises(
        InputError, match=r"unknown setting 'km' in 'costs' of a zone intervention\. It takes resident, resident_year"
    ):
        load_scenario(write("routes", (zone[1], zone[0]), (zone[2], ""), name="mine"))
    with pytest.raises(InputError, match="unknown setting 'km' in 'zone'"):
        load_scenario(write("routes", (zone[1], "    zone: {km: 1}\n"), (zone[2], ""), name="mine"))
    units = (("      km:\n", "      resident:\n"), ("      km_year:\n", "      resident_year:\n"))
    spec = load_scenario(
        write("routes", (zone[1], zone[0] + WEAR.removesuffix("    ratio:")), (zone[2], ""), *units, name="mine")
    )
    assert spec.interventions[0].zone and {"costs.resident", "costs.resident_year", "wear_per_year"} <= set(
        spec.interventions[0].paths
    )
    upkeep = re.search(r"      km_year:\n.*?(?=    evidence:)", text, re.S).group()
    with pytest.raises(
        InputError, match="'wear_per_year' is what is lost in a year whose upkeep is not paid; state the cost per km_year"
    ):
        load_scenario(write("routes", ("    ratio:", WEAR), (upkeep, ""), name="mine"))


def test_the_queries_and_modifiers_are_read(write):
    asked = "who: {status: [Inactive, Fairly active], with_children: true, carer: false}"
    more = "    raises_reach: {value: 1.2, status: assumed, distribution: fixed}\n    capacity:"
    spec = load_scenario(
        write("community_leaders", ("who: {ages: [16, 120]}", asked), ("    capacity:", more), name="mine")
    ).interventions[0]
    assert spec.who.status == (0, 1) and spec.who.with_children is True and spec.who.values == {"carer": (0,)}
    assert spec.paths["raises_reach"] not in spec.study_values(dict.fromkeys(spec.paths.values(), 1.0))
    scenario = load_scenario(write("routes", ("budget:", MODIFIER + "budget:"), name="mine"))
    (modifier,) = scenario.modifiers
    assert modifier.name == "whole" and modifier.paths["reach"] == "scenarios.mine.whole.reach"
    assert modifier.costs[0].payers == {"nhs": 1.0} and set(modifier.paths.values()) <= set(scenario.ledger())
    assert scenario.contents["modifiers"] and "modifiers" not in load_scenario("routes").contents


def test_modifiers_of_nothing(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("title: Mine\nsummary: Nothing.\n" + MODIFIER)
    with pytest.raises(
        InputError, match=r"mine.yaml:3:1: modifiers change what interventions do; add interventions or take them out"
    ):
        load_scenario(path)


def test_costs_must_be_there(write):
    text = load_scenario("school_day").path.read_text()
    costs = re.search(r"    costs:\n.*?(?=    evidence:)", text, re.S).group()
    with pytest.raises(InputError, match="'costs' must name what is paid for: pupil_year"):
        load_scenario(write("school_day", (costs, "    costs: {}\n"), name="mine"))


def test_a_reason_or_the_later_matrix_opens_the_way(write):
    fewer = ("functions: [Modelling, Enablement, Persuasion, Training]", "functions: [Modelling, Persuasion, Training]")
    with pytest.raises(InputError, match="cannot be reached"):
        load_scenario(write("community_leaders", fewer, name="mine"))
    later = write("community_leaders", fewer, ("    ratio:", "    matrix: 2014\n    ratio:"), name="mine")
    assert load_scenario(later).interventions[0].name == "community_leaders"
    reason = write("community_leaders", fewer, ("    ratio:", "    reason: Groups invite.\n    ratio:"), name="mine")
    assert load_scenario(reason).interventions[0].reason == "Groups invite."


def _places(data, steps=()):
    """Every place in nested settings, down to the parts of numbers."""
    if steps:
        yield steps
    if isinstance(data, dict) and "value" not in data:
        for key, value in data.items():
            yield from _places(value, (*steps, key))
    elif isinstance(data, list):
        for number, value in enumerate(data):
            yield from _places(value, (*steps, number))


@pytest.mark.parametrize("odd", [None, 7, "odd", [], {}], ids=repr)
@pytest.mark.parametrize("base", ["community_leaders", "routes_targeted", "three_together"])
def test_nothing_odd_ends_in_anything_but_a_sentence(base, odd, tmp_path):
    """Each setting in turn is replaced by something odd: it is read, or refused in one sentence."""
    data = load_yaml(load_scenario(base).path).data
    refused = 0
    for steps in _places(data):
        changed = copy.deepcopy(data)
        inner = changed
        for step in steps[:-1]:
            inner = inner[step]
        inner[steps[-1]] = odd
        path = tmp_path / "odd.yaml"
        path.write_text(json.dumps(changed), encoding="utf-8")
        try:
            load_scenario(path)
        except InputError as error:
            assert "\n" not in str(error)
            refused += 1
    assert refused > 5
