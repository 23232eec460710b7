"""The population: people, ties, neighbourhoods and schools of a place as plain columns, saved and loaded by memory map."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from movesim.errors import InputError
from movesim.place.store import UNREADABLE, written
from movesim.words import LOCAL, NEIGHBOURHOODS, PEOPLE, SCHOOLS, TIES

FORMAT = 1
_TABLES = {"people": PEOPLE, "neighbourhoods": NEIGHBOURHOODS, "schools": SCHOOLS}


@dataclass(frozen=True)
class Population:
    """People of a place (or a sample of them) who know each other; n people, g neighbourhoods.

    people: the columns of words.PEOPLE, each (n,); ties: int32 (n, TIES) rows of other people, unused places hold n;
    tie_kind: int8 (n, TIES) index into words.TIE_KINDS, unused -1; neighbourhoods: words.NEIGHBOURHOODS, each (g,);
    schools: words.SCHOOLS, row 0 is "no school"; local_authorities: all of the place; pods: int32 (n,), a pod's place in the
    sampling order; residents: the sum of the weights; notes: what stands in for what; fingerprint: a hash of what it was
    made from.
    """

    name: str
    title: str
    people: dict[str, NDArray[Any]]
    ties: NDArray[np.int32]
    tie_kind: NDArray[np.int8]
    neighbourhoods: dict[str, NDArray[Any]]
    schools: dict[str, NDArray[Any]]
    local_authorities: tuple[str, ...]
    pods: NDArray[np.int32]
    residents: float
    notes: tuple[str, ...]
    fingerprint: str

    def __len__(self) -> int:
        return len(self.people["id"])

    def __repr__(self) -> str:
        return (
            f"Population({self.name!r}: {len(self):,} people for {self.residents:,.0f} residents in "
            f"{len(self.neighbourhoods['code']):,} neighbourhoods)"
        )

    def save(self, folder: str | Path) -> Path:
        """Write one .npy file per column and a JSON file into a folder, all at once or not at all.

        Arguments: folder, made if need be; what stood there is replaced. Returns the folder.
        """
        return written(Path(folder), self._write)

    def _write(self, half: Path) -> None:
        for table, columns in _TABLES.items():
            for column in columns:
                np.save(half / f"{table}.{column.name}.npy", np.ascontiguousarray(getattr(self, table)[column.name]))
        for column in LOCAL:
            if column.name in self.neighbourhoods:
                np.save(half / f"neighbourhoods.{column.name}.npy", np.ascontiguousarray(self.neighbourhoods[column.name]))
        for name in ("ties", "tie_kind", "pods"):
            np.save(half / f"{name}.npy", np.ascontiguousarray(getattr(self, name)))
        words = {k: getattr(self, k) for k in ("name", "title", "local_authorities", "residents", "notes", "fingerprint")}
        counts = {
            "people": len(self),
            "neighbourhoods": len(self.neighbourhoods["code"]),
            "schools": len(self.schools["code"]),
        }
        about = {"format": FORMAT, **words, "counts": counts}
        (half / "population.json").write_text(json.dumps(about, indent=1, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, folder: str | Path, mmap: bool = True) -> Population:
        """Read a saved population; with mmap the columns stay on disk and are shared between processes.

        Raises InputError when the folder holds no population, or one that is damaged or cut short.
        """
        folder = Path(folder)
        try:
            about = json.loads((folder / "population.json").read_text(encoding="utf-8"))
            if about["format"] != FORMAT:
                raise ValueError(f"format {about['format']}")
            mode: Any = "r" if mmap else None
            tables = {
                table: {c.name: _column(folder / f"{table}.{c.name}.npy", mode, about["counts"][table]) for c in columns}
                for table, columns in _TABLES.items()
            }
            for c in LOCAL:
                path = folder / f"neighbourhoods.{c.name}.npy"
                if path.is_file():
                    tables["neighbourhoods"][c.name] = _column(path, mode, about["counts"]["neighbourhoods"])
            n = about["counts"]["people"]
            ties, kind = _column(folder / "ties.npy", mode, n), _column(folder / "tie_kind.npy", mode, n)
            if ties.shape != (n, TIES) or kind.shape != (n, TIES):
                raise ValueError("ties")
            return cls(
                name=about["name"],
                title=about["title"],
                ties=ties,
                tie_kind=kind,
                local_authorities=tuple(about["local_authorities"]),
                pods=_column(folder / "pods.npy", mode, n),
                residents=float(about["residents"]),
                notes=tuple(about["notes"]),
                fingerprint=about["fingerprint"],
                **tables,
            )
        except FileNotFoundError as error:
            raise InputError(f"{folder} holds no complete population ({Path(str(error.filename)).name} is missing).") from None
        except UNREADABLE as error:
            raise InputError(
                f"{folder} holds a damaged population ({error}); delete the folder and load the place again."
            ) from None


def _column(path: Path, mode: Any, length: int) -> NDArray[Any]:
    values: NDArray[Any] = np.load(path, mmap_mode=mode)
    if len(values) != length:
        raise ValueError(f"{path.name} has {len(values)} rows instead of {length}")
    return values
