"""What every test stands on: a home folder of its own, never the user's."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples in every run, so that a change is what makes a test fail; HYPOTHESIS_PROFILE=default looks for new ones.
settings.register_profile("same", derandomize=True, database=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))

ROOT = Path(__file__).resolve().parents[1]
# A shell that starts the tests in the background has them ignore Ctrl-C, and every process they start would inherit that.
if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config: pytest.Config) -> None:
    """Give the whole session one temporary MOVESIM_HOME; parallel workers inherit the one of the process that starts them."""
    if not hasattr(config, "workerinput"):
        os.environ["MOVESIM_HOME"] = tempfile.mkdtemp(prefix="movesim-tests-")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove it at the end."""
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ["MOVESIM_HOME"], ignore_errors=True)


@pytest.fixture
def root() -> Path:
    """The top folder of the checkout."""
    return ROOT


@pytest.fixture
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder for the test."""
    folder = tmp_path / "empty"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder
