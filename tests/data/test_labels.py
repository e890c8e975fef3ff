from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st

from nas.data.labels import Labels, numbered
from nas.errors import DataError

HERE = Path("set")


def labels(*numbers: int, names: str = "", dtype: str = "int64") -> Labels:
    return Labels(origin="file", numbers=np.array(numbers, dtype=dtype), names=tuple(names.split()) or None)


def test_numbers_are_taken_as_they_are() -> None:
    found = numbered(HERE, [labels(0, 2, 1), labels(1, 1)])
    assert found.classes == ("0", "1", "2")
    assert found.labels.tolist() == [0, 2, 1, 1, 1]
    assert not found.remarks


def test_numbers_from_one_on_are_said() -> None:
    found = numbered(HERE, [labels(1, 2, 3), labels(2)])
    assert (found.classes, found.labels.tolist()) == (("1", "2", "3"), [0, 1, 2, 1])
    assert found.remarks == ("labels begin at 1, not at 0; classes are called by the numbers as they are",)


def test_a_number_that_no_image_has_is_said() -> None:
    found = numbered(HERE, [labels(0, 0, 3, 3)])
    assert (found.classes, found.labels.tolist()) == (("0", "3"), [0, 0, 1, 1])
    assert found.remarks == ("no image has the label 1, 2, so that is no class",)


@pytest.mark.parametrize("label", [5, 2**31, 2**40, 2**62, 2**63, 2**64 - 1])
def test_a_label_beyond_the_number_of_images_is_refused_at_once(label: int) -> None:
    with pytest.raises(DataError, match=rf"file: has a label {label:,}, and there are only 4 images"):
        numbered(HERE, [labels(0, 1, 0, label, dtype="uint64")])


def test_negative_labels_are_refused() -> None:
    with pytest.raises(DataError, match="labels below 0, such as -3"):
        numbered(HERE, [labels(0, -3)])
    with pytest.raises(DataError, match="labels from -1 to 1; none may be below 0"):
        numbered(HERE, [labels(0, 1, -1, names="cat dog")])


def test_files_are_matched_by_the_names_of_their_classes() -> None:
    found = numbered(HERE, [labels(0, 1, names="cat dog"), labels(0, 1, 1, names="dog cat")])
    assert (found.classes, found.labels.tolist()) == (("cat", "dog"), [0, 1, 1, 0, 0])
    assert found.remarks == ("files number their classes differently; they are taken by name",)


@given(st.permutations(["ant", "bee", "cat", "dog"]), st.lists(st.integers(0, 3), min_size=4))
def test_no_numbering_of_a_file_changes_what_its_labels_mean(names: list[str], drawn: list[int]) -> None:
    found = numbered(HERE, [labels(0, 1, 2, 3, names="ant bee cat dog"), labels(*drawn, names=" ".join(names))])
    assert [found.classes[label] for label in found.labels[4:]] == [names[label] for label in drawn]


def test_text_and_named_numbers_meet() -> None:
    text = Labels.of_text("text", ["dog", "cat", "dog"])
    found = numbered(HERE, [labels(0, 1, names="cat dog"), text])
    assert (found.classes, found.labels.tolist()) == (("cat", "dog"), [0, 1, 1, 0, 1])


def test_text_alone_is_sorted() -> None:
    found = numbered(HERE, [Labels.of_text("text", ["dog", "ant"]), Labels.of_text("more", ["cat", "dog"])])
    assert (found.classes, found.labels.tolist()) == (("ant", "cat", "dog"), [2, 0, 1, 2])


def test_accents_compare_however_they_are_written() -> None:
    found = numbered(HERE, [Labels.of_text("mac", ["cafe\u0301", "bar"]), Labels.of_text("linux", ["caf\u00e9"])])
    assert (found.classes, found.labels.tolist()) == (("bar", "caf\u00e9"), [1, 0, 1])


def test_named_classes_without_images_are_left_out_and_said() -> None:
    found = numbered(HERE, [labels(0, 2, names="ant bee cat")])
    assert (found.classes, found.labels.tolist()) == (("ant", "cat"), [0, 1])
    assert found.remarks == ("1 of the named classes left out, since no image is of them: bee",)


def test_names_are_counted_from_one_where_nothing_else_fits() -> None:
    found = numbered(HERE, [labels(1, 2, names="cat dog"), labels(2, names="cat dog")])
    assert (found.classes, found.labels.tolist()) == (("cat", "dog"), [0, 1, 1])
    assert found.remarks == ("labels begin at 1, not at 0: 1 means the first of the named classes",)
    with pytest.raises(DataError, match=r"labels from 0 to 2; .* a name for each of the 3 classes, not only for 2"):
        numbered(HERE, [labels(0, 2, names="cat dog")])


def test_numbers_without_names_beside_names_are_refused() -> None:
    with pytest.raises(DataError, match="numbers classes without naming them, and file names them"):
        numbered(HERE, [labels(0, 1, names="cat dog"), labels(0, 1)])


def test_two_classes_of_one_name_are_refused() -> None:
    with pytest.raises(DataError, match="two classes are called 'cat'"):
        labels(0, 1, names="cat cat")
    with pytest.raises(DataError, match="two classes are called"):
        labels(0, 1, names="caf\u00e9 cafe\u0301")


def test_a_class_without_a_name_is_refused() -> None:
    with pytest.raises(DataError, match="file: has an empty text in place of a class's name"):
        Labels.of_text("file", ["cat", "", "dog"])


def test_no_labels_are_refused() -> None:
    with pytest.raises(DataError, match="set: there are no labelled images"):
        numbered(HERE, [labels()])
