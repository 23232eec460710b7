"""What every chart needs in one hand: the tables, the rounded numbers and the ranking."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from movesim.report import say
from movesim.report.finding import numbers_of, option_of
from movesim.report.ranking import Ranking, rank
from movesim.report.tables import ENOUGH_PAIRS, Result, read_result

MOST_DRAWN = 7  # options that a chart can show side by side and still be read


@dataclass(frozen=True)
class Facts:
    """What every chart needs: the tables, the rounded numbers with their sentences, and the ranking future by future.

    `of_all` is how many options there are where these facts hold only those that charts show, else 0.
    """

    result: Result
    numbers: dict[str, Any]
    ranking: Ranking
    of_all: int = 0

    @classmethod
    def read(cls, folder: Path | str) -> Facts:
        """Read a result folder and work out its numbers; raises InputError as `read_result` does."""
        result = read_result(folder)
        ranking = rank(result)
        return cls(result, numbers_of(result, ranking), ranking)

    def drawn(self) -> Facts:
        """Return the facts of the options that charts show: all of them, or of many those that rank first."""
        result = self.result
        if len(result.options) <= MOST_DRAWN:
            return self
        base, first = result.baseline["name"], self.focus["name"]
        ranked = [name for name in self.numbers["order"] if name not in (base, first)]
        kept = {base, first, *ranked[: MOST_DRAWN - 1]}
        few = replace(
            result,
            manifest={**result.manifest, "scenarios": [s for s in result.manifest["scenarios"] if s["name"] in kept]},
            tables={n: t[t["scenario"].isin(kept)] if "scenario" in t.columns else t for n, t in result.tables.items()},
        )
        ranking = rank(few)
        return Facts(few, numbers_of(few, ranking), ranking, len(result.options))

    @property
    def focus(self) -> dict[str, Any]:
        """The option that the charts look at."""
        return option_of(self.numbers)

    @property
    def year(self) -> int:
        """The last year of the run."""
        return int(self.numbers["last_year"])

    @property
    def pairs_in_words(self) -> str:
        """The number of paired runs and what a pair is, for the line under a chart."""
        few = f" Fewer than {ENOUGH_PAIRS} paired runs: range not shown." if self.numbers["few"] else ""
        return (
            f"{say.count(self.numbers['pairs'], 'paired run')} per option: the same residents and the same chance events are "
            f"used in every option.{few}"
        )

    @property
    def source(self) -> str:
        """The first words of every source line."""
        some = f" Drawn: of {self.of_all} options the {MOST_DRAWN} that rank first." if self.of_all else ""
        return f"Source: movesim, {self.numbers['place']}.{some}"
