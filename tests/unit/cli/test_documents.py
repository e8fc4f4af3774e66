"""Documents in files: read exactly, refused where they can be read in two ways, each part with its line."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.cli.documents import Source, read_source


def source(folder: Path, name: str, text: str) -> Source:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return read_source(path)


YAML = """\
# a comment
name: Acme
per: 1.50
exponent: 1e3
whole: 12
negative: -3
time: 12:30
day: 2026-12-01
moment: 2026-12-01T00:00:00Z
octal: 010
grouped: 1_000
yes: no
on: off
truth: true
nothing: null
also: ~
"""


def test_yaml_is_taken_for_no_more_than_it_says(tmp_path: Path) -> None:
    assert source(tmp_path, "p.yaml", YAML).content == {
        "name": "Acme",
        "per": "1.50",
        "exponent": "1e3",
        "whole": 12,
        "negative": -3,
        "time": "12:30",
        "day": "2026-12-01",
        "moment": "2026-12-01T00:00:00Z",
        "octal": "010",
        "grouped": "1_000",
        "yes": "no",
        "on": "off",
        "truth": True,
        "nothing": None,
        "also": None,
    }


def test_a_decimal_of_json_passes_through_no_float(tmp_path: Path) -> None:
    content = source(tmp_path, "p.json", '{"per": 0.10000000000000000555, "points": 3}').content
    assert content == {"per": "0.10000000000000000555", "points": 3}


def test_yaml_may_name_a_part_and_use_it_again(tmp_path: Path) -> None:
    content = source(tmp_path, "p.yaml", "a: &rate {points: 1}\nb:\n  <<: *rate\n  per: 2\n").content
    assert content == {"a": {"points": 1}, "b": {"points": 1, "per": 2}}


JSON = """{
  "name": "A, [b]: {c}",
  "rates": [
    1,
    {"points": 1,
     "per": "\\"2\\""},
    [], {}, "x"
  ],
  "last": [[1],
           [2]]
}
"""
SAME = """\
name: "A, [b]: {c}"

rates:
  - 1
  - points: 1
    per: '"2"'
  - []
  - {}
  - x
last:
  - [1]
  - [2]
"""
PATHS = ["name", "rates", "rates.0", "rates.1", "rates.1.per", "rates.2", "rates.4", "last.0.0", "last.1.0"]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [("p.json", JSON, [2, 3, 4, 5, 6, 7, 7, 9, 10]), ("p.yaml", SAME, [1, 3, 4, 5, 6, 7, 9, 11, 12])],
)
def test_every_part_has_its_line(tmp_path: Path, name: str, text: str, expected: list[int]) -> None:
    found = source(tmp_path, name, text)
    assert found.content == {
        "name": "A, [b]: {c}",
        "rates": [1, {"points": 1, "per": '"2"'}, [], {}, "x"],
        "last": [[1], [2]],
    }
    assert [found.line(path) for path in PATHS] == expected
    # Of what is missing, the line of what it is missing in.
    assert found.line("rates.1.currency") == expected[3]
    assert found.line("nothing.at.all") is None


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("p.yaml", "a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\n", "field 'c' twice in one object, on lines 3 and 5"),
        ("p.json", '{"a": [1, {"c": 1,\n"c": 2}]}', "field 'c' twice in one object, on lines 1 and 2"),
        ("p.json", '{"a": 1, "\\u0061": 2}', "field 'a' twice"),
        ("p.yaml", "a: [1\nb: 2", "is not YAML"),
        ("p.yaml", "a: &a [*a]", "without end"),
        ("p.yaml", "a: !!python/object:os.system {}", "is not YAML"),
        ("p.json", '{"a": 1,}', "is not JSON: Illegal trailing comma before end of object at line 1"),
        ("p.json", "[" * 100_000, "without end"),
        ("p.json", "9" * 5_000, "a number of thousands of digits"),
    ],
)
def test_what_cannot_be_read_in_one_way_is_refused_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, text: str, told: str
) -> None:
    with pytest.raises(SystemExit) as end:
        source(tmp_path, name, text)
    assert end.value.code == 1
    assert told.split(":", maxsplit=1)[0] in " ".join(capsys.readouterr().err.split())


def test_what_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_bytes(b"name: caf\xe9")
    with pytest.raises(SystemExit):
        read_source(path)


values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)


@settings(max_examples=50)
@given(content=values, indent=st.none() | st.integers(0, 3))
def test_every_place_of_any_json_is_found_once(
    tmp_path_factory: pytest.TempPathFactory, content: Any, indent: int | None
) -> None:
    text = json.dumps(content, indent=indent)
    found = source(tmp_path_factory.mktemp("json"), "p.json", text)
    assert found.content == content
    assert set(found.lines) == set(_places(content, ()))
    assert sorted(found.lines.values()) == [found.lines[place] for place in _places(content, ())]


def _places(value: Any, place: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    """In the order of the text."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for name, part in parts for found in ((*place, name), *_places(part, (*place, name)))]
