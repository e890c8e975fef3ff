"""What a runtime can be asked, and the registry of runtimes."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from nas.errors import NasError, UserError
from nas.measure.profile import Profile
from nas.registry import Registry

if TYPE_CHECKING:
    from torch import nn

    from nas.task import Task

Timer = Callable[[], float]
"""Runs a loaded network once; returns its milliseconds by the profile's clock."""


class RuntimeMissingError(UserError):
    """A runtime that is not installed, or a device that is not there; the message says what to do."""


class RefusedError(NasError):
    """A runtime, or the way to it, cannot take this network."""


class Runtime(ABC):
    """A way to execute networks. Stateless; a loaded network lives in the timer that `load` returns."""

    packages: tuple[str, ...] = ()
    """Distributions whose versions belong to a record."""

    extra: str = ""
    """Of our package, which installs them."""

    reads_onnx: bool = False
    """Whether it takes the network as an ONNX file; else as a module."""

    def missing(self, profile: Profile) -> str | None:
        """Why the profile cannot be measured here, with what to do; None if it can."""
        absent = [name for name in self.packages if find_spec(name) is None]
        if absent:
            return (
                f"{' and '.join(absent)} not installed; `pip install nas-convnets[{self.extra}]` brings what it needs"
            )
        return None

    def require(self, profile: Profile) -> None:
        """Raise RuntimeMissingError where `missing` says why."""
        problem = self.missing(profile)
        if problem is not None:
            raise RuntimeMissingError(problem)

    def versions(self, profile: Profile) -> str:
        """The runtime and its version, 'onnxruntime 1.20.1'."""
        return ", ".join(f"{name} {_version(name)}" for name in self.packages)

    @abstractmethod
    def device(self, profile: Profile) -> str:
        """What computes, so that two of the same kind have the same name."""

    @abstractmethod
    def load(self, profile: Profile, network: nn.Module | Path, task: Task) -> Timer:
        """Make a network ready to run.

        Args:
            profile: with what.
            network: deployed form, in evaluation mode, on the CPU; as an ONNX file where the runtime reads one.
            task: channels and resolution of the images.

        Raises:
            RefusedError: the runtime cannot take this network.
        """

    def memory(self, profile: Profile) -> Callable[[], int | None]:
        """Start to watch the memory; what comes back says by how many bytes its peak is above the start.

        None where that cannot be told: a small network may fit into what the process had and did not use.
        """
        import torch

        from nas.measure.memory import PeakMemory

        meter = PeakMemory(torch.device(profile.device))
        start = meter.bytes()
        return lambda: max(0, meter.bytes() - start) or None


runtimes: Registry[Runtime] = Registry("runtime")


def stopwatch(profile: Profile, run: Callable[[], object]) -> Timer:
    """A timer by the CPU time of the process or by the wall clock."""
    clock = time.process_time_ns if profile.clock == "process" else time.perf_counter_ns

    def once() -> float:
        start = clock()
        run()
        return (clock() - start) / 1e6

    return once


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "of unknown version"
