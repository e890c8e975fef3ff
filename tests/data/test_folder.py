from __future__ import annotations

import os
import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nas.data import describe, load_data, open_source
from nas.data.images import PixelReader
from nas.errors import DataError

Write = Callable[..., Path]


def counts(reference: str, cache: Path) -> tuple[int, int, int]:
    known = describe(reference, cache=cache)
    return known.train, known.validation, known.test


def test_bare_class_folders_are_split(write_images: Write, cache: Path) -> None:
    path = write_images("cat", "dog")
    assert counts(f"folder:{path}", cache) == (12, 4, 4)
    assert describe(f"folder:{path}", cache=cache).classes == ("cat", "dog")


def test_validation_is_held_out_of_train(write_images: Write, cache: Path) -> None:
    path = write_images("train/cat", "train/dog", "test/cat", "test/dog", count=20)
    assert counts(f"folder:{path}", cache) == (36, 4, 40)


@pytest.mark.parametrize("name", ["val", "validation"])
def test_validation_is_taken_where_it_is_given(write_images: Write, cache: Path, name: str) -> None:
    path = write_images(*(f"{split}/{label}" for split in ("train", "test", name) for label in "ab"))
    assert counts(f"folder:{path}", cache) == (20, 20, 20)


def test_images_are_resized_with_their_labels(write_images: Write, cache: Path) -> None:
    path = write_images("train/black", "train/white", "test/black", "test/white", count=0)
    for split in ("train", "test"):
        for index in range(10):
            Image.new("RGB", (40, 30), "black").save(path / split / "black" / f"{index}.jpg")
            Image.new("RGB", (30, 40), "white").save(path / split / "white" / f"{index}.jpg")
    data = load_data(f"folder:{path}", resolution=16, cache=cache)
    assert data.train.images.shape == (18, 3, 16, 16)
    for split in (data.train, data.validation, data.test):
        np.testing.assert_array_equal(split.images.mean(axis=(1, 2, 3)), split.labels * 255)


def test_the_centre_of_the_shorter_side_is_kept(write_images: Write, cache: Path) -> None:
    path = write_images("a", "b", count=5)
    for file in path.glob("*/*.png"):
        pixels = np.zeros((4, 8), dtype=np.uint8)
        pixels[:, 2:6] = 255
        Image.fromarray(pixels).save(file)
    assert load_data(f"folder:{path}", resolution=4, cache=cache).train.images.min() == 255


@pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("1", 1), ("LA", 1), ("RGB", 3), ("RGBA", 3), ("P", 3)])
def test_channels_follow_the_images(write_images: Write, cache: Path, mode: str, channels: int) -> None:
    reference = f"folder:{write_images('a', 'b', mode=mode)}"
    data = load_data(reference, resolution=4, cache=cache)
    assert describe(reference, cache=cache).channels == data.channels == data.train.images.shape[1] == channels
    assert len(data.mean) == len(data.std) == channels


def test_one_colour_image_makes_all_of_them_colour(write_images: Write, cache: Path) -> None:
    path = write_images("a", "b", mode="L")
    Image.new("RGB", (8, 8), "red").save(path / "a" / "0.png")
    assert describe(f"folder:{path}", cache=cache).channels == 3


def test_a_transparent_palette_is_read_without_a_warning(write_images: Write, cache: Path) -> None:
    path = write_images("a", "b")
    Image.new("P", (8, 8)).save(path / "a" / "0.png", transparency=b"\x00\xff")
    assert load_data(f"folder:{path}", resolution=4, cache=cache).channels == 3


def test_a_rotated_photograph_is_put_upright(write_images: Write, cache: Path) -> None:
    path = write_images("a", "b", count=0)
    pixels = np.zeros((8, 8), dtype=np.uint8)
    pixels[:4] = 255  # the upper half is white; orientation 3 turns it by 180 degrees
    exif = Image.Exif()
    exif[0x0112] = 3
    for folder in ("a", "b"):
        for index in range(3):
            Image.fromarray(pixels).save(path / folder / f"{index}.jpg", exif=exif, quality=100)
    image = load_data(f"folder:{path}", resolution=8, cache=cache).train.images[0, 0]
    assert image[:3].max() < 20
    assert image[-3:].min() > 235


