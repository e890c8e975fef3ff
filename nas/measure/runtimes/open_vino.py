"""OpenVINO on the processor."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nas.measure.machine import processor
from nas.measure.profile import Profile
from nas.measure.runtimes.base import RefusedError, Runtime, Timer, runtimes, stopwatch

if TYPE_CHECKING:
    from torch import Tensor, nn

    from nas.task import Task


class OpenVino(Runtime):
    """Tuned for latency: one stream. Precision is held at fp32, which OpenVINO would lower where the processor can."""

    packages = ("openvino", "onnx")
    extra = "openvino"
    reads_onnx = True

    def versions(self, profile: Profile) -> str:
        """Of openvino alone: onnx only writes the file."""
        import openvino

        return f"openvino {openvino.__version__}"

    def device(self, profile: Profile) -> str:
        """The processor."""
        return processor()

    def load(self, profile: Profile, network: nn.Module | Path, task: Task) -> Timer:
        """Compile the network; raises RefusedError where that fails."""
        import numpy
        import openvino

        settings: dict[str, Any] = {
            "PERFORMANCE_HINT": "LATENCY",
            "NUM_STREAMS": 1,
            "INFERENCE_PRECISION_HINT": "f32",
        }
        if profile.threads is not None:
            settings["INFERENCE_NUM_THREADS"] = profile.threads
        try:
            request = openvino.Core().compile_model(str(network), "CPU", settings).create_infer_request()
            shape = (profile.batch, task.channels, task.resolution, task.resolution)
            images = numpy.random.default_rng(0).standard_normal(shape, dtype=numpy.float32)
            request.infer([images], share_inputs=True)
        except Exception as error:  # its errors are of no common type
            raise RefusedError(f"openvino: {(str(error).splitlines() or [''])[0]}") from error
        return stopwatch(profile, lambda: request.infer([images], share_inputs=True))


def save(onnx: Path, file: Path) -> Path:
    """Write the network of an ONNX file as OpenVINO's `.xml`, its weights in fp32 beside it; raises RefusedError."""
    import openvino

    try:
        openvino.save_model(openvino.Core().read_model(str(onnx)), str(file), compress_to_fp16=False)
    except Exception as error:  # its errors are of no common type
        raise RefusedError(f"openvino: {(str(error).splitlines() or [''])[0]}") from error
    return file


def outputs(file: Path, batches: Sequence[Tensor]) -> list[Tensor]:
    """What OpenVINO computes in fp32 from each (N, C, H, W) with the network of a file; raises RefusedError."""
    import openvino
    import torch

    try:
        compiled = openvino.Core().compile_model(str(file), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        return [torch.from_numpy(compiled([images.numpy()])[0].copy()) for images in batches]
    except Exception as error:  # its errors are of no common type
        raise RefusedError(f"openvino: {(str(error).splitlines() or [''])[0]}") from error


runtimes.register("openvino")(OpenVino())
