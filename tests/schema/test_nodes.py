from __future__ import annotations

import contextlib
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from nas.errors import UserError
from nas.schema.nodes import parse_yaml, read_yaml
from nas.schema.problems import Mark, SchemaError


def plain(text: str) -> Any:
    return parse_yaml(text, "x.yaml")[0].plain()


def problem(text: str) -> str:
    with pytest.raises(SchemaError) as caught:
        parse_yaml(text, "x.yaml")[1].check()
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3), ("-3", -3), ("+3", 3), ("1_000", 1000), ("007", 7),
        ("1e-6", 1e-6), ("1E6", 1e6), ("1.", 1.0), (".5", 0.5), ("-1.5e+3", -1500.0), (".inf", math.inf),
        ("-.inf", -math.inf),
        ("true", True), ("FALSE", False), ("null", None), ("~", None), ("", None),
        ("'3'", "3"), ('"true"', "true"), ("''", ""),
        ("on", "on"), ("off", "off"), ("yes", "yes"), ("no", "no"), ("y", "y"), ("On", "On"), ("NO", "NO"),
        ("12:30", "12:30"), ("2024-01-01", "2024-01-01"), ("0x10", "0x10"), ("1_000.5", "1_000.5"), ("e5", "e5"),
        ("3x", "3x"), ("> 13", None), ("'>= 13'", ">= 13"), ("٣", "٣"), ("=", "="), ("<<", "<<"),
    ],
)  # fmt: skip
def test_scalars_are_those_of_the_core_schema(text: str, value: Any) -> None:
    if text == "> 13":
        assert "expected" in problem(f"a: {text}")  # '>' begins a block of text in YAML: a comparison needs quotes
        return
    read = plain(f"a: {text}")["a"]
    assert read == value
    assert type(read) is type(value)


def test_nan_is_read() -> None:
    assert math.isnan(plain("a: .nan")["a"])


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.floats(allow_nan=False) | st.sampled_from("ab"),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.sampled_from("abc"), inside, max_size=3),
    max_leaves=12,
)


