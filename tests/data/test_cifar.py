from __future__ import annotations

import tarfile
from pathlib import Path

import numpy as np
import pytest
import python2_pickles as python2
from numpy.typing import NDArray

from nas.data import describe, load_data
from nas.errors import DataError

BATCHES = [f"data_batch_{number}" for number in range(1, 6)] + ["test_batch"]
CLASSES = ["airplane", "automobile", "bird"]
IMAGES = 30
"""In each file."""


def drawn(seed: int) -> tuple[NDArray[np.uint8], list[int], list[int]]:
    """Pixels as rows of planes, and fine and coarse labels."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (IMAGES, 3072), dtype=np.uint8)
    return pixels, [index % 3 for index in range(IMAGES)], [index % 2 for index in range(IMAGES)]


@pytest.fixture
def cifar10(tmp_path: Path) -> tuple[Path, Path]:
    """The same images in the pickled and in the binary layout."""
    pickled, binary = tmp_path / "cifar-10-batches-py", tmp_path / "cifar-10-batches-bin"
    pickled.mkdir()
    binary.mkdir()
    for seed, name in enumerate(BATCHES):
        pixels, labels, _ = drawn(seed)
        files = [b"%d.png" % index for index in range(IMAGES)]
        about = {b"batch_label": b"some", b"labels": labels, b"data": pixels, b"filenames": files}
        (pickled / name).write_bytes(python2.dumps(about))
        (binary / f"{name}.bin").write_bytes(np.column_stack([np.uint8(labels), pixels]).tobytes())
    names = [name.encode() for name in CLASSES]
    meta = {b"num_cases_per_batch": IMAGES, b"label_names": names, b"num_vis": 3072}
    (pickled / "batches.meta").write_bytes(python2.dumps(meta))
    (binary / "batches.meta.txt").write_text("\n".join([*CLASSES, "", ""]))
    return pickled, binary


@pytest.fixture
def cifar100(tmp_path: Path) -> tuple[Path, Path]:
    pickled, binary = tmp_path / "cifar-100-python", tmp_path / "cifar-100-binary"
    pickled.mkdir()
    binary.mkdir()
    for seed, name in enumerate(("train", "test")):
        pixels, fine, coarse = drawn(seed)
        about = {b"data": pixels, b"fine_labels": fine, b"coarse_labels": coarse}
        (pickled / name).write_bytes(python2.dumps(about))
        (binary / f"{name}.bin").write_bytes(np.column_stack([np.uint8(coarse), np.uint8(fine), pixels]).tobytes())
    names = {b"fine_label_names": [b"apple", b"bear", b"can"], b"coarse_label_names": [b"alive", b"dead"]}
    (pickled / "meta").write_bytes(python2.dumps(names))
    for key, some in names.items():
        (binary / f"{key.decode()}.txt").write_bytes(b"\n".join(some))
    return pickled, binary


def test_both_layouts_are_the_same_data_set(cifar10: tuple[Path, Path], cache: Path) -> None:
    pickled, binary = (describe(f"cifar10:{path}", cache=cache) for path in cifar10)
    assert pickled.fingerprint == binary.fingerprint
    assert pickled.classes == tuple(CLASSES)
    assert (pickled.train, pickled.validation, pickled.test) == (135, 15, 30)
    assert (pickled.channels, pickled.flippable) == (3, True)


@pytest.mark.parametrize("layout", [0, 1])
def test_images_are_red_green_and_blue_planes(cifar10: tuple[Path, Path], cache: Path, layout: int) -> None:
    data = load_data(f"cifar10:{cifar10[layout]}", resolution=32, cache=cache)
    pixels, labels, _ = drawn(5)
    np.testing.assert_array_equal(data.test.images.reshape(IMAGES, 3072), pixels)
    assert data.test.labels.tolist() == labels


@pytest.mark.parametrize(("layout", "archive"), [(0, "cifar-10-python.tar.gz"), (1, "cifar-10-binary.tar.gz")])
def test_the_archive_is_read_as_it_is_downloaded(
    cifar10: tuple[Path, Path], tmp_path: Path, cache: Path, layout: int, archive: str
) -> None:
    downloads = tmp_path / "downloads"
    downloads.mkdir()
    with tarfile.open(downloads / archive, "w:gz") as made:
        made.add(cifar10[layout], cifar10[layout].name)
    unpacked = load_data(f"cifar10:{cifar10[layout]}", resolution=4, cache=cache)
    for path in (downloads, downloads / archive):
        packed = load_data(f"cifar10:{path}", resolution=4, cache=tmp_path / "another cache")
        assert packed.fingerprint == unpacked.fingerprint
        np.testing.assert_array_equal(packed.train.images, unpacked.train.images)
    (downloads / archive).write_bytes((downloads / archive).read_bytes()[:-2000])
    with pytest.raises(DataError, match="is no whole archive"):
        describe(f"cifar10:{downloads}", cache=cache)


def test_the_folder_around_the_layout_will_do(cifar10: tuple[Path, Path], tmp_path: Path, cache: Path) -> None:
    assert describe(f"cifar10:{tmp_path}", cache=cache).train == 135


@pytest.mark.parametrize("layout", [0, 1])
def test_either_label_of_cifar100_is_taken(cifar100: tuple[Path, Path], cache: Path, layout: int) -> None:
    reference = f"cifar100:{cifar100[layout]}"
    fine, coarse = (load_data(f"{reference}{option}", resolution=4, cache=cache) for option in ("", "?label=coarse"))
    _, fine_labels, coarse_labels = drawn(1)
    assert (fine.classes, coarse.classes) == (("apple", "bear", "can"), ("alive", "dead"))
    assert (fine.test.labels.tolist(), coarse.test.labels.tolist()) == (fine_labels, coarse_labels)
    assert fine.fingerprint != coarse.fingerprint
    assert describe(f"{reference}?label=fine", cache=cache).fingerprint == fine.fingerprint


def test_content_and_labels_are_in_the_fingerprint(cifar10: tuple[Path, Path], cache: Path) -> None:
    _, binary = cifar10
    known = describe(f"cifar10:{binary}", cache=cache).fingerprint
    file = binary / "test_batch.bin"
    content = bytearray(file.read_bytes())
    for place in (0, 1):  # a label, a pixel
        content[place] = (content[place] + 1) % 3
        file.write_bytes(content)
        fresh = describe(f"cifar10:{binary}", cache=cache).fingerprint
        assert fresh != known
        known = fresh


def test_a_wrong_file_is_named(cifar10: tuple[Path, Path], cifar100: tuple[Path, Path], cache: Path) -> None:
    pickled, binary = cifar10
    with pytest.raises(DataError, match="holds not all files of cifar-100-python/"):
        describe(f"cifar100:{pickled}", cache=cache)
    (binary / "data_batch_3.bin").write_bytes(b"\0" * 3074)
    with pytest.raises(DataError, match=r"data_batch_3\.bin: is no whole number of images"):
        describe(f"cifar10:{binary}", cache=cache)
    (pickled / "data_batch_2").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    with pytest.raises(DataError, match=r"data_batch_2: asks for os\.system"):
        describe(f"cifar10:{pickled}", cache=cache)
    (binary / "data_batch_3.bin").write_bytes(b"\7" * 3073)
    with pytest.raises(DataError, match="has labels beyond the 3 classes"):
        describe(f"cifar10:{binary}", cache=cache)
