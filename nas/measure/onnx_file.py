"""A network as an ONNX file, for the runtimes that read one."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nas.measure.runtimes.base import RefusedError

if TYPE_CHECKING:
    from torch import nn

    from nas.task import Task

OPSET = 17  # the first with LayerNormalization as one operator


def write_onnx(
    network: nn.Module, task: Task, batch: int, file: Path, *, opset: int = OPSET, dynamic: bool = False
) -> Path:
    """Write the deployed network with its weights: input `images` (N, C, H, W), output `logits`; shapes are fixed.

    The exporter that traces, not that of `torch.export`: 2 to 7 s against 17 to 27 s a network on one core here, with
    the same operators and outputs; a calibration exports a hundred networks.

    Args:
        network: deployed form, in evaluation mode, on the CPU.
        task: channels and resolution of the images.
        batch: images at a time.
        file: to write.
        opset: version of ONNX's operators.
        dynamic: leave the number of images open.

    Returns:
        The file.

    Raises:
        RefusedError: the exporter cannot take the network.
    """
    import torch

    images = torch.zeros(batch, task.channels, task.resolution, task.resolution)
    try:
        # It prints the whole graph where it fails, and warns that branches on shapes are fixed: they are meant to be.
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()), torch.no_grad(), _rms_norm(opset):
            warnings.simplefilter("ignore")
            torch.onnx.export(
                network, (images,), str(file), dynamo=False, opset_version=opset,
                input_names=["images"], output_names=["logits"],
                dynamic_axes={"images": {0: "batch"}, "logits": {0: "batch"}} if dynamic else None,
            )  # fmt: skip
    except (RuntimeError, ValueError, TypeError) as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise RefusedError(f"torch cannot write it as ONNX: {lines[0]}") from error
    return file


@contextmanager
def _rms_norm(opset: int) -> Iterator[None]:
    """Teach the exporter RMSNorm, in the form that runtimes know again and fuse."""
    from torch.onnx.utils import register_custom_op_symbolic, unregister_custom_op_symbolic

    def symbolic(graph: Any, x: Any, shape: Any, weight: Any, eps: Any) -> Any:
        two, axes = _constant(graph, [2.0]), {"axes_i": [-1], "keepdims_i": 1}
        mean = graph.op("ReduceMean", graph.op("Pow", x, two), **axes)
        root = graph.op("Sqrt", graph.op("Add", mean, eps))
        return graph.op("Mul", graph.op("Div", x, root), weight)

    register_custom_op_symbolic("aten::rms_norm", symbolic, opset)
    try:
        yield
    finally:
        unregister_custom_op_symbolic("aten::rms_norm", opset)


def _constant(graph: Any, values: list[float]) -> Any:
    import torch

    return graph.op("Constant", value_t=torch.tensor(values))
