"""Data is understood or refused, never guessed: kinds of input once taken silently, or met with a traceback."""

from __future__ import annotations

import io
import os
import shutil
import socket
import struct
import unicodedata
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image
from ppm_images import COUNT, ppm, write_folders
from pyarrow.parquet import write_table

from nas.data import Description, describe, load_data, open_source
from nas.data.images import PixelReader
from nas.errors import DataError


def divided(root: Path, train: str = "train", test: str = "test", *more: str) -> Path:
    return write_folders(root, *(f"{part}/{name}" for part in (train, test, *more) for name in ("cat", "dog")))


def write_shard(file: Path, *, labels: Any = None, count: int = 2 * COUNT, **columns: Any) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    images = [{"bytes": ppm(index), "path": None} for index in range(count)]
    given = [index % 2 for index in range(count)] if labels is None else labels
    write_table(pa.table({"image": images, "label": given, **columns}), file)


def counts(known: Description) -> tuple[int, int, int]:
    return known.train, known.validation, known.test


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "set"


@pytest.fixture
def look(cache: Path) -> Callable[[str], Description]:
    return lambda reference: describe(reference, cache=cache)


Look = Callable[[str], Description]


# names of parts


@pytest.mark.parametrize(
    ("train", "validation", "test"),
    [
        ("train", "val", "test"),
        ("Training", "valid", "testing"),
        ("training_set", "Validation", "Eval"),
        ("TRAIN", "dev", "test1"),
        ("train", "my-val", "Eval"),
    ],
)
def test_folders_are_parts_by_every_name(root: Path, look: Look, train: str, validation: str, test: str) -> None:
    assert counts(look(f"folder:{divided(root, train, test, validation)}")) == (12, 12, 12)


@pytest.mark.parametrize("name", ["holdout", "unlabeled", "trainval", "cats"])
def test_a_folder_beside_parts_that_is_none_is_an_error_or_left_out(root: Path, look: Look, name: str) -> None:
    divided(root)
    write_folders(root / name, "cat", "dog")
    with pytest.raises(DataError, match=rf"{name}: no part of the set beside test, train; .*'\?unknown=skip'"):
        look(f"folder:{root}")
    known = look(f"folder:{root}?unknown=skip")
    assert counts(known) == (10, 2, 12)
    assert known.findings.sentences() == (f"1 left out (not understood): {name}",)


def test_an_image_beside_parts_or_classes_is_an_error_and_a_text_is_said(root: Path, look: Look) -> None:
    divided(root)
    (root / "README.txt").write_text("about these images")
    assert look(f"folder:{root}").findings.sentences() == ("1 left out (text beside the images): README.txt",)
    (root / "train" / "lost.ppm").write_bytes(ppm(1))
    with pytest.raises(DataError, match=r"train/lost\.ppm: no class folder"):
        look(f"folder:{root}")
    assert "train/lost.ppm" in look(f"folder:{root}?unknown=skip").findings.sentences()[0]


def test_two_folders_of_one_part_are_not_pooled(root: Path, look: Look) -> None:
    divided(root, "train", "test", "val", "dev")
    with pytest.raises(DataError, match="dev and val are both called like the part validation"):
        look(f"folder:{root}")


def test_a_name_of_two_parts_is_a_question(root: Path, look: Look) -> None:
    divided(root, "train", "test", "train_val")
    with pytest.raises(DataError, match=r"train_val: the name 'train_val' says train and validation at once"):
        look(f"folder:{root}")


@pytest.mark.parametrize("name", ["train", "Test", "val", "dev", "extra", "test_tube"])
def test_an_undivided_set_may_have_a_class_called_like_a_part(root: Path, look: Look, name: str) -> None:
    known = look(f"folder:{write_folders(root, name, 'car', 'zebra')}")
    assert set(known.classes) == {name, "car", "zebra"}
    assert sum(counts(known)) == 3 * COUNT
    assert any(f"{name} is read as a class" in said for said in known.findings.sentences()) == (name != "test_tube")


