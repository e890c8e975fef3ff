from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
from numpy.typing import NDArray

from nas.data import DataSet, load_data
from nas.data.streaming import AHEAD
from nas.errors import DataError, NasError

Write = Callable[..., Path]
Batches = Iterator[NDArray[np.intp]]


@pytest.fixture
def path(write_images: Write) -> Path:
    return write_images("a", "b", "c", count=40)


def streamed(path: Path, cache: Path, *, decoders: int = 1) -> DataSet:
    return load_data(f"folder:{path}", resolution=8, cache=cache, limit=0, decoders=decoders)


def decoders() -> list[psutil.Process]:
    """Living children of this process, but the one that another test's use of `multiprocessing` has left for good."""
    return [
        process
        for process in psutil.Process().children()
        if process.status() != psutil.STATUS_ZOMBIE and "resource_tracker" not in " ".join(process.cmdline())
    ]


def all_of(count: int) -> list[NDArray[np.intp]]:
    return [np.arange(count)]


@pytest.mark.slow
def test_streamed_pixels_are_the_cached_ones(path: Path, cache: Path, tmp_path: Path) -> None:
    cached = load_data(f"folder:{path}", resolution=8, cache=tmp_path / "another cache")
    data = streamed(path, cache, decoders=2)
    assert data.train.is_streamed
    assert not cached.train.is_streamed
    assert not [entry for entry in (cache / "images").iterdir() if entry.is_dir()]
    assert (data.mean, data.std, data.classes) == (cached.mean, cached.std, cached.classes)
    assert data.train.images.shape == cached.train.images.shape == (72, 3, 8, 8)
    assert data.train.images.nbytes == cached.train.images.nbytes
    assert data.train.images.dtype == np.uint8
    np.testing.assert_array_equal(data.train.labels, cached.train.labels)

    order = np.random.default_rng(0).permutation(72)
    batches = [order[:50], order[50:], order[:0], order[[3, 3, 1]], *(order[[row]] for row in range(20)), -order[1:9]]
    for ours, theirs in zip(data.train.read(batches), cached.train.read(batches), strict=True):
        np.testing.assert_array_equal(ours, theirs)
        assert ours.flags.writeable
        assert ours.flags.owndata
    assert not decoders()


@pytest.mark.slow
def test_a_batch_may_be_larger_than_the_shared_memory(
    path: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nas.data.decoder_pool.SHARED_BYTES", 1)
    monkeypatch.setattr("nas.data.decoder_pool.CHUNK_IMAGES", 5)
    cached = load_data(f"folder:{path}", resolution=8, cache=tmp_path / "another cache")
    (images,) = streamed(path, cache).train.read(all_of(72))
    np.testing.assert_array_equal(images, cached.train.images)


@pytest.mark.slow
def test_processes_start_with_the_first_batch_and_end_with_the_reader(path: Path, cache: Path) -> None:
    taken: list[int] = []

    def batches() -> Batches:
        for start in range(72):
            taken.append(start)
            yield np.array([start])

    data = streamed(path, cache)
    reading = data.train.read(batches())
    assert not decoders()
    assert not taken
    first = next(reading)
    assert first.shape == (1, 3, 8, 8)
    assert len(taken) == AHEAD + 1
    next(reading)
    assert len(taken) == AHEAD + 2
    (process,) = decoders()
    del reading
    assert not process.is_running()


def test_nothing_is_started_for_no_batches(path: Path, cache: Path) -> None:
    assert list(streamed(path, cache).test.read([])) == []


@pytest.mark.slow
def test_a_damaged_image_is_named(path: Path, cache: Path) -> None:
    data = streamed(path, cache)
    name = data.test.images.names[3]  # type: ignore[union-attr]
    (path / name).write_bytes((path / name).read_bytes()[:-60])
    with pytest.raises(DataError, match=rf"folder:{path}: an image cannot be used: {name}: cannot be read as an image"):
        list(data.test.read(all_of(len(data.test))))
    assert not decoders()


@pytest.mark.slow
def test_a_decoder_that_ends_is_no_endless_wait(path: Path, cache: Path) -> None:
    data = streamed(path, cache)
    reading = data.train.read(np.array([row % 72]) for row in range(100_000))
    next(reading)
    decoders()[0].kill()
    with pytest.raises(NasError, match=f"folder:{path}: a process that decodes images was killed by signal 9"):
        for _ in reading:
            pass


def test_there_is_no_image_beyond_the_last(path: Path, cache: Path) -> None:
    with pytest.raises(IndexError):
        next(streamed(path, cache).test.read([np.array([1000])]))
    assert not decoders()


SCRIPT = """
import sys, time
from pathlib import Path
import numpy as np
import psutil
from nas.data import load_data

data = load_data(sys.argv[1], resolution=8, cache=Path(sys.argv[2]), limit=0, decoders=1)
reading = data.train.read(np.arange(72) for _ in range(1000))
print(next(reading).sum(), flush=True)
print(*(process.pid for process in psutil.Process().children()), flush=True)
time.sleep(600)
"""


@pytest.mark.slow
def test_decoders_do_not_outlive_a_killed_reader(path: Path, cache: Path, tmp_path: Path) -> None:
    """The reader is a plain script: what it does at the top level is not done again by its decoders."""
    script = tmp_path / "reader.py"
    script.write_text(SCRIPT)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(entry or os.getcwd() for entry in sys.path)}
    command = [sys.executable, str(script), f"folder:{path}", str(cache)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as reader:
        assert reader.stdout is not None
        expected = load_data(f"folder:{path}", resolution=8, cache=tmp_path / "another cache").train.images.sum()
        assert int(reader.stdout.readline()) == expected
        (decoder,) = map(int, reader.stdout.readline().split())
        assert psutil.pid_exists(decoder)
        reader.kill()
    deadline = time.monotonic() + 20
    while psutil.pid_exists(decoder) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not psutil.pid_exists(decoder)
