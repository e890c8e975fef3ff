"""ExecuTorch's and LiteRT's files, for phones, through `torch.export`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from nas.export.forms.base import Form, Options, Subject, forms
from nas.export.forms.converters import outputs_apart, write_apart

_PATIENCE = 1800.0  # seconds; ExecuTorch's converter takes twenty for a small network on one core here


class ExecuTorch(Form):
    """The deployed network in fp32, by XNNPACK where that has the kernel; one image at a time, or `batch`."""

    file = "model.pte"
    packages = ("executorch",)
    extra = "executorch"
    heeds = frozenset({"batch"})

    def write(self, subject: Subject, options: Options) -> None:
        """By ExecuTorch's converter; raises RefusedError.

        An open number of images would need a largest one, for which its runtime would then plan memory.
        """
        write_apart("executorch", subject, options, subject.folder / self.file, patience=_PATIENCE)

    def outputs(self, folder: Path, batches: Sequence[Tensor]) -> list[Tensor]:
        """By ExecuTorch's runtime."""
        return outputs_apart("executorch", folder / self.file, batches, patience=_PATIENCE)


class LiteRt(Form):
    """The deployed network in fp32, images (N, C, H, W) as everywhere; one image at a time, or `batch`."""

    file = "model.tflite"
    packages = ("litert_torch", "ai_edge_litert")
    extra = "litert"
    heeds = frozenset({"batch"})

    def write(self, subject: Subject, options: Options) -> None:
        """By LiteRT's converter; raises RefusedError."""
        write_apart("litert", subject, options, subject.folder / self.file, patience=_PATIENCE)

    def outputs(self, folder: Path, batches: Sequence[Tensor]) -> list[Tensor]:
        """By LiteRT's runtime."""
        return outputs_apart("litert", folder / self.file, batches, patience=_PATIENCE)


forms.register("executorch")(ExecuTorch())
forms.register("litert")(LiteRt())
