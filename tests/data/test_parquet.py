from __future__ import annotations

import io
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image
from pyarrow.parquet import write_table

from nas.data import describe, load_data, open_source
from nas.data.parquet_files import Rows
from nas.errors import DataError

COUNT = 20
LABELS = [index % 2 for index in range(COUNT)]


def png(value: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (5, 4), (value, 2 * value, 100)).save(file, "PNG")
    return file.getvalue()


PNGS = [png(index) for index in range(COUNT)]


def features(**described: dict[str, Any]) -> dict[bytes, bytes]:
    """What the hub's libraries write beside the columns."""
    return {b"huggingface": json.dumps({"info": {"features": described}}).encode()}


def write(
    file: Path, images: Sequence[Any] | None = None, labels: Any = None, *, image: str = "image", label: str = "label",
    about: dict[bytes, bytes] | None = None, rows: int = 7,
) -> None:  # fmt: skip
    file.parent.mkdir(parents=True, exist_ok=True)
    given = [{"bytes": content, "path": "some.png"} for content in PNGS] if images is None else images
    table = pa.table({"index": list(range(len(given))), image: given, label: LABELS if labels is None else labels})
    write_table(table.replace_schema_metadata(about), file, row_group_size=rows)


def counts(reference: str, cache: Path) -> tuple[int, int, int]:
    known = describe(reference, cache=cache)
    return known.train, known.validation, known.test


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ([f"data/{name}.parquet" for name in ("train-00000-of-00002", "train-00001-of-00002", "test-0")], (36, 4, 20)),
        (["train-0-a1b2.parquet", "validation-0-c3.parquet", "test-0.parquet"], (20, 20, 20)),
        (["default/train/0000.parquet", "default/valid/0000.parquet"], (18, 2, 20)),
        (["plain.parquet"], (12, 4, 4)),
        (["trainees.parquet"], (12, 4, 4)),
    ],
)  # fmt: skip
def test_parts_follow_the_names_of_files(
    tmp_path: Path, cache: Path, files: list[str], expected: tuple[int, ...]
) -> None:
    for file in files:
        write(tmp_path / "set" / file)
    assert counts(f"parquet:{tmp_path / 'set'}", cache) == expected


def test_one_file_will_do(tmp_path: Path, cache: Path) -> None:
    write(tmp_path / "train" / "some.parquet")
    assert counts(f"parquet:{tmp_path / 'train' / 'some.parquet'}", cache) == (12, 4, 4)


def as_paths(folder: Path) -> list[str]:
    (folder / "images").mkdir(parents=True)
    for index, content in enumerate(PNGS):
        (folder / "images" / f"{index}.png").write_bytes(content)
    return [f"images/{index}.png" for index in range(COUNT)]


@pytest.mark.parametrize("form", ["struct", "bytes", "large bytes", "path", "struct of path"])
def test_every_form_of_image_gives_the_same_pixels(tmp_path: Path, cache: Path, form: str) -> None:
    forms: dict[str, Any] = {
        "struct": None,
        "bytes": pa.array(PNGS),
        "large bytes": pa.array(PNGS, pa.large_binary()),
        "path": as_paths(tmp_path),
        "struct of path": [{"bytes": None, "path": f"images/{index}.png"} for index in range(COUNT)],
    }
    write(tmp_path / "train.parquet", forms[form])
    write(tmp_path / "test.parquet", forms[form])
    data = load_data(f"parquet:{tmp_path}", resolution=4, cache=cache)
    expected = [np.array(Image.open(io.BytesIO(content)).convert("RGB"))[0, 0] for content in PNGS]
    np.testing.assert_array_equal(data.test.images[:, :, 0, 0], expected)
    assert data.test.labels.tolist() == LABELS


def test_a_change_behind_a_path_is_seen(tmp_path: Path, cache: Path) -> None:
    write(tmp_path / "some.parquet", as_paths(tmp_path))
    known = describe(f"parquet:{tmp_path}", cache=cache)
    (tmp_path / "images" / "3.png").write_bytes(png(77))
    assert describe(f"parquet:{tmp_path}", cache=cache).fingerprint != known.fingerprint
    (tmp_path / "images" / "4.png").unlink()
    with pytest.raises(DataError, match=r"images/4\.png: cannot be read"):
        describe(f"parquet:{tmp_path}", cache=cache)


@pytest.mark.parametrize("prefix", ["..", "data/../..", "{folder}"])
def test_paths_that_leave_the_folder_are_refused(tmp_path: Path, cache: Path, prefix: str) -> None:
    names = as_paths(tmp_path)
    write(tmp_path / "set" / "some.parquet", [f"{prefix.format(folder=tmp_path)}/{name}" for name in names])
    with pytest.raises(DataError, match=r"some\.parquet: the image '.*/0\.png' is outside the data set's folder"):
        describe(f"parquet:{tmp_path / 'set'}", cache=cache)


@pytest.mark.parametrize("prefix", ["..", "{folder}", "link"])
def test_paths_that_stay_in_the_folder_are_followed(tmp_path: Path, cache: Path, prefix: str) -> None:
    names = as_paths(tmp_path)
    write(tmp_path / "data" / "some.parquet", [f"{prefix.format(folder=tmp_path)}/{name}" for name in names])
    (tmp_path / "data" / "link").symlink_to(tmp_path)
    assert counts(f"parquet:{tmp_path}", cache) == (12, 4, 4)