def written(value: Any) -> str:
    """Flow-style YAML, as a person might write it."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {written(one)}' for key, one in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(written, value))}]"
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    return repr(value).replace("inf", ".inf") if isinstance(value, float) else str(value)


@given(PLAIN.filter(lambda value: value is not None))
def test_what_is_written_is_read(value: Any) -> None:
    read = plain(written(value))
    assert read == value
    assert written(read) == written(value)  # 1, 1.0 and true are equal in Python, not here


@given(PLAIN.filter(lambda value: isinstance(value, dict)), PLAIN.filter(lambda value: isinstance(value, dict)))
def test_aliases_and_merges_mean_what_they_mean_everywhere(one: dict[str, Any], two: dict[str, Any]) -> None:
    kept = f"x-kept:\n  - &one {written(one)}\n  - &two {written(two)}\n"
    text = f"{kept}a: *one\nb: {{<<: [*one, *two], c: 1}}\nd: [*two, *two]"
    assert plain(text) == {"a": one, "b": {**two, **one, "c": 1}, "d": [two, two]}


def test_what_an_alias_stands_for_has_the_place_of_the_alias_and_its_parts_their_own() -> None:
    root, _ = parse_yaml("a: &x {b: [1, 2]}\nc: *x\nd: {<<: *x, e: 3}\n'<<': 4", "x.yaml")
    assert root.at(("c",)).mark == Mark(2, 4)
    assert root.at(("c", "b", 1)).mark == Mark(1, 15)
    assert root.mapping["d"].key_mark("b") == Mark(1, 8)
    assert root.plain()["<<"] == 4


def test_places_are_counted_from_one() -> None:
    root, _ = parse_yaml("stem: a\nstages:\n  depth: [3, 9]\n", "x.yaml")
    assert root.mark == Mark(1, 1)
    assert root.key_mark("stages") == Mark(2, 1)
    assert root.key_mark("absent") == root.mark
    assert root.at(("stages", "depth", 1)).mark == Mark(3, 14)
    assert root.at(("stages", "depth", 7, "x")).mark == Mark(3, 10)  # as near as one gets


BOMB = "a0: &a0 [1, 1, 1]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3", "x.yaml:3:1: duplicate key 'a'; it is already set in line 1\n    a: 3\n    ^"),
        ("a: *x", "x.yaml:1:4: not valid YAML: found undefined alias 'x'"),
        ("a: &x [1, *x]", "x.yaml:1:11: *x stands inside of what it names"),
        ("a: &x {b: {<<: *x}}", "x.yaml:1:16: *x stands inside of what it names"),
        ("a: &x 1\nb: {<<: *x}", "x.yaml:2:9: << merges a mapping or a list of mappings"),
        ("a: &x {b: 1}\nb: {<<: [*x, 3]}", "x.yaml:2:14: << merges a mapping or a list of mappings"),
        ("x-a: {b: 1}\nc: 2", "x.yaml:1:1: x-a: keys with 'x-' are for anchors (&name), and here is none"),
        (BOMB, "aliases repeat more than 100,000 values here"),
        (f"a: &a {'[' * 30}{']' * 30}\nb: {'[' * 20}*a{']' * 20}", "x.yaml:2:24: nested more than 50 levels deep"),
        ("a: !!python/object/apply:os.system ['true']", "x.yaml:1:4: tags such as '!!python/object/apply:os.system'"),
        ("a: !!python/object:os.X {b: 1}", "x.yaml:1:4: tags such as '!!python/object:os.X' are not supported"),
        ("!!python/name:os.system a: 1", "x.yaml:1:1: tags such as '!!python/name:os.system'"),
        ("a: !mine b", "x.yaml:1:4: tags such as '!mine'"),
        ("a: !!int x", "x.yaml:1:4: tags such as '!!int' are not supported; write the plain value"),
        ("a: !e!x b", "x.yaml:1:4: not valid YAML: found undefined tag handle '!e!'"),
        ("", "x.yaml:1:1: the file is empty"),
        ("# only a comment\n", "x.yaml:1:1: the file is empty"),
        ("a:\n\tb: 1", "x.yaml:2:1: not valid YAML: a tab cannot indent; use spaces"),
        ("a: b: c", "x.yaml:1:5: not valid YAML: a ':' makes no sense here; check the indentation"),
        ("a: 1\n  b: 2", "x.yaml:2:4: not valid YAML: a ':' makes no sense here; check the indentation"),
        ("a: {b: 1\nc: 2", "x.yaml:2:2: not valid YAML: expected ',' or '}', but got ':' (while parsing a flow mapping"
                           " that begins in line 1)"),
        ("a: 'b\nc: d\n", "x.yaml:3:1: not valid YAML: found unexpected end of stream (while scanning a quoted scalar"),
        ("a: 1\n---\nb: 2", "x.yaml:2:1: not valid YAML: a second document begins here; a file holds one"),
        ("a: 1\nb: x\x00", "x.yaml:2:5: not valid YAML: the character U+0000 is not allowed"),
        ("? [a]\n: 1", "x.yaml:1:3: a key must be a word, not a list or a mapping"),
        ("a: " + "9" * 5000, "x.yaml:1:4: a whole number of more than 4000 digits"),
        ("[" * 60 + "]" * 60, "x.yaml:1:51: nested more than 50 levels deep"),
        ("[" * 100_000, "x.yaml:1:51: nested more than 50 levels deep"),
        ("{a: " * 60 + "}" * 60, "nested more than 50 levels deep"),
    ],
)  # fmt: skip
def test_yaml_that_is_not_ours_is_refused_in_place(text: str, message: str) -> None:
    assert message in problem(text)


def test_all_duplicate_keys_are_listed() -> None:
    assert problem("a: 1\na: 2\nb: {c: 1, c: 2}").count("duplicate key") == 2


@given(st.text(alphabet="ab:-[]{}#&*!|>'\"%@`,?\n\t 1.~", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(SchemaError):
        parse_yaml(text, "x.yaml")


def test_file_is_called_as_it_was_given(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a: 1\na: 2\n")
    with pytest.raises(SchemaError, match=r"^short\.yaml:2:1: "):
        read_yaml(tmp_path / "a.yaml", name="short.yaml")[1].check()


def test_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n")
    root, problems = read_yaml(tmp_path / "a.yaml")
    assert root.plain() == {"a": 1, "b": 2}
    assert problems.source.text.startswith("a:")


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bytes.yaml").write_bytes(b"\x80\x81\x82\xff\x00PK")
    (tmp_path / "large.yaml").write_text("# " + "x" * (1 << 20))
    cases = {
        tmp_path: "this is a folder; name a YAML file in it",
        tmp_path / "absent.yaml": "no such file",
        tmp_path / "bytes.yaml": "not a text file in UTF-8",
        tmp_path / "large.yaml": "larger than 1 MiB",
        tmp_path / "bytes.yaml" / "x.yaml": "cannot be read: Not a directory",
        tmp_path / ("n" * 300): "cannot be read: File name too long",
        Path("nul\0.yaml"): "cannot be read: embedded null byte",
    }
    for path, message in cases.items():
        with pytest.raises(UserError) as caught:
            read_yaml(path)
        assert message in str(caught.value)
        assert str(caught.value).startswith(str(path))


def test_file_without_end_is_not_read_to_the_end() -> None:
    endless = Path("/dev/zero")
    if not endless.exists():
        pytest.skip("needs /dev/zero")
    with pytest.raises(UserError, match="larger than 1 MiB"):
        read_yaml(endless)
