import pandas as pd
import pytest
from matplotlib.figure import Figure

from movesim.report import style
from movesim.report.facts import Facts
from movesim.report.figures import CHARTS
from movesim.report.figures.gap import fans
from movesim.report.figures.groups import groups
from movesim.report.style import Chart


@pytest.fixture(scope="module")
def facts(folder_of):
    return Facts.read(folder_of("four"))


@pytest.mark.parametrize("name", CHARTS)
def test_every_chart_gives_figure_words_and_data(facts, name):
    figure, alt, data = chart = CHARTS[name](facts)
    assert isinstance(figure, Figure)
    assert len(alt) >= 60 and alt.endswith(".")
    assert isinstance(data, pd.DataFrame) and len(data)
    assert chart.name == name
    assert len(chart.headline.split()) <= 18 and not chart.headline.endswith(".")
    for text in (chart.headline, chart.subtitle, alt, chart.source):
        assert "100%" not in text and "nan" not in text and "None" not in text


def test_no_option_is_drawn_without_no_change(facts):
    assert "No change" in CHARTS["gap-over-time"](facts).data["Option"].to_list()
    for name in ("gradient", "groups"):
        assert CHARTS[name](facts).data["No change, % inactive"].notna().all()
    assert CHARTS["gap-and-ratio"](facts).data["No change"].notna().all()


def test_marks_headline_and_numbers_are_the_same(facts):
    fan = fans(facts).set_index(["name", "year"])
    focus, year = facts.focus, facts.year
    assert round(fan.loc[("no_change", year), "middle"], 1) == facts.numbers["baseline"]["gap"]
    assert fan.loc[(focus["name"], year), "middle"] == pytest.approx(focus["gap"], abs=0.11)
    assert f"by {abs(focus['change']):.1f} points" in CHARTS["gap-over-time"](facts).headline


def test_few_pairs_draw_no_range(folder_of):
    few = Facts.read(folder_of("three_pairs"))
    chart = CHARTS["gap-over-time"](few)
    assert not [c for c in chart.data.columns if "low" in c or "high" in c]
    assert "Fewer than 20 paired runs: range not shown" in chart.source
    assert not chart.figure().axes[0].collections  # no band
    ranks = CHARTS["ranks-and-regret"](few)
    assert ranks == "Ranks and regret are not drawn: 3 paired runs are too few to count how often an option is best."
    for name in ("groups", "where", "gap-and-ratio", "gradient"):
        assert not [c for c in CHARTS[name](few).data.columns if "low" in c.lower().split(", ")]


def test_bands_are_drawn_with_enough_pairs(facts):
    assert len(CHARTS["gap-over-time"](facts).figure().axes[0].collections) == 4


def test_small_groups_are_left_out_and_named(facts):
    chart = groups(facts)
    assert "Other" not in chart.data["Level"].to_list()
    assert chart.sentences == ("Not shown, because fewer than 100 simulated people stand for them: ethnic group: Other.",)


def test_charts_that_have_nothing_to_show_say_why(folder_of):
    one = Facts.read(folder_of("one"))
    assert "there is one option beside no change" in CHARTS["ranks-and-regret"](one)
    for table in ("money", "ladder", "contributions", "winners"):
        one.result.tables[table] = one.result.tables[table].iloc[:0]
    one.result.manifest["fit"] = None
    assert CHARTS["cost"](one) == "No money was spent in any option, so there is no chart of costs."
    assert CHARTS["reach"](one).endswith("has no reach ladder: it changes places, not what is offered to persons.")
    assert CHARTS["where"](one).startswith("Local authorities are not drawn")
    assert CHARTS["gains-and-losses"](one).startswith("Gross gains and losses are not drawn")
    assert CHARTS["fit"](one) == "This run was not compared with published figures: its manifest names no fit."


def test_equal_numbers_give_equal_bytes(facts):
    chart = CHARTS["ranks-and-regret"](facts)
    assert chart.svg() == CHARTS["ranks-and-regret"](facts).svg()
    assert chart.svg().startswith("<svg") and "<metadata" not in chart.svg()


def test_slides_are_sixteen_by_nine(facts):
    data = CHARTS["fit"](facts).png()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert (int.from_bytes(data[16:20]), int.from_bytes(data[20:24])) == (2400, 1350)


def test_words_in_a_chart_stay_on_it(facts):
    """Every text of every chart lies inside the figure, as page and as slide."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    full = ("gap-over-time", "groups", "gap-and-ratio", "where", "ranks-and-regret", "cost", "reach")
    for name in (*full, "lasting", "ladder-steps", "together"):
        for slide in (False, True):
            with style.drawing():
                figure = CHARTS[name](facts).figure(slide)
                figure.set_dpi(60)
                canvas = FigureCanvasAgg(figure)
                canvas.draw()
                edge = figure.bbox
                for text in figure.findobj(lambda artist: hasattr(artist, "get_text")):
                    box = text.get_window_extent(canvas.get_renderer())
                    if text.get_text() and text.get_visible():
                        assert box.x0 >= edge.x0 - 1 and box.x1 <= edge.x1 + 1, (name, slide, text.get_text())
                        assert box.y0 >= edge.y0 - 1 and box.y1 <= edge.y1 + 1, (name, slide, text.get_text())


def test_settings_of_matplotlib_are_left_alone(facts):
    import matplotlib

    before = dict(matplotlib.rcParams)
    CHARTS["fit"](facts).svg()
    assert dict(matplotlib.rcParams) == before


def test_colours_can_be_read():
    for mark in (style.BLUE, style.TEAL, style.ORANGE, style.PINK, style.MUTED, style.AXIS):
        assert style.contrast(mark, "#FFFFFF") >= 3
    for text in (style.INK, style.SUB, style.TEAL_TEXT, style.ORANGE_TEXT, style.BLUE, style.GREY):
        assert style.contrast(text, "#FFFFFF") >= 4.5
    assert style.contrast(style.BLUE, style.ORANGE) >= 3
    for share in (0, 0.01, 0.2, 0.4, 0.6, 0.8, 1):
        from movesim.report.figures.choice import shade

        assert style.contrast(shade(share), style.text_on(shade(share))) >= 4.5


def test_labels_do_not_overlap_after_spreading():
    low, high = style.spread([5.0, 5.2], [2, 2], 0, 10)
    assert high - low >= 2 - 1e-6
    assert style.spread([9.9], [2], 0, 10) == [9]


def test_lines_are_broken_by_measured_width():
    lines = style.wrap("Proportionate universalism narrows the gap by about four points", 2.0, 16, bold=True)
    assert len(lines) > 2 and all(style.text_width(line, 16, True) <= 2.0 for line in lines)


def test_a_title_with_signs_is_text_and_not_markup(folder_of):
    odd = Facts.read(folder_of("one"))
    odd.focus["title"] = "Walk & talk <b> $x$"
    chart = CHARTS["gap-over-time"](odd)
    assert isinstance(chart, Chart)
    assert "Walk &amp; talk &lt;b&gt; $x$" in chart.svg()
