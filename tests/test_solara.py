"""SolaraViz on the model: the page of docs/solara_app.py rendered, served for real, stepped and reset."""

from __future__ import annotations

import functools
import gc
import importlib.util
import json
import os
import re
import socket
import subprocess
import sys
import time
import tomllib
import urllib.request
import uuid
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
APP = ROOT / "docs" / "solara_app.py"
EXTRA = "solara"
if_solara = pytest.mark.skipif(
    importlib.util.find_spec("solara") is None,
    reason="Solara is not installed here (pip install -c constraints.txt -e '.[solara]')",
)


# --- versions and imports ---------------------------------------------------------------------------------------------
def test_every_pin_is_within_its_range_and_keeps_to_vue_2() -> None:
    """Mesa 3.3.1 draws its tabs with widgets that ipyvuetify 3 no longer has."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pins = dict(re.findall(r"^([\w.-]+)==([\w.]+)", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE))
    needs = [Requirement(each) for each in project["optional-dependencies"][EXTRA]]
    assert {"solara", "ipyvue", "ipyvuetify", "altair"} == {need.name for need in needs}
    for need in needs:
        assert need.specifier.contains(pins[need.name]), f"{need} does not allow the pinned {pins[need.name]}"
    for name in ("ipyvue", "ipyvuetify"):
        assert int(pins[name].split(".")[0]) < 2
    page = (ROOT / "docs" / "mesa.md").read_text(encoding="utf-8")
    for name in ("solara", "ipyvue", "ipyvuetify"):
        assert f"`{name}` | {pins[name]}" in page, "docs/mesa.md names the pins"


@if_solara
def test_the_model_and_its_views_import_no_solara() -> None:
    code = "import sys, movesim, movesim.cli, movesim.model, movesim.person\nprint([m for m in sys.modules if 'solara' in m])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# --- without a browser ------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def app() -> ModuleType:
    """The page's module."""
    spec = importlib.util.spec_from_file_location("solara_app", APP)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def made(app: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[weakref.ref]:
    """Every model that the page makes while the test runs."""
    refs: list[weakref.ref] = []
    make = app.Watched.__init__

    @functools.wraps(make)  # SolaraViz reads the signature
    def remembered(self: Any, **given: Any) -> None:
        make(self, **given)
        refs.append(weakref.ref(self))

    monkeypatch.setattr(app.Watched, "__init__", remembered)
    return refs


@if_solara
def test_the_page_is_rendered_stepped_and_reset(app: ModuleType, made: list[weakref.ref]) -> None:
    import ipyvuetify
    import ipywidgets
    import solara

    _, rc = solara.render(solara.AppLayout(children=[app.Page()]), handle_error=False)

    def press(label: str) -> None:
        rc.find(ipyvuetify.Btn, children=[label]).widget.click()

    def pictures() -> list[bytes]:
        return [bytes(each.widget.value) for each in rc.find(ipywidgets.Image)]

    (first,) = made
    assert 1_900 < first().people.n <= 2_000 and first().week == 0 and first().plan == "community_leaders"
    before = pictures()
    assert len(before) == 4 and all(each.startswith(b"\x89PNG") for each in before)

    press("Step")
    assert first().week == first().plain.week == 13
    after = pictures()
    assert all(old != new for old, new in zip(before, after, strict=True))  # each of the four is drawn again
    collected = first().datacollector.get_model_vars_dataframe()
    assert list(collected.columns) == ["inactive", "gap", "inactive, no plan", "gap, no plan", "added"] and len(collected) == 14

    rc.find(ipyvuetify.Slider, label="People").widget.v_model = 500
    rc.find(ipyvuetify.Select, label="Plan").widget.v_model = "baseline"
    assert len(made) == 1  # nothing is made until Reset
    press("Reset")
    assert len(made) == 2 and made[1]().people.n <= 500 and (made[1]().plan, made[1]().week) == ("baseline", 0)
    press("Step")
    assert np.array_equal(made[1]().people.mean, made[1]().plain.people.mean)  # no plan: both are the same run
    rc.close()
    del collected
    gc.collect()
    assert first() is None  # the model that Reset replaced is gone


@if_solara
def test_the_squares_are_the_shares_of_the_views(app: ModuleType) -> None:
    model = app.Watched(people=500)
    model.step()
    adults = model.agents.select(lambda person: person.age_group == "adult")
    shares = app.inactive_shares(model)
    for place, share in zip(model.neighbourhoods, shares, strict=True):
        here = adults.select(lambda person, code=place.code: person.neighbourhood == code)
        weights = np.array(here.get("weight"))
        inactive = np.array([status == "inactive" for status in here.get("status")])
        assert share == pytest.approx(float((weights * inactive).sum() / weights.sum()))


# --- the server -------------------------------------------------------------------------------------------------------
@contextmanager
def served() -> Iterator[int]:
    """`solara run` on the page, as its own process; gives the port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "solara", "run", str(APP), "--host", "127.0.0.1", "--port", str(port), "--no-open"]
    server = subprocess.Popen(
        [*command, "--production"], cwd=ROOT, env={**os.environ, "SOLARA_TELEMETRY_MIXPANEL_ENABLE": "False"},
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield port
        assert server.poll() is None, server.stderr.read()  # type: ignore[union-attr]
    finally:
        server.terminate()
        try:
            server.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.communicate()


class Window:
    """A browser window without a browser: it opens the page, runs it and keeps the state of every widget it is sent."""

    def __init__(self, connection: Any) -> None:
        self.connection, self.widgets = connection, dict[str, dict[str, Any]]()

    def send(self, kind: str, **content: Any) -> None:
        header = {"msg_id": uuid.uuid4().hex, "msg_type": kind, "session": "window", "username": "", "version": "5.3"}
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell", "buffers": []}
        self.connection.send(json.dumps(message))

    def until(self, done: Callable[[dict[str, Any]], bool], seconds: float) -> None:
        """Read what the server sends until a message for which done is true."""
        end = time.monotonic() + seconds
        while True:
            raw = self.connection.recv(timeout=end - time.monotonic())
            if isinstance(raw, bytes):  # pictures come along: the count of parts, where each begins, the message, the pictures
                count, begin, *rest = np.frombuffer(raw[: 4 * (1 + int.from_bytes(raw[:4], "big"))], ">u4").tolist()
                raw = raw[begin : rest[0] if count > 1 else None]
            message = json.loads(raw)
            content, kind = message["content"], message["header"]["msg_type"]
            if kind == "comm_open":
                self.widgets[content["comm_id"]] = content["data"].get("state", {})
            elif kind == "comm_msg" and content["data"].get("method") == "update":
                self.widgets[content["comm_id"]].update(content["data"]["state"])
            if done(content):
                return

    def texts(self) -> list[str]:
        return ["".join(each["children"]) for each in self.widgets.values() if isinstance(each.get("children"), list)]


@if_solara
@pytest.mark.slow
def test_solara_serves_the_page_for_2000_people_and_steps_it() -> None:
    from websockets.sync.client import connect

    with served() as port:
        end = time.monotonic() + 240  # the first model of all is compiled while the server starts
        while True:
            try:
                page = urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60)
                break
            except OSError:
                assert time.monotonic() < end, "the server did not start"
                time.sleep(0.2)
        cookie = page.headers["set-cookie"].split(";")[0]
        url = f"ws://127.0.0.1:{port}/jupyter/api/kernels/{uuid.uuid4()}/channels?session_id={uuid.uuid4()}"
        with connect(url, additional_headers={"Cookie": cookie}, max_size=None) as connection:
            window, control = Window(connection), uuid.uuid4().hex
            window.send("comm_open", comm_id=control, target_name="solara.control", data={})
            window.send("comm_msg", comm_id=control, data={"method": "run", "args": {"path": "/", "dark": False, "themes": {}}})
            window.until(lambda content: content.get("data", {}).get("method") == "finished", 240)
            assert sum(each.get("_model_name") == "ImageModel" for each in window.widgets.values()) == 4
            assert not [text for text in window.texts() if "Traceback" in text]
            (step,) = (name for name, each in window.widgets.items() if each.get("children") == ["Step"])
            clock = re.compile(r"(Step|Time): (\d+)")
            assert [found[2] for text in window.texts() if (found := clock.match(text))] == ["0"]
            window.send("comm_msg", comm_id=step, data={"method": "custom", "content": {"event": "click", "data": {}}})
            window.until(lambda _: any(clock.match(text) and clock.match(text)[2] == "13" for text in window.texts()), 60)
