"""PyTorch's own two forms of a network without its code: `torch.export` and TorchScript."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from nas.export.forms.base import Form, Options, Subject, forms
from nas.measure.runtimes.base import RefusedError


def _images(subject: Subject, batch: int | None) -> Tensor:
    task = subject.task
    return torch.zeros(batch or 2, task.channels, task.resolution, task.resolution)


class TorchExport(Form):
    """The deployed network as an `ExportedProgram`, for `torch.export.load`."""

    file = "model.pt2"
    heeds = frozenset({"batch"})

    def write(self, subject: Subject, options: Options) -> None:
        """With the number of images open, unless said."""
        write_exported(subject, subject.folder / self.file, options.batch)

    def outputs(self, folder: Path, batches: Sequence[Tensor]) -> list[Tensor]:
        """By the loaded program."""
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            module = torch.export.load(folder / self.file).module()
            return [module(images) for images in batches]


class TorchScript(Form):
    """The deployed network, traced, for `torch.jit.load` and LibTorch."""

    file = "model.ts"

    def write(self, subject: Subject, options: Options) -> None:
        """Traced; the sizes of the images stay open where the network's layers leave them open."""
        write_traced(subject.merged, _images(subject, None), subject.folder / self.file)

    def outputs(self, folder: Path, batches: Sequence[Tensor]) -> list[Tensor]:
        """By the loaded module."""
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            module = torch.jit.load(str(folder / self.file))  # type: ignore[no-untyped-call]  # untyped in torch
            return [module(images) for images in batches]


def write_exported(subject: Subject, file: Path, batch: int | None) -> None:
    """Write the deployed network as an `ExportedProgram`, for so many images or any number; raises RefusedError."""
    shapes = ({0: torch.export.Dim("batch", min=1)},) if batch is None else None
    content = io.BytesIO()  # PyTorch's own writer of files ends the process where the disk is full
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")  # what PyTorch's exporter deprecates in itself
            program = torch.export.export(subject.merged, (_images(subject, batch),), dynamic_shapes=shapes)
            torch.export.save(program, content)
    except Exception as error:  # its errors are of no common type
        raise RefusedError(f"torch.export: {(str(error).strip().splitlines() or [''])[0]}") from error
    file.write_bytes(content.getbuffer())


def write_traced(network: nn.Module, images: Tensor, file: Path) -> None:
    """Write what a network does with images as TorchScript; raises RefusedError."""
    content = io.BytesIO()
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")  # PyTorch deprecates it
            traced = torch.jit.trace(network, images, check_trace=False)  # type: ignore[no-untyped-call]  # in torch
            torch.jit.save(traced, content)
    except (RuntimeError, TypeError, ValueError) as error:
        raise RefusedError(f"torch.jit: {(str(error).strip().splitlines() or [''])[0]}") from error
    file.write_bytes(content.getbuffer())


forms.register("torch-export")(TorchExport())
forms.register("torchscript")(TorchScript())
