"""ncnn's two files, for phones, through pnnx, which reads TorchScript."""

from __future__ import annotations

import copy
import importlib
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from nas.errors import UserError
from nas.export.forms.base import Form, Options, Subject, forms
from nas.export.forms.converters import run_apart
from nas.export.forms.pytorch import write_traced
from nas.measure.runtimes.base import RefusedError

_PATIENCE = 600.0  # seconds; pnnx takes five for a small network here
_INPUT, _OUTPUT = "in0", "out0"  # as pnnx names them


class Ncnn(Form):
    """The deployed network in fp32, one image at a time: ncnn knows no batches. Input `in0`, output `out0`."""

    file = "ncnn/model.param"
    weights = "ncnn/model.bin"
    packages = ("ncnn", "pnnx")
    extra = "ncnn"
    heeds = frozenset({"batch"})

    def write(self, subject: Subject, options: Options) -> None:
        """By the converter, from a TorchScript file that is not kept.

        Raises:
            UserError: a number of images is asked for.
            RefusedError: the converter cannot take the network.
        """
        if options.batch not in (None, 1):
            raise UserError(
                f"it takes one image at a time; leave out --batch {options.batch}, or give it a folder of its own"
            )
        task = subject.task
        shape = (1, task.channels, task.resolution, task.resolution)
        (subject.folder / self.file).parent.mkdir()
        with tempfile.TemporaryDirectory() as place:
            write_traced(_with_shifts(subject.merged), torch.zeros(shape), Path(place) / "model.pt")
            _convert(Path(place), shape)
            for written in (self.file, self.weights):
                made = Path(place) / f"model.ncnn{Path(written).suffix}"
                if not made.is_file():
                    raise RefusedError("pnnx: it wrote no network for ncnn")
                (subject.folder / written).write_bytes(made.read_bytes())

    def outputs(self, folder: Path, batches: Sequence[Tensor]) -> list[Tensor]:
        """By ncnn, without the half precision that it takes where it can."""
        ncnn: Any = importlib.import_module("ncnn")
        network = ncnn.Net()
        network.opt.use_fp16_packed = network.opt.use_fp16_storage = network.opt.use_fp16_arithmetic = False
        network.opt.use_bf16_storage = network.opt.use_vulkan_compute = False
        if network.load_param(str(folder / self.file)) or network.load_model(str(folder / self.weights)):
            raise RefusedError("ncnn: it cannot read what pnnx wrote; a layer may be unknown to it")
        return [torch.stack([_output(ncnn, network, image) for image in images]) for images in batches]


def _with_shifts(network: nn.Module) -> nn.Module:
    """The same function with a shift of 0 in every norm that has a scale alone, for which pnnx knows no layer."""
    shifted = copy.deepcopy(network)
    for norm in shifted.modules():
        if isinstance(norm, nn.GroupNorm | nn.LayerNorm) and [name for name, _ in norm.named_parameters()] == [
            "weight"
        ]:
            norm.bias = nn.Parameter(torch.zeros_like(norm.weight), requires_grad=False)
    return shifted


def _convert(place: Path, shape: tuple[int, ...]) -> None:
    program = importlib.import_module("pnnx").EXEC_PATH
    words = [program, "model.pt", f"inputshape=[{','.join(map(str, shape))}]", "fp16=0"]
    run_apart("pnnx", words, cwd=place, patience=_PATIENCE)


def _output(ncnn: Any, network: Any, image: Tensor) -> Tensor:
    extractor = network.create_extractor()
    pixels = image.contiguous().numpy()  # has to outlive the Mat, which does not own it
    extractor.input(_INPUT, ncnn.Mat(pixels).clone())
    failed, found = extractor.extract(_OUTPUT)
    if failed:
        raise RefusedError("ncnn: it cannot compute the network; a layer may be unknown to it")
    logits: Tensor = torch.tensor(found.numpy()).flatten()
    return logits


forms.register("ncnn")(Ncnn())
