"""Who may import whom: floors (only from those below), walls (who may touch which library), no cycles, a light import."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SRC = Path(__file__).resolve().parents[1] / "src" / "movesim"

# A module imports only from its own floor and from those before it.
FLOORS = (
    ("words", "errors"),
    ("result_tables",),
    ("documents", "checks", "settings", "config"),
    ("draws",),
    ("evidence",),
    ("place",),
    ("behaviour",),
    ("outcomes",),
    ("interventions",),
    ("person",),
    ("model",),
    ("experiments",),
    ("report",),
    ("helptext", "completion", "cli", "__main__"),
)
FLOOR = {name: number for number, floor in enumerate(FLOORS) for name in floor}
OUTSIDE = ("behaviour.reference",)  # the slow oracle stands outside the floors
# A library may be imported only by these modules (and what is below them).
WALLS = {
    "mesa": ("model", "person", "behaviour.reference"),
    "hydra": ("cli", "config"),
    "omegaconf": ("cli", "config"),
    "SALib": ("experiments.sensitivity",),
    "numba": ("draws", "behaviour", "place", "outcomes.record"),
    "matplotlib": ("report",),
    "sklearn": ("experiments",),
    "prim": ("experiments.sensitivity",),
    "solara": (),
}
HEAVY = (
    "hydra", "omegaconf", "SALib", "matplotlib", "pandas", "numba", "scipy", "mesa", "pyarrow", "yaml", "numpy", "solara",
    "sklearn", "prim",
)  # fmt: skip


def modules() -> dict[str, Path]:
    """Every module by its name below movesim: 'place.population', 'place' for its __init__, '' for the package's own."""
    found = {}
    for path in sorted(SRC.rglob("*.py")):
        parts = path.relative_to(SRC).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def _typing_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)


def imports(tree: ast.AST, lazy: bool = True) -> Iterator[tuple[str, int]]:
    """Every imported dotted name with its line; those for type checkers only are left out, lazy ones as asked."""
    for node in ast.iter_child_nodes(tree):
        if _typing_only(node):
            for branch in node.orelse:
                yield from imports(branch, lazy)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((f"{'.' * node.level}{node.module or ''}.{alias.name}", node.lineno) for alias in node.names)
        elif lazy or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from imports(node, lazy)


def within(module: str, allowed: tuple[str, ...]) -> bool:
    return any(module == each or module.startswith(each + ".") for each in allowed)


MODULES = modules()
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in MODULES.items()}


def inside(name: str) -> str | None:
    """The module of movesim that an imported name means, or None for another library and for the version."""
    if name != "movesim" and not name.startswith("movesim."):
        return None
    parts = name.split(".")[1:]
    if parts == ["__version__"]:
        return None
    while parts and ".".join(parts) not in MODULES and not (len(parts) == 1 and parts[0] in FLOOR):
        parts = parts[:-1]
    return ".".join(parts)


@pytest.mark.parametrize("module", [name for name in MODULES if name])
def test_a_module_has_a_floor(module: str) -> None:
    assert module.split(".")[0] in FLOOR, f"{module} stands on no floor; add it to FLOORS in the right place"


@pytest.mark.parametrize("module", [name for name in MODULES if name and not within(name, OUTSIDE)])
def test_a_module_imports_only_from_floors_below(module: str) -> None:
    own = FLOOR[module.split(".")[0]]
    for name, line in imports(TREES[module]):
        assert not name.startswith("."), f"{MODULES[module]}:{line}: write imports of movesim in full, not with dots"
        target = inside(name)
        if target is None or target.split(".")[0] == module.split(".")[0]:
            continue
        if target == "":
            assert own == len(FLOORS) - 1, f"{MODULES[module]}:{line}: imports the whole package ({name})"
            continue
        assert FLOOR[target.split(".")[0]] <= own, f"{MODULES[module]}:{line}: {module} imports {target}, which is above it"


@pytest.mark.parametrize("module", [name for name in MODULES if name])
def test_a_library_stays_behind_its_wall(module: str) -> None:
    for name, line in imports(TREES[module]):
        library = name.split(".")[0]
        allowed = WALLS.get(library)
        assert allowed is None or within(module, allowed), f"{MODULES[module]}:{line}: {module} imports {library}"


def test_no_import_goes_round_in_a_circle() -> None:
    """Imports made while a module loads (not the lazy ones in functions) form no cycle."""
    edges = {
        module: {target for name, _ in imports(tree, lazy=False) if (target := inside(name)) and target != module}
        for module, tree in TREES.items()
    }
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, " -> ".join((*path, module))
        if module not in done:
            for target in edges.get(module, ()):
                visit(target, (*path, module))
            done.add(module)

    for module in edges:
        visit(module, ())


def test_the_package_itself_imports_nothing_of_its_own_while_it_loads() -> None:
    assert [name for name, _ in imports(TREES[""], lazy=False) if name.startswith("movesim")] == []


def test_import_is_light_and_quick() -> None:
    """`import movesim` and the command line load no heavy library, and take less than half a second of processor time."""
    heavy = f"print([name for name in {HEAVY!r} if name in sys.modules])"
    code = f"import sys, time, movesim, movesim.cli, movesim.helptext; {heavy}; print(time.process_time())"
    seconds = []
    for _ in range(3):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        loaded, taken = done.stdout.splitlines()
        assert loaded == "[]"
        seconds.append(float(taken))
    assert min(seconds) < 0.5


def test_the_floors_would_notice() -> None:
    """The reader of imports sees lazy ones and leaves out those for type checkers."""
    tree = ast.parse(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import pandas\ndef f():\n    from movesim.cli import main\n"
    )
    assert [name for name, _ in imports(tree)] == ["typing.TYPE_CHECKING", "movesim.cli.main"]
    assert [name for name, _ in imports(tree, lazy=False)] == ["typing.TYPE_CHECKING"]
    assert inside("movesim.cli.main") == "cli"
    assert inside("movesim.place.nowhere.Thing") == "place"
    assert inside("movesim.__version__") is None and inside("numpy") is None and inside("movesim.run") == ""
