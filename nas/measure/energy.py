"""Energy counters: what a device has used since some moment, where it keeps count.

A counter belongs to the whole device. What other processes use on it meanwhile is counted too, so with several workers
on one device the sum over their jobs is more than was used.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import torch

_PACKAGES = Path("/sys/class/powercap")

Counter = Callable[[], float]
"""Joules since an arbitrary moment."""


class EnergyMeter:
    """Joules between its making and now."""

    def __init__(self, device_type: str, index: int = 0) -> None:
        """Start counting.

        Args:
            device_type: `cuda`, counted by NVML (with the package nvidia-ml-py), or `cpu`, by Linux's powercap.
            index: of the accelerator, as torch counts them.
        """
        self._counter = _cuda(index) if device_type == "cuda" else _cpu()
        self._start = None if self._counter is None else self._counter()

    def joules(self) -> float | None:
        """What was used so far; None where nothing counts, or where the counter has begun anew."""
        if self._counter is None or self._start is None:
            return None
        used = self._counter() - self._start
        return used if used >= 0 else None


def _cpu(root: Path = _PACKAGES) -> Counter | None:
    """Sum over the processor packages; the counters are readable by root alone on most systems."""
    files = sorted(root.glob("intel-rapl:[0-9]*/energy_uj"))
    packages = [file for file in files if file.parent.name.count(":") == 1]
    try:
        for file in packages:
            file.read_text()
    except OSError:
        return None
    return (lambda: sum(int(file.read_text()) for file in packages) / 1e6) if packages else None


def _cuda(index: int) -> Counter | None:
    with suppress(Exception):  # NVML raises types of its own, which exist only where it is installed
        nvml = import_module("pynvml")
        nvml.nvmlInit()
        # By identity, for NVML counts the machine's devices where torch counts those that CUDA_VISIBLE_DEVICES leaves.
        handle = nvml.nvmlDeviceGetHandleByUUID(f"GPU-{torch.cuda.get_device_properties(index).uuid}")
        nvml.nvmlDeviceGetTotalEnergyConsumption(handle)
        return lambda: nvml.nvmlDeviceGetTotalEnergyConsumption(handle) / 1e3
    return None
