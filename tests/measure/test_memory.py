from __future__ import annotations

import sys
from mmap import mmap
from pathlib import Path

import psutil
import pytest
import torch

from nas.measure import memory
from nas.measure.memory import PeakMemory

BLOCK = 2**27
CPU = torch.device("cpu")


def can_reset() -> bool:
    """Whether this system has a mark and lets it be reset."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
        return "VmHWM" in Path("/proc/self/status").read_text()
    except OSError:
        return False


def take_and_give_back() -> None:
    with mmap(-1, BLOCK) as block:  # not malloc, which may have been told to keep what is freed
        block[::4096] = b"1" * (BLOCK // 4096)  # resident only once it is written to


def test_a_peak_counts_what_is_given_back() -> None:
    before = psutil.Process().memory_info().rss
    meter = PeakMemory(CPU)
    take_and_give_back()
    assert meter.bytes() >= before + 0.5 * BLOCK


@pytest.mark.slow
@pytest.mark.skipif(not can_reset(), reason="the system has no mark that can be reset")
def test_an_earlier_peak_does_not_count() -> None:
    take_and_give_back()
    resident = psutil.Process().memory_info().rss
    assert PeakMemory(CPU).bytes() < resident + 0.5 * BLOCK


def test_without_a_mark_the_life_of_the_process_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_PROCESS", tmp_path / "missing")
    take_and_give_back()
    assert PeakMemory(CPU).bytes() >= BLOCK


@pytest.mark.skipif(sys.platform != "linux", reason="as Linux writes it")
def test_mark_is_read_in_bytes(tmp_path: Path) -> None:
    (tmp_path / "status").write_text("Name:\tpython\nVmPeak:\t  9000 kB\nVmHWM:\t    1536 kB\nVmRSS:\t 1000 kB\n")
    assert memory._high_water_mark(tmp_path) == 1536 * 1024
    (tmp_path / "status").write_text("Name:\tpython\n")
    assert memory._high_water_mark(tmp_path) is None


@pytest.mark.gpu
def test_peak_of_an_accelerator_begins_with_the_meter() -> None:
    device = torch.device("cuda:0")
    torch.zeros(BLOCK, dtype=torch.uint8, device=device)
    meter = PeakMemory(device)
    torch.zeros(BLOCK // 4, dtype=torch.uint8, device=device)
    assert BLOCK // 4 <= meter.bytes() < BLOCK