def test_folders_that_are_all_called_like_parts_are_a_question(root: Path, look: Look) -> None:
    write_folders(root, "train", "test")
    with pytest.raises(DataError, match=r"test, train are called like parts, .*'\?parts=no'"):
        look(f"folder:{root}")
    assert look(f"folder:{root}?parts=no").classes == ("test", "train")


@pytest.mark.parametrize("kind", ["folder", "parquet", "npz"])
def test_the_part_extra_is_left_out_and_said_or_trained_on(root: Path, look: Look, kind: str) -> None:
    if kind == "folder":
        reference = f"folder:{divided(root, 'train', 'test', 'extra')}"
    elif kind == "parquet":
        for part in ("train", "test", "extra"):
            write_shard(root / f"{part}.parquet")
        reference = f"parquet:{root}"
    else:
        root.mkdir()
        images, labels = np.zeros((12, 4, 4), np.uint8), np.arange(12) % 2
        arrays = {
            f"{role}_{part}": value
            for part in ("train", "test", "extra")
            for role, value in (("x", images), ("y", labels))
        }
        np.savez(root / "some.npz", **arrays)
        reference = f"npz:{root / 'some.npz'}"
    known = look(reference)
    assert counts(known) == (10, 2, 12)
    (said,) = known.findings.sentences()
    assert said.startswith("the part extra (1")
    assert said.endswith("is left out; the option '?extra=train' trains on it, too")
    both = look(f"{reference}?extra=train")
    assert counts(both) == (22, 2, 12)
    assert both.fingerprint != known.fingerprint


@pytest.mark.parametrize(
    "names",
    [
        ("pets_train", "pets_test"),
        ("train-pets", "test-pets"),
        ("a.training.b", "a.eval.b"),
        ("TRAIN", "TEST"),
        ("pets 2 train 3", "pets 2 test 3"),
        ("data/pets-train/0", "data/pets-test/0"),
        ("trainX", "testX"),
        ("0train0", "0test0"),
    ],
)
def test_a_files_name_says_its_part_anywhere(root: Path, look: Look, names: tuple[str, str]) -> None:
    for name in names:
        write_shard(root / f"{name}.parquet")
    assert counts(look(f"parquet:{root}")) == (10, 2, 12)


@pytest.mark.parametrize("name", ["holdout.parquet", "test.csv", "pets_val.arrow", "test.zip", "trainval-0.parquet"])
def test_a_file_beside_parts_that_is_not_understood_is_an_error_or_left_out(root: Path, look: Look, name: str) -> None:
    write_shard(root / "train.parquet")
    write_shard(root / "test.parquet")
    if name.endswith(".parquet"):
        write_shard(root / name)
    else:
        (root / name).write_text("something")
    with pytest.raises(DataError, match=rf"{name}: its name says no part to read"):
        look(f"parquet:{root}")
    known = look(f"parquet:{root}?unknown=skip")
    assert counts(known) == (10, 2, 12)
    assert known.findings.sentences() == (f"1 left out (not understood): {name}",)


@pytest.mark.parametrize("names", [("train", "train_test"), ("test/train-0", "test/test-0"), ("pets", "cars")])
def test_files_are_never_pooled_by_guessing(root: Path, look: Look, names: tuple[str, str]) -> None:
    for name in names:
        write_shard(root / f"{name}.parquet")
    with pytest.raises(DataError, match=r"'\?parts=no'"):
        look(f"parquet:{root}")
    assert sum(counts(look(f"parquet:{root}?parts=no"))) == 24


@pytest.mark.parametrize("names", [("0000", "0001"), ("data-00000-of-00002-a1b2", "data-00001-of-00002-c3d4")])
def test_shards_of_one_undivided_set_are_one(root: Path, look: Look, names: tuple[str, str]) -> None:
    for name in names:
        write_shard(root / f"{name}.parquet")
    assert sum(counts(look(f"parquet:{root}"))) == 24


