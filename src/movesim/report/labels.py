"""What groups, steps and units are called on a page that a councillor reads."""

from __future__ import annotations

from movesim import words

AXIS_TITLES = {
    "imd_fifth": "Neighbourhood deprivation",
    "impairments": "Disability or long-term condition",
    "ns_sec": "Socio-economic classification",
    "characteristics": "Characteristics of inequality",
    "affluence": "Children: family affluence",
    "age_band": "Age",
    "sex": "Sex",
    "ethnic_group": "Ethnic group",
}
LEVELS: dict[str, dict[str, str]] = {
    "impairments": {"3+": "Three or more", "2": "Two impairments", "1": "One impairment", "0": "None"},
    "ns_sec": {"1-2": "Managerial, professional", "3-5": "Intermediate, small firms", "6-8": "Routine, long unemployed"},
    "characteristics": {"2+": "Two or more", "1": "One", "0": "None"},
    "affluence": {"low": "Low affluence", "medium": "Medium affluence", "high": "High affluence"},
    "age_band": {"75+": "75 and over"},
    "sex": {"female": "Women", "male": "Men"},
    "imd_fifth": {"1": "Most deprived fifth", "2": "Second", "3": "Middle", "4": "Fourth", "5": "Least deprived fifth"},
    "all": {"all": "Everybody"},
}
IN_A_SENTENCE: dict[str, dict[str, str]] = {
    "impairments": {
        "3+": "people with three or more impairments",
        "2": "people with two impairments",
        "1": "people with one impairment",
        "0": "people without an impairment",
    },
    "ns_sec": {
        "1-2": "people in managerial and professional work",
        "3-5": "people in intermediate work",
        "6-8": "people in routine work or long unemployed",
    },
    "characteristics": {
        "2+": "people with two or more characteristics of inequality",
        "1": "people with one characteristic of inequality",
        "0": "people with no characteristic of inequality",
    },
    "affluence": {
        "low": "children of low family affluence",
        "medium": "children of medium family affluence",
        "high": "children of high family affluence",
    },
    "sex": {"female": "women", "male": "men"},
    "imd_fifth": {"1": "people in the most deprived fifth", "5": "people in the least deprived fifth"},
}
STEPS = {
    "offered": "Offered",
    "uptake": "Taken up",
    "taken_up": "Taken up",
    "adherence": "Kept going",
    "adhering": "Kept going",
    "response": "Responded",
    "responding": "Responded",
    "upkeep": "Kept up afterwards",
}
STATUS_WORDS = {
    "read": "Read in a source",
    "computed": "Worked out from sources",
    "recalled": "Recalled, to be verified",
    "assumed": "Assumed, wide range",
}
STATUS_MARKS = {"read": "strong", "computed": "fair", "recalled": "weak", "assumed": "weakest"}


def level(axis: str, name: str) -> str:
    """Return the label of a level of an axis, such as "75 and over"."""
    if axis == "age_band" and "-" in name:
        return name.replace("-", " to ")
    return LEVELS.get(axis, {}).get(name, name.replace("_", " "))


def level_in_a_sentence(axis: str, name: str) -> str:
    """Return a level as it reads inside a sentence, such as "people aged 75 and over"."""
    if axis == "age_band":
        return f"people aged {level(axis, name)}"
    if axis == "ethnic_group":
        return f"people of {name} ethnic groups" if name in ("Mixed", "Other") else f"{name} people"
    return IN_A_SENTENCE.get(axis, {}).get(name, level(axis, name).lower())


def levels_of(axis: str, present: set[str]) -> list[str]:
    """Return the levels of an axis that a table holds, in the order of the vocabulary; unknown ones last, by name."""
    known = [name for name in words.AXIS[axis].levels if name in present] if axis in words.AXIS else []
    return known + sorted(present - set(known))


def pretty(name: str) -> str:
    """Return a code name as words: "local_authority" becomes "Local authority"."""
    text = str(name).replace("_", " ").strip()
    return text[:1].upper() + text[1:]


def step(name: str) -> str:
    """Return the label of a step of the reach ladder."""
    return STEPS.get(name, pretty(name))
