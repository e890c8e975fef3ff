from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from nas.data import describe, load_data
from nas.errors import DataError

WNIDS = ["n01440764", "n01443537", "n01484850"]
PER_CLASS = 10


def shade(label: int) -> Image.Image:
    return Image.new("RGB", (9, 8), (80 * label,) * 3)


def name(index: int) -> str:
    return f"ILSVRC2012_val_{index + 1:08}.JPEG"


SHOWN = np.random.default_rng(0).permutation(np.repeat(np.arange(3), 4)).tolist()
"""Classes of the validation images, by number."""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The folder with train/ and a flat val/ inside Kaggle's folders, without a word on what val/ shows."""
    root = tmp_path / "kaggle" / "ILSVRC" / "Data" / "CLS-LOC"
    for label, wnid in enumerate(WNIDS):
        (root / "train" / wnid).mkdir(parents=True)
        for index in range(PER_CLASS):
            shade(label).save(root / "train" / wnid / f"{wnid}_{index}.JPEG")
    (root / "val").mkdir()
    for index, label in enumerate(SHOWN):
        shade(label).save(root / "val" / name(index))
    return root


def tell_by_table(root: Path) -> None:
    lines = [f"{name(index).partition('.')[0]},{WNIDS[label]} 1 2 3 4 " for index, label in enumerate(SHOWN)]
    table = "\n".join(["ImageId,PredictionString", *reversed(lines)])
    (root.parent.parent.parent / "LOC_val_solution.csv").write_text(table)


def tell_by_devkit(root: Path) -> None:
    """Its numbers of the classes are in another order than their WordNet ids, and other synsets come after them."""
    data = root / "ILSVRC2012_devkit_t12" / "data"
    data.mkdir(parents=True)
    kinds = np.array(
        [(1, WNIDS[2], "shark"), (2, WNIDS[0], "tench"), (3, WNIDS[1], "goldfish"), (4, "n00001740", "entity")],
        dtype=[("ILSVRC2012_ID", object), ("WNID", object), ("words", object)],
    )
    savemat(data / "meta.mat", {"synsets": kinds[:, None]})
    lines = [str([2, 3, 1][label]) for label in SHOWN]
    (data / "ILSVRC2012_validation_ground_truth.txt").write_text("\n".join(lines) + "\n")


def tell_by_folders(root: Path) -> None:
    for index, label in enumerate(SHOWN):
        (root / "val" / WNIDS[label]).mkdir(exist_ok=True)
        (root / "val" / name(index)).rename(root / "val" / WNIDS[label] / name(index))


@pytest.mark.parametrize("tell", [tell_by_table, tell_by_devkit, tell_by_folders])
@pytest.mark.parametrize("place", ["root", "kaggle"])
def test_every_layout_is_the_same_data_set(root: Path, cache: Path, tell: object, place: str) -> None:
    tell(root)  # type: ignore[operator]
    data = load_data(f"imagenet:{root if place == 'root' else root.parents[2]}", resolution=8, cache=cache)
    assert (len(data.train), len(data.validation), len(data.test)) == (27, 3, 12)
    assert data.classes == tuple(WNIDS)
    for split in (data.train, data.validation, data.test):
        np.testing.assert_allclose(split.images.mean(axis=(1, 2, 3)), 80 * split.labels, atol=2)


def test_published_validation_is_the_test_split(root: Path, cache: Path) -> None:
    tell_by_table(root)
    known = describe(f"imagenet:{root}?validation=0.3", cache=cache)
    assert (known.train, known.validation, known.test) == (21, 9, 12)
    assert not known.findings.sentences()
    with pytest.raises(DataError, match=r"test=0\.1 has no use"):
        describe(f"imagenet:{root}?test=0.1", cache=cache)


def test_a_new_image_is_seen(root: Path, cache: Path) -> None:
    tell_by_folders(root)
    known = describe(f"imagenet:{root}", cache=cache)
    shade(0).save(root / "train" / WNIDS[0] / "another.JPEG")
    assert describe(f"imagenet:{root}", cache=cache).train == known.train + 1


def test_cmyk_and_damage_are_found(root: Path, cache: Path) -> None:
    tell_by_table(root)
    folder = root / "train" / WNIDS[1]
    shade(1).convert("CMYK").save(folder / f"{WNIDS[1]}_0.JPEG")
    file = folder / f"{WNIDS[1]}_1.JPEG"
    Image.effect_noise((64, 64), 90).convert("RGB").save(file)
    file.write_bytes(file.read_bytes()[:-900])
    findings = describe(f"imagenet:{root}", cache=cache).findings
    assert findings.converted == {"CMYK": 1}
    with pytest.raises(DataError, match=rf"1 of 42 images cannot be used: train/{WNIDS[1]}/{WNIDS[1]}_1\.JPEG"):
        load_data(f"imagenet:{root}", resolution=8, cache=cache)
    assert describe(f"imagenet:{root}?corrupt=skip", cache=cache).findings.skipped == 1


def test_what_is_missing_is_named(root: Path, cache: Path) -> None:
    with pytest.raises(DataError, match=r"holds no class folders; add LOC_val_solution\.csv or ILSVRC2012_devkit_t12/"):
        describe(f"imagenet:{root}", cache=cache)
    with pytest.raises(DataError, match="holds no train/ and val/"):
        describe(f"imagenet:{root / 'train'}", cache=cache)
    tell_by_table(root)
    (root / "val" / name(12)).write_bytes((root / "val" / name(0)).read_bytes())
    with pytest.raises(DataError, match=r"val_00000013\.JPEG: is of class None by .*, which train/ does not have"):
        describe(f"imagenet:{root}", cache=cache)