def test_hidden_files_are_no_images(write_images: Write, cache: Path) -> None:
    path = write_images("a", "b")
    (path / "a" / ".DS_Store").write_bytes(b"what a file manager leaves")
    (path / ".git").mkdir()
    (path / "README.md").write_text("About these images")
    assert describe(f"folder:{path}", cache=cache).classes == ("a", "b")


def test_fingerprint_follows_content_not_place_or_time(write_images: Write, cache: Path, tmp_path: Path) -> None:
    path = write_images("a", "b")
    known = describe(f"folder:{path}", cache=cache).fingerprint
    copy = Path(shutil.copytree(path, tmp_path / "copy", copy_function=shutil.copyfile))
    assert describe(f"folder:{copy}", cache=cache).fingerprint == known

    file = copy / "a" / "3.png"
    time, pixels = file.stat().st_mtime_ns, np.asarray(Image.open(file)).copy()
    pixels[0, 0] ^= 1
    Image.fromarray(pixels).save(file)
    os.utime(file, ns=(time + 1, time + 1))
    assert describe(f"folder:{copy}", cache=cache).fingerprint != known

    (path / "a" / "3.png").rename(path / "a" / "another name.png")
    assert describe(f"folder:{path}", cache=cache).fingerprint != known


def test_reference_is_absolute(write_images: Write, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_images("a", "b")
    monkeypatch.chdir(path.parent)
    assert describe(f"folder:{path.name}", cache=cache).reference == f"folder:{path}"


def test_progress_counts_the_files(write_images: Write, cache: Path) -> None:
    path = write_images("a", "b", count=150)
    seen: list[tuple[int, int]] = []
    load_data(f"folder:{path}", resolution=4, cache=cache, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(128, 300), (256, 300), (300, 300)] * 2  # once to identify them, once to decode them


def test_a_folder_needs_a_path() -> None:
    with pytest.raises(DataError, match="write 'folder:PATH'"):
        describe("folder")


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere: no such file or folder"):
        describe(f"folder:{tmp_path / 'nowhere'}")


@pytest.mark.parametrize(
    ("folders", "words"),
    [
        (["only"], r"only one class folder \(only\)"),
        (["train/a", "train/b"], r"no test part; .* '\?test=0\.2'"),
        (["train/a", "train/b", "test/a", "test/b", "test/c"], "test/c: not a class"),
    ],
)
def test_a_wrong_layout_is_explained(write_images: Write, cache: Path, folders: list[str], words: str) -> None:
    path = write_images(*folders)
    with pytest.raises(DataError, match=words):
        describe(f"folder:{path}", cache=cache)


def test_an_empty_folder_is_explained(tmp_path: Path, cache: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no class folder"):
        describe(f"folder:{tmp_path / 'empty'}", cache=cache)


def test_an_empty_class_is_named(write_images: Write, cache: Path) -> None:
    path = write_images("a", "b")
    (path / "c").mkdir()
    with pytest.raises(DataError, match="images/c: no image in this class folder"):
        describe(f"folder:{path}", cache=cache)


def test_a_class_too_small_to_split_is_named(write_images: Write, cache: Path) -> None:
    path = write_images("a", "b", count=2)
    with pytest.raises(DataError, match="images: class 'a' has too few images"):
        describe(f"folder:{path}", cache=cache)


def test_a_file_that_is_no_image_is_named(write_images: Write, cache: Path) -> None:
    path = write_images("a", "b")
    (path / "b" / "notes.txt").write_text("not an image")
    with pytest.raises(DataError, match=r"b/notes\.txt: cannot be read as an image"):
        describe(f"folder:{path}", cache=cache)


def test_a_damaged_image_is_named(write_images: Write, cache: Path) -> None:
    path = write_images("a", "b")
    file = path / "a" / "7.png"
    file.write_bytes(file.read_bytes()[:-60])
    with pytest.raises(DataError, match=r"a/7\.png: cannot be read as an image"):
        load_data(f"folder:{path}", resolution=4, cache=cache)
    assert not [entry for entry in (cache / "images").iterdir() if entry.is_dir()]


def test_an_image_of_16_bits_is_named(write_images: Write, cache: Path) -> None:
    path = write_images("a", "b")
    Image.fromarray(np.zeros((8, 8), dtype=np.uint16)).save(path / "a" / "0.png")
    with pytest.raises(DataError, match=r"a/0\.png: .* not 8 bits a channel"):
        describe(f"folder:{path}", cache=cache)


def test_a_file_that_cannot_be_read_is_named(write_images: Write, cache: Path) -> None:
    path = write_images("a", "b")
    (path / "a" / "broken link.png").symlink_to(path / "nowhere")
    with pytest.raises(DataError, match=r"broken link\.png: cannot be read"):
        describe(f"folder:{path}", cache=cache)


def test_a_part_called_val_alone_is_the_test_split(write_images: Write, cache: Path) -> None:
    path = write_images("train/a", "train/b", "val/a", "val/b", count=20)
    assert counts(f"folder:{path}", cache) == (36, 4, 40)
    assert counts(f"folder:{path}?test=0.25", cache) == (30, 40, 10)
    (remark,) = describe(f"folder:{path}", cache=cache).findings.sentences()
    assert "the validation part is the test split" in remark


def test_a_stated_split_changes_the_fingerprint_and_nothing_else(write_images: Write, cache: Path) -> None:
    path = write_images("a", "b", count=20)
    plain, stated = (describe(f"folder:{path}{options}", cache=cache) for options in ("", "?validation=0.1&test=0.3"))
    assert (stated.train, stated.validation, stated.test) == (24, 4, 12)
    assert stated.reference == f"folder:{path}?validation=0.1&test=0.3"
    assert plain.fingerprint != stated.fingerprint
    assert describe(f"folder:{path}?validation=0.2&test=0.2", cache=cache).fingerprint == plain.fingerprint
    assert describe(f"folder:{path}?seed=1", cache=cache).fingerprint not in (plain.fingerprint, stated.fingerprint)


def test_what_may_not_be_mirrored_is_another_data_set(write_images: Write, cache: Path) -> None:
    reference = f"folder:{write_images('a', 'b')}"
    still = describe(f"{reference}?flip=no", cache=cache)
    assert not still.flippable
    assert not load_data(f"{reference}?flip=no", resolution=4, cache=cache).flippable
    assert still.fingerprint != describe(reference, cache=cache).fingerprint


@pytest.fixture
def damaged(write_images: Write) -> Path:
    """Two times 20 images, of which seven cannot be used, three of them by their headers."""
    path = write_images("a", "b", count=20)
    (path / "a" / "0.png").write_text("not an image")
    (path / "a" / "1.png").write_bytes(b"")
    Image.fromarray(np.zeros((8, 8), dtype=np.uint16)).save(path / "a" / "2.png")
    for index in range(4):
        file = path / "b" / f"{index}.png"
        file.write_bytes(file.read_bytes()[:-60])
    return path


def test_images_that_cannot_be_used_are_counted_and_named(damaged: Path, cache: Path) -> None:
    with pytest.raises(DataError, match=r"3 of 40 images cannot be used: a/0\.png: .*; a/1\.png: .*; a/2\.png: "):
        describe(f"folder:{damaged}", cache=cache)
    shutil.rmtree(damaged / "a")
    (damaged / "a").mkdir()
    for index in range(20):
        Image.new("RGB", (8, 8)).save(damaged / "a" / f"{index}.png")
    with pytest.raises(DataError, match=r"4 of 40 images cannot be used: b/0\.png: cannot be read .*'\?corrupt=skip'"):
        load_data(f"folder:{damaged}", resolution=4, cache=cache)


def test_images_that_cannot_be_used_are_skipped_where_that_is_asked(damaged: Path, cache: Path) -> None:
    reference = f"folder:{damaged}?corrupt=skip"
    known, data = describe(reference, cache=cache), load_data(reference, resolution=4, cache=cache)
    assert known.train + known.validation + known.test == 33
    assert known.findings.skipped == data.findings.skipped == 7
    assert known.findings.skipped_names[0] == "a/0.png: cannot be read as an image (cannot identify image file)"
    (sentence,) = data.findings.sentences()
    assert sentence.startswith("7 images left out: a/0.png: ")
    assert sentence.endswith("; and 2 more")
    again = load_data("nowhere", resolution=4, cache=cache, expected=data.fingerprint)
    assert not again.findings.sentences()  # they are about the source, and it was not looked at


def test_skipping_leaves_the_same_data_as_deleting(damaged: Path, cache: Path) -> None:
    skipping = load_data(f"folder:{damaged}?corrupt=skip", resolution=4, cache=cache)
    for name in ("a/0", "a/1", "a/2", "b/0", "b/1", "b/2", "b/3"):
        (damaged / f"{name}.png").unlink()
    deleting = load_data(f"folder:{damaged}", resolution=4, cache=cache)
    assert skipping.fingerprint == deleting.fingerprint
    np.testing.assert_array_equal(skipping.train.images, deleting.train.images)


@pytest.mark.parametrize(
    ("mode", "saved", "colour"),
    [
        ("CMYK", (255, 0, 0, 0), (0, 255, 255)),
        ("CMYK", (0, 0, 0, 255), (0, 0, 0)),
        ("L", 77, (77, 77, 77)),
        ("LA", (77, 0), (77, 77, 77)),
        ("RGBA", (10, 20, 30, 0), (10, 20, 30)),
        ("1", 1, (255, 255, 255)),
        ("P", 2, (255, 200, 0)),
    ],
)
def test_what_is_not_rgb_is_converted_and_counted(
    write_images: Write, cache: Path, mode: str, saved: int | tuple[int, ...], colour: tuple[int, ...]
) -> None:
    path = write_images("a", "b")
    image = Image.new(mode, (8, 8), saved)
    if mode == "P":
        image.putpalette([0, 0, 0, 1, 1, 1, 255, 200, 0])
    file = path / "a" / ("0.tif" if mode == "CMYK" else "0.bmp" if mode == "1" else "0.png")
    image.save(file)
    name = f"a/{file.name}"
    if file.name != "0.png":
        (path / "a" / "0.png").unlink()
    source = open_source(f"folder:{path}")
    pixels = PixelReader(source.opener(), side=4, channels=3)(name)
    np.testing.assert_array_equal(pixels, np.broadcast_to(np.array(colour)[:, None, None], (3, 4, 4)))
    findings = describe(f"folder:{path}", cache=cache).findings
    assert (findings.converted, findings.converted_names) == ({mode: 1}, (name,))
    assert findings.sentences() == (f"1 image converted (1 of mode {mode}): {name}",)


def test_16_bit_colour_is_read_by_its_higher_byte(write_images: Write) -> None:
    path = write_images("a", "b")
    rows = b"".join(b"\0" + struct.pack(">3H", 0x1234, 0xABCD, 0x00FF) * 4 for _ in range(4))

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", 4, 4, 16, 2, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    (path / "a" / "0.png").write_bytes(png)
    pixels = PixelReader(open_source(f"folder:{path}").opener(), side=4, channels=3)("a/0.png")
    assert pixels[:, 0, 0].tolist() == [0x12, 0xAB, 0x00]