@pytest.mark.parametrize(
    ("train", "validation", "test"),
    [("train", "dev", "eval"), ("Training", "Val", "Testing"), ("TRAIN", "VALID", "TEST")],
)
def test_arrays_have_parts_by_every_name(root: Path, look: Look, train: str, validation: str, test: str) -> None:
    root.mkdir()
    images, labels = np.zeros((12, 4, 4), np.uint8), np.arange(12) % 2
    arrays = {
        f"{part}_{role}": value for part in (train, validation, test) for role, value in (("x", images), ("y", labels))
    }
    np.savez(root / "some.npz", **arrays)
    assert counts(look(f"npz:{root / 'some.npz'}")) == (12, 12, 12)
    np.savez(root / "some.npz", x_holdout=images, mean=np.zeros(3), **arrays)
    with pytest.raises(DataError, match="x_holdout seem to be images or labels"):
        look(f"npz:{root / 'some.npz'}")
    known = look(f"npz:{root / 'some.npz'}?unknown=skip")
    assert known.findings.sentences() == ("arrays that are not used: x_holdout, mean",)


def test_a_split_that_is_said_elsewhere_is_not_passed_over(root: Path, look: Look) -> None:
    write_shard(root / "shards" / "some.parquet", split=["train", "test"] * COUNT)
    assert look(f"parquet:{root / 'shards'}").findings.sentences() == (
        "the column 'split' is not read: all rows are one undivided set",
    )
    for name in ("cat", "dog"):
        (root / name).mkdir()
        for index in range(COUNT):
            part = "train" if index < 4 else "test"
            (root / name / f"{part}_{index}.ppm").write_bytes(ppm(index))
    shutil.rmtree(root / "shards")
    with pytest.raises(DataError, match=r"the names of its images say parts, such as cat/test_4\.ppm; .*'\?parts=no'"):
        look(f"folder:{root}")
    assert sum(counts(look(f"folder:{root}?parts=no"))) == 2 * COUNT


# what each split must hold


@pytest.mark.parametrize("kind", ["folder", "parquet"])
def test_train_needs_every_class_and_the_others_do_not(root: Path, look: Look, kind: str) -> None:
    def write(parts: Iterable[tuple[str, tuple[str, ...]]]) -> str:
        shutil.rmtree(root, ignore_errors=True)
        for part, names in parts:
            if kind == "folder":
                write_folders(root, *(f"{part}/{name}" for name in names))
            else:
                labels = [name for name in names for _ in range(COUNT)]
                write_shard(root / f"{part}.parquet", labels=labels, count=len(labels))
        return f"{kind}:{root}"

    known = look(write([("train", ("a", "b", "c")), ("val", ("a", "c")), ("test", ("a", "b"))]))
    assert counts(known) == (18, 12, 12)
    assert known.findings.sentences() == ("validation has no image of b", "test has no image of c")
    with pytest.raises(DataError, match=r"not a class of train|no image of class 'c' to train on"):
        look(write([("train", ("a", "b")), ("test", ("a", "b", "c"))]))


# columns of labels


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (pa.array(["cat", "dog"] * COUNT).dictionary_encode(), ("cat", "dog")),
        (pa.array([3, 4] * COUNT).dictionary_encode(), ("3", "4")),
        (pa.array([False, True] * COUNT), ("false", "true")),
        (pa.array(["cat", "dog"] * COUNT, pa.string_view()), ("cat", "dog")),
        (pa.array(["cat", "dog"] * COUNT, pa.large_string()), ("cat", "dog")),
        (pa.array([0, 1] * COUNT, pa.uint8()), ("0", "1")),
        (pa.array([1, 2] * COUNT, pa.int16()), ("1", "2")),
    ],
    ids=str,
)
def test_labels_of_every_type_are_read(root: Path, look: Look, labels: Any, classes: tuple[str, ...]) -> None:
    write_shard(root / "some.parquet", labels=labels)
    assert look(f"parquet:{root}").classes == classes


