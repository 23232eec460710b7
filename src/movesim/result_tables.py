"""The tables of a study: every table and column that a result folder holds, with its unit and meaning. Nothing here computes."""

from __future__ import annotations

from movesim.words import DOMAINS, STATUSES, Column

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
            Column("years_to_keep", "float64", "years", "the last year's gain must be kept; 0: need not; infinite: never enough"),
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
            Column("sum_of_parts", "float64", "as the outcome", "changes under each intervention alone, summed; mean over pairs"),
            Column("together", "float64", "as the outcome", "change under the portfolio; mean over pairs"),
            Column("difference", "float64", "as the outcome", "together less the sum of the parts; mean over pairs"),
            *_OVER_PAIRS,
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
