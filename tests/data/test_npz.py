from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st
from numpy.typing import NDArray

from nas.data import describe, load_data
from nas.data.npz import sort_out
from nas.data.npz_files import map_array
from nas.errors import DataError

COUNT = 20
RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (COUNT, 6, 8, 3), dtype=np.uint8)
LABELS = np.arange(COUNT) % 2


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "some.npz"


def counts(file: Path, cache: Path) -> tuple[int, int, int]:
    known = describe(f"npz:{file}", cache=cache)
    return known.train, known.validation, known.test


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["x_train", "y_train", "x_test", "y_test"], (18, 2, 20)),
        (["X_train", "Y_train", "X_test", "Y_test"], (18, 2, 20)),
        (["trainX", "trainY", "testX", "testY"], (18, 2, 20)),
        (["train_images", "train_labels", "val_images", "val_labels", "test_images", "test_labels"], (20, 20, 20)),
        (["train.data", "train.targets", "valid.data", "valid.targets"], (18, 2, 20)),
        (["images", "labels"], (12, 4, 4)),
        (["X", "y"], (12, 4, 4)),
        (["input", "target", "weights"], (12, 4, 4)),
    ],
)
def test_usual_names_are_understood(file: Path, cache: Path, names: list[str], expected: tuple[int, ...]) -> None:
    arrays = [IMAGES, LABELS] * 3
    np.savez(file, **dict(zip(names, arrays, strict=False)))
    assert counts(file, cache) == expected


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize(
    ("images", "channels"),
    [
        (IMAGES, 3),
        (IMAGES.transpose(0, 3, 1, 2), 3),
        (IMAGES[..., 0], 1),
        (IMAGES[..., :1], 1),
        (IMAGES[:, None, ..., 0], 1),
    ],
    ids=["NHWC", "NCHW", "NHW", "NHW1", "N1HW"],
)
def test_every_order_of_axes_gives_the_same_pixels(
    file: Path, cache: Path, save: Any, images: NDArray[np.uint8], channels: int
) -> None:
    square = np.ascontiguousarray(images)
    save(file, x_train=square, y_train=LABELS[:, None].astype(np.uint8), x_test=square, y_test=LABELS)
    data = load_data(f"npz:{file}", resolution=6, cache=cache)
    assert data.channels == channels
    expected = IMAGES[:, :, 1:7, :channels].transpose(0, 3, 1, 2)  # the centre of the shorter side
    np.testing.assert_array_equal(data.test.images, expected)
    assert data.test.labels.tolist() == LABELS.tolist()


@pytest.mark.parametrize("names", [np.array(["cat", "dog"]), np.array([b"cat", b"dog"])])
@pytest.mark.parametrize("key", ["classes", "class_names", "label_names"])
def test_classes_may_have_names(file: Path, cache: Path, key: str, names: NDArray[Any]) -> None:
    np.savez(file, images=IMAGES, labels=LABELS, **{key: names})
    assert describe(f"npz:{file}", cache=cache).classes == ("cat", "dog")


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.booleans(), st.booleans(), st.sampled_from("uif"))
def test_arrays_are_mapped_as_they_were_saved(
    tmp_path_factory: pytest.TempPathFactory, shape: list[int], is_fortran: bool, is_packed: bool, kind: str
) -> None:
    file = tmp_path_factory.mktemp("npz") / "some.npz"
    array = np.asarray(np.arange(np.prod(shape)).reshape(shape), dtype=f"{kind}4", order="F" if is_fortran else "C")
    (np.savez_compressed if is_packed else np.savez)(file, before=np.zeros(3), some=array)
    mapped = map_array(file, "some")
    assert isinstance(mapped, np.memmap)
    assert mapped.dtype == array.dtype
    np.testing.assert_array_equal(mapped, array)


