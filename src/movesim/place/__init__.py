"""Places: from official tables, or built-in aggregates, to people in households who know each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from movesim.place.library import list_places, load_place
from movesim.place.population import Population

if TYPE_CHECKING:
    from movesim.place.files import tables_found

__all__ = ["Population", "build_place", "list_places", "load_place", "tables_found"]


def build_place(
    files: str | Path,
    name: str,
    place_seed: int = 1,
    title: str | None = None,
    tell: Callable[[str], None] | None = None,
    areas: str | Sequence[str] = (),
    overrides: str | Path | None = None,
) -> Path:
    """Make a place from official tables and keep it under its name; see movesim.place.files.build_place."""
    from movesim.place.files import build_place as build

    return build(files, name, place_seed, title, tell, areas, overrides)


def __getattr__(name: str) -> Any:
    if name == "tables_found":
        from movesim.place.files import tables_found

        return tables_found
    raise AttributeError(f"module 'movesim.place' has no attribute '{name}'")
