from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nas.data import describe, load_data
from nas.data.cache import entry
from nas.data.statistics import channel_statistics
from nas.errors import DataError

Write = Callable[..., Path]


@pytest.fixture
def reference(write_images: Write) -> str:
    return f"folder:{write_images('a', 'b')}"


def test_second_load_maps_what_the_first_wrote(reference: str, cache: Path) -> None:
    calls: list[int] = []
    first = load_data(reference, resolution=8, cache=cache)
    second = load_data(reference, resolution=8, cache=cache, progress=lambda done, total: calls.append(done))
    assert not calls
    np.testing.assert_array_equal(first.train.images, second.train.images)
    assert (first.mean, first.std, first.classes) == (second.mean, second.std, second.classes)
    assert isinstance(second.train.images.base, np.memmap)


def test_resolutions_are_kept_side_by_side(reference: str, cache: Path) -> None:
    for resolution in (4, 8, 4):
        assert load_data(reference, resolution=resolution, cache=cache).train.images.shape[2] == resolution


@pytest.mark.parametrize("file", ["images.npy", "labels.npy", "meta.json"])
@pytest.mark.parametrize("kept", [0, 0.5, 0.99])
def test_a_truncated_file_is_written_again(reference: str, cache: Path, file: str, kept: float) -> None:
    whole = load_data(reference, resolution=8, cache=cache)
    images = whole.train.images.copy()
    path = entry(cache, whole.fingerprint, 8) / file
    content = path.read_bytes()
    path.unlink()  # the mapping keeps the old file
    path.write_bytes(content[: int(kept * len(content))])
    np.testing.assert_array_equal(load_data(reference, resolution=8, cache=cache).train.images, images)
    assert path.read_bytes() == content


def test_known_data_is_loaded_without_its_source(reference: str, cache: Path) -> None:
    known = load_data(reference, resolution=8, cache=cache)
    shutil.rmtree(reference.removeprefix("folder:"))
    again = load_data(reference, resolution=8, cache=cache, expected=known.fingerprint)
    np.testing.assert_array_equal(again.test.images, known.test.images)


def test_other_data_than_expected_is_refused(reference: str, cache: Path) -> None:
    with pytest.raises(
        DataError, match=r"its images, their labels or their split have changed .* There are now \d+ images"
    ):
        load_data(reference, resolution=8, cache=cache, expected="0123456789abcdef")


@pytest.mark.slow
def test_several_processes_may_start_at_once(reference: str, cache: Path) -> None:
    load = f"load_data({reference!r}, resolution=8, cache=Path({str(cache)!r}))"
    code = f"from pathlib import Path; from nas.data import load_data; print({load}.train.images.sum())"
    command = [sys.executable, "-c", code]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    answers = {process.communicate(timeout=60)[0] for process in processes}
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert answers == {f"{load_data(reference, resolution=8, cache=cache).train.images.sum()}\n"}
    left = [path.name for path in (cache / "images").iterdir() if path.is_dir()]
    assert left == [entry(cache, describe(reference, cache=cache).fingerprint, 8).name]


def test_channel_statistics_are_exact() -> None:
    images = np.random.default_rng(0).integers(0, 256, (50, 3, 7, 7), dtype=np.uint8)
    images[:, 2] = 9
    mean, std = channel_statistics([images[:20], images[20:]], 3)
    np.testing.assert_allclose(mean, (images / 255).mean(axis=(0, 2, 3)))
    np.testing.assert_allclose(std[:2], (images / 255).std(axis=(0, 2, 3))[:2])
    assert std[2] == 1 / 255


def test_disk_that_is_too_small_is_explained(reference: str, cache: Path) -> None:
    with pytest.raises(DataError, match="no room for"):
        load_data(reference, resolution=1_000_000, cache=cache, limit=10**18)


def test_a_cache_that_cannot_be_made_is_named(reference: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="file/cache: cannot be the cache"):
        describe(reference, cache=tmp_path / "file" / "cache")