def test_the_hubs_description_names_columns_and_classes(tmp_path: Path, cache: Path) -> None:
    about = features(
        picture={"_type": "Image"},
        kind={"_type": "ClassLabel", "names": ["cat", "dog", "eel"]},
        index={"_type": "Value"},
    )
    write(tmp_path / "train.parquet", image="picture", label="kind", labels=[*LABELS[:-1], 2], about=about)
    write(tmp_path / "test.parquet", image="picture", label="kind", about=about)
    with pytest.raises(DataError, match="class 'eel' has too few images"):
        describe(f"parquet:{tmp_path}", cache=cache)
    write(tmp_path / "train.parquet", image="picture", label="kind", labels=[*LABELS[:-2], 2, 2], about=about)
    assert describe(f"parquet:{tmp_path}", cache=cache).classes == ("cat", "dog", "eel")


def test_labels_may_be_names(tmp_path: Path, cache: Path) -> None:
    write(tmp_path / "train.parquet", labels=["dog" if label else "cat" for label in LABELS])
    write(tmp_path / "test.parquet", labels=["cat"] * COUNT)
    data = load_data(f"parquet:{tmp_path}", resolution=4, cache=cache)
    assert data.classes == ("cat", "dog")
    assert set(data.test.labels.tolist()) == {0}


def test_several_labels_are_a_question(tmp_path: Path, cache: Path) -> None:
    about = features(**{f"{kind}_label": {"_type": "ClassLabel", "names": ["a", "b"]} for kind in ("fine", "coarse")})
    table = pa.table({"img": pa.array(PNGS), "fine_label": LABELS, "coarse_label": LABELS[::-1]})
    write_table(table.replace_schema_metadata(about), tmp_path / "some.parquet")
    with pytest.raises(DataError, match=r"which column is the label\? .* name one with the option '\?label=NAME'"):
        describe(f"parquet:{tmp_path}", cache=cache)
    fine, coarse = (describe(f"parquet:{tmp_path}?label={kind}_label", cache=cache) for kind in ("fine", "coarse"))
    assert fine.fingerprint != coarse.fingerprint
    with pytest.raises(DataError, match="'moon' cannot be the label"):
        describe(f"parquet:{tmp_path}?label=moon", cache=cache)


def test_withheld_labels_leave_their_part_out(tmp_path: Path, cache: Path) -> None:
    for part in ("train", "validation"):
        write(tmp_path / f"{part}-0.parquet")
    write(tmp_path / "test-0.parquet", labels=[-1] * COUNT)
    known = describe(f"parquet:{tmp_path}", cache=cache)
    assert (known.train, known.validation, known.test) == (18, 2, 20)
    assert known.findings.sentences()[0] == "the labels of test are withheld, so it is left out"


def test_damaged_images_are_counted_named_and_skipped(tmp_path: Path, cache: Path) -> None:
    images = [{"bytes": content, "path": None} for content in PNGS]
    images[8]["bytes"], images[11]["bytes"] = b"no image", PNGS[11][:-30]
    write(tmp_path / "some.parquet", images)
    with pytest.raises(DataError, match=r"1 of 20 images cannot be used: some\.parquet/8: cannot be read as an image"):
        describe(f"parquet:{tmp_path}", cache=cache)
    findings = describe(f"parquet:{tmp_path}?corrupt=skip", cache=cache).findings
    assert [name.partition(":")[0] for name in findings.skipped_names] == ["some.parquet/8", "some.parquet/11"]


def test_rows_are_found_in_their_groups(tmp_path: Path) -> None:
    write(tmp_path / "some.parquet", rows=3)
    rows = Rows("image")
    for index in np.random.default_rng(0).permutation(COUNT):
        assert rows.value(tmp_path / "some.parquet", int(index))["bytes"] == PNGS[index]


@pytest.mark.parametrize("damage", ["footer", "pages"])
def test_a_damaged_file_is_named(tmp_path: Path, cache: Path, damage: str) -> None:
    file = tmp_path / "some.parquet"
    write(file)
    content = file.read_bytes()
    file.write_bytes(content[:-100] if damage == "footer" else content[:4] + bytes(600) + content[604:])
    with pytest.raises(DataError, match=r"some\.parquet: is no whole Parquet file"):
        load_data(f"parquet:{tmp_path}", resolution=4, cache=cache)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (["notes.txt"], "no .parquet file there"),
        (["train-0.parquet", "more.parquet"], "more.parquet: its name says no part"),
        (["a/train-0.parquet", "b/train-0.parquet"], "several data sets"),
    ],
)
def test_a_wrong_layout_is_explained(tmp_path: Path, files: list[str], words: str) -> None:
    for file in files:
        write(tmp_path / "set" / file)
    with pytest.raises(DataError, match=words):
        open_source(f"parquet:{tmp_path / 'set'}").stamp()


def test_a_file_without_rows_is_explained(tmp_path: Path, cache: Path) -> None:
    write(tmp_path / "some.parquet", pa.array([], pa.binary()), pa.array([], pa.int64()))
    with pytest.raises(DataError, match="there are no labelled images"):
        describe(f"parquet:{tmp_path}", cache=cache)


@pytest.mark.parametrize(
    ("labels", "words"),
    [([*LABELS[:-1], None], "lacks the label of some rows"), ([*LABELS[:-1], -1], "labels below 0")],
)
def test_wrong_labels_are_explained(tmp_path: Path, cache: Path, labels: list[Any], words: str) -> None:
    write(tmp_path / "some.parquet", labels=labels)
    with pytest.raises(DataError, match=words):
        describe(f"parquet:{os.path.relpath(tmp_path)}", cache=cache)
