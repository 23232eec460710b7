"""Places: from official tables, or built-in aggregates, to people in households who know each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from movesim.place.library import list_places, load_place
from movesim.place.population import Population

if TYPE_CHECKING:
    from movesim.place.files import build_place, tables_found

__all__ = ["Population", "build_place", "list_places", "load_place", "tables_found"]


def __getattr__(name: str) -> Any:
    if name in ("build_place", "tables_found"):  # their readers are not needed to load a place
        from movesim.place import files

        return getattr(files, name)
    raise AttributeError(f"module 'movesim.place' has no attribute '{name}'")
