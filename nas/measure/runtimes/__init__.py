"""Runtimes: who executes a network while its latency is measured."""

from nas.measure.runtimes.base import RefusedError, Runtime, RuntimeMissingError, Timer, runtimes
from nas.measure.runtimes.command import CommandRuntime
from nas.measure.runtimes.onnx_runtime import OnnxRuntime
from nas.measure.runtimes.open_vino import OpenVino
from nas.measure.runtimes.pytorch import PyTorch

__all__ = [
    "CommandRuntime", "OnnxRuntime", "OpenVino", "PyTorch",
    "RefusedError", "Runtime", "RuntimeMissingError", "Timer", "runtimes",
]  # fmt: skip
