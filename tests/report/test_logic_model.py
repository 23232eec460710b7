"""The picture of a logic model: what it holds, that words stay inside their boxes, and what it refuses."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from movesim.cli import main
from movesim.errors import InputError
from movesim.interventions import load_scenario
from movesim.interventions.files import list_scenarios
from movesim.interventions.logic_model import as_lines, logic_models
from movesim.interventions.template import template
from movesim.report import logic_model
from movesim.report.style import contrast, drawing, text_width
from movesim.words import MATRIX_2011, MATRIX_2014

NAMES = [name for name in list_scenarios() if name != "baseline"]


@pytest.mark.parametrize("name", NAMES)
def test_links_are_those_of_the_matrix_and_shares_add_up(name: str) -> None:
    scenario = load_scenario(name)
    for model, spec in zip(logic_models(scenario), scenario.interventions):
        matrix = {2011: MATRIX_2011, 2014: MATRIX_2014}[model.edition]
        assert sum(link.share for link in model.links) == pytest.approx(1)
        for link in model.links:
            component = next(c for c in spec.mechanism.components if c.name.endswith(_last(link.label)))
            assert set(link.functions) == set(spec.functions) & set(matrix[component.name])
            assert link.functions or model.reason
        assert as_lines(model)[-2].startswith("-> gain in its study: ")


def _last(label: str) -> str:
    """Physical capability -> capability_physical."""
    kind, part = label.lower().split()
    return f"{part}_{kind}"


@pytest.mark.parametrize("name", ["everything_small", "routes", "digital"])
def test_everything_stands_in_the_picture_and_in_its_description(name: str) -> None:
    scenario = load_scenario(name)
    svg = logic_model.svg(scenario)
    root = ElementTree.fromstring(svg)
    texts = " ".join(each.text or "" for each in root.iter("{http://www.w3.org/2000/svg}text"))
    said = next(root.iter("{http://www.w3.org/2000/svg}desc")).text or ""
    for model in logic_models(scenario):
        for words in (*model.functions, *model.domains, *(f"{link.label} {link.share:.0%}" for link in model.links)):
            assert words in texts, words
        assert model.title in said and model.outcomes[0][5:] in said
    assert svg == logic_model.svg(scenario), "equal scenarios give equal bytes"


@pytest.mark.parametrize("name", NAMES)
def test_no_word_leaves_its_box(name: str) -> None:
    for model in logic_models(load_scenario(name)):
        for column in logic_model._columns(model):
            for box in column:
                for line in box.lines:
                    assert text_width(line, logic_model._SIZE) <= logic_model._WIDE[box.column] - 0.14, line
                assert box.height >= len(box.lines) * 10 / 72 * 1.2


def test_colours_are_told_apart_without_colour_and_words_can_be_read() -> None:
    for ink in logic_model._TEXTS.values():
        assert contrast(ink, "#FFFFFF") >= 4.5
    edges = list(logic_model._COLOURS.values())
    assert all(contrast(edge, "#FFFFFF") >= 2.9 for edge in edges)
    assert contrast(logic_model._COLOURS["opportunity"], logic_model._COLOURS["capability"]) >= 2


def test_a_reason_is_drawn_dashed_and_said(tmp_path: Path) -> None:
    text = template("people", "mine").replace("[Enablement, Modelling, Persuasion]", "[Persuasion]")
    path = tmp_path / "mine.yaml"
    path.write_text(text.replace("\n#     reason: Say why", "\n    reason: Groups invite $x^2$ <all> & 運動."), encoding="utf-8")
    scenario = load_scenario(path)
    svg = logic_model.svg(scenario)
    assert "Dashed: outside the matrix, because: Groups invite $x^2$ &lt;all&gt; &amp; 運動." in svg
    assert "stroke-dasharray" in svg and "stroke-dasharray" not in logic_model.svg(load_scenario("community_leaders"))
    assert "For the reason given" in as_lines(logic_models(scenario)[0])[0]


@pytest.mark.parametrize("ending", [".svg", ".png"])
def test_it_is_drawn_into_a_file_and_never_over_one(ending: str, empty_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scenario", "show", "routes", f"out=pictures/routes{ending}"]) == 0
    assert capsys.readouterr().out == f"Drawn: pictures/routes{ending}\n"
    held = (empty_folder / "pictures" / f"routes{ending}").read_bytes()
    assert held.startswith(b"\x89PNG" if ending == ".png" else b"<svg")
    assert main(["scenario", "show", "routes", f"out=pictures/routes{ending}"]) == 2
    assert re.match(r".*routes\.\w+ exists already; give out another name\.", capsys.readouterr().err)


def test_what_it_cannot_draw(empty_folder: Path) -> None:
    with pytest.raises(InputError, match=r"out must end in \.svg or \.png, got 'routes\.pdf'\."):
        logic_model.save_logic_model(load_scenario("routes"), Path("routes.pdf"))
    with pytest.raises(InputError, match=r"'baseline' has no interventions, so it has no logic model to draw\."):
        logic_model.save_logic_model(load_scenario("baseline"), Path("baseline.svg"))
    Path("folder").write_text("a file")
    with pytest.raises(InputError, match=r"folder/routes\.svg cannot be written \(.*\)\."):
        logic_model.save_logic_model(load_scenario("routes"), Path("folder/routes.svg"))


def test_panels_do_not_overlap() -> None:
    """Titles, boxes and notes of a portfolio stand under each other, inside the figure."""
    with drawing():
        figure = logic_model._figure(load_scenario("everything_small"))
        figure.canvas.draw()
        ax = figure.axes[0]
        boxes = [t.get_window_extent() for t in ax.texts]
        patches = [p.get_window_extent() for p in ax.patches]
    height = figure.get_figheight() * figure.dpi
    assert all(b.y0 >= 0 and b.y1 <= height for b in boxes + patches)
    for k, one in enumerate(boxes):
        for other in boxes[k + 1 :]:
            assert not (one.x0 < other.x1 - 1 and other.x0 < one.x1 - 1 and one.y0 < other.y1 - 3 and other.y0 < one.y1 - 3)
