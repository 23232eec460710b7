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
