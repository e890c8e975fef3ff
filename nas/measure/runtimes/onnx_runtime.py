"""ONNX Runtime on the processor."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nas.measure.machine import processor
from nas.measure.profile import Profile
from nas.measure.runtimes.base import RefusedError, Runtime, Timer, runtimes, stopwatch

if TYPE_CHECKING:
    from torch import Tensor, nn

    from nas.task import Task


class OnnxRuntime(Runtime):
    """All optimisations of its graphs, one operator at a time."""

    packages = ("onnxruntime", "onnx")
    extra = "onnx"
    reads_onnx = True

    def versions(self, profile: Profile) -> str:
        """Of onnxruntime alone: onnx only writes the file."""
        import onnxruntime

        return f"onnxruntime {onnxruntime.__version__}"

    def device(self, profile: Profile) -> str:
        """The processor."""
        return processor()

    def load(self, profile: Profile, network: nn.Module | Path, task: Task) -> Timer:
        """Open a session; raises RefusedError where that fails."""
        import numpy
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = profile.threads or 0
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            session = onnxruntime.InferenceSession(str(network), options, providers=["CPUExecutionProvider"])
            shape = (profile.batch, task.channels, task.resolution, task.resolution)
            images = numpy.random.default_rng(0).standard_normal(shape, dtype=numpy.float32)
            feed = {"images": images}
            session.run(None, feed)
        except Exception as error:  # its errors are of no common type
            raise RefusedError(f"onnxruntime: {(str(error).splitlines() or [''])[0]}") from error
        return stopwatch(profile, lambda: session.run(None, feed))


def outputs(file: Path, batches: Sequence[Tensor]) -> list[Tensor]:
    """What ONNX Runtime computes from each (N, C, H, W) with the network of a file; raises RefusedError."""
    import onnxruntime
    import torch

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        return [torch.from_numpy(session.run(None, {"images": images.numpy()})[0]) for images in batches]
    except Exception as error:  # its errors are of no common type
        raise RefusedError(f"onnxruntime: {(str(error).splitlines() or [''])[0]}") from error


runtimes.register("onnxruntime")(OnnxRuntime())
