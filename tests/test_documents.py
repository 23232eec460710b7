"""YAML with positions: what is read, where it stood, and the sentence for what cannot be read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from movesim.config import load_yaml
from movesim.errors import InputError


@pytest.fixture
def write(empty_folder: Path):
    def _write(text: str | bytes, name: str = "plan.yaml") -> Path:
        path = empty_folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return _write


def test_values_follow_yaml_1_2(write) -> None:
    document = write(
        "a: 1\nb: 1e5\nc: no\nd: 010\ne: 1:30\nf: 2026-01-01\ng:\nh: '5'\ni: .inf\nj: true\nk: -.5\nl: 1_000\ny: 2\n"
    )
    expected = {"a": 1, "b": 1e5, "c": "no", "d": 10, "e": "1:30", "f": "2026-01-01", "g": None, "h": "5", "i": float("inf")}
    expected |= {"j": True, "k": -0.5, "l": 1000, "y": 2}
    data = load_yaml(document).data
    assert data == expected
    assert [type(value) for value in data.values()] == [type(value) for value in expected.values()]


def test_every_value_and_key_has_a_place(write) -> None:
    document = load_yaml(write("a: 1\nb:\n  c: [1, {d: 3}]\n  e: 2\n"))
    assert document.where(("a",)) == "plan.yaml:1:4"
    assert document.where(("a",), key=True) == "plan.yaml:1:1"
    assert document.where(("b", "c", 1, "d")) == "plan.yaml:3:14"
    assert document.where(("b",)) == "plan.yaml:2:1", "a mapping begins at its key"
    assert document.where(("b", "missing")) == "plan.yaml:2:1", "what is missing points to what is around it"
    assert document.where(()) == "plan.yaml:1:1"
    assert str(document.error(("b", "e"), "'e' is wrong.")) == "plan.yaml:4:6: 'e' is wrong."


def test_a_file_elsewhere_is_named_in_full(write, tmp_path: Path) -> None:
    path = tmp_path / "elsewhere.yaml"
    path.write_text("a: 1")
    assert load_yaml(path).where(("a",)) == f"{path.as_posix()}:1:4"


BAD = [
    ("on: 1", r"plan\.yaml:1:1: YAML reads the bare key 'on' as true or false; write it in quotes"),
    ("a: 1\nNo: 1", r"plan\.yaml:2:1: YAML reads the bare key 'No'"),
    ("a: 1\nb: 2\na: 3", r"plan\.yaml:3:1: 'a' is given twice \(first on line 1\); keep one of them\."),
    ("a:\n\tb: 1", r"plan\.yaml:2:1: this line is indented with a tab; YAML wants spaces\."),
    ("a: b: c", r"plan\.yaml:1:5: this line is not valid YAML \(mapping values .*quote"),
    ("a: 1\n  b: 2", r"plan\.yaml:2:4: this line is not valid YAML .*Check the indentation"),
    ("a: [1, 2", r"plan\.yaml:1:9: this line is not valid YAML"),
    ("", r"plan\.yaml: this file is empty; it should hold settings"),
    ("# only a comment\n", r"plan\.yaml: this file is empty"),
    ("five", r"plan\.yaml:1:1: this file holds a single value"),
    ("a: .nan", r"plan\.yaml:1:4: '\.nan' is not a number; leave the key out"),
    ("a: !x 3", r"plan\.yaml:1:4: tags such as '!x' are not read"),
    ("? [1]\n: 2", r"plan\.yaml:1:3: a key must be a word or a whole number, not a list"),
    ("1.5: 2", r"plan\.yaml:1:1: a key must be a word or a whole number, got '1\.5'"),
    ("a: &x [*x]", r"plan\.yaml:1:4: this anchor contains itself"),
    ("<<: {a: 1}", r"plan\.yaml:1:1: merge keys \('<<'\) are not read; write the settings out"),
    ("a: 1\n---\nb: 2", r"plan\.yaml:2:1: the file holds more than one document"),
    ("a: \x01", r"plan\.yaml: this file is not valid YAML"),
    (b"a: \xff\xfe", r"plan\.yaml: this file is not UTF-8 text \(byte 3\)"),
]


@pytest.mark.parametrize(("text", "sentence"), BAD, ids=[sentence[:40] for _, sentence in BAD])
def test_what_cannot_be_read_gets_one_sentence_with_its_place(write, text: str, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        load_yaml(write(text))
    assert re.match(sentence, str(caught.value))
    assert "\n" not in str(caught.value)


def test_a_missing_file_names_the_closest_one(write, empty_folder: Path) -> None:
    write("a: 1", "routes.yaml")
    with pytest.raises(InputError, match=r"There is no file rotes\.yaml\. Did you mean 'routes\.yaml'\?"):
        load_yaml(empty_folder / "rotes.yaml")
    with pytest.raises(InputError, match="is a folder; a YAML file was expected"):
        load_yaml(empty_folder)


def test_a_file_with_a_byte_order_mark_and_windows_lines_is_read(write) -> None:
    assert load_yaml(write(b"\xef\xbb\xbfa: 1\r\nb: two\r\n")).data == {"a": 1, "b": "two"}


def test_a_file_that_may_not_be_read_says_so(write, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> str:
        raise PermissionError(13, "Permission denied")

    path = write("a: 1")
    monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(InputError, match=r"plan\.yaml cannot be read \(Permission denied\)"):
        load_yaml(path)