def test_labels_are_in_the_fingerprint(file: Path, cache: Path) -> None:
    np.savez(file, images=IMAGES, labels=LABELS)
    known = describe(f"npz:{file}", cache=cache).fingerprint
    np.savez_compressed(file, images=IMAGES.transpose(0, 3, 1, 2), labels=LABELS.astype(np.uint8))
    assert describe(f"npz:{file}", cache=cache).fingerprint == known
    np.savez(file, images=IMAGES, labels=np.roll(LABELS, 1))
    assert describe(f"npz:{file}", cache=cache).fingerprint != known


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"arr_0": IMAGES, "arr_1": LABELS}, "there are no images; found arr_0, arr_1, expected 'x_train'"),
        ({"x_test": IMAGES, "y_test": LABELS}, "there is no train part, only test"),
        ({"x_train": IMAGES}, "there are no images and labels of train"),
        ({"x": IMAGES, "images": IMAGES, "y": LABELS}, "x and images are both images"),
        ({"x": IMAGES, "y": LABELS, "x_test": IMAGES, "y_test": LABELS}, "some images are of a part and some of none"),
        ({"x": IMAGES / 255, "y": LABELS}, "x is float64; save pixels as uint8"),
        ({"x": IMAGES[:, :, :, :2], "y": LABELS}, "x has shape"),
        ({"x": IMAGES, "y": LABELS[:3]}, "labels are one whole number for each of the 20 images"),
        ({"x": IMAGES, "y": LABELS / 2}, "y is float64"),
        ({"x": IMAGES, "y": LABELS - 1}, "labels below 0"),
        ({"x": IMAGES, "y": LABELS + 30}, "has a label 31, and there are only 20 images"),
        ({"x": IMAGES, "y": LABELS * 0}, "all of one class"),
        ({"x": IMAGES, "y": LABELS, "classes": np.array(["one"])}, "a name for each of the 2 classes"),
    ],
)
def test_what_cannot_be_meant_is_explained(file: Path, cache: Path, arrays: dict[str, Any], words: str) -> None:
    np.savez(file, **arrays)
    with pytest.raises(DataError, match=words):
        describe(f"npz:{file}", cache=cache)


def test_objects_are_not_unpickled(file: Path, cache: Path) -> None:
    np.savez(file, x=np.array([{}, []], dtype=object), y=LABELS)
    with pytest.raises(DataError, match="an array of Python objects"):
        describe(f"npz:{file}", cache=cache)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_damage_is_found_by_the_checksum(file: Path, cache: Path, save: Any) -> None:
    save(file, x=IMAGES, y=LABELS)
    content = bytearray(file.read_bytes())
    with zipfile.ZipFile(file) as archive:
        content[archive.getinfo("x.npy").header_offset + 600] ^= 255
    file.write_bytes(content)
    with pytest.raises(DataError, match=r"is damaged|cannot be read as an \.npz archive"):
        describe(f"npz:{file}", cache=cache)
    file.write_bytes(content[:-40])
    with pytest.raises(DataError, match=r"cannot be read as an \.npz archive"):
        describe(f"npz:{file}", cache=cache)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [("flag", 1, "encrypted"), ("method", 99, "compression method is not supported")],
)
def test_forms_of_zip_that_cannot_be_read_are_explained(
    file: Path, cache: Path, field: str, value: int, words: str
) -> None:
    np.savez(file, x=IMAGES, y=LABELS)
    content = bytearray(file.read_bytes())
    # Both headers of the first member (APPNOTE.TXT, 4.3.7 and 4.3.12): the local one begins the file.
    for header, offset in ((0, 6), (content.index(b"PK\x01\x02"), 8)):
        place = header + offset + (0 if field == "flag" else 2)
        content[place] |= value
    file.write_bytes(content)
    with pytest.raises(DataError, match=rf"cannot be read as an \.npz archive \(.*{words}"):
        describe(f"npz:{file}", cache=cache)


def test_words_of_a_name_may_come_in_any_order() -> None:
    found = sort_out(["XTrain", "labels-train", "test_X", "testLabels", "mean"])
    assert found.parts == {
        "train": {"images": "XTrain", "labels": "labels-train"},
        "test": {"images": "test_X", "labels": "testLabels"},
    }
