"""ONNX, and OpenVINO's own form of it."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from nas.export.forms.base import Form, Options, Subject, forms
from nas.measure.onnx_file import OPSET, write_onnx
from nas.measure.runtimes import onnx_runtime, open_vino

_TRACED_BATCH = 2  # where the number of images stays open; a batch of 1 is traced into some graphs


def _write(subject: Subject, options: Options, file: Path) -> Path:
    batch, dynamic = options.batch or _TRACED_BATCH, options.batch is None
    return write_onnx(subject.merged, subject.task, batch, file, opset=options.opset or OPSET, dynamic=dynamic)


class Onnx(Form):
    """The deployed network: input `images`, output `logits`."""

    file = "model.onnx"
    packages = ("onnx", "onnxruntime")
    extra = "onnx"
    heeds = frozenset({"opset", "batch"})

    def write(self, subject: Subject, options: Options) -> None:
        """One file with the weights inside."""
        _write(subject, options, subject.folder / self.file)

    def outputs(self, folder: Path, batches: Sequence[Tensor]) -> list[Tensor]:
        """By ONNX Runtime."""
        return onnx_runtime.outputs(folder / self.file, batches)


class OpenVino(Form):
    """The deployed network, in fp32."""

    file = "openvino/model.xml"
    weights = "openvino/model.bin"
    packages = ("onnx", "openvino")
    extra = "openvino"
    heeds = frozenset({"opset", "batch"})

    def write(self, subject: Subject, options: Options) -> None:
        """From an ONNX file that is not kept."""
        target = subject.folder / self.file
        target.parent.mkdir()
        with tempfile.TemporaryDirectory() as place:
            open_vino.save(_write(subject, options, Path(place) / "model.onnx"), target)

    def outputs(self, folder: Path, batches: Sequence[Tensor]) -> list[Tensor]:
        """By OpenVINO."""
        return open_vino.outputs(folder / self.file, batches)


forms.register("onnx")(Onnx())
forms.register("openvino")(OpenVino())
