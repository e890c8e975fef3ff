from __future__ import annotations

import gc
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nas.data import DataSet, entries, forget, load_data, prune
from nas.data.cache import entry
from nas.data.room import Entry

Write = Callable[..., Path]
SIDE = 8


@pytest.fixture
def references(write_images: Write) -> list[str]:
    """Four data sets of the same size."""
    return [f"folder:{write_images('a', 'b', root=f'set {index}')}?seed={index}" for index in range(4)]


def load(reference: str, cache: Path, *, limit: int = 10**9) -> DataSet:
    return load_data(reference, resolution=SIDE, cache=cache, limit=limit, decoders=1)


def numbers(cache: Path) -> list[int]:
    """Which of the four are in the cache, the least recently used first."""
    return [int(found.about["reference"].partition("set ")[2][0]) for found in entries(cache)]


def age(cache: Path, fingerprint: str, seconds: float) -> None:
    """Have an entry been used so long ago."""
    mark = next((cache / "images").glob(f".{fingerprint}-*.held"))
    time = mark.stat().st_mtime - seconds
    os.utime(mark, (time, time))


def size(cache: Path) -> int:
    return sum(found.bytes for found in entries(cache))


def test_the_least_recently_used_makes_room(references: list[str], cache: Path) -> None:
    fingerprints = [load(reference, cache).fingerprint for reference in references[:3]]
    one = size(cache) // 3
    for fingerprint, seconds in zip(fingerprints, (300, 100, 200), strict=True):
        age(cache, fingerprint, seconds)
    assert numbers(cache) == [0, 2, 1]
    load(references[0], cache)  # used again
    assert numbers(cache) == [2, 1, 0]
    load(references[3], cache, limit=3 * one + 100)
    assert numbers(cache) == [1, 0, 3]
    assert size(cache) <= 3 * one + 100


def test_what_is_mapped_stays(references: list[str], cache: Path) -> None:
    held = load(references[0], cache)
    images = held.train.images
    one = size(cache)
    del held
    assert load(references[1], cache, limit=one + 100).train.is_streamed
    assert numbers(cache) == [0]
    assert entries(cache)[0].is_held
    del images
    gc.collect()
    assert not entries(cache)[0].is_held
    assert not load(references[1], cache, limit=one + 100).train.is_streamed
    assert numbers(cache) == [1]


@pytest.mark.slow
def test_nothing_is_removed_where_that_would_not_be_enough(references: list[str], cache: Path) -> None:
    load(references[0], cache)
    assert load(references[1], cache, limit=100).train.is_streamed
    assert numbers(cache) == [0]


PROGRAM = """
import sys
from pathlib import Path
from nas.data import load_data

def stop(done, total):
    if done == total and sys.argv[3] == "decoding":
        print("there", flush=True)
        sys.stdin.read()

kept = load_data(sys.argv[1], resolution=8, cache=Path(sys.argv[2]), progress=stop)
print("there", flush=True)
sys.stdin.read()
"""


class Other:
    """Another process that has loaded a data set, or is in the middle of decoding it."""

    def __init__(self, reference: str, cache: Path, state: str) -> None:
        command = [sys.executable, "-c", PROGRAM, reference, str(cache), state]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "there\n"

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def other(references: list[str], cache: Path) -> Iterator[Callable[[str], Other]]:
    started: list[Other] = []

    def start(state: str) -> Other:
        started.append(Other(references[0], cache, state))
        return started[-1]

    yield start
    for one in started:
        one.kill()


@pytest.mark.slow
def test_what_another_process_maps_stays(references: list[str], cache: Path, other: Callable[[str], Other]) -> None:
    process = other("mapped")
    assert prune(cache) == []
    assert numbers(cache) == [0]
    process.kill()
    assert len(prune(cache)) == 1
    assert entries(cache) == []


@pytest.mark.slow
def test_what_a_killed_writer_leaves_is_removed(
    references: list[str], cache: Path, other: Callable[[str], Other]
) -> None:
    fingerprint = load(references[0], cache).fingerprint  # known, so that the other process only decodes
    prune(cache)
    process = other("decoding")
    (partial,) = entries(cache)
    assert (partial.is_held, partial.is_whole) == (True, False)
    assert prune(cache) == []
    process.kill()
    load(references[1], cache)  # removes it, though there would be room
    assert numbers(cache) == [1]
    assert not entry(cache, fingerprint, SIDE).exists()


def test_pruning_stops_at_the_limit(references: list[str], cache: Path) -> None:
    for index, reference in enumerate(references):
        age(cache, load(reference, cache).fingerprint, 100 * (4 - index))
    one = size(cache) // 4
    prune(cache, limit=2 * one + 100)
    assert numbers(cache) == [2, 3]
    prune(cache)
    assert numbers(cache) == []


def test_an_entry_says_what_it_is(references: list[str], cache: Path) -> None:
    data = load(references[1], cache)
    (found,) = entries(cache)
    assert isinstance(found, Entry)
    assert found.path == entry(cache, data.fingerprint, SIDE)
    assert found.bytes >= sum(split.images.nbytes for split in (data.train, data.validation, data.test))
    assert (found.about["resolution"], found.about["counts"]) == (SIDE, [12, 4, 4])


def test_what_is_forgotten_is_found_out_again(references: list[str], cache: Path) -> None:
    known = load(references[0], cache).fingerprint
    forget(cache)
    assert [path.name for path in cache.iterdir()] == ["images"]
    assert load(references[0], cache).fingerprint == known
