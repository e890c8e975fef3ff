from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, strategies as st

from nas.data.reference import Reference, natural, one_of, option, read_options, share, word, written_options, yes_or_no
from nas.errors import DataError

NAMES = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1)
WORDS = st.text("ab/?&=%:+#; é漢", min_size=1)


@dataclass(frozen=True)
class Some:
    corrupt: str = option("fail", one_of("fail", "skip"))
    validation: float | None = option(None, share)
    seed: int = option(0, natural)
    flip: bool = option(True, yes_or_no)
    label: str = option("", word)


def some(options: str) -> Some:
    return Some(**read_options(Some, Reference.parse(f"folder:/x?{options}")))


@given(NAMES, st.one_of(st.just(""), WORDS), st.dictionaries(WORDS, WORDS, max_size=3))
def test_a_reference_is_read_back(name: str, argument: str, options: dict[str, str]) -> None:
    reference = Reference(name, argument, options)
    assert Reference.parse(str(reference)) == reference


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("digits", Reference("digits")),
        ("folder:/a:b", Reference("folder", "/a:b")),
        ("folder:/a?corrupt=skip&seed=1", Reference("folder", "/a", {"corrupt": "skip", "seed": "1"})),
        ("folder:/what?/a?", Reference("folder", "/what?/a")),
        ("digits?seed=1", Reference("digits", "", {"seed": "1"})),
    ],
)
def test_references_are_taken_apart(text: str, reference: Reference) -> None:
    assert Reference.parse(text) == reference


@given(
    st.builds(
        Some,
        corrupt=st.sampled_from(["fail", "skip"]),
        validation=st.none() | st.floats(0, 1, exclude_min=True, exclude_max=True),
        seed=st.integers(0),
        flip=st.booleans(),
        label=WORDS,
    )
)
def test_options_are_read_back(source: Some) -> None:
    written = Reference("folder", "/x", written_options(source))
    assert Some(**read_options(Some, Reference.parse(str(written)))) == source


def test_only_what_differs_from_the_default_is_written() -> None:
    assert written_options(some("corrupt=fail&validation=0.10&seed=00")) == {"validation": "0.1"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("corupt=skip", "unknown option 'corupt'; did you mean 'corrupt'"),
        ("corrupt=maybe", "corrupt takes 'fail' or 'skip', not 'maybe'"),
        ("validation=2", "validation takes a share between 0 and 1"),
        ("validation=nan", "validation takes a share between 0 and 1"),
        ("seed=-1", "seed takes a whole number from 0 on"),
        ("label=", "label takes a name"),
        ("flip=1", "flip takes 'yes' or 'no'"),
        ("corrupt", "cannot read the options 'corrupt'; write them like"),
        ("seed=1&seed=2", "an option is given twice"),
    ],
)
def test_a_wrong_option_is_explained(options: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        some(options)
