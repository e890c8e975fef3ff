from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from nas.data.parts import PART_WORDS, TEST, TRAIN, VALIDATION, part_of, words_of
from nas.errors import DataError


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("train", TRAIN), ("Training", TRAIN), ("TRAIN", TRAIN), ("train_set", TRAIN), ("my-train", TRAIN),
        ("train-00000-of-00002-a1b2c3", TRAIN), ("train1", TRAIN), ("pets.train", TRAIN), ("trainX", TRAIN),
        ("X_TRAIN", TRAIN), ("pets train 2", TRAIN), ("2train", TRAIN),
        ("val", VALIDATION), ("valid", VALIDATION), ("Validation", VALIDATION), ("dev", VALIDATION),
        ("pets_dev_0", VALIDATION), ("VAL2017", VALIDATION),
        ("test", TEST), ("testing", TEST), ("eval", TEST), ("evaluation", TEST), ("Test-Images", TEST),
        ("extra", "extra"), ("svhn_extra_32x32", "extra"),
        ("trainees", None), ("contest", None), ("latest", None), ("invalid", None), ("testfile", None),
        ("device", None), ("interval", None), ("retrieval", None), ("trainval", None), ("", None), ("0000", None),
        ("été", None), ("Ätest", None), ("тест", None),
    ],
)  # fmt: skip
def test_a_name_says_its_part_by_one_of_its_words(name: str, part: str | None) -> None:
    assert part_of(name) == part


@pytest.mark.parametrize("name", ["train_val", "train-test", "devTest", "test_of_train"])
def test_a_name_that_says_two_parts_is_a_question(name: str) -> None:
    with pytest.raises(DataError, match=r"says .* and .* at once"):
        part_of(name)


@given(
    st.sampled_from(sorted(PART_WORDS)),
    st.sampled_from(["{}", "{}_0", "{}-00000-of-00001", "pets_{}", "pets.{}.2", "0{}1", "my {} set", "{}.x", "({})"]),
    st.sampled_from([str.lower, str.upper, str.title]),
)
def test_case_place_and_delimiter_do_not_matter(word: str, form: str, change: object) -> None:
    assert part_of(form.format(change(word))) == PART_WORDS[word]  # type: ignore[operator]


def test_words_are_split_at_capitals() -> None:
    assert words_of("XTrain") == ["x", "train"]
    assert words_of("testLabels2X") == ["test", "labels", "x"]
    assert words_of("CIFARTest") == ["cifar", "test"]
