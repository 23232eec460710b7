"""What every chart needs in one hand: the tables, the rounded numbers and the ranking."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from movesim.report import say
from movesim.report.finding import numbers_of, option_of
from movesim.report.ranking import Ranking, rank
from movesim.report.tables import ENOUGH_PAIRS, Result, read_result


@dataclass(frozen=True)
class Facts:
    """What every chart needs: the tables, the rounded numbers with their sentences, and the ranking future by future."""

    result: Result
    numbers: dict[str, Any]
    ranking: Ranking

    @classmethod
    def read(cls, folder: Path | str) -> Facts:
        """Read a result folder and work out its numbers; raises InputError as `read_result` does."""
        result = read_result(folder)
        ranking = rank(result)
        return cls(result, numbers_of(result, ranking), ranking)

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
        return f"Source: movesim, {self.numbers['place']}."
