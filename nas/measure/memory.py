"""Peak memory: the most a process has had at a time since some moment."""

from __future__ import annotations

import resource
import sys
from contextlib import suppress
from pathlib import Path

import torch

_PROCESS = Path("/proc/self")
_RESET_PEAK = "5"  # of clear_refs, proc_pid_clear_refs(5)


class PeakMemory:
    """The most memory in use at a time between the meter's making and now.

    A process has one mark of each kind: a second meter on the same device begins the first one's count anew.
    """

    def __init__(self, device: torch.device) -> None:
        """Start measuring.

        Args:
            device: an accelerator, of which torch counts what it has taken, or the CPU: what the process has resident,
                mapped files included. Outside Linux, and where Linux does not let its mark be reset, that is the most
                of the process's whole life.
        """
        self._device = device
        if device.type == "cuda":
            if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]  # else nothing has been taken yet
                torch.cuda.reset_peak_memory_stats(device)
        else:
            _reset(_PROCESS)

    def bytes(self) -> int:
        """The peak so far."""
        if self._device.type == "cuda":
            return torch.cuda.max_memory_allocated(self._device)
        peak = _high_water_mark(_PROCESS)
        return _lifetime_peak() if peak is None else peak


def _reset(process: Path) -> None:
    """Bring the high-water mark down to what is resident now, where that can be done."""
    with suppress(OSError):
        (process / "clear_refs").write_text(_RESET_PEAK)


def _high_water_mark(process: Path) -> int | None:
    """Bytes, by the line `VmHWM: N kB` of Linux's status; None where there is none."""
    with suppress(OSError):
        for line in (process / "status").read_text().splitlines():
            name, _, amount = line.partition(":")
            if name == "VmHWM":
                return int(amount.split()[0]) * 1024
    return None


def _lifetime_peak() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