@pytest.mark.parametrize("labels", [[0.0, 1.0] * COUNT, [[0], [1]] * COUNT, [b"a", b"b"] * COUNT])
def test_labels_of_other_types_are_a_question(root: Path, look: Look, labels: Any) -> None:
    write_shard(root / "some.parquet", labels=labels)
    with pytest.raises(DataError, match=r"some\.parquet: which column is the label\? There are image .*, label"):
        look(f"parquet:{root}")


def test_a_dictionary_may_hold_a_missing_value(root: Path, look: Look) -> None:
    write_shard(root / "some.parquet", labels=pa.array(["cat", None] * COUNT).dictionary_encode())
    with pytest.raises(DataError, match="lacks the label of some rows, 6 of 12"):
        look(f"parquet:{root}")


def test_missing_labels_of_a_whole_part_are_withheld(root: Path, look: Look) -> None:
    for part in ("train", "val"):
        write_shard(root / f"{part}.parquet")
    write_shard(root / "test.parquet", labels=pa.nulls(12, pa.int64()))
    assert look(f"parquet:{root}").findings.sentences()[0] == "the labels of test are withheld, so it is left out"


def test_a_file_without_the_column_is_named_with_it(root: Path, look: Look) -> None:
    write_shard(root / "train.parquet")
    table = pa.table({"image": [{"bytes": ppm(index), "path": None} for index in range(12)], "labels": [0, 1] * 6})
    write_table(table, root / "test.parquet")
    with pytest.raises(DataError, match=r"test\.parquet: has not one column 'label' .* as train\.parquet has"):
        look(f"parquet:{root}")


@pytest.mark.parametrize("about", [b"no JSON", b'{"info": {"features": null}}', b'{"info":' * 5000 + b"0", b"[]"])
def test_a_description_that_is_not_understood_is_refused(root: Path, look: Look, about: bytes) -> None:
    write_shard(root / "some.parquet")
    table = pa.parquet.read_table(root / "some.parquet").replace_schema_metadata({"huggingface": about})
    write_table(table, root / "some.parquet")
    with pytest.raises(DataError, match=r"some\.parquet: its description of the columns .* cannot be understood"):
        look(f"parquet:{root}")


# one image's problems


def make_fifo(path: Path) -> None:
    os.mkfifo(path)


