"""Images on their way from one machine's cache to another's; a machine is a home folder here."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from nas.data import DataSet, default_cache, load_data, set_limit
from nas.executors import image_transfer
from nas.executors.image_transfer import Decoded, ImageTransfer, pack, unpack


class Machines:
    """Two home folders, of which the process is at one at a time."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self._folder, self._patch = folder, patch

    def go_to(self, name: str) -> None:
        (self._folder / name).mkdir(exist_ok=True)
        self._patch.setenv("HOME", str(self._folder / name))


@pytest.fixture
def machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machines:
    monkeypatch.setattr(image_transfer, "_BLOCK", 10_000)  # several blocks a file
    machines = Machines(tmp_path, monkeypatch)
    machines.go_to("driver")
    return machines


def packed() -> tuple[DataSet, Decoded, ImageTransfer]:
    """What is sent, its name, and the transfer."""
    data = load_data("digits", resolution=8)
    content = Decoded(fingerprint=data.fingerprint, resolution=8)
    transfer = pack(content, np.copy)
    assert transfer is not None
    return data, content, transfer


@pytest.mark.slow
def test_images_arrive_as_they_were_sent(machines: Machines) -> None:
    sent, content, transfer = packed()
    assert content.is_here()
    assert max(len(blocks) for _, blocks in transfer.files) > 5
    machines.go_to("node")
    assert not content.is_here()
    unpack(transfer, lambda block: block)
    assert content.is_here()
    # The source is not looked at any more.
    arrived = load_data("folder:/not/there", resolution=8, expected=sent.fingerprint)
    for split in ("train", "validation", "test"):
        ours, theirs = getattr(arrived, split), getattr(sent, split)
        np.testing.assert_array_equal(ours.images, theirs.images)
        np.testing.assert_array_equal(ours.labels, theirs.labels)
    assert (arrived.mean, arrived.std, arrived.classes) == (sent.mean, sent.std, sent.classes)


def test_of_several_workers_on_a_machine_one_fetches(machines: Machines) -> None:
    _, _, transfer = packed()
    fetched: list[int] = []
    machines.go_to("node")

    def get(block: np.ndarray) -> np.ndarray:
        fetched.append(block.nbytes)
        return block

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: unpack(transfer, get), range(4)))
    assert sum(fetched) == transfer.size


def test_a_machine_without_room_goes_without(machines: Machines) -> None:
    _, content, transfer = packed()
    machines.go_to("node")
    set_limit(default_cache(), 1_000)
    unpack(transfer, lambda block: block)
    assert not content.is_here()


def test_what_is_not_in_the_cache_cannot_be_sent(machines: Machines) -> None:
    assert pack(Decoded(fingerprint="0" * 16, resolution=8), np.copy) is None
