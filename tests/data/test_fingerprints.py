"""Data that was understood is the same data in every version, or evaluations of it could not be compared."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from ppm_images import ppm, write_folders
from pyarrow.parquet import write_table

from nas.data import describe

IMAGES = np.arange(20 * 6 * 8 * 3, dtype=np.uint8).reshape(20, 6, 8, 3)
LABELS = np.arange(20) % 2


def write_shards(root: Path, *, names: tuple[str, str] | None) -> None:
    for part, first in (("train", 0), ("test", 50)):
        images = [{"bytes": ppm(first + index), "path": None} for index in range(20)]
        labels = [names[index % 2] if names else index % 2 for index in range(20)]
        write_table(pa.table({"image": images, "label": labels}), root / f"{part}-00000-of-00001.parquet")


def write_source(kind: str, root: Path) -> str:
    match kind:
        case "parts":
            write_folders(root, "train/cat", "train/dog", "test/cat", "test/dog", count=10)
        case "three parts":
            parts = (f"{part}/{name}" for part in ("train", "val", "test") for name in ("cat", "dog"))
            write_folders(root, *parts, count=5)
        case "undivided":
            write_folders(root, "cat", "dog", count=10)
        case "arrays":
            np.savez(root / "some.npz", images=IMAGES, labels=LABELS)
            return f"npz:{root / 'some.npz'}"
        case "arrays of parts":
            names = np.array(["cat", "dog"])
            parts = {"x_train": IMAGES, "y_train": LABELS, "x_test": IMAGES + 1, "y_test": LABELS}
            np.savez(root / "some.npz", class_names=names, **parts)
            return f"npz:{root / 'some.npz'}"
        case "shards":
            write_shards(root, names=None)
            return f"parquet:{root}"
        case "shards with names":
            write_shards(root, names=("dog", "cat"))
            return f"parquet:{root}"
        case _:
            return kind
    return f"folder:{root}"


@pytest.mark.parametrize(
    ("kind", "fingerprint"),
    [  # as the version before parts had many names had them
        ("digits", "9106506497e62977"),
        ("parts", "c825819f7f6cdf6d"),
        ("three parts", "3bf4fc5de8618132"),
        ("undivided", "617770bfaf48f7cb"),
        ("arrays", "fcbedb20bf31bae0"),
        ("arrays of parts", "9736c99ca4d9e928"),
        ("shards", "f526d8aaf26250da"),
        ("shards with names", "a26dc00941657c4b"),
    ],
)
def test_what_was_understood_keeps_its_fingerprint(kind: str, fingerprint: str, tmp_path: Path, cache: Path) -> None:
    root = tmp_path / "set"
    root.mkdir()
    assert describe(write_source(kind, root), cache=cache).fingerprint == fingerprint
