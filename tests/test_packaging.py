"""A wheel works from an empty folder, without the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True, text=True)
    (found,) = folder.glob("movesim-*.whl")
    return found


@pytest.mark.slow
def test_the_wheel_holds_settings_and_scenarios_and_nothing_stray(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert len(tops) == 2 and "movesim" in tops
    for folder, inside in (("conf", "_conf"), ("scenarios", "_scenarios")):
        files = {path.relative_to(ROOT / folder).as_posix() for path in (ROOT / folder).rglob("*.*")}
        assert files
        assert files <= {name.removeprefix(f"movesim/{inside}/") for name in names}
    assert any(name.endswith("licenses/LICENSE") for name in names)


@pytest.mark.slow
def test_the_wheel_runs_from_an_empty_folder(wheel: Path, tmp_path: Path) -> None:
    """In an environment of its own, which borrows the libraries of this one but not the checkout."""
    venv.create(tmp_path / "own", with_pip=True, system_site_packages=False)
    scripts = tmp_path / "own" / ("Scripts" if os.name == "nt" else "bin")
    python = scripts / "python"
    subprocess.run([str(python), "-m", "pip", "install", "-q", "--no-deps", str(wheel)], check=True, capture_output=True)
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    lent = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()
    own = subprocess.run([str(python), "-c", code], check=True, capture_output=True, text=True).stdout.strip()
    # Only the folder itself is added; the .pth file of an editable movesim in it is not read.
    (Path(own) / "lent.pth").write_text(lent + "\n")
    empty = tmp_path / "empty"
    empty.mkdir()
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    environment["MOVESIM_HOME"] = str(tmp_path / "home")

    def movesim(*words: str) -> subprocess.CompletedProcess[str]:
        command = [str(scripts / "movesim"), *words]
        return subprocess.run(command, cwd=empty, env=environment, capture_output=True, text=True)

    where = [str(python), "-c", "import movesim, movesim.config as c; print(movesim.__file__); print(c.conf_folder())"]
    files = subprocess.run(where, cwd=empty, env=environment, check=True, capture_output=True, text=True).stdout.splitlines()
    assert all(str(tmp_path / "own") in line for line in files) and files[1].endswith("_conf")
    assert movesim("--help").returncode == 0
    assert "people: 20000" in movesim("compare", "--cfg", "job").stdout
    listed = movesim("list", "scenarios", "--names")
    assert {"routes", "school_day", "community_leaders"} <= set(listed.stdout.split()), listed.stderr
    wrong = movesim("compare", "scenarios=[rotes]")
    assert wrong.returncode == 2 and "Did you mean 'routes'?" in wrong.stderr and wrong.stderr.count("\n") == 1
    assert list(empty.iterdir()) == []
