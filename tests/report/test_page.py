import hashlib
import itertools
import re
from html.parser import HTMLParser

import openpyxl
import pytest

from movesim.report import build_report, numbers, say, terminal_summary
from movesim.report.facts import Facts
from movesim.report.figures import CHARTS
from movesim.report.page import render
from movesim.report.style import Chart

VOID = {"meta", "br", "img", "input", "link", "hr", "path", "use"}


class Page(HTMLParser):
    """The tags of a page, their attributes, and the text by tag."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts, self.stack = [], {}, []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag):
        if tag in self.stack:
            while self.stack.pop() != tag:
                pass

    def handle_data(self, data):
        for tag in self.stack[-1:]:
            self.texts.setdefault(tag, []).append(data)

    def all(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]


@pytest.fixture(scope="module")
def html(built):
    return (built / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


def test_nothing_is_loaded_from_elsewhere(html, page):
    policy = next(a["content"] for a in page.all("meta") if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'") and "http" not in policy
    for tag, attrs in page.tags:
        for name in ("src", "href", "xlink:href", "data", "action", "srcset"):
            if attrs.get(name):
                assert attrs[name].startswith(("#", "data:text/csv")), (tag, name, attrs[name][:80])
    assert not page.all("link") and "@import" not in html and not re.search(r"url\((?!#)", html)
    assert len(html.encode()) < 1_500_000


def test_the_page_is_built_for_every_reader(page):
    assert page.all("html")[0]["lang"] == "en-GB"
    assert len(page.all("h1")) == len(page.all("main")) == len(page.all("header")) == len(page.all("footer")) == 1
    assert page.all("nav")[0]["aria-labelledby"] == "contents"
    first_link = page.all("a")[0]
    assert (first_link["class"], first_link["href"]) == ("skip", "#main")
    ids = [attrs["id"] for _, attrs in page.tags if attrs.get("id")]
    assert len(ids) == len(set(ids))
    for _, attrs in page.tags:
        for name in ("aria-labelledby", "aria-describedby"):
            for wanted in (attrs.get(name) or "").split():
                assert wanted in ids, wanted
    for attrs in page.all("a"):
        if attrs["href"].startswith("#"):
            assert attrs["href"][1:] in ids
    heads = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert heads[0] == 1 and all(b - a <= 1 for a, b in itertools.pairwise(heads))


def test_tables_have_captions_and_scopes(page, html):
    tables = re.findall(r"<table.*?</table>", html, flags=re.DOTALL)
    assert len(tables) >= 10
    for table in tables:
        assert "<caption" in table
        assert all("scope=" in th for th in re.findall(r"<th[ >][^>]*>?", table))


def test_every_chart_has_a_name_and_a_description(page, html, built):
    svgs = page.all("svg")
    figures = sorted(path.stem for path in (built / "figures").glob("*.svg"))
    assert len(svgs) == len(page.all("figure")) == len(figures) == len(CHARTS)
    for attrs in svgs:
        assert attrs["role"] == "img" and attrs["aria-labelledby"]
    for description in re.findall(r"<desc[^>]*>(.*?)</desc>", html, flags=re.DOTALL):
        assert len(description) >= 60
    assert len(re.findall(r"<svg.*?<title ", html, flags=re.DOTALL)) == len(CHARTS)
    assert html.count("In words.") == html.count("What it does not show:") == len(CHARTS)
    for name in figures:
        assert (built / "figures" / f"{name}.png").is_file()
        assert len((built / "figures" / f"{name}.txt").read_text(encoding="utf-8")) > 60


def test_the_page_can_be_read_without_scripts(html):
    without = re.sub(r"<script>.*?</script>", "", html, flags=re.DOTALL)
    assert without.count("<svg") == len(CHARTS) and "hidden" not in re.findall(r"<section[^>]*>", without)
    assert html.count("<script") == 1


def test_a_second_build_is_the_same_byte_for_byte(built, monkeypatch):
    monkeypatch.setattr(Chart, "png", lambda chart: b"a slide")

    def prints():
        paths = [built / "report.html", built / "workbook.xlsx", *sorted((built / "figures").iterdir())]
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}

    before = prints()
    build_report(built)
    assert prints() == before
    assert not list(built.glob(".report*"))


def test_page_workbook_terminal_and_tables_agree(built, html, page):
    fact = numbers(built)
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)).replace("\u00a0", " ")
    terminal = re.sub(r"\s+", " ", terminal_summary(built))
    assert page.texts["h1"] == [fact["finding"]]
    assert fact["finding"] in terminal and fact["finding_more"] in terminal
    book = openpyxl.load_workbook(built / "workbook.xlsx")
    assert book.sheetnames == ["Read me", "Summary", "Gap by year", "Deciles", "Groups", "Money", "Assumptions", "Settings"]
    assert book["Read me"]["B2"].value == fact["finding"]
    head, *rows = book["Summary"].iter_rows(values_only=True)
    sheet = {row[0]: dict(zip(head, row, strict=True)) for row in rows}
    last = {(row[0], row[1]): row[2] for row in book["Gap by year"].iter_rows(min_row=2, values_only=True)}
    for option in fact["options"]:
        row = sheet[option["title"]]
        assert row["Gap, points"] == option["gap"] == last[(option["title"], 2035)]
        assert row["Change in gap, points"] == option["change"]
        assert (row["Change, 9 in 10 runs, low"], row["Change, 9 in 10 runs, high"]) == (option["low"], option["high"])
        assert row["More active adults"] == option["extra_active"]
        change = (
            f"{say.signed(option['change'])}{' WIDENS' if option['widens'] else ''} ({say.span(option['low'], option['high'])})"
        )
        assert change in text, change
        short = f"{say.signed(option['change'])} ({say.signed(option['low'])},{say.signed(option['high'])})"
        assert say.ascii_minus(f"{say.per_cent(option['inactive'])} {say.plain(option['gap'])} {short}") in terminal
    for key in fact["key"]:
        assert key["big"] in text and key["range"] in text


def test_workbook_sheets_are_plain_tables(built):
    book = openpyxl.load_workbook(built / "workbook.xlsx")
    for sheet in book:
        assert not sheet.merged_cells.ranges and sheet.freeze_panes == "B2"
        head = [cell.value for cell in sheet[1]]
        assert all(head) and len(set(head)) == len(head), sheet.title
        assert not any(cell.data_type == "f" for row in sheet.iter_rows() for cell in row)


def test_unequal_spends_stand_beside_the_ranked_table(folder_of):
    html = render(Facts.read(folder_of("unequal")), dict.fromkeys(CHARTS, "not drawn"), {})
    after = html[html.index('id="table-ranked"') :]
    assert "The options do not cost the same" in after[: after.index("Download as CSV")]


def test_one_option_and_three_pairs_still_make_a_page(folder_of):
    facts = Facts.read(folder_of("one_three_pairs"))
    drawn = {name: chart(facts) for name, chart in CHARTS.items()}
    html = render(facts, drawn, dict.fromkeys(CHARTS, "<svg></svg>"))
    assert "fewer than 20 paired runs: range not shown" in html
    assert "Ranks are not drawn: there is one option beside no change" in html
    assert "9 in 10 runs: " not in html


def test_charts_of_an_earlier_build_do_not_stay(folder_of, monkeypatch):
    folder = folder_of("one_three_pairs")
    monkeypatch.setattr("movesim.report.page.CHARTS", {"fit": CHARTS["fit"], "ranks-and-regret": CHARTS["ranks-and-regret"]})
    monkeypatch.setattr("movesim.report.page.render", lambda facts, drawn, svgs: "page")
    monkeypatch.setattr(Chart, "png", lambda chart: b"")
    (folder / "figures").mkdir(exist_ok=True)
    for ending in ("svg", "png", "txt"):
        (folder / "figures" / f"ranks-and-regret.{ending}").write_text("from an earlier build")
    (folder / "figures" / "mine.svg").write_text("a user's own picture")
    build_report(folder)
    assert sorted(path.name for path in (folder / "figures").iterdir()) == ["fit.png", "fit.svg", "fit.txt", "mine.svg"]


def test_a_failed_check_is_the_first_thing_said(folder_of):
    facts = Facts.read(folder_of("one_three_pairs"))
    facts.result.manifest["guards"][0]["passed"] = False
    from movesim.report.finding import numbers_of

    facts = Facts(facts.result, numbers_of(facts.result), facts.ranking)
    html = render(facts, dict.fromkeys(CHARTS, "not drawn"), {})
    assert "A check FAILED: Placebo." in html
    assert html.index("A check FAILED") < html.index("Key numbers")


def test_titles_of_users_cannot_change_the_page(folder_of):
    facts = Facts.read(folder_of("one_three_pairs"))
    facts.result.manifest["scenarios"][1]["summary"] = "<script>alert(1)</script>"
    html = render(facts, dict.fromkeys(CHARTS, "not drawn"), {})
    assert "<script>alert" not in html and "&lt;script&gt;alert" in html


def test_a_refused_folder_is_left_as_it_was(folder_of, tmp_path):
    from movesim.errors import InputError

    for path in folder_of("one_three_pairs").glob("*.parquet"):
        if path.stem != "gaps":
            (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "manifest.json").write_bytes((folder_of("one_three_pairs") / "manifest.json").read_bytes())
    before = sorted(tmp_path.iterdir())
    with pytest.raises(InputError, match=r"gaps\.parquet: not found"):
        build_report(tmp_path)
    assert sorted(tmp_path.iterdir()) == before


def test_charts_of_many_options_show_those_that_rank_first(monkeypatch, built):
    """A chart of thirty rows cannot be read; what is left out is said, and the tables have it."""
    whole = Facts.read(built)
    assert whole.drawn() is whole and len(whole.result.options) == 4
    in_detail = terminal_summary(built)
    monkeypatch.setattr("movesim.report.facts.MOST_DRAWN", 2)
    monkeypatch.setattr("movesim.report.terminal.MOST_DRAWN", 2)
    few = whole.drawn()
    ranked = [name for name in whole.numbers["order"] if name not in (whole.result.baseline["name"], whole.focus["name"])]
    assert {o["name"] for o in few.result.options} == {whole.focus["name"], ranked[0]}
    assert few.focus["name"] == whole.focus["name"] and few.focus["change"] == whole.focus["change"]
    assert "Drawn: of 4 options the 2 that rank first." in few.source
    assert isinstance(CHARTS["gap-over-time"](few), Chart)
    told = terminal_summary(built)
    assert "here of the 2 options that rank first." in " ".join(told.split()) and len(told) < len(in_detail)
    assert all(option["title"].split(",")[0][:20] in told for option in whole.numbers["options"])
