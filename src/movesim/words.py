"""The vocabulary: every name that a column, table, scenario or report uses, with its label, unit, number and meaning.

Nothing here computes. Other modules ask this one how a thing is called, so that a word means the same everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Word:
    """A name used in code and tables, the label people read, its unit and its meaning."""

    name: str
    label: str
    unit: str = ""
    meaning: str = ""


@dataclass(frozen=True)
class Column:
    """A column of the population: name, NumPy type, unit and meaning."""

    name: str
    dtype: str
    unit: str
    meaning: str


@dataclass(frozen=True)
class Axis:
    """A way of dividing people into groups, its levels from most to least disadvantaged where they are ordered."""

    name: str
    label: str
    levels: tuple[str, ...]
    ordered: bool
    age_groups: tuple[str, ...] = ("adult", "child")


# --- activity -------------------------------------------------------------------------------------------------------
DOMAINS = (
    Word("leisure_walk", "Walking for leisure", "minutes a week"),
    Word("travel_walk", "Walking and wheeling for travel", "minutes a week"),
    Word("cycle", "Cycling", "minutes a week"),
    Word("sport", "Sport, gym, fitness and dance", "minutes a week"),
    Word("play", "Active play (children)", "minutes a week"),
    Word("school", "PE, breaks and active lessons (children, school terms)", "minutes a week"),
)
DOMAIN = {word.name: number for number, word in enumerate(DOMAINS)}
ADULT_DOMAINS = 4

COMPONENTS = (
    Word("capability_physical", "Physical capability", "0.01 to 1", "strength, stamina and skill"),
    Word("capability_psychological", "Psychological capability", "0.01 to 1", "knowledge and confidence"),
    Word("opportunity_physical", "Physical opportunity", "0.01 to 1", "supply of the place times access of the person"),
    Word("opportunity_social", "Social opportunity", "0.01 to 1", "people around one who are active, invite and lead"),
    Word("motivation_reflective", "Reflective motivation", "0.01 to 1", "plans and beliefs"),
    Word("motivation_automatic", "Automatic motivation", "0 to 1", "habit in a domain; prompts act on it"),
)
COMPONENT = {word.name: number for number, word in enumerate(COMPONENTS)}

FUNCTIONS = (
    "Education", "Persuasion", "Incentivisation", "Coercion", "Training", "Restriction",
    "Environmental restructuring", "Modelling", "Enablement",
)  # fmt: skip
POLICIES = (
    "Communication/marketing", "Guidelines", "Fiscal", "Regulation", "Legislation",
    "Environmental/social planning", "Service provision",
)  # fmt: skip
# Michie, van Stralen and West 2011, table 2: which components an intervention function can reach.
MATRIX_2011: dict[str, tuple[str, ...]] = {
    "capability_physical": ("Training", "Enablement"),
    "capability_psychological": ("Education", "Training", "Enablement"),
    "opportunity_physical": ("Restriction", "Environmental restructuring", "Enablement"),
    "opportunity_social": ("Restriction", "Environmental restructuring", "Enablement"),
    "motivation_reflective": ("Education", "Persuasion", "Incentivisation", "Coercion"),
    "motivation_automatic": (
        "Persuasion", "Incentivisation", "Coercion", "Environmental restructuring", "Modelling", "Enablement",
    ),
}  # fmt: skip
# The 2014 guide adds three links.
MATRIX_2014: dict[str, tuple[str, ...]] = {
    **MATRIX_2011,
    "opportunity_physical": (*MATRIX_2011["opportunity_physical"], "Training"),
    "opportunity_social": (*MATRIX_2011["opportunity_social"], "Modelling"),
    "motivation_automatic": (*MATRIX_2011["motivation_automatic"], "Training"),
}

# --- people ---------------------------------------------------------------------------------------------------------
SEXES = ("male", "female")
ETHNIC_GROUPS = ("Asian", "Black", "Mixed", "White", "Other")
NS_SEC = ("1-2", "3-5", "6-8", "student", "not scored")
IMPAIRMENTS = ("0", "1", "2", "3+")
AFFLUENCE = ("low", "medium", "high")
AGE_BANDS = ("0-4", "5-10", "11-15", "16-34", "35-54", "55-74", "75+")
AGE_BAND_STARTS = (0, 5, 11, 16, 35, 55, 75)
TIE_KINDS = ("household", "kin or neighbour", "class", "workplace")
TIES = 10  # places for ties per person; unused places point one past the last person
STATUSES = ("inactive", "fairly_active", "active")
ADULT_LIMITS = (30.0, 150.0)  # moderate-equivalent minutes a week
CHILD_LIMITS = (210.0, 420.0)  # 30 and 60 minutes a day
ADULT_FROM, CHILD_FROM = 16, 5

PEOPLE = (
    Column("id", "uint64", "", "identity for life; every draw is keyed by it"),
    Column("weight", "float64", "residents", "residents this person stands for"),
    Column("age", "int16", "years", "completed years"),
    Column("sex", "int8", "index into SEXES", "0 male, 1 female"),
    Column("ethnic_group", "int8", "index into ETHNIC_GROUPS", "census five groups"),
    Column("impairments", "int8", "0 to 3", "count of impairments, 3 means three or more (Active Lives definition)"),
    Column("ns_sec", "int8", "index into NS_SEC", "socio-economic classification; scored at 16 to 74"),
    Column("in_work", "int8", "0 or 1", "in work"),
    Column("carer", "int8", "0 or 1", "gives unpaid care"),
    Column("young_children", "int8", "0 or 1", "an adult with a child under five at home"),
    Column("pregnant_or_baby", "int8", "0 or 1", "pregnant or parent of a child under one"),
    Column("muslim", "int8", "0 or 1", "Muslim faith, drawn from published associations"),
    Column("cars_per_adult", "float32", "cars", "cars or vans of the household per adult in it"),
    Column("income_rank", "float32", "0 to 1", "rank of household income in the nation, 0 poorest"),
    Column("affluence", "int8", "index into AFFLUENCE, -1 adults", "family affluence of children, national thirds"),
    Column("household", "int32", "index", "household"),
    Column("neighbourhood", "int32", "index", "neighbourhood (LSOA) among those of this population"),
    Column("school", "int32", "index, 0 none", "school attended"),
)
NEIGHBOURHOODS = (
    Column("code", "U12", "", "LSOA code, or a made-up one in built-in places"),
    Column("name", "U60", "", "name"),
    Column("local_authority", "int16", "index into local_authorities", "local authority"),
    Column("imd_decile", "int8", "1 to 10", "national IMD 2025 decile, 1 most deprived"),
    Column("residents", "float64", "residents", "residents of the whole neighbourhood"),
    Column("anti_social_behaviour", "float32", "incidents per 1,000 people", "drives fear"),
    Column("connectivity", "float32", "score", "IoD 2025 connectivity score; drives travel on foot"),
    Column("outdoor_space", "float32", "m2 per property", "private outdoor space; drives play and walking for leisure"),
    Column("facilities", "float32", "share agreeing", "adequate facilities nearby; drives sport"),
)
# What tables or a user may say of a neighbourhood besides; a population has the columns only where somebody did.
LOCAL = (
    *[Column(f"supply_{d}", "float32", "times", "supply over what its indicators give, 1 as they say")
      for d in ("leisure_walk", "travel_walk", "cycle", "sport", "play")],
    Column("park_distance", "float32", "metres", "mean distance to the nearest park, public garden or playing field (nan: not "
           "known); drives play and walking for leisure"),
    Column("offer", "float32", "times", "active minutes that schools standing there offer over the national norm, 1 as the norm"),
    Column("workforce", "float32", "FTE per 1,000 residents", "community workforce before any programme"),
    Column("price", "float32", "times", "how much price bars those on low incomes from sport, 1 as in the nation, 0 not at all"),
)  # fmt: skip
SCHOOLS = (
    Column("code", "U16", "", "school code"),
    Column("phase", "int8", "0 none, 1 primary, 2 secondary", "phase"),
    Column("neighbourhood", "int32", "index", "neighbourhood it stands in"),
)

# --- outcomes -------------------------------------------------------------------------------------------------------
AGE_GROUPS = ("adult", "child")
AXES = (
    Axis("all", "Everybody", ("all",), False),
    Axis("imd_decile", "Neighbourhood deprivation, tenths", tuple(str(d) for d in range(1, 11)), True),
    Axis("imd_fifth", "Neighbourhood deprivation, fifths", tuple(str(d) for d in range(1, 6)), True),
    Axis("impairments", "Disability or long-term condition", tuple(reversed(IMPAIRMENTS)), True),
    Axis("ethnic_group", "Ethnic group", ETHNIC_GROUPS, False),
    Axis("sex", "Sex", SEXES, False),
    Axis("age_band", "Age", tuple(reversed(AGE_BANDS[1:])), True),
    Axis("ns_sec", "Socio-economic classification", tuple(reversed(NS_SEC[:3])), True, ("adult",)),
    Axis("affluence", "Family affluence", AFFLUENCE, True, ("child",)),
    Axis("characteristics", "Characteristics of inequality", ("2+", "1", "0"), True),
    Axis("local_authority", "Local authority", (), False),
)
AXIS = {axis.name: axis for axis in AXES}
OUTCOMES = (
    Word("inactive", "Inactive", "share", "adults under 30 minutes a week; children under 30 minutes a day ('less active')"),
    Word("fairly_active", "Fairly active", "share", "adults 30 to 149 minutes a week; children 30 to 59 a day"),
    Word("active", "Active", "share", "adults 150 minutes a week or more; children 60 a day or more"),
    Word("minutes", "Minutes", "moderate-equivalent minutes a week", "mean of the last four weeks"),
)
MEASURES = (
    Word("absolute", "Gap", "points or minutes", "most minus least disadvantaged level; > 0 is worse for the disadvantaged"),
    Word("relative", "Ratio", "", "ratio of the two ends; > 1 is worse for the disadvantaged"),
    Word("odds_ratio", "Odds ratio", "", "ratio of odds of the two ends; > 1 is worse for the disadvantaged"),
    Word(
        "sii", "Slope index of inequality (SII)", "points or minutes", "modelled difference between the two ends of the ranking"
    ),
    Word("rii", "Relative index of inequality (RII)", "", "modelled ratio between the two ends of the ranking"),
    Word("erreygers", "Erreygers index", "", "corrected concentration index of a bounded outcome"),
    Word("mean_deviation", "Mean deviation", "points or minutes", "weighted mean absolute difference from the average"),
    Word("theil", "Theil index", "", "between-group Theil index"),
)
# The headline gap once more, freed of who dies, is born and moves; only for adults' inactivity over tenths of deprivation.
ADJUSTED = (
    Word("sii_closed_cohort", "Slope index, the same people", "points", "among those who were there at week 0 and still are"),
    Word("sii_age_standardised", "Slope index, the same ages", "points", "at the ages that adults of the place had at week 0"),
)
HEADLINE = ("adult", "imd_decile", "inactive", "sii")

# --- chance ---------------------------------------------------------------------------------------------------------
# Stream numbers are frozen: a new mechanism takes a new number, an old one is never used again.
STREAMS = {
    "decide": 1, "minutes": 2, "sessions": 3, "child": 4,
    "taste": 10, "volume": 11, "noise": 12, "taste_domain": 13,
    "death": 20, "impairment": 21, "work": 22, "birth": 23, "move": 24, "newborn": 25,
    "parameter": 30, "trial": 31,
    "place_person": 40, "place_household": 41, "place_tie": 42, "place_pod": 43, "place_school": 44, "place_attribute": 45,
    "place_person_2": 46, "place_household_2": 47, "place_tie_2": 48, "place_other": 49,
    "pilot": 50, "survey": 51,
}  # fmt: skip
INTERVENTION_STREAMS = (4096, 65536)  # an intervention's stream is a hash of its name into this range

# --- evidence -------------------------------------------------------------------------------------------------------
STATUSES_OF_NUMBERS = {
    "read": "seen in the source, or in an excerpt of it",
    "recalled": "general knowledge, to be verified; never a target",
    "computed": "worked out here from numbers that are themselves in the ledger, or fitted to published targets",
    "assumed": "a judgement, with a wide range that is drawn in every analysis",
}
DISTRIBUTIONS = ("fixed", "uniform", "normal", "two_piece_normal", "lognormal", "beta", "triangular")

WEEKS_A_YEAR, RECORD_EVERY, BURN_IN_WEEKS = 52, 4, 260
REFERENCE_WEEKS = (-156, -105)
# Weeks of a year, counted from the first week of January, in which English schools are closed (13 of 52).
SCHOOL_HOLIDAYS = (0, 6, 13, 14, 21, 29, 30, 31, 32, 33, 34, 42, 51)

# --- results ----------------------------------------------------------------------------------------------------------
_RUN = (
    Column("scenario", "str", "", "name of the scenario; 'baseline' is no change"),
    Column("draw", "int64", "", "parameter draw"),
    Column("replicate", "int64", "", "seed of chance; scenarios share draw and replicate"),
)
_WHEN = (
    Column("week", "int64", "weeks", "completed weeks of the policy period; 0 is its start"),
    Column("window", "int64", "weeks", "4 or 52: the weeks, ending at `week`, that are averaged"),
)
_WHO = (
    Column("age_group", "str", "", "adult (16 and over) or child (5 to 15)"),
    Column("axis", "str", "", "the way people are divided, see the axes"),
)
RESULT_TABLES: dict[str, tuple[str, tuple[Column, ...]]] = {
    "outcomes": (
        "Levels: what share of each group is inactive, fairly active and active, and for how many minutes.",
        (
            *_RUN, *_WHEN, *_WHO,
            Column("level", "str", "", "the group of the axis"),
            Column("agents", "float64", "agents", "agents in the group"),
            Column("residents", "float64", "residents", "residents they stand for"),
            *(Column(status, "float64", "share, 0 to 1", f"share {status.replace('_', ' ')}") for status in STATUSES),
            Column("minutes", "float64", "minutes a week", "mean moderate-equivalent minutes"),
            *(Column(f"minutes_{word.name}", "float64", "minutes a week", f"of which {word.label.lower()}") for word in DOMAINS),
        ),
    ),
    "gaps": (
        "Inequality: every measure of the difference between the groups of an axis.",
        (
            *_RUN, *_WHEN, *_WHO,
            Column("outcome", "str", "", "inactive, fairly_active, active or minutes"),
            Column("measure", "str", "", "see the measures"),
            Column("value", "float64", "as the outcome", "shares stay shares: a gap of 0.15 is 15 points"),
        ),
    ),
    "money": (
        "Spending: who paid how much for what, and what it delivered.",
        (
            *_RUN,
            Column("year", "int64", "years", "year of the policy period, from 1"),
            Column("intervention", "str", "", "name of the intervention"),
            Column("payer", "str", "", "who pays"),
            Column("spent", "float64", "pounds", "spent in the year"),
            Column("delivered", "float64", "see unit", "delivered in the year"),
            Column("undelivered", "float64", "see unit", "asked for, but beyond budget or capacity"),
            Column("unit", "str", "", "what delivered and undelivered count"),
        ),
    ),
    "comparison": (
        "Each scenario less no change, over pairs of runs that share their draws.",
        (
            Column("scenario", "str", "", "name of the scenario"), *_WHO,
            Column("outcome", "str", "", "inactive, fairly_active, active or minutes"),
            Column("measure", "str", "", "see the measures; 'level' for the share or mean of a group"),
            Column("level", "str", "", "the group, in rows whose measure is 'level'"), *_WHEN,
            Column("baseline", "float64", "as the outcome", "no change: median over pairs"),
            Column("difference", "float64", "as the outcome", "median of the paired differences"),
            Column("mean_difference", "float64", "as the outcome", "mean of the paired differences"),
            Column("low", "float64", "as the outcome", "5th percentile of the paired differences"),
            Column("high", "float64", "as the outcome", "95th percentile of the paired differences"),
            Column("low50", "float64", "as the outcome", "25th percentile of the paired differences"),
            Column("high50", "float64", "as the outcome", "75th percentile of the paired differences"),
            Column("mc_error", "float64", "as the outcome", "standard deviation of the differences over the root of pairs"),
            Column("probability", "float64", "share, 0 to 1", "of pairs in which the gap falls (for a level: improves)"),
            Column("pairs", "int64", "pairs", "pairs of runs"),
        ),
    ),
    "winners": (
        "The same residents in both runs of a pair: who is better off and who is worse off at the end.",
        (
            *_RUN,
            Column("week", "int64", "weeks", "the last week"), *_WHO,
            Column("level", "str", "", "the group of the axis"),
            Column("residents", "float64", "residents", "in the group"),
            Column("newly_active", "float64", "residents", "active here, not with no change"),
            Column("no_longer_active", "float64", "residents", "active with no change, not here"),
            Column("newly_not_inactive", "float64", "residents", "inactive with no change, not here"),
            Column("newly_inactive", "float64", "residents", "inactive here, not with no change"),
        ),
    ),
    "contributions": (
        "What each local authority adds to the change.",
        (
            *_RUN,
            Column("week", "int64", "weeks", "the last week"),
            Column("local_authority", "str", "", "local authority"),
            Column("residents", "float64", "residents", "adults in it"),
            Column("fewer_inactive", "float64", "residents", "fewer inactive adults than with no change"),
            Column("gap_contribution", "float64", "share", "its part of the change of the headline gap; negative narrows"),
        ),
    ),
    "ladder": (
        "From everybody to those who do more: who is reached at each step, by fifth of deprivation.",
        (
            Column("scenario", "str", "", "name of the scenario"),
            Column("draw", "int64", "", "parameter draw"),
            Column("intervention", "str", "", "name of the intervention"),
            Column("step", "str", "", "step of the ladder"),
            Column("fifth", "int64", "1 to 5", "fifth of neighbourhood deprivation, 1 most deprived"),
            Column("reached", "float64", "residents", "reached over the run"),
            Column("endogenous_ratio", "float64", "", "socioeconomic ratio that the model makes by itself"),
            Column("residual_ratio", "float64", "", "the rest of the ratio, put in"),
            Column("total_ratio", "float64", "", "both together"),
        ),
    ),
    "rules": (
        "What adaptive rules found in their surveys, what was true, and what was done.",
        (
            *_RUN,
            Column("rule", "str", "", "name of the rule"),
            Column("intervention", "str", "", "the intervention that was piloted"),
            Column("week", "int64", "weeks", "the week of the decision"),
            Column("year", "int64", "years", "the policy year that begins with it"),
            Column("outcome", "str", "", "inactive (points) or minutes (a week)"),
            Column("respondents", "int64", "people", "who answered, over the design effect"),
            Column("estimate", "float64", "as the outcome", "the survey's: how much better residents of the pilot are for it"),
            Column("standard_error", "float64", "as the outcome", "the survey's own"),
            Column("truth", "float64", "as the outcome", "of the same residents, against the paired run without change"),
            Column("worth_having", "float64", "as the outcome", "the true effect from which scaling up is right"),
            Column("action", "str", "", "scale_up, keep, stop or move_money"),
            Column("moved_to", "str", "", "the intervention that gets the money"),
            Column("pounds_moved", "float64", "pounds a year", "the money that moved"),
            Column("pilot_residents", "float64", "residents", "who lives where the pilot ran"),
        ),
    ),
    "break_even": (
        "How long each scenario's gain must be kept up after delivery to be worth what it cost on top of no change.",
        (
            *_RUN,
            Column("active_adult", "float64", "pounds a year", "worth of a year of one more active adult"),
            Column("active_child", "float64", "pounds a year", "worth of a year of one more active child"),
            Column("discount", "float64", "a year", "how much less a year later counts"),
            Column("delivery_years", "float64", "years", "until the last year with money spent"),
            Column("seen_years", "float64", "years", "of the run after that"),
            Column("cost", "float64", "pounds", "spent, discounted to the start"),
            Column("worth_during", "float64", "pounds", "of what was gained until delivery ended, discounted"),
            Column("worth_seen", "float64", "pounds", "of what was gained until the run ended, discounted"),
            Column("worth_a_year_after", "float64", "pounds a year", "of the last year's gain, when delivery ends, discounted"),
            Column("years_to_keep", "float64", "years", "the last year's gain must be kept up; 0: it need not; infinite: never enough"),
            Column("half_life_needed", "float64", "years", "or may halve every so often; 0: at once; infinite: never enough"),
            Column("half_life_shown", "float64", "years", "in which it halved in the run; infinite: it did not; empty: not seen"),
            Column("paid_back", "float64", "years", "of the run's own path until gains are worth costs; empty: not in the run"),
            Column("pounds_per_active_year", "float64", "pounds a year", "worth at which the run's own path breaks even"),
        ),
    ),
    "assumptions": (
        "Every number the runs used, with its evidence.",
        (
            Column("path", "str", "", "dotted path of the number"),
            Column("meaning", "str", "", "what it is"),
            Column("value", "float64", "see unit", "central value"),
            Column("low", "float64", "see unit", "5th percentile, or lower end"),
            Column("high", "float64", "see unit", "95th percentile, or upper end"),
            Column("distribution", "str", "", "what it is drawn from"),
            Column("unit", "str", "", "unit"),
            Column("status", "str", "", "read, recalled, computed or assumed"),
            Column("grade", "str", "", "strength of the evidence"),
            Column("source", "str", "", "where it comes from"),
            Column("ids", "str", "", "rows of the evidence tables"),
            Column("group", "str", "", "the set it belongs to: capability, opportunity, motivation, persistence, reach, costs"),
            Column("used_by", "str", "", "model, place, or the intervention that uses it"),
        ),
    ),
}  # fmt: skip
_CELL = (
    Column("scenario", "str", "", "name of the scenario"), *_WHO,
    Column("outcome", "str", "", "inactive, fairly_active, active or minutes"),
    Column("measure", "str", "", "a difference (absolute, sii, erreygers, mean_deviation), or 'level' for a group"),
    Column("level", "str", "", "the group, in rows whose measure is 'level'"), *_WHEN,
)  # fmt: skip
_OVER_PAIRS = (
    Column("low", "float64", "as the outcome", "5th percentile over pairs"),
    Column("high", "float64", "as the outcome", "95th percentile over pairs"),
    Column("mc_error", "float64", "as the outcome", "standard deviation over the root of pairs"),
    Column("probability", "float64", "share, 0 to 1", "of pairs in which it is an improvement"),
    Column("pairs", "int64", "pairs", "pairs of runs"),
)
QUESTION_TABLES: dict[str, tuple[str, tuple[Column, ...]]] = {
    "interactions": (
        "With parts=true: each portfolio beside the sum of its interventions alone.",
        (
            *_CELL,
            Column("sum_of_parts", "float64", "as the outcome", "changes under each intervention alone, added up; mean over pairs"),
            Column("together", "float64", "as the outcome", "change under the portfolio; mean over pairs"),
            Column("difference", "float64", "as the outcome", "together less the sum of the parts; mean over pairs"), *_OVER_PAIRS,
            Column("words", "str", "", "the same in words"),
        ),
    ),
    "ladder_shares": (
        "With ladder=true: each step's Shapley share of the change; shares and 'effect' add up to the mean change.",
        (
            *_CELL,
            Column("step", "str", "", "step of the ladder, or 'effect': what is left when all steps treat everybody alike"),
            Column("share", "float64", "as the outcome", "its share of the change; mean over pairs"), *_OVER_PAIRS,
        ),
    ),
    "ladder_steps": (
        "With ladder=true: how unequally each step is climbed, most over least deprived fifth, among those who come to it.",
        (
            *_RUN,
            Column("intervention", "str", "", "name of the intervention"),
            Column("step", "str", "", "step of the ladder"),
            Column("step_endogenous", "float64", "", "ratio that comes from readiness"),
            Column("step_residual", "float64", "", "what the residual gradient makes of it"),
        ),
    ),
}  # fmt: skip

