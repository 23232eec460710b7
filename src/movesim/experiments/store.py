"""The result folder: what study it holds, its runs, the tables made of them, and reading them back."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from movesim.config import shown
from movesim.errors import InputError
from movesim.experiments.runs import Runs, write_whole

if TYPE_CHECKING:
    import pandas as pd

TABLES = (
    "outcomes", "gaps", "money", "comparison", "winners", "contributions", "ladder", "rules", "break_even", "assumptions",
)  # fmt: skip
MARK = "study.json"
MANIFEST = "manifest.json"
# what makes two studies different, where it is not the name of a setting
NAMES = {
    "sources": "the version of the model", "libraries": "the versions of its libraries", "population": "the people of the place",
    "scenario_contents": "what the scenarios say", "shock_contents": "what the shocks say",
}  # fmt: skip


@dataclass(frozen=True)
class Result:
    """A result folder. `status` is "done", or "already done" when nothing had to be run."""

    folder: Path
    status: str = "done"

    def to_frame(self, table: str = "comparison") -> pd.DataFrame:
        """Return one of the folder's tables (outcomes, gaps, comparison, money, winners, contributions, ladder, ...)."""
        import pandas as pd

        path = self.folder / f"{table}.parquet"
        if not path.is_file():
            known = [p.stem for p in sorted(self.folder.glob("*.parquet"))]
            raise InputError(f"{shown(self.folder)} has no table '{table}'; it has {', '.join(known) or 'none'}.")
        return pd.read_parquet(path)

    @property
    def manifest(self) -> dict[str, Any]:
        """What made this result: versions, seed, place, scenarios, guards."""
        return json.loads((self.folder / MANIFEST).read_text(encoding="utf-8"))

    def plot(self, name: str = "gap-over-time") -> Any:
        """Return a figure of the report as a matplotlib Figure; `name` is that of its files in figures/ ("gradient", "where")."""
        from importlib import import_module

        return import_module("movesim.report").figure(self.folder, name)

    def save(self, folder: str | Path) -> Path:
        """Copy the result folder to a new place and return it; an existing folder is refused."""
        target = Path(folder)
        if target.exists():
            raise InputError(f"{target} exists already; name a folder that does not.")
        shutil.copytree(self.folder, target)
        return target


def load(folder: str | Path) -> Result:
    """Return the result in a folder; raise InputError when there is none, or it is unfinished."""
    path = Path(folder)
    if not path.is_dir():
        raise InputError(f"There is no folder {folder}.")
    if not (path / MANIFEST).is_file():
        if not (path / MARK).is_file():
            raise InputError(f"{folder} is not a result of movesim.")
        state = "is unfinished; start the same command again and it goes on"
        raise InputError(f"{folder} {state} ({Runs(path).state()}).")
    return Result(path, "already done")


def save_table(frame: pd.DataFrame, path: Path) -> None:
    """Write a table so that a reader sees all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}")
    os.close(handle)
    try:
        frame.to_parquet(temporary, index=False, compression="zstd")
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


class Study:
    """A result folder in the making, with its runs.

    `identity` says what makes this study another study; `fingerprint` is its hash. Raises InputError when the folder holds
    another study.
    """

    def __init__(self, folder: Path, fingerprint: str, identity: Mapping[str, Any]) -> None:
        self.folder, self.fingerprint, self.runs = folder, fingerprint, Runs(folder)
        mark = folder / MARK
        if mark.is_file():
            theirs = json.loads(mark.read_text(encoding="utf-8"))
            if theirs.get("fingerprint") != fingerprint:
                plain = json.loads(json.dumps(dict(identity), default=str))
                differ = [NAMES.get(k, k) for k, v in plain.items() if theirs.get("identity", {}).get(k) != v]
                what = f" (it differs in {', '.join(differ)})" if differ else " (made by another version of the model)"
                raise InputError(f"out={shown(folder)} holds another study{what}; name another folder, or leave out= away.")
        elif folder.is_dir() and any(folder.iterdir()):
            raise InputError(f"out={shown(folder)} is not empty and holds no study of movesim; name a new or empty folder.")
        self._identity = dict(identity)

    def start(self) -> None:
        """Make the folder and mark it as this study's."""
        self.folder.mkdir(parents=True, exist_ok=True)
        mark = self.folder / MARK
        if not mark.is_file():
            about = {"fingerprint": self.fingerprint, "identity": self._identity}
            write_whole(mark, json.dumps(about, indent=1, default=str).encode())

    def read(self, table: str, keys: Sequence[str]) -> pd.DataFrame:
        """Return a table of finished runs as one data frame, in the order of the keys."""
        return self.runs.read(table, keys).to_pandas()

    def finished_with(self) -> int:
        """Return how many pairs the tables of the folder were made of; 0 when they are not made yet."""
        path = self.folder / MANIFEST
        if not path.is_file():
            return 0
        return int(json.loads(path.read_text(encoding="utf-8")).get("replicates", 0))

    def tables_of(self) -> str:
        """Return the mark of the runs that the tables of a sweep's folder were made of; "" when some are missing."""
        path = self.folder / MANIFEST
        return str(json.loads(path.read_text(encoding="utf-8")).get("runs_mark", "")) if path.is_file() else ""