def make_socket(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # the path of a socket may have 108 characters
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(here)


def make_sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(2**40)


def make_odd_exception(path: Path) -> None:
    file = io.BytesIO()
    Image.new("RGB", (64, 64), (9, 99, 199)).save(file, "AVIF")
    content = file.getvalue()
    start = content.index(b"mdat") + 4
    path.write_bytes(content[:start] + bytes(len(content) - start))  # a RuntimeError of its decoder


PROBLEMS: dict[str, tuple[Callable[[Path], None], str]] = {
    "dangling link": (lambda path: path.symlink_to("/nowhere/at all"), r"cannot be read \(No such file"),
    "link to itself": (lambda path: path.symlink_to(path.name), r"cannot be read \(Too many levels"),
    "link to a device": (lambda path: path.symlink_to("/dev/zero"), "is a device, not a file"),
    "named pipe": (make_fifo, "is a named pipe, not a file"),
    "socket": (make_socket, "is a socket, not a file"),
    "1 TB": (make_sparse, "has 1.1 TB, and at most"),
    "odd exception": (make_odd_exception, "cannot be read as an image"),
    "empty": (lambda path: path.touch(), "cannot identify image file"),
    "no pixels": (lambda path: path.write_bytes(b"P6 0 3 255\n") and None, "cannot be read as an image"),
    "program": (lambda path: path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n") and None, "cannot"),
}


@pytest.mark.parametrize("kind", PROBLEMS)
def test_what_is_wrong_with_one_image_is_its_own_problem(root: Path, look: Look, cache: Path, kind: str) -> None:
    write_folders(root, "cat", "dog")
    make, words = PROBLEMS[kind]
    make(root / "cat" / "bad.png")
    with pytest.raises(DataError, match=rf"1 of 13 images cannot be used: cat/bad\.png: .*{words}"):
        load_data(f"folder:{root}", resolution=4, cache=cache)
    known = look(f"folder:{root}?corrupt=skip")
    assert sum(counts(known)) == 12
    assert known.findings.skipped == 1
    (said,) = known.findings.sentences()
    assert said.startswith("1 image left out: cat/bad.png: ")
    assert load_data(f"folder:{root}?corrupt=skip", resolution=4, cache=cache).findings == known.findings


def test_a_file_that_may_not_be_read_is_one_images_problem(root: Path, look: Look) -> None:
    write_folders(root, "cat", "dog")
    (root / "cat" / "0.ppm").chmod(0)
    if os.access(root / "cat" / "0.ppm", os.R_OK):
        pytest.skip("whoever runs this may read everything")
    assert look(f"folder:{root}?corrupt=skip").findings.skipped == 1


@pytest.mark.parametrize("path", ["gone.png", "a\0b.png", "x" * 300 + ".png", "y/" * 3000 + "z.png"])
def test_a_path_that_leads_nowhere_is_one_images_problem(root: Path, look: Look, path: str) -> None:
    write_folders(root, "cat", "dog")
    images = [{"bytes": None, "path": f"{name}/{index}.ppm"} for index in range(COUNT) for name in ("cat", "dog")]
    table = pa.table({"image": [*images, {"bytes": None, "path": path}, {"bytes": None, "path": None}]})
    labels = pa.array([index % 2 for index in range(14)])
    write_table(table.append_column("label", labels), root / "some.parquet")
    with pytest.raises(
        DataError, match=r"2 of 14 images cannot be used: some\.parquet/12: .*cannot be read \("
    ) as caught:
        look(f"parquet:{root}")
    assert len(str(caught.value)) < 1000
    known = look(f"parquet:{root}?corrupt=skip")
    assert (sum(counts(known)), known.findings.skipped) == (12, 2)


@pytest.mark.parametrize("kind", ["folder", "npz", "parquet", "cifar10", "imagenet"])
def test_a_source_that_is_a_pipe_is_refused_at_once(tmp_path: Path, look: Look, kind: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="pipe: is a named pipe, not a file"):
        look(f"{kind}:{tmp_path / 'pipe'}")


@pytest.mark.parametrize("name", ["x" * 300, "a\0b", "x/" * 3000])
def test_a_path_that_no_system_has_is_refused(look: Look, name: str) -> None:
    with pytest.raises(DataError, match=r"cannot be read|no such file"):
        look(f"folder:/tmp/{name}")


def test_a_pipe_among_shards_is_refused_at_once(root: Path, look: Look) -> None:
    write_shard(root / "train.parquet")
    os.mkfifo(root / "test.parquet")
    with pytest.raises(DataError, match=r"test\.parquet: is a named pipe, not a file"):
        look(f"parquet:{root}")


# orientation and transparency


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_is_read_whatever_else_is_noted(tmp_path: Path, orientation: int) -> None:
    def entry(tag: int, kind: int, count: int, value: bytes) -> bytes:
        return struct.pack("<HHI", tag, kind, count) + value

    entries = [
        entry(0x10F, 11, 1, struct.pack("<f", 1.0)),  # the maker's name as a number
        entry(0x112, 3, 1, struct.pack("<HH", orientation, 0)),
        entry(0x9286, 7, 0xFFFFFF, struct.pack("<I", 0xFFFFFFF)),  # a comment far outside
    ]
    exif = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4)
    stored = Image.fromarray(np.kron(np.array([[0, 80], [160, 240]], np.uint8), np.ones((8, 8), np.uint8)))
    stored.save(tmp_path / "some.jpg", exif=exif, quality=95)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        read = PixelReader(lambda name: Image.open(tmp_path / name), side=16, channels=1)("some.jpg")[0]
    corners = [int(read[row, column]) // 60 for row in (4, 12) for column in (4, 12)]
    # Where the stored corners (upper left, upper right, lower left, lower right) are to be seen (Exif 3.0, 4.6.5).
    shown = {
        1: [0, 1, 2, 4], 2: [1, 0, 4, 2], 3: [4, 2, 1, 0], 4: [2, 4, 0, 1],
        5: [0, 2, 1, 4], 6: [2, 0, 4, 1], 7: [4, 1, 2, 0], 8: [1, 4, 0, 2],
    }  # fmt: skip
    assert corners == shown[orientation]


def test_transparent_images_are_composed_where_a_background_is_stated(root: Path, look: Look, cache: Path) -> None:
    write_folders(root, "cat", "dog")
    Image.new("RGBA", (8, 8), (200, 0, 0, 0)).save(root / "cat" / "clear.png")
    Image.new("P", (8, 8)).save(root / "cat" / "palette.png", transparency=0)
    plain, white, red = (
        look(f"folder:{root}{option}") for option in ("", "?background=white", "?background=%23ff0000")
    )
    assert len({plain.fingerprint, white.fingerprint, red.fingerprint}) == 3
    assert "2 images with transparency composed onto the background" in white.findings.sentences()
    for option, pixel in (("", (200, 0, 0)), ("?background=white", (255, 255, 255)), ("?background=navy", (0, 0, 128))):
        read = PixelReader(open_source(f"folder:{root}{option}").opener(), side=4, channels=3)
        assert tuple(read("cat/clear.png")[:, 0, 0]) == pixel
    with pytest.raises(DataError, match=r"background takes a colour, such as 'white' or '#ff8000', not 'moon'"):
        look(f"folder:{root}?background=moon")


def test_a_background_changes_nothing_where_nothing_is_transparent(root: Path, look: Look) -> None:
    write_folders(root, "cat", "dog")
    plain, white = look(f"folder:{root}"), look(f"folder:{root}?background=white")
    assert (plain.fingerprint, plain.findings) == (white.fingerprint, white.findings)


def test_gray_images_stay_gray_on_gray_alone(root: Path, look: Look) -> None:
    for index in range(COUNT):
        for name in ("cat", "dog"):
            (root / name).mkdir(parents=True, exist_ok=True)
            Image.new("LA", (4, 4), (9 * index, 100)).save(root / name / f"{index}.png")
    assert [look(f"folder:{root}?background={colour}").channels for colour in ("white", "red")] == [1, 3]


# folders


def test_folders_in_a_class_are_read_or_refused(root: Path, look: Look) -> None:
    write_folders(root, *(f"{part}/{name}/images/day 1" for part in ("train", "test") for name in ("n01", "n02")))
    known = look(f"folder:{root}")
    assert (known.classes, counts(known)) == (("n01", "n02"), (10, 2, 12))
    with pytest.raises(DataError, match=r"train/n01: holds folders \(images, images/day 1\)") as caught:
        look(f"folder:{root}?nested=no")
    assert "delete" not in str(caught.value)


def test_a_link_in_a_circle_is_refused(root: Path, look: Look) -> None:
    write_folders(root, "cat", "dog")
    (root / "cat" / "all").symlink_to(root)
    with pytest.raises(DataError, match="is a link to a folder that it is in"):
        look(f"folder:{root}")


def test_very_deep_folders_are_read(root: Path, look: Look) -> None:
    write_folders(root, "cat", "dog")
    deep = root / "cat" / "/".join(["d"] * 300)
    os.makedirs(deep)
    (deep / "0.ppm").write_bytes(ppm(1))
    assert sum(counts(look(f"folder:{root}"))) == 13


@pytest.mark.parametrize("name", ["café", "Ångström", "한국어"])
def test_names_compare_however_their_accents_are_written(root: Path, look: Look, name: str) -> None:
    composed, apart = (unicodedata.normalize(form, name) for form in ("NFC", "NFD"))
    write_folders(root, f"train/{composed}", "train/dog", f"test/{apart}", "test/dog")
    known = look(f"folder:{root}")
    assert set(known.classes) == {composed, "dog"}
    assert counts(known) == (10, 2, 12)


def test_what_systems_leave_is_left_out_everywhere(root: Path, look: Look) -> None:
    divided(root)
    clean = look(f"folder:{root}")
    for folder in (root, root / "train", root / "train" / "cat"):
        (folder / "__MACOSX" / "cat").mkdir(parents=True)
        for name in ("._0.ppm", ".DS_Store", "Thumbs.db", "desktop.ini", "__MACOSX/cat/._0.ppm"):
            (folder / name).write_bytes(b"\0")
    known = look(f"folder:{root}")
    assert known.fingerprint == clean.fingerprint
    assert known.findings.skipped == 0
    (said,) = known.findings.sentences()
    assert said.startswith("9 left out (put there by an operating system): Thumbs.db")
    for part in ("train", "test"):
        write_shard(root / "shards" / f"{part}.parquet")
        (root / "shards" / f"._{part}.parquet").write_bytes(b"\0")
        (root / "shards" / "__MACOSX").mkdir(exist_ok=True)
        (root / "shards" / "__MACOSX" / f"{part}.parquet").write_bytes(b"\0")
    assert counts(look(f"parquet:{root / 'shards'}")) == (10, 2, 12)


@pytest.mark.parametrize("name", [b"caf\xe9", b"two\nlines", b"\x1b[31mred", "😀".encode()])
def test_names_of_any_bytes_are_read(root: Path, look: Look, cache: Path, name: bytes) -> None:
    write_folders(root, "cat", "dog")
    here = os.fsencode(root)
    os.rename(here + b"/cat", here + b"/" + name)
    (root / os.fsdecode(name) / "bad.png").touch()
    with pytest.raises(DataError, match=r"1 of 13 images cannot be used") as caught:
        look(f"folder:{root}")
    assert str(caught.value).isprintable()
    data = load_data(f"folder:{root}?corrupt=skip", resolution=4, cache=cache)
    assert os.fsdecode(name) in data.classes


# facts about a source


def test_findings_are_those_of_the_source_as_it_is(root: Path, tmp_path: Path, cache: Path) -> None:
    def said(path: Path) -> tuple[str, ...]:
        return load_data(f"folder:{path}?corrupt=skip", resolution=4, cache=cache).findings.sentences()

    one, two = write_folders(root, "cat", "dog"), write_folders(tmp_path / "two", "cat", "dog")
    (one / "cat" / "bad.jpg").write_text("junk")
    assert [words[:16] for words in said(one)] == ["1 image left out"]
    assert not said(two)
    (one / "cat" / "bad.jpg").unlink()
    assert not said(one)
    for index in range(3):
        (two / "cat" / f"bad{index}.jpg").write_text("junk")
    assert [words[:17] for words in said(two)] == ["3 images left out"]


def test_a_change_that_keeps_size_and_time_is_seen(root: Path, look: Look) -> None:
    write_folders(root, "cat", "dog")
    known, file = look(f"folder:{root}"), root / "cat" / "0.ppm"
    times = file.stat().st_atime_ns, file.stat().st_mtime_ns
    file.write_bytes(ppm(77))
    os.utime(file, ns=times)
    assert look(f"folder:{root}").fingerprint != known.fingerprint


def test_a_change_behind_a_path_is_seen_where_the_first_images_are_stored_whole(root: Path, look: Look) -> None:
    write_folders(root, "cat")
    images = [{"bytes": ppm(100 + index), "path": "/anywhere/else.png"} for index in range(6)]
    images += [{"bytes": None, "path": f"cat/{index}.ppm"} for index in range(6)]
    write_table(pa.table({"image": images, "label": [0, 1] * 6}), root / "some.parquet")
    known = look(f"parquet:{root}")
    (root / "cat" / "3.ppm").write_bytes(ppm(222))
    assert look(f"parquet:{root}").fingerprint != known.fingerprint
