"""What a sensitivity analysis varies: numbers of the ledger, the fitted ensemble as one, switches, chance, and nothing at all.

Every factor maps the unit interval, on which designs are made, to values: a number by its own distribution, the ensemble to its
rows, a switch to its settings, the seed to a whole number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from movesim.errors import InputError, did_you_mean, one_of
from movesim.evidence import Ledger, Parameter

FITTED, SEED, DUMMY = "fitted", "seed", "dummy"
KINDS = ("number", FITTED, "switch", SEED, DUMMY)
SWITCHES: dict[str, tuple[str, int]] = {"demography": ("Whether people age, die, are born and move", 2)}  # and its settings
GROUPS_IN_WORDS = {
    "trend": "secular trends", "effects": "how well it works", "ratio": "for whom it works", "persistence": "how long it lasts",
    "reach": "whom it reaches", "costs": "what it costs", "checks": "what studies found later", "mechanism": "what it moves",
    "budget": "the budget", "capability": "capability", "opportunity": "opportunity", "motivation": "motivation",
    "gradient": "gradients", "residual": "unexplained differences", FITTED: "the fitted model", SEED: "chance", DUMMY: "nothing",
    "switch": "structure",
}  # fmt: skip
EDGE = 1e-6  # how near to 0 and 1 a probability may come: the tails of most distributions have no end
SEEDS = 2**30  # a unit number is a seed by its first 30 bits, as many as Sobol' points have


@dataclass(frozen=True)
class Factor:
    """One thing that is varied.

    `name` is a dotted path, "fitted", "seed", "dummy" or the name of a switch; `parameter`, of a number, its row of the ledger;
    `levels`, of the ensemble and of switches, how many there are.
    """

    name: str
    kind: str = "number"
    group: str = ""
    meaning: str = ""
    parameter: Parameter | None = None
    levels: int = 0

    def value(self, u: float) -> float:
        """Return the value at a unit number: by distribution, row, setting or seed.

        >>> Factor("fitted", "fitted", levels=30).value(0.5), Factor("seed", "seed").value(0.5)
        (15.0, 536870912.0)
        """
        if self.kind == "number" and self.parameter is not None:
            value = self.parameter.quantile(min(max(float(u), EDGE), 1 - EDGE))
            least, most = self.parameter.least, self.parameter.most
            value = value if least is None else max(value, least)  # an endless tail ends where the number can no longer be
            return value if most is None else min(value, most)
        size = SEEDS if self.kind == SEED else max(self.levels, 1)
        return float(min(int(u * size), size - 1))


def numbers_of(names: Sequence[str], ledger: Ledger) -> list[Parameter]:
    """Return the uncertain numbers that names ask for: dotted paths, the beginnings of paths, or groups; each once.

    Raises InputError for a name that means no number, or one without a distribution.
    """
    found: dict[str, Parameter] = {}
    groups = {p.group for p in ledger.parameters.values() if p.group}
    for name in names:
        if name in ledger:
            if ledger[name].distribution == "fixed":
                raise InputError(f"factors: {name} is fixed and has no range to be varied over; a sweep can give it values.")
            found[name] = ledger[name]
            continue
        mine = [p for p in ledger.parameters.values() if p.path.startswith(f"{name}.") or p.group == name]
        if not mine:
            known = [*ledger, *groups, FITTED, *SWITCHES]
            raise InputError(f"factors: there is no number or group called '{name}'.{did_you_mean(name, known)}")
        found |= {p.path: p for p in mine if p.distribution != "fixed"}
    return list(found.values())


def factors_of(names: Sequence[str], ledger: Ledger, ensemble: int, fixed: Mapping[str, float]) -> tuple[Factor, ...]:
    """Return what is varied, the dummy included and the seed left out.

    Arguments: names as settings give them (none: the fitted ensemble and every uncertain number of the scenario); ledger, all
    numbers there are; ensemble, rows of the fitted ensemble (0: central values are used); fixed, numbers set by hand.
    Raises InputError for unknown names, for numbers that are set by hand, and when fewer than two things vary.
    """
    names = names or (*([FITTED] if ensemble else []), "scenarios")
    special = [name for name in names if name in (FITTED, *SWITCHES)]
    plain = [
        p for p in numbers_of([name for name in names if name not in special], ledger) if p.path not in fixed or p.path in names
    ]
    for parameter in plain:
        if parameter.path in fixed:
            raise InputError(f"{parameter.path} is a factor and set by hand ({fixed[parameter.path]:g}); do one of the two.")
    found = [Factor(p.path, "number", p.group or "other", p.meaning, p) for p in plain]
    for name in special:
        if name == FITTED and not ensemble:
            raise InputError("factors: 'fitted' is the fitted ensemble, which draws=central leaves out; use draws=fitted.")
        if name == FITTED:
            found.append(
                Factor(FITTED, FITTED, FITTED, "Which draw of the fitted ensemble: its numbers hang together", None, ensemble)
            )
        else:
            meaning, levels = SWITCHES[name]
            found.append(Factor(name, "switch", "switch", meaning, None, levels))
    if len(found) < 2:
        raise InputError(f"factors: there must be at least two, got {one_of([f.name for f in found]) if found else 'none'}.")
    return (*sorted(found, key=lambda f: f.name), Factor(DUMMY, DUMMY, DUMMY, "A factor that nothing reads: the floor"))
